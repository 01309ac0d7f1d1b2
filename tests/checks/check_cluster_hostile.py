#!/usr/bin/env python3
"""Promise: under 1,000 hostile connections (garbage, slow-loris, bombs of depth and length, no or wrong proof) a
coordinator takes at most 96 MiB more memory than without them, and honest workers go on; a worker that comes
meanwhile gets in. Over tcp with tokens, and TLS. Prints the rate of honest workers with and without, by turns; the
bound on it is loose, since nothing else runs at its own speed on a busy machine, either. TURNS=5 measures longer."""
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests", "net"))
from cluster import SLOW, TINY, Cluster, Failure, Reference, until  # noqa: E402

HOSTILE = 1000
PER_SECOND = 300  # new ones
MORE = 96  # MiB of memory
SHARE = 0.5  # of their rate that honest workers keep at least
TURNS = int(os.environ.get("TURNS", "2"))
SECONDS = float(os.environ.get("SECONDS", "2"))  # of each turn
ENDLESS = [w for w in TINY if not w.startswith("train.generations")] + ["train.generations=1000000"]
HERE = os.path.join(os.environ["SOURCE"], "tests", "net")


def memory(process, name):
    """KiB."""
    with open(f"/proc/{process.pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(name))


class Turn:
    """Tasks per second of the honest workers meanwhile, and how far the coordinator's memory rose above what it was
    at the beginning; a run by itself takes more, too, as it remembers blobs."""

    def __init__(self, cluster):
        self.cluster, self.begun, self.first = cluster, time.monotonic(), cluster.done()
        with open(f"/proc/{cluster.coordinator.pid}/clear_refs", "w") as f:
            f.write("5")  # the highest begins anew
        self.memory = memory(cluster.coordinator, "VmRSS")

    def end(self):
        time.sleep(max(0.0, self.begun + SECONDS - time.monotonic()))
        self.rate = (self.cluster.done() - self.first) / (time.monotonic() - self.begun)
        self.more = memory(self.cluster.coordinator, "VmHWM") - self.memory
        return self


class Attack:
    def __init__(self, cluster):
        self.popen = subprocess.Popen(["nice", sys.executable, os.path.join(HERE, "hostile.py"), str(cluster.port),
                                       str(HOSTILE), str(PER_SECOND)], stdout=subprocess.PIPE, text=True)

    def end(self):
        self.popen.send_signal(signal.SIGTERM)
        try:
            return self.popen.communicate(timeout=30)[0].strip()
        except subprocess.TimeoutExpired:
            self.popen.kill()
            raise Failure("the attack did not end") from None


def play(work, reference, transport):
    with Cluster(os.path.join(work, transport), transport, reference, words=[] if transport == "tls" else tokens(work)) as c:
        try:
            c.lease = 5
            c.coordinate()
            c.worker("a", *proof(c, work)).says("connected to")
            c.worker("b", *proof(c, work)).says("connected to")
            until("work", lambda: c.done() > 50)
            calm, wild = [Turn(c).end()], []
            for turn in range(TURNS):
                wild.append(Turn(c))
                attack = Attack(c)
                if turn == 0:
                    c.worker("late", *proof(c, work)).says("connected to", 30 * SLOW)
                    c.workers[-1].kill()
                wild[-1].end()
                print(f"   opened: {attack.end()}")
                calm.append(Turn(c).end())
            judge(c, transport, calm, wild)
        except Failure as why:
            raise SystemExit(f"{transport}: {why}\n{c.logs()}") from None


def judge(cluster, transport, calm, wild):
    kept = (sum(t.rate for t in wild) / len(wild)) / (sum(t.rate for t in calm) / len(calm))
    more = (max(t.more for t in wild) - max(t.more for t in calm)) / 1024
    print(f"{transport}: {HOSTILE} hostile connections: memory rose by {listed(t.more / 1024 for t in wild)} MiB, without "
          f"by {listed(t.more / 1024 for t in calm)}; tasks/s {listed(t.rate for t in wild)}, without "
          f"{listed(t.rate for t in calm)}: {100 * kept:.0f} % kept")
    if more > MORE * SLOW:
        raise Failure(f"{more:.1f} MiB more memory than without; at most {MORE} are promised")
    if kept < SHARE:
        raise Failure(f"honest workers keep {100 * kept:.0f} % of their rate")
    for worker in cluster.workers[:2]:
        if not worker.running() or worker.text().count("connected to") != 1:
            raise Failure(f"worker {worker.name} lost its place")


def listed(numbers):
    return " ".join(f"{n:.0f}" for n in numbers)


def tokens(work):
    return [f"machine.tokens={work}/tokens"]


def proof(cluster, work):
    return [] if cluster.transport == "tls" else ["--token", f"{work}/honest.token"]


def main():
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, limit[1]), limit[1]))
    work = tempfile.mkdtemp()
    try:
        reference = Reference(work)
        reference.words = ENDLESS
        subprocess.run([os.environ["AGON"], "cert", "--token", "honest", "--out", f"{work}/honest.token", "--tokens",
                        f"{work}/tokens"], check=True, stdout=subprocess.DEVNULL)
        for transport in ("tcp", "tls"):
            play(work, reference, transport)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
