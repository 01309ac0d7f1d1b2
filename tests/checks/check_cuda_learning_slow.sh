#!/usr/bin/env bash
# Promise: in bfloat16, as kernels compute it, agents learn as on the CPU: over 20 pairs of small runs kuhn_poker's
# NashConv and connect_four's score against one_ply are equivalent within 0.05 (two one-sided tests). In place of a GPU
# stands the tests' own driver.
set -euo pipefail
export LD_LIBRARY_PATH=$BUILD/tests/cuda
learning() {
    "$SOURCE/tests/gpu/learning.py" "$AGON" --jobs 2 train.rollouts=8 train.lanes=32 metrics.games=2 \
        metrics.anchor_games=0 "$@"
}

learning --games kuhn_poker population.size=4 train.generations=40 train.horizon=8 net.hidden=32 metrics.every=40 \
    metrics.final_games=0
learning --games connect_four population.size=2 train.generations=20 train.horizon=16 net.hidden=64 \
    metrics.every=20 metrics.final_games=400
