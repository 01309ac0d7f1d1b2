/* bench_gpu_update.c: PPO updates of many learners whose rectangles lie on a GPU. */
#include "tools/bench_gpu.h"

#include "cuda/update.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HORIZON = 32, EPOCHS = 1, MINIBATCHES = 4, LINE = 32 };

static const agon_ppo ppo = {
    .step = {1e-5f, 0.2f, 0.5f, 0.01f, 0.5f, 0.9f, 0.999f, 1e-8f},
    .discount = 1,
    .lambda = 0.95f,
    .epochs = EPOCHS,
    .minibatches = MINIBATCHES,
    .normalise = 1,
};

typedef struct updates {
    agon_bench_gpu_run_state* s;
    agon__gpu_learners learners;
    agon__gpu_rectangles rectangles;
    agon__gpu_update* update;
    agon__gpu_learner* each; /* (members) */
    char* block;             /* of the device */
} updates;

static int go(void* user, int times, agon_error* error) {
    updates* u = user;
    int rc = AGON_OK;
    for (int i = 0; !rc && i < times; i++)
        rc = agon__gpu_update_run(u->update, u->each, error);
    return rc;
}

/* ---- memory ------------------------------------------------------------------------------- */

static void* carve(char* base, size_t* used, size_t bytes) {
    void* piece = base ? base + *used : NULL;
    *used += (bytes + 255) / 256 * 256;
    return piece;
}

static size_t lay_out(updates* u, char* base) {
    agon__gpu_learners* l = &u->learners;
    agon__gpu_rectangles* r = &u->rectangles;
    const size_t floats = (size_t)l->count * l->stride * sizeof(float);
    const size_t rows = (size_t)r->members * (size_t)r->rows, entries = rows * HORIZON;
    size_t used = 0;
    l->params = carve(base, &used, floats);
    l->moment1 = carve(base, &used, floats);
    l->moment2 = carve(base, &used, floats);
    l->grads = carve(base, &used, floats);
    l->packed = carve(base, &used, (size_t)l->count * l->net.bytes);
    r->obs = carve(base, &used, entries * r->obs_bytes);
    r->mask = carve(base, &used, entries * sizeof *r->mask);
    r->action = carve(base, &used, entries * sizeof *r->action);
    r->log_probability = carve(base, &used, entries * sizeof *r->log_probability);
    r->value = carve(base, &used, entries * sizeof *r->value);
    r->reward = carve(base, &used, entries * sizeof *r->reward);
    r->last = carve(base, &used, entries);
    r->bootstrap = carve(base, &used, rows * sizeof *r->bootstrap);
    r->advantage = carve(base, &used, entries * sizeof *r->advantage);
    r->target = carve(base, &used, entries * sizeof *r->target);
    return used;
}

/* Member by member, through one buffer: the device's copy may take its time. */
static int send_learners(updates* u, const agon_net* net, agon_error* error) {
    agon__gpu_learners* l = &u->learners;
    float* params = calloc(l->stride, sizeof *params);
    char* packed = calloc(1, l->net.bytes);
    int rc = params && packed ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for a net");
    for (uint64_t i = 0; !rc && i < (uint64_t)l->count; i++) {
        agon_net_init(net, agon_key_make(i, "bench", AGON_FOR_INIT), params);
        agon__gpu_pack(&l->net, params, packed);
        agon__stream_in(u->s->stream, l->params + i * l->stride, params,
                        l->stride * sizeof *params);
        agon__stream_in(u->s->stream, l->packed + i * l->net.bytes, packed, l->net.bytes);
        rc = agon__stream_wait(u->s->stream, error);
        u->each[i] = (agon__gpu_learner){.ppo = ppo,
                                         .shuffle = agon_key_make(i, "bench", AGON_FOR_SHUFFLE),
                                         .beta1_power = 1,
                                         .beta2_power = 1};
    }
    free(params);
    free(packed);
    return rc;
}

/* The same entries for every member: half of the inputs are 1, all actions are legal. */
static void fill(const agon_net* net, agon_rectangle* d) {
    const agon_key key = agon_key_make(1, "bench", AGON_FOR_TEST);
    for (size_t i = 0; i < (size_t)d->places; i++) {
        const agon_draw draw = agon_random(key, (uint32_t)i, 0, 0, 0);
        for (size_t j = 0; j < d->obs_bytes; j++)
            ((uint8_t*)d->obs)[i * d->obs_bytes + j] = draw.word[j / 32 % 4] >> j % 32 & 1;
        d->mask[i] = (1u << net->actions) - 1;
        d->action[i] = (uint16_t)agon_below(draw.word[0], (uint32_t)net->actions);
        d->log_probability[i] = -1.9f - 0.1f * agon_uniform(draw.word[1]);
        d->value[i] = agon_uniform(draw.word[2]) - 0.5f;
        d->last[i] = draw.word[3] % 20 == 0;
        d->reward[i] = d->last[i] ? 1.0f - 2.0f * (float)(draw.word[1] & 1) : 0.0f;
    }
}

static int send_rectangles(updates* u, const agon_net* net, agon_error* error) {
    const agon__gpu_rectangles* r = &u->rectangles;
    const agon_input input = {AGON_U8, 1};
    agon_rectangle* d = agon_rectangle_open(r->rows, HORIZON, input, r->obs_bytes, 1, 0, 0);
    agon__stream* stream = u->s->stream;
    if (!d)
        return agon_fail(error, AGON_EMEMORY, "no memory for a rectangle");
    fill(net, d);
    const size_t n = (size_t)d->places, rows = (size_t)r->rows;
    for (size_t m = 0; m < (size_t)r->members; m++) {
        const size_t at = m * n;
        agon__stream_in(stream, (char*)r->obs + at * r->obs_bytes, d->obs, n * r->obs_bytes);
        agon__stream_in(stream, r->mask + at, d->mask, n * sizeof *r->mask);
        agon__stream_in(stream, r->action + at, d->action, n * sizeof *r->action);
        agon__stream_in(stream, r->log_probability + at, d->log_probability, n * sizeof(float));
        agon__stream_in(stream, r->value + at, d->value, n * sizeof(float));
        agon__stream_in(stream, r->reward + at, d->reward, n * sizeof(float));
        agon__stream_in(stream, r->last + at, d->last, n);
        agon__stream_in(stream, r->bootstrap + m * rows, d->bootstrap, rows * sizeof(float));
    }
    const int rc = agon__stream_wait(stream, error);
    agon_rectangle_close(d);
    return rc;
}

static int open_updates(updates* u, const agon_net* net, agon_error* error) {
    agon__gpu_learners* l = &u->learners;
    const agon__gpu_update_def def = {.gpu = u->s->gpu,
                                      .stream = u->s->stream,
                                      .learners = l,
                                      .rectangles = &u->rectangles,
                                      .epochs = EPOCHS,
                                      .minibatches = MINIBATCHES};
    u->each = calloc((size_t)l->count, sizeof *u->each);
    u->block = u->each ? agon__gpu_alloc(u->s->gpu, lay_out(u, NULL), error) : NULL;
    if (!u->block)
        return AGON_EMEMORY;
    lay_out(u, u->block);
    agon__stream_fill(u->s->stream, l->params, 0, 4 * (size_t)l->count * l->stride * sizeof(float));
    int rc = send_learners(u, net, error);
    if (!rc)
        rc = send_rectangles(u, net, error);
    if (!rc)
        rc = agon__gpu_update_open(&def, &u->update, error);
    return rc;
}

static void close_updates(updates* u) {
    agon__gpu_update_close(u->update);
    agon__gpu_free(u->s->gpu, u->block);
    free(u->each);
}

/* ---- the figure --------------------------------------------------------------------------- */

/* Of an entry: advantages are made (reading 9 bytes, writing 8) and epochs read what PPO needs; and
 * with every minibatch parameters and moments are read and written. */
static double entry_bytes(const agon_net* net, size_t entries) {
    const double once = 4.0 + 4.0 + 1.0 + 8.0, epoch = net->inputs + 8.0 + 2.0 + 4.0 + 4.0 + 4.0;
    const double adam = 6.0 * 4.0 * (double)agon_net_size(net) * EPOCHS * MINIBATCHES;
    return once + EPOCHS * epoch + adam / (double)entries;
}

/* With 2^20 rows of a forward: 64 learners with 32,768 entries each. */
int agon_bench_gpu_update(agon_bench_gpu_run_state* s, agon_error* error) {
    const agon_net net = agon_bench_gpu_net();
    const int wanted = s->bench->rows / 16384, members = wanted < 2 ? 2 : wanted > 64 ? 64 : wanted;
    const int rows = s->bench->rows < 2048 ? 2 : s->bench->rows / 1024;
    const size_t entries = (size_t)rows * HORIZON;
    updates u = {.s = s};
    u.learners = (agon__gpu_learners){.net = agon__gpu_net_of(&net, (int)s->bench->precision),
                                      .count = members};
    u.learners.stride = (u.learners.net.params + LINE - 1) / LINE * LINE;
    u.rectangles = (agon__gpu_rectangles){.members = members,
                                          .rows = rows,
                                          .horizon = HORIZON,
                                          .obs_type = AGON_U8,
                                          .scale = 1,
                                          .obs_bytes = (uint64_t)net.inputs,
                                          .mask_words = 1};
    agon_bench_gpu_figure figure = {.what = "gpu_update",
                                    .unit = "rows",
                                    .flop = 3 * agon_net_flop(&net) * EPOCHS,
                                    .bytes = entry_bytes(&net, entries),
                                    .aim_share = 0.25};
    char shape[96];
    agon_net_format(&net, shape, sizeof shape);
    snprintf(figure.words, sizeof figure.words, "update, %d nets x %zu rows", members, entries);
    snprintf(figure.fields, sizeof figure.fields,
             "\"net\":\"%s\",\"nets\":%d,\"rows_per_net\":%zu,\"epochs\":%d,\"minibatches\":%d",
             shape, members, entries, EPOCHS, MINIBATCHES);
    int rc = open_updates(&u, &net, error);
    if (!rc)
        rc = agon_bench_gpu_measure(s, &figure, (double)members * (double)entries, go, &u, error);
    close_updates(&u);
    return rc;
}
