/* Promise: alpha-Rank equals the values of a reference implementation and of an independent
 * program, is stationary on random games, and takes any alpha. */
#include "engine/metrics/alpha_rank.h"
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

static const double RPS[9] = {0, -1, 1, 1, 0, -1, -1, 1, 0};
static const double TRN[9] = {0, -1, -1, 1, 0, -1, 1, 1, 0};
static const double WRPS[9] = {0, -2, 1, 2, 0, -3, -1, 3, 0};
static const double RPSD[16] = {0, 1, -1, 1, -1, 0, 1, 1, 1, -1, 0, 1, -1, -1, -1, 0};
static const double GEN4[16] = {0, .2, -.4, .6, -.2, 0, .5, .1, .4, -.5, 0, .3, -.6, -.1, -.3, 0};

static double uniform(int trial, int i, int j) {
    const agon_key key = agon_key_make((uint64_t)trial, "alpha_rank", AGON_FOR_TEST);
    const agon_draw draw = agon_random(key, (uint32_t)i, (uint32_t)j, 0, 0);
    return 2 * agon_uniform_double(draw.word[0], draw.word[1]) - 1;
}

static agon_alpha_rank_options constant_sum(double alpha) {
    return (agon_alpha_rank_options){.model = AGON_ALPHA_CONSTANT_SUM, .alpha = alpha, .size = 50};
}

static agon_alpha_rank_options infinite(double eps) {
    return (agon_alpha_rank_options){.model = AGON_ALPHA_INFINITE, .eps = eps};
}

static void assert_rank(const double* m, int n, agon_alpha_rank_options o, const double* expected,
                        double tolerance) {
    double p[8];
    assert_int_equal(agon_alpha_rank(m, n, &o, p, NULL), 0);
    for (int i = 0; i < n; i++)
        assert_near(p[i], expected[i], tolerance);
}

/* Guards: the public-goods game with five strategies of Han et al. 2013, in general sum; eight
 * printed digits. */
static void general_sum(void** unused) {
    const double r = 1, t = 2, c = 0, s = -1, delta = 4, eps = .25;
    const double m[25] = {r - eps / 2,
                          r - eps,
                          0,
                          s + delta - eps,
                          r - eps,
                          r,
                          r,
                          s,
                          s,
                          s,
                          0,
                          t,
                          c,
                          c,
                          c,
                          t - delta,
                          t,
                          c,
                          c,
                          c,
                          r,
                          t,
                          c,
                          c,
                          c};
    const double expected[5] = {.40966787, .07959841, .20506998, .08505983, .2206039};
    const agon_alpha_rank_options o = {.model = AGON_ALPHA_GENERAL_SUM, .alpha = .1, .size = 20};
    assert_rank(m, 5, o, expected, 1e-8);
}

/* Guards: constant-sum examples at several alpha; the chain itself; infinite alpha. */
static void constant_sum_examples(void** unused) {
    const double weak[3] = {.2779159142, .1945546207, .5275294652};
    const double strong[3] = {.3055046054, .2788723298, .4156230648};
    const double four[4] = {.2737635722, .4959956464, .2298425736, .0003982078};
    const double even[3] = {1 / 3., 1 / 3., 1 / 3.}, best[3] = {0, 0, 1};
    const double ladder[3] = {.0526315789, .1291866029, .8181818182};
    const double loser[4] = {9 / 28., 9 / 28., 9 / 28., 1 / 28.};
    assert_rank(WRPS, 3, constant_sum(.1), weak, 1e-9);
    assert_rank(WRPS, 3, constant_sum(1), strong, 1e-9);
    assert_rank(GEN4, 4, constant_sum(1), four, 1e-9);
    assert_rank(RPS, 3, constant_sum(1), even, 1e-12);
    assert_rank(TRN, 3, constant_sum(10), best, 1e-9);
    assert_rank(TRN, 3, infinite(.1), ladder, 1e-9);
    assert_rank(RPSD, 4, infinite(.1), loser, 1e-12);
    const agon_alpha_rank_options o = constant_sum(1);
    double p[3], c[9];
    assert_int_equal(agon_alpha_rank(RPS, 3, &o, p, c), 0);
    assert_near(c[0], .6802238943, 1e-9);
    assert_near(c[1], .3197761057, 1e-9);
    assert_near(c[2], 0, 1e-9);
}

/* Guards: one agent, equal agents, alphas of 1e-12 and 1e6. */
static void edge_cases(void** unused) {
    const double zero[25] = {0}, even[5] = {.2, .2, .2, .2, .2}, alone[1] = {1};
    const double third[3] = {1 / 3., 1 / 3., 1 / 3.}, best[3] = {0, 0, 1};
    for (int model = AGON_ALPHA_CONSTANT_SUM; model <= AGON_ALPHA_INFINITE; model++) {
        agon_alpha_rank_options o = {(agon_alpha_rank_model)model, 1, 50, 0, .01};
        assert_rank(zero, 1, o, alone, 0);
        assert_rank(zero, 5, o, even, 1e-14);
        o.alpha = 1e6;
        if (model != AGON_ALPHA_INFINITE)
            assert_rank(TRN, 3, o, best, 1e-12);
        o.alpha = 1e-12;
        if (model != AGON_ALPHA_INFINITE)
            assert_rank(TRN, 3, o, third, 1e-9);
    }
}

static void random_game(double* m, int n, int antisymmetric, int trial) {
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            m[i * n + j] = uniform(trial, i, j);
            if (antisymmetric)
                m[i * n + j] = i == j ? 0 : i < j ? m[i * n + j] : -m[j * n + i];
        }
    }
}

/* Guards: on random games of every model p is a distribution that the chain leaves alone, rows of
 * the chain add up to 1, and renaming the agents renames p. */
static void stationary_on_random_games(void** unused) {
    for (int trial = 0; trial < 200; trial++) {
        const int n = 1 + trial % 12;
        const agon_alpha_rank_options o = {(agon_alpha_rank_model)(trial % 4),
                                           exp(3 * uniform(trial, 70, 0)), 2 + trial % 60, .3, .02};
        double m[144], turned[144], c[144], p[12], q[12], sum = 0;
        random_game(m, n, trial % 3 == 0, trial);
        for (int i = 0; i < n * n; i++)
            turned[i] = m[n * n - 1 - i];
        assert_int_equal(agon_alpha_rank(m, n, &o, p, c), 0);
        assert_int_equal(agon_alpha_rank(turned, n, &o, q, NULL), 0);
        for (int i = 0; i < n; i++) {
            double row = 0, flow = 0;
            for (int j = 0; j < n; j++) {
                assert_true(c[i * n + j] >= 0);
                row += c[i * n + j];
                flow += p[j] * c[j * n + i];
            }
            assert_near(row, 1, 1e-12);
            assert_near(flow, p[i], 1e-12);
            assert_near(q[n - 1 - i], p[i], 1e-9);
            assert_true(p[i] >= 0);
            sum += p[i];
        }
        assert_near(sum, 1, 1e-12);
    }
}

/* Guards: in an antisymmetric game general sum is constant sum, and a constant added to all
 * pay-offs is taken out by `sum`. */
static void models_agree(void** unused) {
    for (int trial = 0; trial < 60; trial++) {
        const int n = 2 + trial % 7;
        agon_alpha_rank_options o = {AGON_ALPHA_CONSTANT_SUM, 1 + trial % 5, 3 + trial, 0, 0};
        double m[64], p[8], q[8];
        random_game(m, n, 1, trial);
        assert_int_equal(agon_alpha_rank(m, n, &o, p, NULL), 0);
        o.model = AGON_ALPHA_GENERAL_SUM;
        assert_int_equal(agon_alpha_rank(m, n, &o, q, NULL), 0);
        for (int i = 0; i < n; i++)
            assert_near(q[i], p[i], 1e-9);
        for (int i = 0; i < n * n; i++)
            m[i] += .5;
        o.model = AGON_ALPHA_CONSTANT_SUM;
        o.sum = 1;
        assert_int_equal(agon_alpha_rank(m, n, &o, q, NULL), 0);
        for (int i = 0; i < n; i++)
            assert_near(q[i], p[i], 1e-9);
    }
}

/* Guards: NaN and infinity are refused and nothing is written. */
static void bad_input_is_refused(void** unused) {
    const double bad[2] = {NAN, INFINITY};
    double p[2] = {7, 7}, c[4] = {7};
    for (int k = 0; k < 2; k++) {
        const double m[4] = {0, bad[k], 0, 0};
        const agon_alpha_rank_options o = constant_sum(1);
        assert_int_equal(agon_alpha_rank(m, 2, &o, p, c), AGON_EINVALID);
    }
    assert_true(p[0] == 7 && c[0] == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(general_sum),  cmocka_unit_test(constant_sum_examples),
        cmocka_unit_test(edge_cases),   cmocka_unit_test(stationary_on_random_games),
        cmocka_unit_test(models_agree), cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
