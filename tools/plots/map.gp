# Agents as points, near where they act alike. The axes have no meaning; their scale is one.
set lmargin at screen 62.0/width
set rmargin at screen 1-20.0/width
set tmargin at screen 1-(head+10.0)/height
set bmargin at screen (foot+50.0)/height
set border 15
set grid xtics ytics linetype 1 linewidth 0.4 linecolor '#dddddd'
unset key
set label 20 'root of nats' at screen 11.0/width,graph 0.5 center rotate
set label 21 'root of nats' at graph 0.5,screen (foot+10.0)/height center
shade(k) = colour[1+k%6]
table = name.'.tsv'
plot for [k=0:agents-1] table using 4:5 every :::k::k with lines linewidth 0.6 linecolor rgb shade(k), \
     for [k=0:agents-1] table using 4:5 every :::k::k with points pointtype 7 pointsize 0.4*dot linecolor rgb shade(k), \
     for [k=0:agents-1] table using 4:5 every ::0:k:0:k with points pointtype 6 pointsize 1.2*dot linewidth 0.8 linecolor rgb shade(k), \
     for [k=0:agents-1] table using 4:5 every ::times-1:k:times-1:k with points pointtype 7 pointsize 1.2*dot linecolor rgb shade(k), \
     for [k=0:(agents <= 32 ? agents-1 : -1)] table using 4:5:(sprintf('%d', column(1))) every ::times-1:k:times-1:k with labels \
         left offset character 0.7,0.4 font small textcolor rgb shade(k)
