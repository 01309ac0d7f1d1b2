/* Promise: the layers of a population are those of an exact program and of peeling by hand; noise
 * decides membership as often as it should. Also the equilibria of whole strategy sets of a game of
 * soldiers and fields. */
#include "engine/metrics/matrix_game.h"
#include "engine/metrics/nash_clusters.h"
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

static const double RPS[9] = {0, -1, 1, 1, 0, -1, -1, 1, 0};
static const double TRN[9] = {0, -1, -1, 1, 0, -1, 1, 1, 0};
static const double RPSD[16] = {0, 1, -1, 1, -1, 0, 1, 1, 1, -1, 0, 1, -1, -1, -1, 0};
static const double GEN4[16] = {0, .2, -.4, .6, -.2, 0, .5, .1, .4, -.5, 0, .3, -.6, -.1, -.3, 0};

static agon_key key_of(int trial) {
    return agon_key_make((uint64_t)trial, "nash_clusters", AGON_FOR_TEST);
}

static double uniform(int trial, int i, int j) {
    const agon_draw draw = agon_random(key_of(trial), (uint32_t)i, (uint32_t)j, 0, 0);
    return agon_uniform_double(draw.word[0], draw.word[1]);
}

/* A ladder of this slope, plus numbers in -1 .. 1, rounded to thirds in every third trial. */
static void random_population(double* m, int n, double slope, int trial) {
    for (int i = 0; i < n; i++) {
        m[i * n + i] = 0;
        for (int j = i + 1; j < n; j++) {
            double x = 2 * uniform(trial, i, j) - 1;
            x = trial % 3 ? x : floor(3 * x + .5) / 3;
            m[i * n + j] = slope * (j - i) + x;
            m[j * n + i] = -m[i * n + j];
        }
    }
}

static void assert_levels(const double* m, int n, const int* expected, int count) {
    int level[8], levels;
    double mass[8], sum = 0;
    assert_int_equal(agon_nash_clusters(m, n, level, mass, &levels), 0);
    assert_int_equal(levels, count);
    for (int i = 0; i < n; i++) {
        assert_int_equal(level[i], expected[i]);
        sum += mass[i];
    }
    assert_near(sum, count, 1e-12);
}

/* Guards: levels of the examples, and what a level wins from the next. */
static void examples(void** unused) {
    const int group[4] = {0, 1, 2, 3}, rps[3] = {0, 0, 0}, trn[3] = {2, 1, 0},
              one[4] = {0, 0, 0, 1};
    const double zero[9] = {0};
    double value;
    assert_levels(RPS, 3, rps, 1);
    assert_levels(TRN, 3, trn, 3);
    assert_levels(RPSD, 4, one, 2);
    assert_levels(GEN4, 4, one, 2);
    assert_levels(zero, 3, rps, 1);
    assert_levels(zero, 1, rps, 1);
    assert_int_equal(agon_payoff_relative(RPSD, 4, group, 3, group + 3, 1, &value), 0);
    assert_near(value, 1, 1e-9);
    assert_int_equal(agon_payoff_relative(GEN4, 4, group, 3, group + 3, 1, &value), 0);
    assert_near(value, .6, 1e-9);
    for (int i = 1; i < 3; i++) {
        assert_int_equal(agon_payoff_relative(TRN, 3, group + i, 1, group + i - 1, 1, &value), 0);
        assert_near(value, 1, 1e-9);
    }
}

/* The same without the short cut: solve all that are left, every time. */
static int peel_by_hand(const double* m, int n, int* level) {
    int left = n, number = 0;
    for (int i = 0; i < n; i++)
        level[i] = -1;
    for (; left > 0; number++) {
        double sub[20 * 20], p[20], residual;
        int agent[20], count = 0;
        for (int i = 0; i < n; i++) {
            if (level[i] < 0)
                agent[count++] = i;
        }
        for (int a = 0; a < count; a++) {
            for (int b = 0; b < count; b++)
                sub[a * count + b] = m[agent[a] * n + agent[b]];
        }
        assert_int_equal(agon_payoff_nash(sub, count, p, &residual), 0);
        for (int a = 0; a < count; a++) {
            if (p[a] > 1e-6) {
                level[agent[a]] = number;
                left--;
            }
        }
    }
    return number;
}

/* Guards: on random populations from a cycle to a ladder the short cut changes nothing, level k
 * does not lose to level k + 1, and the numbering of agents does not matter. */
static void random_populations(void** unused) {
    for (int trial = 0; trial < 150; trial++) {
        const int n = 1 + trial % 20;
        double m[20 * 20], turned[20 * 20], value;
        int level[20], hand[20], back[20], levels, again, groups[20][20], size[20] = {0};
        random_population(m, n, .2 * (trial % 5), trial);
        assert_int_equal(agon_nash_clusters(m, n, level, NULL, &levels), 0);
        assert_int_equal(levels, peel_by_hand(m, n, hand));
        assert_memory_equal(level, hand, (size_t)n * sizeof *level);
        for (int i = 0; i < n; i++) {
            groups[level[i]][size[level[i]]++] = i;
            for (int j = 0; j < n; j++)
                turned[i * n + j] = m[(n - 1 - i) * n + n - 1 - j];
        }
        for (int k = 0; k + 1 < levels; k++) {
            assert_int_equal(
                agon_payoff_relative(m, n, groups[k], size[k], groups[k + 1], size[k + 1], &value),
                0);
            assert_true(value >= -1e-8);
        }
        assert_int_equal(agon_nash_clusters(turned, n, back, NULL, &again), 0);
        assert_int_equal(again, levels);
        for (int i = 0; i < n; i++)
            assert_int_equal(back[n - 1 - i], level[i]);
    }
}

/* Guards: without noise membership is that of the equilibrium; an agent that leads by one standard
 * error of a difference is alone at the top as often as a normal number says. */
static void membership_under_noise(void** unused) {
    enum { SAMPLES = 2000 };
    const double none[16] = {0}, lead[4] = {0, .1, -.1, 0}, se[4] = {0, .1, .1, 0};
    agon_nash_membership got[4];
    assert_int_equal(agon_nash_membership_sample(GEN4, none, 4, 3, key_of(1), got), 0);
    for (int i = 0; i < 4; i++) {
        const double p[4] = {5 / 11., 4 / 11., 2 / 11., 0};
        assert_true(got[i].frequency == (i < 3));
        assert_near(got[i].mean, p[i], 1e-9);
        assert_near(got[i].low, p[i], 1e-9);
        assert_near(got[i].high, p[i], 1e-9);
    }
    assert_int_equal(agon_nash_membership_sample(lead, se, 2, SAMPLES, key_of(1), got), 0);
    assert_near(got[0].frequency, .8413, .03); /* 3.7 standard errors */
    assert_near(got[0].mean + got[1].mean, 1, 1e-9);
    assert_near(got[0].frequency, got[0].mean, 1e-3);
    assert_near(got[0].low, 0, 1e-9);
    assert_near(got[0].high, 1, 1e-9);
}

/* Guards: what is no pay-off matrix, or no standard error, is refused and nothing is written. */
static void bad_input_is_refused(void** unused) {
    const double bad[3][4] = {{0, NAN, NAN, 0}, {0, 1, 1, 0}, {0, INFINITY, -INFINITY, 0}};
    const double se[3][4] = {{0, NAN}, {0, -1}, {0, INFINITY}}, good[4] = {0, 1, -1, 0};
    int level[2] = {7, 7}, levels = 7;
    double mass[2] = {7, 7};
    agon_nash_membership got[2] = {{7, 7, 7, 7}};
    for (int k = 0; k < 3; k++) {
        assert_int_equal(agon_nash_clusters(bad[k], 2, level, mass, &levels), AGON_EINVALID);
        assert_int_equal(agon_nash_membership_sample(bad[k], good, 2, 2, key_of(0), got),
                         AGON_EINVALID);
        assert_int_equal(agon_nash_membership_sample(good, se[k], 2, 2, key_of(0), got),
                         AGON_EINVALID);
    }
    assert_true(level[0] == 7 && levels == 7 && mass[0] == 7 && got[0].mean == 7);
}

/* ---- a game of soldiers and fields ---------------------------------------------------------- */

typedef struct battle {
    int soldiers, fields, strategies;
    double worst,
        cyclic;     /* what the uniform mixture loses to its best response; of the full game */
    int kind[2][4]; /* partitions in the equilibrium; 0: not stated */
    double mass[2];
} battle;

/* All ways to put `soldiers` on `fields`: out[count][4]. */
static int deployments(int soldiers, int fields, int out[][4]) {
    int count = 0;
    for (int code = 0; code < (soldiers + 1) * (soldiers + 1) * (soldiers + 1); code++) {
        const int base = soldiers + 1,
                  put[3] = {code % base, code / base % base, code / base / base};
        int rest = soldiers;
        for (int f = 0; f < fields - 1; f++)
            rest -= put[f];
        if (rest < 0 || (fields == 3 && put[2] > 0))
            continue;
        for (int f = 0; f < 4; f++)
            out[count][f] = f < fields - 1 ? put[f] : f == fields - 1 ? rest : 0;
        count++;
    }
    return count;
}

static int sign(int x) {
    return (x > 0) - (x < 0);
}

static int same_partition(const int a[4], const int b[4]) {
    int found = 0, used[4] = {0};
    for (int f = 0; f < 4; f++) {
        for (int g = 0; g < 4; g++) {
            if (!used[g] && a[f] == b[g]) {
                used[g] = 1;
                found++;
                break;
            }
        }
    }
    return found == 4;
}

static void assert_battle(const battle* b) {
    static int put[80][4];
    static double m[80 * 80];
    double p[80], residual, worst = 0;
    const int n = deployments(b->soldiers, b->fields, put);
    assert_int_equal(n, b->strategies);
    for (int i = 0; i < n; i++) {
        double mean = 0;
        for (int j = 0; j < n; j++) {
            int won = 0;
            for (int f = 0; f < 4; f++)
                won += sign(put[i][f] - put[j][f]);
            m[i * n + j] = sign(won);
            mean += m[i * n + j] / n;
        }
        worst = fmax(worst, mean);
    }
    assert_near(worst, b->worst, 1e-7);
    assert_near(agon_payoff_cyclic_fraction(m, n, NULL), b->cyclic, 1e-6);
    assert_int_equal(agon_payoff_nash(m, n, p, &residual), 0);
    assert_true(residual <= 1e-8);
    for (int k = 0; k < 2 && b->mass[0] > 0; k++) {
        double sum = 0, low = 1, high = 0;
        for (int i = 0; i < n; i++) {
            if (same_partition(put[i], b->kind[k])) {
                sum += p[i];
                low = fmin(low, p[i]);
                high = fmax(high, p[i]);
            }
        }
        assert_near(sum, b->mass[k], 1e-6);
        assert_near(low, high, 1e-6); /* spread evenly over the permutations */
    }
}

/* Guards: strategies, exploitability of the uniform mixture, cyclic fraction (six printed digits)
 * and the equilibrium by partition, of the full strategy sets. */
static void battles(void** unused) {
    const battle all[5] = {
        {3, 3, 10, .3, .72, {{2, 1, 0, 0}, {1, 1, 1, 0}}, {6 / 7., 1 / 7.}},
        {4, 3, 15, 4 / 15., .751111, {{3, 1, 0, 0}, {2, 2, 0, 0}}, {.5, .5}},
        {5, 3, 21, 2 / 7., 27 / 35., {{3, 2, 0, 0}, {3, 1, 1, 0}}, {2 / 3., 1 / 3.}},
        {5, 4, 56, 11 / 28., .689322, {{3, 2, 0, 0}, {2, 2, 1, 0}}, {.5, .5}},
        {10, 3, 66, 7 / 22., .816162, {{0}}, {0}},
    };
    for (int k = 0; k < 5; k++)
        assert_battle(&all[k]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples),
        cmocka_unit_test(random_populations),
        cmocka_unit_test(membership_under_noise),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(battles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
