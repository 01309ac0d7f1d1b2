/* session.h: what the parts of a session share (session.c, session_cargo.c). */
#ifndef AGON_SESSION_H
#define AGON_SESSION_H

#include "net/coordinator.h"
#include "net/inbox.h"
#include "net/transport.h"

#include <stdarg.h>

#define AGON__SESSION_INBOX (128u << 20) /* bytes of results that are on their way */
#define AGON__RESULT_MAX    (64u << 20)  /* bytes of a result */
#define AGON__MOST_PARCELS  1024         /* blobs that it wants at a time */
#define AGON__MOST_DAMAGED  3            /* blobs of a session that did not have their hash */

typedef struct agon__parcel agon__parcel;
typedef struct agon__pending agon__pending;

typedef enum agon__session_state {
    AGON__SESSION_NEW,  /* waits for HELLO */
    AGON__SESSION_AUTH, /* waits for AUTH */
    AGON__SESSION_READY
} agon__session_state;

struct agon__session {
    agon__session *before, *next; /* of all */
    agon__coordinator* coordinator;
    void* peer;
    agon__session_state state;
    char address[128], certificate[64];
    agon__hello hello;
    uint8_t* hello_bytes; /* as they came, for the MAC; owned */
    size_t hello_size;
    char nonce[AGON_HASH_SIZE];
    int worker;       /* the scheduler's number; 0: not yet */
    int64_t heard_ms; /* when anything came last */
    agon__inbox* inbox;
    agon__parcel* parcels;
    agon__pending* offers;
    int reading; /* blobs that it wants and that are not in memory yet */
    int parcel_count, offer_count, damaged;
};

void agon__session_send(agon__session* session, const agon__message* message);

/* session_cargo.c */
void agon__session_want(agon__session* session, const agon__want* want);
void agon__session_offer(agon__session* session, const agon__result_offer* offer);
void agon__session_chunk(agon__session* session, const agon__chunk* chunk);
void agon__session_drop_parcels(agon__session* session);
void agon__session_drop_offers(agon__session* session);

#endif
