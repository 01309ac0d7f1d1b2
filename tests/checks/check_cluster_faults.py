#!/usr/bin/env python3
"""Promise: 0 lost and 0 doubled results, and the bytes of local threads, over random fault schedules: workers,
coordinator and broker are killed and paused, join and leave, connections are cut, swallowed, slowed, messages come
twice, late and damaged. 20 schedules; check_cluster_faults_slow.py has 200. `check_cluster_faults.py SEED...`
plays schedules by their seeds, SEED/tcp on one transport."""
import concurrent.futures
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests", "net"))
import faults  # noqa: E402
from cluster import Reference  # noqa: E402

COUNT = int(os.environ.get("SCHEDULES", "20"))
AT_ONCE = 6  # most of them wait


def chosen(words, here):
    pairs = []
    for word in words:
        seed, _, transport = word.partition("/")
        pairs += [(seed, t) for t in here if transport in ("", t)]
    first = int(os.environ.get("SEED", time.time()))
    return pairs or [(str(first + i), here[i % len(here)]) for i in range(COUNT)]


def main():
    work = tempfile.mkdtemp()
    failed, begun = [], time.monotonic()
    try:
        reference = Reference(work)
        pairs = chosen(sys.argv[1:], faults.transports())
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            jobs = {pool.submit(faults.play, work, reference, *pair): pair for pair in pairs}
            for job in concurrent.futures.as_completed(jobs):
                if why := job.result():
                    failed.append("/".join(jobs[job]))
                    print(f"FAILED {failed[-1]}: {why}", flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{len(pairs) - len(failed)} of {len(pairs)} schedules ended right in {time.monotonic() - begun:.0f} s")
    if failed:
        raise SystemExit(f"again with: check_cluster_faults.py {' '.join(sorted(failed))}")


if __name__ == "__main__":
    main()
