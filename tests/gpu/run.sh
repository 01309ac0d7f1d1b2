#!/usr/bin/env bash
# Proves and measures agon's CUDA backend on a machine with an NVIDIA GPU, and writes a record.
#   tests/gpu/run.sh                     all that fits into eight minutes, into tests/gpu/records/
#   tests/gpu/run.sh --seconds 240       into four; what comes first matters most
#   tests/gpu/run.sh compare bench       these sections (and what they need)
#   tests/gpu/run.sh --learning          and 20 pairs of training runs, CPU and GPU: hours
#   tests/gpu/run.sh --carry             here: builds what a machine without Debian's packages lacks,
#                                        into build-gpu/carried/, to be copied there with the tree;
#                                        --carry 90a: for these architectures (80 and 90a)
#   tests/gpu/run.sh --fake BUILD --out DIR   without a GPU: what can be tried by the driver of the
#                                        tests in the build directory BUILD, with tiny sizes
# Sections: build primitives compare rates bench train sanitize torch learning. README.md says more.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

usage() {
    sed -n '2,12s/^# \{0,1\}//p' tests/gpu/run.sh
}
refuse() {
    echo "run.sh: $*; --help shows how it is used" >&2
    exit 2
}

export FAKE='' WORK SOURCE
SOURCE=$PWD
budget=480 out=tests/gpu/records learning='' wanted=''
declare -A limits=([build]=240 [primitives]=40 [compare]=120 [rates]=30 [bench]=100 [train]=60
    [sanitize]=150 [torch]=120 [learning]=14400)
order=(build primitives compare rates bench train sanitize torch)
while [ $# -gt 0 ]; do
    case $1 in
        --help | -h)
            usage
            exit 0
            ;;
        --carry) exec tests/gpu/build.sh carry "${@:2}" ;;
        --learning) learning=yes ;;
        --seconds | --fake | --out)
            [ $# -gt 1 ] || refuse "$1 needs a value"
            case $1 in
                --seconds) budget=$2 ;;
                --fake) FAKE=$(realpath "$2") ;;
                --out) out=$2 ;;
            esac
            shift
            ;;
        *)
            [ -n "${limits[$1]:-}" ] || refuse "unknown word '$1'"
            wanted+=" $1"
            ;;
    esac
    shift
done
[[ $budget =~ ^[0-9]+$ ]] || refuse "--seconds $budget is no whole number"
if [ -n "$learning" ] || [[ "$wanted " == *" learning "* ]]; then
    order+=(learning)
    budget=$((budget + limits[learning]))
fi
if [ -n "$FAKE" ] && [ "$(realpath -m "$out")" = "$(realpath -m tests/gpu/records)" ]; then
    refuse "--fake needs --out: a record of no GPU does not belong in tests/gpu/records"
fi
mkdir -p "$out" || exit 1

# What is found on the way: NAME.jsonl, NAME.log of each section, sections.tsv.
WORK=$(mktemp -d "${TMPDIR:-/tmp}/agon-gpu.XXXXXX") || exit 1
trap 'rm -rf "$WORK"' EXIT
: >"$WORK/sections.tsv"
tests/gpu/machine.sh >"$WORK/machine.tsv" || exit 1

SECONDS=0
record() { # name of the file without its ending, or nothing when there is no python3
    python3 tests/gpu/record.py "$WORK" "$out" "$SECONDS" "$budget"
}

# Every section is a process of its own; none takes another's results with it.
run_section() {
    local name=$1 limit=${limits[$1]} left=$((budget - SECONDS - 3)) begun=$SECONDS status code
    if [ $left -lt 5 ]; then
        printf '%s\tnot reached\t0\t%d\tthe %d s were over\n' "$name" "$limit" "$budget"
        return
    fi
    [ "$limit" -le "$left" ] || limit=$left
    echo "run.sh: $name, at most $limit s" >&2
    timeout -k 5 "$limit" tests/gpu/sections.sh "$name" >"$WORK/$name.jsonl" 2>"$WORK/$name.log"
    code=$?
    case $code in
        0) status=passed ;;
        77) status=skipped ;;
        124 | 137) status='timed out' ;;
        *) status=failed ;;
    esac
    printf '%s\t%s\t%d\t%d\t%s\n' "$name" "$status" $((SECONDS - begun)) "$limit" \
        "$([ $code = 0 ] || tail -n 1 "$WORK/$name.log" | tr '\t' ' ')"
}

for name in "${order[@]}"; do
    if [ -n "$wanted" ] && [ "$name" != build ] && [[ "$wanted " != *" $name "* ]]; then
        printf '%s\tnot asked for\t0\t%d\t\n' "$name" "${limits[$name]}" >>"$WORK/sections.tsv"
        continue
    fi
    run_section "$name" >>"$WORK/sections.tsv"
    tail -n 1 "$WORK/sections.tsv" | cut -f 1-3,5 >&2
    written=$(record) # again after each: whoever is killed leaves what there was
done

if [ -z "${written:-}" ]; then
    cat "$WORK"/*.jsonl >"$out/lines.jsonl"
    echo "run.sh: no python3, so no record: what was printed is in $out/lines.jsonl" >&2
    exit 1
fi
# Where machines are lent, a folder named by OUT comes back.
if [ -n "${OUT:-}" ]; then
    cp "$written.json" "$written.md" "$OUT/"
    tail -n +1 "$WORK"/*.log >"$OUT/run.log"
fi
tail -n +1 "$WORK"/*.log >"$out/run.log"
cat "$written.md"
echo "run.sh: $written.md, .json"
! grep -qE '^[a-z]+	(failed|timed out)	' "$WORK/sections.tsv"
