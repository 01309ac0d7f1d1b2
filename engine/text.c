/* text.c: see text.h. */
#include "engine/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void agon__text_add(agon__text* text, const char* format, ...) {
    const size_t room = text->used < text->size ? text->size - text->used : 0;
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(room ? text->out + text->used : NULL, room, format, args);
    va_end(args);
    assert(length >= 0);
    text->used += (size_t)length;
}

int agon__text_real(double value, char out[32]) {
    int length = 0;
    value += 0.0; /* -0 becomes 0 */
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(out, 32, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
    return length;
}

const char* agon__quote_bytes(const char* text, size_t size, char out[AGON__QUOTE]) {
    const size_t shown = size > 60 ? 57 : size;
    for (size_t i = 0; i < shown; i++)
        out[i] = (text[i] >= 0x20 && text[i] <= 0x7e) ? text[i] : '?';
    strcpy(out + shown, shown < size ? "..." : "");
    return out;
}

const char* agon__quote(const char* text, char out[AGON__QUOTE]) {
    return agon__quote_bytes(text, strlen(text), out);
}

bool agon__text_is_printable(const char* text) {
    for (; *text; text++)
        if (*text < 0x20 || *text > 0x7e)
            return false;
    return true;
}

bool agon__text_is_hash(const char* text) {
    return strspn(text, "0123456789abcdef") == 64 && text[64] == '\0';
}
