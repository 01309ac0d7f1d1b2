/* scheduler_give.c: whom to give what. */
#include "net/scheduler_inside.h"

#define SLOW       3  /* medians, after which a task is leased once more */
#define LOOK_READY 64 /* workers with room that are looked at for what need not be now */
#define LOOK_AHEAD 16 /* slow tasks, or tasks to check, that are looked at for a match */

static int next_ready(const agon__scheduler* s, int worker) {
    return worker < 0 ? s->ready_first : s->crew[worker]->ready_next;
}

/* Somebody present, busy or not, who could execute this task; once more, if it is to be checked.
 * Whoever could the last time is asked first. */
static bool somebody(const agon__scheduler* s, const agon__job* job, bool check) {
    const int others = s->crews - AGON__BROKER - 1;
    for (int k = 0; k < others; k++) {
        const int i = AGON__BROKER + 1 + (job->class->able + k) % others;
        const agon__worker_row* row = &s->crew[i]->row;
        if (!row->present || row->struck || row->credit == 0 || i == job->failed ||
            !agon__crew_can(s, i, job->class))
            continue;
        if (check && (agon__check_voted(job, i) || !agon__proven(s, i, job->game)))
            continue;
        job->class->able = i - AGON__BROKER - 1;
        return true;
    }
    return false;
}

static bool trusted_has_room(const agon__scheduler* s) {
    const int most = s->def.trusted_slots > 1 ? s->def.trusted_slots : 1;
    return s->crew[AGON__TRUSTED]->held < most;
}

static int checker(const agon__scheduler* s, const agon__job* job) {
    /* What a worker could not do is perhaps what nobody can do any more. */
    const bool last = agon__check_last(job) || job->failed >= 0;
    for (int w = s->ready_first; w >= 0 && !last; w = next_ready(s, w))
        if (!agon__check_voted(job, w) && agon__crew_can(s, w, job->class) &&
            agon__proven(s, w, job->game))
            return w;
    return trusted_has_room(s) && !agon__check_voted(job, AGON__TRUSTED) &&
                   (last || !somebody(s, job, true))
               ? AGON__TRUSTED
               : -1;
}

static bool give_check(agon__scheduler* s, int64_t now, agon__grant** out) {
    int looked = 0;
    for (agon__job* job = s->checks.first; job && looked < LOOK_AHEAD; job = job->next, looked++) {
        const int worker = checker(s, job);
        if (worker < 0)
            continue;
        *out = agon__grant_begin(s, job, worker, AGON__FOR_CHECK, now);
        if (*out)
            agon__check_take(s, job);
        return *out != NULL;
    }
    return false;
}

/* The reference of a game that is asked for. */
static bool give_reference(agon__scheduler* s, int64_t now, agon__grant** out) {
    for (agon__known_game* g = s->games; g && trusted_has_room(s); g = g->next) {
        if (!g->golden || g->asked || g->reference[0] || g->failures >= AGON__GOLDEN_TRIES)
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
        agon__crew_ready(s, worker);
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

static bool give_work_to(agon__scheduler* s, int w, int64_t now, agon__grant** out) {
    agon__job* job = job_for(s, w);
    if (!job)
        return false;
    if (w != AGON__TRUSTED && !agon__proven(s, w, job->game))
        return give_golden(s, job->game, w, now, out);
    return job->queued && (!s->def.broker || w == AGON__TRUSTED || is_impure(job->class)) &&
           give_task(s, job, w, now, out);
}

/* Where a broker hands tasks out, most of those with room get nothing here: a few are looked at
 * each time, and then it is the others' turn. */
static bool give_work(agon__scheduler* s, int64_t now, agon__grant** out) {
    int next, looked = 0;
    if (!s->waiting && !s->def.broker)
        return false;
    for (int w = s->ready_first; w >= 0; w = next) {
        next = next_ready(s, w);
        if (give_work_to(s, w, now, out))
            return true;
        if (s->def.broker && ++looked > LOOK_READY)
            return false;
        if (s->def.broker)
            agon__crew_turn(s, w);
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
 * on the only worker. A broker might bring a task to the same worker again. */
static bool give_trusted(agon__scheduler* s, int64_t now, agon__grant** out) {
    if (!s->waiting || !trusted_has_room(s))
        return false;
    for (agon__class* c = s->classes; c; c = c->next) {
        agon__job* job = c->queue.first;
        if (!job || (!is_impure(c) && job->failed < 0))
            continue;
        if ((s->def.broker && !is_impure(c)) || !somebody(s, job, false))
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
        int w = s->ready_first;
        for (int n = 0; w >= 0 && n < LOOK_READY; w = next_ready(s, w), n++) {
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
        !give_trusted(s, now, &g) && !give_broker(s, now, &g) && !give_backup(s, now, &g))
        return false;
    *out = (agon__lease){g->number, g->worker, g->job->id, g->job->data, g->job->size};
    return true;
}
