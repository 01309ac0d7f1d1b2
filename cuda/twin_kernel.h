/* twin_kernel.h: the kernels of one game, its device twin. A file that includes this is compiled
 * once per game, with
 *
 *   AGON_TWIN         the game's name, as in the names of its functions
 *   AGON_TWIN_FILE    its file, "games/NAME.c", which is included as it is
 *   AGON_TWIN_CHANCE  1: it has a function `chance`
 *
 * and becomes an image of that name. See play_kernel.h for what a step is. */
#ifndef AGON_CUDA_TWIN_KERNEL_H
#define AGON_CUDA_TWIN_KERNEL_H

#include "cuda/play_kernel.h"

#include AGON_TWIN_FILE

#define AGON__TWIN_JOIN(name, what) name##what
#define AGON__TWIN_NAME(name, what) AGON__TWIN_JOIN(name, what)
#define AGON__TWIN_FN(what)         AGON__TWIN_NAME(AGON_TWIN, what)

/* Every kernel of a twin, and the struct of its arguments. */
#define AGON_TWIN_KERNELS(X)                                                                       \
    X(start, agon__play_args)                                                                      \
    X(observe, agon__play_args)                                                                    \
    X(step, agon__play_args)

/* ---- chance --------------------------------------------------------------------------------- */

enum { AGON__TWIN_DRAWS = 65536 }; /* chance nodes in a row; more is a game that does not go on */

#if AGON_TWIN_CHANCE
/* prob: this thread's. An outcome, as agon_rules_chance. */
AGON_KERNEL_FN int agon__twin_outcome(const agon__play_args* a, const void* state, double* prob,
                                      agon_draw bits) {
    const int count = AGON__TWIN_FN(_chance)(a->config, state, prob);
    double left = agon__draw_uniform_double(bits.word[0], bits.word[1]);
    for (int i = 0; i < count - 1; i++) {
        left -= prob[i];
        if (left < 0)
            return i;
    }
    return count - 1;
}

/* One chance node. 0: the game is wrong. */
AGON_KERNEL_FN int agon__twin_chance(const agon__play_args* a, const agon__play_lane* at,
                                     float* reward, double* prob, uint32_t draw) {
    void* state = a->state + (uint64_t)at->lane * a->state_size;
    uint16_t action[AGON_MAX_SEATS] = {0};
    const agon_draw bits = agon__draw(a->chance[at->member], agon__play_episode(a, at),
                                      a->ply[at->lane], AGON_SEAT_CHANCE, draw);
    action[0] = (uint16_t)agon__twin_outcome(a, state, prob, bits);
    return AGON__TWIN_FN(_apply)(a->config, state, action, reward) == 0;
}
#else
AGON_KERNEL_FN int agon__twin_chance(const agon__play_args* a, const agon__play_lane* at,
                                     float* reward, double* prob, uint32_t draw) {
    (void)a, (void)at, (void)reward, (void)prob, (void)draw;
    return 0;
}
#endif

/* As agon_rules_settle. AGON_CHANCE: the game is wrong. */
AGON_KERNEL_FN uint64_t agon__twin_settle(const agon__play_args* a, const agon__play_lane* at,
                                          float* reward, double* prob) {
    const void* state = a->state + (uint64_t)at->lane * a->state_size;
    uint64_t acting = AGON__TWIN_FN(_acting)(a->config, state);
    for (uint32_t draw = 0; acting == AGON_CHANCE && draw < AGON__TWIN_DRAWS; draw++) {
        if (!agon__twin_chance(a, at, reward, prob, draw))
            break;
        acting = AGON__TWIN_FN(_acting)(a->config, state);
    }
    return acting;
}

/* ---- lanes ---------------------------------------------------------------------------------- */

/* Any number of threads may say so: they say the same. */
AGON_KERNEL_FN void agon__twin_fault(const agon__play_args* a, const agon__play_lane* at) {
    a->word[at->member].fault = 1;
    a->live[at->lane] = 0;
}

/* A new episode, settled at its first decision. */
AGON_KERNEL_FN void agon__twin_start(const agon__play_args* a, int64_t lane, double* prob) {
    float reward[AGON_MAX_SEATS] = {0};
    a->episodes[lane]++;
    a->ply[lane] = 0;
    const agon__play_lane at = agon__play_lane_at(a, lane);
    AGON__TWIN_FN(_init)(a->config, a->state + (uint64_t)lane * a->state_size);
    a->acting[lane] = agon__twin_settle(a, &at, reward, prob);
    if (a->acting[lane] == AGON_CHANCE)
        agon__twin_fault(a, &at);
    agon__play_begin(a, &at, reward);
}

/* One ply of a lane whose seats have decided. 0: the game is wrong. */
AGON_KERNEL_FN int agon__twin_ply(const agon__play_args* a, const agon__play_lane* at,
                                  const uint16_t* action, double* prob) {
    float reward[AGON_MAX_SEATS] = {0};
    void* state = a->state + (uint64_t)at->lane * a->state_size;
    if (AGON__TWIN_FN(_apply)(a->config, state, action, reward) != 0)
        return 0;
    a->ply[at->lane]++;
    a->acting[at->lane] = agon__twin_settle(a, at, reward, prob);
    agon__play_credit(a, at, reward);
    return a->acting[at->lane] != AGON_CHANCE;
}

AGON_KERNEL_FN void agon__twin_step(const agon__play_args* a, int64_t lane, double* prob) {
    uint16_t action[AGON_MAX_SEATS] = {0};
    if (!a->live[lane])
        return;
    const agon__play_lane at = agon__play_lane_at(a, lane);
    agon__play_close(a, &at);
    if (agon__play_is_complete(a, &at)) {
        a->live[lane] = 0;
        return;
    }
    agon__play_decided(a, &at, action);
    /* Chance may end an episode before anybody acts. */
    if (a->acting[lane] && !agon__twin_ply(a, &at, action, prob))
        agon__twin_fault(a, &at);
    if (a->acting[lane])
        return;
    agon__play_end(a, &at);
    agon__twin_start(a, lane, prob);
    if (agon__play_is_complete(a, &at))
        a->live[lane] = 0;
}

/* DO for every lane of all members, with the thread's memory for probabilities. */
#define AGON__TWIN_LANES(b, a, lane, prob, DO)                                                     \
    AGON_WARPS(b, w) {                                                                             \
        const int64_t warp = (int64_t)(b)->index * (b)->warps + w;                                 \
        const int64_t all = (int64_t)(a)->members * (a)->lanes;                                    \
        const int64_t stride = (int64_t)(b)->blocks * (b)->warps * AGON__WARP;                     \
        AGON_LANES(l) {                                                                            \
            double* prob = (a)->prob + (warp * AGON__WARP + l) * (a)->outcomes;                    \
            for (int64_t lane = warp * AGON__WARP + l; lane < all; lane += stride)                 \
                DO;                                                                                \
        }                                                                                          \
    }

/* Grid: as many threads as `prob` has room for, or fewer; likewise step. */
AGON_KERNEL_FN void agon__kernel_start(agon__block* b, const agon__play_args* a){
    AGON__TWIN_LANES(b, a, lane, prob, agon__twin_start(a, lane, prob))}

/* A thread per lane: it reads and writes the state, a few words of bookkeeping, and for each
 * decision that is kept 18 bytes of the rectangle. */
AGON_KERNEL_FN void agon__kernel_step(agon__block* b, const agon__play_args* a){
    AGON__TWIN_LANES(b, a, lane, prob, agon__twin_step(a, lane, prob))}

/* ---- what seats see ------------------------------------------------------------------------- */

AGON_KERNEL_FN char* agon__twin_sight(const agon__play_args* a, int64_t slot) {
    return (char*)a->rectangles.obs + (uint64_t)a->place[slot] * a->obs_bytes;
}

/* stage: where the observation goes first, or NULL. */
AGON_KERNEL_FN void agon__twin_see(const agon__play_args* a, int64_t slot, char* stage) {
    const void* state = a->state + (uint64_t)a->slot_lane[slot] * a->state_size;
    const int seat = a->slot_seat[slot];
    AGON__TWIN_FN(_observe)(a->config, state, seat, stage ? stage : agon__twin_sight(a, slot));
    AGON__TWIN_FN(_legal)
    (a->config, state, seat,
     a->rectangles.mask + (uint64_t)a->place[slot] * (uint64_t)a->mask_words);
}

/* A warp writes `count` observations, neighbouring bytes by neighbouring lanes. */
AGON_KERNEL_FN void agon__twin_unstage(const agon__play_args* a, int64_t slot, int count,
                                       const char* stage) {
    const uint64_t words = a->obs_bytes % 4 ? 0 : a->obs_bytes / 4;
    for (int i = 0; i < count; i++) {
        char* to = agon__twin_sight(a, slot + i);
        const char* from = stage + i * a->stage;
        AGON_LANES(l) {
            for (uint64_t k = (uint64_t)l; k < words; k += AGON__WARP)
                ((uint32_t*)to)[k] = ((const uint32_t*)from)[k];
            for (uint64_t k = 4 * words + (uint64_t)l; k < a->obs_bytes; k += AGON__WARP)
                to[k] = from[k];
        }
    }
}

/* `count` slots, at most one for a thread. */
AGON_KERNEL_FN void agon__twin_look(agon__block* b, const agon__play_args* a, int64_t slot,
                                    int count) {
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            const int i = w * AGON__WARP + l;
            if (i < count)
                agon__twin_see(a, slot + i, a->stage ? b->shared + i * a->stage : NULL);
        }
    }
    if (!a->stage) {
        agon_apart(b); /* other slots have other places */
        return;
    }
    agon_barrier(b);
    AGON_WARPS(b, w) {
        const int i = w * AGON__WARP, left = count - i;
        agon__twin_unstage(a, slot + i, left < AGON__WARP ? left : AGON__WARP,
                           b->shared + i * a->stage);
    }
    agon_barrier(b);
}

/* Grid: any; a thread per slot. It reads a state and writes an observation and a mask. */
AGON_KERNEL_FN void agon__kernel_observe(agon__block* b, const agon__play_args* a) {
    const int threads = b->warps * AGON__WARP, each = a->lanes * a->seats;
    const int pieces = (each + threads - 1) / threads; /* of a member's slots */
    for (int i = b->index; i < a->members * pieces; i += b->blocks) {
        const int member = i / pieces, first = i % pieces * threads;
        const int left = a->slots[member] - first;
        if (left > 0)
            agon__twin_look(b, a, (int64_t)member * each + first, left < threads ? left : threads);
    }
}

#endif
