/* summary.c: means, quantiles, bootstrap. */
#include "engine/metrics/summary.h"

#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

double agon_summary_mean(const double* values, int n) {
    assert(values && n >= 1);
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += values[i];
    return sum / n;
}

/* Standard deviation over n - 1; NaN for n = 1 (0 / 0). */
static double deviation(const double* values, int n) {
    double mean = agon_summary_mean(values, n), sum = 0;
    for (int i = 0; i < n; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return n > 1 ? sqrt(sum / (n - 1)) : NAN;
}

double agon_summary_error(const double* values, int n) {
    return deviation(values, n) / sqrt(n);
}

static int compare_doubles(const void* a, const void* b) {
    double x = *(const double*)a, y = *(const double*)b;
    if (isnan(x) || isnan(y))
        return !!isnan(x) - !!isnan(y);
    return (x > y) - (x < y);
}

void agon_summary_sort(double* values, int n) {
    assert(values && n >= 1);
    qsort(values, (size_t)n, sizeof *values, compare_doubles);
}

double agon_summary_quantile(const double* sorted, int n, double q) {
    assert(sorted && n >= 1 && q >= 0 && q <= 1);
    double at = q * (n - 1);
    int below = (int)at;
    if (below >= n - 1)
        return sorted[n - 1];
    return sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]);
}

double agon_summary_median(double* values, int n) {
    agon_summary_sort(values, n);
    return agon_summary_quantile(values, n, 0.5);
}

static double resampled_mean(const double* values, int n, agon_key key, int sample) {
    agon_draw draw = {{0}};
    double sum = 0;
    for (int i = 0; i < n; i++) {
        if (i % 4 == 0)
            draw = agon_random(key, (uint32_t)sample, (uint32_t)(i / 4), 0, 0);
        sum += values[agon_below(draw.word[i % 4], (uint32_t)n)];
    }
    return sum / n;
}

int agon_summary_bootstrap(const double* values, int n, int samples, agon_key key,
                           agon_interval* out) {
    assert(values && out && n >= 1 && samples >= 2);
    for (int i = 0; i < n; i++) {
        if (!isfinite(values[i]))
            return AGON_EINVALID;
    }
    double* means = malloc((size_t)samples * sizeof *means);
    if (!means)
        return AGON_EMEMORY;
    for (int i = 0; i < samples; i++)
        means[i] = resampled_mean(values, n, key, i);
    agon_summary_sort(means, samples);
    out->mean = agon_summary_mean(values, n);
    out->error = deviation(means, samples);
    out->low = agon_summary_quantile(means, samples, 0.025);
    out->high = agon_summary_quantile(means, samples, 0.975);
    free(means);
    return 0;
}

void agon_score_se(uint64_t count, double sum, double sum_squares, double* mean, double* error) {
    assert(mean && error);
    double n = (double)count;
    *mean = count ? sum / n : NAN;
    *error = NAN;
    if (count > 1) {
        double energy = sum_squares - sum * sum / n; /* rounding may leave a little below 0 */
        *error = sqrt((energy > 0 ? energy : 0) / (n - 1) / n);
    }
}
