/* rollout.h: filling a learner's rectangle with exactly `horizon` decisions per row.
 *
 * In each lane the learner holds the seats of `own_seats`: all of them when it meets itself, those
 * of its role where roles learn apart; the others are held together by one of the opponents. With
 * no own_seats it holds one seat, rotated by episode, and every other seat has an opponent of its
 * own. Opponents are fixed for the lane. Rectangle row: lane * (own seats) + the seat's place among
 * them, or the lane. A row's rewards from one of its decisions to its next, or to the end of the
 * episode, are the reward of the earlier one. A row is complete when its last decision is followed
 * by another decision (whose value it bootstraps from) or by the end; a lane stops when all its
 * rows are complete and goes on, with the same game, in the next rollout. Decisions made only to
 * complete another row of the lane are counted as extra and not learned from. */
#ifndef AGON_ROLLOUT_H
#define AGON_ROLLOUT_H

#include "agents/learner.h"
#include "engine/lanes.h"
#include "engine/task.h"

typedef struct agon_rollout_def {
    const agon_rules* rules;
    const agon_backend* backend;
    const agon_learner* learner; /* borrowed; acts with learner->packed */
    uint64_t own_seats;          /* bits of seats; 0: one, rotated by episode */
    int opponents;               /* 0 when every seat is the learner's */
    const agon_player* opponent; /* (opponents), borrowed */
    int lanes, horizon;
    /* 2: where the backend can begin a forward and finish it later, lanes are stepped as two
     * halves, one while the device works for the other; the same comes out. 0, 1: all at once. */
    int parts;
    agon_key chance, action;
    agon_profile* profile; /* borrowed, or NULL: told what is done */
} agon_rollout_def;

typedef struct agon_rollout_part {
    agon_lanes* lanes; /* owned */
    int first;         /* its first lane is this one of the rollout */
    int place;         /* the first of its places in the rectangle */
    int seen;          /* observations that data keeps of this rollout so far, from there on */
    int waiting;       /* lanes that are complete */
    uint64_t plies;    /* asked for in this rollout */
    bool asked;        /* and the last of them is not answered yet */
} agon_rollout_part;

typedef struct agon_rollout {
    agon_rollout_def def;
    agon_rollout_part part[2];
    int parts;
    agon_rectangle* data; /* owned; full after agon_rollout_collect */
    int rows_per_lane;    /* seats in own_seats, at least 1 */
    /* by rectangle row */
    int32_t* count; /* decisions stored in this rollout */
    int32_t* open;  /* decision that still collects reward; -1: none */
    uint8_t* complete;
    double* episode_return;
    uint32_t* episodes; /* (lanes) episodes begun */
    /* totals since agon_rollout_open */
    uint64_t steps, extra_steps, other_steps, finished;
    double return_sum; /* of the learner's rows over finished episodes */
    uint64_t return_count, length_sum;
} agon_rollout;

int agon_rollout_open(const agon_rollout_def* def, agon_rollout** out, agon_error* error);
/* Bytes of lanes, rectangle and counters; scratch of the backend comes on top. */
size_t agon_rollout_size(const agon_rollout* rollout);
void agon_rollout_close(agon_rollout* rollout);
/* Another thread's profile is told from now on. */
void agon_rollout_watch(agon_rollout* rollout, agon_profile* profile);

/* Fills rollout->data. AGON_ELIMIT when the learner's seats never come to act; AGON_EDEVICE and the
 * like where a forward failed, and then nothing in it counts. */
int agon_rollout_collect(agon_rollout* rollout, agon_error* error);
/* The same of several, whose forwards a device does side by side; each gives what it gives alone.
 * code: (count); error: (count), or NULL. */
void agon_rollouts_collect(agon_rollout* const* rollouts, int count, int* code, agon_error* error);

#endif
