/* SPDX-License-Identifier: 0BSD
 *
 * slime_volley: two slimes play volleyball, after the idea of slimevolleygym (David Ha, 2020);
 * these are rules of its own, in integers. Lengths are counted in 1/1024 of a cell, x from the
 * middle, y from the floor. The court is 24 cells wide and 12 high. The net is a post in its
 * middle, 1 cell wide and 2 high, with a round top of radius 1/2; the ball is a disc of radius 1/2;
 * a slime is a disc of radius 3/2 around a point that is on the floor or, after a jump, above it.
 * Seat 0 is on the left; seat 1 sees the court mirrored. Each slime stays between the net and its
 * own wall.
 *
 * One ply is up to `skip` ticks with the same actions: 0 stay, 1 towards the net, 2 away from it,
 * and 3, 4, 5 the same with a jump. In each tick
 *   1. both slimes move 3/8 cell at most; one that stands on the floor and is to jump gets the
 *      upward speed 460; the upward speed of whoever is not on the floor falls by 32;
 *   2. so does the ball's, then it moves by its velocity, which is kept within 614 across and 768
 *      up or down all the time. All moves upwards are the mean of the speeds before and after;
 *   3. the slime of the half that the ball is in, and then the net, push the ball out along the
 *      line of centres (the sides of the net: straight), and if the two were approaching, reflect
 *      its velocity, as seen from a slime, without loss;
 *   4. so do the walls and the ceiling.
 * All divisions are rounded towards 0, on either side of the net alike. If the ball is on the floor
 * then, the seat of that half has lost the rally: 1 for the other, -1 for itself, and the ply is
 * over.
 *
 * Then, as at the start, the slimes stand in the middle of their halves, and the ball is served by
 * chance from above the net: outcomes 2k towards seat 0, 2k + 1 towards seat 1, with the speed
 * 410 * (k + 1) / serves across and 307 upwards, k = 0 .. serves - 1, all equally likely. The game
 * ends when a seat has `points` points, or after `horizon` plies.
 *
 * The observation is single numbers, the position whole: the ball's place and velocity, place and
 * upward speed of oneself and of the other, points of both as shares of `points`, and the share of
 * plies left. Own and ball's x count from the net into one's own half, the other's into the other.
 */
#include "agon_game.h"

#define SLIME_CELL     1024
#define SLIME_BALL     (SLIME_CELL / 2)                       /* radius of the ball */
#define SLIME_WALL     (12 * SLIME_CELL - SLIME_BALL)         /* largest x of the ball */
#define SLIME_CEILING  (12 * SLIME_CELL - SLIME_BALL)         /* largest y of the ball */
#define SLIME_POST     (2 * SLIME_CELL)                       /* where the net's round top begins */
#define SLIME_NET      (SLIME_CELL / 2 + SLIME_BALL)          /* from the net to a touching ball */
#define SLIME_REACH    (3 * SLIME_CELL / 2 + SLIME_BALL)      /* from a slime to a touching ball */
#define SLIME_NEAR     (2 * SLIME_CELL)                       /* smallest x of a slime */
#define SLIME_FAR      (12 * SLIME_CELL - 3 * SLIME_CELL / 2) /* largest */
#define SLIME_HOME     (6 * SLIME_CELL)
#define SLIME_STEP     (3 * SLIME_CELL / 8)
#define SLIME_JUMP     460
#define SLIME_GRAVITY  32
#define SLIME_ACROSS   614 /* of the ball, as the next */
#define SLIME_UP       768
#define SLIME_SERVE_Y  (6 * SLIME_CELL)
#define SLIME_SERVE_X  410 /* fastest */
#define SLIME_SERVE_UP 307
#define SLIME_PLANES   13

enum { SLIME_SERVES, SLIME_PLAYS, SLIME_OVER };

typedef struct slime_body {
    int32_t x, y, vx, vy;
} slime_body;

typedef struct slime_volley {
    slime_body ball;
    int32_t x[2], y[2], up[2]; /* of the slimes: x from the net into the own half; upward speed */
    uint32_t plies, ticks;     /* so far */
    uint32_t touches[2], jumps[2]; /* so far */
    uint32_t way[2];               /* moved across so far */
    uint32_t rally, longest;       /* touches since the serve, and most of any rally */
    uint16_t points[2];
    uint16_t rallies; /* served so far */
    uint8_t phase;
    uint8_t unused;
} slime_volley;

typedef struct slime_volley_config {
    int points, horizon, skip, serves;
    float per_point, per_ply;
} slime_volley_config;

#define slime_volley_STATE             sizeof(slime_volley)
#define slime_volley_seats(config)     2
#define slime_volley_words(config)     1
#define slime_volley_obs_bytes(config) (SLIME_PLANES * sizeof(float))

static void slime_names(agon_spec* spec) {
    static const char* const planes[SLIME_PLANES] = {
        "ball_x",  "ball_y",  "ball_vx",  "ball_up",   "my_x",         "my_y",     "my_up",
        "their_x", "their_y", "their_up", "my_points", "their_points", "time_left"};
    static const char* const features[] = {"touches_per_rally", "jumps_per_rally",
                                           "cells_per_tick"};
    static const char* const stats[] = {"ticks", "rallies", "longest_rally"};
    spec->planes = SLIME_PLANES;
    for (int i = 0; i < SLIME_PLANES; i++)
        spec->plane_names[i] = planes[i];
    spec->features = spec->stats = 3;
    for (int i = 0; i < 3; i++) {
        spec->feature_names[i] = features[i];
        spec->stat_names[i] = stats[i];
    }
}

static int slime_volley_configure(agon_params* params, agon_spec* spec, void* config) {
    slime_volley_config* c = (slime_volley_config*)config;
    c->points = agon_param_int(params, "points", 5, 1, 100);
    c->horizon = agon_param_int(params, "horizon", 500, 1, 100000);
    c->skip = agon_param_int(params, "skip", 3, 1, 16);
    c->serves = agon_param_int(params, "serves", 8, 1, 64);
    c->per_point = 1 / (float)c->points;
    c->per_ply = 1 / (float)c->horizon;
    spec->seats = 2;
    spec->actions = 6;
    spec->chance_outcomes = 2 * c->serves;
    spec->simultaneous = 1;
    spec->seats_symmetric = 1;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = c->horizon;
    spec->return_max = (float)(c->points < c->horizon ? c->points : c->horizon);
    spec->return_min = -spec->return_max;
    spec->state_size = slime_volley_STATE;
    spec->rows = spec->cols = 1;
    spec->obs_type = AGON_F32;
    spec->symmetries = 1;
    slime_names(spec);
    return params->error[0] ? -1 : 0;
}

/* Everything but the counts, as a serve finds it. */
AGON_FN void slime_reset(slime_volley* s) {
    s->ball.x = s->ball.vx = s->ball.vy = 0;
    s->ball.y = SLIME_SERVE_Y;
    s->x[0] = s->x[1] = SLIME_HOME;
    s->y[0] = s->y[1] = s->up[0] = s->up[1] = 0;
    s->rally = 0;
}

AGON_FN void slime_volley_init(const void* config, void* state) {
    memset(state, 0, slime_volley_STATE);
    slime_reset((slime_volley*)state);
}

AGON_FN uint64_t slime_volley_acting(const void* config, const void* state) {
    const int phase = ((const slime_volley*)state)->phase;
    return phase == SLIME_PLAYS ? 3 : phase == SLIME_SERVES ? AGON_CHANCE : 0;
}

AGON_FN void slime_volley_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    mask[0] = 63;
}

AGON_FN int slime_serve(const slime_volley_config* c, slime_volley* s, int outcome) {
    const int speed = SLIME_SERVE_X * (outcome / 2 + 1) / c->serves;
    if (outcome >= 2 * c->serves)
        return -1;
    s->ball.vx = outcome & 1 ? speed : -speed;
    s->ball.vy = SLIME_SERVE_UP;
    s->rallies++;
    s->phase = SLIME_PLAYS;
    return 0;
}

AGON_FN int slime_within(int value, int low, int high) {
    return value < low ? low : value > high ? high : value;
}

/* A slime's part of a tick. Returns where it is then and what it moved, seen from the net. */
AGON_FN slime_body slime_move(slime_volley* s, int seat, int action) {
    const int jump = action > 2, across = jump ? action - 3 : action;
    const int step = ((across == 2) - (across == 1)) * SLIME_STEP;
    slime_body b;
    b.x = slime_within(s->x[seat] + step, SLIME_NEAR, SLIME_FAR);
    b.y = s->y[seat];
    const int leaves = jump & (b.y == 0), up = leaves ? SLIME_JUMP : s->up[seat];
    const int lands = b.y + up <= SLIME_GRAVITY / 2; /* or stands */
    b.y = lands ? 0 : b.y + up - SLIME_GRAVITY / 2;
    s->up[seat] = lands ? 0 : up - SLIME_GRAVITY;
    s->jumps[seat] += (uint32_t)leaves;
    b.vx = b.x - s->x[seat];
    b.vy = b.y - s->y[seat];
    s->way[seat] += (uint32_t)(b.vx < 0 ? -b.vx : b.vx);
    s->x[seat] = b.x;
    s->y[seat] = b.y;
    return b;
}

/* The root of a number below 2^24, rounded down. */
AGON_FN int slime_root(int square) {
    int root = 0;
    for (int bit = 1 << 11; bit; bit >>= 1) {
        if ((root + bit) * (root + bit) <= square)
            root += bit;
    }
    return root;
}

/* Pushes the ball out of a disc that it touches from `reach`, and reflects it if it came nearer.
 * Returns whether it did. */
AGON_FN int slime_bounce(slime_body* ball, const slime_body* disc, int reach) {
    const int dx = ball->x - disc->x;
    const int dy = ball->y - disc->y + (ball->y == disc->y && dx == 0);
    const int square = dx * dx + dy * dy;
    if (square >= reach * reach)
        return 0;
    const int root = slime_root(square);
    const int64_t nearer =
        (int64_t)(ball->vx - disc->vx) * dx + (int64_t)(ball->vy - disc->vy) * dy;
    ball->x = disc->x + dx * reach / root;
    ball->y = disc->y + dy * reach / root;
    if (nearer >= 0)
        return 0;
    ball->vx =
        slime_within(ball->vx - (int)(2 * nearer * dx / square), -SLIME_ACROSS, SLIME_ACROSS);
    ball->vy = slime_within(ball->vy - (int)(2 * nearer * dy / square), -SLIME_UP, SLIME_UP);
    return 1;
}

/* The net and what surrounds the court; x counts from the net. */
AGON_FN void slime_walls(slime_body* ball) {
    if (ball->y > SLIME_POST) {
        const slime_body top = {0, SLIME_POST, 0, 0};
        slime_bounce(ball, &top, SLIME_NET);
    } else if (ball->x < SLIME_NET) {
        ball->x = SLIME_NET;
        ball->vx = ball->vx < 0 ? -ball->vx : ball->vx;
    }
    if (ball->x > SLIME_WALL) {
        ball->x = SLIME_WALL;
        ball->vx = ball->vx > 0 ? -ball->vx : ball->vx;
    }
    if (ball->y > SLIME_CEILING) {
        ball->y = SLIME_CEILING;
        ball->vy = ball->vy > 0 ? -ball->vy : ball->vy;
    }
}

/* One tick. Returns -1, or the seat on whose floor the ball is. Collisions are computed in the half
 * that the ball is in, counted from the net, and so are the same for both seats. */
AGON_FN int slime_tick(slime_volley* s, const uint16_t* action) {
    const slime_body slime[2] = {slime_move(s, 0, action[0]), slime_move(s, 1, action[1])};
    const int up = slime_within(s->ball.vy - SLIME_GRAVITY, -SLIME_UP, SLIME_UP);
    const int x = s->ball.x + s->ball.vx, seat = x > 0, sign = seat ? 1 : -1;
    slime_body ball = {sign * x, s->ball.y + (s->ball.vy + up) / 2, sign * s->ball.vx, up};
    const int touched = slime_bounce(&ball, &slime[seat], SLIME_REACH);
    slime_walls(&ball);
    s->touches[seat] += (uint32_t)touched;
    s->rally += (uint32_t)touched;
    s->ticks++;
    s->ball.x = sign * ball.x;
    s->ball.vx = sign * ball.vx;
    s->ball.y = ball.y;
    s->ball.vy = ball.vy;
    return ball.y > SLIME_BALL ? -1 : seat;
}

AGON_FN void slime_score(const slime_volley_config* c, slime_volley* s, int seat, float* reward) {
    reward[seat] += 1;
    reward[1 - seat] -= 1;
    s->points[seat]++;
    s->phase = s->points[seat] == c->points ? SLIME_OVER : SLIME_SERVES;
    s->longest = s->rally > s->longest ? s->rally : s->longest;
    slime_reset(s);
}

AGON_FN int slime_volley_apply(const void* config, void* state, const uint16_t* action,
                               float* reward) {
    const slime_volley_config* c = (const slime_volley_config*)config;
    slime_volley* s = (slime_volley*)state;
    int lost = -1;
    if (s->phase == SLIME_SERVES)
        return slime_serve(c, s, action[0]);
    if (s->phase == SLIME_OVER || action[0] > 5 || action[1] > 5)
        return -1;
    for (int tick = 0; tick < c->skip && lost < 0; tick++)
        lost = slime_tick(s, action);
    s->plies++;
    if (lost >= 0)
        slime_score(c, s, 1 - lost, reward);
    if (s->plies == (uint32_t)c->horizon)
        s->phase = SLIME_OVER;
    return 0;
}

AGON_FN void slime_volley_observe(const void* config, const void* state, int seat, void* out) {
    const slime_volley_config* c = (const slime_volley_config*)config;
    const slime_volley* s = (const slime_volley*)state;
    const float length = 1.0f / (12 * SLIME_CELL), speed = 1.0f / SLIME_CELL;
    const int sign = seat ? 1 : -1, other = 1 - seat;
    float* plane = (float*)out;
    plane[0] = (float)(sign * s->ball.x) * length;
    plane[1] = (float)s->ball.y * length;
    plane[2] = (float)(sign * s->ball.vx) * speed;
    plane[3] = (float)s->ball.vy * speed;
    plane[4] = (float)s->x[seat] * length;
    plane[5] = (float)s->y[seat] * length;
    plane[6] = (float)s->up[seat] * speed;
    plane[7] = (float)s->x[other] * length;
    plane[8] = (float)s->y[other] * length;
    plane[9] = (float)s->up[other] * speed;
    plane[10] = (float)s->points[seat] * c->per_point;
    plane[11] = (float)s->points[other] * c->per_point;
    plane[12] = (float)((uint32_t)c->horizon - s->plies) * c->per_ply;
}

AGON_FN int slime_volley_chance(const void* config, const void* state, double* prob) {
    const int outcomes = 2 * ((const slime_volley_config*)config)->serves;
    for (int i = 0; i < outcomes; i++)
        prob[i] = 1.0 / outcomes;
    return outcomes;
}

/* ---- for people ----------------------------------------------------------------------------- */

/* Whether a point is within `radius` of another. */
static int slime_near(int dx, int dy, int radius) {
    return dx * dx + dy * dy <= radius * radius;
}

/* What stands in a row and column of the picture: two characters are a cell across, one is up. */
static char slime_cell(const slime_volley* s, int row, int col) {
    const int x = (2 * col + 1) * SLIME_CELL / 4 - 12 * SLIME_CELL; /* the middle of the cell */
    const int y = 12 * SLIME_CELL - SLIME_CELL / 2 - row * SLIME_CELL;
    const int ball_row = 11 - (s->ball.y - 1) / SLIME_CELL;
    const int left = x - s->ball.x;
    if (row == ball_row && left > -SLIME_CELL / 2 && left <= SLIME_CELL / 2)
        return left <= 0 ? '(' : ')';
    for (int seat = 0; seat < 2; seat++) {
        const int dx = x - (seat ? s->x[1] : -s->x[0]), dy = y - s->y[seat];
        if (dy > 0 && slime_near(dx, dy, 3 * SLIME_CELL / 2 + SLIME_CELL / 8))
            return (char)('A' + seat);
    }
    return (x < 0 ? -x : x) < SLIME_CELL / 2 && y < SLIME_POST + SLIME_CELL / 2 ? '|' : ' ';
}

static int slime_volley_text(const void* config, const void* state, char* out, size_t size) {
    static const char line[] = "+------------------------------------------------+";
    const slime_volley_config* c = (const slime_volley_config*)config;
    const slime_volley* s = (const slime_volley*)state;
    char court[12 * 51 + 1];
    int n = 0;
    for (int row = 0; row < 12; row++) {
        court[n++] = '|';
        for (int col = 0; col < 48; col++)
            court[n++] = slime_cell(s, row, col);
        court[n++] = '|';
        court[n++] = '\n';
    }
    court[n] = '\0';
    return snprintf(out, size, "%s\n%s%s\n%d : %d, %d plies left%s\n", line, court, line,
                    s->points[0], s->points[1], c->horizon - (int)s->plies,
                    s->phase == SLIME_SERVES ? ", a serve is next" : "");
}

/* Directions in the court as `text` shows it. */
static int slime_volley_action_name(const void* config, const void* state, int seat, int action,
                                    char* out, size_t size) {
    static const char* const names[2][6] = {
        {"stay", "right", "left", "jump", "jump_right", "jump_left"},
        {"stay", "left", "right", "jump", "jump_left", "jump_right"}};
    if (seat < 0)
        return snprintf(out, size, "%s_%d", action & 1 ? "right" : "left", action / 2);
    return snprintf(out, size, "%s", names[seat][action]);
}

static void slime_volley_features(const void* config, const void* state, int seat, float* out) {
    const slime_volley* s = (const slime_volley*)state;
    out[0] = (float)s->touches[seat] / (float)s->rallies;
    out[1] = (float)s->jumps[seat] / (float)s->rallies;
    out[2] = (float)s->way[seat] / ((float)s->ticks * SLIME_CELL);
}

static void slime_volley_stats(const void* config, const void* state, float* out) {
    const slime_volley* s = (const slime_volley*)state;
    out[0] = (float)s->ticks;
    out[1] = (float)s->rallies;
    out[2] = (float)(s->rally > s->longest ? s->rally : s->longest);
}

AGON_GAME_BATCH(slime_volley)

const agon_game agon_game_slime_volley = {
    AGON_GAME_HEAD(slime_volley, 1, "two slimes play volleyball in real time",
                   sizeof(slime_volley_config)),
    .chance = slime_volley_chance,
    .text = slime_volley_text,
    .action_name = slime_volley_action_name,
    .features = slime_volley_features,
    .stats = slime_volley_stats,
};
