/* block.h: what a kernel is written in: a block of threads, phases between barriers, and four
 * primitives. Each has two bodies: one for the GPU, and one in C that a host runs instead.
 *
 * A kernel is one function of (block, arguments) with control flow that is the same for all
 * threads. What threads do lies in phases:
 *
 *     AGON_WARPS(b, w) {                      every warp of the block, by itself
 *         AGON_LANE(float, x);                a variable that each of its 32 lanes has
 *         AGON_LANES(l) { x[AGON_AT(l)] = ...; }
 *         const float sum = agon_warp_sum(x); all lanes give, all lanes get
 *     }
 *     agon_barrier(b);                        what was written before is seen after
 *
 * On a GPU AGON_WARPS and AGON_LANES run once, in the thread that it is. The host walks through
 * the warps of a phase one by one, and through the lanes of a warp between its primitives; so a
 * phase has to give the same whichever warp comes first, and a lane loop whichever lane: the tests
 * turn the order of the warps round and compare bytes. What lanes wrote, their warp sees after the
 * lane loop. Inside AGON_WARPS, outside of AGON_LANES, everything is the same for the lanes of a
 * warp. Nothing but shared memory, what the arguments
 * point to and what threads keep (AGON__KEPT) lives from one phase to the next. `break` and
 * `continue` must not leave these loops.
 *
 * The text is the common subset of C11 and CUDA C++20. */
#ifndef AGON_CUDA_BLOCK_H
#define AGON_CUDA_BLOCK_H

#include <stdint.h>
#include <stddef.h>
#include <string.h>

#ifdef __CUDACC__
#define AGON_KERNEL_FN static __device__ __forceinline__
#else
#include <assert.h>
#include <math.h>
#define AGON_KERNEL_FN static inline
#endif

enum { AGON__WARP = 32, AGON__MAX_WARPS = 32 };

typedef struct agon__block {
    int index, blocks; /* which block of the grid, and how many there are */
    int warps;         /* of the block */
    char* shared;      /* its shared memory, 128-byte aligned; undefined at first */
#ifndef __CUDACC__
    int backwards; /* 1: the host walks through the warps from the last to the first */
    int phases;    /* since the last barrier, or agon_apart: at most 1 */
#endif
} agon__block;

#ifdef __CUDACC__
/* The kernel NAME as the GPU starts it. */
#define AGON_KERNEL_ENTRY(NAME, ARGS)                                                              \
    extern "C" __global__ void agon_##NAME(const __grid_constant__ ARGS args) {                    \
        extern __shared__ __align__(128) char shared[];                                            \
        agon__block block = {(int)blockIdx.x, (int)gridDim.x, (int)blockDim.x / AGON__WARP,        \
                             shared};                                                              \
        agon__kernel_##NAME(&block, &args);                                                        \
    }
#endif

/* ---- phases ------------------------------------------------------------------------------- */

AGON_KERNEL_FN int agon__over(int counter) { /* a counter that nobody reads is no mistake */
    (void)counter;
    return 0;
}

#ifdef __CUDACC__
/* What a lane loop wrote to memory, the warp sees after it. */
static __device__ __forceinline__ int agon__together(int lane) {
    __syncwarp();
    return agon__over(lane);
}

#define AGON_WARPS(b, w)                                                                           \
    for (int w = (int)threadIdx.x / AGON__WARP, w##_left = 1; w##_left; w##_left = agon__over(w))
#define AGON_LANES(l)                                                                              \
    for (int l = (int)threadIdx.x % AGON__WARP, l##_left = 1; l##_left;                            \
         l##_left = agon__together(l))
#define AGON_LANE(type, name) type name[1]
#define AGON_AT(l)            0
#else
/* The host ends every phase for all warps, so it would not miss a barrier: it asks for one. */
static inline int agon__phase(agon__block* b) {
    assert(b->phases == 0 && "a phase follows another, with neither agon_barrier nor agon_apart");
    b->phases++;
    return 0;
}

#define AGON_WARPS(b, w)                                                                           \
    for (int w##_i = agon__phase(b), w;                                                            \
         w##_i < (b)->warps && ((w = (b)->backwards ? (b)->warps - 1 - w##_i : w##_i), 1);         \
         w##_i += 1 + agon__over(w))
#define AGON_LANES(l)         for (int l = 0; l < AGON__WARP; l++)
#define AGON_LANE(type, name) type name[AGON__WARP]
#define AGON_AT(l)            (l)
#endif

/* An array of AGON__KEPT variables, declared outside of AGON_WARPS, is a variable that each thread
 * keeps from phase to phase: thread (w, l) has element AGON_KEPT(w, l), and the 32 of a warp lie
 * side by side from AGON_KEPT(w, 0) on. On a GPU it is a register. */
#ifdef __CUDACC__
#define AGON__KEPT      1
#define AGON_KEPT(w, l) 0
#else
#define AGON__KEPT      (AGON__MAX_WARPS * AGON__WARP)
#define AGON_KEPT(w, l) ((w)*AGON__WARP + (l))
#endif

/* Primitive 1: the end of a phase. */
AGON_KERNEL_FN void agon_barrier(agon__block* b) {
#ifdef __CUDACC__
    __syncthreads();
    (void)b;
#else
    b->phases = 0;
#endif
}

/* Between two phases that need no barrier, because neither writes what the other reads or writes.
 */
AGON_KERNEL_FN void agon_apart(agon__block* b) {
#ifndef __CUDACC__
    b->phases = 0;
#endif
    (void)b;
}

/* ---- primitives 2 and 3: sums and maxima over a warp ---------------------------------------- */

/* The sum of what the 32 lanes have, by a butterfly: in a fixed order, the same on both bodies. */
AGON_KERNEL_FN float agon_warp_sum(const float* x) {
#ifdef __CUDACC__
    float sum = x[0];
    for (int step = AGON__WARP / 2; step > 0; step /= 2)
        sum += __shfl_xor_sync(0xffffffffu, sum, step);
    return sum;
#else
    float sum[AGON__WARP];
    memcpy(sum, x, sizeof sum);
    for (int step = AGON__WARP / 2; step > 0; step /= 2)
        for (int l = 0; l < step; l++)
            sum[l] += sum[l + step];
    return sum[0];
#endif
}

/* Their maximum; with a NaN among them, some of them or NaN, but the same on both bodies. */
AGON_KERNEL_FN float agon_warp_max(const float* x) {
#ifdef __CUDACC__
    float top = x[0];
    for (int step = AGON__WARP / 2; step > 0; step /= 2) {
        const float other = __shfl_down_sync(0xffffffffu, top, step);
        top = other > top ? other : top;
    }
    return __shfl_sync(0xffffffffu, top, 0);
#else
    float top[AGON__WARP];
    memcpy(top, x, sizeof top);
    for (int step = AGON__WARP / 2; step > 0; step /= 2)
        for (int l = 0; l < step; l++)
            top[l] = top[l + step] > top[l] ? top[l + step] : top[l];
    return top[0];
#endif
}

/* ---- elements of matrices: what a precision keeps of a float -------------------------------- */

/* How products are computed; sums are float32 always.
 *   FP32: exact inputs; one fused multiply-add per term, in the order of the reduction index: the
 *         CPU's arithmetic (agents/kernel.h), byte for byte
 *   TF32: inputs rounded to 10 bits of mantissa, on tensor cores
 *   BF16: inputs rounded to bfloat16, on tensor cores */
typedef enum agon__mode { AGON__FP32, AGON__TF32, AGON__BF16 } agon__mode;

/* Bytes of an element in shared memory and in packed nets. */
AGON_KERNEL_FN int agon__element(int mode) {
    return mode == AGON__BF16 ? 2 : 4;
}

AGON_KERNEL_FN uint32_t agon__bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

AGON_KERNEL_FN float agon__float(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* x rounded to the nearest with `drop` bits of mantissa less, ties to even; NaN stays NaN. */
AGON_KERNEL_FN uint32_t agon__round_off(float x, int drop) {
    const uint32_t bits = agon__bits(x), half = (1u << (drop - 1)) - 1;
    if (x != x)
        return (bits | 0x00400000u) & ~((1u << drop) - 1);
    return (bits + half + (bits >> drop & 1)) & ~((1u << drop) - 1);
}

/* Element `at` of a matrix = x. mode: a constant where speed counts. */
AGON_KERNEL_FN void agon__put(int mode, void* matrix, size_t at, float x) {
    if (mode == AGON__BF16)
        ((uint16_t*)matrix)[at] = (uint16_t)(agon__round_off(x, 16) >> 16);
    else if (mode == AGON__TF32)
        ((float*)matrix)[at] = agon__float(agon__round_off(x, 13));
    else
        ((float*)matrix)[at] = x;
}

AGON_KERNEL_FN float agon__get(int mode, const void* matrix, size_t at) {
    if (mode == AGON__BF16)
        return agon__float((uint32_t)((const uint16_t*)matrix)[at] << 16);
    return ((const float*)matrix)[at];
}

/* ---- primitive 4: a tile of a product -------------------------------------------------------- */

enum { AGON__TILE_M = 16, AGON__TILE_N = 8, AGON__TILE_K = 16 };

/* A matrix of elements in shared memory, to be read as x(i, j) = base[i * row + j * col]. */
typedef struct agon__matrix {
    const void* base;
    int row, col; /* elements */
} agon__matrix;

/* The four sums of a lane in a tile of 16 x 8: sum i is of this row and column (as the tensor cores
 * have it). */
typedef struct agon__sums {
    float of[4];
} agon__sums;

AGON_KERNEL_FN int agon__tile_row(int lane, int i) {
    return lane / 4 + (i / 2) * 8;
}
AGON_KERNEL_FN int agon__tile_col(int lane, int i) {
    return lane % 4 * 2 + i % 2;
}

#ifdef __CUDACC__
/* Two neighbours along k, as one register of bfloat16s. */
static __device__ __forceinline__ uint32_t agon__two(agon__matrix x, int i, int k) {
    const uint16_t* p = (const uint16_t*)x.base + i * x.row + k * x.col;
    return x.col == 1 ? *(const uint32_t*)p : (uint32_t)p[0] | (uint32_t)p[x.col] << 16;
}
static __device__ __forceinline__ uint32_t agon__one(agon__matrix x, int i, int k) {
    return ((const uint32_t*)x.base)[i * x.row + k * x.col];
}
static __device__ __forceinline__ void agon__mma_bf16(float* c, agon__matrix a, agon__matrix b,
                                                      int lane) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
    const int r = lane / 4, k = lane % 4 * 2;
    const uint32_t a0 = agon__two(a, r, k), a1 = agon__two(a, r + 8, k);
    const uint32_t a2 = agon__two(a, r, k + 8), a3 = agon__two(a, r + 8, k + 8);
    const uint32_t b0 = agon__two(b, r, k), b1 = agon__two(b, r, k + 8);
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
        "{%8,%9}, {%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
#endif
}
static __device__ __forceinline__ void agon__mma_tf32(float* c, agon__matrix a, agon__matrix b,
                                                      int lane) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
    const int r = lane / 4;
    for (int half = 0; half < AGON__TILE_K; half += 8) {
        const int k = half + lane % 4;
        const uint32_t a0 = agon__one(a, r, k), a1 = agon__one(a, r + 8, k);
        const uint32_t a2 = agon__one(a, r, k + 4), a3 = agon__one(a, r + 8, k + 4);
        const uint32_t b0 = agon__one(b, r, k), b1 = agon__one(b, r, k + 4);
        asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
            "{%8,%9}, {%0,%1,%2,%3};"
            : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
            : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
    }
#endif
}
#endif

/* One lane's part in plain arithmetic: terms in order of k, a fused multiply-add each. */
AGON_KERNEL_FN void agon__mma_plain(int mode, float* c, agon__matrix a, agon__matrix b, int lane) {
    for (int i = 0; i < 4; i++) {
        const int row = agon__tile_row(lane, i), col = agon__tile_col(lane, i);
        for (int k = 0; k < AGON__TILE_K; k++)
            c[i] = fmaf(agon__get(mode, a.base, (size_t)(row * a.row + k * a.col)),
                        agon__get(mode, b.base, (size_t)(col * b.row + k * b.col)), c[i]);
    }
}

#ifndef __CUDACC__
/* c += left * right, terms in order of k. Eight sums side by side, which compilers turn into
 * vectors, unless they check every index; these are all constants. */
__attribute__((no_sanitize("address"), no_sanitize("undefined"))) static inline void
agon__mma_rows(float left[AGON__TILE_M][AGON__TILE_K], float right[AGON__TILE_K][AGON__TILE_N],
               float sums[AGON__TILE_M][AGON__TILE_N]) {
    for (int i = 0; i < AGON__TILE_M; i++) {
        float c[AGON__TILE_N];
        for (int j = 0; j < AGON__TILE_N; j++)
            c[j] = sums[i][j];
        for (int k = 0; k < AGON__TILE_K; k++)
            for (int j = 0; j < AGON__TILE_N; j++)
                c[j] = fmaf(left[i][k], right[k][j], c[j]);
        for (int j = 0; j < AGON__TILE_N; j++)
            sums[i][j] = c[j];
    }
}

/* As agon__mma_plain, for all lanes. */
static inline void agon__mma_host(int mode, agon__sums* sums, agon__matrix a, agon__matrix b) {
    float left[AGON__TILE_M][AGON__TILE_K], right[AGON__TILE_K][AGON__TILE_N];
    float c[AGON__TILE_M][AGON__TILE_N];
    for (int i = 0; i < AGON__TILE_M; i++)
        for (int k = 0; k < AGON__TILE_K; k++)
            left[i][k] = agon__get(mode, a.base, (size_t)(i * a.row + k * a.col));
    for (int j = 0; j < AGON__TILE_N; j++)
        for (int k = 0; k < AGON__TILE_K; k++)
            right[k][j] = agon__get(mode, b.base, (size_t)(j * b.row + k * b.col));
    for (int l = 0; l < AGON__WARP; l++)
        for (int i = 0; i < 4; i++)
            c[agon__tile_row(l, i)][agon__tile_col(l, i)] = sums[l].of[i];
    agon__mma_rows(left, right, c);
    for (int l = 0; l < AGON__WARP; l++)
        for (int i = 0; i < 4; i++)
            sums[l].of[i] = c[agon__tile_row(l, i)][agon__tile_col(l, i)];
}
#endif

/* sums(i, j) += sum over k of a(i, k) * b(j, k): a (16, 16), b (8, 16), all within shared memory.
 * With mode BF16, matrices of col = 1 lie on even elements. Called by whole warps. */
AGON_KERNEL_FN void agon_tile_mma(int mode, agon__sums* sums, agon__matrix a, agon__matrix b) {
#ifdef __CUDACC__
    const int lane = (int)threadIdx.x % AGON__WARP;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
    agon__mma_plain(mode, sums[0].of, a, b, lane); /* no tensor cores for these types */
#else
    if (mode == AGON__BF16)
        agon__mma_bf16(sums[0].of, a, b, lane);
    else if (mode == AGON__TF32)
        agon__mma_tf32(sums[0].of, a, b, lane);
    else
        agon__mma_plain(mode, sums[0].of, a, b, lane);
#endif
#else
    agon__mma_host(mode, sums, a, b);
#endif
}

#endif
