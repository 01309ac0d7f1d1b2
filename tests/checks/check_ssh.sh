#!/usr/bin/env bash
# Promises of tools/launch/ssh-workers.sh, with a real sshd: workers on two hosts do a run with the bytes
# of a local one, though a connection breaks and a host is out of reach; a token is there with mode
# 0600, in no command line, and gone with the worker; Ctrl-C ends the workers, and so does the death of
# the script.
# shellcheck disable=SC2054
set -uo pipefail
PATH=$PATH:/usr/sbin:/sbin
for program in sshd ssh ssh-keygen; do
    command -v $program >/dev/null || {
        echo "skipped: no $program here (Debian: openssh-server openssh-client)"
        exit 77
    }
done
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
port() {
    "${SOURCE:?}/tests/ports.py"
}
work=$(mktemp -d) && cd "$work" || exit 1
sshd='' loop='' run=''
finish() {
    local pid
    for pid in $loop $run $sshd; do kill "$pid"; done 2>/dev/null
    wait
    rm -rf "$work"
}
trap finish EXIT

# sshd as root wants this directory; an init script would have made it.
[ "$(id -u)" -ne 0 ] || [ -d /run/sshd ] || mkdir -m 755 /run/sshd
mkdir remote
ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' -f me || exit 1
ssh_port=$(port)
cat >sshd_config <<END
ListenAddress 127.0.0.1
Port $ssh_port
HostKey $work/host
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
AuthorizedKeysFile $work/me.pub
SetEnv TMPDIR=$work/remote
END
cat >ssh_config <<END
Host one two
    Port $ssh_port
Host away
    Port 1
Host *
    HostName 127.0.0.1
    HostKeyAlias lab
    IdentityFile $work/me
    IdentitiesOnly yes
    UserKnownHostsFile $work/known
    GlobalKnownHostsFile /dev/null
END
echo "lab $(cut -d ' ' -f 1,2 host.pub)" >known
"$(command -v sshd)" -D -e -f sshd_config 2>sshd.log &
sshd=$!
wait_for 10 ssh -F ssh_config -o BatchMode=yes one true || {
    echo "skipped: sshd lets nobody in here: $(tail -n 2 sshd.log)"
    exit 77
}

settings=(population.size=4 train.generations=80 train.rollouts=2 train.lanes=16 train.horizon=32
    net.hidden=64,64 metrics.every=40 metrics.games=8 metrics.anchor_games=8 metrics.final_games=16
    metrics.probes=64 metrics.bootstrap=50)
"$AGON" train connect_four --quiet run.dir=local "${settings[@]}" || exit 1
"$AGON" cert --token lab --out lab.token --tokens tokens >/dev/null || exit 1
url=tcp://127.0.0.1:$(port)
printf 'one 1\n# a comment\n\ntwo\naway\n' >hosts
start_loop() {
    # Job control, so that SIGINT is not ignored as in other background commands.
    set -m
    "$SOURCE/tools/launch/ssh-workers.sh" hosts "$url" --token lab.token --agon "$AGON" \
        --ssh "ssh -F $work/ssh_config" --again 1 -- --dir "$work/cache" >"$1" 2>&1 &
    loop=$!
    set +m
}
workers() { # the processes, of this test only
    grep -lzsx -- "$work/cache" /proc/[0-9]*/cmdline | while read -r file; do
        tr '\0' '\n' <"$file" | sed -n 2p | grep -qx worker && echo "${file//[^0-9]/}"
    done
}
some_workers() { [ "$(workers | wc -l)" -eq "$1" ]; }
times() { # how often, text
    [ "$(grep -c "$2" loop.log)" -ge "$1" ]
}

start_loop loop.log
wait_for 10 some_workers 2 || fault "no two workers: $(cat loop.log)"
[ "$(stat -c %a remote/*/token | sort -u)" = 600 ] || fault "mode of a token: $(stat -c %a remote/*/*)"
[ "$(cat remote/*/token | sort -u)" = "$(cat lab.token)" ] ||
    fault "the token is not what was sent"
grep -lsF "$(cut -d ' ' -f 2 lab.token)" /proc/[0-9]*/cmdline && fault "the token is in a command line"

"$AGON" train connect_four --quiet run.dir=run machine.listen="$url" machine.tokens=tokens \
    "${settings[@]}" >/dev/null &
run=$!
for host in one two; do
    wait_for 20 times 1 "$host: up" || fault "$host is not up: $(cat loop.log)"
done
kill "$(pgrep -f -- "-F $work/ssh_config .* one ")"
wait_for 20 times 1 'one: down, code' || fault "a broken connection: $(cat loop.log)"
wait_for 20 times 2 'one: up' || fault "one did not come back: $(cat loop.log)"
kill -0 $run || fault "the run ended too early for this test"
times 1 'away: down, code 255; again' || fault "a host out of reach is not named"
wait $run || fault "the run failed"
run=''
kill -INT $loop
wait_for 20 sh -c "! kill -0 $loop" || fault "Ctrl-C does not end it: $(cat loop.log)"
wait $loop || fault "its exit code after Ctrl-C is $?"
some_workers 0 || fault "workers are left behind"
[ -z "$(ls remote)" ] || fault "secrets are left behind"
want=$(python3 "$SOURCE/tests/signature.py" local)
got=$(python3 "$SOURCE/tests/signature.py" run)
[ "$got" = "$want" ] || fault "the run gives $got, a local one $want"

start_loop second.log
wait_for 10 some_workers 2 || fault "no two workers the second time: $(cat second.log)"
kill -KILL $loop
wait $loop 2>/dev/null
wait_for 20 some_workers 0 || fault "workers outlive the script"
wait_for 5 rmdir remote || fault "secrets outlive the script"
loop=''
if [ $faults -gt 0 ]; then
    tail -n 20 loop.log
    exit 1
fi
echo "ok: $(grep -c 'connected to' loop.log) connections, $got"
