/* worker.h: the parts of a worker process. All on its loop thread, but for jobs on libuv's pool.
 *
 * A lease is fetched (the blobs that its task names), ready, running, and then being kept: its
 * result goes to the spool, from where it is offered until the coordinator has said something to
 * it. */
#ifndef AGON_WORKER_H
#define AGON_WORKER_H

#include "net/cache.h"
#include "net/inbox.h"
#include "net/link.h"
#include "net/spool.h"

#define AGON__WORKER_REFS    (AGON_MAX_OPPONENTS + 2) /* blobs that one task names, at most */
#define AGON__WORKER_PATIENT 10000 /* ms for a result to be acknowledged when the worker stops */

typedef enum agon__stage {
    AGON__FETCHING = 1,
    AGON__READY,
    AGON__RUNNING,
    AGON__KEEPING /* its result is on the way to the disk */
} agon__stage;

typedef struct agon__lot { /* one leased task */
    struct agon__lot* next;
    char id[AGON_HASH_SIZE];
    uint64_t lease, ticket;
    uint8_t* data; /* the task; owned */
    size_t size;
    agon__stage stage;
    bool dropped; /* nobody wants it any more; nothing is said when it ends */
    int tries;    /* how often its blobs were there and then were not */
    int refs;     /* blobs, each once */
    char ref[AGON__WORKER_REFS][AGON_HASH_SIZE];
    bool pinned[AGON__WORKER_REFS];
} agon__lot;

typedef struct agon__fetch { /* one blob that is on its way */
    struct agon__fetch* next;
    char hash[AGON_HASH_SIZE];
    bool asked, storing;
    int failures;     /* times that it arrived damaged */
    int64_t heard_ms; /* when it was asked for, or a chunk of it came */
} agon__fetch;

typedef struct agon__sending { /* one result that the coordinator wants */
    struct agon__sending* next;
    char hash[AGON_HASH_SIZE], task[AGON_HASH_SIZE];
    uint8_t* data; /* NULL: being read */
    size_t size;
    int index; /* the next chunk */
} agon__sending;

typedef struct agon__keeping agon__keeping; /* one result on its way to the disk */

typedef struct agon__worker {
    const agon_worker_def* def;
    uv_loop_t loop;
    uv_signal_t interrupt, terminate;
    uv_timer_t beat, tick;
    agon_executor executor;
    agon__link link;
    agon__cache* cache;
    agon__inbox* inbox;
    agon__spool* spool;
    agon__lot *lots, **lots_end;
    agon__fetch* fetches;
    agon__sending* sending;
    agon__keeping* waiting; /* results that found no room on the disk */
    int keeping;            /* results that are being written */
    uint64_t tickets;
    int slots, running;
    int64_t
        ready_ms; /* since when a task is ready and waits for those being fetched; 0: none does */
    int jobs;     /* on the pool, beside tasks */
    int signals;
    bool connected, draining, full, ended;
    bool welcomed; /* once, at least */
    /* Since when it is not connected; when it last offered or sent a result; began; had nothing
     * more to run while it stops (0: not so far); looked for room on the disk. */
    int64_t away_ms, offered_ms, begun_ms, idle_ms, retry_ms;
    char run[128];
    uint64_t tasks, steps, received, sent;
    uint64_t told_ms[AGON_PHASES]; /* of what the threads did: said in results so far */
    int rc;
    agon_error error;
} agon__worker;

/* ---- worker.c ----------------------------------------------------------------------------- */

int64_t agon__worker_now(const agon__worker* w); /* milliseconds, monotonic */
void agon__worker_note(agon__worker* w, const char* format, ...)
    __attribute__((format(printf, 2, 3)));
void agon__worker_send(agon__worker* w, const agon__message* message);
/* How many tasks it takes now: none while it stops, has a full disk or too many results. */
void agon__worker_credit(agon__worker* w);
/* The disk is full: nothing new is taken until there is room. */
void agon__worker_full(agon__worker* w, const agon_error* why);
/* There is room again. */
void agon__worker_room(agon__worker* w);
/* When it stops and everything is done, or waited for long enough: the end. */
void agon__worker_finish(agon__worker* w);

/* ---- worker_tasks.c ----------------------------------------------------------------------- */

/* A TASK. Its data is copied. */
void agon__worker_task(agon__worker* w, const agon__task_grant* grant);
/* Hands back a lease of ours, or of a task whose result we had. */
void agon__worker_send_nak(agon__worker* w, const char* task, uint64_t lease, int class,
                           const char* text);
/* Hands back a lease, and forgets it; one that runs is stopped. */
void agon__worker_nak(agon__worker* w, agon__lot* lot, int class, const char* text);
/* The same with what runs (all), or with what does not (yet). */
void agon__worker_hand_back(agon__worker* w, bool all, const char* text);
/* Leases that are no longer wanted. */
void agon__worker_cancelled(agon__worker* w, const agon__beat_ok* ok);
void agon__worker_cancel_all(agon__worker* w);
/* Starts what is ready, as far as slots are free. */
void agon__worker_start(agon__worker* w);
/* agon_executor_done. */
void agon__worker_done(void* user, uint64_t ticket, int status, const uint8_t* data, size_t size,
                       const agon_error* error);
void agon__worker_beat(agon__worker* w);
/* Ends a lot that has nothing more to do. */
void agon__worker_forget(agon__worker* w, agon__lot* lot);
agon__lot* agon__worker_find(agon__worker* w, const char* id);

/* ---- worker_blobs.c ----------------------------------------------------------------------- */

/* Pins what is there and asks for the rest. true: all is there. */
bool agon__worker_gather(agon__worker* w, agon__lot* lot);
void agon__worker_unpin(agon__worker* w, agon__lot* lot);
/* A CHUNK of a task's blob, or word that there is none. */
void agon__worker_chunk(agon__worker* w, const agon__chunk* chunk);
void agon__worker_missing(agon__worker* w, const char* hash);
/* Asks again: for all after a reconnect, else for what has not been heard of for long. */
void agon__worker_ask_again(agon__worker* w, bool all);
/* Blobs that no lot waits for any more are not fetched. */
void agon__worker_sweep(agon__worker* w);

/* ---- worker_results.c --------------------------------------------------------------------- */

/* Keeps a result (copied): blobs into the cache, bytes into the spool, then offers it. */
void agon__worker_keep(agon__worker* w, agon__lot* lot, const agon_executor_look* look,
                       const uint8_t* data, size_t size);
/* Tries again with results that found no room. */
void agon__worker_keep_again(agon__worker* w);
/* A task is leased to us whose result is here: true, and it is offered once more. */
bool agon__worker_offer_again(agon__worker* w, const char* task, uint64_t lease);
/* As many results lie in the spool as may: whoever asks for more does not take them. */
bool agon__worker_crowded(const agon__worker* w);
/* Offers everything that the spool holds. */
void agon__worker_offer_all(agon__worker* w);
/* The coordinator wants a result; chunks go out while the link takes them. */
void agon__worker_want(agon__worker* w, const agon__want* want);
void agon__worker_pump(agon__worker* w);
void agon__worker_stop_sending(agon__worker* w, const char* hash); /* NULL: all */
void agon__worker_ack(agon__worker* w, const agon__ack* ack);
/* Gives up what is being sent, and hands back what never found room on the disk. */
void agon__worker_abandon(agon__worker* w);

#endif
