/* SPDX-License-Identifier: 0BSD
 *
 * pong: two paddles, one ball. The court is 48 cells long and 12 high; lengths are counted in
 * 1/1024 of a cell, from its middle. Seat 0 keeps the goal line on the left, x = -24 cells, seat 1
 * the one on the right; the paddles lie on the goal lines and are `paddle` cells long. Seat 1 sees
 * the court mirrored, so that everybody's own line is on the left.
 *
 * One ply is up to `skip` ticks with the same actions: 0 stay, 1 up, 2 down. In each tick both
 * paddles move, 1/4 cell at most and never out of the court, and then the ball by its velocity.
 * Walls above and below reflect it. If it reaches a goal line the tick ends there, at the height at
 * which it came in. On a paddle (its ends included) it turns back: the horizontal speed grows by
 * 1/16 cell a tick, to 2 at most, and the vertical one becomes half of it, times the distance from
 * the paddle's middle over half its length. Beside the paddle the other seat scores, 1 for it and
 * -1 for whoever missed, and the ply is over. All divisions are rounded towards 0, which treats
 * left and right alike.
 *
 * Then, as at the start, the paddles stand in the middle and the ball is served from there by
 * chance, 3/4 cell a tick towards seat 0 (even outcomes) or seat 1 (odd ones). Outcomes 2k and 2k +
 * 1 have the vertical speed (2k + 1 - serves) / (2 * serves) times that, k = 0 .. serves - 1; all
 * are equally likely. The game ends when a seat has `points` points, or after `horizon` plies.
 *
 * The observation is single numbers, the position whole: the ball's place and velocity, one's own
 * paddle and the other's, points of both as shares of `points`, and the share of plies left. */
#include "agon_game.h"

#define PONG_CELL   1024
#define PONG_LINE   (24 * PONG_CELL) /* x of seat 1's goal line */
#define PONG_WALL   (6 * PONG_CELL)  /* y of the upper wall */
#define PONG_STEP   (PONG_CELL / 4)  /* of a paddle in a tick */
#define PONG_SERVED (3 * PONG_CELL / 4)
#define PONG_FASTER (PONG_CELL / 8)
#define PONG_FAST   (2 * PONG_CELL)
#define PONG_PLANES 9

enum { PONG_SERVES, PONG_PLAYS, PONG_OVER };
enum { PONG_STAY, PONG_UP, PONG_DOWN };

typedef struct pong {
    int32_t x, y, vx, vy;               /* of the ball */
    int32_t paddle[2];                  /* y of the middle */
    uint32_t plies, ticks;              /* so far */
    uint32_t touches[2], off_middle[2]; /* hits, and their distances from the paddle's middle */
    uint32_t way[2];                    /* of the paddles so far */
    uint32_t rally, longest;            /* hits since the serve, and most of any rally */
    uint16_t points[2];
    uint16_t rallies; /* served so far */
    uint8_t phase;
    uint8_t unused;
} pong;

typedef struct pong_config {
    int points, horizon, skip, serves;
    int reach; /* half a paddle */
    int range; /* largest y of a paddle's middle */
    float per_point, per_ply;
} pong_config;

#define pong_STATE             sizeof(pong)
#define pong_seats(config)     2
#define pong_words(config)     1
#define pong_obs_bytes(config) (PONG_PLANES * sizeof(float))

static void pong_names(agon_spec* spec) {
    static const char* const planes[PONG_PLANES] = {"ball_x",    "ball_y",       "ball_vx",
                                                    "ball_vy",   "my_paddle",    "their_paddle",
                                                    "my_points", "their_points", "time_left"};
    static const char* const features[] = {"touches_per_rally", "off_middle", "cells_per_tick"};
    static const char* const stats[] = {"ticks", "rallies", "longest_rally"};
    spec->planes = PONG_PLANES;
    for (int i = 0; i < PONG_PLANES; i++)
        spec->plane_names[i] = planes[i];
    spec->features = spec->stats = 3;
    for (int i = 0; i < 3; i++) {
        spec->feature_names[i] = features[i];
        spec->stat_names[i] = stats[i];
    }
}

static int pong_configure(agon_params* params, agon_spec* spec, void* config) {
    pong_config* c = (pong_config*)config;
    c->points = agon_param_int(params, "points", 5, 1, 100);
    c->horizon = agon_param_int(params, "horizon", 500, 1, 100000);
    c->skip = agon_param_int(params, "skip", 4, 1, 16);
    c->reach = agon_param_int(params, "paddle", 3, 1, 8) * PONG_CELL / 2;
    c->serves = agon_param_int(params, "serves", 8, 1, 64);
    c->range = PONG_WALL - c->reach;
    c->per_point = 1 / (float)c->points;
    c->per_ply = 1 / (float)c->horizon;
    spec->seats = 2;
    spec->actions = 3;
    spec->chance_outcomes = 2 * c->serves;
    spec->simultaneous = 1;
    spec->seats_symmetric = 1;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = c->horizon;
    spec->return_max = (float)(c->points < c->horizon ? c->points : c->horizon);
    spec->return_min = -spec->return_max;
    spec->state_size = pong_STATE;
    spec->rows = spec->cols = 1;
    spec->obs_type = AGON_F32;
    spec->symmetries = 1;
    pong_names(spec);
    return params->error[0] ? -1 : 0;
}

AGON_FN void pong_init(const void* config, void* state) {
    memset(state, 0, pong_STATE);
}

AGON_FN uint64_t pong_acting(const void* config, const void* state) {
    const int phase = ((const pong*)state)->phase;
    return phase == PONG_PLAYS ? 3 : phase == PONG_SERVES ? AGON_CHANCE : 0;
}

AGON_FN void pong_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    mask[0] = 7;
}

AGON_FN int pong_serve(const pong_config* c, pong* s, int outcome) {
    if (outcome >= 2 * c->serves)
        return -1;
    s->vx = outcome & 1 ? PONG_SERVED : -PONG_SERVED;
    s->vy = PONG_SERVED * (2 * (outcome / 2) + 1 - c->serves) / (2 * c->serves);
    s->rallies++;
    s->phase = PONG_PLAYS;
    return 0;
}

AGON_FN void pong_move(const pong_config* c, pong* s, int seat, int action) {
    const int before = s->paddle[seat];
    int after = before + ((action == PONG_UP) - (action == PONG_DOWN)) * PONG_STEP;
    after = after > c->range ? c->range : after < -c->range ? -c->range : after;
    s->paddle[seat] = after;
    s->way[seat] += (uint32_t)(after > before ? after - before : before - after);
}

/* The ball rises by `rise`, less than the court's height, and is reflected where that ends. */
AGON_FN void pong_rise(pong* s, int rise) {
    s->y += rise;
    if (s->y > PONG_WALL || s->y < -PONG_WALL) {
        s->y = (s->y > 0 ? 2 : -2) * PONG_WALL - s->y;
        s->vy = -s->vy;
    }
}

/* The ball has come to the goal line of `seat`. Returns whether it is missed. */
AGON_FN int pong_miss(const pong_config* c, pong* s, int seat) {
    const int offset = s->y - s->paddle[seat], away = offset < 0 ? -offset : offset;
    int speed = (seat ? s->vx : -s->vx) + PONG_FASTER;
    if (away > c->reach)
        return 1;
    speed = speed < PONG_FAST ? speed : PONG_FAST;
    s->vx = seat ? -speed : speed;
    s->vy = speed * offset / (2 * c->reach);
    s->touches[seat]++;
    s->off_middle[seat] += (uint32_t)away;
    s->rally++;
    return 0;
}

/* The ball's part of a tick. Returns -1, or the seat that missed. */
AGON_FN int pong_fly(const pong_config* c, pong* s) {
    const int x = s->x + s->vx, seat = s->vx > 0;
    if (x > -PONG_LINE && x < PONG_LINE) {
        s->x = x;
        pong_rise(s, s->vy);
        return -1;
    }
    const int line = seat ? PONG_LINE : -PONG_LINE;
    pong_rise(s, s->vy * (line - s->x) / s->vx);
    s->x = line;
    return pong_miss(c, s, seat) ? seat : -1;
}

AGON_FN void pong_score(const pong_config* c, pong* s, int seat, float* reward) {
    reward[seat] += 1;
    reward[1 - seat] -= 1;
    s->points[seat]++;
    s->phase = s->points[seat] == c->points ? PONG_OVER : PONG_SERVES;
    s->longest = s->rally > s->longest ? s->rally : s->longest;
    s->rally = 0;
    s->x = s->y = s->vx = s->vy = s->paddle[0] = s->paddle[1] = 0;
}

AGON_FN int pong_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    const pong_config* c = (const pong_config*)config;
    pong* s = (pong*)state;
    int missed = -1;
    if (s->phase == PONG_SERVES)
        return pong_serve(c, s, action[0]);
    if (s->phase == PONG_OVER || action[0] > PONG_DOWN || action[1] > PONG_DOWN)
        return -1;
    for (int tick = 0; tick < c->skip && missed < 0; tick++) {
        pong_move(c, s, 0, action[0]);
        pong_move(c, s, 1, action[1]);
        s->ticks++;
        missed = pong_fly(c, s);
    }
    s->plies++;
    if (missed >= 0)
        pong_score(c, s, 1 - missed, reward);
    if (s->plies == (uint32_t)c->horizon)
        s->phase = PONG_OVER;
    return 0;
}

AGON_FN void pong_observe(const void* config, const void* state, int seat, void* out) {
    const pong_config* c = (const pong_config*)config;
    const pong* s = (const pong*)state;
    const float line = 1.0f / PONG_LINE, wall = 1.0f / PONG_WALL, fast = 1.0f / PONG_FAST;
    float* plane = (float*)out;
    plane[0] = (float)(seat ? -s->x : s->x) * line;
    plane[1] = (float)s->y * wall;
    plane[2] = (float)(seat ? -s->vx : s->vx) * fast;
    plane[3] = (float)s->vy * (2 * fast);
    plane[4] = (float)s->paddle[seat] * wall;
    plane[5] = (float)s->paddle[1 - seat] * wall;
    plane[6] = (float)s->points[seat] * c->per_point;
    plane[7] = (float)s->points[1 - seat] * c->per_point;
    plane[8] = (float)((uint32_t)c->horizon - s->plies) * c->per_ply;
}

AGON_FN int pong_chance(const void* config, const void* state, double* prob) {
    const int outcomes = 2 * ((const pong_config*)config)->serves;
    for (int i = 0; i < outcomes; i++)
        prob[i] = 1.0 / outcomes;
    return outcomes;
}

/* ---- for people ----------------------------------------------------------------------------- */

/* What stands in a row and column of the picture: one character is a cell, columns 0 and 49 are the
 * goal lines. */
static char pong_cell(const pong_config* c, const pong* s, int row, int col) {
    const int y = PONG_WALL - PONG_CELL / 2 - row * PONG_CELL; /* the cell's middle */
    const int ball_row = (PONG_WALL - s->y - (s->y == -PONG_WALL)) / PONG_CELL;
    const int ball_col = 1 + (PONG_LINE + s->x - (s->x == PONG_LINE)) / PONG_CELL;
    if (row == ball_row && col == ball_col)
        return 'o';
    if (col == 0 || col == 49) {
        const int away = y - s->paddle[col > 0];
        return away <= c->reach && away >= -c->reach ? '#' : ' ';
    }
    return col == 25 && row % 2 == 0 ? '.' : ' ';
}

static int pong_text(const void* config, const void* state, char* out, size_t size) {
    static const char wall[] = "--------------------------------------------------";
    const pong_config* c = (const pong_config*)config;
    const pong* s = (const pong*)state;
    char court[12 * 51 + 1];
    int n = 0;
    for (int row = 0; row < 12; row++) {
        for (int col = 0; col < 50; col++)
            court[n++] = pong_cell(c, s, row, col);
        court[n++] = '\n';
    }
    court[n] = '\0';
    return snprintf(out, size, "%s\n%s%s\n%d : %d, %d plies left%s\n", wall, court, wall,
                    s->points[0], s->points[1], c->horizon - (int)s->plies,
                    s->phase == PONG_SERVES ? ", a serve is next" : "");
}

static int pong_action_name(const void* config, const void* state, int seat, int action, char* out,
                            size_t size) {
    static const char* const names[3] = {"stay", "up", "down"};
    if (seat < 0)
        return snprintf(out, size, "%s_%d", action & 1 ? "right" : "left", action / 2);
    return snprintf(out, size, "%s", names[action]);
}

static void pong_features(const void* config, const void* state, int seat, float* out) {
    const pong_config* c = (const pong_config*)config;
    const pong* s = (const pong*)state;
    const float hits = (float)s->touches[seat];
    out[0] = hits / (float)s->rallies;
    out[1] = hits > 0 ? (float)s->off_middle[seat] / (hits * (float)c->reach) : 0;
    out[2] = (float)s->way[seat] / ((float)s->ticks * PONG_CELL);
}

static void pong_stats(const void* config, const void* state, float* out) {
    const pong* s = (const pong*)state;
    out[0] = (float)s->ticks;
    out[1] = (float)s->rallies;
    out[2] = (float)(s->rally > s->longest ? s->rally : s->longest);
}

AGON_GAME_BATCH(pong)

const agon_game agon_game_pong = {
    AGON_GAME_HEAD(pong, 1, "two paddles and a ball in real time; a miss is a point",
                   sizeof(pong_config)),
    .chance = pong_chance,
    .text = pong_text,
    .action_name = pong_action_name,
    .features = pong_features,
    .stats = pong_stats,
};
