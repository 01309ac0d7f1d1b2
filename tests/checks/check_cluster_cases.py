#!/usr/bin/env python3
"""Promise: whatever happens to coordinator, workers and broker, over every transport, the run ends with the bytes
of local threads, no result is lost and none is there twice. The cases are in tests/net/cases.py. Words choose:
`check_cluster_cases.py late_result`, `... nats`, `... tcp/slow_peer`."""
import concurrent.futures
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests", "net"))
from cases import ON, Skipped  # noqa: E402
from cluster import TRANSPORTS, Cluster, Failure, Reference, missing  # noqa: E402

AT_ONCE = 6  # most of them wait


def chosen(words):
    every = [(t, case) for t in ("local", *TRANSPORTS) for case, on in ON.items() if t in on]
    return [(t, case) for t, case in every
            if not words or {t, case.__name__, f"{t}/{case.__name__}"} & set(words)]


def run(work, reference, transport, case):
    name, begun = f"{transport}/{case.__name__}", time.monotonic()
    if why := missing(transport):
        return name, "skipped", why
    cluster = None
    try:
        with Cluster(os.path.join(work, f"{transport}-{case.__name__}"), transport, reference) as cluster:
            case(cluster)
    except Skipped as why:
        return name, "skipped", str(why)
    except (Failure, OSError) as why:
        return name, "FAILED", f"{why}\n{cluster.logs() if cluster else ''}"
    return name, "ok", f"{time.monotonic() - begun:.1f} s"


def main():
    work = tempfile.mkdtemp()
    try:
        reference = Reference(work)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            jobs = [pool.submit(run, work, reference, *pair) for pair in chosen(sys.argv[1:])]
            failed = []
            for job in concurrent.futures.as_completed(jobs):
                name, how, text = job.result()
                print(how, name, text, flush=True)
                failed += [name] if how == "FAILED" else []
    finally:
        if not (failed and os.environ.get("KEEP")):
            shutil.rmtree(work, ignore_errors=True)
    if failed:
        raise SystemExit(f"failed: {', '.join(sorted(failed))}")


if __name__ == "__main__":
    main()
