/* advantage_kernel.h: advantages and targets of many rectangles, and their normalisation. */
#ifndef AGON_CUDA_ADVANTAGE_KERNEL_H
#define AGON_CUDA_ADVANTAGE_KERNEL_H

#include "cuda/minibatch.h"

enum { AGON__NORMALISE_WARPS = 8, AGON__NORMALISE_SHARED = 8 * AGON__WARP * (int)sizeof(double) };

/* Pointers are those of member 0 of the launch. */
typedef struct agon__advantage_args {
    int members, rows, horizon;
    const agon__update_member* member; /* (members) */
    const float* value;                /* (members, rows, horizon), and so on as agon_rectangle */
    const float* reward;
    const uint8_t* last;
    const float* bootstrap; /* (members, rows) */
    float* advantage;
    float* target;
} agon__advantage_args;

AGON_KERNEL_FN void agon__advantage_row(const agon__advantage_args* a, int64_t row) {
    const agon__update_member* member = &a->member[row / a->rows];
    const float discount = member->discount, lambda = member->lambda;
    const int64_t start = row * a->horizon;
    float next_value = a->bootstrap[row], next_advantage = 0.0f;
    for (int t = a->horizon - 1; t >= 0; t--) {
        const int64_t at = start + t;
        const float value = a->value[at], goes_on = a->last[at] ? 0.0f : discount;
        const float delta = a->reward[at] + goes_on * next_value - value;
        next_advantage = delta + goes_on * lambda * next_advantage;
        next_value = value;
        a->advantage[at] = next_advantage;
        a->target[at] = next_advantage + next_value;
    }
}

/* A thread per row, any number of blocks. 17 bytes and 7 FLOP per entry, 8 bytes written. Lanes are
 * `horizon` apart; the sectors that they read serve eight steps, from the first-level cache. */
AGON_KERNEL_FN void agon__kernel_advantage(agon__block* b, const agon__advantage_args* a) {
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            const int64_t all = (int64_t)a->members * a->rows;
            const int64_t step = (int64_t)b->blocks * b->warps * AGON__WARP;
            int64_t row = ((int64_t)b->index * b->warps + w) * AGON__WARP + l;
            for (; row < all; row += step)
                agon__advantage_row(a, row);
        }
    }
}

/* Every thread's part of the sum of x - mean, or of its square. */
AGON_KERNEL_FN void agon__normalise_terms(agon__block* b, const float* x, int64_t count,
                                          double mean, int square, double* each) {
    const int threads = b->warps * AGON__WARP;
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            const int t = w * AGON__WARP + l;
            double sum = 0.0;
            for (int64_t i = t; i < count; i += threads) {
                const double d = (double)x[i] - mean;
                sum += square ? d * d : d;
            }
            each[t] = sum;
        }
    }
    agon_barrier(b);
    agon__block_sum(b, each, 1);
}

/* Mean 0 and standard deviation 1, in double precision, of one member. */
AGON_KERNEL_FN void agon__normalise_member(agon__block* b, float* x, int64_t count) {
    double* each = (double*)b->shared;
    agon__normalise_terms(b, x, count, 0.0, 0, each);
    const double mean = each[0] / (double)count;
    agon_barrier(b); /* all have read the sum */
    agon__normalise_terms(b, x, count, mean, 1, each);
    const double spread = sqrt(each[0] / (double)count) + 1e-8;
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            for (int64_t i = w * AGON__WARP + l; i < count; i += b->warps * AGON__WARP)
                x[i] = (float)(((double)x[i] - mean) / spread);
        }
    }
    agon_barrier(b);
}

/* A block of AGON__NORMALISE_WARPS per member, any number of blocks. 12 bytes read, 4 written per
 * entry. */
AGON_KERNEL_FN void agon__kernel_normalise(agon__block* b, const agon__advantage_args* a) {
    const int64_t count = (int64_t)a->rows * a->horizon;
    for (int m = b->index; m < a->members; m += b->blocks)
        if (a->member[m].normalise)
            agon__normalise_member(b, a->advantage + m * count, count);
}

#endif
