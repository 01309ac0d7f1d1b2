/* forward_cell.h: minGRU layers of the wide path: a tile has the sums of c and of g of its units,
 * and with the row's memory they become the unit's output, which is the memory after.
 *
 * Per row and unit: some 10 FLOP and one tanh; 8 bytes of memory, and an element is written. */
#ifndef AGON_CUDA_FORWARD_CELL_H
#define AGON_CUDA_FORWARD_CELL_H

#include "cuda/forward_layer.h"

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

AGON_KERNEL_FN void agon__cell_write(const int mode, agon__block* b, const agon__forward_args* a,
                                     const agon__wide_tile* t) {
    const agon__gpu_linear* linear = &a->call.net.linear[a->cut.layer];
    const int units = linear->out / 2, half = t->cols / 2;
    const int width = units - t->col < half ? units - t->col : half;
    const size_t row = (size_t)agon__forward_row(linear + 1);
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            AGON__LOOP for (int i = w * AGON__WARP + l; i < t->rows.rows * width;
                            i += b->warps * AGON__WARP) {
                const int r = i / width, c = i % width, slot = t->rows.first + r;
                const size_t first = (size_t)(slot - a->from) * row;
                const float m = agon__cell_step(&a->call, linear, slot, t->col + c,
                                                agon__wide_sum(b, a, t, r, c),
                                                agon__wide_sum(b, a, t, r, half + c));
                agon__put(mode, a->out, first + (size_t)(t->col + c), m);
                if (t->col + c + 1 == units)
                    agon__wide_tail(mode, a->out, first, units);
            }
        }
    }
}

#endif
