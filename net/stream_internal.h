/* stream_internal.h: a connection as the files stream*.c see it. */
#ifndef AGON_STREAM_INTERNAL_H
#define AGON_STREAM_INTERNAL_H

#include "net/stream.h"

typedef enum agon__stage {
    AGON__STAGE_REACHING, /* no connection yet */
    AGON__STAGE_SHAKING,  /* connected; TLS, or the caller, is not ready */
    AGON__STAGE_OPEN,
    AGON__STAGE_ENDING, /* the last bytes go out, what comes in is thrown away */
    AGON__STAGE_GONE    /* handles are closing */
} agon__stage;

typedef struct agon__bytes {
    uint8_t* data; /* owned */
    size_t used, room;
} agon__bytes;

/* Finding and reaching an address; only while connecting. */
typedef struct agon__dial {
    char host[256];
    int port;
    uv_getaddrinfo_t lookup;
    uv_connect_t connect;
    struct addrinfo* list; /* owned */
    struct addrinfo* next; /* to try */
    int reason;            /* why the last try failed, of libuv */
} agon__dial;

struct agon__stream {
    agon__stream_def def;
    agon__stage stage;
    uv_tcp_t tcp;
    uv_timer_t timer;     /* patience: to connect, to shake hands, for a frame, to end */
    uv_prepare_t prepare; /* active when there is something to write before the loop waits */
    uv_write_t write;
    uv_shutdown_t shutdown;
    agon__dial* dial; /* owned; NULL: accepted */
    agon__tls* tls;   /* owned; NULL: plain */
    agon__frames frames;
    agon__bytes pending; /* frames that are not written yet, plain */
    size_t frame_at;     /* of pending: the head of a frame that is being made */
    agon__bytes flying;  /* what libuv writes now, as the network sees it */
    bool in_flight, paused, advanced, silent;
    bool ended, told; /* the other side sends no more; this side has said so of itself */
    int holds;        /* handles and requests whose last callback has not come */
    int patience_ms;
    agon_error why;
    char address[300], certificate[256];
};

/* stream.c */
int agon__stream_make(const agon__stream_def* def, const char* host, agon__stream** out,
                      agon_error* error);
void agon__stream_connected(agon__stream* stream);
void agon__stream_fail(agon__stream* stream, int code, const char* format, ...)
    __attribute__((format(printf, 3, 4)));
void agon__stream_fail_with(agon__stream* stream, const agon_error* why);
void agon__stream_release(agon__stream* stream); /* one hold less; the last one frees it */
void agon__stream_pump(agon__stream* stream);    /* hands out what has arrived */
void agon__stream_resume(agon__stream* stream);
/* Everything is written: says so to the other side. */
void agon__stream_finish(agon__stream* stream);

/* stream_send.c */
void agon__stream_schedule(agon__stream* stream); /* a flush before the loop waits */
void agon__stream_flush(agon__stream* stream);
/* last: of all streams of this thread, which share spare buffers. */
void agon__stream_free_queue(agon__stream* stream, bool last);

/* stream_connect.c */
void agon__dial_close(agon__stream* stream);

#endif
