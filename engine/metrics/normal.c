/* normal.c: erfc by series and continued fraction, and what follows from it. */
#include "engine/metrics/normal.h"

#include "agents/real.h"

#include <math.h>

#define SQRT_HALF       0.70710678118654752440
#define INV_SQRT_PI     0.56418958354775628695
#define INV_SQRT_TWO_PI 0.39894228040143267794

#define SWITCH         1.5 /* 1 - series below, which cancels; fraction above */
#define FRACTION_TERMS 80  /* enough for 1e-17 at SWITCH, more than enough beyond */

/* exp(-x^2): the rounding of x^2 would cost x^2 ulps. */
static double gauss(double x) {
    double square = x * x;
    if (square > 750)
        return 0;
    return agon_exp(-square) * (1 - fma(x, x, -square));
}

/* erf(x) exp(x^2) = 2 x / sqrt(pi) * sum_k (2 x^2)^k / (2k + 1)!!: no term is negative. */
static double scaled_erf(double x) {
    double term = 2 * INV_SQRT_PI * x, sum = term;
    for (int k = 1; fabs(term) > 1e-18 * fabs(sum); k++) {
        term *= 2 * x * x / (2 * k + 1);
        sum += term;
    }
    return sum;
}

/* erfc(x) exp(x^2) = 1 / sqrt(pi) / (x + 1/2 / (x + 2/2 / (x + 3/2 / ...))), x >= SWITCH. */
static double fraction(double x) {
    double below = x;
    for (int k = FRACTION_TERMS; k >= 1; k--)
        below = x + 0.5 * k / below;
    return INV_SQRT_PI / below;
}

double agon_normal_erfc(double x) {
    if (isnan(x))
        return x;
    if (x >= SWITCH)
        return gauss(x) * (isinf(x) ? 0 : fraction(x));
    if (x <= -SWITCH)
        return 2 - agon_normal_erfc(-x);
    return 1 - gauss(x) * scaled_erf(x);
}

double agon_normal_erfcx(double x) {
    if (isnan(x))
        return x;
    if (x >= SWITCH)
        return fraction(x);
    return agon_normal_erfc(x) / gauss(x);
}

double agon_normal_density(double x) {
    return INV_SQRT_TWO_PI * gauss(SQRT_HALF * x);
}

double agon_normal_cdf(double x) {
    return 0.5 * agon_normal_erfc(-SQRT_HALF * x);
}

double agon_normal_quantile(double p) {
    if (!(p >= 0 && p <= 1))
        return NAN;
    if (p == 0 || p == 1)
        return p == 0 ? -INFINITY : INFINITY;
    if (p == 0.5)
        return 0;
    if (p > 0.5)
        return -agon_normal_quantile(1 - p);
    double low = -40, high = 0;
    for (double middle = -20; middle > low && middle < high; middle = 0.5 * (low + high)) {
        if (agon_normal_cdf(middle) < p)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double agon_normal_hazard(double x) {
    return 2 * INV_SQRT_TWO_PI / agon_normal_erfcx(-SQRT_HALF * x);
}
