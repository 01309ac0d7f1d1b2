/* Promise: Vendi scores equal published values and values of independent programs, by whichever of
 * the two matrices, stay in their range, and refuse what is not a kernel. */
#include "engine/metrics/vendi.h"
#include "games/error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

/* Three agents, two states, three actions. */
static const float POL[3][2][3] = {
    {{1, 0, 0}, {.5f, .5f, 0}}, {{0, 1, 0}, {.5f, .5f, 0}}, {{.5f, .5f, 0}, {0, 0, 1}}};
static const double HALVES[2] = {.5, .5};

static agon_behaviour population(void) {
    return (agon_behaviour){3, 2, 3, &POL[0][0][0], HALVES};
}

static double score(const double* kernel, int n, double order) {
    double out = -1;
    assert_int_equal(agon_vendi_score(kernel, NULL, n, order, &out), 0);
    return out;
}

static double score_of(const agon_behaviour* b, agon_kernel kind, double order) {
    double* values = malloc((size_t)b->agents * sizeof *values);
    assert_non_null(values);
    assert_int_equal(agon_vendi_behaviour(b, kind, NULL, values), 0);
    const double out = agon_vendi_order(values, b->agents, order);
    free(values);
    return out;
}

static agon_key key_of(int stream) {
    return agon_key_make((uint64_t)stream, "vendi", AGON_FOR_TEST);
}

/* A random population: some actions illegal, some agents certain. p: (agents, states, actions). */
static void random_population(float* p, int agents, int states, int actions, int stream) {
    const agon_key key = key_of(stream);
    for (int r = 0; r < agents * states; r++) {
        float* row = p + r * actions;
        double sum = 0;
        const int legal = 2 + (r % states) % (actions - 1);
        for (int a = 0; a < actions; a++) {
            const agon_draw draw = agon_random(key, (uint32_t)r, (uint32_t)a, 0, 0);
            const double x = agon_uniform_double(draw.word[0], draw.word[1]);
            sum += row[a] = a < legal ? (float)(x * x * x + 1e-3) : 0;
        }
        for (int a = 0; a < actions; a++)
            row[a] = (float)(row[a] / sum);
        if (r / states % 5 == 4) {
            memset(row, 0, (size_t)actions * sizeof *row);
            row[r % legal] = 1;
        }
    }
}

/* Guards: Vendi scores of published and independently computed kernels, at several orders, and
 * with weights. */
static void scores_of_known_kernels(void** unused) {
    const double k3[9] = {1, .9, 0, .9, 1, 0, 0, 0, 1}, weight[3] = {.25, .25, .5};
    const double orders[3] = {1, 2, INFINITY}, weighted[3] = {2.208701535, 2.099737533, 2};
    double out;
    assert_near(score(k3, 3, .5), 2.420348357, 1e-9);
    assert_near(score(k3, 3, 1), 2.157300483, 1e-9); /* README of the authors' package */
    assert_near(score(k3, 3, 2), 1.948051948, 1e-9);
    assert_near(score(k3, 3, INFINITY), 30.0 / 19, 1e-12);
    for (int q = 0; q < 3; q++) {
        assert_int_equal(agon_vendi_score(k3, weight, 3, orders[q], &out), 0);
        assert_near(out, weighted[q], 1e-9);
    }
    const double k2[4] = {1, .5, .5, 1};
    assert_near(score(k2, 2, .5), 1.866025404, 1e-9);
    assert_near(score(k2, 2, 1), 1.754765351, 1e-9);
    assert_near(score(k2, 2, 2), 1.6, 1e-12);
    assert_near(score(k2, 2, INFINITY), 4.0 / 3, 1e-12);
    const double x[6] = {0, 0, 10, 10, 20, 20};
    double far[36];
    for (int i = 0; i < 36; i++)
        far[i] = exp(-fabs(x[i / 6] - x[i % 6]));
    assert_near(score(far, 6, 1), 2.999999996, 1e-9); /* the same README */
}

/* Guards: n different agents count n, n equal ones count 1, at every order; orders near 1 are
 * continuous; huge orders do not underflow. */
static void scores_at_their_bounds(void** unused) {
    enum { N = 12 };
    const double orders[] = {.1, .5, 1, 1.5, 2, 50, 1000, INFINITY};
    double identity[N * N], ones[N * N];
    for (int i = 0; i < N * N; i++) {
        identity[i] = i % (N + 1) == 0;
        ones[i] = 1;
    }
    for (size_t k = 0; k < sizeof orders / sizeof orders[0]; k++) {
        assert_near(score(identity, N, orders[k]), N, 1e-9);
        assert_near(score(ones, N, orders[k]), 1, 1e-9);
    }
    const double k2[4] = {1, .5, .5, 1}, lone[1] = {1};
    assert_near(score(k2, 2, 1 + 1e-5), score(k2, 2, 1), 1e-5);
    assert_near(score(k2, 2, 1 + 2e-8), score(k2, 2, 1), 1e-7);
    assert_near(score(k2, 2, 1 - 2e-8), score(k2, 2, 1), 1e-7);
    assert_near(score(k2, 2, 1000), 4.0 / 3, 2e-3);
    assert_near(score(lone, 1, 1), 1, 0);
}

typedef struct known {
    agon_kernel kind;
    double ab, ac, bc, order_1, order_2, order_inf; /* -1: not stated */
} known;

static const known KNOWN[] = {
    {AGON_KERNEL_BC, .5, .3535533906, .3535533906, 2.564653240, 2.25, 1.658359214},
    {AGON_KERNEL_JS, .5, .3443609378, .3443609378, 2.574097373, 2.264528181, -1},
    {AGON_KERNEL_TV, .5, .25, .25, 2.656826917, 2.4, -1},
    {AGON_KERNEL_AG, .5, .5, 0, 2.494723385, 2.25, -1},
};

/* Guards: the kernels of POL and their scores, by kernel and by behaviour; order 2 without
 * eigenvalues; none has negative eigenvalues. */
static void kernels_of_pol(void** unused) {
    agon_behaviour b = population();
    double kernel[9], values[3], second;
    for (int k = 0; k < 4; k++) {
        const known* x = &KNOWN[k];
        const double expected[9] = {1, x->ab, x->ac, x->ab, 1, x->bc, x->ac, x->bc, 1};
        assert_int_equal(agon_kernel_matrix(&b, x->kind, kernel), 0);
        for (int c = 0; c < 9; c++)
            assert_near(kernel[c], expected[c], 1e-9);
        assert_near(score(kernel, 3, 1), x->order_1, 1e-9);
        assert_near(score(kernel, 3, 2), x->order_2, 1e-9);
        assert_int_equal(agon_vendi_behaviour(&b, x->kind, NULL, values), 0);
        assert_near(agon_vendi_order(values, 3, 1), x->order_1, 1e-9);
        if (x->order_inf > 0)
            assert_near(agon_vendi_order(values, 3, INFINITY), x->order_inf, 1e-9);
        assert_true(agon_vendi_negative(values, 3) < 1e-15);
        assert_int_equal(agon_vendi_second(&b, x->kind, NULL, &second), 0);
        assert_near(second, x->order_2, 1e-9);
    }
}

/* Guards: a kernel that is not semidefinite is told by the share of its negative eigenvalues, and
 * gives a bare number of the rest: [[1, c], [c, 1]] with c > 1 leaves one agent. */
static void indefinite_kernels_are_told(void** unused) {
    const double indefinite[4] = {1, 1.5, 1.5, 1};
    double values[3];
    assert_near(score(indefinite, 2, 1), 1, 1e-12);
    assert_int_equal(agon_vendi_spectrum(indefinite, NULL, 2, values), 0);
    assert_near(agon_vendi_negative(values, 2), .25 / 1.5, 1e-12);
    const double distances[9] = {1, .9, .1, .9, 1, .9, .1, .9, 1}; /* "1 - distance" */
    assert_int_equal(agon_vendi_spectrum(distances, NULL, 3, values), 0);
    assert_true(agon_vendi_negative(values, 3) > .05);
}

/* Guards: many agents and few features, and the other way round, equal the scores of the plain
 * kernel, with and without weights; kernels are semidefinite, symmetric, in [0, 1]. */
static void both_matrices_agree(void** unused) {
    static const int shapes[][3] = {{40, 2, 3}, {7, 20, 5}, {25, 5, 5}, {1, 3, 4}, {150, 9, 9}};
    static const agon_kernel kinds[] = {AGON_KERNEL_BC, AGON_KERNEL_JS, AGON_KERNEL_TV,
                                        AGON_KERNEL_AG};
    static float p[150 * 9 * 9];
    static double kernel[150 * 150];
    double weight[20], agent_weight[150], ours[150], plain[150], second;
    for (int c = 0; c < 5; c++) {
        const int n = shapes[c][0], states = shapes[c][1];
        random_population(p, n, states, shapes[c][2], c);
        for (int s = 0; s < states; s++)
            weight[s] = 2. * (s + 1) / (states * (states + 1));
        for (int i = 0; i < n; i++)
            agent_weight[i] = 2. * (i + 1) / (n * (n + 1.));
        agon_behaviour b = {n, states, shapes[c][2], p, weight};
        for (int k = 0; k < 8; k++) {
            const double* agents = k & 1 ? agent_weight : NULL;
            assert_int_equal(agon_kernel_matrix(&b, kinds[k / 2], kernel), 0);
            for (int i = 0; i < n * n; i++)
                assert_true(kernel[i] >= 0 && kernel[i] <= 1 &&
                            kernel[i] == kernel[i % n * n + i / n]);
            assert_int_equal(agon_vendi_spectrum(kernel, agents, n, plain), 0);
            assert_int_equal(agon_vendi_behaviour(&b, kinds[k / 2], agents, ours), 0);
            for (int i = 0; i < n; i++)
                assert_near(ours[i], plain[i], 1e-14);
            assert_true(agon_vendi_negative(plain, n) < 1e-14);
            assert_int_equal(agon_vendi_second(&b, kinds[k / 2], agents, &second), 0);
            assert_near(second, agon_vendi_order(plain, n, 2), 1e-11 * n);
        }
    }
}

/* Guards: doubling every agent leaves the score at every order; rounding is no agent. */
static void duplicates(void** unused) {
    float twice[6][2][3];
    for (int i = 0; i < 6; i++)
        memcpy(twice[i], POL[i / 2], sizeof POL[0]);
    agon_behaviour b = {6, 2, 3, &twice[0][0][0], HALVES}, single = population();
    for (int k = 0; k < 4; k++) {
        assert_near(score_of(&b, KNOWN[k].kind, 1), KNOWN[k].order_1, 1e-9);
        assert_near(score_of(&b, KNOWN[k].kind, .1), score_of(&single, KNOWN[k].kind, .1), 1e-9);
    }
    for (int i = 0; i < 6; i++)
        memcpy(twice[i], POL[2], sizeof POL[0]);
    for (int k = 0; k < 4; k++) {
        assert_near(score_of(&b, KNOWN[k].kind, 1), 1, 1e-12);
        assert_near(score_of(&b, KNOWN[k].kind, .1), 1, 1e-12);
    }
}

/* Guards: states without weight and actions nobody takes do not count, nor does the order of the
 * agents; orders fall as they should. */
static void what_does_not_matter(void** unused) {
    enum { N = 30, S = 4, A = 5 };
    static float p[N][S][A], q[N][S + 1][A + 1];
    const double weight[S] = {.1, .2, .3, .4}, more[S + 1] = {.1, .2, .3, .4, 0};
    random_population(&p[0][0][0], N, S, A, 11);
    for (int i = 0; i < N; i++) {
        for (int s = 0; s < S; s++)
            memcpy(q[i][s], p[(11 * i + 5) % N][s], sizeof p[0][0]);
        q[i][S][i % A] = 1;
    }
    agon_behaviour b = {N, S, A, &p[0][0][0], weight}, c = {N, S + 1, A + 1, &q[0][0][0], more};
    for (int k = 0; k < 4; k++) {
        assert_near(score_of(&b, KNOWN[k].kind, 1), score_of(&c, KNOWN[k].kind, 1), 1e-11);
        assert_true(score_of(&b, KNOWN[k].kind, .5) > score_of(&b, KNOWN[k].kind, 1));
        assert_true(score_of(&b, KNOWN[k].kind, 1) > score_of(&b, KNOWN[k].kind, 2));
        assert_true(score_of(&b, KNOWN[k].kind, 2) > score_of(&b, KNOWN[k].kind, INFINITY));
        assert_true(score_of(&b, KNOWN[k].kind, INFINITY) > 1);
    }
}

/* Guards: all agents as the subset is the plain score; single agents count 1; a mean over all
 * pairs of POL is met within its own error; same key, same bytes. */
static void rarefied_scores(void** unused) {
    agon_behaviour b = population();
    const double orders[2] = {1, 2};
    double mean[2], error[2], again[2], kernel[9], pairs = 0;
    assert_int_equal(
        agon_vendi_rarefied(&b, AGON_KERNEL_BC, 3, 10, key_of(1), orders, 2, mean, error), 0);
    assert_near(mean[0], 2.564653240, 1e-9);
    assert_near(mean[1], 2.25, 1e-9);
    assert_true(error[0] == 0 && error[1] == 0);
    assert_int_equal(
        agon_vendi_rarefied(&b, AGON_KERNEL_BC, 1, 10, key_of(1), orders, 2, mean, error), 0);
    assert_near(mean[0], 1, 1e-12);
    assert_near(error[0], 0, 1e-12);
    assert_int_equal(agon_kernel_matrix(&b, AGON_KERNEL_BC, kernel), 0);
    const double off[3] = {kernel[1], kernel[2], kernel[5]};
    for (int k = 0; k < 3; k++) {
        const double two[4] = {1, off[k], off[k], 1};
        pairs += score(two, 2, 1) / 3;
    }
    assert_int_equal(
        agon_vendi_rarefied(&b, AGON_KERNEL_BC, 2, 900, key_of(2), orders, 2, mean, error), 0);
    assert_int_equal(
        agon_vendi_rarefied(&b, AGON_KERNEL_BC, 2, 900, key_of(2), orders, 2, again, NULL), 0);
    assert_memory_equal(mean, again, sizeof mean);
    assert_true(error[0] > 1e-4 && error[0] < 5e-3);
    assert_near(mean[0], pairs, 4 * error[0]);
}

/* The share of `samples` draws from a policy of K actions that each action got, by stream. */
static void draw_shares(const double* policy, int actions, int samples, int stream, float* out) {
    int count[24] = {0};
    for (int k = 0; k < samples; k++) {
        const agon_draw draw = agon_random(key_of(stream), (uint32_t)k, 1, 0, 0);
        double left = agon_uniform_double(draw.word[0], draw.word[1]);
        int a = 0;
        while (a < actions - 1 && left >= policy[a])
            left -= policy[a++];
        count[a]++;
    }
    for (int a = 0; a < actions; a++)
        out[a] = (float)count[a] / (float)samples;
}

/* Guards: disjoint samples of one teacher look like several agents by counting alone: 8 copies of
 * 24 actions that are counted 1,000 and 10,000 times score 1.042 (sd .005) and 1.0053 (.0006) in a
 * simulation of numpy's, and more with 100, where it depends on the teacher: 1.43 (.07) with this
 * one, 1.23 with another. Four standard deviations. */
static void copies_by_counting(void** unused) {
    enum { N = 8, ACTIONS = 24 };
    const int samples[3] = {100, 1000, 10000};
    const double low[3] = {1.16, 1.022, 1.0029}, high[3] = {1.7, 1.062, 1.0077}, one[1] = {1};
    double policy[ACTIONS], sum = 0;
    float p[N][1][ACTIONS];
    for (int a = 0; a < ACTIONS; a++) {
        const agon_draw draw = agon_random(key_of(99), (uint32_t)a, 0, 0, 0);
        sum += policy[a] = exp(2 * agon_uniform_double(draw.word[0], draw.word[1]));
    }
    for (int a = 0; a < ACTIONS; a++)
        policy[a] /= sum;
    const agon_behaviour b = {N, 1, ACTIONS, &p[0][0][0], one};
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < N; i++)
            draw_shares(policy, ACTIONS, samples[k], N * k + i, p[i][0]);
        const double found = score_of(&b, AGON_KERNEL_BC, 1);
        assert_true(found > low[k] && found < high[k]);
    }
}

/* Guards: NaN, infinity, a wrong diagonal, asymmetry and bad weights are refused, outputs
 * untouched. */
static void bad_input_is_refused(void** unused) {
    const double kernels[][4] = {
        {1, NAN, NAN, 1}, {1, INFINITY, INFINITY, 1}, {2, 0, 0, 2}, {1, .5, .4, 1}};
    const double good[4] = {1, .5, .5, 1}, bad[][3] = {{NAN, .5, .5}, {-.5, 1, .5}, {.2, .2, .2}};
    double out = 9, values[3] = {9, 9, 9}, kernel[9] = {9};
    for (int k = 0; k < 4; k++)
        assert_int_equal(agon_vendi_score(kernels[k], NULL, 2, 1, &out), AGON_EINVALID);
    agon_behaviour b = population();
    for (int k = 0; k < 3; k++) {
        assert_int_equal(agon_vendi_score(good, bad[k], 2, 1, &out), AGON_EINVALID);
        assert_int_equal(agon_vendi_behaviour(&b, AGON_KERNEL_BC, bad[k], values), AGON_EINVALID);
        assert_int_equal(agon_vendi_second(&b, AGON_KERNEL_TV, bad[k], &out), AGON_EINVALID);
    }
    float p[3][2][3];
    memcpy(p, POL, sizeof p);
    p[2][1][1] = NAN;
    b.probability = &p[0][0][0];
    for (int k = 0; k < 4; k++) {
        assert_int_equal(agon_vendi_behaviour(&b, KNOWN[k].kind, NULL, values), AGON_EINVALID);
        assert_int_equal(agon_kernel_matrix(&b, KNOWN[k].kind, kernel), AGON_EINVALID);
    }
    const double orders[1] = {1};
    assert_int_equal(
        agon_vendi_rarefied(&b, AGON_KERNEL_BC, 2, 2, key_of(1), orders, 1, &out, NULL),
        AGON_EINVALID);
    assert_true(out == 9 && values[0] == 9 && kernel[0] == 9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_of_known_kernels), cmocka_unit_test(scores_at_their_bounds),
        cmocka_unit_test(kernels_of_pol),          cmocka_unit_test(indefinite_kernels_are_told),
        cmocka_unit_test(both_matrices_agree),     cmocka_unit_test(duplicates),
        cmocka_unit_test(what_does_not_matter),    cmocka_unit_test(rarefied_scores),
        cmocka_unit_test(copies_by_counting),      cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
