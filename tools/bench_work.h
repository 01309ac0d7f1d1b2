/* bench_work.h: work that several files of bench measure: a grouped forward, and a learner's. */
#ifndef AGON_BENCH_WORK_H
#define AGON_BENCH_WORK_H

#include "tools/bench.h"

#include "engine/rollout.h"

/* The game and the net of a bench. *rules: closed by the caller, also on failure. */
int agon_bench_open_net(const agon_bench* b, agon_rules** rules, agon_net* net, agon_error* error);

/* What `rows` seats see in random games that are under way: obs (rows, obs_bytes), mask (rows,
 * mask_words). And which share of the inputs is not 0. */
int agon_bench_positions(const agon_rules* rules, size_t rows, void* obs, uint64_t* mask,
                         agon_error* error);
double agon_bench_inputs_set(const agon_rules* rules, size_t rows, const void* obs);

/* Nets of one architecture, each with as many rows. */
typedef struct agon_bench_nets {
    agon_forward call;
    const agon_backend* backend;
    agon_scratch* scratch;
    void* block; /* packed weights of all nets */
    const void** packed;
    int* offsets;
    float* params;  /* (nets, size of net) */
    float* out;     /* value, log-probability, uniform: (3, rows) */
    void* obs;      /* (rows, inputs) of the game's type */
    uint64_t* mask; /* (rows, words) */
    uint16_t* action;
    float* memory; /* (rows, agon_net_memory), which goes on from call to call */
} agon_bench_nets;

/* false: no memory. Closed by the caller either way. */
bool agon_bench_nets_open(agon_bench_nets* n, const agon_rules* rules, const agon_net* net,
                          int nets, int rows_each);
void agon_bench_nets_close(agon_bench_nets* n);
double agon_bench_go_forward(void* nets, double rows); /* an agon_bench_work */

/* A figure of logits and values beside the same by OpenBLAS. */
int agon_bench_forward_openblas(const agon_bench* b, const agon_rules* rules, const agon_net* net,
                                int nets, int rows_each, agon_error* error);

/* A learner that plays itself: half the rows of a step are its own, half a frozen copy's. */
typedef struct agon_bench_learning {
    agon_rules* rules;
    agon_learner* learner;
    agon_player opponent;
    agon_rollout* rollout;
    agon_scratch* scratch;
    uint32_t* index;
} agon_bench_learning;

enum { AGON_BENCH_MINIBATCHES = 4 };
extern const agon_ppo agon_bench_ppo; /* one epoch */

/* Rollouts of b->nets nets that each play themselves in b->rows games. */
int agon_bench_self_play(const agon_bench* b, agon_error* error);

/* Closed by the caller, also on failure. */
int agon_bench_learning_open(const agon_bench* b, agon_bench_learning* l, agon_error* error);
void agon_bench_learning_close(agon_bench_learning* l);
double agon_bench_go_update(void* learning, double rows);  /* whole epochs of the rectangle */
double agon_bench_go_rollout(void* learning, double rows); /* whole rectangles */

/* The figure of an update beside its products, epilogues and Adam by OpenBLAS and plain loops. */
int agon_bench_update_openblas(const agon_bench* b, agon_bench_learning* l, const char* fields,
                               agon_error* error);

#endif
