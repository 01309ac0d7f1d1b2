/* SPDX-License-Identifier: 0BSD
 *
 * blotto: Colonel Blotto. Two seats spread `coins` coins over `fields` fields at the same time,
 * once. A field goes to the seat that put more coins there, or to nobody; the seat with more fields
 * wins: 1, the other -1; as many fields give 0. All coins are spread.
 *
 * Actions are the ways to spread the coins, in the order of numbers read from the first field to
 * the last: 0-0-10, 0-1-9, .., 10-0-0. There is nothing to see: the observation is a constant. */
#include "agon_game.h"

#define BLOTTO_COINS   100
#define BLOTTO_FIELDS  8 /* a spread is a word, one byte per field, the first one lowest */
#define BLOTTO_ACTIONS 8192

typedef struct blotto {
    uint16_t choice[2]; /* 0 until made */
    uint8_t over;
    uint8_t unused[3];
} blotto;

typedef struct blotto_config {
    int fields, actions;
    uint64_t spread[BLOTTO_ACTIONS];
} blotto_config;

#define blotto_STATE             sizeof(blotto)
#define blotto_seats(config)     2
#define blotto_obs_bytes(config) 1
#define blotto_words(config)     ((((const blotto_config*)(config))->actions + 63) / 64)

/* How many ways there are: (coins + fields - 1) over (fields - 1); a huge number stays huge. */
static int blotto_ways(int coins, int fields) {
    int64_t ways = 1;
    for (int i = 1; i < fields && ways <= INT32_MAX; i++)
        ways = ways * (coins + i) / i;
    return ways > INT32_MAX ? INT32_MAX : (int)ways;
}

/* The next spread after `coin`: one coin moves up from behind, and the rest of what is behind it
 * goes to the last field. */
static void blotto_next(int* coin, int fields) {
    int last = fields - 1;
    while (last > 0 && coin[last] == 0)
        last--;
    const int rest = coin[last] - 1;
    coin[last] = 0;
    if (last > 0)
        coin[last - 1]++;
    coin[fields - 1] = rest;
}

static void blotto_fill(blotto_config* c, int coins) {
    int coin[BLOTTO_FIELDS] = {0};
    coin[c->fields - 1] = coins;
    for (int action = 0; action < c->actions; action++) {
        for (int field = 0; field < c->fields; field++)
            c->spread[action] |= (uint64_t)coin[field] << 8 * field;
        blotto_next(coin, c->fields);
    }
}

static int blotto_configure(agon_params* params, agon_spec* spec, void* config) {
    blotto_config* c = (blotto_config*)config;
    const int coins = agon_param_int(params, "coins", 10, 1, BLOTTO_COINS);
    memset(c, 0, sizeof *c);
    c->fields = agon_param_int(params, "fields", 3, 2, BLOTTO_FIELDS);
    c->actions = blotto_ways(coins, c->fields);
    if (c->actions > BLOTTO_ACTIONS) {
        snprintf(params->error, sizeof params->error,
                 "coins=%d, fields=%d: %d ways to spread them, expected at most %d", coins,
                 c->fields, c->actions, BLOTTO_ACTIONS);
        return -1;
    }
    blotto_fill(c, coins);
    spec->seats = 2;
    spec->actions = c->actions;
    spec->simultaneous = 1;
    spec->seats_symmetric = 1;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = 1;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = blotto_STATE;
    spec->planes = spec->rows = spec->cols = 1;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->plane_names[0] = "constant";
    spec->symmetries = 1;
    return params->error[0] ? -1 : 0;
}

AGON_FN void blotto_init(const void* config, void* state) {
    memset(state, 0, blotto_STATE);
}

AGON_FN uint64_t blotto_acting(const void* config, const void* state) {
    return ((const blotto*)state)->over ? 0 : 3;
}

AGON_FN void blotto_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    for (int left = ((const blotto_config*)config)->actions; left > 0; left -= 64)
        *mask++ = left >= 64 ? ~0ull : (1ull << left) - 1;
}

/* In how many bytes a is at least b; both have bytes below 128. */
AGON_FN int blotto_at_least(uint64_t a, uint64_t b) {
    const uint64_t high = 0x8080808080808080ull;
    return (int)(((((a | high) - b) & high) >> 7) * 0x0101010101010101ull >> 56);
}

AGON_FN int blotto_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    const blotto_config* c = (const blotto_config*)config;
    blotto* s = (blotto*)state;
    if (s->over || action[0] >= c->actions || action[1] >= c->actions)
        return -1;
    const uint64_t mine = c->spread[action[0]], theirs = c->spread[action[1]];
    const int ahead = blotto_at_least(mine, theirs) - blotto_at_least(theirs, mine);
    s->choice[0] = action[0];
    s->choice[1] = action[1];
    s->over = 1;
    reward[0] += (float)((ahead > 0) - (ahead < 0));
    reward[1] -= (float)((ahead > 0) - (ahead < 0));
    return 0;
}

AGON_FN void blotto_observe(const void* config, const void* state, int seat, void* out) {
    *(uint8_t*)out = 1;
}

static int blotto_action_name(const void* config, const void* state, int seat, int action,
                              char* out, size_t size) {
    const blotto_config* c = (const blotto_config*)config;
    char name[4 * BLOTTO_FIELDS + 1];
    int n = 0;
    for (int field = 0; field < c->fields; field++)
        n += snprintf(name + n, sizeof name - (size_t)n, "%s%d", field ? "-" : "",
                      (int)(c->spread[action] >> 8 * field & 255));
    return snprintf(out, size, "%s", name);
}

static int blotto_text(const void* config, const void* state, char* out, size_t size) {
    const blotto* s = (const blotto*)state;
    char name[2][4 * BLOTTO_FIELDS + 1];
    if (!s->over)
        return snprintf(out, size, "both seats choose\n");
    for (int seat = 0; seat < 2; seat++)
        blotto_action_name(config, state, seat, s->choice[seat], name[seat], sizeof name[0]);
    return snprintf(out, size, "%s against %s\n", name[0], name[1]);
}

AGON_GAME_BATCH(blotto)

const agon_game agon_game_blotto = {
    AGON_GAME_HEAD(blotto, 1, "Colonel Blotto: spread coins over fields, win the most",
                   sizeof(blotto_config)),
    .text = blotto_text,
    .action_name = blotto_action_name,
};
