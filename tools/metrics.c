/* agon metrics: any metric of a stored run, of agents, or of what other people measured. */
#include "tools/metrics.h"

#include "tools/command.h"
#include "tools/metrics_source.h"
#include "tools/ui.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct request {
    agon_metrics_source source;
    const char *metric, *bootstrap, *entropy, *subset, *seed;
    bool list, document, json, csv;
    const agon_metric** chosen; /* (metrics) owned */
    int metrics;
    agon_error error;
} request;

/* ---- which metrics -------------------------------------------------------------------------- */

static int unknown_metric(const char* word) {
    int count;
    const agon_metric* const* all = agon_metrics(&count);
    const char* names[160];
    int used = 0;
    for (int i = 0; i < count && used < 150; i++) {
        names[used++] = all[i]->name;
        if (i == 0 || strcmp(all[i]->group, all[i - 1]->group) != 0)
            names[used++] = all[i]->group;
    }
    const char* nearest = agon_nearest(word, names, used);
    if (nearest)
        return agon_ui_usage("metrics", "'%s' is no metric; did you mean '%s'?", word, nearest);
    return agon_ui_usage("metrics", "'%s' is no metric; agon metrics --list names them", word);
}

static bool matches(const agon_metric* m, const char* word) {
    return strcmp(word, m->name) == 0 || strcmp(word, m->group) == 0 || strcmp(word, "all") == 0 ||
           (strcmp(word, "headline") == 0 && m->headline);
}

/* Names, groups, "headline" or "all", separated by commas; in the order of the table. */
static int choose_metrics(request* r) {
    int count;
    const agon_metric* const* all = agon_metrics(&count);
    char words[1024], *rest = NULL;
    bool wanted[256] = {false};
    snprintf(words, sizeof words, "%s", r->metric ? r->metric : "headline");
    for (char* word = strtok_r(words, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest)) {
        bool known = false;
        for (int i = 0; i < count; i++) {
            known = known || matches(all[i], word);
            wanted[i] = wanted[i] || matches(all[i], word);
        }
        if (!known)
            return unknown_metric(word);
    }
    r->chosen = malloc((size_t)count * sizeof *r->chosen);
    for (int i = 0; r->chosen && i < count; i++)
        if (wanted[i])
            r->chosen[r->metrics++] = all[i];
    for (int i = 0; i < r->metrics; i++)
        r->source.needs |= r->chosen[i]->needs;
    return AGON_EXIT_OK;
}

/* ---- options -------------------------------------------------------------------------------- */

static int read_number(const char* name, const char* text, double low, double high, double* out) {
    char* end = NULL;
    const double x = strtod(text, &end);
    if (end == text || *end || !(x >= low && x <= high))
        return agon_ui_usage("metrics", "%s '%s': expected a number from %g to %g", name, text, low,
                             high);
    *out = x;
    return AGON_EXIT_OK;
}

static int read_count(const char* name, const char* text, double low, double high, int* out) {
    double x = 0;
    const int failed = text ? read_number(name, text, low, high, &x) : AGON_EXIT_OK;
    if (failed || !text)
        return failed;
    if (x != floor(x))
        return agon_ui_usage("metrics", "%s '%s': expected a whole number", name, text);
    *out = (int)x;
    return AGON_EXIT_OK;
}

static int read_options(request* r, agon_compute_def* def) {
    int seed = 1, failed = read_count("--bootstrap", r->bootstrap, 0, 100000, &def->samples);
    def->options.entropy = NAN;
    if (!failed && r->entropy)
        failed = read_number("--entropy", r->entropy, 0, 12, &def->options.entropy);
    if (!failed)
        failed = read_count("--subset", r->subset, 2, 100000, &def->options.subset);
    if (!failed)
        failed = read_count("--seed", r->seed, 0, 2147483647, &seed);
    def->options.key = agon_key_make((uint64_t)seed, "metrics", AGON_FOR_METRIC);
    r->source.seed = (uint64_t)seed;
    return failed ? failed : agon_metrics_source_options(&r->source);
}

/* ---- the command ---------------------------------------------------------------------------- */

static int print_all(request* r, const agon_findings* findings) {
    if (r->json)
        return agon_findings_json(stdout, findings, &r->error);
    if (r->csv)
        agon_findings_csv(stdout, findings);
    else
        agon_findings_print(stdout, findings);
    return AGON_OK;
}

static int run(request* r, agon_compute_def def) {
    agon_populations populations = {NULL, 0};
    agon_findings findings = {NULL, 0};
    def.metric = r->chosen;
    def.metrics = r->metrics;
    def.progress = r->source.progress ? agon_metrics_progress : NULL;
    int rc = agon_metrics_source_open(&r->source, &populations, &r->error);
    if (!rc)
        rc = agon_findings_of(&populations, &def, &findings, &r->error);
    if (!rc)
        rc = print_all(r, &findings);
    agon_findings_close(&findings);
    agon_populations_close(&populations);
    return agon_ui_finish(rc ? agon_ui_error(&r->error) : AGON_EXIT_OK);
}

int agon_cmd_metrics(int argc, char** argv) {
    request r = {.metric = NULL};
    agon_compute_def def = {.samples = AGON_SAMPLES_USUAL};
    agon_metrics_source* s = &r.source;
    const agon_option options[] = {
        {"--metric", NULL, &r.metric},
        {"--list", &r.list, NULL},
        {"--document", &r.document, NULL},
        {"--json", &r.json, NULL},
        {"--csv", &r.csv, NULL},
        {"--quiet", &s->quiet, NULL},
        {"--bootstrap", NULL, &r.bootstrap},
        {"--entropy", NULL, &r.entropy},
        {"--subset", NULL, &r.subset},
        {"--seed", NULL, &r.seed},
        {"--at", NULL, &s->at},
        {"--role", NULL, &s->role},
        {"--game", NULL, &s->game},
        {"--probes", NULL, &s->probes},
        {"--set", NULL, &s->set},
        {"--games", NULL, &s->games},
        {"--threads", NULL, &s->threads},
        {"--baseline", NULL, &s->baseline},
        {"--held-out", NULL, &s->held_out},
        {"--payoff", NULL, &s->payoff},
        {"--unit", NULL, &s->unit},
        {"--payoff-games", NULL, &s->payoff_games},
        {"--tables", NULL, &s->tables},
        {"--probs", NULL, &s->probs},
        {"--counts", NULL, &s->counts},
        {"--weights", NULL, &s->weights},
        {"--labels", NULL, &s->labels},
        {"--answers", NULL, &s->answers},
        {"--activations", NULL, &s->activations},
    };
    int failed =
        agon_ui_options(argc, argv, options, (int)(sizeof options / sizeof *options), &s->words);
    if (failed)
        return failed;
    s->word = argv + 1;
    if (r.list || r.document) {
        (r.list ? agon_metrics_list : agon_metrics_document)(stdout);
        return agon_ui_finish(AGON_EXIT_OK);
    }
    if (r.json && r.csv)
        return agon_ui_usage("metrics", "--json and --csv exclude each other");
    failed = read_options(&r, &def);
    if (!failed)
        failed = choose_metrics(&r);
    if (!failed)
        failed = run(&r, def);
    free(r.chosen);
    return failed;
}
