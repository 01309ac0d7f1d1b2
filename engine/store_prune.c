/* store_prune.c: what a run throws away: old learners, and what killed processes left. Rows go
 * first and files second, so a kill in between leaves files that no row needs. */
#include "engine/store_internal.h"

#include "agents/keymap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void unlink_blob(const agon_store* store, const char* hash) {
    char path[AGON_PATH_SIZE];
    if (!agon__is_hash(hash))
        return;
    agon__blob_path(store, hash, path);
    unlink(path);
}

/* Learners that rows name but the table of blobs does not were pruned. Those whose files are gone
 * already are fine. */
static int finish_pruning(const agon_store* store, agon_error* error) {
    sqlite3_stmt* row = NULL;
    int rc = SQLITE_DONE, status = agon__db_prepare(store,
                                                    "SELECT learner FROM train"
                                                    " WHERE learner NOT IN (SELECT hash FROM blob)",
                                                    &row, error);
    while (status == AGON_OK && (rc = sqlite3_step(row)) == SQLITE_ROW)
        unlink_blob(store, agon__db_text(row, 0));
    if (status == AGON_OK && rc != SQLITE_DONE)
        status = agon__db_fail(store, "removing pruned learners", error);
    sqlite3_finalize(row);
    return status;
}

int agon__store_sweep(agon_store* store, agon_error* error) {
    char blobs[AGON_PATH_SIZE];
    int removed;
    agon__store_path(store, "blobs", blobs);
    removed = agon_dir_clean(store->dir, error);
    if (removed >= 0)
        removed = agon_dir_clean(blobs, error);
    return removed < 0 ? removed : finish_pruning(store, error);
}

/* ---- which learners are old --------------------------------------------------------------- */

/* Are there ?1 newer rows of the agent of row t? Reads no more than that many. */
#define OUTLIVED                                                                                   \
    "(SELECT count(*) FROM (SELECT 1 FROM train newer WHERE newer.agent = t.agent"                 \
    " AND newer.generation >= t.generation"                                                        \
    " AND (newer.generation > t.generation OR newer.key > t.key) LIMIT ?1)) >= ?1"

/* Looks at every row, and holds in memory only what is to go. */
static const char* const PRUNE_ALL =
    "WITH old(hash) AS MATERIALIZED (SELECT learner FROM train t"
    "    WHERE learner IN (SELECT hash FROM blob) AND " OUTLIVED "),"
    " named(hash) AS (SELECT snapshot FROM train WHERE snapshot IN old"
    "    UNION SELECT probes FROM probe WHERE probes IN old"
    "    UNION SELECT learner FROM train t WHERE learner IN old AND NOT " OUTLIVED ")"
    " DELETE FROM blob WHERE hash IN old AND hash NOT IN named RETURNING hash";

/* The same for one agent, ?2 of whose rows are new since the last time, where each learner is named
 * by one row alone. */
#define NEWEST_FIRST "SELECT learner FROM train WHERE agent = ?3 ORDER BY generation DESC, key DESC"
static const char* const PRUNE_AGENT =
    "DELETE FROM blob WHERE hash IN (" NEWEST_FIRST " LIMIT ?2 OFFSET ?1)"
    " AND hash NOT IN (" NEWEST_FIRST " LIMIT ?1) RETURNING hash";

/* ---- pruning ------------------------------------------------------------------------------ */

int agon__blobs_take(const agon_store* store, sqlite3_stmt* statement, const char* what,
                     agon__gone* list, agon_error* error) {
    int rc, status = AGON_OK;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        /* Without memory to note them, files stay until the run is opened again. */
        if (agon_array_grow((void**)&list->hash, &list->room, list->count + 1,
                            sizeof *list->hash) == 0)
            snprintf(list->hash[list->count++], AGON_HASH_SIZE, "%s", agon__db_text(statement, 0));
    }
    if (rc != SQLITE_DONE)
        status = agon__db_fail(store, what, error);
    sqlite3_reset(statement);
    return status;
}

void agon__blobs_unlink(const agon_store* store, const agon__gone* list) {
    for (size_t i = 0; i < list->count; i++)
        unlink_blob(store, list->hash[i]);
}

static int prune_all(const agon_store* store, int keep, agon__gone* list, agon_error* error) {
    sqlite3_stmt* prune = NULL;
    int status = agon__db_prepare(store, PRUNE_ALL, &prune, error);
    if (status == AGON_OK) {
        sqlite3_bind_int(prune, 1, keep);
        status = agon__blobs_take(store, prune, "pruning learners", list, error);
    }
    sqlite3_finalize(prune);
    return status;
}

static int prune_trained(agon_store* store, int keep, agon__gone* list, agon_error* error) {
    int status = AGON_OK;
    if (!store->prune)
        status = agon__db_prepare(store, PRUNE_AGENT, &store->prune, error);
    for (size_t i = 0; status == AGON_OK && i < store->trained; i++) {
        sqlite3_bind_int(store->prune, 1, keep);
        sqlite3_bind_int64(store->prune, 2, (sqlite3_int64)store->trained);
        sqlite3_bind_int(store->prune, 3, store->trained_agent[i]);
        status = agon__blobs_take(store, store->prune, "pruning learners", list, error);
    }
    return status;
}

int agon_store_prune_learners(agon_store* store, int keep, agon_error* error) {
    agon__gone list = {0};
    assert(store->write && keep >= 1);
    if (store->kept == keep && store->trained == 0)
        return AGON_OK;
    int status = agon__db_run(store, "BEGIN IMMEDIATE", "pruning learners", error);
    if (status == AGON_OK)
        status = store->kept != keep || store->shared ? prune_all(store, keep, &list, error)
                                                      : prune_trained(store, keep, &list, error);
    if (status == AGON_OK)
        status = agon__db_run(store, "COMMIT", "pruning learners", error);
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    if (status == AGON_OK)
        agon__blobs_unlink(store, &list);
    free(list.hash);
    if (status == AGON_OK) {
        store->kept = keep;
        store->trained = 0;
    }
    return status;
}
