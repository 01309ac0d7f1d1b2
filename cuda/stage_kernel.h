/* stage_kernel.h: operands of a product on their way from global to shared memory: a chunk of k of
 * so many rows, fetched into registers first, and put down while no one reads there.
 *
 * In shared memory a row is AGON__STAGE_BYTES of k and 16 bytes more, so that the eight rows that a
 * tile's lanes read together fall on all banks. */
#ifndef AGON_CUDA_STAGE_KERNEL_H
#define AGON_CUDA_STAGE_KERNEL_H

#include "cuda/minibatch.h"

enum {
    AGON__PRODUCT_WARPS = 4,
    AGON__PRODUCT_THREADS = AGON__PRODUCT_WARPS * AGON__WARP,
    AGON__STAGE_BYTES = 128,                  /* of k: 64 bfloat16s, or 32 floats */
    AGON__STAGE_ROW = AGON__STAGE_BYTES + 16, /* bytes from row to row */
    AGON__STAGE_WORDS = 32,                   /* that a thread may hold of 128 rows */
};

#ifdef __CUDACC__
#define AGON_UNROLL _Pragma("unroll")
#define AGON_ROLLED _Pragma("unroll 1")
#else
#define AGON_UNROLL
#define AGON_ROLLED
#endif

/* X(i, k) of a product, one matrix per group. Beyond `rows` and `depth` it is 0. Where neighbours
 * in memory lie along i rather than along k, it is turned. */
typedef struct agon__operand {
    const char* base; /* elements, 16-byte aligned */
    uint64_t group;   /* bytes from one group's to the next's */
    int stride;       /* elements from one i (turned: one k) to the next: 16 bytes, or some */
    int rows, depth;  /* neighbours: a multiple of 16, or within rows that are zero up to there */
} agon__operand;

/* 16 bytes, as four words. */
AGON_KERNEL_FN void agon__read_16(const char* from, uint32_t* word) {
#ifdef __CUDACC__
    const uint4 x = *(const uint4*)from;
    word[0] = x.x, word[1] = x.y, word[2] = x.z, word[3] = x.w;
#else
    memcpy(word, from, 16);
#endif
}
AGON_KERNEL_FN void agon__write_16(char* to, const uint32_t* word) {
#ifdef __CUDACC__
    *(uint4*)to = make_uint4(word[0], word[1], word[2], word[3]);
#else
    memcpy(to, word, 16);
#endif
}

/* Elements in a word. */
AGON_KERNEL_FN int agon__per_word(int mode) {
    return mode == AGON__BF16 ? 2 : 1;
}

/* x, y as elements: a word of both, or x alone. */
AGON_KERNEL_FN uint32_t agon__word_of(int mode, float x, float y) {
    if (mode == AGON__BF16)
        return agon__round_off(x, 16) >> 16 | agon__round_off(y, 16);
    return mode == AGON__TF32 ? agon__round_off(x, 13) : agon__bits(x);
}

/* The first element of a word as a float, or the second. */
AGON_KERNEL_FN float agon__of_word(int mode, uint32_t word, int second) {
    if (mode == AGON__BF16)
        return agon__float(second ? word & 0xffff0000u : word << 16);
    return agon__float(word);
}

/* ---- neighbours along k: 16 bytes at once -------------------------------------------------- */

/* Unit n of a thread: eight units are a row. */
AGON_KERNEL_FN int agon__straight_row(int thread, int n) {
    return (thread + n * AGON__PRODUCT_THREADS) / 8;
}

/* Where row r of the minibatch of a group lies. */
AGON_KERNEL_FN const char* agon__see(const agon__sights* s, int group, int r) {
    return s->obs + agon__sight_place(s, agon__sight_entry(s, group, r)) * s->bytes;
}

/* Input k of an observation, 0 beyond the last. */
AGON_KERNEL_FN float agon__see_byte(const agon__sights* s, const char* obs, int k, int depth) {
    return k < depth ? (float)((const uint8_t*)obs)[k] * s->scale : 0.0f;
}
AGON_KERNEL_FN float agon__see_float(const char* obs, int k, int depth) {
    return k < depth ? ((const float*)obs)[k] : 0.0f;
}

/* Bytes k .. of an observation, four to a word, from whole words of memory: the last of them may
 * reach up to three bytes behind the observation, never into another four. */
AGON_KERNEL_FN void agon__see_words(const char* from, int words, uint32_t* out) {
    const int off = (int)((uintptr_t)from & 3);
    const uint32_t* at = (const uint32_t*)(from - off);
    uint32_t low = at[0];
    AGON_UNROLL for (int i = 0; i < words; i++) {
        const uint32_t high = i + 1 < words || off ? at[i + 1] : 0;
        out[i] = (uint32_t)(((uint64_t)high << 32 | low) >> (8 * off));
        low = high;
    }
}

AGON_KERNEL_FN float agon__byte_of(const uint32_t* word, int i) {
    return (float)(word[i / 4] >> (i % 4 * 8) & 255u);
}

/* Four words of an observation of bytes, from k on. */
AGON_KERNEL_FN void agon__see_bytes(int mode, const agon__sights* s, const char* obs, int k,
                                    int depth, uint32_t* word) {
    const int per = agon__per_word(mode);
    if (k + 4 * per <= depth) {
        uint32_t bytes[2];
        agon__see_words(obs + k, per, bytes);
        AGON_UNROLL for (int j = 0; j < 4; j++) word[j] =
            agon__word_of(mode, agon__byte_of(bytes, j * per) * s->scale,
                          agon__byte_of(bytes, j * per + per - 1) * s->scale);
        return;
    }
    AGON_UNROLL for (int j = 0; j < 4; j++) word[j] =
        agon__word_of(mode, agon__see_byte(s, obs, k + j * per, depth),
                      agon__see_byte(s, obs, k + j * per + 1, depth));
}

AGON_KERNEL_FN void agon__see_floats(int mode, const char* obs, int k, int depth, uint32_t* word) {
    const int per = agon__per_word(mode);
    AGON_UNROLL for (int j = 0; j < 4; j++) word[j] =
        agon__word_of(mode, agon__see_float(obs, k + j * per, depth),
                      agon__see_float(obs, k + j * per + 1, depth));
}

AGON_KERNEL_FN void agon__see_straight(int mode, int rows, const agon__operand* x,
                                       const agon__sights* s, int group, int first, int k,
                                       int thread, uint32_t* word) {
    k += thread % 8 * (16 / agon__element(mode));
    AGON_UNROLL for (int n = 0; n < rows / 16; n++) {
        const int i = first + agon__straight_row(thread, n);
        word[4 * n] = word[4 * n + 1] = word[4 * n + 2] = word[4 * n + 3] = 0;
        if (i < x->rows && k < x->depth) {
            const char* obs = agon__see(s, group, i);
            if (s->floats)
                agon__see_floats(mode, obs, k, x->depth, word + 4 * n);
            else
                agon__see_bytes(mode, s, obs, k, x->depth, word + 4 * n);
        }
    }
}

/* Where a thread reads: a pointer that is the same for all, and 32 bits of its own. */
AGON_KERNEL_FN void agon__fetch_straight(int mode, int rows, const agon__operand* x, int first,
                                         int k0, int thread, uint32_t* word) {
    const int element = agon__element(mode), k = thread % 8 * (16 / element);
    const char* base = x->base + ((int64_t)first * x->stride + k0) * element;
    AGON_UNROLL for (int n = 0; n < rows / 16; n++) {
        const int i = agon__straight_row(thread, n);
        word[4 * n] = word[4 * n + 1] = word[4 * n + 2] = word[4 * n + 3] = 0;
        if (first + i < x->rows && k0 + k < x->depth)
            agon__read_16(base + (i * x->stride + k) * element, word + 4 * n);
    }
}

AGON_KERNEL_FN void agon__put_straight(int rows, char* to, int thread, const uint32_t* word) {
    AGON_UNROLL for (int n = 0; n < rows / 16; n++) agon__write_16(
        to + agon__straight_row(thread, n) * AGON__STAGE_ROW + thread % 8 * 16, word + 4 * n);
}

/* ---- neighbours along i: two rows and a word of k at once ---------------------------------- */

/* Unit n of a thread: its pair of rows, and its word of k. A warp has four pairs by eight words:
 * other banks all. */
AGON_KERNEL_FN int agon__turned_pair(int rows, int thread, int n) {
    return (thread + n * AGON__PRODUCT_THREADS) / 8 % (rows / 2);
}
AGON_KERNEL_FN int agon__turned_word(int rows, int thread, int n) {
    return (thread + n * AGON__PRODUCT_THREADS) / (4 * rows) * 8 + thread % 8;
}

/* Inputs i and i + 1 of an observation; NULL: zeros. */
AGON_KERNEL_FN void agon__see_two(const agon__sights* s, const char* obs, int i, int rows,
                                  float* two) {
    two[0] = two[1] = 0.0f;
    if (!obs || i >= rows)
        return;
    if (s->floats) {
        two[0] = ((const float*)obs)[i];
        two[1] = agon__see_float(obs, i + 1, rows);
    } else {
        two[0] = (float)((const uint8_t*)obs)[i] * s->scale;
        two[1] = agon__see_byte(s, obs, i + 1, rows);
    }
}

/* Units that share their word of k share its observations, too. */
AGON_KERNEL_FN void agon__see_turned(int mode, int rows, const agon__operand* x,
                                     const agon__sights* s, int group, int first, int k0,
                                     int thread, uint32_t* word) {
    const int per = agon__per_word(mode), pairs = rows < 32 ? 1 : rows / 32;
    AGON_UNROLL for (int n = 0; n < rows / 8; n += pairs) {
        const int k = k0 + agon__turned_word(rows, thread, n) * per;
        const char* one = k < x->depth ? agon__see(s, group, k) : NULL;
        const char* two = per == 2 && k + 1 < x->depth ? agon__see(s, group, k + 1) : NULL;
        AGON_UNROLL for (int q = n; q < n + pairs; q++) {
            const int i = first + 2 * agon__turned_pair(rows, thread, q);
            float x1[2], x2[2];
            agon__see_two(s, one, i, x->rows, x1);
            agon__see_two(s, two, i, x->rows, x2);
            word[2 * q] = agon__word_of(mode, x1[0], x2[0]);
            word[2 * q + 1] = agon__word_of(mode, x1[1], x2[1]);
        }
    }
}

/* stride: from k to k + 1, in words; more: k + 1 is there. */
AGON_KERNEL_FN void agon__read_pair(int mode, const char* from, int stride, int more,
                                    uint32_t* word) {
    const uint32_t* at = (const uint32_t*)from;
    if (mode == AGON__BF16) {
        const uint32_t one = at[0], two = more ? at[stride] : 0;
        word[0] = (one & 0xffffu) | two << 16;
        word[1] = one >> 16 | (two & 0xffff0000u);
    } else {
        word[0] = at[0];
        word[1] = at[1];
    }
}

AGON_KERNEL_FN void agon__fetch_turned(int mode, int rows, const agon__operand* x, int first,
                                       int k0, int thread, uint32_t* word) {
    const int element = agon__element(mode), per = agon__per_word(mode);
    const char* base = x->base + ((int64_t)k0 * x->stride + first) * element;
    AGON_UNROLL for (int n = 0; n < rows / 8; n++) {
        const int i = 2 * agon__turned_pair(rows, thread, n);
        const int k = agon__turned_word(rows, thread, n) * per;
        word[2 * n] = word[2 * n + 1] = 0;
        if (first + i < x->rows && k0 + k < x->depth)
            agon__read_pair(mode, base + (k * x->stride + i) * element, x->stride / per,
                            k0 + k + 1 < x->depth, word + 2 * n);
    }
}

AGON_KERNEL_FN void agon__put_turned(int rows, char* to, int thread, const uint32_t* word) {
    AGON_UNROLL for (int n = 0; n < rows / 8; n++) {
        char* at = to + 2 * agon__turned_pair(rows, thread, n) * AGON__STAGE_ROW +
                   agon__turned_word(rows, thread, n) * 4;
        *(uint32_t*)at = word[2 * n];
        *(uint32_t*)(at + AGON__STAGE_ROW) = word[2 * n + 1];
    }
}

#endif
