/* agon bench: rates as JSON lines, each beside the limits of the core measured in the same run. */
#include "tools/bench.h"

#include "engine/files.h"
#include "engine/training.h"
#include "tools/bench_gpu.h"
#include "tools/command.h"
#include "tools/embedded.h"
#include "tools/game_word.h"
#include "tools/program.h"
#include "tools/ui.h"

#include <cblas.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int agon_bench_default_config(const char* game, const char* dir, agon_config* config,
                              agon_error* error) {
    const char* own = agon_embedded_config(game);
    agon_config_defaults(config);
    int rc = own ? agon_config_read_text(config, own, "embedded settings", error) : AGON_OK;
    if (!rc)
        rc = agon_config_set(config, "game.name", game, "--game", error);
    snprintf(config->run.dir, sizeof config->run.dir, "%s/run", dir);
    return rc;
}

int agon_bench_config(const agon_bench* b, const char* dir, agon_config* config,
                      agon_error* error) {
    int rc = agon_bench_default_config(b->game, dir, config, error);
    if (!rc)
        rc = agon_config_set(config, "net.hidden", b->hidden, "--hidden", error);
    config->train.generations = 2;
    config->metrics.every = 2;
    return rc;
}

int agon_bench_in_folder(const agon_bench* b, agon_bench_run* run, agon_error* error) {
    const char* parent = getenv("TMPDIR");
    char dir[AGON_PATH_SIZE], said[256];
    if (!parent || !parent[0])
        parent = "/tmp";
    if (strlen(parent) > 200)
        return agon_fail(error, AGON_ELIMIT, "TMPDIR has %zu bytes; expected at most 200",
                         strlen(parent));
    snprintf(dir, sizeof dir, "%s/agon-bench-XXXXXX", parent);
    if (!mkdtemp(dir))
        return agon_file_fail(error, errno, "cannot make a directory like", dir);
    const int rc = run(b, dir, error);
    const char* const away[] = {"rm", "-rf", dir, NULL};
    if (agon_program_run(away, NULL, said, sizeof said) != 0)
        fprintf(stderr, "agon: %s was not removed\n", dir);
    return rc;
}

/* A whole run in a temporary directory: planning, rollouts, updates, matches, probes, store. */
static int train_in(const agon_bench* b, const char* dir, agon_error* error) {
    agon_config config;
    agon_training* t = NULL;
    char shape[128], fields[512], numbers[128];
    bool interrupted;
    int rc = agon_bench_config(b, dir, &config, error);
    if (rc)
        return rc;
    config.league.anchor_share = 0; /* every decision is a forward, so FLOP can be counted */
    rc = agon_training_create(&config, "bench", &t, error);
    if (rc)
        return rc;
    agon_bench_rate rate = {.floor = agon_bench_sample_floor()};
    rc = agon_training_run(t, &(agon_training_view){0}, &interrupted, error);
    if (!rc) {
        const double seconds = t->seconds, steps = (double)t->steps;
        rate.per_second = rate.low = rate.high = steps / seconds;
        agon_net_format(&t->population.net, shape, sizeof shape);
        snprintf(fields, sizeof fields,
                 "\"game\":\"%s\",\"net\":\"%s\",\"agents\":%d,\"epochs\":%d,"
                 "\"opponents\":\"snapshots\"",
                 t->rules->name, shape, config.population.size, config.train.epochs);
        snprintf(numbers, sizeof numbers,
                 "\"seconds\":%.3f,\"steps_with_opponents_per_second\":%.6g", seconds,
                 (steps + (double)t->other_steps) / seconds);
        rate.numbers = numbers;
        double forward = agon_net_flop(&t->population.net);
        double flop = forward * (1 + (double)t->other_steps / steps) +
                      config.train.epochs * agon_bench_update_flop(&t->population.net);
        agon_bench_print("train", fields, "agent_steps", flop, t->slots, &rate);
    }
    agon_training_close(t);
    return rc;
}

int agon_bench_train(const agon_bench* b, agon_error* error) {
    return agon_bench_in_folder(b, train_in, error);
}

typedef struct part {
    const char* name;
    const char* also; /* what further figures of it are called, or NULL */
    int (*run)(const agon_bench* b, agon_error* error);
    bool against; /* has an opponent: --against */
    bool named;   /* measured only when it is named: it takes minutes */
    bool shaped;  /* can be measured for given --nets and --rows */
} part;

static const part parts[] = {
    {"games", .run = agon_bench_games},
    {"forward", "choice", agon_bench_forward, .against = true, .shaped = true},
    {"update", .run = agon_bench_update, .against = true},
    {"rollout", .run = agon_bench_rollout, .shaped = true},
    {"train", .run = agon_bench_train},
    {"metrics", .run = agon_bench_metrics},
    {"store", .run = agon_bench_store},
    {"net", .run = agon_bench_network},
    {"population", .run = agon_bench_population, .named = true},
    {"learn", .run = agon_bench_learn, .named = true},
    {"growth", .run = agon_bench_growth, .named = true},
    {"scheduler", .run = agon_bench_scheduler, .named = true},
    {"workers", .run = agon_bench_workers, .named = true},
};
enum { PARTS = sizeof parts / sizeof *parts };

/* Which of the parts to measure. */
typedef struct choice {
    bool part[PARTS];
} choice;

static int find(const char* name) {
    int i = 0;
    while (i < PARTS && strcmp(parts[i].name, name) != 0)
        i++;
    return i < PARTS ? i : -1;
}

static void list_parts(char* out, size_t size) {
    size_t used = 0;
    for (int i = 0; i < PARTS && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s",
                                 i == 0          ? ""
                                 : i < PARTS - 1 ? ", "
                                                 : " or ",
                                 parts[i].name);
}

/* Without words: those of the record, or the usual ones, or those that have an opponent. */
static bool chosen_unasked(const part* p, const agon_bench* b, const agon_bench_record* record) {
    if (b->openblas && !p->against)
        return false;
    if (record)
        return agon_bench_record_has(record, p->name) ||
               (p->also && agon_bench_record_has(record, p->also));
    return !p->named;
}

/* Returns 0 or 2. record: or NULL. */
static int choose(int words, char** word, const agon_bench* b, const agon_bench_record* record,
                  choice* out) {
    char list[256];
    for (int i = 0; i < PARTS; i++)
        out->part[i] = !words && chosen_unasked(&parts[i], b, record);
    for (int i = 0; i < words; i++) {
        const int at = find(word[i]);
        list_parts(list, sizeof list);
        if (at < 0)
            return agon_ui_usage("bench", "nothing called '%s' to measure: %s", word[i], list);
        if (b->openblas && !parts[at].against)
            return agon_ui_usage(
                "bench", "--against openblas measures forward and update, not '%s'", word[i]);
        out->part[at] = true;
    }
    return 0;
}

static int run_parts(const choice* c, const agon_bench* b) {
    agon_error error = {0};
    int rc = AGON_OK;
    setenv("UV_THREADPOOL_SIZE", "64", 0);
    openblas_set_num_threads(1);
    for (int i = 0; !rc && i < PARTS; i++)
        if (c->part[i])
            rc = parts[i].run(b, &error);
    return rc ? agon_ui_error(&error) : AGON_EXIT_OK;
}

/* A whole number from 1 to 4096, or 0 when there is no text. */
static int shape_number(const char* text) {
    char* end;
    const long value = text ? strtol(text, &end, 10) : 0;
    return !text ? 0 : *text && !*end && value >= 1 && value <= 4096 ? (int)value : -1;
}

/* Only forward and rollout have a shape. Returns 0 or 2. */
static int check_shape(const agon_bench* b, const choice* c) {
    if (b->nets < 0 || b->rows < 0 || !b->nets != !b->rows)
        return agon_ui_usage("bench",
                             "--nets and --rows go together: whole numbers from 1 to 4096");
    for (int i = 0; b->nets && i < PARTS; i++)
        if (c->part[i] && !parts[i].shaped)
            return agon_ui_usage("bench", "--nets and --rows are for forward and rollout, not '%s'",
                                 parts[i].name);
    return 0;
}

/* Only growth has pictures. Returns 0 or 2. */
static int check_plot(const agon_bench* b, const choice* c) {
    if (!b->plot || c->part[find("growth")])
        return 0;
    return agon_ui_usage("bench", "--plot draws growth: agon bench growth --plot %s", b->plot);
}

typedef struct words {
    const char *seconds, *samples, *game, *hidden, *against, *compare, *nets, *rows, *limit, *plot;
} words;

/* Numbers and names; 0, or the exit code after a message. game: where b->game is to be written. */
static int read_words(const words* w, char* game, size_t size, agon_bench* b) {
    agon_error error = {0};
    char *end, *end_samples, *end_limit;
    const long samples = strtol(w->samples, &end_samples, 10);
    *b = (agon_bench){.seconds = strtod(w->seconds, &end),
                      .samples = (int)samples,
                      .limit = strtod(w->limit, &end_limit),
                      .game = game,
                      .one_game = w->game != NULL,
                      .hidden = w->hidden,
                      .openblas = w->against != NULL,
                      .nets = shape_number(w->nets),
                      .rows = shape_number(w->rows),
                      .plot = w->plot};
    if (*end || !(b->seconds >= 0.01 && b->seconds <= 600))
        return agon_ui_usage("bench", "--seconds %s: expected a number from 0.01 to 600",
                             w->seconds);
    if (*end_samples || samples < 1 || samples > AGON_BENCH_SAMPLES || samples % 2 == 0)
        return agon_ui_usage("bench", "--samples %s: expected an odd number from 1 to %d",
                             w->samples, AGON_BENCH_SAMPLES);
    if (*end_limit || !(b->limit >= 0.1 && b->limit <= 1e6))
        return agon_ui_usage("bench", "--limit %s: expected a number from 0.1 to 1000000",
                             w->limit);
    if (w->against && strcmp(w->against, "openblas") != 0)
        return agon_ui_usage("bench", "--against %s: expected openblas", w->against);
    if (w->against && strpbrk(w->hidden, "cm"))
        return agon_ui_usage("bench",
                             "--hidden %s: OpenBLAS is measured beside dense layers only, such as "
                             "128,128",
                             w->hidden);
    if (w->game && agon_game_word(w->game, game, size, &error))
        return agon_ui_error(&error);
    return 0;
}

static int run_compared(const choice* c, const agon_bench* b, agon_bench_record* record,
                        const char* path) {
    bool any = false;
    for (int i = 0; i < PARTS; i++)
        any = any || c->part[i];
    if (!record)
        return run_parts(c, b);
    if (!any) {
        agon_error error;
        agon_fail(&error, AGON_EMISSING, "%s has no figure that %s", path,
                  b->openblas ? "--against openblas measures" : "this agon measures");
        return agon_ui_error(&error);
    }
    agon_bench_compare_begin(record);
    const int code = run_parts(c, b);
    agon_bench_compare_end(record);
    return code;
}

int agon_cmd_bench(int argc, char** argv) {
    if (argc > 1 && strcmp(argv[1], "gpu") == 0)
        return agon_bench_gpu_command(argc - 1, argv + 1);
    words w = {.seconds = "0.7", .samples = "7", .hidden = "128,128", .limit = "600"};
    char game[128] = "connect_four";
    agon_bench_record* record = NULL;
    agon_error error = {0};
    agon_bench b;
    choice chosen;
    int count = 0;
    const agon_option known[] = {
        {"--seconds", NULL, &w.seconds}, {"--game", NULL, &w.game},
        {"--hidden", NULL, &w.hidden},   {"--against", NULL, &w.against},
        {"--compare", NULL, &w.compare}, {"--samples", NULL, &w.samples},
        {"--nets", NULL, &w.nets},       {"--rows", NULL, &w.rows},
        {"--limit", NULL, &w.limit},     {"--plot", NULL, &w.plot},
    };
    int code = agon_ui_options(argc, argv, known, sizeof known / sizeof *known, &count);
    if (!code)
        code = read_words(&w, game, sizeof game, &b);
    if (!code && w.compare && agon_bench_record_read(w.compare, &record, &error))
        code = agon_ui_error(&error);
    if (!code)
        code = choose(count, argv + 1, &b, record, &chosen);
    if (!code)
        code = check_shape(&b, &chosen);
    if (!code)
        code = check_plot(&b, &chosen);
    if (!code)
        code = run_compared(&chosen, &b, record, w.compare);
    agon_bench_record_close(record);
    return code;
}
