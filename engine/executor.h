/* executor.h: whoever runs tasks; one of agon's four seams.
 *
 * A task goes in as bytes and a result comes out as bytes, so that a thread next door and a worker
 * on another continent are the same thing to the caller. All calls and callbacks are on the loop
 * thread. */
#ifndef AGON_EXECUTOR_H
#define AGON_EXECUTOR_H

#include "engine/execute.h"

#include <uv.h>

/* Exactly once per accepted task. status 0: data (size bytes, borrowed for the call) is the encoded
 * result; otherwise error says what went wrong. */
typedef void (*agon_executor_done)(void* user, uint64_t ticket, int status, const uint8_t* data,
                                   size_t size, const agon_error* error);

typedef struct agon_executor agon_executor;
struct agon_executor {
    const char* name;
    int slots; /* tasks at a time */
    void* self;
    /* Takes over data (malloc'd). Refused with AGON_ELIMIT when all slots are busy: then data stays
     * the caller's and the callback is never called. */
    int (*submit)(agon_executor* executor, uint64_t ticket, uint8_t* data, size_t size);
    /* Running tasks: share done summed over slots in 1/1000, and agent-steps done in them. */
    void (*progress)(const agon_executor* executor, unsigned* permille, uint64_t* steps);
    /* Adds what the threads of the tasks have done so far: seconds by agon_phase. */
    void (*profile)(const agon_executor* executor, double* seconds);
    /* Asks every running task to stop soon; their callbacks come with AGON_ECANCELLED. */
    void (*cancel)(agon_executor* executor);
    void (*close)(agon_executor* executor); /* when nothing runs */
};

typedef struct agon_local_def {
    uv_loop_t* loop;
    int slots;
    const agon_backend* backend;
    int (*load)(void* user, const char* hash, uint8_t** data, size_t* size, agon_error* error);
    void* load_user;
    agon_executor_done done;
    void* user;
} agon_local_def;

/* Tasks on libuv's pool of this process. The pool must have more threads than slots
 * (UV_THREADPOOL_SIZE, set before libuv is first used), or file work waits for tasks. */
int agon_executor_local(const agon_local_def* def, agon_executor* out, agon_error* error);

#endif
