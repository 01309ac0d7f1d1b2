/* shard_fill.h: rectangles of many rollouts, filled by a few threads. Internal to engine/. */
#ifndef AGON_SHARD_FILL_H
#define AGON_SHARD_FILL_H

#include "engine/rollout.h"

typedef struct agon__fill {
    agon_rollout* rollout; /* borrowed */
    int code;              /* out */
    agon_error error;      /* out, where code is not 0 */
} agon__fill;

/* agon_rollout_collect of each. The caller is one of the threads (at least 1); profile: its own,
 * which is told of what all of them did. */
void agon__shard_fill(agon__fill* fills, int count, int threads, agon_profile* profile);

#endif
