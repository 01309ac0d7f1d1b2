/* backend_fixture.h: random nets with random rows, and what a backend makes of them. For the tests
 * of everything that is a backend. */
#ifndef AGON_BACKEND_FIXTURE_H
#define AGON_BACKEND_FIXTURE_H

#include "agents/learner.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char* const forms[] = {"portable", "neon", "avx2", "avx512"};
enum { FORMS = 4 };

/* A stream of test numbers; a test owns it. */
typedef struct source {
    uint32_t drawn;
} source;

static inline float next_uniform(source* s) {
    const agon_key key = {{7, 11}};
    return agon_uniform(agon_random(key, 0, 0, 0, s->drawn++).word[0]);
}

/* An integer in low..high. */
static inline int next_int(source* s, int low, int high) {
    return low + (int)((double)next_uniform(s) * (high - low + 1));
}

static inline void fill(source* s, float* out, size_t count, float scale) {
    for (size_t i = 0; i < count; i++)
        out[i] = (2.0f * next_uniform(s) - 1.0f) * scale;
}

/* As fill, with four numbers from one draw: for weights, which are many. */
static inline void fill_fast(source* s, float* out, size_t count, float scale) {
    const agon_key key = {{7, 13}};
    const uint32_t stream = s->drawn++;
    agon_draw draw = {{0}};
    for (size_t i = 0; i < count; i++) {
        if (i % 4 == 0)
            draw = agon_random(key, stream, (uint32_t)(i / 4), 0, 0);
        out[i] = (2.0f * agon_uniform(draw.word[i % 4]) - 1.0f) * scale;
    }
}

static inline void* need(size_t bytes) {
    void* block = aligned_alloc(64, (bytes + 64) / 64 * 64);
    assert_non_null(block);
    memset(block, 0xa5, (bytes + 64) / 64 * 64);
    return block;
}

/* ---- a batch ------------------------------------------------------------------------------ */

typedef struct batch {
    agon_net net;
    agon_input input;
    int rows, words;
    float* params;
    agon_rectangle* data; /* (rows, 1): observations and masks are contiguous */
    float* uniform;
    float temperature;
    int all_legal; /* 1: no mask is given */
} batch;

static inline void open_batch(source* s, const agon_net* net, agon_dtype type, int rows, batch* b) {
    const agon_input input = {type, 0.25f};
    const size_t size = agon_net_size(net);
    *b = (batch){.net = *net, .input = input, .rows = rows, .words = (net->actions + 63) / 64};
    b->temperature = 1.0f;
    b->params = need(size * sizeof(float));
    fill(s, b->params, size, 0.3f);
    b->uniform = need((size_t)rows * sizeof(float));
    b->data = agon_rectangle_open(rows, 1, input, (size_t)net->inputs * (type == AGON_U8 ? 1 : 4),
                                  b->words, 0, 0);
    assert_non_null(b->data);
    for (int i = 0; i < rows * net->inputs; i++) {
        if (type == AGON_U8)
            ((uint8_t*)b->data->obs)[i] = (uint8_t)(next_uniform(s) * 5.0f);
        else
            ((float*)b->data->obs)[i] = next_uniform(s) - 0.5f;
    }
    for (int r = 0; r < rows; r++) {
        const int sure = (int)(next_uniform(s) * (float)net->actions);
        b->uniform[r] = next_uniform(s);
        for (int a = 0; a < net->actions; a++)
            if (a == sure || next_uniform(s) < 0.6f)
                b->data->mask[r * b->words + a / 64] |= 1ull << (a % 64);
        b->data->action[r] = (uint16_t)sure;
        b->data->log_probability[r] = -2.0f * next_uniform(s);
        b->data->advantage[r] = 2.0f * next_uniform(s) - 1.0f;
        b->data->target[r] = 2.0f * next_uniform(s) - 1.0f;
    }
}

static inline void close_batch(batch* b) {
    free(b->params);
    free(b->uniform);
    agon_rectangle_close(b->data);
}

/* Weights that keep every layer's outputs near 1, whatever the width. */
static inline void fill_weights(source* s, const agon_net* net, float* params) {
    agon_tensor tensors[AGON_MAX_TENSORS];
    const int count = agon_net_tensors(net, tensors);
    for (int t = 0; t < count; t++)
        fill_fast(s, params + tensors[t].offset, tensors[t].count,
                  tensors[t].cols ? 2.0f / sqrtf((float)tensors[t].cols) : 0.5f);
}

/* Rows from .. from+rows-1 of a batch as one. `view` holds what it points at. */
static inline batch batch_rows(const batch* whole, agon_rectangle* view, int from, int rows) {
    batch part = *whole;
    *view = *whole->data;
    view->rows = rows;
    view->obs = (char*)view->obs + (size_t)from * view->obs_bytes;
    view->mask += (ptrdiff_t)from * whole->words;
    part.data = view;
    part.rows = rows;
    part.uniform += from;
    return part;
}

/* ---- a backend's results ------------------------------------------------------------------ */

/* Each array has room for one row more, which no call may touch. */
typedef struct outputs {
    float *logits, *value, *probability, *log_probability;
    uint16_t* action;
} outputs;

static inline outputs open_outputs(const batch* b) {
    const size_t rows = (size_t)b->rows + 1, actions = (size_t)b->net.actions;
    return (outputs){need(rows * actions * 4), need(rows * 4), need(rows * actions * 4),
                     need(rows * 4), need(rows * 2)};
}

static inline void close_outputs(outputs* o) {
    free(o->logits);
    free(o->value);
    free(o->probability);
    free(o->log_probability);
    free(o->action);
}

static inline outputs outputs_from(const outputs* o, int row, int actions) {
    return (outputs){o->logits + (ptrdiff_t)row * actions, o->value + row,
                     o->probability + (ptrdiff_t)row * actions, o->log_probability + row,
                     o->action + row};
}

static inline agon_forward call_of(const batch* b, const outputs* o, const void* const* packed,
                                   const int* offsets, int nets) {
    return (agon_forward){.net = &b->net,
                          .input = b->input,
                          .nets = nets,
                          .packed = packed,
                          .offsets = offsets,
                          .obs = b->data->obs,
                          .mask = b->all_legal ? NULL : b->data->mask,
                          .temperature = b->temperature,
                          .uniform = b->uniform,
                          .logits = o->logits,
                          .value = o->value,
                          .probability = o->probability,
                          .action = o->action,
                          .log_probability = o->log_probability};
}

/* A backend with one net, ready to be called. */
typedef struct runner {
    const agon_backend* backend;
    agon_scratch* scratch;
    void* packed;
} runner;

static inline runner open_runner(const agon_backend* backend, const agon_net* net,
                                 const float* params, int rows) {
    const runner run = {backend, backend->scratch_open(), need(backend->packed_size(net))};
    assert_non_null(run.scratch);
    assert_int_equal(backend->scratch_reserve(run.scratch, net, rows, 0), 0);
    backend->pack(net, params, run.packed);
    return run;
}

static inline void close_runner(runner* run) {
    run->backend->scratch_close(run->scratch);
    free(run->packed);
}

static inline void run_rows(const runner* run, const batch* b, const outputs* o) {
    const void* const packed[] = {run->packed};
    const int offsets[] = {0, b->rows};
    const agon_forward call = call_of(b, o, packed, offsets, 1);
    run->backend->forward(&call, run->scratch);
}

static inline void run_forward(const agon_backend* backend, const batch* b, const outputs* o) {
    runner run = open_runner(backend, &b->net, b->params, b->rows);
    run_rows(&run, b, o);
    close_runner(&run);
}

/* ---- comparison --------------------------------------------------------------------------- */

/* "127-64-64-9 relu, 33 rows, cpu/avx2": what a failure is about. */
static inline const char* place_of(const batch* b, const char* form) {
    static char text[160];
    char net[100];
    agon_net_format(&b->net, net, sizeof net);
    snprintf(text, sizeof text, "%s, %s, %d rows, temperature %g, %s", net,
             b->input.type == AGON_U8 ? "u8" : "f32", b->rows, (double)b->temperature, form);
    return text;
}

static inline void same_floats(const char* what, const char* place, const float* want,
                               const float* got, size_t count) {
    if (memcmp(want, got, count * sizeof(float)) == 0)
        return;
    size_t i = 0;
    while (memcmp(want + i, got + i, sizeof(float)) == 0)
        i++;
    fail_msg("%s[%zu] of %zu is %a, expected %a (%s)", what, i, count, (double)got[i],
             (double)want[i], place);
}

static inline void same_outputs(const batch* b, const char* form, const outputs* want,
                                const outputs* got) {
    const size_t rows = (size_t)b->rows, all = rows * (size_t)b->net.actions;
    const char* place = place_of(b, form);
    same_floats("logits", place, want->logits, got->logits, all);
    same_floats("value", place, want->value, got->value, rows);
    same_floats("probability", place, want->probability, got->probability, all);
    same_floats("log_probability", place, want->log_probability, got->log_probability, rows);
    for (size_t r = 0; r < rows; r++)
        if (want->action[r] != got->action[r])
            fail_msg("action[%zu] is %d, expected %d (%s)", r, got->action[r], want->action[r],
                     place);
}

/* What open_outputs wrote behind the last row is still there. */
static inline void nothing_behind(const batch* b, const char* form, const outputs* o) {
    const outputs end = outputs_from(o, b->rows, b->net.actions);
    const uint8_t* const at[] = {(uint8_t*)end.logits, (uint8_t*)end.value,
                                 (uint8_t*)end.probability, (uint8_t*)end.log_probability,
                                 (uint8_t*)end.action};
    const size_t bytes[] = {(size_t)b->net.actions * 4, 4, (size_t)b->net.actions * 4, 4, 2};
    for (int i = 0; i < 5; i++)
        for (size_t j = 0; j < bytes[i]; j++)
            if (at[i][j] != 0xa5)
                fail_msg("output %d is written behind its last row (%s)", i, place_of(b, form));
}

#endif
