/* test_games_matrix.c: games in normal form, repeated ones, and bidding games: payoffs, exact
 * values, files of payoffs. Exact values without a formula at their place were computed by
 * OpenSpiel. */
#include "agents/tree.h"
#include "games/rules.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

enum { MAX_STATE = 2048 };

static agon_rules* open_game(const char* string) {
    agon_rules* rules = NULL;
    agon_error error = {0};
    if (agon_rules_open(string, &rules, &error) != 0)
        fail_msg("%s: %s", string, error.text);
    assert_true(rules->spec.state_size <= MAX_STATE);
    return rules;
}

static void assert_near(double got, double wanted) {
    if (!(fabs(got - wanted) <= 1e-9))
        fail_msg("got %.10f, expected %.10f", got, wanted);
}

/* ---- trees -------------------------------------------------------------------------------- */

typedef struct solved {
    agon_rules* rules;
    agon_tree* tree;
    double* table; /* (infosets, actions) */
} solved;

/* With uniform play in the table. */
static solved solved_open(const char* game) {
    solved s = {.rules = open_game(game)};
    agon_error error = {0};
    if (agon_tree_open(s.rules, 2000000, &s.tree, &error) != 0)
        fail_msg("%s: %s", game, error.text);
    const int actions = s.rules->spec.actions, words = s.rules->mask_words;
    s.table = calloc((size_t)agon_tree_infosets(s.tree) * (size_t)actions, sizeof *s.table);
    for (int i = 0; i < agon_tree_infosets(s.tree); i++) {
        const uint64_t* mask = agon_tree_infoset_mask(s.tree, i);
        for (int action = 0; action < actions; action++)
            s.table[i * actions + action] =
                agon_mask_has(mask, action) ? 1.0 / agon_mask_count(mask, words) : 0;
    }
    return s;
}

static void solved_close(solved* s) {
    free(s->table);
    agon_tree_close(s->tree);
    agon_rules_close(s->rules);
}

static double nash_conv(const solved* s) {
    return agon_tree_nash_conv(s->tree, s->table);
}

static double first_return(const solved* s) {
    const double* policy[AGON_MAX_SEATS];
    double out[AGON_MAX_SEATS];
    for (int i = 0; i < AGON_MAX_SEATS; i++)
        policy[i] = s->table;
    agon_tree_returns(s->tree, policy, out);
    return out[0];
}

static double uniform_nash_conv(const char* game) {
    solved s = solved_open(game);
    const double value = nash_conv(&s);
    solved_close(&s);
    return value;
}

/* Sets the same mixture for a seat at each of its information sets. */
static void mix(solved* s, int seat, const double* mixture) {
    const int actions = s->rules->spec.actions;
    for (int i = 0; i < agon_tree_infosets(s->tree); i++) {
        int owner = 0;
        agon_tree_infoset_state(s->tree, i, &owner);
        if (owner == seat)
            memcpy(s->table + i * actions, mixture, (size_t)actions * sizeof *mixture);
    }
}

/* The legal action of the lowest number at every information set. */
static void play_first(solved* s) {
    const int actions = s->rules->spec.actions, words = s->rules->mask_words;
    for (int i = 0; i < agon_tree_infosets(s->tree); i++) {
        const int first = agon_mask_nth(agon_tree_infoset_mask(s->tree, i), words, 0);
        for (int action = 0; action < actions; action++)
            s->table[i * actions + action] = action == first;
    }
}

/* ---- one ply ------------------------------------------------------------------------------ */

static uint16_t named(const agon_rules* rules, const void* state, int seat, const char* name) {
    const int action = agon_action_find(rules, state, seat, name);
    if (action < 0)
        fail_msg("%s has no action %s of seat %d", rules->name, name, seat);
    return (uint16_t)action;
}

/* What both seats get for two named choices at the start. */
static void payoffs(const agon_rules* rules, const char* first, const char* second, float* reward) {
    uint64_t state[MAX_STATE / 8];
    rules->game->init(rules->config, state);
    const uint16_t action[2] = {named(rules, state, 0, first), named(rules, state, 1, second)};
    reward[0] = reward[1] = 0;
    assert_int_equal(rules->game->apply(rules->config, state, action, reward), 0);
}

static void expect_payoffs(const agon_rules* rules, const char* first, const char* second,
                           float mine, float theirs) {
    float reward[2];
    payoffs(rules, first, second, reward);
    if (reward[0] != mine || reward[1] != theirs)
        fail_msg("%s, %s against %s: %g and %g, expected %g and %g", rules->name, first, second,
                 (double)reward[0], (double)reward[1], (double)mine, (double)theirs);
}

/* ---- matrix ------------------------------------------------------------------------------- */

/* Promise: all payoffs of the games with two actions. */
static void test_matrix_two_by_two(void** unused) {
    const struct {
        const char *game, *action[2];
        float payoff[8]; /* by cell: of seat 0, of seat 1 */
    } cases[] = {
        {"matching_pennies", {"heads", "tails"}, {1, -1, -1, 1, -1, 1, 1, -1}},
        {"prisoners_dilemma", {"cooperate", "defect"}, {5, 5, 0, 10, 10, 0, 1, 1}},
        {"chicken", {"dare", "chicken"}, {0, 0, 4, 1, 1, 4, 3, 3}},
        {"stag_hunt", {"stag", "hare"}, {2, 2, 0, 1, 1, 0, 1, 1}},
        {"battle_of_the_sexes", {"bach", "stravinsky"}, {3, 2, 0, 0, 0, 0, 2, 3}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char string[64];
        snprintf(string, sizeof string, "matrix(name=%s)", cases[i].game);
        agon_rules* rules = open_game(string);
        for (int cell = 0; cell < 4; cell++)
            expect_payoffs(rules, cases[i].action[cell / 2], cases[i].action[cell % 2],
                           cases[i].payoff[2 * cell], cases[i].payoff[2 * cell + 1]);
        agon_rules_close(rules);
    }
}

/* Promise: who beats whom in the cyclic games; losing costs 1, in Shapley's game nothing. */
static void test_matrix_cycles(void** unused) {
    static const char* const beats[][2] = {
        {"paper", "rock"},      {"scissors", "paper"}, {"rock", "scissors"}, {"rock", "lizard"},
        {"lizard", "spock"},    {"spock", "scissors"}, {"spock", "rock"},    {"paper", "spock"},
        {"scissors", "lizard"}, {"lizard", "paper"}};
    const struct {
        const char* game;
        int pairs;
        float loss;
    } cases[] = {{"matrix", 3, -1}, {"matrix(name=rpsls)", 10, -1}, {"matrix(name=shapley)", 3, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        agon_rules* rules = open_game(cases[i].game);
        for (int k = 0; k < cases[i].pairs; k++) {
            expect_payoffs(rules, beats[k][0], beats[k][1], 1, cases[i].loss);
            expect_payoffs(rules, beats[k][1], beats[k][0], cases[i].loss, 1);
            expect_payoffs(rules, beats[k][0], beats[k][0], 0, 0);
        }
        agon_rules_close(rules);
    }
}

/* Promise: facts follow from the payoffs. */
static void test_matrix_facts(void** unused) {
    const struct {
        const char* game;
        agon_utility utility;
        int symmetric;
        float low, high;
    } cases[] = {
        {"matrix", AGON_ZERO_SUM, 1, -1, 1},
        {"matrix(name=rpsls)", AGON_ZERO_SUM, 1, -1, 1},
        {"matrix(name=matching_pennies)", AGON_ZERO_SUM, 0, -1, 1},
        {"matrix(name=prisoners_dilemma)", AGON_GENERAL_SUM, 1, 0, 10},
        {"matrix(name=chicken)", AGON_GENERAL_SUM, 1, 0, 4},
        {"matrix(name=battle_of_the_sexes)", AGON_GENERAL_SUM, 0, 0, 3},
        {"matrix(name=shapley)", AGON_GENERAL_SUM, 1, 0, 1},
        {"matrix_file(path=tests/data/matrix_rectangle.txt)", AGON_ZERO_SUM, 0, -2, 2},
        {"matrix_file(path=tests/data/matrix_commons.txt)", AGON_GENERAL_SUM, 1, 0, 4},
        {"matrix_file(path=tests/data/matrix_serve.txt)", AGON_CONSTANT_SUM, 0, 0.25f, 0.75f},
        {"matrix_file(path=tests/data/matrix_lonely.txt)", AGON_GENERAL_SUM, 0, -3, 3},
        {"iterated(stage=chicken,rounds=7)", AGON_GENERAL_SUM, 1, 0, 28},
        {"iterated(stage=rps,rounds=7)", AGON_ZERO_SUM, 1, -7, 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        agon_rules* rules = open_game(cases[i].game);
        assert_int_equal(rules->spec.utility, cases[i].utility);
        assert_int_equal(rules->spec.seats_symmetric, cases[i].symmetric);
        assert_true(rules->spec.return_min == cases[i].low);
        assert_true(rules->spec.return_max == cases[i].high);
        if (cases[i].utility == AGON_CONSTANT_SUM)
            assert_true(rules->spec.utility_sum == 1);
        agon_rules_close(rules);
    }
}

/* Promise: known equilibria have a NashConv of 0, and what is none has the gain that the payoffs
 * give. */
static void test_matrix_equilibria(void** unused) {
    const struct {
        const char* game;
        double first[3], second[3];
        double nash_conv;
    } cases[] = {
        {"matrix", {1 / 3.0, 1 / 3.0, 1 / 3.0}, {1 / 3.0, 1 / 3.0, 1 / 3.0}, 0},
        {"matrix", {1, 0, 0}, {1, 0, 0}, 2},
        {"matrix(name=matching_pennies)", {0.5, 0.5}, {0.5, 0.5}, 0},
        {"matrix(name=matching_pennies)", {1, 0}, {1, 0}, 2},
        {"matrix(name=shapley)", {1 / 3.0, 1 / 3.0, 1 / 3.0}, {1 / 3.0, 1 / 3.0, 1 / 3.0}, 0},
        {"matrix(name=prisoners_dilemma)", {0, 1}, {0, 1}, 0},
        {"matrix(name=prisoners_dilemma)", {1, 0}, {1, 0}, 10},
        {"matrix(name=chicken)", {1, 0}, {0, 1}, 0},
        {"matrix(name=chicken)", {1, 0}, {1, 0}, 2},
        {"matrix(name=stag_hunt)", {1, 0}, {1, 0}, 0},
        {"matrix(name=battle_of_the_sexes)", {0.6, 0.4}, {0.4, 0.6}, 0},
        {"matrix_file", {0.25, 0.5, 0.25}, {0.25, 0.5, 0.25}, 0},
        {"matrix_file", {1 / 3.0, 1 / 3.0, 1 / 3.0}, {1 / 3.0, 1 / 3.0, 1 / 3.0}, 2 / 3.0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        solved s = solved_open(cases[i].game);
        mix(&s, 0, cases[i].first);
        mix(&s, 1, cases[i].second);
        assert_near(nash_conv(&s), cases[i].nash_conv);
        solved_close(&s);
    }
    assert_near(uniform_nash_conv("matrix(name=rpsls)"), 0);
}

/* ---- matrix_file -------------------------------------------------------------------------- */

/* Promise: numbers, names and blocks arrive at their places, in all ways to write them. */
static void test_matrix_file_samples(void** unused) {
    agon_rules* rules = open_game("matrix_file(path=tests/data/matrix_commons.txt)");
    expect_payoffs(rules, "graze", "graze", 1, 1);
    expect_payoffs(rules, "graze", "spare", 4, 0);
    expect_payoffs(rules, "spare", "graze", 0, 4);
    expect_payoffs(rules, "spare", "spare", 3, 3);
    agon_rules_close(rules);
    rules = open_game("matrix_file(path=tests/data/matrix_rectangle.txt)");
    expect_payoffs(rules, "0", "0", 0.75f, -0.75f);
    expect_payoffs(rules, "0", "1", -1, 1);
    expect_payoffs(rules, "0", "2", 0.5f, -0.5f);
    expect_payoffs(rules, "1", "0", -0.25f, 0.25f);
    expect_payoffs(rules, "1", "1", 2, -2);
    expect_payoffs(rules, "1", "2", 0, 0);
    agon_rules_close(rules);
    rules = open_game("matrix_file(path=tests/data/matrix_serve.txt)");
    expect_payoffs(rules, "wide", "backhand", 0.75f, 0.25f);
    expect_payoffs(rules, "line", "forehand", 0.625f, 0.375f);
    agon_rules_close(rules);
    rules = open_game("matrix_file(path=tests/data/matrix_gambit.nfg)");
    expect_payoffs(rules, "2", "0", 3, 30);
    expect_payoffs(rules, "0", "1", 4, 40);
    expect_payoffs(rules, "2", "1", 0.5f, -1.5f);
    agon_rules_close(rules);
}

static char scratch[] = "/tmp/agon_matrix_XXXXXX"; /* one file, rewritten by each test */
static char scratch_game[64];

static int make_scratch(void** unused) {
    const int file = mkstemp(scratch);
    snprintf(scratch_game, sizeof scratch_game, "matrix_file(path=%s)", scratch);
    return file < 0 || close(file) != 0;
}

static int remove_scratch(void** unused) {
    return unlink(scratch);
}

static void write_scratch(const char* text, size_t size) {
    FILE* file = fopen(scratch, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* Promise: what is not such a file is refused with the line, the value and what was expected. */
static void test_matrix_file_refuses(void** unused) {
    const struct {
        const char *text, *message;
    } cases[] = {
        {"", "line 1: the end, expected rows of numbers"},
        {"# nothing\n\n", "expected rows of numbers"},
        {"1 2\n3\n", "line 2: 1 numbers, expected 2"},
        {"1 2\n3 4 5\n", "line 2: 3 numbers, expected 2"},
        {"1 two\n", "line 1: two: expected a number from -1e+06 to 1e+06"},
        {"1 2\n3 1e7\n", "line 2: 1e7: expected a number"},
        {"nan 1\n", "nan: expected rows, columns, seat or a number"},
        {"1 inf\n", "inf: expected a number"},
        {"0x10 1\n", "0x10: expected a number"},
        {"1/0 1\n", "1/0: expected a number"},
        {"/2 1\n", "/2: expected a number"},
        {"1/2/3 1\n", "1/2/3: expected a number"},
        {"rows a b\n1 2\n", "2 names of rows, expected 1"},
        {"columns a\n1 2\n", "1 names of columns, expected 2"},
        {"rows a a\n1\n2\n", "line 1: a: expected names that differ"},
        {"rows a 2\n1\n2\n", "line 1: 2: expected names"},
        {"rows a\nrows b\n1\n", "line 2: rows: expected once"},
        {"rows abcdefghijklmnopqrstuvwxyz\n1\n", "at most 23 characters"},
        {"names a b\n", "names: expected rows, columns, seat or a number"},
        {"seat 1\n1 2\n", "line 1: seat 1: expected seat 0"},
        {"seat 0\nseat 1\n", "line 2: seat 1: expected seat 0 and its rows"},
        {"1 2\nseat 2\n", "line 2: 2: expected a number from 0 to 1"},
        {"1 2\nseat 1 3 4\n", "line 2: 3: expected a new line after the seat"},
        {"1 2\nseat 1\n3 4\n5 6\n", "line 4: row 2 of seat 1, expected 1 rows"},
        {"1 2\n3 4\nseat 1\n5 6\n", "1 rows of seat 1, expected 2"},
        {"1 \"2\"\n", "a quote: expected a number"},
        {"\"1 2\n", "a quote without end"},
        {"1 2;\n", "line 1: byte 0x3b, expected words and numbers"},
        {"1 \xc3\xa4\n", "byte 0xc3"},
        {"11111111111111111111111111111111111111111111111111111111111111111\n", "at most 63"},
        {"NFG 2 R \"t\" {\"a\" \"b\"} {1 1} 0 0", "2: expected version 1"},
        {"NFG 1 R \"t\" {\"a\" \"b\" \"c\"} {1 1 1} 0 0 0", "a quote: expected '}' after two"},
        {"NFG 1 R \"t\" {\"a\" \"b\"} {1 65} 0 0", "65: expected a number from 1 to 64"},
        {"NFG 1 R \"t\" {\"a\" \"b\"} {1.5 1} 0 0", "1.5 strategies of player 1"},
        {"NFG 1 R \"t\" {\"a\" \"b\"} {{} {\"x\"}} 0 0", "0 strategies of player 1"},
        {"NFG 1 R \"t\" {\"a\" \"b\"} {1 1}\n{ {\"o\" 1,1} } 1", "line 2: {: expected a number"},
        {"NFG 1 R \"t\" {\"a\" \"b\"} {1 1} 0", "the end: expected a number"},
        {"NFG 1 R \"t\" {\"a\" \"b\"} {1 1} 0 0 0", "0: expected the end after 2 payoffs"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        agon_rules* rules = NULL;
        agon_error error = {0};
        write_scratch(cases[i].text, strlen(cases[i].text));
        assert_int_equal(agon_rules_open(scratch_game, &rules, &error), AGON_EINVALID);
        assert_null(rules);
        assert_non_null(strstr(error.text, scratch));
        if (!strstr(error.text, cases[i].message))
            fail_msg("'%s' gives '%s', expected '%s'", cases[i].text, error.text, cases[i].message);
    }
}

/* Promise: a file that is not there, or is no file, or is too large, says so. */
static void test_matrix_file_unreadable(void** unused) {
    const char* strings[][2] = {{"matrix_file(path=/nowhere/at_all)", "No such file"},
                                {"matrix_file(path=/tmp)", "Is a directory"},
                                {"matrix_file(path=/dev/zero)", "byte 0x00"},
                                {scratch_game, "expected at most 1048576 bytes"}};
    char* blank = malloc(2 << 20);
    memset(blank, ' ', 2 << 20);
    write_scratch(blank, 2 << 20);
    free(blank);
    for (int i = 0; i < 4; i++) {
        agon_rules* rules = NULL;
        agon_error error = {0};
        assert_int_equal(agon_rules_open(strings[i][0], &rules, &error), AGON_EINVALID);
        if (!strstr(error.text, strings[i][1]))
            fail_msg("%s: %s", strings[i][0], error.text);
    }
}

/* The fingerprint of a file of 64 x 64 payoffs, all 0 but one. */
static uint64_t fingerprint_with(int cell, const char* payoff) {
    static char text[64 * 64 * 16];
    size_t used = 0;
    for (int i = 0; i < 64 * 64; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%c", i == cell ? payoff : "0",
                                 i % 64 == 63 ? '\n' : ' ');
    write_scratch(text, used);
    agon_rules* rules = open_game(scratch_game);
    assert_int_equal(rules->spec.actions, 64);
    const uint64_t fingerprint = agon_rules_fingerprint(rules);
    agon_rules_close(rules);
    return fingerprint;
}

/* Promise: each payoff is part of the rules fingerprint, those that no sampled game meets, too; how
 * a number is written is not. */
static void test_matrix_file_fingerprint(void** unused) {
    uint64_t seen[18];
    int count = 0;
    for (int cell = 0; cell < 4096; cell += 256)
        seen[count++] = fingerprint_with(cell, "1");
    seen[count++] = fingerprint_with(4095, "1");
    seen[count++] = fingerprint_with(4095, "1.000001");
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < i; k++)
            assert_true(seen[i] != seen[k]);
    }
    assert_true(fingerprint_with(4095, "2/2") == seen[16]);
    assert_true(fingerprint_with(4095, "-0") == fingerprint_with(0, "0"));
}

/* ---- iterated ----------------------------------------------------------------------------- */

/* Promise: both seats see each round, and not the round in hand: 1 + 4 information sets each in two
 * rounds. Against uniform play defecting earns 5.5 a round instead of 4. */
static void test_iterated_tree(void** unused) {
    solved s = solved_open("iterated(rounds=2)");
    const double defect[2] = {0, 1};
    assert_int_equal(agon_tree_infosets(s.tree), 10);
    assert_int_equal(agon_tree_nodes(s.tree), 1 + 2 + 4 + 4 * (2 + 4));
    assert_near(first_return(&s), 8);
    assert_near(nash_conv(&s), 6);
    mix(&s, 0, defect);
    mix(&s, 1, defect);
    assert_near(first_return(&s), 2);
    assert_near(nash_conv(&s), 0);
    solved_close(&s);
    assert_near(uniform_nash_conv("iterated(stage=chicken,rounds=3)"), 0);
}

/* Promise: the longest history fits the information state, the seat's own choice first; features
 * count what was played. */
static void test_iterated_history(void** unused) {
    agon_rules* rules = open_game("iterated(stage=rps,rounds=1000)");
    uint64_t state[MAX_STATE / 8];
    uint8_t known[2][AGON_INFOSTATE], obs[9];
    float reward[2] = {0}, feature[2];
    rules->game->init(rules->config, state);
    for (int i = 0; i < 1000; i++) { /* seat 1 plays what seat 0 played last */
        const uint16_t action[2] = {(uint16_t)(i % 3), (uint16_t)((i + 2) % 3)};
        assert_int_equal(rules->game->acting(rules->config, state), 3);
        assert_int_equal(rules->game->apply(rules->config, state, action, reward), 0);
        for (int seat = 0; seat < 2; seat++)
            assert_int_equal(rules->game->infostate(rules->config, state, seat, known[seat]),
                             i + 1);
        assert_int_equal(known[0][i], action[0] + 16 * action[1]);
        assert_int_equal(known[1][i], action[1] + 16 * action[0]);
        rules->game->observe(rules->config, state, 1, obs);
        assert_int_equal(obs[action[1]], 255);
        assert_int_equal(obs[3 + action[0]], 255);
        assert_int_equal(obs[6], 255 * (i + 1) / 1000);
    }
    assert_int_equal(rules->game->acting(rules->config, state), 0);
    assert_true(reward[0] == 1000 && reward[1] == -1000);
    rules->game->features(rules->config, state, 0, feature);
    assert_true(feature[0] == 334 / 1000.0f && feature[1] == 0);
    rules->game->features(rules->config, state, 1, feature);
    assert_true(feature[0] == 333 / 1000.0f && feature[1] == 1);
    agon_rules_close(rules);
}

/* ---- blotto ------------------------------------------------------------------------------- */

/* Promise: the number of actions, and what an opponent gains on uniform play. */
static void test_blotto_uniform(void** unused) {
    const struct {
        const char* game;
        int actions;
        double exploitability; /* per seat */
    } cases[] = {{"blotto(coins=3,fields=3)", 10, 0.3},
                 {"blotto(coins=4,fields=3)", 15, 4 / 15.0},
                 {"blotto(coins=5,fields=3)", 21, 2 / 7.0},
                 {"blotto(coins=5,fields=4)", 56, 11 / 28.0},
                 {"blotto", 66, 7 / 22.0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        solved s = solved_open(cases[i].game);
        assert_int_equal(s.rules->spec.actions, cases[i].actions);
        assert_near(nash_conv(&s) / 2, cases[i].exploitability);
        solved_close(&s);
    }
}

/* Promise: more fields win, whatever they cost; actions are in the order of their names. */
static void test_blotto_rules(void** unused) {
    agon_rules* rules = open_game("blotto");
    agon_error error = {0};
    expect_payoffs(rules, "4-3-3", "0-0-10", 1, -1);
    expect_payoffs(rules, "4-3-3", "5-4-1", -1, 1);
    expect_payoffs(rules, "5-5-0", "5-0-5", 0, 0);
    expect_payoffs(rules, "10-0-0", "5-0-5", 0, 0);
    agon_rules_close(rules);
    rules = open_game("blotto(coins=100,fields=2)");
    char name[AGON_ACTION_NAME];
    uint64_t state[1];
    rules->game->init(rules->config, state);
    for (int action = 0; action <= 100; action++) {
        snprintf(name, sizeof name, "%d-%d", action, 100 - action);
        assert_int_equal(agon_action_find(rules, state, 0, name), action);
    }
    agon_rules_close(rules);
    rules = NULL;
    assert_int_equal(agon_rules_open("blotto(coins=100,fields=3)", &rules, &error), 0);
    assert_int_equal(rules->spec.actions, 5151);
    agon_rules_close(rules);
    assert_int_equal(agon_rules_open("blotto(coins=60,fields=4)", &rules, &error), AGON_EINVALID);
    assert_non_null(strstr(error.text, "39711 ways to spread them, expected at most 8192"));
    assert_int_equal(agon_rules_open("blotto(coins=100,fields=8)", &rules, &error), AGON_EINVALID);
}

/* ---- goofspiel ---------------------------------------------------------------------------- */

/* Promise: sizes and values of the game with four cards; uniform play is worth 0, always bidding
 * the lowest card loses to whoever outbids it. */
static void test_goofspiel_four_cards(void** unused) {
    solved s = solved_open("goofspiel(cards=4,imp_info=true,points_order=descending)");
    assert_int_equal(agon_tree_nodes(s.tree), 501 + 576);
    assert_int_equal(agon_tree_infosets(s.tree), 2 * 81);
    assert_near(first_return(&s), 0);
    assert_near(nash_conv(&s), 17 / 12.0);
    play_first(&s);
    assert_near(nash_conv(&s), 2);
    solved_close(&s);
    s = solved_open("goofspiel(cards=4,points_order=descending)");
    assert_int_equal(agon_tree_infosets(s.tree), 2 * (1 + 16 + 144));
    assert_near(nash_conv(&s), 3 / 2.0);
    solved_close(&s);
    /* Half of the difference of points: gains are half of those with the whole one, 5. */
    assert_near(uniform_nash_conv("goofspiel(cards=4,imp_info=true,points_order=descending,"
                                  "returns_type=point_difference)"),
                5 / 2.0);
    assert_near(uniform_nash_conv("goofspiel(cards=4,imp_info=true,points_order=descending,"
                                  "returns_type=total_points)"),
                5 / 2.0);
    assert_near(uniform_nash_conv("goofspiel(cards=3,imp_info=true)"), 4 / 3.0);
    assert_near(uniform_nash_conv("goofspiel(cards=3,players=3,points_order=ascending)"),
                11 / 12.0);
}

/* Bids cards, by their values, for the prize that is up. */
static void bid(const agon_rules* rules, void* state, const uint16_t* card, float* reward) {
    uint16_t action[4];
    for (int seat = 0; seat < rules->spec.seats; seat++)
        action[seat] = (uint16_t)(card[seat] - 1);
    assert_int_equal(rules->game->apply(rules->config, state, action, reward), 0);
}

/* Promise: the single highest bid takes the prize; when the highest is bid twice, nobody does, even
 * if a third seat bid less; the last cards are bid by themselves; what 3, 0 and 6 points pay. */
static void test_goofspiel_three_seats(void** unused) {
    const uint16_t bids[3][3] = {{4, 4, 1}, {1, 2, 3}, {3, 1, 2}};
    const struct {
        const char* returns;
        float paid[3];
    } cases[] = {{"total_points", {3, 0, 6}},
                 {"point_difference", {0, -3, 3}},
                 {"win_loss", {-0.5f, -0.5f, 1}}};
    for (int i = 0; i < 3; i++) {
        char string[128], text[512];
        uint64_t state[MAX_STATE / 8];
        float reward[3] = {0};
        snprintf(string, sizeof string,
                 "goofspiel(cards=4,players=3,points_order=ascending,returns_type=%s)",
                 cases[i].returns);
        agon_rules* rules = open_game(string);
        rules->game->init(rules->config, state);
        bid(rules, state, bids[0], reward);
        bid(rules, state, bids[1], reward);
        rules->game->text(rules->config, state, text, sizeof text);
        assert_string_equal(text, "prize 3, to come 4\nseat 0: 0 points, hand 2 3\n"
                                  "seat 1: 0 points, hand 1 3\nseat 2: 2 points, hand 2 4\n");
        bid(rules, state, bids[2], reward);
        assert_int_equal(rules->game->acting(rules->config, state), 0);
        assert_memory_equal(reward, cases[i].paid, sizeof reward);
        agon_rules_close(rules);
    }
}

/* Promise: in the game with hidden bids resampling reaches every past that the seat holds possible,
 * and no other. The pasts are counted by playing all games that give the same information state. */
enum { CARDS = 4, PASTS = 4096 };

typedef struct pasts {
    const agon_rules* rules;
    int seat, length;
    uint8_t known[AGON_INFOSTATE];
    int count;
    uint64_t state[PASTS][MAX_STATE / 8];
} pasts;

static int past_find(const pasts* p, const void* state) {
    for (int i = 0; i < p->count; i++) {
        if (memcmp(p->state[i], state, p->rules->spec.state_size) == 0)
            return i;
    }
    return -1;
}

static void past_walk(pasts* p, const uint64_t* state, int plies) {
    const agon_rules* r = p->rules;
    uint8_t known[AGON_INFOSTATE];
    uint16_t action[3];
    float reward[3];
    if (plies == 0) {
        const int length = r->game->infostate(r->config, state, p->seat, known);
        if (length == p->length && memcmp(known, p->known, (size_t)length) == 0) {
            assert_true(p->count < PASTS);
            memcpy(p->state[p->count++], state, r->spec.state_size);
        }
        return;
    }
    for (int i = 0; i < CARDS * CARDS * (r->spec.seats == 3 ? CARDS : 1); i++) {
        uint64_t next[MAX_STATE / 8];
        action[0] = (uint16_t)(i % CARDS), action[1] = (uint16_t)(i / CARDS % CARDS);
        action[2] = (uint16_t)(i / CARDS / CARDS);
        memcpy(next, state, r->spec.state_size);
        if (r->game->apply(r->config, next, action, reward) == 0)
            past_walk(p, next, plies - 1);
    }
}

/* Plays random bids; an illegal choice is drawn anew. */
static void play_random(const agon_rules* r, void* state, uint32_t episode, int plies) {
    const agon_key key = agon_key_make(1, "pasts", AGON_FOR_TEST);
    float reward[3] = {0};
    uint16_t action[3];
    for (uint32_t draw = 0; plies > 0; draw++) {
        const agon_draw bits = agon_random(key, episode, 0, 0, draw);
        for (int seat = 0; seat < 3; seat++)
            action[seat] = (uint16_t)(bits.word[seat] % CARDS);
        plies -= r->game->apply(r->config, state, action, reward) == 0;
    }
}

static void check_resampling(const char* game, uint32_t episode) {
    static pasts p;
    bool reached[PASTS] = {false};
    uint64_t start[MAX_STATE / 8], now[MAX_STATE / 8], other[MAX_STATE / 8];
    const agon_key key = agon_key_make(1, "resample", AGON_FOR_TEST);
    agon_rules* rules = open_game(game);
    const size_t size = rules->spec.state_size;
    memset(&p, 0, sizeof p);
    p.rules = rules;
    p.seat = (int)episode % rules->spec.seats;
    rules->game->init(rules->config, start);
    memcpy(now, start, size);
    play_random(rules, now, episode, 2);
    p.length = rules->game->infostate(rules->config, now, p.seat, p.known);
    past_walk(&p, start, 2);
    assert_true(past_find(&p, now) >= 0);
    for (uint32_t draw = 0; draw < 40 * (uint32_t)p.count; draw++) {
        const agon_draw bits = agon_random(key, episode, 0, 0, draw);
        memcpy(other, now, size);
        rules->game->resample(rules->config, other, p.seat,
                              (uint64_t)bits.word[0] << 32 | bits.word[1]);
        const int found = past_find(&p, other);
        assert_true(found >= 0);
        reached[found] = true;
    }
    for (int i = 0; i < p.count; i++)
        assert_true(reached[i]);
    agon_rules_close(rules);
}

static void test_goofspiel_resample(void** unused) {
    for (uint32_t episode = 0; episode < 24; episode++) {
        check_resampling("goofspiel(cards=4,imp_info=true,points_order=descending)", episode);
        check_resampling("goofspiel(cards=4,players=3,imp_info=true,points_order=ascending)",
                         episode);
    }
}

/* ---- oshi_zumo ---------------------------------------------------------------------------- */

/* Promise: what an opponent gains on uniform play. */
static void test_oshi_zumo_uniform(void** unused) {
    assert_near(uniform_nash_conv("oshi_zumo(coins=3,size=1,horizon=4)"), 1.3255208333333333);
    assert_near(uniform_nash_conv("oshi_zumo(coins=4,size=1,horizon=3)"), 1.2973333333333334);
    assert_near(uniform_nash_conv("oshi_zumo(coins=4,size=1,horizon=3,alesia=true)"),
                0.4044444444444445);
    assert_near(uniform_nash_conv("oshi_zumo(coins=4,size=2,horizon=4,min_bid=1)"),
                1.1666666666666665);
}

/* The return of seat 0 after these bids, seat 0's first; -9 when it is not over. */
static float wrestle(const char* game, const char* bids) {
    agon_rules* rules = open_game(game);
    uint64_t state[1];
    float reward[2] = {0};
    rules->game->init(rules->config, state);
    for (const char* p = bids; *p; p += 2) {
        const uint16_t action[2] = {(uint16_t)(p[0] - '0'), (uint16_t)(p[1] - '0')};
        assert_int_equal(rules->game->apply(rules->config, state, action, reward), 0);
    }
    const bool over = rules->game->acting(rules->config, state) == 0;
    assert_true(reward[0] == -reward[1]);
    agon_rules_close(rules);
    return over ? reward[0] : -9;
}

/* Promise: over the edge wins; at the end of coins or plies the place decides, with alesia not. */
static void test_oshi_zumo_ends(void** unused) {
    assert_true(wrestle("oshi_zumo(coins=5,size=1)", "10") == -9);
    assert_true(wrestle("oshi_zumo(coins=5,size=1)", "1020") == 1);
    assert_true(wrestle("oshi_zumo(coins=5,size=1)", "0102") == -1);
    assert_true(wrestle("oshi_zumo(coins=5,size=1)", "55") == 0);
    assert_true(wrestle("oshi_zumo(coins=3,size=3)", "2110") == -9);
    assert_true(wrestle("oshi_zumo(coins=3,size=3)", "211002") == 1);
    assert_true(wrestle("oshi_zumo(coins=3,size=3)", "10101003") == 1);
    assert_true(wrestle("oshi_zumo(coins=3,size=3)", "010131") == -1);
    assert_true(wrestle("oshi_zumo(coins=3,size=3,alesia=true)", "10101003") == 0);
    assert_true(wrestle("oshi_zumo(coins=5,size=2,horizon=2)", "1000") == 1);
    assert_true(wrestle("oshi_zumo(coins=5,size=2,horizon=2,alesia=true)", "1000") == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix_two_by_two),
        cmocka_unit_test(test_matrix_cycles),
        cmocka_unit_test(test_matrix_facts),
        cmocka_unit_test(test_matrix_equilibria),
        cmocka_unit_test(test_matrix_file_samples),
        cmocka_unit_test(test_matrix_file_refuses),
        cmocka_unit_test(test_matrix_file_unreadable),
        cmocka_unit_test(test_matrix_file_fingerprint),
        cmocka_unit_test(test_iterated_tree),
        cmocka_unit_test(test_iterated_history),
        cmocka_unit_test(test_blotto_uniform),
        cmocka_unit_test(test_blotto_rules),
        cmocka_unit_test(test_goofspiel_four_cards),
        cmocka_unit_test(test_goofspiel_three_seats),
        cmocka_unit_test(test_goofspiel_resample),
        cmocka_unit_test(test_oshi_zumo_uniform),
        cmocka_unit_test(test_oshi_zumo_ends),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
