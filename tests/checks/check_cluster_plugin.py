#!/usr/bin/env python3
"""Promise: a plug-in is never sent to a worker. A run of one is done by the workers that were given the same rules, and by
no others; it ends with the bytes of a run without workers."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

AGON, SOURCE = os.environ["AGON"], pathlib.Path(os.environ["SOURCE"])
SMALL = ["population.size=2", "train.generations=3", "train.rollouts=1", "train.lanes=8", "train.horizon=8",
         "metrics.every=1", "metrics.games=4", "metrics.anchor_games=4", "metrics.final_games=8", "metrics.probes=16",
         "metrics.bootstrap=20", "train.minibatches=2"]


def agon(*words, **more):
    return subprocess.run([AGON, *words], capture_output=True, text=True, timeout=120, check=True, **more)


def signature(run):
    return subprocess.run([sys.executable, SOURCE / "tests/signature.py", run], capture_output=True, text=True,
                          check=True).stdout


def wait_for(what, condition):
    for _ in range(600):
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise SystemExit(f"FAILED: waited 30 s for {what}")


def workers_of(run):
    try:
        return json.loads((run / "workers.json").read_text())
    except (OSError, ValueError):
        return None


with tempfile.TemporaryDirectory() as folder:
    work = pathlib.Path(folder)
    agon("new-game", "pebbles", "--dir", folder)
    agon("build-game", "pebbles.c", cwd=folder)
    game, run = str(work / "pebbles.so"), work / "run"
    agon("train", game, f"run.dir={work}/local", *SMALL)
    coordinator = subprocess.Popen([AGON, "train", game, "--quiet", "--listen", "tcp://127.0.0.1:0", f"run.dir={run}",
                                    *SMALL], stdout=subprocess.DEVNULL)
    processes = [coordinator]
    try:
        url = wait_for("an address", lambda: (workers_of(run) or {}).get("listen"))

        def worker(name, *words):
            log = open(work / f"{name}.log", "w")
            processes.append(subprocess.Popen([AGON, "worker", "--connect", url, "--name", name, "--threads", "1", "--once",
                                               "--dir", str(work / name), *words], stderr=log))
        worker("without")
        wait_for("a worker", lambda: (workers_of(run) or {"workers": []})["workers"])
        time.sleep(1)
        if workers_of(run)["total"]["done"]:
            raise SystemExit("FAILED: somebody did a task of a game that he does not have")
        worker("with", "--game", game)
        if any(p.wait(timeout=60) for p in processes):
            raise SystemExit(f"FAILED: they ended with {[p.returncode for p in processes]}")
    finally:
        for p in processes:
            p.kill()
    tasks = {w["name"]: w["tasks"] for w in workers_of(run)["workers"]}
    if tasks.get("without") != 0 or not tasks.get("with"):
        raise SystemExit(f"FAILED: tasks by worker: {tasks}")
    if signature(run) != signature(work / "local"):
        raise SystemExit("FAILED: the bytes differ from those of a run without workers")
    print(f"ok: {tasks['with']} tasks, all by the worker that was given the game; the bytes of a run without workers")
