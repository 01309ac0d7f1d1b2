/* SPDX-License-Identifier: 0BSD
 *
 * negotiation: two seats divide a pool of items that each values in its own way (after Cao et al.,
 * "Emergent communication through negotiation", 2018). There are `num_items` kinds of items, 0 to 5
 * of each, the same for both seats to see. Each seat has its own value, 0 to 10, for one item of
 * each kind, at least one of them above 0, which the other seat does not see.
 *
 * Seats take turns, seat 0 first. A seat agrees to the last proposal, which ends the game, or
 * proposes what it would keep, and then, with `enable_utterances`, says `utterance_dim` symbols out
 * of `num_symbols`, which bind nobody. At an agreement the proposer gets its values for what it
 * keeps, the other seat its values for the rest. The game ends with 0 for both after 4 to 10
 * proposals: the limit is drawn first, in proportion to a Poisson distribution of mean 7, and no
 * seat knows it.
 *
 * Chance plies: the limit (outcome k: 4 + k), the number of each item (k), the values of seat 0,
 * those of seat 1 (k; but k + 1 for the last one if all others are 0).
 *
 * Actions: a proposal is a number in base 6 whose digits are the items kept, the last kind lowest;
 * 6^num_items agrees; then come utterances, numbers in base num_symbols, the last symbol lowest.
 *
 * The observation has a row per kind (or symbol) and a column per number: the pool, the own values,
 * the last proposal of either seat, the last utterance of either seat, and planes that tell how
 * many proposals were made, whether it is one's turn, and whether an utterance is due. Earlier
 * proposals are in the information state. */
#include "agon_game.h"

#define NEGOTIATION_ITEMS 5  /* most kinds */
#define NEGOTIATION_TURNS 10 /* most proposals */
#define NEGOTIATION_LEAST 4  /* fewest proposals that may be the limit */
#define NEGOTIATION_COLS  11 /* values are 0..10 */

typedef struct negotiation {
    uint16_t proposal[NEGOTIATION_TURNS];  /* as actions */
    uint16_t utterance[NEGOTIATION_TURNS]; /* counted from 0 */
    uint8_t pool[NEGOTIATION_ITEMS];
    uint8_t value[2][NEGOTIATION_ITEMS]; /* by seat */
    uint8_t limit;                       /* the game ends after this many proposals */
    uint8_t dealt;                       /* chance plies so far */
    uint8_t proposals;                   /* so far */
    uint8_t speaks;                      /* 1: the utterance after the last proposal is due */
    uint8_t agreed;
    uint8_t unused[4];
} negotiation;

typedef struct negotiation_config {
    int items;
    int dim, symbols;   /* of an utterance; 0, 0: none */
    int agree;          /* the action, 6^items; below it proposals, above it utterances */
    int actions, words; /* words of a mask */
    int vectors;        /* 11^items, ways to value the kinds; one of them is not allowed */
    int rows, planes;
    uint32_t weight[NEGOTIATION_TURNS - NEGOTIATION_LEAST + 1]; /* of the limits */
    uint32_t weights;                                           /* their sum */
} negotiation_config;

#define negotiation_STATE         sizeof(negotiation)
#define negotiation_seats(config) 2
#define negotiation_words(config) (((const negotiation_config*)(config))->words)
#define negotiation_obs_bytes(config)                                                              \
    ((size_t)(((const negotiation_config*)(config))->planes *                                      \
              ((const negotiation_config*)(config))->rows * NEGOTIATION_COLS))

static int negotiation_power(int base, int exponent) {
    return exponent ? base * negotiation_power(base, exponent - 1) : 1;
}

static void negotiation_set_up(negotiation_config* c, int utterances) {
    c->agree = negotiation_power(6, c->items);
    c->actions = c->agree + 1 + (utterances ? negotiation_power(c->symbols, c->dim) : 0);
    c->words = (c->actions + 63) / 64;
    c->vectors = negotiation_power(NEGOTIATION_COLS, c->items);
    if (!utterances)
        c->dim = c->symbols = 0;
    c->rows = c->items > c->dim ? c->items : c->dim;
    c->planes = utterances ? 9 : 6;
    c->weights = 0;
    for (int limit = NEGOTIATION_LEAST; limit <= NEGOTIATION_TURNS; limit++) {
        uint32_t weight = 1; /* 7^limit / limit!, times 10! / 7^4 */
        for (int i = NEGOTIATION_LEAST; i < NEGOTIATION_TURNS; i++)
            weight *= (uint32_t)(i < limit ? 7 : i + 1);
        c->weight[limit - NEGOTIATION_LEAST] = weight;
        c->weights += weight;
    }
}

static int negotiation_configure(agon_params* params, agon_spec* spec, void* config) {
    static const char* const names[] = {"pool",           "my_values",    "my_proposal",
                                        "their_proposal", "proposals",    "my_turn",
                                        "utterance_due",  "my_utterance", "their_utterance"};
    static const char* const features[] = {"first_demand", "share", "accepted"};
    static const char* const stats[] = {"agreed", "proposals", "welfare"};
    negotiation_config* c = (negotiation_config*)config;
    c->items = agon_param_int(params, "num_items", 3, 1, NEGOTIATION_ITEMS);
    c->symbols = agon_param_int(params, "num_symbols", 5, 1, NEGOTIATION_COLS - 1);
    c->dim = agon_param_int(params, "utterance_dim", 3, 1, 4);
    negotiation_set_up(c, agon_param_bool(params, "enable_utterances", 1));
    spec->seats = 2;
    spec->actions = c->actions;
    spec->chance_outcomes = NEGOTIATION_COLS;
    spec->utility = AGON_GENERAL_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = NEGOTIATION_TURNS * (c->dim ? 2 : 1);
    spec->return_min = 0;
    spec->return_max = (float)(50 * c->items);
    spec->state_size = negotiation_STATE;
    spec->planes = c->planes;
    spec->rows = c->rows;
    spec->cols = NEGOTIATION_COLS;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    for (int plane = 0; plane < spec->planes; plane++)
        spec->plane_names[plane] = names[plane];
    spec->symmetries = 1;
    spec->features = spec->stats = 3;
    for (int i = 0; i < 3; i++) {
        spec->feature_names[i] = features[i];
        spec->stat_names[i] = stats[i];
    }
    return params->error[0] ? -1 : 0;
}

AGON_FN void negotiation_init(const void* config, void* state) {
    memset(state, 0, negotiation_STATE);
}

AGON_FN int negotiation_is_over(const negotiation* s) {
    return s->agreed || (s->proposals == s->limit && !s->speaks);
}

AGON_FN uint64_t negotiation_acting(const void* config, const void* state) {
    const negotiation* s = (const negotiation*)state;
    if (s->dealt <= 3 * ((const negotiation_config*)config)->items)
        return AGON_CHANCE;
    return negotiation_is_over(s) ? 0 : 1ull << ((s->proposals - s->speaks) & 1);
}

/* The `count` digits of `code` in base `base`, the last one lowest. */
AGON_FN void negotiation_digits(int code, int count, int base, int* digit) {
    while (count > 0) {
        digit[--count] = code % base;
        code /= base;
    }
}

/* Whether `code` asks for no more of its `count` kinds than there are. */
AGON_FN int negotiation_fits(const negotiation* s, int code, int count) {
    int digit[NEGOTIATION_ITEMS];
    negotiation_digits(code, count, 6, digit);
    for (int i = 0; i < count; i++) {
        if (digit[i] > s->pool[i])
            return 0;
    }
    return 1;
}

AGON_FN void negotiation_set_bits(uint64_t* mask, int at, uint64_t bits) {
    const int shift = at & 63;
    mask[at >> 6] |= bits << shift;
    if (shift && bits >> (64 - shift))
        mask[(at >> 6) + 1] |= bits >> (64 - shift);
}

/* What may be asked of the last two kinds is the same 36 bits after every choice of the others. */
AGON_FN void negotiation_set_proposals(const negotiation_config* c, const negotiation* s,
                                       uint64_t* mask) {
    const int n = c->items, others = n > 2 ? n - 2 : 0;
    const uint64_t last = (2ull << s->pool[n - 1]) - 1;
    uint64_t bits = last;
    for (int i = 1; n > 1 && i <= s->pool[n - 2]; i++)
        bits |= last << 6 * i;
    for (int code = 0; 36 * code < c->agree; code++) {
        if (negotiation_fits(s, code, others))
            negotiation_set_bits(mask, 36 * code, bits);
    }
}

AGON_FN void negotiation_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const negotiation_config* c = (const negotiation_config*)config;
    const negotiation* s = (const negotiation*)state;
    memset(mask, 0, 8 * (size_t)c->words);
    if (!s->speaks) {
        negotiation_set_proposals(c, s, mask);
        if (s->proposals)
            negotiation_set_bits(mask, c->agree, 1);
        return;
    }
    for (int at = c->agree + 1; at < c->actions; at += 64)
        negotiation_set_bits(mask, at,
                             c->actions - at < 64 ? (1ull << (c->actions - at)) - 1 : ~0ull);
}

/* Number of outcomes of the chance ply that comes next. */
AGON_FN int negotiation_outcomes(const negotiation_config* c, const negotiation* s) {
    const int n = c->items, at = s->dealt - 1 - n;
    if (at < 0)
        return s->dealt == 0 ? NEGOTIATION_TURNS - NEGOTIATION_LEAST + 1 : 6;
    for (int i = 0; i < n - 1; i++) {
        if (at % n < n - 1 || s->value[at / n][i])
            return NEGOTIATION_COLS;
    }
    return NEGOTIATION_COLS - 1;
}

AGON_FN int negotiation_deal(const negotiation_config* c, negotiation* s, int outcome) {
    const int n = c->items, at = s->dealt - 1, outcomes = negotiation_outcomes(c, s);
    if (outcome >= outcomes)
        return -1;
    if (at < 0)
        s->limit = (uint8_t)(NEGOTIATION_LEAST + outcome);
    else if (at < n)
        s->pool[at] = (uint8_t)outcome;
    else
        s->value[(at - n) / n][at % n] = (uint8_t)(outcome + (outcomes < NEGOTIATION_COLS));
    s->dealt++;
    return 0;
}

/* What `seat` gets when the last proposal is agreed to. */
AGON_FN int negotiation_gain(const negotiation_config* c, const negotiation* s, int seat) {
    const int proposer = (s->proposals - 1) & 1;
    int kept[NEGOTIATION_ITEMS], gain = 0;
    negotiation_digits(s->proposal[s->proposals - 1], c->items, 6, kept);
    for (int i = 0; i < c->items; i++)
        gain += s->value[seat][i] * (seat == proposer ? kept[i] : s->pool[i] - kept[i]);
    return gain;
}

AGON_FN int negotiation_propose(const negotiation_config* c, negotiation* s, int action,
                                float* reward) {
    if (action == c->agree && s->proposals) {
        s->agreed = 1;
        for (int seat = 0; seat < 2; seat++)
            reward[seat] += (float)negotiation_gain(c, s, seat);
        return 0;
    }
    if (action >= c->agree || !negotiation_fits(s, action, c->items))
        return -1;
    s->proposal[s->proposals++] = (uint16_t)action;
    s->speaks = c->dim > 0;
    return 0;
}

AGON_FN int negotiation_apply(const void* config, void* state, const uint16_t* action,
                              float* reward) {
    const negotiation_config* c = (const negotiation_config*)config;
    negotiation* s = (negotiation*)state;
    const int choice = action[(s->proposals - s->speaks) & 1];
    if (s->dealt <= 3 * c->items)
        return negotiation_deal(c, s, action[0]);
    if (negotiation_is_over(s))
        return -1;
    if (!s->speaks)
        return negotiation_propose(c, s, choice, reward);
    if (choice <= c->agree || choice >= c->actions)
        return -1;
    s->utterance[s->proposals - 1] = (uint16_t)(choice - c->agree - 1);
    s->speaks = 0;
    return 0;
}

/* Marks the digits of `code` in the rows of a plane. */
AGON_FN void negotiation_mark(uint8_t* plane, int code, int count, int base) {
    while (count > 0) {
        plane[--count * NEGOTIATION_COLS + code % base] = 1;
        code /= base;
    }
}

AGON_FN void negotiation_observe(const void* config, const void* state, int seat, void* out) {
    const negotiation_config* c = (const negotiation_config*)config;
    const negotiation* s = (const negotiation*)state;
    const int size = c->rows * NEGOTIATION_COLS, utterances = s->proposals - s->speaks;
    uint8_t* plane = (uint8_t*)out;
    memset(plane, 0, negotiation_obs_bytes(config));
    for (int i = 0; i < c->items; i++) {
        plane[i * NEGOTIATION_COLS + s->pool[i]] = 1;
        plane[size + i * NEGOTIATION_COLS + s->value[seat][i]] = 1;
    }
    for (int i = s->proposals - 1; i >= 0 && i >= s->proposals - 2; i--)
        negotiation_mark(plane + (2 + ((i ^ seat) & 1)) * size, s->proposal[i], c->items, 6);
    plane[4 * size + s->proposals] = 1;
    memset(plane + 5 * size, ((s->proposals - s->speaks) & 1) == seat, (size_t)size);
    if (!c->dim)
        return;
    memset(plane + 6 * size, s->speaks, (size_t)size);
    for (int i = utterances - 1; i >= 0 && i >= utterances - 2; i--)
        negotiation_mark(plane + (7 + ((i ^ seat) & 1)) * size, s->utterance[i], c->dim,
                         c->symbols);
}

/* Values are equally likely but for all 0: of the 11^k - 1 ways to value the last k kinds when the
 * others are 0, 11^(k-1) begin with one certain value above 0, and one less with 0. */
AGON_FN int negotiation_chance(const void* config, const void* state, double* prob) {
    const negotiation_config* c = (const negotiation_config*)config;
    const negotiation* s = (const negotiation*)state;
    const int n = c->items, at = s->dealt - 1 - n, outcomes = negotiation_outcomes(c, s);
    int zeros = at >= 0, ways = c->vectors;
    for (int i = 0; i < outcomes; i++)
        prob[i] = s->dealt ? 1.0 / outcomes : (double)c->weight[i] / c->weights;
    for (int i = 0; zeros && i < at % n; i++) {
        zeros = s->value[at / n][i] == 0;
        ways /= NEGOTIATION_COLS;
    }
    if (zeros && outcomes == NEGOTIATION_COLS) {
        for (int i = 0; i < outcomes; i++)
            prob[i] = (double)(ways / NEGOTIATION_COLS - (i == 0)) / (ways - 1);
    }
    return outcomes;
}

static int negotiation_print_digits(char* out, size_t size, const char* word, int code, int count,
                                    int base) {
    int digit[NEGOTIATION_ITEMS];
    int n = snprintf(out, size, "%s", word);
    negotiation_digits(code, count, base, digit);
    for (int i = 0; i < count; i++)
        n += snprintf(out + n, size - (size_t)n, "_%d", digit[i]);
    return n;
}

static int negotiation_print_row(char* out, size_t size, const char* word, const uint8_t* number,
                                 int count) {
    int n = snprintf(out, size, "%s", word);
    for (int i = 0; i < count; i++)
        n += snprintf(out + n, size - (size_t)n, " %d", number[i]);
    return n + snprintf(out + n, size - (size_t)n, "\n");
}

static int negotiation_text(const void* config, const void* state, char* out, size_t size) {
    const negotiation_config* c = (const negotiation_config*)config;
    const negotiation* s = (const negotiation*)state;
    char text[1000];
    size_t n = (size_t)snprintf(text, sizeof text, "limit %d\n", s->limit);
    n += (size_t)negotiation_print_row(text + n, sizeof text - n, "pool", s->pool, c->items);
    n += (size_t)negotiation_print_row(text + n, sizeof text - n, "seat 0 values", s->value[0],
                                       c->items);
    n += (size_t)negotiation_print_row(text + n, sizeof text - n, "seat 1 values", s->value[1],
                                       c->items);
    for (int i = 0; i < s->proposals; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "seat %d ", i & 1);
        n += (size_t)negotiation_print_digits(text + n, sizeof text - n, "keep", s->proposal[i],
                                              c->items, 6);
        if (c->dim && i < s->proposals - s->speaks)
            n += (size_t)negotiation_print_digits(text + n, sizeof text - n, " say",
                                                  s->utterance[i], c->dim, c->symbols);
        n += (size_t)snprintf(text + n, sizeof text - n, "\n");
    }
    return snprintf(out, size, "%s%s", text, s->agreed ? "agreed\n" : "");
}

static int negotiation_chance_name(const negotiation_config* c, const negotiation* s, int outcome,
                                   char* out, size_t size) {
    const int outcomes = negotiation_outcomes(c, s);
    if (s->dealt == 0)
        return snprintf(out, size, "limit_%d", NEGOTIATION_LEAST + outcome);
    if (s->dealt <= c->items)
        return snprintf(out, size, "items_%d", outcome);
    return snprintf(out, size, "value_%d", outcome + (outcomes < NEGOTIATION_COLS));
}

static int negotiation_action_name(const void* config, const void* state, int seat, int action,
                                   char* out, size_t size) {
    const negotiation_config* c = (const negotiation_config*)config;
    char name[AGON_ACTION_NAME];
    if (seat < 0)
        return negotiation_chance_name(c, (const negotiation*)state, action, out, size);
    if (action == c->agree)
        return snprintf(out, size, "agree");
    if (action < c->agree)
        negotiation_print_digits(name, sizeof name, "keep", action, c->items, 6);
    else
        negotiation_print_digits(name, sizeof name, "say", action - c->agree - 1, c->dim,
                                 c->symbols);
    return snprintf(out, size, "%s", name);
}

/* A uniform number below `count`, out of what is left of `random`. The products of all counts stay
 * below 2^38, so that one random number is uniform enough. */
AGON_FN uint32_t negotiation_draw(uint64_t* random, uint32_t count) {
    const uint32_t drawn = (uint32_t)(*random % count);
    *random /= count;
    return drawn;
}

/* Values the other seat may have, and a limit that has not been met yet; one that has is known. */
AGON_FN void negotiation_resample(const void* config, void* state, int seat, uint64_t random) {
    const negotiation_config* c = (const negotiation_config*)config;
    negotiation* s = (negotiation*)state;
    const int known = s->dealt - 1 - c->items - (1 - seat) * c->items; /* values of the other */
    const int least = s->proposals + !s->speaks;
    int digit[NEGOTIATION_ITEMS];
    uint32_t weights = 0, draw;
    negotiation_digits(1 + (int)negotiation_draw(&random, (uint32_t)c->vectors - 1), c->items,
                       NEGOTIATION_COLS, digit);
    for (int i = 0; i < c->items && i < known; i++)
        s->value[1 - seat][i] = (uint8_t)digit[i];
    if (s->dealt == 0 || (negotiation_is_over(s) && !s->agreed))
        return;
    s->limit = (uint8_t)(least < NEGOTIATION_LEAST ? NEGOTIATION_LEAST : least);
    for (int limit = s->limit; limit <= NEGOTIATION_TURNS; limit++)
        weights += c->weight[limit - NEGOTIATION_LEAST];
    draw = negotiation_draw(&random, weights);
    for (; draw >= c->weight[s->limit - NEGOTIATION_LEAST]; s->limit++)
        draw -= c->weight[s->limit - NEGOTIATION_LEAST];
}

/* The seat, the pool, the own values, and all proposals and utterances so far. */
AGON_FN int negotiation_infostate(const void* config, const void* state, int seat, void* out) {
    const negotiation_config* c = (const negotiation_config*)config;
    const negotiation* s = (const negotiation*)state;
    uint8_t* to = (uint8_t*)out;
    *to++ = (uint8_t)seat;
    *to++ = s->proposals;
    *to++ = s->speaks;
    for (int i = 0; i < c->items; i++) {
        *to++ = s->pool[i];
        *to++ = s->value[seat][i];
    }
    for (int i = 0; i < s->proposals; i++) {
        *to++ = (uint8_t)(s->proposal[i] & 255);
        *to++ = (uint8_t)(s->proposal[i] >> 8);
        *to++ = (uint8_t)(s->utterance[i] & 255);
        *to++ = (uint8_t)(s->utterance[i] >> 8);
    }
    return (int)(to - (uint8_t*)out);
}

/* What `seat` would get for the whole pool. */
AGON_FN int negotiation_most(const negotiation_config* c, const negotiation* s, int seat) {
    int most = 0;
    for (int i = 0; i < c->items; i++)
        most += s->pool[i] * s->value[seat][i];
    return most;
}

/* Of all that the pool is worth to the seat: what its first proposal asks for, what it gets; and
 * whether it was the one to agree. */
AGON_FN void negotiation_features(const void* config, const void* state, int seat, float* out) {
    const negotiation_config* c = (const negotiation_config*)config;
    const negotiation* s = (const negotiation*)state;
    const int most = negotiation_most(c, s, seat);
    int kept[NEGOTIATION_ITEMS], asked = 0;
    negotiation_digits(s->proposal[seat], c->items, 6, kept);
    for (int i = 0; i < c->items && s->proposals > seat; i++)
        asked += kept[i] * s->value[seat][i];
    out[0] = most ? (float)asked / (float)most : 0;
    out[1] = most && s->agreed ? (float)negotiation_gain(c, s, seat) / (float)most : 0;
    out[2] = (float)(s->agreed && (s->proposals & 1) == seat);
}

/* Whether there was an agreement, how many proposals, and what both got out of the most that they
 * could have got together. */
AGON_FN void negotiation_stats(const void* config, const void* state, float* out) {
    const negotiation_config* c = (const negotiation_config*)config;
    const negotiation* s = (const negotiation*)state;
    int best = 0;
    for (int i = 0; i < c->items; i++)
        best += s->pool[i] * (s->value[0][i] > s->value[1][i] ? s->value[0][i] : s->value[1][i]);
    const int got = s->agreed ? negotiation_gain(c, s, 0) + negotiation_gain(c, s, 1) : 0;
    out[0] = (float)s->agreed;
    out[1] = (float)s->proposals;
    out[2] = best ? (float)got / (float)best : 0;
}

AGON_GAME_BATCH(negotiation)

const agon_game agon_game_negotiation = {
    AGON_GAME_HEAD(negotiation, 1, "divide items that the seats value differently",
                   sizeof(negotiation_config)),
    .chance = negotiation_chance,
    .text = negotiation_text,
    .action_name = negotiation_action_name,
    .resample = negotiation_resample,
    .infostate = negotiation_infostate,
    .features = negotiation_features,
    .stats = negotiation_stats,
};
