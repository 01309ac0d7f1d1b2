/* evidence_payoffs.h: what matrices of scores and counted games share. Internal. */
#ifndef AGON_EVIDENCE_PAYOFFS_H
#define AGON_EVIDENCE_PAYOFFS_H

#include "engine/evidence_source.h"

/* Zeroed tables of (agents, agents). AGON_ELIMIT beyond AGON_EVIDENCE_AGENTS. On failure what is
 * there is the caller's to free. */
int agon__payoffs_allocate(agon_payoffs* payoffs, int agents, bool wins, bool draws,
                           agon_error* error);
/* Standard error of a mean score x in [-1, 1] over n games, from the variance of one game. */
double agon__score_error(double n, double x, double variance);
/* Sets `antisymmetric`, with a note, and why not in why. asymmetry: the largest |x_ij + x_ji| where
 * pay-offs are general-sum, else 0. */
void agon__payoffs_describe(agon_payoffs* payoffs, const char* name, double asymmetry,
                            agon_evidence_notes* notes, char why[160]);

/* The layout "row, col, wins, draws, losses". *label: (agents) malloc'd. On failure as above. */
int agon__counted_read(const agon_csv* csv, agon_payoffs* payoffs, agon__label** label,
                       agon_error* error);

#endif
