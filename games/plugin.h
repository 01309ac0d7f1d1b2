/* plugin.h: games from shared objects.
 *
 * A plug-in is a game file compiled with -DAGON_PLUGIN (`agon build-game FILE.c`). It is code, so
 * it is loaded only where a person gave its path, never searched for. From then on it is found by
 * its game's name, as a built-in is: agon_rules_open("my_game(stones=5)") asks here after the
 * built-ins. Loaded plug-ins stay loaded until the process ends.
 *
 * Loading is for one thread at a time; finding may go on in others meanwhile. */
#ifndef AGON_PLUGIN_H
#define AGON_PLUGIN_H

#include "rules.h"

/* Is the text a path with optional parameters, "./my.so" or "my.so(stones=5)", rather than a game
 * string? It is when the part before '(' holds a '/' or ends in ".so". */
bool agon_plugin_is_path(const char* text);

/* Loads a shared object into this process and checks its table: ABI and sizes, names, slots. The
 * same file twice is fine. *out: static, its table of this agon's size (what an older table lacks
 * is NULL). What its code does while it is loaded happens here: see agon_plugin_try.
 *
 *   AGON_EMISSING      no such file
 *   AGON_EFORMAT       not a shared object for this machine, cut short, without agon_plugin(), or
 *                      of another ABI
 *   AGON_EUNSUPPORTED  built for a newer agon
 *   AGON_EINVALID      the table breaks the contract, or its name is taken */
int agon_plugin_load(const char* path, const agon_game** out, agon_error* error);

/* A further look at an opened game; returns 0 or a code with *error filled. */
typedef int agon_plugin_look(const agon_rules* rules, agon_error* error);

/* Loads and opens "my.so(stones=5)" in a child process and, unless `look` is NULL, looks at the
 * game there. Nothing is loaded here: whatever the code does, crash, exit or hang for
 * AGON_PLUGIN_PATIENCE, is an error that says what it was doing. Loading twice costs milliseconds.
 * What the child prints comes through. For a process that has not started its threads yet. */
int agon_plugin_try(const char* text, agon_plugin_look* look, agon_error* error);
#define AGON_PLUGIN_PATIENCE 60 /* seconds */

/* A look: plays the 1,000 games of the rules fingerprint, which everybody computes first. */
int agon_plugin_play(const agon_rules* rules, agon_error* error);

/* From what a person typed to a game string: "./my.so(stones=5)" is tried in a child process,
 * loaded, and becomes "my_game(stones=5)". Other text is copied. game_string: (size) bytes. */
int agon_plugin_resolve(const char* text, char* game_string, size_t size, agon_error* error);

/* The table of a loaded plug-in by the name of its game, or NULL. */
const agon_game* agon_plugin_find(const char* name);

#endif
