/* worker_tasks.c: leases, from the TASK that brings one to the moment its task has ended. */
#include "net/worker.h"

#include <stdlib.h>
#include <string.h>

#define MOST_LOTS AGON__BEATS /* leases at a time: no more can be kept alive */
#define GATHER    1000 /* ms that tasks wait for others to be fetched, where many run as one */
#define TRIES     3    /* that a task's blobs vanish from the cache before it is handed back */

/* ---- the list of leases ------------------------------------------------------------------- */

agon__lot* agon__worker_find(agon__worker* w, const char* id) {
    agon__lot* lot = w->lots;
    while (lot && (lot->dropped || strcmp(lot->id, id) != 0))
        lot = lot->next;
    return lot;
}

void agon__worker_forget(agon__worker* w, agon__lot* lot) {
    for (agon__lot** at = &w->lots; *at; at = &(*at)->next) {
        if (*at != lot)
            continue;
        *at = lot->next;
        if (w->lots_end == &lot->next)
            w->lots_end = at;
        break;
    }
    agon__worker_unpin(w, lot);
    free(lot->data);
    free(lot);
}

static void add_ref(void* user, const char* ref) {
    agon__lot* lot = user;
    if (!agon_ref_is_hash(ref))
        return;
    for (int i = 0; i < lot->refs; i++)
        if (strcmp(lot->ref[i], ref) == 0)
            return;
    if (lot->refs < AGON__WORKER_REFS)
        memcpy(lot->ref[lot->refs++], ref, AGON_HASH_SIZE);
}

static agon__lot* new_lot(const agon__task_grant* grant) {
    agon__lot* lot = calloc(1, sizeof *lot);
    uint8_t* data = malloc(grant->size ? grant->size : 1);
    if (!lot || !data) {
        free(lot);
        free(data);
        return NULL;
    }
    memcpy(data, grant->data, grant->size);
    memcpy(lot->id, grant->id, sizeof lot->id);
    lot->lease = grant->lease;
    lot->data = data;
    lot->size = grant->size;
    lot->stage = AGON__FETCHING;
    return lot;
}

/* What the task names. The id must be that of the bytes, or the result would be somebody else's. */
static int read_task(agon__lot* lot, agon_error* error) {
    char id[AGON_HASH_SIZE];
    agon_sha256(lot->data, lot->size, id);
    if (strcmp(id, lot->id) != 0)
        return agon_fail(error, AGON_EFORMAT, "task %.12s hashes to %.12s", lot->id, id);
    agon_task* task = malloc(sizeof *task);
    if (!task)
        return agon_fail(error, AGON_EMEMORY, "no memory for a task");
    const int rc = agon_task_decode(lot->data, lot->size, task, error);
    if (!rc)
        agon_task_each_ref(task, add_ref, lot);
    free(task);
    return rc;
}

/* ---- handing back ------------------------------------------------------------------------- */

void agon__worker_send_nak(agon__worker* w, const char* task, uint64_t lease, int class,
                           const char* text) {
    agon__message m = {.kind = AGON__NAK, .as.nak = {.lease = lease, .class = class}};
    memcpy(m.as.nak.task, task, sizeof m.as.nak.task);
    snprintf(m.as.nak.text, sizeof m.as.nak.text, "%s", text[0] ? text : "-");
    for (char* c = m.as.nak.text; *c; c++)
        *c = *c < ' ' || *c > '~' ? '?' : *c; /* a message has printable text */
    agon__worker_send(w, &m);
    if (w->link.settle)
        w->link.settle(&w->link, task, lease, false);
}

/* No longer wanted, or said to be given back: one that runs ends by itself, soon. */
static void drop(agon__worker* w, agon__lot* lot) {
    if (lot->stage == AGON__RUNNING) {
        lot->dropped = true;
        w->executor.drop(&w->executor, lot->ticket);
    } else if (lot->stage != AGON__KEEPING) {
        agon__worker_forget(w, lot);
    }
}

void agon__worker_nak(agon__worker* w, agon__lot* lot, int class, const char* text) {
    agon__worker_send_nak(w, lot->id, lot->lease, class, text);
    drop(w, lot);
}

void agon__worker_hand_back(agon__worker* w, bool all, const char* text) {
    for (agon__lot *lot = w->lots, *next; lot; lot = next) {
        next = lot->next;
        if (!lot->dropped && lot->stage != AGON__KEEPING && (all || lot->stage != AGON__RUNNING))
            agon__worker_nak(w, lot, AGON__NAK_BACK, text);
    }
    agon__worker_sweep(w);
}

static agon__lot* find_lease(agon__worker* w, uint64_t lease) {
    agon__lot* lot = w->lots;
    while (lot && (lot->dropped || lot->lease != lease))
        lot = lot->next;
    return lot;
}

void agon__worker_cancelled(agon__worker* w, const agon__beat_ok* ok) {
    for (int i = 0; i < ok->cancelled; i++) {
        agon__lot* lot = find_lease(w, ok->cancel[i].lease);
        if (!lot || lot->stage == AGON__KEEPING)
            continue;
        if (w->link.settle)
            w->link.settle(&w->link, lot->id, lot->lease, true);
        drop(w, lot);
    }
    agon__worker_sweep(w);
}

void agon__worker_cancel_all(agon__worker* w) {
    for (agon__lot *lot = w->lots, *next; lot; lot = next) {
        next = lot->next;
        if (!lot->dropped)
            drop(w, lot);
    }
    agon__worker_sweep(w);
}

/* ---- a task comes ------------------------------------------------------------------------- */

/* NULL: another task may come. What a worker keeps is bounded, whatever it is sent. */
static const char* why_not(agon__worker* w) {
    int lots = 0;
    for (const agon__lot* lot = w->lots; lot; lot = lot->next)
        lots++;
    if (w->draining || w->ended)
        return "the worker is stopping";
    if (w->full)
        return "the worker's disk is full";
    if (lots >= MOST_LOTS)
        return "more tasks than a worker takes";
    return agon__worker_crowded(w) ? "too many results wait for the coordinator" : NULL;
}

void agon__worker_task(agon__worker* w, const agon__task_grant* grant) {
    agon_error error = {0};
    agon__lot* known = agon__worker_find(w, grant->id);
    w->received += grant->size;
    if (known) { /* leased anew after a connection was lost; it goes on as it is */
        known->lease = grant->lease;
        return;
    }
    if (agon__worker_offer_again(w, grant->id, grant->lease))
        return;
    const char* why = why_not(w);
    if (why) {
        agon__worker_send_nak(w, grant->id, grant->lease, AGON__NAK_BACK, why);
        return;
    }
    agon__lot* lot = new_lot(grant);
    if (!lot) {
        agon__worker_send_nak(w, grant->id, grant->lease, AGON__NAK_HOST, "no memory for a task");
        return;
    }
    *w->lots_end = lot;
    w->lots_end = &lot->next;
    const int rc = read_task(lot, &error);
    if (rc) {
        agon__worker_nak(w, lot, rc == AGON_EMEMORY ? AGON__NAK_HOST : AGON__NAK_TASK, error.text);
        return;
    }
    if (agon__worker_gather(w, lot))
        agon__worker_start(w);
}

/* ---- running ------------------------------------------------------------------------------ */

/* false: no slot took it. */
static bool start_one(agon__worker* w, agon__lot* lot) {
    uint8_t* copy = malloc(lot->size ? lot->size : 1);
    if (!copy) {
        agon__worker_nak(w, lot, AGON__NAK_HOST, "no memory for a task");
        return true;
    }
    memcpy(copy, lot->data, lot->size);
    lot->ticket = ++w->tickets;
    const int rc = w->executor.submit(&w->executor, lot->ticket, copy, lot->size);
    if (!rc) {
        lot->stage = AGON__RUNNING;
        w->running++;
        return true;
    }
    free(copy);
    if (rc == AGON_ELIMIT)
        return false;
    agon__worker_nak(w, lot, AGON__NAK_HOST, agon_error_text(rc));
    return true;
}

/* Tasks of a shard come one by one, as their blobs do, and the first should not run alone. */
static bool is_gathering(agon__worker* w) {
    const agon__lot *ready = NULL, *fetching = NULL;
    if (!w->def->backend->shards)
        return false;
    for (const agon__lot* lot = w->lots; lot; lot = lot->next)
        if (lot->stage == AGON__READY && !lot->dropped)
            ready = lot;
        else if (lot->stage == AGON__FETCHING)
            fetching = lot;
    if (!ready || !fetching)
        w->ready_ms = 0;
    else if (!w->ready_ms)
        w->ready_ms = agon__worker_now(w);
    return w->ready_ms && agon__worker_now(w) - w->ready_ms < GATHER;
}

void agon__worker_start(agon__worker* w) {
    if (is_gathering(w))
        return;
    for (agon__lot *lot = w->lots, *next; lot && w->running < w->slots && !w->ended; lot = next) {
        next = lot->next;
        if (lot->stage == AGON__READY && !lot->dropped && !start_one(w, lot))
            return;
    }
}

static int class_of(int status) {
    switch (status) {
    case AGON_ECANCELLED:
        return AGON__NAK_BACK;
    case AGON_EMEMORY:
    case AGON_ENOSPACE:
    case AGON_EIO:
    case AGON_EMISSING:
    case AGON_EUNKNOWN:     /* no such game here */
    case AGON_EUNSUPPORTED: /* other rules here */
        return AGON__NAK_HOST;
    default:
        return AGON__NAK_TASK;
    }
}

static void failed(agon__worker* w, agon__lot* lot, int status, const agon_error* error) {
    lot->stage = AGON__FETCHING;
    if (status == AGON_EMISSING && ++lot->tries < TRIES && !w->ended) {
        agon__worker_unpin(w, lot);
        agon__worker_gather(w, lot);
        return;
    }
    if (status != AGON_ECANCELLED)
        agon__worker_note(w, "a task could not be done: %s", error->text);
    agon__worker_nak(w, lot, class_of(status), error->text);
}

void agon__worker_done(void* user, uint64_t ticket, int status, const uint8_t* data, size_t size,
                       const agon_error* error) {
    agon__worker* w = user;
    agon_executor_look look = {0};
    agon__lot* lot = w->lots;
    w->running--;
    while (lot && lot->ticket != ticket)
        lot = lot->next;
    w->executor.look(&w->executor, ticket, &look);
    if (lot && lot->dropped)
        agon__worker_forget(w, lot);
    else if (lot && status == AGON_OK)
        agon__worker_keep(w, lot, &look, data, size);
    else if (lot)
        failed(w, lot, status, error);
    agon__worker_start(w);
    agon__worker_finish(w);
}

/* ---- beats -------------------------------------------------------------------------------- */

static void add_beat(agon__beat* beat, uint64_t lease, const agon_executor_look* look) {
    if (lease && beat->leases < AGON__BEATS)
        beat->lease[beat->leases++] = (agon__progress){
            lease, (int)(look->permille > 1000 ? 1000 : look->permille), look->steps};
}

void agon__worker_beat(agon__worker* w) {
    agon__message m = {.kind = AGON__BEAT};
    agon__beat* beat = &m.as.beat;
    for (const agon__lot* lot = w->lots; lot; lot = lot->next) {
        agon_executor_look look = {0};
        if (lot->stage == AGON__RUNNING)
            w->executor.look(&w->executor, lot->ticket, &look);
        else if (lot->stage == AGON__KEEPING)
            look.permille = 1000;
        if (!lot->dropped)
            add_beat(beat, lot->lease, &look);
    }
    for (const agon__spooled* s = agon__spool_first(w->spool); s; s = s->next)
        add_beat(beat, s->offer.lease, &(agon_executor_look){1000, s->offer.steps, 0});
    agon__worker_send(w, &m);
}
