/* gamescape.h: agents as points, one coordinate per opponent: the shape of their cloud (Balduzzi et
 * al. 2019). For distances to the hull of points see hull.h.
 *
 * A is (rows, cols), row-major, both >= 1: pay-offs of agents against any opponents; finite, best
 * in
 * [-1, 1]. All of these numbers depend on the scale of the pay-offs and on who and how many the
 * opponents are: compare only where those are the same. */
#ifndef AGON_GAMESCAPE_H
#define AGON_GAMESCAPE_H

/* Expected cardinality (Perez-Nieves et al. 2021): the mean number of agents that a determinantal
 * point process with kernel L = A A' draws, sum l / (1 + l) over the eigenvalues l of L; in
 * [0, min(rows, cols)]. per_opponent: 1 takes L = A A' / cols, so that l does not grow with the
 * number of opponents; else 0.
 *
 * Secondary: it counts dimensions, not quality. A ladder of wins scores like rock, paper, scissors
 * (1.5), and a loser or a copy of an agent raises it. O(rows cols min + min^3), min the smaller of
 * the two. Returns 0, AGON_EINVALID, AGON_EMEMORY. */
int agon_gamescape_cardinality(const double* a, int rows, int cols, int per_opponent, double* out);

/* A lower bound of agon_hull_distance(a, rows, cols, x) in closed form (Liu et al. 2021, response
 * diversity): with B the rows of A as columns and s the smallest of its `rows` singular values,
 * (s^2 / rows) (1 - sum B^+ x)^2 + |x - B B^+ x|^2. The first term is 0 when rows are dependent (s
 * < 1e-6 of the largest): then all that is left is the distance from their span. For agreement
 * with the literature; the distance itself is as cheap. Ten times O(rows cols min). Returns as
 * above. */
int agon_gamescape_response_bound(const double* a, int rows, int cols, const double* x,
                                  double* out);

#endif
