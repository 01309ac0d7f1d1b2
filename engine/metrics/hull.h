/* hull.h: the distance from a point to the convex hull of others, exactly.
 *
 * With rows of pay-offs as points: how far an agent's results against everyone are from anything a
 * mixture of the others could have (gamescapes, Balduzzi et al. 2019; response diversity, Liu et
 * al. 2021). 0 means that its results can be had by mixing the others; not that it plays like them.
 */
#ifndef AGON_HULL_H
#define AGON_HULL_H

/* min over a (weights >= 0 that add up to 1) of |sum_k a_k points_k - x|^2. points (count, width),
 * row-major, count and width >= 1; x (width); finite. squared: out, in the square of the points'
 * unit; depends on the width: it adds up over opponents. Duplicates among the points change
 * nothing. weight: out (count), a minimiser, may be NULL; the nearest point is unique, its weights
 * need not be.
 *
 * Method: the point of smallest norm of the hull of points - x (Wolfe 1976), a Cholesky factor
 * updated by rotations. Error of `squared`: about 1e-12 of the largest |points_k - x|^2. Usually
 * a few times min(count, width) steps of O(count * width): 1 ms at 200 x 200. Noise takes a point
 * out of any hull: the squared distance of a copy is of the size of the noise of a whole row.
 * Returns 0, AGON_EINVALID, AGON_EMEMORY. */
int agon_hull_distance(const double* points, int count, int width, const double* x, double* squared,
                       double* weight);

#endif
