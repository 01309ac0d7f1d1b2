#!/usr/bin/env bash
# Promise: same config and seed, same bytes, on any number of threads and with every kernel, as one literal
# hash that is the same on every machine. After a deliberate change of behaviour, update tests/SIGNATURE and
# name the new hash in the commit.
set -eu
. "$SOURCE/tests/tiny.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
want=$(cat "$SOURCE/tests/SIGNATURE")
failed=0
check() { # name, then KEY=VALUE for the environment, then threads
    local name=$1 simd=$2 threads=$3
    mkdir -p "$work/$name"
    AGON_SIMD=$simd tiny_all "$work/$name" machine.threads="$threads"
    local got
    got=$(tiny_signature "$work/$name")
    if [ "$got" = "$want" ]; then
        echo "same: $name"
    else
        echo "DIFFERENT: $name gives $got, tests/SIGNATURE says $want"
        failed=1
    fi
    rm -rf "${work:?}/$name"
}
check threads_1 "" 1
check threads_2 "" 2
check threads_4 "" 4
check portable portable 2
if grep -qw avx2 /proc/cpuinfo; then check avx2 avx2 2; else echo "skipped: avx2, this CPU has none"; fi
if grep -qw avx512f /proc/cpuinfo; then check avx512 avx512 2; else echo "skipped: avx512, this CPU has none"; fi
if command -v qemu-x86_64 >/dev/null && [ -z "${AGON_SANITIZED:-}" ]; then
    # An emulated CPU without AVX-512: the same bytes, chosen kernels and libraries included.
    mkdir -p "$work/haswell"
    real=$AGON
    printf '#!/bin/sh\nexec qemu-x86_64 -cpu Haswell "%s" "$@"\n' "$real" >"$work/agon"
    chmod +x "$work/agon"
    AGON="$work/agon" tiny kuhn_poker "$work/haswell/a"
    tiny kuhn_poker "$work/haswell/b"
    a=$(python3 "$SOURCE/tests/signature.py" "$work/haswell/a")
    b=$(python3 "$SOURCE/tests/signature.py" "$work/haswell/b")
    if [ "$a" = "$b" ]; then echo "same: emulated Haswell"; else echo "DIFFERENT: emulated Haswell"; failed=1; fi
else
    echo "skipped: emulated CPU without AVX-512, no qemu-x86_64 here"
fi
exit $failed
