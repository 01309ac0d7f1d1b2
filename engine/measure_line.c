/* The line of metrics.jsonl: names and nesting are part of the run format. */
#include "engine/measure.h"

#include "agents/real.h"
#include "engine/metrics/summary.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* NaN has no JSON; it becomes null. Versions of cJSON differ in how they print -0; it becomes 0. */
static cJSON* number_make(double x) {
    return isfinite(x) ? cJSON_CreateNumber(x + 0.0) : cJSON_CreateNull();
}

static void number(cJSON* to, const char* name, double x) {
    cJSON_AddItemToObject(to, name, number_make(x));
}

static void numbers(cJSON* to, const char* name, const double* x, int n) {
    cJSON* list = cJSON_AddArrayToObject(to, name);
    for (int i = 0; i < n; i++)
        cJSON_AddItemToArray(list, number_make(x[i]));
}

static void matrix(cJSON* to, const char* name, const double* x, int n) {
    cJSON* list = cJSON_AddArrayToObject(to, name);
    for (int i = 0; i < n; i++) {
        cJSON* row = cJSON_CreateArray();
        for (int j = 0; j < n; j++)
            cJSON_AddItemToArray(row, number_make(x[(size_t)i * (size_t)n + (size_t)j]));
        cJSON_AddItemToArray(list, row);
    }
}

/* With states weighted by how often uniform play comes to them. */
static void add_by_reach(cJSON* to, const agon_measured_behaviour* m) {
    if (!m->by_reach) {
        cJSON_AddNullToObject(to, "by_reach");
        cJSON_AddStringToObject(to, "by_reach_why",
                                "the probe set is a sample: not all information states");
        return;
    }
    cJSON* d = cJSON_AddObjectToObject(to, "by_reach");
    number(d, "J", m->reach_entropy.between);
    number(d, "within", m->reach_entropy.within);
    number(d, "mixture", m->reach_entropy.mixture);
    number(d, "vendi_1", m->reach_vendi_1);
}

static void add_behaviour(cJSON* d, const agon_measured_behaviour* m) {
    number(d, "J", m->entropy.between);
    number(d, "within", m->entropy.within);
    number(d, "mixture", m->entropy.mixture);
    number(d, "tv", m->total_variation);
    number(d, "vendi_1", m->vendi_1);
    number(d, "vendi_2", m->vendi_2);
    number(d, "vendi_inf", m->vendi_inf);
    number(d, "vendi_rescaled_1", m->vendi_rescaled_1);
    number(d, "vendi_greedy_1", m->vendi_greedy_1);
    number(d, "greedy_disagreement", m->greedy);
    number(d, "greedy_ties", m->ties);
    add_by_reach(d, m);
}

static void name_role(cJSON* to, const char* key, const agon_population* p, int role) {
    char name[AGON_ROLE_NAME];
    cJSON_AddStringToObject(to, key, agon_rules_role_name(p->rules, role, name, sizeof name));
}

static void add_role_behaviour(cJSON* to, const agon_population* p, const agon_measurement* m,
                               int role) {
    cJSON* d = cJSON_CreateObject();
    cJSON_AddItemToArray(to, d);
    name_role(d, "role", p, role);
    if (m->role_behaviour[role].defined)
        add_behaviour(d, &m->role_behaviour[role]);
    else
        cJSON_AddStringToObject(d, "why", "no probe state asks its seats");
}

/* With separate roles the numbers beside "by_role" are their means. */
static void add_diversity(cJSON* root, const agon_population* p, const agon_measurement* m) {
    cJSON* d = cJSON_AddObjectToObject(root, "diversity");
    cJSON_AddStringToObject(d, "weights", "equal per ply bucket, then per state");
    add_behaviour(d, &m->behaviour);
    if (m->roles == 1)
        return;
    cJSON* by_role = cJSON_AddArrayToObject(d, "by_role");
    for (int role = 0; role < m->roles; role++)
        add_role_behaviour(by_role, p, m, role);
}

/* Who is who, where roles are separate. */
static void add_roles(cJSON* root, const agon_population* p, const agon_measurement* m) {
    const int size = m->agents / m->roles;
    if (m->roles == 1)
        return;
    cJSON* all = cJSON_AddArrayToObject(root, "roles");
    for (int role = 0; role < m->roles; role++) {
        cJSON* d = cJSON_CreateObject();
        cJSON_AddItemToArray(all, d);
        name_role(d, "name", p, role);
        cJSON* seats = cJSON_AddArrayToObject(d, "seats");
        for (uint64_t set = agon_rules_role_seats(p->rules, role); set; set &= set - 1)
            cJSON_AddItemToArray(seats, cJSON_CreateNumber(__builtin_ctzll(set)));
        number(d, "first_agent", role * size);
        number(d, "agents", size);
        number(d, "best_agent", agon_measurement_best(m, role));
    }
}

static void add_cyclic(cJSON* to, const agon_measurement* m) {
    const double band[3] = {m->null.mean, m->null.low, m->null.high};
    number(to, "cyclic_fraction", m->null.exceeds ? m->cyclic : NAN);
    if (!m->null.exceeds)
        cJSON_AddStringToObject(to, "cyclic_why", "not above what noise alone would give");
    number(to, "cyclic_measured", m->cyclic);
    numbers(to, "cyclic_null", band, 3);
    number(to, "noise_share", m->null.noise_share);
}

static void add_payoff(cJSON* root, const agon_population* p, const agon_measurement* m) {
    cJSON* d = cJSON_AddObjectToObject(root, "payoff");
    cJSON_AddBoolToObject(d, "defined", m->antisymmetric);
    if (!m->antisymmetric) {
        cJSON_AddStringToObject(d, "why", agon_payoff_why(m));
        return;
    }
    cJSON* agents = cJSON_AddArrayToObject(d, "agents");
    for (int i = 0; i < m->rated; i++)
        cJSON_AddItemToArray(agents, cJSON_CreateNumber(m->agent[i]));
    add_cyclic(d, m);
    number(d, "nash_entropy", m->nash_entropy);
    number(d, "nash_support", agon_exp(m->nash_entropy));
    numbers(d, "nash_support_null", m->nash_null, 3);
    number(d, "effective_diversity", m->effective);
    numbers(d, "effective_diversity_null", m->effective_null, 3);
    number(d, "residual", m->residual);
    matrix(d, "matrix", m->payoff, m->rated);
    matrix(d, "se", m->payoff_se, m->rated);
    number(d, "games", agon_population_games(p->config, p->rules, p->config->metrics.games));
    cJSON_AddStringToObject(d, "protocol", "sampled at temperature 1, both seats, paired openings");
}

/* Agents of the first role (rows) against those of the second (columns). */
static void add_role_payoff(cJSON* root, const agon_population* p, const agon_measurement* m) {
    const int n = m->rated / m->roles;
    if (m->roles == 1)
        return;
    cJSON* d = cJSON_AddObjectToObject(root, "role_payoff");
    cJSON_AddItemToObject(d, "rows", cJSON_CreateIntArray(m->agent, n));
    cJSON_AddItemToObject(d, "columns", cJSON_CreateIntArray(m->agent + n, n));
    cJSON* by_role = cJSON_AddArrayToObject(d, "by_role");
    for (int role = 0; role < m->roles; role++) {
        const size_t at = (size_t)role * (size_t)n * (size_t)n;
        cJSON* each = cJSON_CreateObject();
        cJSON_AddItemToArray(by_role, each);
        name_role(each, "role", p, role);
        matrix(each, "matrix", m->role_return + at, n);
        matrix(each, "se", m->role_return_se + at, n);
    }
    number(d, "games", agon_population_games(p->config, p->rules, p->config->metrics.games));
    cJSON_AddStringToObject(d, "protocol", "sampled at temperature 1, games of its own each");
    cJSON_AddStringToObject(d, "unit", "mean return of the role's seats");
}

static void add_rating(cJSON* root, const agon_measurement* m) {
    if (!m->rating_defined) {
        cJSON_AddNullToObject(root, "rating");
        return;
    }
    cJSON* d = cJSON_AddObjectToObject(root, "rating");
    numbers(d, "elo", m->elo, m->rated);
    numbers(d, "se", m->elo_se, m->rated);
    number(d, "prior_sd", 350);
}

/* The scores of a role's agents against anchor k. */
static void add_score(cJSON* d, const agon_measurement* m, int k, int role) {
    const int size = m->agents / m->roles, best = agon_measurement_best(m, role);
    const double* each = m->score + (size_t)k * (size_t)m->agents;
    number(d, "mean", agon_summary_mean(each + role * size, size));
    number(d, "best", each[best]);
    number(d, "se", m->score_se[(size_t)k * (size_t)m->agents + (size_t)best]);
}

/* Scores of different roles are not of one kind: they are given apart. */
static void add_scores_by_role(cJSON* to, const agon_population* p, const agon_measurement* m,
                               int k) {
    cJSON* by_role = cJSON_AddArrayToObject(to, "by_role");
    for (int role = 0; role < m->roles; role++) {
        cJSON* d = cJSON_CreateObject();
        cJSON_AddItemToArray(by_role, d);
        name_role(d, "role", p, role);
        add_score(d, m, k, role);
    }
}

static void add_scores(cJSON* root, const agon_population* p, const agon_measurement* m) {
    cJSON* all = cJSON_AddObjectToObject(root, "score");
    for (int k = 0; k < m->anchors; k++) {
        const double* each = m->score + (size_t)k * (size_t)m->agents;
        cJSON* d = cJSON_AddObjectToObject(all, p->anchors.ref[k]);
        if (m->roles == 1)
            add_score(d, m, k, 0);
        else
            add_scores_by_role(d, p, m, k);
        numbers(d, "each", each, m->agents);
        number(d, "games", m->anchor_games);
        cJSON_AddStringToObject(d, "protocol", agon_score_protocol(p));
        cJSON_AddStringToObject(d, "unit", agon_score_unit(p));
    }
    if (m->roles == 1)
        number(root, "best_agent", agon_measurement_best(m, 0));
}

/* Under the game's own names; absent where the game has none. */
static void add_numbers(cJSON* root, const agon_population* p, const agon_measurement* m) {
    const agon_spec* spec = &p->rules->spec;
    cJSON* features = m->features ? cJSON_AddObjectToObject(root, "features") : NULL;
    cJSON* stats = m->stats ? cJSON_AddObjectToObject(root, "stats") : NULL;
    for (int f = 0; f < m->features; f++)
        numbers(features, spec->feature_names[f], m->feature + (size_t)f * (size_t)m->agents,
                m->agents);
    for (int s = 0; s < m->stats; s++)
        number(stats, spec->stat_names[s], m->stat[s]);
}

static const char* why_inexact(const agon_population* p, const agon_measurement* m) {
    if (m->roles > 1)
        return "no agent plays all roles";
    return agon_net_memory(&p->net)
               ? "the tree has more than metrics.exact_nodes nodes, or several lines lead to one "
                 "place in it, where nets with memory have no single answer"
               : "the tree has more than metrics.exact_nodes nodes";
}

static void add_exact(cJSON* root, const agon_population* p, const agon_measurement* m) {
    if (!m->exact) {
        cJSON_AddNullToObject(root, "nash_conv");
        cJSON_AddStringToObject(root, "nash_conv_why", why_inexact(p, m));
        return;
    }
    cJSON* d = cJSON_AddObjectToObject(root, "nash_conv");
    number(d, "median", m->nash_conv_median);
    numbers(d, "each", m->nash_conv, m->agents);
    cJSON_AddStringToObject(d, "protocol", "exact; sampled policy at temperature 1");
    if (isnan(m->value))
        return;
    cJSON* w = cJSON_AddObjectToObject(root, "against_optimal");
    numbers(w, "worst_first", m->worst_first, m->agents);
    numbers(w, "worst_second", m->worst_second, m->agents);
    number(w, "value", m->value);
    cJSON_AddStringToObject(w, "protocol",
                            "exact; greedy policy, lowest return over all optimal replies");
}

char* agon_measurement_line(const agon_population* p, const agon_measurement* m) {
    cJSON* root = cJSON_CreateObject();
    number(root, "generation", m->generation);
    number(root, "steps", m->steps);
    number(root, "agents", m->agents);
    cJSON_AddStringToObject(root, "game", p->rules->name);
    cJSON_AddStringToObject(root, "probes", p->probes);
    if (p->probe_set)
        cJSON_AddStringToObject(root, "probe_set", p->probe_set);
    number(root, "probe_states", agon_record_probe(p->record, m->generation, 0)->states);
    add_roles(root, p, m);
    add_diversity(root, p, m);
    add_payoff(root, p, m);
    add_role_payoff(root, p, m);
    add_rating(root, m);
    add_scores(root, p, m);
    add_numbers(root, p, m);
    add_exact(root, p, m);
    char* text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return text;
}
