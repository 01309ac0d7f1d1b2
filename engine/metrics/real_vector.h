/* real_vector.h: loops along rows that vector units like, with an order of summation that is fixed
 * (internal). */
#ifndef AGON_REAL_VECTOR_H
#define AGON_REAL_VECTOR_H

#include <math.h>
#include <stddef.h>
#include <string.h>

typedef double agon__quad __attribute__((vector_size(32)));

static inline agon__quad agon__multiply_add(agon__quad a, agon__quad b, agon__quad c) {
    for (int i = 0; i < 4; i++)
        c[i] = fma(a[i], b[i], c[i]);
    return c;
}

static inline agon__quad agon__load(const double* x) {
    agon__quad value;
    memcpy(&value, x, sizeof value);
    return value;
}

#define AGON__LANES 16

/* Partial sums side by side: an order of summation that is fixed, and that vector units like. gcc
 * does not find the vectors in a plain loop. */
static inline double agon__dot(const double* x, const double* y, int n) {
    agon__quad a = {0}, b = {0}, c = {0}, d = {0};
    double sum = 0;
    int i = 0;
    for (; i + AGON__LANES <= n; i += AGON__LANES) {
        a = agon__multiply_add(agon__load(x + i), agon__load(y + i), a);
        b = agon__multiply_add(agon__load(x + i + 4), agon__load(y + i + 4), b);
        c = agon__multiply_add(agon__load(x + i + 8), agon__load(y + i + 8), c);
        d = agon__multiply_add(agon__load(x + i + 12), agon__load(y + i + 12), d);
    }
    for (; i < n; i++)
        sum = fma(x[i], y[i], sum);
    a = (a + b) + (c + d);
    return ((a[0] + a[1]) + (a[2] + a[3])) + sum;
}

/* y += c x */
static inline void agon__add_multiple(double* restrict y, double c, const double* restrict x,
                                      int n) {
    for (int i = 0; i < n; i++)
        y[i] = fma(c, x[i], y[i]);
}

/* (x, y) <- (c x - s y, s x + c y) */
static inline void agon__rotate_rows(double* restrict x, double* restrict y, int n, double c,
                                     double s) {
    for (int i = 0; i < n; i++) {
        const double a = x[i], b = y[i];
        x[i] = c * a - s * b;
        y[i] = s * a + c * b;
    }
}

static inline void agon__swap_rows(double* restrict x, double* restrict y, int n) {
    for (int i = 0; i < n; i++) {
        const double keep = x[i];
        x[i] = y[i];
        y[i] = keep;
    }
}

static inline void agon__fill(double* x, size_t count, double value) {
    for (size_t i = 0; i < count; i++)
        x[i] = value;
}

/* The sign that does not depend on how the vector was found. */
static inline double agon__sign_of(const double* x, int n) {
    int best = 0;
    for (int i = 1; i < n; i++)
        best = fabs(x[i]) > fabs(x[best]) ? i : best;
    return x[best] < 0 ? -1 : 1;
}

static inline void agon__scale(double* x, int n, double by) {
    for (int i = 0; i < n; i++)
        x[i] *= by;
}

/* Rising (sign 1) or falling (-1), with the rows of up to two matrices beside. By selection: few
 * rows move, and O(n^2) is nothing beside the rest. */
static inline void agon__sort_with(double* key, int n, int sign, double* x, int nx, double* y,
                                   int ny) {
    for (int i = 0; i < n; i++) {
        int first = i;
        for (int j = i + 1; j < n; j++)
            first = sign * key[j] < sign * key[first] ? j : first;
        if (first == i)
            continue;
        agon__swap_rows(key + i, key + first, 1);
        if (x)
            agon__swap_rows(x + (size_t)i * nx, x + (size_t)first * nx, nx);
        if (y)
            agon__swap_rows(y + (size_t)i * ny, y + (size_t)first * ny, ny);
    }
}

#endif
