/* Promise: the diversity numbers equal values worked out by hand or by independent programs, stay
 * in their ranges, and refuse what is not a policy. */
#include "engine/metrics/diversity.h"
#include "games/error.h"
#include "games/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

/* Three agents, two states, three actions. */
static const float POL[3][2][3] = {
    {{1, 0, 0}, {.5f, .5f, 0}}, {{0, 1, 0}, {.5f, .5f, 0}}, {{.5f, .5f, 0}, {0, 0, 1}}};
static const double HALVES[2] = {.5, .5};
static const double FIRST[2] = {1, 0}, SECOND[2] = {0, 1};

static agon_behaviour population(void) {
    return (agon_behaviour){3, 2, 3, &POL[0][0][0], HALVES};
}

/* Agents i and j of POL as a population of two; storage: (2, 2, 3). */
static agon_behaviour pair_of(int i, int j, float storage[2][2][3]) {
    memcpy(storage[0], POL[i], sizeof POL[i]);
    memcpy(storage[1], POL[j], sizeof POL[j]);
    return (agon_behaviour){2, 2, 3, &storage[0][0][0], HALVES};
}

static double between(const agon_behaviour* b) {
    agon_entropy_split split;
    assert_int_equal(agon_diversity_entropy(b, &split), 0);
    assert_near(split.mixture, split.within + split.between, 1e-12);
    return split.between;
}

static double vendi(const double* kernel, int n, double order) {
    double out = -1;
    assert_int_equal(agon_diversity_vendi(kernel, n, order, &out), 0);
    return out;
}

static const int PAIRS[3][2] = {{0, 1}, {0, 2}, {1, 2}};

/* Guards: total variation of POL and of its pairs, by hand. */
static void total_variation_of_pol(void** unused) {
    const double expected[3] = {.5, .75, .75};
    float storage[2][2][3];
    double out;
    for (int k = 0; k < 3; k++) {
        agon_behaviour b = pair_of(PAIRS[k][0], PAIRS[k][1], storage);
        assert_int_equal(agon_diversity_total_variation(&b, &out), 0);
        assert_near(out, expected[k], 1e-12);
    }
    agon_behaviour b = population();
    assert_int_equal(agon_diversity_total_variation(&b, &out), 0);
    assert_near(out, .6666666667, 1e-9);
}

/* Guards: entropy split of POL, by state, and the divergence of its pairs. */
static void entropy_of_pol(void** unused) {
    const double expected[3] = {.3465735903, .4544543674, .4544543674};
    float storage[2][2][3];
    for (int k = 0; k < 3; k++) {
        agon_behaviour b = pair_of(PAIRS[k][0], PAIRS[k][1], storage);
        assert_near(between(&b), expected[k], 1e-9);
    }
    agon_behaviour b = population();
    agon_entropy_split split;
    assert_int_equal(agon_diversity_entropy(&b, &split), 0);
    assert_near(split.between, .5493061443, 1e-9);
    assert_near(split.within, .3465735903, 1e-9);
    assert_near(split.mixture, .8958797346, 1e-9);
    b.weight = FIRST;
    assert_near(between(&b), .4620981204, 1e-9);
    b.weight = SECOND;
    assert_near(between(&b), .6365141683, 1e-9);
}

/* Guards: greedy disagreement of the pairs of POL, ties to the lowest index, and the tie rate (one
 * of each agent's two states is tied). */
static void greedy_of_pol(void** unused) {
    const double expected[3] = {.5, .5, 1};
    float storage[2][2][3];
    double out, ties;
    for (int k = 0; k < 3; k++) {
        agon_behaviour b = pair_of(PAIRS[k][0], PAIRS[k][1], storage);
        assert_int_equal(agon_diversity_greedy(&b, &out, &ties), 0);
        assert_near(out, expected[k], 1e-12);
        assert_near(ties, .5, 1e-12);
    }
    agon_behaviour b = population();
    assert_int_equal(agon_diversity_greedy(&b, &out, &ties), 0);
    assert_near(out, 2.0 / 3, 1e-12);
    assert_near(ties, .5, 1e-12);
}

/* Guards: Vendi scores of published and independently computed kernels, at several orders. */
static void vendi_of_known_kernels(void** unused) {
    const double k3[9] = {1, .9, 0, .9, 1, 0, 0, 0, 1};
    assert_near(vendi(k3, 3, .5), 2.420348357, 1e-9);
    assert_near(vendi(k3, 3, 1), 2.157300483, 1e-9); /* README of the authors' package */
    assert_near(vendi(k3, 3, 2), 1.948051948, 1e-9);
    assert_near(vendi(k3, 3, INFINITY), 30.0 / 19, 1e-12);
    const double k2[4] = {1, .5, .5, 1};
    assert_near(vendi(k2, 2, .5), 1.866025404, 1e-9);
    assert_near(vendi(k2, 2, 1), 1.754765351, 1e-9);
    assert_near(vendi(k2, 2, 2), 1.6, 1e-12);
    assert_near(vendi(k2, 2, INFINITY), 4.0 / 3, 1e-12);
    const double x[6] = {0, 0, 10, 10, 20, 20};
    double far[36];
    for (int i = 0; i < 36; i++)
        far[i] = exp(-fabs(x[i / 6] - x[i % 6]));
    assert_near(vendi(far, 6, 1), 2.999999996, 1e-9); /* the same README */
}

/* Guards: n different agents count n, n equal ones count 1, at every order; orders near 1 are
 * continuous; huge orders do not underflow. */
static void vendi_at_its_bounds(void** unused) {
    enum { N = 12 };
    const double orders[] = {.1, .5, 1, 1.5, 2, 50, 1000, INFINITY};
    double identity[N * N], ones[N * N];
    for (int i = 0; i < N * N; i++) {
        identity[i] = i % (N + 1) == 0;
        ones[i] = 1;
    }
    for (size_t k = 0; k < sizeof orders / sizeof orders[0]; k++) {
        assert_near(vendi(identity, N, orders[k]), N, 1e-9);
        assert_near(vendi(ones, N, orders[k]), 1, 1e-9);
    }
    const double k2[4] = {1, .5, .5, 1}, lone[1] = {1};
    assert_near(vendi(k2, 2, 1 + 1e-5), vendi(k2, 2, 1), 1e-5);
    assert_near(vendi(k2, 2, 1 + 2e-8), vendi(k2, 2, 1), 1e-7);
    assert_near(vendi(k2, 2, 1 - 2e-8), vendi(k2, 2, 1), 1e-7);
    assert_near(vendi(k2, 2, 1000), 4.0 / 3, 2e-3);
    assert_near(vendi(lone, 1, 1), 1, 0);
}

/* Guards: the Bhattacharyya kernel of POL and its scores; a negative eigenvalue is dropped and the
 * rest scaled: [[1, c], [c, 1]] with c > 1 leaves one agent. */
static void vendi_of_pol(void** unused) {
    agon_behaviour b = population();
    double kernel[9];
    assert_int_equal(agon_diversity_kernel(&b, kernel), 0);
    const double expected[9] = {1,           .5,          .3535533906, .5, 1,
                                .3535533906, .3535533906, .3535533906, 1};
    for (int i = 0; i < 9; i++)
        assert_near(kernel[i], expected[i], 1e-9);
    assert_near(vendi(kernel, 3, 1), 2.564653240, 1e-9);
    assert_near(vendi(kernel, 3, 2), 2.25, 1e-12);
    assert_near(vendi(kernel, 3, INFINITY), 1.658359214, 1e-9);
    const double indefinite[4] = {1, 1.5, 1.5, 1};
    assert_near(vendi(indefinite, 2, 1), 1, 1e-12);
}

/* Guards: what one agent counts (0, 0, 0, 1), as the header says. */
static void one_agent(void** unused) {
    agon_behaviour b = population();
    agon_entropy_split split;
    double tv, differ, ties, kernel[1];
    b.agents = 1;
    assert_int_equal(agon_diversity_entropy(&b, &split), 0);
    assert_true(split.between == 0);
    assert_near(split.within, .3465735903, 1e-9);
    assert_int_equal(agon_diversity_total_variation(&b, &tv), 0);
    assert_int_equal(agon_diversity_greedy(&b, &differ, &ties), 0);
    assert_true(tv == 0 && differ == 0 && ties == .5);
    assert_int_equal(agon_diversity_kernel(&b, kernel), 0);
    assert_true(kernel[0] == 1 && vendi(kernel, 1, 2) == 1);
}

/* Guards: doubling every agent leaves J and Vendi as they were; equal agents have none. */
static void duplicates(void** unused) {
    float twice[6][2][3], same[4][2][3];
    for (int i = 0; i < 6; i++)
        memcpy(twice[i], POL[i / 2], sizeof POL[0]);
    for (int i = 0; i < 4; i++)
        memcpy(same[i], POL[2], sizeof POL[0]);
    agon_behaviour b = {6, 2, 3, &twice[0][0][0], HALVES}, c = {4, 2, 3, &same[0][0][0], HALVES};
    double kernel[36], tv, differ, ties;
    assert_near(between(&b), .5493061443, 1e-9);
    assert_int_equal(agon_diversity_kernel(&b, kernel), 0);
    assert_near(vendi(kernel, 6, 1), 2.564653240, 1e-9);
    agon_behaviour single = population();
    double kernel3[9];
    assert_int_equal(agon_diversity_kernel(&single, kernel3), 0);
    assert_near(vendi(kernel, 6, .1), vendi(kernel3, 3, .1), 1e-9); /* rounding is no agent */
    assert_near(between(&c), 0, 1e-15);
    assert_int_equal(agon_diversity_total_variation(&c, &tv), 0);
    assert_int_equal(agon_diversity_greedy(&c, &differ, &ties), 0);
    assert_true(tv == 0 && differ == 0);
    assert_int_equal(agon_diversity_kernel(&c, kernel), 0);
    assert_near(vendi(kernel, 4, 1), 1, 1e-12);
    assert_near(vendi(kernel, 4, .1), 1, 1e-12);
}

/* Guards: a state with one legal action adds nothing but dilution. */
static void forced_moves_dilute(void** unused) {
    float p[3][3][3];
    const double weight[3] = {.25, .25, .5};
    for (int i = 0; i < 3; i++) {
        memcpy(p[i], POL[i], sizeof POL[i]);
        memcpy(p[i][2], (float[3]){0, 1, 0}, sizeof p[i][2]);
    }
    agon_behaviour b = {3, 3, 3, &p[0][0][0], weight};
    double tv, differ, ties;
    assert_near(between(&b), .5493061443 / 2, 1e-9);
    assert_int_equal(agon_diversity_total_variation(&b, &tv), 0);
    assert_near(tv, 1.0 / 3, 1e-12);
    assert_int_equal(agon_diversity_greedy(&b, &differ, &ties), 0);
    assert_near(differ, 1.0 / 3, 1e-12);
    assert_near(ties, .25, 1e-12);
}

/* Guards: the sorted total variation equals the plain double loop, and all ranges hold, on random
 * populations. */
static void random_populations(void** unused) {
    enum { N = 9, S = 5, A = 4 };
    float p[N][S][A];
    double weight[S], kernel[N * N], tv, differ, ties, plain = 0;
    agon_key key = agon_key_make(3, "diversity", AGON_FOR_TEST);
    for (int i = 0; i < N * S; i++) {
        float* row = p[i / S][i % S];
        agon_draw draw = agon_random(key, (uint32_t)i, 0, 0, 0);
        float sum = 0;
        for (int a = 0; a < A; a++)
            sum += row[a] = agon_uniform(draw.word[a]) + 0.01f;
        for (int a = 0; a < A; a++)
            row[a] /= sum;
    }
    for (int s = 0; s < S; s++)
        weight[s] = (s + 1) / 15.0;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < i; j++) {
            for (int k = 0; k < S * A; k++)
                plain += weight[k / A] * .5 * fabs((double)p[i][k / A][k % A] - p[j][k / A][k % A]);
        }
    }
    agon_behaviour b = {N, S, A, &p[0][0][0], weight};
    assert_int_equal(agon_diversity_total_variation(&b, &tv), 0);
    assert_near(tv, plain / (N * (N - 1) / 2), 1e-12);
    assert_true(between(&b) > 0 && between(&b) < log(A));
    assert_int_equal(agon_diversity_greedy(&b, &differ, &ties), 0);
    assert_true(differ > 0 && differ < 1 && ties == 0);
    assert_int_equal(agon_diversity_kernel(&b, kernel), 0);
    assert_true(vendi(kernel, N, .5) > vendi(kernel, N, 1));
    assert_true(vendi(kernel, N, 1) > vendi(kernel, N, 2) && vendi(kernel, N, 2) > 1);
}

static void assert_refused(const agon_behaviour* b) {
    agon_entropy_split split = {9, 9, 9};
    double tv = 9, differ = 9, ties = 9, kernel[9] = {9};
    assert_int_equal(agon_diversity_entropy(b, &split), AGON_EINVALID);
    assert_int_equal(agon_diversity_total_variation(b, &tv), AGON_EINVALID);
    assert_int_equal(agon_diversity_greedy(b, &differ, &ties), AGON_EINVALID);
    assert_int_equal(agon_diversity_kernel(b, kernel), AGON_EINVALID);
    assert_true(split.mixture == 9 && tv == 9 && differ == 9 && ties == 9 && kernel[0] == 9);
}

/* Guards: NaN, infinity, negative numbers, rows or weights that do not add up are refused, outputs
 * untouched. */
static void bad_input_is_refused(void** unused) {
    const float bad[] = {NAN, INFINITY, -.5f, .25f};
    const double bad_weight[][2] = {{NAN, .5}, {-.5, 1.5}, {.5, .4}, {INFINITY, 0}};
    float p[3][2][3];
    agon_behaviour b = population();
    for (int k = 0; k < 4; k++) {
        memcpy(p, POL, sizeof p);
        p[1][1][0] = bad[k];
        b.probability = &p[0][0][0];
        assert_refused(&b);
    }
    for (int k = 0; k < 4; k++) {
        b = population();
        b.weight = bad_weight[k];
        assert_refused(&b);
    }
    const double kernels[][4] = {
        {1, NAN, NAN, 1}, {1, INFINITY, INFINITY, 1}, {2, 0, 0, 2}, {1, .5, .4, 1}};
    double out = 9;
    for (int k = 0; k < 4; k++)
        assert_int_equal(agon_diversity_vendi(kernels[k], 2, 1, &out), AGON_EINVALID);
    assert_true(out == 9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(total_variation_of_pol),
        cmocka_unit_test(entropy_of_pol),
        cmocka_unit_test(greedy_of_pol),
        cmocka_unit_test(vendi_of_known_kernels),
        cmocka_unit_test(vendi_at_its_bounds),
        cmocka_unit_test(vendi_of_pol),
        cmocka_unit_test(one_agent),
        cmocka_unit_test(duplicates),
        cmocka_unit_test(forced_moves_dilute),
        cmocka_unit_test(random_populations),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
