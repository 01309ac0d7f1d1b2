/* execute_train.c: one train task, whose updates this thread makes itself. */
#include "engine/execute_shard.h"
#include "engine/trainer.h"

#include <stdlib.h>

/* What learning takes besides; zeroed, so that one release fits every failure. */
typedef struct desk {
    agon_rollout* rollout;
    agon_scratch* scratch;
    uint32_t* index; /* minibatch order */
} desk;

static void clear(desk* k, const agon_backend* backend) {
    agon_rollout_close(k->rollout);
    if (k->scratch)
        backend->scratch_close(k->scratch);
    free(k->index);
}

static int prepare(desk* k, const agon__trainer* t, agon_error* error) {
    const agon_backend* backend = t->context->backend;
    const int entries = agon__trainer_rows(t) * t->def->horizon;
    const int parts = t->def->ppo.minibatches;
    const int together =
        agon_net_memory(&t->learner->net) ? t->def->horizon : (entries + parts - 1) / parts;
    const agon_rollout_def def = agon__trainer_rollout(t, 1);
    const int rc = agon_rollout_open(&def, &k->rollout, error);
    if (rc)
        return rc;
    k->index = malloc((size_t)entries * sizeof *k->index);
    k->scratch = backend->scratch_open();
    if (!k->index || !k->scratch ||
        backend->scratch_reserve(k->scratch, &t->learner->net, together, 1) != 0)
        return agon_fail(error, AGON_EMEMORY, "no memory for updates of %d decisions", together);
    return AGON_OK;
}

static int learn(const desk* k, agon__trainer* t, agon_error* error) {
    agon_profile* profile = &t->context->profile;
    agon_rectangle* data = k->rollout->data;
    for (int i = 0; i < t->def->rollouts; i++) {
        const agon_ppo ppo = agon__trainer_ppo(t, i);
        agon_update_stats stats;
        int rc = agon__trainer_wanted(t, error);
        agon_profile_enter(profile, AGON_PHASE_COLLECT);
        if (!rc)
            rc = agon_rollout_collect(k->rollout, error);
        if (!rc)
            rc = agon__trainer_opponents(t, error);
        if (rc)
            return rc;
        agon_profile_enter(profile, AGON_PHASE_UPDATE);
        agon_ppo_train(t->context->backend, k->scratch, t->learner, data, &ppo, t->shuffle,
                       k->index, &stats);
        rc = agon__trainer_learned(t, i, &stats, k->rollout->steps, error);
        if (rc)
            return rc;
    }
    agon_profile_enter(profile, AGON_PHASE_OTHER);
    t->sum.explained_variance = agon_explained_variance(data->target, data->value,
                                                        (size_t)data->rows * (size_t)data->horizon);
    return AGON_OK;
}

static int train(agon__trainer* t, agon_result* out, agon_error* error) {
    desk k = {0};
    agon_play_counts counts;
    int rc = prepare(&k, t, error);
    if (!rc)
        rc = learn(&k, t, error);
    if (!rc) {
        counts = agon__trainer_counts(k.rollout);
        rc = agon__trainer_result(t, &counts, out, error);
    }
    clear(&k, t->context->backend);
    return rc;
}

/* A device that trains many tasks at once trains one as a shard of one. */
static int train_in_shard(const agon_task* task, agon_context* context, agon_result* out,
                          agon_error* error) {
    agon_shard_task alone = {.task = task, .gauge = context->gauge}, *list = &alone;
    agon_execute_shard(&list, 1, context);
    if (!alone.status)
        *out = alone.result;
    else if (error)
        *error = alone.error;
    return alone.status;
}

int agon__execute_train(const agon_task* task, const agon_rules* rules, agon_context* context,
                        agon_result* out, agon_error* error) {
    agon__trainer t;
    if (context->backend->shards && task->as.train.rollouts > 0)
        return train_in_shard(task, context, out, error);
    int rc = agon__trainer_open(task, context, context->gauge, &t, error);
    if (rc)
        return rc;
    rc = t.def->rollouts > 0 ? train(&t, out, error) : agon__trainer_result(&t, NULL, out, error);
    agon__trainer_close(&t);
    return rc;
}
