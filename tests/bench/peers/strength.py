"""Whether the peers do the same work: the same logits, the same updates, and as strong agents after
as many steps."""
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile

import nets
import sides


def trained(agon, settings, folder, seed, cores):
    """Snapshots of agon's agents after a run."""
    sides.train(agon, settings, folder, seed, cores)
    with sqlite3.connect(f"{folder}/run.db") as run:
        hashes = run.execute("SELECT snapshot FROM train WHERE generation = ? ORDER BY agent",
                             (settings["generations"],)).fetchall()
    return [f"{folder}/blobs/{row[0]}.safetensors" for row in hashes]


# ---- the same numbers ------------------------------------------------------------------------

def agon_answer(dump_logits, snapshot, observations):
    """Logits and values of agon's CPU backend, a row each."""
    data = bytes(byte for row in observations for byte in row)
    raw = subprocess.run([dump_logits, snapshot], input=data, capture_output=True, check=True)
    out = nets.np.frombuffer(raw.stdout, "<f4")
    split = len(out) - len(observations)
    return nets.np.column_stack([out[:split].reshape(len(observations), -1), out[split:]])


def check(comparison):
    """Logits of a short run's agent, and the update of tests/data/ppo_case.bin."""
    o, generator = comparison.o, random.Random(1)
    dump_logits = os.path.join(os.path.dirname(o.agon), "../tests/dump_logits")
    if not os.path.exists(dump_logits):
        sys.exit(f"{dump_logits} is missing: ninja -C build dump_logits")
    observations = [[int(generator.random() < 0.3) for _ in range(84)] for _ in range(64)]
    settings = comparison.settings | {"generations": 1, "rollouts": 1}
    with tempfile.TemporaryDirectory() as folder:
        snapshot = trained(o.agon, settings, f"{folder}/run", 1, comparison.all)[0]
        expected = agon_answer(dump_logits, snapshot, observations)
        for name in ("torch", "jax"):
            for side in comparison.peer(name, [comparison.one], form="check"):
                answer = side.ask({"do": "check", "snapshot": snapshot, "obs": observations})[0]
                off = float(abs(nets.np.array(answer["answer"]) - expected).max())
                update = max(answer["update_error"].values())
                print(f"{name}: logits and values differ by at most {off:.1e}, parameters after "
                      f"ten updates by {update:.1e}", file=sys.stderr, flush=True)
                if not (off < 1e-5 and update < 1e-5):
                    sys.exit(f"{name} does not do the same work")


# ---- as strong -------------------------------------------------------------------------------

def points(agon, snapshot, opponent):
    """Share of the points in 400 games, both seats."""
    command = [agon, "metrics", "--game", "connect_four", snapshot, opponent, "--metric", "hodge",
               "--games", "400", "--bootstrap", "2", "--json", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    columns = json.loads(done.stdout)[0]["metrics"][0]["columns"]
    return 0.5 + columns["strength"][0] # of two agents, half the mean pay-off


def judged(agon, paths):
    return {opponent: statistics.mean(points(agon, path, opponent) for path in paths)
            for opponent in ("random", "one_ply")}


def peer_paths(side, settings, folder, seed, metadata):
    paths = [f"{folder}/{seed}-{agent}.safetensors" for agent in range(settings["agents"])]
    side.ask(side.request | {"do": "learn", "settings": settings, "seed": seed, "paths": paths,
                             "metadata": metadata})
    return paths


def compare(comparison):
    """Trains each side for the same agent-steps; agon plays the games of all."""
    o = comparison.o
    settings = comparison.settings | {"generations": o.generations}
    scores = {}
    for seed in range(1, o.seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            ours = trained(o.agon, settings, f"{folder}/run", seed, comparison.all)
            metadata = nets.read_snapshot(ours[0])[1]
            scores.setdefault("agon", []).append(judged(o.agon, ours))
            for name, form in (("torch", "bmm"), ("jax", "turns")):
                for side in comparison.peer(name, [comparison.all], form=form):
                    paths = peer_paths(side, settings, folder, seed, metadata)
                    scores.setdefault(name, []).append(judged(o.agon, paths))
        print(f"strength, seed {seed}: " + ", ".join(
            f"{who} {s[-1]['random']:.3f} {s[-1]['one_ply']:.3f}" for who, s in scores.items()),
              file=sys.stderr, flush=True)
    steps = settings["generations"] * settings["rollouts"] * settings["lanes"] * settings["horizon"]
    print(f"| points after {steps:,} agent-steps each | against random | against one_ply |")
    print("|---|---|---|")
    for who, results in scores.items():
        cells = [", ".join(f"{100 * r[opponent]:.1f}" for r in results)
                 for opponent in ("random", "one_ply")]
        print(f"| {who}, mean of 8 agents, by seed | {cells[0]} % | {cells[1]} % |")
    print()
