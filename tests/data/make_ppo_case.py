#!/usr/bin/env python3
"""Writes ppo_case.bin: PPO gradients and ten Adam steps computed by PyTorch, for test_ppo_torch.c.

Made with Python 3.11, torch 2.2.2 and numpy 1.26.4 from PyPI; run it in a virtual environment:

    python3 -m venv /tmp/case && /tmp/case/bin/pip install torch==2.2.2 'numpy<2'
    /tmp/case/bin/python tests/data/make_ppo_case.py

Inputs are float32 numbers; PyTorch computes in float64 with its own autograd and its own Adam, so
the file holds what exact arithmetic would give and the test's tolerance is our rounding alone. The
layout of the file is described in README.md beside this script.
"""
import pathlib
import re
import struct

import numpy as np
import torch

STEPS = 10
# net, rows, decisions of each, entries of a minibatch, greatest gradient norm, spread of weights
CASES = [
    ("12-16-9-5 relu", 37, 1, 24, 1.0, 0.4),
    ("7-11-9 tanh", 33, 1, 33, 0.52, 0.4),
    ("2x3x4-conv6-conv4k5-10-5 relu", 30, 1, 20, 0.53, 0.15),
    ("6-mingru7-9-mingru5-4 tanh", 9, 6, 36, 0.65, 0.4),
    ("2x3x3-conv4-mingru6-5 relu", 8, 5, 25, 1.4, 0.3),
]
HYPER = dict(rate=1e-3, clip=0.2, value=0.5, entropy=0.02, beta1=0.9, beta2=0.99, eps=1e-5)


class Layer(torch.nn.Linear):
    """A hidden layer; its weight lies as in agon's buffer: for a convolution (out, kernel, kernel, in),
    for a minGRU candidates before gates."""

    def __init__(self, word, inputs, image):
        kind, width, kernel = re.fullmatch(r"(conv|mingru|)(\d+)(?:k(\d+))?", word).groups()
        size = int(kernel or 3)
        channels = inputs // (image[1] * image[2]) if kind == "conv" else 0
        super().__init__(size ** 2 * channels if kind == "conv" else inputs,
                         int(width) * (2 if kind == "mingru" else 1))
        self.kind, self.kernel, self.image, self.channels = kind, size, image, channels
        self.remembered = int(width) if kind == "mingru" else 0
        self.outputs = int(width) * (image[1] * image[2] if kind == "conv" else 1)

    def convolve(self, x):  # (n, channels, rows, cols), also what it returns
        weight = self.weight.reshape(-1, self.kernel, self.kernel, self.channels).permute(0, 3, 1, 2)
        return torch.nn.functional.conv2d(x, weight, self.bias, padding=self.kernel // 2)

    def recall(self, x, memory, last):  # x (rows, horizon, inputs), memory (rows, units)
        candidate, gate = super().forward(x).chunk(2, -1)
        z, out = torch.sigmoid(gate), []
        for t in range(x.shape[1]):
            memory = (1 - z[:, t]) * memory + z[:, t] * candidate[:, t]
            out.append(memory)
            memory = memory * ~last[:, t, None]
        return torch.stack(out, 1)


class Net(torch.nn.Module):
    """Trunk, policy head, value head; parameters() runs in the order of agon's flat buffer."""

    def __init__(self, text):
        super().__init__()
        words, activation = text.split()
        first, *hidden, actions = words.split("-")
        image = [int(n) for n in first.split("x")]
        self.inputs, self.actions, width = int(np.prod(image)), int(actions), int(np.prod(image))
        self.activation = torch.relu if activation == "relu" else torch.tanh
        self.trunk = torch.nn.ModuleList()
        for word in hidden:
            self.trunk.append(Layer(word, width, image))
            width = self.trunk[-1].outputs
        self.policy = torch.nn.Linear(width, self.actions)
        self.value = torch.nn.Linear(width, 1)
        self.image = image
        self.remembered = sum(layer.remembered for layer in self.trunk)

    def forward(self, x, memory, last):
        """x (entries, inputs), last (entries): rows of equal length, one after another; memory (rows,
        remembered)."""
        rows, at = len(memory), 0
        if self.trunk[0].kind == "conv":
            x = x.reshape(-1, *self.image)
        for layer in self.trunk:
            if layer.kind == "conv":
                x = self.activation(layer.convolve(x))
                continue
            if x.dim() == 4:  # what comes after convolutions sees points, then channels
                x = x.permute(0, 2, 3, 1).flatten(1)
            if layer.kind == "mingru":
                own = memory[:, at : at + layer.remembered]
                x = layer.recall(x.reshape(rows, -1, x.shape[1]), own, last.reshape(rows, -1))
                x, at = x.flatten(0, 1), at + layer.remembered
            else:
                x = self.activation(layer(x))
        if x.dim() == 4:
            x = x.permute(0, 2, 3, 1).flatten(1)
        return self.policy(x), self.value(x).squeeze(-1)


def loss_of(net, rows, hyper):
    logits, value = net(rows["obs"], rows["memory"], rows["last"])
    policy = torch.distributions.Categorical(
        logits=logits.masked_fill(~rows["mask"], float("-inf")))
    log_prob = policy.log_prob(rows["action"])
    change = log_prob - rows["old"]
    ratio = change.exp()
    clipped = ratio.clamp(1 - hyper["clip"], 1 + hyper["clip"])
    surrogate = -torch.min(ratio * rows["advantage"], clipped * rows["advantage"]).mean()
    value_loss = 0.5 * (value - rows["target"]).pow(2).mean()
    # Categorical.entropy() clamps -inf logits itself: illegal actions add nothing
    entropy = policy.entropy().mean()
    loss = surrogate + hyper["value"] * value_loss - hyper["entropy"] * entropy
    kl = ((ratio - 1) - change).mean()
    share = ((ratio - 1).abs() > hyper["clip"]).double().mean()
    return loss, [surrogate, value_loss, entropy, kl, share]


def floats(tensor):
    return tensor.detach().numpy().astype("<f4").tobytes()


def flat(tensors):
    return torch.cat([t.detach().reshape(-1) for t in tensors])


def make_rows(rng, net, rows, horizon):
    inputs, actions, count = net.inputs, net.actions, rows * horizon
    obs = rng.normal(size=(count, inputs)).astype(np.float32)
    mask = rng.random((count, actions)) < 0.7
    action = rng.integers(0, actions, count)
    mask[np.arange(count), action] = True
    made = dict(obs=torch.tensor(obs, dtype=torch.float64), mask=torch.tensor(mask),
                action=torch.tensor(action), last=torch.zeros(count, dtype=torch.bool),
                memory=torch.zeros((rows, 0), dtype=torch.float64))
    if net.remembered:
        memory = rng.normal(size=(rows, net.remembered)).astype(np.float32)
        made.update(last=torch.tensor(rng.random(count) < 0.2),
                    memory=torch.tensor(memory, dtype=torch.float64))
    with torch.no_grad():
        logits, _ = net(made["obs"], made["memory"], made["last"])
        logits = logits.masked_fill(~made["mask"], float("-inf"))
        log_prob = torch.log_softmax(logits, 1)[torch.arange(count), made["action"]]
    # an older policy, so far away that many ratios leave the clip range
    old = (log_prob.numpy() + rng.normal(scale=0.3, size=count)).astype(np.float32)
    for name, array in (("old", old), ("advantage", rng.normal(size=count)),
                        ("target", rng.normal(size=count))):
        made[name] = torch.tensor(np.asarray(array, np.float32), dtype=torch.float64)
    return made


def write_case(out, rng, case):
    text, rows, horizon, batch, limit, spread = case
    hyper = {k: float(np.float32(v)) for k, v in HYPER.items()}
    limit = float(np.float32(limit))
    net = Net(text).double()
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.tensor((rng.normal(size=p.shape) * spread).astype(np.float32)))
    data = make_rows(rng, net, rows, horizon)
    chosen = np.stack([rng.permutation(rows)[: batch // horizon] for _ in range(STEPS)])
    index = (chosen[:, :, None] * horizon + np.arange(horizon)).reshape(STEPS, batch)

    out.write(text.encode().ljust(64, b"\0"))
    out.write(struct.pack("<5i", rows, horizon, batch, STEPS,
                          sum(p.numel() for p in net.parameters())))
    out.write(struct.pack("<8f", *hyper.values(), limit))
    out.write(floats(flat(net.parameters())))
    out.write(floats(data["obs"]))
    out.write(np.array([sum(1 << a for a in range(net.actions) if m[a]) for m in data["mask"]],
                       "<u8").tobytes())
    out.write(data["action"].numpy().astype("<u2").tobytes())
    for name in ("old", "advantage", "target"):
        out.write(floats(data[name]))
    out.write(data["last"].numpy().astype("u1").tobytes() + floats(data["memory"]))
    out.write(index.astype("<u4").tobytes())
    logits, value = net(data["obs"], data["memory"], data["last"])
    out.write(floats(logits) + floats(value))

    adam = torch.optim.Adam(net.parameters(), lr=hyper["rate"],
                            betas=(hyper["beta1"], hyper["beta2"]), eps=hyper["eps"])
    clipped_steps = 0
    for step in range(STEPS):
        part = {k: v[chosen[step] if k == "memory" else index[step]] for k, v in data.items()}
        loss, stats = loss_of(net, part, hyper)
        adam.zero_grad()
        loss.backward()
        norm = flat([p.grad for p in net.parameters()]).norm()
        if step == 0:
            out.write(struct.pack("<6d", loss.item(), *[s.item() for s in stats]))
            out.write(floats(flat([p.grad for p in net.parameters()])))
        out.write(struct.pack("<d", norm.item()))
        if norm > limit:
            clipped_steps += 1
            for p in net.parameters():
                p.grad.mul_(limit / norm)
        adam.step()
    out.write(floats(flat(net.parameters())))
    print(f"{text}: the gradient was scaled in {clipped_steps} of {STEPS} steps")
    assert 0 < clipped_steps < STEPS, "the case should show both"


def main():
    rng = np.random.default_rng(20)
    path = pathlib.Path(__file__).with_name("ppo_case.bin")
    with open(path, "wb") as out:
        out.write(b"PPOCASE2" + struct.pack("<i", len(CASES)))
        for case in CASES:
            write_case(out, rng, case)
    print(f"{path.name}: {path.stat().st_size} bytes, torch {torch.__version__}")


if __name__ == "__main__":
    main()
