"""The two sides of a comparison, by turns: agon's binary, and peers in processes of their own."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SHAPE = "84-128-128-7 relu" # connect four's net, by the default configuration
SCRIPTS = {"torch": "peer_torch.py", "jax": "peer_jax.py", "pufferlib": "peer_pufferlib.py",
           "openspiel": "peer_openspiel.py"}


class Skipped(Exception):
    """A peer that is not here, or does not do this."""


def on_cores(cores):
    return lambda: os.sched_setaffinity(0, cores)


# ---- agon ------------------------------------------------------------------------------------

def bench(agon, words, seconds, cores):
    """The JSON line of one figure of `agon bench`."""
    command = [agon, "bench", *words, "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=on_cores(cores))
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[0])


class Agon:
    """A figure of `agon bench`; each sample brings the floors of its own seconds."""
    label = "agon"

    def __init__(self, agon, words, unit, cores):
        self.agon, self.words, self.unit, self.cores = agon, words, unit, cores
        self.floors = []

    def prepare(self):
        return None

    def sample(self, seconds):
        line = bench(self.agon, self.words, seconds, self.cores)
        if line.get("net", SHAPE) != SHAPE:
            sys.exit(f"agon bench {self.words[0]} has the net {line['net']}, the peers {SHAPE}")
        self.floors.append((line["sgemm_gflops"], line["fma_peak_gflops"]))
        return line[self.unit + "_per_second"]


def train_words(s, folder, seed):
    """`agon train` with the settings of a comparison, measuring as little as it may."""
    words = {
        "run.dir": folder, "train.seed": seed, "population.size": s["agents"],
        "league.anchor_share": 0, "league.opponents": s["opponents"], "league.past": s["past"],
        "train.generations": s["generations"], "train.rollouts": s["rollouts"],
        "train.lanes": s["lanes"], "train.horizon": s["horizon"], "train.epochs": s["epochs"],
        "train.minibatches": s["minibatches"], "train.learning_rate": s["rate"],
        "train.learning_rate_final": s["rate_end"], "train.entropy": s["entropy"],
        "train.entropy_final": s["entropy_end"], "train.clip": s["clip"],
        "train.value_weight": s["value"], "train.max_grad_norm": s["norm"],
        "train.beta1": s["beta1"], "train.beta2": s["beta2"], "train.epsilon": s["epsilon"],
        "train.discount": s["discount"], "train.lambda": s["lambda"],
        "metrics.every": 1000000, "metrics.games": 2, "metrics.anchor_games": 0,
        "metrics.final_games": 0, "metrics.probes": 1,
    }
    return [f"{key}={value}" for key, value in words.items()]


def train(agon, s, folder, seed, cores):
    """Runs `agon train` in a folder; agent-steps per second after the first measurement."""
    command = [agon, "train", "connect_four", *train_words(s, folder, seed),
               f"machine.threads={len(cores)}"]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=on_cores(cores))
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    lines = [json.loads(line) for line in open(f"{folder}/timing.jsonl")]
    steps = s["agents"] * s["generations"] * s["rollouts"] * s["lanes"] * s["horizon"]
    return steps / (lines[-1]["seconds"] - lines[0]["seconds"])


class AgonTrain(Agon):
    def __init__(self, agon, settings, cores):
        super().__init__(agon, ["update"], "rows", cores)
        self.settings = settings

    def sample(self, seconds):
        super().sample(0.05) # for the floors
        with tempfile.TemporaryDirectory() as folder:
            return train(self.agon, self.settings, f"{folder}/run", 1, self.cores)


# ---- peers -----------------------------------------------------------------------------------

class Worker:
    """A peer's script, waiting for requests on its own cores."""

    def __init__(self, name, cores):
        self.folder = tempfile.TemporaryDirectory() # PufferLib leaves a link where it is imported
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / SCRIPTS[name]), "--serve", "--cores",
             ",".join(map(str, cores))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            cwd=self.folder.name, env=os.environ | {"OMP_NUM_THREADS": str(len(cores))})
        self.name = name
        self.about = self.read()
        if "skipped" in self.about:
            raise Skipped(self.about["skipped"])

    def send(self, request):
        print(json.dumps(request), file=self.process.stdin, flush=True)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise Skipped(f"{self.name} ended with code {self.process.wait()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.folder.cleanup()


class Workers:
    """Starts each peer once for each set of cores; a peer that is missing says so once."""

    def __init__(self):
        self.started, self.missing = {}, {}

    def get(self, name, cores):
        key = (name, tuple(cores))
        if name in self.missing:
            raise Skipped(self.missing[name])
        if key not in self.started:
            try:
                self.started[key] = Worker(name, cores)
            except Skipped as why:
                self.missing[name] = str(why)
                print(f"{name}: skipped: {why}", file=sys.stderr, flush=True)
                raise
        return self.started[key]

    def versions(self):
        return {key[0]: worker.about["version"] for key, worker in self.started.items()}

    def close(self):
        for worker in self.started.values():
            worker.close()


class Peer:
    """One form of a peer's work; several workers share a population evenly and work at once."""

    def __init__(self, workers, request, label=None):
        self.workers, self.request = workers, request
        self.label = label or f"{workers[0].name} {request['form']}"

    def ask(self, request):
        for worker in self.workers:
            worker.send(request)
        answers = [worker.read() for worker in self.workers]
        for answer in answers:
            if "error" in answer:
                raise Skipped(answer["error"])
        return answers

    def prepare(self):
        request = self.request | {"do": "make", "job": self.label}
        return max(a["warm_up"] for a in self.ask(request))

    def sample(self, seconds):
        request = {"do": "sample", "job": self.label, "seconds": seconds}
        return sum(a["per_second"] for a in self.ask(request))

    def forget(self):
        self.ask({"do": "forget"})


# ---- by turns --------------------------------------------------------------------------------

def by_turns(ours, peers, rounds, seconds, flop):
    """Every side works once in each round; the order turns too. flop: of one unit, 0: none.
    Returns a row of the table for each peer."""
    ready, rows = [], []
    for peer in peers:
        try:
            ready.append((peer, peer.prepare()))
        except Skipped as why:
            print(f"  {peer.label}: {why}", file=sys.stderr, flush=True)
    sides = [ours] + [peer for peer, _ in ready]
    rates = {side: [] for side in sides}
    for turn in range(rounds):
        for i in range(len(sides)):
            side = sides[(i + turn) % len(sides)]
            rates[side].append(side.sample(seconds))
    for peer, _ in ready:
        peer.forget()
    sgemm, peak = (statistics.median(f) for f in zip(*ours.floors))
    for peer, warm_up in ready:
        row = {"peer": peer.label, "warm_up_seconds": warm_up, "cores": len(ours.cores),
               "sgemm_gflops": sgemm, "fma_peak_gflops": peak,
               "ratio": statistics.median(a / b for a, b in zip(rates[ours], rates[peer]))}
        for who, side in (("agon", ours), ("peer", peer)):
            rate = statistics.median(rates[side])
            gflops = rate * flop * 1e-9 / len(ours.cores)
            row |= {f"{who}_per_second": rate, f"{who}_low": min(rates[side]),
                    f"{who}_high": max(rates[side]), f"{who}_share_of_sgemm": gflops / sgemm,
                    f"{who}_share_of_peak": gflops / peak}
        rows.append(row)
    return rows
