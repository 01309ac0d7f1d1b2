#include "engine/execute.h"
#include "engine/rollout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Everything a train task holds while it runs; zeroed, so that one release fits every failure. */
typedef struct trainer {
    const agon_task* task;
    const agon_train_task* def;
    const agon_rules* rules;
    agon_context* context;
    agon_learner* learner;
    agon_actor actor[AGON_MAX_OPPONENTS];
    agon_player player[AGON_MAX_OPPONENTS];
    agon_rollout* rollout;
    agon_scratch* scratch;
    uint32_t* index; /* minibatch order */
} trainer;

static void release(trainer* t) {
    agon_rollout_close(t->rollout);
    for (int i = 0; i < t->def->opponents; i++)
        agon__actor_close(&t->actor[i]);
    agon_learner_close(t->learner);
    if (t->scratch)
        t->context->backend->scratch_close(t->scratch);
    free(t->index);
}

static int load_learner(trainer* t, const agon_net* net, agon_error* error) {
    uint8_t* data = NULL;
    size_t size = 0;
    agon_snapshot_info info;
    t->learner = agon_learner_open(net, t->context->backend);
    if (!t->learner)
        return agon_fail(error, AGON_EMEMORY, "no memory for a learner of %s", t->def->net);
    if (!t->def->learner[0]) {
        agon_net_init(net, agon_key_make(t->task->seed, t->task->key, AGON_FOR_INIT),
                      t->learner->params);
    } else {
        int rc = t->context->load(t->context->user, t->def->learner, &data, &size, error);
        if (!rc)
            rc = agon_learner_decode(data, size, t->def->learner, t->learner, &info, error);
        free(data);
        if (rc)
            return rc;
    }
    t->context->backend->pack(net, t->learner->params, t->learner->packed);
    return AGON_OK;
}

/* Opponents are there for the seats that are not the learner's, and only for these. */
static int check_seats(const trainer* t, agon_error* error) {
    const agon_train_task* d = t->def;
    const uint64_t all = agon_rules_seats(t->rules);
    if (d->own_seats & ~all)
        return agon_fail(error, AGON_EINVALID, "task %s: own_seats 0x%llx, but %s has %d seats",
                         t->task->key, (unsigned long long)d->own_seats, t->rules->name,
                         t->rules->spec.seats);
    if (d->rollouts && (d->opponents == 0) != (d->own_seats == all))
        return agon_fail(error, AGON_EINVALID,
                         "task %s: %d opponents and own_seats 0x%llx of %d seats; expected "
                         "opponents for the other seats, if any",
                         t->task->key, d->opponents, (unsigned long long)d->own_seats,
                         t->rules->spec.seats);
    return AGON_OK;
}

static int prepare(trainer* t, agon_error* error) {
    const agon_train_task* d = t->def;
    agon_net net;
    int rc = check_seats(t, error);
    if (!rc)
        rc = agon_net_parse(d->net, &net, error);
    if (!rc && (net.inputs != t->rules->entries || net.actions != t->rules->spec.actions))
        rc = agon_fail(error, AGON_EINVALID, "net %s does not fit %s: %d inputs, %d actions",
                       d->net, t->rules->name, t->rules->entries, t->rules->spec.actions);
    if (!rc)
        rc = load_learner(t, &net, error);
    for (int i = 0; !rc && i < d->opponents; i++) {
        rc = agon__actor_open(d->opponent[i], t->rules, t->context, false, &t->actor[i], error);
        t->player[i] = agon__actor_player(&t->actor[i]);
    }
    return rc;
}

static int reserve(trainer* t, agon_error* error) {
    const agon_train_task* d = t->def;
    const agon_backend* backend = t->context->backend;
    const int rows = d->lanes * (d->own_seats ? __builtin_popcountll(d->own_seats) : 1);
    const int entries = rows * d->horizon;
    if (d->ppo.minibatches < 1 || d->ppo.minibatches > entries)
        return agon_fail(error, AGON_EINVALID,
                         "task %s: %d minibatches of %d decisions; expected 1 to %d", t->task->key,
                         d->ppo.minibatches, entries, entries);
    const int largest = (entries + d->ppo.minibatches - 1) / d->ppo.minibatches;
    agon_rollout_def def = {
        .rules = t->rules,
        .backend = backend,
        .learner = t->learner,
        .own_seats = d->own_seats,
        .opponents = d->opponents,
        .opponent = t->player,
        .lanes = d->lanes,
        .horizon = d->horizon,
        .chance = agon_key_make(t->task->seed, t->task->key, AGON_FOR_CHANCE),
        .action = agon_key_make(t->task->seed, t->task->key, AGON_FOR_ACTION),
        .profile = &t->context->profile,
    };
    int rc = agon_rollout_open(&def, &t->rollout, error);
    if (rc)
        return rc;
    t->index = malloc((size_t)entries * sizeof *t->index);
    t->scratch = backend->scratch_open();
    if (!t->index || !t->scratch ||
        backend->scratch_reserve(t->scratch, &t->learner->net, largest, 1) != 0)
        return agon_fail(error, AGON_EMEMORY, "no memory for minibatches of %d decisions", largest);
    return AGON_OK;
}

static float between(float start, float end, int i, int n) {
    return start + (end - start) * (float)i / (float)n;
}

static void add_stats(agon_update_stats* sum, const agon_update_stats* x, double weight) {
    sum->policy_loss += x->policy_loss * weight;
    sum->value_loss += x->value_loss * weight;
    sum->entropy += x->entropy * weight;
    sum->kl += x->kl * weight;
    sum->clipped += x->clipped * weight;
    sum->grad_norm += x->grad_norm * weight;
}

static int diverged(const trainer* t, const char* what, agon_error* error) {
    agon_fail(error, AGON_EINVALID, "task %s: %s is not finite", t->task->key, what);
    return agon_hint(error, "training diverged: lower train.learning_rate");
}

static int learn(trainer* t, agon_train_result* out, agon_error* error) {
    const agon_train_task* d = t->def;
    const agon_key shuffle = agon_key_make(t->task->seed, t->task->key, AGON_FOR_SHUFFLE);
    for (int i = 0; i < d->rollouts; i++) {
        agon_update_stats stats;
        agon_ppo ppo = d->ppo;
        ppo.step.learning_rate =
            between(d->ppo.step.learning_rate, d->learning_rate_end, i, d->rollouts);
        ppo.step.entropy_weight =
            between(d->ppo.step.entropy_weight, d->entropy_end, i, d->rollouts);
        if (atomic_load(&t->context->cancel))
            return agon_fail(error, AGON_ECANCELLED, "task %s was cancelled", t->task->key);
        agon_profile_enter(&t->context->profile, AGON_PHASE_COLLECT);
        int rc = agon_rollout_collect(t->rollout, error);
        for (int j = 0; !rc && j < d->opponents; j++)
            rc = agon__actor_check(&t->actor[j], error);
        if (rc)
            return rc;
        agon_profile_enter(&t->context->profile, AGON_PHASE_UPDATE);
        agon_ppo_train(t->context->backend, t->scratch, t->learner, t->rollout->data, &ppo, shuffle,
                       t->index, &stats);
        if (!isfinite(stats.policy_loss + stats.value_loss + stats.kl + stats.grad_norm))
            return diverged(t, "the loss", error);
        add_stats(&out->stats, &stats, 1.0 / d->rollouts);
        t->learner->steps += (uint64_t)t->rollout->data->rows * (uint64_t)d->horizon;
        atomic_store(&t->context->progress, (unsigned)(1000 * (i + 1) / d->rollouts));
        atomic_store(&t->context->steps, t->rollout->steps);
    }
    agon_profile_enter(&t->context->profile, AGON_PHASE_OTHER);
    const agon_rectangle* data = t->rollout->data;
    out->explained_variance = agon_explained_variance(data->target, data->value,
                                                      (size_t)data->rows * (size_t)data->horizon);
    return AGON_OK;
}

static int check_finite(const trainer* t, agon_error* error) {
    const size_t n = agon_net_size(&t->learner->net);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(t->learner->params[i]) || !isfinite(t->learner->moment2[i]))
            return diverged(t, "a parameter", error);
    return AGON_OK;
}

static void describe_layout(const agon_rules* rules, char* out, size_t size) {
    const agon_spec* s = &rules->spec;
    int used = snprintf(out, size, "%dx%dx%d %s scale %.9g:", s->planes, s->rows, s->cols,
                        s->obs_type == AGON_U8 ? "u8" : "f32", (double)s->obs_scale);
    for (int i = 0; i < s->planes && used > 0 && (size_t)used < size; i++)
        used += snprintf(out + used, size - (size_t)used, " %s",
                         s->plane_names[i] ? s->plane_names[i] : "?");
}

static int write_blobs(trainer* t, agon_result* out, agon_error* error) {
    agon_snapshot_info info = {
        .agent = t->def->agent, .generation = t->def->generation, .steps = t->learner->steps};
    snprintf(info.game, sizeof info.game, "%s", t->rules->name);
    describe_layout(t->rules, info.layout, sizeof info.layout);
    int rc = agon_learner_encode(t->learner, &info, &out->blob[0], error);
    if (rc)
        return rc;
    out->blobs = 1;
    rc = agon_snapshot_encode(&t->learner->net, t->learner->params, &info, &out->blob[1], error);
    if (rc)
        return rc;
    out->blobs = 2;
    memcpy(out->as.train.learner, out->blob[0].hash, AGON_HASH_SIZE);
    memcpy(out->as.train.snapshot, out->blob[1].hash, AGON_HASH_SIZE);
    return AGON_OK;
}

static void count(const trainer* t, agon_train_result* out) {
    const agon_rollout* r = t->rollout;
    out->total_steps = t->learner->steps;
    out->updates = t->learner->updates;
    if (!r)
        return;
    out->steps = r->steps;
    out->extra_steps = r->extra_steps;
    out->other_steps = r->other_steps;
    out->episodes = r->finished;
    out->return_mean = r->return_count ? r->return_sum / (double)r->return_count : 0;
    out->length_mean = r->finished ? (double)r->length_sum / (double)r->finished : 0;
}

int agon__execute_train(const agon_task* task, const agon_rules* rules, agon_context* context,
                        agon_result* out, agon_error* error) {
    trainer* t = calloc(1, sizeof *t);
    if (!t)
        return agon_fail(error, AGON_EMEMORY, "no memory for task %s", task->key);
    *t = (trainer){.task = task, .def = &task->as.train, .rules = rules, .context = context};
    int rc = prepare(t, error);
    if (!rc && t->def->rollouts > 0) {
        rc = reserve(t, error);
        if (!rc)
            rc = learn(t, &out->as.train, error);
        if (!rc)
            rc = check_finite(t, error);
    }
    if (!rc) {
        count(t, &out->as.train);
        rc = write_blobs(t, out, error);
    }
    release(t);
    free(t);
    return rc;
}
