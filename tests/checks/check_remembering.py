#!/usr/bin/env python3
"""Promise: tools that ask single nets let them remember. In agon play each seat's net counts its own
decisions, from nothing when the game begins, whoever sits opposite; agon solve says why a game whose
positions are reached by several lines has no exact values of such a net, and a run does without."""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

AGON = os.environ["AGON"]
GAME = "iterated(stage=matching_pennies,rounds=4)"
SETTINGS = """population.size=2 train.generations=1 train.rollouts=1 train.lanes=8 train.horizon=8
    train.minibatches=1 metrics.games=4 metrics.anchor_games=0 metrics.final_games=0 metrics.probes=16
    metrics.bootstrap=2""".split()

# m = 5, 7.5, 8.75, ..: heads while m < 6, which is the first time, then tails.
COUNTING = {"trunk.0.weight": 12 * [0], "trunk.0.bias": [10, 0], "policy.weight": [0, 1000],
            "policy.bias": [0, -6000], "value.weight": [0], "value.bias": [0]}


def agon(*words, stdin="", code=0):
    done = subprocess.run([AGON, *words], input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def train(folder, game, hidden):
    run = pathlib.Path(folder) / f"{game.split('(')[0]}-{hidden}"
    agon("train", game, f"run.dir={run}", f"net.hidden={hidden}", "--quiet", *SETTINGS)
    return run


def write_counting(run, path):
    """A snapshot of the run with other weights."""
    for blob in (run / "blobs").rglob("*"):
        data = bytearray(blob.read_bytes()) if blob.is_file() else b""
        if b"agon.snapshot/1" not in data[:4096]:
            continue
        size = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:8 + size])
        for name, values in COUNTING.items():
            begin, end = header[name]["data_offsets"]
            assert end - begin == 4 * len(values), (name, header[name])
            data[8 + size + begin:8 + size + end] = struct.pack(f"<{len(values)}f", *values)
        path.write_bytes(data)
        return
    raise AssertionError(f"no snapshot in {run}")


def moves(text, seat):
    lines = [line.removeprefix("> ") for line in text.splitlines()]
    return [line.split()[3] for line in lines if line.startswith(f"seat {seat} plays ")]


def check_play(folder):
    net = pathlib.Path(folder) / "counting.safetensors"
    write_counting(train(folder, GAME, "mingru1"), net)
    larger = train(folder, GAME, "mingru7")
    counted = ["heads", "tails", "tails", "tails"]
    both = agon("play", GAME, "--watch", "--vs", f"{net} {net}")
    assert moves(both, 0) == moves(both, 1) == counted, both
    mixed = agon("play", GAME, "--watch", "--vs", f"{larger}:1/0 {net}")
    assert moves(mixed, 1) == counted, mixed
    person = agon("play", GAME, "--vs", str(net), "--seat", "0", stdin="tails\n" * 4)
    assert moves(person, 1) == counted, person
    print("play: a net counts its own decisions, in either seat")


def check_exact(folder):
    run = train(folder, "tic_tac_toe", "mingru4")
    said = agon("solve", "tic_tac_toe", f"{run}:1/0", code=1)
    assert "one position by several lines" in said and "hint: " in said, said
    line = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    assert line["nash_conv"] is None and "memory" in line["nash_conv_why"], line
    run = train(folder, GAME, "mingru4")
    said = agon("solve", GAME, f"{run}:1/0", "--json")
    exact = json.loads(said)["agents"][0]["nash_conv"]
    line = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    assert abs(line["nash_conv"]["each"][0] - exact) < 1e-6, (line, exact)
    print("solve: refused where lines meet, else as the run has it")


with tempfile.TemporaryDirectory() as folder:
    check_play(folder)
    check_exact(folder)
sys.exit(0)
