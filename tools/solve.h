/* solve.h: the two halves of `agon solve` (inside tools/ only). */
#ifndef AGON_TOOLS_SOLVE_H
#define AGON_TOOLS_SOLVE_H

#include "games/rules.h"

#include <stdbool.h>

typedef struct agon_label_options {
    int count, ply; /* random positions after exactly `ply` plies */
    uint64_t seed;
    uint64_t limit;  /* nodes per position; what takes more is counted, not written */
    const char* out; /* JSON lines; NULL: stdout when json */
    bool json;
} agon_label_options;

/* Labels random positions with the value of every action. Returns the exit code. */
int agon_label(const agon_rules* rules, const agon_label_options* options);

#endif
