/* test_scheduler.c: promises of net/scheduler.h, one situation at a time: leases, tasks that fail,
 * what workers can do, and the broker. Who is waited for: test_scheduler_pace.c; whose results are
 * believed: test_scheduler_trust.c; all of it at random: test_scheduler_faults.c. */
#include "scheduler_fixture.h"

/* ---- leases ------------------------------------------------------------------------------- */

static void test_one_task(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    const int a = join(w, 1, 1);
    size_t size;
    assert_true(nothing(w));
    add(w, 0);
    const agon__needs needs = {.game = "chess"};
    assert_int_equal(add_needing(w, 0, &needs), AGON_EINVALID);
    const agon__lease lease = next(w);
    assert_int_equal(lease.worker, a);
    assert_non_null(agon__scheduler_task(w->s, lease.id, &size));
    assert_true(nothing(w));
    const answer right = answer_of(&lease, -1), other = answer_of(&lease, 5);
    assert_int_equal(bring(w, a, &right), AGON__ACCEPTED);
    assert_int_equal(w->seen[0].times, 1);
    assert_int_equal(bring(w, a, &right), AGON__DUPLICATE);
    const int b = join(w, 2, 1);
    assert_int_equal(bring(w, b, &right), AGON__DUPLICATE);
    answer unknown = other;
    memset(unknown.offer.task, 'a', 64);
    assert_int_equal(bring(w, b, &unknown), AGON__UNKNOWN);
    assert_int_equal(w->seen[0].times, 1);
    agon__scheduler_close(w->s);
}

/* Whoever comes again is who it was; whoever is said to be gone has lost what it ran. */
static void test_rejoin_and_leave(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    const int a = join(w, 1, 2);
    add(w, 0);
    add(w, 1);
    const agon__lease first = next(w), second = next(w);
    assert_true(second.number > first.number);
    assert_int_equal(join(w, 1, 2), a);
    assert_true(agon__scheduler_beat(w->s, a, first.number, 10, 1, w->now));
    assert_int_equal(row_of(w, a).running, 2);
    assert_true(nothing(w));
    agon__scheduler_leave(w->s, a, w->now);
    assert_false(agon__scheduler_beat(w->s, a, first.number, 20, 2, w->now));
    assert_int_equal(agon__scheduler_now(w->s).queued, 2);
    assert_int_equal(agon__scheduler_now(w->s).workers, 0);
    assert_int_equal(agon__scheduler_now(w->s).credit, 0);
    assert_int_equal(join(w, 1, 2), a);
    assert_true(next(w).number > second.number);
    agon__scheduler_close(w->s);
}

/* Its leases, and what it has proven, stay its own; so does what another one is struck for. */
static void test_id_of_another(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    agon_error error;
    const int a = join(w, 1, 2);
    agon__hello thief = hello_of(1);
    strcpy(thief.token, "other");
    assert_int_equal(agon__scheduler_join(w->s, &thief, "", w->now, &error), AGON_EINVALID);
    assert_non_null(strstr(error.text, "another token"));
    assert_int_equal(agon__scheduler_now(w->s).workers, 1);
    assert_int_equal(join(w, 1, 2), a);
    agon__scheduler_close(w->s);
}

static void test_expiry_and_late_result(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    const int a = join(w, 1, 1);
    add(w, 0);
    const agon__lease lease = next(w);
    const answer late = answer_of(&lease, -1);
    w->now += LEASE_MS;
    assert_true(agon__scheduler_beat(w->s, a, lease.number, 1, 1, w->now));
    w->now += LEASE_MS;
    agon__scheduler_tick(w->s, w->now);
    assert_int_equal(agon__scheduler_now(w->s).lost, 0);
    w->now++;
    agon__scheduler_tick(w->s, w->now);
    assert_int_equal(agon__scheduler_now(w->s).lost, 1);
    assert_int_equal(row_of(w, a).lost, 1);
    const agon__lease again = next(w);
    assert_false(agon__scheduler_beat(w->s, a, lease.number, 2, 2, w->now));
    assert_int_equal(bring(w, a, &late), AGON__ACCEPTED);
    assert_false(agon__scheduler_beat(w->s, a, again.number, 2, 2, w->now));
    assert_int_equal(w->seen[0].times, 1);
    assert_int_equal(agon__scheduler_now(w->s).leased, 0);
    agon__scheduler_close(w->s);
}

static void test_no_progress(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    const int a = join(w, 1, 1);
    for (int i = 0; i < 9; i++) {
        add(w, i);
        const agon__lease lease = next(w);
        w->now += i < 8 ? 100 : 0;
        if (i < 8)
            finish(w, &lease);
        for (int k = 0; i == 8 && k < 6; k++) {
            assert_true(agon__scheduler_beat(w->s, a, lease.number, 5, 5, w->now));
            w->now += LEASE_MS / 2;
        }
        w->now += i == 8;
        if (i == 8)
            assert_false(agon__scheduler_beat(w->s, a, lease.number, 5, 5, w->now));
    }
    assert_int_equal(agon__scheduler_median(w->s), 100);
    assert_int_equal(agon__scheduler_now(w->s).lost, 1);
    agon__scheduler_close(w->s);
}

static void test_by_turns(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    int tasks[8] = {0};
    for (int i = 0; i < 4; i++)
        join(w, i, 5);
    for (int i = 0; i < 8; i++)
        add(w, i);
    for (int i = 0; i < 8; i++)
        tasks[next(w).worker]++;
    for (int i = 0; i < 4; i++)
        assert_int_equal(tasks[AGON__BROKER + 1 + i], 2);
    agon__scheduler_close(w->s);
}

/* ---- tasks that fail ---------------------------------------------------------------------- */

static void test_lost_too_often(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    add(w, 0);
    for (int i = 0; i < AGON__MAX_LOST; i++) {
        assert_int_equal(w->seen[0].times, 0);
        const int worker = join(w, i, 1);
        assert_int_equal(next(w).worker, worker);
        agon__scheduler_leave(w->s, worker, w->now);
        if (i > 0)
            continue;
        assert_int_equal(join(w, i, 1), worker); /* the same one again does not count */
        assert_int_equal(next(w).worker, worker);
        agon__scheduler_leave(w->s, worker, w->now);
    }
    assert_int_equal(w->seen[0].times, 1);
    assert_int_equal(w->seen[0].status, AGON_EIO);
    agon__scheduler_close(w->s);
}

static void test_fails_on_two(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    join(w, 1, 1);
    join(w, 2, 1);
    add(w, 0);
    agon__lease lease = next(w);
    const int first = lease.worker;
    send_nak(w, &lease, AGON__NAK_TASK);
    assert_int_equal(agon__scheduler_now(w->s).failing, 1);
    lease = next(w);
    assert_int_not_equal(lease.worker, first);
    send_nak(w, &lease, AGON__NAK_TASK);
    assert_int_equal(w->seen[0].times, 1);
    assert_int_equal(w->seen[0].status, AGON_EINVALID);
    assert_int_equal(agon__scheduler_now(w->s).failing, 0);
    assert_int_equal(w->struck, 0);
    agon__scheduler_close(w->s);
}

/* Where there is no second worker, this process decides; and what it cannot do has failed. */
static void test_fails_here(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    join(w, 1, 1);
    add(w, 0);
    add(w, 1);
    for (int i = 0; i < 2; i++) {
        agon__lease lease = next(w);
        assert_int_equal(lease.worker, AGON__BROKER + 1);
        send_nak(w, &lease, AGON__NAK_TASK);
        lease = next(w);
        assert_int_equal(lease.worker, AGON__TRUSTED);
        if (i == 0)
            assert_int_equal(finish(w, &lease), AGON__ACCEPTED);
        else
            send_nak(w, &lease, AGON__NAK_HOST);
        assert_int_equal(w->seen[i].times, 1);
    }
    assert_int_equal(w->seen[0].status, AGON_OK);
    assert_int_equal(w->seen[1].status, AGON_EIO);
    agon__scheduler_close(w->s);
}

/* A host that fails three times within an hour gets nothing more, and is no liar. */
static void test_host_faults(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    const int a = join(w, 1, 1);
    const int b = join(w, 2, 0);
    add(w, 0);
    agon__lease lease = next(w);
    send_nak(w, &lease, AGON__NAK_BACK);
    lease = next(w);
    send_nak(w, &lease, AGON__NAK_TASK); /* the task's fault, not the host's */
    agon__scheduler_credit(w->s, b, 1, w->now);
    lease = next(w);
    finish(w, &lease);
    agon__scheduler_credit(w->s, b, 0, w->now);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(w->struck, 0);
        add(w, 1 + i);
        lease = next(w);
        assert_int_equal(lease.worker, a);
        send_nak(w, &lease, AGON__NAK_HOST);
        lease = i < 2 ? next(w) : lease;
        if (i < 2)
            finish(w, &lease);
    }
    assert_int_equal(w->struck, 1);
    assert_int_equal(w->struck_worker, a);
    assert_int_equal(row_of(w, a).strikes, 0);
    assert_int_equal(row_of(w, a).failures, 4);
    assert_true(nothing(w));
    agon__scheduler_close(w->s);
}

static void test_host_faults_far_apart(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    join(w, 1, 1);
    add(w, 0);
    for (int i = 0; i < 6; i++) {
        agon__lease lease = next(w);
        send_nak(w, &lease, AGON__NAK_HOST);
        w->now += 31 * 60000;
    }
    assert_int_equal(w->struck, 0);
    agon__scheduler_close(w->s);
}

/* ---- who can do what ---------------------------------------------------------------------- */

static void test_plugins(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    const agon__needs needs = {.game = "mine(size=3)", .plugin = "mine"};
    join(w, 1, 4);
    assert_int_equal(add_needing(w, 0, &needs), AGON_OK);
    assert_true(nothing(w));
    add(w, 1);
    assert_memory_equal(next(w).data, "task 1", 6); /* not held up by the other */
    agon__hello hello = hello_of(2);
    hello.games = 1;
    strcpy(hello.game[0].name, "mine");
    agon_error error;
    const int b = agon__scheduler_join(w->s, &hello, "here", w->now, &error);
    agon__scheduler_credit(w->s, b, 1, w->now);
    const agon__lease lease = next(w);
    assert_int_equal(lease.worker, b);
    assert_memory_equal(lease.data, "task 0", 6);
    agon__scheduler_close(w->s);
}

static int join_with_program(world* w, int number, const char* file) {
    agon__hello hello = hello_of(number);
    agon_error error;
    hello.agents = 1;
    strcpy(hello.agent[0].name, "stockfish");
    strcpy(hello.agent[0].file, file);
    const int worker = agon__scheduler_join(w->s, &hello, "here", w->now, &error);
    agon__scheduler_credit(w->s, worker, 1, w->now);
    return worker;
}

/* A program plays where the very same one is, or here; its results are not audited. */
static void test_programs(void** state) {
    (void)state;
    agon__scheduler_def def = {.audit = 1};
    world* w = plain_world(&def);
    agon__needs needs = {.game = "chess", .programs = 1};
    strcpy(needs.program[0].name, "stockfish");
    memset(needs.program[0].file, 'a', 64);
    join(w, 1, 1);
    char other[AGON_HASH_SIZE] = "";
    memset(other, 'b', 64);
    join_with_program(w, 2, other);
    assert_int_equal(add_needing(w, 0, &needs), AGON_OK);
    agon__lease lease = next(w);
    assert_int_equal(lease.worker, AGON__TRUSTED);
    finish(w, &lease);
    const int c = join_with_program(w, 3, needs.program[0].file);
    assert_int_equal(add_needing(w, 1, &needs), AGON_OK);
    lease = next(w);
    assert_int_equal(lease.worker, c);
    const answer mine = answer_of(&lease, -1), theirs = answer_of(&lease, 3);
    assert_int_equal(bring(w, c, &mine), AGON__ACCEPTED);
    assert_int_equal(bring(w, c, &theirs), AGON__CONFLICT); /* it plays otherwise each time */
    assert_int_equal(agon__scheduler_now(w->s).checks, 0);
    assert_int_equal(w->struck, 0);
    assert_true(nothing(w));
    agon__scheduler_close(w->s);
}

/* A thread of this process is taken until it has said so, even when somebody else was faster. */
static void test_own_threads(void** state) {
    (void)state;
    agon__scheduler_def def = {.trusted_slots = 1};
    world* w = plain_world(&def);
    add(w, 0);
    add(w, 1);
    const agon__lease own = next(w);
    assert_int_equal(own.worker, AGON__TRUSTED);
    assert_true(nothing(w));
    const int a = join(w, 1, 0);
    const answer faster = answer_of(&own, -1);
    assert_int_equal(bring(w, a, &faster), AGON__ACCEPTED);
    assert_false(agon__scheduler_beat(w->s, AGON__TRUSTED, own.number, 1, 1, w->now));
    assert_true(nothing(w));
    const agon__lease ended = {
        .number = own.number, .worker = AGON__TRUSTED, .id = faster.offer.task};
    send_nak(w, &ended, AGON__NAK_BACK);
    assert_int_equal(next(w).worker, AGON__TRUSTED);
    agon__scheduler_close(w->s);
}

/* ---- the broker --------------------------------------------------------------------------- */

static void test_broker(void** state) {
    (void)state;
    agon__scheduler_def def = {.broker = true};
    world* w = plain_world(&def);
    const int a = join(w, 1, 4), b = join(w, 2, 4);
    for (int i = 0; i < 3; i++)
        add(w, i);
    agon__lease lease[3];
    for (int i = 0; i < 3; i++) {
        lease[i] = next(w);
        assert_int_equal(lease[i].worker, AGON__BROKER);
    }
    assert_true(nothing(w));
    assert_true(agon__scheduler_beat(w->s, a, lease[0].number, 1, 1, w->now));
    assert_false(agon__scheduler_beat(w->s, b, lease[0].number, 1, 1, w->now));
    assert_int_equal(row_of(w, a).running, 1);
    w->now += LEASE_MS + 1;
    agon__scheduler_tick(w->s, w->now);
    const agon__lease again = next(w); /* a is silent: it is published anew */
    assert_int_equal(again.worker, AGON__BROKER);
    assert_string_equal(again.id, lease[0].id);
    assert_true(again.number > lease[2].number);
    for (int i = 0; i < 3; i++) {
        const agon__lease of = {0, i == 0 ? a : b, lease[i].id, lease[i].data, lease[i].size};
        assert_int_equal(finish(w, &of), AGON__ACCEPTED); /* leases need not be named */
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(w->seen[i].times, 1);
    agon__scheduler_close(w->s);
}

/* A task may lie with the broker for long, but not longer than those given to it later. */
static void test_broker_patience(void** state) {
    (void)state;
    agon__scheduler_def def = {.broker = true};
    world* w = plain_world(&def);
    const int a = join(w, 1, 1);
    agon__lease lease[8];
    for (int i = 0; i < 8; i++)
        add(w, i);
    for (int i = 0; i < 8; i++)
        lease[i] = next(w);
    for (int i = 0; i < 4; i++) { /* the second never comes */
        if (i != 1)
            assert_true(agon__scheduler_beat(w->s, a, lease[i].number, 1, 1, w->now));
        for (int k = 0; i != 1 && k < 4; k++, w->now += LEASE_MS / 2) {
            agon__scheduler_beat(w->s, a, lease[i].number, k, 1, w->now);
            agon__scheduler_tick(w->s, w->now);
            assert_true(nothing(w));
        }
        lease[i].worker = a;
        if (i != 1)
            finish(w, &lease[i]);
    }
    for (int k = 0; k < 23; k++, w->now += LEASE_MS) {
        agon__scheduler_beat(w->s, a, lease[4].number, k, 1, w->now);
        agon__scheduler_tick(w->s, w->now);
    }
    assert_string_equal(next(w).id, lease[1].id);
    assert_true(nothing(w));
    w->now += 100 * LEASE_MS; /* nobody has begun any for long: the broker has forgotten them */
    agon__scheduler_tick(w->s, w->now);
    for (int i = 0; i < 5; i++)
        next(w);
    agon__scheduler_close(w->s);
}

/* Two workers fail on a task that the broker brought, before a beat of theirs. */
static void test_broker_failure(void** state) {
    (void)state;
    agon__scheduler_def def = {.broker = true};
    world* w = plain_world(&def);
    const int a = join(w, 1, 1);
    add(w, 0);
    agon__lease lease = next(w);
    lease.worker = a;
    send_nak(w, &lease, AGON__NAK_TASK);
    assert_int_equal(row_of(w, a).failures, 1);
    lease = next(w);
    assert_int_equal(lease.worker, AGON__TRUSTED); /* the broker might give it to a again */
    send_nak(w, &lease, AGON__NAK_TASK);
    assert_int_equal(w->seen[0].status, AGON_EINVALID);
    agon__scheduler_close(w->s);
}

/* ---- stopping ----------------------------------------------------------------------------- */

static void test_recall_and_cancel(void** state) {
    (void)state;
    for (int broker = 0; broker < 2; broker++) {
        agon__scheduler_def def = {.broker = broker, .audit = 1};
        world* w = plain_world(&def);
        const int a = join(w, 1, 2);
        for (int i = 0; i < 4; i++)
            add(w, i);
        agon__lease checked = next(w), begun = next(w);
        checked.worker = begun.worker = a;
        assert_int_equal(finish(w, &checked), AGON__ACCEPTED);
        assert_true(agon__scheduler_beat(w->s, a, begun.number, 1, 1, w->now));
        if (broker)
            next(w); /* the check */
        agon__scheduler_recall(w->s);
        assert_int_equal(w->seen[1].times, 0);
        for (int i = 2; i < 4; i++)
            assert_int_equal(w->seen[i].status, AGON_ECANCELLED);
        agon__scheduler_cancel(w->s);
        assert_int_equal(w->seen[1].status, AGON_ECANCELLED);
        assert_int_equal(w->seen[0].status, AGON_OK);
        assert_false(agon__scheduler_beat(w->s, a, begun.number, 1, 1, w->now));
        for (int i = 0; i < 4; i++)
            assert_int_equal(w->seen[i].times, 1);
        const agon__scheduler_count n = agon__scheduler_now(w->s);
        assert_int_equal(n.queued + n.leased + n.checks, 0);
        assert_true(nothing(w));
        agon__scheduler_close(w->s);
    }
}

static void test_bans(void** state) {
    (void)state;
    world* w = plain_world(NULL);
    agon_error error;
    agon__hello hello = hello_of(1);
    assert_int_equal(agon__scheduler_ban(w->s, hello.id, "lab", "it lied"), AGON_OK);
    assert_int_equal(agon__scheduler_join(w->s, &hello, "", w->now, &error), AGON_EINVALID);
    assert_non_null(strstr(error.text, "it lied"));
    hello = hello_of(2);
    strcpy(hello.token, "lab");
    assert_int_equal(agon__scheduler_join(w->s, &hello, "", w->now, &error), AGON_EINVALID);
    const agon__hello nobody = hello_of(3); /* without a token it is its id that counts */
    assert_int_equal(agon__scheduler_ban(w->s, nobody.id, "-", "it lied"), AGON_OK);
    assert_true(join(w, 4, 1) > 0);
    agon__scheduler_close(w->s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_task),
        cmocka_unit_test(test_rejoin_and_leave),
        cmocka_unit_test(test_id_of_another),
        cmocka_unit_test(test_expiry_and_late_result),
        cmocka_unit_test(test_no_progress),
        cmocka_unit_test(test_by_turns),
        cmocka_unit_test(test_lost_too_often),
        cmocka_unit_test(test_fails_on_two),
        cmocka_unit_test(test_fails_here),
        cmocka_unit_test(test_host_faults),
        cmocka_unit_test(test_host_faults_far_apart),
        cmocka_unit_test(test_plugins),
        cmocka_unit_test(test_programs),
        cmocka_unit_test(test_own_threads),
        cmocka_unit_test(test_broker),
        cmocka_unit_test(test_broker_patience),
        cmocka_unit_test(test_broker_failure),
        cmocka_unit_test(test_recall_and_cancel),
        cmocka_unit_test(test_bans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
