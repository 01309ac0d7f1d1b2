#include "engine/packed.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

agon__packed* agon__packed_find(agon__packed_shelf* s, const char* hash) {
    for (int i = 0; i < s->count; i++) {
        agon__packed* p = s->item[i];
        if (strcmp(p->hash, hash) != 0)
            continue;
        p->holders++;
        p->used = ++s->uses;
        return p;
    }
    return NULL;
}

static void drop(agon__packed* p) {
    if (p)
        free(p->weights);
    free(p);
}

static int make_room(agon__packed_shelf* s) {
    if (s->count < s->room)
        return 0;
    const int room = s->room ? 2 * s->room : 16;
    agon__packed** item = realloc(s->item, (size_t)room * sizeof *item);
    if (!item)
        return -1;
    s->item = item;
    s->room = room;
    return 0;
}

agon__packed* agon__packed_add(agon__packed_shelf* s, const agon_backend* backend, const char* hash,
                               const agon_net* net, const float* params) {
    agon__packed* p = make_room(s) == 0 ? calloc(1, sizeof *p) : NULL;
    if (!p)
        return NULL;
    snprintf(p->hash, sizeof p->hash, "%s", hash);
    p->net = *net;
    p->bytes = backend->packed_size(net);
    p->holders = 1;
    p->used = ++s->uses;
    if (posix_memalign(&p->weights, 64, p->bytes) != 0) {
        p->weights = NULL;
        drop(p);
        return NULL;
    }
    backend->pack(net, params, p->weights);
    s->item[s->count++] = p;
    s->bytes += p->bytes;
    return p;
}

static int oldest_free(const agon__packed_shelf* s) {
    int oldest = -1;
    for (int i = 0; i < s->count; i++)
        if (!s->item[i]->holders && (oldest < 0 || s->item[i]->used < s->item[oldest]->used))
            oldest = i;
    return oldest;
}

static void shrink(agon__packed_shelf* s, size_t bytes) {
    for (int i; s->bytes > bytes && (i = oldest_free(s)) >= 0;) {
        s->bytes -= s->item[i]->bytes;
        drop(s->item[i]);
        s->item[i] = s->item[--s->count];
    }
}

void agon__packed_release(agon__packed_shelf* s, agon__packed* packed) {
    assert(packed->holders > 0);
    packed->holders--;
    shrink(s, AGON__PACKED_BYTES);
}

void agon__packed_clear(agon__packed_shelf* s) {
    shrink(s, 0);
    assert(s->count == 0 && "somebody holds a snapshot");
    free(s->item);
    memset(s, 0, sizeof *s);
}
