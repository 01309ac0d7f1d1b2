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
    uint16_t* next;      /* (slots) another stone of the chain, round and round */
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
#define go_STATE             (((const go_config*)(config))->state_size)
#define go_seats(config)     2
#define go_obs_bytes(config) ((size_t)(5 * ((const go_config*)(config))->points))
#define go_words(config)     (((const go_config*)(config))->words)

AGON_FN go_board go_open(void* state, int size) {
    const size_t points = (size_t)(size * size), slots = (points + 8) / 8 * 8;
    go_board b;
    b.head = (go_head*)state;
    b.word = (go_word*)(b.head + 1);
    b.liberties = (uint64_t*)(b.word + points / 64 + 1);
    b.chain = (uint16_t*)(b.liberties + slots);
    b.next = b.chain + slots;
    b.cell = (uint8_t*)(b.next + slots);
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
            const int point = 64 * w + go_count(~left & (left - 1));
            if (!go_single(b.liberties[b.chain[point]]))
                b.word[w].last &= ~(left & (0 - left));
        }
    }
}

/* Two chains become one, named `a` or `z`; the stones of the one with fewer liberties, likely the
 * smaller one, get the other name. */
AGON_FN int go_merge(go_board b, int a, int z) {
    if ((b.liberties[a] & 2047) < (b.liberties[z] & 2047)) {
        const int other = a;
        a = z;
        z = other;
    }
    int stone = z;
    do {
        b.chain[stone] = (uint16_t)a;
        stone = b.next[stone];
    } while (stone != z);
    stone = b.next[a];
    b.next[a] = b.next[z];
    b.next[z] = (uint16_t)stone;
    b.liberties[a] += b.liberties[z];
    b.liberties[z] = 0;
    return a;
}

/* Takes a chain of `seat` without liberties off: its points are liberties of what is around them.
 * Returns the number of stones. */
AGON_FN int go_capture(const go_config* c, go_board b, int seat, int chain) {
    int stone = chain, count = 0;
    do {
        b.cell[stone] = 0;
        b.chain[stone] = (uint16_t)stone;
        b.word[stone / 64].stones[seat] &= ~(1ull << stone % 64);
        b.head->hash ^= c->hash[seat][stone];
        stone = b.next[stone];
        count++;
    } while (stone != chain);
    do {
        for (int k = 0; k < 4; k++)
            b.liberties[b.chain[c->near[stone][k]]] += c->weight[stone];
        stone = b.next[stone];
    } while (stone != chain);
    return count;
}

/* ---- a ply ---------------------------------------------------------------------------------- */

/* The lowest bit of a set of a point's four neighbours; of none: 4, the point itself. */
AGON_FN int go_lowest(int set) {
    return (int)(0x0102010301020104ull >> 4 * set & 15);
}

/* Joins the chains of some neighbours with the one of a new stone; returns the name. */
AGON_FN int go_join(const uint16_t* near, go_board b, int chain, int set) {
    for (; set; set &= set - 1) {
        const int other = b.chain[near[go_lowest(set)]];
        if (other != chain)
            chain = go_merge(b, chain, other);
    }
    return chain;
}

/* A new stone is on the last liberty of chains around it. Own ones are part of its chain now; of
 * the other's, the set `theirs`, all stones are taken off. */
AGON_FN void go_settle(const go_config* c, go_board b, int seat, int point, int theirs, int size) {
    const uint16_t* near = c->near[point];
    int count = 0;
    for (int k = 0; k < 4; k++)
        b.word[near[k] / 64].last &= ~(1ull << near[k] % 64);
    for (int set = theirs; set; set &= set - 1) {
        const int taken = near[go_lowest(set)];
        if (b.cell[taken])
            count += go_capture(c, b, 1 - seat, b.chain[taken]);
    }
    if (count)
        go_unmark(b, seat, size);
    if (count == 1 && b.next[point] == point && (b.liberties[point] & 2047) == 1)
        b.head->ko = (uint16_t)go_last(b.liberties[point]);
}

/* Puts a stone and makes it part of a chain beside it, if there is one; returns the name. */
AGON_FN int go_put(const go_config* c, go_board b, int seat, int point, int mine) {
    b.cell[point] = (uint8_t)go_stone(seat);
    b.word[point / 64].stones[seat] |= 1ull << point % 64;
    b.head->hash ^= c->hash[seat][point];
    b.next[point] = (uint16_t)point;
    const int chain = b.chain[c->near[point][go_lowest(mine)]];
    const uint64_t liberties = b.liberties[point];
    b.next[point] = b.next[chain];
    b.next[chain] = (uint16_t)point;
    b.chain[point] = (uint16_t)chain;
    b.liberties[point] = 0;
    b.liberties[chain] += liberties;
    return chain;
}

/* A stone, without the end of the turn. What has to be done only sometimes is found without
 * branches: what lies around a stone is hard to predict. */
AGON_FN void go_play(const go_config* c, go_board b, int seat, int point, int size) {
    const uint16_t* near = c->near[point];
    const int around =
        b.cell[near[0]] + 2 * b.cell[near[1]] + 4 * b.cell[near[2]] + 8 * b.cell[near[3]];
    const int mine = around >> 4 * seat & 15, theirs = around >> (4 - 4 * seat) & 15;
    int filled = 0, single = 0, apart = 0;
    for (int k = 0; k < 4; k++)
        b.liberties[b.chain[near[k]]] -= c->weight[point];
    for (int k = 0; k < 4; k++) {
        const uint64_t liberties = b.liberties[b.chain[near[k]]];
        filled |= (liberties == 0) << k;
        single |= go_single(liberties) << k;
    }
    filled &= mine | theirs;
    const int chain = go_put(c, b, seat, point, mine);
    for (int k = 0; k < 4; k++)
        apart |= (b.chain[near[k]] != chain) << k;
    b.head->ko = (uint16_t)(size * size);
    if (apart & mine)
        go_join(near, b, chain, apart & mine);
    if (filled)
        go_settle(c, b, seat, point, filled & theirs, size);
    single = (single & theirs & ~filled) | go_single(b.liberties[b.chain[point]]) << 4;
    for (int set = single; set; set &= set - 1)
        go_mark(c, b, b.chain[near[go_lowest(set & 15)]]);
}

/* One ply on the board; what ends the game is not looked at. */
AGON_FN void go_ply(const go_config* c, go_board b, int action, int size) {
    const int points = size * size, seat = b.head->ply & 1;
    b.head->passed = action == points;
    if (action == points)
        b.head->ko = (uint16_t)points;
    else
        go_play(c, b, seat, action, size);
    b.head->ply++;
    go_find_legal(c, b, 1 - seat, size);
}

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
    uint64_t past[2 + GO_WORDS * sizeof(go_word) / 8 + GO_SLOTS * 14 / 8], other = 0;
    const go_board p = go_open(past, c->size);
    go_clear(c, past, go_bytes(p));
    for (int i = 0; i < plies; i++)
        go_ply(c, p, (int)(b.history[i] & ((1 << GO_ACTION_BITS) - 1)), c->size);
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

AGON_FN int go_apply_sized(const go_config* c, void* state, const uint16_t* actions, float* reward,
                           int size) {
    const go_board b = go_open(state, size);
    const int points = size * size, ply = b.head->ply, seat = ply & 1, action = actions[seat];
    const int passed = b.head->passed;
    if (b.head->over || action > points || !(b.word[action / 64].legal >> action % 64 & 1))
        return -1;
    go_ply(c, b, action, size);
    b.history[ply] = b.head->hash | (uint32_t)action;
    if (go_see(b, size) && action < points && go_repeats(c, b)) {
        b.head->over = 1;
    } else if (passed + b.head->passed == 2 || ply + 1 == 2 * points) {
        b.head->over = 1;
        go_score(c, b, reward);
    }
    return 0;
}

/* The usual size is written out so that shifts and places are constants. */
AGON_FN int go_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    const go_config* c = (const go_config*)config;
    return c->size == 9 ? go_apply_sized(c, state, action, reward, 9)
                        : go_apply_sized(c, state, action, reward, c->size);
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

/* Eight points from `from` on, in three planes, the last one empty. */
AGON_FN void go_eight(const uint8_t* cell, int points, int seat, int from, uint8_t* planes) {
    const uint64_t ones = 0x0101010101010101ull, none = 0;
    uint64_t eight, mine, theirs;
    memcpy(&eight, cell + from, 8);
    mine = eight >> 4 * seat & ones;
    theirs = eight >> (4 - 4 * seat) & ones;
    memcpy(planes + from, &mine, 8);
    memcpy(planes + points + from, &theirs, 8);
    memcpy(planes + 2 * points + from, &none, 8);
}

AGON_FN void go_observe_sized(const go_board b, int seat, uint8_t* out, int size) {
    const int points = size * size;
    for (int i = 0; i < points - 8; i += 8)
        go_eight(b.cell, points, seat, i, out);
    go_eight(b.cell, points, seat, points - 8, out); /* overlaps the ones before */
    memset(out + 3 * points, b.head->passed, (size_t)points);
    memset(out + 4 * points, seat, (size_t)points);
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

AGON_GAME_BATCH(go)

const agon_game agon_game_go = {
    AGON_GAME_HEAD(go, 1, "surround more of the board", sizeof(go_config)),
    .text = go_text,
    .action_name = go_action_name,
    .symmetry = go_symmetry,
    .symmetry_action = go_symmetry_action,
};
