/* Promise: a rating period equals Glickman's worked example; what no games can teach stays. */
#include "engine/metrics/glicko.h"
#include "games/error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static const agon_glicko PLAYER = {1500, 200, .06};
static const agon_glicko_result GAMES[3] = {{1400, 30, 1, 1}, {1550, 100, 1, 0}, {1700, 300, 1, 0}};

/* Guards: the example of the paper (which prints 1464.06, 151.52, .05999), with more digits. */
static void worked_example(void** unused) {
    agon_glicko after;
    double v, delta;
    assert_int_equal(agon_glicko_period(&PLAYER, GAMES, 3, .5, &after, &v, &delta), 0);
    assert_near(after.rating, 1464.0506705, 1e-6);
    assert_near(after.deviation, 151.5165241, 1e-6);
    assert_near(after.volatility, .0599959843, 1e-9);
    assert_near(v, 1.7789770897, 1e-9);
    assert_near(delta, -.4839332610, 1e-9);
}

/* Guards: order within a period is nothing, and n equal games are one result with n games. */
static void games_are_a_set(void** unused) {
    const agon_glicko_result turned[3] = {GAMES[2], GAMES[0], GAMES[1]};
    const agon_glicko_result five[5] = {GAMES[0], GAMES[0], {1400, 30, 1, .5}, GAMES[1], GAMES[1]};
    const agon_glicko_result two[2] = {{1400, 30, 3, 2.5}, {1550, 100, 2, 0}};
    agon_glicko a, b;
    assert_int_equal(agon_glicko_period(&PLAYER, GAMES, 3, .5, &a, NULL, NULL), 0);
    assert_int_equal(agon_glicko_period(&PLAYER, turned, 3, .5, &b, NULL, NULL), 0);
    assert_near(a.rating, b.rating, 1e-9);
    assert_int_equal(agon_glicko_period(&PLAYER, five, 5, .5, &a, NULL, NULL), 0);
    assert_int_equal(agon_glicko_period(&PLAYER, two, 2, .5, &b, NULL, NULL), 0);
    assert_near(a.rating, b.rating, 1e-9);
    assert_near(a.deviation, b.deviation, 1e-9);
    assert_near(a.volatility, b.volatility, 1e-9);
}

/* Guards: without games the deviation grows by the volatility and nothing else moves. */
static void idle(void** unused) {
    agon_glicko after;
    double v, delta;
    assert_int_equal(agon_glicko_period(&PLAYER, NULL, 0, .5, &after, &v, &delta), 0);
    assert_true(after.rating == 1500 && after.volatility == .06);
    assert_near(after.deviation, sqrt(200 * 200 + pow(173.7178 * .06, 2)), 1e-9);
    assert_true(isinf(v) && delta == 0);
}

/* Guards: a great surprise raises the volatility (the branch where Delta^2 is large), an expected
 * result lowers it, and a deviation never grows by games. */
static void surprise(void** unused) {
    const agon_glicko strong = {2200, 50, .06};
    const agon_glicko_result upset = {1200, 50, 20, 0}, usual = {1200, 50, 20, 20};
    agon_glicko after;
    assert_int_equal(agon_glicko_period(&strong, &upset, 1, .5, &after, NULL, NULL), 0);
    assert_true(after.volatility > .0601 && after.rating < 2200);
    assert_int_equal(agon_glicko_period(&strong, &usual, 1, .5, &after, NULL, NULL), 0);
    assert_true(after.volatility < .06 && after.rating > 2200);
}

/* Guards: the matrix form: points add up around the start for equal players, order of agents is
 * nothing, a lone player only waits. */
static void everyone(void** unused) {
    const double wins[9] = {NAN, 6, 3, 4, NAN, 8, 7, 2, NAN}; /* the diagonal is ignored */
    const double turned[9] = {0, 2, 7, 8, 0, 4, 3, 6, 0};     /* agents 2, 1, 0 */
    agon_glicko a[3], b[3];
    const agon_glicko start = AGON_GLICKO_NEW;
    assert_int_equal(agon_glicko_matrix(wins, 3, &start, .5, a), 0);
    assert_int_equal(agon_glicko_matrix(turned, 3, &start, .5, b), 0);
    for (int i = 0; i < 3; i++)
        assert_near(a[i].rating, b[2 - i].rating, 1e-9);
    assert_near(a[0].rating + a[1].rating + a[2].rating, 4500, 1e-6);
    assert_true(a[1].rating > a[0].rating && a[1].rating > a[2].rating);
    assert_int_equal(agon_glicko_matrix(wins, 1, &start, .5, a), 0);
    assert_true(a[0].rating == 1500 && a[0].deviation > 350);
}

/* Guards: bad numbers are refused and nothing is written. */
static void refused(void** unused) {
    agon_glicko after = {1, 2, 3};
    agon_glicko_result bad[] = {{NAN, 30, 1, 1},
                                {1400, -1, 1, 1},
                                {1400, 30, 1, 2},
                                {1400, 30, INFINITY, 1},
                                {1, 1, 1, NAN}};
    for (int k = 0; k < 5; k++)
        assert_int_equal(agon_glicko_period(&PLAYER, bad + k, 1, .5, &after, NULL, NULL),
                         AGON_EINVALID);
    const agon_glicko still = {1500, 200, 0};
    assert_int_equal(agon_glicko_period(&still, GAMES, 3, .5, &after, NULL, NULL), AGON_EINVALID);
    assert_int_equal(agon_glicko_period(&PLAYER, GAMES, 3, 0, &after, NULL, NULL), AGON_EINVALID);
    const double wins[4] = {0, -1, 2, 0};
    assert_int_equal(agon_glicko_matrix(wins, 2, &PLAYER, .5, &after), AGON_EINVALID);
    assert_true(after.rating == 1 && after.deviation == 2 && after.volatility == 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_example), cmocka_unit_test(games_are_a_set),
        cmocka_unit_test(idle),           cmocka_unit_test(surprise),
        cmocka_unit_test(everyone),       cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
