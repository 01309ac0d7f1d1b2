/* distance.h: how differently each two agents act, as matrices: for maps, clusters, neighbours.
 * diversity.h has the means over all pairs, in time linear in the agents; what it says of what such
 * numbers do not tell holds here. */
#ifndef AGON_DISTANCE_H
#define AGON_DISTANCE_H

#include "engine/metrics/behaviour.h"

/* Between the policies p and q of two agents, weighted means over states:
 *   TV       1/2 sum_a |p_a - q_a|, in [0, 1]; a metric
 *   JSD      H((p + q)/2) - H(p)/2 - H(q)/2, nats, in [0, ln 2] (Lin 1991). Its square root is a
 *            metric (Endres and Schindelin 2003), and the distance of a Euclidean space
 *   GREEDY   the first choices differ, in [0, 1]; ties take the lowest index
 *   SAMPLED  1 - sum_a p_a q_a: drawn actions differ; not 0 for copies of a random agent, whose
 *            own value is on the diagonal
 *   EXCESS   1/2 sum_a (p_a - q_a)^2, in [0, 1]: the part of SAMPLED that is not their own
 *            randomness; its square root is a Euclidean distance */
typedef enum agon_distance {
    AGON_DISTANCE_TV,
    AGON_DISTANCE_JSD,
    AGON_DISTANCE_GREEDY,
    AGON_DISTANCE_SAMPLED,
    AGON_DISTANCE_EXCESS,
} agon_distance;

/* out: (agents, agents), symmetric, diagonal 0 (SAMPLED: see above). O(agents^2 states actions),
 * for JSD as many logarithms: 200 agents, 512 states, 7 actions take 0.1 s, JSD 0.5 s. Returns 0,
 * AGON_EMEMORY, AGON_EINVALID (then out is untouched). */
int agon_distance_matrix(const agon_behaviour* b, agon_distance kind, double* out);

#endif
