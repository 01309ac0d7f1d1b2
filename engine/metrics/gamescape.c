/* gamescape.c: expected cardinality, and the bound of response diversity. */
#include "engine/metrics/gamescape.h"

#include "engine/metrics/real_matrix.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPENDENT 1e-14 /* singular values below, of the largest, are rounding */

static double dot(const double* a, const double* b, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static int finite_all(const double* a, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(a[i]))
            return 0;
    }
    return 1;
}

/* out = A A' (rows, rows). */
static void gram_of_rows(const double* a, int rows, int cols, double* out) {
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j <= i; j++) {
            const double x = dot(a + (size_t)i * cols, a + (size_t)j * cols, cols);
            out[(size_t)i * rows + j] = out[(size_t)j * rows + i] = x;
        }
    }
}

/* out = A' A (cols, cols), summed row by row. */
static void gram_of_columns(const double* a, int rows, int cols, double* out) {
    memset(out, 0, (size_t)cols * cols * sizeof *out);
    for (int k = 0; k < rows; k++) {
        const double* row = a + (size_t)k * cols;
        for (int i = 0; i < cols; i++) {
            for (int j = 0; j < cols; j++)
                out[(size_t)i * cols + j] += row[i] * row[j];
        }
    }
}

int agon_gamescape_cardinality(const double* a, int rows, int cols, int per_opponent, double* out) {
    assert(a && out && rows >= 1 && cols >= 1);
    const int n = rows < cols ? rows : cols;
    if (!finite_all(a, (size_t)rows * cols))
        return AGON_EINVALID;
    double* gram = malloc((size_t)n * (n + 5) * sizeof *gram);
    if (!gram)
        return AGON_EMEMORY;
    double *values = gram + (size_t)n * (n + 4), sum = 0;
    if (rows <= cols)
        gram_of_rows(a, rows, cols, gram);
    else
        gram_of_columns(a, rows, cols, gram);
    agon_matrix_eigen(gram, n, values, NULL, gram); /* finite: cannot fail */
    for (int i = 0; i < n; i++) {
        const double l = per_opponent ? values[i] / cols : values[i];
        sum += l > 0 ? l / (1 + l) : 0;
    }
    free(gram);
    *out = sum;
    return 0;
}

/* ---- response diversity -------------------------------------------------------------------- */

/* a = sum_r value_r u_r v_r'. B^+ x needs u and v of the directions that are there; the rest of x
 * without them is left in `rest`. */
static double response_bound(const double* value, const double* u, const double* v, int rows,
                             int cols, double* rest) {
    const int k = rows < cols ? rows : cols;
    double missing = 1;
    int rank = 0;
    for (; rank < k && value[rank] > DEPENDENT * value[0]; rank++) {
        const double* direction = v + (size_t)rank * cols;
        const double along = dot(direction, rest, cols);
        for (int i = 0; i < rows; i++)
            missing -= along / value[rank] * u[(size_t)rank * rows + i];
        for (int d = 0; d < cols; d++)
            rest[d] -= along * direction[d];
    }
    const double smallest = rank == rows ? value[rank - 1] : 0;
    return smallest * smallest / rows * missing * missing + dot(rest, rest, cols);
}

int agon_gamescape_response_bound(const double* a, int rows, int cols, const double* x,
                                  double* out) {
    assert(a && x && out && rows >= 1 && cols >= 1);
    const size_t k = rows < cols ? rows : cols, sides = (size_t)rows + cols;
    if (!finite_all(a, (size_t)rows * cols) || !finite_all(x, (size_t)cols))
        return AGON_EINVALID;
    double* block = malloc((k + 2 * k * sides + cols) * sizeof *block);
    if (!block)
        return AGON_EMEMORY;
    double *value = block, *u = value + k, *v = u + k * rows, *work = v + k * cols;
    double* rest = work + k * sides;
    agon_matrix_singular(a, rows, cols, value, u, v, work); /* finite: cannot fail */
    memcpy(rest, x, (size_t)cols * sizeof *rest);
    *out = response_bound(value, u, v, rows, cols, rest);
    free(block);
    return 0;
}
