/* store_internal.h: what the store's files share: the handle, table rows, SQLite in small words.
 *
 *   store.c        directories, locks, create, open, close, meta
 *   store_check.c  what opening demands of a run: whole database, right config, all blobs there
 *   store_tables.c tables as data, with the meaning of each column
 *   store_rows.c   results to rows and back
 *   store_csv.c    tables for people: docs and CSV
 *   store_put.c    the group commit
 *   store_read.c   stored results: all in order, of some generations, one by its key
 *   store_files.c  blobs and text files of a run
 *   store_prune.c  what is thrown away
 *   store_rewind.c what is taken back */
#ifndef AGON_STORE_INTERNAL_H
#define AGON_STORE_INTERNAL_H

#include "engine/files.h"
#include "engine/store.h"

#include <sqlite3.h>

#if SQLITE_VERSION_NUMBER < 3037000
#error "SQLite 3.37 or newer is needed: STRICT tables keep the column types honest"
#endif

enum { AGON__KINDS = 3 }; /* train, match, probe: index = kind - 1 */

struct agon_store {
    char* dir; /* owned */
    bool write;
    int lock; /* descriptor of run.lock, or -1 */
    sqlite3* db;
    sqlite3_stmt* insert[AGON__KINDS];  /* one row; nothing happens when its key is there */
    sqlite3_stmt* compare[AGON__KINDS]; /* the first column that differs, as text, or NULL */
    sqlite3_stmt* count_seats;          /* match rows of a key */
    sqlite3_stmt* insert_blob;
    sqlite3_stmt* find_blob;
    agon_store* reader;              /* a writer's: agon_store_find's own connection, or NULL */
    sqlite3_stmt* find[AGON__KINDS]; /* the rows of a key */
    /* Pruning: what it was told last (0: nothing yet), and the agents of rows inserted since. */
    int kept;
    int* trained_agent; /* (trained) owned */
    size_t trained, trained_room;
    sqlite3_stmt* prune; /* of one agent */
    bool shared;         /* some blob came with a row and was there before: two may name it */
    struct agon__meta {
        char *key, *value; /* owned */
    } * meta;              /* (metas) owned */
    int metas;
};

/* One table row as it travels between structs and SQLite. Large: keep it on the heap. */
typedef struct agon__record {
    agon_task task;
    agon_result result; /* a probe's probability is owned by whoever filled it */
    char opponents[AGON_MAX_OPPONENTS * AGON_REF_SIZE]; /* references, separated by spaces */
    int seat;                                           /* match: which tally this row is */
    agon_tally tally;
} agon__record;

/* SQLite in small words. `what` says what was being done, for messages. */
int agon__db_fail(const agon_store* store, const char* what, agon_error* error);
int agon__db_run(const agon_store* store, const char* sql, const char* what, agon_error* error);
int agon__db_prepare(const agon_store* store, const char* sql, sqlite3_stmt** out,
                     agon_error* error);
/* Runs a bound statement that gives no rows, and resets it. */
int agon__db_step(const agon_store* store, sqlite3_stmt* statement, const char* what,
                  agon_error* error);
/* Column `i` as text, "" for NULL. Borrowed until the statement's next step. */
const char* agon__db_text(sqlite3_stmt* statement, int i);

/* Rows. */
int agon__rows_create(const agon_store* store, agon_error* error); /* CREATE TABLE, all of them */
int agon__rows_prepare(agon_store* store, agon_error* error);      /* insert and compare */
/* Makes what finds an agent's newest rows, if it is not there: runs had none at first. */
int agon__rows_index(const agon_store* store, agon_error* error);
int agon__rows_bind(sqlite3_stmt* statement, agon_task_kind kind, const agon__record* record);
/* Prepares a SELECT of all columns; `tail` says of which rows. Then one of its rows as a record,
 * whose opponents are split again; a probe's probability grows from that of the row before. */
int agon__rows_select(const agon_store* store, agon_task_kind kind, const char* tail,
                      sqlite3_stmt** out, agon_error* error);
int agon__rows_read(sqlite3_stmt* row, agon_task_kind kind, agon__record* record,
                    agon_error* error);
/* Joins the references of a train task into record->opponents, and takes them apart again. */
int agon__rows_join(agon__record* record, agon_error* error);

/* A second connection to the same run, that reads alone and has no lock. */
int agon__store_reader(const agon_store* store, agon_store** out, agon_error* error);

/* Files. */
bool agon__is_hash(const char* text); /* 64 lower-case hex digits: never a path */
void agon__blob_path(const agon_store* store, const char* hash, char out[AGON_PATH_SIZE]);
void agon__store_path(const agon_store* store, const char* name, char out[AGON_PATH_SIZE]);
/* Puts a blob in place unless its very bytes are there; *created: a file was made or replaced. */
int agon__blob_place(const agon_store* store, const agon_bytes* blob, bool* created,
                     agon_error* error);
/* After the file: its row in the table of blobs. */
int agon__blob_insert(agon_store* store, const agon_bytes* blob, agon_error* error);
int agon__blobs_sync(const agon_store* store, agon_error* error);
/* Removes what killed processes left: temporary files, learners whose pruning was cut short. */
int agon__store_sweep(agon_store* store, agon_error* error);

/* Blobs whose rows go in a transaction, and whose files go once it is committed. */
typedef struct agon__gone {
    char (*hash)[AGON_HASH_SIZE]; /* owned */
    size_t count, room;
} agon__gone;
/* Runs a bound statement that deletes blobs RETURNING hash, notes them, and resets it. */
int agon__blobs_take(const agon_store* store, sqlite3_stmt* statement, const char* what,
                     agon__gone* list, agon_error* error);
void agon__blobs_unlink(const agon_store* store, const agon__gone* list);

/* Checks of opening. */
int agon__check_whole(const agon_store* store, agon_error* error);
int agon__check_format(const agon_store* store, agon_error* error);
int agon__check_config(const agon_store* store, agon_config* config, agon_error* error);
int agon__check_blobs(const agon_store* store, int keep, agon_error* error);

#endif
