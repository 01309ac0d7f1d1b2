# Who beats whom: the pay-off of the row agent against the column agent, strongest first.
set lmargin at screen 62.0/width
set rmargin at screen 1-92.0/width
set tmargin at screen 1-(head+8.0)/height
set bmargin at screen (foot+50.0)/height
set xrange [0.5:agents+0.5]
set yrange [agents+0.5:0.5]
set cbrange [-most:most]
# Blue loses, white is even, orange wins.
set palette defined (-1 '#0072B2', -0.5 '#7fb8d8', 0 '#ffffff', 0.5 '#eaae7f', 1 '#D55E00')
set border 15
unset grid
if (agents <= 32) {
    if (agents > 12) { set xtics rotate by 90 right font small; set ytics font small }
    # The first replaces gnuplot's own numbers, which are no agents.
    set xtics (agent[1] 1)
    set ytics (agent[1] 1)
    set for [i=2:agents] xtics add (agent[i] i)
    set for [i=2:agents] ytics add (agent[i] i)
}
set label 21 'column agent'.(agents <= 32 ? '' : ' by rank') at graph 0.5,screen (foot+10.0)/height center
set label 20 'row agent'.(agents <= 32 ? '' : ' by rank').', strongest at the top' at screen 11.0/width,graph 0.5 center rotate
set label 22 "row's mean return, 1 = the most the game pays" at screen 1-9.0/width,graph 0.5 center rotate
set format cb '%.2g'
unset key
set object 1 rectangle from graph 0,0 to graph 1,1 fillcolor rgb '#dddddd' fillstyle solid noborder behind # never met
if (agents <= 200) {
    plot name.'.tsv' using 'column_rank':'row_rank':(0.5):(0.5):'payoff' with boxxyerror fillcolor palette fillstyle solid noborder
} else {
    plot name.'.tsv' using 'column_rank':'row_rank':(valid(5) ? column(5) : 0) with image
}
