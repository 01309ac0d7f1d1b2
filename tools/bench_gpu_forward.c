/* bench_gpu_forward.c: rows that lie on a GPU go through 1 to 4096 nets. */
#include "tools/bench_gpu.h"

#include "cuda/forward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIFFERENT = 16 }; /* nets; the others are copies of these at other places */

/* Device memory of a call, one block. */
typedef struct forwards {
    agon_bench_gpu_run_state* s;
    agon__gpu_forward call;
    char *block, *packed;
} forwards;

static int go(void* user, int times, agon_error* error) {
    forwards* f = user;
    for (int i = 0; i < times; i++)
        agon__gpu_forward_launch(f->s->gpu, f->s->stream, &f->call);
    return agon__stream_wait(f->s->stream, error);
}

/* ---- memory ------------------------------------------------------------------------------- */

/* With base NULL it adds up sizes. */
static void* carve(char* base, size_t* used, size_t bytes) {
    void* piece = base ? base + *used : NULL;
    *used += (bytes + 255) / 256 * 256;
    return piece;
}

static size_t lay_out(forwards* f, char* base) {
    agon__gpu_forward* c = &f->call;
    const size_t groups = (size_t)c->groups, rows = (size_t)c->slots;
    size_t used = 0;
    f->packed = carve(base, &used, groups * c->net.bytes);
    c->packed = carve(base, &used, groups * sizeof(void*));
    c->start = carve(base, &used, groups * sizeof *c->start);
    c->count = carve(base, &used, groups * sizeof *c->count);
    c->obs = carve(base, &used, rows * c->obs_bytes);
    c->mask = carve(base, &used, rows * sizeof *c->mask);
    c->uniform = carve(base, &used, rows * sizeof *c->uniform);
    c->memory_after = carve(base, &used, rows * (size_t)c->net.memory * sizeof(float));
    c->memory = c->memory_after;
    c->value = carve(base, &used, rows * sizeof *c->value);
    c->action = carve(base, &used, rows * sizeof *c->action);
    c->log_probability = carve(base, &used, rows * sizeof *c->log_probability);
    c->scratch = carve(base, &used, agon__gpu_forward_scratch(f->s->gpu, &c->net, c->slots));
    return used;
}

/* What the host writes before it is sent. */
typedef struct host {
    char* packed; /* (DIFFERENT) */
    const void** at;
    int *start, *count;
    uint8_t* obs;
    uint64_t* mask;
    float* uniform;
} host;

static int open_host(const forwards* f, host* h, agon_error* error) {
    const size_t groups = (size_t)f->call.groups, rows = (size_t)f->call.slots;
    h->packed = calloc(DIFFERENT, f->call.net.bytes);
    h->at = calloc(groups, sizeof *h->at);
    h->start = calloc(groups, sizeof *h->start);
    h->count = calloc(groups, sizeof *h->count);
    h->obs = calloc(rows, f->call.obs_bytes);
    h->mask = calloc(rows, sizeof *h->mask);
    h->uniform = calloc(rows, sizeof *h->uniform);
    if (h->packed && h->at && h->start && h->count && h->obs && h->mask && h->uniform)
        return AGON_OK;
    return agon_fail(error, AGON_EMEMORY, "no memory for %zu rows", rows);
}

static void close_host(host* h) {
    free(h->packed);
    free(h->at);
    free(h->start);
    free(h->count);
    free(h->obs);
    free(h->mask);
    free(h->uniform);
}

static int fill_nets(const forwards* f, const agon_net* net, host* h, agon_error* error) {
    const size_t bytes = f->call.net.bytes;
    float* params = calloc(agon_net_size(net), sizeof *params);
    if (!params)
        return agon_fail(error, AGON_EMEMORY, "no memory for a net");
    for (size_t i = 0; i < DIFFERENT; i++) {
        agon_net_init(net, agon_key_make(i, "bench", AGON_FOR_INIT), params);
        agon__gpu_pack(&f->call.net, params, h->packed + i * bytes);
    }
    free(params);
    for (size_t g = 0; g < (size_t)f->call.groups; g++)
        h->at[g] = f->packed + g * bytes;
    return AGON_OK;
}

/* Half of the inputs are 1, five of seven actions are legal. */
static void fill_rows(const forwards* f, host* h) {
    const agon_key key = agon_key_make(1, "bench", AGON_FOR_TEST);
    const int groups = f->call.groups, each = f->call.slots / groups;
    for (int g = 0; g < groups; g++) {
        h->start[g] = g * each;
        h->count[g] = each;
    }
    for (size_t r = 0; r < (size_t)f->call.slots; r++) {
        const agon_draw draw = agon_random(key, (uint32_t)r, 0, 0, 0);
        for (size_t i = 0; i < f->call.obs_bytes; i++)
            h->obs[r * f->call.obs_bytes + i] = draw.word[i / 32 % 4] >> i % 32 & 1;
        h->mask[r] = 0x7f & ~(1u << r % 7) & ~(1u << r % 5);
        h->uniform[r] = agon_uniform(draw.word[0] ^ draw.word[1]);
    }
}

static void send(const forwards* f, const host* h) {
    const agon__gpu_forward* c = &f->call;
    const size_t groups = (size_t)c->groups, rows = (size_t)c->slots;
    agon__stream* stream = f->s->stream;
    agon__stream_fill(stream, c->memory_after, 0, rows * (size_t)c->net.memory * sizeof(float));
    for (size_t g = 0; g < groups; g++)
        agon__stream_in(stream, f->packed + g * c->net.bytes,
                        h->packed + g % DIFFERENT * c->net.bytes, c->net.bytes);
    agon__stream_in(stream, (void*)c->packed, h->at, groups * sizeof *h->at);
    agon__stream_in(stream, (void*)c->start, h->start, groups * sizeof *h->start);
    agon__stream_in(stream, (void*)c->count, h->count, groups * sizeof *h->count);
    agon__stream_in(stream, (void*)c->obs, h->obs, rows * c->obs_bytes);
    agon__stream_in(stream, (void*)c->mask, h->mask, rows * sizeof *h->mask);
    agon__stream_in(stream, (void*)c->uniform, h->uniform, rows * sizeof *h->uniform);
}

static int open_forwards(agon_bench_gpu_run_state* s, const agon_net* net, int nets, forwards* f,
                         agon_error* error) {
    host h = {0};
    *f = (forwards){.s = s};
    f->call = (agon__gpu_forward){.net = agon__gpu_net_of(net, (int)s->bench->precision),
                                  .groups = nets,
                                  .slots = s->bench->rows / nets * nets,
                                  .most = s->bench->rows / nets,
                                  .obs_type = AGON_U8,
                                  .scale = 1,
                                  .obs_bytes = (uint64_t)net->inputs,
                                  .mask_words = 1,
                                  .temperature = 1};
    f->block = agon__gpu_alloc(s->gpu, lay_out(f, NULL), error);
    if (!f->block)
        return AGON_EMEMORY;
    lay_out(f, f->block);
    int rc = open_host(f, &h, error);
    if (!rc)
        rc = fill_nets(f, net, &h, error);
    if (!rc) {
        fill_rows(f, &h);
        send(f, &h);
        rc = agon__stream_wait(s->stream, error);
    }
    close_host(&h);
    return rc;
}

/* ---- the figures -------------------------------------------------------------------------- */

/* Observation, mask, uniform number; action, its log-probability, value; memory there and back; and
 * the nets once. */
static double row_bytes(const agon_bench_gpu_run_state* s, const agon_net* net, int nets) {
    const double each = net->inputs + 8.0 + 4.0 + 2.0 + 4.0 + 4.0 + 8.0 * agon_net_memory(net);
    return each + agon_bench_gpu_net_bytes(net, s->bench->precision) * nets / s->bench->rows;
}

/* layers: of the net, for people; "" of the usual one. */
static int measure(agon_bench_gpu_run_state* s, const agon_net* net, const char* layers, int nets,
                   double aim, agon_error* error) {
    const int each = s->bench->rows / nets;
    agon_bench_gpu_figure figure = {.what = "gpu_forward",
                                    .unit = "rows",
                                    .flop = agon_net_flop(net),
                                    .bytes = row_bytes(s, net, nets),
                                    .aim_share = aim};
    forwards f;
    char shape[96];
    agon_net_format(net, shape, sizeof shape);
    snprintf(figure.words, sizeof figure.words, "forward%s, %d net%s x %d rows", layers, nets,
             nets == 1 ? "" : "s", each);
    snprintf(figure.fields, sizeof figure.fields, "\"net\":\"%s\",\"nets\":%d,\"rows_per_net\":%d",
             shape, nets, each);
    int rc = open_forwards(s, net, nets, &f, error);
    if (!rc)
        rc = agon_bench_gpu_measure(s, &figure, f.call.slots, go, &f, error);
    agon__gpu_free(s->gpu, f.block);
    return rc;
}

int agon_bench_gpu_forward(agon_bench_gpu_run_state* s, agon_error* error) {
    static const int nets[] = {1, 16, 256, 4096};
    static const double aims[] = {0.4, 0.4, 0.4, 0.6};
    /* An image of 3 x 6 x 7 and two convolutions; the usual net with memory. */
    static const char* const others[][2] = {{"3x6x7-conv32-conv32-128-7 relu", " of convolutions"},
                                            {"126-128-mingru128-7 relu", " with memory"}};
    const agon_net usual = agon_bench_gpu_net();
    int rc = AGON_OK;
    for (int i = 0; !rc && i < 4; i++)
        if (nets[i] <= s->bench->rows)
            rc = measure(s, &usual, "", nets[i], aims[i], error);
    for (int i = 0; !rc && i < 2 && s->bench->rows >= 16; i++) {
        agon_net net;
        rc = agon_net_parse(others[i][0], &net, error);
        if (!rc)
            rc = measure(s, &net, others[i][1], 16, 0, error);
    }
    return rc;
}
