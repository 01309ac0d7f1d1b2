/* SPDX-License-Identifier: 0BSD
 *
 * matrix: a small game in normal form, played once. Two seats choose at the same time, and each
 * gets what the table of the game `name` says: rps (rock, paper, scissors), rpsls,
 * matching_pennies, prisoners_dilemma, chicken, stag_hunt, battle_of_the_sexes or shapley; the
 * payoffs are in stage_games.h. Actions are numbered in the order that is given there. There is
 * nothing to see: the observation is a constant. */
#include "stage_games.h"

static int matrix_configure(agon_params* params, agon_spec* spec, void* config) {
    normal_form_config* c = (normal_form_config*)config;
    memset(c, 0, sizeof *c);
    stage_game_fill(c, agon_param_choice(params, "name", 0, STAGE_GAMES));
    normal_form_facts(c, spec);
    return params->error[0] ? -1 : 0;
}

#define matrix_STATE             normal_form_STATE
#define matrix_seats(config)     normal_form_seats(config)
#define matrix_obs_bytes(config) normal_form_obs_bytes(config)
#define matrix_words(config)     normal_form_words(config)
#define matrix_init              normal_form_init
#define matrix_acting            normal_form_acting
#define matrix_legal             normal_form_legal
#define matrix_apply             normal_form_apply
#define matrix_observe           normal_form_observe

AGON_GAME_BATCH(matrix)

const agon_game agon_game_matrix = {
    AGON_GAME_HEAD(matrix, 1, "a named game in normal form, such as rock, paper, scissors",
                   sizeof(normal_form_config)),
    .text = normal_form_text,
    .action_name = normal_form_action_name,
};
