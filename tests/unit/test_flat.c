/* Promises of engine/flat.h: each single value of a line is a cell under its path; what is no such
 * file is refused with its line. */
#include "engine/flat.h"

#include "engine/files.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char* const file = "/tmp/agon-flat.jsonl";

static int read_text(const char* text, agon_flat* out, agon_error* error) {
    char path[64];
    snprintf(path, sizeof path, "%s.%ld", file, (long)getpid());
    assert_int_equal(agon_file_write(path, text, strlen(text), NULL), 0);
    const int rc = agon_flat_read(path, out, error);
    unlink(path);
    return rc;
}

static agon_flat read_flat(const char* text) {
    agon_flat flat;
    agon_error error = {0};
    if (read_text(text, &flat, &error))
        fail_msg("%s", error.text);
    return flat;
}

static const agon_flat_cell* cell(const agon_flat* f, int row, const char* path) {
    const int c = agon_flat_find(f, path);
    if (c < 0)
        fail_msg("no column %s", path);
    return &f->cell[row * f->columns + c];
}

/* Promise: nested names are joined, lists are numbered or named by role, matrices are left out,
 * columns that only some lines have are absent in the others. */
static void test_paths(void** state) {
    agon_flat f =
        read_flat("{\"a\":1,\"b\":{\"c\":2.5,\"d\":null},\"l\":[7,null,9],\"m\":[[1,2],[3]]}\n"
                  "\n"
                  "{\"a\":2,\"r\":[{\"role\":\"prey\",\"x\":1},{\"name\":\"n\",\"x\":2},"
                  "{\"x\":3}],\"t\":\"word\",\"y\":true}\n");
    assert_int_equal(f.rows, 2);
    assert_false(f.cut);
    assert_true(cell(&f, 0, "a")->number == 1 && cell(&f, 1, "a")->number == 2);
    assert_true(cell(&f, 0, "b.c")->number == 2.5 && isnan(cell(&f, 1, "b.c")->number));
    assert_true(isnan(cell(&f, 0, "b.d")->number));
    assert_true(cell(&f, 0, "l.2")->number == 9 && isnan(cell(&f, 0, "l.1")->number));
    assert_true(f.column[agon_flat_find(&f, "l.2")].listed);
    assert_false(f.column[agon_flat_find(&f, "b.c")].listed);
    assert_int_equal(agon_flat_find(&f, "m.0"), -1);
    assert_true(cell(&f, 1, "r.prey.x")->number == 1 && cell(&f, 1, "r.n.x")->number == 2);
    assert_true(cell(&f, 1, "r.2.x")->number == 3);
    assert_string_equal(cell(&f, 1, "t")->text, "word");
    assert_string_equal(cell(&f, 1, "y")->text, "true");
    assert_null(cell(&f, 0, "t")->text);
    assert_false(f.column[agon_flat_find(&f, "t")].numeric);
    assert_true(f.column[agon_flat_find(&f, "a")].numeric);
    agon_flat_clear(&f);
}

/* Promise: the torn last line of a run in progress is left out; a key given twice leaks nothing. */
static void test_torn(void** state) {
    agon_flat f = read_flat("{\"a\":1}\n{\"a\":\"x\",\"a\":\"y\"}\n{\"a\":3,\"b");
    assert_int_equal(f.rows, 2);
    assert_true(f.cut);
    assert_string_equal(cell(&f, 1, "a")->text, "y");
    agon_flat_clear(&f);
}

/* Promise: what is no JSON object is named by its line; depth is bounded. */
static void test_refusals(void** state) {
    agon_flat f = {.rows = -7};
    agon_error error = {0};
    char deep[256] = "";
    assert_int_equal(read_text("{\"a\":1}\nword\n{}\n", &f, &error), AGON_EFORMAT);
    assert_non_null(strstr(error.text, "line 2: expected one JSON object"));
    assert_int_equal(read_text("[1]\n", &f, &error), AGON_EFORMAT);
    for (int i = 0; i < 20; i++)
        strcat(deep, "{\"a\":");
    strcat(deep, "1");
    for (int i = 0; i < 20; i++)
        strcat(deep, "}");
    strcat(deep, "\n");
    assert_int_equal(read_text(deep, &f, &error), AGON_ELIMIT);
    assert_int_equal(agon_flat_read("/nonexistent/x", &f, &error), AGON_EMISSING);
    assert_int_equal(f.rows, -7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_torn),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
