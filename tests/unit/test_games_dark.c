/* test_games_dark.c: dark_hex and phantom_ttt. Rules, observations and information states are those
 * of a plain implementation here, at all sizes; information sets are as many as its histories give;
 * a resampled position is one that the seat holds possible, each as often as it should be. Numbers
 * of information sets without a formula at their place were counted by OpenSpiel. */
#include "games/rules.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { CELLS = 121, TRIES = 2 * CELLS, MAX_STATE = 512, MAX_PASTS = 200, MAX_SETS = 200000 };

/* ---- the plain implementation --------------------------------------------------------------- */

typedef struct attempt {
    uint8_t seat, cell, bump;
} attempt;

typedef struct plain {
    int rows, cols;
    bool line, abrupt, counted; /* line: three in a row win, not a connection */
    int8_t stone[CELLS];        /* the seat whose stone it is, or -1 */
    bool tried[2][CELLS];
    int turn, winner, stones, tries;
    bool over;
    attempt history[TRIES];
} plain;

static plain plain_start(const agon_rules* rules) {
    plain p = {.rows = rules->spec.rows, .cols = rules->spec.cols, .winner = -1};
    p.line = strcmp(rules->game->name, "phantom_ttt") == 0;
    p.abrupt = strstr(rules->name, "abrupt") || strstr(rules->name, "adh");
    p.counted = strstr(rules->name, "reveal-numturns") != NULL;
    for (int i = 0; i < CELLS; i++)
        p.stone[i] = -1;
    return p;
}

static int plain_at(const plain* p, int row, int col) {
    const bool inside = row >= 0 && row < p->rows && col >= 0 && col < p->cols;
    return inside ? p->stone[row * p->cols + col] : -1;
}

static bool plain_line(const plain* p, int seat) {
    static const int step[4][2] = {{0, 1}, {1, 0}, {1, 1}, {1, -1}};
    for (int i = 0; i < 9 * 4; i++) {
        int row = i / 4 / 3, col = i / 4 % 3, length = 0;
        while (plain_at(p, row, col) == seat) {
            length++;
            row += step[i % 4][0];
            col += step[i % 4][1];
        }
        if (length == 3)
            return true;
    }
    return false;
}

/* Whether the seat's last row (column) can be reached from a cell over its stones. */
static bool plain_reaches(const plain* p, int seat, int row, int col, bool* been) {
    static const int step[6][2] = {{-1, 0}, {-1, 1}, {0, -1}, {0, 1}, {1, -1}, {1, 0}};
    if (plain_at(p, row, col) != seat || been[row * p->cols + col])
        return false;
    been[row * p->cols + col] = true;
    if (seat == 0 ? row == p->rows - 1 : col == p->cols - 1)
        return true;
    for (int k = 0; k < 6; k++) {
        if (plain_reaches(p, seat, row + step[k][0], col + step[k][1], been))
            return true;
    }
    return false;
}

static bool plain_connects(const plain* p, int seat) {
    bool been[CELLS] = {false};
    for (int i = 0; i < (seat == 0 ? p->cols : p->rows); i++) {
        if (plain_reaches(p, seat, seat == 0 ? 0 : i, seat == 0 ? i : 0, been))
            return true;
    }
    return false;
}

static bool plain_legal(const plain* p, int cell) {
    return !p->over && !p->tried[p->turn][cell];
}

static int plain_choices(const plain* p) {
    int choices = 0;
    for (int i = 0; i < p->rows * p->cols; i++)
        choices += plain_legal(p, i);
    return choices;
}

static void plain_play(plain* p, int cell) {
    const int seat = p->turn;
    const bool bump = p->stone[cell] >= 0;
    assert_true(plain_legal(p, cell));
    p->tried[seat][cell] = true;
    p->history[p->tries++] = (attempt){(uint8_t)seat, (uint8_t)cell, bump};
    if (!bump) {
        p->stone[cell] = (int8_t)seat;
        p->stones++;
        const bool won = p->line ? plain_line(p, seat) : plain_connects(p, seat);
        p->winner = won ? seat : -1;
        p->over = won || p->stones == p->rows * p->cols;
    }
    if (!bump || p->abrupt)
        p->turn = 1 - seat;
}

/* What a seat has lived through, as bytes. */
static int plain_memory(const plain* p, int seat, uint8_t* out) {
    int length = 0;
    for (int i = 0; i < p->tries; i++) {
        if (p->history[i].seat == seat)
            out[length++] = (uint8_t)(p->history[i].cell + 128 * p->history[i].bump);
        else if (p->counted)
            out[length++] = 255;
    }
    return length;
}

/* ---- a game at work -------------------------------------------------------------------------- */

typedef struct table {
    agon_rules* rules;
    agon_key key;
    uint32_t draws;
    uint64_t state[MAX_STATE / 8];
    float returns[2];
} table;

static table table_open(const char* string) {
    table t = {.key = agon_key_make(1, "dark", AGON_FOR_TEST)};
    agon_error error = {0};
    if (agon_rules_open(string, &t.rules, &error) != 0)
        fail_msg("%s: %s", string, error.text);
    assert_true(t.rules->spec.state_size <= MAX_STATE);
    return t;
}

static void table_start(table* t) {
    memset(t->state, 0, sizeof t->state);
    memset(t->returns, 0, sizeof t->returns);
    t->rules->game->init(t->rules->config, t->state);
}

static uint64_t table_random(table* t) {
    const agon_draw bits = agon_random(t->key, 0, 0, 0, t->draws++);
    return (uint64_t)bits.word[0] << 32 | bits.word[1];
}

static int table_play(table* t, int cell) {
    const uint16_t action[2] = {(uint16_t)cell, (uint16_t)cell};
    return t->rules->game->apply(t->rules->config, t->state, action, t->returns);
}

static uint64_t table_acting(const table* t) {
    return t->rules->game->acting(t->rules->config, t->state);
}

static int table_memory(const table* t, int seat, uint8_t* out) {
    return t->rules->game->infostate(t->rules->config, t->state, seat, out);
}

/* A random try in both. */
static void play_random(table* t, plain* p) {
    int nth = (int)(table_random(t) % (uint64_t)plain_choices(p)), cell = 0;
    for (;; cell++) {
        if (plain_legal(p, cell) && nth-- == 0)
            break;
    }
    plain_play(p, cell);
    assert_int_equal(table_play(t, cell), 0);
}

static void play_both(table* t, plain* p, int cell) {
    plain_play(p, cell);
    assert_int_equal(table_play(t, cell), 0);
}

/* ---- rules ---------------------------------------------------------------------------------- */

static void check_sight(const table* t, const plain* p, int seat) {
    uint8_t obs[4 * CELLS], expected[4 * CELLS] = {0};
    const int cells = p->rows * p->cols;
    int theirs = 0;
    for (int i = 0; i < p->tries; i++)
        theirs += p->history[i].seat != seat;
    for (int i = 0; i < cells; i++) {
        expected[i] = p->stone[i] == seat;
        expected[cells + i] = p->stone[i] == 1 - seat && p->tried[seat][i];
        expected[2 * cells + i] = (uint8_t)seat;
        expected[3 * cells + i] = i < theirs;
    }
    assert_int_equal(t->rules->obs_bytes, (p->counted ? 4 : 3) * cells);
    t->rules->game->observe(t->rules->config, t->state, seat, obs);
    assert_memory_equal(obs, expected, t->rules->obs_bytes);
}

static void check_position(const table* t, const plain* p) {
    uint8_t memory[2][AGON_INFOSTATE];
    uint64_t mask[2] = {0, 0};
    assert_int_equal(table_acting(t), p->over ? 0 : 1 << p->turn);
    for (int seat = 0; seat < 2; seat++) {
        const int length = table_memory(t, seat, memory[0]);
        assert_int_equal(length, plain_memory(p, seat, memory[1]));
        assert_memory_equal(memory[0], memory[1], (size_t)length);
        check_sight(t, p, seat);
    }
    if (p->over)
        return;
    t->rules->game->legal(t->rules->config, t->state, p->turn, mask);
    for (int i = 0; i < 64 * t->rules->mask_words; i++)
        assert_int_equal(agon_mask_has(mask, i), i < p->rows * p->cols && plain_legal(p, i));
}

static const char* const sizes[] = {
    "phantom_ttt",
    "phantom_ttt(obstype=reveal-numturns)",
    "phantom_ttt(gameversion=abrupt)",
    "phantom_ttt(gameversion=abrupt,obstype=reveal-numturns)",
    "dark_hex",
    "dark_hex(obstype=reveal-numturns)",
    "dark_hex(gameversion=adh)",
    "dark_hex(gameversion=adh,obstype=reveal-numturns)",
    "dark_hex(board_size=2)",
    "dark_hex(num_rows=2,num_cols=3,obstype=reveal-numturns)",
    "dark_hex(num_rows=6,num_cols=2,gameversion=adh)",
    "dark_hex(num_rows=7,num_cols=2)",
    "dark_hex(board_size=5,num_cols=3,gameversion=adh,obstype=reveal-numturns)",
    "dark_hex(board_size=4)",
    "dark_hex(board_size=5,obstype=reveal-numturns)",
    "dark_hex(board_size=6,gameversion=adh)",
    "dark_hex(board_size=7)",
    "dark_hex(board_size=8)",
    "dark_hex(num_rows=5,num_cols=11,gameversion=adh)",
    "dark_hex(board_size=9)",
    "dark_hex(board_size=10,gameversion=adh)",
    "dark_hex(board_size=11,obstype=reveal-numturns)",
};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

/* Promise: who acts, masks, observations, information states, ends and returns are the plain
 * implementation's, in random games of every size and version. */
static void test_against_plain(void** unused) {
    for (int i = 0; i < SIZES; i++) {
        table t = table_open(sizes[i]);
        const int games = t.rules->spec.actions < 20 ? 300 : 20;
        for (int game = 0; game < games; game++) {
            plain p = plain_start(t.rules);
            table_start(&t);
            check_position(&t, &p);
            while (!p.over) {
                play_random(&t, &p);
                check_position(&t, &p);
            }
            assert_true(p.tries <= t.rules->spec.max_plies);
            for (int seat = 0; seat < 2; seat++) {
                const float expected = p.winner < 0 ? 0 : p.winner == seat ? 1 : -1;
                assert_true(t.returns[seat] == expected);
            }
        }
        agon_rules_close(t.rules);
    }
}

/* A game in which every stone but the last is run into. order: the nine stones. */
static void play_longest(const char* string, const int* order, float returns) {
    table t = table_open(string);
    plain p = plain_start(t.rules);
    table_start(&t);
    for (int i = 0; i < 8; i += 2) {
        const int abrupt[4] = {0, 1, 1, 0}, classical[4] = {0, 0, 1, 1};
        for (int k = 0; k < 4; k++)
            play_both(&t, &p, order[i + (p.abrupt ? abrupt : classical)[k]]);
    }
    play_both(&t, &p, order[8]);
    check_position(&t, &p);
    assert_true(p.over);
    assert_int_equal(p.tries, 17);
    assert_int_equal(t.rules->spec.max_plies, 17);
    assert_true(t.returns[0] == returns && t.returns[1] == -returns);
    agon_rules_close(t.rules);
}

/* Promise: the bound of plies is reached, in both games and both versions. */
static void test_longest_games(void** unused) {
    const int full[9] = {0, 1, 2, 4, 3, 5, 7, 6, 8}, column[9] = {0, 1, 3, 4, 2, 5, 8, 7, 6};
    play_longest("phantom_ttt", full, 0);
    play_longest("phantom_ttt(gameversion=abrupt)", full, 0);
    play_longest("dark_hex", column, 1);
    play_longest("dark_hex(gameversion=adh)", column, 1);
}

/* ---- information sets ----------------------------------------------------------------------- */

enum { MEMORY = 24 };

typedef struct memory {
    uint8_t lived[MEMORY], told[MEMORY]; /* by the plain implementation, by the game; with seat */
    uint64_t mask;
} memory;

static memory* memories;
static int memory_count;

static int compare_lived(const void* a, const void* b) {
    return memcmp(((const memory*)a)->lived, ((const memory*)b)->lived, MEMORY);
}

static int compare_told(const void* a, const void* b) {
    return memcmp(((const memory*)a)->told, ((const memory*)b)->told, MEMORY);
}

/* Collects what the acting seats of all decisions of up to `depth` plies remember. */
static void remember_all(table* t, const plain* p, int depth) {
    if (p->over || p->tries > depth)
        return;
    assert_true(memory_count < MAX_SETS);
    memory* m = &memories[memory_count++];
    memset(m, 0, sizeof *m);
    m->lived[0] = m->told[0] = (uint8_t)p->turn;
    m->lived[1] = (uint8_t)plain_memory(p, p->turn, m->lived + 2);
    m->told[1] = (uint8_t)table_memory(t, p->turn, m->told + 2);
    t->rules->game->legal(t->rules->config, t->state, p->turn, &m->mask);
    for (int i = 0; i < p->rows * p->cols; i++) {
        if (!plain_legal(p, i))
            continue;
        plain next = *p;
        table to = *t;
        play_both(&to, &next, i);
        remember_all(&to, &next, depth);
    }
}

/* How many different ones there are; equal by one measure are equal by the other, and the same
 * actions are legal. */
static int count_sets(int (*compare)(const void*, const void*)) {
    int sets = 1;
    qsort(memories, (size_t)memory_count, sizeof *memories, compare);
    for (int i = 1; i < memory_count; i++) {
        const memory *a = &memories[i - 1], *b = &memories[i];
        const bool same = compare(a, b) == 0;
        sets += !same;
        if (same) {
            assert_memory_equal(a->lived, b->lived, MEMORY);
            assert_memory_equal(a->told, b->told, MEMORY);
            assert_int_equal(a->mask, b->mask);
        }
    }
    return sets;
}

static void check_sets(const char* string, int depth, int nodes, int sets) {
    table t = table_open(string);
    const plain p = plain_start(t.rules);
    memory_count = 0;
    table_start(&t);
    remember_all(&t, &p, depth);
    if (nodes)
        assert_int_equal(memory_count, nodes);
    const int lived = count_sets(compare_lived), told = count_sets(compare_told);
    assert_int_equal(lived, told);
    if (sets)
        assert_int_equal(lived, sets);
    agon_rules_close(t.rules);
}

/* Promise: perfect recall. Two histories share an information state exactly when the acting seat
 * has lived through the same in both, and then the same actions are legal; decisions and
 * information sets of whole games are as many as OpenSpiel counts. */
static void test_information_sets(void** unused) {
    memories = malloc(MAX_SETS * sizeof *memories);
    assert_non_null(memories);
    check_sets("dark_hex(board_size=2)", 99, 225, 17 + 53);
    check_sets("dark_hex(board_size=2,obstype=reveal-numturns)", 99, 225, 33 + 101);
    check_sets("dark_hex(board_size=2,gameversion=adh)", 99, 237, 59 + 35);
    check_sets("dark_hex(board_size=2,gameversion=adh,obstype=reveal-numturns)", 99, 237, 59 + 35);
    check_sets("dark_hex(num_rows=2,num_cols=3)", 99, 50309, 697 + 1811);
    check_sets("dark_hex(num_rows=3,num_cols=2,gameversion=adh)", 99, 123211, 5811 + 3363);
    check_sets("dark_hex(obstype=reveal-numturns)", 4, 0, 0);
    check_sets("phantom_ttt", 4, 0, 0);
    check_sets("phantom_ttt(obstype=reveal-numturns)", 4, 0, 0);
    check_sets("phantom_ttt(gameversion=abrupt)", 4, 0, 0);
    free(memories);
}

/* ---- resampling ----------------------------------------------------------------------------- */

/* All pasts that a seat holds possible, each with its probability if the other seat plays at
 * random (up to a factor). */
typedef struct pasts {
    table* table;       /* at the position */
    const plain* truth; /* so far */
    int seat, count, nodes;
    double weight[MAX_PASTS + 1], sum;
    uint64_t state[MAX_PASTS + 1][MAX_STATE / 8];
} pasts;

static void add_past(pasts* all, const plain* p, double weight) {
    table t = *all->table;
    if (all->count > MAX_PASTS)
        return;
    table_start(&t);
    for (int i = 0; i < p->tries; i++)
        assert_int_equal(table_play(&t, p->history[i].cell), 0);
    memcpy(all->state[all->count], t.state, sizeof t.state);
    all->weight[all->count++] = weight;
    all->sum += weight;
}

/* Goes on from a past that begins as the seat remembers. */
static void find_pasts(pasts* all, const plain* p, double weight) {
    const plain* truth = all->truth;
    uint8_t lived[TRIES], begun[TRIES];
    const int length = plain_memory(truth, all->seat, lived);
    const int begins = plain_memory(p, all->seat, begun);
    if (++all->nodes > 100000 || p->over || begins > length || memcmp(lived, begun, (size_t)begins))
        return;
    if (begins == length && p->turn == truth->turn)
        add_past(all, p, weight);
    for (int i = 0; i < p->rows * p->cols; i++) {
        plain next = *p;
        const bool mine = p->turn == all->seat;
        if (!plain_legal(p, i) || (mine && (begins == length || i != (lived[begins] & 127))))
            continue;
        plain_play(&next, i);
        find_pasts(all, &next, p->turn == all->seat ? weight : weight / plain_choices(p));
    }
}

/* Chi-squared of all positions together: its value, expectation and variance. */
static struct { double value, mean, variance; } fit;

/* Draws often and compares how often each past came with how often it should. */
static void check_frequencies(pasts* all) {
    table* t = all->table;
    const int draws = 50 * all->count;
    int came[MAX_PASTS] = {0};
    double distance = 0, spread = 2.0 * (all->count - 1);
    for (int i = 0; i < draws; i++) {
        table other = *t;
        int at = 0;
        other.rules->game->resample(other.rules->config, other.state, all->seat, table_random(t));
        while (at < all->count && memcmp(all->state[at], other.state, MAX_STATE) != 0)
            at++;
        assert_true(at < all->count);
        came[at]++;
    }
    for (int i = 0; i < all->count; i++) {
        const double expected = draws * all->weight[i] / all->sum;
        distance += (came[i] - expected) * (came[i] - expected) / expected;
        spread += 1 / expected;
        assert_true(came[i] > 0 || expected < 16);
    }
    assert_true(distance < all->count + 10 + 8 * sqrt(spread));
    fit.value += distance;
    fit.mean += all->count - 1;
    fit.variance += spread;
}

/* True where the pasts are few enough to be compared. */
static bool check_pasts(table* t, const plain* p, int seat) {
    static pasts all;
    const plain start = plain_start(t->rules);
    all = (pasts){.table = t, .truth = p, .seat = seat};
    find_pasts(&all, &start, 1);
    if (all.count > MAX_PASTS || all.nodes > 100000)
        return false;
    assert_true(all.count > 0);
    check_frequencies(&all);
    return true;
}

static void check_fit(void) {
    print_message("chi-squared %.0f, %.0f +- %.0f expected\n", fit.value, fit.mean,
                  sqrt(fit.variance));
    assert_true(fabs(fit.value - fit.mean) < 4 * sqrt(fit.variance));
    memset(&fit, 0, sizeof fit);
}

/* Promise: resampling draws the pasts that a seat holds possible and no other, with the
 * probabilities that they have if the other seat plays at random. */
static void test_resample_draws_pasts(void** unused) {
    for (int i = 0; i < SIZES; i++) {
        table t = table_open(sizes[i]);
        int checked = 0;
        for (int game = 0; game < 400 && t.rules->spec.actions <= 9 && checked < 16; game++) {
            plain p = plain_start(t.rules);
            table_start(&t);
            const int plies = (int)(table_random(&t) % 12);
            while (!p.over && p.tries < plies)
                play_random(&t, &p);
            if (!p.over)
                checked += check_pasts(&t, &p, game % 2);
        }
        assert_true(checked == 16 || t.rules->spec.actions > 9);
        agon_rules_close(t.rules);
    }
    check_fit();
}

/* The same, at every position of the smallest board. */
static void draw_everywhere(table* t, const plain* p) {
    if (p->over)
        return;
    for (int seat = 0; seat < 2; seat++)
        assert_true(check_pasts(t, p, seat));
    for (int i = 0; i < p->rows * p->cols; i++) {
        if (!plain_legal(p, i))
            continue;
        plain next = *p;
        table to = *t;
        play_both(&to, &next, i);
        draw_everywhere(&to, &next);
        t->draws = to.draws;
    }
}

/* Promise: so it does at every position of the smallest boards. */
static void test_resample_everywhere(void** unused) {
    const char* const small[] = {"dark_hex(board_size=2)",
                                 "dark_hex(board_size=2,obstype=reveal-numturns)",
                                 "dark_hex(board_size=2,gameversion=adh)"};
    for (int i = 0; i < 3; i++) {
        table t = table_open(small[i]);
        const plain p = plain_start(t.rules);
        table_start(&t);
        draw_everywhere(&t, &p);
        agon_rules_close(t.rules);
    }
    check_fit();
}

/* Plays again what both seats remember: the position is one that can come about. */
static void check_reachable(const table* t, const plain* truth) {
    uint8_t memory[2][AGON_INFOSTATE];
    plain p = plain_start(t->rules);
    table again = *t;
    int at[2] = {0, 0}, length[2];
    for (int seat = 0; seat < 2; seat++)
        length[seat] = table_memory(t, seat, memory[seat]);
    table_start(&again);
    while (at[p.turn] < length[p.turn]) {
        for (int seat = 0; seat < 2 && p.counted; seat++) {
            if (seat != p.turn)
                assert_int_equal(memory[seat][at[seat]++], 255);
        }
        play_both(&again, &p, memory[p.turn][at[p.turn]] & 127);
        at[p.history[p.tries - 1].seat]++;
    }
    assert_false(p.over);
    assert_int_equal(p.turn, truth->turn);
    assert_memory_equal(again.state, t->state, MAX_STATE);
}

static void check_resampled(table* t, const plain* p, int seat) {
    uint8_t before[AGON_INFOSTATE], after[AGON_INFOSTATE];
    const uint64_t random = table_random(t);
    table other = *t, another;
    other.rules->game->resample(t->rules->config, other.state, seat, table_random(t));
    check_reachable(&other, p);
    const int length = table_memory(t, seat, before);
    assert_int_equal(table_memory(&other, seat, after), length);
    assert_memory_equal(before, after, (size_t)length);
    another = *t;
    t->rules->game->resample(t->rules->config, another.state, seat, random);
    t->rules->game->resample(t->rules->config, other.state, seat, random);
    assert_memory_equal(another.state, other.state, MAX_STATE);
}

/* Promise: at every size a resampled position can come about and the seat remembers the same; what
 * is drawn depends on nothing that the seat does not know. */
static void test_resample_hides(void** unused) {
    for (int i = 0; i < SIZES; i++) {
        table t = table_open(sizes[i]);
        const int games = t.rules->spec.actions < 20 ? 20 : 2;
        for (int game = 0; game < games; game++) {
            plain p = plain_start(t.rules);
            table_start(&t);
            while (!p.over) {
                for (int seat = 0; seat < 2; seat++)
                    check_resampled(&t, &p, seat);
                play_random(&t, &p);
            }
            const table end = t;
            t.rules->game->resample(t.rules->config, t.state, 0, 1);
            assert_memory_equal(end.state, t.state, MAX_STATE);
        }
        agon_rules_close(t.rules);
    }
}

/* The seat that gets a cell of the board below, or -1. */
static int owner(int cell) {
    const int row = cell / 11, col = cell % 11;
    if (col < 5 || (row == 0 && col > 8))
        return 1;
    return row == 5 ? -1 : 0;
}

/* Seat 1 has the first five columns and two more cells, seat 0 all the rest but a row: of the ways
 * to put seat 0's stones there, about one in 200,000 does not win. */
static void play_full_board(table* t, plain* p) {
    int cell[2] = {0, 0};
    table_start(t);
    for (int i = 0; i < 115; i++) {
        int* at = &cell[p->turn];
        while (owner(*at) != p->turn)
            ++*at;
        play_both(t, p, (*at)++);
    }
}

/* Promise: resampling finds a past where nearly all of what is drawn first has been won by the
 * other seat, and not always the same. */
static void test_resample_full_board(void** unused) {
    const char* const game[] = {"dark_hex(board_size=11)",
                                "dark_hex(board_size=11,gameversion=adh)",
                                "dark_hex(board_size=11,obstype=reveal-numturns)"};
    for (int i = 0; i < 3; i++) {
        table t = table_open(game[i]);
        plain p = plain_start(t.rules);
        uint8_t free[2][4 * CELLS];
        int differ = 0;
        play_full_board(&t, &p);
        assert_false(p.over);
        assert_int_equal(p.turn, 1);
        t.rules->game->observe(t.rules->config, t.state, 0, free[0]);
        for (int draw = 0; draw < 6; draw++) {
            table other = t;
            check_resampled(&t, &p, 1);
            other.rules->game->resample(t.rules->config, other.state, 1, table_random(&t));
            other.rules->game->observe(t.rules->config, other.state, 0, free[1]);
            differ += memcmp(free[0], free[1], CELLS) != 0;
        }
        assert_true(differ >= 5);
        agon_rules_close(t.rules);
    }
}

/* ---- parameters ----------------------------------------------------------------------------- */

/* Promise: what is out of range or unknown is refused. */
static void test_refusals(void** unused) {
    const char* const refused[] = {"dark_hex(board_size=1)",       "dark_hex(board_size=12)",
                                   "dark_hex(num_cols=1)",         "dark_hex(gameversion=abrupt)",
                                   "phantom_ttt(gameversion=adh)", "phantom_ttt(obstype=nothing)",
                                   "phantom_ttt(board_size=3)"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        agon_rules* rules = NULL;
        assert_int_not_equal(agon_rules_open(refused[i], &rules, NULL), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_plain),       cmocka_unit_test(test_longest_games),
        cmocka_unit_test(test_information_sets),    cmocka_unit_test(test_resample_draws_pasts),
        cmocka_unit_test(test_resample_everywhere), cmocka_unit_test(test_resample_hides),
        cmocka_unit_test(test_resample_full_board), cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
