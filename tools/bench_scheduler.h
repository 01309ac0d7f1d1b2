/* bench_scheduler.h: a world in virtual time around the real scheduler: bench_scheduler.c says what
 * it is made of and prints what came of it, bench_scheduler_events.c holds what is to happen,
 * bench_scheduler_world.c is the coordinator's loop, bench_scheduler_worker.c the workers. */
#ifndef AGON_BENCH_SCHEDULER_H
#define AGON_BENCH_SCHEDULER_H

#include "games/random.h"
#include "net/scheduler.h"

/* Bytes of what is sent, frame heads included. */
typedef struct agon_world_sizes {
    double message[AGON__MESSAGE_KINDS + 1]; /* by kind, without what follows */
    double lease;                            /* more in a beat, for each lease after the first */
    double task[2], result[2];               /* train, match: their own bytes */
    double snapshot, learner;                /* blobs */
    int opponents;                           /* snapshots that a train task fetches */
} agon_world_sizes;

typedef struct agon_world_def {
    int workers, slots;               /* slots: of each worker */
    int agents, generations, matches; /* matches: of each agent, per generation */
    bool barrier;                     /* the next generation waits for the matches of this one */
    uint64_t seed;
    double train_s, match_s, golden_s; /* seconds of work, mean, for a worker of speed 1 */
    double task_spread, speed_spread;  /* of the logarithms of work and of workers' speed */
    double slow_share, slow_factor;    /* workers that are slower by so much, now and then */
    double life_s, away_s;  /* of a worker, mean, until it dies; until another comes in its place */
    double break_s, mend_s; /* of a connection, until it breaks, until it is there again */
    double silent;          /* share of deaths that no closed connection tells of */
    double latency_s, bandwidth; /* one way, mean; bytes per second of a worker */
    double loss;                 /* share of messages that never arrive */
    double commit_s;             /* until a result is on disk */
    int ahead; /* tasks that the coordinator knows before there is room for them */
    int lease_ms;
    double audit;
    agon_world_sizes sizes;
} agon_world_def;

typedef struct agon_world_result {
    double seconds;         /* virtual, from the first task to the last result */
    double there, capacity; /* slot-seconds that workers were there; times their speed */
    double work;            /* of all tasks, for a worker of speed 1 */
    double useful, audits, twice, lost; /* slot-seconds: first results, second executions and golden
                                           tasks, results that were there already, cut short */
    double messages, bytes, blob_bytes; /* both ways; bytes: without blobs */
    uint64_t tasks, calls, events;
    uint64_t calls_ns, slowest_ns; /* real time in the scheduler; of the slowest call */
    agon__scheduler_count count;
} agon_world_result;

int agon_world_run(const agon_world_def* def, agon_world_result* out, agon_error* error);

/* ---- inside ------------------------------------------------------------------------------- */

typedef struct agon_world agon_world;
typedef struct agon_world_lot agon_world_lot;
typedef struct agon_world_worker agon_world_worker;

typedef enum agon_world_kind {
    AGON_WORLD_BORN, /* a worker's own */
    AGON_WORLD_DIES,
    AGON_WORLD_BREAKS, /* its connection */
    AGON_WORLD_FINISHED,
    AGON_WORLD_BEATS,
    AGON_WORLD_TASK, /* messages that reach a worker */
    AGON_WORLD_BEAT_OK,
    AGON_WORLD_WANT,
    AGON_WORLD_ACK,
    AGON_WORLD_JOINED, /* the coordinator's */
    AGON_WORLD_LEFT,
    AGON_WORLD_TICK,
    AGON_WORLD_COMMITTED,
    AGON_WORLD_BEAT, /* messages that reach it */
    AGON_WORLD_OFFER,
    AGON_WORLD_CARGO
} agon_world_kind;

enum { AGON_WORLD_LEASES = 64 }; /* of one worker */

typedef struct agon_world_words { /* what a message says */
    uint64_t serial;              /* of the lot it is about */
    uint64_t lease;
    int task; /* -1: golden */
    char id[AGON_HASH_SIZE];
    int leases;
    agon__progress beat[AGON_WORLD_LEASES];
} agon_world_words;

typedef struct agon_world_event {
    double at;
    uint64_t order, life; /* life: of the worker; an event of an earlier one is void */
    uint64_t serial;      /* of a lot */
    agon_world_kind kind;
    int worker;
    agon_world_words* words; /* owned, or NULL */
} agon_world_event;

struct agon_world_lot { /* a task with a worker */
    agon_world_lot* next;
    uint64_t serial, lease;
    int task;
    char id[AGON_HASH_SIZE];
    bool running, finished, judged;
    double begun, ends, offered;
};

struct agon_world_worker {
    int number; /* in the scheduler */
    uint64_t life;
    char id[AGON_HASH_SIZE];
    bool alive, connected, known; /* known: the scheduler thinks that it is there */
    double speed, since;
    int running;
    agon_world_lot* lots;
};

typedef struct agon_world_task {
    double work;
    bool match, done;
} agon_world_task;

struct agon_world {
    const agon_world_def* def;
    agon_world_result* out;
    agon__scheduler* scheduler;
    agon_key key;
    uint32_t draws[2];
    double now;
    uint64_t clock_ns;      /* that the clock itself takes in a call's time */
    agon_world_event* heap; /* (events) */
    int events, room;
    uint64_t orders, serials, lives;
    agon_world_worker* worker; /* (workers + 1); 0 is the coordinator itself */
    int* by_number;            /* (numbers) worker of a scheduler's number */
    int numbers;
    agon_world_task* task; /* all of the run, in the order in which they are planned */
    int tasks;
    int planned, given, settled;      /* handed to the driver; to the scheduler; done */
    int generation, trained, matched; /* trained, matched: of this generation, done */
    int committed;                    /* results on their way to the disk */
    int rc;
};

double agon_world_roll(agon_world* w);                  /* 0..1 */
double agon_world_wait(agon_world* w, double mean);     /* exponential */
double agon_world_spread(agon_world* w, double spread); /* lognormal, mean 1 */
int64_t agon_world_ms(const agon_world* w);
/* words: taken over. */
void agon_world_at(agon_world* w, double at, agon_world_kind kind, int worker, uint64_t serial,
                   agon_world_words* words);
/* A message on its way: counted, perhaps lost. */
void agon_world_send(agon_world* w, agon_world_kind kind, agon__message_kind as, int worker,
                     double bytes, agon_world_words* words);
double agon_world_work(const agon_world* w, int task); /* seconds at speed 1 */

agon_world_event agon_world_next(agon_world* w); /* the soonest; there is always a tick */

/* bench_scheduler_worker.c */
void agon_worker_birth(agon_world* w, int worker);
void agon_worker_event(agon_world* w, const agon_world_event* e);
void agon_worker_welcome(agon_world* w, int worker); /* it is connected */
void agon_worker_take(agon_world* w, int worker, const agon_world_words* words);
void agon_worker_progress(agon_world* w, int worker, agon_world_words* words);
void agon_worker_judged(agon_world* w, int worker, uint64_t serial, bool useful, bool audit);
void agon_worker_end(agon_world* w, int worker); /* what it has begun is waste */

#endif
