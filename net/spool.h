/* spool.h: finished results on disk until somebody has taken them. */
#ifndef AGON_SPOOL_H
#define AGON_SPOOL_H

#include "net/message.h"

typedef struct agon__spool agon__spool;

typedef struct agon__spooled {
    agon__result_offer offer; /* data none; lease 0 where it is from an earlier process */
    struct agon__spooled* next;
} agon__spooled;

/* Takes the first directory dir/spool.N that no living process holds, and what lies in others that
 * nobody holds: results of earlier processes are offered again. A damaged file is removed, and
 * counted. */
int agon__spool_open(const char* dir, agon__spool** out, agon_error* error);
void agon__spool_close(agon__spool* spool);

/* Puts a result on the disk. offer->hash and size are filled in. For any thread; one task is not
 * written by two. */
int agon__spool_write(const agon__spool* spool, agon__result_offer* offer, const uint8_t* data,
                      size_t size, agon_error* error);
/* Lists what was written; one of the same task is replaced. NULL: no memory, but it is on the disk.
 */
agon__spooled* agon__spool_add(agon__spool* spool, const agon__result_offer* offer);
/* Its bytes, malloc'd, the caller's. For any thread. */
int agon__spool_load(const agon__spool* spool, const char* task, uint8_t** data, size_t* size,
                     agon_error* error);
void agon__spool_drop(agon__spool* spool, const char* task);

agon__spooled* agon__spool_first(agon__spool* spool);
agon__spooled* agon__spool_find(agon__spool* spool, const char* task); /* NULL: it is not there */
int agon__spool_count(const agon__spool* spool);
int agon__spool_damaged(const agon__spool* spool); /* files removed when it was opened */
const char* agon__spool_dir(const agon__spool* spool);

#endif
