/* Promise: one game of TrueSkill equals values of an independent program, also where both ends of a
 * draw lie far in a tail; a table is a function of games and key. */
#include "engine/metrics/normal.h"
#include "engine/metrics/trueskill.h"
#include "games/error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static const agon_trueskill_rules RULES = {25.0 / 6, 25.0 / 300, 0.1};

static void play(agon_trueskill* a, agon_trueskill* b, int outcome) {
    assert_int_equal(agon_trueskill_game(a, b, outcome, &RULES), 0);
}

/* Guards: the first game of two new players, won and drawn. */
static void first_game(void** unused) {
    agon_trueskill a = AGON_TRUESKILL_NEW, b = AGON_TRUESKILL_NEW;
    play(&a, &b, 1);
    assert_near(a.mean, 29.3958317, 1e-7);
    assert_near(a.deviation, 7.1714758, 1e-7);
    assert_near(b.mean, 20.6041683, 1e-7);
    assert_near(b.deviation, 7.1714758, 1e-7);
    a = b = AGON_TRUESKILL_NEW;
    play(&a, &b, 0);
    assert_near(a.mean, 25, 1e-12);
    assert_near(a.deviation, 6.4575157, 1e-7);
    assert_near(b.deviation, 6.4575157, 1e-7);
}

typedef struct example {
    agon_trueskill first, second;
    int outcome;
    agon_trueskill first_after, second_after;
} example;

/* With 60 digits, from the formulas of the paper. */
static const example EXAMPLES[] = {
    {{30, 2},
     {20, 7},
     1,
     {30.1248522220188, 1.98458006158902},
     {18.4729945740267, 6.22714605706641}},
    {{30, 2},
     {20, 7},
     0,
     {29.5442459883888, 1.95558839822492},
     {25.5741006238127, 4.65724452129853}},
    {{30, 2},
     {20, 7},
     -1,
     {29.2968046361287, 1.96402474581919},
     {28.6004327258918, 5.1610360280472}},
    {{20, 5},
     {35, 1},
     1,
     {27.6711987607734, 3.9844021043362},
     {34.6911069646453, 0.996061579245552}},
    {{60, 2},
     {0, 3},
     -1,
     {54.8371144923194, 1.91693760404427},
     {11.6053076316494, 2.70701691463189}},
    {{60, 2}, {0, 3}, 0, {54.981859264794, 1.91616658807653}, {11.2799454654456, 2.70425733597348}},
    {{0, 0.5},
     {80, 0.5},
     0,
     {0.580794697437577, 0.505051247122405},
     {79.4192053025624, 0.505051247122405}},
    {{0, 0.5},
     {80, 0.5},
     1,
     {0.59191456271826, 0.505055045155437},
     {79.4080854372817, 0.505055045155437}},
};
#define COUNT ((int)(sizeof EXAMPLES / sizeof EXAMPLES[0]))

/* Guards: unequal players, every outcome, deep upsets. */
static void other_games(void** unused) {
    for (int k = 0; k < COUNT; k++) {
        const example* e = EXAMPLES + k;
        agon_trueskill a = e->first, b = e->second;
        play(&a, &b, e->outcome);
        assert_near(a.mean, e->first_after.mean, 1e-8);
        assert_near(a.deviation, e->first_after.deviation, 1e-8);
        assert_near(b.mean, e->second_after.mean, 1e-8);
        assert_near(b.deviation, e->second_after.deviation, 1e-8);
    }
}

/* Guards: swapping names and outcome swaps the result; a game between players of any distance
 * leaves finite beliefs that are no wider than before but for tau. */
static void symmetric(void** unused) {
    for (int far = -3000; far <= 3000; far += 50) {
        for (int outcome = -1; outcome <= 1; outcome++) {
            agon_trueskill a = {25 + far / 10.0, 3}, b = {25, 5}, c = b, d = a;
            play(&a, &b, outcome);
            play(&c, &d, -outcome);
            assert_near(a.mean, d.mean, 1e-9);
            assert_near(b.deviation, c.deviation, 1e-9);
            assert_true(a.deviation <= sqrt(9 + RULES.tau * RULES.tau) && b.deviation > 0);
            assert_true(outcome == 0 || outcome * (a.mean - 25 - far / 10.0) >= 0);
        }
    }
}

/* Guards: the margin of the paper; draws refused where they cannot happen; bad numbers refused. */
static void refused(void** unused) {
    assert_near(agon_trueskill_margin(&RULES), sqrt(2) * 25 / 6 * 0.12566134685507402, 1e-12);
    agon_trueskill a = AGON_TRUESKILL_NEW, b = {25, 0}, c = {NAN, 1}, d = AGON_TRUESKILL_NEW;
    const agon_trueskill_rules no_draws = {25.0 / 6, 0, 0}, bad = {0, 0, 0};
    assert_int_equal(agon_trueskill_game(&a, &b, 1, &RULES), AGON_EINVALID);
    assert_int_equal(agon_trueskill_game(&a, &c, 1, &RULES), AGON_EINVALID);
    assert_int_equal(agon_trueskill_game(&a, &d, 0, &no_draws), AGON_EINVALID);
    assert_int_equal(agon_trueskill_game(&a, &d, 1, &bad), AGON_EINVALID);
    assert_true(a.mean == 25 && d.mean == 25);
    assert_int_equal(agon_trueskill_game(&a, &d, 1, &no_draws), 0);
}

/* Guards: a table plays all its games: one game equals one game; half points become draws; the same
 * key gives the same bytes; the order matters, and wobble shows it. */
static void table(void** unused) {
    const agon_key key = agon_key_make(1, "trueskill", AGON_FOR_TEST);
    const double one[4] = {NAN, 1, 0, NAN}, drawn[4] = {0, .5, .5, 0};
    agon_trueskill out[3], again[3], a = AGON_TRUESKILL_NEW, b = AGON_TRUESKILL_NEW;
    double wobble[3];
    agon_trueskill_games games = {2, one, NULL};
    play(&a, &b, 1);
    assert_int_equal(agon_trueskill_matrix(&games, &RULES, 3, key, out, wobble), 0);
    assert_near(out[0].mean, a.mean, 1e-12);
    assert_near(out[1].deviation, b.deviation, 1e-12);
    assert_near(wobble[0], 0, 1e-6);
    games.wins = drawn;
    assert_int_equal(agon_trueskill_matrix(&games, &RULES, 1, key, out, wobble), 0);
    assert_near(out[0].deviation, 6.4575157, 1e-7);
    assert_true(isnan(wobble[0]));
    const double many[9] = {0, 20, 9, 10, 0, 15.5, 11, 14.5, 0};
    games = (agon_trueskill_games){3, many, NULL};
    assert_int_equal(agon_trueskill_matrix(&games, &RULES, 8, key, out, wobble), 0);
    assert_int_equal(agon_trueskill_matrix(&games, &RULES, 8, key, again, NULL), 0);
    for (int i = 0; i < 3; i++)
        assert_true(out[i].mean == again[i].mean && wobble[i] > .01 && wobble[i] < 3);
    assert_true(out[0].mean > out[1].mean && out[0].deviation < 3);
}

/* Guards: declared draws are taken off the points; impossible tables are refused. */
static void bad_tables(void** unused) {
    const agon_key key = {{1, 2}};
    const double wins[4] = {0, 1, 1, 0}, draws[4] = {0, 2, 2, 0}, more[4] = {0, 4, 4, 0};
    const double huge[4] = {0, 1e9, 0, 0}, bad[4] = {0, NAN, 1, 0};
    agon_trueskill out[2], a = AGON_TRUESKILL_NEW, b = AGON_TRUESKILL_NEW;
    agon_trueskill_games games = {2, wins, draws};
    play(&a, &b, 0);
    play(&a, &b, 0);
    assert_int_equal(agon_trueskill_matrix(&games, &RULES, 1, key, out, NULL), 0);
    assert_near(out[0].deviation, a.deviation, 1e-12);
    games.draws = more;
    assert_int_equal(agon_trueskill_matrix(&games, &RULES, 1, key, out, NULL), AGON_EINVALID);
    games = (agon_trueskill_games){2, huge, NULL};
    assert_int_equal(agon_trueskill_matrix(&games, &RULES, 1, key, out, NULL), AGON_ELIMIT);
    games.wins = bad;
    assert_int_equal(agon_trueskill_matrix(&games, &RULES, 1, key, out, NULL), AGON_EINVALID);
    assert_near(out[0].deviation, a.deviation, 1e-12);
    games = (agon_trueskill_games){1, wins, NULL};
    assert_int_equal(agon_trueskill_matrix(&games, &RULES, 2, key, out, NULL), 0);
    assert_true(out[0].mean == 25);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_game), cmocka_unit_test(other_games), cmocka_unit_test(symmetric),
        cmocka_unit_test(refused),    cmocka_unit_test(table),       cmocka_unit_test(bad_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
