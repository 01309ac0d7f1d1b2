/* bench_metrics.c: what measuring costs: of a training run, and of ten thousand agents. */
#include "tools/bench.h"
#include "tools/ui.h"

#include "engine/evidence_run.h"
#include "engine/metrics/metric.h"
#include "tools/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* ---- beside training ------------------------------------------------------------------------ */

static int open_run(const agon_bench* b, const char* dir, agon_training** out, agon_error* error) {
    agon_config config;
    const int rc = agon_bench_config(b, dir, &config, error);
    config.metrics.final_games = 0;
    return rc ? rc : agon_training_create(&config, "bench", out, error);
}

/* Seconds of the run that went into training: all of it but what gathering again takes, twice, as
 * generation 0 and the last are measured. */
typedef struct cost {
    double training; /* a generation, all cores */
    double asking;   /* matches and answers of a measured generation, all cores */
    double formulas; /* its numbers, one core: median of `times` */
    int times;
    agon_bench_floor floor;
} cost;

static int time_formulas(const agon_bench* b, const agon_training* t, cost* c, agon_error* error) {
    double sample[64], spent = 0;
    int rc = AGON_OK;
    for (c->times = 0; !rc && c->times < 64 && (c->times < 3 || spent < b->seconds); c->times++) {
        agon_measurement m;
        const double begun = agon_ui_seconds();
        rc = agon_measure(&t->population, 2, &m, error);
        char* line = rc ? NULL : agon_measurement_line(&t->population, &m);
        sample[c->times] = agon_ui_seconds() - begun;
        spent += sample[c->times];
        free(line);
        if (!rc)
            agon_measurement_clear(&m);
    }
    c->formulas = agon_bench_median(sample, c->times);
    return rc;
}

static int time_asking(const agon_training* t, cost* c, agon_error* error) {
    agon_evidence e;
    const agon_run_wish wish = {.needs =
                                    AGON_NEEDS_ANSWERS | AGON_NEEDS_PAYOFFS | AGON_NEEDS_ANCHORS,
                                .generation = 2,
                                .probes = &t->probes,
                                .games = t->config.metrics.games,
                                .threads = t->slots};
    const double begun = agon_ui_seconds();
    const int rc = agon_evidence_run(t, &wish, &e, error);
    c->asking = agon_ui_seconds() - begun;
    agon_evidence_clear(&e);
    return rc;
}

static void print_run(const agon_training* t, cost* c) {
    char fields[512], ratios[128], numbers[256];
    agon_config config;
    agon_config_defaults(&config);
    const int every = config.metrics.every;
    c->training = fmax(t->seconds - 2 * (c->asking + c->formulas), 1e-9) / 2;
    const double rate = 1 / c->training, between = every * c->training;
    snprintf(fields, sizeof fields,
             "\"part\":\"run\",\"game\":\"%s\",\"agents\":%d,\"probe_states\":%d,\"games\":%d,"
             "\"every\":%d",
             t->rules->name, t->population.config->population.size, t->probes.states,
             t->config.metrics.games, every);
    snprintf(ratios, sizeof ratios, "\"share_of_formulas\":%.4g,\"share_with_games\":%.4g",
             c->formulas / between, (c->asking + c->formulas) / between);
    snprintf(numbers, sizeof numbers,
             "\"training_seconds_per_generation\":%.4g,\"asking_seconds\":%.4g,"
             "\"formula_seconds\":%.4g",
             c->training, c->asking, c->formulas);
    agon_bench_print("metrics", fields, "generations", 0, t->slots,
                     &(agon_bench_rate){.per_second = rate,
                                        .low = rate,
                                        .high = rate,
                                        .floor = c->floor,
                                        .ratios = ratios,
                                        .numbers = numbers});
}

static int bench_run(const agon_bench* b, const char* dir, agon_error* error) {
    agon_training* t = NULL;
    cost c = {.floor = agon_bench_sample_floor()};
    bool interrupted;
    int rc = open_run(b, dir, &t, error);
    if (!rc)
        rc = agon_training_run(t, &(agon_training_view){0}, &interrupted, error);
    if (!rc)
        rc = time_asking(t, &c, error);
    if (!rc)
        rc = time_formulas(b, t, &c, error);
    if (!rc)
        print_run(t, &c);
    agon_training_close(t);
    return rc;
}

/* ---- ten thousand agents -------------------------------------------------------------------- */

enum { AGENTS = 10000, STATES = 512, ACTIONS = 7, RATED = 200, ANCHORS = 50, GAMES = 64 };

static uint32_t next_word(uint64_t* state) {
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*state >> 33);
}

static double next_real(uint64_t* state) {
    return next_word(state) * 0x1p-31;
}

/* Policies around 64 styles, as lineages would be: neither all alike nor all at random. */
static bool make_answers(agon_evidence* e) {
    agon_answers* a = &e->answers;
    const size_t each = (size_t)STATES * ACTIONS;
    uint64_t seed = 1;
    float* style = malloc(64 * each * sizeof *style);
    a->states = STATES, a->actions = ACTIONS, a->strata = 1;
    a->probability = malloc(AGENTS * each * sizeof *a->probability);
    a->weight = malloc(STATES * sizeof *a->weight);
    a->options = malloc(STATES * sizeof *a->options);
    a->legal = malloc(each);
    a->stratum = calloc(STATES, sizeof *a->stratum);
    a->stratum_label = calloc(1, sizeof *a->stratum_label);
    const bool whole = style && a->probability && a->weight && a->options && a->legal &&
                       a->stratum && a->stratum_label;
    for (size_t i = 0; whole && i < 64 * each; i++)
        style[i] = (float)(0.01 + next_real(&seed) * next_real(&seed));
    for (size_t i = 0; whole && i < (size_t)AGENTS * STATES; i++) {
        float* p = a->probability + i * ACTIONS;
        const float* s = style + i / STATES % 64 * each + i % STATES * ACTIONS;
        double sum = 0;
        for (int k = 0; k < ACTIONS; k++)
            sum += p[k] = s[k] * (float)(0.5 + next_real(&seed));
        for (int k = 0; k < ACTIONS; k++)
            p[k] = (float)(p[k] / sum);
    }
    for (int s = 0; whole && s < STATES; s++) {
        a->weight[s] = 1.0 / STATES;
        a->options[s] = ACTIONS;
        memset(a->legal + (size_t)s * ACTIONS, 1, ACTIONS);
    }
    free(style);
    return whole;
}

static bool make_games(agon_evidence* e) {
    agon_payoffs* p = &e->payoffs;
    agon_anchor_scores* s = &e->anchors;
    uint64_t seed = 2;
    double** const square[] = {&p->mean, &p->error, &p->games, &p->wins, &p->draws};
    double** const table[] = {&s->mean, &s->error, &s->games};
    bool whole = (p->member = malloc(RATED * sizeof *p->member)) != NULL &&
                 (s->label = calloc(ANCHORS, sizeof *s->label)) != NULL;
    for (size_t i = 0; i < sizeof square / sizeof *square; i++)
        whole = (*square[i] = calloc(RATED * RATED, sizeof(double))) != NULL && whole;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        whole = (*table[i] = calloc((size_t)AGENTS * ANCHORS, sizeof(double))) != NULL && whole;
    p->agents = RATED, p->antisymmetric = true, s->anchors = ANCHORS;
    for (int i = 0; whole && i < RATED; i++) {
        p->member[i] = i * (AGENTS / RATED);
        for (int j = 0; j < i; j++) {
            const double x = 1.6 * next_real(&seed) - 0.8;
            p->mean[i * RATED + j] = x, p->mean[j * RATED + i] = -x;
            p->error[i * RATED + j] = p->error[j * RATED + i] = sqrt((1 - x * x) / GAMES);
            p->games[i * RATED + j] = p->games[j * RATED + i] = GAMES;
            p->wins[i * RATED + j] = GAMES * (1 + x) / 2;
            p->wins[j * RATED + i] = GAMES * (1 - x) / 2;
        }
    }
    for (size_t i = 0; whole && i < (size_t)AGENTS * ANCHORS; i++) {
        s->mean[i] = 1.8 * next_real(&seed) - 0.9;
        s->error[i] = sqrt((1 - s->mean[i] * s->mean[i]) / GAMES);
        s->games[i] = GAMES;
    }
    return whole;
}

/* more: further numbers, as JSON text. */
static void print_metric(const char* name, double seconds, const char* of, const char* more) {
    char fields[256], numbers[128];
    const double rate = AGENTS / seconds;
    snprintf(fields, sizeof fields,
             "\"part\":\"%s\",\"metric\":\"%s\",\"agents\":%d,\"states\":%d,\"actions\":%d,"
             "\"rated\":%d,\"anchors\":%d",
             of, name, AGENTS, STATES, ACTIONS, RATED, ANCHORS);
    snprintf(numbers, sizeof numbers, "\"seconds\":%.4g%s", seconds, more);
    agon_bench_print("population", fields, "agents", 0, 1,
                     &(agon_bench_rate){.per_second = rate,
                                        .low = rate,
                                        .high = rate,
                                        .floor = agon_bench_sample_floor(),
                                        .numbers = numbers});
}

static int time_metric(const agon_metric* m, const agon_evidence* e,
                       const agon_metric_options* options, double* total, agon_error* error) {
    const size_t numbers = (size_t)agon_metric_rows(m, e) * (size_t)agon_metric_columns(m);
    double* out = malloc((numbers + 1) * sizeof *out);
    if (!out)
        return agon_fail(error, AGON_EMEMORY, "no memory for metric %s", m->name);
    const double begun = agon_ui_seconds();
    const int rc = m->compute(e, options, out, error);
    const double seconds = agon_ui_seconds() - begun;
    *total += seconds;
    if (!rc)
        print_metric(m->name, seconds, "population", "");
    free(out);
    return rc;
}

/* Bands of what the 200 agents say, apart: their cost is a matter of how many worlds are asked for.
 */
static int time_bands(const agon_evidence* e, const agon_metric_options* options,
                      agon_error* error) {
    static const char* const name[] = {"nash", "cyclic"};
    int rc = AGON_OK;
    for (size_t i = 0; !rc && i < sizeof name / sizeof *name; i++) {
        agon_metric_noise noise[AGON_METRIC_COLUMNS];
        const double begun = agon_ui_seconds();
        rc = agon_metric_bootstrap(agon_metric_find(name[i]), e, options, 20, noise, error);
        print_metric(name[i], agon_ui_seconds() - begun, "bands of 20 worlds", "");
    }
    return rc;
}

static int time_all(const agon_evidence* e, agon_error* error) {
    int count, rc = AGON_OK;
    const agon_metric* const* all = agon_metrics(&count);
    const agon_metric_options options = {.key = agon_key_make(1, "bench", AGON_FOR_METRIC),
                                         .entropy = NAN};
    double total = 0;
    struct rusage use;
    char memory[64];
    for (int i = 0; !rc && i < count; i++) {
        const bool wanted = all[i]->headline || strcmp(all[i]->name, "rating_anchored") == 0 ||
                            strcmp(all[i]->name, "total_variation") == 0;
        if (wanted && !agon_metric_why(all[i], e, &options))
            rc = time_metric(all[i], e, &options, &total, error);
    }
    if (!rc) {
        getrusage(RUSAGE_SELF, &use);
        snprintf(memory, sizeof memory, ",\"peak_gigabytes\":%.4g",
                 (double)use.ru_maxrss / 1048576);
        print_metric("all", total, "population", memory);
        rc = time_bands(e, &options, error);
    }
    return rc;
}

static int bench_population(agon_error* error) {
    agon_evidence e = {.agents = AGENTS};
    e.label = calloc(AGENTS, sizeof *e.label);
    const int rc = e.label && make_answers(&e) && make_games(&e)
                       ? time_all(&e, error)
                       : agon_fail(error, AGON_EMEMORY, "no memory for %d agents", AGENTS);
    agon_evidence_clear(&e);
    return rc;
}

/* ---- the part ------------------------------------------------------------------------------- */

int agon_bench_metrics(const agon_bench* b, agon_error* error) {
    return agon_bench_in_folder(b, bench_run, error);
}

int agon_bench_population(const agon_bench* b, agon_error* error) {
    (void)b;
    return bench_population(error);
}
