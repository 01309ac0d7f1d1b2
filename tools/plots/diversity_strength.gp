# One path for each condition, from the first generation to the last.
set lmargin at screen 78.0/width
set rmargin at screen 1-22.0/width
set tmargin at screen 1-(head+legend+14.0)/height
set bmargin at screen (foot+50.0)/height
set grid xtics ytics linetype 1 linewidth 0.4 linecolor '#cccccc'
set label 21 strength at graph 0.5,screen (foot+10.0)/height center
set label 20 'effective number of agents, Vendi score' at screen 11.0/width,graph 0.5 center rotate
set offsets graph 0.04, graph 0.04, graph 0.06, 0
set yrange [1:*]
if (backwards) { set xrange [*:*] reverse }
set key at screen 8.0/width,1-(head+2.0)/height left top vertical Left reverse samplen 1.6 maxcols 1 textcolor '#333333'
if (!legend) { unset key }
table = name.'.tsv'
# Columns: condition, run, generation, strength with its interval, diversity with its interval.
of(c) = (stringcolumn(1) eq condition[c] && stringcolumn(2) eq 'all')
size(c) = dot * (0.5 + 0.7 * (last[c] > 0 ? column(3) / last[c] : 1))
# Colour of a run: its condition's, pale.
pale(r) = '#90'.substr(colour[run_colour[r]], 2, 7)
dash(c) = (c > 7 ? 2 : 1)
shade(c) = colour[1+(c-1)%7]
if (bands) {
    plot for [r=1:|run|] table using (stringcolumn(2) eq run[r] ? column(4) : NaN):7 with lines \
             linewidth 0.5 linecolor rgb pale(r) notitle, \
         for [c=1:|condition|] table using (of(c) ? column(4) : NaN):7 with lines linewidth 1.2 \
             linecolor rgb shade(c) dashtype dash(c) title legends[c], \
         for [c=1:|condition|] table using (of(c) ? column(4) : NaN):7:(size(c)) with points \
             pointtype 7 pointsize variable linecolor rgb shade(c) notitle, \
         for [c=1:|condition|] table using (of(c) && column(3) == last[c] && valid(5) ? column(4) : NaN):7:5:6:8:9 \
             with xyerrorbars pointtype 7 pointsize 0 linewidth 0.8 linecolor rgb shade(c) notitle
} else {
    plot for [c=1:|condition|] table using (of(c) ? column(4) : NaN):7 with lines linewidth 1.2 \
             linecolor rgb shade(c) dashtype dash(c) title legends[c], \
         for [c=1:|condition|] table using (of(c) ? column(4) : NaN):7:(size(c)) with points \
             pointtype 7 pointsize variable linecolor rgb shade(c) notitle
}
