#!/usr/bin/env python3
"""Promise: `agon metrics` computes every metric of a stored run, of agents and of files; JSON, CSV and the screen
say the same; what does not apply says why; the documents show commands that work; a mistake is named."""
import csv
import io
import json
import os
import re
import shlex
import subprocess
import tempfile

AGON, SOURCE = os.environ["AGON"], os.environ["SOURCE"]


def run(*words, cwd=None, code=0):
    r = subprocess.run([AGON, *words], capture_output=True, text=True, cwd=cwd)
    if r.returncode != code:
        raise SystemExit(f"{words}: exit {r.returncode}, expected {code}: {r.stderr}")
    return r.stdout if code == 0 else r.stderr


def numbers(populations):
    """{(population, set, metric, column): value} of the metrics with one row."""
    found = {}
    for p in populations:
        for m in p["metrics"]:
            if m["shape"] == "population" and "columns" in m:
                for name, c in m["columns"].items():
                    found[p["population"], m.get("set", ""), m["metric"], name] = c["value"]
    return found


def check_formats(*words):
    """Every metric as JSON and as CSV: the same numbers."""
    populations = json.loads(run("metrics", *words, "--metric", "all", "--json", "--bootstrap", "8"))
    rows = list(csv.DictReader(io.StringIO(
        run("metrics", *words, "--metric", "all", "--csv", "--bootstrap", "8"))))
    flat = {(r["population"], r["set"], r["metric"], r["column"]): r["value"] for r in rows}
    values = numbers(populations)
    assert values
    for key, value in values.items():
        assert flat[key] == "" if value is None else abs(float(flat[key]) - value) <= 1e-12 * abs(value), key
    for p in populations:
        n = len(p["agents"])
        for m in p["metrics"]:
            assert ("why" in m) != ("columns" in m), m
            for c in m.get("columns", {}).values():
                if m["shape"] == "agents":
                    assert len(c) == n, m["metric"]
                if m["shape"] == "pairs":
                    assert len(c) == n and all(len(row) == n for row in c), m["metric"]
    screen = run("metrics", *words, "--bootstrap", "8")
    assert "vendi" in screen and "noise alone" in screen
    return populations


def metric(populations, name):
    return next(m for m in populations[0]["metrics"] if m["metric"] == name)


def check_run(folder):
    game = "connect_four(rows=4,cols=4,connect=3)"
    settings = ["population.size=4", "train.generations=4", "train.rollouts=2", "train.lanes=16",
                "train.horizon=8", "net.hidden=16", "metrics.every=2", "metrics.games=16",
                "metrics.anchor_games=8", "metrics.final_games=0", "metrics.probes=64"]
    for seed in "12":
        run("train", game, *settings, f"train.seed={seed}", f"run.dir={folder}/{seed}", "--quiet")
    all_of = check_formats(f"{folder}/1")
    with open(f"{folder}/1/metrics.jsonl") as f:
        last = [json.loads(line) for line in f][-1]
    vendi, J = metric(all_of, "vendi")["columns"], metric(all_of, "entropy")["columns"]
    assert abs(vendi["order_1"]["value"] - last["diversity"]["vendi_1"]) < 1e-9
    assert abs(J["j"]["value"] - last["diversity"]["J"]) < 1e-12
    nash = metric(all_of, "nash")["columns"]["exp_entropy"]
    assert abs(nash["value"] - last["payoff"]["nash_support"]) < 1e-9
    assert nash["null_low"] <= nash["null_high"]
    # A generation that was not measured, a baseline, agents of two runs, held-out opponents.
    run("metrics", f"{folder}/1", "--at", "1", "--quiet")
    same = json.loads(run("metrics", f"{folder}/1", "--baseline", f"{folder}/1", "--metric",
                          "homogenization", "--json", "--bootstrap", "0"))
    index = metric(same, "homogenization")["columns"]
    assert all(abs(index[name]["value"]) < 1e-9 for name in ("vendi", "vendi_greedy", "distance")), same
    both = json.loads(run("metrics", f"{folder}/1:all", f"{folder}/2:all", "random", "--metric", "nets,vendi",
                          "--json", "--bootstrap", "0"))
    assert len(both[0]["agents"]) == 9 and "not a net" in metric(both, "cka")["why"]
    held = run("metrics", f"{folder}/1", "--held-out", f"one_ply {folder}/2:best", "--metric",
               "generalization_gap", "--games", "8")
    assert "one_ply" in held
    return f"{folder}/1"


def check_screen(folder, one):
    """Tables fit 100 columns and align, names of other alphabets too; what is rounding is shown as 0."""
    text = run("metrics", one, "--metric", "all", "--bootstrap", "20")
    wide = [line for line in (text + run("metrics", "--list")).splitlines() if len(line) > 100]
    assert not wide, wide
    assert not re.search(r"\de-1[5-9] (pay-off|logits)", text), text
    with open(f"{folder}/names.csv", "w") as f:
        f.write(",Zo\u00eb,\u65e5\u672c\u8a9e\nZo\u00eb,,0.5\n\u65e5\u672c\u8a9e,0.5,\n")
    rows = run("metrics", "--payoff", f"{folder}/names.csv", "--unit", "win-rate", "--metric", "nash_mixture",
               "--quiet").splitlines()[-2:]
    assert rows[0].index("0.5") == rows[1].index("0.5") + 3, rows  # three characters take two columns each
    # Of a large population no intervals, and that is said.
    with open(f"{folder}/many.csv", "w") as f:
        f.write("agent,state,p0,p1\n" + "".join(f"{i},0,0.5,0.5\n" for i in range(101)))
    assert "--bootstrap 200" in run("metrics", "--probs", f"{folder}/many.csv", "--metric", "vendi")


def check_roles(folder):
    """Of separate roles it is said which one was measured; the report shows both."""
    run("train", "pursuit", "population.roles=separate", "population.size=2", "train.generations=1",
        "train.rollouts=1", "train.lanes=4", "net.hidden=4", "metrics.games=2", "metrics.anchor_games=2",
        "metrics.final_games=0", "metrics.probes=16", f"run.dir={folder}/roles", "--quiet")
    assert "role 1 prey" in run("metrics", f"{folder}/roles", "--role", "1", "--metric", "vendi")
    run("report", f"{folder}/roles", "-o", f"{folder}/roles.html", "--quiet")
    with open(f"{folder}/roles.html") as f:
        text = f.read()
    assert "Vendi score, set U, role 0 predator" in text and "Vendi score, set U, role 1 prey" in text


def check_mistakes(folder, one):
    run("train", "nim", "population.size=2", "train.generations=1", "train.rollouts=1", "train.lanes=4",
        "net.hidden=4", f"run.dir={folder}/other", "--quiet")
    for words, code, said in [
        (["vendy"], 2, "no run"),
        ([one, "--metric", "vendy"], 2, "did you mean 'vendi'"),
        ([one, "--at", "99"], 1, "the last is 4"),
        ([one, "--set", "Q"], 2, "expected U, B or X"),
        ([one, "--set", "X"], 2, "goes with --probes"),
        ([one, "--baseline", f"{folder}/other", "--metric", "homogenization"], 1, "expected one game"),
        ([folder], 1, "holds no run"),
        ([f"{folder}/nowhere"], 1, "no run"),
        ([one, "--probes", "/nowhere"], 1, "/nowhere"),
        ([one, "--set", "X"], 2, "goes with --probes"),
        ([f"{one}:0/0", f"{one}:1/0", "--baseline", one], 2, "goes with a run"),
        (["--payoff", "x.csv", "--baseline", one], 2, "not with files"),
        ([one, "--json", "--csv"], 2, "exclude each other"),
        ([], 2, "expected a run"),
        (["--payoff", "/nowhere.csv"], 1, "/nowhere.csv"),
        ([one, "--payoff", "x.csv"], 2, "expected one of them"),
        ([one, "--bootstrap", "many"], 2, "expected a number"),
    ]:
        text = run("metrics", *words, code=code)
        assert said in text, (words, text)
    with open(f"{folder}/rect.csv", "w") as f:
        f.write(",x,y\na,.5,-.2\nb,-.5,.1\nc,.2,-.3\n")
    text = run("metrics", "--payoff", f"{folder}/rect.csv", "--metric", "all")
    assert "anchor_nash" in text and "games against anchors were not counted" in text, text
    with open(f"{folder}/bad.csv", "w") as f:
        f.write(",a,b\na,,1.7\nb,0.2,\n")
    text = run("metrics", "--payoff", f"{folder}/bad.csv", "--unit", "win-rate", code=1)
    assert "bad.csv" in text and "1.7" in text, text
    with open(f"{folder}/latin1.csv", "wb") as f:
        f.write(b",Zo\xeb,b\nb,0.5,\n")
    text = run("metrics", "--payoff", f"{folder}/latin1.csv", "--unit", "win-rate", code=1)
    assert "line 1" in text and "UTF-8" in text and "iconv" in text, text


def check_documents():
    """The commands of the examples, as written; and the catalogue is the table's own text."""
    folder = os.path.join(SOURCE, "engine/metrics/examples")
    with open(f"{folder}/README.md") as f:
        blocks = re.findall(r"```\n(.*?)```", f.read(), re.S)
    commands = [line for block in blocks for line in block.splitlines()]
    assert len(commands) >= 6
    for line in commands:
        words = shlex.split(line)
        assert words[0] == "agon"
        run(*words[1:], cwd=folder)
    with open(f"{SOURCE}/engine/metrics/catalogue.md") as f:
        assert f.read() == run("metrics", "--document"), \
            "engine/metrics/catalogue.md is old: agon metrics --document > engine/metrics/catalogue.md"
    listed = re.findall(r"^ [ *] (\w+)", run("metrics", "--list"), re.M)
    for name in listed:
        assert name in run("help", name)
    return len(commands), len(listed)


with tempfile.TemporaryDirectory() as folder:
    one = check_run(folder)
    check_screen(folder, one)
    check_roles(folder)
    check_mistakes(folder, one)
commands, listed = check_documents()
print(f"{listed} metrics, {commands} commands of the documents")
