#!/usr/bin/env python3
"""Promise: agents learn on a GPU as on the CPU. Pairs of runs of the default settings, equal but for train.device;
two one-sided t-tests of the differences say whether the two are equivalent: kuhn_poker by the median agent's exact
NashConv within 0.05, connect_four by the best agent's score against one_ply within 0.05 (5 points of 100).

    learning.py AGON [--seeds 20] [--games kuhn_poker,connect_four] [--jobs N] [--small] [section.key=value ...]

With smaller settings it is for the tests' own driver, too, which rounds as a GPU does. Prints a line of JSON for each
game; exit code 1 when one is not equivalent."""
import argparse
import concurrent.futures
import json
import os
import statistics
import subprocess
import sys
import tempfile

from tost import tost

GAMES = {  # what is measured, of the report; margin
    "kuhn_poker": ("NashConv of the median agent", lambda r: r["nash_conv"]["median"], 0.05),
    "connect_four": ("score against one_ply", lambda r: r["final"]["one_ply"]["best"], 0.05),
    "tic_tac_toe": ("score against random", lambda r: r["final"]["random"]["best"], 0.05),
}
SMALL = ("population.size=2", "train.generations=2", "train.lanes=16", "train.horizon=8", "train.rollouts=1",
         "metrics.games=2", "metrics.anchor_games=4", "net.hidden=16")


def run(agon, game, device, seed, threads, settings):
    with tempfile.TemporaryDirectory() as work:
        out = subprocess.run(
            [agon, "train", game, "--json", f"train.device={device}", f"train.seed={seed}", f"run.dir={work}/run",
             f"machine.threads={threads}", *settings], capture_output=True, text=True)
    if out.returncode:
        raise SystemExit(f"agon train {game} train.device={device} train.seed={seed}: {out.stderr.strip()}")
    return GAMES[game][1](json.loads(out.stdout.splitlines()[-1]))


def compare(a, pool, threads, game):
    name, _, margin = GAMES[game]
    seeds = range(1, a.seeds + 1)
    settings = [*(SMALL if a.small else ()), *a.settings]
    jobs = {(device, seed): pool.submit(run, a.agon, game, device, seed, threads, settings)
            for seed in seeds for device in ("cpu", "cuda")}
    found = {key: job.result() for key, job in jobs.items()}
    differences = [found["cuda", s] - found["cpu", s] for s in seeds]
    mean, error, p = tost(differences, margin)
    print(json.dumps({
        "check": "learning: TOST of GPU - CPU", "precision": "auto", "case": f"{game}, {name}, {a.seeds} seeds",
        "passed": p < 0.05, "error": abs(mean), "limit": margin, "equal": False, "count": a.seeds, "p": p,
        "standard_error": error, "differences": differences,
        "cpu_mean": statistics.fmean(found["cpu", s] for s in seeds),
        "gpu_mean": statistics.fmean(found["cuda", s] for s in seeds)}), flush=True)
    return p < 0.05


def main():
    p = argparse.ArgumentParser()
    p.add_argument("agon")
    p.add_argument("--seeds", type=int, default=20)
    p.add_argument("--games", default="kuhn_poker,connect_four")
    p.add_argument("--jobs", type=int, default=max(1, len(os.sched_getaffinity(0)) // 2))
    p.add_argument("--small", action="store_true")
    p.add_argument("settings", nargs="*")
    a = p.parse_intermixed_args()
    threads = max(1, len(os.sched_getaffinity(0)) // a.jobs)
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        passed = [compare(a, pool, threads, game) for game in a.games.split(",")]
    return 0 if all(passed) or a.small else 1


if __name__ == "__main__":
    sys.exit(main())
