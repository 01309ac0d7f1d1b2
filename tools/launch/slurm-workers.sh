#!/bin/bash
# Workers of a run as a Slurm job array:
#   sbatch --array=1-16 -c 8 slurm-workers.sh URL [option of agon worker ...]
#   sbatch --array=1-16 -c 8 slurm-workers.sh FILE --token ~/.agon/token
# FILE holds the URL: slurm-coordinator.sh writes it, and a worker that is first waits for it.
# Each worker takes the cores that Slurm gave it, and ends with the run. A node that fails, or is
# wanted for something else, has its worker queued again; its tasks go to the others meanwhile.
# `scancel JOB` and the end of the time limit let a worker finish what it can or hand it back.
# AGON names another binary than the `agon` of PATH; it must be seen on every node.
#SBATCH --job-name=agon-worker
#SBATCH --ntasks=1
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@30
#SBATCH --output=agon-worker-%A_%a.log
set -eu
if [ $# -lt 1 ]; then
    echo "slurm-workers.sh: expected the URL of a coordinator, or a file that holds it" >&2
    exit 2
fi
where=$1
shift
if [[ $where != *://* ]]; then
    [ -s "$where" ] || echo "waiting for $where"
    until [ -s "$where" ]; do sleep 1; done
    where=$(<"$where")
fi
# On the node's own disk, and shared by the workers there: what one of them left is delivered by the
# next. Others may write to /tmp, too, so it has to be ours.
dir=${TMPDIR:-/tmp}/agon-$SLURM_JOB_USER
mkdir -m 700 "$dir" 2>/dev/null || true
[ -O "$dir" ] || { echo "slurm-workers.sh: $dir is not yours; set TMPDIR" >&2 && exit 1; }
# In the place of this shell: scancel signals every process of a job, and a shell that passed the
# signal on would give the worker two, which means to drop everything.
exec "${AGON:-agon}" worker --connect "$where" --threads "$SLURM_CPUS_ON_NODE" --dir "$dir" \
    --name "$(hostname -s)-${SLURM_ARRAY_TASK_ID:-$SLURM_JOB_ID}" --once "$@"
