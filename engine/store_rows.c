/* store_rows.c: results to rows and back, and the SQL for it, made from the tables of
 * store_tables.c. */
#include "engine/store_tables.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "probabilities are stored as little-endian float32, as the processor holds them"
#endif

/* ---- SQL from the tables ------------------------------------------------------------------ */

typedef struct text {
    size_t size;
    char at[8192];
} text;

static void add(text* out, const char* format, ...) __attribute__((format(printf, 2, 3)));
static void add(text* out, const char* format, ...) {
    va_list args;
    va_start(args, format);
    out->size += (size_t)vsnprintf(out->at + out->size, sizeof out->at - out->size, format, args);
    va_end(args);
    assert(out->size < sizeof out->at);
}

static const char* sql_type(agon__column_type type) {
    switch (type) {
    case AGON__TEXT:
        return "TEXT NOT NULL";
    case AGON__INT:
    case AGON__COUNT:
        return "INTEGER NOT NULL";
    case AGON__FLOATS:
        return "BLOB NOT NULL";
    case AGON__LIST:
        return "TEXT NOT NULL";
    default:
        return "REAL";
    }
}

static void create_sql(const agon__table* t, text* sql) {
    add(sql, "CREATE TABLE %s(", t->name);
    for (int i = 0; i < t->columns; i++)
        add(sql, "%s %s, ", t->column[i].name, sql_type(t->column[i].type));
    add(sql, "PRIMARY KEY(%s)) STRICT", t->unique);
}

/* "a, b, c" */
static void add_names(const agon__table* t, text* sql) {
    for (int i = 0; i < t->columns; i++)
        add(sql, "%s%s", i ? ", " : "", t->column[i].name);
}

static void insert_sql(const agon__table* t, text* sql) {
    add(sql, "INSERT INTO %s(", t->name);
    add_names(t, sql);
    add(sql, ") VALUES(");
    for (int i = 0; i < t->columns; i++)
        add(sql, "%s?%d", i ? ", " : "", i + 1);
    add(sql, ") ON CONFLICT DO NOTHING");
}

/* The first column whose stored value is not the bound one: its name and both values. */
static void compare_sql(const agon__table* t, text* sql) {
    add(sql, "SELECT CASE");
    for (int i = 1; i < t->columns; i++) {
        const char* name = t->column[i].name;
        add(sql, " WHEN %s IS NOT ?%d THEN '%s", name, i + 1, name);
        if (t->column[i].type == AGON__FLOATS)
            add(sql, "'");
        else
            add(sql, " (stored ' || ifnull(%s, 'NaN') || ', new ' || ifnull(?%d, 'NaN') || ')'",
                name, i + 1);
    }
    add(sql, " END FROM %s WHERE %s", t->name, t->key);
}

int agon__rows_create(const agon_store* store, agon_error* error) {
    for (int i = 0; i < AGON__KINDS; i++) {
        text sql = {0};
        int status;
        create_sql(&agon__tables[i], &sql);
        status = agon__db_run(store, sql.at, "making tables", error);
        if (status != AGON_OK)
            return status;
    }
    return agon__rows_index(store, error);
}

int agon__rows_index(const agon_store* store, agon_error* error) {
    return agon__db_run(store,
                        "CREATE INDEX IF NOT EXISTS train_of_agent ON train(agent, generation)",
                        "making an index", error);
}

int agon__rows_prepare(agon_store* store, agon_error* error) {
    for (int i = 0; i < AGON__KINDS; i++) {
        text insert = {0}, compare = {0};
        int status;
        insert_sql(&agon__tables[i], &insert);
        compare_sql(&agon__tables[i], &compare);
        status = agon__db_prepare(store, insert.at, &store->insert[i], error);
        if (status == AGON_OK)
            status = agon__db_prepare(store, compare.at, &store->compare[i], error);
        if (status != AGON_OK)
            return status;
    }
    return AGON_OK;
}

int agon__rows_select(const agon_store* store, agon_task_kind kind, const char* tail,
                      sqlite3_stmt** out, agon_error* error) {
    const agon__table* t = &agon__tables[kind - 1];
    text sql = {0};
    add(&sql, "SELECT ");
    add_names(t, &sql);
    add(&sql, " FROM %s %s", t->name, tail);
    return agon__db_prepare(store, sql.at, out, error);
}

/* ---- records to rows ---------------------------------------------------------------------- */

static size_t probability_bytes(const agon_probe_result* probe) {
    return (size_t)probe->states * (size_t)probe->actions * sizeof(float);
}

static int bind_real(sqlite3_stmt* statement, int i, double value) {
    /* + 0.0 makes -0.0 a plain zero: SQLite does not keep the sign, and comparing must agree. */
    return isnan(value) ? sqlite3_bind_null(statement, i)
                        : sqlite3_bind_double(statement, i, value + 0.0);
}

static int list_length(const agon__column* c, const agon__record* record) {
    return *(const int*)((const char*)record + c->count) * (int)c->each;
}

/* "[1.5,-2]", with digits enough to read the same doubles back. */
static int bind_list(sqlite3_stmt* statement, int i, const agon__column* c,
                     const agon__record* record) {
    const double* number = (const double*)((const char*)record + c->offset);
    char out[2 * AGON_MAX_NUMBERS * 26 + 3] = "[";
    size_t used = 1;
    for (int k = 0; k < list_length(c, record); k++)
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%.17g", k ? "," : "",
                                 number[k] + 0.0);
    snprintf(out + used, sizeof out - used, "]");
    return sqlite3_bind_text(statement, i, out, -1, SQLITE_TRANSIENT);
}

static int bind_column(sqlite3_stmt* statement, int i, const agon__column* c,
                       const agon__record* record) {
    const void* field = (const char*)record + c->offset;
    switch (c->type) {
    case AGON__TEXT:
        return sqlite3_bind_text(statement, i, field, (int)strnlen(field, c->size), SQLITE_STATIC);
    case AGON__INT:
        return sqlite3_bind_int(statement, i, *(const int*)field);
    case AGON__COUNT:
        return sqlite3_bind_int64(statement, i, (sqlite3_int64) * (const uint64_t*)field);
    case AGON__REAL:
        return bind_real(statement, i, *(const double*)field);
    case AGON__SHORT:
        return bind_real(statement, i, *(const float*)field);
    case AGON__LIST:
        return bind_list(statement, i, c, record);
    case AGON__FLOATS:
        break;
    }
    /* An empty blob, not NULL, when there are no states. */
    field = *(const float* const*)field;
    return sqlite3_bind_blob64(statement, i, field ? field : "",
                               probability_bytes(&record->result.as.probe), SQLITE_STATIC);
}

int agon__rows_bind(sqlite3_stmt* statement, agon_task_kind kind, const agon__record* record) {
    const agon__table* t = &agon__tables[kind - 1];
    for (int i = 0; i < t->columns; i++) {
        int rc = bind_column(statement, i + 1, &t->column[i], record);
        if (rc != SQLITE_OK)
            return rc;
    }
    return SQLITE_OK;
}

/* The end of the reference that starts at `at`: a space outside brackets, or the end. "name(a=1,
 * b=2)" is one reference. */
static const char* reference_end(const char* at) {
    int depth = 0;
    for (; *at; at++) {
        if (*at == ' ' && depth <= 0)
            break;
        depth += (*at == '(') - (*at == ')');
    }
    return at;
}

int agon__rows_join(agon__record* record, agon_error* error) {
    const agon_train_task* train = &record->task.as.train;
    size_t used = 0;
    record->opponents[0] = '\0';
    for (int i = 0; i < train->opponents; i++) {
        const char* ref = train->opponent[i];
        size_t length = strnlen(ref, AGON_REF_SIZE);
        if (length == 0 || length == AGON_REF_SIZE || *reference_end(ref))
            return agon_fail(error, AGON_EINVALID,
                             "task %s: opponent %d is \"%.*s\", expected one reference",
                             record->task.key, i, AGON_REF_SIZE - 1, ref);
        if (used)
            record->opponents[used++] = ' ';
        memcpy(record->opponents + used, ref, length + 1);
        used += length;
    }
    return AGON_OK;
}

/* ---- rows to records ---------------------------------------------------------------------- */

static int split_opponents(agon__record* record) {
    agon_train_task* train = &record->task.as.train;
    const char* at = record->opponents;
    train->opponents = 0;
    while (*at) {
        const char* end = reference_end(at);
        size_t length = (size_t)(end - at);
        if (train->opponents == AGON_MAX_OPPONENTS || length == 0 || length >= AGON_REF_SIZE)
            return -1;
        memcpy(train->opponent[train->opponents], at, length);
        train->opponent[train->opponents++][length] = '\0';
        at = *end ? end + 1 : end;
    }
    return 0;
}

static int read_text(sqlite3_stmt* row, int i, char* out, size_t size) {
    const char* value = (const char*)sqlite3_column_text(row, i);
    size_t length = value ? strlen(value) : size;
    if (length >= size || length != (size_t)sqlite3_column_bytes(row, i))
        return -1;
    memcpy(out, value, length + 1);
    return 0;
}

/* Copies: SQLite promises nothing about alignment. Grows the array; the caller of each frees it. */
static int read_floats(sqlite3_stmt* row, int i, agon_probe_result* probe) {
    const void* bytes = sqlite3_column_blob(row, i);
    size_t size = (size_t)sqlite3_column_bytes(row, i);
    float* grown;
    if (probe->states < 0 || probe->actions < 0 || probability_bytes(probe) != size)
        return -1;
    grown = realloc(probe->probability, size + 1);
    if (!grown)
        return -1;
    probe->probability = grown;
    if (size)
        memcpy(grown, bytes, size);
    return 0;
}

static int read_list(sqlite3_stmt* row, int i, const agon__column* c, agon__record* record) {
    const char* at = (const char*)sqlite3_column_text(row, i);
    double* number = (double*)((char*)record + c->offset);
    const size_t most = c->size / sizeof *number;
    size_t count = 0;
    if (!at || *at != '[')
        return -1;
    while (*++at != ']') {
        char* end;
        if (count == most || (number[count] = strtod(at, &end), end == at) ||
            !isfinite(number[count++]) || (*end != ',' && *end != ']'))
            return -1;
        at = *end == ']' ? end - 1 : end;
    }
    *(int*)((char*)record + c->count) = (int)(count / c->each);
    return at[1] || count % c->each ? -1 : 0;
}

static int read_column(sqlite3_stmt* row, int i, const agon__column* c, agon__record* record) {
    void* field = (char*)record + c->offset;
    sqlite3_int64 whole = sqlite3_column_int64(row, i);
    double real =
        sqlite3_column_type(row, i) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(row, i);
    switch (c->type) {
    case AGON__TEXT:
        return read_text(row, i, field, c->size);
    case AGON__INT:
        *(int*)field = (int)whole;
        return whole < INT_MIN || whole > INT_MAX ? -1 : 0;
    case AGON__COUNT:
        *(uint64_t*)field = (uint64_t)whole;
        return whole < 0 ? -1 : 0;
    case AGON__REAL:
        *(double*)field = real;
        return 0;
    case AGON__SHORT:
        *(float*)field = (float)real;
        return 0;
    case AGON__FLOATS:
        return read_floats(row, i, &record->result.as.probe);
    case AGON__LIST:
        return read_list(row, i, c, record);
    }
    return -1;
}

int agon__rows_read(sqlite3_stmt* row, agon_task_kind kind, agon__record* record,
                    agon_error* error) {
    const agon__table* t = &agon__tables[kind - 1];
    for (int i = 0; i < t->columns; i++) {
        if (read_column(row, i, &t->column[i], record) != 0)
            return agon_fail(error, AGON_EFORMAT, "table %s, row %.95s: column %s is damaged",
                             t->name, agon__db_text(row, 0), t->column[i].name);
    }
    record->task.kind = record->result.kind = kind;
    memcpy(record->result.key, record->task.key, AGON_KEY_SIZE);
    if (kind == AGON_TRAIN && split_opponents(record) != 0)
        return agon_fail(error, AGON_EFORMAT, "table train, row %s: column opponents is damaged",
                         record->task.key);
    if (kind == AGON_PROBE)
        record->result.as.probe.exact = !isnan(record->result.as.probe.nash_conv);
    return AGON_OK;
}
