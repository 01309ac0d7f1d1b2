/* Promise: the value and the maximum-entropy equilibrium of rectangular zero-sum games equal values
 * of exact programs; they obey what any equilibrium obeys on random games. */
#include "engine/metrics/matrix_game.h"
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
static const double WRPS[9] = {0, -2, 1, 2, 0, -3, -1, 3, 0};

static double uniform(int trial, int i, int j) {
    const agon_key key = agon_key_make((uint64_t)trial, "matrix_game", AGON_FOR_TEST);
    const agon_draw draw = agon_random(key, (uint32_t)i, (uint32_t)j, 0, 0);
    return agon_uniform_double(draw.word[0], draw.word[1]);
}

/* Round pay-offs (many ties), or not. */
static void random_game(double* a, int rows, int cols, int trial) {
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < cols; j++) {
            const double x = 2 * uniform(trial, i, j) - 1;
            a[i * cols + j] = trial % 2 ? x : floor(3 * x) / 3;
        }
    }
}

static double entropy_of(const double* x, const double* y, int rows, int cols) {
    return agon_payoff_entropy(x, rows) + agon_payoff_entropy(y, cols);
}

/* Guards: agents against tasks; the best agent alone, or the two best alike. Scores of two tasks
 * may be tenfold those of the first, or all be scaled to [0, 1]. */
static void nash_averaging_of_tasks(void** unused) {
    const double raw[15] = {0, 0, 0, 1, 10, 100, 2, 20, 200, 3, 30, 300, 3, 30, 300};
    double scaled[15], x[5], y[3];
    agon_matrix_game game;
    for (int i = 0; i < 15; i++)
        scaled[i] = raw[i] / raw[9 + i % 3];
    assert_int_equal(agon_matrix_game_solve(raw, 4, 3, x, y, &game), 0);
    for (int i = 0; i < 4; i++)
        assert_near(x[i], i == 3, 1e-9);
    assert_near(y[0], 1, 1e-9);
    assert_near(game.value, 3, 1e-7);
    assert_int_equal(agon_matrix_game_solve(raw, 5, 3, x, y, &game), 0);
    assert_near(x[3], .5, 1e-9);
    assert_near(x[4], .5, 1e-9);
    assert_int_equal(agon_matrix_game_solve(scaled, 5, 3, x, y, &game), 0);
    assert_near(x[3], .5, 1e-9);
    assert_near(x[4], .5, 1e-9);
    for (int j = 0; j < 3; j++)
        assert_near(y[j], 1 / 3., 1e-9);
    assert_near(game.value, 1, 1e-9);
}

/* Guards: population effectivity of rock; rock and paper; all three, with the mixture. */
static void effectivity_of_examples(void** unused) {
    double x[3];
    agon_matrix_game game;
    assert_int_equal(agon_matrix_game_solve(RPS, 1, 3, x, NULL, &game), 0);
    assert_near(game.value, -1, 1e-9);
    assert_true(x[0] == 1);
    assert_int_equal(agon_matrix_game_solve(RPS, 2, 3, x, NULL, &game), 0);
    assert_near(game.value, -1 / 3., 1e-9);
    assert_near(x[0], 1 / 3., 1e-9);
    assert_near(x[1], 2 / 3., 1e-9);
    assert_int_equal(agon_matrix_game_solve(RPS, 3, 3, x, NULL, &game), 0);
    assert_near(game.value, 0, 1e-9);
}

static double relative(const double* m, int size_x, int x0, int x1, int x2, int size_y, int y0,
                       int y1) {
    const int x[3] = {x0, x1, x2}, y[2] = {y0, y1};
    double value, back;
    assert_int_equal(agon_payoff_relative(m, 3, x, size_x, y, size_y, &value), 0);
    assert_int_equal(agon_payoff_relative(m, 3, y, size_y, x, size_x, &back), 0);
    assert_near(value, -back, 1e-9);
    return value;
}

/* Guards: relative population performance of the examples, antisymmetric in the two groups. */
static void relative_performance_of_examples(void** unused) {
    assert_near(relative(RPS, 1, 0, 0, 0, 2, 1, 2), -1, 1e-9);
    assert_near(relative(RPS, 2, 0, 1, 0, 2, 1, 2), -1 / 3., 1e-9);
    assert_near(relative(RPS, 3, 0, 1, 2, 1, 0, 0), 1, 1e-9);
    assert_near(relative(WRPS, 2, 0, 1, 0, 2, 1, 2), -1, 1e-9);
}

/* Guards: one row, one column, one cell, all alike, a game of high level and small differences. */
static void edge_cases(void** unused) {
    const double row[3] = {2, 1, 1}, flat[6] = {7, 7, 7, 7, 7, 7},
                 high[4] = {1000, 1000 + 1e-6, 1000 + 1e-6, 1000};
    double x[3], y[3];
    agon_matrix_game game;
    assert_int_equal(agon_matrix_game_solve(row, 1, 3, x, y, &game), 0);
    assert_true(x[0] == 1 && game.residual <= 1e-9);
    assert_near(game.value, 1, 1e-9);
    assert_near(y[1], .5, 1e-9);
    assert_int_equal(agon_matrix_game_solve(row, 3, 1, x, y, &game), 0);
    assert_true(y[0] == 1);
    assert_near(x[0], 1, 1e-9);
    assert_near(game.value, 2, 1e-9);
    assert_int_equal(agon_matrix_game_solve(row, 1, 1, x, y, &game), 0);
    assert_true(x[0] == 1 && y[0] == 1 && game.value == 2 && game.residual == 0);
    assert_int_equal(agon_matrix_game_solve(flat, 2, 3, x, y, &game), 0);
    assert_near(x[0], .5, 1e-15);
    assert_near(y[2], 1 / 3., 1e-15);
    assert_near(game.value, 7, 1e-14);
    assert_int_equal(agon_matrix_game_solve(high, 2, 2, x, y, &game), 0);
    assert_near(x[0], .5, 1e-6); /* the entries hold the difference to seven digits */
    assert_near(game.value, 1000 + .5e-6, 1e-12);
}

/* Guards: NaN and infinity are refused and nothing is written. */
static void bad_input_is_refused(void** unused) {
    const double bad[2][2] = {{0, NAN}, {INFINITY, 0}};
    double x[2] = {7, 7}, y[2] = {7, 7}, value = 7;
    const int group[2] = {0, 0};
    agon_matrix_game game = {7, 7};
    for (int k = 0; k < 2; k++)
        assert_int_equal(agon_matrix_game_solve(bad[k], 1, 2, x, y, &game), AGON_EINVALID);
    assert_int_equal(agon_payoff_relative(bad[1], 1, group, 1, group, 1, &value), AGON_EINVALID);
    assert_true(x[0] == 7 && y[0] == 7 && game.value == 7 && game.residual == 7 && value == 7);
}

/* Guards: on random games, round or not, nobody gains by deviating; copies of rows share alike; the
 * value does not fall when rows are added; level and scale pass through.
 */
static void equilibria_of_random_games(void** unused) {
    for (int trial = 0; trial < 400; trial++) {
        const int rows = 1 + trial % 13, cols = 1 + trial % 11;
        double a[14 * 11], x[14], y[11], more_x[14], more_y[11], sum = 0;
        agon_matrix_game game, more;
        random_game(a, rows, cols, trial);
        assert_int_equal(agon_matrix_game_solve(a, rows, cols, x, y, &game), 0);
        assert_true(game.residual <= 1e-8);
        for (int i = 0; i < rows; i++) {
            assert_true(x[i] >= 0);
            sum += x[i];
        }
        for (int j = 0; j < cols; j++) {
            assert_true(y[j] >= 0);
            sum += y[j];
        }
        assert_near(sum, 2, 1e-12);
        memcpy(a + rows * cols, a, (size_t)cols * sizeof *a);
        for (int i = 0; i < (rows + 1) * cols; i++)
            a[i] = 100 + 1e3 * a[i];
        assert_int_equal(agon_matrix_game_solve(a, rows + 1, cols, more_x, more_y, &more), 0);
        assert_near(more.value, 100 + 1e3 * game.value, 1e-5);
        assert_near(more_x[0], more_x[rows], 1e-7);
        if (trial % 2) /* one equilibrium: of many, entropy prefers those with copies */
            assert_near(more_x[0] + more_x[rows], x[0], 1e-6);
        for (int j = 0; j < cols; j++)
            a[rows * cols + j] = 100 + 1e3 * (2 * uniform(trial, 99, j) - 1);
        assert_int_equal(agon_matrix_game_solve(a, rows + 1, cols, more_x, NULL, &more), 0);
        assert_true(more.value >= 100 + 1e3 * game.value - 1e-5);
    }
}

/* Guards: the answer has at least the entropy of equilibria that are found otherwise: mixtures of
 * the answer with the pure equilibria of round games. */
static void entropy_is_largest(void** unused) {
    int pure = 0;
    for (int trial = 0; trial < 400; trial += 2) {
        const int rows = 2 + trial % 5, cols = 2 + trial % 3;
        double a[6 * 4], x[6], y[4];
        agon_matrix_game game;
        random_game(a, rows, cols, trial);
        assert_int_equal(agon_matrix_game_solve(a, rows, cols, x, y, &game), 0);
        const double entropy = entropy_of(x, y, rows, cols);
        for (int cell = 0; cell < rows * cols; cell++) {
            const int r = cell / cols, c = cell % cols;
            double mixed_x[6], mixed_y[4];
            int saddle = 1;
            for (int i = 0; i < rows; i++)
                saddle &= a[i * cols + c] <= a[cell];
            for (int j = 0; j < cols; j++)
                saddle &= a[r * cols + j] >= a[cell];
            if (!saddle)
                continue;
            pure++;
            assert_near(game.value, a[cell], 1e-8);
            assert_true(x[r] > 1e-6 && y[c] > 1e-6);
            for (int i = 0; i < rows; i++)
                mixed_x[i] = .99 * x[i] + .01 * (i == r);
            for (int j = 0; j < cols; j++)
                mixed_y[j] = .99 * y[j] + .01 * (j == c);
            assert_true(entropy >= entropy_of(mixed_x, mixed_y, rows, cols) - 1e-7);
        }
    }
    assert_true(pure > 50);
}

/* Guards: a symmetric game has the equilibrium that payoff.h finds, on both sides. */
static void symmetric_games_agree(void** unused) {
    for (int trial = 0; trial < 50; trial++) {
        enum { N = 9 };
        double m[N * N], p[N], x[N], y[N], residual;
        agon_matrix_game game;
        for (int i = 0; i < N; i++) {
            for (int j = 0; j <= i; j++) {
                m[i * N + j] = i == j ? 0 : 2 * uniform(trial, i, j) - 1;
                m[j * N + i] = -m[i * N + j];
            }
        }
        assert_int_equal(agon_payoff_nash(m, N, p, &residual), 0);
        assert_int_equal(agon_matrix_game_solve(m, N, N, x, y, &game), 0);
        assert_near(game.value, 0, 1e-9);
        for (int i = 0; i < N; i++) {
            assert_near(x[i], p[i], 1e-6);
            assert_near(y[i], p[i], 1e-6);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nash_averaging_of_tasks),
        cmocka_unit_test(effectivity_of_examples),
        cmocka_unit_test(relative_performance_of_examples),
        cmocka_unit_test(edge_cases),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(equilibria_of_random_games),
        cmocka_unit_test(entropy_is_largest),
        cmocka_unit_test(symmetric_games_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
