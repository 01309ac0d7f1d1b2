/* update.h: PPO for many learners at once, whose rectangles lie on the device. Internal to cuda/.
 */
#ifndef AGON_CUDA_UPDATE_H
#define AGON_CUDA_UPDATE_H

#include "agents/learner.h"
#include "cuda/gpu.h"
#include "cuda/layout.h"

typedef struct agon__gpu_update agon__gpu_update; /* working memory */

typedef struct agon__gpu_update_def {
    agon__gpu* gpu;
    agon__stream* stream;
    const agon__gpu_learners* learners;     /* borrowed */
    const agon__gpu_rectangles* rectangles; /* borrowed; as many members as learners */
    int epochs, minibatches; /* of every update; nets with memory: at most a minibatch a row */
    size_t work; /* bytes of device memory for a slice of members at once, and a 64th of them for
                    columns of one; 0: as _bytes says. No result depends on it */
} agon__gpu_update_def;

/* Device memory that it takes, apart from learners and rectangles. */
size_t agon__gpu_update_bytes(const agon__gpu_net* net, int members, int rows, int horizon,
                              int epochs, int minibatches);
int agon__gpu_update_open(const agon__gpu_update_def* def, agon__gpu_update** out,
                          agon_error* error);
void agon__gpu_update_close(agon__gpu_update* update); /* NULL is fine */

/* What a learner brings to an update besides its memory, and takes from it. */
typedef struct agon__gpu_learner {
    agon_ppo ppo;
    agon_key shuffle;
    uint64_t updates; /* in and out: optimiser steps so far */
    double beta1_power, beta2_power;
    agon_update_stats stats; /* out: means over minibatches */
} agon__gpu_learner;

/* agon_ppo_train for all: advantages, epochs, minibatches, Adam, and packed anew. each: (members).
 * Waits for the stream. */
int agon__gpu_update_run(agon__gpu_update* update, agon__gpu_learner* each, agon_error* error);

/* One minibatch's gradients alone, before clipping, of every learner: learners->grads, and stats.
 * index: (members, count) entries, in host memory; count is not above the size of the largest
 * minibatch. For nets with memory they are whole rows, each in time. For tests. */
int agon__gpu_update_gradient(agon__gpu_update* update, agon__gpu_learner* each,
                              const uint32_t* index, int count, agon_error* error);

#endif
