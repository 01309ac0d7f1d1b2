/* generalization.c: symmetric questions, paired scores, uneven skill, learning curves. */
#include "engine/metrics/generalization.h"

#include "agents/real.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* ---- symmetric questions ------------------------------------------------------------------- */

static double sum_of(const float* row, int n) {
    double sum = 0;
    for (int a = 0; a < n; a++)
        sum += row[a];
    return sum;
}

/* p ln (p / m), 0 for p = 0. */
static double term(double p, double m) {
    return p > 0 ? p * agon_log(p / m) : 0;
}

/* Jensen-Shannon divergence over ln 2, in [0, 1]. */
static double divergence(const float* x, const float* y, int n) {
    const double x_sum = sum_of(x, n), y_sum = sum_of(y, n);
    double sum = 0;
    for (int a = 0; a < n; a++) {
        const double p = x[a] / x_sum, q = y[a] / y_sum, middle = 0.5 * (p + q);
        sum += 0.5 * term(p, middle) + 0.5 * term(q, middle);
    }
    sum /= agon_log(2);
    return sum < 0 ? 0 : sum > 1 ? 1 : sum;
}

static float top_of(const float* row, int n) {
    float top = row[0];
    for (int a = 1; a < n; a++)
        top = row[a] > top ? row[a] : top;
    return top;
}

static bool same_maxima(const float* x, const float* y, int n, bool* tied) {
    const float x_top = top_of(x, n), y_top = top_of(y, n);
    int x_count = 0, y_count = 0;
    bool same = true;
    for (int a = 0; a < n; a++) {
        same = same && (x[a] == x_top) == (y[a] == y_top);
        x_count += x[a] == x_top;
        y_count += y[a] == y_top;
    }
    *tied = x_count > 1 || y_count > 1;
    return same;
}

static agon_symmetry symmetry_of(const agon_behaviour* b, const float* image, int images,
                                 int agent) {
    agon_symmetry sum = {0, 0, 0};
    for (int k = 0; k < images; k++) {
        for (int s = 0; s < b->states; s++) {
            const float* x = b->probability + ((size_t)agent * b->states + s) * b->actions;
            const float* y = image + (((size_t)agent * images + k) * b->states + s) * b->actions;
            const double weight = b->weight[s] / images;
            bool tied;
            sum.soft += weight * divergence(x, y, b->actions);
            sum.greedy += weight * !same_maxima(x, y, b->actions, &tied);
            sum.ties += weight * tied;
        }
    }
    return sum;
}

int agon_generalization_symmetry(const agon_behaviour* b, const float* image, int images,
                                 agon_symmetry* out) {
    assert(b && image && images >= 1 && out);
    const agon_behaviour other = {b->agents * images, b->states, b->actions, image, b->weight};
    int code = agon_behaviour_check(b);
    code = code ? code : agon_behaviour_check(&other);
    if (code)
        return code;
    for (int i = 0; i < b->agents; i++)
        out[i] = symmetry_of(b, image, images, i);
    return 0;
}

/* ---- paired scores ------------------------------------------------------------------------- */

int agon_generalization_compare(const double* first, const double* second, int n, int samples,
                                agon_key key, agon_comparison* out) {
    assert(first && second && out && n >= 1 && samples >= 2);
    double* apart = malloc((size_t)n * sizeof *apart);
    if (!apart)
        return AGON_EMEMORY;
    agon_comparison c = {0, 0, 0, NAN, {NAN, NAN, NAN, NAN}};
    for (int i = 0; i < n; i++) {
        if (isnan(first[i]) || isnan(second[i]))
            continue;
        c.first += first[i];
        c.second += second[i];
        apart[c.agents++] = first[i] - second[i];
    }
    int code = 0;
    if (c.agents > 0)
        code = agon_summary_bootstrap(apart, c.agents, samples, key, &c.difference);
    free(apart);
    if (code)
        return code;
    c.first = c.agents > 0 ? c.first / c.agents : NAN;
    c.second = c.agents > 0 ? c.second / c.agents : NAN;
    c.ratio = c.second > 0 ? c.first / c.second : NAN;
    *out = c;
    return 0;
}

/* ---- uneven skill -------------------------------------------------------------------------- */

/* sorted: rising, n >= 1, in [0, 1]. */
static agon_jaggedness jaggedness_of(const double* sorted, int n) {
    const int tenth = (n + 9) / 10;
    double sum = 0, pairs = 0, worst = 0;
    for (int k = 0; k < n; k++) {
        sum += sorted[k];
        pairs += (2.0 * k - n + 1) * sorted[k]; /* sum over pairs of |difference| */
        worst += k >= n - tenth ? 1 - sorted[k] : 0;
    }
    const double success = (n - sum) / n;
    const double gini = pairs / (n * sum), ratio = worst / tenth / success;
    return (agon_jaggedness){sum > 0 ? (gini > 0 ? gini : 0) : NAN,
                             success > 0 ? (ratio < 1 ? 1 - ratio : 0) : NAN};
}

int agon_generalization_jaggedness(const double* error, int n, agon_jaggedness* out) {
    assert(error && n >= 1 && out);
    double* sorted = malloc((size_t)n * sizeof *sorted);
    if (!sorted)
        return AGON_EMEMORY;
    int known = 0;
    bool fine = true;
    for (int k = 0; k < n; k++) {
        if (isnan(error[k]))
            continue;
        fine = fine && error[k] >= -1e-9 && error[k] <= 1 + 1e-9;
        sorted[known++] = error[k] < 0 ? 0 : error[k] > 1 ? 1 : error[k];
    }
    if (fine && known > 0)
        agon_summary_sort(sorted, known);
    if (fine)
        *out = known > 0 ? jaggedness_of(sorted, known) : (agon_jaggedness){NAN, NAN};
    free(sorted);
    return fine ? 0 : AGON_EINVALID;
}

void agon_generalization_strata(const double* failure, const double* weight, const int* stratum,
                                int agents, int states, int strata, double* out) {
    assert(failure && weight && stratum && out);
    for (int i = 0; i < agents; i++) {
        for (int k = 0; k < strata; k++) {
            double sum = 0, mass = 0;
            for (int s = 0; s < states; s++) {
                sum += stratum[s] == k ? weight[s] * failure[(size_t)i * states + s] : 0;
                mass += stratum[s] == k ? weight[s] : 0;
            }
            const double mean = mass > 0 ? sum / mass : NAN;
            out[(size_t)i * strata + k] = mean > 1 ? 1 : mean;
        }
    }
}

/* ---- learning curves ----------------------------------------------------------------------- */

/* Comparisons are written so that NaN fails them. */
static bool is_curve(const double* steps, const double* strength, int points) {
    for (int k = 0; k < points; k++) {
        if (!(steps[k] > (k > 0 ? steps[k - 1] : 0)) || isinf(steps[k]) || !isfinite(strength[k]))
            return false;
    }
    return true;
}

static double steps_to(const double* steps, const double* strength, int points, double bar) {
    int k = 0;
    while (k < points && strength[k] < bar)
        k++;
    if (k == points)
        return NAN;
    if (k == 0)
        return steps[0];
    const double along = (bar - strength[k - 1]) / (strength[k] - strength[k - 1]);
    const double from = agon_log(steps[k - 1]), to = agon_log(steps[k]);
    return agon_exp(from + along * (to - from));
}

int agon_generalization_learning(const double* steps, const double* strength, int points,
                                 const double* bar, int bars, double* reached, double* area) {
    assert(steps && strength && points >= 1 && (bars == 0 || (bar && reached)) && area);
    if (!is_curve(steps, strength, points))
        return AGON_EINVALID;
    for (int k = 0; k < bars; k++)
        reached[k] = steps_to(steps, strength, points, bar[k]);
    double sum = 0; /* natural logarithms: their unit cancels */
    for (int k = 1; k < points; k++)
        sum += 0.5 * (strength[k] + strength[k - 1]) * agon_log(steps[k] / steps[k - 1]);
    *area = points > 1 ? sum / agon_log(steps[points - 1] / steps[0]) : NAN;
    return 0;
}
