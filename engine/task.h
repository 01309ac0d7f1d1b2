/* task.h: a pure function call as data. Same task, same result, anywhere.
 *
 * Tasks and results travel as msgpack, even when run in the same process, so that every executor
 * runs the same code. A policy is named by a reference: 64 hex digits (a snapshot blob) or the text
 * of a scripted policy ("one_ply"). */
#ifndef AGON_TASK_H
#define AGON_TASK_H

#include "agents/learner.h"
#include "engine/blob.h"

#define AGON_REF_SIZE      128
#define AGON_KEY_SIZE      96
#define AGON_MAX_OPPONENTS 64
#define AGON_TASK_FORMAT   1 /* of the encoding */

typedef enum agon_task_kind { AGON_TRAIN = 1, AGON_MATCH = 2, AGON_PROBE = 3 } agon_task_kind;

typedef struct agon_train_task {
    int generation, agent;
    char net[128];                /* architecture text */
    char learner[AGON_HASH_SIZE]; /* blob; "": a new learner, made from the key */
    uint64_t own_seats; /* bits: seats that the learner holds in every game; 0: one seat, rotated */
    int opponents;      /* references, 1..AGON_MAX_OPPONENTS; 0: all seats are its own, or
                           rollouts 0 */
    char opponent[AGON_MAX_OPPONENTS][AGON_REF_SIZE];
    int lanes, horizon, rollouts; /* rollouts 0: make the learner and its first snapshot only */
    agon_ppo ppo;                 /* learning rate and entropy weight at the first rollout ... */
    float learning_rate_end, entropy_end; /* ... and, linearly, just after the last */
} agon_train_task;

typedef struct agon_match_task {
    int generation;
    int row, col; /* agent numbers; col < 0: anchor -1 - col */
    int final;    /* 1: of the closing evaluation */
    char row_ref[AGON_REF_SIZE];
    char col_ref[AGON_REF_SIZE]; /* takes all other seats */
    /* 0: the row sits once in each seat, and `games` is a multiple of their number. Else bits: the
     * seats that it holds in every game; then every game is a group of its own. */
    uint64_t row_seats;
    int games;
    int opening;       /* random plies at the start */
    float temperature; /* of both; 0: greedy */
} agon_match_task;

typedef struct agon_probe_task {
    int generation, agent;
    char ref[AGON_REF_SIZE];
    char probes[AGON_HASH_SIZE]; /* probe set blob */
    int exact_nodes;             /* NashConv when the tree has at most so many nodes; 0: never */
} agon_probe_task;

typedef struct agon_task {
    agon_task_kind kind;
    char key[AGON_KEY_SIZE]; /* "train/12/3": its name, and the root of its randomness */
    uint64_t seed;           /* of the run */
    char game[128];
    uint64_t fingerprint; /* of the rules; a worker with other rules refuses */
    union {
        agon_train_task train;
        agon_match_task match;
        agon_probe_task probe;
    } as;
} agon_task;

typedef struct agon_train_result {
    char learner[AGON_HASH_SIZE], snapshot[AGON_HASH_SIZE];
    uint64_t steps;                /* agent-steps of this task that were stored and learned from */
    uint64_t extra_steps;          /* decisions the learner made but did not store */
    uint64_t other_steps;          /* decisions of opponents */
    uint64_t total_steps, updates; /* of the learner since its birth */
    uint64_t episodes;
    double return_mean;        /* of the learner, over finished episodes; 0 without any */
    double length_mean;        /* plies of finished episodes */
    agon_update_stats stats;   /* means over the task's updates */
    double explained_variance; /* of the last rollout's value predictions */
} agon_train_result;

/* Returns of the row policy in one seat; where it holds several, their mean, at the first. */
typedef struct agon_tally {
    uint64_t games, wins, draws, losses; /* win: more than the mean of the other seats */
    double sum, sum_squares;             /* of returns */
} agon_tally;

typedef struct agon_feature_sum {
    double row, col; /* of the row policy and of the others: means of their seats */
} agon_feature_sum;

typedef struct agon_match_result {
    int seats;
    agon_tally tally[AGON_MAX_SEATS]; /* by the row policy's seat */
    /* A pair (group) is the games of one opening, the row policy once in each seat (with row_seats:
     * one game); its score is the mean of the row policy's returns. */
    uint64_t pairs;
    double pair_sum, pair_sum_squares;
    uint64_t row_steps, col_steps, plies;
    /* What the game's `features` and `stats` say, summed over all games. */
    int features, stats; /* as many as the game has */
    agon_feature_sum feature[AGON_MAX_NUMBERS];
    double stat[AGON_MAX_NUMBERS];
} agon_match_result;

typedef struct agon_probe_result {
    int states, actions;
    float* probability;               /* (states, actions), malloc'd; exact action probabilities */
    int exact;                        /* 1: the next four hold */
    double nash_conv;                 /* all seats play the policy */
    double worst_first, worst_second; /* greedy: lowest return against optimal play, by seat; NaN
                                         unless minimax is defined */
    double value;                     /* minimax value for seat 0, NaN unless defined */
} agon_probe_result;

typedef struct agon_result {
    agon_task_kind kind;
    char key[AGON_KEY_SIZE];
    union {
        agon_train_result train;
        agon_match_result match;
        agon_probe_result probe;
    } as;
    int blobs; /* 0..2 new blobs, owned */
    agon_bytes blob[2];
} agon_result;

void agon_result_clear(agon_result* result); /* frees what it owns */
/* Calls visit for every policy and blob that a task names: references, learner, probe set. Several
 * may be the same. */
void agon_task_each_ref(const agon_task* task, void (*visit)(void* user, const char* ref),
                        void* user);
bool agon_ref_is_hash(const char* ref); /* a blob, rather than a scripted policy */
/* Characters of a reference that people are shown: a program's without its file's hash. */
int agon_ref_shown(const char* ref);

/* The generation that a task belongs to. */
int agon_task_generation(const agon_task* task);
/* Games of a match. */
uint64_t agon_match_games(const agon_match_result* match);

/* Codec. Encode: malloc'd bytes, owned by the caller. Decode pre-scans depth and lengths, checks
 * every field's type and range, and refuses what it does not know. */
int agon_task_encode(const agon_task* task, uint8_t** data, size_t* size, agon_error* error);
int agon_task_decode(const uint8_t* data, size_t size, agon_task* out, agon_error* error);
int agon_result_encode(const agon_result* result, uint8_t** data, size_t* size, agon_error* error);
int agon_result_decode(const uint8_t* data, size_t size, agon_result* out, agon_error* error);

#endif
