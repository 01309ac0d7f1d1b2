/* kernel.c: kernels between policies, and the features behind two of them. */
#include "engine/metrics/kernel.h"

#include "engine/metrics/distance.h"
#include "engine/metrics/gram.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LN2 0.69314718055994530942

/* ---- explicit features --------------------------------------------------------------------- */

/* (states, actions) 1: somebody takes it and the state weighs. */
static void mark_used(const agon__features* f, uint8_t* used) {
    const agon_behaviour* b = f->b;
    for (int i = 0; i < b->agents; i++) {
        for (int s = 0; s < b->states; s++) {
            const float* row = agon_behaviour_row(b, i, s);
            uint8_t* at = used + (size_t)s * b->actions;
            if (!(b->weight[s] > 0))
                continue;
            if (f->greedy)
                at[f->greedy[(size_t)i * b->states + s]] = 1;
            for (int a = 0; a < b->actions && !f->greedy; a++)
                at[a] |= row[a] > 0;
        }
    }
}

static int list_columns(agon__features* f) {
    const agon_behaviour* b = f->b;
    const size_t cells = (size_t)b->states * b->actions;
    uint8_t* used = calloc(cells, 1);
    f->state = malloc(cells * sizeof *f->state);
    f->action = malloc(cells * sizeof *f->action);
    const int there = used && f->state && f->action;
    if (there) {
        mark_used(f, used);
        for (size_t c = 0; c < cells; c++) {
            if (!used[c])
                continue;
            f->state[f->columns] = (int)(c / b->actions);
            f->action[f->columns++] = (int)(c % b->actions);
        }
    }
    free(used);
    return there ? 0 : AGON_EMEMORY;
}

static int list_greedy(agon__features* f) {
    const agon_behaviour* b = f->b;
    f->greedy = malloc((size_t)b->agents * b->states * sizeof *f->greedy);
    if (!f->greedy)
        return AGON_EMEMORY;
    for (int i = 0; i < b->agents; i++) {
        for (int s = 0; s < b->states; s++) {
            int tied;
            f->greedy[(size_t)i * b->states + s] =
                agon_behaviour_greedy(agon_behaviour_row(b, i, s), b->actions, &tied);
        }
    }
    return 0;
}

/* Entry of x_i before scaling. */
static double feature(const agon__features* f, int agent, int column) {
    const int s = f->state[column], a = f->action[column];
    if (f->greedy)
        return f->greedy[(size_t)agent * f->b->states + s] == a ? f->root[s] : 0;
    return f->root[s] * sqrt(agon_behaviour_row(f->b, agent, s)[a]);
}

static void set_scales(agon__features* f, const double* weight) {
    for (int i = 0; i < f->b->agents; i++) {
        double square = 0;
        for (int c = 0; c < f->columns; c++) {
            const double x = feature(f, i, c);
            square += x * x;
        }
        f->scale[i] = sqrt((weight ? weight[i] : 1) / square);
    }
}

int agon__features_make(const agon_behaviour* b, agon_kernel kind, const double* weight,
                        agon__features* out) {
    assert(kind == AGON_KERNEL_BC || kind == AGON_KERNEL_AG);
    *out = (agon__features){.b = b};
    out->root = malloc((size_t)b->states * sizeof *out->root);
    out->scale = malloc((size_t)b->agents * sizeof *out->scale);
    int code = out->root && out->scale ? 0 : AGON_EMEMORY;
    for (int s = 0; s < b->states && code == 0; s++)
        out->root[s] = sqrt(b->weight[s]);
    if (code == 0 && kind == AGON_KERNEL_AG)
        code = list_greedy(out);
    if (code == 0)
        code = list_columns(out);
    if (code == 0)
        set_scales(out, weight);
    else
        agon__features_clear(out);
    return code;
}

void agon__features_clear(agon__features* f) {
    free(f->state);
    free(f->action);
    free(f->root);
    free(f->scale);
    free(f->greedy);
    *f = (agon__features){0};
}

static void fill_agents(void* context, int column, double* row) {
    const agon__features* f = context;
    for (int i = 0; i < f->b->agents; i++)
        row[i] = f->scale[i] * feature(f, i, column);
}

static void fill_columns(void* context, int agent, double* row) {
    const agon__features* f = context;
    for (int c = 0; c < f->columns; c++)
        row[c] = f->scale[agent] * feature(f, agent, c);
}

int agon__features_primal(const agon__features* f, double* out) {
    return agon__gram(f->b->agents, f->columns, fill_agents, (void*)f, out);
}

/* bits (columns, words): who takes which first choice. */
static void mark_choices(const agon__features* f, size_t words, uint64_t* bits) {
    for (int c = 0; c < f->columns; c++) {
        for (int i = 0; i < f->b->agents; i++) {
            const int chosen = f->greedy[(size_t)i * f->b->states + f->state[c]];
            bits[c * words + i / 64] |= (uint64_t)(chosen == f->action[c]) << i % 64;
        }
    }
}

/* X' X of first choices of agents that weigh the same: by counting, exact but for the weights. */
static int count_choices(const agon__features* f, double* out) {
    const size_t words = ((size_t)f->b->agents + 63) / 64;
    uint64_t* bits = calloc(f->columns * words, sizeof *bits);
    if (!bits)
        return AGON_EMEMORY;
    mark_choices(f, words, bits);
    const double scale = f->scale[0] * f->scale[0];
    for (int c = 0; c < f->columns; c++) {
        const uint64_t* x = bits + c * words;
        for (int d = 0; d <= c; d++) {
            const uint64_t* y = bits + d * words;
            long count = 0;
            for (size_t k = 0; k < words; k++)
                count += __builtin_popcountll(x[k] & y[k]);
            out[(size_t)c * f->columns + d] =
                scale * f->root[f->state[c]] * f->root[f->state[d]] * (double)count;
        }
    }
    free(bits);
    return 0;
}

static int weigh_the_same(const agon__features* f) {
    for (int i = 1; i < f->b->agents; i++) {
        if (f->scale[i] != f->scale[0])
            return 0;
    }
    return 1;
}

int agon__features_dual(const agon__features* f, double* out) {
    if (f->greedy && weigh_the_same(f))
        return count_choices(f, out);
    return agon__gram(f->columns, f->b->agents, fill_columns, (void*)f, out);
}

/* ---- matrices ------------------------------------------------------------------------------ */

/* From the lower triangle to a full matrix with unit diagonal. A congruence, so still semidefinite.
 */
static void normalise(double* kernel, size_t n) {
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            const double k = kernel[i * n + j] / sqrt(kernel[i * n + i] * kernel[j * n + j]);
            kernel[i * n + j] = kernel[j * n + i] = k < 1 ? k : 1;
        }
    }
    for (size_t i = 0; i < n; i++)
        kernel[i * n + i] = 1;
}

/* From distances with d_ii = 0 to half of both sums of probabilities less distance / unit: exactly
 * semidefinite, even where rows add up to 1 only nearly. */
static int from_distances(const agon_behaviour* b, agon_distance kind, double unit,
                          double* kernel) {
    const size_t n = b->agents;
    double* sum = calloc(n, sizeof *sum);
    if (!sum)
        return AGON_EMEMORY;
    const int code = agon_distance_matrix(b, kind, kernel);
    for (size_t i = 0; i < n && code == 0; i++) {
        for (int s = 0; s < b->states; s++) {
            double row = 0;
            for (int a = 0; a < b->actions; a++)
                row += agon_behaviour_row(b, (int)i, s)[a];
            sum[i] += b->weight[s] * row;
        }
        for (size_t j = 0; j <= i; j++)
            kernel[i * n + j] = 0.5 * (sum[i] + sum[j]) - kernel[i * n + j] / unit;
    }
    free(sum);
    return code;
}

static int from_features(const agon_behaviour* b, agon_kernel kind, double* kernel) {
    agon__features features;
    int code = agon__features_make(b, kind, NULL, &features);
    if (code)
        return code;
    code = agon__features_primal(&features, kernel);
    agon__features_clear(&features);
    return code;
}

int agon_kernel_matrix(const agon_behaviour* b, agon_kernel kind, double* kernel) {
    assert(kernel);
    int code = agon_behaviour_check(b);
    if (code)
        return code;
    if (kind == AGON_KERNEL_JS)
        code = from_distances(b, AGON_DISTANCE_JSD, LN2, kernel);
    else if (kind == AGON_KERNEL_TV)
        code = from_distances(b, AGON_DISTANCE_TV, 1, kernel);
    else
        code = from_features(b, kind, kernel);
    if (code == 0)
        normalise(kernel, (size_t)b->agents);
    return code;
}
