/* execute_shard.h: several train tasks run side by side, where the backend has shards. */
#ifndef AGON_EXECUTE_SHARD_H
#define AGON_EXECUTE_SHARD_H

#include "engine/execute.h"

typedef struct agon_shard_task {
    const agon_task* task; /* borrowed */
    agon_gauge* gauge;     /* borrowed, or NULL */
    int status;            /* out; 0: result is the caller's, as from agon_execute */
    agon_error error;      /* out, where status is not 0 */
    agon_result result;    /* out */
} agon_shard_task;

/* Two train tasks of one game, net and size: they may share a shard. What a task gives does not
 * depend on whom it shares it with. */
bool agon_shard_fits(const agon_task* a, const agon_task* b);

/* Runs tasks that fit, in as many pieces as the device's memory asks for; each fails by itself.
 * context->backend has shards; context->gauge is not used. */
void agon_execute_shard(agon_shard_task* const* tasks, int count, agon_context* context);

#endif
