/* The record of a run: results by key, accepted once, claims apart from results; old ones forgotten
 * and read again. */
#include "tests/unit/plan_fixture.h"

/* Promise: a key is claimed once, whether it waits for its result or has it. */
static void keys_are_claimed_once(void** state) {
    (void)state;
    agon_record* r = agon_record_open();
    assert_non_null(r);
    assert_int_equal(agon_record_claim(r, "train/0/1"), 1);
    assert_int_equal(agon_record_claim(r, "train/0/1"), 0);
    assert_null(agon_record_find(r, "train/0/1"));
    assert_int_equal(agon_record_count(r), 0);
    agon_result known = fake_train("train/0/2"), late = fake_train("train/0/1");
    assert_int_equal(agon_record_add(r, &known), AGON_OK);
    assert_int_equal(agon_record_claim(r, "train/0/2"), 0);
    assert_int_equal(agon_record_add(r, &late), AGON_OK);
    assert_int_equal(agon_record_count(r), 2);
    assert_string_equal(agon_record_train(r, 0, 1)->snapshot, late.as.train.snapshot);
    agon_record_close(r);
    agon_record_close(NULL);
}

/* Promise: the first result of a key stays, where it is, and is a copy. */
static void the_first_result_stays(void** state) {
    (void)state;
    const float one[3] = {1, 0, 0}, other[3] = {0, 1, 0};
    agon_record* r = agon_record_open();
    agon_result first = fake_probe("probe/0/0", 3, one), second = fake_probe("probe/0/0", 3, other);
    first.blobs = 1; /* not the record's to keep */
    first.blob[0].data = malloc(4);
    assert_int_equal(agon_record_add(r, &first), AGON_OK);
    const agon_probe_result* kept = agon_record_probe(r, 0, 0);
    agon_result_clear(&first);
    assert_int_equal(agon_record_add(r, &second), AGON_OK);
    assert_int_equal(agon_record_count(r), 1);
    assert_ptr_equal(agon_record_probe(r, 0, 0), kept);
    assert_memory_equal(kept->probability, one, sizeof one);
    assert_int_equal(agon_record_find(r, "probe/0/0")->blobs, 0);
    agon_result_clear(&second);
    agon_record_close(r);
}

/* Promise: thousands of results are found by what they are of, and pointers stay good. */
static void thousands_are_found(void** state) {
    (void)state;
    char key[AGON_KEY_SIZE];
    agon_record* r = agon_record_open();
    const agon_match_result* early = NULL;
    for (int i = 0; i < 6000; i++) {
        const int row = i % 60, col = i / 60 % 10 - 2, g = i / 600;
        agon_key_match(key, g, row, col);
        agon_result result = fake_match(key, 8, i % 4, 0);
        assert_int_equal(agon_record_add(r, &result), AGON_OK);
        early = early ? early : agon_record_match(r, g, row, col);
    }
    assert_int_equal(agon_record_count(r), 6000);
    assert_ptr_equal(early, agon_record_match(r, 0, 0, -2));
    for (int i = 0; i < 6000; i++) {
        const agon_match_result* m = agon_record_match(r, i / 600, i % 60, i / 60 % 10 - 2);
        assert_true(m && m->pair_sum == i % 4 / 2.0);
    }
    assert_null(agon_record_match(r, 10, 0, 0));
    assert_null(agon_record_final(r, 0, 0));
    agon_record_close(r);
}

/* ---- forgetting --------------------------------------------------------------------------- */

/* What is stored: results of agent 0 to 2 of generations 0 to 99999, and nothing else. */
typedef struct shelf {
    int reads, fail_at; /* generation whose reading fails; -1: none */
} shelf;

static int read_shelf(void* user, agon_task_kind kind, const char* key, agon_result* out,
                      agon_error* error) {
    shelf* s = user;
    int generation = -1, agent = -1;
    s->reads++;
    if (sscanf(key, "%*[a-z]/%d/%d", &generation, &agent) != 2 || agent > 2)
        return AGON_EMISSING;
    if (generation == s->fail_at)
        return agon_fail(error, AGON_EFORMAT, "row %s is damaged", key);
    if (kind == AGON_PROBE)
        *out = fake_probe(key, 3, NULL);
    else
        *out = kind == AGON_TRAIN ? fake_train(key) : fake_match(key, 8, generation % 4, 0);
    return AGON_OK;
}

static void add_trained(agon_record* r, int generation) {
    char key[AGON_KEY_SIZE];
    for (int a = 0; a < 3; a++) {
        agon_key_train(key, generation, a);
        assert_int_equal(agon_record_claim(r, key), 1);
        const agon_result result = fake_train(key);
        assert_int_equal(agon_record_add(r, &result), AGON_OK);
    }
}

/* Promise: memory stays the same over a hundred thousand generations; what it must hold is never
 * read, what it forgot is read and is the same; the count goes on. */
static void old_results_are_forgotten(void** state) {
    (void)state;
    shelf s = {.fail_at = -1};
    int most = 0;
    agon_record* r = agon_record_open();
    agon_result final = fake_match("final/2/0", 8, 1, 0);
    agon_record_source(r, read_shelf, &s);
    assert_int_equal(agon_record_add(r, &final), AGON_OK);
    for (int g = 0; g < 100000; g++) {
        add_trained(r, g);
        agon_record_keep(r, g - 1, g > 500 ? 500 : -1);
        most = agon_record_held(r) > most ? agon_record_held(r) : most;
        assert_non_null(agon_record_train(r, g - (g > 0), 2));
        assert_null(agon_record_train(r, g, 3));
    }
    assert_true(most <= 1024 + 3);
    assert_int_equal(agon_record_count(r), 300001);
    assert_non_null(agon_record_final(r, 2, 0));
    assert_non_null(agon_record_train(r, 500, 1));
    assert_null(agon_record_match(r, 500, 1, 0));
    assert_int_equal(s.reads, 0);
    const agon_result first = fake_train("train/0/1");
    const agon_train_result* read = agon_record_train(r, 0, 1);
    assert_memory_equal(read, &first.as.train, sizeof *read);
    assert_int_equal(s.reads, 1);
    assert_ptr_equal(read, agon_record_train(r, 0, 1)); /* and is kept until memory is full */
    assert_int_equal(s.reads, 1);
    assert_int_equal(agon_record_claim(r, "train/7/1"), 0);
    assert_non_null(agon_record_probe(r, 3, 0));
    assert_int_equal(agon_record_count(r), 300001);
    agon_record_close(r);
}

/* Promise: results that are only read are forgotten, too, and read again. */
static void what_was_read_is_forgotten(void** state) {
    (void)state;
    shelf s = {.fail_at = -1};
    agon_record* r = agon_record_open();
    agon_record_source(r, read_shelf, &s);
    agon_record_keep(r, 100000, -1);
    agon_record_assume(r, 300000);
    for (int g = 0; g < 20000; g++) {
        assert_non_null(agon_record_probe(r, g, 0));
        assert_non_null(agon_record_match(r, g, 1, 0));
        agon_record_keep(r, 100000, -1);
        assert_true(agon_record_held(r) <= 1026);
    }
    assert_int_equal(s.reads, 40000);
    assert_non_null(agon_record_match(r, 0, 1, 0));
    assert_int_equal(s.reads, 40001);
    assert_int_equal(agon_record_count(r), 300000);
    assert_int_equal(agon_record_failure(r, NULL), AGON_OK);
    agon_record_close(r);
}

/* Promise: a row that cannot be read is not found, and the first such failure is told. */
static void failures_are_told(void** state) {
    (void)state;
    shelf s = {.fail_at = 5};
    agon_error error = {0};
    agon_record* r = agon_record_open();
    agon_record_source(r, read_shelf, &s);
    agon_record_keep(r, 10, -1);
    assert_null(agon_record_train(r, 4, 3)); /* not there, which is no failure */
    assert_int_equal(agon_record_failure(r, &error), AGON_OK);
    assert_null(agon_record_train(r, 5, 0));
    assert_null(agon_record_train(r, 5, 1));
    assert_non_null(agon_record_train(r, 6, 0));
    assert_int_equal(agon_record_failure(r, &error), AGON_EFORMAT);
    assert_string_equal(error.text, "row train/5/0 is damaged");
    agon_record_close(r);
}

/* Promise: key texts, which are part of the run format and the root of randomness. */
static void keys_have_their_texts(void** state) {
    (void)state;
    char key[AGON_KEY_SIZE];
    agon_key_train(key, 12, 3);
    assert_string_equal(key, "train/12/3");
    agon_key_match(key, 4, 5, 6);
    assert_string_equal(key, "match/4/5/6");
    agon_key_match(key, 4, 5, -2);
    assert_string_equal(key, "anchor/4/5/1");
    agon_key_final(key, 7, 0);
    assert_string_equal(key, "final/7/0");
    agon_key_probe(key, 1000000, 9999);
    assert_string_equal(key, "probe/1000000/9999");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_claimed_once),      cmocka_unit_test(the_first_result_stays),
        cmocka_unit_test(thousands_are_found),        cmocka_unit_test(old_results_are_forgotten),
        cmocka_unit_test(what_was_read_is_forgotten), cmocka_unit_test(failures_are_told),
        cmocka_unit_test(keys_have_their_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
