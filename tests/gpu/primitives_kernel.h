/* primitives_kernel.h: kernels that do nothing but call the primitives of cuda/block.h, so that
 * their two bodies can be compared: on the GPU, and in C. */
#ifndef AGON_TESTS_GPU_PRIMITIVES_KERNEL_H
#define AGON_TESTS_GPU_PRIMITIVES_KERNEL_H

#include "cuda/block.h"

typedef struct primitives_warp_args {
    int count;
    const float* x;      /* (count, 32) */
    float *sum, *lowest; /* (count, 32): what each lane got; lowest = -max(-x) */
    float* most;         /* (count, 32) */
} primitives_warp_args;

AGON_KERNEL_FN void primitives_kernel_warp(agon__block* b, const primitives_warp_args* a) {
    AGON_WARPS(b, w) {
        for (int at = b->index * b->warps + w; at < a->count; at += b->blocks * b->warps) {
            const size_t from = (size_t)at * AGON__WARP;
            AGON_LANE(float, x);
            AGON_LANE(float, minus);
            AGON_LANES(l) {
                x[AGON_AT(l)] = a->x[from + (size_t)l];
                minus[AGON_AT(l)] = -x[AGON_AT(l)];
            }
            const float sum = agon_warp_sum(x), most = agon_warp_max(x);
            const float lowest = -agon_warp_max(minus);
            AGON_LANES(l) {
                a->sum[from + (size_t)l] = sum;
                a->most[from + (size_t)l] = most;
                a->lowest[from + (size_t)l] = lowest;
            }
        }
    }
}

enum { PRIMITIVES_ROUNDS = 64 };

typedef struct primitives_barrier_args {
    uint32_t* out; /* (blocks, warps * 32) */
} primitives_barrier_args;

/* Each thread adds up what others of its block wrote before the barrier, round after round. */
AGON_KERNEL_FN void primitives_kernel_barrier(agon__block* b, const primitives_barrier_args* a) {
    uint32_t* shared = (uint32_t*)b->shared;
    const int threads = b->warps * AGON__WARP;
    AGON_WARPS(b, w) {
        AGON_LANES(l) shared[w * AGON__WARP + l] = (uint32_t)(b->index * 7919 + w * 131 + l);
    }
    agon_barrier(b);
    for (int round = 0; round < PRIMITIVES_ROUNDS; round++) {
        const uint32_t* from = shared + round % 2 * threads;
        uint32_t* to = shared + (round + 1) % 2 * threads;
        AGON_WARPS(b, w) {
            AGON_LANES(l) {
                const int mine = w * AGON__WARP + l;
                to[mine] = from[(mine + 33 * round + 1) % threads] * 1664525u +
                           from[threads - 1 - mine] + 1013904223u;
            }
        }
        agon_barrier(b);
    }
    AGON_WARPS(b, w) {
        AGON_LANES(l) a->out[b->index * threads + w * AGON__WARP + l] = shared[w * AGON__WARP + l];
    }
}

typedef struct primitives_put_args {
    int count;
    const float* x;
    float *bf16, *tf32; /* what agon__get gives after agon__put */
    uint16_t* half;     /* (count) elements in between */
    float* fused;       /* fmaf(x, x, x) */
} primitives_put_args;

AGON_KERNEL_FN void primitives_kernel_put(agon__block* b, const primitives_put_args* a) {
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            const int first = (b->index * b->warps + w) * AGON__WARP + l;
            for (int i = first; i < a->count; i += b->blocks * b->warps * AGON__WARP) {
                agon__put(AGON__BF16, a->half, (size_t)i, a->x[i]);
                a->bf16[i] = agon__get(AGON__BF16, a->half, (size_t)i);
                agon__put(AGON__TF32, a->tf32, (size_t)i, a->x[i]);
                a->fused[i] = fmaf(a->x[i], a->x[i], a->x[i]);
            }
        }
    }
}

/* A product of tiles: (16, depth) by (8, depth), depth = steps * 16, for each warp one. */
typedef struct primitives_mma_args {
    int count, steps;
    int a_turned, b_turned; /* 1: the matrix lies the other way round in shared memory */
    const float* a;         /* (count, 16, depth) */
    const float* b;         /* (count, 8, depth) */
    float* c;               /* in and out (count, 16, 8) */
} primitives_mma_args;

enum { PRIMITIVES_PAD = 8 }; /* elements: rows fall on other banks, and on even elements */

AGON_KERNEL_FN int primitives_tile(int rows, int depth, int turned) { /* elements */
    return turned ? depth * (rows + PRIMITIVES_PAD) : rows * (depth + PRIMITIVES_PAD);
}
AGON_KERNEL_FN agon__matrix primitives_matrix(void* base, int rows, int depth, int turned) {
    agon__matrix x;
    x.base = base;
    x.row = turned ? 1 : depth + PRIMITIVES_PAD;
    x.col = turned ? rows + PRIMITIVES_PAD : 1;
    return x;
}
AGON_KERNEL_FN agon__matrix primitives_along(int mode, agon__matrix x, int k) {
    x.base = (const char*)x.base + (size_t)(k * x.col * agon__element(mode));
    return x;
}

/* Bytes of shared memory for one warp: 128-byte aligned. */
AGON_KERNEL_FN int primitives_mma_bytes(int mode, const primitives_mma_args* a) {
    const int depth = a->steps * AGON__TILE_K;
    const int elements = primitives_tile(AGON__TILE_M, depth, a->a_turned) +
                         primitives_tile(AGON__TILE_N, depth, a->b_turned);
    return (elements * agon__element(mode) + 127) / 128 * 128;
}

AGON_KERNEL_FN void primitives_load(int mode, agon__matrix to, int rows, int depth,
                                    const float* from) {
    AGON_LANES(l) {
        for (int i = l; i < rows * depth; i += AGON__WARP)
            agon__put(mode, (void*)to.base, (size_t)(i / depth * to.row + i % depth * to.col),
                      from[i]);
    }
}

AGON_KERNEL_FN void primitives_mma(int mode, agon__block* b, const primitives_mma_args* a) {
    const int depth = a->steps * AGON__TILE_K, bytes = primitives_mma_bytes(mode, a);
    const int split = primitives_tile(AGON__TILE_M, depth, a->a_turned) * agon__element(mode);
    for (int first = b->index * b->warps; first < a->count; first += b->blocks * b->warps) {
        AGON_WARPS(b, w) {
            char* mine = b->shared + w * bytes;
            const size_t at = (size_t)(first + w);
            if (first + w < a->count) {
                primitives_load(mode, primitives_matrix(mine, AGON__TILE_M, depth, a->a_turned),
                                AGON__TILE_M, depth, a->a + at * (size_t)(AGON__TILE_M * depth));
                primitives_load(mode,
                                primitives_matrix(mine + split, AGON__TILE_N, depth, a->b_turned),
                                AGON__TILE_N, depth, a->b + at * (size_t)(AGON__TILE_N * depth));
            }
        }
        agon_barrier(b);
        AGON_WARPS(b, w) {
            char* mine = b->shared + w * bytes;
            const agon__matrix left = primitives_matrix(mine, AGON__TILE_M, depth, a->a_turned);
            const agon__matrix right =
                primitives_matrix(mine + split, AGON__TILE_N, depth, a->b_turned);
            float* c = a->c + (size_t)(first + w) * (AGON__TILE_M * AGON__TILE_N);
            if (first + w < a->count) {
                AGON_LANE(agon__sums, sums);
                AGON_LANES(l) {
                    for (int i = 0; i < 4; i++)
                        sums[AGON_AT(l)].of[i] =
                            c[agon__tile_row(l, i) * AGON__TILE_N + agon__tile_col(l, i)];
                }
                for (int k = 0; k < depth; k += AGON__TILE_K)
                    agon_tile_mma(mode, sums, primitives_along(mode, left, k),
                                  primitives_along(mode, right, k));
                AGON_LANES(l) {
                    for (int i = 0; i < 4; i++)
                        c[agon__tile_row(l, i) * AGON__TILE_N + agon__tile_col(l, i)] =
                            sums[AGON_AT(l)].of[i];
                }
            }
        }
        agon_barrier(b);
    }
}

AGON_KERNEL_FN void primitives_kernel_mma_fp32(agon__block* b, const primitives_mma_args* a) {
    primitives_mma(AGON__FP32, b, a);
}
AGON_KERNEL_FN void primitives_kernel_mma_tf32(agon__block* b, const primitives_mma_args* a) {
    primitives_mma(AGON__TF32, b, a);
}
AGON_KERNEL_FN void primitives_kernel_mma_bf16(agon__block* b, const primitives_mma_args* a) {
    primitives_mma(AGON__BF16, b, a);
}

/* Every kernel: its name, and the struct of its arguments. */
#define PRIMITIVES_KERNELS(X)                                                                      \
    X(warp, primitives_warp_args)                                                                  \
    X(barrier, primitives_barrier_args)                                                            \
    X(put, primitives_put_args)                                                                    \
    X(mma_fp32, primitives_mma_args)                                                               \
    X(mma_tf32, primitives_mma_args)                                                               \
    X(mma_bf16, primitives_mma_args)

#endif
