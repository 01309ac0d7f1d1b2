/* odd_game.c: a game for tests that has what built-in games lack: one seat up to 32, seats that act
 * together in changing sets, thousands of outcomes, chance that ends an episode before anybody
 * acts, chance after the last action, rewards for seats that do not act, roles, floats to see, and
 * a move that the mask offers and `apply` refuses when `trap` is set. */
#include "games/agon_game.h"

typedef struct odd {
    uint32_t ply;
    uint32_t luck; /* of the last chance node */
    uint32_t sum;  /* of all actions */
    uint8_t chance, over;
    uint8_t unused[2];
} odd;

typedef struct odd_config {
    int seats, outcomes, plies;
    double even; /* 1 / outcomes */
} odd_config;

#define odd_STATE             sizeof(odd)
#define odd_seats(config)     (((const odd_config*)(config))->seats)
#define odd_obs_bytes(config) (7 * sizeof(float))
#define odd_words(config)     2

static int odd_configure(agon_params* params, agon_spec* spec, void* config) {
    odd_config* c = (odd_config*)config;
    c->seats = agon_param_int(params, "seats", 3, 1, AGON_MAX_SEATS);
    c->outcomes = agon_param_int(params, "outcomes", 5, 2, 4096);
    c->plies = agon_param_int(params, "plies", 6, 1, 100);
    c->even = 1.0 / c->outcomes;
    spec->seats = c->seats;
    spec->actions = 70;
    spec->chance_outcomes = c->outcomes;
    spec->simultaneous = 1;
    spec->utility = AGON_GENERAL_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = c->plies;
    spec->return_min = -1000;
    spec->return_max = 1000;
    spec->state_size = odd_STATE;
    spec->planes = 7;
    spec->rows = spec->cols = 1;
    spec->obs_type = AGON_F32;
    for (int i = 0; i < 7; i++)
        spec->plane_names[i] = "number";
    for (int seat = 0; seat < c->seats; seat++)
        spec->role[seat] = (uint8_t)(seat % 3 == 1);
    spec->symmetries = 1;
    return params->error[0] ? -1 : 0;
}

AGON_FN void odd_init(const void* config, void* state) {
    memset(state, 0, odd_STATE);
    ((odd*)state)->chance = 1;
}

/* One seat at least; which others depends on the luck. */
AGON_FN uint64_t odd_acting(const void* config, const void* state) {
    const odd* s = (const odd*)state;
    const int seats = odd_seats(config);
    const uint64_t all = ((uint64_t)1 << seats) - 1;
    if (s->over)
        return 0;
    if (s->chance)
        return AGON_CHANCE;
    if (s->luck % 3 == 0)
        return all;
    return ((uint64_t)s->luck * 0x9e3779b1u & all) | (uint64_t)1 << s->ply % (uint32_t)seats;
}

AGON_FN void odd_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const odd* s = (const odd*)state;
    mask[0] = (uint64_t)0xf << (s->luck + (uint32_t)seat) % 60;
    mask[1] = 0x21;
}

AGON_FN int odd_chance(const void* config, const void* state, double* prob) {
    const odd_config* c = (const odd_config*)config;
    for (int i = 0; i < c->outcomes; i++)
        prob[i] = c->even;
    return c->outcomes;
}

AGON_FN void odd_luck(const odd_config* c, odd* s, uint32_t outcome, float* reward) {
    s->luck = outcome;
    s->chance = 0;
    s->over = outcome % 7 == 1 || s->ply >= (uint32_t)c->plies;
    for (int seat = 0; seat < c->seats; seat++)
        reward[seat] += (float)((outcome + (uint32_t)seat) % 5) * 0.1f;
}

AGON_FN int odd_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    const odd_config* c = (const odd_config*)config;
    odd* s = (odd*)state;
    if (s->chance) {
        odd_luck(c, s, action[0], reward);
        return 0;
    }
    const uint64_t acting = odd_acting(config, state);
    for (int seat = 0; seat < c->seats; seat++)
        if (acting >> seat & 1 && action[seat] >= 70)
            return -1;
    for (int seat = 0; seat < c->seats; seat++) {
        s->sum += acting >> seat & 1 ? action[seat] * (uint32_t)(seat + 1) : 0;
        reward[seat] += (float)(s->sum % 11) * 0.3f - 1.0f;
    }
    s->ply++;
    s->chance = s->sum % 3 == 0 || s->ply >= (uint32_t)c->plies;
    return 0;
}

AGON_FN void odd_observe(const void* config, const void* state, int seat, void* out) {
    const odd* s = (const odd*)state;
    float* see = (float*)out;
    for (int i = 0; i < 7; i++)
        see[i] = (float)((s->sum + s->luck * 3 + (uint32_t)(seat * i)) % 17) / 17.0f;
}

AGON_GAME_BATCH(odd)

const agon_game agon_game_odd = {
    AGON_GAME_HEAD(odd, 1, "for tests", sizeof(odd_config)),
    .chance = odd_chance,
};
