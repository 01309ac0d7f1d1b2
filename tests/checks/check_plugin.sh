#!/usr/bin/env bash
# Promises, from an installation alone: new-game writes a game that compiles, with build-game and by
# pkg-config, with gcc and clang, into plug-ins of the same rules; a run trains on one, goes on after
# the file was moved or rebuilt, and not with other rules; the header is C11 and C++17; and whatever
# is wrong with a plug-in is an error that names it, exit code 1, never a dead engine.
set -uo pipefail
if [ "${SANITIZED:-0}" = 1 ]; then
    echo "skipped: sanitizers answer crashes themselves, and with other exit codes"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tmp"
export TMPDIR=$work/tmp # what is left behind there is ours
faults=0
fault() {
    echo "fault: $*"
    faults=$((faults + 1))
}
hint() { echo "not tried: $*"; }

cmake --install "$BUILD" --prefix "$work/first" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
mv "$work/first" "$work/prefix" # an installation may be moved
agon=$work/prefix/bin/agon
include=$work/prefix/include/agon
export PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig:$work/prefix/lib/$(uname -m)-linux-gnu/pkgconfig
mkdir "$work/game" && cd "$work/game" || exit 1
compilers=$(for c in gcc clang; do command -v $c >/dev/null && echo $c; done)
small="population.size=2 train.generations=2 train.rollouts=2 train.lanes=16 train.horizon=8
       net.hidden=16 metrics.every=1 metrics.games=4 metrics.anchor_games=4 metrics.final_games=4
       metrics.probes=16 metrics.bootstrap=10 machine.threads=1"

# ---- the header alone
printf '#include "agon_game.h"\nint main(void) { return 0; }\n' >header.c
for c in $compilers; do
    "$c" -std=c11 -Wall -Wextra -Werror -fsyntax-only -I"$include" header.c || fault "$c: not C11"
done
for c in g++ clang++; do
    command -v $c >/dev/null || { hint "$c is not there"; continue; }
    $c -x c++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only -I"$include" header.c ||
        fault "$c: the header is not C++17"
done

# ---- from nothing to plug-ins
"$agon" new-game first >/dev/null || fault "new-game: exit code $?"
grep -q my_game first.c && fault "new-game left the template's name in first.c"
cp first.c first.kept
"$agon" new-game first >/dev/null 2>&1 && fault "new-game did not refuse to overwrite"
cmp -s first.c first.kept || fault "new-game changed a file that was there"
for name in matrix 2048 a-b '' Upper; do
    "$agon" new-game "$name" >/dev/null 2>&1
    [ $? -eq 2 ] || fault "new-game '$name' does not exit 2"
done
fingerprint() { "$agon" games "$1" --json | sed -n 's/.*"fingerprint":[^0-9a-f]*\([0-9a-f]*\)".*/\1/p'; }
same() { # FILE.so: the rules of first.c
    [ -n "$rules" ] && [ "$(fingerprint "$1")" = "$rules" ] || fault "$1 has other rules than first.so"
}
"$agon" build-game first.c >said 2>&1 || fault "build-game: $(cat said)"
[ "$(grep -vc '^[^ ]*cc \|^$\|^next:\|^  agon' said)" -eq 0 ] || fault "the template compiles with warnings: $(cat said)"
rules=$(fingerprint ./first.so)
for c in $compilers; do
    CC=$c "$agon" build-game first.c -o "build-$c.so" -- -Werror >said 2>&1 || fault "$c: $(cat said)"
    same "./build-$c.so"
    command -v pkg-config >/dev/null || { hint "pkg-config is not there"; continue; }
    # shellcheck disable=SC2046
    $c -shared $(pkg-config --cflags agon) first.c -o "config-$c.so" || fault "$c with pkg-config"
    same "config-$c.so"
done
for flag in -ffast-math -Ofast -ffp-contract=fast -ffp-contract=on -ffp-model=precise -funsafe-math-optimizations -fsanitize=address; do
    "$agon" build-game first.c -o no.so -- $flag >said 2>&1
    [ $? -eq 2 ] && grep -q -e "$flag is refused" said || fault "$flag is not refused: $(cat said)"
done
[ -e no.so ] && fault "a plug-in was built with a refused flag"
echo 'int x = ;' >broken.c
"$agon" build-game broken.c >said 2>&1
[ $? -eq 1 ] && grep -q 'broken.c:1' said || fault "errors of the compiler do not come through: $(cat said)"

# ---- a run
# shellcheck disable=SC2086
"$agon" train './first.so(stones=6)' $small run.dir=run --quiet || fault "train: exit code $?"
kept=$(python3 -c 'import sqlite3
print(sqlite3.connect("run/run.db").execute("select value from meta where key = \"plugin\"").fetchone()[0])')
[ "$kept" = "$(sha256sum first.so | cut -c 1-64)" ] || fault "the run does not keep the hash of its plug-in: $kept"
# shellcheck disable=SC2086
for so in build-*.so; do
    "$agon" train "./$so(stones=6)" $small run.dir="run-$so" --quiet || fault "train $so"
    cmp -s run/metrics.jsonl "run-$so/metrics.jsonl" || fault "$so gives other metrics than first.so"
done
(cd / && "$agon" train --resume "$work/game/run" --quiet) || fault "resume from another directory"
mkdir moved && mv first.so moved/
"$agon" train --resume run >said 2>&1
[ $? -eq 1 ] && grep -q 'first.so: there is no such file' said && grep -q 'machine.plugin=PATH' said ||
    fault "a moved plug-in: $(cat said)"
"$agon" train --resume run machine.plugin=./moved/first.so --quiet 2>said || fault "resume after moving: $(cat said)"
"$agon" train --resume run --quiet || fault "the new place is not remembered"
if command -v gnuplot >/dev/null; then
    "$agon" plot run --png --quiet || fault "plot"
fi
"$agon" bench games --game ./moved/first.so --seconds 0.05 | grep -q '"game":"first"' || fault "bench"

# A comment is another file with the same rules; a stone more is another game.
sed 's|^/\* Optional: the position|/* Not needed: the position|' first.c >changed.c
"$agon" build-game changed.c -o moved/first.so -- -g >/dev/null 2>&1
"$agon" train --resume run >/dev/null 2>said || fault "resume with another file of the same rules: $(cat said)"
grep -q "note: plug-in .*first.so is another file .* with the same rules (fingerprint" said ||
    fault "no note about another file: $(cat said)"
sed 's|: s->heap == 2 ? 3 : 1|: 1|' first.c >changed.c
"$agon" build-game changed.c -o moved/first.so >/dev/null 2>&1
"$agon" train --resume run >/dev/null 2>said
[ $? -eq 1 ] && grep -q "other rules of first(stones=6): fingerprint [0-9a-f]\{16\}, now [0-9a-f]\{16\} by plug-in .*first.so" said ||
    fault "other rules: $(cat said)"

# ---- whatever can be wrong with a plug-in
refuse() { # FILE.so, words of the message...
    local file=$1 code word
    shift
    "$agon" train "$file" run.dir=never >/dev/null 2>said
    code=$?
    [ $code -eq 1 ] || fault "$file: exit code $code"
    grep -q '^agon: ' said || fault "$file: no message"
    for word in "$(basename "${file%%(*}")" "$@"; do
        grep -qF -e "$word" said || fault "$file: '$word' is not in: $(cat said)"
    done
    [ -e never ] && fault "$file: a run was begun"
}
change() { # NAME, sed's script: first.c changed, as a plug-in
    sed "$2" first.c >"$1.c"
    cmp -s first.c "$1.c" && fault "$1: nothing was changed"
    cc -std=gnu11 -O1 -shared -fPIC -DAGON_PLUGIN -I"${3:-$include}" "$1.c" -o "$1.so" || fault "$1 does not compile"
}
refuse ./none.so 'there is no such file' 'agon build-game FILE.c'
refuse ./first.c 'expected a shared object' 'agon build-game ./first.c'
cp first.kept text.so && refuse text.so 'a file of another kind'
mkdir dir.so && "$agon" train dir.so >/dev/null 2>&1 && fault "a directory is taken for a game"
for cut in 3 40 2000 8000; do
    head -c $cut build-gcc.so >cut.so 2>/dev/null && refuse ./cut.so 'expected a shared object'
done
cc -c -fPIC -DAGON_PLUGIN -I"$include" first.c -o object.so && refuse ./object.so 'was not linked'
cc -shared -fPIC -I"$include" first.c -o bare.so && refuse ./bare.so 'no function agon_plugin' '-DAGON_PLUGIN'
mkdir abi newer
sed 's/^#define AGON_ABI  *1 /#define AGON_ABI 2 /' "$include/agon_game.h" >abi/agon_game.h
sed 's/^} agon_game;/int (*later)(void); &/' "$include/agon_game.h" >newer/agon_game.h
change abi '$a /**/' abi
refuse ./abi.so 'has game ABI 2, expected 1' 'build it again with this agon'
change newer '$a /**/' newer
refuse ./newer.so 'built for a newer agon' 'struct_size'
change taken 's/first/matrix/g'
refuse ./taken.so 'called matrix, as a built-in is'
change seats 's/spec->seats = 2;/spec->seats = 99;/'
refuse ./seats.so 'seats is 99, expected 1 to 32'
change plane 's/plane_names\[0\] = "stones"/plane_names[0] = NULL/'
refuse ./plane.so 'name of plane 0'
change silent 's/return params->error\[0\] ? -1 : 0/return -1/'
refuse ./silent.so 'configure failed without a message'
change crash 's/spec->seats = 2;/*(volatile int*)spec->plane_names[0] = 2;/'
refuse ./crash.so 'crashed in its configure function: signal 11' '--debug'
change leave 's/spec->seats = 2;/exit(0);/'
refuse ./leave.so 'ended the process in its configure function, with exit code 0'
change early '$a __attribute__((constructor)) static void early(void) { abort(); }'
refuse ./early.so 'crashed while it was loaded: signal 6'
if [ "$(uname -m)" = x86_64 ]; then # what old versions of gcc link with -ffast-math
    change fast '$a __attribute__((constructor)) static void fast(void) { __builtin_ia32_ldmxcsr(0x9fc0); }'
    refuse ./fast.so 'changes how the processor rounds'
fi
change undefined 's/^#include .*/&\nint nowhere_at_all(void);/;s/spec->seats = 2;/spec->seats = nowhere_at_all();/'
refuse ./undefined.so 'undefined symbol: nowhere_at_all'
change play 's/const int seat = s->turn/if (s->heap < 3) abort(); &/'
refuse ./play.so 'crashed while it was played: signal 6'
"$agon" games ./play.so >/dev/null 2>&1
[ $? -eq 1 ] || fault "a game that crashes in play ends agon games"
refuse './build-gcc.so(stones=3)' 'stones=3: expected an integer from 4 to 200'
refuse './build-gcc.so(stone=9)' "no parameter 'stone'"

# ---- the checker
asks() { # expected exit code, GAME, words of the answer...
    local code=$1 game=$2 word
    shift 2
    "$agon" check "$game" --seconds 1 >said 2>&1
    [ $? -eq "$code" ] || fault "agon check $game does not exit $code: $(cat said)"
    for word; do
        grep -qE -e "$word" said || fault "agon check $game: '$word' is not in: $(cat said)"
    done
}
asks 0 './build-gcc.so(stones=9)' 'no rule is broken' 'passed +mask' 'passed +process' '[0-9.]+ M steps/s'
"$agon" check ./build-gcc.so --seconds 0.5 --json | python3 -c 'import json, sys
report = json.load(sys.stdin)
assert report["passed"] and report["longest"] <= report["max_plies"] == 21 and report["positions"] > 100
assert {r["rule"]: r["status"] for r in report["rules"]}["imports"] == "passed"' || fault "agon check --json"
asks 1 ./play.so 'FAILED +crash' 'crashes in apply: signal 6' 'after 8 plies, no line is shorter: take1 take3'
"$agon" check ./play.so --only crash --replay 0.2.2.2.2.2.2.0 >said 2>&1
[ $? -eq 1 ] && grep -q 'crashes in apply: signal 6' said || fault "the crash is not shown again: $(cat said)"
change bound 's/spec->max_plies = c->stones/spec->max_plies = c->stones - 1/'
asks 1 './bound.so(stones=5)' 'FAILED +plies' 'asked for ply 5, but the facts say max_plies = 4' \
    'after 4 plies, no line is shorter: take1 take1 take1 take1' \
    "again: agon check './bound.so\(stones=5\)' --only plies --replay 0.0.0.0" \
    "sanitizers: agon build-game ./bound.c --debug && ./bound-check --only plies --replay 0.0.0.0 'first\(stones=5\)'"
"$agon" check './bound.so(stones=5)' --only plies --replay 0.0.0.0 >said 2>&1
[ $? -eq 1 ] && grep -q '1 rule is broken' said || fault "the line does not show it again: $(cat said)"
change sine 's/^#include .*/#include <math.h>\n&/;s/^ *memset(s, 0, sizeof \*s);/&\n    s->unused[0] = sin((double)((const first_config*)config)->stones) > 0.9;/;s/spec->seats = 2;/& c->stones += rand() \& 0;/'
asks 0 ./sine.so 'warning +imports' 'other results on other machines: sin' 'not a function of the state: rand'
change host 's/const my_game_position\* s = (const my_game_position\*)state;/const my_game_position* s = state;/;s/const first_position\* s = (const first_position\*)state;/const first_position* s = state;/'
change kept 's/^#include .*/&\nstatic int plies = 3, kept;/;s/spec->seats = 2;/& kept = 1 + kept % 7 + plies++ % 2;/'
"$agon" check ./kept.so --seconds 0.3 >said 2>&1
grep -q 'variables that outlive a call: kept plies' said || fault "variables of a plug-in: $(cat said)"
change spare 's/const int seat = s->turn,/int spare = 3;\n    &/'
asks 0 ./spare.so 'passed +device|- +device'
command -v c++ >/dev/null && asks 1 ./host.so 'FAILED +device' 'so no device code|not device code'

# ---- the checker as a program
"$agon" build-game first.c --debug >said 2>&1 || fault "build-game --debug: $(cat said)"
./first-check --seconds 2 >said 2>&1 || fault "./first-check: exit code $?: $(cat said)"
sed 's/spec->return_max = 1;/spec->return_max = 0;/' first.c >wrong.c
"$agon" build-game wrong.c --debug >/dev/null 2>&1
./wrong-check --seconds 2 >said 2>&1
[ $? -eq 1 ] && grep -q 'again: ./wrong-check --only rewards --replay' said || fault "./wrong-check: $(cat said)"
compgen -G "$TMPDIR/*" >/dev/null && fault "left behind: $(ls "$TMPDIR")"

# ---- "Your first game", as it is written
sed -n '/^## Your first game/,/^## Bringing/s/^\$ //p' "$SOURCE/games/README.md" |
    sed 's/train.generations=20/train.generations=1/' >follow.sh
command -v gnuplot >/dev/null || sed -i '/^agon plot/d' follow.sh
[ "$(wc -l <follow.sh)" -ge 10 ] || fault "games/README.md: the commands of 'Your first game' were not found"
mkdir follow
(cd follow && PATH=$work/prefix/bin:$PATH bash -e ../follow.sh) >said 2>&1 ||
    fault "'Your first game' of games/README.md: $(tail -n 5 said)"
grep -q 'reward\[seat\] -= 1;' follow/my_game.c && grep -q 'AGON_GAME_HEAD(my_game, 2,' follow/my_game.c ||
    fault "the edits of 'Your first game' change nothing"

echo "$faults faults"
[ "$faults" -eq 0 ]
