/* The local executor with a backend that has shards: what is gathered, what is not, and how it all
 * ends. */
#include "engine/executor.h"
#include "tests/unit/task_fixture.h"

#include "tests/unit/fake_device.h"

enum { TICKETS = 64 };

typedef struct desk {
    uv_loop_t loop;
    agon_executor executor;
    agon_rules* rules;
    shelf shelf;
    int done[TICKETS], status[TICKETS];
    char hash[TICKETS][65]; /* of the result */
    int answered;
    bool again; /* what is done is handed in once more, from the callback */
    agon_task tasks[TICKETS];
} desk;

static int submit(desk* d, uint64_t ticket, const agon_task* task) {
    uint8_t* data;
    size_t size;
    d->tasks[ticket] = *task;
    assert_int_equal(agon_task_encode(task, &data, &size, NULL), AGON_OK);
    const int rc = d->executor.submit(&d->executor, ticket, data, size);
    if (rc)
        free(data);
    return rc;
}

static void on_done(void* user, uint64_t ticket, int status, const uint8_t* data, size_t size,
                    const agon_error* error) {
    desk* d = user;
    agon_executor_look look;
    assert_true(d->executor.look(&d->executor, ticket, &look));
    d->done[ticket]++;
    d->status[ticket] = status;
    d->answered++;
    if (status)
        assert_int_equal(error->code, status);
    else
        agon_sha256(data, size, d->hash[ticket]);
    if (d->again && ticket < TICKETS / 2)
        assert_int_equal(submit(d, ticket + TICKETS / 2, &d->tasks[ticket]), AGON_OK);
}

static void open_desk(desk* d, int slots) {
    memset(d, 0, sizeof *d);
    fake_reset();
    fake.plays = true;
    d->rules = open_rules("matrix");
    assert_int_equal(uv_loop_init(&d->loop), 0);
    const agon_executor_def def = {
        .loop = &d->loop,
        .slots = slots,
        .backend = fake_backend(true),
        .load = shelf_load,
        .load_user = &d->shelf,
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
    assert_int_equal(d->executor.begun(&d->executor), 0);
    d->executor.shut(&d->executor);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    d->executor.close(&d->executor);
    assert_int_equal(uv_loop_close(&d->loop), 0);
    assert_int_equal(fake.open_now, 0);
    shelf_clear(&d->shelf);
    agon_rules_close(d->rules);
}

static agon_task train_task(const desk* d, int agent, int rollouts) {
    agon_task task = make_task(AGON_TRAIN, d->rules, "");
    agon_train_task* t = &task.as.train;
    const agon_net net = make_net(d->rules, 8);
    snprintf(task.key, sizeof task.key, "train/1/%d", agent);
    agon_net_format(&net, t->net, sizeof t->net);
    t->agent = agent;
    t->own_seats = agon_rules_seats(d->rules);
    t->lanes = 4;
    t->horizon = 4;
    t->rollouts = rollouts;
    t->ppo = (agon_ppo){.step = {1e-3f, 0.2f, 0.5f, 0.01f, 0.5f, 0.9f, 0.999f, 1e-8f},
                        .discount = 1,
                        .lambda = 0.95f,
                        .epochs = 1,
                        .minibatches = 2,
                        .normalise = 1};
    return task;
}

/* The result is what a CPU makes of the task. */
static void assert_done(desk* d, int ticket) {
    uint8_t* data;
    size_t size;
    char hash[65];
    assert_int_equal(d->done[ticket], 1);
    assert_int_equal(d->status[ticket], AGON_OK);
    agon_result alone = must_run(&d->tasks[ticket], &d->shelf);
    assert_int_equal(agon_result_encode(&alone, &data, &size, NULL), AGON_OK);
    agon_sha256(data, size, hash);
    assert_string_equal(hash, d->hash[ticket]);
    free(data);
    agon_result_clear(&alone);
}

/* Promise: all train tasks that come in one turn of the loop share a shard, whatever the number of
 * threads; births, matches and tasks of another size do not hold them up, and every task is
 * answered once with what it gives alone. */
static void a_generation_is_one_shard(void** state) {
    (void)state;
    for (int slots = 1; slots <= 3; slots++) {
        desk d;
        open_desk(&d, slots);
        for (int i = 0; i < 30; i++) {
            const agon_task match = match_task(d.rules, "random", "random", 20);
            const agon_task task = i % 3 == 0   ? match
                                   : i % 3 == 1 ? train_task(&d, i, 2)
                                                : train_task(&d, i,
                                                             i == 14   ? 3
                                                             : i == 17 ? 0
                                                                       : 2);
            assert_int_equal(submit(&d, (uint64_t)i, &task), AGON_OK);
        }
        assert_int_equal(fake.opened, 0);
        uv_run(&d.loop, UV_RUN_DEFAULT);
        assert_true(fake.opened == 2 && fake.largest == 18 && fake.together == 1);
        for (int i = 0; i < 30; i++)
            assert_done(&d, i);
        close_desk(&d);
    }
}

/* Promise: tasks that are handed in while a shard is being answered make up the next one together.
 */
static void the_next_generation_is_gathered(void** state) {
    (void)state;
    desk d;
    open_desk(&d, 2);
    d.again = true;
    for (int i = 0; i < TICKETS / 2; i++) {
        const agon_task task = train_task(&d, i, 1);
        assert_int_equal(submit(&d, (uint64_t)i, &task), AGON_OK);
    }
    uv_run(&d.loop, UV_RUN_DEFAULT);
    assert_true(fake.opened == 2 && fake.largest == TICKETS / 2);
    for (int i = 0; i < TICKETS; i++)
        assert_done(&d, i);
    close_desk(&d);
}

static void stop_one_turn(uv_timer_t* timer) {
    uv_close((uv_handle_t*)timer, NULL);
    uv_stop(timer->loop);
}

/* Promise: dropping one task of many ends it alone; cancelling ends all, begun or not; recalling
 * those that nobody has begun. Each is answered once, and what comes after them is run. */
static void tasks_can_be_stopped(void** state) {
    (void)state;
    for (int way = 0; way < 3; way++) {
        desk d;
        uv_timer_t timer;
        open_desk(&d, 1);
        for (int i = 0; i < 8; i++) {
            const agon_task task =
                i < 4 ? train_task(&d, i, 1) : match_task(d.rules, "random", "random", 20000);
            assert_int_equal(submit(&d, (uint64_t)i, &task), AGON_OK);
        }
        if (way == 0) {
            d.executor.drop(&d.executor, 2); /* before it begins */
            d.executor.drop(&d.executor, 6);
        } else { /* once the first match is begun */
            uv_timer_init(&d.loop, &timer);
            uv_timer_start(&timer, stop_one_turn, 0, 0);
            uv_run(&d.loop, UV_RUN_DEFAULT);
            if (way == 1)
                d.executor.cancel(&d.executor);
            else
                d.executor.recall(&d.executor);
        }
        uv_run(&d.loop, UV_RUN_DEFAULT);
        for (int i = 0; i < 8; i++) {
            assert_int_equal(d.done[i], 1);
            if (way == 0 && i != 2 && i != 6)
                assert_done(&d, i);
            else if (way == 0 || (way == 2 && i > 4))
                assert_int_equal(d.status[i], AGON_ECANCELLED);
            else
                assert_true(d.status[i] == AGON_OK || d.status[i] == AGON_ECANCELLED);
        }
        const agon_task last = train_task(&d, 9, 1);
        assert_int_equal(submit(&d, 9, &last), AGON_OK);
        uv_run(&d.loop, UV_RUN_DEFAULT);
        assert_done(&d, 9);
        close_desk(&d);
    }
}

/* Promise: a device that is lost answers every task of the shard with its error; what is no task is
 * answered, too. */
static void failures_are_answered(void** state) {
    (void)state;
    desk d;
    open_desk(&d, 2);
    fake.rollout = 1;
    for (int i = 0; i < 6; i++) {
        const agon_task task = train_task(&d, i, 2);
        assert_int_equal(submit(&d, (uint64_t)i, &task), AGON_OK);
    }
    assert_int_equal(d.executor.submit(&d.executor, 7, calloc(1, 9), 9), AGON_OK);
    uv_run(&d.loop, UV_RUN_DEFAULT);
    for (int i = 0; i < 6; i++)
        assert_true(d.done[i] == 1 && d.status[i] == AGON_EDEVICE);
    assert_true(d.done[7] == 1 && d.status[7] == AGON_EFORMAT);
    close_desk(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_generation_is_one_shard),
        cmocka_unit_test(the_next_generation_is_gathered),
        cmocka_unit_test(tasks_can_be_stopped),
        cmocka_unit_test(failures_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
