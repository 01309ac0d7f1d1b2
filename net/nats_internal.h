/* nats_internal.h: what the parts of a NATS connection share (nats.c, nats_thread.c, nats_ask.c,
 * nats_options.c). */
#ifndef AGON_NATS_INTERNAL_H
#define AGON_NATS_INTERNAL_H

#include "net/nats.h"
#include "net/nkey.h"

#include <nats/nats.h>

/* What libnats is told about who we are. */
typedef struct agon__nats_keys {
    char token[512];
    char seed[AGON__NKEY_SIZE], public[AGON__NKEY_SIZE]; /* "": none */
    char ca[640], certificate[640], key[640];            /* files; "": none */
    bool secure;
    char url[320];
} agon__nats_keys;

/* Reads and checks the files that the definition names. */
int agon__nats_keys_read(const agon__nats_def* def, agon__nats_keys* out, agon_error* error);
/* keys is borrowed until the options are destroyed. */
int agon__nats_options(const agon__nats_def* def, agon__nats_keys* keys, natsOptions** out,
                       agon_error* error);

typedef struct agon__nats_asks {
    struct agon__nats_question* slot; /* (room) */
    int room, used;                   /* used: of the room, ever */
    int free;                         /* first free slot + 1; 0: none below `used` */
    uint64_t serial;
} agon__nats_asks;

/* An answer's subject is "PREFIX.a.NUMBER". */
bool agon__nats_asks_take(agon__nats* nats, const agon__nats_message* message);
void agon__nats_asks_tick(agon__nats* nats, uint64_t now);
void agon__nats_asks_fail(agon__nats* nats); /* all: the connection is lost */

void agon__nats_send(agon__nats* nats, const char* subject, const char* reply, const char* id,
                     bool once, const void* data, size_t size);

/* ---- nats_thread.c -------------------------------------------------------------------------- */

#define AGON__NATS_DRAINED (2u << 20) /* bytes that wait to be sent: few */

typedef enum agon__event_kind {
    AGON__CONNECTED,
    AGON__LOST,
    AGON__HEARD,
    AGON__COMPLAINT
} agon__event_kind;

typedef struct agon__event {
    struct agon__event* next;
    agon__event_kind kind;
    agon_error error; /* of AGON__LOST and AGON__COMPLAINT */
    int status;
    char *subject, *reply; /* inside the block */
    uint8_t* data;
    size_t size;
} agon__event;

typedef struct agon__job {
    struct agon__job* next;
    const char *subject, *reply, *id; /* inside the block; NULL: none */
    const void* data;
    size_t size, weight;
    bool once;
} agon__job;

struct agon__nats {
    agon__nats_def def;
    agon__nats_keys keys;
    char name[128];
    uv_async_t async;
    uv_timer_t timer;
    uv_thread_t thread;
    agon__nats_asks asks;
    bool shut, linked, pressed; /* linked: connected; pressed: much waits to be sent */
    uv_mutex_t mutex;           /* of all below */
    uv_cond_t changed;
    agon__event *first, **last;
    size_t received;
    agon__job *jobs, **jobs_end;
    size_t queued;
    bool stop, up, closed, tried;
    agon_error first_error;
    /* Of the thread. */
    natsSubscription* sub[AGON__NATS_SUBJECTS];
};

void agon__nats_run(void* nats); /* the thread */

#endif
