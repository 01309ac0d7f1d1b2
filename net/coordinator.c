#include "net/coordinator_inside.h"

#include "engine/golden.h"
#include "net/auth.h"
#include "net/needs.h"
#include "net/url.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define BLOBS_KEPT  (256u << 20) /* bytes */
#define KNOWN_AHEAD 256          /* tasks */

/* ---- small questions ---------------------------------------------------------------------- */

const agon_cluster_def* agon__coordinator_def(const agon__coordinator* c) {
    return &c->cluster;
}

char* agon__coordinator_address(agon__coordinator* c) {
    return c->address;
}

const agon_backend* agon__coordinator_backend(const agon__coordinator* c) {
    return c->def.backend;
}

uv_loop_t* agon__coordinator_loop(const agon__coordinator* c) {
    return c->def.loop;
}

agon__blobs* agon__coordinator_blobs(agon__coordinator* c) {
    return c->blobs;
}

agon__sessions* agon__coordinator_sessions(agon__coordinator* c) {
    return &c->sessions;
}

agon__transport* agon__coordinator_transport(agon__coordinator* c) {
    return &c->transport;
}

agon__scheduler* agon__coordinator_scheduler(agon__coordinator* c) {
    return c->scheduler;
}

int64_t agon__coordinator_now(const agon__coordinator* c) {
    (void)c;
    return (int64_t)(uv_hrtime() / 1000000);
}

void agon__coordinator_note(agon__coordinator* c, const char* format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    c->def.note(c->def.user, text);
}

/* Seconds of all slots so far: they come and go. */
static void add_slot_seconds(agon__coordinator* c) {
    const uint64_t now = uv_hrtime();
    c->slot_seconds += (double)(now - c->looked) * 1e-9 *
                       (agon__scheduler_now(c->scheduler).slots + agon__own_slots(c));
    c->looked = now;
}

/* Places for tasks, and as many again that are known here before anybody has room for them: so
 * that a worker whose coordinator was killed finds the task of the result it kept. */
static int places(const agon__coordinator* c) {
    return agon__scheduler_now(c->scheduler).credit + agon__own_slots(c) + KNOWN_AHEAD;
}

static void tell_slots(agon__coordinator* c) {
    const agon__scheduler_count n = agon__scheduler_now(c->scheduler);
    add_slot_seconds(c);
    c->face->slots = places(c);
    const bool more = c->face->slots > c->slots_told || n.checks < c->checks_told;
    c->slots_told = c->face->slots;
    c->checks_told = n.checks;
    if (more)
        c->def.changed(c->def.user);
}

/* ---- handing out -------------------------------------------------------------------------- */

static void admit(agon__coordinator* c, agon__fresh* f) {
    agon_error error = {0};
    agon__needs needs;
    agon_task* task = malloc(sizeof *task);
    int rc = task ? agon__needs_read(f->data, f->size, task, &needs, &error)
                  : agon_fail(&error, AGON_EMEMORY, "no memory for a task");
    free(task);
    if (!rc)
        rc = agon__scheduler_add(c->scheduler, f->ticket, &needs, f->data, f->size,
                                 agon__coordinator_now(c), &error);
    if (rc) {
        free(f->data);
        c->def.done(c->def.user, f->ticket, rc, NULL, 0, &error);
    }
    free(f);
}

static void admit_all(agon__coordinator* c) {
    for (agon__fresh* f; (f = c->first);) {
        c->first = f->next;
        if (!c->first)
            c->last = NULL;
        admit(c, f);
    }
}

/* Once per turn of the loop, after all that it brought: the driver may call from within a callback
 * of the scheduler, which is not to be called again meanwhile. */
static void pump(uv_idle_t* handle) {
    agon__coordinator* c = handle->data;
    agon__lease lease;
    uv_idle_stop(handle);
    if (c->cancelling) {
        c->cancelling = false;
        c->local.cancel(&c->local);
        admit_all(c);
        agon__scheduler_cancel(c->scheduler);
        return;
    }
    admit_all(c);
    if (c->recalling) {
        c->recalling = false;
        agon__scheduler_recall(c->scheduler);
    }
    agon__sessions_settle(c);
    while (agon__scheduler_next(c->scheduler, agon__coordinator_now(c), &lease)) {
        if (lease.worker == AGON__TRUSTED)
            agon__own_run(c, &lease);
        else if (lease.worker == AGON__BROKER)
            c->transport.publish(&c->transport, &lease);
        else
            agon__sessions_grant(c, &lease);
    }
    tell_slots(c);
}

void agon__coordinator_wake(agon__coordinator* c) {
    if (!c->shut)
        uv_idle_start(&c->pump, pump);
}

static void tick(uv_timer_t* timer) {
    agon__coordinator* c = timer->data;
    agon__own_beat(c);
    agon__scheduler_tick(c->scheduler, agon__coordinator_now(c));
    agon__sessions_tick(c);
    agon__coordinator_wake(c);
}

/* ---- what the scheduler asks -------------------------------------------------------------- */

static int make_golden(void* user, const agon__needs* needs, uint8_t** data, size_t* size) {
    agon_rules* rules = NULL;
    agon_error error = {0};
    agon_task* task = malloc(sizeof *task);
    (void)user;
    int rc = task ? agon_rules_open(needs->game, &rules, &error) : AGON_EMEMORY;
    if (!rc)
        rc = agon_golden_task(rules, task, &error);
    if (!rc)
        rc = agon_task_encode(task, data, size, &error);
    agon_rules_close(rules);
    free(task);
    return rc;
}

static void scheduler_done(void* user, uint64_t ticket, int status, const uint8_t* data,
                           size_t size, const agon_error* error) {
    agon__coordinator* c = user;
    c->ticket_now = status ? 0 : ticket;
    c->def.done(c->def.user, ticket, status, data, size, error);
}

static void scheduler_wrong(void* user, const uint8_t* task, size_t size, const agon_error* why) {
    agon__coordinator* c = user;
    c->def.wrong(c->def.user, task, size, why);
}

static void scheduler_note(void* user, const char* text) {
    agon__coordinator* c = user;
    c->def.note(c->def.user, text);
}

static void scheduler_unwanted(void* user, int worker, uint64_t lease) {
    agon__sessions_revoke(user, worker, lease);
}

static void scheduler_struck(void* user, int worker, const char* why) {
    agon__sessions_dismiss(user, worker, why);
}

/* ---- the executor ------------------------------------------------------------------------- */

static int submit(agon_executor* executor, uint64_t ticket, uint8_t* data, size_t size) {
    agon__coordinator* c = executor->self;
    agon__fresh* f = malloc(sizeof *f);
    if (!f)
        return AGON_EMEMORY;
    *f = (agon__fresh){NULL, ticket, data, size};
    if (c->last)
        c->last->next = f;
    else
        c->first = f;
    c->last = f;
    agon__coordinator_wake(c);
    return AGON_OK;
}

static void progress(const agon_executor* executor, unsigned* permille, uint64_t* steps) {
    const agon__coordinator* c = executor->self;
    agon__scheduler_progress(c->scheduler, permille, steps);
}

static double profile(const agon_executor* executor, double* seconds) {
    agon__coordinator* c = executor->self;
    c->local.profile(&c->local, seconds);
    for (int i = 0; i < AGON_PHASES; i++)
        seconds[i] += c->phase[i];
    add_slot_seconds(c);
    return c->slot_seconds;
}

static void cancel(agon_executor* executor) {
    agon__coordinator* c = executor->self;
    c->cancelling = true;
    agon__coordinator_wake(c);
}

static void recall(agon_executor* executor) {
    agon__coordinator* c = executor->self;
    c->recalling = true;
    agon__coordinator_wake(c);
}

static void committed(agon_executor* executor, uint64_t ticket) {
    agon__coordinator_committed(executor->self, ticket);
}

static int begun(const agon_executor* executor) {
    const agon__coordinator* c = executor->self;
    return agon__scheduler_now(c->scheduler).leased;
}

static int checks(const agon_executor* executor) {
    const agon__coordinator* c = executor->self;
    return agon__scheduler_now(c->scheduler).checks;
}

static void status(const agon_executor* executor, char* out, size_t size) {
    const agon__coordinator* c = executor->self;
    agon__watch_line(c->watch, out, size);
}

static char* workers(agon_executor* executor, bool last) {
    agon__coordinator* c = executor->self;
    return agon__watch_workers(c->watch, agon__coordinator_now(c), last);
}

static void shut(agon_executor* executor) {
    agon__coordinator* c = executor->self;
    c->shut = true;
    agon__blobs_shut(c->blobs);
    agon__sessions_shut(c);
    c->transport.shut(&c->transport);
    c->local.shut(&c->local);
    agon__watch_shut(c->watch);
    uv_close((uv_handle_t*)&c->ticker, NULL);
    uv_close((uv_handle_t*)&c->pump, NULL);
}

static void release(agon__coordinator* c) {
    if (c->transport.close)
        c->transport.close(&c->transport);
    if (c->local.close)
        c->local.close(&c->local);
    for (agon__fresh* f; (f = c->first); free(f)) {
        c->first = f->next;
        free(f->data);
    }
    agon__coordinator_forget_waiting(c);
    agon__watch_close(c->watch);
    agon__scheduler_close(c->scheduler);
    agon__blobs_close(c->blobs);
    free(c->own);
    free(c);
}

static void close_cluster(agon_executor* executor) {
    release(executor->self);
    executor->self = NULL;
}

/* ---- opening ------------------------------------------------------------------------------ */

static int open_scheduler(agon__coordinator* c, agon_error* error) {
    char secret[AGON_HASH_SIZE];
    const int rc = agon__random_hex(secret, error);
    if (rc)
        return rc;
    secret[16] = '\0';
    const agon__scheduler_def def = {
        .lease_ms = c->cluster.lease * 1000,
        .audit = c->cluster.audit,
        .secret = strtoull(secret, NULL, 16),
        .trusted_slots = agon__own_slots(c),
        .broker = c->broker,
        .user = c,
        .golden = make_golden,
        .done = scheduler_done,
        .wrong = scheduler_wrong,
        .note = scheduler_note,
        .struck = scheduler_struck,
        .unwanted = scheduler_unwanted,
    };
    return agon__scheduler_open(&def, agon__coordinator_now(c), &c->scheduler, error);
}

static void open_handles(agon__coordinator* c) {
    const uint64_t every = c->cluster.lease >= 4 ? 1000 : (uint64_t)c->cluster.lease * 250;
    uv_timer_init(c->def.loop, &c->ticker);
    uv_idle_init(c->def.loop, &c->pump);
    c->ticker.data = c->pump.data = c;
    uv_timer_start(&c->ticker, tick, every, every);
}

static void introduce(agon__coordinator* c, agon_executor* out) {
    *out = (agon_executor){
        .name = c->broker ? "nats" : "tcp",
        .slots = agon__own_slots(c) + KNOWN_AHEAD,
        .self = c,
        .submit = submit,
        .progress = progress,
        .profile = profile,
        .cancel = cancel,
        .recall = recall,
        .committed = committed,
        .begun = begun,
        .checks = checks,
        .status = status,
        .workers = workers,
        .shut = shut,
        .close = close_cluster,
    };
    c->face = out;
    c->looked = uv_hrtime();
}

/* When nothing has run: until its handles, and those of others, are closed. */
static void close_own(agon__coordinator* c) {
    if (c->local.shut)
        c->local.shut(&c->local);
    uv_run(c->def.loop, UV_RUN_DEFAULT);
}

/* The parts that have handles on the loop come last. */
static int open_parts(agon__coordinator* c, agon_error* error) {
    int rc = agon__blobs_open(&c->def, BLOBS_KEPT, &c->blobs, error);
    if (!rc)
        rc = open_scheduler(c, error);
    if (!rc)
        rc = agon__own_open(c, error);
    if (!rc)
        rc = agon__watch_open(c->def.loop, &c->cluster, c->address, c->scheduler, &c->watch, error);
    if (rc) {
        close_own(c);
        return rc;
    }
    rc = c->broker ? agon__broker_open(c, &c->transport, error)
                   : agon__server_open(c, &c->transport, error);
    if (rc) {
        agon__watch_shut(c->watch);
        close_own(c);
    }
    return rc;
}

int agon_executor_cluster(const agon_executor_def* def, const void* maker, agon_executor* out,
                          agon_error* error) {
    const agon_cluster_def* cluster = maker;
    agon__url url;
    int rc = agon__url_parse(cluster->listen, &url, error);
    if (rc)
        return rc;
    agon__coordinator* c = calloc(1, sizeof *c);
    if (!c)
        return agon_fail(error, AGON_EMEMORY, "no memory for a coordinator");
    c->def = *def;
    c->cluster = *cluster;
    c->broker = url.scheme == AGON__NATS || url.scheme == AGON__NATS_TLS;
    introduce(c, out);
    rc = open_parts(c, error);
    if (rc) {
        release(c);
        return rc;
    }
    open_handles(c);
    return AGON_OK;
}
