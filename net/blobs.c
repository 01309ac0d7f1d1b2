#include "net/blobs.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

typedef struct asker {
    struct asker* next;
    void* user;
    void (*ready)(void* user, const char* hash, agon__shared* blob, const agon_error* why);
} asker;

typedef struct reading {
    struct reading* next;
    agon__blobs* blobs;
    uv_work_t work;
    char hash[AGON_HASH_SIZE];
    asker* askers;
    uint8_t* data;
    size_t size;
    int rc;
    agon_error error;
} reading;

typedef struct entry {
    struct entry* next;
    agon__shared blob; /* first holder: the shelf */
} entry;

struct agon__blobs {
    agon_executor_def def;
    size_t limit, idle; /* bytes; those that only the shelf holds */
    entry* bucket[BUCKETS];
    agon__shared *oldest, *newest; /* those that only the shelf holds */
    reading* readings;
    bool shut;
};

static size_t place_of(const char* hash) {
    char head[9] = {0};
    memcpy(head, hash, 8);
    return strtoul(head, NULL, 16) % BUCKETS;
}

static entry* find(const agon__blobs* b, const char* hash) {
    for (entry* e = b->bucket[place_of(hash)]; e; e = e->next)
        if (strcmp(e->blob.hash, hash) == 0)
            return e;
    return NULL;
}

/* ---- idle ones, in the order of their last use -------------------------------------------- */

static void link_idle(agon__blobs* b, agon__shared* x) {
    x->older = b->newest;
    x->newer = NULL;
    if (b->newest)
        b->newest->newer = x;
    else
        b->oldest = x;
    b->newest = x;
    b->idle += x->size;
}

static void unlink_idle(agon__blobs* b, agon__shared* x) {
    if (x->older)
        x->older->newer = x->newer;
    else
        b->oldest = x->newer;
    if (x->newer)
        x->newer->older = x->older;
    else
        b->newest = x->older;
    b->idle -= x->size;
}

static void drop(agon__blobs* b, agon__shared* x) {
    entry** at = &b->bucket[place_of(x->hash)];
    while (&(*at)->blob != x)
        at = &(*at)->next;
    entry* e = *at;
    *at = e->next;
    free(e->blob.data);
    free(e);
}

static void shrink(agon__blobs* b) {
    while (b->idle > b->limit) {
        agon__shared* x = b->oldest;
        unlink_idle(b, x);
        drop(b, x);
    }
}

static agon__shared* hold(agon__blobs* b, agon__shared* x) {
    if (x->holders++ == 0)
        unlink_idle(b, x);
    return x;
}

void agon__blobs_release(agon__blobs* b, agon__shared* x) {
    if (--x->holders > 0)
        return;
    link_idle(b, x);
    shrink(b);
}

/* ---- reading ------------------------------------------------------------------------------ */

static void read_blob(uv_work_t* work) {
    reading* r = work->data;
    r->rc = r->blobs->def.load(r->blobs->def.load_user, r->hash, &r->data, &r->size, &r->error);
}

static entry* add(agon__blobs* b, reading* r) {
    entry* e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    memcpy(e->blob.hash, r->hash, sizeof r->hash);
    e->blob.data = r->data;
    e->blob.size = r->size;
    r->data = NULL;
    e->next = b->bucket[place_of(r->hash)];
    b->bucket[place_of(r->hash)] = e;
    link_idle(b, &e->blob);
    return e;
}

static void blob_read(uv_work_t* work, int status) {
    reading* r = work->data;
    agon__blobs* b = r->blobs;
    reading** at = &b->readings;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    if (status && !r->rc)
        r->rc = agon_fail(&r->error, AGON_ECANCELLED, "blob %.12s was not read", r->hash);
    entry* e = r->rc ? NULL : add(b, r);
    if (!e && !r->rc)
        r->rc = agon_fail(&r->error, AGON_EMEMORY, "no memory for blob %.12s", r->hash);
    if (e)
        hold(b, &e->blob); /* until all were told */
    for (asker* a; (a = r->askers);) {
        r->askers = a->next;
        if (!b->shut)
            a->ready(a->user, r->hash, e ? hold(b, &e->blob) : NULL, &r->error);
        free(a);
    }
    if (e)
        agon__blobs_release(b, &e->blob);
    free(r->data);
    free(r);
}

static reading* begin_reading(agon__blobs* b, const char* hash) {
    for (reading* r = b->readings; r; r = r->next)
        if (strcmp(r->hash, hash) == 0)
            return r;
    reading* r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->blobs = b;
    r->work.data = r;
    snprintf(r->hash, sizeof r->hash, "%s", hash);
    if (uv_queue_work(b->def.loop, &r->work, read_blob, blob_read) != 0) {
        free(r);
        return NULL;
    }
    r->next = b->readings;
    b->readings = r;
    return r;
}

void agon__blobs_get(agon__blobs* b, const char* hash, void* user,
                     void (*ready)(void* user, const char* hash, agon__shared* blob,
                                   const agon_error* why)) {
    agon_error error = {0};
    entry* e = find(b, hash);
    if (e) {
        ready(user, hash, hold(b, &e->blob), &error);
        return;
    }
    asker* a = malloc(sizeof *a);
    reading* r = a ? begin_reading(b, hash) : NULL;
    if (!r) {
        free(a);
        agon_fail(&error, AGON_EMEMORY, "no memory for blob %.12s", hash);
        ready(user, hash, NULL, &error);
        return;
    }
    *a = (asker){r->askers, user, ready};
    r->askers = a;
}

void agon__blobs_forget(agon__blobs* b, const void* user) {
    for (reading* r = b->readings; r; r = r->next)
        for (asker** at = &r->askers; *at;) {
            asker* a = *at;
            if (a->user != user) {
                at = &a->next;
                continue;
            }
            *at = a->next;
            free(a);
        }
}

int agon__blobs_open(const agon_executor_def* def, size_t limit, agon__blobs** out,
                     agon_error* error) {
    agon__blobs* b = calloc(1, sizeof *b);
    if (!b)
        return agon_fail(error, AGON_EMEMORY, "no memory for blobs");
    b->def = *def;
    b->limit = limit;
    *out = b;
    return AGON_OK;
}

void agon__blobs_shut(agon__blobs* b) {
    b->shut = true;
    for (reading* r = b->readings; r; r = r->next)
        uv_cancel((uv_req_t*)&r->work);
}

void agon__blobs_close(agon__blobs* b) {
    if (!b)
        return;
    for (int i = 0; i < BUCKETS; i++)
        for (entry* e; (e = b->bucket[i]);) {
            b->bucket[i] = e->next;
            free(e->blob.data);
            free(e);
        }
    free(b);
}
