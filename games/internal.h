/* internal.h: what the files of this folder share with each other and with the tests: the parts of
 * agon_rules_open. */
#ifndef AGON_GAMES_INTERNAL_H
#define AGON_GAMES_INTERNAL_H

#include "rules.h"

#define AGON__MAX_OUTCOMES 4096 /* of one chance node; probabilities live on the stack */

/* A game string taken apart. Pointers point into `text`, so it is passed by pointer only. */
typedef struct agon__game_string {
    char canonical[128]; /* as in agon_rules.name */
    char text[128];      /* the words, each ended by a NUL */
    const char* name;
    int count;                          /* parameters given */
    const char* param[AGON_MAX_PARAMS]; /* in the order given */
    const char* value[AGON_MAX_PARAMS];
} agon__game_string;

/* Checks the syntax only. AGON_EINVALID, or AGON_ELIMIT for more than 127 characters without
 * spaces or more than AGON_MAX_PARAMS parameters. On failure *out is undefined. */
int agon__game_string_parse(const char* game_string, agon__game_string* out, agon_error* error);

/* The built-in or loaded game of this name; AGON_EUNKNOWN with a suggestion. */
int agon__rules_find(const char* name, const agon_game** out, agon_error* error);

/* agon_rules_open for a table that need not be a built-in. */
int agon__rules_open_game(const agon_game* game, const agon__game_string* string, agon_rules** out,
                          agon_error* error);

/* Refuse a table, or facts, that break the contract of agon_game.h. */
int agon__rules_check_game(const agon_game* game, agon_error* error);
int agon__rules_check_spec(const agon_game* game, const agon_spec* spec, agon_error* error);

/* The parts of agon_plugin_load. `path` is for messages. */

/* Is the file a whole shared object for this machine? Runs none of its code. */
int agon__plugin_check_file(const char* path, agon_error* error);

/* Checks a table's sizes and words and makes it one of ours: what it lacks becomes NULL. On failure
 * *out is untouched. */
int agon__plugin_table(const agon_game* game, const char* path, agon_game* out, agon_error* error);

/* "my.so(stones=5)": path gets "my.so", *parameters points at "(stones=5)" within text. */
int agon__plugin_split(const char* text, char* path, size_t size, const char** parameters,
                       agon_error* error);

#endif
