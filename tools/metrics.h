/* metrics.h: the table of metrics computed on some evidence, and printed. */
#ifndef AGON_TOOLS_METRICS_H
#define AGON_TOOLS_METRICS_H

#include "engine/metrics/metric.h"
#include "tools/metrics_source.h"

#include <stdio.h>

/* One metric on one evidence. */
typedef struct agon_finding {
    const agon_metric* metric;
    char why[200];                 /* n/a because; "": the values hold */
    char set[16];                  /* probe set, where answers were looked at; "" */
    const agon_evidence* evidence; /* borrowed */
    int rows, columns;
    double* value; /* (rows, columns) owned */
    bool noisy;    /* the next holds: shape AGON_ONE and a bootstrap was made */
    agon_metric_noise noise[AGON_METRIC_COLUMNS];
} agon_finding;

typedef struct agon_findings {
    agon_finding* finding; /* (count) owned */
    int count;
} agon_findings;

#define AGON_SAMPLES_USUAL (-1)
#define AGON_BOOTSTRAP_UP_TO                                                                       \
    100 /* agents: of larger populations no intervals, unless asked for                            \
         */

typedef struct agon_compute_def {
    const agon_metric* const* metric; /* (metrics) */
    int metrics;
    agon_metric_options options;
    int samples; /* worlds of bootstraps; 0: none; AGON_SAMPLES_USUAL: 200, of more than
                    AGON_BOOTSTRAP_UP_TO agents none */
    bool later;  /* not the first evidence of this population: only what looks at answers */
    void (*progress)(void* user, const char* what, int done, int total);
    void* user;
} agon_compute_def;

/* Appends a finding for each metric. */
int agon_findings_add(agon_findings* findings, const agon_compute_def* def,
                      const agon_evidence* evidence, agon_error* error);
/* The same for everything that was named; each population with its baseline. */
int agon_findings_of(const agon_populations* populations, const agon_compute_def* def,
                     agon_findings* findings, agon_error* error);
void agon_findings_close(agon_findings* findings);
/* Does it look at answers, which depend on the probe set? */
bool agon_metric_asks(const agon_metric* metric);

/* On a terminal's stderr, for agon_compute_def. A metric says nothing until it is done; so its name
 * is shown before. */
void agon_metrics_progress(void* user, const char* what, int done, int total);
/* Is the value outside its interval? Resampling repeats states and adds noise a second time, which
 * moves some numbers to one side. */
bool agon_finding_leaves_out(const agon_finding* finding, int column);
/* Rows that count: of levels, those before the last that are all NaN; else all. */
int agon_finding_levels(const agon_finding* finding);

void agon_findings_print(FILE* out, const agon_findings* findings);
void agon_findings_csv(FILE* out, const agon_findings* findings);
/* One JSON object on a line. */
int agon_findings_json(FILE* out, const agon_findings* findings, agon_error* error);

/* What is said about a metric: its row of the table in words; and the whole table as Markdown. */
void agon_metric_explain(FILE* out, const agon_metric* metric);
void agon_metrics_list(FILE* out);
void agon_metrics_document(FILE* out);

#endif
