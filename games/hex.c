/* SPDX-License-Identifier: 0BSD
 *
 * hex: on a rhombus of board_size x board_size cells, seat 0 (x) and seat 1 (o) in turn put a stone
 * on a free cell. Seat 0 wins when its stones connect the first with the last row, seat 1 when its
 * stones connect the first with the last column: 1, the loser -1. Neighbours of a cell are those to
 * its left and right, the one above and the one above right, the one below and the one below left.
 * A full board connects exactly one of the two, so there are no draws. No swap.
 *
 * Action = cell = row * board_size + column, row 0 on top. The observation: one's own stones, the
 * other's, and a plane of ones for seat 1, which connects the other way. */
#include "agon_game.h"

#define HEX_SIZE  19
#define HEX_CELLS (HEX_SIZE * HEX_SIZE)
#define HEX_WORDS ((HEX_CELLS + 63) / 64)
#define HEX_EDGES 12

/* A byte of `cell`: bit 0, 1: a stone of seat 0, 1; bit 2, 3 (HEX_EDGES): it is connected with the
 * first, the last of its owner's edges. All stones of a chain have the same bits, and when the game
 * is over the edges' bits are cleared, so the position alone, not the order of moves, makes the
 * bytes. */
typedef struct hex {
    uint8_t turn; /* seat to move */
    uint8_t over;
    uint8_t unused[6];
    uint64_t empty[HEX_WORDS]; /* bit = cell */
    uint8_t cell[(HEX_CELLS + 7) / 8 * 8];
} hex;

typedef struct hex_config {
    int size, cells, words;
    uint16_t near[HEX_CELLS][6]; /* neighbours; the cell itself in place of a missing one */
    uint8_t edges[2][HEX_CELLS]; /* bits 2 and 3 of a lone stone, by seat */
} hex_config;

#define hex_STATE             sizeof(hex)
#define hex_seats(config)     2
#define hex_obs_bytes(config) ((size_t)(3 * ((const hex_config*)(config))->cells))
#define hex_words(config)     (((const hex_config*)(config))->words)

static void hex_neighbours(hex_config* c) {
    static const int step[6][2] = {{-1, 0}, {-1, 1}, {0, -1}, {0, 1}, {1, -1}, {1, 0}};
    const int n = c->size;
    for (int i = 0; i < c->cells; i++) {
        for (int k = 0; k < 6; k++) {
            const int row = i / n + step[k][0], col = i % n + step[k][1];
            const int inside = row >= 0 && row < n && col >= 0 && col < n;
            c->near[i][k] = (uint16_t)(inside ? row * n + col : i);
        }
        c->edges[0][i] = (uint8_t)(4 * (i / n == 0) + 8 * (i / n == n - 1));
        c->edges[1][i] = (uint8_t)(4 * (i % n == 0) + 8 * (i % n == n - 1));
    }
}

static int hex_configure(agon_params* params, agon_spec* spec, void* config) {
    hex_config* c = (hex_config*)config;
    memset(c, 0, sizeof *c);
    c->size = agon_param_int(params, "board_size", 11, 3, HEX_SIZE);
    c->cells = c->size * c->size;
    c->words = (c->cells + 63) / 64;
    hex_neighbours(c);
    spec->seats = 2;
    spec->actions = c->cells;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_PERFECT;
    spec->max_plies = c->cells;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = hex_STATE;
    spec->planes = 3;
    spec->rows = spec->cols = c->size;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->plane_names[0] = "mine";
    spec->plane_names[1] = "theirs";
    spec->plane_names[2] = "i_am_second";
    spec->symmetries = 2;
    return params->error[0] ? -1 : 0;
}

AGON_FN void hex_init(const void* config, void* state) {
    const hex_config* c = (const hex_config*)config;
    hex* s = (hex*)state;
    memset(s, 0, hex_STATE);
    for (int w = 0; w < c->words; w++)
        s->empty[w] = ~0ull;
    if (c->cells % 64)
        s->empty[c->words - 1] = (1ull << c->cells % 64) - 1;
}

AGON_FN uint64_t hex_acting(const void* config, const void* state) {
    const hex* s = (const hex*)state;
    return s->over ? 0 : 1ull << s->turn;
}

AGON_FN void hex_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const int words = hex_words(config);
    for (int w = 0; w < words; w++)
        mask[w] = ((const hex*)state)->empty[w];
}

/* Gives a chain its bits, from a stone that has them already. Without branches on stones: what lies
 * around is hard to predict. */
AGON_FN void hex_flood(const hex_config* c, uint8_t* board, int cell, int seat) {
    const uint8_t bits = board[cell];
    uint16_t stack[HEX_CELLS + 1];
    int height = 1;
    stack[0] = (uint16_t)cell;
    while (height) {
        const uint16_t* near = c->near[stack[--height]];
        for (int k = 0; k < 6; k++) {
            const int next = near[k], stone = board[next];
            const int change = (stone >> seat & 1) & (stone != bits);
            board[next] = (uint8_t)(change ? bits : stone);
            stack[height] = (uint16_t)next;
            height += change;
        }
    }
}

/* Puts a stone and joins the chains around it; true when that connects the seat's edges. */
AGON_FN int hex_put(const hex_config* c, uint8_t* board, int cell, int seat) {
    int any = 1 << seat | c->edges[seat][cell], all = 255;
    for (int k = 0; k < 6; k++) {
        const int stone = board[c->near[cell][k]], own = -(stone >> seat & 1);
        any |= stone & own;
        all &= stone | ~own;
    }
    board[cell] = (uint8_t)any;
    if ((any & HEX_EDGES) == HEX_EDGES)
        return 1;
    if (any & ~all)
        hex_flood(c, board, cell, seat);
    return 0;
}

AGON_FN void hex_finish(const hex_config* c, hex* s, float* reward) {
    for (int i = 0; i < c->cells; i++)
        s->cell[i] &= (uint8_t)~HEX_EDGES;
    s->over = 1;
    reward[s->turn] += 1;
    reward[1 - s->turn] -= 1;
}

AGON_FN int hex_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    const hex_config* c = (const hex_config*)config;
    hex* s = (hex*)state;
    const int cell = action[s->turn];
    if (s->over || cell >= c->cells || !(s->empty[cell / 64] >> cell % 64 & 1))
        return -1;
    s->empty[cell / 64] &= ~(1ull << cell % 64);
    if (hex_put(c, s->cell, cell, s->turn))
        hex_finish(c, s, reward);
    s->turn = (uint8_t)(1 - s->turn);
    return 0;
}

/* Eight cells from `from` on, in three planes. */
AGON_FN void hex_eight(const uint8_t* cell, int cells, int seat, int from, uint8_t* planes) {
    const uint64_t ones = 0x0101010101010101ull, second = seat ? ones : 0;
    uint64_t eight, mine, theirs;
    memcpy(&eight, cell + from, 8);
    mine = eight >> seat & ones;
    theirs = eight >> (1 - seat) & ones;
    memcpy(planes + from, &mine, 8);
    memcpy(planes + cells + from, &theirs, 8);
    memcpy(planes + 2 * cells + from, &second, 8);
}

AGON_FN void hex_observe(const void* config, const void* state, int seat, void* out) {
    const int cells = ((const hex_config*)config)->cells;
    const uint8_t* cell = ((const hex*)state)->cell;
    for (int i = 0; i < cells - 8; i += 8)
        hex_eight(cell, cells, seat, i, (uint8_t*)out);
    hex_eight(cell, cells, seat, cells - 8, (uint8_t*)out); /* overlaps the ones before */
}

static int hex_text(const void* config, const void* state, char* out, size_t size) {
    const hex_config* c = (const hex_config*)config;
    const hex* s = (const hex*)state;
    char board[HEX_SIZE * 64];
    int n = 0;
    for (int row = -1; row < c->size; row++) {
        if (row < 0)
            n += snprintf(board + n, sizeof board - (size_t)n, "  ");
        else
            n += snprintf(board + n, sizeof board - (size_t)n, "%*s%2d", row, "", row + 1);
        for (int col = 0; col < c->size; col++) {
            board[n++] = ' ';
            board[n++] = row < 0 ? (char)('a' + col) : ".xo"[s->cell[row * c->size + col] & 3];
        }
        board[n++] = '\n';
    }
    return snprintf(out, size, "%.*s%s\n", n, board,
                    s->over   ? "over"
                    : s->turn ? "o to move"
                              : "x to move");
}

static int hex_action_name(const void* config, const void* state, int seat, int action, char* out,
                           size_t size) {
    const int n = ((const hex_config*)config)->size;
    return snprintf(out, size, "%c%d", 'a' + action % n, action / n + 1);
}

/* Half a turn; the edges of each seat change places. */
AGON_FN int hex_symmetry_action(const void* config, int g, int action) {
    return g ? ((const hex_config*)config)->cells - 1 - action : action;
}

AGON_FN void hex_symmetry(const void* config, int g, const void* state, void* out) {
    const hex_config* c = (const hex_config*)config;
    const hex* s = (const hex*)state;
    hex* t = (hex*)out;
    *t = *s;
    for (int i = 0; i < c->cells && g; i++) {
        const int to = c->cells - 1 - i, bits = s->cell[i];
        t->cell[to] = (uint8_t)((bits & 3) | (bits & 4) << 1 | (bits & 8) >> 1);
        t->empty[to / 64] &= ~(1ull << to % 64);
        t->empty[to / 64] |= (s->empty[i / 64] >> i % 64 & 1) << to % 64;
    }
}

AGON_GAME_BATCH(hex)

const agon_game agon_game_hex = {
    AGON_GAME_HEAD(hex, 1, "connect your two edges of a rhombus", sizeof(hex_config)),
    .text = hex_text,
    .action_name = hex_action_name,
    .symmetry = hex_symmetry,
    .symmetry_action = hex_symmetry_action,
};
