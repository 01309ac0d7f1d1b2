/* embedded.h: text files of tools/configs and tools/plots that are part of the binary, so that it
 * runs from any directory. */
#ifndef AGON_EMBEDDED_H
#define AGON_EMBEDDED_H

/* The text of a file by its name without folder ("matrix.ini"), or NULL. Static. */
const char* agon_embedded(const char* name);

/* The settings that go with a game: the text of GAME.ini, where game is a game string and its
 * parameters do not matter; NULL when there is none. */
const char* agon_embedded_config(const char* game);

#endif
