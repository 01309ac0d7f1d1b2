#!/usr/bin/python3
"""The metrics of engine/ against numpy and scipy, on 100 random populations.

Guards: diversity, pay-off and rating functions compute what their headers say, by formulas and
solvers that share no code with them. Skipped (77) where numpy and scipy are not installed.
"""
import ctypes
import sys

try:
    import numpy as np
    from scipy.optimize import linprog, lsq_linear, minimize
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

from metrics_library import Behaviour, Key, build, call, compare, pointer, real, report

POPULATIONS = 100


class EntropySplit(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in ("mixture", "within", "between")]


class CyclicNull(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in ("mean", "low", "high", "noise_share")]
    _fields_ += [("exceeds", ctypes.c_int)]


def entropy(p, axis=None):
    return -np.sum(np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0), axis=axis)


def random_behaviour(rng):
    """Policies from nearly uniform to nearly greedy, some actions illegal, some agents equal."""
    agents, states, actions = (int(rng.integers(2, high)) for high in (12, 9, 8))
    logits = rng.normal(size=(agents, states, actions)) * rng.choice([0.3, 2, 8])
    illegal = rng.random((states, actions)) < 0.3
    illegal[np.arange(states), rng.integers(0, actions, states)] = False
    p = np.where(illegal, 0, np.exp(logits - logits.max(axis=2, keepdims=True)) + 1e-9)
    p = (p / p.sum(axis=2, keepdims=True)).astype(np.float32)
    p[-1] = p[0] if rng.random() < 0.5 else p[-1]
    return np.ascontiguousarray(p), rng.dirichlet(np.ones(states))


def check_diversity(lib, rng):
    p, weight = random_behaviour(rng)
    n, states, actions = p.shape
    b = ctypes.byref(Behaviour(n, states, actions, p.ctypes.data, weight.ctypes.data))
    q = p.astype(float)

    split = EntropySplit()
    call(lib.agon_diversity_entropy, b, ctypes.byref(split))
    mixture, within = weight @ entropy(q.mean(0), 1), np.mean(entropy(q, 2) @ weight)
    compare("entropy", [split.mixture, split.within, split.between],
            [mixture, within, mixture - within], 1e-12)

    pairs = [(i, j) for i in range(n) for j in range(i)]
    tv = np.mean([weight @ np.abs(q[i] - q[j]).sum(1) / 2 for i, j in pairs])
    compare("total variation", real(lib.agon_diversity_total_variation, b), tv, 1e-12)

    best = p.argmax(2)
    differ = np.mean([weight @ (best[i] != best[j]) for i, j in pairs])
    ties = np.mean(((p == p.max(2, keepdims=True)).sum(2) > 1) @ weight)
    ours, tied = ctypes.c_double(), ctypes.c_double()
    call(lib.agon_diversity_greedy, b, ctypes.byref(ours), ctypes.byref(tied))
    compare("greedy", [ours.value, tied.value], [differ, ties], 1e-12)

    kernel = np.empty((n, n))
    call(lib.agon_diversity_kernel, b, pointer(kernel))
    compare("kernel", kernel, np.einsum("s,isa,jsa->ij", weight, np.sqrt(q), np.sqrt(q)), 1e-6)
    values = np.linalg.eigvalsh(kernel / n)
    values = values[values > 1e-13]
    for order in (0.5, 1, 2, 3.5, np.inf):
        if order == 1:
            theirs = np.exp(entropy(values))
        elif order == np.inf:
            theirs = 1 / values.max()
        else:
            theirs = np.sum(values**order) ** (1 / (1 - order))
        ours = real(lib.agon_diversity_vendi, pointer(kernel), n, ctypes.c_double(order))
        compare("vendi", ours, theirs, 1e-5 if order < 1 else 1e-9)


def random_payoff(rng):
    n = int(rng.integers(2, 15))
    m = rng.normal(size=(n, n)) if rng.random() < 0.5 else rng.integers(-1, 2, (n, n)) * 1.0
    return np.ascontiguousarray(np.triu(m, 1) - np.triu(m, 1).T)


def check_nash(lib, m, rng):
    """Certifies the maximum-entropy equilibrium by its optimality conditions.

    Nobody gains; no equilibrium (an LP) holds an agent whom p leaves out and who does not lose by
    playing against p; and on the support -ln p is a combination of the constraints M q <= 0 (with
    weights >= 0 for agents outside) and sum q = 1: the maximum of the entropy.
    """
    n = len(m)
    p, residual = np.empty(n), ctypes.c_double()
    call(lib.agon_payoff_nash, pointer(m), n, pointer(p), ctypes.byref(residual))
    gain = m @ p
    compare("nash residual", residual.value, gain.max(), 1e-12)
    compare("nash gain", max(gain.max(), 0), 0, 1e-8)
    support = p > 1e-6
    for i in np.flatnonzero(~support & (gain > -1e-5)):
        most = linprog(-np.eye(n)[i], A_ub=m, b_ub=np.zeros(n), A_eq=[np.ones(n)], b_eq=[1])
        compare("nash support", -most.fun, 0, 1e-7)
    active = np.flatnonzero(support | (gain > -1e-5))
    constraints = np.vstack([m[active][:, support], np.ones(support.sum())]).T
    low = np.append(np.where(support[active], -np.inf, 0), -np.inf)
    fit = lsq_linear(constraints, -np.log(p[support]), (low, np.inf), tol=1e-14).x
    compare("nash entropy", constraints @ fit, -np.log(p[support]), 1e-4)
    # The value by an LP: maximise v with (q' M)_j >= v for all j.
    value = linprog(np.append(np.zeros(n), -1), A_ub=np.hstack([-m.T, np.ones((n, 1))]),
                    b_ub=np.zeros(n), A_eq=[np.append(np.ones(n), 0)], b_eq=[1],
                    bounds=[(0, None)] * n + [(None, None)])
    compare("nash value", (-gain).min(), -value.fun, 1e-7)
    compare("nash entropy value", lib.agon_payoff_entropy(pointer(p), n), entropy(p), 1e-12)
    ours = lib.agon_payoff_effective_diversity(pointer(m), pointer(p), n)
    compare("effective diversity", ours, p @ np.maximum(m, 0) @ p, 1e-12)


def cyclic_fraction(m):
    f = m.mean(1)
    total = np.sum(m**2)
    return np.sum((m - (f[:, None] - f[None])) ** 2) / total if total > 0 else 0


def check_cyclic(lib, m, rng):
    n = len(m)
    f, se = np.empty(n), np.full((n, n), 0.3)
    ours = lib.agon_payoff_cyclic_fraction(pointer(m), n, pointer(f))
    compare("cyclic fraction", ours, cyclic_fraction(m), 1e-12)
    compare("transitive part", f, m.mean(1), 1e-12)
    null, key = CyclicNull(), Key((ctypes.c_uint32 * 2)(5, 6))
    call(lib.agon_payoff_cyclic_null, pointer(m), pointer(se), n, 2000, key, ctypes.byref(null))
    t = f[:, None] - f[None]
    own, noise = np.sum(t**2), 0.09 * n * (n - 1)
    t = t * np.sqrt(max(own - 2 * noise / n, 0) / own) if own > 0 else t
    draws = []
    for _ in range(2000):
        e = np.triu(rng.normal(scale=0.3, size=(n, n)), 1)
        draws.append(cyclic_fraction(t + e - e.T))
    compare("null mean", null.mean, np.mean(draws), 6 * np.std(draws) / np.sqrt(2000) + 1e-12)
    compare("null quantiles", [null.low, null.high], np.quantile(draws, [0.025, 0.975]),
            0.5 * np.std(draws) + 1e-12)


def check_rating(lib, rng):
    n, k, sd = int(rng.integers(2, 10)), np.log(10) / 400, float(rng.choice([50, 350]))
    wins = np.ascontiguousarray(rng.integers(0, 9, (n, n)) * 0.5)
    np.fill_diagonal(wins, 0)
    rating, se, covariance = np.empty(n), np.empty(n), np.empty((n, n))
    call(lib.agon_rating_bradley_terry, pointer(wins), n, ctypes.c_double(sd), pointer(rating),
         pointer(se), pointer(covariance))

    def cost(r):
        return np.sum(wins * np.logaddexp(0, -k * (r[:, None] - r[None]))) + r @ r / (2 * sd * sd)

    def slope(r):
        expected = 1 / (1 + np.exp(-k * (r[:, None] - r[None])))
        return k * ((wins + wins.T) * expected - wins).sum(1) + r / sd**2

    found = minimize(cost, np.zeros(n), jac=slope, method="BFGS", options={"gtol": 1e-9})
    compare("rating", rating, found.x, 1e-3)
    compare("rating slope", slope(rating), 0, 1e-12)
    e = 1 / (1 + np.exp(-k * (rating[:, None] - rating[None])))
    weight = k * k * (wins + wins.T) * e * (1 - e)
    inverse = np.linalg.inv(np.diag(weight.sum(1)) - weight + np.eye(n) / sd**2)
    compare("rating covariance", covariance / inverse.max(), inverse / inverse.max(), 1e-9)
    compare("rating error", se, np.sqrt(np.diag(inverse)), 1e-6)


def main():
    lib = build("agon_payoff_cyclic_fraction", "agon_payoff_effective_diversity",
                "agon_payoff_entropy", "agon_rating_expected")
    for seed in range(POPULATIONS):
        rng = np.random.default_rng(seed)
        check_diversity(lib, rng)
        m = random_payoff(rng)
        check_nash(lib, m, rng)
        check_cyclic(lib, m, rng)
        check_rating(lib, rng)
    report()
    print(f"passed: {POPULATIONS} random populations")


if __name__ == "__main__":
    main()
