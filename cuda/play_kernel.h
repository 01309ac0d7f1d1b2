/* play_kernel.h: the bookkeeping of rollouts on the device, for all members of a shard at once:
 * what engine/lanes.c and engine/rollout.c do on the host, in the same order of arithmetic.
 *
 * A step is sort, observe, forward, step. sort puts the acting seats of each member's live lanes
 * into slots, neighbours when one player holds them, and says where each slot's observation goes:
 * to its entry of the rectangle when it will be kept, else to a spare place. What a step will keep
 * is known before the forward, so nothing is copied. step (twin_kernel.h) plays. Where nets have
 * memory, recall_kernel.h follows. A lane that has nothing to do is left alone: how many steps
 * are put into a stream does not matter.
 *
 * Arrays, with lane = member * lanes + its number: by lane; by row = lane * own + i; by seat =
 * lane * seats + i; by slot, of which member m has m * lanes * seats and following ones; by group =
 * member * players + player. Player 0 is the learner. */
#ifndef AGON_CUDA_PLAY_KERNEL_H
#define AGON_CUDA_PLAY_KERNEL_H

#include "cuda/draw.h"
#include "cuda/layout.h"
#include "games/agon_game.h"

/* The fields of agon_play_counts in agents/shard.h. */
enum {
    AGON__PLAY_STEPS,
    AGON__PLAY_EXTRA_STEPS,
    AGON__PLAY_OTHER_STEPS,
    AGON__PLAY_EPISODES,
    AGON__PLAY_RETURN_COUNT,
    AGON__PLAY_LENGTH_SUM,
    AGON__PLAY_COUNTS
};
typedef struct agon__play_counts {
    uint64_t of[AGON__PLAY_COUNTS];
    double return_sum;
} agon__play_counts;

/* What a member tells the host. */
typedef struct agon__play_word {
    int32_t left;  /* lanes that are not complete yet */
    int32_t fault; /* 1: a game refused an action, or its chance did not end */
} agon__play_word;

typedef struct agon__play_args {
    int members, lanes, seats;
    int players;    /* of a member, 1 + its opponents at most */
    int own;        /* rows of a lane */
    int horizon;    /* decisions of a row */
    int outcomes;   /* of a chance node, at most */
    int stage;      /* bytes of shared memory that a thread of observe writes to first; 0: none */
    int remembered; /* floats that a seat remembers; 0: none, and then their arrays are empty */
    uint64_t own_seats;             /* 0: one, rotated by episode */
    uint8_t row_of[AGON_MAX_SEATS]; /* which row of its lane a seat of the learner's has */
    uint64_t state_size, obs_bytes;
    int mask_words;
    agon__gpu_rectangles rectangles;
    uint64_t spare; /* place of slot 0 when it is not kept */
    /* given */
    const void* config;
    const agon_key* chance;   /* (members) */
    const int32_t* opponents; /* (members) */
    /* by lane */
    char* state;
    uint64_t* acting;
    uint32_t* episodes; /* begun; the one that is played counts */
    uint32_t* ply;
    uint8_t* live;
    agon__play_counts* counts;
    /* by row */
    int32_t* count; /* decisions kept in this rollout */
    int32_t* open;  /* decision that still collects reward; -1: none */
    uint8_t* complete;
    double* episode_return;
    /* by seat */
    uint32_t* slot_of;   /* valid for seats that act, of live lanes */
    uint32_t* memory_of; /* how many episodes the lane had begun when its memory was written */
    float* memory;       /* (seats of all lanes, remembered), and a row of zeros */
    /* by slot */
    uint32_t* slot_lane;
    uint8_t* slot_seat;
    uint32_t* slot_episode;
    uint32_t* slot_ply;
    uint32_t* place;
    uint32_t* memory_row;
    uint16_t* action; /* these four: what the forward says */
    float* log_probability;
    float* value;
    float* memory_after; /* (slots, remembered) */
    /* by group */
    int32_t* start;
    int32_t* group;
    /* by member */
    int32_t* slots;
    agon__play_word* word;
    agon__play_counts* sums;
    /* by thread of the kernels start and step */
    double* prob; /* (threads, outcomes) */
} agon__play_args;

/* ---- who holds a seat ---------------------------------------------------------------------- */

/* In the episode before which the lane has begun `before` others. */
AGON_KERNEL_FN int agon__play_player(const agon__play_args* a, int member, int number,
                                     uint32_t before, int seat) {
    if (a->own_seats)
        return a->own_seats >> seat & 1 ? 0 : 1 + number % a->opponents[member];
    const int turn = (int)((before + (uint32_t)number) % (uint32_t)a->seats);
    return seat == turn ? 0 : 1 + (number + seat - (seat > turn)) % a->opponents[member];
}

/* One lane, as the functions below take it. */
typedef struct agon__play_lane {
    int member, number; /* number: within the member */
    int64_t lane, row;  /* row: its first one */
    uint64_t learner;   /* seats of the learner */
} agon__play_lane;

AGON_KERNEL_FN uint64_t agon__play_learner(const agon__play_args* a, int number, uint32_t before) {
    const uint32_t turn = (before + (uint32_t)number) % (uint32_t)a->seats;
    return a->own_seats ? a->own_seats : (uint64_t)1 << turn;
}

/* The lane and the episode that it plays. */
AGON_KERNEL_FN agon__play_lane agon__play_lane_at(const agon__play_args* a, int64_t lane) {
    agon__play_lane at;
    at.member = (int)((uint32_t)lane / (uint32_t)a->lanes);
    at.number = (int)((uint32_t)lane % (uint32_t)a->lanes);
    at.lane = lane;
    at.row = lane * a->own;
    at.learner = agon__play_learner(a, at.number, a->episodes[lane] - 1);
    return at;
}

/* Numbers of episodes interleave lanes, so they are unique within the task. */
AGON_KERNEL_FN uint32_t agon__play_episode(const agon__play_args* a, const agon__play_lane* at) {
    return (a->episodes[at->lane] - 1) * (uint32_t)a->lanes + (uint32_t)at->number;
}

AGON_KERNEL_FN int64_t agon__play_entry(const agon__play_args* a, int64_t row, int t) {
    return row * a->horizon + t;
}

/* ---- sort ----------------------------------------------------------------------------------- */

/* What a lane sees last, when it only waits for the value of a next decision, is not kept: its rows
 * are full. */
AGON_KERNEL_FN uint32_t agon__play_place(const agon__play_args* a, const agon__play_lane* at,
                                         int seat, uint32_t slot) {
    const int64_t row = at->row + a->row_of[seat];
    if (!(at->learner >> seat & 1) || a->count[row] >= a->horizon)
        return (uint32_t)(a->spare + slot);
    return (uint32_t)agon__play_entry(a, row, a->count[row]);
}

/* The seat's row of memory, or, before its first decision of the episode, the one of zeros. */
AGON_KERNEL_FN uint32_t agon__play_recalled(const agon__play_args* a, const agon__play_lane* at,
                                            int seat) {
    const int64_t row = at->lane * a->seats + seat, all = (int64_t)a->members * a->lanes * a->seats;
    return (uint32_t)(a->memory_of[row] == a->episodes[at->lane] ? row : all);
}

/* Shared memory of sort: how many slots of a player each thread finds, by player, then by thread;
 * sums over pieces of that; and how many lanes of each thread are live. */
typedef struct agon__play_sorter {
    int *found, *sum, *live;
    int threads, lanes; /* lanes: of a thread, neighbours */
} agon__play_sorter;

AGON_KERNEL_FN agon__play_sorter agon__play_sorter_of(agon__block* b, const agon__play_args* a) {
    agon__play_sorter s;
    s.threads = b->warps * AGON__WARP;
    s.lanes = (a->lanes + s.threads - 1) / s.threads;
    s.found = (int*)b->shared;
    s.sum = s.found + a->players * s.threads;
    s.live = s.sum + s.threads;
    return s;
}

AGON_KERNEL_FN void agon__play_find(const agon__play_sorter* s, const agon__play_args* a,
                                    int member, int thread) {
    int live = 0;
    for (int p = 0; p < a->players; p++)
        s->found[p * s->threads + thread] = 0;
    for (int i = thread * s->lanes; i < (thread + 1) * s->lanes && i < a->lanes; i++) {
        const int64_t lane = (int64_t)member * a->lanes + i;
        if (!a->live[lane])
            continue;
        live++;
        for (int seat = 0; seat < a->seats; seat++)
            if (a->acting[lane] >> seat & 1)
                s->found[agon__play_player(a, member, i, a->episodes[lane] - 1, seat) * s->threads +
                         thread]++;
    }
    s->live[thread] = live;
}

/* `found` becomes the number of slots before, in two rounds: pieces, then what lies in them. */
AGON_KERNEL_FN void agon__play_sum(const agon__play_sorter* s, int players, int thread) {
    int sum = 0;
    for (int i = 0; i < players; i++)
        sum += s->found[thread * players + i];
    s->sum[thread] = sum;
}

AGON_KERNEL_FN void agon__play_before(const agon__play_sorter* s, int players, int thread) {
    int before = 0;
    for (int i = 0; i < thread; i++)
        before += s->sum[i];
    for (int i = 0; i < players; i++) {
        const int here = s->found[thread * players + i];
        s->found[thread * players + i] = before;
        before += here;
    }
}

/* Thread `thread` tells of some groups, the first one of the member, too. */
AGON_KERNEL_FN void agon__play_tell(const agon__play_sorter* s, const agon__play_args* a,
                                    int member, int thread) {
    int all = 0, live = 0;
    for (int i = 0; i < s->threads; i++) {
        all += s->sum[i];
        live += s->live[i];
    }
    for (int p = thread; p < a->players; p += s->threads) {
        const int start = s->found[p * s->threads];
        a->start[member * a->players + p] = member * a->lanes * a->seats + start;
        a->group[member * a->players + p] =
            (p + 1 < a->players ? s->found[(p + 1) * s->threads] : all) - start;
    }
    if (thread == 0) {
        a->slots[member] = all;
        a->word[member].left = live;
    }
}

AGON_KERNEL_FN void agon__play_put(const agon__play_sorter* s, const agon__play_args* a,
                                   const agon__play_lane* at, int thread) {
    const uint32_t before = a->episodes[at->lane] - 1;
    for (int seat = 0; seat < a->seats; seat++) {
        if (!(a->acting[at->lane] >> seat & 1))
            continue;
        const int player = agon__play_player(a, at->member, at->number, before, seat);
        const uint32_t slot = (uint32_t)at->member * (uint32_t)(a->lanes * a->seats) +
                              (uint32_t)s->found[player * s->threads + thread]++;
        a->slot_of[at->lane * a->seats + seat] = slot;
        a->slot_lane[slot] = (uint32_t)at->lane;
        a->slot_seat[slot] = (uint8_t)seat;
        a->slot_episode[slot] = agon__play_episode(a, at);
        a->slot_ply[slot] = a->ply[at->lane];
        a->place[slot] = agon__play_place(a, at, seat, slot);
        if (a->remembered)
            a->memory_row[slot] = agon__play_recalled(a, at, seat);
    }
}

#define AGON__PLAY_THREADS(b, t, DO)                                                               \
    AGON_WARPS(b, w) {                                                                             \
        AGON_LANES(l) {                                                                            \
            const int t = w * AGON__WARP + l;                                                      \
            DO;                                                                                    \
        }                                                                                          \
    }

AGON_KERNEL_FN void agon__play_put_all(const agon__play_sorter* s, const agon__play_args* a,
                                       int member, int thread) {
    for (int i = thread * s->lanes; i < (thread + 1) * s->lanes && i < a->lanes; i++) {
        const int64_t lane = (int64_t)member * a->lanes + i;
        if (!a->live[lane])
            continue;
        const agon__play_lane at = agon__play_lane_at(a, lane);
        agon__play_put(s, a, &at, thread);
    }
}

/* Grid: any; a member per block. A counting sort whose order is that of the lanes. It reads 30
 * bytes of a lane and writes 25 of a slot. */
AGON_KERNEL_FN void agon__kernel_play_sort(agon__block* b, const agon__play_args* a) {
    const agon__play_sorter s = agon__play_sorter_of(b, a);
    for (int m = b->index; m < a->members; m += b->blocks) {
        AGON__PLAY_THREADS(b, t, agon__play_find(&s, a, m, t))
        agon_barrier(b);
        AGON__PLAY_THREADS(b, t, agon__play_sum(&s, a->players, t))
        agon_barrier(b);
        AGON__PLAY_THREADS(b, t, agon__play_before(&s, a->players, t))
        agon_barrier(b);
        AGON__PLAY_THREADS(b, t, agon__play_tell(&s, a, m, t))
        agon_barrier(b);
        AGON__PLAY_THREADS(b, t, agon__play_put_all(&s, a, m, t))
        agon_barrier(b);
    }
}

/* ---- decisions and rewards ------------------------------------------------------------------ */

AGON_KERNEL_FN int agon__play_is_complete(const agon__play_args* a, const agon__play_lane* at) {
    for (int i = 0; i < a->own; i++)
        if (!a->complete[at->row + i])
            return 0;
    return 1;
}

/* Does a row, which must decide again, end with the value of that decision? */
AGON_KERNEL_FN int agon__play_closes(const agon__play_args* a, int64_t row) {
    return a->count[row] == a->horizon && a->open[row] >= 0;
}

/* A row with a full count that must decide again closes with the value of this decision. */
AGON_KERNEL_FN void agon__play_close(const agon__play_args* a, const agon__play_lane* at) {
    const uint64_t deciding = a->acting[at->lane] & at->learner;
    for (int seat = 0; seat < a->seats; seat++) {
        const int64_t row = at->row + a->row_of[seat];
        if (!(deciding >> seat & 1) || !agon__play_closes(a, row))
            continue;
        a->rectangles.bootstrap[row] = a->value[a->slot_of[at->lane * a->seats + seat]];
        a->open[row] = -1;
        a->complete[row] = 1;
    }
}

AGON_KERNEL_FN void agon__play_store(const agon__play_args* a, const agon__play_lane* at, int seat,
                                     uint32_t slot) {
    const agon__gpu_rectangles* d = &a->rectangles;
    const int64_t row = at->row + a->row_of[seat];
    if (a->count[row] >= a->horizon) {
        a->counts[at->lane].of[AGON__PLAY_EXTRA_STEPS]++;
        return;
    }
    const int64_t entry = agon__play_entry(a, row, a->count[row]);
    d->action[entry] = a->action[slot];
    d->log_probability[entry] = a->log_probability[slot];
    d->value[entry] = a->value[slot];
    d->reward[entry] = 0;
    d->last[entry] = 0;
    a->open[row] = a->count[row]++;
    a->counts[at->lane].of[AGON__PLAY_STEPS]++;
}

/* Keeps what was decided. action: (seats) of those that act. */
AGON_KERNEL_FN void agon__play_decided(const agon__play_args* a, const agon__play_lane* at,
                                       uint16_t* action) {
    for (int seat = 0; seat < a->seats; seat++) {
        if (!(a->acting[at->lane] >> seat & 1))
            continue;
        const uint32_t slot = a->slot_of[at->lane * a->seats + seat];
        action[seat] = a->action[slot];
        if (at->learner >> seat & 1)
            agon__play_store(a, at, seat, slot);
        else
            a->counts[at->lane].of[AGON__PLAY_OTHER_STEPS]++;
    }
}

AGON_KERNEL_FN void agon__play_credit(const agon__play_args* a, const agon__play_lane* at,
                                      const float* reward) {
    for (int seat = 0; seat < a->seats; seat++) {
        if (!(at->learner >> seat & 1))
            continue;
        const int64_t row = at->row + a->row_of[seat];
        a->episode_return[row] += (double)reward[seat];
        if (a->open[row] >= 0)
            a->rectangles.reward[agon__play_entry(a, row, a->open[row])] += reward[seat];
    }
}

/* The end of an episode, for a row and for the counts. */
AGON_KERNEL_FN void agon__play_last(const agon__play_args* a, const agon__play_lane* at,
                                    int64_t row) {
    a->counts[at->lane].return_sum += a->episode_return[row];
    a->counts[at->lane].of[AGON__PLAY_RETURN_COUNT]++;
    if (a->open[row] < 0)
        return;
    a->rectangles.last[agon__play_entry(a, row, a->open[row])] = 1;
    a->open[row] = -1;
    if (a->count[row] == a->horizon) {
        a->rectangles.bootstrap[row] = 0;
        a->complete[row] = 1;
    }
}

AGON_KERNEL_FN void agon__play_end(const agon__play_args* a, const agon__play_lane* at) {
    for (int i = 0; i < a->own; i++)
        agon__play_last(a, at, at->row + i);
    a->counts[at->lane].of[AGON__PLAY_EPISODES]++;
    a->counts[at->lane].of[AGON__PLAY_LENGTH_SUM] += a->ply[at->lane];
}

/* What chance gave before the first decision. */
AGON_KERNEL_FN void agon__play_begin(const agon__play_args* a, const agon__play_lane* at,
                                     const float* reward) {
    for (int i = 0; i < a->own; i++)
        a->episode_return[at->row + i] = 0;
    for (int seat = 0; seat < a->seats; seat++)
        if (at->learner >> seat & 1)
            a->episode_return[at->row + a->row_of[seat]] += (double)reward[seat];
}

/* ---- sums ----------------------------------------------------------------------------------- */

/* Grid: any; a warp per member, one field a lane, summed over the member's lanes in their order. */
AGON_KERNEL_FN void agon__kernel_play_counts(agon__block* b, const agon__play_args* a) {
    AGON_WARPS(b, w) {
        for (int m = b->index * b->warps + w; m < a->members; m += b->blocks * b->warps) {
            const agon__play_counts* of = a->counts + (int64_t)m * a->lanes;
            AGON_LANES(l) {
                uint64_t sum = 0;
                double returns = 0;
                for (int i = 0; l < AGON__PLAY_COUNTS && i < a->lanes; i++)
                    sum += of[i].of[l];
                for (int i = 0; l == AGON__PLAY_COUNTS && i < a->lanes; i++)
                    returns += of[i].return_sum;
                if (l < AGON__PLAY_COUNTS)
                    a->sums[m].of[l] = sum;
                if (l == AGON__PLAY_COUNTS)
                    a->sums[m].return_sum = returns;
            }
        }
    }
}

#endif
