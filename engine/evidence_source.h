/* evidence_source.h: what the makers of evidence_read.h share. Internal. */
#ifndef AGON_EVIDENCE_SOURCE_H
#define AGON_EVIDENCE_SOURCE_H

#include "engine/csv.h"
#include "engine/evidence_read.h"
#include "engine/names.h"
#include "engine/npy.h"

typedef char agon__label[AGON_LABEL];

/* Adds a line. */
void agon__note(agon_evidence_notes* notes, const char* format, ...)
    __attribute__((format(printf, 2, 3)));

/* A file of either kind. */
typedef struct agon__source {
    bool is_npy;
    agon_npy npy;
    agon_csv csv;
} agon__source;

int agon__source_read(const char* path, agon__source* out, agon_error* error);
void agon__source_clear(agon__source* source);

/* ---- labels ------------------------------------------------------------------------------- */

/* Labels of texts, cut, without control characters. Refuses empty ones and ones that are given
 * twice. name: of the file. *out: (count) malloc'd. */
int agon__labels_make(const agon__names* names, const char* name, agon__label** out,
                      agon_error* error);
/* A file of `agents` labels, a line each, perhaps below a header. */
int agon__labels_read(const char* path, int agents, agon__label** out, agon_error* error);

/* ---- parts of one evidence ---------------------------------------------------------------- */

/* Where the agents of a part are among those of the evidence. */
typedef struct agon__join {
    int agents;         /* of the evidence afterwards */
    int* place;         /* (agents of the part) owned */
    bool moved;         /* place is not 0, 1, 2, ... */
    agon__label* label; /* (agents) owned: what the evidence's labels become; NULL: they stay */
} agon__join;

/* labels: (agents), NULL: none. subset: the part may be of some agents only, where it has labels.
 * name: of the file, for messages. Nothing changes before the commit, which cannot fail. */
int agon__join_make(const agon_evidence* evidence, int agents, const agon__label* labels,
                    bool subset, const char* name, agon__join* out, agon_error* error);
void agon__join_commit(agon_evidence* evidence, agon__join* join, const char* name);
void agon__join_clear(agon__join* join);
/* Rows of `bytes` bytes into the evidence's order. AGON_EMEMORY. */
int agon__join_move(const agon__join* join, void* rows, size_t bytes, agon_error* error);

/* ---- answers ------------------------------------------------------------------------------ */

/* What a file of answers holds, whatever its layout. */
typedef struct agon__grid {
    char name[256]; /* of the file */
    bool counts;
    int agents, states, actions;
    double* value;      /* (agents, states, actions) owned; NaN: not an option */
    agon__label* label; /* (agents) owned; NULL: none */
    /* Texts are borrowed from `source`, and empty where the layout has none. */
    agon__names state;  /* (states) */
    agon__names answer; /* by state: texts of answers of the long layout */
    int* action;        /* (answers) owned: which action each is */
    agon__source source;
} agon__grid;

/* Right answers by name: the layout "state, answer [, worth]". Zero is none. */
typedef struct agon__right {
    bool by_name;
    int state, answer, worth; /* columns; worth -1: all lines name right answers */
    agon__source source;
} agon__right;

int agon__right_read(const char* path, agon__right* out, agon_error* error);
/* (states, actions) malloc'd from what was read, once the grid is known. */
int agon__right_worth(const agon__right* right, const agon__grid* grid, double** out,
                      agon_error* error);

/* The layout "agent, state, action, ...". Right answers become options. */
bool agon__classes_are(const agon_csv* csv);
int agon__classes_read(agon__grid* grid, const agon__right* right, agon_evidence_notes* notes,
                       agon_error* error);

/* value: (agents, states, actions) of NaN. AGON_ELIMIT beyond AGON_EVIDENCE_CELLS. */
int agon__grid_allocate(agon__grid* grid, agon_error* error);
/* Is this number a probability, or a number of samples? Says what was expected instead: NULL: it
 * is. */
const char* agon__grid_expected(const agon__grid* grid, double value);
/* "agent 'x', state 'y'", or their numbers. Returns out. */
const char* agon__grid_place(const agon__grid* grid, int agent, int state, char out[192]);

#endif
