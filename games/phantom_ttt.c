/* SPDX-License-Identifier: 0BSD
 *
 * phantom_ttt: tic-tac-toe in the dark. A seat sees its own stones and those of the other that it
 * has run into. In turn, a seat tries a cell of the 3 x 3 board that it does not see taken. If the
 * cell is free its stone is there and the turn is over. If the other's stone is there the seat sees
 * it from now on and tries again (gameversion=classical), or has lost its turn (abrupt). Three
 * stones in a row, a column or a diagonal win (1, the loser -1); a full board is a draw (0).
 *
 * obstype=reveal-nothing: a seat learns nothing of what the other tries. reveal-numturns: it hears
 * every try, though not where, nor how it ended; in the abrupt game it knows that anyway.
 *
 * Action = row * 3 + column, row 0 on top. The observation: one's own stones, those of the other
 * that one has seen, ones for seat 1, and with reveal-numturns as many ones as the other has tried
 * cells. The information state: one's tries in order and how they ended, and when the other's came
 * if they are heard. */
#include "hidden_stones.h"

/* The log makes everything else. In octal a digit of a set of cells is a row. */
typedef struct phantom_ttt {
    uint16_t stones[2]; /* by seat: bit = cell */
    uint16_t tried[2];  /* one's own stones and those seen of the other */
    uint8_t turn;       /* seat to move */
    uint8_t over;
    uint8_t tries[2];
    uint8_t log[17];
    uint8_t unused[3];
} phantom_ttt;

typedef struct phantom_ttt_config {
    hidden_rules rules;
    uint64_t won[8]; /* bit = set of stones of one seat */
} phantom_ttt_config;

#define phantom_ttt_STATE             sizeof(phantom_ttt)
#define phantom_ttt_rules(config)     (&((const phantom_ttt_config*)(config))->rules)
#define phantom_ttt_seats(config)     2
#define phantom_ttt_obs_bytes(config) ((size_t)(27 + 9 * phantom_ttt_rules(config)->counted))
#define phantom_ttt_words(config)     1

static int phantom_ttt_line(int m) {
    return (m & m >> 1 & m >> 2 & 0111) || (m & m >> 3 & m >> 6) || (m & 0421) == 0421 ||
           (m & 0124) == 0124;
}

static int phantom_ttt_configure(agon_params* params, agon_spec* spec, void* config) {
    phantom_ttt_config* c = (phantom_ttt_config*)config;
    memset(c, 0, sizeof *c);
    hidden_configure(params, &c->rules, "classical|abrupt");
    c->rules.cells = 9;
    for (int set = 0; set <= 0777; set++)
        c->won[set / 64] |= (uint64_t)phantom_ttt_line(set) << set % 64;
    spec->seats = 2;
    spec->actions = 9;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = 17;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = phantom_ttt_STATE;
    spec->planes = 3 + c->rules.counted;
    spec->rows = spec->cols = 3;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->plane_names[0] = "mine";
    spec->plane_names[1] = "theirs";
    spec->plane_names[2] = "i_am_second";
    if (c->rules.counted)
        spec->plane_names[3] = "their_tries";
    spec->symmetries = 8;
    return params->error[0] ? -1 : 0;
}

AGON_FN void phantom_ttt_init(const void* config, void* state) {
    memset(state, 0, phantom_ttt_STATE);
}

AGON_FN uint64_t phantom_ttt_acting(const void* config, const void* state) {
    const phantom_ttt* s = (const phantom_ttt*)state;
    return s->over ? 0 : 1ull << s->turn;
}

AGON_FN void phantom_ttt_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    mask[0] = 0777 & ~(uint64_t)((const phantom_ttt*)state)->tried[seat];
}

AGON_FN int phantom_ttt_apply(const void* config, void* state, const uint16_t* action,
                              float* reward) {
    const phantom_ttt_config* c = (const phantom_ttt_config*)config;
    phantom_ttt* s = (phantom_ttt*)state;
    const int seat = s->turn, cell = action[seat];
    if (s->over || cell > 8 || (s->tried[seat] >> cell & 1))
        return -1;
    const int bump = s->stones[1 - seat] >> cell & 1;
    s->log[s->tries[0] + s->tries[1]] = (uint8_t)(cell | bump * HIDDEN_BUMP);
    s->tries[seat]++;
    s->tried[seat] = (uint16_t)(s->tried[seat] | 1 << cell);
    s->stones[seat] = (uint16_t)(s->stones[seat] | !bump << cell);
    s->turn ^= (uint8_t)(c->rules.abrupt | !bump);
    const int won = c->won[s->stones[seat] / 64] >> s->stones[seat] % 64 & 1;
    s->over = (uint8_t)(won | ((s->stones[0] | s->stones[1]) == 0777));
    if (won) {
        reward[seat] += 1;
        reward[1 - seat] -= 1;
    }
    return 0;
}

AGON_FN void phantom_ttt_plane(int set, uint8_t* out) {
    const uint64_t eight = hidden_bytes((uint64_t)set & 255);
    memcpy(out, &eight, 8);
    out[8] = (uint8_t)(set >> 8);
}

AGON_FN void phantom_ttt_observe(const void* config, const void* state, int seat, void* out) {
    const phantom_ttt* s = (const phantom_ttt*)state;
    uint8_t* plane = (uint8_t*)out;
    phantom_ttt_plane(s->stones[seat], plane);
    phantom_ttt_plane(s->stones[1 - seat] & s->tried[seat], plane + 9);
    memset(plane + 18, seat, 9);
    if (phantom_ttt_rules(config)->counted)
        phantom_ttt_plane((1 << s->tries[1 - seat]) - 1, plane + 27);
}

AGON_FN int phantom_ttt_infostate(const void* config, const void* state, int seat, void* out) {
    const phantom_ttt* s = (const phantom_ttt*)state;
    return hidden_infostate(phantom_ttt_rules(config), s->log, s->tries[0] + s->tries[1], seat,
                            (uint8_t*)out);
}

/* Plays tries from the start; false when they end the game. */
AGON_FN int phantom_ttt_replay(const void* config, const hidden_past* p, phantom_ttt* s) {
    float reward[2] = {0, 0};
    phantom_ttt_init(config, s);
    for (int i = 0; i < p->count && !s->over; i++) {
        const uint16_t action[2] = {p->cell[i], p->cell[i]};
        phantom_ttt_apply(config, s, action, reward);
    }
    return !s->over;
}

/* A past with the probability that it has, to the seat, if the other seat plays at random. */
AGON_FN void phantom_ttt_resample(const void* config, void* state, int seat, uint64_t random) {
    phantom_ttt* s = (phantom_ttt*)state;
    phantom_ttt drawn;
    hidden_view view;
    hidden_past past;
    if (s->over)
        return;
    hidden_look(&view, phantom_ttt_rules(config), s->log, s->tries[0] + s->tries[1], seat);
    hidden_weigh(&view);
    past.random = random;
    do
        hidden_remember(&view, &past);
    while (!phantom_ttt_replay(config, &past, &drawn));
    *s = drawn;
}

static int phantom_ttt_text(const void* config, const void* state, char* out, size_t size) {
    const phantom_ttt* s = (const phantom_ttt*)state;
    char board[] = "...\n...\n...\n";
    for (int i = 0; i < 9; i++) {
        for (int seat = 0; seat < 2; seat++) {
            if (s->stones[seat] >> i & 1)
                board[i + i / 3] = (s->tried[1 - seat] >> i & 1 ? "XO" : "xo")[seat];
        }
    }
    return snprintf(out, size, "%s%s (capitals: seen by the other seat)\n", board,
                    s->over   ? "over"
                    : s->turn ? "o to move"
                              : "x to move");
}

static int phantom_ttt_action_name(const void* config, const void* state, int seat, int action,
                                   char* out, size_t size) {
    return snprintf(out, size, "%c%d", 'a' + action % 3, 3 - action / 3);
}

AGON_FN int phantom_ttt_symmetry_action(const void* config, int g, int action) {
    const int row = g & 1 ? action % 3 : action / 3, col = g & 1 ? action / 3 : action % 3;
    return 3 * (g & 2 ? 2 - row : row) + (g & 4 ? 2 - col : col);
}

AGON_FN int phantom_ttt_image(int g, int set) {
    int image = 0;
    for (int i = 0; i < 9; i++)
        image |= (set >> i & 1) << phantom_ttt_symmetry_action(NULL, g, i);
    return image;
}

AGON_FN void phantom_ttt_symmetry(const void* config, int g, const void* state, void* out) {
    const phantom_ttt* s = (const phantom_ttt*)state;
    phantom_ttt* t = (phantom_ttt*)out;
    *t = *s;
    for (int seat = 0; seat < 2; seat++) {
        t->stones[seat] = (uint16_t)phantom_ttt_image(g, s->stones[seat]);
        t->tried[seat] = (uint16_t)phantom_ttt_image(g, s->tried[seat]);
    }
    for (int i = 0; i < s->tries[0] + s->tries[1]; i++) {
        const int cell = phantom_ttt_symmetry_action(config, g, s->log[i] & HIDDEN_CELL);
        t->log[i] = (uint8_t)(cell | (s->log[i] & HIDDEN_BUMP));
    }
}

AGON_GAME_BATCH(phantom_ttt)

const agon_game agon_game_phantom_ttt = {
    AGON_GAME_HEAD(phantom_ttt, 1, "tic-tac-toe where one sees only what one runs into",
                   sizeof(phantom_ttt_config)),
    .text = phantom_ttt_text,
    .action_name = phantom_ttt_action_name,
    .symmetry = phantom_ttt_symmetry,
    .symmetry_action = phantom_ttt_symmetry_action,
    .resample = phantom_ttt_resample,
    .infostate = phantom_ttt_infostate,
};
