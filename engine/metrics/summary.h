/* summary.h: the small statistics used everywhere, so that "mean", "median" and "95 %" mean the
 * same in every table. n is the number of values. Plain functions on plain arrays.
 *
 * The unit that varies must be the unit counted: games of one opening are paired, agents of one
 * population are not independent. Only the caller knows; nothing here can tell. */
#ifndef AGON_SUMMARY_H
#define AGON_SUMMARY_H

#include "games/random.h"

#include <stdint.h>

/* Mean of n >= 1 values. */
double agon_summary_mean(const double* values, int n);

/* Standard error of that mean, s / sqrt(n) with s^2 over n - 1; NaN (unknown) for n = 1. */
double agon_summary_error(const double* values, int n);

/* Ascending, in place; NaN goes last. */
void agon_summary_sort(double* values, int n);

/* Quantile q in [0, 1] of n >= 1 *sorted* values, linear between order statistics (type 7 of
 * Hyndman and Fan 1996: the default of R and numpy). */
double agon_summary_quantile(const double* sorted, int n, double q);

/* Median of n >= 1 values, which are sorted in place. */
double agon_summary_median(double* values, int n);

/* Ordinary bootstrap of a mean (Efron 1979). */
typedef struct agon_interval {
    double mean;      /* of the values themselves */
    double error;     /* standard deviation of the bootstrap means */
    double low, high; /* their 2.5 % and 97.5 % quantiles: a 95 % percentile interval */
} agon_interval;

/* `samples` >= 2 resamples of n >= 1 values with replacement; a function of (values, key) alone.
 * The interval is too narrow for few values (about 10 % at n = 10, and 0 wide at n = 1). Returns
 * 0, AGON_EINVALID for a value that is not finite, AGON_EMEMORY. */
int agon_summary_bootstrap(const double* values, int n, int samples, agon_key key,
                           agon_interval* out);

/* Mean and its standard error from a tally: count scores with their sum and sum of squares.
 * count 0: both NaN; count 1: the error is NaN. When all scores were equal the error is 0, which
 * claims too much for few games: treat it as a lower bound. Exact to about 1e-16 * sum_squares:
 * meant for scores of size 1, not for small differences of large numbers. */
void agon_score_se(uint64_t count, double sum, double sum_squares, double* mean, double* error);

#endif
