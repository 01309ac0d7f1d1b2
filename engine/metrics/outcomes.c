/* outcomes.c: failures of all agents at once. */
#include "engine/metrics/outcomes.h"

#include "agents/real.h"
#include "engine/metrics/pairs.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Comparisons are written so that NaN fails them. */
int agon_outcomes_check(const agon_outcomes* o) {
    assert(o && o->failure && o->weight && o->agents >= 1 && o->instances >= 1);
    const size_t entries = (size_t)o->agents * o->instances;
    for (size_t k = 0; k < entries; k++) {
        if (!(o->failure[k] >= 0 && o->failure[k] <= 1))
            return AGON_EINVALID;
    }
    double sum = 0;
    for (int j = 0; j < o->instances; j++) {
        if (!(o->weight[j] >= 0))
            return AGON_EINVALID;
        sum += o->weight[j];
    }
    return fabs(sum - 1) <= 1e-6 ? 0 : AGON_EINVALID;
}

static double failure_of(const agon_outcomes* o, int agent, int instance) {
    return o->failure[(size_t)agent * o->instances + instance];
}

static double rate_of(const agon_outcomes* o, int agent) {
    double sum = 0;
    for (int j = 0; j < o->instances; j++)
        sum += o->weight[j] * failure_of(o, agent, j);
    return sum < 1 ? sum : 1;
}

/* ---- homogenization ------------------------------------------------------------------------ */

static double systemic_failure(const agon_outcomes* o) {
    double sum = 0;
    for (int j = 0; j < o->instances; j++) {
        double all = o->weight[j];
        for (int i = 0; i < o->agents; i++)
            all *= failure_of(o, i, j);
        sum += all;
    }
    return sum;
}

/* Mean P(both fail) over mean product of rates: in both, sums over pairs of agents. */
static double pair_ratio(const agon_outcomes* o) {
    double both = 0, sum = 0, squares = 0;
    for (int j = 0; j < o->instances; j++) {
        double here = 0, here2 = 0;
        for (int i = 0; i < o->agents; i++) {
            const double x = failure_of(o, i, j);
            here += x;
            here2 += x * x;
        }
        both += o->weight[j] * agon_pairs_product(here, here2);
    }
    for (int i = 0; i < o->agents; i++) {
        const double r = rate_of(o, i);
        sum += r;
        squares += r * r;
    }
    const double expected = agon_pairs_product(sum, squares);
    return expected > 0 ? both / expected : NAN;
}

int agon_outcomes_homogenization(const agon_outcomes* o, agon_homogenization* out) {
    assert(out);
    int code = agon_outcomes_check(o);
    if (code)
        return code;
    double logs = 0; /* of the product, which underflows */
    int never = 0;
    for (int i = 0; i < o->agents; i++) {
        const double r = rate_of(o, i);
        never += r == 0;
        logs += r > 0 ? agon_log(r) : 0;
    }
    const double systemic = systemic_failure(o);
    out->systemic = systemic;
    out->expected = never ? 0 : agon_exp(logs);
    const double log_ratio = systemic > 0 && !never ? agon_log(systemic) - logs : NAN;
    out->ratio = never ? NAN : systemic > 0 ? agon_exp(log_ratio) : 0;
    if (isinf(out->ratio))
        out->ratio = NAN;
    out->rate = o->agents > 1 ? log_ratio / (o->agents - 1) : NAN;
    out->pairs = o->agents > 1 ? pair_ratio(o) : NAN;
    return 0;
}

/* ---- profile ------------------------------------------------------------------------------- */

/* One more independent agent that fails with probability p. counts: (already + 2). */
static void add_agent(double* counts, int already, double p) {
    counts[already + 1] = counts[already] * p;
    for (int k = already; k > 0; k--)
        counts[k] = counts[k] * (1 - p) + counts[k - 1] * p;
    counts[0] *= 1 - p;
}

/* Distribution of failures at one instance, added to `observed`; sure ones only shift it. */
static void add_instance(const agon_outcomes* o, int instance, double* counts, double* observed) {
    int sure = 0, unsure = 0;
    counts[0] = 1;
    for (int i = 0; i < o->agents; i++) {
        const double p = failure_of(o, i, instance);
        if (p == 1)
            sure++;
        else if (p > 0)
            add_agent(counts, unsure++, p);
    }
    for (int k = 0; k <= unsure; k++)
        observed[sure + k] += o->weight[instance] * counts[k];
}

int agon_outcomes_profile(const agon_outcomes* o, double* observed, double* baseline) {
    assert(observed && baseline);
    int code = agon_outcomes_check(o);
    if (code)
        return code;
    const size_t levels = (size_t)o->agents + 1;
    double* counts = malloc(levels * sizeof *counts);
    if (!counts)
        return AGON_EMEMORY;
    memset(observed, 0, levels * sizeof *observed);
    for (int j = 0; j < o->instances; j++)
        add_instance(o, j, counts, observed);
    counts[0] = 1;
    for (int i = 0; i < o->agents; i++)
        add_agent(counts, i, rate_of(o, i));
    memcpy(baseline, counts, levels * sizeof *baseline);
    free(counts);
    return 0;
}

agon_profile_excess agon_outcomes_excess(const double* observed, const double* baseline,
                                         int agents) {
    assert(observed && baseline && agents >= 1);
    agon_profile_excess out = {observed[0] - baseline[0], observed[agents] - baseline[agents], 0};
    for (int k = 0; k <= agents; k++)
        out.distance += 0.5 * fabs(observed[k] - baseline[k]);
    return out;
}
