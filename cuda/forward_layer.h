/* forward_layer.h: a tile of one layer's outputs, whose sums wait in shared memory until a phase of
 * their own makes something of them. */
#ifndef AGON_CUDA_FORWARD_LAYER_H
#define AGON_CUDA_FORWARD_LAYER_H

#include "cuda/forward_kernel.h"

/* What a block is at: a tile of rows, and outputs col .. col + cols - 1 of the layer; of a minGRU
 * cols / 2 units from `col` on, the rows of c, then those of g. */
typedef struct agon__wide_tile {
    agon__forward_tile rows;
    int col, cols;
} agon__wide_tile;

AGON_KERNEL_FN int agon__wide_row_tiles(const agon__wide_tile* t) {
    return (t->rows.rows + AGON__TILE_M - 1) / AGON__TILE_M;
}

/* The sum of a row and a column of the tile, where agon__tiles_end has put it. */
AGON_KERNEL_FN float agon__wide_sum(const agon__block* b, const agon__forward_args* a,
                                    const agon__wide_tile* t, int row, int col) {
    const float* sums = (const float*)(b->shared + a->cut.z);
    const int tile = col / AGON__TILE_N * agon__wide_row_tiles(t) + row / AGON__TILE_M;
    const int lane = row % 8 * 4 + col % AGON__TILE_N / 2;
    const int i = row % AGON__TILE_M / 8 * 2 + col % 2;
    return sums[(tile * 4 + i) * AGON__WARP + lane];
}

/* Zeros behind a slot's `entries` elements, up to what a product reads. */
AGON_KERNEL_FN void agon__wide_tail(const int mode, void* elements, size_t first, int entries) {
    AGON__LOOP for (int i = entries; i % AGON__TILE_K != 0; i++)
        agon__put(mode, elements, first + (size_t)i, 0.0f);
}

#endif
