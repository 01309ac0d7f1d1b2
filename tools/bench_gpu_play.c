/* bench_gpu_play.c: many learners that each play themselves on a GPU, and train there. */
#include "tools/bench_gpu.h"

#include "agents/shard.h"

#include <stdio.h>
#include <stdlib.h>

enum { HORIZON = 32, EPOCHS = 1, MINIBATCHES = 4 };

static const agon_ppo ppo = {
    .step = {1e-4f, 0.2f, 0.5f, 0.01f, 0.5f, 0.9f, 0.999f, 1e-8f},
    .discount = 1,
    .lambda = 0.95f,
    .epochs = EPOCHS,
    .minibatches = MINIBATCHES,
    .normalise = 1,
};

typedef struct playing {
    agon_bench_gpu_run_state* s;
    agon_rules* rules;
    agon_net net;
    agon_shard_def def;
    agon_shard* shard;
} playing;

static int go_rollout(void* user, int times, agon_error* error) {
    playing* p = user;
    int rc = AGON_OK;
    for (int i = 0; !rc && i < times; i++)
        rc = p->s->backend->shards->collect(p->shard, error);
    return rc;
}

static int go_train(void* user, int times, agon_error* error) {
    playing* p = user;
    int rc = AGON_OK;
    for (int i = 0; !rc && i < times; i++) {
        rc = p->s->backend->shards->collect(p->shard, error);
        if (!rc)
            rc = p->s->backend->shards->update(p->shard, error);
    }
    return rc;
}

/* ---- learners ----------------------------------------------------------------------------- */

static void close_playing(playing* p) {
    if (p->shard)
        p->s->backend->shards->close(p->shard);
    for (int m = 0; p->def.member && m < p->def.members; m++)
        if (p->def.member[m].learner)
            agon_learner_close(p->def.member[m].learner);
    free(p->def.member);
    agon_rules_close(p->rules);
}

static int open_member(playing* p, int m, agon_error* error) {
    agon_learner* learner = agon_learner_open(&p->net, p->s->backend);
    if (!learner)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d learners", p->def.members);
    const uint64_t seed = (uint64_t)m;
    agon_net_init(&p->net, agon_key_make(seed, "bench", AGON_FOR_INIT), learner->params);
    p->s->backend->pack(&p->net, learner->params, learner->packed);
    p->def.member[m] = (agon_shard_member){
        .learner = learner,
        .chance = agon_key_make(seed, "bench", AGON_FOR_CHANCE),
        .action = agon_key_make(seed, "bench", AGON_FOR_ACTION),
        .shuffle = agon_key_make(seed, "bench", AGON_FOR_SHUFFLE),
        .ppo = ppo,
    };
    return AGON_OK;
}

static int open_shard(playing* p, agon_error* error) {
    const agon_shard_backend* shards = p->s->backend->shards;
    p->def.member = calloc((size_t)p->def.members, sizeof *p->def.member);
    if (!p->def.member)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d learners", p->def.members);
    int rc = open_member(p, 0, error);
    const int room = rc ? 0 : shards->room(&p->def);
    if (!rc && room < p->def.members)
        p->def.members = room;
    for (int m = 1; !rc && m < p->def.members; m++)
        rc = open_member(p, m, error);
    return rc ? rc : shards->open(&p->def, &p->shard, error);
}

/* ---- the figures -------------------------------------------------------------------------- */

/* A decision is forward once, and observation, mask and outputs are written; training reads them
 * again and computes three times as much. */
static void describe(const playing* p, bool training, agon_bench_gpu_figure* f) {
    const double sight = (double)p->rules->obs_bytes + 8.0 * p->rules->mask_words;
    const double flop = agon_net_flop(&p->net);
    const double steps = (double)p->def.lanes * p->rules->spec.seats * HORIZON;
    const double net = agon_bench_gpu_net_bytes(&p->net, p->s->bench->precision);
    char shape[96];
    agon_net_format(&p->net, shape, sizeof shape);
    *f = (agon_bench_gpu_figure){
        .what = training ? "gpu_train" : "gpu_rollout",
        .unit = "agent_steps",
        .flop = training ? flop * (1 + 3 * EPOCHS) : flop,
        .bytes = (2 + training * EPOCHS) * sight + 2 * net * HORIZON / steps + 16,
        .aim_rate = training ? 2e7 : 1e8,
    };
    snprintf(f->words, sizeof f->words, "%s, %d nets x %d games", training ? "training" : "rollout",
             p->def.members, p->def.lanes);
    snprintf(f->fields, sizeof f->fields,
             "\"game\":\"%s\",\"net\":\"%s\",\"nets\":%d,\"lanes_per_net\":%d,\"horizon\":%d,"
             "\"epochs\":%d",
             p->rules->name, shape, p->def.members, p->def.lanes, HORIZON, training ? EPOCHS : 0);
}

static int measure(playing* p, agon_error* error) {
    const double steps =
        (double)p->def.members * p->def.lanes * p->rules->spec.seats * p->def.horizon;
    agon_bench_gpu_figure figure;
    int rc = open_shard(p, error);
    if (!rc) {
        describe(p, false, &figure);
        rc = agon_bench_gpu_measure(p->s, &figure, steps, go_rollout, p, error);
    }
    if (!rc) {
        describe(p, true, &figure);
        rc = agon_bench_gpu_measure(p->s, &figure, steps, go_train, p, error);
    }
    return rc;
}

/* With 2^20 rows of a forward: 256 nets with 512 games each; every seat is the learner's. */
int agon_bench_gpu_play(agon_bench_gpu_run_state* s, agon_error* error) {
    const int nets = s->bench->rows / 4096, lanes = s->bench->rows / 2048;
    playing p = {.s = s};
    int rc = agon_rules_open(s->bench->game, &p.rules, error);
    if (rc)
        return rc;
    if (!s->backend->shards->plays(p.rules)) {
        s->listener->skips(s->listener->user, "rollout and training",
                           "the game has no twin on the device, or not with these parameters");
        close_playing(&p);
        return AGON_OK;
    }
    p.net = agon_bench_gpu_net();
    p.net.inputs = p.rules->entries;
    p.net.actions = p.rules->spec.actions;
    p.def = (agon_shard_def){.rules = p.rules,
                             .lanes = lanes < 1 ? 1 : lanes,
                             .horizon = HORIZON,
                             .own_seats = agon_rules_seats(p.rules),
                             .plays = 1,
                             .members = nets < 2     ? 2
                                        : nets > 256 ? 256
                                                     : nets};
    rc = measure(&p, error);
    close_playing(&p);
    return rc;
}
