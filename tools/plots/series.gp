# Numbers over time: panels one above the other over one time axis.
unit = (max_steps >= 2e9 ? 1e9 : max_steps >= 2e6 ? 1e6 : max_steps >= 2e3 ? 1e3 : 1)
time = 'agent-steps per agent'.(unit == 1e9 ? ', billions' : unit == 1e6 ? ', millions' : unit == 1e3 ? ', thousands' : '')
# The time of a row of this condition; of another one: not drawn.
steps(condition) = (stringcolumn('condition') eq condition ? column('steps') / unit : NaN)
set lmargin at screen 68.0/width
set rmargin at screen 1-14.0/width
set xrange [0:max_steps/unit]
set style data linespoints
set format x ''
unset key
set multiplot
