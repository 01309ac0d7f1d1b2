/* bench_self_play.c: rollouts of many nets, each of which plays itself in a few games. */
#include "tools/bench_work.h"

#include <stdio.h>
#include <stdlib.h>

enum { HORIZON = 32 };

typedef struct self_play {
    agon_rules* rules;
    agon_net net;
    int nets, next;
    agon_learner** learner; /* (nets) */
    agon_rollout** rollout; /* (nets) */
} self_play;

static void close_self_play(self_play* s) {
    for (int i = 0; i < s->nets; i++) {
        if (s->rollout)
            agon_rollout_close(s->rollout[i]);
        if (s->learner)
            agon_learner_close(s->learner[i]);
    }
    free(s->rollout);
    free(s->learner);
    agon_rules_close(s->rules);
}

static int open_one(self_play* s, int i, int lanes, agon_error* error) {
    const agon_backend* backend = agon_cpu_backend();
    agon_learner* learner = s->learner[i] = agon_learner_open(&s->net, backend);
    if (!learner)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d nets", s->nets);
    agon_net_init(&s->net, agon_key_make((uint64_t)i, "bench", AGON_FOR_INIT), learner->params);
    backend->pack(&s->net, learner->params, learner->packed);
    const agon_rollout_def def = {
        .rules = s->rules,
        .backend = backend,
        .learner = learner,
        .own_seats = agon_rules_seats(s->rules),
        .lanes = lanes,
        .horizon = HORIZON,
        .chance = agon_key_make((uint64_t)i, "bench", AGON_FOR_CHANCE),
        .action = agon_key_make((uint64_t)i, "bench", AGON_FOR_ACTION),
    };
    return agon_rollout_open(&def, &s->rollout[i], error);
}

static int open_self_play(const agon_bench* b, self_play* s, agon_error* error) {
    int rc = agon_bench_open_net(b, &s->rules, &s->net, error);
    if (rc)
        return rc;
    s->learner = calloc((size_t)b->nets, sizeof *s->learner);
    s->rollout = calloc((size_t)b->nets, sizeof *s->rollout);
    if (!s->learner || !s->rollout)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d nets", b->nets);
    s->nets = b->nets;
    for (int i = 0; !rc && i < s->nets; i++)
        rc = open_one(s, i, b->rows, error);
    return rc;
}

/* One net's rollout after the other's, as a run executes its tasks. */
static double go(void* user, double amount) {
    self_play* s = user;
    double done = 0;
    for (; done < amount; s->next = (s->next + 1) % s->nets) {
        const agon_rollout* rollout = s->rollout[s->next];
        agon_rollout_collect(s->rollout[s->next], NULL);
        done += rollout->data->rows * rollout->data->horizon;
    }
    return done;
}

int agon_bench_self_play(const agon_bench* b, agon_error* error) {
    self_play s = {0};
    char fields[512], shape[128];
    const int rc = open_self_play(b, &s, error);
    if (!rc) {
        const agon_bench_rate rate = agon_bench_measure(b, go, &s);
        agon_net_format(&s.net, shape, sizeof shape);
        snprintf(fields, sizeof fields,
                 "\"game\":\"%s\",\"net\":\"%s\",\"nets\":%d,\"lanes_per_net\":%d,\"horizon\":%d",
                 s.rules->name, shape, b->nets, b->rows, HORIZON);
        agon_bench_print("rollout", fields, "agent_steps", agon_net_flop(&s.net), 1, &rate);
    }
    close_self_play(&s);
    return rc;
}
