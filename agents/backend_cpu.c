/* backend_cpu.c: the CPU backend: which form runs, packing, and scratch. */
#include "agents/backend_cpu.h"

#include <stdlib.h>
#include <string.h>

/* ---- shape and packing -------------------------------------------------------------------- */

static size_t add_linear(agon__linear* linear, int in, int out, size_t weight, size_t packed) {
    linear->in = in;
    linear->out = out;
    linear->in_pad = agon__pad(in);
    linear->out_pad = agon__pad(out);
    linear->weight = weight;
    linear->packed = packed;
    return packed + ((size_t)in + 1) * (size_t)linear->out_pad;
}

agon__shape agon__shape_of(const agon_net* net) {
    agon__shape shape = {.layers = net->layers + 1, .widest = AGON__LANES};
    size_t at = 0;
    int in = net->inputs;
    for (int i = 0; i < net->layers; i++) {
        agon__linear* linear = &shape.linear[i];
        const int out = net->hidden[i];
        shape.packed = add_linear(linear, in, out, at, shape.packed);
        linear->bias = at + (size_t)out * (size_t)in;
        at = linear->bias + (size_t)out;
        if (linear->out_pad > shape.widest)
            shape.widest = linear->out_pad;
        in = out;
    }
    agon__linear* head = &shape.linear[net->layers];
    shape.packed = add_linear(head, in, net->actions + 1, at, shape.packed);
    head->bias = at + (size_t)net->actions * (size_t)in;
    shape.value_weight = head->bias + (size_t)net->actions;
    shape.value_bias = shape.value_weight + (size_t)in;
    return shape;
}

/* Output `row` of a layer, at `weight` (NULL: zeros), becomes one column of its panels. */
static void pack_column(const agon__linear* linear, int row, const float* weight, float* packed) {
    const int start = row / AGON__PANEL * AGON__PANEL;
    const int left = linear->out_pad - start;
    const int panel = left < AGON__PANEL ? left : AGON__PANEL;
    float* out = packed + (size_t)start * (size_t)linear->in + (row - start);
    for (int k = 0; k < linear->in; k++)
        out[(size_t)k * (size_t)panel] = weight ? weight[k] : 0.0f;
}

/* Four outputs at a time: a line of the panel is then written in fewer, larger pieces. */
static void pack_columns(const agon__linear* linear, int row, const float* weight, float* packed) {
    const int start = row / AGON__PANEL * AGON__PANEL;
    const int left = linear->out_pad - start;
    const size_t panel = (size_t)(left < AGON__PANEL ? left : AGON__PANEL), in = (size_t)linear->in;
    const float *w0 = weight, *w1 = w0 + in, *w2 = w1 + in, *w3 = w2 + in;
    float* out = packed + (size_t)start * in + (row - start);
    for (size_t k = 0; k < in; k++) {
        float* four = out + k * panel;
        four[0] = w0[k];
        four[1] = w1[k];
        four[2] = w2[k];
        four[3] = w3[k];
    }
}

static void pack_linear(const agon__linear* linear, int rows, const float* params, float* packed) {
    const float* weight = params + linear->weight;
    float* to = packed + linear->packed;
    int row = 0;
    for (; row + 4 <= rows; row += 4)
        pack_columns(linear, row, weight + (size_t)row * (size_t)linear->in, to);
    for (; row < rows; row++)
        pack_column(linear, row, weight + (size_t)row * (size_t)linear->in, to);
    for (; row < linear->out_pad; row++)
        pack_column(linear, row, NULL, to);
    float* bias = to + (size_t)linear->in * (size_t)linear->out_pad;
    memset(bias, 0, (size_t)linear->out_pad * sizeof(float));
    memcpy(bias, params + linear->bias, (size_t)rows * sizeof(float));
}

void agon__pack(const agon_net* net, const float* params, void* packed) {
    const agon__shape shape = agon__shape_of(net);
    const agon__linear* head = &shape.linear[net->layers];
    float* to = (float*)packed;
    for (int i = 0; i < net->layers; i++)
        pack_linear(&shape.linear[i], shape.linear[i].out, params, to);
    pack_linear(head, net->actions, params, to);
    pack_column(head, net->actions, params + shape.value_weight, to + head->packed);
    to[head->packed + (size_t)head->in * (size_t)head->out_pad + (size_t)net->actions] =
        params[shape.value_bias];
}

static size_t packed_size(const agon_net* net) {
    return agon__shape_of(net).packed * sizeof(float);
}

/* ---- scratch ------------------------------------------------------------------------------ */

static float* take(agon__plan* plan, float* block, size_t floats) {
    float* at = block ? block + plan->size : NULL;
    plan->size += (floats + AGON__LANES - 1) / AGON__LANES * AGON__LANES;
    return at;
}

agon__plan agon__plan_of(const agon__shape* shape, int update, float* block) {
    const size_t rows = update ? AGON__UPDATE_ROWS : AGON__FORWARD_ROWS;
    const size_t widest = (size_t)shape->widest;
    const agon__linear* head = &shape->linear[shape->layers - 1];
    agon__plan plan = {0};
    const agon__linear* first = &shape->linear[0];
    plan.x[0] = take(&plan, block, rows * (size_t)first->in_pad);
    plan.in.stride = first->in_pad + AGON__LANES;
    plan.in.at = (uint32_t*)take(&plan, block, rows * (size_t)plan.in.stride);
    plan.in.value = take(&plan, block, rows * (size_t)plan.in.stride);
    plan.in.count = (int*)take(&plan, block, rows);
    if (update)
        plan.first = take(&plan, block, (size_t)first->in * (size_t)first->out_pad);
    for (int i = 0; i + 1 < shape->layers; i++) { /* a forward alone needs the last two only */
        const int again = !update && i >= 2;
        plan.x[i + 1] = again    ? plan.x[i - 1]
                        : update ? take(&plan, block, rows * (size_t)shape->linear[i].out_pad)
                                 : take(&plan, block, rows * widest);
    }
    plan.x[shape->layers] = take(&plan, block, rows * (size_t)head->out_pad);
    plan.z = take(&plan, block, (size_t)(head->out - 1) * AGON__LANES);
    plan.e = take(&plan, block, (size_t)(head->out - 1) * AGON__LANES);
    for (int i = 0; update && i < 2; i++)
        plan.slope[i] = take(&plan, block, rows * widest);
    return plan;
}

int agon__scratch_fit(agon_scratch* scratch, const agon__shape* shape, int update) {
    const size_t size = agon__plan_of(shape, update, NULL).size;
    if (size <= scratch->size)
        return 0;
    float* block = aligned_alloc(64, size * sizeof(float));
    if (!block)
        return -1;
    memset(block, 0, size * sizeof(float));
    free(scratch->block);
    scratch->block = block;
    scratch->size = size;
    return 0;
}

static int scratch_reserve(agon_scratch* scratch, const agon_net* net, int rows, int update) {
    const agon__shape shape = agon__shape_of(net);
    return agon__scratch_fit(scratch, &shape, update) == 0 ? 0 : AGON_EMEMORY;
}

static void scratch_close(agon_scratch* scratch) {
    if (scratch)
        free(scratch->block);
    free(scratch);
}

/* ---- forms -------------------------------------------------------------------------------- */

static agon_scratch* scratch_open(const agon__kernel* kernel) {
    agon_scratch* scratch = calloc(1, sizeof *scratch);
    if (scratch)
        scratch->kernel = kernel;
    return scratch;
}

/* A scratch knows its kernel, so that is all in which the forms differ. */
#define FORM(NAME)                                                                                 \
    static agon_scratch* open_##NAME(void) {                                                       \
        return scratch_open(&agon__kernel_##NAME);                                                 \
    }                                                                                              \
    static const agon_backend backend_##NAME = {                                                   \
        .name = "cpu/" #NAME,                                                                      \
        .device = "cpu",                                                                           \
        .packed_size = packed_size,                                                                \
        .pack = agon__pack,                                                                        \
        .scratch_open = open_##NAME,                                                               \
        .scratch_reserve = scratch_reserve,                                                        \
        .scratch_close = scratch_close,                                                            \
        .forward = agon__cpu_forward,                                                              \
        .update = agon__cpu_update,                                                                \
        .gradient = agon__cpu_gradient,                                                            \
    };

FORM(portable)
#if defined(__x86_64__)
FORM(avx2)
FORM(avx512)
#elif defined(__aarch64__)
FORM(neon)
#endif

typedef struct form {
    const char* name;
    const agon_backend* backend;
    const agon__kernel* kernel;
} form;

/* Widest first. */
static const form forms[] = {
#if defined(__x86_64__)
    {"avx512", &backend_avx512, &agon__kernel_avx512},
    {"avx2", &backend_avx2, &agon__kernel_avx2},
#elif defined(__aarch64__)
    {"neon", &backend_neon, &agon__kernel_neon},
#endif
    {"portable", &backend_portable, &agon__kernel_portable},
};
enum { FORMS = sizeof forms / sizeof forms[0] };

static int cpu_runs(const form* f) {
#if defined(__x86_64__)
    const int narrow = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (f->backend == &backend_avx2)
        return narrow;
    if (f->backend == &backend_avx512)
        return narrow && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#endif
    return 1;
}

/* NULL name: the widest that runs. */
static const form* find_form(const char* name) {
    for (int i = 0; i < FORMS; i++)
        if ((!name || strcmp(name, forms[i].name) == 0) && cpu_runs(&forms[i]))
            return &forms[i];
    return NULL;
}

const agon_backend* agon_cpu_backend_named(const char* name) {
    const form* found = find_form(name);
    return found ? found->backend : NULL;
}

const agon_backend* agon_cpu_backend(void) {
    const char* asked = getenv("AGON_SIMD");
    const agon_backend* found = asked ? agon_cpu_backend_named(asked) : NULL;
    return found ? found : find_form(NULL)->backend;
}

const agon__kernel* agon__kernel_named(const char* name) {
    const form* found = find_form(name);
    return found ? found->kernel : NULL;
}
