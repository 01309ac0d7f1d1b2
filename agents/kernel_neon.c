/* kernel_neon.c: the kernels four lanes wide, for AArch64, where every CPU has NEON and FMA. */
#include <arm_neon.h>
#include <math.h>
#include <sleef.h>
#include <stdint.h>

#define FORM      "cpu/neon"
#define KERNEL    agon__kernel_neon
#define LANES     4
#define TILE_ROWS 5 /* 5 x 4 accumulators + 4 columns of B; of 6 rows gcc spills some */
#define TILE_COLS 4
#define v_hold(x) __asm__("" : "+w"(x))

typedef float32x4_t vec;
typedef int vec_tail; /* lanes; there are no masked loads, so a tail goes lane by lane */

static inline vec v_load(const float* p) {
    return vld1q_f32(p);
}
static inline void v_store(float* p, vec x) {
    vst1q_f32(p, x);
}
static inline vec_tail v_tail(int lanes) {
    return lanes;
}
static inline vec v_load_tail(const float* p, vec_tail tail) {
    if (tail == LANES)
        return vld1q_f32(p);
    vec x = vdupq_n_f32(0.0f);
    if (tail > 0)
        x = vld1q_lane_f32(p, x, 0);
    if (tail > 1)
        x = vld1q_lane_f32(p + 1, x, 1);
    if (tail > 2)
        x = vld1q_lane_f32(p + 2, x, 2);
    return x;
}
static inline void v_store_tail(float* p, vec_tail tail, vec x) {
    if (tail == LANES) {
        vst1q_f32(p, x);
        return;
    }
    if (tail > 0)
        vst1q_lane_f32(p, x, 0);
    if (tail > 1)
        vst1q_lane_f32(p + 1, x, 1);
    if (tail > 2)
        vst1q_lane_f32(p + 2, x, 2);
}
/* Entries of p whose bit is set in `legal`, and -INFINITY. */
static inline vec v_load_legal(const float* p, uint32_t legal) {
    static const uint32_t bits[LANES] = {1, 2, 4, 8};
    return vbslq_f32(vtstq_u32(vdupq_n_u32(legal), vld1q_u32(bits)), vld1q_f32(p),
                     vdupq_n_f32(-INFINITY));
}
static inline vec v_set(float x) {
    return vdupq_n_f32(x);
}
static inline vec v_add(vec a, vec b) {
    return vaddq_f32(a, b);
}
static inline vec v_sub(vec a, vec b) {
    return vsubq_f32(a, b);
}
static inline vec v_mul(vec a, vec b) {
    return vmulq_f32(a, b);
}
static inline vec v_div(vec a, vec b) {
    return vdivq_f32(a, b);
}
static inline vec v_sqrt(vec a) {
    return vsqrtq_f32(a);
}
static inline vec v_fma(vec a, vec b, vec c) {
    return vfmaq_f32(c, a, b);
}
/* a > b ? x : y */
static inline vec v_pick(vec a, vec b, vec x, vec y) {
    return vbslq_f32(vcgtq_f32(a, b), x, y);
}
static inline vec v_exp(vec x) {
    return Sleef_finz_expf4_u10advsimd(x);
}
static inline vec v_log(vec x) {
    return Sleef_finz_logf4_u10advsimd(x);
}
static inline vec v_tanh(vec x) {
    return Sleef_finz_tanhf4_u10advsimd(x);
}
static inline vec pair(float64x2_t x) {
    return vreinterpretq_f32_f64(x);
}
/* t[i][j] becomes t[j][i]: single lanes, then pairs of lanes trade places. */
static inline void v_transpose(vec t[LANES]) {
    const float64x2_t a = vreinterpretq_f64_f32(vtrn1q_f32(t[0], t[1]));
    const float64x2_t b = vreinterpretq_f64_f32(vtrn2q_f32(t[0], t[1]));
    const float64x2_t c = vreinterpretq_f64_f32(vtrn1q_f32(t[2], t[3]));
    const float64x2_t d = vreinterpretq_f64_f32(vtrn2q_f32(t[2], t[3]));
    t[0] = pair(vtrn1q_f64(a, c));
    t[1] = pair(vtrn1q_f64(b, d));
    t[2] = pair(vtrn2q_f64(a, c));
    t[3] = pair(vtrn2q_f64(b, d));
}

#include "agents/kernel_body.h"
