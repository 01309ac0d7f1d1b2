/* test_games.c: every built-in keeps the promises of agon_game.h, with several parameter sets each:
 * the checker (games/check.h) asks at the positions of some episodes. Here it runs in this process,
 * so that sanitizers see what games do. A new game is added to `game_strings`. */
#include "games/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char* const game_strings[] = {
    "backgammon",
    "backgammon(hyper_backgammon=true)",
    "backgammon(hyper_backgammon=true,scoring_type=full_scoring,max_player_turns=3)",
    "backgammon(scoring_type=enable_gammons,max_player_turns=40)",
    "backgammon(scoring_type=full_scoring)",
    "backgammon(max_player_turns=1)",
    "blotto",
    "blotto(coins=1,fields=2)",
    "blotto(coins=3,fields=3)",
    "blotto(coins=5,fields=4)",
    "blotto(coins=4,fields=8)",
    "blotto(coins=30,fields=3)",
    "breakthrough",
    "breakthrough(rows=3,cols=3)",
    "breakthrough(rows=4,cols=12)",
    "breakthrough(rows=6,cols=6)",
    "breakthrough(rows=10,cols=2)",
    "breakthrough(rows=5,cols=9)",
    "connect_four",
    "connect_four(rows=4,cols=5,connect=3)",
    "connect_four(rows=10,cols=4,connect=6)",
    "connect_four(rows=5,cols=10,connect=5)",
    "connect_four(rows=4,cols=4)",
    "connect_four(rows=7,cols=8)",
    "dark_hex",
    "dark_hex(board_size=2)",
    "dark_hex(board_size=4,obstype=reveal-numturns)",
    "dark_hex(gameversion=adh)",
    "dark_hex(num_rows=2,num_cols=3,gameversion=adh,obstype=reveal-numturns)",
    "dark_hex(num_rows=8,num_cols=9)",
    "dark_hex(board_size=11,gameversion=adh)",
    "go",
    "go(board_size=5)",
    "go(board_size=5,komi=3)",
    "go(board_size=6,komi=-2.5)",
    "go(board_size=7,komi=0)",
    "go(board_size=8)",
    "go(board_size=10,komi=5.5)",
    "gomoku",
    "gomoku(size=5)",
    "gomoku(size=6,connect=3)",
    "gomoku(size=8,connect=4)",
    "gomoku(size=7,connect=7)",
    "gomoku(size=10,connect=6)",
    "goofspiel",
    "goofspiel(cards=2)",
    "goofspiel(cards=4,imp_info=true,points_order=descending)",
    "goofspiel(cards=7,points_order=ascending,returns_type=point_difference)",
    "goofspiel(cards=16,imp_info=true,returns_type=total_points)",
    "goofspiel(players=3,cards=8,imp_info=true)",
    "goofspiel(players=3,cards=5,returns_type=point_difference)",
    "goofspiel(players=10,cards=9,points_order=descending)",
    "hex",
    "hex(board_size=3)",
    "hex(board_size=4)",
    "hex(board_size=5)",
    "hex(board_size=8)",
    "hex(board_size=13)",
    "iterated",
    "iterated(stage=rps,rounds=1)",
    "iterated(stage=rpsls,rounds=100)",
    "iterated(stage=matching_pennies,rounds=3)",
    "iterated(stage=battle_of_the_sexes,rounds=40)",
    "iterated(stage=shapley)",
    "kuhn_poker",
    "kuhn_poker(players=3)",
    "kuhn_poker(players=4)",
    "kuhn_poker(players=5)",
    "kuhn_poker(players=7)",
    "kuhn_poker(players=10)",
    "leduc_poker",
    "leduc_poker(players=3)",
    "leduc_poker(players=4)",
    "leduc_poker(players=5)",
    "leduc_poker(players=7)",
    "leduc_poker(players=10)",
    "liars_dice",
    "liars_dice(dice=2,faces=3)",
    "liars_dice(dice=5)",
    "liars_dice(dice=3,faces=4,bidding_rule=reset-quantity)",
    "liars_dice(dice=1,faces=2)",
    "liars_dice(players=3,dice=2)",
    "liars_dice(players=4,dice=5,bidding_rule=reset-quantity)",
    "liars_dice(players=6,dice=10,faces=2)",
    "matrix",
    "matrix(name=rps)",
    "matrix(name=rpsls)",
    "matrix(name=matching_pennies)",
    "matrix(name=prisoners_dilemma)",
    "matrix(name=chicken)",
    "matrix(name=stag_hunt)",
    "matrix(name=battle_of_the_sexes)",
    "matrix(name=shapley)",
    "matrix_file",
    "matrix_file(path=tests/data/matrix_commons.txt)",
    "matrix_file(path=tests/data/matrix_rectangle.txt)",
    "matrix_file(path=tests/data/matrix_lonely.txt)",
    "matrix_file(path=tests/data/matrix_serve.txt)",
    "matrix_file(path=tests/data/matrix_gambit.nfg)",
    "negotiation",
    "negotiation(enable_utterances=false)",
    "negotiation(num_items=1,num_symbols=2,utterance_dim=1)",
    "negotiation(num_items=2,enable_utterances=false)",
    "negotiation(num_items=4,num_symbols=3,utterance_dim=4)",
    "negotiation(num_items=2,num_symbols=10,utterance_dim=2)",
    "nim",
    "nim(is_misere=false)",
    "nim(pile_sizes=1)",
    "nim(pile_sizes=12,is_misere=false)",
    "nim(pile_sizes=9+4+9)",
    "nim(pile_sizes=70+3)",
    "nim(pile_sizes=20+20+20+20+20+20+20,is_misere=false)",
    "nim(pile_sizes=1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+2)",
    "oshi_zumo",
    "oshi_zumo(coins=6,size=2)",
    "oshi_zumo(coins=10,size=1,alesia=true)",
    "oshi_zumo(coins=20,size=4,min_bid=1)",
    "oshi_zumo(coins=9,size=2,min_bid=4,horizon=3)",
    "oshi_zumo(coins=200,size=50,horizon=60)",
    "oshi_zumo(coins=1,size=1,horizon=1)",
    "othello",
    "othello(rows=4,cols=4)",
    "othello(rows=6,cols=6)",
    "othello(rows=4,cols=8)",
    "othello(rows=8,cols=4)",
    "othello(rows=6,cols=4)",
    "othello(rows=8,cols=6)",
    "oware",
    "oware(num_houses_per_player=1,num_seeds_per_house=9)",
    "oware(num_houses_per_player=2,num_seeds_per_house=1)",
    "oware(num_houses_per_player=3,num_seeds_per_house=3)",
    "oware(num_houses_per_player=4,num_seeds_per_house=7,horizon=60)",
    "oware(num_houses_per_player=5,num_seeds_per_house=2)",
    "oware(num_houses_per_player=7,num_seeds_per_house=4)",
    "oware(num_houses_per_player=8,num_seeds_per_house=15)",
    "phantom_ttt",
    "phantom_ttt(obstype=reveal-numturns)",
    "phantom_ttt(gameversion=abrupt)",
    "phantom_ttt(gameversion=abrupt,obstype=reveal-numturns)",
    "pig",
    "pig(players=3,winscore=20,diceoutcomes=4)",
    "pig(piglet=true,winscore=10)",
    "pig(horizon=9,winscore=30)",
    "pig(players=10,winscore=5)",
    "pig(winscore=1,horizon=1,diceoutcomes=2)",
    "pong",
    "pong(points=1,skip=1)",
    "pong(points=2,horizon=7,skip=16)",
    "pong(points=100,horizon=150,skip=8,paddle=1,serves=64)",
    "pong(paddle=8,serves=1,horizon=200)",
    "pong(points=3,skip=2,paddle=5,serves=3)",
    "slime_volley",
    "slime_volley(points=1,skip=1)",
    "slime_volley(points=2,horizon=9,skip=16)",
    "slime_volley(points=100,horizon=150,skip=8,serves=64)",
    "slime_volley(serves=1,horizon=200,skip=2)",
    "slime_volley(points=3,skip=5,serves=3)",
    "pursuit",
    "pursuit(predators=1,prey=1,size=5,pillars=false,horizon=10,predator_rest=1)",
    "pursuit(predators=3,prey=2,size=8,predator_rest=0)",
    "pursuit(predators=4,prey=4,size=15,predator_rest=4,prey_rest=5)",
    "pursuit(predators=7,prey=1,size=6,walls=false,horizon=33)",
    "pursuit(predators=1,prey=7,size=11,walls=false,pillars=false,prey_rest=2)",
    "snake_arena",
    "snake_arena(players=2,size=5,horizon=7)",
    "snake_arena(players=3,size=8,corpses=vanish)",
    "snake_arena(players=4,size=10,corpses=stone,food=3)",
    "snake_arena(players=5,size=6,walls=false)",
    "snake_arena(players=8,size=15,food=16)",
    "snake_arena(players=8,size=5,walls=false,corpses=stone,food=1)",
    "spinning_top",
    "spinning_top(g=0)",
    "spinning_top(g=0.25)",
    "spinning_top(g=0.9,levels=5,angles=7)",
    "spinning_top(g=1,levels=2,angles=3)",
    "spinning_top(levels=16,angles=16)",
    "tic_tac_toe",
    "tron",
    "tron(players=2,size=4)",
    "tron(players=2,size=14)",
    "tron(players=3,size=6)",
    "tron(players=4,size=5)",
    "tron(players=4,size=14)",
};
#define GAME_STRINGS ((int)(sizeof game_strings / sizeof game_strings[0]))

/* AGON_GAMES="nim;hex(board_size=5)" in the environment: only those, for who is writing a game. */
static bool is_wanted(const char* game_string) {
    const char* only = getenv("AGON_GAMES");
    const size_t length = strlen(game_string);
    if (!only)
        return true;
    for (const char* at = only; (at = strstr(at, game_string)); at += length) {
        if ((at == only || at[-1] == ';') && (at[length] == ';' || !at[length]))
            return true;
    }
    return false;
}

/* Promise: the suite covers every built-in. */
static void test_every_game_is_here(void** unused) {
    for (int i = 0; agon_game_at(i); i++) {
        const char* name = agon_game_at(i)->name;
        bool found = false;
        for (int j = 0; j < GAME_STRINGS; j++)
            found |= strcmp(game_strings[j], name) == 0;
        if (!found)
            fail_msg("%s is not in game_strings", name);
    }
}

/* Enough positions for some ends, also of long games. */
static agon_check_report* check(const char* game_string) {
    agon_check_report* report = NULL;
    agon_error error = {0};
    agon_rules* rules = NULL;
    if (agon_rules_open(game_string, &rules, &error) != 0)
        fail_msg("%s: %s", game_string, error.text);
    const uint64_t plies = (uint64_t)rules->spec.max_plies;
    const agon_check_options options = {
        .seconds = 1e6, .positions = 600 + 4 * (plies < 1000 ? plies : 1000), .here = true};
    agon_rules_close(rules);
    if (agon_check_game(game_string, &options, &report, &error) != 0)
        fail_msg("%s: %s", game_string, error.text);
    return report;
}

static const agon_check_result* find(const agon_check_report* report, const char* rule) {
    for (int i = 0; i < report->count; i++)
        if (strcmp(report->result[i].rule, rule) == 0)
            return &report->result[i];
    return NULL;
}

/* Games that hide something: whether it was ever replaced; some parameters hide nothing. */
static bool hides[64], replaced[64];

static void note_hiding(const char* game_string, const agon_check_report* report) {
    const size_t length = strcspn(game_string, "(");
    const agon_check_result* leaks = find(report, "leaks");
    for (int i = 0; agon_game_at(i); i++) {
        const char* name = agon_game_at(i)->name;
        if (strlen(name) != length || strncmp(name, game_string, length) != 0)
            continue;
        hides[i] |= leaks->status != AGON_CHECK_SKIPPED;
        replaced[i] |= leaks->status == AGON_CHECK_PASSED;
    }
}

/* Promise: no rule is broken; what is asked at ends was asked; seats that are said to be alike are
 * so past chance, too. */
static void test_promises_are_kept(void** unused) {
    for (int i = 0; i < GAME_STRINGS; i++) {
        if (!is_wanted(game_strings[i]))
            continue;
        agon_check_report* report = check(game_strings[i]);
        for (int rule = 0; rule < report->count; rule++) {
            const agon_check_result* r = &report->result[rule];
            if (r->status == AGON_CHECK_FAILED)
                fail_msg("%s breaks %s: %s; line %s", game_strings[i], r->rule, r->text, r->line);
        }
        assert_true(find(report, "replay")->asked > 0);
        assert_int_not_equal(find(report, "seats")->status, AGON_CHECK_WARNED);
        note_hiding(game_strings[i], report);
        agon_check_close(report);
    }
    for (int i = 0; agon_game_at(i) && !getenv("AGON_GAMES"); i++) {
        if (hides[i] && !replaced[i])
            fail_msg("%s: resample changed nothing", agon_game_at(i)->name);
    }
}

/* Promise: bounds on plies that are claimed to be tight are. */
static void test_bounds_are_tight(void** unused) {
    const char* const tight[] = {"matrix",
                                 "spinning_top",
                                 "tic_tac_toe",
                                 "kuhn_poker",
                                 "kuhn_poker(players=3)",
                                 "leduc_poker",
                                 "connect_four(rows=4,cols=4)",
                                 "negotiation",
                                 "dark_hex",
                                 "hex(board_size=3)",
                                 "pig(horizon=9,winscore=30)"};
    for (size_t i = 0; i < sizeof tight / sizeof tight[0]; i++) {
        const agon_check_options options = {
            .seconds = 1e6, .positions = 20000, .only = "plies", .here = true};
        agon_check_report* report = NULL;
        if (!is_wanted(tight[i]))
            continue;
        assert_int_equal(agon_check_game(tight[i], &options, &report, NULL), 0);
        if (report->longest != report->max_plies)
            fail_msg("%s: longest %d of %d plies", tight[i], report->longest, report->max_plies);
        agon_check_close(report);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_game_is_here),
        cmocka_unit_test(test_promises_are_kept),
        cmocka_unit_test(test_bounds_are_tight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
