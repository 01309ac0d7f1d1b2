/* kuncheva.c: diversity of who is right where. */
#include "engine/metrics/kuncheva.h"

#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define ROUNDING 1e-12 /* shares below are 0 */

/* ---- pairs --------------------------------------------------------------------------------- */

static double ratio(double above, double below) {
    return below > 0 ? above / below : NAN;
}

static agon_kuncheva_pair pair_of(const agon_outcomes* o, int i, int j) {
    const double *x = o->failure + (size_t)i * o->instances,
                 *y = o->failure + (size_t)j * o->instances;
    double n11 = 0, n10 = 0, n01 = 0, n00 = 0;
    for (int k = 0; k < o->instances; k++) {
        n11 += o->weight[k] * (1 - x[k]) * (1 - y[k]);
        n10 += o->weight[k] * (1 - x[k]) * y[k];
        n01 += o->weight[k] * x[k] * (1 - y[k]);
        n00 += o->weight[k] * x[k] * y[k];
    }
    const double cross = n11 * n00 - n01 * n10;
    const double p = n11 + n10, p_not = n01 + n00, q = n11 + n01, q_not = n10 + n00;
    agon_kuncheva_pair out;
    out.q = ratio(cross, n11 * n00 + n01 * n10);
    out.rho = ratio(cross, sqrt(p * p_not * q * q_not));
    out.disagreement = n01 + n10;
    out.double_fault = n00;
    out.kappa = ratio(2 * cross, p * q_not + q * p_not);
    return out;
}

int agon_kuncheva_pairs(const agon_outcomes* o, agon_kuncheva_pair* out) {
    assert(out);
    int code = agon_outcomes_check(o);
    if (code)
        return code;
    const int n = o->agents;
    for (int i = 0; i < n; i++) {
        for (int j = i; j < n; j++) {
            out[(size_t)i * n + j] = pair_of(o, i, j);
            out[(size_t)j * n + i] = out[(size_t)i * n + j];
        }
    }
    return 0;
}

/* ---- ensemble ------------------------------------------------------------------------------ */

agon_kuncheva agon_kuncheva_ensemble(const double* profile, int agents) {
    assert(profile && agents >= 1);
    const double n = agents, half = agents - (agents + 1) / 2, pairs = n * (n - 1);
    double split = 0, product = 0, one = 0, two = 0, mean = 0, alone = 0, variance = 0;
    for (int k = 0; k <= agents; k++) { /* k fail */
        split += profile[k] * (k < n - k ? k : n - k);
        product += profile[k] * k * (n - k);
        one += profile[k] * k / n;
        two += profile[k] * k * (k - 1.0);
        mean += profile[k] * (n - k) / n;
        alone += k > 0 ? profile[k] * (n - k) : 0;
    }
    for (int k = 0; k <= agents; k++)
        variance += profile[k] * ((n - k) / n - mean) * ((n - k) / n - mean);
    const double some = 1 - profile[0];
    agon_kuncheva out;
    out.entropy = ratio(split, half);
    out.variance = product / (n * n);
    out.disagreement = ratio(2 * product, pairs);
    out.double_fault = ratio(two, pairs);
    out.difficulty = variance;
    out.generalized = 1 - ratio(out.double_fault, one);
    out.coincident = some > ROUNDING ? ratio(alone, (n - 1) * some) : NAN;
    out.kappa =
        1 - ratio(0.5 * out.disagreement, one > ROUNDING && mean > ROUNDING ? one * mean : 0);
    return out;
}
