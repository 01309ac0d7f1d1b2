#!/usr/bin/env bash
# One section of run.sh: lines of JSON on standard output, everything else on standard error.
# Exit code 0: passed; 77: skipped, with the reason in the last line; otherwise failed.
set -uo pipefail
cd "$SOURCE" || exit 1
name=$1 before=${LD_LIBRARY_PATH:-} small=() rows=1048576 seconds=0.7 samples=5

if [ -n "$FAKE" ]; then
    kind=emulated agon=$FAKE/tools/agon compare=$FAKE/tests/gpu/gpu_compare libraries=
    bench=$FAKE/tests/gpu/gpu_bench primitives=$FAKE/tests/gpu/gpu_primitives_host rates=
    export LD_LIBRARY_PATH=$FAKE/tests/cuda${before:+:$before}
    small=(--small --few) rows=64 seconds=0.01 samples=1
elif [ -f "$WORK/programs" ]; then
    # shellcheck disable=SC1091
    . "$WORK/programs"
    # Libraries of Debian's packages come last: the GPU's driver and cuBLAS are this machine's.
    export LD_LIBRARY_PATH=${before:+$before:}/usr/local/cuda/lib64${libraries:+:$libraries}
fi

skip() {
    printf '{"skipped":"%s","why":"%s"}\n' "$name" "$*"
    echo "$*" >&2
    exit 77
}
need() { # a program
    [ -x "$1" ] || skip "${2:-it} was not built"
}
check() { # NAME CASE PASSED(0 is true) COUNT
    local passed=false
    [ "$3" = 0 ] && passed=true
    printf '{"check":"%s","precision":"-","case":"%s","passed":%s,"error":null,"limit":0,"equal":%s,"count":%d}\n' \
        "$1" "$2" $passed $passed "$4"
    return "$3"
}

build() {
    local compute file
    if [ -n "$FAKE" ]; then
        for file in "$agon" "$compare" "$bench" "$primitives" "$FAKE/tests/cuda/libcuda.so.1"; do
            [ -e "$file" ] && continue
            echo "$file is missing: build the targets agon, cuda_driver, gpu_compare, gpu_bench," \
                "gpu_primitives_host" >&2
            return 1
        done
        echo '{"note":"build","value":"emulated"}'
        return 0
    fi
    compute=$(sed -n 's/^compute\t//p' "$WORK/machine.tsv" | tr -d .)
    [ "$compute" != 90 ] || compute=90a
    tests/gpu/build.sh here "$compute" >"$WORK/programs.new" || return 1
    mv "$WORK/programs.new" "$WORK/programs"
    # shellcheck disable=SC1091
    . "$WORK/programs"
    printf '{"note":"build","value":"%s"}\n' "$kind"
    [ "$kind" != part ] ||
        echo '{"skipped":"agon","why":"libraries of the engine are missing: run.log names them"}'
}

primitives() {
    need "${primitives:-}" primitives
    "$primitives"
}

compare() {
    local code=0 part
    need "${compare:-}" gpu_compare
    for part in forward update play training; do
        "$compare" "${small[@]}" $part || code=1
    done
    return $code
}

rates() {
    [ -z "$FAKE" ] || skip "there is no GPU to measure"
    need "${rates:-}" rates
    LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$(tests/gpu/build.sh cublas) "$rates" 2
}

bench() {
    local gemm=() precision code=0
    local product
    product=$(sed -n 's/^{"rate":"bf16 product","value":\([0-9.e+]*\),.*/\1/p' "$WORK/rates.jsonl" \
        2>/dev/null)
    [ -z "$product" ] || gemm=("$product")
    for precision in bf16 fp32; do
        [ $precision = bf16 ] || gemm=() # the rate is bf16's
        if [ -n "$agon" ]; then
            "$agon" bench gpu --json --rows $rows --seconds $seconds --samples $samples \
                --precision $precision ${gemm[0]:+--gemm "${gemm[0]}"} || code=1
        else
            need "${bench:-}" gpu_bench
            "$bench" $rows $seconds $samples $precision "${gemm[@]}" || code=1
        fi
    done
    return $code
}

snapshots() { # of a run; a snapshot's name is the SHA-256 of what it holds
    find "$1/blobs" -name '*.safetensors' -printf '%f\n' | LC_ALL=C sort
}

# Runs of a population, twice: what they leave is the same.
train() {
    local words a b code=0 game i
    need "${agon:-}" agon
    words=(train.device=cuda population.size=8 train.generations=3 train.rollouts=2
        metrics.every=3 metrics.games=4 --json)
    [ -z "$FAKE" ] || words+=(population.size=2 train.generations=1 train.lanes=8 train.horizon=8
        train.rollouts=1 metrics.anchor_games=2 metrics.probes=8 net.hidden=16)
    for game in tic_tac_toe kuhn_poker connect_four; do
        for i in 1 2; do
            "$agon" train $game "${words[@]}" "run.dir=$WORK/$game$i" >/dev/null || return 1
        done
        a=$(snapshots "$WORK/${game}1")
        b=$(snapshots "$WORK/${game}2")
        [ -n "$a" ] && [ "$a" = "$b" ]
        check "agon train twice: names of all snapshots" $game $? "$(wc -l <<<"$a")" || code=1
    done
    return $code
}

find_sanitizer() {
    local at
    for at in "$(command -v compute-sanitizer)" /usr/local/cuda/bin/compute-sanitizer \
        /usr/local/cuda/compute-sanitizer/compute-sanitizer \
        /opt/nvidia/*/*/compute-sanitizer /opt/nvidia/*/compute-sanitizer; do
        if [ -f "$at" ] && [ -x "$at" ]; then
            echo "$at"
            return
        fi
    done
}

sanitize() {
    local tool sanitizer log code=0 found
    [ -z "$FAKE" ] || skip "compute-sanitizer watches a GPU"
    sanitizer=$(find_sanitizer)
    [ -n "$sanitizer" ] || skip "compute-sanitizer was not found"
    need "${compare:-}" gpu_compare
    for tool in memcheck racecheck initcheck; do
        log=$WORK/$tool.txt
        timeout 60 "$sanitizer" --tool $tool --error-exitcode 9 --print-limit 20 \
            "$compare" --small --few >"$log" 2>"$log.errors"
        found=$?
        cat "$log.errors" >&2
        grep '^=====' "$log" | tail -n 40 >&2
        if [ $found = 124 ]; then
            printf '{"skipped":"%s","why":"it took more than 60 s"}\n' $tool
        else
            check "compute-sanitizer $tool" "gpu_compare --small --few" $found 1 || code=1
        fi
    done
    return $code
}

torch() {
    [ -z "$FAKE" ] || skip "PyTorch wants a GPU"
    LD_LIBRARY_PATH=$before python3 tests/gpu/torch_forward.py --seconds 0.5
}

learning() {
    need "${agon:-}" agon
    if [ -n "$FAKE" ]; then
        python3 tests/gpu/learning.py "$agon" --seeds 3 --games tic_tac_toe --small
    else
        python3 tests/gpu/learning.py "$agon"
    fi
}

$name
