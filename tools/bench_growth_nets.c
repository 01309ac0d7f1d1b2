/* bench_growth_nets.c: many nets that play each other, grouped forwards and games together. */
#include "tools/bench_growth.h"

#include <stdio.h>
#include <stdlib.h>

/* Seat s of lane l is the net's of number l + s, in turn: every net gets as many rows. */
typedef struct table {
    agon_bench_nets nets;
    agon_player* player; /* (nets) */
    agon_lanes* lanes;
    uint32_t episodes; /* begun */
} table;

static void start_lane(table* t, int lane) {
    agon_lanes* l = t->lanes;
    for (int seat = 0; seat < l->seats; seat++)
        l->player_of[(size_t)lane * (size_t)l->seats + (size_t)seat] =
            (lane + seat) % l->def.players;
    agon_lanes_start(l, lane, t->episodes, t->episodes);
    t->episodes++;
}

static double play(void* user, double amount) {
    table* t = user;
    agon_lanes* l = t->lanes;
    double done = 0;
    while (done < amount) {
        agon_lanes_decide(l);
        done += l->slots;
        agon_lanes_play(l);
        for (int lane = 0; lane < l->def.lanes; lane++)
            if (!l->acting[lane])
                start_lane(t, lane);
    }
    return done;
}

static void close_table(table* t) {
    agon_lanes_close(t->lanes);
    free(t->player);
    agon_bench_nets_close(&t->nets);
}

static int open_table(const agon_growth* g, int nets, int lanes, int rows_each, table* t,
                      agon_error* error) {
    const agon_lanes_def def = {
        .rules = g->rules,
        .backend = agon_cpu_backend(),
        .lanes = lanes,
        .players = nets,
        .player = t->player = calloc((size_t)nets, sizeof *t->player),
        .chance = agon_key_make(1, "bench", AGON_FOR_CHANCE),
        .action = agon_key_make(1, "bench", AGON_FOR_ACTION),
        .temperature = 1,
    };
    if (!agon_bench_nets_open(&t->nets, g->rules, &g->net, nets, rows_each) || !t->player)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d nets", nets);
    for (int i = 0; i < nets; i++)
        t->player[i] = (agon_player){&g->net, t->nets.packed[i], NULL};
    const int rc = agon_lanes_open(&def, &t->lanes, error);
    for (int lane = 0; !rc && lane < lanes; lane++)
        start_lane(t, lane);
    return rc;
}

/* The games have run apart before they are measured: at first all are as long. */
static void settle(table* t, const agon_growth* g) {
    int plies = g->rules->spec.max_plies;
    plies = plies > 100 ? 100 : plies;
    for (int i = 0; i < plies; i++)
        play(t, 1);
}

static void measure(agon_growth* g, agon_growth_kind kind, int nets, int lanes, int rows_each,
                    table* t) {
    agon_bench_work* const work[2] = {play, agon_bench_go_forward};
    void* const user[2] = {t, &t->nets};
    const double packed = (double)agon_cpu_backend()->packed_size(&g->net);
    agon_bench_rate rate[2];
    char fields[128];
    settle(t, g);
    const double ratio = agon_bench_measure_two(g->bench, work, user, rate);
    snprintf(fields, sizeof fields,
             "\"nets\":%d,\"lanes\":%d,\"rows_per_net\":%d,\"weight_megabytes\":%.4g", nets, lanes,
             rows_each, nets * packed * 1e-6);
    agon_growth_put(g, &(agon_growth_figure){.kind = kind,
                                             .x = nets,
                                             .net = &g->net,
                                             .fields = fields,
                                             .bytes = packed / rows_each,
                                             .cores = 1,
                                             .rate = rate,
                                             .ratio = ratio});
}

static int measure_nets(agon_growth* g, agon_growth_kind kind, int nets, agon_error* error) {
    const bool shared = kind == AGON_GROWTH_NETS_SHARING;
    const int lanes = shared ? AGON_GROWTH_LANES_SHARED : AGON_GROWTH_LANES_EACH * nets;
    const int rows_each = lanes * g->acting / nets;
    table t = {0};
    const int rc = open_table(g, nets, lanes, rows_each, &t, error);
    if (!rc)
        measure(g, kind, nets, lanes, rows_each, &t);
    close_table(&t);
    return rc;
}

int agon_growth_nets(agon_growth* g, agon_error* error) {
    static const agon_growth_kind kind[] = {AGON_GROWTH_NETS_GROWING, AGON_GROWTH_NETS_SHARING};
    int rc = AGON_OK;
    for (int k = 0; !rc && k < 2; k++)
        for (int nets = 1; !rc && nets <= AGON_GROWTH_NETS; nets *= 4)
            rc = measure_nets(g, kind[k], nets, error);
    return rc;
}
