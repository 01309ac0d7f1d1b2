/* metric_noise.c: what a number would be in other worlds: the bootstrap, the null and the floor of
 * every metric, by one mechanism: a copy of the evidence that shares all but the arrays it changes.
 */
#include "engine/metrics/metric.h"
#include "engine/metrics/normal_stream.h"
#include "engine/metrics/payoff.h"
#include "engine/metrics/summary.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_PAYOFFS 0u /* of the two tables, which must not share their noise */
#define STREAM_ANCHORS 1u

/* A world: evidence whose changed arrays are the world's own. */
typedef struct world {
    const agon_evidence* truth;
    agon_evidence e;
    double *weight, *mean, *wins, *anchor; /* owned; NULL: shared with the truth */
    double* error;                         /* of a world: see widen_errors */
    double* strength;                      /* (payoff agents) of the null */
    int* member;                           /* (states) of one stratum */
} world;

static int take(double** out, size_t count) {
    *out = malloc((count + 1) * sizeof **out);
    return *out ? 0 : AGON_EMEMORY;
}

/* Does the metric look at a part, whether it insists on it or not? Ratings and mixtures look at
 * pay-offs, everything about answers at the weights of their states. */
static bool looks(const agon_metric* m, unsigned needs) {
    return (m->needs & needs) != 0;
}

#define LOOK_ANSWERS (AGON_NEEDS_ANSWERS | AGON_NEEDS_WORTH | AGON_NEEDS_IMAGES | AGON_NEEDS_COUNTS)
#define LOOK_PAYOFFS (AGON_NEEDS_PAYOFFS | AGON_NEEDS_ANTISYMMETRIC | AGON_NEEDS_WINS)

static int open_states(world* w, size_t states) {
    w->member = malloc(states * sizeof *w->member);
    return w->member ? take(&w->weight, states) : AGON_EMEMORY;
}

static int world_open(world* w, const agon_metric* m, const agon_evidence* truth) {
    const size_t n = (size_t)truth->payoffs.agents;
    *w = (world){.truth = truth, .e = *truth};
    int rc = 0;
    if (looks(m, LOOK_ANSWERS) && truth->answers.states > 0)
        rc = open_states(w, (size_t)truth->answers.states);
    if (!rc && looks(m, LOOK_PAYOFFS) && n > 0) {
        rc = take(&w->mean, n * n);
        if (!rc && truth->payoffs.wins)
            rc = take(&w->wins, n * n);
        if (!rc && truth->payoffs.error)
            rc = take(&w->error, n * n);
        if (!rc)
            rc = take(&w->strength, n);
    }
    if (!rc && looks(m, AGON_NEEDS_ANCHORS) && truth->anchors.anchors > 0)
        rc = take(&w->anchor, (size_t)truth->agents * (size_t)truth->anchors.anchors);
    if (w->weight)
        w->e.answers.weight = w->weight;
    if (w->mean)
        w->e.payoffs.mean = w->mean;
    if (w->wins)
        w->e.payoffs.wins = w->wins;
    if (w->anchor)
        w->e.anchors.mean = w->anchor;
    return rc;
}

static void world_close(world* w) {
    free(w->weight);
    free(w->mean);
    free(w->wins);
    free(w->error);
    free(w->anchor);
    free(w->strength);
    free(w->member);
}

/* ---- states, drawn with replacement -------------------------------------------------------- */

/* Within each stratum, because sets are drawn so: a stratum of one state is known, not sampled. */
static void draw_states(world* w, agon_key key, uint32_t sample) {
    const agon_answers* a = &w->truth->answers;
    double sum = 0;
    memset(w->weight, 0, (size_t)a->states * sizeof *w->weight);
    for (int k = 0; k < a->strata; k++) {
        int size = 0;
        for (int s = 0; s < a->states; s++)
            if (a->stratum[s] == k)
                w->member[size++] = s;
        for (int i = 0; i < size; i++) {
            const agon_draw d = agon_random(key, sample, (uint32_t)i, (uint32_t)k, 1);
            const int s = w->member[agon_below(d.word[0], (uint32_t)size)];
            w->weight[s] += a->weight[s];
            sum += a->weight[s];
        }
    }
    if (sum > 0) {
        for (int i = 0; i < a->states; i++)
            w->weight[i] /= sum;
    } else {
        memcpy(w->weight, a->weight, (size_t)a->states * sizeof *w->weight);
    }
}

/* ---- pay-offs, moved by their errors ------------------------------------------------------- */

static double error_of(const double* error, size_t at) {
    return error && isfinite(error[at]) ? error[at] : 0;
}

/* Points that go with a mean pay-off. */
static double points_of(const agon_payoffs* p, const double* mean, size_t at) {
    const double points = p->games[at] * (1 + mean[at]) / 2;
    return points < 0 ? 0 : points > p->games[at] ? p->games[at] : points;
}

/* centre: what the noise is added to; NULL: the transitive strengths of the null. */
static void draw_payoffs(world* w, const double* centre, agon_key key, uint32_t sample) {
    const agon_payoffs* p = &w->truth->payoffs;
    const size_t n = (size_t)p->agents;
    agon_normal_stream source = {.key = key, .sample = 2 * sample + STREAM_PAYOFFS};
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            const size_t at = i * n + j, back = j * n + i;
            if (p->antisymmetric && j < i) {
                w->mean[at] = -w->mean[back];
                continue;
            }
            const double middle = centre ? centre[at] : w->strength[i] - w->strength[j];
            w->mean[at] = i == j ? centre ? centre[at] : 0
                                 : middle + error_of(p->error, at) * agon_normal_next(&source);
        }
    }
    for (size_t at = 0; w->wins && at < n * n; at++)
        w->wins[at] = isnan(w->mean[at]) || !p->games ? p->wins[at] : points_of(p, w->mean, at);
}

static void draw_anchors(world* w, agon_key key, uint32_t sample) {
    const agon_anchor_scores* a = &w->truth->anchors;
    const size_t count = (size_t)w->truth->agents * (size_t)a->anchors;
    agon_normal_stream source = {.key = key, .sample = 2 * sample + STREAM_ANCHORS};
    for (size_t i = 0; i < count; i++)
        w->anchor[i] = a->mean[i] + error_of(a->error, i) * agon_normal_next(&source);
}

static void draw_world(world* w, agon_key key, uint32_t sample) {
    if (w->weight)
        draw_states(w, key, sample);
    if (w->mean)
        draw_payoffs(w, w->truth->payoffs.mean, key, sample);
    if (w->anchor)
        draw_anchors(w, key, sample);
}

/* The transitive part, shrunk by the energy that its own noise brought to it, as in payoff.c. */
static void null_strengths(world* w) {
    const agon_payoffs* p = &w->truth->payoffs;
    const int n = p->agents;
    double noise = 0, squares = 0, sum = 0;
    agon_payoff_cyclic_fraction(p->mean, n, w->strength);
    for (int i = 0; i < n; i++) {
        sum += w->strength[i];
        squares += w->strength[i] * w->strength[i];
        for (int j = i + 1; j < n; j++) {
            const double e = error_of(p->error, (size_t)i * (size_t)n + (size_t)j);
            noise += 2 * e * e;
        }
    }
    const double energy = 2 * (n * squares - sum * sum), own = energy - 2 * noise / n;
    const double scale = own > 0 ? sqrt(own / energy) : 0;
    for (int i = 0; i < n; i++)
        w->strength[i] *= scale;
}

/* ---- the metric in many worlds -------------------------------------------------------------- */

typedef struct tally {
    const agon_metric* metric;
    const agon_metric_options* options;
    int columns, samples;
    double* value; /* (columns, samples) */
    agon_error* error;
} tally;

static int put_sample(tally* t, const agon_evidence* e, int sample) {
    double row[AGON_METRIC_COLUMNS];
    const int rc = t->metric->compute(e, t->options, row, t->error);
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

/* A world of the bootstrap holds the noise twice: as measured, and as drawn. What subtracts noise
 * must subtract both. */
static void widen_errors(world* w) {
    const agon_payoffs* p = &w->truth->payoffs;
    const size_t cells = (size_t)p->agents * (size_t)p->agents;
    for (size_t at = 0; w->error && at < cells; at++)
        w->error[at] = 1.4142135623730951 * p->error[at];
    if (w->error)
        w->e.payoffs.error = w->error;
}

static int add_bootstrap(tally* t, world* w, agon_metric_noise* out) {
    int rc = 0;
    widen_errors(w);
    for (int i = 0; !rc && i < t->samples; i++) {
        draw_world(w, t->options->key, (uint32_t)i);
        rc = put_sample(t, &w->e, i);
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

static int add_null(tally* t, world* w, agon_metric_noise* out) {
    int rc = 0;
    w->e.payoffs.error = w->truth->payoffs.error;
    null_strengths(w);
    for (int i = 0; !rc && i < t->samples; i++) {
        draw_payoffs(w, NULL, t->options->key, (uint32_t)(t->samples + i));
        rc = put_sample(t, &w->e, i);
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

/* Moves half of the samples of one cell, drawn without replacement, from `all` to `half`. */
static void split_cell(const uint32_t* all, int actions, agon_key key, uint32_t cell,
                       uint32_t* half) {
    uint32_t left = 0, wanted, drawn = 0;
    for (int a = 0; a < actions; a++) {
        left += all[a];
        half[a] = 0;
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
        split_cell(all, a->actions, key, (uint32_t)(agent * a->states + s), a->count + at);
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

int agon_metric_bootstrap(const agon_metric* m, const agon_evidence* e,
                          const agon_metric_options* options, int samples, agon_metric_noise* out,
                          agon_error* error) {
    assert(m->shape == AGON_ONE && samples >= 2 && !agon_metric_why(m, e, options));
    tally t = {m, options, agon_metric_columns(m), samples, NULL, error};
    world w;
    for (int c = 0; c < t.columns; c++)
        out[c] = (agon_metric_noise){NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    t.value = malloc((size_t)t.columns * (size_t)samples * sizeof *t.value);
    int rc = world_open(&w, m, e);
    if (!rc && !t.value)
        rc = AGON_EMEMORY;
    if (!rc && (w.weight || w.mean || w.anchor))
        rc = add_bootstrap(&t, &w, out);
    if (!rc && w.mean && looks(m, AGON_NEEDS_ANTISYMMETRIC) && !looks(m, LOOK_ANSWERS))
        rc = add_null(&t, &w, out);
    if (!rc && e->answers.count && looks(m, AGON_NEEDS_ANSWERS) && !looks(m, LOOK_PAYOFFS))
        rc = add_floor(&t, e, out);
    world_close(&w);
    free(t.value);
    return rc == AGON_EMEMORY ? agon_fail(error, rc, "%s: no memory for its bootstrap", m->name)
                              : rc;
}
