/* store_tables.h: the tables of run.db as data. Internal.
 *
 * Each table is a list of columns that say where in a record they live and what they mean; CREATE,
 * INSERT, comparison, binding, reading, CSV and the docs are all made from that list, so that they
 * cannot disagree. */
#ifndef AGON_STORE_TABLES_H
#define AGON_STORE_TABLES_H

#include "engine/store_internal.h"

typedef enum agon__column_type {
    AGON__TEXT,   /* char[size] */
    AGON__INT,    /* int */
    AGON__COUNT,  /* uint64_t, below 2^63 */
    AGON__REAL,   /* double; NaN is NULL */
    AGON__SHORT,  /* float, stored as a double */
    AGON__FLOATS, /* float* (states, actions) as a blob */
    AGON__LIST    /* double[most], `count` of them, as a JSON array */
} agon__column_type;

typedef struct agon__column {
    const char* name;
    agon__column_type type;
    size_t offset, size; /* of the field in agon__record */
    size_t count, each;  /* AGON__LIST: offset of the int that counts, doubles for one */
    const char* meaning;
} agon__column;

typedef struct agon__table {
    const char* name;
    const char* key; /* condition that finds the row again: its first parameters */
    const char* unique;
    const char* order; /* independent of the order of insertion */
    int columns;
    const agon__column* column;
} agon__table;

/* The results of train, match and probe tasks, index = kind - 1; then `blob` and `meta`, which are
 * not results: made by store.c, their columns live in no record. */
enum { AGON__TABLES = AGON__KINDS + 2 };
extern const agon__table agon__tables[AGON__TABLES];

#endif
