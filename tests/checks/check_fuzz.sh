#!/bin/bash
# check_fuzz.sh: every reader of foreign bytes survives libFuzzer for a while under
# AddressSanitizer and UndefinedBehaviorSanitizer, as many at a time as there are cores. FUZZ_SECONDS
# is the time per target (default: 60 for what comes from the network and what runs foreign games, 5
# for the others); arguments name the targets (default: all). A finding is kept and its path printed.
# FUZZ_KEEP=1 puts the inputs that reach new code into tests/fuzz/corpus/.
set -u
cd "${SOURCE:-$(dirname "$0")/../..}" || exit 1
slow='fuzz_check|fuzz_perft|fuzz_plugin|fuzz_frame|fuzz_message|fuzz_session|fuzz_inbox|fuzz_token|fuzz_http|fuzz_codec|fuzz_blob'
seconds_for() { # NAME
    if [[ $1 =~ ^($slow)$ ]]; then
        echo "${FUZZ_SECONDS:-60}"
    else
        echo "${FUZZ_SECONDS:-5}"
    fi
}
clang=${CLANG:-clang}
flags="-std=gnu11 -O1 -gline-tables-only -D_GNU_SOURCE -I. -ffp-contract=off -fno-math-errno -w
       -fno-sanitize-recover=all"
sanitize=address,undefined
libraries="libuv sqlite3 $(pkg-config --exists msgpack-c && echo msgpack-c || echo msgpack) inih libcjson libcrypto libssl libnats
           libzip sleef"

if ! command -v "$clang" > /dev/null; then
    echo "skipped: clang is not installed (apt-get install clang)"
    exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/agon-fuzz.XXXXXX")
echo 'int LLVMFuzzerTestOneInput(const char* d, unsigned long n) { return d && n ? 0 : 0; }' \
    > "$work/probe.c"
if ! "$clang" -fsanitize=fuzzer "$work/probe.c" -o "$work/probe" 2> /dev/null; then
    echo "skipped: $clang has no libFuzzer (apt-get install libclang-rt-dev)"
    rm -rf "$work"
    exit 77
fi

# One archive of everything below tools/, instrumented; each target takes from it what it needs.
# With BUILD set the objects stay there and are made again only when a source or header is newer.
compile() { # SOURCE.c
    local simd="" object instrument="-fsanitize=fuzzer-no-link,$sanitize"
    object=$objects/$(echo "$1" | tr / -).o
    [ "$object" -nt "$1" ] &&
        [ -z "$(find games agents engine net -name '*.h' -newer "$object" -print -quit)" ] && return
    case $1 in
    *_avx512.c) simd="-mavx512f -mavx512dq -mavx512vl -mavx512bw -mavx2 -mfma" ;;
    *_avx2.c) simd="-mavx2 -mfma" ;;
    esac
    # Kernels read nothing foreign, and their unrolled tiles take minutes to instrument.
    case $1 in
    agents/kernel_*) instrument= ;;
    esac
    # shellcheck disable=SC2046,SC2086
    "$clang" $flags $simd $instrument $(pkg-config --cflags $libraries) \
        -c "$1" -o "$object.new" && mv "$object.new" "$object"
}

build_archive() {
    export objects=${BUILD:-$work}/fuzz clang flags sanitize libraries
    export -f compile
    mkdir -p "$objects"
    local sources
    sources=$(ls games/*.c agents/*.c engine/*.c engine/metrics/*.c net/*.c)
    case $(uname -m) in
    x86_64) sources=$(echo "$sources" | grep -v kernel_neon) ;;
    aarch64) sources=$(echo "$sources" | grep -v kernel_avx) ;;
    *) sources=$(echo "$sources" | grep -v 'kernel_avx\|kernel_neon') ;;
    esac
    echo "$sources" | xargs -P "$(nproc)" -I {} bash -c 'compile "$1" || exit 255' _ {} &&
        (cd "$objects" && echo "$sources" | tr / - | sed 's|$|.o|' | xargs ar rcs "$work/agon.a")
}

fuzz() { # TARGET.c
    local file=$1 name seeds corpus
    name=$(basename "$file" .c)
    seeds=$work/$name.seeds corpus=$work/$name.corpus
    mkdir -p "$seeds" "$corpus"
    # shellcheck disable=SC2046,SC2086
    "$clang" $flags -fsanitize=fuzzer,$sanitize $(pkg-config --cflags $libraries) "$file" \
        "$work/agon.a" $(pkg-config --libs $libraries) -lm -ldl -o "$work/$name" || return 1
    if grep -q '"tests/fuzz/fuzz.h"' "$file"; then
        AGON_FUZZ_SEEDS=$seeds "$work/$name" || return 1
    fi
    [ -d "tests/fuzz/corpus/$name" ] && cp "tests/fuzz/corpus/$name"/* "$seeds"
    "$work/$name" -max_total_time="$(seconds_for "$name")" -timeout=10 -rss_limit_mb=2048 -close_fd_mask=1 \
        -artifact_prefix="$work/$name." -print_final_stats=1 "$corpus" "$seeds" \
        > "$work/$name.log" 2>&1
}

# The smallest inputs that together reach all the code that this run reached, up to 100 kB.
keep() { # NAME
    local kept=$work/$1.kept corpus=tests/fuzz/corpus/$1 bytes=0 file
    mkdir -p "$kept" "$corpus"
    "$work/$1" -merge=1 -close_fd_mask=1 "$kept" "$work/$1.corpus" "$work/$1.seeds" \
        >> "$work/$1.log" 2>&1 || return 1
    rm -f "$corpus"/*
    # shellcheck disable=SC2045
    for file in $(ls -Sr "$kept"); do
        bytes=$((bytes + $(stat -c %s "$kept/$file")))
        [ $bytes -gt 100000 ] && break
        cp "$kept/$file" "$corpus"
    done
}

one() { # TARGET.c
    local name runs
    name=$(basename "$1" .c)
    if fuzz "$1" && { [ -z "${FUZZ_KEEP:-}" ] || keep "$name"; }; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log" | head -n 1)
        echo "passed: $name, $runs inputs in $(seconds_for "$name") s"
        return 0
    fi
    [ -f "$work/$name.log" ] && tail -n 40 "$work/$name.log"
    echo "FAILED: $name; its files are in $work"
    return 1
}

build_archive || { echo "FAILED: the sources do not compile; see above"; exit 1; }
targets=("$@")
# Those that take long first, so that no core ends with one of them alone.
[ ${#targets[@]} -eq 0 ] &&
    mapfile -t targets < <(ls tests/fuzz/fuzz_*.c | grep -E "/($slow)\.c"; ls tests/fuzz/fuzz_*.c | grep -vE "/($slow)\.c")
export work slow
export -f seconds_for fuzz keep one
if printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I {} bash -c 'one "$1"' _ {}; then
    rm -rf "$work"
else
    exit 1
fi
