/* SPDX-License-Identifier: 0BSD
 *
 * breakthrough: on a rows x cols board (at most 64 cells) seat 0 has its men on the first rows,
 * seat 1 on the last ones: two rows each, one row each when there are fewer than 6. In turn, a seat
 * moves one man one step towards the other side, straight or diagonally. It may enter a free cell,
 * or diagonally one with a man of the other, which is taken. Who reaches the farthest row, or takes
 * the last man, wins: 1, the loser -1. There are no draws, and somebody can always move.
 *
 * Cell = row * cols + column, row 0 on top. Action = 12 * cell + 2 * direction + takes: the cell is
 * where the man stands; direction 0, 1, 2 is down left, down, down right (seat 0), 3, 4, 5 is up
 * left, up, up right (seat 1); takes is 1 when a man is taken. The observation: one's own men, then
 * the other's, with the board turned over for seat 1, so that every seat moves down. */
#include "agon_game.h"

#define BREAKTHROUGH_SIDE 16 /* most rows, most columns */

typedef struct breakthrough {
    uint64_t men[2]; /* by seat; bit = cell */
    uint8_t turn;    /* seat to move */
    uint8_t over;
    uint8_t unused[6];
} breakthrough;

typedef struct breakthrough_config {
    int rows, cols, cells;
    uint64_t board, left, right; /* all cells; the first and the last column */
    uint64_t edge[3];            /* the cells that cannot be left to the left, straight on, right */
    uint64_t last[2];            /* by seat: the farthest row */
    int step[2];                 /* by seat: to the next row */
    /* By seat: what four cells add to the mask. Bits 0..3 of the index, one per cell, are at 0, 12,
     * 24, 36, bits 4..7 four higher; seat 1 six higher. */
    uint64_t slots[2][256];
    uint64_t bytes[256]; /* eight bits as bytes */
} breakthrough_config;

#define breakthrough_STATE             sizeof(breakthrough)
#define breakthrough_seats(config)     2
#define breakthrough_obs_bytes(config) ((size_t)(2 * ((const breakthrough_config*)(config))->cells))
#define breakthrough_words(config)     ((((const breakthrough_config*)(config))->cells * 12 + 63) / 64)

static void breakthrough_tables(breakthrough_config* c) {
    c->board = ~0ull >> (64 - c->cells);
    for (int row = 0; row < c->rows; row++)
        c->left |= 1ull << row * c->cols;
    c->right = c->left << (c->cols - 1);
    c->edge[0] = c->left;
    c->edge[2] = c->right;
    c->last[1] = (1ull << c->cols) - 1;
    c->last[0] = c->last[1] << (c->cells - c->cols);
    c->step[0] = c->cols;
    c->step[1] = -c->cols;
    for (int i = 0; i < 256 * 8; i++) {
        const uint64_t bit = i / 8 >> i % 8 & 1;
        c->bytes[i / 8] |= bit << i % 8 * 8;
        c->slots[0][i / 8] |= bit << (i % 4 * 12 + i % 8 / 4 * 4);
        c->slots[1][i / 8] |= bit << (i % 4 * 12 + i % 8 / 4 * 4 + 6);
    }
}

static int breakthrough_configure(agon_params* params, agon_spec* spec, void* config) {
    breakthrough_config* c = (breakthrough_config*)config;
    const int rows = agon_param_int(params, "rows", 8, 3, BREAKTHROUGH_SIDE);
    const int fit = rows < 4 ? BREAKTHROUGH_SIDE : 64 / rows;
    const int cols = agon_param_int(params, "cols", fit < 8 ? fit : 8, rows < 4 ? 3 : 2, fit);
    memset(c, 0, sizeof *c);
    c->rows = rows;
    c->cols = cols;
    c->cells = rows * cols;
    breakthrough_tables(c);
    spec->seats = 2;
    spec->actions = 12 * c->cells;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_PERFECT;
    /* Every ply but the last moves a man one row on, and leaves it before the farthest row. */
    spec->max_plies = 2 * cols * (rows < 6 ? rows - 2 : 2 * rows - 5) + 1;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = breakthrough_STATE;
    spec->planes = 2;
    spec->rows = rows;
    spec->cols = cols;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->plane_names[0] = "mine";
    spec->plane_names[1] = "theirs";
    spec->symmetries = 2;
    return params->error[0] ? -1 : 0;
}

AGON_FN void breakthrough_init(const void* config, void* state) {
    const breakthrough_config* c = (const breakthrough_config*)config;
    breakthrough* s = (breakthrough*)state;
    const int men = c->cols * (c->rows < 6 ? 1 : 2);
    memset(s, 0, breakthrough_STATE);
    s->men[0] = (1ull << men) - 1;
    s->men[1] = s->men[0] << (c->cells - men);
}

AGON_FN uint64_t breakthrough_acting(const void* config, const void* state) {
    const breakthrough* s = (const breakthrough*)state;
    return s->over ? 0 : 1ull << s->turn;
}

/* The cells whose next cell, in the seat's direction, is in `set`. */
AGON_FN uint64_t breakthrough_before(const breakthrough_config* c, int seat, uint64_t set) {
    return seat ? set << c->cols : set >> c->cols;
}

/* Of every eight cells the first four (odd: the last four): those in `low` in the low half of the
 * byte, those in `high` in the high half. */
AGON_FN uint64_t breakthrough_pair(uint64_t low, uint64_t high, int odd) {
    const uint64_t half = 0x0f0f0f0f0f0f0f0full;
    return odd ? (low >> 4 & half) | (high & ~half) : (low & half) | (high & half) << 4;
}

/* The cells from which a seat may step or take: to the sides as pairs, and straight on. */
typedef struct breakthrough_moves {
    uint64_t step[2], take[2], on;
} breakthrough_moves;

AGON_FN breakthrough_moves breakthrough_find(const breakthrough_config* c, const breakthrough* s,
                                             int seat) {
    const uint64_t mine = s->men[seat], theirs = s->men[1 - seat];
    const uint64_t empty = breakthrough_before(c, seat, c->board & ~(mine | theirs));
    const uint64_t enemy = breakthrough_before(c, seat, theirs);
    const uint64_t may_left = mine & ~c->left, may_right = mine & ~c->right;
    breakthrough_moves m;
    for (int odd = 0; odd < 2; odd++) {
        m.step[odd] = breakthrough_pair(may_left & empty << 1, may_right & empty >> 1, odd);
        m.take[odd] = breakthrough_pair(may_left & enemy << 1, may_right & enemy >> 1, odd);
    }
    m.on = mine & empty;
    return m;
}

/* 48 bits of the mask: the actions from four cells, the half-th four of the sixteen lowest. */
AGON_FN uint64_t breakthrough_slots(const breakthrough_config* c, const breakthrough_moves* m,
                                    int seat, int half) {
    const int byte = half / 2 * 8;
    return c->slots[seat][m->step[half & 1] >> byte & 255] |
           c->slots[seat][m->take[half & 1] >> byte & 255] << 1 |
           c->slots[seat][m->on >> 4 * half & 15] << 2;
}

/* 16 cells are 3 words; the sets are shifted down 16 cells at a time. */
AGON_FN void breakthrough_fill(const breakthrough_config* c, breakthrough_moves m, int seat,
                               int words, uint64_t* mask) {
    for (int w = 0; w < words; w += 3) {
        const uint64_t first = breakthrough_slots(c, &m, seat, 0);
        const uint64_t second = breakthrough_slots(c, &m, seat, 1);
        const uint64_t third = breakthrough_slots(c, &m, seat, 2);
        const uint64_t fourth = breakthrough_slots(c, &m, seat, 3);
        mask[w] = first | second << 48;
        if (w + 1 < words)
            mask[w + 1] = second >> 16 | third << 32;
        if (w + 2 < words)
            mask[w + 2] = third >> 32 | fourth << 16;
        m.step[0] >>= 16, m.step[1] >>= 16, m.take[0] >>= 16, m.take[1] >>= 16, m.on >>= 16;
    }
}

AGON_FN void breakthrough_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const breakthrough_config* c = (const breakthrough_config*)config;
    const breakthrough_moves m = breakthrough_find(c, (const breakthrough*)state, seat);
    if (c->cells == 64) /* the usual size, with constant shifts */
        breakthrough_fill(c, m, seat, 12, mask);
    else
        breakthrough_fill(c, m, seat, breakthrough_words(config), mask);
}

/* The cell that a legal action enters, -1 for an illegal one. Who moves where is random, hence
 * tables and sets in place of branches. */
AGON_FN int breakthrough_target(const breakthrough_config* c, const breakthrough* s, int action) {
    const int seat = s->turn, cell = action / 12, takes = action & 1;
    const int direction = action % 12 / 2 - 3 * seat;
    if (s->over || cell >= c->cells || direction < 0 || direction > 2)
        return -1;
    const int target = cell + c->step[seat] + direction - 1;
    if (!((s->men[seat] & ~c->edge[direction]) >> cell & 1) || (takes & (direction == 1)))
        return -1;
    const uint64_t all = s->men[0] | s->men[1], taking = 0 - (uint64_t)takes;
    const uint64_t enter = (s->men[1 - seat] & taking) | (c->board & ~(all | taking));
    return enter >> target & 1 ? target : -1;
}

AGON_FN int breakthrough_apply(const void* config, void* state, const uint16_t* action,
                               float* reward) {
    const breakthrough_config* c = (const breakthrough_config*)config;
    breakthrough* s = (breakthrough*)state;
    const int seat = s->turn, target = breakthrough_target(c, s, action[seat]);
    if (target < 0)
        return -1;
    s->men[seat] ^= 1ull << (action[seat] / 12) | 1ull << target;
    s->men[1 - seat] &= ~(1ull << target);
    s->turn = (uint8_t)(1 - seat);
    s->over = (uint8_t)((c->last[seat] >> target & 1) | !s->men[1 - seat]);
    if (s->over) {
        reward[seat] += 1;
        reward[1 - seat] -= 1;
    }
    return 0;
}

/* Rows in reverse order. */
AGON_FN uint64_t breakthrough_turned(const breakthrough_config* c, uint64_t set) {
    const uint64_t row = (1ull << c->cols) - 1;
    uint64_t turned = 0;
    if (c->cols == 8 && c->rows == 8) {
        set = (set & 0x00ff00ff00ff00ffull) << 8 | (set >> 8 & 0x00ff00ff00ff00ffull);
        set = (set & 0x0000ffff0000ffffull) << 16 | (set >> 16 & 0x0000ffff0000ffffull);
        return set << 32 | set >> 32;
    }
    for (int i = 0; i < c->cells; i += c->cols)
        turned = turned << c->cols | (set >> i & row);
    return turned;
}

/* Eight cells at a time; the last eight overlap the ones before. */
AGON_FN void breakthrough_plane(const breakthrough_config* c, uint64_t bits, int cells,
                                uint8_t* plane) {
    for (int i = 0; i < cells - 8; i += 8)
        memcpy(plane + i, &c->bytes[bits >> i & 255], 8);
    memcpy(plane + cells - 8, &c->bytes[bits >> (cells - 8)], 8);
}

AGON_FN void breakthrough_observe(const void* config, const void* state, int seat, void* out) {
    const breakthrough_config* c = (const breakthrough_config*)config;
    uint8_t* plane = (uint8_t*)out;
    for (int i = 0; i < 2; i++, plane += c->cells) {
        const uint64_t men = ((const breakthrough*)state)->men[seat ^ i];
        const uint64_t seen = seat ? breakthrough_turned(c, men) : men;
        if (c->cells == 64) /* the usual size, with constant shifts */
            breakthrough_plane(c, seen, 64, plane);
        else
            breakthrough_plane(c, seen, c->cells, plane);
    }
}

/* Rows are numbered from the bottom. */
static int breakthrough_text(const void* config, const void* state, char* out, size_t size) {
    const breakthrough_config* c = (const breakthrough_config*)config;
    const breakthrough* s = (const breakthrough*)state;
    char board[512];
    int n = 0;
    for (int i = 0; i < c->cells; i++) {
        if (i % c->cols == 0)
            n += snprintf(board + n, sizeof board - (size_t)n, "%2d ", c->rows - i / c->cols);
        board[n++] = ".bw"[(s->men[0] >> i & 1) + 2 * (s->men[1] >> i & 1)];
        if (i % c->cols == c->cols - 1)
            board[n++] = '\n';
    }
    return snprintf(out, size, "%.*s   %.*s\n%s\n", n, board, c->cols, "abcdefghijklmnop",
                    s->over   ? "over"
                    : s->turn ? "w to move"
                              : "b to move");
}

/* From and to, as in a8b7; a star follows when a man is taken. */
static int breakthrough_action_name(const void* config, const void* state, int seat, int action,
                                    char* out, size_t size) {
    const breakthrough_config* c = (const breakthrough_config*)config;
    const int row = action / 12 / c->cols, col = action / 12 % c->cols;
    const int direction = action % 12 / 2, down = direction < 3 ? 1 : -1;
    return snprintf(out, size, "%c%d%c%d%s", 'a' + col, c->rows - row,
                    'a' + col + direction % 3 - 1, c->rows - row - down, action & 1 ? "*" : "");
}

/* Columns in reverse order: left and right change places. */
AGON_FN int breakthrough_symmetry_action(const void* config, int g, int action) {
    const int cols = ((const breakthrough_config*)config)->cols;
    const int cell = action / 12, direction = action % 12 / 2, col = cell % cols;
    if (!g)
        return action;
    return 12 * (cell - col + cols - 1 - col) + 2 * (direction / 3 * 3 + 2 - direction % 3) +
           (action & 1);
}

AGON_FN void breakthrough_symmetry(const void* config, int g, const void* state, void* out) {
    const breakthrough_config* c = (const breakthrough_config*)config;
    breakthrough t = *(const breakthrough*)state;
    for (int seat = 0; seat < 2 && g; seat++) {
        const uint64_t men = t.men[seat];
        t.men[seat] = 0;
        for (int col = 0; col < c->cols; col++)
            t.men[seat] |= (men >> col & c->left) << (c->cols - 1 - col);
    }
    *(breakthrough*)out = t;
}

AGON_GAME_BATCH(breakthrough)

const agon_game agon_game_breakthrough = {
    AGON_GAME_HEAD(breakthrough, 1, "race men to the other side", sizeof(breakthrough_config)),
    .text = breakthrough_text,
    .action_name = breakthrough_action_name,
    .symmetry = breakthrough_symmetry,
    .symmetry_action = breakthrough_symmetry_action,
};
