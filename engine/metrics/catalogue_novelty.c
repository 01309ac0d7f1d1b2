/* catalogue_novelty.c: the metrics that count kinds of answers, and that look at agents as points.
 */
#include "engine/metrics/kernel.h"
#include "engine/metrics/metric.h"
#include "engine/metrics/novelty.h"
#include "engine/metrics/policy_hull.h"
#include "engine/metrics/species.h"
#include "engine/metrics/subset.h"

#include <math.h>
#include <stdlib.h>

/* Agents beyond which a subset drawn by the key is measured, so that a row takes seconds. */
#define MOST_IN_KERNEL 500
#define MOST_IN_HULL   64
#define ALL_QUERIES    2000
#define SOME_QUERIES   1000

#define NEIGHBOURS   15
#define FIXED_LENGTH 0.5
#define HULL_GAP     1e-5

static int failed(agon_error* error, int code, const char* what) {
    return agon_fail(error, code, "%s: %s", what,
                     code == AGON_EMEMORY ? "out of memory" : "the answers are not distributions");
}

/* ---- a subset of the agents ---------------------------------------------------------------- */

typedef struct some {
    int* member; /* (b.agents) of the evidence, ascending */
    float* rows; /* (b.agents, states, actions), or NULL: b is of all agents */
    agon_behaviour b;
} some;

static void some_close(some* s) {
    free(s->member);
    free(s->rows);
}

static int some_open(const agon_evidence* e, const agon_metric_options* options, int most,
                     some* s) {
    const agon_behaviour all = agon_evidence_behaviour(e);
    const int count = all.agents < most ? all.agents : most;
    *s = (some){.member = malloc((size_t)count * sizeof(int)), .b = all};
    int rc = s->member ? agon_subset_draw(all.agents, most, options->key, s->member) : AGON_EMEMORY;
    if (rc == count && count < all.agents) {
        s->rows = malloc((size_t)count * all.states * all.actions * sizeof *s->rows);
        if (s->rows)
            s->b = agon_subset_behaviour(&all, s->member, count, s->rows);
        else
            rc = AGON_EMEMORY;
    }
    if (rc > 0)
        return 0;
    some_close(s);
    return rc;
}

/* ---- kinds --------------------------------------------------------------------------------- */

static const double orders[] = {0, 1, 2, INFINITY};
#define ORDERS 4

static int compute_species(const agon_evidence* e, const agon_metric_options* options, double* out,
                           agon_error* error) {
    const agon_behaviour b = agon_evidence_behaviour(e);
    for (int k = 0; k < ORDERS; k++) {
        const int rc = agon_species_greedy(&b, orders[k], &out[k]);
        if (rc)
            return failed(error, rc, "species");
    }
    return 0;
}

/* The kernel of some agents, (n, n), and uniform shares, (n), behind it; NULL: *rc says why. */
static double* kernel_of(const some* s, agon_kernel kind, int* rc) {
    const size_t n = (size_t)s->b.agents;
    double* kernel = malloc((n * n + n) * sizeof *kernel);
    *rc = kernel ? agon_kernel_matrix(&s->b, kind, kernel) : AGON_EMEMORY;
    if (*rc) {
        free(kernel);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        kernel[n * n + i] = 1.0 / (double)n;
    return kernel;
}

static int similar_kinds(const some* s, agon_kernel kind, double* out) {
    const int n = s->b.agents;
    int rc;
    double* kernel = kernel_of(s, kind, &rc);
    for (int k = 0; k < ORDERS && !rc; k++)
        rc = agon_species_similar(kernel, kernel + (size_t)n * n, n, orders[k], &out[k]);
    free(kernel);
    return rc;
}

static int compute_leinster_cobbold(const agon_evidence* e, const agon_metric_options* options,
                                    double* out, agon_error* error) {
    some s;
    int rc = some_open(e, options, MOST_IN_KERNEL, &s);
    if (rc)
        return failed(error, rc, "leinster_cobbold");
    rc = similar_kinds(&s, AGON_KERNEL_BC, out);
    if (!rc)
        rc = similar_kinds(&s, AGON_KERNEL_TV, out + ORDERS);
    out[2 * ORDERS] = s.b.agents;
    some_close(&s);
    return rc ? failed(error, rc, "leinster_cobbold") : 0;
}

static int mean_distance(const some* s, agon_kernel kind, double* out) {
    const size_t n = (size_t)s->b.agents;
    int rc;
    double* kernel = kernel_of(s, kind, &rc);
    for (size_t i = 0; i < n * n && !rc; i++)
        kernel[i] = kernel[i] < 1 ? 1 - kernel[i] : 0;
    if (!rc)
        rc = agon_species_rao(kernel, kernel + n * n, (int)n, out);
    free(kernel);
    return rc;
}

static int compute_rao(const agon_evidence* e, const agon_metric_options* options, double* out,
                       agon_error* error) {
    some s;
    int rc = some_open(e, options, MOST_IN_KERNEL, &s);
    if (rc)
        return failed(error, rc, "rao");
    rc = mean_distance(&s, AGON_KERNEL_TV, &out[0]);
    if (!rc)
        rc = mean_distance(&s, AGON_KERNEL_BC, &out[1]);
    out[2] = s.b.agents;
    some_close(&s);
    return rc ? failed(error, rc, "rao") : 0;
}

/* ---- points -------------------------------------------------------------------------------- */

/* The answers as points whose squared distances are weighted means over states of |p - q|^2; scale:
 * (states * actions), to be freed. */
static int points_of(const agon_behaviour* b, agon_points* p, double** scale) {
    *scale = malloc((size_t)b->states * b->actions * sizeof **scale);
    if (!*scale)
        return AGON_EMEMORY;
    for (int c = 0; c < b->states * b->actions; c++)
        (*scale)[c] = b->weight[c / b->actions];
    *p = (agon_points){b->agents, b->states * b->actions, b->probability, *scale};
    return 0;
}

static int determinants(const agon_points* p, agon_dvd* median, agon_dvd* fixed) {
    double* distance = malloc((size_t)p->n * p->n * sizeof *distance);
    int rc = distance ? agon_novelty_distances(p, distance) : AGON_EMEMORY;
    if (!rc)
        rc = agon_novelty_dvd(distance, p->n, NAN, median);
    if (!rc)
        rc = agon_novelty_dvd(distance, p->n, FIXED_LENGTH, fixed);
    free(distance);
    return rc;
}

static int compute_dvd(const agon_evidence* e, const agon_metric_options* options, double* out,
                       agon_error* error) {
    some s;
    agon_points p;
    agon_dvd median = {0}, fixed = {0};
    double* scale = NULL;
    int rc = some_open(e, options, MOST_IN_KERNEL, &s);
    if (rc)
        return failed(error, rc, "dvd");
    rc = points_of(&s.b, &p, &scale);
    if (!rc)
        rc = determinants(&p, &median, &fixed);
    const double row[] = {
        fixed.log_determinant, fixed.determinant, fixed.jitter, median.log_determinant,
        median.length,         median.jitter,     s.b.agents};
    for (int c = 0; c < 7; c++)
        out[c] = row[c];
    free(scale);
    some_close(&s);
    return rc ? failed(error, rc, "dvd") : 0;
}

/* Novelty of the agents asked about. */
typedef struct answers {
    int count;     /* of queries */
    int* member;   /* (count) */
    double* mean;  /* (count) to the k nearest */
    double* first; /* (count) to the nearest */
} answers;

static void answers_close(answers* a) {
    free(a->member);
    free(a->mean);
}

static int answers_open(const agon_evidence* e, const agon_metric_options* options, answers* a) {
    const agon_behaviour b = agon_evidence_behaviour(e);
    const int most = b.agents > ALL_QUERIES ? SOME_QUERIES : b.agents;
    double* scale = NULL;
    agon_points p;
    *a = (answers){0, malloc((size_t)most * sizeof(int)), malloc(2 * (size_t)most * sizeof(double)),
                   NULL};
    int rc = a->member && a->mean ? points_of(&b, &p, &scale) : AGON_EMEMORY;
    if (!rc)
        a->count = agon_subset_draw(b.agents, most, options->key, a->member);
    if (!rc && a->count < 0)
        rc = a->count;
    if (!rc) {
        a->first = a->mean + most;
        rc = agon_novelty_nearest(&p, NEIGHBOURS, a->member, a->count, a->mean, a->first);
    }
    free(scale);
    if (rc)
        answers_close(a);
    return rc;
}

static double mean_of(const double* values, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += values[i];
    return n > 0 ? sum / n : NAN;
}

static int compute_knn(const agon_evidence* e, const agon_metric_options* options, double* out,
                       agon_error* error) {
    answers a;
    const int rc = answers_open(e, options, &a);
    if (rc)
        return failed(error, rc, "knn_novelty");
    out[0] = mean_of(a.mean, a.count);
    out[1] = mean_of(a.first, a.count);
    out[2] = e->agents - 1 < NEIGHBOURS ? e->agents - 1 : NEIGHBOURS;
    out[3] = a.count;
    answers_close(&a);
    return 0;
}

static int compute_knn_agents(const agon_evidence* e, const agon_metric_options* options,
                              double* out, agon_error* error) {
    answers a;
    const int rc = answers_open(e, options, &a);
    if (rc)
        return failed(error, rc, "knn_novelty_agents");
    for (int i = 0; i < e->agents; i++)
        out[i] = NAN;
    for (int q = 0; q < a.count; q++)
        out[a.member[q]] = a.mean[q];
    answers_close(&a);
    return 0;
}

/* ---- the policy hull ----------------------------------------------------------------------- */

/* hulls: (s->b.agents). */
static int hulls_of(const some* s, agon_hull* hulls) {
    int rc = 0;
    for (int i = 0; i < s->b.agents && !rc; i++)
        rc = agon_policy_hull(&s->b, i, HULL_GAP, &hulls[i], NULL);
    return rc;
}

static int compute_hull(const agon_evidence* e, const agon_metric_options* options, double* out,
                        agon_error* error) {
    some s;
    agon_hull hulls[MOST_IN_HULL];
    int rc = some_open(e, options, MOST_IN_HULL, &s);
    if (rc)
        return failed(error, rc, "policy_hull");
    rc = hulls_of(&s, hulls);
    double distance = 0, nearest = 0, gap = 0;
    int inside = 0, near = 0;
    for (int i = 0; i < s.b.agents && !rc; i++) {
        distance += isfinite(hulls[i].distance) ? hulls[i].distance : 0;
        nearest += isfinite(hulls[i].nearest) ? hulls[i].nearest : 0;
        gap = hulls[i].gap > gap ? hulls[i].gap : gap;
        inside += isfinite(hulls[i].distance);
        near += isfinite(hulls[i].nearest);
    }
    const double row[] = {inside ? distance / inside : NAN, near ? nearest / near : NAN,
                          1 - (double)inside / s.b.agents, inside ? gap : NAN, s.b.agents};
    for (int c = 0; c < 5; c++)
        out[c] = row[c];
    some_close(&s);
    return rc ? failed(error, rc, "policy_hull") : 0;
}

static int compute_hull_agents(const agon_evidence* e, const agon_metric_options* options,
                               double* out, agon_error* error) {
    some s;
    agon_hull hulls[MOST_IN_HULL];
    int rc = some_open(e, options, MOST_IN_HULL, &s);
    if (rc)
        return failed(error, rc, "policy_hull_agents");
    rc = hulls_of(&s, hulls);
    for (int i = 0; i < 3 * e->agents; i++)
        out[i] = NAN;
    for (int i = 0; i < s.b.agents && !rc; i++) {
        double* row = out + 3 * (size_t)s.member[i];
        row[0] = hulls[i].distance;
        row[1] = hulls[i].nearest;
        row[2] = hulls[i].gap;
    }
    some_close(&s);
    return rc ? failed(error, rc, "policy_hull_agents") : 0;
}

/* ---- the table ----------------------------------------------------------------------------- */

#define MEASURED                                                                                   \
    { "agents", "agents", 1, INFINITY, "how many were measured; fewer than all: drawn by the key" }

const agon_metric agon__catalogue_novelty[] = {
    {.name = "species",
     .title = "Different first choices",
     .group = "novelty",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS,
     .sharpness = AGON_SHARPNESS_STILL,
     .column = {{"hill_0", "actions", 1, INFINITY, "different greedy actions per state"},
                {"hill_1", "actions", 1, INFINITY, "the same, rare ones count less: exp(entropy)"},
                {"hill_2", "actions", 1, INFINITY, "the same, rare ones count little"},
                {"hill_inf", "actions", 1, INFINITY, "1 / share of the commonest"}},
     .formula = "sum_s w_s (sum_a f_sa^q)^(1/(1-q)), f_sa the share of agents whose greedy action "
                "at s is a",
     .source = "Hill 1973",
     .caveat = "Blind to everything but the first choice: moves of equal worth count as different "
               "kinds, and order 0 grows with the number of agents.",
     .compute = compute_species},
    {.name = "leinster_cobbold",
     .title = "Similarity-sensitive Hill numbers",
     .group = "novelty",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"bc_0", "agents", 1, INFINITY, "effective agents, Bhattacharyya, order 0"},
                {"bc_1", "agents", 1, INFINITY, "order 1"},
                {"bc_2", "agents", 1, INFINITY, "order 2"},
                {"bc_inf", "agents", 1, INFINITY, "1 / ordinariness of the most ordinary agent"},
                {"tv_0", "agents", 1, INFINITY, "effective agents, 1 - total variation, order 0"},
                {"tv_1", "agents", 1, INFINITY, "order 1"},
                {"tv_2", "agents", 1, INFINITY, "order 2"},
                {"tv_inf", "agents", 1, INFINITY, "1 / ordinariness of the most ordinary agent"},
                MEASURED},
     .formula = "(sum_i p_i (Zp)_i^(q-1))^(1/(1-q)), p uniform",
     .source = "Leinster and Cobbold 2012",
     .caveat = "Not a Vendi score, though both count effective agents from similarities: they "
               "differ, and only one of them should be named in a study. Above 500 agents a "
               "subset of 500 is measured.",
     .compute = compute_leinster_cobbold},
    {.name = "rao",
     .title = "Rao's quadratic entropy",
     .group = "novelty",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"tv", "1", 0, 1, "expected total variation of two agents drawn alike"},
                {"bc", "1", 0, 1, "expected 1 - Bhattacharyya coefficient"},
                MEASURED},
     .formula = "sum_ij p_i p_j d_ij, p uniform",
     .source = "Rao 1982",
     .caveat = "An agent meets itself, so n agents cannot exceed 1 - 1/n: compare at equal n. "
               "Above 500 agents a subset of 500 is measured.",
     .compute = compute_rao},
    {.name = "dvd",
     .title = "DvD determinant",
     .group = "novelty",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"log_det", "nats", -14, 0, "(1/n) ln det K at length 0.5"},
                {"det", "1", 0, 1, "det K at length 0.5"},
                {"jitter", "1", 0, 1e-6, "added to the diagonal because agents are nearly equal"},
                {"log_det_median", "nats", -14, 0, "(1/n) ln det K, length: the median distance"},
                {"median", "1", 0, 1.42, "median distance between agents that differ"},
                {"jitter_median", "1", 0, 1e-6, "as above, of the second determinant"},
                MEASURED},
     .formula = "K_ij = exp(-d_ij^2 / (2 l^2)), d_ij^2 = sum_s w_s |p_is - p_js|^2",
     .source = "Parker-Holder, Pacchiano, Choromanski and Roberts 2020",
     .caveat = "Falls with every agent added however good the population: compare at equal n and "
               "fixed length only; with the median as length it hardly sees that all moved apart. "
               "Above 500 agents a subset of 500 is measured.",
     .compute = compute_dvd},
    {.name = "knn_novelty",
     .title = "Mean novelty",
     .group = "novelty",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS | AGON_NEEDS_PAIR,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"mean", "1", 0, 1.42, "mean distance to the k nearest other agents"},
                {"nearest", "1", 0, 1.42, "mean distance to the nearest other agent"},
                {"k", "agents", 1, NEIGHBOURS, "15, or all others when there are fewer"},
                {"queries", "agents", 1, ALL_QUERIES, "agents asked about, among all"}},
     .formula = "mean of d_ij over the k nearest j, d_ij^2 = sum_s w_s |p_is - p_js|^2",
     .source = "Lehman and Stanley 2011",
     .caveat = "Noise is novel, and neighbours come nearer with every agent added: compare at "
               "equal n. Above 2,000 agents 1,000 of them, drawn by the key, are asked about.",
     .compute = compute_knn},
    {.name = "knn_novelty_agents",
     .title = "Novelty of each agent",
     .group = "novelty",
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_ANSWERS | AGON_NEEDS_PAIR,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"novelty", "1", 0, 1.42, "mean distance to the k nearest other agents"}},
     .formula = "as knn_novelty",
     .source = "Lehman and Stanley 2011",
     .caveat = "Far from the others is not better: a broken agent is the most novel of all. NaN "
               "for agents not asked about.",
     .compute = compute_knn_agents},
    {.name = "policy_hull",
     .title = "Policy-space diversity",
     .group = "novelty",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS | AGON_NEEDS_PAIR,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"mean", "nats", 0, INFINITY,
                 "mean divergence of an agent from the best mixture of the others; finite ones"},
                {"nearest", "nats", 0, INFINITY, "mean divergence from the best single other"},
                {"outside", "1", 0, 1, "share of agents that do what no other ever does"},
                {"gap", "nats", 0, INFINITY, "at most so much is a divergence overestimated"},
                MEASURED},
     .formula = "min over b of sum_s w_s KL(p_is || sum_k b_k p_ks), k not i",
     .source = "Yao et al. 2023",
     .caveat = "Mixes answers state by state, as if all agents came to every state alike: in a "
               "game of several moves an approximation to mixing whole strategies, and near-zero "
               "probabilities rule it. Above 64 agents a subset of 64 is measured.",
     .compute = compute_hull},
    {.name = "policy_hull_agents",
     .title = "Distance of each agent to the policy hull of the others",
     .group = "novelty",
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_ANSWERS | AGON_NEEDS_PAIR,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"distance", "nats", 0, INFINITY, "divergence from the best mixture of the others"},
                {"nearest", "nats", 0, INFINITY, "divergence from the best single other"},
                {"gap", "nats", 0, INFINITY, "at most so much is the distance overestimated"}},
     .formula = "as policy_hull",
     .source = "Yao et al. 2023",
     .caveat = "Far from the hull is not better, and infinite as soon as an agent does what no "
               "other ever does, however rarely. NaN for agents outside the subset.",
     .compute = compute_hull_agents},
    {0},
};
