/* play_plan.h: how the rollouts of a shard lie in the memory of a GPU, and how their kernels are
 * cut: all of play.c that needs no GPU. Internal to cuda/. */
#ifndef AGON_CUDA_PLAY_PLAN_H
#define AGON_CUDA_PLAY_PLAN_H

#include "agents/shard.h"
#include "cuda/forward.h"
#include "cuda/play_kernel.h"

/* The grid of a kernel. */
typedef struct agon__play_grid {
    int blocks, warps;
    size_t shared; /* bytes of a block */
} agon__play_grid;

typedef struct agon__play_memory { /* a piece of the memory */
    void* at;
    size_t bytes;
} agon__play_memory;

typedef struct agon__play_plan {
    agon__play_args args;
    agon__gpu_forward forward; /* without scratch */
    size_t bytes;              /* of memory */
    agon__play_memory given;   /* written by agon__play_give; args.config and so on lie in it */
    agon__play_memory count, open, complete, live; /* what a rollout begins with: 0, -1, 0, 1 */
    agon__play_memory told;                        /* args.word, then args.sums */
    agon__play_grid sort, observe, step, counts;   /* step: also of start */
    agon__play_grid recall;                        /* no blocks where nothing is remembered */
    uint64_t limit; /* steps that are enough if the learner's seats come to act at all */
} agon__play_plan;

/* Learner and opponents of the member that has most. */
int agon__play_players(const agon_shard_def* shard);

/* players: as above; members are not read. memory: of the device, `bytes` and full of zeros when
 * the kernel `start` is run; NULL to learn them. rectangles: NULL to learn them, too. processors:
 * of the device. */
agon__play_plan agon__play_plan_of(const agon_shard_def* shard, int players,
                                   const agon__gpu_net* net, const agon__gpu_rectangles* rectangles,
                                   int processors, void* memory);

/* Fills `out` (given.bytes, of the host) with what plan->given is to hold. packed: as in
 * agon__gpu_play_def. */
void agon__play_give(const agon__play_plan* plan, const agon_shard_def* shard,
                     const void* const* const* packed, void* out);

#endif
