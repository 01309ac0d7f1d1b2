/* Probe sets: what is in them, that they are frozen, and that damaged ones are refused. */
#include "engine/probes.h"
#include "tests/unit/rules_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static agon_probes make(const agon_rules* rules, int count, uint64_t seed) {
    agon_probes probes;
    agon_error error = {0};
    if (agon_probes_make(rules, count, seed, &probes, &error) != 0)
        fail_msg("%s: %s", rules->name, error.text);
    return probes;
}

static agon_bytes encode(const agon_probes* probes, const agon_rules* rules) {
    agon_bytes bytes;
    agon_error error = {0};
    if (agon_probes_encode(probes, rules, &bytes, &error) != 0)
        fail_msg("%s: %s", rules->name, error.text);
    return bytes;
}

static double sum_of(const double* x, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

static void near(double got, double expected) {
    if (!(fabs(got - expected) <= 1e-12))
        fail_msg("%.15g, expected %.15g", got, expected);
}

/* Guards: small games are asked everything: the known numbers of information sets. */
static void small_games_are_complete(void** state) {
    (void)state;
    const struct {
        const char* game;
        int states;
    } known[] = {{"kuhn_poker", 12}, {"matrix", 2}};
    for (int i = 0; i < 2; i++) {
        agon_rules* rules = open_rules(known[i].game);
        agon_probes probes = make(rules, 512, 1);
        assert_int_equal(probes.complete, 1);
        assert_int_equal(probes.states, known[i].states);
        near(sum_of(probes.weight, probes.states), 1);
        agon_probes_close(&probes);
        agon_rules_close(rules);
    }
}

/* Guards: reach is what uniform play gives. Kuhn poker: with a card of three, seat 0 is asked at
 * once (1/3), seat 1 after a pass or a bet (1/3 * 1/2 each), seat 0 again after pass, bet (1/3 *
 * 1/4). Three cards: 1 + 1/2 + 1/2 + 1/4 = 9/4 in all. */
static void reach_is_that_of_uniform_play(void** state) {
    (void)state;
    agon_rules* rules = open_rules("kuhn_poker");
    agon_probes p = make(rules, 512, 1);
    int asked[3] = {0};
    assert_int_equal(p.states, 12);
    assert_non_null(p.reach);
    for (int i = 0; i < p.states; i++) {
        assert_in_range(p.ply[i], 0, 2);
        near(p.reach[i], 1.0 / 3 / (1 << p.ply[i]) / (9.0 / 4));
        asked[p.ply[i]]++;
    }
    assert_true(asked[0] == 3 && asked[1] == 6 && asked[2] == 3);
    agon_probes_close(&p);
    agon_rules_close(rules);

    rules = open_rules("matrix"); /* both seats are always asked */
    p = make(rules, 512, 1);
    near(p.reach[0], 0.5);
    near(p.reach[1], 0.5);
    agon_probes_close(&p);
    agon_rules_close(rules);
}

/* Guards: reach of positions that are one by symmetry is added up. Tic-tac-toe: four of nine first
 * moves are to a corner, four to an edge; nothing ends before ply 5, and then 1440 of 15120 games
 * have. */
static void reach_is_added_over_symmetries(void** state) {
    (void)state;
    agon_rules* rules = open_rules("tic_tac_toe");
    agon_probes p = make(rules, 2000, 1);
    double at_ply[10] = {0};
    double start = 0;
    assert_non_null(p.reach);
    near(sum_of(p.reach, p.states), 1);
    for (int i = 0; i < p.states; i++) {
        at_ply[p.ply[i]] += p.reach[i];
        start = p.ply[i] == 0 ? p.reach[i] : start;
    }
    assert_true(start > 0);
    for (int i = 0; i < p.states; i++) {
        if (p.ply[i] == 1)
            near(p.reach[i] / start, p.action[(size_t)p.offset[i] * 2] == 4 ? 1.0 / 9 : 4.0 / 9);
    }
    for (int ply = 0; ply < 5; ply++)
        near(at_ply[ply] / start, 1);
    near(at_ply[5] / start, 1 - 1440.0 / 15120);
    agon_probes_close(&p);
    agon_rules_close(rules);
}

/* Guards: positions that differ by a symmetry are one question. Tic-tac-toe has 765 positions up
 * to its eight symmetries, 138 of them over, and 34 more with a single empty cell left. */
static void symmetric_positions_are_one(void** state) {
    (void)state;
    agon_rules* rules = open_rules("tic_tac_toe");
    agon_probes probes = make(rules, 2000, 1);
    assert_int_equal(probes.complete, 1);
    assert_int_equal(probes.states, 765 - 138 - 34);
    agon_probes_close(&probes);
    agon_rules_close(rules);
}

/* Guards: a sampled set has the number wanted, spread over the game with equal weight per ply
 * bucket; every state offers a choice. */
static void sampled_sets_are_stratified(void** state) {
    (void)state;
    agon_rules* rules = open_rules("connect_four");
    agon_probes probes = make(rules, 256, 1);
    int count[8] = {0};
    double weight[8] = {0};
    assert_int_equal(probes.complete, 0);
    assert_null(probes.reach); /* not known of a sample */
    assert_int_equal(probes.states, 256);
    for (int i = 0; i < probes.states; i++) {
        assert_int_equal(probes.seat[i], probes.ply[i] & 1);
        assert_int_equal(probes.offset[i + 1] - probes.offset[i], probes.ply[i]);
        assert_in_range(probes.ply[i], 0, 40); /* then one cell is left, which is no choice */
        const int bucket = probes.ply[i] * 8 / 41;
        count[bucket]++;
        weight[bucket] += probes.weight[i];
    }
    for (int k = 0; k < 8; k++) {
        assert_int_equal(count[k], 32);
        assert_true(fabs(weight[k] - 1.0 / 8) < 1e-12);
    }
    agon_probes_close(&probes);
    agon_rules_close(rules);
}

/* Guards: the set is a function of rules, count and seed, and its name is a function of the set. */
static void sets_are_frozen(void** state) {
    (void)state;
    agon_rules* rules = open_rules("connect_four");
    agon_probes a = make(rules, 64, 1), b = make(rules, 64, 1), c = make(rules, 64, 2);
    agon_bytes x = encode(&a, rules), y = encode(&b, rules), z = encode(&c, rules);
    assert_string_equal(x.hash, y.hash);
    assert_int_equal(x.size, y.size);
    assert_memory_equal(x.data, y.data, x.size);
    assert_string_not_equal(x.hash, z.hash);
    free(x.data);
    free(y.data);
    free(z.data);
    agon_probes_close(&a);
    agon_probes_close(&b);
    agon_probes_close(&c);
    agon_rules_close(rules);
}

/* Guards: set U of a game, number and seed is the same file as ever: runs that were stored name it
 * by its hash. */
static void names_do_not_drift(void** state) {
    (void)state;
    const struct {
        const char *game, *hash;
    } known[] = {
        {"connect_four", "b6dad430a94b234754bae61fb042a86a2f3226a4feab4dbd741b17ebac43728a"},
        {"tic_tac_toe", "e59e3d3191a0ddd3a2e1d2bfe3c4e7e11cbc77cedc683f107b3aafdb44feba77"},
        {"kuhn_poker", "4c60274c4295bc0fd80d399d13522a3939e69ab38d90db78849edd4abb0a471a"},
        {"tron(players=3)", "07fed0c439d26b525fe80a9aa3ca01b4943813e77997bcab258e5685f302ed27"},
    };
    for (int i = 0; i < 4; i++) {
        agon_rules* rules = open_rules(known[i].game);
        agon_probes p = make(rules, 64, 1);
        agon_bytes bytes = encode(&p, rules);
        assert_string_equal(bytes.hash, known[i].hash);
        free(bytes.data);
        agon_probes_close(&p);
        agon_rules_close(rules);
    }
}

/* Guards: what is written is what is read, for lines with chance, hidden choices and none. */
static void blobs_round_trip(void** state) {
    (void)state;
    const char* games[] = {"kuhn_poker", "matrix", "tic_tac_toe", "connect_four", "tron"};
    for (int g = 0; g < 5; g++) {
        agon_rules* rules = open_rules(games[g]);
        agon_probes a = make(rules, 100, 3), b;
        agon_error error = {0};
        agon_bytes bytes = encode(&a, rules);
        if (agon_probes_decode(bytes.data, bytes.size, rules, &b, &error) != 0)
            fail_msg("%s: %s", games[g], error.text);
        const size_t rows = (size_t)a.offset[a.states], n = (size_t)a.states;
        assert_int_equal(a.states, b.states);
        assert_int_equal(a.complete, b.complete);
        assert_int_equal(a.seats, b.seats);
        assert_memory_equal(a.offset, b.offset, (n + 1) * sizeof *a.offset);
        assert_memory_equal(a.seat, b.seat, n);
        assert_memory_equal(a.ply, b.ply, n * sizeof *a.ply);
        assert_memory_equal(a.weight, b.weight, n * sizeof *a.weight);
        assert_int_equal(a.complete, a.reach != NULL);
        assert_int_equal(a.complete, b.reach != NULL);
        if (a.reach)
            assert_memory_equal(a.reach, b.reach, n * sizeof *a.reach);
        assert_memory_equal(a.action, b.action, rows * (size_t)a.seats * sizeof *a.action);
        free(bytes.data);
        agon_probes_close(&a);
        agon_probes_close(&b);
        agon_rules_close(rules);
    }
}

static void assert_refused(const agon_probes* bad, const agon_rules* rules, const char* says) {
    agon_probes out;
    agon_error error = {0};
    agon_bytes bytes = encode(bad, rules);
    assert_int_equal(agon_probes_decode(bytes.data, bytes.size, rules, &out, &error), AGON_EFORMAT);
    if (!strstr(error.text, says))
        fail_msg("said '%s', expected '%s'", error.text, says);
    free(bytes.data);
}

/* Changes one number, expects the refusal, puts it back. */
#define REFUSED_WITH(place, wrong, says)                                                           \
    do {                                                                                           \
        __typeof__(place) kept = (place);                                                          \
        (place) = (wrong);                                                                         \
        assert_refused(&p, rules, says);                                                           \
        (place) = kept;                                                                            \
    } while (0)

/* Guards: each number of a set is checked against the rules, and the refusal says what is wrong. */
static void damaged_sets_are_refused(void** state) {
    (void)state;
    agon_rules* rules = open_rules("kuhn_poker");
    agon_probes p = make(rules, 100, 1);
    const int n = p.states;
    REFUSED_WITH(p.action[0], 3, "not allow");                     /* a fourth card of three */
    REFUSED_WITH(p.action[1], 1, "not allow");                     /* an unused column */
    REFUSED_WITH(p.action[(p.offset[n] - 1) * 2], 1, "not allow"); /* seat 1 moved */
    REFUSED_WITH(p.seat[0], 1, "does not act");
    REFUSED_WITH(p.seat[0], 40, "does not act");
    REFUSED_WITH(p.ply[0], 1, "plies");
    REFUSED_WITH(p.ply[n - 1], -1, "plies");
    REFUSED_WITH(p.weight[0], NAN, "weight");
    REFUSED_WITH(p.weight[0], -1, "weight");
    REFUSED_WITH(p.weight[0], .9, "U.weight add up");
    REFUSED_WITH(p.reach[0], NAN, "U.reach of state 0");
    REFUSED_WITH(p.reach[n - 1], INFINITY, "U.reach of state 11");
    REFUSED_WITH(p.reach[0], -.1, "U.reach of state 0");
    REFUSED_WITH(p.reach[0], .9, "U.reach add up");
    REFUSED_WITH(p.reach, NULL, "U.reach is missing");
    REFUSED_WITH(p.complete, 0, "U.reach is there");
    REFUSED_WITH(p.offset[0], 1, "beginning");
    REFUSED_WITH(p.offset[0], -5, "beginning");
    REFUSED_WITH(p.offset[1], p.offset[n] + 1, "falls");
    REFUSED_WITH(p.offset[1], INT32_MAX, "falls");
    REFUSED_WITH(p.offset[1], 0, "does not act"); /* still before the deal */
    agon_probes_close(&p);
    agon_rules_close(rules);
}

/* Guards: a set made for another game or other parameters is refused by name, and bytes cut short
 * are refused at any length. */
static void foreign_and_cut_sets_are_refused(void** state) {
    (void)state;
    agon_rules* kuhn = open_rules("kuhn_poker");
    agon_rules* matrix = open_rules("matrix");
    agon_probes p = make(kuhn, 100, 1), out;
    agon_error error = {0};
    agon_bytes bytes = encode(&p, kuhn);
    assert_int_equal(agon_probes_decode(bytes.data, bytes.size, matrix, &out, &error),
                     AGON_EFORMAT);
    assert_non_null(strstr(error.text, "kuhn_poker"));
    for (size_t size = 0; size < bytes.size; size += 7) {
        uint8_t* cut = malloc(size + 1);
        memcpy(cut, bytes.data, size);
        assert_true(agon_probes_decode(cut, size, kuhn, &out, NULL) < 0);
        free(cut);
    }
    free(bytes.data);
    agon_probes_close(&p);
    agon_rules_close(kuhn);
    agon_rules_close(matrix);
}

/* Guards: answers are the policy's probabilities at the right states: one_ply (which reads states)
 * wins where the board says that it can, and rows are distributions. More than one chunk. */
static void asking(void** state) {
    (void)state;
    agon_rules* rules = open_rules("tic_tac_toe");
    agon_probes p = make(rules, 2000, 1);
    agon_policy policy;
    agon_error error = {0};
    float* answer = malloc((size_t)p.states * 9 * sizeof *answer);
    int sure = 0;
    assert_int_equal(agon_scripted_open("one_ply", rules, &policy, &error), 0);
    assert_int_equal(agon_probes_ask(&p, rules, &policy, 1, answer, &error), 0);
    for (int i = 0; i < p.states; i++) {
        float sum = 0, most = 0;
        for (int a = 0; a < 9; a++) {
            sum += answer[i * 9 + a];
            most = answer[i * 9 + a] > most ? answer[i * 9 + a] : most;
            for (int32_t k = p.offset[i]; k < p.offset[i + 1]; k++) {
                if (p.action[2 * k + (k - p.offset[i]) % 2] == a)
                    assert_float_equal(answer[i * 9 + a], 0, 0);
            }
        }
        assert_float_equal(sum, 1, 1e-6);
        sure += most == 1;
    }
    assert_true(sure > 100 && sure < p.states);
    agon_policy_close(&policy);
    free(answer);
    agon_probes_close(&p);
    agon_rules_close(rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_games_are_complete),
        cmocka_unit_test(reach_is_that_of_uniform_play),
        cmocka_unit_test(reach_is_added_over_symmetries),
        cmocka_unit_test(symmetric_positions_are_one),
        cmocka_unit_test(sampled_sets_are_stratified),
        cmocka_unit_test(sets_are_frozen),
        cmocka_unit_test(names_do_not_drift),
        cmocka_unit_test(blobs_round_trip),
        cmocka_unit_test(damaged_sets_are_refused),
        cmocka_unit_test(foreign_and_cut_sets_are_refused),
        cmocka_unit_test(asking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
