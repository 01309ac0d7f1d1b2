/* catalogue_payoff.h: what the rows about pay-offs share (internal to catalogue_*.c). */
#ifndef AGON_CATALOGUE_PAYOFF_H
#define AGON_CATALOGUE_PAYOFF_H

#include "engine/metrics/metric.h"

#include <math.h>

#define AGON__PAYOFF_MOST 1000 /* agents, or agents and anchors: beyond, O(n^3) takes minutes */

/* The pay-offs are antisymmetric and of every pair. */
#define AGON__ON_PAYOFFS (AGON_NEEDS_PAYOFFS | AGON_NEEDS_ANTISYMMETRIC)

/* A row per agent of the evidence, all NaN: agents without pay-offs stay so. */
static inline void agon__payoff_blank(double* out, int rows, int columns) {
    for (int i = 0; i < rows * columns; i++)
        out[i] = NAN;
}

/* What a plain function's code means here. */
static inline int agon__payoff_fail(agon_error* error, int code, const char* metric) {
    return agon_fail(error, code, "%s: %s", metric,
                     code == AGON_EINVALID
                         ? "a pay-off is not known, or those of a pair do not add "
                           "up to 0"
                         : agon_error_text(code));
}

/* Refuses populations that would take minutes. */
static inline int agon__payoff_size(int agents, const char* metric, agon_error* error) {
    return agents <= AGON__PAYOFF_MOST
               ? 0
               : agon_fail(error, AGON_EINVALID, "%s: at most %d agents, not %d", metric,
                           AGON__PAYOFF_MOST, agents);
}

#endif
