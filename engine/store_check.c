/* store_check.c: what opening demands of a run, said before anything is computed from it. */
#include "engine/store_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PAGE = 4096 }; /* bytes; SQLite's default, and what the making of a run asks for */

/* SQLite reads a last page that was cut short as if zeros followed. Only a log that is yet to be
 * copied into the database explains such a size. */
static int check_size(const agon_store* store, agon_error* error) {
    char path[AGON_PATH_SIZE];
    struct stat database, log;
    agon__store_path(store, "run.db-wal", path);
    if (stat(path, &log) == 0 && log.st_size > 0)
        return AGON_OK;
    agon__store_path(store, "run.db", path);
    if (stat(path, &database) != 0)
        return agon_file_fail(error, errno, "cannot open", path);
    if (database.st_size % PAGE == 0)
        return AGON_OK;
    agon_fail(error, AGON_EFORMAT, "%s was cut short: it has %lld bytes, no whole number of pages",
              path, (long long)database.st_size);
    return agon_hint(error, "restore it from a copy, or start a new run");
}

int agon__check_whole(const agon_store* store, agon_error* error) {
    sqlite3_stmt* row = NULL;
    int status = check_size(store, error);
    if (status == AGON_OK)
        status = agon__db_prepare(store, "PRAGMA quick_check(1)", &row, error);
    if (status != AGON_OK)
        return status;
    if (sqlite3_step(row) != SQLITE_ROW) {
        status = agon__db_fail(store, "checking that it is whole", error);
    } else if (strcmp(agon__db_text(row, 0), "ok") != 0) {
        agon_fail(error, AGON_EFORMAT, "%s/run.db is damaged: %.300s", store->dir,
                  agon__db_text(row, 0));
        status = agon_hint(error, "restore it from a copy, or start a new run");
    }
    sqlite3_finalize(row);
    return status;
}

int agon__check_format(const agon_store* store, agon_error* error) {
    const char* format = agon_store_meta(store, "format");
    char* end = NULL;
    long major = format ? strtol(format, &end, 10) : 0;
    if (!format || end == format || (*end && *end != '.')) {
        agon_fail(error, AGON_EFORMAT, "%s/run.db says format \"%.40s\", expected a number",
                  store->dir, format ? format : "");
        return agon_hint(error, "it is no run of agon's, or its making was cut short");
    }
    if (major == AGON_RUN_FORMAT)
        return AGON_OK;
    agon_fail(error, AGON_EFORMAT, "%s has run format %.40s, this agon reads format %d", store->dir,
              format, AGON_RUN_FORMAT);
    return agon_hint(error, "use the agon that made it: %.100s",
                     agon_store_meta(store, "version") ? agon_store_meta(store, "version") : "?");
}

/* The text of config.ini over the defaults. */
static int read_config(const agon_store* store, agon_config* config, agon_error* error) {
    char path[AGON_PATH_SIZE];
    uint8_t* text = NULL;
    size_t size;
    int status;
    agon__store_path(store, "config.ini", path);
    status = agon_file_read(path, 1 << 20, &text, &size, error);
    if (status != AGON_OK)
        return status;
    agon_config_defaults(config);
    if (strlen((const char*)text) != size)
        status = agon_fail(error, AGON_EFORMAT, "%s is not a text: it holds a zero byte", path);
    else
        status = agon_config_read_text(config, (const char*)text, path, error);
    free(text);
    return status;
}

int agon__check_config(const agon_store* store, agon_config* config, agon_error* error) {
    const char* stored = agon_store_meta(store, "config_hash");
    char hash[65];
    int status = read_config(store, config, error);
    if (status != AGON_OK)
        return status;
    agon_config_hash(config, hash);
    if (stored && strcmp(stored, hash) == 0)
        return AGON_OK;
    agon_fail(error, AGON_EFORMAT,
              "%s/config.ini is not the one its results were made with: it hashes to %.12s..., "
              "expected %.12s...",
              store->dir, hash, stored ? stored : "(none)");
    return agon_hint(error, "undo the change, or start a new run with it in another run.dir (only "
                            "[run] and [machine] may change)");
}

/* Blobs that must be there: every snapshot and probe set ... */
static const char* const NEEDED =
    "SELECT snapshot, key, 'snapshot', ifnull(size, -1) FROM train"
    " LEFT JOIN blob ON blob.hash = snapshot"
    " UNION ALL SELECT probes, min(key), 'probe set', ifnull(size, -1) FROM probe"
    " LEFT JOIN blob ON blob.hash = probes GROUP BY probes";

/* ... and, for a writer, the newest learners. One that pruning took with a smaller `keep` than now
 * is missed by nobody, but for the newest. */
#define NEWEST                                                                                     \
    "(SELECT rowid FROM train WHERE agent = each.agent ORDER BY generation DESC, key DESC LIMIT "
static const char* const NEEDED_TO_WRITE = "SELECT learner, key, 'learner', ifnull(size, -1)"
                                           " FROM (SELECT DISTINCT agent FROM train) each"
                                           " JOIN train ON train.rowid IN " NEWEST "?1)"
                                           " LEFT JOIN blob ON blob.hash = learner"
                                           " WHERE size IS NOT NULL OR train.rowid = " NEWEST "1)";

static int check_blob(const agon_store* store, sqlite3_stmt* row, agon_error* error) {
    const char *hash = agon__db_text(row, 0), *key = agon__db_text(row, 1);
    const char* what = agon__db_text(row, 2);
    long long size = sqlite3_column_int64(row, 3);
    char path[AGON_PATH_SIZE];
    struct stat facts;
    if (!agon__is_hash(hash) || size < 0)
        return agon_fail(error, AGON_EFORMAT,
                         "%s/run.db, row %.95s: its %s \"%.64s\" is not in the table of blobs",
                         store->dir, key, what, hash);
    agon__blob_path(store, hash, path);
    if (stat(path, &facts) != 0 && errno == ENOENT)
        agon_fail(error, AGON_EMISSING, "%s is missing: row %.95s names it as its %s", path, key,
                  what);
    else if (facts.st_size != size)
        agon_fail(error, AGON_EFORMAT,
                  "%s has %lld bytes, expected %lld: row %.95s names it as its %s", path,
                  (long long)facts.st_size, size, key, what);
    else
        return AGON_OK;
    return agon_hint(error, "copy the file back from where the run came from, or start a new run");
}

static int check_listed(const agon_store* store, const char* sql, int keep, agon_error* error) {
    sqlite3_stmt* row = NULL;
    int rc, status = agon__db_prepare(store, sql, &row, error);
    if (status == AGON_OK && sqlite3_bind_parameter_count(row) > 0)
        sqlite3_bind_int(row, 1, keep);
    while (status == AGON_OK && (rc = sqlite3_step(row)) != SQLITE_DONE)
        status = rc == SQLITE_ROW ? check_blob(store, row, error)
                                  : agon__db_fail(store, "listing blobs", error);
    sqlite3_finalize(row);
    return status;
}

int agon__check_blobs(const agon_store* store, int keep, agon_error* error) {
    const int status = check_listed(store, NEEDED, 0, error);
    if (status != AGON_OK || !store->write)
        return status;
    return check_listed(store, NEEDED_TO_WRITE, keep > 1 ? keep : 1, error);
}
