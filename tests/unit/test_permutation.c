/* Promise: exact p values equal counts by hand and by an independent program; under no effect they
 * are valid; sampled ones agree with exact ones. */
#include "engine/metrics/permutation.h"
#include "games/error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static const agon_key KEY = {{11, 12}};
static const double U[5] = {3.1, 2.8, 3.6, 3.3, 2.9}, V[5] = {2.1, 2.6, 1.9, 2.4, 2.9};

static agon_permutation groups(const double* u, int n, const double* v, int m, int student) {
    agon_permutation out;
    assert_int_equal(agon_permutation_groups(
                         u, n, v, m, student ? AGON_PERMUTATION_STUDENT : AGON_PERMUTATION_MEAN,
                         2000, KEY, &out),
                     0);
    return out;
}

static agon_permutation pairs(const double* d, int n, int samples) {
    agon_permutation out;
    assert_int_equal(agon_permutation_pairs(d, n, samples, KEY, &out), 0);
    return out;
}

/* Guards: 6 of 252, and the paired test of the same numbers, 4 of 32 (a difference of 0 counts both
 * ways). */
static void vectors(void** unused) {
    agon_permutation out = groups(U, 5, V, 5, 0);
    assert_near(out.statistic, .76, 1e-12);
    assert_near(out.p, 6 / 252., 1e-12);
    assert_true(out.exact && out.tried == 252);
    double d[5];
    for (int i = 0; i < 5; i++)
        d[i] = U[i] - V[i];
    out = pairs(d, 5, 1);
    assert_near(out.p, .125, 1e-12);
    assert_near(out.statistic, .76, 1e-12);
    assert_true(out.exact && out.tried == 32);
}

/* Guards: the studentised statistic (Welch's t) and groups of different size, by scipy and by a
 * count over all choices; names of the groups do not matter. */
static void studentised(void** unused) {
    const double a[4] = {.3, 1.7, -.2, 2.2}, b[6] = {1.1, 5, -3, .4, 2.9, 8};
    agon_permutation out = groups(U, 5, V, 5, 1);
    assert_near(out.statistic, 3.332820473366712, 1e-12);
    assert_near(out.p, 6 / 252., 1e-12);
    out = groups(a, 4, b, 6, 0);
    assert_near(out.statistic, -1.4, 1e-12);
    assert_near(out.p, 107 / 210., 1e-12);
    out = groups(a, 4, b, 6, 1);
    assert_near(out.statistic, -.8423449831230042, 1e-12);
    assert_near(out.p, 92 / 210., 1e-12);
    assert_near(groups(b, 6, a, 4, 1).p, 92 / 210., 1e-12);
    assert_near(groups(b, 6, a, 4, 0).statistic, 1.4, 1e-12);
}

/* Guards: how small p can be with few runs. */
static void floors(void** unused) {
    const double low[5] = {1, 2, 3, 4, 5}, high[5] = {11, 12, 13, 14, 15};
    const double d[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    assert_near(groups(high, 3, low, 3, 0).p, .1, 1e-12);
    assert_near(groups(high, 4, low, 4, 0).p, 2 / 70., 1e-12);
    assert_near(groups(high, 5, low, 5, 0).p, 2 / 252., 1e-12);
    assert_near(pairs(d, 5, 1).p, .0625, 1e-12);
    assert_near(pairs(d, 6, 1).p, .03125, 1e-12);
    assert_near(pairs(d, 10, 1).p, 2 / 1024., 1e-12);
    assert_near(groups(high, 1, low, 1, 0).p, 1, 0);
    assert_near(pairs(d, 1, 1).p, 1, 0);
}

/* Guards: nothing differs: p is 1, also where rounding makes the sums unequal; shifting and scaling
 * everything changes no p. */
static void ties(void** unused) {
    const double same[4] = {.1, .1, .1, .1}, turned[3] = {.3, .1, .2}, other[3] = {.1, .2, .3};
    double u[5], v[5];
    assert_near(groups(same, 4, same, 4, 0).p, 1, 0);
    assert_near(groups(same, 4, same, 4, 1).p, 1, 0);
    assert_near(groups(turned, 3, other, 3, 0).p, 1, 0);
    assert_near(groups(turned, 3, other, 3, 1).p, 1, 0);
    const double zero[3] = {0, 0, 0}, cancel[3] = {.1, .2, -.3};
    assert_near(pairs(zero, 3, 1).p, 1, 0);
    assert_near(pairs(cancel, 3, 1).p, 1, 0);
    for (int i = 0; i < 5; i++) {
        u[i] = 1e6 + 1e-3 * U[i];
        v[i] = 1e6 + 1e-3 * V[i];
    }
    assert_near(groups(u, 5, v, 5, 0).p, 6 / 252., 1e-12);
    assert_near(groups(u, 5, v, 5, 1).p, 6 / 252., 1e-12);
}

/* Guards: the studentised statistic where a group does not vary at all: infinite, and few choices
 * reach it. */
static void constant_groups(void** unused) {
    const double low[3] = {1, 1, 1}, high[3] = {2, 2, 2};
    agon_permutation out = groups(high, 3, low, 3, 1);
    assert_true(isinf(out.statistic) && out.statistic > 0);
    assert_near(out.p, .1, 1e-12);
}

static double uniform(uint32_t trial, uint32_t i) {
    agon_draw d = agon_random((agon_key){{5, 6}}, trial, i, 0, 0);
    return agon_uniform_double(d.word[0], d.word[1]);
}

/* Guards: without an effect p <= 5 % in at most about 5 % of 1,000 worlds (+ 3 standard errors),
 * and not in next to none. */
static void valid(void** unused) {
    int hits[3] = {0, 0, 0};
    for (uint32_t trial = 0; trial < 1000; trial++) {
        double x[12];
        for (uint32_t i = 0; i < 12; i++)
            x[i] = uniform(trial, i) - .5;
        hits[0] += groups(x, 5, x + 5, 5, 0).p <= .05;
        hits[1] += groups(x, 5, x + 5, 5, 1).p <= .05;
        hits[2] += pairs(x, 8, 1).p <= .05;
    }
    for (int k = 0; k < 3; k++)
        assert_true(hits[k] > 20 && hits[k] < 71);
}

/* Guards: beyond the limit of enumeration a sample is drawn, the same one for the same key, and it
 * finds p: 23 pairs and 13 against 12 of which a smaller exact test is known. */
static void sampled(void** unused) {
    double u[13], v[13], d[40];
    for (uint32_t i = 0; i < 13; i++) {
        u[i] = uniform(1, i) + .4;
        v[i] = uniform(2, i);
    }
    for (uint32_t i = 0; i < 40; i++)
        d[i] = i < 22 ? uniform(3, i) - .35 : 0; /* zeros change no p */
    agon_permutation exact = groups(u, 12, v, 12, 0), more = groups(u, 13, v, 13, 0);
    assert_true(exact.exact && exact.tried == 2704156);
    assert_true(!more.exact && more.tried == 2000);
    assert_near(more.p, groups(u, 13, v, 13, 0).p, 0);
    assert_true(more.p > 0 && more.p < .3);
    exact = pairs(d, 22, 1);
    more = pairs(d, 40, 20000);
    assert_true(exact.exact && !more.exact);
    assert_near(more.p, exact.p, 5 * sqrt(exact.p * (1 - exact.p) / 20000) + 1e-4);
    assert_true(exact.p > .001 && exact.p < .9);
}

/* Guards: bad numbers, and groups too small to studentise, are refused; nothing is written. */
static void refused(void** unused) {
    const double bad[3] = {1, NAN, 2};
    agon_permutation out = {7, 7, 7, 7};
    assert_int_equal(agon_permutation_groups(bad, 3, U, 5, AGON_PERMUTATION_MEAN, 1, KEY, &out),
                     AGON_EINVALID);
    assert_int_equal(agon_permutation_groups(U, 1, V, 5, AGON_PERMUTATION_STUDENT, 1, KEY, &out),
                     AGON_EINVALID);
    assert_int_equal(agon_permutation_pairs(bad, 3, 1, KEY, &out), AGON_EINVALID);
    assert_true(out.p == 7 && out.statistic == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors), cmocka_unit_test(studentised),     cmocka_unit_test(floors),
        cmocka_unit_test(ties),    cmocka_unit_test(constant_groups), cmocka_unit_test(valid),
        cmocka_unit_test(sampled), cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
