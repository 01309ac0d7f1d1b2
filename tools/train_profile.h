/* train_profile.h: where the time of a run went, for people and programs. */
#ifndef AGON_TRAIN_PROFILE_H
#define AGON_TRAIN_PROFILE_H

#include "engine/training.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/* "update 44 %, forward 31 %, ...": largest first, what is below half a percent left out, as many
 * as fit into `size`. */
void agon_profile_line(const double* phase, char* out, size_t size);
/* The table at the end of a run. */
void agon_profile_table(FILE* out, const agon_training* training);
/* The same as an object, NULL: out of memory. The caller owns it. */
cJSON* agon_profile_json(const agon_training* training);

#endif
