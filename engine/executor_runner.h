/* executor_runner.h: accepted tasks, and what runs them on a thread of libuv's pool. Internal to
 * engine/: the parts of the local executor (executor_local.c, executor_runner.c). */
#ifndef AGON_EXECUTOR_RUNNER_H
#define AGON_EXECUTOR_RUNNER_H

#include "engine/executor.h"

typedef enum agon__accepted_state {
    AGON__FREE, /* a place for a task */
    AGON__WAITING,
    AGON__RUNNING,
    AGON__ANSWERING /* `done` is being called */
} agon__accepted_state;

typedef struct agon__accepted {  /* a task; bytes are owned */
    struct agon__accepted* next; /* of the same list */
    struct agon__runner* runner; /* that has it; NULL: none */
    agon__accepted_state state;
    uint64_t ticket, cpu_ms;
    agon_gauge gauge;
    uint8_t* task;
    size_t task_size;
    agon_task* train; /* it may share a shard: decoded; else NULL */
    uint8_t* result;
    size_t result_size;
    int status;
    agon_error error;
} agon__accepted;

typedef struct agon__accepted_list {
    agon__accepted *first, **end;
} agon__accepted_list;

typedef struct agon__runner {
    uv_work_t work; /* work.data: this */
    void* owner;    /* the executor's own */
    char name[16];  /* of its thread, so that perf, top and gdb can tell tasks apart */
    bool busy;
    agon_context context;
    agon__accepted_list tasks; /* what it runs: one, or a shard */
    int count;
} agon__runner;

/* On a pool thread: runs the tasks of the runner, bytes in, bytes out. */
void agon__runner_run(uv_work_t* work);

#endif
