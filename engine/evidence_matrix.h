/* evidence_matrix.h: a file that holds a matrix, perhaps with labels. Internal. */
#ifndef AGON_EVIDENCE_MATRIX_H
#define AGON_EVIDENCE_MATRIX_H

#include "engine/evidence_source.h"

typedef struct agon__matrix {
    agon__source source;
    bool owned; /* the source */
    int rows, columns;
    int row, column;         /* where its first number lies in the table */
    agon__names row_name;    /* (rows), or none */
    agon__names column_name; /* (columns), or none */
    /* Of agon__matrix_label. */
    agon__label* row_label;    /* (rows) owned; NULL: none */
    agon__label* column_label; /* (columns) owned; NULL: none */
    double* value;             /* (rows, columns) owned; NaN: missing */
} agon__matrix;

/* Reads the layout and the numbers; their range is the caller's. */
int agon__matrix_read(const char* path, agon__matrix* out, agon_error* error);
/* The same of a file that is read already, which is borrowed. */
int agon__matrix_parse(const agon__source* source, agon__matrix* out, agon_error* error);
/* Names to labels. */
int agon__matrix_label(agon__matrix* matrix, agon_error* error);
/* Which state each row is about: by its name where both have names. *out: (rows) malloc'd. Refused
 * unless there is a row for each state. */
int agon__matrix_states(const agon__matrix* matrix, const agon__grid* grid, int** out,
                        agon_error* error);
void agon__matrix_clear(agon__matrix* matrix);

/* AGON_EINVALID that begins with the file and the place of an entry. */
int agon__matrix_fail(const agon__matrix* m, int row, int column, agon_error* error,
                      const char* format, ...) __attribute__((format(printf, 5, 6)));
const char* agon__matrix_file(const agon__matrix* m);

#endif
