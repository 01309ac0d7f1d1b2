/* SPDX-License-Identifier: 0BSD
 *
 * othello: on a board of rows x cols (4, 6 or 8 each), seat 0 (x) and seat 1 (o) in turn put a
 * stone on a free cell so that it encloses, in at least one of eight directions, a straight run of
 * the other's stones between itself and another stone of its own; all runs so enclosed change
 * sides. Who has no such cell passes; when neither has, the game is over. More stones win: 1, the
 * loser -1; 0 when equal. The four stones of the start are in the middle: o upper left and lower
 * right, x the others.
 *
 * Action = cell = row * cols + column, row 0 on top; rows * cols is the pass, legal only when no
 * cell is. The observation: one's own stones, the other's, and the cells one may take now (none
 * when it is the other's turn). Of the board's symmetries those that keep the colours of the start
 * are offered: the identity, half a turn and, where it is square, the two diagonals. */
#include "agon_game.h"

typedef struct othello {
    uint64_t stones[2]; /* by seat; bit = cell */
    uint64_t moves;     /* cells that the seat to move may take; none: it has to pass */
    uint8_t turn;       /* seat to move */
    uint8_t over;
    uint8_t unused[6];
} othello;

typedef struct othello_config {
    int rows, cols, cells;
    uint64_t board; /* all cells */
    uint64_t inner; /* all but the first and the last column: where runs may pass sideways */
} othello_config;

#define othello_STATE             sizeof(othello)
#define othello_seats(config)     2
#define othello_obs_bytes(config) ((size_t)(3 * ((const othello_config*)(config))->cells))
#define othello_words(config)     (((const othello_config*)(config))->cells / 64 + 1)

static int othello_even(agon_params* params, const char* name) {
    const int size = agon_param_int(params, name, 8, 4, 8);
    if (size % 2 && !params->error[0])
        snprintf(params->error, sizeof params->error, "%s=%d: expected an even number", name, size);
    return size;
}

static int othello_configure(agon_params* params, agon_spec* spec, void* config) {
    othello_config* c = (othello_config*)config;
    c->rows = othello_even(params, "rows");
    c->cols = othello_even(params, "cols");
    c->cells = c->rows * c->cols;
    c->board = ~0ull >> (64 - c->cells);
    c->inner = c->board;
    for (int row = 0; row < c->rows; row++)
        c->inner &= ~((1ull | 1ull << (c->cols - 1)) << row * c->cols);
    spec->seats = 2;
    spec->actions = c->cells + 1;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_PERFECT;
    /* The first and the last ply take a cell, and so does the one after a pass. */
    spec->max_plies = 2 * (c->cells - 4) - 1;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = othello_STATE;
    spec->planes = 3;
    spec->rows = c->rows;
    spec->cols = c->cols;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->plane_names[0] = "mine";
    spec->plane_names[1] = "theirs";
    spec->plane_names[2] = "my_moves";
    spec->symmetries = c->rows == c->cols ? 4 : 2;
    return params->error[0] ? -1 : 0;
}

AGON_FN uint64_t othello_shift(uint64_t cells, int step, int up) {
    return up ? cells << step : cells >> step;
}

/* The runs of `through` that begin beside `from`, towards higher (up = 1) or lower cells. Doubled:
 * one cell, two, then up to six. */
AGON_FN uint64_t othello_runs(uint64_t from, uint64_t through, int step, int up) {
    const uint64_t pairs = through & othello_shift(through, step, up);
    uint64_t run = through & othello_shift(from, step, up);
    run |= through & othello_shift(run, step, up);
    run |= pairs & othello_shift(run, 2 * step, up);
    run |= pairs & othello_shift(run, 2 * step, up);
    return run;
}

/* The cells behind all runs of one line's two directions. */
AGON_FN uint64_t othello_behind(uint64_t mine, uint64_t through, int step) {
    return othello_shift(othello_runs(mine, through, step, 0), step, 0) |
           othello_shift(othello_runs(mine, through, step, 1), step, 1);
}

/* Of one line, the runs beside `stone` that one of `mine` closes. */
AGON_FN uint64_t othello_closed(uint64_t stone, uint64_t mine, uint64_t through, int step) {
    const uint64_t low = othello_runs(stone, through, step, 0);
    const uint64_t high = othello_runs(stone, through, step, 1);
    return (mine & othello_shift(low, step, 0) ? low : 0) |
           (mine & othello_shift(high, step, 1) ? high : 0);
}

/* The cells a seat may take. */
AGON_FN uint64_t othello_find(const othello_config* c, uint64_t mine, uint64_t theirs, int cols) {
    const uint64_t side = theirs & c->inner;
    return c->board & ~(mine | theirs) &
           (othello_behind(mine, side, 1) | othello_behind(mine, theirs, cols) |
            othello_behind(mine, side, cols - 1) | othello_behind(mine, side, cols + 1));
}

/* The stones that a new stone turns over. */
AGON_FN uint64_t othello_turned(const othello_config* c, uint64_t stone, uint64_t mine,
                                uint64_t theirs, int cols) {
    const uint64_t side = theirs & c->inner;
    return othello_closed(stone, mine, side, 1) | othello_closed(stone, mine, theirs, cols) |
           othello_closed(stone, mine, side, cols - 1) |
           othello_closed(stone, mine, side, cols + 1);
}

/* The usual width is written out so that its shifts are constants. */
AGON_FN uint64_t othello_moves(const othello_config* c, uint64_t mine, uint64_t theirs) {
    return c->cols == 8 ? othello_find(c, mine, theirs, 8) : othello_find(c, mine, theirs, c->cols);
}

AGON_FN uint64_t othello_flips(const othello_config* c, uint64_t stone, uint64_t mine,
                               uint64_t theirs) {
    return c->cols == 8 ? othello_turned(c, stone, mine, theirs, 8)
                        : othello_turned(c, stone, mine, theirs, c->cols);
}

AGON_FN void othello_init(const void* config, void* state) {
    const othello_config* c = (const othello_config*)config;
    othello* s = (othello*)state;
    const int upper_left = (c->rows / 2 - 1) * c->cols + c->cols / 2 - 1;
    memset(s, 0, othello_STATE);
    s->stones[0] = 1ull << (upper_left + 1) | 1ull << (upper_left + c->cols);
    s->stones[1] = 1ull << upper_left | 1ull << (upper_left + c->cols + 1);
    s->moves = othello_moves(c, s->stones[0], s->stones[1]);
}

AGON_FN uint64_t othello_acting(const void* config, const void* state) {
    const othello* s = (const othello*)state;
    return s->over ? 0 : 1ull << s->turn;
}

AGON_FN void othello_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const othello_config* c = (const othello_config*)config;
    const othello* s = (const othello*)state;
    const uint64_t pass = s->moves == 0;
    mask[0] = s->moves;
    if (c->cells == 64)
        mask[1] = pass;
    else
        mask[0] |= pass << c->cells;
}

AGON_FN int othello_count(uint64_t cells) {
    cells -= cells >> 1 & 0x5555555555555555ull;
    cells = (cells & 0x3333333333333333ull) + (cells >> 2 & 0x3333333333333333ull);
    cells = (cells + (cells >> 4)) & 0x0f0f0f0f0f0f0f0full;
    return (int)(cells * 0x0101010101010101ull >> 56);
}

AGON_FN void othello_finish(othello* s, float* reward) {
    const int lead = othello_count(s->stones[0]) - othello_count(s->stones[1]);
    const float gain = (float)((lead > 0) - (lead < 0));
    s->over = 1;
    reward[0] += gain;
    reward[1] -= gain;
}

AGON_FN int othello_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    const othello_config* c = (const othello_config*)config;
    othello* s = (othello*)state;
    const int seat = s->turn, other = 1 - seat, cell = action[seat];
    if (s->over || cell > c->cells || (cell == c->cells ? s->moves != 0 : !(s->moves >> cell & 1)))
        return -1;
    if (cell < c->cells) {
        const uint64_t stone = 1ull << cell;
        const uint64_t flips = othello_flips(c, stone, s->stones[seat], s->stones[other]);
        s->stones[seat] |= stone | flips;
        s->stones[other] &= ~flips;
    }
    s->turn = (uint8_t)other;
    s->moves = othello_moves(c, s->stones[other], s->stones[seat]);
    if (!s->moves && !othello_moves(c, s->stones[seat], s->stones[other]))
        othello_finish(s, reward);
    return 0;
}

/* Seven bits as bytes: copies at every seventh bit leave one of them in each byte. */
AGON_FN void othello_spread(uint64_t bits, uint8_t* bytes) {
    const uint64_t spread = (bits & 0x7f) * 0x0002040810204081ull & 0x0101010101010101ull;
    memcpy(bytes, &spread, 8);
}

AGON_FN void othello_plane(uint64_t bits, int cells, uint8_t* plane) {
    for (int i = 0; i < cells - 8; i += 7)
        othello_spread(bits >> i, plane + i);
    othello_spread(bits >> (cells - 8), plane + cells - 8);
    plane[cells - 1] = bits >> (cells - 1) & 1;
}

AGON_FN void othello_observe(const void* config, const void* state, int seat, void* out) {
    const int cells = ((const othello_config*)config)->cells;
    const othello* s = (const othello*)state;
    uint8_t* plane = (uint8_t*)out;
    othello_plane(s->stones[seat], cells, plane);
    othello_plane(s->stones[1 - seat], cells, plane + cells);
    othello_plane(seat == s->turn ? s->moves : 0, cells, plane + 2 * cells);
}

static int othello_text(const void* config, const void* state, char* out, size_t size) {
    const othello_config* c = (const othello_config*)config;
    const othello* s = (const othello*)state;
    char board[128];
    int n = snprintf(board, sizeof board, "  %.*s\n", c->cols, "abcdefgh");
    for (int i = 0; i < c->cells; i++) {
        if (i % c->cols == 0)
            n += snprintf(board + n, sizeof board - (size_t)n, "%d ", i / c->cols + 1);
        board[n++] = ".xo"[(s->stones[0] >> i & 1) + 2 * (s->stones[1] >> i & 1)];
        if (i % c->cols == c->cols - 1)
            board[n++] = '\n';
    }
    return snprintf(out, size, "%.*s%s\n", n, board,
                    s->over   ? "over"
                    : s->turn ? "o to move"
                              : "x to move");
}

static int othello_action_name(const void* config, const void* state, int seat, int action,
                               char* out, size_t size) {
    const othello_config* c = (const othello_config*)config;
    if (action == c->cells)
        return snprintf(out, size, "pass");
    return snprintf(out, size, "%c%d", 'a' + action % c->cols, action / c->cols + 1);
}

/* On a square board bit 0 of g: rows and columns exchanged, bit 1: half a turn; on others half a
 * turn alone. */
AGON_FN int othello_symmetry_action(const void* config, int g, int action) {
    const othello_config* c = (const othello_config*)config;
    if (action == c->cells)
        return action;
    const int square = c->rows == c->cols, half_turn = square ? g & 2 : g;
    const int cell = square && (g & 1) ? action % c->cols * c->cols + action / c->cols : action;
    return half_turn ? c->cells - 1 - cell : cell;
}

AGON_FN void othello_symmetry(const void* config, int g, const void* state, void* out) {
    const othello_config* c = (const othello_config*)config;
    const othello* s = (const othello*)state;
    othello t = *s;
    t.stones[0] = t.stones[1] = t.moves = 0;
    for (int i = 0; i < c->cells; i++) {
        const int to = othello_symmetry_action(config, g, i);
        t.stones[0] |= (s->stones[0] >> i & 1) << to;
        t.stones[1] |= (s->stones[1] >> i & 1) << to;
        t.moves |= (s->moves >> i & 1) << to;
    }
    *(othello*)out = t;
}

AGON_GAME_BATCH(othello)

const agon_game agon_game_othello = {
    AGON_GAME_HEAD(othello, 1, "enclose the other's stones to turn them over",
                   sizeof(othello_config)),
    .text = othello_text,
    .action_name = othello_action_name,
    .symmetry = othello_symmetry,
    .symmetry_action = othello_symmetry_action,
};
