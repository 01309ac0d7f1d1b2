/* execute.h: running one task, wherever it is. A pure function of the task and the blobs it names.
 */
#ifndef AGON_EXECUTE_H
#define AGON_EXECUTE_H

#include "engine/lanes.h"
#include "engine/packed.h"
#include "engine/task.h"

#include <stdatomic.h>

/* What is seen of one running task from other threads, and said to it. */
typedef struct agon_gauge {
    atomic_int cancel;    /* set to 1: the task stops at the next rollout with AGON_ECANCELLED */
    atomic_uint progress; /* 0..1000 */
    atomic_ullong steps;  /* agent-steps done so far, for the rate on the panel */
} agon_gauge;

/* What a thread that runs tasks keeps from one to the next, and what a task may ask of its
 * surroundings. */
typedef struct agon_context {
    const agon_backend* backend;
    /* Reads a blob by hash; thread-safe. *data malloc'd, owned by the caller. */
    int (*load)(void* user, const char* hash, uint8_t** data, size_t* size, agon_error* error);
    void* user;
    agon_gauge* gauge;    /* of the task that runs now, borrowed; NULL: nobody looks */
    int threads;          /* that a shard may fill its rectangles with; 0: this one */
    agon_profile profile; /* of the thread that runs the task; zero: not watched */
    /* The last task's rules, kept by agon_execute: to make and fingerprint them takes as long as a
     * small task. Zero at first, like the shelf below; owned, agon_context_clear frees both. */
    char game[128];
    agon_rules* rules;
    uint64_t fingerprint;
    int small_tree; /* the rules' tree is known to have more nodes than this; 0: nothing known */
    bool forgetful; /* ... and that a policy with memory is no table over it */
    agon__packed_shelf shelf; /* snapshots of tasks before this one */
} agon_context;

void agon_context_clear(agon_context* context);

/* One task at a time per context. *out is owned by the caller: agon_result_clear. */
int agon_execute(const agon_task* task, agon_context* context, agon_result* out, agon_error* error);

static inline bool agon__gauge_cancelled(const agon_gauge* gauge) {
    return gauge && atomic_load(&gauge->cancel);
}
static inline void agon__gauge_set(agon_gauge* gauge, unsigned permille, uint64_t steps) {
    if (gauge) {
        atomic_store(&gauge->progress, permille);
        atomic_store(&gauge->steps, steps);
    }
}

/* What every kind of task uses: a reference (snapshot hash or scripted text) made playable. */
typedef struct agon_actor {
    agon_net net;
    agon__packed* packed; /* held, or NULL for a scripted policy */
    agon__packed_shelf* shelf;
    agon_policy policy; /* scripted, or the net as a policy when asked for */
    bool has_policy;
} agon_actor;

int agon__actor_open(const char* ref, const agon_rules* rules, agon_context* context,
                     bool as_policy, agon_actor* out, agon_error* error);
/* A net of this architecture whose parameters are 0: it takes every legal action as often. */
int agon__actor_even(const agon_net* net, agon_context* context, agon_actor* out,
                     agon_error* error);
/* After it has played: AGON_OK, or how it failed. */
int agon__actor_check(const agon_actor* actor, agon_error* error);
void agon__actor_close(agon_actor* actor);
agon_player agon__actor_player(const agon_actor* actor);

/* Rules of the game that a task names, in context->rules. */
int agon__execute_reach(const agon_task* task, agon_context* context, agon_error* error);
int agon__execute_train(const agon_task* task, const agon_rules* rules, agon_context* context,
                        agon_result* out, agon_error* error);
int agon__execute_match(const agon_task* task, const agon_rules* rules, agon_context* context,
                        agon_result* out, agon_error* error);
int agon__execute_probe(const agon_task* task, const agon_rules* rules, agon_context* context,
                        agon_result* out, agon_error* error);

#endif
