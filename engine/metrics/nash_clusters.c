/* nash_clusters.c: layers of equilibria, and their noise. */
#include "engine/metrics/nash_clusters.h"

#include "engine/metrics/normal_stream.h"
#include "engine/metrics/payoff.h"
#include "engine/metrics/summary.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define SUPPORT 1e-6 /* mass above which an agent is in the support */
#define MARGIN  1e-6 /* of the largest pay-off: what counts as beating */

/* Agents of a game that are not gone, and room for their equilibrium. */
typedef struct peel {
    const double* m; /* (n, n) */
    int n, left;
    double margin;
    int* agent;  /* (n) the first `left` are there */
    double* sub; /* (n, n) their pay-offs */
    double* p;   /* (n) their equilibrium */
} peel;

static int peel_open(peel* s, const double* m, int n) {
    *s = (peel){.m = m, .n = n, .left = n};
    const int code = agon_payoff_check(m, n, &s->margin);
    if (code)
        return code;
    s->margin *= MARGIN;
    s->agent = malloc((size_t)n * sizeof *s->agent);
    s->sub = malloc(((size_t)n * n + n) * sizeof *s->sub);
    if (!s->agent || !s->sub)
        return AGON_EMEMORY;
    s->p = s->sub + (size_t)n * n;
    for (int i = 0; i < n; i++)
        s->agent[i] = i;
    return 0;
}

static void peel_close(peel* s) {
    free(s->agent);
    free(s->sub);
}

static void swap(int* a, int* b) {
    const int keep = *a;
    *a = *b;
    *b = keep;
}

/* Who beats most is in every set that beats the rest. */
static int most_wins(const peel* s) {
    int best = 0, most = -1;
    for (int a = 0; a < s->left; a++) {
        int wins = 0;
        for (int b = 0; b < s->left; b++)
            wins += s->m[s->agent[a] * s->n + s->agent[b]] > s->margin;
        if (wins > most) {
            most = wins;
            best = a;
        }
    }
    return best;
}

/* Moves the smallest set of which everyone beats everyone else to the front; returns its size. */
static int top_set(peel* s) {
    int size = 1;
    swap(&s->agent[0], &s->agent[most_wins(s)]);
    for (int a = 0; a < size; a++) {
        const double* row = s->m + (size_t)s->agent[a] * s->n;
        for (int b = size; b < s->left; b++) {
            if (!(row[s->agent[b]] > s->margin))
                swap(&s->agent[size++], &s->agent[b]);
        }
    }
    return size;
}

/* The equilibrium of those left, in s->p for the first *size of s->agent; all others have mass 0.
 */
static int peel_solve(peel* s, int* size) {
    double residual;
    *size = top_set(s);
    for (int a = 0; a < *size; a++) {
        for (int b = 0; b < *size; b++)
            s->sub[a * *size + b] = s->m[s->agent[a] * s->n + s->agent[b]];
    }
    return agon_payoff_nash(s->sub, *size, s->p, &residual);
}

/* Takes the support away. */
static void peel_take(peel* s, int size, int number, int* level, double* mass) {
    double sum = 0;
    int kept = 0;
    for (int a = 0; a < size; a++)
        sum += s->p[a] > SUPPORT ? s->p[a] : 0;
    for (int a = 0; a < s->left; a++) {
        const int i = s->agent[a];
        if (a < size && s->p[a] > SUPPORT) {
            level[i] = number;
            mass[i] = s->p[a] / sum;
        } else {
            s->agent[kept++] = i;
        }
    }
    s->left = kept;
}

/* level, mass: (n). */
static int peel_all(peel* s, int* level, double* mass, int* levels) {
    int number = 0;
    for (; s->left > 0; number++) {
        int size;
        const int code = peel_solve(s, &size);
        if (code)
            return code;
        peel_take(s, size, number, level, mass);
    }
    *levels = number;
    return 0;
}

int agon_nash_clusters(const double* m, int n, int* level, double* mass, int* levels) {
    assert(m && n >= 1 && level && levels);
    peel s;
    int number = 0, code = peel_open(&s, m, n);
    int* place = malloc((size_t)n * sizeof *place);
    double* share = malloc((size_t)n * sizeof *share);
    if (!code && (!place || !share))
        code = AGON_EMEMORY;
    if (!code)
        code = peel_all(&s, place, share, &number);
    for (int i = 0; !code && i < n; i++) {
        level[i] = place[i];
        if (mass)
            mass[i] = share[i];
    }
    if (!code)
        *levels = number;
    free(place);
    free(share);
    peel_close(&s);
    return code;
}

/* ---- noise --------------------------------------------------------------------------------- */

static int check_errors(const double* se, int n) {
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++) {
            if (!(se[i * n + j] >= 0) || isinf(se[i * n + j]))
                return AGON_EINVALID;
        }
    }
    return 0;
}

static void add_noise(const double* m, const double* se, int n, agon_normal_stream source,
                      double* out) {
    for (int i = 0; i < n; i++) {
        out[i * n + i] = 0;
        for (int j = i + 1; j < n; j++) {
            out[i * n + j] = m[i * n + j] + se[i * n + j] * agon_normal_next(&source);
            out[j * n + i] = -out[i * n + j];
        }
    }
}

/* The mass of every agent in one sample: mass[i * samples]. */
static int solve_sample(const double* noisy, int n, int samples, double* mass) {
    peel s;
    int size = 0, code = peel_open(&s, noisy, n);
    if (!code)
        code = peel_solve(&s, &size);
    for (int a = 0; !code && a < n; a++)
        mass[(size_t)s.agent[a] * samples] = a < size ? s.p[a] : 0;
    peel_close(&s);
    return code;
}

/* mass: (samples), sorted on the way. */
static agon_nash_membership summary_of(double* mass, int samples) {
    int inside = 0;
    for (int k = 0; k < samples; k++)
        inside += mass[k] > SUPPORT;
    const double mean = agon_summary_mean(mass, samples);
    agon_summary_sort(mass, samples);
    return (agon_nash_membership){(double)inside / samples, mean,
                                  agon_summary_quantile(mass, samples, 0.025),
                                  agon_summary_quantile(mass, samples, 0.975)};
}

int agon_nash_membership_sample(const double* m, const double* se, int n, int samples, agon_key key,
                                agon_nash_membership* out) {
    assert(m && se && n >= 1 && samples >= 2 && out);
    double largest;
    double* noisy = malloc(((size_t)n * n + (size_t)n * samples) * sizeof *noisy);
    if (!noisy)
        return AGON_EMEMORY;
    double* mass = noisy + (size_t)n * n;
    int code = check_errors(se, n);
    if (!code)
        code = agon_payoff_check(m, n, &largest);
    for (int k = 0; !code && k < samples; k++) {
        add_noise(m, se, n, (agon_normal_stream){.key = key, .sample = (uint32_t)k}, noisy);
        code = solve_sample(noisy, n, samples, mass + k);
    }
    for (int i = 0; !code && i < n; i++)
        out[i] = summary_of(mass + (size_t)i * samples, samples);
    free(noisy);
    return code;
}
