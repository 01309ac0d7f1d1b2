/* Promise: Plackett-Luce ratings are the maximum of their posterior: Bradley-Terry with two seats,
 * the closed form of three, the mean over orders where returns are equal; returns are means. */
#include "engine/metrics/plackett_luce.h"
#include "engine/metrics/rating.h"
#include "games/error.h"
#include "games/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

enum { N = 6, GAMES = 120 };

static uint32_t word(int trial, int i) {
    return agon_random((agon_key){{77, (uint32_t)trial}}, (uint32_t)i, 0, 0, 0).word[0];
}

/* Guards: two seats, draws included, give Bradley-Terry's ratings and errors, by other code. */
static void two_seats_are_bradley_terry(void** unused) {
    for (int trial = 0; trial < 20; trial++) {
        int32_t agent[2 * GAMES];
        float value[2 * GAMES];
        double wins[N * N] = {0}, expected[N], covariance[N * N], rating[N], error[N], all = 0;
        for (int g = 0; g < GAMES; g++) {
            const int i = (int)agon_below(word(trial, 3 * g), N);
            const int j = (i + 1 + (int)agon_below(word(trial, 3 * g + 1), N - 1)) % N;
            const int x = (int)agon_below(word(trial, 3 * g + 2), 3) - 1;
            agent[2 * g] = i, agent[2 * g + 1] = j;
            value[2 * g] = (float)x, value[2 * g + 1] = (float)-x;
            wins[i * N + j] += (1 + x) / 2.0;
            wins[j * N + i] += (1 - x) / 2.0;
        }
        assert_int_equal(agon_rating_bradley_terry(wins, N, 350, expected, NULL, covariance), 0);
        assert_int_equal(agon_plackett_luce(agent, value, GAMES, 2, N, 350, rating, error), 0);
        for (int i = 0; i < N * N; i++)
            all += covariance[i] / (N * N);
        for (int i = 0; i < N; i++) {
            double row = 0;
            for (int j = 0; j < N; j++)
                row += covariance[i * N + j] / N;
            assert_near(rating[i], expected[i], 1e-7);
            assert_near(error[i], sqrt(covariance[i * N + i] - 2 * row + all), 1e-6);
        }
    }
}

/* Guards: orders of three with the frequencies of strengths .6, .2, .2 have these as their maximum.
 */
static void three_seats_have_their_closed_form(void** unused) {
    static const struct {
        int order[3], times;
    } game[] = {{{0, 1, 2}, 12}, {{0, 2, 1}, 12}, {{1, 0, 2}, 6},
                {{1, 2, 0}, 2},  {{2, 0, 1}, 6},  {{2, 1, 0}, 2}};
    int32_t agent[120];
    float value[120];
    double rating[3];
    int games = 0;
    for (size_t k = 0; k < 6; k++)
        for (int t = 0; t < game[k].times; t++, games++)
            for (int p = 0; p < 3; p++) {
                agent[3 * games + p] = game[k].order[p];
                value[3 * games + p] = (float)-p;
            }
    assert_int_equal(agon_plackett_luce(agent, value, games, 3, 3, 1e6, rating, NULL), 0);
    assert_near(rating[0] - rating[1], 400 * log10(3), 1e-4); /* the prior is not quite flat */
    assert_near(rating[1], rating[2], 1e-7);
}

/* Guards: a game with equal returns says what the mean of its orders says: six games tied three
 * ways are the six orders; two that are tied in the middle are both orders. */
static void ties_are_the_mean_of_their_orders(void** unused) {
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    int32_t tied[32], apart[32];
    float tied_value[32], apart_value[32];
    double a[4], b[4], a_error[4], b_error[4];
    for (int g = 0; g < 6; g++)
        for (int p = 0; p < 4; p++) {
            tied[4 * g + p] = p, tied_value[4 * g + p] = p == 3;
            apart[4 * g + p] = p == 0 ? 3 : orders[g][p - 1];
            apart_value[4 * g + p] = (float)-p;
        }
    for (int g = 6; g < 8; g++)
        for (int p = 0; p < 4; p++) {
            const float end = p == 0 ? 9 : -9, middle = (float)(g == 6 ? p : -p);
            tied[4 * g + p] = apart[4 * g + p] = p;
            tied_value[4 * g + p] = p % 3 ? 0 : end;
            apart_value[4 * g + p] = p % 3 ? middle : end;
        }
    assert_int_equal(agon_plackett_luce(tied, tied_value, 8, 4, 4, 350, a, a_error), 0);
    assert_int_equal(agon_plackett_luce(apart, apart_value, 8, 4, 4, 350, b, b_error), 0);
    for (int i = 0; i < 4; i++) {
        assert_near(a[i], b[i], 1e-7);
        assert_near(a_error[i], b_error[i], 1e-7);
    }
    assert_true(fabs(a[0] - a[2]) > 10); /* the games do say something */
}

/* Guards: empty chairs, an agent that never sat, one that sits twice, and more equals than are
 * taken exactly. */
static void odd_tables_have_ratings(void** unused) {
    int32_t agent[40];
    float value[40];
    double rating[12], error[12];
    for (int i = 0; i < 20; i++) /* ten all alike, ten empty chairs */
        agent[i] = i < 10 ? i : -1, value[i] = i < 10 ? 1 : NAN;
    for (int i = 20; i < 40; i++)
        agent[i] = i < 23 ? (i == 20 ? 10 : 0) : -1, value[i] = (float)(i == 20);
    assert_int_equal(agon_plackett_luce(agent, value, 2, 20, 12, 350, rating, error), 0);
    for (int i = 2; i < 10; i++)
        assert_near(rating[i], rating[1], 1e-9);
    assert_true(rating[10] > 0 && rating[0] < rating[1]);
    assert_near(rating[11], 0, 1e-9);
}

/* Guards: returns are plain means; social counts a game once per seat held. */
static void returns_are_means(void** unused) {
    const int32_t agent[6] = {0, 1, 2, 0, 0, -1};
    const float value[6] = {3, 0, 0, 1, 2, NAN};
    double own[4], social[4], count[4], mean, spread;
    assert_int_equal(agon_table_returns(agent, value, 2, 3, 4, own, social, count), 0);
    assert_near(own[0], 2, 1e-12);
    assert_near(social[0], (1 + 1.5 + 1.5) / 3, 1e-12);
    assert_near(social[1], 1, 1e-12);
    assert_near(count[0], 3, 0);
    assert_true(isnan(own[3]) && isnan(social[3]) && count[3] == 0);
    assert_int_equal(agon_table_social(agent, value, 2, 3, &mean, &spread), 0);
    assert_near(mean, 6 / 5.0, 1e-12);
    assert_near(spread, (sqrt(2) + 0.5) / 2, 1e-12);
}

/* Guards: what is no game is refused, and nothing is written. */
static void refusals(void** unused) {
    int32_t agent[2] = {0, 1};
    float value[2] = {0, NAN};
    double rating[2] = {7, 7};
    assert_int_equal(agon_plackett_luce(agent, value, 1, 2, 2, 350, rating, NULL), AGON_EINVALID);
    value[1] = 0, agent[1] = 2;
    assert_int_equal(agon_plackett_luce(agent, value, 1, 2, 2, 350, rating, NULL), AGON_EINVALID);
    agent[1] = -2;
    assert_int_equal(agon_plackett_luce(agent, value, 1, 2, 2, 350, rating, NULL), AGON_EINVALID);
    assert_true(rating[0] == 7 && rating[1] == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_seats_are_bradley_terry),
        cmocka_unit_test(three_seats_have_their_closed_form),
        cmocka_unit_test(ties_are_the_mean_of_their_orders),
        cmocka_unit_test(odd_tables_have_ratings),
        cmocka_unit_test(returns_are_means),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
