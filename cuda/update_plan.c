/* update_plan.c: the launches of an update, and the memory that they work in. */
#include "cuda/update_layers.h"

#include "agents/net.h"
#include "cuda/carve.h"
#include "cuda/kernels.h"

#include <assert.h>

typedef agon__update_teller teller;

enum { PART = 64 }; /* of the work: columns of one member */

static uint64_t entries_of(const agon__update_plan* p) {
    return (uint64_t)p->rectangles.rows * (uint64_t)p->rectangles.horizon;
}

/* Entries that minibatches are not cut within: those of a row, where nets remember. */
static int entries_each(const agon__update_plan* p) {
    return p->learners.net.memory ? p->rectangles.horizon : 1;
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
        [AGON__UPDATE_MORE_GRADS] = PRODUCT("more_grads"),
        [AGON__UPDATE_FIRST_GRADS] = PRODUCT("first_grads"),
        [AGON__UPDATE_UNFOLD] = ANY("unfold"),
        [AGON__UPDATE_FOLD_BACK] = ANY("fold_back"),
        [AGON__UPDATE_REMEMBER] = ANY("remember"),
        [AGON__UPDATE_REMEMBER_BACK] = ANY("remember_back"),
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

/* What the layers work in: their outputs, gates of those that remember, and columns of those that
 * fold, one layer's at a time. */
static void lay_layers(agon__update_plan* p, agon__carver* c) {
    const agon__gpu_net* net = &p->learners.net;
    const size_t slice = (size_t)p->slice, rows = slice * (size_t)p->row_limit;
    const size_t element = (size_t)agon__element(net->mode);
    size_t gates = 0, columns = 0;
    for (int i = 0; i < net->layers; i++) {
        const agon__gpu_linear* linear = &net->linear[i];
        const size_t bytes = (size_t)p->part[i] * agon__update_columns(net, i);
        const size_t out = (size_t)agon__update_pad(linear->out);
        const int units = linear->kind == AGON_MINGRU ? linear->out / 2 : linear->out;
        columns = columns < bytes ? bytes : columns;
        if (linear->kind == AGON_MINGRU) {
            gates = gates < out ? out : gates;
            p->gates[i] = carve(c, rows * out, sizeof(float));
        }
        if (i + 1 < net->layers)
            p->x[i + 1] =
                carve(c, rows * (size_t)linear->points * (size_t)agon__update_pad(units), element);
    }
    if (gates)
        p->gate_slope = carve(c, rows * gates, element);
    if (columns)
        p->columns = carve(c, slice, columns);
}

static void lay_slice(agon__update_plan* p, agon__carver* c) {
    const agon__gpu_net* net = &p->learners.net;
    const size_t slice = (size_t)p->slice, rows = slice * (size_t)p->row_limit;
    const size_t head = (size_t)agon__update_pad(net->actions + 1);
    p->index = carve(c, slice * (size_t)p->epochs * entries_of(p), sizeof *p->index);
    lay_layers(p, c);
    p->head = carve(c, rows * head, sizeof *p->head);
    p->slope = carve(c, rows * head, (size_t)agon__element(net->mode));
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

/* Rows that are unfolded at once: all, or as many as PART of the work has room for. Gradients of
 * one part go on from those of the part before, as if there were one; so a part's depth is a
 * multiple of what tensor cores add at once. */
static void cut_columns(agon__update_plan* p, size_t work) {
    for (int i = 0; i < p->learners.net.layers; i++) {
        const size_t row = agon__update_columns(&p->learners.net, i);
        const size_t most = row ? work / PART / row / AGON__TILE_K * AGON__TILE_K : 0;
        const int part = most < AGON__TILE_K           ? AGON__TILE_K
                         : most < (size_t)p->row_limit ? (int)most
                                                       : p->row_limit;
        p->part[i] = row ? (part < p->row_limit ? part : p->row_limit) : 0;
    }
}

agon__update_plan agon__update_plan_of(const agon__gpu_learners* learners,
                                       const agon__gpu_rectangles* rectangles, int epochs,
                                       int minibatches, size_t work) {
    agon__update_plan p = {.learners = *learners,
                           .rectangles = *rectangles,
                           .epochs = epochs,
                           .minibatches = minibatches};
    const uint64_t each = (uint64_t)entries_each(&p), parts = (uint64_t)minibatches;
    const uint64_t entries = entries_of(&p), units = entries / each;
    assert(epochs >= 1 && minibatches >= 1 && parts <= units && entries <= INT32_MAX);
    p.row_limit = (int)((units + parts - 1) / parts * each);
    cut_columns(&p, work);
    p.slice = slice_of(&p, work);
    return p;
}

/* ---- a minibatch -------------------------------------------------------------------------- */

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
        .stride = agon__update_pad(p->learners.net.actions + 1),
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
        .sights = agon__update_sights(t),
    };
    t->to->launch(
        t->to->context, AGON__UPDATE_LOSS,
        agon__update_blocks((uint64_t)t->count * (uint64_t)t->rows, AGON__UPDATE_ROW_WARPS),
        AGON__UPDATE_ROW_WARPS, 0, &args);
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
static void tell_gradient(teller* t) {
    const agon__adam_args args = adam_args(t);
    t->unfolded = 0;
    agon__update_forward(t);
    tell_loss(t);
    agon__update_backward(t);
    t->to->launch(t->to->context, AGON__UPDATE_SQUARES,
                  agon__update_blocks((uint64_t)t->count * (uint64_t)args.segments, 1),
                  AGON__ADAM_WARPS, AGON__ADAM_WARPS * AGON__WARP * sizeof(double), &args);
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
                  agon__update_blocks((uint64_t)t->count * (uint64_t)args.segments, 1),
                  AGON__ADAM_WARPS, 0, &args);
    t->to->launch(t->to->context, AGON__UPDATE_PACK,
                  agon__update_blocks((uint64_t)t->count * rows, AGON__UPDATE_ROW_WARPS),
                  AGON__UPDATE_ROW_WARPS, 0, &pack);
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
    t->to->launch(t->to->context, AGON__UPDATE_ADVANTAGE, agon__update_blocks(rows, AGON__WARP), 1,
                  0, &args);
    t->to->launch(t->to->context, AGON__UPDATE_NORMALISE, t->count, AGON__NORMALISE_WARPS,
                  AGON__NORMALISE_SHARED, &args);
}

static void tell_shuffle(const teller* t) {
    const agon__update_plan* p = t->plan;
    const uint32_t each = (uint32_t)entries_each(p), count = (uint32_t)entries_of(p) / each;
    agon__shuffle_args args = {.members = t->count,
                               .epochs = p->epochs,
                               .minibatches = p->minibatches,
                               .count = count,
                               .each = each,
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
    const uint64_t each = (uint64_t)entries_each(p), units = entries / each;
    tell_advantages(t);
    tell_shuffle(t);
    for (t->step = 0; t->step < p->epochs * p->minibatches; t->step++) {
        const uint64_t epoch = (uint64_t)t->step / parts, part = (uint64_t)t->step % parts;
        const uint64_t from = units * part / parts * each, to = units * (part + 1) / parts * each;
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
    assert(count <= p->slice && rows >= 1 && rows <= p->row_limit && rows % entries_each(p) == 0);
    teller t = {
        .plan = p, .to = to, .first = first, .count = count, .index = p->index, .rows = rows};
    tell_gradient(&t);
}
