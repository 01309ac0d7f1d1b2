/* SPDX-License-Identifier: 0BSD
 *
 * leduc_poker: Leduc hold'em (Southey et al. 2005) for `players` seats and 2 * players + 2 cards:
 * card c has the rank c / 2, two of each. Every seat pays an ante of 1 and gets one card, by one
 * chance ply each; the outcome k is the k-th of the cards that are left. A round of betting, a
 * public card by one more chance ply, a second round, showdown.
 *
 * In a round the seats that are in act in turn, from the lowest one on: fold (0), call (1) or raise
 * (2). Calling is to pay as much as anybody has paid, a check when that is nothing. A raise calls
 * and adds 2 in the first round, 4 in the second; there are two in a round. Who has nothing to pay
 * may not fold. The round is over when all others have called the last raise, or all have checked.
 * The last one in takes the pot; after the second round the seat whose card pairs the public card,
 * else the highest rank. Seats of equal rank share.
 *
 * The observation is what the seat knows, but for the suits, which decide nothing: its rank, the
 * public rank, and who did what, in cells [lap around the table][seat], own seat first. With more
 * than two seats also who folded, who is seat 0, and who is in. With two players: 157 chance nodes,
 * 3,780 decisions, 5,520 ends, 936 information sets, value -0.0856064241 for seat 0. */
#include "agon_game.h"

#define LEDUC_SEATS  10
#define LEDUC_NATURE 63  /* whose turn it is when a card is dealt: the bit of AGON_CHANCE */
#define LEDUC_NONE   255 /* in an information state: no card */

enum { LEDUC_FOLD, LEDUC_CALL, LEDUC_RAISE, LEDUC_ACTIONS };

typedef struct leduc_poker {
    uint64_t did[3];               /* two planes a word: see leduc_poker_plane */
    uint32_t deck;                 /* set of cards */
    uint16_t in;                   /* set of seats that have not folded */
    uint8_t standing;              /* how many they are */
    uint8_t live;                  /* 0: it is over */
    uint8_t turn;                  /* the seat that acts, or LEDUC_NATURE */
    uint8_t lap;                   /* times that the round has passed the last seat */
    uint8_t waiting;               /* seats that act before the round is over, without a raise */
    uint8_t raises;                /* of this round */
    uint8_t stakes;                /* the most that a seat has paid */
    uint8_t dealt;                 /* cards */
    uint8_t card[LEDUC_SEATS + 1]; /* by seat, then the public one */
    uint8_t paid[LEDUC_SEATS];
    uint8_t unused[5];
} leduc_poker;

typedef struct leduc_poker_config {
    int players, cards, planes, cells; /* cells of a plane */
    uint64_t from[LEDUC_SEATS];        /* cells of the seats from this one on, in two planes */
    uint8_t count[256], nth[256][8];   /* of eight cards: how many, the k-th */
    uint64_t bytes[256];               /* eight bits as bytes */
    double even[2 * LEDUC_SEATS + 3];  /* 1 / n */
    leduc_poker start;
} leduc_poker_config;

#define leduc_poker_STATE         sizeof(leduc_poker)
#define leduc_poker_seats(config) (((const leduc_poker_config*)(config))->players)
#define leduc_poker_obs_bytes(config)                                                              \
    ((size_t)(((const leduc_poker_config*)(config))->planes *                                      \
              ((const leduc_poker_config*)(config))->cells))
#define leduc_poker_words(config) 1

static void leduc_poker_tables(leduc_poker_config* c) {
    for (int set = 0; set < 256; set++) {
        c->bytes[set] = 0;
        c->count[set] = 0;
        for (int bit = 0; bit < 8; bit++) {
            c->bytes[set] |= (uint64_t)(set >> bit & 1) << 8 * bit;
            if (set >> bit & 1)
                c->nth[set][c->count[set]++] = (uint8_t)bit;
        }
    }
    for (int n = 0; n <= c->cards; n++)
        c->even[n] = 1.0 / (n + !n);
    for (int seat = 0; seat < c->players; seat++) {
        c->from[seat] = 0;
        for (int cell = 0; cell < 2 * c->cells; cell++)
            c->from[seat] |= (uint64_t)(cell % c->players >= seat) << cell;
    }
}

static void leduc_poker_begin(leduc_poker_config* c) {
    leduc_poker* s = &c->start;
    memset(s, 0, sizeof *s);
    s->deck = (1u << c->cards) - 1;
    s->in = (uint16_t)((1 << c->players) - 1);
    s->standing = s->waiting = (uint8_t)c->players;
    s->live = 1;
    s->turn = LEDUC_NATURE;
    s->stakes = 1;
    for (int seat = 0; seat < c->players; seat++)
        s->paid[seat] = 1;
}

static void leduc_poker_name_planes(agon_spec* spec) {
    static const char* const names[] = {"my_rank",  "public_rank", "called_1", "raised_1",
                                        "called_2", "raised_2",    "folded_1", "folded_2",
                                        "seat_0",   "still_in"};
    for (int i = 0; i < spec->planes; i++)
        spec->plane_names[i] = names[i];
}

/* Most plies of a round: all check but the last, who raises, and all call but the last, who raises
 * again, and all others call. With more than two seats that takes three laps. */
static int leduc_poker_configure(agon_params* params, agon_spec* spec, void* config) {
    leduc_poker_config* c = (leduc_poker_config*)config;
    c->players = agon_param_int(params, "players", 2, 2, LEDUC_SEATS);
    c->cards = 2 * c->players + 2;
    c->planes = c->players > 2 ? 10 : 6;
    c->cells = c->players > 2 ? 3 * c->players : 4;
    leduc_poker_tables(c);
    leduc_poker_begin(c);
    spec->seats = c->players;
    spec->actions = LEDUC_ACTIONS;
    spec->chance_outcomes = c->cards;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = 2 * (3 * c->players - 2);
    spec->return_min = -13; /* 1, two raises of 2, two of 4 */
    spec->return_max = (float)(13 * (c->players - 1));
    spec->state_size = leduc_poker_STATE;
    spec->planes = c->planes;
    spec->rows = c->cells / c->players;
    spec->cols = c->players;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->symmetries = 1;
    leduc_poker_name_planes(spec);
    return params->error[0] ? -1 : 0;
}

AGON_FN void leduc_poker_init(const void* config, void* state) {
    memcpy(state, &((const leduc_poker_config*)config)->start, leduc_poker_STATE);
}

AGON_FN uint64_t leduc_poker_acting(const void* config, const void* state) {
    const leduc_poker* s = (const leduc_poker*)state;
    return (uint64_t)s->live << s->turn;
}

/* ---- cards -------------------------------------------------------------------------------- */

/* The k-th card of a set; k is below the number of cards. */
AGON_FN int leduc_poker_nth(const leduc_poker_config* c, uint32_t set, int k) {
    int card = 0;
    for (; k >= c->count[set & 255]; set >>= 8, card += 8)
        k -= c->count[set & 255];
    return card + c->nth[set & 255][k];
}

/* The first of a set of seats from `seat` on. */
AGON_FN int leduc_poker_first(int set, int seat) {
    while (!(set >> seat & 1))
        seat++;
    return seat;
}

/* Every card but the first few opens a round of betting; to set up one is cheaper than to ask. */
AGON_FN int leduc_poker_deal(const leduc_poker_config* c, leduc_poker* s, int outcome) {
    if (outcome >= c->cards - s->dealt)
        return -1;
    const int card = leduc_poker_nth(c, s->deck, outcome), first = leduc_poker_first(s->in, 0);
    s->deck ^= 1u << card;
    s->card[s->dealt++] = (uint8_t)card;
    s->turn = (uint8_t)(s->dealt < c->players ? LEDUC_NATURE : first);
    s->waiting = s->standing;
    s->raises = 0;
    s->lap = 0;
    return 0;
}

AGON_FN int leduc_poker_chance(const void* config, const void* state, double* prob) {
    const leduc_poker_config* c = (const leduc_poker_config*)config;
    const int left = c->cards - ((const leduc_poker*)state)->dealt;
    const double each = c->even[left];
    for (int i = 0; i < c->cards; i++) {
        *prob = each;
        prob += i + 1 < left; /* stays at the last: no branch by the number of cards */
    }
    return left;
}

/* ---- betting ------------------------------------------------------------------------------ */

/* The plane of an action: calls and raises of the first round, of the second, folds of both. */
AGON_FN int leduc_poker_plane(int round, int action) {
    return action == LEDUC_FOLD ? 4 + round : 2 * round + (action == LEDUC_RAISE);
}

AGON_FN int leduc_poker_choices(const leduc_poker* s, int seat) {
    const uint32_t owes = (uint32_t)(s->paid[seat] - s->stakes) >> 31; /* a sign, not a branch */
    return (int)owes << LEDUC_FOLD | 1 << LEDUC_CALL | (s->raises < 2) << LEDUC_RAISE;
}

AGON_FN void leduc_poker_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    mask[0] = (uint64_t)leduc_poker_choices((const leduc_poker*)state, seat);
}

/* What a seat's card is worth; 0: it is not in, so that the last one in wins with any card. */
AGON_FN int leduc_poker_strength(const leduc_poker_config* c, const leduc_poker* s, int seat) {
    const int rank = s->card[seat] / 2, pairs = rank == s->card[c->players] / 2;
    return (s->in >> seat & 1) * (1 + rank + pairs * c->cards);
}

AGON_FN void leduc_poker_settle(const leduc_poker_config* c, leduc_poker* s, float* reward) {
    int strength[LEDUC_SEATS], best = 0, winners = 0, pot = 0;
    for (int seat = 0; seat < c->players; seat++) {
        strength[seat] = leduc_poker_strength(c, s, seat);
        best = strength[seat] > best ? strength[seat] : best;
        pot += s->paid[seat];
    }
    for (int seat = 0; seat < c->players; seat++)
        winners += strength[seat] == best;
    for (int seat = 0; seat < c->players; seat++)
        reward[seat] += (float)(pot & -(strength[seat] == best)) / (float)winners - s->paid[seat];
    s->live = 0;
}

/* One action, and on to the next seat that is in, or to nature. True: that was the last one. */
AGON_FN int leduc_poker_act(const leduc_poker_config* c, leduc_poker* s, int action) {
    const int seat = s->turn, round = s->dealt - c->players;
    const int fold = action == LEDUC_FOLD, raise = action == LEDUC_RAISE;
    const int plane = leduc_poker_plane(round, action);
    const int bit = (plane & 1) * c->cells + s->lap * c->players + seat;
    const int in = s->in ^ fold << seat, ahead = in >> (seat + 1);
    const int standing = s->standing - fold, stakes = s->stakes + (raise << (1 + round));
    const int waiting = s->waiting + (-raise & (standing - s->waiting)) - 1;
    const int next = leduc_poker_first(in, ahead ? seat + 1 : 0);
    s->did[plane >> 1] |= 1ull << bit;
    s->in = (uint16_t)in;
    s->standing = (uint8_t)standing;
    s->stakes = (uint8_t)stakes;
    s->waiting = (uint8_t)waiting;
    s->raises = (uint8_t)(s->raises + raise);
    s->lap = (uint8_t)(s->lap + !ahead);
    s->turn = (uint8_t)(waiting ? next : LEDUC_NATURE);
    s->paid[seat] = fold ? s->paid[seat] : (uint8_t)stakes;
    return (standing == 1) | (waiting < round);
}

AGON_FN int leduc_poker_apply(const void* config, void* state, const uint16_t* action,
                              float* reward) {
    const leduc_poker_config* c = (const leduc_poker_config*)config;
    leduc_poker* s = (leduc_poker*)state;
    if (!s->live)
        return -1;
    if (s->turn == LEDUC_NATURE)
        return leduc_poker_deal(c, s, action[0]);
    const int choice = action[s->turn];
    if (choice >= LEDUC_ACTIONS || !(leduc_poker_choices(s, s->turn) >> choice & 1))
        return -1;
    if (leduc_poker_act(c, s, choice))
        leduc_poker_settle(c, s, reward);
    return 0;
}

/* ---- what a seat knows -------------------------------------------------------------------- */

/* The same cells of two planes, `seat` first and the others after it. */
AGON_FN uint64_t leduc_poker_turned(const leduc_poker_config* c, uint64_t planes, int seat) {
    const uint64_t from = c->from[seat];
    return (planes & from) >> seat | (planes & ~from) << (c->players - seat);
}

/* Five words of `width` <= 60 bits each as bytes, one after the other. In widths of more than 56 no
 * more than 4 bits are left of the word before. */
AGON_FN void leduc_poker_spread(const leduc_poker_config* c, const uint64_t* word, int width,
                                uint8_t* out) {
    uint64_t bits = 0;
    int count = 0;
    for (int i = 0; i < 5; i++) {
        bits |= word[i] << count;
        for (count += width; count >= 8; count -= 8) {
            memcpy(out, &c->bytes[bits & 255], 8);
            bits >>= 8;
            out += 8;
        }
    }
    for (int i = 0; i < count; i++)
        out[i] = (uint8_t)(bits >> i & 1);
}

/* What two players see is 24 bits. */
AGON_FN void leduc_poker_observe_two(const leduc_poker_config* c, const leduc_poker* s, int seat,
                                     uint8_t* out) {
    const uint64_t did = s->did[0] | s->did[1] << 8, from = seat ? 0xaaaa : 0xffff;
    const uint64_t turned = (did & from) >> seat | (did & ~from) << seat;
    const uint64_t shown = s->dealt > 2;
    memcpy(out, &c->bytes[1 << s->card[seat] / 2 | shown << (4 + s->card[2] / 2)], 8);
    memcpy(out + 8, &c->bytes[turned & 255], 8);
    memcpy(out + 16, &c->bytes[turned >> 8], 8);
}

AGON_FN void leduc_poker_observe(const void* config, const void* state, int seat, void* out) {
    const leduc_poker_config* c = (const leduc_poker_config*)config;
    const leduc_poker* s = (const leduc_poker*)state;
    const uint64_t shown = s->dealt > c->players;
    uint64_t word[5];
    if (c->players == 2) {
        leduc_poker_observe_two(c, s, seat, (uint8_t*)out);
        return;
    }
    word[0] = 1ull << s->card[seat] / 2 | shown << (c->cells + s->card[c->players] / 2);
    for (int i = 0; i < 3; i++)
        word[1 + i] = leduc_poker_turned(c, s->did[i], seat);
    word[4] = leduc_poker_turned(c, 1 | (uint64_t)s->in << c->cells, seat);
    leduc_poker_spread(c, word, 2 * c->cells, (uint8_t*)out);
}

/* The seat's card, the public card, and all that was done. */
AGON_FN int leduc_poker_infostate(const void* config, const void* state, int seat, void* out) {
    const int players = leduc_poker_seats(config);
    const leduc_poker* s = (const leduc_poker*)state;
    uint8_t* byte = (uint8_t*)out;
    byte[0] = s->dealt > seat ? s->card[seat] : LEDUC_NONE;
    byte[1] = s->dealt > players ? s->card[players] : LEDUC_NONE;
    memcpy(byte + 2, s->did, sizeof s->did);
    return (int)(2 + sizeof s->did);
}

/* Deals the other seats' cards anew from all cards that the seat does not see. Fewer than 2^38
 * deals are possible, so dividing one random number again and again is uniform enough. */
AGON_FN void leduc_poker_resample(const void* config, void* state, int seat, uint64_t random) {
    const leduc_poker_config* c = (const leduc_poker_config*)config;
    leduc_poker* s = (leduc_poker*)state;
    const int dealt = s->dealt < c->players ? s->dealt : c->players;
    int count = c->cards - s->dealt;
    for (int i = 0; i < dealt; i++) {
        s->deck |= (uint32_t)(i != seat) << s->card[i];
        count += i != seat;
    }
    for (int i = 0; i < dealt; i++) {
        if (i == seat)
            continue;
        s->card[i] = (uint8_t)leduc_poker_nth(c, s->deck, (int)(random % (uint64_t)count));
        random /= (uint64_t)count--;
        s->deck ^= 1u << s->card[i];
    }
}

/* ---- for people --------------------------------------------------------------------------- */

static const char* leduc_poker_verb(int action) {
    return action == LEDUC_FOLD ? "fold" : action == LEDUC_CALL ? "call" : "raise";
}

/* " call raise ..", in the order of play. */
static int leduc_poker_round_text(const leduc_poker_config* c, const leduc_poker* s, int round,
                                  char* out, size_t size) {
    int n = 0;
    for (int cell = 0; cell < c->cells; cell++) {
        for (int action = 0; action < LEDUC_ACTIONS; action++) {
            const int plane = leduc_poker_plane(round, action);
            if (s->did[plane / 2] >> (plane % 2 * c->cells + cell) & 1)
                n += snprintf(out + n, size - (size_t)n, " %s", leduc_poker_verb(action));
        }
    }
    return n;
}

static int leduc_poker_text(const void* config, const void* state, char* out, size_t size) {
    const leduc_poker_config* c = (const leduc_poker_config*)config;
    const leduc_poker* s = (const leduc_poker*)state;
    char text[1024];
    const size_t room = sizeof text;
    int n = snprintf(text, room, "cards");
    for (int i = 0; i < s->dealt && i < c->players; i++)
        n += snprintf(text + n, room - (size_t)n, " %d", s->card[i]);
    n += snprintf(text + n, room - (size_t)n, "\nfirst round");
    n += leduc_poker_round_text(c, s, 0, text + n, room - (size_t)n);
    if (s->dealt > c->players) {
        n += snprintf(text + n, room - (size_t)n, "\npublic card %d\nsecond round",
                      s->card[c->players]);
        n += leduc_poker_round_text(c, s, 1, text + n, room - (size_t)n);
    }
    n += snprintf(text + n, room - (size_t)n, "\npaid");
    for (int i = 0; i < c->players; i++)
        n += snprintf(text + n, room - (size_t)n, " %d", s->paid[i]);
    return snprintf(out, size, "%s\n", text);
}

static int leduc_poker_action_name(const void* config, const void* state, int seat, int action,
                                   char* out, size_t size) {
    const leduc_poker_config* c = (const leduc_poker_config*)config;
    if (seat < 0)
        return snprintf(out, size, "card_%d",
                        leduc_poker_nth(c, ((const leduc_poker*)state)->deck, action));
    return snprintf(out, size, "%s", leduc_poker_verb(action));
}

AGON_GAME_BATCH(leduc_poker)

const agon_game agon_game_leduc_poker = {
    AGON_GAME_HEAD(leduc_poker, 1, "Leduc hold'em: one card each, a public card, two bets a round",
                   sizeof(leduc_poker_config)),
    .chance = leduc_poker_chance,
    .text = leduc_poker_text,
    .action_name = leduc_poker_action_name,
    .resample = leduc_poker_resample,
    .infostate = leduc_poker_infostate,
};
