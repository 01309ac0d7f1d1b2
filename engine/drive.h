/* drive.h: the one loop: plan -> tasks -> executor -> results -> store, until nothing is left.
 *
 * The loop thread never waits for a disk: results are committed by one store job at a time on
 * libuv's pool, and everything that finished meanwhile goes into the next group commit. SIGINT or
 * SIGTERM once: tasks in flight finish and are committed; twice: they are dropped. A full disk
 * pauses the run until there is room. */
#ifndef AGON_DRIVE_H
#define AGON_DRIVE_H

#include "engine/executor.h"
#include "engine/store.h"

typedef struct agon_drive agon_drive;

/* What the driver serves: a planner and whoever watches. All on the loop thread. */
typedef struct agon_drive_client {
    void* user;
    /* Hands every ready task not handed out before to `emit`; nothing when all is handed out. */
    int (*plan)(void* user, int (*emit)(void* emit_user, const agon_task* task), void* emit_user);
    /* A result is committed. May call agon_drive_append. */
    int (*committed)(void* user, agon_drive* drive, const agon_task* task,
                     const agon_result* result, agon_error* error);
    void (*tick)(void* user, agon_drive* drive); /* (optional) twice a second, and at the end */
    void (*note)(void* user, const char* text);  /* (optional) a sentence for the person watching */
} agon_drive_client;

typedef struct agon_drive_def {
    agon_store* store;
    const agon_backend* backend;
    int slots;
    int keep;                 /* learners kept per agent */
    agon_executor_open* open; /* who runs the tasks; NULL: this process */
    const void* maker;        /* its second argument */
    agon_drive_client client;
} agon_drive_def;

typedef struct agon_drive_state {
    int queued, running, committing, tasks_done; /* tasks */
    int checks;                                  /* accepted results that are still being checked */
    char workers[160]; /* what the executor says of its workers; empty: nothing */
    unsigned running_permille;
    uint64_t running_steps; /* agent-steps done in running tasks */
    bool stopping, paused;
    double seconds; /* since agon_drive_run began */
    /* Seconds of work by agon_phase, of all threads; idle: what is left of slots x seconds. The
     * loop and the store job have threads of their own: beside tasks on every slot they bring the
     * sum above slots x seconds. Waits for the disk count as store as far as slots stood idle. */
    double phase[AGON_PHASES];
} agon_drive_state;

/* Runs until the planner has nothing left or a signal stops it. *interrupted: a signal did.
 * *wrong_from (at most INT_MAX - 1): the lowest generation of a committed result that turned out to
 * be wrong; nothing is started after it, and AGON_ECONFLICT is returned. INT_MAX: none. */
int agon_drive_run(const agon_drive_def* def, bool* interrupted, int* wrong_from,
                   agon_error* error);

agon_drive_state agon_drive_now(const agon_drive* drive);

/* Of the loop thread while it calls the client, which may say what it does. */
agon_profile* agon_drive_profile(agon_drive* drive);

/* For the client, from its functions: nothing more is started; what runs is finished and committed.
 */
void agon_drive_stop(agon_drive* drive);

/* A line for one of the run's .jsonl files, written by the next store job. Copied. */
int agon_drive_append(agon_drive* drive, const char* file, const char* line);

#endif
