/* frame.h: a stream of bytes cut into messages: 4 bytes of length, big-endian, then the message. */
#ifndef AGON_FRAME_H
#define AGON_FRAME_H

#include "games/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGON__FRAME_HEAD 4           /* bytes before each message */
#define AGON__FRAME_MAX  (600 << 10) /* bytes of a message, unless a stream allows less */

/* What has arrived and is not taken yet. Zero is a new one, but for its limit. */
typedef struct agon__frames {
    uint8_t* data;
    size_t used, taken, room;
    size_t limit; /* largest message; a longer one is refused by its head, before it is kept */
} agon__frames;

/* Adds bytes as they came. AGON_ELIMIT, AGON_EFORMAT (a length of 0), AGON_EMEMORY: the stream is
 * of no more use. */
int agon__frames_add(agon__frames* frames, const uint8_t* data, size_t size, agon_error* error);
/* The next whole message, borrowed until the next call of either; false: none yet. */
bool agon__frames_next(agon__frames* frames, const uint8_t** data, size_t* size);
/* Is the beginning of a message there, whose end is not? */
bool agon__frames_waiting(const agon__frames* frames);
void agon__frames_clear(agon__frames* frames);

#endif
