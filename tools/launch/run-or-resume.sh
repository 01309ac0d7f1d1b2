#!/bin/sh
# Starts a run, or goes on with it where it stopped: one command line for whoever starts a coordinator
# again after a restart (Slurm's requeue, systemd, Kubernetes).
#   run-or-resume.sh RUN GAME [section.key=value ...]
#   run-or-resume.sh runs/lab connect_four machine.listen=tcp://0.0.0.0:7766 machine.tokens=tokens
# RUN is its directory. A run that exists keeps its settings; of what is given here it takes machine.*
# and options of one word, as --quiet.
# AGON names another binary than the `agon` of PATH.
set -eu
if [ $# -lt 2 ]; then
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
run=$1
shift
if [ ! -e "$run/run.db" ]; then
    exec "${AGON:-agon}" train "$@" run.dir="$run"
fi
shift
for word in "$@"; do # each is taken from the front, and put back at the end if it may stay
    shift
    case $word in
        machine.* | -*) set -- "$@" "$word" ;;
    esac
done
exec "${AGON:-agon}" train --resume "$run" "$@"
