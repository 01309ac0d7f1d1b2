/* intra_inter.h: is one agent as like itself as agents are like one another? (Jiang et al. 2025,
 * "Artificial Hivemind", ask it of language models.) Intra compares two samples of one agent, inter
 * two samples of different agents, of the same size: so that the noise of small samples enters both
 * alike.
 *
 *   intra  mean similarity of an agent to itself, in [0, 1]
 *   inter  of two different agents, in [0, 1]; NaN for one agent
 *   ratio  inter / intra: 1 when agents are as alike as one agent is to itself; above 1 by noise
 *          only, up to rounding
 *   high   share of the intra similarities above 0.8: who always says the same
 * What it does not tell: who is right, and whether a low inter is variety between agents or noise
 * of each (that is what intra is for). NaN where there is nothing to compare.
 *
 * Return 0, AGON_EMEMORY, or AGON_EINVALID (weights that do not add up to 1 within 1e-6); then
 * `out` is untouched. */
#ifndef AGON_INTRA_INTER_H
#define AGON_INTRA_INTER_H

#include <stdint.h>

typedef struct agon_intra_inter {
    double intra, inter, ratio, high;
} agon_intra_inter;

/* Similarity of two sampled answers: 1 when they are the same, else 0. Exact over all pairs of
 * different samples, so it has no bias: intra is sum_a c (c - 1) / (m (m - 1)) with c of m samples.
 * count: (agents, states, actions). An agent with fewer than two samples at a state has no intra
 * there, with none no inter. `high` counts (agent, state), states by weight.
 * O(agents * states * actions). */
int agon_intra_inter_answers(const uint32_t* count, const double* weight, int agents, int states,
                             int actions, agon_intra_inter* out);

/* Similarity of two halves: the overlap 1 - TV of their frequencies over features. count: (agents,
 * 2, features), the halves of each agent's games. inter compares each half with each of the other
 * agent. An agent with an empty half is left out. Overlaps of finite halves lie below 1 although
 * nothing differs: read the ratio. `high` counts agents. O(features * agents ln agents). */
int agon_intra_inter_visits(const uint32_t* count, int agents, int features, agon_intra_inter* out);

#endif
