#!/usr/bin/env python3
"""Promise: the same run on threads of one process, on four tcp workers of which one is killed and one more joins
mid-way, and over NATS with the broker killed once, ends with byte-identical snapshots and metrics."""
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests", "net"))
from cluster import Cluster, Failure, Reference, missing, signature  # noqa: E402


def tcp(work, reference):
    with Cluster(os.path.join(work, "tcp"), "tcp", reference) as c:
        try:
            c.coordinate()
            first = [c.worker(name) for name in ("a", "b", "c", "d")]
            for worker in first:
                worker.proxy.delay = 0.02  # so that there is a mid-way
            c.reaches(0.3)
            first[0].kill()
            c.reaches(0.5)
            c.worker("e").says("connected to")
            c.ends_right()
        except Failure as why:
            raise SystemExit(f"tcp: {why}\n{c.logs()}") from None
    print(f"ok tcp: {reference.tasks} tasks, one worker killed, one joined: same bytes")


def nats(work, reference):
    if why := missing("nats"):
        print(f"skipped nats: {why}")
        return
    with Cluster(os.path.join(work, "nats"), "nats", reference) as c:
        try:
            c.coordinate()
            for name in ("a", "b", "c", "d"):
                c.worker(name).proxy.delay = 0.02
            c.reaches(0.4)
            c.broker.kill()
            c.start_broker()
            c.ends_right()
        except Failure as why:
            raise SystemExit(f"nats: {why}\n{c.logs()}") from None
    print(f"ok nats: {reference.tasks} tasks, the broker killed once: same bytes")


def main():
    work = tempfile.mkdtemp()
    try:
        reference = Reference(work)
        again = os.path.join(work, "again")
        with Cluster(again, "local", reference, words=["machine.threads=1"]) as c:
            c.coordinate()
            c.ends_right()
            print(f"ok local threads, two and one: {signature([c.run])[:12]}")
        tcp(work, reference)
        nats(work, reference)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
