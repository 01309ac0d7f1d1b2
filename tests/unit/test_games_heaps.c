/* test_games_heaps.c: nim and oware. Nim against Bouton's theory and against counts by formula;
 * oware against plain rules on arrays that remember every board, written from the opening comment
 * of the game, and against counts and values from OpenSpiel. */
#include "agents/negamax.h"
#include "agents/tree.h"

#define TABLE_STATE 1024
#define TABLE_WORDS 128
#include "tests/unit/game_table.h"

enum { MAX_PILES = 32 };

/* A number below `count` for a ply of an episode. */
static int draw(uint32_t episode, uint32_t ply, int count) {
    const agon_key key = agon_key_make(11, "heaps", AGON_FOR_TEST);
    return (int)agon_below(agon_random(key, episode, ply, 0, 0).word[0], (uint32_t)count);
}

static int random_action(const table* t, uint32_t episode, uint32_t ply) {
    uint64_t mask[TABLE_WORDS];
    const int words = t->rules->mask_words;
    legal(t, mask);
    return agon_mask_nth(mask, words, draw(episode, ply, agon_mask_count(mask, words)));
}

/* Move sequences of `depth` plies, and shorter ones that end the game. */
static long perft(const table* t, int depth) {
    uint64_t mask[TABLE_WORDS];
    long count = 0;
    if (!t->acting || depth == 0)
        return 1;
    legal(t, mask);
    for (int action = 0; action < t->rules->spec.actions; action++) {
        table next = *t;
        if (agon_mask_has(mask, action)) {
            assert_int_equal(play(&next, action), 0);
            count += perft(&next, depth - 1);
        }
    }
    return count;
}

/* The value of the start for seat 0; with action_value that of each action. */
static float solve(const table* t, float* action_value) {
    agon_negamax* solver = NULL;
    float value = 9;
    assert_int_equal(agon_negamax_open(t->rules, 1 << 20, &solver, NULL), 0);
    assert_int_equal(
        agon_negamax_solve(solver, t->state, 0, 10000000, &value, action_value, NULL, NULL), 0);
    agon_negamax_close(solver);
    return value;
}

/* ---- nim ---------------------------------------------------------------------------------- */

typedef struct piles {
    int count, size[MAX_PILES];
    bool misere;
} piles;

static void nim_open(table* t, const piles* p) {
    char string[128] = "";
    int n = snprintf(string, sizeof string, "nim(is_misere=%s,pile_sizes=%d",
                     p->misere ? "true" : "false", p->size[0]);
    for (int i = 1; i < p->count; i++)
        n += snprintf(string + n, sizeof string - (size_t)n, "+%d", p->size[i]);
    assert_true(n < 126);
    memcpy(string + n, ")", 2);
    open_table(t, string);
}

/* Bouton: does the seat to move win? */
static bool nim_wins(const piles* p) {
    int all = 0, large = 0;
    for (int i = 0; i < p->count; i++) {
        all ^= p->size[i];
        large |= p->size[i] > 1;
    }
    return p->misere && !large ? !all : all != 0;
}

static piles nim_after(piles p, int action) {
    p.size[action % p.count] -= action / p.count + 1;
    return p;
}

static void check_bouton(const piles* p) {
    table t;
    float value[64];
    nim_open(&t, p);
    assert_true(t.rules->spec.actions <= 64);
    assert_true(solve(&t, value) == (nim_wins(p) ? 1 : -1));
    for (int action = 0; action < t.rules->spec.actions; action++) {
        const piles next = nim_after(*p, action);
        if (next.size[action % p->count] < 0)
            assert_true(value[action] != value[action]);
        else
            assert_true(value[action] == (nim_wins(&next) ? -1 : 1));
    }
    agon_rules_close(t.rules);
}

/* Promise: every position of up to four piles of up to four stones, and of three up to six, has
 * the value of Bouton's theory, and so has each of its moves. */
static void test_nim_is_as_bouton_says(void** unused) {
    const struct { int piles, stones; } cases[] = {{1, 9}, {2, 7}, {3, 6}, {4, 4}};
    for (int i = 0; i < 4; i++) {
        piles p = {.count = cases[i].piles};
        int number = 1;
        for (int k = 0; k < p.count; k++)
            number *= cases[i].stones;
        for (int n = 0; n < 2 * number; n++) {
            p.misere = n >= number;
            bool sorted = true;
            for (int k = 0, left = n % number; k < p.count; k++, left /= cases[i].stones) {
                p.size[k] = left % cases[i].stones + 1;
                sorted &= k == 0 || p.size[k - 1] >= p.size[k];
            }
            if (sorted || n % 7 == 0) /* all multisets, and some in other orders */
                check_bouton(&p);
        }
    }
}

/* A move to a position that loses for whoever is then to move. */
static int bouton_move(const piles* p) {
    for (int i = 0; i < p->count; i++) {
        for (int stones = 1; stones <= p->size[i]; stones++) {
            const int action = (stones - 1) * p->count + i;
            const piles next = nim_after(*p, action);
            if (!nim_wins(&next))
                return action;
        }
    }
    return -1;
}

/* The observation is the stones, the mask what the piles allow. */
static void nim_compare(const table* t, const piles* p) {
    static uint8_t seen[MAX_PILES * 255];
    uint64_t mask[TABLE_WORDS];
    const int most = t->rules->spec.cols;
    t->rules->game->observe(t->rules->config, t->state, mover(t), seen);
    legal(t, mask);
    for (int i = 0; i < p->count; i++) {
        for (int stone = 0; stone < most; stone++) {
            const int there = stone < p->size[i];
            assert_true(seen[i * most + stone] == there);
            assert_true(agon_mask_has(mask, stone * p->count + i) == there);
        }
    }
}

/* Promise: with piles too large to solve, too, who plays by Bouton's theory wins every game that
 * the theory says is won, whatever the other plays. Every position is seen as it is. */
static void test_nim_is_won_by_theory(void** unused) {
    for (uint32_t episode = 0; episode < 200; episode++) {
        piles p = {.misere = episode % 2 == 1, .count = 1 + draw(episode, 1000, MAX_PILES)};
        /* The game string has room for so many digits. */
        const int most = p.count >= 20 ? 9 : episode % 4 < 2 ? 255 : 1 + draw(episode, 1033, 20);
        table t;
        for (int i = 0; i < p.count; i++)
            p.size[i] = 1 + draw(episode, 1001 + (uint32_t)i, most);
        nim_open(&t, &p);
        const int winner = nim_wins(&p) ? 0 : 1;
        for (uint32_t ply = 0; t.acting; ply++) {
            nim_compare(&t, &p);
            const int action =
                mover(&t) == winner ? bouton_move(&p) : random_action(&t, episode, ply);
            assert_true(action >= 0);
            assert_int_equal(play(&t, action), 0);
            p = nim_after(p, action);
        }
        assert_true(t.reward[winner] == 1 && t.reward[1 - winner] == -1);
        agon_rules_close(t.rules);
    }
}

static int choose(int n, int k) {
    int result = 1;
    for (int i = 1; i <= k; i++)
        result = result * (n - k + i) / i;
    return result;
}

/* Promise: all positions are reached, after every number of plies from the number of piles that
 * were touched to the number of stones taken. A tree has a node for each such pair. */
static void test_nim_counts_positions(void** unused) {
    const piles cases[] = {{1, {9}, true},
                           {2, {3, 5}, false},
                           {3, {2, 4, 3}, true},
                           {4, {1, 3, 5, 7}, true},
                           {6, {2, 2, 2, 2, 2, 2}, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const piles* p = &cases[i];
        table t;
        agon_tree* tree = NULL;
        int positions = 1, nodes;
        nim_open(&t, p);
        for (int k = 0; k < p->count; k++)
            positions *= p->size[k] + 1;
        nodes = positions;
        for (int k = 0; k < p->count; k++)
            nodes += positions / (p->size[k] + 1) * choose(p->size[k], 2);
        assert_int_equal(agon_tree_open(t.rules, 100000, &tree, NULL), 0);
        assert_int_equal(agon_tree_nodes(tree), nodes);
        agon_tree_close(tree);
        agon_rules_close(t.rules);
    }
}

/* Games with these piles in which, before pile `at`, `plies` were played: pile after pile is cut
 * into k takes, C(size - 1, k - 1) ways, which are put among the plies so far. */
static int nim_games(const piles* p, int at, int plies) {
    int games = 0;
    if (at == p->count)
        return 1;
    for (int k = 1; k <= p->size[at]; k++)
        games +=
            choose(p->size[at] - 1, k - 1) * choose(plies + k, k) * nim_games(p, at + 1, plies + k);
    return games;
}

/* Promise: as many games as the formula says. */
static void test_nim_counts_games(void** unused) {
    const piles cases[] = {
        {1, {12}, true}, {2, {3, 5}, false}, {3, {2, 4, 3}, true}, {5, {1, 1, 2, 1, 2}, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        table t;
        nim_open(&t, &cases[i]);
        assert_int_equal(perft(&t, 1000), nim_games(&cases[i], 0, 0));
        agon_rules_close(t.rules);
    }
}

/* Promise: pile sizes that are none are refused, with a word on what is expected. */
static void test_nim_refuses_other_piles(void** unused) {
    static const char* const wrong[] = {"0",
                                        "256",
                                        "1+",
                                        "+1",
                                        "1++2",
                                        "1;2",
                                        "-1",
                                        "3x",
                                        "1+0",
                                        "99999999999999999999",
                                        "1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+"
                                        "1+1+1+1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char string[128];
        agon_rules* rules = NULL;
        agon_error error = {0};
        snprintf(string, sizeof string, "nim(pile_sizes=%s)", wrong[i]);
        assert_int_equal(agon_rules_open(string, &rules, &error), AGON_EINVALID);
        assert_non_null(strstr(error.text, "expected 1 to 32 numbers from 1 to 255"));
    }
}

/* ---- oware -------------------------------------------------------------------------------- */

enum { MAX_HOUSES = 16, MAX_PLIES = 1000 };
enum { GOES_ON, BY_SCORE, BY_REPETITION, BY_LACK_OF_MOVES, BY_HORIZON, ENDS };

/* Houses of both seats, in the way of sowing. */
typedef struct oware {
    int row, horizon, half; /* houses of a row; half of the seeds */
    int seeds[MAX_HOUSES], score[2];
    int turn, plies, end;
    int known, slams;
    int board[MAX_PLIES + 1][MAX_HOUSES + 1]; /* all so far: who moves, then the seeds */
} oware;

static void oware_remember(oware* o) {
    int* board = o->board[o->known++];
    board[0] = o->turn;
    memcpy(board + 1, o->seeds, sizeof o->seeds);
}

static bool oware_was_there(const oware* o) {
    for (int i = 0; i < o->known; i++) {
        if (o->board[i][0] == o->turn && memcmp(o->board[i] + 1, o->seeds, sizeof o->seeds) == 0)
            return true;
    }
    return false;
}

static void oware_begin(oware* o, int row, int seeds, int horizon) {
    memset(o, 0, sizeof *o);
    o->row = row, o->horizon = horizon, o->half = row * seeds;
    for (int i = 0; i < 2 * row; i++)
        o->seeds[i] = seeds;
    oware_remember(o);
}

static int oware_owned(const oware* o, int seat) {
    int sum = 0;
    for (int i = 0; i < o->row; i++)
        sum += o->seeds[seat * o->row + i];
    return sum;
}

static bool oware_may(const oware* o, int house) {
    const int seeds = o->seeds[o->turn * o->row + house];
    if (o->end != GOES_ON || seeds == 0)
        return false;
    return oware_owned(o, 1 - o->turn) > 0 || house + seeds >= o->row;
}

static void oware_capture(oware* o, int last) {
    const int other = 1 - o->turn, begin = other * o->row;
    int stop = last, sum = 0;
    while (stop >= begin && stop < begin + o->row && (o->seeds[stop] == 2 || o->seeds[stop] == 3))
        sum += o->seeds[stop--];
    if (sum == 0)
        return;
    if (sum == oware_owned(o, other)) {
        o->slams++;
        return;
    }
    for (int i = stop + 1; i <= last; i++)
        o->seeds[i] = 0;
    o->score[o->turn] += sum;
}

static int oware_ended(const oware* o, bool repeated) {
    bool may = false;
    for (int house = 0; house < o->row; house++)
        may |= oware_may(o, house);
    if (o->score[0] > o->half || o->score[1] > o->half ||
        (o->score[0] == o->half && o->score[1] == o->half))
        return BY_SCORE;
    return repeated                 ? BY_REPETITION
           : !may                   ? BY_LACK_OF_MOVES
           : o->plies == o->horizon ? BY_HORIZON
                                    : GOES_ON;
}

static void oware_play(oware* o, int house) {
    const int from = o->turn * o->row + house;
    int at = from, hand = o->seeds[from];
    o->seeds[from] = 0;
    while (hand > 0) {
        at = (at + 1) % (2 * o->row);
        if (at == from)
            continue;
        o->seeds[at]++;
        hand--;
    }
    oware_capture(o, at);
    o->turn = 1 - o->turn;
    o->plies++;
    const bool repeated = oware_was_there(o);
    oware_remember(o);
    o->end = oware_ended(o, repeated);
    for (int i = 0; o->end != GOES_ON && i < 2 * o->row; i++) {
        o->score[i / o->row] += o->seeds[i];
        o->seeds[i] = 0;
    }
}

/* Both observations are the board and the captures. */
static void oware_compare(const table* t, const oware* o) {
    const int houses = 2 * o->row;
    uint64_t mask[1] = {0};
    assert_int_equal(t->acting, o->end == GOES_ON ? 1u << o->turn : 0);
    for (int seat = 0; seat < 2; seat++) {
        uint8_t seen[2 * MAX_HOUSES];
        t->rules->game->observe(t->rules->config, t->state, seat, seen);
        for (int i = 0; i < houses; i++) {
            assert_int_equal(seen[i], o->seeds[(i + seat * o->row) % houses]);
            assert_int_equal(seen[houses + i], o->score[i < o->row ? seat : 1 - seat]);
        }
    }
    if (!t->acting)
        return;
    legal(t, mask);
    for (int house = 0; house < o->row; house++)
        assert_int_equal(mask[0] >> house & 1, oware_may(o, house));
}

/* Half of the episodes avoid captures where a few draws find a way, so that histories get long. */
static int oware_choose(const table* t, const oware* o, uint32_t episode, uint32_t ply) {
    static oware next;
    int action = random_action(t, episode, ply);
    for (uint32_t trial = 1; episode % 2 && trial < 6; trial++) {
        next = *o;
        oware_play(&next, action);
        if (next.score[o->turn] == o->score[o->turn])
            break;
        action = random_action(t, episode, ply + trial * MAX_PLIES);
    }
    return action;
}

static void oware_game(table* t, oware* o, uint32_t episode) {
    start(t);
    oware_compare(t, o);
    for (uint32_t ply = 0; t->acting; ply++) {
        const int action = oware_choose(t, o, episode, ply);
        assert_int_equal(play(t, action), 0);
        oware_play(o, action);
        oware_compare(t, o);
    }
    const float more = (float)((o->score[0] > o->score[1]) - (o->score[0] < o->score[1]));
    assert_true(t->reward[0] == more && t->reward[1] == -more);
}

/* Promise: boards, captures, legal moves, ends and returns are those of the plain rules, at every
 * number of houses, with few and many seeds, up to the horizon; every kind of end has come up, and
 * so have grand slams. */
static void test_oware_is_as_the_plain_rules_say(void** unused) {
    static const int seeds[] = {1, 2, 3, 4, 6, 9, 15};
    static oware o;
    long ends[ENDS] = {0}, slams = 0, longest = 0;
    for (int row = 1; row <= 8; row++) {
        for (int i = 0; i < 7; i++) {
            const int horizon = i == 3 ? 40 * row : MAX_PLIES;
            char string[128];
            table t;
            snprintf(string, sizeof string,
                     "oware(num_houses_per_player=%d,num_seeds_per_house=%d,horizon=%d)", row,
                     seeds[i], horizon);
            open_table(&t, string);
            for (uint32_t episode = 0; episode < 12; episode++) {
                oware_begin(&o, row, seeds[i], horizon);
                oware_game(&t, &o, episode);
                ends[o.end]++;
                slams += o.slams;
                longest = o.plies > longest ? o.plies : longest;
            }
            agon_rules_close(t.rules);
        }
    }
    for (int end = BY_SCORE; end < ENDS; end++)
        assert_true(ends[end] > 5);
    assert_true(slams > 20 && longest == MAX_PLIES);
}

/* Promise: as many sequences of moves as OpenSpiel has. */
static void test_oware_counts_sequences(void** unused) {
    static const long six[] = {6, 36, 190, 1014, 5219, 27332, 139157};
    static const long three[] = {3, 6, 14, 32, 66, 154, 318, 684, 1427, 2897, 6022};
    table t;
    open_table(&t, "oware");
    for (int depth = 1; depth <= 7; depth++)
        assert_int_equal(perft(&t, depth), six[depth - 1]);
    agon_rules_close(t.rules);
    open_table(&t, "oware(num_houses_per_player=3,num_seeds_per_house=2)");
    for (int depth = 1; depth <= 11; depth++)
        assert_int_equal(perft(&t, depth), three[depth - 1]);
    agon_rules_close(t.rules);
}

/* Promise: values of small games, as searched in OpenSpiel, and all games of the smallest. */
static void test_oware_values(void** unused) {
    static const struct {
        int row, seeds;
        float value;
    } cases[] = {{1, 1, -1}, {1, 2, -1}, {2, 1, 1}, {2, 2, 1}, {2, 3, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char string[128];
        table t;
        snprintf(string, sizeof string, "oware(num_houses_per_player=%d,num_seeds_per_house=%d)",
                 cases[i].row, cases[i].seeds);
        open_table(&t, string);
        assert_true(solve(&t, NULL) == cases[i].value);
        if (i == 2)
            assert_int_equal(perft(&t, MAX_PLIES), 31);
        agon_rules_close(t.rules);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nim_is_as_bouton_says),
        cmocka_unit_test(test_nim_is_won_by_theory),
        cmocka_unit_test(test_nim_counts_positions),
        cmocka_unit_test(test_nim_counts_games),
        cmocka_unit_test(test_nim_refuses_other_piles),
        cmocka_unit_test(test_oware_is_as_the_plain_rules_say),
        cmocka_unit_test(test_oware_counts_sequences),
        cmocka_unit_test(test_oware_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
