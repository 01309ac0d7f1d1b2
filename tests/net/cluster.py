"""Coordinators, workers and brokers as processes of their own, for tests of everything between them.

    with Cluster(work, "tcp", reference) as c:
        c.coordinate()
        c.worker("a")
        c.ends_right()          # the run ended, with the bytes of the reference, nothing lost or doubled

A transport is local, tcp, tls (with tokens) or nats. Every worker has a proxy of its own (proxy.py)."""
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests"))
from ports import free_port  # noqa: E402
from signature import signature  # noqa: E402

import wire  # noqa: E402
from proxy import Proxy  # noqa: E402

AGON = os.environ["AGON"]
SLOW = 10 if os.environ.get("SANITIZED") == "1" else 1  # as much more patience
PATIENCE = 90 * SLOW  # seconds for what takes seconds
TRANSPORTS = ("tcp", "tls", "nats")

# About two hundred tasks of some milliseconds each; results are over 128 KiB, so they travel in chunks.
TINY = ("population.size=4 train.generations=6 train.rollouts=4 train.lanes=32 train.horizon=16 train.epochs=2 "
        "train.minibatches=2 net.hidden=64,64 metrics.every=2 metrics.games=8 metrics.anchor_games=8 "
        "metrics.final_games=16 metrics.probes=64 metrics.bootstrap=50").split()
TABLES = ("train", "match", "probe")


class Failure(Exception):
    pass


def nats_server():
    """Its path; None: it is not installed."""
    return shutil.which("nats-server") or next((p for p in ("/usr/sbin/nats-server",) if os.path.exists(p)), None)


def missing(transport):
    """Why a transport cannot be tested here; "": it can."""
    if transport == "nats" and not nats_server():
        return "no nats-server here; in Debian it is the package nats-server"
    return ""


def until(what, condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"waited {seconds} s for {what}")
        time.sleep(0.01)


def _keys(database, table, columns):
    return [tuple(row) for row in database.execute(f"select {columns} from {table} order by {columns}")]


def tasks(rows_of):
    return len({key[0] for keys in rows_of.values() for key in keys})


def rows(run):
    """Keys of results, by table, in order, as often as they are there."""
    database = sqlite3.connect(f"file:{run}/run.db?mode=ro", uri=True)
    try:
        return {"train": _keys(database, "train", "key"), "match": _keys(database, "match", "key, seat"),
                "probe": _keys(database, "probe", "key")}
    finally:
        database.close()


class Reference:
    """The run that everything is compared with, on threads of one process."""

    def __init__(self, work, game="connect_four", words=TINY):
        self.game, self.words, self.run = game, list(words), os.path.join(work, "reference")
        subprocess.run([AGON, "train", game, "--quiet", f"run.dir={self.run}", *words], check=True, timeout=PATIENCE,
                       stdout=subprocess.DEVNULL)
        self.signature, self.rows = signature([self.run]), rows(self.run)
        self.tasks = tasks(self.rows)


class Process:
    """What it prints goes to a file."""

    def __init__(self, log, command, before=None):
        self.log = log
        with open(log, "ab") as f:
            self.popen = subprocess.Popen(command, stdout=f, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                          preexec_fn=before)

    @property
    def pid(self):
        return self.popen.pid

    def text(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def running(self):
        return self.popen.poll() is None

    def says(self, pattern, seconds=PATIENCE):
        """Waits for a text; returns its match."""
        found = []

        def look():
            found[:] = [m] if (m := re.search(pattern, self.text())) else []
            return found or not self.running()
        until(f"'{pattern}' in {self.log}", look, seconds)
        if not found and not (m := re.search(pattern, self.text())):
            raise Failure(f"it ended ({self.popen.returncode}) without '{pattern}':\n{self.text()[-2000:]}")
        return found[0] if found else m

    def signal(self, number):
        if self.running():
            self.popen.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.popen.wait()

    def stop(self):
        self.signal(signal.SIGSTOP)

    def go(self):
        self.signal(signal.SIGCONT)

    def wait(self, seconds=PATIENCE):
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"it still ran after {seconds} s:\n{self.text()[-2000:]}") from None


class Worker(Process):
    def __init__(self, cluster, name, words, place, shown, before):
        self.name, self.place = name, place
        self.proxy = Proxy(cluster.meeting(), cluster.splitter, cluster.certs if cluster.sees_inside else None, shown)
        before(self)
        super().__init__(os.path.join(cluster.work, f"{name}.log"),
                         [AGON, "worker", "--connect", cluster.url(self.proxy.port), "--dir", place, "--threads", "1",
                          "--name", name, *cluster.proof(name), *words])


class Cluster:
    def __init__(self, work, transport, reference, lease=1, words=(), sees_inside=True):
        self.work, self.transport, self.reference, self.lease = work, transport, reference, lease
        self.words = list(words)
        self.run = os.path.join(work, "run")
        self.port = free_port()
        self.certs, self.tokens = os.path.join(work, "certs"), os.path.join(work, "tokens")
        self.sees_inside = sees_inside and transport == "tls"
        self.splitter = wire.Nats if transport == "nats" else None if transport == "tls" and not sees_inside else wire.Frames
        self.workers, self.coordinators, self.coordinator, self.broker = [], [], None, None
        os.makedirs(work)
        if transport == "tls":
            self.cert("--dir", self.certs, "--host", "127.0.0.1")
            self.cert("--token", "nobody", "--out", os.path.join(work, "nobody.token"), "--tokens", self.tokens)
        if transport == "nats":
            self.start_broker()

    def __enter__(self):
        return self

    def __exit__(self, kind, problem, trace):
        for worker in self.workers:
            worker.proxy.close()
        for process in [*self.coordinators, *self.workers, self.broker]:
            if process:
                process.kill()
        if problem is None:
            shutil.rmtree(self.work, ignore_errors=True)

    def cert(self, *words):
        subprocess.run([AGON, "cert", *words], check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)

    # ---- addresses and words ----

    def url(self, port):
        scheme = {"tcp": "tcp", "tls": "tls", "nats": "nats", "local": ""}[self.transport]
        return f"{scheme}://127.0.0.1:{port}" + ("/lab" if self.transport == "nats" else "")

    def meeting(self):
        return "127.0.0.1", self.port

    def proof(self, name):
        """Each worker has a token of its own: who is struck, is struck with it."""
        if self.transport != "tls":
            return []
        token = os.path.join(self.work, f"{name}.token")
        self.cert("--token", name, "--out", token, "--tokens", self.tokens)
        return ["--tls", self.certs, "--token", token]

    def _listening(self):
        if self.transport == "local":
            return ["machine.threads=2"]
        words = ["--listen", self.url(self.port), f"machine.lease={self.lease}"]
        if self.transport == "tls":
            words += [f"machine.tls={self.certs}", f"machine.tokens={self.tokens}"]
        return words

    # ---- processes ----

    def command(self, run=None, resume=False):
        run = run or self.run
        first = ["--resume", run] if resume else [self.reference.game, f"run.dir={run}", *self.reference.words]
        return [AGON, "train", *first, *self._listening(), *self.words]

    def coordinate(self, resume=False):
        log = os.path.join(self.work, f"coordinator{len(self.coordinators)}.log")
        self.coordinator = Process(log, self.command(resume=resume))
        self.coordinators.append(self.coordinator)
        if self.transport != "local":
            self.coordinator.says("waiting for workers")
        return self.coordinator

    def resume(self):
        return self.coordinate(resume=True)

    def worker(self, name, *words, place=None, shown=None, before=lambda worker: None):
        """shown: the directory whose certificate it sees instead of the coordinator's. before(worker): prepares its
        proxy, before it says its first word."""
        worker = Worker(self, name, words, place or os.path.join(self.work, name), shown, before)
        self.workers.append(worker)
        return worker

    def start_broker(self):
        store = os.path.join(self.work, "jetstream")
        config = os.path.join(self.work, "nats.conf")
        with open(config, "w") as f:
            f.write(f'host: 127.0.0.1\nport: {self.port}\n'
                    f'jetstream {{ store_dir: "{store}", max_mem: 64M, max_file: 4G }}\n')
        self.broker = Process(os.path.join(self.work, "nats.log"), [nats_server(), "-c", config])
        until("the broker", self._answers)

    def _answers(self):
        if not self.broker.running():
            raise Failure(f"nats-server ended: {self.broker.text()[-2000:]}")
        try:
            socket.create_connection(self.meeting(), timeout=1).close()
            return True
        except OSError:
            return False

    # ---- what has happened ----

    def done(self):
        """Tasks that are in the database."""
        try:
            return tasks(rows(self.run))
        except sqlite3.Error:
            return 0

    def reaches(self, share):
        """Waits until this share of all tasks is done."""
        goal = int(share * self.reference.tasks)
        until(f"{goal} tasks", lambda: self.done() >= goal or not self.coordinator.running())
        if not self.coordinator.running():
            self.right()
            raise Failure(f"the run ended before it was at {share}")

    def right(self):
        """Are the run's results those of the reference, each once?"""
        have = rows(self.run)
        for table in TABLES:
            wanted = self.reference.rows[table]
            lost = sorted(set(wanted) - set(have[table]))
            doubled = sorted({k for k in have[table] if have[table].count(k) > 1} | (set(have[table]) - set(wanted)))
            if lost or doubled:
                raise Failure(f"{table}: {len(lost)} results lost {lost[:3]}, {len(doubled)} too many {doubled[:3]}")
        if signature([self.run]) != self.reference.signature:
            raise Failure("the run's bytes differ from those of local threads")

    def ends_right(self, seconds=PATIENCE):
        code = self.coordinator.wait(seconds)
        if code != 0:
            raise Failure(f"the coordinator ended with {code}:\n{self.coordinator.text()[-2000:]}")
        self.right()

    def logs(self, most=1500):
        texts = []
        for process in [*self.coordinators, *self.workers, self.broker]:
            if process:
                texts.append(f"--- {os.path.basename(process.log)} ({process.popen.poll()})\n{process.text()[-(most if process is not self.broker else 300):]}")
        return "\n".join(texts)
