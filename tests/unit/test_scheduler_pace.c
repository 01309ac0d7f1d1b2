/* Promise: at the end of a generation nobody waits for long: not for a slow worker, not for one
 * that is silent, not for a task that lies at a busy worker while others are idle. */
#include "scheduler_fixture.h"

/* Eight tasks of one kind, a second each, by one worker: from now on a median is believed. */
static void learn_pace(world* w, int64_t took) {
    for (int i = 0; i < 8; i++)
        add(w, i);
    for (int i = 0; i < 8; i++) {
        const agon__lease lease = next(w);
        w->now += took;
        finish(w, &lease);
    }
}

/* A task that would be done sooner elsewhere is given to somebody idle, too; the first result
 * counts. */
static void test_backup(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    const int a = join(w, 1, 1);
    learn_pace(w, 1000);
    add(w, 8);
    const agon__lease slow = next(w);
    const int b = join(w, 2, 1), c = join(w, 3, 1);
    w->now += 600;
    assert_true(agon__scheduler_beat(w->s, a, slow.number, 500, 1, w->now));
    assert_true(nothing(w)); /* it will be done in time */
    w->now += 3000;
    assert_true(agon__scheduler_beat(w->s, a, slow.number, 550, 2, w->now));
    const agon__lease backup = next(w);
    assert_string_equal(backup.id, slow.id);
    assert_true(backup.worker == b || backup.worker == c);
    assert_true(backup.number > slow.number);
    assert_true(agon__scheduler_beat(w->s, a, slow.number, 560, 3, w->now));
    assert_true(nothing(w)); /* once is enough */
    assert_int_equal(finish(w, &backup), AGON__ACCEPTED);
    assert_false(agon__scheduler_beat(w->s, a, slow.number, 560, 3, w->now));
    assert_int_equal(w->seen[8].times, 1);
    assert_int_equal(agon__scheduler_now(w->s).backups, 1);
    agon__scheduler_close(w->s);
}

/* So is one whose worker is not heard of, before its lease has run out. */
static void test_backup_of_the_silent(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    join(w, 1, 1);
    add(w, 0);
    const agon__lease silent = next(w);
    const int b = join(w, 2, 1);
    w->now += LEASE_MS / 2 + 1;
    agon__scheduler_tick(w->s, w->now);
    const agon__lease backup = next(w);
    assert_string_equal(backup.id, silent.id);
    assert_int_equal(backup.worker, b);
    assert_int_equal(finish(w, &silent), AGON__ACCEPTED);
    assert_false(agon__scheduler_beat(w->s, b, backup.number, 1, 1, w->now));
    assert_int_equal(agon__scheduler_now(w->s).leased, 0);
    agon__scheduler_close(w->s);
}

/* Short tasks are handed out ahead; what still waits when somebody idles goes there. */
static void test_ahead(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    const int a = join(w, 1, 6);
    learn_pace(w, 1000);
    for (int i = 8; i < 14; i++)
        add(w, i);
    agon__lease lease[6];
    for (int i = 0; i < 6; i++) /* of four slots */
        lease[i] = next(w);
    const int b = join(w, 2, 6);
    for (int i = 5; i >= 4; i--) {
        const agon__lease moved = next(w);
        assert_int_equal(moved.worker, b);
        assert_string_equal(moved.id, lease[i].id);
        assert_false(agon__scheduler_beat(w->s, a, lease[i].number, 1, 1, w->now));
        assert_int_equal(finish(w, &moved), AGON__ACCEPTED);
    }
    assert_true(nothing(w)); /* the others are being done */
    agon__scheduler_close(w->s);
}

/* Long ones begin where they are given; before a median is known, all count as long. */
static void test_not_ahead(void** state) {
    (void)state;
    for (int known = 0; known < 2; known++) {
        world* w = plain_world(NULL);
        join(w, 1, 6);
        if (known)
            learn_pace(w, 9000);
        for (int i = 8; i < 14; i++)
            add(w, i);
        for (int i = 0; i < 4; i++)
            next(w);
        assert_true(nothing(w));
        agon__scheduler_close(w->s);
    }
}

/* A task that waits for its worker's other tasks makes no progress, and is not lost for that. */
static void test_waiting_is_no_fault(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    const int a = join(w, 1, 6);
    learn_pace(w, 10);
    agon__lease lease[5];
    for (int i = 0; i < 5; i++) {
        add(w, 8 + i);
        lease[i] = next(w);
    }
    for (int k = 1; k < 40; k++, w->now += LEASE_MS / 2)
        for (int i = 0; i < 5; i++)
            assert_true(agon__scheduler_beat(w->s, a, lease[i].number, i < 4 ? k : 0,
                                             i < 4 ? (uint64_t)k : 0, w->now));
    agon__scheduler_close(w->s);
}

/* A worker known to be slow does not hold up what others could do by now, even while tasks wait. */
static void test_slow_worker(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    const int a = join(w, 1, 1);
    learn_pace(w, 1000);
    agon__scheduler_credit(w->s, a, 0, w->now);
    const int slow = join(w, 2, 1);
    for (int i = 8; i < 16; i++)
        add(w, i);
    const agon__lease lost = next(w);
    assert_int_equal(lost.worker, slow);
    w->now += 1000;
    assert_true(agon__scheduler_beat(w->s, slow, lost.number, 100, 1, w->now));
    agon__scheduler_credit(w->s, a, 2, w->now);
    assert_string_equal(next(w).id, lost.id);
    assert_string_not_equal(next(w).id, lost.id);
    agon__scheduler_close(w->s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backup),
        cmocka_unit_test(test_backup_of_the_silent),
        cmocka_unit_test(test_ahead),
        cmocka_unit_test(test_not_ahead),
        cmocka_unit_test(test_waiting_is_no_fault),
        cmocka_unit_test(test_slow_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
