/* adam_kernel.h: a minibatch's statistics, its gradient's norm, and Adam's step. */
#ifndef AGON_CUDA_ADAM_KERNEL_H
#define AGON_CUDA_ADAM_KERNEL_H

#include "cuda/minibatch.h"

enum {
    AGON__ADAM_WARPS = 4,
    AGON__ADAM_SEGMENT = 4096, /* parameters that a block squares, or steps, at once */
    AGON__SETTLE_SHARED = (AGON__ROW_STATS + 1) * AGON__ADAM_WARPS * AGON__WARP * 8,
};

/* Pointers are those of member 0 of the launch. */
typedef struct agon__adam_args {
    int members;
    int segments; /* of a member's parameters */
    uint64_t count, stride;
    float *params, *moment1, *moment2, *grads; /* (members, stride) */
    agon__update_member* member;               /* (members) */
    const float* correct; /* (members, steps, 2): 1 / (1 - beta^updates) of both betas */
    int step, steps;
    int rows;               /* of the minibatch */
    int row_limit;          /* from one member's rows to the next's */
    const float* row_stats; /* (members, row_limit, AGON__ROW_STATS) */
    double* squares;        /* (members, segments) */
    float* scale;           /* (members) that brings a gradient's norm down to its limit */
} agon__adam_args;

AGON_KERNEL_FN void agon__squares_segment(agon__block* b, const agon__adam_args* a, int64_t at) {
    double* each = (double*)b->shared;
    const uint64_t start = (uint64_t)(at % a->segments) * AGON__ADAM_SEGMENT;
    const uint64_t left = a->count - start, most = AGON__ADAM_SEGMENT;
    const int count = (int)(left < most ? left : most);
    const float* x = a->grads + (uint64_t)(at / a->segments) * a->stride + start;
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            const int t = w * AGON__WARP + l;
            double sum = 0.0;
            for (int i = t; i < count; i += b->warps * AGON__WARP)
                sum += (double)x[i] * (double)x[i];
            each[t] = sum;
        }
    }
    agon_barrier(b);
    agon__block_sum(b, each, 1);
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            if (w == 0 && l == 0)
                a->squares[at] = each[0];
        }
    }
    agon_barrier(b);
}

/* A block of AGON__ADAM_WARPS per segment, any number of blocks: 4 bytes and 2 FLOP (double) per
 * parameter. */
AGON_KERNEL_FN void agon__kernel_squares(agon__block* b, const agon__adam_args* a) {
    const int64_t all = (int64_t)a->members * a->segments;
    for (int64_t at = b->index; at < all; at += b->blocks)
        agon__squares_segment(b, a, at);
}

/* Every thread's part of a member's sums. */
AGON_KERNEL_FN void agon__settle_terms(agon__block* b, const agon__adam_args* a, int m,
                                       double* each) {
    const int threads = b->warps * AGON__WARP;
    const float* rows = a->row_stats + (uint64_t)m * (uint64_t)a->row_limit * AGON__ROW_STATS;
    const double* squares = a->squares + (uint64_t)m * (uint64_t)a->segments;
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            const int t = w * AGON__WARP + l;
            double sum[AGON__ROW_STATS] = {0.0}, square = 0.0;
            for (int r = t; r < a->rows; r += threads)
                for (int i = 0; i < AGON__ROW_STATS; i++)
                    sum[i] += (double)rows[(uint64_t)r * AGON__ROW_STATS + (uint64_t)i];
            for (int i = t; i < a->segments; i += threads)
                square += squares[i];
            for (int i = 0; i < AGON__ROW_STATS; i++)
                each[i * threads + t] = sum[i];
            each[AGON__ROW_STATS * threads + t] = square;
        }
    }
    agon_barrier(b);
    agon__block_sum(b, each, AGON__ROW_STATS + 1);
}

AGON_KERNEL_FN void agon__settle_member(agon__block* b, const agon__adam_args* a, int m) {
    double* each = (double*)b->shared;
    const int threads = b->warps * AGON__WARP;
    agon__settle_terms(b, a, m, each);
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            agon__update_member* member = &a->member[m];
            const double norm = sqrt(each[AGON__ROW_STATS * threads]);
            const double limit = (double)member->max_grad_norm;
            for (int i = 0; i < AGON__ROW_STATS && w == 0 && l == 0; i++)
                member->stats[i] += each[i * threads] / (double)a->rows;
            if (w == 0 && l == 0) {
                member->stats[AGON__ROW_STATS] += norm;
                a->scale[m] = limit > 0.0 && norm > limit ? (float)(limit / norm) : 1.0f;
            }
        }
    }
    agon_barrier(b);
}

/* A block of AGON__ADAM_WARPS per member, any number of blocks. */
AGON_KERNEL_FN void agon__kernel_settle(agon__block* b, const agon__adam_args* a) {
    for (int m = b->index; m < a->members; m += b->blocks)
        agon__settle_member(b, a, m);
}

AGON_KERNEL_FN void agon__adam_one(const agon__update_member* s, float scale, const float* correct,
                                   float grad, float* param, float* moment1, float* moment2) {
    const float g = grad * scale;
    const float m = s->beta1 * *moment1 + (1.0f - s->beta1) * g;
    const float v = s->beta2 * *moment2 + (1.0f - s->beta2) * (g * g);
    *moment1 = m;
    *moment2 = v;
    *param -= s->rate * ((m * correct[0]) / (sqrtf(v * correct[1]) + s->epsilon));
}

AGON_KERNEL_FN void agon__adam_segment(agon__block* b, const agon__adam_args* a, int64_t at) {
    const int m = (int)(at / a->segments);
    const uint64_t start = (uint64_t)(at % a->segments) * AGON__ADAM_SEGMENT;
    const uint64_t end =
        start + AGON__ADAM_SEGMENT < a->count ? start + AGON__ADAM_SEGMENT : a->count;
    const uint64_t base = (uint64_t)m * a->stride;
    const float* correct = a->correct + 2 * ((int64_t)m * a->steps + a->step);
    const float scale = a->scale[m];
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            const agon__update_member s = a->member[m];
            uint64_t i = start + (uint64_t)(w * AGON__WARP + l);
            for (; i < end; i += (uint64_t)(b->warps * AGON__WARP))
                agon__adam_one(&s, scale, correct, a->grads[base + i], &a->params[base + i],
                               &a->moment1[base + i], &a->moment2[base + i]);
        }
    }
    agon_apart(b); /* the next segment has other parameters */
}

/* A block of any number of warps per segment, any number of blocks: 28 bytes and 15 FLOP per
 * parameter. */
AGON_KERNEL_FN void agon__kernel_adam(agon__block* b, const agon__adam_args* a) {
    const int64_t all = (int64_t)a->members * a->segments;
    for (int64_t at = b->index; at < all; at += b->blocks)
        agon__adam_segment(b, a, at);
}

#endif
