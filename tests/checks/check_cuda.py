#!/usr/bin/env python3
"""Promise: a run on a GPU is made, stopped, lost, resumed and carried to workers like one on the CPU, always to the
same bytes; where its GPU is not, it is refused with the reason, and nothing of it is touched. In place of a
GPU stands the tests' own driver (tests/cuda/driver.h), which runs the kernels on the host."""
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

AGON, SOURCE, BUILD = os.environ["AGON"], os.environ["SOURCE"], os.environ["BUILD"]
sys.path.insert(0, os.path.join(SOURCE, "tests"))
from ports import free_port  # noqa: E402
from signature import signature  # noqa: E402

DRIVER = os.path.join(BUILD, "tests", "cuda")
SHAPE = ("population.size=3 train.generations=2 train.rollouts=2 train.lanes=4 train.horizon=5 train.epochs=1 "
         "train.minibatches=2 net.hidden=9 metrics.every=2 metrics.games=4 metrics.anchor_games=4 "
         "metrics.final_games=4 metrics.probes=8 metrics.bootstrap=5 metrics.exact_nodes=0 "
         "machine.threads=2").split()
LEAGUES = {  # whether everybody is a net, so that games go on the device, or not
    "nets": ["league.anchor_share=0", "league.past=0.5", "league.opponents=2"],
    "scripted": ["league.anchors=one_ply", "league.anchor_share=0.7", "league.opponents=3"],
}
CUDA = ["train.device=cuda"]
PATIENCE = 240
failures = []


def environment(**settings):
    env = dict(os.environ, LD_LIBRARY_PATH=DRIVER, FAKE_CUDA_NAME="Fake H1")
    env.update({k: str(v) for k, v in settings.items()})
    return env


WITHOUT = dict(os.environ)
WITHOUT.pop("LD_LIBRARY_PATH", None)


def check(name, good, text=""):
    print(("ok " if good else "FAILED ") + name + ("" if good else f":\n{text}"))
    if not good:
        failures.append(name)


def agon(*words, env):
    return subprocess.run([AGON, *words], capture_output=True, text=True, timeout=PATIENCE, env=env)


def must(*words, env):
    r = agon(*words, env=env)
    if r.returncode != 0:
        raise SystemExit(f"FAILED: agon {' '.join(words)}: exit {r.returncode}\n{r.stderr}")
    return r


def refused(name, *words, env, expected, code=1):
    r = agon(*words, env=env)
    missing = [w for w in expected if w not in r.stderr]
    check(name, r.returncode == code and not missing, f"exit {r.returncode}, missing {missing} in:\n{r.stderr}")


def contents(run):
    """Every file of a run, by what it holds."""
    found = {}
    for place, _, names in os.walk(run):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, run)] = (hashlib.sha256(f.read()).hexdigest(), os.stat(path).st_mtime_ns)
    return found


def config_hash(run):
    database = sqlite3.connect(f"file:{run}/run.db?mode=ro", uri=True)
    found = database.execute("select value from meta where key = 'config_hash'").fetchone()[0]
    database.close()
    return found


def read(path):
    with open(path) as f:
        return f.read()


def made(name, *words, env=None):
    run = os.path.join(work, name)
    must("train", "tic_tac_toe", *SHAPE, *CUDA, f"run.dir={run}", *words, env=env or environment())
    return run


def check_whole_runs():
    for league, words in LEAGUES.items():
        runs = [made(f"{league}-{i}", *words, "train.precision=fp32", env=environment(**settings))
                for i, settings in enumerate([{}, {"FAKE_CUDA_BACKWARDS": 1, "FAKE_CUDA_PROCESSORS": 7}])]
        check(f"{league}: the same bytes on any number of processors", signature([runs[0]]) == signature([runs[1]]))
    config = read(os.path.join(work, "nets-0", "config.ini"))
    check("the run keeps its device, precision and model",
          all(f"\n{line}\n" in config for line in ("device = cuda", "precision = fp32", "device_model = Fake H1")), config)
    log = os.path.join(work, "kernels")
    run = made("auto", *LEAGUES["nets"], "train.device=auto", env=environment(FAKE_CUDA_LOG=log))
    config = read(os.path.join(run, "config.ini"))
    check("auto is a GPU where there is one, and bf16",
          "\ndevice = cuda\n" in config and "\nprecision = bf16\n" in config, config)
    kernels = read(log)
    check("games of nets go on the device, and those that remember nothing launch nothing for it",
          "tic_tac_toe" in kernels and "play_recall" not in kernels, kernels[:500])
    check("timing names the backend", '"backend":"cuda/bf16"' in read(os.path.join(run, "timing.jsonl")))


def check_lost(name, *words):
    """Made once more, of a GPU that is lost again and again, and compared with the run `name`."""
    run, losses = os.path.join(work, f"lost-{name}"), 0
    todo = ["train", "tic_tac_toe", *SHAPE, *CUDA, "train.precision=fp32", *words, f"run.dir={run}"]
    for at in (3, 15, 60, 120, 240):
        r = agon(*todo, env=environment(FAKE_CUDA_LOST_AT=at))
        if r.returncode:
            losses += 1
            if r.returncode != 1 or "Fake H1" not in r.stderr or "--resume" not in r.stderr:
                check(f"{name}: a lost GPU ends the run", False, f"exit {r.returncode}\n{r.stderr}")
        if os.path.exists(os.path.join(run, "run.db")):
            todo = ["train", "--resume", run, "machine.threads=2"]
    must(*todo, env=environment())
    check(f"{name}: lost {losses} times and resumed, the same bytes",
          losses >= 2 and signature([run]) == signature([os.path.join(work, name)]))


def check_losses():
    for league, words in LEAGUES.items():
        check_lost(f"{league}-0", *words)


def numbers(shown, name=""):
    """Everything in what `agon metrics --json` says that is a number, by its place."""
    if isinstance(shown, (dict, list)):
        for key, value in shown.items() if isinstance(shown, dict) else enumerate(shown):
            yield from numbers(value, f"{name}.{key}")
    elif isinstance(shown, (int, float)):
        yield name, shown


def metrics(run):
    return dict(numbers(json.loads(must("metrics", run, "--json", env=WITHOUT).stdout)))


def check_layers():
    """Nets that fold and remember. On the CPU the run is another, but near in fp32."""
    for hidden in ("conv4,16,mingru8", "mingru8"):
        for league, words in LEAGUES.items():
            name, log = f"{hidden}-{league}", os.path.join(work, "layers")
            words = [*words, f"net.hidden={hidden}", "train.learning_rate=0.01"]
            run = made(name, *words, "train.precision=fp32", env=environment(FAKE_CUDA_LOG=log))
            kernels = read(log)
            os.remove(log)
            check(f"{name}: games of nets go on the device, and remember there",
                  ("play_recall" in kernels) == (league == "nets"), kernels[:500])
            check_lost(name, *words)
            cpu = os.path.join(work, f"{name}-cpu")
            must("train", "tic_tac_toe", *SHAPE, f"run.dir={cpu}", *words, env=WITHOUT)
            got, wanted = metrics(run), metrics(cpu)
            far = [(k, got.get(k), v) for k, v in wanted.items() if not abs(got.get(k, 1e9) - v) <= 1e-4]
            check(f"{name}: metrics near those of the CPU", len(wanted) > 100 and not far, far)


def check_refusals():
    run = os.path.join(work, "nets-0")
    before = contents(run)
    resume = ("train", "--resume", run)
    refused("resumed on another GPU", *resume, env=environment(FAKE_CUDA_NAME="Fake H2"),
            expected=["Fake H1", "Fake H2", "fp32", "the run is as it was"])
    refused("resumed without a GPU", *resume, env=WITHOUT, expected=["Fake H1", "fp32", "libcuda", "the run is as it was"])
    refused("resumed with another device", *resume, "train.device=cpu", env=environment(), expected=["fixed by the run"], code=2)
    check("the refused run is as it was", contents(run) == before)
    shown = agon("metrics", run, "--json", env=WITHOUT)
    check("its metrics need no GPU", shown.returncode == 0, shown.stderr)

    other = os.path.join(work, "refused")
    new = ("train", "tic_tac_toe", *SHAPE, f"run.dir={other}")
    refused("a new run without a GPU", *new, *CUDA, env=WITHOUT, expected=["train.device = cuda", "libcuda"])
    refused("a CPU in bf16", *new, "train.precision=bf16", env=WITHOUT, expected=["train.precision = bf16", "fp32"])
    refused("no GPU for a precision", *new, "train.device=auto", "train.precision=tf32", env=WITHOUT,
            expected=["train.precision = tf32"])
    refused("another model than the configuration's", *new, *CUDA, "train.device_model=Fake H2", env=environment(),
            expected=["Fake H1", "Fake H2", "train.device_model"])
    refused("a model beside a CPU", *new, "train.device_model=Fake H2", env=environment(), expected=["train.device = cpu"])
    check("nothing is left of refused runs", not os.path.exists(other))
    r = must(*new, "train.device=auto", env=WITHOUT)
    config = read(os.path.join(other, "config.ini"))
    check("auto is the CPU where there is no GPU, and says so",
          "\ndevice = cpu\n" in config and "computes on the CPU" in r.stderr, r.stderr)
    plain = os.path.join(work, "plain")
    must("train", "tic_tac_toe", *SHAPE, f"run.dir={plain}", "train.precision=fp32", env=environment())
    check("and the same run as one of the CPU, by its hash, too",
          signature([plain]) == signature([other]) and config_hash(plain) == config_hash(other))


def check_workers():
    run, where = os.path.join(work, "carried"), f"tcp://127.0.0.1:{free_port()}"
    words = [w for w in SHAPE if not w.startswith("machine.")]
    centre = subprocess.Popen([AGON, "train", "tic_tac_toe", *words, *CUDA, "train.precision=fp32", *LEAGUES["nets"],
                               f"run.dir={run}", "--listen", where], env=environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
    worker = ("worker", "--connect", where, "--once", "--threads", "2", "--dir", os.path.join(work, "cache"))
    try:
        refused("a worker that computes on the CPU", *worker, env=environment(),
                expected=["'cpu'", "'cuda/fp32 Fake H1'", "--device cuda --precision fp32"])
        refused("a worker in another precision", *worker, "--device", "cuda", env=environment(),
                expected=["cuda/bf16 Fake H1", "--precision fp32"])
        refused("a worker with another GPU", *worker, "--device", "cuda", "--precision", "fp32",
                env=environment(FAKE_CUDA_NAME="Fake H2"), expected=["cuda/fp32 Fake H2"])
        refused("a worker without its GPU", *worker, "--device", "cuda", env=WITHOUT, expected=["libcuda"])
        must(*worker, "--device", "cuda", "--precision", "fp32", env=environment())
        said = centre.communicate(timeout=PATIENCE)[1]
    finally:
        if centre.poll() is None:
            centre.kill()
    check("a worker with a GPU: the same bytes",
          centre.returncode == 0 and signature([run]) == signature([os.path.join(work, "nets-0")]), said)


if not os.path.exists(os.path.join(DRIVER, "libcuda.so.1")):
    print("skipped: the tests' CUDA driver is not built")
    sys.exit(77)
with tempfile.TemporaryDirectory() as work:
    check_whole_runs()
    check_losses()
    check_layers()
    check_refusals()
    check_workers()
print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)
