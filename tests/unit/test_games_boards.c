/* test_games_boards.c: othello, breakthrough, hex, gomoku. Counts and values that others have
 * published or counted, and the bit tricks against slow rules on the board as text, written from
 * the opening comments of the games. */
#include "tests/unit/game_table.h"

enum { MAX_CELLS = 19 * 19, MAX_TEXT = 1024 };

static int random_action(const table* t, uint32_t episode, uint32_t ply) {
    uint64_t mask[TABLE_WORDS];
    const agon_key key = agon_key_make(7, "boards", AGON_FOR_TEST);
    legal(t, mask);
    const int words = t->rules->mask_words, count = agon_mask_count(mask, words);
    return agon_mask_nth(
        mask, words,
        (int)agon_below(agon_random(key, episode, ply, 0, 0).word[0], (uint32_t)count));
}

/* The board, cell by cell, from the text; `lines` lines stand above it. */
static void read_board(const table* t, int lines, char* board) {
    char text[MAX_TEXT];
    const int cells = t->rules->spec.rows * t->rules->spec.cols;
    const char* p = text;
    assert_in_range(t->rules->game->text(t->rules->config, t->state, text, MAX_TEXT), 1,
                    MAX_TEXT - 1);
    while (lines-- > 0)
        p = strchr(p, '\n') + 1;
    for (int n = 0; n < cells; p++) {
        assert_true(*p);
        if (strchr(".xobw", *p))
            board[n++] = *p;
    }
}

/* Move sequences of `depth` plies, and shorter ones that end the game. */
static long perft(const table* t, int depth) {
    uint64_t mask[TABLE_WORDS];
    long count = 0;
    if (!t->acting || depth == 0)
        return 1;
    legal(t, mask);
    if (depth == 1)
        return agon_mask_count(mask, t->rules->mask_words);
    for (int i = 0; i < t->rules->mask_words; i++) {
        for (uint64_t left = mask[i]; left; left &= left - 1) {
            table next = *t;
            play(&next, 64 * i + __builtin_ctzll(left));
            count += perft(&next, depth - 1);
        }
    }
    return count;
}

/* Finished games, and how many of them seat 0 wins. */
static void count_games(const table* t, long* games, long* wins) {
    uint64_t mask[TABLE_WORDS];
    if (!t->acting) {
        ++*games;
        *wins += t->reward[0] > 0;
        return;
    }
    legal(t, mask);
    for (int action = 0; action < t->rules->spec.actions; action++) {
        table next = *t;
        if (agon_mask_has(mask, action)) {
            play(&next, action);
            count_games(&next, games, wins);
        }
    }
}

/* The best score of the seat to move within [alpha, beta]; `score` says what an end is worth to
 * seat 0. */
static int solve(const table* t, int alpha, int beta, int (*score)(const table* t)) {
    uint64_t mask[TABLE_WORDS];
    assert_true(t->acting);
    legal(t, mask);
    for (int action = 0; action < t->rules->spec.actions && alpha < beta; action++) {
        table next = *t;
        int value;
        if (!agon_mask_has(mask, action))
            continue;
        play(&next, action);
        if (!next.acting)
            value = mover(t) ? -score(&next) : score(&next);
        else if (mover(&next) == mover(t))
            value = solve(&next, alpha, beta, score);
        else
            value = -solve(&next, -beta, -alpha, score);
        alpha = value > alpha ? value : alpha;
    }
    return alpha;
}

static int gain(const table* t) {
    return (int)t->reward[0];
}

static int stone_lead(const table* t) {
    char board[MAX_CELLS];
    int lead = 0;
    read_board(t, 1, board);
    for (int i = 0; i < t->rules->spec.rows * t->rules->spec.cols; i++)
        lead += (board[i] == 'x') - (board[i] == 'o');
    return lead;
}

/* ---- othello -------------------------------------------------------------------------------- */

/* Promise: the published numbers of move sequences; a pass is a ply. */
static void test_othello_counts(void** unused) {
    const long published[] = {1, 4, 12, 56, 244, 1396, 8200, 55092, 390216, 3005288};
    table t;
    open_table(&t, "othello");
    for (int depth = 0; depth < 10; depth++)
        assert_int_equal(perft(&t, depth), published[depth]);
    agon_rules_close(t.rules);
}

/* Promise: on 4 x 4 the second seat wins, 3 : 11 when both play best. */
static void test_othello_4x4_is_solved(void** unused) {
    table t;
    open_table(&t, "othello(rows=4,cols=4)");
    assert_int_equal(solve(&t, -16, 16, stone_lead), 3 - 11);
    assert_int_equal(solve(&t, -1, 1, gain), -1);
    agon_rules_close(t.rules);
}

/* Promise: a game ends as soon as neither can move: the shortest known one takes nine plies and
 * leaves 13 stones of one colour. Nothing is accepted afterwards, the pass neither. */
static void test_othello_wipe_out(void** unused) {
    table t;
    open_table(&t, "othello");
    play_names(&t, "e6 f4 e3 f6 g5 d6 e7 f5 c5");
    assert_int_equal(t.acting, 0);
    assert_int_equal(stone_lead(&t), 13);
    assert_true(t.reward[0] == 1 && t.reward[1] == -1);
    assert_int_equal(play(&t, 64), -1);
    agon_rules_close(t.rules);
}

/* Turns stones over when `really`; returns how many a stone of `me` on the cell turns. */
static int othello_turn(char* board, int rows, int n, int cell, char me, bool really) {
    int all = 0;
    if (board[cell] != '.')
        return 0;
    for (int d = 0; d < 9; d++) {
        const int down = d / 3 - 1, right = d % 3 - 1;
        int row = cell / n + down, col = cell % n + right, run = 0;
        while (d != 4 && row >= 0 && row < rows && col >= 0 && col < n &&
               board[row * n + col] != '.' && board[row * n + col] != me) {
            row += down;
            col += right;
            run++;
        }
        if (!run || row < 0 || row >= rows || col < 0 || col >= n || board[row * n + col] != me)
            continue;
        all += run;
        for (int k = 1; k <= run && really; k++)
            board[(row - k * down) * n + col - k * right] = me;
    }
    return all;
}

static bool othello_stuck(char* board, int rows, int n, char me) {
    for (int i = 0; i < rows * n; i++) {
        if (othello_turn(board, rows, n, i, me, false))
            return false;
    }
    return true;
}

static void othello_check_legal(const table* t, char* board, int rows, int n, char me) {
    uint64_t mask[TABLE_WORDS];
    legal(t, mask);
    for (int i = 0; i < rows * n; i++)
        assert_int_equal(agon_mask_has(mask, i), othello_turn(board, rows, n, i, me, false) > 0);
    assert_int_equal(agon_mask_has(mask, rows * n), othello_stuck(board, rows, n, me));
}

/* Promise: legal cells, passes, turned stones, ends and winners agree with a search along the eight
 * directions, at every ply of random games of every size. */
static void test_othello_against_search(void** unused) {
    int passes = 0;
    for (int shape = 0; shape < 9; shape++) {
        const int rows = 4 + 2 * (shape / 3), n = 4 + 2 * (shape % 3);
        table t;
        char string[32], board[MAX_CELLS], expected[MAX_CELLS];
        snprintf(string, sizeof string, "othello(rows=%d,cols=%d)", rows, n);
        open_table(&t, string);
        for (uint32_t episode = 0; episode < 80; episode++) {
            start(&t);
            read_board(&t, 1, board);
            for (uint32_t ply = 0; t.acting; ply++) {
                const char me = mover(&t) ? 'o' : 'x';
                const int action = random_action(&t, episode, ply);
                othello_check_legal(&t, board, rows, n, me);
                memcpy(expected, board, sizeof expected);
                passes += action == rows * n;
                if (action < rows * n) {
                    othello_turn(expected, rows, n, action, me, true);
                    expected[action] = me;
                }
                assert_int_equal(play(&t, action), 0);
                read_board(&t, 1, board);
                assert_memory_equal(board, expected, (size_t)(rows * n));
                assert_int_equal(t.acting == 0, othello_stuck(board, rows, n, 'x') &&
                                                    othello_stuck(board, rows, n, 'o'));
            }
            const int lead = stone_lead(&t);
            assert_true(t.reward[0] == (float)((lead > 0) - (lead < 0)));
        }
        agon_rules_close(t.rules);
    }
    assert_in_range(passes, 100, 100000);
}

/* ---- breakthrough --------------------------------------------------------------------------- */

/* Promise: numbers of move sequences that a second, independent program counted on 8 x 8, and all
 * games on 3 x 3 as OpenSpiel counts them. */
static void test_breakthrough_counts(void** unused) {
    const long counted[] = {1, 22, 484, 11132, 256036, 6182818};
    long games = 0, wins = 0;
    table t;
    open_table(&t, "breakthrough");
    for (int depth = 0; depth < 6; depth++)
        assert_int_equal(perft(&t, depth), counted[depth]);
    agon_rules_close(t.rules);
    open_table(&t, "breakthrough(rows=3,cols=3)");
    count_games(&t, &games, &wins);
    assert_int_equal(games, 2300);
    assert_int_equal(wins, 1456);
    agon_rules_close(t.rules);
}

/* The cell that an action enters if the rules allow it, else -1. */
static int breakthrough_enter(const char* board, int rows, int cols, int seat, int action) {
    const int row = action / 12 / cols, col = action / 12 % cols, direction = action % 12 / 2;
    const int to_row = row + (seat ? -1 : 1), to_col = col + direction % 3 - 1;
    if (direction / 3 != seat || board[row * cols + col] != (seat ? 'w' : 'b') || to_row < 0 ||
        to_row >= rows || to_col < 0 || to_col >= cols)
        return -1;
    const char there = board[to_row * cols + to_col];
    const bool takes = action & 1;
    if (takes ? there != (seat ? 'b' : 'w') || to_col == col : there != '.')
        return -1;
    return to_row * cols + to_col;
}

static void breakthrough_game(table* t, uint32_t episode) {
    const int rows = t->rules->spec.rows, cols = t->rules->spec.cols;
    char board[MAX_CELLS], expected[MAX_CELLS];
    start(t);
    read_board(t, 0, board);
    for (uint32_t ply = 0; t->acting; ply++) {
        const int seat = mover(t), action = random_action(t, episode, ply);
        uint64_t mask[TABLE_WORDS];
        legal(t, mask);
        for (int a = 0; a < t->rules->spec.actions; a++)
            assert_int_equal(agon_mask_has(mask, a),
                             breakthrough_enter(board, rows, cols, seat, a) >= 0);
        const int to = breakthrough_enter(board, rows, cols, seat, action);
        memcpy(expected, board, sizeof expected);
        expected[to] = expected[action / 12];
        expected[action / 12] = '.';
        assert_int_equal(play(t, action), 0);
        read_board(t, 0, board);
        assert_memory_equal(board, expected, (size_t)(rows * cols));
        const bool through = seat ? to / cols == 0 : to / cols == rows - 1;
        const bool won = through || !memchr(board, seat ? 'b' : 'w', (size_t)(rows * cols));
        assert_int_equal(t->acting == 0, won);
        assert_true(t->reward[seat] == (won ? 1.0f : 0) && t->reward[1 - seat] == -t->reward[seat]);
    }
}

/* Promise: legal actions, moves, ends and winners agree with a look at the board, in random games
 * on every shape of board; larger boards are refused. */
static void test_breakthrough_against_search(void** unused) {
    for (int rows = 3; rows <= 16; rows++) {
        for (int cols = 2; cols <= 16; cols++) {
            char string[64];
            agon_rules* rules = NULL;
            snprintf(string, sizeof string, "breakthrough(rows=%d,cols=%d)", rows, cols);
            const bool fits = rows * cols <= 64 && rows * cols >= 8;
            assert_int_equal(agon_rules_open(string, &rules, NULL) == 0, fits);
            agon_rules_close(rules);
            if (!fits)
                continue;
            table t;
            open_table(&t, string);
            for (uint32_t episode = 0; episode < 10; episode++)
                breakthrough_game(&t, episode);
            agon_rules_close(t.rules);
        }
    }
}

/* Promise: two rows of men each, one on boards of fewer than six rows. */
static void test_breakthrough_starts(void** unused) {
    for (int rows = 3; rows <= 8; rows++) {
        char string[64], board[MAX_CELLS], expected[64];
        const int men = rows < 6 ? 4 : 8;
        table t;
        snprintf(string, sizeof string, "breakthrough(rows=%d,cols=4)", rows);
        open_table(&t, string);
        read_board(&t, 0, board);
        memset(expected, '.', sizeof expected);
        memset(expected, 'b', (size_t)men);
        memset(expected + 4 * rows - men, 'w', (size_t)men);
        assert_memory_equal(board, expected, (size_t)(4 * rows));
        agon_rules_close(t.rules);
    }
}

/* Promise: every seat sees its own men first and moves down: mirrored moves of the two seats give
 * them the same sight. */
static void test_breakthrough_sight(void** unused) {
    const char* const moves[] = {"c7d6 c2d3", "b8c7 b1c2", "d6d5 d3d4"};
    uint8_t obs[2][2 * 64];
    table t;
    open_table(&t, "breakthrough");
    for (int i = 0; i < 3; i++) {
        play_names(&t, moves[i]);
        for (int seat = 0; seat < 2; seat++)
            t.rules->game->observe(t.rules->config, t.state, seat, obs[seat]);
        assert_memory_equal(obs[0], obs[1], sizeof obs[0]);
        assert_int_equal(obs[0][1], i < 1);              /* mine on b8 */
        assert_int_equal(obs[0][8 + 2], i > 0);          /* on c7 */
        assert_int_equal(obs[0][3 * 8 + 3], i == 2);     /* on d5 */
        assert_int_equal(obs[0][64 + 5 * 8 + 3], i < 2); /* theirs on d3 */
    }
    agon_rules_close(t.rules);
}

/* ---- hex ------------------------------------------------------------------------------------ */

/* Promise: all games on 3 x 3 as OpenSpiel counts them; the first seat wins (as on every board, by
 * strategy stealing). */
static void test_hex_counts(void** unused) {
    long games = 0, wins = 0;
    table t;
    open_table(&t, "hex(board_size=3)");
    count_games(&t, &games, &wins);
    assert_int_equal(games, 257760);
    assert_int_equal(wins, 165600);
    assert_int_equal(solve(&t, -1, 1, gain), 1);
    agon_rules_close(t.rules);
}

/* Marks the chain of a cell; true when it reaches the seat's last edge. */
static bool hex_reaches(char* board, int n, int row, int col, char me) {
    const int down[6] = {-1, -1, 0, 0, 1, 1}, right[6] = {0, 1, -1, 1, -1, 0};
    bool found = false;
    if (row < 0 || row >= n || col < 0 || col >= n || board[row * n + col] != me)
        return false;
    board[row * n + col] = '#';
    for (int k = 0; k < 6; k++)
        found |= hex_reaches(board, n, row + down[k], col + right[k], me);
    return found || (me == 'x' ? row : col) == n - 1;
}

static bool hex_connected(const table* t, int seat) {
    const int n = t->rules->spec.rows;
    char board[MAX_CELLS];
    bool found = false;
    read_board(t, 1, board);
    for (int i = 0; i < n; i++)
        found |= hex_reaches(board, n, seat ? i : 0, seat ? 0 : i, seat ? 'o' : 'x');
    return found;
}

/* Promise: a game is over when the mover's edges are connected, as a search through the board
 * finds, and then it has won; in random games of every size. */
static void test_hex_against_search(void** unused) {
    for (int n = 3; n <= 19; n++) {
        char string[32];
        table t;
        snprintf(string, sizeof string, "hex(board_size=%d)", n);
        open_table(&t, string);
        for (uint32_t episode = 0; episode < (n < 10 ? 60u : 6u); episode++) {
            start(&t);
            for (uint32_t ply = 0; t.acting; ply++) {
                const int seat = mover(&t), action = random_action(&t, episode, ply);
                assert_int_equal(seat, ply & 1);
                assert_int_equal(play(&t, action), 0);
                assert_int_equal(t.acting == 0, hex_connected(&t, seat));
                assert_true(t.reward[seat] == (t.acting ? 0.0f : 1.0f));
                assert_true(t.reward[1 - seat] == -t.reward[seat]);
            }
        }
        agon_rules_close(t.rules);
    }
}

/* Promise: the state is the position, whatever the order of moves, also at the end. */
static void test_hex_forgets_the_order(void** unused) {
    table a, b;
    open_table(&a, "hex(board_size=4)");
    open_table(&b, "hex(board_size=4)");
    play_names(&a, "b1 a4 b2 d4");
    play_names(&b, "b2 d4 b1 a4");
    assert_memory_equal(a.state, b.state, sizeof a.state);
    play_names(&a, "b3 c1 b4");
    play_names(&b, "b4 c1 b3");
    assert_int_equal(a.acting, 0);
    assert_memory_equal(a.state, b.state, sizeof a.state);
    agon_rules_close(a.rules);
    agon_rules_close(b.rules);
}

/* ---- gomoku --------------------------------------------------------------------------------- */

static bool has_line(const char* board, int n, int connect, char stone) {
    const int down[4] = {0, 1, 1, 1}, right[4] = {1, 0, 1, -1};
    for (int i = 0; i < 4 * n * n; i++) {
        int row = i / 4 / n, col = i / 4 % n, run = 0;
        while (row < n && col >= 0 && col < n && board[row * n + col] == stone) {
            run++;
            row += down[i % 4];
            col += right[i % 4];
        }
        if (run >= connect)
            return true;
    }
    return false;
}

static void gomoku_game(table* t, int n, int connect, uint32_t episode) {
    char board[MAX_CELLS];
    int ply = 0;
    start(t);
    for (; t->acting; ply++) {
        const int seat = mover(t), action = random_action(t, episode, (uint32_t)ply);
        assert_int_equal(seat, ply & 1);
        assert_int_equal(play(t, action), 0);
        read_board(t, 1, board);
        assert_int_equal(board[action], seat ? 'o' : 'x');
        const bool won = has_line(board, n, connect, seat ? 'o' : 'x');
        assert_int_equal(t->acting == 0, won || ply + 1 == n * n);
        assert_true(t->reward[seat] == (won ? 1.0f : 0) && t->reward[1 - seat] == -t->reward[seat]);
    }
}

/* Promise: a win is a line of `connect` or more and nothing else, a full board without one a draw:
 * agrees with a search through the board, in random games of every size and length. */
static void test_gomoku_against_search(void** unused) {
    for (int n = 5; n <= 19; n++) {
        for (int connect = 3; connect <= n; connect += n < 12 ? 1 : 3) {
            char string[48];
            table t;
            snprintf(string, sizeof string, "gomoku(size=%d,connect=%d)", n, connect);
            open_table(&t, string);
            for (uint32_t episode = 0; episode < (n < 8 ? 20u : 2u); episode++)
                gomoku_game(&t, n, connect, episode);
            agon_rules_close(t.rules);
        }
    }
}

/* Promise: lines do not go on over the edge, and six in a row win like five. */
static void test_gomoku_lines(void** unused) {
    table t;
    open_table(&t, "gomoku(size=6)");
    play_names(&t, "c1 a3 d1 b3 e1 c4 f1 d4 a2 f6"); /* c1 to f1, then a2: next to it in memory */
    assert_int_equal(t.acting, 1);
    play_names(&t, "b1");
    assert_int_equal(t.acting, 0);
    assert_true(t.reward[0] == 1 && t.reward[1] == -1);
    start(&t);
    play_names(&t, "a1 a2 b1 b2 c1 c2 e1 e2 f1 f2 d1");
    assert_int_equal(t.acting, 0);
    assert_true(t.reward[0] == 1);
    agon_rules_close(t.rules);
}

/* ---- all of them ---------------------------------------------------------------------------- */

/* Promise: actions have OpenSpiel's numbers. */
static void test_numbering(void** unused) {
    const struct {
        const char *game, *name;
        int action;
    } rows[] = {{"othello", "d3", 19},
                {"othello", "e6", 44},
                {"othello(rows=4,cols=6)", "e3", 16},
                {"breakthrough", "a7a6", 98},
                {"breakthrough", "h7g6", 180},
                {"hex", "b1", 1},
                {"hex(board_size=5)", "a2", 5},
                {"gomoku", "a2", 15},
                {"gomoku(size=19)", "s19", 360},
                {"breakthrough(rows=16,cols=4)", "a15b14", 52}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        table t;
        open_table(&t, rows[i].game);
        assert_int_equal(agon_action_find(t.rules, t.state, 0, rows[i].name), rows[i].action);
        agon_rules_close(t.rules);
    }
}

/* Promise: planes say what their names say: one's own stones, the other's, and in othello what one
 * may take now, in hex which way one connects. */
static void test_planes(void** unused) {
    uint8_t obs[3 * 64];
    table t;
    open_table(&t, "othello");
    for (int seat = 0; seat < 2; seat++) {
        uint64_t mask[TABLE_WORDS];
        legal(&t, mask);
        t.rules->game->observe(t.rules->config, t.state, seat, obs);
        assert_int_equal(obs[28], seat == 0); /* e4 is x */
        assert_int_equal(obs[64 + 28], seat == 1);
        for (int i = 0; i < 64; i++)
            assert_int_equal(obs[128 + i], seat == 0 && agon_mask_has(mask, i));
    }
    agon_rules_close(t.rules);
    open_table(&t, "hex(board_size=3)");
    play_names(&t, "b1 c3");
    for (int seat = 0; seat < 2; seat++) {
        t.rules->game->observe(t.rules->config, t.state, seat, obs);
        for (int i = 0; i < 9; i++) {
            assert_int_equal(obs[i], i == (seat ? 8 : 1));
            assert_int_equal(obs[9 + i], i == (seat ? 1 : 8));
            assert_int_equal(obs[18 + i], seat);
        }
    }
    agon_rules_close(t.rules);
}

/* Promise: othello's symmetries keep the start; an odd size and what is out of range are refused.
 */
static void test_starts_and_refusals(void** unused) {
    const char* const refused[] = {
        "othello(rows=5)",    "othello(cols=10)",   "hex(board_size=2)",          "gomoku(size=4)",
        "hex(board_size=20)", "gomoku(connect=16)", "breakthrough(rows=9,cols=8)"};
    uint64_t image[TABLE_STATE / 8];
    table t;
    open_table(&t, "othello");
    for (int g = 0; g < t.rules->spec.symmetries; g++) {
        t.rules->game->symmetry(t.rules->config, g, t.state, image);
        assert_memory_equal(image, t.state, t.rules->spec.state_size);
    }
    agon_rules_close(t.rules);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        agon_rules* rules = NULL;
        assert_int_not_equal(agon_rules_open(refused[i], &rules, NULL), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_othello_counts),
        cmocka_unit_test(test_othello_4x4_is_solved),
        cmocka_unit_test(test_othello_wipe_out),
        cmocka_unit_test(test_othello_against_search),
        cmocka_unit_test(test_breakthrough_counts),
        cmocka_unit_test(test_breakthrough_against_search),
        cmocka_unit_test(test_breakthrough_starts),
        cmocka_unit_test(test_breakthrough_sight),
        cmocka_unit_test(test_hex_counts),
        cmocka_unit_test(test_hex_against_search),
        cmocka_unit_test(test_hex_forgets_the_order),
        cmocka_unit_test(test_gomoku_against_search),
        cmocka_unit_test(test_gomoku_lines),
        cmocka_unit_test(test_numbering),
        cmocka_unit_test(test_planes),
        cmocka_unit_test(test_starts_and_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
