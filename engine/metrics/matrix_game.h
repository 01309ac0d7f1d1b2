/* matrix_game.h: zero-sum games between two different sets of strategies: agents against tasks or
 * fixed opponents, one group of agents against another.
 *
 * A is (rows, cols), row-major, both >= 1: A_ij is what the row player gets when row i meets column
 * j, and the column player loses it. Finite; any level and scale. For pay-offs of agents among
 * themselves use payoff.h, which keeps both sides alike. */
#ifndef AGON_MATRIX_GAME_H
#define AGON_MATRIX_GAME_H

typedef struct agon_matrix_game {
    double value; /* what the row player can be sure of, v = max_x min_j (x'A)_j; in A's unit. The
                     middle of what x and y guarantee: off by at most residual / 2 */
    double residual; /* max_i (Ay)_i - min_j (x'A)_j: what best responses would gain, both sides
                        together, >= 0: usually 1e-10 of the range of A */
} agon_matrix_game;

/* The Nash equilibrium with the most entropy H(x) + H(y), hence the most of each: unique; equal
 * rows share their mass, as do equal columns; all of it is uniform when A is constant. x: out
 * (rows), y: out (cols), distributions; either may be NULL. Method, precision of x and y: see
 * equilibrium.h and agon_payoff_nash; strategies of the support have mass > 1e-6. About 100 steps
 * of O((rows + cols)^3): 4 ms for 30 x 30, 0.2 s for 200 x 100, 0.6 s for 200 x 200.
 *
 * What it is called depends on who sits where:
 *  - agents against tasks (Nash averaging, Balduzzi, Tuyls, Perolat, Graepel 2018): A y is the
 * skill of the agents, -x'A the difficulty of the tasks. Columns in different units must be brought
 * to one before: the game weighs them by their spread;
 *  - a population against all strategies of its game: v is the population effectivity (Liu et al.
 *    2021), the worst case of the best mixture x; minus v is the population exploitability (Yao et
 *    al. 2023) when the game's value is 0. More rows never make it smaller. Against some opponents
 *    only it is an upper bound;
 *  - group X against group Y: v is the relative population performance (agon_payoff_relative).
 * Noise: max and min pick it up. v of noise alone is near 0, but x and y lean on the luckiest
 * cells.
 *
 * Returns 0, AGON_EINVALID (an entry that is not finite), AGON_EMEMORY. */
int agon_matrix_game_solve(const double* a, int rows, int cols, double* x, double* y,
                           agon_matrix_game* out);

/* Relative population performance (Czarnecki et al. 2020): the value of the game M[X, Y] of two
 * groups of agents, in the unit of M: positive when X has a mixture that beats everything Y can
 * mix. M is (n, n); group_x: (size_x) and group_y: (size_y) indices in 0..n-1, not empty; they may
 * overlap. RPP(X, Y) = -RPP(Y, X) for an antisymmetric M. A number for two groups, not for two
 * agents: adding a single agent can turn its sign. Returns as above. */
int agon_payoff_relative(const double* m, int n, const int* group_x, int size_x, const int* group_y,
                         int size_y, double* out);

#endif
