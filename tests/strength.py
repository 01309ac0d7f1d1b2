#!/usr/bin/env python3
"""Trains the default configs with seeds 1, 2, 3 and checks the median over seeds of each bar. The agent is
the one called best on other games than the ones reported (kuhn_poker: the population's median agent).
Usage: strength.py AGON [GAME...]"""
import json
import statistics
import subprocess
import sys
import tempfile
import time

BARS = {  # game: (name, value of a report, bar, "at least" or "below")
    "tic_tac_toe": [
        ("greedy score against random", lambda r: r["final"]["random"]["best"], 0.94, ">="),
        ("worst greedy return against optimal play", lambda r: min(
            r["against_optimal"]["worst_first"][r["best_agent"]],
            r["against_optimal"]["worst_second"][r["best_agent"]]), 0, ">="),
    ],
    "connect_four": [
        ("greedy score against random", lambda r: r["final"]["random"]["best"], 0.97, ">="),
        ("greedy score against one_ply", lambda r: r["final"]["one_ply"]["best"], 0.80, ">="),
    ],
    "kuhn_poker": [("exact NashConv of the median agent", lambda r: r["nash_conv"]["median"], 0.10, "<")],
}

agon, games = sys.argv[1], sys.argv[2:] or list(BARS)
failed = False
for game in games:
    reports, seconds = [], []
    for seed in (1, 2, 3):
        with tempfile.TemporaryDirectory() as work:
            begun = time.time()
            out = subprocess.run([agon, "train", game, "--json", f"train.seed={seed}", f"run.dir={work}/run"],
                                 capture_output=True, text=True, check=True).stdout
            seconds.append(time.time() - begun)
            reports.append(json.loads(out.splitlines()[-1]))
    print(f"{game}: seconds " + ", ".join(f"{s:.0f}" for s in seconds), flush=True)
    for name, value, bar, sense in BARS[game]:
        values = [value(r) for r in reports]
        median = statistics.median(values)
        good = median >= bar if sense == ">=" else median < bar
        failed |= not good
        print(f"  {'ok' if good else 'FAILED'} {name}: median {median:.4f} {sense} {bar} "
              f"(seeds: {', '.join(f'{v:.4f}' for v in values)})", flush=True)
sys.exit(failed)
