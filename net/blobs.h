/* blobs.h: a run's blobs in the coordinator's memory, read on libuv's pool when they are first
 * wanted, the least recently wanted given up first. */
#ifndef AGON_BLOBS_H
#define AGON_BLOBS_H

#include "engine/executor.h"

typedef struct agon__blobs agon__blobs;

/* Bytes that several hold at once. */
typedef struct agon__shared {
    char hash[AGON_HASH_SIZE];
    uint8_t* data;
    size_t size;
    int holders;
    struct agon__shared *older, *newer; /* the shelf's */
} agon__shared;

/* limit: bytes kept beyond what is held. */
int agon__blobs_open(const agon_executor_def* def, size_t limit, agon__blobs** out,
                     agon_error* error);
/* Nothing is told to anyone afterwards. What is being read is waited for: the loop must run until
 * it ends before agon__blobs_close. */
void agon__blobs_shut(agon__blobs* blobs);
void agon__blobs_close(agon__blobs* blobs);

/* Calls ready, at once or later: with a blob that the callee then holds, or NULL and why. */
void agon__blobs_get(agon__blobs* blobs, const char* hash, void* user,
                     void (*ready)(void* user, const char* hash, agon__shared* blob,
                                   const agon_error* why));
/* Whoever asked with this user is not told any more. */
void agon__blobs_forget(agon__blobs* blobs, const void* user);
void agon__blobs_release(agon__blobs* blobs, agon__shared* blob);

#endif
