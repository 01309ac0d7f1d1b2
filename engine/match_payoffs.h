/* match_payoffs.h: played matches as a table of pay-offs with errors. */
#ifndef AGON_MATCH_PAYOFFS_H
#define AGON_MATCH_PAYOFFS_H

#include "engine/task.h"
#include "games/rules.h"

/* Returns of a game are shifted so that an even one is 0 and scaled so that the largest is 1:
 * score = (return - middle) / scale. */
typedef struct agon_payoff_scale {
    double middle, scale;
} agon_payoff_scale;
agon_payoff_scale agon_payoff_scale_of(const agon_rules* rules);

/* match (n, n): match[i * n + j] is i's match against j. antisymmetric: only those above the
 * diagonal are read. Else all off it are, and an absent (NULL) one leaves NaN. mean, se: out (n,
 * n), scaled; diagonals 0. The standard error is that of groups of games with one opening; a cell's
 * variance is shrunk to the mean of all cells, because the variance of a few equal results is not
 * zero. */
void agon_match_payoffs(const agon_match_result* const* match, int n, bool antisymmetric,
                        agon_payoff_scale scale, double* mean, double* se);

/* Points of i against j, a draw 1/2, and draws, in all seats, out (n, n), and games. Where a pair
 * has one match both halves are filled from it; where it has two, both count. Any may be NULL. */
void agon_match_points(const agon_match_result* const* match, int n, double* points, double* draws,
                       double* games);

#endif
