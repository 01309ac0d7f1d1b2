/* payoff.h: the shape of a pay-off matrix: its Nash equilibrium, cycles, effective diversity.
 *
 * M is (n, n), row-major, n >= 1, antisymmetric: M = (X - X') / 2 with X_ij = expected pay-off of i
 * against j. That is the pay-off averaged over seats, for two-seat zero-sum games, or constant-sum
 * games shifted to sum 0. Elsewhere (general sum, more seats, seats with different roles) M throws
 * away what matters and none of this is defined: report n/a and why.
 *
 * Every entry must be known. An unplayed pair has no pay-off; drop the agent or fill the entry from
 * a rating model, and say so. M with an entry that is not finite, or not antisymmetric within 1e-9
 * of its largest entry, gives AGON_EINVALID and leaves the output untouched.
 *
 * M is measured, and noise is not harmless: for equal agents a share 1 - 2/n of the noise's energy
 * looks cyclic, and the Nash equilibrium of noise has a large support. Read every number beside
 * agon_payoff_cyclic_null. */
#ifndef AGON_PAYOFF_H
#define AGON_PAYOFF_H

#include "games/random.h"

/* Is M what is said above? Returns 0 or AGON_EINVALID. largest: out, max |M|, set anyway; NaN when
 * an entry is not finite. */
int agon_payoff_check(const double* m, int n, double* largest);

/* Maximum-entropy Nash equilibrium of M (Balduzzi, Tuyls, Perolat, Graepel 2018): unique, and
 * copies of an agent share its mass. p: out (n), a distribution; its support is p_i > 1e-6; uniform
 * when M is 0. residual: out, max_i (Mp)_i, what a best response would gain: usually 1e-11 of
 * max |M|, and about 1e-8 at worst in thousands of random matrices with entries spread over nine
 * decades.
 *
 * Method: the equilibria of M + tau * entropy, z = M softmax(z) / tau, have a limit for tau -> 0
 * with at least the entropy of every Nash equilibrium; followed from tau = 1 to 1e-8 by damped
 * Newton steps from the last one, then extrapolated. About 100 steps of O(n^3): 6 ms at n = 64,
 * 0.15 s at 200. Entries of p are good to about 1e-9; to 1e-6 when an agent outside the support
 * ties exactly with it, as happens with round pay-offs. Gains below about 1e-7 of max |M| are not
 * told from ties. Returns 0, AGON_EINVALID, AGON_EMEMORY; with 0, p is a distribution however hard
 * M was: residual says how good it is. */
int agon_payoff_nash(const double* m, int n, double* p, double* residual);

/* Entropy of a distribution, nats, in [0, ln n]. exp of it is an effective number of agents. */
double agon_payoff_entropy(const double* p, int n);

/* Effective diversity p' max(M, 0) p (Balduzzi et al. 2019): how much the agents of the equilibrium
 * beat one another. p: the maximum-entropy Nash equilibrium (with uniform p a pure ladder would
 * score like a cycle). Unit: pay-off. 0 when one agent is best against all; in [0, max M / 2]. */
double agon_payoff_effective_diversity(const double* m, const double* p, int n);

/* Hodge split M_ij = (f_i - f_j) + C_ij with f_i = mean_j M_ij, the transitive strength (unit:
 * pay-off), and rows of C that add up to 0. Returns the cyclic fraction |C|^2 / |M|^2 in [0, 1]: 0
 * when M is 0, or n <= 2; NaN when M is not finite (Candogan, Menache, Ozdaglar, Parrilo 2011;
 * Balduzzi et al. 2019). f: out (n), may be NULL.
 *
 * Cyclic here means not additive: a perfect ladder of wins and losses (M_ij = +-1) has no cycle and
 * a fraction above 0 (1/9 for three agents). Noise raises it. */
double agon_payoff_cyclic_fraction(const double* m, int n, double* f);

/* What noise alone would give: the cyclic fractions of `samples` matrices T + noise. The noise is
 * normal and antisymmetric with standard errors se (n, n; symmetric, only above the diagonal is
 * read; >= 0, the diagonal is ignored). T is the transitive part of M, shrunk so that its energy
 * no longer holds the noise that was measured with it. Normal numbers by Box and Muller (1958) from
 * key: the result is a function of the arguments alone.
 *
 * A pair whose games all ended alike has an estimated standard error of 0, which claims too much;
 * the caller should give it a floor. */
typedef struct agon_cyclic_null {
    double mean, low, high; /* of the null: 2.5 % and 97.5 % quantiles. Equal agents: about 1 - 2/n
                             */
    double noise_share; /* expected noise energy / |M|^2; near or above 1: M is noise; 0 when both
                           are 0, INFINITY when only M is */
    int exceeds;        /* 1: the measured fraction is above `high`, the cyclic energy |C|^2 is
                           above the 97.5 % quantile of the noise's (this one is exact for any
                           transitive M: wrong in at most 2.5 % of cases) and so is |M|^2. Only
                           then may cycles be claimed */
} agon_cyclic_null;

/* samples >= 2; 1,000 is plenty. O(samples * n^2). Returns 0, AGON_EINVALID, AGON_EMEMORY. */
int agon_payoff_cyclic_null(const double* m, const double* se, int n, int samples, agon_key key,
                            agon_cyclic_null* out);

#endif
