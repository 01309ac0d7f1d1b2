/* store_fixture.h: a run in a new temporary directory, and results to put in it. For the tests of
 * the store. Blobs here are any bytes: the store does not look inside them. */
#ifndef AGON_STORE_FIXTURE_H
#define AGON_STORE_FIXTURE_H

#include "engine/files.h"
#include "engine/store.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct fixture {
    char base[64]; /* also the working directory; the run is base/run */
    agon_config config;
    agon_store* store;
    agon_task task[8];
    agon_result result[8];
    agon_error error;
} fixture;

static inline void make_run(fixture* f) {
    assert_int_equal(agon_store_create("run", &f->config, "agon test", 0xabc, &f->store, &f->error),
                     AGON_OK);
}

static inline void close_run(fixture* f) {
    agon_store_close(f->store);
    f->store = NULL;
}

static inline int open_run(fixture* f, bool write) {
    memset(&f->error, 0, sizeof f->error);
    return agon_store_open("run", write, &f->store, &f->config, &f->error);
}

static inline int setup(void** state) {
    fixture* f = calloc(1, sizeof *f);
    strcpy(f->base, "/tmp/agon-store-XXXXXX");
    agon_config_defaults(&f->config);
    *state = f;
    return mkdtemp(f->base) && chdir(f->base) == 0 ? 0 : -1;
}

static inline int teardown(void** state) {
    fixture* f = *state;
    char command[128];
    close_run(f);
    for (int i = 0; i < 8; i++)
        agon_result_clear(&f->result[i]);
    snprintf(command, sizeof command, "rm -rf %s", f->base);
    free(f);
    return chdir("/") == 0 ? system(command) : -1;
}

static inline void run_shell(const char* command) {
    assert_int_equal(system(command), 0);
}

static inline agon_bytes make_blob(const char* text, size_t size) {
    agon_bytes blob = {.data = calloc(1, size), .size = size};
    memcpy(blob.data, text, strlen(text) < size ? strlen(text) : size);
    agon_sha256(blob.data, size, blob.hash);
    return blob;
}

/* Task and result i become those of a train task with blobs of `size` bytes. */
static inline void fill_train(fixture* f, int i, int generation, int agent, size_t size) {
    agon_task* task = &f->task[i];
    agon_result* result = &f->result[i];
    agon_train_result* train = &result->as.train;
    char text[64];
    agon_result_clear(result);
    memset(task, 0, sizeof *task);
    memset(result, 0, sizeof *result);
    task->kind = result->kind = AGON_TRAIN;
    snprintf(task->key, sizeof task->key, "train/%d/%d", generation, agent);
    strcpy(result->key, task->key);
    task->as.train.generation = generation;
    task->as.train.agent = agent;
    task->as.train.opponents = 2;
    strcpy(task->as.train.opponent[0], "one_ply");
    strcpy(task->as.train.opponent[1], "mcts(playouts=100, c=1.4)");
    snprintf(text, sizeof text, "snapshot %d %d", generation, agent);
    result->blob[0] = make_blob(text, size);
    snprintf(text, sizeof text, "learner %d %d", generation, agent);
    result->blob[1] = make_blob(text, size);
    result->blobs = 2;
    strcpy(train->snapshot, result->blob[0].hash);
    strcpy(train->learner, result->blob[1].hash);
    train->steps = 1000 + (uint64_t)generation;
    train->total_steps = 1ull << 53;
    train->return_mean = 0.1;
    train->stats.kl = 1e-300;
    train->explained_variance = NAN;
}

static inline void fill_match(fixture* f, int i, int generation, int row, int col) {
    agon_task* task = &f->task[i];
    agon_result* result = &f->result[i];
    memset(task, 0, sizeof *task);
    memset(result, 0, sizeof *result);
    task->kind = result->kind = AGON_MATCH;
    snprintf(task->key, sizeof task->key, "match/%d/%d/%d", generation, row, col);
    strcpy(result->key, task->key);
    task->as.match = (agon_match_task){
        .generation = generation, .row = row, .col = col, .games = 10, .temperature = 0.3f};
    strcpy(task->as.match.row_ref, "random");
    strcpy(task->as.match.col_ref, "one_ply");
    result->as.match = (agon_match_result){.seats = 2, .pairs = 5, .pair_sum = -0.0, .plies = 70};
    result->as.match.features = 2;
    result->as.match.feature[0] = (agon_feature_sum){0.1, -1e-17};
    result->as.match.feature[1] = (agon_feature_sum){1.0 / 3, 12345678901234567.0};
    result->as.match.stats = 1;
    result->as.match.stat[0] = 2.5e100;
    result->as.match.tally[0] = (agon_tally){5, 3, 1, 1, 2.0, 4.0};
    result->as.match.tally[1] = (agon_tally){5, 1, 1, 3, -2.0, 4.0 / 3.0};
}

static inline void fill_probe(fixture* f, int i, const char* probes) {
    agon_task* task = &f->task[i];
    agon_result* result = &f->result[i];
    memset(task, 0, sizeof *task);
    memset(result, 0, sizeof *result);
    task->kind = result->kind = AGON_PROBE;
    strcpy(task->key, "probe/3/1");
    strcpy(result->key, task->key);
    task->as.probe = (agon_probe_task){.generation = 3, .agent = 1};
    strcpy(task->as.probe.ref, "random");
    strcpy(task->as.probe.probes, probes);
    result->as.probe = (agon_probe_result){
        .states = 3, .actions = 2, .exact = 1, .nash_conv = 0.25, .value = -0.5};
    result->as.probe.worst_first = result->as.probe.worst_second = NAN;
    result->as.probe.probability = calloc(6, sizeof(float));
    for (int k = 0; k < 6; k++)
        result->as.probe.probability[k] = 0.1f * (float)k;
}

static inline int put(fixture* f, int count) {
    memset(&f->error, 0, sizeof f->error);
    return agon_store_put(f->store, f->task, f->result, count, &f->error);
}

typedef struct gathered {
    char keys[4096]; /* in order, each followed by a space */
    int count, stop; /* visits; stop: returned at the visit of that number */
    agon_task task;  /* the last */
    agon_result result;
    float probability[6];
} gathered;

static inline int gather(void* user, const agon_result* result, const agon_task* task) {
    gathered* g = user;
    strncat(g->keys, result->key, sizeof g->keys - strlen(g->keys) - 1);
    strncat(g->keys, " ", sizeof g->keys - strlen(g->keys) - 1);
    g->task = *task;
    g->result = *result;
    if (result->kind == AGON_PROBE)
        memcpy(g->probability, result->as.probe.probability, sizeof g->probability);
    return ++g->count == g->stop ? 42 : 0;
}

static inline gathered each(fixture* f, agon_task_kind kind) {
    gathered g = {0};
    assert_int_equal(agon_store_each(f->store, kind, gather, &g, &f->error), 0);
    return g;
}

static inline int blobs_on_disk(void) {
    FILE* list = popen("ls -A run/blobs | wc -l", "r");
    int count = -1;
    assert_int_equal(fscanf(list, "%d", &count), 1);
    pclose(list);
    return count;
}

static inline void assert_says(const fixture* f, const char* part) {
    if (!strstr(f->error.text, part) && !strstr(f->error.hint, part))
        fail_msg("\"%s\" (%s) does not say \"%s\"", f->error.text, f->error.hint, part);
}

#endif
