/* The planner: pure, complete, in order; resuming it is calling it again. */
#include "tests/unit/plan_fixture.h"

enum { MAX_TASKS = 1024 };

/* A run in fast motion: tasks handed out, some of them done, all of them remembered as bytes. */
typedef struct run {
    plan_bench bench;
    agon_task* task[MAX_TASKS]; /* handed out, owned; the first `done` have results */
    int handed, done;
    uint32_t dice;
} run;

static void check_ready(const agon_population* p, const agon_task* task);

static int take(void* user, const agon_task* task) {
    run* r = user;
    check_ready(&r->bench.population, task);
    assert_true(r->handed < MAX_TASKS);
    for (int i = 0; i < r->handed; i++)
        assert_string_not_equal(r->task[i]->key, task->key);
    r->task[r->handed] = malloc(sizeof *task);
    assert_non_null(r->task[r->handed]);
    *r->task[r->handed++] = *task;
    return 0;
}

static void plan(run* r) {
    assert_int_equal(agon_population_plan(&r->bench.population, take, r), 0);
}

/* One waiting task, chosen by the dice (0: the oldest), gets its result. */
static void finish_one(run* r, uint32_t seed) {
    const int waiting = r->handed - r->done;
    const uint32_t word =
        agon_random(agon_key_make(seed, "", AGON_FOR_TEST), r->dice++, 0, 0, 0).word[0];
    const int k = r->done + (seed ? (int)agon_below(word, (uint32_t)waiting) : 0);
    agon_task* task = r->task[k];
    r->task[k] = r->task[r->done];
    r->task[r->done++] = task;
    record(&r->bench.population, fake_result(task, r->bench.rules->spec.actions));
}

/* Plans and finishes until `results` are there, or nothing is left. */
static void go_on(run* r, uint32_t seed, int results) {
    plan(r);
    while (r->done < r->handed && r->done < results) {
        finish_one(r, seed);
        plan(r);
    }
}

static void close_run(run* r) {
    for (int i = 0; i < r->handed; i++)
        free(r->task[i]);
    close_bench(&r->bench);
    free(r);
}

static run* open_run(const char* game, const char* const* settings) {
    run* r = calloc(1, sizeof *r);
    assert_non_null(r);
    open_bench(&r->bench, game, settings);
    return r;
}

static int by_key(const void* a, const void* b) {
    return strcmp((*(agon_task* const*)a)->key, (*(agon_task* const*)b)->key);
}

/* The same tasks, byte for byte, in whatever order they were handed out. */
static void assert_same_tasks(run* a, run* b) {
    assert_int_equal(a->handed, b->handed);
    qsort(a->task, (size_t)a->handed, sizeof *a->task, by_key);
    qsort(b->task, (size_t)b->handed, sizeof *b->task, by_key);
    for (int i = 0; i < a->handed; i++) {
        uint8_t *x, *y;
        size_t n, m;
        assert_int_equal(agon_task_encode(a->task[i], &x, &n, NULL), AGON_OK);
        assert_int_equal(agon_task_encode(b->task[i], &y, &m, NULL), AGON_OK);
        assert_int_equal(n, m);
        assert_memory_equal(x, y, n);
        free(x);
        free(y);
    }
}

/* Promise: no task is handed out before what it is made of: training after all of the generation
 * before, prioritised training after its pay-offs, measuring after training. */
static void check_ready(const agon_population* p, const agon_task* task) {
    const agon_train_task* t = &task->as.train;
    if (task->kind != AGON_TRAIN) {
        const int g =
            task->kind == AGON_MATCH ? task->as.match.generation : task->as.probe.generation;
        assert_true(agon_population_trained(p, g) && agon_population_measures(p, g));
        return;
    }
    for (int g = 0; g < t->generation; g++)
        assert_true(agon_population_trained(p, g));
    if (t->generation == 0) {
        assert_true(t->learner[0] == '\0' && t->rollouts == 0 && t->opponents == 0);
        return;
    }
    assert_string_equal(t->learner,
                        agon_record_train(p->record, t->generation - 1, t->agent)->learner);
    for (int g = 0; p->config->league.kind == AGON_LEAGUE_PFSP && g < t->generation; g++)
        assert_true(!agon_population_measures(p, g) || agon_population_measured(p, g));
}

typedef struct setting {
    const char* game;
    const char* settings[9];
} setting;

static const setting cases[] = {
    {"tic_tac_toe", {NULL}},
    {"tic_tac_toe", {"league.kind", "pfsp", "metrics.every", "3", NULL}},
    {"kuhn_poker", {"league.kind", "mirror", "train.generations", "5", NULL}},
    {"tron(players=3)", {"league.kind", "fixed", "metrics.budget", "3", NULL}},
    {"tic_tac_toe", {"metrics.anchor_games", "0", "metrics.final_games", "0", NULL}},
    {"matrix", {"population.size", "1", "metrics.anchors", "", NULL}},
};
enum { CASES = (int)(sizeof cases / sizeof *cases) };

/* Promise: fed with results, the planner hands out every task of the run once, and says when all is
 * done. */
static void every_task_once(void** state) {
    (void)state;
    for (int i = 0; i < CASES; i++) {
        run* r = open_run(cases[i].game, cases[i].settings);
        const agon_population* p = &r->bench.population;
        plan(r);
        assert_int_equal(r->handed, r->bench.config.population.size);
        assert_false(agon_population_finished(p));
        go_on(r, 0, agon_population_tasks(p) - 1);
        assert_int_equal(r->handed, agon_population_tasks(p));
        assert_false(agon_population_finished(p));
        go_on(r, 0, MAX_TASKS);
        assert_int_equal(r->done, agon_population_tasks(p));
        assert_int_equal(agon_record_count(p->record), r->done);
        assert_true(agon_population_finished(p));
        plan(r);
        assert_int_equal(r->handed, r->done);
        close_run(r);
    }
}

/* Promise: the tasks do not depend on the order in which results arrive. */
static void order_does_not_matter(void** state) {
    (void)state;
    for (int i = 0; i < CASES; i++) {
        run* straight = open_run(cases[i].game, cases[i].settings);
        go_on(straight, 0, MAX_TASKS);
        for (uint32_t seed = 1; seed <= 3; seed++) {
            run* shuffled = open_run(cases[i].game, cases[i].settings);
            go_on(shuffled, seed, MAX_TASKS);
            assert_true(agon_population_finished(&shuffled->bench.population));
            assert_same_tasks(straight, shuffled);
            close_run(shuffled);
        }
        close_run(straight);
    }
}

/* Promise: a run that stopped anywhere and is opened again hands out exactly what was left. */
static void resuming_is_calling_again(void** state) {
    (void)state;
    for (int i = 0; i < CASES; i++) {
        run* whole = open_run(cases[i].game, cases[i].settings);
        go_on(whole, 0, MAX_TASKS);
        for (int stop = 0; stop < whole->handed; stop += 1 + stop / 3) {
            run* first = open_run(cases[i].game, cases[i].settings);
            run* second = open_run(cases[i].game, cases[i].settings);
            go_on(first, (uint32_t)stop, stop);
            assert_int_equal(first->done, stop);
            /* What was committed is known; what was under way is forgotten. */
            for (int k = 0; k < stop; k++) {
                record(&second->bench.population,
                       fake_result(first->task[k], first->bench.rules->spec.actions));
                second->task[k] = first->task[k];
            }
            second->handed = second->done = stop;
            go_on(second, (uint32_t)stop + 1, MAX_TASKS);
            assert_true(agon_population_finished(&second->bench.population));
            assert_same_tasks(whole, second);
            for (int k = 0; k < stop; k++)
                first->task[k] = NULL; /* now the second's */
            close_run(first);
            close_run(second);
        }
        close_run(whole);
    }
}

static int refuse_third(void* user, const agon_task* task) {
    (void)task;
    return ++*(int*)user == 3 ? 42 : 0;
}

/* Promise: emit's refusal stops the planner and is what it returns. */
static void a_refusal_stops_planning(void** state) {
    (void)state;
    run* r = open_run("tic_tac_toe", NULL);
    int count = 0;
    assert_int_equal(agon_population_plan(&r->bench.population, refuse_third, &count), 42);
    assert_int_equal(count, 3);
    close_run(r);
}

static const agon_task* find(const run* r, const char* key) {
    for (int i = 0; i < r->handed; i++)
        if (strcmp(r->task[i]->key, key) == 0)
            return r->task[i];
    return NULL;
}

/* Promise: what a task says is what the config says: schedules without a gap, protocols of matches,
 * one match per pair where pay-offs are antisymmetric and both otherwise. */
static void tasks_say_what_the_config_says(void** state) {
    (void)state;
    static const char* const settings[] = {"train.learning_rate", "0.01",
                                           "train.learning_rate_final", "0.004", NULL};
    run* r = open_run("tic_tac_toe", settings);
    char key[AGON_KEY_SIZE];
    go_on(r, 0, MAX_TASKS);
    float rate = 0.01f, entropy = 0.02f;
    for (int g = 1; g <= 6; g++) {
        agon_key_train(key, g, 3);
        const agon_train_task* t = &find(r, key)->as.train;
        assert_true(t->ppo.step.learning_rate == rate && t->ppo.step.entropy_weight == entropy);
        assert_true(t->learning_rate_end < rate && t->entropy_end < entropy);
        assert_true(t->opponents == 4 && t->lanes == 32 && t->rollouts == 16 && !t->own_seats);
        rate = t->learning_rate_end;
        entropy = t->entropy_end;
    }
    assert_true(rate == 0.004f && entropy == 0.005f);
    const agon_match_task* m = &find(r, "match/2/0/4")->as.match;
    assert_true(m->games == 8 && m->temperature == 1 && m->opening == 2 && !m->final);
    m = &find(r, "anchor/6/1/0")->as.match; /* random: nothing to open */
    assert_true(m->games == 4 && m->temperature == 0 && m->opening == 0 && m->col == -1);
    assert_string_equal(m->col_ref, "random");
    m = &find(r, "final/4/1")->as.match;
    assert_true(m->games == 6 && m->final && m->temperature == 0 && m->generation == 6);
    assert_string_equal(m->col_ref, "one_ply");
    assert_null(find(r, "match/2/4/0"));
    assert_null(find(r, "match/1/0/1"));
    assert_null(find(r, "match/3/0/1"));
    assert_non_null(find(r, "probe/4/2"));
    close_run(r);

    r = open_run("tron(players=3)", NULL);
    go_on(r, 0, MAX_TASKS);
    assert_false(agon_population_antisymmetric(&r->bench.population));
    assert_int_equal(find(r, "match/0/0/4")->as.match.games, 6); /* whole rounds of three seats */
    assert_non_null(find(r, "match/0/4/0"));
    assert_null(find(r, "match/0/2/2"));
    close_run(r);
}

/* Promise: a budget thins the pay-off matrix evenly and always the same way. */
static void a_budget_thins_evenly(void** state) {
    (void)state;
    static const char* const settings[] = {"population.size", "10", "metrics.budget", "4", NULL};
    run* r = open_run("tic_tac_toe", settings);
    int sample[10];
    assert_int_equal(agon_population_sample(&r->bench.population, sample), 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(sample[i], i * 10 / 4); /* 0, 2, 5, 7 */
    go_on(r, 0, MAX_TASKS);
    assert_non_null(find(r, "match/0/2/7"));
    assert_null(find(r, "match/0/1/2"));
    assert_non_null(find(r, "anchor/0/1/0"));
    close_run(r);
}

/* Promise: anchors that cannot be are refused with a reason; those a game does not allow are left
 * out of the measurement and named. */
static void anchors_are_checked(void** state) {
    (void)state;
    static const struct {
        const char *game, *settings[5];
        int code;
        const char* part;
    } wrong[] = {
        {"matrix", {"league.anchors", "one_ply", NULL}, AGON_EUNSUPPORTED, "league.anchors"},
        {"tic_tac_toe", {"metrics.anchors", "randon", NULL}, AGON_EUNKNOWN, "randon"},
        {"tic_tac_toe", {"metrics.anchors", "random one_ply random", NULL}, AGON_EINVALID, "twice"},
        {"tic_tac_toe", {"league.kind", "fixed", "league.anchors", "", NULL}, AGON_EINVALID, ""},
    };
    plan_bench b;
    agon_error error;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(try_open_bench(&b, wrong[i].game, wrong[i].settings, &error),
                         wrong[i].code);
        assert_non_null(strstr(error.text, wrong[i].part));
        agon_rules_close(b.rules);
    }
    static const char* const settings[] = {"metrics.anchors", "one_ply random alpha_beta(depth=2)",
                                           NULL};
    open_bench(&b, "matrix", settings);
    assert_int_equal(b.population.anchors.count, 1);
    assert_string_equal(b.population.anchors.ref[0], "random");
    assert_non_null(strstr(b.population.left_out, "one_ply"));
    assert_non_null(strstr(b.population.left_out, "alpha_beta"));
    close_bench(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_once),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(resuming_is_calling_again),
        cmocka_unit_test(a_refusal_stops_planning),
        cmocka_unit_test(tasks_say_what_the_config_says),
        cmocka_unit_test(a_budget_thins_evenly),
        cmocka_unit_test(anchors_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
