/* broker_blobs.c: blobs that tasks name, put into a stream; one at a time, some chunks ahead.
 *
 * Nothing depends on it: a worker that does not find one asks the coordinator itself. */
#include "net/broker.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW     4     /* chunks under way */
#define MOST_KNOWN 65536 /* blobs that are known to be there */
#define FULL       0.75  /* of the stream's bytes: then the older half goes */

struct agon__known {
    agon__known* next;
    char hash[AGON_HASH_SIZE];
};

struct agon__offering {
    agon__offering* next;
    agon__broker* broker;
    char hash[AGON_HASH_SIZE];
    agon__shared* blob;
    int index, count, pending; /* next chunk; chunks; under way */
    bool failed;
};

static agon__known** find(agon__broker* b, const char* hash) {
    agon__known** at = &b->known[agon__broker_bucket(hash)];
    while (*at && strcmp((*at)->hash, hash) != 0)
        at = &(*at)->next;
    return at;
}

static void forget(agon__broker* b, const char* hash) {
    agon__known** at = find(b, hash);
    agon__known* k = *at;
    if (!k)
        return;
    *at = k->next;
    b->knowns--;
    free(k);
}

void agon__broker_forget_offers(agon__broker* b) {
    for (int i = 0; i < AGON__BROKER_BUCKETS; i++)
        for (agon__known* k; (k = b->known[i]); free(k))
            b->known[i] = k->next;
    b->knowns = 0;
}

static void begin(agon__broker* b);

static void end(agon__offering* o) {
    agon__broker* b = o->broker;
    b->offers = o->next;
    if (!b->offers)
        b->offers_end = &b->offers;
    if (o->failed)
        forget(b, o->hash);
    agon__blobs_release(agon__coordinator_blobs(b->coordinator), o->blob);
    free(o);
    begin(b);
}

static void go_on(agon__offering* o);

static void stored(void* user, uint64_t sequence, const agon_error* why) {
    agon__offering* o = user;
    (void)why;
    o->pending--;
    o->failed |= sequence == 0;
    go_on(o);
}

static void put(agon__offering* o) {
    const size_t from = (size_t)o->index * AGON__CHUNK, left = o->blob->size - from;
    char subject[AGON__NATS_SUBJECT];
    agon__chunk chunk = {.index = o->index, .count = o->count, .data = o->blob->data + from};
    memcpy(chunk.hash, o->hash, sizeof chunk.hash);
    chunk.size = left < AGON__CHUNK ? left : AGON__CHUNK;
    snprintf(subject, sizeof subject, AGON__SUBJECT_BLOB, o->broker->url.space, o->hash);
    o->index++;
    o->pending++;
    agon__depot_put(o->broker->nats, subject, &chunk, o, stored);
}

/* What fails at once comes back here before its put has ended: it must not end the offering. */
static void go_on(agon__offering* o) {
    o->pending++;
    while (!o->failed && o->index < o->count && o->pending <= WINDOW)
        put(o);
    if (--o->pending == 0)
        end(o);
}

static void blob_is_here(void* user, const char* hash, agon__shared* blob, const agon_error* why) {
    agon__broker* b = user;
    agon__offering* o = b->offers;
    (void)why;
    if (!o || o->blob || strcmp(o->hash, hash) != 0) {
        if (blob)
            agon__blobs_release(agon__coordinator_blobs(b->coordinator), blob);
        return;
    }
    if (blob) {
        o->blob = blob;
        o->count = agon__chunks(blob->size);
        go_on(o);
        return;
    }
    b->offers = o->next;
    if (!b->offers)
        b->offers_end = &b->offers;
    forget(b, hash);
    free(o);
    begin(b);
}

static void begin(agon__broker* b) {
    if (b->offers && !b->shut)
        agon__blobs_get(agon__coordinator_blobs(b->coordinator), b->offers->hash, b, blob_is_here);
}

void agon__broker_offer(agon__broker* b, const char* hash) {
    if (b->knowns >= MOST_KNOWN)
        agon__broker_forget_offers(b);
    agon__known** at = find(b, hash);
    if (*at)
        return;
    agon__known* k = calloc(1, sizeof *k);
    agon__offering* o = calloc(1, sizeof *o);
    if (!k || !o) {
        free(k);
        free(o);
        return;
    }
    memcpy(k->hash, hash, sizeof k->hash);
    *at = k;
    b->knowns++;
    memcpy(o->hash, hash, sizeof o->hash);
    o->broker = b;
    *b->offers_end = o;
    b->offers_end = &o->next;
    if (b->offers == o)
        begin(b);
}

void agon__broker_offer_again(agon__broker* b, const char* hash) {
    for (const agon__offering* o = b->offers; o; o = o->next)
        if (strcmp(o->hash, hash) == 0)
            return; /* it is on its way */
    forget(b, hash);
    agon__broker_offer(b, hash);
}

/* ---- a full stream ------------------------------------------------------------------------ */

static double number_of(const cJSON* json, const char* name) {
    const cJSON* number = cJSON_GetObjectItem(json, name);
    return cJSON_IsNumber(number) ? number->valuedouble : 0;
}

static void look(void* user, const agon__nats_message* m) {
    agon__broker* b = user;
    char subject[AGON__NATS_SUBJECT], body[64];
    cJSON* json = m ? cJSON_ParseWithLength((const char*)m->data, m->size) : NULL;
    const cJSON* state = cJSON_GetObjectItem(json, "state");
    const double limit = number_of(cJSON_GetObjectItem(json, "config"), "max_bytes");
    if (limit > 0 && number_of(state, "bytes") > FULL * limit) {
        const double middle = (number_of(state, "first_seq") + number_of(state, "last_seq")) / 2;
        snprintf(subject, sizeof subject, "$JS.API.STREAM.PURGE.%s", b->blobs);
        const int size = snprintf(body, sizeof body, "{\"seq\":%.0f}", middle + 1);
        agon__nats_publish(b->nats, subject, NULL, body, (size_t)size);
        agon__broker_forget_offers(b);
    }
    cJSON_Delete(json);
}

void agon__broker_make_room(agon__broker* b) {
    char subject[AGON__NATS_SUBJECT];
    snprintf(subject, sizeof subject, "$JS.API.STREAM.INFO.%s", b->blobs);
    agon__nats_ask(b->nats, subject, NULL, 0, 5000, b, look);
}

void agon__broker_blobs_clear(agon__broker* b) {
    for (agon__offering* o; (o = b->offers); free(o)) {
        b->offers = o->next;
        if (o->blob)
            agon__blobs_release(agon__coordinator_blobs(b->coordinator), o->blob);
    }
    agon__broker_forget_offers(b);
}
