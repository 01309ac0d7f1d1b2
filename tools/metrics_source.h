/* metrics_source.h: from the words of a command line to evidence. */
#ifndef AGON_TOOLS_METRICS_SOURCE_H
#define AGON_TOOLS_METRICS_SOURCE_H

#include "engine/metrics/metric.h"

/* Options as typed; NULL: not given. */
typedef struct agon_metrics_source {
    char** word; /* (words) runs or agents */
    int words;
    const char *at, *role, *game, *probes, *set, *games, *threads, *baseline, *held_out;
    const char *payoff, *unit, *payoff_games, *tables, *probs, *counts, *weights, *labels, *answers,
        *activations;
    bool quiet;
    unsigned needs; /* AGON_NEEDS_... of the metrics that were asked for */
    uint64_t seed;  /* of what is played or drawn anew for agents that are no run */
    /* read from the words above by agon_metrics_source_options */
    int at_number, role_number, games_number, threads_number;
    void (*progress)(void* user, const char* what, int done, int total);
    void* progress_user;
} agon_metrics_source;

/* One population, asked about one probe set. */
typedef struct agon_population_view {
    agon_evidence evidence; /* owned */
    int baseline;           /* its baseline among the views, or -1 */
    bool later;             /* a further probe set of the population before: only answers are new */
    bool hidden;            /* a baseline: computed with, not shown */
} agon_population_view;

typedef struct agon_populations {
    agon_population_view* view; /* (count) owned */
    int count;
} agon_populations;

/* Numbers among the options, and the progress line. Returns an exit code, after a usage message. */
int agon_metrics_source_options(agon_metrics_source* source);
/* Evidence of everything that was named. */
int agon_metrics_source_open(const agon_metrics_source* source, agon_populations* out,
                             agon_error* error);
void agon_populations_close(agon_populations* populations);

/* Appends a view with empty evidence; NULL: out of memory. Earlier pointers become invalid. */
agon_population_view* agon_populations_add(agon_populations* populations);
/* Evidence of files (--payoff, --probs, --counts, --activations). */
int agon_metrics_files_open(const agon_metrics_source* source, agon_evidence* out,
                            agon_error* error);

#endif
