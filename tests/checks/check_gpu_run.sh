#!/usr/bin/env bash
# Promise: the script that proves cuda/ on a GPU works as far as that can be seen without one: with the
# tests' driver it writes a record that says it is emulated, has every section and can be read; a
# section that fails or takes too long is in it, with the others' results; what stands in for libraries
# computes the same; the .cu files compile.
set -uo pipefail
cd "$SOURCE" || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/agon-check.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
faults=0
fault() {
    echo "fault: $*"
    faults=$((faults + 1))
}

# ---- the record ------------------------------------------------------------------------------------
run() { # OUT word...
    local out=$1
    shift
    OUT='' tests/gpu/run.sh --fake "$BUILD" --out "$out" "$@" >"$work/said" 2>&1
}
before=$(ls tests/gpu/records 2>/dev/null)
mkdir -p "$work/lent"
OUT=$work/lent tests/gpu/run.sh --fake "$BUILD" --out "$work/all" >"$work/said" 2>&1 ||
    fault "run.sh --fake: exit code $?: $(tail -n 30 "$work/said"; cat "$work/all/run.log")"
[ "$(ls tests/gpu/records 2>/dev/null)" = "$before" ] || fault "an emulated run wrote into tests/gpu/records"
ls "$work/lent"/emulated-*.json "$work/lent"/emulated-*.md >/dev/null ||
    fault "\$OUT has no record: $(ls "$work/lent")"
python3 - "$work/all" <<'END' || fault "the record is not as it should be"
import glob, json, re, sys
(path,) = glob.glob(f"{sys.argv[1]}/emulated-*.json")
r = json.load(open(path))
page = open(path[:-4] + "md").read()
assert r["format"] == 1 and r["emulated"] and r["passed"] and r["build"] == "emulated", r
assert "Emulated: no GPU" in page and "reached" not in page and "missed" not in page
assert re.match(r"\d{4}-\d\d-\d\dT", r["date"]) and r["commit"] and r["machine"]["device"], r
status = {s["name"]: s["status"] for s in r["sections"]}
assert list(status) == ["build", "primitives", "compare", "rates", "bench", "train", "sanitize", "torch"]
assert {k for k, v in status.items() if v == "skipped"} == {"rates", "sanitize", "torch"}, status
assert set(status.values()) == {"passed", "skipped"}, status
assert {s["skipped"] for s in r["skipped"]} >= {"rates", "sanitize", "torch"}
found = {(x["check"], x["precision"]) for x in r["checks"]}
for what in ("logits", "value", "gradient", "params after an update", "forward alone and in company",
             "update twice", "training twice", "training alone and in company", "agon_tile_mma"):
    for precision in ("fp32", "tf32", "bf16"):
        assert (what, precision) in found, (what, precision)
for what in ("agon_warp_sum", "agon_warp_max", "agon_barrier", "twin: observations", "twin: actions"):
    assert what in {x[0] for x in found}, what
for x in r["checks"]:
    assert x["passed"] and x["count"] >= 0 and x["section"] and (x["limit"] > 0 or x["equal"]), x
benches = {x["bench"] for x in r["figures"]}
assert benches == {"gpu_forward", "gpu_update", "gpu_rollout", "gpu_train"}, benches
for x in r["figures"]:
    rate = next(k for k in x if k.endswith("_per_second"))
    assert 0 < x["low"] <= x[rate] <= x["high"] and x["floor_per_second"] > 0, x
    assert abs(x["share_of_floor"] * x["floor_per_second"] / x[rate] - 1) < 1e-3, x
    aimed = x["backend"] == "cuda/bf16" and not re.search("conv|mingru", x["net"])
    assert ("aim_share" in x or "aim_per_second" in x) == aimed, x
for what in [x["check"] for x in r["checks"]] + [x["bench"] for x in r["figures"]] + list(status):
    assert f"| {what} |" in page, what
END

# Only what is asked for; and never without --out.
run "$work/one" rates || fault "run.sh --fake rates: exit code $?"
grep -q '"name": "compare",' "$work"/one/*.json && grep -q 'not asked for' "$work"/one/*.json ||
    fault "sections that were not asked for are not in the record"
tests/gpu/run.sh --fake "$BUILD" >"$work/said" 2>&1
[ $? = 2 ] && grep -q -- '--out' "$work/said" || fault "--fake without --out: $(cat "$work/said")"
tests/gpu/run.sh --fake "$BUILD" --out "$work/two" compere >"$work/said" 2>&1
[ $? = 2 ] && grep -q compere "$work/said" || fault "an unknown section: $(cat "$work/said")"

# A device that fails: its sections fail, the record says so, and the exit code.
FAKE_CUDA_LOST_AT=1 run "$work/lost" primitives compare
[ $? = 1 ] || fault "run.sh exits $? although the device was lost"
python3 - "$work/lost" <<'END' || fault "the record of a lost device is not as it should be"
import glob, json, sys
(path,) = glob.glob(f"{sys.argv[1]}/emulated-*.json")
r = json.load(open(path))
status = {s["name"]: s for s in r["sections"]}
assert not r["passed"] and status["primitives"]["status"] == "passed", status
assert status["compare"]["status"] == "failed" and status["compare"]["why"], status
END
run "$work/late" --seconds 6 build primitives compare
grep -q 'not reached' "$work"/late/*.json || fault "6 s are enough for: $(cat "$work/said")"

# ---- learning --------------------------------------------------------------------------------------
LD_LIBRARY_PATH=$BUILD/tests/cuda tests/gpu/learning.py "$AGON" --seeds 2 --games tic_tac_toe --small \
    >"$work/learned" 2>"$work/said" || fault "learning.py: $(cat "$work/said")"
python3 - "$work/learned" <<'END' || fault "learning.py or tost.py is wrong: $(cat "$work/learned")"
import json, sys
sys.path.insert(0, "tests/gpu")
import tost
x = json.loads(open(sys.argv[1]).read())
assert x["check"] and x["limit"] == 0.05 and len(x["differences"]) == 2, x
# Quantiles of Student's t as tables have them.
for t, freedom, p in ((12.706, 1, 0.025), (2.093, 19, 0.025), (1.729, 19, 0.05), (2.776, 4, 0.025), (-1.729, 19, 0.95)):
    assert abs(tost.above(t, freedom) / p - 1) < 1e-3, (t, freedom, tost.above(t, freedom))
mean, error, p = tost.tost([0.01, -0.02, 0.005, 0.0, 0.013], 0.05)
assert abs(mean - 0.0016) < 1e-12 and abs(p - 0.000577116) < 1e-8, (mean, p)
assert tost.tost([0.06, 0.05, 0.07], 0.05)[2] > 0.5 and tost.tost([0.2, -0.2, 0.1], 0.05)[2] > 0.05
END

# ---- what stands in for libraries ------------------------------------------------------------------
cat >"$work/philox.c" <<'END'
#include <stdio.h>
#include <Random123/philox.h>
int main(void) {
    philox4x32_ctr_t c = {{1, 2, 3, 4}};
    const philox4x32_key_t k = {{5, 0xffffffff}};
    for (int i = 0; i < 1000; i++)
        c = philox4x32(c, k);
    printf("%08x %08x %08x %08x %x %x %x %x\n", c.v[0], c.v[1], c.v[2], c.v[3], PHILOX_M4x32_0,
           PHILOX_M4x32_1, PHILOX_W32_0, PHILOX_W32_1);
    return 0;
}
END
$CC -std=gnu11 "$work/philox.c" -o "$work/theirs" &&
    $CC -std=gnu11 -Itests/gpu/stand_in "$work/philox.c" -o "$work/ours" &&
    [ "$("$work/ours")" = "$("$work/theirs")" ] || fault "tests/gpu/stand_in is not Random123's Philox"
for flags in '' -mavx2 -mavx512f; do
    [ -z "$flags" ] || [ "$(uname -m)" = x86_64 ] || continue
    # shellcheck disable=SC2086
    echo '#include <sleef.h>' | $CC -std=gnu11 -Wall -Wno-unused-function -Werror $flags -Itests/gpu/stand_in \
        -x c -fsyntax-only - || fault "tests/gpu/stand_in/sleef.h does not compile with '$flags'"
done

# ---- files -----------------------------------------------------------------------------------------
if command -v shellcheck >/dev/null; then
    shellcheck tests/gpu/*.sh || fault "shellcheck has complaints"
fi
nvcc=$(command -v nvcc || ls /usr/local/cuda/bin/nvcc 2>/dev/null)
if [ -n "$nvcc" ]; then
    for file in tests/gpu/*.cu; do
        nice "$nvcc" -std=c++20 -fmad=false -Werror all-warnings -Xcompiler -Wall -I. \
            -gencode arch=compute_80,code=sm_80 -c "$file" -o "$work/file.o" || fault "$file does not compile"
    done
else
    echo "no nvcc: the .cu files of tests/gpu were not compiled"
fi
echo "$faults faults"
[ "$faults" -eq 0 ]
