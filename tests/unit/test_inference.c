/* Promise: interquartile means, effect sizes and corrected p values equal known ones; bootstrap
 * intervals hold what they should as often as they claim. */
#include "engine/metrics/effect.h"
#include "engine/metrics/inference.h"
#include "games/error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static const agon_key KEY = {{11, 12}};
static const double U[5] = {3.1, 2.8, 3.6, 3.3, 2.9}, V[5] = {2.1, 2.6, 1.9, 2.4, 2.9};

static double uniform(uint32_t trial, uint32_t i) {
    agon_draw d = agon_random((agon_key){{5, 6}}, trial, i, 0, 0);
    return agon_uniform_double(d.word[0], d.word[1]);
}

static double iqm(const double* values, int n) {
    double out;
    assert_int_equal(agon_inference_iqm(values, n, &out), 0);
    return out;
}

/* Guards: the reference example, the definition at small n, and that outliers do not move it. */
static void interquartile_mean(void** unused) {
    double values[12] = {1, 2, 3, 4, 2, 3, 4, 10, 0, 1, 5, 6};
    assert_near(iqm(values, 12), 3, 1e-12);
    values[7] = 1e9;
    values[8] = -1e9;
    assert_near(iqm(values, 12), 3, 1e-12);
    assert_near(iqm((double[]){5}, 1), 5, 0);
    assert_near(iqm((double[]){1, 2, 9}, 3), 4, 1e-12);
    assert_near(iqm((double[]){9, 1, 2, 100}, 4), 5.5, 1e-12);
}

/* Guards: the reference example: difference, A12, Cliff, Cohen, Hedges. */
static void effect_sizes(void** unused) {
    agon_effect e;
    assert_int_equal(agon_effect_size(U, 5, V, 5, &e), 0);
    assert_near(e.difference, .76, 1e-12);
    assert_near(e.superiority, .94, 1e-12);
    assert_near(e.cliff, .88, 1e-12);
    assert_near(e.cohen, 2.1078607, 1e-7);
    assert_near(e.hedges, 1.9038742, 1e-7);
    agon_effect back;
    assert_int_equal(agon_effect_size(V, 5, U, 5, &back), 0);
    assert_near(back.superiority, 1 - e.superiority, 1e-12);
    assert_near(back.hedges, -e.hedges, 1e-12);
}

/* Guards: groups without spread, of one value, and bad numbers. */
static void effect_edges(void** unused) {
    const double one[2] = {1, 1}, two[2] = {2, 2}, bad[2] = {1, INFINITY};
    agon_effect e;
    assert_int_equal(agon_effect_size(two, 2, one, 2, &e), 0);
    assert_true(isinf(e.cohen) && isinf(e.hedges) && e.superiority == 1 && e.cliff == 1);
    assert_int_equal(agon_effect_size(one, 2, one, 2, &e), 0);
    assert_true(isnan(e.cohen) && isnan(e.hedges) && e.superiority == .5 && e.difference == 0);
    assert_int_equal(agon_effect_size(two, 1, one, 1, &e), 0);
    assert_true(isnan(e.cohen) && isnan(e.hedges) && e.difference == 1);
    assert_int_equal(agon_effect_size(U, 2, one, 1, &e), 0);
    assert_true(isfinite(e.cohen) && e.hedges == 0);
    e.cohen = 7;
    assert_int_equal(agon_effect_size(bad, 2, one, 2, &e), AGON_EINVALID);
    assert_true(e.cohen == 7);
}

/* Guards: Holm's example, order of the family, ties, never above 1, never below p. */
static void holm(void** unused) {
    double p[4] = {.01, .04, .03, .005}, out[4];
    assert_int_equal(agon_inference_holm(p, 4, out), 0);
    const double expected[4] = {.03, .06, .06, .02};
    for (int i = 0; i < 4; i++)
        assert_near(out[i], expected[i], 1e-12);
    assert_int_equal(agon_inference_holm(p, 4, p), 0); /* in place */
    assert_memory_equal(p, out, sizeof p);
    const double ties[3] = {.5, .02, .5};
    assert_int_equal(agon_inference_holm(ties, 3, out), 0);
    assert_near(out[0], 1, 0);
    assert_near(out[1], .06, 1e-12);
    assert_near(out[2], 1, 0);
    const double one = .04, bad[2] = {.1, 1.1}, nan[2] = {NAN, .1};
    assert_int_equal(agon_inference_holm(&one, 1, out), 0);
    assert_near(out[0], .04, 0);
    out[0] = 7;
    assert_int_equal(agon_inference_holm(bad, 2, out), AGON_EINVALID);
    assert_int_equal(agon_inference_holm(nan, 2, out), AGON_EINVALID);
    assert_true(out[0] == 7);
}

/* Guards: bootstraps are functions of data and key, enclose the estimate, resample within strata
 * (strata of constants have no width whatever lies between them), and widen with spread. */
static void bootstrap(void** unused) {
    const int runs[3] = {4, 2, 3};
    const double constant[9] = {1, 1, 1, 1, 5, 5, 9, 9, 9};
    const double spread[9] = {1, 2, 3, 4, 5, 7, 6, 9, 12};
    agon_interval a, b;
    agon_scores s = {3, runs, constant};
    assert_int_equal(agon_inference_iqm_bootstrap(&s, 500, KEY, &a), 0);
    assert_true(a.low == a.high && a.error < 1e-12 && a.mean == a.low);
    s.score = spread;
    assert_int_equal(agon_inference_iqm_bootstrap(&s, 500, KEY, &a), 0);
    assert_int_equal(agon_inference_iqm_bootstrap(&s, 500, KEY, &b), 0);
    assert_memory_equal(&a, &b, sizeof a);
    assert_near(a.mean, iqm(spread, 9), 1e-12);
    assert_true(a.low < a.mean && a.mean < a.high && a.error > 0);
    const agon_key other = {{1, 1}};
    assert_int_equal(agon_inference_iqm_bootstrap(&s, 500, other, &b), 0);
    assert_true(a.error != b.error && fabs(a.low - b.low) < .5);
    double bad[9];
    memcpy(bad, spread, sizeof bad);
    bad[8] = NAN;
    s.score = bad;
    assert_int_equal(agon_inference_iqm_bootstrap(&s, 500, KEY, &b), AGON_EINVALID);
}

/* Guards: intervals of the interquartile mean of 20 runs of a symmetric distribution hold the true
 * one in about 95 % of 300 worlds (few runs: a little less; 3 standard errors of 90 % are 5 %). */
static void coverage(void** unused) {
    const int runs[2] = {20, 20};
    int held = 0;
    for (uint32_t trial = 0; trial < 300; trial++) {
        double score[40];
        for (uint32_t i = 0; i < 40; i++)
            score[i] = uniform(trial, i);
        agon_scores s = {2, runs, score};
        agon_interval out;
        assert_int_equal(agon_inference_iqm_bootstrap(&s, 300, KEY, &out), 0);
        held += out.low <= .5 && .5 <= out.high;
    }
    assert_true(held >= 255 && held <= 297);
}

/* Guards: probability of improvement: A12 by stratum and their mean, .5 for equal scores, its
 * mirror image, and an interval of its own for both sides. */
static void improvement(void** unused) {
    const int five[1] = {5}, two[2] = {5, 1}, three[2] = {5, 2};
    const agon_scores u = {1, five, U}, v = {1, five, V};
    agon_interval out, back;
    assert_int_equal(agon_inference_improvement(&u, &v, 400, KEY, &out), 0);
    assert_near(out.mean, .94, 1e-12);
    assert_true(out.low < .94 && out.high <= 1 && out.low > .5);
    assert_int_equal(agon_inference_improvement(&v, &u, 400, KEY, &back), 0);
    assert_near(back.mean, .06, 1e-12);
    assert_int_equal(agon_inference_improvement(&u, &u, 400, KEY, &out), 0);
    assert_near(out.mean, .5, 1e-12);
    assert_true(out.low < .5 && out.high > .5); /* both sides are drawn apart */
    const double x[6] = {3.1, 2.8, 3.6, 3.3, 2.9, 1}, y[7] = {2.1, 2.6, 1.9, 2.4, 2.9, 1, 3};
    const agon_scores p = {2, two, x}, q = {2, three, y};
    assert_int_equal(agon_inference_improvement(&p, &q, 400, KEY, &out), 0);
    assert_near(out.mean, .5 * (.94 + .25), 1e-12);
    const double bad[5] = {1, 2, NAN, 3, 4};
    const agon_scores w = {1, five, bad};
    out.mean = 7;
    assert_int_equal(agon_inference_improvement(&u, &w, 400, KEY, &out), AGON_EINVALID);
    assert_true(out.mean == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interquartile_mean), cmocka_unit_test(effect_sizes),
        cmocka_unit_test(effect_edges),       cmocka_unit_test(holm),
        cmocka_unit_test(bootstrap),          cmocka_unit_test(coverage),
        cmocka_unit_test(improvement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
