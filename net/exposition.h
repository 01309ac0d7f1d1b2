/* exposition.h: a scheduler's counts in the text format that Prometheus reads. */
#ifndef AGON_EXPOSITION_H
#define AGON_EXPOSITION_H

#include "net/scheduler.h"

#include <stdio.h>

#define AGON__EXPOSED 1000 /* present workers with series of their own, in order of joining */

/* agon__scheduler_each, or whatever else brings rows. */
typedef void agon__each_worker(const agon__scheduler* s,
                               void (*visit)(void* user, const agon__worker_row* row), void* user);

void agon__exposition_counts(FILE* out, const agon__scheduler_count* count);
void agon__exposition_workers(FILE* out, const agon__scheduler* s, agon__each_worker* each);

#endif
