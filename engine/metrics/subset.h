/* subset.h: some of the agents, where all of them would take too long. Which ones is a function of
 * the key alone, so that the same metric of the same agents is the same number. */
#ifndef AGON_SUBSET_H
#define AGON_SUBSET_H

#include "engine/metrics/behaviour.h"
#include "games/random.h"

/* min(n, most) of 0 .. n-1, ascending; all of them, or drawn by the key without replacement, each
 * subset alike. member: out (min(n, most)). n, most >= 1. Returns how many, or AGON_EMEMORY. */
int agon_subset_draw(int n, int most, agon_key key, int* member);

/* The same behaviour of `members` of the agents; probability: out (members, states, actions). */
agon_behaviour agon_subset_behaviour(const agon_behaviour* b, const int* member, int members,
                                     float* probability);

#endif
