/* negamax.h: the exact value of a position too deep for an unrolled tree.
 *
 * Depth-first alpha-beta to the ends of the game, without an evaluation: a table of positions met
 * before, bounds of children looked up before any is searched (enhanced transposition cut-offs,
 * Schaeffer and Plaat 1996), finished children first, then the order that history suggests
 * (Schaeffer 1989).
 *
 * The table knows positions by a 64-bit hash of their bytes; two of ten million positions are
 * confused with a probability below 1e-5.
 *
 * Values are what seat 0 still gets, with the sign turned when seat 1 moves: in a zero-sum game,
 * what the seat to move still gets. */
#ifndef AGON_NEGAMAX_H
#define AGON_NEGAMAX_H

#include "games/rules.h"

typedef struct agon_negamax agon_negamax;

/* For games with two seats in turn, perfect information, no chance, zero- or constant-sum returns
 * (AGON_EUNSUPPORTED otherwise, with the fact that is missing). table_bytes: 16 per position, at
 * least 1 MiB. Borrows rules; one thread at a time. *out: owned, agon_negamax_close. */
int agon_negamax_open(const agon_rules* rules, size_t table_bytes, agon_negamax** out,
                      agon_error* error);
void agon_negamax_close(agon_negamax* solver); /* NULL is fine */

/* value: of `state`, which is not over, when both play best. earned: what seat 0 got on the way to
 * it (0 where only the end pays); with the game's bounds on returns it says what may still come.
 * action_value: (actions), the same after each legal action, NAN at others; or NULL, which is
 * faster. nodes: positions searched by this call (also of one that failed), or NULL. AGON_ELIMIT
 * beyond `limit` nodes. */
int agon_negamax_solve(agon_negamax* solver, const void* state, float earned, uint64_t limit,
                       float* value, float* action_value, uint64_t* nodes, agon_error* error);

#endif
