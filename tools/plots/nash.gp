# Shares of the equilibrium, one on the other; what the named agents do not hold, the others do.
set rmargin at screen 1-92.0/width
set tmargin at screen 1-(head+10.0)/height
set bmargin at screen (foot+50.0)/height
set yrange [0:1]
set label 20 'share of the equilibrium' at screen 11.0/width,graph 0.5 center rotate
set label 21 time at graph 0.5,screen (foot+10.0)/height center
set format x '%g'
# The legend takes a fifth of the width: at most five intervals, so that numbers keep apart.
raw = max_steps/unit/5
power = 10**floor(log10(raw))
every = (raw <= power ? power : raw <= 2*power ? 2*power : raw <= 5*power ? 5*power : 10*power)
set xtics every
# The legend, from the top down as the shares lie.
row(k) = 1-(head+18.0+17*(shares-k+others))/height
do for [k=1:shares] {
    set object k rectangle from screen 1-84.0/width,row(k)-5.0/height to screen 1-70.0/width,row(k)+5.0/height \
        fillcolor rgb colour[1+(k-1)%6] fillstyle solid 0.85 noborder
    set label 30+k share_name[k] at screen 1-64.0/width,row(k) left textcolor '#333333'
}
if (others) {
    set object 20 rectangle from screen 1-84.0/width,row(shares+1)-5.0/height to screen 1-70.0/width,row(shares+1)+5.0/height \
        fillcolor rgb '#bbbbbb' fillstyle solid 0.85 noborder
    set label 30 'others' at screen 1-64.0/width,row(shares+1) left textcolor '#333333'
}
below(k) = (sum [i=1:k] column(2 + i))
plot for [k=1:shares] name.'.tsv' using (column(2)/unit):(below(k-1)):(below(k)) with filledcurves \
         linecolor rgb colour[1+(k-1)%6] fillstyle solid 0.85 border rgb 'white' notitle, \
     for [k=1:others] '' using (column(2)/unit):(below(shares)):(1) with filledcurves \
         linecolor rgb '#bbbbbb' fillstyle solid 0.85 border rgb 'white' notitle
unset multiplot
