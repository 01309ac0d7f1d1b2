/* training_probes.h: the probe set of a run: made or taken from a file once, and then its own. Used
 * by training.c alone. */
#ifndef AGON_TRAINING_PROBES_H
#define AGON_TRAINING_PROBES_H

#include "engine/training.h"

/* Before a new run is written: reads metrics.probe_file, where one is named, and puts its hash into
 * the configuration, as metrics.probe_hash; that is what the run's hash is made of. Refuses a file
 * that does not fit the game, or has another hash than the configuration says (AGON_EINVALID). */
int agon__training_pin_probes(agon_training* training, agon_error* error);

/* The set the run is measured on, from the run's own blob; metrics.probe_file is not read again.
 * Without a blob yet (a new run, or a crash came before), it is made or copied now, if it may. */
int agon__training_settle_probes(agon_training* training, bool may_make, agon_error* error);

#endif
