/* test_perft.c: the counting modes against published numbers. */
#include "agents/perft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static agon_rules* start(const char* game_string, void** state) {
    agon_rules* rules = NULL;
    assert_int_equal(agon_rules_open(game_string, &rules, NULL), 0);
    *state = calloc(1, rules->spec.state_size);
    assert_non_null(*state);
    rules->game->init(rules->config, *state);
    return rules;
}

static uint64_t count(const char* game_string, int depth, agon_perft_mode mode) {
    void* state;
    uint64_t found = 0;
    agon_rules* rules = start(game_string, &state);
    assert_int_equal(agon_perft(rules, state, depth, mode, &found, NULL), 0);
    free(state);
    agon_rules_close(rules);
    return found;
}

static agon_perft_nodes tree(const char* game_string, int depth) {
    void* state;
    agon_perft_nodes found = {0, 0, 0};
    agon_rules* rules = start(game_string, &state);
    assert_int_equal(agon_perft_tree(rules, state, depth, &found, NULL), 0);
    free(state);
    agon_rules_close(rules);
    return found;
}

/* Promise: leaves are lines of exactly the depth; ends adds the games that ended before. */
static void test_leaves_and_ends(void** unused) {
    const uint64_t lines[] = {1, 7, 49, 343, 2401, 16807, 117649, 823536};
    for (int depth = 0; depth < 8; depth++)
        assert_int_equal(count("connect_four", depth, AGON_PERFT_LEAVES), lines[depth]);
    assert_int_equal(count("tic_tac_toe", 9, AGON_PERFT_LEAVES), 127872);
    assert_int_equal(count("tic_tac_toe", 9, AGON_PERFT_ENDS), 255168);
    assert_int_equal(count("tic_tac_toe", 12, AGON_PERFT_LEAVES), 0);
    assert_int_equal(count("tic_tac_toe", 12, AGON_PERFT_ENDS), 255168);
}

/* Promise: positions are counted once (OEIS A212693; 5,478 positions of tic-tac-toe). */
static void test_positions(void** unused) {
    const uint64_t positions[] = {1, 7, 49, 238, 1120, 4263, 16422};
    uint64_t all = 0;
    for (int depth = 0; depth < 7; depth++)
        assert_int_equal(count("connect_four", depth, AGON_PERFT_POSITIONS), positions[depth]);
    for (int depth = 0; depth <= 9; depth++)
        all += count("tic_tac_toe", depth, AGON_PERFT_POSITIONS);
    assert_int_equal(all, 5478);
}

/* Promise: trees are counted node by node, chance apart (OpenSpiel's counts). */
static void test_trees(void** unused) {
    const struct {
        const char* game;
        agon_perft_nodes nodes;
    } known[] = {
        {"kuhn_poker", {4, 24, 30}},
        {"kuhn_poker(players=3)", {17, 288, 312}},
        {"tic_tac_toe", {0, 294778, 255168}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const agon_perft_nodes found = tree(known[i].game, -1);
        assert_memory_equal(&found, &known[i].nodes, sizeof found);
    }
    const agon_perft_nodes cut = tree("tic_tac_toe", 2);
    assert_int_equal(cut.decisions, 1 + 9 + 72);
    assert_int_equal(cut.ends, 0);
}

/* Promise: seats that act together make one ply of all their combinations. */
static void test_joint_plies(void** unused) {
    assert_int_equal(count("spinning_top(levels=2,angles=3)", 1, AGON_PERFT_LEAVES), 36);
    const agon_perft_nodes found = tree("spinning_top(levels=2,angles=3)", -1);
    assert_int_equal(found.decisions, 1);
    assert_int_equal(found.ends, 36);
}

typedef struct division {
    const agon_rules* rules;
    int depth, children;
    uint64_t sum;
} division;

static int add_child(void* user, uint64_t acting, const uint16_t* action, const void* child) {
    division* d = (division*)user;
    uint64_t found = 0;
    assert_true(acting != 0);
    d->children++;
    assert_int_equal(agon_perft(d->rules, child, d->depth, AGON_PERFT_LEAVES, &found, NULL), 0);
    d->sum += found;
    return d->children == 40 ? 7 : 0;
}

/* Promise: the children's counts add up to the count; a callback may stop. */
static void test_children_add_up(void** unused) {
    void* state;
    agon_rules* rules = start("connect_four", &state);
    division d = {.rules = rules, .depth = 4};
    assert_int_equal(agon_perft_children(rules, state, add_child, &d, NULL), 0);
    assert_int_equal(d.children, 7);
    assert_int_equal(d.sum, 16807);
    d.children = 39;
    assert_int_equal(agon_perft_children(rules, state, add_child, &d, NULL), 7);
    free(state);
    agon_rules_close(rules);
}

static int refuse(const void* config, void* state, const uint16_t* action, float* reward) {
    return -1;
}

static void no_legal(const void* config, const void* state, int seat, uint64_t* mask) {
}

/* Promise: a game that contradicts itself is an error, in every mode. */
static void test_broken_games(void** unused) {
    void* state;
    agon_rules* rules = start("tic_tac_toe", &state);
    for (int broken = 0; broken < 2; broken++) {
        agon_game game = *rules->game;
        agon_rules other = *rules;
        agon_error error = {0};
        agon_perft_nodes nodes;
        uint64_t found = 17;
        other.game = &game;
        if (broken)
            game.legal = no_legal;
        else
            game.apply = refuse;
        for (int mode = AGON_PERFT_LEAVES; mode <= AGON_PERFT_POSITIONS; mode++)
            assert_int_equal(agon_perft(&other, state, 3, (agon_perft_mode)mode, &found, &error),
                             AGON_EINVALID);
        assert_int_equal(agon_perft_tree(&other, state, 3, &nodes, &error), AGON_EINVALID);
        assert_non_null(strstr(error.text, "tic_tac_toe"));
        assert_int_equal(found, 17);
    }
    free(state);
    agon_rules_close(rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaves_and_ends), cmocka_unit_test(test_positions),
        cmocka_unit_test(test_trees),           cmocka_unit_test(test_joint_plies),
        cmocka_unit_test(test_children_add_up), cmocka_unit_test(test_broken_games),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
