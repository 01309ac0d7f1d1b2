#!/usr/bin/python3
"""Promise: what `agon export` writes is opened by others and holds what the run holds: NumPy reads the games and
they keep to the rules; the CSV files are the tables and the lines of metrics.jsonl; TensorBoard's files carry the
same scalars (read here by hand, and by TensorBoard itself where it is installed). `agon help columns` knows every
column and every path of a run. Wrong use is named."""
import csv
import json
import os
import pathlib
import re
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

AGON = os.environ["AGON"]
TINY = """population.size=3 train.generations=2 train.rollouts=2 train.lanes=16 train.horizon=16 net.hidden=16
    metrics.every=1 metrics.games=8 metrics.anchor_games=8 metrics.final_games=8 metrics.probes=32
    metrics.bootstrap=20 league.kind=uniform machine.threads=2""".split()
GAMES = [("kuhn_poker", []), ("tic_tac_toe", []), ("pursuit", ["population.roles=separate"])]


def agon(*words, code=0):
    done = subprocess.run([AGON, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == code, (words, done.returncode, done.stderr)
    return done.stderr if code else done.stdout


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


# ---- CSV against the run ----

def flatten(value, path=""):
    """Single values of a line by path, as engine/flat.h names them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flatten(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            name = number
            if isinstance(inner, dict):
                name = inner.get("role", inner.get("name", number))
            if not isinstance(inner, list):
                yield from flatten(inner, f"{path}.{name}")
    else:
        yield path, value


def same(text, value):
    if value is None:
        return text == ""
    if isinstance(value, (bool, str)):
        return text == (value if isinstance(value, str) else str(value).lower())
    return text != "" and float(text) == value


def check_csv(run, folder):
    agon("export", run, "--csv", folder, "--quiet")
    lines = [json.loads(line) for line in open(run / "metrics.jsonl")]
    table = rows(folder / "metrics.csv")
    assert len(table) == len(lines) == 3
    cells = 0
    for row, line in zip(table, lines):
        flat = dict(flatten(line))
        assert len(flat) > 20
        for path, text in row.items():
            assert same(text, flat.get(path)), (path, text, flat.get(path))
        assert set(flat) <= set(row), set(flat) - set(row)
        cells += len(flat)
    database = sqlite3.connect(run / "run.db")
    database.row_factory = sqlite3.Row
    for name in ("train", "match", "probe"):
        stored = {tuple(str(row[k]) for k in ("key", "seat")[: 1 + (name == "match")]): row
                  for row in database.execute(f"SELECT * FROM {name}")}
        written = rows(folder / f"{name}.csv")
        assert len(written) == len(stored) > 0
        for row in written:
            origin = stored[tuple(row[k] for k in ("key", "seat")[: 1 + (name == "match")])]
            for column, text in row.items():
                assert same(text, origin[column]), (name, column, text, origin[column])
                cells += 1
    return cells


# ---- TensorBoard ----

def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            form = {1: "<d", 5: "<f"}[key & 7]
            value = struct.unpack_from(form, data, at)[0]
            at += struct.calcsize(form)
        yield key >> 3, value


def events(path):
    """(tag, step) -> (wall time, value), checksums checked."""
    data, at, found = path.read_bytes(), 0, {}
    while at < len(data):
        size, check = struct.unpack_from("<QI", data, at)
        record = data[at + 12:at + 12 + size]
        assert check == masked(data[at:at + 8])
        assert struct.unpack_from("<I", data, at + 12 + size)[0] == masked(record)
        at += 16 + size
        event = dict(fields(record))
        if 5 in event:
            value = dict(fields(dict(fields(event[5]))[1]))
            found[value[1].decode(), event[2]] = event[1], value[2]
        else:
            assert event[3] == b"brain.Event:2"
    return found


def by_tensorboard(folder, found):
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ImportError:
        return "not installed"
    reader = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    reader.Reload()
    theirs = {(tag, e.step): (e.wall_time, e.value) for tag in reader.Tags()["scalars"] for e in reader.Scalars(tag)}
    assert theirs == found
    return f"{len(theirs)} scalars read"


def check_tensorboard(run, folder):
    agon("export", run, "--tensorboard", folder, "--quiet")
    path, = folder.glob("*tfevents*")
    found = events(path)
    expected = {}
    for line in map(json.loads, open(run / "metrics.jsonl")):
        lists = {p for p, _ in flatten(line) if re.search(r"\.\d+$", p)}
        for name, value in flatten(line):
            if isinstance(value, (int, float)) and not isinstance(value, bool) and name not in lists:
                expected[name, int(line["steps"])] = float(np.float32(value))
    assert {key: value for key, (_, value) in found.items()} == expected
    seconds = {json.loads(line)["generation"]: json.loads(line)["seconds"] for line in open(run / "timing.jsonl")}
    assert {wall for wall, _ in found.values()} <= set(seconds.values())
    again = folder.parent / "again"
    agon("export", run, "--tensorboard", again, "--quiet")
    assert (again / path.name).read_bytes() == path.read_bytes()
    return by_tensorboard(folder, found)


# ---- games ----

def check_games(game, run, file):
    agon("export", run, "--games", file, "--count", 20, "--quiet")
    first = file.read_bytes()
    agon("export", run, "--games", file, "--count", 20, "--quiet")
    assert file.read_bytes() == first, "the games differ from one call to the next"
    with np.load(file) as data:
        g = {name: data[name] for name in data.files}
    steps, seats = len(g["action"]), g["returns"].shape[1]
    assert g["returns"].shape == g["agents"].shape == (20, seats) and g["length"].shape == (20,)
    for name in ("seat", "agent", "episode", "ply"):
        assert g[name].shape == (steps,), name
    assert g["observations"].shape[0] == steps and g["observations"].ndim == 4
    assert g["legal"].dtype == bool and g["legal"][np.arange(steps), g["action"]].all()
    assert (g["agents"][g["episode"], g["seat"]] == g["agent"]).all()
    order = np.lexsort((g["seat"], g["ply"], g["episode"]))
    assert (order == np.arange(steps)).all()
    assert all(g["ply"][g["episode"] == e].max() + 1 == g["length"][e] for e in range(20))
    assert np.isfinite(g["returns"]).all() and len(set(map(tuple, g["agents"]))) > 4
    if game != "pursuit":
        assert (g["returns"].sum(axis=1) == 0).all()
    else:  # agents 0..2 are of the first role, 3..5 of the second
        assert ((g["agents"] >= 3) == (g["agents"] >= 3)[0]).all()
    agon("export", run, "--games", file, "--count", 20, "--at", 0, "--quiet")
    with np.load(file) as data:
        assert not np.array_equal(data["action"], g["action"]), "generation 0 plays the same games"
    return steps


# ---- columns ----

def patterns(described):
    for path in (entry["column"] for entry in described if entry["table"] == "metrics.jsonl"):
        text = re.escape(path).replace(re.escape("[]"), r"\[\]")
        if path.endswith(".*"):
            text = text[: -len(re.escape(".*"))] + r"\..+"
        yield path, re.compile(text.replace(r"\.\*", r"\..+?"))


def paths(value, path=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, path + "[]")
    else:
        yield path


def check_columns(runs):
    described = json.loads(agon("help", "columns", "--json"))
    known, used = list(patterns(described)), set()
    for run in runs:
        database = sqlite3.connect(run / "run.db")
        for table in ("train", "match", "probe", "blob", "meta"):
            has = [(row[1], row[2]) for row in database.execute(f"PRAGMA table_info({table})")]
            assert has == [(e["column"], e["type"]) for e in described if e["table"] == table], table
        for line in map(json.loads, open(run / "metrics.jsonl")):
            for path in paths(line):
                hits = [name for name, pattern in known if pattern.fullmatch(path)]
                assert hits, f"agon help columns does not know {path}"
                used.update(hits)
        for line in map(json.loads, open(run / "timing.jsonl")):
            assert set(paths(line)) == {e["column"] for e in described if e["table"] == "timing.jsonl"}, line
    text = agon("help", "columns")
    assert max(map(len, text.splitlines())) <= 100
    for entry in described:
        assert len(entry["meaning"]) > 2 and f"  {entry['column']} " in text, entry
    return len(used), [name for name, _ in known if name not in used]


def check_mistakes(run, folder):
    for words, code, said in (
            (["export"], 2, "expected one run directory"),
            (["export", run], 2, "--csv DIR"),
            (["export", run, "--csv", folder, "--at", "1"], 2, "--at goes with --games"),
            (["export", run, "--games", folder / "x.npz", "--count", "0"], 2, "--count is '0'"),
            (["export", run, "--games", folder / "x.npz", "--at", "9"], 1, "generation 9, expected 0 to 2"),
            (["export", run, "--games", folder / "no" / "x.npz"], 1, "No such file"),
            (["export", folder / "none", "--csv", folder / "x"], 1, "none"),
            (["export", folder / "none", "--tensorboard", folder / "x"], 1, "made by 'agon train'"),
            (["export", run, "--csv", "/dev/null/x"], 1, "/dev/null")):
        text = agon(*words, code=code)
        assert said in text, (words, text)
    assert not (folder / "x.npz").exists()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder, runs = pathlib.Path(name), []
        for game, settings in GAMES:
            run = folder / game
            agon("train", game, f"run.dir={run}", "--quiet", *TINY, *settings)
            runs.append(run)
            cells = check_csv(run, folder / f"{game}-csv")
            board = check_tensorboard(run, folder / f"{game}-tb")
            steps = check_games(game, run, folder / f"{game}.npz")
            (folder / "again" / "events.out.tfevents.agon").unlink()
            print(f"{game}: {cells} cells of CSV, {steps} decisions; TensorBoard: {board}")
        used, never = check_columns(runs)
        print(f"columns: {used} paths of metrics.jsonl seen; not in these runs: {', '.join(never) or 'none'}")
        check_mistakes(runs[0], folder)


main()
