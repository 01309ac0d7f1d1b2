/* stream.c: see stream.h. A connection's life: made, connected, open, ending, gone. */
#include "net/stream_internal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    READ_SIZE = 128 << 10, /* bytes taken from the kernel at a time */
    SHAKE_MS = 5000,       /* for a TLS handshake */
    ENDING_MS = 1000,      /* for the last bytes */
    KEEPALIVE_S = 30       /* seconds of silence before the kernel asks whether anyone is there */
};

/* What is read is used before the loop goes on, so that a thread's streams share these. */
static _Thread_local uint8_t wire_bytes[READ_SIZE], plain_bytes[READ_SIZE];
static _Thread_local int streams; /* of this thread, that are not freed */

/* ---- the end ------------------------------------------------------------------------------ */

void agon__stream_release(agon__stream* s) {
    if (--s->holds > 0)
        return;
    if (!s->silent)
        s->def.closed(s->def.user, s, &s->why);
    agon__dial_close(s);
    agon__tls_close(s->tls);
    agon__frames_clear(&s->frames);
    agon__stream_free_queue(s, --streams == 0);
    free(s);
}

static void on_closed(uv_handle_t* handle) {
    agon__stream_release(handle->data);
}

static void vanish(agon__stream* s) {
    assert(s->stage != AGON__STAGE_GONE);
    s->stage = AGON__STAGE_GONE;
    if (s->dial)
        uv_cancel((uv_req_t*)&s->dial->lookup); /* one that is over already stays so */
    if (!uv_is_closing((uv_handle_t*)&s->tcp))
        uv_close((uv_handle_t*)&s->tcp, on_closed);
    uv_close((uv_handle_t*)&s->timer, on_closed);
    uv_close((uv_handle_t*)&s->prepare, on_closed);
}

/* The first reason is the one that counts. */
static void remember(agon__stream* s, const agon_error* why) {
    if (s->stage != AGON__STAGE_ENDING && why)
        s->why = *why;
}

void agon__stream_fail_with(agon__stream* s, const agon_error* why) {
    if (s->stage == AGON__STAGE_GONE)
        return;
    remember(s, why);
    vanish(s);
}

void agon__stream_fail(agon__stream* s, int code, const char* format, ...) {
    agon_error why;
    char text[sizeof why.text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    agon_fail(&why, code, "%s", text);
    agon__stream_fail_with(s, &why);
}

static void on_ending_late(uv_timer_t* timer) {
    vanish(timer->data);
}

static void on_shutdown(uv_shutdown_t* request, int status) {
    agon__stream* s = request->data;
    if (s->stage == AGON__STAGE_ENDING && (status < 0 || s->ended))
        vanish(s);
    agon__stream_release(s);
}

/* Closing with bytes unread would make the kernel throw away what the other side has not read yet:
 * so this side only stops sending, and waits until the other does the same. */
void agon__stream_finish(agon__stream* s) {
    if (s->ended) {
        vanish(s);
        return;
    }
    if (s->told)
        return;
    s->told = true;
    s->shutdown.data = s;
    if (uv_shutdown(&s->shutdown, (uv_stream_t*)&s->tcp, on_shutdown) < 0)
        vanish(s);
    else
        s->holds++;
}

static void start_reading(agon__stream* s);

void agon__stream_hang_up(agon__stream* s, const agon_error* why) {
    if (s->stage == AGON__STAGE_ENDING || s->stage == AGON__STAGE_GONE)
        return;
    remember(s, why);
    if (s->stage == AGON__STAGE_REACHING) {
        vanish(s);
        return;
    }
    s->stage = AGON__STAGE_ENDING;
    uv_timer_start(&s->timer, on_ending_late, ENDING_MS, 0);
    start_reading(s);
    agon__stream_flush(s);
}

/* ---- patience ----------------------------------------------------------------------------- */

static void on_frame_late(uv_timer_t* timer) {
    agon__stream* s = timer->data;
    agon__stream_fail(s, AGON_ELIMIT, "%s began a message and did not end it within %d ms",
                      s->address, s->patience_ms);
}

/* The clock runs while a message is on its way, and anew for each. */
static void watch(agon__stream* s) {
    if (s->stage != AGON__STAGE_OPEN)
        return;
    if (s->paused || s->patience_ms == 0 || !agon__frames_waiting(&s->frames))
        uv_timer_stop(&s->timer);
    else if (s->advanced || !uv_is_active((uv_handle_t*)&s->timer))
        uv_timer_start(&s->timer, on_frame_late, (uint64_t)s->patience_ms, 0);
    s->advanced = false;
}

static void on_shake_late(uv_timer_t* timer) {
    agon__stream* s = timer->data;
    agon__stream_fail(s, AGON_ELIMIT, "%s did not finish the TLS handshake within %d ms",
                      s->address, SHAKE_MS);
}

/* ---- reading ------------------------------------------------------------------------------ */

static void pause_if_full(agon__stream* s) {
    if (s->stage != AGON__STAGE_OPEN || agon__stream_queued(s) <= AGON__STREAM_QUEUE)
        return;
    s->paused = true;
    uv_read_stop((uv_stream_t*)&s->tcp);
}

/* Whole messages, until there are none, or the other side has enough to read itself. */
static void hand_out(agon__stream* s) {
    const uint8_t* data;
    size_t size;
    while (s->stage == AGON__STAGE_OPEN && !s->paused &&
           agon__frames_next(&s->frames, &data, &size)) {
        s->advanced = true;
        s->def.message(s->def.user, s, data, size);
        pause_if_full(s);
    }
}

static void add_frames(agon__stream* s, const uint8_t* data, size_t size) {
    agon_error error;
    if (agon__frames_add(&s->frames, data, size, &error))
        agon__stream_fail(s, error.code, "%s: %s", s->address, error.text);
}

void agon__stream_pump(agon__stream* s) {
    agon_error error;
    for (;;) {
        size_t got = 0;
        hand_out(s);
        if (!s->tls || s->paused || s->stage != AGON__STAGE_OPEN)
            break;
        if (agon__tls_read(s->tls, plain_bytes, sizeof plain_bytes, &got, &error)) {
            agon__stream_hang_up(s, &error);
            return;
        }
        if (!got)
            break;
        add_frames(s, plain_bytes, got);
    }
    pause_if_full(s);
    watch(s);
}

static void open_up(agon__stream* s) {
    s->stage = AGON__STAGE_OPEN;
    uv_timer_stop(&s->timer);
    if (s->tls)
        agon__tls_peer(s->tls, s->certificate, sizeof s->certificate);
    if (s->pending.used)
        agon__stream_schedule(s);
    s->def.opened(s->def.user, s);
}

static void take_sealed(agon__stream* s, const uint8_t* data, size_t size) {
    agon_error error;
    int rc = agon__tls_receive(s->tls, data, size, &error);
    if (!rc)
        rc = agon__tls_step(s->tls, &error);
    if (rc) {
        agon__stream_hang_up(s, &error);
        return;
    }
    if (s->stage == AGON__STAGE_SHAKING && agon__tls_ready(s->tls))
        open_up(s);
    agon__stream_pump(s);
    if (s->stage != AGON__STAGE_GONE && agon__tls_held(s->tls))
        agon__stream_schedule(s);
}

static void on_end(agon__stream* s, ssize_t status) {
    s->ended = true;
    if (s->stage == AGON__STAGE_ENDING) {
        uv_read_stop((uv_stream_t*)&s->tcp);
        if (status != UV_EOF || s->told)
            vanish(s);
    } else if (status != UV_EOF) {
        agon__stream_fail(s, AGON_EIO, "%s: %s", s->address, uv_strerror((int)status));
    } else if (s->stage == AGON__STAGE_SHAKING) {
        agon__stream_fail(s, AGON_EIO,
                          "%s ended the connection during the TLS handshake: does it speak TLS?",
                          s->address);
    } else if (agon__frames_waiting(&s->frames)) {
        agon__stream_fail(s, AGON_EIO, "%s ended the connection within a message", s->address);
    } else {
        agon__stream_fail_with(s, NULL);
    }
}

static void on_read(uv_stream_t* tcp, ssize_t got, const uv_buf_t* buffer) {
    agon__stream* s = tcp->data;
    if (got < 0) {
        on_end(s, got);
    } else if (got > 0 && s->stage != AGON__STAGE_ENDING) {
        const uint8_t* data = (const uint8_t*)buffer->base;
        if (s->tls) {
            take_sealed(s, data, (size_t)got);
        } else {
            add_frames(s, data, (size_t)got);
            agon__stream_pump(s);
        }
    }
}

static void on_room(uv_handle_t* handle, size_t suggested, uv_buf_t* out) {
    *out = uv_buf_init((char*)wire_bytes, sizeof wire_bytes);
}

static void start_reading(agon__stream* s) {
    s->paused = false;
    const int rc = uv_read_start((uv_stream_t*)&s->tcp, on_room, on_read);
    if (rc < 0 && rc != UV_EALREADY)
        agon__stream_fail(s, AGON_EIO, "reading from %s: %s", s->address, uv_strerror(rc));
}

void agon__stream_resume(agon__stream* s) {
    s->paused = false;
    agon__stream_pump(s);
    if (s->stage == AGON__STAGE_OPEN && !s->paused)
        start_reading(s);
}

/* ---- the beginning ------------------------------------------------------------------------ */

int agon__stream_make(const agon__stream_def* def, const char* host, agon__stream** out,
                      agon_error* error) {
    agon__stream* s = calloc(1, sizeof *s);
    if (!s)
        return agon_fail(error, AGON_EMEMORY, "no memory for a connection");
    const int rc = def->tls ? agon__tls_open(def->tls, host, &s->tls, error) : AGON_OK;
    if (rc) {
        free(s);
        return rc;
    }
    s->def = *def;
    s->frames.limit = AGON__FRAME_MAX;
    uv_tcp_init(def->loop, &s->tcp);
    uv_timer_init(def->loop, &s->timer);
    uv_prepare_init(def->loop, &s->prepare);
    s->tcp.data = s->timer.data = s->prepare.data = s;
    s->holds = 3;
    streams++;
    *out = s;
    return AGON_OK;
}

void agon__stream_connected(agon__stream* s) {
    agon_error error;
    uv_tcp_nodelay(&s->tcp, 1);
    uv_tcp_keepalive(&s->tcp, 1, KEEPALIVE_S);
    start_reading(s);
    if (s->stage == AGON__STAGE_GONE)
        return;
    s->stage = AGON__STAGE_SHAKING;
    if (!s->tls) {
        open_up(s);
        return;
    }
    uv_timer_start(&s->timer, on_shake_late, SHAKE_MS, 0);
    if (agon__tls_step(s->tls, &error))
        agon__stream_hang_up(s, &error);
    else
        agon__stream_flush(s);
}

/* "10.0.0.7:41234", "[::1]:41234". */
static void describe(agon__stream* s) {
    struct sockaddr_storage address;
    int length = sizeof address;
    char host[64] = "?";
    if (uv_tcp_getpeername(&s->tcp, (struct sockaddr*)&address, &length) < 0) {
        snprintf(s->address, sizeof s->address, "?");
    } else if (address.ss_family == AF_INET6) {
        const struct sockaddr_in6* v6 = (const struct sockaddr_in6*)&address;
        uv_ip6_name(v6, host, sizeof host);
        snprintf(s->address, sizeof s->address, "[%s]:%d", host, ntohs(v6->sin6_port));
    } else {
        const struct sockaddr_in* v4 = (const struct sockaddr_in*)&address;
        uv_ip4_name(v4, host, sizeof host);
        snprintf(s->address, sizeof s->address, "%s:%d", host, ntohs(v4->sin_port));
    }
}

int agon__stream_accept(uv_stream_t* listener, const agon__stream_def* def, agon__stream** out,
                        agon_error* error) {
    agon__stream* s;
    int rc = agon__stream_make(def, NULL, &s, error);
    if (rc)
        return rc;
    rc = uv_accept(listener, (uv_stream_t*)&s->tcp);
    if (rc < 0) {
        s->silent = true;
        vanish(s);
        return agon_fail(error, AGON_EIO, "cannot take a connection: %s", uv_strerror(rc));
    }
    describe(s);
    s->stage = AGON__STAGE_SHAKING;
    if (s->tls)
        agon__stream_connected(s);
    else
        agon__stream_schedule(s); /* the caller has its stream before it hears of it */
    *out = s;
    return AGON_OK;
}

/* ---- small things ------------------------------------------------------------------------- */

void agon__stream_set_user(agon__stream* s, void* user) {
    s->def.user = user;
}

void agon__stream_limit(agon__stream* s, size_t limit, int patience_ms) {
    s->frames.limit = limit;
    s->patience_ms = patience_ms;
    watch(s);
}

const char* agon__stream_address(const agon__stream* s) {
    return s->address;
}

const char* agon__stream_certificate(const agon__stream* s) {
    return s->certificate;
}
