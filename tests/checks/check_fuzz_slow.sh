#!/bin/bash
# The same as check_fuzz.sh for what runs foreign games, ten minutes each.
cd "${SOURCE:-$(dirname "$0")/../..}" || exit 1
FUZZ_SECONDS=${FUZZ_SECONDS:-600} exec tests/checks/check_fuzz.sh tests/fuzz/fuzz_check.c \
    tests/fuzz/fuzz_perft.c tests/fuzz/fuzz_plugin.c
