#!/usr/bin/env python3
"""The forward of `agon bench gpu` by PyTorch: many nets 126-128-128-(7+1) relu, in bfloat16, 2^20 rows in all.

    torch_forward.py [--rows N] [--nets 1,16,256,4096] [--seconds S] [--device cuda]

Three ways: a loop over the nets, torch.bmm over all at once, and torch.vmap of one net under torch.compile. Each
computes logits and values from bytes; PyTorch is spared masks and the choice of actions. One JSON line for each, as
soon as it is measured; 77 without torch or a GPU."""
import argparse
import json
import statistics
import sys
import time

WIDTHS = (126, 128, 128, 8)
SAMPLES = 5


def skip(why):
    print(json.dumps({"skipped": "PyTorch", "why": why}), flush=True)
    sys.exit(77)


try:
    import torch
except ImportError:
    skip("torch is not installed")


def weights(nets, device):
    """(nets, in, out) and (nets, 1, out) of each layer."""
    g = torch.Generator(device=device).manual_seed(1)
    made = []
    for width_in, width_out in zip(WIDTHS, WIDTHS[1:]):
        w = torch.randn(nets, width_in, width_out, generator=g, device=device) * (2 / width_in) ** 0.5
        b = torch.randn(nets, 1, width_out, generator=g, device=device) * 0.1
        made.append((w.bfloat16(), b.bfloat16()))
    return made


def loop(layers, x):
    out = []
    for net in range(x.shape[0]):
        h = x[net].bfloat16()
        for w, b in layers[:-1]:
            h = torch.relu(torch.addmm(b[net], h, w[net]))
        w, b = layers[-1]
        out.append(torch.addmm(b[net], h, w[net]))
    return out


def bmm(layers, x):
    h = x.bfloat16()
    for w, b in layers[:-1]:
        h = torch.relu_(torch.baddbmm(b, h, w))
    w, b = layers[-1]
    return torch.baddbmm(b, h, w)


def one_net(layers, x):
    h = x.bfloat16()
    for w, b in layers[:-1]:
        h = torch.relu(h @ w + b)
    w, b = layers[-1]
    return h @ w + b


def compiled(layers, x):
    return torch.vmap(one_net)(layers, x)


def wait(device):
    if device.type == "cuda":
        torch.cuda.synchronize()


def seconds_each(go, budget, device):
    """The median of samples, each of as many calls as fit, after two that warm up."""
    go()
    wait(device)
    begun = time.perf_counter()
    go()
    wait(device)
    times = max(1, int(budget / SAMPLES / max(time.perf_counter() - begun, 1e-6)))
    found = []
    for _ in range(SAMPLES):
        begun = time.perf_counter()
        for _ in range(times):
            go()
        wait(device)
        found.append((time.perf_counter() - begun) / times)
    return statistics.median(found), min(found), max(found)


def check(layers, x):
    """All three compute the same."""
    a, b, c = torch.stack(loop(layers, x)).float(), bmm(layers, x).float(), compiled(layers, x).float()
    for other in (b, c):
        apart = (a - other).abs().max() / a.abs().max()
        assert apart <= 2e-2, f"PyTorch's ways differ by {apart}"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--rows", type=int, default=1 << 20)
    p.add_argument("--nets", default="1,16,256,4096")
    p.add_argument("--seconds", type=float, default=0.7)
    p.add_argument("--device", default="cuda")
    a = p.parse_args()
    if a.device == "cuda" and not torch.cuda.is_available():
        skip("torch sees no GPU")
    device = torch.device(a.device)
    torch.set_grad_enabled(False)
    check(weights(3, device), torch.randint(0, 2, (3, 40, WIDTHS[0]), dtype=torch.uint8, device=device))
    ways = {"loop": loop, "bmm": bmm, "vmap and compile": torch.compile(compiled, dynamic=False)}
    for how, way in ways.items():
        for nets in map(int, a.nets.split(",")):
            layers = weights(nets, device)
            x = torch.randint(0, 2, (nets, a.rows // nets, WIDTHS[0]), dtype=torch.uint8, device=device)
            try:
                middle, least, most = seconds_each(lambda: way(layers, x), a.seconds, device)
            except Exception as e:  # a compiler that fails must not lose what follows
                print(json.dumps({"skipped": f"PyTorch, {how}, {nets} nets", "why": str(e).split("\n")[0][:200]}),
                      flush=True)
                continue
            rows = nets * (a.rows // nets)
            print(json.dumps({"bench": "torch_forward", "how": how, "net": "126-128-128-(7+1) relu", "nets": nets,
                              "rows_per_net": a.rows // nets, "precision": "bf16", "rows_per_second": rows / middle,
                              "low": rows / most, "high": rows / least, "torch": torch.__version__}), flush=True)


main()
