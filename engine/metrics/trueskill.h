/* trueskill.h: TrueSkill for games of two players, one game at a time. */
#ifndef AGON_TRUESKILL_H
#define AGON_TRUESKILL_H

#include "games/random.h"

/* Belief about a player's skill: normal, on a scale of its own where 25 is the start. */
typedef struct agon_trueskill {
    double mean, deviation;
} agon_trueskill;
#define AGON_TRUESKILL_NEW ((agon_trueskill){25, 25.0 / 3})

typedef struct agon_trueskill_rules {
    double beta;  /* > 0: standard deviation of one performance about the skill */
    double tau;   /* >= 0: deviation that is added to a skill before each game */
    double draws; /* in [0, 1): probability of a draw between equals; fixes the draw margin */
} agon_trueskill_rules;
#define AGON_TRUESKILL_RULES ((agon_trueskill_rules){25.0 / 6, 25.0 / 300, 0.1})

/* The margin of performances within which a game of two is drawn: sqrt(2) beta * the normal
 * quantile of (1 + draws) / 2. */
double agon_trueskill_margin(const agon_trueskill_rules* rules);

/* One game (Herbrich, Minka, Graepel 2006): both beliefs move to the mean and variance of what they
 * would be after the outcome. outcome: 1 the first won, 0 drawn, -1 the second won. first, second:
 * in and out, different. Returns 0 or AGON_EINVALID (a number is not finite or out of range, a draw
 * where draws have probability 0); nothing is written then. O(1).
 *
 * What is believed depends on the order of games: each game is used once and forgotten, and tau
 * favours the last ones. Beliefs are kept as independent, so the error of a difference within a
 * pool is not told. For live match-making; on a fixed set of games agon_rating_bradley_terry uses
 * all at once. */
int agon_trueskill_game(agon_trueskill* first, agon_trueskill* second, int outcome,
                        const agon_trueskill_rules* rules);

typedef struct agon_trueskill_games {
    int n;
    const double* wins;  /* (n, n) points of row against column, a draw 1/2; diagonal ignored */
    const double* draws; /* (n, n) symmetric; NULL: the fewest that the points allow, a half point
                            left on both sides is a draw */
} agon_trueskill_games;
#define AGON_TRUESKILL_GAMES 16777216 /* at most so many in a matrix */

/* All games of a table, in `orders` >= 1 random orders (shuffled by key), all players from
 * AGON_TRUESKILL_NEW. Counts are rounded to whole games.
 *   skill   out (n): mean over the orders of means and of deviations
 *   wobble  out (n) or NULL: standard deviation over the orders of the mean: how much of it is the
 *           order; NaN for one order
 * O(orders * games), 0.3 us a game. Returns 0, AGON_EINVALID, AGON_ELIMIT (more games than
 * AGON_TRUESKILL_GAMES), AGON_EMEMORY. */
int agon_trueskill_matrix(const agon_trueskill_games* games, const agon_trueskill_rules* rules,
                          int orders, agon_key key, agon_trueskill* skill, double* wobble);

#endif
