/* plot_evidence.h: what pictures ask of a run beyond metrics.jsonl: its answers, from the database
 * or, where it did not keep them, from its snapshots. */
#ifndef AGON_PLOT_EVIDENCE_H
#define AGON_PLOT_EVIDENCE_H

#include "engine/metrics/metric.h"
#include "tools/plot.h"

typedef struct agon_plot_asker agon_plot_asker;

/* Opens the view's run. NULL: it cannot be opened, and view->why says why. other_probes: ask the
 * probe set of the file view->probes, where there is one. */
agon_plot_asker* agon_plot_asker_open(agon_plot_view* view, bool other_probes);
void agon_plot_asker_close(agon_plot_asker* asker);

/* Parts AGON_NEEDS_... at a generation; -1: the last measured. *out: owned by the caller,
 * agon_evidence_clear, also after an error. */
int agon_plot_ask(agon_plot_asker* asker, unsigned needs, int generation, agon_evidence* out,
                  agon_error* error);
/* The role whose agents are asked, where roles are separate; else "". */
const char* agon_plot_asker_role(const agon_plot_asker* asker);

/* Intervals over probe states in the rows of a single run, 95 %, each of its measured generations
 * asked of the answers it kept; left NaN, and said, where they cannot be had (plot_bands.c). */
void agon_plot_fill_bands(const agon_plot_view* view);

#endif
