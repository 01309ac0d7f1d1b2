/* SPDX-License-Identifier: 0BSD
 *
 * oshi_zumo: pushing a wrestler. He stands in the middle of 2 * size + 1 places; each of two seats
 * has `coins` coins. In every ply both bid some of their coins at the same time and lose what they
 * bid, and the higher bid moves the wrestler one place, that of seat 0 to the right, that of seat 1
 * to the left. Whoever pushes him over the edge wins: 1, the other -1. When nobody has coins left,
 * or after `horizon` plies, it is over, too: the seat wins whose push he stands beyond the middle
 * from, and the middle is a draw; with `alesia` it is a draw wherever he stands.
 *
 * Action = bid: from min_bid to all that the seat has; all that it has when that is less.
 *
 * Everything is open, and a seat observes it from its own side: the coins it has, those of the
 * other, how far the wrestler is (the last place is the one from which its push wins), and the
 * plies that are left as a binary number, lowest bit first. */
#include "agon_game.h"

#define OSHI_ZUMO_COINS   200
#define OSHI_ZUMO_SIZE    50
#define OSHI_ZUMO_HORIZON 10000
#define OSHI_ZUMO_BITS    14 /* of the number of plies left */

typedef struct oshi_zumo {
    uint8_t coins[2];
    uint8_t place; /* 0 and 2 * size + 2 are beyond the edges */
    uint8_t over;
    uint16_t plies;
    uint8_t unused[2];
} oshi_zumo;

typedef struct oshi_zumo_config {
    int coins, size, horizon, alesia, min_bid;
    int cols;
} oshi_zumo_config;

#define oshi_zumo_STATE             sizeof(oshi_zumo)
#define oshi_zumo_seats(config)     2
#define oshi_zumo_obs_bytes(config) ((size_t)(4 * ((const oshi_zumo_config*)(config))->cols))
#define oshi_zumo_words(config)     ((((const oshi_zumo_config*)(config))->coins + 64) / 64)

static int oshi_zumo_configure(agon_params* params, agon_spec* spec, void* config) {
    oshi_zumo_config* c = (oshi_zumo_config*)config;
    c->coins = agon_param_int(params, "coins", 50, 1, OSHI_ZUMO_COINS);
    c->size = agon_param_int(params, "size", 3, 1, OSHI_ZUMO_SIZE);
    c->horizon = agon_param_int(params, "horizon", 1000, 1, OSHI_ZUMO_HORIZON);
    c->alesia = agon_param_bool(params, "alesia", 0);
    c->min_bid = agon_param_int(params, "min_bid", 0, 0, c->coins);
    c->cols = c->coins > 2 * c->size ? c->coins + 1 : 2 * c->size + 1;
    c->cols = c->cols > OSHI_ZUMO_BITS ? c->cols : OSHI_ZUMO_BITS;
    spec->seats = 2;
    spec->actions = c->coins + 1;
    spec->simultaneous = 1;
    spec->seats_symmetric = 1;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = c->horizon;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = oshi_zumo_STATE;
    spec->planes = 4;
    spec->rows = 1;
    spec->cols = c->cols;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->plane_names[0] = "my_coins";
    spec->plane_names[1] = "their_coins";
    spec->plane_names[2] = "place";
    spec->plane_names[3] = "plies_left_bits";
    spec->symmetries = 1;
    return params->error[0] ? -1 : 0;
}

AGON_FN void oshi_zumo_init(const void* config, void* state) {
    const oshi_zumo_config* c = (const oshi_zumo_config*)config;
    oshi_zumo* s = (oshi_zumo*)state;
    memset(s, 0, oshi_zumo_STATE);
    s->coins[0] = s->coins[1] = (uint8_t)c->coins;
    s->place = (uint8_t)(c->size + 1);
}

AGON_FN uint64_t oshi_zumo_acting(const void* config, const void* state) {
    return ((const oshi_zumo*)state)->over ? 0 : 3;
}

AGON_FN int oshi_zumo_lowest(const oshi_zumo_config* c, const oshi_zumo* s, int seat) {
    return s->coins[seat] < c->min_bid ? s->coins[seat] : c->min_bid;
}

AGON_FN void oshi_zumo_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const oshi_zumo_config* c = (const oshi_zumo_config*)config;
    const oshi_zumo* s = (const oshi_zumo*)state;
    const int low = oshi_zumo_lowest(c, s, seat), high = s->coins[seat];
    for (int first = 0; first <= c->coins; first += 64) {
        const uint64_t below_low = low - first >= 64 ? ~0ull
                                   : low > first     ? (1ull << (low - first)) - 1
                                                     : 0;
        const uint64_t up_to_high = high - first >= 63 ? ~0ull
                                    : high >= first    ? (2ull << (high - first)) - 1
                                                       : 0;
        *mask++ = up_to_high & ~below_low;
    }
}

AGON_FN int oshi_zumo_is_legal(const oshi_zumo_config* c, const oshi_zumo* s, int seat, int bid) {
    return bid <= s->coins[seat] && bid >= oshi_zumo_lowest(c, s, seat);
}

/* Which seat the place is good for: 1, -1, or 0. */
AGON_FN int oshi_zumo_winner(const oshi_zumo_config* c, const oshi_zumo* s) {
    const int off = s->place == 0 || s->place == 2 * c->size + 2;
    const int beyond = s->place - (c->size + 1);
    return c->alesia && !off ? 0 : (beyond > 0) - (beyond < 0);
}

AGON_FN int oshi_zumo_apply(const void* config, void* state, const uint16_t* action,
                            float* reward) {
    const oshi_zumo_config* c = (const oshi_zumo_config*)config;
    oshi_zumo* s = (oshi_zumo*)state;
    const int first = action[0], second = action[1];
    if (s->over || !oshi_zumo_is_legal(c, s, 0, first) || !oshi_zumo_is_legal(c, s, 1, second))
        return -1;
    s->coins[0] = (uint8_t)(s->coins[0] - first);
    s->coins[1] = (uint8_t)(s->coins[1] - second);
    s->place = (uint8_t)(s->place + (first > second) - (first < second));
    s->plies++;
    s->over = s->place == 0 || s->place == 2 * c->size + 2 || s->plies == c->horizon ||
              (s->coins[0] == 0 && s->coins[1] == 0);
    if (s->over) {
        reward[0] += (float)oshi_zumo_winner(c, s);
        reward[1] -= (float)oshi_zumo_winner(c, s);
    }
    return 0;
}

AGON_FN void oshi_zumo_observe(const void* config, const void* state, int seat, void* out) {
    const oshi_zumo_config* c = (const oshi_zumo_config*)config;
    const oshi_zumo* s = (const oshi_zumo*)state;
    const int left = c->horizon - s->plies;
    uint8_t* plane = (uint8_t*)out;
    memset(plane, 0, oshi_zumo_obs_bytes(config));
    plane[s->coins[seat]] = 1;
    plane[c->cols + s->coins[1 - seat]] = 1;
    plane[2 * c->cols + (seat == 0 ? s->place - 1 : 2 * c->size + 1 - s->place)] = 1;
    for (int i = 0; i < OSHI_ZUMO_BITS; i++)
        plane[3 * c->cols + i] = left >> i & 1;
}

static int oshi_zumo_action_name(const void* config, const void* state, int seat, int action,
                                 char* out, size_t size) {
    return snprintf(out, size, "bid_%d", action);
}

static int oshi_zumo_text(const void* config, const void* state, char* out, size_t size) {
    const oshi_zumo_config* c = (const oshi_zumo_config*)config;
    const oshi_zumo* s = (const oshi_zumo*)state;
    char field[2 * OSHI_ZUMO_SIZE + 4] = {0};
    memset(field, '.', (size_t)(2 * c->size + 3));
    field[0] = field[2 * c->size + 2] = '#';
    field[s->place] = 'W';
    return snprintf(out, size, "%s\ncoins %d and %d, %d of %d plies\n", field, s->coins[0],
                    s->coins[1], s->plies, c->horizon);
}

AGON_GAME_BATCH(oshi_zumo)

const agon_game agon_game_oshi_zumo = {
    AGON_GAME_HEAD(oshi_zumo, 1, "bid coins to push a wrestler over the edge",
                   sizeof(oshi_zumo_config)),
    .text = oshi_zumo_text,
    .action_name = oshi_zumo_action_name,
};
