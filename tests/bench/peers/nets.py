"""Nets, snapshots and the reference update, as numpy arrays: what the peers are given and held to.

Weights of a net are a list W1, b1, ... with W of shape (inputs, outputs) and b of (1, outputs); the
last pair is the policy's and the value's head side by side, so that one product serves both."""
import json
import pathlib
import struct
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools/python"))
from load_snapshot import load_safetensors # noqa: E402


def sizes(shape):
    """[84, 128, 128, 7] of "84-128-128-7 relu"."""
    return [int(width) for width in shape.split()[0].split("-")]


def forward_flop(shape):
    widths = sizes(shape)
    widths[-1] += 1
    return sum(2 * a * b for a, b in zip(widths, widths[1:]))


def update_flop(shape):
    """Forward, gradients of the weights, and of all inputs but the first layer's."""
    return 3 * forward_flop(shape) - 2 * sizes(shape)[0] * sizes(shape)[1]


def initial(shape, generator):
    """Uniform weights of agon's variance (agents/net.c): He's, and small ones for the policy."""
    widths, weights = sizes(shape), []
    for a, b in zip(widths, widths[1:-1]):
        weights += [generator.uniform(-1, 1, (a, b)) * np.sqrt(6 / a), np.zeros((1, b))]
    a, actions = widths[-2:]
    head = generator.uniform(-1, 1, (a, actions + 1)) * np.sqrt(3 / a)
    head[:, :actions] *= 0.01
    return [w.astype(np.float32) for w in weights + [head, np.zeros((1, actions + 1))]]


def stacked(shape, nets, seed=1):
    """Weights of many nets, each array with a first axis for the net."""
    generator = np.random.default_rng(seed)
    return [np.stack(w) for w in zip(*(initial(shape, generator) for _ in range(nets)))]


def draw_opponents(generator, latest, s):
    """(generation, agent) of every opponent of every agent: the others as they are at `latest`, and
    with probability s["past"] anyone of before, as agon's uniform league."""
    picked, agents = [], s["agents"]
    for agent in range(agents):
        for _ in range(s["opponents"]):
            if latest > 0 and generator.random() < s["past"]:
                picked.append((generator.integers(latest), generator.integers(agents)))
            else:
                other = generator.integers(max(1, agents - 1))
                picked.append((latest, (agent + 1 + other) % agents))
    return picked


def masks(nets, rows, actions):
    """Legal actions, one of them illegal in each row, as `agon bench forward` has them."""
    illegal = np.arange(nets * rows).reshape(nets, rows) % actions
    return illegal[..., None] != np.arange(actions)


def from_tensors(tensors):
    """Weights of a net from named tensors, (outputs, inputs) each."""
    names = sorted({n.rsplit(".", 1)[0] for n in tensors if n.startswith("trunk.")})
    pairs = [(tensors[n + ".weight"].T, tensors[n + ".bias"][None]) for n in names]
    heads = [np.concatenate([tensors[head + part] for head in ("policy", "value")])
             for part in (".weight", ".bias")]
    pairs.append((heads[0].T, heads[1][None]))
    return [np.ascontiguousarray(w) for pair in pairs for w in pair]


def to_tensors(weights):
    tensors = {}
    for i, (w, b) in enumerate(zip(weights[:-2:2], weights[1:-2:2])):
        tensors |= {f"trunk.{i}.weight": w.T, f"trunk.{i}.bias": b[0]}
    w, b = weights[-2].T, weights[-1][0]
    return tensors | {"policy.weight": w[:-1], "policy.bias": b[:-1],
                      "value.weight": w[-1:], "value.bias": b[-1:]}


def read_snapshot(path):
    tensors, metadata = load_safetensors(path)
    return from_tensors(tensors), metadata


def write_snapshot(path, weights, metadata):
    """A snapshot as agon reads them; metadata as in one that agon wrote."""
    header, data = {"__metadata__": metadata}, b""
    for name, tensor in to_tensors(weights).items():
        raw = np.ascontiguousarray(tensor, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, dtype, *shape):
        out = np.frombuffer(self.data, dtype, int(np.prod(shape)), self.at).reshape(shape)
        self.at += out.nbytes
        return out


def flat_to_weights(flat, widths):
    """From the order of agon's buffers."""
    tensors, at = {}, 0
    shapes = [(f"trunk.{i}", b, a) for i, (a, b) in enumerate(zip(widths, widths[1:-1]))]
    for name, rows, cols in shapes + [("policy", widths[-1], widths[-2]), ("value", 1, widths[-2])]:
        for part, shape in ((".weight", (rows, cols)), (".bias", (rows,))):
            count = int(np.prod(shape))
            tensors[name + part] = flat[at:at + count].reshape(shape)
            at += count
    return from_tensors(tensors)


def update_cases():
    """The cases of tests/data/ppo_case.bin, ten steps of PPO computed in double precision: those of
    dense nets, which come first."""
    r = Reader((ROOT / "tests/data/ppo_case.bin").read_bytes())
    assert r.take("S8", 1)[0] == b"PPOCASE2"
    for _ in range(int(r.take("<i4", 1)[0])):
        shape = r.take("S64", 1)[0].decode()
        if not shape.split()[0].replace("-", "").isdigit():
            return
        rows, _, batch, steps, count = (int(x) for x in r.take("<i4", 5))
        names = ("rate", "clip", "value", "entropy", "beta1", "beta2", "epsilon", "norm")
        hyper = dict(zip(names, (float(x) for x in r.take("<f4", 8))))
        widths = sizes(shape)
        start = flat_to_weights(r.take("<f4", count), widths)
        obs = r.take("<f4", rows, widths[0])
        bits = r.take("<u8", rows)
        mask = (bits[:, None] >> np.arange(widths[-1], dtype=np.uint64) & np.uint64(1)) != 0
        action = r.take("<u2", rows).astype(np.int64)
        old, advantage, target = (r.take("<f4", rows) for _ in range(3))
        r.take("u1", rows)
        index = r.take("<u4", steps, batch).astype(np.int64)
        r.take("<f4", rows, widths[-1] + 1)
        r.take("<f8", 6)
        r.take("<f4", count)
        r.take("<f8", steps)
        end = flat_to_weights(r.take("<f4", count), widths)
        yield {"shape": shape, "hyper": hyper, "start": start, "end": end, "index": index,
               "rows": dict(obs=obs, mask=mask, action=action, old=old, advantage=advantage,
                            target=target)}
