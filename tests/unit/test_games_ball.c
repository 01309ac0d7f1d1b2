/* test_games_ball.c: pong and slime_volley, the games in real time, promise:
 *   - every tick is what a second implementation of the rules in the games' comments makes of it,
 *     written from the sides of the court as they are, with exact fractions in 128 bits;
 *   - left and right are alike to the last bit: mirrored play gives mirrored positions;
 *   - the ball stays in the court and out of the net, passes neither net nor paddle, and is neither
 *     faster nor higher than the rules say; its flight keeps its energy exactly;
 *   - serves, bounces, points and ends are those worked out by hand.
 * The layouts of states are written out here once more. */
#include "games/rules.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

typedef __int128 wide;

typedef struct pong_state {
    int32_t x, y, vx, vy;
    int32_t paddle[2];
    uint32_t plies, ticks;
    uint32_t touches[2], off_middle[2], way[2];
    uint32_t rally, longest;
    uint16_t points[2], rallies;
    uint8_t phase, unused;
} pong_state;

typedef struct slime_state {
    int32_t x, y, vx, vy;
    int32_t slime_x[2], slime_y[2], slime_up[2];
    uint32_t plies, ticks;
    uint32_t touches[2], jumps[2], way[2];
    uint32_t rally, longest;
    uint16_t points[2], rallies;
    uint8_t phase, unused;
} slime_state;

enum { SERVES, PLAYS, OVER }; /* phases of both */

/* ---- small helpers -------------------------------------------------------------------------- */

static uint64_t noise_state = 88172645463325252ull;

/* A number from low to high. */
static int any(int low, int high) {
    noise_state ^= noise_state << 13;
    noise_state ^= noise_state >> 7;
    noise_state ^= noise_state << 17;
    return low + (int)((noise_state >> 32) % (uint64_t)(high - low + 1));
}

static agon_rules* open_game(const char* string, size_t state_size) {
    agon_rules* rules = NULL;
    assert_int_equal(agon_rules_open(string, &rules, NULL), 0);
    assert_int_equal(rules->spec.state_size, state_size);
    return rules;
}

static uint64_t acting(const agon_rules* rules, const void* state) {
    return rules->game->acting(rules->config, state);
}

/* One ply of two seats, or, with the same number twice, a chance outcome. */
static void play(const agon_rules* rules, void* state, int first, int second, float* reward) {
    const uint16_t action[2] = {(uint16_t)first, (uint16_t)second};
    assert_int_equal(rules->game->apply(rules->config, state, action, reward), 0);
}

static void serve(const agon_rules* rules, void* state, int outcome) {
    float reward[2] = {0};
    rules->game->init(rules->config, state);
    assert_true(acting(rules, state) == AGON_CHANCE);
    play(rules, state, outcome, outcome, reward);
    assert_int_equal(acting(rules, state), 3);
}

/* a / b, the fraction's part behind the point dropped; by the quotient of absolute values. */
static long chop(wide a, wide b) {
    const wide size = (a < 0 ? -a : a) / (b < 0 ? -b : b);
    return (long)((a < 0) == (b < 0) ? size : -size);
}

static long least(long a, long b) {
    return a < b ? a : b;
}

static long clip(long value, long low, long high) {
    return value < low ? low : least(value, high);
}

/* The parameters, as the tests know them. */
typedef struct setting {
    const char* string;
    int points, horizon, skip, serves;
    int paddle; /* pong */
} setting;

static const setting pong_settings[] = {
    {"pong", 5, 500, 4, 8, 3},
    {"pong(points=2,horizon=400,skip=1)", 2, 400, 1, 8, 3},
    {"pong(points=100,horizon=150,skip=16,paddle=1,serves=64)", 100, 150, 16, 64, 1},
    {"pong(points=1,paddle=8,serves=1,horizon=100)", 1, 100, 4, 1, 8},
    {"pong(points=3,skip=7,paddle=5,serves=3,horizon=33)", 3, 33, 7, 3, 5},
};

static const setting slime_settings[] = {
    {"slime_volley", 5, 500, 3, 8, 0},
    {"slime_volley(points=2,horizon=400,skip=1)", 2, 400, 1, 8, 0},
    {"slime_volley(points=100,horizon=150,skip=16,serves=64)", 100, 150, 16, 64, 0},
    {"slime_volley(points=1,serves=1,horizon=100)", 1, 100, 3, 1, 0},
    {"slime_volley(points=3,skip=7,serves=3,horizon=33)", 3, 33, 7, 3, 0},
};

#define COUNT(ARRAY) ((int)(sizeof(ARRAY) / sizeof *(ARRAY)))

/* ---- players that keep the ball in play ----------------------------------------------------- */

static int pong_chase(const void* state, int seat) {
    const pong_state* s = (const pong_state*)state;
    const int above = s->y - s->paddle[seat];
    return any(0, 9) == 0 ? any(0, 2) : above > 300 ? 1 : above < -300 ? 2 : 0;
}

/* Stands a little behind the ball, so that it goes forward. */
static int slime_chase(const void* state, int seat) {
    const slime_state* s = (const slime_state*)state;
    const int ball = seat ? s->x : -s->x, goal = ball > 0 ? ball + any(200, 700) : 6000;
    const int jump = ball > 0 && s->y < 5000 && any(0, 5) == 0 ? 3 : 0;
    const int off = s->slime_x[seat] - goal;
    return any(0, 9) == 0 ? any(0, 5) : jump + (off > 300 ? 1 : off < -300 ? 2 : 0);
}

/* ---- games, ply by ply ---------------------------------------------------------------------- */

typedef struct watch watch;

/* One ply, or one outcome. */
typedef struct ply_seen {
    const void *before, *after;
    uint16_t action[2];
    float reward[2];
    bool chance;
} ply_seen;

struct watch {
    const setting* setting;
    int (*chase)(const void* state, int seat);
    int actions;
    size_t state_size;
    void (*look)(const agon_rules* rules, const setting* setting, const ply_seen* ply);
};

static void watch_game(const watch* w, const agon_rules* rules, bool chased) {
    uint64_t state[16], before[16];
    rules->game->init(rules->config, state);
    for (uint64_t who; (who = acting(rules, state)) != 0;) {
        ply_seen ply = {.before = before, .after = state, .chance = who == AGON_CHANCE};
        for (int seat = 0; seat < 2; seat++)
            ply.action[seat] = (uint16_t)(chased ? w->chase(state, seat) : any(0, w->actions - 1));
        if (ply.chance)
            ply.action[0] = ply.action[1] = (uint16_t)any(0, 2 * w->setting->serves - 1);
        memcpy(before, state, rules->spec.state_size);
        play(rules, state, ply.action[0], ply.action[1], ply.reward);
        w->look(rules, w->setting, &ply);
    }
}

/* Shows `games` games of every setting, each other one between chasing players. */
static void watch_all(watch w, const setting* settings, int games) {
    for (int i = 0; i < 5; i++) {
        agon_rules* rules = open_game(settings[i].string, w.state_size);
        w.setting = &settings[i];
        for (int game = 0; game < games; game++)
            watch_game(&w, rules, game & 1);
        agon_rules_close(rules);
    }
}

static const watch pong_watch = {
    .chase = pong_chase, .actions = 3, .state_size = sizeof(pong_state)};
static const watch slime_watch = {
    .chase = slime_chase, .actions = 6, .state_size = sizeof(slime_state)};

/* ---- the second implementation: pong -------------------------------------------------------- */

enum { LINE = 24 * 1024, WALL = 6 * 1024 };

static void pong_paddles(pong_state* s, const setting* p, const uint16_t* action) {
    for (int seat = 0; seat < 2; seat++) {
        const int half = p->paddle * 512, goal = s->paddle[seat] + (action[seat] == 1 ? 256 : 0) -
                                                 (action[seat] == 2 ? 256 : 0);
        const int stays = (int)clip(goal, half - WALL, WALL - half);
        s->way[seat] += (uint32_t)abs(stays - s->paddle[seat]);
        s->paddle[seat] = stays;
    }
}

/* Returns the seat that gets a point, or -1. */
static int pong_ball(pong_state* s, const setting* p) {
    const int room = s->vx < 0 ? LINE + s->x : LINE - s->x, speed = abs(s->vx);
    const int far = (int)least(room, speed), seat = s->vx < 0 ? 0 : 1;
    s->x += s->vx < 0 ? -far : far;
    s->y += (int)chop((wide)s->vy * far, speed);
    while (abs(s->y) > WALL) {
        s->y = (s->y > 0 ? 2 * WALL : -2 * WALL) - s->y;
        s->vy = -s->vy;
    }
    if (room > speed)
        return -1;
    const int low = s->paddle[seat] - p->paddle * 512, high = s->paddle[seat] + p->paddle * 512;
    if (s->y < low || s->y > high)
        return 1 - seat;
    const int back = (int)least(speed + 128, 2048);
    s->vx = seat == 0 ? back : -back;
    s->vy = (int)chop((wide)back * (s->y - s->paddle[seat]), p->paddle * 1024);
    s->touches[seat]++;
    s->off_middle[seat] += (uint32_t)abs(s->y - s->paddle[seat]);
    s->rally++;
    return -1;
}

static void pong_second(pong_state* s, const setting* p, const uint16_t* action, float* reward) {
    int winner = -1;
    if (s->phase == SERVES) {
        s->vx = action[0] % 2 ? 768 : -768;
        s->vy = (int)chop((wide)768 * (2 * (action[0] / 2) + 1 - p->serves), 2 * p->serves);
        s->rallies++;
        s->phase = PLAYS;
        return;
    }
    for (int tick = 0; tick < p->skip && winner < 0; tick++) {
        pong_paddles(s, p, action);
        winner = pong_ball(s, p);
        s->ticks++;
    }
    s->plies++;
    if (winner >= 0) {
        reward[winner] += 1;
        reward[!winner] -= 1;
        s->points[winner]++;
        s->longest = (uint32_t)clip(s->rally, s->longest, 1 << 30);
        s->x = s->y = s->vx = s->vy = s->paddle[0] = s->paddle[1] = 0;
        s->rally = 0;
        s->phase = s->points[winner] < p->points ? SERVES : OVER;
    }
    if ((int)s->plies >= p->horizon)
        s->phase = OVER;
}

static void pong_same(const agon_rules* rules, const setting* p, const ply_seen* ply) {
    pong_state s;
    float reward[2] = {0};
    memcpy(&s, ply->before, sizeof s);
    pong_second(&s, p, ply->action, reward);
    assert_memory_equal(&s, ply->after, sizeof s);
    assert_memory_equal(reward, ply->reward, sizeof reward);
    assert_true(acting(rules, &s) == (s.phase == OVER ? 0 : s.phase == PLAYS ? 3 : AGON_CHANCE));
}

/* Promise: whole games of pong are played as the second implementation plays them. */
static void test_pong_is_its_rules(void** unused) {
    watch w = pong_watch;
    w.look = pong_same;
    watch_all(w, pong_settings, 300);
}

static pong_state pong_anywhere(const setting* p) {
    const int half = p->paddle * 512;
    pong_state s = {.phase = PLAYS, .rallies = 1};
    s.x = any(-LINE, LINE);
    s.y = any(-WALL, WALL);
    s.vx = any(0, 1) ? any(768, 2048) : -any(768, 2048);
    s.vy = any(-1024, 1024);
    if (s.x == LINE || s.x == -LINE)
        s.vx = s.x > 0 ? -768 : 768;
    for (int seat = 0; seat < 2; seat++)
        s.paddle[seat] = any(half - WALL, WALL - half);
    return s;
}

/* Promise: so are single plies from any place, velocity and paddles there may be. */
static void test_pong_from_anywhere(void** unused) {
    for (int i = 0; i < 5; i++) {
        const setting* p = &pong_settings[i];
        agon_rules* rules = open_game(p->string, sizeof(pong_state));
        for (int trial = 0; trial < 100000; trial++) {
            const pong_state before = pong_anywhere(p);
            pong_state after = before;
            ply_seen ply = {.before = &before, .after = &after};
            ply.action[0] = (uint16_t)any(0, 2);
            ply.action[1] = (uint16_t)any(0, 2);
            play(rules, &after, ply.action[0], ply.action[1], ply.reward);
            pong_same(rules, p, &ply);
        }
        agon_rules_close(rules);
    }
}

/* ---- the second implementation: slime_volley ------------------------------------------------ */

enum { BALL_WALL = 23 * 512, POST = 2048, NEAR_NET = 1024, TOUCH = 2048 };

typedef struct disc {
    long x, y, vx, vy; /* left is negative */
} disc;

static disc slime_step(slime_state* s, int seat, int action) {
    const int x = s->slime_x[seat], y = s->slime_y[seat];
    const int wish = action % 3 == 1 ? x - 384 : action % 3 == 2 ? x + 384 : x;
    bool flies = y > 0;
    if (y == 0 && action >= 3) {
        s->slime_up[seat] = 460;
        s->jumps[seat]++;
        flies = true;
    }
    s->slime_x[seat] = (int)clip(wish, 2048, 21 * 512);
    if (flies) {
        s->slime_y[seat] += (s->slime_up[seat] + (s->slime_up[seat] - 32)) / 2;
        s->slime_up[seat] -= 32;
    }
    if (s->slime_y[seat] <= 0)
        s->slime_y[seat] = s->slime_up[seat] = 0;
    s->way[seat] += (uint32_t)abs(s->slime_x[seat] - x);
    const int side = seat == 0 ? -1 : 1;
    return (disc){side * s->slime_x[seat], s->slime_y[seat], side * (s->slime_x[seat] - x),
                  s->slime_y[seat] - y};
}

static long root_below(wide square) {
    long root = (long)sqrt((double)square);
    while ((wide)root * root > square)
        root--;
    while ((wide)(root + 1) * (root + 1) <= square)
        root++;
    return root;
}

/* Whether the ball was reflected by the disc, from which it has been pushed away. */
static bool disc_meets(slime_state* s, const disc* d, long touch) {
    const long dx = s->x - d->x;
    const long dy = s->x == d->x && s->y == d->y ? 1 : s->y - d->y;
    const wide square = (wide)dx * dx + (wide)dy * dy;
    if (square >= (wide)touch * touch)
        return false;
    const wide along = (wide)(s->vx - d->vx) * dx + (wide)(s->vy - d->vy) * dy;
    const long root = root_below(square);
    s->x = (int)(d->x + chop((wide)dx * touch, root));
    s->y = (int)(d->y + chop((wide)dy * touch, root));
    if (along < 0) {
        s->vx = (int)clip(s->vx - chop(2 * along * dx, square), -614, 614);
        s->vy = (int)clip(s->vy - chop(2 * along * dy, square), -768, 768);
    }
    return along < 0;
}

/* `right`: the half that the ball came from. */
static void net_meets(slime_state* s, bool right) {
    const disc top = {0, POST, 0, 0};
    if (s->y > POST) {
        disc_meets(s, &top, NEAR_NET);
    } else if (right && s->x < NEAR_NET) {
        s->x = NEAR_NET;
        s->vx = abs(s->vx);
    } else if (!right && s->x > -NEAR_NET) {
        s->x = -NEAR_NET;
        s->vx = -abs(s->vx);
    }
}

static void walls_meet(slime_state* s) {
    if (s->x < -BALL_WALL) {
        s->x = -BALL_WALL;
        s->vx = abs(s->vx);
    }
    if (s->x > BALL_WALL) {
        s->x = BALL_WALL;
        s->vx = -abs(s->vx);
    }
    if (s->y > BALL_WALL) {
        s->y = BALL_WALL;
        s->vy = -abs(s->vy);
    }
}

/* Returns the seat that gets a point, or -1. */
static int slime_second_tick(slime_state* s, const uint16_t* action) {
    const disc slime[2] = {slime_step(s, 0, action[0]), slime_step(s, 1, action[1])};
    const int old_x = s->x, old_vy = s->vy;
    s->vy = (int)clip(old_vy - 32, -768, 768);
    s->x += s->vx;
    s->y += (int)chop(old_vy + s->vy, 2);
    const bool right = old_x == 0 || s->y > POST ? s->x > 0 : old_x > 0;
    for (int seat = 0; seat < 2; seat++) {
        if (disc_meets(s, &slime[seat], TOUCH)) {
            s->touches[seat]++;
            s->rally++;
        }
    }
    net_meets(s, right);
    walls_meet(s);
    s->ticks++;
    return s->y > 512 ? -1 : s->x < 0 ? 1 : 0;
}

static void slime_home(slime_state* s) {
    s->x = s->vx = s->vy = 0;
    s->y = 6 * 1024;
    for (int seat = 0; seat < 2; seat++) {
        s->slime_x[seat] = 6 * 1024;
        s->slime_y[seat] = s->slime_up[seat] = 0;
    }
}

static void slime_second(slime_state* s, const setting* p, const uint16_t* action, float* reward) {
    int winner = -1;
    if (s->phase == SERVES) {
        const int speed = (int)chop((wide)410 * (action[0] / 2 + 1), p->serves);
        s->vx = action[0] % 2 ? speed : -speed;
        s->vy = 307;
        s->rallies++;
        s->phase = PLAYS;
        return;
    }
    for (int tick = 0; tick < p->skip && winner < 0; tick++)
        winner = slime_second_tick(s, action);
    s->plies++;
    if (winner >= 0) {
        reward[winner] += 1;
        reward[!winner] -= 1;
        s->points[winner]++;
        s->longest = (uint32_t)clip(s->rally, s->longest, 1 << 30);
        s->rally = 0;
        slime_home(s);
        s->phase = s->points[winner] < p->points ? SERVES : OVER;
    }
    if ((int)s->plies >= p->horizon)
        s->phase = OVER;
}

static void slime_same(const agon_rules* rules, const setting* p, const ply_seen* ply) {
    slime_state s;
    float reward[2] = {0};
    memcpy(&s, ply->before, sizeof s);
    slime_second(&s, p, ply->action, reward);
    assert_memory_equal(&s, ply->after, sizeof s);
    assert_memory_equal(reward, ply->reward, sizeof reward);
    assert_true(acting(rules, &s) == (s.phase == OVER ? 0 : s.phase == PLAYS ? 3 : AGON_CHANCE));
}

/* Promise: whole games of slime_volley are played as the second implementation plays them. */
static void test_slime_is_its_rules(void** unused) {
    watch w = slime_watch;
    w.look = slime_same;
    watch_all(w, slime_settings, 300);
}

/* Whether the ball is where it may be, up to two units of rounding at the net's top. */
static bool beside_net(const slime_state* s) {
    const long above = s->y - POST;
    if (s->y <= POST)
        return abs(s->x) >= NEAR_NET;
    return (wide)s->x * s->x + (wide)above * above >= (NEAR_NET - 2) * (NEAR_NET - 2);
}

/* The ball may even be inside a slime, as when one presses it against a wall. */
static slime_state slime_anywhere(void) {
    slime_state s = {.phase = PLAYS, .rallies = 1};
    for (int seat = 0; seat < 2; seat++) {
        s.slime_x[seat] = any(2048, 21 * 512);
        s.slime_y[seat] = any(0, 1) ? 0 : any(0, 3400);
        s.slime_up[seat] = s.slime_y[seat] ? any(-490, 428) : 0;
    }
    do {
        s.x = any(-BALL_WALL, BALL_WALL);
        s.y = any(0, 2) ? any(513, 5000) : any(513, BALL_WALL);
    } while (!beside_net(&s));
    s.vx = any(-614, 614);
    s.vy = any(-768, 768);
    return s;
}

/* Promise: so are single plies from any place and velocity of ball and slimes. */
static void test_slime_from_anywhere(void** unused) {
    for (int i = 0; i < 5; i++) {
        const setting* p = &slime_settings[i];
        agon_rules* rules = open_game(p->string, sizeof(slime_state));
        for (int trial = 0; trial < 100000; trial++) {
            const slime_state before = slime_anywhere();
            slime_state after = before;
            ply_seen ply = {.before = &before, .after = &after};
            ply.action[0] = (uint16_t)any(0, 5);
            ply.action[1] = (uint16_t)any(0, 5);
            play(rules, &after, ply.action[0], ply.action[1], ply.reward);
            slime_same(rules, p, &ply);
        }
        agon_rules_close(rules);
    }
}

/* ---- left and right ------------------------------------------------------------------------- */

static void exchange(void* pair, size_t half) {
    uint8_t keep[8], *bytes = (uint8_t*)pair;
    memcpy(keep, bytes, half);
    memcpy(bytes, bytes + half, half);
    memcpy(bytes + half, keep, half);
}

static void mirror_pong(void* state) {
    pong_state* s = (pong_state*)state;
    s->x = -s->x;
    s->vx = -s->vx;
    exchange(s->paddle, sizeof *s->paddle);
    exchange(s->touches, sizeof *s->touches);
    exchange(s->off_middle, sizeof *s->off_middle);
    exchange(s->way, sizeof *s->way);
    exchange(s->points, sizeof *s->points);
}

static void mirror_slime(void* state) {
    slime_state* s = (slime_state*)state;
    s->x = -s->x;
    s->vx = -s->vx;
    exchange(s->slime_x, sizeof *s->slime_x);
    exchange(s->slime_y, sizeof *s->slime_y);
    exchange(s->slime_up, sizeof *s->slime_up);
    exchange(s->touches, sizeof *s->touches);
    exchange(s->jumps, sizeof *s->jumps);
    exchange(s->way, sizeof *s->way);
    exchange(s->points, sizeof *s->points);
}

/* The ply played in the mirror: the other seat's actions, the outcome of the other side. */
static void check_mirror(const agon_rules* rules, const ply_seen* ply, void (*mirror)(void*)) {
    uint64_t state[16], image[16];
    float reward[2] = {0};
    memcpy(state, ply->before, rules->spec.state_size);
    memcpy(image, ply->after, rules->spec.state_size);
    mirror(state);
    mirror(image);
    if (ply->chance)
        play(rules, state, ply->action[0] ^ 1, 0, reward);
    else
        play(rules, state, ply->action[1], ply->action[0], reward);
    assert_memory_equal(state, image, rules->spec.state_size);
    assert_true(reward[0] == ply->reward[1] && reward[1] == ply->reward[0]);
    if (acting(rules, state) != 3)
        return;
    for (int seat = 0; seat < 2; seat++) {
        float seen[2][16];
        rules->game->observe(rules->config, ply->after, seat, seen[0]);
        rules->game->observe(rules->config, state, 1 - seat, seen[1]);
        assert_memory_equal(seen[0], seen[1], rules->obs_bytes);
    }
}

static void look_pong_mirror(const agon_rules* rules, const setting* p, const ply_seen* ply) {
    check_mirror(rules, ply, mirror_pong);
}

static void look_slime_mirror(const agon_rules* rules, const setting* p, const ply_seen* ply) {
    check_mirror(rules, ply, mirror_slime);
}

/* Promise: the mirror image of every ply is the ply of the mirror image: state, rewards, what the
 * seats see. */
static void test_mirrors(void** unused) {
    watch pong = pong_watch, slime = slime_watch;
    pong.look = look_pong_mirror;
    slime.look = look_slime_mirror;
    watch_all(pong, pong_settings, 200);
    watch_all(slime, slime_settings, 200);
}

/* ---- physics -------------------------------------------------------------------------------- */

static void look_pong_physics(const agon_rules* rules, const setting* p, const ply_seen* ply) {
    const pong_state* a = (const pong_state*)ply->before;
    const pong_state* b = (const pong_state*)ply->after;
    const bool back = b->vx > 0 ? a->vx < 0 : a->vx > 0, scored = ply->reward[0] != 0;
    if (ply->chance)
        return;
    assert_in_range(abs(b->x), 0, LINE);
    assert_in_range(abs(b->y), 0, WALL);
    assert_true(scored ? b->vx == 0 : abs(b->vx) >= 768 && abs(b->vx) <= 2048);
    assert_true(2 * abs(b->vy) <= (abs(b->vx) > 768 ? abs(b->vx) : 768));
    for (int seat = 0; seat < 2; seat++)
        assert_in_range(abs(b->paddle[seat]), 0, WALL - p->paddle * 512);
    if (p->skip > 1 || scored)
        return;
    /* A ball turns on the line, at a paddle, and nowhere else. */
    const int seat = b->x > 0;
    assert_int_equal(back, abs(b->x) == LINE);
    assert_int_equal(back, b->rally - a->rally);
    assert_true(!back || abs(b->y - b->paddle[seat]) <= p->paddle * 512);
    assert_true(back || abs(b->x - a->x) == abs(a->vx));
}

/* Twice the energy. */
static int64_t energy(const slime_state* s) {
    return (int64_t)s->vx * s->vx + (int64_t)s->vy * s->vy + 64 * (int64_t)s->y;
}

/* Whether the ball goes from a to b past the net, not through it: its way crosses the middle above
 * the post. */
static bool passes_above(const slime_state* a, const slime_state* b) {
    const wide span = b->x - a->x; /* y = (ya * xb - yb * xa) / span at x = 0 */
    const wide above = (wide)a->y * b->x - (wide)b->y * a->x - POST * span;
    return span > 0 ? above > 0 : above < 0;
}

static void look_slime_physics(const agon_rules* rules, const setting* p, const ply_seen* ply) {
    const slime_state* a = (const slime_state*)ply->before;
    const slime_state* b = (const slime_state*)ply->after;
    assert_in_range(abs(b->x), 0, BALL_WALL);
    assert_in_range(b->y, 513, BALL_WALL);
    assert_in_range(abs(b->vx), 0, 614);
    assert_in_range(abs(b->vy), 0, 768);
    assert_true(beside_net(b));
    for (int seat = 0; seat < 2; seat++) {
        assert_in_range(b->slime_x[seat], 2048, 21 * 512);
        assert_in_range(b->slime_y[seat], 0,
                        3306); /* 460 n - 16 n^2 at n = 14, as below 460 ^ 2 / 64 */
        assert_true(b->slime_y[seat] > 0 || b->slime_up[seat] == 0);
    }
    if (p->skip > 1 || ply->chance || ply->reward[0] != 0)
        return;
    if ((a->x < 0) != (b->x < 0) && a->x != 0 && b->x != 0)
        assert_true(passes_above(a, b));
    if (b->vx == a->vx && b->vy == a->vy - 32 && b->x == a->x + a->vx)
        assert_true(energy(a) == energy(b));
    const slime_state fallen = {.vx = a->vx, .vy = (int32_t)clip(a->vy - 32, -768, 768)};
    if (b->rally == a->rally) /* net, walls and ceiling: but for rounding of two parts */
        assert_true(energy(b) - 64 * (int64_t)b->y <=
                    energy(&fallen) + 2 * (abs(b->vx) + abs(b->vy)) + 2);
}

/* Promise: the ball stays in the court, turns at a paddle or passes above the net, keeps to its
 * bounds of speed, and in flight to its energy. */
static void test_physics(void** unused) {
    watch pong = pong_watch, slime = slime_watch;
    pong.look = look_pong_physics;
    slime.look = look_slime_physics;
    watch_all(pong, pong_settings, 300);
    watch_all(slime, slime_settings, 300);
}

/* ---- by hand: pong -------------------------------------------------------------------------- */

/* Promise: a straight serve takes 32 ticks of 3/4 cell, comes back at 7/8, and is on the other line
 * 55 ticks later. */
static void test_pong_straight_serve(void** unused) {
    agon_rules* rules = open_game("pong(serves=1,skip=1)", sizeof(pong_state));
    pong_state s;
    float reward[2] = {0};
    serve(rules, &s, 0);
    assert_true(s.vx == -768 && s.vy == 0);
    for (int tick = 0; tick < 31; tick++)
        play(rules, &s, 0, 0, reward);
    assert_true(s.x == -31 * 768 && s.vx == -768 && s.touches[0] == 0);
    play(rules, &s, 0, 0, reward);
    assert_true(s.x == -LINE && s.vx == 896 && s.vy == 0 && s.touches[0] == 1 && s.rally == 1);
    for (int tick = 0; tick < 55; tick++)
        play(rules, &s, 0, 0, reward);
    assert_true(s.x == LINE && s.vx == -1024 && s.touches[1] == 1 && s.ticks == 87);
    assert_true(reward[0] == 0 && reward[1] == 0);
    agon_rules_close(rules);
}

/* Promise: outcomes are side and slope: 63 / 128 of 768 is the steepest of 64 serves. */
static void test_pong_serves(void** unused) {
    agon_rules* rules = open_game("pong(serves=64)", sizeof(pong_state));
    pong_state s;
    double prob[128];
    rules->game->init(rules->config, &s);
    assert_int_equal(rules->game->chance(rules->config, &s, prob), 128);
    assert_true(prob[0] == 1.0 / 128 && prob[127] == 1.0 / 128);
    serve(rules, &s, 0);
    assert_true(s.vx == -768 && s.vy == -378);
    serve(rules, &s, 127);
    assert_true(s.vx == 768 && s.vy == 378);
    serve(rules, &s, 65);
    assert_true(s.vx == 768 && s.vy == 6);
    agon_rules_close(rules);
}

/* Promise: a wall reflects: 17 ticks down at 378 are 282 beyond it, so 282 above. */
static void test_pong_wall(void** unused) {
    agon_rules* rules = open_game("pong(serves=64,skip=1)", sizeof(pong_state));
    pong_state s;
    float reward[2] = {0};
    serve(rules, &s, 0);
    for (int tick = 0; tick < 17; tick++)
        play(rules, &s, 0, 0, reward);
    assert_true(s.y == -6144 + 282 && s.vy == 378 && s.x == -17 * 768);
    agon_rules_close(rules);
}

/* Promise: what a paddle's end makes of the ball, and what goes past it by one unit. */
static void test_pong_ends_of_paddle(void** unused) {
    agon_rules* rules = open_game("pong(skip=1)", sizeof(pong_state));
    for (int beyond = 0; beyond <= 1; beyond++) {
        pong_state s = {.x = LINE - 100,
                        .y = 2536 + beyond,
                        .vx = 800,
                        .phase = PLAYS,
                        .paddle = {0, 1000},
                        .rallies = 1};
        float reward[2] = {0};
        play(rules, &s, 0, 0, reward);
        assert_true(s.vx == (beyond ? 0 : -928) && s.vy == (beyond ? 0 : 464));
        assert_true(reward[0] == (float)beyond && reward[1] == -(float)beyond);
        assert_true(s.points[0] == beyond && s.phase == (beyond ? SERVES : PLAYS));
    }
    agon_rules_close(rules);
}

/* Promise: a ply ends with the point, the game with the last one; skip counts ticks. */
static void test_pong_ends(void** unused) {
    agon_rules* rules = open_game("pong(points=2,serves=1,skip=7)", sizeof(pong_state));
    pong_state s;
    float reward[2] = {0};
    serve(rules, &s, 0);
    for (int ply = 0; ply < 5; ply++)
        play(rules, &s, 1, 0, reward); /* seat 0 goes up and away */
    assert_true(s.ticks == 32 && s.plies == 5 && s.paddle[0] == 0 && s.x == 0);
    assert_true(reward[0] == -1 && reward[1] == 1 && acting(rules, &s) == AGON_CHANCE);
    play(rules, &s, 0, 0, reward);
    for (int ply = 0; ply < 5; ply++)
        play(rules, &s, 2, 0, reward);
    assert_true(reward[0] == -2 && reward[1] == 2 && acting(rules, &s) == 0 && s.rallies == 2);
    agon_rules_close(rules);
    rules = open_game("pong(horizon=3)", sizeof(pong_state));
    serve(rules, &s, 5);
    for (int ply = 0; ply < 3; ply++) {
        assert_int_equal(acting(rules, &s), 3);
        play(rules, &s, 0, 0, reward);
    }
    assert_true(acting(rules, &s) == 0 && s.ticks == 12 && reward[0] == -2);
    agon_rules_close(rules);
}

/* ---- by hand: slime_volley ------------------------------------------------------------------ */

/* Promise: a serve is the parabola 6144 + 307 n - 16 n^2. The floor ends the rally, a point for the
 * other seat. */
static void test_slime_serve(void** unused) {
    agon_rules* rules = open_game("slime_volley(points=1,skip=1)", sizeof(slime_state));
    slime_state s;
    float reward[2] = {0};
    serve(rules, &s, 7); /* speed 410 * 4 / 8, to the right */
    assert_true(s.vx == 205 && s.vy == 307);
    for (int n = 1; n <= 28; n++) {
        play(rules, &s, 0, 2, reward); /* seat 1 runs away */
        assert_true(s.x == 205 * n && s.y == 6144 + 307 * n - 16 * n * n && s.vy == 307 - 32 * n);
    }
    assert_true(s.y == 2196 && s.slime_x[1] == 21 * 512);
    while (acting(rules, &s))
        play(rules, &s, 0, 2, reward);
    assert_true(reward[0] == 1 && reward[1] == -1 && s.points[0] == 1 && s.rally == 0);
    assert_true(s.ticks == 31); /* n = 30 is 954 high, 31 is 285, and the ball is 512 */
    agon_rules_close(rules);
}

/* Promise: a jump is 460 n - 16 n^2 high and over with n = 29. */
static void test_slime_jump(void** unused) {
    agon_rules* rules = open_game("slime_volley(skip=1)", sizeof(slime_state));
    slime_state s;
    float reward[2] = {0};
    serve(rules, &s, 0);
    s.y = 10000; /* so that the ball is not in the way */
    for (int n = 1; n <= 28; n++) {
        play(rules, &s, 0, n == 1 ? 3 : 0, reward);
        assert_true(s.slime_y[1] == 460 * n - 16 * n * n && s.slime_up[1] == 460 - 32 * n);
    }
    play(rules, &s, 0, 0, reward);
    assert_true(s.slime_y[1] == 0 && s.slime_up[1] == 0 && s.jumps[1] == 1 && s.jumps[0] == 0);
    agon_rules_close(rules);
}

/* One tick with both slimes standing. */
static slime_state after_tick(const agon_rules* rules, int x, int y, int vx, int vy) {
    slime_state s = {.x = x, .y = y, .vx = vx, .vy = vy, .phase = PLAYS, .rallies = 1};
    float reward[2] = {0};
    s.slime_x[0] = s.slime_x[1] = 6144;
    play(rules, &s, 0, 0, reward);
    return s;
}

/* Promise: slime, net, wall and ceiling reflect as mirrors do. */
static void test_slime_bounces(void** unused) {
    agon_rules* rules = open_game("slime_volley(skip=1)", sizeof(slime_state));
    slime_state s = after_tick(rules, -6144, 2500, 0, -500); /* on top of seat 0 */
    assert_true(s.y == 2048 && s.vy == 532 && s.vx == 0 && s.touches[0] == 1);
    s = after_tick(rules, -6144, 2548, 0, -484); /* as near as two discs are without a push */
    assert_true(s.y == 2048 && s.vy == -516 && s.touches[0] == 0);
    s = after_tick(rules, -6144, 2000, 0, 32); /* inside, and coming no nearer */
    assert_true(s.y == 2048 && s.vy == 0 && s.touches[0] == 0);
    s = after_tick(rules, 6144 + 1460, 1900, -60, -484); /* at 45 degrees, 1980 away */
    assert_true(s.touches[1] == 1 && s.vx == 516 && s.vy == 60);
    assert_true(s.x == 6144 + 1448 && s.y == 1448);
    s = after_tick(rules, -1300, 1500, 500, 0); /* beside the net */
    assert_true(s.x == -1024 && s.vx == -500 && s.vy == -32 && s.y == 1484);
    s = after_tick(rules, 1300, 1500, -500, 0);
    assert_true(s.x == 1024 && s.vx == 500);
    s = after_tick(rules, 0, 3200, 0, -300); /* on the middle of its top */
    assert_true(s.x == 0 && s.y == 3072 && s.vx == 0 && s.vy == 332);
    s = after_tick(rules, -BALL_WALL + 10, 6000, -600, 100);
    assert_true(s.x == -BALL_WALL && s.vx == 600 && s.vy == 68);
    s = after_tick(rules, 5000, BALL_WALL - 10, 0, 400);
    assert_true(s.y == BALL_WALL && s.vy == -368);
    s = after_tick(rules, 5000, 9000, 614, -760); /* no faster than 768 */
    assert_true(s.vy == -768 && s.y == 9000 - 764);
    agon_rules_close(rules);
}

/* Promise: a slime that moves into the ball gives it twice its own speed along the line of centres.
 */
static void test_slime_hits(void** unused) {
    agon_rules* rules = open_game("slime_volley(skip=1)", sizeof(slime_state));
    slime_state s = {.x = -6144, .y = 2300, .vy = 32, .phase = PLAYS, .rallies = 1};
    float reward[2] = {0};
    s.slime_x[0] = s.slime_x[1] = 6144;
    play(rules, &s, 3, 0, reward); /* 0 then, at 2316; the slime has risen by 444 */
    assert_true(s.vy == 768 && s.y == 2048 + 444 && s.touches[0] == 1 && s.jumps[0] == 1);
    agon_rules_close(rules);
}

/* Promise: after `horizon` plies nothing more is played, whoever leads. */
static void test_slime_horizon(void** unused) {
    agon_rules* rules = open_game("slime_volley(horizon=2,skip=5)", sizeof(slime_state));
    slime_state s;
    float reward[2] = {0};
    serve(rules, &s, 0);
    play(rules, &s, 0, 0, reward);
    assert_int_equal(acting(rules, &s), 3);
    play(rules, &s, 0, 0, reward);
    assert_true(acting(rules, &s) == 0 && s.ticks == 10 && reward[0] == 0 && reward[1] == 0);
    agon_rules_close(rules);
}

/* ---- what seats and readers get ------------------------------------------------------------- */

static bool close_to(float value, double expected) {
    return fabs((double)value - expected) < 1e-6;
}

/* Promise: everybody sees the position as it is, oneself first and one's own side first. */
static void test_observations(void** unused) {
    agon_rules* rules = open_game("pong(points=4,horizon=10)", sizeof(pong_state));
    pong_state s = {.x = 12288,
                    .y = -3072,
                    .vx = 1024,
                    .vy = 512,
                    .paddle = {1536, -768},
                    .plies = 5,
                    .points = {1, 2},
                    .rallies = 4,
                    .phase = PLAYS};
    const double pong[2][9] = {{0.5, -0.5, 0.5, 0.5, 0.25, -0.125, 0.25, 0.5, 0.5},
                               {-0.5, -0.5, -0.5, 0.5, -0.125, 0.25, 0.5, 0.25, 0.5}};
    float seen[16];
    for (int seat = 0; seat < 2; seat++) {
        rules->game->observe(rules->config, &s, seat, seen);
        for (int i = 0; i < 9; i++)
            assert_true(close_to(seen[i], pong[seat][i]));
    }
    agon_rules_close(rules);
    rules = open_game("slime_volley(points=4,horizon=10)", sizeof(slime_state));
    slime_state v = {.x = -3072,
                     .y = 6144,
                     .vx = 512,
                     .vy = -256,
                     .slime_x = {6144, 3072},
                     .slime_y = {0, 1536},
                     .slime_up = {0, 128},
                     .plies = 5,
                     .points = {1, 2},
                     .rallies = 4,
                     .phase = PLAYS};
    const double slime[2][13] = {{.25, .5, -.5, -.25, .5, 0, 0, .25, .125, .125, .25, .5, .5},
                                 {-.25, .5, .5, -.25, .25, .125, .125, .5, 0, 0, .5, .25, .5}};
    for (int seat = 0; seat < 2; seat++) {
        rules->game->observe(rules->config, &v, seat, seen);
        for (int i = 0; i < 13; i++)
            assert_true(close_to(seen[i], slime[seat][i]));
    }
    agon_rules_close(rules);
}

/* Promise: features are per rally, hit and tick; stats are counts. */
static void test_features_and_stats(void** unused) {
    agon_rules* rules = open_game("pong", sizeof(pong_state));
    pong_state s = {.ticks = 100,
                    .touches = {6, 0},
                    .off_middle = {4608, 0},
                    .way = {51200, 0},
                    .rallies = 4,
                    .rally = 3,
                    .longest = 2,
                    .phase = OVER};
    float out[3];
    rules->game->features(rules->config, &s, 0, out);
    assert_true(close_to(out[0], 1.5) && close_to(out[1], 0.5) && close_to(out[2], 0.5));
    rules->game->features(rules->config, &s, 1, out);
    assert_true(out[0] == 0 && out[1] == 0 && out[2] == 0);
    rules->game->stats(rules->config, &s, out);
    assert_true(out[0] == 100 && out[1] == 4 && out[2] == 3);
    agon_rules_close(rules);
    rules = open_game("slime_volley", sizeof(slime_state));
    slime_state v = {.ticks = 100,
                     .touches = {0, 6},
                     .jumps = {0, 2},
                     .way = {0, 25600},
                     .rallies = 4,
                     .rally = 3,
                     .longest = 5,
                     .phase = OVER};
    rules->game->features(rules->config, &v, 1, out);
    assert_true(close_to(out[0], 1.5) && close_to(out[1], 0.5) && close_to(out[2], 0.25));
    rules->game->stats(rules->config, &v, out);
    assert_true(out[0] == 100 && out[1] == 4 && out[2] == 5);
    agon_rules_close(rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pong_is_its_rules),
        cmocka_unit_test(test_pong_from_anywhere),
        cmocka_unit_test(test_slime_is_its_rules),
        cmocka_unit_test(test_slime_from_anywhere),
        cmocka_unit_test(test_mirrors),
        cmocka_unit_test(test_physics),
        cmocka_unit_test(test_pong_straight_serve),
        cmocka_unit_test(test_pong_serves),
        cmocka_unit_test(test_pong_wall),
        cmocka_unit_test(test_pong_ends_of_paddle),
        cmocka_unit_test(test_pong_ends),
        cmocka_unit_test(test_slime_serve),
        cmocka_unit_test(test_slime_jump),
        cmocka_unit_test(test_slime_bounces),
        cmocka_unit_test(test_slime_hits),
        cmocka_unit_test(test_slime_horizon),
        cmocka_unit_test(test_observations),
        cmocka_unit_test(test_features_and_stats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
