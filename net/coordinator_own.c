/* coordinator_own.c: this process as a worker: the one that is trusted. */
#include "net/coordinator_inside.h"

#include <stdlib.h>
#include <string.h>

static agon__own* own_of(agon__coordinator* c, uint64_t lease) {
    for (int i = 0; i < c->owns; i++)
        if (c->own[i].lease == lease)
            return &c->own[i];
    return NULL;
}

static void give_back(agon__coordinator* c, const agon__own* o, int status, const char* text) {
    agon__nak nak = {.lease = o->lease, .class = AGON__NAK_TASK};
    if (status == AGON_ECANCELLED)
        nak.class = AGON__NAK_BACK;
    else if (status == AGON_EMEMORY || status == AGON_EIO || status == AGON_ENOSPACE)
        nak.class = AGON__NAK_HOST;
    memcpy(nak.task, o->id, sizeof nak.task);
    snprintf(nak.text, sizeof nak.text, "%s", text);
    agon__scheduler_nak(c->scheduler, AGON__TRUSTED, &nak, agon__coordinator_now(c));
}

static void own_done(void* user, uint64_t ticket, int status, const uint8_t* data, size_t size,
                     const agon_error* error) {
    agon__coordinator* c = user;
    agon__own* o = own_of(c, ticket);
    agon__verdict verdict;
    if (status) {
        give_back(c, o, status, error->text);
    } else {
        agon__result_offer offer = {.lease = o->lease, .size = size};
        memcpy(offer.task, o->id, sizeof offer.task);
        agon_sha256(data, size, offer.hash);
        if (agon__scheduler_offer(c->scheduler, AGON__TRUSTED, &offer, agon__coordinator_now(c),
                                  &verdict) == AGON__OFFER_WANTED)
            agon__scheduler_result(c->scheduler, AGON__TRUSTED, &offer, data, size,
                                   agon__coordinator_now(c));
    }
    o->lease = 0;
    agon__coordinator_wake(c);
}

void agon__own_run(agon__coordinator* c, const agon__lease* lease) {
    agon__own* o = own_of(c, 0);
    uint8_t* copy = o ? malloc(lease->size) : NULL;
    agon__own refused = {.lease = lease->number};
    memcpy(refused.id, lease->id, AGON_HASH_SIZE);
    if (!copy) {
        give_back(c, &refused, AGON_EMEMORY, "no room for another task in the coordinator");
        return;
    }
    memcpy(copy, lease->data, lease->size);
    *o = refused;
    if (c->local.submit(&c->local, lease->number, copy, lease->size) == AGON_OK)
        return;
    free(copy);
    o->lease = 0;
    give_back(c, &refused, AGON_EMEMORY, "no room for another task in the coordinator");
}

void agon__own_beat(agon__coordinator* c) {
    agon_executor_look look;
    for (int i = 0; i < c->owns; i++) {
        const uint64_t lease = c->own[i].lease;
        if (lease && c->local.look(&c->local, lease, &look) &&
            !agon__scheduler_beat(c->scheduler, AGON__TRUSTED, lease, (int)look.permille,
                                  look.steps, agon__coordinator_now(c)))
            c->local.drop(&c->local, lease);
    }
}

int agon__own_slots(const agon__coordinator* c) {
    return c->cluster.threads > 0 && c->def.backend->shards ? AGON__BEATS : c->cluster.threads;
}

int agon__own_open(agon__coordinator* c, agon_error* error) {
    agon_executor_def def = c->def;
    def.slots = c->cluster.threads > 1 ? c->cluster.threads : 1;
    def.done = own_done;
    def.user = c;
    c->owns = agon__own_slots(c) > 1 ? agon__own_slots(c) : 1;
    c->own = calloc((size_t)c->owns, sizeof *c->own);
    if (!c->own)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d task slots", c->owns);
    return agon_executor_local(&def, NULL, &c->local, error);
}
