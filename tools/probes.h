/* probes.h: the two halves of `agon probes` (inside tools/ only). */
#ifndef AGON_TOOLS_PROBES_H
#define AGON_TOOLS_PROBES_H

#include "engine/probes.h"

/* Why a set is absent; "": it is there, or nobody asked for it. */
typedef struct agon_probe_absence {
    char why[AGON_PROBE_SETS][320];
} agon_probe_absence;

/* A line for each set: states, plies, buckets, what it is made of. */
int agon_probes_table(const agon_probe_sets* sets, const agon_rules* rules,
                      const agon_probe_absence* absent, agon_error* error);

/* Prints a file's sets, and `examples` positions of each. game: a word for agon_game_open, or NULL:
 * the one that the file names. */
int agon_probes_show(const char* path, const char* game, int examples, agon_error* error);

#endif
