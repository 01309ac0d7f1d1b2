#!/usr/bin/env python3
"""agon beside PyTorch, JAX, PufferLib and OpenSpiel on this machine, by turns in the same minutes.

    tests/bench/peers/run.py [check|forward|update|rollout|train|games|strength ...] [options]

Prints one Markdown table; --json FILE keeps all numbers. README.md says what each row compares and
how to install the peers; one that is missing is skipped. Without words: all but strength."""
import argparse
import json
import os
import pathlib
import platform
import sys

import nets
import sides
import strength
from sides import SHAPE

WORKS = ["check", "forward", "update", "rollout", "train", "games", "strength"]
GAMES = ["tic_tac_toe", "connect_four", "othello", "leduc_poker", "backgammon"]
# tools/configs/connect_four.ini with 64 lanes and without scripted opponents, whom the peers lack.
SETTINGS = {
    "agents": 8, "lanes": 64, "horizon": 32, "rollouts": 8, "opponents": 8, "past": 0.25,
    "kept": 64, "generations": 3, "epochs": 4, "minibatches": 4, "rate": 0.002, "rate_end": 0.00005,
    "entropy": 0.06, "entropy_end": 0.002, "clip": 0.2, "value": 0.5, "norm": 0.5, "beta1": 0.9,
    "beta2": 0.999, "epsilon": 1e-8, "discount": 0.99, "lambda": 0.9,
}


class Comparison:
    def __init__(self, options):
        self.o, self.workers, self.rows = options, sides.Workers(), []
        self.one, self.all = [max(options.cores)], options.cores
        self.settings = SETTINGS

    def peer(self, name, cores, label=None, **request):
        """A list of one side, or of none where the peer is missing or not asked for. cores: of each
        process."""
        if name not in self.o.peers:
            return []
        try:
            workers = [self.workers.get(name, c) for c in cores]
        except sides.Skipped:
            return []
        return [sides.Peer(workers, request | {"shape": SHAPE}, label)]

    def compare(self, what, ours, peers, flop, seconds=None):
        if not peers:
            return
        print(what, file=sys.stderr, flush=True)
        for row in sides.by_turns(ours, peers, self.o.rounds, seconds or self.o.seconds, flop):
            self.rows.append({"work": what} | row)

    def forward(self):
        flop = nets.forward_flop(SHAPE)
        for count in self.o.nets:
            for rows in self.o.rows:
                words = ["forward", "--nets", str(count), "--rows", str(rows)]
                ours = sides.Agon(self.o.agon, words, "rows", self.one)
                peers = [p for name, forms in (("torch", ["loop", "bmm", "vmap"]),
                                               ("jax", ["vmap", "map"])) for form in forms
                         for p in self.peer(name, [self.one], work="forward", form=form,
                                            nets=count, rows=rows)]
                self.compare(f"forward, {count} nets x {rows} rows", ours, peers, flop)

    def update(self):
        ours = sides.Agon(self.o.agon, ["update"], "rows", self.one)
        peers = [p for name, forms in (("torch", ["loop", "bmm", "vmap", "compile"]),
                                       ("jax", ["vmap", "turns"]))
                 for form in forms for p in self.peer(name, [self.one], work="update", form=form,
                                                      settings=SETTINGS)]
        self.compare("update, 8 learners", ours, peers, nets.update_flop(SHAPE))

    def rollout(self):
        for count in (n for n in self.o.nets if n >= 64):
            for rows in (r for r in self.o.rows if r <= 8):
                words = ["rollout", "--nets", str(count), "--rows", str(rows)]
                ours = sides.Agon(self.o.agon, words, "agent_steps", self.one)
                peers = [p for name, form in (("torch", "bmm"), ("jax", "vmap"),
                                               ("jax", "turns"))
                         for p in self.peer(name, [self.one], work="rollout", form=form,
                                            nets=count, rows=rows, horizon=32)]
                self.compare(f"rollout, {count} nets x {rows} games", ours, peers,
                             nets.forward_flop(SHAPE))

    def train(self):
        """On all cores: one process, or one for each core with its share of the agents."""
        flop = 2 * nets.forward_flop(SHAPE) + SETTINGS["epochs"] * nets.update_flop(SHAPE)
        each, count = [[core] for core in self.all], len(self.all)
        share = SETTINGS | {"agents": SETTINGS["agents"] // count}
        peers = []
        for name, form in (("torch", "bmm"), ("torch", "compile"), ("jax", "vmap"),
                           ("jax", "turns"), ("pufferlib", "ours"), ("pufferlib", "ocean")):
            peers += self.peer(name, [self.all], work="train", form=form, settings=SETTINGS)
            if count > 1:
                peers += self.peer(name, each, f"{name} {form}, {count} processes", work="train",
                                   form=form, settings=share)
        ours = sides.AgonTrain(self.o.agon, SETTINGS, self.all)
        self.compare("train, 8 agents", ours, peers, flop, max(self.o.seconds, 1.0))

    def games(self):
        for game in GAMES:
            ours = sides.Agon(self.o.agon, ["games", "--game", game], "steps", self.one)
            peers = self.peer("openspiel", [self.one], "openspiel C++", work="games", game=game,
                              playouts=500)
            self.compare(f"random play, {game}", ours, peers, 0)

    def check(self):
        strength.check(self)

    def strength(self):
        strength.compare(self)


# ---- out -------------------------------------------------------------------------------------

def number(x):
    return f"{x / 1e6:.2f} M" if x >= 1e6 else f"{x / 1e3:.1f} k" if x >= 1e3 else f"{x:.3g}"


def share(row, who):
    x = row[who + "_share_of_sgemm"]
    return f"{100 * x:.0f} / {100 * row[who + '_share_of_peak']:.0f} %" if x else "-"


def print_table(rows):
    print("| work | peer | agon/s | peer/s | ratio | agon's share of sgemm / FMA | peer's share "
          "| warm-up s |")
    print("|---|---|---|---|---|---|---|---|")
    for r in rows:
        print(f"| {r['work']} | {r['peer']} | {number(r['agon_per_second'])} | "
              f"{number(r['peer_per_second'])} | {r['ratio']:.2f} | {share(r, 'agon')} | "
              f"{share(r, 'peer')} | {r['warm_up_seconds']:.1f} |")


def machine():
    model = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if "model name" in line]
    return f"{model[0] if model else platform.machine()}, {os.cpu_count()} cores"


def numbers(text):
    return [int(word) for word in text.split(",")]


def options():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("works", nargs="*", metavar="|".join(WORKS))
    p.add_argument("--peers", default=",".join(sides.SCRIPTS), help="default: all")
    p.add_argument("--agon", default=str(sides.ROOT / "build/tools/agon"))
    p.add_argument("--rounds", type=int, default=5, help="turns of every side; default 5")
    p.add_argument("--seconds", type=float, default=0.2, help="of one turn; default 0.2")
    p.add_argument("--nets", type=numbers, default=[1, 8, 64, 512])
    p.add_argument("--rows", type=numbers, default=[1, 8, 32, 128])
    p.add_argument("--seeds", type=int, default=3, help="of strength")
    p.add_argument("--generations", type=int, default=30, help="of strength")
    p.add_argument("--json", help="file for all numbers")
    o = p.parse_args()
    o.agon = os.path.abspath(o.agon)
    o.works = o.works or WORKS[:-1]
    o.peers = o.peers.split(",")
    o.cores = sorted(os.sched_getaffinity(0))
    for word in o.works:
        if word not in WORKS:
            p.error(f"nothing called '{word}' to compare: {', '.join(WORKS)}")
    if not pathlib.Path(o.agon).exists():
        p.error(f"--agon {o.agon}: no such file; build agon, or say where it is")
    return o


def main():
    o = options()
    comparison = Comparison(o)
    for work in o.works:
        getattr(comparison, work)()
    versions = comparison.workers.versions()
    missing = comparison.workers.missing
    comparison.workers.close()
    if not versions:
        print("skipped: " + "; ".join(missing.values()))
        return 77
    if comparison.rows:
        print_table(comparison.rows)
    print(f"\n{machine()}; " + ", ".join(f"{k} {v}".strip() for k, v in versions.items()))
    if o.json:
        with open(o.json, "w") as file:
            json.dump({"machine": machine(), "versions": versions, "rows": comparison.rows}, file,
                      indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
