# Who beats whom: the pay-off of the row agent against the column agent, strongest first.
set label 4 subtitle at screen 0.015,1-46.0/height left textcolor '#333333'
set label 5 measures at screen 0.015,1-66.0/height left textcolor '#333333'
set lmargin at screen 0.115
set rmargin at screen 0.815
set bmargin at screen 1.0*foot/height
set tmargin at screen 1-1.0*head/height
set xrange [0.5:agents+0.5]
set yrange [agents+0.5:0.5]
set cbrange [-most:most]
# Blue loses, white is even, orange wins.
set palette defined (-1 '#0072B2', -0.5 '#7fb8d8', 0 '#ffffff', 0.5 '#eaae7f', 1 '#D55E00')
set border 15
unset grid
if (agents <= 32) {
    if (agents > 16) { set xtics rotate by 90 right }
    # The first replaces gnuplot's own numbers, which are no agents.
    set xtics (word(names, 1) 1)
    set ytics (word(names, 1) 1)
    set for [i=2:agents] xtics add (word(names, i) i)
    set for [i=2:agents] ytics add (word(names, i) i)
}
set xlabel xname
set ylabel yname
set cblabel "row agent's mean return, 1 = the most the game pays"
set format cb '%.2g'
unset key
plot 'payoff.tsv' using 'column_rank':'row_rank':'payoff' with image
