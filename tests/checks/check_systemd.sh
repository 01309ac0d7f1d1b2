#!/usr/bin/env bash
# Promises of the units in tools/launch/systemd: systemd finds no fault in them, and little that they
# could do besides their work; their ExecStart lines do a run over TLS with tokens. Where this may start
# a systemd of its own, that runs them as they are: the coordinator killed and started again, the worker
# stopped (it drains) and started again, the bytes of a local run, and nothing open to other users.
# shellcheck disable=SC2054
set -uo pipefail
command -v systemd-analyze >/dev/null || {
    echo "skipped: no systemd-analyze here (Debian: systemd)"
    exit 77
}
faults=0
fault() {
    echo "fault: $*"
    faults=$((faults + 1))
}
wait_for() { # seconds, command: until it succeeds
    local tries=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.1
    done
}
work=$(mktemp -d) && cd "$work" || exit 1
boot='' cgroup='' worker='' coordinator=''
finish() {
    local pid
    for pid in $worker $coordinator; do kill "$pid"; done 2>/dev/null
    # The first process of a PID namespace takes all others with it.
    [ -z "$boot" ] || kill -KILL "$(pgrep -P "$boot")" 2>/dev/null
    wait
    [ -z "$cgroup" ] || find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT

settings=(population.size=4 train.generations=80 train.rollouts=2 train.lanes=16 train.horizon=32
    net.hidden=64,64 metrics.every=40 metrics.games=8 metrics.anchor_games=8 metrics.final_games=16
    metrics.probes=64 metrics.bootstrap=50)
"$AGON" train connect_four --quiet run.dir=local "${settings[@]}" || exit 1
want=$(python3 "$SOURCE/tests/signature.py" local)

# Files as they would be on a machine: below $work/files.
etc=files/etc/agon lib=files/usr/local
mkdir -p $etc files/etc/systemd/system $lib/bin $lib/share/agon
cp "$AGON" $lib/bin/agon
cp -r "$SOURCE/tools/launch" $lib/share/agon/launch
cp $lib/share/agon/launch/systemd/*.service files/etc/systemd/system
mkdir "files/etc/systemd/system/agon-coordinator@.service.d" # so that this test is shorter
printf '[Service]\nRestartSec=1\n' >"files/etc/systemd/system/agon-coordinator@.service.d/test.conf"
"$AGON" cert --dir $etc --host 127.0.0.1 >/dev/null || exit 1
"$AGON" cert --token node --out $etc/worker-lab.token --tokens $etc/coordinator-lab.tokens >/dev/null
address=127.0.0.1:$("$SOURCE/tests/ports.py")
printf 'AGON_CONNECT=tls://%s\nAGON_OPTIONS=--threads 2 --cache 1G\n' "$address" >$etc/worker-lab.conf
printf 'AGON_GAME=connect_four\nAGON_LISTEN=tls://%s\nAGON_OPTIONS=--quiet %s\n' "$address" \
    "${settings[*]}" >$etc/coordinator-lab.conf

for unit in agon-worker agon-coordinator; do
    sed "s#/usr/local/#$work/$lib/#" "$SOURCE/tools/launch/systemd/$unit@.service" >"$unit@lab.service"
    said=$(systemd-analyze verify "./$unit@lab.service" 2>&1) || fault "$unit: verify failed"
    [ -z "$said" ] || fault "$unit: $said"
    systemd-analyze security --offline=true --threshold=20 --no-pager "./$unit@lab.service" >said 2>&1 ||
        fault "$unit: $(tail -n 1 said)"
done

# What systemd makes of an ExecStart line, for directories of this test.
start() { # unit
    local line
    line=$(sed -n 's/^ExecStart=//p' "$1@lab.service")
    line=${line//%d/$work/credentials} line=${line//%S/$work/state} line=${line//%C/$work/cache}
    line=${line//%i/lab} line=${line//%H/host}
    set -a
    # shellcheck disable=SC1090
    . <(sed 's/=\(.*\)/="\1"/' "$etc/${1#agon-}-lab.conf")
    AGON=$work/$lib/bin/agon
    eval "exec $line"
}
mkdir credentials
sed -n 's/^LoadCredential=//p' agon-*@lab.service | while IFS=: read -r name path; do
    install -m 400 "files${path//%i/lab}" "credentials/$name"
done
(start agon-coordinator >coordinator.log 2>&1) &
coordinator=$!
(start agon-worker >worker.log 2>&1) &
worker=$!
wait $coordinator || fault "the coordinator's ExecStart: $(tail -n 3 coordinator.log)"
coordinator=''
kill $worker
wait $worker || fault "the worker's ExecStart: $(tail -n 3 worker.log)"
worker=''
got=$(python3 "$SOURCE/tests/signature.py" state/agon/lab/run)
[ "$got" = "$want" ] || fault "ExecStart lines: the run gives $got, a local one $want"
[ $faults -eq 0 ] || exit 1
echo "ok: units, and their ExecStart lines by hand"

root=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)
mkdir boot
if [ "$(id -u)" -ne 0 ] || [ ! -x /lib/systemd/systemd ] || [ -z "$root" ] ||
    ! mkdir "$root/agon-check.$$" 2>/dev/null; then
    echo "skipped: units under a systemd of this test, no right or no cgroup2 here"
    exit 0
fi
cgroup=$root/agon-check.$$
# shellcheck disable=SC2016
sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$cgroup" \
    unshare --mount --pid --fork --cgroup --uts --ipc \
    "$SOURCE/tests/checks/systemd_boot.sh" "$work/boot" "$work/files" >boot.log 2>&1 &
boot=$!
inside() {
    nsenter --target "$(pgrep -P $boot)" --mount --pid --cgroup --uts --ipc -- "$@"
}
active() { # unit, state
    [ "$(inside systemctl is-active "$1@lab")" = "$2" ]
}
log() {
    inside journalctl --no-pager --output=cat --unit "$1@lab"
}
logged() { # unit, how often, text
    [ "$(log "$1" | grep -c "$3")" -ge "$2" ]
}
wait_for 20 inside systemctl is-active basic.target || {
    echo "skipped: units under a systemd of this test, it does not start: $(tail -n 2 boot.log)"
    exit 0
}
inside systemctl start systemd-journald
for unit in agon-worker agon-coordinator; do
    inside systemctl start "$unit@lab" || fault "$unit does not start: $(log "$unit")"
done
wait_for 10 logged agon-worker 1 "connected to" || fault "the worker: $(log agon-worker)"
sleep 0.5
inside systemctl kill --signal=KILL agon-coordinator@lab
wait_for 5 active agon-coordinator activating || fault "the coordinator ended before this test"
inside systemctl stop agon-worker@lab || fault "the worker does not stop"
fate=$(inside systemctl show --value --property=Result,ExecMainStatus agon-worker@lab | tr '\n' ' ')
[ "$fate" = "success 0 " ] || fault "the stopped worker: $fate"
inside systemctl start agon-worker@lab
wait_for 60 active agon-coordinator inactive || fault "the run did not end: $(log agon-coordinator)"
active agon-worker active || fault "the worker did not stay: $(log agon-worker)"
pid=$(pgrep -P $boot)
for dir in cache/private/agon/lab lib/private/agon/lab; do
    [ "$(stat -c %a "/proc/$pid/root/var/$dir")" = 700 ] || fault "/var/$dir is open to others"
done
cp -r "/proc/$pid/root/var/lib/private/agon/lab/run" run
got=$(python3 "$SOURCE/tests/signature.py" run)
[ "$got" = "$want" ] || fault "under systemd the run gives $got, a local one $want"
[ $faults -eq 0 ] || exit 1
echo "ok: units under systemd $(inside systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p'), $got"
