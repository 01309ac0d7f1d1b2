/* Promise: ratings and their errors equal values computed independently; what has no finite maximum
 * is refused. */
#include "engine/metrics/rating.h"
#include "games/error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static const double THREE[9] = {0, 4, 2, 1, 0, 2, 3, 3, 0};

static double difference(const double* wins) {
    double rating[2];
    assert_int_equal(agon_rating_bradley_terry(wins, 2, 0, rating, NULL, NULL), 0);
    assert_near(rating[0] + rating[1], 0, 1e-9);
    return rating[0] - rating[1];
}

/* Guards: the Elo curve; what 1500 gains by beating 1600 at 32 points a game. */
static void expected_scores(void** unused) {
    assert_near(agon_rating_expected(0), .5, 0);
    assert_near(agon_rating_expected(100), .6400649998, 1e-10);
    assert_near(agon_rating_expected(200), .7597469266, 1e-10);
    assert_near(agon_rating_expected(400), .9090909091, 1e-10);
    assert_near(agon_rating_expected(-400), 1 - .9090909091, 1e-10);
    assert_near(32 * (1 - agon_rating_expected(1500 - 1600)), 20.4820799937, 1e-9);
    assert_true(agon_rating_expected(1e9) == 1 && agon_rating_expected(-1e9) == 0);
    assert_true(isnan(agon_rating_expected(NAN)));
}

/* Guards: maximum likelihood: the 3 x 3 of OpenSpiel's elo_test, 2 : 1, and 2 : 1 with a draw. */
static void maximum_likelihood(void** unused) {
    const double expected[3] = {49.0635713726, -98.1271427452, 49.0635713726};
    double rating[3];
    assert_int_equal(agon_rating_bradley_terry(THREE, 3, 0, rating, NULL, NULL), 0);
    for (int i = 0; i < 3; i++)
        assert_near(rating[i], expected[i], 1e-8);
    assert_near(difference((double[]){0, 2, 1, 0}), 120.4119982656, 1e-8);
    assert_near(difference((double[]){0, 2.5, 1.5, 0}), 88.7394998465, 1e-8);
}

/* Guards: maximum a posteriori with its errors (five printed digits) and the error of a difference,
 * computed with 40 digits. */
static void maximum_a_posteriori(void** unused) {
    const double expected[3] = {45.5439481539, -91.0878963079, 45.5439481539};
    const double expected_se[3] = {215.01354, 215.93735, 215.01354};
    double rating[3], se[3], c[9];
    assert_int_equal(agon_rating_bradley_terry(THREE, 3, 350, rating, se, c), 0);
    for (int i = 0; i < 3; i++) {
        assert_near(rating[i], expected[i], 1e-8);
        assert_near(se[i], expected_se[i], 1e-5);
        assert_near(c[i * 3 + i], se[i] * se[i], 1e-6);
    }
    assert_near(rating[0] - rating[1], 136.6318445, 1e-6);
    assert_near(sqrt(c[0] + c[4] - 2 * c[1]), 130.3407154774, 1e-7);
}

/* Guards: covariances of maximum likelihood belong to ratings of mean 0 (rows add up to 0), and two
 * agents have the textbook error 1 / sqrt(k^2 N p (1 - p)) of their difference. */
static void likelihood_errors(void** unused) {
    double rating[3], se[3], c[9];
    assert_int_equal(agon_rating_bradley_terry(THREE, 3, 0, rating, se, c), 0);
    for (int i = 0; i < 3; i++)
        assert_near(c[i * 3] + c[i * 3 + 1] + c[i * 3 + 2], 0, 1e-6);
    const double wins[4] = {0, 30, 10, 0}, k = log(10) / 400;
    assert_int_equal(agon_rating_bradley_terry(wins, 2, 0, rating, se, c), 0);
    assert_near(sqrt(c[0] + c[3] - 2 * c[1]), 1 / sqrt(k * k * 40 * .75 * .25), 1e-7);
}

/* Guards: the prior makes unbeaten and lonely agents finite: an agent without games is at 0 with
 * the prior's error. */
static void prior_holds_the_rest(void** unused) {
    const double wins[9] = {0, 1000, 0, 0, 0, 0, 0, 0, 0};
    double rating[3], se[3];
    const double sds[] = {1, 350, 1e5};
    for (int k = 0; k < 3; k++) {
        assert_int_equal(agon_rating_bradley_terry(wins, 3, sds[k], rating, se, NULL), 0);
        assert_true(rating[0] > 0);
        assert_near(rating[0], -rating[1], 1e-6 * rating[0]);
        assert_near(rating[2], 0, 1e-9);
        assert_near(se[2], sds[k], 1e-6 * sds[k]);
    }
}

/* Guards: cycles are invisible: rock, paper and scissors are equal. One agent is at 0. */
static void edge_cases(void** unused) {
    const double cycle[9] = {0, 0, 5, 5, 0, 0, 0, 5, 0}, own[1] = {NAN};
    double rating[3], se[3];
    assert_int_equal(agon_rating_bradley_terry(cycle, 3, 0, rating, se, NULL), 0);
    for (int i = 0; i < 3; i++)
        assert_near(rating[i], 0, 1e-9);
    assert_int_equal(agon_rating_bradley_terry(own, 1, 350, rating, se, NULL), 0);
    assert_true(rating[0] == 0);
    assert_near(se[0], 350, 1e-9);
    assert_int_equal(agon_rating_bradley_terry(own, 1, 0, rating, se, NULL), 0);
    assert_true(rating[0] == 0 && se[0] == 0);
}

/* Guards: a likelihood without a maximum (an unbeaten agent, two groups that never met) and bad
 * numbers are refused, outputs untouched. */
static void bad_input_is_refused(void** unused) {
    const double unbeaten[4] = {0, 3, 0, 0};
    const double apart[16] = {0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0};
    const double bad[][4] = {{0, NAN, 1, 0}, {0, -1, 1, 0}, {0, INFINITY, 1, 0}};
    double rating[4] = {7, 7, 7, 7}, se[4] = {7};
    assert_int_equal(agon_rating_bradley_terry(unbeaten, 2, 0, rating, se, NULL), AGON_EINVALID);
    assert_int_equal(agon_rating_bradley_terry(apart, 4, 0, rating, se, NULL), AGON_EINVALID);
    for (int k = 0; k < 3; k++)
        assert_int_equal(agon_rating_bradley_terry(bad[k], 2, 350, rating, se, NULL),
                         AGON_EINVALID);
    assert_int_equal(agon_rating_bradley_terry(THREE, 3, NAN, rating, se, NULL), AGON_EINVALID);
    assert_int_equal(agon_rating_bradley_terry(THREE, 3, -1, rating, se, NULL), AGON_EINVALID);
    assert_true(rating[0] == 7 && se[0] == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expected_scores),      cmocka_unit_test(maximum_likelihood),
        cmocka_unit_test(maximum_a_posteriori), cmocka_unit_test(likelihood_errors),
        cmocka_unit_test(prior_holds_the_rest), cmocka_unit_test(edge_cases),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
