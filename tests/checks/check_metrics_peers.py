#!/usr/bin/python3
"""The metrics of engine/ against other people's implementations, on 100 random cases each.

Guards: where a published package computes the same number, agon's is that number. Every package is
optional: those that are missing are named. Skipped (77) where all of them are. In a virtual
environment: pip install open_spiel cvxpy vendi-score trueskill glicko2 choix scikit-learn rliable
statsmodels scikit-bio dppy mpmath.

Differences that are the others', each shown where it is worked round: OpenSpiel takes pay-offs
within 1e-5 as equal at infinite alpha; vendi-score keeps eigenvalues that are rounding, and its
score_X ignores q; glicko2 2.1.0 has the rating where Glickman has the deviation.
"""
import contextlib
import ctypes
import importlib
import io
import sys

try:
    import numpy as np
    import scipy
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

from metrics_library import (behaviour, build, call, cases, compare, doubles, key, pointer,
                             random_behaviour, real, report)

MatrixGame = doubles("value", "residual")
Glicko = doubles("rating", "deviation", "volatility")
GlickoResult = doubles("rating", "deviation", "games", "points")
Trueskill = doubles("mean", "deviation")
TrueskillRules = doubles("beta", "tau", "draws")
Interval = doubles("mean", "error", "low", "high")
Kuncheva = doubles("entropy", "variance", "disagreement", "double_fault", "difficulty",
                   "generalized", "coincident", "kappa")
LOGIT = np.log(10) / 400  # logits in a rating point
PEERS = []


class AlphaRank(ctypes.Structure):
    _fields_ = [("model", ctypes.c_int), ("alpha", ctypes.c_double), ("size", ctypes.c_int),
                ("sum", ctypes.c_double), ("eps", ctypes.c_double)]


class Outcomes(ctypes.Structure):
    _fields_ = [("agents", ctypes.c_int), ("instances", ctypes.c_int),
                ("failure", ctypes.c_void_p), ("weight", ctypes.c_void_p)]


class Points(ctypes.Structure):
    _fields_ = [("n", ctypes.c_int), ("d", ctypes.c_int), ("x", ctypes.c_void_p),
                ("scale", ctypes.c_void_p)]


class Occupancy(ctypes.Structure):
    _fields_ = [("agents", ctypes.c_int)]
    _fields_ += [(name, ctypes.c_double)
                 for name in ("j", "j_floor", "j_excess", "tv", "tv_floor")]


class Scores(ctypes.Structure):
    _fields_ = [("strata", ctypes.c_int), ("runs", ctypes.c_void_p), ("score", ctypes.c_void_p)]


def needs(*modules):
    """The check gets these modules after the library and the random numbers."""
    def register(check):
        PEERS.append((modules, check))
        return check

    return register


def random_payoff(rng, most=10):
    n = int(rng.integers(2, most))
    m = rng.normal(size=(n, n))
    return np.ascontiguousarray(np.triu(m, 1) - np.triu(m, 1).T)


# ---- pay-offs ----


@needs("open_spiel.python.egt.alpharank")
def check_alpha_rank(lib, rng, alpharank):
    """Pressure that is not too high: their eigenvectors lose digits where chains hardly move."""
    n, size, alpha = int(rng.integers(2, 9)), int(rng.integers(2, 15)), rng.uniform(0.1, 1)
    constant = np.ascontiguousarray(random_payoff(rng, n + 1) + 0.5)
    general = rng.uniform(-1, 1, (n, n))
    wins = rng.integers(-1, 2, (n, n)) * 1.0  # no pay-offs within 1e-5 that are not equal
    for model, m in enumerate((constant, general, general, wins)):
        p = np.empty(len(m))
        options = AlphaRank(model, alpha, size, 1, 0.01)
        call(lib.agon_alpha_rank, pointer(m), len(m), ctypes.byref(options), pointer(p), None)
        theirs = alpharank.compute([m], m=size, alpha=alpha, use_local_selection_model=model == 2,
                                   use_inf_alpha=model == 3, inf_alpha_eps=0.01)[2]
        name = ("constant sum", "general sum", "local pay-offs", "infinite alpha")[model]
        compare(f"open_spiel {name}", p, theirs, 1e-9)


@needs("pyspiel", "open_spiel.python.algorithms.nash_averaging")
def check_nash_averaging(lib, rng, pyspiel, nash_averaging):
    """Their solver stops near 1e-8, and entropy is flat at its maximum: sqrt(1e-8) is 1e-4, and
    masses were seen to differ by that. What certifies agon's is in check_metrics_scipy_payoff."""
    m = random_payoff(rng)
    n = len(m)
    names = [str(i) for i in range(n)]
    game = pyspiel.create_matrix_game("m", "m", names, names, m, -m)
    p, residual = np.empty(n), ctypes.c_double()
    call(lib.agon_payoff_nash, pointer(m), n, pointer(p), ctypes.byref(residual))
    nash, score = nash_averaging.nash_averaging(game)
    compare("open_spiel nash averaging", p, nash.ravel(), 1e-3)
    compare("open_spiel nash scores", m @ p, score.ravel(), 1e-3)

    scores = np.round(rng.random((int(rng.integers(2, 8)), int(rng.integers(2, 8)))), 2)
    scores[0], scores[1] = 0, 1  # each column on the scale that they bring columns to
    scores = np.ascontiguousarray(scores)
    x, y, game = np.empty(scores.shape[0]), np.empty(scores.shape[1]), MatrixGame()
    call(lib.agon_matrix_game_solve, pointer(scores), *scores.shape, pointer(x), pointer(y),
         ctypes.byref(game))
    (agents, tasks), (skill, difficulty) = nash_averaging.nash_averaging_avt_matrix(scores)
    compare("open_spiel agents and tasks", np.append(x, y), np.append(agents, tasks), 1e-3)
    compare("open_spiel skill", np.append(scores @ y, -x @ scores),
            np.append(skill, difficulty), 1e-3)


@needs("dppy.finite_dpps")
def check_cardinality(lib, rng, finite_dpps):
    a = np.clip(rng.normal(size=rng.integers(1, 9, 2)), -1, 1)
    ours = real(lib.agon_gamescape_cardinality, pointer(a), *a.shape, 0)
    dpp = finite_dpps.FiniteDPP("likelihood", L=a @ a.T)
    with contextlib.redirect_stdout(io.StringIO()):
        dpp.compute_K()
    compare("dppy expected cardinality", ours, np.trace(dpp.K), 1e-9)


# ---- ratings ----


def bradley_terry(lib, points, sd):
    rating, points = np.empty(len(points)), np.ascontiguousarray(points, float)
    call(lib.agon_rating_bradley_terry, pointer(points), len(points), sd, pointer(rating), None,
         None)
    return rating


@needs("open_spiel.python.algorithms.elo")
def check_elo(lib, rng, elo):
    """Maximum likelihood; the lowest of theirs is 0, and smoothing is off."""
    n = int(rng.integers(2, 8))
    wins, draws = rng.integers(1, 9, (n, n)), np.triu(rng.integers(0, 5, (n, n)), 1)
    np.fill_diagonal(wins, 0)
    draws += draws.T
    ours = bradley_terry(lib, wins + draws / 2, 0)
    theirs = elo.compute_ratings_from_matrices(wins, draws, smoothing_factor=0,
                                               max_iterations=100000, convergence_delta=1e-15)
    compare("open_spiel elo", ours - ours.min(), theirs, 1e-9)


@needs("choix")
def check_choix(lib, rng, choix):
    """With a prior: a penalty of 1 / (2 sd^2) on squared logits. Their minimiser stops at 1e-5."""
    n, sd = int(rng.integers(2, 7)), float(rng.choice([50, 350]))
    wins = rng.integers(0, 4, (n, n))
    np.fill_diagonal(wins, 0)
    games = [(i, j) for i in range(n) for j in range(n) for _ in range(wins[i, j])]
    theirs = choix.opt_pairwise(n, games, alpha=1 / (2 * (sd * LOGIT) ** 2), tol=1e-12)
    compare("choix opt_pairwise", bradley_terry(lib, wins, sd) * LOGIT, theirs, 1e-6)
    orders = np.array([rng.permutation(n) for _ in range(20)])
    agent = np.ascontiguousarray(orders, dtype=np.int32)
    value = np.ascontiguousarray(np.tile(-np.arange(n), (20, 1)), dtype=np.float32)
    rating = np.empty(n)
    call(lib.agon_plackett_luce, pointer(agent), pointer(value), 20, n, n, ctypes.c_double(sd), pointer(rating),
         None)
    theirs = choix.opt_rankings(n, orders.tolist(), alpha=1 / (2 * (sd * LOGIT) ** 2), tol=1e-12)
    compare("choix opt_rankings", rating * LOGIT, theirs, 1e-6)


@needs("trueskill")
def check_trueskill(lib, rng, trueskill):
    """A chain of games of four players; scipy's normal distribution, not their own of 1e-7."""
    rules = TrueskillRules(rng.uniform(2, 6), rng.uniform(0, 0.5), rng.uniform(0.05, 0.5))
    environment = trueskill.TrueSkill(beta=rules.beta, tau=rules.tau, draw_probability=rules.draws,
                                      backend="scipy")
    ours = [Trueskill(25, 25 / 3) for _ in range(4)]
    theirs = [environment.create_rating() for _ in range(4)]
    for _ in range(8):
        i, j = rng.choice(4, 2, replace=False)
        outcome = int(rng.integers(0, 2))
        call(lib.agon_trueskill_game, ctypes.byref(ours[i]), ctypes.byref(ours[j]), outcome,
             ctypes.byref(rules))
        theirs[i], theirs[j] = environment.rate_1vs1(theirs[i], theirs[j], drawn=outcome == 0)
        compare("trueskill rate_1vs1", [o.values() for o in ours],
                [[t.mu, t.sigma] for t in theirs], 1e-9)


@needs("glicko2")
def check_glicko(lib, rng, glicko2):
    """Their search for the volatility stops at 1e-6 of ln sigma^2."""
    tau = rng.uniform(0.3, 1.2)

    class Player(glicko2.Player):
        _tau = tau

        def _f(self, x, delta, v, a):
            """Step 5 of Glickman 2013: theirs has the rating in the place of the deviation."""
            spread = (self.rd / 173.7178) ** 2 + v + np.exp(x)
            return np.exp(x) * (delta**2 - spread) / (2 * spread**2) - (x - a) / tau**2

    before = Glicko(rng.normal(1500, 300), rng.uniform(30, 350), rng.uniform(0.03, 0.1))
    results = (GlickoResult * 5)()
    for r in results:
        r.rating, r.deviation, r.games = rng.normal(1500, 300), rng.uniform(30, 350), 1
        r.points = rng.integers(0, 3) / 2
    after = Glicko()
    call(lib.agon_glicko_period, ctypes.byref(before), results, 5, tau,
         ctypes.byref(after), None, None)
    player = Player(*before.values())
    player.update_player([r.rating for r in results], [r.deviation for r in results],
                         [r.points for r in results])
    compare("glicko2 rating", after.rating, player.rating, 1e-5)
    compare("glicko2 deviation", after.deviation, player.rd, 1e-5)
    compare("glicko2 volatility", after.volatility, player.vol, 1e-6)


# ---- behaviour ----


@needs("vendi_score.vendi")
def check_vendi(lib, rng, vendi):
    """Kernels of full rank: in others they keep eigenvalues of 1e-17, which weigh 2 % at q = .1."""
    n = int(rng.integers(2, 10))
    x = rng.normal(size=(n, n + 5))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    kernel, share = x @ x.T, rng.dirichlet(np.full(n, 5))
    for q in (0.1, 0.5, 1, 2, np.inf):
        theirs = "inf" if np.isinf(q) else q
        for weight in (None, share):
            ours = real(lib.agon_vendi_score, pointer(kernel),
                        None if weight is None else pointer(weight), n, q)
            compare("vendi-score score_K", ours, vendi.score_K(kernel, q=theirs, p=weight), 1e-9)
    # Internal diversity of the kernel's squares is 1 - 1 / score of order 2.
    ours = real(lib.agon_vendi_score, pointer(kernel), pointer(share), n, 2)
    compare("vendi-score intdiv_K", 1 - 1 / ours, vendi.intdiv_K(kernel, q=2, p=share), 1e-9)

    p, weight = random_behaviour(rng)
    features = np.sqrt(weight[:, None] * p).reshape(len(p), -1)
    values = np.empty(len(p))
    call(lib.agon_vendi_behaviour, behaviour(p, weight), 0, None, pointer(values))
    for q in (1, 2, np.inf):
        ours = lib.agon_vendi_order(pointer(values), len(p), q)
        theirs = vendi.score_dual(features, q="inf" if np.isinf(q) else q)
        compare("vendi-score score_dual", ours, theirs, 1e-9)
    ours = lib.agon_vendi_order(pointer(values), len(p), 1)
    compare("vendi-score score_X", ours, vendi.score_X(features), 1e-9)


@needs("sklearn.manifold", "sklearn.metrics", "sklearn.neighbors")
def check_sklearn(lib, rng, manifold, metrics, neighbors):
    n = int(rng.integers(3, 15))
    x = rng.normal(size=(n, 3)).astype(np.float32)
    k, out = int(rng.integers(1, n)), np.empty(n)
    call(lib.agon_novelty_nearest, ctypes.byref(Points(n, 3, x.ctypes.data, None)), k, None, n,
         pointer(out), None)
    found = neighbors.NearestNeighbors(n_neighbors=k).fit(x.astype(float))
    compare("sklearn NearestNeighbors", out, found.kneighbors()[0].mean(1), 1e-9)
    if hasattr(manifold, "ClassicalMDS"):  # since 1.8; an axis of 1e-14 of the sum is 0 here
        distance = metrics.pairwise.manhattan_distances(x.astype(float))
        place = np.empty((n, 2))
        real(lib.agon_behaviour_map, pointer(distance), n, 2, pointer(place))
        theirs = manifold.ClassicalMDS(metric="precomputed").fit_transform(distance)
        compare("sklearn ClassicalMDS", np.abs(place), np.abs(theirs), 1e-6)

    instances = int(rng.integers(20, 60))
    failure = rng.integers(0, 2, (2, instances)) * 1.0
    failure[:, :3] = [[0, 1, 1], [1, 0, 1]]
    weight, pairs = np.full(instances, 1 / instances), np.empty((2, 2, 5))
    o = Outcomes(2, instances, failure.ctypes.data, weight.ctypes.data)
    call(lib.agon_kuncheva_pairs, ctypes.byref(o), pointer(pairs))
    compare("sklearn kappa and phi", pairs[0, 1, [4, 1]],
            [metrics.cohen_kappa_score(*failure), metrics.matthews_corrcoef(*failure)], 1e-9)

    # Agents with equally many visits: J is the mutual information of agent and place.
    count = np.stack([rng.multinomial(50, rng.dirichlet(np.ones(6)), 2) for _ in range(n)])
    occupancy, count = Occupancy(), count.astype(np.uint32)
    call(lib.agon_occupancy_measure, pointer(count), n, 6, ctypes.byref(occupancy))
    theirs = metrics.mutual_info_score(None, None, contingency=count.sum(1).astype(float))
    compare("sklearn mutual information", occupancy.j, theirs, 1e-9)


@needs("skbio.diversity.alpha", "skbio.stats.ordination", "skbio.stats.distance")
def check_skbio(lib, rng, alpha, ordination, distance):
    counts = rng.integers(0, 9, int(rng.integers(2, 12)))
    counts[0] += 1
    for q in (0, 0.5, 1, 2, np.inf):
        ours = real(lib.agon_species_hill, pointer(counts * 1.0), len(counts), q)
        compare("scikit-bio hill", ours, alpha.hill(counts, order=q), 1e-9)
    n = int(rng.integers(4, 12))
    points = rng.normal(size=(n, 3))
    apart = scipy.spatial.distance.cdist(points, points)  # pcoa shifts what is not Euclidean
    place = np.empty((n, 2))
    share = real(lib.agon_behaviour_map, pointer(apart), n, 2, pointer(place))
    theirs = ordination.pcoa(distance.DistanceMatrix(apart))
    compare("scikit-bio pcoa", np.abs(place), np.abs(theirs.samples.values[:, :2]), 1e-9)
    compare("scikit-bio pcoa share", share, theirs.proportion_explained.iloc[:2].sum(), 1e-9)


# ---- statistics ----


@needs("rliable.metrics")
def check_rliable(lib, rng, metrics):
    runs_x, runs_y, tasks = (int(x) for x in rng.integers(1, 8, 3))
    x, y = rng.normal(size=(runs_x, tasks)), np.round(rng.normal(size=(runs_y, tasks)), 1)
    flat = np.ascontiguousarray(x.T).ravel()
    ours = real(lib.agon_inference_iqm, pointer(flat), len(flat))
    compare("rliable aggregate_iqm", ours, metrics.aggregate_iqm(x), 1e-12)
    counts = [np.full(tasks, runs, np.int32) for runs in (runs_x, runs_y)]
    other = np.ascontiguousarray(y.T).ravel()
    scores = [Scores(tasks, count.ctypes.data, z.ctypes.data)
              for count, z in zip(counts, (flat, other))]
    out = Interval()
    call(lib.agon_inference_improvement, ctypes.byref(scores[0]), ctypes.byref(scores[1]), 2,
         key(1, 2), ctypes.byref(out))
    compare("rliable improvement", out.mean, metrics.probability_of_improvement(x, y), 1e-12)


@needs("statsmodels.stats.multitest", "statsmodels.stats.inter_rater")
def check_statsmodels(lib, rng, multitest, inter_rater):
    p = rng.random(int(rng.integers(1, 9))) ** 3
    adjusted = np.empty_like(p)
    call(lib.agon_inference_holm, pointer(p), len(p), pointer(adjusted))
    compare("statsmodels holm", adjusted, multitest.multipletests(p, method="holm")[1], 1e-12)

    agents, instances = (int(x) for x in rng.integers(3, 12, 2))
    fail = rng.integers(0, agents + 1, instances)
    fail[:2] = 0, 1
    profile = np.bincount(fail, minlength=agents + 1) / instances
    lib.agon_kuncheva_ensemble.restype = Kuncheva
    ours = lib.agon_kuncheva_ensemble(pointer(profile), agents).kappa
    table = np.stack([fail, agents - fail], axis=1)
    compare("statsmodels fleiss_kappa", ours, inter_rater.fleiss_kappa(table), 1e-9)


@needs("mpmath")
def check_normal(lib, rng, mpmath):
    """Relative errors as normal.h promises them."""
    mp = mpmath.mp
    mp.dps = 40
    for x in (*rng.normal(scale=3, size=5), rng.uniform(-26, 26)):
        t, root = mp.mpf(x), mp.sqrt(2)
        theirs = {"erfc": mp.erfc(t), "erfcx": mp.exp(t * t) * mp.erfc(t), "density": mp.npdf(t),
                  "cdf": mp.erfc(-t / root) / 2, "hazard": mp.npdf(t) / (mp.erfc(-t / root) / 2)}
        for name, value in theirs.items():
            ours = getattr(lib, f"agon_normal_{name}")(x)
            allowed = 3e-14 if name.startswith("erfc") else 2e-14 + x * x * 2e-16
            compare(f"mpmath {name}, over bound", float((ours / value - 1) / allowed), 0, 1)


def load():
    """The checks whose modules are there, with their modules."""
    for modules, check in PEERS:
        try:
            yield check, [importlib.import_module(module) for module in modules]
        except ImportError as missing:
            print(f"not compared with {modules[0].split('.')[0]} ({check.__name__}): {missing}")


def main():
    checks = list(load())
    if not checks:
        print("skipped: none of these packages is installed")
        sys.exit(77)
    lib = build()
    for case, _ in enumerate(cases()):
        for check, modules in checks:  # cases do not depend on what else is installed
            check(lib, np.random.default_rng([case, *check.__name__.encode()]), *modules)
    report()


if __name__ == "__main__":
    main()
