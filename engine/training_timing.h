/* training_timing.h: the lines of timing.jsonl: how fast a run went and where the time went; never
 * part of a result. */
#ifndef AGON_TRAINING_TIMING_H
#define AGON_TRAINING_TIMING_H

#include "engine/training.h"

/* What the names in a line mean, in order. */
const agon_measure_path* agon_timing_paths(int* count);

/* The line of the generation that has just been trained. */
int agon__training_append_timing(agon_training* training, agon_drive* drive);

#endif
