#!/usr/bin/env python3
"""Promise: `agon worker` names what is wrong with its words and its places; stopped once it finishes its task,
stopped twice it ends at once; what it computed while nobody listened is kept on disk, also when it is killed,
and taken over by the next worker; several share a directory; and the run ends with the bytes of one that had
no workers."""
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

AGON, SOURCE = os.environ["AGON"], os.environ["SOURCE"]
sys.path.insert(0, os.path.join(SOURCE, "tests"))
from ports import free_port  # noqa: E402
from signature import signature  # noqa: E402

# A training task takes about half a second here, a measurement far less.
SHAPE = ("population.size=2 train.generations=6 train.lanes=64 net.hidden=64 metrics.every=6 metrics.games=8 "
         "metrics.anchor_games=8 metrics.final_games=8 metrics.probes=32 metrics.bootstrap=20").split()
RUN = [*SHAPE, "train.rollouts=32"]
ENDLESS = [*SHAPE, "train.rollouts=100000"]
PATIENCE = 120
failures = []
started = []


def check(name, good, text=""):
    print(("ok " if good else "FAILED ") + name + ("" if good else f":\n{text}"))
    if not good:
        failures.append(name)


def refused(name, words, code, *expected, env=None):
    r = subprocess.run([AGON, "worker", *words], capture_output=True, text=True, timeout=PATIENCE, env=env)
    missing = [w for w in expected if w not in r.stderr]
    check(name, r.returncode == code and not missing and r.stderr.startswith("agon: "),
          f"exit {r.returncode}, wanted {code}; missing {missing} in:\n{r.stderr}")


def start(log, *words):
    """A process whose output goes to a file, which is its second value."""
    path = os.path.join(work, log)
    with open(path, "w") as f:
        p = subprocess.Popen([AGON, *words], stdout=f, stderr=subprocess.STDOUT)
    started.append(p)
    return p, path


def read(path):
    with open(path) as f:
        return f.read()


def until(what, condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            for log in sorted(glob.glob(os.path.join(work, "*.log"))):
                print(f"--- {os.path.basename(log)}\n{read(log)[-1500:]}")
            raise SystemExit(f"FAILED: waited {PATIENCE} s for {what}")
        time.sleep(0.02)


def kept(place):
    """Results in the spools below a directory."""
    return [f for f in glob.glob(os.path.join(place, "spool.*", "*")) if re.fullmatch("[0-9a-f]{64}", os.path.basename(f))]


def threads(process):
    """Names of its threads that are running a task now."""
    busy = []
    for task in glob.glob(f"/proc/{process.pid}/task/*"):
        try:
            if read(task + "/comm").startswith("agon-task") and read(task + "/stat").split(")")[1].split()[0] == "R":
                busy.append(task)
        except OSError:
            pass
    return busy


def busy_for_long(process):
    for _ in range(25):
        if not threads(process):
            return False
        time.sleep(0.02)
    return True


def words_and_places():
    url = ["--connect", "tcp://127.0.0.1:1"]
    bare = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_CACHE_HOME")}
    refused("no address", [], 2, "--connect")
    refused("no scheme", ["--connect", "127.0.0.1"], 1, "127.0.0.1", "tcp://")
    refused("tls without a directory", ["--connect", "tls://h:1"], 2, "--tls")
    refused("no threads", [*url, "--threads", "0"], 2, "--threads", "0")
    refused("threads that are no number", [*url, "--threads", "2x"], 2, "2x")
    refused("a small cache", [*url, "--cache", "12"], 2, "--cache", "12")
    refused("a cache that is no size", [*url, "--cache", "1X"], 2, "1X")
    refused("a missing token", [*url, "--token", "/none/token"], 1, "/none/token")
    refused("a built-in as plug-in", [*url, "--game", "nim"], 2, "nim", "FILE.so")
    refused("a missing plug-in", [*url, "--game", "./none.so"], 1, "none.so")
    refused("an agent without command", [*url, "--agent", "mine"], 2, "mine", "NAME=COMMAND")
    refused("a missing program", [*url, "--dir", os.path.join(work, "p"), "--agent", "mine=./none"], 1, "./none")
    refused("a word too many", [*url, "extra"], 2, "extra")
    refused("nowhere to keep things", url, 2, "--dir", env=bare)
    file = os.path.join(work, "file")
    open(file, "w").close()
    refused("a file as directory", [*url, "--dir", file], 1, file)
    open_token = os.path.join(work, "token")
    with open(open_token, "w") as f:
        f.write("name " + 64 * "0" + "\n")
    os.chmod(open_token, 0o644)
    refused("a token that others may read", [*url, "--dir", os.path.join(work, "p"), "--token", open_token], 1, open_token)


def nobody_there():
    place = os.path.join(work, "alone")
    p, log = start("alone.log", "worker", "--connect", f"tcp://127.0.0.1:{free_port()}", "--dir", place)
    until("two tries", lambda: read(log).count("next try in") >= 2)
    p.send_signal(signal.SIGTERM)
    check("stopped while nobody is there", p.wait(PATIENCE) == 0, read(log))
    check("why it has no coordinator", "connection refused" in read(log), read(log))


def train(log, *words):
    p, path = start(log, "train", *words, f"machine.listen=tcp://127.0.0.1:{port}", "machine.lease=5")
    until("the coordinator", lambda: "waiting for workers" in read(path) or p.poll() is not None)
    if p.poll() is not None:
        raise SystemExit(f"FAILED: {' '.join(words)}: {read(path)}")
    return p, path


def worker(log, *words):
    p, path = start(log, "worker", "--connect", f"tcp://127.0.0.1:{port}", "--dir", os.path.join(work, "shared"),
                    "--threads", "1", *words)
    until("a connection", lambda: "connected to" in read(path) or p.poll() is not None)
    return p, path


def stopping_twice():
    """In a task that would take hours; it is handed back."""
    coordinator, train_log = train("train0.log", "connect_four", f"run.dir={work}/endless", *ENDLESS)
    p, log = worker("twice.log")
    until("a training task", lambda: busy_for_long(p))
    p.send_signal(signal.SIGINT)
    until("its word", lambda: "stopping: 1 running" in read(log))
    p.send_signal(signal.SIGINT)
    code = p.wait(PATIENCE)
    check("a worker that is stopped twice ends with 0", code == 0, f"{code}: {read(log)}")
    until("it to have left", lambda: "stopped at once" in read(train_log))
    coordinator.kill()
    coordinator.wait()


def stopping_once(run):
    coordinator, _ = train("train1.log", "connect_four", f"run.dir={run}", *RUN)
    once, log = worker("once.log", "--name", "once")
    until("a task", lambda: threads(once))
    once.send_signal(signal.SIGTERM)
    check("a worker that is stopped ends with 0", once.wait(PATIENCE) == 0, read(log))
    check("and has no result left", not kept(os.path.join(work, "shared")), read(log))
    return coordinator


def killing(run, coordinator):
    """The coordinator goes, then the worker, whose results are there afterwards."""
    place = os.path.join(work, "shared")
    first, _ = worker("first.log")
    second, _ = worker("second.log")
    places = {os.path.basename(d) for d in glob.glob(os.path.join(place, "spool.*"))}
    check("two workers with one directory keep apart", places == {"spool.0", "spool.1"}, places)
    until("a task", lambda: threads(first) or threads(second))
    coordinator.kill()
    coordinator.wait()
    until("results on disk", lambda: kept(place))
    for p in (first, second):
        p.kill()
        p.wait()
    count = len(kept(place))
    coordinator, train_log = train("train2.log", "--resume", run)
    last, log = worker("last.log", "--once")
    check("results of dead workers are offered", f"to be offered again: {count}" in read(log), read(log))
    check("the run ends", coordinator.wait(PATIENCE) == 0, read(train_log))
    check("and with it a worker that serves once", last.wait(PATIENCE) == 0, read(log))
    check("all results were taken", not kept(place), kept(place))


def full_disk(expected):
    """The only worker has no room for its first results; with room again the run ends as always."""
    disk, run = os.path.join(work, "disk"), os.path.join(work, "full")
    os.mkdir(disk)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk],
                                           capture_output=True).returncode:
        print("skipped: a full disk needs the right to mount a small tmpfs")
        return
    try:
        coordinator, train_log = train("train3.log", "connect_four", f"run.dir={run}", *RUN)
        p, log = worker("full.log", "--dir", disk, "--once")
        until("a full disk", lambda: "no new tasks until there is room" in read(log))
        subprocess.run(["mount", "-o", "remount,size=300m", disk], check=True)
        check("with room again the run ends", coordinator.wait(PATIENCE) == 0, read(train_log))
        check("and the worker", p.wait(PATIENCE) == 0 and "there is room" in read(log), read(log))
        check("after a full disk the same bytes", signature([run]) == expected)
    finally:
        for p in started:
            if p.poll() is None:
                p.kill()
                p.wait()
        subprocess.run(["umount", disk])


work = tempfile.mkdtemp()
port = free_port()
try:
    words_and_places()
    nobody_there()
    local, run = os.path.join(work, "local"), os.path.join(work, "run")
    subprocess.run([AGON, "train", "connect_four", f"run.dir={local}", "--quiet", *RUN], check=True, timeout=PATIENCE)
    stopping_twice()
    killing(run, stopping_once(run))
    check("the same bytes as without workers", signature([run]) == signature([local]))
    full_disk(signature([local]))
finally:
    for p in started:
        if p.poll() is None:
            p.kill()
            p.wait()
    shutil.rmtree(work, ignore_errors=True)
print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)
