#!/bin/sh
# Promise: what cuda/driver.h says of the CUDA driver is what NVIDIA's cuda.h says: names, types, numbers.
set -eu
nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
include=$(dirname "$(readlink -f "$nvcc")")/../include
[ -e "$include/cuda.h" ] || { echo "skipped: no cuda.h in $include"; exit 77; }
compile() { "$CC" -std=gnu11 -Wall -Wextra -Werror -I"$1" -I"$SOURCE" -I"$include" -fsyntax-only "$SOURCE/tests/cuda/abi.c"; }
compile "$SOURCE" || { echo "DIFFERENT: see above; cuda.h is of $include"; exit 1; }

# A wrong number, a wrong type, an older version of a function: each is seen.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/cuda"
for wrong in 's/\(AGON__CUDA_SHARED = \)97/\198/' 's/size_t bytes, agon__queue/unsigned bytes, agon__queue/' 's/cuMemFree_v2/cuMemFree/'; do
    sed "$wrong" "$SOURCE/cuda/driver.h" >"$work/cuda/driver.h"
    ! cmp -s "$work/cuda/driver.h" "$SOURCE/cuda/driver.h" || { echo "cannot alter driver.h by $wrong"; exit 1; }
    ! compile "$work" 2>/dev/null || { echo "NOT SEEN: $wrong"; exit 1; }
done
echo "same: $(grep -c '^    X(' "$SOURCE/cuda/driver.h") functions"
