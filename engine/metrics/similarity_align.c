/* similarity_align.c: Procrustes distance and canonical correlations. */
#include "engine/metrics/real_matrix.h"
#include "engine/metrics/real_vector.h"
#include "engine/metrics/similarity.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define ROUNDING 1e-6 /* of float activations: smaller directions are not measured */

static int smaller(int a, int b) {
    return a < b ? a : b;
}

/* ---- Procrustes ---------------------------------------------------------------------------- */

/* X'Y: out (width_x, width_y). */
static void cross(const double* x, int width_x, const double* y, int width_y, int inputs,
                  double* out) {
    for (size_t c = 0; c < (size_t)width_x * width_y; c++)
        out[c] = 0;
    for (int i = 0; i < inputs; i++) {
        const double* row = y + (size_t)i * width_y;
        for (int a = 0; a < width_x; a++) {
            const double factor = x[(size_t)i * width_x + a];
            for (int b = 0; b < width_y; b++)
                out[(size_t)a * width_y + b] += factor * row[b];
        }
    }
}

static size_t nuclear_scratch(int rows, int cols) {
    const size_t n = (size_t)rows + cols;
    return n * n + n + (n + 4) * n;
}

/* Sum of the singular values of a (rows, cols): they are the positive eigenvalues of ((0, a),
 * (a', 0)), found with a small absolute error at a fraction of the cost of Jacobi's rotations. */
static double nuclear_norm(const double* a, int rows, int cols, double* scratch) {
    const int n = rows + cols;
    double *both = scratch, *values = both + (size_t)n * n, *work = values + n, sum = 0;
    for (size_t c = 0; c < (size_t)n * n; c++)
        both[c] = 0;
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < cols; j++)
            both[(size_t)(rows + j) * n + i] = both[(size_t)i * n + rows + j] =
                a[(size_t)i * cols + j];
    }
    agon_matrix_eigen(both, n, values, NULL, work);
    for (int k = n - 1; k >= n - smaller(rows, cols); k--)
        sum += values[k] > 0 ? values[k] : 0;
    return sum;
}

/* x, y: centred, of norm 1. scratch: width_x * width_y + nuclear_scratch. */
static double procrustes(const double* x, int width_x, const double* y, int width_y, int inputs,
                         double* scratch) {
    cross(x, width_x, y, width_y, inputs, scratch);
    const double norm =
        nuclear_norm(scratch, width_x, width_y, scratch + (size_t)width_x * width_y);
    return norm < 1 ? 2 - 2 * norm : 0;
}

static double* procrustes_scratch(int width_x, int width_y) {
    return malloc(((size_t)width_x * width_y + nuclear_scratch(width_x, width_y)) * sizeof(double));
}

/* Centred and of norm 1; returns the norm it had. */
static double standardise(const agon_layer* layer, double* out) {
    const double norm = agon__similarity_centre(layer, out);
    for (size_t i = 0; norm > 0 && i < (size_t)layer->inputs * layer->width; i++)
        out[i] /= norm;
    return norm;
}

int agon_similarity_procrustes(const agon_layer* x, const agon_layer* y, double* out) {
    assert(x && y && out && x->inputs == y->inputs && x->inputs >= 1);
    assert(x->x && y->x && x->width >= 1 && y->width >= 1);
    double* a = malloc((size_t)x->inputs * ((size_t)x->width + y->width) * sizeof *a);
    double* scratch = procrustes_scratch(x->width, y->width);
    int rc = a && scratch ? 0 : AGON_EMEMORY;
    if (!rc) {
        double* b = a + (size_t)x->inputs * x->width;
        const double norm_x = standardise(x, a), norm_y = standardise(y, b);
        if (isnan(norm_x) || isnan(norm_y))
            rc = AGON_EINVALID;
        else
            *out = norm_x > 0 && norm_y > 0
                       ? procrustes(a, x->width, b, y->width, x->inputs, scratch)
                       : NAN;
    }
    free(a);
    free(scratch);
    return rc;
}

int agon_similarity_mean_procrustes(const float* activation, int n, int inputs, int width,
                                    double* out, int* dead) {
    assert(activation && out && dead && n >= 1 && inputs >= 1 && width >= 1);
    const size_t size = (size_t)inputs * width;
    double* all = malloc((size_t)n * size * sizeof *all);
    double* scratch = procrustes_scratch(width, width);
    int rc = all && scratch ? 0 : AGON_EMEMORY, alive = 0;
    double sum = 0;
    for (int i = 0; i < n && !rc; i++) {
        const agon_layer layer = {inputs, width, activation + i * size};
        const double norm = standardise(&layer, all + alive * size);
        rc = isnan(norm) ? AGON_EINVALID : 0;
        if (rc || norm == 0)
            continue;
        for (int j = 0; j < alive; j++)
            sum += procrustes(all + alive * size, width, all + j * size, width, inputs, scratch);
        alive++;
    }
    free(all);
    free(scratch);
    if (rc)
        return rc;
    *out = alive > 1 ? sum / (0.5 * alive * (alive - 1.0)) : NAN;
    *dead = n - alive;
    return 0;
}

/* ---- canonical correlations ---------------------------------------------------------------- */

/* How many of the singular values (k), descending, hold the share of their energy. */
static int directions(const double* values, int k, double variance) {
    double total = 0, held = 0;
    int count = 0;
    for (int r = 0; r < k; r++)
        total += values[r] * values[r];
    while (count < k && values[count] > ROUNDING * values[0]) {
        if (variance < 1 && held >= variance * total)
            break;
        held += values[count] * values[count];
        count++;
    }
    return count;
}

/* Orthonormal rows that span what the layer's units do over the inputs: basis, out (min(inputs,
 * width), inputs), *rank of them. Rank 0: dead. */
static int find_basis(const agon_layer* layer, double variance, double* basis, int* rank) {
    const int inputs = layer->inputs, width = layer->width, k = smaller(inputs, width);
    const size_t size = (size_t)inputs * width;
    double* block = malloc((size + k + (size_t)k * (inputs + (size_t)width)) * sizeof *block);
    if (!block)
        return AGON_EMEMORY;
    double *values = block + size, *work = values + k;
    const double norm = standardise(layer, block);
    int rc = isnan(norm) ? AGON_EINVALID : 0;
    *rank = 0;
    if (!rc && norm > 0) {
        agon_matrix_singular(block, inputs, width, values, basis, NULL, work);
        *rank = directions(values, k, variance);
    }
    free(block);
    return rc;
}

/* a (rank_a, inputs) b (rank_b, inputs): products, out (rank_a, rank_b). */
static void products(const double* a, int rank_a, const double* b, int rank_b, int inputs,
                     double* out) {
    for (int i = 0; i < rank_a; i++) {
        for (int j = 0; j < rank_b; j++)
            out[(size_t)i * rank_b + j] =
                agon__dot(a + (size_t)i * inputs, b + (size_t)j * inputs, inputs);
    }
}

/* The correlations of two bases, into `values` (min of ranks), largest first. */
static int correlate(const double* a, int rank_a, const double* b, int rank_b, int inputs,
                     double* values) {
    const size_t k = (size_t)smaller(rank_a, rank_b), size = (size_t)rank_a * rank_b;
    double* block = malloc((size + k * ((size_t)rank_a + rank_b)) * sizeof *block);
    if (!block)
        return AGON_EMEMORY;
    products(a, rank_a, b, rank_b, inputs, block);
    agon_matrix_singular(block, rank_a, rank_b, values, NULL, NULL, block + size);
    for (size_t r = 0; r < k; r++)
        values[r] = values[r] < 1 ? values[r] : 1;
    free(block);
    return 0;
}

static double mean_of(const double* values, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += values[i];
    return n > 0 ? sum / n : NAN;
}

int agon_similarity_cca(const agon_layer* x, const agon_layer* y, double variance,
                        double* correlation, int* count, double* mean) {
    assert(x && y && count && mean && x->inputs == y->inputs && variance > 0 && variance <= 1);
    const size_t inputs = (size_t)x->inputs;
    const int most = smaller(x->width, y->width);
    double* a = malloc(inputs * ((size_t)x->width + y->width) * sizeof *a);
    double* values = malloc((size_t)most * sizeof *values);
    int rc = a && values ? 0 : AGON_EMEMORY, rank_x = 0, rank_y = 0;
    double* b = rc ? NULL : a + inputs * x->width;
    if (!rc)
        rc = find_basis(x, variance, a, &rank_x);
    if (!rc)
        rc = find_basis(y, variance, b, &rank_y);
    const int k = smaller(rank_x, rank_y);
    if (!rc && k > 0)
        rc = correlate(a, rank_x, b, rank_y, x->inputs, values);
    if (!rc) {
        *count = k;
        *mean = mean_of(values, k);
        for (int r = 0; correlation && r < most; r++)
            correlation[r] = r < k ? values[r] : NAN;
    }
    free(a);
    free(values);
    return rc;
}

/* Mean over pairs of bases (n, most, inputs) of the mean correlation, which needs only their sum.
 */
static int mean_over_pairs(const double* basis, const int* rank, int n, int most, int inputs,
                           double* out) {
    const size_t size = (size_t)most * inputs, square = (size_t)most * most;
    double* block = malloc((square + nuclear_scratch(most, most)) * sizeof *block);
    if (!block)
        return AGON_EMEMORY;
    double sum = 0;
    int pairs = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
            const int k = smaller(rank[i], rank[j]);
            if (k == 0)
                continue;
            products(basis + i * size, rank[i], basis + j * size, rank[j], inputs, block);
            const double mean = nuclear_norm(block, rank[i], rank[j], block + square) / k;
            sum += mean < 1 ? mean : 1;
            pairs++;
        }
    }
    free(block);
    *out = pairs > 0 ? sum / pairs : NAN;
    return 0;
}

int agon_similarity_mean_cca(const float* activation, int n, int inputs, int width, double variance,
                             double* out, int* dead) {
    assert(activation && out && dead && n >= 1 && inputs >= 1 && width >= 1);
    assert(variance > 0 && variance <= 1);
    const int most = smaller(inputs, width);
    const size_t size = (size_t)most * inputs;
    double *basis = malloc((size_t)n * size * sizeof *basis), mean = NAN;
    int* rank = calloc((size_t)n, sizeof *rank);
    int rc = basis && rank ? 0 : AGON_EMEMORY, silent = 0;
    for (int i = 0; i < n && !rc; i++) {
        const agon_layer layer = {inputs, width, activation + (size_t)i * inputs * width};
        rc = find_basis(&layer, variance, basis + i * size, &rank[i]);
        silent += rank[i] == 0;
    }
    if (!rc)
        rc = mean_over_pairs(basis, rank, n, most, inputs, &mean);
    free(basis);
    free(rank);
    if (rc)
        return rc;
    *out = mean;
    *dead = silent;
    return 0;
}
