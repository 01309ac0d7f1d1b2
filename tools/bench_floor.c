/* bench_floor.c: the limits of a core. */
#include "tools/bench.h"
#include "tools/ui.h"

#include <cblas.h>
#if defined(__x86_64__)
#include <immintrin.h>
#define VECTOR_REGISTER "v"
#elif defined(__aarch64__)
#include <arm_neon.h>
#define VECTOR_REGISTER "w"
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Twelve independent FMA chains hide the latency and fit in sixteen registers; single variables,
 * because gcc keeps an array of them in memory; the barrier keeps it from folding rounds. */
#define CHAIN(FMA, x)                                                                              \
    x = FMA(x, a, b);                                                                              \
    __asm__ volatile("" : "+" VECTOR_REGISTER(x));
#define FMA_LOOP(NAME, TARGET, VECTOR, WIDTH, SET, FMA)                                            \
    TARGET __attribute__((noinline)) static double NAME(long rounds) {                             \
        VECTOR a = SET(0.999f), b = SET(0.001f), c0 = b, c1 = b, c2 = b, c3 = b, c4 = b, c5 = b,   \
               c6 = b, c7 = b, c8 = b, c9 = b, c10 = b, c11 = b;                                   \
        for (long r = 0; r < rounds; r++) {                                                        \
            CHAIN(FMA, c0)                                                                         \
            CHAIN(FMA, c1)                                                                         \
            CHAIN(FMA, c2)                                                                         \
            CHAIN(FMA, c3)                                                                         \
            CHAIN(FMA, c4)                                                                         \
            CHAIN(FMA, c5)                                                                         \
            CHAIN(FMA, c6)                                                                         \
            CHAIN(FMA, c7)                                                                         \
            CHAIN(FMA, c8)                                                                         \
            CHAIN(FMA, c9)                                                                         \
            CHAIN(FMA, c10)                                                                        \
            CHAIN(FMA, c11)                                                                        \
        }                                                                                          \
        return 2.0 * WIDTH * 12 * (double)rounds;                                                  \
    }

#if defined(__x86_64__)
FMA_LOOP(fma_avx512, __attribute__((target("avx512f"))), __m512, 16, _mm512_set1_ps,
         _mm512_fmadd_ps)
FMA_LOOP(fma_avx2, __attribute__((target("avx2,fma"))), __m256, 8, _mm256_set1_ps, _mm256_fmadd_ps)
#elif defined(__aarch64__)
FMA_LOOP(fma_neon, , float32x4_t, 4, vdupq_n_f32, vfmaq_f32) /* here x + a * b */
#endif

static double fma_rounds(long rounds) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return fma_avx512(rounds);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return fma_avx2(rounds);
#elif defined(__aarch64__)
    return fma_neon(rounds);
#endif
    volatile float x = 0.5f;
    for (long r = 0; r < rounds; r++)
        x = x * 0.999f + 0.001f;
    return 2.0 * (double)rounds;
}

/* The best of a few short runs: a peak is what the core can do when nobody disturbs it. */
static double sample_peak(void) {
    double best = 0;
    for (int i = 0; i < 5; i++) {
        double begun = agon_ui_seconds();
        double flop = fma_rounds(20000);
        double rate = flop / (agon_ui_seconds() - begun) * 1e-9;
        if (rate > best)
            best = rate;
    }
    return best;
}

enum { N = 384 };

static double sample_sgemm(void) {
    float* a = malloc(3 * sizeof *a * N * N);
    if (!a)
        return 0;
    float *b = a + N * N, *c = b + N * N;
    for (int i = 0; i < 2 * N * N; i++)
        a[i] = (float)(i % 13) * 0.1f;
    double best = 0;
    for (int i = 0; i < 5; i++) {
        double begun = agon_ui_seconds();
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1, a, N, b, N, 0, c, N);
        double rate = 2.0 * N * N * N / (agon_ui_seconds() - begun) * 1e-9;
        if (rate > best)
            best = rate;
    }
    free(a);
    return best;
}

/* Kept for the next sample: pages are touched once. */
static double sample_copy(void) {
    static char* block;
    const size_t bytes = (size_t)AGON_BENCH_COPY_MEGABYTES << 20;
    if (!block) {
        block = malloc(2 * bytes);
        if (!block)
            return 0;
        memset(block, 1, 2 * bytes);
    }
    const double begun = agon_ui_seconds();
    memcpy(block + bytes, block, bytes);
    __asm__ volatile("" : : "r"(block) : "memory");
    return (double)bytes / (agon_ui_seconds() - begun) * 1e-9;
}

/* The copy first: it leaves the caches cold. */
agon_bench_floor agon_bench_sample_floor(void) {
    agon_bench_floor floor = {.copy = sample_copy()};
    floor.fma_peak = sample_peak();
    floor.sgemm = sample_sgemm();
    return floor;
}

const char* agon_bench_cpu(void) {
    static char name[64];
    char line[256];
    FILE* file = name[0] ? NULL : fopen("/proc/cpuinfo", "r");
    while (file && !name[0] && fgets(line, sizeof line, file))
        sscanf(line, "model name : %63[^\"\\\n]", name);
    if (file)
        fclose(file);
    return name[0] ? name : "unknown";
}
