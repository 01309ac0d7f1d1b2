#!/usr/bin/env python3
"""Promise: tools/launch/kubernetes/ is what Kubernetes' schemas ask for, and the command lines in it do a run: started,
stopped, started again, with the bytes of a run without workers. Needs PyPI's kubernetes-validate; no cluster."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests"))
from ports import free_port  # noqa: E402

try:
    import kubernetes_validate
    import yaml
except ImportError:
    print("skipped: needs the Python package kubernetes-validate (pip install kubernetes-validate)")
    sys.exit(77)

AGON, SOURCE = os.environ["AGON"], pathlib.Path(os.environ["SOURCE"])
HERE = SOURCE / "tools/launch/kubernetes"
SMALL = ["population.size=2", "train.generations=3", "train.rollouts=1", "train.lanes=8", "train.horizon=8",
         "metrics.every=1", "metrics.games=4", "metrics.anchor_games=4", "metrics.final_games=8", "metrics.probes=16",
         "metrics.bootstrap=20", "train.minibatches=2"]


def documents():
    return [(f.name, d) for f in sorted(HERE.glob("*.yaml")) for d in yaml.safe_load_all(f.read_text())]


def container_of(kind, name):
    found = next(d for _, d in documents() if d["kind"] == kind and d["metadata"]["name"] == name)
    return found["spec"]["template"]["spec"]["containers"][0]


def secret(folder, name, files):
    """As a mounted secret: the files of README.md's `kubectl create secret`."""
    place = folder / name
    place.mkdir()
    for key, path in files.items():
        shutil.copy(path, place / key)
        (place / key).chmod(0o600)
    return str(place)


for name, document in documents():
    for version in ("1.27", "1.31"):
        kubernetes_validate.validate(document, version, strict=True)
    print(f"ok {name}: {document['kind']} {document['metadata']['name']}")
for kind, name in (("Deployment", "agon-coordinator"), ("Deployment", "agon-worker"), ("StatefulSet", "agon-nats")):
    safe = container_of(kind, name)["securityContext"]
    assert safe["readOnlyRootFilesystem"] and not safe["allowPrivilegeEscalation"], name

with tempfile.TemporaryDirectory() as work:
    folder = pathlib.Path(work)

    def agon(*words):
        subprocess.run([AGON, *words], check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    agon("cert", "--dir", "certs", "--host", "127.0.0.1")
    agon("cert", "--token", "workers", "--out", "workers.token", "--tokens", "tokens")
    certs = folder / "certs"
    coordinator_secret = secret(folder, "coordinator", {"tokens": folder / "tokens", "ca.pem": certs / "ca.pem", "server.pem":
                                                        certs / "server.pem", "server.key": certs / "server.key"})
    worker_secret = secret(folder, "worker", {"token": folder / "workers.token", "ca.pem": certs / "ca.pem"})
    port, metrics = free_port(), free_port()

    def words(container, secret_place):
        changes = {"/etc/agon": secret_place, "/var/lib/agon": f"{work}/lib", "/var/cache/agon": f"{work}/cache",
                   "0.0.0.0:7766": f"127.0.0.1:{port}", "0.0.0.0:7767": f"127.0.0.1:{metrics}",
                   "agon-coordinator.agon.svc:7766": f"127.0.0.1:{port}", "$(AGON_NAME)": "pod-1", "$(AGON_THREADS)": "1"}
        out = []
        for word in container["args"]:
            for old, new in changes.items():
                word = word.replace(old, new)
            out.append(word)
        return out
    coordinator = container_of("Deployment", "agon-coordinator")
    script = SOURCE / "tools/launch" / pathlib.Path(coordinator["command"][0]).name
    line = [str(script), *words(coordinator, coordinator_secret)]
    environment = {**os.environ, "AGON": AGON}
    (folder / "lib").mkdir()
    worker = subprocess.Popen([AGON, *words(container_of("Deployment", "agon-worker"), worker_secret), "--quiet"])
    try:
        first = subprocess.Popen([*line, *SMALL], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            first.wait(1)
        except subprocess.TimeoutExpired:
            first.terminate()
        assert first.wait(60) == 0, "the coordinator does not stop in order"
        again = subprocess.run([*line, *SMALL], env=environment, capture_output=True, text=True, timeout=120)
        assert again.returncode == 0, again.stderr
    finally:
        worker.terminate()
    assert worker.wait(60) == 0, "the worker does not stop in order"
    agon("train", "connect_four", f"run.dir={work}/local", *SMALL)
    both = [subprocess.run([sys.executable, SOURCE / "tests/signature.py", run], capture_output=True, text=True,
                           check=True).stdout for run in (f"{work}/lib/run", f"{work}/local")]
    assert both[0] == both[1], "other bytes than those of a run without workers"
print("ok the command lines: started, stopped, started again; the bytes of a run without workers")
