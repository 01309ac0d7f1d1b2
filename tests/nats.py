"""Real nats-servers, coordinators and workers for the checks of `agon` over NATS."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

AGON, SOURCE = os.environ["AGON"], os.environ["SOURCE"]
SHIPPED = os.path.join(SOURCE, "tools", "launch", "nats")
sys.path.insert(0, os.path.join(SOURCE, "tests"))
from ports import free_port  # noqa: E402,F401
from signature import signature  # noqa: E402,F401

PLAIN = """host: 127.0.0.1
port: {port}
server_name: plain
jetstream {{ store_dir: "{store}", max_memory_store: 64MB, max_file_store: 8GB }}
"""


def find_server():
    found = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin:/usr/local/bin")
    if not found:
        print("skipped: nats-server is not installed")
        raise SystemExit(77)
    return found


class Processes:
    """Everything that was started, so that nothing stays behind."""

    def __init__(self, work):
        self.work, self.all, self.count = work, [], 0

    def start(self, words, cwd=None, env=None):
        self.count += 1
        path = os.path.join(self.work, f"{self.count}.log")
        with open(path, "w") as log:
            p = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, cwd=cwd or self.work,
                                 env={**os.environ, **(env or {})})
        p.log = path
        self.all.append(p)
        return p

    def server(self, conf, port, cwd=None, env=None):
        p = self.start([find_server(), "-c", conf], cwd, env)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return p
            except OSError:
                time.sleep(0.05)
            if p.poll() is not None:
                break
        raise SystemExit(f"nats-server did not start with {conf}: {text(p)}")

    def worker(self, url, name, *more):
        return self.start([AGON, "worker", "--connect", url, "--threads", "1", "--name", name,
                           "--dir", os.path.join(self.work, "dir-" + name), *more])

    def train(self, words, url=None, *more):
        listen = ["--listen", url, "machine.threads=0", "machine.lease=4"] if url else ["--quiet"]
        return self.start([AGON, "train", *words, *listen, *more])

    def end(self):
        for p in self.all:
            if p.poll() is None:
                p.kill()
            p.wait()


def text(p):
    with open(p.log, errors="replace") as f:
        return f.read()


def wait_for(what, done, seconds=60):
    until = time.time() + seconds
    while not done():
        if time.time() > until:
            raise SystemExit(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)


def finish(p, seconds=120):
    try:
        code = p.wait(seconds)
    except subprocess.TimeoutExpired:
        raise SystemExit(f"{' '.join(p.args[:3])} did not end in {seconds} s:\n{text(p)[-3000:]}")
    if code != 0:
        raise SystemExit(f"{' '.join(p.args[:3])} ended with {code}:\n{text(p)[-3000:]}")


def lines(run):
    try:
        with open(os.path.join(run, "timing.jsonl")) as f:
            return sum(1 for _ in f)
    except FileNotFoundError:
        return 0


def kill(p):
    p.send_signal(signal.SIGKILL)
    p.wait()
