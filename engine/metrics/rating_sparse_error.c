/* rating_sparse_error.c: the diagonal of the inverse Hessian of a sparse pool of ratings. */
#include "engine/metrics/rating_sparse_model.h"

#include "engine/metrics/real_matrix.h"
#include "games/error.h"

#include <math.h>
#include <stdlib.h>

#define PROBES 128

typedef agon__sparse_model model;

/* Who met whom among free agents: neighbours of i are to[start[i]] .. to[start[i + 1] - 1]. */
typedef struct meetings {
    int* start;     /* (n + 1) */
    int* to;        /* (2 pairs) */
    double* weight; /* (2 pairs) */
    int* place;     /* (n) position in the core, -1: outside */
    int* left;      /* (n) meetings that no agent of the core takes part in */
    int core;
} meetings;

/* ---- the core ------------------------------------------------------------------------------ */

static int both_free(const model* m, int pair) {
    const agon_rating_pair* p = m->pool->pair + pair;
    return !m->is_fixed[p->first] && !m->is_fixed[p->second];
}

static void list_meetings(const model* m, meetings* g) {
    for (int k = 0; k < m->pool->pairs; k++) {
        if (both_free(m, k)) {
            g->start[m->pool->pair[k].first + 1]++;
            g->start[m->pool->pair[k].second + 1]++;
        }
    }
    for (int i = 0; i < m->n; i++) {
        g->left[i] = 0; /* filled so far */
        g->start[i + 1] += g->start[i];
    }
    for (int k = 0; k < m->pool->pairs; k++) {
        if (!both_free(m, k))
            continue;
        int i = m->pool->pair[k].first, j = m->pool->pair[k].second;
        int at = g->start[i] + g->left[i]++, back = g->start[j] + g->left[j]++;
        g->to[at] = j;
        g->to[back] = i;
        g->weight[at] = g->weight[back] = m->weight[k];
    }
}

/* Takes whoever has most meetings left (the lowest index of equals) until none is left. Returns 0,
 * or -1 when the core would be too large. */
static int choose_core(int n, meetings* g) {
    for (int i = 0; i < n; i++)
        g->place[i] = -1;
    for (g->core = 0;; g->core++) {
        int most = 0;
        for (int i = 1; i < n; i++)
            most = g->left[i] > g->left[most] ? i : most;
        if (g->left[most] == 0)
            return 0;
        if (g->core == AGON_RATING_CORE)
            return -1;
        g->place[most] = g->core;
        g->left[most] = 0;
        for (int e = g->start[most]; e < g->start[most + 1]; e++)
            g->left[g->to[e]] -= g->left[g->to[e]] > 0;
    }
}

/* ---- exact --------------------------------------------------------------------------------- */

/* s: out (core, core), what is left of the Hessian when the agents outside are eliminated: outside
 * agents meet only the core, so their block is diagonal. */
static void schur_complement(const model* m, const meetings* g, double* s) {
    const int core = g->core;
    for (int i = 0; i < core * core; i++)
        s[i] = 0;
    for (int i = 0; i < m->n; i++) {
        const int begin = g->start[i], end = g->start[i + 1], place = g->place[i];
        if (place >= 0)
            s[place * core + place] += m->diagonal[i];
        for (int e = begin; e < end; e++) {
            int column = g->place[g->to[e]];
            if (place >= 0 && column >= 0)
                s[place * core + column] -= g->weight[e];
            double share = g->weight[e] / m->diagonal[i];
            for (int f = begin; place < 0 && f < end; f++)
                s[column * core + g->place[g->to[f]]] -= share * g->weight[f];
        }
    }
}

static int exact_variances(const model* m, const meetings* g, double* out) {
    const int core = g->core;
    double* s = malloc(((size_t)core * core + 1) * sizeof *s);
    if (!s)
        return AGON_EMEMORY;
    schur_complement(m, g, s);
    int code = core > 0 && agon_matrix_invert(s, core) ? AGON_EINVALID : 0;
    for (int i = 0; i < m->n && !code; i++) {
        double sum = 0;
        const int place = g->place[i];
        for (int e = g->start[i]; place < 0 && e < g->start[i + 1]; e++) {
            const double* row = s + (size_t)g->place[g->to[e]] * core;
            for (int f = g->start[i]; f < g->start[i + 1]; f++)
                sum += g->weight[e] * row[g->place[g->to[f]]] * g->weight[f];
        }
        const double d = m->diagonal[i];
        out[i] = m->is_fixed[i] ? 0 : place >= 0 ? s[place * core + place] : (1 + sum / d) / d;
    }
    free(s);
    return code;
}

/* ---- probed -------------------------------------------------------------------------------- */

/* Components of agents that met, directly or not. */
typedef struct components {
    int* parent;  /* (n) a smaller index of the same component, or itself */
    double* size; /* (n) at the smallest index; INFINITY where one has a fixed rating */
    double* sum;  /* (n) */
} components;

static int root(const components* c, int i) {
    while (c->parent[i] != i)
        i = c->parent[i] = c->parent[c->parent[i]];
    return i;
}

static void find_components(const model* m, components* c) {
    for (int i = 0; i < m->n; i++) {
        c->parent[i] = i;
        c->size[i] = 0;
    }
    for (int k = 0; k < m->pool->pairs; k++) {
        int a = root(c, m->pool->pair[k].first), b = root(c, m->pool->pair[k].second);
        c->parent[a > b ? a : b] = a > b ? b : a;
    }
    for (int i = 0; i < m->n; i++)
        c->size[root(c, i)] += m->is_fixed[i] ? INFINITY : 1;
}

/* Takes the mean of each component out of z, but where a fixed rating holds the component. H times
 * the indicator of a component is `precision` times it: that part of H^-1 is 1 / (size * precision)
 * in every entry. */
static void centre(const components* c, int n, double* z, const uint8_t* is_fixed) {
    for (int i = 0; i < n; i++)
        c->sum[i] = 0;
    for (int i = 0; i < n; i++)
        c->sum[root(c, i)] += z[i];
    for (int i = 0; i < n; i++)
        z[i] -= is_fixed[i] ? 0 : c->sum[root(c, i)] / c->size[root(c, i)];
}

/* z: out (n), random signs, 0 for fixed agents. */
static void random_signs(const model* m, agon_key key, int probe, double* z) {
    agon_draw draw = {{0}};
    for (int i = 0; i < m->n; i++) {
        if (i % 128 == 0)
            draw = agon_random(key, (uint32_t)probe, (uint32_t)(i / 128), 0, 0);
        double sign = draw.word[i % 128 / 32] >> i % 32 & 1 ? 1 : -1;
        z[i] = m->is_fixed[i] ? 0 : sign;
    }
}

/* z, centred, y: scratch (n). */
static int probe_variances(const model* m, const components* c, agon_key key, double* z,
                           double* centred, double* y, double* out) {
    const int n = m->n;
    for (int i = 0; i < n; i++)
        out[i] = 0;
    for (int k = 0; k < PROBES; k++) {
        random_signs(m, key, k, z);
        for (int i = 0; i < n; i++)
            centred[i] = z[i];
        centre(c, n, centred, m->is_fixed);
        if (agon__sparse_solve(m, centred, 1e-8, y))
            return AGON_EINVALID;
        for (int i = 0; i < n; i++)
            out[i] += z[i] * y[i] / PROBES;
    }
    for (int i = 0; i < n; i++) {
        double shared = 1 / (c->size[root(c, i)] * m->precision);
        out[i] = m->is_fixed[i] ? 0 : fmax(out[i] + shared, 1 / m->diagonal[i]);
    }
    return 0;
}

static int probed_variances(const model* m, agon_key key, double* out) {
    const size_t n = (size_t)m->n;
    double* block = malloc(5 * n * sizeof *block);
    int* parent = malloc(n * sizeof *parent);
    int code = block && parent ? 0 : AGON_EMEMORY;
    if (!code) {
        components c = {parent, block, block + n};
        find_components(m, &c);
        code = probe_variances(m, &c, key, block + 2 * n, block + 3 * n, block + 4 * n, out);
    }
    free(block);
    free(parent);
    return code;
}

int agon__sparse_variances(const model* m, agon_key key, double* out, agon_rating_errors* how) {
    const size_t n = (size_t)m->n, ends = 2 * (size_t)m->pool->pairs;
    int* index = calloc(3 * n + 1 + ends, sizeof *index);
    double* weight = malloc((ends + 1) * sizeof *weight);
    int code = index && weight ? 0 : AGON_EMEMORY;
    if (!code) {
        meetings g = {index, index + 3 * n + 1, weight, index + n + 1, index + 2 * n + 1, 0};
        list_meetings(m, &g);
        *how = choose_core(m->n, &g) ? AGON_RATING_PROBED : AGON_RATING_EXACT;
        code =
            *how == AGON_RATING_EXACT ? exact_variances(m, &g, out) : probed_variances(m, key, out);
    }
    free(index);
    free(weight);
    return code;
}
