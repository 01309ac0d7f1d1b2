# Planes of the cyclic part of the pay-offs, side by side; colour: mean pay-off.
side = (planes == 1 ? 340.0 : 212.0)
space = (width - planes * side) / (planes + 1)
set border 15
unset key
unset xtics
unset ytics
unset grid
set palette defined (0 '#00204d', 0.25 '#414d6b', 0.5 '#7c7b78', 0.75 '#bcaf6f', 1 '#ffea46')
set xrange [-reach:reach]
set yrange [-reach:reach]
set colorbox horizontal user origin screen 120.0/width,(foot+26.0)/height size screen (width-240.0)/width,10.0/height
set cbrange [-strongest:strongest]
set cbtics (sprintf('%+.2g', -strongest) -strongest, '0' 0, sprintf('%+.2g', strongest) strongest) font small offset 0,0.4
set label 21 'mean pay-off' at screen 112.0/width,(foot+31.0)/height right
set label 23 'coordinates: root of pay-off, one scale' at screen 0.5,1-(head+26.0+side+12.0)/height center font small textcolor '#444444'
set arrow 1 from 0,-reach to 0,reach nohead linecolor '#cccccc' linewidth 0.5 back
set arrow 2 from -reach,0 to reach,0 nohead linecolor '#cccccc' linewidth 0.5 back
set multiplot
do for [k=1:planes] {
    left = k * space + (k-1) * side
    set lmargin at screen left/width
    set rmargin at screen (left+side)/width
    set tmargin at screen 1-(head+26.0)/height
    set bmargin at screen 1-(head+26.0+side)/height
    set label 22 'Plane '.k.': '.share[k].' of the cyclic part' at screen left/width,1-(head+14.0)/height left
    plot name.'.tsv' using (column(1) == k ? column(4) : NaN):5:3 with points palette pointtype 7 pointsize 1.7*dot, \
         '' using (column(1) == k ? column(4) : NaN):5 with points pointtype 6 pointsize 1.8*dot linewidth 0.4 linecolor '#333333', \
         '' using (column(1) == k && agents <= 32 ? column(4) : NaN):5:(sprintf('%d', column(2))) with labels \
            left offset character 0.7,0.4 font small textcolor '#333333'
    unset colorbox
    unset label
}
unset multiplot
