/* SPDX-License-Identifier: 0BSD
 *
 * nim: piles of stones. In turn, a seat takes one or more stones from one pile. With `is_misere`
 * whoever takes the last stone loses, otherwise wins: 1, the other -1. Bouton (1901) solved it: the
 * seat to move loses if the exclusive or of all sizes is 0, except that with `is_misere` and no
 * pile above one it loses if the number of piles is odd.
 *
 * `pile_sizes` are the stones of each pile, joined by +: 1+3+5+7 (OpenSpiel joins them by ;, which
 * would begin a comment in a config). Action = (stones - 1) * piles + pile: so many stones are
 * taken from that pile. The observation is one plane with a row per pile, 1 for each stone that is
 * left, from the left. Who is to move need not be told: the rules treat both alike.
 *
 * The symmetries turn the piles round: symmetry g makes pile i pile i + g. */
#include "agon_game.h"

#define NIM_PILES  32
#define NIM_STONES 255 /* of a pile */
#define NIM_WORDS  ((NIM_PILES * NIM_STONES + 63) / 64)
#define NIM_SMALL  64 /* more stones than a pile has where observation and mask fit one word */

typedef struct nim {
    uint8_t pile[NIM_PILES];
    uint16_t left; /* stones of all piles; 0: over */
    uint8_t turn;  /* seat to move */
    uint8_t unused[5];
} nim;

typedef struct nim_config {
    int piles, most; /* stones of the largest pile */
    int misere;
    int words;                /* of a mask */
    int small;                /* observation and mask fit one word each, with more than a byte */
    int stones;               /* of all piles */
    uint8_t pile[NIM_PILES];  /* at the start */
    uint64_t inverse;         /* of `piles`, see nim_quotient */
    uint64_t comb[NIM_WORDS]; /* the actions that take from pile 0 */
    uint64_t seen[NIM_PILES][NIM_SMALL]; /* small: what the observation shows of a pile's stones */
    uint64_t take[NIM_PILES][NIM_SMALL]; /* and the actions that take from them */
    uint64_t bytes[256];                 /* eight bits as bytes */
} nim_config;

#define nim_STATE             sizeof(nim)
#define nim_seats(config)     2
#define nim_obs_bytes(config) ((size_t)nim_actions((const nim_config*)(config)))
#define nim_words(config)     (((const nim_config*)(config))->words)

/* Also the entries of the observation. */
AGON_FN int nim_actions(const nim_config* c) {
    return c->piles * c->most;
}

static int nim_read_piles(agon_params* params, nim_config* c) {
    const char* text = agon_param_text(params, "pile_sizes");
    const char* at = text ? text : "1+3+5+7";
    snprintf(params->asked, sizeof params->asked,
             "pile_sizes (1 to %d numbers from 1 to %d, default 1+3+5+7)", NIM_PILES, NIM_STONES);
    for (;; at++) {
        char* end = NULL;
        const long stones = *at >= '0' && *at <= '9' ? strtol(at, &end, 10) : 0;
        if (stones < 1 || stones > NIM_STONES || c->piles == NIM_PILES || (*end && *end != '+'))
            break;
        c->pile[c->piles++] = (uint8_t)stones;
        c->stones += (int)stones;
        c->most = c->most < stones ? (int)stones : c->most;
        at = end;
        if (!*at)
            return 0;
    }
    snprintf(params->error, sizeof params->error,
             "pile_sizes=%.100s: expected 1 to %d numbers from 1 to %d, as in 1+3+5+7", text,
             NIM_PILES, NIM_STONES);
    return -1;
}

static void nim_tables(nim_config* c) {
    const int sizes = c->most + 1;
    c->inverse = (1ull << 32) / (uint64_t)c->piles + 1;
    for (int action = 0; action < nim_actions(c); action += c->piles)
        c->comb[action / 64] |= 1ull << action % 64;
    for (int i = 0; c->small && i < c->piles * sizes; i++) {
        const int pile = i / sizes, stones = i % sizes;
        c->seen[pile][stones] = ((1ull << stones) - 1) << pile * c->most;
        c->take[pile][stones] = (c->comb[0] & ~(~0ull << stones * c->piles)) << pile;
    }
    for (int i = 0; i < 256 * 8; i++)
        c->bytes[i / 8] |= (uint64_t)(i / 8 >> i % 8 & 1) << i % 8 * 8;
}

static int nim_configure(agon_params* params, agon_spec* spec, void* config) {
    nim_config* c = (nim_config*)config;
    memset(c, 0, sizeof *c);
    if (nim_read_piles(params, c) != 0)
        return -1;
    c->misere = agon_param_bool(params, "is_misere", 1);
    c->words = (nim_actions(c) + 63) / 64;
    c->small = nim_actions(c) >= 8 && nim_actions(c) < 64;
    nim_tables(c);
    spec->seats = 2;
    spec->actions = nim_actions(c);
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_PERFECT;
    spec->max_plies = c->stones;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = nim_STATE;
    spec->planes = 1;
    spec->rows = c->piles;
    spec->cols = c->most;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->plane_names[0] = "stones";
    spec->symmetries = c->piles;
    return params->error[0] ? -1 : 0;
}

AGON_FN void nim_init(const void* config, void* state) {
    const nim_config* c = (const nim_config*)config;
    nim* s = (nim*)state;
    memset(s, 0, nim_STATE);
    memcpy(s->pile, c->pile, sizeof s->pile);
    s->left = (uint16_t)c->stones;
}

AGON_FN uint64_t nim_acting(const void* config, const void* state) {
    const nim* s = (const nim*)state;
    return (uint64_t)(s->left != 0) << s->turn;
}

/* What a table has for all piles, four at a time; piles that are not there have no stones. */
AGON_FN uint64_t nim_join(const nim_config* c, const nim* s, const uint64_t (*table)[NIM_SMALL]) {
    uint64_t all = 0;
    for (int i = 0; i < c->piles; i += 4)
        all |= table[i][s->pile[i]] | table[i + 1][s->pile[i + 1]] | table[i + 2][s->pile[i + 2]] |
               table[i + 3][s->pile[i + 3]];
    return all;
}

/* Each pile adds the comb, moved up by its number and cut off behind its last stone. */
AGON_FN void nim_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const nim_config* c = (const nim_config*)config;
    const nim* s = (const nim*)state;
    if (c->small) {
        mask[0] = nim_join(c, s, c->take);
        return;
    }
    for (int word = 0; word < c->words; word++)
        mask[word] = 0;
    for (int pile = 0; pile < c->piles; pile++) {
        const int end =
            s->pile[pile] * c->piles; /* the first action that is too much, for pile 0 */
        uint64_t low = 0;
        for (int word = 0; 64 * word < end; word++) {
            const int rest = end - 64 * word;
            const uint64_t bits = c->comb[word] & (rest < 64 ? (1ull << rest) - 1 : ~0ull);
            mask[word] |= bits << pile | low;
            low = pile ? bits >> (64 - pile) : 0;
        }
        if (low)
            mask[(end + 63) / 64] |= low;
    }
}

/* action / piles by a product: rounding `inverse` up adds less than 1 / piles to the quotient. */
AGON_FN int nim_quotient(const nim_config* c, uint16_t action) {
    return (int)((uint64_t)action * c->inverse >> 32);
}

AGON_FN int nim_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    const nim_config* c = (const nim_config*)config;
    nim* s = (nim*)state;
    const int seat = s->turn, less = nim_quotient(c, action[seat]);
    const int pile = action[seat] - less * c->piles, stones = less + 1;
    if (stones > s->pile[pile])
        return -1;
    s->pile[pile] = (uint8_t)(s->pile[pile] - stones);
    s->left = (uint16_t)(s->left - stones);
    s->turn = (uint8_t)(1 - seat);
    if (!s->left) {
        reward[c->misere ? 1 - seat : seat] += 1;
        reward[c->misere ? seat : 1 - seat] -= 1;
    }
    return 0;
}

/* The rows as bits, one after the other, eight of them at a time; the last eight overlap the ones
 * before. */
AGON_FN void nim_observe_small(const nim_config* c, const nim* s, uint8_t* plane) {
    const int entries = nim_actions(c);
    const uint64_t bits = nim_join(c, s, c->seen);
    for (int i = 0; i < entries - 8; i += 8)
        memcpy(plane + i, &c->bytes[bits >> i & 255], 8);
    memcpy(plane + entries - 8, &c->bytes[bits >> (entries - 8)], 8);
}

/* Eight stones at a time. What a store writes beyond the row, the next row writes anew. */
AGON_FN void nim_observe(const void* config, const void* state, int seat, void* out) {
    const nim_config* c = (const nim_config*)config;
    const nim* s = (const nim*)state;
    const int entries = nim_actions(c);
    uint8_t* plane = (uint8_t*)out;
    if (c->small) {
        nim_observe_small(c, s, plane);
        return;
    }
    for (int pile = 0; pile < c->piles; pile++) {
        for (int col = 0; col < c->most; col += 8) {
            const int at = pile * c->most + col, stones = s->pile[pile] - col;
            const uint64_t row = stones <= 0 ? 0 : stones < 8 ? (1ull << 8 * stones) - 1 : ~0ull;
            const uint64_t bytes = row & 0x0101010101010101ull;
            if (at + 8 <= entries)
                memcpy(plane + at, &bytes, 8);
            else
                for (int i = at; i < entries; i++)
                    plane[i] = (uint8_t)(bytes >> 8 * (i - at));
        }
    }
}

static int nim_text(const void* config, const void* state, char* out, size_t size) {
    const nim_config* c = (const nim_config*)config;
    const nim* s = (const nim*)state;
    char line[5 * NIM_PILES];
    int n = 0;
    for (int pile = 0; pile < c->piles; pile++)
        n += snprintf(line + n, sizeof line - (size_t)n, " %d", s->pile[pile]);
    return snprintf(out, size, "piles%s\n%s\n", line,
                    !s->left  ? "over"
                    : s->turn ? "seat 1 to move"
                              : "seat 0 to move");
}

/* Piles are counted from 1. */
static int nim_action_name(const void* config, const void* state, int seat, int action, char* out,
                           size_t size) {
    const int piles = ((const nim_config*)config)->piles;
    return snprintf(out, size, "pile%dtake%d", action % piles + 1, action / piles + 1);
}

AGON_FN void nim_symmetry(const void* config, int g, const void* state, void* out) {
    const int piles = ((const nim_config*)config)->piles;
    const nim* s = (const nim*)state;
    nim t = *s;
    for (int pile = 0; pile < piles; pile++)
        t.pile[(pile + g) % piles] = s->pile[pile];
    *(nim*)out = t;
}

AGON_FN int nim_symmetry_action(const void* config, int g, int action) {
    const int piles = ((const nim_config*)config)->piles, pile = action % piles;
    return action - pile + (pile + g) % piles;
}

AGON_GAME_BATCH(nim)

const agon_game agon_game_nim = {
    AGON_GAME_HEAD(nim, 1, "take stones from one of several piles", sizeof(nim_config)),
    .text = nim_text,
    .action_name = nim_action_name,
    .symmetry = nim_symmetry,
    .symmetry_action = nim_symmetry_action,
};
