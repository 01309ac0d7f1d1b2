/* minibatch.h: what the kernels of an update share: its members, the rows of a minibatch, and sums
 * over a block. Internal to cuda/. */
#ifndef AGON_CUDA_MINIBATCH_H
#define AGON_CUDA_MINIBATCH_H

#include "cuda/layout.h"

/* What a member brings to an update (agon_ppo, agon__gpu_learner), and its statistics: they are
 * sums over minibatches, in the order of agon_update_stats. */
typedef struct agon__update_member {
    uint32_t key[2], stream; /* of the first epoch's order */
    int normalise;
    float discount, lambda;
    float rate, clip, value_weight, entropy_weight, max_grad_norm;
    float beta1, beta2, epsilon;
    double stats[6];
} agon__update_member;

enum { AGON__ROW_STATS = 5 }; /* of the six: those that are means over rows */

/* Rows of a minibatch of several members: row r of member g is entry index[g * index_group + r] of
 * its rectangle. */
typedef struct agon__sights {
    const uint32_t* index;
    uint64_t index_group;  /* entries from one member's order to the next's */
    uint64_t entries;      /* of a rectangle */
    uint64_t first;        /* of member 0, where places are entries */
    const uint32_t* place; /* (members, entries), or NULL: places are entries */
    const char* obs;       /* (places, bytes), up to a multiple of 4 in all */
    uint64_t bytes;
    int floats; /* 1: observations are floats; 0: bytes, seen as byte * scale */
    float scale;
} agon__sights;

/* Where row r of member g lies in arrays of (members, entries). */
AGON_KERNEL_FN uint64_t agon__sight_entry(const agon__sights* s, int g, int r) {
    return (uint64_t)g * s->entries + s->index[(uint64_t)g * s->index_group + (uint64_t)r];
}

/* Where the observation and the mask of an entry lie. */
AGON_KERNEL_FN uint64_t agon__sight_place(const agon__sights* s, uint64_t entry) {
    return s->place ? s->place[entry] : s->first + entry;
}

/* each: `count` arrays with a term of every thread of the block, in shared memory. Afterwards the
 * first element of each is its sum, by a tree. The block has a power of two of warps. */
AGON_KERNEL_FN void agon__block_sum(agon__block* b, double* each, int count) {
    const int threads = b->warps * AGON__WARP;
    for (int step = threads / 2; step > 0; step /= 2) {
        AGON_WARPS(b, w) {
            AGON_LANES(l) {
                const int t = w * AGON__WARP + l;
                for (int i = 0; i < count && t < step; i++)
                    each[i * threads + t] += each[i * threads + t + step];
            }
        }
        agon_barrier(b);
    }
}

#endif
