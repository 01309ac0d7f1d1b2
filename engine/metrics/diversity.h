/* diversity.h: how differently the agents of a population act. Plain functions on plain arrays.
 *
 * Input: exact action probabilities on frozen probe states, never frequencies of sampled actions
 * (K legal actions counted over m samples add about (n - 1)(K - 1) / (2 n m) nats to J even when
 * all agents are equal; agon_diversity_counting subtracts that where only samples exist).
 *
 * What these numbers depend on, and do not tell:
 *  - They say nothing about strength. Agents with independent random policies are "diverse": J of
 *    uniformly random points of the simplex of 7 actions is 0.353 nats.
 *  - They depend on the states asked. Off-distribution states exaggerate differences.
 *  - They depend on entropy: sharpening every policy raises them although no preference changed.
 *    Read J beside `within`, the total variation beside the greedy disagreement, and both beside
 *    the same of agon_behaviour_rescale.
 *  - Two moves of equal worth count as different. Probe states should be distinct up to the
 *    game's symmetries, or mirror images of one habit look like two.
 *  - A state with one legal action contributes 0 and so dilutes every mean here: leave such states
 *    out of the probe set, or give them weight 0.
 *
 * Logarithms are natural. Every function returns 0, AGON_EMEMORY, or AGON_EINVALID when a number
 * is not finite or breaks what is said of its array; then its output is untouched. Time is linear
 * in the agents (the total variation: n ln n) and memory O(states * actions + agents). Results are
 * functions of the input alone: sums run in index order, logarithms are agents/real.h's. */
#ifndef AGON_DIVERSITY_H
#define AGON_DIVERSITY_H

#include "engine/metrics/behaviour.h"

#include <stdint.h>

/* Entropy split, weighted mean over states: mixture = within + between.
 *   mixture   entropy of the population's mean policy
 *   within    mean entropy of single agents: how random each of them is
 *   between   J, the generalised Jensen-Shannon divergence (Lin 1991): the information that an
 *             action gives about who took it; nats, in [0, ln min(agents, actions)]. exp(J) is an
 *             effective number of different policies per state. Unchanged when every agent is
 *             duplicated. One agent: 0. Never negative. */
typedef struct agon_entropy_split {
    double mixture, within, between;
} agon_entropy_split;
int agon_diversity_entropy(const agon_behaviour* b, agon_entropy_split* out);

/* What counting alone adds to `between` (and takes from the other two), nats, to first order
 * (Miller 1955; Madow): for agents that are equal and sampled, sum_s w_s (K_s - 1)(n - 1)/(2 n^2)
 * sum_i 1/m_is, which is (n - 1)(K - 1)/(2 n m) for m answers each. count (agents, states,
 * actions); options (states): legal actions K_s, 1 .. actions. Subtract it: between -
 * counting.between may then fall below 0 when there is nothing, and is left so, for means over runs
 * would be biased otherwise. Too much is subtracted where legal actions have probability 0, too
 * little where a state has fewer answers than actions. An agent without answers to a state:
 * AGON_EINVALID. */
int agon_diversity_counting(const uint32_t* count, const int* options, const double* weight,
                            int agents, int states, int actions, agon_entropy_split* out);

/* Mean total variation over pairs of different agents, in [0, 1] (McKee, Leibo, Beattie and Everett
 * 2022, "expected action variation"): 0 all alike, 1 no two ever share an action. One agent: 0 by
 * convention. By sorting: O(states * actions * agents ln agents). */
int agon_diversity_total_variation(const agon_behaviour* b, double* out);

/* Probability that the greedy actions of two different agents differ, in [0, 1], and the share of
 * (agent, state), states by weight, whose maximum is shared by several actions (exactly equal
 * floats; the lowest index is taken, so with a high tie rate agreement is an accident of
 * numbering). One agent: disagreement 0. Blind to everything but the first choice. */
int agon_diversity_greedy(const agon_behaviour* b, double* disagreement, double* tie_rate);

/* Means over pairs of different agents, in [0, 1]:
 *   sampled   1 - sum_a p_a q_a: actions drawn by two agents differ. Not a distance: two copies of
 *             one random agent score above 0
 *   excess    1/2 sum_a (p_a - q_a)^2: how much more often they differ than each of the two from
 *             itself; 0 only for equal policies
 * One agent: both 0. */
int agon_diversity_sampled(const agon_behaviour* b, double* sampled, double* excess);

#endif
