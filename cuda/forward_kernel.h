/* forward_kernel.h: whole nets over rows of many groups, from observations to actions, in one
 * kernel; one of its own for nets with minGRU layers (`cells`). Convolutions are not for it.
 *
 * A block takes a tile of rows of one group through all layers: activations go to and fro between
 * two arrays in shared memory, weights are staged there, whole nets for as long as the block stays
 * with one (`resident`), or some outputs of a layer at a time. What comes out of a minGRU's linear
 * map waits where the logits will lie.
 *
 * Per row and layer: 2 * in * out FLOP. From memory, per row, once: the observation, the mask, and
 * what is written; per tile of rows the net, or, resident, per block and net. A net of
 * 126-128-128-7 is 66 kFLOP and some 200 bytes per row, and 73 KB per net in bfloat16. */
#ifndef AGON_CUDA_FORWARD_KERNEL_H
#define AGON_CUDA_FORWARD_KERNEL_H

#include "agents/net.h"
#include "cuda/choose_kernel.h"
#include "cuda/forward_cell.h"
#include "cuda/forward_inputs.h"
#include "cuda/forward_walk.h"

/* The block's tile: rows of a group from slot `first` on, of an image from its `point` on, and
 * where its logits lie. */
typedef struct agon__forward_tile {
    int group, first, point, rows;
    const char* packed;
    float* z;
} agon__forward_tile;

AGON_KERNEL_FN agon__forward_tile agon__forward_tile_of(agon__block* b, const agon__forward_args* a,
                                                        const agon__walk* walk) {
    const int tile = (int)(walk->tile / walk->times) * walk->rows;
    const int left = agon__walk_slots(walk, walk->group) * walk->points - tile;
    agon__forward_tile t;
    t.group = walk->group;
    t.first = agon__walk_first(walk, walk->group) + tile / walk->points;
    t.point = tile % walk->points;
    t.rows = left < walk->rows ? left : walk->rows;
    t.packed = (const char*)a->call.packed[walk->group];
    t.z = a->z ? a->z + (size_t)(t.first - a->from) * (size_t)a->cut.z_stride
               : (float*)(b->shared + a->cut.z);
    return t;
}

/* The first output of the last layer that is wanted: the value is its last. */
AGON_KERNEL_FN int agon__forward_from(const agon__gpu_forward* c, int layer) {
    const int policy = c->logits || c->probability || c->action || c->log_probability;
    if (layer < c->net.layers - 1 || policy)
        return 0;
    return c->net.actions / AGON__TILE_N * AGON__TILE_N;
}

/* Outputs col .. col + cols - 1 of a layer, whose weights are staged. */
AGON_KERNEL_FN void agon__forward_product(const int mode, const int cells, agon__block* b,
                                          const agon__forward_args* a,
                                          const agon__forward_tile* tile, int layer, int col,
                                          int cols) {
    const agon__gpu_linear* linear = &a->call.net.linear[layer];
    const int resident = a->cut.resident;
    const int ends = layer == a->call.net.layers - 1 || (cells && linear->kind == (int)AGON_MINGRU);
    const size_t row = (size_t)linear->stride * (size_t)agon__element(mode);
    const char* weights = b->shared + a->cut.weights;
    agon__tiles t;
    t.a = b->shared + a->cut.x[layer & 1];
    t.b = resident ? weights + linear->weight + (size_t)col * row : weights;
    t.a_row = t.b_row = linear->stride;
    t.depth = (linear->in + AGON__TILE_K - 1) / AGON__TILE_K * AGON__TILE_K;
    t.row_tiles = (tile->rows + AGON__TILE_M - 1) / AGON__TILE_M;
    t.col_tiles = cols / AGON__TILE_N;
    t.bias = (const float*)((resident ? weights : tile->packed) + linear->bias) + col;
    t.sums = NULL;
    t.floats = ends ? tile->z : NULL;
    t.elements = ends ? NULL : b->shared + a->cut.x[~layer & 1];
    t.stride = (size_t)(ends ? a->cut.z_stride : a->call.net.linear[layer + 1].stride);
    t.rows = tile->rows;
    t.column = col;
    t.width = linear->out;
    t.bend = a->call.net.relu ? AGON__BEND_RELU : AGON__BEND_TANH;
    agon__tiles_product(mode, b, &t);
}

/* A phase: what a minGRU makes of its c and g, and the slots' memories. */
AGON_KERNEL_FN void agon__forward_cells(const int mode, agon__block* b, const agon__forward_args* a,
                                        const agon__forward_tile* tile, int layer) {
    const agon__gpu_linear* linear = &a->call.net.linear[layer];
    const int units = linear->out / 2, row = a->call.net.linear[layer + 1].stride;
    char* x = b->shared + a->cut.x[~layer & 1];
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            AGON__LOOP for (int i = w * AGON__WARP + l; i < tile->rows * units;
                            i += b->warps * AGON__WARP) {
                const int r = i / units, c = i % units;
                const float* z = tile->z + (size_t)r * (size_t)a->cut.z_stride;
                const float m =
                    agon__cell_step(&a->call, linear, tile->first + r, c, z[c], z[units + c]);
                agon__put(mode, x, (size_t)(r * row + c), m);
                if (c + 1 == units)
                    agon__elements_end(mode, x, (size_t)(r * row), units);
            }
        }
    }
}

/* One layer of a tile. Its inputs, and a resident net, have been put in place, not yet seen. */
AGON_KERNEL_FN void agon__forward_layer(const int mode, const int cells, agon__block* b,
                                        const agon__forward_args* a, const agon__forward_tile* tile,
                                        int layer) {
    const agon__gpu_linear* linear = &a->call.net.linear[layer];
    const size_t row = (size_t)linear->stride * (size_t)agon__element(mode);
    const int from = agon__forward_from(&a->call, layer), most = (int)((size_t)a->cut.room / row);
    const int step = a->cut.resident ? linear->rows : most / AGON__TILE_N * AGON__TILE_N;
    AGON__LOOP for (int col = from; col < linear->rows; col += step) {
        const int left = linear->rows - col, cols = left < step ? left : step;
        if (!a->cut.resident) {
            const int pieces = (int)((size_t)cols * row / AGON__PIECE);
            const agon__stage stage = {b->shared + a->cut.weights,
                                       tile->packed + linear->weight + (size_t)col * row,
                                       0,
                                       0,
                                       1,
                                       pieces};
            agon__stage_copy(b, &stage);
        }
        agon_barrier(b);
        agon__forward_product(mode, cells, b, a, tile, layer, col, cols);
        agon_barrier(b);
    }
    if (cells && linear->kind == (int)AGON_MINGRU) {
        agon__forward_cells(mode, b, a, tile, layer);
        agon_barrier(b);
    }
}

AGON_KERNEL_FN void agon__forward_body(const int mode, const int cells, agon__block* b,
                                       const agon__forward_args* a) {
    const agon__gpu_forward* c = &a->call;
    const agon__gpu_linear* first = &c->net.linear[0];
    const int depth = (first->in + AGON__TILE_K - 1) / AGON__TILE_K * AGON__TILE_K;
    const char* held = NULL; /* the net that is resident */
    const agon__walk all = {c->start, c->count, c->groups, a->cut.rows, 1, 1, 0, 0, 0, 0, 0};
    agon__walk walk = agon__walk_open(b, all);
    AGON__LOOP for (; walk.left > 0; agon__walk_on(b, &walk)) {
        const agon__forward_tile tile = agon__forward_tile_of(b, a, &walk);
        const agon__inputs in = {tile.first,   tile.rows, 0, depth, b->shared + a->cut.x[0],
                                 first->stride};
        agon__inputs_load(mode, b, c, &in);
        agon_apart(b); /* weights are staged elsewhere */
        if (a->cut.resident && held != tile.packed) {
            const agon__stage stage = {b->shared + a->cut.weights,       tile.packed, 0, 0, 1,
                                       (int)(c->net.bytes / AGON__PIECE)};
            agon__stage_copy(b, &stage);
            held = tile.packed;
        }
        AGON__LOOP for (int layer = 0; layer < c->net.layers; layer++)
            agon__forward_layer(mode, cells, b, a, &tile, layer);
        agon__choose_rows(b, c, tile.group, tile.first, tile.rows, tile.z, (size_t)a->cut.z_stride);
        agon_apart(b); /* logits lie by themselves, and are written after other barriers */
    }
}

AGON_KERNEL_FN void agon__kernel_forward_fp32(agon__block* b, const agon__forward_args* a) {
    agon__forward_body(AGON__FP32, 0, b, a);
}
AGON_KERNEL_FN void agon__kernel_forward_tf32(agon__block* b, const agon__forward_args* a) {
    agon__forward_body(AGON__TF32, 0, b, a);
}
AGON_KERNEL_FN void agon__kernel_forward_bf16(agon__block* b, const agon__forward_args* a) {
    agon__forward_body(AGON__BF16, 0, b, a);
}
AGON_KERNEL_FN void agon__kernel_forward_cells_fp32(agon__block* b, const agon__forward_args* a) {
    agon__forward_body(AGON__FP32, 1, b, a);
}
AGON_KERNEL_FN void agon__kernel_forward_cells_tf32(agon__block* b, const agon__forward_args* a) {
    agon__forward_body(AGON__TF32, 1, b, a);
}
AGON_KERNEL_FN void agon__kernel_forward_cells_bf16(agon__block* b, const agon__forward_args* a) {
    agon__forward_body(AGON__BF16, 1, b, a);
}

#endif
