/* error.h: how a function says that the world was not as it should be.
 *
 * Three kinds of trouble, three treatments. A caller's mistake is an assert. The world's fault (a
 * file, a config, a disk, a plug-in, another process) is a negative code from the list below with
 * a message that names the thing, its value and what was expected. A tool prints the message with
 * its hint and exits 1 (usage errors: 2). On failure a function leaves its output untouched. */
#ifndef AGON_ERROR_H
#define AGON_ERROR_H

/* code, number, what it means */
#define AGON_ERRORS(X)                                                                             \
    X(AGON_EUSAGE, -1, "wrong use of a command")                                                   \
    X(AGON_EINVALID, -2, "a value is malformed or out of range")                                   \
    X(AGON_EUNKNOWN, -3, "no such game, key, agent or command")                                    \
    X(AGON_EIO, -4, "a file or device failed")                                                     \
    X(AGON_ENOSPACE, -5, "the disk is full")                                                       \
    X(AGON_EMISSING, -6, "a file or record that should exist does not")                            \
    X(AGON_EFORMAT, -7, "a file is damaged or of another format")                                  \
    X(AGON_ECONFLICT, -8, "a second, different result for the same task")                          \
    X(AGON_EUNSUPPORTED, -9, "the game's facts or this build do not allow it")                     \
    X(AGON_EMEMORY, -10, "out of memory")                                                          \
    X(AGON_ECANCELLED, -11, "cancelled")                                                           \
    X(AGON_ELIMIT, -12, "a stated limit was exceeded")                                             \
    X(AGON_EDEVICE, -13, "a GPU failed or was lost")

#define AGON_ERROR_ENUM(code, number, text) code = number,
enum { AGON_OK = 0, AGON_ERRORS(AGON_ERROR_ENUM) };
#undef AGON_ERROR_ENUM

typedef struct agon_error {
    int code;       /* 0 or one of the list */
    char text[512]; /* what happened: the thing, its value, what was expected */
    char hint[256]; /* what to do about it; may be empty */
} agon_error;

/* Fills *error (may be NULL) with a formatted text and returns `code`, so that a caller can write
 * `return agon_fail(error, AGON_EIO, "...", ...)`. The hint is cleared. */
int agon_fail(agon_error* error, int code, const char* format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a hint to an error that is set. Returns error->code (or `code` of the last fail if NULL). */
int agon_hint(agon_error* error, const char* format, ...) __attribute__((format(printf, 2, 3)));

/* "AGON_EIO", and the sentence of the list. Unknown codes give "AGON_E?". */
const char* agon_error_name(int code);
const char* agon_error_text(int code);

/* The candidate nearest to `word` by edit distance, or NULL when none is near enough to suggest. */
const char* agon_nearest(const char* word, const char* const* candidates, int count);

#endif
