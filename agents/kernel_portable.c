/* kernel_portable.c: the kernels one lane wide, in plain C. fmaf is exact with and without hardware
 * for it (libc chooses); only speed differs. SLEEF's scalar finz_ functions use FMA instructions.
 */
#include <math.h>

/* sleef.h declares its scalar FMA functions only where these say that FMA is fast. */
#ifndef FP_FAST_FMA
#define FP_FAST_FMA 1
#endif
#ifndef FP_FAST_FMAF
#define FP_FAST_FMAF 1
#endif
#include <sleef.h>
#include <stdint.h>

#define FORM      "cpu/portable"
#define KERNEL    agon__kernel_portable
#define LANES     1
#define TILE_ROWS 6
#define TILE_COLS 2
#define v_hold(x) ((void)(x))

typedef float vec;
typedef int vec_tail; /* one lane has no tail */

static inline vec v_load(const float* p) {
    return *p;
}
static inline void v_store(float* p, vec x) {
    *p = x;
}
static inline vec_tail v_tail(int lanes) {
    return lanes;
}
static inline vec v_load_tail(const float* p, vec_tail tail) {
    return tail ? *p : 0.0f;
}
static inline void v_store_tail(float* p, vec_tail tail, vec x) {
    if (tail)
        *p = x;
}
/* *p if the bit is set in `legal`, else -INFINITY. */
static inline vec v_load_legal(const float* p, uint32_t legal) {
    return legal & 1u ? *p : -INFINITY;
}
static inline vec v_set(float x) {
    return x;
}
static inline vec v_add(vec a, vec b) {
    return a + b;
}
static inline vec v_sub(vec a, vec b) {
    return a - b;
}
static inline vec v_mul(vec a, vec b) {
    return a * b;
}
static inline vec v_div(vec a, vec b) {
    return a / b;
}
static inline vec v_sqrt(vec a) {
    return sqrtf(a);
}
static inline vec v_fma(vec a, vec b, vec c) {
    return fmaf(a, b, c);
}
/* a > b ? x : y */
static inline vec v_pick(vec a, vec b, vec x, vec y) {
    return a > b ? x : y;
}
static inline vec v_exp(vec x) {
    return Sleef_finz_expf1_u10purecfma(x);
}
static inline vec v_log(vec x) {
    return Sleef_finz_logf1_u10purecfma(x);
}
static inline vec v_tanh(vec x) {
    return Sleef_finz_tanhf1_u10purecfma(x);
}
static inline void v_transpose(vec t[LANES]) {
    (void)t; /* one lane by one */
}

#include "agents/kernel_body.h"
