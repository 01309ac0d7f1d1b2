"""Hosts of their own on this machine: network namespaces, and between them a router in this process, which carries
each packet later, loses some, and all of a host that is cut off. Lines are TUN devices, so that neither netem nor a
bridge is asked of the kernel. Needs root, the program ip and /dev/net/tun; the machine's own network is not touched."""
import fcntl
import heapq
import os
import random
import select
import shutil
import struct
import subprocess
import threading
import time

NET = "10.77.55"
DELAY, JITTER = 0.02, 0.004  # seconds, each way
LOSS = 0.01  # share of packets
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 0x0001, 0x1000
MTU = 1500


class Refused(Exception):
    pass


def _do(*words):
    r = subprocess.run(words, capture_output=True, text=True)
    if r.returncode:
        raise Refused(f"{' '.join(words)}: {r.stderr.strip()}")


def missing():
    """Why there can be no hosts here; "": there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not shutil.which("ip"):
        return "no program ip; in Debian it is in the package iproute2"
    if not os.path.exists("/dev/net/tun"):
        return "no /dev/net/tun"
    return ""


class Net:
    def __init__(self, count, seed=1):
        self.hosts, self.lines, self.count = [], [], count
        self.away = set()  # hosts that are cut off
        self.carried = self.lost = 0  # packets
        self.dice, self.open = random.Random(seed), True
        self.router = threading.Thread(target=self._route, daemon=True)

    def __enter__(self):
        try:
            for i in range(self.count):
                self._add(i)
        except (Refused, OSError) as why:
            self.__exit__(None, None, None)
            raise Refused(str(why)) from None
        self.router.start()
        return self

    def __exit__(self, *_):
        self.open = False
        if self.router.is_alive():
            self.router.join()
        for name in self.hosts:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
        for line in self.lines:
            os.close(line)

    def _add(self, i):
        name, device = f"agon{os.getpid()}-{i}", f"agon{os.getpid()}x{i}"[-15:]
        _do("ip", "netns", "add", name)
        self.hosts.append(name)
        line = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        self.lines.append(line)
        fcntl.ioctl(line, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TUN | IFF_NO_PI))
        _do("ip", "link", "set", device, "netns", name)
        _do("ip", "-n", name, "address", "add", f"{self.address(i)}/24", "dev", device)
        _do("ip", "-n", name, "link", "set", device, "up", "mtu", str(MTU))
        _do("ip", "-n", name, "link", "set", "lo", "up")

    # ---- the router ----

    def _route(self):
        waiting, order = [], 0  # a heap: when, order, to which line, the packet
        while self.open:
            pause = min(0.05, max(0.0, waiting[0][0] - time.monotonic())) if waiting else 0.05
            for line in select.select(self.lines, [], [], pause)[0]:
                packet = os.read(line, MTU + 100)
                target = self._target(self.lines.index(line), packet)
                if target is not None:
                    order += 1
                    due = time.monotonic() + DELAY + self.dice.uniform(0, JITTER)
                    heapq.heappush(waiting, (due, order, target, packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, target, packet = heapq.heappop(waiting)
                if target not in self.away:
                    self._deliver(target, packet)

    def _target(self, source, packet):
        """The host that a packet is for; None: it is lost, or for nobody."""
        if packet[0] >> 4 != 4 or packet[16:19] != bytes(int(n) for n in NET.split(".")):
            return None
        target = packet[19] - 1
        self.carried += 1
        if not 0 <= target < self.count or {source, target} & self.away or self.dice.random() < LOSS:
            self.lost += 1
            return None
        return target

    def _deliver(self, target, packet):
        try:
            os.write(self.lines[target], packet)
        except OSError:  # the queue is full: lost, as on a real line
            self.lost += 1

    # ---- for tests ----

    @staticmethod
    def address(i):
        return f"{NET}.{i + 1}"

    def on(self, i):
        """Words before a command that is to run on host i."""
        return ["ip", "netns", "exec", self.hosts[i]]

    def cut(self, i):
        """All is lost, silently."""
        self.away.add(i)

    def heal(self, i):
        self.away.discard(i)
