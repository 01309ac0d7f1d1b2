"""What every peer's script shares: it runs as a process of its own that works when told to.

One JSON object per line on standard input, one in answer on standard output:
    {"do": "make", "job": NAME, "work": W, "form": F, ...}  builds, warms up -> {"warm_up": seconds}
    {"do": "sample", "job": NAME, "seconds": S}             works so long -> {"per_second": rate}
    {"do": "forget"}                                        all jobs      -> {}
    {"do": "check", ...}, {"do": "learn", ...}              what the peer answers itself
Without --serve a script runs the comparison with this peer alone."""
import importlib
import json
import os
import pathlib
import sys
import time

SKIPPED = 77


def sample(job, seconds):
    begun, units, spent = time.perf_counter(), 0, 0.0
    while spent < seconds:
        units += job()
        spent = time.perf_counter() - begun
    return units / spent


def warm_up(make, request):
    begun = time.perf_counter()
    job = make(request)
    job()
    return job, time.perf_counter() - begun


def answer_requests(peer, out):
    jobs = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "make":
                jobs[request["job"]], seconds = warm_up(peer.make, request)
                answer = {"warm_up": seconds}
            elif request["do"] == "sample":
                answer = {"per_second": sample(jobs[request["job"]], request["seconds"])}
            elif request["do"] == "forget":
                jobs.clear()
                answer = {}
            else:
                answer = getattr(peer, request["do"])(request)
        except Exception as error: # told to the other side, which names the figure
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=out, flush=True)


def main(name, package, install, load):
    """load(cores) returns the peer: an object with make(request) and the rest."""
    words = sys.argv[1:]
    if "--serve" not in words:
        run = pathlib.Path(__file__).with_name("run.py")
        os.execv(sys.executable, [sys.executable, str(run), "--peers", name, *words])
    cores = [int(core) for core in words[words.index("--cores") + 1].split(",")]
    os.sched_setaffinity(0, cores) # before a library counts them
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1) # what a library prints is not an answer
    try:
        module = importlib.import_module(package)
    except ImportError as error:
        print(json.dumps({"skipped": f"no {package} ({install}): {error}"}), file=out, flush=True)
        sys.exit(SKIPPED)
    version = getattr(sys.modules[module.__name__.split(".")[0]], "__version__", "")
    peer = load(cores)
    print(json.dumps({"peer": name, "version": version}), file=out, flush=True)
    answer_requests(peer, out)
