/* SPDX-License-Identifier: 0BSD
 *
 * oware: the mancala of West Africa, by the Abapa rules. Each of two seats has
 * `num_houses_per_player` houses in a row, with `num_seeds_per_house` seeds in each at the start;
 * the two rows are a ring. In turn, a seat takes all seeds of one of its houses and sows them
 * singly into the next houses; the house they came from is left out in every lap.
 *
 * If the last seed makes two or three in a house of the other seat, the mover captures these, and
 * so on backwards from house to house of that row while there are two or three. A move that would
 * capture all the other seat has (a grand slam) captures nothing. If the other seat has no seeds,
 * only moves that give it some are legal.
 *
 * The game ends when a seat has captured more than half of all seeds, or both half; when the seat
 * to move has no legal move; when a position (the board and who moves) is there for the second
 * time; and after `horizon` plies. Then each seat gets the seeds of its own row, and who has more
 * wins: 1, the other -1; equal numbers are a draw, 0.
 *
 * Action = house, counted in the way of sowing. The observation lists the houses that way, one's
 * own row first. Plane 0 has their seeds; plane 1 the number of seeds captured, one's own along
 * one's own row. Earlier positions and the number of plies are left out.
 *
 * Positions before the last capture cannot come back. Those since are kept as the moves between
 * them, in four bits each, and are replayed when a Bloom filter does not rule a repetition out. So
 * repetitions are exact, and the state stays small. */
#include "agon_game.h"

#define OWARE_HOUSES  8    /* of a row, which fits a word */
#define OWARE_SEEDS   15   /* per house; all seeds fit a byte */
#define OWARE_HORIZON 1000 /* OpenSpiel's limit of plies, which it does not get over */
#define OWARE_FILTER  8    /* words */

#define OWARE_ONES 0x0101010101010101ull

typedef struct oware {
    uint64_t row[2];   /* by seat; byte = house; both 0: over */
    uint64_t first[2]; /* the board after the last capture, at first the start */
    uint16_t since;    /* plies since then */
    uint16_t plies;    /* since the start; the parity says who moves */
    uint8_t score[2];
    uint8_t unused[2];
    uint8_t moves[OWARE_HORIZON / 2 + 4]; /* houses since `first`, the low half of a byte first */
    uint64_t filter[OWARE_FILTER];        /* of the positions since `first` */
} oware;

/* What sowing adds to a row of the mover and to the other row. */
typedef struct oware_sown {
    uint64_t mine, theirs;
} oware_sown;

typedef struct oware_config {
    int houses, horizon;
    int half; /* of all seeds */
    int lap;  /* seeds of one lap */
    uint64_t ones;
    oware_sown sown[OWARE_HOUSES][2 * OWARE_HOUSES]; /* by house and seeds, at most one lap */
} oware_config;

#define oware_STATE             sizeof(oware)
#define oware_seats(config)     2
#define oware_obs_bytes(config) ((size_t)(4 * ((const oware_config*)(config))->houses))
#define oware_words(config)     1

static void oware_tables(oware_config* c) {
    c->ones = OWARE_ONES >> (64 - 8 * c->houses);
    for (int house = 0; house < c->houses; house++) {
        for (int seeds = 1; seeds <= c->lap; seeds++) {
            const int at = (house + seeds) % (2 * c->houses);
            oware_sown sown = c->sown[house][seeds - 1];
            if (at < c->houses)
                sown.mine += 1ull << 8 * at;
            else
                sown.theirs += 1ull << 8 * (at - c->houses);
            c->sown[house][seeds] = sown;
        }
    }
}

static int oware_configure(agon_params* params, agon_spec* spec, void* config) {
    oware_config* c = (oware_config*)config;
    memset(c, 0, sizeof *c);
    c->houses = agon_param_int(params, "num_houses_per_player", 6, 1, OWARE_HOUSES);
    const int seeds = agon_param_int(params, "num_seeds_per_house", 4, 1, OWARE_SEEDS);
    c->horizon = agon_param_int(params, "horizon", OWARE_HORIZON, 1, OWARE_HORIZON);
    c->half = c->houses * seeds;
    c->lap = 2 * c->houses - 1;
    oware_tables(c);
    spec->seats = 2;
    spec->actions = c->houses;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_PERFECT;
    spec->max_plies = c->horizon;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = oware_STATE;
    spec->planes = 2;
    spec->rows = 1;
    spec->cols = 2 * c->houses;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 0.25f;
    spec->plane_names[0] = "seeds";
    spec->plane_names[1] = "captured";
    spec->symmetries = 1;
    return params->error[0] ? -1 : 0;
}

AGON_FN int oware_turn(const oware* s) {
    return s->plies & 1;
}

/* ---- moves -------------------------------------------------------------------------------- */

/* The sum of the bytes, when it fits one. */
AGON_FN int oware_sum(uint64_t bytes) {
    return (int)(bytes * OWARE_ONES >> 56);
}

/* The houses with seeds that reach the other row; bit = house. */
AGON_FN uint64_t oware_feeding(const oware_config* c, uint64_t mine) {
    uint64_t set = 0;
    for (int house = 0; house < c->houses; house++)
        set |= (uint64_t)((int)(mine >> 8 * house & 255) >= c->houses - house) << house;
    return set;
}

AGON_FN uint64_t oware_legal_set(const oware_config* c, uint64_t mine, uint64_t theirs) {
    const uint64_t low = 0x7f * OWARE_ONES;
    if (!theirs)
        return oware_feeding(c, mine);
    const uint64_t some = (((mine & low) + low) | mine) >> 7 & OWARE_ONES;
    return some * 0x0102040810204080ull >> 56;
}

/* Returns where the last seed falls, in houses after the mover's first one. */
AGON_FN int oware_sow(const oware_config* c, uint64_t* mine, uint64_t* theirs, int house) {
    int seeds = (int)(*mine >> 8 * house & 255);
    *mine &= ~(255ull << 8 * house);
    for (; seeds > c->lap; seeds -= c->lap) {
        *mine += c->sown[house][c->lap].mine;
        *theirs += c->sown[house][c->lap].theirs;
    }
    *mine += c->sown[house][seeds].mine;
    *theirs += c->sown[house][seeds].theirs;
    const int last = house + seeds;
    return last < 2 * c->houses ? last : last - 2 * c->houses;
}

/* What a last seed in house `last` of the other row (negative: in the mover's own) captures: the
 * bytes of that row. */
AGON_FN uint64_t oware_capture(uint64_t theirs, int last) {
    uint64_t bytes = 0;
    /* One test for both, as neither is easily foretold. */
    if ((last < 0) | ((theirs >> (8 * last & 63) & 254) != 2))
        return 0;
    for (int house = last; house >= 0 && (theirs >> 8 * house & 254) == 2; house--)
        bytes |= 255ull << 8 * house;
    return theirs & ~bytes ? theirs & bytes : 0;
}

/* ---- repetition --------------------------------------------------------------------------- */

/* Enters a position in the filter, by the rows of the seat to move and of the other; 0 when it
 * certainly was not there. */
AGON_FN int oware_filter(oware* s, uint64_t mine, uint64_t theirs) {
    const uint64_t hash = mine * 0x9e3779b97f4a7c15ull + theirs * 0xd1342543de82ef95ull;
    uint64_t* word[2] = {&s->filter[hash >> 61], &s->filter[hash >> 52 & 7]};
    const uint64_t bit[2] = {1ull << (hash >> 55 & 63), 1ull << (hash >> 46 & 63)};
    const int there = (*word[0] & bit[0]) && (*word[1] & bit[1]);
    *word[0] |= bit[0];
    *word[1] |= bit[1];
    return there;
}

/* Was the position there since the last capture? Sowing alone led here from the first board. */
AGON_FN int oware_replay(const oware_config* c, const oware* s) {
    uint64_t row[2] = {s->first[0], s->first[1]};
    int turn = (s->plies - s->since) & 1, found = 0;
    for (int i = 0; i < s->since; i++, turn ^= 1) {
        found |= turn == oware_turn(s) && row[0] == s->row[0] && row[1] == s->row[1];
        oware_sow(c, &row[turn], &row[1 - turn], s->moves[i / 2] >> i % 2 * 4 & 15);
    }
    return found;
}

/* The board is the first one of a new history. */
AGON_FN void oware_forget(oware* s) {
    for (int i = 0; i < s->since; i += 16) /* plies of eight bytes */
        memset(s->moves + i / 2, 0, 8);
    memset(s->filter, 0, sizeof s->filter);
    s->since = 0;
    s->first[0] = s->row[0];
    s->first[1] = s->row[1];
    oware_filter(s, s->row[oware_turn(s)], s->row[1 - oware_turn(s)]);
}

/* ---- the game ----------------------------------------------------------------------------- */

AGON_FN void oware_init(const void* config, void* state) {
    const oware_config* c = (const oware_config*)config;
    oware* s = (oware*)state;
    memset(s, 0, oware_STATE);
    s->row[0] = s->row[1] = c->ones * (uint64_t)(c->half / c->houses);
    oware_forget(s);
}

AGON_FN uint64_t oware_acting(const void* config, const void* state) {
    const oware* s = (const oware*)state;
    return s->row[0] | s->row[1] ? 1ull << oware_turn(s) : 0;
}

AGON_FN void oware_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const oware* s = (const oware*)state;
    mask[0] = oware_legal_set((const oware_config*)config, s->row[seat], s->row[1 - seat]);
}

AGON_FN int oware_decided(const oware_config* c, const oware* s) {
    const int first = s->score[0] - c->half, second = s->score[1] - c->half;
    return first > 0 || second > 0 || (first == 0 && second == 0);
}

/* Returns 1 when the captures or a repetition end the game. */
AGON_FN int oware_play(const oware_config* c, oware* s, int house) {
    const int seat = oware_turn(s);
    uint64_t mine = s->row[seat], theirs = s->row[1 - seat];
    const int last = oware_sow(c, &mine, &theirs, house);
    const uint64_t captured = oware_capture(theirs, last - c->houses);
    theirs -= captured;
    s->row[seat] = mine;
    s->row[1 - seat] = theirs;
    s->plies++;
    if (captured) {
        s->score[seat] = (uint8_t)(s->score[seat] + oware_sum(captured));
        oware_forget(s);
        return oware_decided(c, s);
    }
    s->moves[s->since / 2] |= (uint8_t)(house << s->since % 2 * 4);
    s->since++;
    return oware_filter(s, theirs, mine) && oware_replay(c, s);
}

AGON_FN void oware_finish(oware* s, float* reward) {
    for (int seat = 0; seat < 2; seat++) {
        s->score[seat] = (uint8_t)(s->score[seat] + oware_sum(s->row[seat]));
        s->row[seat] = 0;
    }
    const int more = (s->score[0] > s->score[1]) - (s->score[0] < s->score[1]);
    reward[0] += (float)more;
    reward[1] -= (float)more;
}

AGON_FN int oware_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    const oware_config* c = (const oware_config*)config;
    oware* s = (oware*)state;
    const int seat = oware_turn(s), other = 1 - seat, house = action[seat];
    if (house >= c->houses || !(oware_legal_set(c, s->row[seat], s->row[other]) >> house & 1))
        return -1;
    if (oware_play(c, s, house) || s->plies == c->horizon ||
        !oware_legal_set(c, s->row[other], s->row[seat]))
        oware_finish(s, reward);
    return 0;
}

/* Four rows of bytes. Each store of eight is cut off by the next one; the last one ends with the
 * observation. */
AGON_FN void oware_observe(const void* config, const void* state, int seat, void* out) {
    const int houses = ((const oware_config*)config)->houses, beyond = 8 - houses;
    const oware* s = (const oware*)state;
    const uint64_t mine = OWARE_ONES * s->score[seat], theirs = OWARE_ONES * s->score[1 - seat];
    const uint64_t row[4] = {s->row[seat], s->row[1 - seat], mine, theirs};
    uint8_t* plane = (uint8_t*)out;
    if (houses < 4) {
        for (int i = 0; i < 4 * houses; i++)
            plane[i] = (uint8_t)(row[i / houses] >> i % houses * 8);
        return;
    }
    const uint64_t last = theirs << 8 * beyond | (beyond ? mine >> 8 * houses : 0);
    for (int i = 0; i < 3; i++)
        memcpy(plane + i * houses, &row[i], 8);
    memcpy(plane + 4 * houses - 8, &last, 8);
}

/* Seat 1 sits on top, so its row is written from right to left. */
static int oware_text(const void* config, const void* state, char* out, size_t size) {
    const int houses = ((const oware_config*)config)->houses;
    const oware* s = (const oware*)state;
    char line[2][4 * OWARE_HOUSES + 1];
    for (int house = 0; house < houses; house++) {
        snprintf(line[0] + 4 * house, 5, "%4d", (int)(s->row[0] >> 8 * house & 255));
        snprintf(line[1] + 4 * house, 5, "%4d", (int)(s->row[1] >> 8 * (houses - 1 - house) & 255));
    }
    return snprintf(out, size, "%s   seat 1 has %d\n%s   seat 0 has %d\n%s\n", line[1], s->score[1],
                    line[0], s->score[0],
                    !(s->row[0] | s->row[1]) ? "over"
                    : oware_turn(s)          ? "seat 1 to move"
                                             : "seat 0 to move");
}

/* A, B, .. for seat 0; a, b, .. for seat 1. */
static int oware_action_name(const void* config, const void* state, int seat, int action, char* out,
                             size_t size) {
    return snprintf(out, size, "%c", (seat ? 'a' : 'A') + action);
}

AGON_GAME_BATCH(oware)

const agon_game agon_game_oware = {
    AGON_GAME_HEAD(oware, 1, "sow seeds, capture twos and threes", sizeof(oware_config)),
    .text = oware_text,
    .action_name = oware_action_name,
};
