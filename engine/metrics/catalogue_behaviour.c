/* catalogue_behaviour.c: the metrics that look at answers to questions, but for Vendi scores. */
#include "engine/metrics/metric.h"

#include "agents/real.h"
#include "engine/metrics/distance.h"

#include <math.h>
#include <stdlib.h>

#define MOST_PAIRED 2000 /* agents of which all pairs are compared */

static int fail(agon_error* error, int rc, const char* metric) {
    return agon_fail(error, rc, "%s: %s", metric,
                     rc == AGON_EINVALID ? "the answers are not distributions"
                                         : agon_error_text(rc));
}

/* ---- entropy ------------------------------------------------------------------------------- */

static int compute_entropy(const agon_evidence* e, const agon_metric_options* options, double* out,
                           agon_error* error) {
    const agon_behaviour b = agon_evidence_behaviour(e);
    agon_entropy_split split;
    const int rc = agon_diversity_entropy(&b, &split);
    if (rc)
        return fail(error, rc, "entropy");
    out[0] = split.between;
    out[1] = split.within;
    out[2] = split.mixture;
    out[3] = agon_exp(split.between);
    return 0;
}

static int compute_entropy_corrected(const agon_evidence* e, const agon_metric_options* options,
                                     double* out, agon_error* error) {
    const agon_behaviour b = agon_evidence_behaviour(e);
    agon_entropy_split split, added;
    const int rc = agon_diversity_entropy(&b, &split);
    if (rc)
        return fail(error, rc, "entropy_corrected");
    if (agon_diversity_counting(e->answers.count, e->answers.options, b.weight, b.agents, b.states,
                                b.actions, &added))
        return agon_fail(error, AGON_EINVALID,
                         "entropy_corrected: an agent has no answers to one of the questions");
    out[0] = split.between - added.between;
    out[1] = split.within - added.within;
    out[2] = split.mixture - added.mixture;
    out[3] = added.between;
    return 0;
}

/* ---- pairs --------------------------------------------------------------------------------- */

static int compute_total_variation(const agon_evidence* e, const agon_metric_options* options,
                                   double* out, agon_error* error) {
    const agon_behaviour b = agon_evidence_behaviour(e);
    const int rc = agon_diversity_total_variation(&b, out);
    return rc ? fail(error, rc, "total_variation") : 0;
}

static int compute_disagreement(const agon_evidence* e, const agon_metric_options* options,
                                double* out, agon_error* error) {
    const agon_behaviour b = agon_evidence_behaviour(e);
    int rc = agon_diversity_greedy(&b, &out[0], &out[1]);
    if (!rc)
        rc = agon_diversity_sampled(&b, &out[2], &out[3]);
    return rc ? fail(error, rc, "disagreement") : 0;
}

static int compute_pairs(const agon_evidence* e, const agon_metric_options* options, double* out,
                         agon_error* error) {
    static const agon_distance kinds[] = {AGON_DISTANCE_TV, AGON_DISTANCE_JSD, AGON_DISTANCE_GREEDY,
                                          AGON_DISTANCE_EXCESS};
    enum { KINDS = sizeof kinds / sizeof *kinds };
    const agon_behaviour b = agon_evidence_behaviour(e);
    if (b.agents > MOST_PAIRED)
        return agon_fail(error, AGON_ELIMIT, "pairs: at most %d agents, not %d", MOST_PAIRED,
                         b.agents);
    const size_t cells = (size_t)b.agents * b.agents;
    double* matrix = malloc(cells * sizeof *matrix);
    int rc = matrix ? 0 : AGON_EMEMORY;
    for (int k = 0; k < KINDS && !rc; k++) {
        rc = agon_distance_matrix(&b, kinds[k], matrix);
        for (size_t c = 0; c < cells && !rc; c++)
            out[c * KINDS + k] = matrix[c];
    }
    free(matrix);
    return rc ? fail(error, rc, "pairs") : 0;
}

/* ---- the rows ------------------------------------------------------------------------------ */

const agon_metric agon__catalogue_behaviour[] = {
    {.name = "entropy",
     .title = "Entropy split",
     .group = "behaviour",
     .headline = true,
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"j", "nats", 0, INFINITY,
                 "what an action tells about who took it: generalised Jensen-Shannon divergence"},
                {"within", "nats", 0, INFINITY, "mean entropy of single agents"},
                {"mixture", "nats", 0, INFINITY, "entropy of the mean policy: j + within"},
                {"policies", "policies", 1, INFINITY, "exp(j): different policies per state"}},
     .formula = "J_s = H(mean_i p_is) - mean_i H(p_is); J = sum_s w_s J_s",
     .source = "Lin 1991",
     .caveat =
         "Sharp policies that prefer the same actions count as more different than flat ones. "
         "Sampled answers add to j: see entropy_corrected.",
     .compute = compute_entropy},
    {.name = "total_variation",
     .title = "Total variation",
     .group = "behaviour",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"mean", "1", 0, 1, "mean over pairs of agents; 0 for one agent"}},
     .formula = "mean_{i<j} sum_s w_s 1/2 sum_a |p_i - p_j|",
     .source = "McKee, Leibo, Beattie and Everett 2022",
     .caveat = "A mean over pairs: two camps of clones score like many half different agents. "
               "Moves when policies are sharpened.",
     .compute = compute_total_variation},
    {.name = "disagreement",
     .title = "Disagreement of actions",
     .group = "behaviour",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"greedy", "1", 0, 1,
                 "first choices of two agents differ; does not move when "
                 "policies are sharpened"},
                {"ties", "1", 0, 1, "share of (agent, state) with several first choices"},
                {"sampled", "1", 0, 1, "drawn actions of two agents differ"},
                {"excess", "1", 0, 1,
                 "the part of `sampled` beyond what an agent differs from "
                 "itself"}},
     .formula = "greedy: 1 - sum_a c_a (c_a - 1) / (n (n - 1)); sampled: mean_{i<j} 1 - p_i.p_j; "
                "excess: mean_{i<j} 1/2 |p_i - p_j|^2",
     .source = "folklore",
     .caveat = "Counts moves of equal worth and mirror images as different. `sampled` is not 0 "
               "for copies of a random agent.",
     .compute = compute_disagreement},
    {.name = "pairs",
     .title = "Distances of pairs",
     .group = "behaviour",
     .shape = AGON_PER_PAIR,
     .needs = AGON_NEEDS_ANSWERS,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"tv", "1", 0, 1, "total variation"},
                {"jsd", "nats", 0, 0.69314718055994531, "Jensen-Shannon divergence"},
                {"greedy", "1", 0, 1, "first choices differ"},
                {"excess", "1", 0, 1, "1/2 |p - q|^2: drawn actions differ beyond own randomness"}},
     .formula = "weighted means over states; jsd: H((p + q)/2) - H(p)/2 - H(q)/2",
     .source = "Lin 1991; Endres and Schindelin 2003",
     .caveat = "Depends on the questions and, but for `greedy`, on sharpness. At most 2,000 "
               "agents.",
     .compute = compute_pairs},
    {.name = "entropy_corrected",
     .title = "Entropy split of sampled answers",
     .group = "behaviour",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_ANSWERS | AGON_NEEDS_COUNTS,
     .sharpness = AGON_SHARPNESS_MOVES,
     .column = {{"j", "nats", -INFINITY, INFINITY, "j of entropy less `counting`; may be below 0"},
                {"within", "nats", 0, INFINITY, "mean entropy of single agents, raised"},
                {"mixture", "nats", 0, INFINITY, "entropy of the mean policy, raised"},
                {"counting", "nats", 0, INFINITY,
                 "what equal agents would show by counting alone"}},
     .formula = "counting = sum_s w_s (K_s - 1)(n - 1) / (2 n^2) sum_i 1 / m_is",
     .source = "Miller 1955",
     .caveat = "First order in 1 / answers: too much is subtracted where legal actions are never "
               "taken, too little where a state has fewer answers than actions.",
     .compute = compute_entropy_corrected},
    {0},
};
