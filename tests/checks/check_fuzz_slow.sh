#!/bin/bash
# The same as check_fuzz.sh for what runs foreign games and for what comes from the network, ten
# minutes each.
cd "${SOURCE:-$(dirname "$0")/../..}" || exit 1
FUZZ_SECONDS=${FUZZ_SECONDS:-600} exec tests/checks/check_fuzz.sh tests/fuzz/fuzz_{check,perft,plugin}.c \
    tests/fuzz/fuzz_{frame,message,inbox,token,http,codec,blob,session}.c
