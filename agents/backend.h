/* backend.h: forward and update of *many nets at once*; one of agon's four seams.
 *
 * All nets of one call share an architecture. Rows are grouped by net: the rows of net g are
 * offsets[g] .. offsets[g+1]-1. What a row gives depends on that row and its net alone: not on the
 * batch, its place in it, the number of threads or the SIMD width. The CPU backend adds every sum
 * over its index in order with fused multiply-adds (see kernel.h), so its bytes are the meaning of
 * a run; other backends agree within a stated tolerance. */
#ifndef AGON_BACKEND_H
#define AGON_BACKEND_H

#include "agents/net.h"
#include "agents/profile.h"
#include "games/agon_game.h"

/* What every net sees: the observation's type. */
typedef struct agon_input {
    agon_dtype type; /* AGON_U8 or AGON_F32 */
    float scale;     /* AGON_U8: x = byte * scale */
} agon_input;

/* One grouped forward. Outputs that are NULL are not computed. */
typedef struct agon_forward {
    const agon_net* net; /* borrowed; the same architecture for all */
    agon_input input;
    int nets;                  /* groups */
    const void* const* packed; /* (nets) packed weights of each group, borrowed */
    const int* offsets;        /* (nets + 1) rows of each group; offsets[0] = 0 */
    const void* obs;           /* (rows, inputs) of input.type */
    float* memory;             /* in and out (rows, agon_net_memory): what each row remembers before
                                  these decisions, then after them; NULL for nets without memory */
    const uint64_t* mask;      /* (rows, (actions + 63) / 64) legal actions; NULL: all legal */
    float temperature;         /* of the policy, > 0; 0: greedy, lowest index on ties */
    const float* uniform; /* (rows) in [0,1): chooses the action; NULL when greedy or action NULL */
    float* logits;        /* out (rows, actions), or NULL; before mask and temperature */
    float* value;         /* out (rows), or NULL */
    float* probability;   /* out (rows, actions), or NULL; 0 where illegal */
    uint16_t* action;     /* out (rows), or NULL */
    float* log_probability; /* out (rows), or NULL: ln p of `action` at temperature 1 */
    agon_profile* profile;  /* borrowed, or NULL: told when actions are chosen */
} agon_forward;

/* What a learner keeps: the snapshot's parameters and the optimiser's state. All (size of net). */
typedef struct agon_learner {
    agon_net net;
    float* params;      /* owned, one block for the four */
    float* moment1;     /* Adam: mean of gradients */
    float* moment2;     /* Adam: mean of squared gradients */
    float* grads;       /* scratch of the update; not stored */
    void* packed;       /* params as the backend wants them; follows params */
    double beta1_power; /* beta1^updates, by repeated multiplication */
    double beta2_power;
    uint64_t updates; /* optimiser steps so far */
    uint64_t steps;   /* agent-steps so far */
} agon_learner;

/* What PPO learns from: a full rectangle of `rows` x `horizon` decisions of one learner.
 * Entry (r, t) is at r * horizon + t; what it saw lies where it was written when it was seen, at
 * place[r * horizon + t]. */
typedef struct agon_rectangle {
    int rows, horizon;
    agon_input input;
    size_t obs_bytes; /* of one observation */
    int mask_words;
    int places;             /* rows * horizon, and as many more as its maker needs */
    uint32_t* place;        /* (rows, horizon) of an entry's observation and mask */
    void* obs;              /* (places, obs_bytes) */
    uint64_t* mask;         /* (places, mask_words) */
    uint16_t* action;       /* (rows, horizon) */
    float* log_probability; /* (rows, horizon) under the policy that acted */
    float* value;           /* (rows, horizon) predicted when it acted */
    float* reward;          /* (rows, horizon) from this decision to the next, or to the end */
    uint8_t* last;          /* (rows, horizon) 1: the episode ended after this decision */
    float* bootstrap;       /* (rows) value after the last decision; 0 when the episode ended */
    int remembered;         /* floats that a row remembers: agon_net_memory; 0: none */
    float* memory;          /* (rows, remembered) before the row's first decision */
    float* advantage;       /* (rows, horizon) filled by agon_ppo_train */
    float* target;          /* (rows, horizon) value targets, likewise */
} agon_rectangle;

/* The part of PPO that one minibatch needs. Loss = mean over the minibatch of
 *   - min(ratio * A, clip(ratio, 1 - clip, 1 + clip) * A)
 *   + value_weight * 1/2 (value - target)^2  -  entropy_weight * entropy
 * (Schulman, Wolski, Dhariwal, Radford, Klimov 2017; no clipping of the value loss). Then the
 * gradient is scaled to norm max_grad_norm if larger, and one Adam step is made (Kingma and Ba
 * 2015): epsilon is added after the bias-corrected root. */
typedef struct agon_ppo_step {
    float learning_rate;
    float clip;
    float value_weight;
    float entropy_weight;
    float max_grad_norm; /* 0: no clipping */
    float beta1, beta2, epsilon;
} agon_ppo_step;

typedef struct agon_update_stats { /* means over the minibatch */
    double policy_loss, value_loss, entropy;
    double kl;        /* mean of (ratio - 1) - ln ratio (Schulman 2020): never negative */
    double clipped;   /* share of rows with |ratio - 1| > clip */
    double grad_norm; /* before clipping */
} agon_update_stats;

/* One minibatch step of one learner. advantages are used as given (already normalised). The entries
 * of a net with memory are whole rows, each from its first decision to its last: they are passed
 * through in time, memory is cleared after an episode's end, and gradients go back through it to
 * the row's first decision. */
typedef struct agon_update {
    agon_learner* learner;
    const agon_rectangle* data;
    const uint32_t* index; /* (count) entries of the rectangle, in the order of the sums */
    int count;
    agon_ppo_step step;
    agon_update_stats stats; /* out */
} agon_update;

typedef struct agon_scratch agon_scratch; /* a backend's working memory: one per thread */

typedef struct agon_backend {
    const char* name; /* "cpu/avx512", "cpu/avx2", "cpu/neon", "cpu/portable", "cuda/bf16", .. */
    /* What computes the same bytes: "cpu", or a GPU's model. Results of two backends are equal when
     * these words and the precision are. */
    const char* device;

    /* Bytes of the packed form of a net, and packing. The packed form is what forward reads; it is
     * made once per snapshot and 64-byte aligned by the caller. */
    size_t (*packed_size)(const agon_net* net);
    void (*pack)(const agon_net* net, const float* params, void* packed);

    /* Working memory for forwards of at most `rows` rows, or updates of minibatches of at most
     * `rows` entries; of a net with memory: of rectangles of that horizon. It grows when asked for
     * more (the only place that allocates: a caller that reserves first is never surprised). NULL:
     * out of memory. */
    agon_scratch* (*scratch_open)(void);
    int (*scratch_reserve)(agon_scratch* scratch, const agon_net* net, int rows, int update);
    void (*scratch_close)(agon_scratch* scratch);

    void (*forward)(const agon_forward* call, agon_scratch* scratch);
    /* (optional, both) A forward in two halves, between which the caller may do something else;
     * `call` and what it points to stay until finish. One at a time per scratch. */
    void (*begin)(const agon_forward* call, agon_scratch* scratch);
    void (*finish)(agon_scratch* scratch);
    /* (optional) Did a call with this scratch ever fail? The device's fault, and what went wrong;
     * its actions since were any legal ones. scratch NULL: is it the device's fault that there is
     * no scratch? NULL: calls do not fail. */
    int (*check)(const agon_scratch* scratch, agon_error* error);
    /* Several learners, one minibatch each. Leaves learner->packed up to date. NULL, as gradient,
     * where `shards` does whole updates. */
    void (*update)(agon_update* updates, int count, agon_scratch* scratch);
    /* Gradients only: fills learner->grads and stats, before clipping, without a step. For tests.
     */
    void (*gradient)(agon_update* update, agon_scratch* scratch);
    /* (optional) Trains several learners at once; NULL: one after another, by `update`. */
    const struct agon_shard_backend* shards;
} agon_backend;

/* The CPU backend in the widest form this CPU runs, or as AGON_SIMD=avx512|avx2|neon|portable asks
 * (an unknown or unsupported value falls back to the widest; `agon doctor` shows which). */
const agon_backend* agon_cpu_backend(void);
/* A form by name, or NULL when this CPU or build lacks it. */
const agon_backend* agon_cpu_backend_named(const char* form);

#endif
