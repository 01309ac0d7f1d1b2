/* pull.h: messages of a stream, asked for one by one as there is room for them.
 *
 * A request holds for a few seconds, and the server says every second that it still does. When it
 * falls silent (a request is forgotten where the stream's leader changes) the request is made anew.
 */
#ifndef AGON_PULL_H
#define AGON_PULL_H

#include "net/nats.h"

#define AGON__PULL_REQUESTS 64

typedef struct agon__pull {
    agon__nats* nats;
    char prefix[AGON__NATS_SUBJECT];  /* of replies; a request's number follows */
    char subject[AGON__NATS_SUBJECT]; /* of requests */
    char mark[AGON__NATS_SUBJECT];    /* how the reply subjects of its messages begin */
    uint64_t serial, rest_until;      /* ms of the loop */
    int requests;
    struct {
        uint64_t number, until, heard; /* ms */
        int left;                      /* messages that it may still bring */
    } request[AGON__PULL_REQUESTS];    /* the oldest first */
} agon__pull;

/* prefix: of an answers' subject that the connection listens to. */
void agon__pull_begin(agon__pull* pull, agon__nats* nats, const char* prefix, const char* stream,
                      const char* consumer);
/* Messages that may be on their way now, as far as is known. */
int agon__pull_coming(agon__pull* pull, uint64_t now);
/* So many may be on their way, at most. To be called often. */
void agon__pull_want(agon__pull* pull, int messages, uint64_t now);
/* Counts a message. true: it only says something about requests, or is of none. */
bool agon__pull_status(agon__pull* pull, const agon__nats_message* message, uint64_t now);
/* Is it a message of the stream, through this consumer? Then it is counted. */
bool agon__pull_brings(agon__pull* pull, const agon__nats_message* message);
/* The connection was lost. */
void agon__pull_reset(agon__pull* pull);

/* What the reply subject of a message of a stream says; 0: malformed. */
uint64_t agon__pull_sequence(const char* reply);
uint64_t agon__pull_deliveries(const char* reply);

#endif
