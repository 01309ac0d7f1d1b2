/* test_scheduler_trust.c: promises of net/scheduler.h about whose results are believed: golden
 * tasks, second and third executions, who is struck, and what is said of results that were
 * released before. */
#include "scheduler_fixture.h"

static world* audited_world(double audit, bool golden) {
    static world w;
    w = (world){.no_golden = !golden};
    agon__scheduler_def def = plain_def(&w);
    def.audit = audit;
    open_world(&w, &def);
    return &w;
}

static int checks(const world* w) {
    return agon__scheduler_now(w->s).checks;
}

/* ---- golden tasks ------------------------------------------------------------------------- */

static void test_golden_first(void** state) {
    (void)state;
    world* w = audited_world(0, true);
    const int a = join(w, 1, 2);
    add(w, 0);
    const agon__lease reference = next(w), golden = next(w);
    assert_int_equal(reference.worker, AGON__TRUSTED);
    assert_true(is_golden(&reference) && is_golden(&golden));
    assert_int_equal(golden.worker, a);
    assert_true(nothing(w)); /* no task before it is proven */
    assert_int_equal(finish(w, &golden), AGON__ACCEPTED);
    assert_true(nothing(w));
    assert_int_equal(finish(w, &reference), AGON__ACCEPTED);
    const agon__lease lease = next(w);
    assert_false(is_golden(&lease));
    finish(w, &lease);
    assert_int_equal(w->seen[0].times, 1);
    assert_int_equal(agon__scheduler_now(w->s).done, 1);
    agon__scheduler_close(w->s);
}

static void test_golden_mismatch(void** state) {
    (void)state;
    for (int late = 0; late < 2; late++) {
        world* w = audited_world(0, true);
        const int a = join(w, 1, 2);
        agon_error error;
        add(w, 0);
        const agon__lease reference = next(w), golden = next(w);
        const answer lie = answer_of(&golden, a);
        if (!late)
            finish(w, &reference);
        bring(w, a, &lie);
        if (late)
            finish(w, &reference);
        assert_int_equal(w->struck_worker, a);
        assert_int_equal(row_of(w, a).strikes, 1);
        assert_non_null(strstr(row_of(w, a).why, "golden"));
        assert_true(nothing(w));
        const agon__hello hello = hello_of(1);
        assert_int_equal(agon__scheduler_join(w->s, &hello, "", w->now, &error), AGON_EINVALID);
        assert_int_equal(w->seen[0].times, 0);
        agon__scheduler_close(w->s);
    }
}

/* What fails here proves nobody, and keeps nobody from work. */
static void test_golden_fails_here(void** state) {
    (void)state;
    world* w = audited_world(0, true);
    const int a = join(w, 1, 1);
    int failures = 0;
    add(w, 0);
    for (;;) {
        const agon__lease lease = next(w);
        if (lease.worker == AGON__TRUSTED) {
            assert_true(++failures < 10);
            send_nak(w, &lease, AGON__NAK_HOST);
        } else if (is_golden(&lease)) {
            finish(w, &lease);
        } else {
            assert_int_equal(lease.worker, a);
            break;
        }
    }
    assert_int_equal(w->struck, 0);
    agon__scheduler_close(w->s);
}

/* ---- second and third executions ---------------------------------------------------------- */

static void test_audit_by_another(void** state) {
    (void)state;
    world* w = audited_world(1, false);
    join(w, 1, 1);
    join(w, 2, 1);
    add(w, 0);
    const agon__lease lease = next(w);
    finish(w, &lease);
    assert_int_equal(w->seen[0].times, 1);
    assert_int_equal(checks(w), 1);
    const agon__lease check = next(w);
    assert_int_not_equal(check.worker, lease.worker);
    assert_memory_equal(check.data, "task 0", 6);
    assert_int_equal(finish(w, &check), AGON__ACCEPTED);
    assert_int_equal(checks(w), 0);
    assert_int_equal(row_of(w, lease.worker).audits, 1);
    assert_int_equal(w->seen[0].times, 1);
    agon__scheduler_close(w->s);
}

/* This process executes again what nobody else can, though workers are about that never proved
 * themselves: there is no work left to try them with. */
static void test_audit_here(void** state) {
    (void)state;
    world* w = audited_world(1, true);
    const int a = join(w, 1, 1);
    add(w, 0);
    for (int i = 0; i < 2; i++) {
        const agon__lease golden = next(w);
        assert_true(is_golden(&golden));
        finish(w, &golden);
    }
    const agon__lease lease = next(w);
    const answer lie = answer_of(&lease, a);
    assert_int_equal(bring(w, a, &lie), AGON__ACCEPTED);
    join(w, 2, 1);
    const agon__lease check = next(w);
    assert_int_equal(check.worker, AGON__TRUSTED);
    assert_int_equal(finish(w, &check), AGON__CONFLICT);
    assert_int_equal(w->struck_worker, a);
    assert_int_equal(w->seen[0].wrongs, 1);
    assert_int_equal(checks(w), 0);
    agon__scheduler_close(w->s);
}

/* Whether the liar was first or second, a third execution finds it. */
static void test_third_opinion(void** state) {
    (void)state;
    for (int liar = 0; liar < 2; liar++) {
        world* w = audited_world(1, false);
        for (int i = 0; i < 3; i++)
            join(w, i, 1);
        add(w, 0);
        const agon__lease first = next(w);
        const answer a = answer_of(&first, liar == 0 ? first.worker : -1);
        bring(w, first.worker, &a);
        const agon__lease second = next(w);
        const answer b = answer_of(&second, liar == 1 ? second.worker : -1);
        assert_int_equal(bring(w, second.worker, &b), AGON__CONFLICT);
        assert_int_equal(w->struck, 0);
        const agon__lease third = next(w);
        assert_int_not_equal(third.worker, first.worker);
        assert_int_not_equal(third.worker, second.worker);
        finish(w, &third);
        assert_int_equal(w->struck, 1);
        assert_int_equal(w->struck_worker, liar == 0 ? first.worker : second.worker);
        assert_int_equal(w->seen[0].wrongs, liar == 0);
        assert_int_equal(checks(w), 0);
        agon__scheduler_close(w->s);
    }
}

/* So many different answers that there is no place for more: this process has the last word. */
static void test_many_opinions(void** state) {
    (void)state;
    world* w = audited_world(1, false);
    for (int i = 0; i < 8; i++)
        join(w, i, 1);
    add(w, 0);
    int given = 0;
    for (agon__lease lease; agon__scheduler_next(w->s, w->now, &lease); given++) {
        assert_true(given < 8);
        const answer a = answer_of(&lease, lease.worker == AGON__TRUSTED ? -1 : lease.worker);
        bring(w, lease.worker, &a);
    }
    assert_int_equal(checks(w), 0);
    assert_int_equal(w->struck, given - 1);
    assert_int_equal(w->seen[0].wrongs, 1);
    agon__scheduler_close(w->s);
}

/* ---- what came before a strike ------------------------------------------------------------ */

/* The share of audits is a question of the task and the secret: tasks that are audited, and not. */
static void sort_tasks(int count, bool* audited) {
    for (int i = 0; i < count; i++) {
        world* w = audited_world(0.2, false);
        const int a = join(w, 1, 1);
        add(w, i);
        const agon__lease lease = next(w);
        const answer right = answer_of(&lease, -1);
        bring(w, a, &right);
        audited[i] = checks(w) > 0;
        agon__scheduler_close(w->s);
    }
}

static void test_since_the_last_good_audit(void** state) {
    (void)state;
    enum { TASKS = 60 };
    bool audited[TASKS];
    int share = 0, last_good = -1, wrong = 0;
    sort_tasks(TASKS, audited);
    for (int i = 0; i < TASKS; i++)
        share += audited[i];
    assert_in_range(share, 3, 27);
    world* w = audited_world(0.2, false);
    const int a = join(w, 1, 1);
    for (int i = 0; i < TASKS; i++) { /* every fifth is a lie; this process checks */
        add(w, i);
        agon__lease lease = next(w);
        if (lease.worker == AGON__TRUSTED) /* the liar is struck */
            break;
        const bool lies = i % 5 == 4;
        const answer given = answer_of(&lease, lies ? a : -1);
        assert_int_equal(bring(w, a, &given), AGON__ACCEPTED);
        if (audited[i] && !lies)
            last_good = i;
        while (agon__scheduler_next(w->s, w->now, &lease))
            finish(w, &lease);
        if (w->struck)
            break;
    }
    assert_int_equal(w->struck_worker, a);
    for (int i = 0; i < TASKS; i++) {
        assert_int_equal(w->seen[i].wrongs, w->seen[i].lie && i > last_good);
        wrong += w->seen[i].wrongs;
    }
    assert_true(wrong > 0);
    assert_int_equal(checks(w), 0);
    agon__scheduler_close(w->s);
}

/* A run goes back and asks again, while the old result is still being executed again. */
static void test_asked_again(void** state) {
    (void)state;
    world* w = audited_world(1, false);
    const int a = join(w, 1, 2);
    join(w, 2, 2);
    add(w, 0);
    const agon__lease lease = next(w);
    finish(w, &lease);
    const agon__lease check = next(w);
    assert_int_equal(checks(w), 1);
    const answer old = answer_of(&check, -1);
    add(w, 0);
    assert_int_equal(checks(w), 0);
    assert_false(agon__scheduler_beat(w->s, check.worker, check.number, 1, 1, w->now));
    assert_int_equal(bring(w, check.worker, &old), AGON__ACCEPTED); /* it is as good as any */
    assert_int_equal(w->seen[0].times, 2);
    const agon__lease last = next(w);
    assert_int_equal(last.worker, a);
    finish(w, &last);
    assert_int_equal(checks(w), 0);
    agon__scheduler_close(w->s);
}

/* A host that is out for its faults is asked for its lies, too. */
static void test_faulty_liar(void** state) {
    (void)state;
    world* w = audited_world(1, false);
    const int a = join(w, 1, 1);
    add(w, 0);
    add(w, 1);
    agon__lease lease = next(w);
    const answer lie = answer_of(&lease, a);
    bring(w, a, &lie);
    const agon__lease check = next(w);
    assert_int_equal(check.worker, AGON__TRUSTED);
    for (int i = 0; i < 3; i++) {
        lease = next(w);
        send_nak(w, &lease, AGON__NAK_HOST);
    }
    assert_int_equal(w->struck, 1);
    assert_int_equal(row_of(w, a).strikes, 0);
    finish(w, &check);
    assert_int_equal(row_of(w, a).strikes, 1);
    assert_int_equal(w->struck, 1);
    assert_int_equal(w->seen[0].wrongs, 1);
    agon__scheduler_close(w->s);
}

static void test_two_results_of_one(void** state) {
    (void)state;
    world* w = audited_world(0, false);
    const int a = join(w, 1, 1);
    add(w, 0);
    const agon__lease lease = next(w);
    const answer right = answer_of(&lease, -1), lie = answer_of(&lease, a);
    bring(w, a, &lie);
    assert_int_equal(bring(w, a, &right), AGON__CONFLICT);
    assert_int_equal(w->struck_worker, a);
    const agon__lease check = next(w);
    finish(w, &check);
    assert_int_equal(w->seen[0].wrongs, 1);
    agon__scheduler_close(w->s);
}

static void test_bytes_that_are_no_result(void** state) {
    (void)state;
    world* w = audited_world(0, false);
    const int a = join(w, 1, 1);
    add(w, 0);
    const agon__lease lease = next(w);
    agon__scheduler_bad(w->s, a, lease.id, "no result", w->now);
    assert_int_equal(w->struck_worker, a);
    const answer right = answer_of(&lease, -1);
    assert_int_equal(bring(w, a, &right), AGON__UNKNOWN); /* nothing of it is taken any more */
    assert_int_equal(w->seen[0].times, 0);
    const int b = join(w, 2, 1);
    assert_int_equal(next(w).worker, b);
    agon__scheduler_close(w->s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_first),       cmocka_unit_test(test_golden_mismatch),
        cmocka_unit_test(test_golden_fails_here),  cmocka_unit_test(test_audit_by_another),
        cmocka_unit_test(test_audit_here),         cmocka_unit_test(test_third_opinion),
        cmocka_unit_test(test_many_opinions),      cmocka_unit_test(test_since_the_last_good_audit),
        cmocka_unit_test(test_asked_again),        cmocka_unit_test(test_faulty_liar),
        cmocka_unit_test(test_two_results_of_one), cmocka_unit_test(test_bytes_that_are_no_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
