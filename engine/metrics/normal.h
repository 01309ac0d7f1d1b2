/* normal.h: the normal distribution with the same bytes on every CPU.
 *
 * libm's erfc differs between versions and CPUs, so here is one over agents/real.h. NaN gives NaN.
 * None of these allocates or fails. */
#ifndef AGON_NORMAL_H
#define AGON_NORMAL_H

/* erfc(x) = 2 / sqrt(pi) * integral from x to infinity of exp(-t^2), in [0, 2]. Relative error
 * below 3e-14 up to x = 26, where the result leaves the normal range of double; 0 beyond 27.3.
 * Series of positive terms below 1.5, continued fraction above (Abramowitz and Stegun 1964, 7.1.6
 * and 7.1.14). */
double agon_normal_erfc(double x);

/* exp(x^2) erfc(x): what is left of a tail without the factor that underflows. Relative error below
 * 3e-14; INFINITY below about -26.6. */
double agon_normal_erfcx(double x);

/* Density exp(-x^2 / 2) / sqrt(2 pi), distribution P(X <= x) in [0, 1]. Relative error 2e-14, and
 * x^2 * 2e-16 from the rounding of x / sqrt(2). */
double agon_normal_density(double x);
double agon_normal_cdf(double x);

/* The x with P(X <= x) = p, p in [0, 1] (-INFINITY and INFINITY at the ends; NaN outside). By
 * bisection of agon_normal_cdf: good to its last digits, about 10 us. */
double agon_normal_quantile(double p);

/* density(x) / cdf(x): the mean by which x beats what it was cut off at. About -x far below 0,
 * where both underflow. Decreasing, > 0. */
double agon_normal_hazard(double x);

#endif
