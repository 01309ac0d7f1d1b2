/* What net/spool.h promises: a finished result is there until somebody took it. */
#include "tests/unit/no_sync.h"

#include "engine/files.h"
#include "net/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static int setup(void** state) {
    (void)state;
    strcpy(dir, "/tmp/agon-spool-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void** state) {
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static void task_name(int number, char out[AGON_HASH_SIZE]) {
    agon_sha256(&number, sizeof number, out);
}

static agon__spool* open_spool(void) {
    agon__spool* spool = NULL;
    assert_int_equal(agon__spool_open(dir, &spool, NULL), AGON_OK);
    return spool;
}

/* A result of so many bytes for a task. */
static void keep(agon__spool* spool, int number, size_t size) {
    agon__result_offer offer = {.lease = 7, .steps = 11, .cpu_ms = 13};
    uint8_t* data = malloc(size);
    memset(data, number, size);
    task_name(number, offer.task);
    assert_int_equal(agon__spool_write(spool, &offer, data, size, NULL), AGON_OK);
    assert_non_null(agon__spool_add(spool, &offer));
    free(data);
}

static void assert_kept(agon__spool* spool, int number, size_t size) {
    char task[AGON_HASH_SIZE], hash[AGON_HASH_SIZE];
    uint8_t* data = NULL;
    size_t got = 0;
    task_name(number, task);
    const agon__spooled* s = agon__spool_find(spool, task);
    assert_non_null(s);
    assert_int_equal(agon__spool_load(spool, task, &data, &got, NULL), AGON_OK);
    assert_int_equal(got, size);
    agon_sha256(data, got, hash);
    assert_string_equal(hash, s->offer.hash);
    assert_int_equal(s->offer.size, size);
    assert_int_equal(s->offer.steps, 11);
    assert_int_equal(s->offer.cpu_ms, 13);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(data[i], number);
    free(data);
}

/* Promise: results, an empty one too, are there in the next process, with what is said of them and
 * without their lease; one that was dropped is not. */
static void test_offered_again(void** state) {
    char task[AGON_HASH_SIZE];
    (void)state;
    agon__spool* spool = open_spool();
    keep(spool, 1, 100);
    keep(spool, 2, 0);
    keep(spool, 3, 300000);
    keep(spool, 3, 200000);
    assert_int_equal(agon__spool_count(spool), 3);
    task_name(1, task);
    assert_int_equal(agon__spool_find(spool, task)->offer.lease, 7);
    agon__spool_drop(spool, task);
    agon__spool_drop(spool, task);
    agon__spool_close(spool);

    spool = open_spool();
    assert_int_equal(agon__spool_count(spool), 2);
    assert_int_equal(agon__spool_damaged(spool), 0);
    assert_null(agon__spool_find(spool, task));
    assert_kept(spool, 2, 0);
    assert_kept(spool, 3, 200000);
    assert_int_equal(agon__spool_first(spool)->offer.lease, 0);
    agon__spool_close(spool);
}

static void damage(const char* task, const char* text) {
    char path[256];
    snprintf(path, sizeof path, "%s/spool.0/%s", dir, task);
    assert_int_equal(agon_file_write(path, text, strlen(text), NULL), AGON_OK);
}

/* Promise: a damaged file is counted and removed, whatever it holds; other files stay. */
static void test_damaged(void** state) {
    static const char* const text[] = {"", "agon.spool/1", "agon.spool/1 x y 1 2 3\nabc",
                                       "agon.spool/2\n", "\n\n\n"};
    char task[AGON_HASH_SIZE], path[256];
    (void)state;
    agon__spool* spool = open_spool();
    keep(spool, 9, 50);
    agon__spool_close(spool);
    for (int i = 0; i < 5; i++) {
        task_name(20 + i, task);
        damage(task, text[i]);
    }
    task_name(9, task);
    snprintf(path, sizeof path, "%s/spool.0/%s", dir, task);
    assert_int_equal(truncate(path, 190), 0);
    snprintf(path, sizeof path, "%s/spool.0/letter.txt", dir);
    assert_int_equal(agon_file_write(path, "x", 1, NULL), AGON_OK);
    for (int damaged = 6; damaged >= 0; damaged -= 6) {
        spool = open_spool();
        assert_int_equal(agon__spool_damaged(spool), damaged);
        assert_int_equal(agon__spool_count(spool), 0);
        agon__spool_close(spool);
    }
    assert_int_equal(access(path, F_OK), 0);
}

/* Promise: two workers with one directory keep their results apart; what a dead one left is taken
 * over by the next that starts. */
static void test_two_workers(void** state) {
    (void)state;
    agon__spool* first = open_spool();
    agon__spool* second = open_spool();
    assert_string_not_equal(agon__spool_dir(first), agon__spool_dir(second));
    keep(first, 1, 10);
    keep(second, 2, 20);
    agon__spool_close(second);
    agon__spool* third = open_spool();
    assert_int_equal(agon__spool_count(third), 1);
    assert_kept(third, 2, 20);
    agon__spool_close(third);
    agon__spool_close(first);
    first = open_spool();
    assert_int_equal(agon__spool_count(first), 2);
    assert_kept(first, 1, 10);
    assert_kept(first, 2, 20);
    agon__spool_close(first);
}

/* Promise: a worker that was killed holds nothing back. */
static void test_killed(void** state) {
    int status;
    (void)state;
    const pid_t child = fork();
    if (child == 0) {
        keep(open_spool(), 5, 77);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    agon__spool* spool = open_spool();
    assert_kept(spool, 5, 77);
    agon__spool_close(spool);
}

/* Promise: a directory that cannot be used is named. */
static void test_bad_directory(void** state) {
    agon__spool* spool = NULL;
    agon_error error = {0};
    char path[256];
    (void)state;
    snprintf(path, sizeof path, "%s/file", dir);
    assert_int_equal(agon_file_write(path, "x", 1, NULL), AGON_OK);
    assert_int_equal(agon__spool_open(path, &spool, &error), AGON_EIO);
    assert_non_null(strstr(error.text, path));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_offered_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_workers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_directory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
