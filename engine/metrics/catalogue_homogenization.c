/* catalogue_homogenization.c: the metrics that look at who fails where, and at who repeats whom. */
#include "engine/metrics/catalogue_solved.h"
#include "engine/metrics/intra_inter.h"
#include "engine/metrics/kuncheva.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void fill_nan(double* out, int n) {
    for (int k = 0; k < n; k++)
        out[k] = NAN;
}

/* ---- failures ------------------------------------------------------------------------------ */

/* observed and baseline, (2, agents + 1) malloc'd; NULL when no state is judged. */
static int profile_of(const agon_evidence* e, double** profile, agon_error* error) {
    agon_outcomes o;
    double* block;
    *profile = NULL;
    int code = agon__failures_of(e, &block, &o, error);
    if (code || !block)
        return code;
    const size_t levels = (size_t)e->agents + 1;
    *profile = malloc(2 * levels * sizeof **profile);
    code = *profile ? agon_outcomes_profile(&o, *profile, *profile + levels) : AGON_EMEMORY;
    free(block);
    if (code == 0)
        return 0;
    free(*profile);
    *profile = NULL;
    return agon__solved_refuse(error, code);
}

static int compute_outcome_homogenization(const agon_evidence* e,
                                          const agon_metric_options* options, double* out,
                                          agon_error* error) {
    agon_outcomes o;
    agon_homogenization h;
    double* block;
    int code = agon__failures_of(e, &block, &o, error);
    if (code)
        return code;
    fill_nan(out, 5);
    if (!block)
        return 0;
    code = agon_outcomes_homogenization(&o, &h);
    free(block);
    if (code)
        return agon__solved_refuse(error, code);
    memcpy(out, (double[]){h.ratio, h.pairs, h.rate, h.systemic, h.expected}, 5 * sizeof *out);
    return 0;
}

static int ecosystem_levels(const agon_evidence* e) {
    return e->agents + 1;
}

static int compute_ecosystem(const agon_evidence* e, const agon_metric_options* options,
                             double* out, agon_error* error) {
    double* profile;
    const int code = profile_of(e, &profile, error);
    const int levels = e->agents + 1;
    if (code)
        return code;
    fill_nan(out, 3 * levels);
    for (int k = 0; k < levels && profile; k++) {
        out[3 * k] = k;
        out[3 * k + 1] = profile[k];
        out[3 * k + 2] = profile[levels + k];
    }
    free(profile);
    return 0;
}

static int compute_ecosystem_excess(const agon_evidence* e, const agon_metric_options* options,
                                    double* out, agon_error* error) {
    double* profile;
    const int code = profile_of(e, &profile, error);
    if (code)
        return code;
    fill_nan(out, 3);
    if (profile) {
        const agon_profile_excess x =
            agon_outcomes_excess(profile, profile + e->agents + 1, e->agents);
        out[0] = x.none;
        out[1] = x.all;
        out[2] = x.distance;
    }
    free(profile);
    return 0;
}

static int compute_kuncheva(const agon_evidence* e, const agon_metric_options* options, double* out,
                            agon_error* error) {
    double* profile;
    const int code = profile_of(e, &profile, error);
    if (code)
        return code;
    fill_nan(out, 8);
    if (profile) {
        const agon_kuncheva k = agon_kuncheva_ensemble(profile, e->agents);
        memcpy(out,
               (double[]){k.entropy, k.variance, k.disagreement, k.double_fault, k.difficulty,
                          k.generalized, k.coincident, k.kappa},
               8 * sizeof *out);
    }
    free(profile);
    return 0;
}

static int compute_kuncheva_pairs(const agon_evidence* e, const agon_metric_options* options,
                                  double* out, agon_error* error) {
    agon_outcomes o;
    double* block;
    const int pairs = e->agents * e->agents;
    int code = agon__failures_of(e, &block, &o, error);
    if (code)
        return code;
    fill_nan(out, 5 * pairs);
    if (!block)
        return 0;
    agon_kuncheva_pair* each = malloc((size_t)pairs * sizeof *each);
    code = each ? agon_kuncheva_pairs(&o, each) : AGON_EMEMORY;
    for (int k = 0; k < pairs && code == 0; k++) {
        const agon_kuncheva_pair p = each[k];
        memcpy(out + 5 * k, (double[]){p.q, p.rho, p.disagreement, p.double_fault, p.kappa},
               5 * sizeof *out);
    }
    free(each);
    free(block);
    return code ? agon__solved_refuse(error, code) : 0;
}

/* ---- within and between -------------------------------------------------------------------- */

static int give_intra_inter(int code, agon_intra_inter x, double* out, agon_error* error) {
    if (code)
        return agon__solved_refuse(error, code);
    memcpy(out, (double[]){x.intra, x.inter, x.ratio, x.high}, 4 * sizeof *out);
    return 0;
}

static int compute_intra_inter_answers(const agon_evidence* e, const agon_metric_options* options,
                                       double* out, agon_error* error) {
    const agon_answers* a = &e->answers;
    agon_intra_inter x = {NAN, NAN, NAN, NAN};
    const int code =
        agon_intra_inter_answers(a->count, a->weight, e->agents, a->states, a->actions, &x);
    return give_intra_inter(code, x, out, error);
}

static int compute_intra_inter_visits(const agon_evidence* e, const agon_metric_options* options,
                                      double* out, agon_error* error) {
    agon_intra_inter x = {NAN, NAN, NAN, NAN};
    const int code = agon_intra_inter_visits(e->visits.count, e->agents, e->visits.features, &x);
    return give_intra_inter(code, x, out, error);
}

/* ---- the table ----------------------------------------------------------------------------- */

#define OF_PAIRS (AGON__ON_SOLVED | AGON_NEEDS_PAIR)

const agon_metric agon__catalogue_homogenization[] = {
    {.name = "outcome_homogenization",
     .title = "Outcome homogenization",
     .group = "errors",
     .headline = true,
     .shape = AGON_ONE,
     .needs = OF_PAIRS,
     .sharpness = AGON_SHARPNESS_STILL,
     .column = {{"ratio", "1", 0, INFINITY,
                 "P(all agents err at a state) over what independent errors would give; 1 = "
                 "independent"},
                {"pairs", "1", 0, INFINITY, "the same for two random agents"},
                {"rate", "nats", -INFINITY, INFINITY, "ln ratio / (agents - 1)"},
                {"systemic", "1", 0, 1, "share of states at which all err"},
                {"expected", "1", 0, 1, "product of the error rates"}},
     .formula = "P_s(all err) / prod_i P_s(i errs); pairs: mean P_s(both err) / mean product",
     .source = "Bommasani, Creel, Kumar, Jurafsky and Liang 2022",
     .caveat = "States that are hard for everybody raise it without any agent being like another, "
               "it grows as agents get better, and the ratio over all explodes with their number.",
     .compute = compute_outcome_homogenization},
    {.name = "ecosystem",
     .title = "Ecosystem profile",
     .group = "errors",
     .shape = AGON_PER_LEVEL,
     .needs = OF_PAIRS,
     .sharpness = AGON_SHARPNESS_STILL,
     .column = {{"failures", "agents", 0, INFINITY, "agents that err at a state"},
                {"observed", "1", 0, 1, "share of states at which so many do"},
                {"baseline", "1", 0, 1, "the same if they erred independently (Poisson-binomial)"}},
     .formula = "distribution over states of the number of agents whose greedy action errs",
     .source = "Toups, Bommasani, Creel, Bana, Jurafsky and Liang 2023",
     .caveat = "Mass in excess at both ends also comes from states that are easy or hard for all.",
     .compute = compute_ecosystem,
     .levels = ecosystem_levels},
    {.name = "ecosystem_excess",
     .title = "Homogeneous outcomes",
     .group = "errors",
     .shape = AGON_ONE,
     .needs = OF_PAIRS,
     .sharpness = AGON_SHARPNESS_STILL,
     .column = {{"none", "1", -1, 1, "states at which nobody errs, in excess of independence"},
                {"all", "1", -1, 1, "states at which all err, in excess of independence"},
                {"distance", "1", 0, 1, "total variation between profile and baseline"}},
     .formula = "observed - baseline of the ecosystem profile",
     .source = "Toups, Bommasani, Creel, Bana, Jurafsky and Liang 2023",
     .caveat = "Depends on the number of agents: compare at equal numbers only.",
     .compute = compute_ecosystem_excess},
    {.name = "kuncheva",
     .title = "Diversity of an ensemble",
     .group = "errors",
     .shape = AGON_ONE,
     .needs = OF_PAIRS,
     .sharpness = AGON_SHARPNESS_STILL,
     .column = {{"entropy", "1", 0, 1, "E: how evenly agents split into right and wrong"},
                {"variance", "1", 0, .25, "KW, Kohavi and Wolpert's variance"},
                {"disagreement", "1", 0, 1, "P(exactly one of two agents errs)"},
                {"double_fault", "1", 0, 1, "P(both of two agents err)"},
                {"difficulty", "1", 0, .25, "theta: variance over states of the share right"},
                {"generalized", "1", 0, 1, "GD: 1 - P(two err) / P(one errs)"},
                {"coincident", "1", 0, 1, "CFD: 0 when errors are always shared by all"},
                {"kappa", "1", -INFINITY, 1, "Fleiss' agreement on right and wrong"}},
     .formula = "functions of the ecosystem profile; see kuncheva.h",
     .source = "Kuncheva and Whitaker 2003",
     .caveat = "All look only at right and wrong, all depend on the error rate, and none of them "
               "foretells how good a vote is.",
     .compute = compute_kuncheva},
    {.name = "kuncheva_pairs",
     .title = "Diversity of right and wrong, pair by pair",
     .group = "errors",
     .shape = AGON_PER_PAIR,
     .needs = OF_PAIRS,
     .sharpness = AGON_SHARPNESS_STILL,
     .column = {{"q", "1", -1, 1, "Yule's Q"},
                {"rho", "1", -1, 1, "correlation of being right"},
                {"disagreement", "1", 0, 1, "P(exactly one errs)"},
                {"double_fault", "1", 0, 1, "P(both err)"},
                {"kappa", "1", -1, 1, "Cohen's agreement on right and wrong"}},
     .formula = "functions of the 2 x 2 table of right and wrong; see kuncheva.h",
     .source = "Kuncheva and Whitaker 2003",
     .caveat = "Blind to which wrong action is chosen; Q is 1 or -1 as soon as one cell is empty.",
     .compute = compute_kuncheva_pairs},
    {.name = "intra_inter_answers",
     .title = "Repeated answers within and between agents",
     .group = "errors",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS | AGON_NEEDS_COUNTS,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"intra", "1", 0, 1, "P(two samples of one agent are the same answer)"},
                {"inter", "1", 0, 1, "P(samples of two agents are the same answer)"},
                {"ratio", "1", 0, INFINITY, "inter / intra; 1: agents are one agent"},
                {"high", "1", 0, 1, "share of (agent, question) with intra above 0.8"}},
     .formula = "intra: sum_a c (c - 1) / (m (m - 1)); inter: sum_a p_a q_a over pairs of agents",
     .source = "Jiang et al. 2025",
     .caveat = "Does not know whether an answer is right, nor that two answers mean the same.",
     .compute = compute_intra_inter_answers},
    {.name = "intra_inter_visits",
     .title = "Repeated games within and between agents",
     .group = "errors",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_VISITS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"intra", "1", 0, 1, "overlap of the halves of one agent's games"},
                {"inter", "1", 0, 1, "overlap of halves of two agents"},
                {"ratio", "1", 0, INFINITY, "inter / intra; 1: agents are one agent"},
                {"high", "1", 0, 1, "share of agents with intra above 0.8"}},
     .formula = "overlap = sum_f min(x_f, y_f) of visit frequencies",
     .source = "Jiang et al. 2025",
     .caveat = "Overlaps grow with the number of games: only the ratio compares, and only for the "
               "same opponents and numbers of games.",
     .compute = compute_intra_inter_visits},
    {0},
};
