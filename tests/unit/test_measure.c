/* Measurements of made-up results: numbers worked out by hand, and the line they make. */
#include "engine/measure.h"
#include "tests/unit/plan_fixture.h"

#include <cjson/cJSON.h>

enum { AGENTS = 3 };

static const double one_state[1] = {1};

static void near(double got, double expected) {
    if (!(fabs(got - expected) <= 1e-9))
        fail_msg("%.12g, expected %.12g", got, expected);
}

/* Three agents of a two-seat game, generation 0 trained and probed; matches are the test's. */
static void open_three(plan_bench* b, const char* game, const char* const* settings) {
    static const float probability[AGENTS][9] = {{1}, {0, 1}, {0.5f, 0.5f}};
    char key[AGON_KEY_SIZE];
    open_bench(b, game, settings);
    configure(&b->config, "population.size", "3");
    b->population.probe_weight = one_state;
    for (int a = 0; a < AGENTS; a++) {
        agon_key_train(key, 0, a);
        agon_result r = fake_train(key);
        r.as.train.total_steps = 100 * (uint64_t)(a + 1);
        record(&b->population, r);
        agon_key_probe(key, 0, a);
        record(&b->population, fake_probe(key, b->rules->spec.actions,
                                          b->rules->spec.actions >= 2 ? probability[a] : NULL));
    }
}

static void add_match(plan_bench* b, int row, int col, int games, int first, int second) {
    char key[AGON_KEY_SIZE];
    agon_key_match(key, 0, row, col);
    record(&b->population, fake_match(key, games, first, second));
}

/* Agent 0 beats 1 by 0.5 a game, 1 beats 2 by 0.25, 0 beats 2 by 1: a ladder. */
static void open_ladder(plan_bench* b) {
    static const char* const settings[] = {"metrics.anchors", "random one_ply", NULL};
    open_three(b, "tic_tac_toe", settings);
    add_match(b, 0, 1, 8, 4, 0);
    add_match(b, 1, 2, 8, 1, 1);
    add_match(b, 0, 2, 8, 4, 4);
    for (int a = 0; a < AGENTS; a++) {
        add_match(b, a, -1, 4, 2, a - 1); /* random: 2 of 2, then one loss, draws or one win */
        add_match(b, a, -2, 4, -2, -2);
    }
}

static agon_measurement must_measure(const plan_bench* b) {
    agon_measurement m;
    agon_error error = {0};
    assert_true(agon_population_measured(&b->population, 0));
    if (agon_measure(&b->population, 0, &m, &error) != AGON_OK)
        fail_msg("%s", error.text);
    return m;
}

/* Promise: pay-offs are mean returns per pair, antisymmetric; their errors come from the spread of
 * pair scores, shrunk to the mean spread. */
static void payoffs_are_means(void** state) {
    (void)state;
    plan_bench b;
    open_ladder(&b);
    agon_measurement m = must_measure(&b);
    assert_true(m.antisymmetric && m.rated == AGENTS && m.agents == AGENTS);
    for (int i = 0; i < AGENTS; i++)
        for (int j = 0; j < AGENTS; j++)
            near(m.payoff[i * AGENTS + j], -m.payoff[j * AGENTS + i]);
    near(m.payoff[0 * AGENTS + 1], 0.5);
    near(m.payoff[1 * AGENTS + 2], 0.25);
    near(m.payoff[0 * AGENTS + 2], 1);
    /* Squared deviations of the 4 pair scores: 1 - 2^2/4, 0.5 - 1/4 and 2 - 4^2/4 (0 at least). */
    const double s01 = 0, s12 = 0.25, pooled = (s01 + s12 + 1) / 10; /* 1: the widest */
    near(m.payoff_se[0 * AGENTS + 1], sqrt((s01 + 4 * pooled) / 7 / 4));
    near(m.payoff_se[2 * AGENTS + 1], sqrt((s12 + 4 * pooled) / 7 / 4));
    near(m.payoff_se[0], 0);
    near(m.steps, 200);
    /* A ladder: one agent is best against all, so its equilibrium is that agent. */
    near(m.nash_entropy, 0);
    near(m.effective, 0);
    agon_measurement_clear(&m);
    close_bench(&b);
}

/* Promise: ratings follow the points; the best agent has the highest mean pay-off. */
static void ratings_follow_points(void** state) {
    (void)state;
    plan_bench b;
    open_ladder(&b);
    agon_measurement m = must_measure(&b);
    assert_true(m.rating_defined);
    assert_true(m.elo[0] > m.elo[1] + 50 && m.elo[1] > m.elo[2] + 50);
    near(m.elo[0] + m.elo[1] + m.elo[2], 0); /* the prior's mean */
    for (int a = 0; a < AGENTS; a++)
        assert_true(m.elo_se[a] > 10 && m.elo_se[a] < 350);
    assert_int_equal(agon_measurement_best(&m, 0), 0);
    agon_measurement_clear(&m);
    close_bench(&b);

    /* Two agents, 6 : 2 points with a prior of 350: R1 - R2 = D where
     * 8 expected(D) + (D / 2) / 350^2 * 400 / ln 10 = 6. */
    static const char* const two[] = {"metrics.anchors", "", "metrics.budget", "2", NULL};
    open_three(&b, "tic_tac_toe", two);
    add_match(&b, 0, 1, 8, 2, 2);
    m = must_measure(&b);
    assert_int_equal(m.rated, 2);
    const double d = m.elo[0] - m.elo[1];
    const double expected = 1 / (1 + pow(10, -d / 400));
    assert_true(fabs(8 * expected + d / 2 / (350.0 * 350) * 400 / log(10) - 6) < 1e-6);
    agon_measurement_clear(&m);
    close_bench(&b);
}

/* Promise: scores are points per game of each agent, draws half, with their spread. */
static void scores_are_points(void** state) {
    (void)state;
    plan_bench b;
    open_ladder(&b);
    agon_measurement m = must_measure(&b);
    assert_int_equal(m.anchors, 2);
    assert_int_equal(m.anchor_games, 4);
    near(m.score[0], (2 + 0.5) / 4); /* two wins, a draw, a loss */
    near(m.score_se[0], sqrt((2.25 / 4 - 0.625 * 0.625) / 4));
    near(m.score[1], (2 + 1) / 4.0);
    near(m.score[2], (3 + 0.5) / 4);
    near(m.score[AGENTS], 0);
    near(m.score_se[AGENTS], 0);
    agon_measurement_clear(&m);
    close_bench(&b);
}

/* Promise: behaviour is measured on all agents' probabilities: agents 0 and 1 never agree, agent 2
 * does half of each. */
static void behaviour_is_compared(void** state) {
    (void)state;
    plan_bench b;
    open_ladder(&b);
    agon_measurement m = must_measure(&b);
    near(m.behaviour.total_variation, (1 + 0.5 + 0.5) / 3);
    assert_true(fabs(m.behaviour.entropy.mixture - log(2)) < 1e-7);
    assert_true(fabs(m.behaviour.entropy.within - log(2) / 3) < 1e-7);
    assert_true(fabs(m.behaviour.entropy.between - log(2) * 2 / 3) < 1e-7);
    near(m.behaviour.greedy, 2.0 / 3); /* a tie takes the lowest: 0 and 2 agree */
    assert_true(m.behaviour.vendi_1 > 1.5 && m.behaviour.vendi_1 < 3 &&
                m.behaviour.vendi_2 < m.behaviour.vendi_1 &&
                m.behaviour.vendi_inf < m.behaviour.vendi_2);
    agon_measurement_clear(&m);
    close_bench(&b);
}

static cJSON* parse_line(const plan_bench* b, const agon_measurement* m) {
    char* line = agon_measurement_line(&b->population, m);
    assert_non_null(line);
    assert_null(strchr(line, '\n'));
    cJSON* root = cJSON_Parse(line);
    assert_non_null(root);
    free(line);
    return root;
}

static const cJSON* at(const cJSON* root, const char* a, const char* b) {
    const cJSON* x = cJSON_GetObjectItemCaseSensitive(root, a);
    x = b ? cJSON_GetObjectItemCaseSensitive(x, b) : x;
    if (!x)
        fail_msg("no %s.%s", a, b ? b : "");
    return x;
}

/* Promise: with reach, behaviour is measured under both weights, each by its own; the plain numbers
 * do not change. Two agents differ in the first of two states only, in everything; that state has
 * half of the weight and a tenth of the reach: J = share * ln 2, kernel off the diagonal 1 - share,
 * eigenvalues of half the kernel share / 2 and 1 - share / 2. */
static void reach_is_a_second_weight(void** state) {
    (void)state;
    static const char* const settings[] = {"metrics.anchors", "", NULL};
    static const float probability[2][2][3] = {{{1}, {0.5f, 0.5f}}, {{0, 1}, {0.5f, 0.5f}}};
    static const double weight[2] = {0.5, 0.5}, reach[2] = {0.1, 0.9};
    const double* const both[2] = {weight, reach};
    plan_bench b;
    char key[AGON_KEY_SIZE];
    open_bench(&b, "matrix", settings);
    configure(&b.config, "population.size", "2");
    b.population.probe_weight = weight;
    b.population.probe_reach = reach;
    for (int a = 0; a < 2; a++) {
        agon_key_train(key, 0, a);
        record(&b.population, fake_train(key));
        agon_key_probe(key, 0, a);
        agon_result r = fake_probe(key, 3, NULL);
        free(r.as.probe.probability);
        r.as.probe.states = 2;
        r.as.probe.probability = malloc(sizeof probability[a]);
        memcpy(r.as.probe.probability, probability[a], sizeof probability[a]);
        record(&b.population, r);
    }
    add_match(&b, 0, 1, 8, 0, 0);
    agon_measurement m = must_measure(&b);
    assert_true(m.behaviour.by_reach);
    const agon_entropy_split split[2] = {m.behaviour.entropy, m.behaviour.reach_entropy};
    const double vendi[2] = {m.behaviour.vendi_1, m.behaviour.reach_vendi_1};
    for (int k = 0; k < 2; k++) {
        const double share = both[k][0], l = share / 2;
        near(split[k].between, share * log(2));
        near(split[k].within, (1 - share) * log(2));
        near(split[k].mixture, log(2));
        near(vendi[k], exp(-l * log(l) - (1 - l) * log(1 - l)));
    }
    cJSON* root = parse_line(&b, &m);
    const cJSON* by_reach = at(root, "diversity", "by_reach");
    assert_true(at(by_reach, "J", NULL)->valuedouble == m.behaviour.reach_entropy.between);
    assert_true(at(by_reach, "within", NULL)->valuedouble == m.behaviour.reach_entropy.within);
    assert_true(at(by_reach, "mixture", NULL)->valuedouble == m.behaviour.reach_entropy.mixture);
    assert_true(at(by_reach, "vendi_1", NULL)->valuedouble == m.behaviour.reach_vendi_1);
    assert_null(cJSON_GetObjectItem(at(root, "diversity", NULL), "by_reach_why"));
    cJSON_Delete(root);
    agon_measurement_clear(&m);
    close_bench(&b);
}

/* Promise: the line is JSON that reads back to the last bit, repeats byte for byte, and says null
 * with a reason where a number does not exist. */
static void the_line_says_it_all(void** state) {
    (void)state;
    plan_bench b;
    open_ladder(&b);
    agon_measurement m = must_measure(&b), again = must_measure(&b);
    char* first = agon_measurement_line(&b.population, &m);
    char* second = agon_measurement_line(&b.population, &again);
    assert_string_equal(first, second);
    cJSON* root = parse_line(&b, &m);
    assert_true(at(root, "generation", NULL)->valuedouble == 0);
    assert_true(at(root, "steps", NULL)->valuedouble == 200);
    assert_string_equal(at(root, "game", NULL)->valuestring, "tic_tac_toe");
    assert_string_equal(at(root, "probes", NULL)->valuestring, b.population.probes);
    assert_true(at(root, "diversity", "J")->valuedouble == m.behaviour.entropy.between);
    assert_string_equal(at(root, "diversity", "weights")->valuestring,
                        "equal per ply bucket, then per state");
    assert_true(cJSON_IsNull(at(root, "diversity", "by_reach"))); /* no reach was given */
    assert_non_null(strstr(at(root, "diversity", "by_reach_why")->valuestring, "sample"));
    assert_true(cJSON_IsTrue(at(root, "payoff", "defined")));
    const cJSON* row = cJSON_GetArrayItem(at(root, "payoff", "matrix"), 2);
    assert_true(cJSON_GetArrayItem(row, 0)->valuedouble == -1);
    /* A ladder of sure results has no cycle above noise. */
    assert_true(cJSON_IsNull(at(root, "payoff", "cyclic_fraction")));
    at(root, "payoff", "cyclic_why");
    assert_true(cJSON_GetArrayItem(at(root, "rating", "elo"), 1)->valuedouble == m.elo[1]);
    assert_true(at(root, "best_agent", NULL)->valuedouble == 0);
    const cJSON* random = at(root, "score", "random");
    near(at(random, "mean", NULL)->valuedouble, (0.625 + 0.75 + 0.875) / 3);
    near(at(random, "best", NULL)->valuedouble, 0.625);
    assert_true(at(random, "games", NULL)->valuedouble == 4);
    assert_true(isnan(m.nash_conv[0]) && isnan(m.nash_conv_median) && !m.exact);
    assert_true(cJSON_IsNull(at(root, "nash_conv", NULL)));
    at(root, "nash_conv_why", NULL);
    cJSON_Delete(root);
    free(first);
    free(second);
    agon_measurement_clear(&m);
    agon_measurement_clear(&again);
    close_bench(&b);
}

/* Promise: a clear cycle is claimed as one, and its equilibrium spreads over it. */
static void cycles_are_claimed(void** state) {
    (void)state;
    static const char* const settings[] = {"metrics.anchors", "", NULL};
    plan_bench b;
    open_three(&b, "matrix", settings);
    add_match(&b, 0, 1, 200, 80, 80);
    add_match(&b, 1, 2, 200, 80, 80);
    add_match(&b, 0, 2, 200, -80, -80);
    agon_measurement m = must_measure(&b);
    near(m.cyclic, 1);
    assert_true(m.null.exceeds);
    assert_true(fabs(m.nash_entropy - log(3)) < 1e-6);
    cJSON* root = parse_line(&b, &m);
    near(at(root, "payoff", "cyclic_fraction")->valuedouble, 1);
    assert_null(cJSON_GetObjectItem(at(root, "payoff", NULL), "cyclic_why"));
    assert_true(fabs(at(root, "payoff", "nash_support")->valuedouble - 3) < 1e-5);
    cJSON_Delete(root);
    agon_measurement_clear(&m);
    close_bench(&b);
}

/* Promise: exact numbers are given only when every agent has them. */
static void exact_needs_everyone(void** state) {
    (void)state;
    static const char* const settings[] = {"metrics.anchors", "", "population.size", "3", NULL};
    for (int missing = 0; missing < 2; missing++) {
        plan_bench b;
        char key[AGON_KEY_SIZE];
        open_bench(&b, "kuhn_poker", settings);
        b.population.probe_weight = one_state;
        for (int a = 0; a < AGENTS; a++) {
            agon_key_train(key, 0, a);
            record(&b.population, fake_train(key));
            agon_key_probe(key, 0, a);
            agon_result r = fake_probe(key, b.rules->spec.actions, NULL);
            r.as.probe.exact = !(missing && a == 1);
            r.as.probe.nash_conv = r.as.probe.exact ? 0.5 - 0.1 * a : NAN;
            record(&b.population, r);
        }
        add_match(&b, 0, 1, 8, 0, 0);
        add_match(&b, 1, 2, 8, 0, 0);
        add_match(&b, 0, 2, 8, 0, 0);
        agon_measurement m = must_measure(&b);
        assert_int_equal(m.exact, !missing);
        cJSON* root = parse_line(&b, &m);
        if (missing)
            assert_true(cJSON_IsNull(at(root, "nash_conv", NULL)));
        else
            near(at(root, "nash_conv", "median")->valuedouble, 0.4);
        assert_null(cJSON_GetObjectItem(root, "against_optimal"));
        assert_true(m.cyclic == 0 && m.nash_entropy > 1); /* all even: everybody is in */
        cJSON_Delete(root);
        agon_measurement_clear(&m);
        close_bench(&b);
    }
}

/* Promise: pay-offs are scaled to the game's stakes. Kuhn poker is played for 2 chips at most. */
static void payoffs_are_scaled(void** state) {
    (void)state;
    static const char* const settings[] = {"metrics.anchors", "", "metrics.budget", "2", NULL};
    plan_bench b;
    open_three(&b, "kuhn_poker", settings);
    add_match(&b, 0, 1, 8, 4, 4);
    agon_measurement m = must_measure(&b);
    near(m.payoff[1], 0.5);
    agon_measurement_clear(&m);
    close_bench(&b);
}

/* Promise: with more than two seats pay-offs are not defined and say why; ratings and scores are
 * there, and the best agent is the best rated. */
static void many_seats_have_ratings(void** state) {
    (void)state;
    static const char* const settings[] = {"metrics.anchors", "random", NULL};
    plan_bench b;
    open_three(&b, "tron(players=3)", settings);
    for (int i = 0; i < AGENTS; i++) {
        for (int j = 0; j < AGENTS; j++)
            if (i != j) /* agent 1 wins all */
                add_match(&b, i, j, 6, i == 1 ? 3 : j == 1 ? -3 : 0, 0);
        add_match(&b, i, -1, 6, 0, 0);
    }
    agon_measurement m = must_measure(&b);
    assert_false(m.antisymmetric);
    assert_true(m.rating_defined && m.elo[1] > m.elo[0] + 50);
    assert_true(fabs(m.elo[0] - m.elo[2]) < 1e-6);
    assert_int_equal(agon_measurement_best(&m, 0), 1);
    cJSON* root = parse_line(&b, &m);
    assert_true(cJSON_IsFalse(at(root, "payoff", "defined")));
    at(root, "payoff", "why");
    assert_null(cJSON_GetObjectItem(at(root, "payoff", NULL), "matrix"));
    cJSON_Delete(root);
    agon_measurement_clear(&m);
    close_bench(&b);
}

/* Promise: one pair of games per cell is never called a cycle, however clear it looks. */
static void few_games_claim_nothing(void** state) {
    (void)state;
    static const char* const settings[] = {"metrics.anchors", "", "metrics.games", "2", NULL};
    plan_bench b;
    open_three(&b, "tic_tac_toe", settings);
    add_match(&b, 0, 1, 2, 1, 1);
    add_match(&b, 1, 2, 2, 1, 1);
    add_match(&b, 0, 2, 2, -1, -1);
    agon_measurement m = must_measure(&b);
    near(m.cyclic, 1);
    assert_true(m.payoff_se[1] > 0.5);
    assert_false(m.null.exceeds);
    agon_measurement_clear(&m);
    close_bench(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payoffs_are_means),        cmocka_unit_test(ratings_follow_points),
        cmocka_unit_test(scores_are_points),        cmocka_unit_test(behaviour_is_compared),
        cmocka_unit_test(reach_is_a_second_weight), cmocka_unit_test(the_line_says_it_all),
        cmocka_unit_test(cycles_are_claimed),       cmocka_unit_test(exact_needs_everyone),
        cmocka_unit_test(payoffs_are_scaled),       cmocka_unit_test(many_seats_have_ratings),
        cmocka_unit_test(few_games_claim_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
