/* The local executor: slots, exactly one callback per task, cancelling. */
#include "engine/executor.h"
#include "tests/unit/task_fixture.h"

typedef struct desk {
    uv_loop_t loop;
    agon_executor executor;
    agon_rules* rules;
    int done[8], status[8]; /* by ticket */
    char text[8][512];
} desk;

static void on_done(void* user, uint64_t ticket, int status, const uint8_t* data, size_t size,
                    const agon_error* error) {
    desk* d = user;
    d->done[ticket]++;
    d->status[ticket] = status;
    if (status) {
        assert_int_equal(error->code, status);
        snprintf(d->text[ticket], sizeof d->text[ticket], "%s", error->text);
    } else {
        agon_result result = {0};
        assert_int_equal(agon_result_decode(data, size, &result, NULL), AGON_OK);
        agon_result_clear(&result);
    }
}

static void open_desk(desk* d, int slots) {
    memset(d, 0, sizeof *d);
    d->rules = open_rules("matrix");
    assert_int_equal(uv_loop_init(&d->loop), 0);
    const agon_local_def def = {
        .loop = &d->loop,
        .slots = slots,
        .backend = agon_cpu_backend(),
        .load = shelf_load,
        .done = on_done,
        .user = d,
    };
    assert_int_equal(agon_executor_local(&def, &d->executor, NULL), AGON_OK);
}

static void close_desk(desk* d) {
    unsigned permille;
    uint64_t steps;
    uv_run(&d->loop, UV_RUN_DEFAULT);
    d->executor.progress(&d->executor, &permille, &steps);
    assert_true(permille == 0 && steps == 0);
    d->executor.close(&d->executor);
    assert_int_equal(uv_loop_close(&d->loop), 0);
    agon_rules_close(d->rules);
}

static int submit(desk* d, uint64_t ticket, const agon_task* task) {
    uint8_t* data;
    size_t size;
    assert_int_equal(agon_task_encode(task, &data, &size, NULL), AGON_OK);
    const int rc = d->executor.submit(&d->executor, ticket, data, size);
    if (rc)
        free(data);
    return rc;
}

/* Promise: as many tasks as slots are taken, one more is refused and stays the caller's; each one
 * taken is answered once, and its slot is free again. */
static void slots_are_kept(void** state) {
    (void)state;
    desk d;
    open_desk(&d, 2);
    const agon_task task = match_task(d.rules, "random", "random", 20);
    for (uint64_t round = 0; round < 3; round++) {
        assert_int_equal(submit(&d, 2 * round, &task), AGON_OK);
        assert_int_equal(submit(&d, 2 * round + 1, &task), AGON_OK);
        assert_int_equal(submit(&d, 7, &task), AGON_ELIMIT);
        uv_run(&d.loop, UV_RUN_DEFAULT);
    }
    for (int ticket = 0; ticket < 8; ticket++) {
        assert_int_equal(d.done[ticket], ticket < 6);
        assert_int_equal(d.status[ticket], AGON_OK);
    }
    close_desk(&d);
}

/* Promise: what is no task, or fails, is answered with its error; the slot goes on. */
static void failures_are_answered(void** state) {
    (void)state;
    desk d;
    open_desk(&d, 1);
    agon_task task = match_task(d.rules, "random", "random", 20);
    assert_int_equal(d.executor.submit(&d.executor, 0, calloc(1, 9), 9), AGON_OK);
    uv_run(&d.loop, UV_RUN_DEFAULT);
    assert_int_equal(d.status[0], AGON_EFORMAT);
    task.fingerprint++;
    assert_int_equal(submit(&d, 1, &task), AGON_OK);
    uv_run(&d.loop, UV_RUN_DEFAULT);
    assert_int_equal(d.status[1], AGON_EUNSUPPORTED);
    assert_non_null(strstr(d.text[1], task.key));
    task.fingerprint--;
    assert_int_equal(submit(&d, 2, &task), AGON_OK);
    uv_run(&d.loop, UV_RUN_DEFAULT);
    assert_true(d.done[2] == 1 && d.status[2] == AGON_OK);
    close_desk(&d);
}

/* Promise: cancelling answers every task, begun or not, with AGON_ECANCELLED, and the slots take
 * new ones. */
static void cancelling_answers_all(void** state) {
    (void)state;
    desk d;
    open_desk(&d, 4); /* more than the pool has threads: some have not begun */
    const agon_task task = match_task(d.rules, "random", "random", 4000000);
    for (uint64_t ticket = 0; ticket < 4; ticket++)
        assert_int_equal(submit(&d, ticket, &task), AGON_OK);
    d.executor.cancel(&d.executor);
    uv_run(&d.loop, UV_RUN_DEFAULT);
    for (int ticket = 0; ticket < 4; ticket++) {
        assert_int_equal(d.done[ticket], 1);
        assert_int_equal(d.status[ticket], AGON_ECANCELLED);
    }
    const agon_task small = match_task(d.rules, "random", "random", 2);
    assert_int_equal(submit(&d, 4, &small), AGON_OK);
    uv_run(&d.loop, UV_RUN_DEFAULT);
    assert_true(d.done[4] == 1 && d.status[4] == AGON_OK);
    close_desk(&d);
}

int main(void) {
    setenv("UV_THREADPOOL_SIZE", "2", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_kept),
        cmocka_unit_test(failures_are_answered),
        cmocka_unit_test(cancelling_answers_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
