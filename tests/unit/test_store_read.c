/* What engine/store.h promises of long runs: one result is read at a time, old learners go as new
 * ones come, and runs that were made before the store knew how are served the same. */
#include "tests/unit/store_fixture.h"

/* ---- reading ------------------------------------------------------------------------------ */

/* Promise: a result is found by its key as it was put, by a reader and by the writer itself. */
static void test_find(void** state) {
    fixture* f = *state;
    agon_bytes probes = make_blob("probes", 64);
    agon_result found;
    make_run(f);
    assert_int_equal(agon_store_put_blob(f->store, &probes, &f->error), AGON_OK);
    fill_train(f, 0, 3, 1, 100);
    fill_match(f, 1, 3, 0, 1);
    fill_match(f, 2, 3, 0, -2);
    fill_probe(f, 3, probes.hash);
    assert_int_equal(agon_store_find(f->store, AGON_TRAIN, "train/3/1", &found, &f->error),
                     AGON_EMISSING);
    assert_int_equal(put(f, 4), AGON_OK);
    for (int reader = 0; reader < 2; reader++) {
        assert_int_equal(agon_store_find(f->store, AGON_TRAIN, "train/3/1", &found, NULL), 0);
        assert_string_equal(found.as.train.snapshot, f->result[0].as.train.snapshot);
        assert_int_equal(found.blobs, 0);
        assert_int_equal(agon_store_find(f->store, AGON_MATCH, "match/3/0/1", &found, NULL), 0);
        assert_int_equal(found.as.match.seats, 2);
        assert_int_equal(found.as.match.tally[1].losses, 3);
        for (int again = 0; again < 2; again++) { /* each has its own probabilities */
            assert_int_equal(agon_store_find(f->store, AGON_PROBE, "probe/3/1", &found, NULL), 0);
            assert_memory_equal(found.as.probe.probability, f->result[3].as.probe.probability,
                                6 * sizeof(float));
            agon_result_clear(&found);
        }
        assert_int_equal(agon_store_find(f->store, AGON_MATCH, "match/3/1/0", &found, NULL),
                         AGON_EMISSING);
        assert_int_equal(agon_store_find(f->store, AGON_TRAIN, "match/3/0/1", &found, NULL),
                         AGON_EMISSING);
        close_run(f);
        assert_int_equal(open_run(f, false), AGON_OK);
    }
    free(probes.data);
}

static void count(void* user, int generation, bool final) {
    ((int*)user)[2 * generation + final]++;
}

/* Promise: results are counted by generation, a match once whatever its seats; those of a span of
 * generations come alone. */
static void test_generations(void** state) {
    fixture* f = *state;
    int results[10] = {0};
    gathered g = {0};
    make_run(f);
    for (int generation = 0; generation < 4; generation++) {
        fill_train(f, 0, generation, 0, 50);
        fill_match(f, 1, generation, 0, 1);
        fill_match(f, 2, generation, 1, 0);
        f->task[2].as.match.final = generation == 3;
        assert_int_equal(put(f, generation == 2 ? 1 : 3), AGON_OK);
    }
    assert_int_equal(agon_store_generations(f->store, AGON_MATCH, count, results, NULL), 0);
    assert_int_equal(agon_store_generations(f->store, AGON_TRAIN, count, results, NULL), 0);
    const int expected[10] = {3, 0, 3, 0, 1, 0, 2, 1, 0, 0};
    assert_memory_equal(results, expected, sizeof expected);
    assert_int_equal(agon_store_each_of(f->store, AGON_MATCH, 1, 2, gather, &g, &f->error), 0);
    assert_string_equal(g.keys, "match/1/0/1 match/1/1/0 ");
    g = (gathered){0};
    assert_int_equal(agon_store_each_of(f->store, AGON_TRAIN, 2, 3, gather, &g, &f->error), 0);
    assert_string_equal(g.keys, "train/2/0 train/3/0 ");
}

/* ---- pruning ------------------------------------------------------------------------------ */

static bool blob_is_there(const char* hash) {
    char path[AGON_PATH_SIZE];
    snprintf(path, sizeof path, "run/blobs/%s.safetensors", hash);
    return access(path, F_OK) == 0;
}

static void put_generation(fixture* f, int generation) {
    fill_train(f, 0, generation, 0, 50);
    fill_train(f, 1, generation, 1, 50);
    assert_int_equal(put(f, 2), AGON_OK);
}

static void prune(fixture* f, int keep) {
    assert_int_equal(agon_store_prune_learners(f->store, keep, &f->error), AGON_OK);
}

/* Runs from before had none. */
static void drop_index(void) {
    sqlite3* db = NULL;
    assert_int_equal(sqlite3_open("run/run.db", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "drop index train_of_agent", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* Promise: pruned after every group or after several, by one process or by many, with an index or
 * without one from before, there are as many learners. */
static void test_prune_as_they_come(void** state) {
    fixture* f = *state;
    make_run(f);
    for (int generation = 0; generation < 12; generation++) {
        put_generation(f, generation);
        if (generation % 3 == 2 && generation < 9)
            continue;
        prune(f, 2);
        assert_int_equal(blobs_on_disk(), 2 * (generation + 1) + (generation ? 4 : 2));
        assert_true(blob_is_there(f->result[0].as.train.learner));
        if (generation == 6) {
            close_run(f);
            drop_index();
            assert_int_equal(open_run(f, true), AGON_OK);
        }
    }
    prune(f, 1);
    assert_int_equal(blobs_on_disk(), 24 + 2);
    close_run(f);
    assert_int_equal(open_run(f, true), AGON_OK);
}

/* Makes result 0 name a blob of old: it brings it again, or only names it. */
static void name_again(fixture* f, char* name, int place, const char* hash, bool bring) {
    agon_bytes* blob = f->result[0].blob;
    strcpy(name, hash);
    free(blob[place].data);
    if (bring) {
        blob[place] = make_blob("learner 0 0", 50);
        return;
    }
    blob[0] = blob[!place];
    blob[1] = (agon_bytes){.data = NULL};
    f->result[0].blobs = 1;
}

/* Promise: a blob that another row names stays: as a snapshot, brought again or only named, by this
 * process or an earlier one; or as another agent's newest learner. */
static void test_prune_spares_the_shared(void** state) {
    fixture* f = *state;
    enum { BROUGHT, NAMED, EARLIER, LEARNER, CASES };
    for (int i = 0; i < CASES; i++) {
        char hash[AGON_HASH_SIZE];
        run_shell("rm -rf run");
        make_run(f);
        fill_train(f, 0, 0, 0, 50);
        strcpy(hash, f->result[0].as.train.learner);
        assert_int_equal(put(f, 1), AGON_OK);
        prune(f, 1);
        fill_train(f, 0, 0, 1, 50);
        agon_train_result* train = &f->result[0].as.train;
        name_again(f, i == LEARNER ? train->learner : train->snapshot, i == LEARNER, hash,
                   i == BROUGHT);
        assert_int_equal(put(f, 1), AGON_OK);
        if (i == EARLIER) {
            close_run(f);
            assert_int_equal(open_run(f, true), AGON_OK);
        }
        for (int generation = 1; generation < 5; generation++) {
            fill_train(f, 0, generation, 0, 50);
            assert_int_equal(put(f, 1), AGON_OK);
            prune(f, 1);
            assert_true(blob_is_there(hash));
        }
        close_run(f);
        assert_int_equal(open_run(f, true), AGON_OK);
        close_run(f);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_find),
        TEST(test_generations),
        TEST(test_prune_as_they_come),
        TEST(test_prune_spares_the_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
