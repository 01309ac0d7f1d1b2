/* test_games_cards.c: poker and liar's dice against trees, values and plain rules from elsewhere.
 * Guards: tree sizes and information sets; NashConv of uniform and of timid play; values of the
 * games; rules, returns and observations at all sizes; what resampling draws, and how often. */
#include "agents/cfr.h"
#include "agents/perft.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { MAX_STATE = 192, MAX_OBS = 1024, MAX_LINE = 192, SEATS = 10 };

static agon_rules* open_game(const char* string) {
    agon_rules* rules = NULL;
    assert_int_equal(agon_rules_open(string, &rules, NULL), 0);
    assert_in_range(rules->spec.state_size, 8, MAX_STATE);
    assert_in_range(rules->obs_bytes, 1, MAX_OBS);
    assert_in_range(rules->spec.max_plies, 1, 128);
    return rules;
}

static uint64_t acting(const agon_rules* rules, const void* state) {
    return rules->game->acting(rules->config, state);
}

/* Plays `action` for whoever acts; at a chance node it is the outcome. */
static int play(const agon_rules* rules, void* state, int action, float* reward) {
    uint16_t all[SEATS];
    for (int i = 0; i < SEATS; i++)
        all[i] = (uint16_t)action;
    return rules->game->apply(rules->config, state, all, reward);
}

/* ---- trees and values --------------------------------------------------------------------- */

typedef struct solved {
    agon_rules* rules;
    agon_tree* tree;
    double* table; /* (infosets, actions) */
} solved;

static solved solved_open(const char* game) {
    solved s = {.rules = open_game(game)};
    assert_int_equal(agon_tree_open(s.rules, 2000000, &s.tree, NULL), 0);
    s.table = (double*)calloc((size_t)agon_tree_infosets(s.tree) * (size_t)s.rules->spec.actions,
                              sizeof *s.table);
    assert_non_null(s.table);
    return s;
}

static void solved_close(solved* s) {
    free(s->table);
    agon_tree_close(s->tree);
    agon_rules_close(s->rules);
}

/* All seats play their first legal action, or all of them alike. */
static double nash_conv(solved* s, bool first) {
    const int actions = s->rules->spec.actions, words = s->rules->mask_words;
    for (int i = 0; i < agon_tree_infosets(s->tree); i++) {
        const uint64_t* mask = agon_tree_infoset_mask(s->tree, i);
        const int count = first ? 1 : agon_mask_count(mask, words);
        memset(s->table + (size_t)i * (size_t)actions, 0, (size_t)actions * sizeof *s->table);
        for (int k = 0; k < count; k++)
            s->table[i * actions + agon_mask_nth(mask, words, k)] = 1.0 / count;
    }
    return agon_tree_nash_conv(s->tree, s->table);
}

/* Promise: trees are as large as OpenSpiel's, walked there to the ends. In liar's dice every set of
 * bids is one line of them, whatever was rolled. */
static void test_tree_sizes(void** unused) {
    const struct {
        const char* game;
        uint64_t chance, decisions, ends;
    } sizes[] = {
        {"kuhn_poker", 4, 24, 30},
        {"kuhn_poker(players=3)", 17, 288, 312},
        {"leduc_poker", 157, 3780, 5520},
        {"leduc_poker(players=3)", 10481, 777168, 1043952},
        {"liars_dice", 7, 147456, 147420},
        {"liars_dice(bidding_rule=reset-quantity)", 7, 147456, 147420},
        {"liars_dice(dice=2,faces=2)", 15, 16 << 8, 16 * 255},
        {"liars_dice(faces=2,players=3)", 7, 8 << 6, 8 * 63},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        agon_rules* rules = open_game(sizes[i].game);
        uint64_t state[MAX_STATE / 8];
        agon_perft_nodes nodes;
        rules->game->init(rules->config, state);
        assert_int_equal(agon_perft_tree(rules, state, -1, &nodes, NULL), 0);
        assert_int_equal(nodes.chance, sizes[i].chance);
        assert_int_equal(nodes.decisions, sizes[i].decisions);
        assert_int_equal(nodes.ends, sizes[i].ends);
        agon_rules_close(rules);
    }
}

/* Promise: information sets, and NashConv of two policies, as sequence-form programs with rules of
 * their own have them (none: not tabulated). */
static void test_information_sets_and_nash_conv(void** unused) {
    const double none = -1;
    const struct {
        const char* game;
        int infosets;
        double uniform, first;
    } known[] = {
        {"kuhn_poker", 12, 11.0 / 12, 2},
        {"kuhn_poker(players=3)", 48, none, none},
        {"leduc_poker", 936, 1709.0 / 360, 2},
        {"liars_dice", 24576, 1.5614886459, 1.8888888889},
        {"liars_dice(dice=2,faces=2)", 768, none, none},
        {"liars_dice(faces=5)", 5 << 10, 1.4417417988, none},
        {"liars_dice(faces=4)", 4 << 8, 1.3101190476, none},
        {"liars_dice(faces=3)", 3 << 6, 10.0 / 9, none},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        solved s = solved_open(known[i].game);
        assert_int_equal(agon_tree_infosets(s.tree), known[i].infosets);
        assert_true(known[i].uniform == none ||
                    fabs(nash_conv(&s, false) - known[i].uniform) < 1e-9);
        assert_true(known[i].first == none || fabs(nash_conv(&s, true) - known[i].first) < 1e-9);
        solved_close(&s);
    }
}

/* Against the average policy of CFR+, seat 0 gets no less than the value at best, seat 1 no less
 * than minus the value: bounds from both sides, at most `gap` (its NashConv) apart. */
static void check_value(const char* game, double value, int iterations, double gap) {
    solved s = solved_open(game);
    agon_cfr* cfr = NULL;
    assert_int_equal(agon_cfr_open(s.tree, AGON_CFR_PLUS, &cfr, NULL), 0);
    agon_cfr_run(cfr, iterations);
    agon_cfr_average(cfr, s.table);
    const double* both[2] = {s.table, s.table};
    const double most = agon_tree_best_response(s.tree, 0, both);
    const double least = -agon_tree_best_response(s.tree, 1, both);
    if (!(least <= value + 1e-10 && value - 1e-10 <= most && most - least <= gap))
        fail_msg("%s: value from %.10f to %.10f, expected %.10f", game, least, most, value);
    agon_cfr_close(cfr);
    solved_close(&s);
}

/* Promise: the games are worth what linear programs and fractions say. The gaps are what CFR+
 * proves in a second; the value of Kuhn poker is exact in test_tree.c. */
static void test_values(void** unused) {
    check_value("kuhn_poker", -1.0 / 18, 8000, 6e-5);
    check_value("leduc_poker", -0.0856064241, 5000, 4e-5);
    check_value("liars_dice(faces=3)", 1.0 / 9, 8000, 4e-7);
    check_value("liars_dice(faces=4)", 1.0 / 16, 2000, 4e-5);
    check_value("liars_dice(faces=5)", 1.0 / 125, 500, 4e-4);
    check_value("liars_dice", -7.0 / 258, 100, 1e-2);
}

/* ---- plain rules -------------------------------------------------------------------------- */

/* A game as it went: outcomes and actions in order. */
typedef struct line {
    int length;
    int action[MAX_LINE];
} line;

/* What rules say after a line: who acts (AGON_CHANCE: nature, among `outcomes` equal outcomes; 0:
 * over), its legal actions, returns, and what a seat sees. */
typedef struct position {
    uint64_t acting, legal[2];
    int outcomes;
    double returns[SEATS];
    uint8_t obs[SEATS][MAX_OBS];
} position;

typedef void plain_rules(const void* game, const line* l, position* out);

/* A random choice of who acts. A game stays long when `low` actions are mostly left alone. */
static int choose(const agon_rules* rules, const position* at, agon_key key, uint32_t episode,
                  int ply, bool low) {
    const agon_draw bits = agon_random(key, episode, (uint32_t)ply, 0, 0);
    if (at->acting == AGON_CHANCE)
        return (int)agon_below(bits.word[0], (uint32_t)at->outcomes);
    const int count = agon_mask_count(at->legal, rules->mask_words);
    uint32_t k = agon_below(bits.word[0], (uint32_t)count);
    if (low && bits.word[1] % 8)
        k = agon_below(bits.word[0], (uint32_t)(count < 3 ? count : 3));
    return agon_mask_nth(at->legal, rules->mask_words, (int)k);
}

static void compare(const agon_rules* rules, const void* state, const position* at,
                    const float* returns) {
    const int seats = rules->spec.seats;
    uint8_t obs[MAX_OBS];
    uint64_t mask[2] = {0};
    double prob[SEATS * 3];
    assert_int_equal(acting(rules, state), at->acting);
    for (int seat = 0; seat < seats; seat++)
        assert_true(fabs((double)returns[seat] - at->returns[seat]) < 1e-6);
    if (at->acting == AGON_CHANCE)
        assert_int_equal(rules->game->chance(rules->config, state, prob), at->outcomes);
    if (!at->acting || at->acting == AGON_CHANCE)
        return;
    rules->game->legal(rules->config, state, __builtin_ctzll(at->acting), mask);
    assert_memory_equal(mask, at->legal, (size_t)rules->mask_words * 8);
    for (int seat = 0; seat < seats; seat++) {
        rules->game->observe(rules->config, state, seat, obs);
        assert_memory_equal(obs, at->obs[seat], rules->obs_bytes);
    }
}

/* Random games, position by position; every action that is not legal is refused. */
static void check_rules(const char* string, plain_rules* plain, const void* game, int episodes) {
    agon_rules* rules = open_game(string);
    const agon_key key = agon_key_make(1, "cards", AGON_FOR_TEST);
    for (uint32_t episode = 0; episode < (uint32_t)episodes; episode++) {
        uint64_t state[MAX_STATE / 8];
        float reward[SEATS] = {0};
        position at;
        line l = {0};
        rules->game->init(rules->config, state);
        for (;; l.length++) {
            plain(game, &l, &at);
            compare(rules, state, &at, reward);
            if (!at.acting)
                break;
            for (int action = 0; action < 130; action++) {
                const bool legal = at.acting == AGON_CHANCE
                                       ? action < at.outcomes
                                       : action < 128 && (at.legal[action / 64] >> action % 64 & 1);
                assert_true(legal || play(rules, state, action, reward) == -1);
            }
            l.action[l.length] = choose(rules, &at, key, episode, l.length, episode % 4 != 0);
            assert_int_equal(play(rules, state, l.action[l.length], reward), 0);
        }
        assert_int_equal(play(rules, state, 0, reward), -1);
    }
    agon_rules_close(rules);
}

/* ---- Leduc poker by its rules ------------------------------------------------------------- */

typedef struct leduc {
    int players, card[SEATS], table, paid[SEATS], pot_price;
    int laps[SEATS], raises, turn, round;
    bool out[SEATS], happy[SEATS], over;
} leduc;

static int leduc_still_in(const leduc* g) {
    int count = 0;
    for (int i = 0; i < g->players; i++)
        count += !g->out[i];
    return count;
}

static void leduc_open_round(leduc* g) {
    g->raises = 0;
    g->turn = g->players - 1;
    for (int i = 0; i < g->players; i++)
        g->happy[i] = false, g->laps[i] = 0;
}

/* The turn moves on; -1: everybody that is in is happy with the price. */
static void leduc_move_on(leduc* g) {
    for (int i = 1; i <= g->players; i++) {
        const int seat = (g->turn + i) % g->players;
        if (!g->out[seat] && !g->happy[seat]) {
            g->turn = seat;
            return;
        }
    }
    g->turn = -1;
}

static void leduc_returns(const leduc* g, double* returns) {
    int value[SEATS], best = -1, winners = 0, pot = 0;
    for (int i = 0; i < g->players; i++) {
        value[i] = g->card[i] / 2 + (g->card[i] / 2 == g->table / 2 ? 100 : 0);
        best = !g->out[i] && value[i] > best ? value[i] : best;
        pot += g->paid[i];
    }
    for (int i = 0; i < g->players; i++)
        winners += !g->out[i] && value[i] == best;
    for (int i = 0; i < g->players; i++)
        returns[i] = (!g->out[i] && value[i] == best ? (double)pot / winners : 0) - g->paid[i];
}

/* Planes: own rank, the table's, called and raised of round 1, of round 2, folded of both; with
 * more than two seats also seat 0 and who is in. */
static void leduc_note(const leduc* g, int seat, int action, position* out) {
    const int cells = g->players == 2 ? 4 : 3 * g->players;
    const int plane = action == 0 ? 6 + g->round : 1 + 2 * g->round + action;
    if (g->players == 2 && action == 0)
        return;
    for (int i = 0; i < g->players; i++) {
        const int place = (seat + g->players - i) % g->players;
        out->obs[i][plane * cells + g->laps[seat] * g->players + place] = 1;
    }
}

static void leduc_note_seats(const leduc* g, position* out) {
    const int cells = 3 * g->players;
    for (int i = 0; i < g->players && g->players > 2; i++) {
        out->obs[i][8 * cells + (g->players - i) % g->players] = 1;
        for (int seat = 0; seat < g->players; seat++)
            out->obs[i][9 * cells + (seat + g->players - i) % g->players] = !g->out[seat];
    }
}

static void leduc_take(leduc* g, int action, position* out) {
    const int seat = g->turn;
    leduc_note(g, seat, action, out);
    g->laps[seat]++;
    if (action == 0) {
        g->out[seat] = true;
    } else {
        if (action == 2) {
            g->pot_price += g->round ? 4 : 2;
            g->raises++;
            memset(g->happy, 0, sizeof g->happy);
        }
        g->paid[seat] = g->pot_price;
        g->happy[seat] = true;
    }
    leduc_move_on(g);
    g->over = leduc_still_in(g) == 1 || (g->turn < 0 && g->round == 1);
}

/* The k-th card that nobody has. */
static int leduc_draw(const leduc* g, int dealt, int k) {
    for (int card = 0;; card++) {
        bool taken = card == g->table;
        for (int i = 0; i < dealt; i++)
            taken |= g->card[i] == card;
        if (!taken && k-- == 0)
            return card;
    }
}

static void leduc_plain(const void* game, const line* l, position* out) {
    leduc g = {.players = *(const int*)game, .pot_price = 1, .table = -100};
    const int players = g.players, cells = players == 2 ? 4 : 3 * players;
    int dealt = 0;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < players; i++)
        g.paid[i] = 1;
    for (int i = 0; i < l->length; i++) {
        if (dealt < players) {
            g.card[dealt] = leduc_draw(&g, dealt, l->action[i]);
            out->obs[dealt][g.card[dealt] / 2] = 1;
            if (++dealt < players)
                continue;
            leduc_open_round(&g);
            leduc_move_on(&g);
        } else if (g.turn < 0) {
            g.table = leduc_draw(&g, dealt, l->action[i]);
            for (int seat = 0; seat < players; seat++)
                out->obs[seat][cells + g.table / 2] = 1;
            g.round = 1;
            leduc_open_round(&g);
            leduc_move_on(&g);
        } else {
            leduc_take(&g, l->action[i], out);
        }
    }
    leduc_note_seats(&g, out);
    if (g.over) {
        leduc_returns(&g, out->returns);
    } else if (dealt < players || g.turn < 0) {
        out->acting = AGON_CHANCE;
        out->outcomes = 2 * (players + 1) - dealt;
    } else {
        out->acting = 1ull << g.turn;
        out->legal[0] = 2u | (g.paid[g.turn] < g.pot_price) | (g.raises < 2 ? 4u : 0);
    }
}

/* Promise: every table size plays by the rules, and seats see what they should. */
static void test_leduc_rules(void** unused) {
    for (int players = 2; players <= 10; players++) {
        char string[32];
        snprintf(string, sizeof string, "leduc_poker(players=%d)", players);
        check_rules(string, leduc_plain, &players, 200);
    }
}

/* Promise: the longest game and the highest returns are those the facts name. */
static void test_leduc_facts_are_tight(void** unused) {
    for (int players = 2; players <= 10; players++) {
        char string[32];
        snprintf(string, sizeof string, "leduc_poker(players=%d)", players);
        agon_rules* rules = open_game(string);
        uint64_t state[MAX_STATE / 8];
        float reward[SEATS] = {0};
        int plies = 0;
        rules->game->init(rules->config, state);
        for (int i = 0; i < players; i++) /* cards 0, 2, 3, .. */
            assert_int_equal(play(rules, state, i > 0, reward), 0);
        for (int round = 0; round < 2; round++) {
            for (int i = 0; acting(rules, state) && acting(rules, state) != AGON_CHANCE; i++) {
                const bool raise = i == players - 1 || i == 2 * players - 2;
                assert_int_equal(play(rules, state, raise ? 2 : 1, reward), 0);
                plies++;
            }
            if (round == 0) /* card 1, a pair for seat 0 */
                assert_int_equal(play(rules, state, 0, reward), 0);
        }
        assert_int_equal(acting(rules, state), 0);
        assert_int_equal(plies, rules->spec.max_plies);
        assert_true(reward[0] == rules->spec.return_max && reward[1] == rules->spec.return_min);
        agon_rules_close(rules);
    }
}

/* ---- liar's dice by its rules ------------------------------------------------------------- */

typedef struct liars {
    int players, dice, faces;
    bool by_face; /* reset-quantity: a higher face is a higher bid */
} liars;

typedef struct bid {
    int quantity, face;
} bid;

/* The bid of a number: all bids put in order. */
static bid liars_bid(const liars* g, int number) {
    const int quantities = g->players * g->dice;
    for (int major = 0; major < (g->by_face ? g->faces : quantities); major++) {
        for (int minor = 0; minor < (g->by_face ? quantities : g->faces); minor++) {
            if (number-- == 0)
                return g->by_face ? (bid){minor + 1, major + 1} : (bid){major + 1, minor + 1};
        }
    }
    return (bid){0};
}

static void liars_mark(const liars* g, position* out, int seat, int plane, int quantity, int face) {
    const int cells = g->players * g->dice * g->faces;
    out->obs[seat][plane * cells + (quantity - 1) * g->faces + face - 1] = 1;
}

static void liars_settle(const liars* g, const int* roll, bid last, int bidder, int caller,
                         double* returns) {
    int count = 0;
    for (int i = 0; i < g->players * g->dice; i++)
        count += roll[i] == last.face || roll[i] == g->faces;
    returns[count >= last.quantity ? bidder : caller] = 1;
    returns[count >= last.quantity ? caller : bidder] = -1;
}

static void liars_plain(const void* game, const line* l, position* out) {
    const liars* g = (const liars*)game;
    const int all = g->players * g->dice, bids = all * g->faces, made = l->length - all;
    int roll[64];
    memset(out, 0, sizeof *out);
    for (int i = 0; i < all && i < l->length; i++) {
        const int seat = i / g->dice;
        int same = 1;
        roll[i] = l->action[i] + 1;
        for (int k = seat * g->dice; k < i; k++)
            same += roll[k] == roll[i];
        liars_mark(g, out, seat, 0, same, roll[i]);
    }
    if (made < 0) {
        out->acting = AGON_CHANCE;
        out->outcomes = g->faces;
        return;
    }
    for (int i = 0; i < made; i++) {
        const int action = l->action[all + i], seat = i % g->players;
        const bid b = liars_bid(g, action);
        if (action == bids) {
            liars_settle(g, roll, liars_bid(g, l->action[all + i - 1]), (i - 1) % g->players, seat,
                         out->returns);
            return;
        }
        for (int viewer = 0; viewer < g->players; viewer++)
            liars_mark(g, out, viewer, 1 + (seat + g->players - viewer) % g->players, b.quantity,
                       b.face);
    }
    out->acting = 1ull << made % g->players;
    for (int b = made ? l->action[l->length - 1] + 1 : 0; b < bids + (made > 0); b++)
        out->legal[b / 64] |= 1ull << b % 64;
}

/* Promise: all sizes play by the rules, and seats see what they should. */
static void test_liars_dice_rules(void** unused) {
    const liars sizes[] = {
        {2, 1, 6, 0},  {2, 1, 2, 0},  {2, 1, 3, 1}, {2, 2, 3, 0},  {2, 5, 6, 0},  {2, 5, 6, 1},
        {2, 10, 6, 1}, {2, 6, 10, 0}, {3, 2, 6, 0}, {3, 1, 4, 1},  {3, 4, 10, 0}, {4, 5, 6, 1},
        {4, 1, 2, 0},  {5, 5, 5, 0},  {6, 1, 6, 0}, {6, 10, 2, 0}, {6, 3, 7, 1},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char string[96];
        snprintf(string, sizeof string,
                 "liars_dice(players=%d,dice=%d,faces=%d,bidding_rule=reset-%s)", sizes[i].players,
                 sizes[i].dice, sizes[i].faces, sizes[i].by_face ? "quantity" : "face");
        check_rules(string, liars_plain, &sizes[i], 150);
    }
}

/* Promise: more bids than the state has room for are refused with their number. */
static void test_liars_dice_refuses_too_many_bids(void** unused) {
    agon_rules* rules = NULL;
    agon_error error = {0};
    assert_int_not_equal(agon_rules_open("liars_dice(dice=8,faces=8)", &rules, &error), 0);
    assert_non_null(strstr(error.text, "128 bids"));
    assert_null(rules);
}

/* ---- observations ------------------------------------------------------------------------- */

static int compare_rows(const void* a, const void* b) {
    return memcmp(a, b, MAX_OBS);
}

/* Promise: what a seat observes when it acts tells all that it has seen; in Leduc poker but for the
 * suits. Distinct observations are as many as information sets, without suits 288 and 7,428. */
static void test_observations_tell_all(void** unused) {
    const struct {
        const char* game;
        size_t infosets, distinct;
    } known[] = {
        {"leduc_poker", 936, 288},
        {"leduc_poker(players=3)", 25800, 7428},
        {"liars_dice(dice=2,faces=2)", 768, 768},
        {"liars_dice(faces=3,players=3,bidding_rule=reset-quantity)", 1536, 1536},
    };
    for (size_t g = 0; g < sizeof known / sizeof *known; g++) {
        solved s = solved_open(known[g].game);
        size_t distinct = 0;
        assert_int_equal(agon_tree_infosets(s.tree), known[g].infosets);
        uint8_t* obs = (uint8_t*)calloc(known[g].infosets + 1, MAX_OBS);
        assert_non_null(obs);
        for (size_t i = 0; i < known[g].infosets; i++) {
            int seat;
            const void* state = agon_tree_infoset_state(s.tree, (int)i, &seat);
            s.rules->game->observe(s.rules->config, state, seat, obs + i * MAX_OBS);
        }
        qsort(obs, known[g].infosets, MAX_OBS, compare_rows);
        for (size_t i = 0; i < known[g].infosets; i++)
            distinct += i == 0 || compare_rows(obs + i * MAX_OBS, obs + (i - 1) * MAX_OBS) != 0;
        assert_int_equal(distinct, known[g].distinct);
        free(obs);
        solved_close(&s);
    }
}

/* ---- resampling --------------------------------------------------------------------------- */

/* States that a seat holds possible, with their probabilities. */
typedef struct beliefs {
    const agon_rules* rules;
    const line* line;
    int seat, count;
    uint8_t known[AGON_INFOSTATE];
    double total, weight[512];
    int drawn[512];
    uint64_t state[512][MAX_STATE / 8];
} beliefs;

static int beliefs_find(const beliefs* b, const void* state) {
    int i = 0;
    while (i < b->count && memcmp(b->state[i], state, b->rules->spec.state_size) != 0)
        i++;
    return i;
}

/* Follows the seats' actions of the line through all that nature might have done. */
static void beliefs_collect(beliefs* b, const void* state, int ply, double probability) {
    const agon_rules* rules = b->rules;
    uint8_t known[AGON_INFOSTATE] = {0};
    if (ply == b->line->length) {
        rules->game->infostate(rules->config, state, b->seat, known);
        if (memcmp(known, b->known, sizeof known) != 0)
            return;
        const int i = beliefs_find(b, state);
        assert_in_range(i, 0, 511);
        memcpy(b->state[i], state, rules->spec.state_size);
        b->count += i == b->count;
        b->weight[i] += probability;
        b->total += probability;
        return;
    }
    double prob[32] = {1};
    const bool nature = acting(rules, state) == AGON_CHANCE;
    const int outcomes = nature ? rules->game->chance(rules->config, state, prob) : 1;
    for (int k = 0; k < outcomes; k++) {
        uint64_t next[MAX_STATE / 8];
        float reward[SEATS] = {0};
        memcpy(next, state, rules->spec.state_size);
        assert_int_equal(play(rules, next, nature ? k : b->line->action[ply], reward), 0);
        beliefs_collect(b, next, ply + 1, probability * prob[k]);
    }
}

static void check_beliefs(const agon_rules* rules, const line* l, const void* state, int seat) {
    static beliefs b;
    enum { DRAWS = 4000 };
    const agon_key key = agon_key_make(2, "cards", AGON_FOR_TEST);
    uint64_t other[MAX_STATE / 8];
    memset(&b, 0, sizeof b);
    b.rules = rules, b.line = l, b.seat = seat;
    rules->game->infostate(rules->config, state, seat, b.known);
    rules->game->init(rules->config, other);
    beliefs_collect(&b, other, 0, 1);
    for (uint32_t i = 0; i < DRAWS; i++) {
        const agon_draw bits = agon_random(key, i, (uint32_t)seat, 0, 0);
        memcpy(other, state, sizeof other);
        rules->game->resample(rules->config, other, seat,
                              (uint64_t)bits.word[0] << 32 | bits.word[1]);
        const int found = beliefs_find(&b, other);
        assert_true(found < b.count);
        b.drawn[found]++;
    }
    for (int i = 0; i < b.count; i++) {
        const double p = b.weight[i] / b.total, expected = DRAWS * p;
        assert_true(fabs(b.drawn[i] - expected) < 5 * sqrt(expected * (1 - p)) + 1);
    }
}

/* Promise: resampling draws every state that the seat holds possible, none else, each as often as
 * nature would have dealt it; half-dealt states included. */
static void test_resampling(void** unused) {
    const char* games[] = {
        "leduc_poker",
        "leduc_poker(players=3)",
        "liars_dice",
        "liars_dice(dice=3,faces=4)",
        "liars_dice(players=3,dice=2,faces=3)",
        "liars_dice(players=4,faces=4,bidding_rule=reset-quantity)",
    };
    const agon_key key = agon_key_make(3, "cards", AGON_FOR_TEST);
    for (size_t g = 0; g < sizeof games / sizeof *games; g++) {
        agon_rules* rules = open_game(games[g]);
        uint64_t state[MAX_STATE / 8] = {0};
        float reward[SEATS] = {0};
        line l = {0};
        rules->game->init(rules->config, state);
        for (; acting(rules, state); l.length++) {
            position at = {.acting = acting(rules, state)};
            double prob[32];
            for (int seat = 0; seat < rules->spec.seats; seat++)
                check_beliefs(rules, &l, state, seat);
            if (at.acting == AGON_CHANCE)
                at.outcomes = rules->game->chance(rules->config, state, prob);
            else
                rules->game->legal(rules->config, state, __builtin_ctzll(at.acting), at.legal);
            l.action[l.length] = choose(rules, &at, key, (uint32_t)g, l.length, true);
            assert_int_equal(play(rules, state, l.action[l.length], reward), 0);
        }
        agon_rules_close(rules);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree_sizes),
        cmocka_unit_test(test_information_sets_and_nash_conv),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_leduc_rules),
        cmocka_unit_test(test_leduc_facts_are_tight),
        cmocka_unit_test(test_liars_dice_rules),
        cmocka_unit_test(test_liars_dice_refuses_too_many_bids),
        cmocka_unit_test(test_observations_tell_all),
        cmocka_unit_test(test_resampling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
