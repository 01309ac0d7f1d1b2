/* The local executor: slots, exactly one callback per task, cancelling. */
#include "engine/executor.h"
#include "tests/unit/task_fixture.h"

#include <pthread.h>

typedef struct desk {
    uv_loop_t loop;
    agon_executor_look look; /* of the task that was done last */
    agon_executor executor;
    agon_rules* rules;
    int done[8], status[8]; /* by ticket */
    char text[8][512];
    shelf shelf;
    char name[16]; /* of the thread that last loaded a blob */
} desk;

static int load(void* user, const char* hash, uint8_t** data, size_t* size, agon_error* error) {
    desk* d = user;
    pthread_getname_np(pthread_self(), d->name, sizeof d->name);
    return shelf_load(&d->shelf, hash, data, size, error);
}

static void on_done(void* user, uint64_t ticket, int status, const uint8_t* data, size_t size,
                    const agon_error* error) {
    desk* d = user;
    d->done[ticket]++;
    d->status[ticket] = status;
    assert_true(d->executor.look(&d->executor, ticket, &d->look));
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
    const agon_executor_def def = {
        .loop = &d->loop,
        .slots = slots,
        .backend = agon_cpu_backend(),
        .load = load,
        .load_user = d,
        .done = on_done,
        .user = d,
    };
    assert_int_equal(agon_executor_local(&def, NULL, &d->executor, NULL), AGON_OK);
}

static void close_desk(desk* d) {
    unsigned permille;
    uint64_t steps;
    uv_run(&d->loop, UV_RUN_DEFAULT);
    d->executor.progress(&d->executor, &permille, &steps);
    assert_true(permille == 0 && steps == 0);
    d->executor.close(&d->executor);
    assert_int_equal(uv_loop_close(&d->loop), 0);
    shelf_clear(&d->shelf);
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

/* Promise: one task can be stopped; others run on. Each can be looked at from when it was taken
 * until its callback has returned, then with the processor time that it took. */
static void one_is_dropped(void** state) {
    (void)state;
    desk d;
    agon_executor_look look;
    open_desk(&d, 2);
    const agon_task small = match_task(d.rules, "random", "random", 2000);
    const agon_task large = match_task(d.rules, "random", "random", 4000000);
    assert_false(d.executor.look(&d.executor, 0, &look));
    assert_int_equal(submit(&d, 1, &large), AGON_OK);
    assert_int_equal(submit(&d, 2, &small), AGON_OK);
    assert_true(d.executor.look(&d.executor, 1, &look) && look.cpu_ms == 0);
    d.executor.drop(&d.executor, 5);
    uv_run(&d.loop, UV_RUN_ONCE);
    d.executor.drop(&d.executor, 1);
    uv_run(&d.loop, UV_RUN_DEFAULT);
    assert_true(d.done[1] == 1 && d.status[1] == AGON_ECANCELLED);
    assert_true(d.done[2] == 1 && d.status[2] == AGON_OK);
    assert_false(d.executor.look(&d.executor, 1, &look));
    assert_false(d.executor.look(&d.executor, 2, &look));
    close_desk(&d);
}

/* Promise: a thread is called after the slot whose task it runs, and what tasks did is not more
 * than the time that went by on their slots. */
static void threads_are_named_and_watched(void** state) {
    (void)state;
    desk d;
    open_desk(&d, 1);
    char main_name[16], name_after[16];
    const agon_task task =
        match_task(d.rules, shelf_snapshot(&d.shelf, d.rules, 8, 1), "random", 2000);
    pthread_getname_np(pthread_self(), main_name, sizeof main_name);
    const uint64_t begun = uv_hrtime();
    assert_int_equal(submit(&d, 0, &task), AGON_OK);
    uv_run(&d.loop, UV_RUN_DEFAULT);
    const double wall = 1e-9 * (double)(uv_hrtime() - begun);
    assert_string_equal(d.name, "agon-task-0");
    pthread_getname_np(pthread_self(), name_after, sizeof name_after);
    assert_string_equal(name_after, main_name);
    double seconds[AGON_PHASES] = {0}, again[AGON_PHASES] = {0}, sum = 0;
    d.executor.profile(&d.executor, seconds);
    for (int i = 0; i < AGON_PHASES; i++)
        sum += seconds[i];
    assert_true(sum > 0 && sum <= wall);
    assert_true(seconds[AGON_PHASE_PAYOFF] > 0.5 * sum && seconds[AGON_PHASE_IDLE] == 0);
    d.executor.profile(&d.executor, again); /* nothing runs: nothing is spent */
    assert_memory_equal(again, seconds, sizeof again);
    close_desk(&d);
}

int main(void) {
    setenv("UV_THREADPOOL_SIZE", "2", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_kept),
        cmocka_unit_test(failures_are_answered),
        cmocka_unit_test(cancelling_answers_all),
        cmocka_unit_test(one_is_dropped),
        cmocka_unit_test(threads_are_named_and_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
