/* test_scheduler_faults.c: promises of net/scheduler.h under random faults. Workers come and go,
 * are silent, late, double, hand back and fail; clocks jump; one of them lies. Beside it a simple
 * model: every task ends exactly once, leases only go to those who are there and have larger
 * numbers each time, only liars are struck, and where all is audited no lie stays. */
#include "scheduler_fixture.h"

enum { WORKERS = 12, HELD = 24, LATE = 16, TASKS = 150, STEPS = 500, LIAR = 3, LISTED = 4096 };

typedef struct held {
    agon__lease lease; /* id and data are not used after that */
    answer answer;     /* made when the lease was */
    int ticket;        /* -1: golden */
} held;

typedef struct actor {
    int worker; /* 0: never came */
    bool present;
    int credit, faults, holds, lates, late_next;
    held held[HELD];
    held late[LATE]; /* of leases that ended without it */
} actor;

typedef struct play {
    world w;
    uint64_t random, last_lease;
    actor actor[WORKERS]; /* [0]: this process */
    int added, expected[TASKS], grants[TASKS], naks[TASKS];
    held listed[LISTED]; /* with the broker */
    int lists;
} play;

static int running_seed = -1; /* told when a test fails */

static int draw(play* p, int below) {
    p->random += 0x9e3779b97f4a7c15u;
    uint64_t x = p->random;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (int)((x ^ x >> 31) % (uint64_t)below);
}

static actor* actor_of(play* p, int worker) {
    for (int i = 0; i < WORKERS; i++)
        if (p->actor[i].worker == worker)
            return &p->actor[i];
    fail_msg("a lease for worker %d, whom nobody knows", worker);
    return NULL;
}

static int number_in(const play* p, const actor* a) {
    return (int)(a - p->actor);
}

/* ---- leases ------------------------------------------------------------------------------- */

static held let_go(actor* a, int i) {
    const held h = a->held[i];
    a->held[i] = a->held[--a->holds];
    return h;
}

static void keep_late(actor* a, const held* h) {
    a->late[a->late_next] = *h;
    a->late_next = (a->late_next + 1) % LATE;
    a->lates += a->lates < LATE;
}

static void take(play* p, actor* a, held h) {
    const int i = number_in(p, a);
    const bool lies = i == LIAR && h.ticket >= 0 && h.ticket % 5 == 4;
    if (a->holds == HELD) { /* it has not heard yet that most have ended */
        const held oldest = let_go(a, 0);
        keep_late(a, &oldest);
    }
    if (lies)
        h.answer = answer_of(&(agon__lease){h.lease.number, i, h.answer.offer.task,
                                            (const uint8_t*)h.answer.text, strlen(h.answer.text)},
                             i);
    h.lease.worker = a->worker;
    a->held[a->holds++] = h;
}

static void pump(play* p) {
    agon__lease lease;
    while (agon__scheduler_next(p->w.s, p->w.now, &lease)) {
        held h = {.lease = lease, .answer = answer_of(&lease, -1), .ticket = -1};
        assert_true(lease.number > p->last_lease);
        p->last_lease = lease.number;
        if (!is_golden(&lease)) {
            h.ticket = atoi((const char*)lease.data + 5);
            p->grants[h.ticket]++;
        }
        if (lease.worker == AGON__BROKER) {
            assert_true(p->lists < LISTED);
            p->listed[p->lists++] = h;
            continue;
        }
        actor* a = lease.worker == AGON__TRUSTED ? &p->actor[0] : actor_of(p, lease.worker);
        assert_true(a == p->actor || (a->present && !row_of(&p->w, a->worker).struck));
        take(p, a, h);
    }
}

/* What was wrong is asked for again, as a run does that goes back. */
static void ask_again(play* p) {
    for (int i = 0; i < p->added; i++)
        if (p->w.seen[i].wrongs > p->expected[i] - 1) {
            p->expected[i]++;
            add(&p->w, i);
        }
}

/* ---- what actors do ----------------------------------------------------------------------- */

static void do_finish(play* p, actor* a) {
    if (a->holds == 0 || !(a->present || a == p->actor))
        return;
    const held h = let_go(a, draw(p, a->holds));
    bring(&p->w, a->worker, &h.answer);
    keep_late(a, &h);
}

static void do_late(play* p, actor* a) {
    if (a->present && a->lates > 0)
        bring(&p->w, a->worker, &a->late[draw(p, a->lates)].answer);
}

static void tell_trusted(play* p, const held* h) {
    const agon__lease ended = {.number = h->lease.number, .id = h->answer.offer.task};
    send_nak(&p->w, &ended, AGON__NAK_BACK);
}

static void do_beat(play* p, actor* a) {
    for (int i = a->holds - 1; i >= 0 && (a->present || a == p->actor); i--) {
        if (agon__scheduler_beat(p->w.s, a->worker, a->held[i].lease.number, draw(p, 1000),
                                 (uint64_t)draw(p, 1000), p->w.now))
            continue;
        const held h = let_go(a, i);
        if (a == p->actor)
            tell_trusted(p, &h);
        else if (draw(p, 2))
            keep_late(a, &h);
    }
}

static void do_nak(play* p, actor* a) {
    if (a->holds == 0 || !(a->present || a == p->actor))
        return;
    int class = AGON__NAK_BACK + draw(p, 3);
    if (a == p->actor || (class == AGON__NAK_HOST && a->faults >= 2))
        class = AGON__NAK_BACK;
    held h = let_go(a, draw(p, a->holds));
    if (class == AGON__NAK_TASK && (h.ticket < 0 || a->faults >= 2))
        class = AGON__NAK_BACK;
    a->faults += class != AGON__NAK_BACK; /* the second execution of a task may not fail, either */
    if (class == AGON__NAK_TASK)
        p->naks[h.ticket]++;
    h.lease.id = h.answer.offer.task;
    send_nak(&p->w, &h.lease, (agon__nak_class) class);
}

static void do_leave(play* p, actor* a) {
    if (!a->present || a == p->actor)
        return;
    agon__scheduler_leave(p->w.s, a->worker, p->w.now);
    a->present = false;
    while (a->holds > 0) {
        const held h = let_go(a, 0);
        if (draw(p, 2))
            keep_late(a, &h);
    }
}

static void do_join(play* p, actor* a) {
    agon_error error;
    const int i = number_in(p, a);
    const agon__hello hello = hello_of(i);
    if (i == 0)
        return;
    const int worker = agon__scheduler_join(p->w.s, &hello, "here", p->w.now, &error);
    if (worker < 0) {
        assert_true(row_of(&p->w, a->worker).struck);
        return;
    }
    assert_true(a->worker == 0 || a->worker == worker);
    a->worker = worker;
    a->present = true;
    a->credit = 1 + draw(p, 4);
    agon__scheduler_credit(p->w.s, worker, a->credit, p->w.now);
}

static void do_credit(play* p, actor* a) {
    if (a->present && a != p->actor)
        agon__scheduler_credit(p->w.s, a->worker, a->credit = draw(p, 5), p->w.now);
}

/* The broker brings them in order, and loses some. */
static void do_fetch(play* p, actor* a) {
    if (!a->present || a == p->actor || p->lists == 0 || a->holds > 4)
        return;
    const held h = p->listed[0];
    memmove(p->listed, p->listed + 1, (size_t)--p->lists * sizeof *p->listed);
    if (draw(p, 20) > 0)
        take(p, a, h);
}

static void do_time(play* p, int most) {
    p->w.now += draw(p, most);
    agon__scheduler_tick(p->w.s, p->w.now);
}

static void do_add(play* p) {
    for (int i = draw(p, 8); i > 0 && p->added < TASKS; i--) {
        p->expected[p->added] = 1;
        add(&p->w, p->added++);
    }
}

static void step(play* p) {
    actor* a = &p->actor[draw(p, WORKERS)];
    const int what = draw(p, 100);
    if (what < 35)
        do_finish(p, a);
    else if (what < 48)
        do_beat(p, a);
    else if (what < 51)
        do_leave(p, a);
    else if (what < 58)
        do_join(p, a);
    else if (what < 61)
        do_credit(p, a);
    else if (what < 69)
        do_late(p, a);
    else if (what < 72)
        do_nak(p, a);
    else if (what < 86)
        do_fetch(p, a);
    else if (what < 92)
        do_time(p, LEASE_MS / 2);
    else if (what < 93)
        do_time(p, 20 * LEASE_MS);
    else
        do_add(p);
    pump(p);
    ask_again(p);
    pump(p);
}

/* ---- the end ------------------------------------------------------------------------------ */

static bool is_over(const play* p) {
    const agon__scheduler_count n = agon__scheduler_now(p->w.s);
    for (int i = 0; i < p->added; i++)
        if (p->w.seen[i].times != p->expected[i])
            return false;
    return n.queued + n.leased + n.checks == 0;
}

/* No more faults: everything ends in due time. */
static void settle(play* p) {
    for (int round = 0; !is_over(p); round++) {
        assert_true(round < 2000);
        for (int i = 0; i < WORKERS; i++) {
            actor* a = &p->actor[i];
            if (!a->present && round == 0)
                do_join(p, a);
            do_fetch(p, a);
            do_beat(p, a);
            do_finish(p, a);
        }
        do_time(p, LEASE_MS / 2);
        pump(p);
        ask_again(p);
        pump(p);
    }
}

static void judge(play* p, bool all_audited) {
    for (int i = 0; i < p->added; i++) {
        const seen* t = &p->w.seen[i];
        assert_int_equal(t->times, p->expected[i]);
        if (t->status == AGON_EINVALID)
            assert_true(p->naks[i] >= 2);
        else if (t->status == AGON_EIO)
            assert_true(p->grants[i] >= AGON__MAX_LOST);
        else
            assert_int_equal(t->status, AGON_OK);
        assert_false(all_audited && t->lie);
    }
    for (int i = 1; i < WORKERS; i++)
        if (i != LIAR && p->actor[i].worker)
            assert_int_equal(row_of(&p->w, p->actor[i].worker).strikes, 0);
}

/* true: the liar was struck. */
static bool play_once(int seed, double audit, bool broker) {
    play* p = calloc(1, sizeof *p);
    assert_non_null(p);
    agon__scheduler_def def = plain_def(&p->w);
    running_seed = seed;
    p->random = (uint64_t)seed;
    def.audit = audit;
    def.broker = broker;
    def.secret = (uint64_t)seed;
    def.trusted_slots = draw(p, 3);
    open_world(&p->w, &def);
    for (int i = 0; i < STEPS; i++)
        step(p);
    settle(p);
    judge(p, audit == 1);
    const bool caught = p->actor[LIAR].worker && row_of(&p->w, p->actor[LIAR].worker).strikes > 0;
    agon__scheduler_close(p->w.s);
    free(p);
    running_seed = -1;
    return caught;
}

static void play_many(double audit, bool broker) {
    const char* wanted = getenv("SEEDS");
    const int seeds = wanted ? atoi(wanted) : 50;
    int caught = 0;
    for (int seed = 1; seed <= seeds; seed++)
        caught += play_once(seed, audit, broker);
    assert_true(seeds < 10 || caught > seeds / 4);
}

static int tell_seed(void** state) {
    (void)state;
    if (running_seed >= 0)
        print_error("it was seed %d\n", running_seed);
    running_seed = -1;
    return 0;
}

static void test_all_audited(void** state) {
    (void)state;
    play_many(1, false);
}

static void test_some_audited(void** state) {
    (void)state;
    play_many(0.3, false);
}

static void test_broker_all_audited(void** state) {
    (void)state;
    play_many(1, true);
}

static void test_broker_some_audited(void** state) {
    (void)state;
    play_many(0.3, true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_all_audited, tell_seed),
        cmocka_unit_test_teardown(test_some_audited, tell_seed),
        cmocka_unit_test_teardown(test_broker_all_audited, tell_seed),
        cmocka_unit_test_teardown(test_broker_some_audited, tell_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
