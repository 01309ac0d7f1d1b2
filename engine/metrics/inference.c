/* inference.c: interquartile mean, stratified bootstrap, Holm. */
#include "engine/metrics/inference.h"

#include "engine/metrics/effect.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static int all_finite(const double* values, long n) {
    for (long i = 0; i < n; i++) {
        if (!isfinite(values[i]))
            return 0;
    }
    return 1;
}

/* ---- interquartile mean -------------------------------------------------------------------- */

/* values: sorted in place. */
static double iqm_in_place(double* values, int n) {
    const int cut = n / 4;
    agon_summary_sort(values, n);
    return agon_summary_mean(values + cut, n - 2 * cut);
}

int agon_inference_iqm(const double* values, int n, double* out) {
    assert(values && out && n >= 1);
    if (!all_finite(values, n))
        return AGON_EINVALID;
    double* sorted = malloc((size_t)n * sizeof *sorted);
    if (!sorted)
        return AGON_EMEMORY;
    for (int i = 0; i < n; i++)
        sorted[i] = values[i];
    *out = iqm_in_place(sorted, n);
    free(sorted);
    return 0;
}

/* ---- stratified bootstrap ------------------------------------------------------------------ */

static int total_of(const agon_scores* s) {
    int total = 0;
    for (int k = 0; k < s->strata; k++) {
        assert(s->runs[k] >= 1);
        total += s->runs[k];
    }
    return total;
}

/* side: two sets of scores drawn by one key take different numbers. drawn: out, as s->score. */
static void draw_runs(const agon_scores* s, agon_key key, int sample, uint32_t side,
                      double* drawn) {
    int start = 0;
    for (int k = 0; k < s->strata; k++) {
        agon_draw draw = {{0}};
        for (int i = 0; i < s->runs[k]; i++) {
            if (i % 4 == 0)
                draw = agon_random(key, (uint32_t)sample, (uint32_t)(i / 4), (uint32_t)k, side);
            drawn[start + i] =
                s->score[start + (int)agon_below(draw.word[i % 4], (uint32_t)s->runs[k])];
        }
        start += s->runs[k];
    }
}

/* The same strata and runs, other scores. */
static agon_scores with_scores(const agon_scores* s, const double* score) {
    return (agon_scores){s->strata, s->runs, score};
}

static double improvement_of(const agon_scores* x, const agon_scores* y) {
    double sum = 0;
    const double *u = x->score, *v = y->score;
    for (int k = 0; k < x->strata; k++) {
        sum += agon_effect_superiority(u, x->runs[k], v, y->runs[k]);
        u += x->runs[k];
        v += y->runs[k];
    }
    return sum / x->strata;
}

/* figures: sorted in place. */
static void write_interval(double point, double* figures, int samples, agon_interval* out) {
    out->mean = point;
    out->error = agon_summary_error(figures, samples) * sqrt(samples);
    agon_summary_sort(figures, samples);
    out->low = agon_summary_quantile(figures, samples, 0.025);
    out->high = agon_summary_quantile(figures, samples, 0.975);
}

int agon_inference_iqm_bootstrap(const agon_scores* scores, int samples, agon_key key,
                                 agon_interval* out) {
    assert(scores && scores->strata >= 1 && samples >= 2 && out);
    const int n = total_of(scores);
    double point;
    int code = agon_inference_iqm(scores->score, n, &point);
    if (code)
        return code;
    double* block = malloc(((size_t)samples + n) * sizeof *block);
    if (!block)
        return AGON_EMEMORY;
    double* drawn = block + samples;
    for (int i = 0; i < samples; i++) {
        draw_runs(scores, key, i, 0, drawn);
        block[i] = iqm_in_place(drawn, n);
    }
    write_interval(point, block, samples, out);
    free(block);
    return 0;
}

int agon_inference_improvement(const agon_scores* x, const agon_scores* y, int samples,
                               agon_key key, agon_interval* out) {
    assert(x && y && x->strata >= 1 && x->strata == y->strata && samples >= 2 && out);
    const int n = total_of(x), m = total_of(y);
    if (!all_finite(x->score, n) || !all_finite(y->score, m))
        return AGON_EINVALID;
    double* block = malloc(((size_t)samples + n + m) * sizeof *block);
    if (!block)
        return AGON_EMEMORY;
    double *first = block + samples, *second = first + n;
    const agon_scores drawn_x = with_scores(x, first), drawn_y = with_scores(y, second);
    for (int i = 0; i < samples; i++) {
        draw_runs(x, key, i, 0, first);
        draw_runs(y, key, i, 1, second);
        block[i] = improvement_of(&drawn_x, &drawn_y);
    }
    write_interval(improvement_of(x, y), block, samples, out);
    free(block);
    return 0;
}

/* ---- Holm ---------------------------------------------------------------------------------- */

typedef struct ranked {
    double p;
    int index;
} ranked;

static int compare_ranked(const void* a, const void* b) {
    const ranked *x = a, *y = b;
    if (x->p != y->p)
        return x->p < y->p ? -1 : 1;
    return x->index - y->index;
}

int agon_inference_holm(const double* p, int n, double* adjusted) {
    assert(p && adjusted && n >= 1);
    for (int i = 0; i < n; i++) {
        if (!(p[i] >= 0 && p[i] <= 1))
            return AGON_EINVALID;
    }
    ranked* order = malloc((size_t)n * sizeof *order);
    if (!order)
        return AGON_EMEMORY;
    for (int i = 0; i < n; i++)
        order[i] = (ranked){p[i], i};
    qsort(order, (size_t)n, sizeof *order, compare_ranked);
    double least = 0;
    for (int k = 0; k < n; k++) {
        least = fmax(least, fmin(1, (n - k) * order[k].p));
        adjusted[order[k].index] = least;
    }
    free(order);
    return 0;
}
