/* SPDX-License-Identifier: 0BSD
 * connect_four: in turn, two seats drop a stone into a column; it falls to the lowest free cell.
 * `connect` stones in a row, column or diagonal win (1, the loser -1); a full board is a draw.
 * Action = column. Cell = bit row * cols + column, row 0 on top; a plane is those bits as bytes. */
#include "agon_game.h"

typedef struct connect_four {
    uint64_t stones[2], plies, over; /* stones by seat */
} connect_four;
typedef struct connect_four_config {
    int rows, cols, cells;
    int shift[4][3];              /* by direction, to grow a run of 1 to 2, .. to `connect` */
    uint64_t first[4];            /* by direction, where a line may begin so that it fits */
    uint64_t top, bottom, column; /* row, row, column 0 */
    uint64_t bytes[256];          /* eight bits as bytes */
} connect_four_config;
#define connect_four_STATE             sizeof(connect_four)
#define connect_four_seats(config)     2
#define connect_four_obs_bytes(config) ((size_t)(2 * ((const connect_four_config*)(config))->cells))
#define connect_four_words(config)     1
static int connect_four_configure(agon_params* params, agon_spec* spec, void* config) {
    connect_four_config* c = (connect_four_config*)config;
    const int rows = agon_param_int(params, "rows", 6, 4, 10);
    const int fit = rows < 6 ? 10 : 64 / (rows + 1);
    const int cols = agon_param_int(params, "cols", fit < 7 ? fit : 7, 4, fit);
    const int cells = rows * cols, side = rows > cols ? rows : cols;
    const int k = agon_param_int(params, "connect", 4, 3, side < 6 ? side : 6);
    const uint64_t top = (1ull << cols) - 1, column = ((1ull << cells) - 1) / top;
    const uint64_t left = k > cols ? 0 : (top >> (k - 1)) * column;
    const uint64_t high = k > rows ? 0 : (1ull << (rows - k + 1) * cols) - 1;
    c->rows = spec->rows = rows, c->cols = spec->cols = cols, c->cells = cells;
    c->top = top, c->bottom = top << (cells - cols), c->column = column;
    const int step[4] = {1, cols, cols + 1, cols - 1}, add[3] = {1, 1 + (k > 3), k > 4 ? k - 4 : 0};
    const uint64_t first[4] = {left, high, high & left, high & left << (k - 1)};
    memcpy(c->first, first, sizeof first);
    for (int i = 0; i < 12; i++)
        c->shift[i % 4][i / 4] = step[i % 4] * add[i / 4];
    for (int i = 0; i < 256 * 8; i++)
        c->bytes[i / 8] |= (uint64_t)(i / 8 >> i % 8 & 1) << i % 8 * 8;
    spec->seats = 2, spec->actions = cols, spec->max_plies = cells, spec->symmetries = 2;
    spec->utility = AGON_ZERO_SUM, spec->return_min = -1, spec->return_max = 1, spec->obs_scale = 1;
    spec->information = AGON_PERFECT, spec->state_size = connect_four_STATE;
    spec->planes = 2, spec->plane_names[0] = "mine", spec->plane_names[1] = "theirs";
    return params->error[0] ? -1 : 0;
}
AGON_FN void connect_four_init(const void* config, void* state) {
    memset(state, 0, connect_four_STATE);
}
AGON_FN uint64_t connect_four_acting(const void* config, const void* state) {
    const connect_four* s = (const connect_four*)state;
    return (uint64_t)!s->over << (s->plies & 1);
}
AGON_FN void connect_four_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const connect_four* s = (const connect_four*)state;
    mask[0] = ((const connect_four_config*)config)->top & ~(s->stones[0] | s->stones[1]);
}
AGON_FN int connect_four_apply(const void* config, void* state, const uint16_t* action, float* r) {
    const connect_four_config* c = (const connect_four_config*)config;
    connect_four* s = (connect_four*)state;
    const int seat = s->plies & 1, column = action[seat];
    uint64_t all = s->stones[0] | s->stones[1], lines = 0;
    if (s->over || column >= c->cols || (all >> column & 1))
        return -1;
    s->stones[seat] |= ~all & (all >> c->cols | c->bottom) & c->column << column;
    for (int d = 0; d < 4; d++) {
        uint64_t run = s->stones[seat] & s->stones[seat] >> c->shift[d][0];
        run &= run >> c->shift[d][1];
        lines |= run & run >> c->shift[d][2] & c->first[d];
    }
    s->over = ++s->plies == (uint64_t)c->cells || lines;
    r[seat] += (float)(lines != 0), r[1 - seat] -= (float)(lines != 0);
    return 0;
}
AGON_FN void connect_four_plane(const connect_four_config* c, uint64_t m, int cells, uint8_t* to) {
    for (int i = 0; i < cells - 8; i += 8)
        memcpy(to + i, &c->bytes[m >> i & 255], 8);
    memcpy(to + cells - 8, &c->bytes[m >> (cells - 8)], 8); /* overlaps the ones before */
}
AGON_FN void connect_four_observe(const void* config, const void* state, int seat, void* out) {
    const connect_four_config* c = (const connect_four_config*)config;
    const uint64_t* m = ((const connect_four*)state)->stones;
    uint8_t* to = (uint8_t*)out;
    for (int i = 0; i < 2; i++, to += c->cells) /* the usual size is written out: constant shifts */
        c->cells == 42 ? connect_four_plane(c, m[seat ^ i], 42, to)
                       : connect_four_plane(c, m[seat ^ i], c->cells, to);
}
static int connect_four_text(const void* config, const void* state, char* out, size_t size) {
    const connect_four_config* c = (const connect_four_config*)config;
    const uint64_t* m = ((const connect_four*)state)->stones;
    char board[80];
    memset(board, '\n', sizeof board);
    for (int i = 0; i < c->cells; i++)
        board[i + i / c->cols] = ".xo"[(m[0] >> i & 1) + 2 * (m[1] >> i & 1)];
    return snprintf(out, size, "%.*s%.*s\n", c->cells + c->rows, board, c->cols, "abcdefghij");
}
static int connect_four_action_name(const void* config, const void* state, int seat, int action,
                                    char* out, size_t size) {
    return snprintf(out, size, "%c", 'a' + action);
}
AGON_FN int connect_four_symmetry_action(const void* config, int g, int action) {
    return g ? ((const connect_four_config*)config)->cols - 1 - action : action;
}
AGON_FN void connect_four_symmetry(const void* config, int g, const void* state, void* out) {
    const connect_four_config* c = (const connect_four_config*)config;
    const connect_four* s = (const connect_four*)state;
    connect_four t = {{0, 0}, s->plies, s->over};
    for (int i = 0; i < 2 * c->cols; i++)
        t.stones[i & 1] |= (s->stones[i & 1] >> i / 2 & c->column)
                           << connect_four_symmetry_action(config, g, i / 2);
    *(connect_four*)out = t;
}
AGON_GAME_BATCH(connect_four)
const agon_game agon_game_connect_four = {
    AGON_GAME_HEAD(connect_four, 1, "four in a row, stones fall down", sizeof(connect_four_config)),
    .text = connect_four_text,
    .action_name = connect_four_action_name,
    .symmetry = connect_four_symmetry,
    .symmetry_action = connect_four_symmetry_action,
};
