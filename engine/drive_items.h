/* drive_items.h: the tasks of a driver: those that wait in a line, and those that run. */
#ifndef AGON_DRIVE_ITEMS_H
#define AGON_DRIVE_ITEMS_H

#include "engine/task.h"

typedef struct agon__item {
    struct agon__item* next;
    uint64_t ticket;
    agon_task task;
    agon_result result;
} agon__item;

typedef struct agon__items {
    agon__item *first, *last;
    int count;
} agon__items;

/* Found by their tickets, which are given in turn: thousands of workers may have one each. */
#define AGON__RUNNING_BUCKETS 4096

typedef struct agon__running {
    agon__item* bucket[AGON__RUNNING_BUCKETS];
    int count;
} agon__running;

void agon__items_push(agon__items* items, agon__item* item);
agon__item* agon__items_pop(agon__items* items); /* the first; NULL: none */
void agon__items_drop(agon__items* items);       /* all */
void agon__item_drop(agon__item* item);          /* and its result */

void agon__running_add(agon__running* running, agon__item* item);
agon__item* agon__running_take(agon__running* running, uint64_t ticket); /* NULL: not there */

#endif
