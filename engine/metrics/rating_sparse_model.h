/* rating_sparse_model.h: what rating_sparse.c (the fit) and rating_sparse_error.c (its errors)
 * share. Internal. Logits throughout: x = rating * ln 10 / 400. */
#ifndef AGON_RATING_SPARSE_MODEL_H
#define AGON_RATING_SPARSE_MODEL_H

#include "engine/metrics/rating_sparse.h"

typedef struct agon__sparse_model {
    const agon_rating_pool* pool;
    int n;
    double precision;  /* of the prior, per logit^2 */
    uint8_t* is_fixed; /* (n) */
    double* x;         /* (n) */
    double* weight;    /* (pairs) curvature of each pair at x */
    double* diagonal;  /* (n) of the Hessian H; 1 for fixed agents, which are no unknowns of it */
    double* slope;     /* (n) gradient; 0 for fixed agents */
    double* step;      /* (n) */
    double* trial;     /* (n) */
    double* work;      /* (3 n) of the solve */
} agon__sparse_model;

/* y = H^-1 b by conjugate gradients, until the residual is `tolerance` times b. b is 0 for fixed
 * agents, and so is y. Returns 0, or AGON_EINVALID when that is not reached. */
int agon__sparse_solve(const agon__sparse_model* m, const double* b, double tolerance, double* y);

/* The diagonal of H^-1: out (n), 0 for fixed agents. Returns 0, AGON_EINVALID, AGON_EMEMORY. */
int agon__sparse_variances(const agon__sparse_model* m, agon_key key, double* out,
                           agon_rating_errors* how);

#endif
