#!/usr/bin/env bash
# Promises: `agon probes` makes the same bytes from the same words, shows what it made, and overwrites
# nothing; a run takes its probe set from a file once, is another run with another file, goes on without
# the file, and refuses one that is not the file its settings were made with.
set -uo pipefail
. "$SOURCE/tests/tiny.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
faults=0
fault() {
    echo "fault: $*"
    faults=$((faults + 1))
}
refuse() { # exit code, words expected in the message, then the command
    local code=$1 words=$2 said
    shift 2
    said=$("$@" 2>&1 >/dev/null)
    [ $? -eq "$code" ] || fault "exit code is not $code: $*"
    grep -qF -- "$words" <<<"$said" || fault "message without '$words': $said"
}
meta() { # RUN KEY
    python3 -c 'import sqlite3, sys
print(sqlite3.connect(f"file:{sys.argv[1]}/run.db?mode=ro", uri=True).execute(
    "select value from meta where key = ?", (sys.argv[2],)).fetchone()[0])' "$1" "$2"
}
sha() { sha256sum "$1" | cut -d ' ' -f 1; }

# ---- making ----
game='connect_four(rows=4,cols=4)'
tiny "$game" a train.seed=1 && tiny "$game" b train.seed=2 && tiny "$game" plain || fault "cannot train"
make=("$AGON" probes make "$game" --states 60 --limit 2000)
said=$("${make[@]}" --from a b -o pool.safetensors) || fault "make: exit code $?"
for set in U B X; do grep -q "^$set  *[0-9]" <<<"$said" || fault "no line for set $set: $said"; done
grep -qF "$(sha pool.safetensors)" <<<"$said" || fault "the hash is not that of the file: $said"
grep -q '^B  *60 .*2 runs x early, middle, late: 10 each' <<<"$said" || fault "set B is not balanced: $said"
"${make[@]}" --from b --from a -o again.safetensors >/dev/null
cmp -s pool.safetensors again.safetensors || fault "the same words, or runs in another order, make other bytes"
"${make[@]}" --from a b --seed 2 -o other.safetensors >/dev/null
cmp -s pool.safetensors other.safetensors && fault "another seed makes the same bytes"
"$AGON" probes make "$game" --states 64 --only U -o u.safetensors >/dev/null
[ "$(sha u.safetensors)" = "$(meta plain probes)" ] || fault "U differs from the set that a run makes"
"$AGON" probes make kuhn_poker -o kuhn.safetensors | grep -q '^X .*absent: kuhn_poker hides' ||
    fault "why X is absent is not said"
python3 - pool.safetensors <<'PY' || fault "a safetensors reader finds something else"
import json, struct, sys
data = open(sys.argv[1], "rb").read()
header = json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])
assert header["__metadata__"]["game"] == "connect_four(rows=4,cols=4)"
assert header["X.worth"]["dtype"] == "F64" and header["X.worth"]["shape"][1] == 4
assert header["B.source"]["shape"] == [60] and header["B.origin"]["shape"] == [2, 32]
PY

# ---- showing ----
said=$("$AGON" probes show pool.safetensors --examples 1) || fault "show: exit code $?"
grep -qF "SHA-256 $(sha pool.safetensors)" <<<"$said" || fault "show: no hash"
[ "$(grep -c '^  run [0-9a-f]\{12\}: early 10, middle 10, late 10$' <<<"$said")" -eq 2 ] || fault "show: sources"
[ "$(grep -c 'is asked' <<<"$said")" -eq 3 ] || fault "show: one example of each set"
grep -q '^    worth: ' <<<"$said" || fault "show: no worth of actions"

# ---- training ----
tiny "$game" measured metrics.probe_file=pool.safetensors || fault "cannot train with a file"
grep -q "\"probes\":\"$(sha pool.safetensors)\",\"probe_set\":\"B\"" measured/metrics.jsonl ||
    fault "metrics.jsonl does not name hash and set"
grep -q probe_set plain/metrics.jsonl && fault "a run without a file names a set"
grep -q "^probe_hash = $(sha pool.safetensors)$" measured/config.ini || fault "config.ini has not the hash"
cp pool.safetensors elsewhere.safetensors
tiny "$game" moved metrics.probe_file=elsewhere.safetensors
[ "$(meta moved config_hash)" = "$(meta measured config_hash)" ] || fault "the path counts, not the contents"
tiny "$game" u metrics.probe_file=u.safetensors
[ "$(meta u config_hash)" != "$(meta measured config_hash)" ] || fault "another file is the same run"
grep -q '"probe_set":"U"' u/metrics.jsonl || fault "without set B it is not set U"
# The same questions as the run's own: the same measurements, but for the new field.
cmp -s <(sed 's/"probe_set":"U",//' u/metrics.jsonl) plain/metrics.jsonl || fault "U from a file measures otherwise"

# ---- another file ----
cp measured/config.ini settings.ini
cp other.safetensors elsewhere.safetensors
refuse 1 'expected metrics.probe_hash' "$AGON" train settings.ini run.dir=x metrics.probe_file=elsewhere.safetensors
[ ! -e x ] || fault "a refused file leaves a run"
refuse 1 'pool2.safetensors' "$AGON" train "$game" run.dir=x metrics.probe_file=pool2.safetensors
refuse 1 "game is 'connect_four(rows=4,cols=4)', expected 'tic_tac_toe'" \
    "$AGON" train tic_tac_toe run.dir=x metrics.probe_file=pool.safetensors
"$AGON" probes make "$game" --only X --limit 2000 --states 20 -o x.safetensors >/dev/null
refuse 1 'set X alone' "$AGON" train "$game" run.dir=x metrics.probe_file=x.safetensors
refuse 1 'metrics.probe_file is empty' "$AGON" train "$game" run.dir=x "metrics.probe_hash=$(sha u.safetensors)"
refuse 1 'expected 64 hex digits' "$AGON" train "$game" run.dir=x metrics.probe_file=u.safetensors metrics.probe_hash=12
refuse 2 'fixed by the run' "$AGON" train --resume measured metrics.probe_file=u.safetensors

# ---- going on ----
# Stopped before its end, then its file is gone: the run has its own copy.
"$AGON" train settings.ini run.dir=half train.generations=4000 --quiet 2>/dev/null &
for _ in $(seq 200); do
    [ -s half/metrics.jsonl ] && break
    sleep 0.05
done
kill -INT $!
wait $!
mv pool.safetensors gone.safetensors
"$AGON" train --resume half --json >resumed 2>/dev/null &
for _ in $(seq 200); do
    [ -s resumed ] && break
    sleep 0.05
done
kill -INT $!
wait $! || fault "a run does not go on without its file"
[ -s resumed ] || fault "a resumed run measures nothing"
grep -qv "\"probes\":\"$(sha gone.safetensors)\"" resumed && fault "a resumed run measures on another set"
# Killed between its beginning and its copy: the file is needed, and it must be the same.
cp -r measured early
python3 -c 'import sqlite3
d = sqlite3.connect("early/run.db"); d.execute("delete from meta where key = '"'probes'"'"); d.commit()'
refuse 1 'pool.safetensors' "$AGON" train --resume early
cp other.safetensors pool.safetensors
refuse 1 'expected metrics.probe_hash' "$AGON" train --resume early
mv gone.safetensors pool.safetensors
"$AGON" train --resume early --quiet || fault "a run whose file came back does not go on"
cmp -s early/metrics.jsonl measured/metrics.jsonl || fault "and measures otherwise"
python3 -c 'import sqlite3
d = sqlite3.connect("early/run.db"); d.execute("update meta set value = ? where key = '"'probes'"'", ("a" * 64,)); d.commit()'
refuse 1 'names probe set' "$AGON" train --resume early

# ---- refusals ----
refuse 1 'pool.safetensors exists' "${make[@]}" -o pool.safetensors
"${make[@]}" --only U --force -o u.safetensors >/dev/null || fault "--force does not overwrite"
refuse 2 '-o is missing' "${make[@]}"
refuse 2 'ends in .safetensors' "${make[@]}" -o pool
refuse 2 'some of U,B,X' "${make[@]}" --only UX -o y.safetensors
refuse 2 'expected --from RUN' "${make[@]}" --only B -o y.safetensors
refuse 2 '--only leaves out' "${make[@]}" --only U --from a -o y.safetensors
refuse 2 "--states is '0'" "$AGON" probes make "$game" --states 0 -o y.safetensors
refuse 2 'expected make or show' "$AGON" probes draw
refuse 2 'did you mean' "${make[@]}" --state 3 -o y.safetensors
refuse 1 'hides something' "$AGON" probes make kuhn_poker --only X -o y.safetensors
refuse 1 'run a is of connect_four(rows=4,cols=4), expected a run of kuhn_poker' \
    "$AGON" probes make kuhn_poker --from a -o y.safetensors
refuse 1 'count twice' "${make[@]}" --from a a -o y.safetensors
refuse 1 'a state for every phase' "$AGON" probes make "$game" --states 5 --from a b -o y.safetensors
refuse 1 'nowhere' "${make[@]}" --from nowhere -o y.safetensors
refuse 1 'expected a file of agon probes' "$AGON" probes show "$(ls measured/blobs/*.safetensors | head -n 1)"
head -c 1000 pool.safetensors >cut.safetensors
refuse 1 'cut.safetensors' "$AGON" probes show cut.safetensors
refuse 1 "expected 'tic_tac_toe'" "$AGON" probes show pool.safetensors tic_tac_toe
[ ! -e y.safetensors ] || fault "a refusal leaves a file"

echo "$faults faults"
[ "$faults" -eq 0 ]
