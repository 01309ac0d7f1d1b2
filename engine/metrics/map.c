/* map.c: classical scaling. */
#include "engine/metrics/map.h"

#include "engine/metrics/real_matrix.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int check(const double* d, size_t n) {
    double largest = 0;
    for (size_t c = 0; c < n * n; c++) {
        if (!(d[c] >= 0) || isinf(d[c]))
            return AGON_EINVALID;
        largest = fmax(largest, d[c]);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            if (fabs(d[i * n + j] - d[j * n + i]) > 1e-9 * largest || d[i * n + i] > 1e-9 * largest)
                return AGON_EINVALID;
        }
    }
    return 0;
}

/* product (n, n) = -1/2 J D^2 J with J = 1 - 1/n: products of centred points. mean: scratch (n). */
static void centre(const double* d, size_t n, double* mean, double* product) {
    double all = 0;
    for (size_t i = 0; i < n; i++) {
        mean[i] = 0;
        for (size_t j = 0; j < n; j++)
            mean[i] += d[i * n + j] * d[i * n + j];
        mean[i] /= n;
        all += mean[i] / n;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++)
            product[i * n + j] = -0.5 * (d[i * n + j] * d[i * n + j] - mean[i] - mean[j] + all);
    }
}

/* values (n) ascending, vectors (n, n): the last ones are the axes. Coordinates that are only
 * rounding of the largest are 0, so that pictures are not noise. */
static double place(const double* values, const double* vectors, int n, int dims, double* out) {
    double shown = 0, all = 0;
    for (int k = 0; k < n; k++)
        all += fabs(values[k]);
    for (int axis = 0; axis < dims; axis++) {
        const int k = n - 1 - axis;
        const double value = k >= 0 && values[k] > 1e-14 * all ? values[k] : 0;
        shown += value;
        for (int i = 0; i < n; i++)
            out[(size_t)i * dims + axis] = value > 0 ? sqrt(value) * vectors[(size_t)k * n + i] : 0;
    }
    return all > 0 ? shown / all : 1;
}

int agon_behaviour_map(const double* distances, int n, int dims, double* out, double* share) {
    assert(distances && out && share && n >= 1 && dims >= 1);
    int code = check(distances, (size_t)n);
    if (code)
        return code;
    const size_t rows = n;
    double* work = malloc(rows * (2 * rows + 6) * sizeof *work);
    if (!work)
        return AGON_EMEMORY;
    double *vectors = work + rows * (rows + 4), *values = vectors + rows * rows,
           *mean = values + rows;
    centre(distances, rows, mean, work);
    code = agon_matrix_eigen(work, n, values, vectors, work);
    code = code == -1 ? AGON_EINVALID : code;
    if (code == 0)
        *share = place(values, vectors, n, dims, out);
    free(work);
    return code;
}
