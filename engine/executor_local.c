#include "engine/executor.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct slot {
    uv_work_t work;
    struct local* owner;
    int busy;
    bool answering; /* `done` is being called */
    uint64_t ticket, cpu_ms;
    agon_context context;
    uint8_t* task;
    size_t task_size;
    uint8_t* result;
    size_t result_size;
    int status;
    agon_error error;
} slot;

typedef struct local {
    agon_executor_def def;
    slot* slots;
    uint64_t begun;
} local;

/* As the slot is called, so that perf, top and gdb can tell tasks apart. */
static void name_thread(const slot* s) {
    char name[16];
    snprintf(name, sizeof name, "agon-task-%d", (int)(s - s->owner->slots));
    pthread_setname_np(pthread_self(), name);
}

static uint64_t thread_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* On a pool thread: bytes in, bytes out. */
static void run(uv_work_t* work) {
    slot* s = work->data;
    const uint64_t begun = thread_ms();
    name_thread(s);
    agon_profile_begin(&s->context.profile, AGON_PHASE_OTHER);
    agon_task* task = malloc(sizeof *task);
    agon_result* result = calloc(1, sizeof *result);
    if (!task || !result) {
        s->status = agon_fail(&s->error, AGON_EMEMORY, "no memory for a task");
    } else {
        s->status = agon_task_decode(s->task, s->task_size, task, &s->error);
        if (!s->status)
            s->status = agon_execute(task, &s->context, result, &s->error);
        agon_profile_enter(&s->context.profile, AGON_PHASE_OTHER);
        if (!s->status) {
            s->status = agon_result_encode(result, &s->result, &s->result_size, &s->error);
            agon_result_clear(result);
        }
    }
    free(task);
    free(result);
    agon_profile_end(&s->context.profile);
    s->cpu_ms = thread_ms() - begun;
}

static void after(uv_work_t* work, int status) {
    slot* s = work->data;
    local* l = s->owner;
    uint8_t *task = s->task, *result = s->result;
    s->task = s->result = NULL;
    s->busy = 0;
    if (status == UV_ECANCELED)
        s->status = agon_fail(&s->error, AGON_ECANCELLED, "a task was cancelled before it began");
    s->answering = true;
    l->def.done(l->def.user, s->ticket, s->status, result, s->result_size, &s->error);
    s->answering = false;
    free(task);
    free(result);
}

static int submit(agon_executor* executor, uint64_t ticket, uint8_t* data, size_t size) {
    local* l = executor->self;
    for (int i = 0; i < executor->slots; i++) {
        slot* s = &l->slots[i];
        if (s->busy)
            continue;
        s->busy = 1;
        s->ticket = ticket;
        s->cpu_ms = 0;
        s->task = data;
        s->task_size = size;
        s->status = 0;
        memset(&s->error, 0, sizeof s->error);
        atomic_store(&s->context.cancel, 0);
        atomic_store(&s->context.progress, 0);
        atomic_store(&s->context.steps, 0);
        if (uv_queue_work(l->def.loop, &s->work, run, after) == 0)
            return AGON_OK;
        s->task = NULL;
        s->busy = 0;
        return AGON_EIO;
    }
    return AGON_ELIMIT;
}

static void progress(const agon_executor* executor, unsigned* permille, uint64_t* steps) {
    const local* l = executor->self;
    *permille = 0;
    *steps = 0;
    for (int i = 0; i < executor->slots; i++) {
        if (!l->slots[i].busy)
            continue;
        *permille += atomic_load(&l->slots[i].context.progress);
        *steps += atomic_load(&l->slots[i].context.steps);
    }
}

static double profile(const agon_executor* executor, double* seconds) {
    const local* l = executor->self;
    for (int i = 0; i < executor->slots; i++)
        agon_profile_add(&l->slots[i].context.profile, seconds);
    return (double)(uv_hrtime() - l->begun) * 1e-9 * executor->slots;
}

static slot* find_slot(const agon_executor* executor, uint64_t ticket) {
    const local* l = executor->self;
    for (int i = 0; i < executor->slots; i++)
        if ((l->slots[i].busy || l->slots[i].answering) && l->slots[i].ticket == ticket)
            return &l->slots[i];
    return NULL;
}

static bool look(const agon_executor* executor, uint64_t ticket, agon_executor_look* out) {
    const slot* s = find_slot(executor, ticket);
    if (!s)
        return false;
    out->permille = atomic_load(&s->context.progress);
    out->steps = atomic_load(&s->context.steps);
    out->cpu_ms = s->busy ? 0 : s->cpu_ms;
    return true;
}

static void stop(slot* s) {
    if (!s->busy)
        return;
    atomic_store(&s->context.cancel, 1);
    uv_cancel((uv_req_t*)&s->work);
}

static void drop(agon_executor* executor, uint64_t ticket) {
    slot* s = find_slot(executor, ticket);
    if (s)
        stop(s);
}

static void cancel(agon_executor* executor) {
    local* l = executor->self;
    for (int i = 0; i < executor->slots; i++)
        stop(&l->slots[i]);
}

static void shut(agon_executor* executor) {
    (void)executor; /* no handles of its own */
}

static void close_local(agon_executor* executor) {
    local* l = executor->self;
    for (int i = 0; i < executor->slots; i++)
        agon_context_clear(&l->slots[i].context);
    free(l->slots);
    free(l);
    executor->self = NULL;
}

int agon_executor_local(const agon_executor_def* def, const void* maker, agon_executor* out,
                        agon_error* error) {
    (void)maker;
    local* l = calloc(1, sizeof *l);
    slot* slots = calloc((size_t)def->slots, sizeof *slots);
    if (!l || !slots) {
        free(l);
        free(slots);
        return agon_fail(error, AGON_EMEMORY, "no memory for %d task slots", def->slots);
    }
    *l = (local){*def, slots, uv_hrtime()};
    for (int i = 0; i < def->slots; i++) {
        slots[i].owner = l;
        slots[i].work.data = &slots[i];
        slots[i].context.backend = def->backend;
        slots[i].context.load = def->load;
        slots[i].context.user = def->load_user;
    }
    *out = (agon_executor){
        .name = "local",
        .slots = def->slots,
        .self = l,
        .submit = submit,
        .progress = progress,
        .look = look,
        .drop = drop,
        .profile = profile,
        .cancel = cancel,
        .shut = shut,
        .close = close_local,
    };
    return AGON_OK;
}

int agon_cores(void) {
    return (int)uv_available_parallelism();
}
