#!/usr/bin/python3
"""What several runs say: the functions of engine/metrics against numpy and scipy.

Guards: the normal distribution, tests, intervals, effects and generalization compute what their
headers say, by functions of scipy and formulas that share no code with them. Skipped (77) where
numpy and scipy are not installed.
"""
import ctypes
import sys

try:
    import numpy as np
    from scipy import special, stats
    from scipy.spatial.distance import jensenshannon
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

from metrics_library import (behaviour, build, call, cases, compare, doubles, key, pointer,
                             random_behaviour, real, report)

Interval = doubles("mean", "error", "low", "high")
Effect = doubles("difference", "superiority", "cliff", "cohen", "hedges")
Symmetry = doubles("soft", "greedy", "ties")
Jaggedness = doubles("gini", "worst")


class Permutation(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in ("statistic", "p", "tried")]
    _fields_ += [("exact", ctypes.c_int)]


class Scores(ctypes.Structure):
    _fields_ = [("strata", ctypes.c_int), ("runs", ctypes.c_void_p), ("score", ctypes.c_void_p)]


class Comparison(ctypes.Structure):
    _fields_ = [("agents", ctypes.c_int)]
    _fields_ += [(name, ctypes.c_double) for name in ("first", "second", "ratio")]
    _fields_ += [("difference", Interval)]


# ---- the normal distribution ----


def check_normal(lib, rng):
    """Relative errors; scipy's own are a few 1e-15, and it loses x^2 1e-16 far from 0 as well."""
    for x in np.append(rng.normal(scale=3, size=20), rng.uniform(-25, 25, 20)):
        theirs = {"erfc": special.erfc(x), "erfcx": special.erfcx(x),
                  "density": np.exp(-x * x / 2) / np.sqrt(2 * np.pi), "cdf": special.ndtr(x),
                  "hazard": np.sqrt(2 / np.pi) / special.erfcx(-x / np.sqrt(2))}
        for name, value in theirs.items():
            ours = getattr(lib, f"agon_normal_{name}")(x)
            compare(f"normal {name}", ours / value if value else ours, 1 if value else 0, 1e-12)
    for p in np.append(rng.random(10), np.exp(-rng.uniform(0, 600, 10))):
        ours, theirs = lib.agon_normal_quantile(p), special.ndtri(p)
        compare("normal quantile", ours, theirs, 1e-12 * max(1, abs(theirs)))


# ---- runs ----


def check_tests(lib, rng):
    n, m = (int(rng.integers(2, 6)) for _ in range(2))
    u, v = rng.normal(size=n), rng.normal(size=m) + 0.5
    if rng.random() < 0.3:
        u, v = np.round(u * 2), np.round(v * 2)

    def difference(x, y, axis):
        return np.abs(np.mean(x, axis=axis) - np.mean(y, axis=axis))

    def student(x, y, axis):
        """Values that do not vary: infinite where means differ, 0 where they do not."""
        error = np.sqrt(sum(np.var(z, axis=axis, ddof=1) / z.shape[axis] for z in (x, y)))
        apart = difference(x, y, axis)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.where(error > 1e-9, apart / error, np.where(apart > 1e-9, np.inf, 0))
        return np.minimum(t, 1e9)

    out = Permutation()
    for kind, (name, statistic) in enumerate({"means": difference, "student": student}.items()):
        call(lib.agon_permutation_groups, pointer(u), n, pointer(v), m, kind, 1, key(1, 2),
             ctypes.byref(out))
        theirs = stats.permutation_test((u, v), statistic, vectorized=True, alternative="greater",
                                        n_resamples=np.inf)
        ours = [min(abs(out.statistic), 1e9), out.p, out.tried, out.exact]
        compare(f"permutation of {name}", ours,
                [theirs.statistic, theirs.pvalue, special.comb(n + m, n), 1], 1e-9)
    call(lib.agon_permutation_pairs, pointer(u), n, 1, key(1, 2), ctypes.byref(out))
    theirs = stats.permutation_test((u, 0 * u), difference, vectorized=True,
                                    permutation_type="samples", alternative="greater",
                                    n_resamples=np.inf)
    compare("permutation of pairs", [abs(out.statistic), out.p], [theirs.statistic, theirs.pvalue],
            1e-9)

    p = rng.random(int(rng.integers(1, 9))) ** 3
    adjusted = np.empty_like(p)
    call(lib.agon_inference_holm, pointer(p), len(p), pointer(adjusted))
    theirs = [max(min(1, (p >= x).sum() * x) for x in p[p <= own]) for own in p]
    compare("holm", adjusted, theirs, 1e-12)

    effect = Effect()
    call(lib.agon_effect_size, pointer(u), n, pointer(v), m, ctypes.byref(effect))
    superior = stats.mannwhitneyu(u, v).statistic / (n * m)
    pooled = np.sqrt(((n - 1) * u.var(ddof=1) + (m - 1) * v.var(ddof=1)) / (n + m - 2))
    apart = u.mean() - v.mean()
    d = apart / pooled if pooled > 0 else np.sign(apart) * np.inf if apart else np.nan
    compare("effect sizes", effect.values(),
            [apart, superior, 2 * superior - 1, d, d * (1 - 3 / (4 * (n + m - 2) - 1))], 1e-9)


def check_summaries(lib, rng):
    n = int(rng.integers(1, 30))
    values, q = rng.normal(size=n) * 10, float(rng.random())
    ours = lib.agon_summary_quantile(pointer(np.sort(values)), n, q)
    compare("quantile", ours, np.quantile(values, q), 1e-12)
    compare("median", lib.agon_summary_median(pointer(values.copy()), n), np.median(values), 1e-12)
    error = stats.sem(values) if n > 1 else np.nan
    compare("mean and error", [lib.agon_summary_mean(pointer(values), n),
                               lib.agon_summary_error(pointer(values), n)],
            [values.mean(), error], 1e-12)
    scores, mean, error = rng.integers(0, 3, n + 1) / 2, ctypes.c_double(), ctypes.c_double()
    lib.agon_score_se(n + 1, scores.sum(), (scores**2).sum(), ctypes.byref(mean),
                      ctypes.byref(error))
    compare("score", [mean.value, error.value], [scores.mean(), stats.sem(scores)], 1e-9)
    ours = real(lib.agon_inference_iqm, pointer(values), n)
    compare("interquartile mean", ours, stats.trim_mean(values, 0.25), 1e-12)

    runs = rng.integers(1, 6, (2, 3)).astype(np.int32)
    x, y = (np.round(rng.normal(size=count.sum()), 1) for count in runs)
    xs, ys = (Scores(3, runs[k].ctypes.data, z.ctypes.data) for k, z in enumerate((x, y)))
    out = Interval()
    call(lib.agon_inference_improvement, ctypes.byref(xs), ctypes.byref(ys), 2, key(1, 2),
         ctypes.byref(out))
    parts = [np.split(z, np.cumsum(runs[k])[:-1]) for k, z in enumerate((x, y))]
    theirs = np.mean([stats.mannwhitneyu(a, b).statistic / (len(a) * len(b))
                      for a, b in zip(*parts)])
    compare("probability of improvement", out.mean, theirs, 1e-12)


def check_bootstrap(lib, rng):
    """2,000 resamples against 5,000: how many of these are below the limits of those, within six
    standard errors of the difference."""
    values, out = rng.exponential(size=int(rng.integers(8, 20))), Interval()
    n = len(values)
    call(lib.agon_summary_bootstrap, pointer(values), n, 2000, key(3, 4), ctypes.byref(out))
    means = rng.choice(values, (5000, n)).mean(1)
    compare("bootstrap error", out.error / means.std(), 1, 0.12)
    compare("bootstrap limits", [np.mean(means <= out.low), np.mean(means <= out.high)],
            [0.025, 0.975], 0.025)
    runs = np.array([n, n], np.int32)
    both = np.append(values, 3 + rng.normal(size=n))
    scores = Scores(2, runs.ctypes.data, both.ctypes.data)
    call(lib.agon_inference_iqm_bootstrap, ctypes.byref(scores), 2000, key(3, 4), ctypes.byref(out))
    drawn = np.hstack([rng.choice(part, (5000, n)) for part in np.split(both, 2)])
    drawn = stats.trim_mean(drawn, 0.25, axis=1)
    compare("bootstrap iqm", out.mean, stats.trim_mean(both, 0.25), 1e-12)
    compare("bootstrap iqm limits", [np.mean(drawn <= out.low), np.mean(drawn <= out.high)],
            [0.025, 0.975], 0.025)


# ---- generalization ----


def check_generalization(lib, rng):
    p, weight = random_behaviour(rng, 5)
    agents, states, actions = p.shape
    image = np.stack([p[:, :, rng.permutation(actions)] for _ in range(3)], axis=1)
    image = np.ascontiguousarray(image)
    out = (Symmetry * agents)()
    call(lib.agon_generalization_symmetry, behaviour(p, weight), pointer(image), 3, out)
    with np.errstate(invalid="ignore"):
        soft = np.nan_to_num(jensenshannon(p[:, None].astype(float), image.astype(float), axis=3))
    tops = [z == z.max(-1, keepdims=True) for z in (p[:, None], image)]
    tied = (tops[0].sum(3) > 1) | (tops[1].sum(3) > 1)
    differ = (tops[0] != tops[1]).any(3)
    theirs = [(z * weight).sum(2).mean(1) for z in (soft**2 / np.log(2), differ, tied)]
    compare("symmetry", [o.values() for o in out], np.transpose(theirs), 1e-12)

    errors, unevenness = rng.random(int(rng.integers(1, 25))) ** 2, Jaggedness()
    n = len(errors)
    call(lib.agon_generalization_jaggedness, pointer(errors), n, ctypes.byref(unevenness))
    gini = np.abs(errors[:, None] - errors[None]).mean() / 2 / errors.mean()
    success = np.sort(1 - errors)
    worst = 1 - success[:-(-n // 10)].mean() / success.mean()
    compare("jaggedness", unevenness.values(), [gini, worst], 1e-12)

    failure, stratum = rng.random((agents, states)), rng.integers(0, 3, states).astype(np.int32)
    ours = np.empty((agents, 3))
    lib.agon_generalization_strata(pointer(failure), pointer(weight), pointer(stratum), agents,
                                   states, 3, pointer(ours))
    theirs = [np.average(failure[:, stratum == k], axis=1, weights=weight[stratum == k])
              if (stratum == k).any() else np.full(agents, np.nan) for k in range(3)]
    compare("strata", ours, np.transpose(theirs), 1e-12)
    check_learning(lib, rng)
    check_comparison(lib, rng)


def check_learning(lib, rng):
    points = int(rng.integers(2, 12))
    steps = np.cumsum(rng.uniform(1, 1000, points))
    strength, bar = rng.random(points), rng.random(4)
    reached, area = np.empty(4), ctypes.c_double()
    call(lib.agon_generalization_learning, pointer(steps), pointer(strength), points, pointer(bar),
         4, pointer(reached), ctypes.byref(area))
    log = np.log10(steps)
    compare("learning area", area.value, np.trapezoid(strength, log) / (log[-1] - log[0])
            if hasattr(np, "trapezoid") else np.trapz(strength, log) / (log[-1] - log[0]), 1e-12)
    for ours, height in zip(reached, bar):
        best = np.maximum.accumulate(strength)
        k = np.searchsorted(best, height)
        if k == points:
            theirs = np.nan
        elif k == 0:
            theirs = steps[0]
        else:  # from a point below the bar to the first one above it
            theirs = 10 ** np.interp(height, strength[k - 1:k + 1], log[k - 1:k + 1])
        compare("learning reached", ours / steps[-1], theirs / steps[-1], 1e-12)


def check_comparison(lib, rng):
    n, out = int(rng.integers(2, 12)), Comparison()
    first, second = rng.random((2, n))
    second[rng.random(n) < 0.2] = first[0] = np.nan
    call(lib.agon_generalization_compare, pointer(first), pointer(second), n, 2, key(1, 2),
         ctypes.byref(out))
    there = ~np.isnan(first) & ~np.isnan(second)
    x, y = (z[there].mean() if there.any() else np.nan for z in (first, second))
    compare("comparison", [out.agents, out.first, out.second, out.ratio, out.difference.mean],
            [there.sum(), x, y, x / y, x - y], 1e-12)


def main():
    lib = build()
    for rng in cases():
        check_normal(lib, rng)
        check_tests(lib, rng)
        check_summaries(lib, rng)
        check_bootstrap(lib, rng)
        check_generalization(lib, rng)
    report()


if __name__ == "__main__":
    main()
