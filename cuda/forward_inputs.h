/* forward_inputs.h: observations become elements. */
#ifndef AGON_CUDA_FORWARD_INPUTS_H
#define AGON_CUDA_FORWARD_INPUTS_H

#include "cuda/forward_args.h"
#include "cuda/forward_tiles.h"
#include "games/agon_game.h"

/* Inputs from .. from + depth - 1 of slots first .. first + rows - 1, zeros where there are none.
 */
typedef struct agon__inputs {
    int first, rows;
    int from, depth;
    void* to;   /* (rows, stride) elements in shared memory */
    int stride; /* elements */
} agon__inputs;

enum { AGON__INPUT_ROWS = 8 }; /* observations that a warp has under way */

AGON_KERNEL_FN float agon__input(const agon__gpu_forward* c, int slot, int k) {
    const size_t place = c->place ? c->place[slot] : (size_t)slot;
    const char* obs = (const char*)c->obs + place * c->obs_bytes;
    if (c->obs_type == AGON_U8)
        return (float)((const uint8_t*)obs)[k] * c->scale;
    return ((const float*)obs)[k];
}

/* What a lane reads in column `col` of the rows from `row` on, and writes: all loads before all
 * stores, so that they wait together. */
AGON_KERNEL_FN void agon__inputs_part(const int mode, const agon__gpu_forward* c,
                                      const agon__inputs* in, int row, int step, int col) {
    const int k = in->from + col;
    float x[AGON__INPUT_ROWS];
    AGON__UNROLL for (int i = 0; i < AGON__INPUT_ROWS; i++) {
        const int r = row + i * step;
        x[i] = r < in->rows && k < c->net.inputs ? agon__input(c, in->first + r, k) : 0.0f;
    }
    AGON__UNROLL for (int i = 0; i < AGON__INPUT_ROWS; i++) {
        const int r = row + i * step;
        if (r < in->rows)
            agon__put(mode, in->to, (size_t)(r * in->stride + col), x[i]);
    }
}

/* By the whole block, a warp per row. */
AGON_KERNEL_FN void agon__inputs_load(const int mode, agon__block* b, const agon__gpu_forward* c,
                                      const agon__inputs* in) {
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            AGON__LOOP for (int r = w; r < in->rows; r += AGON__INPUT_ROWS * b->warps)
                AGON__LOOP for (int k = l; k < in->depth; k += AGON__WARP)
                    agon__inputs_part(mode, c, in, r, b->warps, k);
        }
    }
}

#endif
