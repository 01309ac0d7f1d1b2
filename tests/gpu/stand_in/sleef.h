/* sleef.h: the C library's functions by SLEEF's names, for builds on machines that lack SLEEF.
 * Their last bits are others, so such a build compares with a GPU and makes no runs. */
#ifndef AGON_STAND_IN_SLEEF_H
#define AGON_STAND_IN_SLEEF_H

#include <math.h>

static inline float Sleef_finz_expf1_u10purecfma(float x) {
    return expf(x);
}
static inline float Sleef_finz_logf1_u10purecfma(float x) {
    return logf(x);
}
static inline float Sleef_finz_tanhf1_u10purecfma(float x) {
    return tanhf(x);
}
static inline double Sleef_finz_expd1_u10purecfma(double x) {
    return exp(x);
}
static inline double Sleef_finz_logd1_u10purecfma(double x) {
    return log(x);
}
static inline double Sleef_finz_sind1_u10purecfma(double x) {
    return sin(x);
}
static inline double Sleef_finz_cosd1_u10purecfma(double x) {
    return cos(x);
}
static inline double Sleef_finz_powd1_u10purecfma(double x, double y) {
    return pow(x, y);
}

/* A vector, number by number. */
#define STAND_IN(NAME, VECTOR, FUNCTION)                                                           \
    static inline VECTOR NAME(VECTOR x) {                                                          \
        union {                                                                                    \
            VECTOR vector;                                                                         \
            float number[sizeof(VECTOR) / sizeof(float)];                                          \
        } u = {x};                                                                                 \
        for (unsigned i = 0; i < sizeof(VECTOR) / sizeof(float); i++)                              \
            u.number[i] = FUNCTION(u.number[i]);                                                   \
        return u.vector;                                                                           \
    }
#ifdef __AVX2__
#include <immintrin.h>
STAND_IN(Sleef_finz_expf8_u10avx2, __m256, expf)
STAND_IN(Sleef_finz_logf8_u10avx2, __m256, logf)
STAND_IN(Sleef_finz_tanhf8_u10avx2, __m256, tanhf)
#endif
#ifdef __AVX512F__
STAND_IN(Sleef_finz_expf16_u10avx512f, __m512, expf)
STAND_IN(Sleef_finz_logf16_u10avx512f, __m512, logf)
STAND_IN(Sleef_finz_tanhf16_u10avx512f, __m512, tanhf)
#endif
#ifdef __aarch64__
#include <arm_neon.h>
STAND_IN(Sleef_finz_expf4_u10advsimd, float32x4_t, expf)
STAND_IN(Sleef_finz_logf4_u10advsimd, float32x4_t, logf)
STAND_IN(Sleef_finz_tanhf4_u10advsimd, float32x4_t, tanhf)
#endif

#endif
