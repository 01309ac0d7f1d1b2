/* chi_square.h: how well counts fit probabilities. */
#ifndef AGON_CHI_SQUARE_H
#define AGON_CHI_SQUARE_H

#include <math.h>

/* Q(a, x): the share of a gamma distribution of shape a beyond x; a series below its mean, a
 * continued fraction (modified Lentz) above. */
static inline double gamma_tail(double a, double x) {
    if (x <= 0.0)
        return 1.0;
    const double front = exp(a * log(x) - x - lgamma(a));
    if (x < a + 1.0) {
        double term = 1.0 / a, sum = term;
        for (double n = a + 1.0; term > sum * 1e-16; n++)
            sum += term *= x / n;
        return 1.0 - front * sum;
    }
    const double tiny = 1e-300;
    double b = x + 1.0 - a, c = 1.0 / tiny, d = 1.0 / b, value = d;
    for (int i = 1; i < 100000; i++) {
        const double step = -i * (i - a);
        b += 2.0;
        d = 1.0 / (fabs(step * d + b) < tiny ? tiny : step * d + b);
        c = fabs(b + step / c) < tiny ? tiny : b + step / c;
        value *= c * d;
        if (fabs(c * d - 1.0) < 1e-15)
            break;
    }
    return front * value;
}

/* The chance that chi-square with so many degrees of freedom exceeds x; 1 without freedom. */
static inline double chi_square_tail(double x, int freedom) {
    return freedom > 0 ? gamma_tail(0.5 * freedom, 0.5 * x) : 1.0;
}

typedef struct chi_square {
    double x;
    int freedom;
} chi_square;

static inline void chi_square_add(chi_square* fit, double count, double expected) {
    fit->x += (count - expected) * (count - expected) / expected;
    fit->freedom++;
}

/* counts (cells) against probabilities p (cells) that sum to 1. Neighbours are thrown together
 * until five are expected, so that the approximation holds. */
static inline chi_square chi_square_fit(const double* count, const double* p, int cells) {
    double total = 0.0, held = 0.0, held_expected = 0.0, open = 0.0, open_expected = 0.0;
    chi_square fit = {0.0, -1};
    for (int i = 0; i < cells; i++)
        total += count[i];
    for (int i = 0; i < cells; i++) {
        open += count[i];
        open_expected += p[i] * total;
        if (open_expected < 5.0)
            continue;
        if (held_expected > 0.0)
            chi_square_add(&fit, held, held_expected);
        held = open;
        held_expected = open_expected;
        open = open_expected = 0.0;
    }
    chi_square_add(&fit, held + open, held_expected + open_expected);
    return fit;
}

#endif
