/* link_nats_cargo.c: what a worker's link carries besides words: results out, blobs in. */
#include "net/link_nats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct agon__upload {
    struct agon__upload* next;
    agon__link_nats* link;
    agon__result_offer offer;
    bool asked;                /* the core, for its chunks */
    int index, pending, count; /* next chunk; under way; of all */
};

typedef struct sent { /* a result that goes into the stream */
    agon__link_nats* link;
    char task[AGON_HASH_SIZE];
} sent;

/* ---- results ------------------------------------------------------------------------------ */

/* The result is kept: so the task need not be given to anybody else. Otherwise the connection was
 * lost, and the core offers it again when it is welcome again. */
static void result_stored(void* user, uint64_t sequence, const agon_error* why) {
    sent* s = user;
    agon__link_nats* l = s->link;
    (void)why;
    agon__held** at = agon__link_nats_held(l, s->task);
    if (sequence && *at && (*at)->finished)
        agon__link_nats_settle(l, at, "+ACK");
    free(s);
}

/* The id is new with every handshake: the same offer, made again because the coordinator has not
 * heard of the first, must not be taken for a double. */
static void publish(agon__link_nats* l, const agon__result_offer* offer) {
    agon__message m = {.kind = AGON__RESULT, .as.result = *offer};
    char subject[AGON__NATS_SUBJECT + 128], id[3 * AGON_HASH_SIZE];
    agon_error error;
    uint8_t* data = NULL;
    size_t size = 0;
    sent* s = calloc(1, sizeof *s);
    if (!s || agon__message_encode(&m, &data, &size, &error) != AGON_OK) {
        free(s);
        return; /* it stays in the spool */
    }
    s->link = l;
    memcpy(s->task, offer->task, sizeof s->task);
    snprintf(subject, sizeof subject, AGON__SUBJECT_RESULT, l->url.space, l->coordinator, l->name,
             l->id);
    snprintf(id, sizeof id, "r:%s:%.16s:%s:%llu", offer->task, offer->hash, l->epoch,
             (unsigned long long)offer->lease);
    agon__nats_store(l->nats, subject, id, false, data, size, s, result_stored);
}

static agon__upload** find_task(agon__link_nats* l, const char* task) {
    agon__upload** at = &l->uploads;
    while (*at && strcmp((*at)->offer.task, task) != 0)
        at = &(*at)->next;
    return at;
}

void agon__link_nats_result(agon__link_nats* l, const agon__result_offer* offer) {
    agon__held* held = *agon__link_nats_held(l, offer->task);
    if (held)
        held->finished = true;
    if (offer->inlined) {
        publish(l, offer);
        return;
    }
    agon__upload** at = find_task(l, offer->task);
    if (*at)
        return; /* it is on its way */
    agon__upload* u = calloc(1, sizeof *u);
    if (!u)
        return;
    u->link = l;
    u->offer = *offer;
    u->count = agon__chunks(offer->size);
    *at = u;
    agon__link_nats_soon(l);
}

/* ---- the chunks of a result --------------------------------------------------------------- */

static agon__upload* find_hash(agon__link_nats* l, const char* hash) {
    agon__upload* u = l->uploads;
    while (u && !(u->asked && strcmp(u->offer.hash, hash) == 0))
        u = u->next;
    return u;
}

/* Of several results with the same bytes, one after the other: the core sends them once. */
void agon__link_nats_upload(agon__link_nats* l) {
    for (agon__upload *u = l->uploads, *next; u; u = next) {
        agon__message m = {.kind = AGON__WANT};
        next = u->next;
        if (u->asked || find_hash(l, u->offer.hash))
            continue;
        u->asked = true;
        memcpy(m.as.want.hash, u->offer.hash, sizeof m.as.want.hash);
        agon__link_nats_tell(l, &m);
    }
}

static void drop(agon__link_nats* l, agon__upload** at) {
    agon__upload* u = *at;
    *at = u->next;
    agon__nats_forget(l->nats, u);
    free(u);
}

void agon__link_nats_drop_uploads(agon__link_nats* l, const char* task) {
    for (agon__upload** at = &l->uploads; *at;)
        if (!task || strcmp((*at)->offer.task, task) == 0)
            drop(l, at);
        else
            at = &(*at)->next;
}

static void chunk_stored(void* user, uint64_t sequence, const agon_error* why) {
    agon__upload* u = user;
    agon__link_nats* l = u->link;
    (void)why;
    u->pending--;
    if (!sequence)
        return; /* the connection is lost, and all uploads with it */
    if (u->pending == 0 && u->index == u->count) {
        const agon__result_offer offer = u->offer;
        drop(l, find_task(l, offer.task));
        publish(l, &offer);
        agon__link_nats_soon(l);
    }
    l->def.drained(l->def.user);
}

/* One that nobody asked for here goes to the coordinator, who did. */
void agon__link_nats_chunk(agon__link_nats* l, const agon__message* m) {
    const agon__chunk* chunk = &m->as.chunk;
    char subject[AGON__NATS_SUBJECT + 128];
    agon__upload* u = find_hash(l, chunk->hash);
    if (!u) {
        agon__link_nats_say(l, m);
        return;
    }
    if (chunk->index != u->index)
        return;
    u->index++;
    u->pending++;
    snprintf(subject, sizeof subject, AGON__SUBJECT_PART, l->url.space, l->name, l->id,
             chunk->hash);
    agon__depot_put(l->nats, subject, chunk, u, chunk_stored);
}

size_t agon__link_nats_uploading(const agon__link_nats* l) {
    size_t bytes = 0;
    for (const agon__upload* u = l->uploads; u; u = u->next)
        bytes += (size_t)u->pending * AGON__CHUNK;
    return bytes;
}

/* ---- blobs in ----------------------------------------------------------------------------- */

/* One that came out of the stream and is wanted again was damaged there, or is to be had anew; so
 * is one that is wanted while it comes: its last chunk shows the damage before its fetch has ended.
 */
static bool was_fetched(agon__link_nats* l, const char* hash) {
    for (int i = 0; i < AGON__FETCHED; i++)
        if (strcmp(l->fetched[i], hash) == 0) {
            l->fetched[i][0] = '\0';
            return true;
        }
    return false;
}

void agon__link_nats_want(agon__link_nats* l, const agon__message* m) {
    char subject[AGON__NATS_SUBJECT];
    const agon__want* want = &m->as.want;
    if (was_fetched(l, want->hash)) {
        agon__link_nats_say(l, m);
        return;
    }
    snprintf(subject, sizeof subject, AGON__SUBJECT_BLOB, l->url.space, want->hash);
    if (!agon__depot_fetch(l->depot, l, subject, want->hash, want->from))
        agon__link_nats_say(l, m);
}

static void on_chunk(void* user, void* whose, const agon__message* m, const uint8_t* data,
                     size_t size) {
    (void)whose;
    (void)data;
    (void)size;
    agon__link_nats_tell(user, m);
}

/* What the stream does not have, the coordinator has. */
static void on_fetched(void* user, void* whose, const char* hash, bool whole) {
    agon__link_nats* l = user;
    agon__message m = {.kind = AGON__WANT};
    (void)whose;
    memcpy(m.as.want.hash, hash, sizeof m.as.want.hash);
    if (whole)
        memcpy(l->fetched[l->fetches++ % AGON__FETCHED], hash, AGON_HASH_SIZE);
    else if (l->step == AGON__WELCOMED)
        agon__link_nats_say(l, &m);
}

int agon__link_nats_depot(agon__link_nats* l, agon_error* error) {
    agon__depot_def d = {.nats = l->nats, .chunk = on_chunk, .done = on_fetched, .user = l};
    snprintf(d.stream, sizeof d.stream, AGON__STREAM_BLOBS, l->url.space);
    return agon__depot_open(&d, &l->depot, error);
}
