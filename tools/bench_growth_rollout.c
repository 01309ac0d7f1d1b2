/* bench_growth_rollout.c: rollouts of a learner against a frozen net, over lanes and over width. */
#include "tools/bench_growth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void agon_growth_room_close(agon_growth_room* room) {
    agon_rollout_close(room->rollout);
    agon_learner_close(room->learner);
    agon_bench_nets_close(&room->nets);
}

/* Half the rows of a step are the learner's. */
int agon_growth_room_open(const agon_growth* g, const agon_net* net, int lanes,
                          agon_growth_room* room, agon_error* error) {
    const agon_backend* backend = agon_cpu_backend();
    const int rows = lanes * g->acting / 2;
    *room = (agon_growth_room){.learner = agon_learner_open(net, backend)};
    if (!agon_bench_nets_open(&room->nets, g->rules, net, 2, rows) || !room->learner)
        return agon_fail(error, AGON_EMEMORY, "no memory for a learner and its opponent");
    memcpy(room->learner->params, room->nets.params, agon_net_size(net) * sizeof(float));
    backend->pack(net, room->learner->params, room->learner->packed);
    room->opponent = (agon_player){net, room->nets.packed[1], NULL};
    const agon_rollout_def def = {
        .rules = g->rules,
        .backend = backend,
        .learner = room->learner,
        .opponents = 1,
        .opponent = &room->opponent,
        .lanes = lanes,
        .horizon = AGON_GROWTH_HORIZON,
        .chance = agon_key_make(1, "bench", AGON_FOR_CHANCE),
        .action = agon_key_make(1, "bench", AGON_FOR_ACTION),
    };
    const int rc = agon_rollout_open(&def, &room->rollout, error);
    return rc ? rc : agon_rollout_collect(room->rollout, error);
}

static double decisions(const agon_rollout* r) {
    return (double)(r->steps + r->extra_steps + r->other_steps);
}

double agon_growth_collect(agon_growth_room* room) {
    const double before = decisions(room->rollout);
    agon_rollout_collect(room->rollout, NULL);
    return decisions(room->rollout) - before;
}

static double collect(void* user, double amount) {
    double done = 0;
    while (done < amount)
        done += agon_growth_collect(user);
    return done;
}

static int measure(agon_growth* g, agon_growth_kind kind, const agon_net* net, int lanes, double x,
                   agon_error* error) {
    agon_growth_room room;
    char fields[128];
    const int rc = agon_growth_room_open(g, net, lanes, &room, error);
    if (!rc) {
        agon_bench_work* const work[2] = {collect, agon_bench_go_forward};
        void* const user[2] = {&room, &room.nets};
        agon_bench_rate rate[2];
        const double ratio = agon_bench_measure_two(g->bench, work, user, rate);
        snprintf(fields, sizeof fields, "\"lanes\":%d,\"horizon\":%d,\"memory_megabytes\":%.4g",
                 lanes, AGON_GROWTH_HORIZON, (double)agon_rollout_size(room.rollout) * 1e-6);
        agon_growth_put(g, &(agon_growth_figure){.kind = kind,
                                                 .x = x,
                                                 .net = net,
                                                 .fields = fields,
                                                 .cores = 1,
                                                 .rate = rate,
                                                 .ratio = ratio});
    }
    agon_growth_room_close(&room);
    return rc;
}

int agon_growth_lanes(agon_growth* g, agon_error* error) {
    int rc = AGON_OK;
    for (int lanes = 8; !rc && lanes <= AGON_GROWTH_LANES_MOST; lanes *= 2)
        rc = measure(g, AGON_GROWTH_LANES, &g->net, lanes, lanes, error);
    return rc;
}

/* As many hidden layers as the net has, all of one width; nothing for a net without any. */
int agon_growth_width(agon_growth* g, agon_error* error) {
    int rc = AGON_OK;
    for (int width = 16; g->net.layers && !rc && width <= AGON_GROWTH_WIDTH_MOST; width *= 2) {
        agon_net net = g->net;
        for (int i = 0; i < net.layers; i++)
            net.hidden[i] = width;
        rc = measure(g, AGON_GROWTH_WIDTH, &net, AGON_GROWTH_LANES_USUAL, width, error);
    }
    return rc;
}
