#include "tools/report.h"

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
    int agent, place; /* place: in the rated sample, or -1 */
} standing;

static int by_rating(const void* a, const void* b) {
    const standing *x = a, *y = b;
    return x->rating != y->rating ? (x->rating < y->rating) - (x->rating > y->rating)
                                  : x->agent - y->agent;
}

/* Best first; agents outside the rated sample last. */
static void order_agents(const agon_measurement* m, standing* order) {
    for (int a = 0; a < m->agents; a++)
        order[a] = (standing){-INFINITY, a, -1};
    for (int i = 0; m->rating_defined && i < m->rated; i++)
        order[m->agent[i]] = (standing){m->elo[i], m->agent[i], i};
    qsort(order, (size_t)m->agents, sizeof *order, by_rating);
}

static void print_header(FILE* out, const agon_training* t, const agon_measurement* m) {
    fprintf(out, "\n %sagent   rating", agon_ui_colour(out, AGON_BOLD));
    for (int k = 0; k < m->anchors; k++)
        fprintf(out, "   %18.18s", t->population.anchors.ref[k]);
    if (m->exact)
        fprintf(out, "   NashConv");
    if (m->exact && !isnan(m->value))
        fprintf(out, "   worst 1st/2nd");
    fprintf(out, "   agent-steps%s\n", agon_ui_colour(out, AGON_PLAIN));
}

static void print_agent(FILE* out, const agon_training* t, const agon_measurement* m,
                        const standing* s, bool best) {
    fprintf(out, " %c %3d", best ? '*' : ' ', s->agent);
    if (s->place >= 0)
        fprintf(out, "  %+5.0f ±%3.0f", m->elo[s->place], m->elo_se[s->place]);
    else
        fprintf(out, "  %10s", "-");
    for (int k = 0; k < m->anchors; k++) {
        const agon_match_result* x = agon_record_final(t->population.record, s->agent, k);
        double points, se;
        if (!x) {
            fprintf(out, "   %18s", "not played yet");
            continue;
        }
        agon_match_points(x, &points, &se);
        fprintf(out, "     %6.1f ± %3.1f %%   ", 100 * points, 100 * se);
    }
    if (m->exact)
        fprintf(out, "   %8.4f", m->nash_conv[s->agent]);
    if (m->exact && !isnan(m->value))
        fprintf(out, "   %+6.2g /%+6.2g", m->worst_first[s->agent], m->worst_second[s->agent]);
    const agon_train_result* r = agon_record_train(t->population.record, m->generation, s->agent);
    fprintf(out, "   %11llu\n", (unsigned long long)r->total_steps);
}

static void print_protocol(FILE* out, const agon_training* t, const agon_measurement* m) {
    if (m->rating_defined)
        fprintf(out,
                " rating: Bradley-Terry, Elo scale, prior sd 350; %d sampled games a pair at "
                "generation %d.\n",
                t->config.metrics.games, m->generation);
    if (m->anchors)
        fprintf(
            out,
            " against scripted players: points per game ± standard error, %d games, greedy, every "
            "seat;\n other games than the ones that chose * as best.\n",
            t->config.metrics.final_games);
    if (m->exact)
        fprintf(out, " NashConv: exact, sampled policy (0 at an equilibrium; median %.4f).%s\n",
                m->nash_conv_median,
                isnan(m->value)
                    ? ""
                    : " worst: greedy policy, lowest return\n over all optimal replies, "
                      "moving first / second.");
    if (t->population.left_out[0])
        fprintf(out, " left out: %s\n", t->population.left_out);
}

static void print_diversity(FILE* out, const agon_measurement* m) {
    fprintf(
        out,
        "\n diversity at generation %d: Vendi %.2f of %d (order 2: %.2f, inf: %.2f), J %.3f + "
        "within %.3f\n = mixture %.3f nats, total variation %.3f, greedy disagreement %.1f %%\n",
        m->generation, m->vendi_1, m->agents, m->vendi_2, m->vendi_inf, m->entropy.between,
        m->entropy.within, m->entropy.mixture, m->total_variation, 100 * m->greedy);
    if (m->antisymmetric && m->null.exceeds)
        fprintf(out, " cyclic fraction %.3f (noise alone: %.3f to %.3f)", m->cyclic, m->null.low,
                m->null.high);
    else if (m->antisymmetric)
        fprintf(out, " cyclic fraction: not above noise");
    if (m->antisymmetric)
        fprintf(out, ", Nash support %.2f agents, effective diversity %.4f\n", exp(m->nash_entropy),
                m->effective);
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
        const int best = agon_measurement_best(&m), shown = m.agents < 32 ? m.agents : 32;
        order_agents(&m, order);
        print_header(out, t, &m);
        for (int i = 0; i < shown; i++)
            print_agent(out, t, &m, &order[i], order[i].agent == best);
        if (shown < m.agents)
            fprintf(out, "   ... and %d more in run.db\n", m.agents - shown);
        print_protocol(out, t, &m);
        print_diversity(out, &m);
    }
    free(order);
    agon_measurement_clear(&m);
    return order ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for the table");
}

static void add_final(cJSON* root, const agon_training* t, int best) {
    cJSON* all = cJSON_AddObjectToObject(root, "final");
    for (int k = 0; k < t->population.anchors.count; k++) {
        cJSON* d = cJSON_AddObjectToObject(all, t->population.anchors.ref[k]);
        cJSON* each = cJSON_AddArrayToObject(d, "each");
        for (int a = 0; a < t->config.population.size; a++) {
            const agon_match_result* x = agon_record_final(t->population.record, a, k);
            double points = NAN, se = NAN;
            if (x)
                agon_match_points(x, &points, &se);
            cJSON_AddItemToArray(each, x ? cJSON_CreateNumber(points) : cJSON_CreateNull());
            if (a == best && x) {
                cJSON_AddNumberToObject(d, "best", points);
                cJSON_AddNumberToObject(d, "best_se", se);
            }
        }
        cJSON_AddNumberToObject(d, "games", t->config.metrics.final_games);
    }
}

int agon_report_json(FILE* out, const agon_training* t, agon_error* error) {
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
        add_final(root, t, agon_measurement_best(&m));
        line = cJSON_PrintUnformatted(root);
        fprintf(out, "%s\n", line ? line : "{}");
        free(line);
        cJSON_Delete(root);
    }
    agon_measurement_clear(&m);
    return root ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for the report");
}
