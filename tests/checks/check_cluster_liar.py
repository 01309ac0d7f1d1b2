#!/usr/bin/env python3
"""Promise: a worker that turns over one bit of some of its results, with the hash of the false bytes, is caught and
struck, is not let in again, and the run ends with the bytes of local threads. Over tcp and TLS: a man in the middle
makes an honest worker lie, in results inline and in chunks."""
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests", "net"))
from cluster import Cluster, Failure, Reference, until  # noqa: E402
from liar import Liar  # noqa: E402

LIES = float(os.environ.get("LIES", "0.2"))  # share of the liar's results
AUDIT = os.environ.get("AUDIT", "1")  # share that is executed again


def play(work, reference, transport, seed):
    with Cluster(os.path.join(work, transport), transport, reference, words=[f"machine.audit={AUDIT}"]) as c:
        try:
            c.coordinate()
            liar = Liar(LIES, seed, honest=3)
            workers = [c.worker(name, before=lambda w: setattr(w.proxy, "delay", 0.01)) for name in ("honest", "also")]
            workers.append(c.worker("liar", before=lambda w: w.proxy.rules.append(liar)))
            c.ends_right()
            if not liar.lies:
                raise Failure("the liar told no lie")
            until("the liar to be sent away", lambda: not workers[2].running() or "turned" in workers[2].text(), 10)
            words = c.coordinator.text()
            if "liar" not in words or workers[2].popen.poll() != 1 or "turned this worker away" not in workers[2].text():
                raise Failure(f"after {liar.lies} lies the liar is not struck")
            for worker in workers[:2]:
                if "turned this worker away" in worker.text():
                    raise Failure(f"{worker.name} is struck, too")
        except Failure as why:
            raise SystemExit(f"{transport}, seed {seed}: {why}\n{c.logs(4000)}") from None
        print(f"ok {transport}: {liar.lies} lies in {liar.results} results, struck, same bytes")


def main():
    work = tempfile.mkdtemp()
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    try:
        reference = Reference(work)
        for transport in ("tcp", "tls"):
            play(work, reference, transport, seed)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
