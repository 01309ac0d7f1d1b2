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
if [ "$(uname -m)" = aarch64 ]; then check neon neon 2; fi
if [ "${SANITIZED:-0}" = 1 ]; then
    echo "skipped: an emulated CPU without AVX-512, sanitizers do not run there"
elif command -v qemu-x86_64 >/dev/null; then
    # An emulated CPU without AVX-512: its kernels and its libraries' choices, the same bytes.
    printf '#!/bin/sh\nexec qemu-x86_64 -cpu Haswell "%s" "$@" 2>/dev/null\n' "$AGON" >"$work/agon"
    chmod +x "$work/agon"
    AGON=$work/agon
    check haswell "" 2
else
    echo "skipped: an emulated CPU without AVX-512, no qemu-x86_64 here"
fi
exit $failed
