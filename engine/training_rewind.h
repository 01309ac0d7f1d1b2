/* training_rewind.h: a run goes back to where its results can be believed (inside engine/ only). */
#ifndef AGON_TRAINING_REWIND_H
#define AGON_TRAINING_REWIND_H

#include "engine/training.h"

/* A committed result of generation `wrong_from` is wrong, as `why` says: takes back everything that
 * may rest on it, in the store and in memory. *from: the generation that is made again. */
int agon__training_rewind(agon_training* t, int wrong_from, const agon_error* why, int* from,
                          agon_error* error);

#endif
