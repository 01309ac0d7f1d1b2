/* Promise: symmetric questions, uneven skill and learning curves have the values worked by hand. */
#include "engine/metrics/generalization.h"
#include "games/error.h"

#include "solved_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static const double ONE[1] = {1};

/* An answer of two actions and the answer to the swapped question, mapped back here. */
static agon_symmetry ask(float p, float swapped) {
    const float answer[2] = {p, 1 - p}, back[2] = {1 - swapped, swapped};
    const agon_behaviour b = {1, 1, 2, answer, ONE};
    agon_symmetry out;
    assert_int_equal(agon_generalization_symmetry(&b, back, 1, &out), 0);
    return out;
}

/* Guards: the three examples of two actions that a symmetry swaps; float32 answers. */
static void symmetry_of_examples(void** unused) {
    assert_near(ask(.9f, .1f).soft, 0, 1e-6);
    assert_near(ask(1, 1).soft, 1, 1e-12);
    assert_near(ask(.75f, .75f).soft, .1887218755, 1e-9);
    assert_near(ask(.75f, .75f).greedy, 1, 0);
    assert_near(ask(.75f, .25f).greedy, 0, 0);
    assert_near(ask(.5f, .5f).greedy, 0, 0); /* the tied sets correspond */
    assert_near(ask(.5f, .5f).ties, 1, 0);
    assert_near(ask(.5f, .75f).greedy, 1, 0); /* {0, 1} beside {1} */
    assert_near(ask(.75f, .5f).ties, 1, 0);
    assert_near(ask(.75f, .75f).ties, 0, 0);
}

/* Guards: mean over states by weight and over images; each agent by itself. */
static void symmetry_is_a_mean(void** unused) {
    const float answer[8] = {1, 0, 1, 0, 0, 1, 1, 0};
    /* (agents 2, images 2, states 2, actions 2) */
    const float image[16] = {0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 1, 0};
    const double weight[2] = {.75, .25};
    const agon_behaviour b = {2, 2, 2, answer, weight};
    agon_symmetry out[2];
    assert_int_equal(agon_generalization_symmetry(&b, image, 2, out), 0);
    assert_near(out[0].soft, .5 * .75 + .5 * .25, 1e-12);
    assert_near(out[0].greedy, .5, 1e-12);
    assert_near(out[1].soft, 0, 1e-12);
    assert_near(out[1].greedy, 0, 0);
}

/* Guards: an agent beside itself is consistent, the greedy form does not move when answers are
 * sharpened, bounds hold, NaN is refused. */
static void symmetry_of_random_answers(void** unused) {
    solved_fixture f, g;
    agon_symmetry out[AGENTS], sharp[AGENTS];
    for (int trial = 0; trial < 100; trial++) {
        fixture_fill(&f, trial);
        g = f;
        fixture_copy_agent(&g, 1, 2); /* image of agent 2: the answers of agent 1 */
        assert_int_equal(agon_generalization_symmetry(&f.view.behaviour, f.probability, 1, out), 0);
        assert_near(out[3].soft + out[3].greedy, 0, 1e-12);
        assert_int_equal(agon_generalization_symmetry(&f.view.behaviour, g.probability, 1, out), 0);
        assert_true(out[2].soft > 0 && out[2].soft < 1 && out[2].greedy > 0 && out[2].greedy <= 1);
        fixture_sharpen(&f);
        fixture_sharpen(&g);
        assert_int_equal(agon_generalization_symmetry(&f.view.behaviour, g.probability, 1, sharp),
                         0);
        assert_near(out[2].greedy, sharp[2].greedy, 0);
        assert_true(sharp[2].soft != out[2].soft);
    }
    g.probability[7] = NAN;
    out[0].soft = 7;
    assert_int_equal(agon_generalization_symmetry(&f.view.behaviour, g.probability, 1, out),
                     AGON_EINVALID);
    assert_near(out[0].soft, 7, 0);
}

/* Guards: agents without both scores are left out; the interval is that of paired differences, and
 * a constant difference has none. */
static void paired_scores(void** unused) {
    const double own[5] = {.5, .7, NAN, .9, .6}, held[5] = {.3, .5, .1, .7, NAN};
    const agon_key key = agon_key_make(1, "", AGON_FOR_TEST);
    agon_comparison c, again;
    assert_int_equal(agon_generalization_compare(own, held, 5, 200, key, &c), 0);
    assert_int_equal(c.agents, 3);
    assert_near(c.first, .7, 1e-12);
    assert_near(c.second, .5, 1e-12);
    assert_near(c.ratio, 1.4, 1e-12);
    assert_near(c.difference.mean, .2, 1e-12);
    assert_near(c.difference.low, .2, 1e-12);
    assert_near(c.difference.high, .2, 1e-12);
    const double other[4] = {.1, .9, .2, .4}, base[4] = {.3, .2, -.9, .2};
    assert_int_equal(agon_generalization_compare(other, base, 4, 500, key, &c), 0);
    assert_int_equal(agon_generalization_compare(other, base, 4, 500, key, &again), 0);
    assert_memory_equal(&c.difference, &again.difference, sizeof c.difference);
    assert_true(c.difference.low < c.difference.mean && c.difference.mean < c.difference.high);
    assert_true(isnan(c.ratio)); /* second is below 0 */
    assert_int_equal(agon_generalization_compare(own + 2, held + 2, 1, 9, key, &c), 0);
    assert_true(c.agents == 0 && isnan(c.first) && isnan(c.difference.mean));
    const double bad[1] = {INFINITY};
    assert_int_equal(agon_generalization_compare(bad, held, 1, 9, key, &c), AGON_EINVALID);
}

static agon_jaggedness jagged(int n, const double* error) {
    agon_jaggedness out;
    assert_int_equal(agon_generalization_jaggedness(error, n, &out), 0);
    return out;
}

/* Guards: the three Gini coefficients of the reference (a common factor does not matter), the worst
 * tenth by hand, order does not matter, 0/0 is NaN. */
static void jaggedness_of_examples(void** unused) {
    assert_near(jagged(4, (double[]){.1, .1, .1, .1}).gini, 0, 1e-12);
    assert_near(jagged(4, (double[]){0, 0, 0, 1}).gini, .75, 1e-12);
    assert_near(jagged(4, (double[]){.5, .25, 1, .75}).gini, .25, 1e-12);
    assert_near(jagged(4, (double[]){.1, .1, .1, .1}).worst, 0, 1e-12);
    assert_near(jagged(4, (double[]){0, 0, .5, 0}).worst, 1 - .5 / .875, 1e-12);
    const double twenty[20] = {.9, [7] = .7};
    assert_near(jagged(20, twenty).worst, 1 - .2 / .92, 1e-12);
    assert_near(jagged(3, (double[]){.2, NAN, .6}).gini, .25, 1e-12);
    const agon_jaggedness none = jagged(2, (double[]){0, 0}), all = jagged(2, (double[]){1, 1});
    assert_true(isnan(none.gini) && none.worst == 0);
    assert_true(all.gini == 0 && isnan(all.worst));
    assert_true(isnan(jagged(1, (double[]){NAN}).gini));
    assert_near(jagged(1, (double[]){.3}).gini, 0, 0);
    agon_jaggedness out = {7, 7};
    assert_int_equal(agon_generalization_jaggedness((double[]){.1, 1.1}, 2, &out), AGON_EINVALID);
    assert_near(out.gini, 7, 0);
}

/* Guards: Gini equals its definition by pairs, and both numbers keep their range. */
static void jaggedness_of_random_errors(void** unused) {
    for (int trial = 0; trial < 200; trial++) {
        const int n = 1 + trial % 30;
        double error[30], sum = 0, pairs = 0;
        for (int k = 0; k < n; k++)
            error[k] = fixture_uniform(trial, 9, k);
        for (int k = 0; k < n * n; k++)
            pairs += fabs(error[k / n] - error[k % n]);
        for (int k = 0; k < n; k++)
            sum += error[k];
        const agon_jaggedness j = jagged(n, error);
        assert_near(j.gini, pairs / (2 * n * sum), 1e-12);
        assert_true(j.gini <= 1 - 1. / n + 1e-12 && j.worst >= 0 && j.worst <= 1);
    }
}

/* Guards: means of strata are weighted, and a stratum without weight is not a number. */
static void errors_of_strata(void** unused) {
    const double failure[8] = {1, 0, .5, 1, 0, 0, 0, 1}, weight[4] = {.1, .3, .6, 0};
    const int stratum[4] = {0, 0, 1, 2};
    double out[6];
    agon_generalization_strata(failure, weight, stratum, 2, 4, 3, out);
    assert_near(out[0], .25, 1e-12);
    assert_near(out[1], .5, 1e-12);
    assert_near(out[3] + out[4], 0, 0);
    assert_true(isnan(out[2]) && isnan(out[5]));
}

/* Guards: bars are met between points in log10(steps), at the first point at once, never is NaN;
 * the area of a straight line is its middle. */
static void learning_curves(void** unused) {
    const double steps[4] = {1e3, 1e4, 1e5, 1e6}, strength[4] = {.2, .4, .8, .6};
    const double bars[5] = {.1, .3, .4, .7, .9};
    double reached[5], area;
    assert_int_equal(agon_generalization_learning(steps, strength, 4, bars, 5, reached, &area), 0);
    assert_near(reached[0], 1e3, 1e-9);
    assert_near(reached[1], 3162.2776601684, 1e-6);
    assert_near(reached[2], 1e4, 1e-6);
    assert_near(reached[3], 56234.1325190349, 1e-6);
    assert_true(isnan(reached[4]));
    assert_near(area, (.3 + .6 + .7) / 3, 1e-12);
    const double wide[3] = {10, 100, 1e5}, line[3] = {0, .25, 1};
    assert_int_equal(agon_generalization_learning(wide, line, 3, bars, 0, NULL, &area), 0);
    assert_near(area, .5, 1e-12);
    assert_int_equal(agon_generalization_learning(steps, strength, 1, bars, 5, reached, &area), 0);
    assert_true(isnan(area) && reached[0] == 1e3 && isnan(reached[1]));
    const double back[2] = {10, 10}, zero[2] = {0, 10}, bad[2] = {.1, NAN};
    area = 7;
    assert_int_equal(agon_generalization_learning(back, line, 2, bars, 5, reached, &area),
                     AGON_EINVALID);
    assert_int_equal(agon_generalization_learning(zero, line, 2, bars, 5, reached, &area),
                     AGON_EINVALID);
    assert_int_equal(agon_generalization_learning(wide, bad, 2, bars, 5, reached, &area),
                     AGON_EINVALID);
    assert_near(area, 7, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(symmetry_of_examples),       cmocka_unit_test(symmetry_is_a_mean),
        cmocka_unit_test(symmetry_of_random_answers), cmocka_unit_test(paired_scores),
        cmocka_unit_test(jaggedness_of_examples),     cmocka_unit_test(jaggedness_of_random_errors),
        cmocka_unit_test(errors_of_strata),           cmocka_unit_test(learning_curves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
