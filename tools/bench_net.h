/* bench_net.h: a coordinator in this process, and client processes that keep it busy. */
#ifndef AGON_BENCH_NET_H
#define AGON_BENCH_NET_H

#include "tools/bench.h"

#include "engine/task.h"

#include <stdatomic.h>
#include <sys/types.h>

enum {
    AGON_BENCH_CLIENTS = 4,
    AGON_BENCH_PLACES = 64,    /* tasks, or messages, that a client has at a time */
    AGON_BENCH_BLOB = 4 << 20, /* bytes */
    AGON_BENCH_BLOBS = 16,     /* different ones, which each client wants by turns ... */
    AGON_BENCH_WANTED = 4,     /* ... so many at a time */
    AGON_BENCH_PATIENCE_MS = 30000
};

/* What was done between two moments, and what this process took for it. */
typedef struct agon_bench_window {
    double amount, seconds, cpu;
} agon_bench_window;

/* A window of a loop: it begins when all is under way, and ends after so many seconds. */
typedef struct agon_bench_meter {
    double seconds; /* that it is to last */
    double begun;   /* 0: not yet */
    double cpu, amount;
    bool over;
} agon_bench_meter;

/* To be called at every turn. ready: may it begin? amount: done since whenever. */
void agon_bench_meter_turn(agon_bench_meter* m, bool ready, double amount, agon_bench_window* out);

/* What goes to the clients: matches of a few microseconds, alike but for their keys; and blobs. */
typedef struct agon_bench_cargo {
    agon_task task;
    size_t task_size, result_size; /* encoded */
    char hash[AGON_BENCH_BLOBS][AGON_HASH_SIZE];
    uint8_t* blob[AGON_BENCH_BLOBS]; /* owned */
} agon_bench_cargo;

int agon_bench_cargo_make(const char* game, agon_bench_cargo* out, agon_error* error);
void agon_bench_cargo_free(agon_bench_cargo* cargo);
/* The key of the task of a number; all have as many characters. */
void agon_bench_cargo_key(unsigned number, char out[AGON_KEY_SIZE]);

/* ---- client processes: bench_net_clients.c -------------------------------------------------- */

typedef struct agon_bench_order {
    const agon_bench_cargo* cargo;
    const char *tls, *tls_client; /* directories of `agon cert`, or NULL */
} agon_bench_order;

/* Memory of the parent and its clients. */
typedef struct agon_bench_shared {
    atomic_ullong got[AGON_BENCH_CLIENTS]; /* bytes that came */
    atomic_bool over;                      /* nothing more is measured */
} agon_bench_shared;

/* Runs in a process of its own until the other side parts. Returns an exit status. */
typedef int agon_bench_talk(const agon_bench_order* order, int port, agon_bench_shared* shared,
                            int index);

agon_bench_talk agon_bench_talk_tasks;  /* does tasks; bench_net_talk.c */
agon_bench_talk agon_bench_talk_chunks; /* wants blobs */
agon_bench_talk agon_bench_talk_echo;   /* no agon: answers task_size bytes with result_size */
agon_bench_talk agon_bench_talk_drain;  /* no agon: reads */

typedef struct agon_bench_clients {
    int count;
    pid_t pid[AGON_BENCH_CLIENTS];
    int gate[AGON_BENCH_CLIENTS]; /* the port goes through it */
    agon_bench_shared* shared;
} agon_bench_clients;

/* Before any loop is made, of which they would inherit half. */
int agon_bench_clients_start(agon_bench_clients* c, agon_bench_talk* talk,
                             const agon_bench_order* order, agon_error* error);
void agon_bench_clients_go(agon_bench_clients* c, int port);
/* Waits for them; those that were not told a port end by themselves. */
int agon_bench_clients_end(agon_bench_clients* c, agon_error* error);
uint64_t agon_bench_clients_got(const agon_bench_clients* c, bool least); /* bytes, of all */

/* ---- the centre: the executor of cluster.h, bench_net_centre.c ------------------------------ */

int agon_bench_centre_tasks(const agon_bench_order* order, double seconds, agon_bench_window* out,
                            agon_error* error);
int agon_bench_centre_chunks(const agon_bench_order* order, double seconds, agon_bench_window* out,
                             agon_error* error);

/* ---- the same bytes by libuv alone: bench_net_plain.c --------------------------------------- */

int agon_bench_plain_echo(const agon_bench_order* order, double seconds, agon_bench_window* out,
                          agon_error* error);
int agon_bench_plain_write(const agon_bench_order* order, double seconds, agon_bench_window* out,
                           agon_error* error);

#endif
