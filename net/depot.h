/* depot.h: blobs in a stream, in chunks: each message is a CHUNK (message.h) of its own subject. */
#ifndef AGON_DEPOT_H
#define AGON_DEPOT_H

#include "net/message.h"
#include "net/nats.h"

typedef struct agon__depot agon__depot; /* blobs that are on their way out of a stream */

typedef struct agon__depot_def {
    agon__nats* nats;
    char stream[AGON__NATS_SUBJECT];
    /* One chunk, checked to be a message of this blob: as bytes and decoded, borrowed. */
    void (*chunk)(void* user, void* whose, const agon__message* message, const uint8_t* data,
                  size_t size);
    /* Last call of a fetch: all chunks came, or one is not there (any more). */
    void (*done)(void* user, void* whose, const char* hash, bool whole);
    void* user;
} agon__depot_def;

int agon__depot_open(const agon__depot_def* def, agon__depot** out, agon_error* error);
void agon__depot_close(agon__depot* depot); /* before its connection */
/* subject: of the blob, without the chunk's number. false: the same is on its way for `whose`. */
bool agon__depot_fetch(agon__depot* depot, void* whose, const char* subject, const char* hash,
                       int from);
/* Nothing more is said to `whose`. */
void agon__depot_forget(agon__depot* depot, const void* whose);

/* Stores a chunk unless the stream has it. */
void agon__depot_put(agon__nats* nats, const char* subject, const agon__chunk* chunk, void* user,
                     agon__nats_stored stored);

#endif
