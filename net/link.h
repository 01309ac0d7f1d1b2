/* link.h: a worker's side of a conversation: TCP, or a message broker. */
#ifndef AGON_LINK_H
#define AGON_LINK_H

#include "net/message.h"
#include "net/cluster.h"

typedef struct agon__link agon__link;
struct agon__link {
    void* self;
    /* Encodes and sends; dropped while not connected. */
    void (*send)(agon__link* link, const agon__message* message);
    /* Bytes waiting to go out; chunks of a result rest while there are many. */
    size_t (*queued)(agon__link* link);
    /* A task that came by a broker is settled: with its result stored (true), or given back. */
    void (*settle)(agon__link* link, const char* task, uint64_t lease, bool finished);
    void (*shut)(agon__link* link);  /* closes its handles on the loop, after what was sent */
    void (*close)(agon__link* link); /* after the loop has ended */
};

/* Who listens to a link, all on the loop thread. */
typedef struct agon__link_def {
    uv_loop_t* loop;
    const agon_worker_def* worker;
    agon__hello hello; /* without nonce; the link adds it and does the handshake, over and over with
                          growing pauses (1 s x 1.5 +-20 %, at most 60 s) until it is welcome */
    void (*welcome)(void* user, const agon__welcome* welcome); /* also after every reconnect */
    void (*message)(void* user, const agon__message* message); /* TASK, CHUNK, MISSING, WANT, ACK,
                                                                  BEAT_OK, BYE; borrowed */
    void (*drained)(void* user);
    void (*lost)(void* user, const agon_error* why);    /* it tries again by itself */
    void (*refused)(void* user, const agon_error* why); /* REJECT, but for "busy": the end */
    void* user;
} agon__link_def;

int agon__link_tcp_open(const agon__link_def* def, const char* url, agon__link* out,
                        agon_error* error);
int agon__link_nats_open(const agon__link_def* def, const char* url, agon__link* out,
                         agon_error* error);

#endif
