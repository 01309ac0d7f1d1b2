/* Promise: the evidence of a stored run is what the run measured; what it did not keep is asked and
 * played anew, on any number of threads alike. */
#include "engine/evidence_run.h"
#include "engine/metrics/metric.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/no_sync.h"

#include <math.h>

static const unsigned EVERYTHING = ~0u;
enum { AGENTS = 3 };

static agon_training* trained(const char* game) {
    static const char* const settings[][2] = {
        {"population.size", "3"},      {"train.generations", "3"},    {"train.rollouts", "2"},
        {"train.lanes", "8"},          {"train.horizon", "6"},        {"train.epochs", "1"},
        {"train.minibatches", "2"},    {"net.hidden", "12,9"},        {"metrics.every", "2"},
        {"metrics.games", "8"},        {"metrics.anchor_games", "6"}, {"metrics.final_games", "6"},
        {"metrics.probes", "16"},      {"metrics.bootstrap", "10"},   {"machine.threads", "2"},
        {"metrics.exact_nodes", "100"}};
    agon_config c;
    agon_training* t = NULL;
    agon_error error = {0};
    bool interrupted = false;
    agon_config_defaults(&c);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        assert_int_equal(agon_config_set(&c, settings[i][0], settings[i][1], "test", NULL), 0);
    assert_int_equal(agon_config_set(&c, "game.name", game, "test", NULL), 0);
    snprintf(c.run.dir, sizeof c.run.dir, "run");
    if (agon_training_create(&c, "test", &t, &error) ||
        agon_training_run(t, &(agon_training_view){0}, &interrupted, &error))
        fail_msg("%s", error.text);
    agon_training_close(t);
    if (agon_training_read("run", &t, &error))
        fail_msg("%s", error.text);
    return t;
}

static agon_evidence evidence_of(const agon_training* t, agon_run_wish wish) {
    agon_evidence e;
    agon_error error = {0};
    if (!wish.threads)
        wish.threads = 1;
    if (agon_evidence_run(t, &wish, &e, &error))
        fail_msg("%s", error.text);
    return e;
}

#define GAME "connect_four(rows=4,cols=4,connect=3)"

/* Guards: at a measured generation the numbers are the ones in metrics.jsonl. */
static void measured_generations_give_what_was_measured(void** unused) {
    agon_training* t = trained(GAME);
    agon_measurement m;
    agon_evidence e = evidence_of(t, (agon_run_wish){.needs = EVERYTHING, .generation = -1});
    assert_int_equal(agon_run_measured(t), 3);
    assert_int_equal(agon_measure(&t->population, 3, &m, NULL), 0);
    assert_int_equal(e.agents, AGENTS);
    assert_int_equal(e.answers.states, t->probes.states);
    assert_string_equal(e.answers.hash, t->population.probes);
    assert_memory_equal(e.payoffs.mean, m.payoff, AGENTS * AGENTS * sizeof(double));
    assert_memory_equal(e.payoffs.error, m.payoff_se, AGENTS * AGENTS * sizeof(double));
    const agon_behaviour b = agon_evidence_behaviour(&e);
    agon_entropy_split split;
    assert_int_equal(agon_diversity_entropy(&b, &split), 0);
    assert_memory_equal(&split, &m.behaviour.entropy, sizeof split);
    for (int i = 0; i < AGENTS; i++)
        for (int k = 0; k < m.anchors; k++) /* points in [0, 1] against returns in [-1, 1] */
            assert_true(fabs(e.anchors.mean[i * m.anchors + k] -
                             (2 * m.score[k * AGENTS + i] - 1)) < 1e-12);
    assert_int_equal(e.payoffs.games[1], 8);
    assert_true(e.payoffs.wins[1] + e.payoffs.wins[AGENTS] == 8);
    assert_int_equal(e.tables.games, 0);
    assert_non_null(strstr(e.why.tables, "two seats against each other"));
    agon_measurement_clear(&m);
    agon_evidence_clear(&e);
    agon_training_close(t);
}

/* Guards: asking anew gives the answers that were kept, so both may stand in one table. */
static void asking_again_gives_the_same_answers(void** unused) {
    agon_training* t = trained(GAME);
    const agon_run_wish wish = {.needs = AGON_NEEDS_ANSWERS, .generation = -1};
    agon_run_wish again = wish;
    again.probes = &t->probes;
    agon_evidence kept = evidence_of(t, wish), asked = evidence_of(t, again);
    const size_t bytes =
        (size_t)AGENTS * (size_t)kept.answers.states * (size_t)kept.answers.actions * 4;
    assert_memory_equal(kept.answers.probability, asked.answers.probability, bytes);
    assert_memory_equal(kept.answers.weight, asked.answers.weight,
                        (size_t)kept.answers.states * sizeof(double));
    agon_evidence_clear(&kept);
    agon_evidence_clear(&asked);
    agon_training_close(t);
}

/* Guards: a generation that was not measured is played, with the same result on 1 and 3 threads. */
static void other_generations_are_played(void** unused) {
    agon_training* t = trained(GAME);
    agon_evidence one = evidence_of(t, (agon_run_wish){.needs = EVERYTHING, .generation = 1});
    agon_evidence three =
        evidence_of(t, (agon_run_wish){.needs = EVERYTHING, .generation = 1, .threads = 3});
    assert_int_equal(one.payoffs.agents, AGENTS);
    assert_true(one.payoffs.antisymmetric);
    assert_memory_equal(one.payoffs.mean, three.payoffs.mean, AGENTS * AGENTS * sizeof(double));
    assert_memory_equal(one.payoffs.wins, three.payoffs.wins, AGENTS * AGENTS * sizeof(double));
    assert_memory_equal(one.anchors.mean, three.anchors.mean,
                        AGENTS * (size_t)one.anchors.anchors * sizeof(double));
    agon_evidence_clear(&one);
    agon_evidence_clear(&three);
    agon_training_close(t);
}

/* Guards: a generation beyond the last is refused by number, and names the last. */
static void absent_generations_are_refused(void** unused) {
    agon_training* t = trained(GAME);
    agon_evidence e;
    agon_error error = {0};
    const agon_run_wish wish = {.needs = EVERYTHING, .generation = 9, .threads = 1};
    assert_int_equal(agon_evidence_run(t, &wish, &e, &error), AGON_EMISSING);
    assert_non_null(strstr(error.text, "no generation 9; the last is 3"));
    agon_evidence_clear(&e);
    agon_training_close(t);
}

/* Guards: activations are those of the last hidden layer: with the policy head put on them they
 * give the answers. */
static void insides_explain_the_answers(void** unused) {
    agon_training* t = trained(GAME);
    agon_evidence e = evidence_of(t, (agon_run_wish){.needs = EVERYTHING, .generation = -1});
    const int actions = e.answers.actions, width = e.insides.width;
    agon_tensor tensor[AGON_MAX_TENSORS];
    agon_net_tensors(&t->population.net, tensor);
    assert_int_equal(width, 9);
    assert_int_equal(e.insides.parameters, agon_net_size(&t->population.net));
    for (int i = 0; i < AGENTS; i++) {
        const float* p = e.insides.parameter + (size_t)i * (size_t)e.insides.parameters;
        for (int s = 0; s < e.insides.inputs; s++) {
            const float* x =
                e.insides.activation + ((size_t)i * (size_t)e.insides.inputs + (size_t)s) * 9;
            double weight[8], sum = 0;
            for (int a = 0; a < actions; a++) {
                double logit = (double)p[tensor[5].offset + (size_t)a];
                for (int k = 0; k < width; k++)
                    logit += (double)p[tensor[4].offset + (size_t)(a * width + k)] * (double)x[k];
                weight[a] = e.answers.legal[s * actions + a] ? exp(logit) : 0;
                sum += weight[a];
            }
            for (int a = 0; a < actions; a++)
                assert_true(
                    fabs(weight[a] / sum -
                         (double)e.answers
                             .probability[((size_t)i * (size_t)e.answers.states + (size_t)s) *
                                              (size_t)actions +
                                          (size_t)a]) < 1e-5);
        }
    }
    agon_evidence_clear(&e);
    agon_training_close(t);
}

/* Guards: every game of an agent is counted once per ply, in one of two equal halves. */
static void visits_are_counted_in_halves(void** unused) {
    agon_training* t = trained(GAME);
    agon_evidence e = evidence_of(t, (agon_run_wish){.needs = AGON_NEEDS_VISITS, .generation = -1});
    const agon_visits* v = &e.visits;
    assert_true(v->features > 4);
    for (int i = 0; i < AGENTS; i++) {
        double half[2] = {0, 0};
        for (int h = 0; h < 2; h++)
            for (int f = 0; f < v->features; f++)
                half[h] += v->count[((size_t)i * 2 + (size_t)h) * (size_t)v->features + (size_t)f];
        /* 5 plies at least (3 in a row of 4), 8 at most. */
        assert_true(half[0] >= 5 * v->games / 2 && half[0] <= 8 * v->games / 2);
        assert_true(half[1] >= 5 * v->games / 2 && half[1] <= 8 * v->games / 2);
    }
    agon_evidence_clear(&e);
    agon_training_close(t);
}

/* Guards: what a game does not have is absent, and says why. */
static void what_does_not_apply_says_why(void** unused) {
    agon_training* t = trained("kuhn_poker(players=3)");
    agon_evidence e = evidence_of(t, (agon_run_wish){.needs = EVERYTHING, .generation = -1});
    agon_metric_options options = {.entropy = NAN};
    assert_false(e.payoffs.antisymmetric);
    assert_int_equal(e.payoffs.agents, AGENTS);
    assert_non_null(strstr(e.why.antisymmetric, "more seats"));
    assert_int_equal(e.answers.images, 0);
    assert_non_null(strstr(e.why.image, "no symmetries"));
    assert_null(e.answers.worth);
    assert_non_null(strstr(e.why.worth, "not solved"));
    const agon_metric* cyclic = agon_metric_find("cyclic");
    assert_non_null(cyclic);
    assert_string_equal(agon_metric_why(cyclic, &e, &options), e.why.antisymmetric);
    /* What applies instead: games at one table, whose returns add up to 0 here. */
    assert_int_equal(e.tables.seats, 3);
    assert_true(e.tables.games >= 8);
    for (int g = 0; g < e.tables.games; g++) {
        const float* value = e.tables.value + 3 * g;
        assert_true(fabs((double)value[0] + (double)value[1] + (double)value[2]) < 1e-6);
        for (int seat = 0; seat < 3; seat++)
            assert_true(e.tables.agent[3 * g + seat] >= 0 && e.tables.agent[3 * g + seat] < AGENTS);
    }
    agon_evidence_clear(&e);
    agon_training_close(t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(measured_generations_give_what_was_measured),
        TEST(asking_again_gives_the_same_answers),
        TEST(other_generations_are_played),
        TEST(absent_generations_are_refused),
        TEST(insides_explain_the_answers),
        TEST(visits_are_counted_in_halves),
        TEST(what_does_not_apply_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
