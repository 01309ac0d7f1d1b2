/* novelty.c: distances of points, DvD's determinant, nearest neighbours. */
#include "engine/metrics/novelty.h"

#include "agents/real.h"
#include "engine/metrics/summary.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define JITTER 1e-6

/* ---- distances ----------------------------------------------------------------------------- */

#define LANES 8 /* partial sums of fixed order, for one vector register or two */

/* scale: NULL, all 1. */
static double squared_distance(const float* x, const float* y, const double* scale, int d) {
    static const double ones[LANES] = {1, 1, 1, 1, 1, 1, 1, 1};
    double lane[LANES] = {0}, sum = 0;
    int c = 0;
    for (; c + LANES <= d; c += LANES) {
        const double* weight = scale ? scale + c : ones;
        for (int l = 0; l < LANES; l++) {
            const double gap = (double)x[c + l] - (double)y[c + l];
            lane[l] += weight[l] * (gap * gap);
        }
    }
    for (; c < d; c++) {
        const double gap = (double)x[c] - (double)y[c];
        sum += (scale ? scale[c] : 1) * (gap * gap);
    }
    for (int l = 0; l < LANES; l++)
        sum += lane[l];
    return sum;
}

static int check_points(const agon_points* p) {
    assert(p && p->x && p->n >= 1 && p->d >= 1);
    for (size_t i = 0; i < (size_t)p->n * p->d; i++) {
        if (!isfinite(p->x[i]))
            return AGON_EINVALID;
    }
    for (int c = 0; p->scale && c < p->d; c++) {
        if (!(p->scale[c] >= 0) || isinf(p->scale[c]))
            return AGON_EINVALID;
    }
    return 0;
}

static double distance_of(const agon_points* p, int i, int j) {
    const float *x = p->x + (size_t)i * p->d, *y = p->x + (size_t)j * p->d;
    return sqrt(squared_distance(x, y, p->scale, p->d));
}

int agon_novelty_distances(const agon_points* p, double* distance) {
    assert(distance);
    if (check_points(p))
        return AGON_EINVALID;
    for (int i = 0; i < p->n; i++) {
        distance[(size_t)i * p->n + i] = 0;
        for (int j = i + 1; j < p->n; j++)
            distance[(size_t)i * p->n + j] = distance[(size_t)j * p->n + i] = distance_of(p, i, j);
    }
    return 0;
}

static int check_distances(const double* distance, int n) {
    assert(distance && n >= 1);
    for (size_t i = 0; i < (size_t)n * n; i++) {
        if (!(distance[i] >= 0) || isinf(distance[i]))
            return AGON_EINVALID;
    }
    return 0;
}

int agon_novelty_median(const double* distance, int n, double* out) {
    assert(out);
    if (check_distances(distance, n))
        return AGON_EINVALID;
    double* apart = malloc((size_t)n * n * sizeof *apart);
    if (!apart)
        return AGON_EMEMORY;
    int count = 0;
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++) {
            if (distance[(size_t)i * n + j] > 0)
                apart[count++] = distance[(size_t)i * n + j];
        }
    }
    *out = count > 0 ? agon_summary_median(apart, count) : NAN;
    free(apart);
    return 0;
}

/* ---- DvD ----------------------------------------------------------------------------------- */

/* Lower triangle of exp(-d^2 / 2 l^2) + jitter I. Without a length all agents are equal. */
static void fill_kernel(const double* distance, int n, double length, double jitter, double* k) {
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
            const double x = distance[(size_t)i * n + j] / length;
            k[(size_t)i * n + j] = isnan(length) ? 1 : agon_exp(-0.5 * x * x);
        }
        k[(size_t)i * n + i] = 1 + jitter;
    }
}

/* ln det by Cholesky, in place; *smallest: the smallest pivot. Gives up at a pivot <= 0. */
static double log_determinant(double* k, int n, double* smallest) {
    double sum = 0;
    *smallest = INFINITY;
    for (int i = 0; i < n; i++) {
        double* row = k + (size_t)i * n;
        for (int j = 0; j <= i; j++) {
            const double* other = k + (size_t)j * n;
            double x = row[j];
            for (int c = 0; c < j; c++)
                x -= row[c] * other[c];
            if (j < i) {
                row[j] = x / other[j];
                continue;
            }
            *smallest = x < *smallest ? x : *smallest;
            if (!(x > 0))
                return -INFINITY;
            row[i] = sqrt(x);
            sum += agon_log(x);
        }
    }
    return sum;
}

int agon_novelty_dvd(const double* distance, int n, double length, agon_dvd* out) {
    assert(out && (isnan(length) || (length > 0 && isfinite(length))));
    int rc = check_distances(distance, n);
    if (!rc && isnan(length))
        rc = agon_novelty_median(distance, n, &length);
    if (rc)
        return rc;
    double* kernel = malloc((size_t)n * n * sizeof *kernel);
    if (!kernel)
        return AGON_EMEMORY;
    double smallest, jitter = 0;
    fill_kernel(distance, n, length, 0, kernel);
    double log = log_determinant(kernel, n, &smallest);
    if (smallest < JITTER) {
        jitter = JITTER;
        fill_kernel(distance, n, length, jitter, kernel);
        log = log_determinant(kernel, n, &smallest);
    }
    free(kernel);
    if (!isfinite(log)) /* distances that no points have */
        return AGON_EINVALID;
    *out = (agon_dvd){agon_exp(log), log / n, jitter, length};
    return 0;
}

/* ---- nearest neighbours -------------------------------------------------------------------- */

#define TILE 16 /* queries answered in one pass over the points, which may not fit a cache */

/* distance: out (count, n), of `count` queries to all points. */
static void tile_distances(const agon_points* p, const int* query, int first, int count,
                           double* distance) {
    for (int j = 0; j < p->n; j++) {
        for (int q = 0; q < count; q++)
            distance[(size_t)q * p->n + j] =
                distance_of(p, query ? query[first + q] : first + q, j);
    }
}

/* Mean of the k smallest distances (n) but that to point `self` itself; they are sorted. */
static double mean_of_nearest(double* distance, int n, int self, int k, double* nearest) {
    distance[self] = distance[n - 1];
    agon_summary_sort(distance, n - 1);
    *nearest = distance[0];
    return agon_summary_mean(distance, k);
}

int agon_novelty_nearest(const agon_points* p, int k, const int* query, int queries, double* mean,
                         double* nearest) {
    assert(mean && k >= 1 && queries >= 0);
    if (check_points(p))
        return AGON_EINVALID;
    const int n = p->n, most = k < n - 1 ? k : n - 1;
    double* distance = malloc((size_t)TILE * n * sizeof *distance);
    if (!distance)
        return AGON_EMEMORY;
    for (int first = 0; first < queries; first += TILE) {
        const int count = queries - first < TILE ? queries - first : TILE;
        tile_distances(p, query, first, count, distance);
        for (int q = 0; q < count; q++) {
            const int self = query ? query[first + q] : first + q;
            double next = NAN;
            mean[first + q] =
                most > 0 ? mean_of_nearest(distance + (size_t)q * n, n, self, most, &next) : NAN;
            if (nearest)
                nearest[first + q] = next;
        }
    }
    free(distance);
    return 0;
}
