#!/usr/bin/python3
"""Ratings and sequential tests: the functions of engine/metrics against numpy and scipy.

Guards: Bradley-Terry ratings and their errors, Glicko-2, TrueSkill, likelihood ratios compute what
their headers say, by minimisers, integrals and roots that share no code with them. Skipped (77)
where numpy and scipy are not installed.
"""
import ctypes
import sys
from functools import reduce

try:
    import numpy as np
    from scipy.optimize import brentq, minimize
    from scipy.stats import binom, norm
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

from metrics_library import build, call, cases, compare, doubles, key, pointer, real, report

Glicko = doubles("rating", "deviation", "volatility")
GlickoResult = doubles("rating", "deviation", "games", "points")
Trueskill = doubles("mean", "deviation")
TrueskillRules = doubles("beta", "tau", "draws")
Sprt = doubles("elo0", "elo1", "alpha", "beta")
LOGIT = np.log(10) / 400  # logits in a rating point
GLICKO = 1 / 173.7178  # the same, as Glickman rounds it


class Pair(ctypes.Structure):
    _fields_ = [("first", ctypes.c_int), ("second", ctypes.c_int),
                ("first_points", ctypes.c_double), ("second_points", ctypes.c_double)]


class Pool(ctypes.Structure):
    _fields_ = [("agents", ctypes.c_int), ("pair", ctypes.POINTER(Pair)), ("pairs", ctypes.c_int),
                ("prior_sd", ctypes.c_double), ("fixed", ctypes.c_void_p),
                ("origin", ctypes.c_void_p)]


class Model:
    """Bradley and Terry's, in rating points; wins (n, n); sd 0: no prior."""

    def __init__(self, wins, sd):
        self.wins, self.precision = wins, 1 / sd**2 if sd else 0

    def cost(self, r):
        loss = np.logaddexp(0, -LOGIT * (r[:, None] - r[None]))
        return np.sum(self.wins * loss) + self.precision * r @ r / 2

    def slope(self, r):
        expected = 1 / (1 + np.exp(-LOGIT * (r[:, None] - r[None])))
        surplus = (self.wins + self.wins.T) * expected - self.wins
        return LOGIT * surplus.sum(1) + self.precision * r

    def curvature(self, r):
        expected = 1 / (1 + np.exp(-LOGIT * (r[:, None] - r[None])))
        weight = LOGIT**2 * (self.wins + self.wins.T) * expected * (1 - expected)
        return np.diag(weight.sum(1)) - weight + np.eye(len(r)) * self.precision


def check_bradley_terry(lib, rng):
    n, sd = int(rng.integers(2, 10)), float(rng.choice([0, 50, 350]))
    wins = np.ascontiguousarray(rng.integers(0, 9, (n, n)) * 0.5 + (sd == 0))
    np.fill_diagonal(wins, 0)
    rating, se, covariance = np.empty(n), np.empty(n), np.empty((n, n))
    call(lib.agon_rating_bradley_terry, pointer(wins), n, sd, pointer(rating),
         pointer(se), pointer(covariance))
    model = Model(wins, sd)
    found = minimize(model.cost, np.zeros(n), jac=model.slope, method="BFGS",
                     options={"gtol": 1e-9})
    compare("rating, against BFGS", rating, found.x - (found.x.mean() if sd == 0 else 0), 1e-3)
    compare("rating slope", model.slope(rating), 0, 1e-12)  # what certifies the ratings
    inverse = np.linalg.pinv(model.curvature(rating), rcond=1e-9)
    compare("rating covariance", covariance / inverse.max(), inverse / inverse.max(), 1e-9)
    compare("rating error", se, np.sqrt(np.diag(inverse)), 1e-9)
    differences = rng.normal(size=5) * 400
    ours = [lib.agon_rating_expected(x) for x in differences]
    compare("expected score", ours, 1 / (1 + 10 ** (-differences / 400)), 1e-12)


def check_sparse(lib, rng):
    """Against Newton's steps with the whole matrix."""
    n, sd = int(rng.integers(3, 15)), float(rng.choice([100, 350]))
    count, wins = int(rng.integers(2, 30)), np.zeros((n, n))
    pairs = (Pair * count)()
    for pair in pairs:
        i, j = rng.choice(n, 2, replace=False)
        points = rng.integers(0, 5, 2)
        pair.first, pair.second, pair.first_points, pair.second_points = i, j, *map(float, points)
        wins[i, j] += points[0]
        wins[j, i] += points[1]
    fixed = np.where(rng.random(n) < 0.3, rng.normal(size=n) * 100, np.nan)
    fixed[0] = np.nan
    origin = (rng.random(n) < 0.5).astype(np.uint8)
    origin[0] = 1
    known = rng.random() < 0.5
    pool = Pool(n, pairs, count, sd, fixed.ctypes.data if known else None,
                None if known else origin.ctypes.data)
    rating, error, how = np.empty(n), np.empty(n), ctypes.c_int()
    call(lib.agon_rating_sparse, ctypes.byref(pool), key(1, 2), pointer(rating), pointer(error),
         ctypes.byref(how))
    free = np.isnan(fixed) if known else np.ones(n, bool)
    theirs, model = np.where(free, 0, fixed), Model(wins, sd)
    for _ in range(100):
        step = np.linalg.solve(model.curvature(theirs)[free][:, free], model.slope(theirs)[free])
        theirs[free] -= step / max(1, np.abs(step).max() / 200)
    inverse = np.zeros((n, n))
    inverse[np.ix_(free, free)] = np.linalg.inv(model.curvature(theirs)[free][:, free])
    contrast = np.eye(n) if known else np.eye(n) - origin / origin.sum()
    compare("sparse rating", rating, contrast @ theirs, 1e-9)
    variance = np.diag(contrast @ inverse @ contrast.T)
    compare("sparse variance", error**2 / inverse.max(), variance / inverse.max(), 1e-9)


def check_glicko(lib, rng):
    """Glickman's equations, with another search for the volatility."""
    count, tau = int(rng.integers(1, 6)), float(rng.uniform(0.3, 1.2))
    before = Glicko(rng.normal(1500, 300), rng.uniform(30, 350), rng.uniform(0.03, 0.1))
    results = (GlickoResult * count)()
    for r in results:
        games = int(rng.integers(1, 5))
        r.rating, r.deviation, r.games = rng.normal(1500, 300), rng.uniform(30, 350), games
        r.points = rng.integers(0, 2 * games + 1) / 2
    after, variance, change = Glicko(), ctypes.c_double(), ctypes.c_double()
    call(lib.agon_glicko_period, ctypes.byref(before), results, count, tau,
         ctypes.byref(after), ctypes.byref(variance), ctypes.byref(change))
    other, deviation, games, points = np.transpose([r.values() for r in results])
    phi, sigma = before.deviation * GLICKO, before.volatility
    g = 1 / np.sqrt(1 + 3 * (deviation * GLICKO / np.pi) ** 2)
    expected = 1 / (1 + np.exp(-g * GLICKO * (before.rating - other)))
    v = 1 / np.sum(games * g**2 * expected * (1 - expected))
    surprise = np.sum(g * (points - games * expected))
    delta = v * surprise

    def slope(x):
        all_of_it = phi**2 + v + np.exp(x)
        return (np.exp(x) * (delta**2 - all_of_it) / (2 * all_of_it**2)
                - (x - np.log(sigma**2)) / tau**2)

    volatility = np.exp(brentq(slope, np.log(sigma**2) - 50, np.log(sigma**2) + 50, xtol=1e-14) / 2)
    spread = 1 / (1 / (phi**2 + volatility**2) + 1 / v)
    compare("glicko v and Delta", [variance.value / v, change.value], [1, delta], 1e-9)
    compare("glicko volatility", after.volatility / volatility, 1, 1e-9)
    compare("glicko deviation", after.deviation, np.sqrt(spread) / GLICKO, 1e-9)
    compare("glicko rating", after.rating, before.rating + spread * surprise / GLICKO, 1e-9)


def check_trueskill(lib, rng):
    """Mean and variance after a game by integration over the skill (Gauss and Legendre)."""
    rules = TrueskillRules(rng.uniform(2, 6), rng.uniform(0, 1), rng.uniform(0.05, 0.5))
    margin = np.sqrt(2) * rules.beta * norm.ppf((1 + rules.draws) / 2)
    compare("draw margin", lib.agon_trueskill_margin(ctypes.byref(rules)), margin, 1e-9)
    node, weight = np.polynomial.legendre.leggauss(400)
    for outcome in (1, 0, -1):
        before = [(rng.normal(25, 4), rng.uniform(1, 8)) for _ in range(2)]
        after = [Trueskill(*belief) for belief in before]
        call(lib.agon_trueskill_game, ctypes.byref(after[0]), ctypes.byref(after[1]), outcome,
             ctypes.byref(rules))
        for k in (0, 1):
            (own, deviation), (other, far) = before[k], before[1 - k]
            wide = np.hypot(deviation, rules.tau)
            skill = own + 12 * wide * node
            spread = np.sqrt(far**2 + rules.tau**2 + 2 * rules.beta**2)
            low, high = [(-np.inf, -margin), (-margin, margin),
                         (margin, np.inf)][1 + (outcome if k == 0 else -outcome)]
            chance = (norm.cdf((skill - other - low) / spread)
                      - norm.cdf((skill - other - high) / spread))
            density = weight * norm.pdf(skill, own, wide) * chance
            mean = density @ skill / density.sum()
            variance = density @ (skill - mean) ** 2 / density.sum()
            compare("trueskill", after[k].values(), [mean, np.sqrt(variance)], 1e-9)


def check_sprt(lib, rng):
    low = rng.uniform(-20, 10)
    test = Sprt(low, low + rng.uniform(1, 30), *rng.uniform(0.01, 0.2, 2))
    lower, upper = ctypes.c_double(), ctypes.c_double()
    call(lib.agon_sprt_bounds, ctypes.byref(test), ctypes.byref(lower), ctypes.byref(upper))
    compare("sprt bounds", [lower.value, upper.value],
            [np.log(test.beta / (1 - test.alpha)), np.log((1 - test.beta) / test.alpha)], 1e-12)
    wins, losses = (int(x) for x in rng.integers(0, 50, 2))
    chances = rng.uniform(0.1, 0.9, 2)
    ours = real(lib.agon_sprt_bernoulli, wins, losses, *chances)
    theirs = np.subtract(*binom.logpmf(wins, wins + losses, chances[::-1]))
    compare("sprt bernoulli", ours, theirs, 1e-9)

    s0, s1 = 1 / (1 + 10 ** (-np.array([test.elo0, test.elo1]) / 400))
    count = rng.integers(1, 200, 3) * 1.0
    score = np.arange(3) / 2
    mean = count @ score / count.sum()
    variance = count @ (score - mean) ** 2 / count.sum()
    ours = real(lib.agon_sprt_trinomial, pointer(count), ctypes.byref(test))
    compare("sprt trinomial", ours, count.sum() * (s1 - s0) * (2 * mean - s0 - s1) / (2 * variance),
            1e-9)

    outcomes = int(rng.choice([3, 5]))
    count, score = rng.integers(1, 200, outcomes) * 1.0, np.linspace(0, 1, outcomes)

    def likelihood(mean):
        """Of the best distribution with that mean: p = f / (1 + x (a - mean)), its x the root
        of a polynomial between the poles of the lowest and the highest outcome."""
        away, share = score - mean, count / count.sum()
        total = 0
        for k in range(outcomes):
            others = reduce(np.polymul, [[a, 1] for a in np.delete(away, k)])
            total = total + share[k] * away[k] * others
        roots = np.roots(total).real  # all real: one between each two poles
        x, = roots[(roots > -1 / (1 - mean)) & (roots < 1 / mean)]
        p = share / (1 + x * away)
        compare("sprt, best shares", [p.sum(), p @ score], [1, mean], 1e-9)
        return count @ np.log(p)

    ours = real(lib.agon_sprt_exact, pointer(count), outcomes, ctypes.byref(test))
    compare("sprt generalised", ours, likelihood(s1) - likelihood(s0), 1e-9)


def main():
    lib = build()
    for rng in cases():
        check_bradley_terry(lib, rng)
        check_sparse(lib, rng)
        check_glicko(lib, rng)
        check_trueskill(lib, rng)
        check_sprt(lib, rng)
    report()


if __name__ == "__main__":
    main()
