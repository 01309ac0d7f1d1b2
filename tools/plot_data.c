#include "tools/plot_data.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 1000000 };
static const size_t max_line = (size_t)1 << 30;

void agon_plot_clean(const char* text, char* out, size_t size) {
    size_t used = 0;
    for (; *text && used + 1 < size; text++)
        out[used++] = isalnum((unsigned char)*text) || strchr(" _(),;=.:+-%/", *text) ? *text : '?';
    out[used] = '\0';
}

/* ---- JSON values, all optional ---- */

static const cJSON* child(const cJSON* object, const char* key) {
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

static double number(const cJSON* item) {
    return cJSON_IsNumber(item) && isfinite(item->valuedouble) ? item->valuedouble : NAN;
}

static double number_at(const cJSON* object, const char* key) {
    return number(child(object, key));
}

/* The reason for an absent entry: inside it, or beside it as "KEY_why" or "why". */
static void read_why(const cJSON* line, const char* key, char* out, size_t size) {
    char beside[64];
    snprintf(beside, sizeof beside, "%s_why", key);
    const cJSON* why = child(child(line, key), "why");
    if (!why)
        why = child(line, beside);
    if (!why)
        why = child(line, "why");
    if (cJSON_IsObject(why))
        why = child(why, key);
    if (cJSON_IsString(why))
        agon_plot_clean(why->valuestring, out, size);
}

static int compare_numbers(const void* a, const void* b) {
    const double x = *(const double*)a, y = *(const double*)b;
    return (x > y) - (x < y);
}

/* The finite numbers of an array, sorted; malloc'd, NULL when there are none. */
static double* sorted_numbers(const cJSON* array, int* count) {
    const cJSON* item;
    const int size = cJSON_IsArray(array) ? cJSON_GetArraySize(array) : 0;
    double* values = size > 0 ? malloc((size_t)size * sizeof *values) : NULL;
    *count = 0;
    if (!values)
        return NULL;
    cJSON_ArrayForEach(item, array) {
        if (!isnan(number(item)))
            values[(*count)++] = number(item);
    }
    qsort(values, (size_t)*count, sizeof *values, compare_numbers);
    return values;
}

static void read_spread(const cJSON* array, double* low, double* median, double* high) {
    int count;
    double* values = sorted_numbers(array, &count);
    *low = count ? values[0] : NAN;
    *median = count ? 0.5 * (values[(count - 1) / 2] + values[count / 2]) : NAN;
    *high = count ? values[count - 1] : NAN;
    free(values);
}

/* ---- one line ---- */

static int anchor_index(agon_plot_data* data, const char* name) {
    char clean[64];
    size_t kept = 0;
    agon_plot_clean(name, clean, sizeof clean);
    for (size_t i = 0; clean[i]; i++) /* words of a gnuplot list: no spaces */
        if (clean[i] != ' ')
            clean[kept++] = clean[i];
    clean[kept] = '\0';
    for (int i = 0; i < data->anchors; i++)
        if (strcmp(data->anchor[i], clean) == 0)
            return i;
    if (data->anchors == AGON_PLOT_ANCHORS || kept == 0)
        return -1;
    snprintf(data->anchor[data->anchors], sizeof data->anchor[0], "%s", clean);
    return data->anchors++;
}

static void read_text(const cJSON* item, char* out, size_t size) {
    if (cJSON_IsString(item))
        agon_plot_clean(item->valuestring, out, size);
}

static void read_score(agon_plot_data* data, agon_plot_row* row, const cJSON* score,
                       const char* name) {
    const int i = anchor_index(data, name);
    if (i < 0)
        return;
    row->mean[i] = number_at(score, "mean");
    row->best[i] = number_at(score, "best");
    row->se[i] = number_at(score, "se");
}

/* "random", or where roles are apart "random,by_prey", "random,by_predator" */
static void read_anchor(agon_plot_data* data, agon_plot_row* row, const cJSON* score) {
    const cJSON* each;
    if (!child(score, "by_role")) {
        read_score(data, row, score, score->string);
        return;
    }
    cJSON_ArrayForEach(each, child(score, "by_role")) {
        char name[128], role[32] = "";
        read_text(child(each, "role"), role, sizeof role);
        snprintf(name, sizeof name, "%.80s,by_%s", score->string, role);
        read_score(data, row, each, name);
    }
}

static void read_scores(agon_plot_data* data, agon_plot_row* row, const cJSON* scores) {
    const cJSON* score;
    for (int i = 0; i < AGON_PLOT_ANCHORS; i++)
        row->mean[i] = row->best[i] = row->se[i] = NAN;
    if (!cJSON_IsObject(scores))
        return;
    cJSON_ArrayForEach(score, scores) {
        if (!cJSON_IsObject(score))
            continue;
        read_anchor(data, row, score);
        read_text(child(score, "protocol"), data->protocol, sizeof data->protocol);
        data->score_games = number_at(score, "games");
        read_text(child(score, "unit"), data->score_unit, sizeof data->score_unit);
    }
}

static void read_row(agon_plot_data* data, agon_plot_row* row, const cJSON* line) {
    double ignored;
    row->generation = number_at(line, "generation");
    row->steps = number_at(line, "steps");
    row->agents = number_at(line, "agents");
    if (cJSON_GetArraySize(child(line, "roles")) > 1) /* as many of each, compared apart */
        row->agents /= cJSON_GetArraySize(child(line, "roles"));
#define AGON_PLOT_READ(id, column, object, key)                                                    \
    row->value[AGON_PLOT_##id] = number_at(child(line, object), key);
    AGON_PLOT_SERIES(AGON_PLOT_READ)
#undef AGON_PLOT_READ
    read_scores(data, row, child(line, "score"));
    read_spread(child(child(line, "rating"), "elo"), &row->elo_low, &row->elo_median,
                &row->elo_high);
    read_spread(child(child(line, "nash_conv"), "each"), &row->nash_conv_low, &ignored,
                &row->nash_conv_high);
    const cJSON* null = child(child(line, "payoff"), "cyclic_null");
    row->null_low = number(cJSON_GetArrayItem(null, 1));
    row->null_high = number(cJSON_GetArrayItem(null, 2));
    read_why(line, "diversity", data->why_diversity, sizeof data->why_diversity);
    read_why(line, "payoff", data->why_payoff, sizeof data->why_payoff);
    read_why(line, "nash_conv", data->why_nash_conv, sizeof data->why_nash_conv);
    read_why(line, "rating", data->why_rating, sizeof data->why_rating);
}

/* ---- the matrix ---- */

/* (n, n) numbers into out; false when the shape is wrong. A null entry (the diagonal) is NaN. */
static bool read_square(const cJSON* rows, int n, double* out) {
    const cJSON *row, *item;
    int i = 0;
    if (!cJSON_IsArray(rows) || cJSON_GetArraySize(rows) != n)
        return false;
    cJSON_ArrayForEach(row, rows) {
        int j = 0;
        if (!cJSON_IsArray(row) || cJSON_GetArraySize(row) != n)
            return false;
        cJSON_ArrayForEach(item, row) {
            out[(size_t)i * (size_t)n + (size_t)j++] = number(item);
        }
        i++;
    }
    return true;
}

static double row_mean(const agon_plot_data* data, int agent) {
    double sum = 0;
    for (int j = 0; j < data->n; j++) {
        const double x = data->matrix[(size_t)agent * (size_t)data->n + (size_t)j];
        sum += j == agent || isnan(x) ? 0 : x;
    }
    return sum;
}

typedef struct ranked {
    double strength;
    int agent;
} ranked;

static int compare_ranked(const void* a, const void* b) {
    const ranked *x = a, *y = b;
    if (x->strength != y->strength)
        return x->strength < y->strength ? 1 : -1;
    return x->agent - y->agent;
}

/* Strongest first, by mean pay-off against the others. */
static bool order_agents(agon_plot_data* data) {
    ranked* list = malloc((size_t)data->n * sizeof *list);
    data->order = malloc((size_t)data->n * sizeof *data->order);
    if (list && data->order) {
        for (int i = 0; i < data->n; i++)
            list[i] = (ranked){row_mean(data, i), i};
        qsort(list, (size_t)data->n, sizeof *list, compare_ranked);
        for (int i = 0; i < data->n; i++)
            data->order[i] = list[i].agent;
    }
    free(list);
    return data->order != NULL;
}

/* Numbers of the agents; rows are numbered where the line does not say. */
static bool name_agents(agon_plot_data* data, const cJSON* agents) {
    data->agent = malloc((size_t)data->n * sizeof *data->agent);
    if (!data->agent)
        return false;
    const bool named = cJSON_IsArray(agents) && cJSON_GetArraySize(agents) == data->n;
    const cJSON* item = named ? agents->child : NULL;
    for (int i = 0; i < data->n; i++, item = item ? item->next : NULL) {
        const double x = number(item);
        data->agent[i] = x >= 0 && x < 1e9 ? (int)x : i;
    }
    return true;
}

static double median_error(const cJSON* se, int n) {
    double* all = malloc((size_t)n * (size_t)n * sizeof *all);
    double result = NAN;
    int count = 0;
    if (all && read_square(se, n, all)) {
        for (int i = 0; i < n * n; i++)
            if (i / n != i % n && !isnan(all[i]))
                all[count++] = all[i];
        qsort(all, (size_t)count, sizeof *all, compare_numbers);
        result = count ? all[count / 2] : NAN;
    }
    free(all);
    return result;
}

static void free_matrix(agon_plot_data* data) {
    free(data->matrix);
    free(data->order);
    free(data->agent);
    data->matrix = NULL;
    data->order = data->agent = NULL;
}

/* Replaces the matrix by this line's, when it has one. */
static int read_matrix(agon_plot_data* data, const cJSON* line, const char* what,
                       agon_error* error) {
    const cJSON* payoff = child(line, "payoff");
    const cJSON* rows = child(payoff, "matrix");
    const int n = cJSON_IsArray(rows) ? cJSON_GetArraySize(rows) : 0;
    if (n < 1)
        return AGON_OK;
    if (n > AGON_PLOT_MAX_AGENTS)
        return agon_fail(error, AGON_ELIMIT, "%s: a pay-off matrix of %d agents; at most %d", what,
                         n, AGON_PLOT_MAX_AGENTS);
    double* matrix = malloc((size_t)n * (size_t)n * sizeof *matrix);
    if (!matrix)
        return agon_fail(error, AGON_EMEMORY, "out of memory for a pay-off matrix of %d agents", n);
    if (!read_square(rows, n, matrix)) {
        free(matrix);
        return agon_fail(error, AGON_EFORMAT, "%s: payoff.matrix is not %d x %d numbers", what, n,
                         n);
    }
    free_matrix(data);
    data->matrix = matrix;
    data->n = n;
    data->last = data->rows - 1;
    data->games = number_at(payoff, "games");
    data->se = median_error(child(payoff, "se"), n);
    if (!order_agents(data) || !name_agents(data, child(payoff, "agents")))
        return agon_fail(error, AGON_EMEMORY, "out of memory for a pay-off matrix of %d agents", n);
    return AGON_OK;
}

/* ---- the file ---- */

static int add_line(agon_plot_data* data, const char* text, size_t length, const char* what,
                    agon_error* error) {
    cJSON* line = cJSON_ParseWithLength(text, length);
    int code = AGON_OK;
    if (!cJSON_IsObject(line)) {
        cJSON_Delete(line);
        return agon_fail(error, AGON_EFORMAT, "%s: not a JSON object", what);
    }
    if ((data->rows & (data->rows - 1)) == 0) { /* room doubles at powers of two */
        const size_t room = data->rows ? 2 * (size_t)data->rows : 1;
        agon_plot_row* grown = realloc(data->row, room * sizeof *grown);
        if (!grown)
            code = agon_fail(error, AGON_EMEMORY, "out of memory for %zu measurements", room);
        else
            data->row = grown;
    }
    if (code == AGON_OK) {
        agon_plot_row* row = &data->row[data->rows++];
        read_row(data, row, line);
        if (isnan(row->steps) || row->steps < 0)
            code = agon_fail(error, AGON_EFORMAT, "%s: \"steps\" is not a number >= 0", what);
        else
            code = read_matrix(data, line, what, error);
    }
    cJSON_Delete(line);
    return code;
}

/* A line without its newline at the end of the file is one being written: left out. */
static int read_lines(FILE* file, const char* path, agon_plot_data* data, agon_error* error) {
    char* text = NULL;
    size_t room = 0;
    ssize_t length;
    int code = AGON_OK;
    while (code == AGON_OK && (length = getline(&text, &room, file)) > 0) {
        char what[640];
        snprintf(what, sizeof what, "%.500s:%d", path, data->rows + 1);
        if (text[length - 1] != '\n')
            data->cut = true;
        else if ((size_t)length > max_line || data->rows == MAX_ROWS)
            code = agon_fail(error, AGON_ELIMIT, "%s: longer than %d measurements or 1 GiB a line",
                             what, MAX_ROWS);
        else
            code = add_line(data, text, (size_t)length, what, error);
    }
    if (code == AGON_OK && ferror(file))
        code = agon_fail(error, AGON_EIO, "%s: %s", path, strerror(errno));
    free(text);
    return code;
}

int agon_plot_data_read(const char* path, agon_plot_data* out, agon_error* error) {
    agon_plot_data data = {.games = NAN, .se = NAN};
    FILE* file = fopen(path, "re");
    if (!file) {
        agon_fail(error, AGON_EMISSING, "%s: %s", path, strerror(errno));
        return agon_hint(error, "give a run directory, as 'agon train' printed it");
    }
    int code = read_lines(file, path, &data, error);
    fclose(file);
    if (code == AGON_OK && data.rows == 0) {
        agon_fail(error, AGON_EFORMAT, "%s: no measured generation yet", path);
        code = agon_hint(error, "the first comes within seconds of training; let the run go on");
    }
    if (code == AGON_OK)
        *out = data;
    else
        agon_plot_data_close(&data);
    return code;
}

void agon_plot_data_close(agon_plot_data* data) {
    free(data->row);
    free_matrix(data);
    *data = (agon_plot_data){0};
}
