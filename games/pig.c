/* SPDX-License-Identifier: 0BSD
 *
 * pig: the jeopardy dice game, for `players` seats in turn. A turn is any number of rolls: a roll
 * of 1 ends it and its total is lost, any other is added to the total; whoever stops adds the total
 * to the own score. The first with `winscore` or more wins 1, every other seat gets
 * -1 / (players - 1). A seat whose score and total reach `winscore` has to stop. After `horizon`
 * decisions the game ends with 0 for all, even if a die is still rolling.
 *
 * `diceoutcomes` is the number of faces. With `piglet` a roll counts 1 or is lost: outcome 0 is the
 * lost one (probability 1 / diceoutcomes), outcome 1 all others. Otherwise outcome k is face k + 1.
 *
 * Actions: 0 roll, 1 stop. The observation marks one column per plane: the total, who acts (0
 * oneself, 1 the next seat, ..), the own score, then those of the next seats in turn. It leaves out
 * how many decisions were made, which matters only near the horizon. */
#include "agon_game.h"

#define PIG_MAX 10

enum { PIG_DECIDE, PIG_ROLLS, PIG_OVER };

typedef struct pig {
    uint32_t plies;
    uint16_t total; /* of the turn so far */
    uint8_t turn;   /* the seat whose turn it is */
    uint8_t phase;
    uint16_t score[PIG_MAX];
    uint8_t unused[4];
} pig;

typedef struct pig_config {
    int players, horizon, winscore, faces, piglet;
    int cols; /* of a plane */
} pig_config;

#define pig_STATE         sizeof(pig)
#define pig_seats(config) (((const pig_config*)(config))->players)
#define pig_words(config) 1
#define pig_obs_bytes(config)                                                                      \
    ((size_t)((2 + pig_seats(config)) * ((const pig_config*)(config))->cols))

static int pig_configure(agon_params* params, agon_spec* spec, void* config) {
    static const char* const names[] = {"total",   "to_act",  "my_score", "score_1",
                                        "score_2", "score_3", "score_4",  "score_5",
                                        "score_6", "score_7", "score_8",  "score_9"};
    pig_config* c = (pig_config*)config;
    c->players = agon_param_int(params, "players", 2, 2, PIG_MAX);
    c->horizon = agon_param_int(params, "horizon", 1000, 1, 1000000);
    c->winscore = agon_param_int(params, "winscore", 100, 1, 1000);
    c->faces = agon_param_int(params, "diceoutcomes", 6, 2, 64);
    c->piglet = agon_param_bool(params, "piglet", 0);
    c->cols = c->winscore < c->players ? c->players : c->winscore + 1;
    spec->seats = c->players;
    spec->actions = 2;
    spec->chance_outcomes = c->piglet ? 2 : c->faces;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_PERFECT;
    spec->max_plies = c->horizon;
    spec->return_min = -1 / (float)(c->players - 1);
    spec->return_max = 1;
    spec->state_size = pig_STATE;
    spec->planes = 2 + c->players;
    spec->rows = 1;
    spec->cols = c->cols;
    spec->obs_type = AGON_U8;
    spec->obs_scale = 1;
    for (int plane = 0; plane < spec->planes; plane++)
        spec->plane_names[plane] = names[plane];
    spec->symmetries = 1;
    return params->error[0] ? -1 : 0;
}

AGON_FN void pig_init(const void* config, void* state) {
    memset(state, 0, pig_STATE);
}

AGON_FN uint64_t pig_acting(const void* config, const void* state) {
    const pig* s = (const pig*)state;
    const uint64_t decides = s->phase == PIG_DECIDE, rolls = s->phase == PIG_ROLLS;
    return decides << s->turn | rolls << 63; /* no branch: phases come in random order */
}

AGON_FN int pig_may_roll(const pig_config* c, const pig* s) {
    return s->score[s->turn] + s->total < c->winscore;
}

AGON_FN void pig_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    mask[0] = pig_may_roll((const pig_config*)config, (const pig*)state) ? 3 : 2;
}

/* The turn goes on with a total, or to the next seat. Dice decide, so both are values. */
AGON_FN void pig_go_on(const pig_config* c, pig* s, int stays, int total) {
    const int next = s->turn + 1 < c->players ? s->turn + 1 : 0;
    s->total = (uint16_t)(total & -stays);
    s->turn = (uint8_t)(stays ? s->turn : next);
}

AGON_FN int pig_roll(const pig_config* c, pig* s, int outcome) {
    if (outcome >= (c->piglet ? 2 : c->faces))
        return -1;
    s->phase = PIG_DECIDE;
    pig_go_on(c, s, outcome != 0, s->total + (c->piglet ? 1 : outcome + 1));
    return 0;
}

AGON_FN void pig_win(const pig_config* c, pig* s, float* reward) {
    for (int i = 0; i < c->players; i++)
        reward[i] += i == s->turn ? 1 : -1 / (float)(c->players - 1);
    s->total = 0;
    s->phase = PIG_OVER;
}

/* A roll or a stop: the score grows by the total or by nothing. */
AGON_FN void pig_decide(const pig_config* c, pig* s, int stops, float* reward) {
    const int score = s->score[s->turn] + (s->total & -stops);
    s->plies++;
    s->score[s->turn] = (uint16_t)score;
    s->phase = (uint8_t)(stops ? PIG_DECIDE : PIG_ROLLS);
    if (score < c->winscore)
        pig_go_on(c, s, !stops, s->total);
    else
        pig_win(c, s, reward);
    if (s->plies == (uint32_t)c->horizon)
        s->phase = PIG_OVER;
}

AGON_FN int pig_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    const pig_config* c = (const pig_config*)config;
    pig* s = (pig*)state;
    if (s->phase == PIG_ROLLS)
        return pig_roll(c, s, action[0]);
    const int choice = action[s->turn];
    if (s->phase == PIG_OVER || choice > 1 || (!pig_may_roll(c, s) & !choice))
        return -1;
    pig_decide(c, s, choice, reward);
    return 0;
}

AGON_FN void pig_observe(const void* config, const void* state, int seat, void* out) {
    const pig_config* c = (const pig_config*)config;
    const pig* s = (const pig*)state;
    uint8_t* plane = (uint8_t*)out;
    memset(plane, 0, pig_obs_bytes(config));
    plane[s->total < c->winscore ? s->total : c->winscore] = 1;
    plane += c->cols;
    plane[s->turn - seat + (s->turn < seat ? c->players : 0)] = 1;
    for (int i = 0, who = seat; i < c->players; i++) {
        plane += c->cols;
        plane[s->score[who] < c->winscore ? s->score[who] : c->winscore] = 1;
        who = who + 1 < c->players ? who + 1 : 0;
    }
}

AGON_FN int pig_chance(const void* config, const void* state, double* prob) {
    const pig_config* c = (const pig_config*)config;
    if (c->piglet) {
        prob[0] = 1.0 / c->faces;
        prob[1] = 1 - prob[0];
        return 2;
    }
    for (int i = 0; i < c->faces; i++)
        prob[i] = 1.0 / c->faces;
    return c->faces;
}

static int pig_text(const void* config, const void* state, char* out, size_t size) {
    const pig* s = (const pig*)state;
    char line[128];
    int n = snprintf(line, sizeof line, "scores");
    for (int i = 0; i < pig_seats(config); i++)
        n += snprintf(line + n, sizeof line - (size_t)n, " %d", s->score[i]);
    return snprintf(out, size, "%s\nseat %d has %d in this turn%s\n", line, s->turn, s->total,
                    s->phase == PIG_ROLLS ? " and rolls" : "");
}

static int pig_action_name(const void* config, const void* state, int seat, int action, char* out,
                           size_t size) {
    if (seat >= 0)
        return snprintf(out, size, "%s", action ? "stop" : "roll");
    if (((const pig_config*)config)->piglet)
        return snprintf(out, size, "%s", action ? "counts" : "lost");
    return snprintf(out, size, "face_%d", action + 1);
}

AGON_GAME_BATCH(pig)

const agon_game agon_game_pig = {
    AGON_GAME_HEAD(pig, 1, "roll on or stop: a 1 loses the turn", sizeof(pig_config)),
    .chance = pig_chance,
    .text = pig_text,
    .action_name = pig_action_name,
};
