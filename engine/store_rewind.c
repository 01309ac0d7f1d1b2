/* store_rewind.c: taking back results that rest on a wrong one. A result of generation g is built
 * on results of g - 1 and earlier, or of g itself (matches and probes on its snapshots; the closing
 * evaluation is of the last generation), so what has to go is all from a generation on. */
#include "engine/store_internal.h"

#include <assert.h>
#include <stdlib.h>

/* The newest generation below ?1 that has all agents, with all their learners, and the one after
 * it; NULL: there is none. */
static const char* const LAST_WHOLE =
    "SELECT max(generation) + 1 FROM (SELECT generation FROM train"
    "  LEFT JOIN blob ON blob.hash = learner WHERE generation < ?1 GROUP BY generation"
    "  HAVING count(*) = count(hash)"
    "  AND count(*) = (SELECT count(*) FROM train WHERE generation = 0))";

static int find_start(const agon_store* store, int generation, int* actual, agon_error* error) {
    sqlite3_stmt* find = NULL;
    int status = agon__db_prepare(store, LAST_WHOLE, &find, error);
    if (status != AGON_OK)
        return status;
    sqlite3_bind_int(find, 1, generation);
    if (sqlite3_step(find) == SQLITE_ROW)
        *actual = sqlite3_column_int(find, 0); /* NULL: 0 */
    else
        status = agon__db_fail(store, "looking for learners to go on from", error);
    sqlite3_finalize(find);
    return status;
}

/* Blobs that only results from ?1 on have brought. The probe set is of the run. */
static const char* const TAKE_BLOBS =
    "DELETE FROM blob WHERE hash IN (SELECT snapshot FROM train WHERE generation >= ?1"
    "    UNION SELECT learner FROM train WHERE generation >= ?1)"
    " AND hash NOT IN (SELECT snapshot FROM train WHERE generation < ?1"
    "    UNION SELECT learner FROM train WHERE generation < ?1"
    "    UNION SELECT probes FROM probe"
    "    UNION SELECT value FROM meta WHERE key = 'probes') RETURNING hash";

static const char* const TAKE_ROWS[AGON__KINDS] = {
    "DELETE FROM train WHERE generation >= ?1",
    "DELETE FROM match WHERE generation >= ?1",
    "DELETE FROM probe WHERE generation >= ?1",
};

static int take_blobs(const agon_store* store, int generation, agon__gone* list,
                      agon_error* error) {
    sqlite3_stmt* take = NULL;
    int status = agon__db_prepare(store, TAKE_BLOBS, &take, error);
    if (status == AGON_OK) {
        sqlite3_bind_int(take, 1, generation);
        status = agon__blobs_take(store, take, "taking blobs back", list, error);
    }
    sqlite3_finalize(take);
    return status;
}

static int take_rows(const agon_store* store, int generation, agon_error* error) {
    int status = AGON_OK;
    for (int i = 0; status == AGON_OK && i < AGON__KINDS; i++) {
        sqlite3_stmt* take = NULL;
        status = agon__db_prepare(store, TAKE_ROWS[i], &take, error);
        if (status == AGON_OK) {
            sqlite3_bind_int(take, 1, generation);
            status = agon__db_step(store, take, "taking results back", error);
        }
        sqlite3_finalize(take);
    }
    return status;
}

int agon_store_rewind(agon_store* store, int generation, int* actual, agon_error* error) {
    agon__gone list = {0};
    int start = 0;
    assert(store->write);
    int status = agon__db_run(store, "BEGIN IMMEDIATE", "taking results back", error);
    if (status == AGON_OK)
        status = find_start(store, generation, &start, error);
    if (status == AGON_OK)
        status = take_blobs(store, start, &list, error);
    if (status == AGON_OK)
        status = take_rows(store, start, error);
    if (status == AGON_OK)
        status = agon__db_run(store, "COMMIT", "taking results back", error);
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    if (status == AGON_OK) {
        agon__blobs_unlink(store, &list);
        store->kept = 0; /* pruning looks at all rows again */
        store->trained = 0;
        *actual = start;
    }
    free(list.hash);
    return status;
}
