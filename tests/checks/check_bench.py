#!/usr/bin/env python3
"""Promise: `agon bench` prints one JSON line per figure: every game, forward at 1, 16, 64, 512 nets x 1, 8, 32,
128 rows, choice, update, rollout, end-to-end training; each beside the FMA peak, the sgemm and the copy rate of
the same run, and the shares are what they say; and what measuring costs beside training. --against openblas
computes the same (agon compares before it measures). The store leaves nothing behind. A coordinator moves tasks and
bytes over TCP and TLS, and libuv alone the same. learn prints a line for each bar, with what three seeds came to.
Growth has a figure for every point of its series, and draws them, or says what it lacks. --compare finds
the figures of a record again and refuses what is none. The rates themselves are not tested."""
import json
import os
import re
import shutil
import subprocess
import tempfile

AGON = os.environ["AGON"]

QUICK = ("--seconds", "0.01", "--samples", "3")
FOLDER = tempfile.TemporaryDirectory()


def bench(*words):
    r = subprocess.run([AGON, "bench", *QUICK, *words], capture_output=True, text=True,
                       env=os.environ | {"TMPDIR": FOLDER.name})
    assert os.listdir(FOLDER.name) == [], os.listdir(FOLDER.name)
    if r.returncode:
        raise SystemExit(f"exit {r.returncode}: {r.stderr}")
    return [json.loads(line) for line in r.stdout.splitlines()]


FLOORS = ["cores", "backend", "cpu", "fma_peak_gflops", "sgemm_gflops", "copy_gigabytes_per_second",
          "copy_megabytes"]


def check_order(x):
    """What names it, ratios, rates, numbers, floors."""
    keys = list(x)
    ratios = [i for i, k in enumerate(keys) if k.startswith(("share_", "ratio_"))]
    rate = next(i for i, k in enumerate(keys) if k.endswith("_per_second"))
    assert keys[0] == "bench" and ratios == list(range(rate - len(ratios), rate)), keys
    assert keys[rate + 1:rate + 3] == ["low", "high"] and keys[-len(FLOORS):] == FLOORS, keys
    assert ratios and all(x[k] > 0 for k in FLOORS if k not in ("backend", "cpu")), x


def check_share(x, share, rate, floor):
    expected = x[rate] / (x[floor] * x["cores"])
    assert abs(x[share] - expected) <= 2e-3 * expected, (share, x)


lines = bench("games")
lines += bench("forward", "update", "rollout", "train", "--game", "matrix", "--hidden", "16")
against = bench("--against", "openblas", "--game", "tic_tac_toe", "--hidden", "16")
cost = bench("metrics", "--game", "matrix", "--hidden", "16")
assert len(cost) == 1 and cost[0]["part"] == "run", cost
check_order(cost[0])
assert 0 < cost[0]["share_of_formulas"] < cost[0]["share_with_games"], cost
stored = bench("store", "--game", "matrix", "--hidden", "16")
assert [(x["results"], x["group"]) for x in stored] == [
    (kind, n) for kind in ("train", "match", "probe") for n in (1, 8, 64)], stored
for x in stored:
    check_order(x)
    check_share(x, "share_of_copy", "gigabytes_per_second", "copy_gigabytes_per_second")
    assert 0 < x["share_of_write_fsync"] and x["share_of_sqlite"] <= 1 and x["file_system"], x
    assert x["low"] <= x["results_per_second"] <= x["high"] and x["bytes_per_result"] > 100, x
moved = bench("net", "--game", "matrix", "--samples", "1")
assert [(x["work"], x["over"]) for x in moved] == [
    (work, over) for over in ("tcp", "tls") for work in ("tasks", "chunks")], moved
for x in moved:
    check_order(x)
    assert x["cpu_microseconds"] > 0 and x["ratio_to_libuv"] > 0 < x["ratio_to_libuv_per_cpu"], x
whole = bench("workers", "--game", "matrix", "--hidden", "16", "--samples", "1")
assert len(whole) == 1 and whole[0]["workers"] == 2 and whole[0]["ratio_to_threads"] > 0, whole
check_order(whole[0])
with tempfile.TemporaryDirectory() as pictures:
    drawn = ("--plot", pictures) if shutil.which("gnuplot") else ()
    growth = bench("growth", "--game", "matrix", "--hidden", "16", "--samples", "1", *drawn)
    for name in ("nets", "lanes", "width", "threads") if drawn else ():
        for ending in ("png", "svg", "pdf", "tsv", "gp"):
            assert os.path.getsize(f"{pictures}/growth_{name}.{ending}") > 100, (name, ending)
points = {}
for x in growth:
    points.setdefault(x["grows"], []).append(x)
    check_order(x)
    rate = x["made_per_second" if x["grows"] == "memory" else "decisions_per_second"]
    assert x["low"] <= rate <= x["high"] and rate > 0, x
NETS = [1, 4, 16, 64, 256, 1024, 4096]
assert [x["nets"] for x in points["nets, with them lanes"]] == NETS, points
assert [x["nets"] for x in points["nets, lanes shared"]] == NETS, points
assert [x["lanes"] for x in points["lanes"]] == [2 ** i for i in range(3, 13)], points
assert [x["net"].split("-")[1] for x in points["width"]] == [str(2 ** i) for i in range(4, 11)], points
cores = os.sysconf("SC_NPROCESSORS_ONLN")
assert {1, cores, 4 * cores} <= {x["threads"] for x in points["threads"]}, points
for x in points["threads"]:
    assert x["cores"] == min(x["threads"], cores) and x["share_of_linear"] > 0, x
assert {x["thing"]: x["bytes"] > 100 for x in points["memory"]} == dict.fromkeys(
    ("packed weights", "learner", "snapshot file", "lane"), True), points
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

learned = bench("learn", "--game", "kuhn_poker", "--limit", "0.5")
assert len(learned) == 1 and learned[0]["game"] == "kuhn_poker", learned
for x in learned:
    check_order(x)
    check_share(x, "share_of_sgemm", "gflops", "sgemm_gflops")
    assert x["seeds"] == 3 and x["limit_seconds"] == 0.5 and x["what"] == "NashConv", x
    assert x["reached"] == sum(s is not None for s in x["seconds_each"]), x
    assert len(x["seconds_each"]) == len(x["agent_steps_each"]) == len(x["value_each"]) == 3, x
    assert x["value"] == sorted(x["value_each"])[1], x
    assert (x["seconds"] is None) == (x["reached"] < 2) == (x["agent_steps"] is None), x
    for seconds, steps, value in zip(x["seconds_each"], x["agent_steps_each"], x["value_each"]):
        assert (value <= x["at_most"]) == (seconds is not None) == (steps is not None), x
        assert seconds is None or (seconds > 0 and steps > 0), x
    assert all(a is None if s is None else 0 < a <= s
               for a, s in zip(x["seconds_without_measuring_each"], x["seconds_each"])), x


def refused(*words):
    r = subprocess.run([AGON, "bench", *words], capture_output=True, text=True)
    return r.returncode, r.stderr


shaped = bench("forward", "rollout", "--nets", "3", "--rows", "2", "--game", "tic_tac_toe")
assert [x["bench"] for x in shaped] == ["forward", "rollout"], shaped
for x in shaped:
    assert x["nets"] == 3 and 2 in (x.get("rows_per_net"), x.get("lanes_per_net")), x
    assert x["low"] > 0, x
code, said = refused("forward", "--nets", "3")
assert code == 2 and "--rows" in said, (code, said)
code, said = refused("update", "--nets", "3", "--rows", "2")
assert code == 2 and "'update'" in said, (code, said)
code, said = refused("--against", "mkl")
assert code == 2 and "--against mkl" in said and "openblas" in said, (code, said)
code, said = refused("rollout", "--plot", FOLDER.name)
assert code == 2 and "growth" in said, (code, said)
r = subprocess.run([AGON, "bench", "growth", "--plot", FOLDER.name], capture_output=True, text=True,
                   env=os.environ | {"PATH": "/nonexistent"})
assert r.returncode == 1 and "gnuplot was not found" in r.stderr and not r.stdout, r
code, said = refused("rollout", "--against", "openblas")
assert code == 2 and "rollout" in said, (code, said)
for words in ("--samples", "4"), ("--samples", "33"), ("--samples", "x"), ("--seconds", "0"), \
        ("--limit", "0"), ("--limit", "1m"):
    code, said = refused(*words)
    assert code == 2 and f"{words[0]} {words[1]}" in said, (code, said)
code, said = refused("learn", "--game", "tron")
assert code == 2 and "tron" in said and "kuhn_poker" in said, (code, said)
code, said = refused("everything")
assert code == 2 and "'everything'" in said and "population" in said, (code, said)


# ---- --compare ------------------------------------------------------------------------------------

SETTINGS = (*QUICK, "--game", "matrix", "--hidden", "16")


def compare(text, *words):
    with tempfile.NamedTemporaryFile("wb", suffix=".record") as record:
        record.write(text if isinstance(text, bytes) else text.encode())
        record.flush()
        r = subprocess.run([AGON, "bench", "--compare", record.name, *words], capture_output=True,
                           text=True, timeout=100)
    return r.returncode, r.stdout, r.stderr


def rows(table):
    """Name: the numbers before it."""
    found = {}
    for line in table.splitlines():
        m = re.match(r"\s*((?:[0-9.e+-]+[+-]?\s+)+)((?:update|rollout|choice|forward), .*)", line)
        if m:
            found[m[2]] = m[1].split()
    return found


def written(x):
    return json.dumps(x, separators=(",", ":"))


update = next(x for x in lines if x["bench"] == "update")
rollout = next(x for x in lines if x["bench"] == "rollout")
record = written(update) + "\n\n" + written(rollout) + "\n"
code, table, said = compare(record, *SETTINGS)
assert code == 0 and not said, (code, said)
assert len(rows(table)) == 2 and "not in the record" not in table and "not measured" not in table, table
numbers = next(v for k, v in rows(table).items() if k.startswith("update"))
assert len(numbers) == 6 and float(numbers[0]) == round(update["share_of_peak"], 4), numbers
assert abs(float(numbers[3]) / update["rows_per_second"] - 1) < 1e-3, (numbers, update)

# Beyond the samples of both: what is a thousand times as fast then is marked, and a repeated figure
# is taken as it was last.
fast = update | {k: 1000 * update[k] for k in ("rows_per_second", "low", "high", "share_of_peak")}
code, table, said = compare(record + written(fast), "update", *SETTINGS)
numbers = next(v for k, v in rows(table).items() if k.startswith("update"))
assert code == 0 and numbers[2].endswith("-") and numbers[5].endswith("-"), table
assert float(numbers[5][:-1]) < 0.1 and "1 figures of the record are of other parts" in table, table

# Other settings: named on both sides, with what to do.
code, table, said = compare(record, "update", *QUICK, "--game", "matrix", "--hidden", "8")
assert code == 0 and "not in the record" in table and "not measured now" in table, table
assert "--hidden" in table and update["net"] in table, table

# Another machine, another backend.
code, table, said = compare(written(update | {"cpu": "Z80 \x1b[31m", "backend": "cpu/none"}), *SETTINGS)
assert code == 0 and "'Z80 ?[31m'" in table and "cpu/none" in table and "\x1b" not in table, table

# What is no record.
strange = written(update | {"bench": "teleport"})
for text, part in [("", "no figures"), ("\n\n", "no figures"), (record + "{", "line 4"),
                   ("[1,2]", "line 1"), ("{}", "line 1"), (b"\x00\xff\xfe", "line 1"),
                   ("[" * 100000, "line 1"), ('{"bench":3}', "bench"),
                   ('{"bench":"update","net":[1],"rows_per_second":1}', "neither text nor number"),
                   (written(update | {"low": "x"}), "low"),
                   (written(update | {"rows_per_second": -1}), "above 0"),
                   (written(update).replace('"high":', '"high":1e999,"hi":'), "above 0"),
                   (strange, "no figure that this agon measures")]:
    code, table, said = compare(text, *SETTINGS)
    assert code == 1 and part in said and not table, (text[:60], code, said, table)
code, said = refused("--compare", "/nowhere/record")
assert code == 1 and "/nowhere/record" in said, (code, said)
code, said = refused("--compare", FOLDER.name)
assert code == 1 and FOLDER.name in said, (code, said)
print(f"{len(lines) + len(against) + len(stored) + len(moved) + len(learned)} figures")
