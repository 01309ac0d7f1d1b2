/* real.c: the only door from double-precision code to transcendental functions. */
#include "agents/real.h"

#include <math.h>

/* sleef.h declares its scalar FMA functions only where these say that FMA is fast. */
#ifndef FP_FAST_FMA
#define FP_FAST_FMA 1
#endif
#ifndef FP_FAST_FMAF
#define FP_FAST_FMAF 1
#endif
#include <sleef.h>

double agon_exp(double x) {
    return Sleef_finz_expd1_u10purecfma(x);
}

double agon_log(double x) {
    return Sleef_finz_logd1_u10purecfma(x);
}

double agon_sin(double x) {
    return Sleef_finz_sind1_u10purecfma(x);
}

double agon_cos(double x) {
    return Sleef_finz_cosd1_u10purecfma(x);
}

double agon_pow(double x, double y) {
    return Sleef_finz_powd1_u10purecfma(x, y);
}
