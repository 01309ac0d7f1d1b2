/* catalogue_gamescape.c: layers, mixtures against fixed opponents, the cloud of pay-offs, dynamics.
 */
#include "engine/metrics/catalogue_payoff.h"

#include "agents/real.h"
#include "engine/metrics/alpha_rank.h"
#include "engine/metrics/gamescape.h"
#include "engine/metrics/hull.h"
#include "engine/metrics/matrix_game.h"
#include "engine/metrics/nash_clusters.h"
#include "engine/metrics/payoff.h"

#include <stdlib.h>
#include <string.h>

#define SUPPORT    1e-6
#define BOUND_MOST 64 /* agents up to which the closed-form bound is shown */

/* ---- layers -------------------------------------------------------------------------------- */

typedef struct layers {
    int n, count;
    int* level;        /* (n) */
    int *front, *back; /* (n) members of two levels */
    double* mass;      /* (n) */
    double* score;     /* (n) mean pay-off against everyone */
} layers;

static int layers_open(layers* s, const agon_evidence* e, const char* metric, agon_error* error) {
    const size_t n = (size_t)e->payoffs.agents;
    *s = (layers){.n = e->payoffs.agents};
    int rc = agon__payoff_size(s->n, metric, error);
    if (rc)
        return rc;
    s->level = malloc(3 * n * sizeof *s->level);
    s->mass = malloc(2 * n * sizeof *s->mass);
    if (!s->level || !s->mass)
        return agon__payoff_fail(error, AGON_EMEMORY, metric);
    s->front = s->level + n;
    s->back = s->front + n;
    s->score = s->mass + n;
    agon_payoff_cyclic_fraction(e->payoffs.mean, s->n, s->score);
    rc = agon_nash_clusters(e->payoffs.mean, s->n, s->level, s->mass, &s->count);
    return rc ? agon__payoff_fail(error, rc, metric) : 0;
}

static void layers_close(layers* s) {
    free(s->level);
    free(s->mass);
}

static int members_of(const layers* s, int level, int* out) {
    int count = 0;
    for (int i = 0; i < s->n; i++) {
        if (s->level[i] == level)
            out[count++] = i;
    }
    return count;
}

static int compute_nash_clusters(const agon_evidence* e, const agon_metric_options* options,
                                 double* out, agon_error* error) {
    layers s;
    const int rc = layers_open(&s, e, "nash_clusters", error);
    if (!rc)
        agon__payoff_blank(out, e->agents, 3);
    for (int i = 0; !rc && i < s.n; i++) {
        double* row = out + 3 * (size_t)e->payoffs.member[i];
        row[0] = s.level[i];
        row[1] = s.mass[i];
        row[2] = s.score[i];
    }
    layers_close(&s);
    return rc;
}

static int most_layers(const agon_evidence* e) {
    return e->payoffs.agents;
}

/* Width, mean score, and what the level wins from the next. */
static int put_layer(layers* s, const double* m, int level, double* row) {
    const int width = members_of(s, level, s->front), next = members_of(s, level + 1, s->back);
    row[0] = width;
    row[1] = 0;
    row[2] = NAN;
    for (int i = 0; i < width; i++)
        row[1] += s->score[s->front[i]] / width;
    return next ? agon_payoff_relative(m, s->n, s->front, width, s->back, next, &row[2]) : 0;
}

static int compute_layers(const agon_evidence* e, const agon_metric_options* options, double* out,
                          agon_error* error) {
    layers s;
    int rc = layers_open(&s, e, "layers", error);
    if (!rc)
        agon__payoff_blank(out, s.n, 3);
    for (int k = 0; !rc && k < s.count; k++) {
        rc = put_layer(&s, e->payoffs.mean, k, out + 3 * k);
        if (rc)
            agon__payoff_fail(error, rc, "layers");
    }
    layers_close(&s);
    return rc;
}

/* ---- against fixed opponents --------------------------------------------------------------- */

/* x: (agents), y: (anchors) of the game on anchors.mean. Free x; y lies behind it. */
static int solve_anchors(const agon_evidence* e, const char* metric, double** x, double** y,
                         agon_matrix_game* game, agon_error* error) {
    const int anchors = e->anchors.anchors;
    *x = NULL;
    int rc = agon__payoff_size(e->agents + anchors, metric, error);
    if (rc)
        return rc;
    *x = malloc(((size_t)e->agents + anchors) * sizeof **x);
    if (!*x)
        return agon__payoff_fail(error, AGON_EMEMORY, metric);
    *y = *x + e->agents;
    rc = agon_matrix_game_solve(e->anchors.mean, e->agents, anchors, *x, *y, game);
    if (rc == AGON_EINVALID)
        return agon_fail(error, rc, "%s: a score against a fixed opponent is not known", metric);
    return rc ? agon__payoff_fail(error, rc, metric) : 0;
}

static double support_of(const double* p, int n) {
    double count = 0;
    for (int i = 0; i < n; i++)
        count += p[i] > SUPPORT;
    return count;
}

/* max_i min_j A_ij. */
static double best_alone(const double* a, int rows, int cols) {
    double best = -INFINITY;
    for (int i = 0; i < rows; i++) {
        double worst = INFINITY;
        for (int j = 0; j < cols; j++)
            worst = fmin(worst, a[(size_t)i * cols + j]);
        best = fmax(best, worst);
    }
    return best;
}

static int compute_effectivity(const agon_evidence* e, const agon_metric_options* options,
                               double* out, agon_error* error) {
    double *x, *y;
    agon_matrix_game game;
    const int rc = solve_anchors(e, "effectivity", &x, &y, &game, error);
    if (!rc) {
        out[0] = game.value;
        out[1] = best_alone(e->anchors.mean, e->agents, e->anchors.anchors);
        out[2] = support_of(x, e->agents);
        out[3] = agon_exp(agon_payoff_entropy(x, e->agents));
        out[4] = support_of(y, e->anchors.anchors);
        out[5] = game.residual;
    }
    free(x);
    return rc;
}

static int compute_anchor_nash(const agon_evidence* e, const agon_metric_options* options,
                               double* out, agon_error* error) {
    const int anchors = e->anchors.anchors;
    double *x, *y;
    agon_matrix_game game;
    const int rc = solve_anchors(e, "anchor_nash", &x, &y, &game, error);
    for (int i = 0; !rc && i < e->agents; i++) {
        out[2 * i] = x[i];
        out[2 * i + 1] = 0;
        for (int j = 0; j < anchors; j++)
            out[2 * i + 1] += e->anchors.mean[(size_t)i * anchors + j] * y[j];
    }
    free(x);
    return rc;
}

static int count_anchors(const agon_evidence* e) {
    return e->anchors.anchors;
}

static int compute_anchor_weights(const agon_evidence* e, const agon_metric_options* options,
                                  double* out, agon_error* error) {
    const int anchors = e->anchors.anchors;
    double *x, *y;
    agon_matrix_game game;
    const int rc = solve_anchors(e, "anchor_weights", &x, &y, &game, error);
    for (int j = 0; !rc && j < anchors; j++) {
        out[2 * j] = y[j];
        out[2 * j + 1] = 0;
        for (int i = 0; i < e->agents; i++)
            out[2 * j + 1] += x[i] * e->anchors.mean[(size_t)i * anchors + j];
    }
    free(x);
    return rc;
}

/* ---- the cloud ----------------------------------------------------------------------------- */

static int compute_cardinality(const agon_evidence* e, const agon_metric_options* options,
                               double* out, agon_error* error) {
    const int n = e->payoffs.agents;
    int rc = agon__payoff_size(n, "cardinality", error);
    for (int per = 0; !rc && per < 2; per++) {
        rc = agon_gamescape_cardinality(e->payoffs.mean, n, n, per, &out[per]);
        if (rc)
            agon__payoff_fail(error, rc, "cardinality");
    }
    return rc;
}

/* Squared distance and bound of agent i's row from the others'. others: scratch (n - 1, n). */
static int put_response(const double* m, int n, int i, double* others, double* row) {
    const double* own = m + (size_t)i * n;
    double squared, bound = NAN;
    memcpy(others, m, (size_t)i * n * sizeof *others);
    memcpy(others + (size_t)i * n, own + n, (size_t)(n - 1 - i) * n * sizeof *others);
    int rc = agon_hull_distance(others, n - 1, n, own, &squared, NULL);
    if (!rc && n <= BOUND_MOST)
        rc = agon_gamescape_response_bound(others, n - 1, n, own, &bound);
    if (!rc) {
        row[0] = sqrt(squared);
        row[1] = squared;
        row[2] = bound;
    }
    return rc;
}

static int compute_response_diversity(const agon_evidence* e, const agon_metric_options* options,
                                      double* out, agon_error* error) {
    const int n = e->payoffs.agents;
    int rc = agon__payoff_size(n, "response_diversity", error);
    if (rc)
        return rc;
    double* others = malloc((size_t)n * n * sizeof *others);
    if (!others)
        return agon__payoff_fail(error, AGON_EMEMORY, "response_diversity");
    agon__payoff_blank(out, e->agents, 3);
    for (int i = 0; !rc && n > 1 && i < n; i++)
        rc = put_response(e->payoffs.mean, n, i, others, out + 3 * (size_t)e->payoffs.member[i]);
    free(others);
    return rc ? agon__payoff_fail(error, rc, "response_diversity") : 0;
}

/* ---- dynamics ------------------------------------------------------------------------------ */

static int put_alpha_ranks(const agon_evidence* e, agon_alpha_rank_model model, const char* metric,
                           double* out, agon_error* error) {
    const int n = e->payoffs.agents;
    const agon_alpha_rank_options finite = {.model = model, .alpha = 1, .size = 50};
    const agon_alpha_rank_options infinite = {.model = AGON_ALPHA_INFINITE, .eps = 0.01};
    int rc = agon__payoff_size(n, metric, error);
    if (rc)
        return rc;
    double* p = malloc(2 * (size_t)n * sizeof *p);
    rc = p ? agon_alpha_rank(e->payoffs.mean, n, &finite, p, NULL) : AGON_EMEMORY;
    if (!rc)
        rc = agon_alpha_rank(e->payoffs.mean, n, &infinite, p + n, NULL);
    if (rc)
        agon__payoff_fail(error, rc, metric);
    else
        agon__payoff_blank(out, e->agents, 2);
    for (int i = 0; !rc && i < n; i++) {
        out[2 * (size_t)e->payoffs.member[i]] = p[i];
        out[2 * (size_t)e->payoffs.member[i] + 1] = p[n + i];
    }
    free(p);
    return rc;
}

static int compute_alpha_rank(const agon_evidence* e, const agon_metric_options* options,
                              double* out, agon_error* error) {
    return put_alpha_ranks(e, AGON_ALPHA_CONSTANT_SUM, "alpha_rank", out, error);
}

static int compute_alpha_rank_general(const agon_evidence* e, const agon_metric_options* options,
                                      double* out, agon_error* error) {
    return put_alpha_ranks(e, AGON_ALPHA_GENERAL_SUM, "alpha_rank_general", out, error);
}

/* ---- the table ----------------------------------------------------------------------------- */

#define ALPHA_COLUMNS                                                                              \
    {                                                                                              \
        {"alpha_1", "1", 0, 1, "share of time at alpha 1, populations of 50"}, {                   \
            "infinite", "1", 0, 1, "share of time when the better one of two nearly always wins"   \
        }                                                                                          \
    }
#define ALPHA_SOURCE "Omidshafiei et al. 2019"

const agon_metric agon__catalogue_gamescape[] = {
    {.name = "nash_clusters",
     .title = "Nash clusters",
     .group = "payoff",
     .shape = AGON_PER_AGENT,
     .needs = AGON__ON_PAYOFFS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"level", "number", 0, INFINITY,
                 "0: in the support of the equilibrium; 1: of the rest; ..."},
                {"mass", "1", 0, 1, "share in the equilibrium of its level"},
                {"score", "pay-off", -1, 1, "mean pay-off against the population"}},
     .formula = "C_0 = supp(Nash of M), C_k = supp(Nash of M without C_0 .. C_k-1)",
     .source = "Czarnecki et al. 2020",
     .caveat = "Noise moves agents between levels, and splits equals into levels: see "
               "nash_membership. It says who is above whom, not by how much.",
     .compute = compute_nash_clusters},
    {.name = "layers",
     .title = "Layers of the population",
     .group = "payoff",
     .shape = AGON_PER_LEVEL,
     .needs = AGON__ON_PAYOFFS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"width", "agents", 1, INFINITY, "agents of the level: what is not transitive"},
                {"score", "pay-off", -1, 1, "their mean pay-off against the population"},
                {"lead", "pay-off", -1, 1,
                 "relative population performance against the next level"}},
     .formula = "|C_k|; mean_i in C_k mean_j M_ij; value of the game M[C_k, C_k+1]",
     .source = "Czarnecki et al. 2020",
     .caveat =
         "The spinning-top shape needs a sample of all strengths: of a population of the best "
         "only it shows no more than one level. Noise widens levels.",
     .compute = compute_layers,
     .levels = most_layers},
    {.name = "effectivity",
     .title = "Population effectivity",
     .group = "payoff",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANCHORS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"value", "pay-off", -1, 1,
                 "worst case of the best mixture of the population, over the fixed opponents"},
                {"best_agent", "pay-off", -1, 1, "worst case of the best single agent"},
                {"support", "agents", 1, INFINITY, "agents in the best mixture"},
                {"exp_entropy", "agents", 1, INFINITY, "effective number of agents in it"},
                {"opponents", "opponents", 1, INFINITY, "fixed opponents that matter to it"},
                {"residual", "pay-off", 0, INFINITY, "how exact the solution is"}},
     .formula = "max_x min_j (x'A)_j, A pay-offs of agents against fixed opponents",
     .source = "Liu et al. 2021; Yao et al. 2023 (population exploitability, its negative)",
     .caveat = "An upper bound unless the fixed opponents hold every strategy of the game: who is "
               "not among them cannot exploit. Noise in the worst columns raises it or lowers it.",
     .compute = compute_effectivity},
    {.name = "anchor_nash",
     .title = "Nash averaging against fixed opponents",
     .group = "payoff",
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_ANCHORS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"mass", "1", 0, 1, "share in the best mixture of the population"},
                {"skill", "pay-off", -1, 1, "pay-off against the hardest mixture of opponents"}},
     .formula = "(x, y): equilibrium of A with the most entropy; x_i and (A y)_i",
     .source = "Balduzzi, Tuyls, Perolat and Graepel 2018",
     .caveat = "Only opponents in the hardest mixture count: what an agent does to the others is "
               "not seen. Scores are taken as they are, not scaled for each opponent.",
     .compute = compute_anchor_nash},
    {.name = "anchor_weights",
     .title = "Weights of fixed opponents",
     .group = "payoff",
     .shape = AGON_PER_LEVEL,
     .needs = AGON_NEEDS_ANCHORS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"mass", "1", 0, 1, "share of the opponent in the hardest mixture"},
                {"score", "pay-off", -1, 1, "pay-off of the best mixture of agents against it"}},
     .formula = "(x, y): equilibrium of A with the most entropy; y_j and (x'A)_j, j in the order "
                "of the opponents",
     .source = "Balduzzi, Tuyls, Perolat and Graepel 2018",
     .caveat = "An opponent without mass is not easy: another one is as hard for every agent.",
     .compute = compute_anchor_weights,
     .levels = count_anchors},
    {.name = "cardinality",
     .title = "Expected cardinality",
     .group = "payoff",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_PAYOFFS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"cardinality", "agents", 0, INFINITY, "dimensions of the pay-offs, by energy"},
                {"per_opponent", "agents", 0, INFINITY,
                 "the same with pay-offs over the root of the number of opponents"}},
     .formula = "sum_k l_k / (1 + l_k), l eigenvalues of M M' (of M M' / n)",
     .source = "Perez-Nieves et al. 2021",
     .caveat = "A ladder scores like rock, paper, scissors, and a loser or a copy raises it. It "
               "moves with the scale of pay-offs and the number of opponents.",
     .compute = compute_cardinality},
    {.name = "response_diversity",
     .title = "Distance from the hull of the others' pay-offs",
     .group = "payoff",
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_PAYOFFS | AGON_NEEDS_PAIR,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"distance", "pay-off", 0, INFINITY,
                 "of the agent's row from every mixture of the others' rows"},
                {"squared", "pay-off^2", 0, INFINITY, "its square, as the literature has it"},
                {"bound", "pay-off^2", 0, INFINITY,
                 "closed-form lower bound of it; nan above 64 agents"}},
     .formula = "min_a |M_i - sum_k a_k M_k|, a a distribution over the others",
     .source = "Liu et al. 2021; Balduzzi et al. 2019",
     .caveat = "Noise takes every row out of the hull: copies are as far apart as the noise of a "
               "whole row is long. A loser is as far out as a winner.",
     .compute = compute_response_diversity},
    {.name = "alpha_rank",
     .title = "alpha-Rank",
     .group = "payoff",
     .shape = AGON_PER_AGENT,
     .needs = AGON__ON_PAYOFFS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = ALPHA_COLUMNS,
     .formula = "stationary distribution of C_sr = rho_sr / (n - 1), rho = (1 - e^-u) / (1 - "
                "e^-50u), u = 50/49 M_rs; infinite: rho = .99, .5, .01 by the sign of M_rs",
     .source = ALPHA_SOURCE,
     .caveat = "It ranks a dynamic of imitation, not play: it may prefer others than the Nash "
               "equilibrium does, and at infinite alpha a sign decides, however small the pay-off.",
     .compute = compute_alpha_rank},
    {.name = "alpha_rank_general",
     .title = "alpha-Rank in general sum",
     .group = "payoff",
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_PAYOFFS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = ALPHA_COLUMNS,
     .formula = "as alpha_rank, rho = 1 / (1 + sum_{l < 50} prod_{k <= l} exp(f_s(k) - f_r(k))), "
                "f the mean pay-off of r and s among k and 50 - k of them",
     .source = ALPHA_SOURCE,
     .caveat = "One population: every agent can take every seat. What agents win among their own "
               "kind enters, and is 0 where it was not measured.",
     .compute = compute_alpha_rank_general},
    {0},
};
