/* pairs.h: sums over pairs of agents without a loop over pairs. */
#ifndef AGON_PAIRS_H
#define AGON_PAIRS_H

/* Sum of x_i x_j over ordered pairs of different numbers, from their sum and the sum of their
 * squares; x_i >= 0, so what rounding leaves below 0 is 0. */
static inline double agon_pairs_product(double sum, double squares) {
    return sum * sum > squares ? sum * sum - squares : 0;
}

#endif
