#!/usr/bin/env python3
"""Promise: whoever a worker takes for its coordinator cannot make it run a program but those that it offers, by
their names, keep more tasks than can be leased to it, or write outside its directory; what it refuses is named
and handed back, and it goes on."""
import hashlib
import os
import re
import socket
import stat
import struct
import subprocess
import sys
import tempfile

AGON, SOURCE = os.environ["AGON"], os.environ["SOURCE"]
sys.path.insert(0, os.path.join(SOURCE, "tests", "net"))
import wire  # noqa: E402

PATIENCE = 120
LEASES = 1024  # of a worker, net/message.h
failures = []


def check(name, good, text=""):
    print(("ok " if good else "FAILED ") + name + ("" if good else f":\n{text}"))
    if not good:
        failures.append(name)


def fingerprint(game):
    shown = subprocess.run([AGON, "games", game], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"fingerprint ([0-9a-f]{16})", shown).group(1), 16)


class Coordinator:
    """Speaks to the one worker that connects."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.url = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        self.rest, self.leases = b"", 0

    def greet(self):
        self.worker = self.listener.accept()[0]
        self.worker.settimeout(PATIENCE)
        self.hear("HELLO")
        self.say("CHALLENGE", nonce="0" * 64, token=0)
        self.hear("AUTH")
        self.say("WELCOME", run="a trap", lease_ms=60000, beat_ms=15000)
        self.hear("CREDIT")

    def say(self, kind, **fields):
        self.worker.sendall(wire.frame(wire.say(kind, **fields)))

    def hear(self, *kinds):
        while True:
            packets, self.rest = wire.Frames.split(self.rest)
            self.rest = b"".join(packets[1:]) + self.rest
            if packets:
                message = wire.message(packets[0][4:])
                if message["is"] in kinds:
                    return message
                continue
            data = self.worker.recv(1 << 16)
            if not data:
                raise EOFError("the worker has gone")
            self.rest += data

    def give(self, row, games=2):
        """A match of `row` against a random agent."""
        self.leases += 1
        match = {"generation": 0, "row": 0, "col": 1, "final": 0, "row_ref": row, "col_ref": "random",
                 "row_seats": 0, "games": games, "opening": 0, "temperature": wire.F32(1)}
        data = wire.encode({"format": 1, "kind": 2, "key": f"match/0/0/{self.leases}", "seed": 1, "game": "nim",
                            "fingerprint": rules, "match": match})
        self.say("TASK", id=hashlib.sha256(data).hexdigest(), lease=self.leases, data=data)

    def ask(self, row):
        self.give(row)
        return self.hear("NAK", "RESULT")


def make_program(name, body):
    path = os.path.join(work, name)
    with open(path, "w") as f:
        f.write(body)
    os.chmod(path, stat.S_IRWXU)
    return path


def serve(coordinator, trap, mark):
    coordinator.greet()
    for what, row in (("a path", f"cmd:{trap}"), ("a path with its hash", f"cmd:{trap}@" + "0" * 64),
                      ("a command line", f"cmd:/bin/touch {mark}"), ("a name", "cmd:sh"), ("no name", "cmd:"),
                      ("the path of what is offered", f"cmd:{good}"),
                      ("what is offered, with another hash", "cmd:mine@" + "0" * 64)):
        said = coordinator.ask(row)
        check(f"{what} is refused", said["is"] == "NAK" and "program" in said["text"], str(said))
        check(f"{what} was not run", not os.path.exists(mark))
    said = coordinator.ask("cmd:mine")
    check("what is offered plays", said["is"] == "RESULT", str(said))
    said = coordinator.ask("random")
    check("the worker goes on", said["is"] == "RESULT", str(said))
    for _ in range(LEASES + 1):
        coordinator.give("random", games=10000000)
    said = coordinator.hear("NAK", "RESULT")
    check("more tasks than it can keep alive are handed back", said["is"] == "NAK" and
          said["lease"] == coordinator.leases, str(said))
    coordinator.say("BYE", text="the trap has ended")


with tempfile.TemporaryDirectory() as work:
    rules = fingerprint("nim")
    mark = os.path.join(work, "m")
    trap = make_program("trap", f"#!/bin/sh\ntouch {mark}\n")
    good = make_program("good", "#!/usr/bin/env python3\nimport json, sys\nsys.stdin.readline()\nprint('ready', flush=True)\n"
                                "for line in sys.stdin:\n    print(json.loads(line)['legal'][0], flush=True)\n")
    coordinator = Coordinator()
    worker = subprocess.Popen([AGON, "worker", "--connect", coordinator.url, "--dir", os.path.join(work, "dir"), "--threads",
                               "1", "--agent", f"mine={good}"], stderr=subprocess.PIPE, text=True)
    try:
        serve(coordinator, trap, mark)
    finally:
        worker.terminate()
        said = worker.communicate(timeout=PATIENCE)[1]
    check("nothing else was written", sorted(os.listdir(work)) == ["dir", "good", "trap"], str(os.listdir(work)))
    check("the worker ended in order", worker.returncode == 0, said)
sys.exit(1 if failures else 0)
