/* remember_kernel.h: layers of minGRU through time, and back: what a minibatch's rows remember from
 * decision to decision. Internal to cuda/. */
#ifndef AGON_CUDA_REMEMBER_KERNEL_H
#define AGON_CUDA_REMEMBER_KERNEL_H

#include "cuda/stage_kernel.h"

enum { AGON__REMEMBER_STEPS = 4 }; /* decisions whose inputs are on their way at once */

/* A layer of `units`. Pointers are those of member 0 of the launch. */
typedef struct agon__remember_args {
    int mode, members, units;
    int rows, horizon; /* whole rows of the rectangle, one after the other: rows * horizon rows of
                          the minibatch */
    int row_limit;     /* rows of a minibatch from one member's to the next's */
    int gate_stride, out_stride; /* elements or floats of a row; what is behind the last is 0 */
    float* gates; /* (members, row_limit, gate_stride): c of all units, then g; afterwards
                     c - m, of the memory m before, and z: what the way back wants */
    char* out;    /* elements (members, row_limit, out_stride): out, what is remembered; back:
                     in, its slopes */
    char* slopes; /* back: out, elements as gates: slopes of c, then of g */
    const float* memory; /* (members, rows of a rectangle, remembered), from the layer's units on */
    int remembered;
    const uint8_t* last; /* (members, entries): nothing is remembered after these */
    agon__sights sights;
} agon__remember_args;

/* One unit (or one that pads) of one row. */
typedef struct agon__remember_one {
    int unit;
    uint64_t at;         /* the row's first, among (members, row_limit) */
    const uint8_t* last; /* (horizon) */
    const float* memory;
} agon__remember_one;

/* Number i of members * rows * width, unit by unit. */
AGON_KERNEL_FN agon__remember_one agon__remember_one_of(const agon__remember_args* a, int width,
                                                        int64_t i) {
    const int64_t row = i / width;
    const int group = (int)(row / a->rows), first = (int)(row % a->rows) * a->horizon;
    const uint64_t entry = agon__sight_entry(&a->sights, group, first);
    agon__remember_one one;
    one.unit = (int)(i % width);
    one.at = (uint64_t)group * (uint64_t)a->row_limit + (uint64_t)first;
    one.last = a->last + entry;
    one.memory =
        a->memory + entry / (uint64_t)a->horizon * (uint64_t)a->remembered + (uint64_t)one.unit;
    return one;
}

/* Zeros at one of the elements behind a row's last. */
AGON_KERNEL_FN void agon__remember_pad(int mode, char* to, uint64_t at, int stride, int element,
                                       int horizon) {
    for (int t = 0; t < horizon; t++)
        agon__put(mode, to, (at + (uint64_t)t) * (uint64_t)stride + (uint64_t)element, 0.0f);
}

/* Up to AGON__REMEMBER_STEPS decisions from t on; returns what is remembered after them. */
AGON_KERNEL_FN float agon__remember_some(const agon__remember_args* a,
                                         const agon__remember_one* one, int t, float m) {
    const uint64_t stride = (uint64_t)a->gate_stride, at = one->at + (uint64_t)t;
    float* gate = a->gates + at * stride + (uint64_t)one->unit;
    float c[AGON__REMEMBER_STEPS], g[AGON__REMEMBER_STEPS];
    int last[AGON__REMEMBER_STEPS];
    AGON_UNROLL for (int i = 0; i < AGON__REMEMBER_STEPS; i++) {
        const int more = t + i < a->horizon;
        c[i] = more ? gate[(uint64_t)i * stride] : 0.0f;
        g[i] = more ? gate[(uint64_t)i * stride + (uint64_t)a->units] : 0.0f;
        last[i] = more ? one->last[t + i] : 0;
    }
    AGON_UNROLL for (int i = 0; i < AGON__REMEMBER_STEPS; i++) {
        if (t + i < a->horizon) {
            const float z = fmaf(0.5f, tanhf(0.5f * g[i]), 0.5f), d = c[i] - m;
            m = fmaf(z, d, m);
            gate[(uint64_t)i * stride] = d;
            gate[(uint64_t)i * stride + (uint64_t)a->units] = z;
            agon__put(a->mode, a->out,
                      (at + (uint64_t)i) * (uint64_t)a->out_stride + (uint64_t)one->unit, m);
            m = last[i] ? 0.0f : m;
        }
    }
    return m;
}

/* A thread per unit and row of the rectangle, any number of blocks and warps; it goes through time
 * by itself. 8 bytes read, 8 and an element written, an exponential per unit and decision; lanes
 * have neighbours. */
AGON_KERNEL_FN void agon__kernel_remember(agon__block* b, const agon__remember_args* a) {
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            const int64_t all = (int64_t)a->members * a->rows * a->out_stride;
            const int64_t step = (int64_t)b->blocks * b->warps * AGON__WARP;
            int64_t i = ((int64_t)b->index * b->warps + w) * AGON__WARP + l;
            for (; i < all; i += step) {
                const agon__remember_one one = agon__remember_one_of(a, a->out_stride, i);
                if (one.unit >= a->units) {
                    agon__remember_pad(a->mode, a->out, one.at, a->out_stride, one.unit,
                                       a->horizon);
                } else {
                    float m = *one.memory;
                    for (int t = 0; t < a->horizon; t += AGON__REMEMBER_STEPS)
                        m = agon__remember_some(a, &one, t, m);
                }
            }
        }
    }
}

/* ---- and back ------------------------------------------------------------------------------ */

/* Up to AGON__REMEMBER_STEPS decisions that end with t; `carried` is what comes from those after
 * them, (1 - z) * D of the next. Returns what goes to those before. */
AGON_KERNEL_FN float agon__remember_back(const agon__remember_args* a,
                                         const agon__remember_one* one, int t, float carried) {
    const uint64_t stride = (uint64_t)a->gate_stride, unit = (uint64_t)one->unit;
    const uint64_t units = (uint64_t)a->units;
    float d[AGON__REMEMBER_STEPS], z[AGON__REMEMBER_STEPS], slope[AGON__REMEMBER_STEPS];
    int last[AGON__REMEMBER_STEPS];
    AGON_UNROLL for (int i = 0; i < AGON__REMEMBER_STEPS; i++) {
        const int step = t - i > 0 ? t - i : 0;
        const uint64_t at = one->at + (uint64_t)step;
        const float* gate = a->gates + at * stride + unit;
        d[i] = gate[0];
        z[i] = gate[units];
        slope[i] = agon__get(a->mode, a->out, at * (uint64_t)a->out_stride + unit);
        last[i] = one->last[step];
    }
    AGON_UNROLL for (int i = 0; i < AGON__REMEMBER_STEPS; i++) {
        if (t - i >= 0) {
            const uint64_t at = (one->at + (uint64_t)(t - i)) * stride + unit;
            const float whole = slope[i] + (last[i] ? 0.0f : carried);
            const float dz = whole * d[i];
            agon__put(a->mode, a->slopes, at, whole * z[i]);
            agon__put(a->mode, a->slopes, at + units, dz * z[i] * (1.0f - z[i]));
            carried = (1.0f - z[i]) * whole;
        }
    }
    return carried;
}

/* As `remember`, from each row's last decision to its first: 8 bytes and an element read, two
 * elements written, 7 FLOP per unit and decision. */
AGON_KERNEL_FN void agon__kernel_remember_back(agon__block* b, const agon__remember_args* a) {
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            const int width = a->gate_stride - a->units;
            const int64_t all = (int64_t)a->members * a->rows * width;
            const int64_t step = (int64_t)b->blocks * b->warps * AGON__WARP;
            int64_t i = ((int64_t)b->index * b->warps + w) * AGON__WARP + l;
            for (; i < all; i += step) {
                const agon__remember_one one = agon__remember_one_of(a, width, i);
                if (one.unit >= a->units) {
                    agon__remember_pad(a->mode, a->slopes, one.at, a->gate_stride,
                                       a->units + one.unit, a->horizon);
                } else {
                    float carried = 0.0f;
                    for (int t = a->horizon - 1; t >= 0; t -= AGON__REMEMBER_STEPS)
                        carried = agon__remember_back(a, &one, t, carried);
                }
            }
        }
    }
}

#endif
