#!/usr/bin/env python3
"""Promise: `agon train --profile` says where the time went: every phase in the table and in the report of --json,
shares that add up, none of training that is empty; timing.jsonl holds the shares, `agon help columns` knows its names;
a run has the same bytes with and without it, stopped runs are profiled too, and threads are called what they do."""
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

AGON = os.environ["AGON"]
SIGNATURE = pathlib.Path(os.environ["SOURCE"]) / "tests" / "signature.py"
PHASES = ("step observe forward sample scripted collect update payoff metrics store other idle").split()
TINY = ("population.size=4 train.generations=4 train.rollouts=2 train.lanes=16 train.horizon=8 train.epochs=2 "
        "train.minibatches=2 net.hidden=32,17 metrics.every=2 metrics.games=8 metrics.anchor_games=8 "
        "metrics.final_games=16 metrics.probes=64 metrics.bootstrap=50 machine.threads=2").split()


def train(run, *words):
    r = subprocess.run([AGON, "train", "connect_four", f"run.dir={run}", *TINY, *words], capture_output=True, text=True)
    assert r.returncode == 0, r.stderr
    return r.stdout


def table(text):
    """Rows of the table by phase: seconds, share in percent, nanoseconds per agent-step."""
    rows = re.findall(r"^   (\w+) +([\d.]+) +([\d.]+) % +(\d+)", text, re.M)
    assert [row[0] for row in rows] == PHASES + ["all"], text
    return {name: tuple(map(float, numbers)) for name, *numbers in rows}


def check_table(text):
    rows = table(text)
    assert abs(sum(rows[p][1] for p in PHASES) - 100) < 0.05 * len(PHASES) + 0.05, rows
    assert abs(sum(rows[p][0] for p in PHASES) - rows["all"][0]) < 0.0005 * len(PHASES) + 0.0005, rows
    seconds, slots = map(float, re.search(r"([\d.]+) s, (\d+) tasks? at a time", text).groups())
    assert rows["all"][0] >= seconds * slots - 0.1, text
    assert max(map(len, text.splitlines())) <= 80, text


def check_report(text):
    profile = json.loads(text.splitlines()[-1])["profile"]
    assert list(profile["phases"]) == PHASES
    assert abs(sum(p["share"] for p in profile["phases"].values()) - 1) < 1e-6
    for name, phase in profile["phases"].items():
        assert name == "idle" or (phase["seconds"] > 0 and phase["ns_per_agent_step"] > 0), (name, phase)
    tasks = sum(p["seconds"] for name, p in profile["phases"].items() if name not in ("idle", "store", "other", "metrics"))
    assert 0 < tasks <= profile["tasks_at_a_time"] * profile["seconds"] and profile["agent_steps_per_second"] > 0


def check_timing(run):
    columns = json.loads(subprocess.run([AGON, "help", "columns", "--json"], capture_output=True, check=True).stdout)
    known = [c["column"] for c in columns if c["table"] == "timing.jsonl"]
    lines = [json.loads(line) for line in open(run / "timing.jsonl")]
    assert len(lines) == 5, lines
    for line in lines:
        names = [f"{k}.{i}" if i else k for k, v in line.items() for i in (v if isinstance(v, dict) else [None])]
        assert names == known, (names, known)
        assert abs(sum(line["shares"].values()) - 1) < 0.001


def check_stopped(run):
    """Stopped in the middle, with threads looked at meanwhile."""
    words = [AGON, "train", "connect_four", f"run.dir={run}", *TINY, "train.generations=100000", "--profile", "--quiet"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    names, end = set(), time.time() + 30
    while not {"agon", "agon-task-0", "agon-task-1", "agon-store"} <= names and time.time() < end:
        for comm in pathlib.Path(f"/proc/{process.pid}/task").glob("*/comm"):
            try:
                names.add(comm.read_text().strip())
            except OSError:
                pass
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=60)
    assert process.returncode == 0 and "--resume" in said, said
    assert {"agon", "agon-task-0", "agon-task-1", "agon-store"} <= names, names
    check_table(out)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        plain = train(folder / "plain")
        assert "ns/step" not in plain
        profiled = train(folder / "profiled", "--profile")
        check_table(profiled[profiled.index("\n phase "):].split("\n run:")[0])
        check_report(train(folder / "json", "--profile", "--json"))
        assert "profile" not in json.loads(train(folder / "json-plain", "--json").splitlines()[-1])
        signatures = {subprocess.run(["python3", SIGNATURE, folder / run], capture_output=True, check=True).stdout
                      for run in ("plain", "profiled", "json", "json-plain")}
        assert len(signatures) == 1
        check_timing(folder / "plain")
        check_stopped(folder / "stopped")
    print(f"{len(PHASES)} phases; the same bytes with and without --profile")


main()
