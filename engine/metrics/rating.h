/* rating.h: Bradley-Terry strengths with standard errors, on the Elo scale. */
#ifndef AGON_RATING_H
#define AGON_RATING_H

/* P(i beats j) = 1 / (1 + 10^(-(R_i - R_j) / 400)) (Bradley and Terry 1952; scale of Elo 1978).
 *
 * wins (n, n): w_ij >= 0 points of i against j, a draw half a point to each; the diagonal is
 * ignored. Maximum a posteriori with prior R_i ~ N(0, prior_sd^2), by damped Newton steps, all
 * games at once: the order of games does not matter, unlike in running Elo updates.
 *
 * prior_sd  rating points, >= 0. 350 is the usual choice: unbeaten agents and agents that never met
 *           get finite ratings, pulled towards 0. 0: maximum likelihood with mean 0, which exists
 *           only when wins lead from every agent to every other (Ford 1957).
 * rating    out (n), rating points.
 * se        out (n) or NULL: square roots of the inverse Hessian's diagonal.
 * covariance out (n, n) or NULL. The error of a difference needs it:
 *           sqrt(C_ii + C_jj - 2 C_ij), not sqrt(se_i^2 + se_j^2).
 *
 * Caveats. Ratings are relative to this pool and prior; ratings of two pools do not compare unless
 * they share agents. Errors take games as independent: games of one opening are not, so bootstrap
 * over pairs where it matters. A draw counted as two half wins gives errors that are a little too
 * wide. Strength is one number here: rock, paper and scissors get equal ratings, and a cyclic
 * population is sorted by who happened to meet whom. Report the cyclic fraction beside it.
 *
 * n = 1: rating 0, se prior_sd. Returns 0, AGON_EINVALID (a number that is not finite or negative,
 * or no finite maximum), AGON_EMEMORY. The outputs are untouched unless 0. O(n^3) a step, about 6
 * steps. */
int agon_rating_bradley_terry(const double* wins, int n, double prior_sd, double* rating,
                              double* se, double* covariance);

/* Expected score in [0, 1] of a rating difference: +100 .640, +200 .760, +400 .909. */
double agon_rating_expected(double difference);

#endif
