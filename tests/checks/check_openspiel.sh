#!/bin/sh
# Games that OpenSpiel has, too: legal moves, chance, returns and ends agree over random games.
set -eu
SOURCE=${SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
BUILD=${BUILD:-$SOURCE/build}
exec "${PYTHON:-python3}" "$SOURCE/tests/openspiel.py" "$BUILD/tests/trace_games" "${AGON_EPISODES:-1000}"
