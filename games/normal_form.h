/* SPDX-License-Identifier: 0BSD
 *
 * normal_form.h: two seats choose at the same time, once, and a table says what each gets: what the
 * games `matrix`, `matrix_file` and, once per round, `iterated` have in common. A game that is
 * nothing else aliases its functions to these. There is nothing to see: the observation is a
 * constant. */
#ifndef NORMAL_FORM_H
#define NORMAL_FORM_H

#include "agon_game.h"

#define NORMAL_FORM_ACTIONS 64 /* of a seat, at most: one word of a mask */
#define NORMAL_FORM_NAME    24 /* bytes that hold every name of an action, NUL included */

typedef struct normal_form {
    uint64_t table;     /* hash of the payoffs. The rules fingerprint sees states, not tables: this
                           tells two tables apart that differ where none of its games came by. */
    uint16_t choice[2]; /* 0 until made */
    uint8_t over;
    uint8_t unused[3];
} normal_form;

typedef struct normal_form_config {
    uint64_t table; /* set by normal_form_facts, as a state's */
    int actions[2]; /* of each seat */
    float payoff[2][NORMAL_FORM_ACTIONS * NORMAL_FORM_ACTIONS]; /* see normal_form_cell */
    char name[2][NORMAL_FORM_ACTIONS][NORMAL_FORM_NAME];        /* empty: the number */
} normal_form_config;

#define normal_form_STATE             sizeof(normal_form)
#define normal_form_seats(config)     2
#define normal_form_obs_bytes(config) 1
#define normal_form_words(config)     1

/* Where the payoffs of two choices are. */
AGON_FN int normal_form_cell(const normal_form_config* c, int first, int second) {
    return first * c->actions[1] + second;
}

/* ---- facts: host only --------------------------------------------------------------------- */

/* FNV-1a over the bytes of the payoffs and their shape. */
static inline uint64_t normal_form_hash(const normal_form_config* c) {
    const size_t row = sizeof(float) * (size_t)(c->actions[0] * c->actions[1]);
    const unsigned char* part[3] = {(const unsigned char*)c->actions,
                                    (const unsigned char*)c->payoff[0],
                                    (const unsigned char*)c->payoff[1]};
    const size_t size[3] = {sizeof c->actions, row, row};
    uint64_t hash = 0xcbf29ce484222325ull;
    for (int i = 0; i < 3; i++) {
        for (size_t k = 0; k < size[i]; k++)
            hash = (hash ^ part[i][k]) * 0x100000001b3ull;
    }
    return hash;
}

/* Constant-sum up to the rounding of the payoffs to float, and up to 5e-7. */
static inline void normal_form_sums(const normal_form_config* c, agon_spec* spec) {
    const double first = (double)c->payoff[0][0] + (double)c->payoff[1][0];
    const double widest =
        (double)(spec->return_max > -spec->return_min ? spec->return_max : -spec->return_min);
    const double room = widest < 4 ? widest * 1.2e-7 : 5e-7;
    spec->utility = first > room || first < -room ? AGON_CONSTANT_SUM : AGON_ZERO_SUM;
    spec->utility_sum = spec->utility == AGON_CONSTANT_SUM ? (float)first : 0;
    for (int i = 0; i < c->actions[0] * c->actions[1]; i++) {
        const double off = (double)c->payoff[0][i] + (double)c->payoff[1][i] - first;
        if (off > room || off < -room)
            spec->utility = AGON_GENERAL_SUM, spec->utility_sum = 0;
    }
}

static inline int normal_form_is_symmetric(const normal_form_config* c) {
    for (int i = 0; i < c->actions[0]; i++) {
        for (int k = 0; k < c->actions[1]; k++) {
            if (c->actions[0] != c->actions[1] ||
                c->payoff[0][normal_form_cell(c, i, k)] != c->payoff[1][normal_form_cell(c, k, i)])
                return 0;
        }
    }
    return 1;
}

/* What follows from `actions` and `payoff`. */
static inline void normal_form_facts(normal_form_config* c, agon_spec* spec) {
    float low = c->payoff[0][0], high = low;
    for (int i = 0; i < 2 * c->actions[0] * c->actions[1]; i++) {
        const float payoff = c->payoff[i & 1][i / 2];
        low = payoff < low ? payoff : low;
        high = payoff > high ? payoff : high;
    }
    c->table = normal_form_hash(c);
    spec->seats = 2;
    spec->actions = c->actions[0] > c->actions[1] ? c->actions[0] : c->actions[1];
    spec->simultaneous = 1;
    spec->seats_symmetric = normal_form_is_symmetric(c);
    spec->information = AGON_IMPERFECT;
    spec->max_plies = 1;
    spec->return_min = low;
    spec->return_max = high;
    normal_form_sums(c, spec);
    spec->state_size = normal_form_STATE;
    spec->planes = spec->rows = spec->cols = 1;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->plane_names[0] = "constant";
    spec->symmetries = 1;
}

/* ---- play --------------------------------------------------------------------------------- */

AGON_FN void normal_form_init(const void* config, void* state) {
    memset(state, 0, normal_form_STATE);
    ((normal_form*)state)->table = ((const normal_form_config*)config)->table;
}

AGON_FN uint64_t normal_form_acting(const void* config, const void* state) {
    return ((const normal_form*)state)->over ? 0 : 3;
}

AGON_FN void normal_form_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    mask[0] = ~0ull >> (64 - ((const normal_form_config*)config)->actions[seat]);
}

AGON_FN int normal_form_apply(const void* config, void* state, const uint16_t* action,
                              float* reward) {
    const normal_form_config* c = (const normal_form_config*)config;
    normal_form* s = (normal_form*)state;
    if (s->over || action[0] >= c->actions[0] || action[1] >= c->actions[1])
        return -1;
    const int cell = normal_form_cell(c, action[0], action[1]);
    s->choice[0] = action[0];
    s->choice[1] = action[1];
    s->over = 1;
    reward[0] += c->payoff[0][cell];
    reward[1] += c->payoff[1][cell];
    return 0;
}

AGON_FN void normal_form_observe(const void* config, const void* state, int seat, void* out) {
    *(uint8_t*)out = 1;
}

static inline int normal_form_action_name(const void* config, const void* state, int seat,
                                          int action, char* out, size_t size) {
    const char* name = ((const normal_form_config*)config)->name[seat][action];
    return name[0] ? snprintf(out, size, "%s", name) : snprintf(out, size, "%d", action);
}

static inline int normal_form_text(const void* config, const void* state, char* out, size_t size) {
    const normal_form* s = (const normal_form*)state;
    char name[2][NORMAL_FORM_NAME];
    if (!s->over)
        return snprintf(out, size, "both seats choose\n");
    for (int seat = 0; seat < 2; seat++)
        normal_form_action_name(config, state, seat, s->choice[seat], name[seat], sizeof name[0]);
    return snprintf(out, size, "%s against %s\n", name[0], name[1]);
}

#endif
