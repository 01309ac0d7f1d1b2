#!/usr/bin/env python3
"""Promise: with the configuration that tools/launch/nats ships, a NATS server lets nobody in without a key that it
knows, speaks TLS 1.3 alone, and gives a worker no more than it needs: no task can be published, no stream changed,
no other worker heard; and a run with keys and TLS ends with the bytes of a local one."""
import base64
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests"))
from nats import AGON, SHIPPED, Processes, find_server, finish, free_port, signature, text  # noqa: E402

SETTINGS = ("tic_tac_toe population.size=3 train.generations=3 train.rollouts=2 train.lanes=16 "
            "train.horizon=16 net.hidden=32 metrics.every=2 metrics.games=4 metrics.anchor_games=4 "
            "metrics.final_games=4 metrics.probes=32 metrics.bootstrap=50").split()
faults = 0


def expect(what, holds, detail=""):
    global faults
    if not holds:
        print(f"does not hold: {what}\n{detail}")
        faults += 1


def agon(*words):
    return subprocess.run([AGON, *words], capture_output=True, text=True, check=True).stdout


def adapt(name, to, changes, where):
    """A shipped file with other ports; every change must find its place."""
    with open(os.path.join(SHIPPED, name)) as f:
        content = f.read()
    for old, new in changes:
        if old not in content:
            raise SystemExit(f"{name} has no longer '{old}'")
        content = content.replace(old, new)
    with open(os.path.join(where, to), "w") as f:
        f.write(content)


def make_users(where, space, *names):
    for name in names:
        with open(os.path.join(where, name + ".pub"), "w") as f:
            f.write(agon("cert", "--nkey", os.path.join(where, name + ".nkey")))
    with open(os.path.join(where, "users.conf"), "w") as f:
        subprocess.run([os.path.join(SHIPPED, "users"), space, *(n + ".pub" for n in names)], cwd=where,
                       stdout=f, check=True)


def sign(seed_file, nonce, work):
    """What nk does, by OpenSSL: also a check of the keys that agon makes."""
    with open(seed_file) as f:
        seed = f.read().strip()
    raw = base64.b32decode(seed + "=" * (-len(seed) % 8))[2:34]
    key, data = os.path.join(work, "raw.der"), os.path.join(work, "nonce")
    with open(key, "wb") as f:
        f.write(bytes.fromhex("302e020100300506032b657004220420") + raw)
    with open(data, "wb") as f:
        f.write(nonce.encode())
    signed = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-keyform", "DER",
                             "-in", data], capture_output=True, check=True).stdout
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")


class Client:
    """A worker that does not keep to what agon does."""

    def __init__(self, work, port, key=None, signed_with=None, highest=None):
        self.raw = socket.create_connection(("127.0.0.1", port), 5)
        info = b""
        while not info.endswith(b"\r\n"):
            info += self.raw.recv(4096)
        nonce = json.loads(info[5:]).get("nonce", "")
        context = ssl.create_default_context(cafile=os.path.join(work, "certs", "ca.pem"))
        if highest:
            context.maximum_version = highest
        self.tls = context.wrap_socket(self.raw, server_hostname="127.0.0.1")
        options = {"verbose": False, "pedantic": False, "lang": "check", "version": "0", "headers": True}
        if key:
            with open(os.path.join(work, key + ".pub")) as f:
                options["nkey"] = f.read().strip()
            options["sig"] = sign(os.path.join(work, (signed_with or key) + ".nkey"), nonce, work)
        self.tls.sendall(f"CONNECT {json.dumps(options)}\r\nPING\r\n".encode())
        self.tls.settimeout(5)

    def until(self, words):
        got = b""
        try:
            while not any(w in got for w in words):
                part = self.tls.recv(65536)
                if not part:
                    break
                got += part
        except OSError:
            pass
        return got.decode(errors="replace")

    def say(self, line):
        """What the server answers to a line."""
        self.tls.sendall(line.encode() + b"\r\nPING\r\n")
        return self.until([b"PONG"])


def check_strangers(p, work, port, url):
    answer = Client(work, port).until([b"PONG", b"-ERR"])
    expect("a client without a key is refused", "Authorization Violation" in answer, answer)
    answer = Client(work, port, "one", "two").until([b"PONG", b"-ERR"])
    expect("another one's signature is refused", "Authorization Violation" in answer, answer)
    try:
        Client(work, port, "one", highest=ssl.TLSVersion.TLSv1_2)
        expect("TLS 1.2 is refused", False)
    except (ssl.SSLError, ConnectionError):
        pass
    agon("cert", "--nkey", os.path.join(work, "stranger.nkey"))
    certs = ["--tls", os.path.join(work, "certs")]
    cases = [("no key", certs, "Authorization"),
             ("a key it does not know", certs + ["--nkey", os.path.join(work, "stranger.nkey")], "Authorization"),
             ("another authority", ["--tls", os.path.join(work, "other"), "--nkey",
                                    os.path.join(work, "one.nkey")], "SSL")]
    for what, words, word in cases:
        w = p.worker(url, "stranger", *words)
        code = w.wait(30)
        expect(f"a worker with {what} is turned away and says why",
               code == 1 and word.lower() in text(w).lower(), f"{code}: {text(w)}")
    os.chmod(os.path.join(work, "stranger.nkey"), 0o644)
    w = p.worker(url, "stranger", *certs, "--nkey", os.path.join(work, "stranger.nkey"))
    expect("a key that others may read is refused", w.wait(30) == 1 and "chmod 600" in text(w), text(w))


def check_permissions(work, port):
    one = Client(work, port, "one")
    one.until([b"PONG"])
    forbidden = ["PUB agon.lab.task.0123456789abcdef 0\r\n",
                 "PUB agon.lab.c.0123456789abcdef.two.x.y 0\r\n",
                 "PUB agon.lab.result.0123456789abcdef.two.x 0\r\n",
                 "PUB agon.lab.part.two.x.y.0 0\r\n", "PUB agon.lab.blob.x.0 0\r\n",
                 "PUB agon.lab.here.0123456789abcdef 0\r\n", "PUB agon.lab.w.two.x.y 0\r\n",
                 "PUB $JS.API.STREAM.PURGE.AGON-lab-TASKS 0\r\n",
                 "PUB $JS.API.STREAM.DELETE.AGON-lab-TASKS 0\r\n",
                 "PUB $JS.API.STREAM.MSG.GET.AGON-lab-RESULTS 0\r\n",
                 "PUB $JS.API.CONSUMER.MSG.NEXT.AGON-lab-RESULTS.0123456789abcdef 0\r\n",
                 "PUB $JS.ACK.AGON-lab-RESULTS.x.1.1.1.1.1 0\r\n", "SUB agon.> 1", "SUB > 1",
                 "SUB agon.lab.w.two.> 1", "SUB agon.lab.i.two.> 1", "SUB agon.lab.task.* 1",
                 "SUB agon.lab.result.> 1", "SUB _INBOX.> 1", "SUB $SYS.> 1"]
    for line in forbidden:
        answer = one.say(line)
        expect(f"a worker may not {line.split()[0]} {line.split()[1]}", "Permissions Violation" in answer, answer)
    for line in ("PUB agon.lab.c.0123456789abcdef.one.x.y 0\r\n", "SUB agon.lab.w.one.> 1", "SUB agon.lab.here.* 2"):
        answer = one.say(line)
        expect(f"a worker may {line.split()[0]} {line.split()[1]}", "-ERR" not in answer, answer)


def check_files(work):
    """The other shipped files are ones that this server takes."""
    subprocess.run([os.path.join(SHIPPED, "routes"), "certs", "agon-1", "agon-2", "agon-3"], cwd=work, check=True)
    for name, env in (("cluster.conf", {"NODE": "agon-1"}), ("hub.conf", {"LEAF_SECRET": "secret"}),
                      ("leaf.conf", {"HUB_URL": "tls://leaf:secret@hub.example.org:7422"})):
        shutil.copy(os.path.join(SHIPPED, name), work)
        done = subprocess.run([find_server(), "-t", "-c", name], cwd=work, capture_output=True, text=True,
                              env={**os.environ, **env})
        expect(f"nats-server takes {name}", done.returncode == 0, done.stderr)
    with open(os.path.join(work, "users.conf")) as f:
        users = f.read()
    expect("users stand in accounts alone (CVE-2023-47090)",
           "authorization" not in users and users.index("accounts {") < users.index("users:"))


find_server()
if not shutil.which("openssl"):
    print("skipped: openssl is not installed")
    raise SystemExit(77)
with tempfile.TemporaryDirectory() as work:
    p = Processes(work)
    try:
        port, certs = free_port(), os.path.join(work, "certs")
        agon("cert", "--dir", certs, "--host", "127.0.0.1", "--host", "localhost")
        agon("cert", "--dir", certs, "--client", "leaf", "--out", os.path.join(work, "hub"))
        agon("cert", "--dir", os.path.join(work, "other"), "--host", "127.0.0.1")
        make_users(work, "lab", "coordinator", "one", "two")
        adapt("nats-server.conf", "nats-server.conf",
              [("host: 0.0.0.0", "host: 127.0.0.1"), ("port: 4222", f"port: {port}")], work)
        check_files(work)
        p.server("nats-server.conf", port)
        url = f"natstls://127.0.0.1:{port}/lab"
        check_strangers(p, work, port, url)
        check_permissions(work, port)

        local, run = os.path.join(work, "local"), os.path.join(work, "run")
        finish(p.train([*SETTINGS, f"run.dir={local}"]))
        workers = [p.worker(url, name, "--once", "--tls", certs, "--nkey", os.path.join(work, name + ".nkey"))
                   for name in ("one", "two")]
        finish(p.train([*SETTINGS, f"run.dir={run}"], url, f"machine.tls={certs}",
                       f"machine.nkey={work}/coordinator.nkey"))
        for w in workers:
            finish(w, 30)
            expect("the server has nothing to complain about", "complains" not in text(w), text(w))
        expect("the bytes are those of a local run", signature([run]) == signature([local]))
    finally:
        p.end()
if faults:
    raise SystemExit(f"{faults} faults")
print("strangers are kept out, workers keep to their own, and the bytes are the same")
