/* catalogue_behaviour.c: the metrics that look at answers to questions. */
#include "engine/metrics/metric.h"

#include "agents/real.h"

#include <math.h>

static int compute_entropy(const agon_evidence* e, const agon_metric_options* options, double* out,
                           agon_error* error) {
    const agon_behaviour b = agon_evidence_behaviour(e);
    agon_entropy_split split;
    const int rc = agon_diversity_entropy(&b, &split);
    if (rc)
        return agon_fail(error, rc, "entropy: the answers are not distributions");
    out[0] = split.between;
    out[1] = split.within;
    out[2] = split.mixture;
    out[3] = agon_exp(split.between);
    return 0;
}

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
         "Sharp policies that prefer the same actions count as more different than flat ones.",
     .compute = compute_entropy},
    {0},
};
