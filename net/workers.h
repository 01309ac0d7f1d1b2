/* workers.h: what is known of a run's workers, as its file workers.json says it. For people. */
#ifndef AGON_WORKERS_H
#define AGON_WORKERS_H

#include "engine/blob.h"

#define AGON_WORKERS_FILE   "workers.json" /* in the run directory */
#define AGON_WORKERS_FORMAT 1
#define AGON_MAX_WORKERS    20000 /* in a file */

/* Texts are printable ASCII, whatever a worker has called itself. Times: seconds since 1970. */
typedef struct agon_worker_seen {
    int worker; /* its number in the process that wrote; 0: of an earlier process */
    char name[64], address[128], build[128], class[64];
    char id[AGON_HASH_SIZE]; /* of its process */
    char token[64];          /* name of its token; "-": none */
    bool present, struck;
    char why[160];  /* it was struck or turned away */
    int pid, slots; /* tasks at a time */
    int running, credit;
    int strikes, failures;         /* wrong results; tasks that it could not do */
    uint64_t tasks, steps;         /* accepted; agent-steps */
    double steps_per_second;       /* since it joined */
    uint64_t audits, lost;         /* results that a second execution confirmed; leases */
    uint64_t memory, cpu_ms;       /* bytes; spent on accepted tasks */
    double joined, seen, progress; /* when; 0: never */
} agon_worker_seen;

/* The run as a whole, by the process that wrote. */
typedef struct agon_workers_total {
    int queued, leased, checks; /* tasks; results being executed again */
    int workers, slots, struck; /* present ones, their slots; in this process and before */
    uint64_t done, duplicates, conflicts, lost, audited, backups, steps;
} agon_workers_total;

typedef struct agon_workers {
    double written; /* when */
    char run[512], listen[256];
    agon_workers_total total;
    int left_out; /* workers that are gone and are not listed */
    int count;
    agon_worker_seen* worker; /* (count) owned; present ones first, then struck, then gone */
} agon_workers;

/* The file of a run directory; AGON_EMISSING: the run has had none. Everything in it is checked:
 * AGON_EFORMAT names what is wrong. *out: owned by the caller, agon_workers_clear. */
int agon_workers_read(const char* dir, agon_workers* out, agon_error* error);
int agon_workers_parse(const char* text, size_t size, const char* origin, agon_workers* out,
                       agon_error* error);
void agon_workers_clear(agon_workers* workers);

#endif
