/* update_layers.c: each layer's launches: columns and their products, and memory through time. */
#include "cuda/update_layers.h"

#include "agents/net.h"
#include "cuda/kernels.h"
#include "games/agon_game.h"

#include <assert.h>

typedef agon__update_teller teller;

enum { REMEMBER_WARPS = 4 };

/* Rows of a minibatch that are told of at once. */
typedef struct span {
    int from, rows;
} span;

static const agon__gpu_linear* linear_of(const teller* t, int layer) {
    return &t->plan->learners.net.linear[layer];
}

static int is_last(const teller* t, int layer) {
    return layer == t->plan->learners.net.layers - 1;
}

/* The activation behind a layer, as agon__product_end has it. */
static int bend_of(const teller* t, int layer) {
    if (is_last(t, layer) || linear_of(t, layer)->kind == AGON_MINGRU)
        return 0;
    return t->plan->learners.net.relu ? 1 : 2;
}

/* ---- operands ----------------------------------------------------------------------------- */

agon__sights agon__update_sights(const teller* t) {
    const agon__gpu_rectangles* r = &t->plan->rectangles;
    const uint64_t entries = (uint64_t)r->rows * (uint64_t)r->horizon;
    const uint64_t first = (uint64_t)t->first * entries;
    return (agon__sights){.index = t->index,
                          .index_group = (uint64_t)t->plan->epochs * entries,
                          .entries = entries,
                          .first = first,
                          .place = r->place ? r->place + first : NULL,
                          .obs = r->obs,
                          .bytes = r->obs_bytes,
                          .floats = r->obs_type == AGON_F32,
                          .scale = r->scale};
}

/* Rows of `size` bytes an element, padded, `limit` of them to a member: from row `from` on. */
static agon__operand rows_operand(const char* base, int width, int size, int64_t limit,
                                  int64_t from) {
    const int stride = agon__update_pad(width);
    return (agon__operand){.base = base + from * stride * size,
                           .group = (uint64_t)limit * (uint64_t)(stride * size),
                           .stride = stride};
}

static agon__operand weights_operand(const teller* t, int layer) {
    const agon__gpu_net* net = &t->plan->learners.net;
    return (agon__operand){.base = t->plan->learners.packed + (uint64_t)t->first * net->bytes +
                                   net->linear[layer].weight,
                           .group = net->bytes,
                           .stride = net->linear[layer].stride};
}

/* Inputs of a layer's product: columns, outputs of the layer before, or nothing: sights say what
 * the net sees. */
static agon__operand inputs_operand(const teller* t, int layer, span s) {
    const agon__update_plan* p = t->plan;
    const agon__gpu_linear* linear = linear_of(t, layer);
    const int size = agon__element(p->learners.net.mode);
    const int64_t points = linear->points;
    if (p->part[layer])
        return rows_operand(p->columns, linear->in, size, p->part[layer] * points, 0);
    if (layer == 0)
        return (agon__operand){0};
    return rows_operand(p->x[layer], linear->in, size, p->row_limit * points, s.from * points);
}

/* Outputs of a layer's product, or their slopes, which but for the last layer and those that
 * remember take their place. */
static agon__operand outputs_operand(const teller* t, int layer, span s, int slopes) {
    const agon__update_plan* p = t->plan;
    const agon__gpu_linear* linear = linear_of(t, layer);
    const int size = agon__element(p->learners.net.mode);
    const int64_t limit = (int64_t)p->row_limit * linear->points;
    const int64_t from = (int64_t)s.from * linear->points;
    const int gates = linear->kind == AGON_MINGRU;
    if (!gates && !is_last(t, layer))
        return rows_operand(p->x[layer + 1], linear->out, size, limit, from);
    if (slopes)
        return rows_operand(gates ? p->gate_slope : p->slope, linear->out, size, limit, from);
    return rows_operand((const char*)(gates ? p->gates[layer] : p->head), linear->out, 4, limit,
                        from);
}

/* ---- products ----------------------------------------------------------------------------- */

static int shape_of(int rows, int cols) {
    return cols <= 16 ? AGON__SHAPE_NARROW : rows <= 16 ? AGON__SHAPE_FLAT : AGON__SHAPE_SQUARE;
}

static void launch_product(const teller* t, agon__update_kernel kernel, agon__product_args* args) {
    const agon__cut cut = agon__cut_of(args->shape = shape_of(args->rows, args->cols));
    const int down = (args->rows + agon__cut_rows(cut) - 1) / agon__cut_rows(cut);
    const int across = (args->cols + agon__cut_cols(cut) - 1) / agon__cut_cols(cut);
    args->groups = t->count;
    t->to->launch(t->to->context, kernel,
                  agon__update_blocks((uint64_t)t->count * (uint64_t)down * (uint64_t)across, 1),
                  AGON__PRODUCT_WARPS, 2 * (size_t)agon__product_chunk(cut), args);
}

static void tell_layer(const teller* t, int layer, span s) {
    const agon__update_plan* p = t->plan;
    const agon__gpu_net* net = &p->learners.net;
    const agon__gpu_linear* linear = &net->linear[layer];
    const agon__operand out = outputs_operand(t, layer, s, 0);
    const int rows = s.rows * linear->points, seen = layer == 0 && !p->part[0];
    agon__product_args args = {
        .rows = rows,
        .cols = out.stride,
        .depth = linear->in,
        .a = inputs_operand(t, layer, s),
        .b = weights_operand(t, layer),
        .sights = agon__update_sights(t),
        .end = {.bend = bend_of(t, layer),
                .out = (char*)out.base,
                .group = out.group,
                .stride = out.stride,
                .rows = rows,
                .cols = out.stride,
                .floats = is_last(t, layer) || linear->kind == AGON_MINGRU,
                .bias = p->learners.packed + (uint64_t)t->first * net->bytes + linear->bias,
                .bias_group = net->bytes,
                .biases = linear->rows},
    };
    args.a.rows = rows;
    args.b.rows = linear->rows;
    args.a.depth = args.b.depth = linear->in;
    launch_product(t, seen ? AGON__UPDATE_FIRST_LAYER : AGON__UPDATE_LAYER, &args);
}

/* Slopes of the inputs of a layer take the place of these inputs, which their gradient has used. */
static void tell_slopes(const teller* t, int layer, span s) {
    const agon__gpu_linear* linear = linear_of(t, layer);
    const agon__operand out = inputs_operand(t, layer, s);
    const int rows = s.rows * linear->points;
    agon__product_args args = {
        .rows = rows,
        .cols = out.stride,
        .depth = linear->out,
        .a = outputs_operand(t, layer, s, 1),
        .b = weights_operand(t, layer),
        .end = {.bend = t->plan->part[layer] ? 0 : bend_of(t, layer - 1),
                .out = (char*)out.base,
                .group = out.group,
                .stride = out.stride,
                .rows = rows,
                .cols = out.stride},
    };
    args.a.rows = rows;
    args.b.rows = args.cols;
    args.a.depth = args.b.depth = linear->out;
    launch_product(t, AGON__UPDATE_SLOPES, &args);
}

static void tell_grads(const teller* t, int layer, span s) {
    const agon__update_plan* p = t->plan;
    const agon__gpu_net* net = &p->learners.net;
    const agon__gpu_linear* linear = &net->linear[layer];
    float* grads = p->learners.grads + (uint64_t)t->first * p->learners.stride;
    const int seen = layer == 0 && !p->part[0];
    agon__product_args args = {
        .rows = linear->out,
        .cols = linear->in,
        .depth = s.rows * linear->points,
        .a = outputs_operand(t, layer, s, 1),
        .b = inputs_operand(t, layer, s),
        .sights = agon__update_sights(t),
        .end = {.out = (char*)(grads + linear->from_weight),
                .group = p->learners.stride * sizeof(float),
                .stride = linear->in,
                .rows = linear->out,
                .cols = linear->in,
                .apart = is_last(t, layer) ? linear->out - 1 : -1,
                .apart_out = grads + net->from_value_weight,
                .sums = grads + linear->from_bias,
                .apart_sum = grads + net->from_value_bias},
    };
    args.a.rows = agon__update_pad(linear->out);
    args.b.rows = seen ? linear->in : agon__update_pad(linear->in);
    args.a.depth = args.b.depth = args.depth;
    launch_product(t,
                   s.from ? AGON__UPDATE_MORE_GRADS
                   : seen ? AGON__UPDATE_FIRST_GRADS
                          : AGON__UPDATE_GRADS,
                   &args);
}

/* ---- columns ------------------------------------------------------------------------------ */

/* Where columns would be what is there, element by element: a convolution of one point, and whole
 * images of channels that need no padding. */
static int lies_unfolded(const agon__gpu_linear* linear) {
    const agon__fold* f = &linear->fold;
    if (f->kernel)
        return f->kernel == 1;
    return f->channels % AGON__TILE_K == 0 || f->rows * f->cols == 1;
}

size_t agon__update_columns(const agon__gpu_net* net, int layer) {
    const agon__gpu_linear* linear = &net->linear[layer];
    if (!linear->folds || (layer > 0 && lies_unfolded(linear)))
        return 0;
    return (size_t)linear->points * (size_t)agon__update_pad(linear->in) *
           (size_t)agon__element(net->mode);
}

static agon__fold_args fold_args(const teller* t, int layer, span s) {
    const agon__update_plan* p = t->plan;
    const agon__gpu_linear* linear = linear_of(t, layer);
    const int size = agon__element(p->learners.net.mode), several = 16 / size;
    const int channels = agon__update_pad(linear->fold.channels);
    const agon__operand columns = inputs_operand(t, layer, s);
    agon__fold_args args = {.mode = p->learners.net.mode,
                            .members = t->count,
                            .rows = s.rows,
                            .points = linear->points,
                            .in = linear->in,
                            .stride = columns.stride,
                            .run = layer && linear->fold.channels % several == 0 ? several : 1,
                            .fold = linear->fold,
                            .channels = channels,
                            .columns = (char*)columns.base,
                            .columns_group = columns.group,
                            .bend = layer ? bend_of(t, layer - 1) : 0,
                            .seen = layer == 0,
                            .first = s.from,
                            .sights = agon__update_sights(t)};
    if (layer) {
        const int64_t points = (int64_t)linear->fold.rows * linear->fold.cols;
        const agon__operand image =
            rows_operand(p->x[layer], channels, size, p->row_limit * points, s.from * points);
        args.fold.point_step = channels;
        args.image = (char*)image.base;
        args.image_group = image.group;
    }
    return args;
}

static void launch_fold(const teller* t, agon__update_kernel kernel, int items,
                        const agon__fold_args* args) {
    const uint64_t pieces = (uint64_t)agon__fold_pieces(items);
    t->to->launch(t->to->context, kernel,
                  agon__update_blocks((uint64_t)t->count * (uint64_t)args->rows * pieces,
                                      AGON__UPDATE_ROW_WARPS),
                  AGON__UPDATE_ROW_WARPS, 0, args);
}

/* One layer's columns at a time: the last ones of the forward pass are the first that the backward
 * pass wants. */
static void tell_unfold(teller* t, int layer, span s) {
    if (!t->plan->part[layer] || (t->unfolded == layer + 1 && t->from == s.from))
        return;
    const agon__fold_args args = fold_args(t, layer, s);
    launch_fold(t, AGON__UPDATE_UNFOLD, args.points * (args.stride / args.run), &args);
    t->unfolded = layer + 1;
    t->from = s.from;
}

static void tell_fold_back(teller* t, int layer, span s) {
    if (!t->plan->part[layer])
        return;
    const agon__fold_args args = fold_args(t, layer, s);
    launch_fold(t, AGON__UPDATE_FOLD_BACK,
                args.fold.rows * args.fold.cols * (args.channels / args.run), &args);
    t->unfolded = 0; /* slopes took their place */
}

/* ---- memory ------------------------------------------------------------------------------- */

static void tell_remember(const teller* t, int layer, agon__update_kernel kernel) {
    const agon__update_plan* p = t->plan;
    const agon__gpu_rectangles* r = &p->rectangles;
    const agon__gpu_linear* linear = linear_of(t, layer);
    const uint64_t rows = (uint64_t)t->first * (uint64_t)r->rows;
    const agon__remember_args args = {.mode = p->learners.net.mode,
                                      .members = t->count,
                                      .units = linear->out / 2,
                                      .rows = t->rows / r->horizon,
                                      .horizon = r->horizon,
                                      .row_limit = p->row_limit,
                                      .gate_stride = agon__update_pad(linear->out),
                                      .out_stride = agon__update_pad(linear->out / 2),
                                      .gates = p->gates[layer],
                                      .out = p->x[layer + 1],
                                      .slopes = p->gate_slope,
                                      .memory = r->memory + rows * (uint64_t)r->remembered +
                                                linear->memory,
                                      .remembered = r->remembered,
                                      .last = r->last + rows * (uint64_t)r->horizon,
                                      .sights = agon__update_sights(t)};
    const int back = kernel == AGON__UPDATE_REMEMBER_BACK;
    const int width = back ? args.gate_stride - args.units : args.out_stride;
    const uint64_t threads = (uint64_t)t->count * (uint64_t)args.rows * (uint64_t)width;
    t->to->launch(t->to->context, kernel, agon__update_blocks(threads, REMEMBER_WARPS * AGON__WARP),
                  REMEMBER_WARPS, 0, &args);
}

/* ---- all layers --------------------------------------------------------------------------- */

/* The part of a minibatch from a row on that a layer is told of at once. Rows of a product are an
 * int. */
static span span_from(const teller* t, int layer, int from) {
    const int part = t->plan->part[layer], left = t->rows - from;
    const int whole = INT32_MAX / linear_of(t, layer)->points / AGON__TILE_K * AGON__TILE_K;
    const int most = part ? part : whole;
    return (span){from, most < left ? most : left};
}

void agon__update_forward(teller* t) {
    for (int i = 0; i < t->plan->learners.net.layers; i++) {
        for (span s = span_from(t, i, 0); s.rows > 0; s = span_from(t, i, s.from + s.rows)) {
            tell_unfold(t, i, s);
            tell_layer(t, i, s);
        }
        if (linear_of(t, i)->kind == AGON_MINGRU)
            tell_remember(t, i, AGON__UPDATE_REMEMBER);
    }
}

void agon__update_backward(teller* t) {
    for (int i = t->plan->learners.net.layers - 1; i >= 0; i--) {
        if (linear_of(t, i)->kind == AGON_MINGRU)
            tell_remember(t, i, AGON__UPDATE_REMEMBER_BACK);
        for (span s = span_from(t, i, 0); s.rows > 0; s = span_from(t, i, s.from + s.rows)) {
            tell_unfold(t, i, s);
            tell_grads(t, i, s);
            if (i > 0) {
                tell_slopes(t, i, s);
                tell_fold_back(t, i, s);
            }
        }
    }
}
