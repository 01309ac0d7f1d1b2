/* compare.h: what the parts of the program `gpu_compare` share: the GPU's results beside the CPU
 * backend's. It needs games/, agents/, cuda/ and two files of engine/. */
#ifndef AGON_TESTS_GPU_COMPARE_H
#define AGON_TESTS_GPU_COMPARE_H

#include "agents/learner.h"
#include "cuda/backend_cuda.h"
#include "games/rules.h"
#include "tests/gpu/lines.h"

#include <stdbool.h>

typedef struct comparing {
    bool small; /* for emulators and sanitizers */
    bool few;   /* three games, not all: each has an image to be loaded */
    uint64_t seed;
    uint32_t drawn; /* random numbers so far */
    int failures;
} comparing;

static const char* const precisions[] = {"fp32", "tf32", "bf16"};

/* Of one matrix product after the other, where all that differs is the order of sums, or the
 * rounding of what is multiplied. */
static inline double limit_of(int precision) {
    return precision == AGON_PRECISION_FP32 ? 1e-5 : 2e-2;
}

/* A minibatch's gradient is a mean of terms that almost cancel, so roundings weigh more; and with
 * relu a unit that is almost 0 may be on here and off there, which is no small difference. */
static inline double gradient_limit_of(int precision, agon_activation activation) {
    if (precision == AGON_PRECISION_FP32)
        return limit_of(precision);
    return activation == AGON_RELU ? 0.1 : precision == AGON_PRECISION_BF16 ? 5e-2 : 2e-2;
}

/* A fault of the program or the device ends it: what it printed so far stays. */
void need(int rc, const agon_error* error, const char* what);
void* take_memory(size_t bytes); /* zeros; never NULL */

const agon_backend* gpu_backend(int precision);

/* Prints a comparison and counts it. */
void check(comparing* c, const line_check* line);
/* Of floats, by line_error; with limit 0, byte for byte but for the sign of zeros. */
void check_floats(comparing* c, const char* name, int precision, const char* of, const float* want,
                  const float* got, size_t count, double limit);
/* The same of gradients and what is made of them: in tf32 and bf16 by line_norm_error. */
void check_gradients(comparing* c, const char* name, int precision, const char* of,
                     const float* want, const float* got, size_t count, double limit);
/* Of anything, byte for byte; precision -1: none. */
void check_bytes(comparing* c, const char* name, int precision, const char* of, const void* want,
                 const void* got, size_t count, size_t each);

float draw_uniform(comparing* c);                                    /* [0, 1) */
int draw_int(comparing* c, int low, int high);                       /* low..high */
void draw_weights(comparing* c, const agon_net* net, float* params); /* outputs stay near 1 */
/* A net for a game; hidden: its layers as in the text of a net. */
agon_net net_for(const agon_rules* rules, const char* hidden);

void compare_forward(comparing* c);
void compare_update(comparing* c);
void compare_play(comparing* c);
void compare_training(comparing* c);

#endif
