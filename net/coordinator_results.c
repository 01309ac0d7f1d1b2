/* coordinator_results.c: what workers bring, looked at, and acknowledged once it is committed. */
#include "net/coordinator_inside.h"
#include "net/result_check.h"

#include <stdlib.h>
#include <string.h>

/* ---- results ------------------------------------------------------------------------------ */

/* Are these bytes a result of this task? What they say is the scheduler's to judge. */
static int check_result(agon__coordinator* c, const char* id, const uint8_t* data, size_t size,
                        agon_error* error) {
    size_t task_size;
    const uint8_t* bytes = agon__scheduler_task(c->scheduler, id, &task_size);
    agon_task* task = malloc(sizeof *task);
    agon_result* result = calloc(1, sizeof *result);
    int rc = AGON_OK;
    if (!task || !result)
        rc = agon_fail(error, AGON_EMEMORY, "no memory to look at a result");
    if (!rc)
        rc = agon_result_decode(data, size, result, error);
    if (!rc && bytes && agon_task_decode(bytes, task_size, task, error) == AGON_OK)
        rc = agon__result_check(task, result, c->def.load, c->def.load_user, error);
    if (result)
        agon_result_clear(result);
    free(result);
    free(task);
    return rc;
}

agon__verdict agon__coordinator_result(agon__coordinator* c, int worker,
                                       const agon__result_offer* offer, const uint8_t* data,
                                       size_t size) {
    agon_error error = {0};
    const int64_t now = agon__coordinator_now(c);
    const int rc = check_result(c, offer->task, data, size, &error);
    agon__coordinator_wake(c);
    if (rc == AGON_EFORMAT || rc == AGON_EINVALID || rc == AGON_ELIMIT) {
        agon__scheduler_bad(c->scheduler, worker, offer->task, error.text, now);
        return AGON__CONFLICT;
    }
    if (rc) { /* our own trouble; the task is leased again */
        agon__coordinator_note(c, "a result could not be looked at: %s", error.text);
        return AGON__UNKNOWN;
    }
    for (int i = 0; i < offer->phases; i++)
        c->phase[i] += 1e-3 * (double)offer->spent[i].ms;
    c->ticket_now = 0;
    return agon__scheduler_result(c->scheduler, worker, offer, data, size, now);
}

/* ---- acknowledging what is committed ------------------------------------------------------ */

static agon__waiting** bucket_of_ticket(agon__coordinator* c, uint64_t ticket) {
    return &c->by_ticket[ticket % AGON__WAITING_BUCKETS];
}

static agon__waiting** bucket_of_task(agon__coordinator* c, const char* task) {
    char head[9] = {0};
    memcpy(head, task, 8);
    return &c->by_task[strtoul(head, NULL, 16) % AGON__WAITING_BUCKETS];
}

static const agon__waiting* waiting_for(agon__coordinator* c, const char* task) {
    const agon__waiting* w = *bucket_of_task(c, task);
    while (w && strcmp(w->task, task) != 0)
        w = w->of_task;
    return w;
}

static void begin_waiting(agon__coordinator* c, agon__waiting* w) {
    agon__waiting** of_ticket = bucket_of_ticket(c, w->ticket);
    agon__waiting** of_task = bucket_of_task(c, w->task);
    w->of_ticket = *of_ticket;
    w->of_task = *of_task;
    *of_ticket = *of_task = w;
}

/* Asked for more than once by the same worker, it is told once: of its latest lease. */
static bool waits_already(agon__coordinator* c, int worker, uint64_t ticket, uint64_t lease) {
    for (agon__waiting* w = *bucket_of_ticket(c, ticket); w; w = w->of_ticket)
        if (w->worker == worker && w->ticket == ticket) {
            w->lease = lease;
            return true;
        }
    return false;
}

void agon__coordinator_acknowledge(agon__coordinator* c, int worker,
                                   const agon__result_offer* offer, agon__verdict verdict) {
    const agon__waiting* same = verdict == AGON__DUPLICATE ? waiting_for(c, offer->task) : NULL;
    const uint64_t ticket = same ? same->ticket : verdict == AGON__ACCEPTED ? c->ticket_now : 0;
    c->ticket_now = 0;
    if (ticket && waits_already(c, worker, ticket, offer->lease))
        return;
    agon__waiting* w = ticket ? calloc(1, sizeof *w) : NULL;
    if (!ticket) {
        agon__sessions_ack(c, worker, offer->task, offer->lease, verdict);
    } else if (w) {
        *w = (agon__waiting){.ticket = ticket, .lease = offer->lease, .worker = worker};
        memcpy(w->task, offer->task, sizeof w->task);
        begin_waiting(c, w);
    } /* out of memory: the worker offers it again when it is here again */
}

/* Takes it out of the bucket of its task; that of its ticket is the caller's. */
static void end_waiting(agon__coordinator* c, agon__waiting* w) {
    agon__waiting** at = bucket_of_task(c, w->task);
    while (*at != w)
        at = &(*at)->of_task;
    *at = w->of_task;
    free(w);
}

void agon__coordinator_committed(agon__coordinator* c, uint64_t ticket) {
    for (agon__waiting** at = bucket_of_ticket(c, ticket); *at;) {
        agon__waiting* w = *at;
        if (w->ticket != ticket) {
            at = &w->of_ticket;
            continue;
        }
        *at = w->of_ticket;
        agon__sessions_ack(c, w->worker, w->task, w->lease, AGON__ACCEPTED);
        end_waiting(c, w);
    }
}

void agon__coordinator_forget_waiting(agon__coordinator* c) {
    for (int i = 0; i < AGON__WAITING_BUCKETS; i++)
        for (agon__waiting* w; (w = c->by_ticket[i]); free(w))
            c->by_ticket[i] = w->of_ticket;
}
