/* store_sql.c: SQLite in small words, and what its troubles mean here. */
#include "engine/store_internal.h"

#include <errno.h>
#include <unistd.h>

/* SQLite says "I/O error" for a full disk when it was the shared-memory file that could not grow.
 */
static bool disk_is_full(const agon_store* store, int code) {
    int number = sqlite3_system_errno(store->db);
    if (code == SQLITE_FULL)
        return true;
    return (code == SQLITE_IOERR || code == SQLITE_CANTOPEN) &&
           (number == ENOSPC || number == EDQUOT || agon_free_space(store->dir) < 65536);
}

static int code_of(int code) {
    switch (code) {
    case SQLITE_NOMEM:
        return AGON_EMEMORY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        return AGON_EIO;
    default: /* corrupt, not a database, and tables that are not the ones we made */
        return AGON_EFORMAT;
    }
}

int agon__db_fail(const agon_store* store, const char* what, agon_error* error) {
    int code = sqlite3_errcode(store->db) & 0xff;
    if (disk_is_full(store, code)) {
        agon_fail(error, AGON_ENOSPACE, "%s/run.db, %s: the disk is full: %.1f MiB are free",
                  store->dir, what, (double)agon_free_space(store->dir) / 1048576.0);
        return agon_hint(error, "make room and run the same command again: nothing was lost");
    }
    agon_fail(error, code_of(code), "%s/run.db, %s: %s", store->dir, what,
              sqlite3_errmsg(store->db));
    if (code_of(code) == AGON_EIO && access(store->dir, W_OK) != 0)
        return agon_hint(error,
                         "SQLite keeps shared memory beside the database, also to read it: "
                         "make %s writable, or copy the run",
                         store->dir);
    if (code_of(code) == AGON_EFORMAT)
        return agon_hint(error, "the database is damaged or not one of agon's: restore it from a "
                                "copy, or start a new run");
    return code_of(code);
}

int agon__db_run(const agon_store* store, const char* sql, const char* what, agon_error* error) {
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return agon__db_fail(store, what, error);
    return AGON_OK;
}

int agon__db_prepare(const agon_store* store, const char* sql, sqlite3_stmt** out,
                     agon_error* error) {
    if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) != SQLITE_OK)
        return agon__db_fail(store, "looking for the tables", error);
    return AGON_OK;
}

int agon__db_step(const agon_store* store, sqlite3_stmt* statement, const char* what,
                  agon_error* error) {
    int status = AGON_OK;
    if (sqlite3_step(statement) != SQLITE_DONE)
        status = agon__db_fail(store, what, error);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status;
}

const char* agon__db_text(sqlite3_stmt* statement, int i) {
    const char* text = (const char*)sqlite3_column_text(statement, i);
    return text ? text : "";
}
