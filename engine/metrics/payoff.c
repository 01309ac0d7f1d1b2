/* payoff.c: maximum-entropy Nash equilibrium, Hodge split and its null model. */
#include "engine/metrics/payoff.h"

#include "agents/real.h"
#include "engine/metrics/normals.h"
#include "engine/metrics/real_matrix.h"
#include "engine/metrics/summary.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- checks -------------------------------------------------------------------------------- */

/* Largest |entry|; NaN or infinity when one is not finite. */
static double largest_entry(const double* m, int n) {
    double largest = 0;
    for (int i = 0; i < n * n; i++) {
        if (!isfinite(m[i]))
            return NAN;
        largest = fabs(m[i]) > largest ? fabs(m[i]) : largest;
    }
    return largest;
}

static int check(const double* m, int n, double* largest) {
    assert(m && n >= 1);
    *largest = largest_entry(m, n);
    if (!isfinite(*largest))
        return AGON_EINVALID;
    for (int i = 0; i < n; i++) {
        for (int j = i; j < n; j++) {
            if (fabs(m[i * n + j] + m[j * n + i]) > 1e-9 * *largest)
                return AGON_EINVALID;
        }
    }
    return 0;
}

/* ---- Nash equilibrium ---------------------------------------------------------------------- */

#define TAU_FIRST      1.0
#define TAU_USUAL      1e-8  /* where to stop when the residual is small by then */
#define TAU_LAST       1e-10 /* beyond, rounding of M p / tau drowns the answer */
#define NEWTON_STEPS   200
#define NEWTON_HALVING 30
#define FACTOR_LAST    0.9995 /* steps of tau shorter than this give up */

/* One block of doubles, cut into pieces. */
typedef struct solver {
    int n;
    double* m;        /* (n, n) scaled to largest entry 1 */
    double* jacobian; /* (n, n) */
    double* z;        /* (n) logits of the point reached */
    double* p;        /* (n) softmax(z) */
    double* gain;     /* (n) M p */
    double* step;     /* (n) F, then Newton's step */
    double* trial;    /* (n) logits tried */
    double* kept;     /* (n) logits at the last tau that was solved */
    double* earlier;  /* (n) p at the tau before */
    double* answer;   /* (n) best distribution so far */
} solver;

static void solver_layout(solver* s, double* block, int n) {
    s->n = n;
    s->m = block;
    s->jacobian = s->m + (size_t)n * n;
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

/* gain = M p; returns the largest. */
static double gains(const double* m, const double* p, int n, double* gain) {
    double best = -INFINITY;
    for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int j = 0; j < n; j++)
            sum += m[i * n + j] * p[j];
        gain[i] = sum;
        best = sum > best ? sum : best;
    }
    return best;
}

/* F = z - M softmax(z) / tau into s->step, at logits z; returns max |F|. */
static double defect(solver* s, const double* z, double tau) {
    double worst = 0;
    softmax(z, s->n, s->p);
    gains(s->m, s->p, s->n, s->gain);
    for (int i = 0; i < s->n; i++) {
        s->step[i] = z[i] - s->gain[i] / tau;
        if (!(fabs(s->step[i]) <= worst))
            worst = fabs(s->step[i]);
    }
    return worst;
}

/* s->step: from F to J^-1 F with J = I - M (diag p - p p') / tau. J is never singular: M times a
 * positive semidefinite matrix has eigenvalues on the imaginary axis. */
static int newton_direction(solver* s, double tau) {
    const int n = s->n;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            s->jacobian[i * n + j] = (i == j) - (s->m[i * n + j] - s->gain[i]) * (s->p[j] / tau);
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

/* Solves F(z) = 0 at tau from the current z. Returns 0, with p and gain of the solution, or -1. */
static int solve_at(solver* s, double tau) {
    const double enough = 1e-13 + 1e-15 / tau; /* about the rounding of M p / tau */
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

/* p is smooth in tau near 0: the line through the last two points meets tau = 0 with an error of
 * order tau^2. Returns the residual of the better of this point (put into s->answer) and p. */
static double extrapolate(solver* s, double tau, double tau_before) {
    const double slope = tau / (tau_before - tau);
    double sum = 0;
    for (int i = 0; i < s->n; i++) {
        double x = s->p[i] + slope * (s->p[i] - s->earlier[i]);
        s->answer[i] = x > 0 ? x : 0;
        sum += s->answer[i];
    }
    for (int i = 0; i < s->n; i++)
        s->answer[i] /= sum;
    double plain = gains(s->m, s->p, s->n, s->gain);
    double better = gains(s->m, s->answer, s->n, s->gain);
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
    softmax(s->z, s->n, s->p);
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

int agon_payoff_nash(const double* m, int n, double* p, double* residual) {
    assert(p && residual);
    double largest;
    int code = check(m, n, &largest);
    if (code)
        return code;
    double* block = calloc(2 * (size_t)n * n + 8 * (size_t)n, sizeof *block);
    if (!block)
        return AGON_EMEMORY;
    solver s;
    solver_layout(&s, block, n);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) /* exactly antisymmetric, which the method rests on */
            s.m[i * n + j] =
                largest > 0 ? 0.5 * (m[i * n + j] / largest - m[j * n + i] / largest) : 0;
    }
    follow_path(&s);
    memcpy(p, s.answer, (size_t)n * sizeof *p);
    *residual = largest * gains(s.m, p, n, s.gain);
    free(block);
    return 0;
}

/* ---- numbers of an equilibrium ------------------------------------------------------------- */

double agon_payoff_entropy(const double* p, int n) {
    assert(p && n >= 1);
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum -= p[i] > 0 ? p[i] * agon_log(p[i]) : 0;
    return sum > 0 ? sum : 0;
}

double agon_payoff_effective_diversity(const double* m, const double* p, int n) {
    assert(m && p && n >= 1);
    double sum = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            sum += m[i * n + j] > 0 ? p[i] * m[i * n + j] * p[j] : 0;
    }
    return sum;
}

/* ---- transitive and cyclic part ------------------------------------------------------------ */

typedef struct split {
    double total, transitive, cyclic; /* |M|^2 = |T|^2 + |C|^2, orthogonal */
} split;

/* |T|^2 of T_ij = f_i - f_j; the f of an antisymmetric M add up to 0 but for rounding. */
static double transitive_energy(const double* f, int n) {
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++) {
        sum += f[i];
        squares += f[i] * f[i];
    }
    return 2 * (n * squares - sum * sum);
}

/* Written so that NaN passes through. */
static split split_of(double total, double transitive) {
    split e = {total, transitive, total - transitive};
    if (e.cyclic < 0)
        e.cyclic = 0;
    return e;
}

static double fraction(split e) {
    return e.total == 0 ? 0 : e.cyclic / e.total;
}

static double mean_gain(const double* row, int n) {
    double sum = 0;
    for (int j = 0; j < n; j++)
        sum += row[j];
    return sum / n;
}

static split split_matrix(const double* m, int n) {
    double total = 0, sum = 0, squares = 0;
    for (int i = 0; i < n; i++) {
        double f = mean_gain(m + (size_t)i * n, n);
        sum += f;
        squares += f * f;
        for (int j = 0; j < n; j++)
            total += m[i * n + j] * m[i * n + j];
    }
    return split_of(total, 2 * (n * squares - sum * sum));
}

double agon_payoff_cyclic_fraction(const double* m, int n, double* f) {
    assert(m && n >= 1);
    for (int i = 0; f && i < n; i++)
        f[i] = mean_gain(m + (size_t)i * n, n);
    return fraction(split_matrix(m, n));
}

/* ---- null model ---------------------------------------------------------------------------- */

/* Arrays of a null model, in one block. */
typedef struct null_model {
    int n, samples;
    const double* se;
    double* t;      /* (n) transitive strengths of the null */
    double* f;      /* (n) of one matrix T + noise */
    double* g;      /* (n) of its noise alone */
    double* share;  /* (samples) cyclic fraction of T + noise */
    double* cyclic; /* (samples) |C|^2 of the noise alone */
    double* total;  /* (samples) |noise|^2 */
} null_model;

static void draw_sample(null_model* null, int sample, agon_key key) {
    const int n = null->n;
    agon_normals source = {.key = key, .sample = (uint32_t)sample};
    double total = 0, noise = 0;
    for (int i = 0; i < n; i++)
        null->f[i] = null->g[i] = 0;
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++) {
            double e = null->se[i * n + j] * agon_normal_next(&source);
            double x = null->t[i] - null->t[j] + e;
            total += 2 * x * x;
            noise += 2 * e * e;
            null->f[i] += x / n;
            null->f[j] -= x / n;
            null->g[i] += e / n;
            null->g[j] -= e / n;
        }
    }
    null->share[sample] = fraction(split_of(total, transitive_energy(null->f, n)));
    null->cyclic[sample] = split_of(noise, transitive_energy(null->g, n)).cyclic;
    null->total[sample] = noise;
}

/* Expected energy of the noise; NaN when a standard error is not a finite number >= 0. */
static double noise_energy(const double* se, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++) {
            if (!(se[i * n + j] >= 0) || isinf(se[i * n + j]))
                return NAN;
            sum += 2 * se[i * n + j] * se[i * n + j];
        }
    }
    return sum;
}

/* The noise adds 2/n of its energy to |T|^2: without taking it out, T + new noise would be more
 * transitive than M ever was, and plain noise would pass for cycles. */
static void shrunk_strengths(null_model* null, const double* m, split measured, double noise) {
    double own = measured.transitive - 2 * noise / null->n;
    double scale = own > 0 ? sqrt(own / measured.transitive) : 0;
    for (int i = 0; i < null->n; i++)
        null->t[i] = scale * mean_gain(m + (size_t)i * null->n, null->n);
}

static int significant(null_model* null, split measured, double high) {
    const double rounding = 1e-12 * measured.total;
    agon_summary_sort(null->cyclic, null->samples);
    agon_summary_sort(null->total, null->samples);
    double cyclic = agon_summary_quantile(null->cyclic, null->samples, 0.975);
    double total = agon_summary_quantile(null->total, null->samples, 0.975);
    return fraction(measured) > high && measured.cyclic > cyclic + rounding &&
           measured.total > total;
}

int agon_payoff_cyclic_null(const double* m, const double* se, int n, int samples, agon_key key,
                            agon_cyclic_null* out) {
    assert(se && out && samples >= 2);
    double largest;
    int code = check(m, n, &largest);
    double noise = noise_energy(se, n);
    if (code || isnan(noise))
        return AGON_EINVALID;
    double* block = malloc(3 * ((size_t)n + samples) * sizeof *block);
    if (!block)
        return AGON_EMEMORY;
    double* per_sample = block + 3 * (size_t)n;
    null_model null = {n,
                       samples,
                       se,
                       block,
                       block + n,
                       block + 2 * (size_t)n,
                       per_sample,
                       per_sample + samples,
                       per_sample + 2 * (size_t)samples};
    split measured = split_matrix(m, n);
    shrunk_strengths(&null, m, measured, noise);
    for (int i = 0; i < samples; i++)
        draw_sample(&null, i, key);
    agon_summary_sort(null.share, samples);
    out->mean = agon_summary_mean(null.share, samples);
    out->low = agon_summary_quantile(null.share, samples, 0.025);
    out->high = agon_summary_quantile(null.share, samples, 0.975);
    out->noise_share = noise > 0 ? noise / measured.total : 0;
    out->exceeds = significant(&null, measured, out->high);
    free(block);
    return 0;
}
