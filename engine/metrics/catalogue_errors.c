/* catalogue_errors.c: the metrics that look at mistakes on solved states. */
#include "engine/metrics/catalogue_solved.h"
#include "engine/metrics/errors.h"
#include "engine/metrics/value_disagreement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- accuracy ------------------------------------------------------------------------------ */

/* (agents), malloc'd, and the share of judged states; NULL with *error set. */
static agon_accuracy* accuracies(const agon_evidence* e, double* share, agon_error* error) {
    const agon_solved v = agon__solved_of(e);
    agon_accuracy* each = malloc((size_t)e->agents * sizeof *each);
    double* weight = malloc((size_t)e->answers.states * sizeof *weight);
    int code = each && weight ? agon_errors_judge(&v, weight, share) : AGON_EMEMORY;
    code = code ? code : agon_errors_accuracy(&v, each);
    free(weight);
    if (code == 0)
        return each;
    free(each);
    agon__solved_refuse(error, code);
    return NULL;
}

static int compute_accuracy(const agon_evidence* e, const agon_metric_options* options, double* out,
                            agon_error* error) {
    double share;
    agon_accuracy* each = accuracies(e, &share, error);
    if (!each)
        return error->code;
    memset(out, 0, 5 * sizeof *out);
    for (int i = 0; i < e->agents; i++) {
        out[0] += each[i].accuracy / e->agents;
        out[1] += each[i].loss / e->agents;
        out[2] += each[i].mass / e->agents;
        out[3] += each[i].mass_loss / e->agents;
        out[4] += each[i].ties / e->agents;
    }
    out[5] = share;
    free(each);
    return 0;
}

static int compute_accuracy_agents(const agon_evidence* e, const agon_metric_options* options,
                                   double* out, agon_error* error) {
    double share;
    agon_accuracy* each = accuracies(e, &share, error);
    if (!each)
        return error->code;
    for (int i = 0; i < e->agents; i++) {
        const agon_accuracy a = each[i];
        memcpy(out + 5 * i, (double[]){a.accuracy, a.loss, a.mass, a.mass_loss, a.ties},
               5 * sizeof *out);
    }
    free(each);
    return 0;
}

/* ---- agreement of errors ------------------------------------------------------------------- */

static int agreement(const agon_evidence* e, agon_choice how, agon_error_agreement* a,
                     agon_error* error) {
    const agon_solved v = agon__solved_of(e);
    const int code = agon_errors_agreement(&v, how, a);
    return code ? agon__solved_refuse(error, code) : 0;
}

static int compute_error_agreement(const agon_evidence* e, const agon_metric_options* options,
                                   double* out, agon_error* error) {
    agon_error_agreement a;
    const int code = agreement(e, AGON_CHOICE_GREEDY, &a, error);
    if (code)
        return code;
    out[0] = a.agreement;
    out[1] = a.chance;
    out[2] = a.joint;
    return 0;
}

static int compute_capa(const agon_evidence* e, const agon_metric_options* options, double* out,
                        agon_error* error) {
    agon_error_agreement soft, first;
    int code = agreement(e, AGON_CHOICE_SAMPLED, &soft, error);
    code = code ? code : agreement(e, AGON_CHOICE_GREEDY, &first, error);
    if (code)
        return code;
    out[0] = soft.capa.kappa;
    out[1] = first.capa.kappa;
    out[2] = soft.capa.observed;
    out[3] = soft.capa.expected;
    out[4] = first.capa.observed;
    out[5] = first.capa.expected;
    return 0;
}

static int compute_error_consistency(const agon_evidence* e, const agon_metric_options* options,
                                     double* out, agon_error* error) {
    agon_error_agreement a;
    const int code = agreement(e, AGON_CHOICE_GREEDY, &a, error);
    if (code)
        return code;
    out[0] = a.consistency.kappa;
    out[1] = a.consistency.observed;
    out[2] = a.consistency.expected;
    return 0;
}

static int compute_error_agreement_matrix(const agon_evidence* e,
                                          const agon_metric_options* options, double* out,
                                          agon_error* error) {
    const agon_solved v = agon__solved_of(e);
    const size_t pairs = (size_t)e->agents * e->agents;
    agon_error_agreement* each = malloc(pairs * sizeof *each);
    if (!each)
        return agon__solved_refuse(error, AGON_EMEMORY);
    const int code = agon_errors_agreement_pairs(&v, AGON_CHOICE_GREEDY, each);
    for (size_t k = 0; k < pairs && code == 0; k++) {
        const agon_error_agreement a = each[k];
        memcpy(out + 5 * k,
               (double[]){a.agreement, a.capa.kappa, a.chance, a.joint, a.consistency.kappa},
               5 * sizeof *out);
    }
    free(each);
    return code ? agon__solved_refuse(error, code) : 0;
}

static int compute_value_disagreement(const agon_evidence* e, const agon_metric_options* options,
                                      double* out, agon_error* error) {
    const agon_solved v = agon__solved_of(e);
    agon_value_disagreement d;
    const int code = agon_value_disagreement_mean(&v, AGON_CHOICE_GREEDY, &d);
    if (code)
        return agon__solved_refuse(error, code);
    out[0] = d.relevant;
    out[1] = d.neutral;
    out[2] = d.gap;
    return 0;
}

/* ---- the table ----------------------------------------------------------------------------- */

#define OF_PAIRS (AGON__ON_SOLVED | AGON_NEEDS_PAIR)

const agon_metric agon__catalogue_errors[] = {
    {.name = "accuracy",
     .title = "Accuracy on solved states",
     .group = "errors",
     .headline = true,
     .shape = AGON_ONE,
     .needs = AGON__ON_SOLVED,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"accuracy", "1", 0, 1,
                 "share of states whose greedy action is a best one (ties share evenly)"},
                {"value_loss", "worth", 0, INFINITY,
                 "mean worth that the greedy action gives away"},
                {"mass", "1", 0, 1, "probability of best actions: accuracy of a sampled action"},
                {"mass_loss", "worth", 0, INFINITY, "mean worth that a sampled action gives away"},
                {"ties", "1", 0, 1, "share of (agent, state) whose greedy action is shared"},
                {"judged", "1", 0, 1,
                 "share of the states, by weight, at which all worths are known and one can fail"}},
     .formula = "mean over agents of sum_s w_s P(worth of the action = best of s), over judged s",
     .source = "Geirhos, Meding and Wichmann 2020; value loss: standard",
     .caveat = "It is strength on these states, not in play; states where every action is best are "
               "left out, so the numbers of two sets of states do not compare.",
     .compute = compute_accuracy},
    {.name = "accuracy_agents",
     .title = "Accuracy of each agent",
     .group = "errors",
     .shape = AGON_PER_AGENT,
     .needs = AGON__ON_SOLVED,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"accuracy", "1", 0, 1, "share of states whose greedy action is a best one"},
                {"value_loss", "worth", 0, INFINITY,
                 "mean worth that the greedy action gives away"},
                {"mass", "1", 0, 1, "probability of best actions"},
                {"mass_loss", "worth", 0, INFINITY, "mean worth that a sampled action gives away"},
                {"ties", "1", 0, 1, "share of states whose greedy action is shared"}},
     .formula = "as accuracy, of one agent",
     .source = "Geirhos, Meding and Wichmann 2020; value loss: standard",
     .caveat = "It is strength on these states, not in play.",
     .compute = compute_accuracy_agents},
    {.name = "error_agreement",
     .title = "Agreement of errors",
     .group = "errors",
     .headline = true,
     .shape = AGON_ONE,
     .needs = OF_PAIRS,
     .sharpness = AGON_SHARPNESS_STILL,
     .column = {{"agreement", "1", 0, 1,
                 "P(two agents choose the same wrong action | both err), greedy actions"},
                {"chance", "1", 0, 1,
                 "the same if they picked at random among the actions that err"},
                {"joint", "errors", 0, INFINITY,
                 "(pair, state) at which both err, on which the two rest"}},
     .formula = "sum_s w_s sum_pairs P(same wrong) / sum_s w_s sum_pairs P(both err); chance: "
                "1 / (actions that err) averaged over joint errors",
     .source = "Kim, Garg, Peng and Garg 2025",
     .caveat = "Errors that tempt everybody raise it as much as agents that are alike, and strong "
               "agents leave few joint errors: read the count.",
     .compute = compute_error_agreement},
    {.name = "capa",
     .title = "Chance-adjusted agreement (CAPA, kappa_p)",
     .group = "errors",
     .headline = true,
     .shape = AGON_ONE,
     .needs = OF_PAIRS,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"soft", "1", -INFINITY, 1, "kappa_p of probabilities, of two random agents"},
                {"one_hot", "1", -INFINITY, 1, "kappa_p of greedy actions"},
                {"soft_observed", "1", 0, 1,
                 "P(both choose a best action, or the same wrong one), sampled actions"},
                {"soft_expected", "1", 0, 1, "the same for independent agents as accurate"},
                {"one_hot_observed", "1", 0, 1, "as soft_observed, greedy actions"},
                {"one_hot_expected", "1", 0, 1, "as soft_expected, greedy actions"}},
     .formula = "(c - e) / (1 - e), e = p q + (1 - p)(1 - q) mean 1 / (actions that err); c and e "
                "are means over pairs; best actions count as one answer",
     .source = "Goel et al. 2025",
     .caveat =
         "The soft form of an agent beside itself is not 1, and sharpening policies moves it; "
         "shared difficulty of states counts as agreement.",
     .compute = compute_capa},
    {.name = "error_agreement_matrix",
     .title = "Agreement of errors, pair by pair",
     .group = "errors",
     .shape = AGON_PER_PAIR,
     .needs = OF_PAIRS,
     .sharpness = AGON_SHARPNESS_STILL,
     .column = {{"agreement", "1", 0, 1, "P(the same wrong action | both err)"},
                {"kappa", "1", -INFINITY, 1, "kappa_p of greedy actions"},
                {"chance", "1", 0, 1, "agreement by chance"},
                {"joint", "errors", 0, INFINITY, "states at which both err"},
                {"consistency", "1", -INFINITY, 1, "error consistency of greedy actions"}},
     .formula = "as error_agreement, capa and error_consistency, of one pair",
     .source = "Kim, Garg, Peng and Garg 2025; Goel et al. 2025; Geirhos et al. 2020",
     .caveat = "A pair with few joint errors has a number that is mostly noise; the diagonal is an "
               "agent beside its own copy.",
     .compute = compute_error_agreement_matrix},
    {.name = "error_consistency",
     .title = "Error consistency",
     .group = "errors",
     .shape = AGON_ONE,
     .needs = OF_PAIRS,
     .sharpness = AGON_SHARPNESS_STILL,
     .column = {{"kappa", "1", -INFINITY, 1, "agreement on which states are failed, beyond chance"},
                {"observed", "1", 0, 1, "P(both right or both wrong), greedy actions"},
                {"expected", "1", 0, 1, "the same for independent agents as accurate"}},
     .formula = "(c - e) / (1 - e), e = p q + (1 - p)(1 - q), c and e means over pairs",
     .source = "Geirhos, Meding and Wichmann 2020",
     .caveat = "Blind to which wrong action is chosen: two agents with kappa 1 may never agree on "
               "a mistake.",
     .compute = compute_error_consistency},
    {.name = "value_disagreement",
     .title = "Disagreement that matters",
     .group = "errors",
     .shape = AGON_ONE,
     .needs = OF_PAIRS,
     .sharpness = AGON_SHARPNESS_STILL,
     .column = {{"relevant", "1", 0, 1, "P(greedy actions of two agents differ in worth)"},
                {"neutral", "1", 0, 1, "P(they differ, but are worth the same)"},
                {"gap", "worth", 0, INFINITY, "mean difference in worth"}},
     .formula = "means over pairs of agents and over states whose worths are all known",
     .source = "agon",
     .caveat = "Actions of one worth may still lead to different games; worth is for perfect play, "
               "and an opponent who errs may care.",
     .compute = compute_value_disagreement},
    {0},
};
