/* worker_results.c: finished tasks: onto the disk, offered, sent when wanted, and dropped once the
 * coordinator has said anything at all to them. */
#include "net/worker.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_MOST ((size_t)4 << 20)   /* bytes waiting to go out; then chunks rest */
#define SPOOL_MOST ((uint64_t)4 << 30) /* bytes of results that nobody has taken ... */
#define MOST_KEPT  4096                /* ... and results: then no more tasks are */

struct agon__keeping {
    agon__keeping* next;
    uv_work_t work;
    agon__worker* w;
    agon__lot* lot;
    agon__result_offer offer;
    uint8_t* data; /* the result */
    size_t size;
    bool cached; /* its blobs are in the cache, or could not be */
    bool back;   /* its lease is handed back: there was no room on the disk */
    int rc;
    agon_error error;
};

typedef struct reading { /* a result that comes from the disk to be sent */
    uv_work_t work;
    agon__worker* w;
    char task[AGON_HASH_SIZE], hash[AGON_HASH_SIZE];
    uint8_t* data;
    size_t size;
    int rc;
    agon_error error;
} reading;

/* ---- offers ------------------------------------------------------------------------------- */

/* What all threads have done since the last result that said it. */
static void add_spent(agon__worker* w, agon__result_offer* out) {
    double seconds[AGON_PHASES] = {0};
    w->executor.profile(&w->executor, seconds);
    out->phases = AGON_PHASES;
    for (int i = 0; i < AGON_PHASES; i++) {
        const uint64_t ms = (uint64_t)(seconds[i] * 1000);
        out->spent[i].ms = ms > w->told_ms[i] ? ms - w->told_ms[i] : 0;
        w->told_ms[i] += out->spent[i].ms;
    }
}

/* data: NULL, or the result when it is offered for the first time; it goes along when it is small.
 */
static void offer(agon__worker* w, const agon__spooled* s, uint8_t* data) {
    agon__message m = {.kind = AGON__RESULT, .as.result = s->offer};
    if (data && w->connected)
        add_spent(w, &m.as.result);
    if (data && s->offer.size <= AGON__INLINE) {
        m.as.result.data = data;
        m.as.result.inlined = (size_t)s->offer.size;
        w->sent += s->offer.size;
    }
    w->offered_ms = agon__worker_now(w);
    agon__worker_send(w, &m);
}

bool agon__worker_offer_again(agon__worker* w, const char* task, uint64_t lease) {
    agon__spooled* s = agon__spool_find(w->spool, task);
    if (!s)
        return false;
    s->offer.lease = lease;
    offer(w, s, NULL);
    return true;
}

bool agon__worker_crowded(const agon__worker* w) {
    uint64_t bytes = 0;
    for (const agon__spooled* s = agon__spool_first(w->spool); s; s = s->next)
        bytes += s->offer.size;
    return bytes >= SPOOL_MOST || agon__spool_count(w->spool) >= MOST_KEPT;
}

void agon__worker_offer_all(agon__worker* w) {
    for (const agon__spooled* s = agon__spool_first(w->spool); s; s = s->next)
        offer(w, s, NULL);
}

/* ---- keeping ------------------------------------------------------------------------------ */

/* What a training task made is what the next generation asks for. That it could not be cached is no
 * fault: then it is fetched. */
static void cache_blobs(agon__keeping* k) {
    agon_result* result = calloc(1, sizeof *result);
    if (result && agon_result_decode(k->data, k->size, result, NULL) == AGON_OK) {
        for (int i = 0; i < result->blobs; i++)
            agon__cache_put(k->w->cache, result->blob[i].hash, result->blob[i].data,
                            result->blob[i].size, NULL);
    }
    if (result)
        agon_result_clear(result);
    free(result);
}

/* On the pool. */
static void keep(uv_work_t* work) {
    agon__keeping* k = work->data;
    if (!k->cached)
        cache_blobs(k);
    k->cached = true;
    k->rc = agon__spool_write(k->w->spool, &k->offer, k->data, k->size, &k->error);
}

static void free_keeping(agon__keeping* k) {
    free(k->data);
    free(k);
}

/* The lease was perhaps renewed while the result was written. */
static void kept(agon__keeping* k) {
    agon__worker* w = k->w;
    k->offer.lease = k->lot->lease;
    const agon__spooled* s = agon__spool_add(w->spool, &k->offer);
    if (s)
        offer(w, s, k->data);
    else
        agon__worker_nak(w, k->lot, AGON__NAK_HOST, "no memory for a list of results");
    agon__worker_forget(w, k->lot);
    free_keeping(k);
    if (agon__worker_crowded(w))
        agon__worker_credit(w);
    if (w->full && !w->waiting && !w->keeping)
        agon__worker_room(w);
}

static void not_kept(agon__keeping* k) {
    agon__worker* w = k->w;
    if (k->rc == AGON_ENOSPACE && !w->ended) {
        if (!k->back) {
            agon__worker_send_nak(w, k->lot->id, k->lot->lease, AGON__NAK_BACK, k->error.text);
            k->lot->dropped = k->back = true; /* it is offered all the same, once it is kept */
        }
        k->next = w->waiting;
        w->waiting = k;
        agon__worker_full(w, &k->error);
        return;
    }
    agon__worker_note(w, "a result could not be kept: %s", k->error.text);
    agon__worker_nak(w, k->lot, AGON__NAK_HOST, k->error.text);
    agon__worker_forget(w, k->lot);
    free_keeping(k);
}

static void after_keep(uv_work_t* work, int status) {
    agon__keeping* k = work->data;
    agon__worker* w = k->w;
    (void)status;
    w->jobs--;
    w->keeping--;
    if (k->rc == AGON_OK)
        kept(k);
    else
        not_kept(k);
    agon__worker_start(w);
    agon__worker_finish(w);
}

static void begin_keep(agon__keeping* k) {
    agon__worker* w = k->w;
    w->jobs++;
    w->keeping++;
    if (uv_queue_work(&w->loop, &k->work, keep, after_keep) == 0)
        return;
    k->rc = agon_fail(&k->error, AGON_EIO, "no thread for a result");
    w->jobs--;
    w->keeping--;
    not_kept(k);
}

void agon__worker_keep(agon__worker* w, agon__lot* lot, const agon_executor_look* look,
                       const uint8_t* data, size_t size) {
    agon__keeping* k = calloc(1, sizeof *k);
    uint8_t* copy = malloc(size ? size : 1);
    agon__worker_unpin(w, lot);
    if (!k || !copy) {
        free(k);
        free(copy);
        lot->stage = AGON__FETCHING;
        agon__worker_nak(w, lot, AGON__NAK_HOST, "no memory for a result");
        return;
    }
    memcpy(copy, data, size);
    lot->stage = AGON__KEEPING;
    *k = (agon__keeping){.work.data = k, .w = w, .lot = lot, .data = copy, .size = size};
    memcpy(k->offer.task, lot->id, sizeof k->offer.task);
    k->offer.steps = look->steps;
    k->offer.cpu_ms = look->cpu_ms;
    begin_keep(k);
}

void agon__worker_keep_again(agon__worker* w) {
    agon__keeping* k = w->waiting;
    w->waiting = NULL;
    for (agon__keeping* next; k; k = next) {
        next = k->next;
        begin_keep(k);
    }
}

/* ---- sending ------------------------------------------------------------------------------ */

static agon__sending* find_sending(agon__worker* w, const char* hash) {
    agon__sending* s = w->sending;
    while (s && strcmp(s->hash, hash) != 0)
        s = s->next;
    return s;
}

void agon__worker_stop_sending(agon__worker* w, const char* which) {
    char hash[AGON_HASH_SIZE] = "";
    if (which)
        memcpy(hash, which, sizeof hash); /* it may be that of a sending */
    for (agon__sending** at = &w->sending; *at;) {
        agon__sending* s = *at;
        if (which && strcmp(s->hash, hash) != 0) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        free(s->data);
        free(s);
    }
}

/* On the pool. */
static void read_result(uv_work_t* work) {
    reading* r = work->data;
    r->rc = agon__spool_load(r->w->spool, r->task, &r->data, &r->size, &r->error);
}

/* Gone or damaged: the task has to be done again, by whomever. */
static void lost_result(agon__worker* w, const reading* r) {
    const agon__spooled* s = agon__spool_find(w->spool, r->task);
    agon__worker_note(w, "a result is lost: %s", r->error.text);
    agon__worker_send_nak(w, r->task, s ? s->offer.lease : 0, AGON__NAK_HOST, r->error.text);
    agon__spool_drop(w->spool, r->task);
    agon__worker_stop_sending(w, r->hash);
}

static void after_read(uv_work_t* work, int status) {
    reading* r = work->data;
    agon__worker* w = r->w;
    agon__sending* s = find_sending(w, r->hash);
    (void)status;
    w->jobs--;
    if (r->rc) {
        lost_result(w, r);
    } else if (s && !s->data) {
        s->data = r->data;
        s->size = r->size;
        r->data = NULL;
    }
    free(r->data);
    free(r);
    agon__worker_pump(w);
    agon__worker_finish(w);
}

static void begin_read(agon__worker* w, const agon__sending* s) {
    reading* r = calloc(1, sizeof *r);
    if (r) {
        *r = (reading){.work.data = r, .w = w};
        memcpy(r->task, s->task, sizeof r->task);
        memcpy(r->hash, s->hash, sizeof r->hash);
        if (uv_queue_work(&w->loop, &r->work, read_result, after_read) == 0) {
            w->jobs++;
            return;
        }
    }
    free(r);
    agon__worker_stop_sending(w, s->hash); /* it is asked for again */
}

void agon__worker_want(agon__worker* w, const agon__want* want) {
    const agon__spooled* kept = agon__spool_first(w->spool);
    agon__sending* s = find_sending(w, want->hash);
    while (kept && strcmp(kept->offer.hash, want->hash) != 0)
        kept = kept->next;
    if (!kept || want->from >= agon__chunks(kept->offer.size))
        return;
    if (s) {
        s->index = want->from;
        return;
    }
    s = calloc(1, sizeof *s);
    if (!s)
        return;
    memcpy(s->hash, want->hash, sizeof s->hash);
    memcpy(s->task, kept->offer.task, sizeof s->task);
    s->index = want->from;
    s->next = w->sending;
    w->sending = s;
    begin_read(w, s);
}

/* The next chunk. true: it was the last. */
static bool send_chunk(agon__worker* w, agon__sending* s) {
    agon__message m = {.kind = AGON__CHUNK_DATA};
    agon__chunk* c = &m.as.chunk;
    const size_t at = (size_t)s->index * AGON__CHUNK;
    memcpy(c->hash, s->hash, sizeof c->hash);
    c->index = s->index++;
    c->count = agon__chunks(s->size);
    c->data = s->data + at;
    c->size = s->size - at < AGON__CHUNK ? s->size - at : AGON__CHUNK;
    w->sent += c->size;
    w->offered_ms = agon__worker_now(w);
    agon__worker_send(w, &m);
    return s->index >= c->count;
}

void agon__worker_pump(agon__worker* w) {
    for (agon__sending *s = w->sending, *next; s && w->connected; s = next) {
        bool last = false;
        next = s->next;
        while (s->data && !last) {
            if (w->link.queued(&w->link) >= QUEUE_MOST)
                return;
            last = send_chunk(w, s);
        }
        if (last)
            agon__worker_stop_sending(w, s->hash);
    }
}

/* ---- the end ------------------------------------------------------------------------------ */

void agon__worker_abandon(agon__worker* w) {
    agon__worker_stop_sending(w, NULL);
    for (agon__keeping* k; (k = w->waiting);) {
        w->waiting = k->next;
        agon__worker_note(w, "the result of task %.12s is lost: %s", k->offer.task, k->error.text);
        agon__worker_nak(w, k->lot, AGON__NAK_BACK, k->error.text);
        agon__worker_forget(w, k->lot);
        free_keeping(k);
    }
}

/* ---- what the coordinator says ------------------------------------------------------------ */

void agon__worker_ack(agon__worker* w, const agon__ack* ack) {
    const agon__spooled* s = agon__spool_find(w->spool, ack->task);
    if (!s)
        return;
    if (ack->verdict == AGON__ACCEPTED || ack->verdict == AGON__DUPLICATE) {
        w->tasks++;
        w->steps += s->offer.steps;
    } else if (ack->verdict == AGON__CONFLICT) {
        agon__worker_note(w, "the result of task %.12s is not that of others", ack->task);
    }
    if (w->link.settle)
        w->link.settle(&w->link, ack->task, s->offer.lease, true);
    agon__worker_stop_sending(w, s->offer.hash);
    const bool crowded = agon__worker_crowded(w);
    agon__spool_drop(w->spool, ack->task);
    if (crowded && !agon__worker_crowded(w))
        agon__worker_credit(w);
    agon__worker_finish(w);
}
