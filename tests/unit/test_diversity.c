/* Promise: the diversity numbers equal values worked out by hand or by independent programs, stay
 * in their ranges, and refuse what is not a policy. */
#include "engine/metrics/diversity.h"
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

static const int PAIRS[3][2] = {{0, 1}, {0, 2}, {1, 2}};

/* Guards: total variation of POL, of its pairs and of their single states, by hand. */
static void total_variation_of_pol(void** unused) {
    const double expected[3][3] = {{.5, 1, 0}, {.75, .5, 1}, {.75, .5, 1}};
    const double* const weights[3] = {HALVES, FIRST, SECOND};
    float storage[2][2][3];
    double out;
    for (int k = 0; k < 9; k++) {
        agon_behaviour b = pair_of(PAIRS[k / 3][0], PAIRS[k / 3][1], storage);
        b.weight = weights[k % 3];
        assert_int_equal(agon_diversity_total_variation(&b, &out), 0);
        assert_near(out, expected[k / 3][k % 3], 1e-12);
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

/* Guards: drawn disagreement and its excess, of pairs of POL and of all, by hand. */
static void sampled_of_pol(void** unused) {
    float storage[2][2][3];
    double out, excess;
    for (int k = 0; k < 3; k++) {
        agon_behaviour b = pair_of(PAIRS[k][0], PAIRS[k][1], storage);
        assert_int_equal(agon_diversity_sampled(&b, &out, &excess), 0);
        assert_near(out, .75, 1e-12);
        assert_near(excess, .5, 1e-12);
    }
    agon_behaviour b = population();
    assert_int_equal(agon_diversity_sampled(&b, &out, &excess), 0);
    assert_near(out, .75, 1e-12);
    assert_near(excess, .5, 1e-12);
}

/* Guards: what one agent counts (0 everywhere), as the header says. */
static void one_agent(void** unused) {
    agon_behaviour b = population();
    agon_entropy_split split;
    double tv, differ, ties, drawn, excess;
    b.agents = 1;
    assert_int_equal(agon_diversity_entropy(&b, &split), 0);
    assert_true(split.between == 0);
    assert_near(split.within, .3465735903, 1e-9);
    assert_int_equal(agon_diversity_total_variation(&b, &tv), 0);
    assert_int_equal(agon_diversity_greedy(&b, &differ, &ties), 0);
    assert_true(tv == 0 && differ == 0 && ties == .5);
    assert_int_equal(agon_diversity_sampled(&b, &drawn, &excess), 0);
    assert_true(drawn == 0 && excess == 0);
}

/* Guards: doubling every agent leaves J as it was; equal agents have no diversity. */
static void duplicates(void** unused) {
    float twice[6][2][3], same[4][2][3];
    for (int i = 0; i < 6; i++)
        memcpy(twice[i], POL[i / 2], sizeof POL[0]);
    for (int i = 0; i < 4; i++)
        memcpy(same[i], POL[2], sizeof POL[0]);
    agon_behaviour b = {6, 2, 3, &twice[0][0][0], HALVES}, c = {4, 2, 3, &same[0][0][0], HALVES};
    double tv, differ, ties, drawn, excess;
    assert_near(between(&b), .5493061443, 1e-9);
    assert_near(between(&c), 0, 1e-15);
    assert_int_equal(agon_diversity_total_variation(&c, &tv), 0);
    assert_int_equal(agon_diversity_greedy(&c, &differ, &ties), 0);
    assert_int_equal(agon_diversity_sampled(&c, &drawn, &excess), 0);
    assert_true(tv == 0 && differ == 0 && excess == 0);
    assert_near(drawn, .25, 1e-12); /* but not of what is drawn: half of the states are certain */
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

/* Random rows: p (agents, states, actions). */
static void random_rows(float* p, int rows, int actions, int stream) {
    agon_key key = agon_key_make(3, "diversity", AGON_FOR_TEST);
    for (int i = 0; i < rows; i++) {
        float sum = 0;
        for (int a = 0; a < actions; a++) {
            agon_draw draw = agon_random(key, (uint32_t)i, (uint32_t)a, (uint32_t)stream, 0);
            sum += p[i * actions + a] = agon_uniform(draw.word[0]) + 0.01f;
        }
        for (int a = 0; a < actions; a++)
            p[i * actions + a] /= sum;
    }
}

/* Guards: the forms linear in the agents equal plain double loops, and all ranges hold, on random
 * populations, few (sorted by comparing) and many (by digits). */
static void random_populations(void** unused) {
    enum { MOST = 300, S = 5, A = 4 };
    static const int sizes[] = {2, 9, MOST};
    static float p[MOST][S][A];
    double weight[S], tv, differ, ties, drawn, excess;
    for (int s = 0; s < S; s++)
        weight[s] = (s + 1) / 15.0;
    for (int k = 0; k < 3; k++) {
        const int n = sizes[k];
        double plain[3] = {0, 0, 0}, pairs = n * (n - 1) / 2;
        random_rows(&p[0][0][0], n * S, A, k);
        p[0][0][0] = -0.0f;
        p[0][0][1] = 1 - p[0][0][2] - p[0][0][3];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < i; j++) {
                for (int c = 0; c < S * A; c++) {
                    const double x = p[i][c / A][c % A], y = p[j][c / A][c % A], w = weight[c / A];
                    plain[0] += w * .5 * fabs(x - y) / pairs;
                    plain[1] += w * (1. / A - x * y) / pairs;
                    plain[2] += w * .5 * (x - y) * (x - y) / pairs;
                }
            }
        }
        agon_behaviour b = {n, S, A, &p[0][0][0], weight};
        assert_int_equal(agon_diversity_total_variation(&b, &tv), 0);
        assert_int_equal(agon_diversity_sampled(&b, &drawn, &excess), 0);
        assert_near(tv, plain[0], 1e-12);
        assert_near(drawn, plain[1], 1e-12);
        assert_near(excess, plain[2], 1e-12);
        assert_true(between(&b) > 0 && between(&b) < log(A));
        assert_int_equal(agon_diversity_greedy(&b, &differ, &ties), 0);
        assert_true(differ > 0 && differ < 1 && ties == 0);
    }
}

/* Guards: numbers of a population do not depend on the order of its agents. */
static void order_does_not_matter(void** unused) {
    enum { N = 20, S = 3, A = 5 };
    float p[N][S][A], q[N][S][A];
    const double weight[S] = {.2, .3, .5};
    random_rows(&p[0][0][0], N * S, A, 7);
    for (int i = 0; i < N; i++)
        memcpy(q[i], p[(7 * i + 3) % N], sizeof q[i]);
    agon_behaviour b = {N, S, A, &p[0][0][0], weight}, c = {N, S, A, &q[0][0][0], weight};
    double x[4], y[4];
    assert_near(between(&b), between(&c), 1e-13);
    assert_int_equal(agon_diversity_total_variation(&b, &x[0]), 0);
    assert_int_equal(agon_diversity_total_variation(&c, &y[0]), 0);
    assert_int_equal(agon_diversity_greedy(&b, &x[1], &x[2]), 0);
    assert_int_equal(agon_diversity_greedy(&c, &y[1], &y[2]), 0);
    assert_int_equal(agon_diversity_sampled(&b, &x[2], &x[3]), 0);
    assert_int_equal(agon_diversity_sampled(&c, &y[2], &y[3]), 0);
    for (int k = 0; k < 4; k++)
        assert_near(x[k], y[k], 1e-13);
}

/* Guards: J of noise, agents uniform in the simplex of 7 actions, is ln 7 - (1/2 + .. + 1/7) for
 * many agents: not 0 (sampling error of 20,000 agents is about 1e-3). */
static void noise_looks_diverse(void** unused) {
    enum { N = 20000, A = 7 };
    agon_key key = agon_key_make(5, "dirichlet", AGON_FOR_TEST);
    float* p = malloc(sizeof *p * N * A);
    const double weight[1] = {1};
    assert_non_null(p);
    for (int i = 0; i < N; i++) {
        double x[A], sum = 0;
        for (int a = 0; a < A; a++) {
            agon_draw draw = agon_random(key, (uint32_t)i, (uint32_t)a, 0, 0);
            sum += x[a] = -log(1 - agon_uniform_double(draw.word[0], draw.word[1]));
        }
        for (int a = 0; a < A; a++)
            p[i * A + a] = (float)(x[a] / sum);
    }
    agon_behaviour b = {N, 1, A, p, weight};
    assert_near(between(&b), .353053, 3e-3);
    free(p);
}

/* Two agents answer a question of 7 answers 100 times, all at random. */
static void draw_answers(uint32_t count[2][1][7], float p[2][1][7], int trial) {
    agon_key key = agon_key_make(6, "answers", AGON_FOR_TEST);
    memset(count, 0, 2 * 7 * sizeof count[0][0][0]);
    for (int k = 0; k < 200; k++) {
        agon_draw draw = agon_random(key, (uint32_t)trial, (uint32_t)k, 0, 0);
        count[k / 100][0][agon_below(draw.word[0], 7)]++;
    }
    for (int c = 0; c < 14; c++)
        p[c / 7][0][c % 7] = (float)count[c / 7][0][c % 7] / 100;
}

/* Guards: counting makes equal agents look different: by .0154 nats (formula .0150) and .138 of
 * total variation, of an independent simulation, to its printed digits; corrected, by less than a
 * tenth of that. */
static void counting_is_subtracted(void** unused) {
    enum { TRIALS = 4000 };
    const double weight[1] = {1};
    const int options[1] = {7};
    uint32_t count[2][1][7];
    float p[2][1][7];
    double j = 0, tv = 0, corrected = 0, one;
    agon_entropy_split added;
    for (int t = 0; t < TRIALS; t++) {
        draw_answers(count, p, t);
        agon_behaviour b = {2, 1, 7, &p[0][0][0], weight};
        assert_int_equal(agon_diversity_counting(&count[0][0][0], options, weight, 2, 1, 7, &added),
                         0);
        assert_int_equal(agon_diversity_total_variation(&b, &one), 0);
        j += between(&b) / TRIALS;
        tv += one / TRIALS;
        corrected += (between(&b) - added.between) / TRIALS;
    }
    assert_near(added.between, .0150, 1e-12);
    assert_near(added.mixture, added.within + added.between, 1e-15);
    assert_near(j, .0154, 4e-4);
    assert_near(tv, .138, 2e-3);
    assert_near(corrected, 0, .0015);
}

/* Guards: unequal numbers of answers and of options, by hand; no answers, or impossible options,
 * are refused. */
static void counting_by_hand(void** unused) {
    const uint32_t count[2][2][3] = {{{1, 1, 0}, {2, 1, 1}}, {{5, 5, 0}, {10, 5, 5}}};
    const uint32_t none[2][2][3] = {{{1, 1, 0}, {0, 0, 0}}, {{5, 5, 0}, {10, 5, 5}}};
    const int options[2] = {2, 3}, wrong[2] = {2, 4};
    agon_entropy_split out = {9, 9, 9};
    assert_int_equal(agon_diversity_counting(&none[0][0][0], options, HALVES, 2, 2, 3, &out),
                     AGON_EINVALID);
    assert_int_equal(agon_diversity_counting(&count[0][0][0], wrong, HALVES, 2, 2, 3, &out),
                     AGON_EINVALID);
    assert_true(out.between == 9);
    assert_int_equal(agon_diversity_counting(&count[0][0][0], options, HALVES, 2, 2, 3, &out), 0);
    /* (K - 1)(n - 1)/(2 n^2) sum 1/m: 1/8 (1/2 + 1/10) and 2/8 (1/4 + 1/20), halved. */
    assert_near(out.between, .5 * (.6 / 8 + .3 / 4), 1e-15);
    assert_near(out.within, -.5 * (.5 * .3 + 1 * .15), 1e-15);
}

static void assert_refused(const agon_behaviour* b) {
    agon_entropy_split split = {9, 9, 9};
    double tv = 9, differ = 9, ties = 9, drawn = 9;
    assert_int_equal(agon_diversity_entropy(b, &split), AGON_EINVALID);
    assert_int_equal(agon_diversity_total_variation(b, &tv), AGON_EINVALID);
    assert_int_equal(agon_diversity_greedy(b, &differ, &ties), AGON_EINVALID);
    assert_int_equal(agon_diversity_sampled(b, &drawn, &ties), AGON_EINVALID);
    assert_true(split.mixture == 9 && tv == 9 && differ == 9 && ties == 9 && drawn == 9);
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
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(total_variation_of_pol),
        cmocka_unit_test(entropy_of_pol),
        cmocka_unit_test(greedy_of_pol),
        cmocka_unit_test(sampled_of_pol),
        cmocka_unit_test(one_agent),
        cmocka_unit_test(duplicates),
        cmocka_unit_test(forced_moves_dilute),
        cmocka_unit_test(random_populations),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(noise_looks_diverse),
        cmocka_unit_test(counting_is_subtracted),
        cmocka_unit_test(counting_by_hand),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
