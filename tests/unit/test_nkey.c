/* Promise: keys are those that nats-server knows; a seed that is damaged, of another kind or no
 * seed at all is refused and never repeated; a file is never replaced. */
#include "net/nkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void read_line(const char* path, char out[AGON__NKEY_SIZE]) {
    FILE* file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(out, AGON__NKEY_SIZE, file));
    out[strcspn(out, "\n")] = '\0';
    fclose(file);
}

/* A pair that the nkeys of NATS's documentation shows. */
static void test_known(void** state) {
    char public[AGON__NKEY_SIZE];
    (void)state;
    assert_int_equal(agon__nkey_public("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY",
                                       public, NULL),
                     0);
    assert_string_equal(public, "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4");
}

static void test_made(void** state) {
    char dir[] = "/tmp/agon-test-nkey-XXXXXX", path[64];
    char public[AGON__NKEY_SIZE], seed[AGON__NKEY_SIZE], again[AGON__NKEY_SIZE];
    agon_error error = {0};
    struct stat info;
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/key", dir);
    assert_int_equal(agon_nkey_make(path, public, &error), 0);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    read_line(path, seed);
    assert_int_equal(agon__nkey_public(seed, again, &error), 0);
    assert_string_equal(again, public);
    assert_int_equal(strlen(public), 56);
    assert_int_equal(public[0], 'U');
    assert_int_equal(agon_nkey_make(path, again, &error), AGON_EINVALID);
    read_line(path, again);
    assert_string_equal(again, seed);
    unlink(path);
    rmdir(dir);
}

static void test_refused(void** state) {
    static const char good[] = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    char bad[AGON__NKEY_SIZE], public[AGON__NKEY_SIZE] = "same";
    agon_error error;
    (void)state;
    for (size_t i = 0; i < strlen(good); i++) {
        memcpy(bad, good, sizeof good);
        bad[i] = good[i] == 'A' ? 'B' : 'A';
        assert_int_equal(agon__nkey_public(bad, public, &error), AGON_EFORMAT);
        assert_null(strstr(error.text, bad));
        bad[i] = '1';
        assert_int_equal(agon__nkey_public(bad, public, &error), AGON_EFORMAT);
    }
    assert_int_equal(agon__nkey_public("", public, &error), AGON_EFORMAT);
    assert_int_equal(agon__nkey_public("SU", public, &error), AGON_EFORMAT);
    /* a public key, in the place of a seed */
    assert_int_equal(agon__nkey_public("UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4",
                                       public, &error),
                     AGON_EFORMAT);
    assert_string_equal(public, "same");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_made),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
