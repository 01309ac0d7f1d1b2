/* flat.h: metrics.jsonl as a flat table: a row for each line, a column for each single value. */
#ifndef AGON_FLAT_H
#define AGON_FLAT_H

#include "games/error.h"

#include <stdbool.h>
#include <stddef.h>

#define AGON_FLAT_COLUMNS 20000
#define AGON_FLAT_CELLS   ((size_t)1 << 27)

/* A value: a number, or a text, or absent (number NaN, text NULL). */
typedef struct agon_flat_cell {
    double number;
    char* text; /* owned; NULL: not a text */
} agon_flat_cell;

typedef struct agon_flat_column {
    char* path;   /* owned; names joined by '.': "diversity.vendi_1", "rating.elo.3" */
    bool listed;  /* a number of a list: one of many of a kind */
    bool numeric; /* never a text */
} agon_flat_column;

typedef struct agon_flat {
    int rows, columns;
    agon_flat_column* column; /* (columns) in order of first appearance */
    agon_flat_cell* cell;     /* (rows, columns) */
    bool cut;                 /* the last line was incomplete (a run in progress) and left out */
} agon_flat;

/* Reads a file of one JSON object per line. Objects in lists are named by their "role" or "name",
 * else by their number; numbers in lists by their number. Lists of lists (matrices) are left out:
 * they stay in the file. true and false are texts, null is absent. *out: owned by the caller,
 * agon_flat_clear. AGON_EFORMAT for what is no JSON; AGON_ELIMIT beyond AGON_FLAT_COLUMNS
 * or AGON_FLAT_CELLS. */
int agon_flat_read(const char* path, agon_flat* out, agon_error* error);
void agon_flat_clear(agon_flat* flat);

int agon_flat_find(const agon_flat* flat, const char* path); /* -1: no such column */

#endif
