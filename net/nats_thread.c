/* nats_thread.c: the thread that connects and sends, and libnats's threads that receive. */
#include "net/nats_internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_FIRST 1000 /* ms before the second attempt */
#define PAUSE_MOST  60000
#define GOODBYE_MS  1000 /* for what was sent before the end */
#define RECEIVED_MOST                                                                              \
    (256u << 20) /* bytes that the loop has not looked at; what is more is lost                    \
                  */

/* ---- from libnats's threads to the loop --------------------------------------------------- */

static void push(agon__nats* n, agon__event* e) {
    e->next = NULL;
    uv_mutex_lock(&n->mutex);
    const bool take =
        !n->stop && (e->kind != AGON__HEARD || n->received + e->size <= RECEIVED_MOST);
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

static void push_word(agon__nats* n, agon__event_kind kind, const agon_error* why) {
    agon__event* e = calloc(1, sizeof *e);
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
    agon__event* e = calloc(1, sizeof *e + subject_size + reply_size + size + 1);
    (void)nc;
    (void)sub;
    if (e) {
        e->kind = AGON__HEARD;
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
    push_word(user, AGON__LOST, &why);
}

static void on_reconnected(natsConnection* nc, void* user) {
    (void)nc;
    set_up(user, true);
    push_word(user, AGON__CONNECTED, NULL);
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
    push_word(user, AGON__COMPLAINT, &why);
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
        push_word(n, rc ? AGON__LOST : AGON__CONNECTED, &error);
        if (!rc)
            return nc;
        rest(n, jitter(pause));
        pause = pause * 1.5 < PAUSE_MOST ? pause * 1.5 : PAUSE_MOST;
    }
    return NULL;
}

static void send_job(natsConnection* nc, const agon__job* j) {
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
static agon__job* next_job(agon__nats* n, uint64_t* deadline, bool* up) {
    uv_mutex_lock(&n->mutex);
    while (!n->jobs && !n->stop && !n->closed)
        uv_cond_wait(&n->changed, &n->mutex);
    if (n->stop && !*deadline)
        *deadline = uv_hrtime() + GOODBYE_MS * (uint64_t)1000000;
    agon__job* j = n->closed || (*deadline && uv_hrtime() > *deadline) ? NULL : n->jobs;
    if (j) {
        n->jobs = j->next;
        if (!n->jobs)
            n->jobs_end = &n->jobs;
    }
    *up = n->up;
    uv_mutex_unlock(&n->mutex);
    return j;
}

static void sent(agon__nats* n, const agon__job* j) {
    uv_mutex_lock(&n->mutex);
    n->queued -= j->weight;
    if (n->queued < AGON__NATS_DRAINED && n->queued + j->weight >= AGON__NATS_DRAINED && !n->stop)
        uv_async_send(&n->async);
    uv_mutex_unlock(&n->mutex);
}

static void serve(agon__nats* n, natsConnection* nc) {
    uint64_t deadline = 0;
    bool up;
    for (agon__job* j; (j = next_job(n, &deadline, &up)); free(j)) {
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

void agon__nats_run(void* user) {
    agon__nats* n = user;
    pthread_setname_np(pthread_self(), "agon-nats");
    for (natsConnection* nc; (nc = connect_at_last(n));) {
        serve(n, nc);
        hang_up(n, nc);
    }
    nats_ReleaseThreadMemory();
}
