/* store_csv.c: what the tables of run.db are, for people, and their rows as CSV. */
#include "engine/store_tables.h"

#include "engine/csv.h"

#include <assert.h>
#include <string.h>

static const char* type_name(agon__column_type type) {
    switch (type) {
    case AGON__INT:
    case AGON__COUNT:
        return "INTEGER";
    case AGON__REAL:
    case AGON__SHORT:
        return "REAL";
    case AGON__FLOATS:
        return "BLOB";
    default:
        return "TEXT";
    }
}

bool agon_store_column_at(int index, agon_store_column* out) {
    for (int t = 0; index >= 0 && t < AGON__TABLES; t++) {
        const agon__table* table = &agon__tables[t];
        if (index < table->columns) {
            const agon__column* c = &table->column[index];
            *out = (agon_store_column){table->name, c->name, type_name(c->type), c->meaning,
                                       t < AGON__KINDS && c->type != AGON__FLOATS};
            return true;
        }
        index -= table->columns;
    }
    return false;
}

static const agon__table* find_table(const char* name) {
    for (int t = 0; t < AGON__KINDS; t++)
        if (strcmp(agon__tables[t].name, name) == 0)
            return &agon__tables[t];
    return NULL;
}

static void put_cell(agon_csv_out* out, sqlite3_stmt* rows, int i) {
    switch (sqlite3_column_type(rows, i)) {
    case SQLITE_INTEGER:
        agon_csv_put_whole(out, sqlite3_column_int64(rows, i));
        break;
    case SQLITE_FLOAT:
        agon_csv_put_real(out, sqlite3_column_double(rows, i));
        break;
    default: /* NULL is an empty cell */
        agon_csv_put_text(out, agon__db_text(rows, i));
    }
}

/* "SELECT a, b FROM t ORDER BY c", and the header of the file. */
static int prepare(const agon_store* store, const agon__table* t, agon_csv_out* out,
                   sqlite3_stmt** rows, agon_error* error) {
    char sql[2048] = "SELECT ";
    size_t used = strlen(sql);
    for (int i = 0, columns = 0; i < t->columns; i++) {
        if (t->column[i].type == AGON__FLOATS)
            continue;
        used += (size_t)snprintf(sql + used, sizeof sql - used, "%s%s", columns++ ? ", " : "",
                                 t->column[i].name);
        agon_csv_put_text(out, t->column[i].name);
    }
    agon_csv_end_line(out);
    snprintf(sql + used, sizeof sql - used, " FROM %s ORDER BY %s", t->name, t->order);
    return agon__db_prepare(store, sql, rows, error);
}

int agon_store_write_csv(agon_store* store, const char* name, FILE* file, agon_error* error) {
    const agon__table* t = find_table(name);
    agon_csv_out out = {.file = file};
    sqlite3_stmt* rows = NULL;
    int rc, status;
    assert(t && "train, match or probe");
    status = prepare(store, t, &out, &rows, error);
    while (status == AGON_OK && (rc = sqlite3_step(rows)) != SQLITE_DONE) {
        if (rc != SQLITE_ROW) {
            status = agon__db_fail(store, "reading results", error);
            break;
        }
        for (int i = 0; i < sqlite3_column_count(rows); i++)
            put_cell(&out, rows, i);
        agon_csv_end_line(&out);
    }
    sqlite3_finalize(rows);
    return status;
}
