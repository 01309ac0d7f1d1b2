# One bar for each Nash cluster, the best at the top, as wide as it has agents.
set lmargin at screen 92.0/width
set rmargin at screen 1-20.0/width
set tmargin at screen 1-(head+10.0)/height
set bmargin at screen (foot+32.0)/height
unset key
unset grid
unset xtics
set border 2
half = 0.5*(widest < 5 ? 5 : widest)
set xrange [-half:half]
set yrange [levels+0.6:0.4]
# Levels are equally far apart; the numbers at the axis say how strong they are.
every_level = (levels <= 30 ? 1 : ceil(levels/30.0))
set ytics (sprintf('%+.2f', strength[1]) 1) scale 0
do for [k=1:levels] {
    if ((k-1) % every_level == 0) { set ytics add (sprintf('%+.2f', strength[k]) k) }
    set object k rectangle from -0.5*size[k],k-0.36 to 0.5*size[k],k+0.36 fillcolor rgb colour[1] fillstyle solid 0.25 noborder behind
}
set label 20 'mean pay-off' at screen 11.0/width,graph 0.5 center rotate
set label 21 'agents of a layer, side by side' at graph 0.5,screen (foot+14.0)/height center
plot name.'.tsv' using 'place':'level' with points pointtype 7 pointsize (widest <= 40 ? dot : 0.4*dot) linecolor rgb colour[1], \
     '' using (widest <= 24 ? column('place') : NaN):'level':(sprintf('%d', column('agent'))) with labels \
        left offset character 0.6,0 font small textcolor '#333333'
