/* trainer.h: one train task from its blobs to its result, without what lies between: who fills its
 * rectangles and makes its updates is for execute_train.c (one task, here) and execute_shard.c
 * (many, on a device). Internal to engine/. */
#ifndef AGON_TRAINER_H
#define AGON_TRAINER_H

#include "agents/shard.h"
#include "engine/execute.h"
#include "engine/rollout.h"

typedef struct agon__trainer {
    const agon_task* task; /* borrowed */
    const agon_train_task* def;
    agon_context* context; /* borrowed, its rules reached; used by one thread at a time */
    agon_gauge* gauge;     /* borrowed, or NULL */
    agon_learner* learner;
    agon_actor* actor;   /* (opponents) */
    agon_player* player; /* (opponents) */
    agon_key chance, action, shuffle;
    agon_train_result sum; /* of the rollouts so far */
} agon__trainer;

/* Loads the learner, or makes it, and the opponents; checks that all of it fits. */
int agon__trainer_open(const agon_task* task, agon_context* context, agon_gauge* gauge,
                       agon__trainer* out, agon_error* error);
void agon__trainer_close(agon__trainer* t);

int agon__trainer_rows(const agon__trainer* t);
/* What its rectangles are filled by, on this machine; parts: as in agon_rollout_def. */
agon_rollout_def agon__trainer_rollout(const agon__trainer* t, int parts);
/* Has somebody cancelled it (AGON_ECANCELLED)? */
int agon__trainer_wanted(const agon__trainer* t, agon_error* error);
/* After a rollout: how an opponent failed, if one did. */
int agon__trainer_opponents(const agon__trainer* t, agon_error* error);
/* PPO in rollout i: rates follow their schedules. */
agon_ppo agon__trainer_ppo(const agon__trainer* t, int i);
/* Rollout i is learned from: its statistics, and the agent-steps so far. AGON_EINVALID: it
 * diverged. */
int agon__trainer_learned(agon__trainer* t, int i, const agon_update_stats* stats, uint64_t steps,
                          agon_error* error);
/* All is learned; counts: NULL when there was nothing to learn. */
int agon__trainer_result(agon__trainer* t, const agon_play_counts* counts, agon_result* out,
                         agon_error* error);
agon_play_counts agon__trainer_counts(const agon_rollout* rollout);

#endif
