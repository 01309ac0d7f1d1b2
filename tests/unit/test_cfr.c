/* test_cfr.c: CFR and CFR+ against tabulated curves. NashConv of the average policy was computed
 * with a sequence-form linear program and own rules, outside this tree; the curves are
 * deterministic, so they are held to 1e-9. CFR+ on Leduc poker is not followed further than the
 * rounding of doubles allows: it grows until, after 150 iterations, OpenSpiel's solver, this one
 * and this one in quadruple precision differ in the third digit. Iteration 50 there is OpenSpiel's.
 */
#include "agents/cfr.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

typedef struct curve {
    const char* game;
    agon_cfr_kind kind;
    struct {
        int iterations;
        double nash_conv;
    } at[4];
} curve;

static const curve curves[] = {
    {"kuhn_poker",
     AGON_CFR,
     {{1, 11.0 / 12}, {10, .1373975876}, {100, .0164519546}, {1000, .0018752333}}},
    {"kuhn_poker",
     AGON_CFR_SIMULTANEOUS,
     {{1, 11.0 / 12}, {10, .1924170004}, {100, .0513494717}, {1000, .0145382128}}},
    {"kuhn_poker",
     AGON_CFR_PLUS,
     {{1, 11.0 / 12}, {10, .0653741813}, {100, .0023888082}, {1000, .0001747306}}},
    {"leduc_poker",
     AGON_CFR,
     {{1, 1709.0 / 360}, {10, 1.7771579663}, {100, .1914327060}, {300, .0710482325}}},
    {"leduc_poker",
     AGON_CFR_SIMULTANEOUS,
     {{1, 1709.0 / 360}, {10, 1.8540371439}, {100, .3460686238}, {300, .1635127213}}},
    {"leduc_poker",
     AGON_CFR_PLUS,
     {{1, 1709.0 / 360}, {10, 1.2208778032}, {50, .0682429130}, {100, .0268319900}}},
};

static void follow(const curve* c) {
    agon_rules* rules = NULL;
    agon_tree* tree = NULL;
    agon_cfr* cfr = NULL;
    assert_int_equal(agon_rules_open(c->game, &rules, NULL), 0);
    assert_int_equal(agon_tree_open(rules, 1000000, &tree, NULL), 0);
    assert_int_equal(agon_cfr_open(tree, c->kind, &cfr, NULL), 0);
    double* average =
        calloc((size_t)agon_tree_infosets(tree) * (size_t)rules->spec.actions, sizeof *average);
    assert_non_null(average);
    for (int i = 0; i < 4; i++) {
        agon_cfr_run(cfr, c->at[i].iterations - agon_cfr_iterations(cfr));
        agon_cfr_average(cfr, average);
        const double found = agon_tree_nash_conv(tree, average);
        if (!(fabs(found - c->at[i].nash_conv) <= 1e-9))
            fail_msg("%s, kind %d, t=%d: NashConv %.10f, expected %.10f", c->game, c->kind,
                     c->at[i].iterations, found, c->at[i].nash_conv);
    }
    free(average);
    agon_cfr_close(cfr);
    agon_tree_close(tree);
    agon_rules_close(rules);
}

/* Promise: the solvers do what the literature says, iteration by iteration. */
static void test_curves(void** unused) {
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        follow(&curves[i]);
}

/* Promise: before the first iteration the average is uniform; two runs give the same bytes. */
static void test_uniform_and_repeatable(void** unused) {
    agon_rules* rules = NULL;
    agon_tree* tree = NULL;
    agon_cfr* cfr[2] = {0};
    double average[2][12 * 2];
    assert_int_equal(agon_rules_open("kuhn_poker", &rules, NULL), 0);
    assert_int_equal(agon_tree_open(rules, 1000, &tree, NULL), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(agon_cfr_open(tree, AGON_CFR_PLUS, &cfr[i], NULL), 0);
    agon_cfr_average(cfr[0], average[0]);
    for (int i = 0; i < 24; i++)
        assert_true(average[0][i] == 0.5);
    agon_cfr_run(cfr[0], 7);
    agon_cfr_run(cfr[1], 3);
    agon_cfr_run(cfr[1], 4);
    for (int i = 0; i < 2; i++)
        agon_cfr_average(cfr[i], average[i]);
    assert_memory_equal(average[0], average[1], sizeof average[0]);
    for (int i = 0; i < 2; i++)
        agon_cfr_close(cfr[i]);
    agon_tree_close(tree);
    agon_rules_close(rules);
}

/* Promise: games whose positions the tree merges are refused with the reason. */
static void test_refuses_perfect_information(void** unused) {
    agon_rules* rules = NULL;
    agon_tree* tree = NULL;
    agon_cfr* cfr = NULL;
    agon_error error = {0};
    assert_int_equal(agon_rules_open("tic_tac_toe", &rules, NULL), 0);
    assert_int_equal(agon_tree_open(rules, 1000000, &tree, NULL), 0);
    assert_int_equal(agon_cfr_open(tree, AGON_CFR, &cfr, &error), AGON_EUNSUPPORTED);
    assert_non_null(strstr(error.text, "imperfect information"));
    assert_null(cfr);
    agon_tree_close(tree);
    agon_rules_close(rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_curves),
        cmocka_unit_test(test_uniform_and_repeatable),
        cmocka_unit_test(test_refuses_perfect_information),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
