/* The run directory when the world is at its worst: damaged files, kill -9, a full disk. */
#include "tests/unit/store_fixture.h"

#include "games/random.h"

/* A number in 0..n-1 for a purpose of this test; the same in every run. */
static uint32_t pick(uint32_t what, uint32_t i, uint32_t n) {
    agon_key key = agon_key_make(1, "test_store_crash", AGON_FOR_TEST);
    return agon_below(agon_random(key, what, i, 0, 0).word[0], n);
}

static int load_blobs(void* user, const agon_result* result, const agon_task* task) {
    fixture* f = user;
    const char* hashes[2] = {result->as.train.snapshot, result->as.train.learner};
    for (int i = 0; i < 2; i++) {
        uint8_t* data = NULL;
        size_t size;
        assert_int_equal(agon_store_blob_load(f->store, hashes[i], &data, &size, &f->error),
                         AGON_OK);
        free(data);
    }
    return 0;
}

/* Every row's blobs are there and hash right. */
static void assert_sound(fixture* f) {
    int status = agon_store_each(f->store, AGON_TRAIN, load_blobs, f, &f->error);
    if (status != 0)
        fail_msg("%s", f->error.text);
}

/* A run with enough rows for several pages, closed. Returns the bytes of its database. */
static uint8_t* make_database(fixture* f, size_t* size) {
    uint8_t* data = NULL;
    make_run(f);
    for (int generation = 0; generation < 40; generation++) {
        fill_train(f, 0, generation, 0, 16);
        fill_train(f, 1, generation, 1, 16);
        assert_int_equal(put(f, 2), AGON_OK);
    }
    close_run(f);
    assert_int_equal(agon_file_read("run/run.db", 1 << 24, &data, size, NULL), AGON_OK);
    return data;
}

/* Opens, reads everything, and closes; damage may be found at either step. */
static int open_and_read(fixture* f) {
    gathered g = {0};
    int status = open_run(f, false);
    for (int kind = AGON_TRAIN; status == AGON_OK && kind <= AGON_PROBE; kind++)
        status = agon_store_each(f->store, kind, gather, &g, &f->error);
    close_run(f);
    return status;
}

/* Promise: a database cut short anywhere is refused as damaged. */
static void test_truncated_database(void** state) {
    fixture* f = *state;
    size_t size;
    uint8_t* data = make_database(f, &size);
    for (uint32_t i = 0; i < 40; i++) {
        size_t cut = i == 0 ? 0 : i == 1 ? size - 1 : pick(1, i, (uint32_t)size);
        assert_int_equal(agon_file_write("run/run.db", data, cut, NULL), AGON_OK);
        assert_int_equal(open_and_read(f), AGON_EFORMAT);
        assert_says(f, "run/run.db");
    }
    assert_int_equal(agon_file_write("run/run.db", data, size, NULL), AGON_OK);
    assert_int_equal(open_and_read(f), AGON_OK);
    free(data);
}

/* Promise: flipped bits never crash a reader; when it refuses, it says so with a code and a text.
 * (A flip inside a number gives another number, which nothing can notice.) */
static void test_flipped_bits(void** state) {
    fixture* f = *state;
    size_t size;
    uint8_t* data = make_database(f, &size);
    int refused = 0;
    for (uint32_t i = 0; i < 300; i++) {
        /* The first flips go into the page headers, where structure is. */
        size_t at = i < 100 ? (pick(2, i, (uint32_t)(size / 4096)) * 4096 + pick(3, i, 100))
                            : pick(4, i, (uint32_t)size);
        uint8_t bit = (uint8_t)(1u << pick(5, i, 8));
        int status;
        data[at] ^= bit;
        assert_int_equal(agon_file_place("run/run.db", data, size, NULL), AGON_OK);
        data[at] ^= bit;
        status = open_and_read(f);
        assert_true(status <= 0);
        assert_true(status == 0 || f->error.text[0]);
        refused += status != 0;
    }
    print_message("%d of 300 flips were refused\n", refused);
    assert_true(refused > 30);
    memcpy(data, "not a database at all", 21);
    assert_int_equal(agon_file_write("run/run.db", data, size, NULL), AGON_OK);
    assert_int_equal(open_and_read(f), AGON_EFORMAT);
    free(data);
}

/* Promise: opening alone finds structural damage, in any page, before anything is computed. */
static void test_damaged_pages(void** state) {
    fixture* f = *state;
    size_t size;
    uint8_t* data = make_database(f, &size);
    for (size_t page = 4096; page < size; page += 4096) {
        uint8_t kind = data[page];
        data[page] = 0x55; /* no kind of page */
        assert_int_equal(agon_file_place("run/run.db", data, size, NULL), AGON_OK);
        data[page] = kind;
        assert_int_equal(open_run(f, false), AGON_EFORMAT);
        assert_says(f, "restore it from a copy");
    }
    free(data);
}

/* ---- kill -9 ------------------------------------------------------------------------------- */

/* Puts groups of two results for ever, and tells each accepted generation through the pipe. */
static void put_until_killed(fixture* f, int first, int pipe_end) {
    if (open_run(f, true) != AGON_OK)
        _exit(1);
    for (int generation = first;; generation++) {
        fill_train(f, 0, generation, 0, 30000);
        fill_train(f, 1, generation, 1, 30000);
        if (put(f, 2) != AGON_OK || agon_store_prune_learners(f->store, 100000, NULL) != AGON_OK ||
            write(pipe_end, &generation, sizeof generation) != sizeof generation)
            _exit(1);
    }
}

/* One child's life, of so long after its first put (`wait`) or its start. Returns the last
 * generation that its puts accepted, or first - 1. */
static int kill_one(fixture* f, int first, bool wait, unsigned microseconds) {
    int ends[2], status, told = first - 1, next;
    pid_t child;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0)
        put_until_killed(f, first, ends[1]);
    close(ends[1]);
    if (wait)
        assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
    usleep(microseconds);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    while (read(ends[0], &next, sizeof next) == sizeof next)
        told = next;
    close(ends[0]);
    return told;
}

/* Promise: killed at any moment, the run opens, holds every result that a put accepted, in whole
 * groups, and every blob of every row. */
static void test_kill(void** state) {
    fixture* f = *state;
    int stored = 0;
    make_run(f);
    close_run(f);
    for (uint32_t i = 0; i < 20; i++) {
        int told = kill_one(f, stored, i % 2, 1000 + pick(6, i, 20000));
        gathered g;
        if (open_run(f, true) != AGON_OK)
            fail_msg("round %u: %s", i, f->error.text);
        assert_sound(f);
        g = each(f, AGON_TRAIN);
        assert_int_equal(g.count % 2, 0);
        assert_true(g.count / 2 > told);
        stored = g.count / 2;
        run_shell("! ls run/blobs | grep -q agon-tmp");
        close_run(f);
    }
    print_message("%d groups survived 20 kills\n", stored);
    assert_true(stored >= 10);
}

/* Promise: pruning that was cut short between rows and files is finished by the next writer. */
static void test_kill_while_pruning(void** state) {
    fixture* f = *state;
    make_run(f);
    for (int generation = 0; generation < 3; generation++) {
        fill_train(f, 0, generation, 0, 50);
        assert_int_equal(put(f, 1), AGON_OK);
    }
    run_shell("cp -r run/blobs before");
    assert_int_equal(agon_store_prune_learners(f->store, 1, NULL), AGON_OK);
    assert_int_equal(blobs_on_disk(), 4);
    run_shell("cp before/* run/blobs/"); /* rows gone, files not */
    close_run(f);
    assert_int_equal(open_run(f, true), AGON_OK);
    assert_int_equal(blobs_on_disk(), 4);
}

/* ---- a full disk --------------------------------------------------------------------------- */

/* run/ becomes a file system of one MiB; false when this machine does not allow it. */
static bool mount_small(void) {
    return geteuid() == 0 && mkdir("run", 0777) == 0 &&
           system("mount -t tmpfs -o size=1m agon-test run 2>/dev/null") == 0;
}

/* Puts generations until the disk is full; returns the one that did not fit. */
static int put_until_full(fixture* f, int first, size_t size) {
    for (int generation = first; generation < first + 1000; generation++) {
        int status;
        fill_train(f, 0, generation, 0, size);
        status = put(f, 1);
        if (status == AGON_OK)
            continue;
        assert_int_equal(status, AGON_ENOSPACE);
        assert_says(f, "MiB are free");
        assert_says(f, "nothing was lost");
        return generation;
    }
    fail_msg("the disk never filled");
    return -1;
}

/* After a refusal: all that was accepted is there, nothing half is; with room, the same put goes
 * through and the run opens again. */
static void assert_recovers(fixture* f, int generations) {
    assert_int_equal(each(f, AGON_TRAIN).count, generations);
    assert_sound(f);
    run_shell("! ls run/blobs | grep -q agon-tmp");
    run_shell("rm -f run/ballast");
    if (put(f, 1) != AGON_OK)
        fail_msg("with room again: %s", f->error.text);
    assert_int_equal(each(f, AGON_TRAIN).count, generations + 1);
    close_run(f);
    if (open_run(f, true) != AGON_OK)
        fail_msg("reopened: %s", f->error.text);
    assert_sound(f);
}

/* Promise: AGON_ENOSPACE loses nothing, whether the room ends at a blob or at a row. */
static void test_full_disk(void** state) {
    fixture* f = *state;
    int full;
    if (!mount_small()) {
        print_message("skipped: a full disk needs root and mount\n");
        skip();
    }
    make_run(f);
    run_shell("head -c 200000 /dev/zero > run/ballast");
    full = put_until_full(f, 0, 20000);
    assert_recovers(f, full);
    /* Small blobs: now it is the database that does not fit. */
    run_shell("cat /dev/zero > run/ballast 2>/dev/null; truncate -s -20480 run/ballast");
    full = put_until_full(f, full + 1, 10);
    assert_recovers(f, full);
}

static int teardown_mount(void** state) {
    fixture* f = *state;
    close_run(f);
    if (system("mountpoint -q run && umount run") != 0)
        errno = 0;
    return teardown(state);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_truncated_database),
        TEST(test_flipped_bits),
        TEST(test_damaged_pages),
        TEST(test_kill),
        TEST(test_kill_while_pruning),
        cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown_mount),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
