/* forward_wide.h: nets that do not fit into a block, and those with convolutions or minGRU layers:
 * one layer per kernel, then the choice.
 *
 * A block computes a tile of (rows, cols) of a layer's outputs: parts of inputs and weights along
 * the reduction are staged in shared memory one after another, and sums wait there meanwhile. Of a
 * convolution a row is a point of a slot's image.
 *
 * Per row and layer: 2 * in * out FLOP. From memory, per tile: (rows + cols) * in elements; inputs
 * and outputs of hidden layers stay in the L2 cache where they fit. */
#ifndef AGON_CUDA_FORWARD_WIDE_H
#define AGON_CUDA_FORWARD_WIDE_H

#include "cuda/forward_conv.h"

/* What is made of the sums; constants, for which there are kernels of their own. */
enum { AGON__WIDE_DENSE, AGON__WIDE_CONV, AGON__WIDE_CELL };

/* The walk over a call's slots, or those of the pass. */
AGON_KERNEL_FN agon__walk agon__wide_walk(agon__block* b, const agon__forward_args* a, int points,
                                          int times) {
    const agon__walk walk = {a->call.start,
                             a->call.count,
                             a->call.groups,
                             a->cut.rows,
                             times,
                             points,
                             a->from,
                             a->to,
                             0,
                             0,
                             0};
    return agon__walk_open(b, walk);
}

/* The part of the weights of a tile of which all rows are neighbours; half 1: of g. */
AGON_KERNEL_FN void agon__wide_weights(const int mode, agon__block* b, const agon__forward_args* a,
                                       const agon__wide_tile* t, int from, int pieces, int stride,
                                       int half, int cols) {
    const agon__gpu_linear* linear = &a->call.net.linear[a->cut.layer];
    const size_t size = (size_t)agon__element(mode), row = (size_t)linear->stride * size;
    const int first = t->col + half * (linear->out / 2), left = linear->rows - first;
    const agon__stage stage = {b->shared + a->cut.weights + (size_t)(half * cols * stride) * size,
                               t->rows.packed + linear->weight + (size_t)first * row +
                                   (size_t)from * size,
                               (size_t)stride * size,
                               row,
                               left < cols ? left : cols,
                               pieces};
    agon__stage_copy(b, &stage);
}

/* Inputs from .. from + depth - 1 of the layer to shared memory. */
AGON_KERNEL_FN void agon__wide_inputs(const int mode, const int kind, agon__block* b,
                                      const agon__forward_args* a, const agon__forward_tile* t,
                                      int from, int depth, int stride) {
    const size_t size = (size_t)agon__element(mode);
    const size_t row = (size_t)a->call.net.linear[a->cut.layer].stride * size;
    char* x = b->shared + a->cut.x[0];
    if (kind == AGON__WIDE_CONV) {
        agon__conv_stage(mode, b, a, t, from, depth, stride);
    } else if (a->in) {
        const agon__stage stage = {x,
                                   (const char*)a->in + (size_t)(t->first - a->from) * row +
                                       (size_t)from * size,
                                   (size_t)stride * size,
                                   row,
                                   t->rows,
                                   depth * (int)size / AGON__PIECE};
        agon__stage_copy(b, &stage);
    } else {
        const agon__inputs in = {t->first, t->rows, from, depth, x, stride};
        agon__inputs_load(mode, b, &a->call, &in);
    }
}

/* Both. */
AGON_KERNEL_FN void agon__wide_stage(const int mode, const int kind, agon__block* b,
                                     const agon__forward_args* a, const agon__wide_tile* t,
                                     int from, int depth, int stride) {
    const int halves = kind == AGON__WIDE_CELL ? 2 : 1;
    agon__wide_inputs(mode, kind, b, a, &t->rows, from, depth, stride);
    AGON__LOOP for (int half = 0; half < halves; half++) {
        agon_apart(b); /* weights lie behind the inputs, those of g behind those of c */
        agon__wide_weights(mode, b, a, t, from, depth * agon__element(mode) / AGON__PIECE, stride,
                           half, t->cols / halves);
    }
}

/* The staged part's terms; of a minGRU, half 0: of c, 1: of g. */
AGON_KERNEL_FN void agon__wide_product(const int mode, const int kind, agon__block* b,
                                       const agon__forward_args* a, const agon__wide_tile* tile,
                                       int depth, int stride, int begins, int ends, int half) {
    const agon__gpu_linear* linear = &a->call.net.linear[a->cut.layer];
    const size_t first = (size_t)(tile->rows.first - a->from);
    const int cols = kind == AGON__WIDE_CELL ? tile->cols / 2 : tile->cols;
    const int from = tile->col + half * (linear->out / 2);
    const int goes = kind == AGON__WIDE_DENSE && ends; /* or is made more of */
    agon__tiles t;
    t.a = b->shared + a->cut.x[0];
    t.b = b->shared + a->cut.weights + (size_t)(half * cols * stride) * (size_t)agon__element(mode);
    t.a_row = t.b_row = stride;
    t.depth = depth;
    t.row_tiles = agon__wide_row_tiles(tile);
    t.col_tiles = cols / AGON__TILE_N;
    /* Biases of padded columns are others', behind them in the net: nobody reads such columns. */
    t.bias = begins ? (const float*)(tile->rows.packed + linear->bias) + from : NULL;
    t.sums = (float*)(b->shared + a->cut.z) + half * cols * t.row_tiles * AGON__TILE_M;
    t.floats = goes && !a->out ? tile->rows.z : NULL;
    t.elements = NULL;
    t.stride = (size_t)a->cut.z_stride;
    if (goes && a->out) {
        t.stride = (size_t)a->call.net.linear[a->cut.layer + 1].stride;
        t.elements = (char*)a->out + first * t.stride * (size_t)agon__element(mode);
    }
    t.rows = tile->rows.rows;
    t.column = tile->col;
    t.width = linear->out;
    t.bend = a->call.net.relu ? AGON__BEND_RELU : AGON__BEND_TANH;
    agon__tiles_product(mode, b, &t);
}

/* All terms of a tile, part after part. Before and after it is a barrier. */
AGON_KERNEL_FN void agon__wide_terms(const int mode, const int kind, agon__block* b,
                                     const agon__forward_args* a, const agon__wide_tile* t) {
    const agon__gpu_linear* linear = &a->call.net.linear[a->cut.layer];
    const int depth = (linear->in + AGON__TILE_K - 1) / AGON__TILE_K * AGON__TILE_K;
    const int stride = a->cut.depth + AGON__PIECE / agon__element(mode);
    const int halves = kind == AGON__WIDE_CELL ? 2 : 1;
    AGON__LOOP for (int k = 0; k < depth; k += a->cut.depth) {
        const int part = depth - k < a->cut.depth ? depth - k : a->cut.depth;
        agon__wide_stage(mode, kind, b, a, t, k, part, stride);
        agon_barrier(b);
        AGON__LOOP for (int half = 0; half < halves; half++) {
            agon_apart(b); /* other sums */
            agon__wide_product(mode, kind, b, a, t, part, stride, k == 0, k + part == depth, half);
        }
        agon_barrier(b);
    }
}

/* The tile of rows and outputs where the walk is; units of a minGRU have two outputs each. */
AGON_KERNEL_FN agon__wide_tile agon__wide_tile_of(const int kind, agon__block* b,
                                                  const agon__forward_args* a,
                                                  const agon__walk* walk, int from) {
    const agon__gpu_linear* linear = &a->call.net.linear[a->cut.layer];
    const int each = kind == AGON__WIDE_CELL ? 2 : 1, step = a->cut.cols / each;
    agon__wide_tile t = {agon__forward_tile_of(b, a, walk),
                         from + (int)(walk->tile % walk->times) * step, a->cut.cols};
    const int units = (linear->out / 2 + AGON__TILE_N - 1) / AGON__TILE_N * AGON__TILE_N;
    const int left = each == 2 ? units - t.col : linear->rows - t.col;
    t.cols = left < step ? left * each : t.cols;
    return t;
}

AGON_KERNEL_FN void agon__wide_body(const int mode, const int kind, agon__block* b,
                                    const agon__forward_args* a) {
    const agon__gpu_linear* linear = &a->call.net.linear[a->cut.layer];
    const int from = kind == AGON__WIDE_DENSE ? agon__forward_from(&a->call, a->cut.layer) : 0;
    const int cols = kind == AGON__WIDE_CELL ? linear->out : linear->rows;
    const int times = (cols - from + a->cut.cols - 1) / a->cut.cols;
    const int points = kind == AGON__WIDE_CONV ? linear->points : 1;
    agon__walk walk = agon__wide_walk(b, a, points, times);
    AGON__LOOP for (; walk.left > 0; agon__walk_on(b, &walk)) {
        const agon__wide_tile t = agon__wide_tile_of(kind, b, a, &walk, from);
        if (kind == AGON__WIDE_CONV) {
            agon__conv_rows(mode, b, a, &t.rows);
            agon_barrier(b);
        }
        agon__wide_terms(mode, kind, b, a, &t);
        if (kind == AGON__WIDE_CONV)
            agon__conv_write(mode, b, a, &t);
        if (kind == AGON__WIDE_CELL)
            agon__cell_write(mode, b, a, &t);
        if (kind != AGON__WIDE_DENSE)
            agon_barrier(b);
    }
}

AGON_KERNEL_FN void agon__kernel_forward_layer_fp32(agon__block* b, const agon__forward_args* a) {
    agon__wide_body(AGON__FP32, AGON__WIDE_DENSE, b, a);
}
AGON_KERNEL_FN void agon__kernel_forward_layer_tf32(agon__block* b, const agon__forward_args* a) {
    agon__wide_body(AGON__TF32, AGON__WIDE_DENSE, b, a);
}
AGON_KERNEL_FN void agon__kernel_forward_layer_bf16(agon__block* b, const agon__forward_args* a) {
    agon__wide_body(AGON__BF16, AGON__WIDE_DENSE, b, a);
}
AGON_KERNEL_FN void agon__kernel_forward_conv_fp32(agon__block* b, const agon__forward_args* a) {
    agon__wide_body(AGON__FP32, AGON__WIDE_CONV, b, a);
}
AGON_KERNEL_FN void agon__kernel_forward_conv_tf32(agon__block* b, const agon__forward_args* a) {
    agon__wide_body(AGON__TF32, AGON__WIDE_CONV, b, a);
}
AGON_KERNEL_FN void agon__kernel_forward_conv_bf16(agon__block* b, const agon__forward_args* a) {
    agon__wide_body(AGON__BF16, AGON__WIDE_CONV, b, a);
}
AGON_KERNEL_FN void agon__kernel_forward_cell_fp32(agon__block* b, const agon__forward_args* a) {
    agon__wide_body(AGON__FP32, AGON__WIDE_CELL, b, a);
}
AGON_KERNEL_FN void agon__kernel_forward_cell_tf32(agon__block* b, const agon__forward_args* a) {
    agon__wide_body(AGON__TF32, AGON__WIDE_CELL, b, a);
}
AGON_KERNEL_FN void agon__kernel_forward_cell_bf16(agon__block* b, const agon__forward_args* a) {
    agon__wide_body(AGON__BF16, AGON__WIDE_CELL, b, a);
}

/* Everything that is wanted of logits and values in scratch. */
AGON_KERNEL_FN void agon__kernel_choose(agon__block* b, const agon__forward_args* a) {
    agon__walk walk = agon__wide_walk(b, a, 1, 1);
    AGON__LOOP for (; walk.left > 0; agon__walk_on(b, &walk)) {
        const agon__forward_tile t = agon__forward_tile_of(b, a, &walk);
        agon__choose_rows(b, &a->call, t.group, t.first, t.rows, t.z, (size_t)a->cut.z_stride);
        agon_apart(b); /* other rows */
    }
}

#endif
