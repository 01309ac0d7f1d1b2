/* needs.h: what somebody must have to run a task. */
#ifndef AGON_NEEDS_H
#define AGON_NEEDS_H

#include "net/scheduler.h"

/* Reads it out of an encoded task; `task` gets the task itself. A program is named in a task as
 * "cmd:NAME@SHA-256", or "cmd:NAME", which nobody offers. */
int agon__needs_read(const uint8_t* data, size_t size, agon_task* task, agon__needs* out,
                     agon_error* error);

#endif
