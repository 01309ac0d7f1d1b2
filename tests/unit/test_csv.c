/* Promises of engine/csv.h: cells come out as RFC 4180 has them, mistakes are named by line and
 * column, and what is written is read back. */
#include "engine/csv.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static agon_csv decode(const char* text) {
    agon_csv csv;
    agon_error error = {0};
    if (agon_csv_decode(text, strlen(text), "x.csv", &csv, &error))
        fail_msg("%s", error.text);
    return csv;
}

static void refused(const char* text, size_t size, int code, const char* said) {
    agon_csv csv = {.rows = -7};
    agon_error error = {0};
    assert_int_equal(agon_csv_decode(text, size, "x.csv", &csv, &error), code);
    if (!strstr(error.text, said))
        fail_msg("'%s' does not say '%s'", error.text, said);
    assert_int_equal(csv.rows, -7);
}

/* Promise: quotes, doubled quotes, line ends inside, CRLF, a byte order mark, no last line end. */
static void test_cells(void** state) {
    agon_csv csv = decode("\xef\xbb\xbf"
                          "a, \"b,\"\"c\"\"\" ,\r\n\r\n\"two\r\nlines\",x y \n  \n,\nlast");
    assert_int_equal(csv.rows, 4);
    assert_int_equal(agon_csv_width(&csv, 0), 3);
    assert_string_equal(agon_csv_cell(&csv, 0, 0), "a");
    assert_string_equal(agon_csv_cell(&csv, 0, 1), "b,\"c\"");
    assert_string_equal(agon_csv_cell(&csv, 0, 2), "");
    assert_string_equal(agon_csv_cell(&csv, 1, 0), "two\r\nlines");
    assert_string_equal(agon_csv_cell(&csv, 1, 1), "x y");
    assert_int_equal(csv.line[1], 3);
    assert_int_equal(agon_csv_width(&csv, 2), 2);
    assert_int_equal(csv.line[2], 6);
    assert_string_equal(agon_csv_cell(&csv, 3, 0), "last");
    assert_string_equal(agon_csv_cell(&csv, 3, 9), "");
    agon_csv_clear(&csv);
}

/* Promise: the separator is found out, also where commas are decimal ones or inside quotes. */
static void test_separator(void** state) {
    static const struct {
        const char *text, *name;
        int width;
    } cases[] = {
        {"a,b\n1,2\n", "comma", 2},
        {"a;b;c\n1;2;3\n", "semicolon", 3},
        {"a\tb\n1,5\t2,5\n", "tab", 2},
        {"0,5;0,25;1,0\n0,5;0,25;1,0\n", "semicolon", 3},
        {"\"x;y\",b\n\"x;y\",2\n", "comma", 2},
        {"alone\nalone\n", "comma", 1},
        {"a;b\n1;2;3\n", "semicolon", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        agon_csv csv = decode(cases[i].text);
        assert_string_equal(agon_csv_separator_name(&csv), cases[i].name);
        assert_int_equal(agon_csv_width(&csv, 0), cases[i].width);
        agon_csv_clear(&csv);
    }
}

/* Promise: what is no table is refused, with line and column. */
static void test_refusals(void** state) {
    refused("", 0, AGON_EFORMAT, "x.csv is empty");
    refused("\n\n", 2, AGON_EFORMAT, "x.csv is empty");
    refused("a\0b", 3, AGON_EFORMAT, "NUL byte");
    refused("a,b\n1,Zo\xeb\n", 10, AGON_EFORMAT, "line 2: byte 0xeb is not UTF-8");
    refused("a\xe6\x97", 3, AGON_EFORMAT, "line 1: byte 0xe6");
    refused("a\xc0\x80", 3, AGON_EFORMAT, "line 1: byte 0xc0");
    refused("a,b\n1,\"open\n\n", 12, AGON_EFORMAT, "x.csv, line 2, column 2: a quote is opened");
    refused("a,b\n\"x\"y,2\n", 11, AGON_EFORMAT, "x.csv, line 2, column 1: text follows");
}

/* Promise: numbers are decimal and whole cells; anything else is named with its place. */
static void test_numbers(void** state) {
    agon_csv csv = decode("Row,COL\n0.5,0x10\n-1e-3,\"1,5\"\n nan ,1 2\n");
    agon_error error = {0};
    double x = 0;
    assert_int_equal(agon_csv_column(&csv, "col"), 1);
    assert_int_equal(agon_csv_column(&csv, "none"), -1);
    assert_int_equal(agon_csv_number(&csv, 1, 0, &x, &error), 0);
    assert_true(x == 0.5);
    assert_int_equal(agon_csv_number(&csv, 2, 0, &x, &error), 0);
    assert_true(x == -1e-3);
    assert_int_equal(agon_csv_number(&csv, 3, 0, &x, &error), 0);
    assert_true(isnan(x));
    assert_int_equal(agon_csv_number(&csv, 1, 1, &x, &error), AGON_EINVALID);
    assert_string_equal(error.text, "x.csv, line 2, column 2: '0x10' is not a number");
    assert_int_equal(agon_csv_number(&csv, 2, 1, &x, &error), AGON_EINVALID);
    assert_non_null(strstr(error.hint, "decimal point"));
    assert_int_equal(agon_csv_number(&csv, 3, 1, &x, &error), AGON_EINVALID);
    agon_csv_clear(&csv);
}

/* Promise: cells of any text, and numbers, come back equal. */
static void test_round_trip(void** state) {
    static const char* const texts[] = {"plain", "a,b", "say \"x\"", "two\nlines", " spaces ",
                                        "x;y",   "",    "r\r",       "0.5"};
    enum { TEXTS = sizeof texts / sizeof *texts };
    char* bytes = NULL;
    size_t size = 0;
    FILE* file = open_memstream(&bytes, &size);
    agon_csv_out out = {.file = file};
    for (int i = 0; i < TEXTS; i++)
        agon_csv_put_text(&out, texts[i]);
    agon_csv_end_line(&out);
    agon_csv_put_real(&out, 0.1);
    agon_csv_put_real(&out, (double)NAN);
    agon_csv_put_whole(&out, -9007199254740993);
    agon_csv_end_line(&out);
    fclose(file);
    agon_csv csv = decode(bytes);
    assert_int_equal(csv.rows, 2);
    assert_int_equal(agon_csv_width(&csv, 0), TEXTS);
    for (int i = 0; i < TEXTS; i++)
        assert_string_equal(agon_csv_cell(&csv, 0, i), texts[i]);
    assert_string_equal(agon_csv_cell(&csv, 1, 0), "0.1");
    assert_string_equal(agon_csv_cell(&csv, 1, 1), "");
    assert_string_equal(agon_csv_cell(&csv, 1, 2), "-9007199254740993");
    agon_csv_clear(&csv);
    free(bytes);
}

/* Promise: many rows and cells are kept apart (the arrays grow). */
static void test_many(void** state) {
    enum { ROWS = 1000 };
    char* bytes = NULL;
    size_t size = 0;
    FILE* file = open_memstream(&bytes, &size);
    for (int i = 0; i < ROWS; i++)
        fprintf(file, "%d,%d\n", i, i * i);
    fclose(file);
    agon_csv csv = decode(bytes);
    assert_int_equal(csv.rows, ROWS);
    for (int i = 0; i < ROWS; i++) {
        double x = 0;
        assert_int_equal(csv.line[i], i + 1);
        assert_int_equal(agon_csv_number(&csv, i, 1, &x, NULL), 0);
        assert_true(x == (double)i * i);
    }
    agon_csv_clear(&csv);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),      cmocka_unit_test(test_separator),
        cmocka_unit_test(test_refusals),   cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
