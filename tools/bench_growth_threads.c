/* bench_growth_threads.c: rollouts side by side, each of a learner of its own, as in a run. */
#include "tools/bench_growth.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct crew {
    agon_growth_room* room; /* (threads) */
    int threads;
    double amount;
    atomic_llong done; /* decisions */
} crew;

typedef struct member {
    crew* crew;
    agon_growth_room* room;
    pthread_t thread;
} member;

static void* work(void* user) {
    const member* m = user;
    while ((double)atomic_load(&m->crew->done) < m->crew->amount)
        atomic_fetch_add(&m->crew->done, (long long)agon_growth_collect(m->room));
    return NULL;
}

/* The last that finishes ends the sample. */
static double work_all(void* user, double amount) {
    crew* c = user;
    member* m = calloc((size_t)c->threads, sizeof *m);
    int started = 1;
    c->amount = amount;
    atomic_store(&c->done, 0);
    if (!m)
        return 0;
    for (int i = 0; i < c->threads; i++)
        m[i] = (member){.crew = c, .room = &c->room[i]};
    while (started < c->threads && pthread_create(&m[started].thread, NULL, work, &m[started]) == 0)
        started++;
    work(&m[0]);
    for (int i = 1; i < started; i++)
        pthread_join(m[i].thread, NULL);
    free(m);
    return (double)atomic_load(&c->done);
}

static void measure(agon_growth* g, agon_growth_room* rooms, int threads) {
    crew all = {.room = rooms, .threads = threads}, one = {.room = rooms, .threads = 1};
    agon_bench_work* const works[2] = {work_all, work_all};
    void* const user[2] = {&all, &one};
    const int cores = threads < g->cores ? threads : g->cores;
    char fields[128], ratios[128];
    agon_bench_rate rate[2];
    const double ratio = agon_bench_measure_two(g->bench, works, user, rate);
    snprintf(fields, sizeof fields, "\"threads\":%d,\"lanes\":%d,\"horizon\":%d", threads,
             AGON_GROWTH_LANES_USUAL, AGON_GROWTH_HORIZON);
    snprintf(ratios, sizeof ratios, "\"share_of_linear\":%.4g,\"ratio_to_one_thread\":%.4g",
             ratio / cores, ratio);
    agon_growth_put(g, &(agon_growth_figure){.kind = AGON_GROWTH_THREADS,
                                             .x = threads,
                                             .net = &g->net,
                                             .fields = fields,
                                             .ratios = ratios,
                                             .cores = cores,
                                             .rate = rate,
                                             .ratio = ratio});
}

/* Powers of two up to four times the cores; the cores, too. */
static int next_threads(int threads, int cores) {
    return threads < cores && 2 * threads > cores ? cores : 2 * threads;
}

int agon_growth_threads(agon_growth* g, agon_error* error) {
    const int most = 4 * g->cores;
    agon_growth_room* room = calloc((size_t)most, sizeof *room);
    int rc = room ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for %d threads", most);
    for (int i = 0; !rc && i < most; i++)
        rc = agon_growth_room_open(g, &g->net, AGON_GROWTH_LANES_USUAL, &room[i], error);
    for (int n = 1; !rc && n <= most; n = next_threads(n, g->cores))
        measure(g, room, n);
    for (int i = 0; room && i < most; i++)
        agon_growth_room_close(&room[i]);
    free(room);
    return rc;
}
