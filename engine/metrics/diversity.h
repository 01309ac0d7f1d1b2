/* diversity.h: how differently the agents of a population act. Plain functions on plain arrays.
 *
 * Input: exact action probabilities on frozen probe states, never frequencies of sampled actions
 * (K legal actions counted over m samples add about (n - 1)(K - 1) / (2 n m) nats to J even when
 * all agents are equal).
 *
 * What these numbers depend on, and do not tell:
 *  - They say nothing about strength. Agents with independent random policies are "diverse".
 *  - They depend on the states asked. Off-distribution states exaggerate differences.
 *  - They depend on entropy: sharpening every policy raises them although no preference changed.
 *    Read J beside `within`, and the total variation beside the greedy disagreement.
 *  - The Vendi score grows with the number of agents: compare at equal n only.
 *  - Two moves of equal worth count as different. Probe states should be distinct up to the
 *    game's symmetries, or mirror images of one habit look like two.
 *  - A state with one legal action contributes 0 and so dilutes every mean here: leave such states
 *    out of the probe set, or give them weight 0.
 *
 * Logarithms are natural. Every function returns 0, AGON_EMEMORY, or AGON_EINVALID when a number
 * is not finite or breaks what is said of its array; then its output is untouched. Scratch memory
 * is allocated inside, O(agents * actions) or O(n^2). Results are functions of the input alone:
 * sums run in index order, logarithms are agents/real.h's. */
#ifndef AGON_DIVERSITY_H
#define AGON_DIVERSITY_H

/* Borrowed arrays; agents, states, actions >= 1. */
typedef struct agon_behaviour {
    int agents, states, actions;
    const float* probability; /* (agents, states, actions): rows of legal actions that add up to 1
                                 (within 1e-3), 0 at illegal ones */
    const double* weight;     /* (states), >= 0, adding up to 1 (within 1e-6) */
} agon_behaviour;

/* 0, or AGON_EINVALID: not what is said above. Every function below asks it. */
int agon_behaviour_check(const agon_behaviour* b);

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

/* Mean total variation over pairs of different agents, in [0, 1] (McKee, Leibo, Beattie and Everett
 * 2022, "expected action variation"): 0 all alike, 1 no two ever share an action. One agent: 0 by
 * convention. O(states * actions * agents ln agents). */
int agon_diversity_total_variation(const agon_behaviour* b, double* out);

/* Probability that the greedy actions of two different agents differ, in [0, 1], and the share of
 * (agent, state), states by weight, whose maximum is shared by several actions (exactly equal
 * floats; the lowest index is taken, so with a high tie rate agreement is an accident of
 * numbering). One agent: disagreement 0. Blind to everything but the first choice. */
int agon_diversity_greedy(const agon_behaviour* b, double* disagreement, double* tie_rate);

/* Bhattacharyya kernel K_ij = sum_s w_s sum_a sqrt(p_i p_j), in [0, 1]; positive semidefinite. The
 * diagonal is exactly 1 (rounding of float32 rows is divided out). kernel: out (agents, agents). */
int agon_diversity_kernel(const agon_behaviour* b, double* kernel);

/* Vendi score (Friedman and Dieng 2022; orders: Pasarkar and Dieng 2023): with l the eigenvalues of
 * K / n, (sum l^q)^(1 / (1 - q)), at q = 1 exp(-sum l ln l), at q = INFINITY 1 / max l. An
 * effective number of different agents, in [1, n]; duplicating every agent leaves it unchanged;
 * higher orders count rare behaviour less. kernel (n, n): symmetric with unit diagonal (both within
 * 1e-6); order > 0. Orders within 1e-8 of 1 are taken as 1. K should be positive semidefinite:
 * eigenvalues below 1e-13 of their sum, negative ones included, are dropped and the rest scaled to
 * add up to 1, which is right for rounding but makes a bare number of an indefinite "1 - distance"
 * kernel. */
int agon_diversity_vendi(const double* kernel, int n, double order, double* out);

#endif
