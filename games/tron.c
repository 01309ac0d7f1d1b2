/* SPDX-License-Identifier: 0BSD
 *
 * tron: light cycles. On a size x size board every seat leaves a trail; in each ply all seats still
 * in the game move one cell at the same time. Whoever enters a wall, a trail, or a cell that
 * another seat enters in the same ply is out; the trail stays. The last seat wins: 1, the others -1
 * / (players - 1) each. If the last k seats crash together they share the win, each getting
 * (players / k - 1) / (players - 1): nothing for anybody when all crash together.
 *
 * Every seat sees the board turned so that it starts at the bottom, and its actions are directions
 * on the board so turned: 0 up, 1 right, 2 down, 3 left. While a neighbouring cell is free only
 * moves into free cells are legal (so reversing never is); boxed in, all four are, and all crash.
 */
#include "agon_game.h"

#define TRON_SEATS 4
#define TRON_SIZE  14 /* with a wall around it, a board of 16 x 16 */
#define TRON_WALL  255

typedef struct tron {
    uint8_t cell[256];        /* row and column from 1: 16 * row + column; 0 free, 1 + seat, wall */
    uint8_t head[TRON_SEATS]; /* cell; 0: out */
    uint8_t alive;            /* set of seats */
    uint8_t unused[3];
} tron;

typedef struct tron_config {
    int players, size;
    int turn[TRON_SEATS];                            /* quarter turns of the seat's view */
    int step[TRON_SEATS][4];                         /* by action, in cells */
    uint8_t view[TRON_SEATS][TRON_SIZE * TRON_SIZE]; /* board cell at a place of the seat's view */
    uint8_t place[TRON_SEATS][256];                  /* the other way round */
    tron start;
} tron_config;

#define tron_STATE             sizeof(tron)
#define tron_seats(config)     (((const tron_config*)(config))->players)
#define tron_obs_bytes(config) ((size_t)tron_entries((const tron_config*)(config)))
#define tron_words(config)     1

AGON_FN int tron_entries(const tron_config* c) {
    return 2 * c->players * c->size * c->size;
}

static void tron_views(tron_config* c) {
    const int step[4] = {-16, 1, 16, -1};
    for (int seat = 0; seat < c->players; seat++) {
        c->turn[seat] = c->players == 2 ? 2 * seat : seat;
        for (int action = 0; action < 4; action++)
            c->step[seat][action] = step[(action + c->turn[seat]) & 3];
        for (int i = 0; i < c->size * c->size; i++) {
            int row = i / c->size, col = i % c->size;
            for (int turn = 0; turn < c->turn[seat]; turn++) {
                const int old = row;
                row = col;
                col = c->size - 1 - old;
            }
            c->view[seat][i] = (uint8_t)(16 * (row + 1) + col + 1);
            c->place[seat][c->view[seat][i]] = (uint8_t)i;
        }
    }
}

static void tron_begin(tron_config* c) {
    tron* s = &c->start;
    memset(s, 0, sizeof *s);
    memset(s->cell, TRON_WALL, sizeof s->cell);
    for (int row = 1; row <= c->size; row++)
        memset(s->cell + 16 * row + 1, 0, (size_t)c->size);
    for (int seat = 0; seat < c->players; seat++) {
        s->head[seat] = c->view[seat][(c->size - 2) * c->size + (c->size - 1) / 2];
        s->cell[s->head[seat]] = (uint8_t)(seat + 1);
        s->alive |= (uint8_t)(1 << seat);
    }
}

static int tron_configure(agon_params* params, agon_spec* spec, void* config) {
    static const char* const planes[2 * TRON_SEATS] = {
        "my_trail",    "my_head",    "second_trail", "second_head",
        "third_trail", "third_head", "fourth_trail", "fourth_head"};
    tron_config* c = (tron_config*)config;
    c->players = agon_param_int(params, "players", 2, 2, TRON_SEATS);
    c->size = agon_param_int(params, "size", 10, 4, TRON_SIZE);
    tron_views(c);
    tron_begin(c);
    spec->seats = c->players;
    spec->actions = 4;
    spec->simultaneous = 1;
    spec->seats_symmetric = c->players == 2; /* three and four seats have different neighbours */
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_IMPERFECT;
    /* Every ply but the last leaves two seats alive, on a new cell each. */
    spec->max_plies = (c->size * c->size - c->players) / 2 + 1;
    spec->return_min = -1.0f / (float)(c->players - 1);
    spec->return_max = 1;
    spec->state_size = tron_STATE;
    spec->planes = 2 * c->players;
    spec->rows = spec->cols = c->size;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    for (int i = 0; i < spec->planes; i++)
        spec->plane_names[i] = planes[i];
    spec->symmetries = 1;
    return params->error[0] ? -1 : 0;
}

AGON_FN void tron_init(const void* config, void* state) {
    memcpy(state, &((const tron_config*)config)->start, tron_STATE);
}

AGON_FN int tron_count(int set) {
    return (set & 1) + (set >> 1 & 1) + (set >> 2 & 1) + (set >> 3 & 1);
}

AGON_FN uint64_t tron_acting(const void* config, const void* state) {
    const int alive = ((const tron*)state)->alive;
    return tron_count(alive) > 1 ? (uint64_t)alive : 0;
}

/* The cell that `action` of a seat leads to. */
AGON_FN int tron_target(const tron_config* c, const tron* s, int seat, int action) {
    return s->head[seat] + c->step[seat][action];
}

AGON_FN void tron_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const tron_config* c = (const tron_config*)config;
    const tron* s = (const tron*)state;
    uint64_t free_cells = 0;
    for (int action = 0; action < 4; action++)
        free_cells |= (uint64_t)(s->cell[tron_target(c, s, seat, action)] == 0) << action;
    mask[0] = free_cells ? free_cells : 15;
}

/* Where the seats in the game go. target: (TRON_SEATS), 0 for seats that are out. */
AGON_FN int tron_targets(const tron_config* c, const tron* s, const uint16_t* action, int* target) {
    for (int seat = 0; seat < TRON_SEATS; seat++) {
        uint64_t mask;
        target[seat] = 0;
        if (!(s->alive >> seat & 1))
            continue;
        tron_legal(c, s, seat, &mask);
        if (action[seat] > 3 || !(mask >> action[seat] & 1))
            return -1;
        target[seat] = tron_target(c, s, seat, action[seat]);
    }
    return 0;
}

AGON_FN void tron_finish(int players, int winners, float* reward) {
    const float others = (float)(players - 1);
    const float share = (float)players / (float)tron_count(winners) - 1;
    for (int seat = 0; seat < players; seat++)
        reward[seat] += (winners >> seat & 1 ? share : -1) / others;
}

AGON_FN int tron_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    const tron_config* c = (const tron_config*)config;
    tron* s = (tron*)state;
    const int before = s->alive;
    int target[TRON_SEATS], alive = before;
    if (tron_count(before) < 2 || tron_targets(c, s, action, target) != 0)
        return -1;
    for (int seat = 0; seat < c->players; seat++) {
        int crash = s->cell[target[seat]] != 0;
        for (int other = 0; other < c->players; other++)
            crash |= other != seat && target[other] == target[seat];
        alive &= ~(crash << seat);
    }
    for (int seat = 0; seat < c->players; seat++) {
        s->head[seat] = (uint8_t)(alive >> seat & 1 ? target[seat] : 0);
        if (s->head[seat])
            s->cell[s->head[seat]] = (uint8_t)(seat + 1);
    }
    s->alive = (uint8_t)alive;
    if (tron_count(alive) < 2)
        tron_finish(c->players, alive ? alive : before, reward);
    return 0;
}

/* Byte j of word i and byte i of word j change places. */
AGON_FN void tron_transpose(uint64_t* word) {
    const uint64_t low[5] = {0, 0x00ff00ff00ff00ffull, 0x0000ffff0000ffffull, 0,
                             0x00000000ffffffffull};
    for (int apart = 4; apart > 0; apart /= 2) {
        for (int i = 0; i < 8; i++) {
            if (i & apart)
                continue;
            const uint64_t swap = (word[i] >> 8 * apart ^ word[i + apart]) & low[apart];
            word[i] ^= swap << 8 * apart;
            word[i + apart] ^= swap;
        }
    }
}

/* The board for a seat whose rows are columns: 16 x 16, turned in blocks of 8 x 8. */
AGON_FN void tron_turned(const tron_config* c, const tron* s, int seat, uint8_t* turned) {
    const uint8_t* first = s->cell + c->view[seat][0];
    const int right = c->step[seat][1], back = c->step[seat][2] < 0; /* down is left on the board */
    memset(turned, 0, 256);
    for (int block = 0; block < 4; block++) {
        const int top = block / 2 * 8, left = block % 2 * 8;
        if (top >= c->size || left >= c->size)
            continue;
        uint64_t word[8] = {0, 0, 0, 0, 0, 0, 0, 0};
        for (int i = 0; i < 8 && left + i < c->size; i++)
            memcpy(&word[i], first + (left + i) * right + (back ? -top - 7 : top), 8);
        tron_transpose(word);
        for (int i = 0; i < 8; i++)
            memcpy(turned + 16 * (top + (back ? 7 - i : i)) + left, &word[i], 8);
    }
}

/* Trails of one seat in a row of the view, which begins at `row` and goes on to the right, or
 * (mirrored) to the left; and what follows, to 16 bytes. */
AGON_FN void tron_trails(const uint8_t* row, int mirrored, uint8_t trail, uint8_t* out) {
    uint8_t seen[16];
    memcpy(seen, mirrored ? row - 15 : row, 16);
    if (mirrored)
        for (int i = 0; i < 16; i++)
            out[i] = (uint8_t)(seen[15 - i] == trail);
    else
        for (int i = 0; i < 16; i++)
            out[i] = (uint8_t)(seen[i] == trail);
}

/* All zero but for the cell of the head. There are at least 16 cells. */
AGON_FN void tron_head(int cells, int head, int place, uint8_t* plane) {
    for (int at = 0; at < cells - 16; at += 16)
        memset(plane + at, 0, 16);
    memset(plane + cells - 16, 0, 16);
    plane[place] = head != 0;
}

/* Two planes per seat, one's own first, then in turn. What is too much after a row of trails is
 * written anew by the next row, or as part of the other plane. */
AGON_FN void tron_observe(const void* config, const void* state, int seat, void* out) {
    const tron_config* c = (const tron_config*)config;
    const tron* s = (const tron*)state;
    const int players = c->players, size = c->size, cells = size * size,
              mirrored = c->turn[seat] == 2;
    const uint8_t* first = s->cell + c->view[seat][0];
    uint8_t* plane = (uint8_t*)out;
    uint8_t turned[256];
    int down = c->step[seat][2], owner = seat;
    if (c->turn[seat] & 1) {
        tron_turned(c, s, seat, turned);
        first = turned;
        down = 16;
    }
    for (int i = 0; i < players; i++, plane += 2 * cells) {
        for (int row = 0; row < size; row++)
            tron_trails(first + row * down, mirrored, (uint8_t)(owner + 1), plane + row * size);
        tron_head(cells, s->head[owner], c->place[seat][s->head[owner]], plane + cells);
        owner = owner + 1 == players ? 0 : owner + 1;
    }
}

static int tron_text(const void* config, const void* state, char* out, size_t size) {
    const tron_config* c = (const tron_config*)config;
    const tron* s = (const tron*)state;
    char board[TRON_SIZE * (TRON_SIZE + 1) + 1];
    int n = 0;
    for (int row = 1; row <= c->size; row++) {
        for (int col = 1; col <= c->size; col++) {
            const int at = 16 * row + col, owner = s->cell[at] - 1;
            board[n++] = owner < 0 ? '.' : (char)((s->head[owner] == at ? 'A' : 'a') + owner);
        }
        board[n++] = '\n';
    }
    board[n] = '\0';
    return snprintf(out, size, "%s", board);
}

/* Directions on the board as `text` shows it. */
static int tron_action_name(const void* config, const void* state, int seat, int action, char* out,
                            size_t size) {
    static const char* const names[4] = {"up", "right", "down", "left"};
    const int turn = ((const tron_config*)config)->turn[seat];
    return snprintf(out, size, "%s", names[(action + turn) & 3]);
}

AGON_GAME_BATCH(tron)

const agon_game agon_game_tron = {
    AGON_GAME_HEAD(tron, 1, "light cycles; the last one that has not crashed wins",
                   sizeof(tron_config)),
    .text = tron_text,
    .action_name = tron_action_name,
};
