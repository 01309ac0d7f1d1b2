/* shard.h: learners that are trained side by side where that is one piece of work, on a GPU.
 *
 * A shard is several train tasks of one game, architecture and size. Each of its members gets what
 * it would get alone on the same kind of device, byte for byte: what a row gives depends on that
 * row and its net, and randomness is keyed by task. */
#ifndef AGON_SHARD_H
#define AGON_SHARD_H

#include "agents/learner.h"
#include "agents/policy.h"

typedef struct agon_play_counts { /* since the shard was opened */
    uint64_t steps;               /* decisions that the rectangle keeps */
    uint64_t extra_steps;         /* made only to complete another row of the lane */
    uint64_t other_steps;         /* of opponents */
    uint64_t episodes;            /* that ended */
    uint64_t return_count, length_sum;
    double return_sum; /* of the learner's rows over these episodes */
} agon_play_counts;

typedef struct agon_shard_member {
    agon_learner* learner; /* borrowed; read when opened, written by fetch */
    int opponents;
    const agon_player* opponent; /* (opponents) borrowed; nets alone when the shard plays */
    agon_key chance, action, shuffle;
    agon_rectangle* data; /* borrowed, filled by the caller before each update; NULL when the shard
                             plays */
    agon_ppo ppo;         /* of the next update; read then */
    agon_update_stats stats;   /* out, of the last update: means over minibatches */
    agon_play_counts counts;   /* out, when the shard plays */
    double explained_variance; /* out, of the last rollout */
} agon_shard_member;

typedef struct agon_shard_def {
    const agon_rules* rules;
    int lanes, horizon;
    uint64_t own_seats; /* as in engine/rollout.h: 0 for one seat, rotated by episode */
    int plays;   /* 1: the shard fills rectangles itself; agon_shard_backend.plays allows it */
    int members; /* >= 1; one architecture, and one number of minibatches and epochs */
    agon_shard_member* member; /* (members) borrowed until it is closed */
} agon_shard_def;

typedef struct agon_shard agon_shard;

typedef struct agon_shard_backend {
    /* Can a shard fill the rectangles of this game itself? */
    bool (*plays)(const agon_rules* rules);
    /* How many members like member[0] fit into what memory the device has free; at least 1. */
    int (*room)(const agon_shard_def* def);
    int (*open)(const agon_shard_def* def, agon_shard** out, agon_error* error);
    /* One rollout of every member, when the shard plays: fills the rectangles and counts. */
    int (*collect)(agon_shard* shard, agon_error* error);
    /* One whole PPO update (agon_ppo_train) of every member: fills stats. Afterwards
     * learner->packed stands for the new parameters; learner->params follows with fetch. */
    int (*update)(agon_shard* shard, agon_error* error);
    /* Parameters, moments, powers and updates of every learner, and explained_variance. */
    int (*fetch)(agon_shard* shard, agon_error* error);
    void (*close)(agon_shard* shard); /* NULL is fine */
} agon_shard_backend;

#endif
