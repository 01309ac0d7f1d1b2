/* cluster.h: tasks carried to workers, on this machine or on others. What `tools` needs to know.
 *
 * agon_executor_cluster is an executor (engine/executor.h) whose maker is an agon_cluster_def. A
 * worker is a process that runs agon_worker_run. */
#ifndef AGON_CLUSTER_H
#define AGON_CLUSTER_H

#include "engine/executor.h"

typedef struct agon_cluster_def {
    char listen[256]; /* tcp://HOST:PORT, tls://HOST:PORT, nats://HOST:PORT/SPACE */
    char run[512];    /* its directory: for people, and to find what is known of its workers */
    char
        tokens[512]; /* file of tokens that may work; nats: the coordinator's own token; "": none */
    char tls[512];   /* directory of `agon cert`; "": none */
    char nkey[512];  /* nats: file with the seed of an nkey; "": none */
    char metrics[256]; /* HOST:PORT for Prometheus; "": none */
    int lease;         /* seconds */
    double audit;      /* share of results that are executed twice */
    bool insecure;     /* listen on other addresses than loopback without authentication */
    int threads;       /* tasks at a time in this process beside the workers; 0: none */
} agon_cluster_def;

agon_executor_open agon_executor_cluster;

/* Whatever can be said against the settings before a run begins: a malformed address, files that
 * cannot be read, an address that everybody could connect to. */
int agon_cluster_check(const agon_cluster_def* def, agon_error* error);

typedef struct agon_worker_state agon_worker_state;

typedef struct agon_worker_def {
    char connect[256]; /* as agon_cluster_def.listen */
    char dir[512];     /* cache of snapshots, spool of results */
    char name[64];     /* for people; "": the host's */
    char token[512];   /* file of its token; "": none */
    char tls[512];     /* directory with ca.pem; "": none */
    char nkey[512];
    int slots;      /* threads, and tasks at a time but for those that a device does together */
    uint64_t cache; /* bytes of snapshots kept */
    const agon_backend* backend; /* the run's must compute the same bytes */
    char build[128];             /* agon --version, one line */
    int games;                   /* plug-ins, loaded already: game strings, their files' hashes */
    char game[16][128];
    char game_file[16][AGON_HASH_SIZE];
    bool once; /* end when the coordinator says BYE, or cannot be reached for a minute */
    void (*note)(void* user, const char* text);
    void (*tick)(void* user, const agon_worker_state* state);
    void* user;
} agon_worker_def;

struct agon_worker_state {
    bool connected, draining;
    char run[128];
    int slots, running, spooled;
    uint64_t tasks, steps, received, sent; /* accepted; agent-steps; bytes */
    double seconds;
};

/* Until SIGTERM or SIGINT: then it finishes what runs and ends; at the second it hands back and
 * ends at once. AGON_OK then, and when `once` ends it; a code when it was turned away. */
int agon_worker_run(const agon_worker_def* def, agon_error* error);

#endif
