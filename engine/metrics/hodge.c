/* hodge.c: HodgeRank by the Laplacian of who met whom. */
#include "engine/metrics/hodge.h"

#include "agents/real.h"
#include "engine/metrics/real_matrix.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A matrix of pay-offs and who met whom. */
typedef struct meetings {
    int n, components;
    const double *m, *weight, *se; /* (n, n); weight and se may be NULL */
    int* component;                /* (n) */
    double* f;                     /* (n) */
    double* inverse;               /* (n, n) of the Laplacian, each component lifted */
} meetings;

/* 0: never met. */
static double weight_of(const meetings* s, int i, int j) {
    const size_t at = i < j ? (size_t)i * s->n + j : (size_t)j * s->n + i;
    if (s->weight)
        return s->weight[at];
    return isnan(s->m[at]) ? 0 : 1;
}

/* Comparisons are written so that NaN fails them. */
static int check_pair(const meetings* s, int i, int j, double largest) {
    const size_t at = (size_t)i * s->n + j, back = (size_t)j * s->n + i;
    const double w = weight_of(s, i, j);
    if (!(w >= 0) || isinf(w))
        return AGON_EINVALID;
    if (s->se && (s->se[at] < 0 || isinf(s->se[at])) && w > 0)
        return AGON_EINVALID;
    if (w == 0) /* one-sided NaN is a mistake where NaN says who met */
        return s->weight || isnan(s->m[back]) ? 0 : AGON_EINVALID;
    return fabs(s->m[at] + s->m[back]) <= 1e-9 * largest ? 0 : AGON_EINVALID;
}

static int check(const meetings* s) {
    double largest = 0;
    for (int i = 0; i < s->n; i++) {
        for (int j = i + 1; j < s->n; j++) {
            const double x = fabs(s->m[(size_t)i * s->n + j]);
            if (weight_of(s, i, j) > 0 && !isfinite(x))
                return AGON_EINVALID;
            largest = weight_of(s, i, j) > 0 && x > largest ? x : largest;
        }
    }
    int code = 0;
    for (int i = 0; !code && i < s->n; i++) {
        for (int j = i + 1; !code && j < s->n; j++)
            code = check_pair(s, i, j, largest);
    }
    return code;
}

/* Labels by first agents; stack: (n). */
static void find_components(meetings* s, int* stack) {
    for (int i = 0; i < s->n; i++)
        s->component[i] = -1;
    s->components = 0;
    for (int first = 0; first < s->n; first++) {
        if (s->component[first] >= 0)
            continue;
        int depth = 0;
        s->component[first] = s->components;
        stack[depth++] = first;
        while (depth > 0) {
            const int i = stack[--depth];
            for (int j = 0; j < s->n; j++) {
                if (j != i && s->component[j] < 0 && weight_of(s, i, j) > 0) {
                    s->component[j] = s->components;
                    stack[depth++] = j;
                }
            }
        }
        s->components++;
    }
}

/* The Laplacian knows f up to a constant per component; a constant added to all its entries within
 * a component makes it definite, and the solution the one that adds up to 0 there. */
static int invert_laplacian(meetings* s) {
    const int n = s->n;
    double degree = 0;
    memset(s->inverse, 0, (size_t)n * n * sizeof *s->inverse);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            const double w = i == j ? 0 : weight_of(s, i, j);
            s->inverse[i * n + i] += w;
            s->inverse[i * n + j] -= w;
            degree += w;
        }
    }
    const double lift = degree > 0 ? degree / ((double)n * n) : 1;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            s->inverse[i * n + j] += s->component[i] == s->component[j] ? lift : 0;
    }
    return agon_matrix_invert(s->inverse, n) == 0 ? 0 : AGON_EINVALID;
}

/* f = inverse * sum_j w_ij M_ij. M may miss its diagonal. gain: scratch (n). */
static void solve_strengths(meetings* s, double* gain) {
    const int n = s->n;
    for (int i = 0; i < n; i++) {
        gain[i] = 0;
        for (int j = 0; j < n; j++) {
            const double w = i == j ? 0 : weight_of(s, i, j);
            if (w > 0)
                gain[i] += i < j ? w * s->m[i * n + j] : -w * s->m[j * n + i];
        }
    }
    for (int i = 0; i < n; i++) {
        s->f[i] = 0;
        for (int j = 0; j < n; j++)
            s->f[i] += s->inverse[i * n + j] * gain[j];
    }
}

/* A pair's noise lands in the transitive part by w times its effective resistance: 2/n when all n
 * met alike, 1 when nothing but this pair connects the two. */
static double cyclic_share(const meetings* s, int i, int j, double w) {
    const int n = s->n;
    const double resistance =
        s->inverse[i * n + i] + s->inverse[j * n + j] - 2 * s->inverse[i * n + j];
    const double share = 1 - w * resistance;
    return share > 0 ? share : 0;
}

static void add_pair(const meetings* s, int i, int j, agon_hodge* out) {
    const size_t at = (size_t)i * s->n + j;
    const double w = weight_of(s, i, j);
    if (w == 0)
        return;
    const double step = s->f[i] - s->f[j], rest = s->m[at] - step;
    const double noise = s->se ? w * s->se[at] * s->se[at] : NAN;
    out->total += w * s->m[at] * s->m[at];
    out->transitive += w * step * step;
    out->cyclic += w * rest * rest;
    out->noise_total += noise;
    out->noise_cyclic += noise * cyclic_share(s, i, j, w);
}

static double clamp(double x) {
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static agon_hodge energies(const meetings* s) {
    agon_hodge out = {.components = s->components};
    for (int i = 0; i < s->n; i++) {
        for (int j = i + 1; j < s->n; j++)
            add_pair(s, i, j, &out);
    }
    out.fraction = out.total > 0 ? clamp(out.cyclic / out.total) : 0;
    if (!s->se)
        out.noise_total = out.noise_cyclic = NAN;
    const double signal = out.total - out.noise_total;
    out.debiased = signal > 0 ? clamp((out.cyclic - out.noise_cyclic) / signal) : NAN;
    return out;
}

static int rank_all(meetings* s, int* stack, double* gain) {
    find_components(s, stack);
    const int code = invert_laplacian(s);
    if (!code)
        solve_strengths(s, gain);
    return code;
}

int agon_hodge_rank(const double* m, const double* weight, const double* se, int n, double* f,
                    int* component, agon_hodge* out) {
    assert(m && n >= 1 && out);
    meetings s = {.n = n, .m = m, .weight = weight, .se = se};
    if (check(&s) != 0)
        return AGON_EINVALID;
    int* labels = malloc(2 * (size_t)n * sizeof *labels);
    double* block = malloc(((size_t)n * n + 2 * (size_t)n) * sizeof *block);
    int code = labels && block ? 0 : AGON_EMEMORY;
    if (!code) {
        s.component = labels;
        s.inverse = block;
        s.f = block + (size_t)n * n;
        code = rank_all(&s, labels + n, s.f + n);
    }
    if (!code) {
        *out = energies(&s);
        if (f)
            memcpy(f, s.f, (size_t)n * sizeof *f);
        if (component)
            memcpy(component, labels, (size_t)n * sizeof *component);
    }
    free(labels);
    free(block);
    return code;
}

/* ---- logits and cycles --------------------------------------------------------------------- */

int agon_hodge_logits(const double* wins, int n, double* logit, double* se) {
    assert(wins && logit && n >= 1);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            if (i != j && (!(wins[i * n + j] >= 0) || isinf(wins[i * n + j])))
                return AGON_EINVALID;
        }
    }
    for (int i = 0; i < n; i++) {
        for (int j = i; j < n; j++) {
            const double a = wins[i * n + j] + 0.5, b = wins[j * n + i] + 0.5;
            const double x = i == j ? 0 : a + b == 1 ? NAN : agon_log(a / b);
            logit[i * n + j] = x;
            logit[j * n + i] = i == j ? 0 : -x;
            if (se)
                se[i * n + j] = se[j * n + i] = i == j ? 0 : isnan(x) ? NAN : sqrt(1 / a + 1 / b);
        }
    }
    return 0;
}

double agon_hodge_three_cycles(const double* m, int n, double* triples) {
    assert(m && n >= 1);
    double count = 0;
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++) {
            for (int k = j + 1; k < n; k++) {
                count += m[i * n + j] > 0 && m[j * n + k] > 0 && m[k * n + i] > 0;
                count += m[j * n + i] > 0 && m[k * n + j] > 0 && m[i * n + k] > 0;
            }
        }
    }
    if (triples)
        *triples = n < 3 ? 0 : (double)n * (n - 1) * (n - 2) / 6;
    return count;
}
