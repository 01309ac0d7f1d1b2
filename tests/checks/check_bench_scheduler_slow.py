#!/usr/bin/env python3
"""Promise: `agon bench scheduler` prints a line for 10, 100, 1,000 and 10,000 virtual workers, with and without waiting
for matches; shares of the workers' time add up to all of it; nothing is faster than the ideal; and all that is not
measured in real time is the same each time it is run."""
import json, os, subprocess, sys

AGON = os.environ["AGON"]
REAL = {"calls_per_second", "low", "high", "microseconds_per_call", "microseconds_per_task", "slowest_call_microseconds",
        "share_of_core", "fma_peak_gflops", "sgemm_gflops", "copy_gigabytes_per_second"}
SHARES = ("useful", "idle", "audits", "twice", "lost")


def bench():
    r = subprocess.run([AGON, "bench", "scheduler"], capture_output=True, text=True, timeout=2400)
    assert r.returncode == 0, r
    return [json.loads(line) for line in r.stdout.splitlines()]


first, second = bench(), bench()
assert [x["workers"] for x in first] == [10, 100, 1000, 10000] * 2, first
for a, b in zip(first, second):
    virtual = [{k: v for k, v in x.items() if k not in REAL} for x in (a, b)]
    assert virtual[0] == virtual[1], virtual
    shares = [a["share_" + k] for k in SHARES]
    assert all(0 <= x <= 1 for x in shares) and abs(sum(shares) - 1) < 1e-3, a
    assert a["ratio_makespan"] >= 1 and a["tasks"] > 0 and a["messages_per_second"] > 0, a
    assert set(REAL) <= set(a), a
print(f"{len(first)} lines, twice the same; useful {[x['share_useful'] for x in first]}")
sys.exit(0)
