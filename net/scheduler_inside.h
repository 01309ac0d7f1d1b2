/* scheduler_inside.h: what the parts of the scheduler share: scheduler.c (jobs and queues),
 * scheduler_give.c (whom to give what), scheduler_leases.c (who runs what), scheduler_workers.c
 * (who is there), scheduler_pace.c (how long it takes), scheduler_trust.c (whose results are
 * believed), scheduler_memory.c (what came long ago). */
#ifndef AGON_SCHEDULER_INSIDE_H
#define AGON_SCHEDULER_INSIDE_H

#include "net/scheduler.h"

#define AGON__MOST_VOTES    6
#define AGON__MOST_GAMES    256
#define AGON__SINCE         4096      /* results of a worker that wait for its next good audit */
#define AGON__SINCE_ALL     (1 << 19) /* of all workers */
#define AGON__GOLDEN_TRIES  3
#define AGON__HISTORY       (1 << 16) /* results that are remembered by their hash alone */
#define AGON__LEASE_BUCKETS 16384
#define AGON__CREW_BUCKETS  16384
#define AGON__DURATIONS     256
#define AGON__FEW           8   /* durations, before a median is believed */
#define AGON__SLUGGISH      2.0 /* medians that a worker's tasks take, from which it helps nobody */
#define AGON__HOUR_MS       3600000
#define AGON__HOST_FAULTS   3 /* within an hour */

typedef struct agon__job agon__job;
typedef struct agon__grant agon__grant;
typedef struct agon__class agon__class;
typedef struct agon__known_game agon__known_game;

typedef enum agon__purpose {
    AGON__FOR_WORK,
    AGON__FOR_BACKUP,
    AGON__FOR_CHECK,
    AGON__FOR_GOLDEN
} agon__purpose;

typedef struct agon__vote {
    int worker;
    char hash[AGON_HASH_SIZE];
} agon__vote;

/* A lease. */
struct agon__grant {
    uint64_t number;
    int worker;
    agon__purpose purpose;
    agon__job* job;
    int64_t granted_ms, beat_ms, progress_ms;
    int64_t begun_ms; /* as far as is known: it may wait at its worker first */
    int permille;
    bool overtaken; /* it lies with the broker, and one given to it later has been begun */
    uint64_t steps;
    agon__grant *older, *younger; /* of all (or of all the broker's), by their last beat */
    agon__grant *of_worker, *of_worker_before;
    agon__grant* of_job;
    agon__grant* chain; /* by number */
};

struct agon__job {
    char id[AGON_HASH_SIZE];
    uint64_t ticket, order; /* order: of acceptance */
    agon__class* class;
    agon__known_game* game;
    int kind;
    bool golden, queued, done;
    bool checking, unchecked; /* unchecked: it waits in the queue of checks */
    bool kept;                /* in its worker's list since the last audit */
    uint8_t* data;            /* owned */
    size_t size;
    char hash[AGON_HASH_SIZE]; /* accepted */
    int by;                    /* who brought it */
    int votes;
    agon__vote vote[AGON__MOST_VOTES];
    int losers;
    int loser[AGON__MAX_LOST]; /* different workers that it was lost with */
    int failed;                /* worker that it failed on; -1: none */
    bool backed;               /* leased twice */
    bool slow, hopeless; /* in the queue of slow ones; so slow that it comes before new tasks */
    int64_t begun_ms;    /* of its first lease now */
    agon__grant* grants;
    agon__job *next, *before;   /* in its queue: its class's, of checks, or of slow ones */
    agon__job *later, *earlier; /* of all that are leased, by begun_ms; or of all that are kept */
    agon__job *since, *since_before; /* results of the same worker */
    agon__job* chain;                /* by id */
};

typedef struct agon__queue {
    agon__job *first, *last;
} agon__queue;

/* Tasks that the same workers can do. */
struct agon__class {
    agon__class* next;
    agon__needs needs; /* game apart */
    agon__queue queue;
    int able; /* worker that could when it was last asked */
};

struct agon__known_game {
    agon__known_game* next;
    int number;
    char game[128];
    agon__job* golden;              /* NULL: none can be made */
    char reference[AGON_HASH_SIZE]; /* its result's hash; "": not known yet */
    bool asked;                     /* the trusted worker computes it */
    int failures;                   /* times that it could not */
};

typedef enum agon__line_name {
    AGON__IDLE,  /* workers that would begin a task at once */
    AGON__SPARE, /* that take another, but run as many as they can */
    AGON__OVER,  /* that hold more than they can run */
    AGON__LINES
} agon__line_name;

typedef struct agon__line {
    int first, last; /* workers' numbers; -1: none */
} agon__line;

typedef struct agon__place { /* of a worker in a line */
    bool in;
    int next, before;
} agon__place;

typedef struct agon__pace { /* of tasks of one kind, or of all */
    int64_t duration[AGON__DURATIONS];
    int durations;
    int64_t median;
} agon__pace;

typedef struct agon__crew {
    agon__worker_row row;
    agon__grant* grants;
    uint64_t proven[AGON__MOST_GAMES / 64];
    char golden_hash[AGON_HASH_SIZE]; /* its result of golden_game, until there is a reference */
    agon__known_game* golden_game;
    bool golden_out; /* it runs one, or waits for its judgement */
    agon__job *since_first, *since_last;
    int since;
    int64_t fault_ms[AGON__HOST_FAULTS]; /* the latest host faults */
    int faults;
    int same_bucket; /* the next worker of its bucket; -1: none */
    int held;        /* of this process: leases it has not spoken of yet */
    double pace; /* its durations in medians of their kind, the latest weigh most; 0: not known */
    agon__place place[AGON__LINES];
} agon__crew;

typedef struct agon__ban {
    struct agon__ban* next;
    char id[AGON_HASH_SIZE], token[64], why[160];
} agon__ban;

typedef struct agon__memory { /* of one result, as 32 bytes each */
    uint8_t id[32], hash[32];
    int next; /* in its bucket; -1: none */
} agon__memory;

struct agon__scheduler {
    agon__scheduler_def def;
    agon__crew** crew; /* (crews) each owned */
    int crews, crew_room;
    int* crew_bucket; /* (AGON__CREW_BUCKETS) by hello.id: the latest worker; -1: none */
    agon__line line[AGON__LINES];
    agon__job** jobs; /* (job_buckets) by id */
    agon__grant** grants;
    agon__class* classes;
    agon__known_game* games;
    int game_count;
    agon__queue checks, slow;
    agon__job *begun_first, *begun_last; /* leased, the longest ago first */
    agon__grant *oldest, *youngest;      /* by their last beat */
    agon__grant *broker_oldest, *broker_youngest;
    uint64_t broker_reached; /* the largest number of its leases that was begun ... */
    int64_t broker_moved_ms; /* ... and when one was last begun */
    uint64_t numbers, orders;
    agon__scheduler_count count;
    int waiting; /* jobs in classes' queues */
    agon__job *kept_first, *kept_last;
    int kept;
    agon__ban* bans;
    agon__memory* memory; /* (AGON__HISTORY) a ring */
    int* memory_bucket;   /* (AGON__HISTORY) */
    int memories, memory_next;
    agon__pace pace[AGON__KINDS + 1]; /* 0: of all */
};

/* scheduler.c */
uint64_t agon__hash_head(const char* hash); /* its first 64 bits */
agon__job* agon__job_find(const agon__scheduler* s, const char* id);
agon__job* agon__job_new(agon__scheduler* s, const agon__needs* needs, uint8_t* data, size_t size);
void agon__job_free(agon__scheduler* s, agon__job* job);
void agon__queue_push(agon__queue* queue, agon__job* job, bool front);
void agon__queue_take(agon__queue* queue, agon__job* job);
/* Back among those that wait for a worker. */
void agon__job_requeue(agon__scheduler* s, agon__job* job);
void agon__job_fail(agon__scheduler* s, agon__job* job, int status, const char* text);
void agon__scheduler_say(agon__scheduler* s, const char* format, ...)
    __attribute__((format(printf, 2, 3)));

/* scheduler_leases.c */
/* NULL: no memory. */
agon__grant* agon__grant_begin(agon__scheduler* s, agon__job* job, int worker,
                               agon__purpose purpose, int64_t now);
agon__grant* agon__grant_find(const agon__scheduler* s, uint64_t number);
/* Ends a lease; the job stays where it is. */
void agon__grant_end(agon__scheduler* s, agon__grant* grant);
/* Ends it without a result: the job waits for another worker, or has been lost too often. */
void agon__grant_lose(agon__scheduler* s, agon__grant* grant, bool lost);
/* The same, and its worker is told. */
void agon__grant_revoke(agon__scheduler* s, agon__grant* grant);
void agon__grants_end(agon__scheduler* s, agon__job* job); /* revokes all */
/* A lease of the broker's has been begun, or its result is here. */
void agon__broker_moved(agon__scheduler* s, uint64_t number, int64_t now);

/* For the task itself, rather than a trial or a check of somebody. */
static inline bool agon__for_task(const agon__grant* g) {
    return g->purpose == AGON__FOR_WORK || g->purpose == AGON__FOR_BACKUP;
}

/* scheduler_pace.c */
/* Of the job's kind; as long as too little is known of that, of all. */
const agon__pace* agon__pace_of(const agon__scheduler* s, const agon__job* job);
void agon__pace_note(agon__scheduler* s, const agon__job* job, agon__crew* by, int64_t duration);
/* After a beat: is it one of the slow ones now? */
void agon__slow_look(agon__scheduler* s, const agon__grant* grant, int64_t now);
void agon__slow_add(agon__scheduler* s, const agon__grant* grant, bool hopeless);
void agon__slow_take(agon__scheduler* s, agon__job* job);

/* scheduler_workers.c */
agon__crew* agon__crew_of(const agon__scheduler* s, int worker); /* NULL: there is none */
bool agon__crew_can(const agon__scheduler* s, int worker, const agon__class* class);
void agon__crew_ready(agon__scheduler* s, int worker);      /* looks whether it has room */
void agon__crew_turn(agon__scheduler* s, int worker);       /* now it is the others' turn */
int agon__crew_slots(const agon__scheduler* s, int worker); /* tasks it runs at a time */
/* Takes it out of all that goes on: wrong results, or one host fault too many. */
void agon__crew_strike(agon__scheduler* s, int worker, bool wrong, const char* why);
/* This process has said how one of its leases ended. */
void agon__trusted_spoke(agon__scheduler* s);
int agon__crew_room_of(const agon__scheduler* s, int worker); /* tasks it takes in all */

/* scheduler_memory.c */
void agon__hash_pack(const char* hex, uint8_t out[32]);
void agon__remember(agon__scheduler* s, const agon__job* job);
const agon__memory* agon__recall(agon__scheduler* s, const char* id); /* NULL: forgotten */

/* scheduler_trust.c */
bool agon__proven(const agon__scheduler* s, int worker, const agon__known_game* game);
agon__known_game* agon__game_of(agon__scheduler* s, const agon__needs* needs);
void agon__check_begin(agon__scheduler* s, agon__job* job);
void agon__check_end(agon__scheduler* s, agon__job* job);
/* Among those that wait for somebody to execute them again, or no longer. */
void agon__check_wait(agon__scheduler* s, agon__job* job, bool front);
void agon__check_take(agon__scheduler* s, agon__job* job);
/* An accepted result that nobody wants to know about any more: freed. */
void agon__job_forget(agon__scheduler* s, agon__job* job);
/* The next vote is the trusted worker's: too many others disagree. */
bool agon__check_last(const agon__job* job);
/* What the trusted worker cannot compute proves nobody. */
void agon__golden_failed(agon__scheduler* s, agon__known_game* game);
/* Nobody can execute it again. */
void agon__check_give_up(agon__scheduler* s, agon__job* job);
bool agon__check_voted(const agon__job* job, int worker);
/* A struck worker's results since its last good audit are executed again. */
void agon__check_all_since(agon__scheduler* s, int worker);
void agon__since_clear(agon__scheduler* s, agon__crew* crew, uint64_t order);

#endif
