#!/usr/bin/env bash
# Promise: every form of the CPU backend gives the reference's bytes for every shape and number of rows of
# the grid and for thousands of random shapes, and draws actions with their probabilities for every number
# of legal actions.
cd "${SOURCE:?}" || exit 1
printf '%s\n' 'test_backend_grid 3' 'test_backend_grid 2' 'test_backend_grid 1' 'test_sampler all' \
    'test_backend_random 10000' | BUILD=${BUILD:?} xargs -P "$(nproc)" -I{} sh -c '"$BUILD/tests/"{}'
