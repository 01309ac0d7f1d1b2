/* forward_cell.h: the cell of a minGRU: the sums of c and of g of a unit become, with the slot's
 * memory, its output, which is the memory after.
 *
 * Per row and unit: some 10 FLOP and one tanh; 8 bytes of memory, and an element is written. */
#ifndef AGON_CUDA_FORWARD_CELL_H
#define AGON_CUDA_FORWARD_CELL_H

#include <math.h>

#include "cuda/forward.h"

/* m' of a candidate, a gate and m. */
AGON_KERNEL_FN float agon__cell(float c, float g, float m) {
    const float z = fmaf(0.5f, tanhf(0.5f * g), 0.5f);
    return fmaf(z, c - m, m);
}

/* What unit `unit` of a layer makes of the slot's memory, which goes on where it is wanted. */
AGON_KERNEL_FN float agon__cell_step(const agon__gpu_forward* c, const agon__gpu_linear* linear,
                                     int slot, int unit, float candidate, float gate) {
    const size_t each = (size_t)c->net.memory, at = (size_t)linear->memory + (size_t)unit;
    const size_t row = c->memory_row ? c->memory_row[slot] : (size_t)slot;
    const float m = agon__cell(candidate, gate, c->memory[row * each + at]);
    if (c->memory_after)
        c->memory_after[(size_t)slot * each + at] = m;
    return m;
}

#endif
