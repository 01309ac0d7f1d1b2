#!/usr/bin/env python3
"""Promise: over NATS, a worker that is killed and one that joins in the middle, and a coordinator that is killed and
resumed, leave the run with the bytes of a local one. Workers wait for the coordinator and serve it again."""
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests"))
from nats import PLAIN, Processes, find_server, finish, free_port, kill, lines, signature, text, wait_for  # noqa: E402

SETTINGS = ("connect_four population.size=3 train.generations=20 train.rollouts=2 train.lanes=16 "
            "train.horizon=16 net.hidden=64,64 metrics.every=10 metrics.games=4 "
            "metrics.anchor_games=4 metrics.final_games=4 metrics.probes=32 "
            "metrics.bootstrap=50").split()

find_server()
with tempfile.TemporaryDirectory() as work:
    p = Processes(work)
    try:
        local, run = os.path.join(work, "local"), os.path.join(work, "run")
        finish(p.train([*SETTINGS, f"run.dir={local}"]))
        port, conf = free_port(), os.path.join(work, "nats.conf")
        with open(conf, "w") as f:
            f.write(PLAIN.format(port=port, store=os.path.join(work, "store")))
        url = f"nats://127.0.0.1:{port}/lab"
        p.server(conf, port)
        workers = [p.worker(url, name) for name in ("one", "two")]
        train = p.train([*SETTINGS, f"run.dir={run}"], url)

        wait_for("a worker's death", lambda: lines(run) >= 2 or train.poll() is not None)
        kill(workers[0])
        workers[0] = p.worker(url, "three")
        wait_for("its first word", lambda: "connected to" in text(workers[0]) or train.poll() is not None)
        wait_for("the coordinator's death", lambda: lines(run) >= 5 or train.poll() is not None)
        if train.poll() is not None:
            raise SystemExit(f"the run ended before anything could happen to it:\n{text(train)}")
        kill(train)
        time.sleep(1)
        finish(p.train(["--resume", run], url))
        if signature([run]) != signature([local]):
            raise SystemExit("the run has other bytes than locally")
        for w in workers:
            if text(w).count("connected to") < 2:
                raise SystemExit(f"a worker did not come back to the resumed run:\n{text(w)}")
            w.terminate()
            finish(w, 30)
        print("same bytes; a worker and the coordinator were killed")
    finally:
        p.end()
