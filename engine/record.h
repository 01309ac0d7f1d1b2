/* record.h: the results of a run, found by task key; what planners and metrics ask.
 *
 * Filled from the store when a run is opened, then with each committed result. A key can also be
 * claimed: then it is under way, and a planner does not hand it out again. Memory holds the
 * generations that agon_record_keep names; older results are read from where they are stored when
 * they are asked for. */
#ifndef AGON_RECORD_H
#define AGON_RECORD_H

#include "engine/task.h"

typedef struct agon_record agon_record;

agon_record* agon_record_open(void); /* NULL: out of memory */
void agon_record_close(agon_record* record);

/* Reads the stored result of a key into *out, owned by the caller; AGON_EMISSING: there is none. */
typedef int agon_record_read(void* user, agon_task_kind kind, const char* key, agon_result* out,
                             agon_error* error);
/* Where results are that memory does not hold. Nothing is forgotten before this is known. */
void agon_record_source(agon_record* record, agon_record_read* read, void* user);
/* Memory holds every result of generations `first` and later, and of generation `also` (-1: none),
 * and those of the closing evaluation. Others are forgotten now and then, in here alone, and are
 * read again when asked for. At first memory holds all. */
void agon_record_keep(agon_record* record, int first, int also);
/* The first failure to read a stored result, with its message: what was not found since may be
 * there. AGON_OK: there was none. */
int agon_record_failure(const agon_record* record, agon_error* error);

/* Copies a result (without blobs) under its key. AGON_EMEMORY. */
int agon_record_add(agon_record* record, const agon_result* result);
/* 1: the key was neither known nor claimed, and now is claimed; 0: it was; AGON_EMEMORY. */
int agon_record_claim(agon_record* record, const char* key);
/* Results of the run so far (claims not counted): those added, or from now on `count` and those
 * added. */
int agon_record_count(const agon_record* record);
void agon_record_assume(agon_record* record, int count);
/* Keys in memory. */
int agon_record_held(const agon_record* record);

/* NULL when there is no result. Borrowed until the record closes, or, where memory need not hold
 * it, until the next agon_record_keep; stable. */
const agon_result* agon_record_find(const agon_record* record, const char* key);
const agon_train_result* agon_record_train(const agon_record* record, int generation, int agent);
const agon_match_result* agon_record_match(const agon_record* record, int generation, int row,
                                           int col);
const agon_match_result* agon_record_final(const agon_record* record, int row, int anchor);
const agon_probe_result* agon_record_probe(const agon_record* record, int generation, int agent);

/* The key texts: "train/G/A", "match/G/I/J" (against an anchor "anchor/G/I/K"), "probe/G/A",
 * "final/I/K". col < 0 names anchor -1 - col. */
void agon_key_train(char out[AGON_KEY_SIZE], int generation, int agent);
void agon_key_match(char out[AGON_KEY_SIZE], int generation, int row, int col);
void agon_key_final(char out[AGON_KEY_SIZE], int row, int anchor);
void agon_key_probe(char out[AGON_KEY_SIZE], int generation, int agent);

#endif
