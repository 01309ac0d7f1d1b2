# Panels: score against each anchor, NashConv, spread of the ratings; those that apply.
set format x ''
if (has_score) {
    panel = panel + 1
    if (panel == panels) { set format x '%g'; set xlabel time }
    set ylabel score_unit
    if (score_unit eq 'points per game') { set yrange [0:1] } else { set yrange [*:*] }
    set label 3 score_title at graph 0,heading left
    # The legend is set by hand: gnuplot breaks long names of opponents over the panel.
    across = 0.0
    do for [i=1:words(anchors)] {
        set label 10+i 'vs '.word(anchors, i) at graph 0,1+13.0/tall left offset character across,0 \
            textcolor rgb colour[1 + (i-1)%6]
        across = across + strlen(word(anchors, i)) + 5
    }
    set label 10 (across < 40 ? '(solid: mean of the agents, dotted: the agent rated best)' : \
        '(solid: mean, dotted: best rated)') at graph 0,1+13.0/tall left \
        offset character across,0 textcolor '#777777'
    plot for [i=1:words(anchors)] 'strength.tsv' using (column('steps')/unit):(column(word(anchors, i).'.mean')) \
             linecolor rgb colour[1 + (i-1)%6] pointtype 7 pointsize marks notitle, \
         for [i=1:words(anchors)] '' using (column('steps')/unit):(column(word(anchors, i).'.best')) with lines \
             linecolor rgb colour[1 + (i-1)%6] dashtype 3 notitle
    do for [i=0:words(anchors)] { unset label 10+i }
    unset label 1
    unset label 2
}
if (has_nash_conv) {
    panel = panel + 1
    if (panel == panels) { set format x '%g'; set xlabel time }
    set ylabel 'return'
    set yrange [0:*]
    set label 3 'NashConv: exact, sampled policy; what best responses gain, 0 at equilibrium' at graph 0,heading left
    plot 'strength.tsv' using (column('steps')/unit):'nash_conv_low':'nash_conv_high' with filledcurves \
             fillcolor rgb colour[4] fillstyle transparent solid 0.25 noborder title 'least to most exploitable agent', \
         '' using (column('steps')/unit):'nash_conv_median' linecolor rgb colour[4] pointtype 7 pointsize marks title 'median'
    unset label 1
    unset label 2
}
if (has_rating) {
    panel = panel + 1
    if (panel == panels) { set format x '%g'; set xlabel time }
    set ylabel 'Elo'
    set yrange [*:*]
    set label 3 'Ratings of the agents: Bradley-Terry, sampled games; 0 = mean of the generation' at graph 0,heading left
    plot 'strength.tsv' using (column('steps')/unit):'elo_low':'elo_high' with filledcurves \
             fillcolor rgb colour[3] fillstyle transparent solid 0.25 noborder title 'weakest to strongest', \
         '' using (column('steps')/unit):'elo_median' linecolor rgb colour[3] pointtype 7 pointsize marks title 'median'
    unset label 1
    unset label 2
}
unset multiplot
