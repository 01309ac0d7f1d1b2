/* permutation.c: exact enumeration of re-labellings, and random ones beyond. */
#include "engine/metrics/permutation.h"

#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define RELATIVE 1e-9 /* statistics this near count as equal */

/* One test in progress. Values are about their common mean, so that sums of squares are exact
 * enough. */
typedef struct trial {
    double* value; /* (total) */
    int total, chosen;
    agon_permutation_statistic statistic;
    double sum, square; /* of all values */
    double bar;         /* what a statistic must reach */
    double hits, tried;
} trial;

/* The statistic, when `chosen` values with these sums are the first group. */
static double statistic_of(const trial* t, double sum, double square) {
    const double k = t->chosen, l = t->total - t->chosen;
    const double a = sum / k, b = (t->sum - sum) / l;
    if (t->statistic == AGON_PERMUTATION_MEAN)
        return a - b;
    const double least = 1e-14 * t->square; /* rounding of the subtractions below */
    double u = square - k * a * a, v = t->square - square - l * b * b;
    double error = sqrt((u > least ? u : 0) / (k - 1) / k + (v > least ? v : 0) / (l - 1) / l);
    if (error > 0)
        return (a - b) / error;
    return fabs(a - b) > 1e-7 * sqrt(t->square / t->total) ? copysign(INFINITY, a - b) : 0;
}

static void judge(trial* t, double statistic) {
    t->tried += 1;
    t->hits += fabs(statistic) >= t->bar;
}

/* Every choice of `left` more values from position `from` on. */
static void choose(trial* t, int from, int left, double sum, double square) {
    if (left == 0) {
        judge(t, statistic_of(t, sum, square));
        return;
    }
    for (int i = from; i + left <= t->total; i++)
        choose(t, i + 1, left - 1, sum + t->value[i], square + t->value[i] * t->value[i]);
}

/* Every choice of signs from position `from` on. */
static void flip(trial* t, int from, double sum) {
    if (from == t->total) {
        judge(t, sum / t->total);
        return;
    }
    flip(t, from + 1, sum + t->value[from]);
    flip(t, from + 1, sum - t->value[from]);
}

/* C(n, k), or more than the limit when it is beyond it. */
static double choices(int n, int k) {
    double count = 1;
    for (int i = 1; i <= k && count <= AGON_PERMUTATION_EXACT; i++)
        count = count * (n - k + i) / i;
    return count;
}

static int all_finite(const double* values, int n) {
    for (int i = 0; i < n; i++) {
        if (!isfinite(values[i]))
            return 0;
    }
    return 1;
}

/* scale: size of the values, for a measured statistic that is 0 but for rounding. */
static void set_bar(trial* t, double measured, double scale) {
    t->bar = fabs(measured) * (1 - RELATIVE) - 1e-12 * scale;
}

static void finish(const trial* t, double measured, int exact, agon_permutation* out) {
    double p = exact ? t->hits / t->tried : (1 + t->hits) / (1 + t->tried);
    *out = (agon_permutation){measured, p, t->tried, exact};
}

/* value = u, then v, about their common mean; fills the sums and the bar. Returns the statistic as
 * labelled. */
static double prepare_groups(trial* t, const double* u, int n, const double* v, int m) {
    double mean = 0, sum = 0, square = 0, scale = 0;
    for (int i = 0; i < n + m; i++)
        mean += (i < n ? u[i] : v[i - n]) / (n + m);
    for (int i = 0; i < n + m; i++) {
        double x = (i < n ? u[i] : v[i - n]) - mean;
        t->value[i] = x;
        t->sum += x;
        t->square += x * x;
        scale = fmax(scale, fabs(x));
        sum += i < n ? x : 0;
        square += i < n ? x * x : 0;
    }
    double measured = statistic_of(t, sum, square);
    set_bar(t, measured, t->statistic == AGON_PERMUTATION_MEAN ? scale : 1);
    return measured;
}

static void sample_groups(trial* t, int samples, agon_key key, uint32_t* order) {
    for (int s = 0; s < samples; s++) {
        agon_shuffle(key, (uint32_t)s, order, (uint32_t)t->total);
        double sum = 0, square = 0;
        for (int i = 0; i < t->chosen; i++) {
            double x = t->value[order[i]];
            sum += x;
            square += x * x;
        }
        judge(t, statistic_of(t, sum, square));
    }
}

int agon_permutation_groups(const double* u, int n, const double* v, int m,
                            agon_permutation_statistic statistic, int samples, agon_key key,
                            agon_permutation* out) {
    assert(u && v && n >= 1 && m >= 1 && samples >= 1 && out);
    if (!all_finite(u, n) || !all_finite(v, m))
        return AGON_EINVALID;
    if (statistic == AGON_PERMUTATION_STUDENT && (n < 2 || m < 2))
        return AGON_EINVALID;
    trial t = {.total = n + m, .chosen = n, .statistic = statistic};
    t.value = malloc((size_t)t.total * sizeof *t.value);
    uint32_t* order = malloc((size_t)t.total * sizeof *order);
    if (t.value && order) {
        double measured = prepare_groups(&t, u, n, v, m);
        int exact = choices(n + m, n < m ? n : m) <= AGON_PERMUTATION_EXACT;
        if (exact) {
            t.chosen = n < m ? n : m; /* whichever group is chosen, the other is the rest */
            choose(&t, 0, t.chosen, 0, 0);
        } else {
            sample_groups(&t, samples, key, order);
        }
        finish(&t, measured, exact, out);
    }
    int code = t.value && order ? 0 : AGON_EMEMORY;
    free(t.value);
    free(order);
    return code;
}

static void sample_signs(trial* t, int samples, agon_key key) {
    for (int s = 0; s < samples; s++) {
        agon_draw draw = {{0}};
        double sum = 0;
        for (int i = 0; i < t->total; i++) {
            if (i % 128 == 0)
                draw = agon_random(key, (uint32_t)s, (uint32_t)(i / 128), 0, 0);
            sum += draw.word[i % 128 / 32] >> i % 32 & 1 ? t->value[i] : -t->value[i];
        }
        judge(t, sum / t->total);
    }
}

int agon_permutation_pairs(const double* difference, int n, int samples, agon_key key,
                           agon_permutation* out) {
    assert(difference && n >= 1 && samples >= 1 && out);
    if (!all_finite(difference, n))
        return AGON_EINVALID;
    trial t = {.total = n};
    t.value = malloc((size_t)n * sizeof *t.value);
    if (!t.value)
        return AGON_EMEMORY;
    double sum = 0, scale = 0;
    for (int i = 0; i < n; i++) {
        t.value[i] = difference[i];
        sum += difference[i];
        scale = fmax(scale, fabs(difference[i]));
    }
    set_bar(&t, sum / n, scale);
    const int exact = n < 31 && (1 << n) <= AGON_PERMUTATION_EXACT;
    if (exact)
        flip(&t, 0, 0);
    else
        sample_signs(&t, samples, key);
    finish(&t, sum / n, exact, out);
    free(t.value);
    return 0;
}
