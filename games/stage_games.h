/* SPDX-License-Identifier: 0BSD
 *
 * stage_games.h: eight games that are known by name, two seats each, as tables for `matrix` (played
 * once) and `iterated` (played in rounds). Payoffs are those of OpenSpiel's matrix games; its names
 * for them are in brackets.
 *
 *   rps                  rock, paper, scissors: each beats the one before it, 1 and -1
 *   rpsls                rock, paper, scissors, spock, lizard: each beats those one and three
 * before matching_pennies     [mp] equal: 1 and -1; different: -1 and 1 prisoners_dilemma    [pd]
 * both cooperate 5, both defect 1, alone 10 and 0 chicken              [cd] both dare 0, both
 * chicken 3, alone 4 and 1 stag_hunt            [sh] both stag 2, stag alone 0, hare 1
 *   battle_of_the_sexes  [bos] both bach 3 and 2, both stravinsky 2 and 3, otherwise 0
 *   shapley              [shapleys_game] as rps, but losing costs nothing: 1 and 0 */
#ifndef STAGE_GAMES_H
#define STAGE_GAMES_H

#include "normal_form.h"

/* As agon_param_choice takes them; the number of a name is the argument below. */
#define STAGE_GAMES                                                                                \
    "rps|rpsls|matching_pennies|prisoners_dilemma|chicken|stag_hunt|battle_of_the_sexes|shapley"
#define STAGE_GAMES_ACTIONS 5 /* the most that one of them has */

typedef struct stage_game {
    const char* names[STAGE_GAMES_ACTIONS]; /* of the actions, NULL beyond the last */
    int loss;                               /* cyclic games: what losing earns; winning earns 1 */
    signed char payoff[8];                  /* two actions each: of seat 0, then of seat 1 */
} stage_game;

/* In a cyclic game each action beats those an odd number of places before it. */
static inline int stage_game_payoff(const stage_game* game, int actions, int seat, int own,
                                    int other) {
    const int ahead = (own - other + actions) % actions;
    if (actions == 2)
        return game->payoff[seat == 0 ? 2 * own + other : 4 + 2 * other + own];
    return ahead == 0 ? 0 : ahead % 2 ? 1 : game->loss;
}

static inline void stage_game_fill(normal_form_config* c, int which) {
    static const stage_game games[8] = {
        {{"rock", "paper", "scissors"}, -1, {0}},
        {{"rock", "paper", "scissors", "spock", "lizard"}, -1, {0}},
        {{"heads", "tails"}, 0, {1, -1, -1, 1, -1, 1, 1, -1}},
        {{"cooperate", "defect"}, 0, {5, 0, 10, 1, 5, 10, 0, 1}},
        {{"dare", "chicken"}, 0, {0, 4, 1, 3, 0, 1, 4, 3}},
        {{"stag", "hare"}, 0, {2, 0, 1, 1, 2, 1, 0, 1}},
        {{"bach", "stravinsky"}, 0, {3, 0, 0, 2, 2, 0, 0, 3}},
        {{"rock", "paper", "scissors"}, 0, {0}},
    };
    const stage_game* game = &games[which];
    int actions = 0;
    for (; actions < STAGE_GAMES_ACTIONS && game->names[actions]; actions++) {
        for (int seat = 0; seat < 2; seat++)
            snprintf(c->name[seat][actions], NORMAL_FORM_NAME, "%s", game->names[actions]);
    }
    c->actions[0] = c->actions[1] = actions;
    for (int i = 0; i < actions; i++) {
        for (int k = 0; k < actions; k++) {
            const int cell = normal_form_cell(c, i, k);
            c->payoff[0][cell] = (float)stage_game_payoff(game, actions, 0, i, k);
            c->payoff[1][cell] = (float)stage_game_payoff(game, actions, 1, k, i);
        }
    }
}

#endif
