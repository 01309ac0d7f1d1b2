/* nats.h: a connection to a NATS server, on a libuv loop.
 *
 * nats_thread.c and nats_options.c alone know libnats. Its threads hand what they receive to the
 * loop, and what is sent goes through a thread of its own, which may wait for the network; so no
 * call here does. A lost connection is made again, for ever, with pauses that grow; what is sent
 * meanwhile is dropped, and requests under way fail. */
#ifndef AGON_NATS_H
#define AGON_NATS_H

#include "net/url.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define AGON__NATS_SUBJECT  256
#define AGON__NATS_SUBJECTS 4
#define AGON__NATS_QUEUE    (64u << 20) /* bytes that wait to be sent; what is more is dropped */

typedef struct agon__nats agon__nats;

typedef struct agon__nats_message { /* all borrowed for the call */
    const char* subject;
    const char* reply; /* where an answer goes; "": nowhere */
    int status;        /* of a message that is none (503: nobody listens); 0: a message */
    const uint8_t* data;
    size_t size;
} agon__nats_message;

typedef struct agon__nats_def {
    uv_loop_t* loop;
    const char* name; /* for people who watch the server */
    agon__url url;
    char tls[512];   /* directory with ca.pem, and perhaps client.pem and client.key; "": none */
    char token[512]; /* file; "": none */
    char nkey[512];  /* file with a seed; "": none */
    /* What is listened to, and first of all "PREFIX.>", where answers to requests come in. */
    int subjects;
    char subject[AGON__NATS_SUBJECTS][AGON__NATS_SUBJECT];
    /* All on the loop. */
    void (*connected)(void* user); /* also again */
    /* Also when the first attempt fails. AGON_EINVALID: the server refuses these credentials, or
     * is not the one that is trusted. */
    void (*lost)(void* user, const agon_error* why);
    void (*message)(void* user, const agon__nats_message* message); /* but answers to requests */
    void (*drained)(void* user); /* little waits to be sent, after there was much */
    /* (optional) The server complains, for example of a subject that is not allowed. */
    void (*complaint)(void* user, const char* text);
    void* user;
} agon__nats_def;

/* patient: false: waits for the first attempt, and fails with it. */
int agon__nats_open(const agon__nats_def* def, bool patient, agon__nats** out, agon_error* error);
/* What was sent before still goes out, for at most a second. Nothing of agon__nats_def is called
 * afterwards. */
void agon__nats_shut(agon__nats* nats);
/* After the loop has ended. Requests that are under way fail. */
void agon__nats_close(agon__nats* nats);

bool agon__nats_connected(const agon__nats* nats);
size_t agon__nats_queued(const agon__nats* nats); /* bytes that wait to be sent */

/* To whoever listens, at most once. Copies. reply: NULL: none. */
void agon__nats_publish(agon__nats* nats, const char* subject, const char* reply, const void* data,
                        size_t size);

/* Exactly once for each call: with an answer, or NULL when none came within wait_ms or the
 * connection was lost or closed; at once only when there is no memory. */
typedef void (*agon__nats_answer)(void* user, const agon__nats_message* answer);
void agon__nats_ask(agon__nats* nats, const char* subject, const void* data, size_t size,
                    int wait_ms, void* user, agon__nats_answer answer);
/* Likewise, for a subject that a stream keeps: until it does. sequence 0: the connection was lost,
 * or the stream refuses, as `why` says. Takes over data (malloc'd). id: the stream knows a double
 * by it for a while; NULL: none. once: not again where the stream has a message of this subject,
 * which is no error. */
typedef void (*agon__nats_stored)(void* user, uint64_t sequence, const agon_error* why);
void agon__nats_store(agon__nats* nats, const char* subject, const char* id, bool once,
                      uint8_t* data, size_t size, void* user, agon__nats_stored stored);
/* Answers to requests and stores of this user are not told to anybody. */
void agon__nats_forget(agon__nats* nats, const void* user);

#endif
