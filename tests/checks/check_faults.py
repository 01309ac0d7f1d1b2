#!/usr/bin/env python3
"""Promise: bad input gets a message that names the thing, exit 1 (the world) or 2 (the command line), and
nothing stored is lost. Covers unknown keys, values out of range, missing and truncated blobs, another run
format, a damaged database, an unwritable directory, a second writer, and a full disk (the run pauses)."""
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

AGON, SOURCE = os.environ["AGON"], os.environ["SOURCE"]
sys.path.insert(0, os.path.join(SOURCE, "tests"))
from signature import signature  # noqa: E402

SMALL = ("population.size=3 train.generations=3 train.rollouts=2 train.lanes=16 train.horizon=8 "
         "net.hidden=32 metrics.every=1 metrics.games=8 metrics.anchor_games=8 metrics.final_games=8 "
         "metrics.probes=32 metrics.bootstrap=20").split()
failures = []


def agon(*arguments):
    return subprocess.run([AGON, *arguments], capture_output=True, text=True, timeout=120)


def expect(name, arguments, code, *words):
    r = agon(*arguments)
    text = r.stderr
    missing = [w for w in words if w not in text]
    if r.returncode != code or missing or not text.startswith("agon: "):
        failures.append(name)
        print(f"FAILED {name}: exit {r.returncode} (wanted {code}), missing {missing} in:\n{text}")
    else:
        print(f"ok {name}: {text.splitlines()[0]}")


work = tempfile.mkdtemp()
try:
    run = os.path.join(work, "run")
    r = agon("train", "matrix", f"run.dir={run}", *SMALL)
    if r.returncode:
        raise SystemExit(f"training failed: {r.stderr}")

    expect("unknown game", ["train", "conect_four"], 1, "conect_four", "connect_four")
    expect("unknown parameter", ["train", "connect_four(row=5)"], 1, "row", "rows")
    expect("parameter out of range", ["train", "connect_four(rows=99)"], 1, "rows", "99")
    expect("unknown key", ["train", "matrix", "train.sed=1"], 1, "train.sed", "train.seed")
    expect("bare key", ["train", "matrix", "seed=1"], 2, "seed=1", "section.key=value")
    expect("out of range", ["train", "matrix", "train.lanes=0"], 1, "train.lanes", "0")
    expect("not a number", ["train", "matrix", "train.learning_rate=fast"], 1, "train.learning_rate", "fast")
    expect("unknown option", ["train", "matrix", "--resum"], 2, "--resum")
    expect("no game", ["train"], 2, "train")
    expect("missing config", ["train", os.path.join(work, "none.ini")], 1, "none.ini")
    config = os.path.join(work, "bad.ini")
    with open(config, "w") as f:
        f.write("[game]\nname = matrix\n[train]\nlearning_rte = 1\n")
    expect("bad config line", ["train", config], 1, "bad.ini:4", "learning_rte", "learning_rate")
    expect("existing run", ["train", "matrix", f"run.dir={run}", *SMALL], 1, run, "--resume")
    expect("resume nothing", ["train", "--resume", os.path.join(work, "empty")], 1, "empty")
    expect("resume with other settings", ["train", "--resume", run, "train.seed=2"], 2, "train.seed")
    expect("refused anchor", ["train", "kuhn_poker", "league.anchors=mcts"], 1, "mcts")
    expect("plot of nothing", ["plot", os.path.join(work, "empty")], 1, "empty")

    # Damage to a copy of the run; the message names the thing, and the run itself is untouched.
    before = signature([run])

    def damaged(name, damage, *words, code=1):
        copy = os.path.join(work, "copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(run, copy)
        damage(copy)
        expect(name, ["train", "--resume", copy], code, *words)

    def newest_blob(copy, column="learner"):
        database = sqlite3.connect(os.path.join(copy, "run.db"))
        name = database.execute(f"select {column} from train order by generation desc, agent limit 1").fetchone()[0]
        database.close()
        return os.path.join(copy, "blobs", name + ".safetensors"), name

    def truncate(copy):
        path, _ = newest_blob(copy)
        os.truncate(path, os.path.getsize(path) // 2)

    def set_meta(copy, key, value):
        database = sqlite3.connect(os.path.join(copy, "run.db"))
        database.execute("update meta set value = ? where key = ?", (value, key))
        database.commit()
        database.close()

    def garble(copy):
        with open(os.path.join(copy, "run.db"), "r+b") as f:
            f.write(b"not a database at all")

    def edit_config(copy):
        path = os.path.join(copy, "config.ini")
        text = open(path).read().replace("lanes = 16", "lanes = 32")
        open(path, "w").write(text)

    learner = newest_blob(run)[1][:12]
    damaged("missing blob", lambda c: os.remove(newest_blob(c)[0]), learner)
    damaged("truncated blob", truncate, learner)
    damaged("other format", lambda c: set_meta(c, "format", "99"), "99")
    damaged("damaged database", garble, "run.db")
    damaged("edited config", edit_config, "config.ini")
    damaged("other rules", lambda c: set_meta(c, "fingerprint", "0123456789abcdef"), "rules")
    if signature([run]) != before:
        failures.append("the damaged copies changed the run")

    # A directory that cannot be written: below a regular file (permissions do not stop root).
    blocker = os.path.join(work, "file")
    open(blocker, "w").close()
    expect("unwritable", ["train", "matrix", f"run.dir={blocker}/run", *SMALL], 1, blocker)

    # A second writer.
    busy = os.path.join(work, "busy")
    first = subprocess.Popen([AGON, "train", "connect_four", "--quiet", f"run.dir={busy}"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        if os.path.exists(os.path.join(busy, "run.db")):
            break
        time.sleep(0.05)
    time.sleep(0.3)
    expect("second writer", ["train", "--resume", busy], 1, str(first.pid))
    first.kill()
    first.wait()

    # A full disk pauses the run; with room again it ends with the same bytes.
    disk = os.path.join(work, "disk")
    os.mkdir(disk)
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", disk], capture_output=True).returncode == 0
    if not mounted:
        print("skipped: full disk needs the right to mount a small tmpfs")
    else:
        try:
            filler = os.path.join(disk, "filler")
            with open(filler, "wb") as f:
                f.write(b"x" * 700_000)
            log = open(os.path.join(work, "log"), "w+")
            p = subprocess.Popen([AGON, "train", "matrix", f"run.dir={disk}/run", *SMALL,
                                  "train.generations=12", "run.keep=2"],
                                 stdout=subprocess.DEVNULL, stderr=log)
            paused = False
            for _ in range(300):
                time.sleep(0.1)
                log.seek(0)
                paused = "paused" in log.read()
                if paused or p.poll() is not None:
                    break
            if not paused:
                log.seek(0)
                failures.append("full disk")
                print(f"FAILED full disk: not paused (exit {p.poll()}): {log.read()}")
                p.kill()
            else:
                os.remove(filler)
                subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
                try:
                    p.wait(timeout=60)
                except subprocess.TimeoutExpired:
                    p.kill()
                calm = os.path.join(work, "calm")
                agon("train", "matrix", f"run.dir={calm}", *SMALL, "train.generations=12")
                if p.returncode == 0 and signature([calm]) == signature([f"{disk}/run"]):
                    print("ok full disk: paused, went on, same bytes")
                else:
                    log.seek(0)
                    failures.append("full disk")
                    print(f"FAILED full disk: exit {p.returncode}: {log.read()}")
            p.wait()
        finally:
            subprocess.run(["umount", disk])
finally:
    shutil.rmtree(work, ignore_errors=True)
if failures:
    raise SystemExit(f"failed: {', '.join(failures)}")
