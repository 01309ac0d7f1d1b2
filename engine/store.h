/* store.h: a run directory: the only thing that is kept.
 *
 *   config.ini      the resolved config          blobs/<sha256>.safetensors
 *   run.db          SQLite, WAL                  metrics.jsonl, timing.jsonl, plots/
 *   run.lock        held by the one writer; its process id is inside
 *
 * The unit of truth is one task result: rows inserted by task key, after the blobs they name are on
 * disk (written, fsynced, renamed, directory fsynced). A kill or power cut at any moment leaves a
 * run that opens, with every result that a put accepted. Accepted once: a repeated equal result is
 * a no-op, a different one is AGON_ECONFLICT. Everything derivable is derived.
 *
 * Tables, all with plain typed columns, so that any SQLite reader is a client:
 *
 *   pandas.read_sql("select * from match", sqlite3.connect("RUN/run.db"))
 *
 *   train, probe   one row per result, found by its task's key
 *   match          one row per seat of the row policy, found by (key, seat); what is said of the
 *                  whole match is repeated in each of its rows
 *   blob, meta     what should be in blobs/; what the run was made with
 *
 * Their columns, with types and meanings, are those of store_tables.c; `agon help columns` prints
 * them.
 *
 * Names and columns are those of task.h, and so are the units. A real number that is not a number
 * is NULL. Counters stay below 2^63. */
#ifndef AGON_STORE_H
#define AGON_STORE_H

#include "engine/config.h"
#include "engine/task.h"

#include <stdio.h>

#define AGON_RUN_FORMAT 2 /* run directories of this major number are read */

typedef struct agon_store agon_store;

/* A new run directory (parents are made), locked and ready to write. AGON_EINVALID when it already
 * holds a run, with a hint that names the command that resumes it. `version` is the text of
 * `agon --version`, `fingerprint` that of the rules; both are kept in meta. *out: owned by the
 * caller, agon_store_close. */
int agon_store_create(const char* dir, const agon_config* config, const char* version,
                      uint64_t fingerprint, agon_store** out, agon_error* error);

/* An existing run. Checked before anything is computed from it: that the database is whole
 * (AGON_EFORMAT), of this format's major number (AGON_EFORMAT), that config.ini hashes to what meta
 * says when [run] and [machine] are left out (AGON_EFORMAT), and that the snapshots, the probe sets
 * and, for a writer, the newest run.keep learners of each agent are there with their right sizes
 * (AGON_EMISSING, AGON_EFORMAT). *config: as stored. write: takes the lock (AGON_EIO with the first
 * writer's process id when there is one) and removes what a killed process left unfinished; readers
 * need no lock and see the commits of a writer at work, but must be able to write to the directory
 * (SQLite keeps its shared memory there). */
int agon_store_open(const char* dir, bool write, agon_store** out, agon_config* config,
                    agon_error* error);
void agon_store_close(agon_store* store); /* NULL is fine */

const char* agon_store_dir(const agon_store* store); /* as given; borrowed from the store */
/* meta values; NULL when absent. Borrowed until the next agon_store_set_meta of that key. */
const char* agon_store_meta(const agon_store* store, const char* key);
int agon_store_set_meta(agon_store* store, const char* key, const char* value, agon_error* error);

/* Group commit of results with their blobs and what their tasks say (key, generation, agent or row,
 * col, final, references): all or nothing. tasks, results: (count), results[i] of tasks[i]. Runs on
 * a pool thread; no other call on the store may run meanwhile except agon_store_blob_load,
 * agon_store_find and those that write text files.
 *
 *   AGON_ECONFLICT  a stored result of the same key differs: names the key, the column and both
 *                   values
 *   AGON_ENOSPACE   the disk is full: nothing is lost, make room and put the same again
 *   AGON_EMISSING   a result names a blob that neither it nor an earlier one brought
 *   AGON_EINVALID   a malformed result: the key of another task, a blob that does not hash to its
 *                   name, a counter out of range */
int agon_store_put(agon_store* store, const agon_task* tasks, const agon_result* results, int count,
                   agon_error* error);
/* One blob outside a result (a probe set); durable when it returns. */
int agon_store_put_blob(agon_store* store, const agon_bytes* blob, agon_error* error);

/* Reads a blob and checks its hash (AGON_EFORMAT when damaged, AGON_EMISSING when not there).
 * Thread-safe: reads the file and nothing else. *data malloc'd, owned by the caller. */
int agon_store_blob_load(const agon_store* store, const char* hash, uint8_t** data, size_t* size,
                         agon_error* error);

/* Calls visit for every stored result, ordered by kind, then insertion-independent key order
 * (generation, agent or row, col, final). Results have no blobs; a probe's probabilities are
 * borrowed for the call. task: key, kind, generation, agent, row, col, final, references,
 * temperature, opening and games are filled, the rest is zero (own_seats and row_seats, too: they
 * follow from the config). Sees one state of the run, whatever a writer does meanwhile. Stops at
 * visit's first non-zero, which it returns; 0 after the last. */
int agon_store_each(agon_store* store, agon_task_kind kind,
                    int (*visit)(void* user, const agon_result* result, const agon_task* task),
                    void* user, agon_error* error);
/* The same of generations first .. last alone. */
int agon_store_each_of(agon_store* store, agon_task_kind kind, int first, int last,
                       int (*visit)(void* user, const agon_result* result, const agon_task* task),
                       void* user, agon_error* error);
/* Calls visit with the generation of every stored result of a kind, in no order, and whether it is
 * of the closing evaluation. Reads no more of the rows. */
int agon_store_generations(agon_store* store, agon_task_kind kind,
                           void (*visit)(void* user, int generation, bool final), void* user,
                           agon_error* error);
/* The stored result of a key, without blobs; AGON_EMISSING, without a message: there is none. *out:
 * owned by the caller, agon_result_clear. May be called while another thread puts: it reads what
 * was committed, over a connection of its own. */
int agon_store_find(agon_store* store, agon_task_kind kind, const char* key, agon_result* out,
                    agon_error* error);

/* The columns of all tables, in order; false beyond the last. Static texts. */
typedef struct agon_store_column {
    const char *table, *name;
    const char* type; /* "TEXT", "INTEGER", "REAL" or "BLOB" */
    const char* meaning;
    bool csv; /* part of what agon_store_write_csv writes */
} agon_store_column;
bool agon_store_column_at(int index, agon_store_column* out);

/* The rows of train, match or probe as CSV with a header, in an order that does not depend on that
 * of insertion. NULL is an empty cell. file: borrowed; its errors are the caller's to look for. */
int agon_store_write_csv(agon_store* store, const char* table, FILE* file, agon_error* error);

/* Deletes learner blobs that no resume needs: older than the newest `keep` (>= 1) per agent, and
 * not named by a row as anything else. Their rows stay. The first call looks at all rows; later
 * ones at the agents whose rows came since, however many rows there are. */
int agon_store_prune_learners(agon_store* store, int keep, agon_error* error);

/* Takes back every result of generation *actual and later, the closing evaluation with them, and
 * their blobs: all or nothing. *actual is the newest generation, at most the one asked for, before
 * which every agent's learner is still there to go on from; else 0, and the run begins anew. */
int agon_store_rewind(agon_store* store, int generation, int* actual, agon_error* error);

/* Writes text to dir/name by a temporary file, fsync and rename; folders in name are made. */
int agon_store_write_file(const agon_store* store, const char* name, const char* text, size_t size,
                          agon_error* error);
/* Leaves the first `size` bytes of a file, or an empty one where there was none. */
int agon_store_cut_file(const agon_store* store, const char* name, uint64_t size,
                        agon_error* error);
/* Appends one line (newline added); a line torn by a crash is closed first. */
int agon_store_append_line(const agon_store* store, const char* name, const char* line,
                           agon_error* error);

#endif
