/* SPDX-License-Identifier: 0BSD
 *
 * spinning_top: a one-shot game between pure skill and pure cycle, after the spinning tops of
 * Czarnecki and others (2020). Both seats choose at the same time a level 0..levels-1 and an angle
 * 0..angles-1; action = level * angles + angle. Seat 0 gets, and seat 1 loses,
 *
 *   ((1 - g) (own level - other level) / (levels - 1) + g wave(own - other angle)) / m
 *
 * where wave is the sine on the circle of angles over its largest value, and m makes the largest
 * payoff 1. With g = 0 the higher level wins; with g = 1 every choice is beaten by one that is
 * ahead of it on the circle; the cyclic fraction of the default size is 0, .21, .71, .96, 1 at g =
 * 0, .25, .5, .75, 1. The payoffs are computed in double precision and rounded once to float; the
 * table is antisymmetric to the last bit. There is nothing to see: the observation is a constant.
 */
#include "agon_game.h"

#define SPINNING_TOP_MAX 16 /* of levels and of angles */

typedef struct spinning_top {
    uint16_t choice[2]; /* 0 until made */
    uint8_t over;
    uint8_t unused[3];
} spinning_top;

typedef struct spinning_top_config {
    int levels, angles;
    uint8_t level[SPINNING_TOP_MAX * SPINNING_TOP_MAX]; /* of an action */
    uint8_t angle[SPINNING_TOP_MAX * SPINNING_TOP_MAX];
    float payoff[2 * SPINNING_TOP_MAX - 1][SPINNING_TOP_MAX]; /* by level difference + levels - 1
                                                                 and angle difference mod angles */
} spinning_top_config;

#define spinning_top_STATE             sizeof(spinning_top)
#define spinning_top_seats(config)     2
#define spinning_top_obs_bytes(config) 1
#define spinning_top_words(config)     ((spinning_top_actions(config) + 63) / 64)

AGON_FN int spinning_top_actions(const void* config) {
    const spinning_top_config* c = (const spinning_top_config*)config;
    return c->levels * c->angles;
}

/* sin(2 pi k / n), 0 <= k < n, odd to the last bit: sin(k) = -sin(n - k). Folded to a quarter of
 * the circle, where 11 terms of the Taylor series leave an error below 1e-16; libm's sine has other
 * bytes on other machines. */
static double spinning_top_sine(int k, int n) {
    if (2 * k > n)
        return -spinning_top_sine(n - k, n);
    const int half_turns = 4 * k > n ? n - 2 * k : 2 * k; /* times pi / n */
    const double x = 3.14159265358979323846 * half_turns / n;
    double sum = 1;
    for (int i = 21; i >= 3; i -= 2)
        sum = 1 - x * x / (i * (i - 1)) * sum;
    return x * sum;
}

static void spinning_top_payoffs(spinning_top_config* c, double g) {
    double raw[2 * SPINNING_TOP_MAX - 1][SPINNING_TOP_MAX], most = 0, crest = 0;
    for (int k = 0; k < c->angles; k++) {
        if (spinning_top_sine(k, c->angles) > crest)
            crest = spinning_top_sine(k, c->angles);
    }
    for (int i = 0; i < 2 * c->levels - 1; i++) {
        for (int k = 0; k < c->angles; k++) {
            const double skill = (double)(i - (c->levels - 1)) / (c->levels - 1);
            raw[i][k] = (1 - g) * skill + g * (spinning_top_sine(k, c->angles) / crest);
            if (raw[i][k] > most)
                most = raw[i][k];
        }
    }
    for (int i = 0; i < 2 * c->levels - 1; i++) {
        for (int k = 0; k < c->angles; k++)
            c->payoff[i][k] = (float)(raw[i][k] / most);
    }
}

static int spinning_top_configure(agon_params* params, agon_spec* spec, void* config) {
    spinning_top_config* c = (spinning_top_config*)config;
    c->levels = agon_param_int(params, "levels", 4, 2, SPINNING_TOP_MAX);
    c->angles = agon_param_int(params, "angles", 6, 3, SPINNING_TOP_MAX);
    spinning_top_payoffs(c, agon_param_float(params, "g", 0.5, 0, 1));
    for (int action = 0; action < c->levels * c->angles; action++) {
        c->level[action] = (uint8_t)(action / c->angles);
        c->angle[action] = (uint8_t)(action % c->angles);
    }
    spec->seats = 2;
    spec->actions = c->levels * c->angles;
    spec->simultaneous = 1;
    spec->seats_symmetric = 1;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = 1;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = spinning_top_STATE;
    spec->planes = spec->rows = spec->cols = 1;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->plane_names[0] = "constant";
    spec->symmetries = 1;
    return params->error[0] ? -1 : 0;
}

AGON_FN void spinning_top_init(const void* config, void* state) {
    memset(state, 0, spinning_top_STATE);
}

AGON_FN uint64_t spinning_top_acting(const void* config, const void* state) {
    return ((const spinning_top*)state)->over ? 0 : 3;
}

AGON_FN void spinning_top_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    for (int left = spinning_top_actions(config); left > 0; left -= 64)
        *mask++ = left >= 64 ? ~0ull : (1ull << left) - 1;
}

AGON_FN int spinning_top_apply(const void* config, void* state, const uint16_t* action,
                               float* reward) {
    const spinning_top_config* c = (const spinning_top_config*)config;
    spinning_top* s = (spinning_top*)state;
    const int actions = spinning_top_actions(config);
    if (s->over || action[0] >= actions || action[1] >= actions)
        return -1;
    s->choice[0] = action[0];
    s->choice[1] = action[1];
    s->over = 1;
    const int level = c->level[action[0]] - c->level[action[1]] + c->levels - 1;
    const int angle = c->angle[action[0]] - c->angle[action[1]];
    const float payoff = c->payoff[level][angle + (c->angles & -(angle < 0))];
    reward[0] += payoff;
    reward[1] -= payoff;
    return 0;
}

AGON_FN void spinning_top_observe(const void* config, const void* state, int seat, void* out) {
    *(uint8_t*)out = 1;
}

static int spinning_top_action_name(const void* config, const void* state, int seat, int action,
                                    char* out, size_t size) {
    const int angles = ((const spinning_top_config*)config)->angles;
    return snprintf(out, size, "level_%d_angle_%d", action / angles, action % angles);
}

static int spinning_top_text(const void* config, const void* state, char* out, size_t size) {
    const spinning_top* s = (const spinning_top*)state;
    char name[2][32];
    if (!s->over)
        return snprintf(out, size, "both seats choose\n");
    for (int seat = 0; seat < 2; seat++)
        spinning_top_action_name(config, state, seat, s->choice[seat], name[seat], sizeof name[0]);
    return snprintf(out, size, "%s against %s\n", name[0], name[1]);
}

AGON_GAME_BATCH(spinning_top)

const agon_game agon_game_spinning_top = {
    AGON_GAME_HEAD(spinning_top, 1, "skill levels and a circle of counters, mixed by g",
                   sizeof(spinning_top_config)),
    .text = spinning_top_text,
    .action_name = spinning_top_action_name,
};
