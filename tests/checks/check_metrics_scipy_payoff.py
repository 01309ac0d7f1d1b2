#!/usr/bin/python3
"""Who beats whom: the functions of engine/metrics against numpy and scipy on random pay-offs.

Guards: equilibria, layers, cycles, hulls, evolution compute what their headers say, by linear
programs, least squares and eigenvalues that share no code with them. Skipped (77) where numpy and
scipy are not installed.
"""
import ctypes
import sys

try:
    import numpy as np
    from scipy.optimize import linprog, lsq_linear, nnls
    from scipy.sparse.csgraph import connected_components
    from scipy.special import xlogy
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

from metrics_library import build, call, cases, compare, doubles, key, pointer, real, report

MatrixGame = doubles("value", "residual")
JointPolicy = doubles("diagonal", "other", "loss")
SUPPORT = 1e-6  # what has more mass is in the support, as the headers say


class CyclicNull(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in ("mean", "low", "high", "noise_share")]
    _fields_ += [("exceeds", ctypes.c_int)]


class Hodge(ctypes.Structure):
    NAMES = ("total", "transitive", "cyclic", "fraction", "noise_total", "noise_cyclic", "debiased")
    _fields_ = [(name, ctypes.c_double) for name in NAMES] + [("components", ctypes.c_int)]


class AlphaRank(ctypes.Structure):
    _fields_ = [("model", ctypes.c_int), ("alpha", ctypes.c_double), ("size", ctypes.c_int),
                ("sum", ctypes.c_double), ("eps", ctypes.c_double)]


def random_payoff(rng, most=15):
    """Antisymmetric; half of them wins, draws and losses, with many ties."""
    n = int(rng.integers(2, most))
    m = rng.normal(size=(n, n)) if rng.random() < 0.5 else rng.integers(-1, 2, (n, n)) * 1.0
    return np.ascontiguousarray(np.triu(m, 1) - np.triu(m, 1).T)


# ---- equilibria ----


def value_of(a):
    """Of a game, by a linear program; HiGHS stops within 1e-7, so 1e-8 is asked of values."""
    rows, cols = a.shape
    found = linprog(np.append(np.zeros(rows), -1), A_ub=np.hstack([-a.T, np.ones((cols, 1))]),
                    b_ub=np.zeros(cols), A_eq=[np.append(np.ones(rows), 0)], b_eq=[1],
                    bounds=[(0, None)] * rows + [(None, None)])
    return -found.fun


def check_most_entropy(what, a, value, p, q):
    """Certifies that p has the most entropy of all mixtures of rows that are sure of `value`.

    q is the columns' own. Nobody does better against p; no mixture that is sure of the value (an
    LP, 1e-7) holds a row that p leaves out and that is worth the value against q; on the support
    -ln p is a combination of the columns that hold p down to the value (with weights >= 0 for
    those that q leaves out) and of sum p = 1: the maximum of the entropy (1e-6: masses of 1e-4 have
    errors near 1e-10, so much of their logarithms).
    """
    rows, cols = a.shape
    gets, allows = p @ a, a @ q
    compare(f"{what} gain", max(value - gets.min(), 0), 0, 1e-9)
    support = p > SUPPORT
    most = [-linprog(-np.eye(rows)[i], A_ub=-a.T, b_ub=np.full(cols, -value + 1e-9),
                     A_eq=[np.ones(rows)], b_eq=[1]).fun
            for i in np.flatnonzero(~support & (allows > value - 1e-5))]
    compare(f"{what} support", max(most, default=0), 0, 1e-6)
    active = np.flatnonzero((q > SUPPORT) | (gets < value + 1e-5))
    constraints = np.vstack([-a.T[active][:, support], np.ones(support.sum())]).T
    low = np.append(np.where(q[active] > SUPPORT, -np.inf, 0), -np.inf)
    fit = lsq_linear(constraints, -np.log(p[support]), (low, np.inf), tol=1e-14).x
    compare(f"{what} entropy", constraints @ fit, -np.log(p[support]), 1e-6)


def check_nash(lib, m):
    n = len(m)
    p, residual = np.empty(n), ctypes.c_double()
    call(lib.agon_payoff_nash, pointer(m), n, pointer(p), ctypes.byref(residual))
    gain = m @ p
    compare("nash residual", residual.value, gain.max(), 1e-12)
    check_most_entropy("nash", m, 0, p, p)
    compare("nash value", (-gain).min(), value_of(m), 1e-8)
    ours = lib.agon_payoff_entropy(pointer(p), n)
    compare("entropy of nash", ours, -np.sum(xlogy(p, p)), 1e-12)
    ours = lib.agon_payoff_effective_diversity(pointer(m), pointer(p), n)
    compare("effective diversity", ours, p @ np.maximum(m, 0) @ p, 1e-12)


def check_matrix_game(lib, rng):
    rows, cols = (int(rng.integers(1, 10)) for _ in range(2))
    a = rng.normal(size=(rows, cols)) + 2
    a = np.ascontiguousarray(a if rng.random() < 0.5 else np.round(a))
    x, y, game = np.empty(rows), np.empty(cols), MatrixGame()
    call(lib.agon_matrix_game_solve, pointer(a), rows, cols, pointer(x), pointer(y),
         ctypes.byref(game))
    value, residual = value_of(a), (a @ y).max() - (x @ a).min()
    compare("game value", game.value, value, 1e-8)
    compare("game residual", game.residual, max(residual, 0), 1e-12)
    check_most_entropy("game rows", a, value, x, y)
    check_most_entropy("game columns", np.ascontiguousarray(-a.T), -value, y, x)

    m = random_payoff(rng)
    n = len(m)
    groups = [rng.integers(0, n, int(rng.integers(1, 6))).astype(np.int32) for _ in range(2)]
    ours = real(lib.agon_payoff_relative, pointer(m), n, pointer(groups[0]), len(groups[0]),
                pointer(groups[1]), len(groups[1]))
    compare("relative performance", ours, value_of(m[np.ix_(*groups)]), 1e-8)


def in_some_equilibrium(m):
    """Who can have mass in an equilibrium of the symmetric game, by a linear program each."""
    n = len(m)
    most = [-linprog(-np.eye(n)[i], A_ub=m, b_ub=np.zeros(n), A_eq=[np.ones(n)], b_eq=[1]).fun
            for i in range(n)]
    return np.array(most) > 1e-4


def check_clusters(lib, rng):
    m = random_payoff(rng, 9)
    n = len(m)
    level, mass, levels = np.empty(n, np.int32), np.empty(n), ctypes.c_int()
    call(lib.agon_nash_clusters, pointer(m), n, pointer(level), pointer(mass), ctypes.byref(levels))
    left, theirs, depth = np.arange(n), np.empty(n), 0
    while len(left):
        best = in_some_equilibrium(m[np.ix_(left, left)])
        theirs[left[best]] = depth
        own = np.ascontiguousarray(m[np.ix_(left, left)])
        p, residual = np.empty(len(left)), ctypes.c_double()
        call(lib.agon_payoff_nash, pointer(own), len(left), pointer(p), ctypes.byref(residual))
        compare("mass in layer", mass[left[best]], p[best] / p[best].sum(), 1e-6)
        left, depth = left[~best], depth + 1
    compare("nash layers", level, theirs, 0)
    compare("number of layers", levels.value, depth, 0)


# ---- cycles ----


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
    null = CyclicNull()
    call(lib.agon_payoff_cyclic_null, pointer(m), pointer(se), n, 2000, key(5, 6),
         ctypes.byref(null))
    t = f[:, None] - f[None]
    own, noise = np.sum(t**2), 0.09 * n * (n - 1)
    t = t * np.sqrt(max(own - 2 * noise / n, 0) / own) if own > 0 else t
    draws = []
    for _ in range(2000):
        e = np.triu(rng.normal(scale=0.3, size=(n, n)), 1)
        draws.append(cyclic_fraction(t + e - e.T))
    # Six standard errors of the mean, and of how many are below a quantile.
    compare("null mean", null.mean, np.mean(draws), 6 * np.std(draws) / np.sqrt(2000) + 1e-12)
    below = [np.mean(np.array(draws) <= limit) for limit in (null.low, null.high)]
    if n == 2:  # no cycles, ever
        below = [0.025 + null.low, 0.975 + null.high]
    compare("null quantiles", below, [0.025, 0.975], 0.03)
    triples = ctypes.c_double()
    beats = (m > 0) * 1.0
    ours = lib.agon_hodge_three_cycles(pointer(m), n, ctypes.byref(triples))
    compare("three cycles", [ours, triples.value],
            [np.trace(beats @ beats @ beats) / 3, n * (n - 1) * (n - 2) / 6], 1e-9)


def check_hodge(lib, rng):
    m = random_payoff(rng, 9)
    n = len(m)
    met = np.triu(rng.random((n, n)) < rng.choice([0.3, 0.9]), 1)
    weight, se = (met * rng.uniform(0.1, 5, (n, n)), rng.uniform(0, 0.3, (n, n)))
    weight, m = weight + weight.T, np.where(met | met.T, m, np.nan)
    f, component, out = np.empty(n), np.empty(n, np.int32), Hodge()
    call(lib.agon_hodge_rank, pointer(m), pointer(weight), pointer(se), n, pointer(f),
         pointer(component), ctypes.byref(out))
    i, j = np.nonzero(met)
    root = np.sqrt(weight[i, j])
    design = root[:, None] * (np.eye(n)[i] - np.eye(n)[j])
    # Of all least squares lstsq returns the shortest, which adds up to 0 within each component.
    theirs = np.linalg.lstsq(design, root * m[i, j], rcond=None)[0] if len(i) else np.zeros(n)
    compare("hodge strength", f, theirs, 1e-9)
    count, label = connected_components(met, directed=False)
    compare("hodge components", np.append(component, out.components), np.append(label, count), 0)
    total = np.sum(weight[i, j] * m[i, j] ** 2)
    cyclic = np.sum((design @ theirs - root * m[i, j]) ** 2)
    own = (root * se[i, j]) ** 2
    left = own @ (1 - np.diag(design @ np.linalg.pinv(design)))
    signal = total - own.sum()
    debiased = np.clip((cyclic - left) / signal, 0, 1) if signal > 0 else np.nan
    ours = [getattr(out, name) for name in Hodge.NAMES]
    compare("hodge energies", ours, [total, total - cyclic, cyclic, cyclic / total if total else 0,
                                     own.sum(), left, debiased], 1e-9)
    wins = rng.integers(0, 5, (n, n)) * 0.5
    logit, error = np.empty((n, n)), np.empty((n, n))
    call(lib.agon_hodge_logits, pointer(wins), n, pointer(logit), pointer(error))
    theirs = np.log((wins + 0.5) / (wins.T + 0.5))
    never = (wins + wins.T == 0) & ~np.eye(n, dtype=bool)
    compare("hodge logits", logit, np.where(never, np.nan, theirs), 1e-12)
    theirs = np.where(np.eye(n, dtype=bool), error, np.sqrt(1 / (wins + 0.5) + 1 / (wins.T + 0.5)))
    compare("hodge logit errors", np.where(never, 0, error), np.where(never, 0, theirs), 1e-12)


def check_planes(lib, rng):
    """mElo's planes: eigenvalues +-i omega, and truncated sums of planes, as numpy has them."""
    m = random_payoff(rng)
    n = len(m)
    strength, rest = np.empty(n), np.empty((n, n))
    call(lib.agon_cycle_rest, pointer(m), n, pointer(strength), pointer(rest))
    f = m.mean(1)
    compare("cycle rest", rest, m - (f[:, None] - f[None]), 1e-12)
    a, omega, point = rest, np.empty(n // 2), np.empty((n // 2, n, 2))
    call(lib.agon_cycle_planes, pointer(a), n, n // 2, pointer(omega), pointer(point))
    values = np.sort(np.linalg.eigvals(a).imag)[::-1][:n // 2]
    compare("plane strengths", omega, values, 1e-12)
    u, s, v = np.linalg.svd(a)
    sums, x, y = np.zeros((n, n)), point[:, :, 0], point[:, :, 1]
    for k in range(n // 2):
        sums += np.outer(x[k], y[k]) - np.outer(y[k], x[k])
        if k + 1 == n // 2 or omega[k] - omega[k + 1] > 1e-3:  # else planes mix
            compare("planes", sums, u[:, :2 * k + 2] * s[:2 * k + 2] @ v[:2 * k + 2], 1e-9)
        if omega[k] > 1e-9:
            far = np.hypot(x[k], y[k])
            first = np.argmax(far > far.max() * (1 - 1e-9))
            compare("turn of a plane", [x[k, first], y[k, first]], [far[first], 0], 1e-9)
    wins = rng.integers(0, 9, (n, n)) * 1.0
    np.fill_diagonal(wins, 0)
    call(lib.agon_cycle_logits, pointer(wins), n, pointer(rest))
    compare("cycle logits", rest, np.log((wins + 0.5) / (wins.T + 0.5)), 1e-12)


# ---- hulls and dimensions ----


def check_hull(lib, rng):
    """min |Z'a| over a >= 0 with sum 1 is that of |Z'a|^2 + (1 - sum a)^2 up to scale: nnls."""
    count, width = int(rng.integers(1, 12)), int(rng.integers(1, 8))
    points, x = rng.normal(size=(count, width)), rng.normal(size=width) * rng.choice([0.1, 1, 3])
    points[-1] = points[0]
    squared, weight = ctypes.c_double(), np.empty(count)
    call(lib.agon_hull_distance, pointer(points), count, width, pointer(x), ctypes.byref(squared),
         pointer(weight))
    share = nnls(np.vstack([(points - x).T, np.ones(count)]), np.append(np.zeros(width), 1))[0]
    theirs = np.sum((share / share.sum() @ (points - x)) ** 2)
    compare("hull distance", squared.value, theirs, 1e-10)
    nearest = weight @ points
    compare("hull weights", [weight.sum(), min(weight.min(), 0), np.sum((nearest - x) ** 2)],
            [1, 0, squared.value], 1e-10)
    compare("hull certificate", max(((points - nearest) @ (x - nearest)).max(), 0), 0, 1e-10)


def check_gamescape(lib, rng):
    rows, cols = (int(rng.integers(1, 9)) for _ in range(2))
    a, x = np.clip(rng.normal(size=(rows, cols)), -1, 1), rng.uniform(-1, 1, cols)
    if rng.random() < 0.3:
        a[-1] = a[0]
    a = np.ascontiguousarray(a)
    for per_opponent in (0, 1):
        kernel = a @ a.T / (cols if per_opponent else 1)
        ours = real(lib.agon_gamescape_cardinality, pointer(a), rows, cols, per_opponent)
        theirs = rows - np.trace(np.linalg.inv(kernel + np.eye(rows)))
        compare("cardinality", ours, theirs, 1e-12)
    ours = real(lib.agon_gamescape_response_bound, pointer(a), rows, cols, pointer(x))
    inverse = np.linalg.pinv(a.T, rcond=1e-6) @ x
    s = np.append(np.linalg.svd(a)[1], np.zeros(max(rows - cols, 0)))
    least = s.min() if s.min() > 1e-6 * s.max() else 0
    theirs = least**2 / rows * (1 - inverse.sum()) ** 2 + np.sum((x - a.T @ inverse) ** 2)
    compare("response bound", ours, theirs, 1e-9)


# ---- others ----


def check_alpha_rank(lib, rng):
    """The chain by its formulas, its stationary distribution by a linear system."""
    n, size, alpha = int(rng.integers(2, 9)), int(rng.integers(2, 20)), rng.choice([0.1, 1, 3])
    for model in range(4):
        m = rng.uniform(-1, 1, (n, n))
        m = np.ascontiguousarray(np.triu(m) - np.triu(m).T + 0.5 if model == 0 else m)
        p, chain, options = np.empty(n), np.empty((n, n)), AlphaRank(model, alpha, size, 1, 0.01)
        call(lib.agon_alpha_rank, pointer(m), n, ctypes.byref(options), pointer(p), pointer(chain))
        theirs = np.array([[fixation(m, r, s, model, alpha, size) for r in range(n)]
                           for s in range(n)]) / (n - 1)
        np.fill_diagonal(theirs, 0)
        theirs += np.diag(1 - theirs.sum(1))
        compare("alpha rank chain", chain, theirs, 1e-12)
        system = np.vstack([theirs.T - np.eye(n), np.ones(n)])
        stationary = np.linalg.lstsq(system, np.append(np.zeros(n), 1), rcond=None)[0]
        compare("alpha rank", p, stationary, 1e-9)
        compare("alpha rank balance", p @ theirs, p, 1e-12)


def fixation(m, r, s, model, alpha, size):
    if model == 3:
        return 0.99 if m[r, s] > m[s, r] else 0.01 if m[r, s] < m[s, r] else 0.5
    if model == 1:
        k = np.arange(1, size)
        f_r = ((k - 1) * m[r, r] + (size - k) * m[r, s]) / (size - 1)
        f_s = ((size - k - 1) * m[s, s] + k * m[s, r]) / (size - 1)
        return 1 / (1 + np.exp(np.cumsum(-alpha * (f_r - f_s))).sum())
    u = alpha * (size / (size - 1) * (m[r, s] - 0.5) if model == 0 else m[r, s] - m[s, r])
    return np.expm1(-u) / np.expm1(-size * u) if u else 1 / size


def check_joint_policy(lib, rng):
    n = int(rng.integers(2, 9))
    m = np.where(rng.random((n, n)) < 0.2, np.nan, rng.random((n, n)))
    out, own = JointPolicy(), np.eye(n, dtype=bool)
    m[0, 0] = m[0, 1] = 0.5
    call(lib.agon_correlation_joint_policy, pointer(m), n, -0.2, ctypes.byref(out))
    diagonal, other = np.nanmean(m[own]), np.nanmean(m[~own])
    compare("joint policy correlation", out.values(),
            [diagonal, other, (diagonal - other) / (diagonal + 0.2)], 1e-12)


def main():
    lib = build()
    for rng in cases():
        m = random_payoff(rng)
        check_nash(lib, m)
        check_matrix_game(lib, rng)
        check_clusters(lib, rng)
        check_cyclic(lib, m, rng)
        check_hodge(lib, rng)
        check_planes(lib, rng)
        check_hull(lib, rng)
        check_gamescape(lib, rng)
        check_alpha_rank(lib, rng)
        check_joint_policy(lib, rng)
    report()


if __name__ == "__main__":
    main()
