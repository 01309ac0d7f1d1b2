/* SPDX-License-Identifier: 0BSD
 *
 * kuhn_poker: Kuhn's poker (1950), for `players` seats and players + 1 cards 0, 1, 2, ... Every
 * seat pays an ante of 1 and gets one card; one card stays out. In turn, seats pass (0) or bet 1
 * (1). After the first bet every other seat in turn folds (0) or calls (1), and the highest card
 * among those who paid takes the pot; if all passed, the highest card takes the antes.
 *
 * Cards are dealt by one chance ply per seat whose outcome k is the k-th of the cards that are
 * left. The observation is the seat's whole information state: its card and the betting so far.
 * With two players: 4 chance nodes, 24 decisions, 30 ends, 12 information sets, value -1/18 for
 * seat 0. */
#include "agon_game.h"

#define KUHN_MAX 10

typedef struct kuhn_poker {
    uint32_t bets;  /* bit i: the i-th decision was a bet or a call */
    uint8_t length; /* decisions so far; seat length % players is next */
    uint8_t end;    /* decisions after which the betting is over */
    uint8_t dealt;  /* seats that have a card */
    uint8_t card[KUHN_MAX];
    uint8_t unused[7];
} kuhn_poker;

typedef struct kuhn_poker_config {
    int players;
    int history;               /* the longest betting: one bet by the last seat, 2 * players - 1 */
    double even[KUHN_MAX + 2]; /* 1 / n */
} kuhn_poker_config;

#define kuhn_poker_STATE             sizeof(kuhn_poker)
#define kuhn_poker_seats(config)     (((const kuhn_poker_config*)(config))->players)
#define kuhn_poker_obs_bytes(config) ((size_t)(3 * ((const kuhn_poker_config*)(config))->history))
#define kuhn_poker_words(config)     1

static int kuhn_poker_configure(agon_params* params, agon_spec* spec, void* config) {
    kuhn_poker_config* c = (kuhn_poker_config*)config;
    c->players = agon_param_int(params, "players", 2, 2, KUHN_MAX);
    c->history = 2 * c->players - 1;
    for (int n = 0; n < KUHN_MAX + 2; n++)
        c->even[n] = 1.0 / (n + !n);
    spec->seats = c->players;
    spec->actions = 2;
    spec->chance_outcomes = c->players + 1;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = c->history;
    spec->return_min = -2;
    spec->return_max = (float)(2 * c->players - 2);
    spec->state_size = kuhn_poker_STATE;
    spec->planes = 3;
    spec->rows = 1;
    spec->cols = c->history; /* never below the number of cards */
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->plane_names[0] = "my_card";
    spec->plane_names[1] = "passed";
    spec->plane_names[2] = "bet";
    spec->symmetries = 1;
    return params->error[0] ? -1 : 0;
}

AGON_FN void kuhn_poker_init(const void* config, void* state) {
    memset(state, 0, kuhn_poker_STATE);
    ((kuhn_poker*)state)->end = (uint8_t)kuhn_poker_seats(config);
}

/* The seat that is next: nobody decides more than twice. */
AGON_FN int kuhn_poker_turn(const kuhn_poker* s, int players) {
    return s->length - (s->length >= players ? players : 0);
}

/* Dealing, betting and ends come in random order, so branches on them would be mispredicted; here
 * and below conditions are values and loops are as long as there are seats. */
AGON_FN uint64_t kuhn_poker_acting(const void* config, const void* state) {
    const kuhn_poker* s = (const kuhn_poker*)state;
    const int players = kuhn_poker_seats(config);
    const int deals = s->dealt < players, seat = kuhn_poker_turn(s, players);
    return (uint64_t)deals << 63 | (uint64_t)(!deals & (s->length != s->end)) << seat;
}

AGON_FN void kuhn_poker_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    mask[0] = 3;
}

/* The cards nobody among the first `dealt` seats holds, as bits. */
AGON_FN uint32_t kuhn_poker_left(const kuhn_poker* s, int players) {
    uint32_t left = (2u << players) - 1;
    for (int i = 0; i < players; i++)
        left &= ~((uint32_t)(i < s->dealt) << s->card[i]);
    return left;
}

/* The k-th set bit; k is below the number of set bits. It is as high as there are bits up to which
 * no more than k are set. */
AGON_FN int kuhn_poker_nth(uint32_t cards, int players, int k) {
    int card = 0, set = 0;
    for (int i = 0; i <= players; i++) {
        set += cards >> i & 1;
        card += set <= k;
    }
    return card;
}

AGON_FN int kuhn_poker_deal(kuhn_poker* s, int players, int outcome) {
    if (outcome > players - s->dealt)
        return -1;
    s->card[s->dealt] = (uint8_t)kuhn_poker_nth(kuhn_poker_left(s, players), players, outcome);
    s->dealt++;
    return 0;
}

AGON_FN int kuhn_poker_paid(const kuhn_poker* s, int players, int seat) {
    return ((s->bets >> seat) | (s->bets >> (players + seat))) & 1;
}

AGON_FN void kuhn_poker_settle(const kuhn_poker* s, int players, float* reward) {
    int winner = 0, best = 0, pot = players;
    for (int i = 0; i < players; i++) {
        const int paid = kuhn_poker_paid(s, players, i);
        const int strength = (paid | !s->bets) * (1 + s->card[i]);
        winner = strength > best ? i : winner;
        best = strength > best ? strength : best;
        pot += paid;
    }
    for (int i = 0; i < players; i++)
        reward[i] += (float)((i == winner ? pot : 0) - 1 - kuhn_poker_paid(s, players, i));
}

AGON_FN int kuhn_poker_apply(const void* config, void* state, const uint16_t* action,
                             float* reward) {
    kuhn_poker* s = (kuhn_poker*)state;
    const int players = kuhn_poker_seats(config);
    if (s->dealt < players)
        return kuhn_poker_deal(s, players, action[0]);
    const int choice = action[kuhn_poker_turn(s, players)], first = choice & !s->bets;
    if (s->length == s->end || choice > 1)
        return -1;
    s->end = (uint8_t)(first ? s->length + players : s->end);
    s->bets |= (uint32_t)choice << s->length;
    s->length++;
    if (s->length == s->end)
        kuhn_poker_settle(s, players, reward);
    return 0;
}

/* Eight bits as bytes: of eight copies each keeps one bit, which becomes the top one by a sum. */
AGON_FN uint64_t kuhn_poker_bytes(uint64_t bits) {
    const uint64_t one = (bits & 255) * 0x0101010101010101ull & 0x8040201008040201ull;
    return (one + 0x7f7f7f7f7f7f7f7full) >> 7 & 0x0101010101010101ull;
}

/* The planes as bits, 57 at most, one after the other. */
AGON_FN void kuhn_poker_observe(const void* config, const void* state, int seat, void* out) {
    const kuhn_poker* s = (const kuhn_poker*)state;
    const int history = ((const kuhn_poker_config*)config)->history;
    const uint64_t bets = s->bets, passes = ((1ull << s->length) - 1) ^ bets;
    uint64_t bits = 1ull << s->card[seat] | passes << history | bets << 2 * history;
    uint8_t* plane = (uint8_t*)out;
    int left = 3 * history;
    for (; left >= 8; left -= 8, bits >>= 8, plane += 8) {
        const uint64_t eight = kuhn_poker_bytes(bits);
        memcpy(plane, &eight, 8);
    }
    for (int i = 0; i < left; i++)
        plane[i] = (uint8_t)(bits >> i & 1);
}

AGON_FN int kuhn_poker_chance(const void* config, const void* state, double* prob) {
    const kuhn_poker_config* c = (const kuhn_poker_config*)config;
    const int left = c->players + 1 - ((const kuhn_poker*)state)->dealt;
    const double each = c->even[left];
    for (int i = 0; i <= c->players; i++) {
        *prob = each;
        prob += i + 1 < left; /* stays at the last: no branch by the number of cards */
    }
    return left;
}

/* Deals the other seats' cards anew from all cards but the seat's own. 10! is far below 2^64, so
 * dividing one random number again and again is uniform enough. */
AGON_FN void kuhn_poker_resample(const void* config, void* state, int seat, uint64_t random) {
    kuhn_poker* s = (kuhn_poker*)state;
    const int players = kuhn_poker_seats(config);
    uint32_t left = (2u << players) - 1;
    int count = players + 1;
    if (seat < s->dealt) {
        left &= ~(1u << s->card[seat]);
        count--;
    }
    for (int i = 0; i < s->dealt; i++) {
        if (i == seat)
            continue;
        s->card[i] = (uint8_t)kuhn_poker_nth(left, players, (int)(random % (uint64_t)count));
        random /= (uint64_t)count--;
        left &= ~(1u << s->card[i]);
    }
}

static int kuhn_poker_text(const void* config, const void* state, char* out, size_t size) {
    const kuhn_poker* s = (const kuhn_poker*)state;
    char line[256];
    int n = snprintf(line, sizeof line, "cards");
    for (int i = 0; i < s->dealt; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, " %d", s->card[i]);
    n += snprintf(line + n, sizeof line - (size_t)n, "\nbetting");
    for (int i = 0; i < s->length; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, " %s", s->bets >> i & 1 ? "bet" : "pass");
    return snprintf(out, size, "%s\n", line);
}

static int kuhn_poker_action_name(const void* config, const void* state, int seat, int action,
                                  char* out, size_t size) {
    const int players = kuhn_poker_seats(config);
    const uint32_t left = kuhn_poker_left((const kuhn_poker*)state, players);
    if (seat < 0)
        return snprintf(out, size, "card_%d", kuhn_poker_nth(left, players, action));
    return snprintf(out, size, "%s", action ? "bet" : "pass");
}

AGON_GAME_BATCH(kuhn_poker)

const agon_game agon_game_kuhn_poker = {
    AGON_GAME_HEAD(kuhn_poker, 1, "Kuhn's poker: one card each, one bet",
                   sizeof(kuhn_poker_config)),
    .chance = kuhn_poker_chance,
    .text = kuhn_poker_text,
    .action_name = kuhn_poker_action_name,
    .resample = kuhn_poker_resample,
};
