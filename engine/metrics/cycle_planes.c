/* cycle_planes.c: the real Schur form of an antisymmetric matrix.
 *
 * A = Q T Q' with T antisymmetric and tridiagonal. T joins even with odd positions only: with B the
 * block (even, odd), B = U S V' gives all planes. So nothing is squared, strengths near 0 keep
 * their digits, and equal strengths get orthogonal planes. */
#include "engine/metrics/cycle_planes.h"

#include "agents/real.h"
#include "engine/metrics/real_matrix.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int check(const double* a, int n) {
    double largest = 0, worst = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
            double x = a[(size_t)i * n + j], y = a[(size_t)j * n + i];
            if (!isfinite(x) || !isfinite(y))
                return AGON_EINVALID;
            largest = fmax(largest, fmax(fabs(x), fabs(y)));
            worst = fmax(worst, fabs(x + y));
        }
    }
    return worst <= 1e-9 * largest ? 0 : AGON_EINVALID;
}

int agon_cycle_logits(const double* wins, int n, double* logit) {
    assert(wins && logit && wins != logit && n >= 1);
    for (int i = 0; i < n * n; i++) {
        if (i % (n + 1) != 0 && !(wins[i] >= 0 && isfinite(wins[i])))
            return AGON_EINVALID;
    }
    for (int i = 0; i < n; i++) {
        logit[(size_t)i * n + i] = 0;
        for (int j = 0; j < i; j++) {
            double won = wins[(size_t)i * n + j] + 0.5, lost = wins[(size_t)j * n + i] + 0.5;
            logit[(size_t)i * n + j] = agon_log(won / lost);
            logit[(size_t)j * n + i] = -logit[(size_t)i * n + j];
        }
    }
    return 0;
}

int agon_cycle_rest(const double* a, int n, double* strength, double* rest) {
    assert(a && rest && n >= 1);
    if (check(a, n))
        return AGON_EINVALID;
    double* mean = calloc((size_t)n, sizeof *mean);
    if (!mean)
        return AGON_EMEMORY;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            mean[i] += a[(size_t)i * n + j] / n;
    }
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            rest[(size_t)i * n + j] = a[(size_t)i * n + j] - (mean[i] - mean[j]);
    }
    if (strength)
        memcpy(strength, mean, (size_t)n * sizeof *strength);
    free(mean);
    return 0;
}

/* ---- tridiagonal form ---------------------------------------------------------------------- */

/* v: out (n), the unit vector whose reflection takes column k of t, below row k, to a multiple of
 * the first axis there; zero elsewhere. Returns 0 when there is nothing to do. */
static int reflector(const double* t, int n, int k, double* v) {
    double below = 0, largest = 0;
    for (int i = 0; i < n; i++) {
        v[i] = i > k ? t[(size_t)i * n + k] : 0;
        largest = fmax(largest, fabs(v[i]));
        below = i > k + 1 ? fmax(below, fabs(v[i])) : below;
    }
    if (below == 0)
        return 0;
    double square = 0;
    for (int i = k + 1; i < n; i++) {
        v[i] /= largest;
        square += v[i] * v[i];
    }
    double head = v[k + 1], length = sqrt(square);
    v[k + 1] += head < 0 ? -length : length;
    double norm = sqrt(square - head * head + v[k + 1] * v[k + 1]);
    for (int i = k + 1; i < n; i++)
        v[i] /= norm;
    return 1;
}

/* t becomes P t P and q becomes q P with P = I - 2 v v'. For an antisymmetric t, v' t v = 0, and
 * with w = t v: P t P = t + 2 v w' - 2 w v'. w: scratch (n). v is 0 up to `from`. */
static void reflect(double* t, double* q, int n, int from, const double* v, double* w) {
    for (int i = 0; i < n; i++) {
        double sum = 0, turned = 0;
        for (int j = from; j < n; j++) {
            sum += t[(size_t)i * n + j] * v[j];
            turned += q[(size_t)i * n + j] * v[j];
        }
        w[i] = sum;
        for (int j = from; j < n; j++)
            q[(size_t)i * n + j] -= 2 * turned * v[j];
    }
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            t[(size_t)i * n + j] += 2 * (v[i] * w[j] - w[i] * v[j]);
    }
}

/* t: antisymmetric, becomes tridiagonal; q: out, orthogonal. v, w: scratch (n). */
static void tridiagonal(double* t, double* q, int n, double* v, double* w) {
    for (int i = 0; i < n * n; i++)
        q[i] = i % (n + 1) == 0;
    for (int k = 0; k + 2 < n; k++) {
        if (reflector(t, n, k, v))
            reflect(t, q, n, k + 1, v, w);
    }
}

/* ---- planes -------------------------------------------------------------------------------- */

/* Turns a plane, without mirroring it, as the header says. point: (n, 2). */
static void orient(double* point, int n) {
    double farthest = 0, x = 1, y = 0;
    for (int i = 0; i < n; i++) {
        double radius = sqrt(point[2 * i] * point[2 * i] + point[2 * i + 1] * point[2 * i + 1]);
        if (radius > farthest * (1 + 1e-9)) {
            farthest = radius;
            x = point[2 * i] / radius;
            y = point[2 * i + 1] / radius;
        }
    }
    for (int i = 0; i < n; i++) {
        double a = point[2 * i], b = point[2 * i + 1], turned = x * b - y * a;
        point[2 * i] = x * a + y * b;
        point[2 * i + 1] = fabs(turned) <= 1e-15 * farthest ? 0 : turned;
    }
}

/* Agents in the plane of omega with singular vectors u (even) and v (odd). point: out (n, 2). */
static void place(const double* q, int n, double omega, const double* u, const double* v,
                  double* point) {
    const double scale = sqrt(omega);
    for (int i = 0; i < n; i++) {
        const double* row = q + (size_t)i * n;
        double x = 0, y = 0;
        for (int p = 0; 2 * p < n; p++)
            x += row[2 * p] * u[p];
        for (int p = 0; 2 * p + 1 < n; p++)
            y += row[2 * p + 1] * v[p];
        point[2 * i] = scale * x;
        point[2 * i + 1] = scale * y;
    }
    orient(point, n);
}

/* t, q: scratch (n, n). rest: scratch (n / 2, 3 n) and (2 n). */
static int decompose(const double* a, int n, int planes, double* omega, double* point, double* t,
                     double* q, double* rest) {
    const int odd = n / 2, even = n - odd;
    double *work = rest, *b = work + (size_t)odd * n, *u = b + (size_t)odd * even,
           *v = u + (size_t)odd * even, *pair = v + (size_t)odd * odd;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            t[(size_t)i * n + j] = 0.5 * (a[(size_t)i * n + j] - a[(size_t)j * n + i]);
    }
    tridiagonal(t, q, n, pair, pair + n);
    for (int i = 0; i < even; i++) {
        for (int j = 0; j < odd; j++)
            b[(size_t)i * odd + j] =
                abs(2 * i - (2 * j + 1)) == 1 ? t[(size_t)2 * i * n + 2 * j + 1] : 0;
    }
    if (agon_matrix_singular(b, even, odd, omega, u, v, work))
        return AGON_EINVALID;
    for (int k = 0; k < planes; k++)
        place(q, n, omega[k], u + (size_t)k * even, v + (size_t)k * odd, point + (size_t)k * 2 * n);
    return 0;
}

int agon_cycle_planes(const double* a, int n, int planes, double* omega, double* point) {
    assert(a && n >= 1 && planes >= 0 && planes <= n / 2 && (omega || n < 2) &&
           (point || planes == 0));
    if (check(a, n))
        return AGON_EINVALID;
    if (n < 2)
        return 0;
    const size_t square = (size_t)n * n, odd = (size_t)n / 2;
    double* block = malloc((2 * square + 3 * odd * n + 2 * (size_t)n) * sizeof *block);
    if (!block)
        return AGON_EMEMORY;
    int code = decompose(a, n, planes, omega, point, block, block + square, block + 2 * square);
    free(block);
    return code;
}
