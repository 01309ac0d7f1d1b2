/* metric_world.c: see metric_world.h. */
#include "engine/metrics/metric_world.h"

#include "engine/metrics/normal_stream.h"
#include "engine/metrics/payoff.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_PAYOFFS  0u /* of the tables, which must not share their noise */
#define STREAM_ANCHORS  1u
#define STREAM_POINTS   0x40000000u
#define STREAM_BASELINE 0x80000000u

/* ---- what is known ------------------------------------------------------------------------- */

static bool errors_known(const double* mean, const double* error, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!isnan(mean[i]) && !(error && isfinite(error[i])))
            return false;
    return true;
}

static double error_of(const double* error, size_t at) {
    return error && isfinite(error[at]) ? error[at] : 0;
}

/* Points that go with a mean pay-off, where every game is won, drawn or lost. */
static double points_of(double games, double mean) {
    const double points = games * (1 + mean) / 2;
    return points < 0 ? 0 : points > games ? games : points;
}

/* How points and pay-offs go together. In poker who wins most hands may lose most money. */
static void compare_points(agon__world* w) {
    const agon_payoffs* p = &w->truth->payoffs;
    const size_t n = (size_t)p->agents;
    double both = 0, square = 0;
    w->follow = p->antisymmetric;
    for (size_t at = 0; at < n * n; at++) {
        const double games = p->wins[at] + p->wins[at % n * n + at / n];
        if (isnan(p->mean[at]) || !(games > 0))
            continue;
        w->follow &= fabs(p->wins[at] - points_of(games, p->mean[at])) <= 1e-6 * games;
        both += p->mean[at] * (p->wins[at] / games - 0.5);
        square += p->mean[at] * p->mean[at];
    }
    w->slope = square > 0 ? both / square : 0.5;
}

/* ---- opening ------------------------------------------------------------------------------- */

static int take(double** out, size_t count) {
    *out = malloc((count + 1) * sizeof **out);
    return *out ? 0 : AGON_EMEMORY;
}

static int open_states(agon__world* w) {
    const agon_answers *a = &w->truth->answers, *b = &w->baseline.answers;
    w->member = malloc((size_t)a->states * sizeof *w->member);
    if (!w->member || take(&w->weight, (size_t)a->states))
        return AGON_EMEMORY;
    w->e.answers.weight = w->weight;
    if (b->states == a->states && strcmp(a->hash, b->hash) == 0 &&
        memcmp(a->weight, b->weight, (size_t)a->states * sizeof *a->weight) == 0)
        w->baseline.answers.weight = w->weight;
    return 0;
}

static int open_payoffs(agon__world* w) {
    const agon_payoffs* p = &w->truth->payoffs;
    const size_t n = (size_t)p->agents;
    if (take(&w->mean, n * n) || take(&w->strength, n) || (p->wins && take(&w->wins, n * n)) ||
        (p->error && take(&w->error, n * n)))
        return AGON_EMEMORY;
    w->known &= errors_known(p->mean, p->error, n * n);
    w->e.payoffs.mean = w->mean;
    if (p->wins) {
        w->e.payoffs.wins = w->wins;
        compare_points(w);
    }
    return 0;
}

static size_t anchor_cells(const agon_evidence* e) {
    return (size_t)e->agents * (size_t)e->anchors.anchors;
}

static int open_anchors(agon__world* w) {
    const agon_anchor_scores *a = &w->truth->anchors, *b = &w->baseline.anchors;
    if (take(&w->anchor, anchor_cells(w->truth)))
        return AGON_EMEMORY;
    w->known &= errors_known(a->mean, a->error, anchor_cells(w->truth));
    w->e.anchors.mean = w->anchor;
    if (b->anchors == 0)
        return 0;
    if (take(&w->baseline_anchor, anchor_cells(&w->baseline)))
        return AGON_EMEMORY;
    w->known &= errors_known(b->mean, b->error, anchor_cells(&w->baseline));
    w->baseline.anchors.mean = w->baseline_anchor;
    return 0;
}

static int open_tables(agon__world* w) {
    const agon_tables* t = &w->truth->tables;
    const size_t cells = (size_t)t->games * (size_t)t->seats;
    w->tables = *t;
    w->tables.agent = malloc(cells * sizeof *w->tables.agent);
    w->tables.value = malloc(cells * sizeof *w->tables.value);
    if (!w->tables.agent || !w->tables.value)
        return AGON_EMEMORY;
    w->e.tables = w->tables;
    return 0;
}

int agon__world_open(agon__world* w, const agon_metric* m, const agon_evidence* truth,
                     const agon_metric_options* options) {
    *w = (agon__world){.truth = truth, .e = *truth, .options = *options, .known = true};
    int rc = 0;
    if (m->needs & AGON_NEEDS_BASELINE) {
        w->baseline_truth = options->baseline;
        w->baseline = *options->baseline;
        w->options.baseline = &w->baseline;
    }
    if ((m->needs & AGON__LOOK_ANSWERS) && truth->answers.states > 0)
        rc = open_states(w);
    if (!rc && (m->needs & AGON__LOOK_PAYOFFS) && truth->payoffs.agents > 0)
        rc = open_payoffs(w);
    if (!rc && (m->needs & AGON_NEEDS_ANCHORS) && truth->anchors.anchors > 0)
        rc = open_anchors(w);
    if (!rc && (m->needs & AGON_NEEDS_TABLES) && truth->tables.games > 0)
        rc = open_tables(w);
    return rc;
}

void agon__world_close(agon__world* w) {
    free(w->weight);
    free(w->mean);
    free(w->wins);
    free(w->error);
    free(w->anchor);
    free(w->baseline_anchor);
    free(w->tables.agent);
    free(w->tables.value);
    free(w->strength);
    free(w->member);
}

/* ---- states, drawn with replacement -------------------------------------------------------- */

/* Within each stratum, because sets are drawn so: a stratum of one state is known, not sampled. */
static void draw_states(agon__world* w, agon_key key, uint32_t sample) {
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

/* ---- pay-offs and scores, moved by their errors -------------------------------------------- */

/* centre: what the noise is added to; NULL: the transitive strengths of the null. */
static void draw_means(agon__world* w, const double* centre, agon_key key, uint32_t sample) {
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
}

/* Standard error of the share of points; half a game more for either side: none is certain. */
static double share_error(const agon_payoffs* p, size_t at, double games) {
    const double n = games + 1, points = p->wins[at] + 0.5, share = points / n,
                 drawn = p->draws ? p->draws[at] : 0;
    return sqrt(fmax(0, (points - drawn / 4) / n - share * share) / n);
}

/* Points of a pair in a world where they do not follow from the pay-offs. */
static double move_points(const agon__world* w, const double* centre, size_t i, size_t j,
                          double games, agon_normal_stream* source) {
    const agon_payoffs* p = &w->truth->payoffs;
    const size_t at = i * (size_t)p->agents + j;
    const double share =
        centre ? p->wins[at] / games : 0.5 + w->slope * (w->strength[i] - w->strength[j]);
    const double moved = share + share_error(p, at, games) * agon_normal_next(source);
    return games * fmin(1, fmax(0, moved));
}

static void draw_points(agon__world* w, const double* centre, agon_key key, uint32_t sample) {
    const agon_payoffs* p = &w->truth->payoffs;
    const size_t n = (size_t)p->agents;
    agon_normal_stream source = {.key = key, .sample = STREAM_POINTS | sample};
    memcpy(w->wins, p->wins, n * n * sizeof *w->wins);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            const size_t at = i * n + j, back = j * n + i;
            const double games = p->wins[at] + p->wins[back];
            if (isnan(p->mean[at]) || !(games > 0))
                continue;
            w->wins[at] = w->follow ? points_of(games, w->mean[at])
                                    : move_points(w, centre, i, j, games, &source);
            w->wins[back] = games - w->wins[at];
        }
    }
}

static void draw_payoffs(agon__world* w, const double* centre, agon_key key, uint32_t sample) {
    draw_means(w, centre, key, sample);
    if (w->wins)
        draw_points(w, centre, key, sample);
}

static void draw_scores(const agon_evidence* e, agon_key key, uint32_t sample, double* out) {
    agon_normal_stream source = {.key = key, .sample = sample};
    for (size_t i = 0; i < anchor_cells(e); i++)
        out[i] = e->anchors.mean[i] + error_of(e->anchors.error, i) * agon_normal_next(&source);
}

/* Whole games: returns of one table belong together. */
static void draw_tables(agon__world* w, agon_key key, uint32_t sample) {
    const agon_tables* t = &w->truth->tables;
    const size_t seats = (size_t)t->seats;
    for (int g = 0; g < t->games; g++) {
        const agon_draw d = agon_random(key, sample, (uint32_t)g, 0, 3);
        const size_t from = agon_below(d.word[0], (uint32_t)t->games) * seats;
        memcpy(w->tables.agent + (size_t)g * seats, t->agent + from, seats * sizeof *t->agent);
        memcpy(w->tables.value + (size_t)g * seats, t->value + from, seats * sizeof *t->value);
    }
}

void agon__world_draw(agon__world* w, agon_key key, uint32_t sample) {
    if (w->tables.agent)
        draw_tables(w, key, sample);
    if (w->weight)
        draw_states(w, key, sample);
    if (w->mean)
        draw_payoffs(w, w->truth->payoffs.mean, key, sample);
    if (w->anchor)
        draw_scores(w->truth, key, 2 * sample + STREAM_ANCHORS, w->anchor);
    if (w->baseline_anchor)
        draw_scores(w->baseline_truth, key, STREAM_BASELINE | sample, w->baseline_anchor);
}

void agon__world_widen(agon__world* w) {
    const agon_payoffs* p = &w->truth->payoffs;
    const size_t cells = (size_t)p->agents * (size_t)p->agents;
    for (size_t at = 0; w->error && at < cells; at++)
        w->error[at] = 1.4142135623730951 * p->error[at];
    if (w->error)
        w->e.payoffs.error = w->error;
}

/* ---- the null ------------------------------------------------------------------------------ */

/* The transitive part, shrunk by the energy that its own noise brought to it, as in payoff.c. */
void agon__world_flatten(agon__world* w) {
    const agon_payoffs* p = &w->truth->payoffs;
    const int n = p->agents;
    double noise = 0, squares = 0, sum = 0;
    w->e.payoffs.error = p->error;
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

void agon__world_draw_null(agon__world* w, agon_key key, uint32_t sample) {
    draw_payoffs(w, NULL, key, sample);
}
