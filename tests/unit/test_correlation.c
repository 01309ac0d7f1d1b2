/* Promise: joint-policy correlation is the share of return lost among strangers. */
#include "engine/metrics/correlation.h"
#include "games/error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static agon_joint_policy measure(const double* m, int n, double lowest) {
    agon_joint_policy out;
    assert_int_equal(agon_correlation_joint_policy(m, n, lowest, &out), 0);
    return out;
}

/* Guards: the definition, with the returns shifted to be positive first. */
static void definition(void** unused) {
    const double m[9] = {30, 20, 10, 15, 35, 20, 10, 15, 25};
    agon_joint_policy out = measure(m, 3, 0);
    assert_near(out.diagonal, 30, 1e-12);
    assert_near(out.other, 15, 1e-12);
    assert_near(out.loss, .5, 1e-12);
    double moved[9];
    for (int k = 0; k < 9; k++)
        moved[k] = m[k] - 100;
    out = measure(moved, 3, -100);
    assert_near(out.loss, .5, 1e-12);
    assert_near(out.diagonal, -70, 1e-12);
    assert_near(measure(m, 3, 10).loss, .75, 1e-12); /* the zero of returns matters */
}

/* Guards: equal returns lose nothing; strangers may do better; order of runs is nothing; unplayed
 * entries are left out. */
static void properties(void** unused) {
    const double equal[4] = {2, 2, 2, 2}, better[4] = {1, 3, 3, 1};
    const double m[4] = {4, 1, 2, 6}, turned[4] = {6, 2, 1, 4}, holes[4] = {4, 1, NAN, NAN};
    assert_near(measure(equal, 2, 0).loss, 0, 1e-12);
    assert_near(measure(better, 2, 0).loss, -2, 1e-12);
    assert_near(measure(m, 2, 0).loss, .7, 1e-12);
    assert_near(measure(turned, 2, 0).loss, .7, 1e-12);
    assert_near(measure(holes, 2, 0).loss, .75, 1e-12);
}

/* Guards: one run, and a diagonal at the lowest return, have no correlation. */
static void undefined(void** unused) {
    const double one[1] = {3}, nothing[4] = {0, 1, 1, 0}, unplayed[4] = {NAN, 1, 1, NAN};
    agon_joint_policy out = measure(one, 1, 0);
    assert_true(isnan(out.loss) && isnan(out.other) && out.diagonal == 3);
    assert_true(isnan(measure(nothing, 2, 0).loss));
    assert_true(isnan(measure(unplayed, 2, 0).loss));
}

/* Guards: impossible returns are refused and nothing is written. */
static void refused(void** unused) {
    agon_joint_policy out = {1, 2, 3};
    const double low[4] = {1, 1, -1, 1}, infinite[4] = {1, INFINITY, 1, 1};
    assert_int_equal(agon_correlation_joint_policy(low, 2, 0, &out), AGON_EINVALID);
    assert_int_equal(agon_correlation_joint_policy(infinite, 2, 0, &out), AGON_EINVALID);
    assert_int_equal(agon_correlation_joint_policy(low, 2, NAN, &out), AGON_EINVALID);
    assert_true(out.diagonal == 1 && out.other == 2 && out.loss == 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definition),
        cmocka_unit_test(properties),
        cmocka_unit_test(undefined),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
