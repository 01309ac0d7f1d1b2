/* rating.c: Bradley-Terry by Newton's method. */
#include "engine/metrics/rating.h"

#include "agents/real.h"
#include "engine/metrics/real_matrix.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOGIT_PER_POINT 0.005756462732485115 /* ln 10 / 400 */
#define NEWTON_STEPS    200
#define NEWTON_HALVING  40

double agon_rating_expected(double difference) {
    return 1 / (1 + agon_exp(-LOGIT_PER_POINT * difference));
}

/* The model in logits: x = LOGIT_PER_POINT * R, so that all quantities are of size 1. */
typedef struct model {
    int n;
    const double* wins;
    double precision; /* of the prior, per logit^2; 0: none */
    double* x;        /* (n) */
    double* trial;    /* (n) */
    double* step;     /* (n) gradient, then Newton's step */
    double* hessian;  /* (n, n) of the negative log posterior; then scratch of the solve */
} model;

static double logistic(double x) {
    return 1 / (1 + agon_exp(-x));
}

/* -ln logistic(x), without overflow. */
static double log_loss(double x) {
    return x > 0 ? agon_log(1 + agon_exp(-x)) : agon_log(1 + agon_exp(x)) - x;
}

/* Negative log posterior, up to a constant. */
static double cost(const model* m, const double* x) {
    double sum = 0;
    for (int i = 0; i < m->n; i++) {
        for (int j = 0; j < m->n; j++) {
            if (i != j && m->wins[i * m->n + j] > 0)
                sum += m->wins[i * m->n + j] * log_loss(x[i] - x[j]);
        }
        sum += 0.5 * m->precision * x[i] * x[i];
    }
    return sum;
}

/* Without a prior the cost does not change along (1, ..., 1) and the Hessian is singular there. A
 * constant added to every entry gives that direction the mean curvature and changes no step of mean
 * 0; it is taken out of the covariance again. */
static double lift(const model* m) {
    if (m->precision > 0)
        return 0;
    double trace = 0;
    for (int i = 0; i < m->n; i++)
        trace += m->hessian[i * m->n + i];
    return trace / m->n / m->n;
}

/* Gradient into step, Hessian into hessian; returns what was added to every entry of it. */
static double derivatives(model* m) {
    const int n = m->n;
    for (int i = 0; i < n; i++) {
        double slope = m->precision * m->x[i], curvature = m->precision;
        for (int j = 0; j < n; j++) {
            if (i == j)
                continue;
            double games = m->wins[i * n + j] + m->wins[j * n + i];
            double expected = logistic(m->x[i] - m->x[j]);
            double weight = games * expected * logistic(m->x[j] - m->x[i]);
            slope += games * expected - m->wins[i * n + j];
            curvature += weight;
            m->hessian[i * n + j] = -weight;
        }
        m->step[i] = slope;
        m->hessian[i * n + i] = curvature;
    }
    double added = lift(m);
    for (int k = 0; added > 0 && k < n * n; k++)
        m->hessian[k] += added;
    return added;
}

/* One damped step. Returns the largest change of a logit (0: the cost falls no further), or -1. */
static double newton_step(model* m) {
    double before = cost(m, m->x), length = 1, largest = 0;
    derivatives(m);
    if (agon_matrix_solve(m->hessian, m->step, m->n) != 0)
        return -1;
    for (int i = 0; i < m->n; i++)
        largest = fabs(m->step[i]) > largest ? fabs(m->step[i]) : largest;
    if (!isfinite(largest))
        return -1;
    for (int k = 0; k < NEWTON_HALVING; k++, length *= 0.5) {
        for (int i = 0; i < m->n; i++)
            m->trial[i] = m->x[i] - length * m->step[i];
        /* A full step this short is below what the rounding of the cost can judge. */
        if (cost(m, m->trial) < before || largest < 1e-6) {
            memcpy(m->x, m->trial, (size_t)m->n * sizeof *m->x);
            return length * largest;
        }
    }
    return 0;
}

static int maximise(model* m) {
    for (int k = 0; k < NEWTON_STEPS; k++) {
        double moved = newton_step(m);
        if (moved < 0)
            return AGON_EINVALID;
        if (moved < 1e-11)
            return 0;
    }
    return AGON_EINVALID;
}

/* ---- existence ----------------------------------------------------------------------------- */

/* Agents reached from agent 0 along wins (or, backward, along losses). queue, seen: scratch (n). */
static int reached(const double* wins, int n, int backward, int* queue, int* seen) {
    int count = 1;
    memset(seen, 0, (size_t)n * sizeof *seen);
    queue[0] = 0;
    seen[0] = 1;
    for (int head = 0; head < count; head++) {
        int i = queue[head];
        for (int j = 0; j < n; j++) {
            double won = backward ? wins[j * n + i] : wins[i * n + j];
            if (!seen[j] && won > 0) {
                seen[j] = 1;
                queue[count++] = j;
            }
        }
    }
    return count;
}

static int check(const double* wins, int n, double prior_sd) {
    if (!isfinite(prior_sd) || prior_sd < 0)
        return AGON_EINVALID;
    for (int i = 0; i < n * n; i++) {
        if (i % (n + 1) != 0 && !(wins[i] >= 0 && isfinite(wins[i])))
            return AGON_EINVALID;
    }
    if (prior_sd > 0)
        return 0;
    int* scratch = malloc(2 * (size_t)n * sizeof *scratch);
    if (!scratch)
        return AGON_EMEMORY;
    int connected = reached(wins, n, 0, scratch, scratch + n) == n &&
                    reached(wins, n, 1, scratch, scratch + n) == n;
    free(scratch);
    return connected ? 0 : AGON_EINVALID;
}

/* ---- results ------------------------------------------------------------------------------- */

/* hessian becomes the covariance in rating points^2. */
static int covariance_of(model* m) {
    const int n = m->n;
    double added = derivatives(m);
    if (n == 1 && m->precision == 0) {
        m->hessian[0] = 0; /* mean 0 is all there is to know */
        return 0;
    }
    if (agon_matrix_invert(m->hessian, n) != 0)
        return AGON_EINVALID;
    double surplus = added > 0 ? 1 / (added * n * n) : 0;
    for (int k = 0; k < n * n; k++)
        m->hessian[k] = (m->hessian[k] - surplus) / (LOGIT_PER_POINT * LOGIT_PER_POINT);
    return 0;
}

static void write_results(const model* m, double* rating, double* se, double* covariance) {
    const int n = m->n;
    double mean = 0;
    for (int i = 0; m->precision == 0 && i < n; i++)
        mean += m->x[i] / n;
    for (int i = 0; i < n; i++) {
        rating[i] = (m->x[i] - mean) / LOGIT_PER_POINT;
        if (se)
            se[i] = sqrt(m->hessian[i * n + i]);
    }
    if (covariance)
        memcpy(covariance, m->hessian, (size_t)n * n * sizeof *covariance);
}

int agon_rating_bradley_terry(const double* wins, int n, double prior_sd, double* rating,
                              double* se, double* covariance) {
    assert(wins && rating && n >= 1);
    int code = check(wins, n, prior_sd);
    if (code)
        return code;
    double* block = calloc((size_t)n * n + 3 * (size_t)n, sizeof *block);
    if (!block)
        return AGON_EMEMORY;
    double sd = LOGIT_PER_POINT * prior_sd;
    model m = {n, wins, sd > 0 ? 1 / (sd * sd) : 0, block, block + n, block + 2 * n, block + 3 * n};
    if (n > 1)
        code = maximise(&m);
    if (!code)
        code = covariance_of(&m);
    if (!code)
        write_results(&m, rating, se, covariance);
    free(block);
    return code;
}
