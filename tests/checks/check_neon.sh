#!/usr/bin/env bash
# Promise: AArch64 gives the bytes that x86-64 gives. Its forms of the CPU backend, NEON and portable, built
# with a cross compiler and run under qemu-user, agree with each other and with this machine's forms about
# forwards, gradients, Adam steps and choices over a grid of nets.
set -eu
cd "$SOURCE"
. tests/aarch64.sh
work=$BUILD/aarch64
mkdir -p "$work/objects"
root=$work/root
aarch64_root "$root" libc6-dev libsleef-dev librandom123-dev

# Objects stay there and are made again only when a source or header is newer.
compile() { # SOURCE.c
    local object
    object=$objects/$(echo "$1" | tr / -).o
    [ "$object" -nt "$1" ] && [ -z "$(find games agents -name '*.h' -newer "$object" -print -quit)" ] && return
    aarch64-linux-gnu-gcc --sysroot="$root" -std=gnu11 -O3 -march=armv8-a -Wall -Wextra -Wno-unused-parameter \
        -ffp-contract=off -fno-math-errno -D_GNU_SOURCE -I. -c "$1" -o "$object.new" && mv "$object.new" "$object"
}
export -f compile
export root objects=$work/objects
sources=$(ls games/*.c agents/*.c tests/dump_forms.c | grep -v 'agents/kernel_avx')
echo "$sources" | xargs -P "$(nproc)" -I {} bash -c 'compile "$1" || exit 255' _ {} ||
    { echo "FAILED: the sources do not compile for AArch64; see above"; exit 1; }
# shellcheck disable=SC2046
aarch64-linux-gnu-gcc --sysroot="$root" $(echo "$sources" | tr / - | sed "s|.*|$objects/&.o|") -lsleef -lm \
    -o "$work/dump_forms"

"$BUILD/tests/dump_forms" | sed "s/^/$(uname -m) /" >"$work/forms"
qemu-aarch64 -L "$root" "$work/dump_forms" | sed 's/^/aarch64 /' >>"$work/forms"
cat "$work/forms"
grep -q '^aarch64 neon ' "$work/forms" || { echo "MISSING: a build for AArch64 has no form called neon"; exit 1; }
[ "$(awk '{print $3}' "$work/forms" | sort -u | wc -l)" = 1 ] || { echo "DIFFERENT: see above"; exit 1; }
