#!/usr/bin/env bash
# Promises: `agon plot` draws every picture that applies, says why another is left out, sums up runs of one
# condition, takes names from a file as names and not as commands, and refuses damaged files with their
# name and line.
set -uo pipefail
command -v gnuplot >/dev/null || {
    echo "skipped: gnuplot is missing (tools/setup --tests installs it)"
    exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
faults=0
fault() {
    echo "fault: $*"
    faults=$((faults + 1))
}

mkdir run
cat >run/metrics.jsonl <<'JSON'
{"generation":0,"steps":0,"agents":3,"diversity":{"J":0.0,"within":1.0,"vendi_1":1.0,"vendi_2":1.0},"payoff":{"matrix":[[0,0,0],[0,0,0],[0,0,0]]},"score":{"random":{"mean":0.5,"best":0.6}},"nash_conv":null,"nash_conv_why":"the tree is too large"}
{"generation":1,"steps":4096,"agents":3,"diversity":{"J":0.2,"within":0.5,"vendi_1":1.8,"vendi_2":1.5},"payoff":{"agents":[4,9,2],"matrix":[[0,0.5,-0.25],[-0.5,0,-1],[0.25,1,0]],"games":8},"rating":{"elo":[10,-300,290]},"score":{"random":{"mean":0.8,"best":0.9},"x'; system(\"touch pwned\") `touch pwned`":{"mean":0.1,"best":0.2}},"nash_conv":null,"nash_conv_why":"the tree is too large"}
JSON
said=$("$AGON" plot run) || fault "exit code $?: $said"
for name in diversity strength diversity_strength payoff ratings nash cycles spinning_top; do
    [ "$(head -c 8 run/plots/$name.png | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ] || fault "$name.png is no PNG"
    grep -q '</svg>' run/plots/$name.svg || fault "$name.svg is no SVG"
    [ "$(head -c 5 run/plots/$name.pdf)" = %PDF- ] || fault "$name.pdf is no PDF"
    # 8 cm wide (226.8 points), so that it goes into a column as it is.
    grep -aqE '/MediaBox \[ ?0 0 22[67](\.[0-9]+)? ' run/plots/$name.pdf || fault "$name.pdf is not 8 cm wide"
    head -1 run/plots/$name.tsv | grep -q '[a-z]' || fault "$name.tsv has no header"
    grep -qF "run/plots/$name.png" <<<"$said" || fault "the path of $name.png is not printed"
    (cd run/plots && rm $name.png && gnuplot $name.gp && [ -s $name.png ]) || fault "$name.gp cannot be run again"
done
grep -q 'NashConv: the tree is too large' <<<"$said" || fault "why NashConv is left out is not said: $said"
find . -name pwned | grep -q . && fault "a name in the file was run as a command"
# Agent 2 has the highest mean pay-off, agent 9 the lowest: order and signs of the heat map.
awk -F'\t' '$1 == 1 && $2 == 3 && $3 == 2 && $4 == 9 && $5 == 1 {found = 1} END {exit !found}' run/plots/payoff.tsv ||
    fault "the pay-off of the strongest against the weakest is not where it belongs"

# The shares of the equilibrium add up to 1; agent 2 beats both others, so it is all of the last one.
awk -F'\t' 'NR > 1 {sum = 0; for (i = 3; i <= NF; i++) sum += $i; if (sum < 0.999999 || sum > 1.000001) exit 1}
    NR == 1 {for (i = 1; i <= NF; i++) if ($i == "agent_2") c = i} END {exit !($c > 0.999999)}' run/plots/nash.tsv ||
    fault "shares of the equilibrium: $(tail -1 run/plots/nash.tsv)"

# What needs more than metrics.jsonl is left out with a reason.
for name in map errors symmetry; do
    grep -qE "left out .*$name: .+" <<<"$said" || fault "why '$name' is left out is not said"
    [ ! -e run/plots/$name.gp ] || fault "'$name' was left out, and its script is there"
done
"$AGON" plot --what list | grep -q '^  spinning_top ' || fault "--what list does not name spinning_top"
for word in payof payoff,x; do
    "$AGON" plot run --what "$word" >/dev/null 2>&1
    [ $? -eq 2 ] || fault "--what '$word' is not refused"
done
"$AGON" plot run --format gif >/dev/null 2>&1
[ $? -eq 2 ] || fault "--format gif is not refused"
"$AGON" plot run --what map >/dev/null 2>&1
[ $? -eq 1 ] || fault "--what map, which does not apply, does not exit 1"
"$AGON" plot run --what ratings --format svg -o some --quiet || fault "--what ratings"
[ "$(cd some && echo *)" = 'ratings.gp ratings.svg ratings.tsv' ] || fault "--what, --format: $(cd some && echo *)"

# Runs that differ in their seed are one condition; of an interval, the mean lies inside. Others are named by
# what they differ in.
for i in 1 2 3 4; do
    mkdir -p many/run$i
    sed "s/\"vendi_1\":1.8/\"vendi_1\":$((i + 1)).5/" run/metrics.jsonl >many/run$i/metrics.jsonl
    printf '[game]\nname = matrix\n[train]\nseed = %d\n[league]\nkind = %s\n' $i \
        "$([ $i = 4 ] && echo mirror || echo uniform)" >many/run$i/config.ini
done
said=$("$AGON" plot many/run1 many/run2 many/run3 -o seeds --format svg) || fault "three seeds: $said"
awk -F'\t' 'NR == 1 {for (i = 1; i <= NF; i++) at[$i] = i} NR == 3 {
    x = $at["vendi_1"]; low = $at["vendi_1.low"]; high = $at["vendi_1.high"]
    exit !($1 == "all runs" && $at["runs"] == 3 && x == 3.5 && low >= 2.5 && low < x && x < high && high <= 4.5)}
    END {if (NR < 3) exit 1}' seeds/diversity.tsv || fault "three seeds: $(cat seeds/diversity.tsv)"
[ ! -e seeds/payoff.gp ] || fault "a picture of one run was drawn of several without being asked for"
said=$("$AGON" plot many/run* -o conditions --format svg --what diversity,payoff) || fault "conditions: $said"
[ "$(cut -f1,2 conditions/diversity.tsv | sort -u | tr '\n\t' ';,')" = \
    'condition,runs;league.kind=mirror,1;league.kind=uniform,3;' ] || fault "conditions: $(cat conditions/diversity.tsv)"
grep -q 'league.kind=mirror' conditions/diversity.svg || fault "the legend does not name the condition"
[ -s conditions/payoff-run4.svg ] || fault "--what payoff of several runs: $(echo conditions/*)"
"$AGON" plot many/run1 many/run1/ -o twice >/dev/null 2>&1
[ $? -eq 1 ] || fault "a run named twice is not refused"

# Pictures from the database.
"$AGON" train tic_tac_toe train.generations=2 metrics.every=1 population.size=3 train.lanes=16 train.horizon=8 \
    train.minibatches=1 train.rollouts=1 metrics.probes=32 metrics.games=4 metrics.anchor_games=4 \
    metrics.final_games=4 run.dir=small --quiet >/dev/null || fault "a small run"
said=$("$AGON" plot small --format svg) || fault "a small run: $said"
for name in map symmetry; do
    grep -q '</svg>' small/plots/$name.svg || fault "$name of a small run: $said"
done
[ "$(grep -c . small/plots/map.tsv)" -eq 10 ] || fault "the map has other than 3 agents in 3 generations"
grep -q 'left out .*errors: .*not solved' <<<"$said" || fault "why errors are left out: $said"

# A pair that never met has no cell and no cycles; many agents are drawn by rank.
mkdir unmet large
echo '{"steps":1,"payoff":{"matrix":[[0,1,null],[-1,0,0.5],[null,-0.5,0]]}}' >unmet/metrics.jsonl
said=$("$AGON" plot unmet --format svg) || fault "a pair that never met: $said"
grep -q 'cycles: a pair of agents never met' <<<"$said" || fault "a pair that never met: $said"
awk 'BEGIN {n = 300; printf "{\"steps\":1,\"payoff\":{\"matrix\":["
    for (i = 0; i < n; i++) {
        printf "%s[", i ? "," : ""
        for (j = 0; j < n; j++) printf "%s%.6f", j ? "," : "", sin(i - j) / 2
        printf "]"
    }
    print "]}}"}' >large/metrics.jsonl
"$AGON" plot large --format png --quiet || fault "300 agents"
[ -s large/plots/payoff.png ] || fault "300 agents: no payoff.png"

# A single run that can be opened has bands over its probe states, around its numbers.
band=$(awk -F'\t' 'NR == 1 {for (i = 1; i <= NF; i++) at[$i] = i; next}
    $at["vendi_1.low"] <= $at["vendi_1"] + 1e-6 && $at["vendi_1"] <= $at["vendi_1.high"] + 1e-6 &&
    $at["J.low"] < $at["J.high"] {good++} END {print good + 0}' small/plots/diversity.tsv)
[ "$band" -ge 2 ] || fault "bands over states: $band generations of a real run have them"

# Diversity and strength, but never of one generation: no picture of one against the other.
mkdir apart
printf '%s\n' '{"steps":0,"diversity":{"vendi_1":1.5}}' '{"steps":9,"score":{"random":{"mean":0.8}}}' >apart/metrics.jsonl
said=$("$AGON" plot apart --format svg) || fault "never both: $said"
grep -q 'diversity_strength: it needs' <<<"$said" || fault "never both: $said"

# Standard errors of another shape than the matrix: ignored.
mkdir odd
echo '{"steps":1,"payoff":{"matrix":[[0,1],[-1,0]],"se":[[1,1],[1,1],[1,1],[1,1]]}}' >odd/metrics.jsonl
"$AGON" plot odd --png --quiet || fault "standard errors of another shape: exit code $?"

mkdir bad
refuse() { # text of the file, expected words
    printf '%s\n' "$1" >bad/metrics.jsonl
    said=$("$AGON" plot bad 2>&1 >/dev/null)
    [ $? -eq 1 ] || fault "not refused: ${1:0:60}"
    grep -qF "$2" <<<"$said" || fault "message without '$2': $said"
    [ ! -e bad/plots ] || fault "wrote plots of a damaged file"
}
refuse '{"steps":' 'metrics.jsonl:1: not a JSON object'
refuse '{"steps":1e999}' '"steps" is not a number'
refuse '{"steps":1,"payoff":{"matrix":[[0,1],[1]]}}' 'not 2 x 2 numbers'
refuse "$(head -c 100000 /dev/zero | tr '\0' '[')" 'not a JSON object'
refuse '' 'not a JSON object'
"$AGON" plot nothing >/dev/null 2>&1
[ $? -eq 1 ] || fault "a missing run is not refused"
said=$(env PATH=/nonexistent "$AGON" plot run 2>&1)
[ $? -eq 1 ] || fault "a missing gnuplot does not exit 1"
grep -q 'hint: apt-get install gnuplot' <<<"$said" || fault "no hint without gnuplot: $said"

echo "$faults faults"
[ "$faults" -eq 0 ]
