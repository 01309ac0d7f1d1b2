#!/usr/bin/env python3
"""Promise: with the shipped files, a run over three NATS servers that stand in for each other ends with the bytes of
a local one when one of them is killed, whichever that is; and so does one whose workers are behind a leaf node."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests"))
from nats import AGON, SHIPPED, Processes, find_server, finish, free_port, kill, lines, signature, text, wait_for  # noqa: E402

SETTINGS = ("connect_four population.size=3 train.generations=8 train.rollouts=2 train.lanes=16 "
            "train.horizon=16 net.hidden=128,128 metrics.every=4 metrics.games=4 "
            "metrics.anchor_games=4 metrics.final_games=4 metrics.probes=32 "
            "metrics.bootstrap=50").split()
SECRET = "s" + os.urandom(20).hex()
NAMES = ("coordinator", "one", "two")


def agon(*words):
    return subprocess.run([AGON, *words], capture_output=True, text=True, check=True).stdout


def adapt(name, where, *changes):
    with open(os.path.join(SHIPPED, name)) as f:
        content = f.read()
    for old, new in changes:
        if old not in content:
            raise SystemExit(f"{name} has no longer '{old}'")
        content = content.replace(old, new)
    with open(os.path.join(where, name), "w") as f:
        f.write(content)


def folder(work, name, *leaf):
    """A directory as a server is started in."""
    path = os.path.join(work, name)
    os.makedirs(path)
    for link in ("certs", "hub"):
        os.symlink(os.path.join(work, link), os.path.join(path, link))
    with open(f"{path}/users.conf", "w") as f:
        subprocess.run([os.path.join(SHIPPED, "users"), *leaf, "lab", *(n + ".pub" for n in NAMES)], cwd=work,
                       stdout=f, check=True)
    return path


def prepare(work):
    agon("cert", "--dir", f"{work}/certs", "--host", "127.0.0.1", "--host", "localhost")
    agon("cert", "--dir", f"{work}/certs", "--client", "leaf", "--out", f"{work}/hub")
    for name in NAMES:
        with open(f"{work}/{name}.pub", "w") as f:
            f.write(agon("cert", "--nkey", f"{work}/{name}.nkey"))


def cluster(p, work):
    ports, routes = [free_port() for _ in range(3)], [free_port() for _ in range(3)]
    servers = []
    for name in ("cluster.key", "cluster.pem"):
        if os.path.exists(f"{work}/certs/{name}"):
            os.remove(f"{work}/certs/{name}")
    subprocess.run([os.path.join(SHIPPED, "routes"), "certs", *(f"127.0.0.1:{r}" for r in routes)], cwd=work,
                   check=True)
    for i in range(3):
        where = folder(work, f"agon-{i + 1}")
        adapt("nats-server.conf", where, ("host: 0.0.0.0", "host: 127.0.0.1"), ("port: 4222", f"port: {ports[i]}"))
        adapt("cluster.conf", where, ("0.0.0.0:6222", f"127.0.0.1:{routes[i]}"))
        os.symlink(f"{work}/routes.conf", f"{where}/routes.conf")
        servers.append((where, ports[i]))
    return [p.server("cluster.conf", port, where, {"NODE": f"agon-{i + 1}"})
            for i, (where, port) in enumerate(servers)], ports


def leaf(p, work):
    hub, inner, outer = free_port(), free_port(), free_port()
    where = folder(work, "hub-server")
    adapt("nats-server.conf", where, ("host: 0.0.0.0", "host: 127.0.0.1"), ("port: 4222", f"port: {hub}"))
    adapt("hub.conf", where, ("0.0.0.0:7422", f"127.0.0.1:{inner}"))
    p.server("hub.conf", hub, where, {"LEAF_SECRET": SECRET})
    where = folder(work, "leaf-server", "--leaf")
    adapt("leaf.conf", where, ("host: 0.0.0.0", "host: 127.0.0.1"), ("port: 4222", f"port: {outer}"))
    p.server("leaf.conf", outer, where, {"HUB_URL": f"tls://leaf:{SECRET}@127.0.0.1:{inner}"})
    return hub, outer


def keys(work, name):
    return ["--tls", f"{work}/certs", "--nkey", f"{work}/{name}.nkey"]


def start(p, work, run, ports):
    """Coordinator and two workers, each at a server of its own."""
    url = [f"natstls://127.0.0.1:{port}/lab" for port in ports]
    workers = [p.worker(url[i + 1], name, "--once", *keys(work, name)) for i, name in enumerate(("one", "two"))]
    train = p.train([*SETTINGS, f"run.dir={run}"], url[0], f"machine.tls={work}/certs",
                    f"machine.nkey={work}/coordinator.nkey")
    return train, workers


def compare(what, train, workers, run, local):
    finish(train)
    for w in workers:
        finish(w, 30)
    if signature([run]) != signature([local]):
        raise SystemExit(f"{what}: other bytes than locally")
    print(f"{what}: same bytes", flush=True)


find_server()
with tempfile.TemporaryDirectory() as work:
    p = Processes(work)
    try:
        prepare(work)
        local = f"{work}/local"
        finish(p.train([*SETTINGS, f"run.dir={local}"]))
        for victim in range(3):
            servers, ports = cluster(p, work)
            run = f"{work}/run-{victim}"
            train, workers = start(p, work, run, ports)
            wait_for("work", lambda: lines(run) >= 3 or train.poll() is not None)
            if train.poll() is not None:
                raise SystemExit(f"the run ended before a server was killed:\n{text(train)}")
            kill(servers[victim])
            compare(f"server {victim + 1} of 3 killed", train, workers, run, local)
            for s in servers:
                kill(s)
            for i in range(3):
                os.rename(f"{work}/agon-{i + 1}", f"{work}/old-{victim}-{i + 1}")
        hub, outer = leaf(p, work)
        run = f"{work}/run-leaf"
        train, workers = start(p, work, run, (hub, outer, outer))
        compare("workers behind a leaf node", train, workers, run, local)
    finally:
        p.end()
