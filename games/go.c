/* SPDX-License-Identifier: 0BSD
 *
 * go: on a board of board_size x board_size points, seat 0 (x, black) and seat 1 (o, white) in turn
 * put a stone on a free point or pass. Stones of one colour that touch sideways or up and down are
 * a chain; free points beside a chain are its liberties. First the other's chains that have no
 * liberty left are taken off the board. A move after which one's own new chain has none is illegal
 * (no suicide).
 *
 * Ko: after a lone stone has taken exactly one stone and has the freed point as its only liberty,
 * the next ply may not be on that point. This is the only move that is forbidden because of the
 * past. Longer cycles: when a stone makes a board that has been there before, whoever was to move
 * then, the game is over and a draw (positional repetition). A pass repeats nothing.
 *
 * The game also ends after two passes in a row, and after 2 * board_size^2 plies, passes counted.
 * Then each seat has a point for each of its stones and each free point from which one reaches,
 * over free points, its stones only (area, Tromp-Taylor); seat 1 has `komi` more, a multiple of a
 * half. More points win: 1, the loser -1; 0 when equal. No stones are declared dead.
 *
 * Action = point = row * board_size + column, row 0 at the bottom; board_size^2 is the pass. Names
 * are those of go players, a1 in the lower left corner, without column i. The observation: one's
 * own stones, the other's, the point that ko forbids, a plane of ones when the last ply was a pass,
 * a plane of ones for seat 1. All eight symmetries of the board. */
#include "agon_game.h"

#define GO_SIZE   19
#define GO_POINTS (GO_SIZE * GO_SIZE)
#define GO_SLOTS  ((GO_POINTS + 8) / 8 * 8)
#define GO_WORDS  (GO_POINTS / 64 + 1) /* one bit more than points: the pass */

/* Of an entry of the history, the low bits are the action, the others the hash of the board. */
#define GO_ACTION_BITS 9

/* A state is a head, then arrays whose lengths depend on the board: see go_open. The past belongs
 * to the position, as repetition ends the game, so the bytes are a function of the actions. */
typedef struct go_head {
    uint32_t hash; /* of the board */
    uint16_t ply;  /* even: seat 0 moves */
    uint16_t ko;   /* forbidden point; the number of points: none */
    uint8_t over;
    uint8_t passed; /* the last ply was a pass */
    uint8_t unused[6];
} go_head;

/* 64 points; bit = point. */
typedef struct go_word {
    uint64_t stones[2]; /* by seat */
    uint64_t last;      /* stones beside their chain's only liberty */
    uint64_t legal;     /* for the seat to move; also the pass */
} go_word;

/* The parts of a state. A free point counts as a chain of its own, of which the liberties are kept
 * as well: they are those of a stone that is put there. Index `points` is the wall, a free point
 * outside the board of weight 0, so that the four neighbours of a point need no cases. Slots:
 * points and the wall, rounded up to a multiple of eight. */
typedef struct go_board {
    go_head* head;
    go_word* word;       /* (points / 64 + 1) */
    uint64_t* liberties; /* (slots) of a chain, by its name: weights of liberties, summed up */
    uint16_t* chain;     /* (slots) the name of its chain: one of its points */
    uint8_t* cell;       /* (slots) 0: free; else go_stone(seat) */
    uint64_t* seen;      /* (slots / 8) a set of bits: hashes of past boards */
    uint32_t* history;   /* (2 * points) by ply */
} go_board;

typedef struct go_config {
    int size, points, words;
    int komi2; /* twice the komi */
    size_t state_size;
    uint64_t board[GO_WORDS];
    uint64_t not_first[GO_WORDS]; /* points that have one to their left */
    uint64_t not_last[GO_WORDS];
    uint64_t weight[GO_POINTS + 1];    /* see go_single; 0 for the wall */
    uint64_t liberties[GO_POINTS + 1]; /* of free points on an empty board */
    uint16_t near[GO_POINTS][8]; /* four neighbours, the wall for a missing one; the point itself */
    uint32_t hash[2][GO_POINTS];
} go_config;

/* `config` is in scope wherever these are used. */
#define go_STATE         (((const go_config*)(config))->state_size)
#define go_words(config) (((const go_config*)(config))->words)

AGON_FN go_board go_open(void* state, int size) {
    const size_t points = (size_t)(size * size), slots = (points + 8) / 8 * 8;
    go_board b;
    b.head = (go_head*)state;
    b.word = (go_word*)(b.head + 1);
    b.liberties = (uint64_t*)(b.word + points / 64 + 1);
    b.chain = (uint16_t*)(b.liberties + slots);
    b.cell = (uint8_t*)(b.chain + slots);
    b.seen = (uint64_t*)(b.cell + slots);
    b.history = (uint32_t*)(b.seen + slots / 8);
    return b;
}

/* Bytes of all parts but the history. */
AGON_FN size_t go_bytes(go_board b) {
    return (size_t)((char*)b.history - (char*)b.head);
}

/* ---- parameters ----------------------------------------------------------------------------- */

/* splitmix64 */
static uint64_t go_mix(uint64_t x) {
    x *= 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

static void go_tables(go_config* c) {
    const int n = c->size;
    for (uint64_t i = 0; i < (uint64_t)c->points; i++)
        c->weight[i] = 1 | i << 11 | i * i << 31;
    for (int i = 0; i < c->points; i++) {
        const int row = i / n, col = i % n;
        const uint64_t bit = 1ull << i % 64, at = (uint64_t)i;
        c->board[i / 64] |= bit;
        c->not_first[i / 64] |= col > 0 ? bit : 0;
        c->not_last[i / 64] |= col < n - 1 ? bit : 0;
        c->near[i][0] = (uint16_t)(row > 0 ? i - n : c->points);
        c->near[i][1] = (uint16_t)(col > 0 ? i - 1 : c->points);
        c->near[i][2] = (uint16_t)(col < n - 1 ? i + 1 : c->points);
        c->near[i][3] = (uint16_t)(row < n - 1 ? i + n : c->points);
        c->near[i][4] = (uint16_t)i;
        for (int k = 0; k < 4; k++)
            c->liberties[i] += c->weight[c->near[i][k]];
        for (int seat = 0; seat < 2; seat++)
            c->hash[seat][i] = (uint32_t)go_mix(2 * at + (uint64_t)seat + 1) << GO_ACTION_BITS;
    }
}

static int go_komi(agon_params* params) {
    const double komi = agon_param_float(params, "komi", 7.5, -GO_POINTS, GO_POINTS);
    const int komi2 = (int)(2 * komi);
    if ((komi2 < 2 * komi || komi2 > 2 * komi) && !params->error[0])
        snprintf(params->error, sizeof params->error, "komi=%g: expected a multiple of 0.5", komi);
    return komi2;
}

static int go_configure(agon_params* params, agon_spec* spec, void* config) {
    go_config* c = (go_config*)config;
    memset(c, 0, sizeof *c);
    c->size = agon_param_int(params, "board_size", 9, 5, GO_SIZE);
    c->komi2 = go_komi(params);
    c->points = c->size * c->size;
    c->words = c->points / 64 + 1;
    c->state_size = go_bytes(go_open(c, c->size)) + 2 * (size_t)c->points * sizeof(uint32_t);
    go_tables(c);
    spec->seats = 2;
    spec->actions = c->points + 1;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_PERFECT;
    spec->max_plies = 2 * c->points;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = c->state_size;
    spec->planes = 5;
    spec->rows = spec->cols = c->size;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->plane_names[0] = "mine";
    spec->plane_names[1] = "theirs";
    spec->plane_names[2] = "ko";
    spec->plane_names[3] = "passed";
    spec->plane_names[4] = "i_am_second";
    spec->symmetries = 8;
    return params->error[0] ? -1 : 0;
}

/* ---- sets of points ------------------------------------------------------------------------- */

/* The points beside a set, some of the set itself included. */
AGON_FN void go_beside(const go_config* c, const uint64_t* set, uint64_t* out, int size) {
    const int words = size * size / 64 + 1;
    for (int w = 0; w < words; w++) {
        const uint64_t here = set[w];
        const uint64_t low = w > 0 ? set[w - 1] : 0, high = w + 1 < words ? set[w + 1] : 0;
        out[w] = (here << size | low >> (64 - size)) | (here >> size | high << (64 - size)) |
                 ((here << 1 | low >> 63) & c->not_first[w]) |
                 ((here >> 1 | high << 63) & c->not_last[w]);
    }
}

/* A free point is legal beside another one, beside an own chain that has a second liberty, and
 * beside a chain of the other's that has no second one. */
AGON_FN void go_find_legal(const go_config* c, go_board b, int seat, int size) {
    const int points = size * size, words = points / 64 + 1;
    uint64_t empty[GO_WORDS], room[GO_WORDS], reach[GO_WORDS];
    for (int w = 0; w < words; w++) {
        empty[w] = c->board[w] & ~(b.word[w].stones[0] | b.word[w].stones[1]);
        room[w] = empty[w] | (b.word[w].stones[seat] ^ b.word[w].last);
    }
    go_beside(c, room, reach, size);
    for (int w = 0; w < words; w++)
        b.word[w].legal = empty[w] & reach[w];
    if (b.head->ko < points)
        b.word[b.head->ko / 64].legal &= ~(1ull << b.head->ko % 64);
    b.word[points / 64].legal |= 1ull << points % 64;
}

AGON_FN int go_count(uint64_t set) {
    set -= set >> 1 & 0x5555555555555555ull;
    set = (set & 0x3333333333333333ull) + (set >> 2 & 0x3333333333333333ull);
    set = (set + (set >> 4)) & 0x0f0f0f0f0f0f0f0full;
    return (int)(set * 0x0101010101010101ull >> 56);
}

/* The lowest point of a word of a set. */
AGON_FN int go_first(int word, uint64_t set) {
    return 64 * word + go_count(~set & (set - 1));
}

/* A seat's stones and the free points that one reaches from them. */
AGON_FN int go_reach(const go_config* c, go_board b, int seat) {
    uint64_t set[GO_WORDS], beside[GO_WORDS], more = 1;
    int count = 0;
    for (int w = 0; w < c->words; w++)
        set[w] = b.word[w].stones[seat];
    while (more) {
        more = 0;
        go_beside(c, set, beside, c->size);
        for (int w = 0; w < c->words; w++) {
            const uint64_t taken = b.word[w].stones[0] | b.word[w].stones[1];
            const uint64_t added = beside[w] & c->board[w] & ~taken & ~set[w];
            set[w] |= added;
            more |= added;
        }
    }
    for (int w = 0; w < c->words; w++)
        count += go_count(set[w]);
    return count;
}

/* ---- chains --------------------------------------------------------------------------------- */

/* The byte of a stone. The bytes of four cells, shifted by 0 to 3, add up to a set of those of seat
 * 0 in the low half of a byte and of seat 1 in the high half. */
AGON_FN int go_stone(int seat) {
    return 1 << 4 * seat;
}

/* The liberties of a chain are counted once per stone beside them, and weights are summed up: 1,
 * the point, its square, in bits 0.., 11.., 31.. of one word. The points are all the same one if
 * count * squares = points^2, the case of equality in Cauchy's inequality. No field can overflow:
 * at most 4 * 361 times at most 360^2. True also of a chain without liberties. */
AGON_FN int go_single(uint64_t liberties) {
    const uint64_t count = liberties & 2047, sum = liberties >> 11 & 0xfffff;
    return count * (liberties >> 31) == sum * sum;
}

/* The only liberty of a chain that has one. */
AGON_FN int go_last(uint64_t liberties) {
    return (int)((uint32_t)(liberties >> 11 & 0xfffff) / (uint32_t)(liberties & 2047));
}

/* Marks the stones of a chain beside its only liberty. */
AGON_FN void go_mark(const go_config* c, go_board b, int chain) {
    const uint16_t* near = c->near[go_last(b.liberties[chain])];
    for (int k = 0; k < 4; k++) {
        const uint64_t mark = b.chain[near[k]] == chain;
        b.word[near[k] / 64].last |= mark << near[k] % 64;
    }
}

/* Takes the marks off the stones of `seat` whose chains have got another liberty. */
AGON_FN void go_unmark(go_board b, int seat, int size) {
    for (int w = 0; w < size * size / 64 + 1; w++) {
        for (uint64_t left = b.word[w].last & b.word[w].stones[seat]; left; left &= left - 1) {
            if (!go_single(b.liberties[b.chain[go_first(w, left)]]))
                b.word[w].last &= ~(left & (0 - left));
        }
    }
}

/* The stones of `seat` that hang together with `point`. */
AGON_FN void go_stones(const go_config* c, go_board b, int seat, int point, uint64_t* set,
                       int size) {
    const int words = size * size / 64 + 1;
    uint64_t beside[GO_WORDS], more = 1;
    memset(set, 0, (size_t)words * sizeof *set);
    set[point / 64] = 1ull << point % 64;
    while (more) {
        more = 0;
        go_beside(c, set, beside, size);
        for (int w = 0; w < words; w++) {
            const uint64_t added = beside[w] & b.word[w].stones[seat] & ~set[w];
            set[w] |= added;
            more |= added;
        }
    }
}

/* Takes the chain of `seat` that has a stone on `point` and no liberties off: its points are
 * liberties of what is around them. Returns the number of stones. */
AGON_FN int go_capture(const go_config* c, go_board b, int seat, int point, int size) {
    const int points = size * size;
    const uint16_t name = b.chain[point];
    uint64_t set[GO_WORDS];
    int count = 0;
    go_stones(c, b, seat, point, set, size);
    for (int i = 0; i < points; i++)
        b.chain[i] = b.chain[i] == name ? (uint16_t)i : b.chain[i];
    for (int w = 0; w < points / 64 + 1; w++) {
        b.word[w].stones[seat] &= ~set[w];
        for (uint64_t left = set[w]; left; left &= left - 1) {
            const int stone = go_first(w, left);
            b.cell[stone] = 0;
            b.head->hash ^= c->hash[seat][stone];
            for (int k = 0; k < 4; k++)
                b.liberties[b.chain[c->near[stone][k]]] += c->weight[stone];
            count++;
        }
    }
    return count;
}

/* A stone and the chains of its neighbours `mine` become one. Names are looked at on all points:
 * that takes a few instructions for many of them and no branch. */
AGON_FN void go_join(const go_config* c, go_board b, int point, int mine, int size) {
    const int slots = (size * size + 8) / 8 * 8;
    const uint16_t name = b.chain[point];
    uint16_t other[4];
    uint64_t liberties = 0;
    for (int k = 0; k < 4; k++) {
        const int at = 4 - (mine >> k & 1) * (4 - k); /* k, or the stone itself */
        other[k] = b.chain[c->near[point][at]];
        liberties += b.liberties[other[k]];
        b.liberties[other[k]] = 0;
    }
    b.liberties[name] = liberties;
    for (int i = 0; i < slots; i++) {
        const uint16_t chain = b.chain[i];
        const int joins =
            (chain == other[0]) | (chain == other[1]) | (chain == other[2]) | (chain == other[3]);
        b.chain[i] = joins ? name : chain;
    }
}

/* ---- plies ---------------------------------------------------------------------------------- */

/* Plies on several boards, phase by phase. What lies around a stone is hard to predict: so what all
 * boards go through has no branches, and what only some need is a loop over those alone. */
#define GO_GROUP 32
typedef struct go_group {
    void* state[GO_GROUP];
    uint16_t point[GO_GROUP]; /* the number of points: a pass */
    uint8_t seat[GO_GROUP];
    uint8_t passed[GO_GROUP]; /* the ply before was a pass */
    uint8_t some[GO_GROUP];   /* numbers of boards */
    /* Sets of the stone's neighbours, a bit each. */
    uint64_t mine[GO_GROUP], theirs[GO_GROUP];
    uint64_t filled[GO_GROUP]; /* of chains that have lost their last liberty */
    uint64_t single[GO_GROUP]; /* theirs, of chains that have one left; bit 4: its own chain */
    uint64_t liberties[4][GO_GROUP]; /* of the chains of neighbours; then [0]: of its own chain */
} go_group;

/* Appends i to the list g->some of this length if `yes`; returns the new length. */
AGON_FN int go_note(go_group* g, int length, int i, int yes) {
    g->some[length] = (uint8_t)i;
    return length + yes;
}

/* The lowest bit of a set of a point's four neighbours; of none: 4, the point itself. */
AGON_FN int go_lowest(int set) {
    return (int)(0x0102010301020104ull >> 4 * set & 15);
}

/* Puts a stone and makes it part of a chain beside it, if there is one. */
AGON_FN void go_put(const go_config* c, go_board b, int seat, int point, int mine) {
    const int chain = b.chain[c->near[point][go_lowest(mine)]];
    const uint64_t liberties = b.liberties[point];
    b.cell[point] = (uint8_t)go_stone(seat);
    b.word[point / 64].stones[seat] |= 1ull << point % 64;
    b.head->hash ^= c->hash[seat][point];
    b.chain[point] = (uint16_t)chain;
    b.liberties[point] = 0;
    b.liberties[chain] += liberties;
}

/* A stone: what is around it has a liberty less. */
AGON_FN void go_touch(const go_config* c, go_group* g, int i, int size) {
    const go_board b = go_open(g->state[i], size);
    const int seat = g->seat[i], point = g->point[i];
    const uint16_t* near = c->near[point];
    const int around =
        b.cell[near[0]] + 2 * b.cell[near[1]] + 4 * b.cell[near[2]] + 8 * b.cell[near[3]];
    const int mine = around >> 4 * seat & 15, theirs = around << 4 * seat >> 4 & 15;
    uint16_t name[4];
    for (int k = 0; k < 4; k++)
        name[k] = b.chain[near[k]];
    for (int k = 0; k < 4; k++)
        b.liberties[name[k]] -= c->weight[point];
    for (int k = 0; k < 4; k++)
        g->liberties[k][i] = b.liberties[name[k]];
    g->mine[i] = (uint64_t)mine;
    g->theirs[i] = (uint64_t)theirs;
    go_put(c, b, seat, point, mine);
}

/* The beginning of a legal ply on board i. */
AGON_INLINE void go_begin(const go_config* c, go_group* g, int i, void* state, int action,
                          int size) {
    const int points = size * size;
    const go_board b = go_open(state, size);
    g->state[i] = state;
    g->point[i] = (uint16_t)action;
    g->seat[i] = (uint8_t)(b.head->ply & 1);
    g->passed[i] = b.head->passed;
    b.head->ply++;
    b.head->ko = (uint16_t)points;
    b.head->passed = action == points;
    if (action < points) {
        go_touch(c, g, i, size);
    } else {
        g->mine[i] = g->theirs[i] = 0;
        for (int k = 0; k < 4; k++)
            g->liberties[k][i] = 0;
    }
}

/* Finds chains that have no liberty left, or one. */
AGON_INLINE void go_weigh(go_group* g, int count) {
    for (int i = 0; i < count; i++) {
        uint64_t filled = 0, single = 0;
        for (int k = 0; k < 4; k++) {
            filled |= (uint64_t)(g->liberties[k][i] == 0) << k;
            single |= (uint64_t)go_single(g->liberties[k][i]) << k;
        }
        g->filled[i] = filled & (g->mine[i] | g->theirs[i]);
        g->single[i] = single & g->theirs[i] & ~filled;
    }
}

/* Joins chains where a stone has several own neighbours. */
AGON_INLINE void go_unite(const go_config* c, go_group* g, int count, int size) {
    int some = 0;
    for (int i = 0; i < count; i++)
        some = go_note(g, some, i, (g->mine[i] & (g->mine[i] - 1)) != 0);
    for (int k = 0; k < some; k++) {
        const int i = g->some[k];
        go_join(c, go_open(g->state[i], size), g->point[i], (int)g->mine[i], size);
    }
}

/* The stone of board i is on the last liberty of chains around it. Own ones are part of its chain
 * now; of the other's all stones are taken off. */
AGON_FN void go_settle(const go_config* c, go_group* g, int i, int size) {
    const go_board b = go_open(g->state[i], size);
    const int seat = g->seat[i], point = g->point[i];
    const uint16_t* near = c->near[point];
    int taken = 0;
    for (int k = 0; k < 4; k++)
        b.word[near[k] / 64].last &= ~(1ull << near[k] % 64);
    for (int set = (int)(g->filled[i] & g->theirs[i]); set; set &= set - 1) {
        const int stone = near[go_lowest(set)];
        if (b.cell[stone])
            taken += go_capture(c, b, 1 - seat, stone, size);
    }
    if (taken)
        go_unmark(b, seat, size);
    if (taken == 1 && !g->mine[i] && (b.liberties[point] & 2047) == 1)
        b.head->ko = (uint16_t)go_last(b.liberties[point]);
}

AGON_INLINE void go_take(const go_config* c, go_group* g, int count, int size) {
    int some = 0;
    for (int i = 0; i < count; i++)
        some = go_note(g, some, i, g->filled[i] != 0);
    for (int k = 0; k < some; k++)
        go_settle(c, g, g->some[k], size);
}

/* Marks chains that have one liberty left. */
AGON_INLINE void go_mark_all(const go_config* c, go_group* g, int count, int size) {
    int some = 0;
    for (int i = 0; i < count; i++) {
        const go_board b = go_open(g->state[i], size);
        g->liberties[0][i] = b.liberties[b.chain[g->point[i]]];
    }
    for (int i = 0; i < count; i++)
        g->single[i] |= (uint64_t)go_single(g->liberties[0][i]) << 4;
    for (int i = 0; i < count; i++)
        some = go_note(g, some, i, (g->single[i] != 0) & (g->point[i] < size * size));
    for (int k = 0; k < some; k++) {
        const int i = g->some[k];
        const go_board b = go_open(g->state[i], size);
        for (int set = (int)g->single[i]; set; set &= set - 1)
            go_mark(c, b, b.chain[c->near[g->point[i]][go_lowest(set & 15)]]);
    }
}

/* The rest of plies that have begun; what ends a game is not looked at. */
AGON_INLINE void go_develop(const go_config* c, go_group* g, int count, int size) {
    go_weigh(g, count);
    go_unite(c, g, count, size);
    go_take(c, g, count, size);
    go_mark_all(c, g, count, size);
    for (int i = 0; i < count; i++)
        go_find_legal(c, go_open(g->state[i], size), 1 - g->seat[i], size);
}

/* ---- the end of a game ---------------------------------------------------------------------- */

AGON_FN void go_clear(const go_config* c, void* state, size_t bytes) {
    const go_board b = go_open(state, c->size);
    memset(state, 0, bytes);
    memcpy(b.liberties, c->liberties, ((size_t)c->points + 1) * sizeof *b.liberties);
    for (int i = 0; i <= c->points; i++)
        b.chain[i] = (uint16_t)i;
    b.head->ko = (uint16_t)c->points;
    go_find_legal(c, b, 0, c->size);
}

/* Whether the board after the first `plies` plies was the present one: exact, by playing again. */
AGON_FN int go_same(const go_config* c, go_board b, int plies) {
    uint64_t past[2 + GO_WORDS * sizeof(go_word) / 8 + GO_SLOTS * 12 / 8], other = 0;
    const go_board p = go_open(past, c->size);
    go_group g;
    go_clear(c, past, go_bytes(p));
    for (int i = 0; i < plies; i++) {
        go_begin(c, &g, 0, past, (int)(b.history[i] & ((1 << GO_ACTION_BITS) - 1)), c->size);
        go_develop(c, &g, 1, c->size);
    }
    for (int w = 0; w < c->words; w++)
        other |= (p.word[w].stones[0] ^ b.word[w].stones[0]) |
                 (p.word[w].stones[1] ^ b.word[w].stones[1]);
    return other == 0;
}

/* Whether the board that the last ply made has been there before. Hashes find candidates. */
AGON_FN int go_repeats(const go_config* c, go_board b) {
    const uint32_t hash = b.head->hash;
    const int past = b.head->ply - 1;
    int candidates = 0;
    for (int i = 0; i < past; i++)
        candidates += (b.history[i] ^ hash) >> GO_ACTION_BITS == 0;
    for (int i = 0; i < past && candidates; i++) {
        if ((b.history[i] ^ hash) >> GO_ACTION_BITS == 0) {
            if (go_same(c, b, i + 1))
                return 1;
            candidates--;
        }
    }
    return 0;
}

AGON_FN void go_score(const go_config* c, go_board b, float* reward) {
    const int lead2 = 2 * (go_reach(c, b, 0) - go_reach(c, b, 1)) - c->komi2;
    const float gain = (float)((lead2 > 0) - (lead2 < 0));
    reward[0] += gain;
    reward[1] -= gain;
}

/* Notes the board; false when it is certainly new. A few bits, for the sake of the usual answer. */
AGON_FN int go_see(go_board b, int size) {
    const uint32_t bits = (uint32_t)(size * size / 8 + 1) * 64;
    const uint32_t bit = (uint32_t)((uint64_t)b.head->hash * bits >> 32);
    uint64_t* seen = b.seen + bit / 64;
    const uint64_t before = *seen;
    *seen |= 1ull << bit % 64;
    return before >> bit % 64 & 1;
}

/* The last ply has ended the game, or has perhaps made a board that has been there before. */
AGON_FN void go_end(const go_config* c, go_board b, int passed_before, float* reward) {
    if (!b.head->passed && go_repeats(c, b)) {
        b.head->over = 1;
    } else if ((passed_before && b.head->passed) || b.head->ply == 2 * c->points) {
        b.head->over = 1;
        go_score(c, b, reward);
    }
}

/* Plies that have developed become part of the past. */
AGON_INLINE void go_close(const go_config* c, go_group* g, const uint32_t* lane, int count,
                          float* reward, int size) {
    const int points = size * size;
    int some = 0;
    for (int i = 0; i < count; i++) {
        const go_board b = go_open(g->state[i], size);
        const int pass = b.head->passed, seen = go_see(b, size);
        b.history[b.head->ply - 1] = b.head->hash | g->point[i];
        const int full = b.head->ply == 2 * points;
        some = go_note(g, some, i, (pass & g->passed[i]) | (seen & ~pass) | full);
    }
    for (int k = 0; k < some; k++) {
        const int i = g->some[k];
        go_end(c, go_open(g->state[i], size), g->passed[i], reward + 2 * (size_t)lane[i]);
    }
}

/* ---- slots ---------------------------------------------------------------------------------- */

AGON_FN int go_allows(go_board b, int action, int size) {
    return !b.head->over && action <= size * size && (b.word[action / 64].legal >> action % 64 & 1);
}

AGON_INLINE int go_apply_sized(const go_config* c, void* state, const uint16_t* actions,
                               float* reward, int size) {
    const go_board b = go_open(state, size);
    const int action = actions[b.head->ply & 1];
    const uint32_t lane = 0;
    go_group g;
    if (!go_allows(b, action, size))
        return -1;
    go_begin(c, &g, 0, state, action, size);
    go_develop(c, &g, 1, size);
    go_close(c, &g, &lane, 1, reward, size);
    return 0;
}

/* The usual size is written out so that shifts and places are constants. */
AGON_FN int go_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    const go_config* c = (const go_config*)config;
    return c->size == 9 ? go_apply_sized(c, state, action, reward, 9)
                        : go_apply_sized(c, state, action, reward, c->size);
}

/* As apply_batch, for at most GO_GROUP lanes. */
AGON_INLINE int go_apply_group(const go_config* c, char* states, const uint32_t* lane, int count,
                               const uint16_t* actions, float* reward, int size) {
    go_group g;
    int n = 0;
    for (; n < count; n++) {
        void* state = states + lane[n] * c->state_size;
        const go_board b = go_open(state, size);
        const int action = actions[2 * (size_t)lane[n] + (b.head->ply & 1)];
        if (!go_allows(b, action, size))
            break;
        go_begin(c, &g, n, state, action, size);
    }
    go_develop(c, &g, n, size);
    go_close(c, &g, lane, n, reward, size);
    return n;
}

static int go_apply_batch(const void* config, void* states, const uint32_t* lane, int count,
                          const uint16_t* action, float* reward) {
    const go_config* c = (const go_config*)config;
    char* base = (char*)states;
    for (int i = 0; i < count; i += GO_GROUP) {
        const int some = count - i < GO_GROUP ? count - i : GO_GROUP;
        const int done = c->size == 9
                             ? go_apply_group(c, base, lane + i, some, action, reward, 9)
                             : go_apply_group(c, base, lane + i, some, action, reward, c->size);
        if (done < some)
            return i + done;
    }
    return count;
}

AGON_FN void go_init(const void* config, void* state) {
    go_clear((const go_config*)config, state, go_STATE);
}

AGON_FN uint64_t go_acting(const void* config, const void* state) {
    const go_head* head = (const go_head*)state;
    return head->over ? 0 : 1ull << (head->ply & 1);
}

AGON_FN void go_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const int words = go_words(config);
    const go_word* word = (const go_word*)((const go_head*)state + 1);
    for (int w = 0; w < words; w++)
        mask[w] = word[w].legal;
}

/* `count` points in all planes; what ko forbids is left out. */
AGON_INLINE void go_view(const uint8_t* __restrict__ cell, int seat, int passed,
                         uint8_t* __restrict__ out, int points, int count) {
    const uint8_t mine = (uint8_t)go_stone(seat), theirs = (uint8_t)go_stone(1 - seat);
    for (int i = 0; i < count; i++) {
        out[i] = cell[i] == mine;
        out[points + i] = cell[i] == theirs;
        out[2 * points + i] = 0;
        out[3 * points + i] = (uint8_t)passed;
        out[4 * points + i] = (uint8_t)seat;
    }
}

/* The board in pieces of `part` points; the last one overlaps the one before. */
AGON_INLINE void go_view_all(const go_board b, int seat, uint8_t* out, int points, int part) {
    const int last = points - part, passed = b.head->passed;
    for (int from = 0; from < last; from += part)
        go_view(b.cell + from, seat, passed, out + from, points, part);
    go_view(b.cell + last, seat, passed, out + last, points, part);
}

AGON_INLINE void go_observe_sized(const go_board b, int seat, uint8_t* out, int size) {
    const int points = size * size;
    if (points < 32)
        go_view_all(b, seat, out, points, 16);
    else
        go_view_all(b, seat, out, points, 32);
    if (b.head->ko < points)
        out[2 * points + b.head->ko] = 1;
}

AGON_FN void go_observe(const void* config, const void* state, int seat, void* out) {
    const int size = ((const go_config*)config)->size;
    if (size == 9)
        go_observe_sized(go_open((void*)state, 9), seat, (uint8_t*)out, 9);
    else
        go_observe_sized(go_open((void*)state, size), seat, (uint8_t*)out, size);
}

AGON_INLINE void go_observe_lanes(const go_config* c, char* states, const uint32_t* lane,
                                  const uint8_t* seat, int count, uint8_t* out, uint64_t* mask,
                                  int size) {
    const int points = size * size, words = points / 64 + 1;
    for (int i = 0; i < count; i++, out += 5 * points) {
        const go_board b = go_open(states + lane[i] * c->state_size, size);
        go_observe_sized(b, seat[i], out, size);
        for (int w = 0; w < words; w++)
            *mask++ = b.word[w].legal;
    }
}

static void go_observe_batch(const void* config, const void* states, const uint32_t* lane,
                             const uint8_t* seat, int count, void* obs, uint64_t* mask) {
    const go_config* c = (const go_config*)config;
    if (c->size == 9)
        go_observe_lanes(c, (char*)states, lane, seat, count, (uint8_t*)obs, mask, 9);
    else
        go_observe_lanes(c, (char*)states, lane, seat, count, (uint8_t*)obs, mask, c->size);
}

/* ---- names and symmetries ------------------------------------------------------------------- */

static char go_column(int col) {
    return "abcdefghjklmnopqrst"[col];
}

static int go_text(const void* config, const void* state, char* out, size_t size) {
    const go_config* c = (const go_config*)config;
    const go_board b = go_open((void*)state, c->size);
    char board[(GO_SIZE + 1) * (2 * GO_SIZE + 4)];
    int n = 0;
    for (int row = c->size - 1; row >= -1; row--) {
        n += row < 0 ? snprintf(board + n, sizeof board - (size_t)n, "  ")
                     : snprintf(board + n, sizeof board - (size_t)n, "%2d", row + 1);
        for (int col = 0; col < c->size; col++) {
            const int stone = row < 0 ? 0 : b.cell[row * c->size + col];
            board[n++] = ' ';
            board[n++] = row < 0 ? go_column(col) : ".xo"[(stone & 1) + stone / 8];
        }
        board[n++] = '\n';
    }
    return snprintf(out, size, "%.*s%s%s\n", n, board,
                    b.head->passed && !b.head->over ? "passed, " : "",
                    b.head->over      ? "over"
                    : b.head->ply & 1 ? "o to move"
                                      : "x to move");
}

static int go_action_name(const void* config, const void* state, int seat, int action, char* out,
                          size_t size) {
    const go_config* c = (const go_config*)config;
    if (action == c->points)
        return snprintf(out, size, "pass");
    return snprintf(out, size, "%c%d", go_column(action % c->size), action / c->size + 1);
}

/* Bit 0 of g: columns from right to left; bit 1: rows upside down; bit 2: rows as columns. */
AGON_FN int go_symmetry_action(const void* config, int g, int action) {
    const go_config* c = (const go_config*)config;
    int row = action / c->size, col = action % c->size;
    if (action == c->points)
        return action;
    col = g & 1 ? c->size - 1 - col : col;
    row = g & 2 ? c->size - 1 - row : row;
    return g & 4 ? col * c->size + row : row * c->size + col;
}

/* The names of chains depend on the order of moves, hashes on the points: the game is played again
 * with its actions turned. */
AGON_FN void go_symmetry(const void* config, int g, const void* state, void* out) {
    const go_config* c = (const go_config*)config;
    const go_board b = go_open((void*)state, c->size);
    float reward[2] = {0, 0};
    go_init(config, out);
    for (int i = 0; i < b.head->ply; i++) {
        const int action = (int)(b.history[i] & ((1 << GO_ACTION_BITS) - 1));
        const uint16_t turned = (uint16_t)go_symmetry_action(config, g, action);
        const uint16_t both[2] = {turned, turned};
        go_apply(config, out, both, reward);
    }
}

AGON_GAME_ACTING_BATCH(go)
AGON_GAME_DECLARE(go)

const agon_game agon_game_go = {
    AGON_GAME_HEAD(go, 1, "surround more of the board", sizeof(go_config)),
    .text = go_text,
    .action_name = go_action_name,
    .symmetry = go_symmetry,
    .symmetry_action = go_symmetry_action,
};
