#!/usr/bin/env bash
# Every game has a playthrough in git, and plays it to the letter. After a change of rules, texts or
# observations that is meant, look at the difference, then write the file anew by hand:
#   build/tests/playthrough GAME > tests/data/playthroughs/GAME.txt
set -uo pipefail
kept=$SOURCE/tests/data/playthroughs
faults=0
games=$("$AGON" games --json | python3 -c 'import json, sys; print(*[g["name"] for g in json.load(sys.stdin)])')
[ -n "$games" ] || { echo "no games"; exit 1; }
for game in $games; do
    if [ ! -e "$kept/$game.txt" ]; then
        echo "fault: no playthrough $kept/$game.txt"
        faults=$((faults + 1))
    elif ! "$BUILD/tests/playthrough" "$game" | diff -u "$kept/$game.txt" - | head -40; then
        echo "fault: $game plays another game than $kept/$game.txt"
        faults=$((faults + 1))
    fi
done
for file in "$kept"/*.txt; do
    name=$(basename "$file" .txt)
    [[ " $games " == *" $name "* ]] || { echo "fault: $file is of no game"; faults=$((faults + 1)); }
done
echo "$(wc -w <<<"$games") games, $faults faults"
[ "$faults" -eq 0 ]
