/* kernel.h: how alike each two agents act: positive semidefinite kernels for the Vendi score. */
#ifndef AGON_KERNEL_H
#define AGON_KERNEL_H

#include "engine/metrics/behaviour.h"

/* Similarity of the policies p and q of two agents, in [0, 1], weighted means over states (which
 * keep a kernel semidefinite):
 *   BC  sum_a sqrt(p_a q_a): Bhattacharyya
 *   JS  1 - JSD / ln 2 (semidefinite: Hein and Bousquet 2005)
 *   TV  sum_a min(p_a, q_a) = 1 - total variation: histogram intersection
 *   AG  1 where the first choices agree (ties: the lowest index). Alone in not moving when
 *       policies are sharpened; blind to everything but the first choice
 * BC and AG are products of explicit features, so that their Vendi score can be had in time linear
 * in the agents (vendi.h). */
typedef enum agon_kernel {
    AGON_KERNEL_BC,
    AGON_KERNEL_JS,
    AGON_KERNEL_TV,
    AGON_KERNEL_AG,
} agon_kernel;

/* kernel: out (agents, agents), symmetric, the diagonal exactly 1 (rounding of float32 rows is
 * divided out). O(agents^2 states actions). Returns 0, AGON_EMEMORY, AGON_EINVALID (then kernel is
 * untouched). */
int agon_kernel_matrix(const agon_behaviour* b, agon_kernel kind, double* kernel);

/* ---- explicit features (internal) ---- */

/* Vectors x_i with x_i . x_j = sqrt(weight_i weight_j) K_ij, for BC and AG. A column is an action
 * at a state that somebody takes, and that weighs. */
typedef struct agon__features {
    const agon_behaviour* b;
    int columns;
    int *state, *action; /* (columns) */
    double* root;        /* (states) sqrt(w_s) */
    double* scale;       /* (agents) makes |x_i|^2 = weight_i */
    int* greedy;         /* (agents, states), or NULL: BC */
} agon__features;

/* weight: (agents), or NULL: all 1. b: checked by the caller, and kept. Returns 0, AGON_EMEMORY. */
int agon__features_make(const agon_behaviour* b, agon_kernel kind, const double* weight,
                        agon__features* out);
void agon__features_clear(agon__features* features);

/* Lower triangle of X X' (agents, agents), and of X' X (columns, columns): their eigenvalues other
 * than 0 are the same. Returns 0, AGON_EMEMORY. */
int agon__features_primal(const agon__features* features, double* out);
int agon__features_dual(const agon__features* features, double* out);

#endif
