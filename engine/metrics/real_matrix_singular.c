/* real_matrix_singular.c: singular values by rotations of rows. */
#include "engine/metrics/real_matrix.h"
#include "engine/metrics/real_vector.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#define MAX_SWEEPS 64 /* 6 to 10 are usual; the bound is for hostile input */

/* Makes rows x and y orthogonal, the longer one first. turn: rows (k) rotated along, or NULL. A row
 * of at most `least` energy is rounding, whose direction means nothing and never settles. Returns 1
 * when they were not. */
static int orthogonalise(double* x, double* y, int n, double* turn_x, double* turn_y, int k,
                         double least) {
    const double xx = agon__dot(x, x, n), yy = agon__dot(y, y, n), xy = agon__dot(x, y, n);
    if (xx < yy) {
        agon__swap_rows(x, y, n);
        if (turn_x)
            agon__swap_rows(turn_x, turn_y, k);
    }
    const double large = fmax(xx, yy), small = fmin(xx, yy);
    if (small <= least || !(fabs(xy) > DBL_EPSILON * sqrt(xx) * sqrt(yy) * sqrt(n)))
        return xx < yy;
    /* tan of the angle: the smaller root of t^2 + 2 theta t - 1 = 0 */
    const double theta = (small - large) / (2 * xy);
    const double root = 1 / (fabs(theta) + sqrt(fma(theta, theta, 1)));
    const double t = theta < 0 ? -root : root, c = 1 / sqrt(fma(t, t, 1)), s = c * t;
    agon__rotate_rows(x, y, n, c, s);
    if (turn_x)
        agon__rotate_rows(turn_x, turn_y, k, c, s);
    return 1;
}

/* w (k, n): rows become orthogonal, by sweeps over all pairs. turn (k, k) or NULL. */
static int orthogonalise_rows(double* w, int k, int n, double* turn) {
    const double least = DBL_EPSILON * DBL_EPSILON * agon__dot(w, w, k * n);
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
        agon__scale(w + (size_t)i * n, n, length[i] > least ? 1 / length[i] : 0);
}

/* One sign for both vectors of a singular value, by the shorter side's. */
static void fix_signs(double* w, int n, double* turn, int k) {
    for (int i = 0; i < k; i++) {
        const double sign = agon__sign_of(turn + (size_t)i * k, k);
        agon__scale(turn + (size_t)i * k, k, sign);
        agon__scale(w + (size_t)i * n, n, sign);
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
        agon__fill(turn, (size_t)k * k, 0);
        for (int i = 0; i < k; i++)
            turn[(size_t)i * k + i] = 1;
        failed = orthogonalise_rows(w, k, n, u || v ? turn : NULL);
    }
    for (int i = 0; i < k; i++)
        out[i] = failed ? NAN : sqrt(agon__dot(w + (size_t)i * n, w + (size_t)i * n, n));
    if (failed) {
        agon__fill(w, (size_t)k * (n + k), NAN);
    } else {
        agon__sort_with(out, k, -1, w, n, turn, k);
        normalise_rows(w, out, k, n);
        fix_signs(w, n, turn, k);
    }
    if (side)
        memcpy(side, turn, (size_t)k * k * sizeof *side);
    if (far)
        memcpy(far, w, (size_t)k * n * sizeof *far);
    return failed ? -1 : 0;
}
