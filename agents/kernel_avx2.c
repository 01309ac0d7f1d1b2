/* kernel_avx2.c: the kernels eight lanes wide. Built with AVX2 and FMA; called only where the CPU
 * has them. */
#include <immintrin.h>
#include <math.h>
#include <sleef.h>
#include <stdint.h>

#define FORM      "cpu/avx2"
#define KERNEL    agon__kernel_avx2
#define LANES     8
#define TILE_ROWS 6 /* 6 x 2 accumulators + 2 columns of B leave 2 of 16 registers for A */
#define TILE_COLS 2
#define v_hold(x) __asm__("" : "+x"(x))

typedef __m256 vec;
typedef __m256i vec_tail;

static inline vec v_load(const float* p) {
    return _mm256_loadu_ps(p);
}
static inline void v_store(float* p, vec x) {
    _mm256_storeu_ps(p, x);
}
static inline vec_tail v_tail(int lanes) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline vec v_load_tail(const float* p, vec_tail tail) {
    return _mm256_maskload_ps(p, tail);
}
static inline void v_store_tail(float* p, vec_tail tail, vec x) {
    _mm256_maskstore_ps(p, tail, x);
}
/* Entries of p whose bit is set in `legal`, and -INFINITY. */
static inline vec v_load_legal(const float* p, uint32_t legal) {
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256i own = _mm256_and_si256(_mm256_set1_epi32((int)legal), bit);
    return _mm256_blendv_ps(_mm256_set1_ps(-INFINITY), _mm256_loadu_ps(p),
                            _mm256_castsi256_ps(_mm256_cmpeq_epi32(own, bit)));
}
static inline vec v_set(float x) {
    return _mm256_set1_ps(x);
}
static inline vec v_add(vec a, vec b) {
    return _mm256_add_ps(a, b);
}
static inline vec v_sub(vec a, vec b) {
    return _mm256_sub_ps(a, b);
}
static inline vec v_mul(vec a, vec b) {
    return _mm256_mul_ps(a, b);
}
static inline vec v_div(vec a, vec b) {
    return _mm256_div_ps(a, b);
}
static inline vec v_sqrt(vec a) {
    return _mm256_sqrt_ps(a);
}
static inline vec v_fma(vec a, vec b, vec c) {
    return _mm256_fmadd_ps(a, b, c);
}
/* a > b ? x : y */
static inline vec v_pick(vec a, vec b, vec x, vec y) {
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_GT_OQ));
}
static inline vec v_exp(vec x) {
    return Sleef_finz_expf8_u10avx2(x);
}
static inline vec v_log(vec x) {
    return Sleef_finz_logf8_u10avx2(x);
}
static inline vec v_tanh(vec x) {
    return Sleef_finz_tanhf8_u10avx2(x);
}
/* t[i][j] becomes t[j][i]: pairs, quadruples, then halves of vectors trade places. */
static inline void v_transpose(vec t[LANES]) {
    vec u[LANES];
    for (int i = 0; i < LANES; i += 4) {
        const vec a = _mm256_unpacklo_ps(t[i], t[i + 1]), b = _mm256_unpackhi_ps(t[i], t[i + 1]);
        const vec c = _mm256_unpacklo_ps(t[i + 2], t[i + 3]);
        const vec d = _mm256_unpackhi_ps(t[i + 2], t[i + 3]);
        u[i] = _mm256_shuffle_ps(a, c, 0x44);
        u[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
        u[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
        u[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
    }
    for (int i = 0; i < 4; i++) {
        t[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
        t[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
    }
}

#include "agents/kernel_body.h"
