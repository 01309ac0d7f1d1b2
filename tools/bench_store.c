/* bench_store.c: group commits of results, as a run makes them, beside one file of as many bytes.
 */
#include "tools/bench_work.h"

#include "engine/files.h"
#include "engine/store.h"
#include "tools/command.h"
#include "tools/program.h"
#include "tools/ui.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AGENTS = 8, STATES = 512 };

typedef struct storing {
    const char* dir;
    char file_system[32];
    agon_config config;
    agon_rules* rules;
    agon_learner* learner; /* what every train result holds */
    agon_store* store;
    agon_bytes probes;
    int made; /* results of this kind so far */
    agon_task* task;
    agon_result* result; /* (group) */
} storing;

/* ---- results -------------------------------------------------------------------------------- */

static int make_train(storing* s, agon_task* task, agon_result* result, agon_error* error) {
    agon_snapshot_info info = {.agent = s->made % AGENTS, .generation = s->made / AGENTS};
    agon_train_result* train = &result->as.train;
    snprintf(info.game, sizeof info.game, "%s", s->rules->name);
    snprintf(task->key, sizeof task->key, "train/%d/%d", info.generation, info.agent);
    task->as.train.generation = info.generation;
    task->as.train.agent = info.agent;
    int rc = agon_learner_encode(s->learner, &info, &result->blob[0], error);
    if (rc)
        return rc;
    result->blobs = 1;
    rc = agon_snapshot_encode(&s->learner->net, s->learner->params, &info, &result->blob[1], error);
    if (rc)
        return rc;
    result->blobs = 2;
    memcpy(train->learner, result->blob[0].hash, sizeof train->learner);
    memcpy(train->snapshot, result->blob[1].hash, sizeof train->snapshot);
    train->steps = train->total_steps = 4096;
    return AGON_OK;
}

static void make_match(const storing* s, agon_task* task, agon_result* result) {
    const int pair = s->made % (AGENTS * AGENTS), generation = s->made / (AGENTS * AGENTS);
    agon_match_result* match = &result->as.match;
    task->as.match = (agon_match_task){.generation = generation,
                                       .row = pair / AGENTS,
                                       .col = pair % AGENTS,
                                       .games = 64,
                                       .temperature = 1};
    snprintf(task->key, sizeof task->key, "match/%d/%d/%d", generation, pair / AGENTS,
             pair % AGENTS);
    match->seats = s->rules->spec.seats;
    match->pairs = 32;
    match->pair_sum = 0.1 * pair;
    match->plies = 64 * 21;
    for (int i = 0; i < match->seats; i++)
        match->tally[i] = (agon_tally){32, 20, 2, 10, 0.1 * pair, 0.01 * pair};
}

static int make_probe(const storing* s, agon_task* task, agon_result* result, agon_error* error) {
    const int actions = s->rules->spec.actions;
    agon_probe_result* probe = &result->as.probe;
    task->as.probe.generation = s->made / AGENTS;
    task->as.probe.agent = s->made % AGENTS;
    memcpy(task->as.probe.probes, s->probes.hash, sizeof task->as.probe.probes);
    snprintf(task->key, sizeof task->key, "probe/%d/%d", s->made / AGENTS, s->made % AGENTS);
    probe->states = STATES;
    probe->actions = actions;
    probe->probability = calloc((size_t)STATES * (size_t)actions, sizeof *probe->probability);
    if (!probe->probability)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d answers", STATES);
    for (int i = 0; i < STATES * actions; i++)
        probe->probability[i] = (float)(1 + (i + s->made) % 89) / 90;
    return AGON_OK;
}

/* The next results of a kind, in place of the last ones. */
static int make_group(storing* s, agon_task_kind kind, int group, agon_error* error) {
    int rc = AGON_OK;
    for (int i = 0; !rc && i < group; i++, s->made++) {
        agon_task* task = &s->task[i];
        agon_result* result = &s->result[i];
        agon_result_clear(result);
        memset(task, 0, sizeof *task);
        memset(result, 0, sizeof *result);
        task->kind = result->kind = kind;
        if (kind == AGON_TRAIN)
            rc = make_train(s, task, result, error);
        else if (kind == AGON_MATCH)
            make_match(s, task, result);
        else
            rc = make_probe(s, task, result, error);
        memcpy(result->key, task->key, sizeof result->key);
    }
    return rc;
}

/* ---- a commit, and what is beside it ----------------------------------------------------------
 */

/* Seconds and bytes of several groups. */
typedef struct spent {
    double results, bytes;
    double put;   /* as a run does it */
    double files; /* its blobs alone: hashed, placed, their directory synced */
    double floor; /* one file of all the bytes, synced */
} spent;

/* Bytes that this process has handed to write calls so far. */
static int written(double* bytes, agon_error* error) {
    FILE* file = fopen("/proc/self/io", "r");
    unsigned long long count = 0;
    const bool found = file && fscanf(file, "rchar: %*u wchar: %llu", &count) == 1;
    if (file)
        fclose(file);
    *bytes = (double)count;
    return found ? AGON_OK
                 : agon_fail(error, AGON_EUNSUPPORTED,
                             "/proc/self/io does not say how many bytes are written");
}

static int put_group(storing* s, int group, spent* sum, agon_error* error) {
    double before, after;
    int rc = written(&before, error);
    const double begun = agon_ui_seconds();
    if (!rc)
        rc = agon_store_put(s->store, s->task, s->result, group, error);
    if (!rc)
        rc = agon_store_prune_learners(s->store, s->config.run.keep, error);
    sum->put += agon_ui_seconds() - begun;
    if (!rc)
        rc = written(&after, error);
    if (!rc) {
        sum->bytes += after - before;
        sum->results += group;
    }
    return rc;
}

static int place_files(const storing* s, int group, spent* sum, agon_error* error) {
    char path[AGON_PATH_SIZE], hash[AGON_HASH_SIZE];
    int rc = AGON_OK, blobs = 0;
    const double begun = agon_ui_seconds();
    for (int i = 0; !rc && i < group; i++)
        for (int k = 0; !rc && k < s->result[i].blobs; k++, blobs++) {
            const agon_bytes* blob = &s->result[i].blob[k];
            agon_sha256(blob->data, blob->size, hash);
            snprintf(path, sizeof path, "%s/files/%s", s->dir, hash);
            rc = agon_file_place(path, blob->data, blob->size, error);
        }
    snprintf(path, sizeof path, "%s/files", s->dir);
    if (!rc && blobs)
        rc = agon_dir_sync(path, error);
    sum->files += agon_ui_seconds() - begun;
    for (int i = 0; i < 2 * group; i++) {
        snprintf(path, sizeof path, "%s/files/%s", s->dir, s->result[i / 2].blob[i % 2].hash);
        if (i % 2 < s->result[i / 2].blobs)
            unlink(path);
    }
    return rc;
}

static int write_floor(const storing* s, size_t size, spent* sum, agon_error* error) {
    char path[AGON_PATH_SIZE];
    uint8_t* data = malloc(size);
    snprintf(path, sizeof path, "%s/floor", s->dir);
    if (!data)
        return agon_fail(error, AGON_EMEMORY, "no memory for %zu bytes", size);
    memset(data, 1, size);
    const double begun = agon_ui_seconds();
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    size_t done = 0;
    while (file >= 0 && done < size) {
        const ssize_t n = write(file, data + done, size - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    const bool whole = file >= 0 && done == size && fsync(file) == 0;
    const int reason = errno;
    sum->floor += agon_ui_seconds() - begun;
    free(data);
    if (file >= 0)
        close(file);
    unlink(path);
    return whole ? AGON_OK : agon_file_fail(error, reason, "cannot write", path);
}

/* Groups until they took so long. */
static int sample(storing* s, agon_task_kind kind, int group, double seconds, spent* sum,
                  agon_error* error) {
    int rc = AGON_OK;
    for (double before; !rc && sum->put < seconds;) {
        before = sum->bytes;
        rc = make_group(s, kind, group, error);
        if (!rc)
            rc = put_group(s, group, sum, error);
        if (!rc)
            rc = place_files(s, group, sum, error);
        if (!rc)
            rc = write_floor(s, (size_t)(sum->bytes - before), sum, error);
    }
    return rc;
}

/* ---- figures -------------------------------------------------------------------------------- */

static void print_store(const storing* s, const char* kind, int group, const spent* all,
                        agon_bench_rate rate) {
    char fields[512], ratios[128], numbers[128], shape[128];
    agon_net_format(&s->learner->net, shape, sizeof shape);
    snprintf(
        fields, sizeof fields,
        "\"results\":\"%s\",\"group\":%d,\"game\":\"%s\",\"net\":\"%s\",\"file_system\":\"%s\"",
        kind, group, s->rules->name, shape, s->file_system);
    snprintf(ratios, sizeof ratios, "\"share_of_write_fsync\":%.4g,\"share_of_sqlite\":%.4g",
             all->floor / all->put, 1 - all->files / all->put);
    snprintf(numbers, sizeof numbers,
             "\"bytes_per_result\":%.6g,\"write_fsync_gigabytes_per_second\":%.4g",
             all->bytes / all->results, all->bytes / all->floor * 1e-9);
    rate.bytes = all->bytes / all->results;
    rate.ratios = ratios;
    rate.numbers = numbers;
    agon_bench_print("store", fields, "results", 0, 1, &rate);
}

static int measure(const agon_bench* b, storing* s, agon_task_kind kind, int group,
                   agon_error* error) {
    static const char* const name[] = {"train", "match", "probe"};
    agon_bench_series series = {0};
    spent all = {0};
    int rc = AGON_OK;
    s->task = calloc((size_t)group, sizeof *s->task);
    s->result = calloc((size_t)group, sizeof *s->result);
    if (!s->task || !s->result)
        rc = agon_fail(error, AGON_EMEMORY, "no memory for %d results", group);
    while (!rc && series.count < b->samples) {
        const agon_bench_floor floor = agon_bench_sample_floor();
        spent one = {0};
        rc = sample(s, kind, group, b->seconds / b->samples, &one, error);
        if (!rc)
            agon_bench_series_add(&series, one.results / one.put, &floor);
        all.results += one.results, all.bytes += one.bytes;
        all.put += one.put, all.files += one.files, all.floor += one.floor;
    }
    if (!rc)
        print_store(s, name[kind - 1], group, &all, agon_bench_series_rate(&series));
    for (int i = 0; s->result && i < group; i++)
        agon_result_clear(&s->result[i]);
    free(s->task);
    free(s->result);
    return rc;
}

/* ---- the run -------------------------------------------------------------------------------- */

static void ask_file_system(storing* s) {
    const char* const ask[] = {"stat", "-f", "-c", "%T", s->dir, NULL};
    char said[sizeof s->file_system];
    const int code = agon_program_run(ask, NULL, said, sizeof said);
    said[strcspn(said, "\n\"\\")] = '\0';
    snprintf(s->file_system, sizeof s->file_system, "%s", code == 0 ? said : "unknown");
}

static int open_learner(const agon_bench* b, storing* s, agon_error* error) {
    agon_net net;
    const int rc = agon_bench_open_net(b, &s->rules, &net, error);
    if (rc)
        return rc;
    s->learner = agon_learner_open(&net, agon_cpu_backend());
    if (!s->learner)
        return agon_fail(error, AGON_EMEMORY, "no memory for a learner");
    agon_net_init(&net, agon_key_make(1, "bench", AGON_FOR_INIT), s->learner->params);
    for (size_t i = 0; i < agon_net_size(&net); i++) {
        s->learner->moment1[i] = s->learner->params[i];
        s->learner->moment2[i] = s->learner->params[i] * s->learner->params[i];
    }
    return AGON_OK;
}

static int open_store(const agon_bench* b, storing* s, agon_error* error) {
    char version[128], files[AGON_PATH_SIZE];
    agon_version_line(version, sizeof version);
    snprintf(files, sizeof files, "%s/files", s->dir);
    int rc = agon_bench_config(b, s->dir, &s->config, error);
    if (!rc)
        rc = agon_dir_make(files, error);
    if (!rc)
        rc = agon_store_create(s->config.run.dir, &s->config, version, 0, &s->store, error);
    if (!rc) {
        agon_blob blob;
        agon_blob_begin(&blob);
        rc = agon_blob_encode(&blob, &s->probes, error);
    }
    return rc ? rc : agon_store_put_blob(s->store, &s->probes, error);
}

static int store_in(const agon_bench* b, const char* dir, agon_error* error) {
    static const int group[] = {1, 8, 64};
    storing s = {.dir = dir};
    ask_file_system(&s);
    int rc = open_learner(b, &s, error);
    if (!rc)
        rc = open_store(b, &s, error);
    for (int kind = AGON_TRAIN; !rc && kind <= AGON_PROBE; kind++) {
        s.made = 0;
        for (int i = 0; !rc && i < 3; i++)
            rc = measure(b, &s, (agon_task_kind)kind, group[i], error);
    }
    agon_store_close(s.store);
    free(s.probes.data);
    agon_learner_close(s.learner);
    agon_rules_close(s.rules);
    return rc;
}

int agon_bench_store(const agon_bench* b, agon_error* error) {
    return agon_bench_in_folder(b, store_in, error);
}
