# shellcheck shell=bash
# Sourced by checks: `slurm_start DIR` starts a Slurm of one node in DIR, as this user and on free
# ports, with keys and files of its own; it sets SLURM_CONF. `slurm_stop` ends it and what runs in it.
# A return code of 77: not here, and said why.
slurm_port() {
    "${SOURCE:?}/tests/ports.py"
}
slurm_wait() { # seconds, command: until it succeeds
    local tries=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.1
    done
}
slurm_start() {
    local dir=$1 program user
    PATH=$PATH:/usr/sbin:/sbin
    for program in munged slurmctld slurmd sbatch; do
        command -v $program >/dev/null || {
            echo "skipped: no $program here (Debian: munge slurmctld slurmd slurm-client)"
            return 77
        }
    done
    user=$(id -un)
    mkdir -p "$dir"/{state,spool,m}
    chmod 755 "$dir" "$dir/m"
    (umask 077 && head -c 1024 /dev/urandom >"$dir/munge.key")
    munged --force --key-file="$dir/munge.key" --socket="$dir/m/socket" \
        --pid-file="$dir/m/pid" --log-file="$dir/m/log" --seed-file="$dir/m/seed" 2>"$dir/m/err" || {
        echo "skipped: munged does not start here: $(tail -n 1 "$dir/m/err")"
        return 77
    }
    export SLURM_CONF=$dir/slurm.conf
    cat >"$SLURM_CONF" <<END
ClusterName=agon
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmUser=$user
SlurmdUser=$user
AuthInfo=socket=$dir/m/socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=0
SlurmctldPort=$(slurm_port)
SlurmdPort=$(slurm_port)
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
MpiDefault=none
SlurmdParameters=config_overrides
KillWait=20
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=4 RealMemory=100 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES State=UP
END
    slurmctld -f "$SLURM_CONF" -D >"$dir/slurmctld.out" 2>&1 &
    SLURMCTLD=$!
    slurmd -f "$SLURM_CONF" -D >"$dir/slurmd.out" 2>&1 &
    SLURMD=$!
    slurm_wait 15 sh -c 'sinfo -h -o %T | grep -qx idle' || {
        echo "skipped: Slurm does not start here: $(tail -n 2 "$dir"/slurm*.out "$dir"/slurm*.log)"
        return 77
    }
}
# Jobs first: slurmd waits for those that end while it stops.
slurm_stop() {
    local dir=$1 pid
    if [ -n "${SLURMCTLD:-}" ] && squeue -h >/dev/null 2>&1; then
        scancel --full --signal=KILL --user="$(id -un)"
        slurm_wait 10 sh -c '! squeue -h | grep -q .'
    fi
    for pid in ${SLURMD:-} ${SLURMCTLD:-}; do
        kill "$pid"
        slurm_wait 5 sh -c "! kill -0 $pid" || kill -KILL "$pid"
        wait "$pid"
    done
    [ ! -s "$dir/m/pid" ] || kill "$(cat "$dir/m/pid")"
} 2>/dev/null
