#!/usr/bin/python3
"""The pay-off metrics of engine/ against scipy and OpenSpiel, on 120 random populations.

Guards: games of two sides, distances to hulls, HodgeRank, expected cardinality and alpha-Rank compute
what their headers say, by solvers that share no code with them. Nash averaging is compared where cvxpy
is installed. Skipped (77) where numpy, scipy or OpenSpiel are not.
"""
import ctypes
import sys
import types

try:
    import numpy as np
    from scipy.optimize import linprog, nnls
    # Of the pictures, which need matplotlib, nothing is used.
    PICTURES = "open_spiel.python.egt.alpharank_visualizer"
    sys.modules[PICTURES] = types.ModuleType(PICTURES)
    from open_spiel.python.egt import alpharank
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
try:
    import pyspiel
    from open_spiel.python.algorithms.nash_averaging import nash_averaging
except ImportError:
    nash_averaging = None

from metrics_library import build, call, compare, pointer, real, report

POPULATIONS = 120
CONSTANT_SUM, GENERAL_SUM, LOCAL, INFINITE = range(4)


class MatrixGame(ctypes.Structure):
    _fields_ = [("value", ctypes.c_double), ("residual", ctypes.c_double)]


class AlphaRankOptions(ctypes.Structure):
    _fields_ = [("model", ctypes.c_int), ("alpha", ctypes.c_double), ("size", ctypes.c_int),
                ("sum", ctypes.c_double), ("eps", ctypes.c_double)]


class Hodge(ctypes.Structure):
    _fields_ = [(field, ctypes.c_double) for field in
                ("total", "transitive", "cyclic", "fraction", "noise_total", "noise_cyclic", "debiased")]
    _fields_ += [("components", ctypes.c_int)]


def table(rng, rows, cols):
    """Any numbers, or round ones with ties."""
    a = rng.uniform(-1, 1, (rows, cols))
    return np.ascontiguousarray(np.round(3 * a) / 3 if rng.random() < 0.3 else a)


def antisymmetric(rng, n):
    a = table(rng, n, n)
    return np.ascontiguousarray(np.triu(a, 1) - np.triu(a, 1).T)


def check_matrix_game(lib, rng):
    rows, cols = rng.integers(1, 15, 2)
    a = table(rng, rows, cols)
    game, x = MatrixGame(), np.zeros(rows)
    call(lib.agon_matrix_game_solve, pointer(a), int(rows), int(cols), pointer(x), None, ctypes.byref(game))
    lp = linprog(np.r_[np.zeros(rows), -1], A_ub=np.c_[-a.T, np.ones(cols)], b_ub=np.zeros(cols),
                 A_eq=[np.r_[np.ones(rows), 0]], b_eq=[1], bounds=[(0, None)] * rows + [(None, None)])
    compare("value of a game", game.value, -lp.fun, 1e-8)
    compare("worst case of the mixture", (x @ a).min(), -lp.fun, 1e-7)


def check_cloud(lib, rng):
    count, width = rng.integers(1, 12, 2)
    a, x = table(rng, count, width), rng.uniform(-1, 1, width)
    squared = real(lambda *rest: lib.agon_hull_distance(*rest, None), pointer(a), int(count), int(width),
                   pointer(x))
    heavy = 1e4  # holds the weights to a sum of 1
    weights, _ = nnls(np.vstack([a.T, heavy * np.ones(count)]), np.r_[x, heavy])
    compare("squared distance to a hull", squared, np.sum((weights / weights.sum() @ a - x)**2), 1e-6)
    eigenvalues = np.linalg.eigvalsh(a @ a.T)
    compare("expected cardinality",
            real(lib.agon_gamescape_cardinality, pointer(a), int(count), int(width), 0),
            np.sum(eigenvalues / (1 + eigenvalues)), 1e-10)
    bound = real(lib.agon_gamescape_response_bound, pointer(a), int(count), int(width), pointer(x))
    b, inverse = a.T, np.linalg.pinv(a.T)
    smallest = np.linalg.svd(b)[1].min() if count <= width else 0
    compare("response bound", bound, smallest**2 / count * (1 - np.sum(inverse @ x))**2
            + np.sum((x - b @ inverse @ x)**2), 1e-7)


def check_hodge(lib, rng):
    n = int(rng.integers(2, 12))
    m, weight = antisymmetric(rng, n), rng.uniform(0.1, 3, (n, n)) * (rng.random((n, n)) < 0.7)
    weight = np.ascontiguousarray(np.triu(weight, 1) + np.triu(weight, 1).T)
    out, f = Hodge(), np.zeros(n)
    call(lib.agon_hodge_rank, pointer(m), pointer(weight), None, n, pointer(f), None, ctypes.byref(out))
    pairs = [(i, j) for i in range(n) for j in range(i) if weight[i, j] > 0]
    if not pairs:
        return
    incidence = np.zeros((len(pairs), n))
    for k, (i, j) in enumerate(pairs):
        incidence[k, i], incidence[k, j] = 1, -1
    root = np.sqrt([weight[p] for p in pairs])
    values = root * [m[p] for p in pairs]
    best = np.linalg.lstsq(root[:, None] * incidence, values, rcond=None)[0]
    compare("strengths", f, best, 1e-9)
    rest = np.sum((values - root * (incidence @ best))**2)
    compare("cyclic fraction", out.fraction, rest / np.sum(values**2) if values.any() else 0, 1e-10)


def rank(lib, m, model, alpha, size):
    p, n = np.zeros(len(m)), len(m)
    options = AlphaRankOptions(model, alpha, size, 0, 0.02)
    call(lib.agon_alpha_rank, pointer(m), n, ctypes.byref(options), pointer(p), None)
    return p


def check_alpha_rank(lib, rng):
    n, size = int(rng.integers(2, 9)), int(rng.integers(2, 20))
    alpha = float(np.exp(rng.uniform(-3, 0)))  # beyond, OpenSpiel finds several stationary distributions
    m, general = antisymmetric(rng, n), table(rng, n, n)
    finite = {"m": size, "alpha": alpha}
    theirs = {
        CONSTANT_SUM: alpharank.compute([m], use_local_selection_model=False, **finite)[2],
        GENERAL_SUM: alpharank.compute([general], use_local_selection_model=False, **finite)[2],
        LOCAL: alpharank.compute([general], use_local_selection_model=True, **finite)[2],
        INFINITE: alpharank.compute([m], use_inf_alpha=True, inf_alpha_eps=0.02)[2],
    }
    for model, title in ((CONSTANT_SUM, "constant sum"), (GENERAL_SUM, "general sum"), (LOCAL, "local"),
                         (INFINITE, "infinite alpha")):
        ours = rank(lib, m if model in (CONSTANT_SUM, INFINITE) else general, model, alpha, size)
        compare(f"alpha-Rank, {title}", ours, theirs[model], 1e-7)


def check_nash_averaging(lib, rng):
    n = int(rng.integers(2, 9))
    m, p, residual = antisymmetric(rng, n), np.zeros(n), ctypes.c_double()
    call(lib.agon_payoff_nash, pointer(m), n, pointer(p), ctypes.byref(residual))
    theirs, skill = nash_averaging(pyspiel.create_matrix_game(m, -m))
    compare("Nash averaging", p, theirs.reshape(-1), 1e-3)
    compare("Nash averaging, skill", m @ p, skill.reshape(-1), 1e-3)


def main():
    lib = build()
    rng = np.random.default_rng(4)
    for _ in range(POPULATIONS):
        check_matrix_game(lib, rng)
        check_cloud(lib, rng)
        check_hodge(lib, rng)
        check_alpha_rank(lib, rng)
        if nash_averaging:
            check_nash_averaging(lib, rng)
    report()
    print(f"passed: {POPULATIONS} random populations" + ("" if nash_averaging else "; cvxpy is missing"))


main()
