/* test_inbox.c: blobs that arrive in chunks. */
#include "net/inbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 4 << 20 };

typedef struct parcel {
    uint8_t* data; /* owned */
    size_t size;
    char hash[AGON_HASH_SIZE];
} parcel;

static parcel make_parcel(size_t size, uint8_t seed) {
    parcel p = {.data = malloc(size + 1), .size = size};
    for (size_t i = 0; i < size; i++)
        p.data[i] = (uint8_t)(i * 7 + i / 4096 + seed);
    agon_sha256(p.data, size, p.hash);
    return p;
}

static agon__chunk chunk_of(const parcel* p, int index) {
    agon__chunk chunk = {.index = index, .count = agon__chunks(p->size)};
    const size_t at = (size_t)index * AGON__CHUNK;
    strcpy(chunk.hash, p->hash);
    chunk.data = p->data + at;
    chunk.size = p->size - at < AGON__CHUNK ? p->size - at : AGON__CHUNK;
    return chunk;
}

static agon__inbox* open_inbox(void) {
    agon__inbox* inbox;
    assert_int_equal(agon__inbox_open(LIMIT, &inbox, NULL), AGON_OK);
    return inbox;
}

/* Adds a chunk; true: the blob is whole, and right. */
static bool add(agon__inbox* inbox, const parcel* p, int index) {
    const agon__chunk chunk = chunk_of(p, index);
    uint8_t* data;
    size_t size;
    assert_int_equal(agon__inbox_add(inbox, &chunk, &data, &size, NULL), AGON_OK);
    if (!data)
        return false;
    assert_int_equal(size, p->size);
    assert_memory_equal(data, p->data, size);
    free(data);
    return true;
}

static void must_fail(agon__inbox* inbox, const agon__chunk* chunk, int code, const char* part) {
    uint8_t* data;
    size_t size;
    agon_error error = {0};
    assert_int_equal(agon__inbox_add(inbox, chunk, &data, &size, &error), code);
    assert_null(data);
    if (!strstr(error.text, part))
        fail_msg("\"%s\" does not say \"%s\"", error.text, part);
}

/* Promise: blobs of any size come whole, whether their size was known or not, and afterwards the
 * inbox holds nothing. */
static void test_sizes(void** unused) {
    static const size_t sizes[] = {
        1, AGON__CHUNK - 1, AGON__CHUNK, AGON__CHUNK + 1, 3 * AGON__CHUNK, 7 * AGON__CHUNK + 12345};
    agon__inbox* inbox = open_inbox();
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        parcel p = make_parcel(sizes[i / 2], 0);
        const int count = agon__chunks(p.size);
        assert_int_equal(agon__inbox_expect(inbox, p.hash, i % 2 ? p.size : 0, NULL), AGON_OK);
        for (int k = 0; k < count; k++) {
            assert_int_equal(agon__inbox_next(inbox, p.hash), k);
            assert_int_equal(add(inbox, &p, k), k == count - 1);
        }
        assert_int_equal(agon__inbox_bytes(inbox), 0);
        free(p.data);
    }
    agon__inbox_close(inbox);
}

/* Promise: an empty blob is one empty chunk. */
static void test_empty(void** unused) {
    agon__inbox* inbox = open_inbox();
    parcel p = make_parcel(0, 0);
    assert_int_equal(agon__chunks(0), 1);
    assert_int_equal(agon__inbox_expect(inbox, p.hash, 0, NULL), AGON_OK);
    assert_true(add(inbox, &p, 0));
    free(p.data);
    agon__inbox_close(inbox);
}

/* Promise: chunks may come in any order and twice, of two blobs by turns; the first that lacks is
 * told. */
static void test_order(void** unused) {
    static const int order[] = {2, 0, 2, 4, 0, 3, 1};
    agon__inbox* inbox = open_inbox();
    parcel a = make_parcel(9 * AGON__CHUNK / 2, 1), b = make_parcel(5 * AGON__CHUNK / 2, 2);
    assert_int_equal(agon__inbox_expect(inbox, b.hash, 0, NULL), AGON_OK);
    assert_int_equal(agon__inbox_expect(inbox, a.hash, a.size, NULL), AGON_OK);
    assert_false(add(inbox, &b, 2));
    for (int i = 0; i < 7; i++) {
        if (i == 3)
            assert_false(add(inbox, &b, 0));
        assert_int_equal(add(inbox, &a, order[i]), i == 6);
        if (i == 5)
            assert_int_equal(agon__inbox_next(inbox, a.hash), 1);
    }
    assert_int_equal(agon__inbox_next(inbox, b.hash), 1);
    assert_true(add(inbox, &b, 1));
    const agon__chunk late = chunk_of(&a, 0);
    must_fail(inbox, &late, AGON_EMISSING, "nobody waits for it");
    free(a.data);
    free(b.data);
    agon__inbox_close(inbox);
}

/* Promise: a chunk that does not fit ends its blob; asked for again, it comes whole. */
static void test_lies(void** unused) {
    parcel p = make_parcel(2 * AGON__CHUNK + 100, 3);
    uint8_t* large = calloc(1, AGON__CHUNK + 1);
    const struct {
        int index, count;
        size_t size;
        bool sized; /* was the size known? */
        const char* part;
    } cases[] = {
        {-1, 3, AGON__CHUNK, true, "index = -1"},
        {3, 3, 100, true, "index = 3"},
        {0, 0, AGON__CHUNK, false, "index = 0; expected 0..-1"},
        {1, 3, AGON__CHUNK - 1, true, "in 1 of 3"},
        {1, 3, AGON__CHUNK + 1, true, "in 1 of 3"},
        {2, 3, AGON__CHUNK + 1, false, "in 2 of 3"},
        {2, 3, 0, true, "0 bytes in 2 of 3"},
        {2, 3, 99, true, "expected 1048676"},
        {1, 4, AGON__CHUNK, true, "expected one of 3"},
        {1, 2, 99, true, "expected one of 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        agon__inbox* inbox = open_inbox();
        agon__chunk chunk = {
            .index = cases[i].index, .count = cases[i].count, .data = large, .size = cases[i].size};
        strcpy(chunk.hash, p.hash);
        assert_int_equal(agon__inbox_expect(inbox, p.hash, cases[i].sized ? p.size : 0, NULL),
                         AGON_OK);
        if (cases[i].count)
            assert_false(add(inbox, &p, 0));
        must_fail(inbox, &chunk, AGON_EFORMAT, cases[i].part);
        assert_int_equal(agon__inbox_bytes(inbox), 0);
        assert_int_equal(agon__inbox_next(inbox, p.hash), 0);
        const agon__chunk first = chunk_of(&p, 0);
        must_fail(inbox, &first, AGON_EMISSING, p.hash);
        assert_int_equal(agon__inbox_expect(inbox, p.hash, p.size, NULL), AGON_OK);
        assert_false(add(inbox, &p, 2));
        assert_false(add(inbox, &p, 0));
        assert_true(add(inbox, &p, 1));
        agon__inbox_close(inbox);
    }
    free(large);
    free(p.data);
}

/* Promise: a last chunk that comes twice with other lengths does not end the blob elsewhere. */
static void test_two_ends(void** unused) {
    agon__inbox* inbox = open_inbox();
    parcel p = make_parcel(2 * AGON__CHUNK + 100, 3);
    assert_int_equal(agon__inbox_expect(inbox, p.hash, 0, NULL), AGON_OK);
    assert_false(add(inbox, &p, 2));
    agon__chunk other = chunk_of(&p, 2);
    other.size = 99;
    must_fail(inbox, &other, AGON_EFORMAT, "ends at byte 1048675; expected 1048676");
    free(p.data);
    agon__inbox_close(inbox);
}

/* Promise: one wrong bit, in any chunk, is found by the hash. */
static void test_wrong_bit(void** unused) {
    agon__inbox* inbox = open_inbox();
    parcel p = make_parcel(AGON__CHUNK + 50, 4);
    for (size_t i = 0; i < 3; i++) {
        const size_t at[] = {0, AGON__CHUNK - 1, AGON__CHUNK + 49};
        p.data[at[i]] ^= 0x10;
        assert_int_equal(agon__inbox_expect(inbox, p.hash, p.size, NULL), AGON_OK);
        assert_false(add(inbox, &p, 0));
        const agon__chunk last = chunk_of(&p, 1);
        must_fail(inbox, &last, AGON_EFORMAT, "its bytes hash to");
        assert_int_equal(agon__inbox_bytes(inbox), 0);
        p.data[at[i]] ^= 0x10;
    }
    free(p.data);
    agon__inbox_close(inbox);
}

/* Promise: all blobs on their way share the limit, also those whose size is not known before their
 * first chunk; what is forgotten makes room. */
static void test_limit(void** unused) {
    agon__inbox* inbox = open_inbox();
    agon_error error = {0};
    parcel a = make_parcel(5 * AGON__CHUNK, 5), b = make_parcel(4 * AGON__CHUNK, 6);
    assert_int_equal(agon__inbox_expect(inbox, a.hash, (size_t)LIMIT + 1, &error), AGON_ELIMIT);
    assert_int_equal(agon__inbox_expect(inbox, a.hash, UINT64_MAX, NULL), AGON_ELIMIT);
    assert_int_equal(agon__inbox_expect(inbox, a.hash, a.size, NULL), AGON_OK);
    assert_int_equal(agon__inbox_bytes(inbox), a.size);
    assert_int_equal(agon__inbox_expect(inbox, b.hash, b.size, &error), AGON_ELIMIT);
    assert_non_null(strstr(error.text, "2097152 bytes, with 2621440 of others on their way"));
    assert_int_equal(agon__inbox_expect(inbox, b.hash, 0, NULL), AGON_OK);
    const agon__chunk first = chunk_of(&b, 0);
    must_fail(inbox, &first, AGON_ELIMIT, "expected at most 4194304 in all");
    agon__chunk bomb = first;
    bomb.count = 1 << 20;
    assert_int_equal(agon__inbox_expect(inbox, b.hash, 0, NULL), AGON_OK);
    must_fail(inbox, &bomb, AGON_ELIMIT, "549755813888 bytes");
    assert_int_equal(agon__inbox_bytes(inbox), a.size);
    agon__inbox_forget(inbox, a.hash);
    agon__inbox_forget(inbox, a.hash);
    assert_int_equal(agon__inbox_bytes(inbox), 0);
    assert_int_equal(agon__inbox_expect(inbox, b.hash, b.size, NULL), AGON_OK);
    agon__inbox_close(inbox);
    agon__inbox_close(NULL);
    free(a.data);
    free(b.data);
}

/* Promise: to expect a blob again changes nothing; of another size, it is refused. */
static void test_expected_again(void** unused) {
    agon__inbox* inbox = open_inbox();
    parcel p = make_parcel(2 * AGON__CHUNK, 7);
    assert_int_equal(agon__inbox_expect(inbox, p.hash, p.size, NULL), AGON_OK);
    assert_false(add(inbox, &p, 1));
    assert_int_equal(agon__inbox_expect(inbox, p.hash, p.size, NULL), AGON_OK);
    assert_int_equal(agon__inbox_expect(inbox, p.hash, 0, NULL), AGON_OK);
    assert_int_equal(agon__inbox_expect(inbox, p.hash, 5, NULL), AGON_EFORMAT);
    assert_int_equal(agon__inbox_bytes(inbox), p.size);
    assert_true(add(inbox, &p, 0));
    free(p.data);
    agon__inbox_close(inbox);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),    cmocka_unit_test(test_empty),
        cmocka_unit_test(test_order),    cmocka_unit_test(test_lies),
        cmocka_unit_test(test_two_ends), cmocka_unit_test(test_wrong_bit),
        cmocka_unit_test(test_limit),    cmocka_unit_test(test_expected_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
