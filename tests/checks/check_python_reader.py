#!/usr/bin/python3
"""Promise: Python opens runs with no code of agon's: tools/python/load_snapshot.py computes the logits and
values of the CPU backend to 1e-5, with relu and tanh, and the action probabilities that the run's probe
table holds, for a board game whose observations are rebuilt here from the moves of the probe states."""
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("skipped: numpy is missing (tools/setup --tests installs it)")
    sys.exit(77)

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tools", "python"))
sys.dont_write_bytecode = True
from load_snapshot import Snapshot, load_safetensors  # noqa: E402

SETTINGS = """population.size=2 train.generations=1 train.rollouts=4 train.lanes=16 train.horizon=16
    metrics.games=8 metrics.anchor_games=8 metrics.final_games=8 metrics.probes=64 metrics.bootstrap=10
    league.kind=uniform""".split()


def boards(blob):
    """Observations (mine, theirs) and legal moves of every probe state of tic-tac-toe."""
    tensors, _ = load_safetensors(blob)
    observations, legal = [], []
    for state, seat in enumerate(tensors["U.seat"]):
        stones = np.zeros((2, 9), np.uint8)
        plies = range(tensors["U.offset"][state], tensors["U.offset"][state + 1])
        for number, ply in enumerate(plies):
            mover = number % 2
            stones[mover, tensors["U.action"][ply, mover]] = 1
        observations.append(np.concatenate([stones[seat], stones[1 - seat]]))
        legal.append(stones.sum(axis=0) == 0)
    return np.array(observations), np.array(legal)


def compare_logits(snapshot, observations):
    """Largest difference of any logit or value to what the C backend says, and the logits' spread."""
    command = [os.path.join(os.environ["BUILD"], "tests", "dump_logits"), snapshot]
    out = subprocess.run(command, input=observations.tobytes(), capture_output=True, check=True).stdout
    theirs = np.frombuffer(out, "<f4")
    logits, value = Snapshot(snapshot)(observations)
    ours = np.concatenate([logits.ravel(), value])
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return float(np.abs(ours - theirs).max()), float(np.ptp(theirs))


def check(activation):
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        command = [os.environ["AGON"], "train", "tic_tac_toe", f"run.dir={run}", "--quiet",
                   f"net.activation={activation}", *SETTINGS]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        database = sqlite3.connect(run / "run.db")
        rows = database.execute("SELECT ref, probes, states, actions, probability FROM probe").fetchall()
        worst, worst_logit = 0.0, 0.0
        for ref, probes, states, actions, blob in rows:
            stored = np.frombuffer(blob, "<f4").reshape(states, actions)
            observations, legal = boards(run / "blobs" / f"{probes}.safetensors")
            difference, range_ = compare_logits(run / "blobs" / f"{ref}.safetensors", observations)
            worst_logit = max(worst_logit, difference)
            ours = Snapshot(run / "blobs" / f"{ref}.safetensors").policy(observations, legal)
            worst = max(worst, float(np.abs(ours - stored).max()))
        spread = float(np.ptp(stored[legal]))
    print(f"{activation}: {len(rows)} nets, {states} states, largest difference of logits and values "
          f"{worst_logit:.2g}, of probabilities {worst:.2g}")
    # Answers that are all the same number would compare equal without proving anything.
    return len(rows) >= 2 and states > 1 and max(worst, worst_logit) < 1e-5 and min(spread, range_) > 1e-3


sys.exit(0 if check("relu") and check("tanh") else 1)
