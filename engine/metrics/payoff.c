/* payoff.c: maximum-entropy Nash equilibrium, Hodge split and its null model. */
#include "engine/metrics/payoff.h"

#include "agents/real.h"
#include "engine/metrics/equilibrium.h"
#include "engine/metrics/normal_stream.h"
#include "engine/metrics/summary.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

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

int agon_payoff_check(const double* m, int n, double* largest) {
    assert(m && n >= 1 && largest);
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

int agon_payoff_nash(const double* m, int n, double* p, double* residual) {
    assert(p && residual);
    double largest, gain;
    int code = agon_payoff_check(m, n, &largest);
    if (code)
        return code;
    double* scaled = malloc((size_t)n * n * sizeof *scaled);
    if (!scaled)
        return AGON_EMEMORY;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) /* exactly antisymmetric, which the method rests on */
            scaled[i * n + j] =
                largest > 0 ? 0.5 * (m[i * n + j] / largest - m[j * n + i] / largest) : 0;
    }
    code = agon_equilibrium_follow(scaled, n, n, p, &gain);
    free(scaled);
    if (!code)
        *residual = largest * gain;
    return code;
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
    agon_normal_stream source = {.key = key, .sample = (uint32_t)sample};
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
    int code = agon_payoff_check(m, n, &largest);
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
