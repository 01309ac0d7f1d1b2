/* sprt.h: sequential tests of "is A stronger than B" (Wald 1945), on the Elo scale. */
#ifndef AGON_SPRT_H
#define AGON_SPRT_H

/* A test of H0: A is elo0 stronger than B, against H1: elo1 > elo0. After each game (pair of games)
 * the log likelihood ratio of H1 over H0 is compared with two bounds: stop at the first that is
 * crossed. alpha is the chance to accept H1 where H0 holds, beta the chance to accept H0 where H1
 * holds.
 *
 * It does not tell how much stronger: the score at the moment of stopping is biased away from even,
 * so never report it as the strength. The errors hold for one test that stops at the bounds: a test
 * repeated after it failed, or hundreds of pairs at once, makes more of them. */
typedef struct agon_sprt {
    double elo0, elo1;  /* Elo, elo0 < elo1; as scores 1 / (1 + 10^(-elo / 400)) */
    double alpha, beta; /* in (0, 1), alpha + beta < 1 */
} agon_sprt;
#define AGON_SPRT ((agon_sprt){0, 5, .05, .05})

/* lower = ln(beta / (1 - alpha)), upper = ln((1 - beta) / alpha): +-2.944 at 5 %. Returns 0 or
 * AGON_EINVALID. */
int agon_sprt_bounds(const agon_sprt* test, double* lower, double* upper);

/* 1: H1 is accepted, -1: H0 is, 0: go on. NaN gives 0. */
int agon_sprt_verdict(const agon_sprt* test, double llr);

/* Games that only end in a win or a loss: wins ln(p1 / p0) + losses ln((1 - p1) / (1 - p0)), for
 * chances p0, p1 in (0, 1) of a win. Counts >= 0. Returns 0 or AGON_EINVALID. */
int agon_sprt_bernoulli(double wins, double losses, double p0, double p1, double* llr);

/* Normal approximation N (s1 - s0) (2 mean - s0 - s1) / (2 variance) for games that score 0,
 * 1/2, 1. count (3): losses, draws, wins. Quick; within 10 % while the mean and the hypotheses are
 * within .025 of even. No games: 0; variance 0 (all games alike): NaN. Returns 0 or AGON_EINVALID.
 */
int agon_sprt_trinomial(const double* count, const agon_sprt* test, double* llr);

/* Generalised test (GSPRT): N * (max log likelihood under mean score s1 - the same under s0), where
 * each maximum is over all distributions of outcomes with that mean; p_k = f_k / (1 + x (a_k - s))
 * with f the measured shares and x the root of one equation.
 *
 * count (outcomes), >= 0: how often the score k / (outcomes - 1) was seen. outcomes 3: losses,
 * draws, wins. outcomes 5: pairs of games from one opening with seats changed, scores 0, 1/4, .. 1
 * of the pair (pentanomial): use this one where games are paired, it takes care of openings that
 * favour a seat. 2 .. 16 outcomes. Counts of 0 are taken as 1e-3, so that one-sided results stay
 * finite. No games: 0. Returns 0 or AGON_EINVALID. About 20 us. */
int agon_sprt_exact(const double* count, int outcomes, const agon_sprt* test, double* llr);

#endif
