/* plot_runs.h: the runs that are drawn together. Runs that differ in nothing but train.seed are one
 * condition; a condition is named by the settings in which the conditions differ. */
#ifndef AGON_PLOT_RUNS_H
#define AGON_PLOT_RUNS_H

#include "engine/config.h"
#include "tools/plot_data.h"

typedef struct agon_plot_run {
    char dir[1024];
    char label[64];  /* the last part of dir, cleaned for file names and scripts */
    bool configured; /* config.ini could be read */
    agon_config config;
    char game[128]; /* cleaned; may be empty */
    int condition;
    agon_plot_data data; /* anchors are those of all runs, in one order */
} agon_plot_run;

typedef struct agon_plot_condition {
    char label[160]; /* "league.kind=pfsp", cleaned; "all runs" when there is one condition */
    char legend[64]; /* the same as a legend has it: a long one without sections, or cut */
    int runs;
} agon_plot_condition;

typedef struct agon_plot_runs {
    int count;
    agon_plot_run* run; /* (count) owned */
    int conditions;
    agon_plot_condition* condition; /* (conditions) owned, in the order of their first run */
} agon_plot_runs;

/* dirs: (count >= 1). *out: owned by the caller, agon_plot_runs_close. A run named twice is
 * AGON_EINVALID. */
int agon_plot_runs_read(char* const* dirs, int count, agon_plot_runs* out, agon_error* error);
void agon_plot_runs_close(agon_plot_runs* runs);

/* Is a number known in any run? `offset` is its place in agon_plot_row. */
bool agon_plot_runs_has(const agon_plot_runs* runs, size_t offset);

#endif
