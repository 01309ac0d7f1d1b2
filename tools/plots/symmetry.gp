# How often an agent answers the same question otherwise when it is put another way.
set lmargin at screen 62.0/width
set rmargin at screen 1-20.0/width
set tmargin at screen 1-(head+28.0)/height
set bmargin at screen (foot+50.0)/height
set yrange [agents+0.6:0.4]
set xrange [0:*]
unset grid
set grid xtics linetype 1 linewidth 0.4 linecolor '#cccccc'
if (agents <= 32) {
    set ytics (agent[1] 1) scale 0
    set for [i=2:agents] ytics add (agent[i] i)
}
set label 20 'agent'.(agents <= 32 ? '' : ' by rank') at screen 11.0/width,graph 0.5 center rotate
set label 21 'share of images; 0 = the same however asked' at graph 0.5,screen (foot+10.0)/height center
set object 1 rectangle from screen 62.0/width,1-(head+17.0)/height to screen 76.0/width,1-(head+9.0)/height fillcolor rgb colour[1] fillstyle solid noborder
set label 30 'other first choice' at screen 82.0/width,1-(head+13.0)/height left textcolor '#333333'
set object 2 rectangle from screen 212.0/width,1-(head+17.0)/height to screen 226.0/width,1-(head+9.0)/height fillcolor rgb colour[6] fillstyle solid noborder
set label 31 'divergence of answers / ln 2' at screen 232.0/width,1-(head+13.0)/height left textcolor '#333333'
unset key
plot name.'.tsv' using (0.5*column('greedy')):(column('rank')-0.19):(0.5*column('greedy')):(0.17) with boxxyerror fillcolor rgb colour[1] fillstyle solid noborder, \
     '' using (0.5*column('soft')):(column('rank')+0.19):(0.5*column('soft')):(0.17) with boxxyerror fillcolor rgb colour[6] fillstyle solid noborder
