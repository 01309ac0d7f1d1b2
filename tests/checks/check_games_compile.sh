#!/bin/sh
# Every game compiles in the three languages it promises: C11, C++20 (where the linker must find the
# same name), and CUDA, where its functions are called from a kernel. Compiles only; no GPU needed.
set -eu
SOURCE=${SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
CC=${CC:-cc}
CXX=${CXX:-g++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-Wall -Wextra -Werror -Wno-unused-parameter -ffp-contract=off"
# The template includes agon_game.h as a copy of it in games/ would.
here() { [ -e "$SOURCE/games/$1.c" ] && echo "games/$1.c" || echo "games/template/$1.c"; }

games=$(cd "$SOURCE/games" && sed -n 's/^const agon_game agon_game_\([a-z0-9_]*\) = {$/\1/p' ./*.c template/*.c)
[ -n "$games" ] || { echo "no games found in $SOURCE/games"; exit 1; }
: > "$work/kernel.cu"

for game in $games; do
    file=$SOURCE/$(here "$game")
    "$CC" -std=c11 $flags -I"$SOURCE/games" -c "$file" -o "$work/c.o"
    # Left-out optional slots are NULL by the contract; C++ warns where C does not.
    "$CXX" -std=c++20 -x c++ $flags -I"$SOURCE/games" -Wno-missing-field-initializers -c "$file" -o "$work/cxx.o"
    nm "$work/cxx.o" | grep -q " [RDB] agon_game_$game\$" ||
        { echo "$game: C++ does not export agon_game_$game"; exit 1; }
    cat >> "$work/kernel.cu" <<CU
#include "$(here "$game")"
__global__ void play_$game(const void* config, void* states, const uint16_t* action, float* reward,
                           uint8_t* obs, uint64_t* mask, uint64_t* acting, int* code) {
    void* state = (char*)states + blockIdx.x * ${game}_STATE;
    ${game}_init(config, state);
    *acting = ${game}_acting(config, state);
    ${game}_observe(config, state, 0, obs);
    ${game}_legal(config, state, 0, mask);
    *code = ${game}_apply(config, state, action, reward);
}
CU
    echo "$game: C11, C++20"
done

nvcc=/usr/local/cuda/bin/nvcc
[ -x "$nvcc" ] || nvcc=$(command -v nvcc || true)
if [ -z "$nvcc" ]; then
    echo "kernels: skipped, nvcc was not found in /usr/local/cuda/bin or PATH"
    exit 0
fi
"$nvcc" -std=c++20 -arch=sm_80 -fmad=false -Werror all-warnings -I"$SOURCE" -I"$SOURCE/games" -c "$work/kernel.cu" \
    -o "$work/kernel.o"
echo "kernels: all of them, nvcc"
