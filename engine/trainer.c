#include "engine/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- opening ------------------------------------------------------------------------------ */

static int load_learner(agon__trainer* t, const agon_net* net, agon_error* error) {
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
static int check_seats(const agon__trainer* t, agon_error* error) {
    const agon_train_task* d = t->def;
    const uint64_t all = agon_rules_seats(t->context->rules);
    if (d->own_seats & ~all)
        return agon_fail(error, AGON_EINVALID, "task %s: own_seats 0x%llx, but %s has %d seats",
                         t->task->key, (unsigned long long)d->own_seats, t->context->rules->name,
                         t->context->rules->spec.seats);
    if (d->rollouts && (d->opponents == 0) != (d->own_seats == all))
        return agon_fail(error, AGON_EINVALID,
                         "task %s: %d opponents and own_seats 0x%llx of %d seats; expected "
                         "opponents for the other seats, if any",
                         t->task->key, d->opponents, (unsigned long long)d->own_seats,
                         t->context->rules->spec.seats);
    return AGON_OK;
}

static int read_net(const agon__trainer* t, agon_net* net, agon_error* error) {
    char who[sizeof t->task->key + 8];
    snprintf(who, sizeof who, "task %s", t->task->key);
    const int rc = agon_net_parse(t->def->net, net, error);
    return rc ? rc : agon_net_fits(net, t->context->rules, who, error);
}

int agon__trainer_rows(const agon__trainer* t) {
    return t->def->lanes * (t->def->own_seats ? __builtin_popcountll(t->def->own_seats) : 1);
}

static int check_minibatches(const agon__trainer* t, const agon_net* net, agon_error* error) {
    const int rows = agon__trainer_rows(t), minibatches = t->def->ppo.minibatches;
    const int most = agon_ppo_most_minibatches(net, rows, t->def->horizon);
    if (!t->def->rollouts || (minibatches >= 1 && minibatches <= most))
        return AGON_OK;
    return agon_fail(error, AGON_EINVALID,
                     "task %s: %d minibatches of %d rows of %d decisions; expected 1 to %d",
                     t->task->key, minibatches, rows, t->def->horizon, most);
}

/* Where games can go on a device, whoever plays uniformly at random is a net there: else one such
 * opponent would keep them all on the host. */
static int settle_random(agon__trainer* t, agon_actor* actor, agon_error* error) {
    const agon_shard_backend* shards = t->context->backend->shards;
    agon_actor even;
    if (!shards || !actor->has_policy || !actor->policy.uniform ||
        !shards->plays(t->context->rules))
        return AGON_OK;
    const int rc = agon__actor_even(&t->learner->net, t->context, &even, error);
    if (rc)
        return rc;
    agon__actor_close(actor);
    *actor = even;
    return AGON_OK;
}

static int open_opponents(agon__trainer* t, agon_error* error) {
    const size_t count = (size_t)t->def->opponents;
    int rc = AGON_OK;
    t->actor = calloc(count + 1, sizeof *t->actor);
    t->player = calloc(count + 1, sizeof *t->player);
    if (!t->actor || !t->player)
        return agon_fail(error, AGON_EMEMORY, "no memory for %zu opponents", count);
    for (size_t i = 0; !rc && i < count; i++) {
        rc = agon__actor_open(t->def->opponent[i], t->context->rules, t->context, false,
                              &t->actor[i], error);
        if (!rc)
            rc = settle_random(t, &t->actor[i], error);
        t->player[i] = agon__actor_player(&t->actor[i]);
    }
    return rc;
}

int agon__trainer_open(const agon_task* task, agon_context* context, agon_gauge* gauge,
                       agon__trainer* out, agon_error* error) {
    agon__trainer t = {
        .task = task,
        .def = &task->as.train,
        .context = context,
        .gauge = gauge,
        .chance = agon_key_make(task->seed, task->key, AGON_FOR_CHANCE),
        .action = agon_key_make(task->seed, task->key, AGON_FOR_ACTION),
        .shuffle = agon_key_make(task->seed, task->key, AGON_FOR_SHUFFLE),
    };
    agon_net net;
    int rc = check_seats(&t, error);
    if (!rc)
        rc = read_net(&t, &net, error);
    if (!rc)
        rc = check_minibatches(&t, &net, error);
    if (!rc)
        rc = load_learner(&t, &net, error);
    if (!rc)
        rc = open_opponents(&t, error);
    if (rc)
        agon__trainer_close(&t);
    else
        *out = t;
    return rc;
}

void agon__trainer_close(agon__trainer* t) {
    for (int i = 0; t->actor && i < t->def->opponents; i++)
        agon__actor_close(&t->actor[i]);
    free(t->actor);
    free(t->player);
    agon_learner_close(t->learner);
    memset(t, 0, sizeof *t);
}

/* ---- between ------------------------------------------------------------------------------ */

agon_rollout_def agon__trainer_rollout(const agon__trainer* t, int parts) {
    return (agon_rollout_def){
        .rules = t->context->rules,
        .backend = t->context->backend,
        .learner = t->learner,
        .own_seats = t->def->own_seats,
        .opponents = t->def->opponents,
        .opponent = t->player,
        .lanes = t->def->lanes,
        .horizon = t->def->horizon,
        .parts = parts,
        .chance = t->chance,
        .action = t->action,
        .profile = &t->context->profile,
    };
}

int agon__trainer_wanted(const agon__trainer* t, agon_error* error) {
    if (agon__gauge_cancelled(t->gauge))
        return agon_fail(error, AGON_ECANCELLED, "task %s was cancelled", t->task->key);
    return AGON_OK;
}

int agon__trainer_opponents(const agon__trainer* t, agon_error* error) {
    int rc = AGON_OK;
    for (int i = 0; !rc && i < t->def->opponents; i++)
        rc = agon__actor_check(&t->actor[i], error);
    return rc;
}

static float between(float start, float end, int i, int n) {
    return start + (end - start) * (float)i / (float)n;
}

agon_ppo agon__trainer_ppo(const agon__trainer* t, int i) {
    const agon_train_task* d = t->def;
    agon_ppo ppo = d->ppo;
    ppo.step.learning_rate =
        between(d->ppo.step.learning_rate, d->learning_rate_end, i, d->rollouts);
    ppo.step.entropy_weight = between(d->ppo.step.entropy_weight, d->entropy_end, i, d->rollouts);
    return ppo;
}

static void add_stats(agon_update_stats* sum, const agon_update_stats* x, double weight) {
    sum->policy_loss += x->policy_loss * weight;
    sum->value_loss += x->value_loss * weight;
    sum->entropy += x->entropy * weight;
    sum->kl += x->kl * weight;
    sum->clipped += x->clipped * weight;
    sum->grad_norm += x->grad_norm * weight;
}

static int diverged(const agon__trainer* t, const char* what, agon_error* error) {
    agon_fail(error, AGON_EINVALID, "task %s: %s is not finite", t->task->key, what);
    return agon_hint(error, "training diverged: lower train.learning_rate");
}

int agon__trainer_learned(agon__trainer* t, int i, const agon_update_stats* stats, uint64_t steps,
                          agon_error* error) {
    const int rollouts = t->def->rollouts;
    if (!isfinite(stats->policy_loss + stats->value_loss + stats->kl + stats->grad_norm))
        return diverged(t, "the loss", error);
    add_stats(&t->sum.stats, stats, 1.0 / rollouts);
    t->learner->steps += (uint64_t)agon__trainer_rows(t) * (uint64_t)t->def->horizon;
    agon__gauge_set(t->gauge, (unsigned)(1000 * (i + 1) / rollouts), steps);
    return AGON_OK;
}

/* ---- the result --------------------------------------------------------------------------- */

static int check_finite(const agon__trainer* t, agon_error* error) {
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

static int write_blobs(agon__trainer* t, agon_result* out, agon_error* error) {
    agon_snapshot_info info = {
        .agent = t->def->agent, .generation = t->def->generation, .steps = t->learner->steps};
    snprintf(info.game, sizeof info.game, "%s", t->context->rules->name);
    describe_layout(t->context->rules, info.layout, sizeof info.layout);
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

agon_play_counts agon__trainer_counts(const agon_rollout* r) {
    return (agon_play_counts){
        .steps = r->steps,
        .extra_steps = r->extra_steps,
        .other_steps = r->other_steps,
        .episodes = r->finished,
        .return_count = r->return_count,
        .length_sum = r->length_sum,
        .return_sum = r->return_sum,
    };
}

static void count(const agon__trainer* t, const agon_play_counts* c, agon_train_result* out) {
    *out = t->sum;
    out->total_steps = t->learner->steps;
    out->updates = t->learner->updates;
    if (!c)
        return;
    out->steps = c->steps;
    out->extra_steps = c->extra_steps;
    out->other_steps = c->other_steps;
    out->episodes = c->episodes;
    out->return_mean = c->return_count ? c->return_sum / (double)c->return_count : 0;
    out->length_mean = c->episodes ? (double)c->length_sum / (double)c->episodes : 0;
}

int agon__trainer_result(agon__trainer* t, const agon_play_counts* counts, agon_result* out,
                         agon_error* error) {
    const int rc = counts ? check_finite(t, error) : AGON_OK;
    if (rc)
        return rc;
    count(t, counts, &out->as.train);
    return write_blobs(t, out, error);
}
