#!/usr/bin/env python3
"""Promise: on three hosts with addresses of their own, over lines with delay and 1 % loss, with a worker's host cut off
for a while and then the coordinator's for 20 s, silently, and both healed, a run ends with the bytes of local threads,
and both workers have gone on. Over TLS with tokens. An address that others can reach is refused without any proof."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests", "net"))
import netns  # noqa: E402
from cluster import AGON, PATIENCE, TINY, Cluster, Failure, Process, Reference, until  # noqa: E402

PARTITION = 20  # seconds
SHORT = 4
PORT = 7766


class Far(Cluster):
    """Coordinator on the first host, a worker on each other, and the lines between them."""

    def __init__(self, work, net, reference):
        self.net = net
        super().__init__(work, "tls", reference, lease=2)
        self.port = PORT
        shutil.rmtree(self.certs)
        self.cert("--dir", self.certs, "--host", net.address(0))

    def url(self, port):
        return f"tls://{self.net.address(0)}:{port}"

    def command(self, run=None, resume=False):
        return [*self.net.on(0), *super().command(run, resume)]

    def worker(self, name, host):
        log = os.path.join(self.work, f"{name}.log")
        worker = Process(log, [*self.net.on(host), AGON, "worker", "--connect", self.url(self.port), "--dir",
                               os.path.join(self.work, name), "--threads", "1", "--name", name, *self.proof(name)])
        self.workers.append(worker)
        return worker

    def __exit__(self, *problem):
        for worker in self.workers:
            worker.kill()
        self.workers = []
        super().__exit__(*problem)


def refused_open(cluster):
    command = cluster.command(run=cluster.run + "-open")
    command = [w.replace("tls://", "tcp://") for w in command if not w.startswith(("machine.tls", "machine.tokens"))]
    r = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    if r.returncode != 1 or "can be reached by other machines" not in r.stderr or "--insecure" not in r.stderr:
        raise Failure(f"listening to everybody is not refused: exit {r.returncode}: {r.stderr}")


def play(cluster, net):
    refused_open(cluster)
    cluster.coordinate()
    first, second = cluster.worker("first", 1), cluster.worker("second", 2)
    cluster.reaches(0.1)
    net.cut(1)
    time.sleep(SHORT)
    net.heal(1)
    until("the first worker to be here again", lambda: first.text().count("connected to") >= 2 or
          not cluster.coordinator.running())
    net.cut(0)
    before, begun = cluster.done(), time.monotonic()
    if before > 0.9 * cluster.reference.tasks:
        raise Failure(f"{before} tasks are done before the coordinator is cut off: the run is too short")
    time.sleep(PARTITION)
    meanwhile = cluster.done() - before
    net.heal(0)
    cluster.ends_right()
    print(f"{meanwhile} results came while the coordinator was cut off, the rest within "
          f"{time.monotonic() - begun - PARTITION:.1f} s")
    for worker in (first, second):
        if worker.text().count("connected to") < 2:
            raise Failure("a worker did not come back")


def main():
    if why := netns.missing():
        print(f"skipped: {why}")
        sys.exit(77)
    work = tempfile.mkdtemp()
    try:
        reference = Reference(work, words=[*TINY, "train.generations=12"])
        with netns.Net(3) as net, Far(os.path.join(work, "far"), net, reference) as cluster:
            try:
                play(cluster, net)
            except Failure as why:
                raise SystemExit(f"{why}\n{cluster.logs()}") from None
        print(f"ok: {reference.tasks} tasks over lines with {1000 * netns.DELAY:.0f} ms each way; {net.lost} of "
              f"{net.carried} packets lost: same bytes")
    except netns.Refused as why:
        print(f"skipped: {why}")
        sys.exit(77)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
