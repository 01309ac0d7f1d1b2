/* kernel_avx512.c: the kernels sixteen lanes wide. Built with AVX-512 F, DQ, BW and VL; called only
 * where the CPU has them. */
#include <immintrin.h>
#include <math.h>
#include <sleef.h>
#include <stdint.h>

#define FORM      "cpu/avx512"
#define KERNEL    agon__kernel_avx512
#define LANES     16
#define TILE_ROWS 6 /* 6 x 4 accumulators + 4 columns of B leave 4 of 32 registers for A */
#define TILE_COLS 4
#define NARROW    agon__kernel_avx2 /* for products at most half a vector wide */
#define v_hold(x) __asm__("" : "+v"(x))

typedef __m512 vec;
typedef __mmask16 vec_tail;

static inline vec v_load(const float* p) {
    return _mm512_loadu_ps(p);
}
static inline void v_store(float* p, vec x) {
    _mm512_storeu_ps(p, x);
}
static inline vec_tail v_tail(int lanes) {
    return (vec_tail)((1u << lanes) - 1u);
}
static inline vec v_load_tail(const float* p, vec_tail tail) {
    return _mm512_maskz_loadu_ps(tail, p);
}
static inline void v_store_tail(float* p, vec_tail tail, vec x) {
    _mm512_mask_storeu_ps(p, tail, x);
}
/* Entries of p whose bit is set in `legal`, and -INFINITY. */
static inline vec v_load_legal(const float* p, uint32_t legal) {
    return _mm512_mask_loadu_ps(_mm512_set1_ps(-INFINITY), (__mmask16)legal, p);
}
/* What is not 0 among up to 16 bytes: compressed in registers, stored whole. */
static inline int v_list(const uint8_t* bytes, int first, int count, float scale, uint32_t* at,
                         float* value) {
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __mmask16 there = (__mmask16)((1u << count) - 1u);
    const __m128i byte = _mm_maskz_loadu_epi8(there, bytes + first);
    const __mmask16 set = _mm_test_epi8_mask(byte, byte);
    const __m512 x =
        _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(byte)), _mm512_set1_ps(scale));
    _mm512_storeu_si512(
        at, _mm512_maskz_compress_epi32(set, _mm512_add_epi32(lane, _mm512_set1_epi32(first))));
    _mm512_storeu_ps(value, _mm512_maskz_compress_ps(set, x));
    return __builtin_popcount(set);
}
#define v_list     v_list
#define LIST_BYTES 16
static inline vec v_set(float x) {
    return _mm512_set1_ps(x);
}
static inline vec v_add(vec a, vec b) {
    return _mm512_add_ps(a, b);
}
static inline vec v_sub(vec a, vec b) {
    return _mm512_sub_ps(a, b);
}
static inline vec v_mul(vec a, vec b) {
    return _mm512_mul_ps(a, b);
}
static inline vec v_div(vec a, vec b) {
    return _mm512_div_ps(a, b);
}
static inline vec v_sqrt(vec a) {
    return _mm512_sqrt_ps(a);
}
static inline vec v_fma(vec a, vec b, vec c) {
    return _mm512_fmadd_ps(a, b, c);
}
/* a > b ? x : y */
static inline vec v_pick(vec a, vec b, vec x, vec y) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_GT_OQ), y, x);
}
static inline vec v_exp(vec x) {
    return Sleef_finz_expf16_u10avx512f(x);
}
static inline vec v_log(vec x) {
    return Sleef_finz_logf16_u10avx512f(x);
}
static inline vec v_tanh(vec x) {
    return Sleef_finz_tanhf16_u10avx512f(x);
}
/* t[i][j] becomes t[j][i]: pairs, quadruples, then quarters of vectors trade places. */
static inline void v_transpose(vec t[LANES]) {
    vec u[LANES];
    for (int i = 0; i < LANES; i += 4) {
        const __m512d a = _mm512_castps_pd(_mm512_unpacklo_ps(t[i], t[i + 1]));
        const __m512d b = _mm512_castps_pd(_mm512_unpackhi_ps(t[i], t[i + 1]));
        const __m512d c = _mm512_castps_pd(_mm512_unpacklo_ps(t[i + 2], t[i + 3]));
        const __m512d d = _mm512_castps_pd(_mm512_unpackhi_ps(t[i + 2], t[i + 3]));
        u[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
        u[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
        u[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
        u[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
    }
    for (int i = 0; i < 4; i++) {
        const vec a = _mm512_shuffle_f32x4(u[i], u[i + 4], 0x88);
        const vec b = _mm512_shuffle_f32x4(u[i], u[i + 4], 0xdd);
        const vec c = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0x88);
        const vec d = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0xdd);
        t[i] = _mm512_shuffle_f32x4(a, c, 0x88);
        t[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
        t[i + 8] = _mm512_shuffle_f32x4(a, c, 0xdd);
        t[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
}

#include "agents/kernel_body.h"
