/* bench_scheduler_events.c: what is to happen, in the order of virtual time, and what chance adds.
 */
#include "tools/bench_scheduler.h"

#include <math.h>
#include <stdlib.h>

/* ---- chance ------------------------------------------------------------------------------- */

double agon_world_roll(agon_world* w) {
    if (!++w->draws[0])
        w->draws[1]++;
    const agon_draw x = agon_random(w->key, w->draws[0], w->draws[1], 0, 0);
    return agon_uniform_double(x.word[0], x.word[1]);
}

double agon_world_wait(agon_world* w, double mean) {
    return -log1p(-agon_world_roll(w)) * mean;
}

double agon_world_spread(agon_world* w, double spread) {
    const double r = sqrt(-2 * log1p(-agon_world_roll(w)));
    const double normal = r * cos(2 * M_PI * agon_world_roll(w));
    return exp(spread * normal - spread * spread / 2);
}

/* ---- events ------------------------------------------------------------------------------- */

static bool sooner(const agon_world_event* a, const agon_world_event* b) {
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static bool make_room(agon_world* w) {
    if (w->events < w->room)
        return true;
    const int room = w->room ? 2 * w->room : 1024;
    agon_world_event* grown = realloc(w->heap, (size_t)room * sizeof *grown);
    if (!grown)
        return false;
    w->heap = grown;
    w->room = room;
    return true;
}

void agon_world_at(agon_world* w, double at, agon_world_kind kind, int worker, uint64_t serial,
                   agon_world_words* words) {
    if (!make_room(w)) {
        w->rc = AGON_EMEMORY;
        free(words);
        return;
    }
    const agon_world_event e = {at,     ++w->orders, w->worker[worker].life, serial, kind,
                                worker, words};
    int i = w->events++;
    for (; i && sooner(&e, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = e;
}

agon_world_event agon_world_next(agon_world* w) {
    const agon_world_event first = w->heap[0], last = w->heap[--w->events];
    int i = 0;
    for (int child; (child = 2 * i + 1) < w->events; i = child) {
        child += child + 1 < w->events && sooner(&w->heap[child + 1], &w->heap[child]);
        if (!sooner(&w->heap[child], &last))
            break;
        w->heap[i] = w->heap[child];
    }
    w->heap[i] = last;
    return first;
}

int64_t agon_world_ms(const agon_world* w) {
    return (int64_t)(w->now * 1000);
}

double agon_world_work(const agon_world* w, int task) {
    return task < 0 ? w->def->golden_s : w->task[task].work;
}

/* Chunks of blobs ride in the same stream as what a message says, and take their time there. */
void agon_world_send(agon_world* w, agon_world_kind kind, agon__message_kind as, int worker,
                     double bytes, agon_world_words* words) {
    const double takes = agon_world_wait(w, w->def->latency_s) + bytes / w->def->bandwidth;
    w->out->messages++;
    w->out->bytes += w->def->sizes.message[as] + bytes;
    if (agon_world_roll(w) < w->def->loss)
        free(words);
    else
        agon_world_at(w, w->now + takes, kind, worker, 0, words);
}
