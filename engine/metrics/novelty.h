/* novelty.h: agents as points: how much room they span, and how far the nearest others are. Plain
 * functions on plain arrays.
 *
 * What these numbers do not tell:
 *  - Nothing about strength: noise is novel.
 *  - Euclidean distances of probabilities grow when policies are sharpened, although no preference
 *    changed.
 *  - They depend on the number of agents: a determinant falls and a nearest neighbour comes nearer
 *    with every agent added. Compare at equal n only; the Vendi score is better behaved.
 *  - The determinant depends on a length that somebody chose: compare at one length, fixed before
 *    the study. With the median heuristic it hardly sees that everybody moved apart.
 *
 * Every function returns 0, AGON_EMEMORY, or AGON_EINVALID when a number is not finite; then its
 * output is untouched. Results are functions of the input alone: sums run in a fixed order, powers
 * are agents/real.h's. */
#ifndef AGON_NOVELTY_H
#define AGON_NOVELTY_H

/* Borrowed arrays; n, d >= 1. Distances are sqrt(sum_c scale_c (x_ic - x_jc)^2). */
typedef struct agon_points {
    int n, d;
    const float* x;      /* (n, d) */
    const double* scale; /* (d) >= 0; NULL: all 1 */
} agon_points;

/* Distances, out (n, n): symmetric, diagonal 0. O(n^2 d). */
int agon_novelty_distances(const agon_points* p, double* distance);

/* Median of the distances above 0 of different points: the usual length of a kernel. NaN when there
 * is none. O(n^2 ln n). distance (n, n): >= 0. */
int agon_novelty_median(const double* distance, int n, double* out);

/* DvD (Parker-Holder, Pacchiano, Choromanski, Roberts 2020): K_ij = exp(-d_ij^2 / (2 l^2)).
 * `length` l > 0; NaN: the median heuristic. O(n^3). */
typedef struct agon_dvd {
    double determinant;     /* det (K + jitter I), in [0, 1]: 1 when all are far from one another,
                               0 (but for the jitter) with two equal agents; underflows to 0 when
                               n is large */
    double log_determinant; /* ln of it, over n; in [ln 1e-6, 0] */
    double jitter;          /* 0; or 1e-6 when an agent is so near to others that K has a pivot
                               below 1e-6. Without it ln would be -infinity, or be that agent alone */
    double length;          /* l as used; NaN when all agents are equal */
} agon_dvd;
int agon_novelty_dvd(const double* distance, int n, double length, agon_dvd* out);

/* k-nearest-neighbour novelty (Lehman and Stanley 2011): mean distance to the k >= 1 nearest others
 * (15 is usual); k > n - 1 is taken as n - 1; one point: NaN. A point leaves out itself, once: its
 * duplicates count, at distance 0. query (queries): indices of the points asked about; NULL: all,
 * in order (queries = n). Points that are not asked about, an archive perhaps, are neighbours all
 * the same. mean: out (queries). nearest: out (queries), distance to the nearest other, or NULL.
 * O(queries n (d + ln n)). */
int agon_novelty_nearest(const agon_points* p, int k, const int* query, int queries, double* mean,
                         double* nearest);

#endif
