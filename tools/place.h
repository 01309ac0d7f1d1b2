/* place.h: where the files lie that go with this binary, installed or in its build tree. */
#ifndef AGON_PLACE_H
#define AGON_PLACE_H

#include "games/error.h"

#include <stddef.h>

/* The folder of agon_game.h: include/agon of the installation, else games/ of the source tree. */
int agon_place_include(char* out, size_t size, agon_error* error);

/* The path of libagon_games.a: games, rules and checker as a static library. */
int agon_place_library(char* out, size_t size, agon_error* error);

#endif
