/* real_matrix.c: Jacobi, elimination, Cholesky. */
#include "engine/metrics/real_matrix.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- eigenvalues --------------------------------------------------------------------------- */

#define MAX_SWEEPS 64 /* 6 to 10 are usual; the bound is for hostile input */

/* Sum of squares above the diagonal; with the diagonal in *diagonal. */
static double upper_energy(const double* a, int n, double* diagonal) {
    double off = 0;
    *diagonal = 0;
    for (int i = 0; i < n; i++) {
        *diagonal += a[i * n + i] * a[i * n + i];
        for (int j = i + 1; j < n; j++)
            off += a[i * n + j] * a[i * n + j];
    }
    return off;
}

/* Tangent of the angle that turns a_pq to 0: the smaller root of t^2 + 2 theta t - 1 = 0, which
 * keeps the rotation below 45 degrees and the method convergent. */
static double rotation_tangent(double app, double aqq, double apq) {
    double theta = (aqq - app) / (2 * apq);
    double t = 1 / (fabs(theta) + sqrt(theta * theta + 1));
    return theta < 0 ? -t : t;
}

/* Full storage: each rotation touches rows p and q, then columns p and q. */
static void rotate(double* a, int n, int p, int q) {
    double t = rotation_tangent(a[p * n + p], a[q * n + q], a[p * n + q]);
    double c = 1 / sqrt(t * t + 1), s = t * c, apq = a[p * n + q];
    double* row_p = a + (size_t)p * n;
    double* row_q = a + (size_t)q * n;
    double app = row_p[p] - t * apq, aqq = row_q[q] + t * apq;
    for (int i = 0; i < n; i++) {
        double x = row_p[i], y = row_q[i];
        row_p[i] = c * x - s * y;
        row_q[i] = s * x + c * y;
    }
    row_p[p] = app;
    row_q[q] = aqq;
    row_p[q] = row_q[p] = 0;
    for (int i = 0; i < n; i++) {
        if (i != p && i != q) {
            a[i * n + p] = row_p[i];
            a[i * n + q] = row_q[i];
        }
    }
}

static int compare_doubles(const void* a, const void* b) {
    double x = *(const double*)a, y = *(const double*)b;
    return (x > y) - (x < y);
}

void agon_matrix_eigenvalues(const double* matrix, int n, double* out, double* work) {
    assert(matrix && out && work && n >= 1);
    for (int i = 0; i < n; i++) {
        for (int j = i; j < n; j++)
            work[i * n + j] = work[j * n + i] = matrix[i * n + j];
    }
    double diagonal, off = upper_energy(work, n, &diagonal);
    int finite = isfinite(off + diagonal);
    for (int sweep = 0; finite && sweep < MAX_SWEEPS && off > 1e-32 * diagonal; sweep++) {
        for (int p = 0; p < n; p++) {
            for (int q = p + 1; q < n; q++) {
                if (work[p * n + q] != 0)
                    rotate(work, n, p, q);
            }
        }
        off = upper_energy(work, n, &diagonal);
    }
    for (int i = 0; i < n; i++)
        out[i] = finite ? work[i * n + i] : NAN;
    qsort(out, (size_t)n, sizeof *out, compare_doubles);
}

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
