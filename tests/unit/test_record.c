/* The record of a run: results by key, accepted once, claims apart from results. */
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
        cmocka_unit_test(keys_are_claimed_once),
        cmocka_unit_test(the_first_result_stays),
        cmocka_unit_test(thousands_are_found),
        cmocka_unit_test(keys_have_their_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
