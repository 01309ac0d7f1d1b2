/* one_ply in a game of perfect information with dice, which no built-in is: a race to five. A step
 * is one field; a roll is one to three, by chance. Whoever is first on field five or beyond wins.
 */
#include "agents/policy.h"
#include "games/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

typedef struct race {
    uint8_t at[2], turn, rolling, over, unused[3];
} race;

#define race_STATE             sizeof(race)
#define race_seats(config)     2
#define race_obs_bytes(config) 2
#define race_words(config)     1

static int race_configure(agon_params* params, agon_spec* spec, void* config) {
    spec->seats = 2;
    spec->actions = 2;
    spec->chance_outcomes = 3;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_PERFECT;
    spec->max_plies = 10;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = sizeof(race);
    spec->planes = spec->rows = 1;
    spec->cols = 2;
    spec->obs_scale = 1;
    spec->plane_names[0] = "fields";
    spec->symmetries = 1;
    return 0;
}

static void race_init(const void* config, void* state) {
    memset(state, 0, sizeof(race));
}

static uint64_t race_acting(const void* config, const void* state) {
    const race* r = state;
    return r->over ? 0 : r->rolling ? AGON_CHANCE : 1ull << r->turn;
}

static void race_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    *mask = 3;
}

static int race_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    race* r = state;
    if (!r->rolling && action[r->turn] == 1) {
        r->rolling = 1;
        return 0;
    }
    r->at[r->turn] = (uint8_t)(r->at[r->turn] + (r->rolling ? action[0] + 1 : 1));
    r->rolling = 0;
    if (r->at[r->turn] >= 5) {
        reward[r->turn] += 1;
        reward[1 - r->turn] -= 1;
        r->over = 1;
    }
    r->turn = (uint8_t)(1 - r->turn);
    return 0;
}

static int race_chance(const void* config, const void* state, double* prob) {
    prob[0] = prob[1] = 0.25;
    prob[2] = 0.5;
    return 3;
}

static void race_observe(const void* config, const void* state, int seat, void* out) {
    const race* r = state;
    ((uint8_t*)out)[0] = r->at[seat];
    ((uint8_t*)out)[1] = r->at[1 - seat];
}

AGON_GAME_BATCH(race)

const agon_game agon_game_race = {
    AGON_GAME_HEAD(race, 1, "first on field five", 0),
    .chance = race_chance,
};

static void ask(const agon_rules* rules, const agon_policy* policy, race position, float* p) {
    const uint32_t zero = 0;
    const uint64_t mask = 3;
    const uint8_t seat = position.turn;
    uint8_t obs[2];
    race_observe(NULL, &position, seat, obs);
    const agon_batch batch = {
        .rules = rules,
        .count = 1,
        .obs = obs,
        .mask = &mask,
        .states = &position,
        .lane = &zero,
        .seat = &seat,
        .episode = &zero,
        .ply = &zero,
        .temperature = 1,
        .probability = p,
    };
    policy->act(policy, &batch);
}

/* Promise: one_ply plays any perfect-information game. It takes a certain win, avoids handing one
 * over, and does not guess what dice will bring. */
static void dice_are_neither_win_nor_loss(void** state) {
    agon__game_string string;
    agon_rules* rules;
    agon_policy policy;
    agon_error error;
    float p[2];
    assert_int_equal(agon__game_string_parse("race", &string, &error), 0);
    assert_int_equal(agon__rules_open_game(&agon_game_race, &string, &rules, &error), 0);
    assert_int_equal(agon_scripted_open("one_ply", rules, &policy, &error), 0);
    ask(rules, &policy, (race){.at = {4, 0}}, p); /* the step wins */
    assert_true(p[0] == 1 && p[1] == 0);
    ask(rules, &policy, (race){.at = {0, 0}}, p); /* nothing at stake */
    assert_true(p[0] == 0.5f && p[1] == 0.5f);
    ask(rules, &policy, (race){.at = {0, 4}}, p); /* the step surely loses, the roll is unknown */
    assert_true(p[0] == 0 && p[1] == 1);
    agon_policy_close(&policy);
    agon_rules_close(rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(dice_are_neither_win_nor_loss)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
