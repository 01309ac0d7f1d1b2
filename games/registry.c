/* SPDX-License-Identifier: 0BSD
 *
 * registry.c: the built-in games. Adding one is two lines here. */
#include "rules.h"

AGON_EXTERN const agon_game agon_game_backgammon;
AGON_EXTERN const agon_game agon_game_blotto;
AGON_EXTERN const agon_game agon_game_breakthrough;
AGON_EXTERN const agon_game agon_game_connect_four;
AGON_EXTERN const agon_game agon_game_dark_hex;
AGON_EXTERN const agon_game agon_game_go;
AGON_EXTERN const agon_game agon_game_gomoku;
AGON_EXTERN const agon_game agon_game_goofspiel;
AGON_EXTERN const agon_game agon_game_hex;
AGON_EXTERN const agon_game agon_game_iterated;
AGON_EXTERN const agon_game agon_game_kuhn_poker;
AGON_EXTERN const agon_game agon_game_leduc_poker;
AGON_EXTERN const agon_game agon_game_liars_dice;
AGON_EXTERN const agon_game agon_game_matrix;
AGON_EXTERN const agon_game agon_game_matrix_file;
AGON_EXTERN const agon_game agon_game_negotiation;
AGON_EXTERN const agon_game agon_game_nim;
AGON_EXTERN const agon_game agon_game_oshi_zumo;
AGON_EXTERN const agon_game agon_game_othello;
AGON_EXTERN const agon_game agon_game_oware;
AGON_EXTERN const agon_game agon_game_phantom_ttt;
AGON_EXTERN const agon_game agon_game_pig;
AGON_EXTERN const agon_game agon_game_pong;
AGON_EXTERN const agon_game agon_game_pursuit;
AGON_EXTERN const agon_game agon_game_slime_volley;
AGON_EXTERN const agon_game agon_game_snake_arena;
AGON_EXTERN const agon_game agon_game_spinning_top;
AGON_EXTERN const agon_game agon_game_tic_tac_toe;
AGON_EXTERN const agon_game agon_game_tron;

static const agon_game* const games[] = {
    &agon_game_backgammon,   &agon_game_blotto,      &agon_game_breakthrough,
    &agon_game_connect_four, &agon_game_dark_hex,    &agon_game_go,
    &agon_game_gomoku,       &agon_game_goofspiel,   &agon_game_hex,
    &agon_game_iterated,     &agon_game_kuhn_poker,  &agon_game_leduc_poker,
    &agon_game_liars_dice,   &agon_game_matrix,      &agon_game_matrix_file,
    &agon_game_negotiation,  &agon_game_nim,         &agon_game_oshi_zumo,
    &agon_game_othello,      &agon_game_oware,       &agon_game_phantom_ttt,
    &agon_game_pig,          &agon_game_pong,        &agon_game_pursuit,
    &agon_game_slime_volley, &agon_game_snake_arena, &agon_game_spinning_top,
    &agon_game_tic_tac_toe,  &agon_game_tron,
};

const agon_game* agon_game_at(int index) {
    return index >= 0 && index < agon_game_count() ? games[index] : NULL;
}

int agon_game_count(void) {
    return (int)(sizeof games / sizeof games[0]);
}
