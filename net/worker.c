/* worker.c: a worker process: its loop, its signals, and what it says to whom. */
#include "net/worker.h"

#include "engine/files.h"
#include "net/auth.h"
#include "net/url.h"
#include "net/worker_hello.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define INBOX_BYTES ((size_t)256 << 20)  /* of blobs that are not whole yet */
#define TICK        500                  /* ms */
#define RETRY       5000                 /* ms between looks at a full disk */
#define ROOM        ((uint64_t)64 << 20) /* bytes free: no longer full */
#define ABSENCE     60000                /* ms without a coordinator, with `once` */

int64_t agon__worker_now(const agon__worker* w) {
    return (int64_t)uv_now(&w->loop);
}

void agon__worker_note(agon__worker* w, const char* format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (w->def->note)
        w->def->note(w->def->user, text);
}

void agon__worker_send(agon__worker* w, const agon__message* message) {
    if (w->connected && !w->ended)
        w->link.send(&w->link, message);
}

/* More than can run, so that a slot need not wait for its next task: it takes a write to the disk
 * and a round trip before a finished one is made up for. */
void agon__worker_credit(agon__worker* w) {
    agon__message m = {.kind = AGON__CREDIT};
    const bool none = w->draining || w->full || agon__worker_crowded(w);
    const int tasks = w->slots + 1 + w->slots / 4;
    m.as.credit.tasks = none ? 0 : tasks < AGON__BEATS ? tasks : AGON__BEATS;
    agon__worker_send(w, &m);
}

/* ---- the end ------------------------------------------------------------------------------ */

static void close_handle(uv_handle_t* handle) {
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* The first word about why is the one that counts. The loop ends when the threads have. */
static void end(agon__worker* w, const agon_error* why) {
    if (w->ended)
        return;
    if (why) {
        w->rc = why->code;
        w->error = *why;
    }
    agon__worker_abandon(w);
    agon__worker_cancel_all(w);
    w->ended = true;
    w->link.shut(&w->link);
    w->executor.shut(&w->executor);
    close_handle((uv_handle_t*)&w->interrupt);
    close_handle((uv_handle_t*)&w->terminate);
    close_handle((uv_handle_t*)&w->beat);
    close_handle((uv_handle_t*)&w->tick);
}

static void say_bye(agon__worker* w, const char* text) {
    agon__message m = {.kind = AGON__BYE};
    snprintf(m.as.bye.text, sizeof m.as.bye.text, "%s", text);
    agon__worker_send(w, &m);
}

/* Results that nobody acknowledges in time stay in the spool. */
void agon__worker_finish(agon__worker* w) {
    if (!w->draining || w->ended || w->running || w->keeping)
        return;
    const int64_t now = agon__worker_now(w);
    const int left = agon__spool_count(w->spool);
    if (!w->idle_ms)
        w->idle_ms = now;
    const int64_t since = w->idle_ms > w->offered_ms ? w->idle_ms : w->offered_ms;
    if ((left || w->waiting) && now - since < AGON__WORKER_PATIENT)
        return;
    if (left)
        agon__worker_note(w, "results that nobody took: %d; the next worker with --dir %s has them",
                          left, w->def->dir);
    say_bye(w, "stopped");
    end(w, NULL);
}

static void on_signal(uv_signal_t* handle, int number) {
    agon__worker* w = handle->data;
    (void)number;
    if (w->ended)
        return;
    if (++w->signals == 1) {
        w->draining = true;
        if (w->running)
            agon__worker_note(w, "stopping: %d running task%s finished first; again: at once",
                              w->running, w->running == 1 ? " is" : "s are");
        agon__worker_credit(w);
        agon__worker_hand_back(w, false, "the worker is stopping");
        agon__worker_finish(w);
        return;
    }
    agon__worker_hand_back(w, true, "the worker was stopped");
    say_bye(w, "stopped at once");
    end(w, NULL);
}

/* ---- a full disk -------------------------------------------------------------------------- */

void agon__worker_full(agon__worker* w, const agon_error* why) {
    w->retry_ms = agon__worker_now(w);
    if (w->full)
        return;
    w->full = true;
    agon__worker_note(w, "%s; no new tasks until there is room", why->text);
    agon__worker_credit(w);
    agon__worker_hand_back(w, false, "the worker's disk is full");
}

void agon__worker_room(agon__worker* w) {
    w->full = false;
    agon__worker_note(w, "there is room on the disk again");
    agon__worker_credit(w);
}

static void look_for_room(agon__worker* w) {
    if (!w->full || w->keeping || agon__worker_now(w) - w->retry_ms < RETRY)
        return;
    w->retry_ms = agon__worker_now(w);
    if (w->waiting)
        agon__worker_keep_again(w);
    else if (agon_free_space(w->def->dir) >= ROOM)
        agon__worker_room(w);
}

/* ---- timers ------------------------------------------------------------------------------- */

static void on_beat(uv_timer_t* timer) {
    agon__worker* w = timer->data;
    agon__worker_beat(w);
    agon__worker_ask_again(w, false);
}

static void tell(agon__worker* w) {
    agon_worker_state state = {
        .connected = w->connected,
        .draining = w->draining,
        .slots = w->slots,
        .running = w->running,
        .spooled = agon__spool_count(w->spool),
        .tasks = w->tasks,
        .steps = w->steps,
        .received = w->received,
        .sent = w->sent,
        .seconds = (double)(agon__worker_now(w) - w->begun_ms) / 1000,
    };
    snprintf(state.run, sizeof state.run, "%s", w->run);
    if (w->def->tick)
        w->def->tick(w->def->user, &state);
}

static void check_absence(agon__worker* w) {
    agon_error error = {0};
    if (!w->def->once || w->connected || w->ended || agon__worker_now(w) - w->away_ms < ABSENCE)
        return;
    agon_fail(&error, AGON_EIO, "no coordinator at %s for %d s", w->def->connect, ABSENCE / 1000);
    agon__worker_note(w, "%s", error.text);
    end(w, w->welcomed ? NULL : &error);
}

static void on_tick(uv_timer_t* timer) {
    agon__worker* w = timer->data;
    tell(w);
    look_for_room(w);
    agon__worker_start(w);
    agon__worker_finish(w);
    check_absence(w);
}

/* ---- the link ----------------------------------------------------------------------------- */

/* Results first: what is done need not be leased again. */
static void on_welcome(void* user, const agon__welcome* welcome) {
    agon__worker* w = user;
    const uint64_t beat = welcome->beat_ms > 0 ? (uint64_t)welcome->beat_ms : 1;
    w->connected = w->welcomed = true;
    snprintf(w->run, sizeof w->run, "%s", welcome->run);
    agon__worker_note(w, "connected to %s: run %s; %d task%s at a time", w->def->connect, w->run,
                      w->slots, w->slots == 1 ? "" : "s");
    agon__worker_offer_all(w);
    agon__worker_credit(w);
    agon__worker_ask_again(w, true);
    uv_timer_start(&w->beat, on_beat, beat, beat);
}

static void on_bye(agon__worker* w, const char* text) {
    agon__worker_note(w, "the coordinator ended: %s", text);
    if (w->def->once)
        end(w, NULL);
    else
        agon__worker_cancel_all(w);
}

static void on_message(void* user, const agon__message* m) {
    agon__worker* w = user;
    switch (m->kind) {
    case AGON__TASK:
        agon__worker_task(w, &m->as.task);
        break;
    case AGON__CHUNK_DATA:
        agon__worker_chunk(w, &m->as.chunk);
        break;
    case AGON__MISSING:
        agon__worker_missing(w, m->as.missing.hash);
        break;
    case AGON__WANT:
        agon__worker_want(w, &m->as.want);
        break;
    case AGON__ACK:
        agon__worker_ack(w, &m->as.ack);
        break;
    case AGON__BEAT_OK:
        agon__worker_cancelled(w, &m->as.beat_ok);
        break;
    case AGON__BYE:
        on_bye(w, m->as.bye.text);
        break;
    default: /* a coordinator that sends what is a worker's to say; no harm */
        break;
    }
}

static void on_drained(void* user) {
    agon__worker_pump(user);
}

/* Tasks go on: their results are taken with any lease, or none. */
static void on_lost(void* user, const agon_error* why) {
    agon__worker* w = user;
    if (w->connected)
        w->away_ms = agon__worker_now(w);
    w->connected = false;
    uv_timer_stop(&w->beat);
    agon__worker_stop_sending(w, NULL);
    for (agon__spooled* s = agon__spool_first(w->spool); s; s = s->next)
        s->offer.lease = 0;
    if (!w->ended)
        agon__worker_note(w, "%s; %s", why->text, why->hint);
}

static void on_refused(void* user, const agon_error* why) {
    agon__worker* w = user;
    w->connected = false;
    end(w, why);
}

/* ---- opening and closing ------------------------------------------------------------------ */

static int load_blob(void* user, const char* hash, uint8_t** data, size_t* size,
                     agon_error* error) {
    agon__worker* w = user;
    return agon__cache_load(w->cache, hash, data, size, error);
}

static int open_places(agon__worker* w, agon_error* error) {
    char dir[AGON_PATH_SIZE];
    snprintf(dir, sizeof dir, "%s/cache", w->def->dir);
    int rc = agon__cache_open(dir, w->def->cache, &w->cache, error);
    if (!rc)
        rc = agon__spool_open(w->def->dir, &w->spool, error);
    if (!rc)
        rc = agon__inbox_open(INBOX_BYTES, &w->inbox, error);
    if (!rc && agon__spool_damaged(w->spool))
        agon__worker_note(w, "damaged results removed from %s: %d", agon__spool_dir(w->spool),
                          agon__spool_damaged(w->spool));
    if (!rc && agon__spool_count(w->spool))
        agon__worker_note(w, "results of an earlier worker, to be offered again: %d",
                          agon__spool_count(w->spool));
    return rc;
}

static int open_executor(agon__worker* w, agon_error* error) {
    const agon_executor_def def = {
        .loop = &w->loop,
        .slots = w->def->slots,
        .backend = w->def->backend,
        .load = load_blob,
        .load_user = w,
        .done = agon__worker_done,
        .user = w,
    };
    return agon_executor_local(&def, NULL, &w->executor, error);
}

static int open_link(agon__worker* w, agon_error* error) {
    agon__link_def def = {
        .loop = &w->loop,
        .worker = w->def,
        .welcome = on_welcome,
        .message = on_message,
        .drained = on_drained,
        .lost = on_lost,
        .refused = on_refused,
        .user = w,
    };
    agon__url url;
    int rc = agon__url_parse(w->def->connect, &url, error);
    if (!rc)
        rc = agon__worker_hello(w->def, w->slots, &def.hello, error);
    if (rc)
        return rc;
    if (url.scheme == AGON__NATS || url.scheme == AGON__NATS_TLS)
        return agon__link_nats_open(&def, w->def->connect, &w->link, error);
    return agon__link_tcp_open(&def, w->def->connect, &w->link, error);
}

static void start_handles(agon__worker* w) {
    uv_signal_init(&w->loop, &w->interrupt);
    uv_signal_init(&w->loop, &w->terminate);
    uv_timer_init(&w->loop, &w->beat);
    uv_timer_init(&w->loop, &w->tick);
    w->interrupt.data = w->terminate.data = w->beat.data = w->tick.data = w;
    uv_signal_start(&w->interrupt, on_signal, SIGINT);
    uv_signal_start(&w->terminate, on_signal, SIGTERM);
    uv_timer_start(&w->tick, on_tick, TICK, TICK);
    w->begun_ms = w->away_ms = agon__worker_now(w);
}

/* A worker that never began: the loop ends when handles are closed. */
static void close_handles(agon__worker* w) {
    if (w->executor.shut)
        w->executor.shut(&w->executor);
    uv_run(&w->loop, UV_RUN_DEFAULT);
}

static void close_all(agon__worker* w) {
    while (w->lots)
        agon__worker_forget(w, w->lots);
    agon__worker_sweep(w);
    if (w->link.close)
        w->link.close(&w->link);
    if (w->executor.close)
        w->executor.close(&w->executor);
    agon__inbox_close(w->inbox);
    agon__spool_close(w->spool);
    agon__cache_close(w->cache);
    uv_loop_close(&w->loop);
    free(w);
}

static int open_all(agon__worker* w, agon_error* error) {
    int rc = open_places(w, error);
    if (!rc)
        rc = open_executor(w, error);
    return rc ? rc : open_link(w, error);
}

int agon_worker_run(const agon_worker_def* def, agon_error* error) {
    agon__worker* w = calloc(1, sizeof *w);
    if (!w)
        return agon_fail(error, AGON_EMEMORY, "no memory for a worker");
    w->def = def;
    w->lots_end = &w->lots;
    w->slots = def->backend->shards ? AGON__BEATS : def->slots;
    if (uv_loop_init(&w->loop) != 0) {
        free(w);
        return agon_fail(error, AGON_EMEMORY, "no event loop for a worker");
    }
    int rc = open_all(w, error);
    if (!rc) {
        start_handles(w);
        uv_run(&w->loop, UV_RUN_DEFAULT);
        rc = w->rc;
        if (rc && error)
            *error = w->error;
    } else {
        close_handles(w);
    }
    close_all(w);
    return rc;
}
