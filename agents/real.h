/* real.h: elementary functions with the same bytes on every CPU.
 *
 * glibc's exp, log and sin give different last bits with and without FMA, so no result may pass
 * through them. These are SLEEF's deterministic forms (Shibata and Petrogalli 2020), 1.0 ulp. */
#ifndef AGON_REAL_H
#define AGON_REAL_H

double agon_exp(double x);
double agon_log(double x);
double agon_sin(double x);
double agon_cos(double x);
double agon_pow(double x, double y);

#endif
