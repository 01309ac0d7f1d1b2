#!/usr/bin/env bash
# Promises of `agon cert`: openssl agrees with what it wrote and refuses what it should; keys and
# tokens are of mode 0600; nothing is overwritten; every fault is named and exits 1 or 2.
set -uo pipefail
command -v openssl >/dev/null || {
    echo "skipped: no openssl here"
    exit 77
}
faults=0
fault() {
    echo "fault: $*"
    faults=$((faults + 1))
}
dir=$(mktemp -d) && cd "$dir" || exit 1
trap 'rm -rf "$dir"' EXIT
cert() {
    "$AGON" cert "$@" >out 2>&1
}
# expect CODE TEXT WORDS: this exit code, and these words said.
expect() {
    local code=$1 text=$2
    shift 2
    cert "$@"
    local got=$?
    [ $got -eq "$code" ] || fault "cert $*: exit code $got, expected $code: $(cat out)"
    grep -qF -- "$text" out || fault "cert $*: expected '$text', said: $(cat out)"
}
verify() {
    openssl verify -x509_strict "$@" >/dev/null 2>&1
}

umask 000
expect 0 'signed by ca.pem' --dir certs --host trainer.lab --host=10.0.0.7 --host ::1
expect 0 'worker node7' --dir certs --client node7 --out node7
cp -r certs before

# What openssl says.
verify -CAfile certs/ca.pem -purpose sslserver certs/server.pem || fault "server.pem does not verify"
verify -CAfile node7/ca.pem -purpose sslclient node7/client.pem || fault "client.pem does not verify"
verify -CAfile certs/ca.pem -purpose sslclient certs/server.pem && fault "server.pem serves a client"
verify -CAfile certs/ca.pem -purpose sslserver node7/client.pem && fault "client.pem serves a server"
for host in '-verify_hostname trainer.lab' '-verify_ip 10.0.0.7' '-verify_ip ::1'; do
    verify -CAfile certs/ca.pem $host certs/server.pem || fault "server.pem is not for $host"
done
verify -CAfile certs/ca.pem -verify_hostname other.lab certs/server.pem && fault "server.pem is for other.lab"
text=$(openssl x509 -in certs/ca.pem -noout -text)
for words in 'CA:TRUE, pathlen:0' 'Certificate Sign' 'prime256v1'; do
    grep -q "$words" <<<"$text" || fault "ca.pem has no '$words'"
done
openssl x509 -in node7/client.pem -noout -subject | grep -qE 'CN ?= ?node7' || fault "client.pem is not of node7"
openssl x509 -in certs/server.pem -noout -checkend $((364 * 86400)) >/dev/null || fault "server.pem ends early"
openssl x509 -in certs/server.pem -noout -checkend $((366 * 86400)) >/dev/null && fault "server.pem ends late"
for pair in certs/ca certs/server node7/client; do
    [ "$(openssl x509 -in $pair.pem -noout -pubkey)" = "$(openssl pkey -in $pair.key -pubout)" ] ||
        fault "$pair.key is not the key of $pair.pem"
done

# Modes; what is there stays.
expect 0 'node8.token' --token node8 --out node8.token --tokens tokens
for file in certs/ca.key certs/server.key node7/client.key node8.token tokens; do
    [ "$(stat -c %a $file)" = 600 ] || fault "$file is of mode $(stat -c %a $file)"
done
expect 1 'server.pem is there already' --dir certs --host other.lab
expect 1 'client.pem is there already' --dir certs --client node9 --out node7
expect 1 "has a token 'node8'" --token node8 --out other.token --tokens tokens
expect 1 'node8.token: exists' --token node9 --out node8.token --tokens tokens
diff -r before certs || fault "files were changed"
[ -z "$(find . -name '*.agon-tmp')" ] || fault "temporary files stayed"
[ "$(sed 's/.* //' tokens)" = "$(sed 's/.* //' node8.token | tr -d '\n' | sha256sum | cut -d' ' -f1)" ] ||
    fault "tokens does not hold the SHA-256"

# Renewing: the key and the hosts stay, authority and workers too.
expect 0 '10 days' --dir certs --renew --days 10
cmp -s before/server.key certs/server.key || fault "--renew changed the key"
cmp -s before/server.pem certs/server.pem && fault "--renew did nothing"
verify -CAfile node7/ca.pem -verify_ip 10.0.0.7 certs/server.pem || fault "the renewed server.pem does not verify"
expect 0 'hosts  trainer.lab, 10.0.0.7, ::1' --show certs
expect 0 'name   node7' --show node7
expect 0 'signed by ca.pem' --dir certs --renew --host new.lab
expect 0 'hosts  new.lab' --show certs

# Faults.
expect 2 'expected one of --host' --dir certs
expect 2 '--dir DIR is missing' --host a
expect 2 "days are '0'" --dir new --host a --days 0
expect 2 '--tokens FILE go together' --token a --out b
expect 1 "'a b' is no host" --dir new --host 'a b'
expect 1 "'DNS:x,IP:1.2.3.4' is no host" --dir new --host DNS:x,IP:1.2.3.4
expect 1 'expected 1 to 63 letters' --dir certs --client '../x' --out new
expect 1 'nothing can be signed here' --dir node7 --client a --out new
expect 1 'has none of ca.pem' --show /
[ ! -e new ] || [ -z "$(ls new)" ] || fault "a refused command left files: $(ls new)"
"$AGON" cert --dir other --host trainer.lab >/dev/null
cp other/ca.pem mixed.pem && cp -r certs mixed && cp mixed.pem mixed/ca.pem
expect 1 'server.pem is not signed by mixed/ca.pem' --show mixed
expect 1 'ca.key is not the key of mixed/ca.pem' --dir mixed --client a --out new
chmod 644 certs/ca.key
expect 1 'mode 0644' --dir certs --client a --out new
echo hello >certs/server.pem
expect 1 'server.pem is not a certificate in PEM' --show certs

echo "$faults faults"
[ "$faults" -eq 0 ]
