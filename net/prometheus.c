#include "net/prometheus.h"

#include "net/http.h"
#include "net/url.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

typedef struct visitor visitor;

struct agon__prometheus {
    uv_tcp_t listener;
    void (*fill)(void* user, FILE* out);
    void* user;
    visitor *oldest, *newest; /* that are not being closed */
    int visitors;
    bool shut;
};

/* One connection: it asks, is answered once, and what it says afterwards is not looked at. */
struct visitor {
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_write_t write;
    uv_shutdown_t end;
    agon__prometheus* owner;
    visitor *older, *newer;
    int handles; /* not closed yet */
    bool answered, written, over, closing;
    char* answer; /* owned */
    size_t asked;
    char request[AGON__HTTP_REQUEST];
    char rest[512]; /* what comes after the request */
};

/* ---- visitors come and go ----------------------------------------------------------------- */

static void unlist(visitor* v) {
    agon__prometheus* p = v->owner;
    *(v->older ? &v->older->newer : &p->oldest) = v->newer;
    *(v->newer ? &v->newer->older : &p->newest) = v->older;
    p->visitors--;
}

static void handle_closed(uv_handle_t* handle) {
    visitor* v = handle->data;
    if (--v->handles)
        return;
    free(v->answer);
    free(v);
}

static void part(visitor* v) {
    if (v->closing)
        return;
    v->closing = true;
    unlist(v);
    uv_close((uv_handle_t*)&v->tcp, handle_closed);
    uv_close((uv_handle_t*)&v->timer, handle_closed);
}

static void out_of_time(uv_timer_t* timer) {
    part(timer->data);
}

/* ---- answering ---------------------------------------------------------------------------- */

static void ended(uv_shutdown_t* request, int status) {
    visitor* v = request->data;
    if (status < 0 || v->over)
        part(v);
}

/* Closing while it still talks could take the answer back: first it hears that nothing follows. */
static void written(uv_write_t* request, int status) {
    visitor* v = request->data;
    v->written = true;
    if (v->closing)
        return;
    if (status < 0 || v->over || uv_shutdown(&v->end, (uv_stream_t*)&v->tcp, ended) != 0)
        part(v);
}

static int body_of(visitor* v, const agon__http_request* request, FILE* out) {
    if (strcmp(request->path, "/metrics") == 0)
        v->owner->fill(v->owner->user, out);
    else if (strcmp(request->path, "/healthz") == 0)
        fputs("ok\n", out);
    else
        return 404;
    return 200;
}

/* *body: malloc'd. Returns the status, 500 without memory. */
static int make_body(visitor* v, int status, const agon__http_request* request, char** body,
                     size_t* size) {
    FILE* out = open_memstream(body, size);
    if (!out)
        return 500;
    if (status == 200)
        status = body_of(v, request, out);
    if (status != 200)
        fprintf(out, "%d %s\n", status, agon__http_reason(status));
    const bool failed = ferror(out);
    if (fclose(out) != 0 || failed)
        return 500;
    return status;
}

static void answer(visitor* v, int status, const agon__http_request* request) {
    char *body = NULL, *all = NULL;
    size_t size = 0;
    status = make_body(v, status, request, &body, &size);
    const size_t sent = request->head || !body ? 0 : size;
    v->answered = true;
    v->answer = all = malloc(512 + sent);
    if (!all || status == 500) {
        free(body);
        part(v);
        return;
    }
    int used = snprintf(all, 512,
                        "HTTP/1.1 %d %s\r\nContent-Type: text/plain; version=0.0.4; "
                        "charset=utf-8\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
                        "X-Content-Type-Options: nosniff\r\n%sConnection: close\r\n\r\n",
                        status, agon__http_reason(status), size,
                        status == 405 ? "Allow: GET, HEAD\r\n" : "");
    if (sent)
        memcpy(all + used, body, sent);
    free(body);
    const uv_buf_t buffer = uv_buf_init(all, (unsigned)((size_t)used + sent));
    if (uv_write(&v->write, (uv_stream_t*)&v->tcp, &buffer, 1, written) != 0)
        part(v);
}

/* ---- asking ------------------------------------------------------------------------------- */

static void give_room(uv_handle_t* handle, size_t wanted, uv_buf_t* out) {
    visitor* v = handle->data;
    *out = v->answered
               ? uv_buf_init(v->rest, sizeof v->rest)
               : uv_buf_init(v->request + v->asked, (unsigned)(sizeof v->request - v->asked));
}

static void heard(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
    visitor* v = stream->data;
    agon__http_request request = {0};
    if (size < 0) {
        v->over = true;
        if (size != UV_EOF || !v->answered || v->written)
            part(v);
        return;
    }
    if (v->answered)
        return;
    v->asked += (size_t)size;
    int status = agon__http_parse(v->request, v->asked, &request);
    if (!status && v->asked == sizeof v->request)
        status = 400;
    if (status)
        answer(v, status, &request);
}

static void receive(uv_stream_t* listener, int status) {
    agon__prometheus* p = listener->data;
    visitor* v = status < 0 ? NULL : calloc(1, sizeof *v);
    if (!v)
        return;
    uv_tcp_init(listener->loop, &v->tcp);
    uv_timer_init(listener->loop, &v->timer);
    v->tcp.data = v->timer.data = v->write.data = v->end.data = v;
    v->owner = p;
    v->handles = 2;
    v->older = p->newest;
    *(p->newest ? &p->newest->newer : &p->oldest) = v;
    p->newest = v;
    p->visitors++;
    if (uv_accept(listener, (uv_stream_t*)&v->tcp) != 0 ||
        uv_timer_start(&v->timer, out_of_time, AGON__HTTP_PATIENCE, 0) != 0 ||
        uv_read_start((uv_stream_t*)&v->tcp, give_room, heard) != 0)
        part(v);
    else if (p->visitors > AGON__HTTP_CONNECTIONS)
        part(p->oldest);
}

/* ---- opening and closing ------------------------------------------------------------------ */

static int refuse(const char* where, const char* problem, agon_error* error) {
    agon_fail(error, AGON_EINVALID, "metrics cannot be shown at '%.100s': %s", where, problem);
    return agon_hint(error, "for example machine.metrics=127.0.0.1:9464, or [::1]:9464");
}

static int read_where(const char* where, agon__url* out, agon_error* error) {
    char text[300];
    const char* colon = strrchr(where, ':');
    snprintf(text, sizeof text, "tcp://%s", where);
    if (strlen(where) > 255 || strchr(where, '/') || !colon || !colon[1] ||
        colon[1 + strspn(colon + 1, "0123456789")] || agon__url_parse(text, out, NULL) != AGON_OK)
        return refuse(where, "expected HOST:PORT", error);
    return AGON_OK;
}

static int find_address(const char* where, const agon__url* url, struct sockaddr_storage* out,
                        agon_error* error) {
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo* found = NULL;
    char port[16];
    snprintf(port, sizeof port, "%d", url->port);
    const int rc = getaddrinfo(url->host, port, &hints, &found);
    if (rc != 0)
        return refuse(where, gai_strerror(rc), error);
    memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return AGON_OK;
}

static void listener_closed(uv_handle_t* handle) {
    free(handle->data);
}

int agon__prometheus_open(uv_loop_t* loop, const char* where, void (*fill)(void* user, FILE* out),
                          void* user, agon__prometheus** out, agon_error* error) {
    agon__url url;
    struct sockaddr_storage address;
    int rc = read_where(where, &url, error);
    if (!rc)
        rc = find_address(where, &url, &address, error);
    if (rc)
        return rc;
    agon__prometheus* p = calloc(1, sizeof *p);
    if (!p)
        return agon_fail(error, AGON_EMEMORY, "no memory to show metrics");
    p->fill = fill;
    p->user = user;
    p->listener.data = p;
    uv_tcp_init(loop, &p->listener);
    rc = uv_tcp_bind(&p->listener, (const struct sockaddr*)&address, 0);
    if (!rc)
        rc = uv_listen((uv_stream_t*)&p->listener, SOMAXCONN, receive);
    if (rc) {
        uv_close((uv_handle_t*)&p->listener, listener_closed);
        return refuse(where, uv_strerror(rc), error);
    }
    *out = p;
    return AGON_OK;
}

int agon__prometheus_port(const agon__prometheus* p) {
    struct sockaddr_storage address;
    int size = sizeof address;
    if (uv_tcp_getsockname(&p->listener, (struct sockaddr*)&address, &size) != 0)
        return -1;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6*)&address)->sin6_port
                                               : ((struct sockaddr_in*)&address)->sin_port);
}

void agon__prometheus_shut(agon__prometheus* p) {
    if (p->shut)
        return;
    p->shut = true;
    uv_close((uv_handle_t*)&p->listener, NULL);
    while (p->oldest)
        part(p->oldest);
}

void agon__prometheus_close(agon__prometheus* p) {
    free(p);
}
