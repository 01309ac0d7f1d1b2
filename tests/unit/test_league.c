/* The league: who meets whom has the shares that the config promises. */
#include "tests/unit/plan_fixture.h"

enum { AGENTS = 6, GENERATIONS = 4, DRAWS = 20000, SELF = 1 };

/* What was drawn over many train tasks of agent SELF in generation GENERATIONS. */
typedef struct counts {
    int tasks, opponents, anchors;
    int anchor[AGON_MAX_ANCHORS];
    int past[GENERATIONS], past_agent[AGENTS]; /* from generations before the latest */
    int latest[AGENTS];
} counts;

static void open_league(plan_bench* b, const char* game, const char* const* settings) {
    char key[AGON_KEY_SIZE];
    open_bench(b, game, settings);
    configure(&b->config, "population.size", "6");
    for (int g = 0; g < GENERATIONS; g++) {
        for (int a = 0; a < AGENTS; a++) {
            agon_key_train(key, g, a);
            record(&b->population, fake_train(key));
        }
    }
}

static bool count_snapshot(const agon_population* p, const char* ref, counts* c) {
    for (int g = 0; g < GENERATIONS; g++) {
        for (int a = 0; a < AGENTS; a++) {
            if (strcmp(ref, agon_record_train(p->record, g, a)->snapshot) != 0)
                continue;
            if (g == GENERATIONS - 1) {
                c->latest[a]++;
            } else {
                c->past[g]++;
                c->past_agent[a]++;
            }
            return true;
        }
    }
    return false;
}

static void count_anchor(const agon_population* p, const char* ref, counts* c) {
    int k = 0;
    while (k < p->opponents.count && strcmp(ref, p->opponents.ref[k]) != 0)
        k++;
    assert_true(k < p->opponents.count);
    c->anchor[k]++;
    c->anchors++;
}

static agon_train_task draw(const agon_population* p, int generation, uint64_t seed) {
    agon_train_task task = {.generation = generation, .agent = SELF};
    task.opponents = agon__league_draw(p, &task, agon_key_make(seed, "league", AGON_FOR_LEAGUE));
    assert_in_range(task.opponents, 1, AGON_MAX_OPPONENTS);
    return task;
}

static counts draw_many(const agon_population* p) {
    counts c = {.tasks = DRAWS};
    for (int i = 0; i < DRAWS; i++) {
        const agon_train_task task = draw(p, GENERATIONS, (uint64_t)i);
        c.opponents += task.opponents;
        for (int k = 0; k < task.opponents; k++)
            if (!count_snapshot(p, task.opponent[k], &c))
                count_anchor(p, task.opponent[k], &c);
    }
    return c;
}

static int sum(const int* x, int n) {
    int s = 0;
    for (int i = 0; i < n; i++)
        s += x[i];
    return s;
}

/* Within 2 percentage points. */
static void assert_share(int part, int whole, double share) {
    const double got = (double)part / whole;
    if (fabs(got - share) > 0.02)
        fail_msg("share %.4f, expected %.4f", got, share);
}

/* Promise: anchors, past and latest snapshots have the shares of the config; the latest are the
 * others', evenly; the past is everybody's, evenly. */
static void uniform_keeps_its_shares(void** state) {
    (void)state;
    static const char* const settings[] = {
        "league.past",    "0.3", "league.anchor_share", "0.35", "league.anchors",
        "random one_ply", NULL};
    plan_bench b;
    open_league(&b, "tic_tac_toe", settings);
    const counts c = draw_many(&b.population);
    const int past = sum(c.past, GENERATIONS), latest = sum(c.latest, AGENTS);
    assert_int_equal(c.opponents, DRAWS * 32 / 8);
    assert_share(c.anchors, c.opponents, 0.35);
    assert_share(past, c.opponents, 0.65 * 0.3);
    assert_share(latest, c.opponents, 0.65 * 0.7);
    assert_share(c.anchor[0], c.anchors, 0.5);
    assert_int_equal(c.latest[SELF], 0);
    for (int a = 0; a < AGENTS; a++) {
        assert_share(c.past_agent[a], past, 1.0 / AGENTS);
        assert_share(c.latest[a], latest, a == SELF ? 0 : 1.0 / (AGENTS - 1));
    }
    for (int g = 0; g < GENERATIONS - 1; g++)
        assert_share(c.past[g], past, 1.0 / (GENERATIONS - 1));
    close_bench(&b);
}

/* Promise: the first training meets no past, because there is none; without anchors none are met.
 */
static void what_is_not_there_is_not_drawn(void** state) {
    (void)state;
    static const char* const settings[] = {
        "league.anchors", "", "league.anchor_share", "0", "league.opponents", "3", NULL};
    plan_bench b;
    open_league(&b, "tic_tac_toe", settings);
    for (uint64_t i = 0; i < 200; i++) {
        counts c = {0};
        const agon_train_task task = draw(&b.population, 1, i);
        assert_int_equal(task.opponents, 3);
        for (int k = 0; k < task.opponents; k++) {
            assert_true(count_snapshot(&b.population, task.opponent[k], &c));
            assert_string_not_equal(task.opponent[k],
                                    agon_record_train(b.population.record, 0, SELF)->snapshot);
        }
        assert_int_equal(c.past[0], 3);
    }
    close_bench(&b);
}

/* Promise: fixed meets anchors alone, all of them evenly within one task. */
static void fixed_meets_anchors_alone(void** state) {
    (void)state;
    static const char* const settings[] = {"league.kind", "fixed", "league.anchors",
                                           "random one_ply alpha_beta(depth=1)", NULL};
    plan_bench b;
    open_league(&b, "tic_tac_toe", settings);
    for (uint64_t i = 0; i < 200; i++) {
        counts c = {0};
        const agon_train_task task = draw(&b.population, GENERATIONS, i);
        for (int k = 0; k < task.opponents; k++)
            count_anchor(&b.population, task.opponent[k], &c);
        for (int k = 0; k < 3; k++)
            assert_in_range(c.anchor[k], 1, 2); /* 4 of 3 kinds */
    }
    const counts c = draw_many(&b.population);
    for (int k = 0; k < 3; k++)
        assert_share(c.anchor[k], c.opponents, 1.0 / 3);
    close_bench(&b);
}

/* SELF lost all 8 games to agent 0, won all against 2, and scored half against 3. */
static void open_pfsp(plan_bench* b, const char* weighting) {
    const char* const settings[] = {
        "league.kind",      "pfsp",    "league.past", "0", "league.anchor_share", "0",
        "league.weighting", weighting, NULL};
    open_league(b, "tic_tac_toe", settings);
    record(&b->population, fake_match("match/2/0/1", 8, 4, 4));
    record(&b->population, fake_match("match/2/1/2", 8, 4, 4));
    record(&b->population, fake_match("match/2/1/3", 8, 4, -4));
    record(&b->population, fake_match("match/0/0/1", 8, -4, -4)); /* long ago: without weight */
}

/* Promise: pfsp weighs by the pay-offs last measured, (1 - p)^2 or p (1 - p), p shrunk to 1/2 by
 * one game; unmeasured pairs count as even. */
static void pfsp_weighs_by_payoff(void** state) {
    (void)state;
    const double lost = 0.5 / 9, won = 8.5 / 9;
    for (int even = 0; even < 2; even++) {
        plan_bench b;
        open_pfsp(&b, even ? "even" : "hard");
        const double w0 = even ? lost * (1 - lost) : (1 - lost) * (1 - lost);
        const double w2 = even ? won * (1 - won) : (1 - won) * (1 - won);
        const double all = w0 + w2 + 3 * 0.25;
        const counts c = draw_many(&b.population);
        const int latest = sum(c.latest, AGENTS);
        assert_int_equal(latest, c.opponents);
        assert_int_equal(c.latest[SELF], 0);
        assert_share(c.latest[0], latest, w0 / all);
        assert_share(c.latest[2], latest, w2 / all);
        for (int a = 3; a < AGENTS; a++)
            assert_share(c.latest[a], latest, 0.25 / all);
        close_bench(&b);
    }
}

/* Promise: an agent that is alone meets itself; a draw is a function of its key. */
static void draws_are_functions_of_their_key(void** state) {
    (void)state;
    plan_bench b;
    open_league(&b, "tic_tac_toe", NULL);
    int different = 0;
    for (uint64_t i = 0; i < 20; i++) {
        const agon_train_task x = draw(&b.population, GENERATIONS, i);
        const agon_train_task y = draw(&b.population, GENERATIONS, i);
        const agon_train_task z = draw(&b.population, GENERATIONS, i + 1);
        assert_memory_equal(&x, &y, sizeof x);
        different += memcmp(&x, &z, sizeof x) != 0;
    }
    assert_true(different > 15);
    configure(&b.config, "population.size", "1");
    agon_train_task task = {.generation = 1};
    configure(&b.config, "league.anchor_share", "0");
    task.opponents = agon__league_draw(&b.population, &task, agon_key_make(1, "", AGON_FOR_TEST));
    for (int k = 0; k < task.opponents; k++)
        assert_string_equal(task.opponent[k],
                            agon_record_train(b.population.record, 0, 0)->snapshot);
    close_bench(&b);
}

static int check_mirror(void* user, const agon_task* task) {
    ++*(int*)user;
    assert_true(task->kind != AGON_TRAIN ||
                (task->as.train.own_seats == 3 && !task->as.train.opponents));
    return 0;
}

/* Promise: mirror has no opponents. */
static void mirror_has_no_opponents(void** state) {
    (void)state;
    static const char* const settings[] = {"league.kind", "mirror", NULL};
    plan_bench b;
    int tasks = 0;
    open_league(&b, "tic_tac_toe", settings);
    assert_int_equal(agon_population_plan(&b.population, check_mirror, &tasks), 0);
    assert_true(tasks > AGENTS);
    close_bench(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniform_keeps_its_shares),
        cmocka_unit_test(what_is_not_there_is_not_drawn),
        cmocka_unit_test(fixed_meets_anchors_alone),
        cmocka_unit_test(pfsp_weighs_by_payoff),
        cmocka_unit_test(draws_are_functions_of_their_key),
        cmocka_unit_test(mirror_has_no_opponents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
