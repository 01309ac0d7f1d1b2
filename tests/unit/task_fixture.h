/* task_fixture.h: snapshots on a shelf and tasks to run with them, without a store. For the tests
 * of everything that executes tasks. */
#ifndef AGON_TASK_FIXTURE_H
#define AGON_TASK_FIXTURE_H

#include "engine/execute.h"
#include "tests/unit/rules_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SHELF = 16 };

/* Blobs in memory; what a context loads from. */
typedef struct shelf {
    agon_bytes blob[SHELF]; /* owned */
    int count;
} shelf;

static inline int shelf_load(void* user, const char* hash, uint8_t** data, size_t* size,
                             agon_error* error) {
    const shelf* s = user;
    for (int i = 0; i < s->count; i++) {
        if (strcmp(s->blob[i].hash, hash) != 0)
            continue;
        *data = malloc(s->blob[i].size);
        assert_non_null(*data);
        memcpy(*data, s->blob[i].data, s->blob[i].size);
        *size = s->blob[i].size;
        return AGON_OK;
    }
    return agon_fail(error, AGON_EMISSING, "blob %s is not on the shelf", hash);
}

/* Takes the blob over. */
static inline const char* shelf_put(shelf* s, agon_bytes* blob) {
    assert_true(s->count < SHELF);
    s->blob[s->count] = *blob;
    *blob = (agon_bytes){0};
    return s->blob[s->count++].hash;
}

static inline void shelf_clear(shelf* s) {
    for (int i = 0; i < s->count; i++)
        free(s->blob[i].data);
    s->count = 0;
}

/* A net whose preferences are far from even: new weights, and a policy head `gain` times as large.
 * Its parameters: malloc'd, owned by the caller. */
static inline float* make_params(const agon_net* net, uint64_t seed, float gain) {
    agon_tensor tensor[AGON_MAX_TENSORS];
    const int tensors = agon_net_tensors(net, tensor);
    float* params = malloc(agon_net_size(net) * sizeof *params);
    assert_non_null(params);
    agon_net_init(net, agon_key_make(seed, "fixture", AGON_FOR_INIT), params);
    for (int i = 0; i < tensors; i++)
        for (size_t k = 0; strcmp(tensor[i].name, "policy.weight") == 0 && k < tensor[i].count; k++)
            params[tensor[i].offset + k] *= gain;
    return params;
}

static inline agon_net make_net(const agon_rules* rules, int width) {
    return (agon_net){
        .inputs = rules->entries, .layers = 1, .hidden = {width}, .actions = rules->spec.actions};
}

/* "16,mingru8": a net for the game with these layers. */
static inline agon_net make_layers(const agon_rules* rules, const char* layers) {
    const agon_spec* spec = &rules->spec;
    agon_net net = {.inputs = rules->entries,
                    .actions = spec->actions,
                    .planes = spec->planes,
                    .rows = spec->rows,
                    .cols = spec->cols};
    char words[64], *rest = words;
    snprintf(words, sizeof words, "%s", layers);
    for (char* word; (word = strtok_r(rest, ",", &rest));)
        assert_null(agon_net_add_layer(&net, word));
    if (net.kind[0] != AGON_CONV)
        net.planes = net.rows = net.cols = 0;
    return net;
}

/* The hash of a new snapshot for the game. */
static inline const char* shelf_snapshot_of(shelf* s, const agon_rules* rules, const agon_net* net,
                                            uint64_t seed) {
    agon_snapshot_info info = {.steps = 7};
    agon_bytes blob = {0};
    float* params = make_params(net, seed, 200);
    snprintf(info.game, sizeof info.game, "%s", rules->name);
    snprintf(info.layout, sizeof info.layout, "fixture");
    assert_int_equal(agon_snapshot_encode(net, params, &info, &blob, NULL), AGON_OK);
    free(params);
    return shelf_put(s, &blob);
}

static inline const char* shelf_snapshot(shelf* s, const agon_rules* rules, int width,
                                         uint64_t seed) {
    const agon_net net = make_net(rules, width);
    return shelf_snapshot_of(s, rules, &net, seed);
}

static inline agon_task make_task(agon_task_kind kind, const agon_rules* rules, const char* key) {
    agon_task task = {.kind = kind, .seed = 5, .fingerprint = agon_rules_fingerprint(rules)};
    snprintf(task.key, sizeof task.key, "%s", key);
    snprintf(task.game, sizeof task.game, "%s", rules->name);
    return task;
}

static inline agon_task match_task(const agon_rules* rules, const char* row, const char* col,
                                   int games) {
    agon_task task = make_task(AGON_MATCH, rules, "match/0/0/1");
    task.as.match.col = 1;
    task.as.match.games = games;
    task.as.match.temperature = 1;
    snprintf(task.as.match.row_ref, AGON_REF_SIZE, "%s", row);
    snprintf(task.as.match.col_ref, AGON_REF_SIZE, "%s", col);
    return task;
}

/* Runs a task in a context of its own. The caller clears *out. */
static inline int run_task(const agon_task* task, shelf* s, agon_result* out, agon_error* error) {
    agon_context context = {.backend = agon_cpu_backend(), .load = shelf_load, .user = s};
    const int rc = agon_execute(task, &context, out, error);
    agon_context_clear(&context);
    return rc;
}

static inline agon_result must_run(const agon_task* task, shelf* s) {
    agon_result result = {0};
    agon_error error = {0};
    if (run_task(task, s, &result, &error) != AGON_OK)
        fail_msg("%s: %s", task->key, error.text);
    return result;
}

static inline agon_match_result must_match(const agon_task* task, shelf* s) {
    agon_result result = must_run(task, s);
    const agon_match_result match = result.as.match;
    agon_result_clear(&result);
    return match;
}

/* The task fails with `code`, and its text or hint holds `part`. */
static inline void must_fail(const agon_task* task, shelf* s, int code, const char* part) {
    agon_result result = {0};
    agon_error error = {0};
    assert_int_equal(run_task(task, s, &result, &error), code);
    assert_int_equal(error.code, code);
    if (!strstr(error.text, part) && !strstr(error.hint, part))
        fail_msg("\"%s\" (%s) does not say \"%s\"", error.text, error.hint, part);
}

/* The task gives the same bytes each time. */
static inline void must_repeat(const agon_task* task, shelf* s) {
    uint8_t* data[2];
    size_t size[2];
    for (int i = 0; i < 2; i++) {
        agon_result result = must_run(task, s);
        assert_int_equal(agon_result_encode(&result, &data[i], &size[i], NULL), AGON_OK);
        agon_result_clear(&result);
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(data[0], data[1], size[0]);
    free(data[0]);
    free(data[1]);
}

#endif
