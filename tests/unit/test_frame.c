/* test_frame.c: messages cut from a stream of bytes. */
#include "net/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 300000 };

static void put_head(uint8_t* at, size_t length) {
    at[0] = (uint8_t)(length >> 24);
    at[1] = (uint8_t)(length >> 16);
    at[2] = (uint8_t)(length >> 8);
    at[3] = (uint8_t)length;
}

/* A stream of messages of these lengths; message i is bytes of value i. The caller frees it. */
static uint8_t* make_stream(const size_t* length, int count, size_t* size) {
    *size = 0;
    for (int i = 0; i < count; i++)
        *size += AGON__FRAME_HEAD + length[i];
    uint8_t *stream = malloc(*size), *at = stream;
    for (int i = 0; i < count; i++) {
        put_head(at, length[i]);
        memset(at + AGON__FRAME_HEAD, i, length[i]);
        at += AGON__FRAME_HEAD + length[i];
    }
    return stream;
}

static const size_t lengths[] = {1, 70000, 3, 200000, LIMIT, 2, 1, 5000};
enum { MESSAGES = sizeof lengths / sizeof *lengths };

/* Takes what is there; returns the number of the next message. */
static int take_all(agon__frames* frames, int next) {
    const uint8_t* data;
    size_t size;
    while (agon__frames_next(frames, &data, &size)) {
        assert_true(next < MESSAGES);
        assert_int_equal(size, lengths[next]);
        for (size_t i = 0; i < size; i++)
            if (data[i] != next)
                fail_msg("message %d: byte %zu is %d", next, i, data[i]);
        next++;
    }
    return next;
}

/* Promise: however the bytes are cut, the same messages come out, each when its last byte is there.
 */
static void test_pieces(void** unused) {
    static const size_t pieces[] = {1, 3, 4, 5, 1000, 65536, 1 << 20};
    size_t size;
    uint8_t* stream = make_stream(lengths, MESSAGES, &size);
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        agon__frames frames = {.limit = LIMIT};
        int taken = 0;
        for (size_t at = 0; at < size; at += pieces[p]) {
            const size_t piece = size - at < pieces[p] ? size - at : pieces[p];
            /* A buffer of its own, so that a sanitizer sees reads beyond it. */
            uint8_t* copy = malloc(piece);
            memcpy(copy, stream + at, piece);
            assert_int_equal(agon__frames_add(&frames, copy, piece, NULL), AGON_OK);
            free(copy);
            taken = take_all(&frames, taken);
        }
        assert_int_equal(taken, MESSAGES);
        assert_false(agon__frames_waiting(&frames));
        agon__frames_clear(&frames);
    }
    free(stream);
}

/* Promise: messages that are not taken wait, while more bytes are added. */
static void test_untaken(void** unused) {
    size_t size;
    uint8_t* stream = make_stream(lengths, MESSAGES, &size);
    agon__frames frames = {.limit = LIMIT};
    const uint8_t* data;
    size_t length;
    assert_int_equal(agon__frames_add(&frames, stream, 70050, NULL), AGON_OK);
    assert_true(agon__frames_next(&frames, &data, &length));
    assert_int_equal(length, 1);
    assert_int_equal(agon__frames_add(&frames, stream + 70050, size - 70050, NULL), AGON_OK);
    assert_int_equal(take_all(&frames, 1), MESSAGES);
    agon__frames_clear(&frames);
    free(stream);
}

/* Promise: a message is waited for from its first byte to its last, behind whole ones, too. */
static void test_waiting(void** unused) {
    const uint8_t bytes[] = {0, 0, 0, 2, 7, 8, 0, 0, 0, 1, 9};
    const bool waits[] = {false, true, true, true, true, true,
                          false, true, true, true, true, false};
    for (size_t size = 0; size <= sizeof bytes; size++) {
        agon__frames frames = {.limit = LIMIT};
        assert_int_equal(agon__frames_add(&frames, bytes, size, NULL), AGON_OK);
        assert_int_equal(agon__frames_waiting(&frames), waits[size]);
        agon__frames_clear(&frames);
    }
}

/* Promise: a length of 0 or over the limit is refused by its head, the first in a stream or a later
 * one, at its fourth byte; and a message of the limit is not. */
static void test_bombs(void** unused) {
    static const struct {
        uint32_t length;
        int code;
        const char* text;
    } cases[] = {
        {0, AGON_EFORMAT, "a message of 0 bytes; expected 1..300000"},
        {LIMIT, AGON_OK, NULL},
        {LIMIT + 1, AGON_ELIMIT, "a message of 300001 bytes; expected at most 300000"},
        {0x7fffffff, AGON_ELIMIT, "a message of 2147483647 bytes; expected at most 300000"},
        {0xffffffff, AGON_ELIMIT, "a message of 4294967295 bytes; expected at most 300000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int later = 0; later < 2; later++) {
            uint8_t head[9] = {0, 0, 0, 1, 5};
            agon__frames frames = {.limit = LIMIT};
            agon_error error = {0};
            put_head(head + 5, cases[i].length);
            assert_int_equal(agon__frames_add(&frames, head + 5 * !later, 5u * later + 3, NULL),
                             AGON_OK);
            assert_int_equal(agon__frames_add(&frames, head + 8, 1, &error), cases[i].code);
            if (cases[i].text)
                assert_string_equal(error.text, cases[i].text);
            agon__frames_clear(&frames);
        }
}

/* Promise: messages before a refused head are still there, and nothing comes after them. */
static void test_before_bomb(void** unused) {
    static const uint8_t bytes[] = {0, 0, 0, 1, 5, 0, 0, 0, 0, 0, 0, 0, 1, 6};
    agon__frames frames = {.limit = LIMIT};
    const uint8_t* data;
    size_t size;
    assert_int_equal(agon__frames_add(&frames, bytes, sizeof bytes, NULL), AGON_EFORMAT);
    assert_true(agon__frames_next(&frames, &data, &size));
    assert_int_equal(data[0], 5);
    assert_false(agon__frames_next(&frames, &data, &size));
    agon__frames_clear(&frames);
}

/* Promise: the buffer holds at most twice what arrived, whatever a head promises, and one that grew
 * is given back when a short message follows. */
static void test_memory(void** unused) {
    agon__frames frames = {.limit = LIMIT};
    uint8_t head[AGON__FRAME_HEAD];
    uint8_t* zeros = calloc(1, LIMIT);
    put_head(head, LIMIT);
    assert_int_equal(agon__frames_add(&frames, head, sizeof head, NULL), AGON_OK);
    assert_true(frames.room <= 4096);
    for (size_t at = 0; at < LIMIT; at += 1000) {
        assert_int_equal(agon__frames_add(&frames, zeros + at, 1000, NULL), AGON_OK);
        assert_true(frames.room <= 4096 || frames.room <= 2 * frames.used);
    }
    const uint8_t* data;
    size_t size;
    assert_true(agon__frames_next(&frames, &data, &size));
    assert_int_equal(size, LIMIT);
    assert_int_equal(agon__frames_add(&frames, (uint8_t[]){0, 0, 0, 1, 5}, 5, NULL), AGON_OK);
    assert_true(frames.room <= 4096);
    assert_true(agon__frames_next(&frames, &data, &size));
    assert_int_equal(data[0], 5);
    agon__frames_clear(&frames);
    assert_null(frames.data);
    assert_int_equal(frames.limit, LIMIT);
    free(zeros);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),      cmocka_unit_test(test_untaken),
        cmocka_unit_test(test_waiting),     cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_before_bomb), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
