/* policy_hull.h: how far an agent is from everything that mixing the others could do. Plain
 * functions on plain arrays.
 *
 * A population can already play every mixture of its agents: who only re-mixes them adds nothing.
 * Policy-space diversity (Yao et al. 2023) of policy p against others is
 *     min over b in the simplex of D(b) = sum_s w_s sum_a p(a|s) ln (p(a|s) / sum_k b_k p_k(a|s)),
 * a Kullback-Leibler divergence, nats: what is lost, per answer, by guessing p from the best
 * mixture. 0 for a mixture. One b for all states.
 *
 * What this number does not tell:
 *  - Mixing agents means to draw one before the game and let it play: in a game of several moves
 *    that is mixing realization plans, b_k times the probability that k itself comes to s. Here
 *    states are asked about one by one and the reach of every agent is taken as 1. That is the same
 *    where an agent moves once, or where all agents reach the states asked alike; elsewhere an
 *    approximation: the mixture of two agents drawn once does not play the average at states that
 *    only one of them comes to.
 *  - Nothing about strength. A random policy may be outside every hull.
 *  - It grows when policies are sharpened, without bound: INFINITY when p does something that no
 *    other ever does, however rarely. Frequencies of sampled answers have such zeros by accident.
 *  - It falls with every agent added: compare at equal n only. Not symmetric. */
#ifndef AGON_POLICY_HULL_H
#define AGON_POLICY_HULL_H

#include "engine/metrics/behaviour.h"

typedef struct agon_hull {
    double distance; /* D at the best mixture found, nats, >= 0; NaN: no others */
    double gap;      /* at most so much, nats, is the true minimum smaller; NaN when distance is
                        not finite */
    double nearest;  /* the same against the best single other: the form used in practice; >=
                        distance */
} agon_hull;

/* The agent against all other agents of b, agents >= 1. Rows that add up to 1 within 1e-3 are
 * scaled to do so. mixture: out (agents), the best b, 0 at the agent itself; may be NULL;
 * undefined when the distance is not finite (then all NaN). tolerance >= 0, nats: stops at a gap
 * of at most this; 1e-7 is plenty.
 *
 * Method: b_k <- b_k sum_s w_s sum_a p(a|s) p_k(a|s) / mix(a|s), the expectation maximisation of
 * mixture shares, D falls at each step; every two steps are followed by a leap where they lead
 * (SQUAREM, Varadhan and Roland 2008). The gap is ln of the largest of those sums (1 on the support
 * and no more elsewhere, at the minimum). At most 3,000 steps of O(agents * states * actions):
 * copies of agents are harmless, near-copies are slow and may stop with a gap above the tolerance.
 * Returns 0, AGON_EINVALID, AGON_EMEMORY. */
int agon_policy_hull(const agon_behaviour* b, int agent, double tolerance, agon_hull* out,
                     double* mixture);

#endif
