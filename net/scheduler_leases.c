/* scheduler_leases.c: who runs what, and for how long nobody hears of it. */
#include "net/scheduler_inside.h"

#include <stdlib.h>
#include <string.h>

#define STUCK           10 /* medians without progress ... */
#define STUCK_LEASES    3  /* ... and leases, after which it is taken back */
#define BROKER_PATIENCE 4  /* leases that a task may lie with the broker; and STUCK medians */

agon__grant* agon__grant_find(const agon__scheduler* s, uint64_t number) {
    for (agon__grant* g = s->grants[number % AGON__LEASE_BUCKETS]; g; g = g->chain)
        if (g->number == number)
            return g;
    return NULL;
}

/* ---- the order of beats ------------------------------------------------------------------- */

static void link_beat(agon__scheduler* s, agon__grant* g) {
    const bool broker = g->worker == AGON__BROKER;
    agon__grant** first = broker ? &s->broker_oldest : &s->oldest;
    agon__grant** last = broker ? &s->broker_youngest : &s->youngest;
    g->older = *last;
    g->younger = NULL;
    if (*last)
        (*last)->younger = g;
    else
        *first = g;
    *last = g;
}

static void unlink_beat(agon__scheduler* s, agon__grant* g) {
    const bool broker = g->worker == AGON__BROKER;
    if (g->older)
        g->older->younger = g->younger;
    else if (broker)
        s->broker_oldest = g->younger;
    else
        s->oldest = g->younger;
    if (g->younger)
        g->younger->older = g->older;
    else if (broker)
        s->broker_youngest = g->older;
    else
        s->youngest = g->older;
}

static void link_worker(agon__scheduler* s, agon__grant* g) {
    agon__crew* c = s->crew[g->worker];
    g->of_worker = c->grants;
    g->of_worker_before = NULL;
    if (g->of_worker)
        g->of_worker->of_worker_before = g;
    c->grants = g;
    c->row.running++;
}

static void unlink_worker(agon__scheduler* s, agon__grant* g) {
    agon__crew* c = s->crew[g->worker];
    if (g->of_worker_before)
        g->of_worker_before->of_worker = g->of_worker;
    else
        c->grants = g->of_worker;
    if (g->of_worker)
        g->of_worker->of_worker_before = g->of_worker_before;
    c->row.running--;
}

/* ---- the order of beginnings -------------------------------------------------------------- */

static void link_begun(agon__scheduler* s, agon__job* job, int64_t now) {
    job->begun_ms = now;
    job->backed = false;
    job->earlier = s->begun_last;
    job->later = NULL;
    if (s->begun_last)
        s->begun_last->later = job;
    else
        s->begun_first = job;
    s->begun_last = job;
    s->count.leased++;
}

static void unlink_begun(agon__scheduler* s, agon__job* job) {
    agon__slow_take(s, job);
    if (job->earlier)
        job->earlier->later = job->later;
    else
        s->begun_first = job->later;
    if (job->later)
        job->later->earlier = job->earlier;
    else
        s->begun_last = job->earlier;
    s->count.leased--;
}

/* ---- the beginning and the end of a lease ------------------------------------------------- */

agon__grant* agon__grant_begin(agon__scheduler* s, agon__job* job, int worker,
                               agon__purpose purpose, int64_t now) {
    agon__grant* g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->number = ++s->numbers;
    g->worker = worker;
    g->purpose = purpose;
    g->job = job;
    g->granted_ms = g->beat_ms = g->progress_ms = g->begun_ms = now;
    if (agon__for_task(g) && !job->grants)
        link_begun(s, job, now);
    g->of_job = job->grants;
    job->grants = g;
    g->chain = s->grants[g->number % AGON__LEASE_BUCKETS];
    s->grants[g->number % AGON__LEASE_BUCKETS] = g;
    link_worker(s, g);
    link_beat(s, g);
    if (worker == AGON__TRUSTED)
        s->crew[worker]->held++;
    agon__crew_ready(s, worker);
    agon__crew_turn(s, worker);
    return g;
}

void agon__grant_end(agon__scheduler* s, agon__grant* g) {
    agon__job* job = g->job;
    const int worker = g->worker;
    agon__grant** at = &job->grants;
    while (*at != g)
        at = &(*at)->of_job;
    *at = g->of_job;
    at = &s->grants[g->number % AGON__LEASE_BUCKETS];
    while (*at != g)
        at = &(*at)->chain;
    *at = g->chain;
    unlink_beat(s, g);
    unlink_worker(s, g);
    if (agon__for_task(g) && !job->grants)
        unlink_begun(s, job);
    else if (agon__for_task(g))
        job->backed = false;
    if (g->purpose == AGON__FOR_GOLDEN && worker != AGON__TRUSTED)
        s->crew[worker]->golden_out = s->crew[worker]->golden_hash[0] != '\0';
    if (g->purpose == AGON__FOR_GOLDEN && worker == AGON__TRUSTED && job->game)
        job->game->asked = false;
    free(g);
    agon__crew_ready(s, worker);
}

void agon__grant_revoke(agon__scheduler* s, agon__grant* g) {
    if (g->worker > AGON__BROKER && s->def.unwanted)
        s->def.unwanted(s->def.user, g->worker, g->number);
    agon__grant_end(s, g);
}

void agon__grants_end(agon__scheduler* s, agon__job* job) {
    while (job->grants)
        agon__grant_revoke(s, job->grants);
}

/* Churn takes tasks from many workers; one that takes its workers down is a task of its own kind.
 */
static bool lost_too_often(agon__job* job, int worker) {
    for (int i = 0; i < job->losers; i++)
        if (job->loser[i] == worker)
            return false;
    if (job->losers < AGON__MAX_LOST)
        job->loser[job->losers++] = worker;
    return job->losers == AGON__MAX_LOST;
}

void agon__grant_lose(agon__scheduler* s, agon__grant* g, bool lost) {
    agon__job* job = g->job;
    const int worker = g->worker;
    const agon__purpose purpose = g->purpose;
    agon__grant_end(s, g);
    if (lost) {
        s->count.lost++;
        s->crew[worker]->row.lost++;
    }
    if (purpose == AGON__FOR_CHECK) {
        if (job->checking)
            agon__check_wait(s, job, true);
        return;
    }
    if (purpose == AGON__FOR_GOLDEN || job->grants)
        return;
    if (lost && worker > AGON__BROKER && lost_too_often(job, worker)) {
        char text[160];
        snprintf(text, sizeof text, "task %.12s was lost with %d workers, one after another",
                 job->id, AGON__MAX_LOST);
        agon__job_fail(s, job, AGON_EIO, text);
        return;
    }
    agon__job_requeue(s, job);
}

/* ---- while it runs ------------------------------------------------------------------------ */

static bool is_stuck(const agon__scheduler* s, const agon__grant* g, int64_t now) {
    const agon__pace* pace = agon__pace_of(s, g->job);
    const int64_t leases = STUCK_LEASES * (int64_t)s->def.lease_ms;
    const int64_t medians = STUCK * (pace->durations < AGON__FEW ? leases : pace->median);
    return now - g->progress_ms > (leases > medians ? leases : medians);
}

/* Whoever speaks of a lease of the broker's has it; only now does its time begin. */
static void adopt(agon__scheduler* s, agon__grant* g, int worker, int64_t now) {
    unlink_beat(s, g);
    unlink_worker(s, g);
    g->worker = worker;
    g->granted_ms = g->progress_ms = g->beat_ms = g->begun_ms = now;
    link_worker(s, g);
    link_beat(s, g);
    agon__broker_moved(s, g->number, now);
    agon__crew_ready(s, worker);
}

/* The lease of this number, if it is this worker's, or has just become so. */
static agon__grant* lease_of(agon__scheduler* s, int worker, uint64_t lease, int64_t now) {
    agon__grant* g = agon__grant_find(s, lease);
    agon__crew* c = agon__crew_of(s, worker);
    if (!c)
        return NULL;
    c->row.seen_ms = now;
    if (!g || c->row.struck || (g->worker != worker && g->worker != AGON__BROKER))
        return NULL;
    if (g->worker != worker)
        adopt(s, g, worker, now);
    return g;
}

bool agon__scheduler_beat(agon__scheduler* s, int worker, uint64_t lease, int permille,
                          uint64_t steps, int64_t now) {
    agon__grant* g = lease_of(s, worker, lease, now);
    if (!g)
        return false;
    agon__crew* c = s->crew[worker];
    unlink_beat(s, g);
    if (!permille && !steps && c->row.running > agon__crew_slots(s, worker))
        g->begun_ms = g->progress_ms = now; /* it waits for another to end */
    if (permille != g->permille || steps != g->steps) {
        g->progress_ms = now;
        c->row.progress_ms = now;
    }
    g->permille = permille;
    g->steps = steps;
    g->beat_ms = now;
    link_beat(s, g);
    agon__slow_look(s, g, now);
    if (!is_stuck(s, g, now))
        return true;
    agon__scheduler_say(s, "worker %s makes no progress with task %.12s: it goes to another",
                        c->row.hello.name, g->job->id);
    agon__grant_lose(s, g, true);
    return false;
}

void agon__broker_moved(agon__scheduler* s, uint64_t number, int64_t now) {
    s->broker_moved_ms = now;
    if (number > s->broker_reached)
        s->broker_reached = number;
}

/* A broker hands out in the order it was given, so a task may lie there as long as none of those
 * after it has been begun, and others are begun at all. */
static void tick_broker(agon__scheduler* s, int64_t now) {
    const int64_t patience = BROKER_PATIENCE * (int64_t)s->def.lease_ms + STUCK * s->pace[0].median;
    if (s->count.workers == 0)
        s->broker_moved_ms = now;
    const bool moves = now - s->broker_moved_ms <= patience;
    agon__grant* next;
    for (agon__grant* g = s->broker_oldest; g; g = next) {
        next = g->younger;
        if (g->number >= s->broker_reached && moves)
            return;
        if (g->number < s->broker_reached && !g->overtaken) {
            g->overtaken = true;
            g->beat_ms = now;
        }
        if (now - g->beat_ms > patience)
            agon__grant_lose(s, g, true);
    }
}

void agon__scheduler_tick(agon__scheduler* s, int64_t now) {
    for (agon__grant* g; (g = s->oldest) && now - g->beat_ms > s->def.lease_ms;)
        agon__grant_lose(s, g, true);
    for (agon__grant* g = s->oldest; g && now - g->beat_ms > s->def.lease_ms / 2; g = g->younger)
        agon__slow_add(s, g, false); /* beats are missing: perhaps it is lost already */
    tick_broker(s, now);
}

/* ---- handed back -------------------------------------------------------------------------- */

static void host_fault(agon__scheduler* s, int worker, const char* text, int64_t now) {
    agon__crew* c = s->crew[worker];
    char why[sizeof c->row.why];
    c->row.failures++;
    memmove(c->fault_ms + 1, c->fault_ms, sizeof c->fault_ms - sizeof *c->fault_ms);
    c->fault_ms[0] = now;
    agon__scheduler_say(s, "worker %s cannot do a task: %.300s", c->row.hello.name, text);
    c->faults++;
    if (worker <= AGON__BROKER || c->faults < AGON__HOST_FAULTS ||
        now - c->fault_ms[AGON__HOST_FAULTS - 1] > AGON__HOUR_MS)
        return;
    snprintf(why, sizeof why, "%d tasks failed on it within an hour, the last: %.90s",
             AGON__HOST_FAULTS, text);
    agon__crew_strike(s, worker, false, why);
}

/* On two workers: then it is the task's own fault. */
static void task_fault(agon__scheduler* s, agon__grant* g, const char* text) {
    agon__job* job = g->job;
    const int worker = g->worker;
    s->crew[worker]->row.failures++;
    if (job->failed >= 0 && job->failed != worker) {
        agon__job_fail(s, job, AGON_EINVALID, text);
        return;
    }
    if (job->failed < 0)
        s->count.failing++;
    job->failed = worker;
    agon__grant_lose(s, g, false);
}

/* Nobody could do better: what fails here has failed. */
static void trusted_fault(agon__scheduler* s, agon__grant* g, const agon__nak* nak) {
    agon__job* job = g->job;
    s->crew[AGON__TRUSTED]->row.failures++;
    if (g->purpose == AGON__FOR_GOLDEN) {
        agon__grant_end(s, g);
        agon__golden_failed(s, job->game);
    } else if (g->purpose == AGON__FOR_CHECK) {
        agon__scheduler_say(s, "task %.12s of worker %s cannot be checked: %.300s", job->id,
                            s->crew[job->by]->row.hello.name, nak->text);
        agon__check_give_up(s, job);
    } else {
        agon__job_fail(s, job, nak->class == AGON__NAK_TASK ? AGON_EINVALID : AGON_EIO, nak->text);
    }
}

void agon__scheduler_nak(agon__scheduler* s, int worker, const agon__nak* nak, int64_t now) {
    if (worker == AGON__TRUSTED)
        agon__trusted_spoke(s);
    agon__grant* g = lease_of(s, worker, nak->lease, now);
    if (!g)
        return;
    if (worker == AGON__TRUSTED && nak->class != AGON__NAK_BACK) {
        trusted_fault(s, g, nak);
        return;
    }
    if (nak->class == AGON__NAK_TASK && agon__for_task(g)) {
        task_fault(s, g, nak->text);
        return;
    }
    const bool check = g->purpose == AGON__FOR_CHECK && nak->class == AGON__NAK_TASK;
    agon__job* job = g->job;
    agon__grant_lose(s, g, false);
    if (check)
        job->failed = worker;
    else if (nak->class != AGON__NAK_BACK)
        host_fault(s, worker, nak->text, now);
}
