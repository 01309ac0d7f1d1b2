/* scheduler.h: which worker runs which task, and whose results are believed.
 *
 * A state machine without sockets and without a clock: the caller says what happened and when
 * (milliseconds of any clock that does not go back). So the same code serves a coordinator and a
 * simulation of ten thousand workers. Calls take the same time however many tasks and workers there
 * are, but for _each, _progress, _recall and _cancel, and _next where those with room cannot do
 * what waits. Callbacks must not call back.
 *
 * Leases. A task is leased to a worker for lease_ms from its last beat; a lease has a number,
 * larger than all before. A worker that leaves, or lets a lease run out, gives the task back: it
 * goes to the front of the queue. A lease whose progress has not changed for three lease times and
 * ten times the median duration of its kind is taken back, too. A task that
 * was lost with AGON__MAX_LOST different workers, or failed on two or here, has failed. With a
 * broker a task may wait as long as those given to it later wait, too.
 *
 * Pace. Tasks of a short kind are handed out before their worker has room for them, others are not.
 * When the queue is empty and workers idle, they get what waits at others; then a task that by its
 * progress would be done sooner elsewhere, or of which nothing was heard for half a lease, is
 * leased once more. A worker known to take twice the median gets no such help to give, and what it
 * holds is leased once more even before the queue is empty.
 *
 * Results. The first result of a task is accepted, whoever brings it, with or without a lease: it
 * is a pure function. An equal one later is a duplicate, another one is a conflict.
 *
 * Trust. A worker first runs a golden task for each game it gets tasks of, whose result the trusted
 * worker (this process) has computed; another result strikes it. A share `audit` of accepted
 * results is executed again by another worker, or by the trusted one where there is no other; so is
 * a task in conflict. Where two hashes differ a third execution decides (by another worker, or the
 * trusted one), who loses is struck, and its results since its last good audit (4096 at most, and
 * half a million of all workers) are executed again.
 * A struck worker gets nothing more; its leases go back. `wrong` says that a released result lost.
 *
 * Impure tasks (a program outside plays) are executed once, by the trusted worker or one that
 * offers the same programs, and never audited. */
#ifndef AGON_SCHEDULER_H
#define AGON_SCHEDULER_H

#include "net/message.h"

#define AGON__MAX_LOST 10
#define AGON__TRUSTED  0 /* the worker that is this process */
#define AGON__BROKER   1 /* the "worker" that is a message broker */
#define AGON__PROGRAMS 4
#define AGON__KINDS    3

typedef struct agon__scheduler agon__scheduler;

typedef struct agon__needs {
    char game[128];   /* game string */
    char plugin[128]; /* its name, where it is not a built-in; "": it is */
    int kind;         /* tasks of one kind take about as long: 1..AGON__KINDS; 0: of none */
    int programs;     /* that play in it; then it is impure */
    agon__agent_offer program[AGON__PROGRAMS];
} agon__needs;

typedef struct agon__scheduler_def {
    int lease_ms;
    double audit;      /* share of results, 0..1 */
    uint64_t secret;   /* which results are audited cannot be told without it */
    int trusted_slots; /* ordinary tasks that this process runs at a time; 0: only those that
                          nobody else can do, one at a time */
    bool broker;       /* ordinary tasks are all leased to AGON__BROKER, without limit */
    void* user;
    /* The golden task of a game, malloc'd. */
    int (*golden)(void* user, const agon__needs* needs, uint8_t** data, size_t* size);
    /* As agon_executor_done: exactly once per added task. */
    void (*done)(void* user, uint64_t ticket, int status, const uint8_t* data, size_t size,
                 const agon_error* error);
    void (*wrong)(void* user, const uint8_t* task, size_t size, const agon_error* why);
    void (*note)(void* user, const char* text);
    void (*struck)(void* user, int worker, const char* why); /* to be sent away */
    /* (optional) A lease that ended while its worker runs it: it may stop, and hears so at its next
     * beat anyway. */
    void (*unwanted)(void* user, int worker, uint64_t lease);
} agon__scheduler_def;

typedef struct agon__lease {
    uint64_t number;
    int worker;
    const char* id;      /* of the task; borrowed until the lease ends */
    const uint8_t* data; /* of the task; likewise */
    size_t size;
} agon__lease;

typedef enum agon__offer_answer {
    AGON__OFFER_SETTLED, /* *verdict says how; the bytes are not needed */
    AGON__OFFER_WANTED   /* bring the bytes */
} agon__offer_answer;

/* One worker, as people see it. */
typedef struct agon__worker_row {
    int worker;
    agon__hello hello;
    char address[128];
    bool present, struck;
    int credit, running;                         /* tasks */
    int strikes, failures;                       /* wrong results; tasks that it could not do */
    uint64_t tasks, steps, audits, lost, cpu_ms; /* accepted, agent-steps, passed, leases lost */
    int64_t joined_ms, seen_ms, progress_ms;     /* of the caller's clock */
    char why[160]; /* why it was struck or turned away; "": it was not */
} agon__worker_row;

typedef struct agon__scheduler_count {
    int queued, leased, checks;         /* tasks; results being executed again */
    int workers, slots, credit, struck; /* present ones, their slots, the tasks they take */
    uint64_t done, duplicates, conflicts, lost, audited, backups, steps; /* so far */
    int failing; /* tasks that failed once */
} agon__scheduler_count;

int agon__scheduler_open(const agon__scheduler_def* def, int64_t now, agon__scheduler** out,
                         agon_error* error);
void agon__scheduler_close(agon__scheduler* s);

/* Takes over data. AGON_EINVALID: the same task is there already. */
int agon__scheduler_add(agon__scheduler* s, uint64_t ticket, const agon__needs* needs,
                        uint8_t* data, size_t size, int64_t now, agon_error* error);

/* Returns the worker's number (above AGON__BROKER), for as long as the scheduler lives. One of the
 * same hello.id takes the place of the first: its number and its leases are kept. AGON_EINVALID: it
 * is struck, or comes with another token than the first. */
int agon__scheduler_join(agon__scheduler* s, const agon__hello* hello, const char* address,
                         int64_t now, agon_error* error);
/* Its leases end at once. */
void agon__scheduler_leave(agon__scheduler* s, int worker, int64_t now);
/* How many tasks it takes in all, running ones included. */
void agon__scheduler_credit(agon__scheduler* s, int worker, int tasks, int64_t now);
/* Struck before, as a file of an earlier process says: by hello.id, or by token unless "-". */
int agon__scheduler_ban(agon__scheduler* s, const char* id, const char* token, const char* why);

/* The next lease to hand out, to whomever; false: none for now. Workers of whom this process is one
 * get them by turns. This process has to say of each of its leases how it ended, by a result or
 * agon__scheduler_nak, also when it was dropped: until then it takes a slot. */
bool agon__scheduler_next(agon__scheduler* s, int64_t now, agon__lease* out);
/* false: the lease is not (any longer) this worker's, it should stop. A lease of the broker becomes
 * the worker's. */
bool agon__scheduler_beat(agon__scheduler* s, int worker, uint64_t lease, int permille,
                          uint64_t steps, int64_t now);
/* A worker has a result of this hash. The lease, if it was one, stays until the bytes came. */
agon__offer_answer agon__scheduler_offer(agon__scheduler* s, int worker,
                                         const agon__result_offer* offer, int64_t now,
                                         agon__verdict* verdict);
/* The bytes, whose hash the caller has checked, and that they are a result of this task. */
agon__verdict agon__scheduler_result(agon__scheduler* s, int worker,
                                     const agon__result_offer* offer, const uint8_t* data,
                                     size_t size, int64_t now);
void agon__scheduler_nak(agon__scheduler* s, int worker, const agon__nak* nak, int64_t now);
/* Bytes that are no result of the task, or do not have the hash that was offered: a strike. */
void agon__scheduler_bad(agon__scheduler* s, int worker, const char* task, const char* why,
                         int64_t now);
/* Leases that ran out. To be called at least every quarter of lease_ms. */
void agon__scheduler_tick(agon__scheduler* s, int64_t now);
/* Ordinary tasks that nobody has begun end with AGON_ECANCELLED. */
void agon__scheduler_recall(agon__scheduler* s);
/* Every task ends with AGON_ECANCELLED; leases end. */
void agon__scheduler_cancel(agon__scheduler* s);

/* The task of an id, while it is not done; NULL: none. */
const uint8_t* agon__scheduler_task(const agon__scheduler* s, const char* id, size_t* size);
agon__scheduler_count agon__scheduler_now(const agon__scheduler* s);
/* Progress of running tasks, as agon_executor. */
void agon__scheduler_progress(const agon__scheduler* s, unsigned* permille, uint64_t* steps);
/* Every worker that ever joined, in the order of their numbers. */
void agon__scheduler_each(const agon__scheduler* s,
                          void (*visit)(void* user, const agon__worker_row* row), void* user);
/* Milliseconds that half of the accepted tasks took at most, of the last 256; 0: none yet. */
int64_t agon__scheduler_median(const agon__scheduler* s);

#endif
