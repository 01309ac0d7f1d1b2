/* hodge.h: what of a pay-off matrix is a ladder and what is cycles, with pairs that never met, with
 * unequal numbers of games, and on the scale of ratings (Jiang, Lim, Yao, Ye 2011, HodgeRank;
 * Candogan et al. 2011). For a full matrix of equal weights agon_payoff_cyclic_fraction gives the
 * same. */
#ifndef AGON_HODGE_H
#define AGON_HODGE_H

/* Energies are sums over pairs i < j that met. */
typedef struct agon_hodge {
    double total;      /* sum w M^2 = transitive + cyclic */
    double transitive; /* sum w (f_i - f_j)^2 */
    double cyclic;     /* sum w (M - f_i + f_j)^2: cycles, and whatever is not additive */
    double fraction;   /* cyclic / total, in [0, 1]; 0 when total is 0 */
    double noise_total, noise_cyclic; /* what the standard errors alone are expected to bring */
    double
        debiased;   /* (cyclic - noise_cyclic) / (total - noise_total), cut to [0, 1]; NaN when M is
                       no larger than its noise. Not exactly unbiased: a ratio of two estimates */
    int components; /* groups of agents that never met, not even through others */
} agon_hodge;

/* Weighted least squares: the f that minimise sum w_ij (M_ij - f_i + f_j)^2, which is rank by
 * results, whoever one met.
 * m (n, n), n >= 1: antisymmetric within 1e-9 of its largest entry; NaN (both ways) for a pair that
 * never met. The diagonal is not read.
 * weight (n, n): of pairs, >= 0, finite, symmetric (only above the diagonal is read); 0: never met,
 * whatever m says. Number of games, or 1 / variance. NULL: 1 for every pair of m that is not NaN.
 * se (n, n): standard errors, >= 0, only above the diagonal read; NULL, or NaN at a pair that met:
 * not known, and then noise and debiased are NaN. Errors of pairs are taken as independent.
 * f: out (n), in the unit of m, adding up to 0 within each component: f of different components do
 * not compare. component: out (n), 0 .. components-1 in order of first agents. Both may be NULL.
 *
 * Read: cyclic means not additive. A perfect ladder of wins has a fraction above 0 (1/9 for three
 * agents); on logits it has less. A tree of pairs (few games) has fraction 0 whatever happened:
 * there is no cycle to see. Noise raises the fraction: debiased, or agon_payoff_cyclic_null.
 * O(n^3): 5 ms at n = 200. Returns 0, AGON_EINVALID, AGON_EMEMORY. */
int agon_hodge_rank(const double* m, const double* weight, const double* se, int n, double* f,
                    int* component, agon_hodge* out);

/* L_ij = ln((W_ij + 1/2) / (W_ji + 1/2)), antisymmetric; NaN for pairs that never met (W_ij + W_ji
 * = 0), 0 on the diagonal. Where a rating (Elo, Bradley-Terry) holds, L is additive but for noise,
 * so its cyclic part is what ratings cannot say. wins (n, n): points >= 0 of row against column, a
 * draw 1/2 each. logit: out (n, n). se: out (n, n), sqrt(1 / (W_ij + 1/2) + 1 / (W_ji + 1/2)), may
 * be NULL: too large when many games were drawn or games are paired, and rough below some ten
 * games. Returns 0 or AGON_EINVALID. */
int agon_hodge_logits(const double* wins, int n, double* logit, double* se);

/* Triples of agents that beat each other in a circle, by strict wins m_ij > 0 alone (m (n, n), NaN:
 * no win), and *triples, how many there are, n (n-1) (n-2) / 6; may be NULL. Draws are in no cycle.
 * Of agents that are equal but for noise a quarter of all triples are cycles: the count says
 * nothing without noise in mind, and a win by a hair counts like a rout. O(n^3). */
double agon_hodge_three_cycles(const double* m, int n, double* triples);

#endif
