#!/usr/bin/env bash
# Promise: an AArch64 machine gives the bytes of tests/SIGNATURE. CMake builds the whole binary with a cross
# compiler; under qemu-user it takes the signature of the tiny runs, with NEON and without.
set -eu
. "$SOURCE/tests/aarch64.sh"
. "$SOURCE/tests/tiny.sh"
build=$BUILD/aarch64-agon
mkdir -p "$build"
root=$build/root
aarch64_root "$root" libc6-dev libuv1-dev libmsgpack-dev libsqlite3-dev libinih-dev libcjson-dev libssl-dev \
    libzip-dev libsleef-dev librandom123-dev libopenblas-pthread-dev liblapacke-dev libcmocka-dev
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# An installation would choose a BLAS and say so in these places.
libraries=$root/usr/lib/aarch64-linux-gnu
ln -sf openblas-pthread/lib{openblas.so.0,blas.so.3,lapack.so.3} "$libraries/"
for name in openblas blas lapack; do
    ln -sf ../openblas-pthread/pkgconfig/openblas.pc "$libraries/pkgconfig/$name.pc"
done
export PKG_CONFIG_LIBDIR=$libraries/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
{
    cmake -S "$SOURCE" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DAGON_CUDA=OFF -DCMAKE_SYSTEM_NAME=Linux \
        -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc -DCMAKE_SYSROOT="$root" &&
        cmake --build "$build" --target agon
} >"$work/log" 2>&1 || { tail -n 20 "$work/log"; exit 1; }

printf '#!/bin/sh\nexec qemu-aarch64 -L "%s" "%s" "$@"\n' "$root" "$build/tools/agon" >"$work/agon"
chmod +x "$work/agon"
export AGON=$work/agon
want=$(cat "$SOURCE/tests/SIGNATURE")
failed=0
for form in neon portable; do
    export AGON_SIMD=$form
    "$AGON" version | grep -q "cpu/$form" || { echo "MISSING: the build has no form called $form"; exit 1; }
    tiny_all "$work/$form" machine.threads=2
    got=$(tiny_signature "$work/$form")
    if [ "$got" = "$want" ]; then
        echo "same: AArch64, $form"
    else
        echo "DIFFERENT: AArch64, $form gives $got, tests/SIGNATURE says $want"
        failed=1
    fi
done
exit $failed
