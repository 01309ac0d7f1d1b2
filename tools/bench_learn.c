/* bench_learn.c: seconds of training until agents are as good as a bar says.
 *
 * The bar is passed by the median agent of the population, so that nothing is chosen by the games
 * that are reported. A run is that of `agon train GAME`, measured after every generation, with only
 * as many games and questions as the bar needs: what is measured has no influence on the agents. */
#include "tools/bench.h"

#include "engine/files.h"
#include "engine/metrics/summary.h"
#include "engine/training.h"
#include "tools/ui.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SEEDS = 3,
    BARS = 2,           /* most of a game */
    ANCHOR_GAMES = 400, /* of each agent and measurement */
};

typedef struct bar {
    const char* game;
    const char* anchor; /* at least this score against it; NULL: at most this NashConv */
    double value;
} bar;

static const bar all_bars[] = {
    {"connect_four", "random", 0.97},
    {"connect_four", "one_ply", 0.80},
    {"kuhn_poker", NULL, 0.1},
};
enum { ALL_BARS = sizeof all_bars / sizeof *all_bars };

/* How one seed came to a bar; where it did not, its best value and the whole run. */
typedef struct outcome {
    bool reached;
    double value, seconds, unmeasured, steps; /* unmeasured: seconds less those of measuring */
} outcome;

/* When a generation was complete. */
typedef struct moment {
    double seconds, measuring; /* measuring: of them, all cores */
} moment;

typedef struct attempt {
    const bar* bar; /* (bars), those of the game */
    int bars, seed;
    double limit, begun;
    moment* trained; /* (generations + 1) */
    outcome outcome[BARS];
    bool shows; /* progress */
} attempt;

/* ---- watching a run ------------------------------------------------------------------------- */

static int anchor_number(const agon_training* t, const char* name) {
    int k = 0;
    while (strcmp(t->population.anchors.ref[k], name) != 0)
        k++;
    return k;
}

static double measured_value(const bar* b, const agon_training* t, const agon_measurement* m) {
    double sorted[m->agents];
    if (!b->anchor)
        return m->nash_conv_median;
    const double* score = m->score + (size_t)anchor_number(t, b->anchor) * (size_t)m->agents;
    memcpy(sorted, score, sizeof sorted);
    return agon_summary_median(sorted, m->agents);
}

static bool as_good(const bar* b, double value, double as) {
    return b->anchor ? value >= as : value <= as;
}

static void describe(const bar* b, char* out, size_t size) {
    if (b->anchor)
        snprintf(out, size, "score against %s", b->anchor);
    else
        snprintf(out, size, "NashConv");
}

static void show(const attempt* a, const agon_training* t, int generation) {
    fprintf(stderr, "\r\033[K%s, seed %d, generation %d, %.0f s:", t->rules->name, a->seed,
            generation, agon_ui_seconds() - a->begun);
    for (int i = 0; i < a->bars; i++) {
        char text[64];
        describe(&a->bar[i], text, sizeof text);
        fprintf(stderr, "%s %s %.3f%s", i ? "," : "", text, a->outcome[i].value,
                a->outcome[i].reached ? " (reached)" : "");
    }
    fflush(stderr);
}

static void on_trained(void* user, const agon_training* t, int generation) {
    attempt* a = user;
    const double measuring = t->phase[AGON_PHASE_PAYOFF] + t->phase[AGON_PHASE_METRICS];
    a->trained[generation] = (moment){agon_ui_seconds() - a->begun, measuring / t->slots};
}

static void on_measured(void* user, const agon_training* t, const agon_measurement* m) {
    attempt* a = user;
    for (int i = 0; i < a->bars; i++) {
        const bar* b = &a->bar[i];
        outcome* o = &a->outcome[i];
        if (o->reached)
            continue;
        const double value = measured_value(b, t, m);
        if (m->generation == 0 || as_good(b, value, o->value))
            o->value = value;
        o->reached = m->generation > 0 && as_good(b, value, b->value);
        o->seconds = a->trained[m->generation].seconds;
        o->unmeasured = o->seconds - a->trained[m->generation].measuring;
        o->steps = m->steps * m->agents;
    }
    if (a->shows)
        show(a, t, m->generation);
}

static bool on_enough(void* user, const agon_training* t) {
    const attempt* a = user;
    bool all = true;
    for (int i = 0; i < a->bars; i++)
        all = all && a->outcome[i].reached;
    return all || (t->measured > 0 && agon_ui_seconds() - a->begun > a->limit);
}

/* ---- a run ---------------------------------------------------------------------------------- */

static int open_run(const char* dir, attempt* a, agon_training** out, agon_error* error) {
    agon_config config;
    char folder[AGON_PATH_SIZE];
    bool anchors = false;
    snprintf(folder, sizeof folder, "%s/%d", dir, a->seed);
    int rc = agon_bench_default_config(a->bar->game, folder, &config, error);
    if (rc)
        return rc;
    for (int i = 0; i < a->bars; i++)
        anchors = anchors || a->bar[i].anchor;
    config.train.seed = (uint64_t)a->seed;
    config.metrics.every = 1;
    config.metrics.budget = 1;
    config.metrics.anchor_games = anchors ? ANCHOR_GAMES : 0;
    config.metrics.final_games = 0;
    config.metrics.probes = 1;
    a->trained = calloc((size_t)config.train.generations + 1, sizeof *a->trained);
    if (!a->trained)
        return agon_fail(error, AGON_EMEMORY, "no memory for the times of a run");
    return agon_training_create(&config, "bench", out, error);
}

static int run_seed(const char* dir, attempt* a, agon_training** out, agon_error* error) {
    const agon_training_view view = {
        .user = a, .measured = on_measured, .trained = on_trained, .enough = on_enough};
    bool interrupted = false;
    int rc = open_run(dir, a, out, error);
    if (rc)
        return rc;
    a->begun = agon_ui_seconds();
    rc = agon_training_run(*out, &view, &interrupted, error);
    if (a->shows)
        fprintf(stderr, "\r\033[K");
    if (!rc && interrupted)
        rc = agon_fail(error, AGON_ECANCELLED, "learn was interrupted");
    return rc;
}

/* ---- three seeds ---------------------------------------------------------------------------- */

/* What all lines of a game say. */
typedef struct subject {
    char fields[512];
    double flop; /* of a learner's own step */
    int cores;
} subject;

static subject describe_run(const agon_training* t) {
    const agon_net* net = &t->population.net;
    const int epochs = t->config.train.epochs;
    char shape[128];
    subject s = {.cores = t->slots,
                 .flop = agon_net_flop(net) + epochs * agon_bench_update_flop(net)};
    agon_net_format(net, shape, sizeof shape);
    snprintf(s.fields, sizeof s.fields,
             "\"game\":\"%s\",\"net\":\"%s\",\"agents\":%d,\"epochs\":%d", t->rules->name, shape,
             agon_population_agents(&t->population), epochs);
    return s;
}

static void print_number(FILE* out, double x) {
    if (isfinite(x))
        fprintf(out, "%.6g", x);
    else
        fputs("null", out);
}

/* The median of all seeds and each of them. A seed that did not reach the bar took longer than any
 * that did. */
static void print_each(FILE* out, const char* name, const double* each) {
    double sorted[SEEDS];
    memcpy(sorted, each, sizeof sorted);
    fprintf(out, ",\"%s\":", name);
    print_number(out, agon_bench_median(sorted, SEEDS));
    fprintf(out, ",\"%s_each\":[", name);
    for (int i = 0; i < SEEDS; i++) {
        fputs(i ? "," : "", out);
        print_number(out, each[i]);
    }
    fputs("]", out);
}

static void print_bar(const bar* b, const outcome* each, const subject* s,
                      agon_bench_series* series, double limit) {
    double seconds[SEEDS], unmeasured[SEEDS], steps[SEEDS], value[SEEDS];
    char fields[768], numbers[1024] = "", what[64];
    int reached = 0;
    for (int i = 0; i < SEEDS; i++) {
        reached += each[i].reached;
        value[i] = each[i].value;
        seconds[i] = each[i].reached ? each[i].seconds : INFINITY;
        unmeasured[i] = each[i].reached ? each[i].unmeasured : INFINITY;
        steps[i] = each[i].reached ? each[i].steps : INFINITY;
    }
    FILE* out = fmemopen(numbers, sizeof numbers, "w");
    if (!out)
        return;
    fprintf(out, "\"seeds\":%d,\"reached\":%d,\"limit_seconds\":%g", SEEDS, reached, limit);
    print_each(out, "seconds", seconds);
    print_each(out, "seconds_without_measuring", unmeasured);
    print_each(out, "agent_steps", steps);
    print_each(out, "value", value);
    fclose(out);
    describe(b, what, sizeof what);
    snprintf(fields, sizeof fields, "%s,\"of\":\"median agent\",\"what\":\"%s\",\"%s\":%g",
             s->fields, what, b->anchor ? "at_least" : "at_most", b->value);
    agon_bench_rate rate = agon_bench_series_rate(series);
    rate.numbers = numbers;
    agon_bench_print("learn", fields, "agent_steps", s->flop, s->cores, &rate);
}

typedef struct results {
    outcome outcome[BARS][SEEDS];
    agon_bench_series series[BARS];
    subject subject;
} results;

static int add_seed(const char* dir, attempt* a, results* r, agon_error* error) {
    agon_training* t = NULL;
    const agon_bench_floor floor = agon_bench_sample_floor();
    const int rc = run_seed(dir, a, &t, error);
    if (!rc)
        r->subject = describe_run(t);
    for (int i = 0; !rc && i < a->bars; i++) {
        const outcome* o = &a->outcome[i];
        r->outcome[i][a->seed - 1] = *o;
        agon_bench_series_add(&r->series[i], o->steps / o->seconds, &floor);
    }
    agon_training_close(t);
    free(a->trained);
    a->trained = NULL;
    return rc;
}

/* bar: (bars), all of one game. */
static int learn_game(const agon_bench* b, const char* dir, const bar* bar, int bars,
                      agon_error* error) {
    results r = {0};
    int rc = AGON_OK;
    for (int seed = 1; !rc && seed <= SEEDS; seed++) {
        attempt a = {.bar = bar,
                     .bars = bars,
                     .seed = seed,
                     .limit = b->limit,
                     .shows = isatty(STDERR_FILENO)};
        rc = add_seed(dir, &a, &r, error);
    }
    for (int i = 0; !rc && i < bars; i++)
        print_bar(&bar[i], r.outcome[i], &r.subject, &r.series[i], b->limit);
    return rc;
}

static int learn_in(const agon_bench* b, const char* dir, agon_error* error) {
    int rc = AGON_OK, games = 0;
    for (int i = 0, next; !rc && i < ALL_BARS; i = next) {
        for (next = i + 1; next < ALL_BARS && !strcmp(all_bars[next].game, all_bars[i].game);)
            next++;
        if (b->one_game && strcmp(b->game, all_bars[i].game) != 0)
            continue;
        games++;
        rc = learn_game(b, dir, &all_bars[i], next - i, error);
    }
    if (!games) {
        agon_fail(error, AGON_EUSAGE, "learn has no bar for %s", b->game);
        return agon_hint(error, "without --game it takes connect_four and kuhn_poker");
    }
    return rc;
}

int agon_bench_learn(const agon_bench* b, agon_error* error) {
    return agon_bench_in_folder(b, learn_in, error);
}
