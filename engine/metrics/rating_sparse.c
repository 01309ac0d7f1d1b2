/* rating_sparse.c: Bradley-Terry by Newton's method with conjugate gradients. */
#include "engine/metrics/rating_sparse.h"

#include "agents/real.h"
#include "engine/metrics/rating_sparse_model.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOGIT_PER_POINT 0.005756462732485115 /* ln 10 / 400 */
#define NEWTON_STEPS    200
#define NEWTON_HALVING  40
#define SOLVE_STEPS     10000

typedef agon__sparse_model model;

static double logistic(double x) {
    return 1 / (1 + agon_exp(-x));
}

/* -ln logistic(x), without overflow. */
static double log_loss(double x) {
    return x > 0 ? agon_log(1 + agon_exp(-x)) : agon_log(1 + agon_exp(x)) - x;
}

/* ---- checks -------------------------------------------------------------------------------- */

static int valid_points(double points) {
    return points >= 0 && isfinite(points);
}

static int check_pairs(const agon_rating_pool* p) {
    for (int k = 0; k < p->pairs; k++) {
        const agon_rating_pair* q = p->pair + k;
        if (q->first < 0 || q->first >= p->agents || q->second < 0 || q->second >= p->agents ||
            q->first == q->second || !valid_points(q->first_points) ||
            !valid_points(q->second_points))
            return AGON_EINVALID;
    }
    return 0;
}

static int check(const agon_rating_pool* p) {
    int at_origin = 0;
    if (!(p->prior_sd > 0) || !isfinite(p->prior_sd))
        return AGON_EINVALID;
    for (int i = 0; i < p->agents; i++) {
        at_origin += !p->origin || p->origin[i];
        if (p->fixed && isinf(p->fixed[i]))
            return AGON_EINVALID;
    }
    return at_origin ? check_pairs(p) : AGON_EINVALID;
}

/* ---- the model ----------------------------------------------------------------------------- */

/* Negative log posterior, up to a constant. */
static double cost(const model* m, const double* x) {
    double sum = 0;
    for (int k = 0; k < m->pool->pairs; k++) {
        const agon_rating_pair* p = m->pool->pair + k;
        double d = x[p->first] - x[p->second];
        if (p->first_points > 0)
            sum += p->first_points * log_loss(d);
        if (p->second_points > 0)
            sum += p->second_points * log_loss(-d);
    }
    for (int i = 0; i < m->n; i++)
        sum += m->is_fixed[i] ? 0 : 0.5 * m->precision * x[i] * x[i];
    return sum;
}

static void derivatives(model* m) {
    for (int i = 0; i < m->n; i++) {
        m->slope[i] = m->precision * m->x[i];
        m->diagonal[i] = m->precision;
    }
    for (int k = 0; k < m->pool->pairs; k++) {
        const agon_rating_pair* p = m->pool->pair + k;
        double games = p->first_points + p->second_points;
        double d = m->x[p->first] - m->x[p->second], expected = logistic(d);
        double surplus = games * expected - p->first_points;
        m->weight[k] = games * expected * logistic(-d);
        m->slope[p->first] += surplus;
        m->slope[p->second] -= surplus;
        m->diagonal[p->first] += m->weight[k];
        m->diagonal[p->second] += m->weight[k];
    }
    for (int i = 0; i < m->n; i++) {
        if (m->is_fixed[i]) {
            m->slope[i] = 0;
            m->diagonal[i] = 1;
        }
    }
}

/* y = H x; x is 0 for fixed agents. */
static void multiply(const model* m, const double* x, double* y) {
    for (int i = 0; i < m->n; i++)
        y[i] = m->precision * x[i];
    for (int k = 0; k < m->pool->pairs; k++) {
        const agon_rating_pair* p = m->pool->pair + k;
        double pull = m->weight[k] * (x[p->first] - x[p->second]);
        y[p->first] += pull;
        y[p->second] -= pull;
    }
    for (int i = 0; i < m->n; i++)
        y[i] = m->is_fixed[i] ? 0 : y[i];
}

int agon__sparse_solve(const model* m, const double* b, double tolerance, double* y) {
    const int n = m->n;
    double *residual = m->work, *direction = residual + n, *image = direction + n;
    double size = 0, first;
    for (int i = 0; i < n; i++) {
        y[i] = 0;
        residual[i] = b[i];
        direction[i] = b[i] / m->diagonal[i];
        size += residual[i] * direction[i];
    }
    first = size;
    for (int k = 0; size > tolerance * tolerance * first; k++) {
        if (k == SOLVE_STEPS)
            return AGON_EINVALID;
        multiply(m, direction, image);
        double curvature = 0, next = 0;
        for (int i = 0; i < n; i++)
            curvature += direction[i] * image[i];
        for (int i = 0; i < n; i++) {
            y[i] += size / curvature * direction[i];
            residual[i] -= size / curvature * image[i];
            next += residual[i] * residual[i] / m->diagonal[i];
        }
        for (int i = 0; i < n; i++)
            direction[i] = residual[i] / m->diagonal[i] + next / size * direction[i];
        size = next;
    }
    return isfinite(size) ? 0 : AGON_EINVALID;
}

/* ---- the fit ------------------------------------------------------------------------------- */

/* One damped step. Returns the largest change of a logit (0: the cost falls no further), or -1. */
static double newton_step(model* m) {
    double before = cost(m, m->x), length = 1, largest = 0;
    derivatives(m);
    if (agon__sparse_solve(m, m->slope, 1e-10, m->step))
        return -1;
    for (int i = 0; i < m->n; i++)
        largest = fmax(largest, fabs(m->step[i]));
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

/* Moves the mean of the origin to 0; variance: (n), of ratings, becomes that of differences to it:
 * with r the mean of the origin as a vector, C_ii - 2 (C r)_i + r' C r. */
static int move_origin(model* m, double* variance) {
    const uint8_t* origin = m->pool->origin;
    double count = 0, mean = 0, shared = 0;
    for (int i = 0; i < m->n; i++)
        count += !origin || origin[i];
    for (int i = 0; i < m->n; i++) {
        m->trial[i] = !origin || origin[i] ? 1 / count : 0;
        mean += m->trial[i] * m->x[i];
    }
    if (variance && agon__sparse_solve(m, m->trial, 1e-12, m->step))
        return AGON_EINVALID;
    for (int i = 0; i < m->n; i++)
        shared += m->trial[i] * m->step[i];
    for (int i = 0; i < m->n; i++) {
        m->x[i] -= mean;
        if (variance)
            variance[i] = fmax(0, variance[i] - 2 * m->step[i] + shared);
    }
    return 0;
}

static int fit(model* m, agon_key key, double* variance, agon_rating_errors* how) {
    int code = maximise(m);
    if (!code)
        derivatives(m);
    if (!code && variance)
        code = agon__sparse_variances(m, key, variance, how);
    if (!code && !m->pool->fixed)
        code = move_origin(m, variance);
    return code;
}

static void write_results(const model* m, const double* variance, double* rating, double* error) {
    for (int i = 0; i < m->n; i++) {
        rating[i] = m->is_fixed[i] ? m->pool->fixed[i] : m->x[i] / LOGIT_PER_POINT;
        if (error)
            error[i] = sqrt(variance[i]) / LOGIT_PER_POINT;
    }
}

int agon_rating_sparse(const agon_rating_pool* pool, agon_key key, double* rating, double* error,
                       agon_rating_errors* how) {
    assert(pool && pool->agents >= 1 && pool->pairs >= 0 && (pool->pair || pool->pairs == 0));
    assert(rating && !(pool->fixed && pool->origin));
    int code = check(pool);
    if (code)
        return code;
    const size_t n = (size_t)pool->agents;
    double* block = calloc(9 * n + (size_t)pool->pairs, sizeof *block);
    uint8_t* is_fixed = calloc(n, 1);
    if (block && is_fixed) {
        const double sd = LOGIT_PER_POINT * pool->prior_sd;
        model m = {pool,          pool->agents,  1 / (sd * sd), is_fixed,
                   block,         block + 9 * n, block + n,     block + 2 * n,
                   block + 3 * n, block + 4 * n, block + 5 * n};
        double* variance = block + 8 * n;
        agon_rating_errors found = AGON_RATING_EXACT;
        for (size_t i = 0; pool->fixed && i < n; i++) {
            is_fixed[i] = !isnan(pool->fixed[i]);
            m.x[i] = is_fixed[i] ? LOGIT_PER_POINT * pool->fixed[i] : 0;
        }
        code = fit(&m, key, error ? variance : NULL, &found);
        if (!code)
            write_results(&m, variance, rating, error);
        if (!code && how)
            *how = found;
    } else {
        code = AGON_EMEMORY;
    }
    free(block);
    free(is_fixed);
    return code;
}
