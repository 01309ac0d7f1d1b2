# How all plots look. Draw again after a change:  gnuplot NAME.gp
# as SVG or PDF:                                  gnuplot -e "format='svg'" NAME.gp
# Lengths are in units of which the picture is 460 wide: 8 cm on paper, the column of a journal.
if (!exists("format")) format = 'png'
if (format eq 'svg') {
    set terminal svg size width,height font 'DejaVu Sans,13' linewidth 1.2 dashlength 0.8 background 'white' noenhanced
    letter = 13.0
    dot = 0.42
}
# The letters of the other two are a third larger than their number.
if (format eq 'pdf') {
    set terminal pdfcairo size 3.15,3.15*height/width font 'DejaVu Sans,4.95' fontscale 1 linewidth 0.6 dashlength 0.8 background 'white' noenhanced
    letter = 4.95
    dot = 0.36
}
if (format eq 'png') {
    set terminal pngcairo size 3*width,3*height font 'DejaVu Sans,30' linewidth 3.6 dashlength 0.6 pointscale 2.4 background 'white' noenhanced
    letter = 30.0
    dot = 0.75
}
set output name.'.'.format
set encoding utf8
set datafile separator tab
set datafile missing 'NaN'
set datafile columnheaders

# Okabe and Ito's colours: told apart by colour-blind readers too.
array colour[7] = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00', '#000000']
set border 3 linecolor '#555555'
set grid ytics linetype 1 linewidth 0.4 linecolor '#cccccc'
set tics nomirror out scale 0.5 textcolor '#333333'

large = sprintf(',%g', 1.2 * letter)
small = sprintf(',%g', 0.85 * letter)
tiny = sprintf(',%g', 0.72 * letter)
set label 1 title at screen 8.0/width,1-18.0/height left font large
set label 2 footer_1 at screen 8.0/width,22.0/height left font tiny textcolor '#777777'
set label 3 footer_2 at screen 8.0/width,9.0/height left font tiny textcolor '#777777'
if (note[1] ne '') {
    do for [i=1:|note|] {
        set label 3+i note[i] at screen 8.0/width,1-(24.0+14*i)/height left font small textcolor '#444444'
    }
}
