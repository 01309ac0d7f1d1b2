/* vendi.h: the Vendi score, an effective number of different agents (Friedman and Dieng 2022;
 * orders: Pasarkar and Dieng 2023).
 *
 * K is a positive semidefinite kernel with unit diagonal (kernel.h), w_i the weights of the agents
 * (1/n when not given), l the eigenvalues of sqrt(w_i w_j) K_ij, which add up to 1. Of order q:
 * (sum l^q)^(1 / (1 - q)), at q = 1 exp(-sum l ln l), at q = INFINITY 1 / max l. In [1, n];
 * duplicating every agent leaves it unchanged; higher orders count rare behaviour less.
 *
 * What it does not tell: it grows with the number of agents, so compare at equal n or rarefy. With
 * all kernels but AG it moves when policies are sharpened and no preference changes: eight agents
 * with fixed random logits score 1.1 with the logits scaled by 1/4, and 6.9 scaled by 8. Read it
 * beside agon_behaviour_rescale's form and beside AG's. It is blind to strength.
 *
 * Functions return 0, AGON_EMEMORY, or AGON_EINVALID when a number is not finite or breaks what is
 * said of its array; then their output is untouched. */
#ifndef AGON_VENDI_H
#define AGON_VENDI_H

#include "engine/metrics/kernel.h"
#include "games/random.h"

/* The eigenvalues l, ascending: values, out (n). kernel (n, n): symmetric with unit diagonal (both
 * within 1e-6). weight: (n) >= 0, adding up to 1 (within 1e-6), or NULL. O(n^3). */
int agon_vendi_spectrum(const double* kernel, const double* weight, int n, double* values);

/* The same of a kernel between agents: values, out (agents). BC and AG go by the smaller of the
 * matrices of agents and of features (actions that somebody takes): exact, with zeros in the places
 * of eigenvalues that cannot be. Time and memory O(agents d^2 + d^3) and O(d^2) with d features:
 * 10,000 agents of 512 states and 7 actions take 10 to 14 s of one core and 0.25 GB. */
int agon_vendi_behaviour(const agon_behaviour* b, agon_kernel kind, const double* weight,
                         double* values);

/* The score of that order > 0; orders within 1e-8 of 1 are taken as 1. Eigenvalues below 1e-13 of
 * their sum, negative ones included, are dropped and the rest scaled to add up to 1: right for
 * rounding, but of a kernel that is not semidefinite it makes a bare number. */
double agon_vendi_order(const double* values, int n, double order);

/* The share of the negative eigenvalues, sum max(-l, 0) / sum |l|, in [0, 1/2]. Up to 1e-8 is
 * rounding; above, the kernel is not semidefinite (an arbitrary "1 - distance") and no score of it
 * is an effective number. */
double agon_vendi_negative(const double* values, int n);

/* Both in one: the score of a kernel. */
int agon_vendi_score(const double* kernel, const double* weight, int n, double order, double* out);

/* Order 2 without eigenvalues: 1 / sum_ij w_i w_j K_ij^2. O(n^2), and for BC and AG O(agents *
 * d * min(agents, d)). */
int agon_vendi_second(const agon_behaviour* b, agon_kernel kind, const double* weight, double* out);

/* Rarefied: the mean score over `samples` random subsets of `subset` different agents, 1 <= subset
 * <= agents, for populations of unequal size. orders: (count). mean: out (count). error: out
 * (count) or NULL: its standard error over the subsets, 0 when subset = agents. Subsets are a
 * function of key alone. The mean is over subsets of these agents: it does not know of agents not
 * seen. */
int agon_vendi_rarefied(const agon_behaviour* b, agon_kernel kind, int subset, int samples,
                        agon_key key, const double* orders, int count, double* mean, double* error);

#endif
