/* link_nats.h: what the parts of a worker's side of a message broker share (link_nats.c,
 * link_nats_greet.c, link_nats_cargo.c).
 *
 * A worker serves one coordinator of its space at a time: the first that it hears of, until that
 * says goodbye or falls silent; then it looks for another. */
#ifndef AGON_LINK_NATS_H
#define AGON_LINK_NATS_H

#include "net/depot.h"
#include "net/link.h"
#include "net/pull.h"
#include "net/subjects.h"

#define AGON__FETCHED 16

typedef enum agon__link_step {
    AGON__APART = 1, /* no connection to the server */
    AGON__LOOKING,   /* for a coordinator */
    AGON__GREETED,
    AGON__PROVED,
    AGON__WELCOMED,
    AGON__ENDED
} agon__link_step;

typedef struct agon__held { /* a task that the worker has */
    struct agon__held* next;
    char task[AGON_HASH_SIZE];
    uint64_t lease;
    char reply[AGON__NATS_SUBJECT]; /* to settle it by; "": it came from the coordinator itself */
    bool finished;                  /* its result is on its way */
} agon__held;

typedef struct agon__upload agon__upload; /* a result that is too large for one message */

typedef struct agon__link_nats {
    agon__link_def def;
    agon__url url;
    agon__nats* nats;
    agon__depot* depot;
    agon__pull tasks;
    uv_timer_t timer, soon;
    agon__link_step step;
    char name[80], id[AGON__TOKEN_SIZE], answers[AGON__NATS_SUBJECT];
    bool ever; /* was connected */
    /* The coordinator, its boot, and the handshake with it. */
    char coordinator[80], boot[AGON_HASH_SIZE], gone[AGON_HASH_SIZE]; /* gone: it said goodbye */
    char nonce[AGON_HASH_SIZE], epoch[AGON__TOKEN_SIZE];
    uint64_t since, heard, progress; /* ms: of this step; last word of it; last +WPI */
    uint64_t rest_until;             /* ms: no greeting before */
    double pause;                    /* ms */
    bool told;                       /* that there is nobody */
    int lease_ms, credit;
    agon__held* held;
    agon__upload* uploads;
    char fetched[AGON__FETCHED][AGON_HASH_SIZE]; /* the last blobs that came out of the stream */
    int fetches;
} agon__link_nats;

/* ---- link_nats.c ----------------------------------------------------------------------------- */

/* A message to the coordinator, as it is now. */
void agon__link_nats_say(agon__link_nats* l, const agon__message* message);
agon__held** agon__link_nats_held(agon__link_nats* l, const char* task);
/* Settles a held task: "+ACK", "-NAK", "+TERM"; and forgets it. */
void agon__link_nats_settle(agon__link_nats* l, agon__held** at, const char* word);
/* What the worker core hears, unless the link has ended. */
void agon__link_nats_tell(agon__link_nats* l, const agon__message* message);

/* agon__link_nats_upload, from the loop. */
void agon__link_nats_soon(agon__link_nats* l);

/* ---- link_nats_greet.c ----------------------------------------------------------------------- */

/* A coordinator is here. */
void agon__link_nats_here(agon__link_nats* l, const char* coordinator, const uint8_t* boot,
                          size_t size);
/* A word of the coordinator; false: it is none of the handshake's. */
bool agon__link_nats_handshake(agon__link_nats* l, const agon__message* message);
/* The conversation is over, for now. */
void agon__link_nats_lose(agon__link_nats* l, const agon_error* why);
void agon__link_nats_refuse(agon__link_nats* l, const agon_error* why);
void agon__link_nats_watch(agon__link_nats* l, uint64_t now); /* for silence */

/* ---- link_nats_cargo.c ----------------------------------------------------------------------- */

void agon__link_nats_result(agon__link_nats* l, const agon__result_offer* offer);
void agon__link_nats_chunk(agon__link_nats* l, const agon__message* message);
void agon__link_nats_want(agon__link_nats* l, const agon__message* message);
void agon__link_nats_upload(agon__link_nats* l); /* asks the core for the chunks of results */
size_t agon__link_nats_uploading(const agon__link_nats* l);              /* bytes */
void agon__link_nats_drop_uploads(agon__link_nats* l, const char* task); /* NULL: all */
int agon__link_nats_depot(agon__link_nats* l, agon_error* error);

#endif
