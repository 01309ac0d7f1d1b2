/* stream.h: a connection that carries frames, over TCP with or without TLS, on a libuv loop.
 *
 * Bounded on both sides: reading stops while the other does not take what is written to it, a frame
 * that does not arrive whole in time ends the connection, and so does one over the limit. */
#ifndef AGON_STREAM_H
#define AGON_STREAM_H

#include "net/frame.h"
#include "net/tls.h"

#include <uv.h>

#define AGON__STREAM_QUEUE (16 << 20) /* bytes queued for the other side; then reading stops */
#define AGON__STREAM_MOST  (64 << 20) /* bytes queued at which a send ends the connection */

typedef struct agon__stream agon__stream;

typedef struct agon__stream_def {
    uv_loop_t* loop;
    agon__tls_context* tls;                           /* NULL: plain */
    void (*opened)(void* user, agon__stream* stream); /* connected, and shaken hands */
    /* One frame, borrowed for the call. May close the stream. */
    void (*message)(void* user, agon__stream* stream, const uint8_t* data, size_t size);
    /* (optional) Something was written, and the queue is below a quarter. */
    void (*drained)(void* user, agon__stream* stream);
    /* Last call, once, later than agon__stream_hang_up; the stream is freed afterwards. why->code
     * 0: the other side, or this one, ended it in order. */
    void (*closed)(void* user, agon__stream* stream, const agon_error* why);
    void* user;
} agon__stream_def;

/* Takes a connection from a listening handle. */
int agon__stream_accept(uv_stream_t* listener, const agon__stream_def* def, agon__stream** out,
                        agon_error* error);
/* Connects to a host (name or address, resolved on the pool) and port, both copied. Failing to
 * connect comes through `closed`. */
int agon__stream_connect(const char* host, int port, const agon__stream_def* def,
                         agon__stream** out, agon_error* error);

/* Sends a frame: head and bytes are copied. Nothing is sent after a close or a failure. */
void agon__stream_send(agon__stream* stream, const uint8_t* data, size_t size);
/* The same in pieces, without other calls in between: false: nothing can be sent. Then pieces, of
 * which one that is not 0 has failed; then the end, with keep, or all is taken back. */
bool agon__stream_begin(agon__stream* stream);
int agon__stream_add(void* stream, const char* data, size_t size);
void agon__stream_end(agon__stream* stream, bool keep);
/* What was sent before goes out first, as far as the other side takes it within a second. */
void agon__stream_hang_up(agon__stream* stream, const agon_error* why);

size_t agon__stream_queued(const agon__stream* stream); /* bytes not yet given to the kernel */
void agon__stream_set_user(agon__stream* stream, void* user);
/* Largest frame to accept, and the milliseconds that one may take to arrive; 0: for ever. */
void agon__stream_limit(agon__stream* stream, size_t limit, int patience_ms);
/* "10.0.0.7:41234"; the common name of its certificate, or empty. */
const char* agon__stream_address(const agon__stream* stream);
const char* agon__stream_certificate(const agon__stream* stream);

#endif
