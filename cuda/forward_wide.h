/* forward_wide.h: nets that do not fit into a block, one layer per kernel, then the choice.
 *
 * A block computes a tile of (rows, cols) of a layer's outputs: parts of inputs and weights along
 * the reduction are staged in shared memory one after another, and sums wait there meanwhile.
 *
 * Per row and layer: 2 * in * out FLOP. From memory, per tile: (rows + cols) * in elements; inputs
 * and outputs of hidden layers stay in the L2 cache where they fit. */
#ifndef AGON_CUDA_FORWARD_WIDE_H
#define AGON_CUDA_FORWARD_WIDE_H

#include "cuda/forward_kernel.h"

/* What a block is at: a tile of rows, and outputs col .. col + cols - 1 of the layer. */
typedef struct agon__wide_tile {
    agon__forward_tile rows;
    int col, cols;
} agon__wide_tile;

/* Inputs and weights from .. from + depth - 1 of the layer to shared memory. */
AGON_KERNEL_FN void agon__wide_stage(const int mode, agon__block* b, const agon__forward_args* a,
                                     const agon__wide_tile* t, int from, int depth, int stride) {
    const agon__gpu_linear* linear = &a->call.net.linear[a->cut.layer];
    const size_t size = (size_t)agon__element(mode), row = (size_t)linear->stride * size;
    const size_t to_row = (size_t)stride * size, skip = (size_t)from * size;
    const int pieces = depth * (int)size / AGON__PIECE;
    char* x = b->shared + a->cut.x[0];
    if (a->in) {
        const agon__stage stage = {x,
                                   (const char*)a->in + (size_t)t->rows.first * row + skip,
                                   to_row,
                                   row,
                                   t->rows.rows,
                                   pieces};
        agon__stage_copy(b, &stage);
    } else {
        const agon__inputs in = {t->rows.first, t->rows.rows, from, depth, x, stride};
        agon__inputs_load(mode, b, &a->call, &in);
    }
    agon_apart(b); /* weights lie behind the inputs */
    const agon__stage stage = {b->shared + a->cut.weights,
                               t->rows.packed + linear->weight + (size_t)t->col * row + skip,
                               to_row,
                               row,
                               t->cols,
                               pieces};
    agon__stage_copy(b, &stage);
}

/* The staged part's terms. */
AGON_KERNEL_FN void agon__wide_product(const int mode, agon__block* b, const agon__forward_args* a,
                                       const agon__wide_tile* tile, int depth, int stride,
                                       int begins, int ends) {
    const agon__gpu_linear* linear = &a->call.net.linear[a->cut.layer];
    const size_t first = (size_t)tile->rows.first;
    agon__tiles t;
    t.a = b->shared + a->cut.x[0];
    t.b = b->shared + a->cut.weights;
    t.a_row = t.b_row = stride;
    t.depth = depth;
    t.row_tiles = (tile->rows.rows + AGON__TILE_M - 1) / AGON__TILE_M;
    t.col_tiles = tile->cols / AGON__TILE_N;
    t.bias = begins ? (const float*)(tile->rows.packed + linear->bias) + tile->col : NULL;
    t.sums = (float*)(b->shared + a->cut.z);
    t.floats = ends && !a->out ? tile->rows.z : NULL;
    t.elements = NULL;
    t.stride = (size_t)a->cut.z_stride;
    if (ends && a->out) {
        t.stride = (size_t)a->call.net.linear[a->cut.layer + 1].stride;
        t.elements = (char*)a->out + first * t.stride * (size_t)agon__element(mode);
    }
    t.rows = tile->rows.rows;
    t.column = tile->col;
    t.width = linear->out;
    t.bend = a->call.net.relu ? AGON__BEND_RELU : AGON__BEND_TANH;
    agon__tiles_product(mode, b, &t);
}

AGON_KERNEL_FN void agon__wide_body(const int mode, agon__block* b, const agon__forward_args* a) {
    const agon__gpu_linear* linear = &a->call.net.linear[a->cut.layer];
    const int from = agon__forward_from(&a->call, a->cut.layer);
    const int times = (linear->rows - from + a->cut.cols - 1) / a->cut.cols;
    const int depth = (linear->in + AGON__TILE_K - 1) / AGON__TILE_K * AGON__TILE_K;
    const int stride = a->cut.depth + AGON__PIECE / agon__element(mode);
    agon__walk walk = agon__walk_open(b, a->call.count, a->call.groups, a->cut.rows, times);
    AGON__LOOP for (; walk.left > 0; agon__walk_on(b, &walk)) {
        agon__wide_tile t = {agon__forward_tile_of(b, a, &walk),
                             from + (int)(walk.tile % times) * a->cut.cols, a->cut.cols};
        t.cols = linear->rows - t.col < t.cols ? linear->rows - t.col : t.cols;
        AGON__LOOP for (int k = 0; k < depth; k += a->cut.depth) {
            const int part = depth - k < a->cut.depth ? depth - k : a->cut.depth;
            agon__wide_stage(mode, b, a, &t, k, part, stride);
            agon_barrier(b);
            agon__wide_product(mode, b, a, &t, part, stride, k == 0, k + part == depth);
            agon_barrier(b);
        }
    }
}

AGON_KERNEL_FN void agon__kernel_forward_layer_fp32(agon__block* b, const agon__forward_args* a) {
    agon__wide_body(AGON__FP32, b, a);
}
AGON_KERNEL_FN void agon__kernel_forward_layer_tf32(agon__block* b, const agon__forward_args* a) {
    agon__wide_body(AGON__TF32, b, a);
}
AGON_KERNEL_FN void agon__kernel_forward_layer_bf16(agon__block* b, const agon__forward_args* a) {
    agon__wide_body(AGON__BF16, b, a);
}

/* Everything that is wanted of logits and values in scratch. */
AGON_KERNEL_FN void agon__kernel_choose(agon__block* b, const agon__forward_args* a) {
    agon__walk walk = agon__walk_open(b, a->call.count, a->call.groups, a->cut.rows, 1);
    AGON__LOOP for (; walk.left > 0; agon__walk_on(b, &walk)) {
        const agon__forward_tile t = agon__forward_tile_of(b, a, &walk);
        agon__choose_rows(b, &a->call, t.group, t.first, t.rows, t.z, (size_t)a->cut.z_stride);
        agon_apart(b); /* other rows */
    }
}

#endif
