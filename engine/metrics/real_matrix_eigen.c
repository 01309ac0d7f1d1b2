/* real_matrix_eigen.c: eigenvalues by tridiagonal form, singular values by rotations of rows. */
#include "engine/metrics/real_matrix.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#define LANES 8

/* Partial sums side by side: an order of summation that is fixed, and that vector units like. */
static double dot(const double* x, const double* y, int n) {
    double lane[LANES] = {0}, sum = 0;
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int k = 0; k < LANES; k++)
            lane[k] = fma(x[i + k], y[i + k], lane[k]);
    }
    for (; i < n; i++)
        sum += x[i] * y[i];
    for (int k = 0; k < LANES; k++)
        sum += lane[k];
    return sum;
}

/* y += c x */
static void add_multiple(double* restrict y, double c, const double* restrict x, int n) {
    for (int i = 0; i < n; i++)
        y[i] = fma(c, x[i], y[i]);
}

/* (x, y) <- (c x - s y, s x + c y) */
static void rotate_rows(double* restrict x, double* restrict y, int n, double c, double s) {
    for (int i = 0; i < n; i++) {
        const double a = x[i], b = y[i];
        x[i] = c * a - s * b;
        y[i] = s * a + c * b;
    }
}

static void swap_rows(double* restrict x, double* restrict y, int n) {
    for (int i = 0; i < n; i++) {
        const double keep = x[i];
        x[i] = y[i];
        y[i] = keep;
    }
}

static void fill(double* x, size_t count, double value) {
    for (size_t i = 0; i < count; i++)
        x[i] = value;
}

/* The sign that does not depend on how the vector was found. */
static double sign_of(const double* x, int n) {
    int best = 0;
    for (int i = 1; i < n; i++)
        best = fabs(x[i]) > fabs(x[best]) ? i : best;
    return x[best] < 0 ? -1 : 1;
}

static void scale(double* x, int n, double by) {
    for (int i = 0; i < n; i++)
        x[i] *= by;
}

/* ---- eigenvalues: to tridiagonal form ------------------------------------------------------ */

/* Turns x (m) into u so that (1 - u u' / h) x has only a last entry, *last. Returns h; 0: x has it
 * already, and u is 0. */
static double reflector(double* x, int m, double* last) {
    const double rest = dot(x, x, m - 1), end = x[m - 1];
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

/* Rows 0..m-1 of the lower triangle: A -= u q' + q u', and p = A v. One pass over memory. */
static void update_and_multiply(double* a, int n, int m, const double* u, const double* q,
                                const double* v, double* p) {
    for (int j = 0; j < m; j++) {
        double* row = a + (size_t)j * n;
        update_row(row, j + 1, u[j], q[j], u, q);
        p[j] = dot(row, v, j) + row[j] * v[j];
        add_multiple(p, v[j], row, j);
    }
}

/* a (n, n), lower triangle: becomes T = Q' A Q with diagonal d and T_(i, i-1) = e_i. Row i keeps
 * reflector i (its first i entries), h_i belongs to it. The update of each step is done in the pass
 * of the next one: rows are read and written once per step. p, q: scratch (n). */
static void tridiagonalise(double* a, int n, double* d, double* e, double* h, double* p,
                           double* q) {
    fill(q, (size_t)n, 0);
    const double* u = q; /* nothing to update yet: 0 */
    for (int i = n - 1; i >= 1; i--) {
        double* row = a + (size_t)i * n;
        update_row(row, i + 1, u[i], q[i], u, q);
        d[i] = row[i];
        h[i] = reflector(row, i, &e[i]);
        update_and_multiply(a, n, i, u, q, row, p);
        const double inverse = h[i] > 0 ? 1 / h[i] : 0;
        scale(p, i, inverse);
        add_multiple(p, -0.5 * inverse * dot(p, row, i), row, i);
        double* done = q;
        q = p;
        p = done;
        u = row;
    }
    update_row(a, 1, u[0], q[0], u, q);
    d[0] = a[0];
    e[0] = h[0] = 0;
}

/* z (n, n) = Q': z becomes z (1 - u u' / h), reflector by reflector; u_i leaves rows beyond i be.
 */
static void rotation_of(const double* a, const double* h, int n, double* z) {
    fill(z, (size_t)n * n, 0);
    for (int i = 0; i < n; i++)
        z[(size_t)i * n + i] = 1;
    for (int i = 1; i < n; i++) {
        const double* u = a + (size_t)i * n;
        for (int j = 0; j < i && h[i] > 0; j++) {
            double* row = z + (size_t)j * n;
            add_multiple(row, -dot(row, u, i) / h[i], u, i);
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
            rotate_rows(z + (size_t)i * n, z + (size_t)(i + 1) * n, n, c, s);
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

/* Rising (sign 1) or falling (-1), with the rows of up to two matrices beside. By selection: few
 * rows move, and O(n^2) is nothing beside the rest. */
static void sort_with(double* key, int n, int sign, double* x, int nx, double* y, int ny) {
    for (int i = 0; i < n; i++) {
        int first = i;
        for (int j = i + 1; j < n; j++)
            first = sign * key[j] < sign * key[first] ? j : first;
        if (first == i)
            continue;
        swap_rows(key + i, key + first, 1);
        if (x)
            swap_rows(x + (size_t)i * nx, x + (size_t)first * nx, nx);
        if (y)
            swap_rows(y + (size_t)i * ny, y + (size_t)first * ny, ny);
    }
}

/* ---- eigenvalues: all of it ---------------------------------------------------------------- */

/* Copies the lower triangle; 0 when an entry is not finite, or too large to square. */
static int copy_lower(const double* matrix, int n, double* to) {
    double energy = 0;
    for (int i = 0; i < n; i++) {
        const size_t at = (size_t)i * n;
        memmove(to + at, matrix + at, (size_t)(i + 1) * sizeof *to);
        energy += dot(to + at, to + at, i + 1);
    }
    return isfinite(energy);
}

int agon_matrix_eigen(const double* matrix, int n, double* out, double* vectors, double* work) {
    assert(matrix && out && work && n >= 1);
    double *e = work + (size_t)n * n, *h = e + n, *p = h + n, *q = p + n;
    int failed = !copy_lower(matrix, n, work);
    if (!failed) {
        tridiagonalise(work, n, out, e, h, p, q);
        if (vectors)
            rotation_of(work, h, n, vectors);
        failed = diagonalise(out, e, n, vectors);
    }
    if (failed) {
        fill(out, (size_t)n, NAN);
        if (vectors)
            fill(vectors, (size_t)n * n, NAN);
        return -1;
    }
    sort_with(out, n, 1, vectors, n, NULL, 0);
    for (int i = 0; vectors && i < n; i++)
        scale(vectors + (size_t)i * n, n, sign_of(vectors + (size_t)i * n, n));
    return 0;
}

/* ---- singular values ----------------------------------------------------------------------- */

#define MAX_SWEEPS 64 /* 6 to 10 are usual; the bound is for hostile input */

/* Makes rows x and y orthogonal, the longer one first. turn: rows (k) rotated along, or NULL. A row
 * of at most `least` energy is rounding, whose direction means nothing and never settles. Returns 1
 * when they were not. */
static int orthogonalise(double* x, double* y, int n, double* turn_x, double* turn_y, int k,
                         double least) {
    const double xx = dot(x, x, n), yy = dot(y, y, n), xy = dot(x, y, n);
    if (xx < yy) {
        swap_rows(x, y, n);
        if (turn_x)
            swap_rows(turn_x, turn_y, k);
    }
    const double large = fmax(xx, yy), small = fmin(xx, yy);
    if (small <= least || !(fabs(xy) > DBL_EPSILON * sqrt(xx) * sqrt(yy) * sqrt(n)))
        return xx < yy;
    /* tan of the angle: the smaller root of t^2 + 2 theta t - 1 = 0 */
    const double theta = (small - large) / (2 * xy);
    const double root = 1 / (fabs(theta) + sqrt(fma(theta, theta, 1)));
    const double t = theta < 0 ? -root : root, c = 1 / sqrt(fma(t, t, 1)), s = c * t;
    rotate_rows(x, y, n, c, s);
    if (turn_x)
        rotate_rows(turn_x, turn_y, k, c, s);
    return 1;
}

/* w (k, n): rows become orthogonal, by sweeps over all pairs. turn (k, k) or NULL. */
static int orthogonalise_rows(double* w, int k, int n, double* turn) {
    const double energy = dot(w, w, k * n);
    const double least = DBL_EPSILON * DBL_EPSILON * energy;
    for (int sweep = 0; sweep < MAX_SWEEPS; sweep++) {
        int turned = 0;
        for (int i = 0; i < k; i++) {
            for (int j = i + 1; j < k; j++)
                turned |= orthogonalise(w + (size_t)i * n, w + (size_t)j * n, n,
                                        turn ? turn + (size_t)i * k : NULL,
                                        turn ? turn + (size_t)j * k : NULL, k, least);
        }
        if (!turned)
            return 0;
    }
    return -1;
}

/* w (k, n) = a or its transpose, whichever has fewer rows. Returns 1 when all is finite. */
static int copy_flat(const double* a, int rows, int cols, double* w) {
    double energy = 0;
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < cols; j++) {
            const double x = a[(size_t)i * cols + j];
            w[rows <= cols ? (size_t)i * cols + j : (size_t)j * rows + i] = x;
            energy = fma(x, x, energy);
        }
    }
    return isfinite(energy);
}

/* Rows of w to unit length; those without length to 0. */
static void normalise_rows(double* w, const double* length, int k, int n) {
    const double least = k > 0 ? length[0] * DBL_EPSILON * n : 0;
    for (int i = 0; i < k; i++)
        scale(w + (size_t)i * n, n, length[i] > least ? 1 / length[i] : 0);
}

/* One sign for both vectors of a singular value, by the shorter side's. */
static void fix_signs(double* w, int n, double* turn, int k) {
    for (int i = 0; i < k; i++) {
        const double sign = sign_of(turn + (size_t)i * k, k);
        scale(turn + (size_t)i * k, k, sign);
        scale(w + (size_t)i * n, n, sign);
    }
}

int agon_matrix_singular(const double* a, int rows, int cols, double* out, double* u, double* v,
                         double* work) {
    assert(a && out && work && rows >= 1 && cols >= 1);
    const int k = rows < cols ? rows : cols, n = rows < cols ? cols : rows;
    double *w = work, *turn = work + (size_t)k * n, *side = rows <= cols ? u : v,
           *far = rows <= cols ? v : u;
    int failed = !copy_flat(a, rows, cols, w);
    if (!failed) {
        fill(turn, (size_t)k * k, 0);
        for (int i = 0; i < k; i++)
            turn[(size_t)i * k + i] = 1;
        failed = orthogonalise_rows(w, k, n, u || v ? turn : NULL);
    }
    for (int i = 0; i < k; i++)
        out[i] = failed ? NAN : sqrt(dot(w + (size_t)i * n, w + (size_t)i * n, n));
    if (failed) {
        fill(w, (size_t)k * (n + k), NAN);
    } else {
        sort_with(out, k, -1, w, n, turn, k);
        normalise_rows(w, out, k, n);
        fix_signs(w, n, turn, k);
    }
    if (side)
        memcpy(side, turn, (size_t)k * k * sizeof *side);
    if (far)
        memcpy(far, w, (size_t)k * n * sizeof *far);
    return failed ? -1 : 0;
}
