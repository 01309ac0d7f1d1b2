/* stream_fixture.h: two ends of a connection over loopback, in one loop. */
#ifndef AGON_TESTS_STREAM_FIXTURE_H
#define AGON_TESTS_STREAM_FIXTURE_H

#include "net/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct end {
    agon__stream* stream; /* NULL: not made, or gone */
    bool opened, closed;
    agon_error why;
    int messages, drained;
    size_t bytes;
    uint32_t next; /* number expected in the next message */
    bool ordered;
    struct pair* pair;
    void (*on_message)(struct end* end, const uint8_t* data, size_t size);
} end;

typedef struct pair {
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_timer_t limit; /* a test that hangs ends itself */
    int port;
    end client, server;
    agon__tls_context *server_tls, *client_tls; /* NULL: plain */
    bool late;
} pair;

static inline void on_opened(void* user, agon__stream* stream) {
    end* e = user;
    assert_false(e->opened);
    assert_ptr_equal(e->stream, stream);
    e->opened = true;
    uv_stop(&e->pair->loop); /* may come just before the loop waits */
}

static inline void on_message(void* user, agon__stream* stream, const uint8_t* data, size_t size) {
    end* e = user;
    uint32_t number;
    assert_true(e->opened && !e->closed);
    assert_true(size >= sizeof number);
    memcpy(&number, data, sizeof number);
    e->ordered = e->ordered && number == e->next++;
    e->messages++;
    e->bytes += size;
    if (e->on_message)
        e->on_message(e, data, size);
}

static inline void on_drained(void* user, agon__stream* stream) {
    ((end*)user)->drained++;
}

static inline void on_closed(void* user, agon__stream* stream, const agon_error* why) {
    end* e = user;
    assert_false(e->closed);
    e->closed = true;
    e->stream = NULL;
    e->why = *why;
}

static inline agon__stream_def def_of(pair* p, end* e) {
    return (agon__stream_def){.loop = &p->loop,
                              .opened = on_opened,
                              .message = on_message,
                              .drained = on_drained,
                              .closed = on_closed,
                              .user = e};
}

static inline void on_connection(uv_stream_t* listener, int status) {
    pair* p = listener->data;
    agon__stream_def def = def_of(p, &p->server);
    def.tls = p->server_tls;
    assert_int_equal(status, 0);
    assert_int_equal(agon__stream_accept(listener, &def, &p->server.stream, NULL), AGON_OK);
}

static inline void on_limit(uv_timer_t* timer) {
    ((pair*)timer->data)->late = true;
}

static inline int pair_setup(void** state) {
    pair* p = calloc(1, sizeof *p);
    struct sockaddr_in address;
    int length = sizeof address;
    uv_loop_init(&p->loop);
    uv_tcp_init(&p->loop, &p->listener);
    uv_timer_init(&p->loop, &p->limit);
    p->listener.data = p->limit.data = p;
    p->client.pair = p->server.pair = p;
    p->client.ordered = p->server.ordered = true;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_bind(&p->listener, (struct sockaddr*)&address, 0);
    uv_listen((uv_stream_t*)&p->listener, 8, on_connection);
    uv_tcp_getsockname(&p->listener, (struct sockaddr*)&address, &length);
    p->port = ntohs(address.sin_port);
    uv_timer_start(&p->limit, on_limit, 10000, 0);
    uv_unref((uv_handle_t*)&p->limit);
    *state = p;
    return 0;
}

static inline int pair_teardown(void** state) {
    pair* p = *state;
    for (end* e = &p->client; e; e = e == &p->client ? &p->server : NULL)
        if (e->stream)
            agon__stream_hang_up(e->stream, NULL);
    uv_close((uv_handle_t*)&p->listener, NULL);
    uv_close((uv_handle_t*)&p->limit, NULL);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    const int rc = uv_loop_close(&p->loop);
    free(p);
    return rc;
}

static inline void join(pair* p) {
    agon__stream_def def = def_of(p, &p->client);
    def.tls = p->client_tls;
    assert_int_equal(agon__stream_connect("127.0.0.1", p->port, &def, &p->client.stream, NULL),
                     AGON_OK);
    while (!(p->client.opened && p->server.opened) && !p->late)
        uv_run(&p->loop, UV_RUN_ONCE);
    assert_false(p->late);
}

/* Runs until both ends are gone. */
static inline void run_out(pair* p) {
    while (!(p->client.closed && p->server.closed) && !p->late)
        uv_run(&p->loop, UV_RUN_ONCE);
    assert_false(p->late);
}

static inline void run_for(pair* p, int ms) {
    const uint64_t end = uv_hrtime() + (uint64_t)ms * 1000000;
    while (uv_hrtime() < end) {
        uv_run(&p->loop, UV_RUN_NOWAIT);
        usleep(500);
    }
}

static inline void send_number(agon__stream* stream, uint32_t number, size_t size) {
    uint8_t* data = calloc(1, size);
    memcpy(data, &number, sizeof number);
    agon__stream_send(stream, data, size);
    free(data);
}

#endif
