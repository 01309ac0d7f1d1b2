/* SPDX-License-Identifier: 0BSD
 *
 * liars_dice: `players` seats roll `dice` dice with `faces` faces each, and see only their own. In
 * turn each seat bids how many dice of a face there are at least among all dice, higher than the
 * bid before, until somebody calls the last bidder a liar. Dice with the highest face are wild:
 * they count as any face. When the bid is true the bidder wins 1 and the caller loses 1, else the
 * other way round; further seats get nothing.
 *
 * `bidding_rule` orders the bids: reset-face by quantity, then face; reset-quantity by face, then
 * quantity. Action = number of the bid in that order; the last action is to call. Dice are rolled
 * by one chance ply each, seat 0's first, whose outcome k is the face k + 1. What a seat has rolled
 * is a set: the order of its dice is forgotten.
 *
 * The observation is all that the seat knows, in cells [quantity - 1][face - 1]: in the first plane
 * those that its own dice make true without the wild ones, then the bids of each seat, its own
 * first. With two dice of six faces: 7 chance nodes, 147,456 decisions, 147,420 ends, 24,576
 * information sets, value -7/258 for seat 0. */
#include "agon_game.h"

#define LIARS_SEATS  6
#define LIARS_DICE   10
#define LIARS_FACES  10
#define LIARS_BIDS   127 /* hence 128 actions, and the dice of one of two seats are 63 cells */
#define LIARS_NATURE 63  /* whose turn it is when a die is rolled: the bit of AGON_CHANCE */

enum { LIARS_RESET_FACE, LIARS_RESET_QUANTITY };

/* Sets of cells: bit (quantity - 1) * faces + face - 1. */
typedef struct liars_dice {
    uint64_t bids[LIARS_SEATS][2];
    uint64_t dice[LIARS_SEATS]; /* of each face the quantities up to what the seat has */
    uint8_t live;               /* 0: it is over */
    uint8_t turn;               /* the seat that acts, or LIARS_NATURE */
    uint8_t lowest;             /* the lowest bid that is left; 0: nobody has bid */
    uint8_t roller, rolled;     /* who rolls, and how many dice it has */
    uint8_t unused[3];
} liars_dice;

typedef struct liars_dice_config {
    int players, dice, faces, bids;
    int small;                    /* an observation has at most 64 entries */
    double even;                  /* 1 / faces */
    uint8_t cell[LIARS_BIDS];     /* of a bid */
    uint64_t counts[LIARS_FACES]; /* cells of dice that count as a face */
    uint64_t bytes[256];          /* eight bits as bytes */
} liars_dice_config;

#define liars_dice_STATE         sizeof(liars_dice)
#define liars_dice_seats(config) (((const liars_dice_config*)(config))->players)
#define liars_dice_obs_bytes(config)                                                               \
    ((size_t)((1 + liars_dice_seats(config)) * ((const liars_dice_config*)(config))->bids))
#define liars_dice_words(config) (((const liars_dice_config*)(config))->bids / 64 + 1)

static void liars_dice_tables(liars_dice_config* c, int rule) {
    const int quantities = c->players * c->dice, wild = c->faces - 1;
    c->even = 1.0 / c->faces;
    for (int bid = 0; bid < c->bids; bid++)
        c->cell[bid] =
            (uint8_t)(rule == LIARS_RESET_FACE ? bid
                                               : bid % quantities * c->faces + bid / quantities);
    for (int face = 0; face < c->faces; face++) {
        c->counts[face] = 0;
        for (int i = 0; i < c->dice; i++)
            c->counts[face] |= 1ull << (i * c->faces + face) | 1ull << (i * c->faces + wild);
    }
    for (int set = 0; set < 256; set++) {
        c->bytes[set] = 0;
        for (int bit = 0; bit < 8; bit++)
            c->bytes[set] |= (uint64_t)(set >> bit & 1) << 8 * bit;
    }
}

static void liars_dice_name_planes(agon_spec* spec) {
    static const char* const names[] = {"my_dice",     "my_bids",    "second_bids", "third_bids",
                                        "fourth_bids", "fifth_bids", "sixth_bids"};
    for (int i = 0; i < spec->planes; i++)
        spec->plane_names[i] = names[i];
}

static int liars_dice_configure(agon_params* params, agon_spec* spec, void* config) {
    liars_dice_config* c = (liars_dice_config*)config;
    c->dice = agon_param_int(params, "dice", 1, 1, LIARS_DICE);
    c->faces = agon_param_int(params, "faces", 6, 2, LIARS_FACES);
    c->players = agon_param_int(params, "players", 2, 2, LIARS_SEATS);
    const int rule = agon_param_choice(params, "bidding_rule", 0, "reset-face|reset-quantity");
    c->bids = c->players * c->dice * c->faces;
    if (c->bids > LIARS_BIDS) {
        snprintf(params->error, sizeof params->error,
                 "dice=%d, faces=%d, players=%d: %d bids, expected at most %d", c->dice, c->faces,
                 c->players, c->bids, LIARS_BIDS);
        return -1;
    }
    c->small = (1 + c->players) * c->bids <= 64;
    liars_dice_tables(c, rule);
    spec->seats = c->players;
    spec->actions = c->bids + 1;
    spec->chance_outcomes = c->faces;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = c->bids + 1;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = liars_dice_STATE;
    spec->planes = 1 + c->players;
    spec->rows = c->players * c->dice;
    spec->cols = c->faces;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->symmetries = 1;
    liars_dice_name_planes(spec);
    return params->error[0] ? -1 : 0;
}

AGON_FN void liars_dice_init(const void* config, void* state) {
    liars_dice* s = (liars_dice*)state;
    memset(s, 0, liars_dice_STATE);
    s->live = 1;
    s->turn = LIARS_NATURE;
}

AGON_FN uint64_t liars_dice_acting(const void* config, const void* state) {
    const liars_dice* s = (const liars_dice*)state;
    return (uint64_t)s->live << s->turn;
}

/* ---- dice --------------------------------------------------------------------------------- */

AGON_FN uint64_t liars_dice_with(const liars_dice_config* c, uint64_t dice, int face) {
    int cell = face;
    while (dice >> cell & 1)
        cell += c->faces;
    return dice | 1ull << cell;
}

AGON_FN int liars_dice_roll(const liars_dice_config* c, liars_dice* s, int face) {
    if (face >= c->faces)
        return -1;
    s->dice[s->roller] = liars_dice_with(c, s->dice[s->roller], face);
    if (++s->rolled < c->dice)
        return 0;
    s->rolled = 0;
    s->roller++;
    s->turn = (uint8_t)(s->roller == c->players ? 0 : LIARS_NATURE);
    return 0;
}

AGON_FN int liars_dice_chance(const void* config, const void* state, double* prob) {
    const int faces = ((const liars_dice_config*)config)->faces;
    const double each = ((const liars_dice_config*)config)->even;
    for (int i = 0; i < faces; i++)
        prob[i] = each;
    return faces;
}

/* ---- bids --------------------------------------------------------------------------------- */

/* Numbers below `end` in a word of a mask. */
AGON_FN uint64_t liars_dice_below(int end, int word) {
    const int bits = end - 64 * word;
    return bits >= 64 ? ~0ull : bits <= 0 ? 0 : (1ull << bits) - 1;
}

/* All bids from the lowest one left on, and calling, the number after them, once there is a bid. */
AGON_FN void liars_dice_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const liars_dice_config* c = (const liars_dice_config*)config;
    const int lowest = ((const liars_dice*)state)->lowest, end = c->bids + (lowest > 0);
    if (c->bids < 64) {
        mask[0] = ((1ull << c->bids) - 1 + ((uint64_t)(lowest > 0) << c->bids)) & ~0ull << lowest;
        return;
    }
    for (int word = 0; word < liars_dice_words(config); word++)
        mask[word] = liars_dice_below(end, word) & ~liars_dice_below(lowest, word);
}

AGON_FN int liars_dice_bits(uint64_t set) {
    set -= set >> 1 & 0x5555555555555555ull;
    set = (set & 0x3333333333333333ull) + (set >> 2 & 0x3333333333333333ull);
    return (int)(((set + (set >> 4)) & 0x0f0f0f0f0f0f0f0full) * 0x0101010101010101ull >> 56);
}

AGON_FN void liars_dice_call(const liars_dice_config* c, liars_dice* s, float* reward) {
    const int caller = s->turn, bidder = (caller ? caller : c->players) - 1;
    const int cell = c->cell[s->lowest - 1], quantity = cell / c->faces + 1;
    const uint64_t counts = c->counts[cell % c->faces];
    int there = 0;
    for (int seat = 0; seat < c->players; seat++)
        there += liars_dice_bits(s->dice[seat] & counts);
    const float won = (float)(2 * (there >= quantity) - 1);
    reward[bidder] += won;
    reward[caller] -= won;
    s->live = 0;
}

AGON_FN int liars_dice_apply(const void* config, void* state, const uint16_t* action,
                             float* reward) {
    const liars_dice_config* c = (const liars_dice_config*)config;
    liars_dice* s = (liars_dice*)state;
    if (!s->live)
        return -1;
    if (s->turn == LIARS_NATURE)
        return liars_dice_roll(c, s, action[0]);
    const int bid = action[s->turn];
    if (bid < s->lowest || bid >= c->bids + (s->lowest > 0))
        return -1;
    if (bid == c->bids) {
        liars_dice_call(c, s, reward);
        return 0;
    }
    s->bids[s->turn][c->cell[bid] / 64] |= 1ull << c->cell[bid] % 64;
    s->lowest = (uint8_t)(bid + 1);
    s->turn = (uint8_t)(s->turn + 1 == c->players ? 0 : s->turn + 1);
    return 0;
}

/* ---- what a seat knows -------------------------------------------------------------------- */

/* Cells as bytes, eight at a time, for as long as the first of eight is before `end`. */
AGON_FN void liars_dice_plane(const liars_dice_config* c, const uint64_t* set, int end,
                              uint8_t* out) {
    for (int cell = 0; cell < end; cell += 8)
        memcpy(out + cell, &c->bytes[set[cell / 64] >> cell % 64 & 255], 8);
}

/* All planes as bits of one word. The last eight overlap the ones before. */
AGON_FN void liars_dice_observe_small(const liars_dice_config* c, const liars_dice* s, int seat,
                                      uint8_t* out) {
    const int entries = (1 + c->players) * c->bids;
    uint64_t bits = s->dice[seat];
    for (int i = 0; i < c->players; i++) {
        const int plane = 1 + i - seat + (c->players & -(i < seat));
        bits |= s->bids[i][0] << plane * c->bids;
    }
    for (int i = 0; i < entries - 8; i += 8)
        memcpy(out + i, &c->bytes[bits >> i & 255], 8);
    memcpy(out + entries - 8, &c->bytes[bits >> (entries - 8)], 8);
}

/* Bytes that a plane writes too much are written again by the next, and the last one takes care. */
AGON_FN void liars_dice_observe(const void* config, const void* state, int seat, void* out) {
    const liars_dice_config* c = (const liars_dice_config*)config;
    const liars_dice* s = (const liars_dice*)state;
    const int players = c->players, cells = c->bids;
    const uint64_t dice[2] = {s->dice[seat], 0};
    uint8_t* plane = (uint8_t*)out;
    if (c->small) {
        liars_dice_observe_small(c, s, seat, plane);
        return;
    }
    liars_dice_plane(c, dice, cells, plane);
    for (int i = 1; i < players; i++) {
        liars_dice_plane(c, s->bids[seat], cells, plane += cells);
        seat = seat + 1 == players ? 0 : seat + 1;
    }
    plane += cells;
    liars_dice_plane(c, s->bids[seat], cells - 7, plane);
    for (int cell = cells & ~7; cell < cells; cell++)
        plane[cell] = (uint8_t)(s->bids[seat][cell / 64] >> cell % 64 & 1);
}

/* The seat's dice and the bids, whose order and makers follow from the rules. */
AGON_FN int liars_dice_infostate(const void* config, const void* state, int seat, void* out) {
    const liars_dice* s = (const liars_dice*)state;
    uint64_t known[3] = {s->dice[seat], 0, 0};
    for (int i = 0; i < liars_dice_seats(config); i++) {
        known[1] |= s->bids[i][0];
        known[2] |= s->bids[i][1];
    }
    memcpy(out, known, sizeof known);
    return (int)sizeof known;
}

/* A small generator, for the many draws that one resampling takes. */
AGON_FN int liars_dice_draw(uint64_t* random, int below) {
    *random = *random * 6364136223846793005ull + 1442695040888963407ull;
    return (int)((*random >> 32) * (uint64_t)below >> 32);
}

/* Rolls the dice of all other seats once more. */
AGON_FN void liars_dice_resample(const void* config, void* state, int seat, uint64_t random) {
    const liars_dice_config* c = (const liars_dice_config*)config;
    liars_dice* s = (liars_dice*)state;
    for (int i = 0; i < c->players; i++) {
        const int dice = i < s->roller ? c->dice : i == s->roller ? s->rolled : 0;
        if (i == seat)
            continue;
        s->dice[i] = 0;
        for (int k = 0; k < dice; k++)
            s->dice[i] = liars_dice_with(c, s->dice[i], liars_dice_draw(&random, c->faces));
    }
}

/* ---- for people --------------------------------------------------------------------------- */

static int liars_dice_bid_name(const liars_dice_config* c, int bid, char* out, size_t size) {
    const int cell = c->cell[bid];
    return snprintf(out, size, "%d-%d", cell / c->faces + 1, cell % c->faces + 1);
}

static int liars_dice_text(const void* config, const void* state, char* out, size_t size) {
    const liars_dice_config* c = (const liars_dice_config*)config;
    const liars_dice* s = (const liars_dice*)state;
    char text[2048];
    const size_t room = sizeof text;
    int n = 0;
    for (int seat = 0; seat < c->players; seat++) {
        n += snprintf(text + n, room - (size_t)n, "seat %d:", seat);
        for (int face = 0; face < c->faces; face++) {
            for (int i = face; i < c->dice * c->faces && s->dice[seat] >> i & 1; i += c->faces)
                n += snprintf(text + n, room - (size_t)n, " %d", face + 1);
        }
        n += snprintf(text + n, room - (size_t)n, "\n");
    }
    n += snprintf(text + n, room - (size_t)n, "bids");
    for (int bid = 0, maker = 0; bid < s->lowest; bid++) {
        const int cell = c->cell[bid];
        if (!(s->bids[maker][cell / 64] >> cell % 64 & 1))
            continue;
        n += snprintf(text + n, room - (size_t)n, " ");
        n += liars_dice_bid_name(c, bid, text + n, room - (size_t)n);
        maker = maker + 1 == c->players ? 0 : maker + 1;
    }
    return snprintf(out, size, "%s%s\n", text, s->live ? "" : " liar");
}

/* Quantity and face. */
static int liars_dice_action_name(const void* config, const void* state, int seat, int action,
                                  char* out, size_t size) {
    const liars_dice_config* c = (const liars_dice_config*)config;
    if (seat < 0)
        return snprintf(out, size, "face_%d", action + 1);
    return action == c->bids ? snprintf(out, size, "liar")
                             : liars_dice_bid_name(c, action, out, size);
}

AGON_GAME_BATCH(liars_dice)

const agon_game agon_game_liars_dice = {
    AGON_GAME_HEAD(liars_dice, 1, "bid on everybody's dice, or call the last bidder a liar",
                   sizeof(liars_dice_config)),
    .chance = liars_dice_chance,
    .text = liars_dice_text,
    .action_name = liars_dice_action_name,
    .resample = liars_dice_resample,
    .infostate = liars_dice_infostate,
};
