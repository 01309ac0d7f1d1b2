/* SPDX-License-Identifier: 0BSD
 *
 * my_game: a heap of stones. Two seats take one to three of them in turn; whoever takes the last
 * one gets 1, the other -1.
 *
 * Parameters: stones (4..200, default 21), the heap at the start.
 * Actions: 0, 1 and 2 take one, two and three stones.
 * Observation: one plane of `stones` bytes; the first ones are 1, as many as are left.
 *
 * TO MAKE IT YOURS, write your rules here, then go through the functions from top to bottom; after
 * each of them: agon build-game my_game.c && agon check ./my_game.so. What all of them obey is at
 * the top of agon_game.h: they touch their arguments alone, so no globals, no random numbers, no
 * allocation; the state holds integers. Examples are in the folder games/ of agon's sources.
 *
 *   dice, cards        `acting` gives AGON_CHANCE, the slot `chance` the probabilities, and `apply`
 *                      plays outcome action[0]; spec->chance_outcomes bounds it: kuhn_poker.c
 *   hidden cards       `observe` writes what its seat has seen and no more; AGON_IMPERFECT; slot
 *                      `resample`, and `infostate` where the observation forgets: kuhn_poker.c
 *   moves at once      `acting` gives several bits, `apply` reads action[] of each of these seats;
 *                      spec->simultaneous = 1, AGON_IMPERFECT: matrix.c, tron.c
 *   players who drop   `acting` leaves their bits out; their last reward may come later: tron.c
 *   points on the way  `apply` adds them when they are made; spec->return_min and return_max bound
 *                      what one seat can collect in a game
 *   mirrored boards    slots `symmetry` and `symmetry_action`: tic_tac_toe.c
 *   many actions       my_game_words(config) is ((actions + 63) / 64): connect_four.c has few,
 *                      a board of 10 x 10 needs 2 words */
#include "agon_game.h"

/* One position. A multiple of 8 bytes; what the compiler would leave unset between or behind the
 * fields has a name, so that `init` sets it and equal positions are equal bytes. */
typedef struct my_game_position {
    uint16_t heap; /* stones left */
    uint8_t turn;  /* seat that takes next */
    uint8_t unused[5];
} my_game_position;

/* What the parameters make of the game; constant afterwards. Tables go here, too. */
typedef struct my_game_config {
    int stones;
} my_game_config;

/* Four facts for the loops that AGON_GAME_BATCH makes: bytes of a position, seats, bytes of an
 * observation, 64-bit words of a mask of actions. */
#define my_game_STATE             sizeof(my_game_position)
#define my_game_seats(config)     2
#define my_game_obs_bytes(config) (((const my_game_config*)(config))->stones)
#define my_game_words(config)     1

/* Runs once for each game string, as "my_game(stones=15)". Facts that are not set are 0. All are
 * promises: they hold in every game that anybody can play. */
static int my_game_configure(agon_params* params, agon_spec* spec, void* config) {
    my_game_config* c = (my_game_config*)config;
    c->stones = agon_param_int(params, "stones", 21, 4, 200);
    spec->seats = 2;
    spec->actions = 3;
    spec->utility = AGON_ZERO_SUM; /* or AGON_CONSTANT_SUM with utility_sum, AGON_GENERAL_SUM */
    spec->information = AGON_PERFECT;
    spec->max_plies = c->stones; /* one stone at a time */
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = my_game_STATE;
    spec->planes = spec->rows = 1;
    spec->cols = my_game_obs_bytes(config);
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1; /* the net sees byte * obs_scale; best between 0 and 1 */
    spec->plane_names[0] = "stones";
    spec->symmetries = 1; /* the identity */
    return params->error[0] ? -1 : 0;
}

/* The start. Nothing is drawn here: a shuffled deck is a chance node for each card dealt. */
AGON_FN void my_game_init(const void* config, void* state) {
    my_game_position* s = (my_game_position*)state;
    memset(s, 0, sizeof *s);
    s->heap = (uint16_t)((const my_game_config*)config)->stones;
}

/* Whose turn it is, as a set: bit i for seat i. 0: the game is over. */
AGON_FN uint64_t my_game_acting(const void* config, const void* state) {
    const my_game_position* s = (const my_game_position*)state;
    return s->heap ? 1ull << s->turn : 0;
}

/* What `seat`, whose turn it is, may do: bit a for action a. At least one. */
AGON_FN void my_game_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const my_game_position* s = (const my_game_position*)state;
    mask[0] = s->heap >= 3 ? 7 : s->heap == 2 ? 3 : 1;
}

/* Plays action[seat] of whose turn it is. Any number may come, at any time, also after the end: an
 * action that is not legal is refused with -1 before anything has changed. Rewards are added. */
AGON_FN int my_game_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    my_game_position* s = (my_game_position*)state;
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

/* What `seat` knows, every byte written. One net plays all seats, so a seat sees its own things
 * first: here both see the same heap. */
AGON_FN void my_game_observe(const void* config, const void* state, int seat, void* out) {
    const my_game_position* s = (const my_game_position*)state;
    for (int i = 0; i < my_game_obs_bytes(config); i++)
        ((uint8_t*)out)[i] = i < s->heap;
}

/* Optional: the position for people. */
static int my_game_text(const void* config, const void* state, char* out, size_t size) {
    const my_game_position* s = (const my_game_position*)state;
    return snprintf(out, size, "%d stones, seat %d takes\n", s->heap, s->turn);
}

/* Optional: names of actions, without spaces, no two alike in one position. */
static int my_game_action_name(const void* config, const void* state, int seat, int action,
                               char* out, size_t size) {
    return snprintf(out, size, "take%d", action + 1);
}

AGON_GAME_BATCH(my_game)

/* The 1 is the version of the rules: raise it when they change, and runs made with the old ones are
 * not mixed up with new ones. Further slots go between these, in the order of agon_game. */
const agon_game agon_game_my_game = {
    AGON_GAME_HEAD(my_game, 1, "take one to three stones; the last one wins",
                   sizeof(my_game_config)),
    .text = my_game_text,
    .action_name = my_game_action_name,
};
