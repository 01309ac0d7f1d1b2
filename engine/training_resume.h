/* training_resume.h: going on with a stored run without holding all of it in memory (inside
 * engine/ only). */
#ifndef AGON_TRAINING_RESUME_H
#define AGON_TRAINING_RESUME_H

#include "engine/training.h"

/* Finds how far the rows of the run go, and fills the record with what planning needs; older
 * results are read when asked for. t->trained is set. */
int agon__training_remember(agon_training* t, agon_error* error);

/* The generation that is measured after t->measured; beyond the last when there is none. */
int agon__training_next_measured(const agon_training* t);
/* The line of metrics.jsonl of a measured generation, malloc'd. measured: NULL, or the measurement,
 * whom the caller clears. */
int agon__training_line(const agon_training* t, int generation, char** line,
                        agon_measurement* measured, agon_error* error);
/* metrics.jsonl up to the last generation that the rows measure. Lines that are there stay when the
 * first and the last of them are what the rows say and none between is missing or torn; others are
 * made again. t->measured is set. */
int agon__training_settle_metrics(agon_training* t, agon_error* error);

#endif
