/* Probe sets: what is in them, that they are frozen, and that damaged ones are refused. */
#include "engine/probes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static agon_rules* open_rules(const char* game) {
    agon_rules* rules = NULL;
    agon_error error = {0};
    if (agon_rules_open(game, &rules, &error) != 0)
        fail_msg("%s: %s", game, error.text);
    return rules;
}

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

static double weight_sum(const agon_probes* p) {
    double sum = 0;
    for (int i = 0; i < p->states; i++)
        sum += p->weight[i];
    return sum;
}

/* Guards: small games are asked everything: the known numbers of information sets. */
static void small_games_are_complete(void** state) {
    (void)state;
    const struct {
        const char* game;
        int states;
    } known[] = {{"kuhn_poker", 12}, {"rps", 2}};
    for (int i = 0; i < 2; i++) {
        agon_rules* rules = open_rules(known[i].game);
        agon_probes probes = make(rules, 512, 1);
        assert_int_equal(probes.complete, 1);
        assert_int_equal(probes.states, known[i].states);
        assert_true(fabs(weight_sum(&probes) - 1) < 1e-12);
        agon_probes_close(&probes);
        agon_rules_close(rules);
    }
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

/* Guards: what is written is what is read, for lines with chance, hidden choices and none. */
static void blobs_round_trip(void** state) {
    (void)state;
    const char* games[] = {"kuhn_poker", "rps", "tic_tac_toe", "connect_four", "tron"};
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
    REFUSED_WITH(p.weight[0], .9, "add up");
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
    agon_rules* rps = open_rules("rps");
    agon_probes p = make(kuhn, 100, 1), out;
    agon_error error = {0};
    agon_bytes bytes = encode(&p, kuhn);
    assert_int_equal(agon_probes_decode(bytes.data, bytes.size, rps, &out, &error), AGON_EFORMAT);
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
    agon_rules_close(rps);
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
        cmocka_unit_test(symmetric_positions_are_one),
        cmocka_unit_test(sampled_sets_are_stratified),
        cmocka_unit_test(sets_are_frozen),
        cmocka_unit_test(blobs_round_trip),
        cmocka_unit_test(damaged_sets_are_refused),
        cmocka_unit_test(foreign_and_cut_sets_are_refused),
        cmocka_unit_test(asking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
