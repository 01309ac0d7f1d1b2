/* compare_training.c: rollouts and updates on the device, one after the other, as a run has them:
 * the same bytes again, and alone as in company; and in fp32 near the CPU's. */
#include "tests/gpu/compare.h"

#include "agents/shard.h"
#include "engine/rollout.h"

#include <stdlib.h>

enum { MEMBERS = 4, ROLLOUTS = 2 };

typedef struct training_case {
    const char* game;
    int lanes, horizon;
    const char* hidden; /* layers of its nets */
} training_case;

typedef struct world {
    agon_rules* rules;
    agon_net net;
    agon_ppo ppo;
    int lanes, horizon;
    float* params; /* (MEMBERS, size) at first */
    char of[256];
} world;

static world open_world(comparing* c, const training_case* t) {
    world w = {.lanes = t->lanes, .horizon = t->horizon};
    agon_error error = {0};
    need(agon_rules_open(t->game, &w.rules, &error), &error, t->game);
    w.net = net_for(w.rules, t->hidden);
    w.ppo = (agon_ppo){.step = {1e-3f, 0.2f, 0.5f, 0.01f, 0.5f, 0.9f, 0.99f, 1e-3f},
                       .discount = 0.97f,
                       .lambda = 0.9f,
                       .epochs = 2,
                       .minibatches = 2,
                       .normalise = 1};
    w.params = take_memory(MEMBERS * agon_net_size(&w.net) * sizeof(float));
    for (int m = 0; m < MEMBERS; m++)
        draw_weights(c, &w.net, w.params + (size_t)m * agon_net_size(&w.net));
    snprintf(w.of, sizeof w.of, "%s, %d games x %d, %s, %d rollouts and updates", w.rules->name,
             w.lanes, w.horizon, t->hidden, ROLLOUTS);
    return w;
}

static agon_key key_of(int m, agon_purpose purpose) {
    return agon_key_make((uint64_t)m, "compare", purpose);
}

static agon_learner* open_learner(const world* w, const agon_backend* backend, int m) {
    const size_t size = agon_net_size(&w->net);
    agon_learner* l = agon_learner_open(&w->net, backend);
    need(!l, NULL, "memory for a learner");
    memcpy(l->params, w->params + (size_t)m * size, size * sizeof(float));
    backend->pack(&w->net, l->params, l->packed);
    return l;
}

/* Trains members from .. from + members - 1; out: (members, size) parameters. */
static void train(const world* w, int precision, int from, int members, float* out) {
    const agon_backend* backend = gpu_backend(precision);
    const size_t size = agon_net_size(&w->net);
    agon_shard_member member[MEMBERS];
    agon_shard* shard = NULL;
    agon_error error = {0};
    for (int m = 0; m < members; m++)
        member[m] = (agon_shard_member){.learner = open_learner(w, backend, from + m),
                                        .chance = key_of(from + m, AGON_FOR_CHANCE),
                                        .action = key_of(from + m, AGON_FOR_ACTION),
                                        .shuffle = key_of(from + m, AGON_FOR_SHUFFLE),
                                        .ppo = w->ppo};
    const agon_shard_def def = {.rules = w->rules,
                                .lanes = w->lanes,
                                .horizon = w->horizon,
                                .own_seats = agon_rules_seats(w->rules),
                                .plays = 1,
                                .members = members,
                                .member = member};
    need(backend->shards->open(&def, &shard, &error), &error, "a shard");
    for (int i = 0; i < ROLLOUTS; i++) {
        need(backend->shards->collect(shard, &error), &error, "a rollout");
        need(backend->shards->update(shard, &error), &error, "an update");
    }
    need(backend->shards->fetch(shard, &error), &error, "what was learned");
    backend->shards->close(shard);
    for (int m = 0; m < members; m++) {
        memcpy(out + (size_t)m * size, member[m].learner->params, size * sizeof(float));
        agon_learner_close(member[m].learner);
    }
}

/* The same member by engine/rollout.h and agon_ppo_train. */
static void train_on_cpu(const world* w, int m, float* out) {
    const agon_backend* backend = agon_cpu_backend();
    agon_learner* learner = open_learner(w, backend, m);
    agon_rollout* rollout = NULL;
    agon_error error = {0};
    const agon_rollout_def def = {.rules = w->rules,
                                  .backend = backend,
                                  .learner = learner,
                                  .own_seats = agon_rules_seats(w->rules),
                                  .lanes = w->lanes,
                                  .horizon = w->horizon,
                                  .chance = key_of(m, AGON_FOR_CHANCE),
                                  .action = key_of(m, AGON_FOR_ACTION)};
    need(agon_rollout_open(&def, &rollout, &error), &error, "a rollout");
    const int entries = rollout->data->rows * w->horizon;
    uint32_t* index = take_memory((size_t)entries * sizeof *index);
    agon_scratch* scratch = backend->scratch_open();
    backend->scratch_reserve(scratch, &w->net, entries, 1);
    for (int i = 0; i < ROLLOUTS; i++) {
        need(agon_rollout_collect(rollout, &error), &error, "a rollout");
        agon_ppo_train(backend, scratch, learner, rollout->data, &w->ppo,
                       key_of(m, AGON_FOR_SHUFFLE), index, NULL);
    }
    memcpy(out, learner->params, agon_net_size(&w->net) * sizeof(float));
    backend->scratch_close(scratch);
    free(index);
    agon_rollout_close(rollout);
    agon_learner_close(learner);
}

static void check_precision(comparing* c, const world* w, int precision) {
    const size_t size = agon_net_size(&w->net);
    float* all = take_memory(MEMBERS * size * sizeof *all);
    float* again = take_memory(MEMBERS * size * sizeof *again);
    train(w, precision, 0, MEMBERS, all);
    train(w, precision, 0, MEMBERS, again);
    check_bytes(c, "training twice", precision, w->of, all, again, MEMBERS * size, sizeof *all);
    train(w, precision, MEMBERS - 1, 1, again);
    check_bytes(c, "training alone and in company", precision, w->of, all + (MEMBERS - 1) * size,
                again, size, sizeof *all);
    for (int m = 0; precision == AGON_PRECISION_FP32 && m < MEMBERS; m++) {
        train_on_cpu(w, m, again);
        /* An action in millions may fall otherwise, and then a game goes another way. */
        check_floats(c, "training on CPU and GPU", precision, w->of, again, all + (size_t)m * size,
                     size, 1e-2);
    }
    free(all);
    free(again);
}

void compare_training(comparing* c) {
    static const training_case cases[] = {{"tic_tac_toe", 5, 6, "48-32"},
                                          {"leduc_poker", 8, 6, "48-32"},
                                          {"tic_tac_toe", 5, 4, "conv6-16-mingru12"},
                                          {"leduc_poker", 8, 6, "mingru24"},
                                          {"connect_four", 64, 16, "48-32"},
                                          {"backgammon", 32, 16, "48-32"},
                                          {"slime_volley", 32, 32, "48-32"},
                                          {"connect_four", 64, 16, "conv16-32-mingru32"},
                                          {"slime_volley", 32, 32, "mingru32"}};
    for (int i = 0; i < (c->small ? 4 : 9); i++) {
        world w = open_world(c, &cases[i]);
        if (gpu_backend(AGON_PRECISION_FP32)->shards->plays(w.rules)) {
            for (int precision = 0; precision < 3; precision++)
                check_precision(c, &w, precision);
        } else
            line_skipped(w.of, "the game has no twin on the device");
        agon_rules_close(w.rules);
        free(w.params);
    }
}
