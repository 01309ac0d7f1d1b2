#!/usr/bin/env python3
"""Promise: `agon workers RUN` shows who works for a run, as a table and as JSON, and says so when there are none; names
that are hostile to a terminal, to JSON or to Prometheus harm nobody; `--metrics` serves a page that Prometheus can read
while a run goes on, and whoever asks it slowly is cut off after five seconds, without keeping others from it."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests"))
from ports import free_port  # noqa: E402

AGON = os.environ["AGON"]
NAME = 'a"}\\{,'
SETTINGS = ("population.size=4 train.generations=100000 train.rollouts=2 train.lanes=16 train.horizon=8 "
            "train.epochs=1 net.hidden=16 metrics.every=5 metrics.games=8 metrics.anchor_games=8 metrics.probes=32 "
            "metrics.bootstrap=10").split()


def agon(*words, code=0):
    r = subprocess.run([AGON, *words], capture_output=True, text=True)
    assert r.returncode == code, f"agon {words}: exit code {r.returncode}\n{r.stdout}{r.stderr}"
    return r.stdout + r.stderr


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s in vain: {what.__name__}")


def workers(run):
    return json.loads(agon("workers", str(run), "--json"))


def check_table(run):
    def working():
        found = [w for w in workers(run)["workers"] if w["tasks"] > 0]
        return found and found[0]

    w = wait_for(working)
    assert w["present"] and not w["struck"] and w["slots"] == 1 and w["class"] == "cpu", w
    assert abs(w["seen"] - time.time()) < 60 and w["joined"] <= w["seen"], w
    text = agon("workers", str(run))
    assert w["name"][:16] in text and w["address"] in text and "1 workers, 1 slots, 0 struck" in text, text
    assert "\033" not in text, "colours although the output is no terminal"
    return w


def samples(text):
    """The page as {(name, labels): value}, by a parser of our own: types before samples, each series once."""
    kinds, found = {}, {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("#"):
            word, name, rest = line[2:].split(" ", 2)
            if word == "TYPE":
                assert name not in kinds, f"{name} twice"
                kinds[name] = rest
            continue
        m = re.fullmatch(r'([a-z_]+)(\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)+\})? (\d+)', line)
        assert m, line
        assert m[1] in kinds and (m[1].endswith("_total") == (kinds[m[1]] == "counter")), line
        assert (m[1], m[2]) not in found, line
        found[m[1], m[2]] = int(m[3])
    return found


def check_page(url):
    with urllib.request.urlopen(url + "/metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        text = answer.read().decode()
    found = samples(text)
    for name in ("tasks_done_total tasks_leased tasks_queued workers workers_struck leases_lost_total "
                 "results_duplicate_total results_conflict_total audits_total agent_steps_total").split():
        assert ("agon_" + name, None) in found, name
    assert found["agon_workers", None] == 1 and found["agon_tasks_done_total", None] > 0
    label = NAME.replace("\\", "\\\\").replace('"', '\\"')
    assert any(k[0] == "agon_worker_tasks_total" and f'worker="{label}"' in k[1] for k in found if k[1]), text
    try:
        from prometheus_client.parser import text_string_to_metric_families
    except ImportError:
        print("prometheus_client is not installed: the page was read by the parser of this check alone")
        return
    families = list(text_string_to_metric_families(text))
    theirs = {(s.name, tuple(sorted(s.labels.items()))): s.value for f in families for s in f.samples}
    assert len(theirs) == len(found)
    assert NAME in [dict(labels).get("worker") for _, labels in theirs], theirs


def check_refusals(url):
    for path, data, status in (("/", None, 404), ("/metrics", b"x", 405), ("/healthz", None, 200)):
        try:
            got = urllib.request.urlopen(url + path, data, timeout=10).status
        except urllib.error.HTTPError as e:
            got = e.code
        assert got == status, f"{path}: {got}, expected {status}"


def check_patience(port, url):
    """One that sends a byte now and then ends after five seconds; in the meantime others are served."""
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.settimeout(0.5)
        for byte in b"GET /metrics HTTP/1.1\r\nHost: a-host-whose-name-never-ends" * 10:
            try:
                slow.send(bytes([byte]))
                if slow.recv(1) == b"":
                    break
            except TimeoutError:
                pass
            except OSError:
                break
            check_refusals(url)
            assert time.monotonic() - begun < 20, "a slow visitor is not cut off"
    assert time.monotonic() - begun > 3, "a visitor is cut off too early"


def check_without_workers(dir):
    run = dir / "alone"
    agon("train", "matrix", f"run.dir={run}", "--quiet", "train.generations=1", "population.size=2", "metrics.probes=8")
    assert "has had no workers" in agon("workers", str(run))
    assert workers(run) == {"workers": []}
    assert "is no run" in agon("workers", str(dir), code=1)
    agon("workers", code=2)
    (run / "workers.json").write_text('{"format":1}')
    assert "workers.json" in agon("workers", str(run), code=1)


def main():
    with tempfile.TemporaryDirectory() as name:
        dir = pathlib.Path(name)
        check_without_workers(dir)
        listen, page = free_port(), free_port()
        url, run = f"http://127.0.0.1:{page}", dir / "run"
        train = subprocess.Popen([AGON, "train", "matrix", f"run.dir={run}", *SETTINGS, "--quiet", "--listen",
                                  f"tcp://127.0.0.1:{listen}", "--metrics", f"127.0.0.1:{page}"])
        worker = subprocess.Popen([AGON, "worker", "--connect", f"tcp://127.0.0.1:{listen}", "--threads", "1", "--quiet",
                                   "--name", NAME, "--dir", str(dir / "worker")])
        try:
            wait_for(lambda: (run / "workers.json").exists())
            assert check_table(run)["name"] == NAME
            check_page(url)
            check_refusals(url)
            check_patience(page, url)
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            wait_for(lambda: workers(run)["total"]["workers"] == 0)
            assert not workers(run)["workers"][0]["present"]
            train.send_signal(signal.SIGINT)
            assert train.wait(20) == 0
            assert workers(run)["workers"][0]["name"] == NAME
        finally:
            for process in (train, worker):
                if process.poll() is None:
                    process.kill()
                    process.wait()
    print("workers are shown, and the page is served")


main()
