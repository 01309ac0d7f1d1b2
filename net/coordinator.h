/* coordinator.h: the centre of a run that has workers: an executor made of a scheduler, the
 * sessions of its workers, this process's own threads, and a transport. */
#ifndef AGON_COORDINATOR_H
#define AGON_COORDINATOR_H

#include "net/blobs.h"
#include "net/cluster.h"
#include "net/scheduler.h"

typedef struct agon__coordinator agon__coordinator;
typedef struct agon__session agon__session;

const agon_cluster_def* agon__coordinator_def(const agon__coordinator* c);
uv_loop_t* agon__coordinator_loop(const agon__coordinator* c);
void agon__coordinator_note(agon__coordinator* c, const char* format, ...)
    __attribute__((format(printf, 2, 3)));
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

/* ---- sessions: one worker's conversation, whatever carries it ----------------------------- */

/* `certificate`: the common name that TLS has verified, or "". */
agon__session* agon__session_open(agon__coordinator* c, void* peer, const char* address,
                                  const char* certificate);
/* One message as it came; a malformed one ends the session with a reason. */
void agon__session_message(agon__session* session, const uint8_t* data, size_t size);
/* There is room again for chunks. */
void agon__session_drained(agon__session* session);
/* The connection is gone. */
void agon__session_close(agon__session* session);

#endif
