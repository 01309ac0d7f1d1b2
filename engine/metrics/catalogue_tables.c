/* catalogue_tables.c: strength and returns from games with everyone's return. */
#include "engine/metrics/metric.h"
#include "engine/metrics/plackett_luce.h"

#include <math.h>
#include <stdlib.h>

#define PRIOR_SD  350 /* rating points */
#define NORMAL_95 1.959963984540054

static int failed(agon_error* error, int code, const char* what) {
    return agon_fail(error, code, "%s: %s", what,
                     code == AGON_EMEMORY ? "out of memory"
                                          : "more than 1,000 agents or 32 seats, or a return that "
                                            "is not a number");
}

static int compute_plackett_luce(const agon_evidence* e, const agon_metric_options* options,
                                 double* out, agon_error* error) {
    const agon_tables* t = &e->tables;
    const size_t n = (size_t)e->agents;
    double *rating = calloc(5 * n, sizeof *rating), *se = rating + n, *own = se + n;
    if (!rating)
        return failed(error, AGON_EMEMORY, "plackett_luce");
    double *social = own + n, *count = social + n;
    int rc =
        agon_plackett_luce(t->agent, t->value, t->games, t->seats, e->agents, PRIOR_SD, rating, se);
    if (!rc)
        rc = agon_table_returns(t->agent, t->value, t->games, t->seats, e->agents, own, social,
                                count);
    for (size_t i = 0; !rc && i < n; i++) {
        const bool sat = count[i] > 0;
        out[4 * i] = sat ? rating[i] : NAN;
        out[4 * i + 1] = sat ? se[i] : NAN;
        out[4 * i + 2] = sat ? rating[i] - NORMAL_95 * se[i] : NAN;
        out[4 * i + 3] = sat ? rating[i] + NORMAL_95 * se[i] : NAN;
    }
    free(rating);
    return rc ? failed(error, rc, "plackett_luce") : 0;
}

static int compute_returns(const agon_evidence* e, const agon_metric_options* options, double* out,
                           agon_error* error) {
    const agon_tables* t = &e->tables;
    const size_t n = (size_t)e->agents;
    double* own = calloc(3 * n, sizeof *own);
    if (!own)
        return failed(error, AGON_EMEMORY, "returns");
    const int rc = agon_table_returns(t->agent, t->value, t->games, t->seats, e->agents, own,
                                      own + n, own + 2 * n);
    for (size_t i = 0; !rc && i < n; i++)
        for (size_t c = 0; c < 3; c++)
            out[3 * i + c] = own[c * n + i];
    free(own);
    return rc ? failed(error, rc, "returns") : 0;
}

static int compute_social(const agon_evidence* e, const agon_metric_options* options, double* out,
                          agon_error* error) {
    const agon_tables* t = &e->tables;
    const int rc = agon_table_social(t->agent, t->value, t->games, t->seats, &out[0], &out[1]);
    out[2] = t->games;
    return rc ? failed(error, rc, "social_return") : 0;
}

const agon_metric agon__catalogue_tables[] = {
    {.name = "plackett_luce",
     .title = "Plackett-Luce ratings",
     .group = "rating",
     .headline = true,
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_TABLES,
     .column = {{"elo", "Elo", -INFINITY, INFINITY, "rating; 0 is the prior's mean"},
                {"se", "Elo", 0, INFINITY, "standard error of the difference to the mean"},
                {"low", "Elo", -INFINITY, INFINITY, "95 % interval"},
                {"high", "Elo", -INFINITY, INFINITY, "95 % interval"}},
     .formula = "P(order) = prod_k w_k / (w_k + ... + w_last), w = 10^(R / 400); R ~ N(0, 350^2); "
                "equal returns: mean log likelihood over their orders",
     .source = "Luce 1959; Plackett 1975; ties: after Efron 1977",
     .caveat =
         "Ranks alone count, a win by much is a win; strength is one number, and alliances and "
         "who sat beside whom are lost. With two seats it is Bradley-Terry.",
     .compute = compute_plackett_luce},
    {.name = "returns",
     .title = "Own and social return",
     .group = "rating",
     .headline = true,
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_TABLES,
     .column = {{"own", "return", -INFINITY, INFINITY, "mean over the seats that the agent held"},
                {"social", "return", -INFINITY, INFINITY,
                 "mean over all seats of the games it sat in"},
                {"seats", "seats", 0, INFINITY, "that it held"}},
     .formula = "own_i = mean of its returns; social_i = mean of all returns at its tables",
     .source = "standard",
     .caveat = "Of this company: an agent is rich among those who give, and a table is rich by all "
               "who sit there. In a constant-sum game social return is a constant.",
     .compute = compute_returns},
    {.name = "social_return",
     .title = "Social return of the population",
     .group = "rating",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_TABLES,
     .column = {{"mean", "return", -INFINITY, INFINITY, "mean return of a seat"},
                {"spread", "return", 0, INFINITY,
                 "standard deviation of the returns of one table, mean over games"},
                {"games", "games", 0, INFINITY, "that were played"}},
     .formula = "mean over games and seats; mean over games of sd over seats",
     .source = "standard",
     .caveat = "Says how well all fare, not who causes it; in a constant-sum game the mean is a "
               "constant. Games count as independent.",
     .compute = compute_social},
    {0},
};
