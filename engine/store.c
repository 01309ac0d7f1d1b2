/* store.c: a run directory as a whole: its lock, making, opening and closing, and meta values. */
#include "engine/store_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- the lock ----------------------------------------------------------------------------- */

static int refuse_second_writer(int file, const char* dir, agon_error* error) {
    char pid[32] = "";
    ssize_t got = pread(file, pid, sizeof pid - 1, 0);
    if (got > 0)
        pid[strcspn(pid, "\n")] = '\0';
    agon_fail(error, AGON_EIO, "run %s is in use: process %s is writing to it", dir,
              pid[0] ? pid : "(unknown)");
    return agon_hint(error, "wait for it or interrupt it; reading commands need no lock");
}

/* flock, because it goes with the process however that ends; the number inside is for messages. */
static int take_lock(agon_store* store, agon_error* error) {
    char path[AGON_PATH_SIZE], pid[32];
    int file, length = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    agon__store_path(store, "run.lock", path);
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        return agon_file_fail(error, errno, "cannot lock the run with", path);
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        int status = errno == EWOULDBLOCK
                         ? refuse_second_writer(file, store->dir, error)
                         : agon_file_fail(error, errno, "cannot lock the run with", path);
        close(file);
        return status;
    }
    /* A full disk may leave the number out: the lock holds all the same. */
    if (ftruncate(file, 0) == 0 && pwrite(file, pid, (size_t)length, 0) != length)
        errno = 0;
    store->lock = file;
    return AGON_OK;
}

/* ---- the database ------------------------------------------------------------------------- */

static const char* const PRAGMAS =
    /* Commits wait for the disk: a result that put accepted survives a power cut. */
    "PRAGMA synchronous=FULL;"
    /* Sorting must not need room on a full disk. */
    "PRAGMA temp_store=MEMORY;"
    /* Damaged pages are found when read, and a truncated file is an error, not a signal. */
    "PRAGMA cell_size_check=ON;"
    "PRAGMA mmap_size=0;";

/* A run may come from elsewhere: nothing in its schema may run code or reach outside. */
static void distrust_schema(sqlite3* db) {
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
}

static int open_database(agon_store* store, int flags, agon_error* error) {
    char path[AGON_PATH_SIZE];
    agon__store_path(store, "run.db", path);
    /* Jobs run on changing pool threads, one at a time: SQLite's own mutex is the memory barrier.
     * Readers open for writing too (see PRAGMA query_only): they may have to recover the log of a
     * killed run, and take the log away when they are the last to close. */
    if (sqlite3_open_v2(path, &store->db, flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX,
                        NULL) != SQLITE_OK)
        return agon__db_fail(store, "opening", error);
    distrust_schema(store->db);
    /* Readers of other processes hold locks for moments only. */
    sqlite3_busy_timeout(store->db, 10000);
    return agon__db_run(store, PRAGMAS, "opening", error);
}

/* WAL: other processes read a consistent state while the run writes, and a commit is one write. */
static int use_wal(const agon_store* store, agon_error* error) {
    sqlite3_stmt* row = NULL;
    /* The page size says itself, because opening checks the file's size by it. */
    int status = agon__db_run(store, "PRAGMA page_size=4096", "choosing the page size", error);
    if (status == AGON_OK)
        status = agon__db_prepare(store, "PRAGMA journal_mode=WAL", &row, error);
    if (status != AGON_OK)
        return status;
    if (sqlite3_step(row) != SQLITE_ROW) {
        status = agon__db_fail(store, "choosing the journal", error);
    } else if (strcmp(agon__db_text(row, 0), "wal") != 0) {
        agon_fail(error, AGON_EIO,
                  "the file system of %s gave SQLite journal mode \"%s\", expected \"wal\"",
                  store->dir, agon__db_text(row, 0));
        status = agon_hint(error, "put the run on a local disk: run.dir=/some/where/else");
    }
    sqlite3_finalize(row);
    return status;
}

static int prepare(agon_store* store, agon_error* error) {
    int status = agon__rows_prepare(store, error);
    if (status == AGON_OK)
        status = agon__db_prepare(store, "SELECT count(*) FROM match WHERE key = ?1",
                                  &store->count_seats, error);
    if (status == AGON_OK)
        status = agon__db_prepare(store,
                                  "INSERT INTO blob(hash, size) VALUES(?1, ?2) "
                                  "ON CONFLICT DO NOTHING",
                                  &store->insert_blob, error);
    if (status == AGON_OK)
        status =
            agon__db_prepare(store, "SELECT 1 FROM blob WHERE hash = ?1", &store->find_blob, error);
    return status;
}

/* ---- meta --------------------------------------------------------------------------------- */

/* Sets the copy in memory; false: out of memory. */
static bool remember(agon_store* store, const char* key, const char* value) {
    struct agon__meta* grown;
    char* copy = strdup(value);
    int i = 0;
    while (i < store->metas && strcmp(store->meta[i].key, key) != 0)
        i++;
    grown = realloc(store->meta, (size_t)(store->metas + 1) * sizeof *grown);
    if (grown)
        store->meta = grown;
    if (copy && grown && i == store->metas) {
        store->meta[i] = (struct agon__meta){strdup(key), NULL};
        store->metas += store->meta[i].key != NULL;
    }
    if (!copy || i >= store->metas) {
        free(copy);
        return false;
    }
    free(store->meta[i].value);
    store->meta[i].value = copy;
    return true;
}

static int load_meta(agon_store* store, agon_error* error) {
    sqlite3_stmt* row = NULL;
    int rc,
        status = agon__db_prepare(store, "SELECT key, value FROM meta ORDER BY key", &row, error);
    while (status == AGON_OK && (rc = sqlite3_step(row)) != SQLITE_DONE) {
        if (rc != SQLITE_ROW)
            status = agon__db_fail(store, "reading meta", error);
        else if (!remember(store, agon__db_text(row, 0), agon__db_text(row, 1)))
            status =
                agon_fail(error, AGON_EMEMORY, "no memory for the meta values of %s", store->dir);
    }
    sqlite3_finalize(row);
    return status;
}

const char* agon_store_meta(const agon_store* store, const char* key) {
    for (int i = 0; i < store->metas; i++) {
        if (strcmp(store->meta[i].key, key) == 0)
            return store->meta[i].value;
    }
    return NULL;
}

int agon_store_set_meta(agon_store* store, const char* key, const char* value, agon_error* error) {
    sqlite3_stmt* put = NULL;
    int status = agon__db_prepare(store, "INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)",
                                  &put, error);
    assert(store->write);
    if (status == AGON_OK) {
        sqlite3_bind_text(put, 1, key, -1, SQLITE_STATIC);
        sqlite3_bind_text(put, 2, value, -1, SQLITE_STATIC);
        status = agon__db_step(store, put, "storing a meta value", error);
    }
    sqlite3_finalize(put);
    if (status == AGON_OK && !remember(store, key, value))
        status = agon_fail(error, AGON_EMEMORY, "no memory for meta value %s", key);
    return status;
}

/* ---- making ------------------------------------------------------------------------------- */

static agon_store* new_handle(const char* dir, bool write, agon_error* error) {
    /* Room for "/blobs/", a hash and the name of a temporary file. */
    agon_store* store = strlen(dir) + 200 < AGON_PATH_SIZE ? calloc(1, sizeof *store) : NULL;
    if (store)
        store->dir = strdup(dir);
    if (store && store->dir) {
        store->write = write;
        store->lock = -1;
        return store;
    }
    free(store);
    if (strlen(dir) + 200 >= AGON_PATH_SIZE)
        agon_fail(error, AGON_ELIMIT,
                  "run directory %.60s... has %zu bytes, at most %d are allowed", dir, strlen(dir),
                  AGON_PATH_SIZE - 200);
    else
        agon_fail(error, AGON_EMEMORY, "no memory to open run %s", dir);
    return NULL;
}

/* A database without tables is one whose making was cut short: it may be made again. */
static int refuse_existing(const agon_store* store, agon_error* error) {
    sqlite3_stmt* row = NULL;
    int tables = 0;
    int status = agon__db_prepare(store, "SELECT count(*) FROM sqlite_schema", &row, error);
    if (status == AGON_OK && sqlite3_step(row) == SQLITE_ROW)
        tables = sqlite3_column_int(row, 0);
    else if (status == AGON_OK)
        status = agon__db_fail(store, "looking for an earlier run", error);
    sqlite3_finalize(row);
    if (status != AGON_OK || tables == 0)
        return status;
    agon_fail(error, AGON_EINVALID, "%s already holds a run, a new one needs another directory",
              store->dir);
    return agon_hint(error, "go on with: agon train --resume %s", store->dir);
}

static int write_config(const agon_store* store, const agon_config* config, agon_error* error) {
    char* text = agon_config_write(config, true, false);
    int status;
    if (!text)
        return agon_fail(error, AGON_EMEMORY, "no memory for the text of %s/config.ini",
                         store->dir);
    status = agon_store_write_file(store, "config.ini", text, strlen(text), error);
    free(text);
    return status;
}

static int write_meta(agon_store* store, const agon_config* config, const char* version,
                      uint64_t fingerprint, agon_error* error) {
    char format[16], hash[65], rules[20], created[32];
    time_t now = time(NULL);
    struct tm utc;
    snprintf(format, sizeof format, "%d", AGON_RUN_FORMAT);
    snprintf(rules, sizeof rules, "%016llx", (unsigned long long)fingerprint);
    agon_config_hash(config, hash);
    strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    const char* const pairs[][2] = {{"format", format},
                                    {"config_hash", hash},
                                    {"version", version},
                                    {"fingerprint", rules},
                                    {"created", created}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        int status = agon_store_set_meta(store, pairs[i][0], pairs[i][1], error);
        if (status != AGON_OK)
            return status;
    }
    return AGON_OK;
}

/* Tables and meta in one transaction: a run exists from its commit on. */
static int write_tables(agon_store* store, const agon_config* config, const char* version,
                        uint64_t fingerprint, agon_error* error) {
    int status =
        agon__db_run(store,
                     "BEGIN IMMEDIATE;"
                     "CREATE TABLE meta(key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)"
                     " STRICT;"
                     "CREATE TABLE blob(hash TEXT NOT NULL PRIMARY KEY, size INTEGER NOT"
                     " NULL) STRICT, WITHOUT ROWID;",
                     "making tables", error);
    if (status == AGON_OK)
        status = agon__rows_create(store, error);
    if (status == AGON_OK)
        status = write_meta(store, config, version, fingerprint, error);
    if (status == AGON_OK)
        status = agon__db_run(store, "COMMIT", "making tables", error);
    return status == AGON_OK ? prepare(store, error) : status;
}

/* The configuration comes before the tables: a run that exists has one. */
static int fill_directory(agon_store* store, const agon_config* config, const char* version,
                          uint64_t fingerprint, agon_error* error) {
    char blobs[AGON_PATH_SIZE];
    int status;
    agon__store_path(store, "blobs", blobs);
    status = agon_dir_make(blobs, error);
    if (status == AGON_OK)
        status = take_lock(store, error);
    if (status == AGON_OK)
        status = open_database(store, SQLITE_OPEN_CREATE, error);
    if (status == AGON_OK)
        status = refuse_existing(store, error);
    if (status == AGON_OK)
        status = use_wal(store, error);
    if (status == AGON_OK)
        status = write_config(store, config, error);
    if (status == AGON_OK)
        status = write_tables(store, config, version, fingerprint, error);
    if (status == AGON_OK)
        status = agon_dir_sync(store->dir, error);
    return status;
}

int agon_store_create(const char* dir, const agon_config* config, const char* version,
                      uint64_t fingerprint, agon_store** out, agon_error* error) {
    agon_store* store = new_handle(dir, true, error);
    int status;
    if (!store)
        return strlen(dir) + 200 < AGON_PATH_SIZE ? AGON_EMEMORY : AGON_ELIMIT;
    status = fill_directory(store, config, version, fingerprint, error);
    if (status != AGON_OK)
        agon_store_close(store);
    else
        *out = store;
    return status;
}

/* ---- opening and closing ------------------------------------------------------------------ */

static int find_run(const agon_store* store, agon_error* error) {
    char path[AGON_PATH_SIZE];
    struct stat facts;
    if (stat(store->dir, &facts) != 0) {
        int status = agon_file_fail(error, errno, "cannot open run", store->dir);
        if (status == AGON_EMISSING)
            agon_hint(error, "agon train makes a run: agon train GAME run.dir=%s", store->dir);
        return status;
    }
    if (!S_ISDIR(facts.st_mode))
        return agon_fail(error, AGON_EINVALID, "%s is not a directory, expected a run directory",
                         store->dir);
    agon__store_path(store, "run.db", path);
    if (stat(path, &facts) == 0)
        return AGON_OK;
    if (errno != ENOENT)
        return agon_file_fail(error, errno, "cannot open", path);
    agon_fail(error, AGON_EMISSING, "%s holds no run: it has no run.db", store->dir);
    return agon_hint(error, "agon train makes one: agon train GAME run.dir=%s", store->dir);
}

static int open_checked(agon_store* store, agon_config* config, agon_error* error) {
    int status = find_run(store, error);
    if (status == AGON_OK && store->write)
        status = take_lock(store, error);
    if (status == AGON_OK)
        status = open_database(store, 0, error);
    if (status == AGON_OK && !store->write)
        status = agon__db_run(store, "PRAGMA query_only=ON", "opening", error);
    if (status == AGON_OK)
        status = agon__check_whole(store, error);
    if (status == AGON_OK)
        status = load_meta(store, error);
    if (status == AGON_OK)
        status = agon__check_format(store, error);
    if (status == AGON_OK && store->write)
        status = agon__rows_index(store, error);
    if (status == AGON_OK)
        status = prepare(store, error);
    if (status == AGON_OK)
        status = agon__check_config(store, config, error);
    if (status == AGON_OK)
        status = agon__check_blobs(store, config->run.keep, error);
    if (status == AGON_OK && store->write)
        status = agon__store_sweep(store, error);
    return status;
}

int agon_store_open(const char* dir, bool write, agon_store** out, agon_config* config,
                    agon_error* error) {
    agon_store* store = new_handle(dir, write, error);
    agon_config* stored = malloc(sizeof *stored); /* *config stays untouched on failure */
    int status = store ? AGON_OK : AGON_ELIMIT;
    if (store && !stored)
        status = agon_fail(error, AGON_EMEMORY, "no memory to open run %s", dir);
    if (status == AGON_OK)
        status = open_checked(store, stored, error);
    if (status == AGON_OK) {
        *config = *stored;
        *out = store;
    } else {
        agon_store_close(store);
    }
    free(stored);
    return status;
}

int agon__store_reader(const agon_store* store, agon_store** out, agon_error* error) {
    agon_store* reader = new_handle(store->dir, false, error);
    if (!reader)
        return AGON_EMEMORY;
    int status = open_database(reader, 0, error);
    if (status == AGON_OK)
        status = agon__db_run(reader, "PRAGMA query_only=ON", "opening", error);
    if (status != AGON_OK)
        agon_store_close(reader);
    else
        *out = reader;
    return status;
}

static void close_database(agon_store* store) {
    for (int i = 0; i < AGON__KINDS; i++) {
        sqlite3_finalize(store->insert[i]);
        sqlite3_finalize(store->compare[i]);
        sqlite3_finalize(store->find[i]);
    }
    sqlite3_finalize(store->prune);
    sqlite3_finalize(store->count_seats);
    sqlite3_finalize(store->insert_blob);
    sqlite3_finalize(store->find_blob);
    sqlite3_close(store->db);
    free(store->trained_agent);
}

void agon_store_close(agon_store* store) {
    if (!store)
        return;
    agon_store_close(store->reader);
    close_database(store);
    for (int i = 0; i < store->metas; i++) {
        free(store->meta[i].key);
        free(store->meta[i].value);
    }
    free(store->meta);
    if (store->lock >= 0)
        close(store->lock);
    free(store->dir);
    free(store);
}

const char* agon_store_dir(const agon_store* store) {
    return store->dir;
}
