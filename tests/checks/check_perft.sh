#!/usr/bin/env bash
# Promise: `agon perft` gives the counts that others have published, in the mode that each of them
# counts in: lines, lines and early ends, positions, or the nodes of a whole tree.
set -uo pipefail
faults=0
expect() { # what is expected, then the words of agon perft
    local wanted=$1 got
    shift
    got=$("$AGON" perft "$@" --json | sed -n 's/.*"\(count\|chance\|decisions\|ends\)":[^0-9]*\([0-9]*\).*/\2/p' | xargs)
    if [ "$got" = "$wanted" ]; then
        echo "ok: agon perft $*"
    else
        echo "fault: agon perft $*: $got, expected $wanted"
        faults=$((faults + 1))
    fi
}
deep=${SANITIZED:-0} # the deepest counts take minutes under sanitizers
depth() { [ "$deep" = 1 ] && echo $(($1 - 2)) || echo "$1"; }
first() { echo "$2" | cut -d' ' -f "1-$(depth "$1")"; }

# aartbik.com: passes are plies, and games that ended before count.
othello="4 12 56 244 1396 8200 55092 390216 3005288 24571284 212258800"
expect "$(first 11 "$othello")" othello "$(depth 11)" --mode ends
connect_four="7 49 343 2401 16807 117649 823536 5673234 39394572 268031646"
expect "$(first 10 "$connect_four")" connect_four "$(depth 10)"
expect "22 484 11132 256036 6182818" breakthrough 5
expect "9 72 504 3024 15120 54720 148176 200448 127872" tic_tac_toe 9
[ "$("$AGON" perft tic_tac_toe 9 --mode ends | awk 'END { print $2 }')" = 255168 ] ||
    { echo "fault: tic_tac_toe has 255168 games"; faults=$((faults + 1)); }
[ "$("$AGON" perft tic_tac_toe 9 --mode positions | awk 'NR > 1 { n += $2 } END { print n + 1 }')" = 5478 ] ||
    { echo "fault: tic_tac_toe has 5478 positions"; faults=$((faults + 1)); }
expect "7 49 238 1120 4263 16422 54859" connect_four 7 --mode positions # OEIS A212693
# Chance nodes, decisions, ends of whole trees, as OpenSpiel counts them.
expect "4 24 30" kuhn_poker --mode tree
expect "17 288 312" 'kuhn_poker(players=3)' --mode tree
expect "157 3780 5520" leduc_poker --mode tree
expect "7 147456 147420" liars_dice --mode tree
# 501 decisions in turns: two seats at once are one decision here, three nodes there.
expect "0 161 576" 'goofspiel(cards=4,imp_info=true,points_order=descending)' --mode tree

all=$("$AGON" perft othello 4 --divide | awk '$1 == "all" { print $2 }')
sum=$("$AGON" perft othello 4 --divide | awk '$1 != "all" { n += $2 } END { print n }')
[ "$all" = 244 ] && [ "$sum" = 244 ] || { echo "fault: --divide: $sum, all $all"; faults=$((faults + 1)); }
echo "$faults faults"
[ "$faults" -eq 0 ]
