/* effect.c: A12, Cliff's delta, Cohen's d, Hedges' g. */
#include "engine/metrics/effect.h"

#include "engine/metrics/summary.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>

double agon_effect_superiority(const double* u, int n, const double* v, int m) {
    assert(u && v && n >= 1 && m >= 1);
    double won = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < m; j++)
            won += u[i] > v[j] ? 1 : u[i] == v[j] ? 0.5 : 0;
    }
    return won / n / m;
}

/* Sum of squares about the mean; NaN when a value is not finite. */
static double squares(const double* values, int n, double mean) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return sum;
}

int agon_effect_size(const double* u, int n, const double* v, int m, agon_effect* out) {
    assert(u && v && n >= 1 && m >= 1 && out);
    const double a = agon_summary_mean(u, n), b = agon_summary_mean(v, m), freedom = n + m - 2;
    const double spread = squares(u, n, a) + squares(v, m, b);
    if (!isfinite(spread))
        return AGON_EINVALID;
    out->difference = a - b;
    out->superiority = agon_effect_superiority(u, n, v, m);
    out->cliff = 2 * out->superiority - 1;
    out->cohen = freedom > 0 ? (a - b) / sqrt(spread / freedom) : NAN;
    out->hedges = freedom > 1 ? out->cohen * (1 - 3 / (4 * freedom - 1)) : freedom > 0 ? 0 : NAN;
    return 0;
}
