/* kernel.h: the CPU backend's inner loops, and the arithmetic that a run's bytes are made of.
 *
 * One text, kernel_body.h, is compiled in four forms: AVX-512 (16 lanes), AVX2 with FMA (8), NEON
 * (4) and portable C (1). A form only says how wide a vector is. Every form gives the same bytes,
 * because:
 *
 *   - each output of a product adds its terms in the order of the reduction index, one fused
 *     multiply-add per term, starting from its bias, from 0 or from what it held;
 *   - a first layer of bytes, if no convolution, leaves out the inputs that are 0, forward and in
 *     its gradient: most of what a board says is 0, and with finite weights a term 0 * w changes at
 *     most the sign of a sum that is 0;
 *   - a convolution is a product of what it sees at each point; zeros beyond an edge are terms;
 *   - softmax, entropy and loss treat sixteen rows side by side, one row per lane, so that sums
 * over actions are sequential within a lane whatever the width;
 *   - sums over rows are sequential in the order given; the gradient norm is sixteen interleaved
 *     sums in double precision, joined in a fixed tree;
 *   - exp, log and tanh are SLEEF's finz_ functions, equal over widths (Shibata and Petrogalli
 *     2020); + - * / and sqrt are IEEE 754, and -ffp-contract=off keeps them apart;
 *   - `a > b ? x : y` is the only comparison, so NaN and -0 take the same way everywhere.
 *
 * So bytes do not depend on batch size, a row's place, tiling, width or compiler; nor on the CPU's
 * kind, but for the sign and payload of a NaN. */
#ifndef AGON_KERNEL_H
#define AGON_KERNEL_H

#include "agents/net.h"

#include <stddef.h>
#include <stdint.h>

enum {
    AGON__LANES = 16, /* rows side by side in softmax and loss; padding of every width, in floats */
    AGON__PANEL = 64  /* columns of one panel of packed weights */
};

/* C(i,j) = start + sum over k of A(i,k) * B(k,j), k in order. */
typedef struct agon__product {
    int rows, cols, depth; /* i, j, k */
    const float* a;        /* A(i,k) = a[i * a_row + k * a_step] */
    ptrdiff_t a_row, a_step;
    const float* b;    /* packed panels of (depth, panel), or B(k,j) = b[k * b_step + j] */
    ptrdiff_t b_step;  /* 0: packed; then C is written up to the pad of cols, or less, but where its
                          rows are closer than that */
    const float* bias; /* start = bias[j]; NULL: 0, or C itself with `accumulate` */
    int accumulate;    /* 1: start = C(i,j); bias is NULL */
    int relu;          /* 1: C = max(C, 0); NaN stays NaN */
    float* c;          /* C(i,j) = c[i * c_row + j]; nothing else is written */
    ptrdiff_t c_row;
} agon__product;

/* Rows of inputs that are mostly 0: those that are not. Row i has count[i] of them, in order, from
 * i * stride on. */
typedef struct agon__entries {
    uint32_t* at;     /* which input */
    float* value;     /* not 0 */
    int* count;       /* (rows) */
    ptrdiff_t stride; /* at least inputs + AGON__LANES */
} agon__entries;

/* The product of a first layer whose inputs are bytes: C(i,j) = bias[j] + sum over the entries of
 * row i, in order, of value * B(at, j). */
typedef struct agon__sparse {
    int rows, cols, depth; /* as in agon__product */
    agon__entries in;
    const float *b, *bias; /* packed panels of (depth, panel), and (cols) with its pad */
    int relu;
    float* c; /* C(i,j) = c[i * c_row + j], written up to the pad of cols */
    ptrdiff_t c_row;
} agon__sparse;

/* The policy's choice in sixteen rows. Arrays are (actions, 16) or (16). Illegal logits are
 * -INFINITY and every row has a legal action. */
typedef struct agon__choice {
    int actions;
    float temperature;                  /* 0: greedy, the lowest index on ties */
    int probabilities;                  /* 1: fill `e` with probabilities (temperature > 0) */
    int log_wanted;                     /* 1: fill log_probability */
    const float* z;                     /* logits */
    float* e;                           /* work; out: probabilities */
    float lowest[AGON__LANES];          /* lowest legal action: the choice when logits are NaN */
    float uniform[AGON__LANES];         /* in [0, 1) */
    float action[AGON__LANES];          /* out: an integer as a float, exact below 2^24 */
    float log_probability[AGON__LANES]; /* out: of action, at temperature 1 */
} agon__choice;

/* PPO's loss and its gradient in sixteen rows. Arrays are (actions, 16) or (16). */
typedef struct agon__loss {
    int actions;
    float clip, value_weight, entropy_weight;
    float share; /* 1 / rows of the minibatch: scales the gradients */
    float* z;    /* in: logits, illegal ones -INFINITY; out: d loss / d logit, 0 if illegal */
    float* e;    /* work */
    int action[AGON__LANES];
    float old_log_probability[AGON__LANES], advantage[AGON__LANES];
    float value[AGON__LANES], target[AGON__LANES];
    float value_slope[AGON__LANES];                                  /* out: d loss / d value */
    float policy_loss[AGON__LANES], value_loss[AGON__LANES];         /* out, unscaled */
    float entropy[AGON__LANES], kl[AGON__LANES], moved[AGON__LANES]; /* moved: |ratio - 1| */
} agon__loss;

/* One Adam step over `count` parameters; gradients are multiplied by `scale` first. */
typedef struct agon__adam {
    size_t count;
    float *params, *moment1, *moment2;
    const float* grads;
    float scale, rate, beta1, beta2, epsilon;
    float correct1, correct2; /* 1 / (1 - beta^updates) */
} agon__adam;

/* What a minGRU layer makes of its linear map, c and g: z = 1/2 + 1/2 tanh(g / 2), d = c - m,
 * m' = m + z d by one fused multiply-add, y = m'. Rows are sequences of `steps` rows, one sequence
 * after another, each with one memory that its rows change in turn. */
typedef struct agon__cell {
    int rows, steps, units; /* steps divide rows; 1: each row has a memory of its own */
    float* recall;          /* (rows, recall_row) in: c (units), g (units); out: d, z */
    float* memory;          /* (rows / steps, memory_row) in and out: m */
    float* y;               /* (rows, y_row) out: y, `units` of each row */
    ptrdiff_t recall_row, memory_row, y_row;
    const uint8_t* last; /* (rows) 1: memory is 0 behind this row; NULL: nowhere */
} agon__cell;

typedef struct agon__kernel {
    const char* name; /* of the backend: "cpu/avx512" */
    void (*product)(const agon__product* p);
    void (*tanh)(float* y, size_t count); /* in place; count: a multiple of AGON__LANES */
    /* dy *= the activation's slope, told from its output y. count as above. */
    void (*slope)(agon_activation activation, const float* y, float* dy, size_t count);
    void (*cell)(const agon__cell* cell);
    /* Back through it, the last row of a sequence first. In: d and z; y holds the slopes of y, and
     * memory what comes from behind the sequence. D = y + memory (0 after `last`); then memory =
     * (1 - z) * D, and recall becomes slopes: of c D * z, of g ((D * d) * z) * (1 - z). */
    void (*cell_slope)(const agon__cell* cell);
    /* Row `row` of `out`: bytes that are not 0, times scale. */
    void (*list)(const uint8_t* bytes, int count, float scale, const agon__entries* out, int row);
    void (*sparse)(const agon__sparse* s);
    /* grads(at, j) += value * dy(i, j), j < cols, for the entries of all rows in order. grads and
     * dy have rows of `stride` floats, cols padded. */
    void (*grow_sparse)(const agon__entries* in, int rows, const float* dy, ptrdiff_t stride,
                        int cols, float* grads);
    /* sums[j] += x[i * stride + j] over i in order, j < cols. */
    void (*add_rows)(const float* x, int rows, ptrdiff_t stride, int cols, float* sums);
    /* Logits of up to sixteen rows side by side, illegal ones -INFINITY: z (actions, AGON__LANES).
     * mask[i]: NULL when all is legal. Missing rows repeat the first. A row of logits can be read
     * up to the pad of actions. */
    void (*gather)(const float* const* logits, const uint64_t* const* mask, int rows, int actions,
                   float* z);
    /* Back: out (rows, stride), of which a row is written up to the pad of actions. */
    void (*scatter)(const float* z, int rows, int actions, float* out, ptrdiff_t stride);
    void (*choose)(agon__choice* choice);
    void (*loss)(agon__loss* loss);
    double (*squares)(const float* x, size_t count); /* sum of squares */
    void (*adam)(const agon__adam* step);
    /* Elementwise, for tests: 0 exp, 1 log, 2 tanh. count: a multiple of AGON__LANES. */
    void (*elementary)(int which, const float* x, float* out, size_t count);
} agon__kernel;

extern const agon__kernel agon__kernel_portable;
extern const agon__kernel agon__kernel_avx2;   /* x86-64 builds only */
extern const agon__kernel agon__kernel_avx512; /* x86-64 builds only */
extern const agon__kernel agon__kernel_neon;   /* AArch64 builds only */

/* The form called "avx512", "avx2", "neon" or "portable", or NULL when CPU or build lacks it. */
const agon__kernel* agon__kernel_named(const char* form);

static inline int agon__pad(int width) {
    return (width + AGON__LANES - 1) / AGON__LANES * AGON__LANES;
}

#endif
