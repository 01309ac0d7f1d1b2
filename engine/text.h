/* text.h: building text in a fixed buffer, and showing text that may be hostile. Internal to engine
 * and net. */
#ifndef AGON_TEXT_H
#define AGON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A buffer that is filled as snprintf fills one: `used` counts what was asked for, so a first pass
 * with size 0 measures and a second one writes. The text is always terminated when size > 0. */
typedef struct agon__text {
    char* out;   /* borrowed, `size` bytes; may be NULL when size is 0 */
    size_t size; /* bytes, the terminator included */
    size_t used; /* characters so far, the terminator not counted; may exceed size */
} agon__text;

void agon__text_add(agon__text* text, const char* format, ...)
    __attribute__((format(printf, 2, 3)));

/* Shortest decimal form of a finite number that reads back equal; never "-0". Returns its length.
 */
int agon__text_real(double value, char out[32]);

#define AGON__QUOTE 72 /* bytes of a quoted piece of text */

/* `text` for a message: at most 60 characters, what cannot be printed as '?', "..." when cut.
 * Returns out. */
const char* agon__quote(const char* text, char out[AGON__QUOTE]);
/* The same for bytes without terminator. */
const char* agon__quote_bytes(const char* text, size_t size, char out[AGON__QUOTE]);

/* Is it printable ASCII, every byte in 0x20..0x7e? The empty text is. */
bool agon__text_is_printable(const char* text);
/* Is it 64 lower-case hex digits? */
bool agon__text_is_hash(const char* text);

#endif
