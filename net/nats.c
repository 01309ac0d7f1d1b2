/* nats.c: a connection to a NATS server: a thread that connects and sends, libnats's threads that
 * receive, and a queue to the loop. */
#include "net/nats_internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_FIRST 1000 /* ms before the second attempt */
#define PAUSE_MOST  60000
#define TICK_MS     100
#define GOODBYE_MS  1000 /* for what was sent before the end */
#define RECEIVED_MOST                                                                              \
    (256u << 20) /* bytes that the loop has not looked at; what is more is lost                    \
                  */
#define DRAINED (2u << 20)

typedef enum event_kind { CONNECTED, LOST, MESSAGE, COMPLAINT } event_kind;

typedef struct event {
    struct event* next;
    event_kind kind;
    agon_error error; /* of LOST and COMPLAINT */
    int status;
    char *subject, *reply; /* inside the block */
    uint8_t* data;
    size_t size;
} event;

typedef struct job {
    struct job* next;
    const char *subject, *reply, *id; /* inside the block; NULL: none */
    const void* data;
    size_t size, weight;
    bool once;
} job;

struct agon__nats {
    agon__nats_def def;
    agon__nats_keys keys;
    char name[128];
    uv_async_t async;
    uv_timer_t timer;
    uv_thread_t thread;
    agon__nats_asks asks;
    bool shut, linked, pressed; /* of the loop: connected; much waits to be sent */
    uv_mutex_t mutex;           /* of all below */
    uv_cond_t changed;
    event *first, **last;
    size_t received;
    job *jobs, **jobs_end;
    size_t queued;
    bool stop, up, closed, tried;
    agon_error first_error;
    /* Of the thread. */
    natsSubscription* sub[AGON__NATS_SUBJECTS];
};

agon__nats_asks* agon__nats_asks_of(agon__nats* n) {
    return &n->asks;
}

const agon__nats_def* agon__nats_def_of(const agon__nats* n) {
    return &n->def;
}

bool agon__nats_connected(const agon__nats* n) {
    return n->linked;
}

/* ---- from libnats's threads to the loop --------------------------------------------------- */

static void push(agon__nats* n, event* e) {
    e->next = NULL;
    uv_mutex_lock(&n->mutex);
    const bool take = !n->stop && (e->kind != MESSAGE || n->received + e->size <= RECEIVED_MOST);
    if (take) {
        *n->last = e;
        n->last = &e->next;
        n->received += e->size;
        uv_async_send(&n->async);
    }
    uv_mutex_unlock(&n->mutex);
    if (!take)
        free(e);
}

static void push_word(agon__nats* n, event_kind kind, const agon_error* why) {
    event* e = calloc(1, sizeof *e);
    if (!e)
        return;
    e->kind = kind;
    if (why)
        e->error = *why;
    push(n, e);
}

static int status_of(natsMsg* message) {
    const char* text = NULL;
    if (natsMsg_GetDataLength(message) > 0 ||
        natsMsgHeader_Get(message, "Status", &text) != NATS_OK || !text)
        return 0;
    return (int)strtol(text, NULL, 10);
}

static void on_message(natsConnection* nc, natsSubscription* sub, natsMsg* message, void* user) {
    const char* subject = natsMsg_GetSubject(message);
    const char* reply = natsMsg_GetReply(message);
    const size_t size = (size_t)natsMsg_GetDataLength(message);
    const size_t subject_size = strlen(subject) + 1, reply_size = reply ? strlen(reply) + 1 : 1;
    event* e = calloc(1, sizeof *e + subject_size + reply_size + size + 1);
    (void)nc;
    (void)sub;
    if (e) {
        e->kind = MESSAGE;
        e->status = status_of(message);
        e->subject = (char*)(e + 1);
        e->reply = e->subject + subject_size;
        e->data = (uint8_t*)e->reply + reply_size;
        e->size = size;
        memcpy(e->subject, subject, subject_size);
        memcpy(e->reply, reply ? reply : "", reply_size);
        if (size)
            memcpy(e->data, natsMsg_GetData(message), size);
        push(user, e);
    }
    natsMsg_Destroy(message);
}

static void set_up(agon__nats* n, bool up) {
    uv_mutex_lock(&n->mutex);
    n->up = up;
    uv_mutex_unlock(&n->mutex);
}

static void on_disconnected(natsConnection* nc, void* user) {
    const char* text = NULL;
    agon_error why;
    natsConnection_GetLastError(nc, &text);
    agon_fail(&why, AGON_EIO, "the connection to %s was lost%s%.300s",
              ((agon__nats*)user)->keys.url, text && text[0] ? ": " : "", text ? text : "");
    set_up(user, false);
    push_word(user, LOST, &why);
}

static void on_reconnected(natsConnection* nc, void* user) {
    (void)nc;
    set_up(user, true);
    push_word(user, CONNECTED, NULL);
}

static void on_closed(natsConnection* nc, void* user) {
    agon__nats* n = user;
    (void)nc;
    uv_mutex_lock(&n->mutex);
    n->up = false;
    n->closed = true;
    uv_cond_broadcast(&n->changed);
    uv_mutex_unlock(&n->mutex);
}

static void on_trouble(natsConnection* nc, natsSubscription* sub, natsStatus status, void* user) {
    const char* text = NULL;
    agon_error why;
    (void)sub;
    natsConnection_GetLastError(nc, &text);
    agon_fail(&why, AGON_EIO, "%s: %.300s", natsStatus_GetText(status), text ? text : "");
    push_word(user, COMPLAINT, &why);
}

/* ---- the thread that connects and sends --------------------------------------------------- */

static int explain(const agon__nats* n, natsStatus s, agon_error* error) {
    const char* text = nats_GetLastError(NULL);
    const bool same = !text || !text[0] || strcmp(text, natsStatus_GetText(s)) == 0;
    const bool refused = s == NATS_CONNECTION_AUTH_FAILED || s == NATS_SSL_ERROR ||
                         s == NATS_SECURE_CONNECTION_REQUIRED || s == NATS_SECURE_CONNECTION_WANTED;
    agon_fail(error, refused ? AGON_EINVALID : AGON_EIO, "%s: %s%s%.250s", n->keys.url,
              natsStatus_GetText(s), same ? "" : ": ", same ? "" : text);
    if (s == NATS_CONNECTION_AUTH_FAILED)
        agon_hint(error, "the server does not know this token or nkey, or asks for one");
    else if (s == NATS_SECURE_CONNECTION_REQUIRED)
        agon_hint(error, "the server speaks TLS alone: natstls://, and a directory with ca.pem");
    else if (s == NATS_SECURE_CONNECTION_WANTED)
        agon_hint(error, "the server speaks no TLS; nats:// without a directory of certificates");
    else if (s == NATS_NO_SERVER)
        agon_hint(error, "is nats-server running there?");
    return error->code;
}

static natsStatus set_callbacks(agon__nats* n, natsOptions* o) {
    natsStatus s = natsOptions_SetDisconnectedCB(o, on_disconnected, n);
    if (s == NATS_OK)
        s = natsOptions_SetReconnectedCB(o, on_reconnected, n);
    if (s == NATS_OK)
        s = natsOptions_SetClosedCB(o, on_closed, n);
    if (s == NATS_OK)
        s = natsOptions_SetErrorHandler(o, on_trouble, n);
    return s;
}

static natsStatus subscribe(agon__nats* n, natsConnection* nc) {
    natsStatus s = NATS_OK;
    for (int i = 0; s == NATS_OK && i < n->def.subjects; i++) {
        char subject[AGON__NATS_SUBJECT + 2];
        snprintf(subject, sizeof subject, i == 0 ? "%s.>" : "%s", n->def.subject[i]);
        s = natsConnection_Subscribe(&n->sub[i], nc, subject, on_message, n);
        if (s == NATS_OK)
            s = natsSubscription_SetPendingLimits(n->sub[i], -1, RECEIVED_MOST);
    }
    return s;
}

static void destroy(agon__nats* n, natsConnection* nc) {
    for (int i = 0; i < n->def.subjects; i++) {
        natsSubscription_Destroy(n->sub[i]);
        n->sub[i] = NULL;
    }
    natsConnection_Destroy(nc);
}

static int connect_once(agon__nats* n, natsConnection** out, agon_error* error) {
    natsOptions* o = NULL;
    natsConnection* nc = NULL;
    int rc = agon__nats_options(&n->def, &n->keys, &o, error);
    if (rc)
        return rc;
    n->closed = false;
    natsStatus s = set_callbacks(n, o);
    if (s == NATS_OK)
        s = natsConnection_Connect(&nc, o);
    natsOptions_Destroy(o);
    if (s == NATS_OK)
        s = subscribe(n, nc);
    if (s == NATS_OK) {
        *out = nc;
        return AGON_OK;
    }
    rc = explain(n, s, error);
    destroy(n, nc);
    return rc;
}

/* Waits for ms, or for the end. */
static void rest(agon__nats* n, uint64_t ms) {
    const uint64_t until = uv_hrtime() + ms * 1000000;
    uv_mutex_lock(&n->mutex);
    for (uint64_t now; !n->stop && (now = uv_hrtime()) < until;)
        uv_cond_timedwait(&n->changed, &n->mutex, until - now);
    uv_mutex_unlock(&n->mutex);
}

static uint64_t jitter(double pause) {
    uint16_t chance = 0;
    uv_random(NULL, NULL, &chance, sizeof chance, 0, NULL);
    return (uint64_t)(pause * (0.8 + 0.4 * chance / 65535.0));
}

static bool stopping(agon__nats* n) {
    uv_mutex_lock(&n->mutex);
    const bool stop = n->stop;
    uv_mutex_unlock(&n->mutex);
    return stop;
}

/* NULL: the end came first. */
static natsConnection* connect_at_last(agon__nats* n) {
    natsConnection* nc = NULL;
    double pause = PAUSE_FIRST;
    while (!stopping(n)) {
        agon_error error = {0};
        const int rc = connect_once(n, &nc, &error);
        uv_mutex_lock(&n->mutex);
        n->up = !rc;
        if (!n->tried)
            n->first_error = error;
        n->tried = true;
        uv_cond_broadcast(&n->changed);
        uv_mutex_unlock(&n->mutex);
        push_word(n, rc ? LOST : CONNECTED, &error);
        if (!rc)
            return nc;
        rest(n, jitter(pause));
        pause = pause * 1.5 < PAUSE_MOST ? pause * 1.5 : PAUSE_MOST;
    }
    return NULL;
}

static void send_job(natsConnection* nc, const job* j) {
    natsMsg* message = NULL;
    natsStatus s = natsMsg_Create(&message, j->subject, j->reply, j->data, (int)j->size);
    if (s == NATS_OK && j->id)
        s = natsMsgHeader_Set(message, "Nats-Msg-Id", j->id);
    if (s == NATS_OK && j->once)
        s = natsMsgHeader_Set(message, "Nats-Expected-Last-Subject-Sequence", "0");
    if (s == NATS_OK)
        natsConnection_PublishMsg(nc, message); /* what fails is asked for again, or was dropped */
    natsMsg_Destroy(message);
}

/* The next job, or NULL when the connection has closed or all is sent and the end has come. */
static job* next_job(agon__nats* n, uint64_t* deadline, bool* up) {
    uv_mutex_lock(&n->mutex);
    while (!n->jobs && !n->stop && !n->closed)
        uv_cond_wait(&n->changed, &n->mutex);
    if (n->stop && !*deadline)
        *deadline = uv_hrtime() + GOODBYE_MS * (uint64_t)1000000;
    job* j = n->closed || (*deadline && uv_hrtime() > *deadline) ? NULL : n->jobs;
    if (j) {
        n->jobs = j->next;
        if (!n->jobs)
            n->jobs_end = &n->jobs;
    }
    *up = n->up;
    uv_mutex_unlock(&n->mutex);
    return j;
}

static void sent(agon__nats* n, const job* j) {
    uv_mutex_lock(&n->mutex);
    n->queued -= j->weight;
    if (n->queued < DRAINED && n->queued + j->weight >= DRAINED && !n->stop)
        uv_async_send(&n->async);
    uv_mutex_unlock(&n->mutex);
}

static void serve(agon__nats* n, natsConnection* nc) {
    uint64_t deadline = 0;
    bool up;
    for (job* j; (j = next_job(n, &deadline, &up)); free(j)) {
        if (up)
            send_job(nc, j);
        sent(n, j);
    }
    if (up)
        natsConnection_FlushTimeout(nc, GOODBYE_MS);
}

/* Its callbacks know this object, so that the last of them is waited for. */
static void hang_up(agon__nats* n, natsConnection* nc) {
    const uint64_t until = uv_hrtime() + 5 * (uint64_t)1000000000;
    natsConnection_Close(nc);
    uv_mutex_lock(&n->mutex);
    for (uint64_t now; !n->closed && (now = uv_hrtime()) < until;)
        uv_cond_timedwait(&n->changed, &n->mutex, until - now);
    uv_mutex_unlock(&n->mutex);
    destroy(n, nc);
}

static void run(void* user) {
    agon__nats* n = user;
    pthread_setname_np(pthread_self(), "agon-nats");
    for (natsConnection* nc; (nc = connect_at_last(n));) {
        serve(n, nc);
        hang_up(n, nc);
    }
    nats_ReleaseThreadMemory();
}

/* ---- on the loop -------------------------------------------------------------------------- */

static void hand_over(agon__nats* n, const event* e) {
    const agon__nats_message m = {e->subject, e->reply, e->status, e->data, e->size};
    switch (e->kind) {
    case CONNECTED:
        n->linked = true;
        n->def.connected(n->def.user);
        break;
    case LOST:
        n->linked = false;
        agon__nats_asks_fail(n);
        n->def.lost(n->def.user, &e->error);
        break;
    case MESSAGE:
        if (!agon__nats_asks_take(n, &m))
            n->def.message(n->def.user, &m);
        break;
    case COMPLAINT:
        if (n->def.complaint)
            n->def.complaint(n->def.user, e->error.text);
        break;
    }
}

static void on_async(uv_async_t* handle) {
    agon__nats* n = handle->data;
    uv_mutex_lock(&n->mutex);
    event* e = n->first;
    n->first = NULL;
    n->last = &n->first;
    n->received = 0;
    const bool drained = n->pressed && n->queued < DRAINED;
    uv_mutex_unlock(&n->mutex);
    for (event* next; e; e = next) {
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
    job* j = n->linked ? malloc(sizeof *j + texts + size) : NULL;
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
        n->pressed |= n->queued >= DRAINED;
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
    for (event *e = n->first, *next; e; e = next) {
        next = e->next;
        free(e);
    }
    for (job *j = n->jobs, *next; j; j = next) {
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
    if (uv_thread_create(&n->thread, run, n) == 0)
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
