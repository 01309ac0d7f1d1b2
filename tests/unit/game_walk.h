/* game_walk.h: walks through random episodes of every game, for the tests of games. A new game is
 * added to `game_strings`, with several parameter sets. */
#ifndef AGON_TESTS_GAME_WALK_H
#define AGON_TESTS_GAME_WALK_H

#include "games/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { MAX_STATE = 8192, MAX_OBS = 8192, MAX_WORDS = 32, MAX_OUTCOMES = 4096 };

typedef struct walk {
    const agon_rules* rules;
    agon_key key;
    uint32_t episode;
    int ply, draw;   /* decisions and chance plies so far */
    uint64_t acting; /* who acts in `state` */
    uint16_t action[AGON_MAX_SEATS];
    float reward[AGON_MAX_SEATS]; /* returns so far */
    uint64_t state[MAX_STATE / 8];
} walk;

static inline bool acts(const walk* w, int seat) {
    return w->acting != AGON_CHANCE && (w->acting >> seat & 1);
}

/* Random actions for whoever acts, chance included. */
static inline void walk_choose(walk* w) {
    const agon_rules* rules = w->rules;
    if (w->acting == AGON_CHANCE) {
        w->action[0] = (uint16_t)agon_rules_chance(rules, w->state, w->key, w->episode,
                                                   (uint32_t)w->ply, (uint32_t)w->draw);
        return;
    }
    for (int seat = 0; seat < rules->spec.seats; seat++) {
        uint64_t mask[MAX_WORDS];
        if (!acts(w, seat))
            continue;
        rules->game->legal(rules->config, w->state, seat, mask);
        const uint32_t word =
            agon_random(w->key, w->episode, (uint32_t)w->ply, (uint32_t)seat, 0).word[0];
        const int count = agon_mask_count(mask, rules->mask_words);
        w->action[seat] = (uint16_t)agon_mask_nth(mask, rules->mask_words,
                                                  (int)agon_below(word, (uint32_t)count));
    }
}

static inline void walk_start(walk* w, const agon_rules* rules, uint32_t episode) {
    memset(w, 0, sizeof *w);
    assert_in_range(rules->spec.state_size, 8, MAX_STATE);
    assert_in_range(rules->obs_bytes, 1, MAX_OBS);
    assert_in_range(rules->mask_words, 1, MAX_WORDS);
    w->rules = rules;
    w->key = agon_key_make(1, "suite", AGON_FOR_TEST);
    w->episode = episode;
    rules->game->init(rules->config, w->state);
    w->acting = rules->game->acting(rules->config, w->state);
    walk_choose(w);
}

/* Plays the chosen actions. */
static inline void walk_apply(walk* w) {
    const agon_rules* rules = w->rules;
    assert_int_equal(rules->game->apply(rules->config, w->state, w->action, w->reward), 0);
    if (w->acting == AGON_CHANCE)
        w->draw++;
    else
        w->ply++;
    w->acting = rules->game->acting(rules->config, w->state);
}

static inline void walk_next(walk* w) {
    walk_apply(w);
    if (w->acting)
        walk_choose(w);
}

static inline void observe(const walk* w, int seat, uint8_t* out) {
    memset(out, 0, MAX_OBS);
    w->rules->game->observe(w->rules->config, w->state, seat, out);
}

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
#define EPISODES     20

/* AGON_GAMES="nim;hex(board_size=5)" in the environment: only those, for who is writing a game. */
static inline bool game_is_wanted(const char* game_string) {
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

/* Calls `check` at every position of EPISODES random episodes of every game string, ends included
 * (acting == 0), with the next actions already chosen. */
static inline void for_each_position(void (*check)(const walk* w)) {
    for (int i = 0; i < GAME_STRINGS; i++) {
        agon_rules* rules = NULL;
        agon_error error = {0};
        if (!game_is_wanted(game_strings[i]))
            continue;
        if (agon_rules_open(game_strings[i], &rules, &error) != 0)
            fail_msg("%s: %s", game_strings[i], error.text);
        for (uint32_t episode = 0; episode < EPISODES; episode++) {
            walk w;
            for (walk_start(&w, rules, episode); w.acting; walk_next(&w))
                check(&w);
            check(&w);
        }
        agon_rules_close(rules);
    }
}

#endif
