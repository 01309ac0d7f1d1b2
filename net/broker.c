/* broker.c: workers behind a message broker: NATS with JetStream.
 *
 * Words between a coordinator and a worker are the messages of message.h, over subjects that are
 * not kept; tasks and results go through streams, so that either side may be away for a while. The
 * coordinator's database is the truth: a result's message is acknowledged when the scheduler has
 * taken it, and committed afterwards; what is lost between the two is asked for again by the
 * planner when the run goes on, and the worker, who has not heard of a commit, offers it again. */
#include "net/broker.h"

#include "net/auth.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS      250
#define LOOK_MS      5000 /* between looks at what is done, and at room for blobs */
#define RESULTS      64   /* messages of results that may be on their way */
#define MOST_RETURNS 5    /* of a result whose worker is not known */

/* ---- the transport ------------------------------------------------------------------------ */

/* A result that is wanted lies in a stream already. */
static void want(agon__peer* p, const agon__want* w) {
    agon__broker* b = p->broker;
    char subject[AGON__NATS_SUBJECT + 128];
    snprintf(subject, sizeof subject, AGON__SUBJECT_PART, b->url.space, p->name, p->id, w->hash);
    if (!agon__depot_fetch(b->depot, p, subject, w->hash, w->from))
        memcpy(p->again, w->hash, sizeof p->again);
}

static void send_to(agon__transport* t, void* to, const agon__message* m) {
    agon__peer* p = to;
    (void)t;
    if (m->kind == AGON__WANT) {
        want(p, &m->as.want);
        return;
    }
    if (m->kind == AGON__CHUNK_DATA && m->as.chunk.index == 0)
        agon__broker_offer_again(p->broker, m->as.chunk.hash);
    agon__broker_say(p, m);
}

static void part(agon__transport* t, void* to) {
    (void)t;
    agon__broker_part(to);
}

static size_t queued(agon__transport* t, void* to) {
    const agon__broker* b = t->self;
    (void)to;
    return agon__nats_queued(b->nats);
}

static void publish(agon__transport* t, const agon__lease* lease) {
    agon__broker_publish(t->self, lease);
}

/* ---- results ------------------------------------------------------------------------------ */

static void answer(agon__broker* b, const agon__nats_message* m, const char* word) {
    agon__nats_publish(b->nats, m->reply, NULL, word, strlen(word));
}

/* Its worker may be about to introduce itself; one that does not come is dropped, since the worker
 * keeps what was not acknowledged, and the task is leased again. */
static void on_result(agon__broker* b, const agon__nats_message* m) {
    char word[6][80];
    agon__peer* p = NULL;
    if (agon__subject_split(m->subject, 6, word))
        p = agon__broker_find(b, word[4], word[5]);
    if (p) {
        agon__session_message(p->session, m->data, m->size);
        answer(b, m, "+ACK");
    } else if (agon__pull_deliveries(m->reply) < MOST_RETURNS) {
        answer(b, m, "-NAK {\"delay\":1000000000}");
    } else {
        answer(b, m, "+TERM");
    }
}

static void on_chunk(void* user, void* whose, const agon__message* m, const uint8_t* data,
                     size_t size) {
    agon__peer* p = whose;
    (void)user;
    (void)m;
    if (p->session)
        agon__session_message(p->session, data, size);
}

static void purge_parts(agon__broker* b, const agon__peer* p, const char* hash) {
    char subject[AGON__NATS_SUBJECT], body[2 * AGON__NATS_SUBJECT];
    snprintf(subject, sizeof subject, "$JS.API.STREAM.PURGE.%s", b->blobs);
    const int size = snprintf(body, sizeof body, "{\"filter\":\"" AGON__SUBJECT_PART ".*\"}",
                              b->url.space, p->name, p->id, hash);
    agon__nats_publish(b->nats, subject, NULL, body, (size_t)size);
}

/* What is not there, or is damaged there, comes from the worker itself. */
static void on_fetched(void* user, void* whose, const char* hash, bool whole) {
    agon__broker* b = user;
    agon__peer* p = whose;
    const bool again = strcmp(p->again, hash) == 0;
    agon__message m = {.kind = AGON__WANT};
    if (whole)
        purge_parts(b, p, hash);
    if (again)
        p->again[0] = '\0';
    if (whole && !again)
        return;
    memcpy(m.as.want.hash, hash, sizeof m.as.want.hash);
    agon__broker_say(p, &m);
}

/* A request for each result would be as much to say as the results. */
static void pull(agon__broker* b) {
    const uint64_t now = uv_now(b->timer.loop);
    if (agon__pull_coming(&b->results, now) <= RESULTS / 2)
        agon__pull_want(&b->results, RESULTS, now);
}

/* ---- the connection ----------------------------------------------------------------------- */

static void announce(agon__broker* b, int64_t now) {
    char subject[AGON__NATS_SUBJECT];
    if (!b->boot[0] || now - b->announced_ms < AGON__HERE_MS)
        return;
    b->announced_ms = now;
    snprintf(subject, sizeof subject, AGON__SUBJECT_HERE, b->url.space, b->id);
    agon__nats_publish(b->nats, subject, NULL, b->boot, strlen(b->boot));
}

static void connected(void* user) {
    agon__broker_setup(user);
}

/* Another word of being here than before: workers introduce themselves anew, since what was said
 * meanwhile is lost. */
void agon__broker_ready(agon__broker* b) {
    agon_error error;
    if (agon__random_hex(b->boot, &error) != AGON_OK) {
        agon__coordinator_note(b->coordinator, "%s", error.text);
        b->boot[0] = '\0';
        return;
    }
    agon__pull_begin(&b->results, b->nats, b->answers, b->result_stream, b->id);
    agon__broker_forget_offers(b);
    agon__broker_publish_again(b);
    b->announced_ms = 0;
    announce(b, agon__coordinator_now(b->coordinator));
    pull(b);
}

static void lost(void* user, const agon_error* why) {
    agon__broker* b = user;
    b->boot[0] = '\0';
    b->turn++;
    agon__pull_reset(&b->results);
    agon__coordinator_note(b->coordinator, "%s%s%s", why->text, why->hint[0] ? "; " : "",
                           why->hint);
}

static void complaint(void* user, const char* text) {
    agon__broker* b = user;
    agon__coordinator_note(b->coordinator, "the broker complains: %s", text);
}

static void message(void* user, const agon__nats_message* m) {
    static const char poison[] = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.";
    agon__broker* b = user;
    char word[7][80];
    if (!b->boot[0] || agon__pull_status(&b->results, m, uv_now(b->timer.loop)))
        return;
    if (agon__pull_brings(&b->results, m)) {
        on_result(b, m);
        pull(b);
    } else if (strncmp(m->subject, poison, sizeof poison - 1) == 0)
        agon__broker_poison(b, m);
    else if (!m->status && agon__subject_split(m->subject, 7, word))
        agon__broker_heard(b, word, m);
}

static void drained(void* user) {
    agon__broker* b = user;
    for (agon__peer *p = b->first, *next; p; p = next) {
        next = p->next;
        if (p->session && p->ready)
            agon__session_drained(p->session);
    }
}

static void tick(uv_timer_t* timer) {
    agon__broker* b = timer->data;
    const int64_t now = agon__coordinator_now(b->coordinator);
    agon__broker_setup_tick(b, now);
    agon__broker_peers_tick(b, now);
    if (!b->boot[0])
        return;
    announce(b, now);
    pull(b);
    if (now - b->looked_ms < LOOK_MS)
        return;
    b->looked_ms = now;
    agon__broker_sweep(b);
    agon__broker_make_room(b);
}

/* ---- opening and closing ------------------------------------------------------------------ */

static void shut(agon__transport* t) {
    agon__broker* b = t->self;
    b->shut = true;
    if (b->boot[0])
        agon__broker_clear(b);
    agon__nats_shut(b->nats);
    uv_close((uv_handle_t*)&b->timer, NULL);
}

static void free_broker(agon__broker* b) {
    if (b->depot)
        agon__depot_close(b->depot);
    agon__broker_peers_clear(b);
    agon__broker_tasks_clear(b);
    agon__broker_blobs_clear(b);
    free(b);
}

static void close_broker(agon__transport* t) {
    agon__broker* b = t->self;
    agon__nats_close(b->nats);
    free_broker(b);
}

/* Whoever reaches the server can give this run wrong results, unless the server asks who he is. */
static int check_safety(const agon_cluster_def* def, const agon__url* url, agon_error* error) {
    if (agon__url_is_loopback(url) || def->insecure || def->nkey[0] || def->tokens[0] ||
        def->tls[0])
        return AGON_OK;
    agon_fail(error, AGON_EINVALID, "%s is another machine's, and nothing says who we are",
              def->listen);
    return agon_hint(error, "give a key (machine.nkey=FILE), a token (machine.tokens=FILE) or "
                            "certificates (machine.tls=DIR), or type --insecure");
}

/* The same for a run each time that it is started on this host. */
static void name_coordinator(agon__broker* b, const char* run) {
    char host[256] = "", path[PATH_MAX], text[PATH_MAX + 300], hash[AGON_HASH_SIZE];
    gethostname(host, sizeof host - 1);
    if (!realpath(run[0] ? run : ".", path))
        snprintf(path, sizeof path, "%s", run);
    const int size = snprintf(text, sizeof text, "%s\n%s", host, path);
    agon_sha256(text, (size_t)size, hash);
    memcpy(b->id, hash, sizeof b->id - 1);
}

static int open_connection(agon__broker* b, const agon_cluster_def* def, agon_error* error) {
    agon__nats_def n = {
        .loop = agon__coordinator_loop(b->coordinator),
        .name = "agon coordinator",
        .url = b->url,
        .subjects = 3,
        .connected = connected,
        .lost = lost,
        .message = message,
        .drained = drained,
        .complaint = complaint,
        .user = b,
    };
    snprintf(n.tls, sizeof n.tls, "%s", def->tls);
    snprintf(n.token, sizeof n.token, "%s", def->tokens);
    snprintf(n.nkey, sizeof n.nkey, "%s", def->nkey);
    snprintf(n.subject[0], sizeof n.subject[0], "%s", b->answers);
    snprintf(n.subject[1], sizeof n.subject[1], AGON__SUBJECT_TO_CENTRE, b->url.space, b->id, "*",
             "*", "*");
    snprintf(n.subject[2], sizeof n.subject[2], "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.%s.%s",
             b->tasks, b->id);
    return agon__nats_open(&n, false, &b->nats, error);
}

static int open_depot(agon__broker* b, agon_error* error) {
    agon__depot_def d = {.nats = b->nats, .chunk = on_chunk, .done = on_fetched, .user = b};
    snprintf(d.stream, sizeof d.stream, "%s", b->blobs);
    return agon__depot_open(&d, &b->depot, error);
}

static int begin(agon__broker* b, const agon_cluster_def* def, agon_error* error) {
    int rc = agon__url_parse(def->listen, &b->url, error);
    if (!rc)
        rc = check_safety(def, &b->url, error);
    if (!rc)
        rc = agon__random_hex(b->process, error);
    if (rc)
        return rc;
    name_coordinator(b, def->run);
    snprintf(b->tasks, sizeof b->tasks, AGON__STREAM_TASKS, b->url.space);
    snprintf(b->result_stream, sizeof b->result_stream, AGON__STREAM_RESULTS, b->url.space);
    snprintf(b->blobs, sizeof b->blobs, AGON__STREAM_BLOBS, b->url.space);
    snprintf(b->answers, sizeof b->answers, "agon.%s.i.coordinator.%s", b->url.space, b->id);
    return open_connection(b, def, error);
}

int agon__broker_open(agon__coordinator* c, agon__transport* out, agon_error* error) {
    const agon_cluster_def* def = agon__coordinator_def(c);
    agon__broker* b = calloc(1, sizeof *b);
    if (!b)
        return agon_fail(error, AGON_EMEMORY, "no memory for a broker");
    b->coordinator = c;
    b->offers_end = &b->offers;
    int rc = begin(b, def, error);
    if (rc) {
        free_broker(b);
        return rc;
    }
    uv_timer_init(agon__coordinator_loop(c), &b->timer);
    b->timer.data = b;
    uv_timer_start(&b->timer, tick, TICK_MS, TICK_MS);
    *out = (agon__transport){.self = b,
                             .send = send_to,
                             .part = part,
                             .queued = queued,
                             .publish = publish,
                             .shut = shut,
                             .close = close_broker};
    rc = open_depot(b, error);
    if (rc) {
        shut(out);
        uv_run(agon__coordinator_loop(c), UV_RUN_DEFAULT);
        close_broker(out);
        *out = (agon__transport){0};
        return rc;
    }
    snprintf(agon__coordinator_address(c), AGON__ADDRESS, "%.255s", def->listen);
    agon__coordinator_note(c, "waiting for workers: agon worker --connect %s", def->listen);
    return AGON_OK;
}
