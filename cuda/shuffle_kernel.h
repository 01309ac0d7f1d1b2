/* shuffle_kernel.h: the order of the minibatches: agon_shuffle (games/random.h) for every epoch of
 * every member, of entries or of whole rows. */
#ifndef AGON_CUDA_SHUFFLE_KERNEL_H
#define AGON_CUDA_SHUFFLE_KERNEL_H

#include "cuda/draw.h"
#include "cuda/minibatch.h"

/* Swaps whose partners are drawn at once: four by each lane. */
enum { AGON__SHUFFLE_DRAWS = 4 * AGON__WARP, AGON__SHUFFLE_SHARED = 4 * AGON__SHUFFLE_DRAWS };

typedef struct agon__shuffle_args {
    int members, epochs, minibatches;
    uint32_t count; /* of an order */
    uint32_t each;  /* entries of an element: 1, or a row's, which follow one another */
    int width;      /* bytes of an element in shared memory: 2, 4, or 0: in `index` itself */
    const agon__update_member* member; /* (members) */
    uint32_t* index;                   /* out (members, epochs, count * each) */
} agon__shuffle_args;

AGON_KERNEL_FN uint32_t agon__order_get(const void* order, int width, uint32_t i) {
    return width == 2 ? ((const uint16_t*)order)[i] : ((const uint32_t*)order)[i];
}
AGON_KERNEL_FN void agon__order_put(void* order, int width, uint32_t i, uint32_t x) {
    if (width == 2)
        ((uint16_t*)order)[i] = (uint16_t)x;
    else
        ((uint32_t*)order)[i] = x;
}

/* The partners of positions first .. first + AGON__SHUFFLE_DRAWS - 1, first a multiple of that. */
AGON_KERNEL_FN void agon__shuffle_draw(const agon__update_member* member, uint32_t stream,
                                       uint32_t first, int lane, uint32_t* partner) {
    const agon_key key = {{member->key[0], member->key[1]}};
    const agon_draw x = agon__draw(key, stream, first / 4 + (uint32_t)lane, 0, 0);
    for (int i = 0; i < 4; i++) {
        const uint32_t at = 4 * (uint32_t)lane + (uint32_t)i;
        partner[at] = agon__draw_below(x.word[i], first + at + 1);
    }
}

/* Swaps of positions last down to first, one after the other; position 0 stays. */
AGON_KERNEL_FN void agon__shuffle_swap(void* order, int width, uint32_t first, uint32_t last,
                                       const uint32_t* partner) {
    for (uint32_t i = last + 1; i-- > first && i > 0;) {
        const uint32_t j = partner[i - first];
        const uint32_t mine = agon__order_get(order, width, i);
        const uint32_t other = agon__order_get(order, width, j);
        agon__order_put(order, width, j, mine);
        agon__order_put(order, width, i, other);
    }
}

/* The order itself, by warp 0. */
AGON_KERNEL_FN void agon__shuffle_order(agon__block* b, const agon__shuffle_args* a,
                                        const agon__update_member* member, uint32_t stream,
                                        void* order, int width) {
    uint32_t* partner = (uint32_t*)b->shared;
    const uint32_t count = a->count, draws = AGON__SHUFFLE_DRAWS;
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            for (uint32_t i = (uint32_t)l; w == 0 && i < count; i += AGON__WARP)
                agon__order_put(order, width, i, i);
        }
    }
    agon_apart(b);
    for (uint32_t part = (count + draws - 1) / draws; part-- > 0;) {
        const uint32_t first = part * draws;
        const uint32_t last = count - first < draws ? count - 1 : first + draws - 1;
        AGON_WARPS(b, w) {
            AGON_LANES(l) {
                if (w == 0)
                    agon__shuffle_draw(member, stream, first, l, partner);
            }
        }
        agon_barrier(b);
        AGON_WARPS(b, w) {
            AGON_LANES(l) {
                if (w == 0 && l == 0)
                    agon__shuffle_swap(order, width, first, last, partner);
            }
        }
        agon_barrier(b);
    }
}

/* Elements become their entries, from the last on: `order` may be where `index` begins, and then
 * what is written lies behind what is still to be read. */
AGON_KERNEL_FN void agon__shuffle_expand(agon__block* b, const agon__shuffle_args* a,
                                         const void* order, int width, uint32_t* index) {
    uint32_t* some = (uint32_t*)b->shared;
    const uint32_t draws = AGON__SHUFFLE_DRAWS;
    for (uint32_t part = (a->count + draws - 1) / draws; part-- > 0;) {
        const uint32_t first = part * draws, left = a->count - first;
        const uint32_t count = left < draws ? left : draws;
        uint32_t* to = index + (uint64_t)first * a->each;
        AGON_WARPS(b, w) {
            AGON_LANES(l) {
                for (uint32_t i = (uint32_t)l; w == 0 && i < count; i += AGON__WARP)
                    some[i] = agon__order_get(order, width, first + i);
            }
        }
        agon_barrier(b);
        AGON_WARPS(b, w) {
            AGON_LANES(l) {
                for (uint32_t i = (uint32_t)l; w == 0 && i < count * a->each; i += AGON__WARP)
                    to[i] = some[i / a->each] * a->each + i % a->each;
            }
        }
        agon_barrier(b);
    }
}

AGON_KERNEL_FN void agon__shuffle_one(agon__block* b, const agon__shuffle_args* a,
                                      const agon__update_member* member, uint32_t stream,
                                      uint32_t* index) {
    void* order = a->width ? (void*)((uint32_t*)b->shared + AGON__SHUFFLE_DRAWS) : (void*)index;
    const int width = a->width ? a->width : 4;
    agon__shuffle_order(b, a, member, stream, order, width);
    if (a->each > 1) {
        agon__shuffle_expand(b, a, order, width, index);
        return;
    }
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            for (uint32_t i = (uint32_t)l; w == 0 && a->width && i < a->count; i += AGON__WARP)
                index[i] = agon__order_get(order, width, i);
        }
    }
    agon_barrier(b);
}

/* A block of one warp per order, any number of blocks. Swaps follow each other, a few dozen cycles
 * each, all orders at once. Shared memory: AGON__SHUFFLE_SHARED + count * width bytes. */
AGON_KERNEL_FN void agon__kernel_shuffle(agon__block* b, const agon__shuffle_args* a) {
    const int all = a->members * a->epochs;
    for (int i = b->index; i < all; i += b->blocks) {
        const agon__update_member* member = &a->member[i / a->epochs];
        const uint32_t stream = member->stream + (uint32_t)(i % a->epochs * a->minibatches);
        agon__shuffle_one(b, a, member, stream, a->index + (uint64_t)i * a->count * a->each);
    }
}

#endif
