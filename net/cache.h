/* cache.h: blobs by hash in a directory, the least recently used given up first. */
#ifndef AGON_CACHE_H
#define AGON_CACHE_H

#include "engine/blob.h"

typedef struct agon__cache agon__cache;

/* dir is made; what lies there from before is used, temporary files of a killed process removed. */
int agon__cache_open(const char* dir, uint64_t limit, agon__cache** out, agon_error* error);
void agon__cache_close(agon__cache* cache);

bool agon__cache_has(agon__cache* cache, const char* hash);
/* Keeps a blob from being given up; calls nest. false: it is not there. */
bool agon__cache_pin(agon__cache* cache, const char* hash);
void agon__cache_unpin(agon__cache* cache, const char* hash);
/* Bytes that hash to their name (checked: AGON_EFORMAT). A full disk is AGON_ENOSPACE, after all
 * that is not pinned was given up. */
int agon__cache_put(agon__cache* cache, const char* hash, const uint8_t* data, size_t size,
                    agon_error* error);
/* Thread-safe. A file that no longer hashes to its name is removed: AGON_EMISSING. *data: malloc'd,
 * the caller's. */
int agon__cache_load(agon__cache* cache, const char* hash, uint8_t** data, size_t* size,
                     agon_error* error);
uint64_t agon__cache_bytes(const agon__cache* cache);

#endif
