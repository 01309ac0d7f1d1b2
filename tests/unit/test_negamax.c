/* test_negamax.c: exact values against the unrolled tree and against published results. */
#include "agents/negamax.h"
#include "agents/tree.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { TABLE = 1 << 20, LIMIT = 100000000 };

static agon_rules* open_rules(const char* game_string) {
    agon_rules* rules = NULL;
    assert_int_equal(agon_rules_open(game_string, &rules, NULL), 0);
    return rules;
}

/* A random line of `plies` plies; false when the game ended before. */
static bool random_position(const agon_rules* rules, uint32_t episode, int plies, void* state) {
    const agon_key key = agon_key_make(1, "position", AGON_FOR_TEST);
    float reward[2] = {0};
    rules->game->init(rules->config, state);
    for (int ply = 0; ply < plies; ply++) {
        const uint64_t acting = rules->game->acting(rules->config, state);
        uint64_t mask[4] = {0};
        uint16_t action[2];
        if (!acting)
            return false;
        const int seat = __builtin_ctzll(acting);
        rules->game->legal(rules->config, state, seat, mask);
        const uint32_t word = agon_random(key, episode, (uint32_t)ply, (uint32_t)seat, 0).word[0];
        const int count = agon_mask_count(mask, rules->mask_words);
        action[seat] = (uint16_t)agon_mask_nth(mask, rules->mask_words,
                                               (int)agon_below(word, (uint32_t)count));
        assert_int_equal(rules->game->apply(rules->config, state, action, reward), 0);
    }
    return rules->game->acting(rules->config, state) != 0;
}

static float solve(const char* game_string) {
    agon_rules* rules = open_rules(game_string);
    agon_negamax* solver = NULL;
    uint64_t state[32];
    float value = 9;
    assert_true(rules->spec.state_size <= sizeof state);
    assert_int_equal(agon_negamax_open(rules, TABLE, &solver, NULL), 0);
    rules->game->init(rules->config, state);
    assert_int_equal(agon_negamax_solve(solver, state, 0, LIMIT, &value, NULL, NULL, NULL), 0);
    agon_negamax_close(solver);
    agon_rules_close(rules);
    return value;
}

/* Promise: whole games, as the tree and the literature have them (connect four on small boards:
 * Tromp's table of values by board size). */
static void test_whole_games(void** unused) {
    assert_true(solve("tic_tac_toe") == 0);
    assert_true(solve("connect_four(rows=4,cols=4)") == 0);
    assert_true(solve("connect_four(rows=5,cols=4)") == 0);
    assert_true(solve("connect_four(rows=4,cols=5)") == 0);
    assert_true(solve("connect_four(rows=4,cols=4,connect=3)") == 1);
}

/* The value by plain minimax without a table, bounds or an order, for the seat to move. */
static float plain(const agon_rules* rules, const uint64_t* state) {
    const int seat = __builtin_ctzll(rules->game->acting(rules->config, state));
    uint64_t mask[1] = {0};
    float best = -9;
    rules->game->legal(rules->config, state, seat, mask);
    for (int a = 0; a < rules->spec.actions; a++) {
        uint64_t next[4];
        uint16_t action[2] = {0};
        float reward[2] = {0};
        if (!agon_mask_has(mask, a))
            continue;
        memcpy(next, state, rules->spec.state_size);
        action[seat] = (uint16_t)a;
        assert_int_equal(rules->game->apply(rules->config, next, action, reward), 0);
        const float value =
            rules->game->acting(rules->config, next) ? -plain(rules, next) : reward[seat];
        best = value > best ? value : best;
    }
    return best;
}

/* Promise: the value of every position of random games, and of each action, is that of plain
 * minimax; the best action's value is the position's. One table serves all positions. */
static void check_positions(const char* game_string, int first_ply, int last_ply) {
    agon_rules* rules = open_rules(game_string);
    agon_negamax* solver = NULL;
    assert_true(rules->spec.state_size <= 32 && rules->spec.actions <= 16);
    assert_int_equal(agon_negamax_open(rules, TABLE, &solver, NULL), 0);
    for (uint32_t episode = 0; episode < 60; episode++) {
        uint64_t state[4];
        float value = 9, other = 9, each[16], best = -9;
        const int span = last_ply - first_ply + 1;
        if (!random_position(rules, episode, first_ply + (int)episode % span, state))
            continue;
        assert_int_equal(agon_negamax_solve(solver, state, 0, LIMIT, &value, each, NULL, NULL), 0);
        assert_int_equal(agon_negamax_solve(solver, state, 0, LIMIT, &other, NULL, NULL, NULL), 0);
        for (int a = 0; a < rules->spec.actions; a++)
            best = each[a] > best ? each[a] : best; /* NAN is not */
        assert_true(value == plain(rules, state));
        assert_true(value == other && value == best);
    }
    agon_negamax_close(solver);
    agon_rules_close(rules);
}

static void test_positions(void** unused) {
    check_positions("tic_tac_toe", 0, 8);
    check_positions("connect_four(rows=4,cols=4)", 7, 14);
    check_positions("connect_four", 32, 41);
}

/* ---- connect four with scores ------------------------------------------------------------- */

/* `attacker` can force a win within `plies` plies of a position that is not over: plain search. */
static bool forced(const agon_rules* rules, const uint64_t* state, int plies, int attacker) {
    const int seat = __builtin_ctzll(rules->game->acting(rules->config, state));
    const bool own = seat == attacker;
    uint64_t mask, next[7][4];
    float reward[2] = {0};
    if (plies < 1)
        return false;
    rules->game->legal(rules->config, state, seat, &mask);
    const int legal = agon_mask_count(&mask, 1);
    for (int k = 0; k < legal; k++) {
        uint16_t action[2] = {0};
        action[seat] = (uint16_t)agon_mask_nth(&mask, 1, k);
        memcpy(next[k], state, rules->spec.state_size);
        assert_int_equal(rules->game->apply(rules->config, next[k], action, reward), 0);
        if (!rules->game->acting(rules->config, next[k]) && (!own || reward[seat] > 0))
            return own;
    }
    for (int k = 0; k < legal; k++) {
        const bool over = !rules->game->acting(rules->config, next[k]);
        if ((!over && forced(rules, next[k], plies - 1, attacker)) == own)
            return own;
    }
    return !own;
}

/* Plays columns 1 .. 7. */
static void play_columns(const agon_rules* rules, const char* line, uint64_t* state) {
    float reward[2] = {0};
    rules->game->init(rules->config, state);
    for (int ply = 0; line[ply]; ply++) {
        uint16_t action[2] = {0};
        action[ply % 2] = (uint16_t)(line[ply] - '1');
        assert_int_equal(rules->game->apply(rules->config, state, action, reward), 0);
    }
}

/* A score s != 0 for the seat to move says who wins, with 22 - |s| stones of its own at the end:
 * no sooner, no later. */
static void check_score(const agon_rules* rules, const uint64_t* state, int plies, int score) {
    const int winner = score > 0 ? plies % 2 : 1 - plies % 2;
    const int missing = 22 - abs(score) - (plies + 1 - winner) / 2;
    const int length = 2 * missing - (score > 0);
    assert_true(forced(rules, state, length, winner));
    assert_false(forced(rules, state, length - 2, winner));
}

/* Promise: positions of Connect Four with scores, the first two published by Pons, all by a solver
 * with rules of its own: the winner is the solver's, of the position and where stated of each
 * column (score after it, turned), and the length is that of a plain search. */
static void test_connect_four_scores(void** unused) {
    const struct {
        const char* line;
        int score, column[7]; /* {0}: not stated */
    } known[] = {{"4455", 18, {0}},
                 {"44553", -18, {0}}, /* its winning columns */
                 {"44556", -18, {0}},
                 {"44455554221", -15, {-15, -15, -15, -15, -15, -15, -15}},
                 {"5544", 18, {0}},
                 {"4737", 18, {0}},
                 {"3643", 18, {0}},
                 {"32164625", 11, {0}},
                 {"243335424257", 12, {0}},
                 {"5512243243536", 13, {0}},
                 {"265756512", -12, {-16, -16, -16, -16, -12, -16, -16}},
                 {"51756773145177", -10, {0}},
                 {"43745416472735", -13, {0}},
                 {"17516442226766", 8, {0}}};
    agon_rules* rules = open_rules("connect_four");
    agon_negamax* solver = NULL;
    assert_int_equal(agon_negamax_open(rules, TABLE, &solver, NULL), 0);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const int plies = (int)strlen(known[i].line);
        uint64_t state[4], next[4];
        float value = 9, each[7];
        play_columns(rules, known[i].line, state);
        const bool stated = known[i].column[0] != 0;
        assert_int_equal(
            agon_negamax_solve(solver, state, 0, LIMIT, &value, stated ? each : NULL, NULL, NULL),
            0);
        assert_true(value == (known[i].score > 0 ? 1 : -1));
        check_score(rules, state, plies, known[i].score);
        for (int a = 0; a < 7 && stated; a++) {
            char line[16];
            assert_true(each[a] == -1); /* all of them are below 0 */
            snprintf(line, sizeof line, "%s%d", known[i].line, a + 1);
            play_columns(rules, line, next);
            check_score(rules, next, plies + 1, -known[i].column[a]);
        }
    }
    agon_negamax_close(solver);
    agon_rules_close(rules);
}

/* Promise: the limit of nodes holds and is an error; games that it cannot solve are refused. */
static void test_limits(void** unused) {
    agon_rules* rules = open_rules("connect_four");
    agon_negamax* solver = NULL;
    agon_error error = {0};
    uint64_t state[4], nodes = 0;
    float value = 9;
    assert_int_equal(agon_negamax_open(rules, TABLE, &solver, NULL), 0);
    rules->game->init(rules->config, state);
    assert_int_equal(agon_negamax_solve(solver, state, 0, 1000, &value, NULL, &nodes, &error),
                     AGON_ELIMIT);
    assert_in_range(nodes, 1000, 1001);
    assert_true(value == 9);
    agon_negamax_close(solver);
    agon_rules_close(rules);
    rules = open_rules("kuhn_poker");
    assert_int_equal(agon_negamax_open(rules, TABLE, &solver, &error), AGON_EUNSUPPORTED);
    agon_rules_close(rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_games),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_connect_four_scores),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
