/* Promise: train tasks whose nets fold and remember give on a device, over the driver of
 * tests/cuda/driver.h, what the CPU's shards give: the same games, and in fp32 parameters within
 * LIMIT. Whoever holds the other seats; the same bytes on any number of threads and in any pieces.
 * Steps are taken with an epsilon that gradients of rounding errors do not reach. */
#include "cuda/backend_cuda.h"
#include "engine/execute_shard.h"
#include "tests/unit/task_fixture.h"

#include "tests/unit/fake_device.h"

enum { TASKS = 4, SNAPSHOTS = 2 };
#define LIMIT 1e-5f

/* How the other seats are held: by the learner, by nets of its architecture, by these and a
 * uniformly random policy, so that the device plays; or by these and a net of another architecture
 * or a policy that no device knows, so that the host does. */
typedef enum company { MIRROR, NETS, RANDOM, OTHERS, SCRIPTED, COMPANIES } company;

static const char* const layers[] = {"mingru8", "conv4,16,mingru8", "7,mingru5,6,mingru3",
                                     "conv3k1,conv2k5,9"};
enum { LAYERS = sizeof layers / sizeof *layers };

typedef struct bench {
    agon_rules* rules;
    agon_net net;
    shelf shelf;
    agon_task task[TASKS];
} bench;

static const agon_backend* cuda(agon_precision precision) {
    const agon_backend* backend = NULL;
    agon_error error = {0};
    if (agon_cuda_backend(precision, &backend, &error))
        fail_msg("%s", error.text);
    return backend;
}

static void seat_others(bench* b, int agent, company company) {
    agon_train_task* d = &b->task[agent].as.train;
    d->own_seats = company == MIRROR ? agon_rules_seats(b->rules) : company == NETS;
    d->opponents = company == MIRROR ? 0 : 2;
    for (int i = 0; i < d->opponents; i++)
        snprintf(d->opponent[i], AGON_REF_SIZE, "%s", b->shelf.blob[(agent + i) % SNAPSHOTS].hash);
    if (company >= RANDOM)
        snprintf(d->opponent[agent % 2], AGON_REF_SIZE, "%s",
                 company == RANDOM   ? "random"
                 : company == OTHERS ? b->shelf.blob[SNAPSHOTS].hash
                                     : "one_ply");
}

static void make_train_task(bench* b, int agent, company company) {
    agon_task* task = &b->task[agent];
    agon_train_task* d = &task->as.train;
    *task = make_task(AGON_TRAIN, b->rules, "");
    snprintf(task->key, sizeof task->key, "train/1/%d", agent);
    agon_net_format(&b->net, d->net, sizeof d->net);
    d->generation = 1;
    d->agent = agent;
    seat_others(b, agent, company);
    d->lanes = 4;
    d->horizon = 5;
    d->rollouts = 3;
    d->learning_rate_end = 5e-3f;
    d->ppo = (agon_ppo){.step = {1e-2f, 0.2f, 0.5f, 0.01f, 0.5f, 0.9f, 0.99f, 1e-3f},
                        .discount = 0.97f,
                        .lambda = 0.9f,
                        .epochs = 2,
                        .minibatches = 3,
                        .normalise = 1};
}

static void open_bench(bench* b, const char* game, const char* hidden, company company) {
    memset(b, 0, sizeof *b);
    fake_reset();
    fake.plays = true;
    b->rules = open_rules(game);
    b->net = make_layers(b->rules, hidden);
    for (uint64_t i = 0; i < SNAPSHOTS; i++)
        shelf_snapshot_of(&b->shelf, b->rules, &b->net, i);
    const agon_net other = make_layers(b->rules, "mingru3,5,mingru9");
    shelf_snapshot_of(&b->shelf, b->rules, &other, SNAPSHOTS);
    for (int i = 0; i < TASKS; i++)
        make_train_task(b, i, company);
}

static void close_bench(bench* b) {
    shelf_clear(&b->shelf);
    agon_rules_close(b->rules);
}

/* ---- runs ------------------------------------------------------------------------------------ */

static void run(bench* b, const agon_backend* backend, int threads, agon_result* out) {
    agon_shard_task job[TASKS];
    agon_shard_task* jobs[TASKS];
    for (int i = 0; i < TASKS; i++) {
        job[i] = (agon_shard_task){.task = &b->task[i]};
        jobs[i] = &job[i];
        assert_true(agon_shard_fits(&b->task[0], &b->task[i]));
    }
    agon_context context = {
        .backend = backend, .load = shelf_load, .user = &b->shelf, .threads = threads};
    agon_execute_shard(jobs, TASKS, &context);
    agon_context_clear(&context);
    for (int i = 0; i < TASKS; i++) {
        if (job[i].status)
            fail_msg("%s: %s", b->task[i].key, job[i].error.text);
        out[i] = job[i].result;
    }
}

static void clear(agon_result* results) {
    for (int i = 0; i < TASKS; i++)
        agon_result_clear(&results[i]);
}

static void assert_same(const agon_result* a, const agon_result* b) {
    uint8_t* data[2];
    size_t size[2];
    for (int i = 0; i < TASKS; i++) {
        assert_int_equal(agon_result_encode(&a[i], &data[0], &size[0], NULL), AGON_OK);
        assert_int_equal(agon_result_encode(&b[i], &data[1], &size[1], NULL), AGON_OK);
        assert_int_equal(size[0], size[1]);
        assert_memory_equal(data[0], data[1], size[0]);
        free(data[0]);
        free(data[1]);
    }
}

static float* params_of(const agon_result* result) {
    agon_net net;
    float* params = NULL;
    agon_error error = {0};
    const agon_bytes* blob = &result->blob[1];
    if (agon_snapshot_decode(blob->data, blob->size, "snapshot", &net, &params, NULL, &error))
        fail_msg("%s", error.text);
    return params;
}

static void assert_near(const bench* b, const agon_result* got, const agon_result* want) {
    const agon_train_result *g = &got->as.train, *w = &want->as.train;
    float *have = params_of(got), *wanted = params_of(want);
    assert_true(g->steps == w->steps && g->extra_steps == w->extra_steps &&
                g->other_steps == w->other_steps && g->episodes == w->episodes);
    assert_true(g->updates == w->updates && g->total_steps == w->total_steps);
    assert_true(fabs(g->return_mean - w->return_mean) < 1e-9 &&
                fabs(g->length_mean - w->length_mean) < 1e-9);
    assert_true(fabs(g->stats.kl - w->stats.kl) < 1e-5 &&
                fabs(g->stats.entropy - w->stats.entropy) < 1e-5 &&
                fabs(g->explained_variance - w->explained_variance) < 1e-3);
    for (size_t i = 0; i < agon_net_size(&b->net); i++)
        if (!(fabsf(have[i] - wanted[i]) <= LIMIT))
            fail_msg("%s, %s: parameter %zu is %.9g, expected %.9g", b->rules->name,
                     b->task[0].as.train.net, i, (double)have[i], (double)wanted[i]);
    free(have);
    free(wanted);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static struct {
    const agon_shard_backend* real;
    int played, filled; /* shards opened: the device plays in them, or the host */
} seen;

static int open_seen(const agon_shard_def* def, agon_shard** out, agon_error* error) {
    *(def->plays ? &seen.played : &seen.filled) += 1;
    return seen.real->open(def, out, error);
}

static void run_seen(bench* b, agon_result* out) {
    agon_backend backend = *cuda(AGON_PRECISION_FP32);
    agon_shard_backend shards = *backend.shards;
    seen.real = backend.shards;
    seen.played = seen.filled = 0;
    shards.open = open_seen;
    backend.shards = &shards;
    run(b, &backend, 1, out);
}

static void as_on_the_cpu(void** state) {
    (void)state;
    static const char* const games[] = {"kuhn_poker", "connect_four(rows=4,cols=4)",
                                        "tron(players=3,size=5)"};
    for (int g = 0; g < 3; g++) {
        for (int c = MIRROR; c < COMPANIES - (g != 1); c++) { /* one_ply wants to see all */
            bench b;
            agon_result want[TASKS], got[TASKS];
            open_bench(&b, games[g], layers[(g + c) % LAYERS], (company)c);
            fake.plays = c < OTHERS;
            run(&b, fake_backend(true), 1, want);
            run_seen(&b, got);
            assert_true(seen.played == (c < OTHERS) && seen.filled == (c >= OTHERS));
            for (int i = 0; i < TASKS; i++)
                assert_near(&b, &got[i], &want[i]);
            clear(want);
            clear(got);
            close_bench(&b);
        }
    }
}

static int two_fit(const agon_shard_def* def) {
    (void)def;
    return 2;
}

/* Whoever plays, threads that fill rectangles and pieces do not matter to a byte. */
static void threads_and_pieces_do_not_matter(void** state) {
    (void)state;
    for (int precision = AGON_PRECISION_FP32; precision <= AGON_PRECISION_BF16; precision += 2) {
        for (int c = NETS; c < COMPANIES; c += SCRIPTED - NETS) {
            bench b;
            agon_result whole[TASKS], other[TASKS];
            agon_backend backend = *cuda((agon_precision)precision);
            agon_shard_backend shards = *backend.shards;
            open_bench(&b, "tic_tac_toe", layers[1], (company)c);
            run(&b, &backend, 1, whole);
            run(&b, &backend, 2, other);
            assert_same(whole, other);
            clear(other);
            shards.room = two_fit;
            backend.shards = &shards;
            run(&b, &backend, 1, other);
            assert_same(whole, other);
            clear(other);
            clear(whole);
            close_bench(&b);
        }
    }
}

/* ---- room ------------------------------------------------------------------------------------ */

enum { MOST = 64 };

/* Opens as many members as there is said to be room for, and one by one what they do. */
static int open_all_that_fit(const bench* b, bool plays, int lanes) {
    const agon_backend* backend = cuda(AGON_PRECISION_FP32);
    agon_shard_member member[MOST] = {0};
    agon_shard* shard = NULL;
    agon_error error = {0};
    const agon_spec* spec = &b->rules->spec;
    agon_shard_def def = {.rules = b->rules,
                          .lanes = lanes,
                          .horizon = 2,
                          .own_seats = agon_rules_seats(b->rules),
                          .plays = plays,
                          .members = 1,
                          .member = member};
    agon_rectangle* data =
        agon_rectangle_open(lanes * spec->seats, 2, (agon_input){spec->obs_type, spec->obs_scale},
                            b->rules->obs_bytes, b->rules->mask_words, 0, agon_net_memory(&b->net));
    agon_learner* learner = agon_learner_open(&b->net, backend);
    backend->pack(&b->net, learner->params, learner->packed);
    member[0] = (agon_shard_member){
        .learner = learner, .data = plays ? NULL : data, .ppo = {.epochs = 1, .minibatches = 1}};
    const int room = backend->shards->room(&def);
    assert_true(room >= 1);
    def.members = room < MOST ? room : MOST;
    for (int m = 1; m < def.members; m++) {
        member[m] = member[0];
        member[m].learner = agon_learner_open(&b->net, backend);
        backend->pack(&b->net, member[m].learner->params, member[m].learner->packed);
    }
    if (backend->shards->open(&def, &shard, &error))
        fail_msg("%s: %d members: %s", b->task[0].as.train.net, def.members, error.text);
    backend->shards->close(shard);
    for (int m = 0; m < def.members; m++)
        agon_learner_close(member[m].learner);
    agon_rectangle_close(data);
    return room;
}

/* Promise: what is said to fit fits, with what rows remember. */
static void what_is_remembered_takes_room(void** state) {
    (void)state;
    bench b;
    setenv("FAKE_CUDA_MEMORY", "50331648", 1);
    for (int plays = 0; plays < 2; plays++) {
        open_bench(&b, "tic_tac_toe", "40,40", MIRROR);
        const int without = open_all_that_fit(&b, plays, 500);
        close_bench(&b);
        open_bench(&b, "tic_tac_toe", "40,mingru20", MIRROR);
        const int with = open_all_that_fit(&b, plays, 500);
        close_bench(&b);
        assert_true(with < MOST && with > 1 && with < without);
    }
    unsetenv("FAKE_CUDA_MEMORY");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_on_the_cpu),
        cmocka_unit_test(threads_and_pieces_do_not_matter),
        cmocka_unit_test(what_is_remembered_takes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
