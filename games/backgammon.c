/* SPDX-License-Identifier: 0BSD
 *
 * backgammon: two seats with 15 checkers each, no doubling cube. Seat 0 has 2, 5, 3, 5 checkers on
 * its points 24, 13, 8, 6, seat 1 the same on its own, which are counted from the other side. A
 * checker moves forward by the number of one die, to a point with at most one checker of the other
 * seat; that one goes to the bar. Checkers on the bar enter first. With all checkers on the points
 * 6 to 1 they may leave the board: by the exact number, or by a larger one from the highest point
 * that is held. Both dice must be used if that can be done, and if either one but not both, the
 * higher one. The first roll decides who begins, and with it: it is never a double.
 *
 * A double is played twice: if both dice of the first ply were used, the same seat moves again with
 * the same dice. The first seat with no checkers left wins 1 (`scoring_type=winloss_scoring`), 2 if
 * the other has all of its own left (`enable_gammons`), 3 if one of those is also on the bar or on
 * the points 24 to 19 (`full_scoring`; 2 otherwise). After `max_player_turns` turns and the first
 * ply of one more the game ends with 0 for both. With `hyper_backgammon` each seat has one checker
 * on each of the points 24, 23, 22, and a win is 1.
 *
 * Chance: outcomes 2k and 2k + 1 are the k-th of the pairs 12, 13, .., 16, 23, .., 56, outcomes 30
 * to 35 the doubles. The opening has the first 30: at an even one seat 0 begins, else seat 1.
 *
 * Actions: first + 26 * second, plus 676 if the lower die is played first. Both are where a checker
 * comes from: 0..23 for the points 24..1 of the seat that moves, 24 for the bar, 25 for no move. If
 * one die is played, `second` is 25; no move at all is 1351; of a double the higher die is first.
 *
 * The observation has 8 planes of 24 points, in the order of the seat that asks, and one plane of
 * single numbers: own bar, other bar, own off, other off, the higher die (6), the lower die (6),
 * whether it is the second ply of a double, whether it is one's turn. It leaves out the number of
 * turns, which matters only near the bound. */
#include "agon_game.h"

#define BACKGAMMON_POINTS 24
#define BACKGAMMON_BAR    24 /* as an origin */
#define BACKGAMMON_NONE   25
#define BACKGAMMON_ROWS   26       /* origins */
#define BACKGAMMON_FAR    0x3ffffu /* points 24 to 7: no checker there may be left behind */
#define BACKGAMMON_WORDS  22

enum { BACKGAMMON_OPENS, BACKGAMMON_ROLLS, BACKGAMMON_MOVES, BACKGAMMON_AGAIN, BACKGAMMON_OVER };
enum { BACKGAMMON_WINLOSS, BACKGAMMON_GAMMONS, BACKGAMMON_FULL };

typedef struct backgammon {
    uint8_t point[2][BACKGAMMON_POINTS]; /* checkers of each seat; entry i is its point 24 - i */
    uint8_t bar[2], off[2];
    uint8_t die[2]; /* higher, lower; 0 before the roll */
    uint8_t mover;  /* who moves, or moved last */
    uint8_t phase;
    uint16_t turns; /* begun so far */
    uint8_t unused[6];
} backgammon;

typedef struct backgammon_config {
    int scoring, hyper, turns, checkers;
    uint32_t bit[BACKGAMMON_POINTS]; /* 1 << i */
    uint8_t high[36], low[36];       /* dice by outcome */
} backgammon_config;

#define backgammon_STATE             sizeof(backgammon)
#define backgammon_seats(config)     2
#define backgammon_words(config)     BACKGAMMON_WORDS
#define backgammon_obs_bytes(config) ((size_t)(9 * BACKGAMMON_POINTS))

static void backgammon_tables(backgammon_config* c) {
    int outcome = 0;
    for (int i = 0; i < BACKGAMMON_POINTS; i++)
        c->bit[i] = 1u << i;
    for (int low = 1; low <= 6; low++) {
        for (int high = low + 1; high <= 6; high++, outcome += 2) {
            c->low[outcome] = c->low[outcome + 1] = (uint8_t)low;
            c->high[outcome] = c->high[outcome + 1] = (uint8_t)high;
        }
        c->low[29 + low] = c->high[29 + low] = (uint8_t)low;
    }
}

static int backgammon_configure(agon_params* params, agon_spec* spec, void* config) {
    static const char* const planes[] = {"my_1",    "my_2",       "my_3",
                                         "my_more", "their_1",    "their_2",
                                         "their_3", "their_more", "bar_off_dice"};
    static const char* const stats[] = {"turns", "gammon", "backgammon", "unfinished"};
    backgammon_config* c = (backgammon_config*)config;
    c->scoring = agon_param_choice(params, "scoring_type", BACKGAMMON_WINLOSS,
                                   "winloss_scoring|enable_gammons|full_scoring");
    c->hyper = agon_param_bool(params, "hyper_backgammon", 0);
    c->turns = agon_param_int(params, "max_player_turns", 500, 1, 10000);
    c->checkers = c->hyper ? 3 : 15;
    backgammon_tables(c);
    spec->seats = 2;
    spec->actions = 2 * BACKGAMMON_ROWS * BACKGAMMON_ROWS;
    spec->chance_outcomes = 36;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_PERFECT;
    spec->max_plies = 2 * c->turns; /* neither the first turn nor the last one has two plies */
    spec->return_max = c->hyper ? 1 : (float)(1 + c->scoring);
    spec->return_min = -spec->return_max;
    spec->state_size = backgammon_STATE;
    spec->planes = 9;
    spec->rows = 1;
    spec->cols = BACKGAMMON_POINTS;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    for (int i = 0; i < spec->planes; i++)
        spec->plane_names[i] = planes[i];
    spec->symmetries = 1;
    spec->stats = 4;
    for (int i = 0; i < spec->stats; i++)
        spec->stat_names[i] = stats[i];
    return params->error[0] ? -1 : 0;
}

AGON_FN void backgammon_init(const void* config, void* state) {
    backgammon* s = (backgammon*)state;
    memset(s, 0, sizeof *s);
    for (int seat = 0; seat < 2; seat++) {
        uint8_t* point = s->point[seat];
        if (((const backgammon_config*)config)->hyper) {
            point[0] = point[1] = point[2] = 1;
            continue;
        }
        point[0] = 2;
        point[11] = point[18] = 5;
        point[16] = 3;
    }
}

AGON_FN uint64_t backgammon_acting(const void* config, const void* state) {
    const backgammon* s = (const backgammon*)state;
    const uint64_t rolls = s->phase <= BACKGAMMON_ROLLS, moves = s->phase < BACKGAMMON_OVER;
    return rolls << 63 | (moves ^ rolls) << s->mover; /* no branch: half the plies are rolls */
}

/* ---- sets of points: bit i for entry i ----------------------------------------------------- */

/* Points with at least `least` checkers: 1 or 2. Eight bytes at a time; the product brings the top
 * bits of eight bytes together, in order. */
AGON_FN uint32_t backgammon_held(const uint8_t* point, int least) {
    uint32_t set = 0;
    for (int i = 0; i < BACKGAMMON_POINTS; i += 8) {
        uint64_t bytes;
        memcpy(&bytes, point + i, 8);
        bytes = (bytes + (uint64_t)(128 - least) * 0x0101010101010101u) >> 7 & 0x0101010101010101u;
        set |= (uint32_t)(bytes * 0x0102040810204080u >> 56) << i;
    }
    return set;
}

/* Points, as the other seat counts them, with at most one of these checkers. */
AGON_FN uint32_t backgammon_open(const uint8_t* point) {
    uint32_t set = 0;
    for (int i = 0; i < BACKGAMMON_POINTS; i += 8) {
        uint64_t bytes;
        memcpy(&bytes, point + i, 8);
        bytes = ~(bytes + 126 * 0x0101010101010101u) >> 7 & 0x0101010101010101u;
        set |= (uint32_t)(bytes * 0x8040201008040201u >> 56) << (16 - i);
    }
    return set;
}

/* Points from which one of the checkers `mine` may move by `die`, with none on the bar. */
AGON_FN uint32_t backgammon_from(uint32_t mine, uint32_t open, int die) {
    const uint32_t exact = 1u << (BACKGAMMON_POINTS - die), highest = mine & (0 - mine);
    uint32_t from = mine & open >> die;
    if (!(mine & BACKGAMMON_FAR))
        from |= highest > exact ? highest : mine & exact;
    return from;
}

/* ---- legal moves --------------------------------------------------------------------------- */

/* What a seat has when it moves. */
typedef struct backgammon_view {
    uint32_t mine, blots; /* points with checkers, and with a single one */
    uint32_t open;        /* points that may be moved to */
    int bar;
} backgammon_view;

AGON_FN backgammon_view backgammon_look(const backgammon* s) {
    backgammon_view v;
    v.mine = backgammon_held(s->point[s->mover], 1);
    v.blots = v.mine & ~backgammon_held(s->point[s->mover], 2);
    v.open = backgammon_open(s->point[1 - s->mover]);
    v.bar = s->bar[s->mover];
    return v;
}

/* The plies of two checkers, by three cases. Each writes row[second], bit first, and returns all
 * rows ored. row: (26). */

/* The first checker enters. */
AGON_FN uint32_t backgammon_pairs_bar(const backgammon_view* v, int first, int second,
                                      uint32_t* row) {
    const uint32_t enters = (v->open >> (first - 1) & 1) << BACKGAMMON_BAR;
    const uint32_t too = (v->open >> (second - 1) & 1) << BACKGAMMON_BAR;
    uint32_t next = (v->mine | 1u << (first - 1)) & v->open >> second;
    if (v->bar > 1)
        next = 0;
    for (int i = 0; i < BACKGAMMON_POINTS; i++)
        row[i] = (0 - (next >> i & 1)) & enters;
    row[BACKGAMMON_BAR] = v->bar > 1 ? enters & too : 0;
    row[BACKGAMMON_NONE] = 0;
    return next ? enters : row[BACKGAMMON_BAR];
}

/* No checker can leave the board. The second may come from any point it can move from, unless its
 * only checker was the first one; or from an empty point that the first one reached. */
AGON_FN uint32_t backgammon_pairs_field(const backgammon_config* c, const backgammon_view* v,
                                        int first, int second, uint32_t* row) {
    const uint32_t from = v->mine & v->open >> first, next = v->open >> second;
    const uint32_t stay = v->mine & next, reached = from << first & next & ~v->mine;
    const uint32_t blots = v->blots;
    uint32_t any = 0;
    for (int i = 0; i < BACKGAMMON_POINTS; i++) {
        const uint32_t point = c->bit[i];
        const uint32_t others = stay & point ? from & ~(blots & point) : 0;
        row[i] = others | (reached & point) >> first;
        any |= row[i];
    }
    row[BACKGAMMON_BAR] = row[BACKGAMMON_NONE] = 0;
    return any;
}

/* Few points are held: one first move after the other. */
AGON_FN uint32_t backgammon_pairs_home(const backgammon_view* v, int first, int second,
                                       uint32_t* row) {
    const uint32_t all = (1u << BACKGAMMON_POINTS) - 1;
    uint32_t any = 0;
    memset(row, 0, BACKGAMMON_ROWS * sizeof *row);
    for (uint32_t from = backgammon_from(v->mine, v->open, first); from; from &= from - 1) {
        const uint32_t point = from & (0 - from);
        const uint32_t mine = (v->mine & ~(v->blots & point)) | (point << first & all);
        uint32_t next = backgammon_from(mine, v->open, second);
        any |= next ? point : 0;
        for (int i = 0; next; i++, next >>= 1)
            row[i] |= next & 1 ? point : 0;
    }
    return any;
}

/* Plies that use one die, the higher if it can be, or none. row: (52), set but for these. */
AGON_FN void backgammon_singles(const backgammon* s, const backgammon_view* v, uint32_t* row) {
    for (int order = 0; order < 2; order++) {
        const int die = s->die[order];
        const uint32_t from = v->bar ? (v->open >> (die - 1) & 1) << BACKGAMMON_BAR
                                     : backgammon_from(v->mine, v->open, die);
        row[order * BACKGAMMON_ROWS + BACKGAMMON_NONE] = from;
        if (from)
            return;
    }
    row[BACKGAMMON_ROWS + BACKGAMMON_NONE] = 1u << BACKGAMMON_NONE;
}

/* All legal plies: row[26 * order + second], bit first. row: (52). */
AGON_FN void backgammon_rows(const backgammon_config* c, const backgammon* s, uint32_t* row) {
    const backgammon_view v = backgammon_look(s);
    const uint32_t far = v.mine & BACKGAMMON_FAR;
    const int field = (far & (far - 1)) || (far & ~v.blots); /* two are far from home */
    uint32_t any = 0;
    for (int order = 0; order < 2; order++) {
        const int first = s->die[order], second = s->die[1 - order];
        uint32_t* to = row + order * BACKGAMMON_ROWS;
        if (order && first == second)
            memset(to, 0, BACKGAMMON_ROWS * sizeof *to);
        else if (v.bar)
            any |= backgammon_pairs_bar(&v, first, second, to);
        else if (field)
            any |= backgammon_pairs_field(c, &v, first, second, to);
        else
            any |= backgammon_pairs_home(&v, first, second, to);
    }
    if (!any)
        backgammon_singles(s, &v, row);
}

/* Four rows of 26 bits are 13 bytes; what is written behind them belongs to the next four. */
AGON_FN void backgammon_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    uint32_t row[2 * BACKGAMMON_ROWS];
    uint8_t* to = (uint8_t*)mask;
    backgammon_rows((const backgammon_config*)config, (const backgammon*)state, row);
    mask[BACKGAMMON_WORDS - 1] = 0;
    for (int i = 0; i < 2 * BACKGAMMON_ROWS; i += 4, to += 13) {
        const uint64_t low = row[i] | (uint64_t)row[i + 1] << 26 | (uint64_t)row[i + 2] << 52;
        const uint64_t high = row[i + 2] >> 12 | (uint64_t)row[i + 3] << 14;
        memcpy(to, &low, 8);
        memcpy(to + 8, &high, 8);
    }
}

/* ---- playing ------------------------------------------------------------------------------- */

AGON_FN int backgammon_roll(const backgammon_config* c, backgammon* s, int outcome) {
    const int opens = s->phase == BACKGAMMON_OPENS;
    if (outcome >= (opens ? 30 : 36))
        return -1;
    s->die[0] = c->high[outcome];
    s->die[1] = c->low[outcome];
    s->mover = (uint8_t)(opens ? outcome & 1 : 1 - s->mover);
    s->phase = BACKGAMMON_MOVES;
    return 0;
}

/* One checker by one die, if the rules of a single die allow it: 0, or -1. */
AGON_FN int backgammon_move(backgammon* s, int from, int die) {
    uint8_t* mine = s->point[s->mover];
    uint8_t* theirs = s->point[1 - s->mover];
    uint8_t* bar = &s->bar[s->mover];
    const int to = from == BACKGAMMON_BAR ? die - 1 : from + die;
    if (from == BACKGAMMON_BAR ? !*bar : from > BACKGAMMON_BAR || *bar || !mine[from])
        return -1;
    if (to < BACKGAMMON_POINTS ? theirs[BACKGAMMON_POINTS - 1 - to] > 1
                               : !(backgammon_from(backgammon_held(mine, 1), 0, die) >> from & 1))
        return -1;
    --*(from == BACKGAMMON_BAR ? bar : &mine[from]);
    if (to >= BACKGAMMON_POINTS) {
        s->off[s->mover]++;
        return 0;
    }
    mine[to]++;
    s->bar[1 - s->mover] = (uint8_t)(s->bar[1 - s->mover] + theirs[BACKGAMMON_POINTS - 1 - to]);
    theirs[BACKGAMMON_POINTS - 1 - to] = 0;
    return 0;
}

/* The checkers of one ply: 0, or -1. Two moves that can be made are a legal ply; fewer are one only
 * if no two can be made. */
AGON_FN int backgammon_play(const backgammon_config* c, backgammon* s, int first, int second,
                            int order) {
    if (second == BACKGAMMON_NONE) {
        uint32_t row[2 * BACKGAMMON_ROWS];
        backgammon_rows(c, s, row);
        if (!(row[order * BACKGAMMON_ROWS + second] >> first & 1))
            return -1;
        return first == BACKGAMMON_NONE ? 0 : backgammon_move(s, first, s->die[order]);
    }
    if (order && s->die[0] == s->die[1])
        return -1;
    if (backgammon_move(s, first, s->die[order]) != 0)
        return -1;
    return backgammon_move(s, second, s->die[1 - order]);
}

AGON_FN int backgammon_is_gammon(const backgammon* s, int loser) {
    return s->off[loser] == 0;
}

AGON_FN int backgammon_is_backgammon(const backgammon* s, int loser) {
    int behind = s->bar[loser];
    for (int i = 0; i < 6; i++)
        behind += s->point[loser][i];
    return s->off[loser] == 0 && behind > 0;
}

AGON_FN int backgammon_worth(const backgammon_config* c, const backgammon* s, int loser) {
    if (c->hyper || c->scoring == BACKGAMMON_WINLOSS)
        return 1;
    return 1 + backgammon_is_gammon(s, loser) +
           (c->scoring == BACKGAMMON_FULL && backgammon_is_backgammon(s, loser));
}

/* After a ply that used `used` dice. */
AGON_FN void backgammon_next(const backgammon_config* c, backgammon* s, int used, float* reward) {
    const int again = s->phase == BACKGAMMON_MOVES && s->die[0] == s->die[1] && used == 2;
    const int won = s->off[s->mover] == c->checkers;
    s->turns = (uint16_t)(s->turns + (s->phase == BACKGAMMON_MOVES));
    s->phase = again ? BACKGAMMON_AGAIN : BACKGAMMON_ROLLS;
    if (!again)
        s->die[0] = s->die[1] = 0;
    if (won || s->turns > c->turns)
        s->phase = BACKGAMMON_OVER;
    if (won) {
        const float worth = (float)backgammon_worth(c, s, 1 - s->mover);
        reward[s->mover] += worth;
        reward[1 - s->mover] -= worth;
    }
}

AGON_FN int backgammon_apply(const void* config, void* state, const uint16_t* action,
                             float* reward) {
    const backgammon_config* c = (const backgammon_config*)config;
    backgammon* s = (backgammon*)state;
    if (s->phase <= BACKGAMMON_ROLLS)
        return backgammon_roll(c, s, action[0]);
    const int square = BACKGAMMON_ROWS * BACKGAMMON_ROWS, choice = action[s->mover];
    const int order = choice >= square, both = order ? choice - square : choice;
    const int first = both % BACKGAMMON_ROWS, second = both / BACKGAMMON_ROWS;
    backgammon next = *s;
    if (s->phase == BACKGAMMON_OVER || both >= square ||
        backgammon_play(c, &next, first, second, order) != 0)
        return -1;
    *s = next;
    backgammon_next(c, s, (first != BACKGAMMON_NONE) + (second != BACKGAMMON_NONE), reward);
    return 0;
}

/* ---- views --------------------------------------------------------------------------------- */

/* The points as the other seat counts them, eight bytes at a time. */
AGON_FN void backgammon_reverse(const uint8_t* point, uint8_t* out) {
    for (int i = 0; i < BACKGAMMON_POINTS; i += 8) {
        uint64_t bytes;
        memcpy(&bytes, point + 16 - i, 8);
        bytes = (bytes >> 8 & 0x00ff00ff00ff00ffu) | (bytes & 0x00ff00ff00ff00ffu) << 8;
        bytes = (bytes >> 16 & 0x0000ffff0000ffffu) | (bytes & 0x0000ffff0000ffffu) << 16;
        bytes = bytes >> 32 | bytes << 32;
        memcpy(out + i, &bytes, 8);
    }
}

AGON_FN void backgammon_planes(const uint8_t* point, uint8_t* plane) {
    for (int i = 0; i < BACKGAMMON_POINTS; i++) {
        plane[i] = point[i] == 1;
        plane[BACKGAMMON_POINTS + i] = point[i] == 2;
        plane[2 * BACKGAMMON_POINTS + i] = point[i] == 3;
        plane[3 * BACKGAMMON_POINTS + i] = (uint8_t)(point[i] > 3 ? point[i] - 3 : 0);
    }
}

AGON_FN void backgammon_observe(const void* config, const void* state, int seat, void* out) {
    const backgammon* s = (const backgammon*)state;
    uint8_t* plane = (uint8_t*)out;
    uint8_t theirs[BACKGAMMON_POINTS];
    backgammon_reverse(s->point[1 - seat], theirs);
    backgammon_planes(s->point[seat], plane);
    backgammon_planes(theirs, plane + 4 * BACKGAMMON_POINTS);
    plane += 8 * BACKGAMMON_POINTS;
    memset(plane, 0, BACKGAMMON_POINTS);
    plane[0] = s->bar[seat];
    plane[1] = s->bar[1 - seat];
    plane[2] = s->off[seat];
    plane[3] = s->off[1 - seat];
    plane[3 + s->die[0]] = 1;
    plane[9 + s->die[1]] = 1;
    plane[16] = s->phase == BACKGAMMON_AGAIN;
    plane[17] = s->mover == seat;
}

AGON_FN int backgammon_chance(const void* config, const void* state, double* prob) {
    const int outcomes = ((const backgammon*)state)->phase == BACKGAMMON_OPENS ? 30 : 36;
    for (int i = 0; i < outcomes; i++)
        prob[i] = 1.0 / outcomes;
    return outcomes;
}

/* Twelve points as a line: checkers of seat 0 are x, of seat 1 o. */
static int backgammon_print_half(const backgammon* s, int from, int step, char* out, size_t size) {
    int n = 0;
    for (int k = 0; k < 12; k++) {
        const int i = from + k * step, x = s->point[0][i], o = s->point[1][23 - i];
        n += snprintf(out + n, size - (size_t)n, "%s", k == 6 ? " |" : "");
        if (x + o)
            n += snprintf(out + n, size - (size_t)n, " %c%-2d", x ? 'x' : 'o', x + o);
        else
            n += snprintf(out + n, size - (size_t)n, " .  ");
    }
    return n;
}

static int backgammon_text(const void* config, const void* state, char* out, size_t size) {
    static const char* const phase[] = {"opening roll", "roll", "to move", "to move again", "over"};
    const backgammon* s = (const backgammon*)state;
    char upper[64], lower[64];
    backgammon_print_half(s, 11, -1, upper, sizeof upper);
    backgammon_print_half(s, 12, 1, lower, sizeof lower);
    return snprintf(out, size,
                    " 13  14  15  16  17  18  | 19  20  21  22  23  24\n%s\n%s\n"
                    " 12  11  10  9   8   7   | 6   5   4   3   2   1\n"
                    "bar x %d, o %d; off x %d, o %d; turn %d\n%c %s, dice %d %d\n",
                    upper, lower, s->bar[0], s->bar[1], s->off[0], s->off[1], s->turns,
                    "xo"[s->mover], phase[s->phase], s -> die[0], s -> die[1]);
}

static int backgammon_print_origin(int from, int die, char* out, size_t size) {
    const int point = BACKGAMMON_POINTS - from, to = (from == BACKGAMMON_BAR ? 25 : point) - die;
    char a[12] = "bar", b[12] = "off";
    if (from != BACKGAMMON_BAR)
        snprintf(a, sizeof a, "%d", point);
    if (to > 0)
        snprintf(b, sizeof b, "%d", to);
    return snprintf(out, size, "%s/%s", a, b);
}

/* "63:24/18,13/10": the dice in the order in which they are played, then the checkers. */
static int backgammon_action_name(const void* config, const void* state, int seat, int action,
                                  char* out, size_t size) {
    const backgammon_config* c = (const backgammon_config*)config;
    const backgammon* s = (const backgammon*)state;
    const int square = BACKGAMMON_ROWS * BACKGAMMON_ROWS, order = action >= square;
    const int first = action % square % BACKGAMMON_ROWS;
    const int second = action % square / BACKGAMMON_ROWS;
    char a[16] = "none", b[16] = "none";
    if (seat < 0 && s->phase == BACKGAMMON_OPENS)
        return snprintf(out, size, "seat%d_%d-%d", action & 1, c->high[action], c->low[action]);
    if (seat < 0 && action & 1)
        return snprintf(out, size, "%d-%d", c->high[action], c->low[action]);
    if (seat < 0)
        return snprintf(out, size, "%d-%d", c->low[action], c->high[action]);
    if (first != BACKGAMMON_NONE)
        backgammon_print_origin(first, s->die[order], a, sizeof a);
    if (second != BACKGAMMON_NONE)
        backgammon_print_origin(second, s->die[1 - order], b, sizeof b);
    return snprintf(out, size, "%d%d:%s,%s", s->die[order], s->die[1 - order], a, b);
}

AGON_FN void backgammon_stats(const void* config, const void* state, float* out) {
    const backgammon* s = (const backgammon*)state;
    const int checkers = ((const backgammon_config*)config)->checkers;
    const int won = s->off[s->mover] == checkers, loser = 1 - s->mover;
    out[0] = (float)s->turns;
    out[1] = (float)(won && backgammon_is_gammon(s, loser));
    out[2] = (float)(won && backgammon_is_backgammon(s, loser));
    out[3] = (float)!won;
}

AGON_GAME_BATCH(backgammon)

const agon_game agon_game_backgammon = {
    AGON_GAME_HEAD(backgammon, 1, "race and block with dice; no doubling cube",
                   sizeof(backgammon_config)),
    .chance = backgammon_chance,
    .text = backgammon_text,
    .action_name = backgammon_action_name,
    .stats = backgammon_stats,
};
