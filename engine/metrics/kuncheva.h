/* kuncheva.h: measures of diversity in classifier ensembles (Kuncheva and Whitaker 2003), for
 * agents that are right or wrong about instances.
 *
 * They look at who fails where, never at what is answered instead: two agents that fail at the
 * same instances with different answers count as equal. Kuncheva and Whitaker found no reliable
 * relation between any of these and the accuracy of a vote. All depend on the failure rates. */
#ifndef AGON_KUNCHEVA_H
#define AGON_KUNCHEVA_H

#include "engine/metrics/outcomes.h"

/* Two agents, from the shares of instances that both (11), one (10, 01) or none (00) get right.
 *   q            Yule's (n11 n00 - n01 n10) / (n11 n00 + n01 n10), in [-1, 1]; 0 independent
 *   rho          correlation of being right, in [-1, 1]
 *   disagreement n01 + n10, in [0, 1]: exactly one of them is right
 *   double_fault n00, in [0, 1]: both fail
 *   kappa        Cohen's: agreement beyond chance, in [-1, 1]
 * 0/0 (an agent that is always right, or never): NaN. */
typedef struct agon_kuncheva_pair {
    double q, rho, disagreement, double_fault, kappa;
} agon_kuncheva_pair;

/* out: (agents, agents), symmetric. O(agents^2 * instances). Returns as outcomes.h. */
int agon_kuncheva_pairs(const agon_outcomes* o, agon_kuncheva_pair* out);

/* All agents at once. L agents, l of them right at an instance, a its failure rate on average:
 *   entropy      E, mean min(l, L - l) / (L - ceil(L / 2)), in [0, 1]: 1 when opinion is halved
 *                everywhere
 *   variance     KW, mean l (L - l) / L^2 (Kohavi and Wolpert 1996), in [0, 1/4]
 *   disagreement mean over pairs, 2 L KW / (L - 1), in [0, 1]
 *   double_fault mean over pairs, in [0, 1]
 *   difficulty   theta, variance of l / L over instances, in [0, 1/4]: high when the same instances
 *                are easy or hard for all (Hansen and Salamon 1990)
 *   generalized  GD, 1 - p(2) / p(1): p(1) the chance that one agent drawn at random fails, p(2)
 *                that two do (Partridge and Krzanowski 1997), in [0, 1]
 *   coincident   CFD, (1 / (1 - P(0 fail))) sum_k (L - k) / (L - 1) P(k fail), k = 1 .. L, in
 *                [0, 1]: 0 when failures are always shared by all
 *   kappa        Fleiss' form 1 - L KW / ((L - 1) a (1 - a)), <= 1: agreement beyond chance
 * NaN where 0/0: one agent (all but KW, theta), nobody ever fails (GD, CFD, kappa), everybody
 * always does (kappa). */
typedef struct agon_kuncheva {
    double entropy, variance, disagreement, double_fault, difficulty, generalized, coincident,
        kappa;
} agon_kuncheva;

/* profile: (agents + 1), P(k agents fail), as agon_outcomes_profile's `observed`. Exact in it:
 * everything above is a function of how many fail. O(agents). */
agon_kuncheva agon_kuncheva_ensemble(const double* profile, int agents);

#endif
