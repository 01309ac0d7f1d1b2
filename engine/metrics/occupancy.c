/* occupancy.c: divergence of visit frequencies, and what two halves of one agent give. */
#include "engine/metrics/occupancy.h"

#include "agents/real.h"
#include "engine/metrics/summary.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static double entropy_term(double p) {
    return p > 0 ? -p * agon_log(p) : 0;
}

/* Visits as the functions below take them. */
typedef struct visits {
    int agents, features;
    const uint32_t* count; /* (agents, 2, features) */
    double* total;         /* (agents, 2) */
} visits;

static double visits_of(const visits* v, int agent, int half, int feature) {
    return v->count[(2 * (size_t)agent + half) * v->features + feature];
}

static double share_of(const visits* v, int agent, int half, int feature) {
    return visits_of(v, agent, half, feature) / v->total[2 * agent + half];
}

static double share_of_both(const visits* v, int agent, int feature) {
    return (visits_of(v, agent, 0, feature) + visits_of(v, agent, 1, feature)) /
           (v->total[2 * agent] + v->total[2 * agent + 1]);
}

static bool is_there(const visits* v, int agent) {
    return v->total[2 * agent] > 0 && v->total[2 * agent + 1] > 0;
}

/* total: (agents, 2), allocated here. */
static int visits_open(visits* v, const uint32_t* count, int agents, int features) {
    double* total = calloc(2 * (size_t)agents, sizeof *total);
    if (!total)
        return AGON_EMEMORY;
    for (size_t row = 0; row < 2 * (size_t)agents; row++) {
        for (int x = 0; x < features; x++)
            total[row] += count[row * features + x];
    }
    *v = (visits){agents, features, count, total};
    return 0;
}

/* ---- pairs --------------------------------------------------------------------------------- */

static void compare_halves(const visits* v, int i, int j, double* jsd, double* tv) {
    double divergence = 0, variation = 0;
    for (int x = 0; x < v->features; x++) {
        const double a = share_of(v, i, 0, x), b = share_of(v, j, 1, x);
        variation += 0.5 * fabs(a - b);
        divergence += entropy_term(0.5 * (a + b)) - 0.5 * (entropy_term(a) + entropy_term(b));
    }
    *jsd = divergence > 0 ? divergence : 0;
    *tv = variation < 1 ? variation : 1;
}

static void compare_pair(const visits* v, int i, int j, double* jsd, double* tv) {
    double there[2] = {NAN, NAN}, back[2] = {NAN, NAN};
    if (is_there(v, i) && is_there(v, j)) {
        compare_halves(v, i, j, &there[0], &there[1]);
        compare_halves(v, j, i, &back[0], &back[1]);
    }
    const size_t at = (size_t)i * v->agents + j, mirrored = (size_t)j * v->agents + i;
    if (jsd)
        jsd[at] = jsd[mirrored] = 0.5 * (there[0] + back[0]);
    if (tv)
        tv[at] = tv[mirrored] = 0.5 * (there[1] + back[1]);
}

int agon_occupancy_pairs(const uint32_t* count, int agents, int features, double* jsd, double* tv) {
    assert(count && agents >= 1 && features >= 1);
    visits v;
    const int rc = visits_open(&v, count, agents, features);
    if (rc)
        return rc;
    for (int i = 0; i < agents; i++) {
        for (int j = i; j < agents; j++)
            compare_pair(&v, i, j, jsd, tv);
    }
    free(v.total);
    return 0;
}

/* ---- the population ------------------------------------------------------------------------ */

/* Sum over pairs of |x_i - x_j| of sorted values. */
static double pair_distances(const double* sorted, int n) {
    double sum = 0;
    for (int k = 0; k < n; k++)
        sum += (2.0 * k - n + 1) * sorted[k];
    return sum;
}

/* Sums over agents, or over ordered pairs, of one feature. */
typedef struct feature_sums {
    double mixture, within;            /* entropies of both halves together; within: sum */
    double half_mixture, half_within;  /* of the halves, sums */
    double same_variation, variations; /* |a_i - b_i| and |a_i - b_j| over all i, j */
} feature_sums;

static void add_divergences(const visits* v, int x, int agents, feature_sums* sums) {
    double mean = 0;
    for (int i = 0; i < v->agents; i++) {
        if (!is_there(v, i))
            continue;
        const double a = share_of(v, i, 0, x), b = share_of(v, i, 1, x);
        const double both = share_of_both(v, i, x);
        mean += both / agents;
        sums->within += entropy_term(both);
        sums->half_mixture += entropy_term(0.5 * (a + b));
        sums->half_within += 0.5 * (entropy_term(a) + entropy_term(b));
        sums->same_variation += fabs(a - b);
    }
    sums->mixture += entropy_term(mean);
}

/* sum_ij |a_i - b_j| is what pairs of the union have beyond pairs of each side: O(n ln n). side:
 * scratch (4 * agents). */
static void add_variations(const visits* v, int x, double* side, feature_sums* sums) {
    int n = 0;
    double *a = side, *b = side + v->agents, *both = side + 2 * (size_t)v->agents;
    for (int i = 0; i < v->agents; i++) {
        if (!is_there(v, i))
            continue;
        both[2 * n] = a[n] = share_of(v, i, 0, x);
        both[2 * n + 1] = b[n] = share_of(v, i, 1, x);
        n++;
    }
    agon_summary_sort(a, n);
    agon_summary_sort(b, n);
    agon_summary_sort(both, 2 * n);
    sums->variations += pair_distances(both, 2 * n) - pair_distances(a, n) - pair_distances(b, n);
}

static double clipped(double x) {
    return x > 0 ? x : 0;
}

static agon_occupancy summarise(const feature_sums* sums, int n) {
    if (n == 0)
        return (agon_occupancy){0, NAN, NAN, NAN, NAN, NAN};
    agon_occupancy out = {.agents = n};
    out.j = n > 1 ? clipped(sums->mixture - sums->within / n) : 0;
    out.j_floor = clipped((sums->half_mixture - sums->half_within) / n);
    out.j_excess = out.j - (1 - 1.0 / n) * out.j_floor;
    out.tv_floor = 0.5 * sums->same_variation / n;
    if (n > 1)
        out.tv = clipped(0.5 * (sums->variations - sums->same_variation) / ((double)n * (n - 1.0)));
    out.tv = out.tv < 1 ? out.tv : 1;
    return out;
}

int agon_occupancy_measure(const uint32_t* count, int agents, int features, agon_occupancy* out) {
    assert(count && out && agents >= 1 && features >= 1);
    visits v;
    int rc = visits_open(&v, count, agents, features), n = 0;
    if (rc)
        return rc;
    double* side = malloc(4 * (size_t)agents * sizeof *side);
    if (!side)
        rc = AGON_EMEMORY;
    for (int i = 0; i < agents; i++)
        n += is_there(&v, i);
    feature_sums sums = {0};
    for (int x = 0; x < features && n > 0 && !rc; x++) {
        add_divergences(&v, x, n, &sums);
        add_variations(&v, x, side, &sums);
    }
    free(side);
    free(v.total);
    if (!rc)
        *out = summarise(&sums, n);
    return rc;
}
