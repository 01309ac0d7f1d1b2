"""A process that is hostile to a coordinator: `hostile.py PORT CONNECTIONS PER_SECOND`. It keeps CONNECTIONS open,
each with something bad on it, and opens a new one for each that is closed, PER_SECOND at most. It ends at SIGTERM
and prints how many it opened, by kind."""
import os
import random
import selectors
import signal
import socket
import struct
import sys
import time

import wire

TICK = 0.05  # seconds


def hello(dice, **changes):
    def digits():
        return "".join(dice.choice("0123456789abcdef") for _ in range(64))
    return wire.say("HELLO", **{
        "protocol": wire.PROTOCOL, "task_format": 1, "build": "agon", "class": "cpu", "name": "stranger", "id": digits(),
        "nonce": digits(), "token": "nobody", "pid": 1, "slots": 1, "memory": 1 << 30, "games": [], "agents": [],
        **changes})


def garbage(dice):
    return dice.randbytes(4096), b""


def silence(dice):
    return b"", b""


def slow_loris(dice):
    """A good beginning, one byte at a time."""
    data = wire.frame(hello(dice))
    return data[:1], data[1:]


def length_bomb(dice):
    return struct.pack(">I", dice.choice((0, 16 << 10 | 1, 600 << 10, 0x7fffffff, 0xffffffff))) + b"x" * 64, b""


def depth_bomb(dice):
    return wire.frame(dice.choice((b"\x91", b"\x81\xa1a")) * 5000 + b"\xc0"), b""


def count_bomb(dice):
    return wire.frame(b"\x82" + wire.encode("format") + wire.encode(wire.PROTOCOL) + wire.encode("kind") +
                      dice.choice((b"\xdd\x00\xff\xff\xff", b"\xdf\x7f\xff\xff\xff", b"\xc6\xff\xff\xff\xff",
                                   b"\xdb\x7f\xff\xff\xff"))), b""


def no_auth(dice):
    """It says who it is, and nothing more."""
    return wire.frame(hello(dice)), b""


def wrong_auth(dice):
    return wire.frame(hello(dice)) + wire.frame(wire.say("AUTH", mac=64 * "0")), b""


def out_of_turn(dice):
    kind = dice.choice((wire.say("CREDIT", tasks=1024), wire.say("WANT", hash=64 * "a", **{"from": 0}),
                        wire.say("AUTH", mac=""), wire.say("BEAT", leases=[])))
    return wire.frame(kind) * 50, b""


KINDS = (garbage, silence, slow_loris, length_bomb, depth_bomb, count_bomb, no_auth, wrong_auth, out_of_turn)


class Attack:
    def __init__(self, port, connections, per_second, seed):
        self.address, self.most, self.per_second = ("127.0.0.1", port), connections, per_second
        self.dice = random.Random(seed)
        self.open = {}  # socket: what it has still to say, a byte at a time
        self.select = selectors.DefaultSelector()
        self.count = {kind.__name__: 0 for kind in KINDS}
        self.run = True

    def begin(self):
        kind = self.dice.choice(KINDS)
        s = socket.socket()
        try:
            s.connect(self.address)
            s.setblocking(False)
            first, rest = kind(self.dice)
            s.send(first)
        except OSError:
            s.close()
            return
        self.open[s] = rest
        self.select.register(s, selectors.EVENT_READ)
        self.count[kind.__name__] += 1

    def end(self, s):
        self.select.unregister(s)
        del self.open[s]
        s.close()

    def turn(self):
        for key, _ in self.select.select(0):
            try:
                if not key.fileobj.recv(65536):
                    self.end(key.fileobj)
            except BlockingIOError:
                pass
            except OSError:
                self.end(key.fileobj)
        for s, rest in list(self.open.items()):
            if rest and self.dice.random() < 0.1:
                try:
                    s.send(rest[:1])
                    self.open[s] = rest[1:]
                except OSError:
                    self.end(s)

    def go(self):
        for _ in range(self.most):  # all at once
            self.begin()
        while self.run:
            begun = time.monotonic()
            for _ in range(min(self.most - len(self.open), int(self.per_second * TICK))):
                self.begin()
            self.turn()
            time.sleep(max(0.0, TICK - (time.monotonic() - begun)))
        print(" ".join(f"{name}={n}" for name, n in self.count.items()))


def main():
    attack = Attack(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), os.environ.get("SEED", "1"))
    signal.signal(signal.SIGTERM, lambda *_: setattr(attack, "run", False))
    attack.go()


if __name__ == "__main__":
    main()
