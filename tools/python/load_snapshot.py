"""Opens a snapshot of agon with numpy alone and computes what its net answers.

    net = Snapshot("runs/quickstart/blobs/<sha256>.safetensors")
    logits, value = net(observations)        # (n, planes * rows * cols) as the game writes them
    probability = net.policy(observations, legal)
"""
import json
import struct

import numpy as np

DTYPES = {"U8": "<u1", "U16": "<u2", "I32": "<i4", "I64": "<i8", "F32": "<f4", "F64": "<f8"}


def load_safetensors(path):
    """Tensors by name, and the metadata strings."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata


class Snapshot:
    def __init__(self, path):
        self.tensors, self.metadata = load_safetensors(path)
        self.tanh = self.metadata["net"].endswith("tanh")
        layout = self.metadata["layout"].split(":")[0].split()  # "2x6x7 u8 scale 1"
        self.scale = float(layout[3]) if layout[1] == "u8" else 1.0

    def linear(self, name, x):
        return x @ self.tensors[name + ".weight"].T + self.tensors[name + ".bias"]

    def __call__(self, observations):
        x = np.asarray(observations, np.float32).reshape(len(observations), -1) * np.float32(self.scale)
        layer = 0
        while f"trunk.{layer}.weight" in self.tensors:
            x = self.linear(f"trunk.{layer}", x)
            x = np.tanh(x) if self.tanh else np.maximum(x, 0)
            layer += 1
        return self.linear("policy", x), self.linear("value", x)[:, 0]

    def policy(self, observations, legal):
        """Action probabilities; legal: (n, actions) of bool."""
        logits = np.where(legal, self(observations)[0], -np.inf)
        weight = np.exp(logits - logits.max(axis=1, keepdims=True))
        return weight / weight.sum(axis=1, keepdims=True)
