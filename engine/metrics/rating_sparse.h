/* rating_sparse.h: Bradley-Terry strengths of many agents of whom few have met, on the Elo scale.
 *
 * The same model, prior and caveats as agon_rating_bradley_terry, and the same ratings to 1e-6
 * points; but a list of games instead of a matrix, so that ten thousand agents who each met fifty
 * anchors take a second. */
#ifndef AGON_RATING_SPARSE_H
#define AGON_RATING_SPARSE_H

#include "games/random.h"

typedef struct agon_rating_pair {
    int first, second;                  /* different agents; a pair may come more than once */
    double first_points, second_points; /* >= 0; a draw 1/2 to each */
} agon_rating_pair;

typedef struct agon_rating_pool {
    int agents; /* >= 1 */
    const agon_rating_pair* pair;
    int pairs;
    double prior_sd;       /* > 0, rating points: every free rating ~ N(0, prior_sd^2) */
    const double* fixed;   /* (agents) ratings that are known, NaN: free. NULL: all are free */
    const uint8_t* origin; /* (agents) 1: the mean rating of these agents is 0, and errors are those
                              of the difference to it. NULL: all agents. Not with `fixed` */
} agon_rating_pool;

/* How errors were found. */
typedef enum agon_rating_errors {
    AGON_RATING_EXACT,  /* the diagonal of the inverse Hessian */
    AGON_RATING_PROBED, /* estimated from random vectors */
} agon_rating_errors;

/* Maximum a posteriori by Newton's method; each step is a solve by conjugate gradients with the
 * diagonal as preconditioner. All sums run in the order of the list.
 *
 *   rating  out (agents). Fixed ratings are returned as they are.
 *   error   out (agents) or NULL: standard errors, 0 of a fixed rating. Without `fixed`, of the
 *           difference to the mean of `origin`: what all ratings have in common is known from the
 *           prior alone and would drown the rest.
 *   how     out or NULL
 *
 * Errors. A set of agents, the core, is chosen so that every pair has one of it (anchors, where
 * agents only meet anchors). The other agents then depend on the core alone, and the inverse
 * Hessian's diagonal follows exactly from a matrix of the size of the core. Where more than
 * AGON_RATING_CORE agents would be needed, the diagonal is estimated instead: the mean of z * H^-1
 * z over 128 vectors z of random signs (Bekas, Kokiopoulou, Saad 2007), from key, not below 1 /
 * H_ii. What agents of one component have in common is taken out first, because it is known exactly
 * and would be most of the noise. With 30 opponents each, errors are then good to 1 %
 * (root mean square), 10 % at worst.
 *
 * Returns 0, AGON_EINVALID (a number not finite or negative, an agent out of range or against
 * itself, no agent at the origin, no convergence), AGON_EMEMORY; nothing is written unless 0.
 * O(pairs) a step and iteration; exact errors O(pairs * core + core^3): 10,000 agents against 50
 * anchors 0.6 s. */
int agon_rating_sparse(const agon_rating_pool* pool, agon_key key, double* rating, double* error,
                       agon_rating_errors* how);

#define AGON_RATING_CORE 512

#endif
