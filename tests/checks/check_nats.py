#!/usr/bin/env python3
"""Promise: a run over NATS ends with the bytes of a local run, also when the server is killed in the middle and
comes back with what it had stored, and again with nothing."""
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests"))
from nats import PLAIN, Processes, find_server, finish, free_port, kill, lines, signature, text, wait_for  # noqa: E402

# Nets whose results are too large for one message.
SETTINGS = ("connect_four population.size=3 train.generations=8 train.rollouts=2 train.lanes=16 "
            "train.horizon=16 net.hidden=128,128 metrics.every=4 metrics.games=4 "
            "metrics.anchor_games=4 metrics.final_games=4 metrics.probes=32 "
            "metrics.bootstrap=50").split()

find_server()
with tempfile.TemporaryDirectory() as work:
    p = Processes(work)
    try:
        local, run = os.path.join(work, "local"), os.path.join(work, "run")
        finish(p.train([*SETTINGS, f"run.dir={local}"]))

        port, store, conf = free_port(), os.path.join(work, "store"), os.path.join(work, "nats.conf")
        with open(conf, "w") as f:
            f.write(PLAIN.format(port=port, store=store))
        url = f"nats://127.0.0.1:{port}/lab"
        server = p.server(conf, port)
        workers = [p.worker(url, name, "--once") for name in ("one", "two")]
        train = p.train([*SETTINGS, f"run.dir={run}"], url)
        for kept, seen in ((True, 2), (False, 4)):
            wait_for(f"line {seen} of timing.jsonl", lambda: lines(run) >= seen or train.poll() is not None)
            if train.poll() is not None:
                raise SystemExit(f"the run ended before the server was killed:\n{text(train)}")
            kill(server)
            if not kept:
                shutil.rmtree(store)
            server = p.server(conf, port)
        finish(train)
        for w in workers:
            finish(w, 30)
        if signature([run]) != signature([local]):
            raise SystemExit("over NATS the run has other bytes than locally")
        tasks = sum(text(w).count("connected to") for w in workers)
        print(f"same bytes; the server was killed twice, workers were welcomed {tasks} times")
    finally:
        p.end()
