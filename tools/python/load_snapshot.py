"""Opens a snapshot of agon with numpy alone and computes what its net answers.

    net = Snapshot("runs/quickstart/blobs/<sha256>.safetensors")
    logits, value = net(observations)        # (n, planes * rows * cols) as the game writes them
    probability = net.policy(observations, legal)

A net with minGRU layers remembers. A call is one decision of each row, and gives back what the rows
remember after it:

    memory = net.memory(n)                   # zeros: an episode begins
    logits, value, memory = net(observations, memory)
    probability, memory = net.policy(observations, legal, memory)
"""
import json
import re
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


def unfold(x, kernel):
    """(n, rows, cols, channels) to (n, rows, cols, kernel * kernel * channels): what a convolution sees at
    each point, zeros beyond the edges."""
    _, rows, cols, _ = x.shape
    half = kernel // 2
    x = np.pad(x, ((0, 0), (half, half), (half, half), (0, 0)))
    seen = [x[:, i : i + rows, j : j + cols] for i in range(kernel) for j in range(kernel)]
    return np.concatenate(seen, axis=3)


class Snapshot:
    def __init__(self, path):
        self.tensors, self.metadata = load_safetensors(path)
        words, activation = self.metadata["net"].split()  # "2x6x7-conv16-128-mingru64-7 relu"
        first, *self.hidden, _ = words.split("-")
        self.image = [int(size) for size in first.split("x")]
        self.tanh = activation == "tanh"
        self.remembered = sum(int(word[6:]) for word in self.hidden if word.startswith("mingru"))
        layout = self.metadata["layout"].split(":")[0].split()  # "2x6x7 u8 scale 1"
        self.scale = float(layout[3]) if layout[1] == "u8" else 1.0

    def memory(self, count):
        """What `count` rows remember when an episode begins."""
        return np.zeros((count, self.remembered), np.float32)

    def linear(self, name, x):
        return x @ self.tensors[name + ".weight"].T + self.tensors[name + ".bias"]

    def bend(self, x):
        return np.tanh(x) if self.tanh else np.maximum(x, 0)

    def recall(self, name, x, before):
        candidate, gate = np.split(self.linear(name, x), 2, axis=1)
        return before + (candidate - before) * (0.5 + 0.5 * np.tanh(0.5 * gate))

    def __call__(self, observations, memory=None):
        if self.remembered and memory is None:
            raise ValueError(f"{self.metadata['net']} remembers: call net(observations, memory)")
        x = np.asarray(observations, np.float32).reshape(len(observations), -1) * np.float32(self.scale)
        if len(self.image) == 3:  # planes, rows, cols
            x = x.reshape(-1, *self.image).transpose(0, 2, 3, 1)
        at, after = 0, []
        for layer, word in enumerate(self.hidden):
            name = f"trunk.{layer}"
            kind, width, kernel = re.fullmatch(r"([a-z]*)(\d+)(?:k(\d+))?", word).groups()
            if kind == "conv":
                x = self.bend(self.linear(name, unfold(x, int(kernel or 3))))
                continue
            x = x.reshape(len(x), -1)
            if kind == "mingru":
                x = self.recall(name, x, memory[:, at : at + int(width)])
                at += int(width)
                after.append(x)
            else:
                x = self.bend(self.linear(name, x))
        x = x.reshape(len(x), -1)
        answer = self.linear("policy", x), self.linear("value", x)[:, 0]
        return (*answer, np.concatenate(after, axis=1)) if self.remembered else answer

    def policy(self, observations, legal, memory=None):
        """Action probabilities, with memory also what is remembered; legal: (n, actions) of bool."""
        logits, _, *after = self(observations, memory)
        logits = np.where(legal, logits, -np.inf)
        weight = np.exp(logits - logits.max(axis=1, keepdims=True))
        probability = weight / weight.sum(axis=1, keepdims=True)
        return (probability, *after) if after else probability
