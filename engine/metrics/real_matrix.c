/* real_matrix.c: elimination, Cholesky. */
#include "engine/metrics/real_matrix.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

/* ---- linear systems ------------------------------------------------------------------------ */

static int pivot_row(const double* a, int n, int k) {
    int best = k;
    for (int i = k + 1; i < n; i++) {
        if (fabs(a[i * n + k]) > fabs(a[best * n + k]))
            best = i;
    }
    return best;
}

static void swap_rows(double* a, double* b, int n, int i, int j) {
    double keep = b[i];
    b[i] = b[j];
    b[j] = keep;
    for (int k = 0; k < n; k++) {
        keep = a[i * n + k];
        a[i * n + k] = a[j * n + k];
        a[j * n + k] = keep;
    }
}

static void eliminate(double* a, double* b, int n, int k) {
    const double* top = a + (size_t)k * n;
    for (int i = k + 1; i < n; i++) {
        double* row = a + (size_t)i * n;
        double factor = row[k] / top[k];
        if (factor == 0)
            continue;
        for (int j = k + 1; j < n; j++)
            row[j] -= factor * top[j];
        b[i] -= factor * b[k];
    }
}

int agon_matrix_solve(double* a, double* b, int n) {
    assert(a && b && n >= 1);
    for (int k = 0; k < n; k++) {
        int pivot = pivot_row(a, n, k);
        if (pivot != k)
            swap_rows(a, b, n, k, pivot);
        if (a[k * n + k] == 0 || !isfinite(a[k * n + k]))
            return -1;
        eliminate(a, b, n, k);
    }
    for (int i = n - 1; i >= 0; i--) {
        double sum = b[i];
        for (int j = i + 1; j < n; j++)
            sum -= a[i * n + j] * b[j];
        b[i] = sum / a[i * n + i];
    }
    return 0;
}

/* ---- inverse ------------------------------------------------------------------------------- */

/* Lower triangle: A becomes L with A = L L'. */
static int cholesky(double* a, int n) {
    for (int j = 0; j < n; j++) {
        for (int i = j; i < n; i++) {
            double sum = a[i * n + j];
            for (int k = 0; k < j; k++)
                sum -= a[i * n + k] * a[j * n + k];
            if (i > j)
                a[i * n + j] = sum / a[j * n + j];
            else if (sum > 0 && isfinite(sum))
                a[j * n + j] = sqrt(sum);
            else
                return -1;
        }
    }
    return 0;
}

/* Lower triangle: L becomes its inverse, column by column. Column j of the inverse needs L only
 * from column j on, so it may overwrite column j once columns to the right are still L's: hence
 * from the left, and each column from the top. */
static void invert_lower(double* a, int n) {
    for (int j = 0; j < n; j++)
        a[j * n + j] = 1 / a[j * n + j];
    for (int j = 0; j < n; j++) {
        for (int i = j + 1; i < n; i++) {
            double sum = 0;
            for (int k = j; k < i; k++)
                sum += a[i * n + k] * a[k * n + j];
            a[i * n + j] = -sum * a[i * n + i];
        }
    }
}

int agon_matrix_invert(double* a, int n) {
    assert(a && n >= 1);
    if (cholesky(a, n) != 0)
        return -1;
    invert_lower(a, n);
    /* inverse = L^-T L^-1; entry (i, j), i >= j, needs rows >= i of L^-1: top row first. */
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
            double sum = 0;
            for (int k = i; k < n; k++)
                sum += a[k * n + i] * a[k * n + j];
            a[i * n + j] = sum;
        }
    }
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++)
            a[i * n + j] = a[j * n + i];
    }
    return 0;
}
