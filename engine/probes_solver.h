/* probes_solver.h: what actions are worth by whichever exact solver a game allows (inside engine/
 * only). */
#ifndef AGON_PROBES_SOLVER_H
#define AGON_PROBES_SOLVER_H

#include "games/rules.h"

typedef struct agon__solver agon__solver;

/* AGON_EUNSUPPORTED: none applies, with the reason. Borrows rules. */
int agon__solver_open(const agon_rules* rules, int64_t limit, agon__solver** out,
                      agon_error* error);
void agon__solver_close(agon__solver* solver); /* NULL is fine */

/* worth: out (actions), what `seat`, which acts in `state`, gets in the whole episode when it takes
 * the action and all play best from there; NaN at illegal actions. earned: (seats) on the way to
 * the state. 1: solved; 0: beyond the limit; negative: a code. */
int agon__solver_worth(agon__solver* solver, const void* state, int seat, const float* earned,
                       double* worth, agon_error* error);
/* Is the whole game unrolled? Then every state is solved at once. */
bool agon__solver_unrolled(const agon__solver* solver);
/* Positions searched so far; those of a tree do not count. */
uint64_t agon__solver_nodes(const agon__solver* solver);

#endif
