/* config_read.c: INI texts and files. inih splits lines; this file counts them, so that every
 * mistake can name its line. */
#include "engine/config.h"
#include "engine/text.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_KEYS  96
#define MAX_BYTES (1 << 20) /* of a config file */

typedef struct source {
    const char* at; /* the next line */
    int line;       /* of the line handed out last, from 1 */
    const char* origin;
    agon_config* config;
    agon_error* error;
    int code;               /* of the first mistake; 0: none so far */
    int set_line[MAX_KEYS]; /* where each key was set in this text; 0: nowhere */
} source;

static int refuse_section(source* in, const char* name, size_t length) {
    const char* sections[MAX_KEYS];
    char word[64], shown[AGON__QUOTE];
    int count;
    const agon_config_key* keys = agon_config_keys(&count);
    for (int i = 0; i < count; i++)
        sections[i] = keys[i].section;
    snprintf(word, sizeof word, "%.*s", (int)(length < 63 ? length : 63), name);
    const char* near = agon_nearest(word, sections, count);
    agon_fail(in->error, AGON_EUNKNOWN, "%s:%d: unknown section [%s]%s%s%s", in->origin, in->line,
              agon__quote_bytes(name, length, shown), near ? "; did you mean [" : "",
              near ? near : "", near ? "]?" : "");
    agon_hint(in->error, "agon help keys lists every section and key");
    return AGON_EUNKNOWN;
}

/* A section line, before inih sees it: inih tells of a section only with its first key. */
static int check_section(source* in, const char* line, size_t length) {
    const char* end = memchr(line, ']', length);
    int count;
    const agon_config_key* keys = agon_config_keys(&count);
    if (!end)
        return AGON_OK; /* inih refuses it */
    const size_t name = (size_t)(end - line - 1);
    for (int i = 0; i < count; i++)
        if (strlen(keys[i].section) == name && memcmp(line + 1, keys[i].section, name) == 0)
            return AGON_OK;
    return refuse_section(in, line + 1, name);
}

/* inih's reader. Blanks before a line are dropped, since inih would take such a line as the
 * continuation of the value above; comments are too, so that they may be of any length. */
static char* next_line(char* out, int size, void* user) {
    source* in = user;
    assert(size > AGON_CONFIG_LINE + 2);
    if (in->code != AGON_OK || !*in->at)
        return NULL;
    in->line++;
    const char* line = in->at + strspn(in->at, " \t\r");
    size_t length = strcspn(line, "\n");
    in->at = line + length + (line[length] == '\n');
    while (length > 0 && strchr(" \t\r", line[length - 1]))
        length--;
    if (*line == '#' || *line == ';')
        length = 0;
    if (length > AGON_CONFIG_LINE)
        in->code =
            agon_fail(in->error, AGON_ELIMIT, "%s:%d: line of %zu characters; expected at most %d",
                      in->origin, in->line, length, AGON_CONFIG_LINE);
    else if (*line == '[')
        in->code = check_section(in, line, length);
    if (in->code != AGON_OK)
        return NULL;
    memcpy(out, line, length);
    out[length] = '\0';
    return out;
}

static int take_key(void* user, const char* section, const char* name, const char* value) {
    source* in = user;
    char full_name[128], origin[512];
    int count;
    const agon_config_key* keys = agon_config_keys(&count);
    assert(count <= MAX_KEYS);
    snprintf(origin, sizeof origin, "%.480s:%d", in->origin, in->line);
    snprintf(full_name, sizeof full_name, "%s%s%s", section, *section ? "." : "", name);
    const agon_config_key* key = agon_config_find(full_name);
    int* set_line = key ? &in->set_line[key - keys] : NULL;
    if (set_line && *set_line)
        in->code = agon_fail(in->error, AGON_EINVALID, "%s: %s was set in line %d already", origin,
                             full_name, *set_line);
    else
        in->code = agon_config_set(in->config, full_name, value, origin, in->error);
    if (set_line)
        *set_line = in->line;
    return in->code == AGON_OK;
}

/* What inih itself refused: neither a section nor a key with a value. */
static int refuse_line(const source* in, const char* text, int line) {
    char shown[AGON__QUOTE];
    for (int i = 1; i < line; i++)
        text += strcspn(text, "\n") + 1;
    text += strspn(text, " \t\r");
    return agon_fail(in->error, AGON_EINVALID, "%s:%d: %s: expected [section] or key = value",
                     in->origin, line, agon__quote_bytes(text, strcspn(text, "\r\n"), shown));
}

int agon_config_read_text(agon_config* config, const char* text, const char* origin,
                          agon_error* error) {
    agon_config copy = *config;
    source in = {.at = text, .origin = origin, .config = &copy, .error = error};
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
        in.at += 3;
    const int line = ini_parse_stream(next_line, &in, take_key, &in);
    /* inih goes on after a line it cannot split, so ours may be the later mistake of the two. */
    if (line > 0 && (in.code == AGON_OK || line < in.line))
        return refuse_line(&in, text, line);
    if (line < 0)
        return agon_fail(error, AGON_EMEMORY, "%s: out of memory", origin);
    if (in.code != AGON_OK)
        return in.code;
    *config = copy;
    return AGON_OK;
}

/* The whole file with a terminator, malloc'd; NULL with *error filled. */
static char* read_all(FILE* file, const char* path, agon_error* error) {
    char* text = malloc(MAX_BYTES + 1);
    if (!text) {
        agon_fail(error, AGON_EMEMORY, "%s: out of memory", path);
        return NULL;
    }
    const size_t size = fread(text, 1, MAX_BYTES + 1, file);
    if (ferror(file))
        agon_fail(error, AGON_EIO, "%s: cannot be read: %s", path, strerror(errno));
    else if (size > MAX_BYTES)
        agon_fail(error, AGON_ELIMIT, "%s: larger than %d bytes; expected a config file", path,
                  MAX_BYTES);
    else if (memchr(text, '\0', size))
        agon_fail(error, AGON_EFORMAT, "%s: holds a zero byte; expected text", path);
    else {
        text[size] = '\0';
        return text;
    }
    free(text);
    return NULL;
}

int agon_config_read_file(agon_config* config, const char* path, agon_error* error) {
    agon_error mistake = {0};
    FILE* file = fopen(path, "rb");
    if (!file)
        return agon_fail(error, errno == ENOENT ? AGON_EMISSING : AGON_EIO,
                         "%s: cannot be opened: %s", path, strerror(errno));
    char* text = read_all(file, path, &mistake);
    fclose(file);
    if (!text) {
        if (error)
            *error = mistake;
        return mistake.code;
    }
    const int code = agon_config_read_text(config, text, path, error);
    free(text);
    return code;
}
