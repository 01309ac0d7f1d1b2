/* broker.h: what the parts of the coordinator's side of a message broker share (broker.c,
 * broker_setup.c, broker_tasks.c, broker_blobs.c, broker_peers.c). */
#ifndef AGON_BROKER_H
#define AGON_BROKER_H

#include "net/depot.h"
#include "net/pull.h"
#include "net/subjects.h"
#include "net/transport.h"

#define AGON__BROKER_STREAM  96
#define AGON__BROKER_BUCKETS 4096

typedef struct agon__broker agon__broker;
typedef struct agon__posted agon__posted;
typedef struct agon__offering agon__offering;
typedef struct agon__known agon__known;

/* A worker's conversation, from one HELLO on. */
typedef struct agon__peer {
    struct agon__peer *before, *next; /* of all */
    struct agon__peer* chain;         /* of its bucket, the youngest first */
    agon__broker* broker;
    char name[80], id[80], epoch[80];
    agon__session* session; /* NULL: it has ended, and the peer is freed at the next tick */
    bool ready;
    int64_t since_ms;
    char again[AGON_HASH_SIZE]; /* a result that is wanted again while it is fetched; "": none */
} agon__peer;

struct agon__broker {
    agon__coordinator* coordinator;
    agon__url url;
    agon__nats* nats;
    agon__depot* depot;
    agon__pull results;
    uv_timer_t timer;
    char id[AGON__TOKEN_SIZE]; /* of this coordinator, the same when it is started again */
    /* Random, of this process: leases of an earlier one had the same numbers. */
    char process[AGON_HASH_SIZE];
    char boot[AGON_HASH_SIZE]; /* of this connection; "": the streams are not ready */
    char answers[AGON__NATS_SUBJECT];
    char tasks[AGON__BROKER_STREAM], result_stream[AGON__BROKER_STREAM], blobs[AGON__BROKER_STREAM];
    int64_t announced_ms, looked_ms;
    bool shut;
    /* broker_setup.c */
    int step, replicas;
    uint64_t turn; /* of the set-up: answers to an earlier one are ignored */
    int64_t room;  /* bytes for the stream that is being made */
    bool cleared;  /* what an earlier process left is gone */
    int64_t retry_ms;
    /* broker_peers.c */
    agon__peer *first, *bucket[AGON__BROKER_BUCKETS];
    int peers, strangers;
    /* broker_tasks.c */
    agon__posted* posted[AGON__BROKER_BUCKETS];
    /* broker_blobs.c */
    agon__offering *offers, **offers_end;
    agon__known* known[AGON__BROKER_BUCKETS];
    int knowns;
};

int agon__broker_bucket(const char* text); /* of a hash table */

/* ---- broker_setup.c: streams and consumers -------------------------------------------------- */

/* Makes what is not there; then agon__broker_ready. */
void agon__broker_setup(agon__broker* b);
void agon__broker_setup_tick(agon__broker* b, int64_t now); /* tries again what failed */
void agon__broker_ready(agon__broker* b);
/* The run ends: nothing of it stays on the server but blobs, which age. */
void agon__broker_clear(agon__broker* b);

/* ---- broker_peers.c -------------------------------------------------------------------------- */

/* A message of a worker, by its subject's words. */
void agon__broker_heard(agon__broker* b, char word[7][80], const agon__nats_message* message);
agon__peer* agon__broker_find(agon__broker* b, const char* name, const char* id); /* ready ones */
void agon__broker_part(agon__peer* peer);
void agon__broker_peers_tick(agon__broker* b, int64_t now);
void agon__broker_peers_clear(agon__broker* b);
void agon__broker_say(agon__peer* peer, const agon__message* message);

/* ---- broker_tasks.c -------------------------------------------------------------------------- */

void agon__broker_publish(agon__broker* b, const agon__lease* lease);
/* The streams are there, perhaps anew and empty: what nobody has begun is published again. */
void agon__broker_publish_again(agon__broker* b);
/* Takes tasks that are done off the stream. */
void agon__broker_sweep(agon__broker* b);
/* The server has delivered it as often as it may. */
void agon__broker_poison(agon__broker* b, const agon__nats_message* message);
void agon__broker_tasks_clear(agon__broker* b);

/* ---- broker_blobs.c -------------------------------------------------------------------------- */

void agon__broker_offer(agon__broker* b, const char* hash);
/* A worker did not find it. */
void agon__broker_offer_again(agon__broker* b, const char* hash);
void agon__broker_forget_offers(agon__broker* b); /* the stream may be another one */
/* Looks whether the stream is nearly full: then its older half goes. */
void agon__broker_make_room(agon__broker* b);
void agon__broker_blobs_clear(agon__broker* b);

#endif
