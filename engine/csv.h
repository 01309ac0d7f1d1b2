/* csv.h: tables as text: read as RFC 4180 (Shafranovich 2005) has them, and written.
 *
 * Read are cells separated by ',' or ';' or tab (found out, and said), quoted cells with doubled
 * quotes and line ends inside, lines that end in LF or CRLF, a byte order mark at the start, and
 * lines of unequal length. Empty lines are left out. There are no comments. The file may come from
 * anywhere; a mistake is named by line and column. Spaces around a cell that is not quoted are
 * dropped. */
#ifndef AGON_CSV_H
#define AGON_CSV_H

#include "games/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define AGON_CSV_BYTES ((size_t)1 << 30) /* largest file that is read */

typedef struct agon_csv {
    char name[256]; /* of the file, for messages; cut if need be */
    char separator; /* ',', ';' or '\t' */
    int rows;
    uint32_t* first; /* (rows + 1) number of a row's first cell */
    uint32_t* line;  /* (rows) line that it begins on, from 1 */
    uint32_t* cell;  /* (cells) where its text begins in `text` */
    char* text;      /* owned; each cell ends with NUL */
} agon_csv;

/* Reads a file. *out: owned by the caller, agon_csv_clear. AGON_EFORMAT: a quote that does not end,
 * text behind a quoted cell, a NUL byte, bytes that are not UTF-8, no cells at all. AGON_ELIMIT
 * beyond AGON_CSV_BYTES. */
int agon_csv_read(const char* path, agon_csv* out, agon_error* error);
/* The same from bytes; name: for messages. */
int agon_csv_decode(const void* data, size_t size, const char* name, agon_csv* out,
                    agon_error* error);
void agon_csv_clear(agon_csv* csv);

/* Cells of a row; and the text of one, "" beyond its last. Borrowed. */
int agon_csv_width(const agon_csv* csv, int row);
const char* agon_csv_cell(const agon_csv* csv, int row, int column);
/* "comma", "semicolon" or "tab". */
const char* agon_csv_separator_name(const agon_csv* csv);

/* Is the whole text a number in decimal notation ("0.5", "-1e-3", "nan", "inf")? */
bool agon_csv_is_number(const char* text, double* out);
/* The number in a cell, or AGON_EINVALID with its place. */
int agon_csv_number(const agon_csv* csv, int row, int column, double* out, agon_error* error);
/* The column of row 0 whose cell is `name` (upper or lower case); -1: none. */
int agon_csv_column(const agon_csv* csv, const char* name);

/* AGON_EINVALID with "FILE, line L, column C: " before the text. Columns are counted in cells, from
 * 1. */
int agon_csv_fail(const agon_csv* csv, int row, int column, agon_error* error, const char* format,
                  ...) __attribute__((format(printf, 5, 6)));

/* ---- writing: one cell after the other, then the end of the line ------------------------ */

typedef struct agon_csv_out {
    FILE* file; /* borrowed */
    bool begun; /* the line has a cell */
} agon_csv_out;

/* Quoted where it must be. */
void agon_csv_put_text(agon_csv_out* out, const char* text);
/* Shortest form that reads back equal; NaN is an empty cell. */
void agon_csv_put_real(agon_csv_out* out, double value);
void agon_csv_put_whole(agon_csv_out* out, int64_t value);
void agon_csv_end_line(agon_csv_out* out); /* LF */

#endif
