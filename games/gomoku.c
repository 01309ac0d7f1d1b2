/* SPDX-License-Identifier: 0BSD
 *
 * gomoku: on a size x size board two seats in turn put a stone on a free cell. Who gets `connect`
 * or more stones of its own in an unbroken line (row, column or diagonal; longer lines count, too)
 * wins: 1, the loser -1. A full board without such a line is a draw. No move is forbidden.
 *
 * Action = cell = row * size + column, row 0 on top. The observation: one's own stones, then the
 * other's. Names are letters for columns and numbers for rows, a1 in the upper left corner. */
#include "agon_game.h"

#define GOMOKU_SIZE  19
#define GOMOKU_CELLS (GOMOKU_SIZE * GOMOKU_SIZE)
#define GOMOKU_WORDS ((GOMOKU_CELLS + 63) / 64)

typedef struct gomoku {
    uint8_t turn; /* seat to move */
    uint8_t over;
    uint16_t plies;
    uint8_t unused[4];
    uint64_t empty[GOMOKU_WORDS];             /* bit = cell */
    uint8_t cell[(GOMOKU_CELLS + 7) / 8 * 8]; /* 0; 1, 2: a stone of seat 0, 1 */
} gomoku;

typedef struct gomoku_config {
    int size, cells, words, connect;
    int step[4];                   /* to the next cell of a row, column, diagonal, other diagonal */
    uint8_t room[GOMOKU_CELLS][8]; /* steps that matter: forwards by direction, then backwards */
} gomoku_config;

#define gomoku_STATE             sizeof(gomoku)
#define gomoku_seats(config)     2
#define gomoku_obs_bytes(config) ((size_t)(2 * ((const gomoku_config*)(config))->cells))
#define gomoku_words(config)     (((const gomoku_config*)(config))->words)

/* Fewer than `connect` steps, and none over the edge. */
static void gomoku_room(gomoku_config* c) {
    static const int down[8] = {0, 1, 1, 1, 0, -1, -1, -1};
    static const int right[8] = {1, 0, 1, -1, -1, 0, -1, 1};
    for (int i = 0; i < 8 * c->cells; i++) {
        const int d = i % 8;
        int row = i / 8 / c->size + down[d], col = i / 8 % c->size + right[d], steps = 0;
        while (row >= 0 && row < c->size && col >= 0 && col < c->size && steps + 1 < c->connect) {
            row += down[d];
            col += right[d];
            steps++;
        }
        c->room[i / 8][d] = (uint8_t)steps;
    }
    for (int d = 0; d < 4; d++)
        c->step[d] = down[d] * c->size + right[d];
}

static int gomoku_configure(agon_params* params, agon_spec* spec, void* config) {
    gomoku_config* c = (gomoku_config*)config;
    memset(c, 0, sizeof *c);
    c->size = agon_param_int(params, "size", 15, 5, GOMOKU_SIZE);
    c->connect = agon_param_int(params, "connect", 5, 3, c->size);
    c->cells = c->size * c->size;
    c->words = (c->cells + 63) / 64;
    gomoku_room(c);
    spec->seats = 2;
    spec->actions = c->cells;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_PERFECT;
    spec->max_plies = c->cells;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = gomoku_STATE;
    spec->planes = 2;
    spec->rows = spec->cols = c->size;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->plane_names[0] = "mine";
    spec->plane_names[1] = "theirs";
    spec->symmetries = 8;
    return params->error[0] ? -1 : 0;
}

AGON_FN void gomoku_init(const void* config, void* state) {
    const gomoku_config* c = (const gomoku_config*)config;
    gomoku* s = (gomoku*)state;
    memset(s, 0, gomoku_STATE);
    for (int w = 0; w < c->words; w++)
        s->empty[w] = ~0ull;
    if (c->cells % 64)
        s->empty[c->words - 1] = (1ull << c->cells % 64) - 1;
}

AGON_FN uint64_t gomoku_acting(const void* config, const void* state) {
    const gomoku* s = (const gomoku*)state;
    return s->over ? 0 : 1ull << s->turn;
}

AGON_FN void gomoku_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const int words = gomoku_words(config);
    for (int w = 0; w < words; w++)
        mask[w] = ((const gomoku*)state)->empty[w];
}

/* Stones in a row with the one on the cell, along direction d; what lies beyond `connect` may be
 * left out. */
AGON_FN int gomoku_run(const gomoku_config* c, const uint8_t* board, int cell, int d) {
    const int stone = board[cell], step = c->step[d];
    int ahead = 0, behind = 0;
    while (ahead < c->room[cell][d] && board[cell + (ahead + 1) * step] == stone)
        ahead++;
    while (behind < c->room[cell][d + 4] && board[cell - (behind + 1) * step] == stone)
        behind++;
    return ahead + 1 + behind;
}

AGON_FN int gomoku_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    const gomoku_config* c = (const gomoku_config*)config;
    gomoku* s = (gomoku*)state;
    const int seat = s->turn, cell = action[seat];
    int won = 0;
    if (s->over || cell >= c->cells || !(s->empty[cell / 64] >> cell % 64 & 1))
        return -1;
    s->empty[cell / 64] &= ~(1ull << cell % 64);
    s->cell[cell] = (uint8_t)(1 + seat);
    for (int d = 0; d < 4; d++)
        won |= gomoku_run(c, s->cell, cell, d) >= c->connect;
    s->turn = (uint8_t)(1 - seat);
    s->plies++;
    s->over = (uint8_t)(won || s->plies == c->cells);
    if (won) {
        reward[seat] += 1;
        reward[1 - seat] -= 1;
    }
    return 0;
}

/* Eight cells from `from` on, in two planes. */
AGON_FN void gomoku_eight(const uint8_t* cell, int cells, int seat, int from, uint8_t* planes) {
    const uint64_t ones = 0x0101010101010101ull;
    uint64_t eight, mine, theirs;
    memcpy(&eight, cell + from, 8);
    mine = eight >> seat & ones;
    theirs = eight >> (1 - seat) & ones;
    memcpy(planes + from, &mine, 8);
    memcpy(planes + cells + from, &theirs, 8);
}

AGON_FN void gomoku_observe(const void* config, const void* state, int seat, void* out) {
    const int cells = ((const gomoku_config*)config)->cells;
    const uint8_t* cell = ((const gomoku*)state)->cell;
    for (int i = 0; i < cells - 8; i += 8)
        gomoku_eight(cell, cells, seat, i, (uint8_t*)out);
    gomoku_eight(cell, cells, seat, cells - 8, (uint8_t*)out); /* overlaps the ones before */
}

static int gomoku_text(const void* config, const void* state, char* out, size_t size) {
    const gomoku_config* c = (const gomoku_config*)config;
    const gomoku* s = (const gomoku*)state;
    char board[1024];
    int n = snprintf(board, sizeof board, "   %.*s\n", c->size, "abcdefghijklmnopqrs");
    for (int i = 0; i < c->cells; i++) {
        if (i % c->size == 0)
            n += snprintf(board + n, sizeof board - (size_t)n, "%2d ", i / c->size + 1);
        board[n++] = ".xo"[s->cell[i]];
        if (i % c->size == c->size - 1)
            board[n++] = '\n';
    }
    return snprintf(out, size, "%.*s%s\n", n, board,
                    s->over   ? "over"
                    : s->turn ? "o to move"
                              : "x to move");
}

static int gomoku_action_name(const void* config, const void* state, int seat, int action,
                              char* out, size_t size) {
    const int n = ((const gomoku_config*)config)->size;
    return snprintf(out, size, "%c%d", 'a' + action % n, action / n + 1);
}

/* Bit 0 of g: columns in reverse order; bit 1: rows; bit 2: then rows and columns exchanged. */
AGON_FN int gomoku_symmetry_action(const void* config, int g, int action) {
    const int n = ((const gomoku_config*)config)->size;
    const int row = g & 2 ? n - 1 - action / n : action / n;
    const int col = g & 1 ? n - 1 - action % n : action % n;
    return g & 4 ? col * n + row : row * n + col;
}

AGON_FN void gomoku_symmetry(const void* config, int g, const void* state, void* out) {
    const gomoku_config* c = (const gomoku_config*)config;
    const gomoku* s = (const gomoku*)state;
    gomoku* t = (gomoku*)out;
    *t = *s;
    for (int i = 0; i < c->cells; i++) {
        const int to = gomoku_symmetry_action(config, g, i);
        t->cell[to] = s->cell[i];
        t->empty[to / 64] &= ~(1ull << to % 64);
        t->empty[to / 64] |= (s->empty[i / 64] >> i % 64 & 1) << to % 64;
    }
}

AGON_GAME_BATCH(gomoku)

const agon_game agon_game_gomoku = {
    AGON_GAME_HEAD(gomoku, 1, "five or more in a row, on a large board", sizeof(gomoku_config)),
    .text = gomoku_text,
    .action_name = gomoku_action_name,
    .symmetry = gomoku_symmetry,
    .symmetry_action = gomoku_symmetry_action,
};
