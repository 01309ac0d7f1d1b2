/* bench_learning.c: a learner's rollout and its update. */
#include "tools/bench_work.h"

#include <stdio.h>
#include <stdlib.h>

enum { LANES = 64, HORIZON = 32 };

void agon_bench_learning_close(agon_bench_learning* l) {
    agon_rollout_close(l->rollout);
    if (l->scratch)
        agon_cpu_backend()->scratch_close(l->scratch);
    free(l->index);
    agon_learner_close(l->learner);
    agon_rules_close(l->rules);
}

int agon_bench_learning_open(const agon_bench* b, agon_bench_learning* l, agon_error* error) {
    const agon_backend* backend = agon_cpu_backend();
    agon_net net;
    int rc = agon_bench_open_net(b, &l->rules, &net, error);
    if (rc)
        return rc;
    l->learner = agon_learner_open(&net, backend);
    l->index = calloc(LANES * HORIZON, sizeof *l->index);
    l->scratch = backend->scratch_open();
    if (!l->learner || !l->index || !l->scratch ||
        backend->scratch_reserve(l->scratch, &net,
                                 agon_net_memory(&net) ? HORIZON : LANES * HORIZON, 1) != 0)
        return agon_fail(error, AGON_EMEMORY, "no memory for the benchmark");
    agon_net_init(&net, agon_key_make(1, "bench", AGON_FOR_INIT), l->learner->params);
    backend->pack(&net, l->learner->params, l->learner->packed);
    l->opponent = (agon_player){&l->learner->net, l->learner->packed, NULL};
    agon_rollout_def def = {
        .rules = l->rules,
        .backend = backend,
        .learner = l->learner,
        .opponents = 1,
        .opponent = &l->opponent,
        .lanes = LANES,
        .horizon = HORIZON,
        .chance = agon_key_make(1, "bench", AGON_FOR_CHANCE),
        .action = agon_key_make(1, "bench", AGON_FOR_ACTION),
    };
    rc = agon_rollout_open(&def, &l->rollout, error);
    return rc ? rc : agon_rollout_collect(l->rollout, error);
}

const agon_ppo agon_bench_ppo = {
    .step = {1e-5f, 0.2f, 0.5f, 0.01f, 0.5f, 0.9f, 0.999f, 1e-8f},
    .discount = 1,
    .lambda = 0.95f,
    .epochs = 1,
    .minibatches = AGON_BENCH_MINIBATCHES,
    .normalise = 1,
};

double agon_bench_go_update(void* user, double amount) {
    agon_bench_learning* l = user;
    agon_update_stats stats;
    double done = 0;
    for (; done < amount; done += l->rollout->data->rows * l->rollout->data->horizon)
        agon_ppo_train(agon_cpu_backend(), l->scratch, l->learner, l->rollout->data,
                       &agon_bench_ppo, agon_key_make(1, "bench", AGON_FOR_SHUFFLE), l->index,
                       &stats);
    return done;
}

double agon_bench_go_rollout(void* user, double amount) {
    agon_bench_learning* l = user;
    double done = 0;
    for (; done < amount; done += l->rollout->data->rows * l->rollout->data->horizon)
        agon_rollout_collect(l->rollout, NULL);
    return done;
}

static void measure_learning(const agon_bench* b, agon_bench_learning* l, bool update,
                             const char* fields) {
    const agon_net* net = &l->learner->net;
    const agon_bench_rate rate =
        agon_bench_measure(b, update ? agon_bench_go_update : agon_bench_go_rollout, l);
    /* A learner's step costs its own forward and, with two seats in turn, an opponent's. */
    const double flop =
        update ? agon_bench_update_flop(net) : agon_net_flop(net) * l->rules->spec.seats;
    agon_bench_print(update ? "update" : "rollout", fields, update ? "rows" : "agent_steps", flop,
                     1, &rate);
}

static int bench_learning(const agon_bench* b, bool update, agon_error* error) {
    agon_bench_learning l = {0};
    char fields[512], shape[128];
    int rc = agon_bench_learning_open(b, &l, error);
    if (!rc) {
        agon_net_format(&l.learner->net, shape, sizeof shape);
        snprintf(fields, sizeof fields,
                 "\"game\":\"%s\",\"net\":\"%s\",\"lanes\":%d,\"horizon\":%d,\"minibatch\":%d",
                 l.rules->name, shape, LANES, HORIZON, LANES * HORIZON / AGON_BENCH_MINIBATCHES);
        if (b->openblas)
            rc = agon_bench_update_openblas(b, &l, fields, error);
        else
            measure_learning(b, &l, update, fields);
    }
    agon_bench_learning_close(&l);
    return rc;
}

int agon_bench_update(const agon_bench* b, agon_error* error) {
    return bench_learning(b, true, error);
}

int agon_bench_rollout(const agon_bench* b, agon_error* error) {
    return b->nets ? agon_bench_self_play(b, error) : bench_learning(b, false, error);
}
