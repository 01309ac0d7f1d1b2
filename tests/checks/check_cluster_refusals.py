#!/usr/bin/env python3
"""Promise: who may not work for a run is refused with a message of its own: no token, an unknown one, a wrong one, one
that was revoked, a replayed handshake, certificates that are expired, for another host, or of another authority (of
coordinator and worker), a game of the same name with other rules, and plain where TLS is spoken. Expired ones need
the program openssl."""
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests", "net"))
import wire  # noqa: E402
from cluster import AGON, PATIENCE, TINY, Cluster, Failure, Reference, until  # noqa: E402

failures = []


def check(name, good, text=""):
    print(("ok " if good else "FAILED ") + name + ("" if good else f":\n{text}"), flush=True)
    if not good:
        failures.append(name)


def refused(name, worker, *words):
    """It ends with 1, and says why in these words."""
    try:
        code = worker.wait(30)
    except Failure:
        code = "it still runs"
    lacking = [w for w in words if w not in worker.text()]
    check(name, code == 1 and not lacking, f"{code}, {lacking} lacks in:\n{worker.text()}")


def complains(name, worker, *words):
    """It says why in these words, and may try again."""
    try:
        until(name, lambda: all(w in worker.text() for w in words) or not worker.running(), 15)
    except Failure:
        pass
    check(name, all(w in worker.text() for w in words), f"{words} lack in:\n{worker.text()}")
    worker.kill()


def run(*command, cwd=None):
    r = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=cwd)
    if r.returncode:
        raise SystemExit(f"{' '.join(command)}: {r.stdout}{r.stderr}")


# ---- tokens -------------------------------------------------------------------------------------------

def receive(sock):
    """Messages until the other side ends."""
    data, seen = b"", []
    while chunk := sock.recv(65536):
        data += chunk
        packets, data = wire.Frames.split(data)
        seen += [wire.message(p[4:]) for p in packets]
    return seen


def replay(cluster, spoken):
    with socket.create_connection(cluster.meeting(), timeout=10) as s:
        s.sendall(b"".join(spoken))
        return receive(s)


def tokens(work, reference):
    place = os.path.join(work, "tokens-of")
    os.makedirs(place)

    def token(name, tokens_file):
        run(AGON, "cert", "--token", name, "--out", f"{place}/{name}.{tokens_file}", "--tokens", f"{place}/{tokens_file}")
        return f"{place}/{name}.{tokens_file}"
    node, other, stranger = token("node", "known"), token("node", "other"), token("stranger", "other")
    with Cluster(os.path.join(work, "tokens"), "tcp", reference, words=[f"machine.tokens={place}/known"]) as c:
        c.coordinate()
        refused("no token", c.worker("bare"), "asks for a token")
        refused("an unknown token", c.worker("unknown", "--token", stranger), "no token of the name 'stranger'")
        refused("a wrong token", c.worker("wrong", "--token", other), "does not fit the token 'node'")
        spoken = []

        def note(proxy, link, up, message, packet):
            if message and message["is"] in ("HELLO", "AUTH"):
                spoken.append(packet)
        good = c.worker("good", "--token", node, before=lambda w: w.proxy.rules.append(note))
        good.says("connected to")
        until("a handshake", lambda: len(spoken) == 2)
        answer = [m for m in replay(c, spoken) if m and m["is"] == "REJECT"]
        check("a replayed handshake", answer and answer[0]["code"] == 3 and "replayed handshake" in answer[0]["text"], answer)
        with open(f"{place}/known", "w"):
            pass  # nobody is in it any more
        good.proxy.cut()
        refused("a revoked token", good, "no token of the name 'node'")


# ---- certificates -------------------------------------------------------------------------------------

CONFIG = """[ca]
default_ca = here
[here]
dir = {at}
database = {at}/index
serial = {at}/serial
new_certs_dir = {at}
default_md = default
policy = any
[any]
commonName = supplied
[made]
subjectAltName = IP:127.0.0.1
extendedKeyUsage = serverAuth,clientAuth
"""


def expired(certs, into, names):
    """Certificates in `into` for the keys there, as agon's but of 2020."""
    with open(f"{into}/index", "w"), open(f"{into}/serial", "w") as serial, open(f"{into}/config", "w") as config:
        serial.write("1000\n")
        config.write(CONFIG.format(at=into))
    for name in names:
        run("openssl", "req", "-new", "-key", f"{into}/{name}.key", "-subj", f"/CN=late {name}", "-out", f"{into}/request")
        run("openssl", "ca", "-batch", "-notext", "-config", f"{into}/config", "-extensions", "made", "-cert",
            f"{certs}/ca.pem", "-keyfile", f"{certs}/ca.key", "-startdate", "20200101000000Z", "-enddate",
            "20200201000000Z", "-in", f"{into}/request", "-out", f"{into}/{name}.pem")


def greeting(port, context=None):
    """What a client that says nonsense hears: the words of its TLS library, or bytes."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
            s = context.wrap_socket(s, server_hostname="127.0.0.1") if context else s
            s.sendall(wire.frame(b"x"))
            while s.recv(4096):
                pass
    except OSError as why:
        return str(why)
    return "the end"


def certificates(work, reference):
    words = ["machine.tokens="]  # certificates of workers instead
    with Cluster(os.path.join(work, "certificates"), "tls", reference, words=words) as c:
        foreign, elsewhere, late, node, spy = (f"{c.work}/{n}" for n in ("foreign", "elsewhere", "late", "node", "spy"))
        c.cert("--dir", c.certs, "--client", "node", "--out", node)
        c.cert("--dir", foreign, "--host", "127.0.0.1")
        c.cert("--dir", foreign, "--client", "spy", "--out", spy)
        shutil.copytree(c.certs, elsewhere)
        c.cert("--dir", elsewhere, "--host", "trainer.lab", "--renew")
        c.coordinate()

        def sees(name, shown, *expected):
            complains(name, c.worker(f"misled-{len(c.workers)}", "--tls", node, shown=shown), *expected)

        def shows(name, shown, *expected):
            context = ssl.create_default_context(cafile=f"{c.certs}/ca.pem")
            if shown:
                context.load_cert_chain(f"{shown}/client.pem", f"{shown}/client.key")
            heard = greeting(c.port, context)
            check(name, any(w in heard.lower() for w in expected), heard)
        sees("a coordinator of another authority", foreign, "signed by an unknown authority")
        sees("a coordinator of another host", elsewhere, "the certificate is for host trainer.lab, not 127.0.0.1")
        shows("a worker of another authority", spy, "unknown ca")
        shows("a worker without certificate", None, "certificate required")
        if not shutil.which("openssl"):
            print("skipped expired certificates: no program openssl here")
            return
        shutil.copytree(c.certs, late)
        shutil.copy(f"{node}/client.key", late)
        expired(c.certs, late, ("server", "client"))
        sees("a coordinator's expired certificate", late, "has expired")
        shows("a worker's expired certificate", late, "expired")
        plain = Cluster(os.path.join(work, "plain"), "tcp", reference)
        plain.port = c.port
        complains("plain where TLS is spoken", plain.worker("plain"), "tls://")
        plain.__exit__(None, None, None)


# ---- games --------------------------------------------------------------------------------------------

def games(work):
    here, there = os.path.join(work, "here"), os.path.join(work, "there")
    os.makedirs(here)
    os.makedirs(there)
    run(AGON, "new-game", "first", cwd=here)
    run(AGON, "build-game", "first.c", cwd=here)
    with open(f"{here}/first.c") as f:
        text = f.read()
    changed = text.replace("stones", "pebbles")  # the name of its parameter
    if changed == text:
        raise SystemExit("the template has no parameter 'stones' any more")
    with open(f"{there}/first.c", "w") as f:
        f.write(changed)
    run(AGON, "build-game", "first.c", cwd=there)
    reference = Reference(work, f"{here}/first.so", [*TINY, "train.generations=2", "net.hidden=16"])
    with Cluster(os.path.join(work, "games"), "tcp", reference) as c:
        c.coordinate()
        refused("a game with other rules", c.worker("other", "--game", f"{there}/first.so"), "the rules of first are",
                "same game file")
        lacks = c.worker("lacks")
        lacks.says("connected to")
        c.worker("same", "--game", f"{here}/first.so")
        c.ends_right()
        check("a worker without the game gets none of its tasks", " 0 tasks" in lacks.text() or "tasks" not in lacks.text(),
              lacks.text())


def main():
    work = tempfile.mkdtemp()
    try:
        reference = Reference(work)
        reference.words = [w for w in TINY if not w.startswith("train.generations")] + ["train.generations=100000"]
        tokens(work, reference)
        certificates(work, reference)
        games(os.path.join(work, "plugin"))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if failures:
        raise SystemExit(f"failed: {', '.join(failures)}")


if __name__ == "__main__":
    main()
