/* scheduler_trust.c: whose results are believed. */
#include "net/scheduler_inside.h"

#include <stdlib.h>
#include <string.h>

#define MOST_MS ((uint64_t)1 << 40) /* that a task may say it took */

/* ---- golden tasks ------------------------------------------------------------------------- */

agon__known_game* agon__game_of(agon__scheduler* s, const agon__needs* needs) {
    agon__known_game** at = &s->games;
    uint8_t* data = NULL;
    size_t size = 0;
    for (; *at; at = &(*at)->next)
        if (strcmp((*at)->game, needs->game) == 0)
            return *at;
    agon__known_game* g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->number = s->game_count++;
    snprintf(g->game, sizeof g->game, "%s", needs->game);
    agon__needs pure = *needs;
    pure.programs = 0;
    if (g->number < AGON__MOST_GAMES && s->def.golden &&
        s->def.golden(s->def.user, &pure, &data, &size) == AGON_OK) {
        g->golden = agon__job_new(s, &pure, data, size);
        if (g->golden) {
            g->golden->golden = true;
            g->golden->game = g;
        } else {
            free(data);
        }
    }
    *at = g;
    return g;
}

bool agon__proven(const agon__scheduler* s, int worker, const agon__known_game* game) {
    if (!game || !game->golden || game->failures >= AGON__GOLDEN_TRIES || worker == AGON__TRUSTED)
        return true;
    return s->crew[worker]->proven[game->number / 64] >> (game->number % 64) & 1;
}

static void judge_golden(agon__scheduler* s, int worker) {
    agon__crew* c = s->crew[worker];
    agon__known_game* g = c->golden_game;
    const bool right = strcmp(c->golden_hash, g->reference) == 0;
    c->golden_hash[0] = '\0';
    c->golden_out = false;
    if (right) {
        c->proven[g->number / 64] |= 1ull << (g->number % 64);
        agon__crew_ready(s, worker);
        return;
    }
    s->count.conflicts++;
    char why[160];
    snprintf(why, sizeof why, "its golden task of %.60s gave other bytes than here", g->game);
    agon__crew_strike(s, worker, true, why);
}

static bool awaits(const agon__crew* c, const agon__known_game* g) {
    return c->golden_game == g && c->golden_hash[0];
}

void agon__golden_failed(agon__scheduler* s, agon__known_game* g) {
    if (++g->failures != AGON__GOLDEN_TRIES)
        return;
    agon__scheduler_say(s, "the golden task of %.60s fails here: new workers are not tried with it",
                        g->game);
    for (int i = AGON__BROKER + 1; i < s->crews; i++) {
        agon__crew* c = s->crew[i];
        if (!awaits(c, g))
            continue;
        c->golden_hash[0] = '\0';
        c->golden_out = false;
        agon__crew_ready(s, i);
    }
}

static agon__verdict take_golden(agon__scheduler* s, agon__job* job, int worker, const char* hash) {
    agon__known_game* g = job->game;
    agon__crew* c = s->crew[worker];
    if (worker == AGON__TRUSTED) {
        memcpy(g->reference, hash, AGON_HASH_SIZE);
        for (int i = AGON__BROKER + 1; i < s->crews; i++)
            if (awaits(s->crew[i], g))
                judge_golden(s, i);
        return AGON__ACCEPTED;
    }
    if (c->row.struck || agon__proven(s, worker, g))
        return AGON__DUPLICATE;
    c->golden_game = g;
    c->golden_out = true;
    memcpy(c->golden_hash, hash, AGON_HASH_SIZE);
    agon__crew_ready(s, worker);
    if (g->reference[0])
        judge_golden(s, worker);
    return c->row.struck ? AGON__CONFLICT : AGON__ACCEPTED;
}

/* ---- results since the last good audit ---------------------------------------------------- */

static void release(agon__scheduler* s, agon__job* job) {
    if (!job->checking && !job->kept)
        agon__job_free(s, job);
}

static void unkeep(agon__scheduler* s, agon__job* job) {
    agon__crew* c = s->crew[job->by];
    if (!job->kept)
        return;
    if (job->since_before)
        job->since_before->since = job->since;
    else
        c->since_first = job->since;
    if (job->since)
        job->since->since_before = job->since_before;
    else
        c->since_last = job->since_before;
    if (job->earlier)
        job->earlier->later = job->later;
    else
        s->kept_first = job->later;
    if (job->later)
        job->later->earlier = job->earlier;
    else
        s->kept_last = job->earlier;
    c->since--;
    s->kept--;
    job->since = job->since_before = NULL;
    job->kept = false;
}

static void drop_first_since(agon__scheduler* s, agon__crew* c) {
    agon__job* job = c->since_first;
    unkeep(s, job);
    release(s, job);
}

void agon__since_clear(agon__scheduler* s, agon__crew* c, uint64_t order) {
    while (c->since_first && c->since_first->order <= order)
        drop_first_since(s, c);
}

/* Memory is bounded, however many workers come and go, and however seldom they are audited. */
static void keep_since(agon__scheduler* s, agon__job* job) {
    agon__crew* c = s->crew[job->by];
    job->kept = true;
    job->since_before = c->since_last;
    if (c->since_last)
        c->since_last->since = job;
    else
        c->since_first = job;
    c->since_last = job;
    c->since++;
    job->later = NULL;
    job->earlier = s->kept_last;
    if (s->kept_last)
        s->kept_last->later = job;
    else
        s->kept_first = job;
    s->kept_last = job;
    s->kept++;
    if (c->since > AGON__SINCE)
        drop_first_since(s, c);
    if (s->kept > AGON__SINCE_ALL)
        drop_first_since(s, s->crew[s->kept_first->by]);
}

void agon__check_all_since(agon__scheduler* s, int worker) {
    agon__crew* c = s->crew[worker];
    while (c->since_first) {
        agon__job* job = c->since_first;
        agon__check_begin(s, job);
        drop_first_since(s, c);
    }
}

/* ---- second and third executions ---------------------------------------------------------- */

static const char* vote_of(const agon__job* job, int worker) {
    for (int i = 0; i < job->votes; i++)
        if (job->vote[i].worker == worker)
            return job->vote[i].hash;
    return NULL;
}

bool agon__check_voted(const agon__job* job, int worker) {
    return vote_of(job, worker) != NULL;
}

bool agon__check_last(const agon__job* job) {
    return job->votes >= AGON__MOST_VOTES - 1;
}

static void vote(agon__job* job, int worker, const char* hash) {
    if (agon__check_voted(job, worker) || (agon__check_last(job) && worker != AGON__TRUSTED))
        return;
    job->vote[job->votes].worker = worker;
    memcpy(job->vote[job->votes++].hash, hash, AGON_HASH_SIZE);
}

void agon__check_begin(agon__scheduler* s, agon__job* job) {
    if (job->checking)
        return;
    job->checking = true;
    s->count.checks++;
    agon__check_wait(s, job, false);
}

void agon__check_wait(agon__scheduler* s, agon__job* job, bool front) {
    if (!job->unchecked)
        agon__queue_push(&s->checks, job, front);
    job->unchecked = true;
}

void agon__check_take(agon__scheduler* s, agon__job* job) {
    if (job->unchecked)
        agon__queue_take(&s->checks, job);
    job->unchecked = false;
}

void agon__check_end(agon__scheduler* s, agon__job* job) {
    agon__check_take(s, job);
    job->checking = false;
    s->count.checks--;
}

void agon__job_forget(agon__scheduler* s, agon__job* job) {
    agon__grants_end(s, job);
    if (job->checking)
        agon__check_end(s, job);
    unkeep(s, job);
    agon__job_free(s, job);
}

/* The hash that wins: the trusted worker's, or that of two who agree; NULL: not known yet. */
static const char* winner(const agon__job* job) {
    for (int i = 0; i < job->votes; i++)
        if (job->vote[i].worker == AGON__TRUSTED)
            return job->vote[i].hash;
    for (int i = 0; i < job->votes; i++)
        for (int j = 0; j < i; j++)
            if (strcmp(job->vote[i].hash, job->vote[j].hash) == 0)
                return job->vote[i].hash;
    return NULL;
}

static void tell_wrong(agon__scheduler* s, const agon__job* job) {
    agon_error why;
    agon_fail(&why, AGON_ECONFLICT, "worker %s gave a wrong result for task %.12s",
              s->crew[job->by]->row.hello.name, job->id);
    s->def.wrong(s->def.user, job->data, job->size, &why);
}

/* The task may be freed by clearing what came before it; it is held until the end. */
static void settle(agon__scheduler* s, agon__job* job, const char* hash) {
    char right[AGON_HASH_SIZE], why[160];
    agon__vote cast[AGON__MOST_VOTES];
    const int votes = job->votes;
    memcpy(right, hash, sizeof right);
    memcpy(cast, job->vote, sizeof cast);
    snprintf(why, sizeof why, "its result of task %.12s differs from what others computed",
             job->id);
    const bool wrong = strcmp(job->hash, right) != 0;
    agon__grants_end(s, job);
    s->count.audited++;
    if (!wrong && job->by > AGON__BROKER) {
        s->crew[job->by]->row.audits++;
        agon__since_clear(s, s->crew[job->by], job->order);
    }
    if (wrong) {
        tell_wrong(s, job);
        unkeep(s, job);
    }
    agon__check_end(s, job);
    release(s, job);
    for (int i = 0; i < votes; i++)
        if (strcmp(cast[i].hash, right) != 0)
            agon__crew_strike(s, cast[i].worker, true, why);
}

static bool doubtful(const agon__scheduler* s, const agon__job* job) {
    for (int i = 0; i < job->votes; i++)
        if (strcmp(job->vote[i].hash, job->hash) != 0)
            return true;
    return s->crew[job->by]->row.strikes > 0;
}

/* What a task began with may be thrown away by now. A result that somebody contradicts, or that is
 * of a worker whose results were wrong, is then made again with all that rests on it. */
void agon__check_give_up(agon__scheduler* s, agon__job* job) {
    if (doubtful(s, job))
        tell_wrong(s, job);
    agon__job_forget(s, job);
}

/* A further execution of an accepted result. */
static agon__verdict weigh(agon__scheduler* s, agon__job* job, int worker, const char* hash) {
    const bool equal = strcmp(hash, job->hash) == 0;
    const char* before = vote_of(job, worker);
    s->count.duplicates += equal;
    s->count.conflicts += !equal;
    if (before) {
        if (strcmp(before, hash) != 0)
            agon__crew_strike(s, worker, true, "two different results of one task");
        return equal ? AGON__DUPLICATE : AGON__CONFLICT;
    }
    vote(job, worker, hash);
    if (!equal)
        agon__check_begin(s, job);
    const char* right = job->checking ? winner(job) : NULL;
    if (right) {
        settle(s, job, right);
    } else if (job->checking && !job->grants) {
        agon__check_wait(s, job, false);
    }
    return equal ? AGON__DUPLICATE : AGON__CONFLICT;
}

/* ---- results ------------------------------------------------------------------------------ */

static agon__grant* grant_of(const agon__job* job, int worker) {
    for (agon__grant* g = job->grants; g; g = g->of_job)
        if (g->worker == worker)
            return g;
    return NULL;
}

/* Some result of the same job and worker may have come before its lease was taken away. */
static agon__verdict further(agon__scheduler* s, agon__job* job, int worker, const char* hash) {
    agon__grant* g = grant_of(job, worker);
    const bool asked = g && g->purpose == AGON__FOR_CHECK;
    if (g)
        agon__grant_end(s, g);
    if (job->golden)
        return take_golden(s, job, worker, hash);
    const agon__verdict verdict = weigh(s, job, worker, hash);
    return asked && verdict == AGON__DUPLICATE ? AGON__ACCEPTED : verdict;
}

agon__offer_answer agon__scheduler_offer(agon__scheduler* s, int worker,
                                         const agon__result_offer* offer, int64_t now,
                                         agon__verdict* verdict) {
    agon__crew* c = agon__crew_of(s, worker);
    agon__job* job = agon__job_find(s, offer->task);
    *verdict = AGON__UNKNOWN;
    if (!c || c->row.struck)
        return AGON__OFFER_SETTLED;
    c->row.seen_ms = now;
    if (job && !job->golden && !job->done)
        return AGON__OFFER_WANTED;
    if (worker == AGON__TRUSTED)
        agon__trusted_spoke(s);
    if (job) {
        *verdict = further(s, job, worker, offer->hash);
        return AGON__OFFER_SETTLED;
    }
    const agon__memory* known = agon__recall(s, offer->task);
    if (known) {
        uint8_t hash[32];
        agon__hash_pack(offer->hash, hash);
        const bool equal = memcmp(hash, known->hash, sizeof hash) == 0;
        *verdict = equal ? AGON__DUPLICATE : AGON__CONFLICT;
        s->count.duplicates += equal;
        s->count.conflicts += !equal;
    }
    return AGON__OFFER_SETTLED;
}

/* The hash of a task is as good as drawn; with the secret nobody else can tell. */
static bool is_audited(const agon__scheduler* s, const agon__job* job, int worker) {
    if (worker <= AGON__BROKER || job->class->needs.programs > 0)
        return false;
    if (!agon__proven(s, worker, job->game))
        return true;
    uint64_t x = agon__hash_head(job->id) ^ s->def.secret;
    x = (x ^ x >> 31) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    return (double)(x >> 11) * 0x1p-53 < s->def.audit;
}

static void accept(agon__scheduler* s, agon__job* job, int worker, const agon__result_offer* offer,
                   int64_t now) {
    agon__crew* c = s->crew[worker];
    agon__grant* g = grant_of(job, worker);
    agon__grant* broker = g ? NULL : grant_of(job, AGON__BROKER);
    if (g)
        agon__pace_note(s, job, c, now - g->begun_ms);
    else if (broker && offer->cpu_ms < MOST_MS)
        agon__pace_note(s, job, c, (int64_t)offer->cpu_ms);
    if (broker)
        agon__broker_moved(s, broker->number, now);
    if (g)
        agon__grant_end(s, g);
    agon__grants_end(s, job);
    if (job->queued) {
        agon__queue_take(&job->class->queue, job);
        job->queued = false;
        s->waiting--;
    }
    if (job->failed >= 0)
        s->count.failing--;
    job->failed = -1;
    job->done = true;
    job->by = worker;
    job->order = ++s->orders;
    memcpy(job->hash, offer->hash, sizeof job->hash);
    job->losers = 0;
    vote(job, worker, job->hash);
    agon__remember(s, job);
    c->row.tasks++;
    c->row.steps += offer->steps;
    c->row.cpu_ms += offer->cpu_ms;
    c->row.progress_ms = now;
    s->count.done++;
    s->count.steps += offer->steps;
}

agon__verdict agon__scheduler_result(agon__scheduler* s, int worker,
                                     const agon__result_offer* offer, const uint8_t* data,
                                     size_t size, int64_t now) {
    agon__verdict verdict = AGON__UNKNOWN;
    agon_error none = {0};
    agon__job* job = agon__job_find(s, offer->task);
    agon__crew* c = agon__crew_of(s, worker);
    if (!job || job->golden || job->done || !c || c->row.struck) {
        agon__scheduler_offer(s, worker, offer, now, &verdict);
        return verdict;
    }
    if (worker == AGON__TRUSTED)
        agon__trusted_spoke(s);
    accept(s, job, worker, offer, now);
    const uint64_t ticket = job->ticket;
    if (is_audited(s, job, worker))
        agon__check_begin(s, job);
    if (worker > AGON__BROKER && job->class->needs.programs == 0)
        keep_since(s, job);
    release(s, job);
    s->def.done(s->def.user, ticket, AGON_OK, data, size, &none);
    return AGON__ACCEPTED;
}
