/* stream_connect.c: from a host's name to a connection, one address after the other. */
#include "net/stream_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REACH_MS = 10000 }; /* to find and reach a host, all its addresses together */

static void try_next(agon__stream* s);

static void give_up(agon__stream* s) {
    agon_error why;
    agon_fail(&why, AGON_EIO, "cannot connect to %s: %s", s->address, uv_strerror(s->dial->reason));
    agon_hint(&why, "is the coordinator running, and does it listen on this address? A firewall "
                    "may be in between");
    agon__stream_fail_with(s, &why);
}

/* libuv wants a new handle for every try. */
static void on_closed_try(uv_handle_t* handle) {
    agon__stream* s = handle->data;
    if (s->stage == AGON__STAGE_REACHING) {
        uv_tcp_init(s->def.loop, &s->tcp);
        s->holds++;
        try_next(s);
    }
    agon__stream_release(s);
}

static void on_connect(uv_connect_t* request, int status) {
    agon__stream* s = request->data;
    if (s->stage == AGON__STAGE_REACHING && status < 0) {
        s->dial->reason = status;
        if (s->dial->next)
            uv_close((uv_handle_t*)&s->tcp, on_closed_try);
        else
            give_up(s);
    } else if (s->stage == AGON__STAGE_REACHING) {
        uv_timer_stop(&s->timer);
        agon__stream_connected(s);
    }
    agon__stream_release(s);
}

static void try_next(agon__stream* s) {
    agon__dial* dial = s->dial;
    while (dial->next) {
        const struct sockaddr* address = dial->next->ai_addr;
        dial->next = dial->next->ai_next;
        dial->connect.data = s;
        dial->reason = uv_tcp_connect(&dial->connect, &s->tcp, address, on_connect);
        if (dial->reason == 0) {
            s->holds++;
            return;
        }
    }
    give_up(s);
}

static void on_lookup(uv_getaddrinfo_t* request, int status, struct addrinfo* list) {
    agon__stream* s = request->data;
    agon_error why;
    s->dial->list = s->dial->next = list;
    if (s->stage == AGON__STAGE_REACHING && status < 0) {
        agon_fail(&why, AGON_EIO, "there is no host '%s': %s", s->dial->host, uv_strerror(status));
        agon_hint(&why, "check its spelling, or give its address");
        agon__stream_fail_with(s, &why);
    } else if (s->stage == AGON__STAGE_REACHING) {
        try_next(s);
    }
    agon__stream_release(s);
}

static void on_late(uv_timer_t* timer) {
    agon__stream* s = timer->data;
    s->dial->reason = UV_ETIMEDOUT;
    give_up(s);
}

static int begin(agon__stream* s, agon_error* error) {
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char service[16];
    snprintf(service, sizeof service, "%d", s->dial->port);
    s->dial->lookup.data = s;
    const int rc =
        uv_getaddrinfo(s->def.loop, &s->dial->lookup, on_lookup, s->dial->host, service, &hints);
    if (rc < 0)
        return agon_fail(error, AGON_EIO, "cannot look up host '%s': %s", s->dial->host,
                         uv_strerror(rc));
    s->holds++;
    uv_timer_start(&s->timer, on_late, REACH_MS, 0);
    return AGON_OK;
}

int agon__stream_connect(const char* host, int port, const agon__stream_def* def,
                         agon__stream** out, agon_error* error) {
    agon__stream* s;
    agon__dial* dial = calloc(1, sizeof *dial);
    if (!dial)
        return agon_fail(error, AGON_EMEMORY, "no memory for a connection");
    const int length = snprintf(dial->host, sizeof dial->host, "%s", host);
    int rc = length < 0 || (size_t)length >= sizeof dial->host
                 ? agon_fail(error, AGON_EINVALID,
                             "host %.60s... has %d letters, at most %zu are "
                             "allowed",
                             host, length, sizeof dial->host - 1)
                 : agon__stream_make(def, host, &s, error);
    if (rc) {
        free(dial);
        return rc;
    }
    dial->port = port;
    s->dial = dial;
    snprintf(s->address, sizeof s->address, strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, port);
    rc = begin(s, error);
    if (rc) {
        s->silent = true;
        agon__stream_fail(s, rc, "it did not begin");
        return rc;
    }
    *out = s;
    return AGON_OK;
}

void agon__dial_close(agon__stream* s) {
    if (!s->dial)
        return;
    uv_freeaddrinfo(s->dial->list);
    free(s->dial);
}
