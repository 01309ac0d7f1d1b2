/* test_games_tron.c: tron against slow rules on lists of trail cells, written from the opening
 * comment of the game: every size and number of seats, ply by ply. (Collisions by hand are in
 * test_game_facts.c.) */
#include "tests/unit/game_table.h"

enum { SEATS = 4, SIZE = 14, GAMES = 30 };

typedef struct cell {
    int row, col;
} cell;

typedef struct slow {
    int players, size;
    bool alive[SEATS];
    int length[SEATS];
    cell trail[SEATS][SIZE * SIZE]; /* the last one is the head */
} slow;

static int quarter_turns(const slow* s, int seat) {
    return s->players == 2 ? 2 * seat : seat;
}

/* A place of a seat's view on the board that `text` shows. */
static cell on_board(const slow* s, int seat, cell view) {
    const int last = s->size - 1;
    const cell turned[4] = {view,
                            {view.col, last - view.row},
                            {last - view.row, last - view.col},
                            {last - view.col, view.row}};
    return turned[quarter_turns(s, seat)];
}

static void slow_start(slow* s, int players, int size) {
    memset(s, 0, sizeof *s);
    s->players = players;
    s->size = size;
    for (int seat = 0; seat < players; seat++) {
        s->alive[seat] = true;
        s->trail[seat][s->length[seat]++] = on_board(s, seat, (cell){size - 2, (size - 1) / 2});
    }
}

static bool is_inside(const slow* s, cell c) {
    return c.row >= 0 && c.row < s->size && c.col >= 0 && c.col < s->size;
}

/* Whose trail a cell belongs to; -1: nobody's. */
static int owner(const slow* s, cell c) {
    for (int seat = 0; seat < s->players; seat++)
        for (int i = 0; i < s->length[seat]; i++)
            if (s->trail[seat][i].row == c.row && s->trail[seat][i].col == c.col)
                return seat;
    return -1;
}

static cell head(const slow* s, int seat) {
    return s->trail[seat][s->length[seat] - 1];
}

static cell target(const slow* s, int seat, int action) {
    const cell step[4] = {{-1, 0}, {0, 1}, {1, 0}, {0, -1}};
    const cell by = step[(action + quarter_turns(s, seat)) % 4], from = head(s, seat);
    return (cell){from.row + by.row, from.col + by.col};
}

static uint64_t slow_legal(const slow* s, int seat) {
    uint64_t free_cells = 0;
    for (int action = 0; action < 4; action++) {
        const cell to = target(s, seat, action);
        if (is_inside(s, to) && owner(s, to) < 0)
            free_cells |= 1ull << action;
    }
    return free_cells ? free_cells : 15;
}

static int living(const bool* alive) {
    return alive[0] + alive[1] + alive[2] + alive[3];
}

/* One ply; adds what the seats get. */
static void slow_ply(slow* s, const uint16_t* action, float* reward) {
    bool before[SEATS], crash[SEATS] = {false};
    cell to[SEATS] = {{0}};
    memcpy(before, s->alive, sizeof before);
    for (int seat = 0; seat < s->players; seat++)
        if (before[seat])
            to[seat] = target(s, seat, action[seat]);
    for (int seat = 0; seat < s->players; seat++) {
        crash[seat] = before[seat] && (!is_inside(s, to[seat]) || owner(s, to[seat]) >= 0);
        for (int other = 0; other < s->players && before[seat]; other++)
            crash[seat] |= other != seat && before[other] && to[other].row == to[seat].row &&
                           to[other].col == to[seat].col;
    }
    for (int seat = 0; seat < s->players; seat++) {
        s->alive[seat] = before[seat] && !crash[seat];
        if (s->alive[seat])
            s->trail[seat][s->length[seat]++] = to[seat];
    }
    if (living(s->alive) > 1)
        return;
    const bool* winners = living(s->alive) ? s->alive : before;
    const float share = (float)s->players / (float)living(winners) - 1;
    for (int seat = 0; seat < s->players; seat++)
        reward[seat] += (winners[seat] ? share : -1) / (float)(s->players - 1);
}

/* Two planes for each seat, one's own first, then in turn; the board turned for the one who sees.
 */
static void check_view(const table* t, const slow* s, int seat) {
    uint8_t seen[2 * SEATS * SIZE * SIZE];
    const int cells = s->size * s->size;
    t->rules->game->observe(t->rules->config, t->state, seat, seen);
    for (int i = 0; i < cells; i++) {
        const cell at = on_board(s, seat, (cell){i / s->size, i % s->size});
        const int whose = owner(s, at);
        for (int place = 0; place < s->players; place++) {
            const int other = (seat + place) % s->players;
            const cell front = head(s, other);
            const bool is_head =
                whose == other && s->alive[other] && front.row == at.row && front.col == at.col;
            assert_int_equal(seen[2 * place * cells + i], whose == other);
            assert_int_equal(seen[(2 * place + 1) * cells + i], is_head);
        }
    }
}

static void check_position(const table* t, const slow* s) {
    uint64_t acting = 0;
    for (int seat = 0; seat < s->players; seat++)
        acting |= (uint64_t)(s->alive[seat] && living(s->alive) > 1) << seat;
    assert_int_equal(t->acting, acting);
    for (int seat = 0; seat < s->players && acting; seat++) {
        uint64_t mask = 0;
        check_view(t, s, seat);
        if (!s->alive[seat])
            continue;
        t->rules->game->legal(t->rules->config, t->state, seat, &mask);
        assert_int_equal(mask, slow_legal(s, seat));
    }
}

static void play_game(table* t, slow* s, uint32_t episode) {
    const agon_key key = agon_key_make(17, "tron", AGON_FOR_TEST);
    float reward[AGON_MAX_SEATS] = {0};
    start(t);
    check_position(t, s);
    for (uint32_t ply = 0; t->acting; ply++) {
        uint16_t action[AGON_MAX_SEATS] = {0};
        for (int seat = 0; seat < s->players; seat++) {
            const uint64_t mask = slow_legal(s, seat);
            const uint32_t word = agon_random(key, episode, ply, (uint32_t)seat, 0).word[0];
            const int count = agon_mask_count(&mask, 1);
            if (s->alive[seat])
                action[seat] =
                    (uint16_t)agon_mask_nth(&mask, 1, (int)agon_below(word, (uint32_t)count));
        }
        slow_ply(s, action, reward);
        assert_int_equal(play_row(t, action), 0);
        check_position(t, s);
        for (int seat = 0; seat < s->players; seat++)
            assert_true(reward[seat] == t->reward[seat]);
    }
}

/* Promise: who acts, what is legal, what the seats see, who crashes and who wins are as the slow
 * rules say, on every board with two, three and four seats. */
static void test_tron_by_slow_rules(void** unused) {
    for (int players = 2; players <= SEATS; players++) {
        for (int size = 4; size <= SIZE; size++) {
            static slow s;
            char string[64];
            table t;
            snprintf(string, sizeof string, "tron(players=%d,size=%d)", players, size);
            open_table(&t, string);
            for (uint32_t episode = 0; episode < GAMES; episode++) {
                slow_start(&s, players, size);
                play_game(&t, &s, (uint32_t)(100 * size) + episode);
            }
            agon_rules_close(t.rules);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tron_by_slow_rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
