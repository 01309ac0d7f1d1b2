/* bench_openblas.h: the work of a net as a loop of cblas_sgemm does it, one thread: the opponent of
 * `agon bench --against openblas`. Weights are row-major (in, out), the form sgemm is best at; both
 * heads are one layer, as in our kernels. */
#ifndef AGON_BENCH_OPENBLAS_H
#define AGON_BENCH_OPENBLAS_H

#include "tools/bench.h"

enum { AGON_OPENBLAS_LAYERS = AGON_MAX_LAYERS + 1 };

typedef struct agon_openblas_layer {
    int in, out;
    size_t weight, bias; /* floats from the start: (in, out) and (out) */
} agon_openblas_layer;

typedef struct agon_openblas_net {
    int layers;
    agon_openblas_layer layer[AGON_OPENBLAS_LAYERS]; /* the last: logits, then the value */
    size_t size;                                     /* floats of weights and biases */
    bool tanh;                                       /* else relu */
} agon_openblas_net;

agon_openblas_net agon_openblas_net_of(const agon_net* net);
/* The flat buffer of net.h in this form. out: (size) */
void agon_openblas_weights(const agon_openblas_net* o, const float* params, float* out);

/* x[0] (rows, inputs) through all layers; x[i + 1] (rows, out of layer i). At most `most` rows in a
 * call of sgemm: all layers for some rows, then the next rows. */
void agon_openblas_forward(const agon_openblas_net* o, const float* weights, float* const* x,
                           int rows, int most);

/* Gradients, laid out as the weights, of x from a forward. dy (rows, out of the last layer): slopes
 * of the loss; work: two of (rows, widest). The inputs get none. */
void agon_openblas_backward(const agon_openblas_net* o, const float* weights, float* const* x,
                            int rows, const float* dy, float* const work[2], float* grads);

/* Rows of a game's observations as floats. */
void agon_openblas_widen(const void* obs, bool bytes, float scale, size_t count, float* out);

/* One Adam step as agon_ppo_step says, without a limit of the norm. */
typedef struct agon_openblas_adam {
    size_t count;
    float *params, *moment1, *moment2;
    const float* grads;
    float rate, beta1, beta2, epsilon;
    float correct1, correct2; /* 1 / (1 - beta^updates) */
} agon_openblas_adam;
void agon_openblas_adam_step(const agon_openblas_adam* step);

/* ---- beside ours ---------------------------------------------------------------------------- */

/* *most: 32 rows in a call, or all of them, whichever makes the work faster. */
void agon_openblas_choose(agon_bench_work* work, void* user, int rows, int* most);
/* The line of ours (rate[0]) beside OpenBLAS (rate[1]); ratio: of the two. */
void agon_openblas_print(const char* what, const char* fields, double flop, int most, double ratio,
                         agon_bench_rate rate[2]);
/* An error when two results that should be one differ beyond rounding. */
int agon_openblas_agree(const char* what, const float* ours, const float* theirs, size_t count,
                        agon_error* error);

#endif
