/* occupancy.h: whether agents come to different places. Plain functions on plain arrays.
 *
 * Input: how often each agent visited each feature (a position, a position at ply k, an opening),
 * every agent against the same fixed set of opponents, the two halves of its games counted apart.
 *
 * Visits are a sample, and a sample makes equal agents look different. So each number comes with
 * its floor: what the two halves of one agent's games give. A number near its floor is noise.
 *
 * What these numbers do not tell:
 *  - Nothing about strength.
 *  - With opponents that differ from agent to agent they tell about the opponents as much as about
 *    the agents.
 *  - Two mirror images of a position are two features, unless the caller made them one.
 *  - Agents that act alike at all positions but in one early one come to different places; agents
 *    that differ only where they never come look equal.
 *
 * Games of one agent must not be shared between its halves. Logarithms are natural. Functions
 * return 0 or AGON_EMEMORY, then the output is untouched. Results are functions of the input alone.
 */
#ifndef AGON_OCCUPANCY_H
#define AGON_OCCUPANCY_H

#include <stdint.h>

typedef struct agon_occupancy {
    int agents;      /* with visits in both halves; the others are left out */
    double j;        /* generalised Jensen-Shannon divergence of the agents' visit frequencies, both
                        halves together: what a visit tells about who made it; nats, in
                        [0, ln agents]; one agent: 0 */
    double j_floor;  /* the same between the halves of one agent, mean over agents, in [0, ln 2] */
    double j_excess; /* j - (1 - 1/agents) * j_floor: about 0 for equal agents. May be negative */
    double tv;       /* mean total variation, half a of one agent against half b of another; one
                        agent: 0; in [0, 1] */
    double tv_floor; /* half a against half b of the same agent; same numbers of games as in tv */
} agon_occupancy;

/* count (agents, 2, features): visits. No agent with visits: all NaN.
 *
 * Equal agents with m visits each and K features, all common, have E j = (1 - 1/agents) (K - 1) /
 * (2 m) and E j_floor = (K - 1) / (2 m), hence j_excess; where most features are rarer than one
 * visit per agent both saturate, the correction is wrong, and only tv beside tv_floor compares like
 * with like. O(features * agents ln agents). Occupancy of Liu et al. 2021, J of Lin 1991. */
int agon_occupancy_measure(const uint32_t* count, int agents, int features, agon_occupancy* out);

/* Pairs: jsd and tv, out (agents, agents), either may be NULL: Jensen-Shannon divergence, nats, in
 * [0, ln 2], and total variation, in [0, 1], of half a of one agent against half b of the other,
 * mean of both ways round; the diagonal holds the floors. NaN for an agent without visits in one
 * of its halves. O(agents^2 * features). */
int agon_occupancy_pairs(const uint32_t* count, int agents, int features, double* jsd, double* tv);

#endif
