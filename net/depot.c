#include "net/depot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW  4    /* chunks asked for at a time */
#define WAIT_MS 5000 /* for one */
#define TRIES   3

typedef struct fetch {
    struct fetch* next;
    agon__depot* depot;
    void* whose;
    char subject[AGON__NATS_SUBJECT], hash[AGON_HASH_SIZE];
    int index, count, pending; /* next chunk to ask for; chunks, 0: not known; asked for */
    bool failed;
} fetch;

typedef struct asked {
    fetch* fetch; /* NULL: forgotten */
    struct asked *next, *before;
    agon__depot* depot;
    int index, tries;
} asked;

struct agon__depot {
    agon__depot_def def;
    fetch* fetches;
    asked* asked;
};

static void ask(agon__depot* d, fetch* f, int index, int tries);

static void end(fetch* f, bool whole) {
    agon__depot* d = f->depot;
    for (fetch** at = &d->fetches; *at; at = &(*at)->next)
        if (*at == f) {
            *at = f->next;
            break;
        }
    d->def.done(d->def.user, f->whose, f->hash, whole);
    free(f);
}

/* What fails at once comes back here before it was asked for: it must not end the fetch. */
static void go_on(fetch* f) {
    f->pending++;
    while (!f->failed && f->index < f->count && f->pending <= WINDOW)
        ask(f->depot, f, f->index++, 0);
    if (--f->pending == 0)
        end(f, !f->failed);
}

static void take(fetch* f, int index, const agon__nats_message* m) {
    agon__depot* d = f->depot;
    agon__message* chunk = calloc(1, sizeof *chunk);
    const bool good =
        chunk && agon__message_decode(m->data, m->size, chunk, NULL) == AGON_OK &&
        chunk->kind == AGON__CHUNK_DATA && strcmp(chunk->as.chunk.hash, f->hash) == 0 &&
        chunk->as.chunk.index == index && (f->count == 0 || f->count == chunk->as.chunk.count);
    if (good) {
        f->count = chunk->as.chunk.count;
        d->def.chunk(d->def.user, f->whose, chunk, m->data, m->size);
    } else {
        f->failed = true;
    }
    if (chunk)
        agon__message_clear(chunk);
    free(chunk);
}

static void unlist(asked* a) {
    if (a->before)
        a->before->next = a->next;
    else
        a->depot->asked = a->next;
    if (a->next)
        a->next->before = a->before;
}

static void on_answer(void* user, const agon__nats_message* m) {
    asked* a = user;
    agon__depot* d = a->depot;
    const int index = a->index, tries = a->tries;
    unlist(a);
    fetch* f = a->fetch;
    free(a);
    if (!f)
        return;
    if (!m && tries + 1 < TRIES && agon__nats_connected(d->def.nats))
        ask(d, f, index, tries + 1);
    else if (m && m->status == 0)
        take(f, index, m);
    else
        f->failed = true;
    for (const fetch* at = d->fetches; at; at = at->next)
        if (at == f) { /* not forgotten meanwhile by its owner */
            f->pending--;
            go_on(f);
            return;
        }
}

static void ask(agon__depot* d, fetch* f, int index, int tries) {
    char subject[2 * AGON__NATS_SUBJECT + 64];
    asked* a = calloc(1, sizeof *a);
    if (!a) {
        f->failed = true;
        return;
    }
    *a = (asked){.fetch = f, .depot = d, .index = index, .tries = tries, .next = d->asked};
    if (a->next)
        a->next->before = a;
    d->asked = a;
    f->pending++;
    snprintf(subject, sizeof subject, "$JS.API.DIRECT.GET.%s.%s.%d", d->def.stream, f->subject,
             index);
    agon__nats_ask(d->def.nats, subject, NULL, 0, WAIT_MS, a, on_answer);
}

bool agon__depot_fetch(agon__depot* d, void* whose, const char* subject, const char* hash,
                       int from) {
    for (const fetch* f = d->fetches; f; f = f->next)
        if (f->whose == whose && strcmp(f->hash, hash) == 0)
            return false;
    fetch* f = calloc(1, sizeof *f);
    if (!f) {
        d->def.done(d->def.user, whose, hash, false);
        return true;
    }
    f->depot = d;
    f->whose = whose;
    f->index = from + 1;
    snprintf(f->subject, sizeof f->subject, "%s", subject);
    snprintf(f->hash, sizeof f->hash, "%s", hash);
    f->next = d->fetches;
    d->fetches = f;
    f->pending++;
    ask(d, f, from, 0);
    if (--f->pending == 0)
        end(f, false);
    return true;
}

void agon__depot_forget(agon__depot* d, const void* whose) {
    for (asked* a = d->asked; a; a = a->next)
        if (a->fetch && a->fetch->whose == whose)
            a->fetch = NULL;
    for (fetch** at = &d->fetches; *at;) {
        fetch* f = *at;
        if (f->whose == whose) {
            *at = f->next;
            free(f);
        } else {
            at = &f->next;
        }
    }
}

int agon__depot_open(const agon__depot_def* def, agon__depot** out, agon_error* error) {
    agon__depot* d = calloc(1, sizeof *d);
    if (!d)
        return agon_fail(error, AGON_EMEMORY, "no memory for a depot");
    d->def = *def;
    *out = d;
    return AGON_OK;
}

void agon__depot_close(agon__depot* d) {
    for (asked *a = d->asked, *next; a; a = next) {
        next = a->next;
        free(a);
    }
    for (fetch *f = d->fetches, *next; f; f = next) {
        next = f->next;
        free(f);
    }
    free(d);
}

void agon__depot_put(agon__nats* nats, const char* subject, const agon__chunk* chunk, void* user,
                     agon__nats_stored stored) {
    agon__message m = {.kind = AGON__CHUNK_DATA, .as.chunk = *chunk};
    char whole[AGON__NATS_SUBJECT + 16];
    agon_error error;
    uint8_t* data = NULL;
    size_t size = 0;
    if (agon__message_encode(&m, &data, &size, &error) != AGON_OK) {
        stored(user, 0, &error);
        return;
    }
    snprintf(whole, sizeof whole, "%s.%d", subject, chunk->index);
    agon__nats_store(nats, whole, NULL, true, data, size, user, stored);
}
