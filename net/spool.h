/* spool.h: finished results on disk until somebody has taken them. */
#ifndef AGON_SPOOL_H
#define AGON_SPOOL_H

#include "net/message.h"

typedef struct agon__spool agon__spool;

typedef struct agon__spooled {
    agon__result_offer offer; /* data none; lease 0 where it is from an earlier process */
    struct agon__spooled* next;
} agon__spooled;

/* What lies there from before is offered again; a damaged file is removed, and said. */
int agon__spool_open(const char* dir, agon__spool** out, agon_error* error);
void agon__spool_close(agon__spool* spool);
/* Keeps a result (copied to disk, not kept in memory). offer->hash and size are filled in. */
int agon__spool_put(agon__spool* spool, agon__result_offer* offer, const uint8_t* data, size_t size,
                    agon_error* error);
/* Its bytes, malloc'd, the caller's; by the hash of the result. */
int agon__spool_load(agon__spool* spool, const char* hash, uint8_t** data, size_t* size,
                     agon_error* error);
void agon__spool_drop(agon__spool* spool, const char* task);
const agon__spooled* agon__spool_first(const agon__spool* spool);
int agon__spool_count(const agon__spool* spool);

#endif
