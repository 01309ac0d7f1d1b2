/* effect.h: how large a difference between two groups of runs is, beside whether it is there. */
#ifndef AGON_EFFECT_H
#define AGON_EFFECT_H

/* Probability that a value of u exceeds one of v, a tie 1/2: A12 (Vargha and Delaney 2000). Finite
 * values; u (n), v (m), n, m >= 1. O(n m). */
double agon_effect_superiority(const double* u, int n, const double* v, int m);

typedef struct agon_effect {
    double difference;  /* mean of u less mean of v, in their unit */
    double superiority; /* A12, in [0, 1]; .5: none. Looks at order only */
    double cliff;       /* delta = 2 A12 - 1, in [-1, 1] (Cliff 1993) */
    double cohen;       /* d = difference / pooled standard deviation (Cohen 1988) */
    double hedges;      /* g = d (1 - 3 / (4 (n + m - 2) - 1)): without the bias of few values
                           (Hedges 1981, his approximation, within 1 % from 4 values on) */
} agon_effect;

/* cohen and hedges are NaN for n + m = 2, and where nothing varies: infinite with a difference, NaN
 * without; hedges is 0 for n + m = 3, where nothing can be said. They suppose equal spread in both
 * groups, and one outlier spoils them: read them beside A12. None of these is an error: give the
 * interval too. Returns 0, or AGON_EINVALID when a value is not finite. */
int agon_effect_size(const double* u, int n, const double* v, int m, agon_effect* out);

#endif
