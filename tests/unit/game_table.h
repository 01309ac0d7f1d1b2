/* game_table.h: one game in progress, for tests of single games: opened by its string, played by
 * action or by name. TABLE_STATE and TABLE_WORDS, the room for a state and a mask, may be set
 * before this is included. */
#ifndef AGON_TESTS_GAME_TABLE_H
#define AGON_TESTS_GAME_TABLE_H

#include "games/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#ifndef TABLE_STATE
#define TABLE_STATE 512
#endif
#ifndef TABLE_WORDS
#define TABLE_WORDS 12
#endif

typedef struct table {
    agon_rules* rules;
    uint64_t state[TABLE_STATE / 8];
    uint64_t acting;
    float reward[AGON_MAX_SEATS]; /* returns so far */
} table;

static inline void start(table* t) {
    memset(t->reward, 0, sizeof t->reward);
    t->rules->game->init(t->rules->config, t->state);
    t->acting = t->rules->game->acting(t->rules->config, t->state);
}

static inline void open_table(table* t, const char* string) {
    agon_error error = {0};
    memset(t, 0, sizeof *t);
    if (agon_rules_open(string, &t->rules, &error) != 0)
        fail_msg("%s: %s", string, error.text);
    assert_true(t->rules->spec.state_size <= TABLE_STATE && t->rules->mask_words <= TABLE_WORDS);
    start(t);
}

/* The seat whose turn it is; of several, the first. */
static inline int mover(const table* t) {
    return __builtin_ctzll(t->acting);
}

static inline void legal(const table* t, uint64_t* mask) {
    t->rules->game->legal(t->rules->config, t->state, mover(t), mask);
}

/* action: (seats), or the outcome first. Returns what apply returns. */
static inline int play_row(table* t, const uint16_t* action) {
    const int code = t->rules->game->apply(t->rules->config, t->state, action, t->reward);
    t->acting = t->rules->game->acting(t->rules->config, t->state);
    return code;
}

/* The same action for whoever's turn it is of two seats. */
static inline int play(table* t, int action) {
    const uint16_t both[AGON_MAX_SEATS] = {(uint16_t)action, (uint16_t)action};
    return play_row(t, both);
}

/* Plays words separated by single spaces: an outcome, or an action for each seat that acts, by
 * their names. */
static inline void play_names(table* t, const char* names) {
    const char* at = names;
    while (*at) {
        const bool chance = t->acting == AGON_CHANCE;
        uint16_t action[AGON_MAX_SEATS] = {0};
        if (!t->acting)
            fail_msg("the game is over before %s", at);
        for (uint64_t set = chance ? 1 : t->acting; set; set &= set - 1) {
            const int seat = __builtin_ctzll(set);
            char name[AGON_ACTION_NAME];
            snprintf(name, sizeof name, "%.*s", (int)strcspn(at, " "), at);
            at += strcspn(at, " ");
            at += *at == ' ';
            const int found = agon_action_find(t->rules, t->state, chance ? -1 : seat, name);
            if (found < 0)
                fail_msg("%s is not possible for seat %d in %s", name, seat, names);
            action[seat] = (uint16_t)found;
        }
        assert_int_equal(play_row(t, action), 0);
    }
}

#endif
