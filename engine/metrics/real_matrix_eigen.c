/* real_matrix_eigen.c: eigenvalues by way of the tridiagonal form. */
#include "engine/metrics/real_matrix.h"
#include "engine/metrics/real_vector.h"
#include "games/error.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- eigenvalues: to tridiagonal form ------------------------------------------------------ */

/* Turns x (m) into u so that (1 - u u' / h) x has only a last entry, *last. Returns h; 0: x has it
 * already, and u is 0. */
static double reflector(double* x, int m, double* last) {
    const double rest = agon__dot(x, x, m - 1), end = x[m - 1];
    *last = end;
    if (rest == 0) {
        x[m - 1] = 0;
        return 0;
    }
    const double norm = sqrt(fma(end, end, rest));
    *last = end > 0 ? -norm : norm; /* no cancellation in u's last entry */
    x[m - 1] = end - *last;
    return 0.5 * (rest + x[m - 1] * x[m - 1]);
}

/* row -= u_j q' + q_j u' */
static void update_row(double* restrict row, int n, double uj, double qj, const double* restrict u,
                       const double* restrict q) {
    for (int k = 0; k < n; k++)
        row[k] = fma(-qj, u[k], fma(-uj, q[k], row[k]));
}

/* p += c x, and returns x . v, reading x once. next: what will be x; memory is asked for it. */
static double dot_and_add(const double* restrict x, const double* restrict v, double c,
                          double* restrict p, int n, const double* next) {
    const agon__quad times = {c, c, c, c};
    agon__quad sum[2] = {{0}, {0}};
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        __builtin_prefetch(next + i);
        for (int k = 0; k < 2; k++) {
            const agon__quad part = agon__load(x + i + 4 * k);
            const agon__quad to = agon__multiply_add(times, part, agon__load(p + i + 4 * k));
            sum[k] = agon__multiply_add(part, agon__load(v + i + 4 * k), sum[k]);
            memcpy(p + i + 4 * k, &to, sizeof to);
        }
    }
    double rest = 0;
    for (; i < n; i++) {
        rest = fma(x[i], v[i], rest);
        p[i] = fma(c, x[i], p[i]);
    }
    const agon__quad all = sum[0] + sum[1];
    return ((all[0] + all[1]) + (all[2] + all[3])) + rest;
}

/* p (m) = A v, of the first m rows of the lower triangle. */
static void multiply(const double* a, int n, int m, const double* v, double* p) {
    for (int j = 0; j < m; j++) {
        const double* row = a + (size_t)j * n;
        p[j] = dot_and_add(row, v, v[j], p, j, row + (j + 1 < m ? n : 0)) + row[j] * v[j];
    }
}

/* Reflectors whose update of the rows above waits: u_t is row `top` - t of the matrix, q_t row t of
 * q. */
typedef struct panel {
    const double* u; /* row `top` */
    const double* q;
    int n, count;
} panel;

#define STRIPE 256 /* columns: a stripe of 2 PANEL vectors fits the second cache */

/* Rows 0..m-1 of the lower triangle: A -= sum_t u_t q_t' + q_t u_t'. */
static void update_rows(double* a, int m, const panel* w) {
    for (int from = 0; from < m; from += STRIPE) {
        for (int j = from; j < m; j++) {
            double* row = a + (size_t)j * w->n + from;
            const int count = j - from + 1 < STRIPE ? j - from + 1 : STRIPE;
            for (int t = 0; t < w->count; t++) {
                const double *u = w->u - (size_t)t * w->n, *q = w->q + (size_t)t * w->n;
                update_row(row, count, u[j], q[j], u + from, q + from);
            }
        }
    }
}

/* q (i) = p - (p . v / 2h) v with p = A v / h, A with what waits, v reflector i of h. */
static void companion(const double* a, const panel* w, int i, const double* v, double h,
                      double* q) {
    const double inverse = h > 0 ? 1 / h : 0;
    multiply(a, w->n, i, v, q);
    for (int t = 0; t < w->count; t++) {
        const double *ut = w->u - (size_t)t * w->n, *qt = w->q + (size_t)t * w->n;
        const double along_q = agon__dot(qt, v, i), along_u = agon__dot(ut, v, i);
        agon__add_multiple(q, -along_q, ut, i);
        agon__add_multiple(q, -along_u, qt, i);
    }
    agon__scale(q, i, inverse);
    agon__add_multiple(q, -0.5 * inverse * agon__dot(q, v, i), v, i);
}

/* a (n, n), lower triangle: becomes T = Q' A Q with diagonal d and T_(i, i-1) = e_i. Row i keeps
 * reflector i (its first i entries), h_i belongs to it. The updates of `most` steps are done in one
 * pass, so that each step reads the matrix once. q: scratch (most, n). */
static void tridiagonalise(double* a, int n, double* d, double* e, double* h, double* q, int most) {
    for (int top = n - 1; top >= 1;) {
        panel w = {a + (size_t)top * n, q, n, 0};
        int i = top;
        for (; i >= 1 && w.count < most; i--, w.count++) {
            double* row = a + (size_t)i * n;
            for (int t = 0; t < w.count; t++) {
                const double *ut = w.u - (size_t)t * n, *qt = q + (size_t)t * n;
                update_row(row, i + 1, ut[i], qt[i], ut, qt);
            }
            d[i] = row[i];
            h[i] = reflector(row, i, &e[i]);
            companion(a, &w, i, row, h[i], q + (size_t)w.count * n);
        }
        update_rows(a, i + 1, &w);
        top = i;
    }
    d[0] = a[0];
    e[0] = h[0] = 0;
}

/* z (n, n) = Q': z becomes z (1 - u u' / h), reflector by reflector; u_i leaves rows beyond i be.
 */
static void rotation_of(const double* a, const double* h, int n, double* z) {
    agon__fill(z, (size_t)n * n, 0);
    for (int i = 0; i < n; i++)
        z[(size_t)i * n + i] = 1;
    for (int i = 1; i < n; i++) {
        const double* u = a + (size_t)i * n;
        for (int j = 0; j < i && h[i] > 0; j++) {
            double* row = z + (size_t)j * n;
            agon__add_multiple(row, -agon__dot(row, u, i) / h[i], u, i);
        }
    }
}

/* ---- eigenvalues: of the tridiagonal form -------------------------------------------------- */

#define MAX_TURNS 60 /* per eigenvalue; 1 or 2 are usual */

/* The first i >= from whose link to i + 1 is nothing but rounding. */
static int split_after(const double* d, const double* e, int n, int from, double floor) {
    int i = from;
    while (i + 1 < n) {
        const double link = fabs(e[i + 1]);
        if (link <= floor || link <= DBL_EPSILON * (fabs(d[i]) + fabs(d[i + 1])))
            break;
        i++;
    }
    return i;
}

/* The eigenvalue of the leading 2 x 2 block of d, e at l that is nearer to d_l. */
static double shift_at(const double* d, const double* e, int l) {
    const double half = 0.5 * (d[l + 1] - d[l]), link = e[l + 1];
    const double root = sqrt(fma(half, half, link * link));
    return d[l] - link * (link / (half + (half < 0 ? -root : root)));
}

/* One implicit QL step on rows l..m: chases the bulge from the bottom up. z: rows are rotated
 * along; may be NULL. */
static void chase(double* d, double* e, int l, int m, double* z, int n) {
    double x = d[m] - shift_at(d, e, l), bulge = e[m];
    for (int i = m - 1; i >= l; i--) {
        /* The rotation of rows i and i + 1 that turns (x, bulge) to (r, 0). */
        const double r = sqrt(fma(x, x, bulge * bulge)), c = r > 0 ? x / r : 1,
                     s = r > 0 ? bulge / r : 0;
        if (i + 2 <= m)
            e[i + 2] = r;
        const double low = d[i + 1], high = d[i], link = e[i + 1];
        const double cross = 2 * c * s * link;
        d[i + 1] = c * c * low + s * s * high + cross;
        d[i] = s * s * low + c * c * high - cross;
        x = c * s * (high - low) + (c * c - s * s) * link;
        e[i + 1] = x;
        if (z)
            agon__rotate_rows(z + (size_t)i * n, z + (size_t)(i + 1) * n, n, c, s);
        if (i > l) {
            bulge = s * e[i];
            e[i] *= c;
        }
    }
}

static int diagonalise(double* d, double* e, int n, double* z) {
    double norm = 0;
    for (int i = 0; i < n; i++)
        norm = fmax(norm, fabs(d[i]) + fabs(e[i]));
    const double floor = norm * DBL_EPSILON / 256;
    for (int l = 0; l < n; l++) {
        for (int turn = 0;; turn++) {
            const int m = split_after(d, e, n, l, floor);
            if (m == l)
                break;
            if (turn == MAX_TURNS)
                return -1;
            chase(d, e, l, m, z, n);
        }
    }
    return 0;
}

/* ---- eigenvalues: all of it ---------------------------------------------------------------- */

/* Copies the lower triangle; 0 when an entry is not finite, or too large to square. */
static int copy_lower(const double* matrix, int n, double* to) {
    double energy = 0;
    for (int i = 0; i < n; i++) {
        const size_t at = (size_t)i * n;
        memmove(to + at, matrix + at, (size_t)(i + 1) * sizeof *to);
        energy += agon__dot(to + at, to + at, i + 1);
    }
    return isfinite(energy);
}

#define PANEL 32  /* steps whose updates wait */
#define LARGE 512 /* rows from which waiting pays: the matrix leaves the cache */

/* q: scratch (most, n), else as agon_matrix_eigen. */
static int eigen(const double* matrix, int n, double* out, double* vectors, double* work, double* q,
                 int most) {
    double *e = work + (size_t)n * n, *h = e + n;
    if (!copy_lower(matrix, n, work))
        return -1;
    tridiagonalise(work, n, out, e, h, q, most);
    if (vectors)
        rotation_of(work, h, n, vectors);
    return diagonalise(out, e, n, vectors);
}

int agon_matrix_eigen(const double* matrix, int n, double* out, double* vectors, double* work) {
    assert(matrix && out && work && n >= 1);
    double* panels = n < LARGE ? work + (size_t)n * (n + 2) : malloc(sizeof *panels * PANEL * n);
    const int code =
        panels ? eigen(matrix, n, out, vectors, work, panels, n < LARGE ? 1 : PANEL) : AGON_EMEMORY;
    if (n >= LARGE)
        free(panels);
    if (code) {
        agon__fill(out, (size_t)n, NAN);
        if (vectors)
            agon__fill(vectors, (size_t)n * n, NAN);
        return code;
    }
    agon__sort_with(out, n, 1, vectors, n, NULL, 0);
    for (int i = 0; vectors && i < n; i++)
        agon__scale(vectors + (size_t)i * n, n, agon__sign_of(vectors + (size_t)i * n, n));
    return 0;
}
