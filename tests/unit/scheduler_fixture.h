/* scheduler_fixture.h: a scheduler with a clock, workers and tasks that are a line of text. The
 * right result of "x" is "result of x"; every liar has wrong ones of its own. */
#ifndef SCHEDULER_FIXTURE_H
#define SCHEDULER_FIXTURE_H

#include "net/scheduler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_TASKS = 512, LEASE_MS = 10000 };

typedef struct seen {
    int times, status, wrongs;
    bool lie; /* the bytes that were released are not the right ones */
} seen;

typedef struct world {
    agon__scheduler* s;
    int64_t now;
    seen seen[MOST_TASKS]; /* by ticket */
    int struck, struck_worker;
    bool no_golden;
    char note[768];
} world;

static uint8_t* copy_text(const char* text, size_t* size) {
    *size = strlen(text);
    uint8_t* copy = malloc(*size + 1);
    assert_non_null(copy);
    memcpy(copy, text, *size + 1);
    return copy;
}

static int on_golden(void* user, const agon__needs* needs, uint8_t** data, size_t* size) {
    const world* w = user;
    char text[160];
    if (w->no_golden)
        return AGON_EUNSUPPORTED;
    snprintf(text, sizeof text, "golden %s", needs->game);
    *data = copy_text(text, size);
    return AGON_OK;
}

static void on_done(void* user, uint64_t ticket, int status, const uint8_t* data, size_t size,
                    const agon_error* error) {
    world* w = user;
    (void)error;
    assert_true(ticket < MOST_TASKS);
    w->seen[ticket].times++;
    w->seen[ticket].status = status;
    w->seen[ticket].lie = !status && (size < 10 || memcmp(data, "result of ", 10) != 0);
}

/* Tasks of the fixture end with their ticket. */
static void on_wrong(void* user, const uint8_t* task, size_t size, const agon_error* why) {
    world* w = user;
    char text[64] = "";
    int ticket;
    assert_true(size < sizeof text);
    memcpy(text, task, size);
    assert_int_equal(sscanf(text, "task %d", &ticket), 1);
    assert_true(w->seen[ticket].lie); /* nobody is accused of what is right */
    w->seen[ticket].wrongs++;
    assert_true(w->seen[ticket].wrongs <= w->seen[ticket].times);
    assert_non_null(strstr(why->text, "worker"));
}

static void on_note(void* user, const char* text) {
    world* w = user;
    snprintf(w->note, sizeof w->note, "%s", text);
}

static void on_struck(void* user, int worker, const char* why) {
    world* w = user;
    assert_true(why[0] != '\0');
    w->struck++;
    w->struck_worker = worker;
}

static agon__scheduler_def plain_def(world* w) {
    return (agon__scheduler_def){.lease_ms = LEASE_MS,
                                 .secret = 7,
                                 .user = w,
                                 .golden = on_golden,
                                 .done = on_done,
                                 .wrong = on_wrong,
                                 .note = on_note,
                                 .struck = on_struck};
}

static void open_world(world* w, const agon__scheduler_def* def) {
    agon_error error;
    w->now = 1000;
    assert_int_equal(agon__scheduler_open(def, w->now, &w->s, &error), AGON_OK);
}

static agon__hello hello_of(int number) {
    agon__hello hello = {.slots = 4, .token = "-"};
    char text[32];
    snprintf(text, sizeof text, "worker %d", number);
    agon_sha256(text, strlen(text), hello.id);
    snprintf(hello.name, sizeof hello.name, "w%d", number);
    return hello;
}

static inline int join(world* w, int number, int credit) {
    agon_error error;
    const agon__hello hello = hello_of(number);
    const int worker = agon__scheduler_join(w->s, &hello, "here", w->now, &error);
    assert_true(worker > AGON__BROKER);
    agon__scheduler_credit(w->s, worker, credit, w->now);
    return worker;
}

static int add_needing(world* w, int ticket, const agon__needs* needs) {
    char text[64];
    size_t size;
    agon_error error;
    snprintf(text, sizeof text, "task %d", ticket);
    uint8_t* data = copy_text(text, &size);
    const int rc = agon__scheduler_add(w->s, (uint64_t)ticket, needs, data, size, w->now, &error);
    if (rc)
        free(data);
    return rc;
}

static void add(world* w, int ticket) {
    const agon__needs needs = {.game = "chess"};
    assert_int_equal(add_needing(w, ticket, &needs), AGON_OK);
}

static inline bool is_golden(const agon__lease* lease) {
    return lease->size > 7 && memcmp(lease->data, "golden ", 7) == 0;
}

/* The result that a worker computes for a lease, before the lease can end. liar < 0: the right one.
 */
typedef struct answer {
    agon__result_offer offer;
    char text[256];
} answer;

static answer answer_of(const agon__lease* lease, int liar) {
    answer a = {.offer = {.lease = lease->number, .steps = 10, .cpu_ms = 100}};
    if (liar < 0)
        snprintf(a.text, sizeof a.text, "result of %.*s", (int)lease->size,
                 (const char*)lease->data);
    else
        snprintf(a.text, sizeof a.text, "lie of %d: %.*s", liar, (int)lease->size,
                 (const char*)lease->data);
    memcpy(a.offer.task, lease->id, AGON_HASH_SIZE);
    a.offer.size = strlen(a.text);
    agon_sha256(a.text, strlen(a.text), a.offer.hash);
    return a;
}

static agon__verdict bring(world* w, int worker, const answer* a) {
    agon__verdict verdict;
    if (agon__scheduler_offer(w->s, worker, &a->offer, w->now, &verdict) == AGON__OFFER_SETTLED)
        return verdict;
    return agon__scheduler_result(w->s, worker, &a->offer, (const uint8_t*)a->text, strlen(a->text),
                                  w->now);
}

static inline agon__verdict finish(world* w, const agon__lease* lease) {
    const answer a = answer_of(lease, -1);
    return bring(w, lease->worker, &a);
}

static inline void send_nak(world* w, const agon__lease* lease, agon__nak_class class) {
    agon__nak nak = {.lease = lease->number, .class = (int)class, .text = "it fell over"};
    memcpy(nak.task, lease->id, AGON_HASH_SIZE);
    agon__scheduler_nak(w->s, lease->worker, &nak, w->now);
}

static inline agon__lease next(world* w) {
    agon__lease lease;
    assert_true(agon__scheduler_next(w->s, w->now, &lease));
    return lease;
}

static inline bool nothing(world* w) {
    agon__lease lease;
    return !agon__scheduler_next(w->s, w->now, &lease);
}

typedef struct row_wanted {
    int worker;
    agon__worker_row row;
} row_wanted;

static void pick_row(void* user, const agon__worker_row* row) {
    row_wanted* wanted = user;
    if (row->worker == wanted->worker)
        wanted->row = *row;
}

static inline agon__worker_row row_of(const world* w, int worker) {
    row_wanted wanted = {.worker = worker};
    agon__scheduler_each(w->s, pick_row, &wanted);
    return wanted.row;
}

/* Without golden tasks, unless the test is about them; of def the share of audits, the trusted
 * slots and the broker count. */
static inline world* plain_world(agon__scheduler_def* def) {
    static world w;
    w = (world){.no_golden = true};
    const agon__scheduler_def plain = plain_def(&w);
    if (def) {
        const agon__scheduler_def wanted = *def;
        *def = plain;
        def->audit = wanted.audit;
        def->trusted_slots = wanted.trusted_slots;
        def->broker = wanted.broker;
    }
    open_world(&w, def ? def : &plain);
    return &w;
}

#endif
