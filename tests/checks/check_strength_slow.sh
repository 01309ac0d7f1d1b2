#!/usr/bin/env bash
# Promise: the default configs reach their stated strength (median of three seeds, last iterate): see
# strength.py for the bars. Takes about a quarter of an hour on two cores.
set -eu
exec python3 "$SOURCE/tests/strength.py" "$AGON"
