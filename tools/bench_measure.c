/* bench_measure.c: samples of work, alternating with samples of the core's limits. */
#include "tools/bench.h"
#include "tools/ui.h"

#include <assert.h>
#include <stdlib.h>

static int ascending(const void* a, const void* b) {
    const double x = *(const double*)a, y = *(const double*)b;
    return (x > y) - (x < y);
}

double agon_bench_median(double* x, int n) {
    qsort(x, (size_t)n, sizeof *x, ascending);
    return x[n / 2];
}

void agon_bench_series_add(agon_bench_series* s, double rate, const agon_bench_floor* floor) {
    assert(s->count < AGON_BENCH_SAMPLES);
    s->rate[s->count] = rate;
    s->peak[s->count] = floor->fma_peak;
    s->sgemm[s->count] = floor->sgemm;
    s->copy[s->count] = floor->copy;
    s->count++;
}

agon_bench_rate agon_bench_series_rate(agon_bench_series* s) {
    agon_bench_rate r = {.per_second = agon_bench_median(s->rate, s->count)};
    r.low = s->rate[0];
    r.high = s->rate[s->count - 1];
    r.floor.fma_peak = agon_bench_median(s->peak, s->count);
    r.floor.sgemm = agon_bench_median(s->sgemm, s->count);
    r.floor.copy = agon_bench_median(s->copy, s->count);
    return r;
}

/* Units that take so many seconds. */
static double size_sample(agon_bench_work* work, void* user, double seconds) {
    for (double amount = 1;; amount *= 4) {
        const double begun = agon_ui_seconds();
        work(user, amount);
        const double spent = agon_ui_seconds() - begun;
        if (spent > 0.2 * seconds)
            return amount * seconds / spent;
    }
}

static double sample(agon_bench_work* work, void* user, double amount) {
    const double begun = agon_ui_seconds();
    const double done = work(user, amount);
    return done / (agon_ui_seconds() - begun);
}

agon_bench_rate agon_bench_measure(const agon_bench* b, agon_bench_work* work, void* user) {
    const double amount = size_sample(work, user, b->seconds / b->samples);
    agon_bench_series s = {0};
    while (s.count < b->samples) {
        const agon_bench_floor floor = agon_bench_sample_floor();
        agon_bench_series_add(&s, sample(work, user, amount), &floor);
    }
    return agon_bench_series_rate(&s);
}

double agon_bench_measure_two(const agon_bench* b, agon_bench_work* const work[2],
                              void* const user[2], agon_bench_rate rate[2]) {
    double amount[2], ratio[AGON_BENCH_SAMPLES];
    agon_bench_series s[2] = {{0}, {0}};
    for (int k = 0; k < 2; k++)
        amount[k] = size_sample(work[k], user[k], b->seconds / b->samples);
    for (int i = 0; i < b->samples; i++) {
        const agon_bench_floor floor = agon_bench_sample_floor();
        const int first = i & 1; /* by turns: the floor leaves cold caches */
        double done[2];
        done[first] = sample(work[first], user[first], amount[first]);
        done[!first] = sample(work[!first], user[!first], amount[!first]);
        for (int k = 0; k < 2; k++)
            agon_bench_series_add(&s[k], done[k], &floor);
        ratio[i] = done[0] / done[1];
    }
    for (int k = 0; k < 2; k++)
        rate[k] = agon_bench_series_rate(&s[k]);
    return agon_bench_median(ratio, b->samples);
}
