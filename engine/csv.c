/* csv.c: see csv.h. */
#include "engine/csv.h"

#include "engine/files.h"
#include "engine/text.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- which separator ---------------------------------------------------------------------- */

enum { LOOK = 20 }; /* lines that are looked at */

/* Counts `separator` outside quotes in one line; returns where the next line begins. */
static const char* count_in_line(const char* at, const char* end, char separator, size_t* count) {
    bool quoted = false;
    *count = 0;
    for (; at < end && (quoted || *at != '\n'); at++) {
        quoted ^= *at == '"';
        *count += !quoted && *at == separator;
    }
    return at < end ? at + 1 : end;
}

/* As often in each of the first lines, and at least once? */
static bool is_regular(const char* at, const char* end, char separator) {
    size_t first = 0, count;
    for (int line = 0; line < LOOK && at < end; line++) {
        if (*at == '\n' || *at == '\r') { /* left out */
            at++, line--;
            continue;
        }
        at = count_in_line(at, end, separator, &count);
        if (line == 0)
            first = count;
        if (count == 0 || count != first)
            return false;
    }
    return first > 0;
}

/* Tab and semicolon are rare inside cells, a comma is not: it may be a decimal one. */
static char find_separator(const char* text, const char* end) {
    static const char candidates[] = {'\t', ';', ','};
    char best = ',';
    size_t most = 0;
    for (int i = 0; i < 3; i++)
        if (is_regular(text, end, candidates[i]))
            return candidates[i];
    for (int i = 0; i < 3; i++) {
        size_t count;
        count_in_line(text, end, candidates[i], &count);
        if (count > most)
            most = count, best = candidates[i];
    }
    return best;
}

const char* agon_csv_separator_name(const agon_csv* csv) {
    return csv->separator == ',' ? "comma" : csv->separator == ';' ? "semicolon" : "tab";
}

/* ---- cells -------------------------------------------------------------------------------- */

typedef struct parser {
    agon_csv* csv;
    const char *at, *end;
    char* out; /* where the next cell's text goes; never ahead of `at` */
    uint32_t line, cells;
    size_t room, line_room, first_room; /* of the three arrays */
    agon_error* error;
} parser;

static int fail_at(const parser* p, uint32_t line, const char* what) {
    const agon_csv* csv = p->csv;
    return agon_fail(p->error, AGON_EFORMAT, "%s, line %u, column %u: %s", csv->name, line,
                     p->cells - csv->first[csv->rows] + 1, what);
}

static bool grow(void** array, size_t each, size_t* room, size_t used) {
    if (used < *room)
        return true;
    const size_t more = *room ? *room * 2 : 64;
    void* grown = realloc(*array, more * each);
    if (!grown)
        return false;
    *array = grown;
    *room = more;
    return true;
}

/* Up to the quote that ends the cell; `at` is behind the opening one. */
static int quoted_cell(parser* p) {
    const uint32_t begun = p->line;
    for (;; p->at++) {
        if (p->at == p->end)
            return fail_at(p, begun, "a quote is opened here and never closed");
        if (*p->at == '"') {
            p->at++;
            if (p->at == p->end || *p->at != '"')
                break;
        }
        p->line += *p->at == '\n';
        *p->out++ = *p->at;
    }
    while (p->at < p->end && *p->at == ' ')
        p->at++;
    if (p->at < p->end && *p->at != p->csv->separator && *p->at != '\n' && *p->at != '\r')
        return fail_at(p, p->line,
                       "text follows the closing quote; a quote inside a quoted cell "
                       "is written twice");
    return AGON_OK;
}

static void plain_cell(parser* p) {
    char* begin = p->out;
    for (; p->at < p->end && *p->at != p->csv->separator && *p->at != '\n' && *p->at != '\r';
         p->at++)
        *p->out++ = *p->at;
    while (p->out > begin && (p->out[-1] == ' ' || p->out[-1] == '\t'))
        p->out--;
}

static int read_cell(parser* p) {
    agon_csv* csv = p->csv;
    if (!grow((void**)&csv->cell, sizeof *csv->cell, &p->room, p->cells))
        return agon_fail(p->error, AGON_EMEMORY, "no memory for the cells of %s", csv->name);
    while (p->at < p->end && *p->at == ' ')
        p->at++;
    csv->cell[p->cells] = (uint32_t)(p->out - csv->text);
    int rc = AGON_OK;
    if (p->at < p->end && *p->at == '"') {
        p->at++;
        rc = quoted_cell(p);
    } else {
        plain_cell(p);
    }
    p->cells++;
    return rc;
}

/* LF, CRLF, or a CR alone; false: not at the end of a line. */
static bool line_end(parser* p) {
    if (p->at < p->end && *p->at != '\n' && *p->at != '\r')
        return false;
    if (p->at < p->end && *p->at++ == '\r' && p->at < p->end && *p->at == '\n')
        p->at++;
    p->line++;
    return true;
}

/* The terminators of cells lie where separators and line ends lay, so they are written behind the
 * reader. */
static int read_row(parser* p) {
    agon_csv* csv = p->csv;
    if (!grow((void**)&csv->line, sizeof *csv->line, &p->line_room, (size_t)csv->rows) ||
        !grow((void**)&csv->first, sizeof *csv->first, &p->first_room, (size_t)csv->rows + 1))
        return agon_fail(p->error, AGON_EMEMORY, "no memory for the rows of %s", csv->name);
    csv->line[csv->rows] = p->line;
    csv->first[csv->rows] = p->cells;
    for (;;) {
        const int rc = read_cell(p);
        if (rc)
            return rc;
        const bool ended = line_end(p);
        if (!ended)
            p->at++; /* the separator */
        *p->out++ = '\0';
        if (ended)
            break;
    }
    if (p->cells == csv->first[csv->rows] + 1 && !csv->text[csv->cell[p->cells - 1]])
        p->cells--; /* spaces alone: as good as empty */
    else
        csv->rows++;
    csv->first[csv->rows] = p->cells;
    return AGON_OK;
}

static int read_rows(parser* p) {
    int rc = AGON_OK;
    while (!rc && p->at < p->end) {
        if (*p->at == '\n' || *p->at == '\r')
            line_end(p);
        else
            rc = read_row(p);
    }
    if (!rc && p->csv->rows == 0)
        return agon_fail(p->error, AGON_EFORMAT, "%s is empty: expected lines of cells",
                         p->csv->name);
    return rc;
}

/* How many bytes of UTF-8 the character at `at` has; 0: none of it. */
static size_t character(const uint8_t* at, const uint8_t* end) {
    const size_t length = *at < 0x80   ? 1
                          : *at < 0xc2 ? 0
                          : *at < 0xe0 ? 2
                          : *at < 0xf0 ? 3
                          : *at < 0xf5 ? 4
                                       : 0;
    if (length > (size_t)(end - at))
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* Other encodings would come out as labels that no reader of our JSON takes. */
static int check_text(const uint8_t* data, size_t size, const char* name, agon_error* error) {
    uint32_t line = 1;
    if (size && memchr(data, '\0', size))
        return agon_fail(error, AGON_EFORMAT, "%s is no text: it holds a NUL byte", name);
    for (const uint8_t *at = data, *end = data + size; at < end;) {
        const size_t length = character(at, end);
        if (length == 0) {
            agon_fail(error, AGON_EFORMAT, "%s, line %u: byte 0x%02x is not UTF-8", name, line,
                      *at);
            return agon_hint(error, "if it is Latin-1: iconv -f latin1 -t utf-8 FILE > NEW");
        }
        line += *at == '\n';
        at += length;
    }
    return AGON_OK;
}

int agon_csv_decode(const void* data, size_t size, const char* name, agon_csv* out,
                    agon_error* error) {
    const char* begin = data;
    agon_csv csv = {0};
    snprintf(csv.name, sizeof csv.name, "%s", name);
    if (size > AGON_CSV_BYTES)
        return agon_fail(error, AGON_ELIMIT, "%s has %zu bytes, at most %zu are read", name, size,
                         AGON_CSV_BYTES);
    const int bad = check_text(data, size, name, error);
    if (bad)
        return bad;
    if (size >= 3 && memcmp(begin, "\xef\xbb\xbf", 3) == 0)
        begin += 3;
    const char* end = (const char*)data + size;
    csv.text = malloc(size + 1);
    if (!csv.text)
        return agon_fail(error, AGON_EMEMORY, "no memory for the %zu bytes of %s", size, name);
    csv.separator = find_separator(begin, end);
    parser p = {.csv = &csv, .at = begin, .end = end, .out = csv.text, .line = 1, .error = error};
    const int rc = read_rows(&p);
    if (rc)
        agon_csv_clear(&csv);
    else
        *out = csv;
    return rc;
}

int agon_csv_read(const char* path, agon_csv* out, agon_error* error) {
    uint8_t* data = NULL;
    size_t size = 0;
    int rc = agon_file_read(path, AGON_CSV_BYTES, &data, &size, error);
    if (!rc)
        rc = agon_csv_decode(data, size, path, out, error);
    free(data);
    return rc;
}

void agon_csv_clear(agon_csv* csv) {
    free(csv->first);
    free(csv->line);
    free(csv->cell);
    free(csv->text);
    memset(csv, 0, sizeof *csv);
}

int agon_csv_width(const agon_csv* csv, int row) {
    return (int)(csv->first[row + 1] - csv->first[row]);
}

const char* agon_csv_cell(const agon_csv* csv, int row, int column) {
    assert(row >= 0 && row < csv->rows && column >= 0);
    return column < agon_csv_width(csv, row)
               ? csv->text + csv->cell[csv->first[row] + (uint32_t)column]
               : "";
}

/* ---- numbers and messages ----------------------------------------------------------------- */

bool agon_csv_is_number(const char* text, double* out) {
    char* end;
    if (!*text || isspace((unsigned char)*text) || strpbrk(text, "xXpP("))
        return false;
    *out = strtod(text, &end);
    return *end == '\0';
}

int agon_csv_number(const agon_csv* csv, int row, int column, double* out, agon_error* error) {
    char quoted[AGON__QUOTE];
    const char* text = agon_csv_cell(csv, row, column);
    if (agon_csv_is_number(text, out))
        return AGON_OK;
    agon_csv_fail(csv, row, column, error, "'%s' is not a number", agon__quote(text, quoted));
    if (strchr(text, ','))
        return agon_hint(error, "numbers have a decimal point, not a comma");
    return AGON_EINVALID;
}

int agon_csv_column(const agon_csv* csv, const char* name) {
    for (int c = 0; c < agon_csv_width(csv, 0); c++)
        if (strcasecmp(agon_csv_cell(csv, 0, c), name) == 0)
            return c;
    return -1;
}

int agon_csv_fail(const agon_csv* csv, int row, int column, agon_error* error, const char* format,
                  ...) {
    char text[384];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return agon_fail(error, AGON_EINVALID, "%.100s, line %u, column %d: %s", csv->name,
                     csv->line[row], column + 1, text);
}

/* ---- writing ------------------------------------------------------------------------------ */

static void next_cell(agon_csv_out* out) {
    if (out->begun)
        fputc(',', out->file);
    out->begun = true;
}

void agon_csv_put_text(agon_csv_out* out, const char* text) {
    const size_t length = strlen(text);
    next_cell(out);
    /* Spaces at the ends would be dropped by readers that drop them, a ';' or tab would confuse
     * those that look for their separator. */
    if (!strpbrk(text, ",;\t\"\r\n") &&
        (length == 0 || (text[0] != ' ' && text[length - 1] != ' '))) {
        fputs(text, out->file);
        return;
    }
    fputc('"', out->file);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out->file);
        fputc(*text, out->file);
    }
    fputc('"', out->file);
}

void agon_csv_put_real(agon_csv_out* out, double value) {
    char text[32];
    next_cell(out);
    if (isnan(value))
        return;
    agon__text_real(value, text);
    fputs(text, out->file);
}

void agon_csv_put_whole(agon_csv_out* out, int64_t value) {
    next_cell(out);
    fprintf(out->file, "%" PRId64, value);
}

void agon_csv_end_line(agon_csv_out* out) {
    fputc('\n', out->file);
    out->begun = false;
}
