/* The columns of run.db as people are told of them, and the rows as CSV. */
#include "engine/csv.h"
#include "tests/unit/store_fixture.h"

/* Promise: what is said of the columns is what the database has: the same tables, the same columns
 * in the same order, the same types; and each means something. */
static void columns_are_those_of_the_database(void** state) {
    fixture* f = *state;
    sqlite3* db;
    sqlite3_stmt* rows;
    agon_store_column c;
    int index = 0;
    make_run(f);
    assert_int_equal(sqlite3_open("run/run.db", &db), SQLITE_OK);
    static const char* const tables[] = {"train", "match", "probe", "blob", "meta"};
    for (int t = 0; t < 5; t++) {
        char sql[64];
        snprintf(sql, sizeof sql, "PRAGMA table_info(%s)", tables[t]);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), SQLITE_OK);
        while (sqlite3_step(rows) == SQLITE_ROW) {
            assert_true(agon_store_column_at(index++, &c));
            assert_string_equal(c.table, tables[t]);
            assert_string_equal(c.name, (const char*)sqlite3_column_text(rows, 1));
            assert_string_equal(c.type, (const char*)sqlite3_column_text(rows, 2));
            assert_true(strlen(c.meaning) > 2);
            assert_int_equal(c.csv, t < 3 && strcmp(c.type, "BLOB") != 0);
        }
        sqlite3_finalize(rows);
    }
    assert_false(agon_store_column_at(index, &c));
    assert_false(agon_store_column_at(-1, &c));
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM sqlite_master WHERE type='table'",
                                        -1, &rows, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(rows, 0), 5);
    sqlite3_finalize(rows);
    sqlite3_close(db);
}

static agon_csv table(fixture* f, const char* name) {
    char* bytes = NULL;
    size_t size = 0;
    agon_csv csv;
    FILE* file = open_memstream(&bytes, &size);
    assert_int_equal(agon_store_write_csv(f->store, name, file, &f->error), 0);
    fclose(file);
    assert_int_equal(agon_csv_decode(bytes, size, name, &csv, &f->error), 0);
    free(bytes);
    return csv;
}

static const char* cell(const agon_csv* csv, int row, const char* column) {
    const int c = agon_csv_column(csv, column);
    assert_true(c >= 0);
    return agon_csv_cell(csv, row, c);
}

/* Promise: every row is there, in an order that is not that of insertion; texts with commas, tiny
 * numbers, whole numbers and NULL come through. */
static void rows_as_csv(void** state) {
    fixture* f = *state;
    make_run(f);
    fill_match(f, 0, 2, 1, 0);
    fill_match(f, 1, 1, 0, 1);
    fill_train(f, 2, 0, 0, 100);
    assert_int_equal(put(f, 3), 0);
    agon_csv csv = table(f, "match");
    assert_int_equal(csv.rows, 5);
    assert_string_equal(cell(&csv, 1, "key"), "match/1/0/1");
    assert_string_equal(cell(&csv, 2, "seat"), "1");
    assert_string_equal(cell(&csv, 2, "losses"), "3");
    assert_string_equal(cell(&csv, 3, "key"), "match/2/1/0");
    assert_true(strtod(cell(&csv, 3, "stats") + 1, NULL) == 2.5e100);
    assert_int_equal(strncmp(cell(&csv, 3, "features"), "[0.1", 4), 0);
    agon_csv_clear(&csv);
    csv = table(f, "train");
    assert_int_equal(csv.rows, 2);
    assert_string_equal(cell(&csv, 1, "opponents"), "one_ply mcts(playouts=100, c=1.4)");
    assert_string_equal(cell(&csv, 1, "total_steps"), "9007199254740992");
    assert_string_equal(cell(&csv, 1, "kl"), "1e-300");
    assert_string_equal(cell(&csv, 1, "explained_variance"), "");
    agon_csv_clear(&csv);
    csv = table(f, "probe");
    assert_int_equal(csv.rows, 1);
    assert_int_equal(agon_csv_column(&csv, "probability"), -1);
    agon_csv_clear(&csv);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(columns_are_those_of_the_database, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_as_csv, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
