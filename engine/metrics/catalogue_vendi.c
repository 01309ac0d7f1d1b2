/* catalogue_vendi.c: effective numbers of agents, and how alike a population became. */
#include "engine/metrics/metric.h"

#include "agents/real.h"
#include "engine/metrics/vendi.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ORDERS      3
#define MOST_PAIRED 2000 /* agents of which all pairs are compared */
#define SUBSETS     64   /* of a rarefied score */
#define SUBSET      8    /* agents, where nobody said how many */

static const double order[ORDERS] = {1, 2, INFINITY};

static int fail(agon_error* error, int rc, const char* metric) {
    return agon_fail(error, rc, "%s: %s", metric,
                     rc == AGON_EINVALID ? "the answers are not distributions"
                                         : agon_error_text(rc));
}

/* ---- Vendi scores -------------------------------------------------------------------------- */

/* out: (ORDERS) */
static int vendi(const agon_behaviour* b, agon_kernel kind, double* out, double* negative) {
    double* values = malloc((size_t)b->agents * sizeof *values);
    if (!values)
        return AGON_EMEMORY;
    const int rc = agon_vendi_behaviour(b, kind, NULL, values);
    for (int q = 0; q < ORDERS && !rc; q++)
        out[q] = agon_vendi_order(values, b->agents, order[q]);
    if (!rc && negative)
        *negative = agon_vendi_negative(values, b->agents);
    free(values);
    return rc;
}

static int compute_vendi(const agon_evidence* e, const agon_metric_options* options, double* out,
                         agon_error* error) {
    const agon_behaviour b = agon_evidence_behaviour(e);
    const int rc = vendi(&b, AGON_KERNEL_BC, out, NULL);
    if (rc)
        return fail(error, rc, "vendi");
    out[3] = agon_log(out[0]);
    return 0;
}

/* *owned: to be freed. */
static int rescaled(const agon_behaviour* b, double entropy, agon_behaviour* to, float** owned,
                    agon_rescaling* about) {
    *owned = malloc((size_t)b->agents * b->states * b->actions * sizeof **owned);
    if (!*owned)
        return AGON_EMEMORY;
    *to = *b;
    to->probability = *owned;
    return agon_behaviour_rescale(b, entropy, *owned, NULL, about);
}

static int compute_rescaled(const agon_evidence* e, const agon_metric_options* options, double* out,
                            agon_error* error) {
    const agon_behaviour b = agon_evidence_behaviour(e);
    agon_behaviour same;
    agon_rescaling about;
    float* owned;
    int rc = rescaled(&b, options->entropy, &same, &owned, &about);
    if (!rc)
        rc = vendi(&same, AGON_KERNEL_BC, out, NULL);
    free(owned);
    if (rc)
        return fail(error, rc, "vendi_rescaled");
    out[3] = agon_log(out[0]);
    out[4] = about.entropy;
    out[5] = about.kept;
    return 0;
}

static int compute_vendi_greedy(const agon_evidence* e, const agon_metric_options* options,
                                double* out, agon_error* error) {
    const agon_behaviour b = agon_evidence_behaviour(e);
    double disagreement;
    int rc = vendi(&b, AGON_KERNEL_AG, out, NULL);
    if (!rc)
        rc = agon_diversity_greedy(&b, &disagreement, &out[4]);
    if (rc)
        return fail(error, rc, "vendi_greedy");
    out[3] = agon_log(out[0]);
    return 0;
}

static int compute_vendi_kernels(const agon_evidence* e, const agon_metric_options* options,
                                 double* out, agon_error* error) {
    const agon_behaviour b = agon_evidence_behaviour(e);
    double js[ORDERS], tv[ORDERS], negative[2];
    if (b.agents > MOST_PAIRED)
        return agon_fail(error, AGON_ELIMIT,
                         "vendi_kernels: compares all pairs: at most %d agents, not %d",
                         MOST_PAIRED, b.agents);
    int rc = vendi(&b, AGON_KERNEL_JS, js, &negative[0]);
    if (!rc)
        rc = vendi(&b, AGON_KERNEL_TV, tv, &negative[1]);
    if (rc)
        return fail(error, rc, "vendi_kernels");
    out[0] = js[0];
    out[1] = js[1];
    out[2] = tv[0];
    out[3] = tv[1];
    out[4] = fmax(negative[0], negative[1]);
    return 0;
}

static int compute_rarefied(const agon_evidence* e, const agon_metric_options* options, double* out,
                            agon_error* error) {
    const agon_behaviour b = agon_evidence_behaviour(e);
    const int wanted = options->subset > 0 ? options->subset : SUBSET,
              subset = wanted < b.agents ? wanted : b.agents;
    double mean[ORDERS], wrong[ORDERS];
    if (options->subset > b.agents)
        return agon_fail(error, AGON_EINVALID, "rarefied: a subset of %d out of %d agents",
                         options->subset, b.agents);
    const int rc = agon_vendi_rarefied(&b, AGON_KERNEL_BC, subset, SUBSETS, options->key, order,
                                       ORDERS, mean, wrong);
    if (rc)
        return fail(error, rc, "rarefied");
    memcpy(out, mean, sizeof mean);
    out[3] = wrong[0];
    out[4] = subset;
    return 0;
}

/* ---- homogenization ------------------------------------------------------------------------ */

static double index_of(double measured, double baseline) {
    return baseline > 0 ? 1 - measured / baseline : NAN;
}

/* Of both populations with `subset` agents each. */
static int index_of_vendi(const agon_behaviour* measured, const agon_behaviour* baseline,
                          agon_kernel kind, int subset, agon_key key, double* out) {
    double a, b;
    int rc = agon_vendi_rarefied(measured, kind, subset, SUBSETS, key, order, 1, &a, NULL);
    if (!rc)
        rc = agon_vendi_rarefied(baseline, kind, subset, SUBSETS, key, order, 1, &b, NULL);
    if (!rc)
        *out = index_of(a, b);
    return rc;
}

static int index_of_distance(const agon_behaviour* measured, const agon_behaviour* baseline,
                             double* out) {
    double a, b;
    int rc = agon_diversity_total_variation(measured, &a);
    if (!rc)
        rc = agon_diversity_total_variation(baseline, &b);
    if (!rc)
        *out = index_of(a, b);
    return rc;
}

/* Both at one mean entropy: the given one, else the baseline's own. */
static int index_of_rescaled(const agon_behaviour* measured, const agon_behaviour* baseline,
                             double entropy, int subset, agon_key key, double* out) {
    agon_behaviour a, b;
    agon_rescaling about;
    float *owned_a = NULL, *owned_b = NULL;
    int rc = rescaled(baseline, entropy, &b, &owned_b, &about);
    if (!rc)
        rc = rescaled(measured, about.entropy, &a, &owned_a, &about);
    if (!rc)
        rc = index_of_vendi(&a, &b, AGON_KERNEL_BC, subset, key, out);
    free(owned_a);
    free(owned_b);
    return rc;
}

static int check_baseline(const agon_evidence* e, const agon_evidence* baseline,
                          agon_error* error) {
    const agon_answers *a = &e->answers, *b = &baseline->answers;
    if (b->states == 0)
        return agon_fail(error, AGON_EINVALID, "homogenization: the baseline gave no answers");
    if (a->states != b->states || a->actions != b->actions || strcmp(a->hash, b->hash) != 0)
        return agon_fail(error, AGON_EINVALID,
                         "homogenization: the baseline was asked other questions");
    return 0;
}

static int compute_homogenization(const agon_evidence* e, const agon_metric_options* options,
                                  double* out, agon_error* error) {
    int rc = check_baseline(e, options->baseline, error);
    if (rc)
        return rc;
    const agon_behaviour a = agon_evidence_behaviour(e),
                         b = agon_evidence_behaviour(options->baseline);
    const int subset = a.agents < b.agents ? a.agents : b.agents;
    rc = index_of_vendi(&a, &b, AGON_KERNEL_BC, subset, options->key, &out[0]);
    if (!rc)
        rc = index_of_rescaled(&a, &b, options->entropy, subset, options->key, &out[1]);
    if (!rc)
        rc = index_of_vendi(&a, &b, AGON_KERNEL_AG, subset, options->key, &out[2]);
    if (!rc)
        rc = index_of_distance(&a, &b, &out[3]);
    out[4] = subset;
    return rc ? fail(error, rc, "homogenization") : 0;
}

/* ---- the rows ------------------------------------------------------------------------------ */

#define VENDI_COLUMNS                                                                              \
    {"order_1", "agents", 1, INFINITY, "effective number of different agents"},                    \
        {"order_2", "agents", 1, INFINITY, "the same, rare behaviour counted less"}, {             \
        "order_inf", "agents", 1, INFINITY, "the same, only the commonest behaviour counted"       \
    }

#define LOG_COLUMN                                                                                 \
    { "ln_order_1", "nats", 0, INFINITY, "logarithm of order_1, for comparisons" }

#define VENDI_SOURCE "Friedman and Dieng 2022; Pasarkar and Dieng 2023"

const agon_metric agon__catalogue_vendi[] = {
    {.name = "vendi",
     .title = "Vendi score",
     .group = "behaviour",
     .headline = true,
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {VENDI_COLUMNS, LOG_COLUMN},
     .formula = "K_ij = sum_s w_s sum_a sqrt(p_i p_j); l: eigenvalues of K / n; "
                "exp(-sum l ln l), 1 / sum l^2, 1 / max l",
     .source = VENDI_SOURCE,
     .caveat = "Rises when policies are sharpened without a change of preference: read it beside "
               "vendi_rescaled and vendi_greedy. Grows with the number of agents: compare at equal "
               "n only. Weak and random agents score high.",
     .compute = compute_vendi},
    {.name = "vendi_rescaled",
     .title = "Vendi score at equal entropy",
     .group = "behaviour",
     .headline = true,
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS,
     .sharpness = AGON_SHARPNESS_STILL,
     .column = {VENDI_COLUMNS,
                LOG_COLUMN,
                {"entropy", "nats", 0, INFINITY, "mean entropy that every agent was rescaled to"},
                {"kept", "agents", 0, INFINITY,
                 "agents that no temperature brings there, left as they are"}},
     .formula =
         "vendi of p_i^(1/T_i) / sum, T_i such that sum_s w_s H(p_is) is the entropy asked for",
     .source = VENDI_SOURCE,
     .caveat = "Does not move with sharpness only at a given entropy: without one the population's "
               "own mean is taken, which sharpening moves. Compare at one entropy, and only where "
               "`kept` is 0: certain agents cannot be rescaled.",
     .compute = compute_rescaled},
    {.name = "vendi_greedy",
     .title = "Vendi score of first choices",
     .group = "behaviour",
     .headline = true,
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS,
     .sharpness = AGON_SHARPNESS_STILL,
     .column = {VENDI_COLUMNS,
                LOG_COLUMN,
                {"ties", "1", 0, 1, "share of (agent, state) with several first choices"}},
     .formula = "vendi with K_ij = sum_s w_s [argmax p_is = argmax p_js], lowest index on ties",
     .source = VENDI_SOURCE,
     .caveat = "Blind to everything but the first choice: agents that mix two actions alike but "
               "for a hair count as different. With many ties agreement is an accident of "
               "numbering.",
     .compute = compute_vendi_greedy},
    {.name = "homogenization",
     .title = "Homogenization index",
     .group = "behaviour",
     .headline = true,
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS | AGON_NEEDS_BASELINE,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"vendi", "1", -INFINITY, 1, "1 - order_1 / order_1 of the baseline"},
                {"vendi_rescaled", "1", -INFINITY, 1,
                 "the same, both at one mean entropy (not given: the baseline's)"},
                {"vendi_greedy", "1", -INFINITY, 1, "the same of first choices"},
                {"distance", "1", -INFINITY, 1,
                 "1 - mean total variation / that of the baseline; NaN: the baseline has none"},
                {"subset", "agents", 1, INFINITY,
                 "agents compared; the larger population is "
                 "rarefied"}},
     .formula = "1 - D(population) / D(baseline): 1 all alike, 0 as diverse as the baseline, below "
                "0 more diverse",
     .source = "after Jiang et al. 2025",
     .caveat = "Says nothing without its baseline: independent agents of equal strength, asked the "
               "same questions. A Vendi score is 1 when all are alike, so `vendi` reaches 1 - 1 / "
               "baseline at most. If raw, rescaled and greedy disagree in sign, entropy decides, "
               "not diversity.",
     .compute = compute_homogenization},
    {.name = "vendi_kernels",
     .title = "Vendi score by other kernels",
     .group = "behaviour",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"js_1", "agents", 1, INFINITY, "K = 1 - JSD / ln 2, order 1"},
                {"js_2", "agents", 1, INFINITY, "order 2"},
                {"tv_1", "agents", 1, INFINITY, "K = 1 - total variation, order 1"},
                {"tv_2", "agents", 1, INFINITY, "order 2"},
                {"negative", "1", 0, .5,
                 "share of negative eigenvalues: above 1e-8 the scores "
                 "mean nothing"}},
     .formula = "as vendi, with another similarity",
     .source = VENDI_SOURCE ", Hein and Bousquet 2005",
     .caveat = "No better than vendi: shows how much the number depends on the kernel. At most "
               "2,000 agents.",
     .compute = compute_vendi_kernels},
    {.name = "rarefied",
     .title = "Vendi score of a subset",
     .group = "behaviour",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {VENDI_COLUMNS,
                {"error", "agents", 0, INFINITY, "standard error of order_1 over the subsets"},
                {"subset", "agents", 1, INFINITY, "agents of each subset; 8 unless said"}},
     .formula = "mean of vendi over 64 random subsets of equal size",
     .source = VENDI_SOURCE,
     .caveat = "Makes populations of unequal size comparable, at the price of not seeing what only "
               "few agents do. `error` is about the choice of subsets, not about runs.",
     .compute = compute_rarefied},
    {0},
};
