/* glicko.h: Glicko-2 ratings, one rating period at a time. */
#ifndef AGON_GLICKO_H
#define AGON_GLICKO_H

/* Rating on the Elo scale, its standard deviation, and the volatility: how much the strength itself
 * is thought to move per period. A new player: {1500, 350, 0.06}. */
typedef struct agon_glicko {
    double rating, deviation, volatility;
} agon_glicko;
#define AGON_GLICKO_NEW ((agon_glicko){1500, 350, 0.06})

/* What a player did against one opponent in a period. */
typedef struct agon_glicko_result {
    double rating, deviation; /* of the opponent, before the period */
    double games, points;     /* points in [0, games], a draw 1/2 */
} agon_glicko_result;

/* Glickman 2013, "Example of the Glicko-2 system". All games of a period are taken at once, so
 * their order does not matter; that of the periods does. tau > 0, usually 0.3 to 1.2: how far
 * volatility may move. No games (count 0, or games 0): only the deviation grows. after     out
 *   variance  out or NULL: v, of the rating as the games alone tell it, in logits^2; INFINITY
 *             without games
 *   change    out or NULL: Delta, the change that the games alone ask for, in logits; 0 without
 * O(count). Returns 0 or AGON_EINVALID (a number is not finite or out of range); nothing is written
 * then.
 *
 * It does not tell joint errors: deviations of two players are taken as independent, and an error
 * of a difference from them is too large within one pool. For players who learn, deviation and
 * volatility mix noise with learning. Not for reports on a fixed population, where
 * agon_rating_bradley_terry uses all games at once: it is for live match-making. */
int agon_glicko_period(const agon_glicko* before, const agon_glicko_result* result, int count,
                       double tau, agon_glicko* after, double* variance, double* change);

/* One period of everyone against everyone, all starting at `start`. wins (n, n): w_ij >= 0 points
 * of i against j, a draw 1/2 to each; the diagonal is ignored. after: out (n). O(n^2). Returns 0,
 * AGON_EINVALID, AGON_EMEMORY. */
int agon_glicko_matrix(const double* wins, int n, const agon_glicko* start, double tau,
                       agon_glicko* after);

#endif
