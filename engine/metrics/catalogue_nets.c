/* catalogue_nets.c: the metrics that look inside nets. */
#include "engine/metrics/metric.h"
#include "engine/metrics/similarity.h"
#include "engine/metrics/subset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_AGENTS 200
#define BUDGET      2e10 /* multiplications a row may take: some ten seconds */

static int failed(agon_error* error, int code, const char* what) {
    return agon_fail(error, code, "%s: %s", what,
                     code == AGON_EMEMORY ? "out of memory" : "the nets hold a NaN or an infinity");
}

/* Agents whose pairs cost no more than the budget, 2 .. MOST_AGENTS. */
static int affordable(double cost_of_pair) {
    int n = MOST_AGENTS;
    while (n > 2 && 0.5 * n * (n - 1.0) * cost_of_pair > BUDGET)
        n--;
    return n;
}

/* Rows (size) of at most `most` agents, drawn by the key; *count of them. To be freed; NULL: out of
 * memory. */
static float* rows_of_some(const agon_evidence* e, const agon_metric_options* options,
                           const float* all, size_t size, int most, int* count) {
    const int n = e->agents < most ? e->agents : most;
    int* member = malloc((size_t)n * sizeof *member);
    float* rows = malloc((size_t)n * size * sizeof *rows);
    const int drawn = member ? agon_subset_draw(e->agents, most, options->key, member) : 0;
    if (!rows || drawn != n) {
        free(member);
        free(rows);
        return NULL;
    }
    for (int i = 0; i < n; i++)
        memcpy(rows + i * size, all + member[i] * size, size * sizeof *rows);
    free(member);
    *count = n;
    return rows;
}

static int compute_cka(const agon_evidence* e, const agon_metric_options* options, double* out,
                       agon_error* error) {
    const agon_insides* in = &e->insides;
    agon_cka cka;
    int dead;
    const int rc =
        agon_similarity_mean_cka(in->activation, e->agents, in->inputs, in->width, &cka, &dead);
    if (rc)
        return failed(error, rc, "cka");
    out[0] = cka.biased;
    out[1] = cka.debiased;
    out[2] = dead;
    return 0;
}

static int compute_procrustes(const agon_evidence* e, const agon_metric_options* options,
                              double* out, agon_error* error) {
    const agon_insides* in = &e->insides;
    const double width = in->width;
    const int most = affordable(width * width * (in->inputs + 11 * width));
    int count = 0, dead = 0;
    float* rows =
        rows_of_some(e, options, in->activation, (size_t)in->inputs * in->width, most, &count);
    const int rc =
        rows ? agon_similarity_mean_procrustes(rows, count, in->inputs, in->width, &out[0], &dead)
             : AGON_EMEMORY;
    free(rows);
    out[1] = dead;
    out[2] = count;
    return rc ? failed(error, rc, "procrustes") : 0;
}

static int compute_cca(const agon_evidence* e, const agon_metric_options* options, double* out,
                       agon_error* error) {
    const agon_insides* in = &e->insides;
    const double width = in->width < in->inputs ? in->width : in->inputs;
    const int most = affordable(2 * width * width * (in->inputs + 11 * width));
    int count = 0, dead = 0;
    float* rows =
        rows_of_some(e, options, in->activation, (size_t)in->inputs * in->width, most, &count);
    int rc = rows ? agon_similarity_mean_cca(rows, count, in->inputs, in->width, 1, &out[0], &dead)
                  : AGON_EMEMORY;
    if (!rc)
        rc = agon_similarity_mean_cca(rows, count, in->inputs, in->width, .99, &out[1], &dead);
    free(rows);
    out[2] = dead;
    out[3] = count;
    return rc ? failed(error, rc, "cca") : 0;
}

static int compute_parameters(const agon_evidence* e, const agon_metric_options* options,
                              double* out, agon_error* error) {
    const agon_insides* in = &e->insides;
    agon_parameter_distance d = {NAN, NAN, NAN, NAN};
    int count = 0, rc = 0;
    if (in->parameters > 0) {
        float* rows = rows_of_some(e, options, in->parameter, (size_t)in->parameters,
                                   affordable(in->parameters), &count);
        rc = rows ? agon_similarity_parameters(rows, count, in->parameters, &d) : AGON_EMEMORY;
        free(rows);
    }
    const double row[] = {d.mean, d.relative, d.smallest, d.largest, count};
    for (int c = 0; c < 5; c++)
        out[c] = row[c];
    return rc ? failed(error, rc, "parameter_distance") : 0;
}

#define NETS .group = "nets", .shape = AGON_ONE, .needs = AGON_NEEDS_INSIDES | AGON_NEEDS_PAIR
#define DEAD                                                                                       \
    { "dead", "agents", 0, INFINITY, "agents left out: their layer never changes" }
#define MEASURED                                                                                   \
    { "agents", "agents", 0, INFINITY, "how many were compared; fewer than all: drawn by the key" }

const agon_metric agon__catalogue_nets[] = {
    {.name = "cka",
     .title = "Linear CKA",
     NETS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"biased", "1", 0, 1, "mean over pairs; high for unrelated nets with few inputs"},
                {"debiased", "1", -1, 1, "mean over pairs; 0 expected for unrelated nets"},
                DEAD},
     .formula = "|Y'X|^2 / (|X'X| |Y'Y|), columns centred; debiased: with the unbiased HSIC",
     .source = "Kornblith, Norouzi, Lee and Hinton 2019; Song et al. 2012; Nguyen, Raghu and "
               "Kornblith 2021",
     .caveat = "Led by the few largest directions: nets with high CKA can act differently and nets "
               "that act alike can have low CKA. Says nothing about behaviour.",
     .compute = compute_cka},
    {.name = "procrustes",
     .title = "Procrustes distance of layers",
     NETS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"distance", "1", 0, 2, "mean over pairs; 0: equal up to a rotation"},
                DEAD,
                MEASURED},
     .formula = "2 - 2 |X'Y|_*, columns centred, norms 1",
     .source = "Schoenemann 1966; Ding, Denain and Steinhardt 2021",
     .caveat = "Shape of a layer, not behaviour: a rotation that the next layer does not undo "
               "changes everything and is not seen.",
     .compute = compute_procrustes},
    {.name = "cca",
     .title = "Canonical correlations of layers",
     NETS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"cca", "1", 0, 1, "mean correlation over directions and pairs"},
                {"svcca", "1", 0, 1, "the same of the directions that hold 99 % of the variance"},
                DEAD,
                MEASURED},
     .formula = "mean singular value of Qx'Qy, Q orthonormal bases of the centred layers",
     .source = "Hotelling 1936; Raghu, Gilmer, Yosinski and Sohl-Dickstein 2017",
     .caveat = "Near 1 whatever the nets when there are few more inputs than units; CCA counts "
               "directions that hardly vary as much as the main ones.",
     .compute = compute_cca},
    {.name = "parameter_distance",
     .title = "Distance of parameters",
     NETS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"mean", "1", 0, INFINITY, "Euclidean, mean over pairs"},
                {"relative", "1", 0, INFINITY, "mean over the root mean square norm of a net"},
                {"smallest", "1", 0, INFINITY, "of the nearest pair"},
                {"largest", "1", 0, INFINITY, "of the farthest pair"},
                MEASURED},
     .formula = "|theta_i - theta_j|",
     .source = "folklore",
     .caveat = "Misleads: swapping hidden units moves a net far and changes nothing it does, and "
               "relatives stay close while they come to act differently. A trace of descent only.",
     .compute = compute_parameters},
    {0},
};
