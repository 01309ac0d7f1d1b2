/* worker_blobs.c: what tasks name is fetched into the cache, each blob once, a few at a time. */
#include "net/worker.h"

#include <stdlib.h>
#include <string.h>

#define AT_ONCE  8     /* blobs asked for at a time */
#define FAILURES 3     /* that a blob may arrive damaged */
#define SILENCE  30000 /* ms without a chunk; then it is asked for again */

typedef struct storing { /* one whole blob on its way into the cache */
    uv_work_t work;
    agon__worker* w;
    char hash[AGON_HASH_SIZE];
    uint8_t* data;
    size_t size;
    int rc;
    agon_error error;
} storing;

/* ---- the list of fetches ------------------------------------------------------------------ */

static agon__fetch* find_fetch(agon__worker* w, const char* hash) {
    agon__fetch* f = w->fetches;
    while (f && strcmp(f->hash, hash) != 0)
        f = f->next;
    return f;
}

static void remove_fetch(agon__worker* w, const char* hash) {
    for (agon__fetch** at = &w->fetches; *at; at = &(*at)->next) {
        agon__fetch* f = *at;
        if (strcmp(f->hash, hash) != 0)
            continue;
        agon__inbox_forget(w->inbox, hash);
        *at = f->next;
        free(f);
        return;
    }
}

static bool add_fetch(agon__worker* w, const char* hash) {
    agon__fetch** at = &w->fetches;
    while (*at && strcmp((*at)->hash, hash) != 0)
        at = &(*at)->next;
    if (!*at) {
        *at = calloc(1, sizeof **at);
        if (*at)
            memcpy((*at)->hash, hash, AGON_HASH_SIZE);
    }
    return *at != NULL;
}

static void send_want(agon__worker* w, agon__fetch* f) {
    agon__message m = {.kind = AGON__WANT};
    memcpy(m.as.want.hash, f->hash, sizeof m.as.want.hash);
    m.as.want.from = agon__inbox_next(w->inbox, f->hash);
    f->heard_ms = agon__worker_now(w);
    agon__worker_send(w, &m);
}

/* Asks for the next ones, in the order in which tasks came. */
static void ask_more(agon__worker* w) {
    int asked = 0;
    for (const agon__fetch* f = w->fetches; f; f = f->next)
        asked += f->asked && !f->storing;
    for (agon__fetch* f = w->fetches; f && asked < AT_ONCE && w->connected; f = f->next) {
        if (f->asked || f->storing)
            continue;
        if (agon__inbox_expect(w->inbox, f->hash, 0, NULL))
            return;
        f->asked = true;
        asked++;
        send_want(w, f);
    }
}

void agon__worker_ask_again(agon__worker* w, bool all) {
    for (agon__fetch* f = w->fetches; f; f = f->next)
        if (f->asked && !f->storing && (all || agon__worker_now(w) - f->heard_ms > SILENCE))
            send_want(w, f);
    ask_more(w);
}

/* ---- leases and their blobs --------------------------------------------------------------- */

static int ref_of(const agon__lot* lot, const char* hash) {
    for (int i = 0; i < lot->refs; i++)
        if (strcmp(lot->ref[i], hash) == 0)
            return i;
    return -1;
}

static bool waits_for(const agon__lot* lot, const char* hash) {
    const int i = lot->stage == AGON__FETCHING && !lot->dropped ? ref_of(lot, hash) : -1;
    return i >= 0 && !lot->pinned[i];
}

void agon__worker_unpin(agon__worker* w, agon__lot* lot) {
    for (int i = 0; i < lot->refs; i++)
        if (lot->pinned[i])
            agon__cache_unpin(w->cache, lot->ref[i]);
    memset(lot->pinned, 0, sizeof lot->pinned);
}

bool agon__worker_gather(agon__worker* w, agon__lot* lot) {
    bool all = true;
    for (int i = 0; i < lot->refs; i++) {
        if (!lot->pinned[i])
            lot->pinned[i] = agon__cache_pin(w->cache, lot->ref[i]);
        if (lot->pinned[i])
            continue;
        all = false;
        if (!add_fetch(w, lot->ref[i])) {
            agon__worker_nak(w, lot, AGON__NAK_HOST, "no memory for a list of blobs");
            return false;
        }
    }
    if (all)
        lot->stage = AGON__READY;
    else
        ask_more(w);
    return all;
}

void agon__worker_sweep(agon__worker* w) {
    for (agon__fetch *f = w->fetches, *next; f; f = next) {
        const agon__lot* lot = w->lots;
        next = f->next;
        while (lot && !waits_for(lot, f->hash))
            lot = lot->next;
        if (!lot && !f->storing)
            remove_fetch(w, f->hash);
    }
    ask_more(w);
}

/* It will not come: whoever waits for it is handed back. */
static void give_up(agon__worker* w, const char* which, int class, const char* why) {
    char hash[AGON_HASH_SIZE];
    memcpy(hash, which, sizeof hash); /* it may be that of the fetch */
    remove_fetch(w, hash);
    for (agon__lot *lot = w->lots, *next; lot; lot = next) {
        next = lot->next;
        if (waits_for(lot, hash))
            agon__worker_nak(w, lot, class, why);
    }
    agon__worker_sweep(w);
}

void agon__worker_missing(agon__worker* w, const char* hash) {
    char text[160];
    if (!find_fetch(w, hash))
        return;
    snprintf(text, sizeof text, "the coordinator has no blob %.12s", hash);
    give_up(w, hash, AGON__NAK_TASK, text);
}

/* ---- arrival ------------------------------------------------------------------------------ */

/* On the pool. Pinned before another put can give it up again; a cache that is too small for what
 * is in use would do that. */
static void store(uv_work_t* work) {
    storing* s = work->data;
    for (int i = 0; i < 3; i++) {
        s->rc = agon__cache_put(s->w->cache, s->hash, s->data, s->size, &s->error);
        if (s->rc || agon__cache_pin(s->w->cache, s->hash))
            return;
    }
    s->rc = agon_fail(&s->error, AGON_EIO, "blob %.12s vanishes from the cache", s->hash);
}

static void share_out(agon__worker* w, const char* hash) {
    for (agon__lot *lot = w->lots, *next; lot; lot = next) {
        next = lot->next;
        if (waits_for(lot, hash))
            agon__worker_gather(w, lot);
    }
    agon__cache_unpin(w->cache, hash);
    ask_more(w);
    agon__worker_start(w);
}

static void stored(uv_work_t* work, int status) {
    storing* s = work->data;
    agon__worker* w = s->w;
    (void)status;
    w->jobs--;
    free(s->data);
    agon__fetch* f = find_fetch(w, s->hash);
    if (f)
        f->storing = false;
    if (s->rc == AGON_OK) {
        remove_fetch(w, s->hash);
        share_out(w, s->hash);
    } else {
        if (s->rc == AGON_ENOSPACE)
            agon__worker_full(w, &s->error);
        give_up(w, s->hash, s->rc == AGON_ENOSPACE ? AGON__NAK_BACK : AGON__NAK_HOST,
                s->error.text);
    }
    free(s);
    agon__worker_finish(w);
}

/* Takes over data. */
static void begin_store(agon__worker* w, agon__fetch* f, uint8_t* data, size_t size) {
    storing* s = calloc(1, sizeof *s);
    if (s) {
        *s = (storing){.work.data = s, .w = w, .data = data, .size = size};
        memcpy(s->hash, f->hash, sizeof s->hash);
        if (uv_queue_work(&w->loop, &s->work, store, stored) == 0) {
            f->storing = true;
            w->jobs++;
            return;
        }
    }
    free(s);
    free(data);
    give_up(w, f->hash, AGON__NAK_HOST, "no memory for a blob");
}

static void damaged(agon__worker* w, agon__fetch* f, const agon_error* why) {
    agon__worker_note(w, "a blob arrived damaged: %s", why->text);
    agon__inbox_forget(w->inbox, f->hash);
    f->asked = false;
    if (++f->failures >= FAILURES)
        give_up(w, f->hash, AGON__NAK_HOST, why->text);
    else
        ask_more(w);
}

/* It does not fit beside the others that are on their way, or not at all. */
static void no_room(agon__worker* w, agon__fetch* f, const agon_error* why) {
    int others = 0;
    for (const agon__fetch* o = w->fetches; o; o = o->next)
        others += o != f && o->asked && !o->storing;
    agon__inbox_forget(w->inbox, f->hash);
    f->asked = false;
    if (others == 0)
        give_up(w, f->hash, AGON__NAK_HOST, why->text);
}

void agon__worker_chunk(agon__worker* w, const agon__chunk* chunk) {
    agon_error error = {0};
    uint8_t* data = NULL;
    size_t size = 0;
    agon__fetch* f = find_fetch(w, chunk->hash);
    w->received += chunk->size;
    if (!f || !f->asked || f->storing)
        return;
    f->heard_ms = agon__worker_now(w);
    const int rc = agon__inbox_add(w->inbox, chunk, &data, &size, &error);
    if (rc == AGON_EFORMAT)
        damaged(w, f, &error);
    else if (rc == AGON_ELIMIT)
        no_room(w, f, &error);
    else if (rc)
        give_up(w, chunk->hash, AGON__NAK_HOST, error.text);
    else if (data)
        begin_store(w, f, data, size);
}
