# Ratings with 95 % intervals, the highest at the top.
set lmargin at screen 62.0/width
set rmargin at screen 1-20.0/width
set tmargin at screen 1-(head+8.0)/height
set bmargin at screen (foot+50.0)/height
set yrange [agents+0.5:0.5]
set grid xtics linetype 1 linewidth 0.4 linecolor '#cccccc'
unset grid
set grid xtics linetype 1 linewidth 0.4 linecolor '#cccccc'
if (agents <= 32) {
    set ytics (agent[1] 1) scale 0
    set for [i=2:agents] ytics add (agent[i] i)
}
set label 21 'Elo; 0 = mean of the generation' at graph 0.5,screen (foot+10.0)/height center
set label 20 'agent'.(agents <= 32 ? '' : ' by rank') at screen 11.0/width,graph 0.5 center rotate
set arrow 1 from 0, graph 0 to 0, graph 1 nohead linecolor '#777777' linewidth 0.6 back
unset key
wide = (agents <= 32 ? 1 : 0.4)
if (errors) {
    plot name.'.tsv' using 'elo':'rank':(1.959964*column('se')) with xerrorbars linecolor rgb colour[1] \
        pointtype 7 pointsize dot*wide linewidth wide
} else {
    plot name.'.tsv' using 'elo':'rank' with points linecolor rgb colour[1] pointtype 7 pointsize dot*wide
}
