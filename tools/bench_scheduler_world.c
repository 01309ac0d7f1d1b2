/* bench_scheduler_world.c: the driver and the coordinator's loop around the real scheduler. */
#include "tools/bench_scheduler.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GOLDEN UINT32_MAX /* a task's first four bytes are its number */

static void make_hash(uint64_t seed, char out[AGON_HASH_SIZE]) {
    agon_sha256(&seed, sizeof seed, out);
}

/* ---- the scheduler, timed ----------------------------------------------------------------- */

/* Of this thread: others on the machine do not count. */
static uint64_t real_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* What it takes to ask twice. */
static uint64_t clock_ns(void) {
    enum { TIMES = 10000 };
    uint64_t sum = 0;
    for (int i = 0; i < TIMES; i++) {
        const uint64_t begun = real_ns();
        sum += real_ns() - begun;
    }
    return sum / TIMES;
}

static void spent(agon_world* w, uint64_t begun) {
    const uint64_t all = real_ns() - begun, took = all > w->clock_ns ? all - w->clock_ns : 0;
    w->out->calls++;
    w->out->calls_ns += took;
    if (took > w->out->slowest_ns)
        w->out->slowest_ns = took;
}

/* ---- the driver --------------------------------------------------------------------------- */

static agon__needs needs_of(void) {
    agon__needs needs = {.kind = 0};
    snprintf(needs.game, sizeof needs.game, "connect_four");
    return needs;
}

static int make_task(const agon_world* w, uint32_t number, uint8_t** data, size_t* size) {
    const bool match = number != GOLDEN && w->task[number].match;
    *size = (size_t)w->def->sizes.task[match];
    *data = calloc(1, *size);
    if (!*data)
        return AGON_EMEMORY;
    memcpy(*data, &number, sizeof number);
    return AGON_OK;
}

static int golden(void* user, const agon__needs* needs, uint8_t** data, size_t* size) {
    (void)needs;
    return make_task(user, GOLDEN, data, size);
}

static void plan_task(agon_world* w, double mean, bool match) {
    agon_world_task* t = &w->task[w->planned++];
    t->work = mean * agon_world_spread(w, w->def->task_spread);
    t->match = match;
    w->out->work += t->work;
}

/* Matches of a generation are planned before the training of the next, which goes on meanwhile
 * unless it waits for them. */
static void plan(agon_world* w) {
    const agon_world_def* d = w->def;
    const int matches = d->agents * d->matches;
    if (w->trained == d->agents) {
        w->trained = 0;
        for (int i = 0; i < matches; i++)
            plan_task(w, d->match_s, true);
        w->generation++;
        if (!d->barrier && w->generation < d->generations)
            for (int i = 0; i < d->agents; i++)
                plan_task(w, d->train_s, false);
    }
    if (d->barrier && w->matched == matches) {
        w->matched = 0;
        for (int i = 0; w->generation < d->generations && i < d->agents; i++)
            plan_task(w, d->train_s, false);
    }
}

/* As many as there are places for. */
static void give(agon_world* w) {
    agon__needs needs = needs_of();
    const int room = agon__scheduler_now(w->scheduler).credit + w->def->ahead;
    while (w->given < w->planned && w->given - w->settled < room && !w->rc) {
        uint8_t* data;
        size_t size;
        agon_error error;
        w->rc = make_task(w, (uint32_t)w->given, &data, &size);
        if (w->rc)
            return;
        needs.kind = w->task[w->given].match ? AGON_MATCH : AGON_TRAIN;
        const uint64_t begun = real_ns();
        w->rc = agon__scheduler_add(w->scheduler, (uint64_t)w->given, &needs, data, size,
                                    agon_world_ms(w), &error);
        spent(w, begun);
        w->given++;
    }
}

static void done(void* user, uint64_t ticket, int status, const uint8_t* data, size_t size,
                 const agon_error* error) {
    agon_world* w = user;
    agon_world_task* t = &w->task[ticket];
    (void)data, (void)size, (void)error;
    if (status)
        w->rc = status;
    t->done = true;
    w->settled++;
    w->out->tasks++;
    agon_world_at(w, w->now + w->def->commit_s, AGON_WORLD_COMMITTED, 0, ticket, NULL);
}

static void committed(agon_world* w, int task) {
    if (w->task[task].match)
        w->matched++;
    else
        w->trained++;
    plan(w);
    give(w);
}

/* ---- the coordinator ---------------------------------------------------------------------- */

static void start(agon_world* w, const agon__lease* lease) {
    const agon_world_sizes* z = &w->def->sizes;
    agon_world_words* words = calloc(1, sizeof *words);
    uint32_t number;
    if (!words) {
        w->rc = AGON_EMEMORY;
        return;
    }
    memcpy(&number, lease->data, sizeof number);
    words->task = number == GOLDEN ? -1 : (int)number;
    words->lease = lease->number;
    memcpy(words->id, lease->id, sizeof words->id);
    if (lease->worker == AGON__TRUSTED) {
        agon_worker_take(w, 0, words);
        free(words);
        return;
    }
    const bool match = words->task >= 0 && w->task[words->task].match;
    double blobs = 0;
    if (words->task >= 0)
        blobs = match ? 2 * z->snapshot : z->learner + z->opponents * z->snapshot;
    w->out->blob_bytes += blobs;
    agon_world_send(w, AGON_WORLD_TASK, AGON__TASK, w->by_number[lease->worker], z->task[match],
                    words);
}

static void pump(agon_world* w) {
    for (bool more = true; more && !w->rc;) {
        agon__lease lease;
        const uint64_t begun = real_ns();
        more = agon__scheduler_next(w->scheduler, agon_world_ms(w), &lease);
        spent(w, begun);
        if (more)
            start(w, &lease);
    }
}

static void remember_number(agon_world* w, int worker, int number) {
    if (number >= w->numbers) {
        int* grown = realloc(w->by_number, (size_t)(number + 1024) * sizeof *grown);
        if (!grown) {
            w->rc = AGON_EMEMORY;
            return;
        }
        w->by_number = grown;
        w->numbers = number + 1024;
    }
    w->by_number[number] = worker;
}

static void joined(agon_world* w, int worker) {
    agon_world_worker* v = &w->worker[worker];
    const int slots = w->def->slots;
    agon_error error;
    agon__hello* hello = calloc(1, sizeof *hello);
    if (!hello) {
        w->rc = AGON_EMEMORY;
        return;
    }
    hello->slots = slots;
    memcpy(hello->id, v->id, sizeof hello->id);
    snprintf(hello->name, sizeof hello->name, "w%d", worker);
    snprintf(hello->token, sizeof hello->token, "-");
    uint64_t begun = real_ns();
    v->number = agon__scheduler_join(w->scheduler, hello, "10.0.0.1:1", agon_world_ms(w), &error);
    spent(w, begun);
    free(hello);
    if (v->number < 0) {
        w->rc = v->number;
        return;
    }
    remember_number(w, worker, v->number);
    v->known = true;
    begun = real_ns();
    agon__scheduler_credit(w->scheduler, v->number, slots + 1 + slots / 4, agon_world_ms(w));
    spent(w, begun);
    w->out->messages += 5;
    for (int kind = AGON__HELLO; kind <= AGON__CREDIT; kind++)
        w->out->bytes += kind == AGON__REJECT ? 0 : w->def->sizes.message[kind];
    give(w);
}

static void left(agon_world* w, int number) {
    const uint64_t begun = real_ns();
    agon__scheduler_leave(w->scheduler, number, agon_world_ms(w));
    spent(w, begun);
}

static void beat(agon_world* w, int worker, const agon_world_words* said) {
    agon_world_words* words = calloc(1, sizeof *words);
    if (!words) {
        w->rc = AGON_EMEMORY;
        return;
    }
    for (int i = 0; i < said->leases; i++) {
        const agon__progress* p = &said->beat[i];
        const uint64_t begun = real_ns();
        const bool on = agon__scheduler_beat(w->scheduler, w->worker[worker].number, p->lease,
                                             p->permille, p->steps, agon_world_ms(w));
        spent(w, begun);
        if (!on)
            words->beat[words->leases++].lease = p->lease;
    }
    const double more = w->def->sizes.lease * words->leases;
    agon_world_send(w, AGON_WORLD_BEAT_OK, AGON__BEAT_OK, worker, more, words);
}

/* What the scheduler makes of an offer, and of its bytes when `brought`. false: bytes are wanted.
 */
static bool take(agon_world* w, int worker, const agon_world_words* words, bool brought,
                 agon__verdict* verdict) {
    const int number = worker ? w->worker[worker].number : AGON__TRUSTED;
    agon__result_offer offer = {.lease = words->lease, .size = 1, .steps = 1};
    memcpy(offer.task, words->id, sizeof offer.task);
    make_hash((uint64_t)words->task + 1, offer.hash);
    const uint64_t begun = real_ns();
    agon__offer_answer answer = AGON__OFFER_SETTLED;
    if (brought)
        *verdict = agon__scheduler_result(w->scheduler, number, &offer, (const uint8_t*)"", 0,
                                          agon_world_ms(w));
    else
        answer = agon__scheduler_offer(w->scheduler, number, &offer, agon_world_ms(w), verdict);
    spent(w, begun);
    return answer == AGON__OFFER_SETTLED;
}

static agon_world_words* copy_of(agon_world* w, const agon_world_words* words) {
    agon_world_words* copy = malloc(sizeof *copy);
    if (copy)
        *copy = *words;
    else
        w->rc = AGON_EMEMORY;
    return copy;
}

/* A result, or the word that there is one. */
static void offered(agon_world* w, int worker, const agon_world_words* words, bool brought) {
    const bool before = words->task >= 0 && w->task[words->task].done;
    const bool match = words->task >= 0 && w->task[words->task].match;
    agon__verdict verdict = AGON__UNKNOWN;
    bool settled = take(w, worker, words, brought, &verdict);
    if (!settled && (match || !worker)) /* its bytes came along */
        settled = take(w, worker, words, true, &verdict);
    if (!worker)
        return;
    if (!settled) {
        agon_world_send(w, AGON_WORLD_WANT, AGON__WANT, worker, 0, copy_of(w, words));
        return;
    }
    const bool accepted = verdict == AGON__ACCEPTED;
    agon_worker_judged(w, worker, words->serial, accepted && words->task >= 0 && !before,
                       accepted && (words->task < 0 || before));
    agon_world_send(w, AGON_WORLD_ACK, AGON__ACK, worker, 0, copy_of(w, words));
}

static void tick(agon_world* w) {
    agon_world_words own = {0};
    agon_worker_progress(w, 0, &own);
    for (int i = 0; i < own.leases; i++)
        agon__scheduler_beat(w->scheduler, AGON__TRUSTED, own.beat[i].lease, own.beat[i].permille,
                             own.beat[i].steps, agon_world_ms(w));
    const uint64_t begun = real_ns();
    agon__scheduler_tick(w->scheduler, agon_world_ms(w));
    spent(w, begun);
    agon_world_at(w, w->now + 1, AGON_WORLD_TICK, 0, 0, NULL);
}

static void coordinator_event(agon_world* w, const agon_world_event* e) {
    switch (e->kind) {
    case AGON_WORLD_JOINED:
        joined(w, e->worker);
        agon_worker_welcome(w, e->worker);
        break;
    case AGON_WORLD_LEFT:
        left(w, (int)e->serial);
        break;
    case AGON_WORLD_TICK:
        tick(w);
        break;
    case AGON_WORLD_COMMITTED:
        committed(w, (int)e->serial);
        break;
    case AGON_WORLD_BEAT:
        beat(w, e->worker, e->words);
        return;
    default: /* AGON_WORLD_OFFER, AGON_WORLD_CARGO */
        offered(w, e->worker, e->words, e->kind == AGON_WORLD_CARGO);
    }
    pump(w);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void struck(void* user, int worker, const char* why) {
    agon_world* w = user;
    (void)worker, (void)why;
    w->rc = AGON_ECONFLICT; /* nobody lies here */
}

static void wrong(void* user, const uint8_t* task, size_t size, const agon_error* why) {
    (void)task, (void)size;
    struck(user, 0, why->text);
}

static int open_world(agon_world* w, agon_error* error) {
    const agon_world_def* d = w->def;
    const agon__scheduler_def def = {.lease_ms = d->lease_ms,
                                     .audit = d->audit,
                                     .secret = d->seed,
                                     .user = w,
                                     .golden = golden,
                                     .done = done,
                                     .wrong = wrong,
                                     .struck = struck};
    const size_t tasks = (size_t)d->generations * (size_t)d->agents * (size_t)(1 + d->matches);
    w->tasks = (int)tasks;
    w->clock_ns = clock_ns();
    w->key = agon_key_make(d->seed, "bench/scheduler", AGON_FOR_TEST);
    w->worker = calloc((size_t)d->workers + 1, sizeof *w->worker);
    w->task = calloc(tasks, sizeof *w->task);
    if (!w->worker || !w->task)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d virtual workers", d->workers);
    return agon__scheduler_open(&def, 0, &w->scheduler, error);
}

static void close_world(agon_world* w) {
    for (int i = 0; i < w->events; i++)
        free(w->heap[i].words);
    agon__scheduler_close(w->scheduler);
    free(w->heap);
    free(w->worker);
    free(w->by_number);
    free(w->task);
}

static void populate(agon_world* w) {
    const agon_world_def* d = w->def;
    w->worker[0].speed = 1;
    w->worker[0].connected = true;
    for (int i = 1; i <= d->workers; i++) {
        w->worker[i].life = ++w->lives;
        agon_world_at(w, agon_world_roll(w), AGON_WORLD_BORN, i, 0, NULL);
    }
    for (int i = 0; i < d->agents; i++)
        plan_task(w, d->train_s, false);
    agon_world_at(w, 0, AGON_WORLD_TICK, 0, 0, NULL);
}

static void live(agon_world* w) {
    while (!w->rc && (w->settled < w->tasks || agon__scheduler_now(w->scheduler).checks)) {
        const agon_world_event e = agon_world_next(w);
        w->now = e.at;
        w->out->events++;
        if (e.life != w->worker[e.worker].life)
            ; /* of somebody who is dead */
        else if (e.kind < AGON_WORLD_JOINED)
            agon_worker_event(w, &e);
        else
            coordinator_event(w, &e);
        free(e.words);
    }
}

int agon_world_run(const agon_world_def* def, agon_world_result* out, agon_error* error) {
    agon_world w = {.def = def, .out = out};
    *out = (agon_world_result){0};
    int rc = open_world(&w, error);
    if (!rc) {
        populate(&w);
        live(&w);
        for (int i = 1; i <= def->workers; i++)
            agon_worker_end(&w, i);
        out->seconds = w.now;
        out->count = agon__scheduler_now(w.scheduler);
        rc = w.rc ? agon_fail(error, w.rc, "the virtual run of %d workers: %s", def->workers,
                              agon_error_text(w.rc))
                  : AGON_OK;
    }
    close_world(&w);
    return rc;
}
