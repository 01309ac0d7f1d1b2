/* SPDX-License-Identifier: 0BSD
 *
 * iterated: one of the small games of `matrix`, called `stage`, played `rounds` times by the same
 * two seats. In every round both choose at the same time, both learn what the other chose, and each
 * gets the stage's payoff; the return is the sum. The payoffs and the order of actions are in
 * stage_games.h.
 *
 * A seat observes its own last choice and the other's (nothing in the first round), and the share
 * of the rounds that is over; the information state holds the choices of all rounds. */
#include "stage_games.h"

#define ITERATED_ROUNDS 1000 /* one byte each of AGON_INFOSTATE */
#define ITERATED_FULL   255  /* an observation entry that reads 1 */

typedef struct iterated {
    uint16_t rounds; /* played */
    uint8_t unused[6];
    uint8_t choices[ITERATED_ROUNDS]; /* of seat 0 + 16 * of seat 1 */
} iterated;

typedef struct iterated_config {
    normal_form_config stage;
    int rounds;
    uint8_t share[ITERATED_ROUNDS + 1]; /* that is over after so many rounds, as an entry */
} iterated_config;

#define iterated_STATE             sizeof(iterated)
#define iterated_seats(config)     2
#define iterated_obs_bytes(config) ((size_t)(3 * iterated_actions(config)))
#define iterated_words(config)     1

AGON_FN int iterated_actions(const void* config) {
    return ((const iterated_config*)config)->stage.actions[0];
}

static int iterated_configure(agon_params* params, agon_spec* spec, void* config) {
    iterated_config* c = (iterated_config*)config;
    memset(c, 0, sizeof *c);
    stage_game_fill(&c->stage, agon_param_choice(params, "stage", 3, STAGE_GAMES));
    c->rounds = agon_param_int(params, "rounds", 10, 1, ITERATED_ROUNDS);
    for (int played = 0; played <= c->rounds; played++)
        c->share[played] = (uint8_t)(played * ITERATED_FULL / c->rounds);
    normal_form_facts(&c->stage, spec);
    spec->max_plies = c->rounds;
    spec->return_min *= (float)c->rounds;
    spec->return_max *= (float)c->rounds;
    spec->utility_sum *= (float)c->rounds;
    spec->state_size = iterated_STATE;
    spec->planes = 3;
    spec->cols = c->stage.actions[0];
    spec->obs_scale = 1.0f / ITERATED_FULL;
    spec->plane_names[0] = "my_last";
    spec->plane_names[1] = "their_last";
    spec->plane_names[2] = "share_over";
    spec->features = 2;
    spec->feature_names[0] = "first_action";
    spec->feature_names[1] = "echo";
    return params->error[0] ? -1 : 0;
}

AGON_FN void iterated_init(const void* config, void* state) {
    memset(state, 0, iterated_STATE);
}

AGON_FN uint64_t iterated_acting(const void* config, const void* state) {
    return ((const iterated*)state)->rounds < ((const iterated_config*)config)->rounds ? 3 : 0;
}

AGON_FN void iterated_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    mask[0] = (1ull << iterated_actions(config)) - 1;
}

AGON_FN int iterated_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    const normal_form_config* stage = &((const iterated_config*)config)->stage;
    iterated* s = (iterated*)state;
    const int actions = stage->actions[0];
    if (!iterated_acting(config, state) || action[0] >= actions || action[1] >= actions)
        return -1;
    const int cell = normal_form_cell(stage, action[0], action[1]);
    s->choices[s->rounds++] = (uint8_t)(action[0] | action[1] << 4);
    reward[0] += stage->payoff[0][cell];
    reward[1] += stage->payoff[1][cell];
    return 0;
}

/* What `seat` chose in a round. */
AGON_FN int iterated_choice(const iterated* s, int round, int seat) {
    return s->choices[round] >> 4 * seat & 15;
}

AGON_FN void iterated_observe(const void* config, const void* state, int seat, void* out) {
    const iterated* s = (const iterated*)state;
    const int actions = iterated_actions(config), any = s->rounds > 0, last = s->rounds - any;
    const uint8_t share = ((const iterated_config*)config)->share[s->rounds];
    const int mine = any ? iterated_choice(s, last, seat) : -1;
    const int theirs = any ? iterated_choice(s, last, 1 - seat) : -1;
    uint8_t* plane = (uint8_t*)out;
    for (int i = 0; i < actions; i++) {
        plane[i] = (uint8_t)(ITERATED_FULL & -(i == mine));
        plane[actions + i] = (uint8_t)(ITERATED_FULL & -(i == theirs));
        plane[2 * actions + i] = share;
    }
}

/* One byte for each round, the seat's own choice in the low half. */
AGON_FN int iterated_infostate(const void* config, const void* state, int seat, void* out) {
    const iterated* s = (const iterated*)state;
    uint8_t* bytes = (uint8_t*)out;
    for (int i = 0; i < s->rounds; i++)
        bytes[i] = (uint8_t)(iterated_choice(s, i, seat) | iterated_choice(s, i, 1 - seat) << 4);
    return s->rounds;
}

/* How often the seat chose action 0 (to cooperate, in the prisoner's dilemma), and how often, from
 * the second round on, what the other had chosen in the round before. */
AGON_FN void iterated_features(const void* config, const void* state, int seat, float* out) {
    const iterated* s = (const iterated*)state;
    int first = 0, echo = 0;
    for (int i = 0; i < s->rounds; i++) {
        const int choice = iterated_choice(s, i, seat);
        first += choice == 0;
        echo += i > 0 && choice == iterated_choice(s, i - 1, 1 - seat);
    }
    out[0] = (float)first / (float)s->rounds;
    out[1] = s->rounds > 1 ? (float)echo / (float)(s->rounds - 1) : 0;
}

static int iterated_action_name(const void* config, const void* state, int seat, int action,
                                char* out, size_t size) {
    return normal_form_action_name(&((const iterated_config*)config)->stage, NULL, seat, action,
                                   out, size);
}

static int iterated_text(const void* config, const void* state, char* out, size_t size) {
    const iterated_config* c = (const iterated_config*)config;
    const iterated* s = (const iterated*)state;
    const int last = s->rounds - 1;
    if (last < 0)
        return snprintf(out, size, "round 1 of %d\n", c->rounds);
    return snprintf(out, size, "%d of %d rounds are over, the last one %s against %s\n", s->rounds,
                    c->rounds, c->stage.name[0][iterated_choice(s, last, 0)],
                    c->stage.name[1][iterated_choice(s, last, 1)]);
}

AGON_GAME_BATCH(iterated)

const agon_game agon_game_iterated = {
    AGON_GAME_HEAD(iterated, 1, "a named game in normal form, played many times",
                   sizeof(iterated_config)),
    .text = iterated_text,
    .action_name = iterated_action_name,
    .infostate = iterated_infostate,
    .features = iterated_features,
};
