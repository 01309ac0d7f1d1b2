/* golden.h: a small task whose result everybody computes to the same bytes, or is not to be
 * trusted. */
#ifndef AGON_GOLDEN_H
#define AGON_GOLDEN_H

#include "engine/task.h"
#include "games/rules.h"

/* A train task of some thousand decisions in a game: new learner, self-play, sampling, two updates.
 * A function of the game alone. */
int agon_golden_task(const agon_rules* rules, agon_task* out, agon_error* error);

#endif
