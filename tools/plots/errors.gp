# Agreement of the mistakes of each two agents; those with the fewest first.
set lmargin at screen 62.0/width
set rmargin at screen 1-92.0/width
set tmargin at screen 1-(head+8.0)/height
set bmargin at screen (foot+50.0)/height
set xrange [0.5:agents+0.5]
set yrange [agents+0.5:0.5]
set cbrange [-1:1]
# Blue: fewer than by chance, white: as by chance, orange: the same mistakes.
set palette defined (-1 '#0072B2', -0.5 '#7fb8d8', 0 '#ffffff', 0.5 '#eaae7f', 1 '#D55E00')
set border 15
unset grid
if (agents <= 32) {
    if (agents > 12) { set xtics rotate by 90 right font small; set ytics font small }
    set xtics (agent[1] 1)
    set ytics (agent[1] 1)
    set for [i=2:agents] xtics add (agent[i] i)
    set for [i=2:agents] ytics add (agent[i] i)
}
set label 21 'agent'.(agents <= 32 ? '' : ' by rank') at graph 0.5,screen (foot+10.0)/height center
set label 20 'agent'.(agents <= 32 ? '' : ' by rank').', fewest mistakes at the top' at screen 11.0/width,graph 0.5 center rotate
set label 22 'agreement of mistakes, CAPA' at screen 1-9.0/width,graph 0.5 center rotate
set format cb '%.2g'
unset key
# Grey: an agent beside itself, or no mistakes to compare.
set object 1 rectangle from graph 0,0 to graph 1,1 fillcolor rgb '#dddddd' fillstyle solid noborder behind
plot name.'.tsv' using 'column_rank':'row_rank':(0.5):(0.5):'capa' with boxxyerror fillcolor palette fillstyle solid noborder
