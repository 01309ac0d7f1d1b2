/* Where the time goes: phases add up to the time that was watched, and watching is free of
 * consequences. */
#include "agents/profile.h"

#include "tests/unit/task_fixture.h"

static double total(const double* seconds) {
    double sum = 0;
    for (int i = 0; i < AGON_PHASES; i++)
        sum += seconds[i];
    return sum;
}

static double now(void) {
    return 1e-9 * (double)agon__profile_clock();
}

static void wait_a_little(void) {
    const double end = now() + 1e-4;
    while (now() < end)
        ;
}

/* Promise: every moment of a watch belongs to one phase, also the one that still lasts; what lies
 * between two watches belongs to none; coming back is what entering returned. */
static void phases_add_up(void** state) {
    (void)state;
    agon_profile p = {0};
    double seconds[AGON_PHASES] = {0};
    const double begun = now();
    agon_profile_begin(&p, AGON_PHASE_COLLECT);
    wait_a_little();
    for (int i = 0; i < 10; i++) {
        const agon_phase before = agon_profile_enter(&p, AGON_PHASE_STEP);
        assert_int_equal(before, AGON_PHASE_COLLECT);
        wait_a_little();
        assert_int_equal(agon_profile_enter(&p, before), AGON_PHASE_STEP);
    }
    agon_profile_enter(&p, AGON_PHASE_UPDATE);
    wait_a_little();
    agon_profile_add(&p, seconds); /* still in it */
    assert_true(seconds[AGON_PHASE_UPDATE] >= 1e-4);
    assert_true(seconds[AGON_PHASE_STEP] >= 1e-3 && seconds[AGON_PHASE_COLLECT] >= 1e-4);
    agon_profile_end(&p);
    const double wall = now() - begun;
    wait_a_little();
    memset(seconds, 0, sizeof seconds);
    agon_profile_add(&p, seconds);
    assert_true(total(seconds) >= 1.2e-3 && total(seconds) <= wall);
    assert_true(seconds[AGON_PHASE_FORWARD] == 0 && seconds[AGON_PHASE_IDLE] == 0);
}

/* Promise: without a watch, or without a profile, nothing is counted. */
static void unwatched_counts_nothing(void** state) {
    (void)state;
    agon_profile p = {0};
    double seconds[AGON_PHASES] = {0};
    agon_profile_enter(NULL, AGON_PHASE_STEP);
    agon_profile_enter(&p, AGON_PHASE_STEP);
    agon_profile_enter(&p, AGON_PHASE_UPDATE);
    agon_profile_add(&p, seconds);
    assert_true(total(seconds) == 0);
}

/* Promise: idle is what is left and never less than nothing; what is waited for comes out of it;
 * shares are of the sum. */
static void idle_is_what_is_left(void** state) {
    (void)state;
    double share[AGON_PHASES];
    double seconds[AGON_PHASES] = {[AGON_PHASE_STEP] = 1, [AGON_PHASE_UPDATE] = 2};
    agon_profile_rest(seconds, 4);
    assert_true(seconds[AGON_PHASE_IDLE] == 1);
    agon_profile_shares(seconds, share);
    assert_true(share[AGON_PHASE_STEP] == 0.25 && share[AGON_PHASE_UPDATE] == 0.5);
    agon_profile_wait(seconds, AGON_PHASE_STORE, 0.25);
    assert_true(seconds[AGON_PHASE_STORE] == 0.25 && seconds[AGON_PHASE_IDLE] == 0.75);
    agon_profile_wait(seconds, AGON_PHASE_STORE, 9);
    assert_true(seconds[AGON_PHASE_STORE] == 1 && seconds[AGON_PHASE_IDLE] == 0);
    agon_profile_rest(seconds, 2);
    assert_true(seconds[AGON_PHASE_IDLE] == 0);
    agon_profile_shares((double[AGON_PHASES]){0}, share);
    assert_true(total(share) == 0);
    for (int i = 0; i < AGON_PHASES; i++) {
        assert_true(strlen(agon_phase_name((agon_phase)i)) > 2);
        assert_true(strlen(agon_phase_meaning((agon_phase)i)) > 2);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(agon_phase_name((agon_phase)i), agon_phase_name((agon_phase)j));
    }
}

/* ---- tasks -------------------------------------------------------------------------------- */

static agon_task train_task(const agon_rules* rules, const char* opponent) {
    const agon_net net = make_net(rules, 12);
    agon_task task = make_task(AGON_TRAIN, rules, "train/1/0");
    agon_train_task* d = &task.as.train;
    agon_net_format(&net, d->net, sizeof d->net);
    d->opponents = 1;
    snprintf(d->opponent[0], AGON_REF_SIZE, "%s", opponent);
    d->lanes = 16;
    d->horizon = 8;
    d->rollouts = 4;
    d->ppo = (agon_ppo){.step = {1e-3f, 0.2f, 0.5f, 0.01f, 0.5f, 0.9f, 0.999f, 1e-8f},
                        .discount = 1,
                        .lambda = 0.95f,
                        .epochs = 2,
                        .minibatches = 2,
                        .normalise = 1};
    return task;
}

/* Runs a task watched and unwatched; the same bytes. seconds: (AGON_PHASES) of the watched one. */
static void run_both(const agon_task* task, shelf* s, double* seconds) {
    uint8_t* data[2];
    size_t size[2];
    for (int watched = 0; watched < 2; watched++) {
        agon_context context = {.backend = agon_cpu_backend(), .load = shelf_load, .user = s};
        agon_result result = {0};
        const double begun = now();
        if (watched)
            agon_profile_begin(&context.profile, AGON_PHASE_OTHER);
        assert_int_equal(agon_execute(task, &context, &result, NULL), AGON_OK);
        if (watched)
            agon_profile_end(&context.profile);
        memset(seconds, 0, AGON_PHASES * sizeof *seconds);
        agon_profile_add(&context.profile, seconds);
        assert_true(total(seconds) <= now() - begun);
        assert_true((total(seconds) > 0) == watched);
        assert_int_equal(agon_result_encode(&result, &data[watched], &size[watched], NULL), 0);
        agon_result_clear(&result);
        agon_context_clear(&context);
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(data[0], data[1], size[0]);
    free(data[0]);
    free(data[1]);
}

/* Promise: a result has the same bytes whether it is watched or not; a train task has its own
 * phases, matches are pay-off and probes metrics, with all that is done in them. */
static void watching_changes_no_byte(void** state) {
    (void)state;
    double t[AGON_PHASES];
    shelf s = {0};
    agon_rules* rules = open_rules("connect_four");
    const char* snapshot = shelf_snapshot(&s, rules, 12, 1);
    agon_task task = train_task(rules, snapshot);
    run_both(&task, &s, t);
    for (int i = 0; i < AGON_PHASES; i++) {
        const bool training = i <= AGON_PHASE_UPDATE && i != AGON_PHASE_SCRIPTED;
        assert_true((t[i] > 0) == (training || i == AGON_PHASE_OTHER));
    }
    task = train_task(rules, "one_ply");
    run_both(&task, &s, t);
    assert_true(t[AGON_PHASE_SCRIPTED] > 0 && t[AGON_PHASE_PAYOFF] == 0);
    task = match_task(rules, snapshot, "random", 200);
    run_both(&task, &s, t);
    for (int i = 0; i < AGON_PHASES; i++)
        assert_true((t[i] > 0) == (i == AGON_PHASE_PAYOFF || i == AGON_PHASE_OTHER));
    shelf_clear(&s);
    agon_rules_close(rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phases_add_up),
        cmocka_unit_test(unwatched_counts_nothing),
        cmocka_unit_test(idle_is_what_is_left),
        cmocka_unit_test(watching_changes_no_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
