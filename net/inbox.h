/* inbox.h: blobs that arrive in chunks, put together, and checked against their hash. */
#ifndef AGON_INBOX_H
#define AGON_INBOX_H

#include "net/message.h"

typedef struct agon__inbox agon__inbox;

/* At most `limit` bytes at a time in all blobs that are not whole yet. */
int agon__inbox_open(size_t limit, agon__inbox** out, agon_error* error);
void agon__inbox_close(agon__inbox* inbox);
/* A blob to come. size 0: not known yet, its first chunk says. AGON_ELIMIT: no room. One that is
 * expected already stays as it is; another size of it is AGON_EFORMAT. */
int agon__inbox_expect(agon__inbox* inbox, const char* hash, uint64_t size, agon_error* error);
/* Adds a chunk. *data: the whole blob (malloc'd, the caller's) when this was the last that lacked
 * and the hash is right, otherwise NULL. Chunks may come twice, and in any order. AGON_EFORMAT: the
 * chunk does not fit, or the whole does not have its hash; AGON_ELIMIT: no room. After a failure
 * nothing of the blob is kept and it is not expected; it may be again. AGON_EMISSING: it is not
 * expected. */
int agon__inbox_add(agon__inbox* inbox, const agon__chunk* chunk, uint8_t** data, size_t* size,
                    agon_error* error);
/* First chunk that lacks, to go on after a break; 0: none came. */
int agon__inbox_next(const agon__inbox* inbox, const char* hash);
void agon__inbox_forget(agon__inbox* inbox, const char* hash);
size_t agon__inbox_bytes(const agon__inbox* inbox);

#endif
