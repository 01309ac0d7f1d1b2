/* SPDX-License-Identifier: 0BSD
 * tic_tac_toe: in turn, two seats put a stone on a free cell of a 3 x 3 board. Three in a row, a
 * column or a diagonal win (1, the loser -1); a full board is a draw. Action = row * 3 + column. */
#include "agon_game.h"

typedef struct tic_tac_toe {
    uint32_t stones; /* bits 0..8: cells of seat 0; 16..24: of seat 1. In octal a digit is a row */
    uint16_t plies, over;
} tic_tac_toe;
#define tic_tac_toe_STATE             sizeof(tic_tac_toe)
#define tic_tac_toe_seats(config)     2
#define tic_tac_toe_obs_bytes(config) 18
#define tic_tac_toe_words(config)     1
static int tic_tac_toe_configure(agon_params* params, agon_spec* spec, void* config) {
    spec->seats = 2, spec->actions = 9, spec->max_plies = 9, spec->state_size = tic_tac_toe_STATE;
    spec->utility = AGON_ZERO_SUM, spec->return_min = -1, spec->return_max = 1, spec->obs_scale = 1;
    spec->information = AGON_PERFECT, spec->planes = 2, spec->rows = 3, spec->cols = 3;
    spec->plane_names[0] = "mine", spec->plane_names[1] = "theirs", spec->symmetries = 8;
    return 0;
}
AGON_FN void tic_tac_toe_init(const void* config, void* state) {
    memset(state, 0, tic_tac_toe_STATE);
}
AGON_FN uint64_t tic_tac_toe_acting(const void* config, const void* state) {
    const tic_tac_toe* s = (const tic_tac_toe*)state;
    return (uint64_t)!s->over << (s->plies & 1);
}
AGON_FN void tic_tac_toe_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const uint32_t m = ((const tic_tac_toe*)state)->stones;
    mask[0] = 0777 & ~(m | m >> 16);
}
AGON_FN int tic_tac_toe_apply(const void* config, void* state, const uint16_t* action, float* r) {
    tic_tac_toe* s = (tic_tac_toe*)state;
    const int seat = s->plies & 1, cell = action[seat];
    if (s->over || cell > 8 || ((s->stones | s->stones >> 16) >> cell & 1))
        return -1;
    s->stones |= 1u << (16 * seat + cell);
    const uint32_t m = s->stones >> 16 * seat & 0777;
    const int won = (m & m >> 1 & m >> 2 & 0111) || (m & m >> 3 & m >> 6) || (m & 0421) == 0421 ||
                    (m & 0124) == 0124;
    s->over = ++s->plies == 9 || won;
    r[seat] += (float)won, r[1 - seat] -= (float)won;
    return 0;
}
AGON_FN void tic_tac_toe_observe(const void* config, const void* state, int seat, void* out) {
    const uint32_t m = ((const tic_tac_toe*)state)->stones;
    for (int i = 0; i < 18; i++)
        ((uint8_t*)out)[i] = m >> (16 * (seat ^ (i > 8)) + i % 9) & 1;
}
static int tic_tac_toe_text(const void* config, const void* state, char* out, size_t size) {
    const uint32_t m = ((const tic_tac_toe*)state)->stones;
    char board[] = "...\n...\n...\n";
    for (int i = 0; i < 9; i++)
        board[i + i / 3] = ".xo"[(m >> i & 1) + 2 * (m >> (16 + i) & 1)];
    return snprintf(out, size, "%s", board);
}
static int tic_tac_toe_action_name(const void* config, const void* state, int seat, int action,
                                   char* out, size_t size) {
    return snprintf(out, size, "%c%d", 'a' + action % 3, 3 - action / 3);
}
AGON_FN int tic_tac_toe_symmetry_action(const void* config, int g, int action) {
    const int row = g & 1 ? action % 3 : action / 3, col = g & 1 ? action / 3 : action % 3;
    return 3 * (g & 2 ? 2 - row : row) + (g & 4 ? 2 - col : col);
}
AGON_FN void tic_tac_toe_symmetry(const void* config, int g, const void* state, void* out) {
    const tic_tac_toe* s = (const tic_tac_toe*)state;
    tic_tac_toe t = {0, s->plies, s->over};
    for (int i = 0; i < 9; i++)
        t.stones |= (s->stones >> i & 0x10001) << tic_tac_toe_symmetry_action(config, g, i);
    *(tic_tac_toe*)out = t;
}
AGON_GAME_BATCH(tic_tac_toe)
const agon_game agon_game_tic_tac_toe = {
    AGON_GAME_HEAD(tic_tac_toe, 1, "three in a row on a 3 x 3 board", 0),
    .text = tic_tac_toe_text,
    .action_name = tic_tac_toe_action_name,
    .symmetry = tic_tac_toe_symmetry,
    .symmetry_action = tic_tac_toe_symmetry_action,
};
