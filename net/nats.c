/* nats.c: a connection to a NATS server, as the loop sees it; nats_thread.c does the work. */
#include "net/nats_internal.h"

#include <stdlib.h>
#include <string.h>

#define TICK_MS 100

bool agon__nats_connected(const agon__nats* n) {
    return n->linked;
}

/* ---- on the loop -------------------------------------------------------------------------- */

static void hand_over(agon__nats* n, const agon__event* e) {
    const agon__nats_message m = {e->subject, e->reply, e->status, e->data, e->size};
    switch (e->kind) {
    case AGON__CONNECTED:
        n->linked = true;
        n->def.connected(n->def.user);
        break;
    case AGON__LOST:
        n->linked = false;
        agon__nats_asks_fail(n);
        n->def.lost(n->def.user, &e->error);
        break;
    case AGON__HEARD:
        if (!agon__nats_asks_take(n, &m))
            n->def.message(n->def.user, &m);
        break;
    case AGON__COMPLAINT:
        if (n->def.complaint)
            n->def.complaint(n->def.user, e->error.text);
        break;
    }
}

static void on_async(uv_async_t* handle) {
    agon__nats* n = handle->data;
    uv_mutex_lock(&n->mutex);
    agon__event* e = n->first;
    n->first = NULL;
    n->last = &n->first;
    n->received = 0;
    const bool drained = n->pressed && n->queued < AGON__NATS_DRAINED;
    uv_mutex_unlock(&n->mutex);
    for (agon__event* next; e; e = next) {
        next = e->next;
        if (!n->shut)
            hand_over(n, e);
        free(e);
    }
    if (drained && !n->shut) {
        n->pressed = false;
        n->def.drained(n->def.user);
    }
}

static void on_timer(uv_timer_t* timer) {
    agon__nats_asks_tick(timer->data, uv_now(timer->loop));
}

size_t agon__nats_queued(const agon__nats* n) {
    uv_mutex_lock((uv_mutex_t*)&n->mutex);
    const size_t queued = n->queued;
    uv_mutex_unlock((uv_mutex_t*)&n->mutex);
    return queued;
}

static const char* put_text(char** at, const char* text) {
    const size_t size = text ? strlen(text) + 1 : 0;
    const char* put = text ? memcpy(*at, text, size) : NULL;
    *at += size;
    return put;
}

static size_t text_size(const char* text) {
    return text ? strlen(text) + 1 : 0;
}

void agon__nats_send(agon__nats* n, const char* subject, const char* reply, const char* id,
                     bool once, const void* data, size_t size) {
    const size_t texts = text_size(subject) + text_size(reply) + text_size(id);
    agon__job* j = n->linked ? malloc(sizeof *j + texts + size) : NULL;
    if (!j)
        return;
    char* at = (char*)(j + 1);
    j->next = NULL;
    j->subject = put_text(&at, subject);
    j->reply = put_text(&at, reply);
    j->id = put_text(&at, id);
    j->data = at;
    j->size = size;
    j->weight = sizeof *j + texts + size;
    j->once = once;
    if (size)
        memcpy(at, data, size);
    uv_mutex_lock(&n->mutex);
    const bool take = !n->stop && n->queued + j->weight <= AGON__NATS_QUEUE;
    if (take) {
        *n->jobs_end = j;
        n->jobs_end = &j->next;
        n->queued += j->weight;
        n->pressed |= n->queued >= AGON__NATS_DRAINED;
        uv_cond_broadcast(&n->changed);
    }
    uv_mutex_unlock(&n->mutex);
    if (!take)
        free(j);
}

void agon__nats_publish(agon__nats* n, const char* subject, const char* reply, const void* data,
                        size_t size) {
    agon__nats_send(n, subject, reply, NULL, false, data, size);
}

/* ---- opening and closing ------------------------------------------------------------------ */

void agon__nats_shut(agon__nats* n) {
    n->shut = true;
    n->linked = false;
    uv_mutex_lock(&n->mutex);
    n->stop = true;
    uv_cond_broadcast(&n->changed);
    uv_mutex_unlock(&n->mutex);
    uv_close((uv_handle_t*)&n->async, NULL);
    uv_close((uv_handle_t*)&n->timer, NULL);
}

void agon__nats_close(agon__nats* n) {
    uv_thread_join(&n->thread);
    agon__nats_asks_fail(n);
    free(n->asks.slot);
    for (agon__event *e = n->first, *next; e; e = next) {
        next = e->next;
        free(e);
    }
    for (agon__job *j = n->jobs, *next; j; j = next) {
        next = j->next;
        free(j);
    }
    uv_cond_destroy(&n->changed);
    uv_mutex_destroy(&n->mutex);
    free(n);
}

static int start(agon__nats* n, agon_error* error) {
    if (uv_async_init(n->def.loop, &n->async, on_async) != 0)
        return agon_fail(error, AGON_EIO, "nats: no handle to wake the loop");
    uv_timer_init(n->def.loop, &n->timer);
    n->async.data = n->timer.data = n;
    uv_timer_start(&n->timer, on_timer, TICK_MS, TICK_MS);
    if (uv_thread_create(&n->thread, agon__nats_run, n) == 0)
        return AGON_OK;
    uv_close((uv_handle_t*)&n->async, NULL);
    uv_close((uv_handle_t*)&n->timer, NULL);
    uv_run(n->def.loop, UV_RUN_DEFAULT);
    return agon_fail(error, AGON_EIO, "nats: no thread");
}

static int await_first(agon__nats* n, agon_error* error) {
    uv_mutex_lock(&n->mutex);
    while (!n->tried)
        uv_cond_wait(&n->changed, &n->mutex);
    const agon_error first = n->first_error;
    uv_mutex_unlock(&n->mutex);
    if (first.code && error)
        *error = first;
    return first.code;
}

int agon__nats_open(const agon__nats_def* def, bool patient, agon__nats** out, agon_error* error) {
    agon__nats* n = calloc(1, sizeof *n);
    if (!n)
        return agon_fail(error, AGON_EMEMORY, "no memory for a connection");
    n->def = *def;
    snprintf(n->name, sizeof n->name, "%s", def->name);
    n->def.name = n->name;
    n->last = &n->first;
    n->jobs_end = &n->jobs;
    uv_mutex_init(&n->mutex);
    uv_cond_init(&n->changed);
    int rc = agon__nats_keys_read(def, &n->keys, error);
    if (!rc)
        rc = start(n, error);
    if (rc) {
        uv_cond_destroy(&n->changed);
        uv_mutex_destroy(&n->mutex);
        free(n);
        return rc;
    }
    if (!patient)
        rc = await_first(n, error);
    if (rc) {
        agon__nats_shut(n);
        uv_run(def->loop, UV_RUN_DEFAULT); /* until its handles are closed */
        agon__nats_close(n);
        return rc;
    }
    *out = n;
    return AGON_OK;
}
