/* The line of metrics.jsonl: names and nesting are part of the run format. */
#include "engine/measure.h"

#include "agents/real.h"
#include "engine/summary.h"

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
static void add_by_reach(cJSON* to, const agon_measurement* m) {
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

static void add_diversity(cJSON* root, const agon_measurement* m) {
    cJSON* d = cJSON_AddObjectToObject(root, "diversity");
    cJSON_AddStringToObject(d, "weights", "equal per ply bucket, then per state");
    number(d, "J", m->entropy.between);
    number(d, "within", m->entropy.within);
    number(d, "mixture", m->entropy.mixture);
    number(d, "tv", m->total_variation);
    number(d, "vendi_1", m->vendi_1);
    number(d, "vendi_2", m->vendi_2);
    number(d, "vendi_inf", m->vendi_inf);
    number(d, "greedy_disagreement", m->greedy);
    number(d, "greedy_ties", m->ties);
    add_by_reach(d, m);
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
        cJSON_AddStringToObject(d, "why",
                                "defined for two seats with zero or constant sum; this game has "
                                "more seats or a general sum");
        return;
    }
    cJSON* agents = cJSON_AddArrayToObject(d, "agents");
    for (int i = 0; i < m->rated; i++)
        cJSON_AddItemToArray(agents, cJSON_CreateNumber(m->agent[i]));
    add_cyclic(d, m);
    number(d, "nash_entropy", m->nash_entropy);
    number(d, "nash_support", agon_exp(m->nash_entropy));
    number(d, "effective_diversity", m->effective);
    number(d, "residual", m->residual);
    matrix(d, "matrix", m->payoff, m->rated);
    matrix(d, "se", m->payoff_se, m->rated);
    number(d, "games", agon_population_games(p->rules, p->config->metrics.games));
    cJSON_AddStringToObject(d, "protocol", "sampled at temperature 1, both seats, paired openings");
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

static void add_scores(cJSON* root, const agon_population* p, const agon_measurement* m) {
    cJSON* all = cJSON_AddObjectToObject(root, "score");
    const int best = agon_measurement_best(m);
    for (int k = 0; k < m->anchors; k++) {
        const double* each = m->score + (size_t)k * (size_t)m->agents;
        cJSON* d = cJSON_AddObjectToObject(all, p->anchors.ref[k]);
        number(d, "mean", agon_summary_mean(each, m->agents));
        number(d, "best", each[best]);
        number(d, "se", m->score_se[(size_t)k * (size_t)m->agents + (size_t)best]);
        numbers(d, "each", each, m->agents);
        number(d, "games", m->anchor_games);
        cJSON_AddStringToObject(d, "protocol", agon_score_protocol(p));
        cJSON_AddStringToObject(d, "unit", agon_score_unit(p));
    }
    number(root, "best_agent", best);
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

static void add_exact(cJSON* root, const agon_measurement* m) {
    if (!m->exact) {
        cJSON_AddNullToObject(root, "nash_conv");
        cJSON_AddStringToObject(root, "nash_conv_why",
                                "the tree has more than metrics.exact_nodes nodes");
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
    number(root, "probe_states", agon_record_probe(p->record, m->generation, 0)->states);
    add_diversity(root, m);
    add_payoff(root, p, m);
    add_rating(root, m);
    add_scores(root, p, m);
    add_numbers(root, p, m);
    add_exact(root, m);
    char* text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return text;
}
