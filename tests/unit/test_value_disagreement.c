/* Promise: disagreement splits into what changes the worth and what does not, and the form for a
 * whole population is the mean over its pairs. */
#include "engine/metrics/value_disagreement.h"
#include "games/error.h"

#include "solved_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

/* Guards: three agents by hand: at the first state, 0 and 1 differ neutrally and 2 by two points of
 * worth; the second is flat, and 2 differs from the others there; the third leaves no choice and so
 * does not count. */
static void by_hand(void** unused) {
    const float row[27] = {1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0,
                           0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0};
    const double weight[3] = {.375, .125, .5}, worth[9] = {1, 1, -1, 0, 0, NAN, 5, NAN, NAN};
    const uint8_t legal[9] = {1, 1, 1, 1, 1, 0, 1, 0, 0};
    const agon_solved v = {{3, 3, 3, row, weight}, worth, legal};
    agon_value_disagreement out;
    assert_int_equal(agon_value_disagreement_mean(&v, AGON_CHOICE_GREEDY, &out), 0);
    assert_near(out.relevant, .75 * 2 / 3, 1e-12);
    assert_near(out.neutral, .75 / 3 + .25 * 2 / 3, 1e-12);
    assert_near(out.gap, .75 * 2 / 3 * 2, 1e-12);
}

/* The same by its definition, a loop over pairs of agents and pairs of actions. */
static agon_value_disagreement by_pairs(const solved_fixture* f, agon_choice how) {
    agon_value_disagreement sum = {0, 0, 0};
    double x[ACTIONS], y[ACTIONS];
    for (int s = 0; s < STATES; s++) {
        for (int i = 0; i < AGENTS; i++) {
            for (int j = 0; j < AGENTS; j++) {
                agon_solved_choose(&f->view, i, s, how, x);
                agon_solved_choose(&f->view, j, s, how, y);
                const double w = i == j ? 0 : f->weight[s] / (AGENTS * (AGENTS - 1));
                for (int k = 0; k < ACTIONS * ACTIONS; k++) {
                    const int a = k / ACTIONS, b = k % ACTIONS;
                    const double p = w * x[a] * y[b];
                    const double apart =
                        fabs(f->worth[s * ACTIONS + a] - f->worth[s * ACTIONS + b]);
                    sum.relevant += apart > 0 ? p : 0;
                    sum.neutral += apart == 0 && a != b ? p : 0;
                    sum.gap += apart > 0 ? p * apart : 0;
                }
            }
        }
    }
    return sum;
}

/* Guards: the linear form equals the definition; the parts of first choices add up to the greedy
 * disagreement and do not move when policies are sharpened. */
static void random_populations(void** unused) {
    solved_fixture f;
    agon_value_disagreement out, sharp;
    for (int trial = 0; trial < 200; trial++) {
        const agon_choice how = trial % 2 ? AGON_CHOICE_GREEDY : AGON_CHOICE_SAMPLED;
        fixture_fill(&f, trial);
        assert_int_equal(agon_value_disagreement_mean(&f.view, how, &out), 0);
        const agon_value_disagreement hand = by_pairs(&f, how);
        assert_near(out.relevant, hand.relevant, 1e-12);
        assert_near(out.neutral, hand.neutral, 1e-12);
        assert_near(out.gap, hand.gap, 1e-12);
        if (how == AGON_CHOICE_GREEDY) {
            double greedy, ties;
            assert_int_equal(agon_diversity_greedy(&f.view.behaviour, &greedy, &ties), 0);
            assert_near(out.relevant + out.neutral, greedy, 1e-12);
            fixture_sharpen(&f);
            assert_int_equal(agon_value_disagreement_mean(&f.view, how, &sharp), 0);
            assert_memory_equal(&out, &sharp, sizeof out);
        }
    }
}

/* Guards: one agent does not disagree; alike agents do not; no solved state is NaN; a state with
 * one unknown worth is left out; NaN is refused. */
static void edges(void** unused) {
    solved_fixture f;
    agon_value_disagreement out, rest;
    fixture_fill(&f, 1);
    f.view.behaviour.agents = 1;
    assert_int_equal(agon_value_disagreement_mean(&f.view, AGON_CHOICE_SAMPLED, &out), 0);
    assert_true(out.relevant == 0 && out.neutral == 0 && out.gap == 0);
    fixture_fill(&f, 1);
    for (int i = 1; i < AGENTS; i++)
        fixture_copy_agent(&f, 0, i);
    assert_int_equal(agon_value_disagreement_mean(&f.view, AGON_CHOICE_GREEDY, &out), 0);
    assert_near(out.relevant + out.neutral + out.gap, 0, 1e-12);
    fixture_fill(&f, 2);
    f.worth[0] = NAN;
    assert_int_equal(agon_value_disagreement_mean(&f.view, AGON_CHOICE_SAMPLED, &out), 0);
    const double left = 1 - f.weight[0];
    f.weight[0] = 0;
    for (int s = 1; s < STATES; s++)
        f.weight[s] /= left;
    assert_int_equal(agon_value_disagreement_mean(&f.view, AGON_CHOICE_SAMPLED, &rest), 0);
    assert_near(out.relevant, rest.relevant, 1e-12);
    assert_near(out.gap, rest.gap, 1e-12);
    for (int k = 0; k < STATES * ACTIONS; k++)
        f.worth[k] = NAN;
    assert_int_equal(agon_value_disagreement_mean(&f.view, AGON_CHOICE_SAMPLED, &out), 0);
    assert_true(isnan(out.relevant) && isnan(out.neutral) && isnan(out.gap));
    f.probability[3] = NAN;
    out.gap = 7;
    assert_int_equal(agon_value_disagreement_mean(&f.view, AGON_CHOICE_SAMPLED, &out),
                     AGON_EINVALID);
    assert_true(out.gap == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(random_populations),
        cmocka_unit_test(edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
