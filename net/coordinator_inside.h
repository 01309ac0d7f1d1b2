/* coordinator_inside.h: what the parts of a coordinator share: coordinator.c (the executor),
 * coordinator_own.c (this process as a worker), coordinator_results.c (what came back). */
#ifndef AGON_COORDINATOR_INSIDE_H
#define AGON_COORDINATOR_INSIDE_H

#include "net/coordinator.h"
#include "net/transport.h"
#include "net/watch.h"

/* A task that the driver has handed over and the scheduler has not seen yet. */
typedef struct agon__fresh {
    struct agon__fresh* next;
    uint64_t ticket;
    uint8_t* data;
    size_t size;
} agon__fresh;

/* A result that is accepted, and not committed yet; one for each worker that brought it. */
typedef struct agon__waiting {
    struct agon__waiting *of_ticket, *of_task; /* the next in its bucket of either */
    uint64_t ticket, lease;
    int worker;
    char task[AGON_HASH_SIZE];
} agon__waiting;

#define AGON__WAITING_BUCKETS 4096

/* A lease of this process. */
typedef struct agon__own {
    uint64_t lease; /* 0: free */
    char id[AGON_HASH_SIZE];
} agon__own;

struct agon__coordinator {
    agon_executor_def def;
    agon_cluster_def cluster;
    agon_executor* face; /* what the driver holds */
    agon__scheduler* scheduler;
    agon__blobs* blobs;
    agon__transport transport;
    agon__watch* watch;
    agon_executor local;
    agon__own* own; /* (owns) */
    int owns;
    uv_timer_t ticker;
    uv_idle_t pump;
    agon__sessions sessions;
    char address[AGON__ADDRESS];
    agon__fresh *first, *last;
    agon__waiting* by_ticket[AGON__WAITING_BUCKETS]; /* owned */
    agon__waiting* by_task[AGON__WAITING_BUCKETS];
    uint64_t ticket_now; /* that the scheduler has just been done with; 0: none */
    bool broker, cancelling, recalling, shut;
    int slots_told, checks_told;
    double slot_seconds, phase[AGON_PHASES]; /* of workers; seconds */
    uint64_t looked;                         /* when slot_seconds was last added to, nanoseconds */
};

/* Tasks that this process takes beside its workers: one a thread, or as many as a worker may hold
 * where a device does them together. */
int agon__own_slots(const agon__coordinator* c);
int agon__own_open(agon__coordinator* c, agon_error* error);
void agon__own_run(agon__coordinator* c, const agon__lease* lease);
/* Its leases live as long as they run. */
void agon__own_beat(agon__coordinator* c);

/* Those that brought this result hear that it is safe. */
void agon__coordinator_committed(agon__coordinator* c, uint64_t ticket);
void agon__coordinator_forget_waiting(agon__coordinator* c);

#endif
