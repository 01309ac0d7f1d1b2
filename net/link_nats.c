/* link_nats.c: a worker's conversation with a coordinator behind a NATS server. */
#include "net/link_nats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 100
#define REST_MS 1000 /* without new tasks, after one was handed back */

/* ---- words -------------------------------------------------------------------------------- */

void agon__link_nats_say(agon__link_nats* l, const agon__message* m) {
    char subject[AGON__NATS_SUBJECT + 128];
    agon_error error = {0};
    uint8_t* data = NULL;
    size_t size = 0;
    snprintf(subject, sizeof subject, AGON__SUBJECT_TO_CENTRE, l->url.space, l->coordinator,
             l->name, l->id, l->epoch);
    if (agon__message_encode(m, &data, &size, &error) == AGON_OK)
        agon__nats_publish(l->nats, subject, NULL, data, size);
    else
        agon__link_nats_lose(l, &error);
    free(data);
}

void agon__link_nats_tell(agon__link_nats* l, const agon__message* m) {
    if (l->step == AGON__WELCOMED)
        l->def.message(l->def.user, m);
}

/* ---- tasks -------------------------------------------------------------------------------- */

agon__held** agon__link_nats_held(agon__link_nats* l, const char* task) {
    agon__held** at = &l->held;
    while (*at && strcmp((*at)->task, task) != 0)
        at = &(*at)->next;
    return at;
}

static void answer(agon__link_nats* l, const char* reply, const char* word) {
    if (reply[0])
        agon__nats_publish(l->nats, reply, NULL, word, strlen(word));
}

void agon__link_nats_settle(agon__link_nats* l, agon__held** at, const char* word) {
    agon__held* h = *at;
    *at = h->next;
    answer(l, h->reply, word);
    free(h);
}

static int running(const agon__link_nats* l) {
    int count = 0;
    for (const agon__held* h = l->held; h; h = h->next)
        count += !h->finished;
    return count;
}

/* The same task again, under another lease, is the old one going on. */
static bool hold(agon__link_nats* l, const agon__task_grant* task, const char* reply) {
    agon__held** at = agon__link_nats_held(l, task->id);
    if (*at && strcmp((*at)->reply, reply) != 0)
        answer(l, (*at)->reply, "+TERM");
    if (!*at)
        *at = calloc(1, sizeof **at);
    if (!*at)
        return false;
    memcpy((*at)->task, task->id, sizeof(*at)->task);
    (*at)->lease = task->lease;
    (*at)->finished = false;
    snprintf((*at)->reply, sizeof(*at)->reply, "%s", reply);
    return true;
}

/* The coordinator hears at once who has it, and answers when it is not to be done any more. */
static void claim(agon__link_nats* l, uint64_t lease) {
    agon__message* m = calloc(1, sizeof *m);
    if (!m)
        return;
    m->kind = AGON__BEAT;
    m->as.beat.leases = 1;
    m->as.beat.lease[0].lease = lease;
    agon__link_nats_say(l, m);
    free(m);
}

static void on_task(agon__link_nats* l, const agon__nats_message* from) {
    agon__message* m = calloc(1, sizeof *m);
    if (m && agon__message_decode(from->data, from->size, m, NULL) == AGON_OK &&
        m->kind == AGON__TASK) {
        if (l->step == AGON__WELCOMED && running(l) < l->credit &&
            hold(l, &m->as.task, from->reply)) {
            claim(l, m->as.task.lease);
            agon__link_nats_tell(l, m);
        } else {
            answer(l, from->reply, "-NAK");
        }
    } else if (m) {
        answer(l, from->reply, "+TERM");
    }
    if (m)
        agon__message_clear(m);
    free(m);
}

/* ---- what comes --------------------------------------------------------------------------- */

static void goodbye(agon__link_nats* l, const agon__message* m) {
    agon_error why;
    snprintf(l->gone, sizeof l->gone, "%s", l->boot);
    while (l->held)
        agon__link_nats_settle(l, &l->held, "+TERM");
    agon__link_nats_tell(l, m);
    agon_fail(&why, AGON_EIO, "the coordinator said goodbye");
    agon__link_nats_lose(l, &why);
}

static void take(agon__link_nats* l, const agon__message* m) {
    l->heard = uv_now(l->def.loop);
    if (agon__link_nats_handshake(l, m))
        return;
    if (m->kind == AGON__BYE) {
        goodbye(l, m);
        return;
    }
    if (m->kind == AGON__TASK)
        hold(l, &m->as.task, "");
    agon__link_nats_tell(l, m);
}

static void on_word(agon__link_nats* l, const agon__nats_message* from) {
    agon_error error = {0};
    agon__message* m = calloc(1, sizeof *m);
    if (!m)
        return;
    if (agon__message_decode(from->data, from->size, m, &error) == AGON_OK)
        take(l, m);
    else
        agon__link_nats_lose(l, &error);
    agon__message_clear(m);
    free(m);
}

static void message(void* user, const agon__nats_message* m) {
    agon__link_nats* l = user;
    char word[6][80];
    if (l->step == AGON__ENDED || agon__pull_status(&l->tasks, m, uv_now(l->def.loop)))
        return;
    if (agon__pull_brings(&l->tasks, m))
        on_task(l, m);
    else if (agon__subject_split(m->subject, 4, word) && strcmp(word[2], "here") == 0)
        agon__link_nats_here(l, word[3], m->data, m->size);
    else if (agon__subject_split(m->subject, 6, word) && strcmp(word[5], l->epoch) == 0)
        on_word(l, m);
}

/* ---- the connection ----------------------------------------------------------------------- */

static void connected(void* user) {
    agon__link_nats* l = user;
    l->ever = true;
    if (l->step == AGON__ENDED)
        return;
    l->step = AGON__LOOKING;
    l->since = uv_now(l->def.loop);
    l->told = false;
}

static void lost(void* user, const agon_error* why) {
    agon__link_nats* l = user;
    if (!l->ever && why->code == AGON_EINVALID)
        agon__link_nats_refuse(l, why);
    else
        agon__link_nats_lose(l, why);
}

static void drained(void* user) {
    agon__link_nats* l = user;
    if (l->step == AGON__WELCOMED)
        l->def.drained(l->def.user);
}

static void complaint(void* user, const char* text) {
    const agon__link_nats* l = user;
    char line[600];
    snprintf(line, sizeof line, "the broker complains: %.500s", text);
    if (l->def.worker->note)
        l->def.worker->note(l->def.worker->user, line);
}

static void say_progress(agon__link_nats* l, uint64_t now) {
    if (now - l->progress < (uint64_t)l->lease_ms / 2)
        return;
    l->progress = now;
    for (const agon__held* h = l->held; h; h = h->next)
        answer(l, h->reply, "+WPI");
}

static void tick(uv_timer_t* timer) {
    agon__link_nats* l = timer->data;
    const uint64_t now = uv_now(timer->loop);
    agon__link_nats_watch(l, now);
    if (l->step != AGON__WELCOMED)
        return;
    say_progress(l, now);
    if (now >= l->rest_until)
        agon__pull_want(&l->tasks, l->credit - running(l), now);
}

static void soon(uv_timer_t* timer) {
    agon__link_nats_upload(timer->data);
}

void agon__link_nats_soon(agon__link_nats* l) {
    uv_timer_start(&l->soon, soon, 0, 0);
}

/* ---- the link ----------------------------------------------------------------------------- */

static void link_send(agon__link* link, const agon__message* m) {
    agon__link_nats* l = link->self;
    if (l->step != AGON__WELCOMED)
        return;
    switch (m->kind) {
    case AGON__RESULT:
        agon__link_nats_result(l, &m->as.result);
        break;
    case AGON__CHUNK_DATA:
        agon__link_nats_chunk(l, m);
        break;
    case AGON__WANT:
        agon__link_nats_want(l, m);
        break;
    case AGON__NAK:
        l->rest_until = uv_now(l->def.loop) + REST_MS;
        agon__link_nats_say(l, m);
        break;
    case AGON__CREDIT:
        l->credit = m->as.credit.tasks;
        agon__link_nats_say(l, m);
        break;
    default:
        agon__link_nats_say(l, m);
    }
    if (l->step == AGON__WELCOMED && uv_now(l->def.loop) >= l->rest_until)
        agon__pull_want(&l->tasks, l->credit - running(l), uv_now(l->def.loop));
}

static size_t link_queued(agon__link* link) {
    const agon__link_nats* l = link->self;
    return agon__nats_queued(l->nats) + agon__link_nats_uploading(l);
}

/* Handed back, it is terminated here: the coordinator has heard of it, and gives it a new lease. */
static void link_settle(agon__link* link, const char* task, uint64_t lease, bool finished) {
    agon__link_nats* l = link->self;
    agon__held** at = agon__link_nats_held(l, task);
    (void)lease;
    if (finished)
        agon__link_nats_drop_uploads(l, task);
    if (*at)
        agon__link_nats_settle(l, at, finished ? "+ACK" : "+TERM");
}

static void link_shut(agon__link* link) {
    agon__link_nats* l = link->self;
    l->step = AGON__ENDED;
    agon__nats_shut(l->nats);
    uv_close((uv_handle_t*)&l->timer, NULL);
    uv_close((uv_handle_t*)&l->soon, NULL);
}

static void free_link(agon__link_nats* l) {
    if (l->nats) {
        agon__link_nats_drop_uploads(l, NULL);
        agon__nats_close(l->nats);
    }
    if (l->depot)
        agon__depot_close(l->depot);
    for (agon__held* h; (h = l->held); free(h))
        l->held = h->next;
    free(l);
}

static void link_close(agon__link* link) {
    free_link(link->self);
    link->self = NULL;
}

/* ---- opening ------------------------------------------------------------------------------ */

static int open_connection(agon__link_nats* l, agon_error* error) {
    const agon_worker_def* w = l->def.worker;
    agon__nats_def n = {
        .loop = l->def.loop,
        .name = l->name,
        .url = l->url,
        .subjects = 3,
        .connected = connected,
        .lost = lost,
        .message = message,
        .drained = drained,
        .complaint = complaint,
        .user = l,
    };
    snprintf(n.tls, sizeof n.tls, "%s", w->tls);
    snprintf(n.token, sizeof n.token, "%s", w->token);
    snprintf(n.nkey, sizeof n.nkey, "%s", w->nkey);
    snprintf(n.subject[0], sizeof n.subject[0], "%s", l->answers);
    snprintf(n.subject[1], sizeof n.subject[1], AGON__SUBJECT_TO_WORKER, l->url.space, l->name,
             l->id, "*");
    snprintf(n.subject[2], sizeof n.subject[2], AGON__SUBJECT_HERE, l->url.space, "*");
    return agon__nats_open(&n, true, &l->nats, error);
}

static int begin(agon__link_nats* l, const char* url, agon_error* error) {
    int rc = agon__url_parse(url, &l->url, error);
    if (rc)
        return rc;
    agon__subject_word(l->def.hello.name, l->name, sizeof l->name);
    memcpy(l->id, l->def.hello.id, sizeof l->id - 1);
    snprintf(l->def.hello.token, sizeof l->def.hello.token, "-");
    snprintf(l->answers, sizeof l->answers, AGON__SUBJECT_ANSWERS, l->url.space, l->name, l->id);
    rc = open_connection(l, error);
    return rc ? rc : agon__link_nats_depot(l, error);
}

int agon__link_nats_open(const agon__link_def* def, const char* url, agon__link* out,
                         agon_error* error) {
    agon__link_nats* l = calloc(1, sizeof *l);
    if (!l)
        return agon_fail(error, AGON_EMEMORY, "no memory for a connection");
    l->def = *def;
    l->step = AGON__APART;
    const int rc = begin(l, url, error);
    if (rc && l->nats) {
        agon__nats_shut(l->nats);
        uv_run(def->loop, UV_RUN_DEFAULT); /* until its handles are closed */
    }
    if (rc) {
        free_link(l);
        return rc;
    }
    uv_timer_init(def->loop, &l->timer);
    uv_timer_init(def->loop, &l->soon);
    l->timer.data = l->soon.data = l;
    uv_timer_start(&l->timer, tick, TICK_MS, TICK_MS);
    *out = (agon__link){
        .self = l,
        .send = link_send,
        .queued = link_queued,
        .settle = link_settle,
        .shut = link_shut,
        .close = link_close,
    };
    return AGON_OK;
}
