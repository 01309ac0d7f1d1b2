#include "net/frame.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 4096       /* bytes of a new buffer */
#define KEPT_ROOM  (64 << 10) /* an empty buffer of at most so much is never given back */

static size_t length_at(const uint8_t* head) {
    return (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
}

/* Bytes of the message at `at`, with its head, when it is whole and allowed; otherwise 0. */
static size_t whole_at(const agon__frames* frames, size_t at) {
    const size_t left = frames->used - at;
    if (left < AGON__FRAME_HEAD)
        return 0;
    const size_t length = length_at(frames->data + at);
    const bool whole = length > 0 && length <= frames->limit && length <= left - AGON__FRAME_HEAD;
    return whole ? AGON__FRAME_HEAD + length : 0;
}

static int check_head(const agon__frames* frames, size_t at, agon_error* error) {
    if (frames->used - at < AGON__FRAME_HEAD)
        return AGON_OK;
    const size_t length = length_at(frames->data + at);
    if (length == 0)
        return agon_fail(error, AGON_EFORMAT, "a message of 0 bytes; expected 1..%zu",
                         frames->limit);
    if (length > frames->limit)
        return agon_fail(error, AGON_ELIMIT, "a message of %zu bytes; expected at most %zu", length,
                         frames->limit);
    return AGON_OK;
}

/* A buffer that grew for a long message is given back when a short one follows, or each of many
 * connections would keep the largest that it ever needed. */
static void restart(agon__frames* frames, const uint8_t* data, size_t size) {
    frames->used = frames->taken = 0;
    if (frames->room <= KEPT_ROOM || size < AGON__FRAME_HEAD ||
        length_at(data) >= frames->room / 4 || size >= frames->room / 4)
        return;
    free(frames->data);
    frames->data = NULL;
    frames->room = 0;
}

/* Grows as bytes arrive, not as heads promise. */
static int make_room(agon__frames* frames, size_t size, agon_error* error) {
    if (size <= frames->room - frames->used)
        return AGON_OK;
    if (frames->taken > 0)
        memmove(frames->data, frames->data + frames->taken, frames->used - frames->taken);
    frames->used -= frames->taken;
    frames->taken = 0;
    if (size <= frames->room - frames->used)
        return AGON_OK;
    size_t room = frames->room ? 2 * frames->room : FIRST_ROOM;
    if (room < frames->used + size)
        room = frames->used + size;
    uint8_t* data = realloc(frames->data, room);
    if (!data)
        return agon_fail(error, AGON_EMEMORY, "messages of %zu bytes: out of memory", room);
    frames->data = data;
    frames->room = room;
    return AGON_OK;
}

int agon__frames_add(agon__frames* frames, const uint8_t* data, size_t size, agon_error* error) {
    assert(frames->limit > 0 && frames->limit <= UINT32_MAX);
    if (size == 0)
        return AGON_OK;
    if (frames->taken == frames->used)
        restart(frames, data, size);
    int code = make_room(frames, size, error);
    if (code != AGON_OK)
        return code;
    memcpy(frames->data + frames->used, data, size);
    frames->used += size;
    size_t at = frames->taken, whole = 0;
    do {
        at += whole;
        code = check_head(frames, at, error);
        whole = whole_at(frames, at);
    } while (code == AGON_OK && whole > 0);
    return code;
}

bool agon__frames_next(agon__frames* frames, const uint8_t** data, size_t* size) {
    const size_t whole = whole_at(frames, frames->taken);
    if (whole == 0)
        return false;
    *data = frames->data + frames->taken + AGON__FRAME_HEAD;
    *size = whole - AGON__FRAME_HEAD;
    frames->taken += whole;
    return true;
}

bool agon__frames_waiting(const agon__frames* frames) {
    size_t at = frames->taken, whole;
    while ((whole = whole_at(frames, at)) > 0)
        at += whole;
    return at < frames->used;
}

void agon__frames_clear(agon__frames* frames) {
    free(frames->data);
    *frames = (agon__frames){.limit = frames->limit};
}
