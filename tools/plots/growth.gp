# Decisions per second over nets, lanes, width or threads. Full: measured; dashed, in its colour: the
# grouped forward alone; grey: what the FMA peak would allow, were no zeros left out.
legend = 40.0
set lmargin at screen 58.0/width
set rmargin at screen 1-16.0/width
set tmargin at screen 1-(head+legend+10.0)/height
set bmargin at screen (foot+50.0)/height
set grid xtics ytics linetype 1 linewidth 0.4 linecolor '#cccccc'
set logscale x 2
set offsets graph 0.03, graph 0.03, 0, 0
if (cores == 0) { set xtics 1,(curves > 1 ? 4 : 2) }
if (steep) { set logscale y; set format y '%g' } else { set yrange [0:*] }
set label 21 axis at graph 0.5,screen (foot+10.0)/height center
set label 20 'million decisions / s' at screen 11.0/width,graph 0.5 center rotate
# Weights of so many nets fill a cache.
if (cache_2 > 0) {
    set arrow 1 from cache_2, graph 0 to cache_2, graph 1 nohead linecolor '#777777' linewidth 0.6 back
    set label 22 'L2' at cache_2, graph 0.95 offset 0.4,0 left font small textcolor '#555555'
}
if (cache_3 > 0) {
    set arrow 2 from cache_3, graph 0 to cache_3, graph 1 nohead linecolor '#777777' linewidth 0.6 back
    set label 23 'L3' at cache_3, graph 0.95 offset 0.4,0 left font small textcolor '#555555'
}
set key at screen 8.0/width,1-(head+2.0)/height left top vertical Left reverse samplen 1.6 maxrows 2 textcolor '#333333'
table = name.'.tsv'
at(c) = (column('curve') == c ? column('x') : NaN)
million(k) = 1e-6 * column(k)
if (cores) {
    plot table using 'x':(million('rate')):(million('low')):(million('high')) with yerrorlines linewidth 1.2 \
             pointtype 7 pointsize dot linecolor rgb colour[1] title curve[1], \
         table using 'x':(million('peak')) with lines linewidth 1.0 linecolor rgb '#777777' \
             title 'FMA peak of the cores in use, dense FLOP'
} else {
    plot for [c=1:curves] table using (at(c)):(million('rate')):(million('low')):(million('high')) with yerrorlines \
             linewidth 1.2 pointtype 7 pointsize dot linecolor rgb colour[c] title curve[c], \
         for [c=1:curves] table using (at(c)):(million('forward')) with lines linewidth 1.0 dashtype 2 \
             linecolor rgb colour[c] notitle, \
         table using (at(1)):(million('peak')) with lines linewidth 1.0 linecolor rgb '#777777' \
             title 'FMA peak, dense FLOP', \
         NaN with lines linewidth 1.0 dashtype 2 linecolor rgb '#555555' title 'forward alone'
}
