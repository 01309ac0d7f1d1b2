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

/* An element of a (rows, cols) array, for thread `i` of those that share it out: the 32 of a warp
 * are 4 rows by 8 columns, whose sums lie in 16 banks, and write runs of 8. */
typedef struct agon__wide_place {
    int row, col;
    int is; /* 0: beyond the array */
} agon__wide_place;

AGON_KERNEL_FN int agon__wide_places(int rows, int cols) {
    return (rows + 3) / 4 * ((cols + 7) / 8) * AGON__WARP;
}
AGON_KERNEL_FN agon__wide_place agon__wide_place_of(int rows, int cols, int i) {
    const int across = (cols + 7) / 8, patch = i / AGON__WARP;
    agon__wide_place p;
    p.row = patch / across * 4 + i % AGON__WARP / 8;
    p.col = patch % across * 8 + i % 8;
    p.is = p.row < rows && p.col < cols;
    return p;
}

/* Of a minGRU's units. */
AGON_KERNEL_FN void agon__cell_write(const int mode, agon__block* b, const agon__forward_args* a,
                                     const agon__wide_tile* t) {
    const agon__gpu_linear* linear = &a->call.net.linear[a->cut.layer];
    const int units = linear->out / 2, half = t->cols / 2;
    const int width = units - t->col < half ? units - t->col : half;
    const size_t row = (size_t)agon__forward_row(linear + 1);
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            AGON__LOOP for (int i = w * AGON__WARP + l; i < agon__wide_places(t->rows.rows, width);
                            i += b->warps * AGON__WARP) {
                const agon__wide_place p = agon__wide_place_of(t->rows.rows, width, i);
                const int slot = t->rows.first + p.row, unit = t->col + p.col;
                const size_t first = (size_t)(slot - a->from) * row;
                if (!p.is)
                    continue;
                const float m = agon__cell_step(&a->call, linear, slot, unit,
                                                agon__wide_sum(b, a, t, p.row, p.col),
                                                agon__wide_sum(b, a, t, p.row, half + p.col));
                agon__put(mode, a->out, first + (size_t)unit, m);
                if (unit + 1 == units)
                    agon__elements_end(mode, a->out, first, units);
            }
        }
    }
}

#endif
