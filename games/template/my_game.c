/* SPDX-License-Identifier: 0BSD
 *
 * my_game: a template to copy. The game is small but whole: a heap of stones, two seats take one to
 * three in turn, whoever takes the last one wins.
 *
 * To make a game of your own: copy this file to games/NAME.c, replace my_game by NAME, write your
 * rules, add the two lines of games/registry.c and its strings in tests/unit/game_walk.h. Rules
 * that hold for every function are at the top of agon_game.h; the important ones: no globals, no
 * random numbers, all bytes of the state set, floats only in rewards and observations. */
#include "agon_game.h"

/* One position. Plain bytes, a multiple of 8, no padding left unset. */
typedef struct my_game {
    uint16_t heap; /* stones left */
    uint8_t turn;  /* seat that takes next */
    uint8_t unused[5];
} my_game;

/* What the parameters make of the game; constant afterwards. Tables go here, too. */
typedef struct my_game_config {
    int stones;
} my_game_config;

/* Four facts that AGON_GAME_BATCH needs at compile time. */
#define my_game_STATE             sizeof(my_game)
#define my_game_seats(config)     2
#define my_game_obs_bytes(config) (((const my_game_config*)(config))->stones)
#define my_game_words(config)     1

/* Runs once per game string, as in "my_game(stones=15)". */
static int my_game_configure(agon_params* params, agon_spec* spec, void* config) {
    my_game_config* c = (my_game_config*)config;
    c->stones = agon_param_int(params, "stones", 21, 4, 200);
    spec->seats = 2;
    spec->actions = 3; /* action a takes a + 1 stones */
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_PERFECT;
    spec->max_plies = c->stones;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = my_game_STATE;
    spec->planes = spec->rows = 1;
    spec->cols = c->stones;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->plane_names[0] = "stones";
    spec->symmetries = 1;
    return params->error[0] ? -1 : 0;
}

AGON_FN void my_game_init(const void* config, void* state) {
    my_game* s = (my_game*)state;
    memset(s, 0, sizeof *s);
    s->heap = (uint16_t)((const my_game_config*)config)->stones;
}

/* Bit of the seat to move; 0 when the game is over. */
AGON_FN uint64_t my_game_acting(const void* config, const void* state) {
    const my_game* s = (const my_game*)state;
    return s->heap ? 1ull << s->turn : 0;
}

AGON_FN void my_game_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const my_game* s = (const my_game*)state;
    mask[0] = s->heap >= 3 ? 7 : s->heap == 2 ? 3 : 1;
}

/* Refuses before it changes anything; adds rewards, never sets them. */
AGON_FN int my_game_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    my_game* s = (my_game*)state;
    const int seat = s->turn, take = action[seat] + 1;
    if (take > 3 || take > s->heap)
        return -1;
    s->heap = (uint16_t)(s->heap - take);
    s->turn = (uint8_t)(1 - seat);
    if (!s->heap) {
        reward[seat] += 1;
        reward[1 - seat] -= 1;
    }
    return 0;
}

/* What `seat` may know: one entry for each stone that is left. */
AGON_FN void my_game_observe(const void* config, const void* state, int seat, void* out) {
    const my_game* s = (const my_game*)state;
    for (int i = 0; i < my_game_obs_bytes(config); i++)
        ((uint8_t*)out)[i] = i < s->heap;
}

/* Optional: for people. */
static int my_game_text(const void* config, const void* state, char* out, size_t size) {
    const my_game* s = (const my_game*)state;
    return snprintf(out, size, "%d stones, seat %d takes\n", s->heap, s->turn);
}

static int my_game_action_name(const void* config, const void* state, int seat, int action,
                               char* out, size_t size) {
    return snprintf(out, size, "take%d", action + 1);
}

AGON_GAME_BATCH(my_game)

const agon_game agon_game_my_game = {
    AGON_GAME_HEAD(my_game, 1, "take one to three stones; the last one wins",
                   sizeof(my_game_config)),
    .text = my_game_text,
    .action_name = my_game_action_name,
};
