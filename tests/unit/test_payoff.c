/* Promise: equilibria, effective diversity and the cyclic fraction equal values worked out by exact
 * or independent programs; the null model lets noise pass for cycles in at most a few per cent. */
#include "agents/real.h"
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

typedef struct example {
    const char* name;
    int n;
    double m[16];
    double nash[4];   /* maximum entropy */
    double effective; /* diversity; -1: not stated */
    double f[4];      /* transitive strengths */
    double cyclic;    /* fraction; -1: not stated */
} example;

static const example EXAMPLES[] = {
    {"rock paper scissors",
     3,
     {0, -1, 1, 1, 0, -1, -1, 1, 0},
     {1 / 3., 1 / 3., 1 / 3.},
     1 / 3.,
     {0, 0, 0},
     1},
    {"ladder of wins",
     3,
     {0, -1, -1, 1, 0, -1, 1, 1, 0},
     {0, 0, 1},
     0,
     {-2 / 3., 0, 2 / 3.},
     1 / 9.},
    {"cycle and a loser",
     4,
     {0, 1, -1, 1, -1, 0, 1, 1, 1, -1, 0, 1, -1, -1, -1, 0},
     {1 / 3., 1 / 3., 1 / 3., 0},
     1 / 3.,
     {.25, .25, .25, -.75},
     .5},
    {"rock twice",
     4,
     {0, 0, -1, 1, 0, 0, -1, 1, 1, 1, 0, -1, -1, -1, 1, 0},
     {1 / 6., 1 / 6., 1 / 3., 1 / 3.},
     1 / 3.,
     {0, 0, .25, -.25},
     .9},
    {"weighted cycle",
     3,
     {0, -2, 1, 2, 0, -3, -1, 3, 0},
     {.5, 1 / 6., 1 / 3.},
     .5,
     {-1 / 3., -1 / 3., 2 / 3.},
     6 / 7.},
    {"additive ladder", 3, {0, 1, 2, -1, 0, 1, -2, -1, 0}, {1, 0, 0}, 0, {1, 0, -1}, 0},
    {"four of no pattern",
     4,
     {0, .2, -.4, .6, -.2, 0, .5, .1, .4, -.5, 0, .3, -.6, -.1, -.3, 0},
     {5 / 11., 4 / 11., 2 / 11., 0},
     12 / 121.,
     {.1, .1, .05, -.25},
     57 / 91.},
    {"agent against agent",
     4,
     {0, 234, 34, -270, -234, 0, -38, -464, -34, 38, 0, -270, 270, 464, 270, 0},
     {0, 0, 0, 1},
     0,
     {-.5, -184, -66.5, 251},
     -1},
    {"only one pair differs",
     4,
     {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0},
     {1 / 3., 1 / 3., 1 / 3., 0},
     0,
     {0, 0, .25, -.25},
     .5},
};
#define EXAMPLE_COUNT ((int)(sizeof EXAMPLES / sizeof EXAMPLES[0]))

static agon_key key_of(int trial) {
    return agon_key_make((uint64_t)trial, "payoff", AGON_FOR_TEST);
}

static double uniform(agon_key key, int i, int j) {
    agon_draw draw = agon_random(key, (uint32_t)i, (uint32_t)j, 0, 0);
    return agon_uniform_double(draw.word[0], draw.word[1]);
}

/* Sum of twelve uniforms less six: normal enough, and not the generator under test. */
static double normal(agon_key key, int i, int j) {
    double sum = -6;
    for (uint32_t k = 0; k < 6; k++) {
        agon_draw draw = agon_random(key, (uint32_t)i, (uint32_t)j, 1, k);
        sum += agon_uniform_double(draw.word[0], draw.word[1]);
        sum += agon_uniform_double(draw.word[2], draw.word[3]);
    }
    return sum;
}

static double* square(int n) {
    double* m = calloc((size_t)n * n, sizeof *m);
    assert_non_null(m);
    return m;
}

/* slope * (i - j) / n + cycle * (-1)^... + sd * noise; antisymmetric. cycle: a big rock, paper,
 * scissors by i mod 3. */
static void make_matrix(double* m, int n, double slope, double cycle, double sd, int trial) {
    for (int i = 0; i < n; i++) {
        m[i * n + i] = 0;
        for (int j = i + 1; j < n; j++) {
            int turn = (i - j + 3 * n) % 3;
            double wheel = turn == 0 ? 0 : turn == 1 ? 1 : -1;
            m[i * n + j] = slope * (i - j) / n + cycle * wheel + sd * normal(key_of(trial), i, j);
            m[j * n + i] = -m[i * n + j];
        }
    }
}

static void fill(double* se, int n, double value) {
    for (int i = 0; i < n * n; i++)
        se[i] = value;
}

/* Guards: maximum-entropy equilibria, to 1e-6 in every entry, residual within 1e-8 of max |M|. */
static void equilibria_of_examples(void** unused) {
    for (int k = 0; k < EXAMPLE_COUNT; k++) {
        const example* e = &EXAMPLES[k];
        double p[4], residual, scale = 0;
        assert_int_equal(agon_payoff_nash(e->m, e->n, p, &residual), 0);
        for (int i = 0; i < e->n * e->n; i++)
            scale = fmax(scale, fabs(e->m[i]));
        assert_true(residual <= 1e-8 * scale);
        for (int i = 0; i < e->n; i++)
            assert_near(p[i], e->nash[i], 1e-9);
        assert_near(agon_payoff_effective_diversity(e->m, p, e->n), e->effective, 1e-9);
    }
}

/* Guards: why the equilibrium weighs: with all agents alike a ladder would score as a cycle does.
 */
static void uniform_weights_mislead(void** unused) {
    const double uniform[3] = {1 / 3., 1 / 3., 1 / 3.};
    assert_near(agon_payoff_effective_diversity(EXAMPLES[0].m, uniform, 3), 1 / 3., 1e-12);
    assert_near(agon_payoff_effective_diversity(EXAMPLES[1].m, uniform, 3), 1 / 3., 1e-12);
}

/* Guards: entropy of the equilibria that are not uniform, and of certainty. */
static void entropies(void** unused) {
    assert_near(agon_payoff_entropy(EXAMPLES[3].nash, 4), 1.329661349, 1e-9);
    assert_near(agon_payoff_entropy(EXAMPLES[4].nash, 3), 1.011404265, 1e-9);
    assert_near(agon_payoff_entropy(EXAMPLES[6].nash, 4), 1.036198785, 1e-9);
    assert_true(agon_payoff_entropy(EXAMPLES[1].nash, 3) == 0);
}

/* Guards: strengths and cyclic fractions of the examples, with and without f. */
static void cyclic_fractions_of_examples(void** unused) {
    for (int k = 0; k < EXAMPLE_COUNT; k++) {
        const example* e = &EXAMPLES[k];
        double f[4], c = agon_payoff_cyclic_fraction(e->m, e->n, f);
        for (int i = 0; i < e->n; i++)
            assert_near(f[i], e->f[i], 1e-12);
        if (e->cyclic >= 0)
            assert_near(c, e->cyclic, 1e-12);
        assert_true(c == agon_payoff_cyclic_fraction(e->m, e->n, NULL));
    }
}

/* Guards: one agent, no difference at all, two agents. */
static void edge_cases(void** unused) {
    double zero[25] = {0}, p[5], f[5], residual, two[4] = {0, .5, -.5, 0};
    assert_int_equal(agon_payoff_nash(zero, 1, p, &residual), 0);
    assert_true(p[0] == 1 && residual == 0);
    assert_true(agon_payoff_cyclic_fraction(zero, 1, f) == 0 && f[0] == 0);
    assert_int_equal(agon_payoff_nash(zero, 5, p, &residual), 0);
    for (int i = 0; i < 5; i++)
        assert_near(p[i], .2, 1e-15);
    assert_true(residual == 0 && agon_payoff_effective_diversity(zero, p, 5) == 0);
    assert_true(agon_payoff_cyclic_fraction(zero, 5, f) == 0);
    assert_near(agon_payoff_cyclic_fraction(two, 2, f), 0, 1e-15);
    assert_near(f[0], .25, 1e-15);
    assert_int_equal(agon_payoff_nash(two, 2, p, &residual), 0);
    assert_near(p[0], 1, 1e-12);
    agon_cyclic_null null;
    double no_error[25] = {0};
    for (int n = 1; n <= 5; n++) {
        assert_int_equal(agon_payoff_cyclic_null(zero, no_error, n, 10, key_of(0), &null), 0);
        assert_true(null.mean == 0 && null.noise_share == 0 && !null.exceeds);
    }
    assert_int_equal(agon_payoff_cyclic_null(two, no_error, 2, 10, key_of(0), &null), 0);
    assert_true(!null.exceeds);
}

/* Guards: NaN, infinity and matrices that are not antisymmetric are refused, outputs untouched. */
static void bad_input_is_refused(void** unused) {
    const double bad[][4] = {
        {0, NAN, NAN, 0}, {0, INFINITY, -INFINITY, 0}, {0, 1, 1, 0}, {1, 0, 0, 0}};
    double p[2] = {7, 7}, residual = 7, se[4] = {0, .1, .1, 0};
    agon_cyclic_null null = {.mean = 7};
    for (int k = 0; k < 4; k++) {
        assert_int_equal(agon_payoff_nash(bad[k], 2, p, &residual), AGON_EINVALID);
        assert_int_equal(agon_payoff_cyclic_null(bad[k], se, 2, 10, key_of(0), &null),
                         AGON_EINVALID);
    }
    assert_true(p[0] == 7 && residual == 7);
    assert_true(isnan(agon_payoff_cyclic_fraction(bad[0], 2, NULL)));
    const double good[4] = {0, 1, -1, 0}, bad_se[] = {NAN, -1, INFINITY};
    for (int k = 0; k < 3; k++) {
        se[1] = bad_se[k];
        assert_int_equal(agon_payoff_cyclic_null(good, se, 2, 10, key_of(0), &null), AGON_EINVALID);
    }
    assert_true(null.mean == 7);
}

/* Entry of a random matrix: dense, wins and draws, a ladder with tiny noise, round numbers, or nine
 * decades of magnitudes. */
static double random_entry(int kind, int n, int i, int j, agon_key key) {
    double x = 2 * uniform(key, i, j) - 1;
    switch (kind) {
    case 0:
        return x;
    case 1:
        return x > .3 ? 1 : x < -.3 ? -1 : 0;
    case 2:
        return (i - j) / (double)n + 1e-5 * x;
    case 3:
        return floor(50 * x) / 50;
    default:
        return x * exp(-floor(20 * uniform(key, j, i)));
    }
}

static void random_matrix(double* m, int n, int kind, agon_key key) {
    for (int i = 0; i < n; i++) {
        m[i * n + i] = 0;
        for (int j = i + 1; j < n; j++) {
            m[i * n + j] = random_entry(kind, n, i, j, key);
            m[j * n + i] = -m[i * n + j];
        }
    }
}

/* Agent 1 becomes a copy of agent 0. */
static void copy_agent(double* m, int n) {
    memcpy(m + n, m, (size_t)n * sizeof *m);
    for (int j = 0; j < n; j++)
        m[j * n + 1] = -m[n + j];
    m[0] = m[1] = m[n] = m[n + 1] = 0;
}

/* Guards: on random matrices of all kinds and scales the answer is a distribution that nobody gains
 * against, and copies share alike. */
static void equilibria_of_random_matrices(void** unused) {
    for (int trial = 0; trial < 1000; trial++) {
        const int n = 2 + trial % 29, kind = trial % 5, copies = trial % 3 == 0;
        const double scale = trial % 7 == 0 ? 1e-9 : trial % 7 == 1 ? 1e6 : 1;
        double m[30 * 30], p[30], residual, sum = 0, largest = 0;
        random_matrix(m, n, kind, key_of(trial));
        if (copies)
            copy_agent(m, n);
        for (int i = 0; i < n * n; i++) {
            m[i] *= scale;
            largest = fmax(largest, fabs(m[i]));
        }
        assert_int_equal(agon_payoff_nash(m, n, p, &residual), 0);
        for (int i = 0; i < n; i++) {
            assert_true(p[i] >= 0);
            sum += p[i];
        }
        assert_near(sum, 1, 1e-12);
        assert_true(residual <= (kind == 4 ? 1e-7 : 1e-9) * largest);
        if (copies)
            assert_near(p[0], p[1], 1e-7);
    }
}

/* Guards: the size of a real population (64) stays exact, twice the same bytes. */
static void equilibrium_of_a_population(void** unused) {
    enum { N = 64 };
    double *m = square(N), *p = square(N), *q = square(N), residual, again;
    make_matrix(m, N, 1, .3, .2, 5);
    assert_int_equal(agon_payoff_nash(m, N, p, &residual), 0);
    assert_int_equal(agon_payoff_nash(m, N, q, &again), 0);
    assert_true(residual <= 1e-8);
    assert_memory_equal(p, q, N * sizeof *p);
    free(m);
    free(p);
    free(q);
}

/* 4 levels x 6 angles: (1 - g) * difference of levels + g * sin(difference of angles), each scaled
 * to largest value 1. Sines from a table, so that they are exactly antisymmetric. */
static void spinning_top(double g, double m[24 * 24]) {
    const double sine[6] = {0, 1, 1, 0, -1, -1}; /* of 60 degrees, over sin 60 */
    for (int i = 0; i < 24; i++) {
        for (int j = 0; j < 24; j++)
            m[i * 24 + j] = (1 - g) * (i / 6 - j / 6) / 3 + g * sine[(i % 6 - j % 6 + 6) % 6];
    }
}

/* Guards: the game with a dial goes from not cyclic at all to purely cyclic. */
static void spinning_top_turns(void** unused) {
    const double g[5] = {0, .25, .5, .75, 1}, c[5] = {0, .21, .71, .96, 1};
    double m[24 * 24];
    for (int k = 0; k < 5; k++) {
        spinning_top(g[k], m);
        double got = agon_payoff_cyclic_fraction(m, 24, NULL);
        assert_near(got, c[k], k == 0 || k == 4 ? 1e-12 : .006);
    }
}

/* Guards: of noise between equal agents 1 - 2/n is cyclic, its share is about 1 and it is not
 * called a cycle: more than 5 % of 200 seeds would fail. The null brackets what it describes. */
static void noise_is_not_a_cycle(void** unused) {
    enum { N = 20, TRIALS = 200 };
    double m[N * N], se[N * N], sd = sqrt(1 / 50.), fraction = 0, share = 0, null_mean = 0;
    int claims = 0, inside = 0;
    fill(se, N, sd);
    for (int trial = 0; trial < TRIALS; trial++) {
        agon_cyclic_null null;
        make_matrix(m, N, 0, 0, sd, trial);
        assert_int_equal(agon_payoff_cyclic_null(m, se, N, 200, key_of(1000 + trial), &null), 0);
        double c = agon_payoff_cyclic_fraction(m, N, NULL);
        fraction += c / TRIALS;
        share += null.noise_share / TRIALS;
        null_mean += null.mean / TRIALS;
        claims += null.exceeds;
        inside += c >= null.low && c <= null.high;
    }
    assert_near(fraction, .9, .01);
    assert_near(share, 1, .03);
    assert_near(null_mean, .9, .03);
    assert_true(claims <= TRIALS / 20);
    assert_true(inside >= TRIALS * 80 / 100);
}

/* Guards: a ladder measured with noise is not called a cycle, whether steep or as weak as the
 * noise. */
static void ladder_is_not_a_cycle(void** unused) {
    enum { N = 20, TRIALS = 200 };
    const double slopes[3] = {.3, 1, 3};
    double m[N * N], se[N * N], sd = sqrt(1 / 50.);
    fill(se, N, sd);
    for (int k = 0; k < 3; k++) {
        int claims = 0;
        for (int trial = 0; trial < TRIALS; trial++) {
            agon_cyclic_null null;
            make_matrix(m, N, slopes[k], 0, sd, 5000 + trial);
            assert_int_equal(agon_payoff_cyclic_null(m, se, N, 200, key_of(trial), &null), 0);
            claims += null.exceeds;
        }
        assert_true(claims <= TRIALS / 20);
    }
}

/* Guards: a cycle well above the noise is found, alone, on top of a ladder, and with three agents;
 * same key, same answer. */
static void cycles_are_found(void** unused) {
    enum { N = 20 };
    double m[N * N], se[N * N];
    agon_cyclic_null null, again;
    for (int trial = 0; trial < 20; trial++) {
        fill(se, N, .1);
        make_matrix(m, N, trial % 2 ? 1 : 0, .3, .1, trial);
        assert_int_equal(agon_payoff_cyclic_null(m, se, N, 200, key_of(trial), &null), 0);
        assert_int_equal(agon_payoff_cyclic_null(m, se, N, 200, key_of(trial), &again), 0);
        assert_true(null.exceeds == 1 && null.low <= null.mean && null.mean <= null.high);
        assert_true(null.mean == again.mean && null.low == again.low && null.high == again.high);
    }
    fill(se, 3, .02);
    assert_int_equal(agon_payoff_cyclic_null(EXAMPLES[0].m, se, 3, 500, key_of(1), &null), 0);
    assert_true(null.exceeds == 1 && null.noise_share < .001);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equilibria_of_examples),
        cmocka_unit_test(uniform_weights_mislead),
        cmocka_unit_test(entropies),
        cmocka_unit_test(cyclic_fractions_of_examples),
        cmocka_unit_test(edge_cases),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(equilibria_of_random_matrices),
        cmocka_unit_test(equilibrium_of_a_population),
        cmocka_unit_test(spinning_top_turns),
        cmocka_unit_test(noise_is_not_a_cycle),
        cmocka_unit_test(ladder_is_not_a_cycle),
        cmocka_unit_test(cycles_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
