#!/usr/bin/python3
"""Promise: Python opens runs with no code of agon's: tools/python/load_snapshot.py computes the logits and
values of the CPU backend to 1e-5, with relu and tanh, and the action probabilities that the run's probe
table holds, for a board game whose observations are rebuilt here from the moves of the probe states; and those
of nets with convolutions and memory, and what they remember."""
import json
import os
import pathlib
import sqlite3
import struct
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


def backend(snapshot, observations):
    """What the C backend says: logits, values and, of a net with memory, what is remembered; flat."""
    command = [os.path.join(os.environ["BUILD"], "tests", "dump_logits"), snapshot]
    out = subprocess.run(command, input=observations.tobytes(), capture_output=True, check=True).stdout
    return np.frombuffer(out, "<f4")


def compare_logits(snapshot, observations):
    """Largest difference of any logit or value to what the C backend says, and the logits' spread."""
    theirs = backend(snapshot, observations)
    logits, value = Snapshot(snapshot)(observations)
    ours = np.concatenate([logits.ravel(), value])
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return float(np.abs(ours - theirs).max()), float(np.ptp(theirs))


def write_snapshot(path, net, shapes):
    """A snapshot of 3x3 boards with any weights: matrices of these shapes, each with a bias."""
    random = np.random.default_rng(3)
    header = {"__metadata__": {"format": "agon.snapshot/1", "net": net, "game": "tic_tac_toe",
                               "layout": "2x3x3 u8 scale 1: mine, theirs", "agent": "0",
                               "generation": "0", "steps": "0"}}
    data = b""
    for name, rows, cols in shapes:
        for part, shape in ((".weight", (rows, cols)), (".bias", (rows,))):
            raw = (random.uniform(-1, 1, shape) * 2 / np.sqrt(cols)).astype("<f4").tobytes()
            header[name + part] = {"dtype": "F32", "shape": shape,
                                   "data_offsets": [len(data), len(data) + len(raw)]}
            data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def compare_memory(snapshot, observations):
    """As compare_logits, decision by decision, memory handed on: all of it, and one row beside another."""
    net = Snapshot(snapshot)
    memory, logits, values, remembered = net.memory(2), [], [], []
    for observation in observations:
        both = np.stack([observation, 1 - observation])
        answer, value, memory = net(both, memory)
        logits.append(answer[0])
        values.append(value[0])
        remembered.append(memory[0])
    ours = np.concatenate([np.ravel(logits), values, np.ravel(remembered)])
    theirs = backend(snapshot, observations)
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return float(np.abs(ours - theirs).max()), float(np.ptp(theirs))


def check_layers(activation):
    observations = np.random.default_rng(5).integers(0, 2, (40, 18)).astype(np.uint8)
    heads = [("policy", 9, 6), ("value", 1, 6)]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "net.safetensors"
        write_snapshot(path, f"2x3x3-conv5-conv4k5-6-9 {activation}",
                       [("trunk.0", 5, 18), ("trunk.1", 4, 125), ("trunk.2", 6, 36), *heads])
        flat = compare_logits(path, observations)
        write_snapshot(path, f"2x3x3-conv4k1-mingru7-5-mingru6-9 {activation}",
                       [("trunk.0", 4, 2), ("trunk.1", 14, 36), ("trunk.2", 5, 7), ("trunk.3", 12, 5),
                        *heads])
        deep = compare_memory(path, observations)
        try:
            Snapshot(path)(observations)
            return False  # without memory there is no answer
        except ValueError:
            pass
    print(f"{activation}: convolutions to {flat[0]:.2g}, with memory to {deep[0]:.2g}")
    return max(flat[0], deep[0]) < 1e-5 and min(flat[1], deep[1]) > 0.1


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


good = [test(activation) for test in (check_layers, check) for activation in ("relu", "tanh")]
sys.exit(0 if all(good) else 1)
