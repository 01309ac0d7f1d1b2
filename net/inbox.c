#include "net/inbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct blob {
    char hash[AGON_HASH_SIZE];
    uint64_t size;   /* bytes; 0: not known yet */
    int count, came; /* chunks; count 0: none came */
    uint8_t* data;   /* owned, `room` bytes; NULL: none came */
    bool* has;       /* (count) owned */
    size_t room;     /* bytes of the limit that it takes */
    struct blob* next;
} blob;

struct agon__inbox {
    size_t limit, bytes; /* `bytes` sums the room of all blobs */
    blob* first;         /* owned */
};

int agon__inbox_open(size_t limit, agon__inbox** out, agon_error* error) {
    agon__inbox* inbox = calloc(1, sizeof *inbox);
    if (!inbox)
        return agon_fail(error, AGON_EMEMORY, "inbox: out of memory");
    inbox->limit = limit;
    *out = inbox;
    return AGON_OK;
}

static blob** find(agon__inbox* inbox, const char* hash) {
    blob** at = &inbox->first;
    while (*at && strcmp((*at)->hash, hash) != 0)
        at = &(*at)->next;
    return at;
}

static void drop(agon__inbox* inbox, blob** at) {
    blob* b = *at;
    *at = b->next;
    inbox->bytes -= b->room;
    free(b->data);
    free(b->has);
    free(b);
}

void agon__inbox_close(agon__inbox* inbox) {
    while (inbox && inbox->first)
        drop(inbox, &inbox->first);
    free(inbox);
}

void agon__inbox_forget(agon__inbox* inbox, const char* hash) {
    blob** at = find(inbox, hash);
    if (*at)
        drop(inbox, at);
}

size_t agon__inbox_bytes(const agon__inbox* inbox) {
    return inbox->bytes;
}

/* Takes room bytes of the limit for a blob that has none. */
static int reserve(agon__inbox* inbox, blob* b, uint64_t room, agon_error* error) {
    if (room > inbox->limit - inbox->bytes)
        return agon_fail(error, AGON_ELIMIT,
                         "blob %s: %llu bytes, with %zu of others on their way; expected at most "
                         "%zu in all",
                         b->hash, (unsigned long long)room, inbox->bytes, inbox->limit);
    b->room = (size_t)room;
    inbox->bytes += b->room;
    return AGON_OK;
}

int agon__inbox_expect(agon__inbox* inbox, const char* hash, uint64_t size, agon_error* error) {
    assert(strlen(hash) == AGON_HASH_SIZE - 1);
    const blob* known = *find(inbox, hash);
    if (known && size && known->size && size != known->size)
        return agon_fail(error, AGON_EFORMAT, "blob %s: %llu bytes; expected %llu as before", hash,
                         (unsigned long long)size, (unsigned long long)known->size);
    if (known)
        return AGON_OK;
    blob* b = calloc(1, sizeof *b);
    if (!b)
        return agon_fail(error, AGON_EMEMORY, "blob %s: out of memory", hash);
    memcpy(b->hash, hash, AGON_HASH_SIZE);
    const int code = reserve(inbox, b, size, error);
    if (code != AGON_OK) {
        free(b);
        return code;
    }
    b->size = size;
    b->next = inbox->first;
    inbox->first = b;
    return AGON_OK;
}

/* Makes the place for all chunks when the first one comes. */
static int begin(agon__inbox* inbox, blob* b, int count, agon_error* error) {
    if (!b->size) {
        const int code = reserve(inbox, b, (uint64_t)count * AGON__CHUNK, error);
        if (code != AGON_OK)
            return code;
    }
    b->data = malloc(b->room);
    b->has = calloc((size_t)count, sizeof *b->has);
    if (!b->data || !b->has)
        return agon_fail(error, AGON_EMEMORY, "blob %s of %zu bytes: out of memory", b->hash,
                         b->room);
    b->count = count;
    return AGON_OK;
}

/* Does a chunk agree with what is known of its blob? */
static int check_chunk(const blob* b, const agon__chunk* chunk, agon_error* error) {
    const int count = b->count ? b->count : b->size ? agon__chunks(b->size) : chunk->count;
    int code = agon__chunk_check(chunk, error);
    if (code != AGON_OK)
        return code;
    if (chunk->count != count)
        return agon_fail(error, AGON_EFORMAT, "blob %s: chunk %d of %d; expected one of %d",
                         b->hash, chunk->index, chunk->count, count);
    const uint64_t end = (uint64_t)chunk->index * AGON__CHUNK + chunk->size;
    if (b->size && chunk->index == count - 1 && end != b->size)
        return agon_fail(error, AGON_EFORMAT, "blob %s: ends at byte %llu; expected %llu", b->hash,
                         (unsigned long long)end, (unsigned long long)b->size);
    return AGON_OK;
}

static int keep(agon__inbox* inbox, blob* b, const agon__chunk* chunk, agon_error* error) {
    int code = check_chunk(b, chunk, error);
    if (code == AGON_OK && !b->data)
        code = begin(inbox, b, chunk->count, error);
    if (code != AGON_OK || b->has[chunk->index])
        return code;
    const size_t at = (size_t)chunk->index * AGON__CHUNK;
    if (chunk->size > 0)
        memcpy(b->data + at, chunk->data, chunk->size);
    if (chunk->index == chunk->count - 1)
        b->size = at + chunk->size;
    b->has[chunk->index] = true;
    b->came++;
    return AGON_OK;
}

static int check_hash(const blob* b, agon_error* error) {
    char hash[AGON_HASH_SIZE];
    agon_sha256(b->data, (size_t)b->size, hash);
    if (strcmp(hash, b->hash) == 0)
        return AGON_OK;
    return agon_fail(error, AGON_EFORMAT, "blob %s: its bytes hash to %s", b->hash, hash);
}

int agon__inbox_add(agon__inbox* inbox, const agon__chunk* chunk, uint8_t** data, size_t* size,
                    agon_error* error) {
    *data = NULL;
    *size = 0;
    blob** at = find(inbox, chunk->hash);
    blob* b = *at;
    if (!b)
        return agon_fail(error, AGON_EMISSING, "blob %s: nobody waits for it", chunk->hash);
    int code = keep(inbox, b, chunk, error);
    if (code == AGON_OK && b->came < b->count)
        return AGON_OK;
    if (code == AGON_OK)
        code = check_hash(b, error);
    if (code == AGON_OK) {
        *data = b->data;
        *size = (size_t)b->size;
        b->data = NULL;
    }
    drop(inbox, at);
    return code;
}

int agon__inbox_next(const agon__inbox* inbox, const char* hash) {
    const blob* b = inbox->first;
    while (b && strcmp(b->hash, hash) != 0)
        b = b->next;
    int index = 0;
    while (b && index < b->count && b->has[index])
        index++;
    return index;
}
