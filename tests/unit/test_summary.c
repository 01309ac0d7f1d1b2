/* Promise: means, errors and quantiles are the textbook's, and bootstraps repeat byte for byte. */
#include "engine/metrics/summary.h"
#include "games/error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

/* Guards: mean and standard error over n - 1; unknown, not 0, for one value. */
static void mean_and_error(void** unused) {
    const double x[] = {1, 2, 3, 4};
    assert_near(agon_summary_mean(x, 4), 2.5, 0);
    assert_near(agon_summary_error(x, 4), sqrt(5.0 / 3) / 2, 1e-15);
    assert_true(isnan(agon_summary_error(x, 1)));
}

/* Guards: quantiles of type 7 (numpy.quantile's default), the ends, one value, NaN last. */
static void quantiles_are_type_7(void** unused) {
    double x[] = {10, 1, 4, 2};
    assert_near(agon_summary_median(x, 4), 3, 0);
    assert_near(agon_summary_quantile(x, 4, 0), 1, 0);
    assert_near(agon_summary_quantile(x, 4, 1), 10, 0);
    assert_near(agon_summary_quantile(x, 4, 0.25), 1.75, 1e-15);
    assert_near(agon_summary_quantile(x, 4, 0.9), 8.2, 1e-14);
    assert_near(agon_summary_quantile(x, 1, 0.3), 1, 0);
    double odd[] = {5, 9, 7};
    assert_near(agon_summary_median(odd, 3), 7, 0);
    double holes[] = {NAN, 2, NAN, 1};
    agon_summary_sort(holes, 4);
    assert_true(holes[0] == 1 && holes[1] == 2 && isnan(holes[2]) && isnan(holes[3]));
}

/* Guards: the bootstrap is a function of values and key, and gives the known error of a mean:
 * s / sqrt(n) with s over n, here sqrt(8.25 / 10). */
static void bootstrap_of_a_mean(void** unused) {
    const double x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    agon_key key = agon_key_make(7, "summary", AGON_FOR_TEST);
    agon_interval a, b, c;
    assert_int_equal(agon_summary_bootstrap(x, 10, 20000, key, &a), 0);
    assert_int_equal(agon_summary_bootstrap(x, 10, 20000, key, &b), 0);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(agon_summary_bootstrap(x, 10, 20000, agon_key_make(8, "", AGON_FOR_TEST), &c),
                     0);
    assert_true(c.error != a.error);
    assert_near(a.mean, 5.5, 0);
    assert_near(a.error, sqrt(0.825), 0.015);
    assert_near(a.low, 5.5 - 1.96 * sqrt(0.825), 0.1);
    assert_near(a.high, 5.5 + 1.96 * sqrt(0.825), 0.1);
}

/* Guards: values that are not finite are refused and the output stays. */
static void bootstrap_refuses_nan(void** unused) {
    const double x[] = {1, NAN};
    agon_interval out = {1, 2, 3, 4};
    assert_int_equal(agon_summary_bootstrap(x, 2, 10, agon_key_make(1, "", AGON_FOR_TEST), &out),
                     AGON_EINVALID);
    assert_true(out.mean == 1 && out.high == 4);
}

/* Guards: a tally gives the mean and error of the values it sums up; unknown is NaN. */
static void score_of_a_tally(void** unused) {
    const double x[] = {1, -1, 1, 0, 1};
    double mean, error;
    agon_score_se(5, 2, 4, &mean, &error);
    assert_near(mean, 0.4, 1e-15);
    assert_near(error, agon_summary_error(x, 5), 1e-15);
    agon_score_se(10, 10, 10, &mean, &error);
    assert_true(mean == 1 && error == 0);
    agon_score_se(1, 1, 1, &mean, &error);
    assert_true(mean == 1 && isnan(error));
    agon_score_se(0, 0, 0, &mean, &error);
    assert_true(isnan(mean) && isnan(error));
    agon_score_se(3, 0.3, 0.03, &mean, &error); /* equal scores whose squares round */
    assert_true(error >= 0 && error < 1e-8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_and_error),      cmocka_unit_test(quantiles_are_type_7),
        cmocka_unit_test(bootstrap_of_a_mean), cmocka_unit_test(bootstrap_refuses_nan),
        cmocka_unit_test(score_of_a_tally),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
