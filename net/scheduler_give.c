/* scheduler_give.c: whom to give what. */
#include "net/scheduler_inside.h"

#define SLOW       3  /* medians, after which a task is leased once more */
#define LOOK_AHEAD 16 /* slow tasks, or tasks to check, that are looked at for a match */

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
        *out = agon__grant_begin(s, job, worker, AGON__FOR_CHECK, now);
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
        *out = agon__grant_begin(s, g->golden, AGON__TRUSTED, AGON__FOR_GOLDEN, now);
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
    *out = agon__grant_begin(s, job, worker, AGON__FOR_WORK, now);
    if (!*out)
        return false;
    agon__queue_take(&job->class->queue, job);
    job->queued = false;
    s->waiting--;
    return true;
}

static bool give_golden(agon__scheduler* s, agon__known_game* game, int worker, int64_t now,
                        agon__grant** out) {
    *out = agon__grant_begin(s, game->golden, worker, AGON__FOR_GOLDEN, now);
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
            *out = agon__grant_begin(s, job, w, AGON__FOR_BACKUP, now);
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
