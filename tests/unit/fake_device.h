/* fake_device.h: a device that is a CPU: a backend with everything that is optional. Forwards are
 * computed when they are finished, shards are rollouts and updates one after another, and every
 * call can be made to fail. What it computes are the CPU's bytes. */
#ifndef AGON_FAKE_DEVICE_H
#define AGON_FAKE_DEVICE_H

#include "agents/shard.h"
#include "engine/rollout.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct fake_device {
    bool plays;
    int room; /* members of a shard, as it says; 0: any number */
    int fits; /* members of a shard, in truth; 0: any number */
    /* What fails; -1: nothing. */
    atomic_int forwards; /* left until they fail */
    int rollout;         /* of a shard: collect or update of this one */
    bool fetch;
    /* What happened. */
    int opened, largest, together; /* shards opened; members of the largest; open at a time */
    int open_now;
    pthread_mutex_t lock;
} fake_device;

static fake_device fake;

static inline void fake_reset(void) {
    memset(&fake, 0, sizeof fake);
    atomic_store(&fake.forwards, -1);
    fake.rollout = -1;
    pthread_mutex_init(&fake.lock, NULL);
}

static inline int fake_lost(agon_error* error) {
    agon_fail(error, AGON_EDEVICE, "the fake GPU is lost");
    return agon_hint(error, "it was told to be");
}

/* ---- forwards ----------------------------------------------------------------------------- */

typedef struct fake_scratch {
    agon_scratch* real;
    const agon_forward* call; /* begun */
    bool failed;
} fake_scratch;

static agon_scratch* fake_scratch_open(void) {
    fake_scratch* s = calloc(1, sizeof *s);
    s->real = agon_cpu_backend()->scratch_open();
    return (agon_scratch*)s;
}

static int fake_scratch_reserve(agon_scratch* scratch, const agon_net* net, int rows, int update) {
    return agon_cpu_backend()->scratch_reserve(((fake_scratch*)scratch)->real, net, rows, update);
}

static void fake_scratch_close(agon_scratch* scratch) {
    fake_scratch* s = (fake_scratch*)scratch;
    assert_null(s->call);
    agon_cpu_backend()->scratch_close(s->real);
    free(s);
}

static void fake_begin(const agon_forward* call, agon_scratch* scratch) {
    fake_scratch* s = (fake_scratch*)scratch;
    assert_null(s->call);
    s->call = call;
    for (int i = 0; call->action && i < call->offsets[call->nets]; i++)
        call->action[i] = UINT16_MAX; /* nobody may look yet */
}

static void fake_finish(agon_scratch* scratch) {
    fake_scratch* s = (fake_scratch*)scratch;
    assert_non_null(s->call);
    /* A failed call leaves any legal action, and the lowest is greedy's for equal logits. */
    if (atomic_load(&fake.forwards) >= 0 && atomic_fetch_sub(&fake.forwards, 1) <= 0) {
        atomic_store(&fake.forwards, 0);
        s->failed = true;
    }
    agon_cpu_backend()->forward(s->call, s->real);
    s->call = NULL;
}

static void fake_forward(const agon_forward* call, agon_scratch* scratch) {
    fake_begin(call, scratch);
    fake_finish(scratch);
}

static int fake_check(const agon_scratch* scratch, agon_error* error) {
    return scratch && ((const fake_scratch*)scratch)->failed ? fake_lost(error) : AGON_OK;
}

/* ---- shards ------------------------------------------------------------------------------- */

struct agon_shard {
    agon_shard_def def;
    agon_rollout** rollout; /* (members) of one that plays */
    agon_scratch* scratch;
    uint32_t* index;
    int done; /* rollouts */
};

static bool fake_plays(const agon_rules* rules) {
    (void)rules;
    return fake.plays;
}

static int fake_room(const agon_shard_def* def) {
    assert_true(def->plays || def->member[0].data);
    assert_true(def->member[0].ppo.epochs > 0);
    return fake.room ? fake.room : 1000000;
}

static void fake_shard_close(agon_shard* s) {
    if (!s)
        return;
    for (int m = 0; m < s->def.members; m++)
        agon_rollout_close(s->rollout[m]);
    agon_cpu_backend()->scratch_close(s->scratch);
    free(s->rollout);
    free(s->index);
    free(s);
    pthread_mutex_lock(&fake.lock);
    fake.open_now--;
    pthread_mutex_unlock(&fake.lock);
}

static const agon_rectangle* fake_data(const agon_shard* s, int m) {
    return s->def.plays ? s->rollout[m]->data : s->def.member[m].data;
}

static int fake_shard_open(const agon_shard_def* def, agon_shard** out, agon_error* error) {
    const agon_backend* cpu = agon_cpu_backend();
    if (fake.fits && def->members > fake.fits)
        return agon_fail(error, AGON_EMEMORY, "the fake GPU is full");
    agon_shard* s = calloc(1, sizeof *s);
    s->def = *def;
    s->rollout = calloc((size_t)def->members, sizeof *s->rollout);
    s->scratch = cpu->scratch_open();
    for (int m = 0; m < def->members; m++) {
        const agon_shard_member* x = &def->member[m];
        assert_int_equal(x->data == NULL, def->plays);
        for (int i = 0; def->plays && i < x->opponents; i++)
            assert_non_null(x->opponent[i].net);
        const agon_rollout_def r = {.rules = def->rules,
                                    .backend = cpu,
                                    .learner = x->learner,
                                    .own_seats = def->own_seats,
                                    .opponents = x->opponents,
                                    .opponent = x->opponent,
                                    .lanes = def->lanes,
                                    .horizon = def->horizon,
                                    .chance = x->chance,
                                    .action = x->action};
        if (def->plays)
            assert_int_equal(agon_rollout_open(&r, &s->rollout[m], NULL), AGON_OK);
    }
    const agon_rectangle* d = fake_data(s, 0);
    const int entries = d->rows * d->horizon;
    s->index = malloc((size_t)entries * sizeof *s->index);
    cpu->scratch_reserve(s->scratch, &def->member[0].learner->net, entries, 1);
    pthread_mutex_lock(&fake.lock);
    fake.opened++;
    if (def->members > fake.largest)
        fake.largest = def->members;
    if (++fake.open_now > fake.together)
        fake.together = fake.open_now;
    pthread_mutex_unlock(&fake.lock);
    *out = s;
    return AGON_OK;
}

static int fake_collect(agon_shard* s, agon_error* error) {
    assert_true(s->def.plays);
    if (fake.rollout == s->done)
        return fake_lost(error);
    for (int m = 0; m < s->def.members; m++) {
        const agon_rollout* r = s->rollout[m];
        assert_int_equal(agon_rollout_collect(s->rollout[m], NULL), AGON_OK);
        s->def.member[m].counts = (agon_play_counts){.steps = r->steps,
                                                     .extra_steps = r->extra_steps,
                                                     .other_steps = r->other_steps,
                                                     .episodes = r->finished,
                                                     .return_count = r->return_count,
                                                     .length_sum = r->length_sum,
                                                     .return_sum = r->return_sum};
    }
    return AGON_OK;
}

static int fake_update(agon_shard* s, agon_error* error) {
    if (fake.rollout == s->done++)
        return fake_lost(error);
    for (int m = 0; m < s->def.members; m++) {
        agon_shard_member* x = &s->def.member[m];
        agon_ppo_train(agon_cpu_backend(), s->scratch, x->learner, (agon_rectangle*)fake_data(s, m),
                       &x->ppo, x->shuffle, s->index, &x->stats);
    }
    return AGON_OK;
}

static int fake_fetch(agon_shard* s, agon_error* error) {
    if (fake.fetch)
        return fake_lost(error);
    for (int m = 0; m < s->def.members; m++) {
        const agon_rectangle* d = fake_data(s, m);
        s->def.member[m].explained_variance =
            agon_explained_variance(d->target, d->value, (size_t)d->rows * (size_t)d->horizon);
    }
    return AGON_OK;
}

/* Without `shards` it only computes forwards. */
static inline const agon_backend* fake_backend(bool shards) {
    static const agon_shard_backend with = {.plays = fake_plays,
                                            .room = fake_room,
                                            .open = fake_shard_open,
                                            .collect = fake_collect,
                                            .update = fake_update,
                                            .fetch = fake_fetch,
                                            .close = fake_shard_close};
    static agon_backend backends[2];
    agon_backend* b = &backends[shards];
    *b = *agon_cpu_backend();
    b->name = "fake/fp32";
    b->device = "Fake GPU";
    b->scratch_open = fake_scratch_open;
    b->scratch_reserve = fake_scratch_reserve;
    b->scratch_close = fake_scratch_close;
    b->forward = fake_forward;
    b->begin = fake_begin;
    b->finish = fake_finish;
    b->check = fake_check;
    b->update = NULL;
    b->gradient = NULL;
    b->shards = shards ? &with : NULL;
    return b;
}

#endif
