/* Promise: bounds and likelihood ratios equal fishtest's and independently computed values, and a
 * test makes the errors it allows. */
#include "engine/metrics/rating.h"
#include "engine/metrics/sprt.h"
#include "games/error.h"
#include "games/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static const agon_sprt TEST = {0, 5, .05, .05};

static double exact(const double* count, int outcomes) {
    double llr = NAN;
    assert_int_equal(agon_sprt_exact(count, outcomes, &TEST, &llr), 0);
    return llr;
}

/* Guards: Wald's bounds and the verdicts at them. */
static void bounds(void** unused) {
    double lower, upper;
    assert_int_equal(agon_sprt_bounds(&TEST, &lower, &upper), 0);
    assert_near(lower, -2.9444389792, 1e-9);
    assert_near(upper, 2.9444389792, 1e-9);
    assert_int_equal(agon_sprt_verdict(&TEST, upper), 1);
    assert_int_equal(agon_sprt_verdict(&TEST, lower), -1);
    assert_int_equal(agon_sprt_verdict(&TEST, 2.9), 0);
    assert_int_equal(agon_sprt_verdict(&TEST, NAN), 0);
    const agon_sprt uneven = {0, 5, .01, .2};
    assert_int_equal(agon_sprt_bounds(&uneven, &lower, &upper), 0);
    assert_near(upper, log(80), 1e-12);
    assert_near(lower, log(.2 / .99), 1e-12);
}

/* Guards: 600 wins, 900 draws, 500 losses: the approximation, the exact value of fishtest's
 * LLR_logistic; 60 wins to 40. */
static void vectors(void** unused) {
    const double count[3] = {500, 900, 600};
    double llr;
    assert_int_equal(agon_sprt_trinomial(count, &TEST, &llr), 0);
    assert_near(llr, 2.2501178787, 1e-9);
    assert_near(exact(count, 3), 2.2410705541, 1e-9);
    assert_int_equal(agon_sprt_bernoulli(60, 40, .5, .55, &llr), 0);
    assert_near(llr, 1.5041901619, 1e-9);
}

/* Guards: five outcomes of which only the even ones occur are three; two outcomes are Bernoulli. */
static void outcomes(void** unused) {
    const double three[3] = {50, 90, 70}, five[5] = {50, 1e-9, 90, 1e-9, 70}, two[2] = {40, 60};
    double llr;
    assert_near(exact(five, 5), exact(three, 3), 1e-6);
    assert_int_equal(agon_sprt_bernoulli(60, 40, .5, agon_rating_expected(5), &llr), 0);
    assert_near(exact(two, 2), llr, 1e-9);
    const double pairs[5] = {30, 210, 500, 260, 40}; /* with 40 digits */
    assert_near(exact(pairs, 5), 2.1967778631193, 1e-9);
}

/* Guards: changing sides and hypotheses changes the sign; twice the games give twice the evidence;
 * near even the approximation is near; one-sided results are finite and count zeros as 1e-3. */
static void properties(void** unused) {
    const double zero[3] = {0, 0, 30}, filled[3] = {1e-3, 1e-3, 30}, lost[3] = {30, 0, 0};
    const double none[5] = {0, 0, 0, 0, 0}, drawn[3] = {0, 40, 0};
    double llr, other;
    for (int k = 0; k < 200; k++) {
        agon_draw d = agon_random((agon_key){{7, 7}}, (uint32_t)k, 0, 0, 0);
        double a = 1 + d.word[0] % 500, b = 1 + d.word[1] % 500, c = 1 + d.word[2] % 500;
        const double count[3] = {a, b, c}, back[3] = {c, b, a}, twice[3] = {2 * a, 2 * b, 2 * c};
        const agon_sprt mirror = {-5, 0, .05, .05};
        llr = exact(count, 3);
        assert_int_equal(agon_sprt_exact(back, 3, &mirror, &other), 0);
        assert_near(llr, -other, 1e-9);
        assert_near(exact(twice, 3), 2 * llr, 1e-9);
        assert_int_equal(agon_sprt_trinomial(count, &TEST, &other), 0);
        assert_true(fabs(a - c) > .05 * (a + b + c) || fabs(llr - other) <= .1 * fabs(other) + .01);
    }
    assert_near(exact(zero, 3), exact(filled, 3), 1e-12);
    assert_true(exact(zero, 3) > 0 && exact(lost, 3) < 0 && isfinite(exact(drawn, 3)));
    assert_true(exact(none, 5) == 0);
    assert_int_equal(agon_sprt_trinomial(none, &TEST, &llr), 0);
    assert_true(llr == 0);
    assert_int_equal(agon_sprt_trinomial(drawn, &TEST, &llr), 0);
    assert_true(isnan(llr));
}

/* One test of games that the first wins with chance p. */
static int run(const agon_sprt* test, double p, uint32_t trial) {
    double wins = 0, losses = 0, llr = 0;
    int verdict = 0;
    for (uint32_t game = 0; !verdict && game < 100000; game++) {
        agon_draw d = agon_random((agon_key){{3, 4}}, trial, game, 0, 0);
        *(agon_uniform_double(d.word[0], d.word[1]) < p ? &wins : &losses) += 1;
        assert_int_equal(agon_sprt_bernoulli(wins, losses, agon_rating_expected(test->elo0),
                                             agon_rating_expected(test->elo1), &llr),
                         0);
        verdict = agon_sprt_verdict(test, llr);
    }
    return verdict;
}

/* Guards: where a hypothesis holds, the other is accepted in no more than about 5 % of 600 tests
 * (5 % + 3 standard errors = 7.7 %), and in more than 1 %: the bounds are not idle. */
static void errors(void** unused) {
    const agon_sprt test = {0, 80, .05, .05};
    int wrong0 = 0, wrong1 = 0;
    for (uint32_t trial = 0; trial < 600; trial++) {
        wrong0 += run(&test, .5, trial) != -1;
        wrong1 += run(&test, agon_rating_expected(80), 1000 + trial) != 1;
    }
    assert_true(wrong0 > 6 && wrong0 < 46);
    assert_true(wrong1 > 6 && wrong1 < 46);
}

/* Guards: bad numbers are refused and nothing is written. */
static void refused(void** unused) {
    const double bad[3] = {1, -1, 2}, nan[3] = {1, NAN, 2}, good[3] = {1, 2, 3};
    const agon_sprt tests[] = {{5, 0, .05, .05}, {0, 5, 0, .05}, {0, 5, .5, .5}, {NAN, 5, .1, .1}};
    double llr = 7, upper = 7;
    assert_int_equal(agon_sprt_exact(bad, 3, &TEST, &llr), AGON_EINVALID);
    assert_int_equal(agon_sprt_exact(nan, 3, &TEST, &llr), AGON_EINVALID);
    assert_int_equal(agon_sprt_trinomial(nan, &TEST, &llr), AGON_EINVALID);
    assert_int_equal(agon_sprt_bernoulli(1, 1, 0, .5, &llr), AGON_EINVALID);
    assert_int_equal(agon_sprt_bernoulli(1, NAN, .5, .6, &llr), AGON_EINVALID);
    for (int k = 0; k < 4; k++) {
        assert_int_equal(agon_sprt_exact(good, 3, tests + k, &llr), AGON_EINVALID);
        assert_int_equal(agon_sprt_bounds(tests + k, &llr, &upper), AGON_EINVALID);
    }
    assert_true(llr == 7 && upper == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds),     cmocka_unit_test(vectors), cmocka_unit_test(outcomes),
        cmocka_unit_test(properties), cmocka_unit_test(errors),  cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
