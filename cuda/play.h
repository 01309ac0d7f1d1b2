/* play.h: rollouts whose games run on the device, without a word from the host from ply to ply.
 * Internal to cuda/. */
#ifndef AGON_CUDA_PLAY_H
#define AGON_CUDA_PLAY_H

#include "agents/shard.h"
#include "cuda/gpu.h"
#include "cuda/layout.h"

typedef struct agon__gpu_play agon__gpu_play;

typedef struct agon__gpu_play_def {
    agon__gpu* gpu;
    agon__stream* stream;
    const agon_shard_def* shard; /* borrowed */
    agon__gpu_net net;
    /* Member m: packed[m][0] its learner's, [1 ..] its opponents' weights, of the device; all of
     * this net. (members) arrays of (1 + opponents), borrowed until opened. */
    const void* const* const* packed;
    const agon__gpu_rectangles* rectangles; /* borrowed; `place` is NULL. obs and mask have
                                               agon__gpu_play_spare places behind the entries */
} agon__gpu_play_def;

/* Is there a twin of this game, with these parameters, among the images? */
bool agon__gpu_play_has(agon__gpu* gpu, const agon_rules* rules);
/* Places of observations beside the rectangles' entries: for decisions that are not kept. */
size_t agon__gpu_play_spare(const agon_shard_def* shard);
/* Device memory that it takes, apart from rectangles, for members like the first, the only one that
 * is read. */
size_t agon__gpu_play_bytes(const agon__gpu* gpu, const agon_shard_def* shard,
                            const agon__gpu_net* net);

int agon__gpu_play_open(const agon__gpu_play_def* def, agon__gpu_play** out, agon_error* error);
void agon__gpu_play_close(agon__gpu_play* play); /* NULL is fine */

/* Fills the rectangles: engine/rollout.h says what one is. Waits for the stream; counts: (members).
 * AGON_ELIMIT when a learner's seats never come to act. */
int agon__gpu_play_collect(agon__gpu_play* play, agon_play_counts* counts, agon_error* error);

#endif
