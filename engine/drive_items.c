#include "engine/drive_items.h"

#include <stdlib.h>

void agon__items_push(agon__items* l, agon__item* x) {
    x->next = NULL;
    if (l->last)
        l->last->next = x;
    else
        l->first = x;
    l->last = x;
    l->count++;
}

agon__item* agon__items_pop(agon__items* l) {
    agon__item* x = l->first;
    if (!x)
        return NULL;
    l->first = x->next;
    if (!l->first)
        l->last = NULL;
    l->count--;
    return x;
}

void agon__item_drop(agon__item* x) {
    agon_result_clear(&x->result);
    free(x);
}

void agon__items_drop(agon__items* l) {
    for (agon__item* x; (x = agon__items_pop(l));)
        agon__item_drop(x);
}

void agon__running_add(agon__running* r, agon__item* x) {
    agon__item** bucket = &r->bucket[x->ticket % AGON__RUNNING_BUCKETS];
    x->next = *bucket;
    *bucket = x;
    r->count++;
}

agon__item* agon__running_take(agon__running* r, uint64_t ticket) {
    agon__item** at = &r->bucket[ticket % AGON__RUNNING_BUCKETS];
    while (*at && (*at)->ticket != ticket)
        at = &(*at)->next;
    agon__item* x = *at;
    if (!x)
        return NULL;
    *at = x->next;
    r->count--;
    return x;
}
