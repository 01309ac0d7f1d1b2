#include "engine/execute_shard.h"

#include "engine/shard_fill.h"
#include "engine/trainer.h"

#include <stdlib.h>
#include <string.h>

typedef struct member {
    agon_shard_task* job; /* job->status: it has failed, and only keeps its place in the shard */
    agon__trainer trainer;
    agon_rollout* rollout; /* NULL where the shard plays */
    bool open, plays;
} member;

/* Members that are run together: all of them play, or none. */
typedef struct crew {
    agon_context* context;
    const agon_shard_backend* shards;
    member** member;       /* (count) */
    agon_shard_member* of; /* (count) the same, as the backend sees them */
    int count;
    agon_shard_def def;
    agon_shard* shard;
} crew;

bool agon_shard_fits(const agon_task* a, const agon_task* b) {
    const agon_train_task *x = &a->as.train, *y = &b->as.train;
    return a->kind == AGON_TRAIN && b->kind == AGON_TRAIN && a->fingerprint == b->fingerprint &&
           strcmp(a->game, b->game) == 0 && strcmp(x->net, y->net) == 0 && x->rollouts > 0 &&
           x->rollouts == y->rollouts && x->own_seats == y->own_seats && x->lanes == y->lanes &&
           x->horizon == y->horizon && x->ppo.epochs == y->ppo.epochs &&
           x->ppo.minibatches == y->ppo.minibatches;
}

/* ---- members ------------------------------------------------------------------------------ */

/* The first failure of a task is the one that counts. */
static void fail(agon_shard_task* job, int code, const agon_error* error) {
    if (job->status || !code)
        return;
    job->status = code;
    job->error = *error;
}

static bool same_net(const agon_net* a, const agon_net* b) {
    return memcmp(a, b, sizeof *a) == 0;
}

/* Games go on the device where it knows them and everybody in them is a net like the learner. This
 * is a matter of the task alone. */
static bool can_play(const agon__trainer* t) {
    if (!t->context->backend->shards->plays(t->context->rules))
        return false;
    for (int i = 0; i < t->def->opponents; i++)
        if (!t->player[i].net || !same_net(t->player[i].net, &t->learner->net))
            return false;
    return true;
}

/* parts: of its lanes, where they are stepped here. */
static void open_member(member* m, agon_shard_task* job, agon_context* context, int parts) {
    agon_error error = {0};
    m->job = job;
    job->result = (agon_result){.kind = AGON_TRAIN};
    memcpy(job->result.key, job->task->key, sizeof job->result.key);
    int rc = agon__gauge_cancelled(job->gauge)
                 ? agon_fail(&error, AGON_ECANCELLED, "task %s was cancelled", job->task->key)
                 : agon__trainer_open(job->task, context, job->gauge, &m->trainer, &error);
    m->open = rc == AGON_OK;
    m->plays = m->open && can_play(&m->trainer);
    if (m->open && !m->plays) {
        const agon_rollout_def def = agon__trainer_rollout(&m->trainer, parts);
        rc = agon_rollout_open(&def, &m->rollout, &error);
    }
    fail(job, rc, &error);
}

static void close_member(member* m) {
    agon_rollout_close(m->rollout);
    if (m->open)
        agon__trainer_close(&m->trainer);
    if (m->job && m->job->status)
        agon_result_clear(&m->job->result);
    memset(m, 0, sizeof *m);
}

static agon_shard_member face_of(const member* m) {
    const agon__trainer* t = &m->trainer;
    return (agon_shard_member){
        .learner = t->learner,
        .opponents = t->def->opponents,
        .opponent = t->player,
        .chance = t->chance,
        .action = t->action,
        .shuffle = t->shuffle,
        .data = m->plays ? NULL : m->rollout->data,
        .ppo = agon__trainer_ppo(t, 0),
    };
}

static agon_shard_def shape_of(const member* m, agon_shard_member* of, int count) {
    const agon__trainer* t = &m->trainer;
    return (agon_shard_def){
        .rules = t->context->rules,
        .lanes = t->def->lanes,
        .horizon = t->def->horizon,
        .own_seats = t->def->own_seats,
        .plays = m->plays,
        .members = count,
        .member = of,
    };
}

/* ---- a crew at work ----------------------------------------------------------------------- */

static void fail_all(const crew* c, int code, const agon_error* error) {
    for (int i = 0; i < c->count; i++)
        fail(c->member[i]->job, code, error);
}

/* Members that are still wanted get the rates of rollout i. false: none is. */
static bool prepare_rollout(const crew* c, int i) {
    bool wanted = false;
    for (int m = 0; m < c->count; m++) {
        agon_shard_task* job = c->member[m]->job;
        agon_error error = {0};
        c->of[m].ppo = agon__trainer_ppo(&c->member[m]->trainer, i);
        if (!job->status)
            fail(job, agon__trainer_wanted(&c->member[m]->trainer, &error), &error);
        wanted = wanted || !job->status;
    }
    return wanted;
}

/* On this machine's threads. What goes wrong in one task is its own. */
static int fill_rectangles(const crew* c, agon_error* error) {
    agon__fill* fill = calloc((size_t)c->count, sizeof *fill);
    int left = 0;
    if (!fill)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d rollouts", c->count);
    for (int m = 0; m < c->count; m++)
        if (!c->member[m]->job->status)
            fill[left++].rollout = c->member[m]->rollout;
    agon__shard_fill(fill, left, c->context->threads, &c->context->profile);
    for (int m = 0, i = 0; m < c->count; m++) {
        agon_shard_task* job = c->member[m]->job;
        agon_error why = {0};
        if (job->status)
            continue;
        fail(job, fill[i].code, &fill[i].error);
        fail(job, agon__trainer_opponents(&c->member[m]->trainer, &why), &why);
        i++;
    }
    free(fill);
    return AGON_OK;
}

static void take_statistics(const crew* c, int i) {
    for (int m = 0; m < c->count; m++) {
        member* x = c->member[m];
        agon_error error = {0};
        const uint64_t steps = x->plays ? c->of[m].counts.steps : x->rollout->steps;
        if (!x->job->status)
            fail(x->job, agon__trainer_learned(&x->trainer, i, &c->of[m].stats, steps, &error),
                 &error);
    }
}

static int learn(const crew* c, agon_error* error) {
    agon_profile* profile = &c->context->profile;
    const int rollouts = c->member[0]->trainer.def->rollouts;
    for (int i = 0; i < rollouts; i++) {
        if (!prepare_rollout(c, i))
            return AGON_OK;
        agon_profile_enter(profile, AGON_PHASE_COLLECT);
        int rc = c->def.plays ? c->shards->collect(c->shard, error) : fill_rectangles(c, error);
        agon_profile_enter(profile, AGON_PHASE_UPDATE);
        if (!rc)
            rc = c->shards->update(c->shard, error);
        agon_profile_enter(profile, AGON_PHASE_OTHER);
        if (rc)
            return rc;
        take_statistics(c, i);
    }
    return c->shards->fetch(c->shard, error);
}

static void write_results(const crew* c) {
    for (int m = 0; m < c->count; m++) {
        member* x = c->member[m];
        agon_error error = {0};
        if (x->job->status)
            continue;
        const agon_play_counts counts =
            x->plays ? c->of[m].counts : agon__trainer_counts(x->rollout);
        x->trainer.sum.explained_variance = c->of[m].explained_variance;
        fail(x->job, agon__trainer_result(&x->trainer, &counts, &x->job->result, &error), &error);
    }
}

static void run(agon_context* context, member** members, int count);

/* Pieces of equal size, as few as there is room for. */
static void run_in_pieces(agon_context* context, member** members, int count, int room) {
    const int pieces = (count + room - 1) / room;
    for (int i = 0; i < pieces; i++) {
        const int from = (int)((int64_t)count * i / pieces);
        run(context, members + from, (int)((int64_t)count * (i + 1) / pieces) - from);
    }
}

/* Others take device memory, too: what seemed to fit may not. Half of it is tried then. */
static void run_crew(crew* c) {
    agon_error error = {0};
    int rc = c->shards->open(&c->def, &c->shard, &error);
    if (rc == AGON_EMEMORY && c->count > 1) {
        run_in_pieces(c->context, c->member, c->count, (c->count + 1) / 2);
        return;
    }
    if (!rc)
        rc = learn(c, &error);
    if (rc)
        fail_all(c, rc, &error);
    else
        write_results(c);
    c->shards->close(c->shard);
}

/* All of them play, or none. */
static void run(agon_context* context, member** members, int count) {
    const agon_error memory = {AGON_EMEMORY, "no memory for a shard of tasks", ""};
    crew c = {
        .context = context, .shards = context->backend->shards, .member = members, .count = count};
    if (!count)
        return;
    c.of = calloc((size_t)count, sizeof *c.of);
    if (!c.of) {
        fail_all(&c, AGON_EMEMORY, &memory);
        return;
    }
    for (int m = 0; m < count; m++)
        c.of[m] = face_of(members[m]);
    c.def = shape_of(members[0], c.of, count);
    const int room = c.shards->room(&c.def);
    if (room < count)
        run_in_pieces(context, members, count, room);
    else
        run_crew(&c);
    free(c.of);
}

/* ---- all tasks ---------------------------------------------------------------------------- */

static int room_for(const member* m) {
    agon_shard_member of = face_of(m);
    const agon_shard_def def = shape_of(m, &of, 1);
    return m->trainer.context->backend->shards->room(&def);
}

/* Those of the members that are open and play, or do not. */
static void run_those(agon_context* context, member* members, int count, bool play, member** list) {
    int found = 0;
    for (int m = 0; m < count; m++)
        if (!members[m].job->status && members[m].plays == play)
            list[found++] = &members[m];
    run(context, list, found);
}

/* Opens tasks until there is no more room for them, and runs these. Returns how many that were. */
static int run_some(agon_shard_task* const* tasks, int count, agon_context* context, int parts,
                    member* members, member** list) {
    int opened = 0, room = 0;
    for (int wanted = count; opened < wanted; opened++) {
        member* m = &members[opened];
        open_member(m, tasks[opened], context, parts);
        if (room || m->job->status)
            continue;
        room = room_for(m);
        const int left = count - opened, pieces = (left + room - 1) / room;
        wanted = opened + (left + pieces - 1) / pieces;
    }
    run_those(context, members, opened, true, list);
    run_those(context, members, opened, false, list);
    for (int m = 0; m < opened; m++)
        close_member(&members[m]);
    return opened;
}

void agon_execute_shard(agon_shard_task* const* tasks, int count, agon_context* context) {
    const int parts = count < 2 * context->threads || count == 1 ? 2 : 1;
    member* members = calloc((size_t)count, sizeof *members);
    member** list = calloc((size_t)count, sizeof *list);
    agon_error error = {0};
    int rc = members && list ? agon__execute_reach(tasks[0]->task, context, &error)
                             : agon_fail(&error, AGON_EMEMORY, "no memory for %d tasks", count);
    for (int i = 0; i < count; i++) {
        tasks[i]->status = 0;
        fail(tasks[i], rc, &error);
    }
    for (int done = 0; !rc && done < count;)
        done += run_some(tasks + done, count - done, context, parts, members, list);
    free(members);
    free(list);
}
