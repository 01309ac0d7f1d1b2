/* test_games_go.c: go against slow rules on the board as text, ply by ply on every size, and rule
 * cases by hand: ko, repetition, snapback, suicide, points, komi. Promises: what is legal, what is
 * taken, when a game is over and who wins are as the opening comment of go.c says; the bookkeeping
 * of chains, hashes and marks never shows; many boards at once play as one after the other does. */
#define TABLE_STATE 8448
#include "tests/unit/game_table.h"

enum { SIZE = 19, CELLS = SIZE * SIZE, MAX_TEXT = 1024 };

/* ---- the slow rules ------------------------------------------------------------------------- */

typedef struct slow {
    int n, cells;
    char board[CELLS]; /* '.', 'x', 'o' */
    char past[2 * CELLS + 1][CELLS];
    int ply, passes, ko;
    bool over;
    int taken, bans, repeats; /* stones taken, points that ko forbade, games drawn by repetition */
} slow;

static slow slow_game, slow_copy;

static void slow_start(slow* s, int n) {
    memset(s, 0, sizeof *s);
    s->n = n;
    s->cells = n * n;
    s->ko = -1;
    memset(s->board, '.', sizeof s->board);
    memcpy(s->past[0], s->board, sizeof s->board);
}

static char slow_mover(const slow* s) {
    return "xo"[s->ply % 2];
}

/* Up to four neighbours of a point. */
static int slow_near(int n, int at, int near[4]) {
    int count = 0;
    if (at % n > 0)
        near[count++] = at - 1;
    if (at % n < n - 1)
        near[count++] = at + 1;
    if (at >= n)
        near[count++] = at - n;
    if (at < n * n - n)
        near[count++] = at + n;
    return count;
}

/* Marks in `in` the points of one content that hang together with `at`; in `edge`, what is beside
 * them. Returns how many points hang together. */
static int slow_area(const char* board, int n, int at, bool* in, bool* edge) {
    int stack[CELLS], height = 0, count = 0;
    memset(in, 0, CELLS * sizeof *in);
    memset(edge, 0, CELLS * sizeof *edge);
    stack[height++] = at;
    in[at] = true;
    while (height) {
        const int point = stack[--height];
        int near[4];
        count++;
        for (int k = slow_near(n, point, near) - 1; k >= 0; k--) {
            const int next = near[k];
            if (board[next] != board[at])
                edge[next] = true;
            else if (!in[next]) {
                in[next] = true;
                stack[height++] = next;
            }
        }
    }
    return count;
}

static int slow_liberties(const char* board, int n, int at) {
    bool in[CELLS], edge[CELLS];
    int count = 0;
    slow_area(board, n, at, in, edge);
    for (int i = 0; i < n * n; i++)
        count += edge[i] && board[i] == '.';
    return count;
}

/* Puts a stone on `board`; returns the number of stones taken, or -1 for suicide. */
static int slow_put(char* board, int n, int at, char mover) {
    int near[4], taken = 0;
    const int count = slow_near(n, at, near);
    board[at] = mover;
    for (int k = 0; k < count; k++) {
        const int next = near[k];
        bool in[CELLS], edge[CELLS];
        if (board[next] == '.' || board[next] == mover || slow_liberties(board, n, next) > 0)
            continue;
        taken += slow_area(board, n, next, in, edge);
        for (int i = 0; i < n * n; i++)
            board[i] = in[i] ? '.' : board[i];
    }
    return slow_liberties(board, n, at) > 0 ? taken : -1;
}

static bool slow_is_legal(const slow* s, int action) {
    char board[CELLS];
    if (action == s->cells)
        return true;
    if (s->board[action] != '.' || action == s->ko)
        return false;
    memcpy(board, s->board, sizeof board);
    return slow_put(board, s->n, action, slow_mover(s)) >= 0;
}

static void slow_find_ko(slow* s, const char* before, int action) {
    bool in[CELLS], edge[CELLS];
    if (slow_area(s->board, s->n, action, in, edge) != 1 ||
        slow_liberties(s->board, s->n, action) != 1)
        return;
    for (int i = 0; i < s->cells; i++) {
        if (edge[i] && s->board[i] == '.' && before[i] != '.')
            s->ko = i;
    }
}

static void slow_play(slow* s, int action) {
    const char* before = s->past[s->ply];
    s->ko = -1;
    s->passes = action == s->cells ? s->passes + 1 : 0;
    if (action < s->cells) {
        const int taken = slow_put(s->board, s->n, action, slow_mover(s));
        assert_true(taken >= 0);
        s->taken += taken;
        if (taken == 1)
            slow_find_ko(s, before, action);
        for (int i = 0; i <= s->ply; i++)
            s->repeats |= memcmp(s->past[i], s->board, sizeof s->board) == 0;
    }
    s->bans += s->ko >= 0;
    memcpy(s->past[++s->ply], s->board, sizeof s->board);
    s->over = s->repeats || s->passes == 2 || s->ply == 2 * s->cells;
}

/* Points of x less points of o. */
static int slow_lead(const slow* s) {
    int lead = 0;
    for (int at = 0; at < s->cells; at++) {
        bool in[CELLS], edge[CELLS], x = s->board[at] == 'x', o = s->board[at] == 'o';
        if (s->board[at] == '.') {
            slow_area(s->board, s->n, at, in, edge);
            for (int i = 0; i < s->cells; i++) {
                x |= edge[i] && s->board[i] == 'x';
                o |= edge[i] && s->board[i] == 'o';
            }
        }
        lead += x && !o ? 1 : o && !x ? -1 : 0;
    }
    return lead;
}

/* ---- a game in progress --------------------------------------------------------------------- */

static void open_board(table* t, int n, double komi) {
    char string[64];
    snprintf(string, sizeof string, "go(board_size=%d,komi=%g)", n, komi);
    open_table(t, string);
}

static bool is_legal(const table* t, const char* name) {
    return agon_action_find(t->rules, t->state, mover(t), name) >= 0;
}

/* The board, cell by cell, from the text; row 0 is the last one there. */
static void read_board(const table* t, char* board) {
    char text[MAX_TEXT];
    const int n = t->rules->spec.rows;
    const char* p = text;
    assert_in_range(t->rules->game->text(t->rules->config, t->state, text, MAX_TEXT), 1,
                    MAX_TEXT - 1);
    for (int row = n - 1; row >= 0; row--, p = strchr(p, '\n') + 1) {
        for (int col = 0; col < n; col++)
            board[row * n + col] = p[3 + 2 * col];
    }
}

static uint32_t draw(uint32_t episode, int ply, uint32_t below) {
    const agon_key key = agon_key_make(7, "go", AGON_FOR_TEST);
    return agon_below(agon_random(key, episode, (uint32_t)ply, 0, 0).word[0], below);
}

/* A random legal action; `eager`: a pass only when there is nothing else. */
static int choose(const table* t, uint32_t episode, int ply, bool eager) {
    uint64_t mask[TABLE_WORDS];
    const int words = t->rules->mask_words;
    t->rules->game->legal(t->rules->config, t->state, mover(t), mask);
    const int count = agon_mask_count(mask, words), some = count - (eager && count > 1);
    return agon_mask_nth(mask, words, (int)draw(episode, ply, (uint32_t)some));
}

/* ---- random games --------------------------------------------------------------------------- */

static void check_ply(const table* t, const slow* s) {
    char board[CELLS];
    uint64_t mask[TABLE_WORDS];
    read_board(t, board);
    assert_memory_equal(board, s->board, (size_t)s->cells);
    assert_int_equal(t->acting == 0, s->over);
    if (s->over)
        return;
    assert_int_equal(mover(t), s->ply % 2);
    t->rules->game->legal(t->rules->config, t->state, mover(t), mask);
    for (int action = 0; action <= s->cells; action++)
        assert_int_equal(agon_mask_has(mask, action), slow_is_legal(s, action));
}

static void check_end(const table* t, const slow* s, double komi) {
    const double lead = s->repeats ? 0 : slow_lead(s) - komi;
    const float gain = (float)((lead > 0) - (lead < 0));
    assert_true(t->reward[0] == gain && t->reward[1] == -gain);
}

/* One game side by side; adds up what happened. */
static void check_game(table* t, int n, double komi, uint32_t episode, int* happened) {
    slow* s = &slow_game;
    slow_start(s, n);
    start(t);
    for (check_ply(t, s); t->acting; check_ply(t, s)) {
        const int action = choose(t, episode, s->ply, episode % 2);
        assert_int_equal(play(t, action), 0);
        slow_play(s, action);
    }
    check_end(t, s, komi);
    happened[0] += s->taken;
    happened[1] += s->bans;
    happened[2] += s->repeats;
    happened[3] += s->ply == 2 * s->cells;
}

/* Promise: on every size, every ply of random games is that of the slow rules: the board, what is
 * legal, the end and the winner. Half of the games pass only when there is nothing else to do. */
static void test_random_games(void** unused) {
    int happened[4] = {0};
    for (int n = 5; n <= SIZE; n++) {
        const double komi = n % 3 * 2.5 - 1;
        table t;
        open_board(&t, n, komi);
        for (uint32_t episode = 0; episode < (n == 5   ? 300
                                              : n < 8  ? 40
                                              : n < 12 ? 6
                                                       : 2);
             episode++)
            check_game(&t, n, komi, 100 * episode + (uint32_t)n % 2, happened);
        for (uint32_t episode = 0; episode < (n == 5   ? 300
                                              : n < 8  ? 40
                                              : n < 12 ? 4
                                                       : 1);
             episode++)
            check_game(&t, n, komi, 100 * episode + 51, happened);
        agon_rules_close(t.rules);
    }
    assert_true(happened[0] > 1000 && happened[1] > 100 && happened[2] > 3 && happened[3] > 100);
}

static long count_slow(const slow* s, int depth) {
    long count = 0;
    for (int action = 0; action <= s->cells; action++) {
        if (!slow_is_legal(s, action))
            continue;
        if (depth == 1) {
            count++;
            continue;
        }
        slow* next = malloc(sizeof *next);
        memcpy(next, s, sizeof *next);
        slow_play(next, action);
        count += next->over ? 1 : count_slow(next, depth - 1);
        free(next);
    }
    return count;
}

static long count_fast(const table* t, int depth) {
    uint64_t mask[TABLE_WORDS];
    long count = 0;
    if (!t->acting || depth == 0)
        return 1;
    t->rules->game->legal(t->rules->config, t->state, mover(t), mask);
    for (int action = 0; action < t->rules->spec.actions; action++) {
        table next = *t;
        if (agon_mask_has(mask, action)) {
            play(&next, action);
            count += count_fast(&next, depth - 1);
        }
    }
    return count;
}

/* Promise: the numbers of action sequences, from the start and from the middle of a fight. */
static void test_counts(void** unused) {
    table t;
    open_board(&t, 5, 7.5);
    slow_start(&slow_copy, 5);
    assert_int_equal(count_fast(&t, 1), 26);
    assert_int_equal(count_fast(&t, 2), 25 * 25 + 26);
    for (int ply = 0; ply < 20; ply++) {
        const int action = choose(&t, 3, ply, true);
        play(&t, action);
        slow_play(&slow_copy, action);
    }
    assert_false(slow_copy.over);
    assert_int_equal(count_fast(&t, 3), count_slow(&slow_copy, 3));
    agon_rules_close(t.rules);
}

/* Promise: symmetries of the largest boards, of which the game suite plays none: boards, legal
 * actions and what follows are turned alike. */
static void test_symmetries_of_large_boards(void** unused) {
    for (int n = 13; n <= SIZE; n += 3) {
        table t, image, next;
        open_board(&t, n, 7.5);
        for (int ply = 0; t.acting; ply++) {
            const int action = choose(&t, 5, ply, true);
            for (int g = ply % 8; g < 8 && ply % 67 == 0; g++) {
                const int to = t.rules->game->symmetry_action(t.rules->config, g, action);
                image = next = t;
                t.rules->game->symmetry(t.rules->config, g, t.state, image.state);
                assert_int_equal(play(&image, to), 0);
                play(&t, action);
                t.rules->game->symmetry(t.rules->config, g, t.state, next.state);
                assert_memory_equal(image.state, next.state, sizeof image.state);
                break;
            }
            if (ply % 67)
                play(&t, action);
        }
        agon_rules_close(t.rules);
    }
}

/* ---- many boards ---------------------------------------------------------------------------- */

enum { BOARDS = 70 };

/* Plays a ply on boards 0, 1, .. in the order of `lane`, one by one, up to an illegal action. */
static int play_each(const agon_rules* rules, char* states, const uint32_t* lane,
                     const uint16_t* action, float* reward) {
    for (int i = 0; i < BOARDS; i++) {
        void* state = states + lane[i] * rules->spec.state_size;
        if (rules->game->apply(rules->config, state, action + 2 * lane[i], reward + 2 * lane[i]))
            return i;
    }
    return BOARDS;
}

/* A random legal action for each board, and now and then one that is not; boards that are over
 * start again. */
static void draw_actions(const agon_rules* rules, char* states, int ply, uint16_t* action) {
    for (int i = 0; i < BOARDS; i++) {
        void* state = states + (size_t)i * rules->spec.state_size;
        uint64_t mask[TABLE_WORDS];
        if (!rules->game->acting(rules->config, state))
            rules->game->init(rules->config, state);
        rules->game->legal(rules->config, state, 0, mask);
        const int count = agon_mask_count(mask, rules->mask_words);
        const int nth = (int)draw((uint32_t)i, ply, (uint32_t)count);
        action[2 * i] = action[2 * i + 1] =
            draw((uint32_t)i + BOARDS, ply, 200) == 0
                ? (uint16_t)(rules->spec.actions + i)
                : (uint16_t)agon_mask_nth(mask, rules->mask_words, nth);
    }
}

/* Promise: plies on many boards at once are those of one after the other, up to the first action
 * that is illegal, wherever it comes; boards after it stay as they were. */
static void test_many_boards(void** unused) {
    const char* strings[] = {"go(board_size=5)", "go", "go(board_size=11)"};
    int stops = 0;
    for (int s = 0; s < 3; s++) {
        agon_rules* rules = NULL;
        assert_int_equal(agon_rules_open(strings[s], &rules, NULL), 0);
        const size_t bytes = BOARDS * rules->spec.state_size;
        char *states = calloc(1, bytes), *others = malloc(bytes);
        uint32_t lane[BOARDS];
        uint16_t action[2 * BOARDS];
        float reward[2 * BOARDS] = {0}, rewards[2 * BOARDS] = {0};
        for (uint32_t i = 0; i < BOARDS; i++) {
            lane[i] = i * 27 % BOARDS;
            rules->game->init(rules->config, states + i * rules->spec.state_size);
        }
        for (int ply = 0; ply < 400; ply++) {
            draw_actions(rules, states, ply, action);
            memcpy(others, states, bytes);
            const int done =
                rules->game->apply_batch(rules->config, states, lane, BOARDS, action, reward);
            assert_int_equal(done, play_each(rules, others, lane, action, rewards));
            assert_memory_equal(states, others, bytes);
            assert_memory_equal(reward, rewards, sizeof reward);
            stops += done < BOARDS;
        }
        free(states);
        free(others);
        agon_rules_close(rules);
    }
    assert_in_range(stops, 100, 1100);
}

/* ---- by hand -------------------------------------------------------------------------------- */

/* What the play of `names` ends in: points of x less points of o. The komi with which it is a draw
 * is looked for. */
static int lead_after(int n, const char* names) {
    int lead = 1000;
    for (int komi = -n * n; komi <= n * n; komi++) {
        table t;
        open_board(&t, n, komi);
        play_names(&t, names);
        assert_int_equal(t.acting, 0);
        if (t.reward[0] == 0)
            lead = komi;
        else
            assert_true((t.reward[0] > 0) == (lead == 1000));
        agon_rules_close(t.rules);
    }
    return lead;
}

#define KO_5X5 "b1 c1 a2 d2 b3 c3 e5 b2 c2"

/* Promise: ko forbids the one point for one ply, a pass or a stone elsewhere lifts it, and it binds
 * only who was taken from. */
static void test_ko(void** unused) {
    table t;
    open_board(&t, 5, 7.5);
    play_names(&t, KO_5X5);
    assert_false(is_legal(&t, "b2"));
    play_names(&t, "a5 a4");
    assert_true(is_legal(&t, "b2"));
    play_names(&t, "b2");
    assert_false(is_legal(&t, "c2"));
    start(&t);
    play_names(&t, KO_5X5 " pass");
    assert_true(is_legal(&t, "b2")); /* x may fill it */
    play_names(&t, "b2");
    agon_rules_close(t.rules);
}

#define TWO_KOS_9X9 "b1 c1 a2 d2 b3 c3 b5 c5 a6 d6 b7 c7 c6 b2"

/* Promise: a board that comes back, whoever was to move, is the end and a draw; a pass is none. */
static void test_repetition(void** unused) {
    table t;
    open_board(&t, 9, 7.5);
    play_names(&t, TWO_KOS_9X9 " c2 b6 pass b2");
    assert_int_equal(t.acting, 1);
    play_names(&t, "c6");
    assert_int_equal(t.acting, 0);
    assert_true(t.reward[0] == 0 && t.reward[1] == 0);
    assert_int_equal(play(&t, 81), -1);
    start(&t);
    play_names(&t, TWO_KOS_9X9 " c2 b6 j9 b2 c6"); /* another stone, another board */
    assert_int_equal(t.acting, 2);
    agon_rules_close(t.rules);
}

/* Promise: a stone that took one stone may be taken at once with its chain: that is no ko. */
static void test_snapback(void** unused) {
    char board[CELLS];
    table t;
    open_board(&t, 5, 7.5);
    play_names(&t, "a3 a2 b3 b2 c3 c2 d2 c1 d1 pass b1 a1");
    read_board(&t, board);
    assert_memory_equal(board, "o.ox.", 5);
    play_names(&t, "b1");
    read_board(&t, board);
    assert_memory_equal(board, ".x.x....x.xxx..", 15);
    agon_rules_close(t.rules);
}

/* Promise: suicide is illegal, of one stone and of several, unless something is taken. */
static void test_suicide(void** unused) {
    table t;
    open_board(&t, 5, 7.5);
    play_names(&t, "a2 e5 b1");
    assert_false(is_legal(&t, "a1"));
    assert_int_equal(play(&t, 0), -1);
    start(&t);
    play_names(&t, "a3 a1 b2 a2 c1");
    assert_false(is_legal(&t, "b1"));
    play_names(&t, "pass");
    assert_true(is_legal(&t, "b1")); /* takes two */
    start(&t);
    play_names(&t, "a2 b2 b1 a3 e5 c1");
    assert_true(is_legal(&t, "pass"));
    play_names(&t, "pass");
    assert_true(is_legal(&t, "a1")); /* o takes a2 and b1 */
    agon_rules_close(t.rules);
}

/* Promise: stones and free points reached by one colour count, points reached by both count for
 * nobody, and no stone is taken off as dead. Two passes end the game, not one. */
static void test_points(void** unused) {
    assert_int_equal(lead_after(5, "pass pass"), 0);
    assert_int_equal(lead_after(5, "a1 pass pass"), 25);
    assert_int_equal(lead_after(5, "a1 pass b1 pass pass"), 25);
    assert_int_equal(lead_after(5, "a1 e5 pass pass"), 0);
    /* two columns each and a free one in the middle */
    assert_int_equal(lead_after(5, "b1 d1 b2 d2 b3 d3 b4 d4 b5 d5 pass pass"), 0);
    /* the free column filled by x; then with a lone stone of o behind */
    assert_int_equal(lead_after(5, "b1 d1 b2 d2 b3 d3 b4 d4 b5 d5 c1 pass c2 pass c3 pass c4 pass "
                                   "c5 pass pass"),
                     15 - 10);
    assert_int_equal(lead_after(5, "b1 d1 b2 d2 b3 d3 b4 d4 b5 d5 c1 a3 c2 pass c3 pass c4 pass "
                                   "c5 pass pass"),
                     10 - 11);
    /* x a1 b2 c2 d2, o a2 b3 .. : neither can fill a shared liberty; both are nobody's */
    assert_int_equal(lead_after(5, "a2 a3 b2 b3 c2 c3 d2 d3 e3 e4 d1 pass pass"),
                     2 + 3 + 2 + 3 - 13);
}

/* Promise: komi goes to seat 1, whole ones can draw; what is no half is refused, and so are boards
 * of other sizes. */
static void test_parameters(void** unused) {
    const char* wrong[] = {"go(komi=7.3)", "go(komi=362)", "go(board_size=4)", "go(board_size=20)"};
    const char* even[] = {"go(komi=-0.5)", "go(komi=0)", "go(komi=0.5)"};
    agon_rules* rules = NULL;
    table t;
    for (int i = 0; i < 4; i++)
        assert_int_not_equal(agon_rules_open(wrong[i], &rules, NULL), 0);
    for (int i = 0; i < 3; i++) {
        open_table(&t, even[i]);
        play_names(&t, "pass pass");
        assert_true(t.reward[0] == (float)(1 - i) && t.reward[1] == (float)(i - 1));
        agon_rules_close(t.rules);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_games),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_symmetries_of_large_boards),
        cmocka_unit_test(test_many_boards),
        cmocka_unit_test(test_ko),
        cmocka_unit_test(test_repetition),
        cmocka_unit_test(test_snapback),
        cmocka_unit_test(test_suicide),
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
