/* SPDX-License-Identifier: 0BSD
 *
 * recall: a game that nobody plays well without memory. Every seat is shown a cue of its own, one
 * of `cues`, at its first decision and never again; `delay` decisions of no consequence follow; at
 * the last one a seat gets 1 if its action is the number of its cue. All seats decide at once.
 *
 * Without memory nothing is better than 1 / cues on average; with it, 1.
 *
 * Parameters: seats (1..4, default 2), cues (2..8, default 4), delay (0..8, default 2).
 * Observation: one plane of cues + 1 bytes: the cue, while it is shown; whether the last decision
 * is now. */
#include "agon_game.h"

#define RECALL_SEATS 4
#define RECALL_PLIES 10

typedef struct recall {
    uint8_t dealt; /* seats that have a cue */
    uint8_t ply;
    uint8_t cue[RECALL_SEATS];
    uint8_t done[RECALL_SEATS][RECALL_PLIES]; /* what the seats chose so far */
    uint8_t unused[2];
} recall;

typedef struct recall_config {
    int seats, cues, plies;
} recall_config;

#define recall_STATE             sizeof(recall)
#define recall_seats(config)     (((const recall_config*)(config))->seats)
#define recall_obs_bytes(config) ((size_t)((const recall_config*)(config))->cues + 1)
#define recall_words(config)     1

static int recall_configure(agon_params* params, agon_spec* spec, void* config) {
    recall_config* c = (recall_config*)config;
    c->seats = agon_param_int(params, "seats", 2, 1, RECALL_SEATS);
    c->cues = agon_param_int(params, "cues", 4, 2, 8);
    c->plies = agon_param_int(params, "delay", 2, 0, RECALL_PLIES - 2) + 2;
    spec->seats = c->seats;
    spec->actions = c->cues;
    spec->chance_outcomes = c->cues;
    spec->simultaneous = c->seats > 1;
    spec->seats_symmetric = 1;
    spec->utility = AGON_GENERAL_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = c->plies;
    spec->return_min = 0;
    spec->return_max = 1;
    spec->state_size = recall_STATE;
    spec->planes = spec->rows = 1;
    spec->cols = c->cues + 1;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    spec->plane_names[0] = "cue_and_end";
    spec->symmetries = 1;
    return params->error[0] ? -1 : 0;
}

AGON_FN void recall_init(const void* config, void* state) {
    memset(state, 0, recall_STATE);
}

AGON_FN uint64_t recall_acting(const void* config, const void* state) {
    const recall_config* c = (const recall_config*)config;
    const recall* s = (const recall*)state;
    if (s->dealt < c->seats)
        return AGON_CHANCE;
    return s->ply < c->plies ? (1ull << c->seats) - 1 : 0;
}

AGON_FN void recall_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    mask[0] = (1ull << ((const recall_config*)config)->cues) - 1;
}

AGON_FN int recall_deal(const recall_config* c, recall* s, int cue) {
    if (cue >= c->cues)
        return -1;
    s->cue[s->dealt++] = (uint8_t)cue;
    return 0;
}

AGON_FN int recall_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    const recall_config* c = (const recall_config*)config;
    recall* s = (recall*)state;
    if (s->dealt < c->seats)
        return recall_deal(c, s, action[0]);
    if (s->ply == c->plies)
        return -1;
    for (int seat = 0; seat < c->seats; seat++)
        if (action[seat] >= c->cues)
            return -1;
    for (int seat = 0; seat < c->seats; seat++) {
        s->done[seat][s->ply] = (uint8_t)action[seat];
        if (s->ply + 1 == c->plies)
            reward[seat] += action[seat] == s->cue[seat] ? 1.0f : 0.0f;
    }
    s->ply++;
    return 0;
}

AGON_FN void recall_observe(const void* config, const void* state, int seat, void* out) {
    const recall_config* c = (const recall_config*)config;
    const recall* s = (const recall*)state;
    uint8_t* plane = (uint8_t*)out;
    for (int i = 0; i < c->cues; i++)
        plane[i] = s->ply == 0 && s->cue[seat] == i;
    plane[c->cues] = s->ply + 1 == c->plies;
}

AGON_FN int recall_chance(const void* config, const void* state, double* prob) {
    const int cues = ((const recall_config*)config)->cues;
    for (int i = 0; i < cues; i++)
        prob[i] = 1.0 / cues;
    return cues;
}

/* The others' cues. */
AGON_FN void recall_resample(const void* config, void* state, int seat, uint64_t random) {
    const recall_config* c = (const recall_config*)config;
    recall* s = (recall*)state;
    for (int other = 0; other < RECALL_SEATS; other++, random /= (uint64_t)c->cues)
        if (other < s->dealt && other != seat)
            s->cue[other] = (uint8_t)(random % (uint64_t)c->cues);
}

/* The cue, and what the seat chose since. */
static int recall_infostate(const void* config, const void* state, int seat, void* out) {
    const recall* s = (const recall*)state;
    uint8_t* bytes = (uint8_t*)out;
    bytes[0] = s->cue[seat];
    memcpy(bytes + 1, s->done[seat], s->ply);
    return 1 + s->ply;
}

static int recall_text(const void* config, const void* state, char* out, size_t size) {
    const recall* s = (const recall*)state;
    char line[64];
    int n = snprintf(line, sizeof line, "cues");
    for (int seat = 0; seat < s->dealt; seat++)
        n += snprintf(line + n, sizeof line - (size_t)n, " %d", s->cue[seat]);
    return snprintf(out, size, "%s\nafter %d plies\n", line, s->ply);
}

AGON_GAME_BATCH(recall)

const agon_game agon_game_recall = {
    AGON_GAME_HEAD(recall, 1, "a cue is shown at first and asked for at last",
                   sizeof(recall_config)),
    .chance = recall_chance,
    .text = recall_text,
    .resample = recall_resample,
    .infostate = recall_infostate,
};
