/* forward_plan.h: which kernels a forward needs, and how they are cut: pure functions of sizes.
 *
 * What a block has in shared memory decides. A fused cut (forward_kernel.h) needs the activations
 * of a tile twice, and weights of enough outputs to keep its warps at work; with a whole net there
 * it is resident. Everything else goes layer by layer (forward_wide.h), and so do all nets with
 * convolutions. These and wide ones with minGRU layers go in passes over a part of the slots each,
 * where their arrays would be large. No result depends on it. */
#ifndef AGON_CUDA_FORWARD_PLAN_H
#define AGON_CUDA_FORWARD_PLAN_H

#include "cuda/forward_args.h"

enum { AGON__FORWARD_LAUNCHES = AGON__GPU_LINEARS + 1 };

typedef struct agon__forward_machine {
    int processors;
    size_t shared; /* bytes a block may have */
    size_t room;   /* bytes of scratch that a pass may take; more where one slot needs more. Nets of
                      dense layers alone take what they need, in one pass */
} agon__forward_machine;

/* One kernel of the image "kernels". */
typedef struct agon__forward_launch {
    const char* name;
    int blocks, warps;
    size_t shared;
    agon__forward_args args;
} agon__forward_launch;

/* Launches in order, with pointers into the call; all of them for each pass. */
typedef struct agon__forward_plan {
    int passes, slots; /* slots of a pass; the last may have fewer */
    int count;
    agon__forward_launch launch[AGON__FORWARD_LAUNCHES];
} agon__forward_plan;

/* The fused cut with tiles of up to `rows` (16, 32, 64) rows; its rows are 0 if the net does not
 * fit. resident: 1, whole nets stay; 0: they are staged in parts. */
agon__forward_cut agon__forward_cut_fused(const agon__gpu_net* net, size_t shared, int rows,
                                          int resident);
/* The cut of a layer of the wide path; always possible with 64 KiB. */
agon__forward_cut agon__forward_cut_wide(const agon__gpu_net* net, size_t shared, int rows,
                                         int layer);
/* What a call would use: resident, in parts, or wide (rows 0). */
agon__forward_cut agon__forward_choose_cut(const agon__gpu_net* net, size_t shared, int rows);

size_t agon__forward_scratch_of(const agon__forward_machine* machine, const agon__gpu_net* net,
                                int slots);

/* One launch with this cut, or, where its rows are 0, the wide path's with tiles of `rows`; 0: as
 * large as the groups. */
void agon__forward_plan_cut(const agon__forward_machine* machine, const agon__gpu_forward* call,
                            const agon__forward_cut* fused, int rows, agon__forward_plan* out);
void agon__forward_plan_of(const agon__forward_machine* machine, const agon__gpu_forward* call,
                           agon__forward_plan* out);
/* The launches become those of a pass. */
void agon__forward_plan_pass(agon__forward_plan* plan, int pass);

#endif
