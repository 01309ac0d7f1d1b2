/* record.h: the results of a run in memory, found by task key; what planners and metrics ask.
 *
 * Filled from the store when a run is opened, then with each committed result. A key can also be
 * claimed: then it is under way, and a planner does not hand it out again. */
#ifndef AGON_RECORD_H
#define AGON_RECORD_H

#include "engine/task.h"

typedef struct agon_record agon_record;

agon_record* agon_record_open(void); /* NULL: out of memory */
void agon_record_close(agon_record* record);

/* Copies a result (without blobs) under its key. AGON_EMEMORY. */
int agon_record_add(agon_record* record, const agon_result* result);
/* 1: the key was neither known nor claimed, and now is claimed; 0: it was; AGON_EMEMORY. */
int agon_record_claim(agon_record* record, const char* key);
/* Results stored (claims not counted). */
int agon_record_count(const agon_record* record);

/* NULL when there is no result. Borrowed until the record closes; stable. */
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
