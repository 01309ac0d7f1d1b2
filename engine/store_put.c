/* store_put.c: the group commit. Order is everything: blob files, then their directory, then one
 * transaction. A crash at any moment leaves at worst files that no row names. */
#include "engine/store_internal.h"

#include "agents/keymap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- checks before anything is written ---------------------------------------------------- */

static bool fits(uint64_t count) {
    return count <= INT64_MAX;
}

static bool tally_fits(const agon_tally* t) {
    return fits(t->games) && fits(t->wins) && fits(t->draws) && fits(t->losses);
}

/* The first field SQLite's 64-bit integers could not hold or that no game has; NULL: none. */
static const char* bad_field(const agon_result* result) {
    const agon_train_result* train = &result->as.train;
    const agon_match_result* match = &result->as.match;
    const agon_probe_result* probe = &result->as.probe;
    switch (result->kind) {
    case AGON_TRAIN:
        return fits(train->steps) && fits(train->extra_steps) && fits(train->other_steps) &&
                       fits(train->total_steps) && fits(train->updates) && fits(train->episodes)
                   ? NULL
                   : "a counter";
    case AGON_MATCH:
        if (match->seats < 1 || match->seats > AGON_MAX_SEATS)
            return "the number of seats";
        for (int i = 0; i < match->seats; i++) {
            if (!tally_fits(&match->tally[i]))
                return "a tally";
        }
        if (match->features < 0 || match->features > AGON_MAX_NUMBERS || match->stats < 0 ||
            match->stats > AGON_MAX_NUMBERS)
            return "the number of features or stats";
        return fits(match->pairs) && fits(match->row_steps) && fits(match->col_steps) &&
                       fits(match->plies)
                   ? NULL
                   : "a counter";
    case AGON_PROBE:
        return probe->states >= 0 && probe->actions >= 0 && probe->actions <= AGON_MAX_ACTIONS &&
                       probe->states <= 1 << 24 &&
                       (probe->probability || !probe->states || !probe->actions)
                   ? NULL
                   : "the shape of probabilities";
    }
    return "the kind";
}

static int check_pair(const agon_task* task, const agon_result* result, agon_error* error) {
    const char* bad = bad_field(result);
    if (task->kind != result->kind || strncmp(task->key, result->key, AGON_KEY_SIZE) != 0)
        return agon_fail(error, AGON_EINVALID, "task %.95s got the result of %.95s", task->key,
                         result->key);
    if (strnlen(task->key, AGON_KEY_SIZE) == AGON_KEY_SIZE || !task->key[0])
        return agon_fail(error, AGON_EINVALID, "a task's key is empty or longer than %d bytes",
                         AGON_KEY_SIZE - 1);
    if (bad || result->blobs < 0 || result->blobs > 2)
        return agon_fail(error, AGON_EINVALID, "result of %s: %s is out of range", task->key,
                         bad ? bad : "the number of blobs");
    return AGON_OK;
}

/* ---- rows --------------------------------------------------------------------------------- */

/* A row may only name blobs that are on the disk by now. */
static int require_blob(agon_store* store, const char* key, const char* hash, agon_error* error) {
    int rc;
    sqlite3_bind_text(store->find_blob, 1, hash, -1, SQLITE_STATIC);
    rc = sqlite3_step(store->find_blob);
    sqlite3_reset(store->find_blob);
    sqlite3_clear_bindings(store->find_blob);
    if (rc == SQLITE_ROW)
        return AGON_OK;
    if (rc != SQLITE_DONE)
        return agon__db_fail(store, "looking for a blob", error);
    return agon_fail(error, AGON_EMISSING,
                     "result of %s names blob \"%.64s\", which it did not bring", key, hash);
}

static int require_blobs(agon_store* store, const agon__record* record, agon_error* error) {
    const char* key = record->task.key;
    int status;
    switch (record->task.kind) {
    case AGON_TRAIN:
        status = require_blob(store, key, record->result.as.train.learner, error);
        return status == AGON_OK ? require_blob(store, key, record->result.as.train.snapshot, error)
                                 : status;
    case AGON_PROBE:
        return require_blob(store, key, record->task.as.probe.probes, error);
    default:
        return AGON_OK;
    }
}

/* The key is there already: equal is fine, anything else is a conflict. */
static int compare_row(agon_store* store, const agon__record* record, agon_error* error) {
    sqlite3_stmt* compare = store->compare[record->task.kind - 1];
    int status = AGON_OK;
    if (agon__rows_bind(compare, record->task.kind, record) != SQLITE_OK ||
        sqlite3_step(compare) != SQLITE_ROW)
        status = agon__db_fail(store, "comparing with the stored result", error);
    else if (sqlite3_column_type(compare, 0) != SQLITE_NULL)
        status = agon_fail(error, AGON_ECONFLICT,
                           "task %s: a second result differs from the stored one in %.300s",
                           record->task.key, agon__db_text(compare, 0));
    sqlite3_reset(compare);
    sqlite3_clear_bindings(compare);
    return status;
}

/* One row in. *inserted counts those that were new. */
static int put_row(agon_store* store, const agon__record* record, int* inserted,
                   agon_error* error) {
    sqlite3_stmt* insert = store->insert[record->task.kind - 1];
    int status;
    if (agon__rows_bind(insert, record->task.kind, record) != SQLITE_OK)
        return agon__db_fail(store, "storing a result", error);
    status = agon__db_step(store, insert, "storing a result", error);
    if (status != AGON_OK)
        return status;
    if (sqlite3_changes(store->db) == 0)
        return compare_row(store, record, error);
    ++*inserted;
    return require_blobs(store, record, error);
}

/* A train row is new: pruning will look at its agent. `brought`: blobs that were not there before
 * this result. */
static int note_trained(agon_store* store, const agon__record* record, int brought,
                        agon_error* error) {
    if (agon_array_grow((void**)&store->trained_agent, &store->trained_room, store->trained + 1,
                        sizeof *store->trained_agent) != 0)
        return agon_fail(error, AGON_EMEMORY, "no memory to store %s", record->task.key);
    store->trained_agent[store->trained++] = record->task.as.train.agent;
    store->shared |= brought < 2;
    return AGON_OK;
}

/* A probe row names a blob that other results may name, too, unless it is the set of the run. */
static void note_probed(agon_store* store, const agon__record* record) {
    const char* known = agon_store_meta(store, "probes");
    store->shared |= !known || strcmp(known, record->task.as.probe.probes) != 0;
}

static int stored_seats(agon_store* store, const char* key, int* seats, agon_error* error) {
    int status = AGON_OK;
    sqlite3_bind_text(store->count_seats, 1, key, -1, SQLITE_STATIC);
    if (sqlite3_step(store->count_seats) == SQLITE_ROW)
        *seats = sqlite3_column_int(store->count_seats, 0);
    else
        status = agon__db_fail(store, "counting seats", error);
    sqlite3_reset(store->count_seats);
    sqlite3_clear_bindings(store->count_seats);
    return status;
}

/* All seats of a match. As many seats as are stored, or it is another result. */
static int put_match(agon_store* store, agon__record* record, agon_error* error) {
    const agon_match_result* match = &record->result.as.match;
    int inserted = 0, stored = 0, status = AGON_OK;
    for (int i = 0; status == AGON_OK && i < match->seats; i++) {
        record->seat = i;
        record->tally = match->tally[i];
        status = put_row(store, record, &inserted, error);
    }
    if (status == AGON_OK)
        status = stored_seats(store, record->task.key, &stored, error);
    if (status == AGON_OK && (stored != match->seats || (inserted && inserted != match->seats)))
        status = agon_fail(error, AGON_ECONFLICT,
                           "task %s: a second result differs from the stored one in seats (new %d)",
                           record->task.key, match->seats);
    return status;
}

static int put_result(agon_store* store, agon__record* record, agon_error* error) {
    int inserted = 0, brought = 0, status = AGON_OK;
    for (int i = 0; status == AGON_OK && i < record->result.blobs; i++) {
        status = agon__blob_insert(store, &record->result.blob[i], error);
        brought += status == AGON_OK ? sqlite3_changes(store->db) : 0;
    }
    if (status == AGON_OK && record->task.kind == AGON_TRAIN)
        status = agon__rows_join(record, error);
    if (status != AGON_OK)
        return status;
    if (record->task.kind == AGON_MATCH)
        return put_match(store, record, error);
    status = put_row(store, record, &inserted, error);
    if (status == AGON_OK && inserted && record->task.kind == AGON_PROBE)
        note_probed(store, record);
    if (status == AGON_OK && inserted && record->task.kind == AGON_TRAIN)
        status = note_trained(store, record, brought, error);
    return status;
}

/* ---- the group ---------------------------------------------------------------------------- */

/* The files of a group, and which of them this group made. */
static int place_blobs(const agon_store* store, const agon_result* results, int count,
                       bool* created, agon_error* error) {
    int status = AGON_OK, blobs = 0;
    for (int i = 0; status == AGON_OK && i < count; i++) {
        for (int k = 0; status == AGON_OK && k < results[i].blobs; k++, blobs++)
            status = agon__blob_place(store, &results[i].blob[k], &created[2 * i + k], error);
    }
    /* Also when nothing was made: an earlier group may have failed between rename and here. */
    return status == AGON_OK && blobs ? agon__blobs_sync(store, error) : status;
}

/* Nothing of a refused group stays, but for a file it mended for an earlier one. */
static void remove_blobs(agon_store* store, const agon_result* results, int count,
                         const bool* created) {
    char path[AGON_PATH_SIZE];
    for (int i = 0; i < 2 * count; i++) {
        const char* hash = created[i] ? results[i / 2].blob[i % 2].hash : "";
        if (!created[i] || require_blob(store, "", hash, NULL) == AGON_OK)
            continue;
        agon__blob_path(store, hash, path);
        unlink(path);
    }
}

static int insert_all(agon_store* store, const agon_task* tasks, const agon_result* results,
                      int count, agon_error* error) {
    agon__record* record = calloc(1, sizeof *record);
    int status = AGON_OK;
    if (!record)
        return agon_fail(error, AGON_EMEMORY, "no memory to store %d results", count);
    for (int i = 0; status == AGON_OK && i < count; i++) {
        record->task = tasks[i];
        record->result = results[i];
        status = put_result(store, record, error);
    }
    free(record);
    return status;
}

/* Returns with no transaction open. *committing: COMMIT was tried. */
static int commit_rows(agon_store* store, const agon_task* tasks, const agon_result* results,
                       int count, bool* committing, agon_error* error) {
    int status = agon__db_run(store, "BEGIN IMMEDIATE", "beginning a commit", error);
    if (status != AGON_OK)
        return status;
    status = insert_all(store, tasks, results, count, error);
    if (status == AGON_OK) {
        *committing = true;
        status = agon__db_run(store, "COMMIT", "committing results", error);
    }
    /* SQLite may have rolled back on its own. */
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

int agon_store_put(agon_store* store, const agon_task* tasks, const agon_result* results, int count,
                   agon_error* error) {
    bool* created = calloc(2 * (size_t)count + 1, sizeof *created);
    bool committing = false;
    int status = AGON_OK;
    assert(store->write && count >= 0);
    if (!created)
        return agon_fail(error, AGON_EMEMORY, "no memory to store %d results", count);
    for (int i = 0; status == AGON_OK && i < count; i++)
        status = check_pair(&tasks[i], &results[i], error);
    if (status == AGON_OK)
        status = place_blobs(store, results, count, created, error);
    if (status == AGON_OK)
        status = commit_rows(store, tasks, results, count, &committing, error);
    /* A COMMIT that failed half-way may yet turn out whole after a power cut: its blobs stay. */
    if (status != AGON_OK && !committing)
        remove_blobs(store, results, count, created);
    free(created);
    return status;
}

int agon_store_put_blob(agon_store* store, const agon_bytes* blob, agon_error* error) {
    bool created = false;
    int status = agon__blob_place(store, blob, &created, error);
    assert(store->write);
    if (status == AGON_OK)
        status = agon__blobs_sync(store, error);
    if (status == AGON_OK)
        status = agon__blob_insert(store, blob, error);
    store->shared |= status == AGON_OK && sqlite3_changes(store->db) == 0;
    return status;
}
