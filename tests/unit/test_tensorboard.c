/* Promises of engine/tensorboard.h: checksums are CRC-32C, and a file is exactly the bytes that
 * TensorFlow's writer makes of the same events. (That TensorBoard opens it: check_export.py.) */
#include "engine/tensorboard.h"

#include "engine/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* Promise: the checksums of RFC 3720, appendix B.4, and its masked form undone by hand. */
static void test_checksum(void** state) {
    uint8_t zeros[32] = {0}, ones[32], rising[32];
    for (int i = 0; i < 32; i++) {
        ones[i] = 0xff;
        rising[i] = (uint8_t)i;
    }
    assert_int_equal(agon_crc32c("123456789", 9), 0xe3069283u);
    assert_int_equal(agon_crc32c(zeros, 32), 0x8a9136aau);
    assert_int_equal(agon_crc32c(ones, 32), 0x62a8ab43u);
    assert_int_equal(agon_crc32c(rising, 32), 0x46dd794eu);
    const uint32_t rotated = agon_crc32c_masked("123456789", 9) - 0xa282ead8u;
    assert_int_equal(rotated << 15 | rotated >> 17, 0xe3069283u);
}

static uint32_t little(const uint8_t* at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The record at `at`, its frame checked; *size: of its payload. */
static const uint8_t* record(const uint8_t* at, size_t* size) {
    *size = little(at);
    assert_int_equal(little(at + 4), 0);
    assert_int_equal(little(at + 8), agon_crc32c_masked(at, 8));
    assert_int_equal(little(at + 12 + *size), agon_crc32c_masked(at + 12, *size));
    return at + 12;
}

/* Promise: an event is wall time, step and one tagged value, as protocol buffers encode them. */
static void test_bytes(void** state) {
    static const uint8_t expected[] = {
        0x09, 0,    0,    0,    0,    0, 0, 0xf8, 0x3f, /* 1: wall_time 1.5 */
        0x10, 0xac, 0x02,                               /* 2: step 300 */
        0x2a, 0x0c,                                     /* 5: summary of 12 bytes */
        0x0a, 0x0a,                                     /* 1: value of 10 bytes */
        0x0a, 0x03, 'a',  '.',  'b',                    /* 1: tag */
        0x15, 0,    0,    0x20, 0xc0,                   /* 2: simple_value -2.5 */
    };
    char dir[] = "/tmp/agon-events-XXXXXX", inner[64], path[AGON_PATH_SIZE];
    uint8_t* bytes = NULL;
    size_t size = 0, length;
    agon_events* events = agon_events_open();
    assert_non_null(mkdtemp(dir));
    snprintf(inner, sizeof inner, "%s/a/b", dir);
    agon_events_scalar(events, "a.b", 300, 1.5, -2.5f);
    assert_int_equal(agon_events_count(events), 1);
    assert_int_equal(agon_events_write(events, inner, path, NULL), 0);
    agon_events_close(events);
    assert_non_null(strstr(path, "tfevents")); /* TensorBoard looks for this word */
    assert_int_equal(agon_file_read(path, 1 << 20, &bytes, &size, NULL), 0);
    const uint8_t* at = record(bytes, &length);
    assert_int_equal(length, 9 + 2 + 13);
    assert_memory_equal(at + 9,
                        "\x1a\x0d"
                        "brain.Event:2",
                        15);
    at = record(at + length + 4, &length);
    assert_int_equal(length, sizeof expected);
    assert_memory_equal(at, expected, sizeof expected);
    assert_int_equal(at + length + 4 - bytes, size);
    free(bytes);
    snprintf(path, sizeof path, "rm -rf %s", dir);
    assert_int_equal(system(path), 0);
}

/* Promise: a tag of any length stays inside its buffer; a folder that cannot be made is named. */
static void test_limits(void** state) {
    char tag[5000];
    agon_error error = {0};
    agon_events* events = agon_events_open();
    memset(tag, 'x', sizeof tag);
    tag[sizeof tag - 1] = '\0';
    agon_events_scalar(events, tag, INT64_MAX, 1e300, 1e30f);
    assert_int_equal(agon_events_write(events, "/dev/null/x", NULL, &error), AGON_EIO);
    assert_non_null(strstr(error.text, "/dev/null"));
    agon_events_close(events);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
