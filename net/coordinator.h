/* coordinator.h: the centre of a run that has workers: an executor made of a scheduler, the
 * sessions of its workers, this process's own threads, and a transport. */
#ifndef AGON_COORDINATOR_H
#define AGON_COORDINATOR_H

#include "net/cluster.h"
#include "net/scheduler.h"

typedef struct agon__coordinator agon__coordinator;
typedef struct agon__session agon__session;

const agon_cluster_def* agon__coordinator_def(const agon__coordinator* c);
uv_loop_t* agon__coordinator_loop(const agon__coordinator* c);
void agon__coordinator_note(agon__coordinator* c, const char* format, ...)
    __attribute__((format(printf, 2, 3)));
int64_t agon__coordinator_now(const agon__coordinator* c); /* milliseconds, monotonic */

/* A blob of the run: from memory, or read on the pool; `ready` is called later, data NULL when it
 * is missing, borrowed for the call. */
void agon__coordinator_blob(agon__coordinator* c, const char* hash, void* user,
                            void (*ready)(void* user, const char* hash, const uint8_t* data,
                                          size_t size));

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
