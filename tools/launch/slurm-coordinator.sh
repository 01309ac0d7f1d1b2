#!/bin/bash
# A run's coordinator as a Slurm job, where the login node may not run it:
#   sbatch --time=2-0 slurm-coordinator.sh FILE RUN GAME [section.key=value ...]
#   sbatch slurm-coordinator.sh runs/url runs/lab connect_four machine.tokens=tokens
# Writes its URL into FILE, for slurm-workers.sh; FILE and the directory RUN are on a file system that
# all nodes see. Submitted again, or queued again by Slurm, it goes on with the run.
# AGON_SCHEME is tcp or tls; AGON_PORT the port. Without it each job has one of its own, so that two
# may share a node.
#SBATCH --job-name=agon-coordinator
#SBATCH --ntasks=1
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@60
#SBATCH --output=agon-coordinator-%j.log
set -eu
if [ $# -lt 3 ]; then
    echo "slurm-coordinator.sh: expected FILE RUN GAME [section.key=value ...]" >&2
    exit 2
fi
file=$1 run=$2
shift 2
# Slurm runs a copy of this script; what is beside it is where that was taken from.
script=$(scontrol show job "$SLURM_JOB_ID" | sed -n 's/^ *Command=\([^ ]*\).*/\1/p')
scheme=${AGON_SCHEME:-tcp}
port=${AGON_PORT:-$((20000 + SLURM_JOB_ID % 10000))}
host=$(hostname)
echo "$scheme://$host:$port" >"$file.new"
mv "$file.new" "$file"
echo "workers: $scheme://$host:$port"
exec "$(dirname "$script")/run-or-resume.sh" "$run" "$@" machine.listen="$scheme://0.0.0.0:$port"
