/* catalogue_generalization.c: does an agent understand, or has it crammed. */
#include "engine/metrics/catalogue_solved.h"
#include "engine/metrics/generalization.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BOOTSTRAPS 1000

static int refuse(agon_error* error, int code, const char* what) {
    return agon_fail(error, code, "%s", code == AGON_EMEMORY ? "out of memory" : what);
}

/* ---- symmetric questions ------------------------------------------------------------------- */

static int symmetries(const agon_evidence* e, agon_symmetry** each, agon_error* error) {
    const agon_behaviour b = agon_evidence_behaviour(e);
    *each = malloc((size_t)e->agents * sizeof **each);
    const int code =
        *each ? agon_generalization_symmetry(&b, e->answers.image, e->answers.images, *each)
              : AGON_EMEMORY;
    if (code == 0)
        return 0;
    free(*each);
    return refuse(error, code, "the answers, or those to images, are not distributions");
}

static int compute_symmetry(const agon_evidence* e, const agon_metric_options* options, double* out,
                            agon_error* error) {
    agon_symmetry* each;
    const int code = symmetries(e, &each, error);
    if (code)
        return code;
    memset(out, 0, 3 * sizeof *out);
    for (int i = 0; i < e->agents; i++) {
        out[0] += each[i].soft / e->agents;
        out[1] += each[i].greedy / e->agents;
        out[2] += each[i].ties / e->agents;
    }
    free(each);
    return 0;
}

static int compute_symmetry_agents(const agon_evidence* e, const agon_metric_options* options,
                                   double* out, agon_error* error) {
    agon_symmetry* each;
    const int code = symmetries(e, &each, error);
    if (code)
        return code;
    for (int i = 0; i < e->agents; i++)
        memcpy(out + 3 * i, (double[]){each[i].soft, each[i].greedy, each[i].ties},
               3 * sizeof *out);
    free(each);
    return 0;
}

/* ---- paired scores ------------------------------------------------------------------------- */

/* Mean of the numbers that are known, without the one at `skip` (-1: none); NaN: none is. */
static double mean_known(const double* x, int n, int skip) {
    double sum = 0;
    int known = 0;
    for (int k = 0; k < n; k++) {
        if (k == skip || isnan(x[k]))
            continue;
        sum += x[k];
        known++;
    }
    return known > 0 ? sum / known : NAN;
}

/* out: (agents), mean score against the other agents; NaN for agents outside the pay-offs. */
static void own_scores(const agon_evidence* e, double* out) {
    const agon_payoffs* p = &e->payoffs;
    for (int i = 0; i < e->agents; i++)
        out[i] = NAN;
    for (int i = 0; i < p->agents; i++)
        out[p->member ? p->member[i] : i] =
            mean_known(p->mean + (size_t)i * p->agents, p->agents, i);
}

/* out: (agents), mean score against fixed opponents. */
static void anchor_scores(const agon_evidence* e, double* out) {
    for (int i = 0; i < e->agents; i++)
        out[i] =
            mean_known(e->anchors.mean + (size_t)i * e->anchors.anchors, e->anchors.anchors, -1);
}

/* (2, agents) malloc'd: own and held-out scores; NULL: no memory. */
static double* both_scores(const agon_evidence* e) {
    double* score = malloc(2 * (size_t)e->agents * sizeof *score);
    if (score) {
        own_scores(e, score);
        anchor_scores(e, score + e->agents);
    }
    return score;
}

static int compute_generalization_gap(const agon_evidence* e, const agon_metric_options* options,
                                      double* out, agon_error* error) {
    double* score = both_scores(e);
    agon_comparison c;
    const int code = score ? agon_generalization_compare(score, score + e->agents, e->agents,
                                                         BOOTSTRAPS, options->key, &c)
                           : AGON_EMEMORY;
    free(score);
    if (code)
        return refuse(error, code, "a score is infinite");
    memcpy(out,
           (double[]){c.difference.mean, c.difference.low, c.difference.high, c.first, c.second,
                      c.agents},
           6 * sizeof *out);
    return 0;
}

static int compute_generalization_gap_agents(const agon_evidence* e,
                                             const agon_metric_options* options, double* out,
                                             agon_error* error) {
    double* score = both_scores(e);
    if (!score)
        return refuse(error, AGON_EMEMORY, "");
    for (int i = 0; i < e->agents; i++) {
        const double own = score[i], held = score[e->agents + i];
        memcpy(out + 3 * i, (double[]){own - held, own, held}, 3 * sizeof *out);
    }
    free(score);
    return 0;
}

/* The same opponents, and agents that can be paired; else says why not. */
static int check_baseline(const agon_evidence* e, const agon_evidence* base, agon_error* error) {
    if (base->anchors.anchors != e->anchors.anchors || base->agents != e->agents)
        return agon_fail(error, AGON_EINVALID,
                         "transfer: the baseline has %d agents against %d fixed opponents, the "
                         "population %d against %d; they are paired in order",
                         base->agents, base->anchors.anchors, e->agents, e->anchors.anchors);
    for (int k = 0; k < e->anchors.anchors; k++) {
        if (strcmp(base->anchors.label[k], e->anchors.label[k]) != 0)
            return agon_fail(error, AGON_EINVALID,
                             "transfer: fixed opponent %d is %s, in the baseline %s", k,
                             e->anchors.label[k], base->anchors.label[k]);
    }
    return 0;
}

static int compute_transfer(const agon_evidence* e, const agon_metric_options* options, double* out,
                            agon_error* error) {
    const int n = e->agents;
    agon_comparison c;
    int code = check_baseline(e, options->baseline, error);
    if (code)
        return code;
    double* score = malloc(2 * (size_t)n * sizeof *score);
    if (!score)
        return refuse(error, AGON_EMEMORY, "");
    anchor_scores(e, score);
    anchor_scores(options->baseline, score + n);
    for (int i = 0; i < 2 * n; i++)
        score[i] = 0.5 * (score[i] + 1);
    code = agon_generalization_compare(score, score + n, n, BOOTSTRAPS, options->key, &c);
    free(score);
    if (code)
        return refuse(error, code, "a score is infinite");
    memcpy(out,
           (double[]){c.difference.mean, c.difference.low, c.difference.high, c.ratio, c.first,
                      c.second},
           6 * sizeof *out);
    return 0;
}

/* ---- uneven skill -------------------------------------------------------------------------- */

/* (agents, strata) malloc'd mean errors; NULL with code 0: no state is judged. *weight: (strata)
 * malloc'd, what the judged states of each weigh. */
static int stratum_errors(const agon_evidence* e, double** errors, double** weight,
                          agon_error* error) {
    const agon_answers* a = &e->answers;
    agon_outcomes o;
    double* block;
    *errors = *weight = NULL;
    const int code = agon__failures_of(e, &block, &o, error);
    if (code || !block)
        return code;
    *errors = malloc((size_t)e->agents * a->strata * sizeof **errors);
    *weight = calloc((size_t)a->strata, sizeof **weight);
    if (*errors && *weight) {
        agon_generalization_strata(o.failure, o.weight, a->stratum, e->agents, a->states, a->strata,
                                   *errors);
        for (int s = 0; s < a->states; s++)
            (*weight)[a->stratum[s]] += o.weight[s];
        free(block);
        return 0;
    }
    free(*errors);
    free(*weight);
    free(block);
    return refuse(error, AGON_EMEMORY, "");
}

static int compute_jaggedness_agents(const agon_evidence* e, const agon_metric_options* options,
                                     double* out, agon_error* error) {
    double *errors, *weight;
    int code = stratum_errors(e, &errors, &weight, error);
    if (code)
        return code;
    for (int i = 0; i < e->agents && code == 0; i++) {
        agon_jaggedness j = {NAN, NAN};
        if (errors)
            code = agon_generalization_jaggedness(errors + (size_t)i * e->answers.strata,
                                                  e->answers.strata, &j);
        out[2 * i] = j.gini;
        out[2 * i + 1] = j.worst;
    }
    free(errors);
    free(weight);
    return code ? refuse(error, code, "an error rate is not in [0, 1]") : 0;
}

static int compute_jaggedness(const agon_evidence* e, const agon_metric_options* options,
                              double* out, agon_error* error) {
    double *errors, *weight;
    int code = stratum_errors(e, &errors, &weight, error);
    if (code)
        return code;
    agon_jaggedness j = {NAN, NAN};
    if (errors) { /* the first row becomes the mean agent */
        for (int k = 0; k < e->answers.strata; k++) {
            for (int i = 1; i < e->agents; i++)
                errors[k] += errors[(size_t)i * e->answers.strata + k];
            errors[k] /= e->agents;
        }
        code = agon_generalization_jaggedness(errors, e->answers.strata, &j);
    }
    free(errors);
    free(weight);
    if (code)
        return refuse(error, code, "an error rate is not in [0, 1]");
    out[0] = j.gini;
    out[1] = j.worst;
    return 0;
}

static int compute_jaggedness_opponents(const agon_evidence* e, const agon_metric_options* options,
                                        double* out, agon_error* error) {
    const int n = e->anchors.anchors;
    double* miss = malloc((size_t)n * sizeof *miss);
    int code = miss ? 0 : AGON_EMEMORY;
    for (int i = 0; i < e->agents && code == 0; i++) {
        agon_jaggedness j = {NAN, NAN};
        for (int k = 0; k < n; k++)
            miss[k] = 0.5 * (1 - e->anchors.mean[(size_t)i * n + k]);
        code = agon_generalization_jaggedness(miss, n, &j);
        out[2 * i] = j.gini;
        out[2 * i + 1] = j.worst;
    }
    free(miss);
    return code ? refuse(error, code, "a score against a fixed opponent is not in [-1, 1]") : 0;
}

static int strata_levels(const agon_evidence* e) {
    return e->answers.strata;
}

static int compute_strata(const agon_evidence* e, const agon_metric_options* options, double* out,
                          agon_error* error) {
    const int strata = e->answers.strata;
    double *errors, *weight;
    const int code = stratum_errors(e, &errors, &weight, error);
    if (code)
        return code;
    for (int k = 0; k < strata; k++) {
        double mean = 0, low = INFINITY, high = -INFINITY;
        for (int i = 0; i < e->agents && errors; i++) {
            const double x = errors[(size_t)i * strata + k];
            mean += x / e->agents;
            low = x < low ? x : low;
            high = x > high ? x : high;
        }
        const bool some = errors && weight[k] > 0;
        memcpy(out + 5 * k,
               (double[]){k, weight ? weight[k] : 0, some ? mean : NAN, some ? low : NAN,
                          some ? high : NAN},
               5 * sizeof *out);
    }
    free(errors);
    free(weight);
    return 0;
}

/* ---- learning curves ----------------------------------------------------------------------- */

static int compute_sample_efficiency(const agon_evidence* e, const agon_metric_options* options,
                                     double* out, agon_error* error) {
    static const double bars[5] = {.5, .6, .7, .8, .9};
    const agon_history* h = &e->history;
    double* mean = malloc((size_t)h->points * sizeof *mean);
    if (!mean)
        return refuse(error, AGON_EMEMORY, "");
    for (int k = 0; k < h->points; k++)
        mean[k] = mean_known(h->strength + (size_t)k * e->agents, e->agents, -1);
    double reached[5], area;
    const int code =
        agon_generalization_learning(h->steps, mean, h->points, bars, 5, reached, &area);
    const double last = mean[h->points - 1];
    free(mean);
    if (code)
        return refuse(error, code, "a strength is not known, or steps do not rise");
    out[0] = area;
    memcpy(out + 1, reached, sizeof reached);
    out[6] = last;
    return 0;
}

/* ---- the table ----------------------------------------------------------------------------- */

const agon_metric agon__catalogue_generalization[] = {
    {.name = "symmetry",
     .title = "Symmetry consistency",
     .group = "generalization",
     .headline = true,
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS | AGON_NEEDS_IMAGES,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"soft", "1", 0, 1,
                 "divergence of the answers to a question and to its mirror image; 0 = the same "
                 "however asked"},
                {"greedy", "1", 0, 1, "share of images with other first choices"},
                {"ties", "1", 0, 1, "share of images with tied first choices"}},
     .formula = "mean over states, images and agents of JSD(p(s), g^-1 p(g s)) / ln 2",
     .source = "agon; Jensen-Shannon divergence: Lin 1991",
     .caveat = "The uniform policy is perfectly consistent: it says nothing of whether the answers "
               "are good.",
     .compute = compute_symmetry},
    {.name = "symmetry_agents",
     .title = "Symmetry consistency of each agent",
     .group = "generalization",
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_ANSWERS | AGON_NEEDS_IMAGES,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"soft", "1", 0, 1, "divergence of the answers to a question and to its image"},
                {"greedy", "1", 0, 1, "share of images with other first choices"},
                {"ties", "1", 0, 1, "share of images with tied first choices"}},
     .formula = "as symmetry, of one agent",
     .source = "agon; Jensen-Shannon divergence: Lin 1991",
     .caveat = "The uniform policy is perfectly consistent.",
     .compute = compute_symmetry_agents},
    {.name = "generalization_gap",
     .title = "Gap to held-out opponents",
     .group = "generalization",
     .headline = true,
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_PAYOFFS | AGON_NEEDS_ANCHORS | AGON_NEEDS_PAIR,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"gap", "pay-off", -2, 2, "score against the own pool minus against strangers"},
                {"low", "pay-off", -2, 2, "of a 95 % interval: bootstrap over agents"},
                {"high", "pay-off", -2, 2, "the same"},
                {"own", "pay-off", -1, 1, "mean score against the other agents"},
                {"held_out", "pay-off", -1, 1, "mean score against fixed opponents"},
                {"agents", "agents", 0, INFINITY, "that have both"}},
     .formula = "mean over agents of (mean of its row of pay-offs - mean of its anchor scores)",
     .source = "agon",
     .caveat =
         "Fixed opponents that are weaker or stronger than the pool make a gap by themselves: "
         "compare two populations on the same opponents.",
     .compute = compute_generalization_gap},
    {.name = "generalization_gap_agents",
     .title = "Gap to held-out opponents of each agent",
     .group = "generalization",
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_PAYOFFS | AGON_NEEDS_ANCHORS | AGON_NEEDS_PAIR,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"gap", "pay-off", -2, 2, "own - held_out"},
                {"own", "pay-off", -1, 1, "mean score against the other agents"},
                {"held_out", "pay-off", -1, 1, "mean score against fixed opponents"}},
     .formula = "as generalization_gap, of one agent",
     .source = "agon",
     .caveat =
         "Opponents are not matched in strength, so a single gap says little; compare agents.",
     .compute = compute_generalization_gap_agents},
    {.name = "jaggedness",
     .title = "Jaggedness over kinds of states",
     .group = "generalization",
     .shape = AGON_ONE,
     .needs = AGON__ON_SOLVED,
     .sharpness = AGON_SHARPNESS_STILL,
     .column = {{"gini", "1", 0, 1, "Gini coefficient of the error rates of strata, mean agent"},
                {"worst", "1", 0, 1,
                 "1 - accuracy on the worst tenth of strata / mean accuracy, mean agent"}},
     .formula = "gini = sum_kl |e_k - e_l| / (2 K sum_k e_k)",
     .source = "agon; Gini 1912",
     .caveat =
         "Few errors, or few states in a stratum, make skill look uneven by noise; strata that "
         "are harder make it uneven for everybody.",
     .compute = compute_jaggedness},
    {.name = "jaggedness_agents",
     .title = "Jaggedness of each agent",
     .group = "generalization",
     .shape = AGON_PER_AGENT,
     .needs = AGON__ON_SOLVED,
     .sharpness = AGON_SHARPNESS_STILL,
     .column = {{"gini", "1", 0, 1, "Gini coefficient of the error rates of strata"},
                {"worst", "1", 0, 1, "1 - accuracy on the worst tenth of strata / mean accuracy"}},
     .formula = "as jaggedness, of one agent",
     .source = "agon; Gini 1912",
     .caveat = "Few errors, or few states in a stratum, make skill look uneven by noise.",
     .compute = compute_jaggedness_agents},
    {.name = "jaggedness_opponents",
     .title = "Jaggedness over opponents",
     .group = "generalization",
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_ANCHORS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"gini", "1", 0, 1, "Gini coefficient of points lost to fixed opponents"},
                {"worst", "1", 0, 1,
                 "1 - score against the worst tenth of opponents / mean score, in points"}},
     .formula = "as jaggedness, with points lost (1 - pay-off) / 2 as the error of an opponent",
     .source = "agon; Gini 1912",
     .caveat = "Opponents of unequal strength make everybody jagged: compare agents, not with 0.",
     .compute = compute_jaggedness_opponents},
    {.name = "strata",
     .title = "Errors by kind of state",
     .group = "generalization",
     .shape = AGON_PER_LEVEL,
     .needs = AGON__ON_SOLVED,
     .sharpness = AGON_SHARPNESS_STILL,
     .column = {{"stratum", "1", 0, INFINITY, "number of the stratum"},
                {"weight", "1", 0, 1, "share of the judged states"},
                {"error", "1", 0, 1, "mean error rate of greedy actions"},
                {"best", "1", 0, 1, "error rate of the best agent"},
                {"worst", "1", 0, 1, "error rate of the worst agent"}},
     .formula = "mean over agents and judged states of a stratum of P(greedy action errs)",
     .source = "agon",
     .caveat = "Kinds of states differ in how many actions err: a higher rate need not be less "
               "skill.",
     .compute = compute_strata,
     .levels = strata_levels},
    {.name = "transfer",
     .title = "Transfer to a variant",
     .group = "generalization",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANCHORS | AGON_NEEDS_BASELINE,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"difference", "points", -1, 1, "points per game here minus in the baseline"},
                {"low", "points", -1, 1, "of a 95 % interval: bootstrap over agents"},
                {"high", "points", -1, 1, "the same"},
                {"ratio", "1", 0, INFINITY, "points here / in the baseline"},
                {"here", "points", 0, 1, "(1 + mean pay-off against fixed opponents) / 2"},
                {"baseline", "points", 0, 1, "the same of the baseline"}},
     .formula = "paired differences of mean anchor scores, agents in order",
     .source = "agon",
     .caveat = "The fixed opponents must mean the same in both: the variant may be harder for them "
               "or for the agents.",
     .compute = compute_transfer},
    {.name = "sample_efficiency",
     .title = "Sample efficiency",
     .group = "generalization",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_HISTORY,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"area", "1", 0, 1, "mean strength over log10(steps), mean agent"},
                {"steps_50", "steps", 0, INFINITY, "steps to strength .5; NaN: never"},
                {"steps_60", "steps", 0, INFINITY, "to .6"},
                {"steps_70", "steps", 0, INFINITY, "to .7"},
                {"steps_80", "steps", 0, INFINITY, "to .8"},
                {"steps_90", "steps", 0, INFINITY, "to .9"},
                {"last", "1", 0, 1, "strength at the last point"}},
     .formula =
         "first crossing, linear in log10(steps) between points; area by trapezoids, divided "
         "by the width",
     .source = "agon",
     .caveat = "A noisy curve touches a bar too early, and the area depends on where the curve "
               "begins and ends: compare over the same steps.",
     .compute = compute_sample_efficiency},
    {0},
};
