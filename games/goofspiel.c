/* SPDX-License-Identifier: 0BSD
 *
 * goofspiel: bidding cards for cards. Every seat holds the cards 1 .. `cards`, and so does the pile
 * of prizes. In every turn a prize is turned up, all seats bid one of their cards at the same time,
 * and the highest bid takes the prize; when the highest is bid twice nobody does. Bids are gone.
 * The last cards are bid by themselves, without a decision.
 *
 * `points_order`: prizes come up at random (a chance ply, whose outcome k is the k-th smallest of
 * those left; the last one comes by itself), descending or ascending. `imp_info`: bids stay hidden,
 * and a seat learns only who took the prize. `returns_type`, with points for the sum of one's
 * prizes: win_loss: those with the most points share 1, the others -1, and all together 0;
 * point_difference: points less the mean of all seats; total_points: points.
 *
 * Action = card - 1. A seat observes, as rows of cards: the prize, the prizes still to come, those
 * that each seat has taken (its own first, then in turn), those that nobody took, and the cards of
 * its hand and, unless they are hidden, of the others' hands. Its information state is all that it
 * has seen, turn by turn. */
#include "agon_game.h"

#define GOOFSPIEL_SEATS  10
#define GOOFSPIEL_CARDS  16  /* a set of cards is 16 bits; histories are 4 bits a turn */
#define GOOFSPIEL_NOBODY 15  /* as a taker */
#define GOOFSPIEL_NONE   255 /* in an information state: no prize is up */

enum { GOOFSPIEL_RANDOM, GOOFSPIEL_DESCENDING, GOOFSPIEL_ASCENDING };
enum { GOOFSPIEL_WIN_LOSS, GOOFSPIEL_POINT_DIFFERENCE, GOOFSPIEL_TOTAL_POINTS };

typedef struct goofspiel {
    uint64_t prizes;                /* card - 1, by turn */
    uint64_t takers;                /* seat or GOOFSPIEL_NOBODY, by turn */
    uint64_t bids[GOOFSPIEL_SEATS]; /* card - 1, by turn */
    uint16_t hand[GOOFSPIEL_SEATS]; /* sets of cards: bit card - 1 */
    uint16_t taken[GOOFSPIEL_SEATS];
    uint16_t lost;  /* prizes that nobody took */
    uint16_t prize; /* the one that is up; 0: none is */
    uint16_t left;  /* prizes still to come */
    uint8_t turn;   /* turns that are over */
    uint8_t unused[1];
} goofspiel;

typedef struct goofspiel_config {
    int players, cards;
    int hidden, order, returns;
    uint64_t bytes[256];             /* eight bits as bytes */
    uint8_t count[256], nth[256][8]; /* of eight cards: how many, the k-th */
} goofspiel_config;

#define goofspiel_STATE             sizeof(goofspiel)
#define goofspiel_seats(config)     (((const goofspiel_config*)(config))->players)
#define goofspiel_obs_bytes(config) ((size_t)goofspiel_entries((const goofspiel_config*)(config)))
#define goofspiel_words(config)     1

AGON_FN int goofspiel_planes(const goofspiel_config* c) {
    return 3 + c->players + (c->hidden ? 1 : c->players);
}

AGON_FN int goofspiel_entries(const goofspiel_config* c) {
    return goofspiel_planes(c) * c->cards;
}

static void goofspiel_name_planes(const goofspiel_config* c, agon_spec* spec) {
    static const char* const taken[GOOFSPIEL_SEATS] = {
        "my_prizes",    "second_prizes",  "third_prizes",  "fourth_prizes", "fifth_prizes",
        "sixth_prizes", "seventh_prizes", "eighth_prizes", "ninth_prizes",  "tenth_prizes"};
    static const char* const hands[GOOFSPIEL_SEATS] = {
        "my_hand",    "second_hand",  "third_hand",  "fourth_hand", "fifth_hand",
        "sixth_hand", "seventh_hand", "eighth_hand", "ninth_hand",  "tenth_hand"};
    spec->plane_names[0] = "prize";
    spec->plane_names[1] = "prizes_to_come";
    for (int i = 0; i < c->players; i++)
        spec->plane_names[2 + i] = taken[i];
    spec->plane_names[2 + c->players] = "prizes_lost";
    for (int i = 3 + c->players; i < spec->planes; i++)
        spec->plane_names[i] = hands[i - 3 - c->players];
}

/* Points: nobody can take every prize, since a lowest card is never the highest bid alone. */
static void goofspiel_returns(const goofspiel_config* c, agon_spec* spec) {
    const int sum = c->cards * (c->cards + 1) / 2;
    spec->utility = c->returns == GOOFSPIEL_TOTAL_POINTS ? AGON_GENERAL_SUM : AGON_ZERO_SUM;
    spec->return_min = c->returns == GOOFSPIEL_WIN_LOSS ? -1 : 0;
    spec->return_max = c->returns == GOOFSPIEL_WIN_LOSS ? 1 : (float)(sum - 1);
    if (c->returns == GOOFSPIEL_POINT_DIFFERENCE) {
        spec->return_min = -(float)sum / (float)c->players;
        spec->return_max = (float)(sum - 1) - (float)(sum - 1) / (float)c->players;
    }
}

static void goofspiel_tables(goofspiel_config* c) {
    for (int set = 0; set < 256; set++) {
        c->bytes[set] = 0;
        c->count[set] = 0;
        for (int bit = 0; bit < 8; bit++) {
            c->bytes[set] |= (uint64_t)(set >> bit & 1) << 8 * bit;
            if (set >> bit & 1)
                c->nth[set][c->count[set]++] = (uint8_t)bit;
        }
    }
}

static int goofspiel_configure(agon_params* params, agon_spec* spec, void* config) {
    goofspiel_config* c = (goofspiel_config*)config;
    c->cards = agon_param_int(params, "cards", 13, 2, GOOFSPIEL_CARDS);
    c->players = agon_param_int(params, "players", 2, 2, GOOFSPIEL_SEATS);
    c->hidden = agon_param_bool(params, "imp_info", 0);
    c->order = agon_param_choice(params, "points_order", 0, "random|descending|ascending");
    c->returns =
        agon_param_choice(params, "returns_type", 0, "win_loss|point_difference|total_points");
    goofspiel_tables(c);
    goofspiel_returns(c, spec);
    spec->seats = c->players;
    spec->actions = c->cards;
    spec->chance_outcomes = c->order == GOOFSPIEL_RANDOM ? c->cards : 0;
    spec->simultaneous = 1;
    spec->seats_symmetric = c->players == 2; /* with more, others are seen in their order */
    spec->information = AGON_IMPERFECT;
    spec->max_plies = c->cards - 1;
    spec->state_size = goofspiel_STATE;
    spec->planes = goofspiel_planes(c);
    spec->rows = 1;
    spec->cols = c->cards;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    goofspiel_name_planes(c, spec);
    spec->symmetries = 1;
    return params->error[0] ? -1 : 0;
}

/* ---- turns -------------------------------------------------------------------------------- */

AGON_FN int goofspiel_turn_value(uint64_t history, int turn) {
    return (int)(history >> 4 * turn & 15);
}

AGON_FN void goofspiel_turn_up(goofspiel* s, int card) {
    s->prizes |= (uint64_t)card << 4 * s->turn;
    s->prize = (uint16_t)(1 << card);
    s->left = (uint16_t)(s->left & ~(1 << card));
}

/* The lowest card of a set that is not empty; without branches, since sets are random. */
AGON_FN int goofspiel_lowest(int set) {
    const int bit = set & -set;
    return ((bit & 0xff00) != 0) << 3 | ((bit & 0xf0f0) != 0) << 2 | ((bit & 0xcccc) != 0) << 1 |
           ((bit & 0xaaaa) != 0);
}

/* The k-th card of a set, or -1. */
AGON_FN int goofspiel_nth(const goofspiel_config* c, int set, int k) {
    const int low = c->count[set & 255], past = k >= low;
    const int eight = past ? set >> 8 : set & 255, rest = k - (low & -past);
    return rest < c->count[eight] ? 8 * past + c->nth[eight][rest] : -1;
}

/* Turns a prize up where no chance is in it. */
AGON_FN void goofspiel_next_prize(const goofspiel_config* c, goofspiel* s) {
    s->prize = 0;
    if (c->order == GOOFSPIEL_DESCENDING)
        goofspiel_turn_up(s, c->cards - 1 - s->turn);
    else if (c->order == GOOFSPIEL_ASCENDING)
        goofspiel_turn_up(s, s->turn);
}

AGON_FN void goofspiel_init(const void* config, void* state) {
    const goofspiel_config* c = (const goofspiel_config*)config;
    goofspiel* s = (goofspiel*)state;
    memset(s, 0, goofspiel_STATE);
    s->left = (uint16_t)((1 << c->cards) - 1);
    for (int seat = 0; seat < c->players; seat++)
        s->hand[seat] = s->left;
    goofspiel_next_prize(c, s);
}

AGON_FN uint64_t goofspiel_acting(const void* config, const void* state) {
    const goofspiel_config* c = (const goofspiel_config*)config;
    const goofspiel* s = (const goofspiel*)state;
    if (s->turn == c->cards)
        return 0;
    return s->prize ? (1ull << c->players) - 1 : AGON_CHANCE;
}

AGON_FN void goofspiel_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    mask[0] = ((const goofspiel*)state)->hand[seat];
}

/* The seat whose bid is highest, or GOOFSPIEL_NOBODY. bid: (players). */
AGON_FN int goofspiel_taker(int players, const int* bid) {
    int taker = 0, shared = 0;
    for (int seat = 1; seat < players; seat++) {
        shared = (shared | (bid[seat] == bid[taker])) & (bid[seat] <= bid[taker]);
        taker = bid[seat] > bid[taker] ? seat : taker;
    }
    return shared ? GOOFSPIEL_NOBODY : taker;
}

/* Settles the prize that is up. bid: (players). */
AGON_FN void goofspiel_take(const goofspiel_config* c, goofspiel* s, const int* bid) {
    const int taker = goofspiel_taker(c->players, bid);
    for (int seat = 0; seat < c->players; seat++) {
        s->bids[seat] |= (uint64_t)bid[seat] << 4 * s->turn;
        s->hand[seat] = (uint16_t)(s->hand[seat] & ~(1 << bid[seat]));
    }
    s->takers |= (uint64_t)taker << 4 * s->turn;
    if (taker == GOOFSPIEL_NOBODY)
        s->lost |= s->prize;
    else
        s->taken[taker] |= s->prize;
    s->turn++;
}

/* The last prize and everybody's last card. */
AGON_FN void goofspiel_take_last(const goofspiel_config* c, goofspiel* s) {
    int bid[GOOFSPIEL_SEATS] = {0};
    for (int seat = 0; seat < c->players; seat++)
        bid[seat] = goofspiel_lowest(s->hand[seat]);
    goofspiel_turn_up(s, goofspiel_lowest(s->left));
    goofspiel_take(c, s, bid);
}

AGON_FN int goofspiel_points(int set) {
    int points = 0;
    for (int card = 0; card < GOOFSPIEL_CARDS; card++)
        points += (set >> card & 1) * (card + 1);
    return points;
}

AGON_FN void goofspiel_pay(const goofspiel_config* c, const goofspiel* s, float* reward) {
    const float players = (float)c->players;
    int points[GOOFSPIEL_SEATS] = {0}, sum = 0, most = 0, winners = 0;
    for (int seat = 0; seat < c->players; seat++) {
        points[seat] = goofspiel_points(s->taken[seat]);
        winners = points[seat] > most ? 1 : winners + (points[seat] == most);
        most = points[seat] > most ? points[seat] : most;
        sum += points[seat];
    }
    const float losers = (float)(c->players - winners);
    for (int seat = 0; seat < c->players; seat++) {
        if (c->returns == GOOFSPIEL_TOTAL_POINTS)
            reward[seat] += (float)points[seat];
        else if (c->returns == GOOFSPIEL_POINT_DIFFERENCE)
            reward[seat] += (float)points[seat] - (float)sum / players;
        else if (winners < c->players)
            reward[seat] += points[seat] == most ? 1 / (float)winners : -1 / losers;
    }
}

/* Nature's ply. */
AGON_FN int goofspiel_draw_prize(const goofspiel_config* c, goofspiel* s, int outcome) {
    const int card = goofspiel_nth(c, s->left, outcome);
    if (card < 0)
        return -1;
    goofspiel_turn_up(s, card);
    return 0;
}

AGON_FN int goofspiel_bid(const goofspiel_config* c, goofspiel* s, const uint16_t* action,
                          float* reward) {
    int bid[GOOFSPIEL_SEATS];
    for (int seat = 0; seat < c->players; seat++) {
        bid[seat] = action[seat];
        if (bid[seat] >= c->cards || !(s->hand[seat] >> bid[seat] & 1))
            return -1;
    }
    goofspiel_take(c, s, bid);
    if (s->turn + 1 < c->cards) {
        goofspiel_next_prize(c, s);
    } else {
        goofspiel_take_last(c, s);
        goofspiel_pay(c, s, reward);
    }
    return 0;
}

AGON_FN int goofspiel_apply(const void* config, void* state, const uint16_t* action,
                            float* reward) {
    const goofspiel_config* c = (const goofspiel_config*)config;
    goofspiel* s = (goofspiel*)state;
    if (s->turn == c->cards)
        return -1;
    return s->prize ? goofspiel_bid(c, s, action, reward) : goofspiel_draw_prize(c, s, action[0]);
}

AGON_FN int goofspiel_chance(const void* config, const void* state, double* prob) {
    const int count = ((const goofspiel_config*)config)->cards - ((const goofspiel*)state)->turn;
    for (int i = 0; i < count; i++)
        prob[i] = 1.0 / count;
    return count;
}

/* ---- what a seat sees --------------------------------------------------------------------- */

AGON_FN uint8_t* goofspiel_plane(const goofspiel_config* c, int set, uint8_t* out) {
    if (c->cards >= 8) {
        memcpy(out, &c->bytes[set & 255], 8);
        memcpy(out + c->cards - 8, &c->bytes[set >> (c->cards - 8)], 8);
    } else {
        memcpy(out, &c->bytes[set], (size_t)c->cards);
    }
    return out + c->cards;
}

AGON_FN void goofspiel_observe(const void* config, const void* state, int seat, void* out) {
    const goofspiel_config* c = (const goofspiel_config*)config;
    const goofspiel* s = (const goofspiel*)state;
    uint8_t* plane = (uint8_t*)out;
    plane = goofspiel_plane(c, s->prize, plane);
    plane = goofspiel_plane(c, s->left, plane);
    for (int i = seat; i < seat + c->players; i++)
        plane = goofspiel_plane(c, s->taken[i < c->players ? i : i - c->players], plane);
    plane = goofspiel_plane(c, s->lost, plane);
    plane = goofspiel_plane(c, s->hand[seat], plane);
    for (int i = seat + 1; !c->hidden && i < seat + c->players; i++)
        plane = goofspiel_plane(c, s->hand[i < c->players ? i : i - c->players], plane);
}

/* For each turn the prize, the seat's bid and, if hidden, who took the prize (from the seat on,
 * GOOFSPIEL_NOBODY for nobody), otherwise the other bids; then the prize that is up. */
AGON_FN int goofspiel_infostate(const void* config, const void* state, int seat, void* out) {
    const goofspiel_config* c = (const goofspiel_config*)config;
    const goofspiel* s = (const goofspiel*)state;
    uint8_t* byte = (uint8_t*)out;
    for (int turn = 0; turn < s->turn; turn++) {
        const int taker = goofspiel_turn_value(s->takers, turn);
        *byte++ = (uint8_t)goofspiel_turn_value(s->prizes, turn);
        *byte++ = (uint8_t)goofspiel_turn_value(s->bids[seat], turn);
        if (c->hidden)
            *byte++ =
                (uint8_t)(taker == GOOFSPIEL_NOBODY ? taker
                                                    : (taker - seat + c->players) % c->players);
        for (int i = seat + 1; !c->hidden && i < seat + c->players; i++)
            *byte++ = (uint8_t)goofspiel_turn_value(s->bids[i % c->players], turn);
    }
    *byte++ = (uint8_t)(s->prize ? goofspiel_lowest(s->prize) : GOOFSPIEL_NONE);
    return (int)(byte - (uint8_t*)out);
}

/* ---- what a seat cannot know -------------------------------------------------------------- */

/* Whether the bids of a turn give the taker that was seen. */
AGON_FN int goofspiel_fits(const goofspiel_config* c, const goofspiel* s, int turn) {
    int bid[GOOFSPIEL_SEATS] = {0};
    for (int seat = 0; seat < c->players; seat++)
        bid[seat] = goofspiel_turn_value(s->bids[seat], turn);
    return goofspiel_taker(c->players, bid) == goofspiel_turn_value(s->takers, turn);
}

/* The seat's bid of a turn and another of its cards change places. Returns the turn in which that
 * card was bid, or `turn` when it was in the hand. */
AGON_FN int goofspiel_exchange(goofspiel* s, int seat, int turn, int card) {
    const int mine = goofspiel_turn_value(s->bids[seat], turn);
    int other = turn;
    if (s->hand[seat] >> card & 1) {
        s->hand[seat] = (uint16_t)(s->hand[seat] ^ (1 << mine | 1 << card));
    } else {
        for (other = 0; goofspiel_turn_value(s->bids[seat], other) != card;)
            other++;
        s->bids[seat] ^= (uint64_t)(mine ^ card) << 4 * other;
    }
    s->bids[seat] ^= (uint64_t)(mine ^ card) << 4 * turn;
    return other;
}

/* A small generator, for the many draws that one resampling takes. */
AGON_FN int goofspiel_draw(uint64_t* random, int below) {
    *random = *random * 6364136223846793005ull + 1442695040888963407ull;
    return (int)((*random >> 32) * (uint64_t)below >> 32);
}

AGON_FN int goofspiel_draw_other(uint64_t* random, int players, int seat) {
    const int other = goofspiel_draw(random, players - 1);
    return other + (other >= seat);
}

/* One exchange of another seat's cards, undone unless every taker stays as it was. With more than
 * one other seat it is, half of the time, the same exchange for two seats that bid the same:
 * neither could change alone. */
AGON_FN void goofspiel_wander(const goofspiel_config* c, goofspiel* s, int seat, uint64_t* random) {
    const int turn = goofspiel_draw(random, s->turn), card = goofspiel_draw(random, c->cards);
    const int first = goofspiel_draw_other(random, c->players, seat);
    int second = first;
    if (c->players > 2 && goofspiel_draw(random, 2)) {
        second = goofspiel_draw_other(random, c->players, seat);
        if (second == first || goofspiel_turn_value(s->bids[first], turn) !=
                                   goofspiel_turn_value(s->bids[second], turn))
            return;
    }
    const uint64_t bids[2] = {s->bids[first], s->bids[second]};
    const uint16_t hand[2] = {s->hand[first], s->hand[second]};
    const int one = goofspiel_exchange(s, first, turn, card);
    const int two = second == first ? one : goofspiel_exchange(s, second, turn, card);
    if (goofspiel_fits(c, s, turn) && goofspiel_fits(c, s, one) && goofspiel_fits(c, s, two))
        return;
    s->bids[first] = bids[0], s->bids[second] = bids[1];
    s->hand[first] = hand[0], s->hand[second] = hand[1];
}

/* Hidden bids, replaced by others that the seat holds possible. If the others bid at random, all of
 * these have the same probability; a step of the walk is as likely as its reverse, so a long one
 * ends at each with nearly the same probability. With 13 cards the bids that are still the true
 * ones are as many after 4 (two seats) or 16 times cards * turns steps per seat as after 64 times.
 */
AGON_FN void goofspiel_resample(const void* config, void* state, int seat, uint64_t random) {
    const goofspiel_config* c = (const goofspiel_config*)config;
    goofspiel* s = (goofspiel*)state;
    const int length = c->players == 2 ? 4 : 16 * (c->players - 1);
    const int steps = c->hidden ? length * c->cards * s->turn : 0;
    for (int i = 0; i < steps; i++)
        goofspiel_wander(c, s, seat, &random);
}

/* ---- for people --------------------------------------------------------------------------- */

static int goofspiel_cards_text(int set, char* out, size_t size) {
    int n = snprintf(out, size, "%s", set ? "" : " none");
    for (int card = 0; card < GOOFSPIEL_CARDS; card++) {
        if (set >> card & 1)
            n += snprintf(out + n, size - (size_t)n, " %d", card + 1);
    }
    return n;
}

static int goofspiel_text(const void* config, const void* state, char* out, size_t size) {
    const goofspiel_config* c = (const goofspiel_config*)config;
    const goofspiel* s = (const goofspiel*)state;
    char text[128 * (GOOFSPIEL_SEATS + 1)];
    const size_t room = sizeof text;
    int n = snprintf(text, room, "prize");
    n += goofspiel_cards_text(s->prize, text + n, room - (size_t)n);
    n += snprintf(text + n, room - (size_t)n, ", to come");
    n += goofspiel_cards_text(s->left, text + n, room - (size_t)n);
    for (int seat = 0; seat < c->players; seat++) {
        n += snprintf(text + n, room - (size_t)n, "\nseat %d: %d points, hand", seat,
                      goofspiel_points(s->taken[seat]));
        n += goofspiel_cards_text(s->hand[seat], text + n, room - (size_t)n);
    }
    return snprintf(out, size, "%s\n", text);
}

static int goofspiel_action_name(const void* config, const void* state, int seat, int action,
                                 char* out, size_t size) {
    const goofspiel* s = (const goofspiel*)state;
    if (seat < 0)
        return snprintf(out, size, "prize_%d",
                        goofspiel_nth((const goofspiel_config*)config, s->left, action) + 1);
    return snprintf(out, size, "bid_%d", action + 1);
}

AGON_GAME_BATCH(goofspiel)

const agon_game agon_game_goofspiel = {
    AGON_GAME_HEAD(goofspiel, 1, "bid your cards for prize cards; the highest bid takes the prize",
                   sizeof(goofspiel_config)),
    .chance = goofspiel_chance,
    .text = goofspiel_text,
    .action_name = goofspiel_action_name,
    .resample = goofspiel_resample,
    .infostate = goofspiel_infostate,
};
