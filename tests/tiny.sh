# Sourced by checks: `tiny GAME DIR [key=value ...]` trains a very small population in seconds, with every
# part of a run in it: several leagues' opponents, past snapshots, anchors, probes, a closing evaluation.
tiny() {
    local game=$1 dir=$2
    shift 2
    "${AGON:?}" train "$game" --quiet run.dir="$dir" population.size=4 train.generations=4 \
        train.rollouts=2 train.lanes=16 train.horizon=8 train.epochs=2 train.minibatches=2 \
        net.hidden=32,17 metrics.every=2 metrics.games=8 metrics.anchor_games=8 \
        metrics.final_games=16 metrics.probes=64 metrics.bootstrap=50 "$@" >/dev/null
}
# The games of the signature: simultaneous, hidden cards, boards, many seats, tanh. Settings that a game's own
# config decides are pinned here, so that tuning it leaves the signature alone.
tiny_all() {
    local out=$1
    shift
    tiny matrix "$out/matrix" "$@" &&
        tiny tic_tac_toe "$out/tic_tac_toe" league.kind=pfsp "$@" &&
        tiny kuhn_poker "$out/kuhn_poker" net.activation=tanh league.anchor_share=0 \
            train.learning_rate=0.0005 train.entropy=0.2 train.entropy_final=0.07 "$@" &&
        tiny connect_four "$out/connect_four" net.hidden=64,64 league.anchor_share=0.5 \
            league.anchors='random one_ply' train.learning_rate=0.002 "$@" &&
        tiny 'tron(players=3)' "$out/tron" league.kind=mirror "$@"
}
tiny_signature() {
    python3 "${SOURCE:?}/tests/signature.py" "$1/matrix" "$1/tic_tac_toe" "$1/kuhn_poker" \
        "$1/connect_four" "$1/tron"
}
