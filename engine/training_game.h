/* training_game.h: the game of a run: opened, a plug-in loaded first, and held to what the run was
 * made with. Used by training.c alone. */
#ifndef AGON_TRAINING_GAME_H
#define AGON_TRAINING_GAME_H

#include "engine/training.h"

/* Opens training->config.game.name. Where machine.plugin names a file, that is tried in a child
 * process first: loaded, opened and played. */
int agon__training_open_game(agon_training* training, agon_error* error);

/* Keeps the hash of a new run's plug-in in meta. Nothing to do for a built-in. */
int agon__training_keep_game(agon_training* training, agon_error* error);

/* Are these the rules that an existing run was made with (AGON_EUNSUPPORTED)? Another file with the
 * same rules is fine; training->notice then says so. */
int agon__training_check_game(agon_training* training, agon_error* error);

/* Writes another place of the plug-in into the run's config.ini; `stored` is that file's config. */
int agon__training_move_plugin(agon_training* training, const agon_config* stored,
                               agon_error* error);

#endif
