#!/usr/bin/env python3
"""Promise: a program plays wherever an agent is named, on the coordinator's host or on a worker that offers the
same file; whatever it does wrong fails with its name and what it did."""
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time

AGON = os.environ["AGON"]
SOURCE = pathlib.Path(os.environ["SOURCE"])
SMALL = ["population.size=2", "train.generations=2", "train.rollouts=1", "train.lanes=8", "train.horizon=8",
         "metrics.every=1", "metrics.games=4", "metrics.anchor_games=4", "metrics.final_games=8", "metrics.probes=16",
         "metrics.bootstrap=20", "train.minibatches=2", "league.anchor_share=0"]
BOT = """#!/usr/bin/env python3
import base64, json, os, sys
facts = json.loads(sys.stdin.readline())
assert facts["agon"] == 1 and facts["actions"] == 9, facts
size = facts["planes"] * facts["rows"] * facts["cols"] * {"u8": 1, "f32": 4}[facts["dtype"]]
print("ready", flush=True)
if len(sys.argv) > 1:
    open(sys.argv[1], "a").write("started\\n")
for line in sys.stdin:
    question = json.loads(line)
    assert len(base64.b64decode(question["observation"])) == size
    print(question["legal"][(question["ply"] + question["seat"]) % len(question["legal"])], flush=True)
"""
WRONG = {
    "a game without 'ready'": ("print('hello', flush=True)\nsys.stdin.read()", "did not say 'ready'"),
    "an end in between": ("print('ready', flush=True)\nsys.stdin.readline()", "has ended"),
    "an illegal answer": ("print('ready', flush=True)\nfor line in sys.stdin:\n    print(77, flush=True)", "answered '77'"),
    "a word": ("print('ready', flush=True)\nfor line in sys.stdin:\n    print('\\x1b[2J', flush=True)", "answered '?[2J'"),
    "a line without an end": ("print('ready', flush=True)\nsys.stdout.write('9' * 9000)\nsys.stdout.flush()\nsys.stdin.read()",
                              "too long"),
}
failures = []


def expect(what, truth):
    print("ok" if truth else "FAILED", what)
    if not truth:
        failures.append(what)


def script(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def agon(*words, **more):
    return subprocess.run([AGON, *words], capture_output=True, text=True, timeout=120, **more)


def signature(run):
    return subprocess.run([sys.executable, SOURCE / "tests/signature.py", run], capture_output=True, text=True,
                          check=True).stdout


def trained(run, *words):
    r = agon("train", "tic_tac_toe", f"run.dir={run}", *SMALL, "metrics.anchors=random cmd:bot", *words)
    expect(f"a run into {pathlib.Path(run).name}: {r.stderr.strip().splitlines()[-1] if r.returncode else 'ended'}",
           r.returncode == 0)
    return signature(run)


def over_workers(work, name, offers):
    """A run whose only worker offers these programs; which host started the bot, and the run's bytes."""
    log = work / f"{name}.started"
    run = work / name
    with subprocess.Popen([AGON, "train", "tic_tac_toe", "--quiet", "--listen", "tcp://127.0.0.1:0", f"run.dir={run}",
                           *SMALL, "metrics.anchors=random cmd:bot", "--agent", f"bot={work}/bot {log}.coordinator"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as coordinator:
        url = None
        for _ in range(200):
            try:
                url = json.loads((run / "workers.json").read_text())["listen"]
                break
            except (OSError, ValueError, KeyError):
                time.sleep(0.05)
        worker = subprocess.run([AGON, "worker", "--connect", url or "tcp://127.0.0.1:1", "--threads", "1", "--quiet",
                                 "--once", "--dir", str(work / f"{name}.worker"), *offers(log)], timeout=120)
        problem = coordinator.communicate(timeout=120)[1]
    expect(f"{name}: the worker and the run end well {problem}", worker.returncode == 0 and coordinator.returncode == 0)
    return {who for who in ("coordinator", "worker") if pathlib.Path(f"{log}.{who}").exists()}, signature(run)


with tempfile.TemporaryDirectory() as folder:
    work = pathlib.Path(folder)
    bot = script(work / "bot", BOT)
    r = agon("play", "tic_tac_toe", "--vs", f"cmd:{bot}", "--watch")
    expect("a game against itself is played to its end", r.returncode == 0 and "over after" in r.stdout)
    local = trained(str(work / "local"), "--agent", f"bot={bot}")
    names = [x[0] for x in sqlite3.connect(work / "local/run.db").execute("select distinct col_ref from match")]
    expect("its rows name the program and its file", any(n.startswith("cmd:bot@") and len(n) == 72 for n in names))

    who, bytes_there = over_workers(work, "offered", lambda log: ["--agent", f"bot={bot} {log}.worker"])
    expect(f"a worker that offers the file plays it ({who})", who == {"worker"})
    expect("and the run has the same bytes", bytes_there == local)
    other = script(work / "other", BOT + "# another file\n")
    who, bytes_there = over_workers(work, "another", lambda log: ["--agent", f"bot={other} {log}.worker"])
    expect(f"one that offers another file does not ({who})", who == {"coordinator"})
    expect("and the run has the same bytes, too", bytes_there == local)

    for what, (body, words) in WRONG.items():
        path = script(work / "wrong", "#!/usr/bin/env python3\nimport sys\nsys.stdin.readline()\n" + body + "\n")
        r = agon("play", "tic_tac_toe", "--vs", f"cmd:{path}", "--watch")
        expect(f"{what}: {r.stderr.strip()}", r.returncode == 1 and words in r.stderr and path in r.stderr)
    r = agon("train", "tic_tac_toe", f"run.dir={work}/failed", *SMALL, "metrics.anchors=cmd:bot", "--agent",
             f"bot={work}/wrong")
    expect(f"a run says so, too: {r.stderr.strip().splitlines()[:1]}", r.returncode == 1 and "program bot" in r.stderr)
    r = agon("train", "tic_tac_toe", f"run.dir={work}/none", *SMALL, "metrics.anchors=cmd:nobody")
    expect("an unknown name is said, and how to give one", r.returncode == 1 and "--agent nobody=" in r.stderr)
    r = agon("train", "tic_tac_toe", "--agent", "bot", *SMALL)
    expect("a name without a command is a usage error", r.returncode == 2 and "NAME=COMMAND" in r.stderr)
    r = agon("solve", "tic_tac_toe", f"cmd:{bot}")
    expect("a program has no probabilities to solve", r.returncode == 1 and "probability" in r.stderr)
sys.exit(1 if failures else 0)
