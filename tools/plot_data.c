#include "tools/plot_data.h"

#include "tools/plot_json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 1000000 };
static const size_t max_line = (size_t)1 << 30;

/* ---- one line ---- */

/* The reason for an absent entry: inside it, or beside it as "KEY_why" or "why". */
static void read_why(const cJSON* line, const char* key, char* out, size_t size) {
    char beside[64];
    snprintf(beside, sizeof beside, "%s_why", key);
    const cJSON* why = agon_json_child(agon_json_child(line, key), "why");
    if (!why)
        why = agon_json_child(line, beside);
    if (!why)
        why = agon_json_child(line, "why");
    if (cJSON_IsObject(why))
        why = agon_json_child(why, key);
    if (cJSON_IsString(why))
        agon_plot_clean(why->valuestring, out, size);
}

static void read_spread(const cJSON* array, double* low, double* median, double* high) {
    int count;
    double* values = agon_json_sorted(array, &count);
    *low = count ? values[0] : NAN;
    *median = count ? 0.5 * (values[(count - 1) / 2] + values[count / 2]) : NAN;
    *high = count ? values[count - 1] : NAN;
    free(values);
}

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

static void read_score(agon_plot_data* data, agon_plot_row* row, const cJSON* score,
                       const char* name) {
    const int i = anchor_index(data, name);
    if (i < 0)
        return;
    row->mean[i] = agon_json_number_at(score, "mean");
    row->best[i] = agon_json_number_at(score, "best");
    row->se[i] = agon_json_number_at(score, "se");
}

/* "random", or where roles are apart "random,by_prey", "random,by_predator" */
static void read_anchor(agon_plot_data* data, agon_plot_row* row, const cJSON* score) {
    const cJSON* each;
    if (!agon_json_child(score, "by_role")) {
        read_score(data, row, score, score->string);
        return;
    }
    cJSON_ArrayForEach(each, agon_json_child(score, "by_role")) {
        char name[128], role[32] = "";
        agon_json_text(agon_json_child(each, "role"), role, sizeof role);
        snprintf(name, sizeof name, "%.80s,by_%s", score->string, role);
        read_score(data, row, each, name);
    }
}

static double mean_of_known(const double* x, int n) {
    double sum = 0;
    int count = 0;
    for (int i = 0; i < n; i++) {
        sum += isnan(x[i]) ? 0 : x[i];
        count += !isnan(x[i]);
    }
    return count ? sum / count : NAN;
}

static void read_scores(agon_plot_data* data, agon_plot_row* row, const cJSON* scores) {
    const cJSON* score;
    row->score = NAN;
    for (int i = 0; i < (int)AGON_PLOT_BANDS; i++)
        row->band_low[i] = row->band_high[i] = NAN;
    for (int i = 0; i < AGON_PLOT_ANCHORS; i++)
        row->mean[i] = row->best[i] = row->se[i] = NAN;
    if (!cJSON_IsObject(scores))
        return;
    cJSON_ArrayForEach(score, scores) {
        if (!cJSON_IsObject(score))
            continue;
        read_anchor(data, row, score);
        agon_json_text(agon_json_child(score, "protocol"), data->protocol, sizeof data->protocol);
        data->score_games = agon_json_number_at(score, "games");
        agon_json_text(agon_json_child(score, "unit"), data->score_unit, sizeof data->score_unit);
    }
    row->score = mean_of_known(row->mean, data->anchors);
}

static void read_row(agon_plot_data* data, agon_plot_row* row, const cJSON* line) {
    double ignored;
    row->generation = agon_json_number_at(line, "generation");
    if (isnan(row->generation)) /* not said: rows are numbered */
        row->generation = data->rows - 1;
    row->steps = agon_json_number_at(line, "steps");
    row->agents = agon_json_number_at(line, "agents");
    const int roles = cJSON_GetArraySize(agon_json_child(line, "roles"));
    data->roles = roles > 1 ? roles : 1;
    row->agents /= data->roles; /* as many of each, compared apart */
#define AGON_PLOT_READ(id, column, object, key)                                                    \
    row->value[AGON_PLOT_##id] = agon_json_number_at(agon_json_child(line, object), key);
    AGON_PLOT_SERIES(AGON_PLOT_READ)
#undef AGON_PLOT_READ
    read_scores(data, row, agon_json_child(line, "score"));
    read_spread(agon_json_child(agon_json_child(line, "rating"), "elo"), &row->elo_low,
                &row->elo_median, &row->elo_high);
    row->elo_spread = row->elo_high - row->elo_low;
    read_spread(agon_json_child(agon_json_child(line, "nash_conv"), "each"), &row->nash_conv_low,
                &ignored, &row->nash_conv_high);
    const cJSON* null = agon_json_child(agon_json_child(line, "payoff"), "cyclic_null");
    row->null_low = agon_json_number(cJSON_GetArrayItem(null, 1));
    row->null_high = agon_json_number(cJSON_GetArrayItem(null, 2));
    read_why(line, "diversity", data->why_diversity, sizeof data->why_diversity);
    read_why(line, "payoff", data->why_payoff, sizeof data->why_payoff);
    read_why(line, "nash_conv", data->why_nash_conv, sizeof data->why_nash_conv);
    read_why(line, "rating", data->why_rating, sizeof data->why_rating);
}

/* ---- the file ---- */

/* A damaged matrix is refused now, not when the picture that needs it is drawn. */
static int check_matrix(agon_plot_data* data, agon_plot_row* row, const cJSON* line,
                        const char* what, agon_error* error) {
    agon_plot_payoff payoff;
    const int code = agon__plot_payoff_take(line, what, &payoff, error);
    if (code)
        return code;
    row->rated = payoff.n;
    if (payoff.n > 0)
        data->last = data->rows - 1;
    agon_plot_payoff_close(&payoff);
    return AGON_OK;
}

static int add_line(agon_plot_data* data, const char* text, size_t length, long offset,
                    const char* what, agon_error* error) {
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
            code = check_matrix(data, row, line, what, error);
        row->offset = offset;
    }
    cJSON_Delete(line);
    return code;
}

/* A line without its newline at the end of the file is one being written: left out. */
static int read_lines(FILE* file, const char* path, agon_plot_data* data, agon_error* error) {
    char* text = NULL;
    size_t room = 0;
    ssize_t length;
    long offset = 0;
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
            code = add_line(data, text, (size_t)length, offset, what, error);
        offset += length;
    }
    if (code == AGON_OK && ferror(file))
        code = agon_fail(error, AGON_EIO, "%s: %s", path, strerror(errno));
    free(text);
    return code;
}

int agon_plot_data_read(const char* path, agon_plot_data* out, agon_error* error) {
    agon_plot_data data = {.last = -1, .roles = 1};
    snprintf(data.path, sizeof data.path, "%s", path);
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
    *data = (agon_plot_data){0};
}

bool agon_plot_data_has(const agon_plot_data* data, size_t offset) {
    for (int i = 0; i < data->rows; i++)
        if (!isnan(*(const double*)((const char*)&data->row[i] + offset)))
            return true;
    return false;
}
