/* forward_walk.h: how the blocks of a grid share the rows of many groups.
 *
 * Work comes in items: (group, tile of rows), each `times` over. Block i of n takes the i-th of n
 * equal parts of the items in order, so that it stays with a net as long as it can. How many rows a
 * group has is known on the device alone: each block adds them up first. A slot is one row, or one
 * for each point of its image; of the slots a walk may take a part. */
#ifndef AGON_CUDA_FORWARD_WALK_H
#define AGON_CUDA_FORWARD_WALK_H

#include "cuda/block.h"

enum {
    AGON__FORWARD_WARPS = 8,  /* of a block of the forward's kernels */
    AGON__WALK_SHARED = 2176, /* bytes at the start of shared memory */
    AGON__WALK_PARTS = AGON__FORWARD_WARPS * AGON__WARP
};

typedef struct agon__walk_shared {
    int64_t part[AGON__WALK_PARTS];     /* items of a thread's groups */
    int64_t whole[AGON__FORWARD_WARPS]; /* of a warp's */
    int next[AGON__FORWARD_WARPS];      /* the first group with rows that a warp sees; -1: none */
} agon__walk_shared;

typedef struct agon__walk {
    const int *start, *count; /* (groups) slots */
    int groups, rows, times;
    int points;         /* rows of a slot; all rows of the walk are below 2^31 */
    int from, to;       /* slots that are walked over; to 0: all */
    int group;          /* of the item that the block is at */
    int64_t tile, left; /* which of its group, and items until the block has done its part */
} agon__walk;

/* The first slot of a group that is walked over, if there is one. */
AGON_KERNEL_FN int agon__walk_first(const agon__walk* walk, int group) {
    const int first = walk->start[group];
    return walk->to && first < walk->from ? walk->from : first;
}

AGON_KERNEL_FN int agon__walk_slots(const agon__walk* walk, int group) {
    if (!walk->to)
        return walk->count[group];
    const int end = walk->start[group] + walk->count[group];
    const int slots = (end < walk->to ? end : walk->to) - agon__walk_first(walk, group);
    return slots > 0 ? slots : 0;
}

AGON_KERNEL_FN int64_t agon__walk_tiles(const agon__walk* walk, int group) {
    const int count = agon__walk_slots(walk, group) * walk->points;
    return (int64_t)(count / walk->rows + (count % walk->rows != 0)) * walk->times;
}

/* Each thread adds up neighbouring groups, then each warp its threads' sums. */
AGON_KERNEL_FN void agon__walk_sum(agon__block* b, const agon__walk* walk, int each) {
    agon__walk_shared* s = (agon__walk_shared*)b->shared;
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            const int64_t first = (int64_t)(w * AGON__WARP + l) * each;
            int64_t sum = 0;
            for (int64_t g = first; g < first + each && g < walk->groups; g++)
                sum += agon__walk_tiles(walk, (int)g);
            s->part[w * AGON__WARP + l] = sum;
        }
    }
    agon_barrier(b);
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            int64_t sum = 0;
            for (int i = 0; i < AGON__WARP && l == 0; i++)
                sum += s->part[w * AGON__WARP + i];
            if (l == 0)
                s->whole[w] = sum;
        }
    }
    agon_barrier(b);
}

/* Where item `at` of all is. There is such an item. */
AGON_KERNEL_FN void agon__walk_find(const agon__block* b, agon__walk* walk, int each, int64_t at) {
    const agon__walk_shared* s = (const agon__walk_shared*)b->shared;
    int warp = 0, part;
    int64_t tiles;
    for (; at >= s->whole[warp]; warp++)
        at -= s->whole[warp];
    for (part = warp * AGON__WARP; at >= s->part[part]; part++)
        at -= s->part[part];
    walk->group = part * each;
    for (; at >= (tiles = agon__walk_tiles(walk, walk->group)); walk->group++)
        at -= tiles;
    walk->tile = at;
}

/* All warps begin here, with a walk of which group, tile and left are to be found. left is 0 where
 * the block has nothing to do. */
AGON_KERNEL_FN agon__walk agon__walk_open(agon__block* b, agon__walk walk) {
    const int each = (walk.groups + AGON__WALK_PARTS - 1) / AGON__WALK_PARTS;
    agon__walk_sum(b, &walk, each);
    const agon__walk_shared* s = (const agon__walk_shared*)b->shared;
    int64_t total = 0;
    for (int w = 0; w < AGON__FORWARD_WARPS; w++)
        total += s->whole[w];
    const int64_t from = total * b->index / b->blocks, to = total * (b->index + 1) / b->blocks;
    walk.left = to - from;
    if (walk.left > 0)
        agon__walk_find(b, &walk, each, from);
    return walk;
}

/* The next group that has rows; there is one. 256 are looked at together, as many are empty where
 * lanes take turns. */
AGON_KERNEL_FN void agon__walk_skip(agon__block* b, agon__walk* walk) {
    agon__walk_shared* s = (agon__walk_shared*)b->shared;
    int found = -1;
    for (int first = walk->group + 1; found < 0; first += AGON__WALK_PARTS) {
        AGON_WARPS(b, w) {
            const int from = first + w * AGON__WARP;
            AGON_LANE(float, near);
            AGON_LANES(l) {
                const int full = from + l < walk->groups && agon__walk_slots(walk, from + l) > 0;
                near[AGON_AT(l)] = full ? (float)-l : -100.0f;
            }
            const float nearest = agon_warp_max(near);
            AGON_LANES(l) {
                if (l == 0)
                    s->next[w] = nearest > -99.0f ? from - (int)nearest : -1;
            }
        }
        agon_barrier(b);
        for (int w = AGON__FORWARD_WARPS - 1; w >= 0; w--)
            found = s->next[w] >= 0 ? s->next[w] : found;
        agon_barrier(b);
    }
    walk->group = found;
}

/* On to the block's next item. */
AGON_KERNEL_FN void agon__walk_on(agon__block* b, agon__walk* walk) {
    walk->left--;
    walk->tile++;
    if (walk->left > 0 && walk->tile == agon__walk_tiles(walk, walk->group)) {
        walk->tile = 0;
        agon__walk_skip(b, walk);
    }
}

#endif
