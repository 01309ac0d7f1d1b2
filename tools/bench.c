/* agon bench: rates as JSON lines, each beside the limits of the core measured in the same run. */
#include "tools/bench.h"

#include "engine/training.h"
#include "tools/command.h"
#include "tools/embedded.h"
#include "tools/game_word.h"
#include "tools/ui.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int agon_bench_config(const agon_bench* b, const char* dir, agon_config* config,
                      agon_error* error) {
    const char* own = agon_embedded_config(b->game);
    agon_config_defaults(config);
    int rc = own ? agon_config_read_text(config, own, "embedded settings", error) : AGON_OK;
    if (!rc)
        rc = agon_config_set(config, "game.name", b->game, "--game", error);
    if (!rc)
        rc = agon_config_set(config, "net.hidden", b->hidden, "--hidden", error);
    snprintf(config->run.dir, sizeof config->run.dir, "%s/run", dir);
    config->train.generations = 2;
    config->metrics.every = 2;
    return rc;
}

/* A whole run in a temporary directory: planning, rollouts, updates, matches, probes, store. */
static int train_in(const char* dir, const agon_bench* b, agon_error* error) {
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
        double forward = agon_bench_forward_flop(&t->population.net);
        double flop = forward * (1 + (double)t->other_steps / steps) +
                      config.train.epochs * agon_bench_update_flop(&t->population.net);
        agon_bench_print("train", fields, "agent_steps", flop, t->slots, &rate);
    }
    agon_training_close(t);
    return rc;
}

int agon_bench_train(const agon_bench* b, agon_error* error) {
    char dir[] = "/tmp/agon-bench-XXXXXX", command[64];
    if (!mkdtemp(dir))
        return agon_fail(error, AGON_EIO, "no temporary directory in /tmp");
    int rc = train_in(dir, b, error);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command) != 0)
        fprintf(stderr, "agon: %s was not removed\n", dir);
    return rc;
}

typedef struct part {
    const char* name;
    int (*run)(const agon_bench* b, agon_error* error);
} part;

static const part parts[] = {
    {"games", agon_bench_games},           {"forward", agon_bench_forward},
    {"update", agon_bench_update},         {"rollout", agon_bench_rollout},
    {"train", agon_bench_train},           {"metrics", agon_bench_metrics},
    {"population", agon_bench_population},
};
enum {
    PARTS = sizeof parts / sizeof *parts,
    USUAL = PARTS - 1 /* without words: all but the last, which takes a minute */
};

static const part* find(const char* name) {
    for (int i = 0; i < PARTS; i++)
        if (strcmp(parts[i].name, name) == 0)
            return &parts[i];
    return NULL;
}

static int run_part(const part* p, const agon_bench* b) {
    agon_error error = {0};
    int rc = p->run(b, &error);
    return rc ? agon_ui_error(&error) : AGON_EXIT_OK;
}

int agon_cmd_bench(int argc, char** argv) {
    const char *seconds = "0.7", *word = NULL, *hidden = "128,128";
    char *end, game[128] = "connect_four";
    agon_error error = {0};
    int words = 0;
    const agon_option known[] = {
        {"--seconds", NULL, &seconds},
        {"--game", NULL, &word},
        {"--hidden", NULL, &hidden},
    };
    int code = agon_ui_options(argc, argv, known, 3, &words);
    if (code)
        return code;
    agon_bench b = {.seconds = strtod(seconds, &end),
                    .samples = 7,
                    .game = game,
                    .one_game = word != NULL,
                    .hidden = hidden};
    if (*end || !(b.seconds >= 0.01 && b.seconds <= 600))
        return agon_ui_usage("bench", "--seconds %s: expected a number from 0.01 to 600", seconds);
    for (int i = 1; i <= words; i++)
        if (!find(argv[i]))
            return agon_ui_usage("bench",
                                 "nothing called '%s' to measure: games, forward, update, "
                                 "rollout, train, metrics or population",
                                 argv[i]);
    if (word && agon_game_word(word, game, sizeof game, &error))
        return agon_ui_error(&error);
    setenv("UV_THREADPOOL_SIZE", "64", 0);
    openblas_set_num_threads(1);
    for (int i = 0; !code && i < (words ? words : USUAL); i++)
        code = run_part(words ? find(argv[i + 1]) : &parts[i], &b);
    return code;
}
