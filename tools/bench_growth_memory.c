/* bench_growth_memory.c: bytes of a net and of a lane, as counted and as the system sees them. */
#include "tools/bench_growth.h"

#include "engine/blob.h"
#include "tools/ui.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SAMPLE_BYTES = 8 << 20, /* of things made in a sample, so that pages do not matter */
    LANES = 256             /* of a rollout: its scratch is little beside them */
};

typedef struct hoard {
    const agon_growth* growth;
    agon_growth_room room; /* whose learner is copied, and plays */
    void** kept;           /* (count) until all are counted */
    int count;
} hoard;

typedef struct thing {
    const char* name;
    int units; /* in one that is made */
    /* NULL: out of memory */
    void* (*make)(hoard* h);
    void (*let_go)(void* thing);
    double (*bytes)(const hoard* h); /* of one that is made */
} thing;

/* ---- packed weights, learner, snapshot, rollout --------------------------------------------- */

static const agon_net* net_of(const hoard* h) {
    return &h->growth->net;
}

static double packed_bytes(const hoard* h) {
    return (double)agon_cpu_backend()->packed_size(net_of(h));
}

static void* make_packed(hoard* h) {
    void* packed;
    if (posix_memalign(&packed, 64, agon_cpu_backend()->packed_size(net_of(h))) != 0)
        return NULL;
    agon_cpu_backend()->pack(net_of(h), h->room.learner->params, packed);
    return packed;
}

static double learner_bytes(const hoard* h) {
    return (double)sizeof(agon_learner) + 4 * sizeof(float) * (double)agon_net_size(net_of(h)) +
           packed_bytes(h);
}

static void* make_learner(hoard* h) {
    return agon_learner_open(net_of(h), agon_cpu_backend());
}

static void let_go_learner(void* learner) {
    agon_learner_close(learner);
}

static int encode(const hoard* h, agon_bytes* out) {
    agon_snapshot_info info = {0};
    snprintf(info.game, sizeof info.game, "%s", h->growth->rules->name);
    return agon_snapshot_encode(net_of(h), h->room.learner->params, &info, out, NULL);
}

static double snapshot_bytes(const hoard* h) {
    agon_bytes bytes = {0};
    const double size = encode(h, &bytes) ? 0 : (double)bytes.size;
    free(bytes.data);
    return size;
}

static void* make_snapshot(hoard* h) {
    agon_bytes bytes = {0};
    return encode(h, &bytes) ? NULL : bytes.data;
}

static double rollout_bytes(const hoard* h) {
    return (double)agon_rollout_size(h->room.rollout);
}

static void* make_rollout(hoard* h) {
    agon_rollout* rollout;
    return agon_rollout_open(&h->room.rollout->def, &rollout, NULL) ? NULL : rollout;
}

static void let_go_rollout(void* rollout) {
    agon_rollout_close(rollout);
}

static const thing things[] = {
    {"packed weights", 1, make_packed, free, packed_bytes},
    {"learner", 1, make_learner, let_go_learner, learner_bytes},
    {"snapshot file", 1, make_snapshot, free, snapshot_bytes},
    {"lane", LANES, make_rollout, let_go_rollout, rollout_bytes},
};

/* ---- counting ------------------------------------------------------------------------------- */

/* Of this process, in bytes; 0: it cannot be told. */
static double resident_bytes(void) {
    double pages = 0;
    FILE* file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%*s %lf", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * (double)sysconf(_SC_PAGESIZE);
}

static bool make_some(hoard* h, const thing* t, int some) {
    for (int i = 0; i < some; i++, h->count++)
        if (!(h->kept[h->count] = t->make(h)))
            return false;
    return true;
}

/* Samples of `some` things each. growth: resident bytes that came with all of them. */
static bool sample_all(hoard* h, const thing* t, int some, agon_bench_rate* rate, double* growth) {
    const agon_bench* b = h->growth->bench;
    agon_bench_series series = {0};
    *growth = 0;
    while (series.count < b->samples) {
        const agon_bench_floor floor = agon_bench_sample_floor();
        malloc_trim(0); /* pages that are still there would not be seen to come */
        const double before = resident_bytes(), begun = agon_ui_seconds();
        if (!make_some(h, t, some))
            return false;
        const double seconds = agon_ui_seconds() - begun;
        *growth += resident_bytes() - before;
        agon_bench_series_add(&series, some * t->units / seconds, &floor);
    }
    *rate = agon_bench_series_rate(&series);
    return true;
}

static void print_thing(const hoard* h, const thing* t, double bytes, double resident,
                        agon_bench_rate* rate) {
    char fields[512], ratios[64], numbers[128], shape[128];
    agon_net_format(net_of(h), shape, sizeof shape);
    snprintf(fields, sizeof fields,
             "\"grows\":\"memory\",\"game\":\"%s\",\"net\":\"%s\",\"thing\":\"%s\",\"horizon\":%d",
             h->growth->rules->name, shape, t->name, AGON_GROWTH_HORIZON);
    snprintf(ratios, sizeof ratios, "\"ratio_resident\":%.4g", resident / bytes);
    snprintf(numbers, sizeof numbers, "\"bytes\":%.0f,\"resident_bytes\":%.0f", bytes, resident);
    rate->ratios = ratios;
    rate->numbers = numbers;
    agon_bench_print("growth", fields, "made", 0, 1, rate);
}

static int count_thing(hoard* h, const thing* t, agon_error* error) {
    const double bytes = t->bytes(h);
    const int some = bytes < SAMPLE_BYTES ? (int)(SAMPLE_BYTES / bytes) : 1;
    agon_bench_rate rate;
    double growth;
    h->count = 0;
    h->kept = calloc((size_t)some * (size_t)h->growth->bench->samples, sizeof *h->kept);
    const bool whole = h->kept && sample_all(h, t, some, &rate, &growth);
    if (whole)
        print_thing(h, t, bytes / t->units, growth / h->count / t->units, &rate);
    for (int i = 0; i < h->count; i++)
        t->let_go(h->kept[i]);
    free(h->kept);
    return whole ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for a %s", t->name);
}

int agon_growth_memory(agon_growth* g, agon_error* error) {
    hoard h = {.growth = g};
    int rc = agon_growth_room_open(g, &g->net, LANES, &h.room, error);
    for (size_t i = 0; !rc && i < sizeof things / sizeof *things; i++)
        rc = count_thing(&h, &things[i], error);
    agon_growth_room_close(&h.room);
    return rc;
}
