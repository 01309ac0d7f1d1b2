"""What may happen to coordinator, workers and broker, one function for each: case(cluster) lets it happen and
waits for the right end. ON says over which transports; see check_cluster_cases.py."""
import os
import signal
import subprocess
import threading
import time

import wire
from cluster import PATIENCE, TRANSPORTS, Failure, Process, free_port, until

EVERYWHERE = ("local", *TRANSPORTS)
ON = {}


class Skipped(Exception):
    pass


def on(*transports):
    def note(case):
        ON[case] = transports
        return case
    return note


def at(worker, kind, nth, action, up=None):
    """When the nth message of a kind passes, action(link, message, packet); what it returns is sent instead."""
    seen, happened = [0], threading.Event()

    def rule(proxy, link, upward, message, packet):
        if not message or message["is"] != kind or (up is not None and up != upward):
            return None
        seen[0] += 1
        if seen[0] != nth:
            return None
        answer = action(link, message, packet)
        happened.set()
        return answer
    worker.proxy.rules.append(rule)
    return happened


def wait(cluster, happened, what):
    until(what, lambda: happened.is_set() or not cluster.coordinator.running())
    if not happened.is_set():
        raise Failure(f"the run ended before {what}")


def two_workers(cluster, delay=0.01):
    """Two, slow enough that something can happen to them."""
    cluster.coordinate()
    return [cluster.worker(name, before=lambda w: setattr(w.proxy, "delay", delay)) for name in "ab"]


def replaced(cluster, packet, message):
    return cluster.splitter.replace(packet, wire.pack(message))


# ---- processes that end -----------------------------------------------------------------------------

@on(*TRANSPORTS)
def worker_killed_in_a_task(cluster):
    a, _ = two_workers(cluster)
    killed = at(a, "TASK", 5, lambda *_: a.signal(signal.SIGKILL))
    wait(cluster, killed, "a fifth task")
    cluster.ends_right()


@on(*EVERYWHERE)
def coordinator_killed_and_resumed(cluster):
    if cluster.transport == "local":
        cluster.coordinate()
        cluster.reaches(0.3)
        cluster.coordinator.kill()
    else:
        a, _ = two_workers(cluster)
        killed = at(a, "RESULT", 20, lambda *_: cluster.coordinator.signal(signal.SIGKILL))
        wait(cluster, killed, "20 results")
    cluster.coordinator.popen.wait()
    cluster.resume()
    cluster.ends_right()


@on("nats")
def broker_killed_and_restarted(cluster):
    a, _ = two_workers(cluster)
    killed = at(a, "RESULT", 20, lambda *_: cluster.broker.signal(signal.SIGKILL))
    wait(cluster, killed, "20 results")
    cluster.broker.popen.wait()
    time.sleep(0.5)
    cluster.start_broker()
    cluster.ends_right()


@on("nats")
def broker_loses_its_store(cluster):
    a, _ = two_workers(cluster)
    killed = at(a, "RESULT", 20, lambda *_: cluster.broker.signal(signal.SIGKILL))
    wait(cluster, killed, "20 results")
    cluster.broker.popen.wait()
    os.rename(os.path.join(cluster.work, "jetstream"), os.path.join(cluster.work, "lost"))
    cluster.start_broker()
    cluster.ends_right()


# ---- results ------------------------------------------------------------------------------------------

@on(*TRANSPORTS)
def duplicate_result(cluster):
    a, b = two_workers(cluster, 0)
    sent = []

    def twice(proxy, link, up, message, packet):
        if not message or message["is"] != "RESULT":
            return None
        sent.append(message["task"])
        if cluster.transport != "nats":
            return [packet, packet]
        header = cluster.splitter.header(packet)  # not the same id, or the broker takes it for a double
        return [packet, cluster.splitter.replace(packet, wire.pack(message), header.replace(b"r:", b"R:"))]
    for worker in (a, b):
        worker.proxy.rules.append(twice)
    cluster.ends_right()
    if len(sent) < 50:
        raise Failure(f"only {len(sent)} results were sent twice")


@on(*TRANSPORTS)
def late_result(cluster):
    """It comes when its lease has run out, and the other worker has the task or has done it."""
    a, _ = two_workers(cluster, delay=0.04)
    held, answered = [], threading.Event()

    def hold(link, message, packet):
        held.append(message["task"])
        link.later(1.8 * cluster.lease, True, packet)
        return []

    def silence(proxy, link, up, message, packet):
        if up and held and not answered.is_set() and b"+WPI" in packet[-16:]:
            return []
        if up and held and not answered.is_set() and message and message["is"] == "BEAT":
            return [replaced(cluster, packet, {**message, "leases": []})]
        if not up and message and message["is"] == "ACK" and message["task"] in held:
            answered.set()
        return None
    a.proxy.rules.append(silence)
    wait(cluster, at(a, "RESULT", 10, hold), "a tenth result")
    wait(cluster, answered, "an answer to a late result")
    cluster.ends_right()


@on(*TRANSPORTS)
def stale_lease(cluster):
    """Results, beats and hand-backs under leases that are over."""
    a, _ = two_workers(cluster)
    old, cancelled = [], set()

    def stale(proxy, link, up, message, packet):
        kind = message["is"] if message else ""
        if up and kind == "RESULT":
            mine = message["lease"]
            old.append(mine)
            back = wire.say("NAK", task=message["task"], lease=mine, **{"class": 1}, text="stale")
            link.memory["back"] = back
            return [replaced(cluster, packet, {**message, "lease": old[0]})]
        if up and kind == "BEAT":
            over = [{"lease": n, "permille": 500, "steps": 1} for n in {*old[:3], 999999}
                    if all(n != e["lease"] for e in message["leases"])]
            packets = [replaced(cluster, packet, {**message, "leases": message["leases"] + over})]
            if "back" in link.memory:
                packets.append(cluster.splitter.replace(packet, link.memory.pop("back")))
            return packets
        if not up and kind == "BEAT_OK":
            cancelled.update(message["cancel"])
        return None
    a.proxy.rules.append(stale)
    cluster.ends_right()
    if 999999 not in cancelled:
        raise Failure(f"a lease that never was is not cancelled: {cancelled}")


@on(*TRANSPORTS)
def corrupt_chunk(cluster):
    """One bit of a snapshot on its way to a worker, and of a result on its way back. The other worker is slow: it
    makes what the first must ask for, and does not end the run while that is asked for again."""
    cluster.coordinate()
    a, _ = (cluster.worker(name, before=lambda w, delay=delay: setattr(w.proxy, "delay", delay))
            for name, delay in (("a", 0.01), ("b", 0.05)))

    def flip(link, message, packet):
        data = bytearray(message["data"])
        data[len(data) // 2] ^= 1
        return [replaced(cluster, packet, {**message, "data": bytes(data)})]
    both = [at(a, "CHUNK", 1, flip, up) for up in (True, False)]
    for happened in both:
        wait(cluster, happened, "a chunk each way")
    cluster.ends_right()


@on("tls")
def corrupt_record(cluster):
    """One bit of what TLS sends."""
    cluster.sees_inside, cluster.splitter = False, None
    a, _ = two_workers(cluster)
    cluster.reaches(0.2)
    a.proxy.flips = 1
    a.says("next try in")
    cluster.ends_right()


# ---- connections --------------------------------------------------------------------------------------

@on(*TRANSPORTS)
def connections_cut(cluster):
    """Between and within messages, again and again."""
    for worker in two_workers(cluster):
        at(worker, "TASK", 4, lambda link, *_: link.close())
        at(worker, "CHUNK", 5, lambda link, *_: setattr(link, "cut_inside", True), True)
        at(worker, "CHUNK", 7, lambda link, *_: setattr(link, "cut_inside", True), False)
    cluster.ends_right()


@on(*TRANSPORTS)
def slow_peer(cluster):
    a, _ = two_workers(cluster)
    slow = at(a, "TASK", 5, lambda *_: setattr(a.proxy, "rate", 40_000))
    wait(cluster, slow, "a fifth task")
    cluster.ends_right()


@on(*TRANSPORTS)
def half_open_connection(cluster):
    """Bytes vanish, and nobody hears of an end."""
    a, _ = two_workers(cluster)
    frozen = at(a, "TASK", 5, lambda *_: setattr(a.proxy, "frozen", True))
    wait(cluster, frozen, "a fifth task")
    a.says("not a word from the coordinator")
    cluster.ends_right()


# ---- coordinators -------------------------------------------------------------------------------------

def _refused(cluster, name, command, *words):
    r = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    lacking = [w for w in words if w not in r.stderr]
    if r.returncode != 1 or lacking:
        raise Failure(f"{name}: exit {r.returncode} (wanted 1), {lacking} lacks in:\n{r.stderr}")


@on(*EVERYWHERE)
def two_coordinators_of_one_run(cluster):
    if cluster.transport == "local":
        cluster.coordinate()
        until("a database", lambda: cluster.done() > 0)
    else:
        cluster.coordinate()
    port, cluster.port = cluster.port, free_port() if cluster.transport != "nats" else cluster.port
    _refused(cluster, "the same run", cluster.command(resume=True), cluster.run, str(cluster.coordinator.pid))
    cluster.port = port
    if cluster.transport != "local":
        cluster.worker("a")
    cluster.ends_right()


@on("tcp", "tls")
def two_coordinators_of_one_port(cluster):
    cluster.coordinate()
    _refused(cluster, "the same port", cluster.command(run=cluster.run + "2"), "listen", str(cluster.port), "port")
    cluster.worker("a")
    cluster.ends_right()


@on("nats")
def two_runs_in_one_space(cluster):
    """Workers serve the one, then the other."""
    cluster.coordinate()
    other = Process(os.path.join(cluster.work, "other.log"), cluster.command(run=cluster.run + "2"))
    try:
        other.says("waiting for workers")
        cluster.worker("a")
        cluster.worker("b")
        cluster.ends_right()
        cluster.run, cluster.coordinator, other = cluster.run + "2", other, cluster.coordinator
        cluster.ends_right()
    finally:
        other.kill()


# ---- versions -----------------------------------------------------------------------------------------

@on(*TRANSPORTS)
def worker_of_another_version(cluster):
    cluster.coordinate()
    seen = []

    def newer(proxy, link, up, message, packet):
        if message and message["is"] == "HELLO":
            return [replaced(cluster, packet, {**message, "protocol": wire.PROTOCOL + 1})]
        if message and message["is"] == "REJECT":
            seen.append(message)
        return None
    theirs, ours = wire.PROTOCOL + 1, wire.PROTOCOL
    stranger = cluster.worker("stranger", before=lambda w: w.proxy.rules.append(newer))
    friend = cluster.worker("friend")
    if stranger.wait() != 1 or f"protocol {theirs}" not in stranger.text() or "use the same version" not in stranger.text():
        raise Failure(f"exit {stranger.popen.returncode}: {stranger.text()}")
    if not seen or seen[0]["code"] != 1 or f"protocol {theirs}, and this coordinator {ours}" not in seen[0]["text"]:
        raise Failure(f"no REJECT with the version wanted: {seen}")
    cluster.ends_right()
    friend.kill()


@on(*TRANSPORTS)
def coordinator_of_another_version(cluster):
    """It answers in a form that this worker does not know; the worker says so and tries again."""
    def newer(link, message, packet):
        return [replaced(cluster, packet, {**message, "format": wire.PROTOCOL + 1})]
    cluster.coordinate()
    a = cluster.worker("a", before=lambda w: at(w, "CHALLENGE", 1, newer))
    a.proxy.delay = 0.01
    cluster.ends_right()
    if cluster.transport != "nats" and "same version" not in a.text():
        raise Failure(f"the worker does not say why: {a.text()}")


# ---- clocks -------------------------------------------------------------------------------------------

@on(*EVERYWHERE)
def coordinator_stands_still(cluster):
    """Longer than a lease, as if the clock had jumped."""
    if cluster.transport == "local":
        cluster.coordinate()
    else:
        two_workers(cluster)
    until("some results", lambda: cluster.done() > 10)
    cluster.coordinator.stop()
    time.sleep(2.5 * cluster.lease)
    cluster.coordinator.go()
    cluster.ends_right()


@on(*TRANSPORTS)
def worker_stands_still(cluster):
    a, _ = two_workers(cluster)
    stopped = at(a, "TASK", 5, lambda *_: a.stop())
    wait(cluster, stopped, "a fifth task")
    time.sleep(2.5 * cluster.lease)
    a.go()
    cluster.ends_right()


# ---- disks --------------------------------------------------------------------------------------------

class Disk:
    """A small one."""

    def __init__(self, place, size):
        self.place = place
        os.makedirs(place)
        r = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], capture_output=True, text=True)
        if r.returncode:
            raise Skipped(f"no right to mount a small disk: {r.stderr.strip()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.place], check=False)

    def grow(self, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", self.place], check=True)


@on(*TRANSPORTS)
def full_disk_of_a_worker(cluster):
    with Disk(os.path.join(cluster.work, "disk"), "200k") as disk:
        cluster.coordinate()
        a = cluster.worker("a", place=os.path.join(disk.place, "a"))
        b = cluster.worker("b")
        a.proxy.delay = b.proxy.delay = 0.01
        cluster.reaches(0.6)
        if not a.running():
            raise Failure(f"the worker ended: {a.text()}")
        disk.grow("64m")
        cluster.ends_right()
        a.kill()


@on(*EVERYWHERE)
def full_disk_of_the_coordinator(cluster):
    with Disk(os.path.join(cluster.work, "disk"), "1500k") as disk:
        cluster.run = os.path.join(disk.place, "run")
        filler = os.path.join(disk.place, "filler")
        with open(filler, "wb") as f:
            f.write(b"x" * 300_000)
        if cluster.transport == "local":
            cluster.coordinate()
        else:
            two_workers(cluster, 0)
        cluster.coordinator.says("paused")
        os.remove(filler)
        disk.grow("200m")
        cluster.ends_right()
        cluster.coordinator.kill()


# ---- audits -------------------------------------------------------------------------------------------

@on(*TRANSPORTS)
def audits_that_come_late(cluster):
    """The learners that a task began with may be gone by then; nobody is to blame."""
    cluster.words.append("machine.audit=1")
    a, b = two_workers(cluster, 0)
    b.proxy.delay = 0.03
    cluster.ends_right()
    for worker in (a, b):
        if "turned this worker away" in worker.text():
            raise Failure(f"an honest worker is struck: {worker.text()}")
    if "cannot do a task" in cluster.coordinator.text():
        raise Failure("a worker cannot do a task")
