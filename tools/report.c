#include "tools/report.h"

#include "tools/panel.h"
#include "tools/train_profile.h"
#include "tools/ui.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int last_measured(const agon_training* t) {
    const agon_population* p = &t->population;
    for (int g = t->config.train.generations; g >= 0; g--)
        if (agon_population_measures(p, g) && agon_population_trained(p, g) &&
            agon_population_measured(p, g))
            return g;
    return -1;
}

typedef struct standing {
    double rating;
    int role, agent, place; /* place: in the rated sample, or -1 */
} standing;

static int by_rating(const void* a, const void* b) {
    const standing *x = a, *y = b;
    if (x->role != y->role)
        return x->role - y->role;
    return x->rating != y->rating ? (x->rating < y->rating) - (x->rating > y->rating)
                                  : x->agent - y->agent;
}

static int role_of(const agon_measurement* m, int agent) {
    return agent / (m->agents / m->roles);
}

/* Role by role, best first; agents outside the rated sample last. */
static void order_agents(const agon_measurement* m, standing* order) {
    for (int a = 0; a < m->agents; a++)
        order[a] = (standing){-INFINITY, role_of(m, a), a, -1};
    for (int i = 0; m->rating_defined && i < m->rated; i++)
        order[m->agent[i]] = (standing){m->elo[i], role_of(m, m->agent[i]), m->agent[i], i};
    qsort(order, (size_t)m->agents, sizeof *order, by_rating);
}

/* Scripted players of the closing evaluation. */
static int final_anchors(const agon_training* t) {
    return t->config.metrics.final_games > 0 ? t->population.anchors.count : 0;
}

static int shown_in(const char* ref, int most) {
    const int shown = agon_ref_shown(ref);
    return shown < most ? shown : most;
}

static void print_header(FILE* out, const agon_training* t, const agon_measurement* m) {
    fprintf(out, "\n %s agent%s    rating", agon_ui_colour(out, AGON_BOLD),
            m->roles > 1 ? "  role        " : "");
    for (int k = 0; k < final_anchors(t); k++)
        fprintf(out, "  %12.*s", shown_in(t->population.anchors.ref[k], 12),
                t->population.anchors.ref[k]);
    if (m->exact)
        fprintf(out, "  NashConv");
    if (m->exact && !isnan(m->value))
        fprintf(out, "   worst");
    fprintf(out, "     steps%s\n", agon_ui_colour(out, AGON_PLAIN));
}

static void print_agent(FILE* out, const agon_training* t, const agon_measurement* m,
                        const standing* s, bool best) {
    char steps[16], role[AGON_ROLE_NAME];
    fprintf(out, " %c %4d", best ? '*' : ' ', s->agent);
    if (m->roles > 1)
        fprintf(out, "  %-12.12s", agon_rules_role_name(t->rules, s->role, role, sizeof role));
    if (s->place >= 0 && m->rating_defined)
        fprintf(out, "  %+4.0f ±%3.0f", rint(m->elo[s->place]) + 0.0, m->elo_se[s->place]);
    else
        fprintf(out, "  %9s", "-");
    for (int k = 0; k < final_anchors(t); k++) {
        const agon_match_result* x = agon_record_final(t->population.record, s->agent, k);
        double score, se;
        if (!x) {
            fprintf(out, "  %12s", "not yet");
            continue;
        }
        agon_match_score(&t->population, x, &score, &se);
        if (agon_population_points(&t->population))
            fprintf(out, "  %5.1f ±%3.1f %%", 100 * score, 100 * se);
        else
            fprintf(out, "  %+6.3f ±%.3f", score, se);
    }
    if (m->exact)
        fprintf(out, "  %8.4f", m->nash_conv[s->agent]);
    if (m->exact && !isnan(m->value))
        fprintf(out, "  %+2g / %+2g", m->worst_first[s->agent], m->worst_second[s->agent]);
    const agon_train_result* r = agon_record_train(t->population.record, m->generation, s->agent);
    agon_panel_count((double)r->total_steps, steps);
    fprintf(out, "  %8s\n", steps);
}

/* Anchors that agents also train against: then a score is no test on strangers, and says so. */
static void print_met(FILE* out, const agon_training* t) {
    const agon_population* p = &t->population;
    const bool met =
        t->config.league.kind == AGON_LEAGUE_FIXED ||
        (t->config.league.kind != AGON_LEAGUE_MIRROR && t->config.league.anchor_share > 0);
    int count = 0;
    for (int k = 0; met && k < p->anchors.count; k++)
        for (int i = 0; i < p->opponents.count; i++)
            if (strcmp(p->anchors.ref[k], p->opponents.ref[i]) == 0)
                fprintf(out, "%s%.*s", count++ ? ", " : "   Also met in training: ",
                        agon_ref_shown(p->anchors.ref[k]), p->anchors.ref[k]);
    if (count)
        fprintf(out, ".\n");
}

static void print_protocol(FILE* out, const agon_training* t, const agon_measurement* m) {
    fprintf(out, "\n");
    if (m->rating_defined)
        fprintf(out,
                " rating: Bradley-Terry, Elo scale, error against the mean; %d sampled games a\n"
                "   pair at generation %d; * has the best %s there%s.\n",
                agon_population_games(&t->config, t->rules, t->config.metrics.games), m->generation,
                m->antisymmetric ? "mean pay-off" : "rating", m->roles > 1 ? ", of its role" : "");
    if (final_anchors(t))
        fprintf(out, " scripted players: %s, %d other games each;\n   %s.\n",
                agon_score_unit(&t->population),
                agon_population_games(&t->config, t->rules, t->config.metrics.final_games),
                agon_score_protocol(&t->population));
    if (final_anchors(t))
        print_met(out, t);
    if (m->exact)
        fprintf(out, " NashConv: exact, sampled policy; 0 at an equilibrium; median %.4f.\n",
                m->nash_conv_median);
    if (m->exact && !isnan(m->value))
        fprintf(out,
                " worst: exact, greedy policy; lowest return over all optimal replies, moving\n"
                "   first / second; the game's value is %+g.\n",
                m->value);
    if (t->population.left_out[0])
        fprintf(out, " left out: %s\n", t->population.left_out);
}

/* of: " of the prey", or "". */
static void print_behaviour(FILE* out, const agon_measured_behaviour* m, int agents,
                            const char* of) {
    fprintf(out,
            "\n diversity%s: Vendi score %.2f of %d agent%s (order 2: %.2f, inf: %.2f)\n"
            "   %.2f at equal entropy, %.2f of first choices\n"
            "   J %.3f + within %.3f = mixture %.3f nats; total variation %.3f;\n"
            "   greedy actions differ in %.1f %%\n",
            of, m->vendi_1, agents, agents == 1 ? "" : "s", m->vendi_2, m->vendi_inf,
            m->vendi_rescaled_1, m->vendi_greedy_1, m->entropy.between, m->entropy.within,
            m->entropy.mixture, m->total_variation, 100 * m->greedy);
    if (m->by_reach)
        fprintf(out, "   weighted by reach: Vendi %.2f, J %.3f + within %.3f nats\n",
                m->reach_vendi_1, m->reach_entropy.between, m->reach_entropy.within);
}

static void print_role_diversity(FILE* out, const agon_training* t, const agon_measurement* m) {
    for (int role = 0; role < m->roles; role++) {
        char name[AGON_ROLE_NAME], of[AGON_ROLE_NAME + 16];
        agon_rules_role_name(t->rules, role, name, sizeof name);
        snprintf(of, sizeof of, " of role %s", name);
        if (m->role_behaviour[role].defined)
            print_behaviour(out, &m->role_behaviour[role], m->agents / m->roles, of);
        else
            fprintf(out, "\n diversity%s: n/a: no probe state asks its seats\n", of);
    }
    fprintf(out, " pay-offs: n/a: agents of one role never meet\n");
}

static void print_diversity(FILE* out, const agon_training* t, const agon_measurement* m) {
    if (m->roles > 1) {
        print_role_diversity(out, t, m);
        return;
    }
    print_behaviour(out, &m->behaviour, m->agents, "");
    if (!m->antisymmetric || m->rated < 2) {
        fprintf(out, " pay-offs: n/a: %s\n",
                m->rated < 2 ? "one agent" : "more than two seats, or a general sum");
        return;
    }
    if (m->null.exceeds)
        fprintf(out, " pay-offs: cyclic fraction %.3f (noise alone: %.3f to %.3f)", m->cyclic,
                m->null.low, m->null.high);
    else
        fprintf(out, " pay-offs: cyclic fraction not above noise");
    fprintf(out, ";\n   Nash support %.2f agents", exp(m->nash_entropy));
    if (!isnan(m->nash_null[1]))
        fprintf(out, " (noise alone: %.2f to %.2f)", m->nash_null[1], m->nash_null[2]);
    fprintf(out, ",\n   effective diversity %.4f", m->effective);
    if (!isnan(m->effective_null[1]))
        fprintf(out, " (noise alone: %.4f to %.4f)", m->effective_null[1], m->effective_null[2]);
    fputc('\n', out);
}

static void print_best(FILE* out, const agon_training* t, const agon_measurement* m) {
    for (int role = 0; role < m->roles; role++) {
        const int best = agon_measurement_best(m, role);
        char name[AGON_ROLE_NAME] = "";
        if (m->roles > 1)
            agon_rules_role_name(t->rules, role, name, sizeof name);
        fprintf(out, " best %s%sagent: %s/blobs/%s.safetensors\n", name, *name ? " " : "",
                agon_store_dir(t->store),
                agon_record_train(t->population.record, m->generation, best)->snapshot);
    }
}

int agon_report_table(FILE* out, const agon_training* t, agon_error* error) {
    agon_measurement m;
    const int g = last_measured(t);
    if (g < 0) {
        fprintf(out, "nothing measured yet in %s\n", agon_store_dir(t->store));
        return AGON_OK;
    }
    int rc = agon_measure(&t->population, g, &m, error);
    if (rc)
        return rc;
    standing* order = malloc((size_t)m.agents * sizeof *order);
    if (order) {
        const int shown = m.agents < 32 ? m.agents : 32;
        order_agents(&m, order);
        print_header(out, t, &m);
        for (int i = 0; i < shown; i++)
            print_agent(out, t, &m, &order[i],
                        m.rated > m.roles &&
                            order[i].agent == agon_measurement_best(&m, order[i].role));
        if (shown < m.agents)
            fprintf(out, "   ... and %d more in run.db\n", m.agents - shown);
        print_protocol(out, t, &m);
        print_best(out, t, &m);
        print_diversity(out, t, &m);
    }
    free(order);
    agon_measurement_clear(&m);
    return order ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for the table");
}

/* Closing scores of the best agent (of a role) against anchor k. */
static void add_final_best(cJSON* to, const agon_training* t, int best, int k) {
    const agon_match_result* x = agon_record_final(t->population.record, best, k);
    double score, se;
    if (!x)
        return;
    agon_match_score(&t->population, x, &score, &se);
    cJSON_AddNumberToObject(to, "best", score);
    cJSON_AddNumberToObject(to, "best_se", se);
}

static void add_final_roles(cJSON* to, const agon_training* t, const agon_measurement* m, int k) {
    cJSON* by_role = cJSON_AddArrayToObject(to, "by_role");
    for (int role = 0; role < m->roles; role++) {
        char name[AGON_ROLE_NAME];
        cJSON* d = cJSON_CreateObject();
        cJSON_AddItemToArray(by_role, d);
        cJSON_AddStringToObject(d, "role", agon_rules_role_name(t->rules, role, name, sizeof name));
        add_final_best(d, t, agon_measurement_best(m, role), k);
    }
}

static void add_final(cJSON* root, const agon_training* t, const agon_measurement* m) {
    cJSON* all = cJSON_AddObjectToObject(root, "final");
    for (int k = 0; k < final_anchors(t); k++) {
        cJSON* d = cJSON_AddObjectToObject(all, t->population.anchors.ref[k]);
        cJSON* each = cJSON_AddArrayToObject(d, "each");
        for (int a = 0; a < m->agents; a++) {
            const agon_match_result* x = agon_record_final(t->population.record, a, k);
            double score = NAN, se = NAN;
            if (x)
                agon_match_score(&t->population, x, &score, &se);
            cJSON_AddItemToArray(each, x ? cJSON_CreateNumber(score) : cJSON_CreateNull());
        }
        if (m->roles == 1)
            add_final_best(d, t, agon_measurement_best(m, 0), k);
        else
            add_final_roles(d, t, m, k);
        cJSON_AddNumberToObject(
            d, "games", agon_population_games(&t->config, t->rules, t->config.metrics.final_games));
        cJSON_AddStringToObject(d, "protocol", agon_score_protocol(&t->population));
        cJSON_AddStringToObject(d, "unit", agon_score_unit(&t->population));
    }
}

int agon_report_json(FILE* out, const agon_training* t, bool profile, agon_error* error) {
    agon_measurement m;
    const int g = last_measured(t);
    if (g < 0)
        return agon_fail(error, AGON_EMISSING, "nothing measured yet in %s",
                         agon_store_dir(t->store));
    int rc = agon_measure(&t->population, g, &m, error);
    if (rc)
        return rc;
    char* line = agon_measurement_line(&t->population, &m);
    cJSON* root = line ? cJSON_Parse(line) : NULL;
    free(line);
    if (root) {
        cJSON_AddStringToObject(root, "run", agon_store_dir(t->store));
        add_final(root, t, &m);
        if (profile)
            cJSON_AddItemToObject(root, "profile", agon_profile_json(t));
        line = cJSON_PrintUnformatted(root);
        fprintf(out, "%s\n", line ? line : "{}");
        free(line);
        cJSON_Delete(root);
    }
    agon_measurement_clear(&m);
    return root ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for the report");
}
