/* catalogue_payoff.c: who beats whom: equilibria, ladder and cycles. */
#include "engine/metrics/catalogue_payoff.h"

#include "agents/real.h"
#include "engine/metrics/hodge.h"
#include "engine/metrics/nash_clusters.h"
#include "engine/metrics/payoff.h"

#include <stdlib.h>

#define SUPPORT 1e-6
#define WORLDS  100 /* in which membership is asked */
#define FEWER   20  /* the same beyond MANY agents: 3 s at 200 */
#define MANY    100

/* ---- equilibrium --------------------------------------------------------------------------- */

/* p: (payoff agents). */
static int solve_nash(const agon_evidence* e, const char* metric, double* p, double* residual,
                      agon_error* error) {
    const int n = e->payoffs.agents;
    int rc = agon__payoff_size(n, metric, error);
    if (rc)
        return rc;
    rc = agon_payoff_nash(e->payoffs.mean, n, p, residual);
    return rc ? agon__payoff_fail(error, rc, metric) : 0;
}

static int compute_nash(const agon_evidence* e, const agon_metric_options* options, double* out,
                        agon_error* error) {
    const int n = e->payoffs.agents;
    double residual, support = 0, *p = malloc((size_t)n * sizeof *p);
    int rc = p ? solve_nash(e, "nash", p, &residual, error)
               : agon__payoff_fail(error, AGON_EMEMORY, "nash");
    if (!rc) {
        for (int i = 0; i < n; i++)
            support += p[i] > SUPPORT;
        out[1] = agon_payoff_entropy(p, n);
        out[0] = agon_exp(out[1]);
        out[2] = support;
        out[3] = agon_payoff_effective_diversity(e->payoffs.mean, p, n);
        out[4] = residual > 0 ? residual : 0;
    }
    free(p);
    return rc;
}

static int compute_nash_mixture(const agon_evidence* e, const agon_metric_options* options,
                                double* out, agon_error* error) {
    const int n = e->payoffs.agents;
    double residual, *p = malloc((size_t)n * sizeof *p);
    int rc = p ? solve_nash(e, "nash_mixture", p, &residual, error)
               : agon__payoff_fail(error, AGON_EMEMORY, "nash_mixture");
    if (!rc)
        agon__payoff_blank(out, e->agents, 2);
    for (int i = 0; !rc && i < n; i++) {
        double* row = out + 2 * (size_t)e->payoffs.member[i];
        row[0] = p[i];
        row[1] = 0;
        for (int j = 0; j < n; j++)
            row[1] += e->payoffs.mean[(size_t)i * n + j] * p[j];
    }
    free(p);
    return rc;
}

static int compute_nash_membership(const agon_evidence* e, const agon_metric_options* options,
                                   double* out, agon_error* error) {
    const agon_payoffs* m = &e->payoffs;
    int rc = agon__payoff_size(m->agents, "nash_membership", error);
    if (rc)
        return rc;
    if (!m->error)
        return agon_fail(error, AGON_EINVALID, "nash_membership: no standard errors are known");
    const int worlds = m->agents > MANY ? FEWER : WORLDS;
    agon_nash_membership* got = malloc((size_t)m->agents * sizeof *got);
    rc = got ? agon_nash_membership_sample(m->mean, m->error, m->agents, worlds, options->key, got)
             : AGON_EMEMORY;
    if (rc == AGON_EINVALID)
        rc = agon_fail(error, rc, "nash_membership: a pay-off or a standard error is not known");
    else if (rc)
        agon__payoff_fail(error, rc, "nash_membership");
    else
        agon__payoff_blank(out, e->agents, 4);
    for (int i = 0; !rc && i < m->agents; i++) {
        double* row = out + 4 * (size_t)m->member[i];
        row[0] = got[i].frequency;
        row[1] = got[i].mean;
        row[2] = got[i].low;
        row[3] = got[i].high;
    }
    free(got);
    return rc;
}

/* ---- ladder and cycles --------------------------------------------------------------------- */

/* Pay-offs and logits as hodge.h takes them; one block. */
typedef struct ladder {
    int n;
    double *weight, *logit, *logit_error; /* (n, n); logits NULL when wins are not known */
    double *f, *logit_f;                  /* (n) */
    int* component;                       /* (n) */
    agon_hodge pay, log;
} ladder;

/* Games where they are known of every pair that met, else all alike; 0: never met. */
static void put_weights(const agon_payoffs* m, double* weight) {
    const size_t cells = (size_t)m->agents * m->agents;
    bool counted = m->games != NULL;
    for (size_t i = 0; i < cells; i++)
        counted &= isnan(m->mean[i]) || i % ((size_t)m->agents + 1) == 0 || m->games[i] > 0;
    for (size_t i = 0; i < cells; i++)
        weight[i] = isnan(m->mean[i]) ? 0 : counted ? m->games[i] : 1;
}

static int ladder_open(ladder* s, const agon_payoffs* m) {
    const size_t n = (size_t)m->agents, cells = n * n;
    *s = (ladder){.n = m->agents};
    s->weight = malloc((3 * cells + 2 * n) * sizeof *s->weight);
    s->component = malloc(n * sizeof *s->component);
    if (!s->weight || !s->component)
        return AGON_EMEMORY;
    s->f = s->weight + 3 * cells;
    s->logit_f = s->f + n;
    if (m->wins) {
        s->logit = s->weight + cells;
        s->logit_error = s->logit + cells;
    }
    put_weights(m, s->weight);
    return 0;
}

static void ladder_close(ladder* s) {
    free(s->weight);
    free(s->component);
}

/* weighted: by games; else every pair that met counts alike. */
static int ladder_fit(ladder* s, const agon_payoffs* m, bool weighted) {
    const double* weight = weighted ? s->weight : NULL;
    int rc = agon_hodge_rank(m->mean, weight, m->error, s->n, s->f, s->component, &s->pay);
    if (!rc && s->logit) {
        rc = agon_hodge_logits(m->wins, s->n, s->logit, s->logit_error);
        if (!rc) /* NaN of those that never met says so by itself */
            rc = agon_hodge_rank(s->logit, NULL, s->logit_error, s->n, s->logit_f, NULL, &s->log);
    }
    return rc;
}

static int ladder_make(ladder* s, const agon_evidence* e, bool weighted, const char* metric,
                       agon_error* error) {
    *s = (ladder){0};
    int rc = agon__payoff_size(e->payoffs.agents, metric, error);
    if (rc)
        return rc;
    rc = ladder_open(s, &e->payoffs);
    if (!rc)
        rc = ladder_fit(s, &e->payoffs, weighted);
    return rc ? agon__payoff_fail(error, rc, metric) : 0;
}

static int compute_cyclic(const agon_evidence* e, const agon_metric_options* options, double* out,
                          agon_error* error) {
    ladder s;
    const int rc = ladder_make(&s, e, false, "cyclic", error);
    if (!rc) {
        double triples;
        out[0] = s.pay.fraction;
        out[1] = s.pay.debiased;
        out[2] = agon_hodge_three_cycles(e->payoffs.mean, s.n, &triples);
        out[3] = triples > 0 ? out[2] / triples : NAN;
        out[4] = s.logit ? s.log.fraction : NAN;
        out[5] = s.logit ? s.log.debiased : NAN;
    }
    ladder_close(&s);
    return rc;
}

static int compute_cyclic_met(const agon_evidence* e, const agon_metric_options* options,
                              double* out, agon_error* error) {
    ladder s;
    const int rc = ladder_make(&s, e, true, "cyclic_met", error);
    if (!rc) {
        double met = 0;
        for (int i = 0; i < s.n; i++) {
            for (int j = 0; j < s.n; j++)
                met += i != j && s.weight[i * s.n + j] > 0;
        }
        out[0] = s.pay.fraction;
        out[1] = s.pay.debiased;
        out[2] = s.logit ? s.log.fraction : NAN;
        out[3] = s.logit ? s.log.debiased : NAN;
        out[4] = s.n > 1 ? met / ((double)s.n * (s.n - 1)) : NAN;
        out[5] = s.pay.components;
    }
    ladder_close(&s);
    return rc;
}

static int compute_hodge(const agon_evidence* e, const agon_metric_options* options, double* out,
                         agon_error* error) {
    ladder s;
    const int rc = ladder_make(&s, e, true, "hodge", error);
    if (!rc)
        agon__payoff_blank(out, e->agents, 3);
    for (int i = 0; !rc && i < s.n; i++) {
        double* row = out + 3 * (size_t)e->payoffs.member[i];
        row[0] = s.f[i];
        row[1] = s.logit ? s.logit_f[i] : NAN;
        row[2] = s.component[i];
    }
    ladder_close(&s);
    return rc;
}

/* ---- the table ----------------------------------------------------------------------------- */

const agon_metric agon__catalogue_payoff[] = {
    {.name = "nash",
     .title = "Nash equilibrium of the population",
     .group = "payoff",
     .headline = true,
     .shape = AGON_ONE,
     .needs = AGON__ON_PAYOFFS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"exp_entropy", "agents", 1, INFINITY,
                 "exp(entropy): effective number of agents that the best mixture needs"},
                {"entropy", "nats", 0, INFINITY, "entropy of the equilibrium"},
                {"support", "agents", 1, INFINITY, "agents with more than 1e-6 of its mass"},
                {"effective_diversity", "pay-off", 0, 0.5,
                 "how much the agents of the equilibrium beat one another; 0: one dominates"},
                {"residual", "pay-off", 0, INFINITY,
                 "what a best response would still gain: how exact the solution is"}},
     .formula = "p: Nash equilibrium of M with the most entropy; H(p), exp H(p), "
                "p' max(M, 0) p, max_i (M p)_i",
     .source = "Balduzzi, Tuyls, Perolat and Graepel 2018; Balduzzi et al. 2019",
     .caveat = "Equal agents measured with noise have an equilibrium of many, too: read it beside "
               "its null. It knows strategies only by results: two that beat the same agents are "
               "one.",
     .compute = compute_nash},
    {.name = "nash_mixture",
     .title = "Nash averaging",
     .group = "payoff",
     .shape = AGON_PER_AGENT,
     .needs = AGON__ON_PAYOFFS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"mass", "1", 0, 1, "share of the agent in the equilibrium of most entropy"},
                {"skill", "pay-off", -1, 1,
                 "mean pay-off against the equilibrium: 0 in its support, less outside"}},
     .formula = "p_i and (M p)_i",
     .source = "Balduzzi, Tuyls, Perolat and Graepel 2018",
     .caveat =
         "Everyone in the support has skill 0, so it does not rank them; a mass may jump when "
         "a pay-off moves by little. See nash_membership.",
     .compute = compute_nash_mixture},
    {.name = "nash_membership",
     .title = "How sure an agent is in the equilibrium",
     .group = "payoff",
     .shape = AGON_PER_AGENT,
     .needs = AGON__ON_PAYOFFS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"frequency", "1", 0, 1, "share of noisy worlds with the agent in the support"},
                {"mean", "1", 0, 1, "mean mass over the worlds"},
                {"low", "1", 0, 1, "2.5 % quantile of the mass"},
                {"high", "1", 0, 1, "97.5 % quantile of the mass"}},
     .formula = "equilibria of 100 matrices M + noise of the standard errors; 20 beyond 100 agents",
     .source = "Czarnecki et al. 2020, by parametric bootstrap",
     .caveat = "M holds its own noise already and gets as much again: supports come out wider than "
               "those of the true pay-offs.",
     .compute = compute_nash_membership},
    {.name = "cyclic",
     .title = "Cyclic fraction",
     .group = "payoff",
     .headline = true,
     .shape = AGON_ONE,
     .needs = AGON__ON_PAYOFFS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"fraction", "1", 0, 1, "share of the pay-offs' energy that no ladder explains"},
                {"debiased", "1", 0, 1,
                 "the same without the expected energy of the noise; nan: no more than noise"},
                {"three_cycles", "triples", 0, INFINITY,
                 "triples of agents that beat one another in a circle"},
                {"three_cycle_share", "1", 0, 1, "of all triples; 1/4 for a coin, 0 for a ladder"},
                {"logit_fraction", "1", 0, 1,
                 "fraction on the scale of ratings: 0 where a rating explains all"},
                {"logit_debiased", "1", 0, 1, "the same without the expected energy of the noise"}},
     .formula = "|C|^2 / |M|^2 with M_ij = f_i - f_j + C_ij, f_i = mean_j M_ij; logits: "
                "ln((W_ij + 1/2) / (W_ji + 1/2)) for M",
     .source = "Candogan et al. 2011; Jiang et al. 2011; Balduzzi et al. 2018",
     .caveat =
         "Cyclic means not additive: a perfect ladder of wins has 1/9 and more. Of equal "
         "agents 1 - 2/n of the noise is cyclic: claim cycles only above the null. Noise raises "
         "the fractions, and their intervals once more: where it is large these lie above "
         "the truth, those of the debiased columns do not.",
     .compute = compute_cyclic},
    {.name = "cyclic_met",
     .title = "Cyclic fraction with missing pairs",
     .group = "payoff",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_PAYOFFS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"fraction", "1", 0, 1, "share of the energy that no ladder explains, by games"},
                {"debiased", "1", 0, 1,
                 "the same without the expected energy of the noise; nan: no more than noise"},
                {"logit_fraction", "1", 0, 1, "fraction on the scale of ratings, pairs alike"},
                {"logit_debiased", "1", 0, 1, "the same without the expected energy of the noise"},
                {"met", "1", 0, 1, "share of the pairs that met"},
                {"components", "groups", 1, INFINITY,
                 "groups that never met, not even through others"}},
     .formula = "min_f sum_ij w_ij (M_ij - f_i + f_j)^2 / sum_ij w_ij M_ij^2, w games of the pair",
     .source = "Jiang, Lim, Yao and Ye 2011 (HodgeRank)",
     .caveat = "It sees only circles of pairs that met: a population where few met looks like a "
               "ladder. Defined for two seats with zero or constant sum.",
     .compute = compute_cyclic_met},
    {.name = "hodge",
     .title = "Transitive strength",
     .group = "payoff",
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_PAYOFFS,
     .sharpness = AGON_SHARPNESS_NONE,
     .column = {{"strength", "pay-off", -INFINITY, INFINITY,
                 "f of the ladder that fits best; adds up to 0 in each component"},
                {"logit", "logits", -INFINITY, INFINITY,
                 "the same on the scale of ratings (Elo: times 173.7)"},
                {"component", "number", 0, INFINITY,
                 "group of agents that met one another: strengths compare within one only"}},
     .formula = "f minimises sum_ij w_ij (M_ij - f_i + f_j)^2, w games of the pair",
     .source = "Jiang, Lim, Yao and Ye 2011 (HodgeRank)",
     .caveat = "A mean over the opponents met: in a cyclic population it depends on who they are, "
               "and copies of an agent change it.",
     .compute = compute_hodge},
    {0},
};
