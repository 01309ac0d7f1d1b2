"""Random faults by a seed: one schedule says what happens to a run with workers, when, and to whom. Whatever it
is, the run must end with the bytes of local threads. The seed decides the whole schedule; when it strikes
depends on how fast this machine is, so a failure may need several tries to come again."""
import os
import random
import signal
import tempfile
import time

import wire
from cluster import Cluster, Failure, missing

FIRST = 3  # workers at the start
STRIKES = (4, 9)
SPAN = 3.0  # seconds in which they happen


def _proxy_rule(seed):
    """Now and then a message comes twice, late, or with a bit turned over."""
    dice = random.Random(seed)

    def rule(proxy, link, up, message, packet):
        if not message or message["is"] in ("HELLO", "CHALLENGE", "AUTH", "WELCOME", "REJECT"):
            return None
        chance = dice.random()
        if chance < 0.03:
            return [packet, packet]
        if chance < 0.05:
            link.later(dice.uniform(0.1, 2.0), up, packet)
            return []
        if chance < 0.06 and message["is"] in ("CHUNK", "TASK"):
            data = bytearray(message["data"])
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
            return [proxy.splitter.replace(packet, wire.pack({**message, "data": bytes(data)}))]
        return None
    return rule


class Schedule:
    def __init__(self, seed, transport):
        dice = random.Random(f"{seed}/{transport}")
        self.seed, self.transport = seed, transport
        self.delay = dice.choice((0.005, 0.01, 0.02))
        self.rules = [dice.randrange(1 << 30) if dice.random() < 0.5 else None for _ in range(FIRST)]
        kinds = ["kill", "join", "kill_coordinator", "cut", "cut_inside", "freeze", "slow", "pause_worker",
                 "pause_coordinator", "refuse", "drain"] + (["kill_broker"] if transport == "nats" else [])
        self.strikes = sorted((dice.uniform(0.1, SPAN), dice.choice(kinds), dice.randrange(1 << 16), dice.uniform(0.2, 2.5))
                              for _ in range(dice.randint(*STRIKES)))

    def __str__(self):
        words = ", ".join(f"{when:.2f} s {kind}" for when, kind, _, _ in self.strikes)
        return f"seed {self.seed} on {self.transport}: {words}; rules {self.rules}"


class Play:
    """Lets a schedule happen to a cluster."""

    def __init__(self, cluster, schedule):
        self.cluster, self.schedule, self.later = cluster, schedule, []
        self.joined = 0

    def join(self):
        self.joined += 1
        number = self.joined - 1

        def before(worker):
            worker.proxy.delay = self.schedule.delay
            if number < FIRST and self.schedule.rules[number] is not None:
                worker.proxy.rules.append(_proxy_rule(self.schedule.rules[number]))
        self.cluster.worker(f"w{self.joined}", before=before)

    def after(self, seconds, action):
        self.later.append((time.monotonic() + seconds, action))

    def settle(self, everything=False):
        """What was put off until now."""
        due = [e for e in self.later if everything or e[0] <= time.monotonic()]
        self.later = [e for e in self.later if e not in due]
        for _, action in sorted(due, key=lambda e: e[0]):
            action()

    def strike(self, kind, number, seconds):
        c = self.cluster
        living = [w for w in c.workers if w.running()]
        worker = living[number % len(living)] if living else None
        if kind == "join":
            self.join()
        elif kind == "kill_coordinator":
            c.coordinator.kill()
            if c.coordinator.popen.returncode == -signal.SIGKILL:  # else it had ended, well or not
                c.resume()
        elif kind == "pause_coordinator":
            c.coordinator.stop()
            self.after(seconds, lambda: c.coordinator.go())
        elif kind == "kill_broker":
            c.broker.kill()
            c.start_broker()
        elif worker:
            self._strike_worker(worker, kind, seconds)

    def _strike_worker(self, worker, kind, seconds):
        proxy = worker.proxy
        if kind in ("kill", "drain"):
            worker.go()
            worker.signal(signal.SIGKILL if kind == "kill" else signal.SIGTERM)
        elif kind == "pause_worker":
            worker.stop()
            self.after(seconds, worker.go)
        elif kind == "freeze":
            proxy.frozen = True
            self.after(seconds, proxy.thaw)
        elif kind == "refuse":
            proxy.refuse = True
            proxy.cut()
            self.after(seconds, lambda: setattr(proxy, "refuse", False))
        elif kind == "slow":
            proxy.rate = 100_000
            self.after(seconds, lambda: setattr(proxy, "rate", 0))
        else:
            getattr(proxy, kind)()

    def run(self):
        begun = time.monotonic()
        strikes = list(self.schedule.strikes)
        while strikes and self.cluster.coordinator.running():
            if time.monotonic() - begun >= strikes[0][0]:
                _, kind, number, seconds = strikes.pop(0)
                self.strike(kind, number, seconds)
            self.settle()
            time.sleep(0.01)
        self.settle(everything=True)
        self.join()  # of the others some may be gone, or wait for a minute before they try again


def play(work, reference, seed, transport):
    """None, or why it went wrong."""
    schedule = Schedule(seed, transport)
    place = tempfile.mkdtemp(prefix=f"{transport}-{seed}-", dir=work)
    with Cluster(os.path.join(place, "c"), transport, reference) as c:
        try:
            c.coordinate()
            player = Play(c, schedule)
            for _ in range(FIRST):
                player.join()
            player.run()
            c.ends_right()
        except Failure as why:
            return f"{schedule}\n{why}\n{c.logs()}"
    return None


def transports():
    """Those that can be tested here; says why where one cannot."""
    here = []
    for transport in os.environ.get("TRANSPORTS", "tcp tls nats").split():
        if why := missing(transport):
            print(f"skipped {transport}: {why}")
        else:
            here.append(transport)
    return here
