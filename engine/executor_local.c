/* executor_local.c: tasks on libuv's pool.
 *
 * A task that is accepted takes a place; a runner is a thread's worth of work. With a CPU there are
 * as many places as runners, and every task begins at once. A backend that has shards is given its
 * train tasks together: many more places are there, the tasks of one turn of the loop wait for its
 * end, and then all that fit together go to a runner of their own, one shard at a time; those that
 * come meanwhile make up the next. Other tasks have the other runners. */
#include "engine/executor_runner.h"

#include "engine/execute_shard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GATHERED = 1 << 16, /* places where tasks are gathered: no planner hands out more at a time */
    MOST_TOGETHER = 4096
};

typedef struct local {
    agon_executor_def def;
    bool gathers;
    agon__runner* runners; /* (count) the last one is for shards, where tasks are gathered */
    int count;
    agon__accepted** places; /* (made) all there are */
    int made, room, slots, taken, running;
    agon__accepted_list free, waiting, trains;
    uv_idle_t turn; /* where tasks are gathered */
    uint64_t begun;
} local;

static void push(agon__accepted_list* l, agon__accepted* p) {
    p->next = NULL;
    *l->end = p;
    l->end = &p->next;
}

static void clear(agon__accepted_list* l) {
    l->first = NULL;
    l->end = &l->first;
}

/* The first one; NULL: none. */
static agon__accepted* pop(agon__accepted_list* l) {
    agon__accepted* p = l->first;
    if (p)
        l->first = p->next;
    if (!l->first)
        l->end = &l->first;
    return p;
}

/* ---- on the loop ---------------------------------------------------------------------------- */

/* The caller may hand in its next task at once. */
static void answer(local* l, agon__accepted* p) {
    uint8_t *task = p->task, *result = p->result;
    p->task = p->result = NULL;
    free(p->train);
    p->train = NULL;
    p->runner = NULL;
    p->state = AGON__ANSWERING;
    l->taken--;
    l->def.done(l->def.user, p->ticket, p->status, result, p->result_size, &p->error);
    p->state = AGON__FREE;
    push(&l->free, p);
    free(task);
    free(result);
}

static void wake(local* l);

static void after(uv_work_t* work, int status) {
    agon__runner* r = work->data;
    local* l = r->owner;
    agon__accepted_list done = r->tasks;
    l->running -= r->count;
    clear(&r->tasks);
    r->count = 0;
    r->busy = false;
    for (agon__accepted *p = done.first, *next; p; p = next) {
        next = p->next;
        if (status == UV_ECANCELED)
            p->status =
                agon_fail(&p->error, AGON_ECANCELLED, "a task was cancelled before it began");
        answer(l, p);
    }
    wake(l);
}

/* Its places are in its list. */
static void start(agon__runner* r) {
    local* l = r->owner;
    r->busy = true;
    for (agon__accepted* p = r->tasks.first; p; p = p->next) {
        p->state = AGON__RUNNING;
        p->runner = r;
        r->count++;
    }
    l->running += r->count;
    if (uv_queue_work(l->def.loop, &r->work, agon__runner_run, after) == 0)
        return;
    for (agon__accepted* p = r->tasks.first; p; p = p->next)
        p->status = agon_fail(&p->error, AGON_EIO, "a task could not be begun");
    after(&r->work, 0);
}

static agon__runner* idle_runner(local* l) {
    for (int i = 0; i < l->count - l->gathers; i++)
        if (!l->runners[i].busy)
            return &l->runners[i];
    return NULL;
}

static void start_waiting(local* l) {
    for (agon__runner* r; l->waiting.first && (r = idle_runner(l));) {
        push(&r->tasks, pop(&l->waiting));
        start(r);
    }
}

/* The first train task, and all that fit to it. */
static void start_shard(local* l) {
    agon__runner* r = &l->runners[l->count - 1];
    agon__accepted_list rest;
    int count = 0;
    const agon__accepted* first = l->trains.first;
    if (!first || r->busy)
        return;
    clear(&rest);
    for (agon__accepted* p; (p = pop(&l->trains));) {
        const bool fits = count < MOST_TOGETHER && agon_shard_fits(first->train, p->train);
        count += fits;
        push(fits ? &r->tasks : &rest, p);
    }
    while (rest.first)
        push(&l->trains, pop(&rest));
    start(r);
}

/* Those of a agon__accepted_list that were cancelled before anybody began them. */
static void sweep(local* l, agon__accepted_list* from) {
    agon__accepted_list kept, gone;
    clear(&kept);
    clear(&gone);
    for (agon__accepted* p; (p = pop(from));)
        push(atomic_load(&p->gauge.cancel) ? &gone : &kept, p);
    while (kept.first)
        push(from, pop(&kept));
    for (agon__accepted* p; (p = pop(&gone));) {
        p->status = agon_fail(&p->error, AGON_ECANCELLED, "a task was cancelled before it began");
        answer(l, p);
    }
}

/* Once per turn of the loop, after all that it brought. */
static void on_turn(uv_idle_t* handle) {
    local* l = handle->data;
    uv_idle_stop(handle);
    sweep(l, &l->waiting);
    sweep(l, &l->trains);
    start_shard(l);
    start_waiting(l);
}

static void wake(local* l) {
    if (l->gathers && (l->waiting.first || l->trains.first))
        uv_idle_start(&l->turn, on_turn);
}

/* ---- places -----------------------------------------------------------------------------------
 */

static agon__accepted* make_place(local* l) {
    if (l->free.first)
        return pop(&l->free);
    if (l->made == l->room) {
        const int room = l->room ? 2 * l->room : 16;
        agon__accepted** grown = realloc(l->places, (size_t)room * sizeof *grown);
        if (!grown)
            return NULL;
        l->places = grown;
        l->room = room;
    }
    agon__accepted* p = calloc(1, sizeof *p);
    if (p)
        l->places[l->made++] = p;
    return p;
}

/* A train task of a shard, or NULL. What is no task fails when it is run. */
static agon_task* read_train(const local* l, const uint8_t* data, size_t size) {
    agon_task* task = l->gathers ? malloc(sizeof *task) : NULL;
    if (task && agon_task_decode(data, size, task, NULL) == AGON_OK && agon_shard_fits(task, task))
        return task;
    free(task);
    return NULL;
}

static int submit(agon_executor* executor, uint64_t ticket, uint8_t* data, size_t size) {
    local* l = executor->self;
    if (l->taken == l->slots)
        return AGON_ELIMIT;
    agon__accepted* p = make_place(l);
    if (!p)
        return AGON_EMEMORY;
    l->taken++;
    p->state = AGON__WAITING;
    p->ticket = ticket;
    p->cpu_ms = 0;
    p->task = data;
    p->task_size = size;
    p->train = read_train(l, data, size);
    p->status = 0;
    memset(&p->error, 0, sizeof p->error);
    atomic_store(&p->gauge.cancel, 0);
    agon__gauge_set(&p->gauge, 0, 0);
    push(p->train ? &l->trains : &l->waiting, p);
    if (l->gathers)
        wake(l);
    else
        start_waiting(l);
    return AGON_OK;
}

/* ---- questions and orders -----------------------------------------------------------------------
 */

static void progress(const agon_executor* executor, unsigned* permille, uint64_t* steps) {
    const local* l = executor->self;
    *permille = 0;
    *steps = 0;
    for (int i = 0; i < l->made; i++) {
        if (l->places[i]->state != AGON__RUNNING)
            continue;
        *permille += atomic_load(&l->places[i]->gauge.progress);
        *steps += atomic_load(&l->places[i]->gauge.steps);
    }
}

static double profile(const agon_executor* executor, double* seconds) {
    const local* l = executor->self;
    for (int i = 0; i < l->count; i++)
        agon_profile_add(&l->runners[i].context.profile, seconds);
    return (double)(uv_hrtime() - l->begun) * 1e-9 * l->count;
}

static agon__accepted* find_place(const agon_executor* executor, uint64_t ticket) {
    const local* l = executor->self;
    for (int i = 0; i < l->made; i++)
        if (l->places[i]->state != AGON__FREE && l->places[i]->ticket == ticket)
            return l->places[i];
    return NULL;
}

static bool look(const agon_executor* executor, uint64_t ticket, agon_executor_look* out) {
    const agon__accepted* p = find_place(executor, ticket);
    if (!p)
        return false;
    out->permille = atomic_load(&p->gauge.progress);
    out->steps = atomic_load(&p->gauge.steps);
    out->cpu_ms = p->state == AGON__ANSWERING ? p->cpu_ms : 0;
    return true;
}

static int begun(const agon_executor* executor) {
    const local* l = executor->self;
    return l->running;
}

static void stop(agon__accepted* p) {
    if (p->state == AGON__WAITING || p->state == AGON__RUNNING)
        atomic_store(&p->gauge.cancel, 1);
    if (p->state == AGON__RUNNING && p->runner->count == 1)
        uv_cancel((uv_req_t*)&p->runner->work);
}

static void drop(agon_executor* executor, uint64_t ticket) {
    agon__accepted* p = find_place(executor, ticket);
    if (p)
        stop(p);
    wake(executor->self);
}

static void cancel(agon_executor* executor) {
    local* l = executor->self;
    for (int i = 0; i < l->made; i++)
        stop(l->places[i]);
    wake(l);
}

static void recall(agon_executor* executor) {
    local* l = executor->self;
    for (int i = 0; i < l->made; i++)
        if (l->places[i]->state == AGON__WAITING)
            stop(l->places[i]);
    wake(l);
}

/* ---- opening and closing -------------------------------------------------------------------- */

static void shut(agon_executor* executor) {
    local* l = executor->self;
    if (l->gathers)
        uv_close((uv_handle_t*)&l->turn, NULL);
}

static void close_local(agon_executor* executor) {
    local* l = executor->self;
    for (int i = 0; i < l->count; i++)
        agon_context_clear(&l->runners[i].context);
    for (int i = 0; i < l->made; i++)
        free(l->places[i]);
    free(l->places);
    free(l->runners);
    free(l);
    executor->self = NULL;
}

static void open_runners(local* l) {
    for (int i = 0; i < l->count; i++) {
        agon__runner* r = &l->runners[i];
        r->owner = l;
        r->work.data = r;
        if (l->gathers && i == l->count - 1)
            snprintf(r->name, sizeof r->name, "agon-shard");
        else
            snprintf(r->name, sizeof r->name, "agon-task-%d", i % 1000);
        clear(&r->tasks);
        r->context.backend = l->def.backend;
        r->context.load = l->def.load;
        r->context.user = l->def.load_user;
        r->context.threads = l->def.slots;
    }
}

int agon_executor_local(const agon_executor_def* def, const void* maker, agon_executor* out,
                        agon_error* error) {
    const bool gathers = def->backend->shards != NULL;
    const int count = def->slots + gathers;
    (void)maker;
    local* l = calloc(1, sizeof *l);
    agon__runner* runners = calloc((size_t)count, sizeof *runners);
    if (!l || !runners) {
        free(l);
        free(runners);
        return agon_fail(error, AGON_EMEMORY, "no memory for %d task slots", def->slots);
    }
    *l = (local){.def = *def, .gathers = gathers, .runners = runners, .count = count};
    l->slots = gathers ? GATHERED : def->slots;
    l->begun = uv_hrtime();
    clear(&l->free);
    clear(&l->waiting);
    clear(&l->trains);
    open_runners(l);
    if (gathers) {
        uv_idle_init(def->loop, &l->turn);
        l->turn.data = l;
    }
    *out = (agon_executor){
        .name = "local",
        .slots = l->slots,
        .self = l,
        .submit = submit,
        .progress = progress,
        .look = look,
        .drop = drop,
        .profile = profile,
        .cancel = cancel,
        .recall = recall,
        .begun = begun,
        .shut = shut,
        .close = close_local,
    };
    return AGON_OK;
}

int agon_cores(void) {
    return (int)uv_available_parallelism();
}
