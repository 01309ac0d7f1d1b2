/* coordinator.h: the centre of a run that has workers: an executor made of a scheduler, the
 * sessions of its workers, this process's own threads, and a transport. */
#ifndef AGON_COORDINATOR_H
#define AGON_COORDINATOR_H

#include "net/blobs.h"
#include "net/cluster.h"
#include "net/scheduler.h"

typedef struct agon__coordinator agon__coordinator;
typedef struct agon__session agon__session;
typedef struct agon__transport agon__transport;

const agon_cluster_def* agon__coordinator_def(const agon__coordinator* c);
const agon_backend* agon__coordinator_backend(const agon__coordinator* c); /* of the run */
uv_loop_t* agon__coordinator_loop(const agon__coordinator* c);
void agon__coordinator_note(agon__coordinator* c, const char* format, ...)
    __attribute__((format(printf, 2, 3)));
#define AGON__ADDRESS 320
/* (AGON__ADDRESS) where workers connect: the transport fills it in. */
char* agon__coordinator_address(agon__coordinator* c);
int64_t agon__coordinator_now(const agon__coordinator* c); /* milliseconds, monotonic */

agon__blobs* agon__coordinator_blobs(agon__coordinator* c);
agon__scheduler* agon__coordinator_scheduler(agon__coordinator* c);
/* Something changed: leases are handed out, soon. */
void agon__coordinator_wake(agon__coordinator* c);
/* Looks at bytes that a worker brought as the result of an offer, and hands them to the scheduler.
 */
agon__verdict agon__coordinator_result(agon__coordinator* c, int worker,
                                       const agon__result_offer* offer, const uint8_t* data,
                                       size_t size);

/* A result was accepted, or was there: the worker hears so once it is committed. */
void agon__coordinator_acknowledge(agon__coordinator* c, int worker,
                                   const agon__result_offer* offer, agon__verdict verdict);

/* ---- sessions: one worker's conversation, whatever carries it ----------------------------- */

/* `certificate`: the common name that TLS has verified, or "". */
agon__session* agon__session_open(agon__coordinator* c, void* peer, const char* address,
                                  const char* certificate);
/* One message as it came; a malformed one ends the session with a reason. */
void agon__session_message(agon__session* session, const uint8_t* data, size_t size);
/* There is room again for chunks. */
void agon__session_drained(agon__session* session);
/* The connection is gone, or is to be: nothing is sent after it. Frees the session. */
void agon__session_close(agon__session* session);

/* The worker has proved who it is. */
bool agon__session_ready(const agon__session* session);

/* ---- all sessions of a coordinator -------------------------------------------------------- */

#define AGON__DISMISSALS 64

typedef struct agon__dismissal {
    int worker;
    char why[160];
} agon__dismissal;

typedef struct agon__sessions {
    agon__session* first;
    agon__session** by_worker; /* (room) by the scheduler's number; owned */
    int room;
    bool shut;
    int64_t stranger_ms; /* when somebody who is not known was last told of; 0: never */
    int strangers;       /* that were not told of since */
    int dismissed;       /* to be sent away at the next turn of the loop */
    agon__dismissal dismissal[AGON__DISMISSALS];
} agon__sessions;

agon__sessions* agon__coordinator_sessions(agon__coordinator* c);
agon__transport* agon__coordinator_transport(agon__coordinator* c);

/* Sends a lease to its worker; hands it back when that has gone. */
void agon__sessions_grant(agon__coordinator* c, const agon__lease* lease);
/* Tells a worker that a lease of its is not wanted any more. */
void agon__sessions_revoke(agon__coordinator* c, int worker, uint64_t lease);
/* Tells a worker what became of its result, if it is still here. */
void agon__sessions_ack(agon__coordinator* c, int worker, const char* task, uint64_t lease,
                        agon__verdict verdict);
/* Parts with those that said nothing for two leases. */
void agon__sessions_tick(agon__coordinator* c);
/* Sends a worker away, with the reason: at agon__sessions_settle. */
void agon__sessions_dismiss(agon__coordinator* c, int worker, const char* why);
void agon__sessions_settle(agon__coordinator* c);
/* Says goodbye to all. */
void agon__sessions_shut(agon__coordinator* c);

#endif
