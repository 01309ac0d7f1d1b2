/* SPDX-License-Identifier: 0BSD
 *
 * rps: rock, paper, scissors. Two seats choose at the same time, once. Paper beats rock, scissors
 * beat paper, rock beats scissors: the winner gets 1, the loser -1; equal choices give 0. The only
 * equilibrium is 1/3 each, value 0. There is nothing to see: the observation is a constant. */
#include "agon_game.h"

typedef struct rps {
    uint8_t choice[2]; /* 0 until made */
    uint8_t over;
    uint8_t unused[5];
} rps;

#define rps_STATE             sizeof(rps)
#define rps_seats(config)     2
#define rps_obs_bytes(config) 1
#define rps_words(config)     1

static int rps_configure(agon_params* params, agon_spec* spec, void* config) {
    spec->seats = 2;
    spec->actions = 3;
    spec->simultaneous = 1;
    spec->seats_symmetric = 1;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = 1;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = rps_STATE;
    spec->planes = spec->rows = spec->cols = 1;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->plane_names[0] = "constant";
    spec->symmetries = 1;
    return 0;
}

AGON_FN void rps_init(const void* config, void* state) {
    memset(state, 0, rps_STATE);
}

AGON_FN uint64_t rps_acting(const void* config, const void* state) {
    return ((const rps*)state)->over ? 0 : 3;
}

AGON_FN void rps_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    mask[0] = 7;
}

AGON_FN int rps_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    rps* s = (rps*)state;
    if (s->over || action[0] > 2 || action[1] > 2)
        return -1;
    s->choice[0] = (uint8_t)action[0];
    s->choice[1] = (uint8_t)action[1];
    s->over = 1;
    const int ahead = (action[0] - action[1] + 3) % 3; /* 1: seat 0 wins, 2: seat 1 wins */
    const float gain = (float)((ahead == 1) - (ahead == 2));
    reward[0] += gain;
    reward[1] -= gain;
    return 0;
}

AGON_FN void rps_observe(const void* config, const void* state, int seat, void* out) {
    *(uint8_t*)out = 1;
}

static int rps_action_name(const void* config, const void* state, int seat, int action, char* out,
                           size_t size) {
    return snprintf(out, size, "%s", action == 0 ? "rock" : action == 1 ? "paper" : "scissors");
}

static int rps_text(const void* config, const void* state, char* out, size_t size) {
    const rps* s = (const rps*)state;
    char name[2][16];
    if (!s->over)
        return snprintf(out, size, "both seats choose\n");
    for (int seat = 0; seat < 2; seat++)
        rps_action_name(config, state, seat, s->choice[seat], name[seat], sizeof name[seat]);
    return snprintf(out, size, "%s against %s\n", name[0], name[1]);
}

AGON_GAME_BATCH(rps)

const agon_game agon_game_rps = {
    AGON_GAME_HEAD(rps, 1, "rock, paper, scissors, once", 0),
    .text = rps_text,
    .action_name = rps_action_name,
};
