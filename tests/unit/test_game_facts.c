/* test_game_facts.c: numbers about single games that others have published, or that follow from a
 * formula. They fail when the rules are wrong in a way that the suite cannot know. */
#include "games/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { MAX_STATE = 256 };

static agon_rules* open_game(const char* string) {
    agon_rules* rules = NULL;
    assert_int_equal(agon_rules_open(string, &rules, NULL), 0);
    assert_true(rules->spec.state_size <= MAX_STATE);
    return rules;
}

/* Move sequences of exactly `depth` plies; with depth -1, of finished games. Turn-based games. */
static long perft(const agon_rules* rules, const void* state, int depth) {
    const uint64_t acting = rules->game->acting(rules->config, state);
    if (depth == 0 || !acting)
        return depth <= 0;
    uint64_t mask;
    long count = 0;
    rules->game->legal(rules->config, state, __builtin_ctzll(acting), &mask);
    for (int action = 0; action < rules->spec.actions; action++) {
        if (!agon_mask_has(&mask, action))
            continue;
        uint64_t next[MAX_STATE / 8];
        float reward[2] = {0};
        const uint16_t both[2] = {(uint16_t)action, (uint16_t)action};
        memcpy(next, state, rules->spec.state_size);
        rules->game->apply(rules->config, next, both, reward);
        count += perft(rules, next, depth < 0 ? -1 : depth - 1);
    }
    return count;
}

/* A set of states: open addressing; no state of these games is all ones. */
typedef struct state_set {
    size_t size, stride, used;
    unsigned char* slots;
} state_set;

static void set_open(state_set* set, size_t size, size_t stride) {
    *set = (state_set){size, stride, 0, (unsigned char*)malloc(size * stride)};
    memset(set->slots, 0xff, size * stride);
}

/* True when the state is new. */
static bool set_add(state_set* set, const void* state) {
    unsigned char empty[MAX_STATE];
    memset(empty, 0xff, set->stride);
    uint64_t hash = agon_hash(AGON_HASH_START, state, set->stride);
    for (;; hash++) {
        unsigned char* slot = set->slots + hash % set->size * set->stride;
        if (memcmp(slot, state, set->stride) == 0)
            return false;
        if (memcmp(slot, empty, set->stride) == 0) {
            memcpy(slot, state, set->stride);
            return ++set->used < set->size;
        }
    }
}

/* Adds to `count[ply]` the positions not met before, up to `depth` plies. */
static void positions(const agon_rules* rules, const void* state, int ply, int depth,
                      state_set* set, long* count) {
    if (!set_add(set, state))
        return;
    count[ply]++;
    const uint64_t acting = rules->game->acting(rules->config, state);
    uint64_t mask;
    if (!acting || ply == depth)
        return;
    rules->game->legal(rules->config, state, __builtin_ctzll(acting), &mask);
    for (int action = 0; action < rules->spec.actions; action++) {
        uint64_t next[MAX_STATE / 8];
        float reward[2] = {0};
        const uint16_t both[2] = {(uint16_t)action, (uint16_t)action};
        if (!agon_mask_has(&mask, action))
            continue;
        memcpy(next, state, rules->spec.state_size);
        rules->game->apply(rules->config, next, both, reward);
        positions(rules, next, ply + 1, depth, set, count);
    }
}

/* Promise: 255,168 games and 5,478 positions. */
static void test_tic_tac_toe_counts(void** unused) {
    agon_rules* rules = open_game("tic_tac_toe");
    uint64_t state[MAX_STATE / 8];
    long count[10] = {0}, all = 0;
    state_set set;
    rules->game->init(rules->config, state);
    assert_int_equal(perft(rules, state, -1), 255168);
    set_open(&set, 16384, rules->spec.state_size);
    positions(rules, state, 0, 9, &set, count);
    for (int i = 0; i < 10; i++)
        all += count[i];
    assert_int_equal(all, 5478);
    free(set.slots);
    agon_rules_close(rules);
}

/* Adds the chances of each outcome (seat 0 wins, draw, seat 1 wins) under uniform play to out. */
static void outcomes(const agon_rules* rules, const void* state, double chance, double out[3]) {
    uint64_t mask;
    rules->game->legal(rules->config, state,
                       __builtin_ctzll(rules->game->acting(rules->config, state)), &mask);
    const int legal = agon_mask_count(&mask, 1);
    for (int k = 0; k < legal; k++) {
        uint64_t next[MAX_STATE / 8];
        float reward[2] = {0};
        const uint16_t action = (uint16_t)agon_mask_nth(&mask, 1, k);
        const uint16_t both[2] = {action, action};
        memcpy(next, state, rules->spec.state_size);
        rules->game->apply(rules->config, next, both, reward);
        if (rules->game->acting(rules->config, next))
            outcomes(rules, next, chance / legal, out);
        else
            out[1 - (int)reward[0]] += chance / legal;
    }
}

/* Promise: uniform against uniform, X wins 737 / 1260 of all games, O 121 / 420, the rest is drawn.
 */
static void test_tic_tac_toe_uniform(void** unused) {
    const double expected[3] = {737 / 1260.0, 8 / 63.0, 121 / 420.0};
    agon_rules* rules = open_game("tic_tac_toe");
    uint64_t state[MAX_STATE / 8];
    double out[3] = {0};
    rules->game->init(rules->config, state);
    outcomes(rules, state, 1, out);
    for (int k = 0; k < 3; k++)
        assert_true(out[k] - expected[k] <= 1e-12 && expected[k] - out[k] <= 1e-12);
    agon_rules_close(rules);
}

/* Promise: move sequences by depth, and distinct positions by ply (OEIS A212693). */
static void test_connect_four_counts(void** unused) {
    const long sequences[] = {1, 7, 49, 343, 2401, 16807, 117649, 823536};
    const long distinct[] = {1, 7, 49, 238, 1120, 4263, 16422};
    agon_rules* rules = open_game("connect_four");
    uint64_t state[MAX_STATE / 8];
    long count[7] = {0};
    state_set set;
    rules->game->init(rules->config, state);
    for (int depth = 0; depth < 8; depth++)
        assert_int_equal(perft(rules, state, depth), sequences[depth]);
    set_open(&set, 65536, rules->spec.state_size);
    positions(rules, state, 0, 6, &set, count);
    for (int ply = 0; ply < 7; ply++)
        assert_int_equal(count[ply], distinct[ply]);
    free(set.slots);
    agon_rules_close(rules);
}

/* Whether `connect` stones of one kind lie in a line of a board of text, cell by cell. */
static bool has_line(const char* text, int rows, int cols, int connect, char stone) {
    for (int i = 0; i < rows * cols * 4; i++) {
        const int down = i % 4 > 0, right = i % 4 == 0 ? 1 : i % 4 - 2;
        int row = i / 4 / cols, col = i / 4 % cols, run = 0;
        while (row < rows && col >= 0 && col < cols && text[row * (cols + 1) + col] == stone) {
            run++;
            row += down;
            col += right;
        }
        if (run >= connect)
            return true;
    }
    return false;
}

/* Promise: a win is a line and nothing else, for every board shape: the bit tricks agree with a
 * search through the board as text at every ply of random games. */
static void test_connect_four_lines(void** unused) {
    const agon_key key = agon_key_make(3, "lines", AGON_FOR_TEST);
    for (int shape = 0; shape < 7 * 7 * 4; shape++) {
        const int rows = 4 + shape % 7, cols = 4 + shape / 7 % 7, connect = 3 + shape / 49;
        char string[64], text[256];
        agon_rules* rules = NULL;
        snprintf(string, sizeof string, "connect_four(rows=%d,cols=%d,connect=%d)", rows, cols,
                 connect);
        const bool fits = (rows + 1) * cols <= 64 && (connect <= rows || connect <= cols);
        assert_int_equal(agon_rules_open(string, &rules, NULL) == 0, fits);
        for (uint32_t episode = 0; episode < 20 && fits; episode++) {
            uint64_t state[MAX_STATE / 8], mask;
            float reward[2];
            uint64_t acting = agon_rules_start(rules, state, reward, key, episode);
            for (uint32_t ply = 0; acting; ply++) {
                rules->game->legal(rules->config, state, (int)(ply & 1), &mask);
                const uint32_t word = agon_random(key, episode, ply, 0, 0).word[0];
                const int k = (int)agon_below(word, (uint32_t)agon_mask_count(&mask, 1));
                const uint16_t column = (uint16_t)agon_mask_nth(&mask, 1, k);
                const uint16_t action[2] = {column, column};
                assert_int_equal(rules->game->apply(rules->config, state, action, reward), 0);
                acting = rules->game->acting(rules->config, state);
                rules->game->text(rules->config, state, text, sizeof text);
                const bool won = has_line(text, rows, cols, connect, ply & 1 ? 'o' : 'x');
                const float gain = won ? (ply & 1 ? -1.0f : 1.0f) : 0;
                assert_true(reward[0] == gain && reward[1] == -gain);
                assert_int_equal(acting == 0, won || ply + 1 == (uint32_t)(rows * cols));
            }
        }
        agon_rules_close(rules);
    }
}

/* ---- Kuhn's poker --------------------------------------------------------------------------- */

typedef struct kuhn_walk {
    const agon_rules* rules;
    int chance, decisions, ends;
    int infosets;
    uint8_t obs[64][64]; /* of information sets met, with the seat in front */
    double value[2];     /* expected returns under uniform chance and `bet` */
    double bet[2][3][4]; /* probability of action 1 by seat, card, betting seen by the seat */
} kuhn_walk;

static void kuhn_count_infoset(kuhn_walk* w, const void* state, int seat) {
    uint8_t obs[64] = {(uint8_t)seat};
    w->rules->game->observe(w->rules->config, state, seat, obs + 1);
    for (int i = 0; i < w->infosets; i++) {
        if (memcmp(w->obs[i], obs, sizeof obs) == 0)
            return;
    }
    assert_true(w->infosets < 64);
    memcpy(w->obs[w->infosets++], obs, sizeof obs);
}

/* P(action 1): the card and the betting are read from what the seat observes. */
static double kuhn_bet(const kuhn_walk* w, const void* state, int seat) {
    uint8_t obs[9];
    w->rules->game->observe(w->rules->config, state, seat, obs);
    const int card = obs[0] ? 0 : obs[1] ? 1 : 2;
    return w->bet[seat][card][obs[6] || obs[7]];
}

static void kuhn_tree(kuhn_walk* w, const void* state, const float* reward, double reach) {
    const agon_game* game = w->rules->game;
    const uint64_t acting = game->acting(w->rules->config, state);
    double prob[16] = {0};
    int count = 2, seat = 0;
    if (!acting) {
        w->ends++;
        w->value[0] += reach * (double)reward[0];
        w->value[1] += reach * (double)reward[1];
        return;
    }
    if (acting == AGON_CHANCE) {
        w->chance++;
        count = game->chance(w->rules->config, state, prob);
    } else {
        w->decisions++;
        seat = __builtin_ctzll(acting);
        kuhn_count_infoset(w, state, seat);
        prob[1] = w->rules->spec.seats == 2 ? kuhn_bet(w, state, seat) : 0.5;
        prob[0] = 1 - prob[1];
    }
    for (int i = 0; i < count; i++) {
        uint64_t next[MAX_STATE / 8];
        float sum[AGON_MAX_SEATS] = {0};
        uint16_t action[AGON_MAX_SEATS] = {0};
        action[seat] = (uint16_t)i;
        memcpy(next, state, w->rules->spec.state_size);
        memcpy(sum, reward, sizeof(float) * (size_t)w->rules->spec.seats);
        assert_int_equal(game->apply(w->rules->config, next, action, sum), 0);
        kuhn_tree(w, next, sum, reach * prob[i]);
    }
}

static void kuhn_run(kuhn_walk* w, const char* string) {
    uint64_t state[MAX_STATE / 8];
    float reward[AGON_MAX_SEATS] = {0};
    w->rules = open_game(string);
    w->rules->game->init(w->rules->config, state);
    kuhn_tree(w, state, reward, 1);
    agon_rules_close((agon_rules*)w->rules);
}

/* Promise: 4 chance nodes, 24 decisions, 30 ends, 12 information sets; the known equilibrium (Kuhn
 * 1950, with alpha = 1/3) is worth -1/18 to the first seat. Three players: 48 information sets. */
static void test_kuhn_poker_tree(void** unused) {
    kuhn_walk w = {0}, three = {0};
    w.bet[0][0][0] = 1.0 / 3; /* first: bluff with the lowest card, */
    w.bet[0][2][0] = 1;       /* bet with the highest, */
    w.bet[0][1][1] = 2.0 / 3; /* call with the middle one (alpha + 1/3) */
    w.bet[0][2][1] = 1;
    w.bet[1][0][0] = 1.0 / 3; /* second: bluff after a pass, */
    w.bet[1][2][0] = 1;
    w.bet[1][1][1] = 1.0 / 3; /* call with the middle card */
    w.bet[1][2][1] = 1;
    kuhn_run(&w, "kuhn_poker");
    assert_int_equal(w.chance, 4);
    assert_int_equal(w.decisions, 24);
    assert_int_equal(w.ends, 30);
    assert_int_equal(w.infosets, 12);
    assert_true(w.value[0] > -1.0 / 18 - 1e-12 && w.value[0] < -1.0 / 18 + 1e-12);
    kuhn_run(&three, "kuhn_poker(players=3)");
    assert_int_equal(three.chance, 1 + 4 + 12);
    assert_int_equal(three.decisions, 24 * 12);
    assert_int_equal(three.ends, 24 * 13);
    assert_int_equal(three.infosets, 48);
}

/* Promise: resample reaches every deal that a seat holds possible, about equally often, and no
 * other: with the middle of three cards in hand, the other has 0 or 2. */
static void test_kuhn_poker_resample(void** unused) {
    agon_rules* rules = open_game("kuhn_poker");
    const agon_key key = agon_key_make(5, "deal", AGON_FOR_TEST);
    uint64_t state[MAX_STATE / 8];
    float reward[2] = {0};
    int seen[3] = {0};
    rules->game->init(rules->config, state);
    for (int i = 0; i < 2; i++) {
        const uint16_t outcome[2] = {1, 1}; /* card 1, then card 2 of {0, 2} */
        assert_int_equal(rules->game->apply(rules->config, state, outcome, reward), 0);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        uint64_t other[MAX_STATE / 8];
        uint8_t obs[9];
        const agon_draw bits = agon_random(key, i, 0, 0, 0);
        memcpy(other, state, sizeof other);
        rules->game->resample(rules->config, other, 0, (uint64_t)bits.word[0] << 32 | bits.word[1]);
        rules->game->observe(rules->config, other, 1, obs);
        seen[obs[0] ? 0 : obs[1] ? 1 : 2]++;
    }
    assert_int_equal(seen[1], 0);
    assert_in_range(seen[0], 420, 580);
    assert_in_range(seen[2], 420, 580);
    agon_rules_close(rules);
}

/* ---- spinning_top --------------------------------------------------------------------------- */

enum { LEVELS = 4, ANGLES = 6, N = LEVELS * ANGLES };

/* The part of an antisymmetric matrix that is not a difference of row means, in squared norm. */
static double cyclic_fraction(const double m[N][N]) {
    double mean[N] = {0}, cyclic = 0, all = 0;
    for (int i = 0; i < N * N; i++)
        mean[i / N] += m[i / N][i % N] / N;
    for (int i = 0; i < N * N; i++) {
        const double entry = m[i / N][i % N], rest = entry - mean[i / N] + mean[i % N];
        cyclic += rest * rest;
        all += entry * entry;
    }
    return cyclic / all;
}

static void payoff_matrix(const agon_rules* rules, double m[N][N]) {
    for (int i = 0; i < N * N; i++) {
        uint64_t state[MAX_STATE / 8];
        float reward[2] = {0};
        const uint16_t action[2] = {(uint16_t)(i / N), (uint16_t)(i % N)};
        rules->game->init(rules->config, state);
        assert_int_equal(rules->game->apply(rules->config, state, action, reward), 0);
        assert_true(reward[0] == -reward[1]);
        m[i / N][i % N] = (double)reward[0];
    }
}

/* The formula in double precision; sines of multiples of 60 degrees over the largest of them. */
static void formula_matrix(double g, double m[N][N]) {
    const double sine[ANGLES] = {0, 1, 1, 0, -1, -1};
    double most = 0;
    for (int i = 0; i < N * N; i++) {
        const int a = i / N, b = i % N;
        const double skill = (double)(a / ANGLES - b / ANGLES) / (LEVELS - 1);
        m[a][b] = (1 - g) * skill + g * sine[(a % ANGLES - b % ANGLES + ANGLES) % ANGLES];
        most = m[a][b] > most ? m[a][b] : most;
    }
    for (int i = 0; i < N * N; i++)
        m[i / N][i % N] /= most;
}

static bool near(double a, double b, double tolerance) {
    return a - b <= tolerance && b - a <= tolerance;
}

/* Promise: the payoffs are the formula's, exactly antisymmetric, at most 1 and somewhere 1; the
 * cyclic fraction goes from 0 at g = 0 to 1 at g = 1 by g^2 2/3 over g^2 2/3 + (1-g)^2 5/18. */
static void test_spinning_top_mixes_skill_and_cycle(void** unused) {
    for (int step = 0; step <= 4; step++) {
        const double g = step / 4.0, sine = g * g * 2 / 3, skill = (1 - g) * (1 - g) * 5 / 18;
        double played[N][N], exact[N][N], most = 0;
        char string[32];
        snprintf(string, sizeof string, "spinning_top(g=%g)", g);
        agon_rules* rules = open_game(string);
        payoff_matrix(rules, played);
        formula_matrix(g, exact);
        for (int i = 0; i < N * N; i++) {
            const double entry = played[i / N][i % N];
            assert_true(entry == -played[i % N][i / N]);
            assert_true(near(entry, exact[i / N][i % N], 6e-8));
            most = entry > most ? entry : most;
        }
        assert_true(most == 1);
        assert_true(near(cyclic_fraction(exact), sine / (sine + skill), 1e-12));
        assert_true(near(cyclic_fraction(played), sine / (sine + skill), 1e-6));
        agon_rules_close(rules);
    }
}

/* ---- games of simultaneous moves ------------------------------------------------------------ */

/* The action of `seat` that has this name. */
static uint16_t named(const agon_rules* rules, const void* state, int seat, const char* name) {
    char text[32];
    for (int action = 0; action < rules->spec.actions; action++) {
        agon_action_text(rules, state, seat, action, text, sizeof text);
        if (strcmp(text, name) == 0)
            return (uint16_t)action;
    }
    fail_msg("%s has no action %s", rules->name, name);
    return 0;
}

/* Plays one ply of named actions; returns who acts next. */
static uint64_t play(const agon_rules* rules, void* state, const char* const* names,
                     float* reward) {
    uint16_t action[AGON_MAX_SEATS] = {0};
    for (int seat = 0; seat < rules->spec.seats; seat++)
        action[seat] = named(rules, state, seat, names[seat]);
    assert_int_equal(rules->game->apply(rules->config, state, action, reward), 0);
    return rules->game->acting(rules->config, state);
}

/* Promise: two heads that enter one cell are both out and nobody takes the cell. If they were the
 * last, they share; if a third seat is left, it wins. */
static void test_tron_heads_collide(void** unused) {
    const char* meet[2] = {"up", "left"};
    const char* first[3] = {"up", "up", "down"};
    const char* second[3] = {"up", "up", "left"};
    char text[64];
    uint64_t state[40];
    float reward[3] = {0};
    agon_rules* rules = NULL;
    assert_int_equal(agon_rules_open("tron(size=4)", &rules, NULL), 0);
    assert_true(rules->spec.state_size <= sizeof state);
    rules->game->init(rules->config, state);
    assert_int_equal(play(rules, state, meet, reward), 0);
    assert_true(reward[0] == 0 && reward[1] == 0);
    rules->game->text(rules->config, state, text, sizeof text);
    assert_string_equal(text, "....\n..b.\n.a..\n....\n");
    agon_rules_close(rules);

    assert_int_equal(agon_rules_open("tron(players=3,size=6)", &rules, NULL), 0);
    rules->game->init(rules->config, state);
    assert_int_equal(play(rules, state, first, reward), 7);
    rules->game->text(rules->config, state, text, sizeof text);
    assert_string_equal(text, "......\n.B.c..\n.b.C..\n..A...\n..a...\n......\n");
    assert_int_equal(play(rules, state, second, reward), 0);
    assert_true(reward[0] == -0.5f && reward[1] == 1 && reward[2] == -0.5f);
    agon_rules_close(rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tic_tac_toe_counts),
        cmocka_unit_test(test_tic_tac_toe_uniform),
        cmocka_unit_test(test_connect_four_counts),
        cmocka_unit_test(test_connect_four_lines),
        cmocka_unit_test(test_kuhn_poker_tree),
        cmocka_unit_test(test_kuhn_poker_resample),
        cmocka_unit_test(test_spinning_top_mixes_skill_and_cycle),
        cmocka_unit_test(test_tron_heads_collide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
