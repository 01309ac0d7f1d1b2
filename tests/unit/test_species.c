/* Promise: Hill numbers, with and without similarity, Rao's entropy and the number of distinct
 * answers equal values of an independent program, and keep their invariances. */
#include "engine/metrics/species.h"
#include "games/error.h"
#include "games/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static const double ORDERS[] = {0, .5, 1, 1.5, 2, 7, INFINITY};
#define ORDER_COUNT ((int)(sizeof ORDERS / sizeof ORDERS[0]))

static double uniform(int trial, int i, int j) {
    const agon_key key = agon_key_make((uint64_t)trial, "species", AGON_FOR_TEST);
    const agon_draw draw = agon_random(key, (uint32_t)i, (uint32_t)j, 0, 0);
    return agon_uniform_double(draw.word[0], draw.word[1]);
}

static double hill(const double* counts, int n, double order) {
    double out;
    assert_int_equal(agon_species_hill(counts, n, order, &out), 0);
    return out;
}

static double similar(const double* z, const double* p, int n, double order) {
    double out;
    assert_int_equal(agon_species_similar(z, p, n, order, &out), 0);
    return out;
}

/* n shares that add up to 1, some of them 0. */
static void random_shares(double* p, int n, int trial) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        p[i] = uniform(trial, i, 1000) < .2 && i > 0 ? 0 : uniform(trial, i, 1001);
        sum += p[i];
    }
    for (int i = 0; i < n; i++)
        p[i] /= sum;
}

static void random_similarity(double* z, int n, int trial) {
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            z[i * n + j] = i == j ? 1 : uniform(trial, i < j ? i : j, i < j ? j : i);
    }
}

/* Guards: counts (10, 5, 3, 2) at the four usual orders; and 0/0. */
static void hill_numbers_of_an_example(void** unused) {
    const double counts[] = {10, 5, 3, 2}, none[] = {0, 0};
    assert_near(hill(counts, 4, 0), 4, 1e-12);
    assert_near(hill(counts, 4, 1), 3.346696325, 1e-9);
    assert_near(hill(counts, 4, 2), 2.898550725, 1e-9);
    assert_near(hill(counts, 4, INFINITY), 2, 1e-12);
    assert_true(isnan(hill(none, 2, 1)));
    assert_near(hill(counts, 1, 1), 1, 1e-15);
}

/* Guards: bounds, decrease with order, independence of the order of kinds, of kinds never seen, and
 * of scale; n kinds alike count n, very high orders do not underflow. */
static void hill_numbers_behave(void** unused) {
    for (int trial = 0; trial < 200; trial++) {
        const int n = 1 + trial % 12;
        double p[14] = {0}, turned[12], before = INFINITY;
        random_shares(p, n, trial);
        for (int i = 0; i < n; i++)
            turned[i] = 1e6 * p[n - 1 - i];
        for (int k = 0; k < ORDER_COUNT; k++) {
            const double d = hill(p, n, ORDERS[k]);
            assert_true(d >= 1 - 1e-12 && d <= n + 1e-12 && d <= before + 1e-12);
            assert_near(hill(turned, n, ORDERS[k]), d, 1e-12 * n);
            assert_near(hill(p, n + 2, ORDERS[k]), d, 1e-12 * n);
            before = d;
        }
    }
    const double alike[] = {3, 3, 3, 3, 3};
    for (int k = 0; k < ORDER_COUNT; k++)
        assert_near(hill(alike, 5, ORDERS[k]), 5, 1e-12);
    const double two[] = {.6, .4};
    assert_near(hill(two, 2, 5000), 1 / .6, 1e-3);
}

/* Guards: the worked example, at the four usual orders, and Rao. */
static void similarity_of_an_example(void** unused) {
    const double z[] = {1, .5, 0, .5, 1, 0, 0, 0, 1}, p[] = {.25, .25, .5};
    double d[9], rao;
    assert_near(similar(z, p, 3, 0), 2.333333333, 1e-9);
    assert_near(similar(z, p, 3, 1), 2.309401077, 1e-9);
    assert_near(similar(z, p, 3, 2), 2.285714286, 1e-9);
    assert_near(similar(z, p, 3, INFINITY), 2, 1e-12);
    for (int i = 0; i < 9; i++)
        d[i] = 1 - z[i];
    assert_int_equal(agon_species_rao(d, p, 3, &rao), 0);
    assert_near(rao, .5625, 1e-12);
}

/* Guards: the identity gives plain Hill numbers, all alike give 1; bounds; decrease with order;
 * Rao = 1 - 1 / D of order 2; a kind split into two identical ones changes nothing. */
static void similarity_behaves(void** unused) {
    for (int trial = 0; trial < 200; trial++) {
        const int n = 1 + trial % 9, m = n + 1;
        double z[81], identity[81] = {0}, ones[81], d[81], p[9], before = INFINITY, rao;
        double split_z[100], split_p[10];
        random_shares(p, n, trial);
        random_similarity(z, n, trial);
        for (int i = 0; i < n * n; i++) {
            ones[i] = 1;
            d[i] = 1 - z[i];
            identity[i] = i % (n + 1) == 0;
        }
        for (int i = 0; i < m; i++) { /* the last kind becomes two */
            const int from = i < n ? i : n - 1;
            split_p[i] = i < n - 1 ? p[i] : (i == n - 1 ? .3 : .7) * p[n - 1];
            for (int j = 0; j < m; j++)
                split_z[i * m + j] = z[from * n + (j < n ? j : n - 1)];
        }
        for (int k = 0; k < ORDER_COUNT; k++) {
            const double x = similar(z, p, n, ORDERS[k]);
            assert_near(similar(identity, p, n, ORDERS[k]), hill(p, n, ORDERS[k]), 1e-10);
            assert_near(similar(ones, p, n, ORDERS[k]), 1, 1e-12);
            assert_true(x >= 1 - 1e-12 && x <= hill(p, n, ORDERS[k]) + 1e-10);
            assert_true(x <= before + 1e-12);
            assert_near(similar(split_z, split_p, m, ORDERS[k]), x, 1e-10);
            before = x;
        }
        assert_int_equal(agon_species_rao(d, p, n, &rao), 0);
        assert_near(rao, 1 - 1 / similar(z, p, n, 2), 1e-12);
    }
}

/* Three agents, two states, three actions. */
static const float POL[] = {1, 0, 0, .5f, .5f, 0, 0, 1, 0, .5f, .5f, 0, .5f, .5f, 0, 0, 0, 1};

/* Guards: greedy choices by hand: state 0 two against one (c's tie goes to the lowest index), state
 * 1 two against one; sharper policies and duplicated agents count the same. */
static void greedy_kinds(void** unused) {
    const double weight[] = {.25, .75}, uneven[] = {1, 0};
    float twice[36], sharp[18] = {0};
    memcpy(twice, POL, sizeof POL);
    memcpy(twice + 18, POL, sizeof POL);
    const int best[] = {0, 0, 1, 0, 0, 2};
    for (int i = 0; i < 6; i++)
        sharp[3 * i + best[i]] = 1;
    agon_behaviour b = {3, 2, 3, POL, weight}, four = {6, 2, 3, twice, weight},
                   hard = {3, 2, 3, sharp, weight};
    double out, again;
    assert_int_equal(agon_species_greedy(&b, 0, &out), 0);
    assert_near(out, 2, 1e-15);
    assert_int_equal(agon_species_greedy(&b, 2, &out), 0);
    assert_near(out, 1.8, 1e-12);
    assert_int_equal(agon_species_greedy(&four, 2, &again), 0);
    assert_near(again, out, 1e-12);
    assert_int_equal(agon_species_greedy(&hard, 2, &again), 0);
    assert_near(again, out, 1e-12);
    b.agents = 1;
    b.weight = uneven;
    assert_int_equal(agon_species_greedy(&b, 1, &out), 0);
    assert_near(out, 1, 1e-15);
}

/* Guards: distinct answers and their utility by hand: 1, 2, 1, 3, with patience .8; the bar, and a
 * class first met below it; everything new and good is 1; patience 1 is a share. */
static void answers_in_a_row(void** unused) {
    const int kinds[] = {1, 2, 1, 3}, fresh[] = {4, 5, 6, 7};
    const double rate[] = {.4, .6, .7, .5}, most = 1 + .8 + .64 + .512;
    double out;
    assert_int_equal(agon_species_distinct(kinds, 4), 3);
    assert_int_equal(agon_species_distinct(kinds, 1), 1);
    assert_int_equal(agon_species_utility(kinds, NULL, 4, 0, .8, &out), 0);
    assert_near(out, (1 + .8 + .512) / most, 1e-12);
    assert_near(out, (1 + .8 + .512) * .2 / (1 - .8 * .8 * .8 * .8), 1e-12);
    assert_int_equal(agon_species_utility(kinds, rate, 4, .5, .8, &out), 0);
    assert_near(out, .8 / most, 1e-12);
    assert_int_equal(agon_species_utility(fresh, NULL, 4, 0, .8, &out), 0);
    assert_near(out, 1, 1e-15);
    assert_int_equal(agon_species_utility(kinds, NULL, 4, 0, 1, &out), 0);
    assert_near(out, .75, 1e-15);
}

/* Mean of distinct and utility over all ordered ways to draw k of the N visits. */
static void enumerate(const int* kinds, int total, int k, int* drawn, int* class_of, int depth,
                      double sums[3]) {
    if (depth == k) {
        double utility;
        assert_int_equal(agon_species_utility(class_of, NULL, k, 0, .8, &utility), 0);
        sums[0] += agon_species_distinct(class_of, k);
        sums[1] += utility;
        sums[2]++;
        return;
    }
    for (int i = 0; i < total; i++) {
        if (drawn[i])
            continue;
        drawn[i] = 1;
        class_of[depth] = kinds[i];
        enumerate(kinds, total, k, drawn, class_of, depth + 1, sums);
        drawn[i] = 0;
    }
}

/* Guards: the expectation over draws without replacement equals the mean over every possible draw;
 * all of the visits give the number of classes; more draws than visits give NaN. */
static void rarefaction_is_the_mean_over_draws(void** unused) {
    const double counts[] = {3, 0, 2, 1};
    const int kinds[] = {0, 0, 0, 2, 2, 3};
    double distinct, utility;
    for (int k = 1; k <= 6; k++) {
        int drawn[6] = {0}, class_of[6];
        double sums[3] = {0};
        enumerate(kinds, 6, k, drawn, class_of, 0, sums);
        assert_int_equal(agon_species_rarefied(counts, 4, k, .8, &distinct, &utility), 0);
        assert_near(distinct, sums[0] / sums[2], 1e-12);
        assert_near(utility, sums[1] / sums[2], 1e-12);
    }
    assert_near(distinct, 3, 1e-12);
    assert_int_equal(agon_species_rarefied(counts, 4, 7, .8, &distinct, &utility), 0);
    assert_true(isnan(distinct) && isnan(utility));
}

/* Guards: numbers that are not finite, negative, or not shares are refused, outputs untouched. */
static void bad_input_is_refused(void** unused) {
    const double bad[3] = {NAN, -1, INFINITY}, weight[] = {.5, .5};
    double out = 7, other = 7;
    for (int k = 0; k < 3; k++) {
        double counts[2] = {1, bad[k]}, z[4] = {1, bad[k], .5, 1}, p[2] = {.5, .5};
        assert_int_equal(agon_species_hill(counts, 2, 1, &out), AGON_EINVALID);
        assert_int_equal(agon_species_similar(z, p, 2, 1, &out), AGON_EINVALID);
        assert_int_equal(agon_species_rao(z, p, 2, &out), AGON_EINVALID);
        assert_int_equal(agon_species_rarefied(counts, 2, 1, .8, &out, &other), AGON_EINVALID);
        const int kinds[] = {1, 2};
        const double value[] = {NAN, 1};
        assert_int_equal(agon_species_utility(kinds, value, 2, 0, .8, &out), AGON_EINVALID);
        float row[18];
        memcpy(row, POL, sizeof row);
        row[7] = (float)bad[k];
        const agon_behaviour b = {3, 2, 3, row, weight};
        assert_int_equal(agon_species_greedy(&b, 1, &out), AGON_EINVALID);
    }
    const double z[] = {1, 0, 0, 1}, half[] = {.5, .4}, low[] = {.5, 0, 0, 1}, p[] = {.5, .5};
    assert_int_equal(agon_species_similar(z, half, 2, 1, &out), AGON_EINVALID);
    assert_int_equal(agon_species_similar(low, p, 2, 1, &out), AGON_EINVALID);
    assert_int_equal(agon_species_rao(z, half, 2, &out), AGON_EINVALID);
    assert_true(out == 7 && other == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hill_numbers_of_an_example),
        cmocka_unit_test(hill_numbers_behave),
        cmocka_unit_test(similarity_of_an_example),
        cmocka_unit_test(similarity_behaves),
        cmocka_unit_test(greedy_kinds),
        cmocka_unit_test(answers_in_a_row),
        cmocka_unit_test(rarefaction_is_the_mean_over_draws),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
