/* scheduler_leases.c: who runs what, and for how long nobody hears of it. */
#include "net/scheduler_inside.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS         16384
#define SLOW            3  /* medians, after which a task is leased once more */
#define STUCK           10 /* medians without progress ... */
#define STUCK_LEASES    3  /* ... and leases, after which it is taken back */
#define BROKER_PATIENCE 4  /* leases that a task may lie with the broker; and STUCK medians */
#define LOOK_AHEAD      16 /* slow tasks, or tasks to check, that are looked at for a match */

agon__grant* agon__grant_find(const agon__scheduler* s, uint64_t number) {
    for (agon__grant* g = s->grants[number % BUCKETS]; g; g = g->chain)
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

static bool for_task(const agon__grant* g) {
    return g->purpose == AGON__FOR_WORK || g->purpose == AGON__FOR_BACKUP;
}

/* ---- the beginning and the end of a lease ------------------------------------------------- */

static agon__grant* begin(agon__scheduler* s, agon__job* job, int worker, agon__purpose purpose,
                          int64_t now) {
    agon__grant* g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->number = ++s->numbers;
    g->worker = worker;
    g->purpose = purpose;
    g->job = job;
    g->granted_ms = g->beat_ms = g->progress_ms = now;
    if (for_task(g) && !job->grants)
        link_begun(s, job, now);
    g->of_job = job->grants;
    job->grants = g;
    g->chain = s->grants[g->number % BUCKETS];
    s->grants[g->number % BUCKETS] = g;
    link_worker(s, g);
    link_beat(s, g);
    agon__crew_ready(s, worker);
    return g;
}

void agon__grant_end(agon__scheduler* s, agon__grant* g) {
    agon__job* job = g->job;
    const int worker = g->worker;
    agon__grant** at = &job->grants;
    while (*at != g)
        at = &(*at)->of_job;
    *at = g->of_job;
    at = &s->grants[g->number % BUCKETS];
    while (*at != g)
        at = &(*at)->chain;
    *at = g->chain;
    unlink_beat(s, g);
    unlink_worker(s, g);
    if (for_task(g) && !job->grants)
        unlink_begun(s, job);
    if (g->purpose == AGON__FOR_GOLDEN && worker != AGON__TRUSTED)
        s->crew[worker]->golden_out = s->crew[worker]->golden_hash[0] != '\0';
    if (g->purpose == AGON__FOR_GOLDEN && worker == AGON__TRUSTED && job->game)
        job->game->asked = false;
    free(g);
    agon__crew_ready(s, worker);
}

void agon__grants_end(agon__scheduler* s, agon__job* job) {
    while (job->grants)
        agon__grant_end(s, job->grants);
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
            agon__queue_push(&s->checks, job, true);
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

/* ---- whom to give what -------------------------------------------------------------------- */

static int next_ready(const agon__scheduler* s, int worker) {
    return worker < 0 ? s->ready_first : s->crew[worker]->ready_next;
}

/* Somebody present who has not voted and could, busy or not. */
static bool anyone_to_check(const agon__scheduler* s, const agon__job* job) {
    for (int i = AGON__BROKER + 1; i < s->crews; i++)
        if (s->crew[i]->row.present && !s->crew[i]->row.struck && s->crew[i]->row.credit > 0 &&
            !agon__check_voted(job, i) && agon__crew_can(s, i, job->class))
            return true;
    return false;
}

static bool trusted_has_room(const agon__scheduler* s) {
    const int most = s->def.trusted_slots > 1 ? s->def.trusted_slots : 1;
    return s->crew[AGON__TRUSTED]->row.running < most;
}

static bool give_check(agon__scheduler* s, int64_t now, agon__grant** out) {
    int looked = 0;
    for (agon__job* job = s->checks.first; job && looked < LOOK_AHEAD; job = job->next, looked++) {
        int worker = -1;
        for (int w = s->ready_first; w >= 0 && worker < 0; w = next_ready(s, w))
            if (!agon__check_voted(job, w) && agon__crew_can(s, w, job->class) &&
                agon__proven(s, w, job->game))
                worker = w;
        if (worker < 0 && trusted_has_room(s) && !agon__check_voted(job, AGON__TRUSTED) &&
            !anyone_to_check(s, job))
            worker = AGON__TRUSTED;
        if (worker < 0)
            continue;
        *out = begin(s, job, worker, AGON__FOR_CHECK, now);
        if (*out)
            agon__queue_take(&s->checks, job);
        return *out != NULL;
    }
    return false;
}

/* The reference of a game that is asked for. */
static bool give_reference(agon__scheduler* s, int64_t now, agon__grant** out) {
    for (agon__known_game* g = s->games; g && trusted_has_room(s); g = g->next) {
        if (!g->golden || g->asked || g->reference[0])
            continue;
        *out = begin(s, g->golden, AGON__TRUSTED, AGON__FOR_GOLDEN, now);
        g->asked = *out != NULL;
        return *out != NULL;
    }
    return false;
}

static bool is_impure(const agon__class* class) {
    return class->needs.programs > 0;
}

/* The class whose first task came first, of those that this worker can do. */
static agon__class* class_for(agon__scheduler* s, int worker) {
    for (agon__class* c = s->classes; c; c = c->next)
        if (c->queue.first && agon__crew_can(s, worker, c) && c->queue.first->failed != worker)
            return c;
    return NULL;
}

static bool give_task(agon__scheduler* s, agon__job* job, int worker, int64_t now,
                      agon__grant** out) {
    *out = begin(s, job, worker, AGON__FOR_WORK, now);
    if (!*out)
        return false;
    agon__queue_take(&job->class->queue, job);
    job->queued = false;
    s->waiting--;
    return true;
}

static bool give_golden(agon__scheduler* s, agon__known_game* game, int worker, int64_t now,
                        agon__grant** out) {
    *out = begin(s, game->golden, worker, AGON__FOR_GOLDEN, now);
    if (*out) {
        s->crew[worker]->golden_out = true;
        s->crew[worker]->golden_game = game;
    }
    return *out != NULL;
}

/* Where a broker hands tasks out, workers are given golden tasks for what is about to come. */
static agon__job* job_for(agon__scheduler* s, int worker) {
    agon__class* class = class_for(s, worker);
    if (class)
        return class->queue.first;
    return s->def.broker && s->begun_last && agon__crew_can(s, worker, s->begun_last->class)
               ? s->begun_last
               : NULL;
}

static bool give_work(agon__scheduler* s, int64_t now, agon__grant** out) {
    if (!s->waiting && !s->def.broker)
        return false;
    for (int w = s->ready_first; w >= 0; w = next_ready(s, w)) {
        agon__job* job = s->crew[w]->golden_out ? NULL : job_for(s, w);
        if (!job)
            continue;
        if (w != AGON__TRUSTED && !agon__proven(s, w, job->game))
            return give_golden(s, job->game, w, now, out);
        if (job->queued && (!s->def.broker || w == AGON__TRUSTED || is_impure(job->class)))
            return give_task(s, job, w, now, out);
    }
    return false;
}

static bool give_broker(agon__scheduler* s, int64_t now, agon__grant** out) {
    for (agon__class* c = s->def.broker ? s->classes : NULL; c; c = c->next)
        if (c->queue.first && !is_impure(c))
            return give_task(s, c->queue.first, AGON__BROKER, now, out);
    return false;
}

/* What nobody who is here can do falls to this process: programs of its own, and tasks that failed
 * on the only worker. */
static bool give_trusted(agon__scheduler* s, int64_t now, agon__grant** out) {
    if (!s->waiting || !trusted_has_room(s))
        return false;
    for (agon__class* c = s->classes; c; c = c->next) {
        agon__job* job = c->queue.first;
        if (!job || (!is_impure(c) && job->failed < 0))
            continue;
        bool other = false;
        for (int i = AGON__BROKER + 1; i < s->crews && !other; i++)
            other = s->crew[i]->row.present && s->crew[i]->row.credit > 0 && i != job->failed &&
                    agon__crew_can(s, i, c);
        if (!other)
            return give_task(s, job, AGON__TRUSTED, now, out);
    }
    return false;
}

/* The slowest at the end of a generation hold everybody up. */
static bool give_backup(agon__scheduler* s, int64_t now, agon__grant** out) {
    int looked = 0;
    if (s->waiting || s->def.broker || s->durations < AGON__FEW)
        return false;
    for (agon__job* job = s->begun_first; job && looked < LOOK_AHEAD; job = job->later, looked++) {
        if (now - job->begun_ms < SLOW * s->median + 1000)
            return false; /* nor are the later ones */
        if (job->backed || is_impure(job->class) || !job->grants)
            continue;
        for (int w = s->ready_first; w >= 0; w = next_ready(s, w)) {
            if (w == job->grants->worker || s->crew[w]->row.running > 0 ||
                !agon__crew_can(s, w, job->class) || !agon__proven(s, w, job->game))
                continue;
            *out = begin(s, job, w, AGON__FOR_BACKUP, now);
            job->backed = *out != NULL;
            s->count.backups += *out != NULL;
            return *out != NULL;
        }
    }
    return false;
}

bool agon__scheduler_next(agon__scheduler* s, int64_t now, agon__lease* out) {
    agon__grant* g = NULL;
    if (!give_check(s, now, &g) && !give_reference(s, now, &g) && !give_work(s, now, &g) &&
        !give_broker(s, now, &g) && !give_trusted(s, now, &g) && !give_backup(s, now, &g))
        return false;
    *out = (agon__lease){g->number, g->worker, g->job->id, g->job->data, g->job->size};
    return true;
}

/* ---- while it runs ------------------------------------------------------------------------ */

static bool is_stuck(const agon__scheduler* s, const agon__grant* g, int64_t now) {
    const int64_t leases = STUCK_LEASES * (int64_t)s->def.lease_ms;
    const int64_t medians = STUCK * s->median;
    return now - g->progress_ms > (leases > medians ? leases : medians) && s->median > 0;
}

bool agon__scheduler_beat(agon__scheduler* s, int worker, uint64_t lease, int permille,
                          uint64_t steps, int64_t now) {
    agon__grant* g = agon__grant_find(s, lease);
    agon__crew* c = agon__crew_of(s, worker);
    if (c)
        c->row.seen_ms = now;
    if (!g || !c || (g->worker != worker && g->worker != AGON__BROKER))
        return false;
    unlink_beat(s, g);
    if (g->worker != worker) {
        unlink_worker(s, g);
        g->worker = worker;
        g->progress_ms = now;
        link_worker(s, g);
    }
    if (permille != g->permille || steps != g->steps) {
        g->progress_ms = now;
        c->row.progress_ms = now;
    }
    g->permille = permille;
    g->steps = steps;
    g->beat_ms = now;
    link_beat(s, g);
    if (!is_stuck(s, g, now))
        return true;
    agon__scheduler_say(s, "worker %s makes no progress with task %.12s: it goes to another",
                        c->row.hello.name, g->job->id);
    agon__grant_lose(s, g, true);
    return false;
}

void agon__scheduler_tick(agon__scheduler* s, int64_t now) {
    const int64_t broker = BROKER_PATIENCE * (int64_t)s->def.lease_ms + STUCK * s->median;
    for (agon__grant* g; (g = s->oldest) && now - g->beat_ms > s->def.lease_ms;)
        agon__grant_lose(s, g, true);
    for (agon__grant* g; (g = s->broker_oldest) && now - g->beat_ms > broker;)
        agon__grant_lose(s, g, true);
}

/* ---- handed back -------------------------------------------------------------------------- */

static void host_fault(agon__scheduler* s, int worker, const char* text, int64_t now) {
    agon__crew* c = s->crew[worker];
    char why[sizeof c->row.why];
    c->row.failures++;
    memmove(c->fault_ms + 1, c->fault_ms, sizeof c->fault_ms - sizeof *c->fault_ms);
    c->fault_ms[0] = now;
    agon__scheduler_say(s, "worker %s cannot do a task: %.300s", c->row.hello.name, text);
    if (worker <= AGON__BROKER || c->row.failures < AGON__HOST_FAULTS ||
        now - c->fault_ms[AGON__HOST_FAULTS - 1] > AGON__HOUR_MS)
        return;
    snprintf(why, sizeof why, "%d tasks failed on it within an hour, the last: %.90s",
             AGON__HOST_FAULTS, text);
    agon__crew_strike(s, worker, false, why);
}

/* On two workers, or on the one that is trusted: then it is the task's own fault. */
static void task_fault(agon__scheduler* s, agon__grant* g, const char* text) {
    agon__job* job = g->job;
    char why[512];
    const int worker = g->worker;
    s->crew[worker]->row.failures++;
    if (worker == AGON__TRUSTED || (job->failed >= 0 && job->failed != worker)) {
        snprintf(why, sizeof why, "%.400s", text);
        agon__job_fail(s, job, AGON_EINVALID, why);
        return;
    }
    if (job->failed < 0)
        s->count.failing++;
    job->failed = worker;
    snprintf(job->failure, sizeof job->failure, "%.255s", text);
    agon__grant_lose(s, g, false);
}

void agon__scheduler_nak(agon__scheduler* s, int worker, const agon__nak* nak, int64_t now) {
    agon__grant* g = agon__grant_find(s, nak->lease);
    agon__crew* c = agon__crew_of(s, worker);
    if (!c)
        return;
    c->row.seen_ms = now;
    if (!g || (g->worker != worker && g->worker != AGON__BROKER))
        return;
    if (nak->class == AGON__NAK_TASK && for_task(g)) {
        task_fault(s, g, nak->text);
        return;
    }
    agon__grant_lose(s, g, false);
    if (nak->class != AGON__NAK_BACK)
        host_fault(s, worker, nak->text, now);
}
