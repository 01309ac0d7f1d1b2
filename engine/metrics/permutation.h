/* permutation.h: tests that suppose nothing but that runs could have changed places. */
#ifndef AGON_PERMUTATION_H
#define AGON_PERMUTATION_H

#include "games/random.h"

/* The share of all re-labellings whose statistic is at least as far from 0 as the measured one
 * (ties within rounding count). Exact: all are tried; else a random sample, p = (1 + hits) / (1 +
 * samples), which is valid at any size (Phipson and Smyth 2010). */
typedef struct agon_permutation {
    double statistic; /* of the data as labelled */
    double p;         /* two-sided, in (0, 1] */
    double tried;     /* re-labellings */
    int exact;        /* 1: all of them */
} agon_permutation;

/* All re-labellings are tried when there are at most so many: 12 against 12, 22 pairs. */
#define AGON_PERMUTATION_EXACT 4194304

typedef enum agon_permutation_statistic {
    AGON_PERMUTATION_MEAN, /* difference of means: supposes that without an effect the groups have
                              one distribution */
    AGON_PERMUTATION_STUDENT, /* the same over its standard error sqrt(s_u^2 / n + s_v^2 / m): right
                                 for many runs also where only the means are equal (Janssen 1997) */
} agon_permutation_statistic;

/* Two groups of independent runs, u (n) and v (m); n, m >= 1, for STUDENT >= 2 (else
 * AGON_EINVALID). Few runs cannot show anything: the smallest p is 2 / C(n + m, n) for equal
 * groups: .10 at 3 against 3, .029 at 4, .0079 at 5. p tells whether a difference could be chance,
 * not how large it is. samples >= 1: used beyond AGON_PERMUTATION_EXACT. Returns 0, AGON_EINVALID
 * (not finite), AGON_EMEMORY. */
int agon_permutation_groups(const double* u, int n, const double* v, int m,
                            agon_permutation_statistic statistic, int samples, agon_key key,
                            agon_permutation* out);

/* Pairs (runs of equal seed in two conditions): difference (n), whose signs could have been the
 * other ones; the statistic is their mean. Smallest p 2 / 2^n: .0625 at 5 pairs, .031 at 6, .002
 * at 10. A difference of 0 counts both ways. Errors as above. */
int agon_permutation_pairs(const double* difference, int n, int samples, agon_key key,
                           agon_permutation* out);

#endif
