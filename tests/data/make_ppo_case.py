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
import struct

import numpy as np
import torch

STEPS = 10
CASES = [  # activation, inputs, hidden widths, actions, rows, minibatch, greatest gradient norm
    ("relu", 12, [16, 9], 5, 37, 24, 1.0),
    ("tanh", 7, [11], 9, 33, 33, 0.52),
]
HYPER = dict(rate=1e-3, clip=0.2, value=0.5, entropy=0.02, beta1=0.9, beta2=0.99, eps=1e-5)


class Net(torch.nn.Module):
    """Trunk, policy head, value head; parameters() runs in the order of agon's flat buffer."""

    def __init__(self, activation, inputs, hidden, actions):
        super().__init__()
        sizes = [inputs] + hidden
        self.trunk = torch.nn.ModuleList(
            torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.policy = torch.nn.Linear(sizes[-1], actions)
        self.value = torch.nn.Linear(sizes[-1], 1)
        self.activation = torch.relu if activation == "relu" else torch.tanh

    def forward(self, x):
        for layer in self.trunk:
            x = self.activation(layer(x))
        return self.policy(x), self.value(x).squeeze(-1)


def loss_of(net, rows, hyper):
    logits, value = net(rows["obs"])
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


def make_rows(rng, net, inputs, actions, rows):
    obs = rng.normal(size=(rows, inputs)).astype(np.float32)
    mask = rng.random((rows, actions)) < 0.7
    action = rng.integers(0, actions, rows)
    mask[np.arange(rows), action] = True
    made = dict(obs=torch.tensor(obs, dtype=torch.float64), mask=torch.tensor(mask),
                action=torch.tensor(action))
    with torch.no_grad():
        logits, _ = net(made["obs"])
        logits = logits.masked_fill(~made["mask"], float("-inf"))
        log_prob = torch.log_softmax(logits, 1)[torch.arange(rows), made["action"]]
    # an older policy, so far away that many ratios leave the clip range
    old = (log_prob.numpy() + rng.normal(scale=0.3, size=rows)).astype(np.float32)
    for name, array in (("old", old), ("advantage", rng.normal(size=rows)),
                        ("target", rng.normal(size=rows))):
        made[name] = torch.tensor(np.asarray(array, np.float32), dtype=torch.float64)
    return made


def write_case(out, rng, case):
    activation, inputs, hidden, actions, rows, batch, limit = case
    hyper = {k: float(np.float32(v)) for k, v in HYPER.items()}
    limit = float(np.float32(limit))
    net = Net(activation, inputs, hidden, actions).double()
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.tensor((rng.normal(size=p.shape) * 0.4).astype(np.float32)))
    data = make_rows(rng, net, inputs, actions, rows)
    index = np.stack([rng.permutation(rows)[:batch] for _ in range(STEPS)])

    text = "-".join(map(str, [inputs] + hidden + [actions])) + " " + activation
    out.write(text.encode().ljust(64, b"\0"))
    out.write(struct.pack("<4i", rows, batch, STEPS, sum(p.numel() for p in net.parameters())))
    out.write(struct.pack("<8f", *hyper.values(), limit))
    out.write(floats(flat(net.parameters())))
    out.write(floats(data["obs"]))
    out.write(np.array([sum(1 << a for a in range(actions) if m[a]) for m in data["mask"]],
                       "<u8").tobytes())
    out.write(data["action"].numpy().astype("<u2").tobytes())
    for name in ("old", "advantage", "target"):
        out.write(floats(data[name]))
    out.write(index.astype("<u4").tobytes())
    logits, value = net(data["obs"])
    out.write(floats(logits) + floats(value))

    adam = torch.optim.Adam(net.parameters(), lr=hyper["rate"],
                            betas=(hyper["beta1"], hyper["beta2"]), eps=hyper["eps"])
    clipped_steps = 0
    for step in range(STEPS):
        loss, stats = loss_of(net, {k: v[index[step]] for k, v in data.items()}, hyper)
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
        out.write(b"PPOCASE1" + struct.pack("<i", len(CASES)))
        for case in CASES:
            write_case(out, rng, case)
    print(f"{path.name}: {path.stat().st_size} bytes, torch {torch.__version__}")


if __name__ == "__main__":
    main()
