/* SPDX-License-Identifier: 0BSD
 *
 * error.c: errors as values, and the suggestion of the nearest word. */
#include "error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 64 /* longer words get no suggestion */

/* What agon_hint returns to a caller who passed no error. A code on its way up one thread's stack,
 * as errno is: nothing else reads it. */
static _Thread_local int last_code;

int agon_fail(agon_error* error, int code, const char* format, ...) {
    last_code = code;
    if (!error)
        return code;
    /* Arguments may point into *error itself (a message that wraps another), hence the copy. */
    char text[sizeof error->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    memcpy(error->text, text, sizeof text);
    error->hint[0] = '\0';
    error->code = code;
    return code;
}

int agon_hint(agon_error* error, const char* format, ...) {
    if (!error)
        return last_code;
    va_list args;
    va_start(args, format);
    vsnprintf(error->hint, sizeof error->hint, format, args);
    va_end(args);
    return error->code;
}

const char* agon_error_name(int code) {
#define NAME_OF(symbol, number, text)                                                              \
    if (code == number)                                                                            \
        return #symbol;
    AGON_ERRORS(NAME_OF)
#undef NAME_OF
    return code == AGON_OK ? "AGON_OK" : "AGON_E?";
}

const char* agon_error_text(int code) {
#define TEXT_OF(symbol, number, text)                                                              \
    if (code == number)                                                                            \
        return text;
    AGON_ERRORS(TEXT_OF)
#undef TEXT_OF
    return code == AGON_OK ? "no error" : "unknown error";
}

static int least(int a, int b) {
    return a < b ? a : b;
}

/* Edit distance in which exchanging two neighbours counts as one edit (optimal string alignment):
 * "torn" for "tron" is the commonest slip of all. Both words are at most WORD_MAX long. */
static int distance(const char* a, const char* b) {
    const int na = (int)strlen(a), nb = (int)strlen(b);
    int d[WORD_MAX + 1][WORD_MAX + 1];
    for (int j = 0; j <= nb; j++)
        d[0][j] = j;
    for (int i = 1; i <= na; i++) {
        d[i][0] = i;
        for (int j = 1; j <= nb; j++) {
            const int edit = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            d[i][j] = least(edit, least(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[na][nb];
}

const char* agon_nearest(const char* word, const char* const* candidates, int count) {
    const char* best = NULL;
    int best_distance = WORD_MAX + 1;
    const size_t length = strlen(word);
    if (length > WORD_MAX)
        return NULL;
    for (int i = 0; i < count; i++) {
        const size_t other = strlen(candidates[i]);
        if (other > WORD_MAX)
            continue;
        const int d = distance(word, candidates[i]);
        /* A suggestion keeps at least half of the longer word. */
        if (d <= (int)(length > other ? length : other) / 2 && d < best_distance) {
            best = candidates[i];
            best_distance = d;
        }
    }
    return best;
}
