#include "tools/plot_runs.h"

#include "tools/plot_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void agon_plot_runs_close(agon_plot_runs* runs) {
    for (int i = 0; i < runs->count; i++)
        agon_plot_data_close(&runs->run[i].data);
    free(runs->run);
    free(runs->condition);
    *runs = (agon_plot_runs){0};
}

bool agon_plot_runs_has(const agon_plot_runs* runs, size_t offset) {
    for (int i = 0; i < runs->count; i++)
        if (agon_plot_data_has(&runs->run[i].data, offset))
            return true;
    return false;
}

enum { LEGEND = 56 }; /* characters that fit a column's width */

/* ---- one run ---- */

static void name_run(agon_plot_run* run) {
    size_t end = strlen(run->dir);
    while (end > 1 && run->dir[end - 1] == '/')
        run->dir[--end] = '\0';
    const char* slash = strrchr(run->dir, '/');
    agon_plot_clean(slash && slash[1] ? slash + 1 : run->dir, run->label, sizeof run->label);
    for (char* c = run->label; *c; c++)
        if (strchr(" /,;?%", *c))
            *c = '_';
}

/* Settings are for names and footers alone: a run without them is drawn without them. */
static void read_settings(agon_plot_run* run) {
    agon_error ignored = {0};
    char path[1200];
    snprintf(path, sizeof path, "%s/config.ini", run->dir);
    agon_config_defaults(&run->config);
    run->configured = agon_config_read_file(&run->config, path, &ignored) == AGON_OK;
    if (run->configured)
        agon_plot_clean(run->config.game.name, run->game, sizeof run->game);
}

static int read_run(const char* dir, agon_plot_run* run, agon_error* error) {
    char path[1200];
    if (strlen(dir) >= sizeof run->dir - 24)
        return agon_fail(error, AGON_EINVALID, "a directory name of more than 1000 bytes");
    snprintf(run->dir, sizeof run->dir, "%s", dir);
    name_run(run);
    read_settings(run);
    snprintf(path, sizeof path, "%s/metrics.jsonl", run->dir);
    return agon_plot_data_read(path, &run->data, error);
}

/* Is the last of the runs one of those before it? */
static bool read_before(const agon_plot_runs* runs) {
    char* last = realpath(runs->run[runs->count - 1].dir, NULL);
    bool found = false;
    for (int i = 0; last && i + 1 < runs->count && !found; i++) {
        char* other = realpath(runs->run[i].dir, NULL);
        found = other && strcmp(other, last) == 0;
        free(other);
    }
    free(last);
    return found;
}

/* File names are made of labels: equal ones get a number. */
static void distinguish(agon_plot_runs* runs) {
    for (int i = 0; i < runs->count; i++) {
        int equal = 1;
        for (int k = 0; k < i; k++)
            equal += strncmp(runs->run[k].label, runs->run[i].label, 40) == 0;
        if (equal > 1)
            snprintf(runs->run[i].label + strnlen(runs->run[i].label, 40), 16, "-%d", equal);
    }
}

/* ---- anchors ---- */

static int anchor_place(agon_plot_data* list, const char* name) {
    for (int i = 0; i < list->anchors; i++)
        if (strcmp(list->anchor[i], name) == 0)
            return i;
    if (list->anchors == AGON_PLOT_ANCHORS)
        return -1;
    snprintf(list->anchor[list->anchors], sizeof list->anchor[0], "%s", name);
    return list->anchors++;
}

static void move_scores(agon_plot_row* row, const int* place, int anchors) {
    const agon_plot_row old = *row;
    for (int i = 0; i < AGON_PLOT_ANCHORS; i++)
        row->mean[i] = row->best[i] = row->se[i] = NAN;
    for (int i = 0; i < anchors; i++) {
        if (place[i] < 0)
            continue;
        row->mean[place[i]] = old.mean[i];
        row->best[place[i]] = old.best[i];
        row->se[place[i]] = old.se[i];
    }
}

/* Gives all runs one list of anchors. */
static void unite_anchors(agon_plot_runs* runs) {
    agon_plot_data list = {0};
    for (int r = 0; r < runs->count; r++) {
        agon_plot_data* data = &runs->run[r].data;
        int place[AGON_PLOT_ANCHORS];
        for (int i = 0; i < data->anchors; i++)
            place[i] = anchor_place(&list, data->anchor[i]);
        for (int i = 0; i < data->rows; i++)
            move_scores(&data->row[i], place, data->anchors);
    }
    for (int r = 0; r < runs->count; r++) {
        memcpy(runs->run[r].data.anchor, list.anchor, sizeof list.anchor);
        runs->run[r].data.anchors = list.anchors;
    }
}

/* ---- conditions ---- */

static bool names_condition(const agon_config_key* key) {
    return agon_config_decides(key) &&
           (strcmp(key->section, "train") != 0 || strcmp(key->name, "seed") != 0);
}

/* Do the runs that have settings differ in this one? */
static bool differs(const agon_plot_runs* runs, const agon_config_key* key) {
    char first[600], other[600];
    const agon_plot_run* seen = NULL;
    for (int i = 0; i < runs->count; i++) {
        if (!runs->run[i].configured)
            continue;
        agon_config_value(&runs->run[i].config, key, seen ? other : first, sizeof first);
        if (seen && strcmp(first, other) != 0)
            return true;
        seen = &runs->run[i];
    }
    return false;
}

static void describe(const agon_plot_runs* runs, const agon_plot_run* run, bool sections, char* out,
                     size_t size) {
    int keys;
    const agon_config_key* key = agon_config_keys(&keys);
    char text[2048] = "", value[600];
    size_t used = 0;
    if (!run->configured) {
        snprintf(out, size, "%s", run->label);
        return;
    }
    for (int k = 0; k < keys && used < sizeof text - 1; k++) {
        if (!names_condition(&key[k]) || !differs(runs, &key[k]))
            continue;
        agon_config_value(&run->config, &key[k], value, sizeof value);
        const int wrote =
            snprintf(text + used, sizeof text - used, "%s%s%s%s=%s", used ? ", " : "",
                     sections ? key[k].section : "", sections ? "." : "", key[k].name, value);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
    agon_plot_clean(*text ? text : "all runs", out, size);
}

static int find_condition(agon_plot_runs* runs, const char* label) {
    for (int i = 0; i < runs->conditions; i++)
        if (strcmp(runs->condition[i].label, label) == 0)
            return i;
    snprintf(runs->condition[runs->conditions].label, sizeof runs->condition[0].label, "%s", label);
    return runs->conditions++;
}

static int make_conditions(agon_plot_runs* runs, agon_error* error) {
    char label[sizeof runs->condition[0].label];
    runs->condition = calloc((size_t)runs->count, sizeof *runs->condition);
    if (!runs->condition)
        return agon_fail(error, AGON_EMEMORY, "out of memory for %d runs", runs->count);
    for (int i = 0; i < runs->count; i++) {
        describe(runs, &runs->run[i], true, label, sizeof label);
        runs->run[i].condition = find_condition(runs, label);
        agon_plot_condition* condition = &runs->condition[runs->run[i].condition];
        condition->runs++;
        if (strlen(label) > LEGEND)
            describe(runs, &runs->run[i], false, label, sizeof label);
        snprintf(condition->legend, sizeof condition->legend, "%.*s%s", LEGEND, label,
                 strlen(label) > LEGEND ? "..." : "");
    }
    return AGON_OK;
}

int agon_plot_runs_read(char* const* dirs, int count, agon_plot_runs* out, agon_error* error) {
    agon_plot_runs runs = {.run = calloc((size_t)count, sizeof *runs.run)};
    int code =
        runs.run ? AGON_OK : agon_fail(error, AGON_EMEMORY, "out of memory for %d runs", count);
    for (int i = 0; i < count && !code; i++) {
        code = read_run(dirs[i], &runs.run[i], error);
        runs.count += !code;
        if (!code && read_before(&runs))
            code = agon_fail(error, AGON_EINVALID, "%s is named twice", dirs[i]);
    }
    if (!code) {
        distinguish(&runs);
        unite_anchors(&runs);
        code = make_conditions(&runs, error);
    }
    if (code)
        agon_plot_runs_close(&runs);
    else
        *out = runs;
    return code;
}
