# Panel 1: effective number of different agents (Vendi score). Panel 2: what the actions tell, in nats.
set format x ''
if (has_vendi) {
    panel = panel + 1
    if (panel == panels) { set format x '%g'; set xlabel time }
    set ylabel 'agents'
    set yrange [1:1.1<*] # so that a population of equals does not fill the panel with rounding
    set label 3 'Effective number of different agents (of '.agents.')' at graph 0,heading left
    plot 'diversity.tsv' using (column('steps')/unit):'vendi_1' linecolor rgb colour[1] pointtype 7 pointsize marks title 'Vendi score, order 1', \
         '' using (column('steps')/unit):'vendi_2' linecolor rgb colour[2] pointtype 5 pointsize marks dashtype 2 title 'order 2'
    unset label 1
    unset label 2
}
if (has_entropy) {
    panel = panel + 1
    if (panel == panels) { set format x '%g'; set xlabel time }
    set ylabel 'nats'
    set yrange [0:*]
    set label 3 'Entropy of actions on the probe states' at graph 0,heading left
    plot 'diversity.tsv' using (column('steps')/unit):'J' linecolor rgb colour[1] pointtype 7 pointsize marks title 'between agents (J)', \
         '' using (column('steps')/unit):'within' linecolor rgb colour[2] pointtype 5 pointsize marks dashtype 2 title 'within one agent'
    unset label 1
    unset label 2
}
unset multiplot
