/* recall_kernel.h: what seats remember in rollouts on the device, from one decision to the next:
 * the rows of agon__gpu_forward.memory, and those that a rectangle keeps. Internal to cuda/.
 *
 * A seat's row is what its last decision that was played left, and counts in the episode in which
 * that was; before there is one the forward reads the row of zeros. So an episode begins without a
 * word about memory. A lane that is held back did not play what it decided: its rows stay, and it
 * decides the same again in the next rollout. */
#ifndef AGON_CUDA_RECALL_KERNEL_H
#define AGON_CUDA_RECALL_KERNEL_H

#include "cuda/play_kernel.h"

/* Was the decision of a slot played, in an episode that goes on? */
AGON_KERNEL_FN int agon__recall_played(const agon__play_args* a, const agon__play_lane* at,
                                       int64_t slot) {
    return a->slot_episode[slot] == agon__play_episode(a, at) &&
           a->slot_ply[slot] != a->ply[at->lane];
}

/* Which row of the rectangles begins with this decision; -1: none. */
AGON_KERNEL_FN int64_t agon__recall_begun(const agon__play_args* a, int64_t slot) {
    const uint32_t place = a->place[slot], horizon = (uint32_t)a->horizon;
    return place >= a->spare || place % horizon ? -1 : (int64_t)(place / horizon);
}

AGON_KERNEL_FN void agon__recall_copy(const agon__play_args* a, float* to, const float* from,
                                      int first, int step) {
    for (int k = first; k < a->remembered; k += step)
        to[k] = from[k];
}

/* Thread `first` of `step` that share a slot. What the rectangle gets was there before the
 * decision, so it comes first; each float is one thread's in both copies. */
AGON_KERNEL_FN void agon__recall_slot(const agon__play_args* a, int64_t slot, int first, int step) {
    const int64_t floats = a->remembered, begun = agon__recall_begun(a, slot);
    const agon__play_lane at = agon__play_lane_at(a, a->slot_lane[slot]);
    const int64_t seat = at.lane * a->seats + a->slot_seat[slot];
    if (begun >= 0)
        agon__recall_copy(a, a->rectangles.memory + begun * floats,
                          a->memory + a->memory_row[slot] * floats, first, step);
    if (!agon__recall_played(a, &at, slot))
        return;
    agon__recall_copy(a, a->memory + seat * floats, a->memory_after + slot * floats, first, step);
    if (first == 0)
        a->memory_of[seat] = a->episodes[at.lane];
}

/* Slots that a warp takes at once: as many as there are times `remembered` in its lanes. */
AGON_KERNEL_FN int agon__recall_share(int remembered) {
    return remembered < AGON__WARP ? AGON__WARP / remembered : 1;
}

/* Grid: any; after a step. A warp copies slots that are neighbours, float by float side by side: 8
 * bytes of a float that is remembered, 12 where a row of the rectangle begins. */
AGON_KERNEL_FN void agon__kernel_play_recall(agon__block* b, const agon__play_args* a) {
    const int share = agon__recall_share(a->remembered), each = a->lanes * a->seats;
    const int step = a->remembered < AGON__WARP ? a->remembered : AGON__WARP;
    const int pieces = (each + share - 1) / share; /* of a member's slots */
    AGON_WARPS(b, w) {
        const int64_t all = (int64_t)a->members * pieces, stride = (int64_t)b->blocks * b->warps;
        for (int64_t i = (int64_t)b->index * b->warps + w; i < all; i += stride) {
            const int member = (int)(i / pieces), first = (int)(i % pieces) * share;
            AGON_LANES(l) {
                const int slot = first + l / step;
                if (l / step < share && slot < a->slots[member])
                    agon__recall_slot(a, (int64_t)member * each + slot, l % step, step);
            }
        }
    }
}

#endif
