/* test_games_arena.c: snake_arena and pursuit, games in real time. Both against slow rules on lists
 * of coordinates, written from the opening comments of the games; collisions by hand. */
#include "tests/unit/game_table.h"

#include <math.h>

enum { MAX_OBS = 5 * 256, MAX_OUTCOMES = 256, SIDE = 16, SEATS = 8 };

static uint64_t noise;

/* A game with a generator that begins anew. */
static void open_arena(table* t, const char* string) {
    open_table(t, string);
    noise = 88172645463325252ull;
    assert_true(t->rules->obs_bytes <= MAX_OBS);
    assert_true(t->rules->spec.chance_outcomes <= MAX_OUTCOMES);
}

static int below(int n) {
    noise ^= noise << 13;
    noise ^= noise >> 7;
    noise ^= noise << 17;
    return (int)((noise >> 33) % (uint64_t)n);
}

static float feature(const table* t, int seat, const char* name) {
    float out[AGON_MAX_NUMBERS];
    const agon_spec* spec = &t->rules->spec;
    t->rules->game->features(t->rules->config, t->state, seat, out);
    for (int i = 0; i < spec->features; i++) {
        if (strcmp(spec->feature_names[i], name) == 0)
            return out[i];
    }
    fail_msg("no feature %s", name);
    return 0;
}

static void check_observation(const table* t, int seat, const uint8_t* expected) {
    uint8_t seen[MAX_OBS];
    t->rules->game->observe(t->rules->config, t->state, seat, seen);
    assert_memory_equal(seen, expected, t->rules->obs_bytes);
}

/* All outcomes are equally likely, and as many as expected. */
static void check_even_chance(const table* t, int expected) {
    double prob[MAX_OUTCOMES];
    assert_int_equal(t->acting, AGON_CHANCE);
    assert_int_equal(t->rules->game->chance(t->rules->config, t->state, prob), expected);
    for (int i = 0; i < expected; i++)
        assert_true(fabs(prob[i] - 1.0 / expected) < 1e-15);
}

static int wrapped(int value, int side) {
    return (value % side + side) % side;
}

/* The shorter way between two columns, or rows, over the edge where there is one to go over. */
static int apart(int a, int b, int size, bool walls) {
    const int straight = abs(a - b);
    return walls || straight < size - straight ? straight : size - straight;
}

/* ---- snake_arena: rules on lists of cells ------------------------------------------------- */

enum { VANISH, FOOD, STONE };

typedef struct point {
    int x, y;
} point;

typedef struct snake {
    point cell[256]; /* from the head on */
    int cells, dx, dy;
    int length; /* that fights are decided by */
    bool alive;
    int lived, turns, apart, kills;
} snake;

typedef struct arena {
    int players, size, pieces, horizon, corpses, tick;
    bool walls;
    snake snake[SEATS];
    bool food[SIDE][SIDE], stone[SIDE][SIDE];
} arena;

static void arena_start(arena* a, int players, int size, int pieces, int horizon, bool walls,
                        int corpses) {
    memset(a, 0, sizeof *a);
    *a = (arena){.players = players,
                 .size = size,
                 .pieces = pieces,
                 .horizon = horizon,
                 .corpses = corpses,
                 .walls = walls};
    for (int i = 0; i < players; i++) {
        const int turns = players == 2 ? 2 * i : i % 4, far = size - 1;
        const int across = i < 4 ? far / 2 : 1;
        const point tail[4] = {{across, far}, {0, across}, {far - across, 0}, {far, far - across}};
        snake* s = &a->snake[i];
        s->alive = true;
        s->cells = s->length = 2;
        s->dx = turns == 1 ? 1 : turns == 3 ? -1 : 0;
        s->dy = turns == 0 ? -1 : turns == 2 ? 1 : 0;
        s->cell[1] = tail[turns];
        s->cell[0] = (point){tail[turns].x + s->dx, tail[turns].y + s->dy};
    }
}

static bool arena_is_free(const arena* a, int x, int y) {
    if (a->food[y][x] || a->stone[y][x])
        return false;
    for (int i = 0; i < a->players; i++) {
        for (int k = 0; k < a->snake[i].cells; k++) {
            if (a->snake[i].cell[k].x == x && a->snake[i].cell[k].y == y)
                return false;
        }
    }
    return true;
}

static int arena_free_cells(const arena* a, point* out) {
    int count = 0;
    for (int y = 0; y < a->size; y++) {
        for (int x = 0; x < a->size; x++) {
            if (arena_is_free(a, x, y))
                out[count++] = (point){x, y};
        }
    }
    return count;
}

static int arena_count_food(const arena* a) {
    int count = 0;
    for (int i = 0; i < SIDE * SIDE; i++)
        count += a->food[i / SIDE][i % SIDE];
    return count;
}

static int arena_count_living(const arena* a) {
    int count = 0;
    for (int i = 0; i < a->players; i++)
        count += a->snake[i].alive;
    return count;
}

static bool arena_is_over(const arena* a) {
    return a->tick == a->horizon || arena_count_living(a) < 2;
}

/* Where a snake comes to that turns as `action` says; false: into a wall. */
static bool arena_ahead(const arena* a, int i, int action, int* dx, int* dy, point* to) {
    const snake* s = &a->snake[i];
    *dx = action == 0 ? s->dx : action == 1 ? -s->dy : s->dy;
    *dy = action == 0 ? s->dy : action == 1 ? s->dx : -s->dx;
    to->x = s->cell[0].x + *dx;
    to->y = s->cell[0].y + *dy;
    const bool inside = to->x >= 0 && to->y >= 0 && to->x < a->size && to->y < a->size;
    to->x = wrapped(to->x, a->size);
    to->y = wrapped(to->y, a->size);
    return inside || !a->walls;
}

/* Who died of whom in this tick; killer -1: nobody's doing. */
static bool arena_dies(const arena* a, int i, const point* to, const bool* inside, int* killer) {
    int longest = 0, holders = 0;
    *killer = -1;
    if (!inside[i] || a->stone[to[i].y][to[i].x])
        return true;
    for (int j = 0; j < a->players; j++) {
        for (int k = 0; k < a->snake[j].cells; k++) {
            if (a->snake[j].cell[k].x == to[i].x && a->snake[j].cell[k].y == to[i].y) {
                *killer = j == i ? -1 : j;
                return true;
            }
        }
    }
    for (int j = 0; j < a->players; j++) {
        if (!a->snake[j].alive || !inside[j] || to[j].x != to[i].x || to[j].y != to[i].y)
            continue;
        if (a->snake[j].length > longest)
            holders = 0;
        if (a->snake[j].length >= longest) {
            longest = a->snake[j].length;
            *killer = j;
            holders++;
        }
    }
    const bool wins = holders == 1 && *killer == i;
    if (holders > 1)
        *killer = -1;
    return !wins;
}

static void arena_bury(arena* a, snake* s) {
    for (int k = s->cells - 1; k >= 0; k--) {
        const point at = s->cell[k];
        if (a->corpses == STONE)
            a->stone[at.y][at.x] = true;
        if (a->corpses == FOOD && (s->cells - 1 - k) % 2 == 0)
            a->food[at.y][at.x] = true;
    }
    s->cells = 0;
}

static void arena_measure(arena* a) {
    for (int i = 0; i < a->players; i++) {
        int nearest = -1;
        for (int j = 0; j < a->players; j++) {
            if (i == j || !a->snake[i].alive || !a->snake[j].alive)
                continue;
            const point p = a->snake[i].cell[0], q = a->snake[j].cell[0];
            const int far = apart(p.x, q.x, a->size, a->walls) + apart(p.y, q.y, a->size, a->walls);
            if (nearest < 0 || far < nearest)
                nearest = far;
        }
        a->snake[i].apart += nearest < 0 ? 0 : nearest;
    }
}

static void arena_tick(arena* a, const uint16_t* action) {
    point to[SEATS];
    bool inside[SEATS] = {false}, dies[SEATS] = {false};
    int dx[SEATS], dy[SEATS], killer[SEATS];
    for (int i = 0; i < a->players; i++) {
        snake* s = &a->snake[i];
        if (!s->alive)
            continue;
        s->lived++;
        inside[i] = arena_ahead(a, i, action[i], &dx[i], &dy[i], &to[i]);
        if (!inside[i] || !a->food[to[i].y][to[i].x])
            s->cells--;
    }
    for (int i = 0; i < a->players; i++)
        dies[i] = a->snake[i].alive && arena_dies(a, i, to, inside, &killer[i]);
    for (int i = 0; i < a->players; i++) {
        snake* s = &a->snake[i];
        if (!s->alive || dies[i])
            continue;
        memmove(s->cell + 1, s->cell, (size_t)s->cells * sizeof s->cell[0]);
        s->cell[0] = to[i];
        s->cells++;
        s->length = s->cells;
        s->turns += action[i] != 0;
        s->dx = dx[i];
        s->dy = dy[i];
        a->food[to[i].y][to[i].x] = false;
    }
    for (int i = 0; i < a->players; i++) {
        if (!dies[i])
            continue;
        if (killer[i] >= 0)
            a->snake[killer[i]].kills++;
        arena_bury(a, &a->snake[i]);
        a->snake[i].alive = false;
    }
    a->tick++;
    arena_measure(a);
}

/* What seat i sees, from its head ahead and to the right. */
static void arena_observe(const arena* a, int i, point from, uint8_t* out) {
    const int side = a->size + a->walls, half = side / 2, cells = side * side;
    const snake* me = &a->snake[i];
    memset(out, 0, 5 * (size_t)cells);
    for (int v = 0; v < cells; v++) {
        const int ahead = half - v / side, right = v % side - half;
        const int x = wrapped(from.x + ahead * me->dx - right * me->dy, side);
        const int y = wrapped(from.y + ahead * me->dy + right * me->dx, side);
        if (x == a->size || y == a->size || a->stone[y][x])
            out[v] = 64;
        out[3 * cells + v] = a->food[y][x] ? 32 : 0;
        for (int step = 0; step < a->players; step++) {
            const snake* s = &a->snake[(i + step) % a->players];
            for (int k = 0; k < s->cells; k++) {
                if (s->cell[k].x != x || s->cell[k].y != y)
                    continue;
                out[v] = (uint8_t)(s->cells - k);
                out[cells + v] = (uint8_t)(step ? 4 * step : 32);
                out[2 * cells + v] = (uint8_t)(step && k == 0 ? s->length : 0);
            }
        }
    }
    for (int step = 0; step < a->players; step++)
        out[4 * cells + step] = (uint8_t)a->snake[(i + step) % a->players].cells;
    out[4 * cells + a->players] = (uint8_t)((a->horizon - a->tick) / 16);
    out[4 * cells + a->players + 1] = (uint8_t)((a->horizon - a->tick) % 16 * 2);
}

/* 1: i is ahead of j, -1: behind. */
static int arena_compare(const arena* a, int i, int j) {
    const snake *p = &a->snake[i], *q = &a->snake[j];
    const int one = p->lived + p->alive, two = q->lived + q->alive;
    if (one != two)
        return one > two ? 1 : -1;
    return (p->length > q->length) - (p->length < q->length);
}

static void check_arena_end(const table* t, const arena* a) {
    float stats[AGON_MAX_NUMBERS];
    int eaten = 0;
    assert_int_equal(t->acting, 0);
    for (int i = 0; i < a->players; i++) {
        const snake* s = &a->snake[i];
        int rank = 0;
        for (int j = 0; j < a->players; j++)
            rank += arena_compare(a, i, j);
        assert_true(t->reward[i] == (float)rank / (float)(a->players - 1));
        assert_true(feature(t, i, "eaten") == (float)(s->length - 2));
        assert_true(feature(t, i, "lived") == (float)s->lived);
        assert_true(feature(t, i, "turns") == (float)s->turns / (float)s->lived);
        assert_true(feature(t, i, "apart") == (float)s->apart / (float)s->lived);
        assert_true(feature(t, i, "kills") == (float)s->kills);
        eaten += s->length - 2;
    }
    t->rules->game->stats(t->rules->config, t->state, stats);
    assert_true(stats[0] == (float)a->tick && stats[1] == (float)arena_count_living(a) &&
                stats[2] == (float)eaten);
}

/* A random action, rarely one that is sure to kill, so that games are long. */
static int arena_choose(table* t, const arena* a, int i) {
    for (int trial = 0; trial < 6; trial++) {
        const int action = below(3);
        int dx, dy;
        point to;
        const bool inside = arena_ahead(a, i, action, &dx, &dy, &to);
        if (inside && (a->food[to.y][to.x] || arena_is_free(a, to.x, to.y)))
            return action;
    }
    return below(3);
}

static void check_arena_ply(table* t, arena* a, const point* died_at) {
    uint16_t action[AGON_MAX_SEATS] = {0};
    uint8_t expected[MAX_OBS];
    point cells[SIDE * SIDE];
    const int count = arena_free_cells(a, cells);
    uint64_t living = 0;
    if (arena_count_food(a) < a->pieces && count) {
        check_even_chance(t, count);
        action[0] = (uint16_t)below(count);
        a->food[cells[action[0]].y][cells[action[0]].x] = true;
        assert_int_equal(play_row(t, action), 0);
        return;
    }
    for (int i = 0; i < a->players; i++) {
        living |= (uint64_t)a->snake[i].alive << i;
        arena_observe(a, i, a->snake[i].alive ? a->snake[i].cell[0] : died_at[i], expected);
        check_observation(t, i, expected);
        action[i] = (uint16_t)(a->snake[i].alive ? arena_choose(t, a, i) : 9);
    }
    assert_int_equal(t->acting, living);
    assert_int_equal(play_row(t, action), 0);
    arena_tick(a, action);
}

static void check_arena_game(table* t, arena* a) {
    point died_at[SEATS];
    start(t);
    while (!arena_is_over(a)) {
        for (int i = 0; i < a->players; i++) {
            if (a->snake[i].alive)
                died_at[i] = a->snake[i].cell[0];
        }
        check_arena_ply(t, a, died_at);
    }
    check_arena_end(t, a);
}

/* Promise: every observation, reward, chance, feature and stat of random games is as the slow rules
 * have it, for every size, number of players, edge and kind of corpse. */
static void test_snake_arena_by_slow_rules(void** unused) {
    static const char* const corpses[] = {"vanish", "food", "stone"};
    static arena a;
    for (int n = 0; n < 11 * 7 * 2 * 3; n++) {
        const int size = 5 + n % 11, players = 2 + n / 11 % 7, walls = n / 77 % 2, kind = n / 154;
        const int pieces = 1 + n % 5, horizon = 20 + n % 80;
        char string[128];
        table t;
        snprintf(string, sizeof string,
                 "snake_arena(players=%d,size=%d,food=%d,horizon=%d,walls=%s,corpses=%s)", players,
                 size, pieces, horizon, walls ? "true" : "false", corpses[kind]);
        open_arena(&t, string);
        noise += (uint64_t)n;
        for (int game = 0; game < 3; game++) {
            arena_start(&a, players, size, pieces, horizon, walls, kind);
            check_arena_game(&t, &a);
        }
        agon_rules_close(t.rules);
    }
}

/* ---- snake_arena: collisions by hand ------------------------------------------------------ */

static void check_rewards(const table* t, int seats, const float* expected) {
    assert_int_equal(t->acting, 0);
    for (int seat = 0; seat < seats; seat++) {
        if (t->reward[seat] != expected[seat])
            fail_msg("seat %d has %g, expected %g", seat, (double)t->reward[seat],
                     (double)expected[seat]);
    }
}

/* Promise: two equal heads that meet both die, and the longer of two lives. */
static void test_snake_arena_heads_meet(void** unused) {
    table t;
    open_arena(&t, "snake_arena(players=2,size=7,food=1)");
    play_names(&t, "food_a1 up down up down");
    check_rewards(&t, 2, (const float[]){0, 0});
    assert_true(feature(&t, 0, "kills") == 0 && feature(&t, 1, "kills") == 0);
    start(&t);
    play_names(&t, "food_d5 up down food_a1 up down");
    check_rewards(&t, 2, (const float[]){1, -1});
    assert_true(feature(&t, 0, "kills") == 1 && feature(&t, 1, "kills") == 0);
    agon_rules_close(t.rules);
}

/* Promise: of four heads that meet the longest lives and has killed the others; where two are the
 * longest all die and nobody has killed, and length ranks them. */
static void test_snake_arena_four_heads_meet(void** unused) {
    table t;
    open_arena(&t, "snake_arena(players=4,size=7,food=1)");
    play_names(&t, "food_d5 up right down left food_a1 up right down left");
    check_rewards(&t, 4, (const float[]){1, -1 / 3.f, -1 / 3.f, -1 / 3.f});
    assert_true(feature(&t, 0, "kills") == 3);
    agon_rules_close(t.rules);
    open_arena(&t, "snake_arena(players=4,size=7,food=2)");
    play_names(&t, "food_d5 food_d3 up right down left food_a1 food_b1 up right down left");
    check_rewards(&t, 4, (const float[]){2 / 3.f, -2 / 3.f, 2 / 3.f, -2 / 3.f});
    for (int seat = 0; seat < 4; seat++)
        assert_true(feature(&t, seat, "kills") == 0);
    agon_rules_close(t.rules);
}

/* Promise: a head may follow a tail into the cell it leaves, unless its snake eats. */
static void test_snake_arena_tail_moves_away(void** unused) {
    table t;
    open_arena(&t, "snake_arena(players=2,size=5,food=1)");
    play_names(&t, "food_a1 up right up down");
    assert_int_equal(t.acting, 3);
    start(&t);
    play_names(&t, "food_d3 up right up down");
    check_rewards(&t, 2, (const float[]){-1, 1});
    assert_true(feature(&t, 1, "kills") == 1 && feature(&t, 1, "eaten") == 1);
    agon_rules_close(t.rules);
}

/* Promise: two heads that change places both die, and a third seat, far away, wins. */
static void test_snake_arena_heads_change_places(void** unused) {
    table t;
    open_arena(&t, "snake_arena(players=3,size=6,food=1)");
    play_names(&t, "food_a1 up right right up down right");
    check_rewards(&t, 3, (const float[]){-0.5f, -0.5f, 1});
    assert_true(feature(&t, 0, "kills") == 1 && feature(&t, 1, "kills") == 1);
    agon_rules_close(t.rules);
}

/* Promise: a wall kills, a joined edge does not; who dies in the same tick is ranked by length. */
static void test_snake_arena_edges(void** unused) {
    table t;
    open_arena(&t, "snake_arena(players=2,size=5,food=1,walls=false)");
    play_names(&t, "food_a1 right left right left right left right left");
    assert_int_equal(t.acting, 3);
    agon_rules_close(t.rules);
    open_arena(&t, "snake_arena(players=2,size=5,food=1)");
    play_names(&t, "food_d4 right left food_a1 right left right left");
    check_rewards(&t, 2, (const float[]){1, -1});
    agon_rules_close(t.rules);
}

/* ---- pursuit: rules on coordinates -------------------------------------------------------- */

typedef struct hunt {
    int predators, seats, size, horizon, tick, placed;
    int rest[2];
    bool pillars, walls;
    point at[SEATS];
    bool gone[SEATS];
    int caught[SEATS], lived[SEATS], moved[SEATS], from_foe[SEATS], from_friend[SEATS];
    int units[SEATS]; /* what prey has from each predator */
} hunt;

static bool hunt_is_pillar(const hunt* h, int x, int y) {
    return h->pillars && x % 2 && y % 2 && x < h->size - 1 && y < h->size - 1;
}

static bool hunt_has(const hunt* h, int seats, int x, int y) {
    for (int i = 0; i < seats; i++) {
        if (h->at[i].x == x && h->at[i].y == y)
            return true;
    }
    return false;
}

/* Predators come one after the other to the nearest cell: of all at each distance, by rows. */
static void hunt_place_predators(hunt* h) {
    int placed = 0;
    for (int far = 0; far < 4 * h->size; far++) {
        for (int i = 0; i < h->size * h->size; i++) {
            const int x = i % h->size, y = i / h->size;
            const int half_steps = abs(2 * x - (h->size - 1)) + abs(2 * y - (h->size - 1));
            if (placed < h->predators && half_steps == far && !hunt_is_pillar(h, x, y))
                h->at[placed++] = (point){x, y};
        }
    }
    h->placed = placed;
}

static int hunt_free_rim(const hunt* h, point* out) {
    int count = 0;
    for (int y = 0; y < h->size; y++) {
        for (int x = 0; x < h->size; x++) {
            const bool rim = x == 0 || y == 0 || x == h->size - 1 || y == h->size - 1;
            if (rim && !hunt_has(h, h->placed, x, y))
                out[count++] = (point){x, y};
        }
    }
    return count;
}

static bool hunt_is_over(const hunt* h) {
    int left = 0;
    for (int i = h->predators; i < h->seats; i++)
        left += !h->gone[i];
    return left == 0 || h->tick == h->horizon;
}

/* Where an action leads; false: it is barred. */
static bool hunt_moves(const hunt* h, int i, int action, point* to) {
    const int rest = h->rest[i >= h->predators];
    *to = h->at[i];
    if (action == 0)
        return true;
    if (rest && (h->tick + 1) % rest == 0)
        return false;
    to->x += (action == 2) - (action == 4);
    to->y += (action == 3) - (action == 1);
    const bool inside = to->x >= 0 && to->y >= 0 && to->x < h->size && to->y < h->size;
    to->x = wrapped(to->x, h->size);
    to->y = wrapped(to->y, h->size);
    return (inside || !h->walls) && !hunt_is_pillar(h, to->x, to->y);
}

static int hunt_nearest(const hunt* h, int i, bool foes) {
    int nearest = -1;
    for (int j = 0; j < h->seats; j++) {
        if (j == i || h->gone[i] || h->gone[j] ||
            ((i < h->predators) != (j < h->predators)) != foes)
            continue;
        const int far = apart(h->at[i].x, h->at[j].x, h->size, h->walls) +
                        apart(h->at[i].y, h->at[j].y, h->size, h->walls);
        nearest = nearest < 0 || far < nearest ? far : nearest;
    }
    return nearest < 0 ? 0 : nearest;
}

static bool same(point a, point b) {
    return a.x == b.x && a.y == b.y;
}

static void hunt_tick(hunt* h, const uint16_t* action) {
    point to[SEATS];
    bool now[SEATS] = {false};
    h->tick++;
    for (int i = 0; i < h->seats; i++) {
        h->tick--;
        hunt_moves(h, i, h->gone[i] ? 0 : action[i], &to[i]);
        h->tick++;
        h->lived[i] += !h->gone[i];
        h->moved[i] += !same(to[i], h->at[i]);
    }
    for (int i = h->predators; i < h->seats; i++) {
        for (int j = 0; j < h->predators && !h->gone[i]; j++) {
            if (same(to[i], to[j]) || (same(to[i], h->at[j]) && same(to[j], h->at[i]))) {
                h->caught[j]++;
                now[i] = true;
            }
        }
    }
    memcpy(h->at, to, sizeof to);
    for (int i = h->predators; i < h->seats; i++) {
        if (now[i]) {
            h->gone[i] = true;
            h->caught[i] = 1;
            h->units[i] = 2 * h->tick - h->horizon - 2;
        }
    }
    for (int i = 0; i < h->seats; i++) {
        h->from_foe[i] += hunt_nearest(h, i, true);
        h->from_friend[i] += hunt_nearest(h, i, false);
    }
}

static int hunt_until_rest(const hunt* h, bool prey) {
    for (int ticks = 0; ticks < 9; ticks++) {
        if (h->rest[prey] && (h->tick + 1 + ticks) % h->rest[prey] == 0)
            return ticks;
    }
    return 9;
}

static void hunt_observe(const hunt* h, int i, uint8_t* out) {
    const int side = h->size + h->walls, half = side / 2, cells = side * side;
    const bool prey = i >= h->predators;
    memset(out, 0, 5 * (size_t)cells);
    for (int v = 0; v < cells; v++) {
        const int x = wrapped(h->at[i].x + v % side - half, side);
        const int y = wrapped(h->at[i].y + v / side - half, side);
        out[v] = x == h->size || y == h->size || hunt_is_pillar(h, x, y) ? 32 : 0;
        for (int j = 0; j < h->seats; j++) {
            const bool foe = (j >= h->predators) != prey;
            if (j != i && !h->gone[j] && h->at[j].x == x && h->at[j].y == y)
                out[(1 + foe) * cells + v] = (uint8_t)(out[(1 + foe) * cells + v] + 32);
        }
        out[3 * cells + v] = prey ? 32 : 0;
    }
    out[4 * cells] = (uint8_t)((h->horizon - h->tick) / 16);
    out[4 * cells + 1] = (uint8_t)((h->horizon - h->tick) % 16 * 2);
    out[4 * cells + 2] = (uint8_t)(4 * hunt_until_rest(h, prey));
    out[4 * cells + 3] = (uint8_t)(4 * hunt_until_rest(h, !prey));
}

static void check_hunt_end(const table* t, const hunt* h) {
    const int prey = h->seats - h->predators, most = h->predators > prey ? h->predators : prey;
    float stats[AGON_MAX_NUMBERS];
    int parts = 1, sum = 0, caught = 0;
    while (parts < most * h->horizon)
        parts *= 2;
    assert_int_equal(t->acting, 0);
    for (int i = h->predators; i < h->seats; i++) {
        const int units = h->gone[i] ? h->units[i] : h->horizon;
        assert_true(t->reward[i] == (float)(units * h->predators) / (float)parts);
        sum += units;
        caught += h->caught[i];
    }
    for (int i = 0; i < h->predators; i++)
        assert_true(t->reward[i] == (float)-sum / (float)parts);
    for (int i = 0; i < h->seats; i++) {
        const float lived = (float)h->lived[i];
        assert_true(feature(t, i, "caught") == (float)h->caught[i]);
        assert_true(feature(t, i, "lived") == lived);
        assert_true(feature(t, i, "moved") == (float)h->moved[i] / lived);
        assert_true(feature(t, i, "from_foe") == (float)h->from_foe[i] / lived);
        assert_true(feature(t, i, "from_friend") == (float)h->from_friend[i] / lived);
    }
    t->rules->game->stats(t->rules->config, t->state, stats);
    assert_true(stats[0] == (float)h->tick && stats[1] == (float)caught);
}

static void check_hunt_ply(table* t, hunt* h) {
    uint16_t action[AGON_MAX_SEATS] = {0};
    uint8_t expected[MAX_OBS];
    point cells[SIDE * SIDE], to;
    uint64_t here = 0;
    if (h->placed < h->seats) {
        const int count = hunt_free_rim(h, cells);
        check_even_chance(t, count);
        action[0] = (uint16_t)below(count);
        h->at[h->placed++] = cells[action[0]];
        assert_int_equal(play_row(t, action), 0);
        return;
    }
    for (int i = 0; i < h->seats; i++) {
        uint64_t mask = 0;
        hunt_observe(h, i, expected);
        check_observation(t, i, expected);
        action[i] = 9;
        if (h->gone[i])
            continue;
        here |= 1ull << i;
        t->rules->game->legal(t->rules->config, t->state, i, &mask);
        for (int k = 0; k < 5; k++)
            assert_int_equal(mask >> k & 1, hunt_moves(h, i, k, &to));
        do {
            action[i] = (uint16_t)below(5);
        } while (!hunt_moves(h, i, action[i], &to));
    }
    assert_int_equal(t->acting, here);
    assert_int_equal(play_row(t, action), 0);
    hunt_tick(h, action);
}

static void check_hunt_games(const hunt* start_of, int games) {
    char string[192];
    table t;
    const hunt* o = start_of;
    snprintf(string, sizeof string,
             "pursuit(predators=%d,prey=%d,size=%d,horizon=%d,pillars=%d,walls=%d,predator_rest=%d,"
             "prey_rest=%d)",
             o->predators, o->seats - o->predators, o->size, o->horizon, o->pillars, o->walls,
             o->rest[0], o->rest[1]);
    open_arena(&t, string);
    noise += (uint64_t)(o->size * 100 + o->seats);
    for (int game = 0; game < games; game++) {
        static hunt h;
        h = *o;
        hunt_place_predators(&h);
        start(&t);
        while (!hunt_is_over(&h))
            check_hunt_ply(&t, &h);
        check_hunt_end(&t, &h);
    }
    agon_rules_close(t.rules);
}

/* Promise: every observation, mask, reward, chance, feature and stat of random games is as the slow
 * rules have it, for every size, numbers of seats, edges, pillars and rests. */
static void test_pursuit_by_slow_rules(void** unused) {
    int n = 0;
    for (int size = 5; size <= 15; size++) {
        for (int predators = 1; predators <= 7; predators++) {
            for (int prey = 1; predators + prey <= 8; prey++, n++) {
                const hunt h = {.predators = predators,
                                .seats = predators + prey,
                                .size = size,
                                .horizon = 20 + n % 60,
                                .rest = {n % 5, n % 3},
                                .pillars = n % 2,
                                .walls = n / 2 % 2};
                check_hunt_games(&h, 3);
            }
        }
    }
}

/* ---- pursuit: by hand --------------------------------------------------------------------- */

/* Promise: prey that changes places with a predator is caught, in the first tick for all that
 * there is to win. */
static void test_pursuit_change_of_places(void** unused) {
    table t;
    open_arena(&t, "pursuit(size=5,pillars=false,predator_rest=0)"); /* predators on c3 and c2 */
    play_names(&t, "c_at_c1 stay up down");
    check_rewards(&t, 3, (const float[]){0.5f, 0.5f, -1});
    assert_true(feature(&t, 0, "caught") == 0 && feature(&t, 1, "caught") == 1);
    agon_rules_close(t.rules);
}

/* Promise: of two that come at once both are said to have caught; all predators share alike. */
static void test_pursuit_two_at_once(void** unused) {
    table t;
    open_arena(&t, "pursuit(size=5,pillars=false,predator_rest=0)");
    play_names(&t, "c_at_c1 left stay stay up stay stay up stay stay right up stay");
    check_rewards(&t, 3, (const float[]){58 / 128.f, 58 / 128.f, -116 / 128.f});
    assert_true(feature(&t, 0, "caught") == 1 && feature(&t, 1, "caught") == 1);
    agon_rules_close(t.rules);
}

/* Promise: prey that is never caught has the whole horizon from each predator; a side at rest, here
 * in tick 2, has nothing to choose. */
static void test_pursuit_escape(void** unused) {
    table t;
    open_arena(&t, "pursuit(size=5,pillars=false,horizon=3,predators=1,prey=1,predator_rest=2)");
    play_names(&t, "b_at_a1 left stay");
    assert_int_equal(agon_action_find(t.rules, t.state, 0, "right"), -1);
    play_names(&t, "stay down right stay");
    check_rewards(&t, 2, (const float[]){-0.75f, 0.75f});
    agon_rules_close(t.rules);
}

/* Promise: more than eight seats are refused by their parameters. */
static void test_pursuit_too_many(void** unused) {
    agon_rules* rules = NULL;
    agon_error error = {0};
    assert_int_not_equal(agon_rules_open("pursuit(predators=5,prey=4)", &rules, &error), 0);
    assert_non_null(strstr(error.text, "predators=5, prey=4"));
}

/* ---- both --------------------------------------------------------------------------------- */

enum { MAX_PASTS = 20000 };

typedef struct pasts {
    int count;
    uint64_t past[MAX_PASTS];
} pasts;

/* Gathers what is known at every decision of a game of two that follows. */
static void gather(const table* t, pasts* all) {
    uint64_t mask[2] = {0};
    double prob[MAX_OUTCOMES];
    int first = 0, second = 1;
    if (!t->acting)
        return;
    if (t->acting == AGON_CHANCE) {
        first = t->rules->game->chance(t->rules->config, t->state, prob);
    } else {
        uint64_t known[2][AGON_INFOSTATE / 8];
        for (int seat = 0; seat < 2; seat++) {
            t->rules->game->legal(t->rules->config, t->state, seat, &mask[seat]);
            assert_int_equal(
                t->rules->game->infostate(t->rules->config, t->state, seat, known[seat]), 8);
        }
        assert_true(known[0][0] == known[1][0] && all->count < MAX_PASTS);
        all->past[all->count++] = known[0][0];
        first = second = t->rules->spec.actions;
    }
    for (int i = 0; i < first * second; i++) {
        const uint16_t action[2] = {(uint16_t)(i / second), (uint16_t)(i % second)};
        table next = *t;
        if (t->acting == AGON_CHANCE || (mask[0] >> action[0] & mask[1] >> action[1] & 1)) {
            assert_int_equal(play_row(&next, action), 0);
            gather(&next, all);
        }
    }
}

static int compare_pasts(const void* a, const void* b) {
    const uint64_t x = *(const uint64_t*)a, y = *(const uint64_t*)b;
    return (x > y) - (x < y);
}

/* Promise: both seats know the same, and no two ways to play three ticks are the same to know. */
static void test_pasts_are_remembered(void** unused) {
    const char* const games[] = {"snake_arena(players=2,size=5,food=1,horizon=3)",
                                 "pursuit(size=5,predators=1,prey=1,horizon=3)"};
    for (int g = 0; g < 2; g++) {
        static pasts all;
        table t;
        open_arena(&t, games[g]);
        all.count = 0;
        gather(&t, &all);
        assert_true(all.count > 2000);
        qsort(all.past, (size_t)all.count, sizeof all.past[0], compare_pasts);
        for (int i = 1; i < all.count; i++)
            assert_true(all.past[i - 1] != all.past[i]);
        agon_rules_close(t.rules);
    }
}

/* ---- chance ------------------------------------------------------------------------------- */

/* Promise: over the engine's draws every free cell is as frequent as its probability says, to five
 * standard deviations. */
static void test_chance_is_even(void** unused) {
    const char* const games[] = {"snake_arena(size=5)", "pursuit(size=5)"};
    enum { DRAWS = 20000 };
    for (int g = 0; g < 2; g++) {
        int count[MAX_OUTCOMES] = {0};
        double prob[MAX_OUTCOMES];
        table t;
        open_arena(&t, games[g]);
        const agon_key key = agon_key_make(1, "arena", AGON_FOR_CHANCE);
        const int outcomes = t.rules->game->chance(t.rules->config, t.state, prob);
        for (uint32_t i = 0; i < DRAWS; i++)
            count[agon_rules_chance(t.rules, t.state, key, i, 0, 0)]++;
        for (int k = 0; k < outcomes; k++) {
            const double mean = DRAWS * prob[k];
            assert_true(fabs(count[k] - mean) < 5 * sqrt(mean * (1 - prob[k])));
        }
        agon_rules_close(t.rules);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snake_arena_by_slow_rules),
        cmocka_unit_test(test_snake_arena_heads_meet),
        cmocka_unit_test(test_snake_arena_four_heads_meet),
        cmocka_unit_test(test_snake_arena_tail_moves_away),
        cmocka_unit_test(test_snake_arena_heads_change_places),
        cmocka_unit_test(test_snake_arena_edges),
        cmocka_unit_test(test_pursuit_by_slow_rules),
        cmocka_unit_test(test_pursuit_change_of_places),
        cmocka_unit_test(test_pursuit_two_at_once),
        cmocka_unit_test(test_pursuit_escape),
        cmocka_unit_test(test_pursuit_too_many),
        cmocka_unit_test(test_pasts_are_remembered),
        cmocka_unit_test(test_chance_is_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
