/* kernel_body.h: the kernels, written once. A form (kernel_avx512.c, kernel_avx2.c,
 * kernel_neon.c, kernel_portable.c) defines the vector `vec` of LANES floats, its operations v_*,
 * the tile that its registers hold, and includes this file. What each kernel promises is in
 * kernel.h. */
#include "agents/kernel.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

enum {
    COLUMN_ROWS = 8 /* of a tile one vector wide; wider ones have TILE_ROWS */
};

#define LOW -1e30f /* stands for ln 0: finite, so that 0 * LOW is 0 */

/* ---- products ----------------------------------------------------------------------------- */

INLINE vec column(const float* p, int masked, vec_tail tail) {
    return masked ? v_load_tail(p, tail) : v_load(p);
}

INLINE void keep(float* p, const int masked, vec_tail tail, vec x) {
    if (masked)
        v_store_tail(p, tail, x);
    else
        v_store(p, x);
}

/* A strip of B, up to TILE_COLS vectors wide. */
typedef struct strip {
    const float* b;
    ptrdiff_t step;  /* floats from one k to the next */
    ptrdiff_t ahead; /* floats to what is needed after this strip, to be fetched meanwhile; 0: no */
} strip;

/* One row of a strip to come. Past the end of the weights it is some other memory: no harm. */
INLINE void fetch(const int n, const float* b) {
    UNROLL for (int j = 0; j < n; j++)
        __builtin_prefetch((const char*)b + j * LANES * (int)sizeof(float), 0, 2);
}

/* A tile of m x n vectors of C held in registers over all of k. m, n, masked are constants. With
 * `masked`, the last of the n vectors has only `lanes` columns. */
INLINE void tile(const int m, const int n, const int masked, const agon__product* p, const float* a,
                 const strip* s, const float* bias, float* c, int lanes) {
    const vec zero = v_set(0.0f);
    const vec_tail tail = v_tail(masked ? lanes : 0);
    const ptrdiff_t a_row = p->a_row, a_step = p->a_step, c_row = p->c_row;
    const ptrdiff_t b_step = s->step, ahead = s->ahead;
    const float* b = s->b;
    vec sum[COLUMN_ROWS][TILE_COLS];
    UNROLL for (int j = 0; j < n; j++) {
        const int last = masked && j == n - 1;
        UNROLL for (int i = 0; i < m; i++) {
            if (p->accumulate)
                sum[i][j] = column(c + i * c_row + j * LANES, last, tail);
            else
                sum[i][j] = bias ? column(bias + j * LANES, last, tail) : zero;
        }
    }
    for (int k = 0; k < p->depth; k++) {
        vec right[TILE_COLS];
        if (ahead)
            fetch(n, b + ahead);
        UNROLL for (int j = 0; j < n; j++) {
            right[j] = column(b + j * LANES, masked && j == n - 1, tail);
            v_hold(right[j]); /* else gcc loads B again for each row of the tile */
        }
        UNROLL for (int i = 0; i < m; i++) {
            const vec left = v_set(a[i * a_row]);
            UNROLL for (int j = 0; j < n; j++) sum[i][j] = v_fma(left, right[j], sum[i][j]);
        }
        a += a_step;
        b += b_step;
    }
    UNROLL for (int i = 0; i < m; i++) {
        UNROLL for (int j = 0; j < n; j++) {
            vec x = sum[i][j];
            if (p->relu)
                x = v_pick(zero, x, zero, x);
            keep(c + i * c_row + j * LANES, masked && j == n - 1, tail, x);
        }
    }
}

typedef void tile_fn(const agon__product* p, const float* a, const strip* s, const float* bias,
                     float* c, int lanes);

#define TILE(M, N, MASKED)                                                                         \
    static void tile_##M##_##N##_##MASKED(const agon__product* p, const float* a, const strip* s,  \
                                          const float* bias, float* c, int lanes) {                \
        tile(M, N, MASKED, p, a, s, bias, c, lanes);                                               \
    }
#define TILES(N, MASKED)                                                                           \
    TILE(1, N, MASKED)                                                                             \
    TILE(2, N, MASKED) TILE(3, N, MASKED) TILE(4, N, MASKED) TILE(5, N, MASKED) TILE(6, N, MASKED)
#define TILE_NAMES(N, MASKED)                                                                      \
    tile_1_##N##_##MASKED, tile_2_##N##_##MASKED, tile_3_##N##_##MASKED, tile_4_##N##_##MASKED,    \
        tile_5_##N##_##MASKED, tile_6_##N##_##MASKED

TILES(1, 0)
TILES(1, 1)
TILE(7, 1, 0)
TILE(7, 1, 1)
TILE(8, 1, 0)
TILE(8, 1, 1)
TILES(2, 0)
TILES(2, 1)
#if TILE_COLS == 4
TILES(3, 0)
TILES(3, 1)
TILES(4, 0)
TILES(4, 1)
#endif

static tile_fn* const tiles[2][TILE_COLS][COLUMN_ROWS] = {
#if TILE_COLS == 4
    {{TILE_NAMES(1, 0), tile_7_1_0, tile_8_1_0},
     {TILE_NAMES(2, 0)},
     {TILE_NAMES(3, 0)},
     {TILE_NAMES(4, 0)}},
    {{TILE_NAMES(1, 1), tile_7_1_1, tile_8_1_1},
     {TILE_NAMES(2, 1)},
     {TILE_NAMES(3, 1)},
     {TILE_NAMES(4, 1)}},
#else
    {{TILE_NAMES(1, 0), tile_7_1_0, tile_8_1_0}, {TILE_NAMES(2, 0)}},
    {{TILE_NAMES(1, 1), tile_7_1_1, tile_8_1_1}, {TILE_NAMES(2, 1)}},
#endif
};

/* Strips of columns outside, rows inside: a strip of B stays in cache while A passes by. Rows are
 * split evenly (8 = 4 + 4, not 6 + 2), which no result can see. */
static void product(const agon__product* p) {
    const int width = LANES * TILE_COLS, packed = p->b_step == 0, padded = agon__pad(p->cols);
#ifdef NARROW
    if (packed && p->cols <= LANES / 2) {
        NARROW.product(p);
        return;
    }
#endif
    for (int j = 0; j < p->cols; j += width) {
        const int start = j / AGON__PANEL * AGON__PANEL;
        const int panel = padded - start < AGON__PANEL ? padded - start : AGON__PANEL;
        const int cols = p->cols - j < width ? p->cols - j : width;
        const int n = (cols + LANES - 1) / LANES;
        const int lanes = packed && p->c_row >= padded ? 0 : cols % LANES;
        const int most = n == 1 ? COLUMN_ROWS : TILE_ROWS;
        const int groups = (p->rows + most - 1) / most;
        tile_fn* const* row = tiles[lanes != 0][n - 1];
        strip s = {p->b + j, p->b_step, 0};
        if (packed)
            s = (strip){p->b + (ptrdiff_t)start * p->depth + (j - start), panel, 0};
        for (int g = 0, i = 0; g < groups; g++) {
            const int end = (int)((long)p->rows * (g + 1) / groups);
            if (packed && g > 0 && g == groups - 1) /* the first group has read all of the strip */
                s.ahead = (ptrdiff_t)panel * p->depth;
            row[end - i - 1](p, p->a + i * p->a_row, &s, p->bias ? p->bias + j : NULL,
                             p->c + i * p->c_row + j, lanes);
            i = end;
        }
    }
}

/* ---- a first layer of bytes --------------------------------------------------------------- */

#ifndef v_list
/* Bit i of the result: byte i is not 0. */
INLINE uint64_t bytes_set(const uint8_t* bytes, int count) {
    uint64_t set = 0;
    for (int i = 0; i < count; i++)
        set |= (uint64_t)(bytes[i] != 0) << i;
    return set;
}

/* What is there among up to 64 bytes. One loop for all: its end is all that is hard to foresee. */
INLINE int v_list(const uint8_t* bytes, int first, int count, float scale, uint32_t* at,
                  float* value) {
    int found = 0;
    for (uint64_t set = bytes_set(bytes + first, count); set; set &= set - 1, found++) {
        const int i = first + __builtin_ctzll(set);
        at[found] = (uint32_t)i;
        value[found] = (float)bytes[i] * scale;
    }
    return found;
}
#define LIST_BYTES 64
#endif

static void list(const uint8_t* bytes, int count, float scale, const agon__entries* out, int row) {
    uint32_t* at = out->at + row * out->stride;
    float* value = out->value + row * out->stride;
    int found = 0;
    for (int i = 0; i < count; i += LIST_BYTES) {
        const int left = count - i < LIST_BYTES ? count - i : LIST_BYTES;
        found += v_list(bytes, i, left, scale, at + found, value + found);
    }
    out->count[row] = found;
}

enum { SPARSE_COLS = AGON__PANEL / LANES < 8 ? AGON__PANEL / LANES : 8 };

/* Row i of C, n vectors of it: their sums need not wait for each other. n is a constant. */
INLINE void sparse_row(const int n, const agon__sparse* s, int i, const float* b, ptrdiff_t b_step,
                       const float* bias, float* c) {
    const uint32_t* at = s->in.at + i * s->in.stride;
    const float* value = s->in.value + i * s->in.stride;
    const int count = s->in.count[i];
    const vec zero = v_set(0.0f);
    vec sum[SPARSE_COLS];
    UNROLL for (int j = 0; j < n; j++) sum[j] = v_load(bias + j * LANES);
    for (int e = 0; e < count; e++) {
        const float* row = b + (ptrdiff_t)at[e] * b_step;
        const vec left = v_set(value[e]);
        UNROLL for (int j = 0; j < n; j++) sum[j] = v_fma(left, v_load(row + j * LANES), sum[j]);
    }
    UNROLL for (int j = 0; j < n; j++)
        v_store(c + j * LANES, s->relu ? v_pick(zero, sum[j], zero, sum[j]) : sum[j]);
}

#define SPARSE_ROWS(N)                                                                             \
    case N:                                                                                        \
        for (int i = 0; i < s->rows; i++)                                                          \
            sparse_row(N, s, i, b, panel, s->bias + j, s->c + i * s->c_row + j);                   \
        break;

static void sparse(const agon__sparse* s) {
    const int padded = agon__pad(s->cols);
    for (int j = 0, n; j < padded; j += n * LANES) {
        const int start = j / AGON__PANEL * AGON__PANEL;
        const int panel = padded - start < AGON__PANEL ? padded - start : AGON__PANEL;
        const float* b = s->b + (ptrdiff_t)start * s->depth + (j - start);
        const int left = (start + panel - j) / LANES;
        n = left < SPARSE_COLS ? left : SPARSE_COLS;
        switch (n) {
            SPARSE_ROWS(1)
            SPARSE_ROWS(2)
            SPARSE_ROWS(3)
            SPARSE_ROWS(4)
#if LANES < 16
            SPARSE_ROWS(6)
            SPARSE_ROWS(8)
#endif
        }
    }
}

static void grow_sparse(const agon__entries* in, int rows, const float* dy, ptrdiff_t stride,
                        int cols, float* grads) {
    for (int i = 0; i < rows; i++, dy += stride) {
        const ptrdiff_t first = i * in->stride;
        for (int e = 0; e < in->count[i]; e++) {
            float* sum = grads + (ptrdiff_t)in->at[first + e] * stride;
            const vec value = v_set(in->value[first + e]);
            for (int j = 0; j < cols; j += LANES)
                v_store(sum + j, v_fma(v_load(dy + j), value, v_load(sum + j)));
        }
    }
}

/* ---- elementwise -------------------------------------------------------------------------- */

static void tanh_all(float* y, size_t count) {
    for (size_t i = 0; i < count; i += LANES)
        v_store(y + i, v_tanh(v_load(y + i)));
}

static void slope(agon_activation activation, const float* y, float* dy, size_t count) {
    const vec zero = v_set(0.0f), one = v_set(1.0f);
    if (activation == AGON_RELU) {
        for (size_t i = 0; i < count; i += LANES)
            v_store(dy + i, v_pick(v_load(y + i), zero, v_load(dy + i), zero));
        return;
    }
    for (size_t i = 0; i < count; i += LANES) {
        const vec x = v_load(y + i);
        v_store(dy + i, v_mul(v_load(dy + i), v_sub(one, v_mul(x, x))));
    }
}

/* ---- minGRU ------------------------------------------------------------------------------- */

INLINE void cell_lanes(float* c, float* g, float* m, float* y, int last, const int masked,
                       vec_tail tail) {
    const vec half = v_set(0.5f), before = column(m, masked, tail);
    const vec z = v_fma(half, v_tanh(v_mul(half, column(g, masked, tail))), half);
    const vec d = v_sub(column(c, masked, tail), before), after = v_fma(z, d, before);
    keep(c, masked, tail, d);
    keep(g, masked, tail, z);
    keep(y, masked, tail, after);
    keep(m, masked, tail, last ? v_set(0.0f) : after);
}

INLINE void cell_slope_lanes(float* c, float* g, float* m, const float* y, int last,
                             const int masked, vec_tail tail) {
    const vec one = v_set(1.0f), d = column(c, masked, tail), z = column(g, masked, tail);
    const vec behind = last ? v_set(0.0f) : column(m, masked, tail);
    const vec slope = v_add(column(y, masked, tail), behind), left = v_sub(one, z);
    keep(m, masked, tail, v_mul(left, slope));
    keep(c, masked, tail, v_mul(slope, z));
    keep(g, masked, tail, v_mul(v_mul(v_mul(slope, d), z), left));
}

/* Row `row` of a layer, forward or back, which is a constant. */
INLINE void cell_row(const agon__cell* s, int row, const int back) {
    float *c = s->recall + row * s->recall_row, *g = c + s->units;
    float *m = s->memory + row / s->steps * s->memory_row, *y = s->y + row * s->y_row;
    const int last = s->last && s->last[row], whole = s->units / LANES * LANES;
    const vec_tail none = v_tail(0), tail = v_tail(s->units - whole);
    for (int j = 0; j < whole; j += LANES)
        if (back)
            cell_slope_lanes(c + j, g + j, m + j, y + j, last, 0, none);
        else
            cell_lanes(c + j, g + j, m + j, y + j, last, 0, none);
    if (whole == s->units)
        return;
    if (back)
        cell_slope_lanes(c + whole, g + whole, m + whole, y + whole, last, 1, tail);
    else
        cell_lanes(c + whole, g + whole, m + whole, y + whole, last, 1, tail);
}

static void cell(const agon__cell* s) {
    for (int row = 0; row < s->rows; row++)
        cell_row(s, row, 0);
}

static void cell_slope(const agon__cell* s) {
    for (int row = s->rows - 1; row >= 0; row--)
        cell_row(s, row, 1);
}

/* ---- sums over rows ----------------------------------------------------------------------- */

static void add_rows(const float* x, int rows, ptrdiff_t stride, int cols, float* sums) {
    for (int j = 0; j < cols; j += LANES) {
        const int lanes = cols - j < LANES ? cols - j : LANES;
        const vec_tail tail = v_tail(lanes);
        vec sum = v_load_tail(sums + j, tail);
        for (int i = 0; i < rows; i++)
            sum = v_add(sum, v_load_tail(x + i * stride + j, tail));
        v_store_tail(sums + j, tail, sum);
    }
}

static void elementary(int which, const float* x, float* out, size_t count) {
    for (size_t i = 0; i < count; i += LANES) {
        const vec a = v_load(x + i);
        v_store(out + i, which == 0 ? v_exp(a) : which == 1 ? v_log(a) : v_tanh(a));
    }
}

/* ---- rows side by side -------------------------------------------------------------------- */

/* Squares of LANES rows by LANES actions are turned round in registers. */
static void gather(const float* const* logits, const uint64_t* const* mask, int rows, int actions,
                   float* z) {
    for (int r = 0; r < AGON__LANES; r += LANES) {
        for (int first = 0; first < actions; first += LANES) {
            const int word = first >> 6, bit = first & 63;
            vec t[LANES];
            UNROLL for (int i = 0; i < LANES; i++) {
                const int row = r + i < rows ? r + i : 0;
                const uint64_t legal = mask[row] ? mask[row][word] >> bit : ~0ull;
                t[i] = v_load_legal(logits[row] + first, (uint32_t)legal);
            }
            v_transpose(t);
            for (int i = 0; i < LANES && first + i < actions; i++)
                v_store(z + (first + i) * AGON__LANES + r, t[i]);
        }
    }
}

static void scatter(const float* z, int rows, int actions, float* out, ptrdiff_t stride) {
    for (int r = 0; r < rows; r += LANES) {
        for (int first = 0; first < actions; first += LANES) {
            vec t[LANES];
            UNROLL for (int i = 0; i < LANES; i++) {
                const int action = first + i < actions ? first + i : first;
                t[i] = v_load(z + action * AGON__LANES + r);
            }
            v_transpose(t);
            for (int i = 0; i < LANES && r + i < rows; i++)
                v_store(out + (r + i) * stride + first, t[i]);
        }
    }
}

/* ---- the policy's choice ------------------------------------------------------------------ */

/* The highest logit of each lane, and the lowest action that has it. */
INLINE vec highest(const float* z, int actions, int lane, vec* best) {
    vec top = v_set(-INFINITY);
    for (int a = 0; a < actions; a++) {
        const vec x = v_load(z + a * AGON__LANES + lane);
        *best = v_pick(x, top, v_set((float)a), *best);
        top = v_pick(x, top, x, top);
    }
    return top;
}

/* z - top, not below LOW; NaN stays. */
INLINE vec below_top(vec z, vec top) {
    const vec low = v_set(LOW), d = v_sub(z, top);
    return v_pick(low, d, low, d);
}

/* e = exp((z - top) * sharpness); returns their sum over the actions. */
INLINE vec exponentials(const float* z, int actions, int lane, vec top, float sharpness, float* e) {
    vec sum = v_set(0.0f);
    for (int a = 0; a < actions; a++) {
        const vec d = below_top(v_load(z + a * AGON__LANES + lane), top);
        const vec x = v_exp(v_mul(d, v_set(sharpness)));
        sum = v_add(sum, x);
        if (e)
            v_store(e + a * AGON__LANES + lane, x);
    }
    return sum;
}

/* The first action whose running sum exceeds uniform * sum. uniform < 1 and sum >= 1 make the
 * product less than sum, and a step of 0 cannot cross it: the action has positive probability. */
INLINE vec inverse_cdf(const float* e, int actions, int lane, vec uniform, vec sum, vec fallback) {
    const vec bound = v_mul(uniform, sum), zero = v_set(0.0f), one = v_set(1.0f);
    vec running = zero, action = zero;
    for (int a = 0; a < actions; a++) {
        running = v_add(running, v_load(e + a * AGON__LANES + lane));
        action = v_add(action, v_pick(running, bound, zero, one));
    }
    return v_pick(action, v_set((float)actions - 0.5f), fallback, action);
}

INLINE void choose_lanes(agon__choice* c, int lane) {
    const int n = c->actions;
    vec action = v_load(c->lowest + lane), sum = v_set(0.0f);
    const vec top = highest(c->z, n, lane, &action);
    if (c->temperature > 0.0f) {
        sum = exponentials(c->z, n, lane, top, 1.0f / c->temperature, c->e);
        action = inverse_cdf(c->e, n, lane, v_load(c->uniform + lane), sum, action);
        if (c->probabilities)
            for (int a = 0; a < n; a++)
                v_store(c->e + a * AGON__LANES + lane,
                        v_div(v_load(c->e + a * AGON__LANES + lane), sum));
    }
    v_store(c->action + lane, action);
    if (!c->log_wanted)
        return;
    if (c->temperature != 1.0f)
        sum = exponentials(c->z, n, lane, top, 1.0f, NULL);
    float chosen[LANES];
    for (int i = 0; i < LANES; i++)
        chosen[i] = c->z[(int)c->action[lane + i] * AGON__LANES + lane + i];
    v_store(c->log_probability + lane, v_sub(below_top(v_load(chosen), top), v_log(sum)));
}

static void choose(agon__choice* c) {
    for (int lane = 0; lane < AGON__LANES; lane += LANES)
        choose_lanes(c, lane);
}

/* ---- PPO's loss --------------------------------------------------------------------------- */

/* z becomes ln p, e becomes p; returns the entropy. */
INLINE vec log_softmax(agon__loss* l, int lane) {
    vec ignored = v_set(0.0f), entropy = ignored;
    const vec top = highest(l->z, l->actions, lane, &ignored);
    const vec sum = exponentials(l->z, l->actions, lane, top, 1.0f, l->e);
    const vec log_sum = v_log(sum);
    for (int a = 0; a < l->actions; a++) {
        float *z = l->z + a * AGON__LANES + lane, *e = l->e + a * AGON__LANES + lane;
        const vec log_p = v_sub(below_top(v_load(z), top), log_sum);
        const vec p = v_div(v_load(e), sum);
        entropy = v_sub(entropy, v_mul(p, log_p));
        v_store(z, log_p);
        v_store(e, p);
    }
    return entropy;
}

/* The clipped surrogate; returns d loss / d ln p(action). */
INLINE vec surrogate(agon__loss* l, int lane, vec log_p) {
    const vec one = v_set(1.0f), zero = v_set(0.0f);
    const vec change = v_sub(log_p, v_load(l->old_log_probability + lane));
    const vec ratio = v_exp(change), advantage = v_load(l->advantage + lane);
    const vec low = v_set(1.0f - l->clip), high = v_set(1.0f + l->clip);
    const vec floored = v_pick(low, ratio, low, ratio);
    const vec free_gain = v_mul(ratio, advantage);
    const vec held_gain = v_mul(v_pick(floored, high, high, floored), advantage);
    const vec moved = v_sub(ratio, one), kl = v_sub(moved, change);
    v_store(l->policy_loss + lane, v_sub(zero, v_pick(free_gain, held_gain, held_gain, free_gain)));
    v_store(l->kl + lane, v_pick(zero, kl, zero, kl));
    v_store(l->moved + lane, v_pick(zero, moved, v_sub(zero, moved), moved));
    return v_pick(free_gain, held_gain, zero, v_sub(zero, free_gain));
}

INLINE void loss_lanes(agon__loss* l, int lane) {
    const vec entropy = log_softmax(l, lane), share = v_set(l->share);
    float chosen[LANES], pull[LANES];
    for (int i = 0; i < LANES; i++)
        chosen[i] = l->z[l->action[lane + i] * AGON__LANES + lane + i];
    const vec gain = v_mul(surrogate(l, lane, v_load(chosen)), share);
    const vec spread = v_mul(v_set(l->entropy_weight), share);
    for (int a = 0; a < l->actions; a++) {
        float* z = l->z + a * AGON__LANES + lane;
        const vec p = v_load(l->e + a * AGON__LANES + lane);
        v_store(z, v_mul(p, v_sub(v_mul(spread, v_add(v_load(z), entropy)), gain)));
    }
    v_store(pull, gain);
    for (int i = 0; i < LANES; i++)
        l->z[l->action[lane + i] * AGON__LANES + lane + i] += pull[i];
    const vec miss = v_sub(v_load(l->value + lane), v_load(l->target + lane));
    v_store(l->entropy + lane, entropy);
    v_store(l->value_loss + lane, v_mul(v_set(0.5f), v_mul(miss, miss)));
    v_store(l->value_slope + lane, v_mul(miss, v_mul(v_set(l->value_weight), share)));
}

static void loss(agon__loss* l) {
    for (int lane = 0; lane < AGON__LANES; lane += LANES)
        loss_lanes(l, lane);
}

/* ---- the step ----------------------------------------------------------------------------- */

/* Plain loops over sixteen sums: a compiler may make vectors of them but not change their order. */
static double squares(const float* x, size_t count) {
    double sum[AGON__LANES] = {0};
    size_t i = 0;
    for (; i + AGON__LANES <= count; i += AGON__LANES)
        for (int l = 0; l < AGON__LANES; l++)
            sum[l] += (double)x[i + l] * (double)x[i + l];
    for (int l = 0; i < count; i++, l++)
        sum[l] += (double)x[i] * (double)x[i];
    for (int half = AGON__LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            sum[l] += sum[l + half];
    return sum[0];
}

INLINE void adam_lanes(const agon__adam* s, size_t i, const int masked, vec_tail tail) {
    const vec g = v_mul(column(s->grads + i, masked, tail), v_set(s->scale));
    vec m = column(s->moment1 + i, masked, tail), v = column(s->moment2 + i, masked, tail);
    m = v_add(v_mul(v_set(s->beta1), m), v_mul(v_set(1.0f - s->beta1), g));
    v = v_add(v_mul(v_set(s->beta2), v), v_mul(v_set(1.0f - s->beta2), v_mul(g, g)));
    const vec root = v_sqrt(v_mul(v, v_set(s->correct2)));
    const vec step = v_div(v_mul(m, v_set(s->correct1)), v_add(root, v_set(s->epsilon)));
    const vec p = v_sub(column(s->params + i, masked, tail), v_mul(v_set(s->rate), step));
    keep(s->moment1 + i, masked, tail, m);
    keep(s->moment2 + i, masked, tail, v);
    keep(s->params + i, masked, tail, p);
}

static void adam(const agon__adam* s) {
    const agon__adam step = *s; /* a copy that the stores cannot alias */
    const size_t whole = step.count / LANES * LANES;
    for (size_t i = 0; i < whole; i += LANES)
        adam_lanes(&step, i, 0, v_tail(0));
    if (whole < step.count)
        adam_lanes(&step, whole, 1, v_tail((int)(step.count - whole)));
}

const agon__kernel KERNEL = {
    .name = FORM,
    .product = product,
    .tanh = tanh_all,
    .slope = slope,
    .cell = cell,
    .cell_slope = cell_slope,
    .list = list,
    .sparse = sparse,
    .grow_sparse = grow_sparse,
    .add_rows = add_rows,
    .gather = gather,
    .scatter = scatter,
    .choose = choose,
    .loss = loss,
    .squares = squares,
    .adam = adam,
    .elementary = elementary,
};
