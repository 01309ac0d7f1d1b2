/* matrix_game.c: equilibria of rectangular zero-sum games. */
#include "engine/metrics/matrix_game.h"

#include "engine/metrics/equilibrium.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Middle and half width of A's entries; the width is NaN when one is not finite. */
static void range_of(const double* a, size_t count, double* middle, double* width) {
    double low = a[0], high = a[0];
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(a[i])) {
            *middle = *width = NAN;
            return;
        }
        low = a[i] < low ? a[i] : low;
        high = a[i] > high ? a[i] : high;
    }
    *middle = 0.5 * low + 0.5 * high;
    *width = 0.5 * high - 0.5 * low;
}

/* M = [[0, B], [-B', 0]] with B = (A - middle) / width; m: zeroed (n, n), n = rows + cols. */
static void embed(const double* a, int rows, int cols, double middle, double width, double* m) {
    const int n = rows + cols;
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < cols; j++) {
            const double b = width > 0 ? (a[(size_t)i * cols + j] - middle) / width : 0;
            m[i * n + rows + j] = b;
            m[(rows + j) * n + i] = -b;
        }
    }
}

/* What y allows at most, and x gets at least. */
static agon_matrix_game bounds(const double* a, int rows, int cols, const double* x,
                               const double* y) {
    double most = -INFINITY, least = INFINITY;
    for (int i = 0; i < rows; i++) {
        double sum = 0;
        for (int j = 0; j < cols; j++)
            sum += a[(size_t)i * cols + j] * y[j];
        most = sum > most ? sum : most;
    }
    for (int j = 0; j < cols; j++) {
        double sum = 0;
        for (int i = 0; i < rows; i++)
            sum += a[(size_t)i * cols + j] * x[i];
        least = sum < least ? sum : least;
    }
    return (agon_matrix_game){0.5 * most + 0.5 * least, most > least ? most - least : 0};
}

int agon_matrix_game_solve(const double* a, int rows, int cols, double* x, double* y,
                           agon_matrix_game* out) {
    assert(a && out && rows >= 1 && cols >= 1);
    const int n = rows + cols;
    double middle, width, gain;
    range_of(a, (size_t)rows * cols, &middle, &width);
    if (!isfinite(width))
        return AGON_EINVALID;
    double* m = calloc((size_t)n * n + n, sizeof *m);
    if (!m)
        return AGON_EMEMORY;
    double* p = m + (size_t)n * n;
    embed(a, rows, cols, middle, width, m);
    const int code = agon_equilibrium_follow(m, n, rows, p, &gain);
    if (!code) {
        *out = bounds(a, rows, cols, p, p + rows);
        if (x)
            memcpy(x, p, (size_t)rows * sizeof *x);
        if (y)
            memcpy(y, p + rows, (size_t)cols * sizeof *y);
    }
    free(m);
    return code;
}

int agon_payoff_relative(const double* m, int n, const int* group_x, int size_x, const int* group_y,
                         int size_y, double* out) {
    assert(m && group_x && group_y && out && size_x >= 1 && size_y >= 1);
    double* a = malloc((size_t)size_x * size_y * sizeof *a);
    if (!a)
        return AGON_EMEMORY;
    for (int i = 0; i < size_x; i++) {
        for (int j = 0; j < size_y; j++) {
            assert(group_x[i] >= 0 && group_x[i] < n && group_y[j] >= 0 && group_y[j] < n);
            a[(size_t)i * size_y + j] = m[(size_t)group_x[i] * n + group_y[j]];
        }
    }
    agon_matrix_game game;
    const int code = agon_matrix_game_solve(a, size_x, size_y, NULL, NULL, &game);
    free(a);
    if (!code)
        *out = game.value;
    return code;
}
