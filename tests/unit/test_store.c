/* The run directory: what engine/store.h promises about results, blobs and openings. Crashes,
 * damage and full disks: test_store_crash.c. */
#include "tests/unit/store_fixture.h"

/* ---- results ------------------------------------------------------------------------------ */

/* Promise: what was put comes back, bit by bit, from another opening of the run. */
static void test_round_trip(void** state) {
    fixture* f = *state;
    agon_bytes probes = make_blob("probes", 64);
    gathered g;
    make_run(f);
    assert_int_equal(agon_store_put_blob(f->store, &probes, &f->error), AGON_OK);
    fill_train(f, 0, 3, 1, 100);
    fill_match(f, 1, 3, 0, -2);
    fill_probe(f, 2, probes.hash);
    assert_int_equal(put(f, 3), AGON_OK);
    close_run(f);
    assert_int_equal(open_run(f, false), AGON_OK);
    g = each(f, AGON_TRAIN);
    assert_int_equal(g.count, 1);
    assert_true(isnan(g.result.as.train.explained_variance));
    g.result.as.train.explained_variance = f->result[0].as.train.explained_variance = 0;
    assert_memory_equal(&g.result.as.train, &f->result[0].as.train, sizeof(agon_train_result));
    assert_int_equal(g.task.as.train.agent, 1);
    assert_int_equal(g.task.as.train.opponents, 2);
    assert_string_equal(g.task.as.train.opponent[1], "mcts(playouts=100, c=1.4)");
    g = each(f, AGON_MATCH);
    f->result[1].as.match.pair_sum = 0; /* minus zero is stored as zero */
    assert_memory_equal(&g.result.as.match, &f->result[1].as.match, sizeof(agon_match_result));
    assert_memory_equal(&g.task.as.match, &f->task[1].as.match, sizeof(agon_match_task));
    g = each(f, AGON_PROBE);
    assert_memory_equal(g.probability, f->result[2].as.probe.probability, sizeof g.probability);
    assert_true(g.result.as.probe.exact && g.result.as.probe.nash_conv == 0.25);
    assert_true(isnan(g.result.as.probe.worst_first) && g.result.as.probe.value == -0.5);
    assert_memory_equal(&g.task.as.probe, &f->task[2].as.probe, sizeof(agon_probe_task));
    free(probes.data);
}

/* Promise: so does a match whose row held several seats: its games are all at the first of them. */
static void test_round_trip_of_roles(void** state) {
    fixture* f = *state;
    make_run(f);
    fill_match(f, 0, 3, 4, 1);
    f->result[0].as.match.seats = 4;
    f->result[0].as.match.tally[0] = f->result[0].as.match.tally[1] = (agon_tally){0};
    f->result[0].as.match.tally[2] = (agon_tally){10, 4, 3, 3, -1.0 / 3, 2.5};
    f->result[0].as.match.pair_sum = -1.0 / 3;
    assert_int_equal(put(f, 1), AGON_OK);
    close_run(f);
    assert_int_equal(open_run(f, false), AGON_OK);
    const gathered g = each(f, AGON_MATCH);
    assert_int_equal(g.count, 1);
    assert_memory_equal(&g.result.as.match, &f->result[0].as.match, sizeof(agon_match_result));
    assert_int_equal(g.task.as.match.games, 10);
}

/* Promise: order is by generation and agent or pair, whatever the order of insertion; a visit that
 * returns non-zero ends the walk. */
static void test_order(void** state) {
    fixture* f = *state;
    gathered g;
    make_run(f);
    for (int i = 0; i < 4; i++)
        fill_train(f, i, i == 0 ? 10 : 2, 3 - i, 10);
    assert_int_equal(put(f, 4), AGON_OK);
    g = each(f, AGON_TRAIN);
    assert_string_equal(g.keys, "train/2/0 train/2/1 train/2/2 train/10/3 ");
    g = (gathered){.stop = 2};
    assert_int_equal(agon_store_each(f->store, AGON_TRAIN, gather, &g, NULL), 42);
    for (int i = 0; i < 3; i++)
        agon_result_clear(&f->result[i]);
    fill_match(f, 0, 2, 1, 0);
    fill_match(f, 1, 2, 0, 1);
    fill_match(f, 2, 2, 0, -1);
    assert_int_equal(put(f, 3), AGON_OK);
    g = each(f, AGON_MATCH);
    assert_string_equal(g.keys, "match/2/0/-1 match/2/0/1 match/2/1/0 ");
}

/* Promise: an equal repetition is a no-op; a different one names key, column and values, and
 * nothing of its group is kept, rows or files. */
static void test_accepted_once(void** state) {
    fixture* f = *state;
    make_run(f);
    fill_train(f, 0, 1, 0, 100);
    fill_match(f, 1, 1, 0, 1);
    assert_int_equal(put(f, 2), AGON_OK);
    assert_int_equal(put(f, 2), AGON_OK);
    assert_int_equal(blobs_on_disk(), 2);
    fill_train(f, 0, 2, 0, 100); /* new, and goes with the conflict behind it */
    f->result[1].as.match.tally[1].wins = 2;
    assert_int_equal(put(f, 2), AGON_ECONFLICT);
    assert_says(f, "match/1/0/1");
    assert_says(f, "wins (stored 1, new 2)");
    assert_int_equal(each(f, AGON_TRAIN).count, 1);
    assert_int_equal(blobs_on_disk(), 2);
    f->result[1].as.match.tally[1].wins = 1;
    f->result[1].as.match.seats = 1;
    assert_int_equal(put(f, 2), AGON_ECONFLICT);
    f->result[1].as.match.seats = 3;
    assert_int_equal(put(f, 2), AGON_ECONFLICT);
    f->result[1].as.match.seats = 2;
    assert_int_equal(put(f, 2), AGON_OK);
    assert_int_equal(each(f, AGON_TRAIN).count, 2);
}

/* Promise: a malformed result is refused and leaves nothing, whatever it tries to name. */
static void test_hostile_results(void** state) {
    fixture* f = *state;
    make_run(f);
    fill_train(f, 0, 1, 0, 100);
    f->result[0].blob[0].data[0] ^= 1; /* not the bytes of its name */
    assert_int_equal(put(f, 1), AGON_EINVALID);
    fill_train(f, 0, 1, 0, 100);
    strcpy(f->result[0].blob[0].hash, "../../../../tmp/agon-escaped");
    assert_int_equal(put(f, 1), AGON_EINVALID);
    fill_train(f, 0, 1, 0, 100);
    f->result[0].as.train.learner[0] ^= 1; /* names a blob that nobody brought */
    assert_int_equal(put(f, 1), AGON_EMISSING);
    assert_says(f, "train/1/0");
    fill_train(f, 0, 1, 0, 100);
    f->result[0].as.train.steps = 1ull << 63;
    assert_int_equal(put(f, 1), AGON_EINVALID);
    fill_train(f, 0, 1, 0, 100);
    strcpy(f->result[0].key, "train/1/1");
    assert_int_equal(put(f, 1), AGON_EINVALID);
    fill_train(f, 0, 1, 0, 100);
    strcpy(f->task[0].as.train.opponent[0], "two refs");
    assert_int_equal(put(f, 1), AGON_EINVALID);
    assert_int_equal(each(f, AGON_TRAIN).count, 0);
    assert_int_equal(blobs_on_disk(), 0);
}

/* Promise: the tables are plain: these unquoted words are what any SQLite client may write. */
static void test_plain_sql(void** state) {
    fixture* f = *state;
    sqlite3* db = NULL;
    const char* queries[] = {
        "select * from match",
        ("select key, generation, agent, opponents, learner, snapshot, steps, extra_steps,"
         " other_steps, total_steps, updates, episodes, return_mean, length_mean, policy_loss,"
         " value_loss, entropy, kl, clipped, grad_norm, explained_variance from train"),
        ("select key, seat, generation, row, col, final, row_ref, col_ref, temperature, opening,"
         " games, wins, draws, losses, sum, sum_squares, pairs, pair_sum, pair_sum_squares,"
         " row_steps, col_steps, plies from match order by generation, row, col, final"),
        ("select key, generation, agent, ref, probes, states, actions, probability, nash_conv,"
         " worst_first, worst_second, value from probe"),
        "select key, value from meta",
        "select hash, size from blob",
    };
    make_run(f);
    fill_match(f, 0, 1, 0, 1);
    assert_int_equal(put(f, 1), AGON_OK);
    assert_int_equal(sqlite3_open("run/run.db", &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        assert_int_equal(sqlite3_exec(db, queries[i], NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_string_equal(agon_store_meta(f->store, "fingerprint"), "0000000000000abc");
    assert_string_equal(agon_store_meta(f->store, "version"), "agon test");
    assert_int_equal(agon_store_set_meta(f->store, "note", "a", NULL), AGON_OK);
    assert_int_equal(agon_store_set_meta(f->store, "note", "b", NULL), AGON_OK);
    close_run(f);
    assert_int_equal(open_run(f, false), AGON_OK);
    assert_string_equal(agon_store_meta(f->store, "note"), "b");
    assert_null(agon_store_meta(f->store, "absent"));
}

/* ---- openings ----------------------------------------------------------------------------- */

/* Promise: one writer, who is named to the second; readers need no lock and see commits. */
static void test_lock(void** state) {
    fixture* f = *state;
    agon_store *writer, *second = NULL;
    char pid[32];
    make_run(f);
    writer = f->store;
    snprintf(pid, sizeof pid, "process %ld ", (long)getpid());
    assert_int_equal(agon_store_open("run", true, &second, &f->config, &f->error), AGON_EIO);
    assert_says(f, pid);
    assert_null(second);
    assert_int_equal(open_run(f, false), AGON_OK);
    second = f->store;
    f->store = writer;
    fill_match(f, 0, 1, 0, 1);
    assert_int_equal(put(f, 1), AGON_OK);
    f->store = second;
    assert_int_equal(each(f, AGON_MATCH).count, 1);
    agon_store_close(writer);
    close_run(f);
    assert_int_equal(open_run(f, true), AGON_OK);
}

/* Promise: what is no run, or an existing one, is told apart, with the command that helps. */
static void test_wrong_places(void** state) {
    fixture* f = *state;
    agon_store* store = NULL;
    assert_int_equal(open_run(f, false), AGON_EMISSING);
    assert_says(f, "agon train GAME run.dir=run");
    run_shell("mkdir run");
    assert_int_equal(open_run(f, true), AGON_EMISSING);
    assert_says(f, "run.db");
    run_shell("rmdir run && touch run");
    assert_int_equal(open_run(f, false), AGON_EINVALID);
    assert_true(agon_store_create("run", &f->config, "v", 1, &store, &f->error) < 0);
    assert_says(f, "there is a file of that name");
    assert_true(agon_store_create("run/below", &f->config, "v", 1, &store, &f->error) < 0);
    assert_true(agon_store_create("/proc/agon", &f->config, "v", 1, &store, &f->error) < 0);
    if (geteuid() == 0)
        print_message("permission part skipped: root may write everywhere; /proc instead\n");
    run_shell("rm run && mkdir run && touch run/run.db"); /* killed while making it */
    assert_int_equal(open_run(f, false), AGON_EFORMAT);
    make_run(f);
    close_run(f);
    assert_int_equal(agon_store_create("run", &f->config, "v", 1, &store, &f->error),
                     AGON_EINVALID);
    assert_says(f, "agon train --resume run");
    assert_null(store);
    assert_int_equal(agon_store_create("a/b/run", &f->config, "v", 1, &store, &f->error), AGON_OK);
    assert_string_equal(agon_store_dir(store), "a/b/run");
    agon_store_close(store);
}

static void set_config(fixture* f, const char* key, const char* value) {
    char* text;
    assert_int_equal(agon_config_set(&f->config, key, value, "test", &f->error), AGON_OK);
    text = agon_config_write(&f->config, false, false);
    assert_int_equal(agon_file_write("run/config.ini", text, strlen(text), NULL), AGON_OK);
    free(text);
}

/* Promise: a changed configuration or another format is refused; where and how fast may change. */
static void test_config_and_format(void** state) {
    fixture* f = *state;
    make_run(f);
    close_run(f);
    set_config(f, "machine.threads", "3");
    set_config(f, "run.keep", "7");
    assert_int_equal(open_run(f, true), AGON_OK);
    assert_int_equal(f->config.run.keep, 7);
    assert_int_equal(agon_store_set_meta(f->store, "format", "2.9", NULL), AGON_OK);
    close_run(f);
    assert_int_equal(open_run(f, true), AGON_OK);
    assert_int_equal(agon_store_set_meta(f->store, "format", "3", NULL), AGON_OK);
    close_run(f);
    assert_int_equal(open_run(f, false), AGON_EFORMAT);
    assert_says(f, "format 3");
    assert_says(f, "format 2");
    sqlite3* db = NULL;
    assert_int_equal(sqlite3_open("run/run.db", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "update meta set value = '2' where key = 'format'", 0, 0, 0),
                     SQLITE_OK);
    sqlite3_close(db);
    set_config(f, "train.seed", "12345");
    assert_int_equal(open_run(f, false), AGON_EFORMAT);
    assert_says(f, "run/config.ini");
    run_shell("rm run/config.ini");
    assert_int_equal(open_run(f, false), AGON_EMISSING);
}

/* Promise: a missing, short or wrong blob is named with the row that needs it; a repetition of the
 * task mends it. */
static void test_damaged_blobs(void** state) {
    fixture* f = *state;
    char path[AGON_PATH_SIZE];
    uint8_t* data = NULL;
    size_t size;
    make_run(f);
    fill_train(f, 0, 1, 0, 100);
    assert_int_equal(put(f, 1), AGON_OK);
    snprintf(path, sizeof path, "run/blobs/%s.safetensors", f->result[0].blob[0].hash);
    assert_int_equal(agon_file_write(path, "wrong", 5, NULL), AGON_OK);
    assert_int_equal(
        agon_store_blob_load(f->store, f->result[0].blob[0].hash, &data, &size, &f->error),
        AGON_EFORMAT);
    assert_says(f, path);
    close_run(f);
    assert_int_equal(open_run(f, false), AGON_EFORMAT);
    assert_says(f, "5 bytes, expected 100: row train/1/0 names it as its snapshot");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_run(f, false), AGON_EMISSING);
    assert_says(f, path);
    assert_int_equal(agon_file_write(path, f->result[0].blob[0].data, 100, NULL), AGON_OK);
    assert_int_equal(open_run(f, true), AGON_OK);
    assert_int_equal(agon_file_write(path, "wrong", 5, NULL), AGON_OK);
    assert_int_equal(put(f, 1), AGON_OK);
    assert_int_equal(
        agon_store_blob_load(f->store, f->result[0].blob[0].hash, &data, &size, &f->error),
        AGON_OK);
    assert_int_equal(size, 100);
    free(data);
    assert_int_equal(agon_store_blob_load(f->store, "../run.db", &data, &size, NULL),
                     AGON_EINVALID);
}

/* Promise: pruning takes old learners only, and a run opens without them, also with a larger
 * `keep` than they were pruned by; the newest is missed. */
static void test_prune(void** state) {
    fixture* f = *state;
    char path[AGON_PATH_SIZE];
    make_run(f);
    for (int generation = 0; generation < 5; generation++) {
        fill_train(f, 0, generation, 0, 50);
        fill_train(f, 1, generation, 1, 50);
        assert_int_equal(put(f, 2), AGON_OK);
    }
    assert_int_equal(blobs_on_disk(), 20);
    assert_int_equal(agon_store_prune_learners(f->store, 2, &f->error), AGON_OK);
    assert_int_equal(blobs_on_disk(), 10 + 4);
    assert_int_equal(agon_store_prune_learners(f->store, 2, &f->error), AGON_OK);
    assert_int_equal(blobs_on_disk(), 10 + 4);
    close_run(f);
    set_config(f, "run.keep", "4");
    assert_int_equal(open_run(f, true), AGON_OK);
    assert_int_equal(each(f, AGON_TRAIN).count, 10);
    close_run(f);
    snprintf(path, sizeof path, "run/blobs/%s.safetensors", f->result[1].as.train.learner);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_run(f, true), AGON_EMISSING);
    assert_says(f, "row train/4/1 names it as its learner");
    assert_int_equal(open_run(f, false), AGON_OK); /* readers need no learners */
}

/* Promise: files of a killed process go when a writer opens, and not before. */
static void test_leftovers(void** state) {
    fixture* f = *state;
    make_run(f);
    close_run(f);
    run_shell("touch run/blobs/aa.safetensors.1-2.agon-tmp run/config.ini.1-2.agon-tmp run/mine");
    assert_int_equal(open_run(f, false), AGON_OK);
    assert_int_equal(blobs_on_disk(), 1);
    close_run(f);
    assert_int_equal(open_run(f, true), AGON_OK);
    assert_int_equal(blobs_on_disk(), 0);
    run_shell("test -e run/mine && test ! -e run/config.ini.1-2.agon-tmp");
}

/* Promise: texts go below the run, folders are made, lines are appended. */
static void test_texts(void** state) {
    fixture* f = *state;
    make_run(f);
    assert_int_equal(agon_store_write_file(f->store, "plots/a.svg", "<svg/>", 6, NULL), AGON_OK);
    assert_int_equal(agon_store_append_line(f->store, "metrics.jsonl", "{}", NULL), AGON_OK);
    assert_int_equal(agon_store_append_line(f->store, "metrics.jsonl", "{}", NULL), AGON_OK);
    run_shell("test $(wc -l < run/metrics.jsonl) = 2 && grep -q svg run/plots/a.svg");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip),
        TEST(test_round_trip_of_roles),
        TEST(test_order),
        TEST(test_accepted_once),
        TEST(test_hostile_results),
        TEST(test_plain_sql),
        TEST(test_lock),
        TEST(test_wrong_places),
        TEST(test_config_and_format),
        TEST(test_damaged_blobs),
        TEST(test_prune),
        TEST(test_leftovers),
        TEST(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
