#!/usr/bin/env bash
# Promises: `agon plot` draws every panel that applies, says why another is left out, takes names from a
# file as names and not as commands, and refuses damaged files with their name and line.
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
for name in diversity strength payoff; do
    [ "$(head -c 8 run/plots/$name.png | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ] || fault "$name.png is no PNG"
    grep -q '</svg>' run/plots/$name.svg || fault "$name.svg is no SVG"
    grep -qF "run/plots/$name.png" <<<"$said" || fault "the path of $name.png is not printed"
    (cd run/plots && rm $name.png && gnuplot $name.gp && [ -s $name.png ]) || fault "$name.gp cannot be run again"
done
grep -q 'NashConv: the tree is too large' <<<"$said" || fault "why NashConv is left out is not said: $said"
find . -name pwned | grep -q . && fault "a name in the file was run as a command"
# Agent 2 has the highest mean pay-off, agent 9 the lowest: order and signs of the heat map.
awk -F'\t' '$1 == 1 && $2 == 3 && $3 == 2 && $4 == 9 && $5 == 1 {found = 1} END {exit !found}' run/plots/payoff.tsv ||
    fault "the pay-off of the strongest against the weakest is not where it belongs"

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
