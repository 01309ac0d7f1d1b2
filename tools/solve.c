/* agon solve: exact answers: a game's value, an equilibrium, how much agents can be exploited. */
#include "tools/solve.h"

#include "agents/cfr.h"
#include "tools/agent.h"
#include "tools/command.h"
#include "tools/game_word.h"
#include "tools/ui.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum method { AUTO, MINIMAX, CFR, CFR_PLUS, NONE } method;

static const char* const method_names[] = {"auto", "minimax", "cfr", "cfr+", "none"};

typedef struct solving {
    agon_rules* rules;
    agon_tree* tree;
    agon_agents agents;
    method method;
    int iterations, nodes;
    float temperature;
    bool mix, json;
    cJSON* report;
    agon_error error;
} solving;

static double* new_table(solving* s) {
    double* table = calloc((size_t)agon_tree_infosets(s->tree) * (size_t)s->rules->spec.actions + 1,
                           sizeof *table);
    if (!table)
        agon_fail(&s->error, AGON_EMEMORY, "no memory for %d information sets",
                  agon_tree_infosets(s->tree));
    return table;
}

static bool two_seats_against(const solving* s) {
    return s->rules->spec.seats == 2 && s->rules->spec.utility != AGON_GENERAL_SUM;
}

/* ---- the game ----------------------------------------------------------------------------- */

static int solve_minimax(solving* s) {
    double value;
    const int rc = agon_tree_minimax(s->tree, &value, &s->error);
    if (rc)
        return rc;
    cJSON_AddNumberToObject(s->report, "value", value);
    if (!s->json)
        printf("value for seat 0: %g (minimax)\n", value);
    return AGON_OK;
}

static void print_returns(solving* s, const double* average, double nash_conv) {
    const int seats = s->rules->spec.seats;
    const double* policy[AGON_MAX_SEATS];
    double returns[AGON_MAX_SEATS];
    for (int seat = 0; seat < AGON_MAX_SEATS; seat++)
        policy[seat] = average;
    agon_tree_returns(s->tree, policy, returns);
    cJSON_AddItemToObject(s->report, "returns", cJSON_CreateDoubleArray(returns, seats));
    cJSON_AddNumberToObject(s->report, "nash_conv", nash_conv);
    if (s->json)
        return;
    if (two_seats_against(s)) {
        printf("value for seat 0: %.9f, at most %.2g off\n", returns[0], nash_conv);
        return;
    }
    printf("returns of the average policy:");
    for (int seat = 0; seat < seats; seat++)
        printf(" %.6f", returns[seat]);
    printf(" (no equilibrium is promised for this kind of game)\n");
}

/* Iterations 1, 10, 100, .. and the last are shown. */
static int solve_cfr(solving* s) {
    const agon_cfr_kind kind = s->method == CFR ? AGON_CFR : AGON_CFR_PLUS;
    const double begun = agon_ui_seconds();
    agon_cfr* cfr = NULL;
    double nash_conv = NAN;
    double* average = new_table(s);
    int rc = average ? agon_cfr_open(s->tree, kind, &cfr, &s->error) : AGON_EMEMORY;
    if (!rc && !s->json)
        printf("%12s  %12s  %8s\n", kind == AGON_CFR ? "CFR" : "CFR+", "NashConv", "seconds");
    for (int64_t at = 1; !rc && agon_cfr_iterations(cfr) < s->iterations; at *= 10) {
        agon_cfr_run(cfr,
                     (int)(at < s->iterations ? at : s->iterations) - agon_cfr_iterations(cfr));
        agon_cfr_average(cfr, average);
        nash_conv = agon_tree_nash_conv(s->tree, average);
        if (!s->json)
            printf("%12d  %12.9f  %8.2f\n", agon_cfr_iterations(cfr), nash_conv,
                   agon_ui_seconds() - begun);
        fflush(stdout);
    }
    if (!rc) {
        cJSON_AddNumberToObject(s->report, "iterations", s->iterations);
        print_returns(s, average, nash_conv);
    }
    agon_cfr_close(cfr);
    free(average);
    return rc;
}

static int solve_game(solving* s) {
    if (s->method == AUTO)
        s->method = s->rules->spec.information == AGON_IMPERFECT             ? CFR_PLUS
                    : agon_rules_need_minimax(s->rules, "", NULL) == AGON_OK ? MINIMAX
                                                                             : NONE;
    cJSON_AddStringToObject(s->report, "method", method_names[s->method]);
    if (s->method == NONE)
        return AGON_OK;
    return s->method == MINIMAX ? solve_minimax(s) : solve_cfr(s);
}

/* ---- agents ------------------------------------------------------------------------------- */

static void print_agent_header(const solving* s) {
    printf("\n%-36s  %9s", "agent", "NashConv");
    for (int seat = 0; seat < s->rules->spec.seats; seat++) {
        char title[32];
        snprintf(title, sizeof title, two_seats_against(s) ? "worst, seat %d" : "gain, seat %d",
                 seat);
        printf("  %14s", title);
    }
    putchar('\n');
}

/* Worst: what a seat gets when a best response sits opposite. Gain: what a seat wins by leaving the
 * policy, the others keeping to it. */
static void judge(solving* s, const char* name, const double* table) {
    const int seats = s->rules->spec.seats;
    const double* policy[AGON_MAX_SEATS];
    double returns[AGON_MAX_SEATS], best[AGON_MAX_SEATS], shown[AGON_MAX_SEATS], nash_conv = 0;
    const double total =
        s->rules->spec.utility == AGON_CONSTANT_SUM ? (double)s->rules->spec.utility_sum : 0;
    for (int seat = 0; seat < AGON_MAX_SEATS; seat++)
        policy[seat] = table;
    agon_tree_returns(s->tree, policy, returns);
    for (int seat = 0; seat < seats; seat++) {
        best[seat] = agon_tree_best_response(s->tree, seat, policy);
        nash_conv += best[seat] - returns[seat];
    }
    for (int seat = 0; seat < seats; seat++)
        shown[seat] = two_seats_against(s) ? total - best[1 - seat] : best[seat] - returns[seat];
    cJSON* row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "agent", name);
    cJSON_AddNumberToObject(row, "nash_conv", nash_conv);
    cJSON_AddItemToObject(row, "best_response", cJSON_CreateDoubleArray(best, seats));
    cJSON_AddItemToObject(row, "returns", cJSON_CreateDoubleArray(returns, seats));
    cJSON_AddItemToArray(cJSON_GetObjectItem(s->report, "agents"), row);
    if (s->json)
        return;
    printf("%-36s  %9.6f", name, nash_conv);
    for (int seat = 0; seat < seats; seat++)
        printf("  %14.6f", shown[seat]);
    putchar('\n');
    fflush(stdout);
}

static int judge_mixture(solving* s, double* const* tables) {
    char name[64];
    double* mixed = new_table(s);
    double* weight = calloc((size_t)s->agents.count, sizeof *weight);
    int rc = mixed && weight ? AGON_OK : AGON_EMEMORY;
    for (int i = 0; !rc && i < s->agents.count; i++)
        weight[i] = 1.0 / s->agents.count;
    if (!rc)
        rc = agon_tree_mix(s->tree, s->agents.count, (const double* const*)tables, weight, mixed,
                           &s->error);
    if (!rc) {
        snprintf(name, sizeof name, "even mixture of %d", s->agents.count);
        judge(s, name, mixed);
    }
    free(weight);
    free(mixed);
    return rc;
}

static int tabulate(solving* s, const agon_agent* agent, double* table) {
    const int rc = agon_tree_tabulate(s->tree, &agent->policy, s->temperature, table, &s->error);
    if (rc == AGON_EUNSUPPORTED)
        agon_hint(&s->error, "leave out %.80s; agon metrics AGENT... lets it play", agent->name);
    return rc ? rc : agon_policy_check(&agent->policy, &s->error);
}

static int judge_agents(solving* s) {
    double** tables = calloc((size_t)s->agents.count + 1, sizeof *tables);
    int rc = tables ? AGON_OK : agon_fail(&s->error, AGON_EMEMORY, "out of memory");
    if (!s->json)
        print_agent_header(s);
    for (int i = 0; !rc && i < s->agents.count; i++) {
        tables[i] = new_table(s);
        if (!tables[i]) {
            rc = AGON_EMEMORY;
            break;
        }
        rc = tabulate(s, &s->agents.agent[i], tables[i]);
        if (!rc)
            judge(s, s->agents.agent[i].name, tables[i]);
    }
    if (!rc && s->mix)
        rc = judge_mixture(s, tables);
    for (int i = 0; tables && i < s->agents.count; i++)
        free(tables[i]);
    free(tables);
    return rc;
}

/* ---- the command -------------------------------------------------------------------------- */

static int open_tree(solving* s) {
    const int rc = agon_tree_open(s->rules, (size_t)s->nodes, &s->tree, &s->error);
    if (rc == AGON_ELIMIT)
        agon_hint(&s->error, "--nodes N raises the limit; --positions N solves single positions of "
                             "games with perfect information");
    if (rc)
        return rc;
    cJSON_AddStringToObject(s->report, "game", s->rules->name);
    cJSON_AddNumberToObject(s->report, "nodes", (double)agon_tree_nodes(s->tree));
    cJSON_AddNumberToObject(s->report, "information_sets", agon_tree_infosets(s->tree));
    cJSON_AddItemToObject(s->report, "agents", cJSON_CreateArray());
    if (!s->json)
        printf("%s: %zu nodes, %d information sets\n", s->rules->name, agon_tree_nodes(s->tree),
               agon_tree_infosets(s->tree));
    return AGON_OK;
}

static int solve_tree(solving* s, int count, char** words) {
    int rc = AGON_OK;
    s->report = cJSON_CreateObject();
    for (int i = 0; !rc && i < count; i++)
        rc = agon_agents_add(&s->agents, words[i], s->rules, &s->error);
    if (!rc)
        rc = open_tree(s);
    if (!rc)
        rc = solve_game(s);
    if (!rc && s->agents.count)
        rc = judge_agents(s);
    if (!rc && s->json) {
        char* text = cJSON_Print(s->report);
        if (text)
            puts(text);
        free(text);
    }
    cJSON_Delete(s->report);
    agon_tree_close(s->tree);
    agon_agents_close(&s->agents);
    return rc ? agon_ui_error(&s->error) : AGON_EXIT_OK;
}

/* Whole numbers with a range; NULL keeps the default. */
static int read_number(const char* option, const char* text, long low, long high, long* out) {
    char* end = NULL;
    const long value = text ? strtol(text, &end, 10) : *out;
    if (text && (end == text || *end || value < low || value > high))
        return agon_ui_usage("solve", "%s is '%s', expected %ld to %ld", option, text, low, high);
    *out = value;
    return 0;
}

int agon_cmd_solve(int argc, char** argv) {
    solving s = {.temperature = 1};
    agon_label_options label = {0};
    const char *by = "auto", *iterations = NULL, *nodes = NULL, *positions = NULL, *ply = NULL,
               *seed = NULL, *limit = NULL;
    bool greedy = false;
    int words;
    const agon_option options[] = {
        {"--method", NULL, &by},     {"--iterations", NULL, &iterations},
        {"--nodes", NULL, &nodes},   {"--mix", &s.mix, NULL},
        {"--greedy", &greedy, NULL}, {"--positions", NULL, &positions},
        {"--ply", NULL, &ply},       {"--seed", NULL, &seed},
        {"--limit", NULL, &limit},   {"--out", NULL, &label.out},
        {"--json", &s.json, NULL},
    };
    int failed = agon_ui_options(argc, argv, options, 11, &words);
    long n[6] = {1000, 20000000, 0, 14, 1, 100000000};
    failed = failed ? failed : read_number("--iterations", iterations, 1, 100000000, &n[0]);
    failed = failed ? failed : read_number("--nodes", nodes, 1, 1000000000, &n[1]);
    failed = failed ? failed : read_number("--positions", positions, 1, 10000000, &n[2]);
    failed = failed ? failed : read_number("--ply", ply, 0, 100000, &n[3]);
    failed = failed ? failed : read_number("--seed", seed, 0, INT32_MAX, &n[4]);
    failed = failed ? failed : read_number("--limit", limit, 1, INT64_MAX, &n[5]);
    if (failed)
        return failed;
    while (s.method <= NONE && strcmp(by, method_names[s.method]) != 0)
        s.method++;
    if (s.method > NONE)
        return agon_ui_usage("solve", "method is '%s', expected auto, minimax, cfr, cfr+ or none",
                             by);
    if (words < 1)
        return agon_ui_usage("solve", "expected GAME [AGENT ...]");
    if (n[2] && words > 1)
        return agon_ui_usage("solve", "--positions takes no agents; got '%s'", argv[2]);
    s.iterations = (int)n[0];
    s.nodes = (int)n[1];
    s.temperature = greedy ? 0 : 1;
    label = (agon_label_options){(int)n[2],      (int)n[3], (uint64_t)n[4],
                                 (uint64_t)n[5], label.out, s.json};
    if (agon_game_open(argv[1], &s.rules, &s.error) != 0)
        return agon_ui_error(&s.error);
    const int code = n[2] ? agon_label(s.rules, &label) : solve_tree(&s, words - 1, argv + 2);
    agon_rules_close(s.rules);
    return code;
}
