/* catalogue_visits.c: the metrics that look at where agents come to. */
#include "engine/metrics/metric.h"
#include "engine/metrics/occupancy.h"
#include "engine/metrics/species.h"

#include <math.h>
#include <stdlib.h>

#define IN_A_ROW 10
#define PATIENCE 0.8

static const double orders[] = {0, 1, 2, INFINITY};
#define ORDERS 4

static int failed(agon_error* error, int code, const char* what) {
    return agon_fail(error, code, "%s: %s", what,
                     code == AGON_EMEMORY ? "out of memory" : "a count is not a number");
}

/* Both halves of an agent's visits, or of everyone's (agent -1); counts: out (features). */
static void sum_visits(const agon_evidence* e, int agent, double* counts) {
    const agon_visits* v = &e->visits;
    for (int x = 0; x < v->features; x++)
        counts[x] = 0;
    for (int i = 0; i < e->agents; i++) {
        for (int x = 0; x < 2 * v->features && (agent == i || agent == -1); x++)
            counts[x % v->features] += v->count[2 * (size_t)i * v->features + x];
    }
}

static int compute_occupancy(const agon_evidence* e, const agon_metric_options* options,
                             double* out, agon_error* error) {
    const int features = e->visits.features;
    agon_occupancy o = {0};
    double hill[ORDERS] = {0}, *counts = malloc((size_t)features * sizeof *counts);
    int rc =
        counts ? agon_occupancy_measure(e->visits.count, e->agents, features, &o) : AGON_EMEMORY;
    if (!rc)
        sum_visits(e, -1, counts);
    for (int k = 0; k < ORDERS && !rc; k++)
        rc = agon_species_hill(counts, features, orders[k], &hill[k]);
    free(counts);
    if (rc)
        return failed(error, rc, "occupancy");
    const double row[] = {o.j,     o.j_floor, o.j_excess, o.tv,    o.tv_floor,
                          hill[0], hill[1],   hill[2],    hill[3], o.agents};
    for (int c = 0; c < 10; c++)
        out[c] = row[c];
    return 0;
}

static int compute_occupancy_pairs(const agon_evidence* e, const agon_metric_options* options,
                                   double* out, agon_error* error) {
    const size_t pairs = (size_t)e->agents * e->agents;
    double* both = malloc(2 * pairs * sizeof *both);
    const int rc = both ? agon_occupancy_pairs(e->visits.count, e->agents, e->visits.features, both,
                                               both + pairs)
                        : AGON_EMEMORY;
    for (size_t i = 0; i < pairs && !rc; i++) {
        out[2 * i] = both[i];
        out[2 * i + 1] = both[pairs + i];
    }
    free(both);
    return rc ? failed(error, rc, "occupancy_pairs") : 0;
}

static double total_of(const double* counts, int n, int* kinds) {
    double total = 0;
    *kinds = 0;
    for (int x = 0; x < n; x++) {
        total += counts[x];
        *kinds += counts[x] > 0;
    }
    return total;
}

static int compute_distinct_agents(const agon_evidence* e, const agon_metric_options* options,
                                   double* out, agon_error* error) {
    const int features = e->visits.features;
    double* counts = malloc((size_t)features * sizeof *counts);
    int rc = counts ? 0 : AGON_EMEMORY, kinds;
    for (int i = 0; i < e->agents && !rc; i++) {
        double* row = out + 4 * (size_t)i;
        sum_visits(e, i, counts);
        row[2] = total_of(counts, features, &kinds);
        row[3] = kinds;
        rc = agon_species_rarefied(counts, features, IN_A_ROW, PATIENCE, &row[0], &row[1]);
    }
    free(counts);
    return rc ? failed(error, rc, "distinct_agents") : 0;
}

static int compute_distinct(const agon_evidence* e, const agon_metric_options* options, double* out,
                            agon_error* error) {
    const int features = e->visits.features;
    double *counts = malloc((size_t)features * sizeof *counts), distinct, utility, sums[2] = {0};
    int rc = counts ? 0 : AGON_EMEMORY, known = 0;
    for (int i = 0; i < e->agents && !rc; i++) {
        sum_visits(e, i, counts);
        rc = agon_species_rarefied(counts, features, IN_A_ROW, PATIENCE, &distinct, &utility);
        if (rc || isnan(distinct))
            continue;
        sums[0] += distinct;
        sums[1] += utility;
        known++;
    }
    if (!rc) {
        sum_visits(e, -1, counts);
        rc = agon_species_rarefied(counts, features, IN_A_ROW, PATIENCE, &out[2], &out[3]);
    }
    free(counts);
    if (rc)
        return failed(error, rc, "distinct");
    out[0] = known ? sums[0] / known : NAN;
    out[1] = known ? sums[1] / known : NAN;
    out[4] = known;
    return 0;
}

const agon_metric agon__catalogue_visits[] = {
    {.name = "occupancy",
     .title = "Where agents come to",
     .group = "novelty",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_VISITS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"j", "nats", 0, INFINITY, "what a visit tells about who made it"},
                {"j_floor", "nats", 0, 0.694, "the same between two halves of one agent's games"},
                {"j_excess", "nats", -0.694, INFINITY, "j - (1 - 1/n) j_floor: 0 for equal agents"},
                {"tv", "1", 0, 1, "mean total variation, half of one against half of another"},
                {"tv_floor", "1", 0, 1, "the same between two halves of one agent's games"},
                {"hill_0", "features", 1, INFINITY, "features visited by anybody"},
                {"hill_1", "features", 1, INFINITY, "effective number: exp(entropy)"},
                {"hill_2", "features", 1, INFINITY, "effective number, rare ones count little"},
                {"hill_inf", "features", 1, INFINITY, "1 / share of the commonest"},
                {"agents", "agents", 0, INFINITY, "agents with visits in both halves"}},
     .formula = "J of visit frequencies; (sum p^q)^(1/(1-q)) of everybody's visits together",
     .source = "Liu et al. 2021; Lin 1991; Hill 1973",
     .caveat = "Few games make equal agents look different: a number near its floor is noise. "
               "Everyone must have met the same opponents, or it tells about those.",
     .compute = compute_occupancy},
    {.name = "occupancy_pairs",
     .title = "Where each two agents come to",
     .group = "novelty",
     .shape = AGON_PER_PAIR,
     .needs = AGON_NEEDS_VISITS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"jsd", "nats", 0, 0.694, "Jensen-Shannon divergence of visit frequencies"},
                {"tv", "1", 0, 1, "their total variation"}},
     .formula = "half a of one agent against half b of the other, mean of both ways round",
     .source = "Liu et al. 2021; Lin 1991",
     .caveat = "The diagonal is not 0 but the floor: what two halves of one agent's games give. "
               "Read every entry beside it.",
     .compute = compute_occupancy_pairs},
    {.name = "distinct",
     .title = "Distinct games in ten",
     .group = "novelty",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_VISITS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"distinct", "features", 1, IN_A_ROW, "different ones in 10 visits of one agent"},
                {"utility", "1", 0, 1, "the same, discounted by patience 0.8; 1: all different"},
                {"pool_distinct", "features", 1, IN_A_ROW, "in 10 visits of everyone together"},
                {"pool_utility", "1", 0, 1, "the same, discounted"},
                {"agents", "agents", 0, INFINITY, "agents with at least 10 visits"}},
     .formula = "expected over draws without replacement; utility = (1-p)/(1-p^k) sum_i p^(i-1) "
                "[i-th is new]",
     .source = "Zhang et al. 2025 (NoveltyBench); Hurlbert 1971",
     .caveat = "New is not good: visits do not say whether a game was won, and one careless move "
               "makes a new one.",
     .compute = compute_distinct},
    {.name = "distinct_agents",
     .title = "Distinct games in ten of each agent",
     .group = "novelty",
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_VISITS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"distinct", "features", 1, IN_A_ROW, "different ones in 10 visits"},
                {"utility", "1", 0, 1, "the same, discounted by patience 0.8; 1: all different"},
                {"visits", "visits", 0, INFINITY, "counted"},
                {"features", "features", 0, INFINITY, "different ones among all visits"}},
     .formula = "as distinct",
     .source = "Zhang et al. 2025 (NoveltyBench); Hurlbert 1971",
     .caveat = "Tells how much one agent varies, not how it differs from others; a random mover "
               "scores highest.",
     .compute = compute_distinct_agents},
    {0},
};
