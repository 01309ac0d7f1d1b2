/* result_check.h: whether a stranger's result has the shape that its task asks for. */
#ifndef AGON_RESULT_CHECK_H
#define AGON_RESULT_CHECK_H

#include "engine/executor.h"

/* What is built on results takes their shapes for granted, so they are checked before they are
 * accepted: kind and key; of a train task two blobs, nets of the architecture asked for; of a probe
 * task a row of probabilities for each state of the set; counters that fit the store. Whether the
 * numbers are right only another execution can tell. `load` reads the probe set (as
 * agon_executor_def); AGON_EINVALID says what is wrong with the result, another code that it could
 * not be checked. */
int agon__result_check(const agon_task* task, const agon_result* result,
                       int (*load)(void* user, const char* hash, uint8_t** data, size_t* size,
                                   agon_error* error),
                       void* user, agon_error* error);

#endif
