/* scheduler_give.c: whom to give what. */
#include "net/scheduler_inside.h"

#include <math.h>

#define LOOK_READY 64   /* workers with room that are looked at for what need not be now */
#define AHEAD_MS   5000 /* a task of a kind that takes longer begins where it is given */
#define LOOK_IDLE  16   /* idle workers that are looked at for the fastest */
#define LOOK_AHEAD 16   /* slow tasks, or tasks to check, that are looked at for a match */

static int first_ready(const agon__scheduler* s) {
    return s->line[s->line[AGON__IDLE].first >= 0 ? AGON__IDLE : AGON__SPARE].first;
}

/* First those that would begin at once. */
static int next_ready(const agon__scheduler* s, int worker) {
    const agon__place* place = s->crew[worker]->place;
    if (!place[AGON__IDLE].in)
        return place[AGON__SPARE].next;
    return place[AGON__IDLE].next >= 0 ? place[AGON__IDLE].next : s->line[AGON__SPARE].first;
}

/* A worker is given short tasks before it has room for them, so that it need not wait for each. A
 * long one that waited there would be missed at the end of a generation. */
static bool may_wait(const agon__scheduler* s, const agon__job* job) {
    const agon__pace* pace = agon__pace_of(s, job);
    return pace->durations >= AGON__FEW && pace->median <= AHEAD_MS;
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

/* The fastest of the first few with room. */
static int checker(const agon__scheduler* s, const agon__job* job) {
    /* What a worker could not do is perhaps what nobody can do any more. */
    const bool last = agon__check_last(job) || job->failed >= 0;
    double least = INFINITY;
    int w = last ? -1 : first_ready(s), best = -1;
    for (int n = 0; w >= 0 && (n < LOOK_IDLE || best < 0); w = next_ready(s, w), n++) {
        const double pace = s->crew[w]->pace > 0 ? s->crew[w]->pace : 1;
        if (!s->crew[w]->place[AGON__IDLE].in && !may_wait(s, job))
            break;
        if (pace >= least || agon__check_voted(job, w) || !agon__crew_can(s, w, job->class) ||
            !agon__proven(s, w, job->game))
            continue;
        best = w;
        least = pace;
    }
    if (best >= 0)
        return best;
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

static bool any_may_wait(const agon__scheduler* s) {
    for (const agon__class* c = s->classes; c; c = c->next)
        if (c->queue.first && may_wait(s, c->queue.first))
            return true;
    return false;
}

static bool give_work_to(agon__scheduler* s, int w, int64_t now, agon__grant** out) {
    agon__job* job = job_for(s, w);
    if (!job)
        return false;
    if (w != AGON__TRUSTED && !agon__proven(s, w, job->game))
        return give_golden(s, job->game, w, now, out);
    if (!s->crew[w]->place[AGON__IDLE].in && !may_wait(s, job))
        return false;
    return job->queued && (!s->def.broker || w == AGON__TRUSTED || is_impure(job->class)) &&
           give_task(s, job, w, now, out);
}

/* Where a broker hands tasks out, most of those with room get nothing here: a few are looked at
 * each time, and then it is the others' turn. */
static bool give_work(agon__scheduler* s, int64_t now, agon__grant** out) {
    int next, looked = 0;
    if (!s->waiting && !s->def.broker)
        return false;
    for (int w = first_ready(s); w >= 0; w = next) {
        next = next_ready(s, w);
        if (!s->crew[w]->place[AGON__IDLE].in && !s->def.broker && !any_may_wait(s))
            return false;
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

/* The fastest of those who would begin this task at once; -1: nobody who would not be slow. */
static int idle_for(const agon__scheduler* s, const agon__job* job, int but) {
    int w = s->line[AGON__IDLE].first, best = -1;
    double least = AGON__SLUGGISH;
    for (int n = 0; w >= 0 && n < LOOK_IDLE; w = s->crew[w]->place[AGON__IDLE].next, n++) {
        const double pace = s->crew[w]->pace > 0 ? s->crew[w]->pace : 1;
        if (w == but || w == job->failed || pace >= least || !agon__crew_can(s, w, job->class) ||
            !agon__proven(s, w, job->game))
            continue;
        best = w;
        least = pace;
    }
    return best;
}

/* The lease that this worker would begin last; NULL: it has begun all. */
static agon__grant* waiting_at(const agon__scheduler* s, int worker) {
    for (agon__grant* g = s->crew[worker]->grants; g; g = g->of_worker)
        if (g->purpose == AGON__FOR_WORK && !g->permille && !g->steps)
            return g;
    return NULL;
}

/* What waits for a busy worker goes to an idle one. */
static bool give_waiting(agon__scheduler* s, int64_t now, agon__grant** out) {
    int over = s->line[AGON__OVER].first;
    if (s->waiting || s->def.broker || s->line[AGON__IDLE].first < 0)
        return false;
    for (int n = 0; over >= 0 && n < LOOK_AHEAD;
         over = s->crew[over]->place[AGON__OVER].next, n++) {
        agon__grant* g = waiting_at(s, over);
        const int w = g ? idle_for(s, g->job, over) : -1;
        if (w < 0)
            continue;
        agon__job* job = g->job;
        agon__grant_revoke(s, g);
        *out = agon__grant_begin(s, job, w, AGON__FOR_WORK, now);
        if (!*out)
            agon__job_requeue(s, job);
        return *out != NULL;
    }
    return false;
}

static bool back_up(agon__scheduler* s, agon__job* job, int64_t now, agon__grant** out) {
    const int w = idle_for(s, job, job->grants->worker);
    if (w < 0)
        return false;
    *out = agon__grant_begin(s, job, w, AGON__FOR_BACKUP, now);
    if (!*out)
        return false;
    agon__slow_take(s, job);
    job->backed = true;
    s->count.backups++;
    return true;
}

static bool give_hopeless(agon__scheduler* s, int64_t now, agon__grant** out) {
    agon__job* job = s->slow.first;
    return job && job->hopeless && !s->def.broker && back_up(s, job, now, out);
}

/* The slowest at the end of a generation hold everybody up. */
static bool give_backup(agon__scheduler* s, int64_t now, agon__grant** out) {
    int looked = 0;
    if (s->waiting || s->def.broker || s->line[AGON__IDLE].first < 0)
        return false;
    for (agon__job* job = s->slow.first; job && looked < LOOK_AHEAD; job = job->next, looked++)
        if (back_up(s, job, now, out))
            return true;
    return false;
}

bool agon__scheduler_next(agon__scheduler* s, int64_t now, agon__lease* out) {
    agon__grant* g = NULL;
    if (!give_check(s, now, &g) && !give_reference(s, now, &g) && !give_hopeless(s, now, &g) &&
        !give_work(s, now, &g) && !give_trusted(s, now, &g) && !give_broker(s, now, &g) &&
        !give_waiting(s, now, &g) && !give_backup(s, now, &g))
        return false;
    *out = (agon__lease){g->number, g->worker, g->job->id, g->job->data, g->job->size};
    return true;
}
