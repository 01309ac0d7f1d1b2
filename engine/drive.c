#include "engine/drive.h"

#include "engine/drive_items.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

typedef struct line {
    struct line* next;
    char file[32];
    char text[];
} line;

struct agon_drive {
    const agon_drive_def* def;
    uv_loop_t loop;
    uv_signal_t interrupt, terminate;
    uv_timer_t ticker, retry;
    agon_executor executor;
    agon__items queued, finished;
    agon__running running;
    uint64_t tickets, begun;
    int signals, tasks_done;
    bool stopping, paused, closed, last_word;
    int rc;
    agon_error* error;
    line *lines, **lines_end;
    char* workers; /* the file about them, to be written */
    int wrong_from;
    agon_profile profile; /* of the loop thread, waiting apart */
    /* the store job in flight */
    uv_work_t job;
    bool committing;
    agon__items batch;
    line* batch_lines;
    char* batch_workers;
    agon_task* batch_tasks;
    agon_result* batch_results;
    int job_rc;
    agon_error job_error;
    atomic_ullong job_spent, job_waited; /* nanoseconds of processor, and without one */
};

static void drop_lines(line* x) {
    while (x) {
        line* next = x->next;
        free(x);
        x = next;
    }
}

/* ---- steps of the loop -------------------------------------------------------------------- */

static void advance(agon_drive* d);

static void note(agon_drive* d, const char* text) {
    if (d->def->client.note)
        d->def->client.note(d->def->client.user, text);
}

/* The first failure is the one reported; nothing new is started after it. */
static void fail(agon_drive* d, int rc, const agon_error* error) {
    if (!d->rc) {
        d->rc = rc;
        if (d->error && error)
            *d->error = *error;
    }
    d->stopping = true;
}

static int enqueue(void* user, const agon_task* task) {
    agon_drive* d = user;
    agon__item* x = calloc(1, sizeof *x);
    if (!x)
        return AGON_EMEMORY;
    x->ticket = ++d->tickets;
    x->task = *task;
    agon__items_push(&d->queued, x);
    return AGON_OK;
}

static void plan(agon_drive* d) {
    agon_error error = {0};
    if (d->stopping)
        return;
    int rc = d->def->client.plan(d->def->client.user, enqueue, d);
    if (rc) {
        agon_fail(&error, rc, "the next tasks could not be planned: %s", agon_error_text(rc));
        fail(d, rc, &error);
    }
}

static void start_tasks(agon_drive* d) {
    while (!d->stopping && !d->paused && d->queued.first && d->running.count < d->executor.slots) {
        agon_error error = {0};
        uint8_t* data = NULL;
        size_t size = 0;
        agon__item* x = agon__items_pop(&d->queued);
        agon__running_add(&d->running, x);
        int rc = agon_task_encode(&x->task, &data, &size, &error);
        if (!rc)
            rc = d->executor.submit(&d->executor, x->ticket, data, size);
        if (rc) {
            if (!error.code)
                agon_fail(&error, rc, "task %s was not accepted by the executor", x->task.key);
            free(data);
            agon__item_drop(agon__running_take(&d->running, x->ticket));
            fail(d, rc, &error);
        }
    }
}

static void task_done(void* user, uint64_t ticket, int status, const uint8_t* data, size_t size,
                      const agon_error* error) {
    agon_drive* d = user;
    agon_error problem = {0};
    agon_profile_begin(&d->profile, AGON_PHASE_OTHER);
    agon__item* x = agon__running_take(&d->running, ticket);
    if (!status) {
        status = agon_result_decode(data, size, &x->result, &problem);
        error = &problem;
    }
    if (status) {
        agon__item_drop(x);
        if (status != AGON_ECANCELLED)
            fail(d, status, error);
    } else {
        agon__items_push(&d->finished, x);
    }
    advance(d);
    agon_profile_end(&d->profile);
}

/* ---- the store job ------------------------------------------------------------------------ */

/* On a pool thread. */
static void write_batch(uv_work_t* work) {
    agon_drive* d = work->data;
    agon_store* store = d->def->store;
    pthread_setname_np(pthread_self(), "agon-store");
    const uint64_t begun = uv_hrtime(), before = agon_profile_processor();
    d->job_rc =
        agon_store_put(store, d->batch_tasks, d->batch_results, d->batch.count, &d->job_error);
    while (!d->job_rc && d->batch_lines) {
        line* x = d->batch_lines;
        d->job_rc = agon_store_append_line(store, x->file, x->text, &d->job_error);
        if (!d->job_rc) {
            d->batch_lines = x->next;
            free(x);
        }
    }
    if (!d->job_rc && d->batch_workers)
        d->job_rc = agon_store_write_file(store, "workers.json", d->batch_workers,
                                          strlen(d->batch_workers), &d->job_error);
    if (!d->job_rc)
        d->job_rc = agon_store_prune_learners(store, d->def->keep, &d->job_error);
    const uint64_t spent = agon_profile_processor() - before, all = uv_hrtime() - begun;
    atomic_fetch_add(&d->job_spent, spent);
    atomic_fetch_add(&d->job_waited, all > spent ? all - spent : 0);
}

static void begin_job(agon_drive* d);

static void retry_job(uv_timer_t* timer) {
    begin_job(timer->data);
}

static void drop_arrays(agon_drive* d) {
    free(d->batch_tasks);
    free(d->batch_results);
    free(d->batch_workers);
    d->batch_tasks = NULL;
    d->batch_results = NULL;
    d->batch_workers = NULL;
}

static void accept_batch(agon_drive* d) {
    drop_arrays(d);
    for (agon__item* x; (x = agon__items_pop(&d->batch)); agon__item_drop(x)) {
        agon_error error = {0};
        if (d->executor.committed)
            d->executor.committed(&d->executor, x->ticket);
        int rc = d->def->client.committed(d->def->client.user, d, &x->task, &x->result, &error);
        d->tasks_done++;
        if (rc)
            fail(d, rc, &error);
    }
    plan(d);
}

static void batch_written(uv_work_t* work, int status) {
    agon_drive* d = work->data;
    d->committing = false;
    if (d->job_rc == AGON_ENOSPACE && d->signals < 2) {
        if (!d->paused) {
            char text[1024];
            snprintf(text, sizeof text,
                     "paused: %s. Make room; the run goes on by itself (nothing is lost).",
                     d->job_error.text);
            note(d, text);
        }
        d->paused = true;
        uv_timer_start(&d->retry, retry_job, 1000, 0);
        return;
    }
    if (d->paused && !d->job_rc)
        note(d, "there is room again: going on");
    d->paused = false;
    agon_profile_begin(&d->profile, AGON_PHASE_OTHER);
    if (d->job_rc) {
        fail(d, d->job_rc, &d->job_error);
        drop_arrays(d);
        agon__items_drop(&d->batch);
    } else {
        accept_batch(d);
    }
    advance(d);
    agon_profile_end(&d->profile);
}

static void begin_job(agon_drive* d) {
    d->committing = true;
    memset(&d->job_error, 0, sizeof d->job_error);
    if (uv_queue_work(&d->loop, &d->job, write_batch, batch_written) != 0) {
        agon_error error;
        d->committing = false;
        fail(d, agon_fail(&error, AGON_EMEMORY, "the store job could not be started"), &error);
    }
}

/* Everything finished since the last job, as one group commit. */
static void commit(agon_drive* d) {
    if (d->committing || d->paused || (!d->finished.first && !d->lines && !d->workers))
        return;
    const size_t count = (size_t)d->finished.count;
    drop_arrays(d);
    d->batch_tasks = calloc(count + 1, sizeof *d->batch_tasks);
    d->batch_results = calloc(count + 1, sizeof *d->batch_results);
    if (!d->batch_tasks || !d->batch_results) {
        agon_error error;
        fail(d, agon_fail(&error, AGON_EMEMORY, "no memory to commit %zu results", count), &error);
        return;
    }
    d->batch = d->finished;
    d->finished = (agon__items){0};
    size_t i = 0;
    for (agon__item* x = d->batch.first; x; x = x->next, i++) {
        d->batch_tasks[i] = x->task;
        d->batch_results[i] = x->result; /* borrowed: the items keep what results own */
    }
    d->batch_lines = d->lines;
    d->lines = NULL;
    d->lines_end = &d->lines;
    d->batch_workers = d->workers;
    d->workers = NULL;
    begin_job(d);
}

/* ---- signals, timers, the end ------------------------------------------------------------- */

static void on_signal(uv_signal_t* handle, int number) {
    agon_drive* d = handle->data;
    d->signals++;
    d->stopping = true;
    if (d->signals == 1) {
        note(d, "stopping: finishing the tasks in flight (again to drop them)");
        if (d->executor.recall)
            d->executor.recall(&d->executor);
    } else {
        d->executor.cancel(&d->executor);
        /* One last try; when one is under way already, its end sees the signal. */
        if (d->paused && !d->committing) {
            uv_timer_stop(&d->retry);
            d->paused = false;
            begin_job(d);
        }
    }
    advance(d);
}

static void look_at_workers(agon_drive* d, bool last) {
    char* text = d->executor.workers ? d->executor.workers(&d->executor, last) : NULL;
    if (!text)
        return;
    free(d->workers);
    d->workers = text;
}

static void on_tick(uv_timer_t* timer) {
    agon_drive* d = timer->data;
    if (!d->closed) {
        look_at_workers(d, false);
        advance(d);
    }
    if (d->def->client.tick)
        d->def->client.tick(d->def->client.user, d);
}

static void close_handles(agon_drive* d) {
    d->closed = true;
    if (!d->last_word) /* whatever ended the run: who was struck must be known to the next */
        look_at_workers(d, true);
    d->executor.shut(&d->executor);
    uv_close((uv_handle_t*)&d->interrupt, NULL);
    uv_close((uv_handle_t*)&d->terminate, NULL);
    uv_close((uv_handle_t*)&d->ticker, NULL);
    uv_close((uv_handle_t*)&d->retry, NULL);
}

/* Moves everything on that can move; closes the loop when nothing is left. */
static void advance(agon_drive* d) {
    if (d->closed)
        return;
    start_tasks(d);
    commit(d);
    /* A failure may itself come of a wrong result that a check is about to find. */
    const bool wait = d->executor.checks && d->signals == 0 && (!d->stopping || d->rc);
    const bool checked = !wait || !d->executor.checks(&d->executor);
    bool idle = !d->running.count && !d->committing && !d->paused &&
                (d->rc || (!d->finished.count && !d->lines));
    if (!idle || !(d->stopping || !d->queued.count) || !checked)
        return;
    if (!d->rc && !d->last_word) {
        d->last_word = true;
        look_at_workers(d, true);
    }
    if (d->workers && !d->rc)
        commit(d);
    else
        close_handles(d);
}

static void executor_changed(void* user) {
    advance(user);
}

static void executor_note(void* user, const char* text) {
    note(user, text);
}

/* What rests on a wrong result is wrong, too: nothing goes on from here. */
static void result_is_wrong(void* user, const uint8_t* data, size_t size, const agon_error* why) {
    agon_drive* d = user;
    agon_task* task = malloc(sizeof *task);
    if (!task || agon_task_decode(data, size, task, NULL) != AGON_OK)
        d->wrong_from = 0;
    else if (agon_task_generation(task) < d->wrong_from)
        d->wrong_from = agon_task_generation(task);
    free(task);
    fail(d, AGON_ECONFLICT, why);
    d->executor.cancel(&d->executor);
    advance(d);
}

void agon_drive_stop(agon_drive* d) {
    d->stopping = true;
}

int agon_drive_append(agon_drive* d, const char* file, const char* text) {
    const size_t size = strlen(text) + 1;
    line* x = malloc(sizeof *x + size);
    if (!x)
        return AGON_EMEMORY;
    x->next = NULL;
    snprintf(x->file, sizeof x->file, "%s", file);
    memcpy(x->text, text, size);
    *d->lines_end = x;
    d->lines_end = &x->next;
    return AGON_OK;
}

agon_drive_state agon_drive_now(const agon_drive* d) {
    agon_drive_state s = {
        .queued = d->queued.count,
        .running = d->running.count,
        .committing = d->batch.count + d->finished.count,
        .tasks_done = d->tasks_done,
        .stopping = d->stopping,
        .paused = d->paused,
        .seconds = (double)(uv_hrtime() - d->begun) * 1e-9,
    };
    d->executor.progress(&d->executor, &s.running_permille, &s.running_steps);
    if (d->executor.begun)
        s.running = d->executor.begun(&d->executor);
    s.queued += d->running.count - s.running;
    if (d->executor.checks)
        s.checks = d->executor.checks(&d->executor);
    if (d->executor.status)
        d->executor.status(&d->executor, s.workers, sizeof s.workers);
    const double there = d->executor.profile(&d->executor, s.phase);
    agon_profile_add(&d->profile, s.phase);
    s.phase[AGON_PHASE_STORE] += 1e-9 * (double)atomic_load(&d->job_spent);
    agon_profile_rest(s.phase, there);
    agon_profile_wait(s.phase, AGON_PHASE_STORE, 1e-9 * (double)atomic_load(&d->job_waited));
    return s;
}

agon_profile* agon_drive_profile(agon_drive* d) {
    return &d->profile;
}

static int load_blob(void* user, const char* hash, uint8_t** data, size_t* size,
                     agon_error* error) {
    return agon_store_blob_load(user, hash, data, size, error);
}

static int open_loop(agon_drive* d, agon_error* error) {
    agon_executor_def def = {
        .loop = &d->loop,
        .slots = d->def->slots,
        .backend = d->def->backend,
        .load = load_blob,
        .load_user = d->def->store,
        .done = task_done,
        .changed = executor_changed,
        .wrong = result_is_wrong,
        .note = executor_note,
        .user = d,
    };
    if (uv_loop_init(&d->loop) != 0)
        return agon_fail(error, AGON_EIO, "the event loop could not be made");
    agon_executor_open* open = d->def->open ? d->def->open : agon_executor_local;
    int rc = open(&def, d->def->maker, &d->executor, error);
    if (rc) {
        uv_run(&d->loop, UV_RUN_DEFAULT); /* what it began to open closes */
        uv_loop_close(&d->loop);
        return rc;
    }
    uv_signal_init(&d->loop, &d->interrupt);
    uv_signal_init(&d->loop, &d->terminate);
    uv_timer_init(&d->loop, &d->ticker);
    uv_timer_init(&d->loop, &d->retry);
    d->interrupt.data = d->terminate.data = d->ticker.data = d->retry.data = d->job.data = d;
    uv_signal_start(&d->interrupt, on_signal, SIGINT);
    uv_signal_start(&d->terminate, on_signal, SIGTERM);
    uv_timer_start(&d->ticker, on_tick, 500, 500);
    return AGON_OK;
}

/* When nothing else runs any more. */
static void write_last_word(agon_drive* d) {
    agon_error error = {0};
    const int rc = d->workers ? agon_store_write_file(d->def->store, "workers.json", d->workers,
                                                      strlen(d->workers), &error)
                              : AGON_OK;
    if (rc)
        fail(d, rc, &error);
}

int agon_drive_run(const agon_drive_def* def, bool* interrupted, int* wrong_from,
                   agon_error* error) {
    agon_drive* d = calloc(1, sizeof *d);
    *interrupted = false;
    *wrong_from = INT_MAX;
    if (!d)
        return agon_fail(error, AGON_EMEMORY, "no memory for the event loop");
    d->def = def;
    d->error = error;
    d->lines_end = &d->lines;
    d->wrong_from = INT_MAX;
    int rc = open_loop(d, error);
    if (rc) {
        free(d);
        return rc;
    }
    d->begun = uv_hrtime();
    agon_profile_begin(&d->profile, AGON_PHASE_OTHER);
    plan(d);
    advance(d);
    agon_profile_end(&d->profile);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    on_tick(&d->ticker); /* the last word: what is shown is the end */
    uv_loop_close(&d->loop);
    d->executor.close(&d->executor);
    write_last_word(d);
    rc = d->rc;
    *interrupted = d->signals > 0;
    *wrong_from = d->wrong_from;
    agon__items_drop(&d->queued);
    agon__items_drop(&d->finished);
    drop_lines(d->lines);
    drop_lines(d->batch_lines);
    drop_arrays(d);
    free(d->workers);
    free(d);
    return rc;
}
