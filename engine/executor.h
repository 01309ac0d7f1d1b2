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

/* What is known of one task. */
typedef struct agon_executor_look {
    unsigned permille; /* share done */
    uint64_t steps;    /* agent-steps done */
    uint64_t cpu_ms;   /* of its thread; 0 while it runs */
} agon_executor_look;

typedef struct agon_executor agon_executor;
struct agon_executor {
    const char* name;
    int slots; /* tasks at a time; where workers come and go it changes, def.changed says when */
    void* self;
    /* Takes over data (malloc'd). Refused with AGON_ELIMIT when all slots are busy: then data stays
     * the caller's and the callback is never called. */
    int (*submit)(agon_executor* executor, uint64_t ticket, uint8_t* data, size_t size);
    /* Running tasks: share done summed over slots in 1/1000, and agent-steps done in them. */
    void (*progress)(const agon_executor* executor, unsigned* permille, uint64_t* steps);
    /* Adds what the threads of the tasks have done so far: seconds by agon_phase. Returns the
     * seconds that all slots have been there for. */
    double (*profile)(const agon_executor* executor, double* seconds);
    /* Asks every running task to stop soon; their callbacks come with AGON_ECANCELLED. */
    void (*cancel)(agon_executor* executor);
    /* (optional) One task that runs, or whose callback is being called; false: it is neither. */
    bool (*look)(const agon_executor* executor, uint64_t ticket, agon_executor_look* out);
    /* (optional) Asks this task alone to stop, as `cancel`. */
    void (*drop)(agon_executor* executor, uint64_t ticket);
    /* (optional) Hands back what nobody has begun: the callbacks come with AGON_ECANCELLED. */
    void (*recall)(agon_executor* executor);
    /* (optional) The result of this ticket is safe on disk. */
    void (*committed)(agon_executor* executor, uint64_t ticket);
    /* (optional) Tasks that somebody has begun; without it all that were accepted are. */
    int (*begun)(const agon_executor* executor);
    /* (optional) Accepted results that are still being checked. */
    int (*checks)(const agon_executor* executor);
    /* (optional) One line for a person watching; empty: nothing to say. */
    void (*status)(const agon_executor* executor, char* out, size_t size);
    /* (optional) The workers as JSON, malloc'd; NULL: not again so soon. last: there is no later
     * call. */
    char* (*workers)(agon_executor* executor, bool last);
    /* When nothing runs: closes its handles; the loop then ends. */
    void (*shut)(agon_executor* executor);
    void (*close)(agon_executor* executor); /* after the loop has ended: frees it */
};

typedef struct agon_executor_def {
    uv_loop_t* loop;
    int slots; /* tasks at a time in this process */
    const agon_backend* backend;
    /* Reads a blob by hash; thread-safe. */
    int (*load)(void* user, const char* hash, uint8_t** data, size_t* size, agon_error* error);
    void* load_user;
    agon_executor_done done;
    /* More slots, or fewer results to check, than when it was last asked. */
    void (*changed)(void* user);
    /* A result that `done` brought before is wrong: its task (borrowed), and how it is known. */
    void (*wrong)(void* user, const uint8_t* task, size_t size, const agon_error* why);
    void (*note)(void* user, const char* text); /* a sentence for the person watching */
    void* user;
} agon_executor_def;

/* Makes an executor; `maker` is what that kind needs to know besides, borrowed until it is closed.
 */
typedef int agon_executor_open(const agon_executor_def* def, const void* maker, agon_executor* out,
                               agon_error* error);

/* Tasks on libuv's pool of this process; `maker` is not used. The pool must have more threads than
 * slots (UV_THREADPOOL_SIZE, set before libuv is first used), and two more where the backend has
 * shards, or file work waits for tasks. Calls neither `changed` nor `wrong`.
 *
 * Where the backend has shards, it takes as many tasks as a planner may have ready and runs train
 * tasks together; how many of them at a time is the device's to say. */
agon_executor_open agon_executor_local;

/* Cores that this process may use, at least 1. */
int agon_cores(void);

#endif
