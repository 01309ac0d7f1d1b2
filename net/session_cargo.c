/* session_cargo.c: what a session carries besides words: blobs to the worker, results from it. */
#include "net/session.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_LOW   (1u << 20) /* bytes waiting for the worker; below it further chunks are sent */
#define MOST_OFFERS 4096

/* A blob on its way to the worker. */
struct agon__parcel {
    struct agon__parcel* next;
    agon__shared* blob;
    int index, count; /* next chunk; chunks */
};

/* A result that is to come. */
struct agon__pending {
    struct agon__pending* next;
    agon__result_offer offer;
    bool asked;
};

/* ---- blobs out ---------------------------------------------------------------------------- */

static void send_chunk(agon__session* s, const agon__parcel* p) {
    const size_t from = (size_t)p->index * AGON__CHUNK;
    const size_t left = p->blob->size - from;
    agon__message m;
    agon__message_begin(&m, AGON__CHUNK_DATA);
    memcpy(m.as.chunk.hash, p->blob->hash, AGON_HASH_SIZE);
    m.as.chunk.index = p->index;
    m.as.chunk.count = p->count;
    m.as.chunk.data = p->blob->data + from;
    m.as.chunk.size = left < AGON__CHUNK ? left : AGON__CHUNK;
    agon__session_send(s, &m);
}

void agon__session_drained(agon__session* s) {
    agon__transport* t = agon__coordinator_transport(s->coordinator);
    while (s->parcels && t->queued(t, s->peer) < QUEUE_LOW) {
        agon__parcel* p = s->parcels;
        send_chunk(s, p);
        if (++p->index < p->count)
            continue;
        s->parcels = p->next;
        s->parcel_count--;
        agon__blobs_release(agon__coordinator_blobs(s->coordinator), p->blob);
        free(p);
    }
}

static void send_missing(agon__session* s, const char* hash) {
    agon__message m = {.kind = AGON__MISSING};
    memcpy(m.as.missing.hash, hash, AGON_HASH_SIZE);
    agon__session_send(s, &m);
}

static void blob_is_here(void* user, const char* hash, agon__shared* blob, const agon_error* why) {
    agon__session* s = user;
    agon__parcel* p = blob ? calloc(1, sizeof *p) : NULL;
    (void)why;
    s->reading--;
    if (!p) {
        if (blob)
            agon__blobs_release(agon__coordinator_blobs(s->coordinator), blob);
        send_missing(s, hash);
        return;
    }
    p->blob = blob;
    p->count = agon__chunks(blob->size);
    agon__parcel** at = &s->parcels;
    while (*at)
        at = &(*at)->next;
    *at = p;
    s->parcel_count++;
    agon__session_drained(s);
}

/* Chunks from the first on: a worker that lost its connection has thrown the rest away. */
void agon__session_want(agon__session* s, const agon__want* want) {
    if (s->parcel_count + s->reading >= AGON__MOST_PARCELS) {
        send_missing(s, want->hash);
        return;
    }
    s->reading++;
    agon__blobs_get(agon__coordinator_blobs(s->coordinator), want->hash, s, blob_is_here);
}

void agon__session_drop_parcels(agon__session* s) {
    agon__blobs_forget(agon__coordinator_blobs(s->coordinator), s);
    for (agon__parcel* p; (p = s->parcels); free(p)) {
        s->parcels = p->next;
        agon__blobs_release(agon__coordinator_blobs(s->coordinator), p->blob);
    }
}

/* ---- results in --------------------------------------------------------------------------- */

static void acknowledge(agon__session* s, const agon__result_offer* offer, agon__verdict verdict) {
    if (verdict == AGON__ACCEPTED || verdict == AGON__DUPLICATE)
        agon__coordinator_acknowledge(s->coordinator, s->worker, offer, verdict);
    else
        agon__sessions_ack(s->coordinator, s->worker, offer->task, offer->lease, verdict);
}

static void take_bytes(agon__session* s, const agon__result_offer* offer, const uint8_t* data,
                       size_t size) {
    const int worker = s->worker;
    agon__coordinator* c = s->coordinator;
    const agon__verdict verdict = agon__coordinator_result(c, worker, offer, data, size);
    acknowledge(s, offer, verdict);
}

static void take_inline(agon__session* s, const agon__result_offer* offer) {
    char hash[AGON_HASH_SIZE];
    agon_sha256(offer->data, offer->inlined, hash);
    if (offer->inlined == offer->size && strcmp(hash, offer->hash) == 0) {
        take_bytes(s, offer, offer->data, offer->inlined);
        return;
    }
    agon__scheduler_bad(agon__coordinator_scheduler(s->coordinator), s->worker, offer->task,
                        "a result without the hash it was offered with",
                        agon__coordinator_now(s->coordinator));
    acknowledge(s, offer, AGON__CONFLICT);
}

/* Asks for what there is room for. */
static void ask(agon__session* s) {
    for (agon__pending* p = s->offers; p; p = p->next) {
        agon_error error;
        agon__message m = {.kind = AGON__WANT};
        if (p->asked)
            continue;
        if (agon__inbox_expect(s->inbox, p->offer.hash, p->offer.size, &error) != AGON_OK)
            return;
        p->asked = true;
        memcpy(m.as.want.hash, p->offer.hash, AGON_HASH_SIZE);
        agon__session_send(s, &m);
    }
}

static void await(agon__session* s, const agon__result_offer* offer) {
    agon__pending** at = &s->offers;
    for (; *at; at = &(*at)->next)
        if (strcmp((*at)->offer.task, offer->task) == 0)
            return; /* it is on its way */
    agon__pending* p = s->offer_count < MOST_OFFERS ? calloc(1, sizeof *p) : NULL;
    if (!p)
        return; /* the worker keeps it, and offers it again when it is here again */
    p->offer = *offer;
    p->offer.data = NULL;
    p->offer.inlined = 0;
    *at = p;
    s->offer_count++;
    ask(s);
}

void agon__session_offer(agon__session* s, const agon__result_offer* offer) {
    agon__verdict verdict;
    agon__coordinator* c = s->coordinator;
    if (agon__scheduler_offer(agon__coordinator_scheduler(c), s->worker, offer,
                              agon__coordinator_now(c), &verdict) == AGON__OFFER_SETTLED) {
        acknowledge(s, offer, verdict);
        agon__coordinator_wake(c);
    } else if (offer->inlined) {
        take_inline(s, offer);
    } else if (offer->size > 0 && offer->size <= AGON__RESULT_MAX) {
        await(s, offer);
    } else {
        agon__scheduler_bad(agon__coordinator_scheduler(c), s->worker, offer->task,
                            "a result of a size that none has", agon__coordinator_now(c));
        acknowledge(s, offer, AGON__CONFLICT);
    }
}

static agon__pending* take_pending(agon__session* s, const char* hash) {
    for (agon__pending** at = &s->offers; *at; at = &(*at)->next) {
        agon__pending* p = *at;
        if (strcmp(p->offer.hash, hash) != 0)
            continue;
        *at = p->next;
        s->offer_count--;
        return p;
    }
    return NULL;
}

/* A chunk that was damaged on its way, or lied about: asked for once more; the connection carries
 * checksums of its own, so it is hardly an accident, and counted. */
static void ask_again(agon__session* s, const char* hash) {
    for (agon__pending* p = s->offers; p; p = p->next)
        if (strcmp(p->offer.hash, hash) == 0)
            p->asked = false;
    if (++s->damaged > AGON__MOST_DAMAGED) {
        agon__pending* p = take_pending(s, hash);
        if (p) {
            agon__scheduler_bad(agon__coordinator_scheduler(s->coordinator), s->worker,
                                p->offer.task,
                                "chunks that do not give the hash they were offered "
                                "with, again and again",
                                agon__coordinator_now(s->coordinator));
            acknowledge(s, &p->offer, AGON__CONFLICT);
            free(p);
        }
    }
}

void agon__session_chunk(agon__session* s, const agon__chunk* chunk) {
    agon_error error;
    uint8_t* data = NULL;
    size_t size = 0;
    const int rc = agon__inbox_add(s->inbox, chunk, &data, &size, &error);
    if (rc == AGON_EFORMAT)
        ask_again(s, chunk->hash);
    /* Several tasks may have results of the same bytes. */
    for (agon__pending* p; data && (p = take_pending(s, chunk->hash)); free(p))
        take_bytes(s, &p->offer, data, size);
    free(data);
    ask(s);
}

void agon__session_drop_offers(agon__session* s) {
    for (agon__pending* p; (p = s->offers); free(p))
        s->offers = p->next;
}
