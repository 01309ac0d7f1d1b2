/* SPDX-License-Identifier: 0BSD
 *
 * dark_hex: hex in the dark. A seat sees its own stones and those of the other that it has run
 * into. On a board of num_rows x num_cols cells, by default board_size each, a seat in turn tries a
 * cell that it does not see taken. If the cell is free its stone is there and the turn is over. If
 * the other's stone is there the seat sees it from now on and tries again (gameversion=cdh, the
 * classical game), or has lost its turn (adh, the abrupt one). Seat 0 (x) wins when its stones
 * connect the first with the last row, seat 1 (o) when its stones connect the first with the last
 * column: 1, the loser -1. Neighbours of a cell are those to its left and right, the one above and
 * the one above right, the one below and the one below left. There are no draws.
 *
 * obstype=reveal-nothing: a seat learns nothing of what the other tries. reveal-numturns: it hears
 * every try, though not where, nor how it ended; in the abrupt game it knows that anyway.
 *
 * Action = cell = row * num_cols + column, row 0 on top. The observation: one's own stones, those
 * of the other that one has seen, ones for seat 1, which connects the other way, and with
 * reveal-numturns as many ones as the other has tried cells. The information state: one's tries in
 * order and how they ended, and when the other's came if they are heard. */
#include "hidden_stones.h"

#define DARK_HEX_SIZE  11
#define DARK_HEX_EDGES 12
#define DARK_HEX_SMALL 12 /* cells of a board whose connections are looked up */
#define DARK_HEX_DRAWS 1000
#define DARK_HEX_FAR   (1 << 20)

/* The log makes everything else. Sets: bit = cell. A byte of `cell`, on boards that are not small:
 * bit 0, 1: a stone of seat 0, 1; bit 2, 3 (DARK_HEX_EDGES): it is connected with the first, the
 * last of its owner's edges. */
typedef struct dark_hex {
    uint8_t turn; /* seat to move */
    uint8_t over;
    uint8_t tries[2];
    uint8_t unused[4];
    uint64_t open[2][2];   /* by seat: the cells that it has not tried */
    uint64_t stones[2][2]; /* by seat */
    uint8_t log[(HIDDEN_TRIES + 7) / 8 * 8];
    uint8_t cell[(HIDDEN_CELLS + 7) / 8 * 8];
} dark_hex;

typedef struct dark_hex_config {
    hidden_rules rules;
    int rows, cols, small;
    uint8_t near[HIDDEN_CELLS][6];               /* neighbours; the cell itself for a missing one */
    uint8_t edges[2][HIDDEN_CELLS];              /* bits 2 and 3 of a lone stone, by seat */
    uint64_t won[2][(1 << DARK_HEX_SMALL) / 64]; /* by seat; bit = set of stones */
} dark_hex_config;

#define dark_hex_STATE         sizeof(dark_hex)
#define dark_hex_rules(config) (&((const dark_hex_config*)(config))->rules)
#define dark_hex_seats(config) 2
#define dark_hex_obs_bytes(config)                                                                 \
    ((size_t)((3 + dark_hex_rules(config)->counted) * dark_hex_rules(config)->cells))
#define dark_hex_words(config) ((dark_hex_rules(config)->cells + 63) / 64)

static void dark_hex_neighbours(dark_hex_config* c) {
    static const int step[6][2] = {{-1, 0}, {-1, 1}, {0, -1}, {0, 1}, {1, -1}, {1, 0}};
    for (int i = 0; i < c->rules.cells; i++) {
        const int row = i / c->cols, col = i % c->cols;
        for (int k = 0; k < 6; k++) {
            const int r = row + step[k][0], q = col + step[k][1];
            const int inside = r >= 0 && r < c->rows && q >= 0 && q < c->cols;
            c->near[i][k] = (uint8_t)(inside ? r * c->cols + q : i);
        }
        c->edges[0][i] = (uint8_t)(4 * (row == 0) + 8 * (row == c->rows - 1));
        c->edges[1][i] = (uint8_t)(4 * (col == 0) + 8 * (col == c->cols - 1));
    }
}

/* ---- stones ------------------------------------------------------------------------------- */

/* Gives a chain the edges of one of its stones. Without branches on stones: what lies around is
 * hard to predict. */
AGON_FN void dark_hex_flood(const dark_hex_config* c, uint8_t* board, int cell, int seat) {
    const int edges = board[cell] & DARK_HEX_EDGES;
    uint8_t stack[HIDDEN_CELLS + 1];
    int height = 1;
    stack[0] = (uint8_t)cell;
    while (height) {
        const uint8_t* near = c->near[stack[--height]];
        for (int k = 0; k < 6; k++) {
            const int next = near[k], stone = board[next];
            const int change = (stone >> seat & 1) & ((stone & edges) != edges);
            board[next] = (uint8_t)(stone | (change ? edges : 0));
            stack[height] = (uint8_t)next;
            height += change;
        }
    }
}

/* Puts a stone and joins the chains around it; true when that connects the seat's edges. */
AGON_FN int dark_hex_put(const dark_hex_config* c, uint8_t* board, int cell, int seat) {
    int any = c->edges[seat][cell], all = DARK_HEX_EDGES;
    for (int k = 0; k < 6; k++) {
        const int stone = board[c->near[cell][k]], own = -(stone >> seat & 1);
        any |= stone & own & DARK_HEX_EDGES;
        all &= stone | ~own;
    }
    board[cell] = (uint8_t)(1 << seat | any);
    if (any == DARK_HEX_EDGES)
        return 1;
    if (any & ~all)
        dark_hex_flood(c, board, cell, seat);
    return 0;
}

static void dark_hex_table(dark_hex_config* c) {
    for (int seat = 0; seat < 2; seat++) {
        for (int set = 0; set < 1 << c->rules.cells; set++) {
            uint8_t board[DARK_HEX_SMALL] = {0};
            int won = 0;
            for (int i = 0; i < c->rules.cells && !won; i++)
                won = (set >> i & 1) && dark_hex_put(c, board, i, seat);
            c->won[seat][set / 64] |= (uint64_t)won << set % 64;
        }
    }
}

/* ---- the game ------------------------------------------------------------------------------ */

static int dark_hex_configure(agon_params* params, agon_spec* spec, void* config) {
    dark_hex_config* c = (dark_hex_config*)config;
    memset(c, 0, sizeof *c);
    const int size = agon_param_int(params, "board_size", 3, 2, DARK_HEX_SIZE);
    c->rows = agon_param_int(params, "num_rows", size, 2, DARK_HEX_SIZE);
    c->cols = agon_param_int(params, "num_cols", size, 2, DARK_HEX_SIZE);
    hidden_configure(params, &c->rules, "cdh|adh");
    c->rules.cells = c->rows * c->cols;
    c->small = c->rules.cells <= DARK_HEX_SMALL;
    dark_hex_neighbours(c);
    if (c->small)
        dark_hex_table(c);
    spec->seats = 2;
    spec->actions = c->rules.cells;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = 2 * c->rules.cells - 1;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = dark_hex_STATE;
    spec->planes = 3 + c->rules.counted;
    spec->rows = c->rows;
    spec->cols = c->cols;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->plane_names[0] = "mine";
    spec->plane_names[1] = "theirs";
    spec->plane_names[2] = "i_am_second";
    if (c->rules.counted)
        spec->plane_names[3] = "their_tries";
    spec->symmetries = 2;
    return params->error[0] ? -1 : 0;
}

AGON_FN void dark_hex_init(const void* config, void* state) {
    const int cells = dark_hex_rules(config)->cells;
    dark_hex* s = (dark_hex*)state;
    memset(s, 0, dark_hex_STATE);
    for (int seat = 0; seat < 2; seat++) {
        s->open[seat][0] = cells < 64 ? (1ull << cells) - 1 : ~0ull;
        s->open[seat][1] = cells > 64 ? (1ull << (cells - 64)) - 1 : 0;
    }
}

AGON_FN uint64_t dark_hex_acting(const void* config, const void* state) {
    const dark_hex* s = (const dark_hex*)state;
    return s->over ? 0 : 1ull << s->turn;
}

AGON_FN void dark_hex_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const dark_hex* s = (const dark_hex*)state;
    mask[0] = s->open[seat][0];
    if (dark_hex_words(config) > 1)
        mask[1] = s->open[seat][1];
}

AGON_FN int dark_hex_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    const dark_hex_config* c = (const dark_hex_config*)config;
    dark_hex* s = (dark_hex*)state;
    const int seat = s->turn, cell = action[seat], word = cell / 64, bit = cell % 64;
    if (s->over || cell >= c->rules.cells || !(s->open[seat][word] >> bit & 1))
        return -1;
    const int bump = s->stones[1 - seat][word] >> bit & 1;
    s->log[s->tries[0] + s->tries[1]] = (uint8_t)(cell | bump * HIDDEN_BUMP);
    s->tries[seat]++;
    s->open[seat][word] &= ~(1ull << bit);
    s->stones[seat][word] |= (uint64_t)!bump << bit;
    s->turn ^= (uint8_t)(c->rules.abrupt | !bump);
    if (c->small)
        s->over = c->won[seat][s->stones[seat][0] / 64] >> s->stones[seat][0] % 64 & 1;
    else
        s->over = (uint8_t)(!bump && dark_hex_put(c, s->cell, cell, seat));
    if (s->over) {
        reward[seat] += 1;
        reward[1 - seat] -= 1;
    }
    return 0;
}

/* ---- what a seat sees --------------------------------------------------------------------- */

/* Eight cells at a time. What that writes too much is in the planes that are written next: seven
 * bytes at most, and no more than the one plane that follows the second. */
AGON_FN void dark_hex_plane(int cells, uint64_t low, uint64_t high, uint8_t* out) {
    for (int i = 0; i < cells; i += 8) {
        const uint64_t eight = hidden_bytes((i < 64 ? low : high) & 255);
        memcpy(out + i, &eight, 8);
        low >>= 8;
        high >>= i < 64 ? 0 : 8;
    }
}

AGON_FN void dark_hex_fill(int cells, int value, uint8_t* out) {
    const uint64_t eight = (uint64_t)value * 0x0101010101010101ull;
    if (cells < 8) {
        memset(out, value, (size_t)cells);
        return;
    }
    for (int i = 0; i < cells - 8; i += 8)
        memcpy(out + i, &eight, 8);
    memcpy(out + cells - 8, &eight, 8); /* overlaps the ones before */
}

AGON_FN void dark_hex_observe(const void* config, const void* state, int seat, void* out) {
    const hidden_rules* r = dark_hex_rules(config);
    const dark_hex* s = (const dark_hex*)state;
    const int cells = r->cells;
    uint8_t* plane = (uint8_t*)out;
    const uint64_t* mine = s->stones[seat];
    const uint64_t* theirs = s->stones[1 - seat];
    const uint64_t* open = s->open[seat];
    dark_hex_plane(cells, mine[0], mine[1], plane);
    dark_hex_plane(cells, theirs[0] & ~open[0], theirs[1] & ~open[1], plane + cells);
    dark_hex_fill(cells, seat, plane + 2 * cells);
    if (r->counted) {
        const int heard = s->tries[1 - seat];
        memset(plane + 3 * cells, 1, (size_t)heard);
        memset(plane + 3 * cells + heard, 0, (size_t)(cells - heard));
    }
}

AGON_FN int dark_hex_infostate(const void* config, const void* state, int seat, void* out) {
    const dark_hex* s = (const dark_hex*)state;
    return hidden_infostate(dark_hex_rules(config), s->log, s->tries[0] + s->tries[1], seat,
                            (uint8_t*)out);
}

/* ---- what a seat cannot know -------------------------------------------------------------- */

/* Plays tries from the start; false when they end the game. */
AGON_FN int dark_hex_replay(const void* config, const hidden_past* p, dark_hex* s) {
    float reward[2] = {0, 0};
    dark_hex_init(config, s);
    for (int i = 0; i < p->count && !s->over; i++) {
        const uint16_t action[2] = {p->cell[i], p->cell[i]};
        dark_hex_apply(config, s, action, reward);
    }
    return !s->over;
}

/* For each cell, how far it is from the seat's first edge (its own stones cost nothing, a cell it
 * has not tried about 256) and which cell comes before it. The odd bits choose among the shortest
 * ways. */
AGON_FN void dark_hex_distances(const dark_hex_config* c, const hidden_view* v,
                                const uint64_t* stones, uint64_t* random, int* far,
                                uint8_t* before) {
    int cost[HIDDEN_CELLS], changed = 1;
    for (int i = 0; i < c->rules.cells; i++)
        cost[i] = stones[i / 64] >> i % 64 & 1 ? 0 : DARK_HEX_FAR;
    for (int i = 0; i < v->frees; i++)
        cost[v->free[i]] = 256 + (int)hidden_draw(random, 2);
    for (int i = 0; i < c->rules.cells; i++) {
        far[i] = c->edges[v->seat][i] & 4 ? cost[i] : DARK_HEX_FAR;
        before[i] = (uint8_t)i;
    }
    while (changed) {
        changed = 0;
        for (int i = 0; i < c->rules.cells; i++) {
            for (int k = 0; k < 6; k++) {
                const int near = c->near[i][k];
                if (far[near] + cost[i] < far[i]) {
                    far[i] = far[near] + cost[i];
                    before[i] = (uint8_t)near;
                    changed = 1;
                }
            }
        }
    }
}

/* Takes from the cells that the other may have tried one of the shortest ways to connect the seat's
 * edges: whatever the other has on the rest, it has not won. */
AGON_FN void dark_hex_bar(const dark_hex_config* c, hidden_view* v, const uint64_t* stones,
                          uint64_t* random) {
    int far[HIDDEN_CELLS], last = -1;
    uint8_t before[HIDDEN_CELLS];
    dark_hex_distances(c, v, stones, random, far, before);
    for (int i = 0; i < c->rules.cells; i++) {
        if ((c->edges[v->seat][i] & 8) && (last < 0 || far[i] < far[last]))
            last = i;
    }
    for (int at = last;; at = before[at]) {
        for (int i = 0; i < v->frees; i++) {
            if (v->free[i] == at)
                v->free[i] = v->free[--v->frees];
        }
        if (at == before[at])
            break;
    }
}

/* A past with the probability that it has, to the seat, if the other seat plays at random. Where
 * among DARK_HEX_DRAWS pasts the other has won in each, as it does when far too few cells are left
 * for the seat's own chain, the past is of those that leave one of the shortest such chains free,
 * otherwise at random. What is drawn depends on nothing but `random` and what the seat knows. */
AGON_FN void dark_hex_resample(const void* config, void* state, int seat, uint64_t random) {
    const dark_hex_config* c = (const dark_hex_config*)config;
    dark_hex* s = (dark_hex*)state;
    dark_hex drawn;
    hidden_view view;
    hidden_past past;
    int fits = 0;
    if (s->over)
        return;
    hidden_look(&view, &c->rules, s->log, s->tries[0] + s->tries[1], seat);
    hidden_weigh(&view);
    past.random = random;
    for (int i = 0; i < DARK_HEX_DRAWS && !fits; i++) {
        hidden_remember(&view, &past);
        fits = dark_hex_replay(config, &past, &drawn);
    }
    if (!fits) {
        dark_hex_bar(c, &view, s->stones[seat], &past.random);
        hidden_weigh(&view);
        hidden_remember(&view, &past);
        dark_hex_replay(config, &past, &drawn);
    }
    *s = drawn;
}

/* ---- for people --------------------------------------------------------------------------- */

static char dark_hex_letter(const dark_hex* s, int cell) {
    for (int seat = 0; seat < 2; seat++) {
        if (s->stones[seat][cell / 64] >> cell % 64 & 1)
            return (s->open[1 - seat][cell / 64] >> cell % 64 & 1 ? "xo" : "XO")[seat];
    }
    return '.';
}

static int dark_hex_text(const void* config, const void* state, char* out, size_t size) {
    const dark_hex_config* c = (const dark_hex_config*)config;
    const dark_hex* s = (const dark_hex*)state;
    char board[DARK_HEX_SIZE * 64];
    int n = 0;
    for (int row = -1; row < c->rows; row++) {
        if (row < 0)
            n += snprintf(board + n, sizeof board - (size_t)n, "  ");
        else
            n += snprintf(board + n, sizeof board - (size_t)n, "%*s%2d", row, "", row + 1);
        for (int col = 0; col < c->cols; col++) {
            board[n++] = ' ';
            board[n++] = row < 0 ? (char)('a' + col) : dark_hex_letter(s, row * c->cols + col);
        }
        board[n++] = '\n';
    }
    return snprintf(out, size, "%.*s%s (capitals: seen by the other seat)\n", n, board,
                    s->over   ? "over"
                    : s->turn ? "o to move"
                              : "x to move");
}

static int dark_hex_action_name(const void* config, const void* state, int seat, int action,
                                char* out, size_t size) {
    const int cols = ((const dark_hex_config*)config)->cols;
    return snprintf(out, size, "%c%d", 'a' + action % cols, action / cols + 1);
}

/* Half a turn; the edges of each seat change places. */
AGON_FN int dark_hex_symmetry_action(const void* config, int g, int action) {
    return g ? dark_hex_rules(config)->cells - 1 - action : action;
}

AGON_FN void dark_hex_turn_set(int cells, const uint64_t* set, uint64_t* out) {
    out[0] = out[1] = 0;
    for (int i = 0; i < cells; i++) {
        const int to = cells - 1 - i;
        out[to / 64] |= (set[i / 64] >> i % 64 & 1) << to % 64;
    }
}

AGON_FN void dark_hex_symmetry(const void* config, int g, const void* state, void* out) {
    const dark_hex* s = (const dark_hex*)state;
    dark_hex* t = (dark_hex*)out;
    const int cells = dark_hex_rules(config)->cells;
    *t = *s;
    for (int seat = 0; seat < 2 && g; seat++) {
        dark_hex_turn_set(cells, s->open[seat], t->open[seat]);
        dark_hex_turn_set(cells, s->stones[seat], t->stones[seat]);
    }
    for (int i = 0; i < cells && g; i++) {
        const int bits = s->cell[i];
        t->cell[cells - 1 - i] = (uint8_t)((bits & 3) | (bits & 4) << 1 | (bits & 8) >> 1);
    }
    for (int i = 0; i < s->tries[0] + s->tries[1] && g; i++)
        t->log[i] = (uint8_t)((cells - 1 - (s->log[i] & HIDDEN_CELL)) | (s->log[i] & HIDDEN_BUMP));
}

AGON_GAME_BATCH(dark_hex)

const agon_game agon_game_dark_hex = {
    AGON_GAME_HEAD(dark_hex, 1, "hex where one sees only what one runs into",
                   sizeof(dark_hex_config)),
    .text = dark_hex_text,
    .action_name = dark_hex_action_name,
    .symmetry = dark_hex_symmetry,
    .symmetry_action = dark_hex_symmetry_action,
    .resample = dark_hex_resample,
    .infostate = dark_hex_infostate,
};
