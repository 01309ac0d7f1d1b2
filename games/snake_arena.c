/* SPDX-License-Identifier: 0BSD
 *
 * snake_arena: 2 to 8 snakes on one board of size x size cells, real time. In every tick all living
 * snakes move one cell at once: ahead, or turned to the right or left. A snake whose head comes to
 * food eats it and is one cell longer: its tail stays where it is in that tick. Every other tail
 * moves on, also that of a snake that dies in this tick, so the cell that a tail leaves may be
 * entered. A snake dies that enters
 *   - a wall: around the board; with walls=false its edges are joined instead (a torus);
 *   - a cell of any body, its own or one that dies in this tick, or a stone;
 *   - a cell that another head enters in the same tick, unless it is longer than all of these.
 * Lengths are those before the tick's food. Two that would exchange their heads' cells both enter a
 * body. Of a dead snake the head does not enter, and its cells, as corpses=... says,
 *   - vanish: are free;
 *   - food: become food, every second one from the tail on, the others free;
 *   - stone: are walls from now on.
 *
 * Food: while there are fewer than `food` pieces and a free cell, nature puts one on a free cell
 * (not of a wall, body, stone or food), each with equal probability; outcome k is the k-th free
 * cell, counted by rows. So the first `food` plies are nature's, and later one for each piece that
 * is missing. With corpses=food there may be more pieces than `food`.
 *
 * Start: two cells each, pointing to the middle; seat 0 at the bottom of the middle column, seats 1
 * to 3 the same after quarter turns clockwise (with two players after a half turn), seats 4 to 7
 * likewise from the second column.
 *
 * The game ends when at most one snake lives, or after `horizon` ticks. Of two snakes the one that
 * lived longer is ahead; if both lived to the same tick, the longer one; else none. A return is
 * (seats behind - seats ahead) / (players - 1), paid at death, or at the end.
 *
 * Actions: 0 ahead, 1 right, 2 left. The observation is the board turned so that the snake looks
 * up, and rolled, over its edges, so that its head is at row and column side / 2; a dead seat looks
 * from where it died. With walls the side is size + 1: one row and one column of wall, which a roll
 * keeps whole. Entries count 32 as one. Planes:
 *   free_in   ticks until a body's cell is free, if its snake eats nothing (the tail's 1, the
 *             head's its length); walls and stones 64
 *   whose     bodies: one's own 32, that of the k-th seat after oneself 4 * k
 *   heads     of others: their length
 *   food      32
 *   numbers   one's own length, the other seats' in turn (0: dead), ticks left / 16, and their
 *             remainder * 2
 */
#include "agon_game.h"

#define SNAKE_ARENA_SEATS 8
#define SNAKE_ARENA_CELLS 256
#define SNAKE_ARENA_MARK  32

enum { SNAKE_ARENA_VANISH, SNAKE_ARENA_FOOD, SNAKE_ARENA_STONE };

/* Cells are side * row + column, row 0 on top; sets of cells are bits. Directions: 0 up, 1 right, 2
 * down, 3 left. A body is its tail's cell and, for each cell but the head's, the direction of the
 * next one: two bits of `link`, 0 where there is no body. */
typedef struct snake_arena {
    uint64_t past;       /* hash of all that was played and drawn: see snake_arena_remember */
    uint64_t blocked[4]; /* walls, stones, bodies, and what is no cell */
    uint64_t food[4];
    uint64_t stone[4]; /* corpses that stay */
    uint64_t link[8];
    uint16_t tick;
    uint16_t room;  /* free cells */
    uint8_t pieces; /* of food */
    uint8_t alive;  /* set of seats */
    uint8_t over;
    uint8_t unused;
    uint8_t head[SNAKE_ARENA_SEATS]; /* head, tail, heading, length stay as they were at death */
    uint8_t tail[SNAKE_ARENA_SEATS];
    uint8_t heading[SNAKE_ARENA_SEATS];
    uint8_t length[SNAKE_ARENA_SEATS];
    uint8_t kills[SNAKE_ARENA_SEATS];
    uint16_t lived[SNAKE_ARENA_SEATS]; /* ticks */
    uint16_t turns[SNAKE_ARENA_SEATS];
    uint16_t apart[SNAKE_ARENA_SEATS]; /* sum of distances to the nearest head */
} snake_arena;

typedef struct snake_arena_config {
    int players, size, food, horizon, walls, corpses;
    int side, cells; /* of the torus that the walls lie on, too */
    uint8_t next[4][SNAKE_ARENA_CELLS];
    uint8_t row[SNAKE_ARENA_CELLS], col[SNAKE_ARENA_CELLS];
    uint8_t distance[32];      /* [16 + difference of rows or columns] */
    uint8_t of_row[4][16][16]; /* by heading, row of the head, row: see snake_arena_view */
    uint8_t of_col[4][16][16];
    snake_arena start;
} snake_arena_config;

#define snake_arena_STATE             sizeof(snake_arena)
#define snake_arena_seats(config)     (((const snake_arena_config*)(config))->players)
#define snake_arena_obs_bytes(config) ((size_t)(5 * ((const snake_arena_config*)(config))->cells))
#define snake_arena_words(config)     1

AGON_FN int snake_arena_has(const uint64_t* set, int cell) {
    return (int)(set[cell >> 6] >> (cell & 63) & 1);
}

AGON_FN void snake_arena_flip(uint64_t* set, int cell) {
    set[cell >> 6] ^= 1ull << (cell & 63);
}

AGON_FN int snake_arena_link(const snake_arena* s, int cell) {
    return (int)(s->link[cell >> 5] >> 2 * (cell & 31) & 3);
}

/* Changes a cell's link from or to 0. */
AGON_FN void snake_arena_relink(snake_arena* s, int cell, int direction) {
    s->link[cell >> 5] ^= (uint64_t)direction << 2 * (cell & 31);
}

/* Everybody sees everything, so what was played so far is what a seat knows, and positions forget
 * it. `step` is the ply; the same past with another step never gives the same hash. */
AGON_FN void snake_arena_remember(snake_arena* s, uint64_t step) {
    s->past = (s->past ^ step) * 0x9e3779b97f4a7c15ull;
    s->past ^= s->past >> 32;
}

AGON_FN int snake_arena_infostate(const void* config, const void* state, int seat, void* out) {
    memcpy(out, &((const snake_arena*)state)->past, 8);
    return 8;
}

/* ---- facts and the start ------------------------------------------------------------------ */

static void snake_arena_tables(snake_arena_config* c) {
    const int n = c->side;
    for (int cell = 0; cell < c->cells; cell++) {
        const int row = cell / n, col = cell % n;
        c->row[cell] = (uint8_t)row;
        c->col[cell] = (uint8_t)col;
        c->next[0][cell] = (uint8_t)((row + n - 1) % n * n + col);
        c->next[1][cell] = (uint8_t)(row * n + (col + 1) % n);
        c->next[2][cell] = (uint8_t)((row + 1) % n * n + col);
        c->next[3][cell] = (uint8_t)(row * n + (col + n - 1) % n);
    }
    for (int i = 0; i < 32; i++) {
        const int plain = i < 16 ? 16 - i : i - 16;
        c->distance[i] = (uint8_t)(c->walls || 2 * plain <= n ? plain : n - plain);
    }
}

/* Looking up, a row down is a row down in the picture; looking right, it is a column to the right;
 * and so on. */
static void snake_arena_turns(snake_arena_config* c) {
    const int n = c->side;
    for (int i = 0; i < 4 * n * n; i++) {
        const int heading = i / (n * n), head = i / n % n, at = i % n;
        const int after = (at - head + n + n / 2) % n, before = (head - at + n + n / 2) % n;
        const int row = heading < 2 ? after : before;
        const int col = heading == 0 || heading == 3 ? after : before;
        c->of_row[heading][head][at] = (uint8_t)(heading % 2 ? row : n * row);
        c->of_col[heading][head][at] = (uint8_t)(heading % 2 ? n * col : col);
    }
}

/* Puts a snake on the start position. */
static void snake_arena_put(snake_arena_config* c, int seat) {
    snake_arena* s = &c->start;
    const int turns = c->players == 2 ? 2 * seat : seat & 3, last = c->size - 1;
    int row = last, col = seat < 4 ? last / 2 : 1;
    for (int turn = 0; turn < turns; turn++) {
        const int old = row;
        row = col;
        col = last - old;
    }
    s->heading[seat] = (uint8_t)turns;
    s->tail[seat] = (uint8_t)(row * c->side + col);
    s->head[seat] = c->next[turns][s->tail[seat]];
    s->length[seat] = 2;
    snake_arena_relink(s, s->tail[seat], turns);
    snake_arena_flip(s->blocked, s->tail[seat]);
    snake_arena_flip(s->blocked, s->head[seat]);
}

static void snake_arena_set_up(snake_arena_config* c) {
    snake_arena* s = &c->start;
    for (int cell = 0; cell < SNAKE_ARENA_CELLS; cell++) {
        if (cell >= c->cells || c->row[cell] == c->size || c->col[cell] == c->size)
            snake_arena_flip(s->blocked, cell);
    }
    for (int seat = 0; seat < c->players; seat++)
        snake_arena_put(c, seat);
    s->past = 0xcbf29ce484222325ull; /* far from all steps, so that none gives 0 */
    s->alive = (uint8_t)((1 << c->players) - 1);
    s->room = (uint16_t)(c->size * c->size - 2 * c->players);
}

static void snake_arena_names(agon_spec* spec) {
    static const char* const planes[] = {"free_in", "whose", "heads", "food", "numbers"};
    static const char* const features[] = {"eaten", "lived", "turns", "apart", "kills"};
    static const char* const stats[] = {"ticks", "survivors", "eaten"};
    spec->planes = sizeof planes / sizeof planes[0];
    spec->features = sizeof features / sizeof features[0];
    spec->stats = sizeof stats / sizeof stats[0];
    memcpy(spec->plane_names, planes, sizeof planes);
    memcpy(spec->feature_names, features, sizeof features);
    memcpy(spec->stat_names, stats, sizeof stats);
}

static int snake_arena_configure(agon_params* params, agon_spec* spec, void* config) {
    snake_arena_config* c = (snake_arena_config*)config;
    memset(c, 0, sizeof *c);
    c->players = agon_param_int(params, "players", 2, 2, SNAKE_ARENA_SEATS);
    c->size = agon_param_int(params, "size", 8, 5, 15);
    c->food = agon_param_int(params, "food", c->players, 1, 16);
    c->horizon = agon_param_int(params, "horizon", 100, 1, 2000);
    c->walls = agon_param_bool(params, "walls", 1);
    c->corpses = agon_param_choice(params, "corpses", SNAKE_ARENA_FOOD, "vanish|food|stone");
    c->side = c->size + c->walls;
    c->cells = c->side * c->side;
    snake_arena_tables(c);
    snake_arena_turns(c);
    snake_arena_set_up(c);
    spec->seats = c->players;
    spec->actions = 3;
    spec->chance_outcomes = c->size * c->size - 4; /* two snakes of two cells each */
    spec->simultaneous = 1;
    spec->seats_symmetric = 0; /* nature's outcomes are cells, not cells as a seat sees them */
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = c->horizon;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = snake_arena_STATE;
    spec->rows = spec->cols = c->side;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1.0f / SNAKE_ARENA_MARK;
    spec->symmetries = 1;
    snake_arena_names(spec);
    return params->error[0] ? -1 : 0;
}

AGON_FN void snake_arena_init(const void* config, void* state) {
    memcpy(state, &((const snake_arena_config*)config)->start, snake_arena_STATE);
}

/* ---- food --------------------------------------------------------------------------------- */

AGON_FN int snake_arena_grows(const snake_arena_config* c, const snake_arena* s) {
    return s->pieces < c->food && s->room > 0;
}

AGON_FN uint64_t snake_arena_acting(const void* config, const void* state) {
    const snake_arena* s = (const snake_arena*)state;
    if (s->over)
        return 0;
    return snake_arena_grows((const snake_arena_config*)config, s) ? AGON_CHANCE : s->alive;
}

AGON_FN int snake_arena_chance(const void* config, const void* state, double* prob) {
    const int room = ((const snake_arena*)state)->room;
    const double each = 1.0 / room;
    for (int i = 0; i < room; i++)
        prob[i] = each;
    return room;
}

AGON_FN int snake_arena_count(uint64_t bits) {
#ifdef __CUDA_ARCH__
    return __popcll(bits);
#else
    return __builtin_popcountll(bits);
#endif
}

/* The place of the lowest bit of a word that has one. */
AGON_FN int snake_arena_lowest(uint64_t bits) {
#ifdef __CUDA_ARCH__
    return __ffsll((long long)bits) - 1;
#else
    return __builtin_ctzll(bits);
#endif
}

/* The n-th free cell, counted from 0; there are more than n. */
AGON_FN int snake_arena_free_cell(const snake_arena* s, int n) {
    int word = 0, count;
    uint64_t bits;
    for (;;) {
        bits = ~(s->blocked[word] | s->food[word]);
        count = snake_arena_count(bits);
        if (n < count)
            break;
        n -= count;
        word++;
    }
    while (n--)
        bits &= bits - 1;
    return 64 * word + snake_arena_lowest(bits);
}

AGON_FN int snake_arena_grow(snake_arena* s, int outcome) {
    if (outcome >= s->room)
        return -1;
    snake_arena_flip(s->food, snake_arena_free_cell(s, outcome));
    s->pieces++;
    s->room--;
    snake_arena_remember(s, (uint64_t)outcome);
    return 0;
}

/* ---- a tick ------------------------------------------------------------------------------- */

AGON_FN void snake_arena_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    mask[0] = 7;
}

/* One tick in the making. */
typedef struct snake_arena_moves {
    int heading[SNAKE_ARENA_SEATS], target[SNAKE_ARENA_SEATS]; /* target: -1 for the dead */
    int dying;                                                 /* set of seats */
    uint64_t step;                                             /* all headings, two bits each */
} snake_arena_moves;

AGON_FN int snake_arena_plan(const snake_arena_config* c, const snake_arena* s,
                             const uint16_t* action, snake_arena_moves* m) {
    m->dying = 0;
    m->step = 0;
    for (int seat = 0; seat < c->players; seat++) {
        m->target[seat] = -1;
        if (!(s->alive >> seat & 1))
            continue;
        if (action[seat] > 2)
            return -1;
        /* 0, 1, 2: no quarter turn, one, three */
        m->heading[seat] = (s->heading[seat] + action[seat] + (action[seat] >> 1)) & 3;
        m->target[seat] = c->next[m->heading[seat]][s->head[seat]];
        m->step |= (uint64_t)m->heading[seat] << 2 * seat;
    }
    return 0;
}

/* Tails move on, except where there is food to come. */
AGON_FN void snake_arena_leave(const snake_arena_config* c, snake_arena* s,
                               const snake_arena_moves* m) {
    for (int seat = 0; seat < c->players; seat++) {
        const int tail = s->tail[seat];
        if (m->target[seat] < 0 || snake_arena_has(s->food, m->target[seat]))
            continue;
        const int direction = snake_arena_link(s, tail);
        s->tail[seat] = c->next[direction][tail];
        snake_arena_relink(s, tail, direction);
        snake_arena_flip(s->blocked, tail);
        s->room++;
    }
}

/* The seat whose body is on a cell, or -1. */
AGON_FN int snake_arena_owner(const snake_arena_config* c, const snake_arena* s, int cell) {
    for (int seat = 0; seat < c->players; seat++) {
        int at = s->tail[seat];
        if (!(s->alive >> seat & 1))
            continue;
        while (at != cell && at != s->head[seat])
            at = c->next[snake_arena_link(s, at)][at];
        if (at == cell)
            return seat;
    }
    return -1;
}

/* Whether a head that enters a free cell dies there; *killer: a longer one that comes, too. */
AGON_FN int snake_arena_loses_cell(const snake_arena_config* c, const snake_arena* s,
                                   const snake_arena_moves* m, int seat, int* killer) {
    int length = 0, rivals = 0;
    for (int other = 0; other < c->players; other++) {
        if (other == seat || m->target[other] != m->target[seat])
            continue;
        *killer = s->length[other] > length ? other : *killer;
        rivals = s->length[other] > length ? 1 : rivals + (s->length[other] == length);
        length = s->length[other] > length ? s->length[other] : length;
    }
    if (rivals > 1 || length == s->length[seat])
        *killer = -1;
    return rivals && length >= s->length[seat];
}

AGON_FN void snake_arena_crash(const snake_arena_config* c, snake_arena* s, snake_arena_moves* m) {
    for (int seat = 0; seat < c->players; seat++) {
        int killer = -1;
        if (m->target[seat] < 0)
            continue;
        if (snake_arena_has(s->blocked, m->target[seat]))
            killer = snake_arena_owner(c, s, m->target[seat]);
        else if (!snake_arena_loses_cell(c, s, m, seat, &killer))
            continue;
        m->dying |= 1 << seat;
        if (killer >= 0 && killer != seat)
            s->kills[killer]++;
    }
}

AGON_FN void snake_arena_enter(snake_arena* s, const snake_arena_moves* m, int seat) {
    const int target = m->target[seat];
    s->turns[seat] = (uint16_t)(s->turns[seat] + (m->heading[seat] != s->heading[seat]));
    snake_arena_relink(s, s->head[seat], m->heading[seat]);
    snake_arena_flip(s->blocked, target);
    s->heading[seat] = (uint8_t)m->heading[seat];
    s->head[seat] = (uint8_t)target;
    if (snake_arena_has(s->food, target)) {
        snake_arena_flip(s->food, target);
        s->length[seat]++;
        s->pieces--;
    } else {
        s->room--;
    }
}

/* What becomes of a corpse. */
AGON_FN void snake_arena_remove(const snake_arena_config* c, snake_arena* s, int seat) {
    int at = s->tail[seat];
    for (int i = 0;; i++) {
        const int direction = snake_arena_link(s, at), last = at == s->head[seat];
        const int food = c->corpses == SNAKE_ARENA_FOOD && i % 2 == 0;
        if (c->corpses == SNAKE_ARENA_STONE) {
            snake_arena_flip(s->stone, at);
        } else {
            snake_arena_flip(s->blocked, at);
            s->room++;
        }
        if (food) {
            snake_arena_flip(s->food, at);
            s->pieces++;
            s->room--;
        }
        if (last)
            return;
        snake_arena_relink(s, at, direction);
        at = c->next[direction][at];
    }
}

/* Pays the seats of `paid`, who lived to the same tick; those of `ahead` live on. */
AGON_FN void snake_arena_pay(const snake_arena_config* c, const snake_arena* s, int paid, int ahead,
                             float* reward) {
    for (int seat = 0; seat < c->players; seat++) {
        int rank = 0;
        if (!(paid >> seat & 1))
            continue;
        for (int other = 0; other < c->players; other++) {
            const int behind = s->length[other] < s->length[seat];
            const int level = s->length[other] == s->length[seat];
            if (ahead >> other & 1)
                rank--;
            else if (paid >> other & 1)
                rank += level ? 0 : 2 * behind - 1;
            else
                rank++;
        }
        reward[seat] += (float)rank / (float)(c->players - 1);
    }
}

/* Adds up how far from each other the living keep. */
AGON_FN void snake_arena_measure(const snake_arena_config* c, snake_arena* s) {
    int nearest[SNAKE_ARENA_SEATS];
    for (int seat = 0; seat < c->players; seat++) {
        nearest[seat] = 255;
        for (int other = 0; other < seat; other++) {
            const int one = s->head[seat], two = s->head[other];
            const int distance = c->distance[16 + c->row[one] - c->row[two]] +
                                 c->distance[16 + c->col[one] - c->col[two]];
            const int both = s->alive >> seat & s->alive >> other & 1;
            if (both && distance < nearest[seat])
                nearest[seat] = distance;
            if (both && distance < nearest[other])
                nearest[other] = distance;
        }
    }
    for (int seat = 0; seat < c->players; seat++)
        s->apart[seat] = (uint16_t)(s->apart[seat] + (nearest[seat] < 255 ? nearest[seat] : 0));
}

AGON_FN void snake_arena_settle(const snake_arena_config* c, snake_arena* s,
                                const snake_arena_moves* m, float* reward) {
    s->tick++;
    for (int seat = 0; seat < c->players; seat++)
        s->lived[seat] = (uint16_t)(s->lived[seat] + (s->alive >> seat & 1));
    s->alive = (uint8_t)(s->alive & ~m->dying);
    if (m->dying)
        snake_arena_pay(c, s, m->dying, s->alive, reward);
    if ((s->alive & (s->alive - 1)) != 0)
        snake_arena_measure(c, s);
    if ((s->alive & (s->alive - 1)) != 0 && s->tick < c->horizon)
        return;
    snake_arena_pay(c, s, s->alive, 0, reward);
    s->over = 1;
}

AGON_FN int snake_arena_apply(const void* config, void* state, const uint16_t* action,
                              float* reward) {
    const snake_arena_config* c = (const snake_arena_config*)config;
    snake_arena* s = (snake_arena*)state;
    snake_arena_moves m;
    if (s->over)
        return -1;
    if (snake_arena_grows(c, s))
        return snake_arena_grow(s, action[0]);
    if (snake_arena_plan(c, s, action, &m) != 0)
        return -1;
    snake_arena_remember(s, m.step);
    snake_arena_leave(c, s, &m);
    snake_arena_crash(c, s, &m);
    for (int seat = 0; seat < c->players; seat++) {
        if (m.target[seat] >= 0 && !(m.dying >> seat & 1))
            snake_arena_enter(s, &m, seat);
    }
    for (int seat = 0; m.dying >> seat; seat++) {
        if (m.dying >> seat & 1)
            snake_arena_remove(c, s, seat);
    }
    snake_arena_settle(c, s, &m, reward);
    return 0;
}

/* ---- what a seat sees --------------------------------------------------------------------- */

/* From where a seat looks. What a row and what a column adds to the place in the picture. */
typedef struct snake_arena_view {
    const snake_arena_config* c;
    int heading;
    const uint8_t *of_row, *of_col;
} snake_arena_view;

AGON_FN int snake_arena_seen_at(const snake_arena_view* v, int cell) {
    return v->of_row[v->c->row[cell]] + v->of_col[v->c->col[cell]];
}

AGON_FN void snake_arena_see_walls(const snake_arena_view* v, uint8_t* out) {
    const snake_arena_config* c = v->c;
    const int n = c->side, at = snake_arena_seen_at(v, c->cells - 1); /* where both walls cross */
    memset(out + at / n * n, 2 * SNAKE_ARENA_MARK, (size_t)n);
    for (int i = at % n; i < c->cells; i += n)
        out[i] = 2 * SNAKE_ARENA_MARK;
}

AGON_FN void snake_arena_see_set(const snake_arena_view* v, const uint64_t* set, int value,
                                 uint8_t* out) {
    for (int word = 0; word < 4; word++) {
        for (uint64_t bits = set[word]; bits; bits &= bits - 1)
            out[snake_arena_seen_at(v, 64 * word + snake_arena_lowest(bits))] = (uint8_t)value;
    }
}

/* `place`: how many seats after the one that looks. */
AGON_FN void snake_arena_see_body(const snake_arena_view* v, const snake_arena* s, int seat,
                                  int place, uint8_t* out) {
    const snake_arena_config* c = v->c;
    const int cells = c->cells, length = s->length[seat];
    const uint8_t whose = (uint8_t)(place ? 4 * place : SNAKE_ARENA_MARK);
    int at = s->tail[seat], seen = snake_arena_seen_at(v, at);
    for (int i = 1;; i++) {
        out[seen] = (uint8_t)i;
        out[cells + seen] = whose;
        if (i == length)
            break;
        const int direction = snake_arena_link(s, at);
        at = c->next[direction][at];
        seen = c->next[(direction - v->heading) & 3][seen];
    }
    if (place)
        out[2 * cells + seen] = (uint8_t)length;
}

AGON_FN void snake_arena_observe(const void* config, const void* state, int seat, void* out) {
    const snake_arena_config* c = (const snake_arena_config*)config;
    const snake_arena* s = (const snake_arena*)state;
    const int heading = s->heading[seat], head = s->head[seat];
    const snake_arena_view v = {c, heading, c->of_row[heading][c->row[head]],
                                c->of_col[heading][c->col[head]]};
    const int left = c->horizon - s->tick;
    uint8_t* plane = (uint8_t*)out;
    uint8_t* numbers = plane + 4 * c->cells;
    memset(plane, 0, snake_arena_obs_bytes(config));
    if (c->walls)
        snake_arena_see_walls(&v, plane);
    if (c->corpses == SNAKE_ARENA_STONE)
        snake_arena_see_set(&v, s->stone, 2 * SNAKE_ARENA_MARK, plane);
    for (int place = 0; place < c->players; place++) {
        const int other = seat + place < c->players ? seat + place : seat + place - c->players;
        if (!(s->alive >> other & 1))
            continue;
        snake_arena_see_body(&v, s, other, place, plane);
        numbers[place] = s->length[other];
    }
    snake_arena_see_set(&v, s->food, SNAKE_ARENA_MARK, plane + 3 * c->cells);
    numbers[c->players] = (uint8_t)(left / 16);
    numbers[c->players + 1] = (uint8_t)(left % 16 * 2);
}

/* ---- what a game leaves behind ------------------------------------------------------------ */

/* Food eaten and ticks lived; turns and distance to the nearest head, per tick; other snakes that
 * died of this one's body or head. */
AGON_FN void snake_arena_features(const void* config, const void* state, int seat, float* out) {
    const snake_arena* s = (const snake_arena*)state;
    const float lived = (float)s->lived[seat];
    out[0] = (float)(s->length[seat] - 2);
    out[1] = lived;
    out[2] = (float)s->turns[seat] / lived;
    out[3] = (float)s->apart[seat] / lived;
    out[4] = (float)s->kills[seat];
}

AGON_FN void snake_arena_stats(const void* config, const void* state, float* out) {
    const int players = ((const snake_arena_config*)config)->players;
    const snake_arena* s = (const snake_arena*)state;
    out[0] = (float)s->tick;
    out[1] = (float)snake_arena_count(s->alive);
    out[2] = 0;
    for (int seat = 0; seat < players; seat++)
        out[2] += (float)(s->length[seat] - 2);
}

/* ---- for people --------------------------------------------------------------------------- */

static void snake_arena_draw(const snake_arena_config* c, const snake_arena* s, char* board) {
    for (int cell = 0; cell < c->cells; cell++)
        board[cell] = snake_arena_has(s->food, cell)    ? '*'
                      : snake_arena_has(s->stone, cell) ? '%'
                                                        : '.';
    for (int seat = 0; seat < c->players; seat++) {
        int at = s->tail[seat];
        if (!(s->alive >> seat & 1))
            continue;
        for (; at != s->head[seat]; at = c->next[snake_arena_link(s, at)][at])
            board[at] = (char)('a' + seat);
        board[at] = (char)('A' + seat);
    }
}

/* The board, and beside its rows who is how long. */
static int snake_arena_text(const void* config, const void* state, char* out, size_t size) {
    const snake_arena_config* c = (const snake_arena_config*)config;
    const snake_arena* s = (const snake_arena*)state;
    char board[SNAKE_ARENA_CELLS], text[1024];
    int n = snprintf(text, sizeof text, "tick %d of %d", s->tick, c->horizon);
    snake_arena_draw(c, s, board);
    for (int seat = 0; seat < c->players; seat++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%c%d%s", seat ? " " : "; ", 'A' + seat,
                      s->length[seat], s->alive >> seat & 1 ? "" : "-dead");
    text[n++] = '\n';
    for (int row = -1; row <= c->size; row++) {
        const int edge = row < 0 || row == c->size;
        const char rim = c->walls ? '#' : ' ';
        if (edge && !c->walls)
            continue;
        text[n++] = rim;
        for (int col = 0; col < c->size; col++) {
            text[n++] = edge ? rim : ' ';
            text[n++] = edge ? rim : board[row * c->side + col];
        }
        n += snprintf(text + n, sizeof text - (size_t)n, "%c%c\n", edge ? rim : ' ', rim);
    }
    return snprintf(out, size, "%s", text);
}

/* Directions on the board as `text` shows it. */
static int snake_arena_action_name(const void* config, const void* state, int seat, int action,
                                   char* out, size_t size) {
    static const char* const names[4] = {"up", "right", "down", "left"};
    const snake_arena_config* c = (const snake_arena_config*)config;
    const snake_arena* s = (const snake_arena*)state;
    if (seat < 0) {
        const int cell = snake_arena_free_cell(s, action);
        return snprintf(out, size, "food_%c%d", 'a' + c->col[cell], c->row[cell] + 1);
    }
    return snprintf(out, size, "%s", names[(s->heading[seat] + action + (action >> 1)) & 3]);
}

AGON_GAME_BATCH(snake_arena)

const agon_game agon_game_snake_arena = {
    AGON_GAME_HEAD(snake_arena, 1,
                   "snakes eat, grow and corner each other; the last or longest wins",
                   sizeof(snake_arena_config)),
    .chance = snake_arena_chance,
    .text = snake_arena_text,
    .action_name = snake_arena_action_name,
    .infostate = snake_arena_infostate,
    .features = snake_arena_features,
    .stats = snake_arena_stats,
};
