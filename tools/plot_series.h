/* plot_series.h: numbers over time, of one run or of many. Runs of one condition are summed up by
 * the interquartile mean over runs, with a 95 % bootstrap interval. */
#ifndef AGON_PLOT_SERIES_H
#define AGON_PLOT_SERIES_H

#include "tools/plot_runs.h"

#include <stdio.h>

/* Columns of a picture's data. Name: letters, digits and _.,()= */
typedef struct agon_plot_column {
    char name[96];
    size_t offset; /* in agon_plot_row */
} agon_plot_column;

#define AGON_PLOT_COLUMNS 64

/* Of runs at one generation; NaN where no run knows it. */
typedef struct agon_plot_summary {
    double middle;    /* interquartile mean; of one run its number */
    double low, high; /* NaN: of one run */
} agon_plot_summary;

/* Do intervals exist: has a condition two runs or more? */
bool agon_plot_has_bands(const agon_plot_runs* runs);

/* The generations that a condition was measured at, ascending. malloc'd; NULL: out of memory. */
double* agon_plot_generations(const agon_plot_runs* runs, int condition, int* count);
/* One number at one generation of a condition. */
int agon_plot_summarise(const agon_plot_runs* runs, int condition, double generation, size_t offset,
                        agon_plot_summary* out, agon_error* error);

/* A table: condition, runs, generation, steps, and each column; with bands NAME.low and NAME.high
 * behind it. Conditions one below the other, generations ascending. */
int agon_plot_series_write(FILE* file, const agon_plot_runs* runs, const agon_plot_column* column,
                           int columns, agon_error* error);

/* "NaN" or the number, then `end`. */
void agon_plot_put(FILE* file, double x, const char* end);

#endif
