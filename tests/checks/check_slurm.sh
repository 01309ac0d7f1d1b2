#!/usr/bin/env bash
# Promise: tools/launch/slurm-*.sh, submitted to a real Slurm, do a run with the bytes of a local one,
# though a worker is killed (one that was queued takes its place), another cancelled (it drains and
# ends by itself) and the coordinator killed and submitted again (it goes on, and the same workers with
# it). Workers end with the run.
# shellcheck disable=SC2054
set -uo pipefail
. "$SOURCE/tests/tiny.sh"
. "$SOURCE/tests/checks/slurm_cluster.sh"
faults=0
fault() {
    echo "fault: $*"
    faults=$((faults + 1))
}
work=$(mktemp -d) && cd "$work" || exit 1
finish() {
    slurm_stop "$work/slurm"
    rm -rf "$work"
}
trap finish EXIT
slurm_start "$work/slurm" || exit

launch=$SOURCE/tools/launch
settings=(population.size=4 train.generations=80 train.rollouts=2 train.lanes=16 train.horizon=32
    net.hidden=64,64 metrics.every=50 metrics.games=8 metrics.anchor_games=8 metrics.final_games=16
    metrics.probes=64 metrics.bootstrap=50)
AGON_PORT=$(slurm_port)
export AGON AGON_PORT TMPDIR=$work/node
mkdir -p "$TMPDIR"
"$AGON" train connect_four --quiet run.dir=local "${settings[@]}" || exit 1
"$AGON" cert --token lab --out lab.token --tokens tokens >/dev/null || exit 1

coordinate() {
    sbatch --parsable "$launch/slurm-coordinator.sh" "$work/url" run connect_four --quiet \
        machine.tokens=tokens "${settings[@]}"
}
in_log() { # job, text
    grep -qs "$2" "agon-worker-${workers}_$1.log"
}
state() {
    squeue -h -o %T -j "$1" 2>/dev/null
}
gone() {
    [ -z "$(state "$1")" ]
}
pid_of() { # the process that Slurm started
    scontrol listpids "$1" | awk '$4 == 0 { print $1 }'
}
number_of() { # the job of an element of the array: listpids knows no other name
    squeue -h -r -o '%A %K' -j "$workers" | awk -v element="$1" '$2 == element { print $1 }'
}

coordinator=$(coordinate)
# The node has four cores: one for the coordinator, one for each of three workers; the last two wait.
workers=$(sbatch --parsable --array=1-5 "$launch/slurm-workers.sh" "$work/url" --token lab.token)
for element in 1 2 3; do
    slurm_wait 20 in_log $element "connected to" || fault "worker $element did not connect"
done
[ "$(state "${workers}_4")" = PENDING ] || fault "worker 4 should wait for a core"

kill -KILL "$(pid_of "$(number_of 1)")"
slurm_wait 20 in_log 4 "connected to" || fault "nobody took the place of the killed worker"

number=$(number_of 2)
scancel "${workers}_2"
slurm_wait 15 gone "${workers}_2" || fault "the cancelled worker did not end"
# Ended by itself, with 0: a signal would be told here, as 0:15 or 0:9.
fate=$(scontrol show job "$number" | grep -oE '(JobState|ExitCode)=[^ ]*' | tr '\n' ' ')
[ "$fate" = "JobState=CANCELLED ExitCode=0:0 " ] || fault "the cancelled worker: $fate"
slurm_wait 20 in_log 5 "connected to" || fault "nobody took the place of the cancelled worker"

[ "$(state "$coordinator")" = RUNNING ] || fault "the run ended too early for this test"
kill -KILL "$(pid_of "$coordinator")"
slurm_wait 15 gone "$coordinator" || fault "the killed coordinator is still there"
coordinator=$(coordinate)
slurm_wait 90 gone "$coordinator" || fault "the run did not end: $(tail -n 3 agon-coordinator-*.log)"
slurm_wait 20 gone "$workers" || fault "workers outlive the run: $(squeue -h)"

want=$(python3 "$SOURCE/tests/signature.py" local)
got=$(python3 "$SOURCE/tests/signature.py" run)
[ "$got" = "$want" ] || fault "the run gives $got, a local one $want"
if [ $faults -gt 0 ]; then
    tail -n 5 agon-*.log
    exit 1
fi
echo "ok: $(grep -l 'connected to' agon-worker-*.log | wc -l) workers, $got"
