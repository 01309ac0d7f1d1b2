/* Promise: what is built on results can take their shapes for granted: an honest result passes, and
 * one that names what it did not bring, is shaped otherwise than its task, or counts too far is
 * refused; where the check itself cannot be made, the result is not blamed. */
#include "engine/golden.h"
#include "engine/probes.h"
#include "net/result_check.h"
#include "tests/unit/task_fixture.h"

static agon_rules* rules;
static shelf s;

static int check(const agon_task* task, const agon_result* result, agon_error* error) {
    *error = (agon_error){0};
    return agon__result_check(task, result, shelf_load, &s, error);
}

static void refused(const agon_task* task, const agon_result* result, const char* part) {
    agon_error error;
    assert_int_equal(check(task, result, &error), AGON_EINVALID);
    if (!strstr(error.text, part))
        fail_msg("\"%s\" does not say \"%s\"", error.text, part);
}

static void test_train(void** state) {
    (void)state;
    agon_task task;
    agon_error error;
    assert_int_equal(agon_golden_task(rules, &task, &error), AGON_OK);
    agon_result result = must_run(&task, &s);
    assert_int_equal(check(&task, &result, &error), AGON_OK);
    result.blobs = 1;
    refused(&task, &result, "other blobs");
    result.blobs = 2;
    result.as.train.snapshot[0] ^= 1;
    refused(&task, &result, "other blobs");
    result.as.train.snapshot[0] ^= 1;
    result.as.train.steps = UINT64_MAX;
    refused(&task, &result, "a counter");
    result.as.train.steps = 1;
    result.blob[1].data[0] ^= 1;
    refused(&task, &result, "no net");
    result.blob[1].data[0] ^= 1;
    agon_task other = task;
    snprintf(other.as.train.net, sizeof other.as.train.net, "another");
    refused(&other, &result, "another shape");
    snprintf(other.key, sizeof other.key, "another");
    refused(&other, &result, "came as that of 'another'");
    agon_result_clear(&result);
}

static void test_match(void** state) {
    (void)state;
    const agon_task task = match_task(rules, "random", "random", 2);
    agon_error error;
    agon_result result = must_run(&task, &s);
    assert_int_equal(check(&task, &result, &error), AGON_OK);
    result.as.match.tally[1].losses = UINT64_MAX;
    refused(&task, &result, "a counter");
    agon_result_clear(&result);
}

static void test_probe(void** state) {
    (void)state;
    agon_task task = make_task(AGON_PROBE, rules, "probe/0/0");
    agon_probes probes = {0};
    agon_bytes blob = {0};
    agon_error error;
    assert_int_equal(agon_probes_make(rules, 30, 1, &probes, NULL), AGON_OK);
    assert_int_equal(agon_probes_encode(&probes, rules, &blob, NULL), AGON_OK);
    agon_probes_close(&probes);
    strcpy(task.as.probe.probes, shelf_put(&s, &blob));
    strcpy(task.as.probe.ref, "random");
    agon_result result = must_run(&task, &s);
    assert_int_equal(check(&task, &result, &error), AGON_OK);
    result.as.probe.states--;
    refused(&task, &result, "another shape");
    result.as.probe.states++;
    result.as.probe.actions--;
    refused(&task, &result, "another shape");
    result.as.probe.actions++;
    memset(task.as.probe.probes, 'c', 64);
    assert_int_equal(check(&task, &result, &error), AGON_EIO);
    agon_result_clear(&result);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train),
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_probe),
    };
    if (agon_rules_open("tic_tac_toe", &rules, NULL) != AGON_OK)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    shelf_clear(&s);
    agon_rules_close(rules);
    return failed;
}
