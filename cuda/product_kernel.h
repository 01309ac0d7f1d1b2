/* product_kernel.h: products of matrices, one per member, for forward and backward passes:
 * C(i, j) = start + sum over k of A(i, k) * B(j, k), with k in order in mode FP32.
 *
 * A block of four warps has a tile of C. Its sums stay in registers; chunks of k pass through
 * shared memory, the next one on its way while one is multiplied. Terms of a sum, and their order,
 * depend on the shapes alone. */
#ifndef AGON_CUDA_PRODUCT_KERNEL_H
#define AGON_CUDA_PRODUCT_KERNEL_H

#include "cuda/stage_kernel.h"

/* What a product is for. */
typedef enum agon__product_kind {
    AGON__END_LAYER,  /* outputs of a layer: starts from the bias, then the activation */
    AGON__END_SLOPES, /* slopes of a layer's outputs y, told from those of its inputs' layer */
    AGON__END_GRADS,  /* gradients of weights, and sums of A's rows: gradients of biases */
} agon__product_kind;

/* What is known of a product when it is compiled. */
typedef struct agon__way {
    int mode, kind;
    int seen; /* 1: A of a layer, B of gradients: what the net sees */
    int more; /* 1: gradients go on from what is there, as if depths were one */
} agon__way;

typedef struct agon__product_end {
    int bend; /* the activation of a layer, or that of y: 0 none, 1 relu, 2 tanh */
    char* out;
    uint64_t group;   /* bytes from one group's `out` to the next's */
    int stride;       /* floats or elements from one i to the next */
    int rows, cols;   /* of C that are written; but for GRADS cols is even */
    int floats;       /* 1: `out` is of floats, 0: of the mode's elements */
    const char* bias; /* LAYER: floats */
    uint64_t bias_group;
    int biases;
    /* GRADS: row `apart` (-1: none) of C goes to apart_out; row i's sum to sums[i], or apart_sum.
     * All are of group 0, and `group` bytes apart. */
    int apart;
    float *apart_out, *sums, *apart_sum;
} agon__product_end;

/* How a tile of C is cut: each warp has m x n tiles of 16 x 8, and there are down x across warps.
 */
typedef struct agon__cut {
    int m, n, down, across;
} agon__cut;

enum { AGON__SHAPE_SQUARE, AGON__SHAPE_NARROW, AGON__SHAPE_FLAT, AGON__TILES = 8 };

AGON_KERNEL_FN agon__cut agon__cut_of(int shape) {
    const agon__cut square = {2, 4, 2, 2}, narrow = {2, 2, 4, 1}, flat = {1, 4, 1, 4};
    return shape == AGON__SHAPE_SQUARE ? square : shape == AGON__SHAPE_NARROW ? narrow : flat;
}
AGON_KERNEL_FN int agon__cut_rows(agon__cut c) {
    return c.m * c.down * AGON__TILE_M;
}
AGON_KERNEL_FN int agon__cut_cols(agon__cut c) {
    return c.n * c.across * AGON__TILE_N;
}

/* Grid: any number of blocks of AGON__PRODUCT_WARPS; shared: two chunks, agon__product_shared. */
typedef struct agon__product_args {
    int groups, shape;
    int rows, cols, depth; /* of C, and how many k; even cols */
    agon__operand a, b;
    agon__product_end end;
    agon__sights sights; /* of an operand that is seen */
} agon__product_args;

AGON_KERNEL_FN int agon__product_chunk(agon__cut c) { /* bytes */
    return (agon__cut_rows(c) + agon__cut_cols(c)) * AGON__STAGE_ROW;
}

/* A block's work: one tile of one group. Operands' bases are the group's. */
typedef struct agon__product_tile {
    agon__operand a, b;
    int group, row, col; /* where the tile begins */
} agon__product_tile;

typedef struct agon__product_tiles {
    agon__sums of[AGON__TILES][AGON__KEPT];
    float row[AGON__KEPT]; /* the sum of row `thread` of A */
} agon__product_tiles;

/* ---- beginning and end --------------------------------------------------------------------- */

AGON_KERNEL_FN float agon__product_start(agon__way way, const agon__product_args* a, int group,
                                         int col) {
    if (way.kind != AGON__END_LAYER || col >= a->end.biases)
        return 0.0f;
    return ((const float*)(a->end.bias + (uint64_t)group * a->end.bias_group))[col];
}

/* The first of a lane's columns in tile n of its warp. */
AGON_KERNEL_FN int agon__product_col(agon__cut c, int warp, int lane, int n) {
    return (warp % c.across * c.n + n) * AGON__TILE_N + agon__tile_col(lane, 0);
}

AGON_KERNEL_FN void agon__product_begin(agon__way way, agon__cut c, agon__block* b,
                                        const agon__product_args* a, const agon__product_tile* t,
                                        agon__product_tiles* sums) {
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            sums->row[AGON_KEPT(w, l)] = 0.0f;
            AGON_UNROLL for (int n = 0; n < c.n; n++) {
                const int col = t->col + agon__product_col(c, w, l, n);
                const float even = agon__product_start(way, a, t->group, col);
                const float odd = agon__product_start(way, a, t->group, col + 1);
                AGON_UNROLL for (int m = 0; m < c.m; m++) {
                    float* of = sums->of[m * c.n + n][AGON_KEPT(w, l)].of;
                    of[0] = of[2] = even;
                    of[1] = of[3] = odd;
                }
            }
        }
    }
    agon_apart(b); /* registers alone */
}

/* Where row `row` of GRADS and its sum lie. */
AGON_KERNEL_FN float* agon__grads_row(const agon__product_end* e, int group, int row) {
    const uint64_t at = (uint64_t)group * (e->group / sizeof(float));
    return row == e->apart ? e->apart_out + at
                           : (float*)e->out + at + (uint64_t)row * (uint64_t)e->stride;
}
AGON_KERNEL_FN float* agon__grads_sum(const agon__product_end* e, int group, int row) {
    const uint64_t at = (uint64_t)group * (e->group / sizeof(float));
    return row == e->apart ? e->apart_sum + at : e->sums + at + row;
}

/* Sums of gradients go on from what is there. */
AGON_KERNEL_FN void agon__product_resume(agon__cut c, agon__block* b, const agon__product_args* a,
                                         const agon__product_tile* t, agon__product_tiles* sums) {
    const agon__product_end* e = &a->end;
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            const int own = t->row + w * AGON__WARP + l;
            const int first = t->row + w / c.across * c.m * AGON__TILE_M;
            AGON_UNROLL for (int i = 0; i < c.m * c.n * 4; i++) {
                const int row = first + i / 4 / c.n * AGON__TILE_M + agon__tile_row(l, i % 4);
                const int col = t->col + agon__product_col(c, w, l, i / 4 % c.n) + i % 2;
                if (row < e->rows && col < e->cols)
                    sums->of[i / 4][AGON_KEPT(w, l)].of[i % 4] =
                        agon__grads_row(e, t->group, row)[col];
            }
            if (t->col == 0 && own < e->rows && own < t->row + agon__cut_rows(c))
                sums->row[AGON_KEPT(w, l)] = *agon__grads_sum(e, t->group, own);
        }
    }
    agon_apart(b); /* registers alone */
}

AGON_KERNEL_FN float agon__product_bend(int bend, float x) {
    return bend == 1 ? (0.0f > x ? 0.0f : x) : bend == 2 ? tanhf(x) : x;
}
AGON_KERNEL_FN float agon__product_unbend(int bend, float y, float slope) {
    return bend == 1 ? (y > 0.0f ? slope : 0.0f) : bend == 2 ? slope * (1.0f - y * y) : slope;
}

/* Two neighbours of C, in elements. SLOPES lie where the outputs lay that they are slopes of. */
AGON_KERNEL_FN void agon__end_elements(int mode, int kind, const agon__product_end* e, char* out,
                                       const float* sum) {
    float x[2] = {sum[0], sum[1]};
    uint32_t* word = (uint32_t*)out;
    AGON_UNROLL for (int i = 0; i < 2; i++) {
        if (kind == AGON__END_SLOPES)
            x[i] = agon__product_unbend(
                e->bend, agon__of_word(mode, word[i / agon__per_word(mode)], i), x[i]);
        else
            x[i] = agon__product_bend(e->bend, x[i]);
    }
    word[0] = agon__word_of(mode, x[0], x[1]);
    if (mode != AGON__BF16)
        word[1] = agon__word_of(mode, x[1], 0.0f);
}

AGON_KERNEL_FN void agon__end_grads(const agon__product_end* e, int group, int row, int col,
                                    const float* sum) {
    float* out = agon__grads_row(e, group, row);
    out[col] = sum[0];
    if (col + 1 < e->cols)
        out[col + 1] = sum[1];
}

AGON_KERNEL_FN void agon__end_two(agon__way way, const agon__product_end* e, int group, int row,
                                  int col, const float* sum) {
    if (row >= e->rows || col >= e->cols)
        return;
    if (way.kind == AGON__END_GRADS) {
        agon__end_grads(e, group, row, col, sum);
        return;
    }
    char* out = e->out + (uint64_t)group * e->group;
    const uint64_t at = (uint64_t)row * (uint64_t)e->stride + (uint64_t)col;
    if (e->floats)
        agon__end_elements(AGON__FP32, way.kind, e, out + at * 4, sum);
    else
        agon__end_elements(way.mode, way.kind, e, out + at * (uint64_t)agon__element(way.mode),
                           sum);
}

AGON_KERNEL_FN void agon__end_sums(const agon__product_end* e, int group, int row, float sum) {
    if (row < e->rows)
        *agon__grads_sum(e, group, row) = sum;
}

/* Sums from registers into shared memory, where a row of the tile is eight floats longer than it is
 * wide: no two lanes of a store on a bank. */
AGON_KERNEL_FN void agon__product_lay(agon__cut c, agon__block* b,
                                      const agon__product_tiles* sums) {
    const int wide = agon__cut_cols(c) + 8;
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            AGON_UNROLL for (int m = 0; m < c.m; m++) {
                const int row = (w / c.across * c.m + m) * AGON__TILE_M;
                AGON_UNROLL for (int n = 0; n < c.n; n++) {
                    const float* of = sums->of[m * c.n + n][AGON_KEPT(w, l)].of;
                    float* to = (float*)b->shared + (row + agon__tile_row(l, 0)) * wide +
                                agon__product_col(c, w, l, n);
                    to[0] = of[0];
                    to[1] = of[1];
                    to[8 * wide] = of[2];
                    to[8 * wide + 1] = of[3];
                }
            }
        }
    }
    agon_barrier(b);
}

AGON_KERNEL_FN void agon__product_finish(agon__way way, agon__cut c, agon__block* b,
                                         const agon__product_args* a, const agon__product_tile* t,
                                         const agon__product_tiles* sums) {
    const int rows = agon__cut_rows(c), pairs = agon__cut_cols(c) / 2;
    agon__product_lay(c, b, sums);
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            const int thread = w * AGON__WARP + l;
            AGON_ROLLED for (int i = thread; i < rows * pairs; i += AGON__PRODUCT_THREADS) {
                const int row = i / pairs, col = i % pairs * 2;
                const float* sum = (const float*)b->shared + row * (2 * pairs + 8) + col;
                agon__end_two(way, &a->end, t->group, t->row + row, t->col + col, sum);
            }
            if (way.kind == AGON__END_GRADS && t->col == 0 && thread < rows)
                agon__end_sums(&a->end, t->group, t->row + thread, sums->row[AGON_KEPT(w, l)]);
        }
    }
    agon_barrier(b);
}

/* ---- multiplying --------------------------------------------------------------------------- */

/* Mode FP32, one lane's share of `units` times four k. The lane has the same elements of C as in
 * the other modes. */
AGON_KERNEL_FN void agon__multiply_plain(agon__cut c, const char* a, const char* b, int units,
                                         int lane, int kept, agon__product_tiles* sums) {
    a += agon__tile_row(lane, 0) * AGON__STAGE_ROW;
    b += agon__tile_col(lane, 0) * AGON__STAGE_ROW;
    AGON_ROLLED for (int u = 0; u < units; u++, a += 16, b += 16) {
        uint32_t left[4][4], right[4];
        AGON_UNROLL for (int i = 0; i < 2 * c.m; i++)
            agon__read_16(a + i * 8 * AGON__STAGE_ROW, left[i]);
        AGON_UNROLL for (int j = 0; j < 2 * c.n; j++) {
            agon__read_16(b + (j / 2 * 8 + j % 2) * AGON__STAGE_ROW, right);
            AGON_UNROLL for (int i = 0; i < 2 * c.m; i++) {
                float* sum = &sums->of[i / 2 * c.n + j / 2][kept].of[i % 2 * 2 + j % 2];
                AGON_UNROLL for (int k = 0; k < 4; k++)* sum =
                    fmaf(agon__float(left[i][k]), agon__float(right[k]), *sum);
            }
        }
    }
}

/* A warp's share of a chunk: `steps` times AGON__TILE_K. a, b: where the warp's rows begin. */
AGON_KERNEL_FN void agon__multiply(int mode, agon__cut c, const char* a, const char* b, int steps,
                                   int warp, agon__product_tiles* sums) {
    const int element = agon__element(mode), row = AGON__STAGE_ROW / element;
    if (mode == AGON__FP32) {
        AGON_LANES(l) {
            agon__multiply_plain(c, a, b, steps * 4, l, AGON_KEPT(warp, l), sums);
        }
        return;
    }
    AGON_ROLLED for (int s = 0; s < steps; s++) {
        AGON_UNROLL for (int m = 0; m < c.m; m++) {
            AGON_UNROLL for (int n = 0; n < c.n; n++) {
                const agon__matrix left = {a + m * 16 * AGON__STAGE_ROW, row, 1};
                const agon__matrix right = {b + n * 8 * AGON__STAGE_ROW, row, 1};
                agon_tile_mma(mode, sums->of[m * c.n + n] + AGON_KEPT(warp, 0), left, right);
            }
        }
        a += AGON__TILE_K * element;
        b += AGON__TILE_K * element;
    }
}

/* Adds a row of a chunk of A, in order. */
AGON_KERNEL_FN float agon__product_add(int mode, const char* row, float sum) {
    AGON_ROLLED for (int unit = 0; unit < AGON__STAGE_BYTES; unit += 16) {
        uint32_t word[4];
        agon__read_16(row + unit, word);
        AGON_UNROLL for (int i = 0; i < 4; i++) {
            sum += agon__of_word(mode, word[i], 0);
            if (mode == AGON__BF16)
                sum += agon__of_word(mode, word[i], 1);
        }
    }
    return sum;
}

/* ---- the whole ----------------------------------------------------------------------------- */

/* What a thread has fetched: its words of A, then those of B. */
typedef struct agon__fetched {
    uint32_t a[AGON__STAGE_WORDS], b[AGON__STAGE_WORDS];
} agon__fetched;

/* A's neighbours lie along k but in gradients, B's in layers only. */
AGON_KERNEL_FN void agon__product_fetch(agon__way way, agon__cut c, const agon__product_args* a,
                                        const agon__product_tile* t, int k, int thread,
                                        agon__fetched* f) {
    const int mode = way.mode, rows = agon__cut_rows(c), cols = agon__cut_cols(c);
    if (way.kind == AGON__END_GRADS)
        agon__fetch_turned(mode, rows, &t->a, t->row, k, thread, f->a);
    else if (way.seen)
        agon__see_straight(mode, rows, &t->a, &a->sights, t->group, t->row, k, thread, f->a);
    else
        agon__fetch_straight(mode, rows, &t->a, t->row, k, thread, f->a);
    if (way.kind == AGON__END_LAYER)
        agon__fetch_straight(mode, cols, &t->b, t->col, k, thread, f->b);
    else if (way.seen)
        agon__see_turned(mode, cols, &t->b, &a->sights, t->group, t->col, k, thread, f->b);
    else
        agon__fetch_turned(mode, cols, &t->b, t->col, k, thread, f->b);
}

AGON_KERNEL_FN void agon__product_put(agon__way way, agon__cut c, char* chunk, int thread,
                                      const agon__fetched* f) {
    const int rows = agon__cut_rows(c), cols = agon__cut_cols(c);
    if (way.kind == AGON__END_GRADS)
        agon__put_turned(rows, chunk, thread, f->a);
    else
        agon__put_straight(rows, chunk, thread, f->a);
    if (way.kind == AGON__END_LAYER)
        agon__put_straight(cols, chunk + rows * AGON__STAGE_ROW, thread, f->b);
    else
        agon__put_turned(cols, chunk + rows * AGON__STAGE_ROW, thread, f->b);
}

/* A warp's work on the chunk from k on. */
AGON_KERNEL_FN void agon__product_work(agon__way way, agon__cut c, const agon__product_args* a,
                                       const agon__product_tile* t, const char* chunk, int k,
                                       int warp, agon__product_tiles* sums) {
    const int most = AGON__STAGE_BYTES / agon__element(way.mode) / AGON__TILE_K;
    const int left = (a->depth - k + AGON__TILE_K - 1) / AGON__TILE_K;
    const int row = warp / c.across * c.m * AGON__TILE_M;
    const int col = agon__cut_rows(c) + warp % c.across * c.n * AGON__TILE_N;
    agon__multiply(way.mode, c, chunk + row * AGON__STAGE_ROW, chunk + col * AGON__STAGE_ROW,
                   left < most ? left : most, warp, sums);
    if (way.kind == AGON__END_GRADS && t->col == 0) {
        AGON_LANES(l) {
            const int thread = warp * AGON__WARP + l;
            float* sum = &sums->row[AGON_KEPT(warp, l)];
            if (thread < agon__cut_rows(c))
                *sum = agon__product_add(way.mode, chunk + thread * AGON__STAGE_ROW, *sum);
        }
    }
}

AGON_KERNEL_FN void agon__product_one(agon__way way, agon__cut c, agon__block* b,
                                      const agon__product_args* a, const agon__product_tile* t) {
    const int step = AGON__STAGE_BYTES / agon__element(way.mode), bytes = agon__product_chunk(c);
    agon__product_tiles sums;
    agon__product_begin(way, c, b, a, t, &sums);
    if (way.more)
        agon__product_resume(c, b, a, t, &sums);
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            agon__fetched f;
            agon__product_fetch(way, c, a, t, 0, w * AGON__WARP + l, &f);
            agon__product_put(way, c, b->shared, w * AGON__WARP + l, &f);
        }
    }
    agon_barrier(b);
    AGON_ROLLED for (int k = 0, odd = 0; k < a->depth; k += step, odd = !odd) {
        char *chunk = b->shared + odd * bytes, *other = b->shared + !odd * bytes;
        const int more = k + step < a->depth;
        AGON_WARPS(b, w) {
            AGON_LANE(agon__fetched, f);
            AGON_LANES(l) {
                if (more)
                    agon__product_fetch(way, c, a, t, k + step, w * AGON__WARP + l, &f[AGON_AT(l)]);
            }
            agon__product_work(way, c, a, t, chunk, k, w, &sums);
            AGON_LANES(l) {
                if (more)
                    agon__product_put(way, c, other, w * AGON__WARP + l, &f[AGON_AT(l)]);
            }
        }
        agon_barrier(b);
    }
    agon__product_finish(way, c, b, a, t, &sums);
}

/* Tiles of a group follow each other row by row: those that read the same rows of A run together.
 */
AGON_KERNEL_FN void agon__product_all(agon__way way, agon__cut c, agon__block* b,
                                      const agon__product_args* a) {
    const int rows = agon__cut_rows(c), cols = agon__cut_cols(c);
    const int across = (a->cols + cols - 1) / cols, down = (a->rows + rows - 1) / rows;
    const int64_t each = (int64_t)across * down, all = each * a->groups;
    for (int64_t at = b->index; at < all; at += b->blocks) {
        agon__product_tile t = {a->a, a->b, (int)(at / each), 0, 0};
        t.row = (int)(at % each) / across * rows;
        t.col = (int)(at % each) % across * cols;
        t.a.base += (uint64_t)t.group * t.a.group;
        t.b.base += (uint64_t)t.group * t.b.group;
        agon__product_one(way, c, b, a, &t);
    }
}

/* 2 * rows * cols * depth FLOP per group. A tile reads (R + C) * depth elements for 2 * R * C *
 * depth FLOP: R = C = 64, or 128 by 16 where C has few columns, and 16 by 128 where few rows. */
AGON_KERNEL_FN void agon__product(agon__way way, agon__block* b, const agon__product_args* a) {
    if (a->shape == AGON__SHAPE_SQUARE)
        agon__product_all(way, agon__cut_of(AGON__SHAPE_SQUARE), b, a);
    else if (a->shape == AGON__SHAPE_NARROW)
        agon__product_all(way, agon__cut_of(AGON__SHAPE_NARROW), b, a);
    else
        agon__product_all(way, agon__cut_of(AGON__SHAPE_FLAT), b, a);
}

#define AGON__PRODUCT(NAME, MODE, KIND, SEEN, MORE)                                                \
    AGON_KERNEL_FN void agon__kernel_product_##NAME(agon__block* b, const agon__product_args* a) { \
        const agon__way way = {MODE, KIND, SEEN, MORE};                                            \
        agon__product(way, b, a);                                                                  \
    }
#define AGON__PRODUCTS(NAME, MODE)                                                                 \
    AGON__PRODUCT(layer_##NAME, MODE, AGON__END_LAYER, 0, 0)                                       \
    AGON__PRODUCT(first_layer_##NAME, MODE, AGON__END_LAYER, 1, 0)                                 \
    AGON__PRODUCT(slopes_##NAME, MODE, AGON__END_SLOPES, 0, 0)                                     \
    AGON__PRODUCT(grads_##NAME, MODE, AGON__END_GRADS, 0, 0)                                       \
    AGON__PRODUCT(more_grads_##NAME, MODE, AGON__END_GRADS, 0, 1)                                  \
    AGON__PRODUCT(first_grads_##NAME, MODE, AGON__END_GRADS, 1, 0)
AGON__PRODUCTS(fp32, AGON__FP32)
AGON__PRODUCTS(tf32, AGON__TF32)
AGON__PRODUCTS(bf16, AGON__BF16)

#endif
