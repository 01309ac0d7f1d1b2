#include "tools/plot_series.h"

#include "engine/metrics/inference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RESAMPLES = 2000 };

void agon_plot_put(FILE* file, double x, const char* end) {
    if (isnan(x))
        fprintf(file, "NaN%s", end);
    else
        fprintf(file, "%.9g%s", x, end);
}

bool agon_plot_has_bands(const agon_plot_runs* runs) {
    for (int i = 0; i < runs->conditions; i++)
        if (runs->condition[i].runs > 1)
            return true;
    return false;
}

double* agon_plot_generations(const agon_plot_runs* runs, int condition, int* count) {
    size_t rows = 1;
    for (int r = 0; r < runs->count; r++)
        rows += (size_t)runs->run[r].data.rows;
    double* all = malloc(rows * sizeof *all);
    int known = 0, kept = 0;
    for (int r = 0; all && r < runs->count; r++)
        for (int i = 0; i < runs->run[r].data.rows; i++)
            if (runs->run[r].condition == condition)
                all[known++] = runs->run[r].data.row[i].generation;
    if (all)
        agon_summary_sort(all, known);
    for (int i = 0; all && i < known; i++)
        if (!isnan(all[i]) && (kept == 0 || all[i] != all[kept - 1]))
            all[kept++] = all[i];
    *count = kept;
    return all;
}

/* Generations rise from row to row. */
static const agon_plot_row* find_row(const agon_plot_data* data, double generation) {
    int low = 0, high = data->rows;
    while (high - low > 1) {
        const int middle = low + (high - low) / 2;
        *(data->row[middle].generation <= generation ? &low : &high) = middle;
    }
    return data->row[low].generation == generation ? &data->row[low] : NULL;
}

/* The known numbers of a condition's runs; returns how many. out: (runs of the condition) */
static int gather(const agon_plot_runs* runs, int condition, double generation, size_t offset,
                  double* out) {
    int count = 0;
    for (int r = 0; r < runs->count; r++) {
        const agon_plot_row* row =
            runs->run[r].condition == condition ? find_row(&runs->run[r].data, generation) : NULL;
        const double x = row ? *(const double*)((const char*)row + offset) : NAN;
        if (!isnan(x))
            out[count++] = x;
    }
    return count;
}

int agon_plot_summarise(const agon_plot_runs* runs, int condition, double generation, size_t offset,
                        agon_plot_summary* out, agon_error* error) {
    const agon_key key = agon_key_make(1, "plot/runs", AGON_FOR_METRIC);
    double* values = malloc((size_t)runs->condition[condition].runs * sizeof *values);
    agon_interval interval;
    agon_scores scores = {.strata = 1, .score = values};
    int code = values ? AGON_OK : AGON_EMEMORY;
    const int count = code ? 0 : gather(runs, condition, generation, offset, values);
    *out = (agon_plot_summary){count ? values[0] : NAN, NAN, NAN};
    scores.runs = &count;
    if (count > 1)
        code = agon_inference_iqm_bootstrap(&scores, RESAMPLES, key, &interval);
    if (count > 1 && !code)
        *out = (agon_plot_summary){interval.mean, interval.low, interval.high};
    free(values);
    return code ? agon_fail(error, code, "out of memory for intervals over runs") : AGON_OK;
}

static int write_row(FILE* file, const agon_plot_runs* runs, int condition, double generation,
                     const agon_plot_column* column, int columns, agon_error* error) {
    const bool bands = agon_plot_has_bands(runs);
    double* steps = malloc((size_t)runs->condition[condition].runs * sizeof *steps);
    if (!steps)
        return agon_fail(error, AGON_EMEMORY, "out of memory for a row of a picture");
    const int count = gather(runs, condition, generation, offsetof(agon_plot_row, steps), steps);
    fprintf(file, "%s\t%d\t", runs->condition[condition].label, count);
    agon_plot_put(file, generation, "\t");
    agon_plot_put(file, agon_summary_mean(steps, count), "");
    free(steps);
    for (int c = 0; c < columns; c++) {
        agon_plot_summary s;
        const int code =
            agon_plot_summarise(runs, condition, generation, column[c].offset, &s, error);
        if (code)
            return code;
        fputc('\t', file);
        agon_plot_put(file, s.middle, "");
        if (bands) {
            fputc('\t', file);
            agon_plot_put(file, s.low, "\t");
            agon_plot_put(file, s.high, "");
        }
    }
    fputc('\n', file);
    return AGON_OK;
}

int agon_plot_series_write(FILE* file, const agon_plot_runs* runs, const agon_plot_column* column,
                           int columns, agon_error* error) {
    const bool bands = agon_plot_has_bands(runs);
    fprintf(file, "condition\truns\tgeneration\tsteps");
    for (int c = 0; c < columns; c++) {
        fprintf(file, "\t%s", column[c].name);
        if (bands)
            fprintf(file, "\t%s.low\t%s.high", column[c].name, column[c].name);
    }
    fputc('\n', file);
    for (int condition = 0; condition < runs->conditions; condition++) {
        int count, code = AGON_OK;
        double* generation = agon_plot_generations(runs, condition, &count);
        if (!generation)
            return agon_fail(error, AGON_EMEMORY, "out of memory for a picture");
        for (int g = 0; g < count && !code; g++)
            code = write_row(file, runs, condition, generation[g], column, columns, error);
        free(generation);
        if (code)
            return code;
    }
    return AGON_OK;
}
