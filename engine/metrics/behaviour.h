/* behaviour.h: what the agents of a population do when asked, and the same agents made equally
 * random. The input of diversity.h, distances.h and kernel.h.
 *
 * Functions return 0, AGON_EMEMORY, or AGON_EINVALID when a number is not finite or breaks what is
 * said of its array; then their output is untouched. */
#ifndef AGON_BEHAVIOUR_H
#define AGON_BEHAVIOUR_H

#include <stddef.h>

/* Borrowed arrays; agents, states, actions >= 1. */
typedef struct agon_behaviour {
    int agents, states, actions;
    const float* probability; /* (agents, states, actions): rows of legal actions that add up to 1
                                 (within 1e-3), 0 at illegal ones */
    const double* weight;     /* (states), >= 0, adding up to 1 (within 1e-6) */
} agon_behaviour;

/* Does it keep what the struct says? */
int agon_behaviour_check(const agon_behaviour* b);

/* (actions) */
static inline const float* agon_behaviour_row(const agon_behaviour* b, int agent, int state) {
    return b->probability + ((size_t)agent * b->states + state) * b->actions;
}

/* The first choice of a row (actions): its largest entry, the lowest index of equals. *tied: 1 when
 * there were equals (exactly equal floats). */
int agon_behaviour_greedy(const float* row, int actions, int* tied);

/* Every agent made equally random: p becomes p^(1/T) / sum p^(1/T), with one temperature T per
 * agent, the same in all states, such that the agent's mean entropy over the weighted states is
 * `entropy` (nats; NaN: the mean over the population as it is). Preferences keep their order, and
 * ratios of log odds: what remains different is not sharpness. An agent that no T brings there is
 * kept as it is, and counted: one that is certain everywhere, one whose possible actions are too
 * few (chosen uniformly they have less entropy), one with too many tied first choices. Actions of
 * probability 0 stay at 0, and at low targets tiny ones become 0.
 *
 * out: (agents, states, actions), may be b->probability itself if the caller owns that.
 * temperature: out (agents) or NULL; 1 where the agent was kept. By safeguarded Newton steps on ln
 * T to 1e-10 nats (rows are floats: about 1e-7 of the entropy is rounding); about 8 exponentials
 * per probability. */
typedef struct agon_rescaling {
    double entropy; /* nats: the target */
    int kept;       /* agents that could not be brought there */
} agon_rescaling;
int agon_behaviour_rescale(const agon_behaviour* b, double entropy, float* out, double* temperature,
                           agon_rescaling* about);

#endif
