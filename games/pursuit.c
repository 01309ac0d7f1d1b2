/* SPDX-License-Identifier: 0BSD
 *
 * pursuit: `predators` hunt `prey` on a board of size x size cells, 2 to 8 of them together, real
 * time. In every tick all predators and all prey at large stay or move to a neighbouring cell at
 * once. A prey is caught when it is on a predator's cell after that, or has changed cells with one,
 * and leaves the board; whoever is of one side passes through each other and may share a cell.
 *
 * With pillars=true the cells whose row and column are odd, and not on the rim, are pillars that
 * nobody enters (rows and columns from 0). Around the board is a wall; with walls=false the edges
 * are joined instead (a torus). `prey_rest`, `predator_rest`: in each tick whose number, from 1, is
 * a multiple of it, that side can only stay; 0: it never rests.
 *
 * Start: seats 0 .. predators - 1 are the predators, on the cells nearest to the middle (by rows
 * and columns of distance, then by rows; one each). Then nature puts the prey, seat by seat, on a
 * free cell of the rim, each with equal probability; outcome k is the k-th free one by rows.
 *
 * The game ends when no prey is at large, or after `horizon` ticks. In each tick a prey that stays
 * at large gains one unit from each predator; when caught it pays each of them one unit for this
 * tick and for each that would have been left. So a prey that is caught in tick t has, in all,
 * 2 * t - horizon - 2 units from each predator, and one that never is has `horizon`. A unit is one
 * part of the smallest power of two that is not below horizon * max(predators, prey).
 *
 * Actions: 0 stay, 1 up, 2 right, 3 down, 4 left; moves that a wall or pillar bars are not legal.
 * The observation is the board rolled over its edges so that one's own cell is at row and column
 * side / 2 (a caught prey's: where it was caught). With walls the side is size + 1: one row and one
 * column of wall, which a roll keeps whole. Entries count 32 as one. Planes:
 *   blocked    walls and pillars 32
 *   friends    32 for each other of one's own side
 *   foes       32 for each of the other side
 *   i_am_prey  32 everywhere for prey
 *   numbers    ticks left / 16, and their remainder * 2; 4 * ticks until one's own side rests and
 *              until the other does (0: in this tick, 36: never)
 */
#include "agon_game.h"

#define PURSUIT_SEATS 8
#define PURSUIT_CELLS 256
#define PURSUIT_MARK  32

/* Cells are side * row + column, row 0 on top. */
typedef struct pursuit {
    uint64_t past; /* hash of all that was played and drawn: see pursuit_remember */
    uint16_t tick;
    uint8_t at_large; /* set of seats: prey, placed or not */
    uint8_t to_place; /* prey that nature has yet to place */
    uint8_t unused[4];
    uint8_t cell[PURSUIT_SEATS]; /* of a caught prey: where that was */
    uint8_t caught[PURSUIT_SEATS];
    uint16_t lived[PURSUIT_SEATS]; /* ticks */
    uint16_t moved[PURSUIT_SEATS];
    uint16_t from_foe[PURSUIT_SEATS]; /* sums of distances to the nearest */
    uint16_t from_friend[PURSUIT_SEATS];
} pursuit;

typedef struct pursuit_config {
    int predators, prey, seats, size, horizon, pillars, walls;
    int rest[2]; /* of predators, of prey */
    int side, cells;
    float unit;
    uint8_t row[PURSUIT_CELLS], col[PURSUIT_CELLS];
    uint8_t next[5][PURSUIT_CELLS]; /* by action; the cell itself where the move is barred */
    uint8_t open[PURSUIT_CELLS];    /* set of actions */
    uint8_t distance[32];           /* [16 + difference of rows or columns] */
    uint8_t rim[PURSUIT_CELLS];     /* cells where prey may start */
    int rim_cells;
    pursuit start;
    /* By own cell: plane `blocked`, and where in a plane a cell is seen. */
    uint8_t around[PURSUIT_CELLS * PURSUIT_CELLS];
    uint8_t seen[PURSUIT_CELLS * PURSUIT_CELLS];
} pursuit_config;

#define pursuit_STATE             sizeof(pursuit)
#define pursuit_seats(config)     (((const pursuit_config*)(config))->seats)
#define pursuit_obs_bytes(config) ((size_t)(5 * ((const pursuit_config*)(config))->cells))
#define pursuit_words(config)     1

/* ---- facts and the start ------------------------------------------------------------------ */

static int pursuit_is_barred(const pursuit_config* c, int row, int col) {
    const int last = c->size - 1;
    if (row > last || col > last)
        return 1;
    return c->pillars && row % 2 == 1 && col % 2 == 1 && row < last && col < last;
}

static void pursuit_moves(pursuit_config* c) {
    static const int step[5][2] = {{0, 0}, {-1, 0}, {0, 1}, {1, 0}, {0, -1}};
    const int n = c->side;
    for (int cell = 0; cell < c->cells; cell++) {
        c->row[cell] = (uint8_t)(cell / n);
        c->col[cell] = (uint8_t)(cell % n);
        for (int action = 0; action < 5; action++) {
            const int row = (cell / n + step[action][0] + n) % n;
            const int col = (cell % n + step[action][1] + n) % n;
            const int barred = action && pursuit_is_barred(c, row, col);
            c->next[action][cell] = (uint8_t)(barred ? cell : row * n + col);
            c->open[cell] = (uint8_t)(c->open[cell] | !barred << action);
        }
    }
}

/* The picture from every cell. */
static void pursuit_pictures(pursuit_config* c) {
    const int n = c->side;
    for (int cell = 0; cell < c->cells; cell++) {
        for (int i = 0; i < c->cells; i++) {
            const int row = (c->row[cell] + i / n + n - n / 2) % n;
            const int col = (c->col[cell] + i % n + n - n / 2) % n;
            c->around[cell * c->cells + i] =
                (uint8_t)(pursuit_is_barred(c, row, col) ? PURSUIT_MARK : 0);
            c->seen[cell * c->cells + row * n + col] = (uint8_t)i;
        }
    }
    for (int i = 0; i < 32; i++) {
        const int plain = i < 16 ? 16 - i : i - 16;
        c->distance[i] = (uint8_t)(c->walls || 2 * plain <= n ? plain : n - plain);
    }
}

/* The free cell that is nearest to the middle, in half rows and columns. */
static int pursuit_middle(const pursuit_config* c, int predators) {
    int best = -1, least = 1000;
    for (int cell = 0; cell < c->cells; cell++) {
        const int row = c->row[cell], col = c->col[cell];
        const int far = abs(2 * row - c->size + 1) + abs(2 * col - c->size + 1);
        if (far < least && !pursuit_is_barred(c, row, col) &&
            !memchr(c->start.cell, cell, (size_t)predators)) {
            least = far;
            best = cell;
        }
    }
    return best;
}

static void pursuit_set_up(pursuit_config* c) {
    const int last = c->size - 1;
    for (int seat = 0; seat < c->predators; seat++)
        c->start.cell[seat] = (uint8_t)pursuit_middle(c, seat);
    c->start.at_large = (uint8_t)(((1 << c->prey) - 1) << c->predators);
    c->start.to_place = (uint8_t)c->prey;
    c->start.past = 0xcbf29ce484222325ull; /* far from all steps, so that none gives 0 */
    for (int cell = 0; cell < c->cells; cell++) {
        const int row = c->row[cell], col = c->col[cell];
        const int on_rim = row == 0 || col == 0 || row == last || col == last;
        if (on_rim && !pursuit_is_barred(c, row, col) &&
            !memchr(c->start.cell, cell, (size_t)c->predators))
            c->rim[c->rim_cells++] = (uint8_t)cell;
    }
}

static void pursuit_names(const pursuit_config* c, agon_spec* spec) {
    static const char* const planes[] = {"blocked", "friends", "foes", "i_am_prey", "numbers"};
    static const char* const features[] = {"caught", "lived", "moved", "from_foe", "from_friend"};
    spec->planes = sizeof planes / sizeof planes[0];
    spec->features = sizeof features / sizeof features[0];
    memcpy(spec->plane_names, planes, sizeof planes);
    memcpy(spec->feature_names, features, sizeof features);
    spec->stats = 2;
    spec->stat_names[0] = "ticks";
    spec->stat_names[1] = "caught";
    spec->role_names[0] = "predator";
    spec->role_names[1] = "prey";
    for (int seat = 0; seat < c->seats; seat++) {
        spec->role[seat] = seat >= c->predators;
        spec->team[seat] = (uint8_t)(1 + (seat >= c->predators));
    }
}

static void pursuit_parameters(agon_params* params, pursuit_config* c) {
    c->predators = agon_param_int(params, "predators", 2, 1, PURSUIT_SEATS - 1);
    c->prey = agon_param_int(params, "prey", 1, 1, PURSUIT_SEATS - 1);
    c->size = agon_param_int(params, "size", 9, 5, 15);
    c->horizon = agon_param_int(params, "horizon", 64, 1, 2000);
    c->pillars = agon_param_bool(params, "pillars", 1);
    c->walls = agon_param_bool(params, "walls", 1);
    c->rest[0] = agon_param_int(params, "predator_rest", 3, 0, 9);
    c->rest[1] = agon_param_int(params, "prey_rest", 0, 0, 9);
    c->seats = c->predators + c->prey;
    if (c->seats > PURSUIT_SEATS && !params->error[0])
        snprintf(params->error, sizeof params->error,
                 "predators=%d, prey=%d: expected at most %d together", c->predators, c->prey,
                 PURSUIT_SEATS);
}

static int pursuit_configure(agon_params* params, agon_spec* spec, void* config) {
    pursuit_config* c = (pursuit_config*)config;
    memset(c, 0, sizeof *c);
    pursuit_parameters(params, c);
    if (params->error[0])
        return -1;
    const int most = c->predators > c->prey ? c->predators : c->prey;
    c->side = c->size + c->walls;
    c->cells = c->side * c->side;
    pursuit_moves(c);
    pursuit_pictures(c);
    pursuit_set_up(c);
    for (c->unit = 1; c->unit * (float)(c->horizon * most) > 1;)
        c->unit /= 2;
    spec->seats = c->seats;
    spec->actions = 5;
    spec->chance_outcomes = c->rim_cells;
    spec->simultaneous = 1;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = c->horizon;
    spec->return_max = c->unit * (float)(c->horizon * most);
    spec->return_min = -spec->return_max;
    spec->state_size = pursuit_STATE;
    spec->rows = spec->cols = c->side;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1.0f / PURSUIT_MARK;
    spec->symmetries = 1;
    pursuit_names(c, spec);
    return 0;
}

AGON_FN void pursuit_init(const void* config, void* state) {
    memcpy(state, &((const pursuit_config*)config)->start, pursuit_STATE);
}

/* Everybody sees everything, so what was played so far is what a seat knows, and positions forget
 * it. `step` is the ply; the same past with another step never gives the same hash. */
AGON_FN void pursuit_remember(pursuit* s, uint64_t step) {
    s->past = (s->past ^ step) * 0x9e3779b97f4a7c15ull;
    s->past ^= s->past >> 32;
}

AGON_FN int pursuit_infostate(const void* config, const void* state, int seat, void* out) {
    memcpy(out, &((const pursuit*)state)->past, 8);
    return 8;
}

/* ---- placing ------------------------------------------------------------------------------ */

AGON_FN uint64_t pursuit_acting(const void* config, const void* state) {
    const pursuit_config* c = (const pursuit_config*)config;
    const pursuit* s = (const pursuit*)state;
    if (!s->at_large || s->tick == c->horizon)
        return 0;
    return s->to_place ? AGON_CHANCE : (uint64_t)(((1 << c->predators) - 1) | s->at_large);
}

AGON_FN int pursuit_chance(const void* config, const void* state, double* prob) {
    const pursuit_config* c = (const pursuit_config*)config;
    const int count = c->rim_cells - c->prey + ((const pursuit*)state)->to_place;
    const double each = 1.0 / count;
    for (int i = 0; i < count; i++)
        prob[i] = each;
    return count;
}

/* The n-th cell of the rim that no prey is on. */
AGON_FN int pursuit_free_cell(const pursuit_config* c, const pursuit* s, int n) {
    const int placed = c->seats - s->to_place;
    for (int i = 0;; i++) {
        int taken = 0;
        for (int seat = c->predators; seat < placed; seat++)
            taken |= s->cell[seat] == c->rim[i];
        if (!taken && n-- == 0)
            return c->rim[i];
    }
}

AGON_FN int pursuit_place(const pursuit_config* c, pursuit* s, int outcome) {
    if (outcome >= c->rim_cells - c->prey + s->to_place)
        return -1;
    const int cell = pursuit_free_cell(c, s, outcome);
    s->cell[c->seats - s->to_place] = (uint8_t)cell;
    s->to_place--;
    pursuit_remember(s, (uint64_t)outcome);
    return 0;
}

/* ---- a tick ------------------------------------------------------------------------------- */

/* Ticks until the side of `seat` rests; 9: never. */
AGON_FN int pursuit_until_rest(const pursuit_config* c, const pursuit* s, int is_prey) {
    const int rest = c->rest[is_prey];
    return rest ? rest - 1 - s->tick % rest : 9;
}

AGON_FN void pursuit_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const pursuit_config* c = (const pursuit_config*)config;
    const pursuit* s = (const pursuit*)state;
    mask[0] = pursuit_until_rest(c, s, seat >= c->predators) ? c->open[s->cell[seat]] : 1;
}

/* Where everybody goes. to: (PURSUIT_SEATS). */
AGON_FN int pursuit_plan(const pursuit_config* c, const pursuit* s, const uint16_t* action,
                         uint8_t* to) {
    const int acting = ((1 << c->predators) - 1) | s->at_large;
    for (int seat = 0; seat < c->seats; seat++) {
        uint64_t mask;
        to[seat] = s->cell[seat];
        if (!(acting >> seat & 1))
            continue;
        pursuit_legal(c, s, seat, &mask);
        if (action[seat] > 4 || !(mask >> action[seat] & 1))
            return -1;
        to[seat] = c->next[action[seat]][s->cell[seat]];
    }
    return 0;
}

/* The set of prey that is caught; counts for predators who it was. */
AGON_FN int pursuit_catch(const pursuit_config* c, pursuit* s, const uint8_t* to) {
    int caught = 0;
    for (int prey = c->predators; prey < c->seats; prey++) {
        if (!(s->at_large >> prey & 1))
            continue;
        for (int seat = 0; seat < c->predators; seat++) {
            const int meets = to[seat] == to[prey];
            const int swaps = to[seat] == s->cell[prey] && to[prey] == s->cell[seat];
            s->caught[seat] = (uint8_t)(s->caught[seat] + (meets | swaps));
            caught |= (meets | swaps) << prey;
        }
        s->caught[prey] = (uint8_t)(caught >> prey & 1);
    }
    return caught;
}

AGON_FN void pursuit_move(const pursuit_config* c, pursuit* s, const uint8_t* to) {
    const int acting = ((1 << c->predators) - 1) | s->at_large;
    uint64_t step = 0;
    for (int seat = 0; seat < c->seats; seat++) {
        s->lived[seat] = (uint16_t)(s->lived[seat] + (acting >> seat & 1));
        s->moved[seat] = (uint16_t)(s->moved[seat] + (to[seat] != s->cell[seat]));
        s->cell[seat] = to[seat];
        step |= (uint64_t)to[seat] << 8 * seat;
    }
    pursuit_remember(s, step);
    s->tick++;
}

AGON_FN int pursuit_distance(const pursuit_config* c, int one, int two) {
    return c->distance[16 + c->row[one] - c->row[two]] +
           c->distance[16 + c->col[one] - c->col[two]];
}

/* Adds the distances of those on the board to the nearest foe and friend. */
AGON_FN void pursuit_measure(const pursuit_config* c, pursuit* s) {
    const int here = ((1 << c->predators) - 1) | s->at_large;
    uint8_t least[2][PURSUIT_SEATS]; /* friends, foes */
    memset(least, 255, sizeof least);
    for (int seat = 0; seat < c->seats; seat++) {
        for (int other = 0; other < seat; other++) {
            const int foes = other < c->predators && seat >= c->predators;
            const int far = pursuit_distance(c, s->cell[seat], s->cell[other]);
            if (!(here >> seat & here >> other & 1))
                continue;
            least[foes][seat] = (uint8_t)(far < least[foes][seat] ? far : least[foes][seat]);
            least[foes][other] = (uint8_t)(far < least[foes][other] ? far : least[foes][other]);
        }
    }
    for (int seat = 0; seat < c->seats; seat++) {
        const int friends = least[0][seat], foes = least[1][seat];
        s->from_friend[seat] = (uint16_t)(s->from_friend[seat] + (friends < 255 ? friends : 0));
        s->from_foe[seat] = (uint16_t)(s->from_foe[seat] + (foes < 255 ? foes : 0));
    }
}

AGON_FN void pursuit_pay(const pursuit_config* c, const pursuit* s, int caught, float* reward) {
    const int left = c->horizon - s->tick + 1; /* this tick included */
    int sum = 0;
    for (int prey = c->predators; prey < c->seats; prey++) {
        const int units = caught >> prey & 1 ? -left : s->at_large >> prey & 1;
        reward[prey] += c->unit * (float)(units * c->predators);
        sum += units;
    }
    for (int seat = 0; seat < c->predators; seat++)
        reward[seat] -= c->unit * (float)sum;
}

AGON_FN int pursuit_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    const pursuit_config* c = (const pursuit_config*)config;
    pursuit* s = (pursuit*)state;
    uint8_t to[PURSUIT_SEATS];
    if (!s->at_large || s->tick == c->horizon)
        return -1;
    if (s->to_place)
        return pursuit_place(c, s, action[0]);
    if (pursuit_plan(c, s, action, to) != 0)
        return -1;
    const int caught = pursuit_catch(c, s, to);
    pursuit_move(c, s, to);
    s->at_large = (uint8_t)(s->at_large & ~caught);
    pursuit_measure(c, s);
    pursuit_pay(c, s, caught, reward);
    return 0;
}

/* ---- what a seat sees --------------------------------------------------------------------- */

AGON_FN void pursuit_observe(const void* config, const void* state, int seat, void* out) {
    const pursuit_config* c = (const pursuit_config*)config;
    const pursuit* s = (const pursuit*)state;
    const int is_prey = seat >= c->predators, own = s->cell[seat] * c->cells;
    const int here = (((1 << c->predators) - 1) | s->at_large) & ~(1 << seat);
    const size_t cells = (size_t)c->cells;
    uint8_t* plane = (uint8_t*)out;
    uint8_t* numbers = plane + 4 * cells;
    memcpy(plane, c->around + own, cells);
    memset(plane + cells, 0, 4 * cells);
    if (is_prey)
        memset(plane + 3 * cells, PURSUIT_MARK, cells);
    for (int other = 0; other < c->seats; other++) {
        const int foes = (other >= c->predators) != is_prey;
        uint8_t* entry = plane + (size_t)(1 + foes) * cells + c->seen[own + s->cell[other]];
        *entry = (uint8_t)(*entry + (here >> other & 1) * PURSUIT_MARK);
    }
    numbers[0] = (uint8_t)((c->horizon - s->tick) / 16);
    numbers[1] = (uint8_t)((c->horizon - s->tick) % 16 * 2);
    numbers[2] = (uint8_t)(4 * pursuit_until_rest(c, s, is_prey));
    numbers[3] = (uint8_t)(4 * pursuit_until_rest(c, s, !is_prey));
}

/* ---- what a game leaves behind ------------------------------------------------------------ */

/* Prey that a predator caught (two that come at once count both), or whether a prey was caught;
 * ticks on the board; moves, distance to the nearest foe and to the nearest friend, per tick. */
AGON_FN void pursuit_features(const void* config, const void* state, int seat, float* out) {
    const pursuit* s = (const pursuit*)state;
    const float lived = (float)s->lived[seat];
    out[0] = (float)s->caught[seat];
    out[1] = lived;
    out[2] = (float)s->moved[seat] / lived;
    out[3] = (float)s->from_foe[seat] / lived;
    out[4] = (float)s->from_friend[seat] / lived;
}

AGON_FN void pursuit_stats(const void* config, const void* state, float* out) {
    const pursuit_config* c = (const pursuit_config*)config;
    const pursuit* s = (const pursuit*)state;
    out[0] = (float)s->tick;
    out[1] = 0;
    for (int seat = c->predators; seat < c->seats; seat++)
        out[1] += (float)s->caught[seat];
}

/* ---- for people --------------------------------------------------------------------------- */

/* A letter for each on the board, capitals for predators; where several are, how many. */
static void pursuit_draw(const pursuit_config* c, const pursuit* s, char* board) {
    const int here = ((1 << c->predators) - 1) | s->at_large, placed = c->seats - s->to_place;
    for (int cell = 0; cell < c->cells; cell++)
        board[cell] = pursuit_is_barred(c, c->row[cell], c->col[cell]) ? '#' : '.';
    for (int seat = 0; seat < placed; seat++) {
        char* at = &board[s->cell[seat]];
        if (here >> seat & 1)
            *at = (char)(*at == '.'  ? (seat < c->predators ? 'A' : 'a') + seat
                         : *at > '9' ? '2'
                                     : *at + 1);
    }
}

static int pursuit_text(const void* config, const void* state, char* out, size_t size) {
    const pursuit_config* c = (const pursuit_config*)config;
    const pursuit* s = (const pursuit*)state;
    char board[PURSUIT_CELLS], text[1024];
    int n = snprintf(text, sizeof text, "tick %d of %d", s->tick, c->horizon);
    pursuit_draw(c, s, board);
    for (int seat = c->predators; seat < c->seats; seat++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%c %s",
                      seat == c->predators ? "; " : ", ", 'a' + seat,
                      s->at_large >> seat & 1 ? "at large" : "caught");
    text[n++] = '\n';
    for (int row = -c->walls; row < c->size + c->walls; row++) {
        const int edge = row < 0 || row == c->size;
        text[n++] = c->walls ? '#' : ' ';
        for (int col = 0; col < c->size; col++) {
            text[n++] = edge ? '#' : ' ';
            text[n++] = edge ? '#' : board[row * c->side + col];
        }
        text[n++] = edge ? '#' : ' ';
        text[n++] = c->walls ? '#' : ' ';
        text[n++] = '\n';
    }
    text[n] = '\0';
    return snprintf(out, size, "%s", text);
}

static int pursuit_action_name(const void* config, const void* state, int seat, int action,
                               char* out, size_t size) {
    static const char* const names[5] = {"stay", "up", "right", "down", "left"};
    const pursuit_config* c = (const pursuit_config*)config;
    const pursuit* s = (const pursuit*)state;
    if (seat < 0) {
        const int cell = pursuit_free_cell(c, s, action);
        return snprintf(out, size, "%c_at_%c%d", 'a' + c->seats - s->to_place, 'a' + c->col[cell],
                        c->row[cell] + 1);
    }
    return snprintf(out, size, "%s", names[action]);
}

AGON_GAME_BATCH(pursuit)

const agon_game agon_game_pursuit = {
    AGON_GAME_HEAD(pursuit, 1, "predators hunt prey; every tick counts until the last is caught",
                   sizeof(pursuit_config)),
    .chance = pursuit_chance,
    .text = pursuit_text,
    .action_name = pursuit_action_name,
    .infostate = pursuit_infostate,
    .features = pursuit_features,
    .stats = pursuit_stats,
};
