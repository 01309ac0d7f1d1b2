/* species.h: how many kinds there are, counted as ecologists count species: openings, niches,
 * greedy actions, strategies with their share of a Nash equilibrium. Plain functions on plain
 * arrays.
 *
 * A Hill number is the number of equally common kinds that would be as diverse: a count, not an
 * entropy. Its order q says how much rare kinds matter: 0 counts every kind alike, infinity sees
 * only the commonest. It never rises with q.
 *
 * What these numbers do not tell:
 *  - Nothing about strength, and nothing about how different two kinds are, unless a similarity is
 *    given. What counts as one kind is the caller's choice, and decides the result.
 *  - Counts are a sample. Kinds not seen yet are missing: order 0 grows with every further game,
 *    order 2 hardly. Compare at equal numbers of games, or rarefied.
 *  - A similarity-sensitive Hill number (Leinster and Cobbold) is not a Vendi score: both start
 *    from similarities and they differ.
 *
 * Logarithms are natural. Every function returns 0, AGON_EMEMORY, or AGON_EINVALID when a number
 * is not finite or breaks what is said of its array; then its output is untouched. Results are
 * functions of the input alone: sums run in index order, powers are agents/real.h's. */
#ifndef AGON_SPECIES_H
#define AGON_SPECIES_H

#include "engine/metrics/behaviour.h"

/* Hill number of order q >= 0 (INFINITY allowed) of n >= 1 counts or shares, >= 0, of any sum:
 * with p = counts / sum, (sum p^q)^(1 / (1 - q)); q = 0 how many are above 0, q = 1 exp of the
 * entropy (orders within 1e-8 of 1 are taken as 1), q = INFINITY 1 / max p. In [1, n]; NaN when
 * all counts are 0. O(n). Hill 1973. */
int agon_species_hill(const double* counts, int n, double order, double* out);

/* Hill number that knows similarity: (sum p_i (Zp)_i^(q - 1))^(1 / (1 - q)) over p_i > 0, q = 1
 * exp(-sum p_i ln (Zp)_i), q = INFINITY 1 / max (Zp)_i. similarity Z (n, n): 0 .. 1, diagonal 1
 * (both within 1e-6), need not be symmetric nor positive semidefinite; share p (n): >= 0, adding up
 * to 1 (within 1e-6). In [1, n]; Z = identity gives the plain one. Splitting a kind into identical
 * ones changes nothing. O(n^2). Leinster and Cobbold 2012. */
int agon_species_similar(const double* similarity, const double* share, int n, double order,
                         double* out);

/* Rao's quadratic entropy sum_ij p_i p_j d_ij: the expected distance of two draws, each with
 * replacement, so that a kind meets itself. distance d (n, n): >= 0; share as above. With d = 1 - Z
 * it is 1 - 1 / D, D the number above at order 2. Unit: of d. O(n^2). Rao 1982. */
int agon_species_rao(const double* distance, const double* share, int n, double* out);

/* Mean over states, by weight, of the Hill number of the agents' greedy actions: how many different
 * first choices a state gets, in [1, min(agents, actions)]. Of several actions that share the
 * maximum the lowest index is taken. Unchanged when every agent is duplicated, and when policies
 * are sharpened. Blind to everything but the first choice; agents that agree in most states but
 * never in all are as few kinds here as those that never differ much. O(agents * states * actions).
 */
int agon_species_greedy(const agon_behaviour* b, double order, double* out);

/* ---- k answers in a row (Zhang et al. 2025, NoveltyBench) ---- */

/* Different classes among k >= 1 samples. class_of (k): any numbers. O(k^2). */
int agon_species_distinct(const int* class_of, int k);

/* What k samples are worth to someone who asks for the next one with probability `patience` and
 * gains only from what is new: (1 - p) / (1 - p^k) sum_i p^(i - 1) [sample i is the first of its
 * class, and value_i > bar], in [0, 1]: 1 when every sample is new and good. value (k): e.g. the
 * win rate of the sample's class; NULL: all count. patience p in (0, 1]; .8 is usual; 1 is the
 * share of samples that are new and good. A class that is first met below the bar does not count
 * later. Depends on the order of the samples. O(k^2). */
int agon_species_utility(const int* class_of, const double* value, int k, double bar,
                         double patience, double* out);

/* Both of them expected, for k draws without replacement from n >= 1 counts (whole numbers >= 0):
 * rarefaction (Hurlbert 1971), which makes agents with unequal numbers of games comparable. Every
 * class counts as good. Both NaN when k exceeds the sum of counts. O(n k). */
int agon_species_rarefied(const double* counts, int n, int k, double patience, double* distinct,
                          double* utility);

#endif
