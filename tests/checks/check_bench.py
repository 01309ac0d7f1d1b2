#!/usr/bin/env python3
"""Promise: `agon bench` prints one JSON line per figure: every game, forward at 1, 16, 64, 512 nets x 1, 8, 32,
128 rows, choice, update, rollout, end-to-end training; each beside the FMA peak, the sgemm and the copy rate of
the same run, and the shares are what they say; and what measuring costs beside training. --against openblas
computes the same (agon compares before it measures). The store leaves nothing behind. The rates themselves are not tested."""
import json
import os
import subprocess
import tempfile

AGON = os.environ["AGON"]

FOLDER = tempfile.TemporaryDirectory()


def bench(*words):
    r = subprocess.run([AGON, "bench", "--seconds", "0.02", *words], capture_output=True, text=True,
                       env=os.environ | {"TMPDIR": FOLDER.name})
    assert os.listdir(FOLDER.name) == [], os.listdir(FOLDER.name)
    if r.returncode:
        raise SystemExit(f"exit {r.returncode}: {r.stderr}")
    return [json.loads(line) for line in r.stdout.splitlines()]


FLOORS = ["cores", "backend", "fma_peak_gflops", "sgemm_gflops", "copy_gigabytes_per_second",
          "copy_megabytes"]


def check_order(x):
    """What names it, ratios, rates, numbers, floors."""
    keys = list(x)
    ratios = [i for i, k in enumerate(keys) if k.startswith(("share_", "ratio_"))]
    rate = next(i for i, k in enumerate(keys) if k.endswith("_per_second"))
    assert keys[0] == "bench" and ratios == list(range(rate - len(ratios), rate)), keys
    assert keys[rate + 1:rate + 3] == ["low", "high"] and keys[-len(FLOORS):] == FLOORS, keys
    assert ratios and all(x[k] > 0 for k in FLOORS if k != "backend"), x


def check_share(x, share, rate, floor):
    expected = x[rate] / (x[floor] * x["cores"])
    assert abs(x[share] - expected) <= 2e-3 * expected, (share, x)


lines = bench("games")
lines += bench("forward", "update", "rollout", "train", "--game", "matrix", "--hidden", "16")
against = bench("--against", "openblas", "--game", "tic_tac_toe", "--hidden", "16")
cost = bench("metrics", "--game", "matrix", "--hidden", "16")
assert len(cost) == 1 and cost[0]["part"] == "run", cost
assert 0 < cost[0]["share_of_formulas"] < cost[0]["share_with_games"], cost
stored = bench("store", "--game", "matrix", "--hidden", "16")
assert [(x["results"], x["group"]) for x in stored] == [
    (kind, n) for kind in ("train", "match", "probe") for n in (1, 8, 64)], stored
for x in stored:
    check_order(x)
    check_share(x, "share_of_copy", "gigabytes_per_second", "copy_gigabytes_per_second")
    assert 0 < x["share_of_write_fsync"] and x["share_of_sqlite"] <= 1 and x["file_system"], x
    assert x["low"] <= x["results_per_second"] <= x["high"] and x["bytes_per_result"] > 100, x
games = {g["game"] for g in lines if g["bench"] == "games"}
listed = {g["name"] for g in json.loads(
    subprocess.run([AGON, "games", "--json"], capture_output=True, text=True, check=True).stdout)}
assert games == listed, (games, listed)
alone = [x["game"] for x in bench("games", "--game", "matrix(name=chicken)")]
assert alone == ["matrix(name=chicken)"], alone
SHAPES = {(p, r) for p in (1, 16, 64, 512) for r in (1, 8, 32, 128)}
for figures in lines, against:
    shapes = {(x["nets"], x["rows_per_net"]) for x in figures if x["bench"] == "forward"}
    assert shapes == SHAPES, shapes
kinds = [x["bench"] for x in lines]
assert all(kinds.count(k) == 1 for k in ("choice", "update", "rollout", "train")), kinds
assert [x["bench"] for x in against].count("update") == 1 and len(against) == 17, against
for x in against:
    assert x["against"] == "openblas" and x["openblas_core"], x
    assert list(x)[list(x).index("share_of_peak") - 1] == "ratio_to_openblas" and \
        x["ratio_to_openblas"] > 0, x
    assert x["openblas_low"] <= x["openblas_rows_per_second"] <= x["openblas_high"], x
    whole = x["minibatch"] if x["bench"] == "update" else x["rows_per_net"]
    assert x["openblas_rows_per_call"] in (32, whole) and x["openblas_rows_per_call"] <= whole, x
units = {"games": "steps", "forward": "rows", "choice": "rows", "update": "rows",
         "rollout": "agent_steps", "train": "agent_steps"}
for x in lines + against:
    rate = x[units[x["bench"]] + "_per_second"]
    assert rate > 0 and x["low"] <= rate <= x["high"], x
    check_order(x)
    if x["bench"] == "games":
        check_share(x, "share_of_copy", "gigabytes_per_second", "copy_gigabytes_per_second")
    else:
        check_share(x, "share_of_peak", "gflops", "fma_peak_gflops")
        check_share(x, "share_of_sgemm", "gflops", "sgemm_gflops")


def refused(*words):
    r = subprocess.run([AGON, "bench", *words], capture_output=True, text=True)
    return r.returncode, r.stderr


code, said = refused("--against", "mkl")
assert code == 2 and "--against mkl" in said and "openblas" in said, (code, said)
code, said = refused("rollout", "--against", "openblas")
assert code == 2 and "rollout" in said, (code, said)
code, said = refused("everything")
assert code == 2 and "'everything'" in said and "population" in said, (code, said)
print(f"{len(lines) + len(against)} figures")
