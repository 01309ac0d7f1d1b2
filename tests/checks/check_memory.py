#!/usr/bin/env python3
"""Promise: nets that remember learn what others cannot: on a plug-in that shows a cue and asks for it later, one with a minGRU
layer comes near 1 and one without stays at chance; a convolution learns a board game. Such runs end with the same bytes on
one thread and on two, interrupted and resumed, and with a worker; what they keep can be measured; a net of another game is
refused by its shape."""
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

AGON, SOURCE = os.environ["AGON"], pathlib.Path(os.environ["SOURCE"])
sys.path.insert(0, str(SOURCE / "tests"))
from signature import signature  # noqa: E402

SMALL = ["population.size=2", "train.rollouts=4", "train.lanes=64", "train.horizon=16", "train.learning_rate=3e-3",
         "metrics.games=8", "metrics.anchor_games=64", "metrics.final_games=128", "metrics.probes=16", "metrics.bootstrap=10",
         "metrics.exact_nodes=1000", "machine.threads=1", "--quiet"]
failures = []


def check(name, good, text=""):
    print(("ok " if good else "FAILED ") + name + ("" if good else f":\n{text}"), flush=True)
    if not good:
        failures.append(name)


def agon(*words, code=0):
    r = subprocess.run([AGON, *map(str, words)], capture_output=True, text=True, timeout=300)
    if r.returncode != code:
        raise SystemExit(f"FAILED: agon {' '.join(map(str, words))}: exit code {r.returncode}, wanted {code}\n{r.stderr}")
    return r.stdout + r.stderr


def train(name, game, hidden, generations, *more):
    run = work / name
    agon("train", game, f"run.dir={run}", f"net.hidden={hidden}", f"train.generations={generations}",
         f"metrics.every={generations}", *SMALL, *more)
    return run


def scores(run):
    """Of each measured generation: the agents' mean returns against random play."""
    with open(run / "metrics.jsonl") as f:
        return [json.loads(line)["score"]["random"]["each"] for line in f]


def memory_is_needed():
    """4 cues: chance is 1/4. Both nets' trunks have the same numbers of weights."""
    remembering = train("remembering", recall, "32,mingru32", 12)
    forgetful = train("forgetful", recall, "32,64", 12)
    check("who remembers is near 1", min(scores(remembering)[-1]) > 0.95, scores(remembering))
    check("who does not is at chance", max(scores(forgetful)[-1]) < 0.45, scores(forgetful))
    return remembering, forgetful


def a_convolution_learns():
    run = train("convolution", "tic_tac_toe", "conv8,32", 20)
    before, after = scores(run)[0], scores(run)[-1]
    check("a convolution learns tic_tac_toe", min(after) > 0.8 and min(after) > max(before) + 0.2, scores(run))


SHAPE = ("tic_tac_toe", "conv4k1,mingru12", 8)


def interrupted(length):
    """Killed twice on its way, and resumed on two threads."""
    run = work / "interrupted"
    game, hidden, generations = SHAPE
    words = ["train", game, f"run.dir={run}", f"net.hidden={hidden}", f"train.generations={generations}",
             f"metrics.every={generations}", *SMALL]
    hits = 0
    for share in (0.3, 0.3, 0.2, 0.2, 0.1, 0.1):
        p = subprocess.Popen([AGON, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(share * length)
        hits += p.poll() is None
        p.send_signal(signal.SIGKILL)
        p.wait()
        if (run / "run.db").exists():
            words = ["train", "--resume", str(run), "machine.threads=2", "--quiet"]
        if hits == 2:
            break
    agon(*words)
    return run, hits


def by_a_worker():
    game, hidden, generations = SHAPE
    run = work / "worked"
    coordinator = subprocess.Popen(
        [AGON, "train", game, f"run.dir={run}", f"net.hidden={hidden}", f"train.generations={generations}",
         f"metrics.every={generations}", *SMALL, "machine.threads=0", "--listen", "tcp://127.0.0.1:0"])
    worker = None
    try:
        for _ in range(600):
            listen = run / "workers.json"
            url = json.loads(listen.read_text()).get("listen") if listen.exists() else None
            if url:
                break
            time.sleep(0.05)
        worker = subprocess.Popen([AGON, "worker", "--connect", url, "--threads", "1", "--once", "--quiet", "--dir",
                                   str(work / "worker")])
        good = coordinator.wait(120) == 0 and worker.wait(120) == 0
    finally:
        for p in (coordinator, worker):
            if p and p.poll() is None:
                p.kill()
                p.wait()
    total = json.loads((run / "workers.json").read_text())["total"]
    check("a worker does the run", good and total["steps"] > 0, total)
    return run


def same_bytes():
    begun = time.monotonic()
    one = train("one", *SHAPE)
    length = time.monotonic() - begun
    expected = signature([one])
    check("the same bytes on two threads", signature([train("two", *SHAPE, "machine.threads=2")]) == expected)
    run, hits = interrupted(length)
    check(f"and after {hits} times kill -9", signature([run]) == expected)
    check("and by a worker", signature([by_a_worker()]) == expected)


def measured(remembering, forgetful):
    """Of the run, and of agents that are asked and played anew."""
    headline = json.loads(agon("metrics", remembering, "--json", "--bootstrap", "10"))
    check("a run is measured", "vendi" in json.dumps(headline), headline)
    table = json.loads(agon("metrics", "--game", recall, f"{remembering}:best", f"{forgetful}:best", "random", "--metric",
                            "returns", "--json", "--bootstrap", "10"))
    own = table[0]["metrics"][0]["columns"]["own"]
    check("who remembers has the highest return", own[0] > 0.9 and max(own[1:]) < 0.6, table)


def refused(remembering):
    database = sqlite3.connect(remembering / "run.db")
    snapshot = database.execute("select snapshot from train order by key").fetchone()[0]
    database.close()
    file = remembering / "blobs" / f"{snapshot}.safetensors"
    said = agon("metrics", "--game", f"{recall}(cues=5)", file, "random", code=1)
    check("a net of another game is refused", "5-32-mingru32-4 relu" in said and "expected 6 inputs" in said, said)


with tempfile.TemporaryDirectory() as folder:
    work = pathlib.Path(folder)
    recall = str(work / "recall.so")
    agon("build-game", SOURCE / "tests/plugins/recall.c", "-o", recall)
    agon("check", recall, "--seconds", "0.5")
    with_memory, without = memory_is_needed()
    a_convolution_learns()
    same_bytes()
    measured(with_memory, without)
    refused(with_memory)
print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)
