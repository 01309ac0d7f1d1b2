/* metric_noise.c: what a number would be in other worlds: the bootstrap, the null and the floor of
 * every metric, by one mechanism: a copy of the evidence that shares all but the arrays it changes.
 */
#include "engine/metrics/metric.h"
#include "engine/metrics/metric_world.h"
#include "engine/metrics/normal_stream.h"
#include "engine/metrics/summary.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the metric in many worlds -------------------------------------------------------------- */

typedef struct tally {
    const agon_metric* metric;
    const agon_metric_options* options; /* without a world: of the floor */
    int columns, samples;
    double* value; /* (columns, samples) */
    agon_error* error;
} tally;

static int put_sample(tally* t, const agon__world* w, int sample) {
    double row[AGON_METRIC_COLUMNS];
    const int rc = t->metric->compute(&w->e, &w->options, row, t->error);
    for (int c = 0; !rc && c < t->columns; c++)
        t->value[(size_t)c * (size_t)t->samples + (size_t)sample] = row[c];
    return rc;
}

/* Values of a column that are numbers, sorted to the front; returns how many. */
static int sort_column(tally* t, int column) {
    double* value = t->value + (size_t)column * (size_t)t->samples;
    int count = 0;
    for (int i = 0; i < t->samples; i++) {
        if (!isnan(value[i]))
            value[count++] = value[i];
    }
    if (count > 0)
        agon_summary_sort(value, count);
    return count;
}

static double spread(const double* value, int n) {
    return n > 1 ? agon_summary_error(value, n) * sqrt(n) : NAN;
}

static int add_bootstrap(tally* t, agon__world* w, agon_metric_noise* out) {
    int rc = 0;
    agon__world_widen(w);
    for (int i = 0; !rc && i < t->samples; i++) {
        agon__world_draw(w, t->options->key, (uint32_t)i);
        rc = put_sample(t, w, i);
    }
    for (int c = 0; !rc && c < t->columns; c++) {
        const int n = sort_column(t, c);
        const double* value = t->value + (size_t)c * (size_t)t->samples;
        out[c].error = n < 2 ? NAN : spread(value, n);
        out[c].low = n < 2 ? NAN : agon_summary_quantile(value, n, 0.025);
        out[c].high = n < 2 ? NAN : agon_summary_quantile(value, n, 0.975);
    }
    return rc;
}

static int add_null(tally* t, agon__world* w, agon_metric_noise* out) {
    int rc = 0;
    agon__world_flatten(w);
    for (int i = 0; !rc && i < t->samples; i++) {
        agon__world_draw_null(w, t->options->key, (uint32_t)(t->samples + i));
        rc = put_sample(t, w, i);
    }
    for (int c = 0; !rc && c < t->columns; c++) {
        const int n = sort_column(t, c);
        const double* value = t->value + (size_t)c * (size_t)t->samples;
        out[c].null_mean = n < 2 ? NAN : agon_summary_mean(value, n);
        out[c].null_low = n < 2 ? NAN : agon_summary_quantile(value, n, 0.025);
        out[c].null_high = n < 2 ? NAN : agon_summary_quantile(value, n, 0.975);
    }
    return rc;
}

/* ---- the floor: one agent's samples against themselves --------------------------------------- */

#define FLOOR_AGENTS 50 /* as many agents as the floor is the mean of, at most */

#define MANY 65536 /* samples of a cell beyond which their halves are drawn by the normal law */

/* How many of `all` are among `wanted` that are drawn from `left` without replacement. */
static uint32_t draw_many(uint32_t all, uint32_t wanted, uint32_t left,
                          agon_normal_stream* source) {
    const double share = left ? (double)wanted / left : 0, mean = all * share;
    const double others = left > 1 ? (double)(left - all) / (left - 1) : 0;
    const double x =
        floor(mean + sqrt(mean * (1 - share) * others) * agon_normal_next(source) + .5);
    const double low = wanted > left - all ? wanted - (left - all) : 0;
    return (uint32_t)fmin(all < wanted ? all : wanted, fmax(low, x));
}

static void split_many(const uint32_t* all, int actions, uint32_t left, agon_key key, uint32_t cell,
                       uint32_t* half) {
    agon_normal_stream source = {.key = key, .sample = cell};
    uint32_t wanted = left / 2;
    for (int a = 0; a < actions; a++) {
        half[a] = draw_many(all[a], wanted, left, &source);
        wanted -= half[a];
        left -= all[a];
    }
}

/* Moves half of the samples of one cell, drawn without replacement, from `all` to `half`. */
static void split_cell(const uint32_t* all, int actions, agon_key key, uint32_t cell,
                       uint32_t* half) {
    uint32_t left = 0, wanted, drawn = 0;
    for (int a = 0; a < actions; a++) {
        left += all[a];
        half[a] = 0;
    }
    if (left > MANY) {
        split_many(all, actions, left, key, cell, half);
        return;
    }
    wanted = left / 2;
    for (int a = 0; a < actions; a++) {
        for (uint32_t k = 0; k < all[a] && wanted > 0; k++, left--, drawn++) {
            const agon_draw d = agon_random(key, cell, drawn, 0, 2);
            if (agon_below(d.word[0], left) < wanted) {
                half[a]++;
                wanted--;
            }
        }
    }
}

/* Frequencies of one half; false: it is empty. */
static bool frequencies(const uint32_t* count, int actions, float* out) {
    uint64_t sum = 0;
    for (int a = 0; a < actions; a++)
        sum += count[a];
    for (int a = 0; a < actions; a++)
        out[a] = sum ? (float)((double)count[a] / (double)sum) : a == 0;
    return sum > 0;
}

/* The two halves of an agent as a population of two. `two` shares all but these arrays. */
static bool split_agent(const agon_evidence* e, int agent, agon_key key, agon_evidence* two) {
    agon_answers* a = &two->answers;
    const size_t each = (size_t)a->states * (size_t)a->actions;
    double sum = 0;
    for (int s = 0; s < a->states; s++) {
        const size_t at = (size_t)s * (size_t)a->actions;
        const uint32_t* all = e->answers.count + (size_t)agent * each + at;
        split_cell(all, a->actions, key, (uint32_t)agent * (uint32_t)a->states + (uint32_t)s,
                   a->count + at);
        for (int k = 0; k < a->actions; k++)
            a->count[each + at + (size_t)k] = all[k] - a->count[at + (size_t)k];
        const bool first = frequencies(a->count + at, a->actions, a->probability + at);
        const bool second =
            frequencies(a->count + each + at, a->actions, a->probability + each + at);
        a->weight[s] = first && second ? e->answers.weight[s] : 0;
        sum += a->weight[s];
    }
    for (int s = 0; s < a->states && sum > 0; s++)
        a->weight[s] /= sum;
    return sum > 0;
}

static int floor_of(tally* t, const agon_evidence* e, agon_evidence* two, agon_metric_noise* out) {
    const int agents = e->agents < FLOOR_AGENTS ? e->agents : FLOOR_AGENTS;
    double sum[AGON_METRIC_COLUMNS] = {0}, row[AGON_METRIC_COLUMNS];
    int count = 0, rc = 0;
    for (int i = 0; !rc && i < agents; i++) {
        const int agent = (int)((int64_t)i * e->agents / agents);
        if (!split_agent(e, agent, t->options->key, two))
            continue;
        rc = t->metric->compute(two, t->options, row, t->error);
        for (int c = 0; !rc && c < t->columns; c++)
            sum[c] += row[c];
        count++;
    }
    for (int c = 0; !rc && c < t->columns; c++)
        out[c].floor = count ? sum[c] / count : NAN;
    return rc;
}

static int add_floor(tally* t, const agon_evidence* e, agon_metric_noise* out) {
    const size_t each = (size_t)e->answers.states * (size_t)e->answers.actions;
    agon_evidence two = *e;
    two.agents = 2;
    two.answers.images = 0;
    memset(&two.payoffs, 0, sizeof two.payoffs);
    two.answers.count = calloc(2 * each, sizeof *two.answers.count);
    two.answers.probability = calloc(2 * each, sizeof *two.answers.probability);
    two.answers.weight = calloc((size_t)e->answers.states, sizeof *two.answers.weight);
    const int rc = two.answers.count && two.answers.probability && two.answers.weight
                       ? floor_of(t, e, &two, out)
                       : AGON_EMEMORY;
    free(two.answers.count);
    free(two.answers.probability);
    free(two.answers.weight);
    return rc;
}

typedef int noise_part(tally* t, agon__world* w, agon_metric_noise* out);

static int all_parts(tally* t, agon__world* w, agon_metric_noise* out) {
    const agon_metric* m = t->metric;
    const bool asks = m->needs & AGON__LOOK_ANSWERS, plays = m->needs & AGON__LOOK_PAYOFFS;
    int rc = AGON_OK;
    if (w->known && (w->weight || w->mean || w->anchor || w->tables.agent))
        rc = add_bootstrap(t, w, out);
    if (!rc && w->known && w->mean && (m->needs & AGON_NEEDS_ANTISYMMETRIC) && !asks)
        rc = add_null(t, w, out);
    if (!rc && w->truth->answers.count && (m->needs & AGON_NEEDS_ANSWERS) && !plays)
        rc = add_floor(t, w->truth, out);
    return rc;
}

static int null_part(tally* t, agon__world* w, agon_metric_noise* out) {
    return w->known && w->mean ? add_null(t, w, out) : AGON_OK;
}

static int in_worlds(const agon_metric* m, const agon_evidence* e,
                     const agon_metric_options* options, int samples, noise_part* part,
                     agon_metric_noise* out, agon_error* error) {
    assert(m->shape == AGON_ONE && samples >= 2 && !agon_metric_why(m, e, options));
    tally t = {m, options, agon_metric_columns(m), samples, NULL, error};
    agon__world w;
    for (int c = 0; c < t.columns; c++)
        out[c] = (agon_metric_noise){NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    t.value = malloc((size_t)t.columns * (size_t)samples * sizeof *t.value);
    int rc = agon__world_open(&w, m, e, options);
    if (!rc)
        rc = t.value ? part(&t, &w, out) : AGON_EMEMORY;
    agon__world_close(&w);
    free(t.value);
    return rc == AGON_EMEMORY ? agon_fail(error, rc, "%s: no memory for its bootstrap", m->name)
                              : rc;
}

int agon_metric_bootstrap(const agon_metric* m, const agon_evidence* e,
                          const agon_metric_options* options, int samples, agon_metric_noise* out,
                          agon_error* error) {
    return in_worlds(m, e, options, samples, all_parts, out, error);
}

int agon_metric_null(const agon_metric* m, const agon_evidence* e,
                     const agon_metric_options* options, int samples, agon_metric_noise* out,
                     agon_error* error) {
    assert(m->needs & AGON_NEEDS_ANTISYMMETRIC);
    return in_worlds(m, e, options, samples, null_part, out, error);
}
