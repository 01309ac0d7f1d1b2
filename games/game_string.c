/* SPDX-License-Identifier: 0BSD
 *
 * game_string.c: "name(param=value, param=value)" to words. The text may come from anywhere. */
#include "internal.h"

static bool is_space(char c) {
    return c == ' ' || c == '\t';
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_name(const char* text) {
    for (const char* p = text; *p; p++) {
        if (!is_word(*p))
            return false;
    }
    return *text != '\0';
}

static bool is_mark(char c) {
    return c == '(' || c == ')' || c == ',' || c == '=';
}

/* Copies without spaces. A space within a word would join two words into one, so it is refused. */
static int compact(const char* from, char* to, size_t size, agon_error* error) {
    size_t length = 0;
    bool gap = false;
    for (const char* p = from; *p; p++) {
        if (is_space(*p)) {
            gap = true;
            continue;
        }
        if (*p < '!' || *p > '~')
            return agon_fail(error, AGON_EINVALID,
                             "game string: byte 0x%02x at place %d, expected printable ASCII",
                             (unsigned)(unsigned char)*p, (int)(p - from));
        if (gap && length && !is_mark(*p) && !is_mark(to[length - 1]))
            return agon_fail(error, AGON_EINVALID, "game string '%.200s': a space within a word",
                             from);
        if (length + 1 == size)
            return agon_fail(error, AGON_ELIMIT,
                             "game string '%.200s': expected at most %d characters", from,
                             (int)size - 1);
        to[length++] = *p;
        gap = false;
    }
    to[length] = '\0';
    return 0;
}

/* One "param=value", cut in two in place. */
static int add_param(agon__game_string* out, char* text, agon_error* error) {
    char* equals = strchr(text, '=');
    if (equals)
        *equals = '\0';
    if (!equals || !is_name(text) || !equals[1] || strpbrk(equals + 1, "=()"))
        return agon_fail(error, AGON_EINVALID,
                         "game string '%s': expected parameters of the form name=value",
                         out->canonical);
    for (int i = 0; i < out->count; i++) {
        if (strcmp(out->param[i], text) == 0)
            return agon_fail(error, AGON_EINVALID, "game string '%s': parameter %s is given twice",
                             out->canonical, text);
    }
    if (out->count == AGON_MAX_PARAMS)
        return agon_fail(error, AGON_ELIMIT, "game string '%s': expected at most %d parameters",
                         out->canonical, AGON_MAX_PARAMS);
    out->param[out->count] = text;
    out->value[out->count++] = equals + 1;
    return 0;
}

int agon__game_string_parse(const char* game_string, agon__game_string* out, agon_error* error) {
    memset(out, 0, sizeof *out);
    int code = compact(game_string, out->canonical, sizeof out->canonical, error);
    if (code)
        return code;
    memcpy(out->text, out->canonical, sizeof out->text);
    out->name = out->text;
    char* open = strchr(out->text, '(');
    char* end = out->text + strlen(out->text);
    if (open) {
        if (end[-1] != ')')
            return agon_fail(error, AGON_EINVALID, "game string '%s': expected a ')' at the end",
                             out->canonical);
        *open = end[-1] = '\0';
    }
    if (!is_name(out->name))
        return agon_fail(error, AGON_EINVALID,
                         "game string '%s': expected a name of a-z, 0-9, _ at the beginning",
                         out->canonical);
    if (!open)
        return 0;
    if (open + 2 == end) { /* "name()" is "name" */
        out->canonical[open - out->text] = '\0';
        return 0;
    }
    for (char *text = open + 1, *comma; text && !code; text = comma) {
        comma = strchr(text, ',');
        if (comma)
            *comma++ = '\0';
        code = add_param(out, text, error);
    }
    return code;
}
