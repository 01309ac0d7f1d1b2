/* What net/cache.h promises: verified bytes, a limit, pins, and files that others touch, too. */
#include "tests/unit/no_sync.h"

#include "engine/files.h"
#include "net/cache.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE 1000

typedef struct place {
    char dir[64];
    agon__cache* cache;
    char hash[8][AGON_HASH_SIZE];
    uint8_t blob[8][SIZE];
} place;

static int setup(void** state) {
    place* p = calloc(1, sizeof *p);
    strcpy(p->dir, "/tmp/agon-cache-XXXXXX");
    *state = p;
    for (int i = 0; i < 8; i++) {
        memset(p->blob[i], 'a' + i, SIZE);
        agon_sha256(p->blob[i], SIZE, p->hash[i]);
    }
    return mkdtemp(p->dir) ? 0 : -1;
}

static int teardown(void** state) {
    place* p = *state;
    char command[128];
    agon__cache_close(p->cache);
    snprintf(command, sizeof command, "rm -rf %s", p->dir);
    free(p);
    return system(command);
}

static void open_with(place* p, uint64_t limit) {
    agon__cache_close(p->cache);
    p->cache = NULL;
    assert_int_equal(agon__cache_open(p->dir, limit, &p->cache, NULL), AGON_OK);
}

static void put(place* p, int i) {
    assert_int_equal(agon__cache_put(p->cache, p->hash[i], p->blob[i], SIZE, NULL), AGON_OK);
}

static void overwrite(const place* p, int i, const char* text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", p->dir, p->hash[i]);
    assert_int_equal(agon_file_write(path, text, strlen(text), NULL), AGON_OK);
}

static int load(place* p, int i) {
    uint8_t* data = NULL;
    size_t size = 0;
    const int rc = agon__cache_load(p->cache, p->hash[i], &data, &size, NULL);
    if (!rc) {
        assert_int_equal(size, SIZE);
        assert_memory_equal(data, p->blob[i], SIZE);
    }
    free(data);
    return rc;
}

/* Promise: what is put comes back, also to a later process; other bytes than the name's are
 * refused, and what was never put is missing. */
static void test_keeps(void** state) {
    place* p = *state;
    agon_error error = {0};
    open_with(p, 1 << 20);
    put(p, 0);
    put(p, 0);
    assert_int_equal(agon__cache_bytes(p->cache), SIZE);
    open_with(p, 1 << 20);
    assert_true(agon__cache_has(p->cache, p->hash[0]));
    assert_int_equal(load(p, 0), AGON_OK);
    assert_false(agon__cache_has(p->cache, p->hash[1]));
    assert_int_equal(load(p, 1), AGON_EMISSING);
    assert_int_equal(agon__cache_put(p->cache, p->hash[1], p->blob[0], SIZE, &error), AGON_EFORMAT);
    assert_non_null(strstr(error.text, "hashes to"));
    assert_false(agon__cache_has(p->cache, p->hash[1]));
}

/* Promise: the least recently used goes first, in this process and by the files' times in the next;
 * pinned ones stay, also above the limit, until the last pin is gone. */
static void test_gives_up_oldest(void** state) {
    place* p = *state;
    open_with(p, 3 * SIZE);
    for (int i = 0; i < 3; i++)
        put(p, i);
    assert_int_equal(load(p, 0), AGON_OK);
    put(p, 3);
    assert_false(agon__cache_has(p->cache, p->hash[1]));
    assert_true(agon__cache_has(p->cache, p->hash[0]));
    assert_int_equal(agon__cache_bytes(p->cache), 3 * SIZE);
    for (int i = 0; i < 2; i++)
        assert_true(agon__cache_pin(p->cache, p->hash[0]));
    for (int i = 4; i < 8; i++)
        put(p, i);
    assert_true(agon__cache_has(p->cache, p->hash[0]));
    assert_int_equal(agon__cache_bytes(p->cache), 3 * SIZE);
    agon__cache_unpin(p->cache, p->hash[0]);
    put(p, 1);
    assert_true(agon__cache_has(p->cache, p->hash[0]));
    agon__cache_unpin(p->cache, p->hash[0]);
    assert_false(agon__cache_pin(p->cache, p->hash[2]));
    open_with(p, SIZE);
    assert_int_equal(agon__cache_bytes(p->cache), SIZE);
}

/* Promise: a blob larger than the limit is still kept for the task that needs it. */
static void test_small_limit(void** state) {
    place* p = *state;
    open_with(p, 1);
    put(p, 0);
    assert_true(agon__cache_pin(p->cache, p->hash[0]));
    put(p, 1);
    assert_int_equal(load(p, 0), AGON_OK);
    assert_int_equal(load(p, 1), AGON_OK);
    agon__cache_unpin(p->cache, p->hash[0]);
    assert_int_equal(agon__cache_bytes(p->cache), 0);
}

/* Promise: a damaged file is missing and is removed; so is one that somebody else deleted, pinned
 * or not, and it may be put again. */
static void test_files_change(void** state) {
    place* p = *state;
    char path[256];
    open_with(p, 1 << 20);
    put(p, 0);
    assert_true(agon__cache_pin(p->cache, p->hash[0]));
    overwrite(p, 0, "something else");
    assert_int_equal(load(p, 0), AGON_EMISSING);
    assert_false(agon__cache_has(p->cache, p->hash[0]));
    put(p, 0);
    assert_int_equal(load(p, 0), AGON_OK);
    snprintf(path, sizeof path, "%s/%s", p->dir, p->hash[0]);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(load(p, 0), AGON_EMISSING);
    assert_int_equal(agon__cache_bytes(p->cache), 0);
    agon__cache_unpin(p->cache, p->hash[0]);
    put(p, 0);
    assert_int_equal(load(p, 0), AGON_OK);
}

/* Promise: two processes share a directory: one sees what the other brought. Temporary files of
 * dead processes go, those of living ones and other people's files stay. */
static void test_shared(void** state) {
    place* p = *state;
    agon__cache* other = NULL;
    char path[3][256];
    open_with(p, 1 << 20);
    assert_int_equal(agon__cache_open(p->dir, 1 << 20, &other, NULL), AGON_OK);
    put(p, 2);
    assert_true(agon__cache_pin(other, p->hash[2]));
    agon__cache_unpin(other, p->hash[2]);
    agon__cache_close(other);
    snprintf(path[0], 256, "%s/%s.%d-1" AGON_TEMPORARY, p->dir, p->hash[0], 1 << 30);
    snprintf(path[1], 256, "%s/%s.%d-1" AGON_TEMPORARY, p->dir, p->hash[0], (int)getpid());
    snprintf(path[2], 256, "%s/letter.txt", p->dir);
    for (int i = 0; i < 3; i++)
        assert_int_equal(agon_file_write(path[i], "x", 1, NULL), AGON_OK);
    open_with(p, 1);
    assert_int_not_equal(access(path[0], F_OK), 0);
    assert_int_equal(access(path[1], F_OK), 0);
    assert_int_equal(access(path[2], F_OK), 0);
}

static void* hammer(void* user) {
    place* p = user;
    for (int round = 0; round < 300; round++) {
        const int i = round % 8;
        int rc = agon__cache_put(p->cache, p->hash[i], p->blob[i], SIZE, NULL);
        if (!rc && agon__cache_pin(p->cache, p->hash[i])) {
            rc = load(p, i);
            agon__cache_unpin(p->cache, p->hash[i]);
        }
        if (rc)
            return user;
    }
    return NULL;
}

/* Promise: threads may use it at the same time; what is pinned can be read. */
static void test_threads(void** state) {
    place* p = *state;
    pthread_t thread[4];
    open_with(p, 3 * SIZE);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, hammer, p), 0);
    for (int i = 0; i < 4; i++) {
        void* failed;
        assert_int_equal(pthread_join(thread[i], &failed), 0);
        assert_null(failed);
    }
}

/* Promise: a directory that cannot be used is named. */
static void test_bad_directory(void** state) {
    place* p = *state;
    char path[256];
    agon_error error = {0};
    snprintf(path, sizeof path, "%s/file", p->dir);
    assert_int_equal(agon_file_write(path, "x", 1, NULL), AGON_OK);
    assert_int_equal(agon__cache_open(path, 1, &p->cache, &error), AGON_EIO);
    assert_non_null(strstr(error.text, path));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keeps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gives_up_oldest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_small_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_files_change, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_directory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
