#include "net/result_check.h"

#include "games/rules.h"

#include <stdlib.h>
#include <string.h>

typedef int loader(void* user, const char* hash, uint8_t** data, size_t* size, agon_error* error);

static int wrong(const agon_task* task, const char* what, agon_error* error) {
    return agon_fail(error, AGON_EINVALID, "the result of '%s' has %s", task->key, what);
}

static bool fit(const uint64_t* counter, int count) {
    for (int i = 0; i < count; i++)
        if (counter[i] > INT64_MAX)
            return false;
    return true;
}

/* ---- train -------------------------------------------------------------------------------- */

static int check_net(const agon_task* task, const agon_bytes* blob, agon_error* error) {
    char format[sizeof task->as.train.net];
    agon_net net;
    float* params = NULL;
    agon_error why;
    const int rc = agon_snapshot_decode(blob->data, blob->size, "blob", &net, &params, NULL, &why);
    if (rc == AGON_EMEMORY)
        return agon_fail(error, rc, "%s", why.text);
    if (rc)
        return wrong(task, "a blob that is no net", error);
    free(params);
    agon_net_format(&net, format, sizeof format);
    return strcmp(format, task->as.train.net) == 0 ? AGON_OK
                                                   : wrong(task, "a net of another shape", error);
}

static int check_train(const agon_task* task, const agon_result* result, agon_error* error) {
    const agon_train_result* t = &result->as.train;
    const uint64_t counters[] = {t->steps,       t->extra_steps, t->other_steps,
                                 t->total_steps, t->updates,     t->episodes};
    if (!fit(counters, (int)(sizeof counters / sizeof *counters)))
        return wrong(task, "a counter that nothing counts to", error);
    if (result->blobs != 2 || strcmp(result->blob[0].hash, t->learner) != 0 ||
        strcmp(result->blob[1].hash, t->snapshot) != 0)
        return wrong(task, "other blobs than it names", error);
    const int rc = check_net(task, &result->blob[0], error);
    return rc ? rc : check_net(task, &result->blob[1], error);
}

/* ---- match -------------------------------------------------------------------------------- */

static int check_match(const agon_task* task, const agon_result* result, agon_error* error) {
    const agon_match_result* m = &result->as.match;
    const uint64_t counters[] = {m->pairs, m->row_steps, m->col_steps, m->plies};
    bool good = result->blobs == 0 && fit(counters, (int)(sizeof counters / sizeof *counters));
    for (int i = 0; good && i < m->seats; i++) {
        const agon_tally* t = &m->tally[i];
        const uint64_t tally[] = {t->games, t->wins, t->draws, t->losses};
        good = fit(tally, (int)(sizeof tally / sizeof *tally));
    }
    return good ? AGON_OK : wrong(task, "a counter that nothing counts to", error);
}

/* ---- probe -------------------------------------------------------------------------------- */

/* States of the set that a run is measured on (engine/probes.h). */
static int states_of(const char* hash, loader* load, void* user, int64_t* out, agon_error* error) {
    uint8_t* data = NULL;
    size_t size = 0;
    agon_blob* blob = malloc(sizeof *blob);
    int rc = blob ? load(user, hash, &data, &size, error)
                  : agon_fail(error, AGON_EMEMORY, "no memory for a probe set");
    if (!rc)
        rc = agon_blob_decode(data, size, "probe set", blob, error);
    if (!rc) {
        const agon_blob_tensor* t = agon_blob_tensor_find(blob, "B.offset");
        t = t ? t : agon_blob_tensor_find(blob, "U.offset");
        *out = t && t->dims == 1 ? t->shape[0] - 1 : 0;
    }
    free(data);
    free(blob);
    return rc;
}

static int check_probe(const agon_task* task, const agon_result* result, loader* load, void* user,
                       agon_error* error) {
    const agon_probe_result* p = &result->as.probe;
    agon_rules* rules = NULL;
    int64_t states = 0;
    int rc = agon_rules_open(task->game, &rules, error);
    if (!rc)
        rc = states_of(task->as.probe.probes, load, user, &states, error);
    const int actions = rules ? rules->spec.actions : 0;
    agon_rules_close(rules);
    if (rc)
        return AGON_EIO; /* whatever it is, the result is not to blame */
    return p->states == states && p->actions == actions && result->blobs == 0
               ? AGON_OK
               : wrong(task, "answers of another shape than its questions", error);
}

int agon__result_check(const agon_task* task, const agon_result* result, loader* load, void* user,
                       agon_error* error) {
    if (task->kind != result->kind || strcmp(task->key, result->key) != 0)
        return agon_fail(error, AGON_EINVALID, "the result of '%s' came as that of '%s'",
                         result->key, task->key);
    switch (task->kind) {
    case AGON_TRAIN:
        return check_train(task, result, error);
    case AGON_MATCH:
        return check_match(task, result, error);
    case AGON_PROBE:
        return check_probe(task, result, load, user, error);
    }
    return AGON_OK;
}
