/* metrics_write.c: findings for other programs: CSV and JSON. */
#include "engine/csv.h"
#include "tools/metrics.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- CSV: one line per number --------------------------------------------------------------- */

static const char* const csv_columns[] = {"population", "set",       "metric", "column", "agent",
                                          "other",      "value",     "error",  "low",    "high",
                                          "null_low",   "null_high", "floor",  "unit",   "why"};
enum { CSV_NUMBERS = 7 }; /* from value to floor */

static void csv_key(agon_csv_out* out, const agon_finding* f, const char* column) {
    agon_csv_put_text(out, f->evidence->origin);
    agon_csv_put_text(out, f->set);
    agon_csv_put_text(out, f->metric->name);
    agon_csv_put_text(out, column);
}

static void csv_row(agon_csv_out* out, const agon_finding* f, int row, int column) {
    const agon_metric* m = f->metric;
    const int n = f->evidence->agents;
    const agon_metric_noise none = {NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    const agon_metric_noise* noise = f->noisy ? &f->noise[column] : &none;
    const double number[CSV_NUMBERS] = {f->value[(size_t)row * (size_t)f->columns + (size_t)column],
                                        noise->error,
                                        noise->low,
                                        noise->high,
                                        noise->null_low,
                                        noise->null_high,
                                        noise->floor};
    char level[16] = "";
    if (m->shape == AGON_PER_LEVEL)
        snprintf(level, sizeof level, "%d", row);
    csv_key(out, f, m->column[column].name);
    agon_csv_put_text(out, m->shape == AGON_PER_AGENT  ? f->evidence->label[row]
                           : m->shape == AGON_PER_PAIR ? f->evidence->label[row / n]
                                                       : "");
    agon_csv_put_text(out, m->shape == AGON_PER_PAIR ? f->evidence->label[row % n] : level);
    for (int i = 0; i < CSV_NUMBERS; i++)
        agon_csv_put_real(out, number[i]);
    agon_csv_put_text(out, m->column[column].unit);
    agon_csv_put_text(out, "");
    agon_csv_end_line(out);
}

static void csv_absent(agon_csv_out* out, const agon_finding* f) {
    csv_key(out, f, "");
    agon_csv_put_text(out, "");
    agon_csv_put_text(out, "");
    for (int i = 0; i < CSV_NUMBERS; i++)
        agon_csv_put_real(out, NAN);
    agon_csv_put_text(out, "");
    agon_csv_put_text(out, f->why);
    agon_csv_end_line(out);
}

void agon_findings_csv(FILE* file, const agon_findings* findings) {
    agon_csv_out out = {.file = file};
    for (size_t i = 0; i < sizeof csv_columns / sizeof *csv_columns; i++)
        agon_csv_put_text(&out, csv_columns[i]);
    agon_csv_end_line(&out);
    for (int i = 0; i < findings->count; i++) {
        const agon_finding* f = &findings->finding[i];
        const int rows = f->why[0] ? 0 : agon_finding_levels(f);
        if (f->why[0])
            csv_absent(&out, f);
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < f->columns; c++)
                csv_row(&out, f, r, c);
    }
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static cJSON* json_number(double x) {
    return isfinite(x) ? cJSON_CreateNumber(x + 0.0) : cJSON_CreateNull();
}

static void put(cJSON* to, const char* name, double x) {
    if (!isnan(x))
        cJSON_AddItemToObject(to, name, json_number(x));
}

static cJSON* json_population(const agon_finding* f, int column) {
    const agon_metric_noise* n = &f->noise[column];
    cJSON* d = cJSON_CreateObject();
    cJSON_AddItemToObject(d, "value", json_number(f->value[column]));
    if (f->noisy) {
        put(d, "error", n->error);
        put(d, "low", n->low);
        put(d, "high", n->high);
        put(d, "null_mean", n->null_mean);
        put(d, "null_low", n->null_low);
        put(d, "null_high", n->null_high);
        put(d, "floor", n->floor);
    }
    cJSON_AddStringToObject(d, "unit", f->metric->column[column].unit);
    return d;
}

static cJSON* json_list(const agon_finding* f, int first, int count, int column) {
    cJSON* list = cJSON_CreateArray();
    for (int r = first; r < first + count; r++)
        cJSON_AddItemToArray(
            list, json_number(f->value[(size_t)r * (size_t)f->columns + (size_t)column]));
    return list;
}

static cJSON* json_column(const agon_finding* f, int column) {
    if (f->metric->shape == AGON_ONE)
        return json_population(f, column);
    if (f->metric->shape != AGON_PER_PAIR)
        return json_list(f, 0, agon_finding_levels(f), column);
    cJSON* matrix = cJSON_CreateArray();
    for (int i = 0; i < f->evidence->agents; i++)
        cJSON_AddItemToArray(matrix,
                             json_list(f, i * f->evidence->agents, f->evidence->agents, column));
    return matrix;
}

static cJSON* json_finding(const agon_finding* f) {
    static const char* const shape[] = {"population", "agents", "pairs", "levels"};
    cJSON* d = cJSON_CreateObject();
    cJSON_AddStringToObject(d, "metric", f->metric->name);
    cJSON_AddStringToObject(d, "group", f->metric->group);
    cJSON_AddStringToObject(d, "shape", shape[f->metric->shape]);
    if (f->set[0])
        cJSON_AddStringToObject(d, "set", f->set);
    if (f->why[0]) {
        cJSON_AddStringToObject(d, "why", f->why);
        return d;
    }
    cJSON* columns = cJSON_AddObjectToObject(d, "columns");
    for (int c = 0; c < f->columns; c++)
        cJSON_AddItemToObject(columns, f->metric->column[c].name, json_column(f, c));
    return d;
}

static cJSON* json_evidence(const agon_evidence* e) {
    cJSON* d = cJSON_CreateObject();
    cJSON_AddStringToObject(d, "population", e->origin);
    cJSON* agents = cJSON_AddArrayToObject(d, "agents");
    for (int i = 0; i < e->agents; i++)
        cJSON_AddItemToArray(agents, cJSON_CreateString(e->label[i]));
    if (e->answers.states > 0) {
        cJSON* q = cJSON_AddObjectToObject(d, "questions");
        cJSON_AddStringToObject(q, "set", e->answers.set);
        cJSON_AddStringToObject(q, "hash", e->answers.hash);
        cJSON_AddNumberToObject(q, "states", e->answers.states);
    }
    cJSON_AddArrayToObject(d, "metrics");
    return d;
}

int agon_findings_json(FILE* out, const agon_findings* findings, agon_error* error) {
    cJSON* root = cJSON_CreateArray();
    cJSON* population = NULL;
    for (int i = 0; i < findings->count; i++) {
        const agon_finding* f = &findings->finding[i];
        if (!population || f[-1].evidence != f->evidence) {
            population = json_evidence(f->evidence);
            cJSON_AddItemToArray(root, population);
        }
        cJSON_AddItemToArray(cJSON_GetObjectItem(population, "metrics"), json_finding(f));
    }
    char* text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    if (!text)
        return agon_fail(error, AGON_EMEMORY, "no memory for the JSON");
    fprintf(out, "%s\n", text);
    free(text);
    return AGON_OK;
}
