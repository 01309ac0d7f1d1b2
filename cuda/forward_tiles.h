/* forward_tiles.h: products of matrices in shared memory, and how they come there. */
#ifndef AGON_CUDA_FORWARD_TILES_H
#define AGON_CUDA_FORWARD_TILES_H

#include <math.h>

#include "cuda/block.h"

#ifdef __CUDACC__
#define AGON__UNROLL _Pragma("unroll")
#define AGON__SOME   _Pragma("unroll 4")
#define AGON__LOOP   _Pragma("unroll 1")
#else
#define AGON__UNROLL
#define AGON__SOME
#define AGON__LOOP
#endif

enum {
    AGON__STRIP = 8,  /* tiles of columns that a warp computes side by side, at most */
    AGON__BATCH = 4,  /* pieces that a thread has under way while it copies */
    AGON__PIECE = 16, /* bytes of one */
    AGON__BEND_NONE = 0,
    AGON__BEND_RELU = 1,
    AGON__BEND_TANH = 2
};

/* One phase's product: of a (row_tiles * 16, depth) and b (col_tiles * 8, depth), both elements in
 * shared memory, with rows of a_row and b_row elements. Sums start from `bias`, or where they are
 * in `sums`. They end in `floats`, or after the bend in `elements`, or in `sums`. */
typedef struct agon__tiles {
    const void *a, *b;
    int a_row, b_row, depth; /* depth: a multiple of AGON__TILE_K */
    int row_tiles, col_tiles;
    const float* bias; /* (col_tiles * 8), or NULL */
    float* sums;       /* (tiles, 4, AGON__WARP) of each lane */
    float* floats;     /* (rows, stride), or NULL */
    void* elements;    /* (rows, stride), or NULL; from column `width` on 0, to a multiple of 16 */
    size_t stride;
    int rows;   /* that are written */
    int column; /* where b's first row goes */
    int width;  /* columns in all */
    int bend;
} agon__tiles;

/* ---- copies ------------------------------------------------------------------------------- */

typedef struct agon__stage {
    char* to;
    const char* from;
    size_t to_row, from_row; /* bytes from one row to the next: multiples of AGON__PIECE */
    int rows, pieces;        /* of a row */
} agon__stage;

typedef struct agon__piece {
    uint64_t low, high;
} agon__piece;

/* Where piece p of all lies in rows of `row` bytes. */
AGON_KERNEL_FN size_t agon__stage_at(const agon__stage* s, int p, size_t row) {
    const int r = s->rows == 1 ? 0 : p / s->pieces;
    return (size_t)r * row + (size_t)(p - r * s->pieces) * AGON__PIECE;
}

/* Rows of pieces to shared memory, by the whole block: loads before stores, so that they wait
 * together. */
AGON_KERNEL_FN void agon__stage_copy(agon__block* b, const agon__stage* s) {
    const int all = s->rows * s->pieces, step = b->warps * AGON__WARP;
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            AGON__LOOP for (int at = w * AGON__WARP + l; at < all; at += AGON__BATCH * step) {
                agon__piece piece[AGON__BATCH] = {{0, 0}};
                AGON__UNROLL for (int i = 0; i < AGON__BATCH; i++) {
                    const char* from = s->from + agon__stage_at(s, at + i * step, s->from_row);
                    if (at + i * step < all)
                        memcpy(&piece[i], __builtin_assume_aligned(from, AGON__PIECE), AGON__PIECE);
                }
                AGON__UNROLL for (int i = 0; i < AGON__BATCH; i++) {
                    char* to = s->to + agon__stage_at(s, at + i * step, s->to_row);
                    if (at + i * step < all)
                        memcpy(__builtin_assume_aligned(to, AGON__PIECE), &piece[i], AGON__PIECE);
                }
            }
        }
    }
}

/* ---- products ----------------------------------------------------------------------------- */

AGON_KERNEL_FN float agon__tiles_bend(int bend, float x) {
    if (bend == AGON__BEND_RELU)
        return 0.0f > x ? 0.0f : x; /* NaN stays */
    return bend == AGON__BEND_TANH ? tanhf(x) : x;
}

/* Zeros behind a row's `entries` elements, up to what a product reads. */
AGON_KERNEL_FN void agon__elements_end(const int mode, void* elements, size_t first, int entries) {
    AGON__LOOP for (int i = entries; i % AGON__TILE_K != 0; i++)
        agon__put(mode, elements, first + (size_t)i, 0.0f);
}

/* What a lane's sum i of a tile starts from. */
AGON_KERNEL_FN float agon__tiles_start(const agon__tiles* t, int tile, int col, int lane, int i) {
    if (t->bias)
        return t->bias[col * AGON__TILE_N + agon__tile_col(lane, i)];
    return t->sums[((size_t)tile * 4 + (size_t)i) * AGON__WARP + (size_t)lane];
}

/* A lane's sums of the tile (row, col) of tiles go where they are wanted. */
AGON_KERNEL_FN void agon__tiles_end(const int mode, const agon__tiles* t, int row, int col,
                                    int lane, const float* sums) {
    const int tile = col * t->row_tiles + row;
    AGON__UNROLL for (int i = 0; i < 4; i++) {
        const int r = row * AGON__TILE_M + agon__tile_row(lane, i);
        const int c = t->column + col * AGON__TILE_N + agon__tile_col(lane, i);
        const size_t at = (size_t)r * t->stride + (size_t)c;
        if (!t->floats && !t->elements)
            t->sums[(tile * 4 + i) * AGON__WARP + lane] = sums[i];
        else if (r < t->rows && t->floats)
            t->floats[at] = sums[i];
        else if (r < t->rows) {
            agon__put(mode, t->elements, at,
                      c < t->width ? agon__tiles_bend(t->bend, sums[i]) : 0.0f);
            /* rows of b end at a multiple of 8, those of elements at one of 16 */
            if ((c | 7) + 1 >= t->width && (c & 8) == 0)
                agon__put(mode, t->elements, at + 8, 0.0f);
        }
    }
}

/* `wide` tiles side by side, a constant: a's part is read once for all of them. */
AGON_KERNEL_FN void agon__tiles_strip(const int mode, const int wide, const agon__tiles* t, int row,
                                      int col) {
    const size_t size = (size_t)agon__element(mode);
    const char* a = (const char*)t->a + (size_t)(row * AGON__TILE_M * t->a_row) * size;
    const char* b = (const char*)t->b + (size_t)(col * AGON__TILE_N * t->b_row) * size;
    AGON_LANE(agon__sums, sums[AGON__STRIP]);
    AGON__UNROLL for (int j = 0; j < wide; j++) {
        const int tile = (col + j) * t->row_tiles + row;
        AGON_LANES(l) {
            AGON__UNROLL for (int i = 0; i < 4; i++) sums[j][AGON_AT(l)].of[i] =
                agon__tiles_start(t, tile, col + j, l, i);
        }
    }
    AGON__LOOP for (int k = 0; k < t->depth; k += AGON__TILE_K) {
        const agon__matrix left = {a + (size_t)k * size, t->a_row, 1};
        AGON__UNROLL for (int j = 0; j < wide; j++) {
            const size_t down = (size_t)(j * AGON__TILE_N * t->b_row + k) * size;
            const agon__matrix right = {b + down, t->b_row, 1};
            agon_tile_mma(mode, sums[j], left, right);
        }
    }
    AGON__UNROLL for (int j = 0; j < wide; j++) {
        AGON_LANES(l) {
            agon__tiles_end(mode, t, row, col + j, l, sums[j][AGON_AT(l)].of);
        }
    }
}

/* The product, by the whole block: a warp takes strips of 16 rows, as wide as keeps all warps at
 * work. A sum is one lane's from its first term to its last, so no result depends on the cut. */
AGON_KERNEL_FN void agon__tiles_product(const int mode, agon__block* b, const agon__tiles* t) {
    int wide = AGON__STRIP;
    while (wide > 1 && t->row_tiles * ((t->col_tiles + wide - 1) / wide) < b->warps)
        wide /= 2;
    const int units = t->row_tiles * ((t->col_tiles + wide - 1) / wide);
    AGON_WARPS(b, w) {
        AGON__LOOP for (int unit = w; unit < units; unit += b->warps) {
            const int row = unit % t->row_tiles;
            int col = unit / t->row_tiles * wide, left = t->col_tiles - col;
            left = left < wide ? left : wide;
            if (left == 8)
                agon__tiles_strip(mode, 8, t, row, col);
            if (left != 8 && left & 4) {
                agon__tiles_strip(mode, 4, t, row, col);
                col += 4;
            }
            if (left & 2) {
                agon__tiles_strip(mode, 2, t, row, col);
                col += 2;
            }
            if (left & 1)
                agon__tiles_strip(mode, 1, t, row, col);
        }
    }
}

#endif
