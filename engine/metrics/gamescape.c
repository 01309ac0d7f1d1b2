/* gamescape.c: expected cardinality, and the bound of response diversity. */
#include "engine/metrics/gamescape.h"

#include "engine/metrics/real_matrix.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPENDENT 1e-12 /* squared singular values below, of the largest, are rounding */
#define NO_LENGTH 1e-26 /* as are squared lengths of what is left of a row */

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

/* Takes out of v its part along `count` orthonormal rows. */
static void take_out(const double* base, int count, int width, double* v) {
    for (int k = 0; k < count; k++) {
        const double* e = base + (size_t)k * width;
        const double along = dot(e, v, width);
        for (int d = 0; d < width; d++)
            v[d] -= along * e[d];
    }
}

/* The longest of rows first .. rows-1, and its squared length. */
static int longest_row(const double* left, int first, int rows, int cols, double* squared) {
    int best = first;
    *squared = -1;
    for (int k = first; k < rows; k++) {
        const double* row = left + (size_t)k * cols;
        const double own = dot(row, row, cols);
        best = own > *squared ? k : best;
        *squared = own > *squared ? own : *squared;
    }
    return best;
}

/* Turns the rows of `left` into an orthonormal base of their span, longest rest first; returns its
 * size. A row that is taken is cleaned once more, of the rounding of its way there. */
static int base_of_rows(double* left, int rows, int cols) {
    double largest = 0, squared;
    for (int size = 0; size < rows; size++) {
        const int best = longest_row(left, size, rows, cols, &squared);
        largest = size == 0 ? squared : largest;
        if (!(squared > NO_LENGTH * largest))
            return size;
        double *row = left + (size_t)size * cols, *taken = left + (size_t)best * cols;
        for (int d = 0; d < cols; d++) {
            const double keep = taken[d];
            taken[d] = row[d];
            row[d] = keep;
        }
        take_out(left, size, cols, row);
        const double length = sqrt(dot(row, row, cols));
        for (int d = 0; d < cols; d++)
            row[d] /= length;
        for (int k = size + 1; k < rows; k++)
            take_out(row, 1, cols, left + (size_t)k * cols);
    }
    return rows;
}

/* (s^2 / rows) (1 - sum B^+ x)^2; 0 when the rows are dependent. gram: (rows, rows), work: (rows +
 * 4, rows), value and solution: (rows). */
static double weight_term(const double* a, int rows, int cols, const double* x, double* gram,
                          double* work, double* value, double* solution) {
    double missing = 1;
    gram_of_rows(a, rows, cols, gram);
    agon_matrix_eigen(gram, rows, value, NULL, work);
    if (!(value[0] > DEPENDENT * value[rows - 1]))
        return 0;
    for (int k = 0; k < rows; k++)
        solution[k] = dot(a + (size_t)k * cols, x, cols);
    if (agon_matrix_solve(gram, solution, rows) != 0)
        return 0;
    for (int k = 0; k < rows; k++)
        missing -= solution[k];
    return value[0] / rows * missing * missing;
}

int agon_gamescape_response_bound(const double* a, int rows, int cols, const double* x,
                                  double* out) {
    assert(a && x && out && rows >= 1 && cols >= 1);
    const size_t cells = (size_t)rows * cols, square = (size_t)rows * rows;
    if (!finite_all(a, cells) || !finite_all(x, (size_t)cols))
        return AGON_EINVALID;
    double* block = malloc((cells + cols + 2 * square + 6 * (size_t)rows) * sizeof *block);
    if (!block)
        return AGON_EMEMORY;
    double *base = block, *rest = base + cells, *gram = rest + cols, *value = gram + square;
    double *solution = value + rows, *work = solution + rows;
    memcpy(base, a, cells * sizeof *base);
    memcpy(rest, x, (size_t)cols * sizeof *rest);
    const int size = base_of_rows(base, rows, cols);
    take_out(base, size, cols, rest);
    take_out(base, size, cols, rest); /* what rounding left of the first time */
    *out = dot(rest, rest, cols) + weight_term(a, rows, cols, x, gram, work, value, solution);
    free(block);
    return 0;
}
