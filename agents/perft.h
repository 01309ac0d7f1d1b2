/* perft.h: counting positions, the way move generators have been checked for decades.
 *
 * A ply is one call of `apply`: a seat's action, the actions of all seats that act together, or a
 * chance outcome. Counts are exact; what a published number counts decides the mode. */
#ifndef AGON_PERFT_H
#define AGON_PERFT_H

#include "games/rules.h"

typedef enum agon_perft_mode {
    AGON_PERFT_LEAVES,   /* lines of exactly `depth` plies; episodes that ended before count 0 */
    AGON_PERFT_ENDS,     /* the same, and episodes that ended before count 1 each */
    AGON_PERFT_POSITIONS /* different states (bytes) after exactly `depth` plies */
} agon_perft_mode;

/* Nodes of a tree of lines, as they come: positions reached twice count twice. */
typedef struct agon_perft_nodes {
    uint64_t chance, decisions, ends;
} agon_perft_nodes;

/* Counts from `state` (settled or not, unchanged), depth >= 0. AGON_EMEMORY; AGON_EINVALID when the
 * game refuses an action it calls legal, or a seat acts without a legal action. */
int agon_perft(const agon_rules* rules, const void* state, int depth, agon_perft_mode mode,
               uint64_t* count, agon_error* error);

/* All nodes from `state` to `depth` plies below it, both included (depth < 0: to the ends; such
 * games must be small). Seats that act together make one decision node. */
int agon_perft_tree(const agon_rules* rules, const void* state, int depth, agon_perft_nodes* out,
                    agon_error* error);

/* The first plies from `state` one by one, for "divide": calls `each` with the actions of the ply
 * (seats, or the outcome in action[0]), who acts, and the position after it. each's non-zero stops
 * and is returned. */
int agon_perft_children(const agon_rules* rules, const void* state,
                        int (*each)(void* user, uint64_t acting, const uint16_t* action,
                                    const void* child),
                        void* user, agon_error* error);

#endif
