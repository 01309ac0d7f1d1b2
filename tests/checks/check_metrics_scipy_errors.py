#!/usr/bin/python3
"""Who fails where, and how alike: the functions of engine/metrics against numpy, case by case.

Guards: outcomes, ensembles, errors and disagreement on solved states compute what their headers
say, by loops over pairs, states and actions that share no code with them. Skipped (77) where numpy
is not installed.
"""
import ctypes
import sys

try:
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

from metrics_library import (Behaviour, build, call, cases, compare, doubles, pointer,
                             random_behaviour, report)

Homogenization = doubles("systemic", "expected", "ratio", "rate", "pairs")
Excess = doubles("none", "all", "distance")
Kuncheva = doubles("entropy", "variance", "disagreement", "double_fault", "difficulty",
                   "generalized", "coincident", "kappa")
Accuracy = doubles("accuracy", "loss", "mass", "mass_loss", "ties")
Agreement = doubles("agreement", "chance", "joint", "capa observed", "capa expected", "capa",
                    "consistency observed", "consistency expected", "consistency")
Disagreement = doubles("relevant", "neutral", "gap")


class Outcomes(ctypes.Structure):
    _fields_ = [("agents", ctypes.c_int), ("instances", ctypes.c_int),
                ("failure", ctypes.c_void_p), ("weight", ctypes.c_void_p)]


class Solved(ctypes.Structure):
    _fields_ = [("behaviour", Behaviour), ("worth", ctypes.c_void_p), ("legal", ctypes.c_void_p)]


def nan_ratio(x, y):
    return x / y if y else np.nan


# ---- who fails where ----


def how_many(chances):
    """Distribution of the number of independent events: a product of polynomials."""
    out = np.ones(1)
    for chance in chances:
        out = np.convolve(out, [1 - chance, chance])
    return out


def check_outcomes(lib, rng):
    agents, instances = int(rng.integers(2, 8)), int(rng.integers(1, 12))
    failure = rng.random((agents, instances)) ** rng.choice([0.3, 1, 3])
    failure = np.round(failure) if rng.random() < 0.5 else failure
    weight = rng.dirichlet(np.ones(instances))
    rates = failure @ weight
    o = ctypes.byref(Outcomes(agents, instances, failure.ctypes.data, weight.ctypes.data))
    out, observed, baseline = Homogenization(), np.empty(agents + 1), np.empty(agents + 1)
    call(lib.agon_outcomes_profile, o, pointer(observed), pointer(baseline))
    compare("profile", observed, weight @ [how_many(column) for column in failure.T], 1e-12)
    compare("profile baseline", baseline, how_many(rates), 1e-12)
    call(lib.agon_outcomes_homogenization, o, ctypes.byref(out))
    systemic, expected = weight @ failure.prod(0), rates.prod()
    ratio = nan_ratio(systemic, expected)
    other = [(i, j) for i in range(agents) for j in range(agents) if i != j]
    both = np.mean([weight @ (failure[i] * failure[j]) for i, j in other])
    pairs = nan_ratio(both, np.mean([rates[i] * rates[j] for i, j in other]))
    scale = max(1, ratio if ratio > 0 else 1)
    compare("homogenization", np.divide(out.values(), [1, 1, scale, 1, 1]),
            np.divide([systemic, expected, ratio,
                       np.log(ratio) / (agents - 1) if ratio > 0 else np.nan, pairs],
                      [1, 1, scale, 1, 1]), 1e-9)
    lib.agon_outcomes_excess.restype = Excess
    excess = lib.agon_outcomes_excess(pointer(observed), pointer(baseline), agents)
    more = observed - baseline
    compare("profile excess", excess.values(), [more[0], more[-1], np.abs(more).sum() / 2], 1e-12)
    check_kuncheva(lib, rng, o, failure, weight)


def check_kuncheva(lib, rng, o, failure, weight):
    """Pairs from their 2 x 2 tables; an ensemble from who is right where, by each definition."""
    agents = len(failure)
    table = np.empty((agents, agents, 5))
    call(lib.agon_kuncheva_pairs, o, pointer(table))
    for i in range(agents):
        for j in range(i):
            x, y = 1 - failure[i], 1 - failure[j]
            a, b, c, d = (weight @ z for z in (x * y, x * (1 - y), (1 - x) * y, (1 - x) * (1 - y)))
            p, q = a + b, a + c
            chance = p * q + (1 - p) * (1 - q)
            spread = np.sqrt(max(p * (1 - p) * q * (1 - q), 0))
            yule = nan_ratio(a * d - b * c, a * d + b * c)
            theirs = [yule, nan_ratio(a * d - b * c, spread), b + c, d,
                      nan_ratio(a + d - chance, 1 - chance)]
            if min(p, 1 - p, q, 1 - q) > 1e-9:  # else 0/0 but for rounding
                compare("kuncheva pairs", table[i, j], theirs, 1e-9)

    instances = int(rng.integers(2, 15))
    right = rng.random((agents, instances)) < rng.uniform(0.2, 0.8, instances)
    right[:, 0], right[0, 1], right[1, 1] = True, False, True
    profile = np.bincount((~right).sum(0), minlength=agents + 1) / instances
    lib.agon_kuncheva_ensemble.restype = Kuncheva
    ours = lib.agon_kuncheva_ensemble(pointer(profile), agents)
    count, wrong = right.sum(0), (~right).sum(0)
    pairs = [(i, j) for i in range(agents) for j in range(i)]
    mean = right.mean()
    two = np.mean(wrong * (wrong - 1)) / (agents * (agents - 1))
    some = wrong[wrong > 0]
    variance = np.mean(count * (agents - count)) / agents**2
    theirs = [np.mean(np.minimum(count, agents - count)) / (agents - -(-agents // 2)), variance,
              np.mean([np.mean(right[i] != right[j]) for i, j in pairs]),
              np.mean([np.mean(~right[i] & ~right[j]) for i, j in pairs]),
              np.var(count / agents), 1 - two / np.mean(wrong / agents),
              np.mean((agents - some) / (agents - 1)),
              1 - np.mean(count * (agents - count)) / agents / ((agents - 1) * mean * (1 - mean))]
    compare("kuncheva ensemble", ours.values(), theirs, 1e-9)


# ---- solved states ----


def choices(p, how):
    """(agents, states, actions): what is chosen, sampled or greedy; ties share."""
    best = p == p.max(2, keepdims=True)
    return p.astype(float) if how == 0 else best / best.sum(2, keepdims=True)


def check_solved(lib, rng):
    p, weight = random_behaviour(rng, 6)
    agents, states, actions = p.shape
    legal = (p > 0).any(0)
    worth = rng.integers(-1, 2, (states, actions)) * 1.0
    worth[rng.random(states) < 0.2, 0] = np.nan
    worth[~legal] = np.nan
    flags = legal.astype(np.uint8)
    solved = ctypes.byref(Solved(Behaviour(*p.shape, p.ctypes.data, weight.ctypes.data),
                                 worth.ctypes.data, flags.ctypes.data))
    known = [s for s in range(states) if np.isfinite(worth[s][legal[s]]).all()]
    best = {s: np.nanmax(worth[s]) for s in known}
    errs = {s: legal[s] & (worth[s] < best[s]) for s in known}
    judged = [s for s in known if errs[s].any()]
    scaled, share = np.empty(states), ctypes.c_double()
    call(lib.agon_errors_judge, solved, pointer(scaled), ctypes.byref(share))
    theirs = np.where(np.isin(np.arange(states), judged), weight, 0)
    compare("judged", share.value, theirs.sum(), 1e-12)
    compare("judged weights", scaled, theirs / max(theirs.sum(), 1e-300), 1e-12)
    check_accuracy(lib, solved, p, worth, best, errs, theirs / max(theirs.sum(), 1e-300))
    contested = [s for s in known if legal[s].sum() > 1]
    for how in (0, 1):
        choice = choices(p, how)
        check_agreement(lib, solved, how, choice, errs, weight, judged)
        check_value_disagreement(lib, solved, how, choice, worth, weight, contested)


def check_accuracy(lib, solved, p, worth, best, errs, scaled):
    out = (Accuracy * len(p))()
    call(lib.agon_errors_accuracy, solved, out)
    for i, ours in enumerate(out):
        sums = np.zeros(5) if scaled.any() else np.full(5, np.nan)
        for s in np.flatnonzero(scaled):
            lost = np.where(errs[s], best[s] - np.nan_to_num(worth[s]), 0)
            greedy, sampled = choices(p, 1)[i, s], p[i, s].astype(float)
            sums += scaled[s] * np.array([greedy @ ~errs[s], greedy @ lost, sampled @ ~errs[s],
                                          sampled @ lost, (greedy > 0).sum() > 1])
        compare("accuracy", ours.values(), sums, 1e-12)


def check_agreement(lib, solved, how, choice, errs, weight, judged):
    """Every pair of agents at every state, by the joint distribution of their actions."""
    agents = len(choice)
    w = weight[judged] / weight[judged].sum() if judged else []
    table = (Agreement * (agents * agents))()
    call(lib.agon_errors_agreement_pairs, solved, how, table)
    sums = []
    for i in range(agents):
        for j in range(agents):
            x, y = np.zeros(8), [0, 0]
            for s, part in zip(judged, w):
                joint = np.outer(choice[i, s], choice[j, s])
                wrong = np.ix_(errs[s], errs[s])
                both, same = joint[wrong].sum(), np.trace(joint[wrong])
                right = joint[np.ix_(~errs[s], ~errs[s])].sum()
                x[:6] += [part * right, part * both, part * same, part * both / errs[s].sum(), both,
                          part / errs[s].sum()]
                y[0] += part * choice[i, s] @ errs[s]
                y[1] += part * choice[j, s] @ errs[s]
            x[6:] = (1 - y[0]) * (1 - y[1]), y[0] * y[1]
            sums.append(x)
            compare_agreement("error agreement pairs", table[i * agents + j].values(), x, judged)
    out = Agreement()
    call(lib.agon_errors_agreement, solved, how, ctypes.byref(out))
    other = [k for k in range(agents * agents) if k // agents != k % agents]
    x = np.mean([sums[k] for k in other], axis=0)
    x[4] *= agents * (agents - 1) / 2
    compare_agreement("error agreement", out.values(), x, judged)


def compare_agreement(what, ours, sums, judged):
    right, both, same, chance, joint, fraction, expect_right, expect_wrong = sums
    theirs = np.full(9, np.nan)
    theirs[2] = joint
    if judged:
        capa, plain = expect_right + expect_wrong * fraction, expect_right + expect_wrong
        theirs[:2] = [nan_ratio(same, both), nan_ratio(chance, both)]
        theirs[3:5], theirs[6:8] = [right + same, capa], [right + both, plain]
        for k, (observed, expected) in {5: theirs[3:5], 8: theirs[6:8]}.items():
            theirs[k] = (observed - expected) / (1 - expected) if 1 - expected > 1e-12 else np.nan
    # Rates near 0 or 1 leave rounding of 1e-16 over small differences: of ratios, and of kappas.
    sure = [True, True, True] + [True, True, 1 - theirs[4] > 1e-6] * 2 if judged else [True] * 9
    if judged:
        sure[:2], sure[8] = [both > 1e-6] * 2, 1 - theirs[7] > 1e-6
    compare(what, np.array(ours)[sure], theirs[sure], 1e-9)


def check_value_disagreement(lib, solved, how, choice, worth, weight, contested):
    agents, sums = len(choice), np.zeros(3)
    out = Disagreement()
    call(lib.agon_value_disagreement_mean, solved, how, ctypes.byref(out))
    if not contested:
        sums[:] = np.nan
    for s in contested:
        apart = np.nan_to_num(np.abs(worth[s][:, None] - worth[s][None]))
        other = ~np.eye(len(apart), dtype=bool)
        joint = np.mean([np.outer(choice[i, s], choice[j, s]) for i in range(agents)
                         for j in range(agents) if i != j], axis=0)
        sums += weight[s] / weight[contested].sum() * np.array(
            [joint[apart > 0].sum(), joint[other & (apart == 0)].sum(), (joint * apart).sum()])
    compare("value disagreement", out.values(), sums, 1e-9)


def main():
    lib = build()
    for rng in cases():
        check_outcomes(lib, rng)
        check_solved(lib, rng)
    report()


if __name__ == "__main__":
    main()
