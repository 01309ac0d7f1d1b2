/* executor_runner.c: the local executor's side on threads of the pool. */
#include "engine/executor_runner.h"

#include "engine/execute_shard.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static uint64_t thread_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void encode(agon__accepted* p, agon_result* result) {
    p->status = agon_result_encode(result, &p->result, &p->result_size, &p->error);
    agon_result_clear(result);
}

static void run_one(agon__runner* r, agon__accepted* p) {
    agon_task* task = malloc(sizeof *task);
    agon_result* result = calloc(1, sizeof *result);
    if (!task || !result) {
        p->status = agon_fail(&p->error, AGON_EMEMORY, "no memory for a task");
    } else {
        r->context.gauge = &p->gauge;
        p->status = agon_task_decode(p->task, p->task_size, task, &p->error);
        if (!p->status)
            p->status = agon_execute(task, &r->context, result, &p->error);
        agon_profile_enter(&r->context.profile, AGON_PHASE_OTHER);
        if (!p->status)
            encode(p, result);
    }
    free(task);
    free(result);
}

static void run_together(agon__runner* r) {
    agon_shard_task* job = calloc((size_t)r->count, sizeof *job);
    agon_shard_task** jobs = calloc((size_t)r->count, sizeof *jobs);
    int i = 0;
    for (agon__accepted* p = r->tasks.first; p; p = p->next, i++) {
        if (!job || !jobs) {
            p->status = agon_fail(&p->error, AGON_EMEMORY, "no memory for a shard of tasks");
            continue;
        }
        job[i] = (agon_shard_task){.task = p->train, .gauge = &p->gauge};
        jobs[i] = &job[i];
    }
    if (job && jobs)
        agon_execute_shard(jobs, r->count, &r->context);
    i = 0;
    for (agon__accepted* p = r->tasks.first; p && job && jobs; p = p->next, i++) {
        p->status = job[i].status;
        if (p->status)
            p->error = job[i].error;
        else
            encode(p, &job[i].result);
    }
    free(jobs);
    free(job);
}

void agon__runner_run(uv_work_t* work) {
    agon__runner* r = work->data;
    const uint64_t begun = thread_ms();
    pthread_setname_np(pthread_self(), r->name);
    agon_profile_begin(&r->context.profile, AGON_PHASE_OTHER);
    if (r->tasks.first->train)
        run_together(r);
    else
        run_one(r, r->tasks.first);
    agon_profile_end(&r->context.profile);
    const uint64_t spent = thread_ms() - begun;
    for (agon__accepted* p = r->tasks.first; p; p = p->next)
        p->cpu_ms = spent / (uint64_t)r->count;
}
