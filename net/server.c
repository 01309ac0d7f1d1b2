/* server.c: workers that connect by TCP, with or without TLS. */
#include "net/access.h"
#include "net/stream.h"
#include "net/transport.h"
#include "net/url.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STRANGERS                                                                             \
    64 /* connections that have not proved who they are; then the oldest goes                      \
        */
#define MOST_PEERS  16384
#define HELLO_LIMIT (16u << 10) /* bytes of a stranger's message */
#define HELLO_MS    5000
#define FRAME_MS    30000

typedef struct server server;

typedef struct peer {
    struct peer *before, *next; /* in its line */
    server* server;
    agon__stream* stream;
    agon__session* session; /* NULL: it has ended */
    bool known, leaving;    /* its session is ready; it was dismissed */
    uint64_t since;         /* milliseconds of the loop */
} peer;

/* The youngest first. */
typedef struct line {
    peer *youngest, *oldest;
    int count;
} line;

struct server {
    agon__coordinator* coordinator;
    uv_tcp_t listener;
    uv_timer_t watch;
    agon__tls_context* tls;
    line strangers, workers, leaving;
    bool shut;
};

/* ---- peers -------------------------------------------------------------------------------- */

static line* line_of(peer* p) {
    server* s = p->server;
    return p->leaving ? &s->leaving : p->known ? &s->workers : &s->strangers;
}

static void leave_line(peer* p) {
    line* l = line_of(p);
    if (p->before)
        p->before->next = p->next;
    else
        l->youngest = p->next;
    if (p->next)
        p->next->before = p->before;
    else
        l->oldest = p->before;
    l->count--;
}

static void join_line(peer* p) {
    line* l = line_of(p);
    p->before = NULL;
    p->next = l->youngest;
    if (p->next)
        p->next->before = p;
    else
        l->oldest = p;
    l->youngest = p;
    l->count++;
}

static void dismiss(peer* p, const char* text) {
    agon_error why = {0};
    if (text)
        agon_fail(&why, AGON_ELIMIT, "%s", text);
    leave_line(p);
    p->leaving = true;
    join_line(p);
    if (p->session) {
        agon__session* session = p->session;
        p->session = NULL;
        agon__session_close(session);
    }
    if (p->stream)
        agon__stream_hang_up(p->stream, &why);
}

/* So that those who connect and say nothing cannot keep others out. */
static void make_room(server* s) {
    if (s->strangers.count > MOST_STRANGERS)
        dismiss(s->strangers.oldest, "it did not say who it is while many others came");
}

static void on_opened(void* user, agon__stream* stream) {
    peer* p = user;
    p->session = agon__session_open(p->server->coordinator, p, agon__stream_address(stream),
                                    agon__stream_certificate(stream));
    if (!p->session)
        dismiss(p, "out of memory");
}

static void on_message(void* user, agon__stream* stream, const uint8_t* data, size_t size) {
    peer* p = user;
    if (!p->session)
        return;
    agon__session_message(p->session, data, size);
    if (p->known || !p->session || !agon__session_ready(p->session))
        return;
    leave_line(p);
    p->known = true;
    join_line(p);
    agon__stream_limit(stream, AGON__FRAME_MAX, FRAME_MS);
}

static void on_drained(void* user, agon__stream* stream) {
    peer* p = user;
    (void)stream;
    if (p->session)
        agon__session_drained(p->session);
}

static void on_closed(void* user, agon__stream* stream, const agon_error* why) {
    peer* p = user;
    (void)stream;
    if (why->code && p->known)
        agon__coordinator_note(p->server->coordinator, "a worker's connection ended: %s",
                               why->text);
    p->stream = NULL;
    dismiss(p, NULL);
    leave_line(p);
    free(p);
}

static void on_connection(uv_stream_t* listener, int status) {
    server* s = listener->data;
    agon_error error;
    peer* p = status == 0 ? calloc(1, sizeof *p) : NULL;
    if (!p)
        return;
    const agon__stream_def def = {
        .loop = agon__coordinator_loop(s->coordinator),
        .tls = s->tls,
        .opened = on_opened,
        .message = on_message,
        .drained = on_drained,
        .closed = on_closed,
        .user = p,
    };
    p->server = s;
    p->since = uv_now(def.loop);
    join_line(p);
    if (agon__stream_accept(listener, &def, &p->stream, &error) != AGON_OK) {
        leave_line(p);
        free(p);
        return;
    }
    agon__stream_limit(p->stream, HELLO_LIMIT, HELLO_MS);
    if (s->strangers.count + s->workers.count + s->leaving.count > MOST_PEERS)
        dismiss(p, "too many workers");
    make_room(s);
}

/* A stranger that speaks, but does not come to the point. */
static void on_watch(uv_timer_t* timer) {
    server* s = timer->data;
    const uint64_t now = uv_now(timer->loop);
    for (peer* p; (p = s->strangers.oldest) && now - p->since > HELLO_MS;)
        dismiss(p, "it did not say who it is in time");
}

/* ---- the transport ------------------------------------------------------------------------ */

static void send_to(agon__transport* t, void* to, const agon__message* message) {
    peer* p = to;
    agon_error error;
    (void)t;
    if (!p->stream || !agon__stream_begin(p->stream))
        return;
    const int rc = agon__message_encode_to(message, agon__stream_add, p->stream, &error);
    agon__stream_end(p->stream, rc == AGON_OK);
    if (rc)
        agon__coordinator_note(p->server->coordinator, "a message was not sent: %s", error.text);
}

static void part(agon__transport* t, void* to) {
    peer* p = to;
    (void)t;
    p->session = NULL;
    dismiss(p, NULL);
}

static size_t queued(agon__transport* t, void* to) {
    const peer* p = to;
    (void)t;
    return p->stream ? agon__stream_queued(p->stream) : 0;
}

static void shut(agon__transport* t) {
    server* s = t->self;
    s->shut = true;
    while (s->strangers.oldest)
        dismiss(s->strangers.oldest, NULL);
    while (s->workers.oldest)
        dismiss(s->workers.oldest, NULL);
    uv_close((uv_handle_t*)&s->listener, NULL);
    uv_close((uv_handle_t*)&s->watch, NULL);
}

static void close_server(agon__transport* t) {
    server* s = t->self;
    agon__tls_context_close(s->tls);
    free(s);
}

/* ---- listening ---------------------------------------------------------------------------- */

static int resolve(const agon__url* url, struct sockaddr_storage* out, agon_error* error) {
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo* found = NULL;
    char port[16];
    snprintf(port, sizeof port, "%d", url->port);
    const int rc = getaddrinfo(url->host, port, &hints, &found);
    if (rc)
        return agon_fail(error, AGON_EINVALID, "'%s' is no address of this machine: %s", url->host,
                         gai_strerror(rc));
    memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return AGON_OK;
}

static int bind_and_listen(server* s, const agon__url* url, agon_error* error) {
    struct sockaddr_storage address;
    int rc = resolve(url, &address, error);
    if (rc)
        return rc;
    rc = uv_tcp_bind(&s->listener, (const struct sockaddr*)&address, 0);
    if (!rc)
        rc = uv_listen((uv_stream_t*)&s->listener, 1024, on_connection);
    if (!rc)
        return AGON_OK;
    agon_fail(error, AGON_EIO, "cannot listen on %s port %d: %s", url->host, url->port,
              uv_strerror(rc));
    if (rc == UV_EADDRINUSE)
        agon_hint(error, "is another run listening there? use another port");
    return AGON_EIO;
}

/* With the port that was chosen where none was asked for. */
static void announce(server* s, const agon__url* url) {
    struct sockaddr_storage address;
    int length = sizeof address;
    int port = url->port;
    if (uv_tcp_getsockname(&s->listener, (struct sockaddr*)&address, &length) == 0)
        port = ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6*)&address)->sin6_port
                                                   : ((struct sockaddr_in*)&address)->sin_port);
    const bool v6 = strchr(url->host, ':') != NULL;
    snprintf(agon__coordinator_address(s->coordinator), AGON__ADDRESS, "%s://%s%s%s:%d",
             url->scheme == AGON__TLS ? "tls" : "tcp", v6 ? "[" : "", url->host, v6 ? "]" : "",
             port);
    agon__coordinator_note(s->coordinator, "waiting for workers: agon worker --connect %s",
                           agon__coordinator_address(s->coordinator));
}

int agon__server_open(agon__coordinator* c, agon__transport* out, agon_error* error) {
    const agon_cluster_def* def = agon__coordinator_def(c);
    agon__tls_context* tls = NULL;
    agon__url url;
    int rc = agon__url_parse(def->listen, &url, error);
    if (!rc)
        rc = agon__server_tls(def, &url, &tls, error);
    server* s = rc ? NULL : calloc(1, sizeof *s);
    if (!s) {
        agon__tls_context_close(tls);
        return rc ? rc : agon_fail(error, AGON_EMEMORY, "no memory for a server");
    }
    s->coordinator = c;
    s->tls = tls;
    uv_tcp_init(agon__coordinator_loop(c), &s->listener);
    uv_timer_init(agon__coordinator_loop(c), &s->watch);
    s->listener.data = s->watch.data = s;
    *out = (agon__transport){.self = s,
                             .send = send_to,
                             .part = part,
                             .queued = queued,
                             .shut = shut,
                             .close = close_server};
    rc = bind_and_listen(s, &url, error);
    if (rc) {
        shut(out);
        uv_run(agon__coordinator_loop(c), UV_RUN_DEFAULT); /* until they are closed */
        close_server(out);
        *out = (agon__transport){0};
        return rc;
    }
    uv_timer_start(&s->watch, on_watch, 1000, 1000);
    announce(s, &url);
    return AGON_OK;
}
