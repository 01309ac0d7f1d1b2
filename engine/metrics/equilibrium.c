/* equilibrium.c: the path of regularised equilibria. */
#include "engine/metrics/equilibrium.h"

#include "agents/real.h"
#include "engine/metrics/real_matrix.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TAU_FIRST      1.0
#define TAU_USUAL      1e-8  /* where to stop when the residual is small by then */
#define TAU_LAST       1e-10 /* beyond, rounding of M p / tau drowns the answer */
#define NEWTON_STEPS   200
#define NEWTON_HALVING 30
#define FACTOR_LAST    0.9995 /* steps of tau shorter than this give up */

/* One block of doubles, cut into pieces. */
typedef struct solver {
    int n, split;
    double level[2];  /* of the gains of either player; what z leaves out */
    const double* m;  /* (n, n) */
    double* jacobian; /* (n, n) */
    double* z;        /* (n) logits of the point reached */
    double* p;        /* (n) softmax(z) */
    double* gain;     /* (n) M p */
    double* step;     /* (n) F, then Newton's step */
    double* trial;    /* (n) logits tried */
    double* kept;     /* (n) logits at the last tau that was solved */
    double* earlier;  /* (n) p at the tau before */
    double* answer;   /* (n) best distributions so far */
} solver;

static void solver_layout(solver* s, double* block) {
    const int n = s->n;
    s->jacobian = block;
    s->z = s->jacobian + (size_t)n * n;
    s->p = s->z + n;
    s->gain = s->p + n;
    s->step = s->gain + n;
    s->trial = s->step + n;
    s->kept = s->trial + n;
    s->earlier = s->kept + n;
    s->answer = s->earlier + n;
}

static void softmax(const double* z, int n, double* p) {
    double top = z[0], sum = 0;
    for (int i = 1; i < n; i++)
        top = z[i] > top ? z[i] : top;
    for (int i = 0; i < n; i++) {
        p[i] = agon_exp(z[i] - top);
        sum += p[i];
    }
    for (int i = 0; i < n; i++)
        p[i] /= sum;
}

static void policies(const solver* s, const double* z, double* p) {
    softmax(z, s->split, p);
    if (s->split < s->n)
        softmax(z + s->split, s->n - s->split, p + s->split);
}

static double largest_of(const double* x, int n) {
    double best = -INFINITY;
    for (int i = 0; i < n; i++)
        best = x[i] > best ? x[i] : best;
    return best;
}

/* s->gain = M p; returns what best responses gain (p' M p = 0: what one side has the other lacks).
 */
static double gains(solver* s, const double* p) {
    const int n = s->n;
    for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int j = 0; j < n; j++)
            sum += s->m[i * n + j] * p[j];
        s->gain[i] = sum;
    }
    const double best = largest_of(s->gain, s->split);
    return s->split == n ? best : best + largest_of(s->gain + s->split, n - s->split);
}

/* F = z - (M softmax(z) - level) / tau into s->step, at logits z; returns max |F|. */
static double defect(solver* s, const double* z, double tau) {
    double worst = 0;
    policies(s, z, s->p);
    gains(s, s->p);
    for (int i = 0; i < s->n; i++) {
        s->step[i] = z[i] - (s->gain[i] - s->level[i >= s->split]) / tau;
        if (!(fabs(s->step[i]) <= worst))
            worst = fabs(s->step[i]);
    }
    return worst;
}

/* The part of (M p)_i that the player of strategy j answers for. */
static double gain_from(const solver* s, int i, int j) {
    return s->split == s->n || (i < s->split) != (j < s->split) ? s->gain[i] : 0;
}

/* s->step: from F to J^-1 F with J = I - M D / tau, D = diag p - p p' of each player. J is never
 * singular: M times a positive semidefinite matrix has eigenvalues on the imaginary axis. */
static int newton_direction(solver* s, double tau) {
    const int n = s->n;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            s->jacobian[i * n + j] =
                (i == j) - (s->m[i * n + j] - gain_from(s, i, j)) * (s->p[j] / tau);
    }
    return agon_matrix_solve(s->jacobian, s->step, n);
}

/* Moves z along -step by the largest power of 1/2 that makes the defect smaller; returns the new
 * defect, with F in s->step, or -1 when none does. */
static double damped_step(solver* s, double tau, double before) {
    double length = 1;
    double* direction = s->jacobian; /* free after the solve */
    memcpy(direction, s->step, (size_t)s->n * sizeof *direction);
    for (int k = 0; k < NEWTON_HALVING; k++, length *= 0.5) {
        for (int i = 0; i < s->n; i++)
            s->trial[i] = s->z[i] - length * direction[i];
        double after = defect(s, s->trial, tau);
        if (after < before * (1 - 1e-3 * length)) {
            memcpy(s->z, s->trial, (size_t)s->n * sizeof *s->z);
            return after;
        }
    }
    return -1;
}

/* The value of a game of two players is not 0: logits value / tau would drown their differences.
 * Softmax does not see a level, so the one of the last point is taken out. */
static void set_levels(solver* s) {
    if (s->split == s->n)
        return;
    policies(s, s->z, s->p);
    gains(s, s->p);
    s->level[0] = s->level[1] = 0;
    for (int i = 0; i < s->n; i++)
        s->level[i >= s->split] += s->p[i] * s->gain[i];
}

/* Solves F(z) = 0 at tau from the current z. Returns 0, with p and gain of the solution, or -1. */
static int solve_at(solver* s, double tau) {
    const double enough = 1e-13 + 1e-15 / tau; /* about the rounding of M p / tau */
    set_levels(s);
    double size = defect(s, s->z, tau);
    for (int k = 0; k < NEWTON_STEPS && size > enough; k++) {
        if (newton_direction(s, tau) != 0)
            return -1;
        double after = damped_step(s, tau, size);
        if (after < 0)
            break;
        size = after;
    }
    if (!(size <= 10 * enough))
        return -1;
    defect(s, s->z, tau);
    return 0;
}

/* x = max(x, 0) scaled to add up to 1. */
static void normalise(double* x, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        x[i] = x[i] > 0 ? x[i] : 0;
        sum += x[i];
    }
    for (int i = 0; i < n; i++)
        x[i] /= sum;
}

/* p is smooth in tau near 0: the line through the last two points meets tau = 0 with an error of
 * order tau^2. Returns the residual of the better of this point (put into s->answer) and p. */
static double extrapolate(solver* s, double tau, double tau_before) {
    const double slope = tau / (tau_before - tau);
    for (int i = 0; i < s->n; i++)
        s->answer[i] = s->p[i] + slope * (s->p[i] - s->earlier[i]);
    normalise(s->answer, s->split);
    if (s->split < s->n)
        normalise(s->answer + s->split, s->n - s->split);
    double plain = gains(s, s->p);
    double better = gains(s, s->answer);
    if (better <= plain)
        return better;
    memcpy(s->answer, s->p, (size_t)s->n * sizeof *s->p);
    return plain;
}

/* Follows the path of regularised equilibria towards tau = 0; the answer is left in s->answer. A
 * step of tau that Newton cannot follow is tried again at half its length, in logarithms; when
 * even tiny ones fail the last point is the answer. */
static void follow_path(solver* s) {
    const size_t bytes = (size_t)s->n * sizeof(double);
    double tau = TAU_FIRST, factor = 0.5, residual = INFINITY;
    if (solve_at(s, tau) != 0) /* cannot happen at tau = 1, but uniform is a distribution too */
        memset(s->z, 0, bytes);
    policies(s, s->z, s->p);
    memcpy(s->answer, s->p, bytes);
    while (tau > TAU_LAST && factor < FACTOR_LAST && !(tau <= TAU_USUAL && residual <= 1e-10)) {
        memcpy(s->kept, s->z, bytes);
        memcpy(s->earlier, s->p, bytes);
        if (solve_at(s, tau * factor) == 0) {
            residual = extrapolate(s, tau * factor, tau);
            tau *= factor;
            factor = factor * factor < 0.5 ? 0.5 : factor * factor;
        } else {
            memcpy(s->z, s->kept, bytes);
            memcpy(s->p, s->earlier, bytes);
            factor = sqrt(factor);
        }
    }
}

int agon_equilibrium_follow(const double* m, int n, int split, double* p, double* gain) {
    assert(m && p && gain && split >= 1 && split <= n);
    double* block = calloc((size_t)n * n + 8 * (size_t)n, sizeof *block);
    if (!block)
        return AGON_EMEMORY;
    solver s = {.n = n, .split = split, .m = m};
    solver_layout(&s, block);
    follow_path(&s);
    memcpy(p, s.answer, (size_t)n * sizeof *p);
    *gain = gains(&s, p);
    free(block);
    return 0;
}
