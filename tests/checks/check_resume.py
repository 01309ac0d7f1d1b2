#!/usr/bin/env python3
"""Promise: killed at any moment and resumed, a run ends with the same bytes as one that was not disturbed,
and nothing that was committed is lost. SIGINT once stops it cleanly and prints the command that goes on."""
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

AGON, SOURCE = os.environ["AGON"], os.environ["SOURCE"]
sys.path.insert(0, os.path.join(SOURCE, "tests"))
from signature import signature  # noqa: E402

SETTINGS = ("population.size=4 train.generations=60 train.rollouts=2 train.lanes=16 train.horizon=16 "
            "net.hidden=64,64 metrics.every=10 metrics.games=8 metrics.anchor_games=8 "
            "metrics.final_games=16 metrics.probes=64 metrics.bootstrap=50").split()
KILLS = int(os.environ.get("KILLS", "60"))


def start(arguments):
    return subprocess.Popen([AGON, "train", *arguments], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def resume(directory):
    return ["--resume", directory, "machine.threads=2"]


with tempfile.TemporaryDirectory() as work:
    calm, wild, polite = (os.path.join(work, d) for d in ("calm", "wild", "polite"))
    begun = time.time()
    done = start(["connect_four", f"run.dir={calm}", *SETTINGS])
    out, err = done.communicate()
    if done.returncode != 0:
        raise SystemExit(f"the undisturbed run failed: {err}")
    length = time.time() - begun

    random.seed(20)
    kills = 0
    arguments = ["connect_four", f"run.dir={wild}", *SETTINGS]
    for _ in range(KILLS):
        run = start(arguments)
        try:
            out, err = run.communicate(timeout=random.uniform(0.01, 0.07 * length))
            if run.returncode == 0:
                break
            if os.path.exists(os.path.join(wild, "run.db")):
                raise SystemExit(f"a resumed run failed: {err}")
        except subprocess.TimeoutExpired:
            run.kill()
            run.communicate()
            kills += 1
        if os.path.exists(os.path.join(wild, "run.db")):
            arguments = resume(wild)
    last = subprocess.run([AGON, "train", *arguments], capture_output=True, text=True)
    if last.returncode != 0:
        raise SystemExit(f"the last resume failed: {last.stderr}")
    if kills < 10:
        raise SystemExit(f"only {kills} kills hit: the run is too short to say anything")
    if signature([calm]) != signature([wild]):
        raise SystemExit(f"after {kills} kills the run differs from the undisturbed one")
    print(f"same bytes after {kills} times kill -9")

    run = start(["connect_four", f"run.dir={polite}", *SETTINGS])
    time.sleep(0.4 * length)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate()
    if run.returncode != 0 or f"agon train --resume {polite}" not in err:
        raise SystemExit(f"SIGINT: exit {run.returncode}, no resume command in: {err}")
    last = subprocess.run([AGON, "train", *resume(polite)], capture_output=True, text=True)
    if last.returncode != 0 or signature([calm]) != signature([polite]):
        raise SystemExit("after SIGINT and resume the run differs")
    print("same bytes after SIGINT")
