/* Promise: strengths and cyclic fractions equal values of an exact program; with missing pairs and
 * weights they are the least squares they claim to be; noise is taken out in the mean. */
#include "engine/metrics/hodge.h"
#include "engine/metrics/normal_stream.h"
#include "engine/metrics/payoff.h"
#include "games/error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static agon_key key_of(int trial) {
    return agon_key_make((uint64_t)trial, "hodge", AGON_FOR_TEST);
}

static double uniform(int trial, int i, int j) {
    const agon_draw draw = agon_random(key_of(trial), (uint32_t)i, (uint32_t)j, 0, 0);
    return agon_uniform_double(draw.word[0], draw.word[1]);
}

static agon_hodge rank(const double* m, const double* weight, const double* se, int n, double* f,
                       int* component) {
    agon_hodge out;
    assert_int_equal(agon_hodge_rank(m, weight, se, n, f, component, &out), 0);
    return out;
}

typedef struct example {
    int n;
    double m[16], f[4], fraction, cycles;
} example;

/* RPS, a ladder of wins, an additive ladder, RPS and a loser, two rocks, a weighted cycle, and one
 * of no pattern. Three-cycles by counting on fingers where not stated. */
static const example EXAMPLES[] = {
    {3, {0, -1, 1, 1, 0, -1, -1, 1, 0}, {0, 0, 0}, 1, 1},
    {3, {0, -1, -1, 1, 0, -1, 1, 1, 0}, {-2 / 3., 0, 2 / 3.}, 1 / 9., 0},
    {3, {0, 1, 2, -1, 0, 1, -2, -1, 0}, {1, 0, -1}, 0, 0},
    {4, {0, 1, -1, 1, -1, 0, 1, 1, 1, -1, 0, 1, -1, -1, -1, 0}, {.25, .25, .25, -.75}, .5, 1},
    {4, {0, 0, -1, 1, 0, 0, -1, 1, 1, 1, 0, -1, -1, -1, 1, 0}, {0, 0, .25, -.25}, .9, 2},
    {3, {0, -2, 1, 2, 0, -3, -1, 3, 0}, {-1 / 3., -1 / 3., 2 / 3.}, 6 / 7., 1},
    {4,
     {0, .2, -.4, .6, -.2, 0, .5, .1, .4, -.5, 0, .3, -.6, -.1, -.3, 0},
     {.1, .1, .05, -.25},
     57 / 91.,
     1},
};

/* Guards: the examples, by the formula for full matrices too. */
static void examples(void** unused) {
    for (size_t k = 0; k < sizeof EXAMPLES / sizeof *EXAMPLES; k++) {
        const example* e = &EXAMPLES[k];
        double f[4], triples;
        const agon_hodge got = rank(e->m, NULL, NULL, e->n, f, NULL);
        for (int i = 0; i < e->n; i++)
            assert_near(f[i], e->f[i], 1e-12);
        assert_near(got.fraction, e->fraction, 1e-12);
        assert_near(got.fraction, agon_payoff_cyclic_fraction(e->m, e->n, NULL), 1e-12);
        assert_int_equal(got.components, 1);
        assert_true(isnan(got.debiased) && isnan(got.noise_total));
        assert_true(agon_hodge_three_cycles(e->m, e->n, &triples) == e->cycles);
        assert_true(triples == (e->n == 3 ? 1 : 4));
    }
}

/* Any antisymmetric matrix; weights in 0 .. 3, or 0 with probability `missing`. */
static void random_meetings(int n, double missing, int trial, double* m, double* weight) {
    for (int i = 0; i < n; i++) {
        m[i * n + i] = weight[i * n + i] = 0;
        for (int j = i + 1; j < n; j++) {
            m[i * n + j] = 2 * uniform(trial, i, j) - 1;
            m[j * n + i] = -m[i * n + j];
            weight[i * n + j] =
                uniform(trial, j, i) < missing ? 0 : .1 + 3 * uniform(trial, 50 + i, j);
            weight[j * n + i] = weight[i * n + j];
        }
    }
}

/* Guards: the split is least squares (its rest is orthogonal: no agent's weighted rests add up to
 * anything), energies add up, f adds up to 0 in each component, labels are right, weights of any
 * scale give the same, and NaN does as weight 0. */
static void least_squares_of_random_meetings(void** unused) {
    int split = 0;
    for (int trial = 0; trial < 200; trial++) {
        const int n = 1 + trial % 15;
        double m[225], weight[225], scaled[225], f[15], again[15], sum[15] = {0};
        int component[15];
        random_meetings(n, trial % 4 * .3, trial, m, weight);
        const agon_hodge got = rank(m, weight, NULL, n, f, component);
        assert_near(got.total, got.transitive + got.cyclic, 1e-10 * (1 + got.total));
        assert_true(got.fraction >= 0 && got.fraction <= 1);
        for (int i = 0; i < n; i++) {
            double rest = 0;
            sum[component[i]] += f[i];
            for (int j = 0; j < n; j++) {
                rest += weight[i * n + j] * (m[i * n + j] - f[i] + f[j]);
                assert_true(weight[i * n + j] == 0 || component[i] == component[j]);
                scaled[i * n + j] = 1e6 * weight[i * n + j];
            }
            assert_near(rest, 0, 1e-11);
        }
        for (int c = 0; c < n; c++)
            assert_near(sum[c], 0, 1e-11);
        const agon_hodge large = rank(m, scaled, NULL, n, again, NULL);
        assert_near(large.fraction, got.fraction, 1e-9);
        for (int i = 0; i < n; i++)
            assert_near(again[i], f[i], 1e-9);
        split += got.components > 1;
        for (int i = 0; i < n * n; i++) {
            scaled[i] = weight[i] > 0;
            m[i] = weight[i] > 0 ? m[i] : NAN;
        }
        assert_near(rank(m, scaled, NULL, n, again, NULL).fraction,
                    rank(m, NULL, NULL, n, NULL, NULL).fraction, 1e-12);
    }
    assert_true(split > 10);
}

/* Guards: two groups that never met, one of them a cycle; a tree has no cycles; one agent; equal
 * agents; nobody met anybody. */
static void edge_cases(void** unused) {
    double m[25], f[5];
    int component[5];
    for (int i = 0; i < 25; i++)
        m[i] = NAN;
    agon_hodge got = rank(m, NULL, m, 5, f, component);
    assert_true(got.components == 5 && got.fraction == 0 && f[4] == 0 && component[4] == 4);
    m[0 * 5 + 3] = m[3 * 5 + 1] = m[1 * 5 + 0] = 1; /* 0, 3, 1 in a circle */
    m[3 * 5 + 0] = m[1 * 5 + 3] = m[0 * 5 + 1] = -1;
    m[2 * 5 + 4] = .5;
    m[4 * 5 + 2] = -.5;
    got = rank(m, NULL, NULL, 5, f, component);
    assert_int_equal(got.components, 2);
    const int expected[5] = {0, 0, 1, 0, 1};
    assert_memory_equal(component, expected, sizeof expected);
    assert_near(got.fraction, 3 / 3.25, 1e-12);
    assert_near(f[2], .25, 1e-12);
    assert_near(f[0], 0, 1e-12);
    m[0 * 5 + 1] = m[1 * 5 + 0] = NAN; /* a path 0, 3, 1 */
    got = rank(m, NULL, NULL, 5, f, component);
    assert_near(got.fraction, 0, 1e-12);
    assert_near(f[0] - f[1], 2, 1e-12);
    const double zero[9] = {0};
    got = rank(zero, NULL, zero, 3, f, NULL);
    assert_true(got.fraction == 0 && got.total == 0 && isnan(got.debiased));
    got = rank(zero, NULL, zero, 1, f, NULL);
    assert_true(got.fraction == 0 && f[0] == 0 && got.components == 1);
}

/* m + noise of standard errors se. */
static void add_noise(const double* m, const double* se, int n, int trial, double* out) {
    agon_normal_stream source = {.key = key_of(1), .sample = (uint32_t)trial};
    for (int i = 0; i < n; i++) {
        out[i * n + i] = 0;
        for (int j = i + 1; j < n; j++) {
            out[i * n + j] = m[i * n + j] + se[i * n + j] * agon_normal_next(&source);
            out[j * n + i] = -out[i * n + j];
        }
    }
}

/* Guards: the expected energies of noise, on a full matrix (a share 1 - 2/n is cyclic) and with
 * weights, unequal errors and missing pairs, are the means of 4,000 samples. */
static void expected_noise(void** unused) {
    enum { N = 8, SAMPLES = 4000 };
    double zero[N * N] = {0}, m[N * N], weight[N * N], se[N * N], total = 0, cyclic = 0;
    random_meetings(N, .4, 3, m, weight);
    for (int i = 0; i < N * N; i++)
        se[i] = .1;
    agon_hodge got = rank(zero, NULL, se, N, NULL, NULL);
    assert_near(got.noise_total, 28 * .01, 1e-12);
    assert_near(got.noise_cyclic, .75 * 28 * .01, 1e-12);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++)
            se[i * N + j] = .05 + .02 * i + .01 * j;
    }
    for (int k = 0; k < SAMPLES; k++) {
        add_noise(zero, se, N, k, m);
        got = rank(m, weight, se, N, NULL, NULL);
        total += got.total / SAMPLES;
        cyclic += got.cyclic / SAMPLES;
    }
    assert_true(got.components == 1 && got.noise_cyclic < .7 * got.noise_total);
    assert_near(total / got.noise_total, 1, .03);
    assert_near(cyclic / got.noise_cyclic, 1, .03);
}

/* Guards: of a ladder with a cycle on top the debiased fraction is right in the mean, where the
 * plain one is far off. */
static void noise_is_taken_out(void** unused) {
    enum { N = 20, TRIALS = 200 };
    static double truth[N * N], m[N * N], se[N * N];
    double plain = 0, debiased = 0;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            const int turn = (i - j + 3 * N) % 3;
            truth[i * N + j] = .6 * (i - j) / N + .1 * (turn == 0 ? 0 : turn == 1 ? 1 : -1);
            se[i * N + j] = .15;
        }
    }
    const double fraction = rank(truth, NULL, NULL, N, NULL, NULL).fraction;
    for (int k = 0; k < TRIALS; k++) {
        add_noise(truth, se, N, k, m);
        const agon_hodge got = rank(m, NULL, se, N, NULL, NULL);
        plain += got.fraction / TRIALS;
        debiased += got.debiased / TRIALS;
    }
    assert_true(plain > fraction + .15);
    assert_near(debiased, fraction, .02);
}

/* Guards: logits by hand; of results that follow a rating they are additive, where pay-offs are
 * not; pairs that never met are told. */
static void logits(void** unused) {
    enum { N = 5 };
    const double wins[9] = {0, 3, 0, 1, 0, 0, 0, 0, 0};
    double logit[9], se[9], points[N * N], payoff[N * N], scale[N * N];
    assert_int_equal(agon_hodge_logits(wins, 3, logit, se), 0);
    assert_near(logit[1], log(3.5 / 1.5), 1e-15);
    assert_true(logit[3] == -logit[1] && logit[0] == 0 && isnan(logit[2]) && isnan(se[7]));
    assert_near(se[1], sqrt(1 / 3.5 + 1 / 1.5), 1e-15);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            const double p = 1 / (1 + exp(j - i));
            points[i * N + j] = 100 * p - .5;
            payoff[i * N + j] = 2 * p - 1;
        }
    }
    assert_int_equal(agon_hodge_logits(points, N, scale, NULL), 0);
    assert_near(rank(scale, NULL, NULL, N, NULL, NULL).fraction, 0, 1e-12);
    assert_true(rank(payoff, NULL, NULL, N, NULL, NULL).fraction > .02);
}

/* Guards: of random win/loss results the direct count of cycles is the closed form by wins. */
static void three_cycles(void** unused) {
    for (int trial = 0; trial < 50; trial++) {
        const int n = 1 + trial % 12;
        double m[144], weight[144], triples, expected = n * (n - 1.) * (n - 2) / 6;
        random_meetings(n, 0, trial, m, weight);
        for (int i = 0; i < n; i++) {
            int wins = 0;
            for (int j = 0; j < n; j++)
                wins += m[i * n + j] > 0;
            expected -= wins * (wins - 1) / 2;
        }
        assert_true(agon_hodge_three_cycles(m, n, &triples) == expected);
        assert_near(triples, n * (n - 1.) * (n - 2) / 6, 1e-9);
    }
}

/* Guards: what is said of the arrays is checked, and nothing is written. */
static void bad_input_is_refused(void** unused) {
    const double good[4] = {0, 1, -1, 0}, one[4] = {0, 1, 1, 0};
    const double bad[4][4] = {
        {0, INFINITY, -INFINITY, 0}, {0, 1, 1, 0}, {0, 1, NAN, 0}, {0, NAN, 1, 0}};
    const double weight[3][4] = {{0, NAN}, {0, -1}, {0, INFINITY}};
    const double se[2][4] = {{0, -1}, {0, INFINITY}}, missing[4] = {0, NAN, NAN, 0};
    double f[2] = {7, 7}, logit[4] = {7, 7, 7, 7};
    agon_hodge out = {.total = 7};
    for (int k = 0; k < 4; k++)
        assert_int_equal(agon_hodge_rank(bad[k], NULL, NULL, 2, f, NULL, &out), AGON_EINVALID);
    for (int k = 0; k < 3; k++) {
        assert_int_equal(agon_hodge_rank(good, weight[k], NULL, 2, f, NULL, &out), AGON_EINVALID);
        assert_int_equal(agon_hodge_logits(weight[k], 2, logit, NULL), AGON_EINVALID);
    }
    for (int k = 0; k < 2; k++)
        assert_int_equal(agon_hodge_rank(good, NULL, se[k], 2, f, NULL, &out), AGON_EINVALID);
    assert_int_equal(agon_hodge_rank(missing, one, NULL, 2, f, NULL, &out), AGON_EINVALID);
    assert_true(f[0] == 7 && out.total == 7 && logit[1] == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples),           cmocka_unit_test(least_squares_of_random_meetings),
        cmocka_unit_test(edge_cases),         cmocka_unit_test(expected_noise),
        cmocka_unit_test(noise_is_taken_out), cmocka_unit_test(logits),
        cmocka_unit_test(three_cycles),       cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
