/* scheduler.c: tasks, the queues they wait in, and what is counted. */
#include "net/scheduler_inside.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS (1 << 17) /* of tasks */

uint64_t agon__hash_head(const char* hash) {
    char head[17] = {0};
    memcpy(head, hash, 16);
    return strtoull(head, NULL, 16);
}

static size_t bucket_of(const char* id) {
    return agon__hash_head(id) % BUCKETS;
}

void agon__scheduler_say(agon__scheduler* s, const char* format, ...) {
    char text[768];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (s->def.note)
        s->def.note(s->def.user, text);
}

/* ---- queues ------------------------------------------------------------------------------- */

void agon__queue_push(agon__queue* q, agon__job* job, bool front) {
    job->next = front ? q->first : NULL;
    job->before = front ? NULL : q->last;
    if (job->next)
        job->next->before = job;
    else
        q->last = job;
    if (job->before)
        job->before->next = job;
    else
        q->first = job;
}

void agon__queue_take(agon__queue* q, agon__job* job) {
    if (job->before)
        job->before->next = job->next;
    else
        q->first = job->next;
    if (job->next)
        job->next->before = job->before;
    else
        q->last = job->before;
    job->next = job->before = NULL;
}

/* ---- tasks -------------------------------------------------------------------------------- */

agon__job* agon__job_find(const agon__scheduler* s, const char* id) {
    for (agon__job* job = s->jobs[bucket_of(id)]; job; job = job->chain)
        if (strcmp(job->id, id) == 0)
            return job;
    return NULL;
}

static bool same_class(const agon__needs* a, const agon__needs* b) {
    if (strcmp(a->plugin, b->plugin) != 0 || a->programs != b->programs)
        return false;
    for (int i = 0; i < a->programs; i++)
        if (strcmp(a->program[i].name, b->program[i].name) != 0 ||
            strcmp(a->program[i].file, b->program[i].file) != 0)
            return false;
    return true;
}

static agon__class* class_of(agon__scheduler* s, const agon__needs* needs) {
    agon__class** at = &s->classes;
    for (; *at; at = &(*at)->next)
        if (same_class(&(*at)->needs, needs))
            return *at;
    agon__class* c = calloc(1, sizeof *c);
    if (c) {
        c->needs = *needs;
        *at = c;
    }
    return c;
}

agon__job* agon__job_new(agon__scheduler* s, const agon__needs* needs, uint8_t* data, size_t size) {
    agon__job* job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    job->class = class_of(s, needs);
    if (!job->class) {
        free(job);
        return NULL;
    }
    job->kind = needs->kind >= 0 && needs->kind <= AGON__KINDS ? needs->kind : 0;
    job->data = data;
    job->size = size;
    job->failed = -1;
    agon_sha256(data, size, job->id);
    agon__job** at = &s->jobs[bucket_of(job->id)];
    job->chain = *at;
    *at = job;
    return job;
}

void agon__job_free(agon__scheduler* s, agon__job* job) {
    agon__job** at = &s->jobs[bucket_of(job->id)];
    while (*at != job)
        at = &(*at)->chain;
    *at = job->chain;
    free(job->data);
    free(job);
}

static void enqueue(agon__scheduler* s, agon__job* job, bool front) {
    agon__queue_push(&job->class->queue, job, front);
    job->queued = true;
    s->waiting++;
}

void agon__job_requeue(agon__scheduler* s, agon__job* job) {
    if (!job->queued && !job->done && !job->golden)
        enqueue(s, job, true);
}

static void take_from_queue(agon__scheduler* s, agon__job* job) {
    if (!job->queued)
        return;
    agon__queue_take(&job->class->queue, job);
    job->queued = false;
    s->waiting--;
}

void agon__job_fail(agon__scheduler* s, agon__job* job, int status, const char* text) {
    agon_error error;
    const uint64_t ticket = job->ticket;
    agon_fail(&error, status, "%s", text);
    agon__grants_end(s, job);
    take_from_queue(s, job);
    if (job->failed >= 0)
        s->count.failing--;
    agon__job_free(s, job);
    s->def.done(s->def.user, ticket, status, NULL, 0, &error);
}

int agon__scheduler_add(agon__scheduler* s, uint64_t ticket, const agon__needs* needs,
                        uint8_t* data, size_t size, int64_t now, agon_error* error) {
    char id[AGON_HASH_SIZE];
    (void)now;
    agon_sha256(data, size, id);
    agon__job* old = agon__job_find(s, id);
    if (old && !old->done)
        return agon_fail(error, AGON_EINVALID, "task %.12s was handed over twice", id);
    if (old)
        agon__job_forget(s, old);
    agon__known_game* game = agon__game_of(s, needs);
    agon__job* job = game ? agon__job_new(s, needs, data, size) : NULL;
    if (!job)
        return agon_fail(error, AGON_EMEMORY, "no memory for task %.12s", id);
    job->ticket = ticket;
    job->game = game;
    enqueue(s, job, false);
    return AGON_OK;
}

const uint8_t* agon__scheduler_task(const agon__scheduler* s, const char* id, size_t* size) {
    const agon__job* job = agon__job_find(s, id);
    if (!job || job->done)
        return NULL;
    *size = job->size;
    return job->data;
}

/* ---- all of them -------------------------------------------------------------------------- */

/* What lies with the broker may have been begun; nobody has said so yet. */
static bool is_begun(const agon__job* job) {
    for (const agon__grant* g = job->grants; g; g = g->of_job)
        if (g->worker != AGON__BROKER)
            return true;
    return false;
}

static void end_all(agon__scheduler* s, bool begun) {
    for (int i = 0; i < BUCKETS; i++) {
        agon__job* next;
        for (agon__job* job = s->jobs[i]; job; job = next) {
            next = job->chain;
            if (job->golden || job->done || (!begun && is_begun(job)))
                continue;
            agon__job_fail(s, job, AGON_ECANCELLED, "cancelled");
        }
    }
}

void agon__scheduler_recall(agon__scheduler* s) {
    end_all(s, false);
}

void agon__scheduler_cancel(agon__scheduler* s) {
    end_all(s, true);
    for (int i = 0; i < BUCKETS; i++) {
        agon__job* next;
        for (agon__job* job = s->jobs[i]; job; job = next) {
            next = job->chain;
            if (job->done && job->checking)
                agon__job_forget(s, job);
            else
                agon__grants_end(s, job);
        }
    }
}

agon__scheduler_count agon__scheduler_now(const agon__scheduler* s) {
    agon__scheduler_count count = s->count;
    count.queued = s->waiting;
    return count;
}

void agon__scheduler_progress(const agon__scheduler* s, unsigned* permille, uint64_t* steps) {
    *permille = 0;
    *steps = 0;
    for (const agon__job* job = s->begun_first; job; job = job->later) {
        int most = 0;
        uint64_t done = 0;
        for (const agon__grant* g = job->grants; g; g = g->of_job) {
            most = g->permille > most ? g->permille : most;
            done = g->steps > done ? g->steps : done;
        }
        *permille += (unsigned)most;
        *steps += done;
    }
}

int64_t agon__scheduler_median(const agon__scheduler* s) {
    return s->pace[0].median;
}

/* ---- opening and closing ------------------------------------------------------------------ */

int agon__scheduler_open(const agon__scheduler_def* def, int64_t now, agon__scheduler** out,
                         agon_error* error) {
    static const char* const own[] = {"this process", "the broker"};
    agon__scheduler* s = calloc(1, sizeof *s);
    if (!s)
        return agon_fail(error, AGON_EMEMORY, "no memory for a scheduler");
    s->def = *def;
    for (int i = 0; i < AGON__LINES; i++)
        s->line[i].first = s->line[i].last = -1;
    s->crew_room = 64;
    s->crew = calloc((size_t)s->crew_room, sizeof *s->crew);
    s->jobs = calloc(BUCKETS, sizeof *s->jobs);
    s->grants = calloc(AGON__LEASE_BUCKETS, sizeof *s->grants);
    s->memory = malloc(AGON__HISTORY * sizeof *s->memory);
    s->memory_bucket = malloc(AGON__HISTORY * sizeof *s->memory_bucket);
    s->crew_bucket = malloc(AGON__CREW_BUCKETS * sizeof *s->crew_bucket);
    s->broker_moved_ms = now;
    for (int i = 0; s->crew && i < 2; i++) {
        agon__crew* c = s->crew[i] = calloc(1, sizeof *c);
        if (!c)
            break;
        c->row.worker = i;
        c->row.present = true;
        c->row.joined_ms = now;
        snprintf(c->row.hello.name, sizeof c->row.hello.name, "%s", own[i]);
        s->crews = i + 1;
    }
    if (s->crews < 2 || !s->jobs || !s->grants || !s->memory || !s->memory_bucket ||
        !s->crew_bucket) {
        agon__scheduler_close(s);
        return agon_fail(error, AGON_EMEMORY, "no memory for a scheduler");
    }
    for (int i = 0; i < AGON__HISTORY; i++)
        s->memory_bucket[i] = -1;
    for (int i = 0; i < AGON__CREW_BUCKETS; i++)
        s->crew_bucket[i] = -1;
    agon__crew_ready(s, AGON__TRUSTED);
    *out = s;
    return AGON_OK;
}

static void free_tables(agon__scheduler* s) {
    for (int i = 0; i < BUCKETS; i++) {
        agon__job* job_next;
        for (agon__job* job = s->jobs ? s->jobs[i] : NULL; job; job = job_next) {
            job_next = job->chain;
            free(job->data);
            free(job);
        }
    }
    for (int i = 0; s->grants && i < AGON__LEASE_BUCKETS; i++) {
        agon__grant* grant_next;
        for (agon__grant* g = s->grants[i]; g; g = grant_next) {
            grant_next = g->chain;
            free(g);
        }
    }
}

void agon__scheduler_close(agon__scheduler* s) {
    if (!s)
        return;
    free_tables(s);
    for (agon__class* c; (c = s->classes); free(c))
        s->classes = c->next;
    for (agon__known_game* g; (g = s->games); free(g))
        s->games = g->next;
    for (agon__ban* b; (b = s->bans); free(b))
        s->bans = b->next;
    for (int i = 0; i < s->crews; i++)
        free(s->crew[i]);
    free(s->crew);
    free(s->crew_bucket);
    free(s->jobs);
    free(s->grants);
    free(s->memory);
    free(s->memory_bucket);
    free(s);
}
