#!/usr/bin/env bash
# Workers on hosts that ssh reaches, while this runs:
#   ssh-workers.sh HOSTS URL [options] [-- option of agon worker ...]
#   ssh-workers.sh hosts tls://trainer:7766 --token lab.token --tls node7
#   ssh-workers.sh hosts tcp://trainer:7766 --token lab.token -- --cache 4G
# HOSTS is a file with a line for each host: a name as ssh knows it, and the tasks at a time if not one
# per core. The worker's output is shown behind the host's name. A connection that is lost is tried
# again. Ctrl-C: the workers finish what runs and end; so they do when this machine is gone.
#   --token FILE     the workers' token, copied with mode 0600, removed when the worker ends
#   --tls DIR        ca.pem, and client.pem with client.key where they are, copied likewise
#   --agon PATH      the binary on those hosts; default agon
#   --ssh COMMAND    default: ssh; as in --ssh 'ssh -F FILE -p 2222'
#   --again SECONDS  before a host is tried again; default 10
# Keys have to do without passwords (ssh-agent); hosts have to be in known_hosts.
set -euo pipefail

fail() {
    echo "ssh-workers.sh: $1" >&2
    exit 2
}
[ $# -ge 2 ] || {
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | grep -v '^set' >&2
    exit 2
}
hosts=$1 url=$2 token='' tls='' agon=agon again=10
ssh=(ssh)
shift 2
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    [ $# -ge 2 ] || fail "$1: expected a value; without words it shows how it is used"
    case $1 in
        --token) token=$2 ;;
        --tls) tls=$2 ;;
        --agon) agon=$2 ;;
        --ssh) read -ra ssh <<<"$2" ;;
        --again) again=$2 ;;
        *) fail "unknown option '$1'; without words it shows how it is used" ;;
    esac
    shift 2
done
[ $# -eq 0 ] || shift
[ -r "$hosts" ] || fail "$hosts: no such file of hosts"
[ -z "$token" ] || [ -r "$token" ] || fail "$token: cannot be read"
[ -z "$tls" ] || [ -r "$tls/ca.pem" ] || fail "$tls/ca.pem: cannot be read"
[[ $url == *://* ]] || fail "'$url': expected a URL, as tcp://HOST:7766"

# What runs on a host. Its standard input is lines of NAME and a file in base64, then "-", then nothing
# until the connection ends, which asks the worker to stop: ssh carries no signals.
# shellcheck disable=SC2016
remote='
umask 077
secrets=$(mktemp -d) || exit
trap "rm -rf \"$secrets\"" EXIT
while read -r name text && [ "$name" != - ]; do
    printf %s "$text" | base64 -d >"$secrets/$name" || exit
done
[ ! -e "$secrets/token" ] || set -- "$@" --token "$secrets/token"
[ ! -e "$secrets/ca.pem" ] || set -- "$@" --tls "$secrets"
trap "" INT HUP PIPE
"$@" </dev/null &
worker=$!
trap "kill -TERM $worker" TERM
exec 3<&0
{ read -r end; kill -TERM $worker; } <&3 >/dev/null 2>&1 &
watch=$!
wait $worker
code=$?
while kill -0 $worker 2>/dev/null; do wait $worker; code=$?; done
kill $watch 2>/dev/null
exit $code'

quote() { # for the other shell
    local word
    for word in "$@"; do printf "'%s' " "${word//\'/\'\\\'\'}"; done
}
send() { # one line of a file
    printf '%s ' "$1"
    base64 <"$2" | tr -d '\n'
    echo
}
secrets() {
    local name
    [ -z "$token" ] || send token "$token"
    for name in ca.pem client.pem client.key; do
        [ -z "$tls" ] || [ ! -e "$tls/$name" ] || send "$name" "$tls/$name"
    done
    echo -
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Open for writing here and nowhere else, so that who reads it sees when this stops, however it ends.
mkfifo "$work/run"
exec 9<>"$work/run"
mkdir "$work/up"

say() { # who is up, and what changed
    echo "$1 ($(find "$work/up" -type f | wc -l) of $count hosts up)"
}
show() { # host: lines, and that the first of them is there
    local line
    while IFS= read -r line; do
        [ -e "$work/up/$1" ] || case $line in "connected to "*)
            : >"$work/up/$1"
            say "$1: up"
            ;;
        esac
        printf '%s: %s\n' "$1" "$line"
    done
}
attempt() { # host, threads: until its worker ends
    local host=$1 words=("$agon" worker --connect "$url") code=0 input
    [ -z "$2" ] || words+=(--threads "$2")
    shift 2
    words+=("$@")
    exec 7< <(secrets && exec cat <&6)
    input=$!
    "${ssh[@]}" -o BatchMode=yes -o ServerAliveInterval=15 -T "$host" \
        "exec sh -c $(quote "$remote" agon "${words[@]}")" <&7 7<&- 2>&1 | show "$host" || code=$?
    exec 7<&-
    kill $input 2>/dev/null || true
    rm -f "$work/up/$host"
    return "$code"
}
keep() { # host, threads: again while the connection is what failed, or the worker was killed
    local code
    exec 6<"$work/run" 9>&-
    while :; do
        code=0
        attempt "$@" || code=$?
        if [ -e "$work/stop" ] || [ $code -lt 129 ]; then break; fi
        say "$1: down, code $code; again in $again s"
        read -rt "$again" <&6 || [ $? -gt 128 ] || break
    done
    say "$1: ended, code $code"
}

count=$(grep -cvE '^[[:space:]]*(#|$)' "$hosts") || fail "$hosts: names no host"
while read -r host threads _ <&8; do
    case $host in '' | '#'*) continue ;; esac
    keep "$host" "${threads:-}" "$@" &
done 8<"$hosts"
stop() {
    trap '' INT TERM
    : >"$work/stop"
    echo "stopping: workers finish what runs"
    exec 9>&-
}
trap stop INT TERM
# A wait that a signal ended is not the end of those waited for.
until wait; [ -z "$(jobs -r)" ]; do :; done
