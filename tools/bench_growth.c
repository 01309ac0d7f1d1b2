/* bench_growth.c: how the cost of rollouts grows. */
#include "tools/bench_growth.h"

#include "engine/files.h"
#include "tools/plot.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char* const grows[AGON_GROWTH_KINDS] = {"nets, with them lanes", "nets, lanes shared",
                                                     "lanes", "width", "threads"};

void agon_growth_put(agon_growth* g, const agon_growth_figure* f) {
    const double flop = agon_net_flop(f->net);
    char fields[512], ratios[64], numbers[128] = "", shape[128];
    agon_bench_rate* rate = &f->rate[0];
    agon_net_format(f->net, shape, sizeof shape);
    snprintf(fields, sizeof fields, "\"grows\":\"%s\",\"game\":\"%s\",\"net\":\"%s\",%s",
             grows[f->kind], g->rules->name, shape, f->fields);
    snprintf(ratios, sizeof ratios, "\"ratio_to_forward\":%.4g", f->ratio);
    snprintf(numbers, sizeof numbers, "\"forward_rows_per_second\":%.6g", f->rate[1].per_second);
    rate->bytes = f->bytes;
    rate->ratios = f->ratios ? f->ratios : ratios;
    rate->numbers = f->ratios ? NULL : numbers;
    agon_bench_print("growth", fields, "decisions", flop, f->cores, rate);
    assert(g->points < AGON_GROWTH_POINTS);
    g->point[g->points++] = (agon_growth_point){
        .kind = f->kind,
        .x = f->x,
        .rate = rate->per_second,
        .low = rate->low,
        .high = rate->high,
        .peak = rate->floor.fma_peak * 1e9 / flop * f->cores,
        .forward = f->ratios ? 0 : f->rate[1].per_second,
    };
}

/* Seats that act at the first decision of a game. */
static int count_acting(const agon_rules* rules, agon_error* error) {
    float reward[AGON_MAX_SEATS];
    void* state = malloc(rules->spec.state_size);
    if (!state)
        return agon_fail(error, AGON_EMEMORY, "no memory for a position of %s", rules->name);
    const agon_key key = agon_key_make(1, "bench", AGON_FOR_CHANCE);
    const int acting = __builtin_popcountll(agon_rules_start(rules, state, reward, key, 0));
    free(state);
    return acting > 0 ? acting : 1;
}

static int measure(agon_growth* g, agon_error* error) {
    int (*const all[])(agon_growth*, agon_error*) = {agon_growth_memory, agon_growth_nets,
                                                     agon_growth_lanes, agon_growth_width,
                                                     agon_growth_threads};
    int rc = AGON_OK;
    for (size_t i = 0; !rc && i < sizeof all / sizeof *all; i++)
        rc = all[i](g, error);
    return rc;
}

int agon_bench_growth(const agon_bench* b, agon_error* error) {
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    agon_growth g = {.bench = b, .cores = cores < 1 ? 1 : (int)cores};
    int rc = b->plot ? agon_plot_ready(error) : AGON_OK;
    if (!rc && b->plot)
        rc = agon_dir_make(b->plot, error);
    if (!rc)
        rc = agon_bench_open_net(b, &g.rules, &g.net, error);
    if (!rc) {
        g.acting = count_acting(g.rules, error);
        rc = g.acting < 0 ? g.acting : measure(&g, error);
    }
    if (!rc && b->plot)
        rc = agon_growth_plot(&g, b->plot, error);
    agon_rules_close(g.rules);
    return rc;
}
