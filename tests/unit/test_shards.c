/* Train tasks side by side on a device: each gives what it gives alone, and what goes wrong stays
 * where it belongs. */
#include "engine/execute_shard.h"
#include "tests/unit/task_fixture.h"

#include "tests/unit/fake_device.h"

enum { TASKS = 7 };

static const char* const games[] = {"tic_tac_toe", "kuhn_poker", "matrix", "tron(players=3,size=8)",
                                    "connect_four"};
enum { GAMES = sizeof games / sizeof *games };

/* How the other seats are held: by the learner, by snapshots, or by these and a scripted policy in
 * every second task. */
typedef enum company { MIRROR, NETS, MIXED } company;

static agon_task train_task(const agon_rules* rules, const agon_net* net, int agent,
                            company company, shelf* s) {
    agon_task task = make_task(AGON_TRAIN, rules, "");
    agon_train_task* d = &task.as.train;
    snprintf(task.key, sizeof task.key, "train/1/%d", agent);
    agon_net_format(net, d->net, sizeof d->net);
    d->generation = 1;
    d->agent = agent;
    d->own_seats = company == MIRROR ? agon_rules_seats(rules) : 0;
    d->opponents = company == MIRROR ? 0 : 1 + agent % 3;
    for (int i = 0; i < d->opponents; i++)
        snprintf(d->opponent[i], AGON_REF_SIZE, "%s", s->blob[(agent + i) % s->count].hash);
    if (company == MIXED && agent % 2)
        snprintf(d->opponent[0], AGON_REF_SIZE, "random");
    d->lanes = 5;
    d->horizon = 6;
    d->rollouts = 3;
    d->ppo = (agon_ppo){
        .step = {.learning_rate = 1e-2f / (float)(1 + agent),
                 .clip = 0.2f,
                 .value_weight = 0.5f,
                 .entropy_weight = 0.01f,
                 .max_grad_norm = 0.5f,
                 .beta1 = 0.9f,
                 .beta2 = 0.999f,
                 .epsilon = 1e-8f},
        .discount = 1,
        .lambda = 0.95f,
        .epochs = 2,
        .minibatches = 3,
        .normalise = 1,
    };
    d->learning_rate_end = 5e-4f;
    return task;
}

typedef struct bench {
    agon_rules* rules;
    shelf shelf;
    agon_task task[TASKS];
    agon_gauge gauge[TASKS];
    agon_shard_task job[TASKS];
    agon_shard_task* jobs[TASKS];
} bench;

/* layers: of everybody's net. */
static bench* open_bench(const char* game, company company, const char* layers) {
    bench* b = calloc(1, sizeof *b);
    fake_reset();
    b->rules = open_rules(game);
    const agon_net net = make_layers(b->rules, layers);
    for (uint64_t i = 0; i < 3; i++)
        shelf_snapshot_of(&b->shelf, b->rules, &net, i);
    for (int i = 0; i < TASKS; i++) {
        b->task[i] = train_task(b->rules, &net, i, company, &b->shelf);
        b->job[i] = (agon_shard_task){.task = &b->task[i], .gauge = &b->gauge[i]};
        b->jobs[i] = &b->job[i];
        assert_true(agon_shard_fits(&b->task[0], &b->task[i]));
    }
    return b;
}

static void close_bench(bench* b) {
    assert_int_equal(fake.open_now, 0);
    for (int i = 0; i < TASKS; i++)
        agon_result_clear(&b->job[i].result);
    shelf_clear(&b->shelf);
    agon_rules_close(b->rules);
    free(b);
}

static void run_shard(bench* b, int threads) {
    agon_context context = {
        .backend = fake_backend(true), .load = shelf_load, .user = &b->shelf, .threads = threads};
    agon_execute_shard(b->jobs, TASKS, &context);
    agon_context_clear(&context); /* nothing is held any more */
}

static void assert_same_result(const agon_result* a, const agon_result* b) {
    uint8_t* data[2];
    size_t size[2];
    assert_int_equal(agon_result_encode(a, &data[0], &size[0], NULL), AGON_OK);
    assert_int_equal(agon_result_encode(b, &data[1], &size[1], NULL), AGON_OK);
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(data[0], data[1], size[0]);
    free(data[0]);
    free(data[1]);
}

/* The task's result is what a CPU makes of it alone. */
static void assert_done(bench* b, int i) {
    if (b->job[i].status)
        fail_msg("%s: %s", b->task[i].key, b->job[i].error.text);
    agon_result alone = must_run(&b->task[i], &b->shelf);
    assert_same_result(&alone, &b->job[i].result);
    agon_result_clear(&alone);
    assert_int_equal(atomic_load(&b->gauge[i].progress), 1000);
    assert_int_equal(atomic_load(&b->gauge[i].steps), b->job[i].result.as.train.steps);
}

static void assert_failed(const bench* b, int i, int code, const char* part) {
    assert_int_equal(b->job[i].status, code);
    assert_int_equal(b->job[i].error.code, code);
    assert_int_equal(b->job[i].result.blobs, 0);
    if (!strstr(b->job[i].error.text, part))
        fail_msg("\"%s\" does not say \"%s\"", b->job[i].error.text, part);
}

/* ---- what comes out ------------------------------------------------------------------------- */

/* Promise: a task gives the same bytes alone and in a shard; whether the device plays or this
 * machine does, on one thread or three; whatever its company, and whatever the device has room for;
 * for nets of every kind of layer. */
static void each_gives_what_it_gives_alone(void** state) {
    (void)state;
    static const char* const layers[2] = {"12", "conv2,mingru8"};
    for (int g = 0; g < GAMES; g++) {
        for (int c = MIRROR; c <= MIXED; c++) {
            for (int plays = 0; plays < 2; plays++) {
                bench* b = open_bench(games[g], (company)c, layers[(g + c + plays) % 2]);
                fake.plays = plays;
                fake.room = (int[]){0, 3, 1}[(g + c) % 3];
                run_shard(b, 1 + 2 * (g % 2));
                for (int i = 0; i < TASKS; i++)
                    assert_done(b, i);
                assert_true(!fake.room || fake.largest <= fake.room);
                close_bench(b);
            }
        }
    }
}

/* Promise: one task by itself goes the same way. */
static void one_task_is_a_shard(void** state) {
    (void)state;
    for (int plays = 0; plays < 2; plays++) {
        bench* b = open_bench("tic_tac_toe", NETS, "12");
        fake.plays = plays;
        agon_context context = {.backend = fake_backend(true),
                                .load = shelf_load,
                                .user = &b->shelf,
                                .gauge = &b->gauge[2]};
        assert_int_equal(agon_execute(&b->task[2], &context, &b->job[2].result, NULL), AGON_OK);
        assert_int_equal(fake.opened, 1);
        assert_done(b, 2);
        agon_context_clear(&context);
        close_bench(b);
    }
}

/* Promise: pieces are as few as there is room for, and even; those that play and those that do not
 * are apart. */
static void pieces_are_even(void** state) {
    (void)state;
    bench* b = open_bench("tic_tac_toe", NETS, "12");
    fake.plays = true;
    fake.room = 6;
    run_shard(b, 1);
    assert_true(fake.opened == 2 && fake.largest == 4);
    close_bench(b);
    b = open_bench("tic_tac_toe", MIXED, "12");
    for (int i = 0; i < TASKS; i++) {
        agon_train_task* d = &b->task[i].as.train;
        for (int j = 0; j < d->opponents; j++)
            if (strcmp(d->opponent[j], "random") == 0)
                snprintf(d->opponent[j], AGON_REF_SIZE, "one_ply");
    }
    fake.plays = true;
    run_shard(b, 1);
    assert_true(fake.opened == 2 && fake.largest == 4);
    close_bench(b);
}

/* Promise: an opponent that plays at random keeps no game from the device. */
static void random_is_a_net_on_the_device(void** state) {
    (void)state;
    bench* b = open_bench("tic_tac_toe", MIXED, "12");
    fake.plays = true;
    run_shard(b, 1);
    assert_true(fake.opened == 1 && fake.largest == TASKS);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(b->job[i].status, AGON_OK);
    close_bench(b);
}

/* Promise: where less fits than the device said, halves are tried, down to one. */
static void a_full_device_gets_less(void** state) {
    (void)state;
    for (int fits = 1; fits <= 3; fits += 2) {
        bench* b = open_bench("matrix", MIRROR, "12");
        fake.plays = true;
        fake.fits = fits;
        run_shard(b, 1);
        for (int i = 0; i < TASKS; i++)
            assert_done(b, i);
        assert_true(fake.largest <= fits);
        close_bench(b);
    }
}

/* ---- what goes wrong ------------------------------------------------------------------------ */

/* Promise: a task that lacks a blob, diverges or is cancelled fails alone; the others give what
 * they give. */
static void failures_stay_where_they_are(void** state) {
    (void)state;
    for (int plays = 0; plays < 2; plays++) {
        bench* b = open_bench("tic_tac_toe", NETS, "12");
        fake.plays = plays;
        memset(b->task[0].as.train.opponent[0], 'a', 64);
        b->task[2].as.train.ppo.step.learning_rate = 1e38f;
        b->task[2].as.train.learning_rate_end = 1e38f;
        atomic_store(&b->gauge[5].cancel, 1);
        run_shard(b, 2);
        assert_failed(b, 0, AGON_EMISSING, "is not on the shelf");
        assert_failed(b, 2, AGON_EINVALID, "train/1/2");
        assert_failed(b, 5, AGON_ECANCELLED, "train/1/5");
        for (int i = 0; i < TASKS; i++)
            if (i != 0 && i != 2 && i != 5)
                assert_done(b, i);
        close_bench(b);
    }
}

/* Promise: a device that fails, at whatever step, leaves every task with that error and no result.
 */
static void a_lost_device_gives_nothing(void** state) {
    (void)state;
    for (int way = 0; way < 6; way++) {
        bench* b = open_bench("kuhn_poker", NETS, "12");
        fake.plays = way < 3;
        if (way == 2 || way == 5)
            fake.fetch = true;
        else if (way == 3)
            atomic_store(&fake.forwards, 9);
        else
            fake.rollout = way == 0 ? 0 : 2;
        run_shard(b, 2);
        for (int i = 0; i < TASKS; i++)
            if (way != 3 || b->job[i].status) /* some may be through */
                assert_failed(b, i, AGON_EDEVICE, "lost");
        assert_int_equal(b->job[TASKS - 1].status, AGON_EDEVICE);
        close_bench(b);
    }
}

/* Promise: a match and a probe task whose forward failed give no result, but the device's error. */
static void a_failed_forward_is_no_result(void** state) {
    (void)state;
    bench* b = open_bench("tic_tac_toe", NETS, "12");
    agon_context context = {.backend = fake_backend(true), .load = shelf_load, .user = &b->shelf};
    const agon_task task = match_task(b->rules, b->shelf.blob[0].hash, b->shelf.blob[1].hash, 40);
    agon_result result = {0}, alone = must_run(&task, &b->shelf);
    agon_error error = {0};
    assert_int_equal(agon_execute(&task, &context, &result, &error), AGON_OK);
    assert_same_result(&alone, &result);
    for (int left = 0; left < 5; left += 2) {
        atomic_store(&fake.forwards, left);
        assert_int_equal(agon_execute(&task, &context, &result, &error), AGON_EDEVICE);
        assert_non_null(strstr(error.text, "lost"));
    }
    agon_context_clear(&context);
    agon_result_clear(&alone);
    close_bench(b);
}

/* Promise: where forwards can be begun a match is played in two halves, and gives what it gives in
 * one; cancelled, it leaves no forward begun. */
static void a_match_in_halves_is_the_same(void** state) {
    (void)state;
    static const int games[] = {2, 40, 700};
    bench* b = open_bench("tic_tac_toe", NETS, "7,mingru6");
    agon_gauge gauge = {0};
    agon_context context = {
        .backend = fake_backend(true), .load = shelf_load, .user = &b->shelf, .gauge = &gauge};
    for (int i = 0; i < 3; i++) {
        const agon_task task =
            match_task(b->rules, b->shelf.blob[0].hash, b->shelf.blob[1].hash, games[i]);
        agon_result result = {0}, alone = must_run(&task, &b->shelf);
        atomic_store(&gauge.cancel, 0);
        assert_int_equal(agon_execute(&task, &context, &result, NULL), AGON_OK);
        assert_same_result(&alone, &result);
        atomic_store(&gauge.cancel, 1);
        assert_int_equal(agon_execute(&task, &context, &result, NULL), AGON_ECANCELLED);
        agon_result_clear(&alone);
    }
    agon_context_clear(&context);
    close_bench(b);
}

/* Promise: a net that is asked as a policy says that its device failed. */
static void a_failed_policy_says_so(void** state) {
    (void)state;
    fake_reset();
    agon_rules* rules = open_rules("tic_tac_toe");
    const agon_net net = make_net(rules, 12);
    const agon_backend* backend = fake_backend(false);
    float* params = make_params(&net, 1, 1);
    void* packed = aligned_alloc(64, (backend->packed_size(&net) + 63) / 64 * 64);
    agon_policy policy;
    agon_error error = {0};
    float probability[9];
    char state0[1024] = {0};
    backend->pack(&net, params, packed);
    assert_int_equal(agon_net_policy_open(backend, &net, packed, rules, &policy, NULL), AGON_OK);
    char* obs = calloc(1, rules->obs_bytes);
    const uint64_t mask[1] = {0x1ff};
    const agon_batch batch = {.rules = rules,
                              .count = 1,
                              .obs = obs,
                              .mask = mask,
                              .states = state0,
                              .lane = (const uint32_t[]){0},
                              .seat = (const uint8_t[]){0},
                              .episode = (const uint32_t[]){0},
                              .ply = (const uint32_t[]){0},
                              .temperature = 1,
                              .probability = probability};
    policy.act(&policy, &batch);
    assert_int_equal(agon_policy_check(&policy, &error), AGON_OK);
    atomic_store(&fake.forwards, 0);
    policy.act(&policy, &batch);
    assert_int_equal(agon_policy_check(&policy, &error), AGON_EDEVICE);
    agon_policy_close(&policy);
    free(obs);
    free(packed);
    free(params);
    agon_rules_close(rules);
}

/* Promise: tasks of another size, game or kind do not share a shard. */
static void only_alike_tasks_share(void** state) {
    (void)state;
    bench* b = open_bench("tic_tac_toe", NETS, "12");
    agon_task other = b->task[1];
    assert_true(agon_shard_fits(&b->task[0], &other));
    other.seed++; /* another run's */
    assert_true(agon_shard_fits(&b->task[0], &other));
#define DIFFERS(CHANGE)                                                                            \
    other = b->task[1];                                                                            \
    CHANGE;                                                                                        \
    assert_false(agon_shard_fits(&b->task[0], &other))
    DIFFERS(other.kind = AGON_MATCH);
    DIFFERS(other.fingerprint++);
    DIFFERS(strcpy(other.game, "matrix"));
    DIFFERS(strcpy(other.as.train.net, "27-13-9"));
    DIFFERS(other.as.train.lanes++);
    DIFFERS(other.as.train.horizon++);
    DIFFERS(other.as.train.rollouts++);
    DIFFERS(other.as.train.own_seats = 3);
    DIFFERS(other.as.train.ppo.epochs++);
    DIFFERS(other.as.train.ppo.minibatches++);
    other.as.train.rollouts = 0; /* nothing to train */
    assert_false(agon_shard_fits(&other, &other));
    close_bench(b);
}

/* ---- halves --------------------------------------------------------------------------------- */

static agon_rollout* fill(const bench* b, const agon_learner* learner, int task, int lanes,
                          int parts) {
    const agon_train_task* d = &b->task[task].as.train;
    static agon_player players[2];
    players[0] = players[1] = (agon_player){&learner->net, learner->packed, NULL};
    const agon_rollout_def def = {
        .rules = b->rules,
        .backend = fake_backend(false),
        .learner = learner,
        .own_seats = d->own_seats,
        .opponents = d->own_seats ? 0 : 2,
        .opponent = players,
        .lanes = lanes,
        .horizon = 7,
        .parts = parts,
        .chance = agon_key_make(5, "halves", AGON_FOR_CHANCE),
        .action = agon_key_make(5, "halves", AGON_FOR_ACTION),
    };
    agon_rollout* r = NULL;
    assert_int_equal(agon_rollout_open(&def, &r, NULL), AGON_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(agon_rollout_collect(r, NULL), AGON_OK);
    return r;
}

static void assert_same_rectangle(const agon_rectangle* a, const agon_rectangle* b) {
    const size_t entries = (size_t)a->rows * (size_t)a->horizon, words = (size_t)a->mask_words;
    assert_int_equal(a->rows, b->rows);
    assert_memory_equal(a->action, b->action, entries * sizeof *a->action);
    assert_memory_equal(a->value, b->value, entries * sizeof *a->value);
    assert_memory_equal(a->reward, b->reward, entries * sizeof *a->reward);
    assert_memory_equal(a->last, b->last, entries);
    assert_memory_equal(a->bootstrap, b->bootstrap, (size_t)a->rows * sizeof *a->bootstrap);
    assert_memory_equal(a->log_probability, b->log_probability,
                        entries * sizeof *a->log_probability);
    for (size_t i = 0; i < entries; i++) {
        assert_true(b->place[i] < (uint32_t)b->places);
        assert_memory_equal((char*)a->obs + a->place[i] * a->obs_bytes,
                            (char*)b->obs + b->place[i] * b->obs_bytes, a->obs_bytes);
        assert_memory_equal(a->mask + a->place[i] * words, b->mask + b->place[i] * words,
                            words * sizeof *a->mask);
    }
}

/* Promise: lanes that are stepped in two halves give the same rectangles and counts as all at once,
 * to the last bit of every sum. */
static void halves_make_a_whole(void** state) {
    (void)state;
    for (int g = 0; g < GAMES; g++) {
        for (int c = MIRROR; c <= NETS; c++) {
            for (int lanes = 1; lanes <= 9; lanes += 4) {
                bench* b = open_bench(games[g], (company)c, "12");
                const agon_net net = make_net(b->rules, 12);
                agon_learner* learner = agon_learner_open(&net, fake_backend(false));
                float* params = make_params(&net, 3, 3);
                memcpy(learner->params, params, agon_net_size(&net) * sizeof *params);
                fake_backend(false)->pack(&net, params, learner->packed);
                agon_rollout* whole = fill(b, learner, 1, lanes, 1);
                agon_rollout* halves = fill(b, learner, 1, lanes, 2);
                assert_int_equal(whole->parts, 1);
                assert_int_equal(halves->parts, lanes > 1 ? 2 : 1);
                assert_same_rectangle(whole->data, halves->data);
                assert_true(whole->steps == halves->steps &&
                            whole->extra_steps == halves->extra_steps &&
                            whole->other_steps == halves->other_steps &&
                            whole->finished == halves->finished &&
                            whole->return_count == halves->return_count &&
                            whole->length_sum == halves->length_sum);
                assert_memory_equal(&whole->return_sum, &halves->return_sum,
                                    sizeof whole->return_sum);
                agon_rollout_close(whole);
                agon_rollout_close(halves);
                agon_learner_close(learner);
                free(params);
                close_bench(b);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_gives_what_it_gives_alone),
        cmocka_unit_test(one_task_is_a_shard),
        cmocka_unit_test(pieces_are_even),
        cmocka_unit_test(random_is_a_net_on_the_device),
        cmocka_unit_test(a_full_device_gets_less),
        cmocka_unit_test(failures_stay_where_they_are),
        cmocka_unit_test(a_lost_device_gives_nothing),
        cmocka_unit_test(a_failed_forward_is_no_result),
        cmocka_unit_test(a_match_in_halves_is_the_same),
        cmocka_unit_test(a_failed_policy_says_so),
        cmocka_unit_test(only_alike_tasks_share),
        cmocka_unit_test(halves_make_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
