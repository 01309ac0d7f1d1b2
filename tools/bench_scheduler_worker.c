/* bench_scheduler_worker.c: virtual workers: they come, compute, say how far they are, lose their
 * connection, and die. */
#include "tools/bench_scheduler.h"

#include <stdlib.h>
#include <string.h>

static double beat_s(const agon_world* w) {
    return w->def->lease_ms * 0.25e-3;
}

/* ---- where the time went ------------------------------------------------------------------ */

static double spent_on(const agon_world* w, const agon_world_lot* lot) {
    return lot->finished ? lot->ends - lot->begun : lot->running ? w->now - lot->begun : 0;
}

/* Work that nobody will use: somebody else was sooner, or it has to be done again. */
static void count_waste(agon_world* w, agon_world_lot* lot) {
    const bool done = lot->task >= 0 && w->task[lot->task].done;
    if (lot->judged)
        return;
    lot->judged = true;
    if (done)
        w->out->twice += spent_on(w, lot);
    else
        w->out->lost += spent_on(w, lot);
}

static agon_world_lot* find_lot(const agon_world_worker* v, uint64_t serial) {
    agon_world_lot* lot = v->lots;
    while (lot && lot->serial != serial)
        lot = lot->next;
    return lot;
}

void agon_worker_judged(agon_world* w, int worker, uint64_t serial, bool useful, bool audit) {
    agon_world_lot* lot = find_lot(&w->worker[worker], serial);
    if (!lot || lot->judged)
        return;
    lot->judged = true;
    *(useful ? &w->out->useful : audit ? &w->out->audits : &w->out->twice) += spent_on(w, lot);
}

/* ---- tasks -------------------------------------------------------------------------------- */

static void drop(agon_world* w, int worker, agon_world_lot* lot) {
    agon_world_worker* v = &w->worker[worker];
    agon_world_lot** at = &v->lots;
    if (worker)
        count_waste(w, lot);
    v->running -= lot->running;
    while (*at != lot)
        at = &(*at)->next;
    *at = lot->next;
    free(lot);
}

static void start_waiting(agon_world* w, int worker) {
    agon_world_worker* v = &w->worker[worker];
    for (agon_world_lot* lot = v->lots; lot; lot = lot->next) {
        if (worker && v->running == w->def->slots)
            return;
        if (lot->running || lot->finished)
            continue;
        lot->running = true;
        lot->begun = w->now;
        lot->ends = w->now + agon_world_work(w, lot->task) / v->speed;
        v->running++;
        agon_world_at(w, lot->ends, AGON_WORLD_FINISHED, worker, lot->serial, NULL);
    }
}

static void offer(agon_world* w, int worker, agon_world_lot* lot) {
    const bool match = lot->task >= 0 && w->task[lot->task].match;
    agon_world_words* words = calloc(1, sizeof *words);
    if (!words) {
        w->rc = AGON_EMEMORY;
        return;
    }
    words->serial = lot->serial;
    words->lease = lot->lease;
    words->task = lot->task;
    memcpy(words->id, lot->id, sizeof words->id);
    lot->offered = w->now;
    if (worker)
        agon_world_send(w, AGON_WORLD_OFFER, AGON__RESULT, worker,
                        match ? w->def->sizes.result[1] : 0, words);
    else
        agon_world_at(w, w->now, AGON_WORLD_OFFER, 0, 0, words);
}

void agon_worker_take(agon_world* w, int worker, const agon_world_words* words) {
    agon_world_worker* v = &w->worker[worker];
    agon_world_lot** at = &v->lots;
    for (; *at; at = &(*at)->next)
        if (strcmp((*at)->id, words->id) == 0) { /* leased anew; it goes on as it is */
            (*at)->lease = words->lease;
            if ((*at)->finished)
                offer(w, worker, *at);
            return;
        }
    agon_world_lot* lot = *at = calloc(1, sizeof *lot);
    if (!lot) {
        w->rc = AGON_EMEMORY;
        return;
    }
    lot->serial = ++w->serials;
    lot->lease = words->lease;
    lot->task = words->task;
    memcpy(lot->id, words->id, sizeof lot->id);
    start_waiting(w, worker);
}

static void finished(agon_world* w, int worker, uint64_t serial) {
    agon_world_worker* v = &w->worker[worker];
    agon_world_lot* lot = find_lot(v, serial);
    if (!lot)
        return;
    lot->running = false;
    lot->finished = true;
    v->running--;
    if (v->connected)
        offer(w, worker, lot);
    if (worker)
        start_waiting(w, worker);
    else
        drop(w, worker, lot);
}

/* ---- what is said ------------------------------------------------------------------------- */

void agon_worker_progress(agon_world* w, int worker, agon_world_words* words) {
    for (const agon_world_lot* lot = w->worker[worker].lots; lot; lot = lot->next) {
        if (words->leases == AGON_WORLD_LEASES)
            return;
        const double part = lot->finished  ? 1
                            : lot->running ? (w->now - lot->begun) / (lot->ends - lot->begun)
                                           : 0;
        words->beat[words->leases++] = (agon__progress){
            .lease = lot->lease, .permille = (int)(1000 * part), .steps = (uint64_t)(1e6 * part)};
    }
}

static void beats(agon_world* w, int worker) {
    agon_world_worker* v = &w->worker[worker];
    agon_world_words* words = v->connected ? calloc(1, sizeof *words) : NULL;
    agon_world_at(w, w->now + beat_s(w), AGON_WORLD_BEATS, worker, 0, NULL);
    if (!words)
        return;
    agon_worker_progress(w, worker, words);
    const double more = w->def->sizes.lease * words->leases;
    agon_world_send(w, AGON_WORLD_BEAT, AGON__BEAT, worker, more, words);
    for (agon_world_lot* lot = v->lots; lot; lot = lot->next)
        if (lot->finished && w->now - lot->offered > beat_s(w))
            offer(w, worker, lot);
}

static void cancelled(agon_world* w, int worker, const agon_world_words* words) {
    for (int i = 0; i < words->leases; i++) {
        agon_world_lot* lot = w->worker[worker].lots;
        while (lot && (lot->finished || lot->lease != words->beat[i].lease))
            lot = lot->next;
        if (lot)
            drop(w, worker, lot);
    }
    start_waiting(w, worker);
}

static void wanted(agon_world* w, int worker, const agon_world_words* words) {
    agon_world_words* copy = malloc(sizeof *copy);
    const double bytes = w->def->sizes.result[0];
    if (!copy) {
        w->rc = AGON_EMEMORY;
        return;
    }
    *copy = *words;
    w->out->blob_bytes += bytes;
    agon_world_send(w, AGON_WORLD_CARGO, AGON__CHUNK_DATA, worker, 0, copy);
}

static void acknowledged(agon_world* w, int worker, uint64_t serial) {
    agon_world_lot* lot = find_lot(&w->worker[worker], serial);
    if (lot)
        drop(w, worker, lot);
}

/* ---- coming and going --------------------------------------------------------------------- */

void agon_worker_birth(agon_world* w, int worker) {
    agon_world_worker* v = &w->worker[worker];
    const agon_world_def* d = w->def;
    agon_sha256(&v->life, sizeof v->life, v->id);
    v->alive = true;
    v->since = w->now;
    v->speed = agon_world_spread(w, d->speed_spread);
    if (agon_world_roll(w) < d->slow_share)
        v->speed /= d->slow_factor;
    agon_world_at(w, w->now + 4 * d->latency_s, AGON_WORLD_JOINED, worker, 0, NULL);
    agon_world_at(w, w->now + agon_world_wait(w, d->life_s), AGON_WORLD_DIES, worker, 0, NULL);
    agon_world_at(w, w->now + agon_world_wait(w, d->break_s), AGON_WORLD_BREAKS, worker, 0, NULL);
    agon_world_at(w, w->now + beat_s(w) * agon_world_roll(w), AGON_WORLD_BEATS, worker, 0, NULL);
}

/* The coordinator hears of it when the connection is closed, or after a time without a word. */
static void part(agon_world* w, int worker, double after) {
    agon_world_worker* v = &w->worker[worker];
    if (v->known)
        agon_world_at(w, w->now + after, AGON_WORLD_LEFT, 0, (uint64_t)v->number, NULL);
    v->known = v->connected = false;
}

void agon_worker_end(agon_world* w, int worker) {
    agon_world_worker* v = &w->worker[worker];
    const double slots = w->def->slots * (w->now - v->since);
    while (v->lots)
        drop(w, worker, v->lots);
    if (v->alive && worker) {
        w->out->there += slots;
        w->out->capacity += slots * v->speed;
    }
    v->alive = false;
}

static void dies(agon_world* w, int worker) {
    const agon_world_def* d = w->def;
    agon_worker_end(w, worker);
    part(w, worker, agon_world_roll(w) < d->silent ? d->lease_ms * 1e-3 : d->latency_s);
    w->worker[worker].life = ++w->lives;
    agon_world_at(w, w->now + agon_world_wait(w, d->away_s), AGON_WORLD_BORN, worker, 0, NULL);
}

static void breaks(agon_world* w, int worker) {
    const agon_world_def* d = w->def;
    if (w->worker[worker].connected) {
        part(w, worker, d->latency_s);
        const double mended = w->now + d->latency_s + agon_world_wait(w, d->mend_s);
        agon_world_at(w, mended + 4 * d->latency_s, AGON_WORLD_JOINED, worker, 0, NULL);
    }
    agon_world_at(w, w->now + agon_world_wait(w, d->break_s), AGON_WORLD_BREAKS, worker, 0, NULL);
}

void agon_worker_welcome(agon_world* w, int worker) {
    agon_world_worker* v = &w->worker[worker];
    v->connected = true;
    for (agon_world_lot* lot = v->lots; lot; lot = lot->next)
        if (lot->finished)
            offer(w, worker, lot);
}

void agon_worker_event(agon_world* w, const agon_world_event* e) {
    const bool there = w->worker[e->worker].connected;
    switch (e->kind) {
    case AGON_WORLD_BORN:
        agon_worker_birth(w, e->worker);
        break;
    case AGON_WORLD_DIES:
        dies(w, e->worker);
        break;
    case AGON_WORLD_BREAKS:
        breaks(w, e->worker);
        break;
    case AGON_WORLD_FINISHED:
        finished(w, e->worker, e->serial);
        break;
    case AGON_WORLD_BEATS:
        beats(w, e->worker);
        break;
    case AGON_WORLD_TASK:
        if (there)
            agon_worker_take(w, e->worker, e->words);
        break;
    case AGON_WORLD_BEAT_OK:
        cancelled(w, e->worker, e->words);
        break;
    case AGON_WORLD_WANT:
        if (there)
            wanted(w, e->worker, e->words);
        break;
    default: /* AGON_WORLD_ACK */
        acknowledged(w, e->worker, e->words->serial);
    }
}
