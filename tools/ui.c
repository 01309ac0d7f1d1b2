#include "tools/ui.h"

#include "engine/executor.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

bool agon_ui_colours(FILE* stream) {
    const char* refused = getenv("NO_COLOR");
    const char* terminal = getenv("TERM");
    if (refused && *refused)
        return false;
    if (!terminal || strcmp(terminal, "dumb") == 0)
        return false;
    return isatty(fileno(stream)) == 1;
}

const char* agon_ui_colour(FILE* stream, agon_colour colour) {
    static const char* const code[] = {"\033[0m",  "\033[1m",  "\033[2m",
                                       "\033[31m", "\033[32m", "\033[33m"};
    assert((size_t)colour < sizeof code / sizeof *code);
    return agon_ui_colours(stream) ? code[colour] : "";
}

double agon_ui_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int agon_ui_width(FILE* stream) {
    struct winsize size;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

/* The character at the start of text: its bytes, at least 1, and how many columns it takes. */
static int character(const char* text, int* columns) {
    const unsigned char* c = (const unsigned char*)text;
    const int length = c[0] < 0xc0 ? 1 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
    int code = length == 1 ? c[0] : c[0] & (0x7f >> length), used = 1;
    for (; used < length && (c[used] & 0xc0) == 0x80; used++)
        code = code << 6 | (c[used] & 0x3f);
    const bool combining = code >= 0x300 && code < 0x370;
    const bool wide = (code >= 0x1100 && code < 0x1160) || (code >= 0x2e80 && code < 0xa4d0) ||
                      (code >= 0xac00 && code < 0xd7a4) || (code >= 0xf900 && code < 0xfb00) ||
                      (code >= 0xfe30 && code < 0xfe70) || (code >= 0xff00 && code < 0xff61) ||
                      (code >= 0x1f300 && code < 0x1fb00) || (code >= 0x20000 && code < 0x40000);
    *columns = combining ? 0 : wide ? 2 : 1;
    return used;
}

void agon_ui_cell(FILE* out, const char* text, int columns) {
    const int room = columns < 0 ? -columns : columns;
    int bytes = 0, width = 0;
    for (int each; text[bytes]; width += each) {
        const int length = character(text + bytes, &each);
        if (width + each > room)
            break;
        bytes += length;
    }
    const int pad = room - width;
    fprintf(out, "%*s%.*s%*s", columns < 0 ? pad : 0, "", bytes, text, columns < 0 ? 0 : pad, "");
}

void agon_ui_wrapped(FILE* out, const char* text, int indent) {
    const int room = 92 - indent;
    while (*text) {
        int length = (int)strlen(text);
        if (length > room) {
            length = room;
            while (length > 0 && text[length] != ' ')
                length--;
            if (length == 0)
                length = room;
        }
        fprintf(out, "%.*s\n", length, text);
        text += length;
        text += strspn(text, " ");
        if (*text)
            fprintf(out, "%*s", indent, "");
    }
}

/* What was printed so far comes first, also when stdout and stderr are the same file. */
static void print_error(const char* text, const char* hint) {
    fflush(stdout);
    if (isatty(fileno(stderr)))
        fprintf(stderr, "\r\033[K"); /* over a line of progress */
    fprintf(stderr, "%sagon:%s %s\n", agon_ui_colour(stderr, AGON_RED),
            agon_ui_colour(stderr, AGON_PLAIN), text);
    if (*hint)
        fprintf(stderr, "%shint:%s %s\n", agon_ui_colour(stderr, AGON_YELLOW),
                agon_ui_colour(stderr, AGON_PLAIN), hint);
}

int agon_ui_error(const agon_error* error) {
    assert(error->code != AGON_OK);
    print_error(error->text[0] ? error->text : agon_error_text(error->code), error->hint);
    return error->code == AGON_EUSAGE ? AGON_EXIT_USAGE : AGON_EXIT_FAULT;
}

int agon_ui_usage(const char* command, const char* format, ...) {
    char text[512], hint[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(hint, sizeof hint, "'agon %s --help' shows how it is used", command);
    print_error(text, hint);
    return AGON_EXIT_USAGE;
}

/* "--out" and "--out=DIR" name the option --out. */
static bool names_option(const char* word, const char* name) {
    const size_t length = strlen(name);
    return strncmp(word, name, length) == 0 && (word[length] == '\0' || word[length] == '=');
}

static int unknown_option(const char* command, const char* word, const agon_option* options,
                          int count) {
    const char* names[32];
    char name[64];
    int candidates = 0;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    for (int i = 0; i < count && candidates < 31; i++)
        names[candidates++] = options[i].name;
    names[candidates++] = "--help";
    const char* nearest = agon_nearest(name, names, candidates);
    if (nearest)
        return agon_ui_usage(command, "unknown option '%s'; did you mean '%s'?", name, nearest);
    return agon_ui_usage(command, "unknown option '%s'", name);
}

/* Applies the option at argv[at]; *at moves over a value. Returns 0 or 2. */
static int take_option(int argc, char** argv, const agon_option* option, int* at) {
    char* word = argv[*at];
    char* equals = strchr(word, '=');
    if (option->flag) {
        if (equals)
            return agon_ui_usage(argv[0], "option '%s' takes no value", option->name);
        *option->flag = true;
        return 0;
    }
    if (!equals && *at + 1 >= argc)
        return agon_ui_usage(argv[0], "option '%s' needs a value", option->name);
    *option->value = equals ? equals + 1 : argv[++*at];
    return 0;
}

static const agon_option* find_option(const agon_option* options, int count, const char* word) {
    for (int i = 0; i < count; i++)
        if (names_option(word, options[i].name))
            return &options[i];
    return NULL;
}

int agon_ui_options(int argc, char** argv, const agon_option* options, int count, int* words) {
    int kept = 0;
    bool done = false;
    for (int i = 1; i < argc; i++) {
        if (!done && strcmp(argv[i], "--") == 0) {
            done = true;
        } else if (done || argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[++kept] = argv[i];
        } else {
            const agon_option* option = find_option(options, count, argv[i]);
            if (!option)
                return unknown_option(argv[0], argv[i], options, count);
            const int failed = take_option(argc, argv, option, &i);
            if (failed)
                return failed;
        }
    }
    *words = kept;
    return 0;
}

int agon_ui_repeated(int* argc, char** argv, const char* name, const char** out, int most,
                     int* count) {
    const char* value = NULL;
    const agon_option option = {name, NULL, &value};
    int kept = 1;
    *count = 0;
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], "--") == 0) { /* the rest are words */
            while (i < *argc)
                argv[kept++] = argv[i++];
            break;
        }
        if (!names_option(argv[i], name)) {
            argv[kept++] = argv[i];
            continue;
        }
        const int failed = take_option(*argc, argv, &option, &i);
        if (failed)
            return failed;
        if (*count == most)
            return agon_ui_usage(argv[0], "option '%s' is given more than %d times", name, most);
        out[(*count)++] = value;
    }
    *argc = kept;
    return 0;
}

int agon_ui_tasks(int wanted) {
    char text[32];
    const int tasks = wanted > 0 ? wanted : agon_cores();
    snprintf(text, sizeof text, "%d", tasks + 2);
    setenv("UV_THREADPOOL_SIZE", text, 1);
    return tasks;
}

const char* agon_ui_shell_word(const char* word, char* out, size_t size) {
    size_t used = 0;
    if (word[0] && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789_./=,+:@%-")] == '\0')
        return word;
    assert(size >= 8);
    out[used++] = '\'';
    for (; *word && used + 6 < size; word++)
        used += (size_t)sprintf(out + used, *word == '\'' ? "'\\''" : "%c", *word);
    out[used++] = '\'';
    out[used] = '\0';
    return out;
}

int agon_ui_finish(int code) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    if (errno != EPIPE) /* a reader that has seen enough is no news */
        fprintf(stderr, "agon: standard output: %s\n", strerror(errno));
    return code == AGON_EXIT_OK ? AGON_EXIT_FAULT : code;
}
