/* cfr.h: counterfactual regret minimisation, the reference solver for games whose tree fits.
 *
 * Vanilla CFR (Zinkevich, Johanson, Bowling, Piccione 2007) and CFR+ (Tammelin 2014): every
 * iteration walks the whole tree once per seat; the average policy of a two-seat zero-sum game
 * approaches an equilibrium at O(1/sqrt(t)), CFR+ mostly much faster. With more seats, or another
 * utility, nothing is promised beyond small average regret. Seats must have perfect recall. Results
 * are exact repetitions: no sampling, no random numbers. */
#ifndef AGON_CFR_H
#define AGON_CFR_H

#include "agents/tree.h"

typedef enum agon_cfr_kind {
    AGON_CFR,              /* seats in turn: each against the others' newest policies */
    AGON_CFR_SIMULTANEOUS, /* all seats against the policies of the iteration before */
    AGON_CFR_PLUS          /* in turn, regrets floored at 0, iteration t weighs t in the average */
} agon_cfr_kind;

typedef struct agon_cfr agon_cfr;

/* Borrows tree. *out: owned by the caller, agon_cfr_close. AGON_EUNSUPPORTED for games of perfect
 * information, whose positions are merged in the tree (agon_tree_minimax); AGON_EMEMORY. */
int agon_cfr_open(const agon_tree* tree, agon_cfr_kind kind, agon_cfr** out, agon_error* error);
void agon_cfr_close(agon_cfr* cfr); /* NULL is fine */

void agon_cfr_run(agon_cfr* cfr, int iterations);
int agon_cfr_iterations(const agon_cfr* cfr);

/* The average policy so far, uniform before the first iteration: probability (infosets, actions).
 */
void agon_cfr_average(const agon_cfr* cfr, double* probability);

#endif
