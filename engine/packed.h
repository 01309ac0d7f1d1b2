/* packed.h: packed weights of snapshots, kept while they are likely to be asked for again.
 * Internal to engine/.
 *
 * A snapshot is read, checked and packed once for many tasks: a match of small nets takes no longer
 * than that. One thread at a time. */
#ifndef AGON_PACKED_H
#define AGON_PACKED_H

#include "agents/backend.h"

enum { AGON__PACKED_BYTES = 32 << 20 }; /* of snapshots that nobody holds */

typedef struct agon__packed {
    char hash[65];
    agon_net net;
    void* weights; /* owned, 64-byte aligned */
    size_t bytes;
    int holders;
    uint64_t used; /* larger: later */
} agon__packed;

typedef struct agon__packed_shelf { /* zero at first */
    agon__packed** item;            /* (count), owned */
    int count, room;
    size_t bytes;
    uint64_t uses;
} agon__packed_shelf;

/* What is there under a hash, now held; NULL when it is not. */
agon__packed* agon__packed_find(agon__packed_shelf* shelf, const char* hash);
/* Packs params (of net) under a hash that is not there, and holds it. NULL: out of memory. */
agon__packed* agon__packed_add(agon__packed_shelf* shelf, const agon_backend* backend,
                               const char* hash, const agon_net* net, const float* params);
/* Held no more. The least recently used that nobody holds go, until few enough bytes are left. */
void agon__packed_release(agon__packed_shelf* shelf, agon__packed* packed);
void agon__packed_clear(agon__packed_shelf* shelf); /* nothing is held */

#endif
