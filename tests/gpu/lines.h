/* lines.h: what the programs of this folder print: one JSON object a line; README.md has them. */
#ifndef AGON_TESTS_GPU_LINES_H
#define AGON_TESTS_GPU_LINES_H

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Two results, compared. */
typedef struct line_check {
    const char* name;      /* what is compared: "forward logits" */
    const char* precision; /* "fp32" */
    const char* of;        /* the case, in words; fit for JSON */
    double error;          /* the largest |a - b|, over the largest |b|, or as `name` says */
    double limit;          /* 0: byte-equal is asked for */
    int equal;             /* 1: byte-equal */
    long count;            /* numbers compared */
} line_check;

static inline void line_number(double x) {
    if (isfinite(x))
        printf("%.6g", x);
    else
        printf("null");
}

/* Returns 1 when it passed. */
static inline int line_print(const line_check* c) {
    const int passed = c->limit > 0 ? c->equal || c->error <= c->limit : c->equal;
    printf("{\"check\":\"%s\",\"precision\":\"%s\",\"case\":\"%s\",\"passed\":%s,\"error\":",
           c->name, c->precision, c->of, passed ? "true" : "false");
    line_number(c->error);
    printf(",\"limit\":%.6g,\"equal\":%s,\"count\":%ld}\n", c->limit, c->equal ? "true" : "false",
           c->count);
    fflush(stdout);
    return passed;
}

static inline void line_skipped(const char* what, const char* why) {
    printf("{\"skipped\":\"%s\",\"why\":\"%s\"}\n", what, why);
    fflush(stdout);
}

/* The largest |got - want| over the largest |want|; NaN where one of the two is NaN alone. */
static inline double line_error(const float* want, const float* got, size_t count) {
    double most = 0, apart = 0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(want[i]) && isnan(got[i]))
            continue;
        if (want[i] == got[i])
            most = fmax(most, isfinite(want[i]) ? fabs((double)want[i]) : 0.0);
        else if (!isfinite(want[i]) || !isfinite(got[i]))
            return NAN;
        else {
            most = fmax(most, fabs((double)want[i]));
            apart = fmax(apart, fabs((double)got[i] - (double)want[i]));
        }
    }
    return apart == 0 ? 0 : most == 0 ? INFINITY : apart / most;
}

/* ||got - want|| over ||want||: where a unit's slope may be 0 on one side and 1 on the other, the
 * largest difference says how few rows there were. */
static inline double line_norm_error(const float* want, const float* got, size_t count) {
    double apart = 0, all = 0;
    for (size_t i = 0; i < count; i++) {
        const double difference = (double)got[i] - (double)want[i];
        apart += difference * difference;
        all += (double)want[i] * (double)want[i];
    }
    return apart == 0 ? 0 : sqrt(apart / all);
}

/* Byte-equal, but for what a NaN carries and, with `zeros`, the sign of a zero. */
static inline int line_equal(const float* want, const float* got, size_t count, int zeros) {
    for (size_t i = 0; i < count; i++) {
        const int same = memcmp(want + i, got + i, sizeof *want) == 0;
        if (!same && !(isnan(want[i]) && isnan(got[i])) &&
            !(zeros && want[i] == 0.0f && got[i] == 0.0f))
            return 0;
    }
    return 1;
}

#endif
