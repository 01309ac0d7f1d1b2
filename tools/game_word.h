/* game_word.h: GAME on a command line: a game string, or the path of a plug-in. */
#ifndef AGON_GAME_WORD_H
#define AGON_GAME_WORD_H

#include "engine/config.h"
#include "games/rules.h"

/* "connect_four(rows=5)" is copied; "./my.so(stones=5)" is loaded, opened and played in a child
 * process, then loaded, and becomes "my_game(stones=5)". game: (size) bytes, a game string for
 * agon_rules_open. Before any threads are started. */
int agon_game_word(const char* word, char* game, size_t size, agon_error* error);

/* agon_rules_open for such a word. */
int agon_game_open(const char* word, agon_rules** out, agon_error* error);

/* For a run, which plays before it trains: sets game.name and, for a plug-in, machine.plugin to its
 * absolute path. `origin` names the word in messages. */
int agon_game_configure(agon_config* config, const char* word, const char* origin,
                        agon_error* error);

/* Makes machine.plugin absolute, so that a run finds its game from any directory. */
int agon_game_settle_plugin(agon_config* config, const char* origin, agon_error* error);

#endif
