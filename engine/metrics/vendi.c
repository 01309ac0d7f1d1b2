/* vendi.c: Vendi scores, by the smaller of two matrices. */
#include "engine/metrics/vendi.h"

#include "agents/real.h"
#include "engine/metrics/real_matrix.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- checks -------------------------------------------------------------------------------- */

static int check_weights(const double* weight, int n) {
    double sum = 0;
    for (int i = 0; i < n && weight; i++) {
        if (!(weight[i] >= 0))
            return AGON_EINVALID;
        sum += weight[i];
    }
    return !weight || fabs(sum - 1) <= 1e-6 ? 0 : AGON_EINVALID;
}

static int check_kernel(const double* kernel, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(kernel[i * n + i] - 1) <= 1e-6))
            return AGON_EINVALID;
        for (size_t j = 0; j < i; j++) {
            if (!(fabs(kernel[i * n + j] - kernel[j * n + i]) <= 1e-6) ||
                !isfinite(kernel[i * n + j]))
                return AGON_EINVALID;
        }
    }
    return 0;
}

static double weight_of(const double* weight, int n, int i) {
    return weight ? weight[i] : 1.0 / n;
}

static int eigen(double* matrix, int n, double* values) {
    const int code = agon_matrix_eigen(matrix, n, values, NULL, matrix);
    return code == -1 ? AGON_EINVALID : code;
}

/* ---- spectra ------------------------------------------------------------------------------- */

int agon_vendi_spectrum(const double* kernel, const double* weight, int n, double* values) {
    assert(kernel && values && n >= 1);
    if (check_kernel(kernel, (size_t)n) || check_weights(weight, n))
        return AGON_EINVALID;
    double* work = malloc((size_t)n * (n + 5) * sizeof *work);
    if (!work)
        return AGON_EMEMORY;
    double* found = work + (size_t)n * (n + 4);
    for (int i = 0; i < n; i++) {
        const double root = sqrt(weight_of(weight, n, i));
        for (int j = 0; j <= i; j++)
            work[(size_t)i * n + j] =
                root * sqrt(weight_of(weight, n, j)) * kernel[(size_t)i * n + j];
    }
    const int code = eigen(work, n, found);
    if (code == 0)
        memcpy(values, found, (size_t)n * sizeof *values);
    free(work);
    return code;
}

/* Weighted features, and the smaller of their two matrices with the rows that the eigenvalues are
 * made in: *matrix (*size + 5, *size), to be freed. */
static int smaller_matrix(const agon_behaviour* b, agon_kernel kind, const double* weight,
                          double** matrix, int* size) {
    agon__features features;
    int code = agon__features_make(b, kind, weight, &features);
    if (code)
        return code;
    const int dual = features.columns < b->agents;
    *size = dual ? features.columns : b->agents;
    *matrix = malloc((size_t)*size * (*size + 5) * sizeof **matrix);
    if (!*matrix)
        code = AGON_EMEMORY;
    else
        code = dual ? agon__features_dual(&features, *matrix)
                    : agon__features_primal(&features, *matrix);
    if (code)
        free(*matrix);
    agon__features_clear(&features);
    return code;
}

static int check_inputs(const agon_behaviour* b, const double* weight) {
    const int code = agon_behaviour_check(b);
    return code ? code : check_weights(weight, b->agents);
}

static double* uniform_weights(const double* weight, int n) {
    double* own = malloc((size_t)n * sizeof *own);
    for (int i = 0; own && i < n; i++)
        own[i] = weight_of(weight, n, i);
    return own;
}

static int spectrum_of_features(const agon_behaviour* b, agon_kernel kind, const double* weight,
                                double* values) {
    double *own = uniform_weights(weight, b->agents), *matrix;
    int size, code = own ? smaller_matrix(b, kind, own, &matrix, &size) : AGON_EMEMORY;
    free(own);
    if (code)
        return code;
    double* found = matrix + (size_t)size * (size + 4);
    code = eigen(matrix, size, found);
    for (int i = 0; i < b->agents && code == 0; i++)
        values[i] = i < b->agents - size ? 0 : found[i - (b->agents - size)];
    free(matrix);
    return code;
}

static int spectrum_of_matrix(const agon_behaviour* b, agon_kernel kind, const double* weight,
                              double* values) {
    double* kernel = malloc((size_t)b->agents * b->agents * sizeof *kernel);
    if (!kernel)
        return AGON_EMEMORY;
    int code = agon_kernel_matrix(b, kind, kernel);
    if (code == 0)
        code = agon_vendi_spectrum(kernel, weight, b->agents, values);
    free(kernel);
    return code;
}

int agon_vendi_behaviour(const agon_behaviour* b, agon_kernel kind, const double* weight,
                         double* values) {
    assert(values);
    const int code = check_inputs(b, weight);
    if (code)
        return code;
    return kind == AGON_KERNEL_BC || kind == AGON_KERNEL_AG
               ? spectrum_of_features(b, kind, weight, values)
               : spectrum_of_matrix(b, kind, weight, values);
}

/* ---- scores -------------------------------------------------------------------------------- */

/* Values that can only be rounding are dropped: at small orders the power makes even 1e-17 count.
 */
double agon_vendi_order(const double* values, int n, double order) {
    assert(values && n >= 1 && order > 0);
    double total = 0, largest = 0, sum = 0;
    for (int i = 0; i < n; i++) {
        total += values[i] > 0 ? values[i] : 0;
        largest = values[i] > largest ? values[i] : largest;
    }
    if (isinf(order))
        return total / largest;
    const int shannon = fabs(order - 1) < 1e-8;
    for (int i = 0; i < n; i++) {
        const double share = values[i] / total;
        /* Relative to the largest, so that high orders do not underflow. */
        if (share > 1e-13)
            sum += shannon ? -share * agon_log(share) : agon_pow(values[i] / largest, order);
    }
    if (shannon)
        return agon_exp(sum);
    return agon_exp((order * agon_log(largest / total) + agon_log(sum)) / (1 - order));
}

double agon_vendi_negative(const double* values, int n) {
    assert(values && n >= 1);
    double negative = 0, total = 0;
    for (int i = 0; i < n; i++) {
        negative += values[i] < 0 ? -values[i] : 0;
        total += fabs(values[i]);
    }
    return negative / total;
}

int agon_vendi_score(const double* kernel, const double* weight, int n, double order, double* out) {
    assert(out && n >= 1 && order > 0);
    double* values = malloc((size_t)n * sizeof *values);
    if (!values)
        return AGON_EMEMORY;
    const int code = agon_vendi_spectrum(kernel, weight, n, values);
    if (code == 0)
        *out = agon_vendi_order(values, n, order);
    free(values);
    return code;
}

/* Lower triangle, by rows, so that long sums are of sums. */
static double square_norm(const double* matrix, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double row = 0;
        for (size_t j = 0; j < i; j++)
            row += matrix[i * n + j] * matrix[i * n + j];
        sum += 2 * row + matrix[i * n + i] * matrix[i * n + i];
    }
    return sum;
}

int agon_vendi_second(const agon_behaviour* b, agon_kernel kind, const double* weight,
                      double* out) {
    assert(out);
    int code = check_inputs(b, weight), size = b->agents;
    if (code)
        return code;
    double *own = uniform_weights(weight, b->agents), *matrix = NULL;
    if (!own)
        return AGON_EMEMORY;
    if (kind == AGON_KERNEL_BC || kind == AGON_KERNEL_AG) {
        code = smaller_matrix(b, kind, own, &matrix, &size);
    } else {
        matrix = malloc((size_t)size * size * sizeof *matrix);
        code = matrix ? agon_kernel_matrix(b, kind, matrix) : AGON_EMEMORY;
        for (size_t c = 0; c < (size_t)size * size && code == 0; c++)
            matrix[c] *= sqrt(own[c / size] * own[c % size]);
        if (code)
            free(matrix);
    }
    if (code == 0) {
        double trace = 0;
        for (int i = 0; i < size; i++)
            trace += matrix[(size_t)i * size + i];
        *out = trace * trace / square_norm(matrix, (size_t)size);
        free(matrix);
    }
    free(own);
    return code;
}

/* ---- rarefied ------------------------------------------------------------------------------ */

typedef struct rarefier {
    const agon_behaviour* b;
    int subset;
    uint32_t* order; /* (agents) */
    float* rows;     /* (subset, states, actions) */
    double* values;  /* (subset) */
} rarefier;

static int spectrum_of_subset(rarefier* r, agon_kernel kind, agon_key key, uint32_t sample) {
    const size_t size = (size_t)r->b->states * r->b->actions;
    agon_shuffle(key, sample, r->order, (uint32_t)r->b->agents);
    for (int i = 0; i < r->subset; i++)
        memcpy(r->rows + i * size, r->b->probability + r->order[i] * size, size * sizeof *r->rows);
    agon_behaviour part = *r->b;
    part.agents = r->subset;
    part.probability = r->rows;
    return agon_vendi_behaviour(&part, kind, NULL, r->values);
}

/* sums: (2, count) of scores and of their squares, about the first sample's. first: (count) */
static int sum_subsets(rarefier* r, agon_kernel kind, int samples, agon_key key,
                       const double* orders, int count, double* first, double* sums) {
    for (int k = 0; k < samples; k++) {
        const int code = spectrum_of_subset(r, kind, key, (uint32_t)k);
        if (code)
            return code;
        for (int q = 0; q < count; q++) {
            const double score = agon_vendi_order(r->values, r->subset, orders[q]);
            first[q] = k == 0 ? score : first[q];
            sums[q] += score - first[q];
            sums[count + q] += (score - first[q]) * (score - first[q]);
        }
    }
    return 0;
}

int agon_vendi_rarefied(const agon_behaviour* b, agon_kernel kind, int subset, int samples,
                        agon_key key, const double* orders, int count, double* mean,
                        double* error) {
    assert(orders && mean && count >= 1 && samples >= 1);
    int code = agon_behaviour_check(b);
    if (code)
        return code;
    assert(subset >= 1 && subset <= b->agents);
    const int turns = subset == b->agents ? 1 : samples;
    rarefier r = {b, subset, malloc((size_t)b->agents * sizeof *r.order),
                  malloc((size_t)subset * b->states * b->actions * sizeof *r.rows),
                  malloc((size_t)subset * sizeof *r.values)};
    double* sums = calloc((size_t)count * 3, sizeof *sums);
    code = r.order && r.rows && r.values && sums ? 0 : AGON_EMEMORY;
    if (code == 0)
        code = sum_subsets(&r, kind, turns, key, orders, count, sums + 2 * count, sums);
    for (int q = 0; q < count && code == 0; q++) {
        const double shift = sums[q] / turns, spread = sums[count + q] - turns * shift * shift;
        mean[q] = sums[2 * count + q] + shift;
        if (error)
            error[q] = turns > 1 && spread > 0 ? sqrt(spread / (turns - 1.0) / turns) : 0;
    }
    free(r.order);
    free(r.rows);
    free(r.values);
    free(sums);
    return code;
}
