#!/usr/bin/env bash
# Promise: gcc and clang give the same bytes. Builds the binary with the compiler that this build did not
# use and takes the signature of the tiny runs.
set -eu
. "$SOURCE/tests/tiny.sh"
case $("$AGON" version | grep -io 'clang\|gnu' | head -n 1) in
    [Cc]lang) other=gcc ;;
    *) other=clang ;;
esac
if ! command -v $other >/dev/null; then
    echo "skipped: no $other here"
    exit 77
fi
build=$BUILD/other-compiler
cmake -S "$SOURCE" -B "$build" -G Ninja -DCMAKE_C_COMPILER=$other -DCMAKE_BUILD_TYPE=Release -DAGON_CUDA=OFF >/dev/null
cmake --build "$build" --target agon >"$build/log" || { tail -n 20 "$build/log"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
AGON="$build/tools/agon" tiny_all "$work"
got=$(tiny_signature "$work")
want=$(cat "$SOURCE/tests/SIGNATURE")
[ "$got" = "$want" ] || { echo "DIFFERENT: $other gives $got, tests/SIGNATURE says $want"; exit 1; }
echo "same: $other"
