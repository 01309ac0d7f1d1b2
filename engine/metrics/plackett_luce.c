#include "engine/metrics/plackett_luce.h"

#include "agents/real.h"
#include "engine/metrics/real_matrix.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define STEPS   100
#define HALVING 40
#define LOGIT   (2.302585092994046 / 400) /* of one rating point */

/* One game, best seat first; agents of equal returns stand together. */
typedef struct ranking {
    int count;
    int agent[AGON_TABLE_SEATS];
    float value[AGON_TABLE_SEATS];
} ranking;

typedef struct model {
    const int32_t* agent;
    const float* value;
    int games, seats, n;
    double precision;                             /* of the prior, per squared logit */
    double *x, *trial, *weight, *slope, *hessian; /* (n) ... (n, n) */
} model;

/* ---- games --------------------------------------------------------------------------------- */

static int check(const int32_t* agent, const float* value, int games, int seats, int agents) {
    if (seats > AGON_TABLE_SEATS || agents > AGON_TABLE_AGENTS)
        return AGON_EINVALID;
    for (int64_t i = 0; i < (int64_t)games * seats; i++)
        if (agent[i] < -1 || agent[i] >= agents || (agent[i] >= 0 && !isfinite(value[i])))
            return AGON_EINVALID;
    return 0;
}

/* By insertion: tables are small. */
static ranking rank_game(const model* m, int game) {
    const size_t first = (size_t)game * (size_t)m->seats;
    ranking r = {0};
    for (int s = 0; s < m->seats; s++) {
        int at = r.count;
        if (m->agent[first + (size_t)s] < 0)
            continue;
        for (; at > 0 && r.value[at - 1] < m->value[first + (size_t)s]; at--) {
            r.value[at] = r.value[at - 1];
            r.agent[at] = r.agent[at - 1];
        }
        r.value[at] = m->value[first + (size_t)s];
        r.agent[at] = m->agent[first + (size_t)s];
        r.count++;
    }
    return r;
}

/* ---- the likelihood ------------------------------------------------------------------------ */

/* share * ln(sum over the seats from `first` of scale[s] w) is taken from the likelihood; where
 * there is a slope, from it and from the curvature, too. scale: (count). */
static double take_stage(model* m, const ranking* r, int first, const double* scale, double share,
                         bool slopes) {
    double sum = 0;
    for (int s = first; s < r->count; s++)
        sum += scale[s] * m->weight[r->agent[s]];
    for (int s = first; slopes && s < r->count; s++) {
        const double p = scale[s] * m->weight[r->agent[s]] / sum;
        m->slope[r->agent[s]] -= share * p;
        m->hessian[(size_t)r->agent[s] * (size_t)m->n + (size_t)r->agent[s]] += share * p;
        for (int t = first; t < r->count; t++)
            m->hessian[(size_t)r->agent[s] * (size_t)m->n + (size_t)r->agent[t]] -=
                share * p * (scale[t] * m->weight[r->agent[t]] / sum);
    }
    return share * agon_log(sum);
}

/* Mean over the orders of a group of equals [first, end): before each of its places, every subset
 * of as many of them as have been placed is equally likely to be gone. */
static double take_exact(model* m, const ranking* r, int first, int end, bool slopes) {
    const int size = end - first;
    double scale[AGON_TABLE_SEATS], sum = 0, subsets[AGON_TIE_EXACT + 1] = {1};
    for (int k = 0; k < size; k++) /* binomials */
        subsets[k + 1] = subsets[k] * (size - k) / (k + 1);
    for (unsigned gone = 0; gone + 1 < 1u << size; gone++) {
        for (int s = first; s < r->count; s++)
            scale[s] = s < end && (gone >> (s - first) & 1) ? 0 : 1;
        sum += take_stage(m, r, first, scale, 1 / subsets[__builtin_popcount(gone)], slopes);
    }
    return sum;
}

static double take_efron(model* m, const ranking* r, int first, int end, bool slopes) {
    double scale[AGON_TABLE_SEATS], sum = 0;
    for (int k = 0; k < end - first; k++) {
        for (int s = first; s < r->count; s++)
            scale[s] = s < end ? 1 - (double)k / (end - first) : 1;
        sum += take_stage(m, r, first, scale, 1, slopes);
    }
    return sum;
}

/* The log likelihood of one game. */
static double take_game(model* m, int game, const double* x, bool slopes) {
    const ranking r = rank_game(m, game);
    double sum = 0;
    for (int first = 0, end; first < r.count; first = end) {
        for (end = first + 1; end < r.count && r.value[end] == r.value[first]; end++) {
        }
        for (int s = first; s < end; s++) {
            sum += x[r.agent[s]];
            if (slopes)
                m->slope[r.agent[s]] += 1;
        }
        sum -= end - first <= AGON_TIE_EXACT ? take_exact(m, &r, first, end, slopes)
                                             : take_efron(m, &r, first, end, slopes);
    }
    return sum;
}

/* The posterior's logarithm at logits x; slope and hessian (of its negative) when asked for. */
static double posterior(model* m, const double* x, bool slopes) {
    double sum = 0;
    for (int i = 0; i < m->n; i++)
        m->weight[i] = agon_exp(x[i]);
    if (slopes) {
        memset(m->slope, 0, (size_t)m->n * sizeof *m->slope);
        memset(m->hessian, 0, (size_t)m->n * (size_t)m->n * sizeof *m->hessian);
    }
    for (int g = 0; g < m->games; g++)
        sum += take_game(m, g, x, slopes);
    for (int i = 0; i < m->n; i++) {
        sum -= m->precision * x[i] * x[i] / 2;
        if (!slopes)
            continue;
        m->slope[i] -= m->precision * x[i];
        m->hessian[(size_t)i * (size_t)m->n + (size_t)i] += m->precision;
    }
    return sum;
}

/* ---- the maximum --------------------------------------------------------------------------- */

/* Largest change of a logit, 0: no further; -1: failed. */
static double step(model* m) {
    const double before = posterior(m, m->x, true);
    double largest = 0, length = 1;
    if (agon_matrix_solve(m->hessian, m->slope, m->n) != 0)
        return -1;
    for (int i = 0; i < m->n; i++)
        largest = fmax(largest, fabs(m->slope[i]));
    for (int k = 0; k < HALVING; k++, length *= 0.5) {
        for (int i = 0; i < m->n; i++)
            m->trial[i] = m->x[i] + length * m->slope[i];
        /* A full step this short is below what rounding can judge. */
        if (largest < 1e-6 || posterior(m, m->trial, false) > before) {
            memcpy(m->x, m->trial, (size_t)m->n * sizeof *m->x);
            return length * largest;
        }
    }
    return 0;
}

static int maximise(model* m) {
    for (int k = 0; k < STEPS; k++) {
        const double moved = step(m);
        if (!(moved >= 0))
            return AGON_EINVALID;
        if (moved < 1e-11)
            return 0;
    }
    return AGON_EINVALID;
}

/* Of differences to the mean: what all have in common is known from the prior alone. */
static int find_errors(model* m, double* error) {
    const int n = m->n;
    double all = 0;
    posterior(m, m->x, true);
    if (agon_matrix_invert(m->hessian, n) != 0)
        return AGON_EINVALID;
    for (int i = 0; i < n * n; i++)
        all += m->hessian[i] / ((double)n * n);
    for (int i = 0; i < n; i++) {
        double row = 0;
        for (int j = 0; j < n; j++)
            row += m->hessian[i * n + j] / n;
        error[i] = sqrt(fmax(m->hessian[i * n + i] - 2 * row + all, 0)) / LOGIT;
    }
    return 0;
}

int agon_plackett_luce(const int32_t* agent, const float* value, int games, int seats, int agents,
                       double prior_sd, double* rating, double* error) {
    assert(agent && value && rating && games >= 0 && seats >= 1 && agents >= 1 && prior_sd > 0);
    if (check(agent, value, games, seats, agents))
        return AGON_EINVALID;
    const size_t n = (size_t)agents;
    double* block = calloc(5 * n + n * n, sizeof *block);
    if (!block)
        return AGON_EMEMORY;
    model m = {agent,         value,        games,
               seats,         agents,       1 / (LOGIT * LOGIT * prior_sd * prior_sd),
               block,         block + n,    block + 2 * n,
               block + 3 * n, block + 5 * n};
    double* found = block + 4 * n;
    int rc = maximise(&m);
    if (!rc)
        rc = find_errors(&m, found);
    for (int i = 0; !rc && i < agents; i++) {
        rating[i] = m.x[i] / LOGIT;
        if (error)
            error[i] = found[i];
    }
    free(block);
    return rc;
}

/* ---- returns ------------------------------------------------------------------------------- */

/* Mean return of the seats of a game, and how many are held. */
static double mean_of_game(const int32_t* agent, const float* value, int seats, int* held) {
    double sum = 0;
    *held = 0;
    for (int s = 0; s < seats; s++) {
        if (agent[s] < 0)
            continue;
        sum += (double)value[s];
        (*held)++;
    }
    return *held ? sum / *held : 0;
}

int agon_table_returns(const int32_t* agent, const float* value, int games, int seats, int agents,
                       double* own, double* social, double* count) {
    assert(agent && value && own && social && count && games >= 0 && seats >= 1 && agents >= 1);
    if (check(agent, value, games, seats, agents))
        return AGON_EINVALID;
    for (int i = 0; i < agents; i++)
        own[i] = social[i] = count[i] = 0;
    for (int g = 0; g < games; g++) {
        const size_t at = (size_t)g * (size_t)seats;
        int held;
        const double mean = mean_of_game(agent + at, value + at, seats, &held);
        for (int s = 0; s < seats; s++) {
            const int i = agent[at + (size_t)s];
            if (i < 0)
                continue;
            own[i] += (double)value[at + (size_t)s];
            social[i] += mean;
            count[i]++;
        }
    }
    for (int i = 0; i < agents; i++) {
        own[i] = count[i] > 0 ? own[i] / count[i] : NAN;
        social[i] = count[i] > 0 ? social[i] / count[i] : NAN;
    }
    return 0;
}

int agon_table_social(const int32_t* agent, const float* value, int games, int seats, double* mean,
                      double* spread) {
    assert(agent && value && mean && spread && games >= 1 && seats >= 1);
    double sum = 0, deviations = 0, all = 0;
    int known = 0;
    if (check(agent, value, games, seats, AGON_TABLE_AGENTS))
        return AGON_EINVALID;
    for (int g = 0; g < games; g++) {
        const size_t at = (size_t)g * (size_t)seats;
        int held;
        double squares = 0;
        const double middle = mean_of_game(agent + at, value + at, seats, &held);
        for (int s = 0; s < seats; s++) {
            const double gap = (double)value[at + (size_t)s] - middle;
            squares += agent[at + (size_t)s] < 0 ? 0 : gap * gap;
        }
        sum += middle * held;
        all += held;
        deviations += held ? sqrt(squares / held) : 0;
        known += held > 0;
    }
    *mean = all > 0 ? sum / all : NAN;
    *spread = known ? deviations / known : NAN;
    return 0;
}
