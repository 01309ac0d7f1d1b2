/* catalogue_solved.h: what the rows of the table that look at solved states share (internal). */
#ifndef AGON_CATALOGUE_SOLVED_H
#define AGON_CATALOGUE_SOLVED_H

#include "engine/metrics/metric.h"
#include "engine/metrics/outcomes.h"
#include "engine/metrics/solved.h"

#define AGON__ON_SOLVED (AGON_NEEDS_ANSWERS | AGON_NEEDS_WORTH)

/* Borrowed. */
agon_solved agon__solved_of(const agon_evidence* evidence);

/* Says why, and returns `code`. */
int agon__solved_refuse(agon_error* error, int code);

/* Failures of the greedy actions at judged states. *block: what the arrays of `out` lie in, to be
 * freed; NULL when no state is judged, and then `out` is untouched. */
int agon__failures_of(const agon_evidence* evidence, double** block, agon_outcomes* out,
                      agon_error* error);

#endif
