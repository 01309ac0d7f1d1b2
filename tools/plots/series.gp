# Panels one above the other over the same time axis; heights in pixels of an 800 pixel wide picture.
unit = (max_steps >= 2e9 ? 1e9 : max_steps >= 2e6 ? 1e6 : max_steps >= 2e3 ? 1e3 : 1)
time = 'agent-steps per agent'.(unit == 1e9 ? ', billions' : unit == 1e6 ? ', millions' : unit == 1e3 ? ', thousands' : '')
set xrange [0:max_steps/unit]
set style data linespoints
tall = 1.0 * (height - head - foot - (panels-1)*gap) / panels
set multiplot layout panels,1 margins screen 0.115,0.975,1.0*foot/height,1-1.0*head/height spacing screen 1.0*gap/height
set key at graph 0,1+13.0/tall left center horizontal Left reverse samplen 1.6 maxrows 1 textcolor '#333333'
heading = 1 + 34.0/tall
panel = 0
