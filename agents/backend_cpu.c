/* backend_cpu.c: the CPU backend: which form runs, packing, and scratch. */
#include "agents/backend_cpu.h"

#include <stdlib.h>
#include <string.h>

/* ---- shape and packing -------------------------------------------------------------------- */

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* An image in its border, patches of AGON__FOLD_POINTS points, and a vector behind each, because
 * they are copied by whole vectors. Its slopes are an image of `out` channels, likewise. */
static void add_image(agon__shape* shape, const agon_net* net, int layer) {
    agon__linear* linear = &shape->linear[layer];
    const int points = net->rows * net->cols, size = net->kernel[layer] * net->kernel[layer];
    linear->kernel = net->kernel[layer];
    linear->rows = net->rows;
    linear->cols = net->cols;
    linear->channels = agon_net_entries(net, layer) / points;
    const int most = linear->out > linear->channels ? linear->out : linear->channels;
    const int height = net->rows + linear->kernel - 1, width = net->cols + linear->kernel - 1;
    shape->image =
        larger(shape->image, (size_t)height * (size_t)width * (size_t)most + AGON__LANES);
    shape->patches =
        larger(shape->patches, AGON__FOLD_POINTS * (size_t)agon__pad(size * most) + AGON__LANES);
    shape->turned = larger(shape->turned, (size_t)linear->in * (size_t)linear->out);
}

/* Layer `layer`, whose weights are `at` floats from the start; returns where the next one's are. */
static size_t add_layer(agon__shape* shape, const agon_net* net, int layer, size_t at) {
    agon__linear* linear = &shape->linear[layer];
    linear->kind = layer < net->layers ? net->kind[layer] : AGON_DENSE;
    linear->in = agon_net_fan_in(net, layer);
    linear->out = agon_net_fan_out(net, layer);
    linear->in_pad = agon__pad(linear->in);
    linear->out_pad = agon__pad(linear->out);
    linear->x_row = layer ? linear[-1].y_row : agon__pad(net->inputs);
    linear->y_row = linear->out_pad;
    linear->weight = at;
    linear->bias = at + (size_t)linear->in * (size_t)linear->out;
    linear->packed = shape->packed;
    shape->packed += ((size_t)linear->in + 1) * (size_t)linear->out_pad;
    if (linear->kind != AGON_DENSE)
        linear->y_row = agon__pad(agon_net_entries(net, layer + 1));
    if (layer < net->layers)
        shape->widest = (int)larger((size_t)shape->widest, (size_t)linear->y_row);
    if (linear->kind == AGON_CONV)
        add_image(shape, net, layer);
    if (linear->kind == AGON_MINGRU)
        shape->recalled = (int)larger((size_t)shape->recalled, (size_t)linear->out_pad);
    return linear->bias + (size_t)linear->out;
}

agon__shape agon__shape_of(const agon_net* net) {
    agon__shape shape = {.layers = net->layers + 1, .widest = AGON__LANES};
    size_t at = 0;
    for (int i = 0; i <= net->layers; i++)
        at = add_layer(&shape, net, i, at);
    agon__linear* head = &shape.linear[net->layers];
    head->bias = head->weight + (size_t)net->actions * (size_t)head->in;
    shape.value_weight = head->bias + (size_t)net->actions;
    shape.value_bias = shape.value_weight + (size_t)head->in;
    shape.memory = agon_net_memory(net);
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

int agon__block_rows(const agon__shape* shape, int update) {
    const int most = update ? AGON__UPDATE_ROWS : AGON__FORWARD_ROWS;
    if ((long long)shape->widest * most <= AGON__BLOCK_FLOATS)
        return most;
    const int fit = AGON__BLOCK_FLOATS / shape->widest;
    return fit < 1 ? 1 : fit;
}

/* What the layers give. A forward alone needs the last two of them only. */
static void plan_layers(agon__plan* plan, const agon__shape* shape, int update, size_t rows,
                        float* block) {
    const size_t widest = (size_t)shape->widest;
    float* recall = NULL;
    if (!update && shape->recalled)
        recall = take(plan, block, rows * (size_t)shape->recalled);
    for (int i = 0; i + 1 < shape->layers; i++) {
        const agon__linear* linear = &shape->linear[i];
        const int again = !update && i >= 2;
        plan->x[i + 1] = again    ? plan->x[i - 1]
                         : update ? take(plan, block, rows * (size_t)linear->y_row)
                                  : take(plan, block, rows * widest);
        if (linear->kind == AGON_MINGRU)
            plan->recall[i] = update ? take(plan, block, rows * (size_t)linear->out_pad) : recall;
    }
    plan->x[shape->layers] =
        take(plan, block, rows * (size_t)shape->linear[shape->layers - 1].out_pad);
}

/* What only an update needs. */
static void plan_slopes(agon__plan* plan, const agon__shape* shape, size_t rows, float* block) {
    const agon__linear* first = &shape->linear[0];
    plan->first = take(plan, block, (size_t)first->in * (size_t)first->out_pad);
    for (int i = 0; i < 2; i++)
        plan->slope[i] = take(plan, block, rows * (size_t)shape->widest);
    plan->turned = take(plan, block, shape->turned);
    plan->memory = take(plan, block, rows * (size_t)shape->memory);
    plan->last = (uint8_t*)take(plan, block, (rows + 3) / 4);
}

static agon__plan plan_of(const agon__shape* shape, int update, int rows, float* block) {
    const size_t most = (size_t)rows;
    const agon__linear *first = &shape->linear[0], *head = &shape->linear[shape->layers - 1];
    agon__plan plan = {0};
    plan.x[0] = take(&plan, block, most * (size_t)first->x_row);
    if (first->kind != AGON_CONV) {
        plan.in.stride = first->in_pad + AGON__LANES;
        plan.in.at = (uint32_t*)take(&plan, block, most * (size_t)plan.in.stride);
        plan.in.value = take(&plan, block, most * (size_t)plan.in.stride);
        plan.in.count = (int*)take(&plan, block, most);
    }
    plan_layers(&plan, shape, update, most, block);
    plan.z = take(&plan, block, (size_t)(head->out - 1) * AGON__LANES);
    plan.e = take(&plan, block, (size_t)(head->out - 1) * AGON__LANES);
    plan.image = take(&plan, block, shape->image);
    plan.patches = take(&plan, block, shape->patches);
    if (update)
        plan_slopes(&plan, shape, most, block);
    return plan;
}

int agon__scratch_fit(agon_scratch* scratch, const agon_net* net, int update, int rows) {
    if (scratch->update == update && scratch->rows == rows &&
        memcmp(&scratch->net, net, sizeof *net) == 0)
        return 0;
    const agon__shape shape = agon__shape_of(net);
    const int usual = agon__block_rows(&shape, update), most = rows > usual ? rows : usual;
    const size_t size = plan_of(&shape, update, most, NULL).size;
    if (size > scratch->size) {
        float* block = aligned_alloc(64, size * sizeof(float));
        if (!block)
            return -1;
        memset(block, 0, size * sizeof(float));
        free(scratch->block);
        scratch->block = block;
        scratch->size = size;
    }
    scratch->net = *net;
    scratch->update = update;
    scratch->rows = rows;
    scratch->shape = shape;
    scratch->plan = plan_of(&shape, update, most, scratch->block);
    return 0;
}

/* A row of a rectangle passes through memory in one piece. */
static int scratch_reserve(agon_scratch* scratch, const agon_net* net, int rows, int update) {
    const int longest = update && agon_net_memory(net) ? rows : 0;
    return agon__scratch_fit(scratch, net, update, longest) == 0 ? 0 : AGON_EMEMORY;
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
