/* update_plan.c: the launches of an update, and the memory that they work in. */
#include "cuda/update_plan.h"

#include "cuda/carve.h"
#include "cuda/kernels.h"
#include "games/agon_game.h"

#include <assert.h>

enum { BLOCKS_MOST = 1 << 20, ROW_WARPS = 8 };

/* A slice while its launches are told. */
typedef struct teller {
    const agon__update_plan* plan;
    const agon__launcher* to;
    int first, count;      /* members */
    const uint32_t* index; /* (count, epochs * entries), the minibatch's rows first */
    int rows;              /* of the minibatch */
    int step;              /* which minibatch of the update */
} teller;

static uint64_t entries_of(const agon__update_plan* p) {
    return (uint64_t)p->rectangles.rows * (uint64_t)p->rectangles.horizon;
}

static int pad(int width) {
    return (width + AGON__TILE_K - 1) / AGON__TILE_K * AGON__TILE_K;
}

static int segments_of(const agon__update_plan* p) {
    return (int)((p->learners.net.params + AGON__ADAM_SEGMENT - 1) / AGON__ADAM_SEGMENT);
}

#define PRODUCT(NAME)                                                                              \
    { "product_" NAME "_fp32", "product_" NAME "_tf32", "product_" NAME "_bf16" }
#define ANY(NAME)                                                                                  \
    { NAME, NAME, NAME }

const char* agon__update_kernel_name(agon__update_kernel kernel, int mode) {
    static const char* const names[AGON__UPDATE_KERNELS][3] = {
        [AGON__UPDATE_ADVANTAGE] = ANY("advantage"),
        [AGON__UPDATE_NORMALISE] = ANY("normalise"),
        [AGON__UPDATE_SHUFFLE] = ANY("shuffle"),
        [AGON__UPDATE_LAYER] = PRODUCT("layer"),
        [AGON__UPDATE_FIRST_LAYER] = PRODUCT("first_layer"),
        [AGON__UPDATE_SLOPES] = PRODUCT("slopes"),
        [AGON__UPDATE_GRADS] = PRODUCT("grads"),
        [AGON__UPDATE_FIRST_GRADS] = PRODUCT("first_grads"),
        [AGON__UPDATE_LOSS] = ANY("loss"),
        [AGON__UPDATE_SQUARES] = ANY("squares"),
        [AGON__UPDATE_SETTLE] = ANY("settle"),
        [AGON__UPDATE_ADAM] = ANY("adam"),
        [AGON__UPDATE_PACK] = ANY("pack"),
    };
    return names[kernel][mode];
}

/* ---- memory ------------------------------------------------------------------------------- */

static void* carve(agon__carver* c, size_t count, size_t size) {
    return agon__carve(c, count * size);
}

static void lay_slice(agon__update_plan* p, agon__carver* c) {
    const agon__gpu_net* net = &p->learners.net;
    const size_t slice = (size_t)p->slice, rows = slice * (size_t)p->row_limit;
    const size_t element = (size_t)agon__element(net->mode);
    const size_t head = (size_t)pad(net->actions + 1);
    p->index = carve(c, slice * (size_t)p->epochs * entries_of(p), sizeof *p->index);
    for (int i = 1; i < net->layers; i++)
        p->x[i] = carve(c, rows * (size_t)pad(net->linear[i].in), element);
    p->head = carve(c, rows * head, sizeof *p->head);
    p->slope = carve(c, rows * head, element);
    p->row_stats = carve(c, rows * AGON__ROW_STATS, sizeof *p->row_stats);
    p->squares = carve(c, slice * (size_t)segments_of(p), sizeof *p->squares);
    p->scale = carve(c, slice, sizeof *p->scale);
}

size_t agon__update_lay_out(agon__update_plan* p, char* base) {
    const size_t members = (size_t)p->learners.count;
    agon__carver c = {base, 0};
    p->member = carve(&c, members, sizeof *p->member);
    p->correct = carve(&c, members * (size_t)(p->epochs * p->minibatches), 2 * sizeof(float));
    lay_slice(p, &c);
    return c.used;
}

static int slice_of(const agon__update_plan* p, size_t work) {
    agon__update_plan one = *p;
    agon__carver c = {NULL, 0};
    one.slice = 1;
    lay_slice(&one, &c);
    const size_t most = work / c.used;
    return most < 1 ? 1 : most < (size_t)p->learners.count ? (int)most : p->learners.count;
}

agon__update_plan agon__update_plan_of(const agon__gpu_learners* learners,
                                       const agon__gpu_rectangles* rectangles, int epochs,
                                       int minibatches, size_t work) {
    agon__update_plan p = {.learners = *learners,
                           .rectangles = *rectangles,
                           .epochs = epochs,
                           .minibatches = minibatches};
    const uint64_t parts = (uint64_t)minibatches, entries = entries_of(&p);
    assert(epochs >= 1 && minibatches >= 1 && parts <= entries && entries <= INT32_MAX);
    p.row_limit = (int)((entries + parts - 1) / parts);
    p.slice = slice_of(&p, work);
    return p;
}

/* ---- a minibatch -------------------------------------------------------------------------- */

static int blocks_for(uint64_t work, uint64_t per_block) {
    const uint64_t blocks = (work + per_block - 1) / per_block;
    return (int)(blocks < BLOCKS_MOST ? blocks : BLOCKS_MOST);
}

static agon__sights sights_of(const teller* t) {
    const agon__gpu_rectangles* r = &t->plan->rectangles;
    const uint64_t entries = entries_of(t->plan), first = (uint64_t)t->first * entries;
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

/* Rows (row_limit, pad) of elements, each member's. */
static agon__operand rows_operand(const teller* t, const char* base, int width) {
    const int stride = pad(width), element = agon__element(t->plan->learners.net.mode);
    return (agon__operand){.base = base,
                           .group = (uint64_t)t->plan->row_limit * (uint64_t)(stride * element),
                           .stride = stride};
}

static agon__operand weights_operand(const teller* t, int layer) {
    const agon__gpu_net* net = &t->plan->learners.net;
    return (agon__operand){.base = t->plan->learners.packed + (uint64_t)t->first * net->bytes +
                                   net->linear[layer].weight,
                           .group = net->bytes,
                           .stride = net->linear[layer].stride};
}

/* Inputs of a layer: outputs of the layer before, or nothing: sights say what the net sees. */
static agon__operand inputs_operand(const teller* t, int layer) {
    if (layer == 0)
        return (agon__operand){0};
    return rows_operand(t, t->plan->x[layer], t->plan->learners.net.linear[layer].in);
}

/* Slopes of a layer's outputs. */
static agon__operand slopes_operand(const teller* t, int layer) {
    const agon__gpu_net* net = &t->plan->learners.net;
    const int last = layer == net->layers - 1;
    return rows_operand(t, last ? t->plan->slope : t->plan->x[layer + 1], net->linear[layer].out);
}

static int shape_of(int rows, int cols) {
    return cols <= 16 ? AGON__SHAPE_NARROW : rows <= 16 ? AGON__SHAPE_FLAT : AGON__SHAPE_SQUARE;
}

static void launch_product(const teller* t, agon__update_kernel kernel, agon__product_args* args) {
    const agon__cut cut = agon__cut_of(args->shape = shape_of(args->rows, args->cols));
    const int down = (args->rows + agon__cut_rows(cut) - 1) / agon__cut_rows(cut);
    const int across = (args->cols + agon__cut_cols(cut) - 1) / agon__cut_cols(cut);
    args->groups = t->count;
    t->to->launch(t->to->context, kernel,
                  blocks_for((uint64_t)t->count * (uint64_t)down * (uint64_t)across, 1),
                  AGON__PRODUCT_WARPS, 2 * (size_t)agon__product_chunk(cut), args);
}

static void tell_layer(const teller* t, int layer) {
    const agon__update_plan* p = t->plan;
    const agon__gpu_net* net = &p->learners.net;
    const agon__gpu_linear* linear = &net->linear[layer];
    const int last = layer == net->layers - 1, out = pad(linear->out);
    const int element = last ? 4 : agon__element(net->mode);
    agon__product_args args = {
        .rows = t->rows,
        .cols = out,
        .depth = linear->in,
        .a = inputs_operand(t, layer),
        .b = weights_operand(t, layer),
        .sights = sights_of(t),
        .end = {.bend = last        ? 0
                        : net->relu ? 1
                                    : 2,
                .out = last ? (char*)p->head : p->x[layer + 1],
                .group = (uint64_t)p->row_limit * (uint64_t)(out * element),
                .stride = out,
                .rows = t->rows,
                .cols = out,
                .floats = last,
                .bias = p->learners.packed + (uint64_t)t->first * net->bytes + linear->bias,
                .bias_group = net->bytes,
                .biases = linear->rows},
    };
    args.a.rows = t->rows;
    args.b.rows = linear->rows;
    args.a.depth = args.b.depth = linear->in;
    launch_product(t, layer ? AGON__UPDATE_LAYER : AGON__UPDATE_FIRST_LAYER, &args);
}

/* Slopes of the inputs of a layer take the place of these inputs, which their gradient has used. */
static void tell_slopes(const teller* t, int layer) {
    const agon__update_plan* p = t->plan;
    const agon__gpu_net* net = &p->learners.net;
    const agon__gpu_linear* linear = &net->linear[layer];
    agon__product_args args = {
        .rows = t->rows,
        .cols = pad(linear->in),
        .depth = linear->out,
        .a = slopes_operand(t, layer),
        .b = weights_operand(t, layer),
    };
    const agon__operand out = inputs_operand(t, layer);
    args.end = (agon__product_end){.bend = net->relu ? 1 : 2,
                                   .out = p->x[layer],
                                   .group = out.group,
                                   .stride = out.stride,
                                   .rows = t->rows,
                                   .cols = args.cols};
    args.a.rows = t->rows;
    args.b.rows = args.cols;
    args.a.depth = args.b.depth = linear->out;
    launch_product(t, AGON__UPDATE_SLOPES, &args);
}

static void tell_grads(const teller* t, int layer) {
    const agon__update_plan* p = t->plan;
    const agon__gpu_net* net = &p->learners.net;
    const agon__gpu_linear* linear = &net->linear[layer];
    float* grads = p->learners.grads + (uint64_t)t->first * p->learners.stride;
    agon__product_args args = {
        .rows = linear->out,
        .cols = linear->in,
        .depth = t->rows,
        .a = slopes_operand(t, layer),
        .b = inputs_operand(t, layer),
        .sights = sights_of(t),
        .end = {.out = (char*)(grads + linear->from_weight),
                .group = p->learners.stride * sizeof(float),
                .stride = linear->in,
                .rows = linear->out,
                .cols = linear->in,
                .apart = layer == net->layers - 1 ? linear->out - 1 : -1,
                .apart_out = grads + net->from_value_weight,
                .sums = grads + linear->from_bias,
                .apart_sum = grads + net->from_value_bias},
    };
    args.a.rows = pad(linear->out);
    args.b.rows = layer == 0 ? linear->in : pad(linear->in);
    args.a.depth = args.b.depth = t->rows;
    launch_product(t, layer ? AGON__UPDATE_GRADS : AGON__UPDATE_FIRST_GRADS, &args);
}

static void tell_loss(const teller* t) {
    const agon__update_plan* p = t->plan;
    const agon__gpu_rectangles* r = &p->rectangles;
    const uint64_t at = (uint64_t)t->first * entries_of(p);
    const agon__loss_args args = {
        .mode = p->learners.net.mode,
        .members = t->count,
        .rows = t->rows,
        .row_limit = p->row_limit,
        .actions = p->learners.net.actions,
        .stride = pad(p->learners.net.actions + 1),
        .head = p->head,
        .slope = p->slope,
        .row_stats = p->row_stats,
        .share = 1.0f / (float)t->rows,
        .mask = r->mask,
        .mask_words = r->mask_words,
        .action = r->action + at,
        .log_probability = r->log_probability + at,
        .advantage = r->advantage + at,
        .target = r->target + at,
        .member = p->member + t->first,
        .sights = sights_of(t),
    };
    t->to->launch(t->to->context, AGON__UPDATE_LOSS,
                  blocks_for((uint64_t)t->count * (uint64_t)t->rows, ROW_WARPS), ROW_WARPS, 0,
                  &args);
}

static agon__adam_args adam_args(const teller* t) {
    const agon__update_plan* p = t->plan;
    const agon__gpu_learners* l = &p->learners;
    const uint64_t at = (uint64_t)t->first * l->stride;
    const int steps = p->epochs * p->minibatches;
    return (agon__adam_args){.members = t->count,
                             .segments = segments_of(p),
                             .count = l->net.params,
                             .stride = l->stride,
                             .params = l->params + at,
                             .moment1 = l->moment1 + at,
                             .moment2 = l->moment2 + at,
                             .grads = l->grads + at,
                             .member = p->member + t->first,
                             .correct = p->correct + 2 * (int64_t)t->first * steps,
                             .step = t->step,
                             .steps = steps,
                             .rows = t->rows,
                             .row_limit = p->row_limit,
                             .row_stats = p->row_stats,
                             .squares = p->squares,
                             .scale = p->scale};
}

/* A minibatch's gradients, their norm, and statistics. */
static void tell_gradient(const teller* t) {
    const int layers = t->plan->learners.net.layers;
    const agon__adam_args args = adam_args(t);
    for (int i = 0; i < layers; i++)
        tell_layer(t, i);
    tell_loss(t);
    for (int i = layers - 1; i >= 0; i--) {
        tell_grads(t, i);
        if (i > 0)
            tell_slopes(t, i);
    }
    t->to->launch(t->to->context, AGON__UPDATE_SQUARES,
                  blocks_for((uint64_t)t->count * (uint64_t)args.segments, 1), AGON__ADAM_WARPS,
                  AGON__ADAM_WARPS * AGON__WARP * sizeof(double), &args);
    t->to->launch(t->to->context, AGON__UPDATE_SETTLE, t->count, AGON__ADAM_WARPS,
                  AGON__SETTLE_SHARED, &args);
}

static void tell_step(const teller* t) {
    const agon__gpu_learners* l = &t->plan->learners;
    const agon__adam_args args = adam_args(t);
    const agon__pack_args pack = {.net = l->net,
                                  .count = t->count,
                                  .stride = l->stride,
                                  .params = l->params + (uint64_t)t->first * l->stride,
                                  .packed = l->packed + (uint64_t)t->first * l->net.bytes};
    uint64_t rows = 0;
    for (int i = 0; i < l->net.layers; i++)
        rows += (uint64_t)l->net.linear[i].rows;
    t->to->launch(t->to->context, AGON__UPDATE_ADAM,
                  blocks_for((uint64_t)t->count * (uint64_t)args.segments, 1), AGON__ADAM_WARPS, 0,
                  &args);
    t->to->launch(t->to->context, AGON__UPDATE_PACK,
                  blocks_for((uint64_t)t->count * rows, ROW_WARPS), ROW_WARPS, 0, &pack);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void tell_advantages(const teller* t) {
    const agon__gpu_rectangles* r = &t->plan->rectangles;
    const uint64_t at = (uint64_t)t->first * entries_of(t->plan);
    const uint64_t rows = (uint64_t)t->count * (uint64_t)r->rows;
    const agon__advantage_args args = {
        .members = t->count,
        .rows = r->rows,
        .horizon = r->horizon,
        .member = t->plan->member + t->first,
        .value = r->value + at,
        .reward = r->reward + at,
        .last = r->last + at,
        .bootstrap = r->bootstrap + (uint64_t)t->first * (uint64_t)r->rows,
        .advantage = r->advantage + at,
        .target = r->target + at,
    };
    t->to->launch(t->to->context, AGON__UPDATE_ADVANTAGE, blocks_for(rows, AGON__WARP), 1, 0,
                  &args);
    t->to->launch(t->to->context, AGON__UPDATE_NORMALISE, t->count, AGON__NORMALISE_WARPS,
                  AGON__NORMALISE_SHARED, &args);
}

static void tell_shuffle(const teller* t) {
    const agon__update_plan* p = t->plan;
    const uint32_t count = (uint32_t)entries_of(p);
    agon__shuffle_args args = {.members = t->count,
                               .epochs = p->epochs,
                               .minibatches = p->minibatches,
                               .count = count,
                               .width = count <= 65536 ? 2 : 4,
                               .member = p->member + t->first,
                               .index = p->index};
    size_t shared = AGON__SHUFFLE_SHARED + (size_t)count * (size_t)args.width;
    if (shared > p->shared) {
        args.width = 0;
        shared = AGON__SHUFFLE_SHARED;
    }
    t->to->launch(t->to->context, AGON__UPDATE_SHUFFLE, t->count * p->epochs, 1, shared, &args);
}

static void tell_slice(teller* t) {
    const agon__update_plan* p = t->plan;
    const uint64_t entries = entries_of(p), parts = (uint64_t)p->minibatches;
    tell_advantages(t);
    tell_shuffle(t);
    for (t->step = 0; t->step < p->epochs * p->minibatches; t->step++) {
        const uint64_t epoch = (uint64_t)t->step / parts, part = (uint64_t)t->step % parts;
        const uint64_t from = entries * part / parts, to = entries * (part + 1) / parts;
        t->index = p->index + epoch * entries + from;
        t->rows = (int)(to - from);
        tell_gradient(t);
        tell_step(t);
    }
}

void agon__update_launch(const agon__update_plan* p, const agon__launcher* to) {
    for (int first = 0; first < p->learners.count; first += p->slice) {
        const int left = p->learners.count - first;
        teller t = {
            .plan = p, .to = to, .first = first, .count = left < p->slice ? left : p->slice};
        tell_slice(&t);
    }
}

void agon__update_launch_gradient(const agon__update_plan* p, int first, int count, int rows,
                                  const agon__launcher* to) {
    assert(count <= p->slice && rows >= 1 && rows <= p->row_limit);
    const teller t = {
        .plan = p, .to = to, .first = first, .count = count, .index = p->index, .rows = rows};
    tell_gradient(&t);
}
