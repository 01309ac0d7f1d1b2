#!/usr/bin/env python3
"""Promise: a long run takes no more memory than a short one, and its database grows by the same bytes in every
generation; so does a run that was stopped half-way and resumed."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

AGON = os.environ["AGON"]
SETTINGS = ("population.size=2 train.lanes=2 train.horizon=2 train.rollouts=1 train.epochs=1 train.minibatches=1 "
            "net.hidden=8 metrics.every=500 metrics.bootstrap=50 machine.threads=1").split()
GENERATIONS = 5000
STOP = 2500
BOUND = 2048  # KiB of resident memory between generation 1000 and the end; 1,328 were measured, of caches that fill
GROWTH = 1000  # bytes of the database a generation, at most; 830 were measured

if not os.path.exists("/proc/self/status"):
    print("skipped: no /proc to read memory from")
    sys.exit(77)


def last_generation(run):
    try:
        with open(f"{run}/timing.jsonl", "rb") as f:
            f.seek(0, 2)
            f.seek(max(0, f.tell() - 1000))
            return json.loads(f.read().split(b"\n")[-2])["generation"]
    except (OSError, IndexError, ValueError):
        return -1


def resident(process):
    with open(f"/proc/{process.pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])


def watch(process, run, marks):
    """{generation: (KiB, bytes, seconds)} at the first look at each of the marks or after it."""
    begun, seen = time.time(), {}
    while process.poll() is None:
        generation = last_generation(run)
        if marks and generation >= marks[0]:
            try:
                seen[generation] = (resident(process), os.path.getsize(f"{run}/run.db"), time.time() - begun)
            except (OSError, TypeError):
                break  # it has just ended
            marks = [m for m in marks if m > generation]
        time.sleep(0.005)
    process.wait()
    if marks:
        raise SystemExit(f"{run}: generations {marks} were not seen; exit {process.returncode}")
    return seen


def start(*arguments):
    return subprocess.Popen([AGON, "train", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def check(name, seen):
    at = sorted(seen)
    for g in at:
        print(f"{name}: generation {g}: {seen[g][0]} KiB resident, run.db {seen[g][1]} bytes, {seen[g][2]:.1f} s")
    more = seen[at[-1]][0] - seen[at[0]][0]
    if more > BOUND:
        raise SystemExit(f"{name}: {more} KiB more at generation {at[-1]} than at {at[0]}, at most {BOUND}")
    for a, b in zip(at, at[1:]):
        each = (seen[b][1] - seen[a][1]) / (b - a)
        if not 0 < each <= GROWTH:
            raise SystemExit(f"{name}: {each:.0f} bytes of run.db a generation from {a} to {b}, at most {GROWTH}")
    print(f"{name}: {more:+d} KiB from generation {at[0]} to {at[-1]}")


room = "/dev/shm" if os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > 1 << 28 else None
with tempfile.TemporaryDirectory(dir=room) as work:
    whole, halves = f"{work}/whole", f"{work}/halves"
    run = start("matrix", f"run.dir={whole}", f"train.generations={GENERATIONS}", *SETTINGS)
    seen = watch(run, whole, [1000, 2000, 3000, 4000, GENERATIONS - 200])
    check("one run", seen)

    run = start("matrix", f"run.dir={halves}", f"train.generations={GENERATIONS}", *SETTINGS)
    while run.poll() is None and last_generation(halves) < STOP:
        time.sleep(0.005)
    run.send_signal(signal.SIGINT)
    run.wait()
    run = start("--resume", halves, "machine.threads=1")
    later = watch(run, halves, [STOP + 500, STOP + 1500, GENERATIONS - 200])
    check("resumed", later)
    first = min(seen)
    more = max(v[0] for v in later.values()) - seen[first][0]
    if more > BOUND:
        raise SystemExit(f"resumed: {more} KiB more than a run at generation {first}, at most {BOUND}")
    with open(f"{whole}/metrics.jsonl", "rb") as a, open(f"{halves}/metrics.jsonl", "rb") as b:
        if a.read() != b.read():
            raise SystemExit("the resumed run has another metrics.jsonl")
