/* alpha_rank.c: fixation probabilities and their stationary distribution, in logarithms. */
#include "engine/metrics/alpha_rank.h"

#include "agents/real.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* ln(1 - exp(-x)), x > 0. */
static double log_rest(double x) {
    if (x > 1e-3)
        return agon_log(1 - agon_exp(-x));
    return agon_log(x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4))));
}

/* ln(exp(a) + exp(b)); -INFINITY is ln 0. */
static double log_add(double a, double b) {
    const double high = a > b ? a : b, low = a > b ? b : a;
    if (low == -INFINITY)
        return high;
    return high + agon_log(1 + agon_exp(low - high));
}

/* ---- fixation ------------------------------------------------------------------------------ */

/* ln of (1 - exp(-u)) / (1 - exp(-size u)). For u < 0 both are turned by exp(u) and exp(size u). */
static double log_fixation(double u, int size) {
    if (fabs(u) < 1e-14)
        return -agon_log(size);
    if (u > 0)
        return log_rest(u) - log_rest(size * u);
    return (size - 1) * u + log_rest(-u) - log_rest(-size * u);
}

/* ln of 1 / (1 + sum_{l < size} prod_{k <= l} exp(-alpha (f_r(k) - f_s(k)))). */
static double log_fixation_general(const double* m, int n, int r, int s,
                                   const agon_alpha_rank_options* o) {
    const double rr = m[r * n + r], rs = m[r * n + s], sr = m[s * n + r], ss = m[s * n + s];
    double sum = 0, product = 0; /* both ln: sum starts at 1 */
    for (int k = 1; k < o->size; k++) {
        const double f_r = ((k - 1) * rr + (o->size - k) * rs) / (o->size - 1);
        const double f_s = ((o->size - k - 1) * ss + k * sr) / (o->size - 1);
        product -= o->alpha * (f_r - f_s);
        sum = log_add(sum, product);
    }
    return -sum;
}

static double log_rho(const double* m, int n, int r, int s, const agon_alpha_rank_options* o) {
    const double rs = m[r * n + s], sr = m[s * n + r];
    switch (o->model) {
    case AGON_ALPHA_CONSTANT_SUM:
        return log_fixation(o->alpha * o->size / (o->size - 1) * (rs - o->sum / 2), o->size);
    case AGON_ALPHA_GENERAL_SUM:
        return log_fixation_general(m, n, r, s, o);
    case AGON_ALPHA_LOCAL:
        return log_fixation(o->alpha * (rs - sr), o->size);
    case AGON_ALPHA_INFINITE:
        return agon_log(rs > sr ? 1 - o->eps : rs < sr ? o->eps : 0.5);
    }
    return -INFINITY;
}

/* ---- stationary distribution --------------------------------------------------------------- */

/* q (n, n): ln of the rates of a chain that can get anywhere from anywhere; the diagonal is not
 * read. Takes states out from the last: whoever goes there goes on at once. Destroys q. p: out (n).
 */
static void stationary(double* q, int n, double* p) {
    for (int k = n - 1; k > 0; k--) {
        double out = -INFINITY;
        for (int j = 0; j < k; j++)
            out = log_add(out, q[k * n + j]);
        for (int i = 0; i < k; i++) {
            q[i * n + k] -= out;
            for (int j = 0; j < k; j++) {
                if (i != j)
                    q[i * n + j] = log_add(q[i * n + j], q[i * n + k] + q[k * n + j]);
            }
        }
    }
    double top = 0, sum = 0;
    p[0] = 0;
    for (int k = 1; k < n; k++) {
        p[k] = -INFINITY;
        for (int i = 0; i < k; i++)
            p[k] = log_add(p[k], p[i] + q[i * n + k]);
        top = p[k] > top ? p[k] : top;
    }
    for (int k = 0; k < n; k++) {
        p[k] = agon_exp(p[k] - top);
        sum += p[k];
    }
    for (int k = 0; k < n; k++)
        p[k] /= sum;
}

static void put_transitions(const double* q, int n, double* transition) {
    for (int s = 0; s < n; s++) {
        double rest = 1;
        for (int r = 0; r < n; r++) {
            if (r == s)
                continue;
            transition[s * n + r] = agon_exp(q[s * n + r]) / (n - 1);
            rest -= transition[s * n + r];
        }
        transition[s * n + s] = rest > 0 ? rest : 0;
    }
}

int agon_alpha_rank(const double* m, int n, const agon_alpha_rank_options* o, double* p,
                    double* transition) {
    assert(m && n >= 1 && o && p);
    assert(o->model == AGON_ALPHA_INFINITE ? o->eps > 0 && o->eps < 0.5
                                           : o->alpha > 0 && isfinite(o->alpha) && o->size >= 2);
    for (int i = 0; i < n * n; i++) {
        if (!isfinite(m[i]))
            return AGON_EINVALID;
    }
    double* q = malloc((size_t)n * n * sizeof *q);
    if (!q)
        return AGON_EMEMORY;
    for (int s = 0; s < n; s++) {
        for (int r = 0; r < n; r++)
            q[s * n + r] = r == s ? -INFINITY : log_rho(m, n, r, s, o);
    }
    if (transition)
        put_transitions(q, n, transition);
    stationary(q, n, p);
    free(q);
    return 0;
}
