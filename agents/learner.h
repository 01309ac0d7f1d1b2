/* learner.h: a learner's memory, and PPO over a rectangle. */
#ifndef AGON_LEARNER_H
#define AGON_LEARNER_H

#include "agents/backend.h"

typedef struct agon_ppo {
    agon_ppo_step step;
    float discount;  /* gamma, per decision of the learner, (0, 1] */
    float lambda;    /* of GAE (Schulman, Moritz, Levine, Jordan, Abbeel 2016), [0, 1] */
    int epochs;      /* passes over the rectangle, >= 1 */
    int minibatches; /* per epoch, >= 1; sizes differ by at most one entry, or, where the net has
                        memory, by one row, of which each has at least one */
    int normalise;   /* 1: advantages to mean 0, variance 1 over the rectangle */
} agon_ppo;

/* A learner with room for its parameters, all zero, beta powers 1. NULL: out of memory. */
agon_learner* agon_learner_open(const agon_net* net, const agon_backend* backend);
void agon_learner_close(agon_learner* learner);

/* Room for a rectangle and `spare` more observations; one block. Entry i has place i at first.
 * remembered: floats that a row remembers. NULL: out of memory. */
agon_rectangle* agon_rectangle_open(int rows, int horizon, agon_input input, size_t obs_bytes,
                                    int mask_words, int spare, int remembered);
size_t agon_rectangle_size(const agon_rectangle* rectangle); /* bytes of that block */
void agon_rectangle_close(agon_rectangle* rectangle);

/* Fills advantage and target: delta_t = r_t + gamma V_{t+1} - V_t, A_t = delta_t + gamma lambda
 * A_{t+1}, cut where an episode ends; target = A + V (before normalisation). */
void agon_gae(agon_rectangle* data, float discount, float lambda);

/* The most minibatches that a rectangle can be cut into for this net: its entries, or its rows. */
int agon_ppo_most_minibatches(const agon_net* net, int rows, int horizon);

/* Advantages, epochs, minibatches: one whole update of one learner. Minibatch order is keyed by
 * (key, learner->updates); what is put into order is entries, or, where the net has memory, rows.
 * index: scratch, (rows * horizon). stats: means over minibatches. */
void agon_ppo_train(const agon_backend* backend, agon_scratch* scratch, agon_learner* learner,
                    agon_rectangle* data, const agon_ppo* ppo, agon_key key, uint32_t* index,
                    agon_update_stats* stats);

/* How much of the targets the values foresaw: 1 - Var(target - value) / Var(target), 0 when targets
 * do not vary. Arrays: (count). */
double agon_explained_variance(const float* target, const float* value, size_t count);

#endif
