/* test_games_dice.c: pig, backgammon and negotiation against numbers and rules from elsewhere. Some
 * tests set up positions; the layouts of states are written out here once more for that. */
#include "games/rules.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { MAX_STATE = 64, MAX_WORDS = 32, MAX_OBS = 1024 };

static agon_rules* open_game(const char* string) {
    agon_rules* rules = NULL;
    assert_int_equal(agon_rules_open(string, &rules, NULL), 0);
    assert_in_range(rules->spec.state_size, 8, MAX_STATE);
    assert_in_range(rules->mask_words, 1, MAX_WORDS);
    assert_in_range(rules->obs_bytes, 1, MAX_OBS);
    return rules;
}

/* Plays `action` for whoever acts; at a chance node it is the outcome. */
static int play(const agon_rules* rules, void* state, int action, float* reward) {
    uint16_t all[AGON_MAX_SEATS];
    for (int i = 0; i < AGON_MAX_SEATS; i++)
        all[i] = (uint16_t)action;
    return rules->game->apply(rules->config, state, all, reward);
}

static uint64_t acting(const agon_rules* rules, const void* state) {
    return rules->game->acting(rules->config, state);
}

/* Number of legal actions of the seat that acts, and their mask. */
static int legal(const agon_rules* rules, const void* state, uint64_t* mask) {
    const int seat = __builtin_ctzll(acting(rules, state));
    rules->game->legal(rules->config, state, seat, mask);
    return agon_mask_count(mask, rules->mask_words);
}

/* ---- pig ------------------------------------------------------------------------------------ */

typedef struct pig_state {
    uint32_t plies;
    uint16_t total;
    uint8_t turn, phase;
    uint16_t score[10];
    uint8_t unused[4];
} pig_state;

/* Chance to win of the seat that moves, by [own score][other score][total]. */
typedef double pig_table[100][100][100];

/* The same after a ply, for the seat that moved. */
static double pig_after(const pig_table v, const pig_state* s, int mover) {
    const int me = s->score[s->turn], other = s->score[1 - s->turn];
    const double win = me + s->total >= 100 ? 1 : v[me][other][s->total];
    return s->turn == mover ? win : 1 - win;
}

/* The better of rolling and stopping, played through the game. `shift` is 100 less the score that
 * wins, so that small games share the table. */
static double pig_best(const agon_rules* rules, const pig_table v, int me, int other, int total,
                       int shift) {
    pig_state s = {.total = (uint16_t)total,
                   .score = {(uint16_t)(me - shift), (uint16_t)(other - shift)}};
    pig_state stop = s, rolls = s;
    float reward[2] = {0};
    double prob[64], win = 0;
    play(rules, &stop, 1, reward);
    stop.score[0] = (uint16_t)(stop.score[0] + shift);
    stop.score[1] = (uint16_t)(stop.score[1] + shift);
    const double stops = reward[0] > 0 ? 1 : pig_after(v, &stop, 0);
    assert_int_equal(play(rules, &rolls, 0, reward), 0);
    const int count = rules->game->chance(rules->config, &rolls, prob);
    for (int k = 0; k < count; k++) {
        pig_state next = rolls;
        play(rules, &next, k, reward);
        next.score[0] = (uint16_t)(next.score[0] + shift);
        next.score[1] = (uint16_t)(next.score[1] + shift);
        win += prob[k] * pig_after(v, &next, 0);
    }
    return win > stops ? win : stops;
}

/* One sweep over the totals of a pair of scores, from high to low: the largest change. */
static double pig_sweep(const agon_rules* rules, pig_table v, int me, int other, int low) {
    double change = 0;
    for (int total = 99 - me; total >= 0; total--) {
        const double value = pig_best(rules, v, me, other, total, low);
        change = fmax(change, fabs(value - v[me][other][total]));
        v[me][other][total] = value;
    }
    return change;
}

/* Value iteration. Scores only grow, so that two pairs, (i, j) and (j, i), hang together, and on
 * pairs with a greater sum. */
static void pig_iterate(const agon_rules* rules, pig_table v, int goal) {
    const int low = 100 - goal;
    memset(v, 0, sizeof(pig_table));
    for (int sum = 198; sum >= 2 * low; sum--) {
        for (int i = sum - 99 > low ? sum - 99 : low; 2 * i <= sum; i++) {
            double change = 1;
            while (change > 1e-7)
                change =
                    pig_sweep(rules, v, i, sum - i, low) + pig_sweep(rules, v, sum - i, i, low);
        }
    }
}

/* Promise: the first of two seats that play pig to 100 at best wins with probability .5306 (Neller
 * and Presser, "Optimal play of the dice game Pig", 2004). */
static void test_pig_optimal_value(void** unused) {
    agon_rules* rules = open_game("pig");
    pig_table* v = (pig_table*)malloc(sizeof *v);
    assert_int_equal(rules->spec.state_size, sizeof(pig_state));
    pig_iterate(rules, *v, 100);
    assert_true(fabs((*v)[0][0][0] - 0.5306) < 5e-5);
    free(v);
    agon_rules_close(rules);
}

/* Promise: Piglet to 2 with a coin has the values of the same paper, in fractions. */
static void test_piglet_values(void** unused) {
    agon_rules* rules = open_game("pig(winscore=2,diceoutcomes=2,piglet=true)");
    pig_table* v = (pig_table*)malloc(sizeof *v);
    pig_iterate(rules, *v, 2);
    assert_true(fabs((*v)[98][98][0] - 4.0 / 7) < 1e-6);
    assert_true(fabs((*v)[98][98][1] - 5.0 / 7) < 1e-6);
    assert_true(fabs((*v)[98][99][0] - 2.0 / 5) < 1e-6);
    assert_true(fabs((*v)[98][99][1] - 3.0 / 5) < 1e-6);
    assert_true(fabs((*v)[99][98][0] - 4.0 / 5) < 1e-6);
    assert_true(fabs((*v)[99][99][0] - 2.0 / 3) < 1e-6);
    free(v);
    agon_rules_close(rules);
}

/* The value of pig to 10 with four faces by the rules as text: no game is called. */
static double pig_by_rules(void) {
    static double v[10][10][10];
    for (int sweep = 0; sweep < 500; sweep++) {
        for (int cell = 0; cell < 1000; cell++) {
            const int i = cell / 100, j = cell / 10 % 10, k = cell % 10;
            double roll = (1 - v[j][i][0]) / 4;
            if (i + k >= 10)
                continue;
            for (int face = 2; face <= 4; face++)
                roll += (i + k + face >= 10 ? 1 : v[i][j][k + face]) / 4;
            v[i][j][k] = fmax(roll, 1 - v[j][i + k][0]);
        }
    }
    return v[0][0][0];
}

/* Promise: the game's chances and turns are those of the rules. */
static void test_pig_small_value(void** unused) {
    agon_rules* rules = open_game("pig(winscore=10,diceoutcomes=4)");
    pig_table* v = (pig_table*)malloc(sizeof *v);
    pig_iterate(rules, *v, 10);
    assert_true(fabs((*v)[90][90][0] - pig_by_rules()) < 1e-6);
    free(v);
    agon_rules_close(rules);
}

/* Promise: with three seats, the winner gets 1, the others -1/2 each; who has enough has to stop;
 * the next seat follows after a 1; the horizon ends it all with 0, a die in the air included. */
static void test_pig_rules(void** unused) {
    agon_rules* rules = open_game("pig(players=3,winscore=7,horizon=6)");
    pig_state s;
    uint64_t mask[MAX_WORDS];
    float reward[3] = {0};
    rules->game->init(rules->config, &s);
    assert_int_equal(play(rules, &s, 0, reward), 0);
    assert_int_equal(play(rules, &s, 6, reward), -1);
    assert_int_equal(play(rules, &s, 0, reward), 0); /* a 1 */
    assert_int_equal(acting(rules, &s), 2);
    for (int outcome = 5; outcome > 0; outcome -= 4) { /* 6 and 2 */
        assert_int_equal(legal(rules, &s, mask), 2);
        assert_int_equal(play(rules, &s, 0, reward), 0);
        assert_int_equal(play(rules, &s, outcome, reward), 0);
    }
    assert_int_equal(legal(rules, &s, mask), 1);
    assert_int_equal(play(rules, &s, 0, reward), -1);
    pig_state won = s;
    assert_int_equal(play(rules, &won, 1, reward), 0);
    assert_int_equal(acting(rules, &won), 0);
    assert_true(reward[0] == -0.5f && reward[1] == 1 && reward[2] == -0.5f);
    s.plies = 5;
    s.total = 0;
    assert_int_equal(play(rules, &s, 0, reward), 0);
    assert_int_equal(acting(rules, &s), 0);
    assert_true(reward[0] == -0.5f && reward[1] == 1 && reward[2] == -0.5f);
    agon_rules_close(rules);
}

/* ---- backgammon: rules once more ------------------------------------------------------------ */

enum { BAR = 24, NONE = 25, OPENS = 0, ROLLS = 1, MOVES = 2, AGAIN = 3 };

typedef struct board {
    uint8_t point[2][24], bar[2], off[2], die[2], mover, phase;
    uint16_t turns;
    uint8_t unused[6];
} board;

/* Whether one rule set of a single die lets `b`'s mover take a checker from `from`; if so, does. */
static bool step(board* b, int from, int die) {
    uint8_t *mine = b->point[b->mover], *theirs = b->point[1 - b->mover];
    const int to = from == BAR ? die - 1 : from + die;
    int behind = 0, above = 0;
    if (from == BAR ? b->bar[b->mover] == 0 : b->bar[b->mover] > 0 || mine[from] == 0)
        return false;
    for (int i = 0; i < 18; i++)
        behind += mine[i];
    for (int i = 18; i < from && i < 24; i++)
        above += mine[i];
    if (to < 24 && theirs[23 - to] >= 2)
        return false;
    if (to > 23 && (behind > 0 || (to > 24 && above > 0)))
        return false;
    if (from == BAR)
        b->bar[b->mover]--;
    else
        mine[from]--;
    if (to > 23) {
        b->off[b->mover]++;
        return true;
    }
    mine[to]++;
    if (theirs[23 - to] == 1) {
        theirs[23 - to] = 0;
        b->bar[1 - b->mover]++;
    }
    return true;
}

/* Sets the bits of all plies with `dice` dice, played in both orders. Returns how many. */
static int plies_with(const board* b, int dice, uint64_t* mask) {
    int count = 0;
    memset(mask, 0, 22 * 8);
    for (int action = 0; action < 1352; action++) {
        const int order = action / 676, first = action % 26, second = action % 676 / 26;
        board next = *b;
        bool fits = (first != NONE) + (second != NONE) == dice && (first != NONE || dice == 0);
        if (order && b->die[0] == b->die[1] && dice > 0)
            fits = false;
        if (fits && dice > 0)
            fits = step(&next, first, b->die[order]);
        if (fits && dice > 1)
            fits = step(&next, second, b->die[1 - order]);
        if (!fits || (dice == 0 && !order))
            continue;
        mask[action / 64] |= 1ull << action % 64;
        count++;
    }
    return count;
}

/* As many dice as can be; of single ones, the higher. */
static void plies_by_rules(const board* b, uint64_t* mask) {
    if (plies_with(b, 2, mask))
        return;
    if (!plies_with(b, 1, mask)) {
        plies_with(b, 0, mask);
        return;
    }
    bool high = false;
    for (int action = 0; action < 676; action++)
        high |= mask[action / 64] >> action % 64 & 1;
    for (int action = 676; action < 1352 && high; action++)
        mask[action / 64] &= ~(1ull << action % 64);
}

/* The board after `action`, but for dice, phase and turns. */
static board after(const board* b, int action) {
    const int order = action / 676, first = action % 26, second = action % 676 / 26;
    board next = *b;
    if (first != NONE)
        assert_true(step(&next, first, b->die[order]));
    if (second != NONE)
        assert_true(step(&next, second, b->die[1 - order]));
    return next;
}

/* Promise: at every decision of random games the mask is what a search by the rules finds, and
 * playing moves, hits and takes off the checkers that it should. */
static void test_backgammon_rules(void** unused) {
    const char* games[] = {"backgammon", "backgammon(hyper_backgammon=true)"};
    const agon_key key = agon_key_make(5, "rules", AGON_FOR_TEST);
    for (uint32_t game = 0; game < 300; game++) {
        agon_rules* rules = open_game(games[game % 2]);
        board b;
        float reward[2];
        assert_int_equal(rules->spec.state_size, sizeof b);
        uint64_t seats = agon_rules_start(rules, &b, reward, key, game);
        for (uint32_t ply = 0; seats; ply++) {
            uint64_t mask[MAX_WORDS], expected[MAX_WORDS];
            const int count = legal(rules, &b, mask);
            plies_by_rules(&b, expected);
            assert_memory_equal(mask, expected, 22 * 8);
            const uint32_t word = agon_random(key, game, ply, 0, 0).word[0];
            const int action = agon_mask_nth(mask, 22, (int)agon_below(word, (uint32_t)count));
            const board next = after(&b, action);
            assert_int_equal(play(rules, &b, action, reward), 0);
            assert_memory_equal(&b, &next, offsetof(board, die));
            seats = agon_rules_settle(rules, &b, reward, key, game, ply + 1);
        }
        agon_rules_close(rules);
    }
}

/* Legal plies of the first decision, by roll. */
static int backgammon_opening(const agon_rules* rules, int* by_roll) {
    int all = 0;
    for (int roll = 0; roll < 30; roll++) {
        board b;
        uint64_t mask[MAX_WORDS];
        float reward[2];
        rules->game->init(rules->config, &b);
        assert_int_equal(play(rules, &b, roll, reward), 0);
        by_roll[roll] = legal(rules, &b, mask);
        all += by_roll[roll];
    }
    return all;
}

/* Legal plies after every first ply and every roll. */
static long backgammon_second(const agon_rules* rules) {
    long all = 0;
    for (int roll = 0; roll < 30; roll++) {
        board b;
        uint64_t mask[MAX_WORDS], ignored[MAX_WORDS];
        float reward[2] = {0};
        rules->game->init(rules->config, &b);
        play(rules, &b, roll, reward);
        const int count = legal(rules, &b, mask);
        for (int i = 0; i < 36 * count; i++) {
            board next = b;
            assert_int_equal(play(rules, &next, agon_mask_nth(mask, 22, i / 36), reward), 0);
            assert_int_equal(play(rules, &next, i % 36, reward), 0);
            all += legal(rules, &next, ignored);
        }
    }
    return all;
}

/* Promise: as many plies as OpenSpiel 2.0.2 lists, by opening roll and after two plies. */
static void test_backgammon_counts(void** unused) {
    const int opening[15] = {30, 31, 27, 15, 19, 35, 37, 17, 28, 34, 18, 28, 18, 28, 14};
    int by_roll[30];
    agon_rules* rules = open_game("backgammon");
    assert_int_equal(backgammon_opening(rules, by_roll), 758);
    for (int roll = 0; roll < 30; roll++)
        assert_int_equal(by_roll[roll], opening[roll / 2]);
    assert_int_equal(backgammon_second(rules), 665634);
    agon_rules_close(rules);
    rules = open_game("backgammon(hyper_backgammon=true)");
    assert_int_equal(backgammon_opening(rules, by_roll), 510);
    assert_int_equal(backgammon_second(rules), 286110);
    agon_rules_close(rules);
}

/* ---- backgammon: single positions ----------------------------------------------------------- */

/* A position of seat 0 with the dice; both seats hold what is listed, as point (24..1) and count
 * in turn, and have the rest of 15 checkers off. */
static board position(const char* mine, const char* theirs, int high, int low) {
    board b = {.die = {(uint8_t)high, (uint8_t)low}, .phase = MOVES, .turns = 9, .off = {15, 15}};
    const char* text[2] = {mine, theirs};
    for (int seat = 0; seat < 2; seat++) {
        int point, count, length;
        for (; sscanf(text[seat], "%d:%d%n", &point, &count, &length) == 2; text[seat] += length) {
            *(point == 25 ? &b.bar[seat] : &b.point[seat][24 - point]) = (uint8_t)count;
            b.off[seat] = (uint8_t)(b.off[seat] - count);
        }
    }
    return b;
}

/* The legal plies of a position are the ones named, no more. */
static void expect_plies(const agon_rules* rules, const board* b, int count, const char* names[]) {
    uint64_t mask[MAX_WORDS];
    assert_int_equal(legal(rules, b, mask), count);
    for (int i = 0; i < count; i++)
        assert_true(agon_action_find(rules, b, 0, names[i]) >= 0);
}

/* Promise: both dice must be used if they can be, in whatever order that takes; if only one, the
 * higher; the bar comes first; no move is a ply of its own. */
static void test_backgammon_forced_plies(void** unused) {
    agon_rules* rules = open_game("backgammon");
    /* 10/5 is possible but leaves nothing for the 6, as 18 and 6 are blocked. */
    board b = position("24:1 10:1", "19:2 13:2 7:5", 6, 5);
    expect_plies(rules, &b, 3, (const char*[]){"65:10/4,24/19", "56:24/19,19/13", "56:24/19,10/4"});
    /* Either die alone, and then nothing, as 3 is blocked: it must be the 6. */
    b = position("12:1", "22:2", 6, 3);
    expect_plies(rules, &b, 1, (const char*[]){"63:12/6,none"});
    /* The 6 is blocked at once and after the 1. */
    b = position("20:1", "11:2 12:2", 6, 1);
    expect_plies(rules, &b, 1, (const char*[]){"16:20/19,none"});
    /* Two on the bar, of which one can enter: 6/1 has to wait. */
    b = position("25:2 6:2", "5:2", 6, 5);
    expect_plies(rules, &b, 1, (const char*[]){"65:bar/19,none"});
    /* One on the bar, which enters with either die; 18 is blocked. */
    b = position("25:1 8:1", "7:2", 6, 1);
    expect_plies(rules, &b, 2, (const char*[]){"61:bar/19,8/7", "16:bar/24,8/2"});
    /* A closed board. */
    b = position("25:1 6:2", "1:2 2:2 3:2 4:2 5:2 6:2", 3, 1);
    expect_plies(rules, &b, 1, (const char*[]){"13:none,none"});
    assert_int_equal(agon_action_find(rules, &b, 0, "13:none,none"), 1351);
    agon_rules_close(rules);
}

/* Promise: checkers leave by the exact number, or by more from the highest point, and only when all
 * are home; the second checker may leave when the first one came home. */
static void test_backgammon_bearing_off(void** unused) {
    agon_rules* rules = open_game("backgammon");
    board b = position("5:1 3:1", "7:2", 6, 2);
    expect_plies(rules, &b, 3, (const char*[]){"62:5/off,3/1", "26:5/3,3/off", "26:3/1,5/off"});
    b = position("7:1 2:1", "7:2", 5, 2);
    expect_plies(rules, &b, 2, (const char*[]){"52:7/2,2/off", "25:7/5,5/off"});
    b = position("8:1 4:1", "7:2", 4, 1);
    expect_plies(rules, &b, 3, (const char*[]){"41:8/4,4/3", "14:8/7,7/3", "14:4/3,8/4"});
    b = position("6:2 2:1", "24:2", 5, 5); /* 6/1 is blocked, and 6 is higher than 2 */
    expect_plies(rules, &b, 1, (const char*[]){"55:none,none"});
    agon_rules_close(rules);
}

static void play_name(const agon_rules* rules, board* b, const char* name, float* reward) {
    assert_int_equal(play(rules, b, agon_action_find(rules, b, b->mover, name), reward), 0);
}

/* Promise: a double is played twice only if both dice were used the first time, and is one turn;
 * what is hit goes to the bar and must enter. */
static void test_backgammon_doubles_and_hits(void** unused) {
    agon_rules* rules = open_game("backgammon");
    uint64_t mask[MAX_WORDS];
    float reward[2] = {0};
    board b = position("24:4", "4:1 19:2", 3, 3);
    play_name(rules, &b, "33:24/21,24/21", reward);
    assert_int_equal(b.bar[1], 1);
    assert_true(b.phase == AGAIN && b.turns == 10 && acting(rules, &b) == 1);
    play_name(rules, &b, "33:21/18,24/21", reward);
    assert_true(b.phase == ROLLS && b.turns == 10 && acting(rules, &b) == AGON_CHANCE);
    assert_int_equal(play(rules, &b, 0, reward), 0);
    assert_true(b.mover == 1 && b.die[0] == 2 && b.die[1] == 1);
    for (int i = legal(rules, &b, mask) - 1; i >= 0; i--)
        assert_int_equal(agon_mask_nth(mask, 22, i) % 26, BAR);
    b = position("24:1", "7:2", 3, 3); /* 24/21, and 18 is blocked */
    play_name(rules, &b, "33:24/21,none", reward);
    assert_true(b.phase == ROLLS && reward[0] == 0 && reward[1] == 0);
    agon_rules_close(rules);
}

/* Seat 0 takes its last checker off; what it gets. */
static float last_checker(const char* game, const char* theirs) {
    agon_rules* rules = open_game(game);
    board b = position("2:1", theirs, 4, 3);
    float reward[2] = {0};
    play_name(rules, &b, "43:2/off,none", reward);
    assert_int_equal(acting(rules, &b), 0);
    assert_true(reward[1] == -reward[0]);
    assert_int_equal(play(rules, &b, 1351, reward), -1);
    agon_rules_close(rules);
    return reward[0];
}

/* Promise: what a win is worth, by scoring type: plain, all checkers left, one of them far behind
 * or on the bar. */
static void test_backgammon_scoring(void** unused) {
    const char* game[] = {"backgammon", "backgammon(scoring_type=enable_gammons)",
                          "backgammon(scoring_type=full_scoring)"};
    const char* theirs[] = {"24:1 6:13", "18:1 6:14", "24:1 6:14", "19:1 6:14", "25:1 6:14"};
    const float worth[3][5] = {{1, 1, 1, 1, 1}, {1, 2, 2, 2, 2}, {1, 2, 3, 3, 3}};
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 5; j++)
            assert_true(last_checker(game[i], theirs[j]) == worth[i][j]);
    }
    agon_rules* rules = open_game("backgammon(hyper_backgammon=true,scoring_type=full_scoring)");
    board b = position("2:1", "25:3", 4, 3);
    float reward[2] = {0};
    b.off[0] = 2;
    b.off[1] = 0;
    play_name(rules, &b, "43:2/off,none", reward);
    assert_true(reward[0] == 1 && reward[1] == -1);
    agon_rules_close(rules);
}

/* Promise: a game with no winner ends for 0 with the first ply of the turn beyond the bound; with
 * doubles all the way it takes as many plies as there can be. */
static void test_backgammon_bound(void** unused) {
    agon_rules* rules = open_game("backgammon(max_player_turns=3)");
    uint64_t mask[MAX_WORDS];
    float reward[2] = {0};
    board b;
    int plies = 0;
    rules->game->init(rules->config, &b);
    while (acting(rules, &b)) {
        if (acting(rules, &b) == AGON_CHANCE) {
            const int roll = b.phase == OPENS ? 0 : 30; /* 1-2, then 1-1 */
            assert_int_equal(play(rules, &b, roll, reward), 0);
            continue;
        }
        legal(rules, &b, mask);
        assert_int_equal(play(rules, &b, agon_mask_nth(mask, 22, 0), reward), 0);
        plies++;
    }
    assert_int_equal(plies, rules->spec.max_plies);
    assert_true(b.turns == 4 && reward[0] == 0 && reward[1] == 0);
    agon_rules_close(rules);
}

/* ---- negotiation ---------------------------------------------------------------------------- */

typedef struct deal_state {
    uint16_t proposal[10], utterance[10];
    uint8_t pool[5], value[2][5], limit, dealt, proposals, speaks, agreed, unused[4];
} deal_state;

/* Plays chance with the numbers given: limit, pool, values of seat 0, of seat 1. */
static deal_state deal(const agon_rules* rules, int items, const int* number) {
    deal_state s;
    float reward[2] = {0};
    rules->game->init(rules->config, &s);
    for (int i = 0; acting(rules, &s) == AGON_CHANCE; i++) {
        char name[32];
        const char* kind = i == 0 ? "limit" : i <= items ? "items" : "value";
        snprintf(name, sizeof name, "%s_%d", kind, number[i]);
        assert_int_equal(play(rules, &s, agon_action_find(rules, &s, -1, name), reward), 0);
    }
    return s;
}

/* Sums the chances of all deals by what they give. */
typedef struct deals {
    double limit[11], pool[36], value[2][121];
    int leaves;
} deals;

static void add_deals(const agon_rules* rules, const deal_state* s, double reach, deals* d) {
    double prob[16];
    float reward[2] = {0};
    if (acting(rules, s) != AGON_CHANCE) {
        d->leaves++;
        d->limit[s->limit] += reach;
        d->pool[6 * s->pool[0] + s->pool[1]] += reach;
        for (int seat = 0; seat < 2; seat++)
            d->value[seat][11 * s->value[seat][0] + s->value[seat][1]] += reach;
        return;
    }
    const int count = rules->game->chance(rules->config, s, prob);
    for (int k = 0; k < count; k++) {
        deal_state next = *s;
        assert_int_equal(play(rules, &next, k, reward), 0);
        add_deals(rules, &next, reach * prob[k], d);
    }
}

/* Promise: with two kinds of items, every pool is equally likely, so are all values but (0, 0),
 * and limits are as a Poisson distribution with mean 7 cut to 4..10. */
static void test_negotiation_deals(void** unused) {
    agon_rules* rules = open_game("negotiation(num_items=2,enable_utterances=false)");
    static deals d;
    deal_state s;
    double poisson[11] = {0}, sum = 0;
    assert_int_equal(rules->spec.state_size, sizeof s);
    rules->game->init(rules->config, &s);
    add_deals(rules, &s, 1, &d);
    assert_int_equal(d.leaves, 7 * 36 * 120 * 120);
    for (int n = 4; n <= 10; n++)
        sum += poisson[n] = exp(n * log(7) - lgamma(n + 1));
    for (int n = 4; n <= 10; n++)
        assert_true(fabs(d.limit[n] - poisson[n] / sum) < 1e-9);
    for (int i = 0; i < 36; i++)
        assert_true(fabs(d.pool[i] - 1.0 / 36) < 1e-9);
    for (int i = 0; i < 121; i++)
        assert_true(fabs(d.value[i & 1][i] - (i ? 1.0 / 120 : 0)) < 1e-9);
    agon_rules_close(rules);
}

/* Promise: who keeps what, as returns, features and stats say it; utterances bind nobody. */
static void test_negotiation_agreement(void** unused) {
    agon_rules* rules = open_game("negotiation");
    const char* line[] = {"keep_2_1_0", "say_0_4_1", "keep_1_0_3", "say_2_2_2", "agree"};
    const int number[] = {5, 2, 1, 3, 4, 10, 0, 1, 0, 9};
    deal_state s = deal(rules, 3, number);
    float reward[2] = {0}, out[3];
    for (int i = 0; i < 5; i++) {
        const int seat = i / 2 % 2;
        assert_int_equal(acting(rules, &s), 1u << seat);
        assert_int_equal(play(rules, &s, agon_action_find(rules, &s, seat, line[i]), reward), 0);
    }
    assert_int_equal(acting(rules, &s), 0);
    assert_true(reward[0] == 1 * 4 + 1 * 10 && reward[1] == 1 * 1 + 3 * 9);
    rules->game->features(rules->config, &s, 0, out);
    assert_true(out[0] == 1 && out[1] == 14.0f / 18 && out[2] == 1);
    rules->game->features(rules->config, &s, 1, out);
    assert_true(out[0] == 28.0f / 29 && out[1] == 28.0f / 29 && out[2] == 0);
    rules->game->stats(rules->config, &s, out);
    assert_true(out[0] == 1 && out[1] == 2 && out[2] == 42.0f / (2 * 4 + 10 + 3 * 9));
    agon_rules_close(rules);
}

/* Ends of all lines of play from here. */
static long negotiation_ends(const agon_rules* rules, const deal_state* s) {
    uint64_t mask[MAX_WORDS];
    float reward[2] = {0};
    long ends = 0;
    if (!acting(rules, s))
        return 1;
    const int count = legal(rules, s, mask);
    for (int k = 0; k < count; k++) {
        deal_state next = *s;
        play(rules, &next, agon_mask_nth(mask, rules->mask_words, k), reward);
        ends += negotiation_ends(rules, &next);
    }
    return ends;
}

/* Promise: with p proposals to choose from, u utterances and a limit of n proposals, there are
 * (pu)^n ends without agreement and (pu)^k with one after k proposals, 0 < k < n. */
static void test_negotiation_tree(void** unused) {
    const char* game[] = {"negotiation(num_items=2,enable_utterances=false)",
                          "negotiation(num_items=2,num_symbols=2,utterance_dim=1)"};
    for (int i = 0; i < 2; i++) {
        agon_rules* rules = open_game(game[i]);
        for (int pool = 0; pool < 9; pool++) {
            const int number[] = {4 + (pool < 3), pool % 3, pool / 3, 1, 0, 0, 1};
            const deal_state s = deal(rules, 2, number);
            const long choices = (pool % 3 + 1) * (pool / 3 + 1) * (i + 1);
            long ends = 0, lines = 1;
            for (int k = 1; k <= number[0]; k++)
                ends += lines *= choices;
            assert_int_equal(negotiation_ends(rules, &s), ends);
        }
        agon_rules_close(rules);
    }
}

/* Promise: resample changes what is hidden and nothing that the seat has seen; the other seat's
 * values reach every vector but 0; limits are those not met yet, in proportion to their chances. */
static void test_negotiation_resample(void** unused) {
    agon_rules* rules = open_game("negotiation(num_items=2,enable_utterances=false)");
    const agon_key key = agon_key_make(6, "resample", AGON_FOR_TEST);
    const int number[] = {10, 5, 5, 2, 2, 3, 3};
    deal_state s = deal(rules, 2, number);
    uint8_t before[AGON_INFOSTATE], info[AGON_INFOSTATE];
    float reward[2] = {0};
    int values[121] = {0}, limits[11] = {0};
    for (int ply = 0; ply < 8; ply++)
        assert_int_equal(play(rules, &s, ply, reward), 0);
    const int length = rules->game->infostate(rules->config, &s, 0, before);
    for (uint32_t draw = 0; draw < 60000; draw++) {
        const agon_draw bits = agon_random(key, 0, 0, 0, draw);
        deal_state t = s;
        rules->game->resample(rules->config, &t, 0, (uint64_t)bits.word[0] << 32 | bits.word[1]);
        assert_int_equal(rules->game->infostate(rules->config, &t, 0, info), length);
        assert_memory_equal(info, before, (size_t)length);
        values[11 * t.value[1][0] + t.value[1][1]]++;
        limits[t.limit]++;
        t.value[1][0] = t.value[1][1] = 3;
        t.limit = 10;
        assert_memory_equal(&t, &s, sizeof t);
    }
    for (int i = 1; i < 121; i++)
        assert_in_range(values[i], 380, 620); /* 500 expected, standard deviation 22 */
    assert_int_equal(values[0], 0);
    assert_int_equal(limits[9] + limits[10], 60000); /* 10 to 7 */
    assert_in_range(limits[9], 34700, 35900);
    agon_rules_close(rules);
}

/* Promise: an information state holds what the seat has seen, in order, and not what it has not:
 * two lines with the same last proposals differ, two hidden values do not. */
static void test_negotiation_infostate(void** unused) {
    agon_rules* rules = open_game("negotiation(num_items=1,enable_utterances=false)");
    const int number[2][4] = {{5, 5, 7, 2}, {6, 5, 7, 9}},
              line[3][3] = {{1, 2, 3}, {4, 2, 3}, {1, 2, 3}};
    uint8_t info[3][AGON_INFOSTATE] = {{0}}, obs[3][MAX_OBS] = {{0}};
    for (int i = 0; i < 3; i++) {
        deal_state s = deal(rules, 1, number[i == 2]);
        float reward[2] = {0};
        for (int ply = 0; ply < 3; ply++)
            assert_int_equal(play(rules, &s, line[i][ply], reward), 0);
        rules->game->infostate(rules->config, &s, 0, info[i]);
        rules->game->observe(rules->config, &s, 0, obs[i]);
    }
    assert_memory_not_equal(info[0], info[1], sizeof info[0]);
    assert_memory_equal(info[0], info[2], sizeof info[0]);
    assert_memory_equal(obs[0], obs[1], sizeof obs[0]);
    assert_memory_equal(obs[0], obs[2], sizeof obs[0]);
    agon_rules_close(rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pig_optimal_value),
        cmocka_unit_test(test_piglet_values),
        cmocka_unit_test(test_pig_small_value),
        cmocka_unit_test(test_pig_rules),
        cmocka_unit_test(test_backgammon_rules),
        cmocka_unit_test(test_backgammon_counts),
        cmocka_unit_test(test_backgammon_forced_plies),
        cmocka_unit_test(test_backgammon_bearing_off),
        cmocka_unit_test(test_backgammon_doubles_and_hits),
        cmocka_unit_test(test_backgammon_scoring),
        cmocka_unit_test(test_backgammon_bound),
        cmocka_unit_test(test_negotiation_deals),
        cmocka_unit_test(test_negotiation_agreement),
        cmocka_unit_test(test_negotiation_tree),
        cmocka_unit_test(test_negotiation_resample),
        cmocka_unit_test(test_negotiation_infostate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
