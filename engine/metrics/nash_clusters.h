/* nash_clusters.h: the layers of a population: who is left when the best are gone.
 *
 * M (n, n) is a pay-off matrix as payoff.h wants it: antisymmetric, every entry known. */
#ifndef AGON_NASH_CLUSTERS_H
#define AGON_NASH_CLUSTERS_H

#include "games/random.h"

/* Nash clusters (Czarnecki, Gidel, Tracey, Tuyls, Omidshafiei, Balduzzi, Jaderberg 2020): level 0
 * is the support (p > 1e-6) of the maximum-entropy equilibrium, level 1 that of the game without
 * them, and so on. The size of a level is its non-transitive width, its number the transitive
 * strength: many agents at level 0 and few below is a population of cycles, one agent a level a
 * ladder. A mixture of level k loses to no mixture of later levels (agon_payoff_relative >= 0).
 * level: out (n), 0 the best. mass: out (n), p of the agent in the equilibrium of its level, adding
 * up to 1 there; may be NULL. levels: out, 1..n. M of zeros is one level.
 *
 * Not told: how far levels are apart; a cycle that is lost to an agent above it by nearly nothing
 * is a level below. Under noise an agent falls through or climbs by luck, and the picture of a
 * population of equals is a few wide levels: see agon_nash_membership. A copy of an agent shares
 * its level.
 *
 * Agents that are beaten by everybody in a set cannot be in its equilibrium, so each step solves
 * the smallest set of agents that beats the rest: a ladder costs O(n^3) in all; else O(n^3) 100
 * times a level: 0.03 s at n = 64, 0.7 s at n = 200 for ladders drowned in noise. Returns 0,
 * AGON_EINVALID, AGON_EMEMORY. */
int agon_nash_clusters(const double* m, int n, int* level, double* mass, int* levels);

/* How sure is level 0? The equilibria of `samples` >= 2 matrices M + noise, the noise normal and
 * antisymmetric with standard errors se (n, n; symmetric, finite, >= 0; only above the diagonal is
 * read). Per agent: */
typedef struct agon_nash_membership {
    double frequency; /* share of samples in which the agent is in the support, in [0, 1] */
    double mean;      /* mean mass */
    double low, high; /* 2.5 % and 97.5 % quantiles of its mass */
} agon_nash_membership;

/* out: (n). M has noise already, and gets as much again: supports are wider than those of the
 * truth. Returns as above. O(samples) equilibria: 1 s for 100 at n = 64. */
int agon_nash_membership_sample(const double* m, const double* se, int n, int samples, agon_key key,
                                agon_nash_membership* out);

#endif
