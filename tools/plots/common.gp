# How all plots look. Draw again after a change:  gnuplot NAME.gp
# as SVG:                                         gnuplot -e "format='svg'" NAME.gp
if (!exists("format")) format = 'png'
size = (format eq 'svg' ? 13 : 21)
if (format eq 'svg') {
    set terminal svg size 800,height font 'DejaVu Sans,13' linewidth 1.4 background 'white' noenhanced
} else {
    set terminal pngcairo size 1600,2*height font 'DejaVu Sans,21' linewidth 2.6 background 'white' noenhanced
}
set output name.'.'.format
set datafile separator tab
set datafile missing 'NaN'
set datafile columnheaders

# Okabe and Ito's colours: told apart by colour-blind readers too.
array colour[7] = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00', '#000000']
set border 3 linecolor '#555555'
set grid ytics linetype 1 linewidth 0.4 linecolor '#cccccc'
set tics nomirror out textcolor '#333333'
marks = points > 40 ? 0 : 0.5

large = sprintf(',%g', 1.25 * size)
small = sprintf(',%g', 0.72 * size)
set label 1 title at screen 0.015,1-20.0/height left font large
set label 2 footer at screen 0.015,12.0/height left font small textcolor '#777777'
